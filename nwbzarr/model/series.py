"""Time series, and the series whose data follow rules of their own: images, intervals, annotations, indices.

The classes add to their types what the schema cannot say: rules between fields, and what a link carries along.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nwbzarr.arrays.stored import import_graphs
from nwbzarr.errors import MissingFieldError, SchemaError
from nwbzarr.model.containers import NWBDataInterface
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.growth import append_samples
from nwbzarr.model.sharing import carried_by_link, shared_dataset
from nwbzarr.model.values import shape_of

if TYPE_CHECKING:
    from nwbzarr.model.windows import Aligned, Window

_CARRIED = ("unit", "resolution", "conversion", "offset", "continuity")


class TimeSeries(NWBDataInterface):
    """Samples over time.

    Parameters
    ----------
    name : str
        Name of the series.
    data : array_like, iterator of blocks, ZarrDataIO or TimeSeries
        Samples, time first: shape ``(num_times, …)``. Another series, or a lazy array of a stored one, is linked.
    unit : str
        Unit of ``data * conversion + offset``: ``"volts"``, ``"m"`` …
    resolution : float
        Smallest meaningful difference in `data`, in `unit`; -1.0 when unknown.
    conversion, offset : float
        Factor and addend that turn `data` into `unit`.
    timestamps : array_like or TimeSeries, optional
        Time of every sample, in seconds from the session's reference time. Another series shares its timestamps.
    starting_time : float, optional
        Time of the first sample, in seconds; 0.0 when only `rate` is given.
    rate : float, optional
        Samples per second, in Hz, instead of timestamps.
    comments, description : str
        In people's words.
    control : array_like of uint8, optional
        Label of every sample; shape ``(num_times,)``.
    control_description : list of str, optional
        What each label means.
    continuity : str, optional
        ``"continuous"``, ``"instantaneous"`` or ``"step"``.

    Raises
    ------
    MissingFieldError, FieldTypeError, SchemaError
        When a value is missing, of the wrong type, or does not fit the others.

    Notes
    -----
    NWB schema, nwb.base.yaml, TimeSeries.
    """

    data: Any
    unit: str
    resolution: float
    conversion: float
    offset: float
    continuity: str | None
    timestamps: Any
    starting_time: float | None
    rate: float | None
    comments: str
    description: str
    control: Any
    control_description: tuple[str, ...] | None

    #: Whether a series of this type may come without times.
    timeless = False
    #: The unit comes with data that is linked.
    following = frozenset({"unit"})

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set: shared data and timestamps become links, which carry their target's attributes."""
        if values.get("rate") is not None and values.get("starting_time") is None:
            values["starting_time"] = 0.0
        self._times = (values.get("timestamps"), values.get("rate"), values.get("starting_time"))
        values["data"] = shared_dataset(values.get("data"), "data")
        values["timestamps"] = shared_dataset(values.get("timestamps"), "timestamps")
        if isinstance(values["data"], Dataset):
            given = {word: values.pop(word, None) for word in _CARRIED}
            defaults = {word: self.schema_fields[word].default for word in _CARRIED if word in self.schema_fields}
            asked = {word: value for word, value in given.items() if value != defaults.get(word)}
            values.update(carried_by_link(self.name, values["data"], asked))
        return values

    def check(self) -> None:
        """Raise when times or lengths do not fit."""
        self._check_times(*self.__dict__.pop("_times"))
        self._check_lengths()

    def check_whole(self) -> None:
        """Raise when lengths do not fit; those of iterators are known when their blocks have ended."""
        super().check_whole()
        self._check_lengths()

    @property
    def num_samples(self) -> int | None:
        """Number of samples, or None while the data is an iterator of blocks."""
        shape = shape_of(self.data)
        return shape[0] if shape else None

    def window(self, start: float, stop: float) -> Window:
        """Return the samples from one time up to another; they are read when they are touched.

        Parameters
        ----------
        start, stop : float
            In seconds from the session's reference time; samples at `start` and later, before `stop`. A window that
            reaches beyond the series ends with it.

        Raises
        ------
        TimeRangeError
            When it lies outside of the series as a whole.
        SamplingError
            When samples have no times, or timestamps are not in order.
        AnalysisError
            When `stop` is before `start`, or one is no time.
        """
        from nwbzarr.model.windows import window_of

        return window_of(self, start, stop)

    def align(
        self, events: Any, before: float, after: float, *, outside: str = "raise", rate: float | None = None
    ) -> Aligned:
        """Return windows around events, trials, times, channels; they are read when they are touched.

        Parameters
        ----------
        events : array_like of float
            Times in seconds: of stimuli, or the spike times of a unit.
        before, after : float
            How far windows reach, in seconds. Each holds the first samples at or after ``event - before``, as many as
            there are in ``before + after`` seconds.
        outside : {"raise", "drop", "nan"}
            What to do with windows that the series does not hold all of.
        rate : float, optional
            Samples per second, in Hz; needed just for series with timestamps, and checked against them.

        Raises
        ------
        TimeRangeError
            When a window lies outside, and `outside` is ``"raise"``.
        SamplingError
            When samples have no times, or irregular ones.
        AnalysisError
            When something else about the arguments is wrong.
        """
        from nwbzarr.model.windows import aligned

        return aligned(self, events, before, after, outside=outside, rate=rate)

    def to_dask(self) -> Any:
        """Return the data as a Dask array: in blocks of the stored objects where it is stored. Nothing is requested.

        Raises
        ------
        MissingExtraError
            When Dask is not installed.
        """
        graphs = import_graphs()
        to_dask = getattr(self.data, "to_dask", None)
        return graphs.as_dask(self.data) if to_dask is None else to_dask()

    def to_xarray(self) -> Any:
        """Return the data as an `xarray.DataArray` on Dask, with a time coordinate and what is known of the channels.

        Raises
        ------
        MissingExtraError
            When xarray or Dask is not installed.
        """
        from nwbzarr.model.xarrays import as_data_array

        return as_data_array(self)

    def append(self, data: Any, timestamps: Any = None, control: Any = None) -> None:
        """Add samples at the end; the next write in mode ``r+`` or ``a`` stores them.

        Parameters
        ----------
        data : array_like
            Samples of the series' dtype; shape ``(num_times, …)``.
        timestamps : array_like, optional
            Their times, in seconds; needed just when the series has timestamps of its own.
        control : array_like, optional
            Their labels; needed just when the series has labels.

        Raises
        ------
        SchemaError, FieldTypeError
            When something is missing or too much, or does not fit what is there; nothing is added then.
        """
        append_samples(self, {"data": data, "timestamps": timestamps, "control": control})

    def _check_times(self, timestamps: Any, rate: float | None, starting_time: float | None) -> None:
        """Raise unless either timestamps or a rate says when samples were taken."""
        if (timestamps is None) == (rate is None):
            if rate is None and self.timeless:
                return
            found = "neither" if rate is None else "both"
            message = f"{self.schema_type} {self.name!r} must have either timestamps or rate, but {found} came"
            raise SchemaError(message)
        if timestamps is not None and starting_time is not None:
            message = f"{self.schema_type} {self.name!r} has timestamps, so starting_time says nothing: leave it out"
            raise SchemaError(message)
        if rate is not None and not 0 < rate < math.inf:
            message = f"TimeSeries.rate of {self.name!r} must be positive and finite, in Hz, but {rate!r} came"
            raise SchemaError(message)

    def _check_lengths(self) -> None:
        """Raise when there is not one timestamp and one control label for each sample."""
        samples = self.num_samples
        for field in ("timestamps", "control"):
            values = getattr(self, field)
            shape = None if values is None else shape_of(values)
            if samples is not None and shape and shape[0] != samples:
                message = (
                    f"{self.schema_type} {self.name!r} must have one of {field} for each sample, "
                    f"but {shape[0]} {field} and {samples} samples came"
                )
                raise SchemaError(message)


