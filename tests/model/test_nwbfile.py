"""`NWBFile`, `Subject` and `Device`: every field, through a store and back, and the ways to add and find containers."""

from __future__ import annotations

import itertools
import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr

import nwbzarr
from nwbzarr import Device, NWBFile, NWBZarrIO, ProcessingModule, ScratchData, Subject, TimeSeries
from nwbzarr.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START = datetime(2019, 4, 3, 11, tzinfo=timezone(timedelta(hours=-7)))
UNICODE = "Käfig № 7 — 老鼠 🐭\n\t'quoted' \"twice\" \\"

TEXT_FIELDS = (
    "session_description",
    "identifier",
    "experiment_description",
    "session_id",
    "institution",
    "notes",
    "pharmacology",
    "protocol",
    "slices",
    "data_collection",
    "surgery",
    "virus",
    "stimulus_notes",
    "lab",
)
TEXTS_FIELDS = ("experimenter", "keywords", "related_publications")
SUBJECT_FIELDS = ("age", "description", "genotype", "sex", "species", "subject_id", "weight", "strain")
DEVICE_FIELDS = ("description", "manufacturer", "model_number", "model_name", "serial_number")

_PLACES = itertools.count()


@pytest.fixture
def through_store(tmp_path: Path) -> Callable[[NWBFile], NWBFile]:
    """Return what writes a session and reads it back with nothing in memory shared."""

    def go(nwb: NWBFile) -> NWBFile:
        place = tmp_path / f"{next(_PLACES)}.nwb.zarr"
        with NWBZarrIO(place, "w") as io:
            io.write(nwb)
        return nwbzarr.open(place)

    return go


def session(**fields: Any) -> NWBFile:
    given: dict[str, Any] = {"session_description": "d", "identifier": "i", "session_start_time": START, **fields}
    return NWBFile(**given)


def series(name: str = "ts", **fields: Any) -> TimeSeries:
    given: dict[str, Any] = {"data": np.arange(5.0), "unit": "V", "rate": 10.0, **fields}
    return TimeSeries(name, **given)


# Scalar metadata.


@pytest.mark.parametrize("name", TEXT_FIELDS)
@pytest.mark.parametrize("text", ["plain", "", UNICODE, "x" * 100_000], ids=["plain", "empty", "unicode", "long"])
def test_text_field(through_store: Callable[[NWBFile], NWBFile], name: str, text: str) -> None:
    nwb = session(**{name: text})
    assert getattr(nwb, name) == text
    found = getattr(through_store(nwb), name)
    assert type(found) is str
    assert found == text


@pytest.mark.parametrize("name", TEXTS_FIELDS)
@pytest.mark.parametrize("texts", [("one",), ("one", "two", ""), (UNICODE, "b")], ids=["one", "three", "unicode"])
def test_texts_field(through_store: Callable[[NWBFile], NWBFile], name: str, texts: tuple[str, ...]) -> None:
    for given in (list(texts), texts, np.array(texts)):
        nwb = session(**{name: given})
        assert getattr(nwb, name) == texts
        assert getattr(through_store(nwb), name) == texts


@pytest.mark.parametrize("name", TEXTS_FIELDS)
def test_one_text_counts_as_a_list_of_one(through_store: Callable[[NWBFile], NWBFile], name: str) -> None:
    nwb = session(**{name: "Ada Lovelace"})
    assert getattr(nwb, name) == ("Ada Lovelace",)
    assert getattr(through_store(nwb), name) == ("Ada Lovelace",)


def test_source_script_carries_its_file_name(through_store: Callable[[NWBFile], NWBFile]) -> None:
    found = through_store(session(source_script="import this", source_script_file_name="this.py"))
    assert found.source_script == "import this"
    assert found.source_script_file_name == "this.py"


def test_was_generated_by_is_pairs_of_program_and_version(through_store: Callable[[NWBFile], NWBFile]) -> None:
    pairs = (("SpikeGLX", "3.1"), ("nwbzarr", "0.1.0"))
    assert through_store(session(was_generated_by=pairs)).was_generated_by == pairs
    assert through_store(session(was_generated_by=[list(pair) for pair in pairs])).was_generated_by == pairs


