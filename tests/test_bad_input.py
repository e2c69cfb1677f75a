"""Bad input: a named error that says what must hold, what came and what to do; and nothing written.

One table per room: values of fields, names and places, documents. Each row is what somebody might type or find.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import pytest
import zarr
from zarr.codecs import GzipCodec

import nwbzarr
from nwbzarr import Device, Manager, NWBFile, NWBZarrIO, ProcessingModule, ScratchData, Subject, TimeSeries, ZarrDataIO
from nwbzarr.errors import (
    DocumentError,
    DuplicateNameError,
    FieldTypeError,
    LayoutError,
    MissingFieldError,
    NotAStoreError,
    NWBZarrError,
    SchemaError,
    StoreError,
    StoreExistsError,
    StoreModeError,
    StoreNotFoundError,
    StoreURLError,
)
from tests.handwritten import bare_session, consolidate, link, make_array, make_group, typed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers.web import WebServer

START = datetime(2024, 1, 1, tzinfo=UTC)


def session(**fields: Any) -> NWBFile:
    given: dict[str, Any] = {"session_description": "d", "identifier": "i", "session_start_time": START, **fields}
    return NWBFile(**given)


def series(name: Any = "ts", **fields: Any) -> TimeSeries:
    given: dict[str, Any] = {"data": np.arange(5.0), "unit": "V", "rate": 10.0, **fields}
    return TimeSeries(name, **given)


def everything_in(folder: Path) -> dict[str, bytes | None]:
    """Return all that lies below a folder: files with their bytes, folders with None."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Path]:
    """A folder with one session and one file of another kind, as they must be when the test ends."""
    folder = tmp_path / "untouched"
    folder.mkdir()
    with NWBZarrIO(folder / "old.nwb.zarr", "w") as io:
        io.write(session(identifier="the old one", acquisition=[series("old")]))
    (folder / "notes.txt").write_text("not a store")
    before = everything_in(folder)
    yield folder
    assert everything_in(folder) == before
    assert nwbzarr.open(folder / "old.nwb.zarr").identifier == "the old one"


def says(error: BaseException, *parts: str) -> None:
    """Assert that a message has every part, and is a sentence of some length."""
    text = str(error)
    for part in parts:
        assert part in text, (part, text)
    assert len(text) > 20


# Values: wrong type, wrong shape, missing.

