"""What opening, following and writing cost, in requests: by the counting store, and on S3 by what goes over the wire.

The budgets: a session of 300 series opens with every scalar in one round trip of at most three requests; a link that
is followed adds one round trip; a write sends one PUT per object and at most ten other requests.
"""

from __future__ import annotations

import copy
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from nwbzarr import Manager, Meter, NWBFile, ScratchData, TimeSeries, ZarrDataIO
from nwbzarr.convention.names import DOCUMENT, SIDECAR, WRITE_MARK, WRITE_NOTE
from tests.commit.sessions import START, Store, extend, session
from tests.places import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.faults import FaultProxy
    from tests.servers.fixtures import S3Bucket

MANY = 300

#: Requests of a write that are no PUT, and requests of opening.
OTHERS = 10
OPENING = 3


@dataclass
class Count:
    """What was counted between two moments: by the counting store, and by the proxy where there is one."""

    meter: Meter
    wire: Counter[str] | None = None

    @property
    def opening(self) -> tuple[int, int]:
        """Round trips and requests."""
        assert self.wire is None or self.wire.total() == self.meter.total, (self.wire, self.meter)
        return self.meter.round_trips, self.meter.total


@dataclass
class Scale:
    """Counts requests twice: where they leave the package, and on S3 where they arrive at the server."""

    folder: str
    options: dict[str, Any] | None
    proxy: FaultProxy | None
    meter: Meter
    manager: Manager

    @classmethod
    def of(cls, folder: str, options: dict[str, Any] | None = None, proxy: FaultProxy | None = None) -> Scale:
        """Return a scale for the stores of one folder."""
        meter = Meter()
        return cls(folder, options, proxy, meter, Manager(meter=meter))

    def store(self, name: str) -> Store:
        """Return a store whose requests can be counted."""
        return Store(f"{self.folder}/{name}.nwb.zarr", self.options)

    @contextmanager
    def count(self) -> Iterator[Count]:
        """Count what is sent inside the block; the result is complete when the block is left."""
        self.meter.reset()
        if self.proxy is not None:
            self.proxy.reset()
        found = Count(self.meter)
        yield found
        found.meter = copy.deepcopy(self.meter)
        if self.proxy is not None:
            found.wire = Counter(method for method, _ in self.proxy.requests)

    def fresh(self) -> None:
        """Forget all sessions that were opened, and the connections."""
        self.manager.close()
        self.manager = Manager(meter=self.meter)


@pytest.fixture
def memory_scale(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scale]:
    with place_of("memory", request, tmp_path) as place:
        yield Scale.of(place.url)


@pytest.fixture
def s3_scale(s3_bucket: S3Bucket, fault_proxy: FaultProxy) -> Iterator[Scale]:
    made = Scale.of(f"{s3_bucket.url}/folder", s3_bucket.through(fault_proxy).options, fault_proxy)
    yield made
    made.manager.close()


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.s3)])
def scale(request: pytest.FixtureRequest) -> Scale:
    found: Scale = request.getfixturevalue(f"{request.param}_scale")
    return found


def many_series(count: int) -> NWBFile:
    """Return a session of short series, with everything a series can say."""
    nwb = NWBFile("many series", "many", START, experimenter=["A", "B"], lab="a lab", notes="some notes")
    for index in range(count):
        nwb.add_acquisition(
            TimeSeries(
                f"series {index}",
                data=np.arange(10.0) + index,
                unit="V",
                rate=10.0 + index,
                starting_time=float(index),
                conversion=1e-3,
                resolution=0.5,
                comments=f"comment {index}",
                description=f"description {index}",
            )
        )
    return nwb


def read_scalars(nwb: NWBFile) -> int:
    """Read every scalar of a session, check it, and return how many series there are."""
    assert (nwb.session_description, nwb.identifier, nwb.session_start_time) == ("many series", "many", START)
    assert (nwb.timestamps_reference_time, nwb.lab, nwb.notes) == (START, "a lab", "some notes")
    for index in range(len(nwb.acquisition)):
        series = nwb.acquisition[f"series {index}"]
        assert (series.rate, series.starting_time, series.unit) == (10.0 + index, float(index), "V")
        assert (series.conversion, series.resolution) == (1e-3, 0.5)
        assert (series.comments, series.description) == (f"comment {index}", f"description {index}")
    return len(nwb.acquisition)


def check_opening(scale: Scale, store: Store, series: int) -> Count:
    """Open a session with all its scalars and short arrays, and check what that costs."""
    scale.fresh()
    with scale.count() as count:
        nwb = store.io("r", scale.manager).read()
        assert read_scalars(nwb) == series
        assert (nwb.experimenter, len(nwb.file_create_date)) == (("A", "B"), 1)
        assert [nwb.acquisition[f"series {index}"].data[0] for index in range(series)] == list(range(series))
    round_trips, requests = count.opening
    assert round_trips == 1
    assert requests <= OPENING
    assert {key for _, key in count.meter.keys} >= {DOCUMENT, SIDECAR}
    return count


