"""The metadata of whatever session a place holds: a store of our form, or a file of another format read as one.

A root document is looked for first; where there is none, the place may be a file whose first bytes say what it is. This
room refuses to guess from names.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zarr.abc.store import RangeByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from nwbzarr.errors import NWBZarrError
from nwbzarr.extras import import_extra
from nwbzarr.foreign.legacy_keys import find_legacy
from nwbzarr.foreign.references import INDEX_SUFFIX, parse_index
from nwbzarr.stores.keys import named_errors
from nwbzarr.stores.packages import SIGNATURE, open_package
from nwbzarr.stores.places import Place
from nwbzarr.tree.loading import absence, find_tree, load_tree

if TYPE_CHECKING:
    from zarr.core.buffer import Buffer

    from nwbzarr.stores.connections import Connections, OpenStore
    from nwbzarr.stores.foreign_keys import ForeignKeys
    from nwbzarr.stores.virtual import FileIndex
    from nwbzarr.tree.tree import Tree

#: First bytes of an HDF5 file (HDF5 file format 3.0, "Superblock"); a user block of 512 · 2ⁿ bytes may come before them.
_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_HDF5_STARTS: Final = (0, 512, 1024, 2048)
_HEAD_BYTES: Final = 4096


def open_tree(connections: Connections, store: OpenStore) -> tuple[OpenStore, Tree]:
    """Return the metadata of a session, and the store to read it from.

    Parameters
    ----------
    connections : Connections
        Those that opened the store.
    store : OpenStore
        Where it is.

    Raises
    ------
    StoreError, DocumentError
        When no session can be opened there.
    MissingExtraError
        When a package for the format is not installed.
    ConversionError
        When a file holds what the stored form has nothing for.
    """
    tree = find_tree(store)
    if tree is not None:
        return store, tree
    foreign = _keys_of_file(connections, store) or find_legacy(store, Place.of(store))
    if foreign is None:
        raise absence(store)
    adopted = connections.adopt(store, foreign)
    return adopted, load_tree(adopted)


def _keys_of_file(connections: Connections, store: OpenStore) -> ForeignKeys | None:
    """Return the keys of a session in a file; None when there is no such file."""
    url = store.url
    if not url.path.strip("/") or (url.is_local and not Path(url.path).is_file()):
        return None
    folder = connections.open(url.parent, store.options)
    name = url.path.rpartition("/")[2]
    head, kept = _head_and_index(folder, name)
    if head is not None and head.startswith(SIGNATURE):
        return open_package(Place.of(folder), name, folder.keys)
    if head is None or not any(head[start:].startswith(_HDF5) for start in _HDF5_STARTS):
        return None
    hdf5 = import_extra("nwbzarr.foreign.hdf5_opening", "HDF5 files are read with h5py", "hdf5")
    index: FileIndex | None = None if kept is None else parse_index(kept, f"{url.text}{INDEX_SUFFIX}")
    keys: ForeignKeys = hdf5.hdf5_keys(Place.of(store), Place.of(folder), name, folder.keys, index)
    return keys


def _head_and_index(folder: OpenStore, name: str) -> tuple[bytes | None, bytes | None]:
    """Return the first bytes of a file, and the index beside it, in one round trip."""
    prototype = default_buffer_prototype()

    async def read() -> tuple[Buffer | None, Buffer | None]:
        return await asyncio.gather(
            folder.keys.get(name, prototype, RangeByteRequest(0, _HEAD_BYTES)),
            folder.keys.get(f"{name}{INDEX_SUFFIX}", prototype),
        )

    try:
        with named_errors(folder.url):
            head, kept = sync(read())
    except NWBZarrError:
        # A place that may not be read: what stands there instead of a store is said by who looks for the store.
        return None, None
    return (None if head is None else head.to_bytes()), (None if kept is None else kept.to_bytes())