def test_what_was_not_given_is_none(through_store: Callable[[NWBFile], NWBFile]) -> None:
    for nwb in (session(), through_store(session())):
        required = {"session_description", "identifier"}
        for name in (*TEXT_FIELDS, *TEXTS_FIELDS, "was_generated_by", "source_script_file_name", "subject"):
            if name not in required:
                assert getattr(nwb, name) is None, name
        for name in ("acquisition", "analysis", "stimulus", "stimulus_template", "processing", "scratch", "devices"):
            assert len(getattr(nwb, name)) == 0, name


def test_all_fields_at_once_and_fields_lists_them(through_store: Callable[[NWBFile], NWBFile]) -> None:
    given: dict[str, Any] = {name: f"the {name}" for name in TEXT_FIELDS}
    given |= {name: (f"a {name}", f"another {name}") for name in TEXTS_FIELDS}
    found = through_store(session(**given))
    assert {name: getattr(found, name) for name in given} == given
    assert {name: value for name, value in found.fields.items() if name in given} == given


def test_fields_can_be_set_after_construction_once(through_store: Callable[[NWBFile], NWBFile]) -> None:
    nwb = session()
    nwb.lab = "Lab 7"
    nwb.keywords = ("a", "b")
    nwb.subject = Subject(subject_id="S1")
    assert nwb.lab == "Lab 7"
    with pytest.raises(SchemaError, match="set already"):
        nwb.lab = "Lab 8"
    found = through_store(nwb)
    assert (found.lab, found.keywords) == ("Lab 7", ("a", "b"))
    assert found.subject is not None
    assert found.subject.subject_id == "S1"


# Dates.


@pytest.mark.parametrize(
    "moment",
    [
        START,
        datetime(2019, 4, 3, 11, tzinfo=UTC),
        datetime(2019, 4, 3, 11, 12, 13, 141516, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=14))),
        datetime(1, 1, 2, tzinfo=UTC),
    ],
    ids=str,
)
def test_datetimes_keep_their_offset(through_store: Callable[[NWBFile], NWBFile], moment: datetime) -> None:
    nwb = session(
        session_start_time=moment, timestamps_reference_time=moment, file_create_date=[moment, moment + timedelta(1)]
    )
    nwb.subject = Subject(subject_id="S", date_of_birth=moment)
    found = through_store(nwb)
    assert found.subject is not None
    for read in (found.session_start_time, found.timestamps_reference_time, found.subject.date_of_birth):
        assert isinstance(read, datetime)
        assert read == moment
        assert read.utcoffset() == moment.utcoffset()
    assert found.file_create_date == (moment, moment + timedelta(1))


def test_naive_datetimes_are_local_time_and_stored_with_their_offset(
    through_store: Callable[[NWBFile], NWBFile],
) -> None:
    naive = datetime(2020, 7, 1, 12, 30)  # noqa: DTZ001 - that is the case
    found = through_store(session(session_start_time=naive))
    assert found.session_start_time == naive.astimezone()
    assert found.session_start_time.utcoffset() is not None


def test_dates_are_stored_as_iso_8601_text(tmp_path: Path) -> None:
    with NWBZarrIO(tmp_path / "s.nwb.zarr", "w") as io:
        io.write(session())
    array = zarr.open_group(tmp_path / "s.nwb.zarr", mode="r")["session_start_time"]
    assert isinstance(array, zarr.Array)
    assert str(array[()]) == "2019-04-03T11:00:00-07:00"
    assert array.shape == ()


def test_reference_time_defaults_to_the_start(through_store: Callable[[NWBFile], NWBFile]) -> None:
    before = datetime.now(UTC)
    nwb = session()
    assert nwb.timestamps_reference_time == START
    (created,) = nwb.file_create_date
    assert before - timedelta(seconds=1) <= created <= datetime.now(UTC) + timedelta(seconds=1)
    found = through_store(nwb)
    assert found.timestamps_reference_time == START
    assert found.file_create_date == (created,)


