"""One session for each neurodata type of NWB, built the same way with PyNWB as with nwbzarr.

A builder takes a `Library` and returns a session that holds at least one container of its type, with every optional
field of that type set, as far as PyNWB permits. The values are the same every time; object ids are not. What PyNWB
refuses to make, because it is deprecated, is asked for with `Library.deprecated`.

Neither library is imported here: the peer's interpreter runs this module too.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Library(Protocol):
    """PyNWB or nwbzarr: its classes as attributes, by neurodata type."""

    def __getattr__(self, name: str) -> Any:
        """Return the class of a neurodata type."""

    def deprecated(self, name: str) -> Callable[..., Any]:
        """Return what makes a container of a type that is deprecated, or has fields that are."""

    def extension(self, name: str) -> Any:
        """Return the class of a type of `EXTENSION`, which `write_extension` writes."""


_ZONE = timezone(timedelta(hours=2))
_START = datetime(2024, 3, 5, 9, 30, 15, 250000, _ZONE)

#: Four samples, at given times or at a rate.
_TIMES = np.array([0.0, 0.5, 1.25, 2.0])
_RATE: dict[str, Any] = {"starting_time": 0.25, "rate": 4.0}
_UNITS: dict[str, Any] = {"resolution": 0.5, "conversion": 2.0, "offset": 0.25}
_WORDS: dict[str, Any] = {"comments": "ünïcode, “quoted”", "description": "two\nlines"}
_CONTROL: dict[str, Any] = {"control": np.array([0, 1, 1, 0], "u1"), "control_description": ["dark", "light"]}
_NOTES: dict[str, Any] = {**_UNITS, **_WORDS, **_CONTROL}


def _numbers(*shape: int, dtype: str = "f8") -> Any:
    """Return distinct numbers, negative ones too when the dtype has them; halves when it has those."""
    found = np.arange(int(np.prod(shape)), dtype="i8").reshape(shape)
    return found.astype(dtype) if dtype[0] == "u" else ((found - 3) / (2 if dtype[0] == "f" else 1)).astype(dtype)


def _session(library: Library, *, old: bool = False, **fields: Any) -> Any:
    """Return a session; an `old` one may have fields that are deprecated."""
    kind = library.deprecated("NWBFile") if old else library.NWBFile
    return kind(
        session_description="one type of container",
        identifier="session-1",
        session_start_time=_START,
        file_create_date=[_START + timedelta(days=1)],
        **fields,
    )


# The session itself, and what is known about it.


def _nwbfile(library: Library) -> Any:
    made = _session(
        library,
        timestamps_reference_time=_START - timedelta(hours=1),
        experimenter=["Ada L.", "Grace H."],
        experiment_description="an experiment",
        session_id="s1",
        institution="an institute",
        keywords=["light", "ratte", "größe"],
        notes="notes",
        pharmacology="none",
        protocol="protocol 7",
        related_publications=["doi:10.1000/1", "doi:10.1000/2"],
        slices="300 µm",
        source_script="print()",
        source_script_file_name="make.py",
        was_generated_by=[["nwb", "1.0"], ["tests", "2.0"]],
        data_collection="by hand",
        surgery="a surgery",
        virus="AAV",
        stimulus_notes="flashes",
        lab="a lab",
    )
    series = _plain_series(library, "raw")
    made.add_acquisition(series)
    made.add_analysis(_plain_series(library, "mean"))
    made.add_stimulus(_plain_series(library, "light"))
    made.add_stimulus_template(_plain_series(library, "flash"))
    made.create_processing_module(name="behavior", description="what it did").add(_plain_series(library, "licks"))
    made.add_scratch(_plain_series(library, "draft"))
    made.create_device(name="probe")
    made.add_trial(start_time=0.0, stop_time=1.0)
    made.add_epoch(start_time=0.0, stop_time=2.0, tags=["all"])
    made.add_invalid_time_interval(start_time=0.5, stop_time=0.75)
    return made


def _subject(library: Library) -> Any:
    made = _session(library)
    made.subject = library.Subject(
        age="P90D",
        age__reference="gestational",
        description="mouse A10",
        genotype="Sst-IRES-Cre/wt",
        sex="F",
        species="Mus musculus",
        subject_id="A10",
        weight="0.02 kg",
        date_of_birth=datetime(2023, 12, 1, tzinfo=UTC),
        strain="C57BL/6J",
    )
    return made


def _lab_meta_data(library: Library) -> Any:
    made = _session(library)
    made.add_lab_meta_data(library.LabMetaData(name="rig"))
    return made


def _herd(library: Library) -> Any:
    made = _subject(library)
    made.external_resources = library.HERD()
    for field, key, entity in (
        ("species", "Mus musculus", "NCBITaxon:10090"),
        ("strain", "C57BL/6J", "RRID:IMSR_JAX:000664"),
    ):
        made.external_resources.add_ref(
            container=made.subject,
            attribute=field,
            key=key,
            entity_id=entity,
            entity_uri=f"https://example.org/{entity}",
        )
    return made


def _processing_module(library: Library) -> Any:
    made = _session(library)
    module = made.create_processing_module(name="behavior", description="several")
    module.add(_plain_series(library, "a"))
    module.add(library.DynamicTable(name="table", description="no rows"))
    made.add_processing_module(library.ProcessingModule(name="empty", description="nothing in it"))
    return made


def _scratch_data(library: Library) -> Any:
    made = _session(library)
    made.add_scratch(_numbers(2, 3, dtype="i2"), name="numbers", description="by add_scratch")
    made.add_scratch(library.ScratchData(name="words", data=["ä", "", "b c"], description="texts"))
    made.add_scratch(library.ScratchData(name="word", data="ä", description="one text"))
    made.add_scratch(library.ScratchData(name="number", data=2.5, description="one number"))
    made.add_scratch(library.ScratchData(name="flags", data=np.array([True, False]), description="truth values"))
    return made


# Types that are there for others to build on.


def _nwb_container(library: Library) -> Any:
    made = _session(library)
    made.add_analysis(library.NWBContainer(name="in_analysis"))
    made.add_scratch(library.NWBContainer(name="in_scratch"))
    return made


def _nwb_data_interface(library: Library) -> Any:
    made = _session(library)
    made.add_acquisition(library.NWBDataInterface(name="in_acquisition"))
    made.create_processing_module(name="m", description="m").add(library.NWBDataInterface(name="in_module"))
    return made


#: A namespace with a type that holds what has no place of its own in a session.
EXTENSION: dict[str, Any] = {
    "namespaces": [
        {
            "name": "ndx-holder",
            "version": "0.1.0",
            "doc": "places for types that have none",
            "author": ["nwbzarr"],
            "contact": ["nwbzarr@example.org"],
            "schema": [{"namespace": "core"}, {"source": "ndx-holder.extensions.yaml"}],
        }
    ]
}
_EXTENSION_TYPES: dict[str, Any] = {
    "groups": [
        {
            "neurodata_type_def": "TypeHolder",
            "neurodata_type_inc": "LabMetaData",
            "doc": "holds one of each",
            "groups": [
                {"neurodata_type_inc": "Container", "name": "container", "doc": "c", "quantity": "?"},
                {"neurodata_type_inc": "SimpleMultiContainer", "name": "several", "doc": "s", "quantity": "?"},
                {"neurodata_type_inc": "CSRMatrix", "name": "matrix", "doc": "m", "quantity": "?"},
            ],
            "datasets": [
                {"neurodata_type_inc": "Data", "name": "numbers", "doc": "d", "quantity": "?"},
                {"neurodata_type_inc": "NWBData", "name": "words", "doc": "n", "quantity": "?"},
            ],
        }
    ]
}


def write_extension(folder: Path) -> Path:
    """Write `EXTENSION` and its types into a folder, and return the path of the namespace; YAML takes JSON as it is."""
    (folder / "ndx-holder.extensions.yaml").write_text(json.dumps(_EXTENSION_TYPES))
    namespace = folder / "ndx-holder.namespace.yaml"
    namespace.write_text(json.dumps(EXTENSION))
    return namespace


def _held(library: Library, **members: Any) -> Any:
    made = _session(library)
    made.add_lab_meta_data(library.extension("TypeHolder")(name="holder", **members))
    return made


def _container(library: Library) -> Any:
    return _held(library, container=library.Container(name="container"))


def _data(library: Library) -> Any:
    return _held(library, numbers=library.Data(name="numbers", data=_numbers(2, 3, dtype="i4")))


def _nwb_data(library: Library) -> Any:
    return _held(library, words=library.NWBData(name="words", data=["a", "ä", ""]))


def _simple_multi_container(library: Library) -> Any:
    several = library.SimpleMultiContainer(
        name="several",
        containers=[
            library.Container(name="empty"),
            library.SimpleMultiContainer(name="nested", containers=[library.Container(name="inner")]),
            library.Data(name="numbers", data=_numbers(4, dtype="f4")),
        ],
    )
    return _held(library, several=several)


def _csr_matrix(library: Library) -> Any:
    matrix = library.CSRMatrix(
        name="matrix",
        data=np.array([1.5, -2.0, 3.0]),
        indices=np.array([0, 2, 1], "u4"),
        indptr=np.array([0, 2, 2, 3], "u4"),
        shape=np.array([3, 4], "u4"),
    )
    return _held(library, matrix=matrix)


# Time series of no special kind.


def _plain_series(library: Library, name: str, **fields: Any) -> Any:
    given = {"data": _numbers(4, dtype="i2"), "unit": "V", "timestamps": _TIMES, **fields}
    if "rate" in given:
        given.pop("timestamps")
    return library.TimeSeries(name=name, **given)


def _time_series(library: Library) -> Any:
    made = _session(library)
    raw = _plain_series(library, "raw", data=_numbers(4, 2, dtype="i2"), continuity="continuous", **_NOTES)
    made.add_acquisition(raw)
    made.add_acquisition(_plain_series(library, "regular", data=_numbers(4, 1, 2, 3, dtype="f4"), **_RATE))
    made.add_stimulus(_plain_series(library, "shares_times", timestamps=raw, continuity="step"))
    made.add_stimulus_template(_plain_series(library, "shares_all", data=raw, timestamps=raw))
    return made


def _abstract_feature_series(library: Library) -> Any:
    made = _session(library)
    made.add_stimulus(
        library.AbstractFeatureSeries(
            name="features",
            features=["orientation", "phase"],
            feature_units=["deg", "rad"],
            data=_numbers(4, 2, dtype="f4"),
            timestamps=_TIMES,
            **_NOTES,
        )
    )
    return made


def _annotation_series(library: Library) -> Any:
    made = _session(library)
    texts = ["start", "", "ä", "end"]
    made.add_acquisition(library.AnnotationSeries(name="remarks", data=texts, timestamps=_TIMES, **_WORDS))
    return made


def _some_intervals(library: Library, name: str) -> Any:
    data = np.array([1, -1, 2, -2], "i1")
    return library.IntervalSeries(name=name, data=data, timestamps=_TIMES, **_WORDS, **_CONTROL)


def _interval_series(library: Library) -> Any:
    made = _session(library)
    made.add_acquisition(_some_intervals(library, "states"))
    return made


def _decomposition_series(library: Library) -> Any:
    made = _session(library)
    _add_electrodes(made)
    source = _electrical_series(library, made, "source")
    made.add_acquisition(source)
    bands = library.FrequencyBandsTable()
    bands.add_band(band_name="theta", band_limits=np.array([4.0, 8.0]), band_mean=6.0, band_stdev=1.5)
    bands.add_band(band_name="gamma", band_limits=np.array([30.0, 80.0]), band_mean=55.0, band_stdev=12.5)
    made.create_processing_module(name="ecephys", description="e").add(
        library.DecompositionSeries(
            name="power",
            data=_numbers(4, 2, 2, dtype="f4"),
            metric="power",
            unit="V^2",
            bands=bands,
            source_timeseries=source,
            source_channels=made.create_electrode_table_region(
                region=[2, 0], description="two of them", name="source_channels"
            ),
            timestamps=_TIMES,
            **_NOTES,
        )
    )
    return made


# Tables.


def _add_table(library: Library, made: Any, *columns: Any, **fields: Any) -> Any:
    table = library.DynamicTable(name="table", description="a table", columns=list(columns), **fields)
    made.create_processing_module(name="tables", description="t").add(table)
    return table


def _vector_data(library: Library) -> Any:
    made = _session(library)
    _add_table(
        library,
        made,
        library.VectorData(name="matrix", description="2-d cells", data=_numbers(3, 2, 2, dtype="f4")),
        library.VectorData(name="words", description="texts", data=["a", "ä", ""]),
        library.VectorData(name="flags", description="truth values", data=np.array([True, False, True])),
    )
    return made


def _element_identifiers(library: Library) -> Any:
    made = _session(library)
    identifiers = library.ElementIdentifiers(name="id", data=np.array([7, 3, 5], "i4"))
    column = library.VectorData(name="x", description="x", data=_numbers(3))
    _add_table(library, made, column, id=identifiers)
    return made


def _vector_index(library: Library) -> Any:
    made = _session(library)
    words = library.VectorData(name="words", description="ragged", data=["a", "b", "c", "d"])
    index = library.VectorIndex(name="words_index", data=[1, 1, 4], target=words)
    deep = library.VectorData(name="deep", description="doubly ragged", data=_numbers(6, 2))
    inner = library.VectorIndex(name="deep_index", data=[2, 3, 6], target=deep)
    outer = library.VectorIndex(name="deep_index_index", data=[1, 1, 3], target=inner)
    many = library.VectorData(name="many", description="more than a byte counts", data=_numbers(300, dtype="i2"))
    long = library.VectorIndex(name="many_index", data=[10, 20, 300], target=many)
    _add_table(library, made, index, words, outer, inner, deep, long, many)
    return made


def _dynamic_table(library: Library) -> Any:
    made = _session(library)
    table = library.DynamicTable(name="cells", description="rows and columns, one after another")
    table.add_column(name="label", description="texts")
    table.add_column(name="depth", description="numbers")
    table.add_column(name="tags", description="ragged texts", index=True)
    table.add_row(label="a", depth=1.5, tags=["x", "y"], id=10)
    table.add_row(label="ä", depth=-2.0, tags=[], id=20)
    table.add_row(label="", depth=0.25, tags=["z"], id=30)
    table.add_column(name="flag", description="a whole column", data=[True, False, True])
    table.add_column(name="deep", description="doubly ragged", data=[[[1, 2], []], [], [[3], [4, 5]]], index=2)
    made.add_acquisition(table)
    made.add_analysis(library.DynamicTable(name="empty", description="neither rows nor columns"))
    made.add_scratch(
        library.DynamicTable(
            name="ordered",
            description="columns in an order of their own",
            id=[0, 1],
            columns=[
                library.VectorData(name="b", description="second", data=np.array([1, 2], "u2")),
                library.VectorData(name="a", description="first", data=np.array([0.5, 1.5], "f4")),
            ],
            colnames=["b", "a"],
        )
    )
    return made


def _dynamic_table_region(library: Library) -> Any:
    made = _session(library)
    table = _add_table(
        library, made, library.VectorData(name="x", description="x", data=_numbers(4)), id=[10, 11, 12, 13]
    )
    rows = library.DynamicTableRegion(name="rows", description="a column", data=[3, 0, 0], table=table)
    several = library.DynamicTableRegion(name="several", description="ragged", data=[1, 2, 3, 0], table=table)
    index = library.VectorIndex(name="several_index", data=[2, 2, 4], target=several)
    regions = library.DynamicTable(name="regions", description="rows of rows", columns=[rows, index, several])
    made.processing["tables"].add(regions)
    return made


def _meanings_table(library: Library) -> Any:
    made = _session(library)
    table = _add_table(library, made, library.VectorData(name="kind", description="kinds", data=["go", "stop", "go"]))
    meanings = library.MeaningsTable(target=table["kind"], description="what the kinds mean")
    meanings.add_row(value="go", meaning="a green light")
    meanings.add_row(value="stop", meaning="a red light")
    table.add_meanings_table(meanings)
    return made


def _enum_data(library: Library) -> Any:
    made = _session(library)
    enum = library.EnumData(
        name="state", description="one of three", data=np.array([2, 0, 0, 1], "u1"), elements=["a", "b", "ä"]
    )
    _add_table(library, made, enum, enum.elements)
    return made


def _aligned_dynamic_table(library: Library) -> Any:
    made = _session(library)
    tables = [
        library.DynamicTable(
            name=name,
            description=f"category {name}",
            columns=[library.VectorData(name="x", description="x", data=_numbers(2, dtype=dtype))],
        )
        for name, dtype in (("right", "f4"), ("left", "i2"))
    ]
    made.create_processing_module(name="tables", description="t").add(
        library.AlignedDynamicTable(
            name="aligned",
            description="tables side by side",
            columns=[library.VectorData(name="main", description="of all", data=["a", "b"])],
            category_tables=tables,
            categories=["right", "left"],
        )
    )
    return made


def _time_series_reference_vector_data(library: Library) -> Any:
    made = _session(library)
    one, other = _plain_series(library, "one"), _plain_series(library, "other", **_RATE)
    made.add_acquisition(one)
    made.add_stimulus(other)
    moments = library.TimeSeriesReferenceVectorData(name="timeseries", description="when")
    for start, count, series in ((0, 2, one), (1, 3, other), (-1, -1, one)):
        moments.add_row((start, count, series))
    # In a table that declares the column: PyNWB does not write one that only a general table has.
    columns = [
        library.VectorData(name="start_time", description="s", data=np.array([0.0, 1.0])),
        library.VectorData(name="stop_time", description="s", data=np.array([0.5, 2.0])),
        library.VectorIndex(name="timeseries_index", data=[2, 3], target=moments),
        moments,
    ]
    made.add_time_intervals(library.TimeIntervals(name="blocks", description="given whole", columns=columns))
    return made


def _time_intervals(library: Library) -> Any:
    made = _session(library)
    one, other = _plain_series(library, "one"), _plain_series(library, "other", **_RATE)
    made.add_acquisition(one)
    made.add_acquisition(other)
    made.add_trial_column(name="correct", description="as asked")
    made.add_trial(start_time=0.0, stop_time=1.0, tags=["a", "b"], timeseries=[one, other], correct=True)
    made.add_trial(start_time=1.0, stop_time=1.5, tags="c", timeseries=[other], correct=False)
    made.add_epoch(start_time=0.0, stop_time=2.0, tags=["all"], timeseries=one)
    made.add_invalid_time_interval(start_time=0.5, stop_time=0.75, tags=["noise"], timeseries=[one])
    blocks = library.TimeIntervals(name="blocks", description="blocks of trials")
    blocks.add_interval(start_time=0.0, stop_time=1.5)
    made.add_time_intervals(blocks)
    return made


def _events_table(library: Library) -> Any:
    made = _session(library)
    licks = library.EventsTable(name="licks", description="by threshold", source_description="Manual video review")
    licks.add_column(name="side", description="left or right")
    licks.add_event(timestamp=0.5, duration=0.25, annotation="weak", side="l")
    licks.add_event(timestamp=1.5, duration=float("nan"), annotation="", side="r")
    made.add_events_table(licks)
    return made


def _event_columns(library: Library) -> Any:
    made = _session(library)
    times = library.TimestampVectorData(name="timestamp", description="t", data=_TIMES, resolution=0.0625)
    spans = library.DurationVectorData(name="duration", description="d", data=_TIMES / 2, resolution=0.125)
    made.add_events_table(library.EventsTable(name="pulses", description="TTL", columns=[times, spans]))
    return made


# Behavior.


def _spatial(library: Library, name: str, **fields: Any) -> Any:
    return library.SpatialSeries(
        name=name, data=_numbers(4, 2, dtype="f4"), reference_frame="the corner", timestamps=_TIMES, **fields
    )


def _spatial_series(library: Library) -> Any:
    made = _session(library)
    made.add_acquisition(_spatial(library, "position", unit="pixels", **_NOTES))
    return made


def _behavioral(type_name: str, adding: str, make: Callable[[Library, str], Any]) -> Callable[[Library], Any]:
    """Return a builder for an interface that holds series, and is filled in both ways."""

    def build(library: Library) -> Any:
        made = _session(library)
        module = made.create_processing_module(name="behavior", description="b")
        kind = getattr(library, type_name)
        default = kind()
        getattr(default, f"add_{adding}")(make(library, "added"))
        module.add(default)
        field = {"timeseries": "time_series"}.get(adding, adding)
        module.add(kind(name="named", **{field: [make(library, "given"), make(library, "second")]}))
        return made

    return build


# Extracellular electrophysiology.


def _add_electrodes(made: Any, *, full: bool = False) -> None:
    """Add four electrodes in two groups, with all columns if wanted; hdmf-zarr takes its time for each."""
    device = made.create_device(name="probe")
    groups = [
        made.create_electrode_group(
            name=f"shank{number}", description="a shank", location="CA1", device=device, position=(1.5, number, -2.0)
        )
        for number in range(2)
    ]
    if full:
        made.add_electrode_column(name="quality", description="a column of our own")
    for row in range(4):
        more = {"x": 0.5 * row, "y": -1.0 * row, "z": 2.0, "imp": 1.0e6, "filtering": "none", "reference": "screw"}
        more |= {"rel_x": 1.0 * row, "rel_y": 0.0, "rel_z": 0.25, "quality": "good"}
        made.add_electrode(
            id=10 + row, group=groups[row % 2], location="CA1" if row else "größe", **(more if full else {})
        )


def _electrical_series(library: Library, made: Any, name: str, **fields: Any) -> Any:
    return library.ElectricalSeries(
        name=name,
        data=_numbers(4, 3, dtype="i2"),
        electrodes=made.create_electrode_table_region(region=[3, 0, 1], description="three of them"),
        **({"timestamps": _TIMES} if "rate" not in fields else {}),
        **fields,
    )


def _device(library: Library) -> Any:
    made = _session(library)
    model = made.create_device_model(name="NP1", manufacturer="IMEC", model_number="PRB_1", description="a model")
    made.add_device(library.Device(name="probe", description="a probe", serial_number="17", model=model))
    # Deprecated, and made by PyNWB with a warning.
    made.create_device(name="old", manufacturer="IMEC", model_number="PRB_1", model_name="NP1")
    return made


def _ecephys_tables(library: Library) -> Any:
    made = _session(library)
    _add_electrodes(made, full=True)
    return made


def _electrical(library: Library) -> Any:
    made = _session(library)
    _add_electrodes(made)
    conversion = np.array([1.0, 0.5, 2.0], "f4")
    made.add_acquisition(
        _electrical_series(library, made, "raw", channel_conversion=conversion, filtering="high-pass", **_NOTES)
    )
    made.add_acquisition(_electrical_series(library, made, "regular", **_RATE))
    return made


def _spike_events(library: Library, made: Any, name: str, **fields: Any) -> Any:
    return library.SpikeEventSeries(
        name=name,
        data=_numbers(4, 2, 3, dtype="f4"),
        timestamps=_TIMES,
        electrodes=made.create_electrode_table_region(region=[1, 2], description="two"),
        **fields,
    )


def _spike_event_series(library: Library) -> Any:
    made = _session(library)
    _add_electrodes(made)
    made.add_acquisition(_spike_events(library, made, "spikes", **_NOTES))
    return made


def _event_waveform(library: Library) -> Any:
    made = _session(library)
    _add_electrodes(made)
    waveform = library.deprecated("EventWaveform")(name="EventWaveform")
    waveform.add_spike_event_series(_spike_events(library, made, "spikes"))
    made.create_processing_module(name="ecephys", description="e").add(waveform)
    return made


def _ephys_interface(type_name: str) -> Callable[[Library], Any]:
    """Return a builder for an interface that holds electrical series, and is filled in three ways."""

    def build(library: Library) -> Any:
        made = _session(library)
        _add_electrodes(made)
        module = made.create_processing_module(name="ecephys", description="e")
        kind = getattr(library, type_name)
        default = kind()
        default.add_electrical_series(_electrical_series(library, made, "added"))
        default.create_electrical_series(
            name="created",
            data=_numbers(4, dtype="f4"),
            electrodes=made.create_electrode_table_region(region=[0], description="one"),
            rate=2.0,
        )
        module.add(default)
        module.add(kind(name="named", electrical_series=[_electrical_series(library, made, "given")]))
        return made

    return build


def _feature_extraction(library: Library) -> Any:
    made = _session(library)
    _add_electrodes(made)
    made.create_processing_module(name="ecephys", description="e").add(
        library.FeatureExtraction(
            description=["PC1", "PC2", "PC3"],
            features=_numbers(4, 2, 3, dtype="f4"),
            times=_TIMES,
            electrodes=made.create_electrode_table_region(region=[0, 3], description="two"),
        )
    )
    return made


def _event_detection(library: Library) -> Any:
    made = _session(library)
    _add_electrodes(made)
    source = _electrical_series(library, made, "source")
    made.add_acquisition(source)
    module = made.create_processing_module(name="ecephys", description="e")
    module.add(
        library.EventDetection(
            detection_method="threshold",
            source_electricalseries=source,
            source_idx=np.array([[0, 1], [2, 2], [3, 0]], "i4"),
            times=np.array([0.0, 1.25, 2.0]),
        )
    )
    module.add(
        library.EventDetection(
            name="by_time", detection_method="dV/dT", source_electricalseries=source, source_idx=np.array([1, 3], "i4")
        )
    )
    return made


def _clustering(library: Library) -> Any:
    made = _session(library)
    clustering = library.deprecated("Clustering")(
        description="two clusters",
        num=np.array([0, 1, 0], "i4"),
        peak_over_rms=np.array([5.5, 7.25], "f4"),
        times=np.array([0.5, 1.0, 1.5]),
    )
    waveforms = library.deprecated("ClusterWaveforms")(
        clustering_interface=clustering,
        waveform_filtering="none",
        waveform_mean=_numbers(2, 3, dtype="f4"),
        waveform_sd=np.abs(_numbers(2, 3, dtype="f4")),
    )
    module = made.create_processing_module(name="ecephys", description="e")
    module.add(clustering)
    module.add(waveforms)
    return made


def _units(library: Library) -> Any:
    made = _session(library)
    _add_electrodes(made)
    made.units = library.Units(
        name="units",
        description="sorted",
        electrode_table=made.electrodes,
        waveform_rate=30000.0,
        waveform_unit="microvolts",
        waveform_time_before_peak_in_ms=0.5,
        resolution=0.0009765625,
    )
    made.add_unit_column(name="quality", description="by eye")
    groups = list(made.electrode_groups.values())
    for row, spikes in enumerate(([0.25, 0.5, 1.75], [1.0], [0.125, 0.375])):
        made.add_unit(
            id=100 + row,
            spike_times=np.array(spikes),
            obs_intervals=np.array([[0.0, 1.0], [1.5, 2.0]])[: row % 2 + 1],
            electrodes=[row, row + 1][: row % 2 + 1],
            electrode_group=groups[row % 2],
            waveform_mean=_numbers(5, dtype="f4") + row,
            waveform_sd=np.abs(_numbers(5, dtype="f4")) + row,
            waveforms=_numbers(len(spikes), row % 2 + 1, 5, dtype="f4"),
            quality="good" if row else "größe",
        )
    return made


# Images and optical physiology.


def _image_data(*, depth: bool = False, dtype: str = "u1") -> Any:
    return _numbers(4, 2, 3, 2, dtype=dtype) if depth else _numbers(4, 2, 3, dtype=dtype)


def _movie(library: Library, name: str, **fields: Any) -> Any:
    return library.ImageSeries(name=name, data=_image_data(), unit="n.a.", timestamps=_TIMES, **fields)


def _image_series(library: Library) -> Any:
    made = _session(library)
    device = made.create_device(name="camera")
    dimension = np.array([2, 3], "i4")
    made.add_acquisition(_movie(library, "raw", format="raw", dimension=dimension, device=device, **_NOTES))
    made.add_acquisition(
        library.ImageSeries(
            name="files",
            unit="n.a.",
            external_file=["a.tif", "ä.tif"],
            starting_frame=np.array([0, 2], "i4"),
            format="external",
            num_samples=4,
            dimension=dimension,
            **_RATE,
        )
    )
    return made


def _image_mask_series(library: Library) -> Any:
    made = _session(library)
    masked = _movie(library, "masked")
    made.add_acquisition(masked)
    made.add_stimulus(
        library.deprecated("ImageMaskSeries")(
            name="mask",
            masked_imageseries=masked,
            data=_image_data(),
            unit="n.a.",
            format="raw",
            dimension=np.array([2, 3], "i4"),
            device=made.create_device(name="screen"),
            timestamps=_TIMES,
            **_NOTES,
        )
    )
    return made


def _optical_series(library: Library) -> Any:
    made = _session(library)
    made.add_stimulus(
        library.OpticalSeries(
            name="screen",
            data=_numbers(4, 2, 3, 3, dtype="u1"),
            unit="n.a.",
            distance=0.75,
            field_of_view=np.array([0.5, 0.25, 1.0], "f4"),
            orientation="upright",
            format="raw",
            dimension=np.array([2, 3], "i4"),
            device=made.create_device(name="monitor"),
            timestamps=_TIMES,
            **_NOTES,
        )
    )
    return made


def _some_images(library: Library, name: str) -> Any:
    images = [
        library.GrayscaleImage(name="gray", data=_numbers(2, 3, dtype="u1"), description="gray", resolution=70.5),
        library.RGBImage(name="rgb", data=_numbers(2, 3, 3, dtype="u1"), description="rgb", resolution=72.0),
        library.RGBAImage(name="rgba", data=_numbers(2, 3, 4, dtype="f4"), description="rgba", resolution=1.5),
    ]
    order = library.ImageReferences(name="order_of_images", data=[images[2], images[0], images[1]])
    return library.Images(name=name, images=images, description="three images", order_of_images=order)


def _images(library: Library) -> Any:
    made = _session(library)
    made.add_acquisition(_some_images(library, "photos"))
    made.add_stimulus_template(_some_images(library, "shown"))
    return made


def _one_image(library: Library, image: Any) -> Any:
    made = _session(library)
    images = library.Images(name="photos", description="one image")
    images.add_image(image)
    made.add_acquisition(images)
    return made


def _image(library: Library) -> Any:
    fields = {"data": _numbers(2, 3, 4, dtype="u2"), "resolution": 70.5, "description": "any"}
    return _one_image(library, library.Image(name="any", **fields))


def _base_image(library: Library) -> Any:
    return _one_image(
        library, library.BaseImage(name="base", data=_numbers(2, 3, dtype="u1"), description="of no kind")
    )


def _external_image(library: Library) -> Any:
    image = library.ExternalImage(
        name="file", data="photos/ä.png", image_format="PNG", image_mode="RGB", description="elsewhere"
    )
    return _one_image(library, image)


def _index_series(library: Library) -> Any:
    made = _session(library)
    images, movie = _some_images(library, "shown"), _movie(library, "movie")
    made.add_stimulus_template(images)
    made.add_stimulus_template(movie)
    index = np.array([2, 0, 1, 0], "u4")
    made.add_stimulus(
        library.IndexSeries(
            name="order",
            data=index,
            unit="N/A",
            indexed_images=images,
            timestamps=_TIMES,
            **_WORDS,
            **_CONTROL,
        )
    )
    made.add_stimulus(
        library.deprecated("IndexSeries")(name="old", data=index, unit="N/A", indexed_timeseries=movie, **_RATE)
    )
    return made


def _add_imaging_plane(library: Library, made: Any) -> Any:
    channels = [
        library.OpticalChannel(name=name, description=f"the {name} channel", emission_lambda=wavelength)
        for name, wavelength in (("green", 507.0), ("red", 610.5))
    ]
    return made.create_imaging_plane(
        name="plane",
        optical_channel=channels,
        description="a plane",
        device=made.create_device(name="microscope"),
        excitation_lambda=920.0,
        indicator="GCaMP6f",
        location="V1",
        imaging_rate=30.0,
        reference_frame="bregma",
        origin_coords=np.array([0.5, 1.0, -2.0], "f4"),
        origin_coords_unit="millimeters",
        grid_spacing=np.array([0.25, 0.25, 0.5], "f4"),
        grid_spacing_unit="micrometers",
    )


def _imaging_plane(library: Library) -> Any:
    made = _session(library)
    plane = _add_imaging_plane(library, made)
    made.add_imaging_plane(
        library.deprecated("ImagingPlane")(
            name="old",
            optical_channel=library.OpticalChannel(name="green", description="green", emission_lambda=507.0),
            device=plane.device,
            excitation_lambda=920.0,
            indicator="GFP",
            location="V1",
            manifold=_numbers(2, 2, 3, dtype="f4"),
            conversion=0.001,
            unit="millimeters",
        )
    )
    return made


def _one_photon_series(library: Library) -> Any:
    made = _session(library)
    made.add_acquisition(
        library.OnePhotonSeries(
            name="widefield",
            imaging_plane=_add_imaging_plane(library, made),
            data=_image_data(dtype="u2"),
            unit="n.a.",
            pmt_gain=1.5,
            scan_line_rate=8000.0,
            exposure_time=0.25,
            binning=2,
            power=12.5,
            intensity=0.5,
            format="raw",
            dimension=np.array([2, 3], "i4"),
            device=made.create_device(name="camera"),
            timestamps=_TIMES,
            **_NOTES,
        )
    )
    return made


def _two_photon_series(library: Library) -> Any:
    made = _session(library)
    made.add_acquisition(
        library.TwoPhotonSeries(
            name="volume",
            imaging_plane=_add_imaging_plane(library, made),
            data=_image_data(depth=True, dtype="u2"),
            unit="n.a.",
            field_of_view=np.array([0.5, 0.25, 1.0], "f4"),
            pmt_gain=1.5,
            scan_line_rate=8000.0,
            format="raw",
            dimension=np.array([2, 3, 2], "i4"),
            device=made.create_device(name="camera"),
            **_RATE,
            **_NOTES,
        )
    )
    return made


def _corrected_stack(library: Library, original: Any, name: str) -> Any:
    return library.CorrectedImageStack(
        name=name,
        corrected=_movie(library, "corrected"),
        original=original,
        xy_translation=_plain_series(library, "xy_translation", data=_numbers(4, 2, dtype="f4"), unit="pixels"),
    )


def _motion_correction(library: Library) -> Any:
    made = _session(library)
    original = _movie(library, "original")
    made.add_acquisition(original)
    motion = library.MotionCorrection()
    motion.add_corrected_image_stack(_corrected_stack(library, original, "stack"))
    motion.add_corrected_image_stack(_corrected_stack(library, original, "again"))
    made.create_processing_module(name="ophys", description="o").add(motion)
    return made


def _add_masks(library: Library, made: Any) -> Any:
    """Add a segmentation of three ROIs, and return it."""
    masks = library.PlaneSegmentation(
        name="masks", description="three ROIs", imaging_plane=_add_imaging_plane(library, made)
    )
    for row in range(3):
        masks.add_roi(image_mask=_numbers(3, 4) + row)
    made.create_processing_module(name="ophys", description="o").add(masks)
    return masks


def _segmentation(library: Library) -> Any:
    """Return a session with segmentations that have masks of each kind."""
    made = _session(library)
    plane = _add_imaging_plane(library, made)
    pictures = [_movie(library, "first"), _movie(library, "second")]
    segmentation = library.ImageSegmentation()
    masks = segmentation.create_plane_segmentation(
        name="masks", description="three ROIs", imaging_plane=plane, reference_images=pictures
    )
    masks.add_column(name="score", description="a column of our own")
    for row in range(3):
        masks.add_roi(
            id=20 + row,
            image_mask=_numbers(3, 4, dtype="f4") + row,
            pixel_mask=[(row, x, 0.5 * x) for x in range(row + 1)],
            voxel_mask=[(row, x, 1, 0.25) for x in range(2)],
            score=0.5 * row,
        )
    # As libraries do: the name is the plane's.
    segmentation.add_segmentation(imaging_plane=plane, description="one ROI").add_roi(image_mask=_numbers(3, 4))
    made.create_processing_module(name="ophys", description="o").add(segmentation)
    return made


def _responses(library: Library, masks: Any, name: str, **fields: Any) -> Any:
    return library.RoiResponseSeries(
        name=name,
        data=_numbers(4, 2, dtype="f4"),
        unit="n.a.",
        rois=masks.create_roi_table_region(region=[2, 0], description="two of them"),
        timestamps=_TIMES,
        **fields,
    )


def _roi_response_series(library: Library) -> Any:
    made = _session(library)
    masks = _add_masks(library, made)
    made.processing["ophys"].add(_responses(library, masks, "responses", **_NOTES))
    return made


def _ophys_interface(type_name: str) -> Callable[[Library], Any]:
    """Return a builder for an interface that holds responses, and is filled in both ways."""

    def build(library: Library) -> Any:
        made = _session(library)
        masks = _add_masks(library, made)
        kind = getattr(library, type_name)
        default = kind()
        made.processing["ophys"].add(default)
        default.add_roi_response_series(_responses(library, masks, "added"))
        made.processing["ophys"].add(kind(name="named", roi_response_series=_responses(library, masks, "given")))
        return made

    return build


def _imaging_retinotopy(library: Library) -> Any:
    made = _session(library)
    size = {"dimension": np.array([2, 3], "i4"), "field_of_view": np.array([0.5, 0.25], "f4")}
    more: dict[str, dict[str, Any]] = {
        "axis_1_phase_map": {"unit": "degrees"},
        "axis_1_power_map": {"unit": "degrees"},
        "axis_2_phase_map": {"unit": "degrees"},
        "axis_2_power_map": {"unit": "degrees"},
        "sign_map": {},
        "vasculature_image": {"bits_per_pixel": np.int32(16), "format": "raw"},
        "focal_depth_image": {"bits_per_pixel": np.int32(16), "format": "raw", "focal_depth": 0.5},
    }
    fields: dict[str, Any] = {"axis_descriptions": ["altitude", "azimuth"]}
    for name, attributes in more.items():
        fields[name] = _numbers(2, 3, dtype="u2" if name.endswith("image") else "f4")
        fields.update({f"{name}__{key}": value for key, value in (size | attributes).items()})
    made.create_processing_module(name="ophys", description="o").add(library.ImagingRetinotopy(**fields))
    return made


# Optogenetics.


def _optogenetics(library: Library) -> Any:
    made = _session(library)
    site = made.create_ogen_site(
        name="site",
        device=made.create_device(name="laser"),
        description="a site",
        excitation_lambda=473.0,
        location="V1",
    )
    made.add_stimulus(
        library.OptogeneticSeries(name="light", data=_numbers(4, 2), site=site, timestamps=_TIMES, **_NOTES)
    )
    made.add_stimulus(library.OptogeneticSeries(name="pulses", data=_numbers(4), site=site, **_RATE))
    return made


# Intracellular electrophysiology.


def _add_icephys_electrode(made: Any, name: str = "pipette") -> Any:
    return made.create_icephys_electrode(
        name=name,
        device=made.devices["amplifier"] if "amplifier" in made.devices else made.create_device(name="amplifier"),
        description="an electrode",
        slice="slice 3",
        seal="1 GΩ",
        location="V1",
        resistance="5 MΩ",
        filtering="none",
        initial_access_resistance="10 MΩ",
        cell_id="cell 7",
    )


def _icephys_electrode(library: Library) -> Any:
    made = _session(library, old=True, icephys_filtering="Bessel")
    _add_icephys_electrode(made)
    return made


#: What each kind of patch clamp series takes besides the fields of all of them.
_CLAMPS: dict[str, dict[str, Any]] = {
    "PatchClampSeries": {"unit": "volts"},
    "CurrentClampSeries": {"bias_current": 1.5e-12, "bridge_balance": 2.5e6, "capacitance_compensation": 4.0e-12},
    "CurrentClampStimulusSeries": {},
    "IZeroClampSeries": {},
    "VoltageClampSeries": {
        "capacitance_fast": 1.5e-12,
        "capacitance_slow": 2.5e-12,
        "resistance_comp_bandwidth": 3500.5,
        "resistance_comp_correction": 70.5,
        "resistance_comp_prediction": 80.5,
        "whole_cell_capacitance_comp": 3.5e-12,
        "whole_cell_series_resistance_comp": 1.5e7,
    },
    "VoltageClampStimulusSeries": {},
}


def _clamp(library: Library, kind: str, name: str, electrode: Any, **fields: Any) -> Any:
    given = {"data": _numbers(4, dtype="f4"), **_CLAMPS[kind], **fields}
    if "rate" not in given:
        given["timestamps"] = _TIMES
    return getattr(library, kind)(name=name, electrode=electrode, **given)


def _clamp_series(kind: str) -> Callable[[Library], Any]:
    """Return a builder for a kind of patch clamp series."""

    def build(library: Library) -> Any:
        made = _session(library)
        electrode = _add_icephys_electrode(made)
        words = {} if kind == "IZeroClampSeries" else {"stimulus_description": "steps"}
        series = _clamp(library, kind, "full", electrode, gain=0.5, sweep_number=np.uint32(3), **words, **_NOTES)
        adding = made.add_stimulus if "Stimulus" in kind else made.add_acquisition
        adding(series)
        adding(_clamp(library, kind, "short", electrode, **_RATE))
        return made

    return build


def _sweep_table(library: Library) -> Any:
    made = _session(library)
    electrode = _add_icephys_electrode(made)
    made.sweep_table = library.deprecated("SweepTable")()
    for number in range(2):
        stimulus = _clamp(
            library, "CurrentClampStimulusSeries", f"stimulus{number}", electrode, sweep_number=np.uint32(number)
        )
        response = _clamp(library, "CurrentClampSeries", f"response{number}", electrode, sweep_number=np.uint32(number))
        made.add_stimulus(stimulus)
        made.add_acquisition(response)
        made.sweep_table.add_entry(stimulus)
        made.sweep_table.add_entry(response)
    return made


def _icephys_tables(library: Library) -> Any:
    made = _session(library)
    pairs = []
    for number in range(3):
        electrode = _add_icephys_electrode(made, f"pipette{number}")
        stimulus = _clamp(library, "VoltageClampStimulusSeries", f"stimulus{number}", electrode)
        response = _clamp(library, "VoltageClampSeries", f"response{number}", electrode, **_RATE)
        made.add_stimulus(stimulus)
        made.add_acquisition(response)
        pairs.append((electrode, stimulus, response))
    template = _clamp(library, "VoltageClampStimulusSeries", "template", pairs[0][0])
    made.add_stimulus_template(template)
    for number, (electrode, stimulus, response) in enumerate(pairs):
        made.add_intracellular_recording(
            id=30 + number,
            electrode=electrode,
            # One recording without a stimulus.
            stimulus=stimulus if number != 1 else None,
            stimulus_start_index=number if number != 1 else None,
            stimulus_index_count=2 if number != 1 else None,
            stimulus_template=template,
            stimulus_template_start_index=1,
            stimulus_template_index_count=3,
            response=response,
            response_start_index=0,
            response_index_count=3,
        )
    recordings = made.intracellular_recordings
    recordings.add_column(name="label", description="of all", data=["a", "b", "ä"])
    recordings.add_column(name="depth", description="of electrodes", data=[1.0, 2.5, 3.0], category="electrodes")
    recordings.add_category(
        library.DynamicTable(
            name="lab",
            description="a category of our own",
            columns=[library.VectorData(name="day", description="d", data=np.array([1, 2, 3], "i2"))],
        )
    )
    made.add_icephys_simultaneous_recording(recordings=[0, 1])
    made.add_icephys_simultaneous_recording(recordings=[2])
    made.add_icephys_sequential_recording(simultaneous_recordings=[0, 1], stimulus_type="square")
    made.add_icephys_sequential_recording(simultaneous_recordings=[1], stimulus_type="ramp")
    made.add_icephys_repetition(sequential_recordings=[0])
    made.add_icephys_repetition(sequential_recordings=[1, 0])
    made.add_icephys_experimental_condition(repetitions=[0, 1])
    made.icephys_experimental_conditions.add_column(name="drug", description="d", data=["none"])
    return made


BUILDERS: dict[str, Callable[[Library], Any]] = {
    "AbstractFeatureSeries": _abstract_feature_series,
    "AlignedDynamicTable": _aligned_dynamic_table,
    "AnnotationSeries": _annotation_series,
    "BaseImage": _base_image,
    "BehavioralEpochs": _behavioral("BehavioralEpochs", "interval_series", _some_intervals),
    "BehavioralEvents": _behavioral("BehavioralEvents", "timeseries", _plain_series),
    "BehavioralTimeSeries": _behavioral("BehavioralTimeSeries", "timeseries", _plain_series),
    "CSRMatrix": _csr_matrix,
    "ClusterWaveforms": _clustering,
    "Clustering": _clustering,
    "CompassDirection": _behavioral("CompassDirection", "spatial_series", _spatial),
    "Container": _container,
    "CorrectedImageStack": _motion_correction,
    "CurrentClampSeries": _clamp_series("CurrentClampSeries"),
    "CurrentClampStimulusSeries": _clamp_series("CurrentClampStimulusSeries"),
    "Data": _data,
    "DecompositionSeries": _decomposition_series,
    "Device": _device,
    "DeviceModel": _device,
    "DfOverF": _ophys_interface("DfOverF"),
    "DurationVectorData": _event_columns,
    "DynamicTable": _dynamic_table,
    "DynamicTableRegion": _dynamic_table_region,
    "ElectricalSeries": _electrical,
    "ElectrodeGroup": _ecephys_tables,
    "ElectrodesTable": _ecephys_tables,
    "ElementIdentifiers": _element_identifiers,
    "EnumData": _enum_data,
    "EventDetection": _event_detection,
    "EventWaveform": _event_waveform,
    "EventsTable": _events_table,
    "ExperimentalConditionsTable": _icephys_tables,
    "ExternalImage": _external_image,
    "EyeTracking": _behavioral("EyeTracking", "spatial_series", _spatial),
    "FeatureExtraction": _feature_extraction,
    "FilteredEphys": _ephys_interface("FilteredEphys"),
    "Fluorescence": _ophys_interface("Fluorescence"),
    "FrequencyBandsTable": _decomposition_series,
    "GrayscaleImage": _images,
    "HERD": _herd,
    "IZeroClampSeries": _clamp_series("IZeroClampSeries"),
    "Image": _image,
    "ImageMaskSeries": _image_mask_series,
    "ImageReferences": _images,
    "ImageSegmentation": _segmentation,
    "ImageSeries": _image_series,
    "Images": _images,
    "ImagingPlane": _imaging_plane,
    "ImagingRetinotopy": _imaging_retinotopy,
    "IndexSeries": _index_series,
    "IntervalSeries": _interval_series,
    "IntracellularElectrode": _icephys_electrode,
    "IntracellularElectrodesTable": _icephys_tables,
    "IntracellularRecordingsTable": _icephys_tables,
    "IntracellularResponsesTable": _icephys_tables,
    "IntracellularStimuliTable": _icephys_tables,
    "LFP": _ephys_interface("LFP"),
    "LabMetaData": _lab_meta_data,
    "MeaningsTable": _meanings_table,
    "MotionCorrection": _motion_correction,
    "NWBContainer": _nwb_container,
    "NWBData": _nwb_data,
    "NWBDataInterface": _nwb_data_interface,
    "NWBFile": _nwbfile,
    "OnePhotonSeries": _one_photon_series,
    "OpticalChannel": _imaging_plane,
    "OpticalSeries": _optical_series,
    "OptogeneticSeries": _optogenetics,
    "OptogeneticStimulusSite": _optogenetics,
    "PatchClampSeries": _clamp_series("PatchClampSeries"),
    "PlaneSegmentation": _segmentation,
    "Position": _behavioral("Position", "spatial_series", _spatial),
    "ProcessingModule": _processing_module,
    "PupilTracking": _behavioral("PupilTracking", "timeseries", _plain_series),
    "RGBAImage": _images,
    "RGBImage": _images,
    "RepetitionsTable": _icephys_tables,
    "RoiResponseSeries": _roi_response_series,
    "ScratchData": _scratch_data,
    "SequentialRecordingsTable": _icephys_tables,
    "SimpleMultiContainer": _simple_multi_container,
    "SimultaneousRecordingsTable": _icephys_tables,
    "SpatialSeries": _spatial_series,
    "SpikeEventSeries": _spike_event_series,
    "Subject": _subject,
    "SweepTable": _sweep_table,
    "TimeIntervals": _time_intervals,
    "TimeSeries": _time_series,
    "TimeSeriesReferenceVectorData": _time_series_reference_vector_data,
    "TimestampVectorData": _event_columns,
    "TwoPhotonSeries": _two_photon_series,
    "Units": _units,
    "VectorData": _vector_data,
    "VectorIndex": _vector_index,
    "VoltageClampSeries": _clamp_series("VoltageClampSeries"),
    "VoltageClampStimulusSeries": _clamp_series("VoltageClampStimulusSeries"),
}

#: Types whose sessions are built by the same builder, by the first of them.
SESSIONS: dict[str, list[str]] = {}
for _name, _builder in BUILDERS.items():
    _first = next(name for name, builder in BUILDERS.items() if builder is _builder)
    SESSIONS.setdefault(_first, []).append(_name)
