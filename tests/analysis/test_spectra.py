"""Spectra: Fourier transform, Welch's average, spectrogram, in the unit of the series, as NumPy and SciPy have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dask
import dask.array
import numpy as np
import pytest
import scipy.signal as sps
from hypothesis import given, settings
from hypothesis import strategies as st

import nwbzarr
from nwbzarr import DecompositionSeries, NWBZarrIO, analysis
from nwbzarr.errors import AnalysisError, SamplingError
from tests.analysis.series import (
    LENGTH,
    RATE,
    RESTS,
    SOURCES,
    START,
    AnyArray,
    assert_near,
    bare,
    computed,
    in_blocks,
    largest,
    noise,
    origin_of,
    plain_series,
    recording,
    store_session,
    stored_electrical,
    stored_series,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BLOCKS = (1, 70, 10_000)
CONVERSIONS = (1.0, 2.0, -0.5)

#: Arguments of Welch's average and the spectrogram, and what they are for SciPy.
ARGUMENTS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"segment": 0.1}, {"nperseg": 100, "noverlap": 50}),
    ({"segment": 0.064, "overlap": 0.75}, {"nperseg": 64, "noverlap": 48}),
    ({"segment": 0.05, "overlap": 0}, {"nperseg": 50, "noverlap": 0}),
    ({"segment": 0.033, "overlap": 1 / 3, "window": "boxcar"}, {"nperseg": 33, "noverlap": 11, "window": "boxcar"}),
    ({"segment": 0.6}, {"nperseg": 600, "noverlap": 300}),
    (
        {"segment": 0.1, "window": ("kaiser", 3.0), "detrend": "linear", "scaling": "spectrum"},
        {"nperseg": 100, "noverlap": 50, "window": ("kaiser", 3.0), "detrend": "linear", "scaling": "spectrum"},
    ),
)


def welch(data: AnyArray, options: dict[str, Any]) -> tuple[AnyArray, AnyArray]:
    asked = {"window": "hann", "detrend": "constant", **options}
    frequencies, power = sps.welch(data.astype(float), fs=RATE, axis=0, **asked)
    return frequencies, power


def spectrogram(data: AnyArray, options: dict[str, Any]) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Return frequencies, times from the first sample, and power: times, then channels, then frequencies."""
    asked = {"window": "hann", "detrend": "constant", **options}
    frequencies, times, power = sps.spectrogram(data.astype(float), fs=RATE, axis=0, **asked)
    return frequencies, times, np.moveaxis(np.moveaxis(power, -1, 0), 1, -1)


def values(spectrum: Any) -> AnyArray:
    with dask.config.set(scheduler="sync"):
        found = np.asarray(spectrum.compute())
    assert found.shape == spectrum.values.shape
    assert found.dtype == spectrum.values.dtype
    return found


# The Fourier transform.


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rest", RESTS, ids=["1-d", "2-d", "3-d"])
def test_a_transform_is_that_of_numpy(source: str, rest: tuple[int, ...]) -> None:
    data = noise(rest)
    for rows in (31, 10_000):
        with in_blocks(rows):
            found = analysis.fft(recording(source, rest))
        wanted = np.fft.rfft(data, axis=0)
        assert np.abs(values(found) - wanted).max() <= 1e-12 * np.abs(wanted).max()
        np.testing.assert_allclose(found.frequencies, np.fft.rfftfreq(LENGTH, 1 / RATE))


def test_a_transform_of_an_odd_number_of_samples() -> None:
    data = noise((2,))[:-1]
    found = analysis.fft(plain_series(data))
    np.testing.assert_allclose(values(found), np.fft.rfft(data, axis=0), atol=1e-6)
    np.testing.assert_allclose(found.frequencies, np.fft.rfftfreq(LENGTH - 1, 1 / RATE))


def test_a_transform_is_in_the_unit() -> None:
    series = stored_electrical(noise((3,)), conversion=1e-3, offset=0.25, channel_conversion=CONVERSIONS)
    found = analysis.fft(series)
    wanted = np.fft.rfft(noise((3,)) * 1e-3 * np.array(CONVERSIONS) + 0.25, axis=0)
    assert found.unit == "volts"
    np.testing.assert_allclose(values(found), wanted, atol=1e-9)
    with dask.config.set(scheduler="sync"):
        np.testing.assert_array_equal(np.asarray(found), values(found))


# Welch's average.


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rest", RESTS, ids=["1-d", "2-d", "3-d"])
def test_an_average_is_that_of_scipy(source: str, rest: tuple[int, ...]) -> None:
    data = noise(rest)
    for rows in BLOCKS:
        for given_arguments, options in ARGUMENTS if rows == 70 else ARGUMENTS[:2]:
            frequencies, wanted = welch(data, options)
            with in_blocks(rows):
                found = analysis.welch(recording(source, rest), **given_arguments)
            np.testing.assert_allclose(found.frequencies, frequencies)
            assert_near(values(found).astype(float), wanted, 1e-6 * largest(wanted))


