"""Where the blocks of one array go: to the writer of `arrays`, or to zarr for forms that it does not know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nwbzarr.arrays.blocks import BlockCache
from nwbzarr.arrays.forms import ArrayForm, parse_array
from nwbzarr.arrays.reading import ArrayReader
from nwbzarr.convention.codecs import DECODE_ERRORS
from nwbzarr.convention.documents import chunk_shape
from nwbzarr.convention.dtypes import parse_data_type
from nwbzarr.convention.shards import ABSENT
from nwbzarr.errors import CommitError, DocumentError
from nwbzarr.stores.keys import named_errors, read_many
from nwbzarr.stores.zarr_arrays import open_zarr_array

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from zarr.abc.store import Store

    from nwbzarr.arrays.writing import ArrayWriter
    from nwbzarr.convention.documents import Document
    from nwbzarr.stores.metered import WholeObjects
    from nwbzarr.stores.url import StoreURL
    from nwbzarr.writing.plans import AppendPlan
    from nwbzarr.writing.sources import Region

Array = np.ndarray[Any, Any]


class Target(Protocol):
    """An array that blocks are put into, each once."""

    @property
    def path(self) -> str:
        """The array."""

    @property
    def itemsize(self) -> int:
        """Bytes of one value."""

    @property
    def objects(self) -> tuple[int, ...]:
        """Shape of what one stored object holds."""

    @property
    def unit(self) -> tuple[int, ...]:
        """Shape that blocks must be whole multiples of, but for the array's edges."""

    def put(self, region: Region, block: Array, *, borrowed: bool = False) -> None:
        """Take a block; it is not to be changed afterwards."""

    def resume(self, append: AppendPlan) -> int:
        """Take what is stored and stays as it is; return the row from which rows must be put."""

    def settle(self) -> None:
        """Store what is left of an array whose length was not known."""

    def is_stored(self, region: Region, finished: Collection[str]) -> bool:
        """Whether all objects that a region touches are among those that are stored."""

    def first_stored(self, region: Region, finished: Collection[str]) -> Region | None:
        """Return the first chunk of the first object of a region that is stored; None when none is."""

    def check_same(self, region: Region, block: Array) -> None:
        """Raise `CommitError` when a stored region holds other values than a block."""

    def keys_below(self, rows: int) -> Collection[str]:
        """Return the keys of the objects that hold the first rows, as far as earlier writes are gone on with."""


