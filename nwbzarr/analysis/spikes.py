"""Spikes in a series: samples that stand out of the noise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import dask.array
import numpy as np

from nwbzarr.analysis.kernels import SPIKE, FindSpikes
from nwbzarr.analysis.maps import block_rows, blocks_of, check_number, check_whole, real_samples, spans_of
from nwbzarr.errors import AnalysisError
from nwbzarr.model.timing import rate_of
from nwbzarr.model.windows import scale_of

if TYPE_CHECKING:
    from nwbzarr.model.neurodata import TimeSeries

#: Median absolute deviation over standard deviation, for normal noise.
_NORMAL: Final = 0.6744897501960817


def noise_levels(series: TimeSeries, *, pieces: int = 20, length: float = 0.5) -> np.ndarray[Any, Any]:
    """Return the noise of each channel, in the series' unit: its median absolute deviation as a standard deviation.

    Parameters
    ----------
    series : TimeSeries
        The source, with a rate: best one that was band-passed.
    pieces : int
        How many pieces are looked at, spread evenly; all of a series that is shorter.
    length : float
        Of a piece, in seconds.

    Notes
    -----
    Quian Quiroga, Nadasdy and Ben-Shaul, Neural Computation 16 (2004), equation 3.1.
    """
    rate, shape = rate_of(series, "a noise level"), real_samples(series, "a noise level")
    check_whole(pieces, "pieces", least=1)
    check_number(length, "length", least=0.0, above=True)
    size = max(int(length * rate), 1)
    starts = np.linspace(0, max(shape[0] - size, 0), pieces).astype(int) if size * pieces < shape[0] else [0]
    stops = [start + size if len(starts) > 1 else shape[0] for start in starts]
    samples = series.to_dask()
    piece = np.asarray(dask.array.concatenate([samples[a:b] for a, b in zip(starts, stops, strict=True)]))
    deviation = np.median(np.abs(piece - np.median(piece, axis=0)), axis=0) / _NORMAL
    return np.asarray(np.abs(deviation * scale_of(series)))


def detect_spikes(series: TimeSeries, threshold: Any, *, apart: float = 1e-3) -> Any:
    """Return the spikes of each channel: the most extreme samples beyond a threshold.

    Parameters
    ----------
    series : TimeSeries
        The source, with a rate: best one that was band-passed.
    threshold : float or array_like
        In the series' unit, negative for downward spikes; one for all channels, or one for each:
        ``-5 * noise_levels(series)``.
    apart : float
        A spike is the most extreme sample from so many seconds before it to as many after; the first of equal ones.

    Returns
    -------
    dask.array.Array
        Of rows with ``sample``, ``time`` (s), ``channel`` and ``amplitude`` (in the series' unit), by time. How many
        there are is known when it is computed.

    Raises
    ------
    SamplingError, AnalysisError
        When there is no rate; when the threshold is zero, no number, or not one for each channel.
    """
    rate, shape = rate_of(series, "spike detection"), real_samples(series, "spike detection")
    check_number(apart, "apart", least=0.0)
    channels = math.prod(shape[1:])
    try:
        asked = np.broadcast_to(np.asarray(threshold, np.float64).ravel(), (channels,))
    except (TypeError, ValueError) as error:
        message = (
            f"threshold must be one number, or one for each of {channels} channels, but {np.shape(threshold)} came"
        )
        raise AnalysisError(message) from error
    offset = float(series.offset or 0.0)
    scale = np.broadcast_to(scale_of(series), shape[1:]).ravel()
    stored = (asked - offset) / scale
    if not np.isfinite(stored).all() or not asked.all():
        message = f"a threshold must be a number other than zero, in {series.unit}, but {threshold!r} came"
        raise AnalysisError(message)
    around = max(round(apart * rate), 1)
    spans = spans_of(series, block_rows(series, shape, np.dtype(np.float32)), around, around)
    blocks = blocks_of(series, spans)
    blocks = blocks.reshape(blocks.shape[0], -1).rechunk((blocks.chunks[0], -1)) if blocks.ndim != 2 else blocks  # noqa: PLR2004
    start = float(series.starting_time or 0.0)
    return blocks.map_blocks(
        FindSpikes(spans, stored, np.sign(asked) * np.sign(scale), around, scale, offset, start, rate),
        dtype=SPIKE,
        drop_axis=[1],
        chunks=((math.nan,) * spans.count,),
        meta=np.empty(0, SPIKE),
    )
