"""One session as facts (plain JSON), how nwbzarr writes it, and what nwbzarr finds in a store, as the same facts.

The peer's half is `scripts/write_session.py` and `scripts/describe_session.py`; what both find must be equal.
"""

from __future__ import annotations

import itertools
import json
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from nwbzarr import Device, NWBFile, NWBZarrIO, ProcessingModule, ScratchData, Subject, TimeSeries, ZarrDataIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nwbzarr.model.datasets import Dataset
    from nwbzarr.model.elements import Element
    from nwbzarr.model.groups import Group
    from nwbzarr.writing.execution import WriteReport

Facts = dict[str, Any]

#: Groups of a session that hold time series.
FOLDERS = ("acquisition", "analysis", "stimulus/presentation", "stimulus/templates", "scratch")

#: Fields of a series with their values when nothing is said.
SERIES_DEFAULTS: Facts = {
    "conversion": 1.0,
    "offset": 0.0,
    "resolution": -1.0,
    "continuity": None,
    "comments": "no comments",
    "description": "no description",
    "timestamps": None,
    "starting_time": None,
    "rate": None,
    "control": None,
    "control_description": None,
}


def array(values: Any, dtype: str | None = None) -> Facts:
    """Return an array as facts: not-finite numbers are words, because NaN is not equal to itself."""
    found = np.asarray(values, dtype)
    if found.dtype.kind in "OUT":
        return {"dtype": "str", "shape": list(found.shape), "values": found.astype(object).tolist()}
    return {"dtype": found.dtype.name, "shape": list(found.shape), "values": _words(found.tolist())}


def numpy_of(facts: Facts) -> Any:
    """Return the array of some facts; complex ones have one dimension."""
    if facts["dtype"] == "str":
        return np.array(facts["values"], dtype=object)
    if facts["dtype"].startswith("complex"):
        return np.array([complex(*pair) for pair in _numbers(facts["values"])], facts["dtype"])
    return np.array(_numbers(facts["values"]), facts["dtype"]).reshape(facts["shape"])


def _words(value: Any) -> Any:
    if isinstance(value, list):
        return [_words(item) for item in value]
    if isinstance(value, complex):
        return [_words(value.real), _words(value.imag)]
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def _numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return float(value) if isinstance(value, str) else value


def _series(data: Any, dtype: str, **fields: Any) -> Facts:
    return {**SERIES_DEFAULTS, "data": array(data, dtype), **fields}


_TIMES = [0.1, 0.25, 0.5, 1.0 / 3.0 + 1.0, 2.0]

