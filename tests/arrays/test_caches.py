"""What is in hand is not asked for again: metadata, shard indexes, chunks in memory and on disk; and what is near comes at once."""

from __future__ import annotations

import gc
from collections import Counter
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import nwbzarr
from nwbzarr import Manager, Meter, NWBZarrIO
from nwbzarr.arrays.blocks import BlockCache
from nwbzarr.convention.names import DOCUMENT, SIDECAR
from nwbzarr.errors import StoreError, StoreModeError
from tests.arrays.stored import FOLDER, assert_same, values, write
from tests.commit.deaths import CONTEXT, PATIENCE
from tests.commit.sessions import Store
from tests.places import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

AnyArray = np.ndarray[Any, Any]

SHAPE = (400, 8)
ARRAY = values("int32", SHAPE, 3)
CHUNKS: dict[str, Any] = {"chunks": (20, 4)}
SHARDS: dict[str, Any] = {"chunks": (20, 4), "shards": (100, 8)}


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A place whose bytes come by requests: memory stands for a network."""
    with place_of("memory", request, tmp_path) as place:
        yield Store.at(place)


class Client:
    """One who reads, and whose requests are counted."""

    def __init__(self, store: Store, cache: BlockCache | None = None) -> None:
        self.meter = Meter()
        self.manager = Manager(meter=self.meter, blocks=cache)
        self.store = store
        self.io = store.io("r", self.manager)
        self.data: Any = self.io.read().scratch["x"].data

    def keys(self) -> Counter[str]:
        """Return what was asked for since the last time."""
        found = Counter(key for _, key in self.meter.keys)
        self.meter.reset()
        return found

    def objects(self) -> Counter[str]:
        """Return what was asked for of the array's values since the last time."""
        return Counter({key: count for key, count in self.keys().items() if key.startswith(f"{FOLDER}/c")})

    def close(self) -> None:
        self.manager.close()


@contextmanager
def client(store: Store, cache: BlockCache | None = None) -> Iterator[Client]:
    made = Client(store, cache)
    try:
        yield made
    finally:
        made.close()


# Metadata and shard indexes.


@pytest.mark.parametrize("layout", [CHUNKS, SHARDS], ids=["chunks", "shards"])
def test_metadata_is_asked_for_once(store: Store, layout: dict[str, Any]) -> None:
    write(store.url, ARRAY, **layout)
    with client(store) as reader:
        assert set(reader.keys()) == {DOCUMENT, SIDECAR}
        for selection in (0, slice(50), (slice(None), 3), ..., [5, 300]):
            assert_same(reader.data[selection], ARRAY[selection])
        asked = reader.keys()
        assert all(key.startswith(f"{FOLDER}/c") for key in asked), asked
        again = reader.io.read().scratch["x"].data
        assert (again.shape, again.dtype, again.chunks, len(again), again.nbytes) is not None
        assert reader.keys() == {}


def test_a_window_of_chunks_is_one_round_trip(store: Store) -> None:
    write(store.url, ARRAY, **CHUNKS)
    with client(store) as reader:
        reader.keys()
        assert_same(reader.data[30:90], ARRAY[30:90])
        assert reader.meter.round_trips == 1
        assert reader.keys() == {f"{FOLDER}/c.{row}.{column}": 1 for row in range(1, 5) for column in range(2)}


def test_a_window_of_shards_is_an_index_and_one_request(store: Store) -> None:
    write(store.url, ARRAY, **SHARDS)
    with client(store) as reader:
        reader.keys()
        assert_same(reader.data[10:70], ARRAY[10:70])
        assert reader.meter.round_trips <= 2
        assert reader.keys() == {f"{FOLDER}/c.0.0": 2}


def test_a_window_over_two_shards_is_two_indexes_and_two_requests_side_by_side(store: Store) -> None:
    write(store.url, ARRAY, **SHARDS)
    with client(store) as reader:
        reader.keys()
        assert_same(reader.data[90:130], ARRAY[90:130])
        assert reader.meter.round_trips <= 2
        assert reader.keys() == {f"{FOLDER}/c.0.0": 2, f"{FOLDER}/c.1.0": 2}


