"""Windows by time, and windows around events: as looking at the time of every sample would find them."""

from __future__ import annotations

import bisect
import math
import pickle
import uuid
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import dask
import dask.array
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from nwbzarr import Manager, Meter, NWBZarrIO, TimeSeries, Units, ZarrDataIO
from nwbzarr.errors import AnalysisError, SamplingError, TimeRangeError
from nwbzarr.model.timing import RegularTimes, StampedTimes, rate_of, times_of
from nwbzarr.model.windows import Aligned
from tests.analysis.series import (
    LENGTH,
    SOURCES,
    AnyArray,
    bare,
    computed,
    noise,
    plain_series,
    recording,
    store,
    store_session,
    stored_electrical,
    with_electrodes,
)

RATES = st.one_of(
    st.sampled_from([1.0, 10.0, 30_000.0, 24_414.0625, 1 / 3, 0.1, 29_999.97, 1e6, 1e7, 1250.0, 44_100.0]),
    st.floats(1e-3, 1e5),
)
BEGINNINGS = st.one_of(
    st.sampled_from([0.0, 1.7e9, -3.5, 0.1, 1e-9, 1_712_345_678.901234, -1.7e9]),
    st.floats(-1e4, 1e4),
)


def ulps(value: float, steps: int) -> float:
    """Return the float so many floats beside a value."""
    for _ in range(abs(steps)):
        value = math.nextafter(value, math.inf if steps > 0 else -math.inf)
    return value


@st.composite
def edges(draw: Any, stamps: AnyArray) -> float:
    """Draw a time: that of a sample, one ulp beside it, or one between or beyond samples."""
    if draw(st.integers(0, 3)):
        return ulps(float(draw(st.sampled_from(stamps.tolist()))), draw(st.sampled_from([-1, 0, 0, 1, -2, 2])))
    span = max(float(stamps[-1] - stamps[0]), 1e-6)
    part: float = draw(st.floats(-0.2, 1.2))
    return float(stamps[0]) + part * span


@st.composite
def irregular(draw: Any, largest: int = 80) -> AnyArray:
    """Draw timestamps in order: gaps, repeated ones, and huge ones."""
    gaps = draw(st.lists(st.sampled_from([0.0, 0.0, 1e-9, 0.001, 0.1, 1.0, 50.0]), min_size=1, max_size=largest))
    first: float = draw(st.sampled_from([0.0, -7.0, 1.7e9]))
    return first + np.cumsum(gaps)


def rows_within(stamps: AnyArray, start: float, stop: float) -> list[int]:
    return [row for row, time in enumerate(stamps.tolist()) if start <= time < stop]


@dataclass
class Counted:
    """Timestamps that say how often and how much of them was read."""

    stamps: Any
    chunks: tuple[int, ...]
    parts: list[slice] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.stamps),)

    @property
    def dtype(self) -> Any:
        return np.dtype(np.float64)

    ndim = 1

    def __len__(self) -> int:
        return len(self.stamps)

    def __getitem__(self, part: Any) -> Any:
        rows = part[0] if isinstance(part, tuple) else part
        found = slice(*rows.indices(len(self.stamps))) if isinstance(rows, slice) else slice(rows, rows + 1)
        self.parts.append(found)
        return self.stamps[part]

    def read_many(self, parts: Any) -> list[Any]:
        return [self[part] for part in parts]

    @property
    def rows_read(self) -> int:
        return sum(part.stop - part.start for part in self.parts)


