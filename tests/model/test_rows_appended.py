"""Rows added to tables that are stored: there for the next reader, whatever the index held before; or nothing at all.

Stores are opened in mode ``r+``. Some were written by zarr-python alone, with indexes of eight bits as hdmf writes them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import pytest
import zarr

import nwbzarr
from nwbzarr import (
    DynamicTable,
    ImageSegmentation,
    NWBFile,
    NWBZarrIO,
    OpticalChannel,
    TimeIntervals,
    TimeSeries,
    VectorData,
    VectorIndex,
    VoltageClampSeries,
    VoltageClampStimulusSeries,
)
from nwbzarr.errors import NWBZarrError, SchemaError, UnstoredTargetError
from tests.handwritten import bare_session, consolidate, make_array, make_group, typed
from tests.places import QUICK_KINDS, Place, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2024, 1, 1, tzinfo=UTC)
NAME = "s.nwb.zarr"


@pytest.fixture(params=QUICK_KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture
def local(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of("local", request, tmp_path) as made:
        yield made


def values(found: Any) -> Any:
    return [values(each) for each in found] if isinstance(found, list) else np.asarray(found).tolist()


def bare() -> Any:
    return NWBFile(session_description="d", identifier="i", session_start_time=START)


def session() -> Any:
    """Return a session with electrodes, units, trials and a series."""
    nwb = bare()
    device = nwb.create_device(name="probe")
    shank = nwb.create_electrode_group(name="shank", description="d", location="l", device=device)
    for row in range(3):
        nwb.add_electrode(location=f"CA{row}", group=shank, x=float(row))
    series = TimeSeries(name="speed", data=np.arange(100.0), unit="m/s", rate=10.0)
    nwb.add_acquisition(series)
    nwb.add_trial_column(name="kind", description="d")
    nwb.add_trial(start_time=0.0, stop_time=1.0, tags=["a"], timeseries=[series], kind="go")
    nwb.add_unit_column(name="label", description="d")
    nwb.add_unit(spike_times=[0.1, 0.2], electrodes=[0], waveforms=[[[1.0, 2.0]], [[3.0, 4.0]]], label="good")
    return nwb


def write(place: Place, nwb: Any) -> None:
    with place.io(NAME, "w") as io:
        io.write(nwb)


def read(place: Place) -> Any:
    return place.io(NAME, "r").read()


def check_lengths(table: Any) -> None:
    """Assert that every column has a row for each identifier, in what plain Zarr says too."""
    for name in table.colnames:
        assert len(table[name]) == len(table), name
        assert len(table.to_dataframe()[name]) == len(table), name


# One row, the next reader.


def test_trials_are_there_for_the_next_reader(place: Place) -> None:
    write(place, session())
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        series = nwb.acquisition["speed"]
        nwb.add_trial(
            start_time=2.0, stop_time=3.5, tags="b, a much longer tag", timeseries=[series, series], kind="stop"
        )
        assert len(nwb.trials) == 2
        io.write(nwb)
    trials = read(place).trials
    check_lengths(trials)
    assert values(trials.id[:]) == [0, 1]
    assert values(trials["start_time"][:]) == [0.0, 2.0]
    assert [values(each) for each in trials["tags"][:]] == [["a"], ["b", "a much longer tag"]]
    assert values(trials["kind"][:]) == ["go", "stop"]
    found = trials["timeseries"][1]
    assert [(each.idx_start, each.count, each.timeseries.name) for each in found] == [(20, 15, "speed")] * 2
    assert trials["timeseries"][0][0].timeseries is found[0].timeseries


@pytest.mark.parametrize("column", ["timeseries", "tags", "spike_times", "electrodes", "waveforms"])
def test_rows_may_be_empty_lists(place: Place, column: str) -> None:
    write(place, session())
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        if column in nwb.trials.colnames:
            row = {"start_time": 2.0, "stop_time": 3.0, "tags": ["b"], "timeseries": [(0, 1, nwb.acquisition["speed"])]}
            nwb.trials.add_row({**row, "kind": "k", column: []})
        else:
            row = {"spike_times": [1.0], "electrodes": [1], "waveforms": [[[1.0, 2.0]]]}
            nwb.units.add_row({**row, "label": "l", column: []})
        io.write(nwb)
    nwb = read(place)
    table = nwb.trials if column in nwb.trials.colnames else nwb.units
    check_lengths(table)
    assert len(table[column][1]) == 0
    assert len(table[column][0]) > 0


def test_units_are_there_for_the_next_reader(place: Place) -> None:
    write(place, session())
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.add_unit(spike_times=[], electrodes=[1], waveforms=[], label="silent")
        nwb.add_unit(spike_times=[9.5], electrodes=[2, 1], waveforms=[[[5.0, 6.0], [7.0, 8.0]]], label="ü" * 300)
        io.write(nwb)
    units = read(place).units
    check_lengths(units)
    assert [values(each) for each in units["spike_times"][:]] == [[0.1, 0.2], [], [9.5]]
    assert [values(each) for each in units["waveforms"][:]] == [
        [[[1.0, 2.0]], [[3.0, 4.0]]],
        [],
        [[[5.0, 6.0], [7.0, 8.0]]],
    ]
    assert units["electrodes"][2]["location"].tolist() == ["CA2", "CA1"]
    assert units["electrodes"][1]["location"].tolist() == ["CA1"]
    assert values(units["label"][:]) == ["good", "silent", "ü" * 300]


def test_electrodes_are_there_for_the_next_reader(place: Place) -> None:
    write(place, session())
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.add_electrode(location="a region of another name", group=nwb.electrode_groups["shank"], x=9.0)
        io.write(nwb)
    nwb = read(place)
    check_lengths(nwb.electrodes)
    assert values(nwb.electrodes["location"][:]) == ["CA0", "CA1", "CA2", "a region of another name"]
    assert values(nwb.electrodes["group_name"][:]) == ["shank"] * 4
    assert all(each is nwb.electrode_groups["shank"] for each in nwb.electrodes["group"][:])
    assert values(nwb.electrodes["x"][:]) == [0.0, 1.0, 2.0, 9.0]


def test_a_row_of_a_new_group_and_a_unit_of_a_new_electrode(place: Place) -> None:
    """References to what is added by the same write."""
    write(place, session())
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        device = nwb.create_device(name="second probe")
        group = nwb.create_electrode_group(
            name="a shank of a longer name", description="d", location="l", device=device
        )
        nwb.add_electrode(location="new", group=group, x=9.0)
        nwb.add_unit(spike_times=[1.0], electrodes=[3], waveforms=[[[1.0, 2.0]]], label="new")
        series = TimeSeries(name="a new series of a longer name", data=np.arange(50), unit="m", rate=10.0)
        nwb.add_acquisition(series)
        nwb.add_trial(start_time=1.0, stop_time=2.0, tags=[], timeseries=[series], kind="new")
        io.write(nwb)
    nwb = read(place)
    assert [each.name for each in nwb.electrodes["group"][:]] == ["shank"] * 3 + ["a shank of a longer name"]
    assert nwb.electrodes["group"][3].device is nwb.devices["second probe"]
    assert nwb.units["electrodes"][1]["location"].tolist() == ["new"]
    (found,) = nwb.trials["timeseries"][1]
    assert tuple(found) == (10, 10, nwb.acquisition["a new series of a longer name"])
    assert nwb.trials["timeseries"][0][0].timeseries is nwb.acquisition["speed"]


def test_columns_are_there_for_the_next_reader(place: Place) -> None:
    write(place, session())
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.add_electrode_column(name="gain", description="d", data=[1, 2, 3])
        nwb.add_trial_column(name="words", description="d", data=[["x", "y"]], index=True)
        nwb.add_unit_column(name="deep", description="d", data=[[[1], [2, 3]]], index=2)
        io.write(nwb)
    nwb = read(place)
    assert nwb.electrodes.colnames[-1] == "gain"
    assert values(nwb.electrodes["gain"][:]) == [1, 2, 3]
    assert [values(each) for each in nwb.trials["words"][:]] == [["x", "y"]]
    assert [values(each) for each in nwb.units["deep"][:]] == [[[1], [2, 3]]]


def test_a_column_and_a_row_by_one_write(place: Place) -> None:
    write(place, session())
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.add_trial_column(name="reward", description="d", data=[0.5])
        series = nwb.acquisition["speed"]
        nwb.add_trial(start_time=1.0, stop_time=2.0, tags=[], timeseries=[series], kind="x", reward=1.5)
        io.write(nwb)
        nwb.add_trial(start_time=2.0, stop_time=3.0, tags=["t"], timeseries=[series], kind="y", reward=2.5)
        nwb.add_trial_column(name="late", description="d", data=[1, 2, 3])
        io.write(nwb)
    trials = read(place).trials
    check_lengths(trials)
    assert values(trials["reward"][:]) == [0.5, 1.5, 2.5]
    assert values(trials["late"][:]) == [1, 2, 3]
    assert [each[0].idx_start for each in trials["timeseries"][:]] == [0, 10, 20]


def test_a_row_before_a_column_by_one_write(place: Place) -> None:
    write(place, session())
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.add_trial(start_time=1.0, stop_time=2.0, tags=[], timeseries=[nwb.acquisition["speed"]], kind="x")
        with pytest.raises(SchemaError, match="2"):
            nwb.add_trial_column(name="reward", description="d", data=[0.5])
        nwb.add_trial_column(name="reward", description="d", data=[0.5, 1.5])
        io.write(nwb)
    assert values(read(place).trials["reward"][:]) == [0.5, 1.5]


def test_the_writer_sees_rows_before_and_after_they_are_stored(place: Place) -> None:
    write(place, session())
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.add_trial(start_time=1.0, stop_time=2.0, tags=["b"], timeseries=[nwb.acquisition["speed"]], kind="stop")
        for _ in range(2):
            trials = nwb.trials
            check_lengths(trials)
            assert values(trials.to_dataframe()["kind"].to_numpy()) == ["go", "stop"]
            assert [values(each) for each in trials["tags"][:]] == [["a"], ["b"]]
            assert values(trials["tags"][1]) == ["b"]
            assert values(trials["kind"][:]) == ["go", "stop"]
            assert values(trials["start_time"][:]) == [0.0, 1.0]
            assert trials["timeseries"][1][0].count == 10
            assert trials[1]["kind"].tolist() == ["stop"]
            io.write(nwb)


@pytest.mark.parametrize("writes", [1, 2, 4])
def test_rows_of_a_table_that_this_handle_has_made(place: Place, writes: int) -> None:
    """The table is in memory and stored at once; every row is stored once."""
    made = bare()
    table = DynamicTable(name="t", description="d", columns=[VectorData(name="number", description="d", data=[0])])
    made.add_scratch(table)
    with place.io(NAME, "w") as io:
        io.write(made)
        for row in range(1, writes + 1):
            table.add_row(number=row)
            io.write(made)
            assert values(table["number"][:]) == list(range(row + 1))
    found = read(place).scratch["t"]
    assert values(found["number"][:]) == list(range(writes + 1))
    assert values(found.id[:]) == list(range(writes + 1))


def test_ragged_rows_of_a_table_that_this_handle_has_made(place: Place) -> None:
    made = session()
    with place.io(NAME, "w") as io:
        io.write(made)
        for row in range(3):
            made.add_trial(
                start_time=1.0, stop_time=2.0, tags=["t"] * row, timeseries=made.acquisition["speed"], kind=f"k{row}"
            )
            made.add_unit(spike_times=[float(row)], electrodes=[row], waveforms=[], label=f"u{row}")
            made.add_electrode(location=f"L{row}", group=made.electrode_groups["shank"], x=1.0)
            io.write(made)
    nwb = read(place)
    for found in (nwb.trials, nwb.units, nwb.electrodes):
        check_lengths(found)
    assert [len(each) for each in nwb.trials["tags"][:]] == [1, 0, 1, 2]
    assert [values(each) for each in nwb.units["spike_times"][:]] == [[0.1, 0.2], [0.0], [1.0], [2.0]]
    assert values(nwb.electrodes["location"][:])[3:] == ["L0", "L1", "L2"]


def test_a_column_that_this_handle_has_added_grows(place: Place) -> None:
    write(place, session())
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.add_electrode_column(name="gain", description="d", data=[1, 2, 3])
        io.write(nwb)
        for row in (4, 5):
            nwb.add_electrode(location="l", group=nwb.electrode_groups["shank"], x=1.0, gain=row)
            io.write(nwb)
    found = read(place).electrodes
    check_lengths(found)
    assert values(found["gain"][:]) == [1, 2, 3, 4, 5]


def test_many_writes_of_one_handle(place: Place) -> None:
    write(place, session())
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        for row in range(1, 9):
            nwb.add_trial(
                start_time=float(row),
                stop_time=row + 0.5,
                tags=["t"] * row,
                timeseries=nwb.acquisition["speed"],
                kind="k" * row,
            )
            io.write(nwb)
    trials = read(place).trials
    check_lengths(trials)
    assert values(trials["kind"][:]) == ["go", *("k" * row for row in range(1, 9))]
    assert [len(each) for each in trials["tags"][:]] == [1, *range(1, 9)]


def test_many_handles_one_after_the_other(place: Place) -> None:
    write(place, session())
    for row in range(1, 7):
        with place.io(NAME, "r+") as io:
            nwb: Any = io.read()
            assert len(nwb.units) == row
            nwb.add_unit(spike_times=np.arange(float(row)), electrodes=[row % 3], waveforms=[], label=f"u{row}")
            nwb.add_electrode(location=f"L{row}", group=nwb.electrode_groups["shank"], x=-float(row))
            io.write(nwb)
    nwb = read(place)
    check_lengths(nwb.units)
    check_lengths(nwb.electrodes)
    assert [len(each) for each in nwb.units["spike_times"][:]] == [2, 1, 2, 3, 4, 5, 6]
    assert values(nwb.electrodes["location"][:])[3:] == [f"L{row}" for row in range(1, 7)]


def test_many_rows_by_one_write(place: Place) -> None:
    write(place, session())
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        series = nwb.acquisition["speed"]
        for row in range(500):
            nwb.add_trial(
                start_time=float(row),
                stop_time=row + 1.0,
                tags=[f"t{row}"],
                timeseries=[(row % 90, 3, series)],
                kind="k",
            )
        io.write(nwb)
    trials = read(place).trials
    check_lengths(trials)
    assert len(trials) == 501
    assert [values(each) for each in trials["tags"][1:]] == [[f"t{row}"] for row in range(500)]
    assert [each[0].idx_start for each in trials["timeseries"][1:]] == [row % 90 for row in range(500)]


def test_rows_of_empty_tables(place: Place) -> None:
    made = bare()
    made.trials = TimeIntervals(name="trials", description="d")
    made.add_trial_column(name="kind", description="d")
    made.add_trial_column(name="words", description="d", index=True)
    write(place, made)
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.add_trial(start_time=1.0, stop_time=2.0, kind="go", words=["x"])
        io.write(nwb)
    trials = read(place).trials
    assert values(trials["kind"][:]) == ["go"]
    assert [values(each) for each in trials["words"][:]] == [["x"]]


def test_columns_that_a_type_names_begin_with_the_first_row(place: Place) -> None:
    made = bare()
    made.trials = TimeIntervals(name="trials", description="d")
    write(place, made)
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.add_trial(start_time=1.0, stop_time=2.0, tags=["x"])
        io.write(nwb)
    assert [values(each) for each in read(place).trials["tags"][:]] == [["x"]]


def test_tables_that_begin_in_a_stored_session(place: Place) -> None:
    write(place, bare())
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        device = nwb.create_device(name="probe")
        group = nwb.create_electrode_group(name="g", description="d", location="l", device=device)
        nwb.add_electrode(location="l", group=group)
        nwb.add_unit(spike_times=[1.0], electrodes=[0])
        nwb.add_trial(start_time=1.0, stop_time=2.0)
        nwb.add_epoch(start_time=1.0, stop_time=2.0, tags=["e"])
        io.write(nwb)
    nwb = read(place)
    assert [len(each) for each in (nwb.electrodes, nwb.units, nwb.trials, nwb.epochs)] == [1, 1, 1, 1]
    assert nwb.units["electrodes"].target.table is nwb.electrodes


# Indexes of few bits.


def add_ragged(root: zarr.Group, table: str, ends: Any, entries: Any) -> None:
    """Add a table of one ragged column, whose index keeps its dtype."""
    make_group(root, table, typed("DynamicTable", "hdmf-common", description="d", colnames=["many"]))
    column = {"_ARRAY_DIMENSIONS": ["num_rows"]}
    make_array(root, f"{table}/id", np.arange(len(ends)), typed("ElementIdentifiers", "hdmf-common", **column))
    make_array(root, f"{table}/many", entries, typed("VectorData", "hdmf-common", description="d", **column))
    index = typed(
        "VectorIndex",
        "hdmf-common",
        description="d",
        target={"_REFERENCE": {"source": ".", "path": f"/{table}/many"}},
        **column,
    )
    make_array(root, f"{table}/many_index", ends, index)


@pytest.mark.parametrize(("dtype", "length"), [("uint8", 250), ("uint8", 255), ("uint16", 65533), ("uint32", 4)])
@pytest.mark.parametrize("consolidated", [True, False])
def test_ends_outgrow_an_index_written_by_zarr(local: Place, dtype: str, length: int, consolidated: bool) -> None:
    folder = Path(local.url) / NAME
    root = bare_session(folder)
    make_group(root, "processing/m", typed("ProcessingModule", description="d"))
    add_ragged(root, "processing/m/t", np.array([1, length], dtype=dtype), np.arange(length))
    if consolidated:
        consolidate(folder)
    with local.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.processing["m"]["t"].add_row(many=[-1, -2, -3, -4])
        nwb.processing["m"]["t"].add_row(many=list(range(300)))
        assert values(nwb.processing["m"]["t"]["many"][2]) == [-1, -2, -3, -4]
        io.write(nwb)
    table = read(local).processing["m"]["t"]
    check_lengths(table)
    assert values(table["many"][0]) == [0]
    assert values(table["many"][1]) == list(range(1, length))
    assert values(table["many"][2]) == [-1, -2, -3, -4]
    assert values(table["many"][3]) == list(range(300))
    assert values(table["many"].data[:]) == [1, length, length + 4, length + 304]
    plain = zarr.open_group(folder, mode="r", use_consolidated=False)
    found: Any = plain["processing/m/t/many_index"]
    assert found[:].tolist() == [1, length, length + 4, length + 304]


@pytest.mark.parametrize(("dtype", "length"), [(np.uint8, 254), (np.uint16, 65534)])
def test_ends_outgrow_an_index_given_in_few_bits(place: Place, dtype: Any, length: int) -> None:
    made = bare()
    entries = VectorData(name="many", description="d", data=np.arange(length, dtype=np.int32))
    index = VectorIndex(name="many_index", data=np.array([length], dtype=dtype), target=entries)
    made.add_scratch(DynamicTable(name="t", description="d", columns=[index, entries]))
    write(place, made)
    assert read(place).scratch["t"]["many"].data.dtype == dtype
    for row in range(3):
        with place.io(NAME, "r+") as io:
            nwb: Any = io.read()
            nwb.scratch["t"].add_row(many=[row] * (row + 1))
            io.write(nwb)
    table = read(place).scratch["t"]
    check_lengths(table)
    assert values(table["many"].data[:]) == [length, length + 1, length + 3, length + 6]
    assert values(table["many"][3]) == [2, 2, 2]
    assert table["many"].target.data.dtype == np.int32


def test_ends_of_a_doubly_ragged_column_outgrow_eight_bits(place: Place) -> None:
    made = bare()
    entries = VectorData(name="deep", description="d", data=np.arange(254.0))
    inner = VectorIndex(name="deep_index", data=np.arange(1, 255, dtype=np.uint8), target=entries)
    outer = VectorIndex(name="deep_index_index", data=np.array([200, 254], dtype=np.uint8), target=inner)
    made.add_scratch(DynamicTable(name="t", description="d", columns=[outer, inner, entries]))
    write(place, made)
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.scratch["t"].add_row(deep=[[1.5], [2.5, 3.5], []])
        io.write(nwb)
    column = read(place).scratch["t"]["deep"]
    assert values(column[2]) == [[1.5], [2.5, 3.5], []]
    assert values(column.data[:]) == [200, 254, 257]
    assert values(column.target.data[-3:]) == [255, 257, 257]
    assert values(column[1])[0] == [200.0]


# Errors.


def unchanged(place: Place) -> Any:
    """Return what shows whether a store changed: all objects."""
    return place.objects()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": None},
        {"start_time": "x"},
        {"tags": 5},
        {"tags": [1]},
        {"timeseries": [5]},
        {"more": 1},
        {"id": "x"},
    ],
)
def test_an_error_in_a_row_leaves_nothing_half_added(place: Place, wrong: dict[str, Any]) -> None:
    write(place, session())
    before = unchanged(place)
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        row = {"start_time": 1.0, "stop_time": 2.0, "tags": ["b"], "timeseries": [], "kind": "k", **wrong}
        with pytest.raises((NWBZarrError, TypeError, AttributeError)):
            nwb.trials.add_row(row)
        check_lengths(nwb.trials)
        assert len(nwb.trials) == 1
        io.write(nwb)
    assert unchanged(place) == before
    with place.io(NAME, "r+") as io:
        nwb = io.read()
        nwb.add_trial(start_time=1.0, stop_time=2.0, tags=["b"], timeseries=nwb.acquisition["speed"], kind="k")
        io.write(nwb)
    assert values(read(place).trials["kind"][:]) == ["go", "k"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"spike_times": ["x"]},
        {"electrodes": [3]},
        {"electrodes": [-1]},
        {"waveforms": [1.0]},
        {"waveforms": [[[1.0, 2.0, 3.0]]]},
        {"label": None},
        {"label": 5},
    ],
)
def test_an_error_in_a_unit_leaves_nothing_half_added(place: Place, wrong: dict[str, Any]) -> None:
    write(place, session())
    before = unchanged(place)
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        row = {"spike_times": [1.0], "electrodes": [0], "waveforms": [[[1.0, 2.0]]], "label": "l", **wrong}
        with pytest.raises((NWBZarrError, TypeError)):
            nwb.add_unit(**row)
        assert len(nwb.units) == 1
        check_lengths(nwb.units)
        io.write(nwb)
    assert unchanged(place) == before


def test_a_first_row_that_is_refused_begins_no_column() -> None:
    nwb = bare()
    with pytest.raises(NWBZarrError):
        nwb.add_trial(start_time="x", stop_time=2.0, tags=["a"])
    nwb.add_trial(start_time=1.0, stop_time=2.0)
    assert nwb.trials.colnames == ("start_time", "stop_time")


def test_a_row_that_refers_to_nothing_stored_writes_nothing(place: Place) -> None:
    write(place, session())
    before = unchanged(place)
    nowhere = TimeSeries(name="nowhere", data=np.arange(50), unit="m", rate=10.0)
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.add_trial(start_time=1.0, stop_time=2.0, tags=["b"], timeseries=[nowhere], kind="k")
        with pytest.raises(UnstoredTargetError, match="nowhere"):
            io.write(nwb)
    assert unchanged(place) == before
    assert len(read(place).trials) == 1


def test_a_failed_write_is_made_good_by_the_next(place: Place) -> None:
    write(place, session())
    nowhere = TimeSeries(name="nowhere", data=np.arange(50), unit="m", rate=10.0)
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.add_trial(start_time=1.0, stop_time=2.0, tags=["b"], timeseries=[nowhere], kind="k")
        with pytest.raises(UnstoredTargetError):
            io.write(nwb)
        nwb.add_acquisition(nowhere)
        io.write(nwb)
    nwb = read(place)
    check_lengths(nwb.trials)
    assert nwb.trials["timeseries"][1][0].timeseries is nwb.acquisition["nowhere"]


def test_a_write_that_is_cut_off_leaves_the_old_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request of a write in memory fails once; the old rows are there, or the whole of the new ones."""
    url = "memory://cut-off/s"
    with NWBZarrIO(url, "w") as io:
        io.write(session())
    fs = fsspec.filesystem("memory")
    old = fs.cat(fs.find("/cut-off"))
    kind = type(fs)
    pipe = kind.pipe_file
    asked = 0
    try:
        for step in range(200):
            for key in fs.find("/cut-off"):
                fs.rm(key)
            fs.pipe(old)
            asked = 0

            def fail(self: Any, path: str, *args: Any, stop: int = step, **keywords: Any) -> Any:
                nonlocal asked
                asked += 1
                if asked > stop:
                    message = "the disk is gone"
                    raise OSError(message)
                return pipe(self, path, *args, **keywords)

            monkeypatch.setattr(kind, "pipe_file", fail)
            failed = False
            try:
                with NWBZarrIO(url, "r+") as io:
                    nwb: Any = io.read()
                    nwb.add_unit(spike_times=[9.0], electrodes=[1], waveforms=[[[1.0, 2.0]]], label="x" * 100)
                    io.write(nwb)
            except (NWBZarrError, OSError):
                failed = True
            monkeypatch.setattr(kind, "pipe_file", pipe)
            units: Any = nwbzarr.open(url).units
            check_lengths(units)
            assert values(units["spike_times"][0]) == [0.1, 0.2]
            assert values(units["label"][:])[0] == "good"
            assert len(units) == (1 if failed else 2)
            if not failed:
                break
        assert not failed
    finally:
        fs.rm("/cut-off", recursive=True)
    assert asked > 3


