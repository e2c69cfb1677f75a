"""Stores written with zarr-python alone, after the public convention: nothing of nwbzarr made them.

What is in them has no class in nwbzarr's model yet: electrodes, a table region, references in attributes, in datasets
and in compounds, soft links, and types of an extension.
"""

from __future__ import annotations

import json
import uuid
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from nwbzarr import NWBFile

ELECTRODES = "/general/extracellular_ephys/electrodes"
SHANK = "/general/extracellular_ephys/shank0"
PROBE = "/general/devices/probe"
SERIES = "/acquisition/lfp"
NAMESPACES = (("core", "2.9.0"), ("core", "2.11.0"), ("hdmf-common", "1.8.0"), ("ndx-lab", "0.2.0"))


def reference(path: str, source: str = ".") -> dict[str, Any]:
    """Return a reference as an attribute value."""
    return {"_REFERENCE": {"source": source, "path": path}}


def link(name: str, path: str, source: str = ".") -> dict[str, str]:
    """Return an entry of ``_LINKS``."""
    return {"name": name, "source": source, "path": path}


def typed(neurodata_type: str, namespace: str = "core", **attributes: Any) -> dict[str, Any]:
    """Return the attributes of a container."""
    return {
        "neurodata_type": neurodata_type,
        "namespace": namespace,
        "object_id": str(uuid.uuid4()),
        **attributes,
    }


def make_group(root: zarr.Group, path: str, attributes: dict[str, Any] | None = None) -> zarr.Group:
    """Make a group with attributes."""
    return root.create_group(path.strip("/"), attributes=attributes or {})


def make_array(
    root: zarr.Group, path: str, values: Any, attributes: dict[str, Any] | None = None, **wishes: Any
) -> None:
    """Make an array; texts become ``string`` arrays."""
    array = np.asarray(values)
    text = array.dtype.kind in "UO"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zarr calls its text type unstable
        made = root.create_array(
            path.strip("/"),
            shape=array.shape,
            dtype=str if text else array.dtype,
            attributes={"_DTYPE": "str" if text else array.dtype.name, **(attributes or {})},
            **wishes,
        )
        made[...] = array.astype(object) if text and array.ndim else values


def make_compound(place: Path, path: str, rows: list[tuple[int, int, str]], attributes: dict[str, Any]) -> NDArray[Any]:
    """Write an array of (idx_start, count, reference) by hand: zarr 3.1 does not know ``struct``."""
    width = max(len(row[2]) for row in rows)
    values = np.array(rows, dtype=[("idx_start", "<i4"), ("count", "<i4"), ("timeseries", f"<U{width}")])
    text = {"name": "fixed_length_utf32", "configuration": {"length_bytes": 4 * width}}
    fields = [
        {"name": "idx_start", "data_type": "int32"},
        {"name": "count", "data_type": "int32"},
        {"name": "timeseries", "data_type": text},
    ]
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [len(rows)],
        "data_type": {"name": "struct", "configuration": {"fields": fields}},
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [len(rows)]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": {"idx_start": 0, "count": 0, "timeseries": ""},
        "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "attributes": {"_REFERENCE_FIELDS": ["timeseries"], **attributes},
        "storage_transformers": [],
    }
    folder = place / path.strip("/")
    (folder / "c").mkdir(parents=True)
    (folder / "zarr.json").write_text(json.dumps(document))
    (folder / "c" / "0").write_bytes(values.tobytes())
    return values


def bare_session(place: Path, identifier: str = "by hand") -> zarr.Group:
    """Write what every session has, and return its root group."""
    root = zarr.create_group(place, attributes=typed("NWBFile", nwb_version="2.9.0"))
    start = "2023-05-06T07:08:09.101112+02:00"
    make_array(root, "session_description", "written by zarr-python alone")
    make_array(root, "identifier", identifier)
    make_array(root, "session_start_time", start)
    make_array(root, "timestamps_reference_time", start)
    make_array(root, "file_create_date", [start], {"_ARRAY_DIMENSIONS": ["num_modifications"]})
    for path in ("acquisition", "analysis", "general", "processing", "stimulus/presentation", "stimulus/templates"):
        make_group(root, path)
    return root