class Counting:
    """A billion timestamps that are computed where they are looked at."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, part: Any) -> Any:
        rows = part[0] if isinstance(part, tuple) else part
        if isinstance(rows, slice):
            return np.arange(*rows.indices(self.count)) * 0.5
        return rows * 0.5


# Times of samples.


@settings(max_examples=150)
@given(BEGINNINGS, RATES, st.integers(1, 120), st.data())
def test_regular_samples_are_located_as_looking_does(
    start: float, rate: float, count: int, data: st.DataObject
) -> None:
    stamps = start + np.arange(count) / rate
    times = data.draw(st.lists(edges(stamps), min_size=1, max_size=6))
    found = RegularTimes(start, rate, count).locate(np.array(times))
    assert [int(row) for row in np.clip(found, 0, count)] == [
        bisect.bisect_left(stamps.tolist(), time) for time in times
    ]
    np.testing.assert_array_equal(RegularTimes(start, rate, count).between(0, count), stamps)


@pytest.mark.parametrize("start", [0.0, 1.7e9, 3600.1, -1e6])
@pytest.mark.parametrize("rate", [30_000.0, 24_414.0625, 29_999.9731, 1e7])
def test_far_along_a_recording_samples_are_located_exactly(start: float, rate: float) -> None:
    """Days of samples: rounding of quotients and sums shows there."""
    count = 3 * 10**10
    rows = np.unique(np.concatenate([np.arange(20), np.random.default_rng(0).integers(0, count, 400), [count - 1]]))
    stamps = start + rows / rate
    times = RegularTimes(start, rate, count)
    for moments in (stamps, np.nextafter(stamps, -np.inf), np.nextafter(stamps, np.inf)):
        found = times.locate(moments)
        at, before = start + found / rate, start + (found - 1) / rate
        assert (at[found < count] >= moments[found < count]).all()
        assert (before[found > 0] < moments[found > 0]).all()


@settings(max_examples=100)
@given(irregular(), st.integers(1, 90), st.data())
def test_stamped_samples_are_located_as_looking_does(stamps: AnyArray, chunk: int, data: st.DataObject) -> None:
    times = data.draw(st.lists(edges(stamps), min_size=1, max_size=6))
    wanted = [bisect.bisect_left(stamps.tolist(), time) for time in times]
    for source in (stamps, Counted(stamps, (chunk,))):
        found = StampedTimes(source, "raw").locate(np.array(times))
        assert [int(row) for row in found] == wanted
        np.testing.assert_array_equal(StampedTimes(source, "raw").between(0, len(stamps)), stamps)


@pytest.mark.parametrize("chunk", [1000, 65_536, 100_000, 10**6])
def test_few_chunks_of_timestamps_are_looked_at(chunk: int) -> None:
    count = 10**9
    stamps = Counted(Counting(count), (chunk,))
    times = np.array([0.0, 0.25, 1e8, 123_456_789.3, 499_999_999.5, -5.0, 1e12])
    for time in times:
        stamps.parts.clear()
        (found,) = StampedTimes(stamps, "raw").locate(np.array([time]))
        assert found == min(max(math.ceil(time * 2), 0), count)
        assert len(stamps.parts) <= 40
        assert stamps.rows_read <= 40 * max(chunk, 65_536)
    stamps.parts.clear()
    found = StampedTimes(stamps, "raw").locate(times)
    assert [int(row) for row in found] == [min(max(math.ceil(time * 2), 0), count) for time in times]
    assert stamps.rows_read <= 40 * len(times) * max(chunk, 65_536)


def test_few_chunks_of_stored_timestamps_are_requested() -> None:
    count = 1_000_000
    stamps = np.cumsum(np.random.default_rng(0).random(count))
    data = ZarrDataIO(np.arange(count, dtype="int32"), chunks=(10_000,))
    stored_stamps = ZarrDataIO(stamps, chunks=(10_000,))
    url = f"memory://{uuid.uuid4().hex}.nwb.zarr"
    store(TimeSeries("raw", data=data, unit="V", timestamps=stored_stamps), url=url)
    meter = Meter()
    with NWBZarrIO(url, "r", manager=Manager(meter=meter)) as io:
        series = io.read().acquisition["raw"]
        meter.reset()
        window = series.window(float(stamps[777_777]), float(stamps[777_900]))
        assert window.samples == slice(777_777, 777_900)
        # Seven rows of 16 blocks have 7 chunks each, at most; there are 100.
        assert meter.requests["get"] <= 30
        assert not [key for _, key in meter.keys if "raw/data" in key]
        np.testing.assert_array_equal(window.data, np.arange(777_777, 777_900))
        assert len({key for _, key in meter.keys if "raw/data" in key}) == 1
        np.testing.assert_array_equal(window.timestamps, stamps[777_777:777_900])


# Windows.


@settings(max_examples=100, deadline=None)
@given(BEGINNINGS, RATES, st.integers(1, 60), st.data())
def test_a_window_by_rate_has_the_samples_within(start: float, rate: float, count: int, data: st.DataObject) -> None:
    stamps = start + np.arange(count) / rate
    check_window(plain_series(np.arange(count), rate=rate, starting_time=start), stamps, data)


@settings(max_examples=100, deadline=None)
@given(irregular(), st.data())
def test_a_window_by_timestamps_has_the_samples_within(stamps: AnyArray, data: st.DataObject) -> None:
    check_window(plain_series(np.arange(len(stamps)), timestamps=stamps), stamps, data)


def check_window(series: TimeSeries, stamps: AnyArray, data: st.DataObject) -> None:
    start, stop = sorted((data.draw(edges(stamps)), data.draw(edges(stamps))))
    wanted = rows_within(stamps, start, stop)
    step = 0.0 if series.rate is None else 1 / series.rate
    try:
        found = series.window(start, stop)
    except TimeRangeError:
        # Before the first sample as a whole, or after the last.
        assert not wanted
        assert stop <= stamps[0] or start > stamps[-1]
        return
    assert start == stop or not (stop < stamps[0] or start > stamps[-1] + step * 1.001)
    assert found.data.tolist() == wanted
    assert found.timestamps.tolist() == [stamps[row] for row in wanted]
    assert len(found) == len(wanted)
    assert found.shape == (len(wanted),)
    if wanted:
        assert found.samples == slice(wanted[0], wanted[-1] + 1)


def test_windows_beside_each_other_share_no_sample() -> None:
    series = plain_series(np.arange(30_000), rate=30_000.0, starting_time=1.7e9)
    borders = [1.7e9 + part / 10 for part in range(11)]
    rows: list[int] = []
    for start, stop in pairwise(borders):
        rows.extend(series.window(start, stop).data.tolist())
    assert rows == list(range(30_000))


def test_a_window_that_begins_just_after_the_last_sample_does_not_hold_it() -> None:
    series = plain_series(np.arange(7), rate=1.0, starting_time=0.0)
    late = float(np.nextafter(6.0, 7.0))
    assert series.align([6.0, late], 0.0, 1.0, outside="drop").events.tolist() == [6.0]
    padded = series.align([6.0, late], 0.0, 1.0, outside="nan").data
    np.testing.assert_array_equal(padded, [[6.0], [math.nan]])


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rest", [(), (3,), (3, 2)], ids=["1-d", "2-d", "3-d"])
def test_a_window_has_samples_from_any_source(source: str, rest: tuple[int, ...]) -> None:
    window = recording(source, rest).window(2.6, 2.75)
    wanted = noise(rest)[100:250]
    with dask.config.set(scheduler="sync"):
        assert isinstance(window.data, np.ndarray)
        np.testing.assert_array_equal(window.data, wanted)
        np.testing.assert_array_equal(np.asarray(window), wanted)
        np.testing.assert_array_equal(np.asarray(window, dtype="float64"), wanted)
    assert window.shape == wanted.shape
    assert window.data.dtype == wanted.dtype
    np.testing.assert_array_equal(computed(window.to_dask()), wanted)
    np.testing.assert_array_equal(window.timestamps, 2.5 + np.arange(100, 250) / 1000)
    assert "raw" in repr(window)


def test_a_window_reads_its_own_chunks_only() -> None:
    url = f"memory://{uuid.uuid4().hex}.nwb.zarr"
    stored_electrical(noise((3,)), url=url)
    meter = Meter()
    with NWBZarrIO(url, "r", manager=Manager(meter=meter)) as io:
        series = io.read().acquisition["raw"]
        meter.reset()
        window = series.window(2.56, 2.62)
        lazy = window.to_dask()
        assert meter.total == 0
        assert window.samples == slice(60, 120)
        _ = window.data
        assert {key for _, key in meter.keys} == {"acquisition/raw/data/c.1.0", "acquisition/raw/data/c.1.1"}
        np.testing.assert_array_equal(computed(lazy), noise((3,))[60:120])


def test_a_window_is_in_the_unit() -> None:
    conversions = (1.0, 2.0, -0.5)
    series = stored_electrical(noise((3,)), conversion=1e-6, offset=0.25, channel_conversion=conversions)
    found = series.window(2.6, 2.7).in_unit
    np.testing.assert_allclose(found, noise((3,))[100:200] * 1e-6 * np.array(conversions) + 0.25, rtol=1e-12)
    found = series.align([2.5995], 0.01, 0.02).in_unit
    np.testing.assert_allclose(found[0], noise((3,))[90:120] * 1e-6 * np.array(conversions) + 0.25, rtol=1e-12)


def test_a_window_of_shared_timestamps() -> None:
    stamps = np.cumsum(np.random.default_rng(1).random(LENGTH))
    first = plain_series(noise(), timestamps=stamps)
    second = TimeSeries("second", data=noise(seed=1), unit="V", timestamps=first)
    read = store(first, second).acquisition["second"]
    assert read.window(float(stamps[10]), float(stamps[20])).samples == slice(10, 20)


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        (2.0, 1.0),
        (math.nan, 3.0),
        (3.0, math.nan),
        (math.nan, math.nan),
        (-math.inf, 3.0),
        (2.6, math.inf),
        ("a", 3.0),
        (None, 3.0),
    ],
)
@pytest.mark.parametrize("stamped", [False, True])
def test_a_window_is_from_one_time_to_a_later_one(start: Any, stop: Any, stamped: bool) -> None:
    times = {"timestamps": np.arange(LENGTH) / 1000} if stamped else {}
    with pytest.raises(AnalysisError):
        plain_series(noise(), **times).window(start, stop)


@pytest.mark.parametrize("stamped", [False, True])
@pytest.mark.parametrize(("start", "stop"), [(-2.0, -1.0), (100.0, 101.0), (2.0, 2.4), (2.0, 2.0), (9.0, 9.0)])
def test_a_window_outside_is_named(start: float, stop: float, stamped: bool) -> None:
    times = {"timestamps": 2.5 + np.arange(LENGTH) / 1000} if stamped else {}
    with pytest.raises(TimeRangeError, match="raw") as caught:
        plain_series(noise(), **times).window(start, stop)
    assert isinstance(caught.value, IndexError)
    assert isinstance(caught.value, AnalysisError)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - made above
    assert type(again) is TimeRangeError
    assert str(again) == str(caught.value)


@pytest.mark.parametrize("stamped", [False, True])
def test_a_window_that_reaches_beyond_ends_with_the_series(stamped: bool) -> None:
    times = {"timestamps": 2.5 + np.arange(LENGTH) / 1000} if stamped else {}
    series = plain_series(noise(), **times)
    assert series.window(0.0, 2.51).samples == slice(0, 10)
    assert series.window(3.0, 99.0).samples == slice(500, LENGTH)
    assert series.window(-1e9, 1e12).samples == slice(0, LENGTH)


@pytest.mark.parametrize("data", [np.zeros(0), np.zeros((0, 3))])
@pytest.mark.parametrize("stamped", [False, True])
def test_no_samples_have_no_window(data: AnyArray, stamped: bool) -> None:
    series = plain_series(data, **({"timestamps": np.zeros(0)} if stamped else {}))
    for each in (series, store(series).acquisition["raw"]):
        with pytest.raises(AnalysisError):
            each.window(0.0, 10.0)
        with pytest.raises(AnalysisError):
            each.align([1.0], 0.5, 0.5, rate=10.0 if stamped else None)


def test_iterators_have_no_window() -> None:
    series = plain_series(iter([noise()]))
    with pytest.raises(SamplingError, match="raw"):
        series.window(2.5, 2.6)
    with pytest.raises(SamplingError, match="raw"):
        series.align([2.5], 0.0, 0.1)


@pytest.mark.parametrize("bad", [np.nan, -1.0])
@pytest.mark.parametrize("stored", [False, True])
def test_timestamps_that_are_looked_at_are_in_order(bad: float, stored: bool) -> None:
    stamps = np.arange(LENGTH) / 1000
    stamps[300] = bad
    series = plain_series(noise(), timestamps=stamps)
    if stored:
        series = store(series).acquisition["raw"]
    with pytest.raises(SamplingError, match="raw"):
        series.window(0.29, 0.31)


def test_a_rate_is_asked_for_by_purpose() -> None:
    assert rate_of(plain_series(noise()), "this test") == 1000.0
    with pytest.raises(SamplingError, match="this test"):
        rate_of(plain_series(noise(), timestamps=np.arange(LENGTH) / 10), "this test")
    assert times_of(plain_series(noise())).rate == 1000.0
    assert times_of(plain_series(noise(), timestamps=np.arange(LENGTH) / 10)).rate is None


# Windows around events.


def aligned_by_looking(
    data: AnyArray, stamps: AnyArray, starts: list[float], count: int
) -> tuple[list[int], list[bool]]:
    firsts = [bisect.bisect_left(stamps.tolist(), start) for start in starts]
    return firsts, [first + count <= len(data) for first in firsts]


@settings(max_examples=150, deadline=None)
@given(BEGINNINGS, RATES, st.integers(2, 60), st.data())
@example(1.7e9, 30_000.0, 40, None)
def test_windows_around_events_begin_as_looking_finds(
    start: float, rate: float, length: int, data: st.DataObject | None
) -> None:
    samples = np.arange(length)
    stamps = start + samples / rate
    assume(len(np.unique(stamps)) == length)
    if data is None:
        before_rows, after_rows, events = 3, 5, stamps[4:30].tolist()
    else:
        before_rows, after_rows = data.draw(st.integers(0, 10)), data.draw(st.integers(1, 10))
        events = data.draw(st.lists(edges(stamps), min_size=1, max_size=6))
    before, after = before_rows / rate, after_rows / rate
    count = before_rows + after_rows
    series = plain_series(samples, rate=rate, starting_time=start)
    starts = (np.array(events) - before).tolist()
    firsts, whole = aligned_by_looking(samples, stamps, starts, count)
    # A window that begins a whole sampling interval before the series is not held.
    held = [fits and begin > start - 1 / rate for fits, begin in zip(whole, starts, strict=True)]
    # Within rounding of just that interval there is nothing to look at.
    assume(all(abs((begin - start) * rate + 1) > 1e-3 + rate * abs(start) * 1e-15 for begin in starts))
    found = series.align(events, before, after, outside="drop")
    kept = [first for first, is_held in zip(firsts, held, strict=True) if is_held]
    assert found.starts.tolist() == kept
    assert found.events.tolist() == [event for event, is_held in zip(events, held, strict=True) if is_held]
    assert found.shape == (len(kept), count)
    assert found.data.tolist() == [list(range(first, first + count)) for first in kept]
    np.testing.assert_allclose(found.times, np.arange(-before_rows, after_rows) / rate, atol=1e-12)
    if all(held):
        assert series.align(events, before, after).starts.tolist() == firsts
    else:
        with pytest.raises(TimeRangeError):
            series.align(events, before, after)
    padded = series.align(events, before, after, outside="nan")
    assert padded.shape == (len(events), count)
    assert padded.events.tolist() == events
    for trial, (first, begin) in enumerate(zip(firsts, starts, strict=True)):
        first_row = first or math.ceil((begin - start) * rate - 1e-6)
        wanted = [row if 0 <= row < length else math.nan for row in range(first_row, first_row + count)]
        if first or held[trial]:
            np.testing.assert_array_equal(padded.data[trial], np.array(wanted, dtype=float))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rest", [(), (3,), (3, 2)], ids=["1-d", "2-d", "3-d"])
@pytest.mark.parametrize("outside", ["raise", "drop", "nan"])
def test_trials_come_from_any_source(source: str, rest: tuple[int, ...], outside: str) -> None:
    data = noise(rest)
    # Between samples, where rounding is no matter.
    events = [2.5995, 2.5495, 2.9995, 2.5995, 2.9991]
    rows = [100, 50, 500, 100, 500]
    if outside != "raise":
        events += [2.4945, 3.0945, 98.9995, -7.0005]
        rows += [-5, 595, 96_500, -9_500]
    found = recording(source, rest).align(events, 0.01, 0.02, outside=outside)
    padded = np.full((len(data) + 400, *rest), np.nan)
    padded[200:-200] = data
    wanted = np.stack([padded[np.clip(np.arange(row - 10, row + 20) + 200, 0, len(padded) - 1)] for row in rows])
    if outside == "drop":
        wanted = wanted[:5]
    assert len(found) == len(wanted)
    assert found.shape == wanted.shape
    assert found.dtype.kind == ("f" if outside == "nan" else "i")
    lazy = computed(found.to_dask())
    with dask.config.set(scheduler="sync"):
        np.testing.assert_array_equal(found.data, wanted)
        np.testing.assert_array_equal(np.asarray(found), wanted)
        np.testing.assert_array_equal(lazy, wanted)
        assert lazy.dtype == found.dtype == found.data.dtype
        np.testing.assert_array_equal(found[1], wanted[1])
        np.testing.assert_array_equal(found[-1], wanted[-1])
        np.testing.assert_array_equal(found[1:4].data, wanted[1:4])
        np.testing.assert_array_equal(found[[3, 0]].data, wanted[[3, 0]])
        np.testing.assert_array_equal(found[::-1].data, wanted[::-1])
        mask = np.arange(len(wanted)) % 2 == 0
        np.testing.assert_array_equal(found[mask].data, wanted[mask])
    part = found[1:4]
    assert isinstance(part, Aligned)
    assert part.events.tolist() == events[1:4]
    assert "raw" in repr(found)
    with pytest.raises(IndexError):
        found[len(wanted)]


def test_whole_windows_stay_integers_also_where_others_may_be_missing() -> None:
    found = recording("stored").align([2.6], 0.01, 0.02, outside="nan")
    assert found.data.dtype == found.dtype == computed(found.to_dask()).dtype


def test_trials_are_read_when_they_are_touched() -> None:
    url = f"memory://{uuid.uuid4().hex}.nwb.zarr"
    stored_electrical(noise((3,)), url=url)
    meter = Meter()
    with NWBZarrIO(url, "r", manager=Manager(meter=meter)) as io:
        series = io.read().acquisition["raw"]
        meter.reset()
        found = series.align([2.5995, 2.8995, 3.0495], 0.01, 0.01)
        lazy = found.to_dask()
        some = found[:1]
        assert meter.total == 0
        assert found.shape == (3, 20, 3)
        np.testing.assert_array_equal(some.data[0], noise((3,))[90:110])
        assert {key for _, key in meter.keys} == {"acquisition/raw/data/c.1.0", "acquisition/raw/data/c.1.1"}
        np.testing.assert_array_equal(computed(lazy)[2], noise((3,))[540:560])


def test_many_events_are_blocks_of_trials() -> None:
    events = 2.6 + np.random.default_rng(0).random(300) * 0.4
    stamps = 2.5 + np.arange(LENGTH) / 1000
    found = recording("stored").align(events, 0.05, 0.05)
    first = np.searchsorted(stamps, events - 0.05)
    wanted = noise((3,))[first[:, None] + np.arange(100)]
    np.testing.assert_array_equal(found.data, wanted)
    np.testing.assert_array_equal(computed(found.to_dask()), wanted)


def test_averages_of_trials_are_taken_by_dask() -> None:
    found = recording("stored").align([2.5995, 2.6995, 2.7995], 0.02, 0.02)
    wanted = np.stack([noise((3,))[row - 20 : row + 20] for row in (100, 200, 300)]).mean(axis=0)
    np.testing.assert_allclose(computed(found.to_dask().mean(axis=0)), wanted)


def test_no_events_have_no_trials() -> None:
    found = recording("stored").align([], 0.01, 0.02)
    assert found.shape == (0, 30, 3)
    assert found.data.shape == (0, 30, 3)
    assert computed(found.to_dask()).shape == (0, 30, 3)


def test_all_events_may_be_dropped() -> None:
    found = recording("stored").align([99.0], 0.01, 0.02, outside="drop")
    assert found.data.shape == (0, 30, 3)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 0.05), st.floats(0, 0.05))
def test_a_window_has_as_many_samples_as_there_are_in_its_time(before: float, after: float) -> None:
    assume(before + after > 0.001)
    found = recording("memory", ()).align([2.8], before, after)
    samples = (before + after) * 1000
    assert math.floor(samples - 1e-6) <= len(found.times) <= math.ceil(samples + 1e-6)
    assert found.data.shape == (1, len(found.times))
    assert found.times[0] == pytest.approx(-before)


@pytest.mark.parametrize(("before", "after"), [(0.1, 0.2), (0.3, 0.6), (0.007, 0.0), (0.0, 0.029), (0.1, 0.7)])
def test_whole_numbers_of_samples_are_not_rounded_away(before: float, after: float) -> None:
    """Floats that are no multiples of a sampling interval stand for ones that are."""
    series = plain_series(np.arange(3000))
    count = round((before + after) * 1000)
    assert series.align([4.0], before, after).shape == (1, count)


def test_a_window_may_lie_beside_the_event() -> None:
    series = plain_series(np.arange(LENGTH))
    assert series.align([2.6995], -0.1, 0.2).data[0].tolist() == list(range(300, 400))
    assert series.align([2.6995], 0.15, -0.05).data[0].tolist() == list(range(50, 150))


# With timestamps.


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([0.0, 1.7e9, -3.25]), st.sampled_from([10.0, 1000.0, 1 / 3]), st.data())
def test_timestamps_at_a_rate_are_aligned_as_looking_does(start: float, rate: float, data: st.DataObject) -> None:
    length = 50
    stamps = start + np.arange(length) / rate
    events = data.draw(st.lists(edges(stamps[5:-8]), min_size=1, max_size=5))
    events = [event for event in events if stamps[5] <= event <= stamps[-8]]
    series = plain_series(np.arange(length), timestamps=stamps)
    found = series.align(events, 3 / rate, 4 / rate, rate=rate)
    firsts, _ = aligned_by_looking(stamps, stamps, (np.array(events) - 3 / rate).tolist(), 7)
    assert found.starts.tolist() == firsts
    assert found.data.tolist() == [list(range(first, first + 7)) for first in firsts]


def test_timestamps_need_a_rate_to_be_aligned() -> None:
    series = plain_series(noise(), timestamps=2.5 + np.arange(LENGTH) / 1000)
    with pytest.raises(SamplingError, match="rate"):
        series.align([2.6], 0.01, 0.02)
    assert series.align([2.6], 0.01, 0.02, rate=1000.0).shape == (1, 30)


@pytest.mark.parametrize("stored", [False, True])
def test_timestamps_that_do_not_come_at_the_rate_are_named(stored: bool) -> None:
    stamps = 2.5 + np.arange(LENGTH) / 1000
    stamps[100:] += 0.5
    series = plain_series(noise(), timestamps=stamps)
    if stored:
        series = store(series).acquisition["raw"]
    with pytest.raises(SamplingError, match="raw"):
        series.align([float(stamps[99])], 0.01, 0.02, rate=1000.0)
    with pytest.raises(SamplingError, match="raw"):
        series.align([float(stamps[300])], 0.01, 0.02, rate=500.0)
    assert series.align([float(stamps[300]) - 0.0005], 0.01, 0.02, rate=1000.0).starts.tolist() == [290]


@pytest.mark.parametrize("event", [2.3995, 2.4945, 3.0945, 98.9995])
def test_windows_outside_of_timestamps_are_outside(event: float) -> None:
    series = plain_series(noise(), timestamps=2.5 + np.arange(LENGTH) / 1000)
    with pytest.raises(TimeRangeError, match="raw"):
        series.align([event], 0.01, 0.02, rate=1000.0)
    found = series.align([event, 2.6995], 0.01, 0.02, rate=1000.0, outside="drop")
    assert found.events.tolist() == [2.6995]
    padded = series.align([event, 2.6995], 0.01, 0.02, rate=1000.0, outside="nan").data
    row = math.ceil((event - 2.5) * 1000)
    wanted = [noise()[at] if 0 <= at < LENGTH else math.nan for at in range(row - 10, row + 20)]
    np.testing.assert_array_equal(padded[0], wanted)
    np.testing.assert_array_equal(padded[1], noise()[190:220])


# What cannot be aligned.


@pytest.mark.parametrize(
    "wrong",
    [
        {"outside": "keep"},
        {"outside": None},
        {"before": math.nan},
        {"after": math.inf},
        {"before": -0.03},
        {"before": 0.0, "after": 0.0},
        {"events": [math.nan]},
        {"events": [math.inf]},
        {"events": [[2.6, 2.7]]},
        {"events": ["a"]},
        {"rate": 999.0},
        {"rate": -1.0},
        {"rate": math.nan},
    ],
    ids=str,
)
def test_wrong_arguments_are_named(wrong: dict[str, Any]) -> None:
    arguments = {"events": [2.6], "before": 0.01, "after": 0.02, **wrong}
    with pytest.raises(AnalysisError):
        recording("memory").align(**arguments)


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_rates_of_timestamps_are_rates(rate: float) -> None:
    series = plain_series(noise(), timestamps=2.5 + np.arange(LENGTH) / 1000)
    with pytest.raises(AnalysisError):
        series.align([2.6], 0.01, 0.02, rate=rate)


def test_events_outside_are_named() -> None:
    with pytest.raises(TimeRangeError, match=r"raw(.|\n)*99|99(.|\n)*raw"):
        recording("memory").align([2.6, 99.0], 0.01, 0.02)


# Spikes of units.


def units_of(trains: list[list[float]]) -> Units:
    units = Units("units", description="sorted")
    for train in trains:
        units.add_unit(spike_times=train)
    return units


def spikes_by_looking(
    trains: list[list[float]], events: list[float], before: float, after: float
) -> list[tuple[int, int, float]]:
    return sorted(
        (unit, trial, spike - event)
        for unit, train in enumerate(trains)
        for trial, event in enumerate(events)
        for spike in train
        if event - before <= spike < event + after
    )


@st.composite
def trains_and_events(draw: Any) -> tuple[list[list[float]], list[float], float, float]:
    times = st.one_of(st.integers(0, 40).map(lambda number: number / 10), st.floats(0, 4))
    trains = draw(st.lists(st.lists(times, max_size=12).map(sorted), min_size=1, max_size=4))
    before, after = draw(st.sampled_from([(0.1, 0.2), (0.0, 1.0), (0.5, 0.0), (2.0, 3.0), (-0.1, 0.3)]))
    events = draw(st.lists(times, max_size=5))
    base = draw(st.sampled_from([0.0, 1.7e9]))
    beside = draw(st.sampled_from([-1, 0, 1]))
    moved = [[ulps(base + spike, beside) for spike in train] for train in trains]
    return moved, [base + event for event in events], before, after


@settings(max_examples=80, deadline=None)
@given(trains_and_events())
def test_spikes_around_events_are_those_that_looking_finds(
    drawn: tuple[list[list[float]], list[float], float, float],
) -> None:
    trains, events, before, after = drawn
    found = units_of(trains).align(events, before, after)
    wanted = spikes_by_looking(trains, events, before, after)
    spikes = found.spikes
    rows = zip(spikes["unit"].tolist(), spikes["trial"].tolist(), spikes["time"].tolist(), strict=True)
    assert sorted(rows) == wanted
    for unit in range(len(trains)):
        for trial in range(len(events)):
            mine = [time for row, column, time in wanted if (row, column) == (unit, trial)]
            assert sorted(found.times(unit, trial).tolist()) == mine
    edges_of_bins = np.linspace(-before, after, 6)
    near = np.abs(np.array([time for *_, time in wanted])[:, None] - edges_of_bins[None, :]) if wanted else np.ones(1)
    counts = found.counts(5)
    assert counts.shape == (len(trains), len(events), 5)
    assert counts.dtype.kind in "iu"
    if near.min() > 1e-6:
        for unit in range(len(trains)):
            for trial in range(len(events)):
                mine = [time for row, column, time in wanted if (row, column) == (unit, trial)]
                assert counts[unit, trial].tolist() == np.histogram(mine, edges_of_bins)[0].tolist()


@settings(max_examples=60, deadline=None)
@given(trains_and_events(), st.integers(1, 7))
@example(([[1.7e9 + 3.6]], [1.7e9 + 3.5], -0.1, 0.3), 1)
def test_every_spike_is_counted_once(drawn: tuple[list[list[float]], list[float], float, float], bins: int) -> None:
    trains, events, before, after = drawn
    found = units_of(trains).align(events, before, after)
    assert found.counts(bins).sum() == len(found.spikes)


def test_counts_in_bins_with_edges() -> None:
    found = units_of([[0.05, 0.1, 0.25, 0.3], [], [0.2]]).align([0.1, 0.2], 0.1, 0.2)
    counts = found.counts([-0.1, -0.02, 0.02, 0.12])
    assert counts.tolist() == [[[1, 1, 0], [1, 0, 2]], [[0, 0, 0], [0, 0, 0]], [[0, 0, 1], [0, 1, 0]]]


@pytest.mark.parametrize("bins", [0, -1, 1.5, [0.1], [], [0.1, 0.0], [0.0, math.nan], "auto", None])
def test_bins_are_some(bins: Any) -> None:
    with pytest.raises(AnalysisError):
        units_of([[0.1]]).align([0.1], 0.1, 0.1).counts(bins)


def test_spikes_in_no_order_are_found_too() -> None:
    trains = [[3.0, 1.0, 2.0, 1.5], [0.5]]
    found = units_of(trains).align([1.2, 3.0], 0.5, 0.5).spikes
    rows = zip(found["unit"].tolist(), found["trial"].tolist(), found["time"].tolist(), strict=True)
    assert sorted(rows) == spikes_by_looking(trains, [1.2, 3.0], 0.5, 0.5)


def test_stored_units_are_aligned_with_stored_trials() -> None:
    session = bare()
    with_electrodes(session, 2)
    trains = [np.sort(np.random.default_rng(unit).random(unit * 30)).tolist() for unit in range(4)]
    for train in trains:
        session.add_unit(spike_times=train)
    for start in (0.2, 0.5, 0.9):
        session.add_trial(start_time=start, stop_time=start + 0.1)
    url = f"memory://{uuid.uuid4().hex}.nwb.zarr"
    store_session(session, url)
    meter = Meter()
    with NWBZarrIO(url, "r", manager=Manager(meter=meter)) as io:
        read = io.read()
        events = read.trials["start_time"][:]
        meter.reset()
        found = read.units.align(events, 0.1, 0.15)
        assert meter.total == 0
        spikes = found.spikes
        rows = zip(spikes["unit"].tolist(), spikes["trial"].tolist(), spikes["time"].tolist(), strict=True)
        assert sorted(rows) == spikes_by_looking(trains, [0.2, 0.5, 0.9], 0.1, 0.15)
        assert found.counts(3).shape == (4, 3, 3)
        assert "units" in repr(found)


def test_spikes_of_a_unit_are_events_of_a_series() -> None:
    spikes = [2.61, 2.7003, 2.9]
    units = units_of([spikes])
    found = recording("stored").align(units["spike_times"][0], 0.01, 0.01)
    np.testing.assert_array_equal(found.data[1], noise((3,))[191:211])
    assert found.events.tolist() == spikes


@pytest.mark.parametrize(
    ("events", "before", "after"),
    [
        ([math.nan], 0.1, 0.1),
        ([1.0], math.nan, 0.1),
        ([1.0], 0.1, math.nan),
        ([1.0], -0.2, 0.1),
        ([[1.0]], 0.1, 0.1),
        (["a"], 0.1, 0.1),
    ],
)
def test_spikes_are_around_times(events: Any, before: float, after: float) -> None:
    with pytest.raises(AnalysisError):
        units_of([[1.0]]).align(events, before, after)


def test_units_without_spike_times_cannot_be_aligned() -> None:
    units = Units("units", description="sorted")
    units.add_column("quality", "how good")
    units.add_row(quality="good")
    with pytest.raises(AnalysisError):
        _ = units.align([1.0], 0.1, 0.1).spikes


def test_no_unit_has_no_spikes() -> None:
    session = bare()
    session.add_unit(spike_times=[])
    found = session.units.align([1.0], 0.1, 0.1)
    assert found.spikes.shape == (0,)
    assert found.counts(2).tolist() == [[[0, 0]]]
    assert found.times(0, 0).tolist() == []


def test_dask_series_are_aligned_too() -> None:
    data = noise((4,))
    series = plain_series(dask.array.from_array(data, chunks=(33, 3)))
    found = series.align([2.5995, 2.4995], 0.01, 0.02, outside="nan")
    lazy = computed(found.to_dask())
    np.testing.assert_array_equal(lazy[0], data[90:120])
    assert np.isnan(lazy[1, :10]).all()
    np.testing.assert_array_equal(lazy[1, 10:], data[:20])