def test_reference_time_of_its_own(through_store: Callable[[NWBFile], NWBFile]) -> None:
    other = START - timedelta(days=3)
    assert through_store(session(timestamps_reference_time=other)).timestamps_reference_time == other


def test_one_create_date_counts_as_a_list_of_one(through_store: Callable[[NWBFile], NWBFile]) -> None:
    assert through_store(session(file_create_date=START)).file_create_date == (START,)


# Subject and devices.


@pytest.mark.parametrize("name", SUBJECT_FIELDS)
@pytest.mark.parametrize("text", ["plain", UNICODE], ids=["plain", "unicode"])
def test_subject_field(through_store: Callable[[NWBFile], NWBFile], name: str, text: str) -> None:
    given: dict[str, Any] = {name: text}
    found = through_store(session(subject=Subject(**given))).subject
    assert isinstance(found, Subject)
    assert getattr(found, name) == text
    assert {other for other in SUBJECT_FIELDS if getattr(found, other) is not None} == {name}


def test_subject_age_reference(through_store: Callable[[NWBFile], NWBFile]) -> None:
    default = through_store(session(subject=Subject(age="P90D"))).subject
    assert default is not None
    assert default.age__reference == "birth"
    gestational = through_store(session(subject=Subject(age="P20D", age__reference="gestational"))).subject
    assert gestational is not None
    assert (gestational.age, gestational.age__reference) == ("P20D", "gestational")


def test_subject_takes_a_timedelta_and_a_weight_in_kilograms(through_store: Callable[[NWBFile], NWBFile]) -> None:
    found = through_store(session(subject=Subject(age=timedelta(days=90), weight=0.3))).subject
    assert found is not None
    assert (found.age, found.weight) == ("P90D", "0.3 kg")


@pytest.mark.parametrize(
    ("age", "seconds"),
    [
        (timedelta(days=90, hours=12), 90.5 * 86400),
        (timedelta(hours=36), 1.5 * 86400),
        (timedelta(days=1, milliseconds=1500), 86401.5),
    ],
)
def test_subject_age_as_timedelta_loses_nothing(
    through_store: Callable[[NWBFile], NWBFile], age: timedelta, seconds: float
) -> None:
    found = through_store(session(subject=Subject(age=age))).subject
    assert found is not None
    assert found.age is not None
    date_part, _, time_part = found.age.removeprefix("P").partition("T")
    assert float(date_part.rstrip("D") or 0) * 86400 + float(time_part.rstrip("S") or 0) == seconds


def test_device_fields(through_store: Callable[[NWBFile], NWBFile]) -> None:
    nwb = session()
    device = nwb.create_device("probe", **{name: f"the {name}" for name in DEVICE_FIELDS})
    bare = nwb.add_device(Device("camera"))
    assert isinstance(device, Device)
    found = through_store(nwb)
    assert set(found.devices) == {"probe", "camera"}
    probe = found.devices["probe"]
    assert isinstance(probe, Device)
    assert {name: getattr(probe, name) for name in DEVICE_FIELDS} == {name: f"the {name}" for name in DEVICE_FIELDS}
    assert all(getattr(found.devices["camera"], name) is None for name in DEVICE_FIELDS)
    assert probe.object_id == device.object_id
    assert found.devices["camera"].object_id == bare.object_id


# Containers.