def add_electrodes(root: zarr.Group, location: str, count: int) -> None:
    """Add a probe, a shank, and the table of its electrodes."""
    make_group(root, PROBE, typed("Device", description="a probe", manufacturer="by hand"))
    make_group(
        root,
        SHANK,
        typed("ElectrodeGroup", description="a shank", location=location, _LINKS=[link("device", PROBE)]),
    )
    table = typed(
        "DynamicTable", "hdmf-common", description="all electrodes", colnames=["location", "group", "group_name"]
    )
    make_group(root, ELECTRODES, table)
    column = {"_ARRAY_DIMENSIONS": ["num_rows"]}
    make_array(root, f"{ELECTRODES}/id", np.arange(count), typed("ElementIdentifiers", "hdmf-common", **column))
    for name, values in (("location", [location] * count), ("group_name", ["shank0"] * count)):
        made = typed("VectorData", "hdmf-common", description=f"the {name}", **column)
        make_array(root, f"{ELECTRODES}/{name}", values, made)
    groups = typed("VectorData", "hdmf-common", description="the group", _DTYPE="object_reference", **column)
    make_array(root, f"{ELECTRODES}/group", [SHANK] * count, groups)


def lfp_values(samples: int = 200, channels: int = 4) -> NDArray[Any]:
    """Return what `ephys_store` records."""
    return np.arange(samples * channels, dtype="int16").reshape(samples, channels)


def ephys_store(place: Path, *, location: str = "CA1", count: int = 4, consolidated: bool = True) -> None:
    """Write a session with everything that has no class yet.

    Parameters
    ----------
    place : Path
        A local folder that is not there yet.
    location : str
        Location of every electrode.
    count : int
        Number of electrodes.
    consolidated : bool
        Whether the root document holds all others.
    """
    root = bare_session(place, f"electrodes in {location}")
    add_electrodes(root, location, count)
    make_group(root, SERIES, typed("ElectricalSeries", comments="no comments", description="LFP"))
    data = {"unit": "volts", "conversion": 1e-6, "offset": 0.0, "resolution": -1.0, "channel_map": [3, 1, 2]}
    make_array(
        root,
        f"{SERIES}/data",
        lfp_values(),
        {**data, "_ARRAY_DIMENSIONS": ["num_times", "num_channels"]},
        chunks=(25, 2),
        shards=(100, 4),
        dimension_names=("num_times", "num_channels"),
    )
    make_array(root, f"{SERIES}/starting_time", 0.0, {"rate": 1000.0, "unit": "seconds"})
    region = typed("DynamicTableRegion", "hdmf-common", description="all of them", table=reference(ELECTRODES))
    make_array(root, f"{SERIES}/electrodes", np.arange(count), region)
    _add_trials(root, place)
    _add_extension(root)
    _add_namespaces(root)
    if consolidated:
        consolidate(place)


def check_ephys(nwb: NWBFile, *, location: str = "CA1", count: int = 4) -> None:
    """Assert that a session gives all that `ephys_store` wrote, wherever it is stored by now."""
    _check_series(nwb, location, count)
    _check_trials(nwb)
    _check_rig(nwb)


def _check_series(nwb: NWBFile, location: str, count: int) -> None:
    series = nwb.acquisition["lfp"]
    assert series.neurodata_type == "ElectricalSeries"
    assert dict(series.attributes)["description"] == "LFP"
    assert set(series.datasets) == {"data", "starting_time"}
    assert series.datasets["data"].data.dtype == np.dtype("int16")
    assert np.array_equal(series.datasets["data"].data, lfp_values())
    assert dict(series.datasets["data"].attributes)["unit"] == "volts"
    assert dict(series.datasets["data"].attributes)["channel_map"] == [3, 1, 2]
    assert series.datasets["starting_time"].data == 0.0
    assert series.datasets["starting_time"].attributes["rate"] == 1000.0
    region = series["electrodes"]
    assert region.neurodata_type == "DynamicTableRegion"
    assert np.array_equal(region.data, np.arange(count))
    table = region.attributes["table"]
    assert table.neurodata_type == "DynamicTable"
    assert list(table.attributes["colnames"]) == ["location", "group", "group_name"]
    assert [str(item) for item in table["location"][:]] == [location] * count
    shanks = table["group"][:]
    assert [shank.neurodata_type for shank in shanks] == ["ElectrodeGroup"] * count
    assert len({id(shank) for shank in shanks}) == 1
    assert shanks[0].attributes["location"] == location
    assert shanks[0]["device"].attributes["manufacturer"] == "by hand"


