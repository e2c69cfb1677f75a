"""Columns of tables: plain, ragged (by an index), regions of other tables, references to samples, enumerations.

A column is a dataset with a type. Rows are added in memory as a list grows; a ragged column is two datasets, values and
an index of where each row ends, and is reached through its index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nwbzarr.errors import FieldTypeError, SchemaError
from nwbzarr.model.containers import Data, NWBData
from nwbzarr.model.data_io import ZarrDataIO
from nwbzarr.model.data_rules import check_references, parse_data
from nwbzarr.model.elements import Element
from nwbzarr.model.values import parse_scalar
from nwbzarr.schema.specs import DatasetSpec, ReferenceTo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nwbzarr.model.tables import DynamicTable


class ElementIdentifiers(Data):
    """Identifiers of the rows of a table.

    Parameters
    ----------
    name : str
        ``"id"`` in a table.
    data : array_like of int
        One for each row.
    """


class VectorData(Data):
    """A column of a table.

    Parameters
    ----------
    name : str
        Name of the column.
    description : str
        What it holds.
    data : array_like
        One entry for each row; for a ragged column the entries of all rows, one after another.
    """

    description: str
    rules: DatasetSpec | None = None

    def prepare_data(self, name: str, data: Any) -> Any:
        """Return the data to keep: a list that rows can be added to, where nothing was given."""
        data = [] if data is None else list(data) if isinstance(data, tuple) else data
        if isinstance(data, np.ndarray) and data.ndim == 0:
            message = f"{self.schema_type} {name!r} must hold one entry for each row, but a scalar came"
            raise FieldTypeError(message)
        return super().prepare_data(name, data)

    def rules_of_data(self) -> DatasetSpec | None:
        """Return what the schema says of the data: what the table's type says of this column goes first."""
        return self.rules or super().rules_of_data()

    def adopt_rules(self, rules: DatasetSpec) -> None:
        """Take what a table's type says of this column, and check the values against it.

        Raises
        ------
        FieldTypeError, SchemaError
            When a value is not what the schema allows.
        """
        where = f"column {self.name!r}"
        if self.stored_at is None:
            self.replace_data(parse_data(rules, self.data, where))
        self.rules = rules

    def extend(self, values: Sequence[Any]) -> None:
        """Add rows.

        Raises
        ------
        FieldTypeError
            When a value is not what the schema or the stored column allows.
        """
        for value in values:
            self.check_new_entry(value)
        self.put(values)

    def put(self, values: Sequence[Any]) -> None:
        """Add rows that were checked."""
        self.add_rows(values)

    def add_row(self, value: Any) -> None:
        """Add one row."""
        self.extend([value])

    def check_new_entry(self, value: Any) -> None:
        """Raise `FieldTypeError` for a value that this column cannot hold."""
        rules = self.rules
        if rules is None or rules.dtype is None:
            return
        where = f"column {self.name!r}, row {self.row_count()}"
        if isinstance(rules.dtype, str):
            if isinstance(value, np.ndarray | list | tuple):
                parse_data(DatasetSpec(dtype=rules.dtype), np.asarray(value), where)
            else:
                parse_scalar(value, rules.dtype, where)
        elif isinstance(rules.dtype, ReferenceTo):
            check_references([value], rules.dtype.target, where)
        else:
            parse_data(DatasetSpec(dtype=rules.dtype), [value], where)

    def check_new_entries(self, values: np.ndarray[Any, Any]) -> None:
        """Raise `FieldTypeError` unless this column can hold all of an array."""
        rules = self.rules
        if rules is not None and isinstance(rules.dtype, str):
            parse_data(DatasetSpec(dtype=rules.dtype), values, f"column {self.name!r}, row {self.row_count()}")
            return
        for value in values:
            self.check_new_entry(value)

    def get(self, selection: Any, **_: Any) -> Any:
        """Return rows."""
        return self[selection]

    def entries(self) -> Any:
        """Return all entries as an array (objects for text and references), those that are not stored yet too."""
        return self.all_values()

    def select(self, rows: Any) -> Any:
        """Return the entries of some rows, given as a slice, a list of indices or a mask."""
        if self.appended or self.loader is None:
            return self.entries()[rows]
        return self.values_at(rows)


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

    def check_stored(self) -> None:
        """Raise `SchemaError` when the ends that are stored do not fit the target."""
        if self.shape and self.shape[0]:
            check_ends(np.asarray(self.data), self.target, self.name)

    def data_to_store(self) -> Any:
        """Return the ends as unsigned integers, wide enough for more rows to come."""
        data = self.data
        if not isinstance(data, list | np.ndarray):
            return data
        ends = np.asarray(data, dtype=np.int64 if not len(data) else None)
        if ends.dtype.kind == "u":
            return ends
        return ends.astype(np.uint32 if not ends.size or int(ends.max()) < 2**31 else np.uint64)

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
        if not isinstance(target, VectorIndex) and isinstance(value, np.ndarray) and value.ndim == 1:
            target.check_new_entries(value)
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
        starts = np.concatenate([[0], ends[:-1]])
        return starts[rows], ends[rows]

    def __getitem__(self, selection: Any) -> Any:
        """Return one row as an array, or several as a list of arrays."""
        count = self.row_count()
        if isinstance(selection, int | np.integer):
            if not -count <= selection < count:
                message = f"row {selection} is out of range: {self.name!r} has {count} rows"
                raise IndexError(message)
            starts, ends = self.bounds()
            return self._part(int(starts[selection]), int(ends[selection]))
        return self.ragged_rows(selection)

    def _part(self, start: int, stop: int) -> Any:
        target = self.target
        if isinstance(target, VectorIndex):
            return target.ragged_rows(slice(start, stop))
        return target.region_rows(slice(start, stop)) if isinstance(target, DynamicTableRegion) else target.select(slice(start, stop))

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


