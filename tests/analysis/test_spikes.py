"""Spikes: the extreme samples beyond a threshold, wherever blocks end; and the noise that thresholds are made of."""

from __future__ import annotations

import dask
import dask.array
import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbzarr import analysis
from nwbzarr.errors import AnalysisError, SamplingError
from tests.analysis.series import (
    LENGTH,
    RATE,
    SOURCES,
    START,
    AnyArray,
    in_blocks,
    noise,
    plain_series,
    recording,
    stored_electrical,
    stored_series,
)

CONVERSIONS = (1.0, 2.0, -0.5)


def brute(in_unit: AnyArray, threshold: object, around: int) -> list[tuple[int, int]]:
    """Return (sample, channel) of all spikes, by looking at every sample and what is around it."""
    channels = in_unit.reshape(len(in_unit), -1)
    limits = np.broadcast_to(np.asarray(threshold, dtype=float), channels.shape[1:])
    found = []
    for channel, limit in enumerate(limits):
        line = channels[:, channel] * np.sign(limit)
        for sample in np.flatnonzero(line > abs(limit)):
            before = line[max(sample - around, 0) : sample]
            after = line[sample + 1 : sample + around + 1]
            if (before < line[sample]).all() and (after <= line[sample]).all():
                found.append((int(sample), channel))
    return sorted(found)


def spikes_of(found: object) -> AnyArray:
    with dask.config.set(scheduler="sync"):
        spikes = np.asarray(found.compute())  # type: ignore[attr-defined]
    assert set(spikes.dtype.names or ()) == {"sample", "time", "channel", "amplitude"}
    assert (np.diff(spikes["time"]) >= 0).all()
    assert (np.diff(spikes["sample"]) >= 0).all()
    return spikes


def places(spikes: AnyArray) -> list[tuple[int, int]]:
    return sorted(zip(spikes["sample"].tolist(), spikes["channel"].tolist(), strict=True))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rest", [(), (3,)], ids=["1-d", "2-d"])
@pytest.mark.parametrize("threshold", [900.0, -300.0])
def test_spikes_are_those_that_looking_finds(source: str, rest: tuple[int, ...], threshold: float) -> None:
    data = noise(rest)
    wanted = brute(data, threshold + 0.5, 4)
    assert len(wanted) > 10
    for rows in (3, 70, 10_000):
        with in_blocks(rows):
            found = analysis.detect_spikes(recording(source, rest), threshold + 0.5, apart=0.004)
        spikes = spikes_of(found)
        assert places(spikes) == wanted
        np.testing.assert_allclose(spikes["time"], START + spikes["sample"] / RATE, rtol=1e-15)
        at = data.reshape(LENGTH, -1)[spikes["sample"], spikes["channel"]]
        np.testing.assert_array_equal(spikes["amplitude"], at)


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_equal_samples_and_borders_do_not_matter(data: st.DataObject) -> None:
    """Few values: runs of equal samples, spikes at both ends and at every border."""
    levels = st.lists(st.integers(-3, 3), min_size=1, max_size=60)
    line = np.array(data.draw(levels), dtype=float)
    around = data.draw(st.integers(1, 12))
    rows = data.draw(st.integers(3, 60))
    threshold = data.draw(st.sampled_from([-2.5, -0.5, 0.5, 1.5]))
    with in_blocks(rows):
        found = analysis.detect_spikes(plain_series(line), threshold, apart=around / RATE)
    assert places(spikes_of(found)) == brute(line, threshold, around)


@pytest.mark.parametrize("border", range(97, 104))
@pytest.mark.parametrize("source", ["stored", "dask"])
def test_a_spike_at_a_border_is_found_once(border: int, source: str) -> None:
    data = np.zeros((LENGTH, 2), dtype="int16")
    data[border - 1 : border + 2, 1] = [-50, -100, -50]
    lazy = dask.array.from_array(data, chunks=(100, 1))
    series = stored_series(data) if source == "stored" else plain_series(lazy)
    with in_blocks(100):
        found = analysis.detect_spikes(series, -30)
    assert places(spikes_of(found)) == [(border, 1)]


def test_one_threshold_for_each_channel() -> None:
    data = noise((3,))
    thresholds = [900.5, -300.5, 1200.5]
    with in_blocks(50):
        found = analysis.detect_spikes(recording("stored"), np.array(thresholds))
    assert places(spikes_of(found)) == brute(data, thresholds, 1)


@pytest.mark.parametrize("threshold", [0.9, -0.3])
@pytest.mark.parametrize("conversion", [1e-3, -1e-3])
@pytest.mark.parametrize("offset", [0.0, 0.2])
def test_thresholds_and_amplitudes_are_in_the_unit(threshold: float, conversion: float, offset: float) -> None:
    """Also where channels are stored upside down."""
    threshold += 1e-5
    data = noise((3,))
    series = stored_electrical(data, conversion=conversion, offset=offset, channel_conversion=CONVERSIONS)
    in_unit = data * conversion * np.array(CONVERSIONS) + offset
    with in_blocks(50):
        spikes = spikes_of(analysis.detect_spikes(series, threshold, apart=0.003))
    assert places(spikes) == brute(in_unit, threshold, 3)
    np.testing.assert_allclose(spikes["amplitude"], in_unit[spikes["sample"], spikes["channel"]], rtol=1e-6)