@settings(deadline=None, max_examples=25)
@given(st.integers(8, 300), st.floats(0, 0.95), st.integers(300, 500), st.integers(1, 300), st.booleans())
def test_any_segments_are_those_of_scipy(size: int, overlap: float, length: int, rows: int, linear: bool) -> None:
    data = np.random.default_rng(size).normal(0, 1, (length, 2))
    shared = round(size * overlap)
    shared = min(shared, size - 1)
    detrend = "linear" if linear else "constant"
    options = {"nperseg": size, "noverlap": shared, "detrend": detrend}
    with in_blocks(rows):
        average = analysis.welch(plain_series(data), size / RATE, overlap=shared / size, detrend=detrend)
        over_time = analysis.spectrogram(plain_series(data), size / RATE, overlap=shared / size, detrend=detrend)
    _, wanted = welch(data, options)
    assert_near(values(average), wanted, 1e-6 * largest(wanted))
    _, times, each = spectrogram(data, options)
    assert over_time.data.shape == each.shape
    assert_near(computed(over_time), each, 1e-6 * largest(each))
    np.testing.assert_allclose(
        over_time.starting_time + np.arange(len(each)) / over_time.rate, START + times, rtol=1e-9
    )


@pytest.mark.parametrize(("scaling", "unit"), [("density", "volts**2/Hz"), ("spectrum", "volts**2")])
def test_power_is_in_the_unit_squared(scaling: str, unit: str) -> None:
    series = stored_electrical(noise((3,)), conversion=1e-3, offset=0.25, channel_conversion=CONVERSIONS)
    in_unit = noise((3,)) * 1e-3 * np.array(CONVERSIONS) + 0.25
    with in_blocks(90):
        found = analysis.welch(series, 0.1, scaling=scaling)
        over_time = analysis.spectrogram(series, 0.1, scaling=scaling)
    options = {"nperseg": 100, "noverlap": 50, "scaling": scaling}
    _, wanted = welch(in_unit, options)
    assert found.unit == over_time.unit == unit
    np.testing.assert_allclose(values(found), wanted, rtol=1e-5, atol=1e-6 * wanted.max())
    _, _, each = spectrogram(in_unit, options)
    np.testing.assert_allclose(
        computed(over_time) * over_time.conversion + over_time.offset, each, rtol=1e-5, atol=1e-6 * each.max()
    )


def test_small_values_far_below_single_precision_keep_their_digits() -> None:
    """Microvolts squared by Hz are some 1e-14; a channel a million times as weak is as exact."""
    data = noise((2,), "float64") * np.array([1e-6, 1e-12])
    _, wanted = welch(data, {"nperseg": 100, "noverlap": 50})
    np.testing.assert_allclose(values(analysis.welch(plain_series(data), 0.1)), wanted, rtol=1e-5)


def test_the_default_segment_is_a_second() -> None:
    data = noise((2,), length=3000)
    frequencies, wanted = welch(data, {"nperseg": 1000})
    found = analysis.welch(plain_series(data))
    np.testing.assert_allclose(found.frequencies, frequencies)
    assert_near(values(found).astype(float), wanted, 1e-6 * largest(wanted))


# Spectrograms.


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rest", [(), (3,)], ids=["1-d", "2-d"])
def test_a_spectrogram_is_that_of_scipy(source: str, rest: tuple[int, ...]) -> None:
    data = noise(rest)
    for rows in BLOCKS:
        for given_arguments, options in ARGUMENTS if rows == 70 else ARGUMENTS[:2]:
            frequencies, times, wanted = spectrogram(data, options)
            with in_blocks(rows):
                found: Any = analysis.spectrogram(recording(source, rest), **given_arguments)
            assert type(found) is DecompositionSeries
            assert found.data.dtype == "float32"
            power = computed(found)
            assert power.ndim == 3
            assert_near(power.reshape(wanted.shape), wanted, 1e-6 * largest(wanted))
            stamps = float(found.starting_time or 0) + np.arange(len(times)) / float(found.rate or 0)
            np.testing.assert_allclose(stamps, START + times)
            limits = np.asarray(found.bands["band_limits"][:])
            np.testing.assert_allclose(limits[1:-1].mean(axis=1), frequencies[1:-1])
            assert len(limits) == len(frequencies) == power.shape[2]


def test_a_spectrogram_tells_what_it_is() -> None:
    series = recording("stored")
    found = analysis.spectrogram(series)
    assert found.metric == "power"
    assert found.source_timeseries is series
    assert analysis.spectrogram(series, name="mine").name == "mine"
    limits = np.asarray(found.bands["band_limits"][:])
    assert (limits[:, 0] < limits[:, 1]).all()
    np.testing.assert_allclose(limits[1:, 0], limits[:-1, 1])
    assert limits[0, 0] == 0
    assert limits[-1, 0] <= RATE / 2 <= limits[-1, 1]