def check_writing(count: Count, store: Store, new: set[str] | None = None, *, reads: int = 0) -> None:
    """Check what was counted while a write stored some objects, by default all that are there."""
    puts = Counter(key for kind, key in count.meter.keys if kind == "put")
    # A new store with long arrays has a note of them beside the mark, while it is written.
    notes = {WRITE_NOTE} & set(puts) if new is None else set()
    assert set(puts) == {*(store.names() if new is None else new), WRITE_MARK, *notes}
    again = puts[WRITE_NOTE] - 1 if notes else 0  # once more when the blocks of an iterator have ended
    assert puts.total() == len(puts) + again, "an object was sent more than once"
    assert count.meter.total - puts.total() <= OTHERS + reads, count.meter.requests
    if count.wire is not None:
        assert count.wire["PUT"] == puts.total(), count.wire
        assert count.wire.total() - count.wire["PUT"] <= OTHERS + reads, count.wire
    assert store.litter() == []


# Opening.


def test_opening_many_series_is_one_round_trip(memory_scale: Scale) -> None:
    store = memory_scale.store("many")
    store.write(many_series(MANY))
    check_opening(memory_scale, store, MANY)


@pytest.mark.s3
@pytest.mark.slow
def test_writing_and_opening_many_series_on_s3(s3_scale: Scale) -> None:
    # One write, since 1,500 objects take their time; both budgets are counted on the wire too.
    store = s3_scale.store("many")
    with s3_scale.count() as count:
        store.write(many_series(MANY), manager=s3_scale.manager)
    check_writing(count, store)
    check_opening(s3_scale, store, MANY)


def test_opening_a_small_session(scale: Scale) -> None:
    store = scale.store("small")
    store.write(many_series(3))
    check_opening(scale, store, 3)


@pytest.mark.parametrize("mode", ["r+", "a"])
def test_opening_to_write_costs_the_same(memory_scale: Scale, mode: str) -> None:
    store = memory_scale.store("small")
    store.write(many_series(3))
    with memory_scale.count() as count:
        read_scalars(store.io(mode, memory_scale.manager).read())
    assert count.opening == (1, 2)


def test_scalars_without_a_sidecar_are_one_request_each(memory_scale: Scale) -> None:
    # As another tool writes the session.
    store = memory_scale.store("plain")
    store.write(many_series(20))
    store.delete(SIDECAR)
    with memory_scale.count() as count:
        assert read_scalars(store.io("r", memory_scale.manager).read()) == 20
    # Root and sidecar, six texts and dates of the session, and the starting times.
    assert count.meter.requests == {"get": 2 + 6 + 20}


def test_one_chunk_is_one_request(scale: Scale) -> None:
    store = scale.store("chunks")
    store.write(session(1))
    data = store.io("r", scale.manager).read().acquisition["raw"].data
    with scale.count() as count:
        assert data[3] == 2003.0
    assert count.opening == (1, 1)
    with scale.count() as count:
        assert data[:].shape == (25,)
    assert count.opening == (1, 3)


# Following links.


def test_following_a_link_adds_one_round_trip(scale: Scale) -> None:
    raw, other, derived = map(scale.store, ("raw", "other", "derived"))
    raw.write(many_series(3))
    other.write(session(1))
    nwb = raw.io("r", scale.manager).read().copy()
    nwb.add_analysis(other.io("r", scale.manager).read().acquisition["raw"])
    derived.write(nwb, manager=scale.manager)
    scale.fresh()
    with scale.count() as count:
        nwb = derived.io("r", scale.manager).read()
        assert sorted(nwb.acquisition) == [f"series {index}" for index in range(3)]
        assert list(nwb.analysis) == ["raw"]
    assert count.opening == (1, 2)
    with scale.count() as count:
        assert nwb.acquisition["series 0"].rate == 10.0
        # All that lies in the same store is in hand then.
        assert [series.rate for series in nwb.acquisition.values()] == [10.0, 11.0, 12.0]
    assert count.opening == (1, 2)
    with scale.count() as count:
        assert nwb.analysis["raw"].rate == 2.0
    assert count.opening == (1, 2)


def test_each_link_of_a_chain_adds_one_round_trip(memory_scale: Scale) -> None:
    # The tutorial: raw ← processed ← scratch.
    scale = memory_scale
    raw, processed, scratch = map(scale.store, ("raw", "processed", "scratch"))
    raw.write(session(1))
    nwb = raw.io("r", scale.manager).read().copy()
    module = nwb.create_processing_module("filtering", "filtered")
    module.add(TimeSeries("shared", data=nwb.acquisition["raw"], rate=2.0))
    processed.write(nwb, manager=scale.manager)
    nwb = processed.io("r", scale.manager).read().copy()
    nwb.add_scratch(np.arange(3.0), name="s", description="d")
    scratch.write(nwb, manager=scale.manager)
    scale.fresh()
    nwb = scratch.io("r", scale.manager).read()
    with scale.count() as count:
        shared = nwb.processing["filtering"]["shared"]
        assert shared.rate == 2.0
    assert count.opening == (1, 2)
    with scale.count() as count:
        assert shared.unit == "m"
    assert count.opening == (1, 2)


# Writing.