def test_the_index_of_a_shard_is_asked_for_once(store: Store) -> None:
    write(store.url, ARRAY, **SHARDS)
    with client(store, BlockCache(memory_bytes=0)) as reader:
        reader.keys()
        for start in range(0, 80, 10):
            assert_same(reader.data[start : start + 5], ARRAY[start : start + 5])
        assert reader.keys() == {f"{FOLDER}/c.0.0": 1 + 8}
        # By another view of the same session too.
        assert_same(reader.io.read().scratch["x"].data[3], ARRAY[3])
        assert reader.keys() == {f"{FOLDER}/c.0.0": 1}


def test_a_window_brings_little_more_than_its_chunks(store: Store) -> None:
    array = values("int32", (4000, 64), 1)
    write(store.url, array, chunks=(100, 64), shards=(4000, 64), compressors="none")
    with client(store) as reader:
        reader.meter.reset()
        assert_same(reader.data[1000:1200], array[1000:1200])
        assert reader.meter.bytes_read <= 2 * 100 * 64 * 4 + 2000


def test_one_channel_of_a_shard_is_few_requests(store: Store) -> None:
    """Chunks of other channels lie between those that are wanted, and come along where they are small."""
    array = values("int32", (1000, 64), 1)
    write(store.url, array, chunks=(50, 8), shards=(1000, 64))
    with client(store) as reader:
        reader.keys()
        assert_same(reader.data[:, 5], array[:, 5])
        assert reader.meter.round_trips <= 2
        assert reader.keys()[f"{FOLDER}/c.0.0"] <= 4


def test_an_object_that_is_not_there_is_asked_for_once_per_reading(store: Store) -> None:
    write(store.url, ARRAY, **SHARDS)
    store.delete(f"{FOLDER}/c.1.0")
    with client(store) as reader:
        reader.keys()
        assert not reader.data[100:200].any()
        assert reader.keys() == {f"{FOLDER}/c.1.0": 1}


def test_opening_a_session_again_asks_for_no_chunk_again(store: Store) -> None:
    write(store.url, ARRAY, **SHARDS)
    with client(store) as reader:
        reader.keys()
        for _ in range(3):
            with NWBZarrIO(store.url, "r", reader.manager) as io:
                assert_same(io.read().scratch["x"].data[:3], ARRAY[:3])
        asked = reader.objects()
        assert asked[f"{FOLDER}/c.0.0"] <= 1 + 3


# Memory.


def test_neighbouring_windows_come_from_memory(store: Store) -> None:
    write(store.url, ARRAY, **SHARDS)
    with client(store) as reader:
        for start in (0, 2):
            assert_same(reader.data[start : start + 2], ARRAY[start : start + 2])
        reader.keys()
        # The same chunks for the third time and on.
        for start in (4, 6, 8, 10, 12, 14, 16, 18):
            assert_same(reader.data[start : start + 2], ARRAY[start : start + 2])
        assert reader.keys() == {}


def test_what_comes_from_memory_can_be_changed_and_stays_as_it_was(store: Store) -> None:
    write(store.url, ARRAY, **CHUNKS)
    with client(store) as reader:
        for _ in range(5):
            found = reader.data[3:5]
            assert_same(found, ARRAY[3:5])
            found[...] = 0


def held_by(cache: BlockCache) -> int:
    """Return the bytes of the arrays that a cache keeps alive, whatever its insides are called."""
    seen: set[int] = set()
    waiting: list[Any] = [vars(cache)]
    total = 0
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, type | ModuleType | FunctionType):
            continue
        seen.add(id(item))
        if isinstance(item, np.ndarray):
            total += item.nbytes if item.base is None else 0
            waiting.append(item.base)
        else:
            waiting += gc.get_referents(item)
    return total