def test_the_default_is_a_millisecond() -> None:
    found = spikes_of(analysis.detect_spikes(recording("memory"), 900.5))
    assert places(found) == brute(noise((3,)), 900.5, 1)


def test_no_spikes_are_an_empty_array() -> None:
    found = spikes_of(analysis.detect_spikes(recording("stored"), 1e9))
    assert found.shape == (0,)


def test_unsigned_samples_go_down_too() -> None:
    """Where zero is in the midst of what is stored, a threshold below zero is a positive number there."""
    data = (noise((2,)) + 3000).astype("uint16")
    found = spikes_of(analysis.detect_spikes(plain_series(data, offset=-3000.0), -300.5, apart=0.002))
    assert places(found) == brute(data.astype(float) - 3000, -300.5, 2)


def test_the_lowest_integer_has_an_amplitude() -> None:
    """Its negative does not fit the dtype."""
    data = np.zeros((50, 1), dtype="int16")
    data[20] = -32768
    found = spikes_of(analysis.detect_spikes(plain_series(data), -100))
    assert places(found) == [(20, 0)]
    assert found["amplitude"].tolist() == [-32768.0]


# Noise.


def deviation(in_unit: AnyArray) -> AnyArray:
    return np.asarray(scipy.stats.median_abs_deviation(in_unit, axis=0, scale="normal"))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rest", [(), (3,)], ids=["1-d", "2-d"])
def test_noise_of_a_short_series_is_that_of_all_samples(source: str, rest: tuple[int, ...]) -> None:
    with dask.config.set(scheduler="sync"):
        found = np.asarray(analysis.noise_levels(recording(source, rest)))
    np.testing.assert_allclose(found, deviation(noise(rest)), rtol=1e-6)


def test_noise_is_in_the_unit() -> None:
    series = stored_electrical(noise((3,)), conversion=1e-6, offset=0.5, channel_conversion=CONVERSIONS)
    found = np.asarray(analysis.noise_levels(series))
    np.testing.assert_allclose(found, deviation(noise((3,)) * 1e-6 * np.array(CONVERSIONS) + 0.5), rtol=1e-5)
    assert (found > 0).all()


def test_noise_of_pieces_is_near_that_of_the_whole() -> None:
    data = np.random.default_rng(0).normal(0, [1, 5], (40_000, 2))
    with dask.config.set(scheduler="sync"):
        found = np.asarray(analysis.noise_levels(plain_series(data), pieces=10, length=0.5))
    np.testing.assert_allclose(found, [1, 5], rtol=0.05)


def test_noise_makes_a_threshold() -> None:
    series = recording("stored", (3,))
    levels = analysis.noise_levels(series)
    found = spikes_of(analysis.detect_spikes(series, 1.5 * levels, apart=0.002))
    assert places(found) == brute(noise((3,)), 1.5 * np.asarray(levels), 2)


# Bad input.


@pytest.mark.parametrize(
    "threshold", [0, 0.0, np.nan, np.inf, [1.0, 2.0], [1.0, 0.0, 1.0], [1.0, np.nan, 1.0], "high", None]
)
def test_thresholds_are_numbers_other_than_zero(threshold: object) -> None:
    with pytest.raises(AnalysisError, match="threshold"):
        analysis.detect_spikes(recording("memory"), threshold)


@pytest.mark.parametrize("apart", [-0.001, np.nan, np.inf])
def test_spikes_are_some_time_apart(apart: float) -> None:
    with pytest.raises(AnalysisError, match="apart"):
        analysis.detect_spikes(recording("memory"), 5, apart=apart)


@pytest.mark.parametrize("data", [np.zeros((0, 3)), np.zeros((5, 0))])
def test_no_samples_are_refused(data: AnyArray) -> None:
    with pytest.raises(AnalysisError, match="raw"):
        analysis.detect_spikes(plain_series(data), 5)
    with pytest.raises(AnalysisError, match="raw"):
        analysis.noise_levels(plain_series(data))


def test_iterators_are_refused() -> None:
    with pytest.raises(AnalysisError, match="raw"):
        analysis.detect_spikes(plain_series(iter([noise((3,))])), 5)
    with pytest.raises(AnalysisError, match="raw"):
        analysis.noise_levels(plain_series(iter([noise((3,))])))


def test_timestamps_are_not_taken_for_a_rate() -> None:
    series = plain_series(noise((3,)), timestamps=np.arange(LENGTH) / RATE)
    with pytest.raises(SamplingError, match="raw"):
        analysis.detect_spikes(series, 5)
    with pytest.raises(SamplingError, match="raw"):
        analysis.noise_levels(series)


@pytest.mark.parametrize("wrong", [{"pieces": 0}, {"pieces": -1}, {"length": 0}, {"length": -1.0}, {"length": np.nan}])
def test_pieces_of_noise_are_some(wrong: dict[str, float]) -> None:
    with pytest.raises(AnalysisError):
        analysis.noise_levels(recording("memory"), **wrong)  # type: ignore[arg-type]
