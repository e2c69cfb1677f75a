"""Tables that a session has of its own, and what their types can do: electrodes, units, intervals, regions of interest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.errors import SchemaError
from nwbzarr.model.series import TimeSeries
from nwbzarr.model.table_columns import chain_of
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


#: Attributes of the waveform columns of units, by argument.
_WAVEFORM_ATTRIBUTES = {
    "waveform_rate": "sampling_rate",
    "waveform_unit": "unit",
    "waveform_time_before_peak_in_ms": "time_before_peak_in_ms",
}
_WAVEFORM_COLUMNS = ("waveform_mean", "waveform_sd", "waveforms")


class Units(DynamicTable):
    """Sorted units: spike times, waveforms and electrodes of each.

    Parameters
    ----------
    name : str
        ``"units"`` in a session.
    description : str, optional
        How units were found.
    electrode_table : DynamicTable, optional
        Table that the column ``electrodes`` is a region of; the session's by default.
    waveform_rate : float, optional
        Sampling rate of the waveforms, in Hz.
    waveform_unit : str
        Unit of the waveforms.
    waveform_time_before_peak_in_ms : float, optional
        Time before the peak, in ms.
    resolution : float, optional
        Smallest possible difference between two spike times, in s.
    id, columns, colnames, target_tables, meanings_tables
        As for `DynamicTable`.
    """

    default_description = "sorted units"

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; the rest are attributes of columns that may come later."""
        words = ("electrode_table", "resolution", *_WAVEFORM_ATTRIBUTES)
        self._column_attributes = {word: values.pop(word, None) for word in words}
        if self._column_attributes["waveform_unit"] is None:
            self._column_attributes["waveform_unit"] = "volts"
        return super().prepare(values)

    def check(self) -> None:
        """Check the table, and give columns that are there their attributes."""
        super().check()
        for name in self.colnames:
            self._describe_column(name)

    def add_column(self, name: str, *args: Any, **keywords: Any) -> Any:
        """Add a column; see `DynamicTable.add_column`."""
        made = super().add_column(name, *args, **keywords)
        self._describe_column(name)
        return made

    def _describe_column(self, name: str) -> None:
        column = chain_of(self.raw_column(name))[-1]
        given = getattr(self, "_column_attributes", {})
        if name == "electrodes" and "table" not in column.attributes:
            table = given.get("electrode_table") or self.electrode_table
            if table is not None:
                column.set_attribute("table", table)
                column.check_rows(column.data)
        attributes = {}
        if name in _WAVEFORM_COLUMNS:
            attributes = {word: given.get(argument) for argument, word in _WAVEFORM_ATTRIBUTES.items()}
        elif name == "spike_times":
            attributes = {"resolution": given.get("resolution")}
        for word, value in attributes.items():
            if value is not None and word not in column.attributes:
                column.set_attribute(word, value)

    @property
    def electrode_table(self) -> Any:
        """Table that the units' electrodes are rows of, or None."""
        given = getattr(self, "_column_attributes", {}).get("electrode_table")
        if given is not None:
            return given
        column = self.find("electrodes")
        if column is not None and "table" in column.attributes:
            return column.attributes["table"]
        return getattr(self.root, "electrodes", None)

    @property
    def fields(self) -> dict[str, Any]:
        """Values of the fields that are set, by name; those of the columns too."""
        words = ("resolution", *_WAVEFORM_ATTRIBUTES)
        values = {word: getattr(self, word) for word in words}
        return {**super().fields, **{word: value for word, value in values.items() if value is not None}}

    def _column_attribute(self, names: tuple[str, ...], word: str, argument: str) -> Any:
        for name in names:
            column = self.find(name)
            if column is not None and word in column.attributes:
                return column.attributes[word]
        return getattr(self, "_column_attributes", {}).get(argument)

    @property
    def waveform_rate(self) -> Any:
        """Sampling rate of the waveforms, in Hz, or None."""
        return self._column_attribute(_WAVEFORM_COLUMNS, "sampling_rate", "waveform_rate")

    @property
    def waveform_unit(self) -> Any:
        """Unit of the waveforms."""
        return self._column_attribute(_WAVEFORM_COLUMNS, "unit", "waveform_unit") or "volts"

    @property
    def waveform_time_before_peak_in_ms(self) -> Any:
        """Time before the peak of the waveforms, in ms, or None."""
        return self._column_attribute(_WAVEFORM_COLUMNS, "time_before_peak_in_ms", "waveform_time_before_peak_in_ms")

    @property
    def resolution(self) -> Any:
        """Smallest possible difference between two spike times, in s, or None."""
        return self._column_attribute(("spike_times",), "resolution", "resolution")

    def add_unit(  # noqa: PLR0913 - PyNWB's signature
        self,
        spike_times: Any = None,
        obs_intervals: Any = None,
        electrodes: Any = None,
        electrode_group: Any = None,
        waveform_mean: Any = None,
        waveform_sd: Any = None,
        waveforms: Any = None,
        id: int | None = None,  # noqa: A002 - PyNWB's name
        **values: Any,
    ) -> None:
        """Add a unit.

        Parameters
        ----------
        spike_times : array_like of float, optional
            In seconds.
        obs_intervals : array_like, optional
            Start and stop of intervals in which it was observed, in s; shape ``(n, 2)``.
        electrodes : list of int, optional
            Rows of the electrode table.
        electrode_group : ElectrodeGroup, optional
            Its group.
        waveform_mean, waveform_sd : array_like, optional
            Shape ``(num_samples,)`` or ``(num_samples, num_electrodes)``.
        waveforms : array_like, optional
            Waveform of every spike on every electrode; shape ``(num_spikes, num_electrodes, num_samples)``.
        id : int, optional
            Identifier.
        **values
            Values of the other columns.
        """
        given = {
            "spike_times": spike_times,
            "obs_intervals": None if obs_intervals is None else np.atleast_2d(np.asarray(obs_intervals)),
            "electrodes": electrodes,
            "electrode_group": electrode_group,
            "waveform_mean": waveform_mean,
            "waveform_sd": waveform_sd,
            "waveforms": waveforms,
        }
        self.add_row(**{name: value for name, value in given.items() if value is not None}, id=id, **values)

    def get_unit_spike_times(self, index: Any, in_interval: Any = None) -> Any:
        """Return the spike times of a unit, or of several, in seconds.

        Parameters
        ----------
        index : int or list of int
            Rows.
        in_interval : (float, float), optional
            Only spikes from the first time up to the second, both included.
        """
        if isinstance(index, list | tuple):
            return [self.get_unit_spike_times(item, in_interval) for item in index]
        times = np.asarray(self["spike_times"][index])
        if in_interval is None:
            return times
        start, stop = in_interval
        return times[(times >= start) & (times <= stop)]

    def get_starting_time(self) -> float | None:
        """Return the time of the first spike, in seconds, or None without spikes."""
        times = self._all_spike_times()
        return float(times.min()) if times.size else None

    def get_duration(self) -> float | None:
        """Return the time from the first spike to the last, in seconds, or None without spikes."""
        times = self._all_spike_times()
        return float(times.max() - times.min()) if times.size else None

    def _all_spike_times(self) -> np.ndarray[Any, Any]:
        column = self.find("spike_times")
        return np.empty(0) if column is None else np.asarray(column.all_values(), dtype=np.float64)  # type: ignore[attr-defined]

    def get_unit_obs_intervals(self, index: Any) -> Any:
        """Return the intervals in which a unit, or several, was observed; shape ``(n, 2)``, in seconds."""
        if isinstance(index, list | tuple):
            return [self.get_unit_obs_intervals(item) for item in index]
        return np.asarray(self["obs_intervals"][index])


__all__ = ["ElectrodesTable", "EventsTable", "FrequencyBandsTable", "PlaneSegmentation", "TimeIntervals", "Units"]
