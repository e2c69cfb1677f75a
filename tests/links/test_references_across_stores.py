"""References and regions of a session that was derived from another one, in another store: every one leads where it did.

Issue 3, point 2: `copy` of a session with electrodes, units, trials, imaging planes and recordings, written elsewhere.
A reference never leaves its store; where it names something of another one, it does so through a link.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from nwbzarr import (
    DynamicTable,
    DynamicTableRegion,
    ElectricalSeries,
    ElectrodesTable,
    Fluorescence,
    ImageSegmentation,
    NWBFile,
    OpticalChannel,
    TimeIntervals,
    TimeSeries,
    VectorData,
    VoltageClampSeries,
    VoltageClampStimulusSeries,
)
from nwbzarr.errors import DanglingLinkError, LinkError, NWBZarrError, UnstoredTargetError
from tests.places import KINDS, QUICK_KINDS, Place, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START = datetime(2024, 1, 1, tzinfo=UTC)
RAW, DERIVED, THIRD = "day1/rig a/raw.nwb.zarr", "derived/deep/er/processed.nwb.zarr", "people/ada/third.nwb.zarr"


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture(params=QUICK_KINDS)
def quick(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture
def local(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of("local", request, tmp_path) as made:
        yield made


def values(found: Any) -> Any:
    return [values(each) for each in found] if isinstance(found, list) else np.asarray(found).tolist()


# One of everything that refers.


def raw_session(*, ephys_only: bool = False) -> Any:
    nwb: Any = NWBFile(session_description="raw", identifier="raw", session_start_time=START)
    _add_ephys(nwb)
    if not ephys_only:
        _add_imaging(nwb)
        _add_patch_clamp(nwb)
    speed = TimeSeries(name="speed", data=np.arange(50.0), unit="m/s", rate=10.0)
    nwb.add_acquisition(speed)
    nwb.add_trial_column(name="kind", description="d")
    nwb.add_trial(start_time=0.0, stop_time=1.0, tags=["a"], timeseries=[speed, nwb.acquisition["voltage"]], kind="go")
    nwb.add_trial(start_time=2.0, stop_time=4.0, tags=["b", "c"], timeseries=[speed], kind="stop")
    return nwb


def _add_ephys(nwb: Any) -> None:
    device = nwb.create_device(name="probe", description="d")
    groups = [
        nwb.create_electrode_group(name=f"shank{row}", description="d", location=f"L{row}", device=device)
        for row in range(2)
    ]
    for row in range(6):
        nwb.add_electrode(location=f"raw{row}", group=groups[row % 2], x=float(row))
    region = nwb.create_electrode_table_region(region=[4, 1], description="two")
    nwb.add_acquisition(ElectricalSeries(name="voltage", data=np.ones((30, 2)), electrodes=region, rate=10.0))
    for row in range(3):
        nwb.add_unit(
            spike_times=np.arange(row, dtype=float),
            electrodes=[row, row + 3],
            electrode_group=groups[row % 2],
            waveforms=[[[1.0, 2.0]]] * row,
        )


def _add_imaging(nwb: Any) -> None:
    plane = nwb.create_imaging_plane(
        name="plane",
        optical_channel=OpticalChannel(name="green", description="d", emission_lambda=500.0),
        description="d",
        device=nwb.create_device(name="scope"),
        excitation_lambda=600.0,
        indicator="GCaMP",
        location="V1",
    )
    module = nwb.create_processing_module(name="ophys", description="d")
    segmentation = ImageSegmentation()
    module.add(segmentation)
    rois = segmentation.create_plane_segmentation(name="rois", description="d", imaging_plane=plane)
    for row in range(3):
        rois.add_roi(pixel_mask=[(row, column, 0.5) for column in range(row + 1)])
    fluorescence = Fluorescence()
    module.add(fluorescence)
    fluorescence.create_roi_response_series(
        name="response",
        data=np.ones((5, 2)),
        unit="lumens",
        rate=1.0,
        rois=rois.create_roi_table_region(description="two", region=[2, 0]),
    )


def _add_patch_clamp(nwb: Any) -> None:
    electrode = nwb.create_icephys_electrode(name="pipette", description="d", device=nwb.devices["probe"])
    for row in range(2):
        stimulus = VoltageClampStimulusSeries(
            name=f"stimulus{row}", data=np.arange(9.0), rate=1.0, electrode=electrode, gain=1.0
        )
        response = VoltageClampSeries(
            name=f"response{row}", data=np.arange(9.0) * row, rate=1.0, electrode=electrode, gain=1.0
        )
        nwb.add_stimulus(stimulus)
        nwb.add_acquisition(response)
        nwb.add_intracellular_recording(
            electrode=electrode,
            stimulus=stimulus,
            response=response,
            response_start_index=row,
            response_index_count=3,
        )
    nwb.add_icephys_simultaneous_recording(recordings=[1, 0])
    nwb.add_icephys_sequential_recording(simultaneous_recordings=[0], stimulus_type="square")
    nwb.add_icephys_repetition(sequential_recordings=[0])
    nwb.add_icephys_experimental_condition(repetitions=[0])


def check_raw(nwb: Any) -> None:
    """Assert that every reference and region of the raw session, or of one that was derived from it, leads right."""
    series = nwb.acquisition["voltage"]
    table = series.electrodes.table
    assert table is nwb.electrodes
    assert values(series.electrodes.data[:]) == [4, 1]
    assert series.electrodes[:]["location"].tolist() == ["raw4", "raw1"]
    assert values(table["location"][:]) == [f"raw{row}" for row in range(6)]
    assert [each.name for each in table["group"][:]] == ["shank0", "shank1"] * 3
    assert table["group"][3] is nwb.electrode_groups["shank1"]
    assert table["group"][3].device is nwb.devices["probe"]
    assert table["group"][0].location == "L0"

    units = nwb.units
    assert units["electrodes"].target.table is table
    assert [each["location"].tolist() for each in units.to_dataframe()["electrodes"]] == [
        [f"raw{row}", f"raw{row + 3}"] for row in range(3)
    ]
    assert units["electrode_group"][1] is nwb.electrode_groups["shank1"]
    assert [len(each) for each in units["spike_times"][:]] == [0, 1, 2]
    assert values(units["waveforms"][2]) == [[[1.0, 2.0]]] * 2

    trials = nwb.trials
    first, second = trials["timeseries"][0]
    assert (first.idx_start, first.count, second.idx_start, second.count) == (0, 10, 0, 10)
    assert first.timeseries is nwb.acquisition["speed"]
    assert second.timeseries is series
    (third,) = trials["timeseries"][1]
    assert tuple(third) == (20, 20, nwb.acquisition["speed"])
    assert values(third.data[:2]) == [20.0, 21.0]
    assert [values(each) for each in trials["tags"][:]] == [["a"], ["b", "c"]]
    check_imaging(nwb)
    check_patch_clamp(nwb)


def check_imaging(nwb: Any) -> None:
    plane = nwb.imaging_planes["plane"]
    assert plane.device is nwb.devices["scope"]
    rois = nwb.processing["ophys"]["ImageSegmentation"]["rois"]
    assert rois.imaging_plane is plane
    response = nwb.processing["ophys"]["Fluorescence"]["response"]
    assert response.rois.table is rois
    assert values(response.rois.data[:]) == [2, 0]
    assert [len(each) for each in response.rois.to_dataframe()["pixel_mask"]] == [3, 1]


def check_patch_clamp(nwb: Any) -> None:
    recordings = nwb.intracellular_recordings
    assert recordings["electrodes", "electrode"][1] is nwb.icephys_electrodes["pipette"]
    assert tuple(recordings["responses", "response"][1]) == (1, 3, nwb.acquisition["response1"])
    assert tuple(recordings["stimuli", "stimulus"][0]) == (0, 9, nwb.stimulus["stimulus0"])
    assert nwb.stimulus["stimulus0"].electrode is nwb.icephys_electrodes["pipette"]
    together = nwb.icephys_simultaneous_recordings
    assert together["recordings"].target.table is recordings
    assert values(together["recordings"].target.data[:]) == [1, 0]
    sequence = nwb.icephys_sequential_recordings
    assert sequence["simultaneous_recordings"].target.table is together
    assert nwb.icephys_repetitions["sequential_recordings"].target.table is sequence
    conditions = nwb.icephys_experimental_conditions
    assert conditions["repetitions"].target.table is nwb.icephys_repetitions


def write_raw(place: Place, *, ephys_only: bool = False) -> None:
    with place.io(RAW, "w") as io:
        io.write(raw_session(ephys_only=ephys_only))


def derive(place: Place, change: Callable[[Any, Any], Any], source: str = RAW, target: str = DERIVED) -> None:
    """Write a copy of a stored session, changed, to another store."""
    with place.io(source, "r") as raw_io:
        raw: Any = raw_io.read()
        nwb = raw.copy()
        change(nwb, raw)
        with place.io(target, "w", raw_io.manager) as io:
            io.write(nwb)


def nothing(_: Any, __: Any) -> None:
    """Change nothing."""


def documents(place: Place, store: str) -> dict[str, Any]:
    objects = place.objects()
    return {
        key.removeprefix(f"{store}/"): json.loads(data)
        for key, data in objects.items()
        if key.startswith(f"{store}/") and key.endswith("zarr.json")
    }


def sources(document: Any) -> set[str]:
    """Return every ``source`` in a document."""
    if isinstance(document, dict):
        own = {document["source"]} if isinstance(document.get("source"), str) else set()
        return own.union(*(sources(each) for each in document.values()))
    return set().union(*(sources(each) for each in document)) if isinstance(document, list) else set()


# The raw session itself.


def test_the_raw_session_is_right(quick: Place) -> None:
    check_raw(raw_session())
    write_raw(quick)
    check_raw(quick.io(RAW, "r").read())


# Copies.


def test_a_copy_elsewhere_has_every_reference_right(quick: Place) -> None:
    write_raw(quick)
    derive(quick, nothing)
    check_raw(quick.io(DERIVED, "r").read())


def test_a_copy_of_a_copy_has_every_reference_right(quick: Place) -> None:
    write_raw(quick)
    derive(quick, lambda nwb, _: nwb.create_processing_module(name="more", description="d"))
    derive(quick, nothing, DERIVED, THIRD)
    nwb: Any = quick.io(THIRD, "r").read()
    check_raw(nwb)
    assert "more" in nwb.processing


def test_a_copy_holds_links_and_no_tables(quick: Place) -> None:
    write_raw(quick)
    before = quick.objects()
    derive(quick, nothing)
    after = quick.objects()
    assert {key: data for key, data in after.items() if key.startswith(f"{RAW}/")} == before
    found = documents(quick, DERIVED)
    typed = {
        document["attributes"]["neurodata_type"]
        for document in found.values()
        if "neurodata_type" in document.get("attributes", {})
    }
    assert typed == {"NWBFile"}
    assert sources(found) <= {".", "../../../../day1/rig a/raw.nwb.zarr"}


def test_no_reference_leaves_its_store(quick: Place) -> None:
    write_raw(quick)
    derive(quick, add_trials_and_units)
    for key, document in documents(quick, DERIVED).items():
        attributes = document.get("attributes", {})
        for name, value in attributes.items():
            if name != "_LINKS":
                assert sources(value) <= {"."}, (key, name)


def test_both_stores_may_be_moved(local: Place) -> None:
    write_raw(local)
    derive(local, add_trials_and_units)
    moved = Path(local.url).with_name("moved")
    shutil.move(local.url, moved)
    place = Place(str(moved))
    check_raw_beside_new_trials(place.io(DERIVED, "r").read())
    place.opened[0].close()


# Copies with tables of their own.


def own_electrodes(nwb: Any) -> Any:
    """Give a session electrodes of its own, in which rows mean something else than in the raw one."""
    device = nwb.create_device(name="new probe")
    group = nwb.create_electrode_group(name="new shank", description="d", location="new", device=device)
    for row in range(6):
        nwb.add_electrode(location=f"own{row}", group=group, x=-1.0)
    region = nwb.create_electrode_table_region(region=[4, 1], description="own")
    nwb.create_processing_module(name="ecephys", description="d").add(
        ElectricalSeries(name="filtered", data=np.zeros((30, 2)), electrodes=region, rate=10.0)
    )
    return nwb


def check_own(nwb: Any) -> None:
    filtered = nwb.processing["ecephys"]["filtered"]
    assert filtered.electrodes.table is nwb.electrodes
    assert filtered.electrodes[:]["location"].tolist() == ["own4", "own1"]
    assert nwb.electrodes["group"][0] is nwb.electrode_groups["new shank"]
    raw = nwb.acquisition["voltage"]
    assert raw.electrodes.table is not nwb.electrodes
    assert raw.electrodes[:]["location"].tolist() == ["raw4", "raw1"]
    assert raw.electrodes.table["group"][1].name == "shank1"


def test_a_derived_session_with_electrodes_of_its_own(place: Place) -> None:
    """The raw series refers to the raw electrodes, the new one to the new ones, though both are at one path."""
    write_raw(place, ephys_only=True)
    with place.io(RAW, "r") as raw_io:
        raw: Any = raw_io.read()
        nwb = own_electrodes(NWBFile(session_description="own", identifier="own", session_start_time=START))
        nwb.add_acquisition(raw.acquisition["voltage"])
        nwb.add_acquisition(raw.acquisition["speed"])
        nwb.trials = raw.trials
        with place.io(DERIVED, "w", raw_io.manager) as io:
            io.write(nwb)
    found: Any = place.io(DERIVED, "r").read()
    check_own(found)
    first, second = found.trials["timeseries"][0]
    assert first.timeseries is found.acquisition["speed"]
    assert second.timeseries is found.acquisition["voltage"]
    assert second.timeseries.electrodes[:]["location"].tolist() == ["raw4", "raw1"]


def test_units_of_raw_electrodes_in_a_session_with_electrodes_of_its_own(quick: Place) -> None:
    write_raw(quick)
    with quick.io(RAW, "r") as raw_io:
        raw: Any = raw_io.read()
        nwb = own_electrodes(NWBFile(session_description="own", identifier="own", session_start_time=START))
        nwb.add_acquisition(raw.acquisition["voltage"])
        nwb.units = raw.units
        with quick.io(DERIVED, "w", raw_io.manager) as io:
            io.write(nwb)
    found: Any = quick.io(DERIVED, "r").read()
    check_own(found)
    assert [each["location"].tolist() for each in found.units.to_dataframe()["electrodes"]] == [
        [f"raw{row}", f"raw{row + 3}"] for row in range(3)
    ]
    assert found.units["electrode_group"][1].name == "shank1"
    with pytest.raises(NWBZarrError, match="electrodes"):
        NWBFile("d", "i", START).create_electrode_table_region(region=[0], description="d")


def add_trials_and_units(nwb: Any, _: Any) -> None:
    """Add intervals and containers that refer to what is linked."""
    table = TimeIntervals(name="windows", description="d")
    table.add_interval(start_time=1.0, stop_time=2.0, tags=["w"], timeseries=[nwb.acquisition["speed"]])
    table.add_interval(
        start_time=0.0, stop_time=3.0, tags=[], timeseries=[nwb.acquisition["voltage"], nwb.acquisition["speed"]]
    )
    nwb.add_time_intervals(table)
    region = nwb.create_electrode_table_region(region=[5, 0, 0], description="of raw electrodes")
    module = nwb.create_processing_module(name="ecephys", description="d")
    module.add(ElectricalSeries(name="filtered", data=np.zeros((4, 3)), electrodes=region, rate=10.0))
    own = DynamicTable(name="own", description="d")
    own.add_column(name="rows", description="d", table=nwb.electrodes, index=True)
    own.add_column(name="group", description="d")
    own.add_row(rows=[2, 3], group=nwb.electrode_groups["shank1"])
    own.add_row(rows=[], group=nwb.electrode_groups["shank0"])
    module.add(own)


def check_raw_beside_new_trials(nwb: Any, later: list[list[str]] | None = None) -> None:
    check_raw(nwb)
    windows = nwb.intervals["windows"]
    assert [tuple(each) for each in windows["timeseries"][0]] == [(10, 10, nwb.acquisition["speed"])]
    assert [each.timeseries.name for each in windows["timeseries"][1]] == ["voltage", "speed"]
    assert windows["timeseries"][1][0].timeseries is nwb.acquisition["voltage"]
    filtered = nwb.processing["ecephys"]["filtered"]
    assert filtered.electrodes.table is nwb.electrodes
    assert filtered.electrodes[:]["location"].tolist() == ["raw5", "raw0", "raw0"]
    own = nwb.processing["ecephys"]["own"]
    assert [each["location"].tolist() for each in own.to_dataframe()["rows"]] == [
        ["raw2", "raw3"],
        [],
        *(later or []),
    ]
    assert own["group"][0] is nwb.electrode_groups["shank1"]


def test_new_tables_of_a_copy_refer_to_raw_series_through_links(place: Place) -> None:
    write_raw(place)
    derive(place, add_trials_and_units)
    check_raw_beside_new_trials(place.io(DERIVED, "r").read())


def test_new_trials_of_a_session_that_had_none(quick: Place) -> None:
    raw = NWBFile(session_description="raw", identifier="raw", session_start_time=START)
    raw.add_acquisition(TimeSeries(name="speed", data=np.arange(50.0), unit="m/s", rate=10.0))
    with quick.io(RAW, "w") as io:
        io.write(raw)

    def add(nwb: Any, _: Any) -> None:
        nwb.add_trial(start_time=1.0, stop_time=2.0, timeseries=nwb.acquisition["speed"])

    derive(quick, add)
    found: Any = quick.io(DERIVED, "r").read()
    assert tuple(found.trials["timeseries"][0][0]) == (10, 10, found.acquisition["speed"])
    assert quick.io(RAW, "r").read().trials is None


def test_references_to_containers_below_a_linked_one(quick: Place) -> None:
    """The module is linked whole; a series in it is reached through that link."""
    raw = NWBFile(session_description="raw", identifier="raw", session_start_time=START)
    module = raw.create_processing_module(name="behavior", description="d")
    module.add(TimeSeries(name="speed", data=np.arange(50.0), unit="m/s", rate=10.0))
    with quick.io(RAW, "w") as io:
        io.write(raw)

    def add(nwb: Any, _: Any) -> None:
        nwb.add_trial(start_time=1.0, stop_time=2.0, timeseries=nwb.processing["behavior"]["speed"])

    derive(quick, add)
    found: Any = quick.io(DERIVED, "r").read()
    assert tuple(found.trials["timeseries"][0][0]) == (10, 10, found.processing["behavior"]["speed"])


def test_rows_are_added_to_the_new_table_of_a_copy_later(quick: Place) -> None:
    write_raw(quick)
    derive(quick, add_trials_and_units)
    with quick.io(DERIVED, "r+") as io:
        nwb = io.read()
        nwb.intervals["windows"].add_interval(
            start_time=0.5, stop_time=1.0, tags=["late"], timeseries=[nwb.acquisition["speed"]]
        )
        nwb.processing["ecephys"]["own"].add_row(rows=[4], group=nwb.electrode_groups["shank0"])
        io.write(nwb)
    found: Any = quick.io(DERIVED, "r").read()
    check_raw_beside_new_trials(found, [["raw4"]])
    assert tuple(found.intervals["windows"]["timeseries"][2][0]) == (5, 5, found.acquisition["speed"])
    assert found.processing["ecephys"]["own"]["group"][2] is found.electrode_groups["shank0"]


@pytest.mark.parametrize("add", ["trial", "unit", "electrode", "column"])
def test_rows_are_not_added_to_a_linked_table(quick: Place, add: str) -> None:
    """The table belongs to the raw session; changing it there through a link would change another store."""
    write_raw(quick)
    before = quick.objects()
    with quick.io(RAW, "r") as raw_io:
        raw: Any = raw_io.read()
        nwb: Any = raw.copy()
        with pytest.raises(NWBZarrError), quick.io(DERIVED, "w", raw_io.manager) as io:  # noqa: PT012
            if add == "trial":
                nwb.add_trial(start_time=1.0, stop_time=2.0, tags=[], timeseries=[raw.acquisition["speed"]], kind="x")
            elif add == "unit":
                nwb.add_unit(
                    spike_times=[1.0],
                    electrodes=[0],
                    electrode_group=raw.electrode_groups["shank0"],
                    waveforms=[[[1.0, 2.0]]],
                )
            elif add == "electrode":
                nwb.add_electrode(location="new", group=raw.electrode_groups["shank0"], x=1.0)
            else:
                nwb.add_electrode_column(name="more", description="d", data=list(range(6)))
            io.write(nwb)
    assert quick.objects() == before


# Self-contained copies.


def test_an_export_of_a_derived_session_holds_all_that_is_referred_to(quick: Place) -> None:
    write_raw(quick)
    derive(quick, add_trials_and_units)
    with quick.io(DERIVED, "r") as derived_io, quick.io(THIRD, "w", derived_io.manager) as io:
        io.export(derived_io)
    quick.remove("day1")
    quick.remove("derived")
    check_raw_beside_new_trials(quick.io(THIRD, "r").read())


@pytest.mark.parametrize("linked", [True, False])
def test_an_export_of_a_session_with_electrodes_of_its_own(quick: Place, linked: bool) -> None:
    """Two tables have one path: the raw one is copied where the session links to it, else the export says so."""
    write_raw(quick)
    with quick.io(RAW, "r") as raw_io:
        raw: Any = raw_io.read()
        nwb = own_electrodes(NWBFile(session_description="own", identifier="own", session_start_time=START))
        nwb.add_acquisition(raw.acquisition["voltage"])
        if linked:
            nwb.create_processing_module(name="of raw", description="d").add(raw.electrodes)
        with quick.io(DERIVED, "w", raw_io.manager) as io:
            io.write(nwb)
    if not linked:
        before = quick.objects()
        with (
            quick.io(DERIVED, "r") as derived_io,
            quick.io(THIRD, "w", derived_io.manager) as io,
            pytest.raises(LinkError, match="electrodes"),
        ):
            io.export(derived_io)
        assert quick.objects() == before
        return
    with quick.io(DERIVED, "r") as derived_io, quick.io(THIRD, "w", derived_io.manager) as io:
        io.export(derived_io)
    quick.remove("day1")
    quick.remove("derived")
    check_own(quick.io(THIRD, "r").read())


# What no store holds.


def _nowhere_series() -> TimeSeries:
    return TimeSeries(name="nowhere", data=np.arange(50.0), unit="m", rate=10.0)


def _trial(nwb: Any) -> None:
    table = TimeIntervals(name="windows", description="d")
    table.add_interval(start_time=1.0, stop_time=2.0, timeseries=[_nowhere_series()])
    nwb.add_time_intervals(table)


def _group(nwb: Any) -> None:
    column = VectorData(name="a", description="d", data=[nwb.acquisition["speed"], _nowhere_series()])
    nwb.add_scratch(DynamicTable(name="t", description="d", columns=[column]))


def _region(nwb: Any) -> None:
    nowhere = DynamicTable(name="nowhere", description="d", columns=[VectorData(name="a", description="d", data=[1])])
    table = DynamicTable(name="t", description="d")
    table.add_column(name="one", description="d", table=nowhere)
    table.add_row(one=0)
    nwb.add_scratch(table)


def _electrodes(nwb: Any) -> None:
    table = ElectrodesTable()
    table.add_row(location="l", group=nwb.electrode_groups["shank0"])
    region = DynamicTableRegion(name="electrodes", data=[0], description="nowhere", table=table)
    nwb.create_processing_module(name="new", description="d").add(
        ElectricalSeries(name="filtered", data=np.zeros((4, 1)), electrodes=region, rate=10.0)
    )


@pytest.mark.parametrize("add", [_trial, _group, _region, _electrodes])
@pytest.mark.parametrize("copied", [True, False])
def test_what_no_store_holds_is_not_referred_to(quick: Place, add: Callable[[Any], None], copied: bool) -> None:
    write_raw(quick)
    before = quick.objects()
    with quick.io(RAW, "r") as raw_io:
        nwb = raw_io.read().copy() if copied else raw_session()
        add(nwb)
        with (
            pytest.raises(UnstoredTargetError, match=r"nowhere|electrodes"),
            quick.io(DERIVED, "w", raw_io.manager) as io,
        ):
            io.write(nwb)
    assert quick.objects() == before


def test_what_only_another_store_holds_is_not_referred_to(quick: Place) -> None:
    """A series of the raw session that no link of the new one reaches."""
    write_raw(quick)
    before = quick.objects()
    with quick.io(RAW, "r") as raw_io:
        raw: Any = raw_io.read()
        nwb = NWBFile(session_description="new", identifier="new", session_start_time=START)
        nwb.add_trial(start_time=1.0, stop_time=2.0, timeseries=raw.acquisition["speed"])
        with pytest.raises(LinkError, match="speed"), quick.io(DERIVED, "w", raw_io.manager) as io:
            io.write(nwb)
        assert quick.objects() == before
        nwb.add_acquisition(raw.acquisition["speed"])
        with quick.io(DERIVED, "w", raw_io.manager) as io:
            io.write(nwb)
    found: Any = quick.io(DERIVED, "r").read()
    assert tuple(found.trials["timeseries"][0][0]) == (10, 10, found.acquisition["speed"])


def test_one_missing_store_does_not_stop_the_rest(quick: Place) -> None:
    write_raw(quick)
    derive(quick, add_trials_and_units)
    quick.remove(RAW)
    nwb: Any = quick.io(DERIVED, "r").read()
    windows = nwb.intervals["windows"]
    assert values(windows["start_time"][:]) == [1.0, 0.0]
    assert np.array_equal(nwb.processing["ecephys"]["filtered"].data, np.zeros((4, 3)))
    assert values(nwb.processing["ecephys"]["filtered"].electrodes.data[:]) == [5, 0, 0]
    with pytest.raises(DanglingLinkError):
        windows["timeseries"][0]
    with pytest.raises(DanglingLinkError):
        nwb.acquisition["speed"]
    assert set(nwb.acquisition) == {"voltage", "speed", "response0", "response1"}