def test_rows_of_other_dtypes_are_stored_in_that_of_the_column(place: Place) -> None:
    made = bare()
    columns = [
        VectorData(name="small", description="d", data=np.array([1], dtype=np.int16)),
        VectorData(name="real", description="d", data=np.array([1.0], dtype=np.float32)),
        VectorData(name="truth", description="d", data=np.array([True])),
    ]
    made.add_scratch(DynamicTable(name="t", description="d", columns=columns))
    write(place, made)
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.scratch["t"].add_row(small=2, real=2, truth=False)
        with pytest.raises(NWBZarrError, match="small"):
            nwb.scratch["t"].add_row(small=2.5, real=2, truth=False)
        with pytest.raises(NWBZarrError, match="small"):
            nwb.scratch["t"].add_row(small=2**40, real=2, truth=False)
        assert len(nwb.scratch["t"]) == 2
        io.write(nwb)
    table = read(place).scratch["t"]
    check_lengths(table)
    assert values(table["small"][:]) == [1, 2]
    assert [table[name].data.dtype.name for name in ("small", "real", "truth")] == ["int16", "float32", "bool"]


def test_enumerations_grow_by_new_elements(place: Place) -> None:
    made = bare()
    table = DynamicTable(name="t", description="d")
    table.add_column(name="kind", description="d", enum=["go"])
    table.add_row(kind="go")
    made.add_scratch(table)
    write(place, made)
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.scratch["t"].add_row(kind="a much longer word")
        nwb.scratch["t"].add_row(kind="go")
        io.write(nwb)
    found = read(place).scratch["t"]
    assert values(found["kind"][:]) == ["go", "a much longer word", "go"]
    assert values(found["kind"].elements[:]) == ["go", "a much longer word"]


