"""Fields of a type: its resolved spec, flattened to what people reach as attributes of a container.

Every attribute, dataset, container and collection that a spec names becomes one `FieldSpec` with the name that PyNWB
gives it: the words of its path joined by ``__``, unless the table of names says otherwise. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

from nwbzarr.schema.names import field_name
from nwbzarr.schema.specs import (
    AttributeSpec,
    DatasetSpec,
    Dims,
    DType,
    GroupSpec,
    LinkSpec,
    Quantity,
    ReferenceTo,
    Shapes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nwbzarr.schema.registry import Registry


#: Dates that may be given as a day alone.
_DAYS = frozenset({"date_of_birth"})


#: Exactly one.
ONCE = Quantity()


class Kind(Enum):
    """Where a field lives."""

    ATTRIBUTE = "attribute"
    DATASET = "dataset"
    CONTAINER = "container"
    LINK = "link"
    COLLECTION = "collection"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a type.

    Attributes
    ----------
    name : str
        Name in Python (PyNWB's).
    kind : Kind
        An attribute, a plain dataset, one container (a group or dataset with a type), a link to one that lives
        elsewhere, or containers by name.
    path : str
        Path of the dataset, container, or of the group that holds a collection, below the type's group; for an
        attribute, of the group or dataset that carries it (``""`` is the type itself). Containers without a name
        of their own have the path of the group that holds them, and `any_name`.
    attribute : str
        Name of the attribute, for attributes.
    dtype : str, ReferenceTo, tuple or None
        dtype in words of the schema language; None for any.
    dims, shapes : tuple of tuple
        Alternatives: names and sizes of the dimensions; empty for a scalar.
    types : tuple of str
        Neurodata types allowed, for containers, links and collections.
    quantity : Quantity
        How often it is there.
    required : bool
        Whether the type cannot do without.
    default : object
        Value when none is given; None for none.
    fixed : bool
        Whether the value may be nothing but the default.
    any_name : bool
        Whether a single container may have any name.
    claimed : frozenset of str
        Names in a collection's group that belong to other fields.
    """

    name: str
    kind: Kind
    path: str = ""
    attribute: str = ""
    dtype: DType = None
    dims: Dims = ()
    shapes: Shapes = ()
    types: tuple[str, ...] = ()
    quantity: Quantity = ONCE
    required: bool = False
    default: Any = None
    fixed: bool = False
    any_name: bool = False
    claimed: frozenset[str] = frozenset()

    @property
    def is_reference(self) -> bool:
        """Whether the value is a container that is only named."""
        return isinstance(self.dtype, ReferenceTo)


def plan_fields(registry: Registry, name: str) -> dict[str, FieldSpec]:
    """Return the fields of a type by name."""
    spec = registry.resolved(name)
    lineage = [found.name for found in registry.lineage(name)]
    fields: dict[str, FieldSpec] = {}
    for field in _of_node(spec, "", required=True):
        named = replace(field, name=field_name(lineage, _place(field)))
        known = fields.get(named.name)
        if known is not None and known.kind is Kind.COLLECTION and known.path == named.path:
            named = replace(known, types=(*known.types, *named.types))
        fields[named.name] = named
    return fields


@cache
def groups_of(registry: Registry, name: str) -> tuple[str, ...]:
    """Return the paths of the plain groups that are always there in a type."""
    spec = registry.resolved(name)
    return tuple(_plain_groups(spec, "")) if isinstance(spec, GroupSpec) else ()


def _plain_groups(spec: GroupSpec, path: str) -> Iterator[str]:
    for group in spec.groups:
        if group.name and group.type_inc is None and group.quantity.least:
            inner = _join(path, group.name)
            yield inner
            yield from _plain_groups(group, inner)


def _place(field: FieldSpec) -> str:
    """Return the path of a field in its spec; a container without a name counts by its type."""
    last = field.attribute or (field.types[0] if field.any_name or field.kind is Kind.COLLECTION else "")
    return _join(field.path, last) if last else field.path


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _of_node(spec: GroupSpec | DatasetSpec, path: str, *, required: bool) -> Iterator[FieldSpec]:
    """Yield the fields of a node that has no type of its own, or is the type."""
    for attribute in spec.attributes:
        yield _of_attribute(attribute, path, required=required)
    if isinstance(spec, DatasetSpec):
        return
    for dataset in spec.datasets:
        needed = required and dataset.quantity.least > 0
        if dataset.type_inc is not None:
            yield _of_container(dataset, dataset.type_inc, path, spec, required=needed)
        elif dataset.name is not None:
            inner = _join(path, dataset.name)
            yield _of_dataset(dataset, inner, required=needed)
            yield from _of_node(dataset, inner, required=needed)
    for group in spec.groups:
        needed = required and group.quantity.least > 0
        if group.type_inc is not None:
            yield _of_container(group, group.type_inc, path, spec, required=needed)
        elif group.name is not None:
            yield from _of_node(group, _join(path, group.name), required=needed)
    for link in spec.links:
        yield _of_container(link, link.target, path, spec, required=required and link.quantity.least > 0)


def _of_attribute(spec: AttributeSpec, path: str, *, required: bool) -> FieldSpec:
    default = spec.default if spec.value is None else spec.value
    return FieldSpec(
        spec.name,
        Kind.ATTRIBUTE,
        path,
        spec.name,
        spec.dtype,
        spec.dims,
        spec.shapes,
        required=required and spec.required and default is None,
        default=default,
        fixed=spec.value is not None,
    )


def _of_dataset(spec: DatasetSpec, path: str, *, required: bool) -> FieldSpec:
    default = spec.default if spec.value is None else spec.value
    return FieldSpec(
        path,
        Kind.DATASET,
        path,
        dtype="isodate" if path in _DAYS else spec.dtype,
        dims=spec.dims,
        shapes=spec.shapes,
        quantity=spec.quantity,
        required=required and default is None,
        default=default,
        fixed=spec.value is not None,
    )


def _of_container(
    spec: DatasetSpec | GroupSpec | LinkSpec, wanted: str, path: str, holder: GroupSpec, *, required: bool
) -> FieldSpec:
    """Return the field of a child with a type: one container, a link, or a collection."""
    single = spec.name is not None or spec.quantity.most == 1
    kind = (Kind.LINK if isinstance(spec, LinkSpec) else Kind.CONTAINER) if single else Kind.COLLECTION
    return FieldSpec(
        wanted,
        kind,
        _join(path, spec.name) if spec.name else path,
        types=(wanted,),
        quantity=spec.quantity,
        required=required,
        any_name=single and spec.name is None,
        claimed=frozenset() if spec.name else holder.names,
        dtype=spec.dtype if isinstance(spec, DatasetSpec) else None,
    )
