"""Keys of a store whose chunks are parts of one file in another format.

A `FileIndex` says, as data, what the store's documents are and where the file holds the bytes of each chunk.
`VirtualKeys` serve it like any other store, read-only: documents and small chunks from the index, chunks by one request
for a part of the file, and chunks whose bytes have another form there through a `Translator`. The file must be the
one that the index was made of: its state is compared whenever a session is opened. This room knows no file format.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from zarr.abc.store import RangeByteRequest, Store

from nwbzarr.convention.documents import chunk_key, consolidate, dump_document, grid_shape
from nwbzarr.convention.names import DOCUMENT, SIDECAR, key_of
from nwbzarr.convention.sidecar import CHUNK_LIMIT, pack_sidecar
from nwbzarr.errors import ChangedFileError
from nwbzarr.stores.foreign_keys import ForeignKeys, part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

    from nwbzarr.convention.documents import Document
    from nwbzarr.stores.places import Place
    from nwbzarr.stores.url import StoreURL

#: Offset of a chunk that the file does not hold: it is all fill value.
ABSENT: Final = -1

#: Digits of a time in nanoseconds, as disks tell it.
_NANOSECOND_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells a file from what it was before.

    Attributes
    ----------
    size : int
        In bytes.
    tag : str or None
        The service's word for this content (ETag), or the time of the last change where there is no such word.
    """

    size: int
    tag: str | None = None

    def __str__(self) -> str:
        tag = self.tag or "no date"
        if tag.isdecimal() and len(tag) >= _NANOSECOND_DIGITS:
            tag = datetime.fromtimestamp(int(tag) / 1e9, UTC).isoformat(timespec="seconds")
        return f"{self.size:,} bytes, {tag}"


@dataclass(frozen=True)
class ChunkRanges:
    """Where a file holds the chunks of one array.

    Attributes
    ----------
    grid : tuple of int
        Number of chunks along each axis.
    starts, sizes : numpy.ndarray of int64
        Offset and size of each chunk in bytes, in C order; offset `ABSENT` for a chunk that is not there.
    whole : int
        Bytes of a chunk that is not compressed: the last one may have fewer in the file. 0 where chunks are compressed.
    """

    grid: tuple[int, ...]
    starts: np.ndarray[Any, np.dtype[np.int64]]
    sizes: np.ndarray[Any, np.dtype[np.int64]]
    whole: int = 0

    def span(self, index: tuple[int, ...]) -> tuple[int, int] | None:
        """Return where a chunk begins and ends, or None when it is not there."""
        number = 0
        for at, count in zip(index, self.grid, strict=True):
            number = number * count + at
        start = int(self.starts[number])
        return None if start == ABSENT else (start, start + int(self.sizes[number]))

    def filled(self, data: Any) -> Any:
        """Return the bytes of a chunk at their whole length."""
        missing = self.whole - len(data)
        return bytes(data) + bytes(missing) if missing > 0 else data


