"""References to samples: a range of a series, and columns of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nwbzarr.errors import FieldTypeError
from nwbzarr.model.columns import VectorData
from nwbzarr.model.elements import Element

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    # NWB's word, which tuples have for something else.
    count: int  # type: ignore[assignment]
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
        row: Any = value
        wanted = isinstance(value, tuple | list | np.void) and len(row) == len(TimeSeriesReference._fields)
        if not wanted or not isinstance(value[2], Element):
            message = f"a row of {self.name!r} must be (idx_start, count, timeseries), but {value!r} came"
            raise FieldTypeError(message)
        if not all(isinstance(part, int | np.integer) and not isinstance(part, bool) for part in row[:2]):
            message = (
                f"idx_start and count of a row of {self.name!r} must be integers, but {row[0]!r} and {row[1]!r} came"
            )
            raise FieldTypeError(message)
        return TimeSeriesReference(int(row[0]), int(row[1]), row[2])

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
