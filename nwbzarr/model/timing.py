"""When samples were taken: from a time to a sample, and back.

A rate is arithmetic. Timestamps are searched by bisection over their chunks, so that a few chunks are read of however
many there are. Times are in seconds. This room refuses to read data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nwbzarr.errors import SamplingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nwbzarr.model.series import TimeSeries

Array = np.ndarray[Any, Any]

#: Chunks of timestamps that are read side by side.
_SIDE_BY_SIDE = 16

#: Rows that are looked at together where timestamps have no chunks.
_ROWS = 65_536


class SampleTimes(Protocol):
    """Times of the samples of a series."""

    @property
    def count(self) -> int:
        """Number of samples."""

    @property
    def rate(self) -> float | None:
        """Samples per second, in Hz; None where timestamps say when samples were taken."""

    def locate(self, times: Array) -> Array:
        """Return, for each time, the number of samples before it: the first sample at that time or later."""

    def between(self, start: int, stop: int) -> Array:
        """Return the times of samples `start` to `stop`, in seconds."""


@dataclass(frozen=True, slots=True)
class RegularTimes:
    """Sample ``i`` was taken at ``start + i / rate``.

    Attributes
    ----------
    start : float
        Time of the first sample, in seconds.
    rate : float
        In Hz.
    count : int
        Number of samples.
    """

    start: float
    rate: float
    count: int

    def locate(self, times: Array) -> Array:
        """Return the number of samples before each time, exact for these very floats."""
        found = np.ceil((np.asarray(times, np.float64) - self.start) * self.rate)
        found = np.clip(found, 0, self.count).astype(np.int64)
        while (late := (found > 0) & (self._at(found - 1) >= times)).any():
            found -= late
        while (early := (found < self.count) & (self._at(found) < times)).any():
            found += early
        return found

    def between(self, start: int, stop: int) -> Array:
        """Return the times of samples `start` to `stop`, in seconds."""
        return self._at(np.arange(start, stop))

    def _at(self, samples: Array) -> Array:
        times: Array = self.start + samples / self.rate
        return times


@dataclass(frozen=True, eq=False)
class StampedTimes:
    """Every sample has its own time, none before that of the sample before it.

    Attributes
    ----------
    stamps : array_like
        Times in seconds; shape ``(count,)``.
    name : str
        The series, for messages.
    """

    stamps: Any
    name: str

    @property
    def rate(self) -> None:
        """None: samples may come at any time."""
        return

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self.stamps)

    def between(self, start: int, stop: int) -> Array:
        """Return the times of samples `start` to `stop`, in seconds."""
        return np.asarray(self.stamps[start:stop])

    def locate(self, times: Array) -> Array:
        """Return the number of samples before each time.

        Raises
        ------
        SamplingError
            When timestamps that are looked at are not in order, or no numbers.
        """
        wanted, inverse = np.unique(np.asarray(times, np.float64), return_inverse=True)
        blocks = self._blocks_of(wanted)
        found = np.zeros(len(wanted), np.int64)
        needed = np.unique(blocks[blocks >= 0]).tolist()
        for start in range(0, len(needed), _SIDE_BY_SIDE):
            some = needed[start : start + _SIDE_BY_SIDE]
            parts = [slice(block * self._rows, min((block + 1) * self._rows, self.count)) for block in some]
            for block, part, stamps in zip(some, parts, self._read(parts), strict=True):
                self._check_order(stamps, part.start)
                here = blocks == block
                found[here] = part.start + np.searchsorted(stamps, wanted[here])
        return found[inverse].reshape(np.shape(times))

    @property
    def _rows(self) -> int:
        """Rows that are looked at together."""
        chunks = getattr(self.stamps, "chunks", None)
        first = chunks[0] if chunks else _ROWS
        return int(max(first) if isinstance(first, tuple) else first)

    def _blocks_of(self, times: Array) -> Array:
        """Return, for each time, the last block that begins before it; -1 where none does."""
        low, high = np.zeros(len(times), np.int64), np.full(len(times), -(-self.count // self._rows))
        known = np.full(int(high.max(initial=0)), np.nan)
        looked = np.zeros(len(known), bool)
        while (undecided := low < high).any():
            middle = np.where(undecided, (low + high) // 2, 0)
            unknown = np.setdiff1d(middle[undecided], np.flatnonzero(looked)).tolist()
            firsts = self._read([slice(block * self._rows, block * self._rows + 1) for block in unknown])
            known[unknown] = [float(first[0]) for first in firsts]
            looked[unknown] = True
            before = undecided & (known[middle] < times)
            low = np.where(before, middle + 1, low)
            high = np.where(undecided & ~before, middle, high)
        self._check_order(known[looked], None)
        return low - 1

    def _read(self, parts: Sequence[slice]) -> list[Array]:
        read_many = getattr(self.stamps, "read_many", None)
        found = read_many(parts) if read_many is not None else [self.stamps[part] for part in parts]
        return [np.asarray(part) for part in found]

    def _check_order(self, stamps: Array, start: int | None) -> None:
        wrong = np.isnan(stamps) | np.concatenate([[False], ~(np.diff(stamps) >= 0)])
        if wrong.any():
            message = (
                f"timestamps of {self.name!r} must be numbers that do not decrease, but they do not "
                f"{'at sample' if start is not None else 'from chunk to chunk before sample'} "
                f"{wrong.argmax() + (start or 0) if start is not None else self.count:,}: "
                "mend them, or give rate and starting_time"
            )
            raise SamplingError(message)


def times_of(series: TimeSeries) -> SampleTimes:
    """Return the times of a series' samples.

    Raises
    ------
    SamplingError
        When it has none, or data of a length that is not known.
    """
    count = series.num_samples
    if count is None:
        message = f"{series.name!r} must have samples to look at, but its data is an iterator of blocks: write it first"
        raise SamplingError(message)
    if series.rate is not None:
        return RegularTimes(float(series.starting_time or 0.0), float(series.rate), count)
    if series.timestamps is None:
        message = f"{series.name!r} must have a rate or timestamps to be looked at by time, but it has neither"
        raise SamplingError(message)
    stamps = series.timestamps
    return StampedTimes(np.asarray(stamps, np.float64) if isinstance(stamps, list | tuple) else stamps, series.name)


def rate_of(series: TimeSeries, purpose: str) -> float:
    """Return the rate of a series, in Hz.

    Parameters
    ----------
    series : TimeSeries
        The series.
    purpose : str
        What needs it, for the message.

    Raises
    ------
    SamplingError
        When it has timestamps instead, which may be irregular.
    """
    if series.rate is None:
        message = (
            f"{purpose} needs samples at a constant rate, but {series.name!r} has timestamps, which may be irregular: make "
            "a series with rate= and starting_time= where they are not, or interpolate it first"
        )
        raise SamplingError(message)
    return float(series.rate)
