"""Series that grow in a committed store: many small appends, readers before and after, deaths in between, and the cost."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zarr.codecs import BytesCodec, GzipCodec, TransposeCodec

import nwbzarr
from nwbzarr import Manager, Meter, NWBZarrIO
from nwbzarr.convention.names import DOCUMENT, SIDECAR
from nwbzarr.errors import NWBZarrError, SchemaError, StoreModeError
from tests.arrays.stored import SERIES_PATH, assert_same, quiet, read, reading, series_session, values
from tests.commit.deaths import KILLED, Died, Fuse, FuseMeter, fused_files, run_in_child, settle
from tests.commit.sessions import Store, small_regions
from tests.handwritten import bare_session, consolidate, make_group, typed
from tests.places import KINDS, QUICK_KINDS, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.peers.environment import Peer

AnyArray = np.ndarray[Any, Any]

LAW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

FOLDER = SERIES_PATH.strip("/")

#: Layouts where appended rows fall within, at the edge of, and beyond chunks and shards.
LAYOUTS: dict[str, dict[str, Any]] = {
    "chunks": {"chunks": (5, 3)},
    "shards": {"chunks": (5, 3), "shards": (20, 3)},
    "shards of some channels": {"chunks": (4, 1), "shards": (12, 2)},
    "one chunk": {"chunks": (1000, 3)},
    "planned": {},
    "delta": {"chunks": (5, 3), "shards": (20, 3), "compressors": "delta"},
    "pcodec": {"chunks": (5, 3), "compressors": "pcodec"},
    "no codecs": {"chunks": (5, 3), "shards": (20, 3), "compressors": []},
}
every_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())

START = values("int16", (33, 3), 1)


@pytest.fixture(params=QUICK_KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with place_of(request.param, request, tmp_path) as place:
        yield Store.at(place)


@pytest.fixture(params=KINDS)
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with place_of(request.param, request, tmp_path) as place:
        yield Store.at(place)


@pytest.fixture
def memory_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with place_of("memory", request, tmp_path) as place:
        yield Store.at(place)


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "folder" / "x.nwb.zarr"))


def begin(store: Store, layout: dict[str, Any] | None = None, data: Any = START, timestamps: Any = None) -> None:
    """Write a session of one series."""
    store.write(series_session(data, timestamps=timestamps, **(layout or {})))


def append(store: Store, block: Any, manager: Manager | None = None, **more: Any) -> None:
    """Append to the series, with an IO of its own."""
    with store.io("r+", manager) as io:
        nwb = io.read()
        nwb.acquisition["raw"].append(block, **more)
        io.write(nwb)


def found_in(store: Store) -> AnyArray:
    """Return the samples, read afresh."""
    with store.io("r") as io:
        return np.asarray(io.read().acquisition["raw"].data[...])


def check_plain(store: Store, wanted: AnyArray) -> None:
    """Check that zarr-python finds the same, and that the session is valid."""
    with quiet():
        assert_same(zarr.open_array(f"{store.url}/{FOLDER}", mode="r")[...], wanted)
    assert nwbzarr.validate(store.url) == []


# Values.


@every_layout
def test_many_appends_are_all_there(store: Store, layout: dict[str, Any]) -> None:
    begin(store, layout)
    wanted = START
    for number, rows in enumerate([1, 2, 4, 7, 1, 33, 5, 20, 1]):
        block = values("int16", (rows, 3), number + 10)
        append(store, block)
        wanted = np.concatenate([wanted, block])
        assert_same(found_in(store), wanted)
    with reading(store.url, path=SERIES_PATH) as data:
        if layout and layout.get("chunks") != (1000, 3):
            assert (data.chunks, data.shards) == (layout["chunks"], layout.get("shards"))
        assert_same(data[::-2, [2, 0]], wanted[::-2, [2, 0]])
    if store.is_local:
        check_plain(store, wanted)
    assert store.litter() == []


@LAW
@given(
    first=st.integers(0, 25),
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    chunk=st.tuples(st.integers(1, 9), st.integers(1, 3)),
    count=st.none() | st.tuples(st.integers(1, 4), st.integers(1, 3)),
    seed=st.integers(0, 999),
)
def test_appends_of_any_sizes_to_any_layout(
    store: Store, first: int, sizes: list[int], chunk: Any, count: Any, seed: int
) -> None:
    shards = None if count is None else tuple(np.multiply(chunk, count).tolist())
    whole = values("int32", (first + sum(sizes), 3), seed)
    begin(store, {"chunks": chunk, "shards": shards}, whole[:first])
    end = first
    for size in sizes:
        append(store, whole[end : end + size])
        end += size
        assert_same(found_in(store), whole[:end])


def test_several_appends_in_one_write(any_store: Store) -> None:
    begin(any_store, LAYOUTS["shards"])
    blocks = [values("int16", (rows, 3), rows) for rows in (1, 6, 30)]
    with any_store.io("r+") as io:
        nwb = io.read()
        for block in blocks:
            nwb.acquisition["raw"].append(block)
        io.write(nwb)
    assert_same(found_in(any_store), np.concatenate([START, *blocks]))


def test_several_writes_of_one_io(store: Store) -> None:
    begin(store, LAYOUTS["shards"])
    wanted = START
    with store.io("r+") as io:
        nwb = io.read()
        for number in range(6):
            block = values("int16", (7, 3), number)
            nwb.acquisition["raw"].append(block)
            io.write(nwb)
            wanted = np.concatenate([wanted, block])
            assert_same(nwb.acquisition["raw"].data[...], wanted)
            assert_same(found_in(store), wanted)


def test_rows_appended_to_the_dataset_are_the_same(store: Store) -> None:
    begin(store, LAYOUTS["shards"])
    block = values("int16", (9, 3), 5)
    with store.io("r+") as io:
        nwb = io.read()
        dataset: Any = nwb.acquisition["raw"].find("data")
        dataset.append(block)
        io.write(nwb)
    assert_same(found_in(store), np.concatenate([START, block]))


def test_timestamps_grow_with_their_samples(store: Store) -> None:
    begin(store, LAYOUTS["chunks"], timestamps=np.arange(33.0))
    for number in range(4):
        more = 33.0 + 6 * number + np.arange(6.0)
        append(store, values("int16", (6, 3), number), timestamps=more)
    assert read(store.url, SERIES_PATH).shape == (57, 3)
    assert_same(read(store.url, "/acquisition/raw/timestamps"), np.arange(57.0))


@pytest.mark.parametrize("dtype", ["bool", "float32", "complex128", "O"])
def test_rows_of_every_dtype_are_appended(store: Store, dtype: str) -> None:
    from tests.arrays.stored import PATH, write

    array = values(dtype, (40, 2), 3)
    write(store.url, array[:13], chunks=(5, 2), shards=(10, 2))
    for start in range(13, 40, 9):
        with store.io("r+") as io:
            nwb = io.read()
            dataset: Any = nwb.find(PATH.strip("/"))
            dataset.append(array[start : start + 9])
            io.write(nwb)
    assert_same(read(store.url), array)


def test_no_rows_are_no_change(store: Store) -> None:
    for data in (START[:0], START[:1], START):
        begin(store, LAYOUTS["shards"], data)
        append(store, START[:0])
        assert_same(found_in(store), data)


def test_an_array_without_rows_grows(store: Store) -> None:
    begin(store, data=np.empty((0, 3), "int16"))
    block = values("int16", (50, 3), 4)
    append(store, block[:20])
    append(store, block[20:])
    assert_same(found_in(store), block)


def test_blocks_that_were_streamed_are_appended_to(store: Store) -> None:
    whole = values("int16", (100, 3), 8)
    begin(store, LAYOUTS["shards"], iter(np.array_split(whole[:47], 5)))
    append(store, whole[47:])
    assert_same(found_in(store), whole)


# What does not fit.

BAD: dict[str, tuple[Any, str]] = {
    "more channels": (np.zeros((2, 4), "int16"), "(2, 4)"),
    "one dimension": (np.zeros(3, "int16"), "(3,)"),
    "fractions": (np.full((2, 3), 0.5), "int16"),
    "too large": (np.full((2, 3), 2**15), ""),
    "texts": ([["a", "b", "c"]], ""),
    "None": (None, ""),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_refused_and_nothing_is_added(store: Store, name: str) -> None:
    begin(store, LAYOUTS["shards"])
    before = store.names(), store.get(DOCUMENT)
    block, said = BAD[name]
    with store.io("r+") as io:
        nwb = io.read()
        with pytest.raises(SchemaError) as caught:
            nwb.acquisition["raw"].append(block)
        assert said in str(caught.value)
        io.write(nwb)
    assert (store.names(), store.get(DOCUMENT)) == before
    assert_same(found_in(store), START)


@pytest.mark.parametrize("times", [None, [1.0], np.arange(3.0), ["a", "b"]], ids=["none", "few", "many", "texts"])
def test_times_that_do_not_fit_are_refused_and_nothing_is_added(store: Store, times: Any) -> None:
    begin(store, LAYOUTS["chunks"], timestamps=np.arange(33.0))
    with store.io("r+") as io:
        nwb = io.read()
        with pytest.raises(SchemaError):
            nwb.acquisition["raw"].append(START[:2], timestamps=times)
        io.write(nwb)
    assert_same(found_in(store), START)
    assert_same(read(store.url, "/acquisition/raw/timestamps"), np.arange(33.0))


def test_times_for_a_series_with_a_rate_are_refused(store: Store) -> None:
    begin(store, LAYOUTS["chunks"])
    with store.io("r+") as io, pytest.raises(SchemaError, match="timestamps"):
        io.read().acquisition["raw"].append(START[:2], timestamps=[1.0, 2.0])


def test_appending_to_what_is_open_for_reading_is_refused(store: Store) -> None:
    begin(store)
    with store.io("r") as io:
        nwb = io.read()
        nwb.acquisition["raw"].append(START)
        with pytest.raises(StoreModeError, match=r"r\+"):
            io.write(nwb)
    assert_same(found_in(store), START)


# Readers.


@every_layout
def test_a_reader_that_stays_open_keeps_seeing_what_it_opened(store: Store, layout: dict[str, Any]) -> None:
    begin(store, layout)
    wanted = START
    readers: list[tuple[NWBZarrIO, Any, AnyArray]] = []
    for number, rows in enumerate([7, 1, 30]):
        io = store.io("r")
        readers.append((io, io.read().acquisition["raw"].data, wanted))
        if number % 2:
            assert_same(readers[-1][1][...], wanted)
        block = values("int16", (rows, 3), number)
        append(store, block)
        wanted = np.concatenate([wanted, block])
        for _, data, old in readers:
            assert data.shape == old.shape
            assert_same(data[...], old)
            assert_same(data[-1], old[-1])
    for io, _, _ in readers:
        io.close()
    assert_same(found_in(store), wanted)


@pytest.mark.parametrize("rows", [3, 13, 33])
@pytest.mark.parametrize("name", ["chunks", "shards", "no codecs", "delta", "planned"])
def test_a_reader_that_stays_open_never_sees_wrong_values(store: Store, name: str, rows: int) -> None:
    """It may be told that what it looks at has gone; it must not be told something else."""
    begin(store, LAYOUTS[name], START[:rows])
    with store.io("r") as early, store.io("r") as late:
        used, untouched = early.read().acquisition["raw"].data, late.read().acquisition["raw"].data
        assert_same(used[:1], START[:1])
        for number in range(3):
            append(store, values("int16", (30, 3), number))
            for data in (used, untouched):
                with suppress(NWBZarrError):
                    assert_same(data[...], START[:rows])
                with suppress(NWBZarrError):
                    assert_same(data[rows - 1], START[rows - 1])


@pytest.mark.parametrize("rows", [3, 20, 33])
@pytest.mark.parametrize("name", ["chunks", "shards", "shards of some channels", "delta", "no codecs"])
def test_a_layout_that_was_asked_for_is_kept_as_the_array_grows(store: Store, name: str, rows: int) -> None:
    layout = LAYOUTS[name]
    begin(store, layout, START[:rows])
    with reading(store.url, path=SERIES_PATH) as data:
        codecs = data.compression
    for number in range(3):
        append(store, values("int16", (15, 3), number))
        with reading(store.url, path=SERIES_PATH) as data:
            assert (data.chunks, data.shards, data.compression) == (layout["chunks"], layout.get("shards"), codecs)


def test_a_reader_that_reopens_with_the_same_manager_sees_what_was_added(store: Store) -> None:
    begin(store, LAYOUTS["shards"])
    manager = Manager()
    for number in range(4):
        with store.io("r", manager) as io:
            before = np.asarray(io.read().acquisition["raw"].data[...])
        block = values("int16", (6, 3), number)
        append(store, block)
        with store.io("r", manager) as io:
            assert_same(io.read().acquisition["raw"].data[...], np.concatenate([before, block]))
    manager.close()


def test_a_link_from_another_store_sees_what_was_added(local: Store) -> None:
    begin(local, LAYOUTS["shards"])
    derived = Store(f"{Path(local.url).parent}/derived.nwb.zarr")
    with local.io("r") as io:
        derived.write(io.read().copy(), manager=io.manager)
    append(local, START)
    assert_same(found_in(derived), np.concatenate([START, START]))


def test_what_is_exported_after_appends_has_the_same_layout(store: Store) -> None:
    begin(store, LAYOUTS["shards"])
    append(store, values("int16", (40, 3), 1))
    with store.io("r") as source, NWBZarrIO(f"{store.url}.copy", "w") as io:
        io.export(source)
    with reading(f"{store.url}.copy", path=SERIES_PATH) as data:
        assert (data.chunks, data.shards) == ((5, 3), (20, 3))
        assert_same(data[...], found_in(store))


# Deaths.

#: More steps than an append has.
ENDLESS = 200

BLOCK = values("int16", (31, 3), 77)


def every_second_step() -> range:
    """Return every second step: what comes after one step comes before the next, so both together see all of them."""
    return range(0, ENDLESS, 2)


def outcome(store: Store, allowed: list[AnyArray]) -> int | str:
    """Return which of some arrays is there, or what is there instead."""
    try:
        found = found_in(store)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told with its step
        return f"unreadable: {type(error).__name__}: {error}"
    for number, wanted in enumerate(allowed):
        if found.shape == wanted.shape:
            return number if np.array_equal(found, wanted) else f"wrong values, {len(wanted)} rows"
    return f"shape {found.shape}"


@pytest.mark.parametrize("for_good", [True, False], ids=["death", "exception"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["chunks", "shards"])
def test_a_death_within_an_append_loses_that_one_only(
    memory_store: Store, name: str, when: Any, for_good: bool
) -> None:
    first = np.concatenate([START, BLOCK[:9]])
    second = np.concatenate([first, BLOCK])
    trouble = []
    committed = 0
    for step in every_second_step():
        store = Store(f"{memory_store.url}/{step}")
        begin(store, LAYOUTS[name])
        append(store, BLOCK[:9])
        fuse = Fuse(step, when, for_good)
        with small_regions(), suppress(Died):
            append(store, BLOCK, Manager(meter=FuseMeter(fuse)))
        settle()
        if not fuse.blown:
            break
        found = outcome(store, [first, second])
        if isinstance(found, str):
            trouble.append(f"step {step}: {found}")
        committed += found == 1
        # Whoever comes next can go on.
        after = second if found == 1 else first
        append(store, BLOCK[:5])
        again = outcome(store, [np.concatenate([after, BLOCK[:5]])])
        if again != 0:
            trouble.append(f"step {step}, the next append: {again}")
    assert 3 < step < ENDLESS
    assert trouble == []
    assert committed < step - 2


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["chunks", "shards"])
def test_an_exception_within_an_append_on_the_disk_loses_that_one_only(tmp_path: Path, name: str, when: Any) -> None:
    second = np.concatenate([START, BLOCK])
    trouble = []
    for step in every_second_step():
        store = Store(str(tmp_path / f"{step}" / "x.nwb.zarr"))
        begin(store, LAYOUTS[name])
        fuse = Fuse(step, when, for_good=False)
        with small_regions(), suppress(Died), fused_files(fuse, Path(store.url).parent):
            append(store, BLOCK)
        if not fuse.blown:
            break
        found = outcome(store, [START, second])
        if isinstance(found, str):
            trouble.append(f"step {step}: {found}")
        append(store, BLOCK[:5])
        again = outcome(store, [np.concatenate([second if found == 1 else START, BLOCK[:5]])])
        if again != 0:
            trouble.append(f"step {step}, the next append: {again}")
        if store.litter():
            trouble.append(f"step {step}: left {store.litter()}")
        shutil.rmtree(tmp_path / f"{step}")
    assert 3 < step < ENDLESS
    assert trouble == []


def append_until_killed(store: Store, number: int) -> None:
    """In a child: append, and be killed at one operation on files."""
    from tests.commit.deaths import _die_at_file_operation

    with small_regions():
        _die_at_file_operation(number, str(Path(store.url).parent))
        append(store, BLOCK)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chunks", "shards"])
def test_killed_within_an_append_on_the_disk(tmp_path: Path, name: str) -> None:
    trouble = []
    for step in range(ENDLESS):
        store = Store(str(tmp_path / f"{step}" / "x.nwb.zarr"))
        begin(store, LAYOUTS[name])
        if run_in_child(append_until_killed, store, step) != KILLED:
            break
        found = outcome(store, [START, np.concatenate([START, BLOCK])])
        if isinstance(found, str):
            trouble.append(f"step {step}: {found}")
        before = found_in(store)
        append(store, BLOCK[:5])
        if outcome(store, [np.concatenate([before, BLOCK[:5]])]) != 0:
            trouble.append(f"step {step}: the next append is wrong")
        if store.litter():
            trouble.append(f"step {step}: left {store.litter()}")
    assert 3 < step < ENDLESS
    assert trouble == []


def test_of_two_that_append_at_once_one_is_told(store: Store) -> None:
    begin(store, LAYOUTS["shards"])
    with store.io("r+") as first, store.io("r+") as second:
        one, other = first.read(), second.read()
        one.acquisition["raw"].append(BLOCK)
        other.acquisition["raw"].append(BLOCK[:5])
        first.write(one)
        with pytest.raises(NWBZarrError):
            second.write(other)
    assert_same(found_in(store), np.concatenate([START, BLOCK]))


# Arrays of other writers.


def foreign_session(place: Path, data: AnyArray, **wishes: Any) -> None:
    """Write a session of one series with zarr-python."""
    root = bare_session(place)
    series = make_group(root, "acquisition/raw", typed("TimeSeries", comments="c", description="d"))
    made: dict[str, Any] = {"unit": "V", "conversion": 1.0, "offset": 0.0, "resolution": -1.0}
    with quiet():
        array = series.create_array("data", shape=data.shape, dtype=data.dtype, attributes=made, **wishes)
        array[...] = data
        start = series.create_array("starting_time", shape=(), dtype="f8", attributes={"rate": 10.0, "unit": "seconds"})
        start[...] = 0.0
    consolidate(place)


@pytest.mark.parametrize(
    "wishes",
    [
        {"chunks": (5, 3)},
        {"chunks": (4, 2), "fill_value": 7},
        {"chunks": (5, 3), "shards": (20, 3)},
        {"chunks": (5, 3), "shards": {"shape": (20, 3), "index_location": "start"}, "fill_value": -1},
        {"chunks": (5, 3), "compressors": None},
        {"chunks": (5, 3), "compressors": GzipCodec()},
        {"chunks": (5, 3), "filters": [TransposeCodec(order=(1, 0))]},
        {"chunks": (5, 3), "serializer": BytesCodec(endian="big")},
        {"chunks": (5, 3), "chunk_key_encoding": {"name": "v2", "separator": "."}},
    ],
    ids=repr,
)
@pytest.mark.parametrize("zeros", [False, True], ids=["values", "fill values"])
def test_arrays_that_zarr_wrote_are_appended_to(local: Store, wishes: dict[str, Any], zeros: bool) -> None:
    """Zarr leaves out chunks that hold the fill value only."""
    data = np.full((33, 3), wishes.get("fill_value", 0), "int16") if zeros else values("int16", (33, 3), 5)
    Path(local.url).parent.mkdir()
    foreign_session(Path(local.url), data, **wishes)
    for start in range(0, 31, 10):
        append(local, BLOCK[start : start + 10])
    wanted = np.concatenate([data, BLOCK])
    assert_same(found_in(local), wanted)
    with quiet():
        assert_same(zarr.open_array(f"{local.url}/{FOLDER}", mode="r")[...], wanted)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    from tests.peers.environment import HOW_TO_MAKE, Peer, PeerUnavailableError, find_interpreter

    interpreter = find_interpreter()
    if interpreter is None:
        pytest.skip(f"no environment for hdmf-zarr: {HOW_TO_MAKE}")
    try:
        started = Peer(interpreter, tmp_path_factory.mktemp("peer") / "log")
    except PeerUnavailableError as error:
        pytest.skip(str(error))
    with started:
        yield started


@pytest.mark.peers
def test_a_series_that_hdmf_zarr_wrote_is_appended_to(peer: Peer, tmp_path: Path) -> None:
    from tests.peers.sessions import SMALL

    store = Store(str(tmp_path / "theirs.nwb.zarr"))
    only = {"acquisition/irregular": SMALL["series"]["acquisition/irregular"]}
    peer.run("write_session", path=store.url, session={**SMALL, "series": only}, shared={})
    with store.io("r") as io:
        series = io.read().acquisition["irregular"]
        data, times = np.asarray(series.data[...]), np.asarray(series.timestamps[...])
        labels = np.asarray(series.control[...])
    for number in range(3):
        with store.io("r+") as io:
            nwb = io.read()
            more = times[-1] + number + np.array([0.25, 0.5])
            nwb.acquisition["irregular"].append(data[:2], timestamps=more, control=labels[:2])
            io.write(nwb)
    wanted = np.concatenate([data, *[data[:2]] * 3])
    assert_same(read(store.url, "/acquisition/irregular/data"), wanted)
    found = peer.run("open_arrays", path=store.url, consolidated=True)
    described = found["acquisition/irregular/data"]
    assert described["missing"] == 0
    assert described["values"]["shape"] == list(wanted.shape)
    assert found["acquisition/irregular/timestamps"]["values"]["shape"] == [len(wanted)]
    assert peer.run("validate_session", path=store.url) == []


# The cost.

#: Requests of an append that are no PUT of an object that it touches.
OTHERS = 10


def cost_of(store: Store, block: AnyArray) -> Meter:
    """Append, with the session opened before; return what the append alone sent."""
    meter = Meter()
    manager = Manager(meter=meter)
    with store.io("r+", manager) as io:
        nwb = io.read()
        nwb.acquisition["raw"].append(block)
        meter.reset()
        io.write(nwb)
    manager.close()
    return meter


@pytest.mark.parametrize("rows", [200, 2000])
def test_an_append_costs_the_same_however_long_the_array_is(memory_store: Store, rows: int) -> None:
    begin(memory_store, LAYOUTS["shards"], values("int16", (rows, 3), 1))
    meter = cost_of(memory_store, BLOCK[:7])
    puts = [key for kind, key in meter.keys if kind == "put"]
    arrays = [key for key in puts if key.startswith(f"{FOLDER}/c")]
    assert arrays == [f"{FOLDER}/c.{rows // 20}.0"]
    assert len(puts) <= 1 + 3 + OTHERS
    assert meter.requests["get"] <= OTHERS
    assert meter.requests["list"] == 0
    assert {DOCUMENT, SIDECAR} <= set(puts)


def test_an_append_writes_only_the_objects_that_it_touches(memory_store: Store) -> None:
    begin(memory_store, {"chunks": (5, 3)}, values("int16", (33, 3), 1))
    meter = cost_of(memory_store, BLOCK[:12])
    arrays = sorted(key for kind, key in meter.keys if kind == "put" and key.startswith(f"{FOLDER}/c"))
    assert arrays == [f"{FOLDER}/c.{index}.0" for index in (6, 7, 8)]


def test_many_appends_cost_no_more_than_the_first(memory_store: Store) -> None:
    begin(memory_store, {"chunks": (50, 3), "shards": (100, 3)}, values("int16", (300, 3), 1))
    totals, sent = [], []
    for number in range(30):
        meter = cost_of(memory_store, values("int16", (10, 3), number))
        totals.append(meter.total)
        sent.append(meter.bytes_written)
    assert max(totals) <= totals[0] + 3
    # Rows that fill up a shard are sent again with it, up to the next; the rest does not grow.
    assert max(sent[20:]) <= 1.05 * max(sent[:10])


def test_an_append_does_not_read_what_is_there_but_the_last_object(memory_store: Store) -> None:
    begin(memory_store, LAYOUTS["shards"], values("int16", (213, 3), 1))
    meter = cost_of(memory_store, BLOCK)
    got = {key for kind, key in meter.keys if kind == "get" and key.startswith(f"{FOLDER}/c")}
    assert got <= {f"{FOLDER}/c.10.0"}


def every_kind() -> list[Callable[[], Any]]:
    """Return what an append must not take for a block."""
    return [lambda: iter([BLOCK]), lambda: (block for block in [BLOCK])]


@pytest.mark.parametrize("make", every_kind())
def test_an_iterator_is_appended_whole_or_refused(store: Store, make: Callable[[], Any]) -> None:
    begin(store, LAYOUTS["shards"])
    try:
        append(store, make())
    except NWBZarrError:
        assert_same(found_in(store), START)
    else:
        assert_same(found_in(store), np.concatenate([START, BLOCK]))
