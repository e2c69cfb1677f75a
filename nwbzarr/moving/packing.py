"""`pack`: a store in one zip file, which opens in place on a disk, on a web server, on S3."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import fsspec

from nwbzarr.convention.names import DOCUMENT, SIDECAR, WRITE_MARK, WRITE_NOTE
from nwbzarr.destinations import check_new
from nwbzarr.errors import ConversionError, StoreExistsError
from nwbzarr.reading.managers import Manager
from nwbzarr.stores.connections import locate
from nwbzarr.stores.failures import named_errors
from nwbzarr.stores.files import whole_file
from nwbzarr.stores.keys import list_keys, read_many

if TYPE_CHECKING:
    import os
    from typing import IO

    from nwbzarr.reading.sessions import Session
    from nwbzarr.stores.trust import Options

#: Keys that belong to a write under way.
_NOT_PACKED: Final = frozenset({WRITE_MARK, WRITE_NOTE})

#: Objects that are read side by side, and written one after another.
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Packed:
    """A store that was packed.

    Attributes
    ----------
    source, target : str
        From where to where, as URLs.
    objects, nbytes : int
        Objects of the store, and their bytes.
    """

    source: str
    target: str
    objects: int
    nbytes: int

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}: {self.objects} objects, {self.nbytes:,} bytes"


def pack(  # noqa: PLR0913 - from where, to where, and how
    src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    *,
    mode: str = "w-",
    storage_options: Options | None = None,
    source_options: Options | None = None,
    manager: Manager | None = None,
) -> Packed:
    """Put a store into one zip file, object by object as they are.

    Links keep their sources: the file belongs where the store was, or is, for them to lead where they led.

    Parameters
    ----------
    src : str or path-like
        The store.
    dst : str or path-like
        The file, such as ``raw.nwb.zarr.zip``.
    mode : str
        ``"w-"`` or ``"x"`` make what must not exist, ``"w"`` may replace a file.
    storage_options, source_options : mapping, optional
        fsspec's options for `dst` and for `src`.
    manager : Manager, optional
        Shares open stores with others.

    Raises
    ------
    StoreExistsError
        When something is at `dst` that `mode` does not let be replaced.
    ConversionError
        When the source is a session of another format.
    StoreError
        When the store cannot be read, or the file cannot be written.
    """
    check_new(mode, "packing makes a new file")
    session = (manager or Manager()).open(locate(src), source_options)
    target = locate(dst)
    if session.is_foreign:
        message = "a store of our form is packed, but a file of another format came: convert it first"
        raise ConversionError(message, session.url.text)
    with named_errors(target):
        fs, path = fsspec.url_to_fs(str(target), **(storage_options or {}))
        if mode != "w" and fs.exists(path):
            message = f"mode {mode!r} makes a new file, but something is here: use mode='w' to replace it"
            raise StoreExistsError(message, target.text)
        with whole_file(target, storage_options) as file:
            objects, nbytes = _write(session, file)
    return Packed(session.url.text, target.text, objects, nbytes)


def _write(session: Session, file: IO[bytes]) -> tuple[int, int]:
    names = [name for name in list_keys(session.store.keys, session.url) if name not in _NOT_PACKED]
    # What is read first stands last, beside the directory.
    names.sort(key=lambda name: (name in (DOCUMENT, SIDECAR), name))
    count = nbytes = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as package:
        for start in range(0, len(names), _AT_ONCE):
            batch = names[start : start + _AT_ONCE]
            for name, data in zip(batch, read_many(session.store.keys, batch, session.url), strict=True):
                if data is not None:
                    package.writestr(zipfile.ZipInfo(name), data)
                    count, nbytes = count + 1, nbytes + len(data)
    return count, nbytes
