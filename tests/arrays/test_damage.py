"""Damaged chunks and shards: a named error with the path and the region, the rest readable, and no memory for bombs."""

from __future__ import annotations

import resource
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import google_crc32c
import numpy as np
import pytest
import zarr
from numcodecs.blosc import Blosc

from nwbzarr.convention.names import SIDECAR
from nwbzarr.errors import ChunkError, DocumentError, NWBZarrError
from tests.arrays.stored import FOLDER, PATH, assert_same, quiet, reading, values, write
from tests.commit.deaths import CONTEXT, PATIENCE
from tests.commit.sessions import Store
from tests.places import QUICK_KINDS, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

AnyArray = np.ndarray[Any, Any]

SHAPE = (20, 6)
CHUNKS = (5, 3)
SHARDS = (10, 6)

#: Region of the chunk with the index (1, 1), and of the shard that holds it.
CHUNK_REGION = "5:10, 3:6"
SHARD_REGION = "0:10, 0:6"
INSIDE = (slice(5, 10), slice(3, 6))

#: What finds every flipped bit: a checksum, or the form itself.
CODECS = ("planned", "blosc-lz4", "pcodec", "delta")

ARRAY = values("int16", SHAPE, 5)
TEXTS = values("O", SHAPE, 5)


@pytest.fixture(params=QUICK_KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with place_of(request.param, request, tmp_path) as place:
        yield Store.at(place)


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "x.nwb.zarr"))


def read_part(store: Store, selection: Any = ...) -> AnyArray:
    """Read with a manager of its own, which has nothing in hand."""
    with reading(store.url) as data:
        return np.asarray(data[selection])


def outcome(store: Store, selection: Any = ...) -> AnyArray | ChunkError:
    """Return what is read, or the error; any other error is raised."""
    try:
        return read_part(store, selection)
    except ChunkError as error:
        return error


def check_error(error: object, store: Store, region: str) -> None:
    """Check that an error says where: store, path and region."""
    assert isinstance(error, ChunkError), f"{type(error).__name__} instead of an error"
    assert isinstance(error, DocumentError | ValueError)
    assert error.path == PATH
    assert store.url.rpartition("/")[2] in str(error)
    assert PATH in str(error)
    assert region in str(error), str(error)


