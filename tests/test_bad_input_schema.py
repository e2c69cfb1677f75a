"""Bad input for the whole NWB model: a named error that says type, field, what is asked and what came; nothing written.

The tables are what somebody might type. The room beside this one, `test_bad_input`, has sessions, series and documents.
"""

from __future__ import annotations

import json
import shutil
import uuid
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import pytest
import zarr

import nwbzarr
from nwbzarr import NWBZarrIO
from nwbzarr.convention.names import SIDECAR
from nwbzarr.errors import (
    FieldTypeError,
    LinkError,
    MissingFieldError,
    NamespaceError,
    NWBZarrError,
    SchemaError,
    StoreNotFoundError,
)
from tests.extensions import check_lab, lab_session, load_lab, plain_session, write_session
from tests.handwritten import consolidate
from tests.rich import rich_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

START = datetime(2024, 1, 1, tzinfo=UTC)


def everything_in(folder: Path) -> dict[str, bytes | None]:
    """Return all that lies below a folder: files with their bytes, folders with None."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session with tables of most kinds; read only."""
    return write_session(rich_session(), tmp_path_factory.mktemp("rich") / "rich.nwb.zarr")


@pytest.fixture
def untouched(rich: Path, tmp_path: Path) -> Iterator[Path]:
    """A folder with one rich session, as it must be when the test ends."""
    folder = tmp_path / "untouched"
    shutil.copytree(rich, folder / "old.nwb.zarr")
    before = everything_in(folder)
    yield folder
    assert everything_in(folder) == before
    assert nwbzarr.open(folder / "old.nwb.zarr").identifier == "i"


def says(error: BaseException, *parts: str) -> None:
    """Assert that a message has every part, and is a sentence of some length."""
    text = str(error)
    for part in parts:
        assert part in text, (part, text)
    assert len(text) > 20


# Construction: one field of each of many types.


def device() -> Any:
    return nwbzarr.Device(name="device")


def series(**fields: Any) -> Any:
    return nwbzarr.TimeSeries(**{"name": "ts", "data": [1.0, 2.0], "unit": "V", "rate": 1.0, **fields})


def electrodes() -> Any:
    table = nwbzarr.DynamicTable(name="electrodes", description="d")
    table.add_column(name="location", description="d")
    for _ in range(3):
        table.add_row(location="CA1")
    return table


def region(rows: Any = (0, 1), table: Any = None) -> Any:
    return nwbzarr.DynamicTableRegion(
        name="electrodes", data=list(rows), description="d", table=electrodes() if table is None else table
    )


def optical_channel() -> Any:
    return nwbzarr.OpticalChannel(name="green", description="d", emission_lambda=500.0)


def plane() -> Any:
    return nwbzarr.ImagingPlane(**GOOD["ImagingPlane"]())


def electrode() -> Any:
    return nwbzarr.IntracellularElectrode(name="e", device=device(), description="d")


#: Arguments with which a type is made.
GOOD: dict[str, Callable[[], dict[str, Any]]] = {
    "Device": lambda: {"name": "d"},
    "DeviceModel": lambda: {"name": "m", "manufacturer": "x"},
    "ElectrodeGroup": lambda: {"name": "g", "description": "d", "location": "CA1", "device": device()},
    "ElectricalSeries": lambda: {"name": "e", "data": np.zeros((4, 2)), "electrodes": region(), "rate": 1.0},
    "SpikeEventSeries": lambda: {
        "name": "s",
        "data": np.zeros((3, 2, 5)),
        "timestamps": np.arange(3.0),
        "electrodes": region(),
    },
    "OpticalChannel": lambda: {"name": "o", "description": "d", "emission_lambda": 500.0},
    "ImagingPlane": lambda: {
        "name": "p",
        "optical_channel": optical_channel(),
        "description": "d",
        "device": device(),
        "excitation_lambda": 600.0,
        "indicator": "i",
        "location": "V1",
    },
    "TwoPhotonSeries": lambda: {
        "name": "t",
        "data": np.zeros((2, 3, 3)),
        "imaging_plane": plane(),
        "unit": "n.a.",
        "rate": 1.0,
    },
    "ImageSeries": lambda: {"name": "i", "data": np.zeros((2, 3, 3)), "unit": "n.a.", "rate": 1.0},
    "GrayscaleImage": lambda: {"name": "i", "data": np.zeros((3, 3))},
    "RGBImage": lambda: {"name": "i", "data": np.zeros((3, 3, 3))},
    "RGBAImage": lambda: {"name": "i", "data": np.zeros((3, 3, 4))},
    "SpatialSeries": lambda: {"name": "s", "data": np.zeros((3, 2)), "reference_frame": "r", "rate": 1.0},
    "OptogeneticStimulusSite": lambda: {
        "name": "s",
        "device": device(),
        "description": "d",
        "excitation_lambda": 500.0,
        "location": "V1",
    },
    "IntracellularElectrode": lambda: {"name": "e", "device": device(), "description": "d"},
    "VoltageClampSeries": lambda: {"name": "v", "data": [1.0], "electrode": electrode(), "rate": 1.0, "gain": 1.0},
    "CurrentClampStimulusSeries": lambda: {"name": "c", "data": [1.0], "electrode": electrode(), "rate": 1.0},
    "Clustering": lambda: {"description": "d", "num": [0, 1], "peak_over_rms": [1.0], "times": [0.0, 1.0]},
    "EventDetection": lambda: {
        "detection_method": "m",
        "source_electricalseries": nwbzarr.ElectricalSeries(**GOOD["ElectricalSeries"]()),
        "source_idx": [1],
        "times": [0.1],
    },
    "FeatureExtraction": lambda: {
        "electrodes": region(),
        "description": ["a"],
        "times": [0.0],
        "features": np.zeros((1, 2, 1)),
    },
    "LFP": dict,
    "Position": dict,
    "ImageSegmentation": dict,
    "Fluorescence": dict,
    "CorrectedImageStack": lambda: {
        "corrected": nwbzarr.ImageSeries(**{**GOOD["ImageSeries"](), "name": "corrected"}),
        "original": nwbzarr.ImageSeries(**GOOD["ImageSeries"]()),
        "xy_translation": series(name="xy_translation", data=np.zeros((2, 2))),
    },
    "ProcessingModule": lambda: {"name": "p", "description": "d"},
    "Subject": lambda: {"subject_id": "s"},
    "VectorData": lambda: {"name": "v", "description": "d", "data": [1, 2]},
    "VectorIndex": lambda: {
        "name": "v_index",
        "data": [1, 2],
        "target": nwbzarr.VectorData(name="v", description="d", data=[1, 2]),
    },
    "DynamicTableRegion": lambda: {"name": "r", "data": [0], "description": "d", "table": electrodes()},
    "DynamicTable": lambda: {"name": "t", "description": "d"},
    "TimeIntervals": lambda: {"name": "t", "description": "d"},
    "PlaneSegmentation": lambda: {"name": "p", "description": "d", "imaging_plane": plane()},
    "CSRMatrix": lambda: {"data": [1.0], "indices": [0], "indptr": [0, 1], "shape": (1, 1)},
    "IndexSeries": lambda: {
        "name": "i",
        "data": np.array([0, 1], "u4"),
        "unit": "N/A",
        "rate": 1.0,
        "indexed_timeseries": nwbzarr.ImageSeries(**GOOD["ImageSeries"]()),
    },
    "DecompositionSeries": lambda: {"name": "d", "data": np.zeros((2, 2, 2)), "metric": "power", "rate": 1.0},
    "Images": lambda: {"name": "i"},
    "ScratchData": lambda: {"name": "s", "data": [1], "description": "d"},
}

