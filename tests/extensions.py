"""Two made-up extension namespaces, and a session that uses all of their types."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

import nwbzarr
from nwbzarr import NWBFile, NWBZarrIO, TimeSeries

if TYPE_CHECKING:
    from pathlib import Path

#: What `LabRig` calls its lamps.
LAMPS = "lab_lamps"

PARTS = {
    "groups": [
        {
            "neurodata_type_def": "LabLamp",
            "neurodata_type_inc": "Device",
            "doc": "a lamp",
            "attributes": [{"name": "watts", "dtype": "float64", "doc": "its power"}],
        }
    ]
}

LAB = {
    "datasets": [
        {
            "neurodata_type_def": "LabScore",
            "neurodata_type_inc": "VectorData",
            "dtype": "float64",
            "doc": "a column of scores",
            "attributes": [
                {"name": "rater", "dtype": "text", "doc": "who scored", "required": False},
                {"name": "scale", "dtype": "float64", "doc": "highest score", "default_value": 10.0, "required": False},
            ],
        },
        {
            "neurodata_type_def": "LabEdges",
            "neurodata_type_inc": "NWBData",
            "doc": "series that belong together",
            "dims": ["edge"],
            "shape": [None],
            "dtype": [
                {"name": "rank", "dtype": "uint32", "doc": "its rank"},
                {"name": "weight", "dtype": "float64", "doc": "its weight"},
                {"name": "series", "dtype": {"target_type": "TimeSeries", "reftype": "object"}, "doc": "the series"},
            ],
        },
    ],
    "groups": [
        {
            "neurodata_type_def": "LabLicks",
            "neurodata_type_inc": "TimeSeries",
            "doc": "licks at a spout",
            "attributes": [
                {"name": "spout", "dtype": "int32", "doc": "its number"},
                {"name": "side", "dtype": "text", "doc": "its side", "default_value": "left", "required": False},
            ],
            "datasets": [
                {
                    "name": "data",
                    "dtype": "float64",
                    "dims": ["num_times"],
                    "shape": [None],
                    "doc": "the licks",
                    "attributes": [{"name": "unit", "dtype": "text", "value": "licks", "doc": "always licks"}],
                }
            ],
            "links": [{"name": "lamp", "target_type": "LabLamp", "quantity": "?", "doc": "the lamp that shone"}],
        },
        {
            "neurodata_type_def": "LabRatings",
            "neurodata_type_inc": "DynamicTable",
            "doc": "ratings of trials",
            "attributes": [{"name": "method", "dtype": "text", "doc": "how they were rated"}],
            "datasets": [
                {"name": "score", "neurodata_type_inc": "LabScore", "doc": "the scores"},
                {
                    "name": "remark",
                    "neurodata_type_inc": "VectorData",
                    "dtype": "text",
                    "quantity": "?",
                    "doc": "in words",
                },
            ],
        },
        {
            "neurodata_type_def": "LabRig",
            "neurodata_type_inc": "LabMetaData",
            "doc": "a rig",
            "attributes": [
                {"name": "serial", "dtype": "int32", "doc": "its number"},
                {"name": "kind", "dtype": "text", "value": "rig", "doc": "always rig"},
                {"name": "gain", "dtype": "float64", "default_value": 2.5, "required": False, "doc": "its gain"},
                {
                    "name": "main",
                    "dtype": {"target_type": "Device", "reftype": "object"},
                    "required": False,
                    "doc": "the device that matters",
                },
            ],
            "datasets": [
                {
                    "name": "temperature",
                    "dtype": "float64",
                    "dims": ["probe"],
                    "shape": [None],
                    "doc": "measured before",
                    "attributes": [{"name": "unit", "dtype": "text", "value": "celsius", "doc": "always celsius"}],
                },
                {
                    "name": "corners",
                    "dtype": [
                        {"name": "x", "dtype": "float64", "doc": "where"},
                        {"name": "count", "dtype": "int32", "doc": "how many"},
                    ],
                    "dims": ["corner"],
                    "shape": [None],
                    "quantity": "?",
                    "doc": "corners of the box",
                },
                {"name": "edges", "neurodata_type_inc": "LabEdges", "quantity": "?", "doc": "its edges"},
            ],
            "groups": [
                {"neurodata_type_inc": "LabLamp", "quantity": "*", "doc": "lamps of the rig"},
                {"name": "ratings", "neurodata_type_inc": "LabRatings", "quantity": "?", "doc": "its ratings"},
            ],
            "links": [{"name": "watched", "target_type": "TimeSeries", "quantity": "?", "doc": "what it watched"}],
        },
    ],
}


def entry(name: str, *includes: dict[str, Any], version: str = "0.2.0") -> dict[str, Any]:
    """Return the entry of a namespace with one source, named after it."""
    schema = [*includes, {"source": f"{name}.types.yaml"}]
    return {
        "name": name,
        "version": version,
        "doc": "made up",
        "author": "A. Lab",
        "contact": "a@lab.org",
        "schema": schema,
    }


def write_namespace(folder: Path, described: dict[str, Any], types: Any) -> Path:
    """Write a namespace and its source as YAML (of which JSON is a part), and return the namespace's file."""
    folder.mkdir(exist_ok=True, parents=True)
    name = described["name"]
    (folder / f"{name}.types.yaml").write_text(json.dumps(types))
    file = folder / f"{name}.namespace.yaml"
    file.write_text(json.dumps({"namespaces": [described]}))
    return file


