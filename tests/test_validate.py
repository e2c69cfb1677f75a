"""`nwbzarr.validate`: nothing for clean sessions; for damaged ones every problem, with its path and field."""

from __future__ import annotations

import gc
import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr

import nwbzarr
from nwbzarr import NWBZarrIO, Problem
from nwbzarr.convention.names import SIDECAR
from nwbzarr.errors import NWBZarrError, StoreNotFoundError
from nwbzarr.schema.core import NWB_VERSION
from tests.extensions import lab_session, load_lab, plain_session, write_session
from tests.handwritten import consolidate, ephys_store, link, make_array, reference
from tests.rich import rich_session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TRIALS = "intervals/trials"
ELECTRODES = "general/extracellular_ephys/electrodes"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sessions that nothing is wrong with; read only."""
    folder = tmp_path_factory.mktemp("clean")
    write_session(plain_session(), folder / "plain")
    write_session(rich_session(), folder / "rich")
    write_session(lab_session(*load_lab(folder / "namespaces")), folder / "lab")
    with NWBZarrIO(folder / "rich") as io:
        write_session(io.read().copy(), folder / "copy")
        with NWBZarrIO(folder / "export", "w") as out:
            out.export(io)
    return folder


@pytest.mark.parametrize("name", ["plain", "rich", "lab", "copy", "export"])
def test_nothing_is_wrong_with_a_clean_session(clean: Path, name: str) -> None:
    assert nwbzarr.validate(clean / name) == []


def test_nothing_is_wrong_with_a_session_that_grew(clean: Path, tmp_path: Path) -> None:
    place = tmp_path / "s"
    shutil.copytree(clean / "rich", place)
    with NWBZarrIO(place, "r+") as io:
        nwb: Any = io.read()
        nwb.add_trial(start_time=3.0, stop_time=4.0, timeseries=[nwb.acquisition["ephys"]], marks=["y", "z"])
        nwb.add_unit(spike_times=[1.0], electrodes=[3, 2])
        nwb.add_electrode(group=nwb.electrode_groups["shank"], location="CA3")
        io.write(nwb)
    assert nwbzarr.validate(place) == []


def test_there_must_be_a_session(tmp_path: Path) -> None:
    with pytest.raises(StoreNotFoundError):
        nwbzarr.validate(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NWBZarrError):
        nwbzarr.validate(tmp_path / "empty")


class Damage:
    """A copy of a session to be damaged."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def document(self, path: str, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change a node's document."""
        file = self.place / path / "zarr.json"
        document = json.loads(file.read_text())
        change(document)
        file.write_text(json.dumps(document))

    def attributes(self, path: str, **values: Any) -> None:
        """Set attributes; None removes one."""

        def change(document: dict[str, Any]) -> None:
            document["attributes"].update(values)
            for name in [name for name, value in values.items() if value is None]:
                del document["attributes"][name]

        self.document(path, change)

    def remove(self, path: str) -> None:
        shutil.rmtree(self.place / path)

    def array(self, path: str, values: Any) -> None:
        """Replace an array by one of other values, with the same attributes."""
        attributes = json.loads((self.place / path / "zarr.json").read_text())["attributes"]
        self.remove(path)
        make_array(zarr.open_group(self.place, mode="r+", use_consolidated=False), path, values, attributes)

    def group(self, path: str) -> None:
        """Replace a node by an empty group."""
        self.remove(path)
        zarr.open_group(self.place, mode="r+", use_consolidated=False).create_group(path)

    def values(self, path: str, values: Any) -> None:
        """Write other values of the same dtype and shape."""
        zarr.open_array(self.place / path, mode="r+")[...] = values

    def text(self, path: str, text: str) -> None:
        made = zarr.open_array(self.place / path, mode="r+")
        made[...] = np.array(text, dtype=object)

    def junk(self, key: str) -> None:
        (self.place / key).write_bytes(b"junk")

    def problems(self) -> list[Problem]:
        (self.place / SIDECAR).unlink(missing_ok=True)
        consolidate(self.place)
        return nwbzarr.validate(self.place)


@pytest.fixture
def rich(clean: Path, tmp_path: Path) -> Damage:
    shutil.copytree(clean / "rich", tmp_path / "damaged")
    return Damage(tmp_path / "damaged")


@pytest.fixture
def lab(clean: Path, tmp_path: Path) -> Damage:
    shutil.copytree(clean / "lab", tmp_path / "damaged")
    return Damage(tmp_path / "damaged")


