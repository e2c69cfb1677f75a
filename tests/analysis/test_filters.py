"""Filters and rates: what SciPy gives for the whole array, in blocks of any size and from any source."""

from __future__ import annotations

import inspect
import itertools
import pickle
from functools import cache
from typing import TYPE_CHECKING, Any

import dask
import dask.array
import numpy as np
import pytest
import scipy.signal as sps
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbzarr import ElectricalSeries, TimeSeries, analysis
from nwbzarr.analysis.kernels import reach_of
from nwbzarr.errors import AnalysisError, SamplingError
from tests.analysis.series import (
    BLOCKS,
    LENGTH,
    RATE,
    RESTS,
    SOURCES,
    START,
    TYPES,
    AnyArray,
    assert_near,
    computed,
    computed_by_blocks,
    in_blocks,
    largest,
    noise,
    plain_series,
    recording,
    stored_electrical,
    stored_series,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Operation = Callable[..., Any]
    OnWhole = Callable[[AnyArray], AnyArray]

TOLERANCE = 1e-6


def butter(order: int, edges: Any, kind: str) -> AnyArray:
    return np.asarray(sps.butter(order, edges, kind, fs=RATE, output="sos"))


def both_ways(order: int, edges: Any, kind: str) -> OnWhole:
    return lambda data: np.asarray(sps.sosfiltfilt(butter(order, edges, kind), data.astype(float), axis=0))


def forwards(order: int, edges: Any, kind: str) -> OnWhole:
    return lambda data: np.asarray(sps.sosfilt(butter(order, edges, kind), data.astype(float), axis=0))


def notched(frequency: float, quality: float, zero_phase: bool = True) -> OnWhole:
    sos = sps.tf2sos(*sps.iirnotch(frequency, quality, fs=RATE))
    run = sps.sosfiltfilt if zero_phase else sps.sosfilt
    return lambda data: np.asarray(run(sos, data.astype(float), axis=0))


def mean_of(width: int) -> OnWhole:
    def go(data: AnyArray) -> AnyArray:
        half = width // 2
        wide = np.pad(data.astype(float), [(half, half), *((0, 0) for _ in data.shape[1:])], mode="edge")
        return np.stack([wide[row : row + width].mean(axis=0) for row in range(len(data))])

    return go


def decimated(factor: int) -> OnWhole:
    return lambda data: np.asarray(sps.decimate(data.astype(float), factor, axis=0))


def resampled(up: int, down: int) -> OnWhole:
    return lambda data: np.asarray(sps.resample_poly(data.astype(float), up, down, axis=0))


#: What is done, what SciPy does to the whole array, and the largest error relative to the largest sample.
OPERATIONS: dict[str, tuple[Operation, OnWhole, float]] = {
    "bandpass": (
        lambda series, **more: analysis.bandpass(series, 100, 300, **more),
        both_ways(5, [100, 300], "bandpass"),
        TOLERANCE,
    ),
    "bandpass forwards": (
        lambda series, **more: analysis.bandpass(series, 100, 300, order=3, zero_phase=False, **more),
        forwards(3, [100, 300], "bandpass"),
        TOLERANCE,
    ),
    "highpass": (
        lambda series, **more: analysis.highpass(series, 150, order=4, **more),
        both_ways(4, 150, "highpass"),
        TOLERANCE,
    ),
    "highpass forwards": (
        lambda series, **more: analysis.highpass(series, 150, zero_phase=False, **more),
        forwards(5, 150, "highpass"),
        TOLERANCE,
    ),
    "lowpass": (
        lambda series, **more: analysis.lowpass(series, 200, order=2, **more),
        both_ways(2, 200, "lowpass"),
        TOLERANCE,
    ),
    "lowpass forwards": (
        lambda series, **more: analysis.lowpass(series, 200, zero_phase=False, **more),
        forwards(5, 200, "lowpass"),
        TOLERANCE,
    ),
    "notch": (lambda series, **more: analysis.notch(series, 120, quality=3, **more), notched(120, 3), TOLERANCE),
    "narrow notch": (lambda series, **more: analysis.notch(series, 50, **more), notched(50, 30), TOLERANCE),
    "notch forwards": (
        lambda series, **more: analysis.notch(series, 120, quality=3, zero_phase=False, **more),
        notched(120, 3, zero_phase=False),
        TOLERANCE,
    ),
    "moving_average": (lambda series, **more: analysis.moving_average(series, 0.031, **more), mean_of(31), 1e-12),
    "decimate by 2": (lambda series, **more: analysis.decimate(series, 2, **more), decimated(2), TOLERANCE),
    "decimate by 7": (lambda series, **more: analysis.decimate(series, 7, **more), decimated(7), TOLERANCE),
    "resample down": (lambda series, **more: analysis.resample(series, 400, **more), resampled(2, 5), 1e-12),
    "resample up": (lambda series, **more: analysis.resample(series, 3000, **more), resampled(3, 1), 1e-12),
    "resample by 7/3": (lambda series, **more: analysis.resample(series, RATE * 7 / 3, **more), resampled(7, 3), 1e-12),
    "resample by 1": (lambda series, **more: analysis.resample(series, RATE, **more), resampled(1, 1), 1e-12),
}
EACH = pytest.mark.parametrize("operation", OPERATIONS)

#: Those that need a rate, envelope too, with arguments that fit; and those that refuse what is no number.
NEED_RATE: dict[str, Operation] = {
    **{name: run for name, (run, _, _) in OPERATIONS.items()},
    "envelope": lambda series, **more: analysis.envelope(series, overlap=0.1, **more),
}
NEED_NUMBERS = {name: run for name, run in NEED_RATE.items() if name != "moving_average"}

# Equal to SciPy on the whole array.


@EACH
@pytest.mark.parametrize(
    ("source", "rest"),
    [*(("stored", rest) for rest in RESTS), ("memory", ()), ("dask", (3, 2)), ("chained", (3,))],
)
def test_it_is_what_scipy_gives(operation: str, source: str, rest: tuple[int, ...]) -> None:
    run, on_whole, tolerance = OPERATIONS[operation]
    data = noise(rest)
    wanted = on_whole(data)
    series = recording(source, rest)
    for rows in BLOCKS:
        with in_blocks(rows):
            found = run(series, dtype="float64")
        assert_near(computed(found), wanted, tolerance * largest(data))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rows", [3, 599])
def test_blocks_may_be_much_shorter_than_the_filter(source: str, rows: int) -> None:
    run, on_whole, tolerance = OPERATIONS["bandpass"]
    with in_blocks(rows):
        found = run(recording(source), dtype="float64")
    if source == "stored":
        assert found.data.numblocks[0] == -(-LENGTH // rows)
    assert_near(computed(found), on_whole(noise((3,))), tolerance * largest(noise((3,))))


@EACH
@pytest.mark.parametrize("dtype", TYPES)
def test_the_dtype_is_single_unless_samples_are_double(operation: str, dtype: str) -> None:
    run, on_whole, tolerance = OPERATIONS[operation]
    data = noise((3,), dtype)
    with in_blocks(100):
        found = computed(run(recording("stored", (3,), dtype)))
    assert found.dtype == ("float64" if dtype == "float64" else "float32")
    assert_near(found, on_whole(data), tolerance * largest(data))


@EACH
@pytest.mark.parametrize("source", ["stored", "dask"])
def test_every_block_by_itself_is_right(operation: str, source: str) -> None:
    run, on_whole, tolerance = OPERATIONS[operation]
    data = noise((3,))
    with in_blocks(25):
        found = run(recording(source), dtype="float64")
    blocks = computed_by_blocks(found)
    assert len(blocks) > 2 or source == "dask"  # blocks of Dask are as long as what they share, at least
    wanted = on_whole(data)
    borders = np.cumsum([0, *(len(block) for block in blocks)])
    for block, (start, stop) in zip(blocks, itertools.pairwise(borders), strict=True):
        assert_near(block, wanted[start:stop], tolerance * largest(data))


@EACH
def test_results_are_made_of_results(operation: str) -> None:
    run, on_whole, tolerance = OPERATIONS[operation]
    data = noise((3,))
    first = both_ways(2, 350, "lowpass")(data)
    with in_blocks(83):
        between = analysis.lowpass(recording("stored"), 350, order=2, dtype="float64")
    with in_blocks(59):
        found = run(between, dtype="float64")
    # What a filter makes of an error is at most its gain times that; those here have gains near 1.
    assert_near(computed(found), on_whole(first), 10 * TOLERANCE * largest(data) + tolerance * largest(first))


@EACH
@pytest.mark.parametrize("dtype", ["int16", "uint8", "int64"])
def test_integers_are_rounded_and_end_at_their_limits(operation: str, dtype: str) -> None:
    run, on_whole, tolerance = OPERATIONS[operation]
    data = noise((3,))
    limits = np.iinfo(dtype)
    with in_blocks(130):
        found = computed(run(recording("stored"), dtype=dtype))
    assert found.dtype == dtype
    wanted = np.clip(on_whole(data), limits.min, limits.max)
    off = np.abs(found.astype(float) - wanted)
    assert off.max() <= 0.5 + tolerance * largest(data)
    assert (found == np.rint(wanted)).mean() > 0.99


def test_samples_of_any_numeric_dtype_are_filtered() -> None:
    for dtype in ("uint8", "int8", "uint16", "int32", "uint64", "float16", "bool"):
        data = np.asarray(np.random.default_rng(0).integers(0, 100, (LENGTH, 2)) > 50) * np.dtype(dtype).type(1)
        with in_blocks(100):
            found = computed(analysis.lowpass(stored_series(data.astype(dtype)), 100))
        assert found.dtype == "float32"
        assert_near(found, both_ways(5, 100, "lowpass")(data), TOLERANCE)


# Any filter, any block.


@st.composite
def filters(draw: Any) -> tuple[int, Any, str]:
    order = draw(st.integers(1, 8))
    kind = draw(st.sampled_from(["bandpass", "highpass", "lowpass"]))
    low = draw(st.floats(5, 480))
    high = draw(st.floats(low + 5, 495))
    return order, {"bandpass": [low, high], "highpass": high, "lowpass": low}[kind], kind


def signs(length: int, seed: int) -> AnyArray:
    """Return samples that are all as large as the largest: the most that is left out at borders."""
    runs = np.random.default_rng(seed).integers(1, 12, length)
    return np.repeat(np.where(np.arange(length) % 2, 1.0, -1.0), runs)[:length]


@settings(deadline=None, max_examples=40)
@given(
    filters(),
    st.sampled_from([1e-2, 1e-4, 1e-6, 1e-9]),
    st.integers(1, 400),
    st.integers(60, 700),
    st.booleans(),
    st.integers(0, 99),
)
def test_any_filter_keeps_its_tolerance(
    filtered: tuple[int, Any, str], tolerance: float, rows: int, length: int, zero_phase: bool, seed: int
) -> None:
    order, edges, kind = filtered
    data = signs(length, seed) * 50
    run = getattr(analysis, kind)
    given_edges = edges if isinstance(edges, list) else [edges]
    wanted = (both_ways if zero_phase else forwards)(order, edges, kind)(data)
    with in_blocks(rows):
        series = run(
            plain_series(data), *given_edges, order=order, zero_phase=zero_phase, tolerance=tolerance, dtype="float64"
        )
    assert_near(computed(series), wanted, tolerance * 50 + 1e-9 * max(largest(wanted), 50))


@pytest.mark.parametrize("tolerance", [1e-1, 1e-3, 1e-6])
@pytest.mark.parametrize("edges", [[20.0, 450.0], [5.0, 30.0], [240.0, 260.0]])
def test_the_worst_samples_keep_the_tolerance_at_borders(tolerance: float, edges: list[float]) -> None:
    sos = butter(3, edges, "bandpass")
    rows = 100
    impulse = np.zeros(1000)
    impulse[0] = 1
    response = np.asarray(sps.sosfilt(sos, impulse))
    # Samples before a border whose shares of what follows it all have the same sign.
    data = np.concatenate([np.sign(response[::-1]), np.zeros(300)])
    with in_blocks(rows):
        found = computed(
            analysis.bandpass(
                plain_series(data), *edges, order=3, zero_phase=False, tolerance=tolerance, dtype="float64"
            )
        )
    assert_near(found, np.asarray(sps.sosfilt(sos, data)), tolerance + 1e-9)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-6, 1e-10])