COLLECTIONS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "acquisition": ("add_acquisition", series),
    "analysis": ("add_analysis", series),
    "stimulus": ("add_stimulus", series),
    "stimulus_template": ("add_stimulus_template", series),
    "processing": ("add_processing_module", lambda name: ProcessingModule(name, "m")),
    "scratch": ("add_scratch", lambda name: ScratchData(name, np.arange(3), "s")),
    "devices": ("add_device", Device),
}


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_containers_can_be_added_and_found_by_name(
    through_store: Callable[[NWBFile], NWBFile], collection: str
) -> None:
    adder, make = COLLECTIONS[collection]
    nwb = session()
    first, second = make("first"), make("zweites № 2")
    getattr(nwb, adder)(first)
    getattr(nwb, collection).add(second)
    found = through_store(nwb)
    for each in (nwb, found):
        held = getattr(each, collection)
        assert len(held) == 2
        assert set(held) == {"first", "zweites № 2"}
        assert "first" in held
        assert "third" not in held
        assert held["first"].object_id == first.object_id
        assert held["first"] is getattr(each, collection)["first"]
        assert {value.object_id for value in held.values()} == {first.object_id, second.object_id}
        assert held.get("third") is None
        with pytest.raises(KeyError, match="first"):
            held["third"]
    assert type(getattr(found, collection)["first"]) is type(first)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_collections_can_be_given_to_the_constructor(
    through_store: Callable[[NWBFile], NWBFile], collection: str
) -> None:
    _, make = COLLECTIONS[collection]
    found = through_store(session(**{collection: [make("first"), make("second")]}))
    assert set(getattr(found, collection)) == {"first", "second"}


def test_processing_and_modules_are_two_words_for_one_thing(through_store: Callable[[NWBFile], NWBFile]) -> None:
    nwb = session()
    module = nwb.create_processing_module("ecephys", "what was done")
    assert isinstance(module, ProcessingModule)
    one, two = series("one"), series("two")
    module.add(one)
    module.add_container(two)
    for each in (nwb, through_store(nwb)):
        assert set(each.modules) == set(each.processing) == {"ecephys"}
        held = each.modules["ecephys"]
        assert held is each.processing["ecephys"]
        assert held.description == "what was done"
        assert set(held) == {"one", "two"}
        assert held["one"].object_id == one.object_id
        assert held.get("two").object_id == two.object_id
        assert held.get("three") is None
        assert each.get_processing_module("ecephys") is held
        with pytest.raises(KeyError, match="three"):
            held["three"]


def test_scratch_takes_arrays_scalars_and_containers(through_store: Callable[[NWBFile], NWBFile]) -> None:
    nwb = session()
    given: dict[str, Any] = {
        "array": np.arange(6).reshape(2, 3),
        "number": 3.5,
        "integer": 7,
        "truth": True,
        "text": UNICODE,
        "texts": ["a", UNICODE, ""],
        "complex": 1 - 2j,
        "list": [[1, 2], [3, 4]],
    }
    for name, value in given.items():
        made = nwb.add_scratch(value, name=name, description=f"a {name}")
        assert isinstance(made, ScratchData)
        assert np.array_equal(nwb.get_scratch(name), value)
    nwb.add_scratch(series("a series"))
    nwb.add_scratch(ScratchData("made before", 1, notes="n"))
    found = through_store(nwb)
    assert set(found.scratch) == {*given, "a series", "made before"}
    for name, value in given.items():
        read = found.get_scratch(name)
        assert np.array_equal(np.asarray(read), np.asarray(value)), name
        assert found.get_scratch(name, convert=False).description == f"a {name}"
        assert np.shape(read) == np.shape(value)
    assert isinstance(found.get_scratch("text"), str)
    assert found.get_scratch("truth") is True
    assert isinstance(found.get_scratch("integer"), int)
    assert isinstance(found.get_scratch("number"), float)
    assert found.get_scratch("complex") == 1 - 2j
    assert isinstance(found.get_scratch("a series"), TimeSeries)
    with pytest.raises(KeyError):
        found.get_scratch("nothing")


def test_get_acquisition(through_store: Callable[[NWBFile], NWBFile]) -> None:
    assert through_store(session(acquisition=[series("raw")])).get_acquisition("raw").unit == "V"


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_one_container_counts_as_a_list_of_one(through_store: Callable[[NWBFile], NWBFile], collection: str) -> None:
    """A container is a mapping too, but what is meant is the container."""
    _, make = COLLECTIONS[collection]
    assert set(getattr(through_store(session(**{collection: make("only")})), collection)) == {"only"}


# Identity, copies, repr.