def places_of(size: int) -> list[int]:
    """Return places of every class: the head, what follows it, the middle, the end, the checksum."""
    some = {*range(min(24, size)), *range(max(size - 24, 0), size), *range(0, size, max(size // 16, 1)), size // 2}
    return sorted(some)


def flipped(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


# Flipped bits.


@pytest.mark.parametrize("compressors", CODECS)
def test_a_flipped_bit_anywhere_in_a_chunk_is_an_error(local: Store, compressors: str) -> None:
    write(local.url, ARRAY, chunks=CHUNKS, compressors=compressors)
    key = f"{FOLDER}/c.1.1"
    data = local.get(key)
    for place in places_of(len(data)):
        local.put(key, flipped(data, place, place % 8))
        check_error(outcome(local), local, CHUNK_REGION)
    local.put(key, data)
    assert_same(read_part(local), ARRAY)


def test_a_flipped_bit_anywhere_in_a_chunk_of_texts_is_an_error(local: Store) -> None:
    write(local.url, TEXTS, chunks=CHUNKS)
    key = f"{FOLDER}/c.1.1"
    data = local.get(key)
    for place in places_of(len(data)):
        local.put(key, flipped(data, place, place % 8))
        check_error(outcome(local), local, CHUNK_REGION)


@pytest.mark.parametrize("dtype", ["bool", "float32", "complex128", "uint8", "O"])
def test_planned_layouts_have_a_checksum_whatever_the_dtype(store: Store, dtype: str) -> None:
    array = values(dtype, (400, 6), 1)
    write(store.url, array, chunks=(100, 3))
    key = f"{FOLDER}/c.1.1"
    data = store.get(key)
    store.put(key, flipped(data, len(data) * 3 // 4, 2))
    check_error(outcome(store), store, "100:200, 3:6")


@pytest.mark.parametrize("compressors", ["gzip", "none"])
@pytest.mark.parametrize("array", [ARRAY, TEXTS], ids=["numbers", "texts"])
def test_without_our_checksum_it_is_an_error_or_an_array_of_the_same_shape(
    local: Store, compressors: str, array: AnyArray
) -> None:
    write(local.url, array, chunks=CHUNKS, compressors=compressors)
    key = f"{FOLDER}/c.1.1"
    data = local.get(key)
    failed = 0
    for place in places_of(len(data)):
        local.put(key, flipped(data, place, place % 8))
        found = outcome(local)
        if isinstance(found, ChunkError):
            check_error(found, local, CHUNK_REGION)
            failed += 1
        else:
            assert (found.shape, found.dtype) == (array.shape, array.dtype)
            found[INSIDE] = array[INSIDE]
            assert_same(found, array)
    # The head of gzip has a few bytes that mean nothing; its body has a checksum.
    assert failed > (len(places_of(len(data))) // 2 if compressors == "gzip" else -1)


@pytest.mark.parametrize("compressors", CODECS)
def test_a_flipped_bit_anywhere_in_a_shard_is_an_error(local: Store, compressors: str) -> None:
    write(local.url, ARRAY, chunks=CHUNKS, shards=SHARDS, compressors=compressors)
    key = f"{FOLDER}/c.0.0"
    data = local.get(key)
    for place in places_of(len(data)):
        local.put(key, flipped(data, place, place % 8))
        error = outcome(local)
        assert isinstance(error, ChunkError), place
        # In a chunk, or in the index of all of them.
        regions = [f"{row}:{row + 5}, {column}:{column + 3}" for row in (0, 5) for column in (0, 3)]
        assert any(region in str(error) for region in (*regions, SHARD_REGION)), (place, str(error))
        check_error(error, local, ":")


# Cut off, emptied, replaced.


@pytest.mark.parametrize("length", ["nothing", "one", "half", "all but one"])
@pytest.mark.parametrize("compressors", ["planned", "gzip", "none", "pcodec"])
@pytest.mark.parametrize("array", [ARRAY, TEXTS], ids=["numbers", "texts"])
def test_a_chunk_that_is_cut_off_is_an_error(store: Store, compressors: str, length: str, array: AnyArray) -> None:
    if compressors == "pcodec" and array is TEXTS:
        pytest.skip("pcodec takes numbers")
    write(store.url, array, chunks=CHUNKS, compressors=compressors)
    key = f"{FOLDER}/c.1.1"
    data = store.get(key)
    store.put(key, data[: {"nothing": 0, "one": 1, "half": len(data) // 2, "all but one": len(data) - 1}[length]])
    check_error(outcome(store), store, CHUNK_REGION)
    with reading(store.url) as found:
        for selection in (slice(10, None), (slice(None), slice(3)), (slice(0, 5), slice(3, 6)), ([0, 19], [5, 5])):
            assert_same(found[selection], array[selection])
        check_error(outcome(store, (7, 4)), store, CHUNK_REGION)


def test_a_chunk_with_bytes_behind_its_end_is_an_error(store: Store) -> None:
    write(store.url, ARRAY, chunks=CHUNKS)
    key = f"{FOLDER}/c.1.1"
    store.put(key, store.get(key) + b"\0")
    check_error(outcome(store), store, CHUNK_REGION)


def test_a_chunk_in_the_place_of_another_layout_is_an_error(store: Store) -> None:
    write(store.url, ARRAY.astype("int32"), chunks=CHUNKS)
    other = store.get(f"{FOLDER}/c.1.1")
    write(store.url, ARRAY, chunks=CHUNKS)
    store.put(f"{FOLDER}/c.1.1", other)
    check_error(outcome(store), store, CHUNK_REGION)


@pytest.mark.parametrize("length", ["nothing", "less than an index", "half", "all but one"])
def test_a_shard_that_is_cut_off_is_an_error(store: Store, length: str) -> None:
    write(store.url, ARRAY, chunks=CHUNKS, shards=SHARDS)
    key = f"{FOLDER}/c.0.0"
    data = store.get(key)
    kept = {"nothing": 0, "less than an index": 30, "half": len(data) // 2, "all but one": len(data) - 1}[length]
    store.put(key, data[:kept])
    check_error(outcome(store), store, SHARD_REGION)
    assert_same(read_part(store, slice(10, None)), ARRAY[10:])


def test_a_damaged_index_names_the_region_of_its_shard(store: Store) -> None:
    write(store.url, ARRAY, chunks=CHUNKS, shards=SHARDS)
    key = f"{FOLDER}/c.0.0"
    data = store.get(key)
    for place in (-1, -4, -5, -20, -36, -68):
        store.put(key, flipped(data, len(data) + place, 3))
        check_error(outcome(store), store, SHARD_REGION)
        check_error(outcome(store, (7, 4)), store, SHARD_REGION)
        assert_same(read_part(store, slice(10, None)), ARRAY[10:])


def with_index(data: bytes, change: Callable[[AnyArray], None]) -> bytes:
    """Return a shard whose index is changed, and has the right checksum."""
    count = (SHARDS[0] // CHUNKS[0]) * (SHARDS[1] // CHUNKS[1])
    body = data[: -16 * count - 4]
    index = np.frombuffer(data[-16 * count - 4 : -4], "<u8").reshape(-1, 2).copy()
    change(index)
    packed = index.tobytes()
    return body + packed + int(google_crc32c.value(packed)).to_bytes(4, "little")


INDEXES: dict[str, tuple[int, int]] = {
    "beyond the end": (10**6, 100),
    "far beyond": (2**62, 100),
    "beyond all": (2**64 - 2, 100),
    "longer than the shard": (0, 10**6),
    "much longer": (0, 2**62),
    "longer than all": (10, 2**64 - 2),
    "nothing": (0, 0),
    "no offset": (2**64 - 1, 10),
    "no size": (0, 2**64 - 1),
}


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_that_points_nowhere_is_an_error(store: Store, name: str) -> None:
    write(store.url, ARRAY, chunks=CHUNKS, shards=SHARDS)
    key = f"{FOLDER}/c.0.0"

    def change(index: AnyArray) -> None:
        index[3] = INDEXES[name]

    store.put(key, with_index(store.get(key), change))
    check_error(outcome(store), store, CHUNK_REGION)
    check_error(outcome(store, (7, 4)), store, CHUNK_REGION)
    assert_same(read_part(store, slice(5)), ARRAY[:5])
    assert_same(read_part(store, slice(10, None)), ARRAY[10:])


def test_an_index_that_exchanges_chunks_of_other_sizes_is_no_crash(store: Store) -> None:
    """Two chunks may point to the same bytes, and then hold the same."""
    write(store.url, ARRAY, chunks=CHUNKS, shards=SHARDS)
    key = f"{FOLDER}/c.0.0"

    def change(index: AnyArray) -> None:
        index[3] = index[0]

    store.put(key, with_index(store.get(key), change))
    wanted = ARRAY.copy()
    wanted[INSIDE] = ARRAY[:5, :3]
    assert_same(read_part(store), wanted)


# Gone.


@pytest.mark.parametrize("shards", [None, SHARDS], ids=["chunk", "shard"])
def test_an_object_that_is_gone_holds_the_fill_value_as_zarr_says(store: Store, shards: Any) -> None:
    write(store.url, ARRAY, chunks=CHUNKS, shards=shards)
    store.delete(f"{FOLDER}/c.0.0")
    wanted = ARRAY.copy()
    wanted[(slice(10), slice(6)) if shards else (slice(5), slice(3))] = 0
    assert_same(read_part(store), wanted)
    if store.is_local:
        assert_same(zarr.open_array(f"{store.url}/{FOLDER}", mode="r")[...], wanted)


def test_a_shard_that_goes_while_it_is_read_is_an_error(store: Store) -> None:
    write(store.url, ARRAY, chunks=CHUNKS, shards=SHARDS)
    with reading(store.url) as data:
        assert data[0, 0] == ARRAY[0, 0]
        store.delete(f"{FOLDER}/c.0.0")
        with pytest.raises(ChunkError) as caught:
            data[7, 4]
        check_error(caught.value, store, CHUNK_REGION)
        assert_same(data[10:], ARRAY[10:])


def test_the_store_is_read_again_after_it_was_mended(store: Store) -> None:
    write(store.url, ARRAY, chunks=CHUNKS, shards=SHARDS)
    data = store.get(f"{FOLDER}/c.0.0")
    with reading(store.url) as found:
        store.put(f"{FOLDER}/c.0.0", data[:-1])
        for _ in range(2):
            with pytest.raises(ChunkError):
                found[:]
        store.put(f"{FOLDER}/c.0.0", data)
        assert_same(found[:], ARRAY)


@pytest.mark.parametrize("shards", [None, SHARDS], ids=["chunks", "shards"])
def test_an_error_writes_no_array_that_is_derived_from_it(store: Store, shards: Any) -> None:
    write(store.url, ARRAY, chunks=CHUNKS, shards=shards)
    key = f"{FOLDER}/c.0.0"
    data = store.get(key)
    store.put(key, flipped(data, 10, 0))
    derived = Store(f"{store.url.rpartition('/')[0]}/derived.nwb.zarr")
    with reading(store.url) as found, pytest.raises(ChunkError, match=PATH):
        write(derived.url, found, link_data=False, chunks=(4, 6))
    assert derived.state() in ("absent", "incomplete")
    assert derived.litter() in ([], ["nwbzarr.write"]) or not derived.is_local


# Bombs.

BOMB_BYTES = 2**30
LIMIT = 200 * 2**20


def zstd_frame(blocks: bytes, size: int | None, *, window: int = 0x38) -> bytes:
    """Return a frame of Zstandard, by hand, that says its size or not."""
    head = bytes([0x00, window]) if size is None else bytes([0xC0, window]) + size.to_bytes(8, "little")
    return b"\x28\xb5\x2f\xfd" + head + blocks


def zstd_runs(count: int, byte: bytes = b"\0", *, last: bool = True) -> bytes:
    """Return blocks that decode to one byte so many times: three bytes and the byte for every 128 KiB."""
    sizes = [2**17] * (count >> 17) + ([count & 2**17 - 1] if count & 2**17 - 1 else [])
    ends = [False] * (len(sizes) - 1) + [last]
    return b"".join(
        (size << 3 | 1 << 1 | end).to_bytes(3, "little") + byte for size, end in zip(sizes, ends, strict=True)
    )


def zstd_raw(data: bytes) -> bytes:
    """Return a block, not the last, of bytes as they are."""
    return (len(data) << 3).to_bytes(3, "little") + data


def gzip_bomb() -> bytes:
    """Return a gzip stream of zeros; its checksum would be told when all of them are in memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08" + bytes(6) + b"\x03" + piece * (BOMB_BYTES >> 20) + packer.flush() + bytes(8)


def gzip_members() -> bytes:
    """Return many gzip streams, one behind the other, which decode as one."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return (packer.compress(bytes(2**20)) + packer.flush()) * (BOMB_BYTES >> 20)


@cache
def blosc_bomb() -> bytes:
    """Blosc takes at most 2 GiB at once."""
    return bytes(Blosc("zstd", 1, Blosc.BITSHUFFLE).encode(np.zeros(BOMB_BYTES // 2, "u2")[: BOMB_BYTES // 4]))


def pcodec_bomb() -> bytes:
    """Return 256 MiB of one number, in several chunks of pcodec's own."""
    from pcodec import ChunkConfig, standalone

    return bytes(standalone.simple_compress(np.zeros(2**27, "int16"), ChunkConfig(compression_level=0)))


def texts_bomb() -> bytes:
    """Return as many texts as the chunk has, each of them of 64 MiB, in a frame of Zstandard."""
    texts = 15
    size = 2**26
    blocks = zstd_raw(texts.to_bytes(4, "little"))
    for number in range(texts):
        blocks += zstd_raw(size.to_bytes(4, "little")) + zstd_runs(size, b"a", last=number == texts - 1)
    return zstd_frame(blocks, None)


ZSTD = {"name": "zstd", "configuration": {"level": 1, "checksum": False}}
GZIP = {"name": "gzip", "configuration": {"level": 1}}
BLOSC = {
    "name": "blosc",
    "configuration": {"typesize": 2, "cname": "zstd", "clevel": 1, "shuffle": "bitshuffle", "blocksize": 0},
}


class Bomb(NamedTuple):
    """What a chunk of 15 values is replaced by."""

    make: Callable[[], bytes]
    compressors: Any = ()
    array: AnyArray = ARRAY


STRUCTS = np.zeros(SHAPE, [("a", "i2"), ("b", "f8")])

BOMBS = {
    "zstd with its size": Bomb(lambda: zstd_frame(zstd_runs(BOMB_BYTES), BOMB_BYTES), [ZSTD]),
    "zstd without its size": Bomb(lambda: zstd_frame(zstd_runs(BOMB_BYTES), None), [ZSTD]),
    "zstd with a wrong size": Bomb(lambda: zstd_frame(zstd_runs(BOMB_BYTES), 30), [ZSTD]),
    "zstd in frames": Bomb(lambda: zstd_frame(zstd_runs(2**20), 2**20) * (BOMB_BYTES >> 20), [ZSTD]),
    "zstd, the right frame first": Bomb(
        lambda: zstd_frame(zstd_runs(30), 30) + zstd_frame(zstd_runs(BOMB_BYTES), None), [ZSTD]
    ),
    "zstd that claims all there is": Bomb(lambda: zstd_frame(zstd_runs(2**17), 2**63), [ZSTD]),
    "zstd of gzip": Bomb(lambda: zstd_frame(zstd_runs(BOMB_BYTES), None), [GZIP, ZSTD]),
    "zstd before its checksum": Bomb(
        lambda: checked(zstd_frame(zstd_runs(BOMB_BYTES), None)), [ZSTD, {"name": "crc32c"}]
    ),
    "gzip": Bomb(gzip_bomb, [GZIP]),
    "gzip in members": Bomb(gzip_members, [GZIP]),
    "blosc": Bomb(blosc_bomb, [BLOSC]),
    "blosc before its checksum": Bomb(lambda: checked(blosc_bomb()), "planned"),
    "pcodec": Bomb(lambda: checked(pcodec_bomb()), "pcodec"),
    "delta": Bomb(lambda: checked(blosc_bomb()), "delta"),
    "texts": Bomb(texts_bomb, [ZSTD], TEXTS),
    "texts that claim to be many": Bomb(lambda: (2**31 - 1).to_bytes(4, "little") + bytes(60), [], TEXTS),
    "texts in gzip": Bomb(gzip_bomb, [GZIP], TEXTS),
    "compounds in zstd": Bomb(lambda: zstd_frame(zstd_runs(BOMB_BYTES), BOMB_BYTES), [ZSTD], STRUCTS),
    "compounds in gzip": Bomb(gzip_bomb, [GZIP], STRUCTS),
    "compounds in blosc": Bomb(blosc_bomb, [BLOSC], STRUCTS),
}


def checked(data: bytes) -> bytes:
    """Return bytes with their CRC-32C."""
    return data + int(google_crc32c.value(data)).to_bytes(4, "little")


def read_in_child(url: str, pipe: Connection) -> None:
    """In a child: read everything; say how it ended, and by how much the memory in use grew at most."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with quiet(), reading(url) as data:
            told: tuple[str, str] = ("", repr(np.asarray(data[...]).shape))
    except NWBZarrError as error:
        told = (type(error).__name__, str(error))
    except MemoryError as error:
        told = ("MemoryError", str(error))
    pipe.send((*told, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024))


def read_apart(url: str) -> tuple[str, str, int]:
    """Read a session in a child; return the name of the error, its message, and the bytes that it took."""
    ours, theirs = CONTEXT.Pipe()
    child = CONTEXT.Process(target=read_in_child, args=(url, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        assert ours.poll(PATIENCE), "the child process hangs"
        name, message, nbytes = ours.recv()
    finally:
        child.join(PATIENCE)
        child.kill()
        ours.close()
    return name, message, nbytes


@pytest.mark.parametrize("layout", ["chunks", "shards", "one chunk"])
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_no_memory(local: Store, name: str, layout: str) -> None:
    bomb = BOMBS[name]
    given = bomb.compressors if isinstance(bomb.compressors, str) else list(bomb.compressors)
    data = bomb.make()
    assert len(data) < 2**21
    array = bomb.array[INSIDE] if layout == "one chunk" else bomb.array
    write(local.url, array, compressors=given, chunks=CHUNKS, shards=SHARDS if layout == "shards" else None)
    if layout == "shards":
        index = np.zeros((4, 2), "<u8")
        index[:, 1] = len(data)
        packed = index.tobytes()
        local.put(f"{FOLDER}/c.0.0", data + checked(packed))
    elif layout == "chunks":
        local.put(f"{FOLDER}/c.1.1", data)
    else:
        local.delete(SIDECAR)
        local.put(f"{FOLDER}/c.0.0", data)
    error, message, taken = read_apart(local.url)
    assert taken < LIMIT, f"{taken >> 20} MiB were taken: {error}: {message}"
    assert error == "ChunkError", f"{error}: {message}"
    assert PATH in message
    assert {"chunks": "5:10, 3:6", "shards": "0:5, 0:3", "one chunk": "0:5, 0:3"}[layout] in message


def test_memory_is_measured(tmp_path: Path) -> None:
    """The scale itself: an honest array of 256 MiB is seen."""
    write(tmp_path / "x.nwb.zarr", np.zeros(2**28, "int8"))
    error, _, taken = read_apart(str(tmp_path / "x.nwb.zarr"))
    assert error == ""
    assert taken > LIMIT