def test_after_its_reach_the_response_of_a_filter_is_small(tolerance: float) -> None:
    for order, edges, kind in [
        (5, [300, 400], "bandpass"),
        (1, 5, "highpass"),
        (8, 100, "lowpass"),
        (3, 499, "lowpass"),
    ]:
        sos = butter(order, edges, kind)
        impulse = np.zeros(100_000)
        impulse[0] = 1
        rest = np.abs(sps.sosfilt(sos, impulse))[reach_of(sos, tolerance) :].sum()
        assert rest <= tolerance * (1 + 1e-9)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 13), st.integers(1, 300), st.integers(80, 500), st.integers(0, 9))
def test_any_decimation_is_that_of_scipy(factor: int, rows: int, length: int, seed: int) -> None:
    data = signs(length, seed)
    with in_blocks(rows):
        found = analysis.decimate(plain_series(data), factor, dtype="float64")
    wanted = decimated(factor)(data)
    assert found.rate == RATE / factor
    assert_near(computed(found), wanted, TOLERANCE)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 300), st.integers(1, 500), st.integers(0, 9))
def test_any_ratio_of_rates_is_that_of_scipy(up: int, down: int, rows: int, length: int, seed: int) -> None:
    data = noise((2,), "float64", length=max(length, 3), seed=seed)[:length]
    with in_blocks(rows):
        found = analysis.resample(plain_series(data), RATE * up / down)
    assert found.rate == pytest.approx(RATE * up / down)
    assert_near(computed(found), resampled(up, down)(data), 1e-10 * largest(data))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 60), st.integers(1, 200), st.integers(1, 300), st.integers(0, 9))