T, S, M = FieldTypeError, SchemaError, MissingFieldError
#: Type, field, bad value, error, words of the message besides type and field.
MAKING: list[tuple[str, str, Any, type[NWBZarrError], tuple[str, ...]]] = [
    ("Device", "description", 5, T, ("text", "int", "5")),
    ("Device", "manufacturer", ["a"], T, ("text", "list")),
    ("Device", "model", "x", T, ("DeviceModel", "str")),
    ("Device", "model", device, T, ("DeviceModel", "Device")),
    ("DeviceModel", "manufacturer", None, M, ()),
    ("ElectrodeGroup", "device", None, M, ()),
    ("ElectrodeGroup", "device", "probe", T, ("Device", "str")),
    ("ElectrodeGroup", "device", series, T, ("Device", "TimeSeries")),
    ("ElectrodeGroup", "location", 5, T, ("text", "int")),
    ("ElectrodeGroup", "position", (1.0, 2.0), T, ("x, y, z",)),
    ("ElectrodeGroup", "position", "here", T, ("x, y, z", "str")),
    ("ElectrodeGroup", "position", ("a", "b", "c"), T, ("x, y, z",)),
    ("ElectricalSeries", "data", "noise", T, ("array", "str")),
    ("ElectricalSeries", "data", 5.0, T, ("array", "float")),
    ("ElectricalSeries", "data", [["a", "b"]], T, ("numeric", "<U1")),
    ("ElectricalSeries", "data", np.zeros((2, 2, 2, 2)), S, ("num_times, num_channels", "(2, 2, 2, 2)")),
    ("ElectricalSeries", "data", np.ones((2, 2)) * 1j, T, ("numeric", "complex128")),
    ("ElectricalSeries", "electrodes", None, M, ()),
    ("ElectricalSeries", "electrodes", [0, 1], T, ("DynamicTableRegion", "list")),
    ("ElectricalSeries", "electrodes", electrodes, T, ("DynamicTableRegion", "DynamicTable")),
    ("ElectricalSeries", "channel_conversion", ["a"], T, ("float32",)),
    ("ElectricalSeries", "channel_conversion", [[1.0]], S, ("num_channels", "(1, 1)")),
    ("ElectricalSeries", "filtering", 5, T, ("text", "int")),
    ("ElectricalSeries", "rate", "fast", T, ("number", "str")),
    ("ElectricalSeries", "conversion", "1", T, ("number", "str")),
    ("SpikeEventSeries", "data", np.zeros(3), S, ("num_events", "(3,)")),
    ("SpikeEventSeries", "timestamps", None, M, ()),
    ("OpticalChannel", "emission_lambda", "green", T, ("number", "str")),
    ("OpticalChannel", "emission_lambda", [500.0], T, ("number", "list")),
    ("OpticalChannel", "emission_lambda", True, T, ("number", "bool")),
    ("ImagingPlane", "optical_channel", None, M, ()),
    ("ImagingPlane", "optical_channel", device, T, ("OpticalChannel", "Device")),
    ("ImagingPlane", "excitation_lambda", None, M, ()),
    ("ImagingPlane", "imaging_rate", "30", T, ("number", "str")),
    ("ImagingPlane", "grid_spacing", [1.0], S, ("(2) or (3)", "(1,)")),
    ("ImagingPlane", "origin_coords", [1.0, 2.0, 3.0, 4.0], S, ("(2) or (3)", "(4,)")),
    ("ImagingPlane", "origin_coords", ["a", "b"], T, ("float32",)),
    ("TwoPhotonSeries", "imaging_plane", "p", T, ("ImagingPlane", "str")),
    ("TwoPhotonSeries", "imaging_plane", device, T, ("ImagingPlane", "Device")),
    ("TwoPhotonSeries", "data", np.zeros((2, 2)), S, ("(2, 2)",)),
    ("TwoPhotonSeries", "pmt_gain", "high", T, ("number", "str")),
    ("TwoPhotonSeries", "field_of_view", [1.0], S, ("(1,)",)),
    ("ImageSeries", "data", np.zeros((2, 2)), S, ("frame", "(2, 2)")),
    ("ImageSeries", "dimension", [1.5, 2.5], T, ("int32",)),
    ("ImageSeries", "format", 5, T, ("text", "int")),
    ("GrayscaleImage", "data", np.zeros(3), S, ("x, y", "(3,)")),
    ("GrayscaleImage", "data", [["a"]], T, ("numeric",)),
    ("RGBImage", "data", np.zeros((3, 3, 4)), S, ("3", "(3, 3, 4)")),
    ("RGBAImage", "data", np.zeros((3, 3, 3)), S, ("4", "(3, 3, 3)")),
    ("RGBImage", "resolution", "high", T, ("number", "str")),
    ("SpatialSeries", "data", np.zeros((2, 4)), S, ("(2, 4)",)),
    ("SpatialSeries", "reference_frame", 5, T, ("text", "int")),
    ("OptogeneticStimulusSite", "excitation_lambda", None, M, ()),
    ("OptogeneticStimulusSite", "device", electrode, T, ("Device", "IntracellularElectrode")),
    ("IntracellularElectrode", "resistance", 5.0, T, ("text", "float")),
    ("IntracellularElectrode", "device", None, M, ()),
    ("VoltageClampSeries", "electrode", device, T, ("IntracellularElectrode", "Device")),
    ("VoltageClampSeries", "gain", "x", T, ("number", "str")),
    ("VoltageClampSeries", "data", np.zeros((2, 2)), S, ("num_times", "(2, 2)")),
    ("VoltageClampSeries", "capacitance_fast", "x", T, ("number", "str")),
    ("CurrentClampStimulusSeries", "unit", "volts", S, ("amperes", "volts")),
    ("CurrentClampStimulusSeries", "sweep_number", -1, T, ("zero or more", "-1")),
    ("CurrentClampStimulusSeries", "sweep_number", 1.5, T, ("integer", "1.5")),
    ("Clustering", "num", [0.5], T, ("int32",)),
    ("Clustering", "times", ["a"], T, ("float64",)),
    ("Clustering", "peak_over_rms", 1.0, T, ("array", "float")),
    ("EventDetection", "source_electricalseries", series, T, ("ElectricalSeries", "TimeSeries")),
    ("EventDetection", "source_idx", [0.5], T, ("int32",)),
    ("FeatureExtraction", "features", np.zeros((1, 2)), S, ("num_features", "(1, 2)")),
    ("FeatureExtraction", "electrodes", [1], T, ("DynamicTableRegion", "list")),
    ("FeatureExtraction", "description", [5], T, ("text", "int")),
    ("LFP", "electrical_series", series, T, ("ElectricalSeries", "TimeSeries")),
    ("LFP", "electrical_series", [1], T, ("ElectricalSeries", "int")),
    ("Position", "spatial_series", series, T, ("SpatialSeries", "TimeSeries")),
    ("ImageSegmentation", "plane_segmentations", electrodes, T, ("PlaneSegmentation", "DynamicTable")),
    ("Fluorescence", "roi_response_series", [series], T, ("RoiResponseSeries",)),
    ("CorrectedImageStack", "corrected", series, T, ("ImageSeries", "TimeSeries")),
    ("CorrectedImageStack", "original", None, M, ()),
    ("ProcessingModule", "description", None, M, ()),
    ("ProcessingModule", "data_interfaces", [1], S, ("int",)),
    ("Subject", "subject_id", 7, T, ("text", "int")),
    ("Subject", "date_of_birth", "2020", T, ("datetime", "str")),
    ("Subject", "weight", [1], T, ("text", "list")),
    ("Subject", "sex", True, T, ("text", "bool")),
    ("VectorData", "description", 5, T, ("text", "int")),
    ("VectorData", "data", "abc", T, ("array", "str")),
    ("VectorData", "data", 5, T, ("array", "int")),
    ("VectorIndex", "data", [0.5], T, ("uint8", "0.5")),
    ("VectorIndex", "data", [-1], T, ("uint8", "-1")),
    ("VectorIndex", "target", electrodes, T, ("VectorData", "DynamicTable")),
    ("VectorIndex", "target", [1, 2], T, ("VectorData", "list")),
    ("DynamicTableRegion", "data", [0.5], T, ("int", "0.5")),
    ("DynamicTableRegion", "data", ["a"], T, ("int",)),
    ("DynamicTableRegion", "table", device, T, ("DynamicTable", "Device")),
    ("DynamicTableRegion", "data", [3], S, ("3",)),
    ("DynamicTableRegion", "data", [-1], S, ("-1",)),
    ("DynamicTable", "description", None, M, ()),
    ("DynamicTable", "id", ["a"], T, ("int",)),
    ("DynamicTable", "id", [0.5], T, ("int", "0.5")),
    ("DynamicTable", "columns", [5], T, ("VectorData", "int")),
    ("DynamicTable", "colnames", ["a"], S, ("'a'",)),
    ("TimeIntervals", "name", 5, T, ("name", "int")),
    ("PlaneSegmentation", "imaging_plane", device, T, ("ImagingPlane", "Device")),
    ("PlaneSegmentation", "reference_images", series, T, ("ImageSeries", "TimeSeries")),
    ("CSRMatrix", "indptr", [0, 1, 2], S, ("row starts", "3")),
    ("CSRMatrix", "indices", [0.5], T, ("uint",)),
    ("CSRMatrix", "shape", None, S, ("shape",)),
    ("IndexSeries", "data", [0.5], T, ("uint32",)),
    ("IndexSeries", "data", [-1], T, ("uint32",)),
    ("IndexSeries", "indexed_timeseries", series, T, ("ImageSeries", "TimeSeries")),
    ("DecompositionSeries", "data", np.zeros(3), S, ("num_bands", "(3,)")),
    ("DecompositionSeries", "metric", 5, T, ("text", "int")),
    ("DecompositionSeries", "bands", electrodes, T, ("FrequencyBandsTable", "DynamicTable")),
    ("Images", "images", [device], T, ("BaseImage", "Device")),
    ("Images", "order_of_images", [1], T, ("ImageReferences", "list")),
    ("ScratchData", "data", None, M, ()),
    ("TimeSeries", "control", [0.5], T, ("uint8",)),
    ("TimeSeries", "control_description", [5], T, ("text", "int")),
    ("TimeSeries", "timestamps", ["a"], T, ("float64",)),
    ("TimeSeries", "timestamps", [[1.0]], S, ("num_times", "(1, 1)")),
    ("TimeSeries", "continuity", 5, T, ("text", "int")),
    ("TimeSeries", "data", None, M, ()),
]
GOOD["TimeSeries"] = lambda: {"name": "t", "data": [1.0], "unit": "V", "rate": 1.0}


