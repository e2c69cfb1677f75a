"""Values of an HDF5 file as those of the stored form: text, paths for references, compounds of fixed width.

`HDF5Values` reads what cannot be served from the file as it is. This room refuses to make documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np
from h5py import h5r

from nwbzarr.convention.dtypes import TEXT
from nwbzarr.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nwbzarr.foreign.hdf5_types import StoredType

Array = np.ndarray[Any, Any]

#: Rows that are read at a time to learn how wide texts are.
_ROWS: Final = 100_000


class HDF5Values:
    """Reads values of one open file.

    Parameters
    ----------
    file : h5py.File
        The file.
    aliases : mapping of str to str
        Path to the path under which an object is stored, of those that have several.
    """

    def __init__(self, file: h5py.File, aliases: Mapping[str, str]) -> None:
        self._file = file
        self._aliases = aliases

    def dtype(self, dataset: h5py.Dataset, stored: StoredType) -> np.dtype[Any]:
        """Return the dtype of the stored values; text fields get the width of the longest text."""
        if not any(_is_text(stored.dtype[name]) for name in stored.dtype.names or ()):
            return stored.dtype
        widths = dict.fromkeys((name for name in stored.dtype.names or () if _is_text(stored.dtype[name])), 1)
        for rows in _row_blocks(dataset):
            values = self._columns(dataset[rows], stored, dataset.name)
            for name in widths:
                widths[name] = max([widths[name], *map(len, values[name].flat)])
        return np.dtype(
            [(name, f"U{widths[name]}" if name in widths else stored.dtype[name]) for name in stored.dtype.names or ()]
        )

    def read(self, dataset: h5py.Dataset, stored: StoredType, dtype: np.dtype[Any], region: Any) -> Array:
        """Return a region of a dataset as values of the stored dtype.

        Raises
        ------
        ConversionError
            When a text is no UTF-8, or a reference leads nowhere.
        """
        values = np.asarray(dataset[region])
        if stored.dtype.names is None:
            return self._plain(values, stored, dataset.name).astype(dtype, copy=False)
        made = np.empty(values.shape, dtype)
        for name, column in self._columns(values, stored, dataset.name).items():
            made[name] = column
        return made

    def path(self, reference: h5py.Reference, where: str) -> str:
        """Return the path that a reference leads to.

        Raises
        ------
        ConversionError
            When it leads nowhere.
        """
        name = h5r.get_name(reference, self._file.id) if reference else None
        if name is None:
            message = (
                "a reference must lead to an object that has a path in the file, but this one leads nowhere: remove it"
            )
            raise ConversionError(message, path=where)
        return self.own_path(name.decode())

    def own_path(self, path: str) -> str:
        """Return the path under which an object is stored, of one that it is found under."""
        if not self._aliases:
            return path
        parts = path.split("/")
        for count in range(len(parts), 1, -1):
            known = self._aliases.get("/".join(parts[:count]))
            if known is not None:
                return self.own_path("/".join([known.rstrip("/"), *parts[count:]]))
        return path

    def _columns(self, values: Any, stored: StoredType, where: str) -> dict[str, Array]:
        made = {}
        for name in stored.dtype.names or ():
            column = np.asarray(values[name])
            if name in stored.reference_fields:
                made[name] = self._paths(column, where)
            else:
                made[name] = texts(column, where) if _is_text(stored.dtype[name]) else column
        return made

    def _plain(self, values: Array, stored: StoredType, where: str) -> Array:
        if stored.references:
            return self._paths(values, where)
        return texts(values, where) if _is_text(stored.dtype) else values

    def _paths(self, values: Array, where: str) -> Array:
        made = np.empty(values.shape, TEXT)
        # A null reference is stored as no path.
        made.reshape(-1)[...] = [self.path(value, where) if value else "" for value in values.flat]
        return made


def texts(values: Array, where: str) -> Array:
    """Return texts as Python texts.

    Raises
    ------
    ConversionError
        When one is no UTF-8.
    """
    made = np.empty(values.shape, TEXT)
    try:
        made.reshape(-1)[...] = [text if isinstance(text, str) else bytes(text).decode() for text in values.flat]
    except UnicodeDecodeError as error:
        message = f"text must be UTF-8, but the bytes {error.object[:20]!r} are not: mend them, or store them as uint8"
        raise ConversionError(message, path=where) from error
    return made


def _is_text(dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "O"


def _row_blocks(dataset: h5py.Dataset) -> Iterator[Any]:
    if not dataset.shape:
        yield ()
        return
    for start in range(0, dataset.shape[0], _ROWS):
        yield slice(start, start + _ROWS)