#: A session with everything of the first part of the model.
RAW: Facts = {
    "file": {
        "session_description": "a mouse, runs — und läuft\nweiter",
        "identifier": "0f5f7a4e-raw",
        "session_start_time": "2019-04-03T11:00:00.123456+05:30",
        "file_create_date": ["2020-02-29T23:59:59+00:00", "2021-03-01T00:00:00.500000-08:00"],
        "timestamps_reference_time": "2019-04-03T10:59:00+02:00",
        "experimenter": ["Bach, Johann Sebastian", "Čajkovskij, Pjotr"],
        "experiment_description": "what for",
        "session_id": "day1/ä",
        "institution": "A University",
        "keywords": ["mouse", "運動", ""],
        "notes": "some notes",
        "pharmacology": "none given",
        "protocol": "P-12",
        "related_publications": ["doi:10.1/a", "doi:10.1/b"],
        "slices": "no slices",
        "source_script": "print('made')",
        "source_script_file_name": "make.py",
        "was_generated_by": [["recorder", "1.2"], ["converter", "0.9"]],
        "data_collection": "collected",
        "surgery": "a long report, " * 1000,
        "virus": "a virus",
        "stimulus_notes": "about stimuli",
        "lab": "A Lab",
    },
    "subject": {
        "age": "P90D",
        "age__reference": "gestational",
        "description": "brave",
        "genotype": "wt/wt",
        "sex": "F",
        "species": "Mus musculus",
        "subject_id": "M-7",
        "weight": "0.025 kg",
        "date_of_birth": "2019-01-03T00:00:00+01:00",
        "strain": "C57BL/6J",
    },
    "devices": {
        "probe": {
            "description": "many channels",
            "manufacturer": "IMEC",
            "model_number": "1.0",
            "model_name": "Neuropixels",
            "serial_number": "0001",
        },
        "a camera": {
            "description": "looks",
            "manufacturer": None,
            "model_number": None,
            "model_name": None,
            "serial_number": None,
        },
    },
    "modules": {"behavior": "what it did"},
    "series": {
        "acquisition/raw": _series(
            np.arange(600 * 40).reshape(600, 40) % 4096 - 2048,
            "int16",
            unit="volts",
            conversion=2.5e-7,
            offset=-1.5e-3,
            resolution=0.125,
            rate=30000.0,
            starting_time=0.5,
            continuity="continuous",
            comments="with comments",
            description="of 40 channels",
        ),
        "acquisition/irregular": _series(
            [0.5, math.nan, -0.0, math.inf, 1e-300],
            "float64",
            unit="m",
            timestamps=array(_TIMES),
            control=array([0, 1, 1, 0, 255], "uint8"),
            control_description=["still", "moving"],
        ),
        "acquisition/frames": _series(
            np.arange(4 * 3 * 2 * 2).reshape(4, 3, 2, 2), "uint8", unit="n.a.", rate=25.0, starting_time=0.0
        ),
        "acquisition/single": _series([[1.5, -2.5], [0.1, 3e38]], "float32", unit="pA", rate=1.0, starting_time=0.0),
        "acquisition/zeros": _series([0, 0, 0], "int64", unit="", rate=0.25, starting_time=-1.0),
        "acquisition/empty": _series(np.zeros((0, 3)), "uint16", unit="counts", rate=10.0, starting_time=0.0),
        "acquisition/unsigned": _series([0, 2**64 - 1], "uint64", unit="counts", rate=10.0, starting_time=0.0),
        "analysis/mean": _series([1.0, 2.0], "float64", unit="m", rate=1.0, starting_time=0.0),
        "stimulus/presentation/light": _series([0, 1, 0], "int32", unit="lux", timestamps=array([1.0, 2.0, 3.5])),
        "stimulus/templates/ramp": _series([0.0, 0.5, 1.0], "float64", unit="V", rate=1000.0, starting_time=0.0),
        "processing/behavior/speed": _series([3.0, 4.0], "float64", unit="m/s", rate=2.0, starting_time=0.0),
        "scratch/try": _series([7.0], "float64", unit="m", rate=1.0, starting_time=0.0),
    },
    "scratch": {
        "vector": {"data": array([1.0, math.nan, 3.0]), "notes": "three numbers"},
        "matrix": {"data": array([[1, 2], [3, 4]], "uint16"), "notes": "four numbers"},
        "words": {"data": array(["one", "", "三"]), "notes": "three words"},
        "zero": {"data": 0.0, "notes": "a scalar that is the fill value"},
        "nothing": {"data": "", "notes": "a text that is the fill value"},
        "text": {"data": "größer", "notes": "a text"},
        "count": {"data": 7, "notes": "a number"},
        "yes": {"data": True, "notes": "a truth value"},
    },
}

#: Series that share what another holds: path to field and owner.
SHARED = {
    "acquisition/raw again": ("data", "acquisition/raw"),
    "acquisition/in step": ("timestamps", "acquisition/irregular"),
}

#: `RAW` with the series of `SHARED`. The peer does not find what these share when it reads them through a link.
SHARING: Facts = {
    **RAW,
    "series": {
        **RAW["series"],
        "acquisition/raw again": {
            **RAW["series"]["acquisition/raw"],
            "comments": "no comments",
            "description": "the same data",
            "rate": 15000.0,
            "starting_time": 0.0,
        },
        "acquisition/in step": _series(
            [1, 2, 3, 4, 5], "int8", unit="steps", timestamps=RAW["series"]["acquisition/irregular"]["timestamps"]
        ),
    },
}

