"""Arrays streamed into a store: from every source, in any memory, told about, broken off, and gone on with."""

from __future__ import annotations

import itertools
import os
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import fsspec
import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nwbzarr import Manager, Meter, NWBZarrIO, TimeSeries, ZarrDataIO
from nwbzarr.errors import CommitError, LayoutError, NWBZarrError, SchemaError
from tests.arrays.stored import (
    FOLDER,
    PATH,
    SERIES_PATH,
    assert_same,
    bare,
    quiet,
    read,
    reading,
    series_session,
    session,
    values,
    write,
)
from tests.commit.deaths import KILLED, run_in_child
from tests.commit.sessions import Store, small_regions
from tests.places import KINDS, QUICK_KINDS, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nwbzarr.writing.progress import Progress

AnyArray = np.ndarray[Any, Any]

LAW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

SHAPE = (47, 6)
ARRAY = values("int16", SHAPE, 2)

#: Layouts with edges that stand over, with and without shards.
LAYOUTS: dict[str, dict[str, Any]] = {
    "chunks": {"chunks": (5, 4)},
    "shards": {"chunks": (2, 3), "shards": (10, 6)},
    "shards along both": {"chunks": (5, 2), "shards": (10, 4)},
    "planned": {},
}
every_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())


@pytest.fixture(params=QUICK_KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with place_of(request.param, request, tmp_path) as place:
        yield Store.at(place)


@pytest.fixture(params=KINDS)
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with place_of(request.param, request, tmp_path) as place:
        yield Store.at(place)


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "folder" / "x.nwb.zarr"))


def blocks_of(array: AnyArray, sizes: Sequence[int]) -> Iterator[AnyArray]:
    """Yield the rows of an array in blocks of some sizes, over and over."""
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(array):
            return
        yield array[start : start + size].copy()
        start += size


def check_nothing(store: Store, before: Any = "absent") -> None:
    """Check that a write that failed left nothing that opens, and no litter on the disk."""
    state = store.state()
    assert state == before or (not store.is_local and before == "absent" and state == "incomplete"), state
    if store.is_local:
        assert store.litter() == []


# Sources.


def of_lazy(array: AnyArray, folder: Path) -> Any:
    write(folder / "other.nwb.zarr", array, chunks=(7, *array.shape[1:]))
    return NWBZarrIO(folder / "other.nwb.zarr").read().scratch["x"].data


def of_zarr(array: AnyArray, folder: Path) -> Any:
    made = zarr.create_array(folder / "x.zarr", shape=array.shape, dtype=array.dtype, chunks=(7, *array.shape[1:]))
    made[...] = array
    return made


def of_h5py(array: AnyArray, folder: Path) -> Any:
    h5py = pytest.importorskip("h5py")
    return h5py.File(folder / "x.h5", "w").create_dataset("x", data=array, chunks=(7, *array.shape[1:]))


def of_dask(array: AnyArray, _: Path) -> Any:
    dask_array = pytest.importorskip("dask.array")
    return dask_array.from_array(array, chunks=(7, *array.shape[1:]))


SOURCES: dict[str, Callable[[AnyArray, Path], Any]] = {
    "numpy": lambda array, _: array,
    "fortran order": lambda array, _: np.asfortranarray(array),
    "turned": lambda array, _: array[::-1].copy()[::-1],
    "big endian": lambda array, _: array.astype(array.dtype.newbyteorder(">")),
    "list": lambda array, _: array.tolist(),
    "lazy": of_lazy,
    "zarr": of_zarr,
    "h5py": of_h5py,
    "dask": of_dask,
    "blocks": lambda array, _: blocks_of(array, [3, 20, 1]),
    "rows": lambda array, _: blocks_of(array, [1]),
    "one block": lambda array, _: iter([array]),
    "empty blocks between": lambda array, _: iter([array[:0], array[:20], array[:0], array[20:], array[:0]]),
}


