"""Levels: what is taken off samples, or what they are divided by."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import dask.array
import numpy as np
from dask.graph_manipulation import clone

from nwbzarr.analysis import kernels
from nwbzarr.analysis.maps import (
    Recipe,
    Told,
    block_rows,
    blocks_of,
    derived,
    mapped,
    result_dtype,
    samples_of,
    spans_of,
)
from nwbzarr.errors import AnalysisError
from nwbzarr.model.windows import scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nwbzarr.model.neurodata import TimeSeries


def common_reference(
    series: TimeSeries,
    how: str = "median",
    *,
    groups: Sequence[Sequence[int]] | None = None,
    dtype: Any = None,
    name: str | None = None,
) -> Any:
    """Return a series less, at each time, the median or mean over its channels.

    Parameters
    ----------
    series : TimeSeries
        The source; its samples have one dimension, channels. Where those have conversions of their own, the result is in
        the series' unit.
    how : {"median", "mean"}
        What is taken off.
    groups : sequence of sequence of int, optional
        Channels that are taken together, those of one shank, say; channels in none of them stay. All by default.
    dtype : dtype-like, optional
        Dtype of the result: float32 unless samples are float64.
    name : str, optional
        Name of the result.

    Raises
    ------
    AnalysisError
        When there are no channels, no such group, or no such way.
    """
    shape = samples_of(series)
    if len(shape) != 2:  # noqa: PLR2004 - times and channels
        message = f"a common reference needs times and channels, but the data of {series.name!r} have shape {shape}"
        raise AnalysisError(message)
    if how not in ("median", "mean"):
        message = f"how must be 'median' or 'mean', but {how!r} came"
        raise AnalysisError(message)
    try:
        listed = None if groups is None else tuple(tuple(map(operator.index, group)) for group in groups)
    except TypeError as error:
        message = f"groups must list channels by whole numbers, group by group, but {groups!r} came"
        raise AnalysisError(message) from error
    members = [member for group in listed or () for member in group]
    if len(set(members)) != len(members) or not all(0 <= member < shape[1] for member in members):
        message = f"groups must list channels from 0 to {shape[1] - 1}, each once at most, but {groups!r} came"
        raise AnalysisError(message)
    scale = None if getattr(series, "channel_conversion", None) is None else scale_of(series)
    text = f"less the {how} over channels"
    told = Told(
        "nwbzarr.analysis.common_reference", {"how": how, "groups": listed}, name, text, offset=0.0,
        is_scaled=scale is not None,
    )  # fmt: skip
    shift = (series.offset or 0.0) / (1.0 if scale is not None else series.conversion)
    parameters = {"how": how, "groups": listed, "scale": scale, "shift": shift}
    return mapped(series, Recipe(kernels.referenced, parameters, dtype=dtype), told)


def detrend(series: TimeSeries, kind: str = "linear", *, dtype: Any = None, name: str | None = None) -> Any:
    """Return a series less, for each channel, its mean or the line that fits it best (`scipy.signal.detrend`).

    Samples are read twice: once for the fit. NaN makes a channel NaN.

    Parameters
    ----------
    series : TimeSeries
        The source.
    kind : {"linear", "constant"}
        What is taken off: a line, or the mean.
    dtype, name
        As for `common_reference`.

    Raises
    ------
    AnalysisError
        When there is no such kind.
    """
    if kind not in ("linear", "constant"):
        message = f"kind must be 'linear' or 'constant', but {kind!r} came"
        raise AnalysisError(message)
    samples, again = _twice(series, result_dtype(series, dtype))
    level, _ = _levels(again)
    found = samples - level
    if kind == "linear" and samples.shape[0] > 1:
        middle = (samples.shape[0] - 1) / 2
        times = dask.array.arange(samples.shape[0], chunks=(samples.chunks[0],), dtype=np.float64) - middle
        times = times.reshape(-1, *[1] * (samples.ndim - 1))
        slope = (again * times).sum(axis=0) / (samples.shape[0] * (samples.shape[0] ** 2 - 1) / 12)
        found = found - slope * times
    told = Told("nwbzarr.analysis.detrend", {"kind": kind}, name, f"{kind} trend removed", offset=0.0)
    return derived(series, _cast(found, result_dtype(series, dtype)), told)


def zscore(series: TimeSeries, *, dtype: Any = None, name: str | None = None) -> Any:
    """Return a series in standard deviations from the mean of each channel (`scipy.stats.zscore`).

    Samples are read twice: once for mean and deviation. NaN makes a channel NaN, and so does a constant one.

    Parameters
    ----------
    series : TimeSeries
        The source.
    dtype, name
        As for `common_reference`.
    """
    samples, again = _twice(series, result_dtype(series, dtype))
    level, varies = _levels(again)
    found = (samples - level) / dask.array.where(varies, again.std(axis=0), np.nan) * np.sign(scale_of(series))
    told = Told(
        "nwbzarr.analysis.zscore", {}, name, "in standard deviations from the mean",
        unit="standard deviations", offset=0.0, is_scaled=True,
    )  # fmt: skip
    return derived(series, _cast(found, result_dtype(series, dtype)), told)


def _twice(series: TimeSeries, dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Return the samples of a series, and the same by other tasks.

    Samples that are needed for a sum over all of them, and afterwards once more, would stay in memory in between.
    """
    shape = samples_of(series)
    samples = blocks_of(series, spans_of(series, block_rows(series, shape, dtype))).astype(np.float64)
    return samples, clone(samples)


def _levels(samples: Any) -> tuple[Any, Any]:
    """Return the mean of each channel, and whether it varies: the mean of equal numbers is one of them, not a rounded sum."""
    least, most = samples.min(axis=0), samples.max(axis=0)
    varies = most > least
    return dask.array.where(varies, samples.mean(axis=0), least), varies


def _cast(samples: Any, dtype: np.dtype[Any]) -> Any:
    return samples.map_blocks(kernels.cast, dtype, dtype=dtype)
