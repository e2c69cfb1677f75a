"""Maps over blocks: what functions are given and what becomes of it, written, linked, and read back with its provenance."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import dask
import dask.array
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nwbzarr
from nwbzarr import ElectricalSeries, ImageSeries, Manager, Meter, NWBZarrIO, SpatialSeries, TimeSeries, analysis
from nwbzarr.errors import AnalysisError, MissingExtraError, NWBZarrError, SamplingError, TimeRangeError
from tests.analysis.series import (
    LENGTH,
    RATE,
    RESTS,
    SOURCES,
    START,
    AnyArray,
    bare,
    computed,
    computed_by_blocks,
    in_blocks,
    noise,
    origin_of,
    plain_series,
    recording,
    same,
    store,
    store_session,
    stored_electrical,
    stored_series,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONVERSIONS = (1.0, 2.0, -0.5)


def scaled(block: AnyArray, factor: float = 1.0) -> AnyArray:
    return block * factor


def strongest(block: AnyArray) -> AnyArray:
    """Return one value a sample."""
    return np.asarray(block.max(axis=1))


def pairs(block: AnyArray) -> AnyArray:
    """Return a sample of two dimensions more."""
    return np.stack([block, -block], axis=-1)


def running_sum(block: AnyArray, left: int, right: int) -> AnyArray:
    """Return, of each sample, the sum of those around it; beyond a block are zeros."""
    wide = np.pad(block.astype(float), [(left, right), *((0, 0) for _ in block.shape[1:])])
    width = left + right + 1
    return np.stack([wide[row : row + width].sum(axis=0) for row in range(len(block))])


def size_of_block(block: AnyArray) -> AnyArray:
    """Return how many samples were given, in every sample."""
    return np.full(block.shape, len(block), dtype=float)


# Blocks.


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rest", RESTS, ids=["1-d", "2-d", "3-d"])
def test_a_function_is_given_every_sample_once(source: str, rest: tuple[int, ...]) -> None:
    for rows in (31, 250, 10_000):
        with in_blocks(rows):
            found = analysis.map_blocks(recording(source, rest), scaled, factor=2.5)
        assert found.data.dtype == "float32"
        np.testing.assert_array_equal(computed(found), noise(rest) * np.float32(2.5))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("reach", [(0.0, 0.0), (0.005, 0.0), (0.0, 0.01), (0.07, 0.05)])
def test_a_function_is_given_what_lies_around(source: str, reach: tuple[float, float]) -> None:
    left, right = (round(side * RATE) for side in reach)
    for rows in (31, 250):
        with in_blocks(rows):
            found = analysis.map_overlap(
                recording(source), running_sum, *reach, dtype="float64", left=left, right=right
            )
        np.testing.assert_array_equal(computed(found), running_sum(noise((3,)), left, right))


@pytest.mark.parametrize("source", ["stored", "memory"])
def test_a_reach_beyond_the_series_takes_all_of_it(source: str) -> None:
    with in_blocks(90):
        found = analysis.map_overlap(recording(source), size_of_block, 10.0, 10.0)
    assert (computed(found) == LENGTH).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 80), st.integers(1, 120), st.booleans())
def test_any_overlap_is_as_the_whole(before: int, after: int, rows: int, length: int, lazy: bool) -> None:
    data = np.random.default_rng(length).integers(-9, 9, (length, 2))
    series = plain_series(dask.array.from_array(data, chunks=(13, 1)) if lazy else data)
    with in_blocks(rows):
        found = analysis.map_overlap(
            series, running_sum, before / RATE, after / RATE, dtype="float64", left=before, right=after
        )
    np.testing.assert_array_equal(computed(found), running_sum(data, before, after))


def test_blocks_compute_by_themselves() -> None:
    with in_blocks(100):
        found = analysis.map_blocks(recording("stored"), same, dtype="int16")
    blocks = computed_by_blocks(found)
    assert len(blocks) == 6
    np.testing.assert_array_equal(np.concatenate(blocks), noise((3,)))


def test_overlaps_of_timestamps_are_samples() -> None:
    stamps = np.sort(np.random.default_rng(0).random(LENGTH))
    series = plain_series(noise((2,)), timestamps=stamps)
    with in_blocks(50):
        found = analysis.map_overlap(series, running_sum, 3, 2, dtype="float64", left=3, right=2)
    np.testing.assert_array_equal(computed(found), running_sum(noise((2,)), 3, 2))
    np.testing.assert_array_equal(np.asarray(found.timestamps), stamps)


def test_samples_may_get_another_shape() -> None:
    with in_blocks(70):
        fewer = analysis.map_blocks(recording("stored"), strongest, rest=())
        more = analysis.map_blocks(recording("stored"), pairs, rest=(3, 2))
    np.testing.assert_array_equal(computed(fewer), noise((3,)).max(axis=1).astype("float32"))
    np.testing.assert_array_equal(computed(more), pairs(noise((3,))).astype("float32"))
    assert type(fewer) is type(more) is TimeSeries


def wrong_count(block: AnyArray) -> AnyArray:
    return block[:-1]


def wrong_rest(block: AnyArray) -> AnyArray:
    return block[:, :1]


@pytest.mark.parametrize("function", [wrong_count, wrong_rest])
@pytest.mark.parametrize("rows", [70, 10_000])
def test_a_function_that_gives_another_shape_stores_nothing(
    function: Callable[..., Any], rows: int, tmp_path: Path
) -> None:
    with in_blocks(rows):
        found = analysis.map_blocks(recording("stored"), function)
    with dask.config.set(scheduler="sync"), pytest.raises(NWBZarrError, match=r"shape|as many samples"):
        store(found, url=str(tmp_path / "x.nwb.zarr"))
    assert not (tmp_path / "x.nwb.zarr").exists()


# Dtypes.


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("int16", "float32"),
        ("uint8", "float32"),
        ("float16", "float32"),
        ("float32", "float32"),
        ("float64", "float64"),
        ("complex64", "complex64"),
        ("complex128", "complex128"),
    ],
)
def test_results_are_single_unless_samples_are_more(source: str, result: str) -> None:
    data = np.arange(50).astype(source)
    found = computed(analysis.map_blocks(plain_series(data), same))
    assert found.dtype == result
    np.testing.assert_array_equal(found, data.astype(result))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_integers_are_rounded_and_end_at_their_limits(dtype: str) -> None:
    limits = np.iinfo(dtype)
    data = np.array([-1e300, -1e19, -129.5, -1.5, -0.5, 0.4, 0.6, 1.5, 2.5, 100.49, 255.6, 4e9, 1e19, 1e300])
    found = computed(analysis.map_blocks(plain_series(data), same, dtype=dtype))
    wanted = [min(max(round(float(value)), int(limits.min)), int(limits.max)) for value in data]
    assert found.tolist() == wanted


def test_whole_numbers_stay_as_they_are() -> None:
    """Those above 2**53 are no doubles."""
    data = np.array([2**53 + 1, -(2**62) - 1, 2**63 - 1])
    assert computed(analysis.map_blocks(plain_series(data), same, dtype="int64")).tolist() == data.tolist()


# What a result says of itself.


@pytest.fixture(scope="module")
def electrical() -> Any:
    return stored_electrical(noise((3,)), conversion=1e-6, offset=0.5, channel_conversion=CONVERSIONS)


def test_a_result_in_the_same_unit_keeps_what_makes_it(electrical: Any) -> None:
    found = analysis.map_blocks(electrical, scaled, factor=2)
    assert type(found) is ElectricalSeries
    assert (found.unit, found.conversion, found.offset) == ("volts", 1e-6, 0.5)
    assert list(found.channel_conversion) == list(CONVERSIONS)
    assert found.electrodes.table is electrical.electrodes.table
    assert (found.rate, found.starting_time) == (RATE, START)
    assert found.num_samples == LENGTH


def test_a_result_in_another_unit_is_scaled(electrical: Any) -> None:
    found = analysis.map_blocks(electrical, scaled, unit="A", factor=2, name="current")
    assert type(found) is TimeSeries
    assert (found.name, found.unit, found.conversion, found.offset) == ("current", "A", 1.0, 0.0)


def test_a_result_in_the_same_unit_that_is_given_is_scaled(electrical: Any) -> None:
    found = analysis.map_blocks(electrical, scaled, unit="volts")
    assert (found.unit, found.conversion, found.offset) == ("volts", 1.0, 0.0)
    assert getattr(found, "channel_conversion", None) is None


def test_positions_stay_positions() -> None:
    series = SpatialSeries("position", data=noise((2,)), reference_frame="the door", rate=RATE, unit="cm")
    found = analysis.map_blocks(series, same)
    assert type(found) is SpatialSeries
    assert (found.unit, found.reference_frame) == ("cm", "the door")


def test_samples_of_one_channel_are_no_electrical_series_of_three(electrical: Any) -> None:
    found = analysis.map_blocks(electrical, strongest, rest=())
    assert type(found) is TimeSeries


def test_names_are_those_of_series_and_function() -> None:
    assert analysis.map_blocks(recording("memory"), same).name == "raw_same"
    assert analysis.map_overlap(recording("memory"), same, 0, 0, name="mine").name == "mine"


# Where it comes from.


def test_what_was_done_is_noted(electrical: Any) -> None:
    found = analysis.map_overlap(electrical, scaled, 0.01, 0.02, factor=2.5)
    provenance = origin_of(found)
    assert provenance.source is electrical
    (step,) = provenance.steps
    assert step.function.endswith("test_maps.scaled")
    assert step.parameters["factor"] == 2.5
    assert "scaled(" in str(step)
    assert analysis.provenance_of(electrical) is None
    again = pickle.loads(pickle.dumps(provenance.steps))  # noqa: S301 - made above
    assert again == provenance.steps


def test_steps_are_noted_in_order() -> None:
    first = analysis.bandpass(recording("stored"), 100, 300)
    second = analysis.common_reference(first, "mean")
    third = analysis.map_blocks(second, scaled, factor=np.float64(3))
    provenance = origin_of(third)
    assert provenance.source is recording("stored")
    assert [step.function.rpartition(".")[2] for step in provenance.steps] == ["bandpass", "common_reference", "scaled"]
    assert provenance.steps[0].parameters["low"] == 100
    assert provenance.steps[2].parameters == {"factor": 3.0}
    json.dumps([dict(step.parameters) for step in provenance.steps])


@pytest.mark.parametrize(
    "value", [np.arange(3), np.arange(10_000), np.float32(1.5), np.nan, None, "text", [1, (2, 3)], {"a": 1}, len, 1j]
)
def test_any_parameter_can_be_noted(value: Any, tmp_path: Path) -> None:
    found = analysis.map_blocks(recording("memory"), ignoring, parameter=value)
    read = store(found, url=str(tmp_path / "x.nwb.zarr")).acquisition[found.name]
    (step,) = origin_of(read).steps
    assert "parameter" in step.parameters
    assert nwbzarr.validate(str(tmp_path / "x.nwb.zarr")) == []


def ignoring(block: AnyArray, parameter: Any) -> AnyArray:
    del parameter
    return block


def test_a_result_of_nothing_stored_has_no_source() -> None:
    provenance = origin_of(analysis.map_blocks(recording("memory"), same))
    assert provenance.source is None
    assert len(provenance.steps) == 1
    assert str(provenance)


# Written, and read back.


def filtered_session(raw: Any, *made: Any) -> Any:
    session = bare("filtered")
    module = session.create_processing_module("filtered", "what was computed")
    for each in made:
        module.add(each)
    del raw
    return session


def links_of(url: Path, path: str) -> dict[str, dict[str, str]]:
    """Return the links that a stored group has, by name."""
    document = json.loads((url / path / "zarr.json").read_text())
    return {link["name"]: link for link in document["attributes"].get("_LINKS", [])}


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
@pytest.mark.parametrize("timestamps", [False, True], ids=["rate", "timestamps"])
def test_results_are_written_with_their_sources_linked(tmp_path: Path, scheduler: str, timestamps: bool) -> None:
    times: dict[str, Any] = {"timestamps": np.cumsum(np.random.default_rng(0).random(LENGTH))} if timestamps else {}
    folder = tmp_path / "here"
    raw = stored_electrical(noise((3,)), url=str(folder / "raw.nwb.zarr"), conversion=1e-6, offset=0.5, **times)
    with in_blocks(90):
        mapped = analysis.map_overlap(raw, scaled, 0.02, 0.01, factor=3)
        reference = analysis.common_reference(mapped, "mean", dtype="int16", name="reference")
        score = analysis.zscore(mapped)
    with dask.config.set(scheduler=scheduler):
        store_session(filtered_session(raw, mapped, reference, score), str(folder / "filtered.nwb.zarr"))
    # Links are relative: both stores may go elsewhere.
    shutil.move(folder, tmp_path / "there")
    url = tmp_path / "there" / "filtered.nwb.zarr"
    assert nwbzarr.validate(str(url)) == []
    links = links_of(url, f"processing/filtered/{mapped.name}")
    assert links["source_timeseries"]["source"] == "../raw.nwb.zarr"
    assert links["source_timeseries"]["path"] == "/acquisition/raw"
    assert ("timestamps" in links) is timestamps
    if timestamps:
        assert links["timestamps"]["source"] == "../raw.nwb.zarr"
    with NWBZarrIO(str(url), "r") as io:
        read = io.read().processing["filtered"]
        np.testing.assert_array_equal(read[mapped.name].data[:], noise((3,)).astype("float32") * 3)
        wanted = noise((3,)) * 3.0
        np.testing.assert_array_equal(read["reference"].data[:], np.rint(wanted - wanted.mean(axis=1, keepdims=True)))
        assert type(read[mapped.name]) is type(read["reference"]) is ElectricalSeries
        assert (read[mapped.name].conversion, read[mapped.name].offset) == (1e-6, 0.5)
        assert np.asarray(read[score.name].data).std(axis=0) == pytest.approx(1, rel=1e-4)
        if timestamps:
            np.testing.assert_array_equal(np.asarray(read["reference"].timestamps), times["timestamps"])
        else:
            assert (read["reference"].rate, read["reference"].starting_time) == (RATE, START)
        assert len(read[mapped.name].electrodes.table) == 4
        assert [int(row) for row in read[mapped.name].electrodes.data] == [1, 2, 3]
        provenance = origin_of(read[mapped.name])
        assert provenance.source.name == "raw"
        np.testing.assert_array_equal(provenance.source.data[:5], noise((3,))[:5])
        assert provenance.steps[0].parameters["factor"] == 3
        # The result of a result leads to the one that is stored beside it, or names all steps.
        provenance = origin_of(read["reference"])
        assert [step.function.rpartition(".")[2] for step in provenance.steps] in (
            ["common_reference"],
            ["scaled", "common_reference"],
        )
        assert provenance.source is not None


def test_a_result_goes_into_the_session_of_its_source(tmp_path: Path) -> None:
    url = tmp_path / "raw.nwb.zarr"
    stored_electrical(noise((3,)), url=str(url))
    with NWBZarrIO(str(url), "r+") as io, dask.config.set(scheduler="sync"):
        session = io.read()
        with in_blocks(90):
            made = analysis.bandpass(session.acquisition["raw"], 100, 300)
        session.create_processing_module("filtered", "what was computed").add(made)
        wanted = computed(made)
        io.write(session)
    assert nwbzarr.validate(str(url)) == []
    assert links_of(url, "processing/filtered/raw_bandpass")["source_timeseries"]["source"] == "."
    with NWBZarrIO(str(url), "r") as io:
        session = io.read()
        read = session.processing["filtered"]["raw_bandpass"]
        np.testing.assert_array_equal(read.data[:], wanted)
        assert origin_of(read).source is session.acquisition["raw"]
        # And from there on.
        with in_blocks(50):
            again = analysis.lowpass(read, 200)
        assert [step.function.rpartition(".")[2] for step in origin_of(again).steps] == ["lowpass"]
        assert origin_of(again).source is read
        assert np.isfinite(computed(again)).all()


def test_a_session_and_what_is_made_of_it_are_written_at_once(tmp_path: Path) -> None:
    session = bare()
    series = plain_series(noise((3,)))
    session.add_acquisition(series)
    made = analysis.map_blocks(series, scaled, factor=2)
    session.create_processing_module("filtered", "what was computed").add(made)
    with dask.config.set(scheduler="sync"):
        read = store_session(session, str(tmp_path / "x.nwb.zarr"))
    np.testing.assert_array_equal(read.processing["filtered"]["raw_scaled"].data[:], noise((3,)) * 2)
    assert origin_of(read.processing["filtered"]["raw_scaled"]).source is read.acquisition["raw"]
    assert nwbzarr.validate(str(tmp_path / "x.nwb.zarr")) == []


def test_an_error_in_a_block_leaves_nothing(tmp_path: Path) -> None:
    data = noise((3,), "float64")
    data[300, 0] = np.nan
    with in_blocks(50):
        made = analysis.bandpass(stored_series(data), 100, 300)
    url = tmp_path / "x.nwb.zarr"
    with dask.config.set(scheduler="sync"), pytest.raises(NWBZarrError, match="300") as caught:
        store(made, url=str(url))
    assert any(isinstance(error, AnalysisError) for error in (caught.value, caught.value.__cause__))
    assert not url.exists()


# Lazy.


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    url = str(tmp_path / "raw.nwb.zarr")
    stored_electrical(noise((3,)), url=url)
    meter = Meter()
    with NWBZarrIO(url, "r", manager=Manager(meter=meter)) as io:
        series = io.read().acquisition["raw"]
        meter.reset()
        with in_blocks(100):
            made = [
                analysis.bandpass(series, 200, 300, tolerance=1e-2),
                analysis.notch(series, 100),
                analysis.moving_average(series, 0.011),
                analysis.envelope(series, overlap=0.02),
                analysis.decimate(series, 4),
                analysis.resample(series, 500),
                analysis.common_reference(series),
                analysis.detrend(series),
                analysis.zscore(series),
                analysis.spectrogram(series),
                analysis.map_overlap(series, same, 0.01, 0.01),
            ]
        analysis.welch(series, 0.1)
        analysis.fft(series)
        analysis.detect_spikes(series, 5)
        series.to_dask()
        assert meter.total == 0
        for each in made:
            assert each.data.shape
            origin_of(each)
            repr(each)
        assert meter.total == 0
        # One block needs its shards and those around it only.
        with dask.config.set(scheduler="sync"):
            np.asarray(made[-1].data.blocks[0].compute())
        assert {key for _, key in meter.keys} <= {
            f"acquisition/raw/data/c.{row}.{column}" for row in range(2) for column in range(2)
        }
        with dask.config.set(scheduler="sync"):
            np.asarray(made[0].data.compute())
        assert all("zarr.json" not in key for _, key in meter.keys)


def test_stored_data_come_in_blocks_of_stored_objects() -> None:
    data = stored_series(noise((3,))).to_dask()
    assert data.chunks == ((60,) * 10, (2, 1))
    assert data.dtype == "int16"
    np.testing.assert_array_equal(computed(data), noise((3,)))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rest", RESTS, ids=["1-d", "2-d", "3-d"])
def test_every_series_has_a_dask_array(source: str, rest: tuple[int, ...]) -> None:
    np.testing.assert_array_equal(computed(recording(source, rest).to_dask()), noise(rest))


def test_equal_results_have_equal_names_and_others_others() -> None:
    """Dask computes what has one name once."""
    series = recording("stored")
    with in_blocks(100):
        one = analysis.map_blocks(series, scaled, factor=2)
        other = analysis.map_blocks(series, scaled, factor=2)
        third = analysis.map_blocks(series, scaled, factor=3)
        filtered = analysis.bandpass(series, 100, 300)
        wider = analysis.bandpass(series, 100, 310)
        single = analysis.map_blocks(series, scaled, factor=2, dtype="float64")
    with in_blocks(50):
        smaller = analysis.map_blocks(series, scaled, factor=2)
    assert one.data.name == other.data.name
    names = {each.data.name for each in (one, third, filtered, wider, single, smaller)}
    assert len(names) == 6
    both = dask.array.stack([one.data, third.data])
    np.testing.assert_array_equal(computed(both), np.stack([noise((3,)) * 2, noise((3,)) * 3]))


def test_graphs_are_pickled_by_value() -> None:
    with in_blocks(100):
        found = analysis.bandpass(recording("stored"), 100, 300)
    graph = pickle.dumps(found.data.__dask_graph__())
    assert len(graph) < 20_000
    for word in (b"nwbzarr.model", b"nwbzarr.reading", b"nwbzarr.io"):
        assert word not in graph


# Bad input.


@pytest.mark.parametrize("reach", [(-0.001, 0), (0, -1), (np.nan, 0), (0, np.nan), (np.inf, 0)])
def test_overlaps_are_times(reach: tuple[float, float]) -> None:
    with pytest.raises(AnalysisError):
        analysis.map_overlap(recording("memory"), same, *reach)


@pytest.mark.parametrize("data", [np.zeros(0), np.zeros((0, 3)), np.zeros((5, 0)), dask.array.zeros((0, 2))])
def test_no_samples_are_refused(data: Any) -> None:
    with pytest.raises(AnalysisError, match="raw"):
        analysis.map_blocks(plain_series(data), same)


def test_iterators_are_refused() -> None:
    with pytest.raises(AnalysisError, match="raw"):
        analysis.map_blocks(plain_series(iter([noise((3,))])), same)


def test_images_elsewhere_are_refused() -> None:
    movie = ImageSeries("movie", external_file=["movie.avi"], rate=30.0)
    with pytest.raises(AnalysisError, match="movie"):
        analysis.map_blocks(movie, same)


def test_names_that_are_not_there_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="bandpas"):
        _ = analysis.bandpas
    assert {"bandpass", "map_overlap", "provenance_of", "detect_spikes"} <= set(dir(analysis))
    for name in analysis.__all__:
        assert getattr(analysis, name) is not None


@pytest.mark.parametrize("cls", [AnalysisError, SamplingError, TimeRangeError])
def test_errors_travel(cls: type[NWBZarrError]) -> None:
    assert issubclass(cls, AnalysisError)
    assert issubclass(cls, ValueError)
    error = cls("what, and why", "memory://x", "/acquisition/raw")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - made above
    assert type(again) is cls
    assert str(again) == str(error)
    assert (again.store, again.path) == (error.store, error.path)


# Without what is needed.

BLOCKED = """
import importlib.abc, sys
class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError("No module named " + name, name=name)
sys.meta_path.insert(0, Blocker())
import numpy as np
import nwbzarr
from nwbzarr import TimeSeries
from nwbzarr.errors import MissingExtraError
series = TimeSeries("raw", data=np.arange(50.0), unit="V", rate=10.0)
def analysis():
    from nwbzarr import analysis
    return analysis.bandpass(series, 1, 2)
