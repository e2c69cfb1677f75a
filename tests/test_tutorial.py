"""NWB's scratch tutorial (raw → filtered → Fourier transform), as a PyNWB user types it."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scipy.signal as sps

from nwbzarr import NWBFile, NWBZarrIO, ScratchData, TimeSeries
from tests.places import KINDS, QUICK_KINDS, Place, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SAMPLES = 1024
START = datetime(2019, 4, 3, 11, tzinfo=timezone(timedelta(hours=-7)))
TIMESTAMPS = np.linspace(0, 100, SAMPLES)
DATA = np.sin(0.333 * TIMESTAMPS) + np.cos(0.1 * TIMESTAMPS) + np.random.default_rng(20190403).standard_normal(SAMPLES)
FILTERED = sps.correlate(DATA, np.ones(128), mode="same") / 128


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture(params=QUICK_KINDS)
def quick(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of(request.param, request, tmp_path) as made:
        yield made


def raw_session() -> NWBFile:
    nwb = NWBFile(
        session_description="demonstrate NWBFile scratch",
        identifier="NWB456",
        session_start_time=START,
    )
    nwb.add_acquisition(TimeSeries(name="raw_timeseries", data=DATA, unit="m", timestamps=TIMESTAMPS))
    return nwb


def write_raw(place: Place) -> None:
    with place.io("raw_data.nwb.zarr", "w") as io:
        io.write(raw_session())


def write_processed(place: Place, raw_io: NWBZarrIO) -> None:
    nwb_in = raw_io.read()
    nwb_proc = nwb_in.copy()
    mod = nwb_proc.create_processing_module("filtering_module", "a module to store filtering results")
    ts1 = nwb_in.acquisition["raw_timeseries"]
    filt_data = sps.correlate(ts1.data, np.ones(128), mode="same") / 128
    mod.add_container(TimeSeries(name="filtered_timeseries", data=filt_data, unit="m", timestamps=ts1))
    with place.io("processed_data.nwb.zarr", "w", raw_io.manager) as io:
        io.write(nwb_proc)


def write_scratch(place: Place, proc_io: NWBZarrIO) -> NDArray[Any]:
    nwb_proc_in = proc_io.read()
    nwb_scratch = nwb_proc_in.copy()
    filt_ts = nwb_scratch.modules["filtering_module"]["filtered_timeseries"]
    fft = np.fft.fft(filt_ts.data)
    nwb_scratch.add_scratch(fft, name="dft_filtered", description="discrete Fourier transform from filtered data")
    with place.io("scratch_analysis.nwb.zarr", "w", proc_io.manager) as io:
        io.write(nwb_scratch)
    return fft


def assert_tutorial_holds(nwb: NWBFile) -> None:
    """Every value of all three steps, as the scratch session gives it."""
    raw = nwb.acquisition["raw_timeseries"]
    filtered = nwb.processing["filtering_module"]["filtered_timeseries"]
    fft = nwb.get_scratch("dft_filtered")
    assert isinstance(raw, TimeSeries)
    assert raw.unit == "m"
    assert np.asarray(raw.data).tobytes() == DATA.tobytes()
    assert np.asarray(raw.timestamps).tobytes() == TIMESTAMPS.tobytes()
    assert filtered.unit == "m"
    assert np.asarray(filtered.data).tobytes() == FILTERED.tobytes()
    assert np.asarray(filtered.timestamps).tobytes() == TIMESTAMPS.tobytes()
    assert fft.dtype == np.dtype("complex128")
    assert np.asarray(fft).tobytes() == np.fft.fft(FILTERED).tobytes()
    assert nwb.session_description == "demonstrate NWBFile scratch"
    assert nwb.identifier == "NWB456"
    assert nwb.session_start_time == START
    assert nwb.session_start_time.utcoffset() == timedelta(hours=-7)


def test_all_three_steps_with_one_manager(place: Place) -> None:
    write_raw(place)
    raw_io = place.io("raw_data.nwb.zarr", "r")
    write_processed(place, raw_io)
    proc_io = place.io("processed_data.nwb.zarr", "r", raw_io.manager)
    write_scratch(place, proc_io)
    scratch_io = place.io("scratch_analysis.nwb.zarr", "r", proc_io.manager)
    assert_tutorial_holds(scratch_io.read())


def test_each_step_with_managers_of_its_own(place: Place) -> None:
    """As three sittings would: nothing is shared but what is stored."""
    write_raw(place)
    with place.io("raw_data.nwb.zarr", "r") as raw_io:
        write_processed(place, raw_io)
    with place.io("processed_data.nwb.zarr", "r") as proc_io:
        write_scratch(place, proc_io)
    with place.io("scratch_analysis.nwb.zarr", "r") as scratch_io:
        assert_tutorial_holds(scratch_io.read())


def test_the_session_that_was_written_goes_on_working(quick: Place) -> None:
    nwb = raw_session()
    with quick.io("raw_data.nwb.zarr", "w") as io:
        io.write(nwb)
    assert np.array_equal(nwb.acquisition["raw_timeseries"].data, DATA)
    derived = nwb.copy()
    module = derived.create_processing_module("filtering_module", "made without reading the raw session back")
    module.add(TimeSeries("filtered", data=FILTERED, unit="m", timestamps=nwb.acquisition["raw_timeseries"]))
    with quick.io("processed_data.nwb.zarr", "w") as io:
        report = io.write(derived)
    assert {(link.path, link.source) for link in report.links} == {
        ("/acquisition/raw_timeseries", "../raw_data.nwb.zarr"),
        ("/processing/filtering_module/filtered/timestamps", "../raw_data.nwb.zarr"),
    }
    with quick.io("processed_data.nwb.zarr", "r") as io:
        found = io.read().processing["filtering_module"]["filtered"]
        assert np.array_equal(found.timestamps, TIMESTAMPS)


def test_raw_is_as_it_was_after_the_other_steps(quick: Place) -> None:
    write_raw(quick)
    with quick.io("raw_data.nwb.zarr", "r") as raw_io:
        before = dict(raw_io.read().attributes)
        write_processed(quick, raw_io)
    with quick.io("raw_data.nwb.zarr", "r") as raw_io:
        nwb = raw_io.read()
        assert dict(nwb.attributes) == before
        assert list(nwb.acquisition) == ["raw_timeseries"]
        assert list(nwb.processing) == []
        assert list(nwb.scratch) == []


def test_copies_are_sessions_of_their_own(quick: Place) -> None:
    write_raw(quick)
    raw_io = quick.io("raw_data.nwb.zarr", "r")
    write_processed(quick, raw_io)
    proc_io = quick.io("processed_data.nwb.zarr", "r", raw_io.manager)
    raw, processed = raw_io.read(), proc_io.read()
    assert raw.object_id != processed.object_id
    assert processed.acquisition["raw_timeseries"].object_id == raw.acquisition["raw_timeseries"].object_id
    assert processed.acquisition["raw_timeseries"] is raw.acquisition["raw_timeseries"]


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_scratch_is_kept_bit_for_bit(place: Place, dtype: str) -> None:
    values = np.fft.fft(DATA).astype(dtype)
    values[:6] = [
        complex(np.nan, 1),
        complex(np.inf, -np.inf),
        complex(-0.0, 0.0),
        complex(0.0, -0.0),
        complex(np.finfo(dtype).tiny, np.finfo(dtype).max),
        0,
    ]
    nwb = raw_session()
    nwb.add_scratch(values, name="dft", description="with every special value")
    nwb.add_scratch(values.reshape(2, -1), name="dft_2d", description="rows")
    with place.io("raw_data.nwb.zarr", "w") as io:
        io.write(nwb)
    with place.io("raw_data.nwb.zarr", "r") as io:
        found = io.read()
        read = found.get_scratch("dft")
        assert read.dtype == np.dtype(dtype)
        assert np.asarray(read).tobytes() == values.tobytes()
        assert read[3:7].tobytes() == values[3:7].tobytes()
        assert np.asarray(found.get_scratch("dft_2d")).tobytes() == values.tobytes()
        assert np.asarray(found.get_scratch("dft_2d")).shape == (2, SAMPLES // 2)


def test_scratch_data_gives_its_description_without_conversion(quick: Place) -> None:
    write_raw(quick)
    with quick.io("raw_data.nwb.zarr", "r") as raw_io:
        write_processed(quick, raw_io)
    with quick.io("processed_data.nwb.zarr", "r") as proc_io:
        write_scratch(quick, proc_io)
    with quick.io("scratch_analysis.nwb.zarr", "r") as scratch_io:
        found = scratch_io.read().get_scratch("dft_filtered", convert=False)
        assert isinstance(found, ScratchData)
        assert found.description == found.notes == "discrete Fourier transform from filtered data"


STEPS = """
import sys
from datetime import datetime, timedelta, timezone
import numpy as np, scipy.signal as sps
from nwbzarr import NWBFile, NWBZarrIO, TimeSeries
""", {
    "raw": """