@dataclass
class WriterTarget:
    """An array of a form that `arrays` writes."""

    form: ArrayForm
    writer: ArrayWriter
    stored: Store
    url: StoreURL

    @property
    def path(self) -> str:
        """The array."""
        return self.form.path

    @property
    def itemsize(self) -> int:
        """Bytes of one value."""
        return self.form.dtype.itemsize

    @property
    def objects(self) -> tuple[int, ...]:
        """Shape of what one stored object holds."""
        return self.form.objects

    @property
    def unit(self) -> tuple[int, ...]:
        """Blocks are whole chunks."""
        return self.form.chunks

    def put(self, region: Region, block: Array, *, borrowed: bool = False) -> None:
        """Hand a block to the writer."""
        with named_errors(self.url):
            self.writer.write(self.form, tuple(part.start for part in region), block, borrowed=borrowed)

    def resume(self, append: AppendPlan) -> int:
        """Take the chunks of the last row of shards that are full; their rows need not be encoded again."""
        shard, start = self.form.shard, append.start
        full = append.length - append.length % self.form.chunks[0]
        if shard is None or full == start:
            return start
        row = start // self.form.objects[0]
        grid = [-(-size // step) for size, step in zip(self.form.shape[1:], self.form.objects[1:], strict=True)]
        indexes = [(row, *rest) for rest in np.ndindex(*grid)]
        stored = read_many(self.stored, [self.form.key(index) for index in indexes], self.url)
        kept = [_full_chunks(self.form, index, data, full) for index, data in zip(indexes, stored, strict=True)]
        if any(chunks is None for chunks in kept):
            # A chunk that was left out holds fill values: all are read and written again.
            return start
        for index, chunks in zip(indexes, kept, strict=True):
            self.writer.keep(self.form, index, chunks or {})
        return full

    def settle(self) -> None:
        """Store the objects that the end of the array cuts."""
        with named_errors(self.url):
            self.writer.finish(self.form)

    def is_stored(self, region: Region, finished: Collection[str]) -> bool:
        """Whether all objects that a region touches are among those that are stored."""
        return bool(finished) and all(key in finished for key in self.form.keys(region))

    def first_stored(self, region: Region, finished: Collection[str]) -> Region | None:
        """Return the first chunk of the first object of a region that is stored; None when none is."""
        if not finished:
            return None
        places = self.form.places(region)
        place = next((place for place in places if self.form.key(place) in finished), None)
        if place is None:
            return None
        starts = [index * step for index, step in zip(place, self.form.objects, strict=True)]
        return tuple(
            slice(max(start, part.start), min(start + step, part.stop))
            for start, step, part in zip(starts, self.form.chunks, region, strict=True)
        )

    def check_same(self, region: Region, block: Array) -> None:
        """Raise `CommitError` when a stored region holds other values than a block."""
        reader = ArrayReader(self.form, self.stored, None, BlockCache(0), (self.url.text,))
        with named_errors(self.url):
            (stored,) = reader.read(region)
        if not np.array_equal(stored, block, equal_nan=block.dtype.kind in "fc"):
            message = (
                f"resume=True goes on with the same data, but what is stored of {self.path} in {region} differs from "
                "what is to be written: write without resume, from the start"
            )
            raise CommitError(message, self.url.text, self.path)

    def keys_below(self, rows: int) -> Collection[str]:
        """Return the keys of the objects that hold the first rows."""
        return set(self.form.keys([slice(0, size) for size in (rows, *self.form.shape[1:])]))


@dataclass
class ZarrTarget:
    """An array of any other form: zarr writes it, whole object by whole object."""

    path: str
    document: Document
    keys: Store
    url: StoreURL

    @property
    def itemsize(self) -> int:
        """Bytes of one value, as far as they are known."""
        return getattr(parse_data_type(self.document["data_type"]), "itemsize", 8)

    @property
    def objects(self) -> tuple[int, ...]:
        """Shape of what one stored object holds."""
        return chunk_shape(self.document) or (1,) * len(self.document["shape"])

    @property
    def unit(self) -> tuple[int, ...]:
        """Blocks are whole objects."""
        return self.objects

    def put(self, region: Region, block: Array, *, borrowed: bool = False) -> None:  # noqa: ARG002
        """Write a block at once."""
        with named_errors(self.url):
            open_zarr_array(self.keys, self.path, self.document, read_only=False)[region] = block

    def resume(self, append: AppendPlan) -> int:
        """Begin with the first object that new rows touch."""
        return append.start

    def settle(self) -> None:
        """Do nothing: every block is stored."""

    def is_stored(self, region: Region, finished: Collection[str]) -> bool:  # noqa: ARG002
        """Say no: blocks of such an array are written again."""
        return False

    def first_stored(self, region: Region, finished: Collection[str]) -> Region | None:  # noqa: ARG002
        """Return None."""
        return None

    def check_same(self, region: Region, block: Array) -> None:
        """Do nothing: there is nothing to compare with."""

    def keys_below(self, rows: int) -> Collection[str]:  # noqa: ARG002
        """Return none."""
        return ()


def open_target(path: str, document: Document, keys: WholeObjects, writer: ArrayWriter, url: StoreURL) -> Target:
    """Return where the blocks of an array go.

    Parameters
    ----------
    path : str
        The array.
    document : dict
        Its metadata.
    keys : WholeObjects
        Takes whole objects.
    writer : ArrayWriter
        Writes the forms that it knows.
    url : StoreURL
        The store, for messages.
    """
    form = parse_array(path, document)
    return ZarrTarget(path, document, keys, url) if form is None else WriterTarget(form, writer, keys.store, url)


def whole_objects(forms: Sequence[ArrayForm], names: Collection[str], keys: Store, url: StoreURL) -> frozenset[str]:
    """Return those keys of an earlier write whose objects are as long as they say, and not damaged at their end.

    A machine that lost power may have files without all of their bytes.

    Parameters
    ----------
    forms : sequence of ArrayForm
        The arrays that the keys belong to.
    names : collection of str
        The keys.
    keys : zarr.abc.store.Store
        Where they are.
    url : StoreURL
        The store, for messages.
    """
    found = set()
    for form in forms:
        folder = f"{form.path.strip('/')}/"
        for name in (name for name in names if name.startswith(folder)):
            (data,) = read_many(keys, [name], url)
            if data is not None and _is_whole(form, data):
                found.add(name)
    return frozenset(found)


def _is_whole(form: ArrayForm, data: bytes) -> bool:
    """Whether an object is what its array asks for: a shard by its index, a chunk by its values."""
    shard = form.shard
    try:
        if shard is None:
            form.codec.decode(data, form.chunks)
            return True
        index = shard.index_within(data)
    except (*DECODE_ERRORS, DocumentError):
        return False
    ends = index[index[:, 0] != ABSENT].sum(axis=1)
    return int(ends.max(initial=0)) + (shard.index_bytes if shard.at_end else 0) == len(data)


def _full_chunks(form: ArrayForm, place: tuple[int, ...], data: bytes | None, rows: int) -> dict[int, bytes] | None:
    """Return the chunks of a stored shard that end within the first `rows` of the array; None when one is not there."""
    shard = form.shard
    if data is None or shard is None:
        return None
    index = shard.index_within(data)
    found: dict[int, bytes] = {}
    for number, inner in enumerate(np.ndindex(*shard.counts)):
        chunk = [first * count + at for first, count, at in zip(place, shard.counts, inner, strict=True)]
        begins = [at * step for at, step in zip(chunk, form.chunks, strict=True)]
        if begins[0] + form.chunks[0] > rows or any(
            begin >= size for begin, size in zip(begins, form.shape, strict=True)
        ):
            continue
        start, size = map(int, index[number])
        if start == ABSENT:
            return None
        found[number] = data[start : start + size]
    return found
