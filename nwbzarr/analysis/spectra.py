"""Spectra: of a whole series, averaged over segments, and over time. Frequencies are in Hz, values in the unit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import dask.array
import numpy as np
import scipy.signal

from nwbzarr.analysis.kernels import Segments, SpectraOfBlock
from nwbzarr.analysis.maps import block_rows, blocks_of, check_number, real_samples, spans_of
from nwbzarr.analysis.provenance import note_provenance
from nwbzarr.arrays.graphs import meta_of
from nwbzarr.errors import AnalysisError
from nwbzarr.model.neurodata import DecompositionSeries
from nwbzarr.model.timing import rate_of
from nwbzarr.model.windows import in_unit, scale_of

if TYPE_CHECKING:
    from nwbzarr.model.neurodata import TimeSeries

#: Decoded bytes of channels that are transformed together, over all times.
_TRANSFORMED_BYTES: Final = 256 * 2**20


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Values by frequency.

    Attributes
    ----------
    frequencies : numpy.ndarray
        In Hz; shape ``(num_frequencies,)``.
    values : dask.array.Array
        Shape ``(num_frequencies, …)``; computed when they are asked for.
    unit : str
        Their unit.
    """

    frequencies: np.ndarray[Any, Any]
    values: Any
    unit: str

    def compute(self) -> np.ndarray[Any, Any]:
        """Return the values."""
        found: np.ndarray[Any, Any] = np.asarray(self.values)
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.asarray(self.values, dtype=dtype)

    def __repr__(self) -> str:
        return f"<Spectrum of shape {self.values.shape} up to {self.frequencies[-1]:g} Hz, {self.unit}>"