def test_any_mean_is_that_of_the_samples_around(half: int, rows: int, length: int, seed: int) -> None:
    width = 2 * half + 1
    data = noise((2,), "float64", length=max(length, width, 3), seed=seed)
    with in_blocks(rows):
        found = analysis.moving_average(plain_series(data), width / RATE)
    assert_near(computed(found), mean_of(width)(data), 1e-10 * largest(data))


def test_the_width_of_a_mean_is_made_odd() -> None:
    data = noise((), "float64")
    found = computed(analysis.moving_average(plain_series(data), 0.010))
    near = [np.abs(found - mean_of(width)(data)).max() for width in (9, 11)]
    assert min(near) < 1e-9


# The envelope.


def tones(length: int = 4000) -> tuple[AnyArray, AnyArray]:
    """Return tones of changing amplitude, and the amplitudes."""
    times = np.arange(length) / RATE
    amplitudes = np.stack([2 + np.sin(2 * np.pi * times), 5 + np.cos(4 * np.pi * times)], axis=1)
    return amplitudes * np.sin(2 * np.pi * 100 * times[:, None]), amplitudes


@pytest.mark.parametrize("source", ["stored", "memory", "dask"])
@pytest.mark.parametrize("rows", [50, 333, 10_000])
def test_an_envelope_is_that_of_scipy_but_for_some_thousandths(source: str, rows: int) -> None:
    data, amplitudes = tones()
    lazy = dask.array.from_array(data, chunks=(700, 1))
    series = stored_series(data) if source == "stored" else plain_series(data if source == "memory" else lazy)
    with in_blocks(rows):
        found = computed(analysis.envelope(series, overlap=0.2))
    # The ends go on as nothing does, and so are another matter.
    inner = slice(300, -300)
    assert np.abs(found - np.abs(sps.hilbert(data, axis=0)))[inner].max() <= 0.01 * largest(amplitudes)
    assert np.abs(found - amplitudes)[inner].max() <= 0.01 * largest(amplitudes)
    assert (found >= 0).all()