def test_regions_of_interest_and_recordings_grow(place: Place) -> None:
    made = bare()
    device = made.create_device(name="scope")
    plane = made.create_imaging_plane(
        name="plane",
        optical_channel=OpticalChannel(name="c", description="d", emission_lambda=1.0),
        description="d",
        device=device,
        excitation_lambda=1.0,
        indicator="i",
        location="l",
    )
    segmentation = ImageSegmentation()
    made.create_processing_module(name="ophys", description="d").add(segmentation)
    table = segmentation.create_plane_segmentation(name="rois", description="d", imaging_plane=plane)
    table.add_roi(pixel_mask=[(1, 2, 0.5)])
    electrode = made.create_icephys_electrode(name="pipette", description="d", device=device)
    response = VoltageClampSeries(name="r", data=np.arange(9.0), rate=1.0, electrode=electrode, gain=1.0)
    stimulus = VoltageClampStimulusSeries(name="s", data=np.arange(9.0), rate=1.0, electrode=electrode, gain=1.0)
    made.add_acquisition(response)
    made.add_stimulus(stimulus)
    made.add_intracellular_recording(electrode=electrode, stimulus=stimulus, response=response)
    made.add_icephys_simultaneous_recording(recordings=[0])
    write(place, made)
    with place.io(NAME, "r+") as io:
        nwb: Any = io.read()
        nwb.processing["ophys"]["ImageSegmentation"]["rois"].add_roi(pixel_mask=[(3, 4, 1.0), (5, 6, 1.5)])
        row = nwb.add_intracellular_recording(
            electrode=nwb.icephys_electrodes["pipette"],
            stimulus=nwb.stimulus["s"],
            response=nwb.acquisition["r"],
            response_start_index=2,
            response_index_count=3,
        )
        assert row == 1
        assert nwb.add_icephys_simultaneous_recording(recordings=[1, 0]) == 1
        assert nwb.add_icephys_sequential_recording(simultaneous_recordings=[1], stimulus_type="t") == 0
        io.write(nwb)
    nwb = read(place)
    pixels = nwb.processing["ophys"]["ImageSegmentation"]["rois"]["pixel_mask"]
    assert [[tuple(each) for each in np.asarray(row).tolist()] for row in pixels[:]] == [
        [(1, 2, 0.5)],
        [(3, 4, 1.0), (5, 6, 1.5)],
    ]
    recordings = nwb.intracellular_recordings
    assert len(recordings) == 2
    assert [len(each) for each in recordings.category_tables.values()] == [2, 2, 2]
    assert tuple(recordings["responses", "response"][1]) == (2, 3, nwb.acquisition["r"])
    together = nwb.icephys_simultaneous_recordings
    assert [values(each) for each in together.to_dataframe(index=True)["recordings"]] == [[0], [1, 0]]
    assert nwb.icephys_sequential_recordings["simultaneous_recordings"].target.table is together