def fft(series: TimeSeries) -> Spectrum:
    """Return the discrete Fourier transform of each channel of real samples (`numpy.fft.rfft`, not scaled).

    A channel is transformed as a whole, by one task: it needs memory for it, 16 bytes for each sample.

    Parameters
    ----------
    series : TimeSeries
        The source, with a rate.

    Raises
    ------
    SamplingError
        When the series has timestamps instead of a rate.
    """
    rate, shape = rate_of(series, "a spectrum"), real_samples(series, "a spectrum of frequencies above zero")
    together = max(_TRANSFORMED_BYTES // (shape[0] * 8), 1)
    chunks = (shape[0], *(min(size, together) for size in shape[1:2]), *((1,) * len(shape[2:])))
    samples = in_unit(series, series.to_dask().astype(np.float64)).rechunk(chunks)
    return Spectrum(np.fft.rfftfreq(shape[0], 1 / rate), dask.array.fft.rfft(samples, axis=0), series.unit)


def welch(  # noqa: PLR0913
    series: TimeSeries,
    segment: float = 1.0,
    *,
    overlap: float = 0.5,
    window: Any = "hann",
    detrend: str = "constant",
    scaling: str = "density",
) -> Spectrum:
    """Return the power spectrum of each channel, averaged over segments (`scipy.signal.welch`).

    Parameters
    ----------
    series : TimeSeries
        The source, with a rate.
    segment : float
        Length of a segment, in seconds: frequencies are ``1 / segment`` apart.
    overlap : float
        Part of a segment that it shares with the next, from 0 up to 1.
    window : str or tuple
        A window of `scipy.signal.get_window`.
    detrend : {"constant", "linear"}
        What is taken off each segment.
    scaling : {"density", "spectrum"}
        Power by Hz (unit²/Hz), or power (unit²).

    Raises
    ------
    SamplingError, AnalysisError
        When there is no rate; when a segment is longer than the series, or an argument has no such value.
    """
    blocks, segments, kernel = _segments(series, segment, overlap, _options(window, detrend, scaling), summed=True)
    channels = math.prod(blocks.shape[1:])
    sums = _apply(blocks, kernel, ((1,) * blocks.numblocks[0], (channels,), (segments.size // 2 + 1,)))
    mean = (sums.sum(axis=0) / segments.total).T
    values = mean.reshape(mean.shape[0], *blocks.shape[1:])
    return Spectrum(np.fft.rfftfreq(segments.size, 1 / kernel.rate), values, _power_unit(series, scaling))


def spectrogram(  # noqa: PLR0913
    series: TimeSeries,
    segment: float = 0.1,
    *,
    overlap: float = 0.5,
    window: Any = "hann",
    detrend: str = "constant",
    scaling: str = "density",
    name: str | None = None,
) -> Any:
    """Return the power of each channel over time and frequency (`scipy.signal.spectrogram`).

    Parameters
    ----------
    series, segment, overlap, window, detrend, scaling
        As for `welch`; frequencies are the ``bands`` of the result.
    name : str, optional
        Name of the result.

    Returns
    -------
    DecompositionSeries
        Times, channels, bands, in float32; a sample stands at the middle of its segment.

    Raises
    ------
    SamplingError, AnalysisError
        As `welch` raises them.
    """
    options = _options(window, detrend, scaling)
    blocks, segments, kernel = _segments(series, segment, overlap, options, summed=False)
    counts = tuple(segments.within(block) for block in range(blocks.numblocks[0]))
    channels, bands = math.prod(blocks.shape[1:]), segments.size // 2 + 1
    data = _apply(blocks, kernel, (counts, (channels,), (bands,))).astype(np.float32)
    made: Any = DecompositionSeries(
        name=name or f"{series.name}_spectrogram",
        data=data[: segments.total],
        unit=_power_unit(series, scaling),
        metric="power",
        rate=kernel.rate / segments.hop,
        starting_time=(series.starting_time or 0.0) + segments.size / 2 / kernel.rate,
        description=f"spectrogram of {series.name}, segments of {segments.size / kernel.rate:g} s",
    )
    for frequency in np.fft.rfftfreq(segments.size, 1 / kernel.rate):
        half = kernel.rate / segments.size / 2
        limits = (max(frequency - half, 0.0), min(frequency + half, kernel.rate / 2))
        made.add_band(band_name=f"{frequency:g} Hz", band_limits=limits)
    given = {"segment": segment, "overlap": overlap, "window": window, "detrend": detrend, "scaling": scaling}
    note_provenance(made, series, "nwbzarr.analysis.spectrogram", given)
    return made


def _segments(
    series: TimeSeries, segment: float, overlap: float, options: dict[str, Any], *, summed: bool
) -> tuple[Any, Segments, SpectraOfBlock]:
    """Return blocks of whole segments, what segments there are, and what makes spectra of them."""
    rate, shape = rate_of(series, "a spectrum"), real_samples(series, "a power spectrum")
    for value, what in ((segment, "segment"), (overlap, "overlap")):
        check_number(value, what, least=0.0)
    size = round(segment * rate)
    if not 1 < size <= shape[0]:
        message = (
            f"a segment must be longer than a sample and no longer than the series, {shape[0] / rate:g} s of "
            f"{series.name!r}, but {segment!r} s came"
        )
        raise AnalysisError(message)
    if not 0 <= overlap < 1:
        message = f"overlap must be a part of a segment, from 0 up to 1, but {overlap!r} came"
        raise AnalysisError(message)
    # Parts that were given as a quotient are not to lose a sample to its rounding.
    hop = max(size - math.floor(size * overlap + 1e-9), 1)
    # Blocks begin where a segment does.
    spans = spans_of(series, max(block_rows(series, shape, np.dtype(np.float32)), size), 0, size - 1, 1, hop)
    scale = np.broadcast_to(scale_of(series), shape[1:]).ravel()
    kernel = SpectraOfBlock(Segments(shape[0], size, hop, spans.step), rate, options, summed, scale)
    return blocks_of(series, spans), kernel.segments, kernel


def _apply(blocks: Any, kernel: SpectraOfBlock, chunks: tuple[tuple[int, ...], ...]) -> Any:
    flat = blocks if blocks.ndim == 2 else blocks.reshape(blocks.shape[0], -1)  # noqa: PLR2004
    flat = flat.rechunk((blocks.chunks[0], -1))
    return flat.map_blocks(
        kernel,
        dtype=np.float64,
        chunks=chunks,
        new_axis=[2],
        meta=meta_of(3, np.float64),
        name=f"spectra-{dask.base.tokenize(blocks.name, kernel)}",
    )


def _options(window: Any, detrend: str, scaling: str) -> dict[str, Any]:
    """Return what SciPy takes, checked."""
    if detrend not in ("constant", "linear"):
        message = f"detrend must be 'constant' or 'linear', but {detrend!r} came"
        raise AnalysisError(message)
    if scaling not in ("density", "spectrum"):
        message = f"scaling must be 'density' or 'spectrum', but {scaling!r} came"
        raise AnalysisError(message)
    try:
        scipy.signal.get_window(window, 8)
    except ValueError as error:
        message = f"window must be one of scipy.signal.get_window, but {window!r} came: {error}"
        raise AnalysisError(message) from error
    return {"window": window, "detrend": detrend, "scaling": scaling}


def _power_unit(series: TimeSeries, scaling: str) -> str:
    return f"{series.unit}**2/Hz" if scaling == "density" else f"{series.unit}**2"