def test_an_envelope_in_one_block_is_that_of_the_samples_with_nothing_around() -> None:
    data, _ = tones(500)
    found = computed(analysis.envelope(plain_series(data)))
    padded = np.concatenate([np.zeros((100_000, 2)), data, np.zeros((100_000, 2))])
    wanted = np.abs(sps.hilbert(padded, axis=0))[100_000:-100_000]
    assert np.abs(found - wanted).max() <= 0.005 * largest(data)


@pytest.mark.parametrize("rest", RESTS, ids=["1-d", "2-d", "3-d"])
def test_an_envelope_keeps_the_shape(rest: tuple[int, ...]) -> None:
    with in_blocks(100):
        found = analysis.envelope(recording("stored", rest), overlap=0.05)
    assert computed(found).shape == (LENGTH, *rest)
    assert computed(found).dtype == "float32"


# What a result says of itself.


@cache
def calibrated() -> Any:
    return stored_electrical(noise((3,)), conversion=1e-3, offset=40.0, channel_conversion=[1.0, 2.0, -3.0])


@cache
def empty(source: str) -> TimeSeries:
    data = np.zeros((0, 3))
    if source == "stored":
        found: TimeSeries = stored_series(data)
        return found
    return plain_series(data if source == "memory" else dask.array.from_array(data))


