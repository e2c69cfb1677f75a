"""Parts of series by time: one window, or one around each of many events. What is not touched is not read.

Windows are half open, ``t0 <= t < t1``, and exact for the very floats that are given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nwbzarr.arrays.stored import import_graphs, read_windows
from nwbzarr.errors import AnalysisError, SamplingError, TimeRangeError
from nwbzarr.model.timing import SampleTimes, times_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nwbzarr.model.series import TimeSeries
    from nwbzarr.model.units import Units

Array = np.ndarray[Any, Any]

#: What to do with windows that a series does not hold all of.
OUTSIDE: Final = ("raise", "drop", "nan")

#: Decoded bytes of windows that are read side by side.
_BATCH_BYTES: Final = 64 * 2**20

#: Windows as long as this many samples, but for the rounding of floats, have that many.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Window:
    """Samples of a series from one time up to another.

    Attributes
    ----------
    series : TimeSeries
        The series.
    samples : slice
        Which samples.
    """

    series: TimeSeries
    samples: slice

    @property
    def data(self) -> Array:
        """The samples, read now: shape ``(num_times, …)``, as they are stored (see `in_unit`)."""
        return np.asarray(self.series.data[self.samples])

    @cached_property
    def timestamps(self) -> Array:
        """Their times, in seconds; shape ``(num_times,)``."""
        return times_of(self.series).between(self.samples.start, self.samples.stop)

    @property
    def in_unit(self) -> Array:
        """The samples in the series' unit."""
        values: Array = in_unit(self.series, self.data)
        return values

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the data."""
        return (len(self), *tuple(self.series.data.shape)[1:])

    def to_dask(self) -> Any:
        """Return the samples as a Dask array."""
        return self.series.to_dask()[self.samples]

    def to_xarray(self) -> Any:
        """Return the samples as an `xarray.DataArray` with times and channels; they are read when it is computed."""
        return self.series.to_xarray()[self.samples]

    def __len__(self) -> int:
        return len(range(self.samples.start, self.samples.stop))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self.data, dtype=dtype)

    def __repr__(self) -> str:
        return f"<Window of {self.series.name!r}: samples {self.samples.start:,} to {self.samples.stop:,}>"


@dataclass(frozen=True, eq=False)
class Aligned:
    """Windows of a series around events: trials, times, channels.

    Attributes
    ----------
    series : TimeSeries
        The series.
    events : numpy.ndarray
        Times of the events that have a window, in seconds; shape ``(num_trials,)``.
    times : numpy.ndarray
        Times of the samples relative to the event, in seconds; shape ``(num_times,)``. Samples stand up to one
        sampling interval later: the first one is the first at or after the start of the window.
    starts : numpy.ndarray
        First sample of each window; negative where the window begins before the series.
    """

    series: TimeSeries
    events: Array
    times: Array
    starts: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Trials, times, and what a sample has."""
        return (len(self.starts), len(self.times), *tuple(self.series.data.shape)[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the data; of floats where samples are missing."""
        stored = np.dtype(self.series.data.dtype)
        return stored if self._is_whole else np.result_type(stored, np.float32)

    @property
    def data(self) -> Array:
        """All windows, read now."""
        return np.asarray(self)

    @property
    def in_unit(self) -> Array:
        """All windows in the series' unit."""
        values: Array = in_unit(self.series, self.data)
        return values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        found = np.empty(self.shape, self.dtype)
        each = max(math.prod(self.shape[1:]) * self.dtype.itemsize, 1)
        step = max(_BATCH_BYTES // each, 1)
        for first in range(0, len(self.starts), step):
            part = slice(first, first + step)
            found[part] = read_windows(self.series.data, self.starts[part], len(self.times), self.dtype)
        return found.astype(dtype, copy=False) if dtype is not None else found

    def to_dask(self) -> Any:
        """Return a Dask array of all windows, in blocks of trials; each block is read by one task.

        Raises
        ------
        MissingExtraError
            When Dask is not installed.
        """
        source = getattr(self.series.data, "portable", None)
        return import_graphs().window_blocks(
            self.series.to_dask() if source is None else source, self.starts, self.shape, self.dtype
        )

    @property
    def _is_whole(self) -> bool:
        """Whether the series holds all samples of all windows."""
        count = self.series.data.shape[0]
        return not len(self.starts) or bool(self.starts.min() >= 0 and self.starts.max() + len(self.times) <= count)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, trials: Any) -> Aligned | Array:
        """Return the windows of some trials, not read yet; or, for one number, the samples of one."""
        if isinstance(trials, int | np.integer):
            one: Array = self._some([int(trials)]).data[0]
            return one
        return self._some(trials)

    def _some(self, trials: Any) -> Aligned:
        return Aligned(self.series, self.events[trials], self.times, self.starts[trials])

    def __repr__(self) -> str:
        return f"<Aligned of {self.series.name!r}: {self.shape}, {self.dtype}>"


@dataclass(frozen=True, eq=False)
class AlignedSpikes:
    """Spikes of units around events.

    Attributes
    ----------
    units : Units
        The units.
    events : numpy.ndarray
        Times of the events, in seconds; shape ``(num_trials,)``.
    before, after : float
        How far windows reach, in seconds.
    """

    units: Units
    events: Array
    before: float
    after: float

    @cached_property
    def spikes(self) -> Array:
        """One row for each spike in a window: ``unit`` and ``trial`` (rows), ``time`` relative to the event, in seconds."""
        if self.units.find("spike_times") is None:
            message = f"{self.units.name!r} must have spike times to be aligned, but it has no column spike_times"
            raise AnalysisError(message)
        parts = [part for unit in range(len(self.units)) for part in self._of_unit(unit)]
        dtype = np.dtype([("unit", np.int64), ("trial", np.int64), ("time", np.float64)])
        return np.concatenate(parts).astype(dtype) if parts else np.empty(0, dtype)

    def times(self, unit: int, trial: int) -> Array:
        """Return the spike times of one unit in one trial, relative to the event, in seconds."""
        found: Array = self.spikes["time"][(self.spikes["unit"] == unit) & (self.spikes["trial"] == trial)]
        return found

    def counts(self, bins: int | Sequence[float]) -> Array:
        """Return the number of spikes in bins of time: units, trials, bins.

        Parameters
        ----------
        bins : int or sequence of float
            Number of bins of the same width, or their edges, in seconds relative to the event.
        """
        edges = _edges(bins, -self.before, self.after)
        shape = (len(self.units), len(self.events), len(edges) - 1)
        places = np.searchsorted(edges, self.spikes["time"], "right") - 1
        if isinstance(bins, int | np.integer):
            # Every spike is in the window, also one whose time relative to the event is rounded out of it.
            places = np.clip(places, 0, shape[2] - 1)
        inside = (places >= 0) & (places < shape[2])
        found = np.zeros(shape, np.int64)
        np.add.at(found, (self.spikes["unit"][inside], self.spikes["trial"][inside], places[inside]), 1)
        return found

    def _of_unit(self, unit: int) -> list[Array]:
        times = np.sort(np.asarray(self.units["spike_times"][unit], np.float64))
        first = np.searchsorted(times, self.events - self.before)
        last = np.maximum(np.searchsorted(times, self.events + self.after), first)
        trials = np.repeat(np.arange(len(self.events)), last - first)
        which = np.arange(len(trials)) - np.repeat(np.cumsum(last - first) - last, last - first)
        made = np.empty(len(trials), [("unit", np.int64), ("trial", np.int64), ("time", np.float64)])
        made["unit"], made["trial"], made["time"] = unit, trials, times[which] - self.events[trials]
        return [made]

    def __repr__(self) -> str:
        return f"<AlignedSpikes of {len(self.units)} units around {len(self.events)} events>"


def _edges(bins: Any, start: float, stop: float) -> Array:
    """Return the edges of bins."""
    if isinstance(bins, int | np.integer) and not isinstance(bins, bool) and bins > 0:
        return np.linspace(start, stop, int(bins) + 1)
    try:
        edges = np.asarray(bins, np.float64)
    except (TypeError, ValueError):
        edges = np.empty(0)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all() or not np.isfinite(edges).all():  # noqa: PLR2004
        message = f"bins must be a number of bins, or two edges or more that increase, in seconds, but {bins!r} came"
        raise AnalysisError(message)
    return edges


def in_unit(series: TimeSeries, data: Any) -> Any:
    """Return samples of a series in its unit: times its conversion (that of each channel too), plus its offset."""
    return data * scale_of(series) + (series.offset or 0.0)


def scale_of(series: TimeSeries) -> Array:
    """Return what samples of a series are multiplied by: one number, or one for each channel."""
    factor = np.float64(series.conversion if series.conversion is not None else 1.0)
    channels = getattr(series, "channel_conversion", None)
    return np.asarray(factor if channels is None else factor * np.asarray(channels))


def window_of(series: TimeSeries, start: float, stop: float) -> Window:
    """Return the samples of a series from one time up to another; see `TimeSeries.window`."""
    if not (_is_time(start) and _is_time(stop) and start <= stop):
        message = f"a window must reach from a time to a later one, in seconds, but {start!r} to {stop!r} came"
        raise AnalysisError(message)
    times = times_of(series)
    first, last = times.locate(np.array([start, stop], np.float64)).tolist()
    begin = times.between(0, 1)[0] if times.count else math.inf
    if first == times.count or (stop <= begin and start < begin):
        raise _outside(series, times, f"the window {start} to {stop} s")
    return Window(series, slice(first, last))


def aligned(  # noqa: PLR0913 - what, where, how far, and the two cases that need a word
    series: TimeSeries,
    events: Any,
    before: float,
    after: float,
    *,
    outside: str = "raise",
    rate: float | None = None,
) -> Aligned:
    """Return windows of a series around events; see `TimeSeries.align`."""
    moments = _moments(events, before, after)
    if outside not in OUTSIDE:
        message = f"outside must be one of {', '.join(map(repr, OUTSIDE))}, but {outside!r} came"
        raise AnalysisError(message)
    if rate is not None and not (_is_time(rate) and rate > 0):
        message = f"rate must be a positive number, in Hz, but {rate!r} came"
        raise AnalysisError(message)
    times = times_of(series)
    used = times.rate or rate
    if used is None:
        message = (
            f"windows of {series.name!r} must have equal numbers of samples, but it has timestamps: give rate= (Hz) "
            "if they are regular around the events"
        )
        raise SamplingError(message)
    if times.rate is not None and rate not in (None, times.rate):
        message = f"{series.name!r} has a rate of {times.rate} Hz, but rate={rate!r} came: leave it out"
        raise SamplingError(message)
    length = (before + after) * used
    count = round(length) if abs(length - round(length)) <= _ROUNDING * max(length, 1.0) else math.floor(length)
    if not count:
        message = f"windows must hold a sample at least, but {before} + {after} s at {used} Hz hold none"
        raise AnalysisError(message)
    starts = _starts(times, moments - before, used)
    whole = (starts >= 0) & (starts + count <= times.count)
    if outside == "raise" and not whole.all():
        raise _outside(series, times, f"the window around the event at {moments[~whole][0]} s", all_of_it=True)
    if outside == "drop":
        moments, starts = moments[whole], starts[whole]
    if times.rate is None:
        _check_regular(series, times, moments[(starts >= 0) & (starts + count <= times.count)], (before, after), count)
    return Aligned(series, moments, np.arange(count) / used - before, starts)


def aligned_spikes(units: Units, events: Any, before: float, after: float) -> AlignedSpikes:
    """Return spikes of units around events; see `Units.align`."""
    return AlignedSpikes(units, _moments(events, before, after), float(before), float(after))


def _moments(events: Any, before: float, after: float) -> Array:
    """Return the times of events as an array."""
    try:
        moments = np.asarray(events, np.float64)
    except (TypeError, ValueError) as error:
        message = f"events must be times in seconds, but {type(events).__name__} came: {error}"
        raise AnalysisError(message) from error
    if moments.ndim != 1 or not np.isfinite(moments).all():
        message = (
            f"events must be finite times in seconds, one after another, but an array of shape {moments.shape} came"
        )
        raise AnalysisError(message)
    if not (_is_time(before) and _is_time(after) and before + after > 0):
        message = f"before and after must be seconds that make a window, but {before!r} and {after!r} came"
        raise AnalysisError(message)
    return moments


def _starts(times: SampleTimes, moments: Array, rate: float) -> Array:
    """Return the first sample at or after each moment; counted on before the first sample and after the last."""
    found = times.locate(moments)
    if not times.count:
        return found
    begin, end = times.between(0, 1)[0], times.between(times.count - 1, times.count)[0]
    missing = np.floor((begin - moments) * rate + _ROUNDING).astype(np.int64)
    beyond = times.count - 1 + np.ceil((moments - end) * rate - _ROUNDING).astype(np.int64)
    # No rounding makes a moment after the last sample one before it: `locate` has compared these very floats.
    return np.where(moments < begin, -missing, np.where(moments > end, np.maximum(beyond, times.count), found))


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and math.isfinite(value)


def _check_regular(
    series: TimeSeries, times: SampleTimes, moments: Array, reach: tuple[float, float], count: int
) -> None:
    """Raise where timestamps do not come at the rate that was given."""
    before, after = reach
    held = times.locate(moments + after) - times.locate(moments - before)
    wrong = np.abs(held - count) > 1
    if wrong.any():
        message = (
            f"timestamps of {series.name!r} must come at the rate that was given, but the window around the event at "
            f"{moments[wrong][0]} s holds {held[wrong][0]} samples where {count} are due: leave the event out"
        )
        raise SamplingError(message)


def _outside(series: TimeSeries, times: SampleTimes, what: str, *, all_of_it: bool = False) -> TimeRangeError:
    first, last = (float(times.between(at, at + 1)[0]) for at in (0, times.count - 1)) if times.count else (0.0, 0.0)
    advice = "use outside='drop' or 'nan' to go on" if all_of_it else "choose another one"
    message = f"{what} must lie within {series.name!r}, which reaches from {first} to {last} s: {advice}"
    return TimeRangeError(message)