def made(value: Any) -> Any:
    """Return the value of a row: functions make containers anew."""
    if isinstance(value, list):
        return [made(item) for item in value]
    return value() if callable(value) else value


@pytest.mark.parametrize("name", GOOD)
def test_with_good_input_each_type_is_made(name: str) -> None:
    """Or the tests below would show nothing."""
    container = getattr(nwbzarr, name)(**GOOD[name]())
    assert container.neurodata_type == name


@pytest.mark.parametrize(
    ("name", "field", "value", "expected", "parts"),
    MAKING,
    ids=[f"{row[0]}.{row[1]} {index}" for index, row in enumerate(MAKING)],
)
def test_a_field_that_the_schema_does_not_allow(
    name: str, field: str, value: Any, expected: type[NWBZarrError], parts: tuple[str, ...]
) -> None:
    given = {**GOOD[name](), field: made(value)}
    if field == "timestamps" and name == "TimeSeries":
        del given["rate"]
    with pytest.raises(expected) as caught:
        getattr(nwbzarr, name)(**given)
    # Of what is a dataset itself, or has one, the message says the name instead.
    says(caught.value, *parts)
    text = str(caught.value)
    assert field in text or field in ("data", "indptr")
    assert any(word in text for word in (name, repr(given.get("name")), "ElementIdentifiers 'id'"))


