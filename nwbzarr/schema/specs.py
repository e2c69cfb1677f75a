"""The shape of the facts: `FieldSpec`, `TypeSpec`, and the registry that answers questions about types.

This room refuses to hold values, and to know Python classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Kind(Enum):
    """Where a field lives."""

    ATTRIBUTE = "attribute"
    DATASET = "dataset"
    CONTAINER = "container"
    COLLECTION = "collection"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a type.

    Attributes
    ----------
    name : str
        Name in Python (PyNWB's).
    kind : Kind
        An attribute, a dataset, one container, or a group that holds containers by name.
    path : str
        Path of the dataset, container or group below the type's group; for an attribute, of the group or dataset
        that carries it (``""`` is the type itself).
    attribute : str
        Name of the attribute, for attributes.
    dtype : str
        NWB schema dtype: ``text``, ``isodatetime``, ``isodate`` (a day will do), ``numeric``, ``float64``, ``float32``, ``uint8``, ``bool``, ``any``.
    dims : tuple of str
        Names of the dimensions; ``()`` for a scalar.
    sizes : tuple of int or None
        Sizes of dimensions where the schema fixes them.
    any_shape : bool
        Whether data of fewer or more dimensions than `dims` names is allowed.
    types : tuple of str
        Neurodata types allowed, for containers and collections.
    required : bool
        Whether the type cannot do without.
    default : object
        Value when none is given; None for none.
    fixed : bool
        Whether the value may be nothing but the default.
    """

    name: str
    kind: Kind
    path: str = ""
    attribute: str = ""
    dtype: str = "any"
    dims: tuple[str, ...] = ()
    sizes: tuple[int | None, ...] = ()
    any_shape: bool = False
    types: tuple[str, ...] = ()
    required: bool = False
    default: object = None
    fixed: bool = False


@dataclass(frozen=True)
class TypeSpec:
    """One neurodata type.

    Attributes
    ----------
    name : str
        Neurodata type.
    base : str or None
        The type it extends.
    namespace : str
        ``core``, ``hdmf-common`` …
    fields : tuple of FieldSpec
        Its own fields; those of its bases come with `Registry.fields_of`.
    groups : tuple of str
        Untyped groups that are always there.
    is_dataset : bool
        Whether it is stored as an array instead of a group.
    """

    name: str
    base: str | None
    namespace: str = "core"
    fields: tuple[FieldSpec, ...] = ()
    groups: tuple[str, ...] = ()
    is_dataset: bool = False


class Registry:
    """The types of some namespaces.

    Parameters
    ----------
    specs : iterable of TypeSpec
        Each type once.
    """

    def __init__(self, specs: Iterable[TypeSpec]) -> None:
        self.types = {spec.name: spec for spec in specs}
        self._fields: dict[str, dict[str, FieldSpec]] = {}

    def lineage(self, name: str) -> tuple[TypeSpec, ...]:
        """Return a type and its bases, the type first; nothing for an unknown one."""
        found: list[TypeSpec] = []
        spec = self.types.get(name)
        while spec is not None:
            found.append(spec)
            spec = self.types.get(spec.base) if spec.base else None
        return tuple(found)

    def fields_of(self, name: str) -> dict[str, FieldSpec]:
        """Return the fields of a type and its bases by Python name; a type's own replace those of its bases."""
        if name not in self._fields:
            self._fields[name] = {field.name: field for spec in reversed(self.lineage(name)) for field in spec.fields}
        return self._fields[name]

    def is_a(self, name: str, wanted: Iterable[str]) -> bool:
        """Whether a type is one of `wanted` or extends one of them."""
        return not {spec.name for spec in self.lineage(name)}.isdisjoint(wanted)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All types."""
        return tuple(self.types)