MAKING: dict[str, tuple[Callable[[], Any], type[NWBZarrError], tuple[str, ...]]] = {
    # NWBFile
    "no start time": (
        lambda: NWBFile(session_description="d", identifier="i"),  # type: ignore[call-arg]
        MissingFieldError,
        ("NWBFile", "session_start_time"),
    ),
    "nothing at all": (NWBFile, MissingFieldError, ("session_description", "identifier", "session_start_time")),  # type: ignore[dict-item]
    "start time as text": (
        lambda: session(session_start_time="2024-01-01T00:00:00"),
        FieldTypeError,
        ("session_start_time", "datetime", "str", "fromisoformat"),
    ),
    "start time as number": (
        lambda: session(session_start_time=1.7e9),
        FieldTypeError,
        ("session_start_time", "float"),
    ),
    "start time as a day": (
        lambda: session(session_start_time=datetime(2024, 1, 1, tzinfo=UTC).date()),
        FieldTypeError,
        ("session_start_time", "datetime"),
    ),
    "start time as NumPy's": (
        lambda: session(session_start_time=np.datetime64("2024-01-01")),
        FieldTypeError,
        ("session_start_time", "datetime64"),
    ),
    "create date as text": (lambda: session(file_create_date=["2024"]), FieldTypeError, ("file_create_date", "str")),
    "identifier as number": (lambda: session(identifier=7), FieldTypeError, ("identifier", "text", "int", "7")),
    "identifier as bytes": (lambda: session(identifier=b"i"), FieldTypeError, ("identifier", "text", "bytes")),
    "description as list": (
        lambda: session(session_description=["d"]),
        FieldTypeError,
        ("session_description", "list"),
    ),
    "lab as None in a list": (lambda: session(lab=[None]), FieldTypeError, ("lab", "text")),
    "keywords as number": (lambda: session(keywords=7), FieldTypeError, ("keywords", "texts", "int")),
    "keywords with None": (lambda: session(keywords=["a", None]), FieldTypeError, ("keywords", "None")),
    "keywords with a number": (lambda: session(keywords=["a", 1]), FieldTypeError, ("keywords", "1")),
    "keywords of two dimensions": (lambda: session(keywords=[["a"], ["b"]]), FieldTypeError, ("keywords",)),
    "experimenter as dict": (lambda: session(experimenter={"a": 1}), FieldTypeError, ("experimenter", "dict")),
    "generated by one text": (lambda: session(was_generated_by="x"), FieldTypeError, ("was_generated_by",)),
    "generated by unpaired": (lambda: session(was_generated_by=[("x",)]), SchemaError, ("was_generated_by",)),
    "subject as dict": (lambda: session(subject={"subject_id": "S"}), FieldTypeError, ("subject", "Subject", "dict")),
    "subject as device": (lambda: session(subject=Device("d")), FieldTypeError, ("subject", "Subject", "Device")),
    "acquisition of arrays": (lambda: session(acquisition=[np.arange(3)]), FieldTypeError, ("acquisition", "ndarray")),
    "acquisition of None": (lambda: session(acquisition=[None]), FieldTypeError, ("acquisition", "NoneType")),
    "script's name without script": (
        lambda: session(source_script_file_name="a.py"),
        SchemaError,
        ("source_script_file_name", "source_script"),
    ),
    # TimeSeries
    "no data": (lambda: TimeSeries("ts", unit="V", rate=1.0), MissingFieldError, ("TimeSeries", "data")),  # type: ignore[call-arg]
    "no unit": (lambda: TimeSeries("ts", data=[1], rate=1.0), MissingFieldError, ("TimeSeries", "unit")),
    "neither times nor rate": (lambda: series(rate=None), SchemaError, ("'ts'", "timestamps", "rate", "neither")),
    "both times and rate": (lambda: series(timestamps=np.arange(5.0)), SchemaError, ("timestamps", "rate", "both")),
    "times and a start": (
        lambda: series(rate=None, timestamps=np.arange(5.0), starting_time=1.0),
        SchemaError,
        ("starting_time",),
    ),
    "a start alone": (lambda: series(rate=None, starting_time=1.0), SchemaError, ("rate",)),
    "rate of zero": (lambda: series(rate=0), SchemaError, ("rate", "positive", "0")),
    "rate below zero": (lambda: series(rate=-1.5), SchemaError, ("rate", "positive", "-1.5")),
    "rate NaN": (lambda: series(rate=float("nan")), SchemaError, ("rate", "nan")),
    "rate as text": (lambda: series(rate="10"), FieldTypeError, ("rate", "number", "str")),
    "rate as truth": (lambda: series(rate=True), FieldTypeError, ("rate", "number", "bool")),
    "rate complex": (lambda: series(rate=1j), FieldTypeError, ("rate", "number", "complex")),
    "conversion as text": (lambda: series(conversion="1"), FieldTypeError, ("conversion", "number", "str")),
    "conversion as array": (lambda: series(conversion=np.ones(2)), FieldTypeError, ("conversion", "number", "ndarray")),
    "unit as number": (lambda: series(unit=1), FieldTypeError, ("unit", "text", "int")),
    "comments as list": (lambda: series(comments=["a"]), FieldTypeError, ("comments", "text", "list")),
    "data as scalar": (lambda: series(data=1.0), FieldTypeError, ("data", "array", "float")),
    "data as text": (lambda: series(data="abc"), FieldTypeError, ("data", "array", "str")),
    "data as a 0-d array": (lambda: series(data=np.array(1.0)), FieldTypeError, ("data", "dimension")),
    "data as dict": (lambda: series(data={"a": [1]}), FieldTypeError, ("data", "array", "dict")),
    "data as a set": (lambda: series(data={1, 2}), FieldTypeError, ("data", "array", "set")),
    "data as an object": (lambda: series(data=object()), FieldTypeError, ("data", "array", "object")),
    "data ragged": (lambda: series(data=[[1, 2], [3]]), SchemaError, ("equal lengths",)),
    "too few times": (
        lambda: series(rate=None, timestamps=np.arange(4.0)),
        SchemaError,
        ("'ts'", "4 timestamps", "5 samples"),
    ),
    "times of two dimensions": (
        lambda: series(rate=None, timestamps=np.zeros((5, 2))),
        SchemaError,
        ("timestamps", "(5, 2)", "num_times"),
    ),
    "times as texts": (lambda: series(rate=None, timestamps=["a"] * 5), FieldTypeError, ("timestamps", "numbers")),
    "times complex": (lambda: series(rate=None, timestamps=np.ones(5) * 1j), FieldTypeError, ("timestamps", "complex")),
    "times as dates": (
        lambda: series(rate=None, timestamps=np.array(["2024-01-01"] * 5, "datetime64[ns]")),
        FieldTypeError,
        ("timestamps", "datetime64"),
    ),
    "too many labels": (lambda: series(control=[0] * 6), SchemaError, ("control", "6", "5")),
    "labels that do not fit": (lambda: series(control=["a"] * 5), FieldTypeError, ("control", "uint8")),
    "labels below zero": (lambda: series(control=[0, 1, 2, 3, -1]), FieldTypeError, ("control", "uint8")),
    "labels with fractions": (lambda: series(control=[0, 1, 2, 3, 0.5]), FieldTypeError, ("control", "uint8")),
    "a word of no field": (
        lambda: nwbzarr.NWBContainer("c", colour="red"),  # type: ignore[call-arg]
        SchemaError,
        ("colour", "NWBContainer"),
    ),
    "sharing times that are not there": (
        lambda: series(rate=None, timestamps=series("other")),
        SchemaError,
        ("'other'", "timestamps"),
    ),
    # The others
    "module without a description": (
        lambda: ProcessingModule("m", None),  # type: ignore[arg-type]
        MissingFieldError,
        ("ProcessingModule", "description"),
    ),
    "scratch without notes": (lambda: ScratchData("s", 1), MissingFieldError, ("ScratchData", "notes")),
    "scratch without data": (lambda: ScratchData("s", None, "n"), MissingFieldError, ("ScratchData", "data")),
    "scratch with two words for one": (lambda: ScratchData("s", 1, "n", "d"), SchemaError, ("notes", "description")),
    "scratch without a name": (lambda: session().add_scratch(1), FieldTypeError, ("name", "description")),
    "scratch without description": (lambda: session().add_scratch(1, "s"), FieldTypeError, ("description",)),
    "scratch container with a name": (
        lambda: session().add_scratch(series(), "n", "d"),
        FieldTypeError,
        ("'ts'", "name"),
    ),
    "device with a number": (lambda: Device("d", serial_number=7), FieldTypeError, ("serial_number", "7")),  # type: ignore[arg-type]
    "subject's birth as text": (
        lambda: Subject(date_of_birth="2024-01-01"),  # type: ignore[arg-type]
        FieldTypeError,
        ("date_of_birth", "datetime"),
    ),
    "subject's sex as number": (lambda: Subject(sex=1), FieldTypeError, ("sex", "text")),  # type: ignore[arg-type]
    "subject's weight as truth": (lambda: Subject(weight=True), FieldTypeError, ("weight",)),
    "subject's age below zero": (lambda: Subject(age=timedelta(days=-1)), SchemaError, ("age",)),
    "age's reference without age": (
        lambda: Subject(age__reference="gestational"),
        SchemaError,
        ("age__reference", "age"),
    ),
}


