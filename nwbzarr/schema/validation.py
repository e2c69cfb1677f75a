"""What is wrong with stored nodes, after the schema: every problem, not the first.

Works on metadata documents alone, so that a store, and a plan of one, are checked by the same rules. A dtype of the
schema is the least precision allowed. What the schema does not name is allowed. Pure: values of arrays are not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from nwbzarr.convention.attributes import decode_attribute
from nwbzarr.convention.dtypes import parse_data_type
from nwbzarr.convention.links import is_reference
from nwbzarr.convention.names import (
    DTYPE,
    NAMESPACE,
    NEURODATA_TYPE,
    OBJECT_REFERENCE,
    REFERENCE_FIELDS,
)
from nwbzarr.errors import NWBZarrError
from nwbzarr.schema.language import standard_dtype
from nwbzarr.schema.registry import Registry
from nwbzarr.schema.specs import AttributeSpec, DatasetSpec, DType, GroupSpec, LinkSpec, ReferenceTo, Shapes, fits_shape


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the schema does not allow.

    Attributes
    ----------
    path : str
        Node that is concerned.
    neurodata_type : str
        Its type, or that of the container around it.
    field : str
        Attribute or child that is concerned; empty for the node itself.
    message : str
        What the schema asks, and what is there.
    """

    path: str
    neurodata_type: str
    field: str
    message: str

    def __str__(self) -> str:
        field = f".{self.field}" if self.field else ""
        return f"{self.path} ({self.neurodata_type}{field}): {self.message}"


@dataclass(frozen=True, slots=True)
class Child:
    """A child of a group: a node, or a link with what is known of its target.

    Attributes
    ----------
    name : str
        Its name.
    path : str or None
        Path of the node; None for a link.
    type : str or None
        Neurodata type; None for plain nodes, and for links whose target is not known.
    namespace : str or None
        Namespace of the type.
    known : bool
        Whether the target is known; always for nodes.
    """

    name: str
    path: str | None
    type: str | None
    namespace: str | None
    known: bool = True


class Nodes(Protocol):
    """What is checked: documents, children, and where references lead."""

    def document(self, path: str) -> Mapping[str, Any]:
        """Return the metadata document of a node."""

    def children(self, path: str) -> list[Child]:
        """Return the children of a group, links among them."""

    def reference_type(self, value: Any) -> tuple[str | None, str | None] | None:
        """Return namespace and type of what a reference names; None when it cannot be told."""


#: Returns the types of a namespace, or None for one that is not known.
Registries = Callable[[str | None], Registry | None]


def check_node(nodes: Nodes, path: str, registries: Registries) -> list[Problem]:
    """Return what is wrong with a node that has a neurodata type.

    Parameters
    ----------
    nodes : Nodes
        What is stored, or will be.
    path : str
        The node.
    registries : callable
        Gives the types of a namespace.
    """
    attributes = nodes.document(path).get("attributes", {})
    name, namespace = attributes.get(NEURODATA_TYPE), attributes.get(NAMESPACE)
    if not isinstance(name, str):
        return []
    registry = registries(namespace)
    if registry is None or name not in registry.types:
        reason = (
            f"its namespace {namespace!r} is not cached here" if registry is None else f"{namespace!r} has no such type"
        )
        return [Problem(path, name, "", f"the type is not known: {reason}")]
    checker = _Checker(nodes, registry, registries, name)
    spec = registry.resolved(name)
    is_array = nodes.document(path).get("node_type") == "array"
    if is_array != isinstance(spec, DatasetSpec):
        wanted = "a dataset" if isinstance(spec, DatasetSpec) else "a group"
        return [Problem(path, name, "", f"the schema asks for {wanted}, but the other is stored")]
    found = checker.dataset(spec, path, "") if isinstance(spec, DatasetSpec) else checker.group(spec, path)
    return list(found)