def check_ends(ends: np.ndarray[Any, Any], target: VectorData, name: str) -> None:
    """Raise `SchemaError` unless ends rise and the last one is the length of the target."""
    if ends.ndim != 1 or ends.dtype.kind not in "iu":
        message = f"the index {name!r} must hold one whole number for each row, but {ends.dtype} of shape {ends.shape} came"
        raise FieldTypeError(message)
    signed = ends.astype(np.int64)
    if (np.diff(signed, prepend=0) < 0).any():
        message = f"the index {name!r} must hold ends of rows, none less than the one before, but {ends[:8].tolist()} … came"
        raise SchemaError(message)
    length = target.row_count()
    if length is not None and int(signed[-1]) != length:
        message = f"the index {name!r} must end at the length of {target.name!r}, {length}, but ends at {int(signed[-1])}"
        raise SchemaError(message)


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
        self._validated = values.pop("validate_data", True)
        return values

    def check(self) -> None:
        """Raise when a row number is out of range."""
        if self._validated and self.attributes.get("table") is not None:
            self.check_rows(self.data)

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
            raise SchemaError(message)

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
        numbers = np.asarray(self.entries(), dtype=np.int64)
        whole = self.table.to_dataframe(index=True)
        return [whole.iloc[numbers[start:stop]] for start, stop in bounds]

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
        numbers = self.select(selection if not isinstance(selection, int | np.integer) else slice(selection, selection + 1 or None))
        if index:
            return numbers[0] if isinstance(selection, int | np.integer) else numbers
        frame = self.table.frame_of_rows(np.asarray(numbers, dtype=np.int64))
        return frame if df else frame.to_dict("list")

    def to_dataframe(self) -> Any:
        """Return all chosen rows of the table as a `pandas.DataFrame`."""
        return self.region_rows(slice(None))


class TimeSeriesReference(NamedTuple):
    """A range of samples of a series.

    Attributes
    ----------
    idx_start : int
        First sample; -1 for none.
    count : int
        Number of samples; -1 for none.
    timeseries : TimeSeries
        The series.
    """

    idx_start: int
    count: int
    timeseries: Any

    @classmethod
    def empty(cls, timeseries: Any) -> TimeSeriesReference:
        """Return a reference to no samples of a series."""
        return cls(-1, -1, timeseries)

    def isvalid(self) -> bool:
        """Whether it names samples at all; raises IndexError when they are not in the series."""
        if self.idx_start < 0 and self.count < 0:
            return False
        samples = self.timeseries.num_samples
        if self.idx_start < 0 or self.count <= 0 or (samples is not None and self.idx_start + self.count > samples):
            message = f"samples {self.idx_start} to {self.idx_start + self.count} are not all in {self.timeseries.name!r}, which has {samples}"
            raise IndexError(message)
        return True

    def check_types(self) -> bool:
        """Whether start and count are integers and the series is one; raises TypeError when not."""
        if not isinstance(self.idx_start, int | np.integer) or not isinstance(self.count, int | np.integer):
            message = f"idx_start and count must be integers, but {self.idx_start!r} and {self.count!r} came"
            raise TypeError(message)
        return True

    @property
    def data(self) -> Any:
        """The samples; None for none."""
        return self.timeseries.data[self.idx_start : self.idx_start + self.count] if self.isvalid() else None

    @property
    def timestamps(self) -> Any:
        """Times of the samples in seconds; None for none."""
        if not self.isvalid():
            return None
        if self.timeseries.timestamps is not None:
            return self.timeseries.timestamps[self.idx_start : self.idx_start + self.count]
        steps = np.arange(self.idx_start, self.idx_start + self.count)
        return steps / self.timeseries.rate + self.timeseries.starting_time


