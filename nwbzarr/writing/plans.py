"""A write as data: what will be stored, linked, copied and extended. Nothing here does I/O."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nwbzarr.writing.sources import BlockSource, Region, SlicedSource, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nwbzarr.convention.documents import Document
    from nwbzarr.model.elements import Location
    from nwbzarr.stores.url import StoreURL
    from nwbzarr.tree.tree import Tree

#: Decoded bytes that one region aims at.
REGION_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class ArrayPlan:
    """An array that is written region by region.

    Attributes
    ----------
    path : str
        Where it goes.
    document : dict
        Its metadata; the first dimension of an iterator's array is settled when the blocks end.
    source : Source
        Where the values come from.
    objects : tuple of int
        Shape of what one stored object holds: regions are whole multiples.
    """

    path: str
    document: Document
    source: Source
    objects: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """An array whose stored objects are copied as they are, without decoding.

    Attributes
    ----------
    origin : Location
        Where it is stored.
    path : str
        Where it goes.
    document : dict
        Its metadata at the origin: the chunk grid and the chunk keys.
    keys : object
        Keys of the store that holds it.
    """

    origin: Location
    path: str
    document: Document
    keys: Any = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AppendPlan:
    """Rows added to a stored array.

    Attributes
    ----------
    path : str
        The array.
    document : dict
        Its metadata with the new shape.
    start : int
        Row from which objects are written again; the rows before `length` are read first.
    length : int
        Rows that are stored.
    blocks : tuple
        The new rows.
    tail : object
        The lazy array, from which rows ``start`` to ``length`` are read.
    """

    path: str
    document: Document
    start: int
    length: int
    blocks: tuple[Any, ...]
    tail: Any = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """A link that is written instead of a copy: `path` in the new store stands for `target`."""

    path: str
    source: str
    target: Location


@dataclass(frozen=True)
class WritePlan:
    """What one write does to one store.

    Attributes
    ----------
    url : StoreURL
        The store.
    base : Tree or None
        What is stored, for an update; None for a new store.
    documents : mapping of str to dict
        Path to metadata document, of every node that is new or changed.
    chunks : mapping of str to bytes
        Store key to bytes, of small arrays that are encoded already.
    arrays : tuple of ArrayPlan
        Arrays written region by region.
    copies : tuple of CopyPlan
        Arrays copied object by object.
    appends : tuple of AppendPlan
        Arrays that grow.
    rewritten : frozenset of str
        Stored arrays that are written anew as a whole.
    links : tuple of LinkPlan
        Links that are new.
    reads : frozenset of StoreURL
        Stores that the new store links to, or that the write reads from.
    """

    url: StoreURL
    base: Tree | None
    documents: Mapping[str, Document]
    chunks: Mapping[str, bytes] = field(repr=False)
    arrays: tuple[ArrayPlan, ...] = ()
    copies: tuple[CopyPlan, ...] = ()
    appends: tuple[AppendPlan, ...] = ()
    rewritten: frozenset[str] = frozenset()
    links: tuple[LinkPlan, ...] = ()
    reads: frozenset[StoreURL] = frozenset()

    @property
    def new_nodes(self) -> frozenset[str]:
        """Paths of nodes that are not stored yet."""
        return frozenset(self.documents) - frozenset(self.base.documents if self.base is not None else ())


def plan_regions(shape: tuple[int, ...], objects: tuple[int, ...], itemsize: int) -> Iterator[Region]:
    """Yield regions that cover an array, each a whole number of stored objects (but for the array's edges).

    Parameters
    ----------
    shape : tuple of int
        Shape of the array.
    objects : tuple of int
        Shape of what one stored object holds.
    itemsize : int
        Bytes of one value.
    """
    if 0 in shape:
        return
    if not shape:
        yield ()
        return
    step = list(shape)
    step[0] = objects[0]
    if math.prod(step) * itemsize > 4 * REGION_BYTES:
        step = list(objects)
    row = max(math.prod(step) * itemsize, 1)
    step[0] *= max(REGION_BYTES // row, 1)
    axes = [range(0, size, width) for size, width in zip(shape, step, strict=True)]
    for corner in itertools.product(*axes):
        yield tuple(
            slice(start, min(start + width, size)) for start, width, size in zip(corner, step, shape, strict=True)
        )


def is_streamed(source: Source) -> bool:
    """Whether the source is read while the write goes on."""
    return isinstance(source, SlicedSource | BlockSource)