@pytest.mark.parametrize("case", MAKING)
def test_a_value_that_cannot_be(case: str) -> None:
    making, expected, parts = MAKING[case]
    with pytest.raises(expected) as caught:
        making()
    says(caught.value, *parts)


@pytest.mark.parametrize("cls", [NWBFile, TimeSeries, Device, Subject, ProcessingModule, ScratchData])
def test_an_unknown_keyword_is_a_type_error_that_names_it(cls: Any) -> None:
    with pytest.raises(TypeError, match="colour"):
        cls(colour="red")


# Values that only writing can judge: an error that names the dataset, and nothing written.


def failing() -> Iterator[np.ndarray[Any, Any]]:
    yield np.arange(10)
    message = "the amplifier was unplugged"
    raise RuntimeError(message)


WRITING: dict[str, tuple[Callable[[], Any], type[Exception], tuple[str, ...]]] = {
    "None among texts": (lambda: ["a", None, "b"], FieldTypeError, ("None", "item 1")),
    "None among numbers": (lambda: [1.0, None], FieldTypeError, ("None",)),
    "numbers among texts": (lambda: ["a", 1], FieldTypeError, ("1",)),
    "texts among numbers": (lambda: [1, "a", 2.5], FieldTypeError, ("texts",)),
    "truth among texts": (lambda: ["a", True], FieldTypeError, ("True",)),
    "objects": (lambda: np.array([object(), 1], dtype=object), FieldTypeError, ("texts",)),
    "None in an object array": (lambda: np.array(["a", None], dtype=object), FieldTypeError, ("None", "item 1")),
    "ragged object array": (lambda: np.array([[1], [2, 3]], dtype=object), SchemaError, ("bad",)),
    "dates": (lambda: np.array(["2024-01-01"], "datetime64[s]"), FieldTypeError, ("datetime64", "ISO 8601")),
    "durations": (lambda: np.array([1, 2], "timedelta64[s]"), FieldTypeError, ("timedelta64",)),
    "raw bytes": (lambda: np.array([b"ab"], "V2"), FieldTypeError, ("uint8",)),
    "bytes that are no text": (lambda: np.array([b"\xff\xfe"]), FieldTypeError, ("UTF-8",)),
    "integers beyond 64 bits": (lambda: [1, 2**70], FieldTypeError, ("64 bits",)),
    "long doubles": (lambda: np.ones(3, np.longdouble), FieldTypeError, ("dtype float",)),
    "compound of objects": (
        lambda: np.array([(1, {1})], dtype=[("n", "i4"), ("t", "O")]),
        FieldTypeError,
        ("must hold texts",),
    ),
    "compound of dates": (lambda: np.array([(1,)], dtype=[("d", "datetime64[s]")]), FieldTypeError, ("datetime64",)),
    "an iterator of nothing": (lambda: iter([]), SchemaError, ("no block",)),
    "an iterator of scalars": (lambda: iter([1, 2]), SchemaError, ("dimension",)),
    "blocks of two dtypes": (lambda: iter([np.arange(3), np.arange(3.0)]), SchemaError, ("block 1", "float64")),
    "blocks of two shapes": (lambda: iter([np.ones((3, 2)), np.ones((3, 4))]), SchemaError, ("block 1", "(3, 4)")),
    "a generator that fails": (failing, RuntimeError, ("the amplifier was unplugged",)),
    "chunks of another rank": (lambda: ZarrDataIO(np.arange(5), chunks=(2, 2)), LayoutError, ("chunks", "1 dim")),
    "chunks of zero": (lambda: ZarrDataIO(np.arange(5), chunks=(0,)), LayoutError, ("chunks", "(0,)")),
    "chunks below zero": (lambda: ZarrDataIO(np.arange(5), chunks=(-1,)), LayoutError, ("chunks", "(-1,)")),
    "chunks with a fraction": (lambda: ZarrDataIO(np.arange(5), chunks=(1.5,)), LayoutError, ("chunks",)),  # type: ignore[arg-type]
    "chunks as a number": (lambda: ZarrDataIO(np.arange(5), chunks=5), LayoutError, ("chunks",)),  # type: ignore[arg-type]
    "shards that do not fit": (
        lambda: ZarrDataIO(np.arange(50), chunks=(4,), shards=(10,)),
        LayoutError,
        ("shards", "multiples"),
    ),
    "a compressor that is none": (
        lambda: ZarrDataIO(np.arange(5), compressors=["gzip"]),
        LayoutError,
        ("compressors", "gzip"),
    ),
    "a compressor nobody knows": (
        lambda: ZarrDataIO(np.arange(5), compressors=[{"name": "magic", "configuration": {}}]),
        LayoutError,
        ("magic",),
    ),
    "one compressor without a list": (
        lambda: ZarrDataIO(np.arange(5), compressors=GzipCodec()),  # type: ignore[arg-type]
        LayoutError,
        ("compressors",),
    ),
    "ZarrDataIO around None": (lambda: ZarrDataIO(None), FieldTypeError, ("None",)),
    "ZarrDataIO in ZarrDataIO": (lambda: ZarrDataIO(ZarrDataIO(np.arange(3))), SchemaError, ("ZarrDataIO",)),
}