class _Checker:
    """Checks one node of one type, and what belongs to it."""

    def __init__(self, nodes: Nodes, registry: Registry, registries: Registries, owner: str) -> None:
        self.nodes = nodes
        self.registry = registry
        self.registries = registries
        self.owner = owner

    def problem(self, path: str, field: str, message: str) -> Problem:
        return Problem(path, self.owner, field, message)

    def group(self, spec: GroupSpec, path: str) -> Iterator[Problem]:
        yield from self.attributes(spec.attributes, path)
        children = {child.name: child for child in self.nodes.children(path)}
        for part in spec.children:
            if part.name is not None:
                yield from self.named(part, children.get(part.name), path)
            else:
                yield from self.unnamed(part, children.values(), spec, path)

    def named(self, spec: DatasetSpec | GroupSpec | LinkSpec, child: Child | None, path: str) -> Iterator[Problem]:
        name = str(spec.name)
        if child is None:
            if spec.quantity.least and not (isinstance(spec, GroupSpec) and spec.type_inc is None and _is_empty(spec)):
                yield self.problem(path, name, f"{_what(spec)} must be there, but is missing")
            return
        wanted = spec.target if isinstance(spec, LinkSpec) else spec.type_inc
        if wanted is not None and child.known and not self.fits(child, wanted):
            yield self.problem(path, name, f"must be of type {wanted}, but is {child.type or 'a node without a type'}")
            return
        if child.path is None or isinstance(spec, LinkSpec):
            return
        is_array = self.nodes.document(child.path).get("node_type") == "array"
        if is_array != isinstance(spec, DatasetSpec):
            yield self.problem(path, name, f"must be {_what(spec)}, but the other kind of node is stored")
        elif isinstance(spec, DatasetSpec):
            # A typed child is checked by its own type as well; here by what this type says of it.
            yield from self.dataset(spec, child.path, name, typed=spec.type_inc is not None)
        elif spec.type_inc is None:
            yield from self.group(spec, child.path)

    def unnamed(
        self, spec: DatasetSpec | GroupSpec | LinkSpec, children: Iterable[Child], holder: GroupSpec, path: str
    ) -> Iterator[Problem]:
        wanted = spec.target if isinstance(spec, LinkSpec) else spec.type_inc
        if wanted is None:
            return
        free = [child for child in children if child.name not in holder.names]
        certain = sum(child.known and self.fits(child, wanted, strict=True) for child in free)
        possible = certain + sum(not child.known or not self.knows(child) for child in free)
        if possible < spec.quantity.least or (spec.quantity.most is not None and certain > spec.quantity.most):
            yield self.problem(path, wanted, f"there must be {spec.quantity} of type {wanted}, but {certain} are there")

    def knows(self, child: Child) -> bool:
        registry = self.registries(child.namespace)
        return child.type is None or (registry is not None and child.type in registry.types)

    def fits(self, child: Child, wanted: str, *, strict: bool = False) -> bool:
        registry = self.registries(child.namespace) if child.type else None
        if child.type is None:
            return False
        if registry is None or child.type not in registry.types:
            return not strict
        return registry.is_a(child.type, (wanted,))

    def dataset(self, spec: DatasetSpec, path: str, field: str, *, typed: bool = False) -> Iterator[Problem]:
        document = self.nodes.document(path)
        yield from self.attributes(spec.attributes, path, field)
        stored = tuple(document.get("shape", ()))
        wanted: Shapes = spec.shapes
        if wanted and not any(fits_shape(stored, shape) for shape in wanted):
            yield self.problem(path, field, f"must have the shape {_shapes(wanted)}, but has {stored}")
        elif not wanted and not typed and spec.type_def is None and stored and spec.dtype is not None:
            yield self.problem(path, field, f"must be a scalar, but has the shape {stored}")
        message = _dtype_problem(spec.dtype, document)
        if message:
            yield self.problem(path, field, message)

    def attributes(self, specs: Iterable[AttributeSpec], path: str, field: str = "") -> Iterator[Problem]:
        stored = self.nodes.document(path).get("attributes", {})
        for spec in specs:
            name = f"{field}.{spec.name}" if field else spec.name
            if spec.name not in stored:
                if spec.required and spec.default is None:
                    yield self.problem(path, name, "the attribute must be there, but is missing")
                continue
            try:
                value = stored[spec.name] if is_reference(stored[spec.name]) else decode_attribute(stored, spec.name)
            except NWBZarrError as error:
                yield self.problem(path, name, error.message)
                continue
            message = self.value_problem(spec, value)
            if message:
                yield self.problem(path, name, message)

    def value_problem(self, spec: AttributeSpec, value: Any) -> str:
        """Say what is wrong with the value of an attribute; empty for nothing."""
        if isinstance(spec.dtype, ReferenceTo):
            return self.reference_problem(spec.dtype, value)
        if spec.value is not None and not np.array_equal(value, spec.value):
            return f"must be {spec.value!r}, but is {value!r}"
        array = np.asarray(value, dtype=object if isinstance(value, str | list | dict) else None)
        array = np.array(array.tolist()) if array.size and all(map(_is_number, array.flat)) else array
        if spec.shapes and not any(fits_shape(array.shape, shape) for shape in spec.shapes):
            return f"must have the shape {_shapes(spec.shapes)}, but has {array.shape}"
        if not spec.shapes and array.shape:
            return f"must be a scalar, but has the shape {array.shape}"
        return _attribute_dtype_problem(spec.dtype, array)

    def reference_problem(self, dtype: ReferenceTo, value: Any) -> str:
        if not is_reference(value):
            return f"must be a reference to {dtype.target}, but is {value!r}"
        found = self.nodes.reference_type(value)
        if found is None:
            return ""
        namespace, name = found
        child = Child("", None, name, namespace)
        return (
            ""
            if self.fits(child, dtype.target)
            else f"must refer to {dtype.target}, but refers to {name or 'nothing with a type'}"
        )


