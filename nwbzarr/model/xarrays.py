"""Series as `xarray.DataArray`, on Dask; xarray is an extra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nwbzarr.arrays.stored import import_graphs
from nwbzarr.extras import import_extra
from nwbzarr.model.timing import RegularTimes, times_of

if TYPE_CHECKING:
    from nwbzarr.model.series import TimeSeries

#: Dimensions after the first, by neurodata type (NWB schema, the dims of data).
_DIMENSIONS: Final = {
    "DecompositionSeries": ("channel", "band"),
    "ImageSeries": ("x", "y", "z"),
    "ElectricalSeries": ("channel", "sample"),
}

#: What a DataArray says of the values, beside the values.
_DESCRIPTIVE: Final = ("unit", "conversion", "offset", "resolution", "description", "comments", "filtering")


def as_data_array(series: TimeSeries) -> Any:
    """Return a series as a DataArray; see `TimeSeries.to_xarray`.

    Times of a regular series are computed from a range when they are looked at; timestamps stay on Dask.
    """
    xr = import_extra("xarray", "arrays with coordinates need xarray", "xarray")
    data = series.to_dask()
    names = next((_DIMENSIONS[kind.__name__] for kind in type(series).__mro__ if kind.__name__ in _DIMENSIONS), ())
    names = ("time", *(names or ("channel",)))
    names = (*names, *(f"dim{axis}" for axis in range(len(names), data.ndim)))[: data.ndim]
    attributes = {word: value for word in _DESCRIPTIVE if (value := getattr(series, word, None)) is not None}
    array = xr.DataArray(data, dims=names, name=series.name, attrs=attributes)
    return array.assign_coords(_times(series, xr)).assign_coords(_channels(series, data.shape, names))


def _times(series: TimeSeries, xr: Any) -> Any:
    times = times_of(series)
    if isinstance(times, RegularTimes) and times.count:
        stop = times.start + times.count / times.rate
        index = xr.indexes.RangeIndex.linspace(times.start, stop, num=times.count, endpoint=False, dim="time")
        return xr.Coordinates.from_xindex(index)
    stamps = series.timestamps if not isinstance(times, RegularTimes) else np.empty(0)
    lazy = stamps.to_dask() if hasattr(stamps, "to_dask") else import_graphs().as_dask(stamps)
    # Without an index, which would read them all.
    return xr.Coordinates({"time": ("time", lazy, {"unit": "seconds"})}, indexes={})


def _channels(series: TimeSeries, shape: tuple[int, ...], names: tuple[str, ...]) -> dict[str, Any]:
    """Return what the electrode table says of the channels, as coordinates."""
    region = getattr(series, "electrodes", None)
    if region is None or "channel" not in names or len(region) != shape[names.index("channel")]:
        return {}
    table, rows = region.table, np.asarray(region.data[:])
    found: dict[str, Any] = {"channel": ("channel", np.asarray(table.id[:])[rows])}
    for name in table.colnames:
        values = np.asarray(table[name][:])
        if values.ndim == 1 and (values.dtype.kind in "iufb" or all(isinstance(value, str) for value in values)):
            found[f"electrode_{name}"] = (
                "channel",
                values[rows].astype(str if values.dtype.kind == "O" else values.dtype),
            )
    return found
