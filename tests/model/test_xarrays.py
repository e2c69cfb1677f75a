"""Series as `xarray.DataArray`: dimensions, coordinates and attributes; and nothing is read before it is computed."""

from __future__ import annotations

import uuid
from typing import Any

import dask
import dask.array
import numpy as np
import pytest
import xarray as xr

from nwbzarr import (
    DecompositionSeries,
    ElectricalSeries,
    ImageSeries,
    Manager,
    Meter,
    NWBZarrIO,
    SpatialSeries,
    TimeSeries,
    ZarrDataIO,
    analysis,
)
from nwbzarr.errors import AnalysisError
from tests.analysis.series import (
    LENGTH,
    RATE,
    RESTS,
    SOURCES,
    START,
    bare,
    in_blocks,
    noise,
    plain_series,
    recording,
    store,
    store_session,
    stored_electrical,
    stored_series,
    with_electrodes,
)

NAMES = {0: ("time",), 1: ("time", "channel"), 2: ("time", "channel", "dim2")}


def values(array: Any) -> Any:
    with dask.config.set(scheduler="sync"):
        return array.values


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rest", RESTS, ids=["1-d", "2-d", "3-d"])
def test_an_array_has_samples_and_times(source: str, rest: tuple[int, ...]) -> None:
    series = recording(source, rest)
    found = series.to_xarray()
    assert isinstance(found, xr.DataArray)
    assert found.name == series.name
    assert found.dims == NAMES[len(rest)]
    assert found.dtype == "int16"
    assert isinstance(found.data, dask.array.Array)
    np.testing.assert_array_equal(values(found), noise(rest))
    np.testing.assert_allclose(values(found.time), START + np.arange(LENGTH) / RATE, rtol=1e-15)


@pytest.mark.parametrize(
    ("start", "rate", "count"), [(0.0, 30_000.0, 10), (1.7e9, 30_000.0, 3000), (-2.5, 1 / 3, 7), (0.1, 24_414.0625, 1)]
)
def test_times_are_those_of_the_series(start: float, rate: float, count: int) -> None:
    found = plain_series(np.arange(count), rate=rate, starting_time=start).to_xarray()
    assert found.sizes == {"time": count}
    np.testing.assert_allclose(values(found.time), start + np.arange(count) / rate, rtol=1e-15, atol=1e-12)


def test_times_of_a_long_series_take_no_memory() -> None:
    """A terabyte of times."""
    data = dask.array.zeros((10**11, 2), chunks=(10**9, 2), dtype="int8")
    found = plain_series(data, rate=30_000.0).to_xarray()
    assert found.sizes["time"] == 10**11
    part = found.isel(time=slice(30_000 * 3600, 30_000 * 3600 + 5))
    np.testing.assert_allclose(values(part.time), START + 3600 + np.arange(5) / 30_000, rtol=1e-12)
    assert values(part).tolist() == [[0, 0]] * 5


def test_an_array_says_what_its_values_are() -> None:
    series = stored_series(
        noise((3,)), conversion=1e-6, offset=0.5, resolution=0.1, description="a probe", comments="c"
    )
    attributes = series.to_xarray().attrs
    wanted = {"unit": "volts", "conversion": 1e-6, "offset": 0.5, "resolution": 0.1}
    assert {**attributes, **wanted, "description": "a probe", "comments": "c"} == attributes


def test_channels_have_what_the_electrodes_have() -> None:
    found = stored_electrical(noise((3,))).to_xarray()
    assert found.dims == ("time", "channel")
    assert values(found.channel).tolist() == [1, 2, 3]
    assert values(found.electrode_location).tolist() == ["CA1", "CA2", "CA3"]
    assert values(found.electrode_rel_y).tolist() == [20.0, 40.0, 60.0]
    assert values(found.electrode_group_name).tolist() == ["shank"] * 3
    for name in ("electrode_location", "electrode_rel_y", "electrode_group_name"):
        assert found.coords[name].dims == ("channel",)
    np.testing.assert_array_equal(values(found.sel(channel=2)), noise((3,))[:, 1])
    np.testing.assert_array_equal(values(found.where(found.electrode_rel_y > 30, drop=True)), noise((3,))[:, 1:])


def test_channels_of_electrodes_out_of_order_and_in_memory() -> None:
    session = bare()
    with_electrodes(session, 4)
    session.add_electrode_column("label", "name of the site", data=list("abcde"))
    region = session.create_electrode_table_region([4, 0, 2], "sites")
    series = ElectricalSeries("raw", data=noise((3,)), electrodes=region, rate=RATE)
    session.add_acquisition(series)
    for each in (series, store_session(session).acquisition["raw"]):
        found = each.to_xarray()
        assert values(found.channel).tolist() == [4, 0, 2]
        assert values(found.electrode_label).tolist() == ["e", "a", "c"]
        np.testing.assert_array_equal(values(found.sel(channel=0)), noise((3,))[:, 1])


def test_results_have_the_channels_of_their_source() -> None:
    with in_blocks(90):
        found = analysis.decimate(stored_electrical(noise((3,))), 3).to_xarray()
    assert values(found.channel).tolist() == [1, 2, 3]
    assert found.sizes == {"time": 200, "channel": 3}
    np.testing.assert_allclose(values(found.time), START + np.arange(200) * 3 / RATE, rtol=1e-14)


def test_results_say_how_they_were_filtered() -> None:
    found = analysis.bandpass(stored_electrical(noise((3,))), 100, 300)
    assert found.to_xarray().attrs["filtering"] == found.filtering


def test_a_spectrogram_has_bands() -> None:
    with in_blocks(90):
        made = analysis.spectrogram(recording("stored"), 0.1)
    found = made.to_xarray()
    assert isinstance(made, DecompositionSeries)
    assert found.dims == ("time", "channel", "band")
    assert found.sizes == {"time": 11, "channel": 3, "band": 51}


