"""Containers of any type: by name, with attributes, datasets and children; through reading, copying, linking, exporting.

The stores are written by zarr-python alone, after the public convention.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr

import nwbzarr
from nwbzarr import Container, Data, Device, NWBFile, NWBZarrIO, ProcessingModule, ScratchData, TimeSeries
from nwbzarr.errors import (
    DocumentError,
    DuplicateNameError,
    FieldTypeError,
    LinkError,
    ReferenceTargetError,
    SchemaError,
)
from tests.handwritten import (
    ELECTRODES,
    NAMESPACES,
    PROBE,
    SERIES,
    SHANK,
    bare_session,
    check_ephys,
    ephys_store,
    lfp_values,
    link,
    make_array,
    make_compound,
    make_group,
    reference,
    typed,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START = datetime(2024, 1, 1, tzinfo=UTC)


def session(**fields: Any) -> NWBFile:
    return NWBFile(session_description="d", identifier="i", session_start_time=START, **fields)


def series(name: str = "ts") -> TimeSeries:
    return TimeSeries(name, data=np.arange(5.0), unit="V", rate=10.0)


@pytest.fixture
def ephys(tmp_path: Path) -> Path:
    """A session of types that have no class."""
    place = tmp_path / "raw" / "ephys.nwb.zarr"
    place.parent.mkdir()
    ephys_store(place)
    return place


# Reading.


@pytest.mark.parametrize("consolidated", [True, False])
def test_a_store_written_by_hand_is_read(tmp_path: Path, consolidated: bool) -> None:
    ephys_store(tmp_path / "s", consolidated=consolidated)
    nwb = nwbzarr.open(tmp_path / "s")
    check_ephys(nwb)
    assert nwb.identifier == "electrodes in CA1"
    assert nwb.session_start_time.isoformat() == "2023-05-06T07:08:09.101112+02:00"
    assert nwb.file_create_date == (nwb.session_start_time,)


def test_generic_containers_give_their_content_by_name(ephys: Path) -> None:
    nwb = nwbzarr.open(ephys)
    rig: Any = nwb.find("general/rig")
    assert isinstance(rig, Container)
    assert set(rig) == {"temperature", "operator", "parts", "map", "watched", "watched series", "samples"}
    assert set(rig.datasets) == {"temperature", "operator", "samples"}
    assert set(rig.children) == {"parts", "map", "watched", "watched series"}
    assert set(rig.links) == {"watched series", "samples"}
    assert isinstance(rig["map"], Data)
    assert set(rig.attributes) == {
        "neurodata_type",
        "namespace",
        "object_id",
        "serial",
        "gains",
        "label",
        "calibrated",
        "settings",
        "main_probe",
    }
    assert "_LINKS" not in rig.attributes
    assert "_DTYPE" not in rig["map"].attributes
    assert "LabRig" in repr(rig)
    with pytest.raises(KeyError, match="temperature"):
        rig["nothing"]


def test_references_lead_to_the_very_objects(ephys: Path) -> None:
    nwb: Any = nwbzarr.open(ephys)
    table: Any = nwb.acquisition["lfp"]["electrodes"].attributes["table"]
    assert table is nwb.electrodes
    assert table is nwb.find(ELECTRODES.strip("/"))
    shank: Any = nwb.find(SHANK.strip("/"))
    assert table["group"][0] is shank
    assert table["group"][-1] is shank
    assert all(each is shank for each in table["group"][:])
    assert shank["device"] is nwb.devices["probe"]
    rig: Any = nwb.find("general/rig")
    assert rig["watched series"] is nwb.acquisition["lfp"]
    assert rig["samples"] is nwb.acquisition["lfp"]["data"]
    assert rig["map"].attributes["origin"] is rig
    assert rig.attributes["main_probe"] is nwb.devices["probe"]


def test_references_in_compounds_lead_to_the_very_objects(ephys: Path) -> None:
    nwb = nwbzarr.open(ephys)
    row = nwb.trials["timeseries"][1]
    assert (row.idx_start, row.count) == (50, 50)
    assert row.timeseries is nwb.acquisition["lfp"]


def test_the_cached_namespaces_are_no_containers(ephys: Path) -> None:
    nwb = nwbzarr.open(ephys)
    assert "specifications" not in nwb
    assert "specifications" not in list(nwb)
    assert ".specloc" not in nwb.attributes


def test_a_scalar_without_a_chunk_is_its_fill_value(ephys: Path) -> None:
    """zarr-python, and so hdmf-zarr, stores no chunk for a starting_time of 0.0."""
    start: Any = nwbzarr.open(ephys).acquisition["lfp"].datasets["starting_time"]
    assert not (ephys / "acquisition/lfp/starting_time/c").exists()
    assert start.data == 0.0
    assert isinstance(start.data, float)


def test_bare_nan_in_attributes_is_read(tmp_path: Path) -> None:
    """hdmf-zarr writes NaN and Infinity as words that are no JSON."""
    root = bare_session(tmp_path / "s")
    attributes = typed("Odd", "ndx-lab", a=1.0)
    make_group(root, "acquisition/odd", attributes)
    document = tmp_path / "s/acquisition/odd/zarr.json"
    text = document.read_text().replace('"a": 1.0', '"a": NaN, "b": -Infinity, "c": [Infinity, 1.0]')
    assert "NaN" in text
    document.write_text(text)
    found = nwbzarr.open(tmp_path / "s").acquisition["odd"].attributes
    assert np.isnan(found["a"])
    assert found["b"] == -np.inf
    assert found["c"] == [np.inf, 1.0]


def test_a_known_type_with_fields_of_an_extension_keeps_them(tmp_path: Path) -> None:
    root = bare_session(tmp_path / "s")
    make_group(root, "acquisition/ts", typed("TimeSeries", quality="good", _LINKS=[link("again", "/acquisition/ts")]))
    make_array(root, "acquisition/ts/data", [1, 2, 3], {"unit": "V", "filter": "none"})
    make_array(root, "acquisition/ts/starting_time", 1.5, {"rate": 2.0, "unit": "seconds"})
    make_array(root, "acquisition/ts/extra", [9])
    found: Any = nwbzarr.open(tmp_path / "s").acquisition["ts"]
    assert (found.unit, found.rate, found.starting_time) == ("V", 2.0, 1.5)
    assert found.attributes["quality"] == "good"
    assert found["data"].attributes["filter"] == "none"
    assert np.array_equal(found["extra"].data, [9])
    assert found["again"] is found
    assert isinstance(found, TimeSeries)


def test_a_type_name_of_another_kind_is_kept_as_what_it_is(tmp_path: Path) -> None:
    root = bare_session(tmp_path / "s")
    make_group(root, "acquisition/odd", typed("ScratchData", "ndx-lab", notes="a group under a dataset's name"))
    make_array(root, "acquisition/even", [1, 2], typed("TimeSeries", "ndx-lab"))
    nwb = nwbzarr.open(tmp_path / "s")
    assert nwb.acquisition["odd"].attributes["notes"] == "a group under a dataset's name"
    assert np.array_equal(nwb.acquisition["even"].data, [1, 2])


def test_empty_datasets_of_references(tmp_path: Path) -> None:
    root = bare_session(tmp_path / "s")
    make_array(root, "acquisition/none", np.array([], dtype=object), typed("VectorData", _DTYPE="object_reference"))
    column: Any = nwbzarr.open(tmp_path / "s").acquisition["none"]
    assert list(column[:]) == []
    assert column.shape == (0,)


@pytest.fixture
def references(tmp_path: Path) -> NWBFile:
    """Four containers, and datasets of references to them: a row and a scalar."""
    root = bare_session(tmp_path / "s")
    for name in "abcd":
        make_group(root, f"acquisition/{name}", typed("Odd", "ndx-lab"))
    paths = [f"/acquisition/{name}" for name in "abcd"]
    attributes = typed("Refs", "ndx-lab", _DTYPE="object_reference")
    make_array(root, "acquisition/row", paths, attributes)
    make_array(root, "acquisition/one", paths[2], attributes)
    return nwbzarr.open(tmp_path / "s")


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (0, "a"),
        (-1, "d"),
        (np.int64(1), "b"),
        (slice(1, None), "bcd"),
        (slice(None, None, -1), "dcba"),
        ([0, 3], "ad"),
        (np.array([0, 3]), "ad"),
        (np.array([True, False, False, True]), "ad"),
        (..., "abcd"),
    ],
    ids=repr,
)
def test_references_can_be_selected_in_any_way(references: NWBFile, selection: Any, names: str) -> None:
    found: Any = references.acquisition["row"][selection]
    assert "".join(each.name for each in ([found] if isinstance(found, Container) else found)) == names


def test_one_reference_without_dimensions(references: NWBFile) -> None:
    assert references.acquisition["one"][()].name == "c"  # type: ignore[index]


@pytest.mark.parametrize("selection", [np.int64(1), np.array([1, 2]), np.arange(3) > 0], ids=repr)
def test_datasets_take_the_selections_of_numpy(tmp_path: Path, selection: Any) -> None:
    root = bare_session(tmp_path / "s")
    make_array(root, "acquisition/values", np.arange(3), typed("Values", "ndx-lab"))
    found: Any = nwbzarr.open(tmp_path / "s").acquisition["values"]
    assert np.array_equal(found[selection], np.arange(3)[selection])


def test_a_reference_to_nothing_says_so_when_it_is_followed(tmp_path: Path) -> None:
    root = bare_session(tmp_path / "s")
    make_group(root, "acquisition/odd", typed("Odd", "ndx-lab", table=reference("/general/nothing"), fine=1))
    make_array(
        root, "acquisition/refs", ["/acquisition/odd", "/nothing"], typed("Refs", "ndx-lab", _DTYPE="object_reference")
    )
    nwb = nwbzarr.open(tmp_path / "s")
    assert nwb.acquisition["odd"].attributes["fine"] == 1
    with pytest.raises(ReferenceTargetError, match="/general/nothing"):
        nwb.acquisition["odd"].attributes["table"]
    refs: Any = nwb.acquisition["refs"]
    assert refs[0].name == "odd"
    with pytest.raises(ReferenceTargetError, match="/nothing"):
        refs[1]
    assert repr(nwb.acquisition)
    assert repr(nwb.acquisition["odd"])


@pytest.mark.parametrize("path", ["../../etc", "/acquisition/../../etc", "", 7, "a//b"], ids=repr)
def test_a_reference_that_leaves_the_tree_is_refused(tmp_path: Path, path: Any) -> None:
    root = bare_session(tmp_path / "s")
    make_group(root, "acquisition/odd", typed("Odd", "ndx-lab", table={"_REFERENCE": {"source": ".", "path": path}}))
    nwb = nwbzarr.open(tmp_path / "s")
    with pytest.raises((DocumentError, ReferenceTargetError)):
        nwb.acquisition["odd"].attributes["table"]


def test_a_link_along_a_link_is_followed(tmp_path: Path) -> None:
    """A path may lead through a link: /acquisition/there is one, and the reference goes on below it."""
    root = bare_session(tmp_path / "s")
    make_group(root, "analysis/real", typed("Odd", "ndx-lab"))
    make_array(root, "analysis/real/values", [1, 2])
    root["acquisition"].attrs["_LINKS"] = [link("there", "/analysis/real")]
    make_group(
        root, "processing/p", typed("ProcessingModule", description="d", it=reference("/acquisition/there/values"))
    )
    found: Any = nwbzarr.open(tmp_path / "s").processing["p"].attributes["it"]
    assert np.array_equal(found.data, [1, 2])
    assert found.path == "/analysis/real/values"


# Copying and linking.


def test_copy_links_every_container_and_all_of_it_is_read_back(tmp_path: Path, ephys: Path) -> None:
    copy = tmp_path / "elsewhere" / "copy.nwb.zarr"
    nwb = nwbzarr.open(ephys)
    derived = nwb.copy()
    derived.create_processing_module("new", "d").add(series())
    with NWBZarrIO(copy, "w") as io:
        report = io.write(derived)
    assert all(entry.source == "../../raw/ephys.nwb.zarr" for entry in report.links)
    check_ephys(nwbzarr.open(copy))
    assert not (copy / "acquisition" / "lfp").exists()
    assert not (copy / "general" / "rig").exists()


def test_copy_of_a_copy_is_read_back(tmp_path: Path, ephys: Path) -> None:
    last = ephys
    for index in range(3):
        place = tmp_path / f"folder {index}" / ("deeper" if index % 2 else ".") / "copy.nwb.zarr"
        derived = nwbzarr.open(last).copy()
        derived.create_processing_module(f"module {index}", "d")
        with NWBZarrIO(place, "w") as io:
            io.write(derived)
        last = place
    nwb = nwbzarr.open(last)
    check_ephys(nwb)
    assert set(nwb.processing) == {"module 0", "module 1", "module 2"}


def test_copy_takes_the_cached_namespaces_along(tmp_path: Path, ephys: Path) -> None:
    with NWBZarrIO(tmp_path / "copy.nwb.zarr", "w") as io:
        io.write(nwbzarr.open(ephys).copy())
    root = json.loads((tmp_path / "copy.nwb.zarr/zarr.json").read_text())
    assert root["attributes"][".specloc"] == "specifications"
    for name, version in NAMESPACES:
        array = zarr.open_group(tmp_path / "copy.nwb.zarr", mode="r")[f"specifications/{name}/{version}/namespace"]
        assert isinstance(array, zarr.Array)
        assert json.loads(str(array[()]))["namespaces"][0] == {"name": name, "version": version}


def test_copy_keeps_plain_groups_with_their_attributes(tmp_path: Path) -> None:
    root = bare_session(tmp_path / "s")
    nothing = {"number": 1, "list": [1, 2], "nested": {"a": "b"}}
    make_group(root, "general/plain", nothing)
    make_array(root, "general/plain/values", np.arange(6, dtype="uint8").reshape(2, 3), {"unit": "n/a"})
    with NWBZarrIO(tmp_path / "copy", "w") as io:
        io.write(nwbzarr.open(tmp_path / "s").copy())
    found: Any = nwbzarr.open(tmp_path / "copy").find("general/plain")
    assert dict(found.attributes) == nothing
    assert found["values"].data.dtype == np.dtype("uint8")
    assert np.array_equal(found["values"].data, np.arange(6).reshape(2, 3))
    assert dict(found["values"].attributes) == {"unit": "n/a"}


def test_copy_keeps_a_null_in_a_plain_group(tmp_path: Path) -> None:
    """What another tool may write (zarr-python does), a copy must not choke on."""
    root = bare_session(tmp_path / "s")
    make_group(root, "general/plain", {"nothing": None, "list": [1, None]})
    with NWBZarrIO(tmp_path / "copy", "w") as io:
        io.write(nwbzarr.open(tmp_path / "s").copy())
    found: Any = nwbzarr.open(tmp_path / "copy").find("general/plain")
    assert dict(found.attributes) == {"nothing": None, "list": [1, None]}


def test_copy_keeps_a_reference_in_a_plain_group(tmp_path: Path) -> None:
    root = bare_session(tmp_path / "s")
    make_group(root, "acquisition/odd", typed("Odd", "ndx-lab"))
    make_group(root, "general/plain", {"it": reference("/acquisition/odd")})
    with NWBZarrIO(tmp_path / "copy", "w") as io:
        io.write(nwbzarr.open(tmp_path / "s").copy())
    nwb = nwbzarr.open(tmp_path / "copy")
    found: Any = nwb.find("general/plain")
    assert found.attributes["it"] is nwb.acquisition["odd"]


def test_copy_keeps_plain_datasets_of_references(tmp_path: Path) -> None:
    root = bare_session(tmp_path / "s")
    make_group(root, "acquisition/odd", typed("Odd", "ndx-lab"))
    make_array(root, "general/refs", ["/acquisition/odd"], {"_DTYPE": "object_reference"})
    make_compound(tmp_path / "s", "general/rows", [(0, 1, "/acquisition/odd")], {"unit": "n/a"})
    original = nwbzarr.open(tmp_path / "s")
    with NWBZarrIO(tmp_path / "copy", "w") as io:
        io.write(original.copy())
    nwb = nwbzarr.open(tmp_path / "copy")
    refs: Any = nwb.find("general/refs")
    assert refs[0].object_id == original.acquisition["odd"].object_id
    stored = json.loads((tmp_path / "copy/general/rows/zarr.json").read_text())["attributes"]
    assert stored["_REFERENCE_FIELDS"] == ["timeseries"]


def test_a_container_of_another_store_can_be_linked_alone(tmp_path: Path, ephys: Path) -> None:
    raw = nwbzarr.open(ephys)
    nwb = session()
    nwb.add_acquisition(raw.acquisition["lfp"])
    nwb.create_processing_module("module", "d").add(raw.electrodes)
    nwb.add_scratch(raw.find("general/rig"))
    nwb.add_device(raw.devices["probe"])
    with NWBZarrIO(tmp_path / "linked.nwb.zarr", "w") as io:
        report = io.write(nwb)
    assert {entry.path for entry in report.links} == {
        "/acquisition/lfp",
        "/processing/module/electrodes",
        "/scratch/rig",
        "/general/devices/probe",
    }
    found = nwbzarr.open(tmp_path / "linked.nwb.zarr")
    lfp = found.acquisition["lfp"]
    assert lfp.neurodata_type == "ElectricalSeries"
    assert lfp["electrodes"].attributes["table"] is found.processing["module"]["electrodes"]
    assert found.scratch["rig"].attributes["main_probe"] is found.devices["probe"]
    assert np.array_equal(found.scratch["rig"]["samples"].data, lfp_values())


def test_a_generic_container_in_memory_has_names_datasets_and_children(tmp_path: Path) -> None:
    """What a lab makes itself, from the plain base."""
    made = nwbzarr.NWBContainer("summary")
    made.set_attribute("version", np.uint8(3))
    made.add_member(series("inside"))
    nwb = session()
    nwb.add_analysis(made)
    with NWBZarrIO(tmp_path / "s", "w") as io:
        io.write(nwb)
    found = nwbzarr.open(tmp_path / "s").analysis["summary"]
    assert found.attributes["version"] == np.uint8(3)
    assert isinstance(found["inside"], TimeSeries)


# Exporting.


def test_export_keeps_every_type(tmp_path: Path, ephys: Path) -> None:
    with NWBZarrIO(ephys, "r") as source, NWBZarrIO(tmp_path / "export.nwb.zarr", "w") as io:
        io.export(source)
    before = nwbzarr.open(ephys)
    identities = {path: before.find(path).object_id for path in (SERIES[1:], ELECTRODES[1:], "general/rig/parts/lamp")}  # type: ignore[union-attr]
    shutil.rmtree(ephys)
    nwb = nwbzarr.open(tmp_path / "export.nwb.zarr")
    check_ephys(nwb)
    assert {path: nwb.find(path).object_id for path in identities} == identities  # type: ignore[union-attr]
    data = nwb.acquisition["lfp"].datasets["data"].data
    assert (data.chunks, data.shards) == ((25, 2), (100, 4))


def test_export_of_a_linking_copy_is_complete(tmp_path: Path, ephys: Path) -> None:
    with NWBZarrIO(tmp_path / "copy.nwb.zarr", "w") as io:
        io.write(nwbzarr.open(ephys).copy())
    with NWBZarrIO(tmp_path / "copy.nwb.zarr", "r") as source, NWBZarrIO(tmp_path / "export.nwb.zarr", "w") as io:
        io.export(source)
    shutil.rmtree(ephys)
    shutil.rmtree(tmp_path / "copy.nwb.zarr")
    check_ephys(nwbzarr.open(tmp_path / "export.nwb.zarr"))


def test_adding_to_a_store_written_by_hand_keeps_what_is_there(ephys: Path) -> None:
    with NWBZarrIO(ephys, "r+") as io:
        nwb = io.read()
        nwb.create_processing_module("new", "d").add(series())
        nwb.add_scratch(np.arange(3), name="s", description="d")
        io.write(nwb)
    nwb = nwbzarr.open(ephys)
    check_ephys(nwb)
    assert np.array_equal(nwb.processing["new"]["ts"].data, np.arange(5.0))
    assert np.array_equal(nwb.get_scratch("s"), [0, 1, 2])
    assert zarr.open_group(ephys, mode="r").attrs[".specloc"] == "specifications"


# The containers that have classes.


def test_processing_module_takes_containers_by_every_word(tmp_path: Path) -> None:
    module = ProcessingModule("m", "what was done", data_interfaces=[series("a")])
    module.add(series("b"))
    module.add_container(series("c"))
    module.add_data_interface(series("d"))
    nwb = session()
    nwb.add_processing_module(module)
    with NWBZarrIO(tmp_path / "s", "w") as io:
        io.write(nwb)
    for each in (module, nwbzarr.open(tmp_path / "s").processing["m"]):
        assert set(each) == set(each.containers) == set(each.data_interfaces) == set("abcd")
        assert each.get_container("a") is each["a"] is each.get_data_interface("a")
        assert "ProcessingModule" in repr(each)


def test_the_same_container_twice_in_one_session_is_one_with_a_link(tmp_path: Path) -> None:
    shared = series("shared")
    nwb = session(acquisition=[shared])
    nwb.create_processing_module("m", "d").add(shared)
    with NWBZarrIO(tmp_path / "s", "w") as io:
        report = io.write(nwb)
    assert [(entry.path, entry.source) for entry in report.links] == [("/processing/m/shared", ".")]
    found = nwbzarr.open(tmp_path / "s")
    assert found.processing["m"]["shared"] is found.acquisition["shared"]
    assert not (tmp_path / "s/processing/m/shared").exists()


def test_series_that_share_timestamps_and_data_in_one_session(tmp_path: Path) -> None:
    first = TimeSeries("first", data=np.arange(4), unit="V", timestamps=np.arange(4.0))
    second = TimeSeries("second", data=first, timestamps=first)
    third = TimeSeries("third", data=np.arange(4) * 2, unit="V", timestamps=second)
    with NWBZarrIO(tmp_path / "s", "w") as io:
        io.write(session(acquisition=[first, second, third]))
    found = nwbzarr.open(tmp_path / "s").acquisition
    assert np.array_equal(found["second"].data, np.arange(4))
    assert found["second"].unit == "V"
    assert found["second"]["data"] is found["first"]["data"]
    assert found["third"]["timestamps"] is found["first"]["timestamps"]
    assert not (tmp_path / "s/acquisition/second/data").exists()
    assert not (tmp_path / "s/acquisition/third/timestamps").exists()


def test_the_order_of_sharing_series_does_not_matter(tmp_path: Path) -> None:
    owner = TimeSeries("z owner", data=np.arange(4), unit="V", timestamps=np.arange(4.0))
    user = TimeSeries("a user", data=owner, timestamps=owner)
    with NWBZarrIO(tmp_path / "s", "w") as io:
        io.write(session(acquisition=[user, owner]))
    found = nwbzarr.open(tmp_path / "s").acquisition
    assert found["a user"]["data"] is found["z owner"]["data"]


def test_sharing_with_a_series_that_is_in_no_session_is_an_error_that_says_so(tmp_path: Path) -> None:
    loose = TimeSeries("loose", data=np.arange(4), unit="V", timestamps=np.arange(4.0))
    user = TimeSeries("user", data=np.arange(4), unit="V", timestamps=loose)
    with NWBZarrIO(tmp_path / "s", "w") as io, pytest.raises(LinkError, match=r"loose|timestamps"):
        io.write(session(acquisition=[user]))
    assert not (tmp_path / "s").exists()


def test_duplicate_names_are_refused_everywhere() -> None:
    module = ProcessingModule("m", "d")
    module.add(series("a"))
    with pytest.raises(DuplicateNameError, match="'a'"):
        module.add(series("a"))
    nwb = session(acquisition=[series("a")], devices=[Device("a")])
    for adding in (
        lambda: nwb.add_acquisition(series("a")),
        lambda: nwb.acquisition.add(series("a")),
        lambda: nwb.create_device("a"),
        lambda: session(acquisition=[series("b"), series("b")]),
        lambda: session(processing=[ProcessingModule("m", "d"), ProcessingModule("m", "e")]),
    ):
        with pytest.raises(DuplicateNameError, match=r"'[abm]'"):
            adding()
    assert len(nwb.acquisition) == 1


@pytest.mark.parametrize(
    "wrong", [1, "text", None, np.arange(3), {"a": 1}, object()], ids=lambda value: type(value).__name__
)
def test_what_is_no_container_is_refused(wrong: Any) -> None:
    module = ProcessingModule("m", "d")
    nwb = session()
    for adding in (module.add, nwb.add_acquisition, nwb.add_analysis, nwb.add_processing_module, nwb.add_device):
        with pytest.raises(SchemaError):
            adding(wrong)


def test_containers_of_the_wrong_type_are_refused() -> None:
    nwb = session()
    cases: list[tuple[Callable[[Any], object], Any]] = [
        (nwb.add_acquisition, Device("d")),
        (nwb.add_device, series()),
        (nwb.add_processing_module, series()),
        (nwb.add_acquisition, ProcessingModule("m", "d")),
        (nwb.add_acquisition, ScratchData("s", 1, "n")),
        (nwb.add_stimulus, Device("d")),
    ]
    for adding, wrong in cases:
        with pytest.raises(FieldTypeError, match="must hold"):
            adding(wrong)


def test_device_and_probe_path_are_found(ephys: Path) -> None:
    probe = nwbzarr.open(ephys).find(PROBE.strip("/"))
    assert isinstance(probe, Device)
    assert probe.manufacturer == "by hand"