def test_object_ids_are_uuids_and_stay(through_store: Callable[[NWBFile], NWBFile]) -> None:
    nwb = session(acquisition=[series("a"), series("b")], subject=Subject(subject_id="S"))
    found = through_store(nwb)
    pairs = [
        (nwb.object_id, found.object_id),
        (nwb.acquisition["a"].object_id, found.acquisition["a"].object_id),
        (nwb.acquisition["b"].object_id, found.acquisition["b"].object_id),
        (nwb.subject and nwb.subject.object_id, found.subject and found.subject.object_id),
    ]
    for before, after in pairs:
        assert before is not None
        assert before == after
        assert str(uuid.UUID(before)) == before  # type: ignore[arg-type]
    assert len({before for before, _ in pairs}) == len(pairs)


def test_copy_shares_containers_and_copies_metadata(through_store: Callable[[NWBFile], NWBFile]) -> None:
    nwb = session(acquisition=[series("raw")], lab="L", keywords=["k", "l"], subject=Subject(subject_id="S"))
    nwb.create_processing_module("m", "d")
    for original in (nwb, through_store(nwb)):
        made = original.copy()
        assert isinstance(made, NWBFile)
        assert made.object_id != original.object_id
        assert (made.lab, made.keywords, made.identifier) == ("L", ("k", "l"), "i")
        assert made.session_start_time == START
        assert made.file_create_date == original.file_create_date
        assert made.acquisition["raw"] is original.acquisition["raw"]
        assert made.processing["m"] is original.processing["m"]
        assert made.subject is original.subject
        made.add_acquisition(series("new"))
        made.create_processing_module("own", "d")
        made.add_scratch(1, name="s", description="d")
        assert set(original.acquisition) == {"raw"}
        assert set(original.processing) == {"m"}
        assert len(original.scratch) == 0


def test_repr_says_what_it_is_and_reads_no_data(through_store: Callable[[NWBFile], NWBFile]) -> None:
    nwb = session(acquisition=[series("raw")])
    for each in (nwb, through_store(nwb)):
        assert "NWBFile" in repr(each)
        assert "raw" in repr(each.acquisition)
        assert "TimeSeries" in repr(each.acquisition)
        assert "raw" in repr(each.acquisition["raw"])
        assert "TimeSeries" in repr(each.acquisition["raw"])


def test_names_without_trouble(through_store: Callable[[NWBFile], NWBFile]) -> None:
    names = ["a b", "ü", "a.b", "c", "c0", "zarr", "data", "100%", "a#b", "a?b", "a::b", "name:1", "~", "-x", "🐭"]
    nwb = session(acquisition=[series(name) for name in names])
    found = through_store(nwb)
    assert set(found.acquisition) == set(names)
    for name in names:
        assert np.array_equal(found.acquisition[name].data, np.arange(5.0)), name


# The stored form, as other tools see it.


def test_root_document_is_strict_json_of_an_nwb_file(tmp_path: Path) -> None:
    with NWBZarrIO(tmp_path / "s.nwb.zarr", "w") as io:
        io.write(session(acquisition=[series("raw", conversion=2.0)]))

    def refuse(word: str) -> None:
        raise AssertionError(word)

    root = json.loads((tmp_path / "s.nwb.zarr" / "zarr.json").read_text("utf-8"), parse_constant=refuse)
    assert root["attributes"]["neurodata_type"] == "NWBFile"
    assert root["attributes"]["namespace"] == "core"
    assert root["attributes"]["nwb_version"].startswith("2.")
    nodes = root["consolidated_metadata"]["metadata"]
    assert nodes["acquisition/raw"]["attributes"]["neurodata_type"] == "TimeSeries"
    for path, node in nodes.items():
        alone = json.loads((tmp_path / "s.nwb.zarr" / path / "zarr.json").read_text("utf-8"), parse_constant=refuse)
        assert alone == node, path


def test_untyped_groups_that_the_schema_requires_are_there(tmp_path: Path) -> None:
    with NWBZarrIO(tmp_path / "s.nwb.zarr", "w") as io:
        io.write(session())
    group = zarr.open_group(tmp_path / "s.nwb.zarr", mode="r")
    for path in ("acquisition", "analysis", "general", "processing", "stimulus/presentation", "stimulus/templates"):
        assert isinstance(group[path], zarr.Group), path