def _is_empty(spec: GroupSpec) -> bool:
    """Whether nothing has to be in a plain group: its absence says as much as its presence."""
    parts: list[DatasetSpec | LinkSpec | AttributeSpec] = [*spec.datasets, *spec.links, *spec.attributes]
    required = any(map(_least, parts))
    return not required and all(
        not group.quantity.least or (group.type_inc is None and _is_empty(group)) for group in spec.groups
    )


def _least(part: DatasetSpec | LinkSpec | AttributeSpec) -> bool:
    return part.required if isinstance(part, AttributeSpec) else part.quantity.least > 0


def _what(spec: DatasetSpec | GroupSpec | LinkSpec) -> str:
    if isinstance(spec, LinkSpec):
        return f"a link to {spec.target}"
    word = "dataset" if isinstance(spec, DatasetSpec) else "group"
    return f"a {word} of type {spec.type_inc}" if spec.type_inc else f"a {word}"


def _shapes(shapes: Shapes) -> str:
    return " or ".join(f"({', '.join('any' if size is None else str(size) for size in shape)})" for shape in shapes)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number | np.bool_)


def _dtype_problem(dtype: DType, document: Mapping[str, Any]) -> str:  # noqa: PLR0911 - one answer for each kind of dtype
    """Say what is wrong with the dtype of an array; empty for nothing."""
    attributes = document.get("attributes", {})
    stored = parse_data_type(document.get("data_type"))
    if dtype is None or stored is None:
        return ""
    if isinstance(dtype, ReferenceTo):
        is_references = attributes.get(DTYPE) == OBJECT_REFERENCE
        return "" if is_references else f"must hold references to {dtype.target}, but holds {_word(stored)}"
    if isinstance(dtype, tuple):
        names = list(stored.names or ())
        wanted = [part.name for part in dtype]
        if not set(wanted) <= set(names):
            return f"must be a compound of {', '.join(wanted)}, but is {_word(stored)}"
        lacking = [
            part.name
            for part in dtype
            if isinstance(part.dtype, ReferenceTo) and part.name not in attributes.get(REFERENCE_FIELDS, ())
        ]
        if lacking:
            return f"the field {lacking[0]} must hold references, but holds {stored[lacking[0]]}"
        wrong = next(
            (part for part in dtype if isinstance(part.dtype, str) and not _is_precise(part.dtype, stored[part.name])),
            None,
        )
        return f"the field {wrong.name} must be {wrong.dtype}, but is {stored[wrong.name]}" if wrong else ""
    if attributes.get(DTYPE) == OBJECT_REFERENCE and standard_dtype(dtype) != "object":
        return f"must be {dtype}, but holds references"
    return "" if _is_precise(dtype, stored) else f"must be {dtype} or more precise, but is {_word(stored)}"


def _word(dtype: np.dtype[Any]) -> str:
    return "text" if dtype.kind in "OUT" else str(dtype)


#: NumPy kinds of the dtypes of the schema that have no size.
_KINDS = {
    "text": "OUTS",
    "ascii": "OUTS",
    "isodatetime": "OUTS",
    "object": "OUT",
    "region": "OUT",
    "bool": "b",
    "numeric": "iuf",
}


def _is_precise(word: str, stored: np.dtype[Any]) -> bool:
    """Whether a NumPy dtype is the one that the schema asks for, or more precise."""
    word = standard_dtype(word)
    if word in _KINDS:
        return stored.kind in _KINDS[word]
    wanted = np.dtype(word)
    return stored.kind == wanted.kind and stored.itemsize >= wanted.itemsize


def _attribute_dtype_problem(dtype: DType, array: np.ndarray[Any, Any]) -> str:
    """Say what is wrong with the dtype of an attribute; JSON cannot tell floats of one size from those of another."""
    if not isinstance(dtype, str) or not array.size:
        return ""
    word = standard_dtype(dtype)
    allowed = _KINDS.get(word, "iuf" if word.startswith("float") else "iu")
    negative = word.startswith("uint") and array.dtype.kind == "i" and (array < 0).any()
    texts = array.dtype.kind != "O" or all(isinstance(item, str) for item in array.flat)
    if array.dtype.kind in allowed and not negative and texts:
        return ""
    return f"must be {dtype}, but is {array.tolist()!r}"


__all__ = ["Child", "Nodes", "Problem", "Registries", "check_node"]