@pytest.mark.parametrize("target", ["new.nwb.zarr", "old.nwb.zarr"])
@pytest.mark.parametrize("case", WRITING)
def test_data_that_cannot_be_stored(untouched: Path, case: str, target: str) -> None:
    making, expected, parts = WRITING[case]
    with NWBZarrIO(untouched / target, "w") as io, pytest.raises(expected) as caught:
        io.write(session(acquisition=[series("fine"), TimeSeries("bad", data=making(), unit="V", rate=1.0)]))
    says(caught.value, *parts)


@pytest.mark.parametrize("case", WRITING)
def test_data_that_cannot_be_added(untouched: Path, case: str) -> None:
    """In mode r+, what is there stays as it was, and is still readable from the session at hand."""
    making, expected, parts = WRITING[case]
    with NWBZarrIO(untouched / "old.nwb.zarr", "r+") as io:
        nwb = io.read()

        def add_and_write() -> None:
            nwb.add_acquisition(TimeSeries("bad", data=making(), unit="V", rate=1.0))
            io.write(nwb)

        with pytest.raises(expected) as caught:
            add_and_write()
        assert np.array_equal(nwb.acquisition["old"].data, np.arange(5.0))
    says(caught.value, *parts)


@pytest.mark.parametrize("case", WRITING)
def test_scratch_that_cannot_be_stored_in_memory(case: str) -> None:
    """The same on an object store, as ScratchData: nothing is there afterwards that opens."""
    making, expected, _ = WRITING[case]
    name = uuid.uuid4().hex
    nwb = session()
    with NWBZarrIO(f"memory://{name}/s.zarr", "w") as io:

        def add_and_write() -> None:
            nwb.add_scratch(making(), name="bad", description="d")
            io.write(nwb)

        with pytest.raises((expected, FieldTypeError)):
            add_and_write()
        with pytest.raises(StoreNotFoundError):
            NWBZarrIO(f"memory://{name}/s.zarr", "r")
    memory = fsspec.filesystem("memory")
    left = memory.find(f"/{name}")
    if left:
        memory.rm(f"/{name}", recursive=True)
    assert left == []


@pytest.mark.parametrize(
    "case",
    [
        "None among texts",
        "dates",
        "long doubles",
        "compound of objects",
        "blocks of two shapes",
        "chunks of another rank",
        "shards that do not fit",
        "a compressor that is none",
    ],
)
def test_the_error_says_which_dataset_it_is(untouched: Path, case: str) -> None:
    """One of three hundred series: which one?"""
    making, expected, _ = WRITING[case]
    with NWBZarrIO(untouched / "new.zarr", "w") as io, pytest.raises(expected) as caught:
        io.write(session(acquisition=[TimeSeries("bad", data=making(), unit="V", rate=1.0)]))
    says(caught.value, "/acquisition/bad/data")


ATTRIBUTES: dict[str, Any] = {
    "None": None,
    "a complex number": 1j,
    "a complex array": np.ones(2) * 1j,
    "bytes": b"\xff\xfe",
    "an object": object(),
    "a set": {1},
    "a function": len,
    "None in a list": [1, None],
    "a date of NumPy": np.datetime64("2024-01-01"),
}


@pytest.mark.parametrize("case", ATTRIBUTES)
def test_an_attribute_that_cannot_be_stored(untouched: Path, case: str) -> None:
    def set_and_write() -> None:
        bad = series("bad")
        bad.set_attribute("colour", ATTRIBUTES[case])
        with NWBZarrIO(untouched / "new.nwb.zarr", "w") as io:
            io.write(session(acquisition=[bad]))

    with pytest.raises(FieldTypeError) as caught:
        set_and_write()
    says(caught.value, "colour")


def test_a_container_as_an_attribute_is_a_reference_or_an_error_but_no_other_thing(tmp_path: Path) -> None:
    """A container is a mapping: stored as JSON it would be an empty object."""
    other, user = series("other"), series("user")
    nwb = session(acquisition=[other, user])
    user.set_attribute("reference", other)
    try:
        with NWBZarrIO(tmp_path / "s", "w") as io:
            io.write(nwb)
    except NWBZarrError:
        assert not (tmp_path / "s").exists()
        return
    found = nwbzarr.open(tmp_path / "s").acquisition
    assert found["user"].attributes["reference"] is found["other"]


# Names.