def test_the_tool_that_damages_does_no_harm_itself(rich: Damage) -> None:
    rich.values("units/spike_times_index", [1, 3, 6])
    rich.array("units/id", np.arange(3))
    assert rich.problems() == []


#: What is done, and the problems: path, field, words of the message.
DAMAGES: dict[str, tuple[Callable[[Damage], None], list[tuple[str, str, tuple[str, ...]]]]] = {
    "a required attribute is missing": (
        lambda d: d.attributes(TRIALS, description=None),
        [(f"/{TRIALS}", "description", ("missing",))],
    ),
    "a required attribute of a dataset is missing": (
        lambda d: d.attributes("acquisition/ephys/data", unit=None),
        [("/acquisition/ephys/data", "data.unit", ("missing",))],
    ),
    "a required dataset is missing": (
        lambda d: d.remove("acquisition/ephys/data"),
        [("/acquisition/ephys", "data", ("dataset", "missing"))],
    ),
    "a required dataset of the session is missing": (
        lambda d: d.remove("identifier"),
        [("/", "identifier", ("dataset", "missing"))],
    ),
    "a required container is missing": (
        lambda d: d.remove("general/optophysiology/plane/green"),
        [("/general/optophysiology/plane", "OpticalChannel", ("1 to many", "0"))],
    ),
    "a required link is missing": (
        lambda d: d.attributes("general/extracellular_ephys/shank", _LINKS=None),
        [("/general/extracellular_ephys/shank", "device", ("link to Device", "missing"))],
    ),
    "an attribute of another dtype": (
        lambda d: d.attributes(TRIALS, description=5),
        [(f"/{TRIALS}", "description", ("text", "5"))],
    ),
    "a dataset of another dtype": (
        lambda d: d.array("processing/ophys/Fluorescence/rrs/data", np.array([["a", "b"]] * 5)),
        [("/processing/ophys/Fluorescence/rrs/data", "data", ("numeric", "text"))],
    ),
    "a column of another dtype": (
        lambda d: d.array(f"{TRIALS}/start_time", np.arange(3)),
        [(f"/{TRIALS}/start_time", "start_time", ("float", "int64"))],
    ),
    "a dataset of another shape": (
        lambda d: d.array("general/subject/subject_id", np.array(["a", "b"])),
        [("/general/subject/subject_id", "subject_id", ("scalar", "(2,)"))],
    ),
    "data of too many dimensions": (
        lambda d: d.array("acquisition/ephys/data", np.zeros((2, 2, 2, 2))),
        [("/acquisition/ephys/data", "data", ("shape", "(2, 2, 2, 2)"))],
    ),
    "an image of three dimensions": (
        lambda d: d.array("processing/ophys/images/im", np.zeros((2, 2, 2))),
        [("/processing/ophys/images/im", "", ("shape", "(2, 2, 2)"))],
    ),
    "another fixed value": (
        lambda d: d.attributes("acquisition/ephys/data", unit="furlongs"),
        [("/acquisition/ephys/data", "data.unit", ("volts", "furlongs"))],
    ),
    "a group where a dataset must be": (
        lambda d: d.group("acquisition/ephys/data"),
        [("/acquisition/ephys", "data", ("dataset",))],
    ),
    "a container of another type": (
        lambda d: d.attributes("acquisition/ephys/electrodes", neurodata_type="VectorData"),
        [("/acquisition/ephys", "electrodes", ("DynamicTableRegion", "VectorData"))],
    ),
    "a dangling link": (
        lambda d: d.attributes(
            "general/extracellular_ephys/shank", _LINKS=[link("device", "/general/devices/nowhere")]
        ),
        [("/general/extracellular_ephys/shank", "device", ("/general/devices/nowhere",))],
    ),
    "a link to a store that is not there": (
        lambda d: d.attributes(
            "general/extracellular_ephys/shank", _LINKS=[link("device", "/general/devices/probe", "../gone.nwb.zarr")]
        ),
        [("/general/extracellular_ephys/shank", "device", ("gone.nwb.zarr",))],
    ),
    "a link to another type": (
        lambda d: d.attributes("general/extracellular_ephys/shank", _LINKS=[link("device", "/general/subject")]),
        [("/general/extracellular_ephys/shank", "device", ("Device", "Subject"))],
    ),
    "a reference to nowhere": (
        lambda d: d.attributes("acquisition/ephys/electrodes", table=reference("/nowhere")),
        [("/acquisition/ephys/electrodes", "table", ("/nowhere",))],
    ),
    "a reference to another type": (
        lambda d: d.attributes("acquisition/ephys/electrodes", table=reference("/general/devices/probe")),
        [("/acquisition/ephys/electrodes", "table", ("DynamicTable", "Device"))],
    ),
    "a reference to nowhere in one row": (
        lambda d: d.values(
            f"{ELECTRODES}/group", np.array(["/general/extracellular_ephys/shank", "/nowhere"] * 2, object)
        ),
        [(f"/{ELECTRODES}/group", "", ("/nowhere",))],
    ),
    "a reference to another type in one row": (
        lambda d: d.values(
            f"{ELECTRODES}/group", np.array(["/general/extracellular_ephys/shank", "/general/subject"] * 2, object)
        ),
        [(f"/{ELECTRODES}/group", "group", ("ElectrodeGroup", "Subject"))],
    ),
    "a ragged index that goes beyond its column": (
        lambda d: d.values("units/spike_times_index", [1, 3, 9]),
        [("/units/spike_times_index", "", ("9", "6"))],
    ),
    "a ragged index that does not reach the end": (
        lambda d: d.values("units/spike_times_index", [1, 3, 4]),
        [("/units/spike_times_index", "", ("4", "6"))],
    ),
    "a ragged index that goes back": (
        lambda d: d.values("units/spike_times_index", [3, 1, 6]),
        [("/units/spike_times_index", "", ("3", "1"))],
    ),
    "a region out of range": (
        lambda d: d.values("acquisition/ephys/electrodes", [0, 1, 4]),
        [("/acquisition/ephys/electrodes", "", ("4", "electrodes"))],
    ),
    "a region below zero": (
        lambda d: d.values("acquisition/ephys/electrodes", [0, -1, 2]),
        [("/acquisition/ephys/electrodes", "", ("-1",))],
    ),
    "a ragged region out of range": (
        lambda d: d.values("units/electrodes", [0, 1, 17]),
        [("/units/electrodes", "", ("17",))],
    ),
    "columns of different length": (
        lambda d: d.array(f"{TRIALS}/stop_time", [0.5, 1.5]),
        [(f"/{TRIALS}", "", ("stop_time", "2", "3"))],
    ),
    "more ids than rows": (
        lambda d: d.array("units/id", np.arange(5)),
        [("/units", "", ("5", "3"))],
    ),
    "a column that is named and missing": (
        lambda d: d.attributes(TRIALS, colnames=["start_time", "stop_time", "marks", "timeseries", "ghost"]),
        [(f"/{TRIALS}", "", ("ghost",))],
    ),
    "a type that nobody defines": (
        lambda d: d.attributes("general/devices/probe", neurodata_type="Probe"),
        [("/general/devices/probe", "", ("not known", "core"))],
    ),
    "a namespace that is not cached": (
        lambda d: d.attributes("general/devices/probe", namespace="ndx-nowhere"),
        [("/general/devices/probe", "", ("not known", "ndx-nowhere"))],
    ),
    "a chunk that is damaged": (
        lambda d: d.junk("units/spike_times_index/c.0"),
        [("/units/spike_times_index", "", ("bytes",))],
    ),
    "a time of the session that is none": (
        lambda d: d.text("session_start_time", "yesterday"),
        [("/session_start_time", "session_start_time", ("yesterday",))],
    ),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_one_thing_is_wrong(rich: Damage, case: str) -> None:
    """What must be said is said; what follows from it may be said too, about the same nodes' neighbours."""
    damage, wanted = DAMAGES[case]
    damage(rich)
    found = rich.problems()
    for path, field, words in wanted:
        fitting = [problem for problem in found if (problem.path, problem.field) == (path, field)]
        assert fitting, (path, field, found)
        assert any(all(word in problem.message for word in words) for problem in fitting), (words, fitting)
    assert len(found) <= 3, found
    for problem in found:
        assert problem.message
        assert str(problem).startswith(problem.path)


def test_all_problems_are_reported_at_once(rich: Damage) -> None:
    rich.attributes(TRIALS, description=None)
    rich.attributes("acquisition/ephys/data", unit="furlongs")
    rich.attributes("general/devices/probe", neurodata_type="Probe")
    rich.remove("identifier")
    rich.values("units/spike_times_index", [1, 3, 9])
    rich.values("acquisition/ephys/electrodes", [0, 1, 4])
    rich.attributes("general/intracellular_ephys/e", _LINKS=[link("device", "/nowhere")])
    found = {(problem.path, problem.field) for problem in rich.problems()}
    assert {
        (f"/{TRIALS}", "description"),
        ("/acquisition/ephys/data", "data.unit"),
        ("/general/devices/probe", ""),
        ("/", "identifier"),
        ("/units/spike_times_index", ""),
        ("/acquisition/ephys/electrodes", ""),
        ("/general/intracellular_ephys/e", "device"),
    } <= found


# Extensions, and what is cached.

LAB_CACHE = "specifications/ndx-lab/1.3.0"


def test_an_extension_is_checked_after_its_cached_namespace(lab: Damage) -> None:
    lab.attributes("general/rig", serial=None, kind="box", gain="x", main=reference("/acquisition/licks"))
    lab.array("general/rig/temperature", [[20.5]])
    lab.attributes("general/devices/lamp", watts=None)
    lab.attributes("acquisition/licks/data", unit="bites")
    found = {(problem.path, problem.field): problem.message for problem in lab.problems()}
    assert set(found) == {
        ("/general/rig", "serial"),
        ("/general/rig", "kind"),
        ("/general/rig", "gain"),
        ("/general/rig", "main"),
        ("/general/rig/temperature", "temperature"),
        ("/general/devices/lamp", "watts"),
        ("/acquisition/licks/data", "data.unit"),
    }


def test_what_is_cached_counts_and_not_what_is_loaded(lab: Damage) -> None:
    """The store says that a rig needs a colour and no serial."""
    source = f"{LAB_CACHE}/ndx-lab"
    content = json.loads(str(zarr.open_array(lab.place / source, mode="r")[()]))
    rig = next(item for item in content["groups"] if item["neurodata_type_def"] == "LabRig")
    rig["attributes"] = [
        item if item["name"] != "serial" else {"name": "colour", "dtype": "text", "doc": "d"}
        for item in rig["attributes"]
    ]
    lab.text(source, json.dumps(content))
    lab.attributes("general/rig", serial=None)
    assert [(problem.path, problem.field) for problem in lab.problems()] == [("/general/rig", "colour")]


def test_the_cached_core_counts_and_not_ours(rich: Damage) -> None:
    """The store says that a device needs a colour, and that trials need no description."""
    source = f"specifications/core/{NWB_VERSION}/core"
    content = json.loads(str(zarr.open_array(rich.place / source, mode="r")[()]))
    device = next(item for item in content["groups"] if item.get("neurodata_type_def") == "Device")
    device.setdefault("attributes", []).append({"name": "colour", "dtype": "text", "doc": "d"})
    rich.text(source, json.dumps(content))
    assert [(problem.path, problem.field) for problem in rich.problems()] == [("/general/devices/probe", "colour")]


def test_without_a_cache_ours_counts(rich: Damage) -> None:
    rich.remove("specifications")
    rich.attributes("", **{".specloc": None})
    rich.attributes(TRIALS, description=None)
    assert [(problem.path, problem.field) for problem in rich.problems()] == [(f"/{TRIALS}", "description")]


def test_an_extension_that_is_not_cached(lab: Damage) -> None:
    lab.remove("specifications/ndx-lab")
    found = lab.problems()
    unknown = {problem.path for problem in found if "not known" in problem.message}
    assert unknown == {
        "/general/rig",
        "/general/rig/edges",
        "/general/rig/ratings",
        "/general/rig/ratings/score",
        "/acquisition/licks",
    }


#: What everybody hears who opens such a session, and what `validate` says in its own way.
HEARD = pytest.mark.filterwarnings("ignore:.*its types are read as plain containers")


def test_validate_does_not_warn_of_what_it_reports(lab: Damage) -> None:
    lab.text(f"{LAB_CACHE}/ndx-lab", "{")
    assert lab.problems()


@HEARD
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", ("JSON",)),
        ("", ("JSON",)),
        ("[]", ("object",)),
        ('{"groups": 5}', ("groups", "list")),
        ('{"groups": [{"doc": "no type"}]}', ("type",)),
        ('{"groups": [{"neurodata_type_def": "LabRig", "neurodata_type_inc": "Nowhere", "doc": "d"}]}', ("Nowhere",)),
        ('{"groups": [{"neurodata_type_def": "LabRig", "neurodata_type_inc": "LabRig", "doc": "d"}]}', ("itself",)),
        (
            '{"groups": [{"neurodata_type_def": "A", "neurodata_type_inc": "B"}, {"neurodata_type_def": "B", "neurodata_type_inc": "A"}]}',
            ("itself",),
        ),
        (
            '{"datasets": [{"neurodata_type_def": "LabRig", "neurodata_type_inc": "LabMetaData", "doc": "d"}]}',
            ("LabRig",),
        ),
        ("[" * 100_000, ("JSON",)),
    ],
)
def test_a_cached_namespace_that_is_no_good(lab: Damage, text: str, words: tuple[str, ...]) -> None:
    # What is finalized while deep JSON takes the stack to its limit fails there: nothing must be left to finalize.
    gc.collect()
    """It is a problem of its own; the rest of the session is checked all the same."""
    lab.text(f"{LAB_CACHE}/ndx-lab", text)
    lab.attributes("acquisition/plain/data", unit=None)
    found = lab.problems()
    bad = [problem for problem in found if problem.path.startswith("/specifications")]
    assert bad, found
    assert any(all(word in problem.message for word in words) for problem in bad), bad
    assert ("/acquisition/plain/data", "data.unit") in {(problem.path, problem.field) for problem in found}