class SpatialSeries(TimeSeries):
    """Position in space over time; see `TimeSeries`.

    Parameters
    ----------
    reference_frame : str, optional
        What position zero means.
    unit : str
        Unit of the position; ``"meters"`` by default.
    """


class IntervalSeries(TimeSeries):
    """Begin and end of intervals: `data` is positive where one begins, negative where it ends; see `TimeSeries`."""

    timeless = True

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; a series may begin without intervals."""
        return super().prepare(_begun_empty(values))

    def add_interval(self, start: float, stop: float) -> None:
        """Add an interval, in seconds."""
        self.find("data").add_rows([1, -1])  # type: ignore[union-attr]
        self.find("timestamps").add_rows([float(start), float(stop)])  # type: ignore[union-attr]


class AnnotationSeries(TimeSeries):
    """Texts over time; see `TimeSeries`."""

    timeless = True

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; a series may begin without texts."""
        return super().prepare(_begun_empty(values))

    def add_annotation(self, time: float, annotation: str) -> None:
        """Add a text.

        Parameters
        ----------
        time : float
            In seconds.
        annotation : str
            The text.
        """
        self.find("data").add_rows([annotation])  # type: ignore[union-attr]
        self.find("timestamps").add_rows([float(time)])  # type: ignore[union-attr]


def _begun_empty(values: dict[str, Any]) -> dict[str, Any]:
    """Return values with empty lists for data and timestamps where none were given."""
    for word in ("data", "timestamps"):
        if values.get(word) is None:
            values[word] = []
    return values