@every_layout
@pytest.mark.parametrize("source", SOURCES)
def test_every_source_is_stored_as_it_is(local: Store, tmp_path: Path, source: str, layout: dict[str, Any]) -> None:
    array = ARRAY.astype("int64") if source == "list" else ARRAY
    wish = {"link_data": False, **layout} if source == "lazy" else layout
    write(local.url, SOURCES[source](array, tmp_path), **wish)
    with reading(local.url) as data:
        assert (data.shape, data.dtype) == (array.shape, array.dtype)
        if layout:
            assert (data.chunks, data.shards) == (layout["chunks"], layout.get("shards"))
        assert_same(data[...], array)
    with quiet():
        assert_same(zarr.open_array(f"{local.url}/{FOLDER}", mode="r")[...], array)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "float32", "complex64", "complex128", "O"])
@every_layout
def test_blocks_of_every_dtype_are_stored_as_they_are(store: Store, dtype: str, layout: dict[str, Any]) -> None:
    array = values(dtype, SHAPE, 4)
    write(store.url, blocks_of(array, [3, 20, 1]), **layout)
    assert_same(read(store.url), array)


@pytest.mark.parametrize("source", ["numpy", "blocks", "h5py"])
@pytest.mark.parametrize("layout", [{"chunks": (5,)}, {"chunks": (5,), "shards": (20,)}, {}], ids=repr)
def test_structs_are_stored_as_they_are(local: Store, tmp_path: Path, source: str, layout: dict[str, Any]) -> None:
    array = np.zeros(47, [("start", "i4"), ("count", "i8"), ("gain", "f8")])
    for index, name in enumerate(array.dtype.names or ()):
        array[name] = np.arange(47) + 100 * index
    write(local.url, SOURCES[source](array, tmp_path), **layout)
    found = read(local.url)
    assert found.shape == array.shape
    assert found.dtype.names == array.dtype.names
    assert [tuple(row) for row in found.tolist()] == array.tolist()


def test_structs_beyond_one_chunk_are_stored_as_planned(local: Store) -> None:
    array = np.zeros(400_000, [("start", "i4"), ("gain", "f8")])
    array["start"], array["gain"] = np.arange(len(array)), np.arange(len(array)) / 7
    write(local.url, array)
    found = read(local.url)
    assert np.array_equal(found["start"], array["start"])
    assert np.array_equal(found["gain"], array["gain"])