@pytest.mark.parametrize("limit", [0, 1, 1000, 3000, 10_000])
def test_memory_is_bounded(store: Store, limit: int) -> None:
    write(store.url, ARRAY, **SHARDS)
    cache = BlockCache(memory_bytes=limit)
    with client(store, cache) as reader:
        for start in (*range(0, 400, 7), *range(0, 400, 7), *range(0, 400, 7)):
            assert_same(reader.data[start : start + 2], ARRAY[start : start + 2])
        indexes = 4 * (10 * 16 + 4)
        assert held_by(cache) <= limit + indexes


def test_what_is_kept_in_memory_is_measured(store: Store) -> None:
    """The scale itself: a cache with room keeps something."""
    write(store.url, ARRAY, **SHARDS)
    cache = BlockCache(memory_bytes=10**6)
    with client(store, cache) as reader:
        for start in (0, 2, 4, 6):
            assert_same(reader.data[start : start + 2], ARRAY[start : start + 2])
        assert held_by(cache) >= 20 * 4 * 4


def test_reading_from_end_to_end_does_not_push_out_what_windows_use(store: Store) -> None:
    write(store.url, ARRAY, **SHARDS)
    cache = BlockCache(memory_bytes=6000)
    with client(store, cache) as reader:
        for start in (0, 2, 4):
            assert_same(reader.data[start : start + 2], ARRAY[start : start + 2])
        assert_same(reader.data[...], ARRAY)
        reader.keys()
        assert_same(reader.data[6:8], ARRAY[6:8])
        assert reader.keys() == {}


@pytest.mark.parametrize("limits", [{"memory_bytes": -1}, {"disk_bytes": -1}])
def test_limits_below_nothing_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(StoreError, match="-1"):
        BlockCache(**limits)


def test_a_cache_belongs_to_a_manager(store: Store) -> None:
    write(store.url, ARRAY)
    with pytest.raises(StoreModeError, match="cache"):
        NWBZarrIO(store.url, "r", Manager(), cache=BlockCache())
    assert_same(nwbzarr.open(store.url, cache=BlockCache()).scratch["x"].data[...], ARRAY)


def test_a_cache_that_two_managers_share_serves_both(store: Store) -> None:
    write(store.url, ARRAY, **SHARDS)
    cache = BlockCache()
    with client(store, cache) as first, client(store, cache) as second:
        for start in (0, 2, 4):
            assert_same(first.data[start : start + 2], ARRAY[start : start + 2])
        second.keys()
        assert_same(second.data[6:8], ARRAY[6:8])
        assert second.keys() == {}


def test_two_stores_with_the_same_content_do_not_share_values(store: Store) -> None:
    """Their metadata is the same to the last byte; what lies in their chunks is not."""
    other = Store(f"{store.url}.other")
    write(store.url, ARRAY, **SHARDS)
    write(other.url, ARRAY, **SHARDS)
    for key in store.names():
        if not key.startswith(f"{FOLDER}/c"):
            other.put(key, store.get(key))
    for key in ("c.0.0", "c.1.0"):
        exchanged = "c.1.0" if key == "c.0.0" else "c.0.0"
        other.put(f"{FOLDER}/{key}", store.get(f"{FOLDER}/{exchanged}"))
    cache = BlockCache()
    with client(store, cache) as one, client(other, cache) as another:
        for start in (0, 2, 4, 6):
            assert_same(one.data[start : start + 2], ARRAY[start : start + 2])
            assert_same(another.data[start : start + 2], ARRAY[100 + start : 102 + start])


# On disk.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pytest.importorskip("diskcache")
    return tmp_path / "cache"


WINDOWS = (slice(0, 50), slice(90, 130), (slice(None), 3), slice(399, None), ...)


def read_windows(reader: Client, array: AnyArray = ARRAY) -> None:
    for selection in WINDOWS:
        assert_same(reader.data[selection], array[selection])


