"""HDF5 files wherever fsspec reaches, opened for reading, and what tells one state of them from another."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import fsspec
import h5py

from nwbzarr.errors import HDF5FileError, NWBZarrError, StoreNotFoundError
from nwbzarr.stores.failures import named_errors
from nwbzarr.stores.virtual import FileState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nwbzarr.stores.places import Place
    from nwbzarr.stores.url import StoreURL

#: Bytes that one request brings: HDF5 reads its metadata in pieces of some hundred bytes.
_BLOCK_BYTES: Final = 2**20

#: How h5py begins what HDF5 says.
_HDF5_SAYS: Final = ("Unable to", "Can't")

#: What services call the mark of a content, best first.
_TAGS: Final = ("ETag", "etag", "mtime", "LastModified", "Last-Modified", "last_modified", "created")


class HDF5File:
    """A file that is opened when it is needed; one thread at a time uses it, as HDF5 asks for.

    Parameters
    ----------
    place : Place
        The file.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.lock = threading.RLock()
        self._opened: h5py.File | None = None

    def open(self) -> h5py.File:
        """Return the open file; whoever uses it holds `lock`.

        Raises
        ------
        HDF5FileError
            When it is no HDF5 file, or is cut off or damaged.
        StoreError
            When it cannot be reached.
        """
        with self.lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self.lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def state(self) -> FileState:
        """Return what tells the file, as it is now, from what it was before."""
        url = self.place.url
        if url.is_local:
            with named_errors(url):
                found = Path(url.path).stat()
            return FileState(found.st_size, str(found.st_mtime_ns))
        with named_errors(url):
            fs, path = self._file_system()
            fs.invalidate_cache()
            info = fs.info(path)
        tag = next((info[name] for name in _TAGS if info.get(name)), None)
        return FileState(int(info.get("size") or 0), None if tag is None else str(tag).strip('"'))

    def _open(self) -> h5py.File:
        url = self.place.url
        with reading(url):
            if url.is_local:
                return h5py.File(url.path, "r")
            fs, path = self._file_system()
            return h5py.File(fs.open(path, "rb", block_size=_BLOCK_BYTES, cache_type="blockcache"), "r")

    def _file_system(self) -> tuple[Any, str]:
        fs, path = fsspec.url_to_fs(str(self.place.url), **self.place.options)
        return fs, path

    def __reduce__(self) -> tuple[Any, ...]:
        return HDF5File, (self.place,)


@contextlib.contextmanager
def reading(url: StoreURL) -> Iterator[None]:
    """Name what HDF5 raises when it meets a file that is cut off or damaged.

    Raises
    ------
    HDF5FileError
        For that.
    """
    try:
        with named_errors(url), _named_damage(url):
            yield
    except NWBZarrError:
        raise
    except FileNotFoundError as error:
        message = "there is no file here: check the path"
        raise StoreNotFoundError(message, url.text) from error
    except (RuntimeError, KeyError, ValueError) as error:
        raise _damaged(error, url) from error


@contextlib.contextmanager
def _named_damage(url: StoreURL) -> Iterator[None]:
    """Tell what HDF5 says of a file from what a disk or a service says."""
    try:
        yield
    except OSError as error:
        if type(error) is OSError and str(error).startswith(_HDF5_SAYS):
            raise _damaged(error, url) from error
        raise


def _damaged(error: Exception, url: StoreURL) -> HDF5FileError:
    message = f"the file must be a whole HDF5 file, but HDF5 cannot read it ({error}): it is cut off, damaged, or none"
    return HDF5FileError(message, url.text)
