"""Extensions: from a namespace file to classes, from classes to a store, and from the store to classes again."""

from __future__ import annotations

import copy
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

import nwbzarr
from nwbzarr import NWBZarrIO
from nwbzarr.errors import FieldTypeError, MissingFieldError, NamespaceError, SchemaError
from nwbzarr.schema.core import CORE
from tests.extensions import (
    LAB,
    LAMPS,
    PARTS,
    cached,
    check_lab,
    entry,
    lab_session,
    load_lab,
    plain_session,
    write_namespace,
    write_session,
)
from tests.handwritten import bare_session, consolidate, make_array, make_group, reference, typed

#: What every session needs; hdmf-experimental is cached where one of its types is used.
CORE_VERSIONS = {name: [CORE.namespaces[name].version] for name in ("hdmf-common", "core")}
ALL_VERSIONS = {**CORE_VERSIONS, "ndx-lab": ["1.3.0"], "ndx-parts": ["0.2.0"]}
REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """Both namespaces, loaded."""
    return load_lab(tmp_path_factory.mktemp("namespaces"))


@pytest.fixture(scope="module")
def store(lab: tuple[Any, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session with objects of both namespaces; read only."""
    return write_session(lab_session(*lab), tmp_path_factory.mktemp("lab") / "lab.nwb.zarr")


def in_a_fresh_process(code: str, *arguments: Path) -> str:
    """Run code that has `nwbzarr`, `check_lab` and ``paths``, where nobody has loaded a namespace."""
    head = "import sys\nfrom pathlib import Path\nimport nwbzarr\nfrom nwbzarr import NWBZarrIO\n"
    head += "from tests.extensions import check_lab, cached\npaths = [Path(text) for text in sys.argv[1:]]\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", head + code, *map(os.fspath, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


# Classes.


def test_a_namespace_gives_its_types(lab: tuple[Any, Any]) -> None:
    parts, own = lab
    assert (own.name, own.version, parts.name, parts.version) == ("ndx-lab", "1.3.0", "ndx-parts", "0.2.0")
    names = {"LabScore", "LabEdges", "LabLicks", "LabRatings", "LabRig"}
    assert names <= set(dir(own))
    for name in names:
        assert nwbzarr.get_class(name, "ndx-lab") is getattr(own, name)
    for name in names | {"LabLamp", "NoSuchType"}:
        with pytest.raises(AttributeError):
            getattr(nwbzarr, name)
    with pytest.raises(NamespaceError, match=r"NoSuchType"):
        nwbzarr.get_class("NoSuchType", "ndx-lab")
    with pytest.raises(NamespaceError, match=r"ndx-nowhere"):
        nwbzarr.get_class("LabRig", "ndx-nowhere")


def test_the_classes_extend_those_of_the_core(lab: tuple[Any, Any]) -> None:
    parts, own = lab
    for name, base in {
        "LabScore": nwbzarr.VectorData,
        "LabEdges": nwbzarr.NWBData,
        "LabLicks": nwbzarr.TimeSeries,
        "LabRatings": nwbzarr.DynamicTable,
        "LabRig": nwbzarr.LabMetaData,
    }.items():
        assert issubclass(getattr(own, name), base)
        assert inspect.getdoc(getattr(own, name))
    assert issubclass(parts.LabLamp, nwbzarr.Device)


def parameters(cls: type[Any]) -> tuple[set[str], dict[str, Any]]:
    """Return what a constructor needs, and what it takes besides with the defaults."""
    found = inspect.signature(cls).parameters.values()
    empty = inspect.Parameter.empty
    return (
        {item.name for item in found if item.default is empty},
        {item.name: item.default for item in found if item.default is not empty},
    )


def test_the_constructors_say_what_they_take(lab: tuple[Any, Any]) -> None:
    parts, own = lab
    needed, optional = parameters(own.LabRig)
    assert needed == {"name", "serial", "temperature"}
    assert optional["gain"] == 2.5
    assert {"main", "corners", "edges", "ratings", "watched"} <= set(optional)
    assert "kind" not in optional, "it is always the same"
    needed, optional = parameters(own.LabLicks)
    assert needed == {"name", "data", "spout"}
    assert (optional["side"], optional["unit"], optional["lamp"]) == ("left", "licks", None)
    assert {"rate", "timestamps", "comments"} <= set(optional)
    assert parameters(own.LabRatings)[0] == {"name", "description", "method"}
    assert parameters(own.LabScore)[0] == {"name", "description"}
    assert parameters(parts.LabLamp)[0] == {"name", "watts"}
    assert {"manufacturer", "model"} <= set(parameters(parts.LabLamp)[1])


def test_the_same_namespace_twice_gives_the_same_classes(lab: tuple[Any, Any], tmp_path: Path) -> None:
    parts, own = lab
    again = load_lab(tmp_path)
    assert again[0].LabLamp is parts.LabLamp
    assert again[1].LabRig is own.LabRig


def test_a_new_version_gives_new_classes(tmp_path: Path) -> None:
    types: dict[str, Any] = {
        "groups": [{"neurodata_type_def": "Box", "neurodata_type_inc": "NWBContainer", "doc": "d"}]
    }
    core = {"namespace": "core"}
    first = nwbzarr.load_namespace(write_namespace(tmp_path / "1", entry("ndx-box", core, version="0.1.0"), types))
    types["groups"][0]["attributes"] = [{"name": "width", "dtype": "float64", "doc": "d"}]
    second = nwbzarr.load_namespace(write_namespace(tmp_path / "2", entry("ndx-box", core, version="0.2.0"), types))
    assert first.Box is not second.Box
    assert parameters(first.Box)[0] == {"name"}
    assert parameters(second.Box)[0] == {"name", "width"}
    assert nwbzarr.get_class("Box", "ndx-box") is second.Box


def test_a_type_with_the_name_of_a_core_type(tmp_path: Path) -> None:
    types = {
        "groups": [
            {
                "neurodata_type_def": "Device",
                "neurodata_type_inc": "NWBContainer",
                "doc": "d",
                "attributes": [{"name": "colour", "dtype": "text", "doc": "d"}],
            }
        ]
    }
    own = nwbzarr.load_namespace(write_namespace(tmp_path, entry("ndx-namesake", {"namespace": "core"}), types))
    assert own.Device is not nwbzarr.Device
    assert not issubclass(own.Device, nwbzarr.Device)
    assert parameters(own.Device)[0] == {"name", "colour"}
    nwb = plain_session()
    nwb.add_scratch(own.Device(name="odd", colour="red"))
    nwb.create_device(name="usual")
    nwb = nwbzarr.open(write_session(nwb, tmp_path / "s.nwb.zarr"))
    assert nwb.scratch["odd"].colour == "red"
    assert type(nwb.scratch["odd"]) is not nwbzarr.Device
    assert type(nwb.devices["usual"]) is nwbzarr.Device
    assert nwbzarr.validate(tmp_path / "s.nwb.zarr") == []


def test_a_collection_without_a_name_is_called_what_pynwb_calls_it(lab: tuple[Any, Any]) -> None:
    """hdmf makes ``lab_lamps`` of ``neurodata_type_inc: LabLamp, quantity: *``."""
    assert "lab_lamps" in parameters(lab[1].LabRig)[1]


# Objects.


def test_fixed_values_and_defaults(lab: tuple[Any, Any]) -> None:
    rig = lab[1].LabRig(name="rig", serial=1, temperature=[1.0])
    assert (rig.kind, rig.gain, rig.temperature__unit) == ("rig", 2.5, "celsius")
    assert (rig.main, rig.corners, rig.edges, rig.watched, rig.ratings) == (None,) * 5
    with pytest.raises(SchemaError, match=r"LabLicks\.unit.*licks.*V"):
        lab[1].LabLicks(name="l", data=[1.0], spout=1, rate=1.0, unit="V")


BAD: dict[str, tuple[dict[str, Any], type[SchemaError], tuple[str, ...]]] = {
    "no serial": ({"serial": None}, MissingFieldError, ("LabRig", "serial")),
    "serial as text": ({"serial": "7"}, FieldTypeError, ("LabRig.serial", "integer", "str", "7")),
    "serial with a fraction": ({"serial": 7.5}, FieldTypeError, ("LabRig.serial", "integer", "7.5")),
    "temperature as a number": ({"temperature": 20.5}, FieldTypeError, ("LabRig.temperature", "array", "float")),
    "temperature of two dimensions": (
        {"temperature": [[20.5]]},
        SchemaError,
        ("LabRig.temperature", "probe", "(1, 1)"),
    ),
    "temperature as texts": ({"temperature": ["cold"]}, FieldTypeError, ("LabRig.temperature", "float64")),
    "gain as text": ({"gain": "x"}, FieldTypeError, ("LabRig.gain", "number", "str")),
    "main as text": ({"main": "lamp"}, FieldTypeError, ("LabRig.main", "Device", "str")),
    "corners of one number": ({"corners": [(1.0,)]}, FieldTypeError, ("LabRig.corners", "x, count")),
    "corners of texts": ({"corners": [("a", "b")]}, FieldTypeError, ("LabRig.corners", "x, count")),
    "corners with a fraction": ({"corners": [(1.0, 2.5)]}, FieldTypeError, ("LabRig.corners", "count", "2.5")),
    "edges as a list": ({"edges": [1]}, FieldTypeError, ("LabRig.edges", "LabEdges", "list")),
    "watched as a number": ({"watched": 3}, FieldTypeError, ("LabRig.watched", "TimeSeries", "int")),
    "ratings as a frame": ({"ratings": {}}, FieldTypeError, ("LabRig.ratings", "LabRatings", "dict")),
    "lamps as numbers": ({LAMPS: [1]}, FieldTypeError, ("LabRig", "LabLamp", "int")),
    "a colour": ({"colour": "red"}, FieldTypeError, ("LabRig", "colour")),
    "another kind": ({"kind": "box"}, SchemaError, ("LabRig", "kind")),
}


@pytest.mark.parametrize("case", BAD)
def test_values_that_the_extension_does_not_allow(lab: tuple[Any, Any], case: str) -> None:
    fields, expected, parts = BAD[case]
    with pytest.raises(expected) as caught:
        lab[1].LabRig(**{"name": "rig", "serial": 7, "temperature": [1.0], **fields})
    for part in parts:
        assert part in str(caught.value), (part, str(caught.value))


def test_containers_of_the_wrong_type(lab: tuple[Any, Any]) -> None:
    parts, own = lab
    device = nwbzarr.Device(name="d")
    with pytest.raises(FieldTypeError, match=r"LabLicks\.lamp.*LabLamp.*Device"):
        own.LabLicks(name="l", data=[1.0], spout=1, rate=1.0, lamp=device)
    series = nwbzarr.TimeSeries(name="t", data=[1.0], unit="V", rate=1.0)
    with pytest.raises(FieldTypeError, match=r"LabRig\.main.*Device.*TimeSeries"):
        own.LabRig(name="r", serial=1, temperature=[1.0], main=series)
    with pytest.raises(FieldTypeError, match=r"LabEdges.*TimeSeries.*Device"):
        own.LabEdges(name="e", data=[(1, 0.5, device)])
    rig = own.LabRig(name="r", serial=1, temperature=[1.0], main=parts.LabLamp(name="l", watts=1.0))
    assert rig.main.watts == 1.0, "a subtype will do"


def test_everything_can_be_shown(lab: tuple[Any, Any]) -> None:
    nwb = lab_session(*lab)
    rig: Any = nwb.lab_meta_data["rig"]
    for shown in (nwb, rig, rig.edges, rig.ratings, rig.ratings.score, rig.main, nwb.acquisition["licks"], rig.fields):
        assert repr(shown)
    assert rig.edges.shape == (2,)
    assert len(rig.edges) == 2


# Stores.


def test_the_namespaces_are_cached_with_the_session(store: Path) -> None:
    assert cached(store) == ALL_VERSIONS
    root = json.loads((store / "zarr.json").read_text())
    assert root["attributes"][".specloc"] == "specifications"
    assert nwbzarr.validate(store) == []
    check_lab(nwbzarr.open(store))


def test_what_is_cached_is_the_schema_language(store: Path) -> None:
    folder = "specifications/ndx-lab/1.3.0"
    described = json.loads(str(zarr.open_array(store / folder / "namespace", mode="r")[()]))
    (found,) = described["namespaces"]
    assert (found["name"], found["version"], found["author"], found["contact"]) == (
        "ndx-lab",
        "1.3.0",
        ["A. Lab"],
        ["a@lab.org"],
    )
    assert {"namespace": "ndx-parts", "data_types": ["LabLamp"]} in found["schema"] or any(
        part.get("namespace") == "ndx-parts" for part in found["schema"]
    )
    (source,) = [part["source"] for part in found["schema"] if "source" in part]
    content = json.loads(str(zarr.open_array(store / folder / source, mode="r")[()]))
    names = {item["neurodata_type_def"] for word in ("groups", "datasets") for item in content[word]}
    assert names == {"LabScore", "LabEdges", "LabLicks", "LabRatings", "LabRig"}


def test_a_session_without_extensions_caches_none(lab: tuple[Any, Any], tmp_path: Path) -> None:
    assert lab
    assert cached(write_session(plain_session(), tmp_path / "s")) == CORE_VERSIONS


def test_a_type_of_hdmf_experimental_brings_its_namespace(tmp_path: Path) -> None:
    nwb = plain_session()
    table = nwbzarr.DynamicTable("choices", "d")
    table.add_column("choice", "d", enum=["left", "right"], col_cls=nwbzarr.EnumData)
    nwb.add_scratch(table)
    expected = {**CORE_VERSIONS, "hdmf-experimental": [CORE.namespaces["hdmf-experimental"].version]}
    assert cached(write_session(nwb, tmp_path / "s")) == expected


def test_a_fresh_process_opens_it_with_types(store: Path) -> None:
    code = (
        "nwb = nwbzarr.open(paths[0])\ncheck_lab(nwb)\nimport inspect\n"
        "print(*inspect.signature(type(nwb.lab_meta_data['rig'])).parameters)\n"
        "print(nwbzarr.validate(paths[0]))"
    )
    names, problems = in_a_fresh_process(code, store).splitlines()
    assert names.split()[:3] == ["name", "serial", "temperature"]
    assert problems == "[]"


@pytest.mark.parametrize("touched", [False, True])
def test_copies_and_exports_keep_the_namespaces(store: Path, tmp_path: Path, touched: bool) -> None:
    """In a process that has not loaded them, whether their objects were looked at before or not."""
    code = (
        "with NWBZarrIO(paths[0]) as io:\n"
        "    nwb = io.read()\n"
        f"    {'check_lab(nwb)' if touched else 'pass'}\n"
        "    with NWBZarrIO(paths[1], 'w', manager=io.manager) as out:\n"
        "        out.write(nwb.copy())\n"
        "    with NWBZarrIO(paths[2], 'w') as out:\n"
        "        out.export(io)\n"
        "check_lab(nwbzarr.open(paths[1]))\ncheck_lab(nwbzarr.open(paths[2]))\n"
        "print(nwbzarr.validate(paths[1]), nwbzarr.validate(paths[2]))"
    )
    said = in_a_fresh_process(code, store, tmp_path / "copy", tmp_path / "export")
    assert cached(tmp_path / "copy") == cached(tmp_path / "export") == ALL_VERSIONS
    assert said.strip() == "[] []"
    in_a_fresh_process("check_lab(nwbzarr.open(paths[0]))", tmp_path / "export")
    for name in ("copy", "export"):
        for chunk in (tmp_path / name / "specifications").rglob("c"):
            assert chunk.read_bytes() == (store / chunk.relative_to(tmp_path / name)).read_bytes(), chunk


def test_a_copy_of_a_copy_keeps_the_namespaces(store: Path, tmp_path: Path) -> None:
    write_session(nwbzarr.open(store).copy(), tmp_path / "1")
    write_session(nwbzarr.open(tmp_path / "1").copy(), tmp_path / "2")
    assert cached(tmp_path / "2") == ALL_VERSIONS
    check_lab(nwbzarr.open(tmp_path / "2"))


def test_a_session_that_takes_a_container_from_another_caches_its_namespace(store: Path, tmp_path: Path) -> None:
    """A link to a typed container: whoever reads the new session wants to know the type."""
    nwb = plain_session()
    with NWBZarrIO(store) as io:
        nwb.add_acquisition(io.read().acquisition["licks"])
        with NWBZarrIO(tmp_path / "new", "w", manager=io.manager) as out:
            out.write(nwb)
    found: Any = nwbzarr.open(tmp_path / "new").acquisition["licks"]
    assert (found.spout, found.unit) == (2, "licks")
    assert nwbzarr.validate(tmp_path / "new") == []


def test_an_object_added_to_a_plain_store_brings_its_namespace(lab: tuple[Any, Any], tmp_path: Path) -> None:
    place = write_session(plain_session(), tmp_path / "plain")
    assert cached(place) == CORE_VERSIONS
    with NWBZarrIO(place, "r+") as io:
        nwb = io.read()
        nwb.add_lab_meta_data(lab[1].LabRig(name="rig", serial=7, temperature=[20.5]))
        io.write(nwb)
        assert cached(place) == ALL_VERSIONS
        nwb.add_device(lab[0].LabLamp(name="lamp", watts=3.0))
        io.write(nwb)
    assert cached(place) == ALL_VERSIONS
    code = "nwb = nwbzarr.open(paths[0])\nprint(nwb.lab_meta_data['rig'].serial, nwb.devices['lamp'].watts)"
    assert in_a_fresh_process(code, place).split() == ["7", "3.0"]
    assert nwbzarr.validate(place) == []


def test_more_of_the_same_brings_nothing_new(lab: tuple[Any, Any], tmp_path: Path) -> None:
    place = write_session(lab_session(*lab), tmp_path / "lab")
    before = {path: path.read_bytes() for path in (place / "specifications").rglob("*") if path.is_file()}
    with NWBZarrIO(place, "r+") as io:
        nwb = io.read()
        nwb.add_device(lab[0].LabLamp(name="another", watts=3.0))
        io.write(nwb)
    assert {path: path.read_bytes() for path in (place / "specifications").rglob("*") if path.is_file()} == before
    check_lab(nwbzarr.open(place))


def test_rows_and_fields_of_an_extension_are_added_in_a_fresh_process(store: Path, tmp_path: Path) -> None:
    with NWBZarrIO(store) as io, NWBZarrIO(tmp_path / "s", "w") as out:
        out.export(io)
    code = (
        "with NWBZarrIO(paths[0], 'r+') as io:\n"
        "    nwb = io.read()\n"
        "    rig = nwb.lab_meta_data['rig']\n"
        "    rig.ratings.add_row(score=4.0, extra=4)\n"
        "    Lamp = type(nwb.devices['lamp'])\n"
        "    nwb.add_device(Lamp(name='new', watts=5.0))\n"
        "    io.write(nwb)\n"
        "nwb = nwbzarr.open(paths[0])\n"
        "print(nwb.lab_meta_data['rig'].ratings['score'][:].tolist(), nwb.devices['new'].watts)\n"
        "print(nwbzarr.validate(paths[0]))"
    )
    assert in_a_fresh_process(code, tmp_path / "s").splitlines() == ["[1.0, 2.0, 3.0, 4.0] 5.0", "[]"]


def test_two_versions_in_one_store(tmp_path: Path) -> None:
    """What was written under the old version is still there when an object of the new one is added."""
    types: dict[str, Any] = {
        "groups": [
            {
                "neurodata_type_def": "Crate",
                "neurodata_type_inc": "LabMetaData",
                "doc": "d",
                "attributes": [{"name": "width", "dtype": "float64", "doc": "d", "required": False}],
            }
        ]
    }
    core = {"namespace": "core"}
    old = nwbzarr.load_namespace(write_namespace(tmp_path / "1", entry("ndx-crate", core, version="0.9.0"), types))
    nwb = plain_session()
    nwb.add_lab_meta_data(old.Crate(name="old", width=1.0))
    place = write_session(nwb, tmp_path / "s")
    types["groups"][0]["attributes"].append({"name": "height", "dtype": "float64", "doc": "d", "required": False})
    new = nwbzarr.load_namespace(write_namespace(tmp_path / "2", entry("ndx-crate", core, version="0.10.0"), types))
    with NWBZarrIO(place, "r+") as io:
        nwb = io.read()
        nwb.add_lab_meta_data(new.Crate(name="new", width=1.0, height=2.0))
        io.write(nwb)
    assert cached(place)["ndx-crate"] == ["0.10.0", "0.9.0"]
    code = (
        "nwb = nwbzarr.open(paths[0])\n"
        "print(nwb.lab_meta_data['old'].width, nwb.lab_meta_data['new'].height, nwb.lab_meta_data['old'].height)"
    )
    assert in_a_fresh_process(code, place).split() == ["1.0", "2.0", "None"], "0.10.0 is later than 0.9.0"
    assert nwbzarr.validate(place) == []


# Extensions that nobody has described.


@pytest.fixture
def unknown(tmp_path: Path) -> Path:
    """A session with a container of a type that no namespace anywhere describes."""
    place = tmp_path / "unknown.nwb.zarr"
    root = bare_session(place)
    make_group(root, "general/devices")
    make_group(root, "general/devices/probe", typed("Device", description="a probe"))
    content = typed("Secret", "ndx-secret", colour="red", levels=[1, 2], main=reference("/general/devices/probe"))
    make_group(root, "general/secret", content)
    make_array(root, "general/secret/values", np.arange(3.0), {"unit": "V"})
    make_group(root, "general/secret/inner", typed("Deeper", "ndx-secret", depth=2))
    make_array(root, "general/secret/column", np.arange(4), typed("SecretColumn", "ndx-secret", words="w"))
    consolidate(place)
    return place


def check_unknown(nwb: nwbzarr.NWBFile) -> None:
    secret: Any = nwb.find("general/secret")
    assert (type(secret), secret.neurodata_type, secret.namespace) == (nwbzarr.Container, "Secret", "ndx-secret")
    assert (secret.attributes["colour"], secret.attributes["levels"]) == ("red", [1, 2])
    assert secret.attributes["main"].attributes["description"] == "a probe"
    assert list(secret.datasets["values"].data) == [0.0, 1.0, 2.0]
    assert secret.datasets["values"].attributes["unit"] == "V"
    assert secret.children["inner"].attributes["depth"] == 2
    assert isinstance(secret["column"], nwbzarr.Data)
    assert (list(secret["column"].data), secret["column"].attributes["words"]) == ([0, 1, 2, 3], "w")


def test_an_unknown_type_is_a_plain_container_that_survives(unknown: Path, tmp_path: Path) -> None:
    check_unknown(nwbzarr.open(unknown))
    write_session(nwbzarr.open(unknown).copy(), tmp_path / "copy")
    with NWBZarrIO(unknown) as io, NWBZarrIO(tmp_path / "export", "w") as out:
        out.export(io)
    check_unknown(nwbzarr.open(tmp_path / "copy"))
    unknown.rename(tmp_path / "gone")
    check_unknown(nwbzarr.open(tmp_path / "export"))


def test_an_unknown_type_survives_when_something_else_is_added(unknown: Path) -> None:
    before = (unknown / "general/secret/zarr.json").read_bytes()
    with NWBZarrIO(unknown, "r+") as io:
        nwb = io.read()
        nwb.create_device(name="another")
        io.write(nwb)
    check_unknown(nwbzarr.open(unknown))
    assert (unknown / "general/secret/zarr.json").read_bytes() == before


def test_fields_that_a_known_type_does_not_have_survive(store: Path, tmp_path: Path) -> None:
    with NWBZarrIO(store) as io, NWBZarrIO(tmp_path / "s", "w") as out:
        out.export(io)
    root = zarr.open_group(tmp_path / "s", mode="r+", use_consolidated=False)
    rig = root["general/rig"]
    assert isinstance(rig, zarr.Group)
    rig.attrs["colour"] = "red"
    make_array(root, "general/rig/surprise", [1, 2, 3])
    consolidate(tmp_path / "s")
    with NWBZarrIO(tmp_path / "s") as io, NWBZarrIO(tmp_path / "export", "w") as out:
        out.export(io)
    for place in (tmp_path / "s", tmp_path / "export"):
        found: Any = nwbzarr.open(place).lab_meta_data["rig"]
        assert found.attributes["colour"] == "red"
        assert list(found.datasets["surprise"].data) == [1, 2, 3]
        check_lab(nwbzarr.open(place))


# Namespace files that are no good.


def rig_types(**changes: Any) -> dict[str, Any]:
    """Return a source with one type, changed."""
    spec = {"neurodata_type_def": "Odd", "neurodata_type_inc": "NWBContainer", "doc": "d", **changes}
    return {"groups": [spec]}


CORE_ONLY = ({"namespace": "core"},)
FILES: dict[str, tuple[dict[str, Any], Any, tuple[str, ...]]] = {
    "an include that is not loaded": (
        entry("ndx-odd", {"namespace": "core"}, {"namespace": "ndx-nowhere"}),
        rig_types(),
        ("ndx-odd", "ndx-nowhere", "load"),
    ),
    "an included type that is not there": (
        entry("ndx-odd", {"namespace": "core", "neurodata_types": ["NoSuchType"]}),
        rig_types(),
        ("ndx-odd", "NoSuchType", "core"),
    ),
    "a base that is not among the included types": (
        entry("ndx-odd", {"namespace": "core", "neurodata_types": ["TimeSeries"]}),
        rig_types(neurodata_type_inc="LabMetaData"),
        ("Odd", "LabMetaData"),
    ),
    "an unknown base": (
        entry("ndx-odd", *CORE_ONLY),
        rig_types(neurodata_type_inc="Nowhere"),
        ("ndx-odd", "Odd", "Nowhere"),
    ),
    "a type that extends itself": (
        entry("ndx-odd", *CORE_ONLY),
        rig_types(neurodata_type_inc="Odd"),
        ("Odd", "itself"),
    ),
    "a group that extends a dataset": (
        entry("ndx-odd", *CORE_ONLY),
        rig_types(neurodata_type_inc="VectorData"),
        ("Odd", "VectorData"),
    ),
    "a child of an unknown type": (
        entry("ndx-odd", *CORE_ONLY),
        rig_types(groups=[{"neurodata_type_inc": "Nowhere", "doc": "d"}]),
        ("Odd", "Nowhere"),
    ),
    "a dataset of an unknown type": (
        entry("ndx-odd", *CORE_ONLY),
        rig_types(datasets=[{"name": "d", "neurodata_type_inc": "Nowhere", "doc": "d"}]),
        ("Odd", "Nowhere"),
    ),
    "a link to an unknown type": (
        entry("ndx-odd", *CORE_ONLY),
        rig_types(links=[{"name": "l", "target_type": "Nowhere", "doc": "d"}]),
        ("Odd", "Nowhere"),
    ),
    "a reference to an unknown type": (
        entry("ndx-odd", *CORE_ONLY),
        rig_types(attributes=[{"name": "a", "dtype": {"target_type": "Nowhere", "reftype": "object"}, "doc": "d"}]),
        ("Odd", "Nowhere"),
    ),
    "a group that is a dataset's type": (
        entry("ndx-odd", *CORE_ONLY),
        rig_types(groups=[{"name": "g", "neurodata_type_inc": "VectorData", "doc": "d"}]),
        ("Odd", "VectorData"),
    ),
    "a default of another dtype": (
        entry("ndx-odd", *CORE_ONLY),
        rig_types(attributes=[{"name": "a", "dtype": "int32", "default_value": "x", "doc": "d"}]),
        ("Odd", "a", "int32", "x"),
    ),
    "an unknown dtype": (
        entry("ndx-odd", *CORE_ONLY),
        rig_types(attributes=[{"name": "a", "dtype": "int33", "doc": "d"}]),
        ("Odd", "int33"),
    ),
    "a name with a slash": (entry("ndx/odd", *CORE_ONLY), rig_types(), ("ndx/odd",)),
    "no types at all": (entry("ndx-odd", *CORE_ONLY), [], ("ndx-odd", "list")),
}


@pytest.mark.parametrize("case", FILES)
def test_a_namespace_that_cannot_be(tmp_path: Path, case: str) -> None:
    described, types, parts = FILES[case]
    (tmp_path / Path(described["name"]).parent).mkdir(exist_ok=True)
    file = write_namespace(tmp_path, described, types)
    with pytest.raises(NamespaceError) as caught:
        nwbzarr.load_namespace(file)
    for part in parts:
        assert part in str(caught.value), (part, str(caught.value))


def test_what_cannot_be_loaded_leaves_nothing_behind(tmp_path: Path) -> None:
    file = write_namespace(tmp_path, entry("ndx-broken", *CORE_ONLY), rig_types(neurodata_type_inc="Nowhere"))
    with pytest.raises(NamespaceError):
        nwbzarr.load_namespace(file)
    with pytest.raises(NamespaceError, match="ndx-broken"):
        nwbzarr.get_class("Odd", "ndx-broken")
    mended = write_namespace(tmp_path, entry("ndx-broken", *CORE_ONLY), rig_types())
    assert nwbzarr.load_namespace(mended).Odd(name="odd").name == "odd"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "YAML"),
        ("", "namespaces"),
        ("[]", "namespaces"),
        ("namespaces: []", "namespaces"),
        ("namespaces: 5", "namespaces"),
        ("namespaces: [5]", "object"),
        ("namespaces: [{name: x, version: '1', schema: 5}]", "schema"),
        ("namespaces: [{name: x, version: '1', schema: [{source: nowhere.yaml}]}]", "nowhere.yaml"),
        ("!!python/object/apply:os.system ['true']", "YAML"),
    ],
)
def test_a_file_that_is_no_namespace(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "odd.namespace.yaml"
    file.write_text(text)
    with pytest.raises(NamespaceError) as caught:
        nwbzarr.load_namespace(file)
    assert words in str(caught.value)
    assert "odd.namespace.yaml" in str(caught.value) or "nowhere.yaml" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NamespaceError, match=r"nowhere\.yaml"):
        nwbzarr.load_namespace(tmp_path / "nowhere.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NamespaceError, match=r"bytes\.yaml"):
        nwbzarr.load_namespace(tmp_path / "bytes.yaml")
    with pytest.raises(NamespaceError):
        nwbzarr.load_namespace(tmp_path)


def test_two_namespaces_in_one_file(tmp_path: Path) -> None:
    types = copy.deepcopy(LAB)
    both = [
        entry("ndx-parts", {"namespace": "core"}),
        entry("ndx-lab", {"namespace": "core"}, {"namespace": "ndx-parts"}),
    ]
    (tmp_path / "ndx-parts.types.yaml").write_text(json.dumps(PARTS))
    (tmp_path / "ndx-lab.types.yaml").write_text(json.dumps(types))
    (tmp_path / "both.yaml").write_text(json.dumps({"namespaces": both}))
    assert nwbzarr.load_namespace(tmp_path / "both.yaml").name == "ndx-lab"
    assert nwbzarr.get_class("LabLamp", "ndx-parts")
