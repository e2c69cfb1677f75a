"""A write as data: what will be stored, linked, copied and extended. Nothing here does I/O."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nwbzarr.convention.documents import chunk_shape, grid_shape
from nwbzarr.convention.dtypes import parse_data_type
from nwbzarr.writing.sources import BlockSource, Region, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nwbzarr.convention.documents import Document
    from nwbzarr.layout.planning import ArrayLayout
    from nwbzarr.model.elements import Location
    from nwbzarr.stores.url import StoreURL
    from nwbzarr.tree.tree import Tree

#: Decoded bytes that one region aims at.
REGION_BYTES = 32 * 2**20

#: Bytes that a write may have under way in memory, unless it is told otherwise.
MEMORY_BYTES = 512 * 2**20


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

    @property
    def is_long(self) -> bool:
        """Whether it has several objects, or may have."""
        shape = self.source.shape
        return isinstance(self.source, BlockSource) or any(
            size > step for size, step in zip(shape, self.objects, strict=True)
        )

    @property
    def nbytes(self) -> int | None:
        """Decoded bytes of its values (8 for a text); None while blocks have not ended."""
        if isinstance(self.source, BlockSource):
            return None
        return math.prod(self.source.shape) * self.source.dtype.itemsize


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

    @property
    def itemsize(self) -> int:
        """Bytes of one value, as far as they are known (8 for a text)."""
        return getattr(parse_data_type(self.document.get("data_type")), "itemsize", 8)

    @property
    def nbytes(self) -> int:
        """Decoded bytes of its objects, those that its edge cuts counted whole."""
        objects, grid = chunk_shape(self.document) or (), grid_shape(self.document) or ()
        return math.prod(objects) * math.prod(grid) * self.itemsize


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
    layouts : mapping of str to ArrayLayout
        Path to layout of new arrays, with the reasons for it.
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
    layouts: Mapping[str, ArrayLayout] = field(default_factory=dict)

    @property
    def encoded_sizes(self) -> dict[str, int]:
        """Path to stored bytes, of arrays that are encoded already."""
        return {f"/{key.rpartition('/')[0]}": len(data) for key, data in self.chunks.items()}

    @property
    def nbytes(self) -> int | None:
        """Decoded bytes of the arrays that are written or copied; None while an iterator has not ended."""
        sizes = [*(array.nbytes for array in self.arrays), *(copy.nbytes for copy in self.copies)]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def new_nodes(self) -> frozenset[str]:
        """Paths of nodes that are not stored yet."""
        return frozenset(self.documents) - frozenset(self.base.documents if self.base is not None else ())


def plan_regions(
    shape: tuple[int, ...], objects: tuple[int, ...], itemsize: int, chunks: tuple[int, ...] | None = None
) -> Iterator[Region]:
    """Yield regions that cover an array, each a whole number of chunks (but for the array's edges).

    Objects are finished one after another, so that few are incomplete at a time.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array.
    objects : tuple of int
        Shape of what one stored object holds.
    itemsize : int
        Bytes of one value.
    chunks : tuple of int, optional
        Shape of the unit of compression; without it regions are whole objects.
    """
    if 0 in shape:
        return
    if not shape:
        yield ()
        return
    unit = chunks or objects
    # All columns at once, unless that would begin many large objects side by side.
    wide = math.prod((objects[0], *shape[1:])) * itemsize <= 4 * REGION_BYTES
    across = shape[1:] if wide else objects[1:]
    rows = unit[0] * max(REGION_BYTES // max(unit[0] * math.prod(across) * itemsize, 1), 1)
    stride = max(objects[0], rows // objects[0] * objects[0])
    axes = [range(0, size, width) for size, width in zip(shape, (stride, *across), strict=True)]
    for first, *corner in itertools.product(*axes):
        columns = [
            slice(start, min(start + width, size)) for start, width, size in zip(corner, across, shape[1:], strict=True)
        ]
        end = min(first + stride, shape[0])
        for start in range(first, end, rows):
            yield (slice(start, min(start + rows, end)), *columns)
