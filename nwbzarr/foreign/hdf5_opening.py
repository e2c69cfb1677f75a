"""An HDF5 file, indexed and served as a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nwbzarr.foreign.hdf5 import read_index
from nwbzarr.foreign.hdf5_files import HDF5File, reading
from nwbzarr.foreign.hdf5_translation import HDF5Translator
from nwbzarr.stores.virtual import FileIndex, VirtualKeys

if TYPE_CHECKING:
    from zarr.abc.store import Store

    from nwbzarr.stores.places import Place


def index_hdf5(file: HDF5File) -> FileIndex:
    """Return the index of a file.

    Raises
    ------
    HDF5FileError
        When it is no HDF5 file, or is cut off or damaged.
    ConversionError
        When it holds something that the stored form has nothing for.
    """
    url = file.place.url
    with file.lock, reading(url):
        try:
            return read_index(file.open(), url, file.state())
        finally:
            # While it is open, others cannot write to it.
            file.close()


def hdf5_keys(place: Place, folder: Place, name: str, keys: Store, index: FileIndex | None) -> VirtualKeys:
    """Return a file as the keys of a store.

    Parameters
    ----------
    place : Place
        The file.
    folder : Place
        The folder that holds it.
    name : str
        Its key in that folder.
    keys : zarr.abc.store.Store
        Keys of the folder.
    index : FileIndex or None
        An index that was kept; made now when None.
    """
    file = HDF5File(place)
    made = index or index_hdf5(file)
    return VirtualKeys(made, folder, name, HDF5Translator(file, made.aliases), keys)
