"""What pynwb finds in a store that hdmf-zarr opens, as facts."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from hdmf_zarr import NWBZarrIO

from tests.peers.scripts import facts

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Fields of a session that hold several texts or datetimes.
_LISTS = ("file_create_date", "experimenter", "keywords", "related_publications", "was_generated_by")


def run(path: str, names: dict[str, list[str]], *, tables: bool = False, **options: Any) -> dict[str, Any]:
    """Return the facts, the object ids by path, and on demand the tables.

    Parameters
    ----------
    path : str
        Place of the store.
    names : dict
        Fields of ``file``, ``subject``, ``device`` and ``series`` that are wanted.
    tables : bool
        Whether to describe electrodes, units and trials too.
    **options
        For `NWBZarrIO`.
    """
    with NWBZarrIO(path, "r", **options) as io:
        session = io.read()
        found = dict(_containers(session))
        described = {
            "file": _file(session, names["file"]),
            "subject": None if session.subject is None else _fields(session.subject, names["subject"]),
            "devices": {name: _fields(device, names["device"]) for name, device in session.devices.items()},
            "modules": {name: module.description for name, module in session.processing.items()},
            "series": {
                place: _series(series, names["series"])
                for place, series in found.items()
                if series.neurodata_type == "TimeSeries"
            },
            "scratch": {
                name: {"data": facts.plain(data.data), "notes": data.description}
                for name, data in session.scratch.items()
                if data.neurodata_type == "ScratchData"
            },
        }
        ids = {"/": session.object_id, **{place: container.object_id for place, container in found.items()}}
        return {"facts": described, "ids": ids, "tables": _tables(session, found) if tables else None}


def _file(session: Any, names: list[str]) -> facts.Facts:
    return {
        name: facts.texts(getattr(session, name)) if name in _LISTS else facts.plain(getattr(session, name))
        for name in names
    }


def _fields(container: Any, names: list[str]) -> facts.Facts:
    return {name: facts.plain(getattr(container, name)) for name in names}


def _series(series: Any, names: list[str]) -> facts.Facts:
    described = {"data": facts.array(series.data), "unit": series.unit, **_fields(series, names)}
    if series.control_description is not None:
        described["control_description"] = facts.texts(series.control_description)
    return described


def _containers(session: Any) -> Iterator[tuple[str, Any]]:
    """Yield containers with their paths."""
    if session.subject is not None:
        yield "general/subject", session.subject
    for name, device in session.devices.items():
        yield f"general/devices/{name}", device
    for folder, field in facts.FOLDERS.items():
        for name, container in (getattr(session, field) or {}).items():
            yield f"{folder}/{name}", container
    for name, module in session.processing.items():
        yield f"processing/{name}", module
        for key, container in module.data_interfaces.items():
            yield f"processing/{name}/{key}", container


def _tables(session: Any, found: dict[str, Any]) -> facts.Facts:
    places = {container.object_id: place for place, container in found.items()}
    ephys, units, trials = session.acquisition["ephys"], session.units, session.trials
    rows = list(map(int, ephys.electrodes.data[:]))
    return {
        "groups": {name: group.location for name, group in session.electrode_groups.items()},
        "electrodes": {
            **_columns(session.electrodes, "location", "depth"),
            "group": [group.name for group in session.electrodes["group"].data[:]],
        },
        "electrical_series": {
            "data": facts.array(ephys.data),
            "rows": rows,
            "locations": [str(ephys.electrodes.table["location"].data[row]) for row in rows],
        },
        "units": {
            **_columns(units, "quality"),
            "spike_times": [np.asarray(times).tolist() for times in units["spike_times"][:]],
            "electrodes": _ragged_rows(units, "electrodes"),
            "electrode_group": [group.name for group in units["electrode_group"].data[:]],
        },
        "trials": {
            **_columns(trials, "start_time", "stop_time", "correct"),
            "tags": [list(map(str, tags)) for tags in trials["tags"][:]],
            "timeseries": [
                [[int(start), int(count), places[series.object_id]] for start, count, series in rows]
                for rows in (trials["timeseries"][index] for index in range(len(trials)))
            ],
        },
    }


def _columns(table: Any, *names: str) -> facts.Facts:
    return {"id": _list(table.id), **{name: _list(table[name]) for name in names}}


def _list(column: Any) -> list[Any]:
    return np.asarray(column.data[:]).tolist()  # type: ignore[no-any-return]


def _ragged_rows(table: Any, name: str) -> list[list[int]]:
    """Return the row numbers of a ragged column that leads to another table."""
    index = table[name]
    ends = [0, *map(int, index.data[:])]
    rows = [int(row) for row in index.target.data[:]]
    return [rows[start:end] for start, end in itertools.pairwise(ends)]