def test_a_field_is_checked_when_it_is_set_later_too() -> None:
    found = device()
    with pytest.raises(FieldTypeError) as caught:
        found.description = 5
    says(caught.value, "Device.description", "text", "int")
    found.description = "d"
    with pytest.raises(SchemaError) as again:
        found.description = "e"
    says(again.value, "Device.description", "set already")
    assert found.description == "d"


# Rows and columns of tables.


def table(**columns: Any) -> Any:
    return nwbzarr.DynamicTable(
        name="t",
        description="d",
        columns=[nwbzarr.VectorData(name=name, description="d", data=data) for name, data in columns.items()],
    )


def trials() -> Any:
    made = nwbzarr.TimeIntervals(name="trials", description="d")
    made.add_row(start_time=0.0, stop_time=1.0)
    return made


def add_to(target: Any, **row: Any) -> Callable[[], Any]:
    return lambda: target.add_row(**row)


#: What is done in memory, and the error.
ROWS: dict[str, tuple[Callable[[], Any], type[NWBZarrError], tuple[str, ...]]] = {
    "a text as time": (lambda: trials().add_row(start_time="x", stop_time=1.0), FieldTypeError, ("start_time", "x")),
    "None as time": (lambda: trials().add_row(start_time=None, stop_time=1.0), SchemaError, ("start_time", "None")),
    "no stop": (lambda: trials().add_row(start_time=1.0), SchemaError, ("stop_time",)),
    "a column that is not there": (
        lambda: trials().add_row(start_time=1.0, stop_time=2.0, colour="red"),
        SchemaError,
        ("colour",),
    ),
    "a list among numbers": (lambda: table(a=[1, 2]).add_row(a=[1, 2]), SchemaError, ("a",)),
    "an id that is a text": (lambda: table(a=[1]).add_row(a=1, id="x"), FieldTypeError, ("id", "x")),
    "an id that is a fraction": (lambda: table(a=[1]).add_row(a=1, id=1.5), FieldTypeError, ("id", "1.5")),
    "an id twice": (lambda: table(a=[1]).add_row(a=1, id=0, enforce_unique_id=True), SchemaError, ("id", "0")),
    "a column of another length": (
        lambda: table(a=[1, 2]).add_column(name="b", description="d", data=[1]),
        SchemaError,
        ("b", "1", "2"),
    ),
    "columns of different lengths": (lambda: table(a=[1, 2], b=[1]), SchemaError, ("'b'", "1", "2")),
    "a column twice": (
        lambda: table(a=[1]).add_column(name="a", description="d", data=[1]),
        SchemaError,
        ("'a'",),
    ),
    "ids of another length": (
        lambda: nwbzarr.DynamicTable(
            name="t",
            description="d",
            id=[1, 2, 3],
            columns=[nwbzarr.VectorData(name="a", description="d", data=[1])],
        ),
        SchemaError,
        ("id", "3", "1"),
    ),
    "a column without a description": (
        lambda: table().add_column(name="a", description=None),
        SchemaError,
        ("description",),
    ),
    "an index beyond its column": (
        lambda: table(a=[1, 2, 3]).add_column(name="b", description="d", data=[1, 2, 3], index=[1, 2, 9]),
        SchemaError,
        ("b_index", "9", "3"),
    ),
    "an index that goes back": (
        lambda: table(a=[1, 2]).add_column(name="b", description="d", data=[1, 2, 3], index=[2, 1]),
        SchemaError,
        ("b_index", "2", "1"),
    ),
    "an index of too few rows": (
        lambda: table(a=[1, 2, 3]).add_column(name="b", description="d", data=[1, 2, 3], index=[1, 3]),
        SchemaError,
        ("b", "2", "3"),
    ),
    "an index that leaves values over": (
        lambda: table(a=[1, 2]).add_column(name="b", description="d", data=[1, 2, 3], index=[1, 2]),
        SchemaError,
        ("b_index", "2", "3"),
    ),
    "a region out of range in a row": (
        lambda: table(a=[1]).create_region(name="r", region=[7], description="d"),
        SchemaError,
        ("7",),
    ),
    "a slice out of range": (
        lambda: table(a=[1]).create_region(name="r", region=slice(0, 9), description="d"),
        NWBZarrError,
        ("9",),
    ),
    "a region of texts": (
        lambda: table(a=[1]).create_region(name="r", region=["a"], description="d"),
        FieldTypeError,
        ("r",),
    ),
}