def load_lab(folder: Path) -> tuple[Any, Any]:
    """Write and load both namespaces, and return them."""
    parts = write_namespace(folder, entry("ndx-parts", {"namespace": "core"}), PARTS)
    taken = ["TimeSeries", "LabMetaData", "NWBData", "Device"]
    core = {"namespace": "core", "neurodata_types": taken}
    common = {"namespace": "hdmf-common", "neurodata_types": ["DynamicTable", "VectorData"]}
    included = {"namespace": "ndx-parts", "neurodata_types": ["LabLamp"]}
    lab = write_namespace(folder, entry("ndx-lab", core, common, included, version="1.3.0"), LAB)
    return nwbzarr.load_namespace(parts), nwbzarr.load_namespace(lab)


def plain_session(**fields: Any) -> NWBFile:
    """Return a session without any extension."""
    start = datetime(2024, 1, 1, tzinfo=UTC)
    nwb = NWBFile("d", "i", start, **fields)
    nwb.add_acquisition(TimeSeries("plain", data=np.arange(4.0), unit="V", rate=1.0))
    return nwb


def lab_session(parts: Any, lab: Any) -> NWBFile:
    """Return a session with an object of each type of both namespaces."""
    nwb = plain_session()
    lamp = parts.LabLamp(name="lamp", watts=40.0, manufacturer="m")
    nwb.add_device(lamp)
    licks = lab.LabLicks(name="licks", data=[1.0, 2.0, 3.0], spout=2, rate=10.0, lamp=lamp)
    nwb.add_acquisition(licks)
    ratings = lab.LabRatings(
        name="ratings",
        description="d",
        method="by eye",
        columns=[lab.LabScore(name="score", description="s", data=[1.0, 2.0], rater="Ada")],
    )
    ratings.add_row(score=3.0)
    ratings.add_column(name="extra", description="e", data=[1, 2, 3])
    plain = nwb.acquisition["plain"]
    rig = lab.LabRig(
        name="rig",
        serial=7,
        temperature=[20.5, 21.0],
        main=lamp,
        corners=[(1.0, 3), (2.0, 4)],
        edges=lab.LabEdges(name="edges", data=[(1, 0.5, licks), (2, 0.25, plain)]),
        ratings=ratings,
        watched=licks,
        **{LAMPS: [parts.LabLamp(name="spare", watts=1.0)]},
    )
    nwb.add_lab_meta_data(rig)
    return nwb


def check_lab(nwb: NWBFile) -> None:
    """Assert that a session holds, with types, all that `lab_session` put in."""
    rig: Any = nwb.lab_meta_data["rig"]
    lamp: Any = nwb.devices["lamp"]
    licks: Any = nwb.acquisition["licks"]
    bases = {"rig": "LabMetaData", "lamp": "Device", "licks": "TimeSeries"}
    for container in (rig, lamp, licks):
        assert isinstance(container, getattr(nwbzarr, bases[container.name]))
    assert [type(found).__name__ for found in (rig, lamp, licks)] == ["LabRig", "LabLamp", "LabLicks"]
    assert (rig.namespace, lamp.namespace) == ("ndx-lab", "ndx-parts")
    assert (rig.serial, rig.kind, rig.gain) == (7, "rig", 2.5)
    assert (lamp.watts, lamp.manufacturer) == (40.0, "m")
    assert (licks.spout, licks.side, licks.unit, licks.rate) == (2, "left", "licks", 10.0)
    assert list(licks.data[:]) == [1.0, 2.0, 3.0]
    assert licks.lamp is lamp
    assert rig.main is lamp
    assert rig.watched is licks
    assert list(rig.temperature[:]) == [20.5, 21.0]
    assert rig.temperature__unit == "celsius"
    assert [tuple(row) for row in np.asarray(rig.corners)] == [(1.0, 3), (2.0, 4)]
    rows = rig.edges[:]
    assert [(row["rank"], row["weight"]) for row in rows] == [(1, 0.5), (2, 0.25)]
    assert [row["series"].name for row in rows] == ["licks", "plain"]
    assert rows[0]["series"] is licks
    assert {name: found.watts for name, found in getattr(rig, LAMPS).items()} == {"spare": 1.0}
    table = rig.ratings
    assert isinstance(table, nwbzarr.DynamicTable)
    assert (type(table).__name__, table.method) == ("LabRatings", "by eye")
    assert table.colnames == ("score", "extra")
    assert list(table["score"][:]) == [1.0, 2.0, 3.0]
    assert (type(table["score"]).__name__, table["score"].rater, table["score"].scale) == ("LabScore", "Ada", 10.0)
    assert list(table["extra"][:]) == [1, 2, 3]


def cached(store: Path) -> dict[str, list[str]]:
    """Return the namespaces that a store has cached, with their versions."""
    folders = sorted((store / "specifications").glob("*/*/"))
    found: dict[str, list[str]] = {}
    for folder in folders:
        if folder.is_dir():
            found.setdefault(folder.parent.name, []).append(folder.name)
    return found


def write_session(nwb: NWBFile, store: Path, mode: str = "w") -> Path:
    """Write a session, and return where."""
    with NWBZarrIO(store, mode) as io:
        io.write(nwb)
    return store