@dataclass(frozen=True)
class FileIndex:
    """A file as a store: data without open files.

    Attributes
    ----------
    state : FileState
        Of the file that this is the index of.
    documents : mapping of str to dict
        Path to metadata document, the root at ``"/"``.
    chunks : mapping of str to bytes
        Store key to bytes, of chunks that were small enough to keep.
    ranges : mapping of str to ChunkRanges
        Path to where the chunks are, of arrays whose bytes are in the file as a Zarr codec reads them.
    aliases : mapping of str to str
        Path to the path under which an object is stored, of those that the file has under several.
    """

    state: FileState
    documents: Mapping[str, Document] = field(repr=False)
    chunks: Mapping[str, bytes] = field(repr=False)
    ranges: Mapping[str, ChunkRanges] = field(repr=False)
    aliases: Mapping[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def root(self) -> bytes:
        """The root document, with those of all nodes inside."""
        nodes = {path: document for path, document in self.documents.items() if path != "/"}
        return dump_document(consolidate(self.documents["/"], nodes))

    @cached_property
    def sidecar(self) -> bytes:
        """The small chunks, packed."""
        return pack_sidecar(self.root, {key: data for key, data in self.chunks.items() if len(data) <= CHUNK_LIMIT})

    def only(self, path: str) -> FileIndex:
        """Return the index of one array: what another process needs to read it."""
        prefix = key_of(path, "")
        chunks = {key: data for key, data in self.chunks.items() if key.startswith(prefix)}
        ranges = {path: self.ranges[path]} if path in self.ranges else {}
        return FileIndex(self.state, {path: self.documents[path]}, chunks, ranges)


@dataclass(frozen=True)
class FileChunks:
    """The chunks of one array in one file.

    Attributes
    ----------
    folder : StoreURL
        What holds the file.
    keys : zarr.abc.store.Store
        Keys of that folder.
    name : str
        The file's key.
    ranges : ChunkRanges
        Where in the file the chunks are.
    check_state : callable
        Raises `ChangedFileError` when the file is not the one that the ranges are of.
    """

    folder: StoreURL
    keys: Store
    name: str
    ranges: ChunkRanges
    check_state: Callable[[], None]


class Translator(Protocol):
    """What reads chunks whose bytes in the file are not those of the stored form; can be pickled."""

    def state(self) -> FileState:
        """Return the state of the file as it is now."""

    def chunk(self, path: str, document: Document, index: tuple[int, ...]) -> bytes:
        """Return a chunk as the document's codecs encode it."""


class VirtualKeys(ForeignKeys):
    """The keys of a file's index.

    Parameters
    ----------
    index : FileIndex
        What is where.
    file : Place
        The folder that holds the file.
    name : str
        The file's key in that folder.
    translator : Translator
        Reads what is not served as it is.
    keys : zarr.abc.store.Store, optional
        Those of the folder; opened when they are needed without.
    """

    def __init__(
        self, index: FileIndex, file: Place, name: str, translator: Translator, keys: Store | None = None
    ) -> None:
        super().__init__()
        self.index = index
        self.file = file
        self.name = name
        self._translator = translator
        self._keys = keys

    @property
    def file_keys(self) -> Store:
        """Keys of the folder that holds the file."""
        if self._keys is None:
            self._keys = self.file.open()
        return self._keys

    def chunks_in_file(self, path: str) -> FileChunks | None:
        """Return where the file holds the chunks of an array; None when it does not hold them as they are served."""
        ranges = self.index.ranges.get(path)
        if ranges is None:
            return None
        return FileChunks(self.file.url, self.file_keys, self.name, ranges, self.check_state)

    def only(self, path: str) -> VirtualKeys:
        """Return the keys of one array."""
        return VirtualKeys(self.index.only(path), self.file, self.name, self._translator)

    def __reduce__(self) -> tuple[Any, ...]:
        return VirtualKeys, (self.index, self.file, self.name, self._translator)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, VirtualKeys)
            and (self.file, self.name, self.index.state) == (other.file, other.name, other.index.state)
            and self.index.documents.keys() == other.index.documents.keys()
        )

    def __hash__(self) -> int:
        return hash((self.name, self.index.state))

    def __repr__(self) -> str:
        return f"<VirtualKeys of {self.file.url.text}/{self.name}>"

    def check_state(self) -> None:
        """Compare the file with the one that the index was made of.

        Raises
        ------
        ChangedFileError
            When it is another one.
        """
        found = self._translator.state()
        if found != self.index.state:
            message = (
                f"the file must be as it was when its chunk index was made ({self.index.state}), but it was changed "
                f"({found}): see whether that was meant, then open it anew, or make a kept index again (nwbzarr index)"
            )
            raise ChangedFileError(message, f"{self.file.url.text}/{self.name}")

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return what a key holds, or a part of it."""
        data = await self._data(key, prototype)
        return None if data is None else prototype.buffer.from_bytes(part(data, byte_range))

    async def _data(self, key: str, prototype: BufferPrototype) -> bytes | None:
        if key == DOCUMENT:
            await asyncio.to_thread(self.check_state)
            return self.index.root
        if key == SIDECAR or key in self.index.chunks:
            return self.index.sidecar if key == SIDECAR else self.index.chunks[key]
        folder, _, name = key.rpartition("/")
        document = self.index.documents.get(f"/{folder}")
        if document is None or name == DOCUMENT:
            return None if document is None else dump_document(document)
        index = _chunk_index(document, name)
        return None if index is None else await self._chunk(f"/{folder}", document, index, prototype)

    async def _chunk(
        self, path: str, document: Document, index: tuple[int, ...], prototype: BufferPrototype
    ) -> bytes | None:
        ranges = self.index.ranges.get(path)
        if ranges is None:
            return await asyncio.to_thread(self._translator.chunk, path, document, index)
        return await self._range(ranges, index, prototype)

    async def _range(self, ranges: ChunkRanges, index: tuple[int, ...], prototype: BufferPrototype) -> bytes | None:
        span = ranges.span(index)
        if span is None:
            return None
        found = await self.file_keys.get(self.name, prototype, RangeByteRequest(*span))
        data = b"" if found is None else found.to_bytes()
        if len(data) < span[1] - span[0]:
            await asyncio.to_thread(self.check_state)
        return bytes(ranges.filled(data))

    @property
    def place(self) -> str:
        """URL of the file."""
        return f"{self.file.url.text}/{self.name}"

    async def names(self) -> list[str]:
        """Return all keys."""
        return list(self._names())

    def _names(self) -> Iterator[str]:
        yield SIDECAR
        for path, document in self.index.documents.items():
            yield key_of(path, DOCUMENT)
            ranges = self.index.ranges.get(path)
            grid = grid_shape(document) if document.get("node_type") == "array" else None
            for index in np.ndindex(*grid) if grid is not None else ():
                if ranges is None or ranges.span(index) is not None:
                    yield key_of(path, chunk_key(document, index))


def _chunk_index(document: Document, name: str) -> tuple[int, ...] | None:
    """Return the place in the grid that a chunk's key names; None when it names none."""
    grid = grid_shape(document) if document.get("node_type") == "array" else None
    marker, *parts = name.split(".")
    if grid is None or marker != "c" or len(parts) != len(grid) or not all(map(str.isdecimal, parts)):
        return None
    index = tuple(map(int, parts))
    return index if all(at < count for at, count in zip(index, grid, strict=True)) else None