@pytest.mark.parametrize("case", ROWS)
def test_rows_and_columns_that_do_not_fit(case: str) -> None:
    act, expected, parts = ROWS[case]
    with pytest.raises(expected) as caught:
        act()
    says(caught.value, *parts)


def test_a_row_that_does_not_fit_leaves_the_table_as_it_was() -> None:
    found = table(a=[1, 2], b=["x", "y"])
    for row in ({"a": 3}, {"a": 3, "b": "z", "c": 1}, {"a": [3, 4], "b": "z", "id": "x"}):
        with pytest.raises(NWBZarrError):
            found.add_row(**row)
        assert (list(found["a"][:]), list(found["b"][:]), len(found)) == ([1, 2], ["x", "y"], 2), row
    found.add_row(a=3, b="z")
    assert (list(found["a"][:]), list(found["b"][:]), list(found.id[:])) == ([1, 2, 3], ["x", "y", "z"], [0, 1, 2])


#: Rows of the session's own tables.
SESSION_ROWS: dict[str, tuple[Callable[[Any], Any], type[NWBZarrError], tuple[str, ...]]] = {
    "an electrode without a group": (lambda nwb: nwb.add_electrode(location="CA1"), SchemaError, ("group",)),
    "an electrode in a group's name": (
        lambda nwb: nwb.add_electrode(group="shank", location="CA1"),
        FieldTypeError,
        ("group", "ElectrodeGroup", "shank"),
    ),
    "an electrode in a device": (
        lambda nwb: nwb.add_electrode(group=nwb.devices["probe"], location="CA1"),
        FieldTypeError,
        ("group", "ElectrodeGroup", "Device"),
    ),
    "an electrode at a number": (
        lambda nwb: nwb.add_electrode(group=nwb.electrode_groups["shank"], location=5),
        FieldTypeError,
        ("location", "5"),
    ),
    "spike times of texts": (
        lambda nwb: nwb.add_unit(spike_times=["a"], electrodes=[0]),
        FieldTypeError,
        ("spike_times",),
    ),
    "spike times of one number": (
        lambda nwb: nwb.add_unit(spike_times=0.5, electrodes=[0]),
        SchemaError,
        ("spike_times",),
    ),
    "a unit without electrodes": (lambda nwb: nwb.add_unit(spike_times=[0.5]), SchemaError, ("electrodes",)),
    "a unit of an electrode that is not there": (
        lambda nwb: nwb.add_unit(spike_times=[0.5], electrodes=[99]),
        SchemaError,
        ("99", "electrodes"),
    ),
    "intervals of three times": (
        lambda nwb: nwb.add_unit(spike_times=[0.5], electrodes=[0], obs_intervals=[[1.0, 2.0, 3.0]]),
        SchemaError,
        ("obs_intervals",),
    ),
    "a trial of texts": (
        lambda nwb: nwb.add_trial(start_time="a", stop_time="b", marks=[], timeseries=[]),
        FieldTypeError,
        ("start_time",),
    ),
    "a trial of a name": (
        lambda nwb: nwb.add_trial(start_time=0.0, stop_time=1.0, marks=["x"], timeseries=["ephys"]),
        FieldTypeError,
        ("timeseries", "ephys"),
    ),
    "a trial of a device": (
        lambda nwb: nwb.add_trial(start_time=0.0, stop_time=1.0, marks=["x"], timeseries=[nwb.devices["probe"]]),
        FieldTypeError,
        ("timeseries", "Device"),
    ),
    "a region of electrodes that are not there": (
        lambda nwb: nwb.create_electrode_table_region(region=[0, 4], description="d"),
        SchemaError,
        ("4",),
    ),
    "a pixel of two numbers": (
        lambda nwb: nwb.processing["ophys"]["ImageSegmentation"]["ps"].add_roi(pixel_mask=[(1, 2)]),
        FieldTypeError,
        ("pixel_mask", "x, y, weight"),
    ),
    "a pixel between two": (
        lambda nwb: nwb.processing["ophys"]["ImageSegmentation"]["ps"].add_roi(pixel_mask=[(1.7, 2, 1.0)]),
        FieldTypeError,
        ("pixel_mask", "x", "1.7"),
    ),
    "a pixel below zero": (
        lambda nwb: nwb.processing["ophys"]["ImageSegmentation"]["ps"].add_roi(pixel_mask=[(-1, 2, 1.0)]),
        FieldTypeError,
        ("pixel_mask", "x", "-1"),
    ),
    "a trial that begins between two samples": (
        lambda nwb: nwb.add_trial(
            start_time=0.0, stop_time=1.0, marks=["x"], timeseries=[(0.5, 1, nwb.acquisition["ephys"])]
        ),
        FieldTypeError,
        ("timeseries", "idx_start", "0.5"),
    ),
    "a recording of nothing": (
        lambda nwb: nwb.add_intracellular_recording(electrode=nwb.icephys_electrodes["e"]),
        SchemaError,
        ("stimulus", "response"),
    ),
    "a recording that is not there": (
        lambda nwb: nwb.add_icephys_simultaneous_recording(recordings=[17]),
        SchemaError,
        ("17",),
    ),
}


