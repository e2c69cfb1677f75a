"""`BlockCache`: chunks and shard indexes that were read, kept while there is room.

In memory, decoded chunks of which a part was asked for, and then another: neighbouring windows ask for the rest. Chunks
that were taken whole are not kept, so that reading a recording from end to end does not push out what windows use. On
disk, by option, what came over the network as it came, with the oldest removed when there is no more room. Entries are
bound to the digest of the store's root document, so that a commit makes them stale.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache

from nwbzarr.errors import StoreError
from nwbzarr.extras import import_extra

if TYPE_CHECKING:
    import os

    import numpy as np

    from nwbzarr.convention.shards import Index

    Array = np.ndarray[Any, Any]

#: Bytes of decoded chunks, and of shard indexes, that are kept in memory.
MEMORY_BYTES = 256 * 2**20
INDEX_BYTES = 32 * 2**20

#: Chunks of which it is known that they were asked for.
_ASKED = 16_384

#: Bytes that are kept on disk when a folder is given.
DISK_BYTES = 10 * 2**30


@dataclass
class BlockCache:
    """What was read of arrays.

    Parameters
    ----------
    memory_bytes : int
        Decoded bytes kept in memory; 0 for none.
    disk : str or path-like, optional
        A folder for what came over the network; None keeps nothing on disk. Several processes may share it. It needs
        the package diskcache (extra ``cache``).
    disk_bytes : int
        Most bytes in that folder; the least recently used go first.

    Raises
    ------
    StoreError
        When a limit is negative, or the folder cannot be used.
    MissingExtraError
        When a folder is given and diskcache is not installed.
    """

    memory_bytes: int = MEMORY_BYTES
    disk: str | os.PathLike[str] | None = None
    disk_bytes: int = DISK_BYTES
    _chunks: LRUCache[Any, Array] = field(init=False, repr=False)
    _indexes: LRUCache[Any, Index] = field(init=False, repr=False)
    _asked: LRUCache[Any, bool] = field(init=False, repr=False)
    _disk: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.memory_bytes < 0 or self.disk_bytes < 0:
            message = (
                f"memory_bytes and disk_bytes must be zero or more, but {self.memory_bytes} and {self.disk_bytes} came"
            )
            raise StoreError(message)
        self._lock = threading.Lock()
        self._chunks = LRUCache(self.memory_bytes, getsizeof=lambda array: array.nbytes)
        self._indexes = LRUCache(INDEX_BYTES, getsizeof=lambda index: index.nbytes)
        self._asked = LRUCache(_ASKED)
        self._disk = None if self.disk is None else _open_disk(self.disk, self.disk_bytes)

    def chunk(self, name: Any) -> Array | None:
        """Return a decoded chunk that is kept, or None; it is not to be changed."""
        with self._lock:
            return self._chunks.get(name)

    def keep_chunk(self, name: Any, values: Array) -> None:
        """Keep a decoded chunk, if it is no more than a quarter of the room."""
        if values.nbytes * 4 <= self.memory_bytes:
            values.flags.writeable = False
            with self._lock:
                self._chunks[name] = values

    def takes(self, name: Any, nbytes: int) -> bool:
        """Whether a chunk of so many bytes is to be kept: it fits, and was asked for before.

        Memory for a chunk costs about as much as decoding it; windows here and there touch most chunks once.
        """
        if nbytes * 4 > self.memory_bytes:
            return False
        with self._lock:
            known = name in self._asked
            self._asked[name] = True
        return known

    def index(self, name: Any) -> Index | None:
        """Return a shard's index that is kept, or None."""
        with self._lock:
            return self._indexes.get(name)

    def keep_index(self, name: Any, index: Index) -> None:
        """Keep a shard's index."""
        if index.nbytes <= INDEX_BYTES:
            with self._lock:
                self._indexes[name] = index

    def drop_index(self, name: Any) -> bool:
        """Forget a shard's index; False when it was not known."""
        with self._lock:
            return self._indexes.pop(name, None) is not None

    def stored(self, name: tuple[Any, ...]) -> bytes | None:
        """Return bytes that are kept on disk, or None."""
        if self._disk is None:
            return None
        found: bytes | None = self._disk.get("|".join(map(str, name)))
        return found

    def store(self, name: tuple[Any, ...], data: bytes) -> None:
        """Keep bytes on disk, where there is a folder."""
        if self._disk is not None:
            self._disk.set("|".join(map(str, name)), data)

    def drop(self, name: tuple[Any, ...]) -> None:
        """Forget bytes on disk that turned out to be damaged."""
        if self._disk is not None:
            self._disk.delete("|".join(map(str, name)))

    def clear(self) -> None:
        """Forget everything, on disk too."""
        with self._lock:
            self._chunks.clear()
            self._indexes.clear()
        if self._disk is not None:
            self._disk.clear()

    def close(self) -> None:
        """Let go of the folder; what it holds stays."""
        if self._disk is not None:
            self._disk.close()


def _open_disk(folder: str | os.PathLike[str], limit: int) -> Any:
    diskcache = import_extra("diskcache", "a block cache on disk needs diskcache", "cache")
    try:
        # Few at a time: entries are large, and what was just read is not to go with the oldest.
        return diskcache.Cache(str(folder), size_limit=limit, eviction_policy="least-recently-used", cull_limit=2)
    except (OSError, sqlite3.Error) as error:
        message = f"the block cache needs a folder that can be written, but {folder} is none ({error})"
        raise StoreError(message) from error