@cache
def spoilt(source: str, bad: float) -> TimeSeries:
    """Return a series with one sample that is no number: 431 of channel 2."""
    data = noise((3,), "float64")
    data[431, 2] = bad
    if source == "stored":
        found: TimeSeries = stored_series(data)
        return found
    return plain_series(data if source == "memory" else dask.array.from_array(data, chunks=(70, 2)))


@pytest.mark.parametrize("operation", NEED_RATE)
def test_an_electrical_series_stays_one(operation: str) -> None:
    series = calibrated()
    found = NEED_RATE[operation](series)
    assert type(found) is ElectricalSeries
    assert found.unit == "volts"
    assert found.conversion == 1e-3
    assert list(found.channel_conversion) == [1.0, 2.0, -3.0]
    assert found.electrodes.table is series.electrodes.table
    assert list(found.electrodes.data) == list(series.electrodes.data)
    assert found.filtering
    assert found.starting_time == START
    assert found.data.shape[1:] == (3,)


@EACH
def test_the_result_is_right_in_the_unit(operation: str) -> None:
    run, on_whole, tolerance = OPERATIONS[operation]
    data = noise((3,))
    with in_blocks(140):
        found = run(calibrated(), dtype="float64")
    assert found.unit == "volts"
    # What passes no constant passes no offset either.
    offset = 0.0 if operation.startswith(("bandpass", "highpass")) else 40.0
    in_unit = computed(found) * found.conversion + found.offset
    assert_near(in_unit, on_whole(data) * 1e-3 + offset, tolerance * largest(data) * 1e-3 + 1e-9)


@pytest.mark.parametrize("operation", NEED_RATE)
def test_a_result_has_a_name_and_times(operation: str) -> None:
    series = recording("stored")
    run = NEED_RATE[operation]
    assert run(series, name="mine").name == "mine"
    found = run(series)
    assert found.name.startswith("raw_")
    assert found.timestamps is None
    assert found.starting_time == START
    rates = {"decimate by 2": 500, "decimate by 7": RATE / 7, "resample down": 400, "resample up": 3000}
    rates["resample by 7/3"] = RATE * 7 / 3
    assert found.rate == pytest.approx(rates.get(operation, RATE))
    assert found.num_samples == -(-LENGTH * found.rate // RATE)


def test_a_series_with_the_default_start_has_a_result_with_it() -> None:
    series = TimeSeries("raw", data=noise(), unit="V", rate=RATE)
    assert analysis.lowpass(series, 100).starting_time == series.starting_time == 0.0


def test_signatures_are_as_they_are_described() -> None:
    """Defaults are part of what a result is."""
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(analysis.bandpass).parameters.items()
        if parameter.default is not parameter.empty
    }
    assert defaults == {"order": 5, "zero_phase": True, "tolerance": 1e-6, "dtype": None, "name": None}