@pytest.mark.parametrize("case", SESSION_ROWS)
def test_rows_of_the_sessions_tables_that_do_not_fit(untouched: Path, case: str) -> None:
    """In a session that is stored: it can still be written, and is what it was."""
    act, expected, parts = SESSION_ROWS[case]
    with NWBZarrIO(untouched / "old.nwb.zarr", "r+") as io:
        nwb = io.read()
        with pytest.raises(expected) as caught:
            act(nwb)
        says(caught.value, *parts)
        assert io.write(nwb).documents == 0


@pytest.mark.parametrize("case", SESSION_ROWS)
def test_rows_of_a_new_sessions_tables_that_do_not_fit(case: str, tmp_path: Path) -> None:
    """In a session in memory: what was refused has left nothing, and the session can be written."""
    act, expected, parts = SESSION_ROWS[case]
    nwb: Any = rich_session()
    with pytest.raises(expected) as caught:
        act(nwb)
    says(caught.value, *parts)
    found: Any = nwbzarr.open(write_session(nwb, tmp_path / "s"))
    assert (len(found.electrodes), len(found.units), len(found.trials)) == (4, 3, 3)
    assert nwbzarr.validate(tmp_path / "s") == []


# Writing.


def with_acquisition(*found: Any) -> Any:
    nwb = plain_session()
    for item in found:
        nwb.add_acquisition(item)
    return nwb


def with_scratch(found: Any) -> Any:
    nwb = plain_session()
    nwb.add_scratch(found)
    return nwb


def lost_region() -> Any:
    """A series whose electrodes are in a table that nobody adds."""
    return with_acquisition(nwbzarr.ElectricalSeries(**GOOD["ElectricalSeries"]()))


def lost_series() -> Any:
    nwb: Any = plain_session()
    nwb.add_trial(start_time=0.0, stop_time=1.0, timeseries=[series(name="lost")])
    return nwb


def lost_device() -> Any:
    nwb = plain_session()
    nwb.add_electrode_group(nwbzarr.ElectrodeGroup(**GOOD["ElectrodeGroup"]()))
    return nwb


def lost_group() -> Any:
    nwb: Any = plain_session()
    group = nwbzarr.ElectrodeGroup(name="lost", description="d", location="l", device=nwb.create_device(name="d"))
    nwb.add_electrode(group=group, location="CA1")
    return nwb


def lost_in_a_list() -> Any:
    return with_scratch(nwbzarr.DynamicTable(
        name="t", description="d",
        columns=[nwbzarr.VectorData(name="refs", description="d", data=[series(name="lost")])],
    ))  # fmt: skip


def lost_attribute() -> Any:
    found = series(name="holder")
    found.set_attribute("friend", series(name="lost"))
    return with_acquisition(found)


def unfinished_plane() -> Any:
    """A collection that needs one and is empty."""
    nwb = plain_session()
    nwb.create_processing_module(name="p", description="d").add(nwbzarr.LFP())
    return nwb


def mixed(values: list[Any]) -> Callable[[], Any]:
    return lambda: with_scratch(table(a=values))


def grown(values: list[Any], last: Any) -> Any:
    found = table(a=values)
    found.add_row(a=last)
    return found


def bad_enum() -> Any:
    elements = nwbzarr.VectorData(name="e_elements", description="d", data=["a", "b"])
    column = nwbzarr.EnumData(name="e", description="d", data=[0, 7], elements=elements)
    return nwbzarr.DynamicTable(name="t", description="d", columns=[column, elements], colnames=["e"])


def changed_rows() -> Any:
    """A column that was made longer behind the table's back."""
    found = table(a=[1, 2], b=[1, 2])
    found["b"].data.append(3)
    return with_scratch(found)


def changed_index() -> Any:
    found = table(a=[1, 2])
    found.add_column(name="b", description="d", data=[1, 2, 3], index=[1, 3])
    found["b_index" if "b_index" in found else "b"].data[-1] = 9
    return with_scratch(found)


def changed_region() -> Any:
    nwb: Any = rich_session()
    nwb.acquisition["ephys"].electrodes.data[0] = 99
    return nwb


def no_group() -> Any:
    """References in some rows only."""
    return with_scratch(table(a=[series(name="x"), 5]))


#: What makes the session that cannot be written, and the error. Making it may raise already.
WRITING: dict[str, tuple[Callable[[], Any], type[NWBZarrError], tuple[str, ...]]] = {
    "a region of a table in no store": (lost_region, NWBZarrError, ("electrodes",)),
    "a trial of a series in no store": (lost_series, NWBZarrError, ("lost",)),
    "a group of a device in no store": (lost_device, NWBZarrError, ("device",)),
    "an electrode of a group in no store": (lost_group, NWBZarrError, ("lost",)),
    "a column of a series in no store": (lost_in_a_list, NWBZarrError, ("lost",)),
    "an attribute of a series in no store": (lost_attribute, NWBZarrError, ("lost",)),
    "a collection that needs one and is empty": (
        unfinished_plane,
        SchemaError,
        ("LFP", "ElectricalSeries", "1 to many"),
    ),
    "a text among numbers": (mixed([1, "a", 2]), FieldTypeError, ("a",)),
    "a number among texts": (mixed(["a", 1]), FieldTypeError, ("a", "1")),
    "a text added to numbers": (lambda: with_scratch(grown([1, 2], "x")), FieldTypeError, ("a", "x")),
    "a number added to texts": (lambda: with_scratch(grown(["x", "y"], 5)), FieldTypeError, ("a", "5")),
    "None added to numbers": (lambda: with_scratch(grown([1, 2], None)), FieldTypeError, ("a", "None")),
    "a value that is no element of an enumeration": (lambda: with_scratch(bad_enum()), SchemaError, ("7",)),
    "None among numbers": (mixed([1, None]), FieldTypeError, ("None",)),
    "a truth value among numbers": (mixed([1, True, 2.5]), FieldTypeError, ("True",)),
    "None among texts": (mixed(["a", None]), FieldTypeError, ("None",)),
    "rows of different lengths": (mixed([[1, 2], [3]]), SchemaError, ("a",)),
    "an object among rows": (mixed([object(), object()]), FieldTypeError, ("object",)),
    "a number among containers": (no_group, FieldTypeError, ("5",)),
    "a column that grew alone": (changed_rows, SchemaError, ("b", "3", "2")),
    "an index that was spoilt": (changed_index, SchemaError, ("b_index", "9", "3")),
    "a region that was spoilt": (changed_region, SchemaError, ("99",)),
}


