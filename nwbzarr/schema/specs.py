"""What a namespace says of its types, as data: the NWB schema language without its prose.

One frozen dataclass per word of the language (NWB schema language 2.1: attributes, datasets, groups, links). This
room refuses to hold values, to know Python classes, and to read JSON: `language` does that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Dims = tuple[tuple[str, ...], ...]
Shapes = tuple[tuple[int | None, ...], ...]


@dataclass(frozen=True, slots=True)
class ReferenceTo:
    """The dtype of values that name a container of type `target`."""

    target: str


@dataclass(frozen=True, slots=True)
class CompoundField:
    """One field of a compound dtype."""

    name: str
    dtype: str | ReferenceTo


DType = str | ReferenceTo | tuple[CompoundField, ...] | None


@dataclass(frozen=True, slots=True)
class Quantity:
    """How often something may be there; `most` is None for any number."""

    least: int = 1
    most: int | None = 1

    def __str__(self) -> str:
        bounds = (str(self.least), "many" if self.most is None else str(self.most))
        return bounds[0] if self.least == self.most else f"{bounds[0]} to {bounds[1]}"


@dataclass(frozen=True, slots=True)
class AttributeSpec:
    """An attribute of a group or dataset.

    Attributes
    ----------
    dtype : str, ReferenceTo, tuple of CompoundField or None
        Word of the schema language (``text``, ``float32``, ``numeric`` …), or None for any.
    dims, shapes : tuple of tuple
        Alternatives: names and sizes (None for any) of the dimensions; empty for a scalar.
    required : bool
        Whether its owner cannot do without.
    default : object
        Value where none is stored; None for none.
    value : object
        The only value allowed; None for any.
    """

    name: str
    dtype: DType = None
    dims: Dims = ()
    shapes: Shapes = ()
    required: bool = True
    default: Any = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """A dataset: of a new type (`type_def`), of a known one (`type_inc`), or plain.

    Attributes
    ----------
    name : str or None
        The only name allowed; None for any.
    default_name : str or None
        Name of an object that was given none.
    type_def, type_inc : str or None
        Neurodata type that is defined here, and the one that is extended or included.
    dtype, dims, shapes, default, value
        As for attributes; without shapes a plain dataset is a scalar, and one of a type is anything.
    quantity : Quantity
        How often it is there.
    attributes : tuple of AttributeSpec
        Its attributes.
    """

    name: str | None = None
    default_name: str | None = None
    type_def: str | None = None
    type_inc: str | None = None
    dtype: DType = None
    dims: Dims = ()
    shapes: Shapes = ()
    quantity: Quantity = field(default_factory=Quantity)
    attributes: tuple[AttributeSpec, ...] = ()
    default: Any = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """A link to a container of type `target` that lives elsewhere."""

    target: str
    name: str | None = None
    quantity: Quantity = field(default_factory=Quantity)


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """A group: of a new type, of a known one, or plain; names and quantity as for datasets."""

    name: str | None = None
    default_name: str | None = None
    type_def: str | None = None
    type_inc: str | None = None
    quantity: Quantity = field(default_factory=Quantity)
    attributes: tuple[AttributeSpec, ...] = ()
    datasets: tuple[DatasetSpec, ...] = ()
    groups: tuple[GroupSpec, ...] = ()
    links: tuple[LinkSpec, ...] = ()

    @property
    def children(self) -> tuple[DatasetSpec | GroupSpec | LinkSpec, ...]:
        """Everything that may be below it."""
        return (*self.datasets, *self.groups, *self.links)

    @property
    def names(self) -> frozenset[str]:
        """Names of the children that have one."""
        return frozenset(child.name for child in self.children if child.name)


@dataclass(frozen=True, slots=True)
class Include:
    """Types that a namespace takes from another: all of them when `types` is empty."""

    namespace: str
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a namespace, with the types it defines."""

    name: str
    types: tuple[GroupSpec | DatasetSpec, ...]


@dataclass(frozen=True, slots=True)
class Namespace:
    """A versioned set of types.

    Attributes
    ----------
    name, version : str
        ``"core"``, ``"2.11.0"``.
    parts : tuple of Include or Source
        What it takes from others and what it defines, in order.
    full_name : str
        Name for people; may be empty.
    authors, contacts : tuple of str
        Who answers for it.
    """

    name: str
    version: str
    parts: tuple[Include | Source, ...]
    full_name: str = ""
    authors: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files that define its own types."""
        return tuple(part for part in self.parts if isinstance(part, Source))

    @property
    def includes(self) -> tuple[Include, ...]:
        """What it takes from other namespaces."""
        return tuple(part for part in self.parts if isinstance(part, Include))


def fits_shape(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    """Whether a shape has the sizes that are asked for."""
    return len(shape) == len(wanted) and all(
        size is None or size == found for size, found in zip(wanted, shape, strict=True)
    )