# Bad input.


@pytest.mark.parametrize("operation", NEED_RATE)
def test_timestamps_are_not_taken_for_a_rate(operation: str) -> None:
    series = plain_series(noise(), timestamps=np.arange(LENGTH) / RATE)
    with pytest.raises(SamplingError, match="raw"):
        NEED_RATE[operation](series)


@pytest.mark.parametrize("operation", NEED_RATE)
@pytest.mark.parametrize("source", ["memory", "dask", "stored"])
def test_no_samples_are_refused(operation: str, source: str) -> None:
    with pytest.raises(AnalysisError, match="raw"):
        NEED_RATE[operation](empty(source))


@pytest.mark.parametrize("operation", NEED_RATE)
def test_iterators_are_refused(operation: str) -> None:
    series = plain_series(iter([np.zeros((100, 3))]))
    with pytest.raises(AnalysisError, match="raw"):
        NEED_RATE[operation](series)


@pytest.mark.parametrize("operation", NEED_RATE)
def test_complex_samples_are_not_taken_for_real_ones(operation: str) -> None:
    series = plain_series(noise() + 1j * noise(seed=1))
    with pytest.raises(AnalysisError):
        computed(NEED_RATE[operation](series))


@pytest.mark.parametrize("operation", NEED_NUMBERS)
@pytest.mark.parametrize("source", ["stored", "memory", "dask"])
@pytest.mark.parametrize("bad", [np.nan, -np.inf], ids=["nan", "inf"])
def test_samples_that_are_no_numbers_are_named(operation: str, source: str, bad: float) -> None:
    with in_blocks(100):
        found = NEED_NUMBERS[operation](spoilt(source, bad))
    with pytest.raises(AnalysisError, match="raw") as caught:
        computed(found)
    words = str(caught.value).replace(",", " ").replace(":", " ").replace("(", " ").replace(")", " ").split()
    assert "431" in words
    assert "2" in words
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - made above
    assert type(again) is type(caught.value)
    assert str(again) == str(caught.value)


def test_a_sample_of_one_channel_that_is_no_number_is_named() -> None:
    data = noise((), "float64")
    data[77] = np.nan
    with in_blocks(50), pytest.raises(AnalysisError, match=r"\b77\b"):
        computed(analysis.bandpass(stored_series(data), 100, 300))


def test_blocks_far_from_what_is_no_number_are_computed() -> None:
    data = noise((3,), "float64")
    data[590, 1] = np.nan
    with in_blocks(100):
        found = analysis.bandpass(stored_series(data), 100, 300, tolerance=1e-3)
    with dask.config.set(scheduler="sync"):
        first = np.asarray(found.data.blocks[0].compute())
    clean = noise((3,), "float64")
    assert_near(first, both_ways(5, [100, 300], "bandpass")(clean)[:100], 1e-3 * largest(clean))


def test_a_mean_over_what_is_no_number_is_refused() -> None:
    data = noise((2,), "float64")
    data[250, 1] = np.nan
    with in_blocks(100), pytest.raises(AnalysisError, match="sample 250 of channel 1"):
        computed(analysis.moving_average(stored_series(data), 0.011))


@pytest.mark.parametrize(
    "edges",
    [(0, 100), (-5, 100), (100, 500), (100, 501), (300, 100), (100, 100), (np.nan, 100), (100, np.nan), (100, np.inf)],
)
def test_a_band_lies_between_nothing_and_half_the_rate(edges: tuple[float, float]) -> None:
    with pytest.raises(AnalysisError, match="Hz"):
        analysis.bandpass(recording("memory"), *edges)


