"""The types every session is made of: time series, processing modules, scratch data, device, subject.

Each class adds to its schema type what the schema cannot say: a signature, and rules between fields.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from nwbzarr.errors import SchemaError
from nwbzarr.model.containers import Container, NWBContainer, NWBData, NWBDataInterface
from nwbzarr.model.data_io import ZarrDataIO
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.elements import Element
from nwbzarr.model.values import shape_of

if TYPE_CHECKING:
    from datetime import datetime


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

    def __init__(  # noqa: PLR0913 - PyNWB's signature
        self,
        name: str,
        data: Any = None,
        unit: str | None = None,
        resolution: float | None = None,
        conversion: float | None = None,
        timestamps: Any = None,
        starting_time: float | None = None,
        rate: float | None = None,
        comments: str | None = None,
        description: str | None = None,
        control: Any = None,
        control_description: Any = None,
        continuity: str | None = None,
        offset: float | None = None,
    ) -> None:
        if rate is not None and starting_time is None:
            starting_time = 0.0
        carried = {
            "unit": unit,
            "resolution": resolution,
            "conversion": conversion,
            "offset": offset,
            "continuity": continuity,
        }
        samples = _shared(data, "data")
        if isinstance(samples, Dataset):
            carried = _carried_by_link(name, samples, carried)
        super().__init__(
            name=name,
            data=samples,
            timestamps=_shared(timestamps, "timestamps"),
            starting_time=starting_time,
            rate=rate,
            comments=comments,
            description=description,
            control=control,
            control_description=control_description,
            **carried,
        )
        self._check_times(timestamps, rate, starting_time)
        self._check_lengths()

    @property
    def num_samples(self) -> int | None:
        """Number of samples, or None while the data is an iterator of blocks."""
        shape = shape_of(self.data)
        return shape[0] if shape else None

    def _check_times(self, timestamps: Any, rate: float | None, starting_time: float | None) -> None:
        """Raise unless either timestamps or a rate says when samples were taken."""
        if (timestamps is None) == (rate is None):
            found = "neither" if rate is None else "both"
            message = f"TimeSeries {self.name!r} must have either timestamps or rate, but {found} came"
            raise SchemaError(message)
        if timestamps is not None and starting_time is not None:
            message = f"TimeSeries {self.name!r} has timestamps, so starting_time says nothing: leave it out"
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
                    f"TimeSeries {self.name!r} must have one of {field} for each sample, "
                    f"but {shape[0]} {field} and {samples} samples came"
                )
                raise SchemaError(message)


def _shared(value: Any, field: str) -> Any:
    """Return the dataset to link when the value is another series or its lazy array, else the value itself."""
    if isinstance(value, TimeSeries):
        dataset = value.find(field)
        if dataset is None:
            message = (
                f"TimeSeries {value.name!r} cannot share its {field}: it has none; "
                "give rate and starting_time instead of the series"
            )
            raise SchemaError(message)
        return dataset
    if isinstance(value, ZarrDataIO):
        return _shared_or_laid_out(value, field)
    dataset = getattr(value, "dataset", None)
    return dataset if isinstance(dataset, Element) else value


def _shared_or_laid_out(value: ZarrDataIO, field: str) -> Any:
    """Return the dataset to link, or the data with its layout."""
    inner = _shared(value.data, field) if value.link_data else value.data
    if not isinstance(inner, Dataset):
        return value
    if value.has_layout:
        message = f"a linked dataset keeps its target's layout: give link_data=False to copy {field} into another one"
        raise SchemaError(message)
    return inner


def _carried_by_link(name: str, dataset: Dataset, given: dict[str, Any]) -> dict[str, Any]:
    """Return what may still be set: nothing that a linked dataset says already.

    A link carries the attributes of its target. To take another unit silently for the caller's would be wrong data.
    """
    for field, value in given.items():
        stored = dataset.attributes.get(field)
        if value is not None and value != stored:
            message = (
                f"TimeSeries {name!r} links the data of another series, whose {field} is {stored!r}, but {field}="
                f"{value!r} came: a link keeps its target's {field}; leave it out, or copy the data with "
                "ZarrDataIO(data, link_data=False)"
            )
            raise SchemaError(message)
    return {"unit": dataset.attributes.get("unit")}


class ProcessingModule(NWBContainer):
    """A collection of processed data that belong together.

    Parameters
    ----------
    name : str
        Name of the module: ``"ecephys"``, ``"behavior"`` …
    description : str
        What was done.
    data_interfaces : list, optional
        Containers to begin with.
    """

    description: str

    def __init__(self, name: str, description: str, data_interfaces: Any = ()) -> None:
        super().__init__(name=name, description=description)
        for container in data_interfaces or ():
            self.add(container)

    def add(self, container: Any) -> None:
        """Add a container under its name.

        Raises
        ------
        FieldTypeError
            When it is no container.
        DuplicateNameError
            When the name is taken.
        """
        if not isinstance(container, Element) or container.neurodata_type is None:
            message = f"ProcessingModule {self.name!r} holds containers, but {type(container).__name__} came"
            raise SchemaError(message)
        self.add_member(container)

    add_container = add
    add_data_interface = add

    def get(self, name: str, default: Any = None) -> Any:
        """Return a container by name, or `default`."""
        return super().get(name, default)

    get_container = get
    get_data_interface = get

    @property
    def containers(self) -> dict[str, Element]:
        """Containers by name."""
        return self.children

    data_interfaces = containers


class ScratchData(NWBData):
    """One-off results of an analysis, of any form.

    Parameters
    ----------
    name : str
        Name of the data.
    data : array_like or scalar
        Numbers (complex ones too), texts or truth values.
    notes : str
        What it is. `description` is another word for it.
    """

    notes: str

    def __init__(
        self,
        name: str,
        data: Any,
        notes: str | None = None,
        description: str | None = None,
    ) -> None:
        if notes is not None and description is not None:
            message = f"ScratchData {name!r} takes notes or description, two words for one field, but both came"
            raise SchemaError(message)
        super().__init__(name, data, notes=notes if notes is not None else description)

    @property
    def description(self) -> str:
        """The notes, under PyNWB's newer name."""
        return self.notes