def test_creating_sends_each_object_once(scale: Scale) -> None:
    store = scale.store("new")
    with scale.count() as count:
        store.write(session(1), manager=scale.manager)
    check_writing(count, store)


def test_creating_many_series_sends_each_object_once(memory_scale: Scale) -> None:
    store = memory_scale.store("new")
    with memory_scale.count() as count:
        store.write(many_series(MANY), manager=memory_scale.manager)
    check_writing(count, store)


@pytest.mark.parametrize("mode", ["w-", "a"])
def test_other_modes_cost_no_more(scale: Scale, mode: str) -> None:
    store = scale.store("new")
    with scale.count() as count:
        store.write(session(1), mode, scale.manager)
    check_writing(count, store)


def test_replacing_sends_each_object_once(scale: Scale) -> None:
    store = scale.store("old")
    store.write(many_series(5))
    with scale.count() as count:
        store.write(session(1), manager=scale.manager)
    check_writing(count, store)


def test_replacing_many_series_sends_each_object_once(memory_scale: Scale) -> None:
    store = memory_scale.store("old")
    store.write(many_series(MANY))
    with memory_scale.count() as count:
        store.write(many_series(MANY), manager=memory_scale.manager)
    check_writing(count, store)


def test_adding_sends_what_is_new(scale: Scale) -> None:
    store = scale.store("old")
    store.write(session(1))
    before = store.names()
    with scale.count() as count, store.io("r+", scale.manager) as handle:
        nwb = handle.read()
        extend(nwb, 7)
        handle.write(nwb)
    added = {"scratch/added 7/zarr.json", *(f"scratch/added 7/c.{index}" for index in range(3))}
    appended = {"acquisition/raw/data/c.2", "acquisition/raw/data/c.3"}
    assert store.names() - before == {*added, "acquisition/raw/data/c.3"}
    groups = {
        "scratch/zarr.json",
        "acquisition/zarr.json",
        "acquisition/raw/zarr.json",
        "acquisition/raw/data/zarr.json",
    }
    check_writing(count, store, added | appended | groups | {DOCUMENT, SIDECAR})


def test_nothing_to_write_sends_nothing(memory_scale: Scale) -> None:
    store = memory_scale.store("old")
    store.write(session(1))
    with store.io("r+", memory_scale.manager) as handle:
        nwb = handle.read()
        with memory_scale.count() as count:
            handle.write(nwb)
    assert count.opening == (0, 0)


def test_a_derived_session_sends_no_request_per_link(scale: Scale) -> None:
    raw, derived = scale.store("raw"), scale.store("derived")
    raw.write(many_series(12))
    nwb = raw.io("r", scale.manager).read().copy()
    nwb.add_scratch(np.arange(3.0), name="s", description="d")
    with scale.count() as count:
        derived.write(nwb, manager=scale.manager)
    check_writing(count, derived)


_GRID = np.arange(1050 * 6, dtype="i4").reshape(1050, 6)
_LAYOUTS = {
    "chunks that stand out at both edges": ZarrDataIO(_GRID, chunks=(100, 4)),
    "shards that stand out at both edges": ZarrDataIO(_GRID, chunks=(50, 2), shards=(100, 4)),
    "shards of all channels": ZarrDataIO(_GRID, chunks=(50, 2), shards=(200, 6)),
    "planned": np.arange(1_500_000, dtype="i8"),
    "fill values in one chunk": np.zeros((1050, 6)),
    "fill values in chunks": ZarrDataIO(np.zeros((1050, 6)), chunks=(100, 4)),
    "texts in one chunk": np.array([f"text {index}" for index in range(3000)], dtype=object),
    "texts in chunks": ZarrDataIO(np.array(["a", "b"] * 50, dtype=object), chunks=(30,)),
}


@pytest.mark.parametrize("data", _LAYOUTS.values(), ids=_LAYOUTS.keys())
def test_no_layout_reads_what_it_writes(memory_scale: Scale, data: Any) -> None:
    store = memory_scale.store("layouts")
    nwb = session(1)
    # So many that one request for each would be seen.
    for index in range(OTHERS):
        nwb.add_scratch(ScratchData(f"data {index}", data, notes="n"))
    with memory_scale.count() as count:
        store.write(nwb, manager=memory_scale.manager)
    check_writing(count, store)


def test_blocks_are_sent_once(memory_scale: Scale) -> None:
    store = memory_scale.store("blocks")
    nwb = session(1)
    nwb.add_scratch(ScratchData("blocks", (np.full((70_000, 8), index) for index in range(4)), notes="n"))
    with memory_scale.count() as count:
        store.write(nwb, manager=memory_scale.manager)
    check_writing(count, store)


def test_exporting_reads_once_what_it_copies(scale: Scale) -> None:
    raw, derived, whole = map(scale.store, ("raw", "derived", "whole"))
    raw.write(session(1))
    derived.write(raw.io("r", scale.manager).read().copy(), manager=scale.manager)
    source = derived.io("r", scale.manager)
    source.read()
    with scale.count() as count:
        whole.io("w", scale.manager).export(source)
    # What is copied must be read, once each.
    check_writing(count, whole, reads=sum(not key.endswith(DOCUMENT) for key in whole.names()))
