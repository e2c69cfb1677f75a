"""`write_index`: the chunk index of a file, kept beside it, so that opening the file again reads nothing of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nwbzarr.errors import StoreModeError
from nwbzarr.extras import import_extra
from nwbzarr.foreign.references import INDEX_SUFFIX, dump_index
from nwbzarr.reading.managers import Manager
from nwbzarr.stores.connections import locate
from nwbzarr.stores.keys import write_many
from nwbzarr.stores.places import Place

if TYPE_CHECKING:
    import os

    from nwbzarr.stores.trust import Options
    from nwbzarr.stores.url import StoreURL
    from nwbzarr.stores.virtual import FileIndex

_READ_ONLY_PROTOCOLS = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an index holds.

    Attributes
    ----------
    url : StoreURL
        Where the index is.
    nodes : int
        Groups and datasets.
    chunks : int
        Chunks that are read from the file as they are.
    nbytes : int
        Size of the index.
    state : str
        What of the file it is bound to, for people.
    """

    url: StoreURL
    nodes: int
    chunks: int
    nbytes: int
    state: str

    def __str__(self) -> str:
        return f"{self.url.text}: {self.nodes} nodes, {self.chunks:,} chunks, {self.nbytes:,} bytes ({self.state})"


def write_index(
    path: str | os.PathLike[str],
    *,
    storage_options: Options | None = None,
    transport: str | None = None,
    manager: Manager | None = None,
) -> IndexReport:
    """Index an NWB HDF5 file, and keep the index beside it, under the file's name with ``.refs.json`` behind.

    The index is of kerchunk's form. It is bound to the file's size and ETag (or date): when the file is changed,
    opening it says so, until the index is made again or removed.

    Parameters
    ----------
    path : str or path-like
        The file: a local path, or a URL of a store that can be written.
    storage_options : mapping, optional
        fsspec's options for it.
    transport : {"fsspec", "obstore"}, optional
        What sends the requests. Only for a new manager.
    manager : Manager, optional
        Shares open stores with others.

    Raises
    ------
    HDF5FileError, StoreError
        When the file cannot be read, or the index cannot be written.
    ConversionError
        When the file holds something that the stored form has nothing for.
    """
    url = locate(path)
    if url.protocol in _READ_ONLY_PROTOCOLS:
        message = f"an index is kept beside its file, but {url.protocol}:// can only be read: link to it without one"
        raise StoreModeError(message, url.text)
    connections = (manager or Manager(transport=transport)).connections
    store = connections.open(url, storage_options)
    folder = connections.open(url.parent, store.options)
    hdf5 = import_extra("nwbzarr.foreign.hdf5_opening", "HDF5 files are read with h5py", "hdf5")
    index: FileIndex = hdf5.index_hdf5(hdf5.HDF5File(Place(store.url, store.options, store.transport)))
    data = dump_index(index, str(url))
    write_many(folder.keys, [(f"{url.name}{INDEX_SUFFIX}", data)], folder.url)
    chunks = sum(int((ranges.sizes > 0).sum()) for ranges in index.ranges.values())
    kept = folder.url.joined(f"{url.name}{INDEX_SUFFIX}")
    return IndexReport(kept, len(index.documents), chunks, len(data), str(index.state))