asked = {{
    "to_dask": series.to_dask,
    "to_xarray": series.to_xarray,
    "window": series.window(1, 2).to_dask,
    "align": series.align([1.0], 0.1, 0.1).to_dask,
    "analysis": analysis,
}}
for name in {asked!r}:
    try:
        asked[name]()
    except MissingExtraError as error:
        assert "pip install" in str(error) and "nwbzarr[" in str(error), str(error)
        print(name)
print(series.window(1, 2).data.tolist() == list(range(10, 20)), np.asarray(series.align([1.0], 0.1, 0.1)).tolist())
"""


@pytest.mark.parametrize(
    ("blocked", "refused"),
    [
        ({"dask", "distributed"}, ["to_dask", "to_xarray", "window", "align", "analysis"]),
        ({"xarray"}, ["to_xarray"]),
    ],
    ids=["dask", "xarray"],
)
def test_without_an_extra_an_error_names_it(blocked: set[str], refused: list[str]) -> None:
    code = BLOCKED.format(blocked=blocked, asked=refused)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[:-1] == [*refused, "True [[9.0, 10.0]]"], done.stderr
    assert issubclass(MissingExtraError, ImportError)


@pytest.mark.parametrize(
    "statement",
    [
        "import nwbzarr",
        "from nwbzarr import NWBFile, NWBZarrIO, TimeSeries",
        "from nwbzarr import TimeSeries, Units\nTimeSeries('t', data=[1, 2, 3], unit='V', rate=10.0).window(0, 0.2).data",
        "import nwbzarr.analysis",
    ],
    ids=["import", "names", "window", "analysis"],
)
def test_neither_dask_nor_scipy_is_imported_before_it_is_needed(statement: str) -> None:
    code = f"{statement}\nimport sys\nprint([name for name in ('dask', 'distributed', 'xarray', 'scipy.signal') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