class ImageSeries(TimeSeries):
    """Images over time, here or in files elsewhere; see `TimeSeries`.

    Parameters
    ----------
    data : array_like, optional
        Frames: shape ``(frame, x, y)`` or ``(frame, x, y, z)``; left out when the images are in files.
    external_file : list of str, optional
        Paths of files, relative to the session.
    starting_frame : list of int, optional
        Number of the first frame of each file; needed when there are several.
    format : str, optional
        ``"external"`` for files, ``"raw"`` otherwise.
    dimension : list of int, optional
        Pixels along x, y (and z).
    bits_per_pixel : int, optional
        Bits of one pixel; kept by older versions of the schema.
    device : Device, optional
        What recorded the images.
    """

    timeless = True
    external_file: Any
    starting_frame: Any
    format: Any

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set: files have a format, a unit that means nothing, and no data.

        Raises
        ------
        MissingFieldError
            When there are neither frames nor files.
        """
        bits = values.pop("bits_per_pixel", None)
        self._bits = bits
        files = values.get("external_file")
        if files is None and values.get("data") is None:
            message = f"{self.schema_type} {self.name!r} must have data or external_file, but got neither"
            raise MissingFieldError(message)
        if files is not None:
            files = values["external_file"] = [files] if isinstance(files, str) else files
            self._take_files(values, len(files))
        if values.get("unit") is None:
            values["unit"] = self.schema_fields["unit"].default or "unknown"
        return super().prepare(values)

    def _take_files(self, values: dict[str, Any], count: int) -> None:
        if values.get("starting_frame") is None:
            if count > 1:
                message = f"{self.schema_type} {self.name!r} has {count} files, so that it must have a starting_frame for each"
                raise MissingFieldError(message)
            values["starting_frame"] = [0]
        if values.get("data") is None:
            # Readers expect data; PyNWB writes an empty array.
            import numpy as np

            values["data"] = np.empty((0, 0, 0), dtype=np.uint8)
        if values.get("format") in (None, "raw"):
            values["format"] = "external"

    def check(self) -> None:
        """Raise when frames of files, times or lengths do not fit."""
        bits = self.__dict__.pop("_bits")
        if bits is not None:
            self.add_member(Dataset("bits_per_pixel", bits))
        if self.external_file is not None:
            starts = self.starting_frame
            if starts is not None and len(starts) != len(self.external_file):
                message = (
                    f"{self.schema_type} {self.name!r} must have a starting_frame for each of its "
                    f"{len(self.external_file)} files, but {len(starts)} came"
                )
                raise SchemaError(message)
        super().check()

    @property
    def fields(self) -> dict[str, Any]:
        """Values of the fields that are set, by name; a number of frames only where it is stored."""
        found = super().fields
        if "num_samples" not in self:
            found.pop("num_samples", None)
        return found

    @property
    def bits_per_pixel(self) -> Any:
        """Bits of one pixel, or None; not in newer versions of the schema."""
        found = self.find("bits_per_pixel")
        return found.data if isinstance(found, Dataset) else None

    def check_whole(self) -> None:
        """Raise when lengths do not fit; those of iterators are known when their blocks have ended."""
        super().check_whole()
        self._check_lengths()

    @property
    def num_samples(self) -> int | None:
        """Number of frames; None while it is not known."""
        stored = self.find("num_samples")
        if isinstance(stored, Dataset):
            return int(stored.data)
        shape = shape_of(self.data) if self.data is not None else None
        if self.external_file is not None:
            times = None if self.timestamps is None else shape_of(self.timestamps)
            return times[0] if times else None
        return shape[0] if shape else None

    def _check_lengths(self) -> None:
        if self.external_file is None:
            super()._check_lengths()


class IndexSeries(TimeSeries):
    """Indices of frames or images over time; see `TimeSeries`.

    Parameters
    ----------
    data : array_like of int
        Numbers of frames, counted from 0.
    indexed_timeseries : ImageSeries, optional
        Series whose frames are meant.
    indexed_images : Images, optional
        Images that are meant.
    """

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; an index has no unit."""
        values["unit"] = None
        return super().prepare(values)


class DecompositionSeries(TimeSeries):
    """Spectral decomposition of a series: shape ``(num_times, num_channels, num_bands)``; see `TimeSeries`.

    Parameters
    ----------
    metric : str
        ``"phase"``, ``"amplitude"``, ``"power"`` …
    bands : FrequencyBandsTable, optional
        The bands; `add_band` adds to it.
    source_timeseries : TimeSeries, optional
        What was decomposed.
    source_channels : DynamicTableRegion, optional
        Channels of the source, as rows of the electrode table.
    """

    bands: Any

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; the table of bands is there from the start."""
        if values.get("bands") is None:
            from nwbzarr.model.session_tables import FrequencyBandsTable

            values["bands"] = FrequencyBandsTable()
        return super().prepare(values)

    def add_band(self, *args: Any, **values: Any) -> None:
        """Add a band; see `FrequencyBandsTable.add_band`."""
        self.bands.add_band(*args, **values)