#: A session with what links need and no more, for places where every object costs time.
SMALL: Facts = {
    "file": {
        name: value
        for name in RAW["file"]
        for value in [
            RAW["file"][name] if name.startswith(("session_desc", "session_start", "ident", "file", "time")) else None
        ]
    },
    "subject": None,
    "devices": {},
    "modules": {},
    "series": {path: SHARING["series"][path] for path in ("acquisition/irregular", "acquisition/in step")},
    "scratch": {},
}

#: What a processed session holds besides what it links from `RAW`.
PROCESSED: Facts = {
    "modules": {"filtering": "what came out of the filter"},
    "series": {
        "processing/filtering/filtered": _series(
            [5.0, 4.0, 3.0, 2.0, 1.0],
            "float64",
            unit="m",
            timestamps=RAW["series"]["acquisition/irregular"]["timestamps"],
            description="filtered",
        )
    },
}

#: What the scratch session holds besides what it links; a compound goes with it.
RESULT: Facts = {"data": array([0.0, 1.0 / 3.0, 1.0]), "notes": "of an analysis"}

#: Tables and what goes with them; nwbzarr reads these types as plain containers, and the peer alone writes them.
TABLES: Facts = {
    "groups": {"shank0": "CA1", "shank1": "CA3"},
    "electrodes": {
        "id": [0, 1, 2, 3],
        "location": ["CA1", "CA1", "CA3", "CA3"],
        "group": ["shank0", "shank0", "shank1", "shank1"],
        "depth": [0.0, 20.5, 0.0, 40.0],
    },
    "electrical_series": {
        "data": array([[1, 2, 3], [4, 5, 6]], "int16"),
        "rows": [0, 2, 3],
        "locations": ["CA1", "CA3", "CA3"],
    },
    "units": {
        "id": [10, 11, 12],
        "quality": ["good", "", "bad"],
        "spike_times": [[0.1, 0.2, 0.3], [], [1.0]],
        "electrodes": [[0, 1], [2], [3]],
        "electrode_group": ["shank0", "shank1", "shank1"],
    },
    "trials": {
        "id": [0, 1, 2],
        "start_time": [0.0, 0.3, 1.0],
        "stop_time": [0.3, 1.0, 2.5],
        "correct": [True, False, True],
        "tags": [["a", "b"], ["c"], ["d"]],
        "timeseries": [
            [[0, 2, "acquisition/irregular"]],
            [[2, 1, "acquisition/irregular"], [0, 0, "stimulus/presentation/light"]],
            [[3, 2, "acquisition/irregular"]],
        ],
    },
}


def build(facts: Facts) -> NWBFile:
    """Return the session of some facts, in memory."""
    subject = None if facts["subject"] is None else Subject(**_dated(facts["subject"]))
    session = NWBFile(**_dated(facts["file"]), subject=subject)
    for name, fields in facts["devices"].items():
        session.add_device(Device(name, **fields))
    for name, description in facts["modules"].items():
        session.add_processing_module(ProcessingModule(name, description))
    for path, fields in facts["series"].items():
        _add(session, path, _make_series(session, path, fields))
    for name, fields in facts["scratch"].items():
        data = fields["data"]
        session.add_scratch(ScratchData(name, numpy_of(data) if isinstance(data, dict) else data, fields["notes"]))
    return session


def _add(session: NWBFile, path: str, series: TimeSeries) -> None:
    """Add a series where its path says."""
    folder = path.rpartition("/")[0]
    if folder.startswith("processing/"):
        session.processing[folder.partition("/")[2]].add(series)
        return
    adders: tuple[Callable[[Any], object], ...] = (
        session.add_acquisition,
        session.add_analysis,
        session.add_stimulus,
        session.add_stimulus_template,
        session.add_scratch,
    )
    dict(zip(FOLDERS, adders, strict=True))[folder](series)


def _make_series(session: NWBFile, path: str, fields: Facts) -> TimeSeries:
    given = {
        name: numpy_of(value) if isinstance(value, dict) else value
        for name, value in fields.items()
        if value is not None
    }
    if path == "acquisition/raw":
        given["data"] = ZarrDataIO(given["data"], chunks=(100, 10), shards=(200, 20))
    elif path == "acquisition/irregular":
        given["data"] = iter([given["data"][:2], given["data"][2:]])
    if path in SHARED:
        field, owner = SHARED[path]
        given[field] = element(session, owner)
    return TimeSeries(name=path.rpartition("/")[2], **given)