class Device(NWBContainer):
    """A piece of equipment.

    Parameters
    ----------
    name : str
        Name of the device.
    description, manufacturer, model_number, model_name, serial_number : str, optional
        What it is.
    """

    description: str | None
    manufacturer: str | None
    model_number: str | None
    model_name: str | None
    serial_number: str | None

    def __init__(  # noqa: PLR0913 - PyNWB's signature
        self,
        name: str,
        description: str | None = None,
        manufacturer: str | None = None,
        model_number: str | None = None,
        model_name: str | None = None,
        serial_number: str | None = None,
    ) -> None:
        super().__init__(
            name=name,
            description=description,
            manufacturer=manufacturer,
            model_number=model_number,
            model_name=model_name,
            serial_number=serial_number,
        )


class Subject(NWBContainer):
    """The animal or person that was recorded.

    Parameters
    ----------
    age : str or timedelta, optional
        ISO 8601 duration (``"P90D"``); a `datetime.timedelta` is written as one.
    age__reference : str
        ``"birth"`` or ``"gestational"``.
    weight : str or float, optional
        With its unit (``"0.3 kg"``); a number means kilograms.
    date_of_birth : datetime, optional
        With an offset from UTC; naive means local time.
    description, genotype, sex, species, strain, subject_id : str, optional
        Who it is.
    """

    age: str | None
    age__reference: str | None
    description: str | None
    genotype: str | None
    sex: str | None
    species: str | None
    strain: str | None
    subject_id: str | None
    weight: str | None
    date_of_birth: datetime | None

    def __init__(  # noqa: PLR0913 - PyNWB's signature
        self,
        age: Any = None,
        age__reference: str | None = None,
        description: str | None = None,
        genotype: str | None = None,
        sex: str | None = None,
        species: str | None = None,
        subject_id: str | None = None,
        weight: Any = None,
        date_of_birth: datetime | None = None,
        strain: str | None = None,
    ) -> None:
        if isinstance(age, timedelta):
            age = _duration(age)
        if isinstance(weight, int | float) and not isinstance(weight, bool):
            weight = f"{weight} kg"
        super().__init__(
            name="subject",
            age=age,
            age__reference=age__reference,
            description=description,
            genotype=genotype,
            sex=sex,
            species=species,
            subject_id=subject_id,
            weight=weight,
            date_of_birth=date_of_birth,
            strain=strain,
        )


def _duration(span: timedelta) -> str:
    """Return a span of time as an ISO 8601 duration."""
    if span < timedelta():
        message = f"Subject.age must not be negative, but {span} came"
        raise SchemaError(message)
    seconds = f"{span.seconds}.{span.microseconds:06d}".rstrip("0").rstrip(".")
    return f"P{span.days}D" + (f"T{seconds}S" if seconds != "0" else "")


__all__ = ["Container", "Device", "ProcessingModule", "ScratchData", "Subject", "TimeSeries"]