nwb = NWBFile(session_description="d", identifier="i", session_start_time=datetime(2019, 4, 3, 11, tzinfo=timezone.utc))
timestamps = np.linspace(0, 100, 1024)
nwb.add_acquisition(TimeSeries(name="raw_timeseries", data=np.sin(timestamps), unit="m", timestamps=timestamps))
with NWBZarrIO("raw_data.nwb.zarr", mode="w") as io:
    io.write(nwb)
""",
    "processed": """
raw_io = NWBZarrIO("raw_data.nwb.zarr", "r")
nwb_in = raw_io.read()
nwb_proc = nwb_in.copy()
mod = nwb_proc.create_processing_module("filtering_module", "results")
ts1 = nwb_in.acquisition["raw_timeseries"]
filt = sps.correlate(ts1.data, np.ones(128), mode="same") / 128
mod.add_container(TimeSeries(name="filtered_timeseries", data=filt, unit="m", timestamps=ts1))
with NWBZarrIO("processed_data.nwb.zarr", mode="w", manager=raw_io.manager) as io:
    io.write(nwb_proc)
""",
    "scratch": """
proc_io = NWBZarrIO("processed_data.nwb.zarr", "r")
nwb_scratch = proc_io.read().copy()
fft = np.fft.fft(nwb_scratch.modules["filtering_module"]["filtered_timeseries"].data)
nwb_scratch.add_scratch(fft, name="dft_filtered", description="d")
with NWBZarrIO("scratch_analysis.nwb.zarr", "w", manager=proc_io.manager) as io:
    io.write(nwb_scratch)
""",
}  # fmt: skip


@pytest.mark.slow
def test_each_step_in_a_process_of_its_own(tmp_path: Path) -> None:
    """Relative file names, as the tutorial has them; what one process wrote is all the next one has."""
    imports, steps = STEPS
    for step in steps.values():
        subprocess.run([sys.executable, "-W", "error", "-c", imports + step], cwd=tmp_path, check=True)
    with NWBZarrIO(tmp_path / "scratch_analysis.nwb.zarr", "r") as io:
        nwb = io.read()
        timestamps = np.linspace(0, 100, SAMPLES)
        filtered = sps.correlate(np.sin(timestamps), np.ones(128), mode="same") / 128
        assert np.asarray(nwb.get_scratch("dft_filtered")).tobytes() == np.fft.fft(filtered).tobytes()
        assert np.array_equal(nwb.acquisition["raw_timeseries"].data, np.sin(timestamps))
        assert np.array_equal(
            nwb.modules["filtering_module"]["filtered_timeseries"].timestamps,
            timestamps,
        )
