"""Filters and rates: what makes of every channel, by itself, another one.

Blocks overlap by as much as a filter's impulse response needs to die down, so that the result is that of SciPy on the
whole array but for `tolerance` times the largest sample. Unless said otherwise results are in the unit of the source,
with its conversion.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import scipy.signal

from nwbzarr.analysis import kernels
from nwbzarr.analysis.maps import Recipe, Told, check_number, check_whole, mapped, real_samples, samples_of
from nwbzarr.errors import AnalysisError
from nwbzarr.model.timing import rate_of

if TYPE_CHECKING:
    from nwbzarr.model.neurodata import TimeSeries

#: Error at the edges of blocks, relative to the largest sample.
TOLERANCE: Final = 1e-6

#: Band over half the sampling rate, ripple in dB, and order of the filter before decimation (`scipy.signal.decimate`).
_DECIMATION: Final = (0.8, 0.05, 8)


def bandpass(  # noqa: PLR0913
    series: TimeSeries,
    low: float,
    high: float,
    *,
    order: int = 5,
    zero_phase: bool = True,
    tolerance: float = TOLERANCE,
    dtype: Any = None,
    name: str | None = None,
) -> Any:
    """Return a series of which a Butterworth filter passes a band.

    Parameters
    ----------
    series : TimeSeries
        The source, with a rate.
    low, high : float
        Edges of the band, in Hz.
    order : int
        Order of the filter; `zero_phase` doubles it.
    zero_phase : bool
        Whether it is run both ways (`scipy.signal.sosfiltfilt`), so that nothing is shifted in time; else forwards
        (`scipy.signal.sosfilt`, from rest).
    tolerance : float
        Largest error at the edges of blocks, relative to the largest sample.
    dtype : dtype-like, optional
        Dtype of the result: float32 unless samples are float64. For integers values are rounded.
    name : str, optional
        Name of the result.

    Raises
    ------
    SamplingError
        When the series has timestamps instead of a rate.
    AnalysisError
        When the band does not lie between 0 Hz and half the rate, or the series is shorter than the filter needs; when
        it is computed, for samples that are no numbers.
    """
    how = {"order": order, "zero_phase": zero_phase, "tolerance": tolerance}
    return _butterworth(bandpass, series, {"low": low, "high": high}, how, dtype, name, 0.0)


def highpass(  # noqa: PLR0913
    series: TimeSeries,
    edge: float,
    *,
    order: int = 5,
    zero_phase: bool = True,
    tolerance: float = TOLERANCE,
    dtype: Any = None,
    name: str | None = None,
) -> Any:
    """Return a series of which a Butterworth filter passes what is above an edge, in Hz; see `bandpass`."""
    how = {"order": order, "zero_phase": zero_phase, "tolerance": tolerance}
    return _butterworth(highpass, series, {"edge": edge}, how, dtype, name, 0.0)


def lowpass(  # noqa: PLR0913
    series: TimeSeries,
    edge: float,
    *,
    order: int = 5,
    zero_phase: bool = True,
    tolerance: float = TOLERANCE,
    dtype: Any = None,
    name: str | None = None,
) -> Any:
    """Return a series of which a Butterworth filter passes what is below an edge, in Hz; see `bandpass`."""
    how = {"order": order, "zero_phase": zero_phase, "tolerance": tolerance}
    return _butterworth(lowpass, series, {"edge": edge}, how, dtype, name)


def notch(  # noqa: PLR0913
    series: TimeSeries,
    frequency: float,
    *,
    quality: float = 30.0,
    zero_phase: bool = True,
    tolerance: float = TOLERANCE,
    dtype: Any = None,
    name: str | None = None,
) -> Any:
    """Return a series without one frequency: mains hum, say.

    Parameters
    ----------
    series, zero_phase, tolerance, dtype, name
        As for `bandpass`.
    frequency : float
        What goes, in Hz.
    quality : float
        That frequency over the width of the notch (`scipy.signal.iirnotch`).

    Raises
    ------
    SamplingError, AnalysisError
        As `bandpass` raises them.
    """
    rate = _check_band(series, "a notch filter", frequency)
    check_number(quality, "the quality of a notch", least=0.0, above=True)
    sos = scipy.signal.tf2sos(*scipy.signal.iirnotch(frequency, quality, fs=rate))
    text = f"notch at {frequency:g} Hz, quality {quality:g}{_ways(zero_phase)}"
    given = {"frequency": frequency, "quality": quality, "zero_phase": zero_phase, "tolerance": tolerance}
    return _filtered(series, sos, zero_phase, tolerance, dtype, _told(notch, given, name, text))


def moving_average(series: TimeSeries, width: float, *, dtype: Any = None, name: str | None = None) -> Any:
    """Return a series of means over time.

    Parameters
    ----------
    series : TimeSeries
        The source, with a rate.
    width : float
        Of the window around each sample, in seconds; made an odd number of samples. Beyond the ends the first and the
        last sample go on.
    dtype, name
        As for `bandpass`.

    Raises
    ------
    SamplingError, AnalysisError
        When there is no rate; when the window is wider than the series, or has no width; when it is computed, for
        samples that are no numbers.
    """
    rate = rate_of(series, "a moving average in seconds")
    check_number(width, "width", least=0.0, above=True)
    samples = 2 * int(width * rate / 2) + 1
    if samples > real_samples(series, "a moving average")[0]:
        raise _too_wide(series, f"a window of {width!r} s ({samples:,} samples)")
    recipe = Recipe(
        kernels.moving_average, {"width": samples}, samples // 2, samples // 2, dtype=dtype, by_line=True, finite=True
    )
    text = f"mean over {samples / rate:g} s"
    return mapped(series, recipe, _told(moving_average, {"width": width}, name, text))


def envelope(series: TimeSeries, *, overlap: float = 1.0, dtype: Any = None, name: str | None = None) -> Any:
    """Return the amplitude over time of a series that oscillates: the absolute value of its analytic signal.

    Parameters
    ----------
    series : TimeSeries
        The source, with a rate: best one that was band-passed.
    overlap : float
        Samples that blocks share, in seconds. A Hilbert transform reaches over the whole series; what is left out falls
        with the number of periods in the overlap: with twenty of them some thousandths of the largest amplitude. At the
        ends of the series nothing goes on, where SciPy has the other end follow.
    dtype, name
        As for `bandpass`.

    Raises
    ------
    SamplingError, AnalysisError
        As `bandpass` raises them.
    """
    rate = rate_of(series, "an envelope")
    check_number(overlap, "overlap", least=0.0, above=True)
    around = min(math.ceil(overlap * rate), real_samples(series, "an envelope")[0])
    recipe = Recipe(kernels.envelope, {"beyond": around}, around, around, dtype=dtype, by_line=True, finite=True)
    return mapped(series, recipe, _told(envelope, {"overlap": overlap}, name, "envelope (Hilbert transform)", 0.0))


def decimate(
    series: TimeSeries, factor: int, *, tolerance: float = TOLERANCE, dtype: Any = None, name: str | None = None
) -> Any:
    """Return every so manieth sample, after a low-pass filter (`scipy.signal.decimate` with its defaults).

    Parameters
    ----------
    series, tolerance, dtype, name
        As for `bandpass`.
    factor : int
        Samples that one is made of.

    Raises
    ------
    SamplingError, AnalysisError
        As `bandpass` raises them; and when `factor` is no whole number above 1.
    """
    rate_of(series, "decimation")
    check_whole(factor, "factor", least=2)
    band, ripple, order = _DECIMATION
    sos = scipy.signal.cheby1(order, ripple, band / factor, output="sos")
    reach = _check_length(series, sos, tolerance)
    parameters = {"sos": sos, "factor": int(factor)}
    recipe = Recipe(
        kernels.decimated, parameters, reach, reach, down=int(factor), dtype=dtype, by_line=True, finite=True
    )
    return mapped(series, recipe, _told(decimate, {"factor": int(factor)}, name, f"every {factor}th sample"))


def resample(series: TimeSeries, rate: float, *, dtype: Any = None, name: str | None = None) -> Any:
    """Return a series at another rate, by a polyphase filter (`scipy.signal.resample_poly` with its defaults).

    Parameters
    ----------
    series, dtype, name
        As for `bandpass`.
    rate : float
        Of the result, in Hz; its ratio to that of the series must be one of small whole numbers.

    Raises
    ------
    SamplingError, AnalysisError
        As `bandpass` raises them; and when there are no such numbers.
    """
    before = rate_of(series, "resampling")
    check_number(rate, "rate", least=0.0, above=True)
    real_samples(series, "resampling")
    up, down = kernels.fraction_of(before, rate)
    # resample_poly's filter has 10 samples of the slower rate on each side.
    reach = -(-10 * max(up, down) // up) + 1
    recipe = Recipe(
        kernels.resampled, {"up": up, "down": down}, reach, reach, up, down, dtype=dtype, by_line=True, finite=True
    )
    return mapped(series, recipe, _told(resample, {"rate": rate}, name, f"resampled to {rate:g} Hz"))


def _filtered(  # noqa: PLR0913
    series: TimeSeries, sos: Any, zero_phase: bool, tolerance: float, dtype: Any, told: Told
) -> Any:
    reach = _check_length(series, sos, tolerance)
    parameters = {"sos": sos, "zero_phase": zero_phase}
    after = reach if zero_phase else 0
    return mapped(
        series, Recipe(kernels.sos_filter, parameters, reach, after, dtype=dtype, by_line=True, finite=True), told
    )


def _butterworth(  # noqa: PLR0913 - what the filters of its kinds are given
    function: Any,
    series: TimeSeries,
    edges: dict[str, float],
    how: dict[str, Any],
    dtype: Any,
    name: str | None,
    offset: float | None = None,
) -> Any:
    """Return a series through a Butterworth filter, of the kind that the function is named after."""
    kind, order, zero_phase = function.__name__, how["order"], how["zero_phase"]
    passes = kind.replace("pass", "-pass")
    check_whole(order, "order", least=1)
    rate = _check_band(series, f"a {passes} filter", *edges.values())
    sos = scipy.signal.butter(order, np.squeeze([*edges.values()]), kind, fs=rate, output="sos")
    band = " to ".join(f"{edge:g}" for edge in edges.values())
    text = f"{passes} {band} Hz, Butterworth of order {order}{_ways(zero_phase)}"
    told = _told(function, {**edges, **how}, name, text, offset)
    return _filtered(series, sos, zero_phase, how["tolerance"], dtype, told)


def _check_band(series: TimeSeries, what: str, *edges: float) -> float:
    """Return the rate, or raise unless the edges of a band lie in order between 0 Hz and half of it."""
    rate = rate_of(series, what)
    limits = (0.0, *edges, rate / 2)
    if not all(first < second for first, second in pairwise(limits)):
        shown = " to ".join(f"{edge:g}" for edge in edges)
        message = (
            f"{what} needs edges in order between 0 Hz and half the sampling rate ({rate / 2:g} Hz for {series.name!r}), "
            f"but {shown} Hz came"
        )
        raise AnalysisError(message)
    return rate


def _check_length(series: TimeSeries, sos: Any, tolerance: float) -> int:
    """Return how far a filter reaches, or raise when the series is shorter than its start needs."""
    if not 0 < tolerance < 1:
        message = f"tolerance must lie between 0 and 1, but {tolerance!r} came"
        raise AnalysisError(message)
    padding: int = 3 * (2 * len(sos) + 1 - int(min((sos[:, 2] == 0).sum(), (sos[:, 5] == 0).sum())))
    if real_samples(series, "a filter")[0] <= padding:
        raise _too_wide(series, f"a filter that needs more than {padding} samples")
    # A block is never shorter than what SciPy continues at its ends.
    return max(kernels.reach_of(sos, tolerance), padding + 1)


def _too_wide(series: TimeSeries, what: str) -> AnalysisError:
    message = (
        f"{what} must fit into the series, but {series.name!r} has {samples_of(series)[0]:,} samples: choose a wider band, a "
        "lower order or a shorter window"
    )
    return AnalysisError(message)


def _ways(zero_phase: bool) -> str:
    return " forwards and backwards" if zero_phase else " forwards"


def _told(function: Any, given: dict[str, Any], name: str | None, text: str, offset: float | None = None) -> Told:
    return Told(f"nwbzarr.analysis.{function.__name__}", given, name, text, offset=offset)
