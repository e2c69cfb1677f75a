"""A session from facts, as pynwb makes it and hdmf-zarr writes it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pynwb
from hdmf_zarr import NWBZarrIO, ZarrDataIO
from pynwb.ecephys import ElectricalSeries

from tests.peers.scripts import facts

_DATES = ("session_start_time", "timestamps_reference_time", "date_of_birth")


def run(
    path: str,
    session: facts.Facts,
    shared: dict[str, list[str]],
    tables: facts.Facts | None = None,
    extension: facts.Facts | None = None,
    *,
    models: dict[str, str] | None = None,
    consolidated: bool = True,
) -> None:
    """Write the session.

    Parameters
    ----------
    path : str
        Place of the store.
    session : dict
        As in `tests/peers/sessions.py`.
    shared : dict
        Series that share what another holds: path to field and owner.
    tables : dict, optional
        Electrodes, units and trials to go with it.
    extension : dict, optional
        Fields of a lab's own type to go with it.
    models : dict, optional
        Models of devices to go with it: name to manufacturer. Each gets a device, too.
    consolidated : bool
        Whether the root document holds all the others.
    """
    made = build(session, shared)
    if tables is not None:
        _add_tables(made, tables)
    if extension is not None:
        made.add_lab_meta_data(_lab_room(Path(path).parent, extension))
    for name, manufacturer in (models or {}).items():
        made.create_device(name=f"a {name}", model=made.create_device_model(name=name, manufacturer=manufacturer))
    with NWBZarrIO(path, "w") as io:
        io.write(made, consolidate_metadata=consolidated)


def build(session: facts.Facts, shared: dict[str, list[str]]) -> Any:
    """Return the session of some facts, in memory."""
    subject = None if session["subject"] is None else pynwb.file.Subject(**_dated(session["subject"]))
    made = pynwb.NWBFile(**_dated(session["file"]), subject=subject)
    for name, fields in session["devices"].items():
        made.add_device(pynwb.device.Device(name=name, **fields))
    for name, description in session["modules"].items():
        made.create_processing_module(name=name, description=description)
    series: dict[str, Any] = {}
    for path, fields in session["series"].items():
        series[path] = _make_series(path, fields, shared, series)
        _add(made, path, series[path])
    for name, fields in session["scratch"].items():
        data = facts.numpy_of(fields["data"]) if isinstance(fields["data"], dict) else fields["data"]
        made.add_scratch(data, name=name, description=fields["notes"])
    return made


def _make_series(path: str, fields: facts.Facts, shared: dict[str, list[str]], known: dict[str, Any]) -> Any:
    given = {
        name: facts.numpy_of(value) if isinstance(value, dict) else value
        for name, value in fields.items()
        if value is not None
    }
    if path == "acquisition/raw":
        given["data"] = ZarrDataIO(given["data"], chunks=(100, 10), shards=(200, 20))
    if path in shared:
        field, owner = shared[path]
        given[field] = known[owner]
    return pynwb.TimeSeries(name=path.rpartition("/")[2], **given)


def _add(session: Any, path: str, series: Any) -> None:
    folder = path.rpartition("/")[0]
    if folder.startswith("processing/"):
        session.processing[folder.partition("/")[2]].add(series)
    else:
        getattr(session, f"add_{facts.FOLDERS[folder]}")(series)


def _dated(fields: facts.Facts) -> facts.Facts:
    made = {name: datetime.fromisoformat(value) if name in _DATES else value for name, value in fields.items()}
    if "file_create_date" in fields:
        made["file_create_date"] = [datetime.fromisoformat(text) for text in fields["file_create_date"]]
    return made


def add_electrodes(session: Any, tables: facts.Facts) -> dict[str, Any]:
    """Add electrode groups and electrodes, and return the groups."""
    device = session.devices["probe"]
    groups = {
        name: session.create_electrode_group(name=name, description="a shank", location=location, device=device)
        for name, location in tables["groups"].items()
    }
    columns = tables["electrodes"]
    session.add_electrode_column(name="depth", description="below the tip")
    for index, name, location, depth in zip(
        columns["id"], columns["group"], columns["location"], columns["depth"], strict=True
    ):
        session.add_electrode(id=index, group=groups[name], location=location, depth=depth)
    return groups


def _add_tables(session: Any, tables: facts.Facts) -> None:
    groups = add_electrodes(session, tables)
    ephys = tables["electrical_series"]
    region = session.create_electrode_table_region(region=ephys["rows"], description="three of them")
    data = facts.numpy_of(ephys["data"])
    session.add_acquisition(ElectricalSeries(name="ephys", data=data, electrodes=region, rate=1000.0))
    session.add_unit_column(name="quality", description="by eye")
    units = tables["units"]
    for row in range(len(units["id"])):
        session.add_unit(
            id=units["id"][row],
            quality=units["quality"][row],
            spike_times=np.array(units["spike_times"][row], "f8"),
            electrodes=units["electrodes"][row],
            electrode_group=groups[units["electrode_group"][row]],
        )
    _add_trials(session, tables["trials"])


def _add_trials(session: Any, trials: facts.Facts) -> None:
    series = {"acquisition/irregular": session.acquisition["irregular"]}
    series["stimulus/presentation/light"] = session.stimulus["light"]
    session.add_trial_column(name="correct", description="as asked")
    for row in range(len(trials["id"])):
        session.add_trial(
            id=trials["id"][row],
            start_time=trials["start_time"][row],
            stop_time=trials["stop_time"][row],
            correct=trials["correct"][row],
            tags=trials["tags"][row],
            timeseries=[series[path] for _, _, path in trials["timeseries"][row]],
        )


def _lab_room(folder: Path, fields: facts.Facts) -> Any:
    """Return a container of a type that no namespace of NWB has."""
    from pynwb.spec import NWBAttributeSpec, NWBDatasetSpec, NWBGroupSpec, NWBNamespaceBuilder

    builder = NWBNamespaceBuilder(doc="rooms", name="ndx-rooms", version="0.1.0", author="A. Lab", contact="a@lab.org")
    builder.include_type("LabMetaData", namespace="core")
    room = NWBGroupSpec(
        neurodata_type_def="LabRoom",
        neurodata_type_inc="LabMetaData",
        doc="a room",
        attributes=[
            NWBAttributeSpec(name="number", doc="on the door", dtype=fields["dtype"]),
            NWBAttributeSpec(name="noise", doc="in dB", dtype="float64"),
        ],
        datasets=[NWBDatasetSpec(name="lights", doc="in lux", dtype="float64", shape=(None,), dims=("lamp",))],
    )
    builder.add_spec("ndx-rooms.extensions.yaml", room)
    builder.export("ndx-rooms.namespace.yaml", outdir=str(folder))
    pynwb.load_namespaces(str(folder / "ndx-rooms.namespace.yaml"))
    room_class = pynwb.get_class("LabRoom", "ndx-rooms")
    return room_class(
        name="room",
        number=np.dtype(fields["dtype"]).type(fields["number"]),
        noise=float(fields["noise"]),
        lights=np.array(fields["lights"], "f8"),
    )