def _dated(fields: Facts) -> Facts:
    """Return fields with datetimes instead of their texts."""
    dates = ("session_start_time", "timestamps_reference_time", "date_of_birth")
    made = {name: datetime.fromisoformat(value) if name in dates else value for name, value in fields.items()}
    if "file_create_date" in fields:
        made["file_create_date"] = [datetime.fromisoformat(text) for text in fields["file_create_date"]]
    return made


def write(facts: Facts, path: Path | str, **options: Any) -> WriteReport:
    """Store the session of some facts."""
    with NWBZarrIO(path, "w", **options) as io:
        return io.write(build(facts))


def derive(raw: Path | str, processed: Path | str, **options: Any) -> WriteReport:
    """Store a processed session that links to a raw one and shares its timestamps."""
    with NWBZarrIO(raw, "r", **options) as raw_io:
        session = raw_io.read()
        made = session.copy()
        for name, description in PROCESSED["modules"].items():
            made.create_processing_module(name, description)
        fields = PROCESSED["series"]["processing/filtering/filtered"]
        made.processing["filtering"].add(
            TimeSeries(
                name="filtered",
                data=numpy_of(fields["data"]),
                unit=fields["unit"],
                description=fields["description"],
                timestamps=session.acquisition["irregular"],
            )
        )
        with NWBZarrIO(processed, "w", manager=raw_io.manager, **options) as io:
            return io.write(made)


def analyse(processed: Path | str, scratch: Path | str, **options: Any) -> WriteReport:
    """Store a third session: what a processed one holds, linked, and results of its own."""
    with NWBZarrIO(processed, "r", **options) as processed_io:
        made = processed_io.read().copy()
        made.add_scratch(numpy_of(RESULT["data"]), name="result", description=RESULT["notes"])
        rows = np.array([(1, "ä"), (2, "öü")], dtype=[("row", "i4"), ("word", "U2")])
        made.add_scratch(rows, name="rows", description="a compound")
        with NWBZarrIO(scratch, "w", manager=processed_io.manager, **options) as io:
            return io.write(made)


def with_processed(facts: Facts) -> Facts:
    """Return the facts of a session together with those of `PROCESSED`."""
    return {
        **facts,
        "modules": {**facts["modules"], **PROCESSED["modules"]},
        "series": {**facts["series"], **PROCESSED["series"]},
    }


def documents_of(store: Path) -> dict[str, Any]:
    """Return the documents of all nodes of a local store, as they stand beside the chunks."""
    return {
        path.parent.relative_to(store).as_posix(): json.loads(path.read_text()) for path in store.rglob("zarr.json")
    }


def strict_json(text: str) -> Any:
    """Parse JSON as its grammar has it: Python's own parser takes NaN and Infinity too."""
    return json.loads(text, parse_constant=_refuse)


def _refuse(word: str) -> NoReturn:
    message = f"{word} is no JSON"
    raise ValueError(message)


# What nwbzarr finds.


def describe(session: NWBFile) -> Facts:
    """Return what nwbzarr finds in a session."""
    found = dict(_found(session))
    return {
        "file": _fields(session, RAW["file"]),
        "subject": _fields(session.subject, RAW["subject"]) if session.subject is not None else None,
        "devices": {name: _fields(device, RAW["devices"]["probe"]) for name, device in session.devices.items()},
        "modules": {name: module.description for name, module in session.processing.items()},
        "series": {
            path: {
                "data": array(series.data),  # type: ignore[attr-defined]
                "unit": series.unit,  # type: ignore[attr-defined]
                **_fields(series, SERIES_DEFAULTS),
            }
            for path, series in found.items()
            if series.neurodata_type == "TimeSeries"
        },
        "scratch": {
            name: {"data": _plain(data.data), "notes": data.notes}
            for name, data in session.scratch.items()
            if isinstance(data, ScratchData)
        },
    }