class TimeSeriesReferenceVectorData(VectorData):
    """A column of ranges of samples of series.

    Parameters
    ----------
    name : str
        Name of the column.
    description : str
        What it holds.
    data : list of TimeSeriesReference or of (int, int, TimeSeries)
        First sample, number of samples, series.
    """

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set: a column of references describes itself."""
        return {**values, "description": values.get("description") or "Ranges of samples of time series"}

    def check_new_entry(self, value: Any) -> None:
        """Raise `FieldTypeError` for what is neither a range of samples nor a series."""
        self._as_reference(value)

    def put(self, values: Sequence[Any]) -> None:
        """Add references; a series alone stands for all its samples."""
        self.add_rows([self._as_reference(value) for value in values])

    def _as_reference(self, value: Any) -> TimeSeriesReference:
        from nwbzarr.model.series import TimeSeries

        if isinstance(value, TimeSeries):
            return TimeSeriesReference(0, value.num_samples or 0, value)
        wanted = isinstance(value, tuple | list | np.void) and len(value) == len(TimeSeriesReference._fields)
        if not wanted or not isinstance(value[2], Element):
            message = f"a row of {self.name!r} must be (idx_start, count, timeseries), but {value!r} came"
            raise FieldTypeError(message)
        return TimeSeriesReference(int(value[0]), int(value[1]), value[2])

    def entries(self) -> Any:
        """Return all entries as an array of `TimeSeriesReference`."""
        return references_of(super().entries())

    def select(self, rows: Any) -> Any:
        """Return some entries as an array of `TimeSeriesReference`."""
        if self.appended or self.loader is None:
            return self.entries()[rows]
        return references_of(np.atleast_1d(self.values_at(rows)))

    def __getitem__(self, selection: Any) -> Any:
        """Return one reference, or a list of them."""
        if isinstance(selection, int | np.integer):
            return self.select(slice(selection, selection + 1 or None))[0]
        return list(self.select(selection))


def references_of(rows: Any) -> np.ndarray[Any, Any]:
    """Return compound rows, or tuples, as an array of `TimeSeriesReference`."""
    made = np.empty(len(rows), dtype=object)
    items = rows.tolist() if isinstance(rows, np.ndarray) else rows
    made[:] = [TimeSeriesReference(*row) for row in items]
    return made


class EnumData(VectorData):
    """A column whose entries number the elements of a list.

    Parameters
    ----------
    name : str
        Name of the column.
    description : str
        What it holds.
    data : array_like of int
        Numbers of elements, counted from 0.
    elements : VectorData or list
        What the numbers stand for.
    """

    elements: VectorData

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; plain elements become a column of their own."""
        elements = values.get("elements")
        if not isinstance(elements, Element):
            items = [] if elements is None else list(elements)
            elements = VectorData(f"{self.name}_elements", f"Elements of '{self.name}'", items)
        return {**values, "elements": elements}

    def __getitem__(self, selection: Any) -> Any:
        """Return the elements that entries stand for."""
        return self.elements.entries()[np.asarray(self.select(selection if not isinstance(selection, int) else [selection]), dtype=np.int64)][
            0 if isinstance(selection, int) else slice(None)
        ]

    def get(self, selection: Any, index: bool = False, **_: Any) -> Any:
        """Return the elements that entries stand for, or their numbers."""
        return self.select(selection) if index else self[selection]

    def put(self, values: Sequence[Any]) -> None:
        """Add elements; those that are new join the list."""
        known = list(self.elements.entries())
        new = [value for value in dict.fromkeys(values) if value not in known]
        self.elements.extend(new)
        known += new
        self.add_rows([known.index(value) for value in values])


__all__ = [
    "DynamicTableRegion",
    "ElementIdentifiers",
    "EnumData",
    "NWBData",
    "TimeSeriesReference",
    "TimeSeriesReferenceVectorData",
    "VectorData",
    "VectorIndex",
]
