"""Tables that a session has of its own, and what their types can do: electrodes, intervals, regions of interest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.errors import SchemaError
from nwbzarr.model.series import TimeSeries
from nwbzarr.model.tables import DynamicTable

if TYPE_CHECKING:
    from nwbzarr.model.regions import DynamicTableRegion


class ElectrodesTable(DynamicTable):
    """Metadata of extracellular electrodes: where each one is, and the group it belongs to."""

    default_description = "metadata about extracellular electrodes"


class FrequencyBandsTable(DynamicTable):
    """Frequency bands of a decomposition."""

    default_description = "frequency bands of the decomposition"

    def add_band(
        self,
        band_name: str,
        band_limits: Any = None,
        band_mean: float | None = None,
        band_stdev: float | None = None,
        **values: Any,
    ) -> None:
        """Add a band.

        Parameters
        ----------
        band_name : str
            Its name.
        band_limits : (float, float)
            In Hz.
        band_mean, band_stdev : float, optional
            Mean and standard deviation of a Gaussian filter, in Hz.
        **values
            Values of the other columns.
        """
        given = {"band_name": band_name, "band_limits": band_limits, "band_mean": band_mean, "band_stdev": band_stdev}
        self.add_row({word: value for word, value in given.items() if value is not None}, **values)


class EventsTable(DynamicTable):
    """Events in time: one row for each, with its time in seconds."""

    default_description = "events"

    def add_event(self, timestamp: float, **values: Any) -> None:
        """Add an event.

        Parameters
        ----------
        timestamp : float
            When it happened, in seconds.
        **values
            Values of the other columns.
        """
        self.add_row(timestamp=timestamp, **values)


class TimeIntervals(DynamicTable):
    """Intervals in time: start and stop in seconds, and anything else that is known of each."""

    default_description = "experimental intervals"

    def add_interval(
        self, start_time: float, stop_time: float, tags: Any = None, timeseries: Any = None, **values: Any
    ) -> None:
        """Add an interval.

        Parameters
        ----------
        start_time, stop_time : float
            In seconds from the session's reference time.
        tags : str or list of str, optional
            Words that describe it; one text may hold several, with commas between.
        timeseries : TimeSeries or list of TimeSeries, optional
            Series that it is an interval of; the samples between its times are referred to.
        **values
            Values of the other columns.
        """
        if tags is not None:
            words = tags.split(",") if isinstance(tags, str) else tags
            values["tags"] = [word.strip() if isinstance(tags, str) else word for word in words if str(word).strip()]
        series = [timeseries] if isinstance(timeseries, TimeSeries) else list(timeseries or ())
        if series or (timeseries is not None and "timeseries" in self.colnames):
            values["timeseries"] = [samples_between(item, start_time, stop_time) for item in series]
        self.add_row(start_time=start_time, stop_time=stop_time, **values)

    def get_starting_time(self) -> float | None:
        """Return the earliest start, in seconds, or None without intervals."""
        return float(np.min(self["start_time"].all_values())) if len(self) else None

    def get_duration(self) -> float | None:
        """Return the time from the earliest start to the latest stop, in seconds, or None without intervals."""
        start = self.get_starting_time()
        return None if start is None else float(np.max(self["stop_time"].all_values())) - start


def samples_between(item: Any, start_time: float, stop_time: float) -> Any:
    """Return the samples of a series between two times: first sample, number of samples, series.

    A series of timestamps is searched by bisection; a triple that names samples already is taken as it is.
    """
    if not isinstance(item, TimeSeries):
        return item
    if item.rate is not None:
        begin = float(item.starting_time or 0.0)
        first = int((start_time - begin) * item.rate)
        stop = int((stop_time - begin) * item.rate)
    elif item.timestamps is not None:
        times = item.timestamps
        first, stop = bisect_times(times, start_time), bisect_times(times, stop_time)
    else:
        message = f"the series {item.name!r} must have a rate or timestamps to find samples by time, but has neither"
        raise SchemaError(message)
    return (first, stop - first, item)


def bisect_times(times: Any, moment: float) -> int:
    """Return how many times come before a moment; lazy timestamps are read a value at a time."""
    if isinstance(times, np.ndarray | list | tuple):
        return int(np.searchsorted(np.asarray(times), moment))
    low, high = 0, len(times)
    while low < high:
        middle = (low + high) // 2
        if float(times[middle]) < moment:
            low = middle + 1
        else:
            high = middle
    return low


class PlaneSegmentation(DynamicTable):
    """Regions of interest in an imaging plane: pixels, voxels or a whole mask for each.

    Parameters
    ----------
    description : str
        How regions were found.
    imaging_plane : ImagingPlane
        The plane.
    name : str
        Name of the table; that of the plane when None.
    reference_images : ImageSeries or list of ImageSeries, optional
        Images that regions were drawn on.
    id, columns, colnames
        As for `DynamicTable`.
    """

    imaging_plane: Any

    def construct(self, values: dict[str, Any]) -> None:
        """Make this table a new one, named after its plane when it has no name."""
        plane = values.get("imaging_plane")
        values["name"] = values.get("name") or getattr(plane, "name", None)
        super().construct(values)

    def add_roi(
        self,
        pixel_mask: Any = None,
        voxel_mask: Any = None,
        image_mask: Any = None,
        id: int | None = None,  # noqa: A002 - PyNWB's name
        **values: Any,
    ) -> int:
        """Add a region of interest, and return its row.

        Parameters
        ----------
        pixel_mask : list of (x, y, weight), optional
            Pixels that belong to it.
        voxel_mask : list of (x, y, z, weight), optional
            Voxels that belong to it.
        image_mask : array_like, optional
            Weight of every pixel; shape ``(num_x, num_y)`` or ``(num_x, num_y, num_z)``.
        id : int, optional
            Identifier.
        **values
            Values of the other columns.

        Raises
        ------
        SchemaError
            When no mask is given.
        """
        masks = {"pixel_mask": pixel_mask, "voxel_mask": voxel_mask, "image_mask": image_mask}
        given = {name: mask for name, mask in masks.items() if mask is not None}
        if not given:
            message = "a region of interest must have a pixel_mask, a voxel_mask or an image_mask, but none came"
            raise SchemaError(message)
        for name in ("pixel_mask", "voxel_mask"):
            if name in given:
                given[name] = [tuple(row) for row in given[name]]
        self.add_row(**given, id=id, **values)
        return len(self) - 1

    def create_roi_table_region(
        self, description: str, region: Any = slice(None), name: str = "rois"
    ) -> DynamicTableRegion:
        """Return a region of this table: which regions of interest a series is of."""
        return self.create_region(name=name, region=region, description=description)

    @staticmethod
    def pixel_to_image(pixel_mask: Any) -> np.ndarray[Any, Any]:
        """Return pixels with weights as an image just large enough."""
        rows = [tuple(row) for row in pixel_mask]
        image = np.zeros((max(int(row[0]) for row in rows) + 1, max(int(row[1]) for row in rows) + 1))
        for x, y, weight in rows:
            image[int(x), int(y)] = weight
        return image

    @staticmethod
    def image_to_pixel(image_mask: Any) -> list[tuple[int, int, float]]:
        """Return the pixels of an image that are not zero, with their weights."""
        image = np.asarray(image_mask)
        return [(int(x), int(y), float(image[x, y])) for x, y in zip(*np.nonzero(image), strict=True)]
