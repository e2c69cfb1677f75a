"""The tables and containers that a session has of its own: electrodes, units, intervals, recordings, regions of interest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from nwbzarr import (
    LFP,
    CurrentClampSeries,
    CurrentClampStimulusSeries,
    DynamicTable,
    DynamicTableRegion,
    ElectricalSeries,
    ElectrodesTable,
    EventsTable,
    FilteredEphys,
    Fluorescence,
    ImageSegmentation,
    NWBFile,
    NWBZarrIO,
    OpticalChannel,
    PlaneSegmentation,
    ProcessingModule,
    RoiResponseSeries,
    SweepTable,
    TimeIntervals,
    TimeSeries,
    TimeSeriesReference,
    Units,
    VectorData,
    VoltageClampSeries,
    VoltageClampStimulusSeries,
)
from nwbzarr.errors import DuplicateNameError, MissingFieldError, NWBZarrError, SchemaError
from tests.places import QUICK_KINDS, place_of

if TYPE_CHECKING:
    from pathlib import Path

#: Gives a session back as it is, or as it is read from where it was written.
Keep = Callable[[Any], Any]

START = datetime(2024, 1, 1, tzinfo=UTC)


def session(**fields: Any) -> Any:
    return NWBFile(session_description="d", identifier="i", session_start_time=START, **fields)


@pytest.fixture(params=("unwritten", *QUICK_KINDS))
def keep(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keep]:
    if request.param == "unwritten":
        yield lambda nwb: nwb
        return
    with place_of(request.param, request, tmp_path) as place:

        def write_and_read(nwb: Any) -> Any:
            with place.io("s", "w") as io:
                io.write(nwb)
            return place.io("s", "r").read()

        yield write_and_read


def values(found: Any) -> Any:
    return [values(each) for each in found] if isinstance(found, list) else np.asarray(found).tolist()


def probe(nwb: Any, electrodes: int = 4) -> Any:
    """Add a device, a shank and electrodes, and return the shank."""
    device = nwb.create_device(name="probe", description="d")
    shank = nwb.create_electrode_group(name="shank", description="d", location="CA1", device=device)
    for row in range(electrodes):
        nwb.add_electrode(x=float(row), y=0.5, z=-1.0, imp=1e6, location=f"CA{row}", filtering="none", group=shank)
    return shank


# Extracellular electrodes.


def test_electrodes_are_added_one_by_one(keep: Keep) -> None:
    made = session()
    probe(made)
    nwb = keep(made)
    table = nwb.electrodes
    assert isinstance(table, ElectrodesTable)
    assert table.name == "electrodes"
    assert len(table) == 4
    assert set(table.colnames) == {"location", "group", "group_name", "x", "y", "z", "imp", "filtering"}
    assert values(table["x"][:]) == [0.0, 1.0, 2.0, 3.0]
    assert values(table["location"][:]) == ["CA0", "CA1", "CA2", "CA3"]
    assert values(table["group_name"][:]) == ["shank"] * 4
    shank = nwb.electrode_groups["shank"]
    assert all(each is shank for each in table["group"][:])
    assert table["group"][2] is shank
    assert shank.device is nwb.devices["probe"]
    assert table.to_dataframe()["group"].tolist() == [shank] * 4
    assert nwb.get_device("probe") is nwb.devices["probe"]
    assert nwb.get_electrode_group("shank") is shank


def test_electrodes_may_be_in_several_groups(keep: Keep) -> None:
    made = session()
    device = made.create_device(name="probe")
    groups = [
        made.create_electrode_group(name=f"shank{each}", description="d", location="l", device=device)
        for each in range(3)
    ]
    for row in range(9):
        made.add_electrode(location="l", group=groups[row % 3], group_name=f"g{row % 3}")
    nwb = keep(made)
    assert [each.name for each in nwb.electrodes["group"][:]] == ["shank0", "shank1", "shank2"] * 3
    assert values(nwb.electrodes["group_name"][:]) == ["g0", "g1", "g2"] * 3
    assert nwb.electrodes[4, "group"] is nwb.electrode_groups["shank1"]


def test_electrodes_have_columns_of_their_own(keep: Keep) -> None:
    made = session()
    shank = probe(made, 0)
    made.add_electrode_column(name="label", description="a label")
    made.add_electrode_column(name="neighbours", description="rows", index=True)
    for row in range(3):
        made.add_electrode(location="l", group=shank, label=f"e{row}", neighbours=list(range(row)))
    made.add_electrode_column(name="quality", description="how good", data=[0.1, 0.2, 0.3])
    nwb = keep(made)
    frame = nwb.electrodes.to_dataframe()
    assert frame["label"].tolist() == ["e0", "e1", "e2"]
    assert [values(each) for each in frame["neighbours"]] == [[], [0], [0, 1]]
    assert frame["quality"].tolist() == [0.1, 0.2, 0.3]


@pytest.mark.parametrize("row", [{"location": "l"}, {"group": True}, {"group": True, "location": ""}])
def test_electrodes_need_a_location_and_a_group(row: dict[str, Any]) -> None:
    nwb = session()
    shank = probe(nwb, 1)
    if "group" in row:
        row = {**row, "group": shank}
    with pytest.raises(ValueError, match=r"location|group"):
        nwb.add_electrode(x=1.0, y=2.0, z=3.0, imp=4.0, filtering="f", **row)
    assert len(nwb.electrodes) == 1


def test_electrodes_have_identifiers_of_their_own() -> None:
    nwb = session()
    shank = probe(nwb, 1)
    nwb.add_electrode(x=1.0, y=2.0, z=3.0, imp=4.0, filtering="f", location="l", group=shank, id=42)
    with pytest.raises(ValueError, match="42"):
        nwb.add_electrode(x=1.0, y=2.0, z=3.0, imp=4.0, filtering="f", location="l", group=shank, id=42)
    nwb.add_electrode(
        x=1.0, y=2.0, z=3.0, imp=4.0, filtering="f", location="l", group=shank, id=42, enforce_unique_id=False
    )
    assert values(nwb.electrodes.id[:]) == [0, 42, 42]


@pytest.mark.parametrize("wrong", [{"x": "far"}, {"location": 5}, {"group": 5}, {"unknown": 1}])
def test_an_electrode_of_wrong_values_adds_nothing(wrong: dict[str, Any]) -> None:
    nwb = session()
    shank = probe(nwb, 2)
    row = {"x": 1.0, "y": 2.0, "z": 3.0, "imp": 4.0, "filtering": "f", "location": "l", "group": shank}
    with pytest.raises((NWBZarrError, TypeError), match=next(iter(wrong))):
        nwb.add_electrode(**{**row, **wrong})
    assert len(nwb.electrodes) == 2
    assert {len(nwb.electrodes[name]) for name in nwb.electrodes.colnames} == {2}


def test_regions_of_electrodes(keep: Keep) -> None:
    made = session()
    probe(made)
    region = made.create_electrode_table_region(region=[2, 0], description="two")
    made.add_acquisition(ElectricalSeries(name="es", data=np.zeros((5, 2)), electrodes=region, rate=10.0))
    nwb = keep(made)
    found = nwb.acquisition["es"].electrodes
    assert isinstance(found, DynamicTableRegion)
    assert found.name == "electrodes"
    assert found.description == "two"
    assert found.table is nwb.electrodes
    assert values(found.data[:]) == [2, 0]
    assert found[:]["location"].tolist() == ["CA2", "CA0"]
    assert found[0]["x"].tolist() == [2.0]
    assert found.to_dataframe()["group"].tolist() == [nwb.electrode_groups["shank"]] * 2
    assert nwb.acquisition["es"].unit == "volts"


def test_regions_of_electrodes_that_are_not_there() -> None:
    nwb = session()
    with pytest.raises((NWBZarrError, RuntimeError), match="electrodes"):
        nwb.create_electrode_table_region(region=[0], description="d")
    probe(nwb)
    for wrong in ([4], [-1], [0, 99]):
        with pytest.raises((SchemaError, IndexError), match=r"4|3"):
            nwb.create_electrode_table_region(region=wrong, description="d")


def test_an_electrode_table_may_be_set_once() -> None:
    nwb = session()
    table = ElectrodesTable()
    nwb.set_electrode_table(table)
    assert nwb.electrodes is table
    with pytest.raises((NWBZarrError, ValueError, AttributeError)):
        nwb.set_electrode_table(ElectrodesTable())
    assert nwb.electrodes is table


@pytest.mark.parametrize("kind", [LFP, FilteredEphys])
def test_electrical_series_are_collected(keep: Keep, kind: Any) -> None:
    made = session()
    probe(made)
    region = made.create_electrode_table_region(region=[0, 1], description="d")
    collection = kind()
    made.create_processing_module(name="ecephys", description="d").add(collection)
    first = collection.create_electrical_series(name="first", data=np.ones((3, 2)), electrodes=region, rate=1.0)
    again = made.create_electrode_table_region(region=[3, 1], description="d")
    collection.add_electrical_series(ElectricalSeries(name="second", data=np.ones((3, 2)), electrodes=again, rate=2.0))
    assert first is collection["first"]
    nwb = keep(made)
    found = nwb.processing["ecephys"][kind.__name__]
    assert set(found.electrical_series) == {"first", "second"}
    assert found.get_electrical_series("second").rate == 2.0
    assert found["second"].electrodes.to_dataframe()["location"].tolist() == ["CA3", "CA1"]
    with pytest.raises(KeyError):
        found.get_electrical_series("third")
    with pytest.raises(KeyError):
        found["third"]


def test_the_only_series_of_a_collection_needs_no_name(keep: Keep) -> None:
    made = session()
    probe(made)
    region = made.create_electrode_table_region(region=[0, 1], description="d")
    lfp = LFP(electrical_series=ElectricalSeries(name="only", data=np.ones((3, 2)), electrodes=region, rate=1.0))
    made.create_processing_module(name="ecephys", description="d").add(lfp)
    found = keep(made).processing["ecephys"]["LFP"]
    assert found.get_electrical_series() is found["only"]
    assert found.electrical_series["only"].rate == 1.0


def test_collections_take_one_name_once_and_one_type_only() -> None:
    nwb = session()
    probe(nwb)
    region = nwb.create_electrode_table_region(region=[0, 1], description="d")
    series = ElectricalSeries(name="only", data=np.ones((3, 2)), electrodes=region, rate=1.0)
    lfp = LFP(electrical_series=[series])
    other = nwb.create_electrode_table_region(region=[0, 1], description="d")
    with pytest.raises(DuplicateNameError, match="only"):
        lfp.create_electrical_series(name="only", data=np.ones((3, 2)), electrodes=other, rate=1.0)
    with pytest.raises(NWBZarrError, match="ElectricalSeries"):
        lfp.add_electrical_series(TimeSeries(name="plain", data=[1.0], unit="V", rate=1.0))
    assert set(lfp.electrical_series) == {"only"}


# Units.

SPIKES = [[0.1, 0.2, 0.75], [], [0.5, 1.5]]
WAVEFORMS = [
    [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]], [[9.0, 1.0], [2.0, 3.0]]],
    [],
    [[[4.0, 5.0], [6.0, 7.0]], [[8.0, 9.0], [1.0, 2.0]]],
]


def add_units(nwb: Any) -> None:
    probe(nwb)
    nwb.add_unit_column(name="quality", description="how good")
    for row, spikes in enumerate(SPIKES):
        nwb.add_unit(
            spike_times=spikes,
            obs_intervals=[[0.0, 1.0], [2.0, 3.0]][: row + 1],
            electrodes=[row, row + 1],
            electrode_group=nwb.electrode_groups["shank"],
            waveform_mean=np.full((2, 2), float(row)),
            waveform_sd=np.full((2, 2), 0.5),
            waveforms=WAVEFORMS[row],
            quality=f"q{row}",
            id=row + 10,
        )


def test_units_keep_all_that_is_known_of_them(keep: Keep) -> None:
    made = session()
    add_units(made)
    nwb = keep(made)
    units = nwb.units
    assert isinstance(units, Units)
    assert values(units.id[:]) == [10, 11, 12]
    assert [values(each) for each in units["spike_times"][:]] == SPIKES
    assert values(units["obs_intervals"][0]) == [[0.0, 1.0]]
    assert values(units["obs_intervals"][2]) == [[0.0, 1.0], [2.0, 3.0]]
    assert values(units["waveform_mean"][:])[2] == [[2.0, 2.0], [2.0, 2.0]]
    assert values(units["waveform_sd"][1]) == [[0.5, 0.5], [0.5, 0.5]]
    assert values(units["quality"][:]) == ["q0", "q1", "q2"]
    assert all(each is nwb.electrode_groups["shank"] for each in units["electrode_group"][:])
    assert units["electrodes"].target.table is nwb.electrodes
    assert units["electrodes"][1]["location"].tolist() == ["CA1", "CA2"]
    frame = units.to_dataframe()
    assert [values(each) for each in frame["spike_times"]] == SPIKES
    assert [each["location"].tolist() for each in frame["electrodes"]] == [
        ["CA0", "CA1"],
        ["CA1", "CA2"],
        ["CA2", "CA3"],
    ]
    assert [values(each) for each in units.to_dataframe(index=True)["electrodes"]] == [[0, 1], [1, 2], [2, 3]]


def test_waveforms_are_doubly_ragged(keep: Keep) -> None:
    made = session()
    add_units(made)
    units = keep(made).units
    assert [values(each) for each in units["waveforms"][:]] == WAVEFORMS
    assert [values(units["waveforms"][row]) for row in range(3)] == WAVEFORMS
    assert values(units["waveforms"].data[:]) == [3, 3, 5]
    assert values(units["waveforms"].target.data[:]) == [2, 4, 6, 8, 10]
    assert np.shape(units["waveforms"].target.target.data[:]) == (10, 2)


def test_spike_times_are_asked_for(keep: Keep) -> None:
    made = session()
    add_units(made)
    units = keep(made).units
    assert values(units.get_unit_spike_times(0)) == SPIKES[0]
    assert [values(each) for each in units.get_unit_spike_times([2, 0])] == [SPIKES[2], SPIKES[0]]
    assert values(units.get_unit_spike_times(0, in_interval=(0.15, 0.7))) == [0.2]
    assert values(units.get_unit_spike_times(1)) == []
    assert values(units.get_unit_obs_intervals(2)) == [[0.0, 1.0], [2.0, 3.0]]


def test_both_ends_of_an_interval_of_spikes_count() -> None:
    nwb = session()
    nwb.add_unit(spike_times=[0.1, 0.2, 0.3])
    assert values(nwb.units.get_unit_spike_times(0, in_interval=(0.1, 0.2))) == [0.1, 0.2]


def test_units_tell_when_they_begin_and_how_long_they_last(keep: Keep) -> None:
    made = session()
    add_units(made)
    units = keep(made).units
    assert units.get_starting_time() == 0.1
    assert units.get_duration() == pytest.approx(1.4)
    none: Any = Units(name="units")
    assert none.get_starting_time() is None


def test_attributes_of_waveforms_are_kept(keep: Keep) -> None:
    made = session()
    units = Units(name="units", description="d", waveform_rate=30000.0, waveform_unit="millivolts", resolution=1e-4)
    made.units = units
    made.add_unit(spike_times=[1.0], waveform_mean=[1.0, 2.0, 3.0])
    found = keep(made).units
    assert found.waveform_rate == 30000.0
    assert found.waveform_unit == "millivolts"
    assert found.resolution == 1e-4
    assert values(found["waveform_mean"][:]) == [[1.0, 2.0, 3.0]]
    assert found["waveform_mean"].attributes["sampling_rate"] == 30000.0
    assert found["spike_times"].target.attributes["resolution"] == 1e-4


def test_units_may_have_few_columns(keep: Keep) -> None:
    made = session()
    for row in range(3):
        made.add_unit(id=row)
    found = keep(made).units
    assert len(found) == 3
    assert found.colnames == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"spike_times": ["a"]},
        {"electrodes": [9]},
        {"waveforms": [1.0]},
        {"electrode_group": 5},
        {"obs_intervals": [1.0]},
    ],
)
def test_a_unit_of_wrong_values_adds_nothing(wrong: dict[str, Any]) -> None:
    nwb = session()
    add_units(nwb)
    row: dict[str, Any] = {
        "spike_times": [1.0],
        "obs_intervals": [[0.0, 1.0]],
        "electrodes": [0],
        "electrode_group": nwb.electrode_groups["shank"],
        "waveform_mean": np.zeros((2, 2)),
        "waveform_sd": np.zeros((2, 2)),
        "waveforms": WAVEFORMS[0],
        "quality": "q",
    }
    with pytest.raises((NWBZarrError, ValueError, TypeError), match=next(iter(wrong))):
        nwb.add_unit(**{**row, **wrong})
    assert len(nwb.units) == 3
    assert {len(nwb.units[name]) for name in nwb.units.colnames} == {3}
    assert [values(each) for each in nwb.units["spike_times"][:]] == SPIKES
    assert len(nwb.units["spike_times"].target) == 5


def test_units_of_electrodes_that_come_later_find_them(keep: Keep) -> None:
    made = session()
    probe(made)
    made.add_unit(spike_times=[1.0], electrodes=[3])
    found = keep(made)
    assert found.units["electrodes"][0]["location"].tolist() == ["CA3"]


# Intervals.


@pytest.fixture
def times() -> np.ndarray[Any, Any]:
    return np.array([0.0, 0.4, 1.0, 1.6, 2.0, 7.0])


def with_series(times: np.ndarray[Any, Any]) -> Any:
    nwb = session()
    nwb.add_acquisition(TimeSeries(name="by rate", data=np.arange(100), unit="m", rate=10.0, starting_time=1.0))
    nwb.add_acquisition(TimeSeries(name="by times", data=np.arange(6), unit="m", timestamps=times))
    return nwb


def test_trials_refer_to_samples_of_series(keep: Keep, times: np.ndarray[Any, Any]) -> None:
    made = with_series(times)
    by_rate, by_times = made.acquisition["by rate"], made.acquisition["by times"]
    made.add_trial_column(name="kind", description="d")
    made.add_trial(start_time=1.0, stop_time=2.0, tags="a, b", timeseries=[by_rate, by_times], kind="go")
    made.add_trial(start_time=2.5, stop_time=7.5, tags=["c"], timeseries=by_times, kind="stop")
    nwb = keep(made)
    trials = nwb.trials
    assert isinstance(trials, TimeIntervals)
    assert trials.name == "trials"
    assert values(trials["start_time"][:]) == [1.0, 2.5]
    assert [values(each) for each in trials["tags"][:]] == [["a", "b"], ["c"]]
    first, second = trials["timeseries"][0]
    assert isinstance(first, TimeSeriesReference)
    assert (first.idx_start, first.count) == (0, 10)
    assert first.timeseries is nwb.acquisition["by rate"]
    assert (second.idx_start, second.count) == (2, 2)
    assert second.timeseries is nwb.acquisition["by times"]
    (third,) = trials["timeseries"][1]
    assert (third.idx_start, third.count, third.timeseries) == (5, 1, nwb.acquisition["by times"])
    assert values(second.data) == [2, 3]
    assert values(second.timestamps) == [1.0, 1.6]
    assert values(first.timestamps)[:2] == pytest.approx([1.0, 1.1])
    assert [len(each) for each in trials.to_dataframe()["timeseries"]] == [2, 1]
    assert nwb.intervals is None or "trials" not in nwb.intervals


def test_epochs_and_invalid_times(keep: Keep, times: np.ndarray[Any, Any]) -> None:
    made = with_series(times)
    made.add_epoch_column(name="light", description="d")
    made.add_epoch(1.0, 2.0, ["x", "y"], [made.acquisition["by rate"]], light=True)
    made.add_epoch(start_time=3.0, stop_time=4.0, tags="y", timeseries=made.acquisition["by rate"], light=False)
    made.add_invalid_times_column(name="why", description="d")
    made.add_invalid_time_interval(start_time=9.0, stop_time=10.0, why="noise")
    nwb = keep(made)
    assert values(nwb.epochs["light"][:]) == [True, False]
    assert nwb.epoch_tags == {"x", "y"}
    assert nwb.epochs["timeseries"][1][0].idx_start == 20
    assert values(nwb.invalid_times["why"][:]) == ["noise"]
    assert values(nwb.invalid_times["stop_time"][:]) == [10.0]


def test_intervals_without_series_and_empty_tags(keep: Keep) -> None:
    made = session()
    made.add_trial(start_time=1.0, stop_time=2.0, timeseries=[])
    made.add_trial(start_time=2.0, stop_time=3.0)
    made.add_epoch(start_time=1.0, stop_time=2.0, tags="a, ,b")
    nwb = keep(made)
    assert nwb.trials.colnames == ("start_time", "stop_time")
    assert len(nwb.trials) == 2
    assert values(nwb.epochs["tags"][0]) == ["a", "b"]


def test_intervals_tell_when_they_begin_and_how_long_they_last(keep: Keep) -> None:
    made = session()
    made.add_trial(start_time=5.0, stop_time=6.0)
    made.add_trial(start_time=1.5, stop_time=9.0)
    nwb = keep(made)
    assert nwb.trials.get_starting_time() == 1.5
    assert nwb.trials.get_duration() == 7.5
    none: Any = TimeIntervals(name="none")
    assert none.get_starting_time() is None


def test_intervals_of_other_names(keep: Keep) -> None:
    made = session()
    table = TimeIntervals(name="stimuli", description="what was shown")
    table.add_column(name="picture", description="d")
    table.add_interval(start_time=0.0, stop_time=1.0, picture="tree")
    made.add_time_intervals(table)
    nwb = keep(made)
    assert set(nwb.intervals) == {"stimuli"}
    assert nwb.get_time_intervals("stimuli").description == "what was shown"
    assert nwb.intervals["stimuli"].to_dataframe()["picture"].tolist() == ["tree"]


@pytest.mark.parametrize("wrong", [{"start_time": "early"}, {"more": 1}, {"stop_time": None}])
def test_a_trial_of_wrong_values_adds_nothing(wrong: dict[str, Any]) -> None:
    nwb = session()
    nwb.add_trial(start_time=1.0, stop_time=2.0, tags="a")
    with pytest.raises((NWBZarrError, TypeError), match=next(iter(wrong))):
        nwb.add_trial(**{"start_time": 3.0, "stop_time": 4.0, "tags": ["b"], **wrong})
    assert len(nwb.trials) == 1
    assert values(nwb.trials["tags"].target[:]) == ["a"]


def test_series_without_times_have_no_samples_between_times() -> None:
    nwb = session()
    with pytest.raises((NWBZarrError, ValueError, AttributeError)):
        nwb.add_trial(start_time=1.0, stop_time=2.0, timeseries=["no series"])
    assert nwb.trials is None or len(nwb.trials) == 0


def test_references_to_samples_may_be_given_whole(keep: Keep, times: np.ndarray[Any, Any]) -> None:
    made = with_series(times)
    table = TimeIntervals(name="windows", description="d")
    reference = TimeSeriesReference(2, 3, made.acquisition["by times"])
    table.add_row(start_time=0.0, stop_time=1.0, timeseries=[reference])
    table.add_row(start_time=0.0, stop_time=1.0, timeseries=[(0, 1, made.acquisition["by rate"])])
    made.add_time_intervals(table)
    nwb = keep(made)
    found = nwb.intervals["windows"]["timeseries"]
    assert [tuple(each) for each in found[0]] == [(2, 3, nwb.acquisition["by times"])]
    assert [tuple(each) for each in found[1]] == [(0, 1, nwb.acquisition["by rate"])]


# Events.


def test_events_have_times(keep: Keep) -> None:
    made = session()
    licks = EventsTable(name="licks", description="when it licked", source_description="a sensor")
    licks.add_column(name="side", description="d")
    licks.add_event(timestamp=2.0, duration=0.1, annotation="a", side="left")
    licks.add_event(timestamp=0.5, duration=np.nan, annotation="b", side="right")
    made.add_events_table(licks)
    drops = EventsTable(name="drops", description="when a drop fell")
    drops.add_event(timestamp=1.0)
    made.add_events_table(drops)
    nwb = keep(made)
    assert set(nwb.events) == {"licks", "drops"}
    found = nwb.get_events_table("licks")
    assert found.source_description == "a sensor"
    assert values(found["timestamp"][:]) == [2.0, 0.5]
    assert found["timestamp"].unit == "seconds"
    assert np.isnan(found["duration"][1])
    assert found.to_dataframe()["side"].tolist() == ["left", "right"]


def test_events_of_all_tables_are_merged_by_time(keep: Keep) -> None:
    made = session()
    for name, moments in (("licks", [2.0, 0.5]), ("drops", [1.0])):
        table = EventsTable(name=name, description="d")
        for moment in moments:
            table.add_event(timestamp=moment)
        made.add_events_table(table)
    nwb = keep(made)
    for found in (nwb.get_all_events(), nwb.merge_events_tables(list(nwb.events.values()))):
        assert list(found.index) == [0.5, 1.0, 2.0]
        assert found.index.name == "timestamp"
        assert found["source_events_table"].tolist() == ["licks", "drops", "licks"]
    assert isinstance(session().get_all_events(), pd.DataFrame)
    assert len(session().get_all_events()) == 0


# Intracellular recordings.


def patch_clamp() -> tuple[Any, Any, list[Any], list[Any]]:
    nwb = session()
    device = nwb.create_device(name="amplifier")
    electrode = nwb.create_icephys_electrode(name="pipette", description="d", device=device)
    stimuli = [
        VoltageClampStimulusSeries(
            name=f"stimulus{row}", data=np.arange(10.0), rate=10.0, electrode=electrode, gain=1.0
        )
        for row in range(3)
    ]
    responses = [
        VoltageClampSeries(name=f"response{row}", data=np.arange(10.0), rate=10.0, electrode=electrode, gain=1.0)
        for row in range(3)
    ]
    return nwb, electrode, stimuli, responses


def test_recordings_are_grouped_up_to_conditions(keep: Keep) -> None:
    made, electrode, stimuli, responses = patch_clamp()
    for stimulus, response in zip(stimuli, responses, strict=True):
        made.add_stimulus(stimulus)
        made.add_acquisition(response)
    rows = [
        made.add_intracellular_recording(
            electrode=electrode,
            stimulus=stimulus,
            stimulus_start_index=1,
            stimulus_index_count=3,
            response=response,
            response_start_index=2,
            response_index_count=4,
            id=100 + row,
        )
        for row, (stimulus, response) in enumerate(zip(stimuli, responses, strict=True))
    ]
    assert rows == [0, 1, 2]
    assert made.add_icephys_simultaneous_recording(recordings=[0, 1], id=12) == 0
    assert made.add_icephys_simultaneous_recording(recordings=[2]) == 1
    assert made.add_icephys_sequential_recording(simultaneous_recordings=[0, 1], stimulus_type="square") == 0
    assert made.add_icephys_repetition(sequential_recordings=[0]) == 0
    assert made.add_icephys_experimental_condition(repetitions=[0]) == 0
    nwb = keep(made)

    recordings = nwb.intracellular_recordings
    assert recordings.name == "intracellular_recordings"
    assert values(recordings.id[:]) == [100, 101, 102]
    assert list(recordings.categories) == ["electrodes", "stimuli", "responses"]
    assert all(each is nwb.icephys_electrodes["pipette"] for each in recordings["electrodes", "electrode"][:])
    assert tuple(recordings["stimuli", "stimulus"][1]) == (1, 3, nwb.stimulus["stimulus1"])
    assert tuple(recordings["responses", "response"][2]) == (2, 4, nwb.acquisition["response2"])
    assert values(recordings["responses", "response"][2].data) == [2.0, 3.0, 4.0, 5.0]

    together = nwb.icephys_simultaneous_recordings
    assert together["recordings"].target.table is recordings
    assert values(together["recordings"].target.data[:]) == [0, 1, 2]
    assert [values(each) for each in together.to_dataframe(index=True)["recordings"]] == [[0, 1], [2]]
    assert values(together.id[:]) == [12, 1]
    assert nwb.icephys_sequential_recordings["simultaneous_recordings"].target.table is together
    assert values(nwb.icephys_sequential_recordings["stimulus_type"][:]) == ["square"]
    assert nwb.icephys_repetitions["sequential_recordings"].target.table is nwb.icephys_sequential_recordings
    conditions = nwb.icephys_experimental_conditions
    assert conditions["repetitions"].target.table is nwb.icephys_repetitions
    assert nwb.get_icephys_meta_parent_table() is conditions


def test_a_recording_brings_its_series_and_electrode_into_the_session(keep: Keep) -> None:
    """PyNWB: what is not in the session yet is added to it."""
    made, electrode, stimuli, responses = patch_clamp()
    made.add_intracellular_recording(electrode=electrode, stimulus=stimuli[0], response=responses[0])
    nwb = keep(made)
    assert set(nwb.stimulus) == {"stimulus0"}
    assert set(nwb.acquisition) == {"response0"}
    assert tuple(nwb.intracellular_recordings["responses", "response"][0]) == (0, 10, nwb.acquisition["response0"])


def test_a_recording_may_lack_stimulus_or_response(keep: Keep) -> None:
    made, electrode, stimuli, responses = patch_clamp()
    made.add_stimulus(stimuli[0])
    made.add_acquisition(responses[0])
    made.add_intracellular_recording(electrode=electrode, response=responses[0])
    made.add_intracellular_recording(electrode=electrode, stimulus=stimuli[0])
    nwb = keep(made)
    table = nwb.intracellular_recordings
    none = table["stimuli", "stimulus"][0]
    assert (none.idx_start, none.count) == (-1, -1)
    assert not none.isvalid()
    assert none.data is None
    assert (table["responses", "response"][1].idx_start, table["responses", "response"][1].count) == (-1, -1)
    frame = table.to_dataframe()
    assert frame.shape[0] == 2
    identifiers = table.to_dataframe(
        electrode_refs_as_objectids=True, stimulus_refs_as_objectids=True, response_refs_as_objectids=True
    )
    assert identifiers[("electrodes", "electrode")].tolist() == [nwb.icephys_electrodes["pipette"].object_id] * 2
    assert identifiers[("responses", "response")][0][2] == nwb.acquisition["response0"].object_id


def test_recordings_have_columns_and_metadata(keep: Keep) -> None:
    made, electrode, stimuli, responses = patch_clamp()
    made.add_stimulus(stimuli[0])
    made.add_acquisition(responses[0])
    table = made.get_intracellular_recordings()
    table.add_column(name="label", description="d")
    table.add_column(name="seal", description="d", category="electrodes")
    made.add_intracellular_recording(
        electrode=electrode,
        stimulus=stimuli[0],
        response=responses[0],
        electrode_metadata={"seal": "tight"},
        label="first",
    )
    table.add_category(
        DynamicTable("lab", "d", columns=[VectorData(name="a", description="d", data=[5])]),
    )
    nwb = keep(made)
    found = nwb.intracellular_recordings
    assert values(found["label"][:]) == ["first"]
    assert values(found["electrodes", "seal"][:]) == ["tight"]
    assert values(found["lab", "a"][:]) == [5]


def test_templates_of_stimuli_may_begin_later(keep: Keep) -> None:
    made, electrode, stimuli, responses = patch_clamp()
    made.add_stimulus_template(stimuli[2])
    for row in (0, 1):
        made.add_stimulus(stimuli[row])
        made.add_acquisition(responses[row])
    made.add_intracellular_recording(electrode=electrode, stimulus=stimuli[0], response=responses[0])
    made.add_intracellular_recording(
        electrode=electrode,
        stimulus=stimuli[1],
        response=responses[1],
        stimulus_template=stimuli[2],
        stimulus_template_start_index=1,
        stimulus_template_index_count=2,
    )
    nwb = keep(made)
    column = nwb.intracellular_recordings["stimuli", "stimulus_template"]
    assert column[0].idx_start == -1
    assert tuple(column[1]) == (1, 2, nwb.stimulus_template["stimulus2"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"response_start_index": 10},
        {"response_start_index": 20},
        {"response_start_index": 5, "response_index_count": 6},
        {"stimulus_index_count": 11},
    ],
)
def test_samples_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    nwb, electrode, stimuli, responses = patch_clamp()
    nwb.add_stimulus(stimuli[0])
    nwb.add_acquisition(responses[0])
    with pytest.raises((SchemaError, IndexError), match="10"):
        nwb.add_intracellular_recording(electrode=electrode, stimulus=stimuli[0], response=responses[0], **wrong)
    assert len(nwb.get_intracellular_recordings()) == 0


def test_recordings_need_series_of_one_electrode() -> None:
    nwb, electrode, stimuli, responses = patch_clamp()
    with pytest.raises((MissingFieldError, ValueError), match="stimulus"):
        nwb.add_intracellular_recording(electrode=electrode)
    other = nwb.create_icephys_electrode(name="other", description="d", device=nwb.devices["amplifier"])
    foreign = VoltageClampSeries(name="foreign", data=np.arange(3.0), rate=1.0, electrode=other, gain=1.0)
    with pytest.raises(SchemaError, match="other"):
        nwb.add_intracellular_recording(electrode=electrode, stimulus=stimuli[0], response=foreign)
    current = CurrentClampStimulusSeries(name="current", data=np.arange(3.0), rate=1.0, electrode=electrode, gain=1.0)
    with pytest.raises(SchemaError, match="CurrentClamp"):
        nwb.add_intracellular_recording(electrode=electrode, stimulus=current, response=responses[0])
    assert nwb.intracellular_recordings is None or len(nwb.intracellular_recordings) == 0


def test_groups_of_recordings_that_are_not_there_are_refused() -> None:
    nwb, electrode, stimuli, responses = patch_clamp()
    nwb.add_stimulus(stimuli[0])
    nwb.add_acquisition(responses[0])
    nwb.add_intracellular_recording(electrode=electrode, stimulus=stimuli[0], response=responses[0])
    with pytest.raises(SchemaError, match="recordings"):
        nwb.add_icephys_simultaneous_recording(recordings=[0, 1])
    assert len(nwb.get_icephys_simultaneous_recordings()) == 0
    nwb.add_icephys_simultaneous_recording(recordings=[0], id=4)
    with pytest.raises(ValueError, match="4"):
        nwb.add_icephys_simultaneous_recording(recordings=[0], id=4)
    with pytest.raises(SchemaError, match="simultaneous_recordings"):
        nwb.add_icephys_sequential_recording(simultaneous_recordings=[1], stimulus_type="x")


def test_the_table_of_sweeps_finds_series_by_number(keep: Keep) -> None:
    made = session()
    device = made.create_device(name="amplifier")
    electrode = made.create_icephys_electrode(name="pipette", description="d", device=device)
    response = CurrentClampSeries(
        name="response", data=[1.0, 2.0], rate=1.0, electrode=electrode, gain=1.0, sweep_number=3
    )
    stimulus = CurrentClampStimulusSeries(
        name="stimulus", data=[1.0, 2.0], rate=1.0, electrode=electrode, gain=1.0, sweep_number=3
    )
    later = CurrentClampSeries(name="later", data=[1.0], rate=1.0, electrode=electrode, gain=1.0, sweep_number=4)
    made.add_acquisition(response, use_sweep_table=True)
    made.add_stimulus(stimulus, use_sweep_table=True)
    made.add_acquisition(later, use_sweep_table=True)
    nwb = keep(made)
    table = nwb.sweep_table
    assert isinstance(table, SweepTable)
    assert [each.name for each in table.get_series(3)] == ["response", "stimulus"]
    assert table.get_series(4) == [nwb.acquisition["later"]]
    assert table.get_series(9) is None
    assert values(table["sweep_number"][:]) == [3, 3, 4]


# Imaging.


def plane_of(nwb: Any, name: str = "plane") -> Any:
    device = nwb.devices["scope"] if "scope" in nwb.devices else nwb.create_device(name="scope")
    channel = OpticalChannel(name="channel", description="d", emission_lambda=500.0)
    return nwb.create_imaging_plane(
        name=name,
        optical_channel=channel,
        description="d",
        device=device,
        excitation_lambda=600.0,
        imaging_rate=30.0,
        indicator="GCaMP",
        location="V1",
        grid_spacing=[0.1, 0.2],
    )


def test_imaging_planes_are_kept(keep: Keep) -> None:
    made = session()
    plane_of(made)
    nwb = keep(made)
    plane = nwb.imaging_planes["plane"]
    assert plane is nwb.get_imaging_plane("plane")
    assert plane.imaging_rate == 30.0
    assert plane.device is nwb.devices["scope"]
    assert plane.indicator == "GCaMP"
    assert values(plane.grid_spacing[:]) == [0.1, 0.2]
    channels = plane.optical_channel
    channel = channels["channel"] if not isinstance(channels, list | tuple) else channels[0]
    assert channel.emission_lambda == 500.0


def segmented(nwb: Any) -> Any:
    plane = plane_of(nwb)
    segmentation = ImageSegmentation()
    nwb.create_processing_module(name="ophys", description="d").add(segmentation)
    return segmentation.create_plane_segmentation(name="rois", description="all", imaging_plane=plane)


PIXELS = [[(0, 0, 1.0), (1, 2, 0.5)], [], [(3, 3, 0.25)]]


def test_regions_of_interest_have_pixels(keep: Keep) -> None:
    made = session()
    table = segmented(made)
    table.add_column(name="kind", description="d")
    for row, pixels in enumerate(PIXELS):
        table.add_roi(pixel_mask=pixels, kind=f"k{row}", id=row + 5)
    nwb = keep(made)
    found = nwb.processing["ophys"]["ImageSegmentation"]["rois"]
    assert isinstance(found, PlaneSegmentation)
    assert found.imaging_plane is nwb.imaging_planes["plane"]
    assert [[tuple(pixel) for pixel in np.asarray(each).tolist()] for each in found["pixel_mask"][:]] == PIXELS
    assert values(found.id[:]) == [5, 6, 7]
    assert values(found["kind"][:]) == ["k0", "k1", "k2"]
    masks = found.to_dataframe()["pixel_mask"]
    assert [tuple(pixel) for pixel in np.asarray(masks[5]).tolist()] == PIXELS[0]
    rows = found["pixel_mask"].target[:]
    if isinstance(rows, np.ndarray) and rows.dtype.names:
        assert rows.dtype.names == ("x", "y", "weight")


def test_regions_of_interest_have_voxels_and_images(keep: Keep) -> None:
    made = session()
    table = segmented(made)
    image = np.zeros((4, 5))
    image[1, 2] = 0.5
    table.add_roi(image_mask=image, voxel_mask=[(1, 2, 3, 0.5)])
    table.add_roi(image_mask=image * 2, voxel_mask=[(1, 2, 3, 1.5), (0, 0, 0, 1.0)])
    found = keep(made).processing["ophys"]["ImageSegmentation"].plane_segmentations["rois"]
    assert np.array_equal(found["image_mask"][1], image * 2)
    assert np.array_equal(np.asarray(found["image_mask"][:]).shape, (2, 4, 5))
    assert [tuple(each) for each in np.asarray(found["voxel_mask"][1]).tolist()] == [(1, 2, 3, 1.5), (0, 0, 0, 1.0)]


def test_a_region_of_interest_needs_a_mask() -> None:
    nwb = session()
    table = segmented(nwb)
    with pytest.raises(ValueError, match="mask"):
        table.add_roi()
    with pytest.raises(NWBZarrError, match="voxel_mask"):
        table.add_roi(voxel_mask=[(1, 2, 3)])
    assert len(table) == 0
    assert table.colnames == ()
    assert nwb.processing["ophys"]["ImageSegmentation"]["rois"] is table


def test_plane_segmentations_are_named_after_their_plane() -> None:
    nwb = session()
    plane = plane_of(nwb)
    assert PlaneSegmentation(description="d", imaging_plane=plane).name == "plane"
    segmentation = ImageSegmentation()
    made = segmentation.add_segmentation(imaging_plane=plane)
    assert made.description == "d"
    assert segmentation["plane"] is made


def test_responses_belong_to_regions_of_interest(keep: Keep) -> None:
    made = session()
    table = segmented(made)
    for pixels in PIXELS:
        table.add_roi(pixel_mask=pixels)
    region = table.create_roi_table_region(description="two", region=[2, 0])
    fluorescence = Fluorescence()
    made.processing["ophys"].add(fluorescence)
    fluorescence.create_roi_response_series(name="f", data=np.ones((6, 2)), unit="lumens", rois=region, rate=10.0)
    nwb = keep(made)
    found = nwb.processing["ophys"]["Fluorescence"].get_roi_response_series("f")
    assert isinstance(found, RoiResponseSeries)
    assert found.rois.table is nwb.processing["ophys"]["ImageSegmentation"]["rois"]
    assert values(found.rois.data[:]) == [2, 0]
    assert [len(each) for each in found.rois.to_dataframe()["pixel_mask"]] == [1, 2]
    with pytest.raises((SchemaError, IndexError)):
        table.create_roi_table_region(description="d", region=[3])


def test_masks_become_pixels() -> None:
    image = np.zeros((3, 3))
    image[0, 1] = 1.0
    image[2, 0] = 0.5
    assert [tuple(each) for each in PlaneSegmentation.image_to_pixel(image)] == [(0, 1, 1.0), (2, 0, 0.5)]


# Processing modules.


def test_processing_modules_hold_containers(keep: Keep) -> None:
    made = session()
    module = made.create_processing_module(name="behavior", description="what it did")
    module.add(TimeSeries(name="speed", data=[1.0], unit="m/s", rate=1.0))
    module.add_container(TimeSeries(name="turns", data=[1.0], unit="1", rate=1.0))
    made.add_processing_module(ProcessingModule(name="other", description="d"))
    nwb = keep(made)
    assert set(nwb.processing) == {"behavior", "other"}
    found = nwb.get_processing_module("behavior")
    assert found.description == "what it did"
    assert set(found.data_interfaces) == {"speed", "turns"}
    assert found.get("speed") is found["speed"]
    assert found.get_data_interface("turns").unit == "1"
    with pytest.raises(KeyError):
        found["nothing"]
    with pytest.raises(DuplicateNameError, match="speed"):
        found.add(TimeSeries(name="speed", data=[1.0], unit="m/s", rate=1.0))
    with pytest.raises(DuplicateNameError, match="behavior"):
        nwb.create_processing_module(name="behavior", description="again")


def test_tables_may_be_given_to_the_session(keep: Keep) -> None:
    trials = TimeIntervals(name="trials", description="d")
    trials.add_interval(start_time=1.0, stop_time=2.0)
    units = Units(name="units", description="d")
    units.add_unit(spike_times=[1.0, 2.0])
    nwb = keep(session(trials=trials, units=units))
    assert len(nwb.trials) == 1
    assert values(nwb.units["spike_times"][0]) == [1.0, 2.0]


def test_what_belongs_to_a_column_that_is_not_there_is_not_lost(tmp_path: Path) -> None:
    nwb = NWBFile("d", "i", datetime(2020, 1, 1, tzinfo=UTC))
    nwb.add_analysis(Units(description="u", resolution=0.5, waveform_rate=3.0))
    with pytest.raises(SchemaError, match="waveform_rate, resolution"), NWBZarrIO(tmp_path / "s.nwb.zarr", "w") as io:
        io.write(nwb)
    assert not (tmp_path / "s.nwb.zarr").exists()