NAMES: dict[str, tuple[Any, type[NWBZarrError]]] = {
    "with a slash": ("a/b", SchemaError),
    "a slash": ("/", SchemaError),
    "empty": ("", SchemaError),
    "one dot": (".", SchemaError),
    "two dots": ("..", SchemaError),
    "with a backslash": ("a\\b", SchemaError),
    "with NUL": ("a\0b", SchemaError),
    "None": (None, TypeError),  # type: ignore[dict-item]
    "a number": (7, FieldTypeError),
    "a word of Zarr": ("zarr.json", SchemaError),
    "bytes": (b"a", FieldTypeError),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_name_that_cannot_be(case: str) -> None:
    name, expected = NAMES[case]
    for making in (
        lambda: series(name),
        lambda: ProcessingModule(name, "d"),
        lambda: Device(name),
        lambda: ScratchData(name, 1, "n"),
        lambda: session().create_processing_module(name, "d"),
        lambda: session().create_device(name),
    ):
        with pytest.raises(expected) as caught:
            making()
        says(caught.value, "name")


@pytest.mark.parametrize("name", ["lone surrogate \ud800", "x" * 300])
def test_a_name_that_no_file_system_takes_is_refused_with_nothing_written(untouched: Path, name: str) -> None:
    with NWBZarrIO(untouched / "new.zarr", "w") as io, pytest.raises(NWBZarrError):
        io.write(session(acquisition=[series(name)]))


def test_text_that_is_no_unicode_is_refused_with_nothing_written(untouched: Path) -> None:
    for nwb in (session(identifier="\ud800"), session(acquisition=[series(data=["a\udfff"])])):
        with NWBZarrIO(untouched / "new.zarr", "w") as io, pytest.raises(NWBZarrError):
            io.write(nwb)


@pytest.mark.parametrize("names", [("data", "DATA"), ("é", "e\u0301")], ids=["case", "normal form"])
def test_names_that_differ_only_for_some_disks_are_kept_apart(tmp_path: Path, names: tuple[str, str]) -> None:
    with NWBZarrIO(tmp_path / "s", "w") as io:
        io.write(session(acquisition=[series(name, data=[index]) for index, name in enumerate(names)]))
    found = nwbzarr.open(tmp_path / "s").acquisition
    assert [int(found[name].data[0]) for name in names] == [0, 1]


def test_a_duplicate_name(untouched: Path) -> None:
    nwb = session(acquisition=[series("a")])
    for making in (
        lambda: nwb.add_acquisition(series("a")),
        lambda: session(acquisition=[series("a"), series("a")]),
        lambda: session(devices=[Device("a"), Device("a")]),
        lambda: ProcessingModule("m", "d", [series("a"), series("a")]),
    ):
        with pytest.raises(DuplicateNameError, match="'a'") as caught:
            making()
        says(caught.value, "choose another")
    with NWBZarrIO(untouched / "old.nwb.zarr", "r+") as io, pytest.raises(DuplicateNameError, match="'old'"):
        io.read().add_acquisition(series("old"))


def test_a_name_that_is_taken_by_a_link(untouched: Path, tmp_path: Path) -> None:
    root = bare_session(tmp_path / "a.zarr")
    root["acquisition"].attrs["_LINKS"] = [link("raw", "/acquisition/old", "../untouched/old.nwb.zarr")]
    with NWBZarrIO(tmp_path / "a.zarr", "r+") as io, pytest.raises(DuplicateNameError, match="'raw'"):
        io.read().add_acquisition(series("raw"))
    copy = nwbzarr.open(tmp_path / "a.zarr").copy()
    with pytest.raises(DuplicateNameError, match="'raw'"):
        copy.add_acquisition(series("raw"))
    assert (untouched / "old.nwb.zarr").is_dir()


# Modes and places.


@pytest.mark.parametrize("mode", ["", "R", "rw", "wb", "r-", "w+", "read", None, 1, True], ids=repr)
def test_an_unknown_mode(untouched: Path, mode: Any) -> None:
    for name in ("old.nwb.zarr", "new.nwb.zarr"):
        with pytest.raises(StoreModeError) as caught:
            NWBZarrIO(untouched / name, mode)
        says(caught.value, "'r', 'r+', 'a', 'w', 'w-', 'x'", repr(mode))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", StoreURLError),
        ("   ", StoreURLError),
        ("s3://", StoreURLError),
        ("s3:///key", StoreURLError),
        ("http:///path", StoreURLError),
        ("a\0b", StoreURLError),
        ("memory://../../x", StoreURLError),
        ("s3://bucket/../../x", StoreURLError),
        ("nosuchprotocol://x/y", StoreError),
        ("simplecache::", StoreError),
    ],
    ids=repr,
)
@pytest.mark.parametrize("mode", ["r", "w"])
def test_a_url_that_is_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, expected: type[NWBZarrError], mode: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(expected) as caught:
        NWBZarrIO(url, mode).write(session())
    says(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [None, 7, b"bytes", [], {}], ids=repr)
def test_a_place_that_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for mode in ("r", "w"):
        with pytest.raises((StoreURLError, TypeError)) as caught:
            NWBZarrIO(place, mode)
        says(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["raw::1.zarr", "a::b::c", "file::x.zarr", "simplecache"])
def test_a_local_name_that_looks_like_a_chain_works(tmp_path: Path, name: str) -> None:
    with NWBZarrIO(tmp_path / name, "w") as io:
        io.write(session())
    assert nwbzarr.open(tmp_path / name).identifier == "i"
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("mode", ["r", "r+"])
def test_nothing_there(untouched: Path, mode: str) -> None:
    with pytest.raises(StoreNotFoundError) as caught:
        NWBZarrIO(untouched / "gone.zarr", mode)
    says(caught.value, "gone.zarr", "mode='w'")
    assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(StoreNotFoundError):
        NWBZarrIO(f"memory://{uuid.uuid4().hex}/gone.zarr", mode)


def test_nothing_there_on_a_web_server(tmp_path: Path, web_server: Callable[[Path], WebServer]) -> None:
    server = web_server(tmp_path)
    with pytest.raises(StoreNotFoundError):
        nwbzarr.open(f"{server.url}/gone.zarr")
    for mode in ("w", "a", "r+", "x", "w-"):
        with pytest.raises(StoreModeError, match="mode='r'"):
            NWBZarrIO(f"{server.url}/gone.zarr", mode)


@pytest.mark.parametrize("mode", ["r", "r+", "a", "w", "w-", "x"])
def test_a_file_in_the_place(untouched: Path, mode: str) -> None:
    with pytest.raises((NotAStoreError, StoreExistsError)) as caught, NWBZarrIO(untouched / "notes.txt", mode) as io:
        io.write(session())
    says(caught.value, "notes.txt")