@pytest.mark.parametrize("target", ["new.nwb.zarr", "old.nwb.zarr"])
@pytest.mark.parametrize("case", WRITING)
def test_what_cannot_be_written_is_not_written(untouched: Path, case: str, target: str) -> None:
    making, expected, parts = WRITING[case]

    def make_and_write() -> None:
        nwb = making()
        with NWBZarrIO(untouched / target, "w") as io:
            io.write(nwb)

    with pytest.raises(expected) as caught:
        make_and_write()
    says(caught.value, *parts)


@pytest.mark.parametrize("case", [case for case in WRITING if case != "a region that was spoilt"])
def test_what_cannot_be_added_is_not_added(untouched: Path, case: str) -> None:
    """In mode r+, the same containers, moved into a session that is stored."""
    making, expected, parts = WRITING[case]

    def move_and_write() -> None:
        new = making()
        with NWBZarrIO(untouched / "old.nwb.zarr", "r+") as io:
            nwb: Any = io.read()
            for place in ("acquisition", "scratch", "processing", "electrode_groups"):
                for name, found in dict(getattr(new, place)).items():
                    if name != "plain":
                        found.parent = None
                        getattr(nwb, place).add(found)
            if new.trials is not None:
                nwb.add_trial(start_time=0.0, stop_time=1.0, marks=["x"], timeseries=[series(name="lost")])
            if new.electrodes is not None and new.electrodes is not nwb.electrodes:
                lost = new.electrodes["group"][0]
                nwb.add_electrode(group=lost, location="CA1")
            io.write(nwb)

    with pytest.raises(expected) as caught:
        move_and_write()
    says(caught.value, *parts)


@pytest.mark.parametrize("case", WRITING)
def test_what_cannot_be_written_is_not_written_in_memory(case: str) -> None:
    """The same on an object store."""
    making, expected, _ = WRITING[case]
    name = uuid.uuid4().hex

    def make_and_write() -> None:
        nwb = making()
        with NWBZarrIO(f"memory://{name}/s.zarr", "w") as io:
            io.write(nwb)

    with pytest.raises(expected):
        make_and_write()
    with pytest.raises(StoreNotFoundError):
        NWBZarrIO(f"memory://{name}/s.zarr", "r")
    memory = fsspec.filesystem("memory")
    left = memory.find(f"/{name}")
    if left:
        memory.rm(f"/{name}", recursive=True)
    assert left == []


def test_every_problem_of_a_session_is_in_one_message(untouched: Path) -> None:
    nwb = plain_session()
    module = nwb.create_processing_module(name="p", description="d")
    for name in ("one", "two"):
        module.add(nwbzarr.LFP(name=name))
    module.add(nwbzarr.Position())
    with NWBZarrIO(untouched / "new", "w") as io, pytest.raises(SchemaError) as caught:
        io.write(nwb)
    says(caught.value, "/processing/p/one", "/processing/p/two", "/processing/p/Position", "nothing was written")


def test_a_container_of_another_store_is_a_link_and_one_of_no_store_is_an_error(
    untouched: Path, tmp_path: Path
) -> None:
    """A reference leaves no store: through a link it may go."""
    with NWBZarrIO(untouched / "old.nwb.zarr") as io:
        old: Any = io.read()
        nwb: Any = plain_session()
        nwb.add_trial(start_time=0.0, stop_time=1.0, timeseries=[old.acquisition["ephys"]])
        with NWBZarrIO(tmp_path / "new", "w", manager=io.manager) as out:
            with pytest.raises(LinkError) as caught:
                out.write(nwb)
            says(caught.value, "ephys", "link")
            assert not (tmp_path / "new").exists()
            nwb.add_acquisition(old.acquisition["ephys"])
            out.write(nwb)
    found: Any = nwbzarr.open(tmp_path / "new")
    assert found.trials["timeseries"][0][0].timeseries.object_id == old.acquisition["ephys"].object_id


