"""What tasks do to the samples of one block: SciPy, and nothing of NWB.

Functions that treat each channel by itself take *lines*: float64, shape ``(channels, times)``. Workers import this
room, but no model and no session.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.fft
import scipy.ndimage
import scipy.signal

from nwbzarr.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from nwbzarr.arrays.spans import Spans

Array = np.ndarray[Any, Any]

#: Values of channels that are computed together: what a filter needs beside a block is some copies of these. As float64
#: they are less than 32 MB, beyond which glibc gives the pages of an array back to the kernel each time.
_TOGETHER = 3 * 2**20

#: Values that are turned round together: so many stay in a processor's cache.
_TURNED = 2**15

#: What `find_spikes` gives.
SPIKE = np.dtype([("sample", np.int64), ("time", np.float64), ("channel", np.int64), ("amplitude", np.float64)])


@dataclass(frozen=True)
class ApplyToBlock:
    """Applies a function to one block, which has rows of its neighbours, and keeps its own rows.

    Attributes
    ----------
    function : callable
        Takes a block, and the parameters by name.
    parameters : mapping
        Parameters by name.
    spans : Spans
        Which rows are taken, and which are kept.
    dtype : numpy.dtype
        Dtype of what is given; integers are rounded, and end at the limits of the dtype.
    by_line : bool
        Whether the function takes lines, some channels at a time.
    finite : bool
        Whether every value must be a number.
    name : str
        The series, for messages.
    """

    function: Callable[..., Any]
    parameters: Mapping[str, Any]
    spans: Spans
    dtype: np.dtype[Any]
    by_line: bool = False
    finite: bool = False
    name: str = field(default="", compare=False)

    def __call__(self, block: Array, block_id: tuple[int, ...] = ()) -> Array:
        """Return what a block gives."""
        kept = self.spans.kept(block_id[0])
        if self.finite:
            check_finite(block, self.spans.taken(block_id[0]).start, self.name)
        if not self.by_line:
            made = np.asarray(self.function(block, **self.parameters))
            due = -(-len(block) * self.spans.up // self.spans.down)
            if len(made) != due:
                message = (
                    f"a function over blocks of {self.name!r} must give as many samples as it takes, {due}, but {len(made)} "
                    "came"
                )
                raise AnalysisError(message)
            return cast(made[kept], self.dtype)
        flat = block.reshape(len(block), -1)
        made = np.empty((kept.stop - kept.start, flat.shape[1]), self.dtype)
        group = max(_TOGETHER // max(len(block), 1), 1)
        for first in range(0, flat.shape[1], group):
            lines = lines_of(flat[:, first : first + group])
            put_lines(self.function(lines, **self.parameters)[:, kept], made[:, first : first + group])
        return made.reshape(len(made), *block.shape[1:])


def lines_of(block: Array) -> Array:
    """Return a block, shape ``(times, channels)``, as lines."""
    lines = np.empty(block.shape[::-1], np.float64)
    for part in _parts_of(block):
        lines[:, part] = block[part].T
    return lines


def put_lines(lines: Array, block: Array) -> None:
    """Put lines into a block, in its dtype; see `cast`."""
    for part in _parts_of(block):
        block[part] = cast(lines[:, part], block.dtype).T


def _parts_of(block: Array) -> Iterator[slice]:
    samples = max(_TURNED // max(block.shape[1], 1), 1)
    return (slice(start, start + samples) for start in range(0, len(block), samples))


def cast(values: Array, dtype: np.dtype[Any]) -> Array:
    """Return values in a dtype; for integers they are rounded, and end at its limits."""
    if dtype.kind not in "iu" or values.dtype.kind != "f":
        return values.astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    found = np.rint(values.astype(np.result_type(values.dtype, np.float32), copy=False))
    # The largest integers may be no floats of this kind: those next to them would be too large.
    top = found.dtype.type(limits.max)
    is_exact = int(top) == limits.max
    top = top if is_exact else np.nextafter(top, found.dtype.type(0))
    beyond = None if is_exact else found > top
    np.clip(found, limits.min, top, out=found)
    if np.isnan(found.min(initial=0)):
        message = f"{dtype} has no NaN, but the results hold some: ask for a dtype of floats"
        raise AnalysisError(message)
    made: Array = found.astype(dtype)
    if beyond is not None:
        made[beyond] = limits.max
    return made


def check_finite(block: Array, start: int, name: str) -> None:
    """Raise `AnalysisError` for a block with values that are no numbers."""
    if block.dtype.kind not in "fc" or np.isfinite(block).all():
        return
    first = np.argwhere(~np.isfinite(block))[0]
    place = f"sample {start + first[0]:,}" + (f" of channel {first[1]}" if len(first) > 1 else "")
    message = (
        f"samples of {name!r} must be numbers here, but {block[tuple(first)]} came at {place}: one would spread over all "
        "that follows; fill gaps first, or work on the windows between them"
    )
    raise AnalysisError(message)


# Functions of lines.


def sos_filter(lines: Array, sos: Array, *, zero_phase: bool) -> Array:
    """Return lines filtered by second-order sections, forwards or both ways."""
    found = scipy.signal.sosfiltfilt(sos, lines, axis=-1) if zero_phase else scipy.signal.sosfilt(sos, lines, axis=-1)
    return np.asarray(found)


def decimated(lines: Array, sos: Array, factor: int) -> Array:
    """Return every so manieth sample of lines that were filtered both ways."""
    return sos_filter(lines, sos, zero_phase=True)[:, ::factor]


def resampled(lines: Array, up: int, down: int) -> Array:
    """Return lines at another rate, by a polyphase filter."""
    return np.asarray(scipy.signal.resample_poly(lines, up, down, axis=-1))


def moving_average(lines: Array, width: int) -> Array:
    """Return the means of `width` samples around each; the first and the last sample go on beyond the ends."""
    return np.asarray(scipy.ndimage.uniform_filter1d(lines, width, axis=-1, mode="nearest"))


def envelope(lines: Array, beyond: int) -> Array:
    """Return the absolute values of the analytic signal of lines that nothing follows for some samples."""
    length = lines.shape[-1]
    analytic = scipy.signal.hilbert(lines, scipy.fft.next_fast_len(length + beyond), axis=-1)
    return np.asarray(np.abs(analytic[..., :length]))


# Functions of blocks.


def referenced(
    block: Array, how: str, groups: Sequence[Sequence[int]] | None, scale: Array | None, shift: float
) -> Array:
    """Return samples less the mean or median over channels, for each group of channels by itself."""
    values = (block.astype(np.float64) if scale is None else block * scale) + shift
    for group in [range(values.shape[1])] if groups is None else groups:
        members = values[:, list(group)]
        reference = np.median(members, axis=1) if how == "median" else members.mean(axis=1)
        values[:, list(group)] = members - reference[:, None]
    return values


# Functions of segments: what begins in a block belongs to it, and reaches into the next.


@dataclass(frozen=True, slots=True)
class Segments:
    """Overlapping segments of a series.

    Attributes
    ----------
    length : int
        Samples of the series.
    size, hop : int
        Samples of a segment, and from the start of one to the start of the next.
    step : int
        Samples of a block; a multiple of `hop`.
    """

    length: int
    size: int
    hop: int
    step: int

    @property
    def total(self) -> int:
        """Number of segments."""
        return max((self.length - self.size) // self.hop + 1, 0)

    def within(self, block: int) -> int:
        """Return how many segments begin in a block."""
        each = self.step // self.hop
        return min(max(self.total - block * each, 0), each)


@dataclass(frozen=True)
class SpectraOfBlock:
    """Power spectra of the segments that begin in a block.

    Attributes
    ----------
    segments : Segments
        Which.
    rate : float
        In Hz.
    options : mapping
        What `scipy.signal.spectrogram` takes: ``window``, ``detrend``, ``scaling``.
    summed : bool
        Whether their sum is given, and not each.
    scale : numpy.ndarray
        What samples of each channel are multiplied by.
    """

    segments: Segments
    rate: float
    options: Mapping[str, Any]
    summed: bool
    scale: Array

    def __call__(self, block: Array, block_id: tuple[int, ...] = ()) -> Array:
        """Return spectra: shape ``(segments, channels, frequencies)``, or one sum of them."""
        count, size, hop = self.segments.within(block_id[0]), self.segments.size, self.segments.hop
        flat = block.reshape(len(block), -1)
        channels, bands = flat.shape[1], size // 2 + 1
        if not count:
            return np.zeros((1 if self.summed else 0, channels, bands))
        used = flat[: (count - 1) * hop + size]
        made = np.empty((1 if self.summed else count, channels, bands))
        group = max(_TOGETHER // len(used), 1)
        for first in range(0, channels, group):
            lines = lines_of(used[:, first : first + group]) * self.scale[first : first + group, None]
            _, _, power = scipy.signal.spectrogram(
                lines, self.rate, nperseg=size, noverlap=size - hop, mode="psd", axis=-1, **self.options
            )
            made[:, first : first + group] = power.sum(-1)[None] if self.summed else np.moveaxis(power, -1, 0)
        return made


@dataclass(frozen=True)
class FindSpikes:
    """Finds the extreme samples beyond a threshold.

    Attributes
    ----------
    spans : Spans
        Which samples are taken.
    thresholds : numpy.ndarray
        One for each channel, in what is stored.
    signs : numpy.ndarray
        -1 for each channel whose spikes go down in what is stored, else 1.
    apart : int
        A spike is the most extreme of so many samples before and after it.
    scale, offset, start, rate : float
        What makes an amplitude and a time of what is stored.
    """

    spans: Spans
    thresholds: Array
    signs: Array
    apart: int
    scale: Any
    offset: float
    start: float
    rate: float

    def __call__(self, block: Array, block_id: tuple[int, ...] = ()) -> Array:
        """Return the spikes of a block, by time."""
        taken, kept = self.spans.taken(block_id[0]), self.spans.kept(block_id[0])
        flat = block.reshape(len(block), -1)
        parts = []
        for channel in range(flat.shape[1]):
            line = flat[:, channel] * float(self.signs[channel])
            (beyond,) = np.nonzero(line[kept] >= self.thresholds[channel] * self.signs[channel])
            rows = [row for row in (beyond + kept.start).tolist() if self._is_extreme(line, row)]
            made = np.empty(len(rows), SPIKE)
            made["sample"] = np.array(rows, np.int64) + taken.start
            made["channel"], made["time"] = channel, self.start + made["sample"] / self.rate
            scale = self.scale if np.ndim(self.scale) == 0 else self.scale[channel]
            made["amplitude"] = flat[rows, channel] * scale + self.offset
            parts.append(made)
        found = np.concatenate(parts) if parts else np.empty(0, SPIKE)
        return found[np.lexsort((found["channel"], found["sample"]))]

    def _is_extreme(self, line: Array, row: int) -> bool:
        """Whether a sample is the largest near it; of equal ones the first."""
        before = line[max(row - self.apart, 0) : row]
        after = line[row + 1 : row + 1 + self.apart]
        return bool((before < line[row]).all() and (after <= line[row]).all())


def reach_of(sos: Array, tolerance: float) -> int:
    """Return after how many samples the impulse response of a filter has died down.

    What is left of the response sums up to less than `tolerance`, so that the error of a block is less than that times
    the largest sample, however the response of the rest adds up.

    Parameters
    ----------
    sos : numpy.ndarray
        Second-order sections.
    tolerance : float
        Relative to the largest sample.
    """
    length = 1024
    while True:
        impulse = np.zeros(length)
        impulse[0] = 1.0
        left = np.cumsum(np.abs(scipy.signal.sosfilt(sos, impulse))[::-1])[::-1]
        limit = tolerance / (4.0 * max(left[0], 1.0))
        (below,) = np.nonzero(left <= limit)
        # Half of what was looked at must be quiet: the rest of an exponential decay then is, too.
        if below.size and below[0] <= length // 2:
            return int(below[0])
        if length > _LONGEST:
            message = (
                f"a filter must die down within {_LONGEST:,} samples, but this one does not: choose a higher lower edge, "
                "a wider band, or a lower order"
            )
            raise AnalysisError(message)
        length *= 2


#: Longest impulse response that blocks may need of their neighbours, in samples.
_LONGEST = 2**25


def fraction_of(rate: float, wanted: float) -> tuple[int, int]:
    """Return the whole numbers whose ratio leads from one rate to another.

    Raises
    ------
    AnalysisError
        When no small ones do.
    """
    from fractions import Fraction

    ratio = Fraction(wanted / rate).limit_denominator(10_000)
    if not math.isclose(rate * ratio, wanted, rel_tol=1e-9):
        message = f"rates must have a ratio of small whole numbers, but {rate} and {wanted} Hz do not"
        raise AnalysisError(message)
    return ratio.numerator, ratio.denominator
