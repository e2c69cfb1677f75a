"""Arrays of one chunk: fetched, decoded once, and kept while there is room.

Scalars and columns of tables are most of a session's arrays. Chunks of the sidecar are in hand already; others are
fetched, the scalars of a store without a sidecar all together. What was decoded is kept, so that a table can be read row
by row. This room refuses arrays of several chunks: those are zarr's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from cachetools import LRUCache

from nwbzarr.convention.dtypes import parse_fill
from nwbzarr.convention.names import SPECIFICATIONS
from nwbzarr.errors import DocumentError
from nwbzarr.stores.keys import read_many

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nwbzarr.stores.connections import OpenStore
    from nwbzarr.tree.tree import Tree

Array = np.ndarray[Any, Any]

#: Most scalars that are fetched together from a store without a sidecar.
PREFETCH_LIMIT = 4000

#: Bytes of decoded arrays that are kept for each open store.
KEPT_BYTES = 64 * 2**20

#: Bytes that a text in an array counts for.
_TEXT_BYTES = 64


class SmallArrays:
    """The arrays of one chunk of one store.

    Parameters
    ----------
    store : OpenStore
        The store.
    """

    def __init__(self, store: OpenStore) -> None:
        self._store = store
        self._absent: set[str] = set()
        self._held: dict[str, bytes] = {}
        self._kept: LRUCache[str, Array] = LRUCache(KEPT_BYTES, getsizeof=_size)
        self._scalars_fetched = store.url.is_local

    def clear(self) -> None:
        """Forget everything: the store was changed."""
        self._absent.clear()
        self._held.clear()
        self._kept.clear()

    def kept(self, path: str) -> Array | None:
        """Return an array that was decoded and is kept, or None."""
        return self._kept.get(path)

    def array(self, tree: Tree, path: str) -> Array | None:
        """Return the whole of an array, or None when zarr must read it; the array is not to be changed."""
        key = tree.single_chunk_key(path)
        if key is None:
            return None
        data = tree.small_chunks.get(key)
        if data is None:
            data = self._held.pop(key, None)
        if data is None and key not in self._absent:
            data = self._fetch(tree, path, key)
        if data is None and not _has_plain_fill(tree, path):
            return None
        found = _filled(tree, path) if data is None else tree.small_array(path, data)
        if found.shape and _size(found) <= KEPT_BYTES:
            found.flags.writeable = False
            self._kept[path] = found
        return found

    def prefetch(self, tree: Tree, paths: Collection[str]) -> None:
        """Fetch the chunks of some arrays side by side; they are held until they are asked for."""
        arrays = [path for path in paths if path in tree.documents and tree.is_array(path) and path not in self._kept]
        keys = [key for path in arrays if (key := tree.single_chunk_key(path)) is not None]
        wanted = [key for key in keys if not (key in tree.small_chunks or key in self._absent or key in self._held)]
        for key, data in zip(wanted, read_many(self._store.keys, wanted, self._store.url), strict=True):
            if data is None:
                self._absent.add(key)
            else:
                self._held[key] = data

    def _fetch(self, tree: Tree, path: str, key: str) -> bytes | None:
        """Return a chunk that is not in hand, together with all scalars when it is the first of them."""
        if not self._scalars_fetched and not tree.documents[path]["shape"]:
            self._scalars_fetched = True
            wanted = [found for found in self._scalar_keys(tree) if found not in tree.small_chunks][:PREFETCH_LIMIT]
            for name, data in zip(wanted, read_many(self._store.keys, wanted, self._store.url), strict=True):
                if data is None:
                    self._absent.add(name)
                else:
                    tree.small_chunks[name] = data
            if key in tree.small_chunks or key in self._absent:
                return tree.small_chunks.get(key)
        return read_many(self._store.keys, [key], self._store.url)[0]

    @staticmethod
    def _scalar_keys(tree: Tree) -> Iterator[str]:
        for path, document in tree.documents.items():
            if document.get("shape") == [] and not path.startswith(f"/{SPECIFICATIONS}/"):
                key = tree.single_chunk_key(path)
                if key is not None:
                    yield key


def _has_plain_fill(tree: Tree, path: str) -> bool:
    """Whether the fill value is of a form that is known here."""
    try:
        parse_fill(tree.documents[path].get("fill_value"), tree.dtype(path))
    except DocumentError:
        return False
    return True


def _filled(tree: Tree, path: str) -> Array:
    """Return an array that has no chunk: all fill values."""
    dtype = tree.dtype(path)
    return np.full(tree.documents[path]["shape"], parse_fill(tree.documents[path].get("fill_value"), dtype), dtype)


def _size(array: Array) -> int:
    return array.size * _TEXT_BYTES if array.dtype.kind in "OT" else array.nbytes