# Namespaces.


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A session with an extension, to be spoilt."""
    return write_session(lab_session(*load_lab(tmp_path / "namespaces")), tmp_path / "lab.nwb.zarr")


def spoil(place: Path, path: str, text: str) -> None:
    zarr.open_array(place / path, mode="r+")[...] = np.array(text, dtype=object)
    (place / SIDECAR).unlink(missing_ok=True)
    consolidate(place)


CACHE = "specifications/ndx-lab/1.3.0"
SPOILT: dict[str, tuple[str, str]] = {
    "no JSON": (f"{CACHE}/ndx-lab", "{"),
    "nothing": (f"{CACHE}/ndx-lab", ""),
    "a list": (f"{CACHE}/ndx-lab", "[]"),
    "no types": (f"{CACHE}/ndx-lab", "{}"),
    "an entry that is no JSON": (f"{CACHE}/namespace", "{"),
    "an entry of another": (f"{CACHE}/namespace", '{"namespaces": [{"name": "other", "version": "1", "schema": []}]}'),
    "a source that is not there": (
        f"{CACHE}/namespace",
        '{"namespaces": [{"name": "ndx-lab", "version": "1.3.0", "schema": [{"source": "nowhere"}]}]}',
    ),
    "an include that is not there": (
        f"{CACHE}/namespace",
        '{"namespaces": [{"name": "ndx-lab", "version": "1.3.0", "schema": [{"namespace": "ndx-nowhere"}]}]}',
    ),
    "an unknown base": (
        f"{CACHE}/ndx-lab",
        json.dumps({"groups": [{"neurodata_type_def": "LabRig", "neurodata_type_inc": "Nowhere", "doc": "d"}]}),
    ),
    "a type that extends itself": (
        f"{CACHE}/ndx-lab",
        json.dumps({"groups": [{"neurodata_type_def": "LabRig", "neurodata_type_inc": "LabRig", "doc": "d"}]}),
    ),
    "a group that extends a dataset": (
        f"{CACHE}/ndx-lab",
        json.dumps({"groups": [{"neurodata_type_def": "LabRig", "neurodata_type_inc": "VectorData", "doc": "d"}]}),
    ),
    "namespaces that include each other": (
        "specifications/ndx-parts/0.2.0/namespace",
        json.dumps(
            {
                "namespaces": [
                    {
                        "name": "ndx-parts",
                        "version": "0.2.0",
                        "schema": [{"namespace": "core"}, {"namespace": "ndx-lab"}, {"source": "ndx-parts"}],
                    }
                ]
            }
        ),
    ),
}


@pytest.mark.filterwarnings("ignore:.*its types are read as plain containers")
@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_cache_does_not_keep_the_data_from_being_read(lab: Path, case: str) -> None:
    """Values are there; the types are plain, and a warning says why, or the error is named."""
    spoil(lab, *SPOILT[case])
    heard = nullcontext() if case == "no types" else pytest.warns(UserWarning, match=r"ndx-(lab|parts|nowhere)")
    with heard:
        nwb = nwbzarr.open(lab)
        assert list(nwb.acquisition["plain"].data[:]) == [0.0, 1.0, 2.0, 3.0]
        rig: Any = nwb.find("general/rig")
    assert type(rig) is nwbzarr.Container
    assert rig.attributes["serial"] == 7
    assert list(rig.datasets["temperature"].data[:]) == [20.5, 21.0]


CONTRADICTIONS = [case for case in SPOILT if case != "no types"]


@pytest.mark.filterwarnings("ignore:.*its types are read as plain containers")
@pytest.mark.parametrize("touched", [False, True])
@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_spoilt_cache_is_not_taken_to_another_store(lab: Path, case: str, tmp_path: Path, touched: bool) -> None:
    """Not by copy, nor by export; whether the types were looked at before or not."""
    spoil(lab, *SPOILT[case])
    before = everything_in(lab)
    with NWBZarrIO(lab) as io:
        nwb = io.read()
        assert not touched or nwb.find("general/rig")
        with NWBZarrIO(tmp_path / "export", "w") as out, pytest.raises(NamespaceError) as caught:
            out.export(io)
        says(caught.value, "ndx-")
        with NWBZarrIO(tmp_path / "copy", "w") as out, pytest.raises(NamespaceError):
            out.write(nwb.copy())
    assert not (tmp_path / "export").exists()
    assert not (tmp_path / "copy").exists()
    assert everything_in(lab) == before


@pytest.mark.filterwarnings("ignore:.*its types are read as plain containers")
@pytest.mark.parametrize("case", SPOILT)
def test_a_store_with_a_spoilt_cache_can_grow_and_keeps_it(lab: Path, case: str) -> None:
    """What is added has nothing to do with it; nobody mends the cache in silence."""
    spoil(lab, *SPOILT[case])
    before = everything_in(lab / "specifications")
    with NWBZarrIO(lab, "r+") as io:
        nwb = io.read()
        nwb.create_device(name="another")
        io.write(nwb)
    assert everything_in(lab / "specifications") == before
    nwb = nwbzarr.open(lab)
    assert nwb.devices["another"].name == "another"
    rig: Any = nwb.find("general/rig")
    assert rig.attributes["serial"] == 7


def test_types_that_the_cache_does_not_have_are_kept(lab: Path, tmp_path: Path) -> None:
    """A namespace without types contradicts nothing: its objects are plain, and are kept as they are."""
    path, text = SPOILT["no types"]
    spoil(lab, path, text)
    with NWBZarrIO(lab) as io:
        nwb = io.read()
        nwb.find("general/rig")
        with NWBZarrIO(tmp_path / "export", "w") as out:
            out.export(io)
        with NWBZarrIO(tmp_path / "copy", "w") as out:
            out.write(nwb.copy())
    for place in (lab, tmp_path / "export", tmp_path / "copy"):
        assert str(zarr.open_array(place / path, mode="r")[()]) == text, place
        found: Any = nwbzarr.open(place).find("general/rig")
        assert found.attributes["serial"] == 7


def test_a_class_of_a_namespace_that_is_not_loaded() -> None:
    with pytest.raises(NamespaceError) as caught:
        nwbzarr.get_class("Secret", "ndx-secret")
    says(caught.value, "ndx-secret", "load_namespace")
    with pytest.raises(NamespaceError) as unknown:
        nwbzarr.get_class("NoSuchType")
    says(unknown.value, "NoSuchType", "core")
    with pytest.raises(NamespaceError):
        nwbzarr.get_class("LabRig", "core")


def test_a_failed_write_can_be_mended_and_tried_again(tmp_path: Path) -> None:
    nwb: Any = lab_session(*load_lab(tmp_path / "namespaces"))
    lost = series(name="lost")
    nwb.add_trial(start_time=0.0, stop_time=1.0, timeseries=[lost])
    with NWBZarrIO(tmp_path / "s", "w") as io:
        with pytest.raises(LinkError):
            io.write(nwb)
        nwb.add_acquisition(lost)
        io.write(nwb)
    check_lab(nwbzarr.open(tmp_path / "s"))
    assert nwbzarr.validate(tmp_path / "s") == []