def test_images_have_two_axes() -> None:
    movie = ImageSeries("movie", data=np.arange(60).reshape(5, 4, 3).astype("uint8"), unit="n.a.", rate=30.0)
    for each in (movie, store(movie).acquisition["movie"]):
        found = each.to_xarray()
        assert found.dims == ("time", "x", "y")
        np.testing.assert_array_equal(values(found), np.arange(60).reshape(5, 4, 3))


def test_positions_have_no_electrodes() -> None:
    found = SpatialSeries("position", data=noise((2,)), rate=RATE).to_xarray()
    assert found.sizes == {"time": LENGTH, found.dims[1]: 2}


@pytest.mark.parametrize("stored", [False, True])
def test_timestamps_are_a_coordinate(stored: bool) -> None:
    stamps = np.cumsum(np.random.default_rng(0).random(LENGTH))
    series = plain_series(noise((3,)), timestamps=stamps)
    found = (store(series).acquisition["raw"] if stored else series).to_xarray()
    assert found.coords["time"].dims == ("time",)
    assert isinstance(found.coords["time"].variable._data, dask.array.Array)
    np.testing.assert_array_equal(values(found.time), stamps)
    np.testing.assert_array_equal(values(found), noise((3,)))


def test_shared_timestamps_are_a_coordinate() -> None:
    stamps = np.cumsum(np.random.default_rng(0).random(LENGTH))
    first = plain_series(noise(), timestamps=stamps)
    second = TimeSeries("second", data=noise(seed=1), unit="V", timestamps=first)
    np.testing.assert_array_equal(values(second.to_xarray().time), stamps)
    np.testing.assert_array_equal(values(store(first, second).acquisition["second"].to_xarray().time), stamps)


@pytest.mark.parametrize("stamped", [False, True])
def test_nothing_is_read_before_it_is_computed(stamped: bool) -> None:
    url = f"memory://{uuid.uuid4().hex}.nwb.zarr"
    stamps = np.cumsum(np.random.default_rng(0).random(200_000))
    data = ZarrDataIO(np.zeros((200_000, 4), dtype="int16"), chunks=(10_000, 2))
    times = {"timestamps": ZarrDataIO(stamps, chunks=(10_000,))} if stamped else {"rate": RATE}
    session = bare()
    region = with_electrodes(session, 4)
    session.add_acquisition(ElectricalSeries("raw", data=data, electrodes=region, **times))
    store_session(session, url)
    meter = Meter()
    with NWBZarrIO(url, "r", manager=Manager(meter=meter)) as io:
        series = io.read().acquisition["raw"]
        meter.reset()
        found = series.to_xarray()
        part = found.isel(time=slice(10_000, 20_000), channel=slice(2, 4))
        repr(found)
        found.mean("time")
        # The electrode table came with the session.
        assert meter.total == 0
        assert values(part).shape == (10_000, 2)
        assert {key for _, key in meter.keys} == {"acquisition/raw/data/c.1.1"}
        meter.reset()
        wanted = stamps[10_000:20_000] if stamped else np.arange(10_000, 20_000) / RATE
        np.testing.assert_allclose(values(part.time), wanted, rtol=1e-15)
        assert {key for _, key in meter.keys} == ({"acquisition/raw/timestamps/c.1"} if stamped else set())


def test_samples_are_found_by_time() -> None:
    found = recording("stored").to_xarray()
    np.testing.assert_array_equal(values(found.sel(time=2.6, method="nearest")), noise((3,))[100])
    np.testing.assert_array_equal(values(found.sel(time=[2.5, 3.099], method="nearest")), noise((3,))[[0, -1]])


def test_windows_are_arrays_too() -> None:
    found = stored_electrical(noise((3,))).window(2.6, 2.75).to_xarray()
    assert found.dims == ("time", "channel")
    np.testing.assert_array_equal(values(found), noise((3,))[100:250])
    np.testing.assert_allclose(values(found.time), START + np.arange(100, 250) / RATE, rtol=1e-15)
    assert values(found.electrode_location).tolist() == ["CA1", "CA2", "CA3"]
    assert found.attrs["unit"] == "volts"


def test_windows_of_timestamps_are_arrays_too() -> None:
    stamps = np.cumsum(np.random.default_rng(0).random(LENGTH))
    found = plain_series(noise((3,)), timestamps=stamps).window(stamps[5], stamps[50]).to_xarray()
    np.testing.assert_array_equal(values(found.time), stamps[5:50])
    np.testing.assert_array_equal(values(found), noise((3,))[5:50])


@pytest.mark.parametrize("stamped", [False, True])
def test_no_samples_are_an_empty_array(stamped: bool) -> None:
    series = plain_series(np.zeros((0, 3)), **({"timestamps": np.zeros(0)} if stamped else {}))
    for each in (series, store(series).acquisition["raw"]):
        found = each.to_xarray()
        assert found.sizes == {"time": 0, "channel": 3}
        assert values(found.time).shape == (0,)


def test_iterators_are_no_arrays() -> None:
    with pytest.raises(AnalysisError, match="raw"):
        plain_series(iter([noise()])).to_xarray()


def test_arrays_are_stored_as_scratch_and_as_series() -> None:
    """What xarray computes goes back into a session."""
    with in_blocks(90):
        found = recording("stored").to_xarray()
    centred = found - found.mean("time")
    with dask.config.set(scheduler="sync"):
        read = store(TimeSeries("centred", data=centred.data, unit="volts", rate=RATE)).acquisition["centred"]
    np.testing.assert_allclose(read.data[:], noise((3,)) - noise((3,)).mean(axis=0))