@pytest.mark.parametrize("edge", [0, -1, 500, 1000, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("run", ["highpass", "lowpass", "notch"])
def test_an_edge_lies_between_nothing_and_half_the_rate(run: str, edge: float) -> None:
    with pytest.raises(AnalysisError, match="Hz"):
        getattr(analysis, run)(recording("memory"), edge)


@pytest.mark.parametrize("order", [0, -1, 2.5, np.nan])
def test_an_order_is_a_whole_number_above_nothing(order: Any) -> None:
    with pytest.raises(AnalysisError):
        analysis.bandpass(recording("memory"), 100, 300, order=order)


@pytest.mark.parametrize("quality", [0, -3, np.nan])
def test_a_quality_is_above_nothing(quality: float) -> None:
    with pytest.raises(AnalysisError):
        analysis.notch(recording("memory"), 100, quality=quality)


@pytest.mark.parametrize("tolerance", [0, -1e-3, np.nan])
def test_a_tolerance_is_above_nothing(tolerance: float) -> None:
    with pytest.raises(AnalysisError):
        analysis.bandpass(recording("memory"), 100, 300, tolerance=tolerance)


def pad_of(sos: AnyArray) -> int:
    """Return how many samples SciPy takes for the start of a filter; one more must be there."""
    sections = 2 * len(sos) + 1
    return int(3 * (sections - min(int((sos[:, 2] == 0).sum()), int((sos[:, 5] == 0).sum()))))


@pytest.mark.parametrize("kind", ["highpass", "lowpass"])
@pytest.mark.parametrize("order", [1, 2, 5, 8])
def test_a_series_is_as_long_as_scipy_needs(kind: str, order: int) -> None:
    sos = butter(order, 100, kind)
    needed = pad_of(sos) + 1
    data = noise((2,), "float64", length=needed)
    run = getattr(analysis, kind)
    with in_blocks(5):
        found = computed(run(plain_series(data), 100, order=order))
    assert_near(found, sps.sosfiltfilt(sos, data, axis=0), TOLERANCE * largest(data))
    with pytest.raises(AnalysisError, match="raw"):
        run(plain_series(data[:-1]), 100, order=order)


def test_a_decimated_series_is_as_long_as_scipy_needs() -> None:
    data = noise((), "float64", length=28)
    with pytest.raises(ValueError, match="padlen"):
        sps.decimate(data[:27], 3)
    assert_near(computed(analysis.decimate(plain_series(data), 3)), decimated(3)(data), TOLERANCE * largest(data))
    with pytest.raises(AnalysisError, match="raw"):
        analysis.decimate(plain_series(data[:27]), 3)


@pytest.mark.parametrize("width", [LENGTH / RATE + 0.002, 1000.0, 0, -0.1, np.nan, np.inf])
def test_a_mean_has_a_width_within_the_series(width: float) -> None:
    with pytest.raises(AnalysisError):
        analysis.moving_average(recording("memory"), width)


@pytest.mark.parametrize("factor", [1, 0, -2, 2.5, np.nan, "2"])
def test_a_factor_is_a_whole_number_above_one(factor: Any) -> None:
    with pytest.raises(AnalysisError):
        analysis.decimate(recording("memory"), factor)


@pytest.mark.parametrize("rate", [0, -100, np.nan, np.inf, np.pi, RATE * 0.123456789])
def test_a_rate_is_one_of_small_whole_numbers(rate: float) -> None:
    with pytest.raises(AnalysisError):
        analysis.resample(recording("memory"), rate)


@pytest.mark.parametrize("overlap", [-0.1, np.nan])
def test_an_overlap_is_a_time(overlap: float) -> None:
    with pytest.raises(AnalysisError):
        analysis.envelope(recording("memory"), overlap=overlap)


def test_texts_are_no_samples() -> None:
    texts = plain_series(np.array(["a", "b", "c"] * 40, dtype=object))
    with pytest.raises(AnalysisError):
        computed(analysis.bandpass(texts, 100, 300))
