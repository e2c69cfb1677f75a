"""Ragged columns: an index of where each row ends in the values, once or twice over.

A ragged column is reached through its index. Index and values are read once each, whatever number of rows is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.errors import FieldTypeError, RowRangeError, SchemaError
from nwbzarr.model.columns import VectorData
from nwbzarr.model.data_io import ZarrDataIO
from nwbzarr.model.elements import Element
from nwbzarr.model.regions import DynamicTableRegion

if TYPE_CHECKING:
    from collections.abc import Sequence


class VectorIndex(VectorData):
    """The ends of the rows of a ragged column.

    Parameters
    ----------
    name : str
        Name of the column with ``_index`` behind it.
    data : array_like of int
        Row `i` of the column is ``target[data[i - 1]:data[i]]``.
    target : VectorData
        The column, or another index for a doubly ragged one.

    Raises
    ------
    SchemaError
        When the ends run backwards, or past the end of the target.
    """

    target: VectorData

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set: an index describes itself."""
        target = values.get("target")
        name = target.name if isinstance(target, Element) else "?"
        return {"description": f"Index for VectorData '{name}'", **values}

    def check(self) -> None:
        """Raise when the ends do not fit the target."""
        ends = self.data.data if isinstance(self.data, ZarrDataIO) else self.data
        if isinstance(ends, list | np.ndarray) and len(ends):
            check_ends(np.asarray(ends), self.target, self.name)

    def check_whole(self) -> None:
        """Raise `SchemaError` when the ends do not fit the target."""
        ends = np.asarray(self.all_values())
        if len(ends):
            check_ends(ends, self.target, self.name)

    def data_to_store(self) -> Any:
        """Return the ends as the narrowest unsigned integers that hold them; they are written anew when they outgrow it."""
        data = self.data
        if not isinstance(data, list | np.ndarray):
            return data
        ends = np.asarray(data, dtype=np.int64 if not len(data) else None)
        return ends if ends.dtype.kind == "u" else ends.astype(np.min_scalar_type(int(ends.max(initial=0))))

    def add_vector(self, values: Any) -> None:
        """Add one row: a list of entries of the column, or of its own index.

        Raises
        ------
        FieldTypeError
            When it is no list, or an entry is not what the column holds.
        """
        self.extend([values])

    def check_new_entry(self, value: Any) -> None:
        """Raise for what is no list, or holds what the column cannot."""
        if isinstance(value, str) or not hasattr(value, "__len__"):
            message = f"a row of the ragged column {self.target.name!r} must be a list or an array, but {value!r} came"
            raise FieldTypeError(message)
        target = self.target
        entries = None if isinstance(target, VectorIndex) else _numbers_of(value)
        if entries is not None:
            target.check_new_entries(entries)
            return
        for item in value:
            target.check_new_entry(item)

    def put(self, values: Sequence[Any]) -> None:
        """Add rows that were checked, each a list of entries of the column or of its own index."""
        target = self.target
        for value in values:
            target.put(value)
            self.add_rows([target.row_count()])

    fits_wider = True

    def bounds(self, rows: Any = slice(None)) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return where rows begin and end in the target."""
        ends = np.asarray(self.entries(), dtype=np.int64)
        starts = np.concatenate([[0], ends])[:-1]
        return starts[rows], ends[rows]

    def __getitem__(self, selection: Any) -> Any:
        """Return one row as an array, or several as a list of arrays."""
        count = self.row_count()
        if isinstance(selection, int | np.integer):
            if not -count <= selection < count:
                message = f"row {selection} is out of range: {self.name!r} has {count} rows"
                raise RowRangeError(message)
            row = int(selection) % count
            ends = np.asarray(self.select(slice(max(row - 1, 0), row + 1))).tolist()
            return self._part(ends[0] if row else 0, ends[-1])
        return self.ragged_rows(selection)

    def _part(self, start: int, stop: int) -> Any:
        target = self.target
        if isinstance(target, VectorIndex):
            return target.ragged_rows(slice(start, stop))
        return (
            target.region_rows(slice(start, stop))
            if isinstance(target, DynamicTableRegion)
            else target.select(slice(start, stop))
        )

    def ragged_rows(self, rows: Any = slice(None), *, raw: bool = False) -> list[Any]:
        """Return rows as a list of arrays; index and values are read once each.

        Parameters
        ----------
        rows : slice, array_like of int or bool
            Which rows.
        raw : bool
            Whether regions of other tables come as row numbers instead of the rows.
        """
        starts, ends = self.bounds(rows)
        if not len(starts):
            return []
        low, high = int(starts.min()), int(ends.max())
        target = self.target
        if isinstance(target, VectorIndex):
            found: Any = target.ragged_rows(slice(low, high), raw=raw)
        elif isinstance(target, DynamicTableRegion) and not raw:
            return target.frames(list(zip(starts.tolist(), ends.tolist(), strict=True)))
        else:
            found = target.select(slice(low, high))
        return [found[start - low : end - low] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


def _numbers_of(values: Any) -> np.ndarray[Any, Any] | None:
    """Return entries as an array where they are numbers of equal shape, else None."""
    if not len(values) or isinstance(values[0], str | Element | tuple):
        return None
    try:
        array = np.asarray(values)
    except ValueError:
        return None
    return array if array.dtype.kind in "iufb" else None


def check_ends(ends: np.ndarray[Any, Any], target: VectorData, name: str) -> None:
    """Raise `SchemaError` unless ends rise and the last one is the length of the target."""
    if ends.ndim != 1 or ends.dtype.kind not in "iu":
        message = (
            f"the index {name!r} must hold one whole number for each row, but {ends.dtype} of shape {ends.shape} came"
        )
        raise FieldTypeError(message)
    signed = ends.astype(np.int64)
    if (np.diff(signed, prepend=0) < 0).any():
        message = (
            f"the index {name!r} must hold ends of rows, none less than the one before, but {ends[:8].tolist()} … came"
        )
        raise SchemaError(message)
    length = target.row_count()
    if length is not None and int(signed[-1]) != length:
        message = (
            f"the index {name!r} must end at the length of {target.name!r}, {length}, but ends at {int(signed[-1])}"
        )
        raise SchemaError(message)