def _check_trials(nwb: NWBFile) -> None:
    column = nwb.trials["timeseries"]
    assert column.neurodata_type == "TimeSeriesReferenceVectorData"
    rows = column[:]
    assert [row.idx_start for row in rows] == [0, 50, 100]
    assert [row.count for row in rows] == [50, 50, 100]
    assert np.array_equal(nwb.trials["start_time"][:], [0.0, 0.05, 0.1])


def _check_rig(nwb: NWBFile) -> None:
    rig: Any = nwb.find("general/rig")
    assert (rig.neurodata_type, rig.namespace) == ("LabRig", "ndx-lab")
    attributes = dict(rig.attributes)
    assert (attributes["serial"], attributes["gains"], attributes["calibrated"]) == (7, [1.0, 2.5], True)
    assert attributes["label"] == "Käfig 🐭"
    assert attributes["settings"] == {"deep": [1, {"er": None}]}
    assert attributes["main_probe"].attributes["description"] == "a probe"
    assert np.array_equal(rig.datasets["temperature"].data, [20.5, 21.0])
    assert rig.datasets["temperature"].attributes["unit"] == "celsius"
    assert rig.datasets["operator"].data == "Ada"
    assert rig["parts"]["lamp"].attributes["watts"] == 40
    assert rig["map"].neurodata_type == "LabImage"
    assert np.array_equal(rig["map"].data, np.eye(3))
    assert rig["map"].attributes["origin"].object_id == rig.object_id
    watched = rig["watched"][:]
    assert np.array_equal(watched[0].data, lfp_values())
    assert watched[1].attributes["manufacturer"] == "by hand"
    assert watched[2].object_id == rig["parts"]["lamp"].object_id
    assert rig["watched series"].object_id == nwb.acquisition["lfp"].object_id
    assert np.array_equal(rig["samples"].data, lfp_values())


def _add_trials(root: zarr.Group, place: Path) -> None:
    """Add trials that name a series, start and count."""
    table = typed("TimeIntervals", description="trials", colnames=["start_time", "timeseries"])
    make_group(root, "intervals/trials", table)
    make_array(root, "intervals/trials/id", np.arange(3), typed("ElementIdentifiers", "hdmf-common"))
    column = typed("VectorData", "hdmf-common", description="start")
    make_array(root, "intervals/trials/start_time", [0.0, 0.05, 0.1], column)
    references = typed("TimeSeriesReferenceVectorData", description="what was recorded")
    make_compound(
        place,
        "intervals/trials/timeseries",
        [(0, 50, SERIES), (50, 50, SERIES), (100, 100, SERIES)],
        references,
    )


def _add_extension(root: zarr.Group) -> None:
    """Add containers and a dataset whose types nobody but one lab knows."""
    rig = typed(
        "LabRig",
        "ndx-lab",
        serial=7,
        gains=[1.0, 2.5],
        label="Käfig 🐭",
        calibrated=True,
        settings={"deep": [1, {"er": None}]},
        main_probe=reference(PROBE),
        _LINKS=[link("watched series", SERIES), link("samples", f"{SERIES}/data")],
    )
    make_group(root, "general/rig", rig)
    make_array(root, "general/rig/temperature", [20.5, 21.0], {"unit": "celsius"})
    make_array(root, "general/rig/operator", "Ada")
    make_group(root, "general/rig/parts")
    make_group(root, "general/rig/parts/lamp", typed("LabPart", "ndx-lab", watts=40))
    make_array(root, "general/rig/map", np.eye(3), typed("LabImage", "ndx-lab", origin=reference("/general/rig")))
    rows = typed("LabRows", "ndx-lab", _DTYPE="object_reference")
    make_array(root, "general/rig/watched", [f"{SERIES}/data", PROBE, "/general/rig/parts/lamp"], rows)


def _add_namespaces(root: zarr.Group) -> None:
    """Add the cached namespaces, as hdmf-zarr does."""
    for name, version in NAMESPACES:
        spec = {"namespaces": [{"name": name, "version": version}]}
        make_array(root, f"specifications/{name}/{version}/namespace", json.dumps(spec))
    root.attrs[".specloc"] = "specifications"


def consolidate(place: Path) -> None:
    """Put all documents of a store into its root document; by hand, because zarr 3.1 does not know ``struct``."""
    documents = {
        path.parent.relative_to(place).as_posix(): json.loads(path.read_text()) for path in place.rglob("*/zarr.json")
    }
    root = json.loads((place / "zarr.json").read_text())
    documents.pop(".", None)
    root["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": documents}
    (place / "zarr.json").write_text(json.dumps(root))