@pytest.mark.parametrize("mode", ["r", "r+", "a", "w", "w-", "x"])
def test_a_folder_of_other_things(untouched: Path, mode: str) -> None:
    """Mode w replaces sessions, never somebody's folder."""
    with pytest.raises((NotAStoreError, StoreExistsError)) as caught, NWBZarrIO(untouched, mode) as io:
        io.write(session())
    says(caught.value, str(untouched))


@pytest.mark.parametrize("mode", ["r", "r+", "a", "w"])
def test_a_zarr_hierarchy_that_is_no_session(tmp_path: Path, mode: str) -> None:
    group = zarr.create_group(tmp_path / "other.zarr", attributes={"owner": "somebody else"})
    group.create_array("x", data=np.arange(3))
    before = everything_in(tmp_path)
    with pytest.raises((SchemaError, StoreError)), NWBZarrIO(tmp_path / "other.zarr", mode) as io:
        io.write(session() if mode == "w" else io.read())
    assert everything_in(tmp_path) == before


def test_a_zarr_hierarchy_without_attributes_is_not_replaced(tmp_path: Path) -> None:
    """A group of sessions, or of anything: replacing it would lose what is in it."""
    group = zarr.create_group(tmp_path / "lab.zarr")
    group.create_array("x", data=np.arange(3))
    with NWBZarrIO(tmp_path / "lab.zarr/inner.nwb.zarr", "w") as io:
        io.write(session())
    before = everything_in(tmp_path)
    with pytest.raises(StoreExistsError), NWBZarrIO(tmp_path / "lab.zarr", "w") as io:
        io.write(session())
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("mode", ["w-", "x"])
def test_a_store_that_is_there_already(untouched: Path, mode: str) -> None:
    with pytest.raises(StoreExistsError) as caught:
        NWBZarrIO(untouched / "old.nwb.zarr", mode)
    says(caught.value, "old.nwb.zarr", "'r+'", "'w'")
    assert isinstance(caught.value, FileExistsError)


def test_an_array_is_no_session(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "array.zarr", data=np.arange(3))
    with pytest.raises(NotAStoreError, match="array"):
        nwbzarr.open(tmp_path / "array.zarr")


@pytest.mark.parametrize("node", ["acquisition", "acquisition/old", "acquisition/old/data", "general"])
def test_a_node_inside_a_session_is_no_session(untouched: Path, node: str) -> None:
    """Not to be read as one, and never to be replaced by one."""
    for mode in ("r", "r+", "a"):
        with (
            pytest.raises((NotAStoreError, SchemaError, StoreExistsError)),
            NWBZarrIO(untouched / "old.nwb.zarr" / node, mode) as io,
        ):
            io.read()
    with pytest.raises(StoreError), NWBZarrIO(untouched / "old.nwb.zarr" / node, "w") as io:
        io.write(session())


def test_a_zarr_v2_store_that_is_no_session_stays(tmp_path: Path) -> None:
    zarr.create_group(tmp_path / "v2.zarr", zarr_format=2)
    before = everything_in(tmp_path)
    with pytest.raises(SchemaError, match="NWBFile"):
        nwbzarr.open(tmp_path / "v2.zarr")
    with pytest.raises(StoreExistsError), NWBZarrIO(tmp_path / "v2.zarr", "w") as io:
        io.write(session())
    assert everything_in(tmp_path) == before


def test_writing_what_is_no_session(untouched: Path) -> None:
    for wrong in (None, "text", series(), {"a": 1}, NWBFile):
        with NWBZarrIO(untouched / "new.zarr", "w") as io, pytest.raises(SchemaError, match="NWBFile"):
            io.write(wrong)  # type: ignore[call-overload]


def test_writing_in_mode_r(untouched: Path) -> None:
    with NWBZarrIO(untouched / "old.nwb.zarr", "r") as io:
        with pytest.raises(StoreModeError, match=r"r\+"):
            io.write(session())
        with pytest.raises(StoreModeError, match=r"r\+"):
            io.write(io.read())


def test_writing_another_session_in_mode_r_plus(untouched: Path) -> None:
    for mode in ("r+", "a"):
        with NWBZarrIO(untouched / "old.nwb.zarr", mode) as io, pytest.raises(NWBZarrError) as caught:
            io.write(session())
        says(caught.value, "mode='w'")


def test_writing_a_session_that_was_read_elsewhere(untouched: Path) -> None:
    with NWBZarrIO(untouched / "new.zarr", "w") as io, pytest.raises(SchemaError, match="copy") as caught:
        io.write(nwbzarr.open(untouched / "old.nwb.zarr"))
    says(caught.value, "export")


def test_writing_over_the_store_that_the_session_was_read_from(untouched: Path) -> None:
    nwb = nwbzarr.open(untouched / "old.nwb.zarr")
    for each in (nwb, nwb.copy()):
        with NWBZarrIO(untouched / "old.nwb.zarr", "w") as io, pytest.raises(NWBZarrError) as caught:
            io.write(each)
        says(caught.value, "old.nwb.zarr", "export")
    assert np.array_equal(nwb.acquisition["old"].data, np.arange(5.0))


def test_reading_what_is_not_written_yet(tmp_path: Path) -> None:
    for mode in ("w", "a", "x"):
        with NWBZarrIO(tmp_path / "new.zarr", mode) as io, pytest.raises(StoreNotFoundError):
            io.read()
    assert list(tmp_path.iterdir()) == []


def test_trust_together_with_a_manager(untouched: Path) -> None:
    with pytest.raises(StoreModeError, match="manager"):
        NWBZarrIO(untouched / "old.nwb.zarr", manager=Manager(), trust={})