def object_ids(session: NWBFile) -> dict[str, str]:
    """Return the object id of the session and of every container in `describe`, by path."""
    ids = {path: str(container.object_id) for path, container in _found(session)}
    return {"/": str(session.object_id), **ids}


def element(session: NWBFile, path: str) -> Any:
    """Return what is at a path of a session, links followed."""
    found = session.find(path)
    assert found is not None, f"{path} is missing"
    return found


def _found(session: NWBFile) -> Iterator[tuple[str, Element]]:
    """Yield containers with their paths."""
    if session.subject is not None:
        yield "general/subject", session.subject
    for name, device in session.devices.items():
        yield f"general/devices/{name}", device
    views = (session.acquisition, session.analysis, session.stimulus, session.stimulus_template, session.scratch)
    for folder, view in zip(FOLDERS, views, strict=True):
        yield from ((f"{folder}/{name}", container) for name, container in view.items())
    for name, module in session.processing.items():
        yield f"processing/{name}", module
        yield from ((f"processing/{name}/{key}", container) for key, container in module.children.items())


def _fields(container: Any, names: Facts) -> Facts:
    return {name: _plain(getattr(container, name)) for name in names}


def _plain(value: Any) -> Any:
    """Return a value as JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return array(value) if hasattr(value, "shape") else value


# Tables, as plain containers.


def describe_tables(session: NWBFile) -> Facts:
    """Return what nwbzarr finds of `TABLES`."""
    groups = element(session, "general/extracellular_ephys")
    ephys = element(session, "acquisition/ephys")
    electrodes = referenced_table(ephys, "electrodes")
    rows = np.asarray(ephys["electrodes"].data).tolist()
    locations = np.asarray(electrodes["location"].data)
    units, trials = element(session, "units"), element(session, "intervals/trials")
    return {
        "groups": {name: group.attributes["location"] for name, group in groups.items() if name != "electrodes"},
        "electrodes": {
            "id": _values(session.electrodes, "id"),
            "location": _values(session.electrodes, "location"),
            "group": _names(session.electrodes, "group"),
            "depth": _values(session.electrodes, "depth"),
        },
        "electrical_series": {"data": array(ephys["data"].data), "rows": rows, "locations": locations[rows].tolist()},
        "units": {
            "id": _values(units, "id"),
            "quality": _values(units, "quality"),
            "spike_times": _ragged(units, "spike_times"),
            "electrodes": _ragged(units, "electrodes"),
            "electrode_group": _names(units, "electrode_group"),
        },
        "trials": {
            **{name: _values(trials, name) for name in ("id", "start_time", "stop_time", "correct")},
            "tags": _ragged(trials, "tags"),
            "timeseries": _ragged(trials, "timeseries"),
        },
    }


def referenced_table(container: Group, name: str) -> Any:
    """Return the table that a column of row numbers leads to."""
    return container.member(name).attributes["table"]


def series_references(column: Dataset) -> list[tuple[int, int, Element]]:
    """Return start, count and series of every row of a column of references to series."""
    assert column.loader is not None
    rows = np.asarray(column.data)
    return [(int(start), int(count), column.loader.dereference(str(path))) for start, count, path in rows.tolist()]


def _values(table: Group, name: str) -> list[Any]:
    return np.asarray(table.member(name).data).tolist()  # type: ignore[no-any-return, attr-defined]


def _names(table: Group, name: str) -> list[str]:
    """Return the names of the containers that a column of references leads to."""
    return [container.name for container in table.member(name)[:]]  # type: ignore[index]


def _ragged(table: Group, name: str) -> list[list[Any]]:
    """Return a column with a list in every row."""
    column: Any = table.member(name)
    values = _values(table, name)
    if getattr(np.asarray(column.data), "dtype", None).names:  # type: ignore[union-attr]
        values = [[start, count, series.path.strip("/")] for start, count, series in series_references(column)]
    ends = [0, *_values(table, f"{name}_index")]
    return [values[start:end] for start, end in itertools.pairwise(ends)]