def test_texts_of_a_dask_array_and_of_hdf5_are_stored_as_they_are(local: Store, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    texts = values("O", (47,), 3)
    texts[[text.endswith("\0") for text in texts]] = "no NUL, which HDF5 takes for the end"
    with h5py.File(tmp_path / "x.h5", "w") as file:
        write(local.url, file.create_dataset("x", data=texts, dtype=h5py.string_dtype()), chunks=(5,))
    assert read(local.url).tolist() == texts.tolist()


@LAW
@given(
    shape=st.tuples(st.integers(1, 60), st.integers(1, 5)),
    chunks=st.tuples(st.integers(1, 12), st.integers(1, 5)),
    counts=st.none() | st.tuples(st.integers(1, 5), st.integers(1, 3)),
    sizes=st.lists(st.integers(0, 70), min_size=1, max_size=8).filter(any),
    memory=st.sampled_from([0, 1, 100, 10**9]),
    seed=st.integers(0, 999),
)
def test_blocks_of_any_sizes_in_any_memory(
    store: Store, shape: tuple[int, ...], chunks: Any, counts: Any, sizes: list[int], memory: int, seed: int
) -> None:
    array = values("int32", shape, seed)
    shards = None if counts is None else tuple(np.multiply(chunks, counts).tolist())
    with NWBZarrIO(store.url, "w") as io:
        io.write(session(blocks_of(array, sizes), chunks=chunks, shards=shards), max_memory=memory)
    assert_same(read(store.url), array)


@pytest.mark.parametrize("memory", [0, 100, 10**12])
@pytest.mark.parametrize("source", ["numpy", "lazy", "zarr", "h5py", "dask", "blocks"])
@every_layout
def test_any_memory_will_do(local: Store, tmp_path: Path, source: str, memory: int, layout: dict[str, Any]) -> None:
    wish = {"link_data": False, **layout} if source == "lazy" else layout
    with NWBZarrIO(local.url, "w") as io:
        io.write(session(SOURCES[source](ARRAY, tmp_path), **wish), max_memory=memory)
    assert_same(read(local.url), ARRAY)


@pytest.mark.parametrize("memory", [-1, 1.5, "1 GB", None])
def test_memory_that_is_no_number_of_bytes_is_refused(local: Store, memory: Any) -> None:
    with NWBZarrIO(local.url, "w") as io, pytest.raises(NWBZarrError, match="max_memory"):
        io.write(session(ARRAY), max_memory=memory)
    check_nothing(local)


def test_a_wish_for_an_array_of_another_store_makes_a_copy_of_that_layout(local: Store, tmp_path: Path) -> None:
    lazy = of_lazy(ARRAY, tmp_path)
    write(local.url, lazy, link_data=False, chunks=(10, 2), shards=(20, 6), compressors="delta")
    (tmp_path / "other.nwb.zarr").rename(tmp_path / "gone")
    with reading(local.url) as data:
        assert (data.chunks, data.shards) == ((10, 2), (20, 6))
        assert_same(data[...], ARRAY)


def test_an_iterator_is_asked_for_no_more_than_memory_allows(local: Store) -> None:
    """The blocks are pulled as they are stored, and not before: what is stored is told by the progress."""
    ahead: list[int] = []
    pulled = stored = 0
    block = np.zeros((1000, 125), "float64")

    def blocks() -> Iterator[AnyArray]:
        nonlocal pulled
        for index in range(120):
            pulled += block.nbytes
            ahead.append(pulled - stored)
            yield block + index

    def note(progress: Progress) -> None:
        nonlocal stored
        stored = progress.done

    with NWBZarrIO(local.url, "w") as io:
        data = session(blocks(), chunks=(1000, 125), compressors="none")
        io.write(data, max_memory=4 * block.nbytes, progress=note)
    assert len(ahead) == 120
    # What is looked at before, what is re-cut, and what waits to be told.
    assert max(ahead) <= 64 * block.nbytes


def test_a_block_may_be_changed_after_the_next_was_asked_for(local: Store) -> None:
    """Acquisition software reads into one buffer, again and again."""

    def blocks() -> Iterator[AnyArray]:
        buffer = np.empty((7, 6), "int16")
        for start in range(0, 42, 7):
            buffer[...] = ARRAY[start : start + 7]
            yield buffer

    write(local.url, blocks(), chunks=(2, 6), shards=(10, 6))
    assert_same(read(local.url), ARRAY[:42])


# Dry runs.


def test_a_dry_run_writes_nothing_and_leaves_iterators_whole(store: Store) -> None:
    nwb = session(blocks_of(ARRAY, [3, 20]), chunks=(2, 3), shards=(10, 6))
    before = store.names()
    with NWBZarrIO(store.url, "w") as io:
        told = io.write(nwb, dry_run=True)
        assert store.names() == before
        assert store.state() == "absent"
        assert "2 x 3" in str(told)
        again = io.write(nwb, dry_run=True)
        assert again.as_json() == told.as_json()
        io.write(nwb)
    assert_same(read(store.url), ARRAY)


def test_a_dry_run_tells_the_layout_that_is_written(local: Store) -> None:
    nwb = session(np.zeros((200_000, 24), "int16"))
    layouts = {"/scratch/*": {"access": "channel", "compressors": "pcodec"}}
    with NWBZarrIO(local.url, "w") as io:
        told = io.write(nwb, layouts=layouts, dry_run=True)
        io.write(nwb, layouts=layouts)
    with reading(local.url) as data:
        (line,) = [array for array in told.as_json()["arrays"] if array["path"] == PATH]
        assert tuple(line["chunks"]) == data.chunks
        assert (line["shards"] and tuple(line["shards"])) == data.shards
        assert "pcodec" in " ".join(line["codecs"])
    assert PATH in told._repr_html_()


# Errors in the middle.


def ending_in(last: Any) -> Iterator[Any]:
    """Yield good blocks, and a bad one behind them, far behind what is looked at before writing begins."""
    for _ in range(40):
        yield np.ones((100, 6), "int16")
    yield last


BAD_BLOCKS: dict[str, tuple[Any, str]] = {
    "floats": (np.ones((100, 6)), "float64"),
    "wider integers": (np.ones((100, 6), "int64"), "int64"),
    "unsigned": (np.ones((100, 6), "uint16"), "uint16"),
    "texts": (np.full((100, 6), "a", object), ""),
    "structs": (np.zeros((100, 6), [("a", "i2")]), ""),
    "more channels": (np.ones((100, 7), "int16"), "(100, 7)"),
    "fewer channels": (np.ones((100, 5), "int16"), "(100, 5)"),
    "one dimension": (np.ones(100, "int16"), "(100,)"),
    "three dimensions": (np.ones((100, 6, 1), "int16"), "(100, 6, 1)"),
    "nothing": (None, ""),
    "a number": (1, ""),
    "ragged": ([[1, 2, 3, 4, 5, 6], [1]], ""),
}


@pytest.mark.parametrize("name", BAD_BLOCKS)
@pytest.mark.parametrize(
    "layout", [{"chunks": (50, 6)}, {"chunks": (50, 6), "shards": (200, 6)}], ids=["chunks", "shards"]
)
def test_a_bad_block_in_the_middle_is_a_named_error(store: Store, name: str, layout: dict[str, Any]) -> None:
    block, found = BAD_BLOCKS[name]
    with NWBZarrIO(store.url, "w") as io, pytest.raises(SchemaError) as caught:
        io.write(session(ending_in(block), **layout))
    assert PATH in str(caught.value)
    assert found in str(caught.value)
    assert any(word in str(caught.value).replace(",", "") for word in ("block 40", "4000"))
    check_nothing(store)


def test_an_exception_of_the_iterator_goes_through(store: Store) -> None:
    def broken() -> Iterator[AnyArray]:
        yield from itertools.repeat(np.ones((100, 6), "int16"), 20)
        message = "the amplifier was switched off"
        raise OSError(message)

    with NWBZarrIO(store.url, "w") as io, pytest.raises(OSError, match="switched off"):
        io.write(session(broken(), chunks=(50, 6)))
    check_nothing(store)


@pytest.mark.parametrize("rows", [40, 46, 48, 60])
@pytest.mark.parametrize("layout", [{"chunks": (5, 6)}, {"chunks": (5, 6), "shards": (20, 6)}, {}], ids=repr)
def test_rows_that_do_not_fit_the_timestamps_are_a_named_error(store: Store, rows: int, layout: dict[str, Any]) -> None:
    data = blocks_of(values("int16", (rows, 6), 1), [7])
    nwb = series_session(data, timestamps=np.arange(47.0), **layout)
    with NWBZarrIO(store.url, "w") as io, pytest.raises(SchemaError) as caught:
        io.write(nwb)
    for word in ("/acquisition/raw", "47", str(rows)):
        assert word in str(caught.value)
    check_nothing(store)


def test_timestamps_that_come_in_blocks_must_fit_too(store: Store) -> None:
    for rows in (46, 48):
        data = blocks_of(values("int16", (rows, 6), 1), [7])
        nwb = series_session(data, timestamps=blocks_of(np.arange(47.0), [9]))
        with NWBZarrIO(store.url, "w") as io, pytest.raises(SchemaError, match="47"):
            io.write(nwb)
        check_nothing(store)
    nwb = series_session(blocks_of(ARRAY, [7]), timestamps=blocks_of(np.arange(47.0), [9]))
    with NWBZarrIO(store.url, "w") as io:
        io.write(nwb)
    assert_same(read(store.url, SERIES_PATH), ARRAY)


def test_an_old_session_stays_when_a_new_one_fails_in_the_middle(local: Store) -> None:
    local.write(bare())
    before = local.state()
    with NWBZarrIO(local.url, "w") as io, pytest.raises(SchemaError):
        io.write(session(ending_in(np.ones((100, 7), "int16")), chunks=(50, 6)))
    check_nothing(local, before)


def test_what_is_added_is_not_seen_when_it_fails_in_the_middle(store: Store) -> None:
    store.write(bare())
    before = store.state()
    with NWBZarrIO(store.url, "r+") as io:
        nwb = io.read()
        data = ZarrDataIO(ending_in(np.ones((100, 7), "int16")), chunks=(50, 6))
        nwb.add_acquisition(TimeSeries("raw", data=data, unit="V", rate=1.0))
        with pytest.raises(SchemaError, match="/acquisition/raw/data"):
            io.write(nwb)
    check_nothing(store, before)


def test_a_source_that_fails_to_read_goes_through(store: Store) -> None:
    class Broken:
        shape, dtype = (1000, 6), np.dtype("int16")

        def __getitem__(self, selection: Any) -> AnyArray:
            if selection[0].stop > 500:
                message = "the disk is gone"
                raise OSError(message)
            return np.asarray(values("int16", (1000, 6), 0)[selection])

    with NWBZarrIO(store.url, "w") as io, pytest.raises(OSError, match="disk is gone"):
        io.write(session(Broken(), chunks=(50, 6)), max_memory=0)
    check_nothing(store)


def test_shards_that_are_no_multiple_of_chunks_are_refused_with_the_path(local: Store) -> None:
    with NWBZarrIO(local.url, "w") as io, pytest.raises(LayoutError) as caught:
        io.write(session(ARRAY, chunks=(4, 6), shards=(10, 6)))
    for word in (PATH, "(4, 6)", "(10, 6)"):
        assert word in str(caught.value)
    check_nothing(local)


# Progress.


def progress_of(store: Store, data: Any, **wishes: Any) -> list[Progress]:
    """Write a session, and return what was told."""
    told: list[Progress] = []
    with small_steps(), NWBZarrIO(store.url, "w") as io:
        io.write(session(data, **wishes), progress=told.append)
    return told


@pytest.mark.parametrize("source", ["numpy", "lazy", "zarr", "h5py", "dask", "blocks", "rows"])
@pytest.mark.parametrize("name", ["chunks", "shards", "shards along both"])
def test_progress_grows_and_ends_at_the_total(store: Store, tmp_path: Path, source: str, name: str) -> None:
    wish = {"link_data": False, **LAYOUTS[name]} if source == "lazy" else LAYOUTS[name]
    told = progress_of(store, SOURCES[source](ARRAY, tmp_path), **wish)
    done = [progress.done for progress in told if progress.path == PATH]
    assert len(done) >= 5
    assert done == sorted(done)
    assert all(later > earlier for earlier, later in itertools.pairwise(done))
    nbytes = ARRAY.nbytes
    assert done[-1] == nbytes
    totals = {progress.total for progress in told}
    assert totals == ({None} if source in ("blocks", "rows") else {nbytes})


def test_progress_counts_all_arrays_together(store: Store) -> None:
    nwb = session(ARRAY, chunks=(5, 6))
    nwb.add_acquisition(TimeSeries("raw", data=ZarrDataIO(ARRAY[:20], chunks=(5, 6)), unit="V", rate=1.0))
    told: list[Progress] = []
    with NWBZarrIO(store.url, "w") as io:
        io.write(nwb, progress=told.append)
    assert {progress.path for progress in told} >= {PATH, SERIES_PATH}
    assert told[-1].done == told[-1].total
    assert told[-1].done >= ARRAY.nbytes + ARRAY[:20].nbytes


def test_export_tells_its_progress(store: Store) -> None:
    write(store.url, ARRAY, **LAYOUTS["shards"])
    told: list[Progress] = []
    with NWBZarrIO(store.url) as source, NWBZarrIO(f"{store.url}.copy", "w") as io:
        io.export(source, progress=told.append)
    assert_same(read(f"{store.url}.copy"), ARRAY)
    done = [progress.done for progress in told]
    assert done
    assert done == sorted(done)
    assert told[-1].done == told[-1].total


class StopError(Exception):
    """Raised by callbacks."""


@pytest.mark.parametrize("at", [1, 3, 9])
@pytest.mark.parametrize("source", ["numpy", "blocks"])
def test_an_exception_of_the_callback_ends_the_write(store: Store, tmp_path: Path, source: str, at: int) -> None:
    told = itertools.count(1)

    def call(_: Progress) -> None:
        if next(told) == at:
            raise StopError

    with NWBZarrIO(store.url, "w") as io:
        with pytest.raises(StopError):
            io.write(session(SOURCES[source](ARRAY, tmp_path), chunks=(5, 6)), progress=call)
        check_nothing(store)
        io.write(session(ARRAY, chunks=(5, 6)))
    assert_same(read(store.url), ARRAY)


@pytest.mark.parametrize("wanted", ["yes", 1.5, [1]])
def test_progress_that_is_neither_truth_nor_callable_is_refused(store: Store, wanted: Any) -> None:
    with NWBZarrIO(store.url, "w") as io, pytest.raises(SchemaError, match="progress"):
        io.write(session(ARRAY, chunks=(5, 6)), progress=wanted)
    check_nothing(store)


def test_a_bar_is_shown_when_it_is_asked_for_and_not_without_a_terminal(
    local: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    for wanted in (None, False):
        with NWBZarrIO(local.url, "w") as io:
            io.write(session(np.zeros((2**20, 40), "int8"), chunks=(2**18, 40)), progress=wanted)
        assert capsys.readouterr() == ("", "")
    with NWBZarrIO(local.url, "w") as io:
        io.write(session(ARRAY, chunks=(5, 6)), progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "100%" in shown.err


# Going on.


@contextmanager
def small_steps() -> Iterator[None]:
    """Make what is looked at before, and what is written at once, so little that short arrays have several."""
    with small_regions(), mock.patch("nwbzarr.writing.sources.PEEK_BYTES", 100):
        yield


ROWS, OBJECT_ROWS = 200, 20
LONG = values("int16", (ROWS, 6), 9)
RESUMABLE: dict[str, Any] = {"chunks": (5, 6), "shards": (OBJECT_ROWS, 6)}
OBJECTS = ROWS // OBJECT_ROWS
OBJECT_BYTES = LONG.nbytes // OBJECTS


@dataclass
class Puts:
    """Which objects of the array a write sends."""

    meter: Meter

    @property
    def keys(self) -> list[str]:
        return sorted(key for kind, key in self.meter.keys if kind == "put" and key.startswith(f"{FOLDER}/c"))


def resume(store: Store, data: Any, wishes: dict[str, Any] | None = None, *, going_on: bool = True) -> list[str]:
    """Write, or go on with a write; return the objects of the array that were sent."""
    puts = Puts(Meter())
    manager = Manager(meter=puts.meter)
    with small_steps(), NWBZarrIO(store.url, "w", manager, storage_options=store.options) as io:
        io.write(session(data, **(wishes or RESUMABLE)), resume=going_on)
    manager.close()
    return puts.keys


def break_off(store: Store, data: Any, wishes: dict[str, Any] | None = None, at: int = 5) -> set[str]:
    """Begin a write that can be gone on with, end it when it tells that some objects are stored; return which are."""

    def call(progress: Progress) -> None:
        if progress.done >= at * OBJECT_BYTES:
            raise StopError

    with small_steps(), NWBZarrIO(store.url, "w", storage_options=store.options) as io, pytest.raises(StopError):
        io.write(session(data, **(wishes or RESUMABLE)), resume=True, progress=call)
    assert store.state() in ("absent", "incomplete")
    found = stored_objects(store)
    assert len(found) >= at
    return found


def stored_objects(store: Store) -> set[str]:
    """Return the objects of the array that are there, in place or beside it."""
    if store.is_local:
        found = [path.as_posix() for path in Path(store.url).parent.rglob("c.?.?") if path.is_file()]
        return {name[name.index(FOLDER) :] for name in found if f"/{FOLDER}/c." in name}
    return {name for name in store.names() if name.startswith(f"{FOLDER}/c")}


def in_blocks(array: AnyArray) -> Iterator[AnyArray]:
    return blocks_of(array, [OBJECT_ROWS])


def check_sent(sent: list[str], finished: set[str]) -> None:
    """Check that only what was not there was sent; and the object at the end of blocks that had ended: it may lack rows."""
    missing = set(object_names()) - finished
    assert missing <= set(sent) <= missing | {max(finished)}


def object_names() -> list[str]:
    return [f"{FOLDER}/c.{index}.0" for index in range(OBJECTS)]


def check_finished(store: Store, array: AnyArray = LONG) -> None:
    """Check that a write that was gone on with left what one in a single go leaves."""
    with NWBZarrIO(store.url, storage_options=store.options) as io:
        assert_same(io.read().scratch["x"].data[...], array)
    assert store.litter() == []
    names = store.names()
    if store.is_local:
        assert [path.name for path in Path(store.url).parent.iterdir()] == [Path(store.url).name]
    plain = Store(f"memory://whole-{os.getpid()}-{id(array)}/session.nwb.zarr")
    with NWBZarrIO(plain.url, "w") as io:
        io.write(session(array, **RESUMABLE))
    assert names == plain.names()
    fs, root = fsspec.url_to_fs(plain.url)
    fs.rm(root, recursive=True)


@pytest.mark.parametrize("at", [1, 5, 9])
def test_finished_objects_are_not_written_again(any_store: Store, at: int) -> None:
    finished = break_off(any_store, in_blocks(LONG), at=at)
    check_sent(resume(any_store, in_blocks(LONG)), finished)
    check_finished(any_store)


def test_without_resume_everything_is_written_anew(store: Store) -> None:
    break_off(store, LONG)
    assert resume(store, LONG, going_on=False) == object_names()
    check_finished(store)


def test_resume_of_nothing_is_a_write(any_store: Store) -> None:
    assert resume(any_store, LONG) == object_names()
    check_finished(any_store)


def test_resume_over_a_whole_session_replaces_it(store: Store) -> None:
    write(store.url, LONG[::-1].copy(), **RESUMABLE)
    assert resume(store, LONG) == object_names()
    check_finished(store)


def test_resume_can_be_broken_off_again(any_store: Store) -> None:
    finished: set[str] = set()
    for at in (2, 5, 7):
        before = finished
        finished = break_off(any_store, in_blocks(LONG), at=at)
        assert before - {max(before, default="")} <= finished
    check_sent(resume(any_store, in_blocks(LONG)), finished)
    check_finished(any_store)


@pytest.mark.parametrize("source", ["numpy", "fortran order", "lazy", "zarr", "h5py", "dask", "blocks", "rows"])
def test_a_write_from_any_source_is_gone_on_with(local: Store, tmp_path: Path, source: str) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    wishes = {**RESUMABLE, "link_data": False}
    finished = break_off(local, SOURCES[source](LONG, tmp_path / "a"), wishes)
    check_sent(resume(local, SOURCES[source](LONG, tmp_path / "b"), wishes), finished)
    check_finished(local)


@pytest.mark.parametrize("source", ["numpy", "lazy", "zarr", "h5py", "dask", "blocks", "rows"])
def test_a_write_is_gone_on_with_from_another_source(local: Store, tmp_path: Path, source: str) -> None:
    """The same values to the same layout: whether they come in blocks, and of which sizes, is not stored."""
    finished = break_off(local, in_blocks(LONG))
    sent = resume(local, SOURCES[source](LONG, tmp_path), {**RESUMABLE, "link_data": False})
    check_sent(sent, finished)
    check_finished(local)


def test_an_array_that_was_broken_off_is_gone_on_with_in_blocks(local: Store) -> None:
    finished = break_off(local, LONG)
    check_sent(resume(local, in_blocks(LONG)), finished)
    check_finished(local)


@pytest.mark.parametrize("data", [np.asarray, in_blocks], ids=["array", "blocks"])
def test_changed_data_is_refused(any_store: Store, data: Callable[[AnyArray], Any]) -> None:
    break_off(any_store, data(LONG))
    changed = LONG + np.int16(1)
    with pytest.raises(CommitError, match=PATH):
        resume(any_store, data(changed))
    assert any_store.state() in ("absent", "incomplete")
    # Both ways out: the same data, or anew.
    resume(any_store, data(changed), going_on=False)
    check_finished(any_store, changed)


CHANGES: dict[str, tuple[AnyArray, dict[str, Any]]] = {
    "chunks": (LONG, {"chunks": (10, 6), "shards": (OBJECT_ROWS, 6)}),
    "shards": (LONG, {"chunks": (5, 6), "shards": (40, 6)}),
    "codecs": (LONG, {**RESUMABLE, "compressors": "gzip"}),
    "dtype": (LONG.astype("int32"), RESUMABLE),
    "channels": (np.hstack([LONG, LONG]), {"chunks": (5, 6), "shards": (OBJECT_ROWS, 6)}),
    "no shards": (LONG, {"chunks": (OBJECT_ROWS, 6)}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_layout_starts_anew(store: Store, change: str) -> None:
    array, wishes = CHANGES[change]
    break_off(store, LONG)
    resume(store, array, wishes)
    with reading(store.url) as data:
        assert data.chunks == wishes["chunks"]
        assert_same(data[...], array)
    assert store.litter() == []
    fresh = Store(f"{store.url}.fresh")
    write(fresh.url, array, **wishes)
    assert store.names() == fresh.names()


@pytest.mark.parametrize("data", [np.asarray, in_blocks], ids=["array", "blocks"])
def test_a_shorter_array_leaves_nothing_behind(store: Store, data: Callable[[AnyArray], Any]) -> None:
    break_off(store, data(LONG))
    shorter = LONG[:50]
    resume(store, data(shorter))
    check_finished(store, shorter)


def test_a_write_that_went_wrong_without_resume_leaves_nothing_to_go_on_with(local: Store) -> None:
    def stopping() -> Iterator[AnyArray]:
        yield from in_blocks(LONG[:100])
        raise StopError

    with pytest.raises(StopError):
        resume(local, stopping(), going_on=False)
    assert local.names() == set()
    assert local.litter() == []


def test_resume_is_refused_where_something_is_added(store: Store) -> None:
    write(store.url, LONG)
    with NWBZarrIO(store.url, "r+") as io:
        nwb = io.read()
        nwb.add_acquisition(TimeSeries("raw", data=LONG, unit="V", rate=1.0))
        with pytest.raises(NWBZarrError, match="resume"):
            io.write(nwb, resume=True)


def kill_when_told(store: Store, at: int) -> None:
    """In a child: write, and be killed when it is told that some objects are stored."""

    def call(progress: Progress) -> None:
        if progress.done >= at * OBJECT_BYTES:
            os.kill(os.getpid(), signal.SIGKILL)

    with small_steps(), NWBZarrIO(store.url, "w", storage_options=store.options) as io:
        io.write(session(in_blocks(LONG), **RESUMABLE), resume=True, progress=call)


def test_a_process_that_was_killed_is_gone_on_with(any_store: Store) -> None:
    if any_store.url.startswith("memory://"):
        pytest.skip("memory dies with the process")
    assert run_in_child(kill_when_told, any_store, 6) == KILLED
    assert any_store.state() in ("absent", "incomplete")
    finished = stored_objects(any_store)
    assert len(finished) >= 6
    sent = set(resume(any_store, in_blocks(LONG)))
    # A file may have been half there.
    assert set(object_names()) - finished <= sent
    assert len(sent & finished) <= 3
    check_finished(any_store)


def test_an_object_that_a_kill_left_half_is_written_again(local: Store) -> None:
    break_off(local, in_blocks(LONG))
    (half,) = Path(local.url).parent.rglob("c.1.0")
    half.write_bytes(half.read_bytes()[:-7])
    try:
        sent = resume(local, in_blocks(LONG))
    except CommitError:
        # As it is allowed to; nothing wrong became visible.
        assert local.state() in ("absent", "incomplete")
        resume(local, LONG, going_on=False)
    else:
        assert f"{FOLDER}/c.1.0" in sent
    check_finished(local)


def test_finished_files_are_the_same_files(local: Store) -> None:
    """Not even on the disk are they written again."""
    break_off(local, in_blocks(LONG))

    def stamps() -> dict[str, tuple[int, int]]:
        found = Path(local.url).parent.rglob("c.?.0")
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found if FOLDER in path.as_posix()}

    before = stamps()
    assert len(before) >= 5
    resume(local, in_blocks(LONG))
    after = stamps()
    # But for the object at the end of blocks that had ended, which may lack rows.
    assert {name for name in before if after[name] != before[name]} <= {max(before)}
