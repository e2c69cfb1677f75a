"""Regions: rows of another table, by number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.errors import FieldTypeError, RowRangeError
from nwbzarr.model.columns import VectorData
from nwbzarr.model.data_io import ZarrDataIO

if TYPE_CHECKING:
    from nwbzarr.model.tables import DynamicTable
    from nwbzarr.schema.fields import FieldSpec


class DynamicTableRegion(VectorData):
    """Rows of another table.

    Parameters
    ----------
    name : str
        Name of the region.
    data : array_like of int
        Row numbers, counted from 0.
    description : str
        What is chosen.
    table : DynamicTable
        The table; in a column it may come when the column is added.

    Raises
    ------
    SchemaError
        When a row number is out of range.
    """

    table: DynamicTable

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; whether rows are in range is checked at once where the table is known."""
        self._validated = values.pop("validate_data", None) is not False
        return values

    def _is_missing(self, spec: FieldSpec) -> bool:
        # A column gets its table when it is added to its own; that it has one is checked when it is written.
        return spec.name != "table" and super()._is_missing(spec)

    def check(self) -> None:
        """Raise when a row number is out of range."""
        if self._validated and self.attributes.get("table") is not None:
            self.check_rows(self.data)

    def check_whole(self) -> None:
        """Raise when a row number is out of range; looked at before this is written."""
        data = self.data
        if "table" in self.attributes and (isinstance(data, list | np.ndarray) or self.appended):
            self.check_rows(self.all_values())

    def check_rows(self, rows: Any) -> None:
        """Raise `SchemaError` unless row numbers are those of rows that the table has."""
        inner = rows.data if isinstance(rows, ZarrDataIO) else rows
        if not isinstance(inner, list | tuple | np.ndarray | range) or not len(inner):
            return
        numbers = np.asarray(inner)
        if numbers.dtype.kind not in "iu":
            message = f"the region {self.name!r} must hold row numbers, but values of dtype {numbers.dtype} came"
            raise FieldTypeError(message)
        count = len(self.table)
        if numbers.min() < 0 or numbers.max() >= count:
            message = (
                f"the region {self.name!r} must hold row numbers from 0 to {count - 1} of {self.table.name!r}, "
                f"but {int(numbers.min())} to {int(numbers.max())} came"
            )
            raise RowRangeError(message)

    def check_new_entry(self, value: Any) -> None:
        """Raise for a row number that the table does not have."""
        if "table" in self.attributes:
            self.check_rows(np.atleast_1d(np.asarray(value)))

    def check_new_entries(self, values: np.ndarray[Any, Any]) -> None:
        """Raise for row numbers that the table does not have."""
        if "table" in self.attributes:
            self.check_rows(values)

    def region_rows(self, selection: Any) -> Any:
        """Return the chosen rows of the table as a frame."""
        return self.table.frame_of_rows(np.atleast_1d(np.asarray(self.select(selection), dtype=np.int64)))

    def frames(self, bounds: list[tuple[int, int]]) -> list[Any]:
        """Return one frame for each pair of bounds; the table is read once."""
        if not bounds:
            return []
        low, high = min(start for start, _ in bounds), max(stop for _, stop in bounds)
        numbers = np.asarray(self.select(slice(low, high)), dtype=np.int64)
        # One frame of all rows, then slices of it: pandas takes rows by number slowly.
        whole = self.table.to_dataframe(index=True).iloc[numbers]
        return [whole.iloc[start - low : stop - low] for start, stop in bounds]

    def __getitem__(self, selection: Any) -> Any:
        """Return rows of the table as a frame; one row for an integer."""
        return self.region_rows(selection)

    def get(self, selection: Any, df: bool = True, index: bool = False, **_: Any) -> Any:
        """Return rows of the table, or their numbers.

        Parameters
        ----------
        selection : int, slice or list
            Which entries of the region.
        df : bool
            Whether to return a frame.
        index : bool
            Whether to return row numbers instead of rows.
        """
        numbers = self.select(
            selection if not isinstance(selection, int | np.integer) else slice(selection, selection + 1 or None)
        )
        if index:
            return numbers[0] if isinstance(selection, int | np.integer) else numbers
        frame = self.table.frame_of_rows(np.asarray(numbers, dtype=np.int64))
        return frame if df else frame.to_dict("list")

    def to_dataframe(self) -> Any:
        """Return all chosen rows of the table as a `pandas.DataFrame`."""
        return self.region_rows(slice(None))