@HEARD
@pytest.mark.parametrize("text", ["{", "{}", '{"namespaces": []}', '{"namespaces": [{"name": "other"}]}', "null"])
def test_a_cached_entry_that_is_no_good(lab: Damage, text: str) -> None:
    lab.text(f"{LAB_CACHE}/namespace", text)
    bad = [problem for problem in lab.problems() if problem.path.startswith("/specifications")]
    assert bad
    assert any("ndx-lab" in problem.message for problem in bad)


@HEARD
def test_a_cached_entry_that_is_missing(lab: Damage) -> None:
    lab.remove(f"{LAB_CACHE}/namespace")
    assert any(problem.path.startswith("/specifications") for problem in lab.problems())


@HEARD
def test_one_bad_namespace_does_not_hide_what_is_wrong_elsewhere(lab: Damage) -> None:
    """ndx-lab is no good, ndx-parts is."""
    lab.text(f"{LAB_CACHE}/ndx-lab", "{")
    lab.attributes("general/devices/lamp", watts=None)
    assert ("/general/devices/lamp", "watts") in {(problem.path, problem.field) for problem in lab.problems()}


def test_the_latest_cached_version_counts(lab: Damage) -> None:
    """0.10.0 is later than 0.9.0, and than 0.2.0."""
    for version, colour in (("0.9.0", "grey"), ("0.10.0", "red")):
        folder = lab.place / "specifications/ndx-parts" / version
        shutil.copytree(lab.place / "specifications/ndx-parts/0.2.0", folder)
        for name in ("namespace", "ndx-parts"):
            path = f"specifications/ndx-parts/{version}/{name}"
            content = json.loads(str(zarr.open_array(lab.place / path, mode="r")[()]))
            if name == "namespace":
                content["namespaces"][0]["version"] = version
            else:
                content["groups"][0]["attributes"].append({"name": colour, "dtype": "text", "doc": "d"})
            lab.text(path, json.dumps(content))
    assert {(problem.path, problem.field) for problem in lab.problems()} == {
        ("/general/devices/lamp", "red"),
        ("/general/rig/spare", "red"),
    }


# Stores of others.


def test_a_store_written_by_hand(tmp_path: Path) -> None:
    """Its cached namespaces name no sources: all its types are unknown, and that is what is said."""
    ephys_store(tmp_path / "s")
    found = nwbzarr.validate(tmp_path / "s")
    assert found
    assert {problem.path for problem in found if "not known" in problem.message} >= {"/general/rig"}


def test_links_to_another_session_are_checked_there(clean: Path, tmp_path: Path) -> None:
    for name in ("rich", "copy"):
        shutil.copytree(clean / name, tmp_path / name)
    assert nwbzarr.validate(tmp_path / "copy") == []
    shutil.rmtree(tmp_path / "rich")
    found = nwbzarr.validate(tmp_path / "copy")
    assert {problem.field for problem in found} >= {"ephys", "probe", "trials", "units", "ophys"}
    assert all("rich" in problem.message for problem in found if problem.field in ("ephys", "probe"))