@pytest.mark.parametrize("layout", [CHUNKS, SHARDS], ids=["chunks", "shards"])
def test_what_was_read_comes_from_disk_without_requests(store: Store, folder: Path, layout: dict[str, Any]) -> None:
    write(store.url, ARRAY, **layout)
    for number in range(3):
        cache = BlockCache(memory_bytes=0, disk=folder)
        with client(store, cache) as reader:
            reader.keys()
            read_windows(reader)
            assert (reader.keys() == {}) == (number > 0)
        cache.close()


@pytest.mark.parametrize("codecs", ["planned", "gzip", "none", "pcodec", "delta"])
def test_values_from_disk_are_the_same_whatever_the_codecs(store: Store, folder: Path, codecs: str) -> None:
    write(store.url, ARRAY, **SHARDS, compressors=codecs)
    for _ in range(2):
        cache = BlockCache(memory_bytes=0, disk=folder)
        with client(store, cache) as reader:
            read_windows(reader)
        cache.close()


def read_in_child(url: str, cache_folder: str, pipe: Connection) -> None:
    """In a child: read a store on the disk by way of HTTP, and tell what was asked for."""
    cache = BlockCache(disk=cache_folder)
    with client(Store(url), cache) as reader:
        reader.keys()
        read_windows(reader)
        pipe.send(dict(reader.keys()))
    cache.close()


def test_a_new_process_reads_without_requests(web_server: Any, tmp_path: Path, folder: Path) -> None:
    write(tmp_path / "served" / "x.nwb.zarr", ARRAY, **SHARDS)
    url = f"{web_server(tmp_path / 'served').url}/x.nwb.zarr"
    asked = []
    for _ in range(2):
        ours, theirs = CONTEXT.Pipe()
        child = CONTEXT.Process(target=read_in_child, args=(url, str(folder), theirs), daemon=True)
        child.start()
        theirs.close()
        try:
            assert ours.poll(PATIENCE), "the child process hangs"
            asked.append(ours.recv())
        finally:
            child.join(60)
            child.kill()
            ours.close()
    assert asked[0]
    assert asked[1] == {}


def bytes_in(folder: Path) -> int:
    """Return the bytes of what is kept, without the data base that says where."""
    return sum(path.stat().st_size for path in folder.rglob("*.val"))


def test_a_cache_on_disk_keeps_within_its_bounds(store: Store, folder: Path) -> None:
    rows = 640
    array = values("int64", (80 * rows, 8), 1)
    write(store.url, array, chunks=(rows, 8), compressors="none")
    limit, entry = 40 * rows * 64, rows * 64
    cache = BlockCache(memory_bytes=0, disk=folder, disk_bytes=limit)
    with client(store, cache) as reader:
        for _ in range(2):
            for start in range(0, len(array), rows):
                assert_same(reader.data[start : start + rows], array[start : start + rows])
                assert 0 < bytes_in(folder) <= limit + entry
        reader.keys()
        # The last one is there, the first ones had to go.
        assert_same(reader.data[-rows:], array[-rows:])
        assert reader.keys() == {}
        assert_same(reader.data[:rows], array[:rows])
        assert reader.keys() == {f"{FOLDER}/c.0.0": 1}
    cache.close()


def test_what_was_just_read_is_not_the_first_to_go(store: Store, folder: Path) -> None:
    """Of few large entries, as shards read whole are."""
    array = values("int64", (40_000, 8), 1)
    write(store.url, array, chunks=(2000, 8), compressors="none")
    cache = BlockCache(memory_bytes=0, disk=folder, disk_bytes=600_000)
    with client(store, cache) as reader:
        for start in range(0, 40_000, 2000):
            for _ in range(2):
                assert_same(reader.data[start : start + 2000], array[start : start + 2000])
        assert set(reader.objects().values()) == {1}
    cache.close()