def test_a_spectrogram_is_stored_and_read_back(tmp_path: Path) -> None:
    series = stored_electrical(noise((3,)), url=str(tmp_path / "raw.nwb.zarr"), conversion=1e-6)
    with in_blocks(100):
        found = analysis.spectrogram(series, 0.1)
    session = bare("spectra")
    module = session.create_processing_module("ecephys", "spectra")
    module.add(found)
    url = str(tmp_path / "spectra.nwb.zarr")
    with dask.config.set(scheduler="sync"):
        store_session(session, url)
    assert nwbzarr.validate(url) == []
    with NWBZarrIO(url, "r") as io:
        read = io.read().processing["ecephys"][found.name]
        assert isinstance(read, DecompositionSeries)
        np.testing.assert_array_equal(np.asarray(read.data), computed(found))
        np.testing.assert_allclose(np.asarray(read.bands["band_limits"][:]), np.asarray(found.bands["band_limits"][:]))
        assert (read.unit, read.metric, read.rate) == (found.unit, "power", found.rate)
        assert read.starting_time == found.starting_time
        assert read.source_timeseries.name == "raw"
        np.testing.assert_array_equal(np.asarray(read.source_timeseries.data), noise((3,)))
        provenance = origin_of(read)
        assert provenance.steps[-1].parameters["segment"] == 0.1


def test_a_spectrogram_of_samples_of_several_dimensions_is_one_or_refused() -> None:
    """Bands come after channels, and a decomposition has three dimensions."""
    data = noise((3, 2))
    try:
        found = analysis.spectrogram(plain_series(data), 0.1)
    except AnalysisError:
        return
    _, _, wanted = spectrogram(data, {"nperseg": 100, "noverlap": 50})
    assert_near(computed(found).reshape(wanted.shape), wanted, 1e-6 * largest(wanted))


# Bad input.

SPECTRA: dict[str, Callable[..., Any]] = {
    "fft": analysis.fft,
    "welch": lambda series: analysis.welch(series, 0.1),
    "spectrogram": analysis.spectrogram,
}
EACH = pytest.mark.parametrize("spectrum", SPECTRA)
SEGMENTED = pytest.mark.parametrize("spectrum", [analysis.welch, analysis.spectrogram], ids=["welch", "spectrogram"])


@EACH
def test_timestamps_are_not_taken_for_a_rate(spectrum: str) -> None:
    with pytest.raises(SamplingError, match="raw"):
        SPECTRA[spectrum](plain_series(noise((3,)), timestamps=np.arange(LENGTH) / RATE))


@EACH
@pytest.mark.parametrize("data", [np.zeros((0, 3)), np.zeros((LENGTH, 0))])
def test_no_samples_are_refused(spectrum: str, data: AnyArray) -> None:
    with pytest.raises(AnalysisError, match="raw"):
        SPECTRA[spectrum](plain_series(data))


def test_no_stored_samples_are_refused() -> None:
    series = stored_series(np.zeros((0, 3)))
    for run in SPECTRA.values():
        with pytest.raises(AnalysisError, match="raw"):
            run(series)


@EACH
def test_iterators_are_refused(spectrum: str) -> None:
    with pytest.raises(AnalysisError, match="raw"):
        SPECTRA[spectrum](plain_series(iter([noise((3,))])))


def shown(found: Any) -> AnyArray:
    return computed(found if isinstance(found, DecompositionSeries) else found.values)


@EACH
def test_complex_samples_are_not_taken_for_real_ones(spectrum: str) -> None:
    with pytest.raises(AnalysisError):
        shown(SPECTRA[spectrum](plain_series(noise() + 1j * noise(seed=1))))


@SEGMENTED
@pytest.mark.parametrize("segment", [0, -0.1, np.nan, np.inf, 0.602, 100.0, 1e-9])
def test_a_segment_lies_within_the_series(spectrum: Any, segment: float) -> None:
    with pytest.raises(AnalysisError, match="segment"):
        spectrum(recording("memory"), segment)


@SEGMENTED
@pytest.mark.parametrize("overlap", [1, 1.5, -0.1, np.nan, np.inf])
def test_segments_share_a_part(spectrum: Any, overlap: float) -> None:
    with pytest.raises(AnalysisError, match="overlap"):
        spectrum(recording("memory"), 0.1, overlap=overlap)


@SEGMENTED
@pytest.mark.parametrize("window", ["no such window", ("kaiser",), 3j, None, "kaiser"])
def test_windows_are_those_of_scipy(spectrum: Any, window: Any) -> None:
    with pytest.raises(AnalysisError, match="window"):
        spectrum(recording("memory"), 0.1, window=window)


@SEGMENTED
@pytest.mark.parametrize(
    "wrong", [{"detrend": "quadratic"}, {"detrend": None}, {"scaling": "power"}, {"scaling": None}]
)
def test_words_are_those_that_are_known(spectrum: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(AnalysisError, match=next(iter(wrong))):
        spectrum(recording("memory"), 0.1, **wrong)