@pytest.mark.parametrize("trust", [{"": {}}, {"s3://": {}}, {"a\0": {}}], ids=repr)
def test_trust_for_no_place(untouched: Path, trust: Any) -> None:
    with pytest.raises(StoreURLError):
        NWBZarrIO(untouched / "old.nwb.zarr", trust=trust)


@pytest.mark.parametrize("trust", [["s3://lab/"], "s3://lab/", {"s3://lab/": None}, {"s3://lab/": True}], ids=repr)
def test_trust_that_is_no_mapping_of_options(untouched: Path, trust: Any) -> None:
    with pytest.raises((NWBZarrError, TypeError)) as caught:
        NWBZarrIO(untouched / "old.nwb.zarr", trust=trust)
    says(caught.value, "trust")


# Documents: what a damaged or hostile store may say.


def damaged(place: Path, change: Callable[[dict[str, Any]], object], document: str = "zarr.json") -> None:
    """Change one document of a stored session."""
    content = json.loads((place / document).read_text())
    change(content)
    (place / document).write_text(json.dumps(content))


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A session of nwbzarr's own."""
    place = tmp_path / "s.zarr"
    with NWBZarrIO(place, "w") as io:
        io.write(session(acquisition=[series("ts")], keywords=["a"]))
    return place


@pytest.mark.parametrize("part", [0, 1, 0.3, 0.999])
def test_a_truncated_root_document(stored: Path, part: float) -> None:
    root = stored / "zarr.json"
    whole = root.read_bytes()
    root.write_bytes(whole[: int(len(whole) * part) if part < 1 else int(part)])
    before = everything_in(stored)
    for mode in ("r", "r+", "a", "x"):
        with pytest.raises(DocumentError) as caught:
            NWBZarrIO(stored, mode)
        says(caught.value, "s.zarr", "cut off or damaged")
    assert everything_in(stored) == before


@pytest.mark.parametrize(
    "content",
    [b"null", b"[]", b'"text"', b"7", b"{}", b'{"zarr_format": 2}', b'{"zarr_format": 3}', b"\xff\xfe{", b"<html>"],
    ids=repr,
)
def test_a_root_document_of_something_else(stored: Path, content: bytes) -> None:
    (stored / "zarr.json").write_bytes(content)
    with pytest.raises((DocumentError, NotAStoreError)) as caught:
        nwbzarr.open(stored)
    says(caught.value, "s.zarr")


def test_a_truncated_document_of_a_node(stored: Path) -> None:
    """Without consolidated metadata every document is read."""
    damaged(stored, lambda root: root.pop("consolidated_metadata"))
    node = stored / "acquisition/ts/zarr.json"
    node.write_bytes(node.read_bytes()[:40])
    with pytest.raises(DocumentError) as caught:
        nwbzarr.open(stored).acquisition["ts"]
    says(caught.value, "acquisition/ts", "cut off or damaged")


@pytest.mark.parametrize(
    "key", ["../outside", "acquisition/../../outside", "acquisition//x", "..", "a/./b", "a\\b", "/absolute/.."]
)
def test_consolidated_keys_that_leave_the_store(stored: Path, key: str) -> None:
    node = {"zarr_format": 3, "node_type": "group", "attributes": {}}
    damaged(stored, lambda root: root["consolidated_metadata"]["metadata"].update({key: node}))
    with pytest.raises(DocumentError) as caught:
        nwbzarr.open(stored)
    says(caught.value, "segments")


@pytest.mark.parametrize("value", [None, 7, [], "text", {"zarr_format": 3}, {"node_type": "thing"}], ids=repr)
def test_consolidated_nodes_that_are_no_documents(stored: Path, value: Any) -> None:
    damaged(stored, lambda root: root["consolidated_metadata"]["metadata"].update({"acquisition/ts": value}))
    with pytest.raises(NWBZarrError):
        nwbzarr.open(stored).acquisition["ts"]


@pytest.mark.parametrize("value", [7, [], "text", {}, {"metadata": []}, {"metadata": None}], ids=repr)
def test_consolidated_metadata_that_is_none(stored: Path, value: Any) -> None:
    damaged(stored, lambda root: root.update(consolidated_metadata=value))
    with pytest.raises(DocumentError, match="consolidated_metadata"):
        nwbzarr.open(stored)


def test_a_null_for_consolidated_metadata_means_none(stored: Path) -> None:
    damaged(stored, lambda root: root.update(consolidated_metadata=None))
    assert np.array_equal(nwbzarr.open(stored).acquisition["ts"].data, np.arange(5.0))


LINKS: dict[str, Any] = {
    "without path": [{"name": "x", "source": "."}],
    "without source": [{"name": "x", "path": "/acquisition/ts"}],
    "without name": [{"source": ".", "path": "/acquisition/ts"}],
    "path of null": [{"name": "x", "source": ".", "path": None}],
    "empty path": [{"name": "x", "source": ".", "path": ""}],
    "no object": ["x"],
    "null": [None],
    "no list": {"name": "x", "source": ".", "path": "/"},
    "text": "x",
}


@pytest.mark.parametrize("case", LINKS)
@pytest.mark.parametrize("consolidated", [True, False])
def test_a_link_that_says_too_little(tmp_path: Path, case: str, consolidated: bool) -> None:
    root = bare_session(tmp_path / "a.zarr")
    root["acquisition"].attrs["_LINKS"] = LINKS[case]
    make_group(root, "analysis/fine", typed("Odd", "ndx-lab", label="fine"))
    if consolidated:
        consolidate(tmp_path / "a.zarr")
    nwb = nwbzarr.open(tmp_path / "a.zarr")
    assert nwb.analysis["fine"].attributes["label"] == "fine"
    with pytest.raises(DocumentError) as caught:
        nwb.acquisition["x"]
    says(caught.value, "_LINKS", "a.zarr", "/acquisition")


DOCUMENTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "shape of text": lambda node: node.update(shape="x"),
    "shape below zero": lambda node: node.update(shape=[-5]),
    "no shape": lambda node: node.pop("shape"),
    "shape of another rank": lambda node: node.update(shape=[5, 5]),
    "dtype nobody knows": lambda node: node.update(data_type="float99"),
    "no dtype": lambda node: node.pop("data_type"),
    "codec nobody knows": lambda node: node.update(codecs=[{"name": "magic"}]),
    "no codecs": lambda node: node.update(codecs=[]),
    "grid nobody knows": lambda node: node.update(chunk_grid={"name": "round"}),
    "chunks of zero": lambda node: node["chunk_grid"]["configuration"].update(chunk_shape=[0]),
    "attributes of text": lambda node: node.update(attributes="x"),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_an_array_document_that_cannot_be(stored: Path, case: str) -> None:
    """The damaged array says so when it is touched; the rest of the session is readable."""

    def change(root: dict[str, Any]) -> None:
        DOCUMENTS[case](root["consolidated_metadata"]["metadata"]["acquisition/ts/data"])

    damaged(stored, change)
    nwb = nwbzarr.open(stored)
    assert nwb.keywords == ("a",)
    assert list(nwb.acquisition) == ["ts"]
    with pytest.raises(NWBZarrError) as caught:
        np.asarray(nwb.acquisition["ts"].data)
    says(caught.value, "s.zarr", "/acquisition/ts/data")


@pytest.mark.parametrize("content", [b"", b"\0" * 7, b"\0" * 400], ids=len)
def test_a_damaged_chunk(stored: Path, content: bytes) -> None:
    (chunk,) = (path for path in (stored / "acquisition/ts/data").iterdir() if path.name != "zarr.json")
    chunk.write_bytes(content)
    (stored / "nwbzarr.small-chunks").unlink()
    nwb = nwbzarr.open(stored)
    with pytest.raises(DocumentError) as caught:
        np.asarray(nwb.acquisition["ts"].data)
    says(caught.value, "/acquisition/ts/data", "chunk")


def test_a_damaged_compressed_chunk(tmp_path: Path) -> None:
    with NWBZarrIO(tmp_path / "s.zarr", "w") as io:
        io.write(session(acquisition=[series(data=ZarrDataIO(np.arange(5000), chunks=(1000,)))]))
    for chunk in (tmp_path / "s.zarr/acquisition/ts/data").glob("c*"):
        chunk.write_bytes(chunk.read_bytes()[:20])
    nwb = nwbzarr.open(tmp_path / "s.zarr")
    with pytest.raises(NWBZarrError) as caught:
        nwb.acquisition["ts"].data[:]
    says(caught.value, "/acquisition/ts/data")


def test_a_start_time_that_is_no_date_says_so_when_it_is_asked_for(tmp_path: Path) -> None:
    root = zarr.create_group(tmp_path / "a.zarr", attributes=typed("NWBFile", nwb_version="2.9.0"))
    make_array(root, "identifier", "i")
    make_array(root, "session_start_time", "yesterday")
    nwb = nwbzarr.open(tmp_path / "a.zarr")
    assert nwb.identifier == "i"
    with pytest.raises(DocumentError) as caught:
        nwb.session_start_time  # noqa: B018
    says(caught.value, "ISO 8601", "yesterday", "session_start_time", "a.zarr")


def test_a_session_that_lacks_what_it_must_have_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    zarr.create_group(tmp_path / "a.zarr", attributes=typed("NWBFile"))
    nwb = nwbzarr.open(tmp_path / "a.zarr")
    assert nwb.identifier is None
    assert nwb.session_start_time is None
    assert list(nwb.acquisition) == []


def test_a_group_where_a_dataset_belongs(tmp_path: Path) -> None:
    root = zarr.create_group(tmp_path / "a.zarr", attributes=typed("NWBFile"))
    make_group(root, "identifier")
    make_array(root, "acquisition", [1, 2])
    nwb = nwbzarr.open(tmp_path / "a.zarr")
    with pytest.raises(SchemaError) as caught:
        nwb.identifier  # noqa: B018
    says(caught.value, "identifier", "dataset", "group")
    with pytest.raises(SchemaError) as caught:
        nwb.add_acquisition(series())
    says(caught.value, "acquisition")


# The errors themselves.


def test_errors_carry_store_and_path_survive_pickling_and_are_what_callers_expect(untouched: Path) -> None:
    with pytest.raises(StoreNotFoundError) as caught:
        nwbzarr.open(untouched / "gone.zarr")
    error = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert type(error) is StoreNotFoundError
    assert (str(error), error.store, error.path) == (str(caught.value), caught.value.store, caught.value.path)
    assert str(untouched) in (error.store or "")


def test_the_errors_can_be_reached_from_the_package() -> None:
    """``except nwbzarr.errors.StoreNotFoundError`` after a plain ``import nwbzarr``."""
    code = "import nwbzarr\ntry: nwbzarr.open('/no/such/store')\nexcept nwbzarr.errors.StoreNotFoundError: print('ok')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "ok\n", done.stderr
    code = "import nwbzarr\nprint(nwbzarr.errors.NWBZarrError.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "NWBZarrError\n", done.stderr
