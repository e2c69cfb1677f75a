"""Levels: common reference, detrend, z-score, as NumPy and SciPy have them for the whole array."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import dask.array
import numpy as np
import pytest
import scipy.signal as sps
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbzarr import ElectricalSeries, TimeSeries, analysis
from nwbzarr.errors import AnalysisError
from tests.analysis.series import (
    BLOCKS,
    LENGTH,
    RATE,
    RESTS,
    SOURCES,
    TYPES,
    AnyArray,
    assert_near,
    computed,
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

CHANNELS = 5

#: Levels that are taken of every channel by itself, and what SciPy makes of the whole.
ALONE: dict[str, tuple[Callable[..., Any], Callable[[AnyArray], AnyArray]]] = {
    "line": (analysis.detrend, lambda data: np.asarray(sps.detrend(data.astype(float), axis=0))),
    "mean": (
        lambda series, **more: analysis.detrend(series, "constant", **more),
        lambda data: np.asarray(sps.detrend(data.astype(float), axis=0, type="constant")),
    ),
    "zscore": (analysis.zscore, lambda data: np.asarray(scipy.stats.zscore(data.astype(float), axis=0))),
}
EACH = pytest.mark.parametrize("level", ALONE)


def referenced(data: AnyArray, how: str = "median", groups: Any = None) -> AnyArray:
    made = data.astype(float).copy()
    for group in groups if groups is not None else [range(data.shape[1])]:
        part = data[:, list(group)].astype(float)
        made[:, list(group)] -= getattr(np, how)(part, axis=1, keepdims=True)
    return made


@EACH
@pytest.mark.parametrize(
    ("source", "rest"),
    [*(("stored", rest) for rest in RESTS), ("memory", ()), ("dask", (3, 2)), ("dask", (3,)), ("chained", (3,))],
)
def test_a_level_is_what_scipy_gives(level: str, source: str, rest: tuple[int, ...]) -> None:
    run, on_whole = ALONE[level]
    data = noise(rest)
    wanted = on_whole(data)
    for rows in BLOCKS:
        with in_blocks(rows):
            found = run(recording(source, rest), dtype="float64")
        assert_near(computed(found), wanted, 1e-9 * largest(wanted))


@EACH
@pytest.mark.parametrize("dtype", TYPES)
def test_the_dtype_is_single_unless_samples_are_double(level: str, dtype: str) -> None:
    run, on_whole = ALONE[level]
    with in_blocks(100):
        found = computed(run(recording("stored", (3,), dtype)))
    assert found.dtype == ("float64" if dtype == "float64" else "float32")
    assert_near(found, on_whole(noise((3,), dtype)), 1e-6 * largest(found))


@EACH
@pytest.mark.parametrize("level_of_all", [1e6, -1e9])
def test_far_from_zero_nothing_is_lost(level: str, level_of_all: float) -> None:
    run, on_whole = ALONE[level]
    data = np.random.default_rng(3).normal(level_of_all, 1, (LENGTH, 2))
    with in_blocks(70):
        found = computed(run(plain_series(data)))
    assert_near(found, on_whole(data), 1e-5)


@EACH
def test_integers_are_rounded_and_end_at_their_limits(level: str) -> None:
    run, on_whole = ALONE[level]
    with in_blocks(100):
        found = computed(run(recording("stored"), dtype="int8"))
    assert found.dtype == "int8"
    np.testing.assert_array_equal(found, np.clip(np.rint(on_whole(noise((3,)))), -128, 127))


@EACH
@pytest.mark.parametrize("source", ["stored", "memory"])
def test_what_is_no_number_spoils_its_channel_only(level: str, source: str) -> None:
    run, on_whole = ALONE[level]
    data = noise((3,), "float64")
    wanted = on_whole(data)
    data[333, 1] = np.nan
    with in_blocks(100):
        found = computed(run(stored_series(data) if source == "stored" else plain_series(data)))
    assert np.isnan(found[:, 1]).all()
    assert_near(found[:, ::2], wanted[:, ::2], 1e-9 * largest(wanted))


@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, -1e-30, 1 / 3, 12345.678])
@pytest.mark.parametrize("rows", [33, 10_000])
def test_a_constant_channel_has_no_score(value: float, rows: int) -> None:
    data = noise((3,), "float64")
    data[:, 1] = value
    with in_blocks(rows):
        found = computed(analysis.zscore(plain_series(data)))
    assert np.isnan(found[:, 1]).all()
    assert np.isfinite(found[:, ::2]).all()


def test_one_sample_has_no_score_and_no_trend() -> None:
    one = plain_series(np.array([[1.0, 2.0]]))
    assert np.isnan(computed(analysis.zscore(one))).all()
    assert computed(analysis.detrend(one, "constant")).tolist() == [[0.0, 0.0]]
    # A line through one sample leaves nothing of it.
    assert computed(analysis.detrend(one)).tolist() == [[0.0, 0.0]]


@EACH
def test_series_with_timestamps_share_them(level: str) -> None:
    run, on_whole = ALONE[level]
    series = plain_series(noise((3,), "float64"), timestamps=np.sort(np.random.default_rng(0).random(LENGTH)))
    found = run(series)
    assert found.rate is None
    assert found.timestamps is not None
    np.testing.assert_array_equal(np.asarray(found.timestamps), np.asarray(series.timestamps))
    assert_near(computed(found), on_whole(noise((3,), "float64")), 1e-6)


@EACH
@pytest.mark.parametrize("empty", [np.zeros(0), np.zeros((0, 3)), np.zeros((5, 0))])
def test_no_samples_are_refused(level: str, empty: AnyArray) -> None:
    with pytest.raises(AnalysisError):
        ALONE[level][0](plain_series(empty))


@EACH
def test_iterators_are_refused(level: str) -> None:
    with pytest.raises(AnalysisError, match="raw"):
        ALONE[level][0](plain_series(iter([np.zeros((100, 3))])))


@pytest.mark.parametrize("kind", ["quadratic", "", None, 1])
def test_an_unknown_kind_of_trend_is_refused(kind: Any) -> None:
    with pytest.raises(AnalysisError, match="kind"):
        analysis.detrend(recording("memory"), kind)


# The common reference.


@cache
def probe(**fields: Any) -> Any:
    return stored_electrical(noise((CHANNELS,)), **fields)


@pytest.mark.parametrize("how", ["median", "mean"])
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("groups", [None, [[0, 2]], [[2, 0], [1]]])
def test_a_reference_is_that_of_numpy(how: str, source: str, groups: Any) -> None:
    data = noise((3,))
    for rows in BLOCKS:
        with in_blocks(rows):
            found = analysis.common_reference(recording(source), how, groups=groups, dtype="float64")
        assert_near(computed(found), referenced(data, how, groups), 1e-12 * largest(data))


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_groups_are_taken_by_themselves(data: st.DataObject) -> None:
    channels = data.draw(st.integers(1, 9))
    order = data.draw(st.permutations(range(channels)))
    cuts = sorted(data.draw(st.sets(st.integers(1, channels))))
    groups = [list(order[start:stop]) for start, stop in zip([0, *cuts], cuts, strict=False)]
    samples = noise((channels,), "int16", length=50, seed=channels)
    how = data.draw(st.sampled_from(["median", "mean"]))
    with in_blocks(data.draw(st.integers(1, 60))):
        found = analysis.common_reference(plain_series(samples), how, groups=groups or None, dtype="float64")
    assert_near(computed(found), referenced(samples, how, groups or None), 1e-9)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int8"])
def test_small_integers_do_not_wrap_around(dtype: str) -> None:
    limits = np.iinfo(dtype)
    data = np.random.default_rng(0).integers(limits.min, limits.max, (100, 4), dtype=dtype, endpoint=True)
    for how in ("median", "mean"):
        found = computed(analysis.common_reference(plain_series(data), how))
        assert found.dtype == "float32"
        assert_near(found, referenced(data, how), 1e-3)


def test_references_are_rounded_to_integers() -> None:
    data = noise((3,))
    found = computed(analysis.common_reference(plain_series(data), "mean", dtype="int16"))
    np.testing.assert_array_equal(found, np.rint(referenced(data, "mean")))
    found = computed(analysis.common_reference(plain_series(data * 20), "mean", dtype="int16"))
    np.testing.assert_array_equal(found, np.clip(np.rint(referenced(data * 20, "mean")), -32768, 32767))


def test_what_is_no_number_spoils_its_time_and_group_only() -> None:
    data = noise((4,), "float64")
    data[40, 1] = np.nan
    for how in ("median", "mean"):
        with in_blocks(30):
            found = computed(analysis.common_reference(plain_series(data), how, groups=[[0, 1], [2, 3]]))
        wanted = referenced(data, how, [[0, 1], [2, 3]])
        np.testing.assert_allclose(found, wanted, rtol=1e-12, equal_nan=True)
        assert np.isnan(found).sum() == 2


def test_channels_that_differ_are_compared_in_the_unit() -> None:
    conversions = [1.0, 2.0, 0.5, 1.5, -1.0]
    series = probe(conversion=1e-6, offset=0.25, channel_conversion=tuple(conversions))
    in_unit = noise((CHANNELS,)) * 1e-6 * np.array(conversions) + 0.25
    with in_blocks(90):
        found = analysis.common_reference(series, "median", dtype="float64")
    assert type(found) is ElectricalSeries
    assert found.unit == "volts"
    factors = 1.0 if found.channel_conversion is None else np.asarray(found.channel_conversion)
    assert_near(computed(found) * found.conversion * factors + found.offset, referenced(in_unit), 1e-15)


def test_a_reference_keeps_conversion_and_electrodes() -> None:
    series = probe(conversion=1e-6, offset=0.25)
    found = analysis.common_reference(series)
    assert type(found) is ElectricalSeries
    assert found.unit == "volts"
    assert found.electrodes.table is series.electrodes.table
    in_unit = computed(found).astype(float) * found.conversion + found.offset
    assert_near(in_unit, referenced(noise((CHANNELS,)) * 1e-6 + 0.25), 1e-9)


def test_channels_in_no_group_stay_also_in_the_unit() -> None:
    series = probe(conversion=1e-6, offset=0.25)
    found = analysis.common_reference(series, groups=[[0, 1]], dtype="float64")
    in_unit = computed(found) * found.conversion + found.offset
    # Those less their median have lost the offset; the others have it.
    assert_near(in_unit, referenced(noise((CHANNELS,)) * 1e-6 + 0.25, "median", [[0, 1]]), 1e-12)


@pytest.mark.parametrize("level", ["line", "mean"])
def test_a_level_that_is_taken_off_takes_the_offset_along(level: str) -> None:
    run, on_whole = ALONE[level]
    found = run(probe(conversion=1e-6, offset=0.25), dtype="float64")
    assert type(found) is ElectricalSeries
    in_unit = computed(found) * found.conversion + found.offset
    assert_near(in_unit, on_whole(noise((CHANNELS,)) * 1e-6 + 0.25), 1e-12)


def test_scores_have_a_unit_of_their_own() -> None:
    found = analysis.zscore(probe(conversion=1e-6, offset=0.25))
    assert isinstance(found, TimeSeries)
    assert found.unit != "volts"
    assert (found.conversion, found.offset) == (1.0, 0.0)


def test_scores_have_the_sign_of_the_unit() -> None:
    """Where a channel is stored upside down, its scores in the unit are upside down too."""
    data = noise((CHANNELS,))
    conversions = (1.0, 2.0, -1.0, 1.5, -3.0)
    found = computed(analysis.zscore(probe(conversion=1e-6, channel_conversion=conversions), dtype="float64"))
    wanted = scipy.stats.zscore(data * 1e-6 * np.array(conversions), axis=0)
    assert_near(found, wanted, 1e-9)


def test_levels_have_names() -> None:
    series = recording("memory")
    assert analysis.detrend(series).name == "raw_detrend"
    assert analysis.zscore(series, name="z").name == "z"
    assert analysis.common_reference(series, name="cmr").name == "cmr"


@pytest.mark.parametrize("how", ["mode", "", None, "max"])
def test_an_unknown_way_is_refused(how: Any) -> None:
    with pytest.raises(AnalysisError, match="how"):
        analysis.common_reference(recording("memory"), how)


@pytest.mark.parametrize("groups", [[[0, 3]], [[-1, 0]], [[0, 1], [1, 2]], [[0, 0]], [[0.5, 1]], [["a"]], 3, [1]])
def test_groups_list_channels_once(groups: Any) -> None:
    with pytest.raises(AnalysisError, match="groups"):
        analysis.common_reference(recording("memory"), groups=groups)


@pytest.mark.parametrize("rest", [(), (3, 2)])
def test_a_reference_needs_channels(rest: tuple[int, ...]) -> None:
    with pytest.raises(AnalysisError, match="raw"):
        analysis.common_reference(recording("memory", rest))


@pytest.mark.parametrize("empty", [np.zeros((0, 3)), np.zeros((5, 0))])
def test_a_reference_needs_samples(empty: AnyArray) -> None:
    with pytest.raises(AnalysisError):
        analysis.common_reference(plain_series(empty))


def test_a_reference_needs_an_array() -> None:
    with pytest.raises(AnalysisError, match="raw"):
        analysis.common_reference(plain_series(iter([np.zeros((100, 3))])))


def test_levels_of_dask_arrays_in_blocks_of_channels() -> None:
    data = noise((6,))
    series = plain_series(dask.array.from_array(data, chunks=(100, 2)))
    with in_blocks(80):
        found = analysis.common_reference(series, dtype="float64")
        scores = analysis.zscore(series, dtype="float64")
    assert_near(computed(found), referenced(data), 1e-9)
    assert_near(computed(scores), ALONE["zscore"][1](data), 1e-9)


def test_small_units_are_not_lost_in_a_large_offset() -> None:
    data = noise((CHANNELS,))
    plain = TimeSeries("plain", data=data, unit="V", rate=RATE)
    shifted = TimeSeries("shifted", data=data, unit="V", rate=RATE, conversion=1e-9, offset=1e9)
    np.testing.assert_array_equal(computed(analysis.zscore(shifted)), computed(analysis.zscore(plain)))
    np.testing.assert_allclose(analysis.noise_levels(shifted) * 1e9, analysis.noise_levels(plain), rtol=1e-9)
    powers = [computed(analysis.welch(series, 0.1).values) for series in (shifted, plain)]
    np.testing.assert_allclose(powers[0] * 1e18, powers[1], rtol=1e-9)