@pytest.mark.parametrize("layout", [CHUNKS, SHARDS], ids=["chunks", "shards"])
@pytest.mark.parametrize("change", ["replaced", "appended"])
def test_after_a_commit_nothing_old_comes_from_disk(
    store: Store, folder: Path, layout: dict[str, Any], change: str
) -> None:
    write(store.url, ARRAY, **layout)
    cache = BlockCache(disk=folder)
    with client(store, cache) as reader:
        read_windows(reader)
    if change == "replaced":
        array = ARRAY[::-1].copy()
        write(store.url, array, **layout)
    else:
        more = values("int32", (37, 8), 9)
        with NWBZarrIO(store.url, "r+") as io:
            nwb = io.read()
            found: Any = nwb.find(FOLDER)
            found.append(more)
            io.write(nwb)
        array = np.concatenate([ARRAY, more])
    for made in (cache, BlockCache(disk=folder)):
        with client(store, made) as reader:
            read_windows(reader, array)
            assert_same(reader.data[...], array)
        made.close()


def test_two_stores_share_a_folder(store: Store, folder: Path) -> None:
    other = Store(f"{store.url}.other")
    write(store.url, ARRAY, **SHARDS)
    write(other.url, -ARRAY, **SHARDS)
    cache = BlockCache(memory_bytes=0, disk=folder)
    for _ in range(2):
        with client(store, cache) as one, client(other, cache) as another:
            read_windows(one)
            read_windows(another, -ARRAY)
    cache.close()


def test_damage_on_the_way_is_not_kept_for_good(store: Store, folder: Path) -> None:
    write(store.url, ARRAY, **SHARDS)
    whole = store.get(f"{FOLDER}/c.0.0")
    store.put(f"{FOLDER}/c.0.0", whole[:10] + bytes([whole[10] ^ 1]) + whole[11:])
    cache = BlockCache(disk=folder)
    with client(store, cache) as reader, pytest.raises(nwbzarr.errors.ChunkError):
        reader.data[:20]
    store.put(f"{FOLDER}/c.0.0", whole)
    with client(store, cache) as reader:
        assert_same(reader.data[:20], ARRAY[:20])
    cache.close()


def test_a_damaged_entry_on_disk_is_an_error_or_fetched_again(store: Store, folder: Path) -> None:
    """Never wrong values: the checksum of the chunk is looked at whichever way it comes."""
    array = values("int64", (8000, 8), 1)
    write(store.url, array, chunks=(2000, 8))
    cache = BlockCache(memory_bytes=0, disk=folder)
    with client(store, cache) as reader:
        assert_same(reader.data[...], array)
    cache.close()
    entries = list(folder.rglob("*.val"))
    assert entries, "large entries are files of their own"
    for path in entries:
        data = path.read_bytes()
        path.write_bytes(data[:1000] + bytes([data[1000] ^ 1]) + data[1001:])
    cache = BlockCache(memory_bytes=0, disk=folder)
    with client(store, cache) as reader:
        try:
            found = reader.data[...]
        except nwbzarr.errors.ChunkError:
            return
        assert_same(found, array)
    cache.close()


def test_clear_forgets_what_is_on_disk(store: Store, folder: Path) -> None:
    write(store.url, ARRAY, **SHARDS)
    cache = BlockCache(disk=folder)
    with client(store, cache) as reader:
        read_windows(reader)
        cache.clear()
        reader.keys()
        read_windows(reader)
        assert reader.keys() != {}
    cache.close()


def test_a_folder_that_cannot_be_used_is_a_named_error(tmp_path: Path) -> None:
    pytest.importorskip("diskcache")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match="file"):
        BlockCache(disk=tmp_path / "file")


def test_a_local_store_is_not_copied_to_the_disk(tmp_path: Path, folder: Path) -> None:
    diskcache = pytest.importorskip("diskcache")
    write(tmp_path / "x.nwb.zarr", ARRAY, **SHARDS)
    cache = BlockCache(disk=folder)
    data = nwbzarr.open(tmp_path / "x.nwb.zarr", cache=cache).scratch["x"].data
    for selection in WINDOWS:
        assert_same(data[selection], ARRAY[selection])
    cache.close()
    with diskcache.Cache(str(folder)) as kept:
        assert len(kept) == 0
