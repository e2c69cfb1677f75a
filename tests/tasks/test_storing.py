"""Dask arrays are stored by the tasks of one graph, on every scheduler: all values, every object once, nothing else."""

from __future__ import annotations

import io as text
import itertools
import math
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask
import dask.array
import numpy as np
import pytest
import zarr
from dask.callbacks import Callback
from dask.diagnostics import ProgressBar
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nwbzarr
from nwbzarr import DynamicTable, Manager, Meter, NWBZarrIO, ScratchData, TimeSeries, VectorData, ZarrDataIO
from nwbzarr.errors import CommitError, FieldTypeError, SchemaError, SelfOverwriteError
from nwbzarr.stores.connections import locate
from nwbzarr.stores.places import Delivery, Place
from tests.arrays.stored import SERIES_PATH, assert_same, bare, quiet, series_session, values
from tests.commit.sessions import Store
from tests.places import QUICK_KINDS, place_of
from tests.tasks.clusters import (
    LAYOUT,
    AmplifierError,
    Lie,
    Play,
    descriptions_read_once,
    imported,
    masked,
    open_cluster,
    open_pool,
    running_on,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor

    from nwbzarr import NWBFile, Progress
    from nwbzarr.writing.execution import WriteReport
    from tests.servers.faults import FaultProxy
    from tests.servers.fixtures import S3Bucket

AnyArray = np.ndarray[Any, Any]

#: Dask's functions have no types.
da: Any = dask.array

#: The folder of the objects of the series' data.
FOLDER = SERIES_PATH.strip("/")

#: 11 x 2 shards, the last ones cut by the edges of the array.
SHAPE = (107, 7)
ARRAY = values("int16", SHAPE, 5)
FLOATS = ARRAY.astype("float64")
SHARDS = 22

#: Blocks that do not fit the shards.
UNALIGNED = ((33, 1, 40, 33), (3, 4))

on_schedulers = pytest.mark.parametrize("scheduler", ["threads", "sync", "cluster"])
on_all_schedulers = pytest.mark.parametrize(
    "scheduler", ["threads", "sync", "cluster", pytest.param("processes", marks=pytest.mark.slow)]
)
on_two_schedulers = pytest.mark.parametrize("scheduler", ["threads", "cluster"])


@pytest.fixture(scope="module", autouse=True)
def quick_clients() -> Iterator[None]:
    with descriptions_read_once():
        yield


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with open_pool() as found:
        yield found


@pytest.fixture(params=QUICK_KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with place_of(request.param, request, tmp_path) as place:
        yield Store.at(place)


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "folder" / "session.nwb.zarr"))


@pytest.fixture
def s3(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with place_of("s3", request, tmp_path) as place:
        yield Store.at(place)


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., Play]:
    """Return what makes something go on in blocks, in a folder of its own each time."""

    def made(**what: Any) -> Play:
        folder = tmp_path / f"play-{len(list(tmp_path.glob('play-*')))}"
        folder.mkdir()
        return Play(str(folder), **what)

    return made


def in_dask(array: AnyArray = ARRAY, chunks: Any = UNALIGNED) -> Any:
    return da.from_array(array, chunks=chunks)


def write(store: Store, nwb: NWBFile, manager: Manager | None = None, **how: Any) -> WriteReport:
    with store.io("w", manager) as io:
        report: WriteReport = io.write(nwb, **how)
    return report


def write_metered(store: Store, nwb: NWBFile, **how: Any) -> Meter:
    """Write a session, and return what was asked of the store."""
    meter = Meter()
    manager = Manager(meter=meter)
    write(store, nwb, manager, **how)
    manager.close()
    return meter


def puts(meter: Meter, folder: str = FOLDER) -> list[str]:
    """Return the objects of an array that were sent, in order, as often as they were."""
    return sorted(key for kind, key in meter.keys if kind == "put" and key.startswith(f"{folder}/c"))


def keys_of(shape: Sequence[int], objects: Sequence[int], folder: str = FOLDER) -> list[str]:
    """Return the keys of all objects of an array, in order."""
    grid = [range(-(-size // step)) for size, step in zip(shape, objects, strict=True)]
    return sorted(f"{folder}/c.{'.'.join(map(str, index))}" for index in itertools.product(*grid))


def check(store: Store, wanted: AnyArray, path: str = SERIES_PATH) -> None:
    """Check all values, as this package reads them and as zarr does."""
    found: Any = nwbzarr.open(store.url, store.options).find(path.strip("/"))
    assert_same(found.data[...], wanted)
    assert store.litter() == []
    with quiet():
        plain = zarr.open_array(f"{store.url}{path}", mode="r", storage_options=store.options)
        assert_same(plain[...], wanted)


def check_nothing(store: Store) -> None:
    """Check that a write that failed left nothing that opens, and no litter on the disk."""
    assert store.state() in (("absent",) if store.is_local else ("absent", "incomplete"))
    if store.is_local:
        assert store.litter() == []


# All values, whatever the shape, the blocks and the layout.


@dataclass(frozen=True)
class Case:
    """An array, how Dask cuts it, and how it is to be laid out."""

    array: AnyArray
    blocks: tuple[tuple[int, ...], ...]
    wishes: dict[str, Any]

    @property
    def session(self) -> NWBFile:
        return series_session(in_dask(self.array, self.blocks), **self.wishes)


@st.composite
def cut(draw: st.DrawFn, size: int) -> tuple[int, ...]:
    """Cut an axis into blocks: alike but for the last, or of any sizes, 0 among them."""
    if draw(st.booleans()):
        step = draw(st.integers(1, max(size, 1)))
        return tuple(min(step, size - start) for start in range(0, size, step)) or (0,)
    edges = [0, *sorted(draw(st.lists(st.integers(0, size), max_size=5))), size]
    return tuple(end - start for start, end in itertools.pairwise(edges))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    sizes = st.sampled_from([1, 2, 3, 5, 8, 13, 17, 24, 31])
    first = draw(st.one_of(sizes, sizes, sizes, st.just(0)))
    shape = (first, *draw(st.lists(sizes.filter(lambda size: size < 20), max_size=2)))
    dtype = draw(st.sampled_from(["int16", "float32", "float64", "complex64", "bool", "O", "U"]))
    array = values("O", shape, draw(st.integers(0, 99))) if dtype == "U" else values(dtype, shape, 1)
    blocks = tuple(draw(cut(size)) for size in shape)
    wishes: dict[str, Any] = {}
    if draw(st.integers(0, 4)):
        chunks = tuple(draw(st.integers(1, min(size + 1, 9) or 1)) for size in shape)
        # Not thousands of files.
        if math.prod(-(-size // step) for size, step in zip(shape, chunks, strict=True)) > 60:
            chunks = tuple(max(-(-size // 4), 1) for size in shape)
        wishes["chunks"] = chunks
        if draw(st.booleans()):
            wishes["shards"] = tuple(step * draw(st.integers(1, 3)) for step in chunks)
    return Case(array.astype("U") if dtype == "U" else array, blocks, wishes)


def check_case(store: Store, case: Case) -> None:
    check(store, case.array.astype(object) if case.array.dtype.kind == "U" else case.array)


LAW = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], database=None
)


@settings(LAW, max_examples=40)
@given(case=cases())
def test_all_values_of_any_array_and_every_object_once_in_threads(store: Store, case: Case) -> None:
    meter = write_metered(store, case.session)
    check_case(store, case)
    data: Any = nwbzarr.open(store.url).acquisition["raw"].data
    assert puts(meter) == keys_of(data.shape, data.shards or data.chunks)


@settings(LAW, max_examples=10)
@given(case=cases())
def test_all_values_of_any_array_on_a_cluster(client: Any, local: Store, case: Case) -> None:
    with client.as_current():
        report = write(local, case.session)
    check_case(local, case)
    stored = [Path(local.url, name) for name in local.names() if name.startswith(f"{FOLDER}/c")]
    assert report.nbytes >= sum(path.stat().st_size for path in stored)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dtype", "shape", "blocks", "wishes"),
    [
        ("int16", SHAPE, UNALIGNED, LAYOUT),
        ("O", (31,), ((7, 0, 13, 11),), {"chunks": (4,), "shards": (8,)}),
        ("complex64", (13, 1, 5), ((6, 7), (1,), (2, 2, 1)), {"chunks": (3, 1, 2)}),
    ],
)
def test_all_values_on_processes(
    pool: Executor, local: Store, dtype: str, shape: Any, blocks: Any, wishes: dict[str, Any]
) -> None:
    case = Case(values(dtype, shape, 3), blocks, wishes)
    with dask.config.set(scheduler="processes", pool=pool):
        write(local, case.session)
    check_case(local, case)


@pytest.mark.s3
@pytest.mark.parametrize("transport", ["fsspec", "obstore"])
@on_two_schedulers
def test_all_values_on_s3(s3: Store, scheduler: str, transport: str, request: pytest.FixtureRequest) -> None:
    manager = Manager(transport=transport)
    with running_on(scheduler, request):
        write(s3, series_session(in_dask(), **LAYOUT), manager)
    manager.close()
    check(s3, ARRAY)
    assert sorted(name for name in s3.names() if name.startswith(f"{FOLDER}/c")) == keys_of(SHAPE, (10, 4))


ODD: dict[str, Callable[[], tuple[Any, AnyArray]]] = {
    "a scalar": lambda: (in_dask().astype("int64").sum(), np.asarray(ARRAY.astype("int64").sum())),
    "big endian": lambda: (in_dask(ARRAY.astype(">i2")), ARRAY),
    "turned": lambda: (in_dask()[::-1, ::-1], ARRAY[::-1, ::-1]),
    "transposed": lambda: (in_dask().T, ARRAY.T),
    "joined": lambda: (da.concatenate([in_dask()[:13], in_dask()[13:]]), ARRAY),
    "with neighbours": lambda: (in_dask().map_overlap(np.copy, depth=2, boundary="none", dtype="int16"), ARRAY),
    "delayed": lambda: (da.from_delayed(dask.delayed(np.copy)(ARRAY), SHAPE, "int16"), ARRAY),
    "computed already": lambda: (in_dask().persist(), ARRAY),
    "optimized already": lambda: (dask.optimize(in_dask() + np.int16(0))[0], ARRAY),
    "one value broadcast": lambda: (da.broadcast_to(in_dask()[:1], SHAPE), np.broadcast_to(ARRAY[:1], SHAPE)),
}


@on_two_schedulers
@pytest.mark.parametrize("name", ODD)
def test_arrays_of_every_origin(local: Store, name: str, scheduler: str, request: pytest.FixtureRequest) -> None:
    with running_on(scheduler, request):
        array, wanted = ODD[name]()
        nwb = bare()
        nwb.add_scratch(ScratchData("x", ZarrDataIO(array, chunks=(9, 4)) if array.ndim else array, notes="n"))
        write(local, nwb)
    found: Any = nwbzarr.open(local.url).find("scratch/x")
    assert_same(found.data, wanted)
    assert_same(zarr.open_array(f"{local.url}/scratch/x", mode="r")[...], wanted)


# Several arrays, one graph.


class Graphs(Callback):  # type: ignore[misc]
    """Counts graphs, and tasks, that a scheduler of this process runs."""

    def __init__(self) -> None:
        super().__init__()
        self.graphs = self.tasks = 0

    def _start(self, _: Any) -> None:
        self.graphs += 1

    def _posttask(self, *_: Any) -> None:
        self.tasks += 1


def mixed_session(base: Any) -> NWBFile:
    """Return a session of Dask arrays, and one of NumPy, everywhere that data may be."""
    nwb = bare()
    times = ZarrDataIO(in_dask(np.arange(107.0), 23), chunks=(20,))
    nwb.add_acquisition(TimeSeries("raw", data=ZarrDataIO(base, **LAYOUT), unit="V", timestamps=times))
    nwb.add_acquisition(TimeSeries("double", data=ZarrDataIO(base * 2, **LAYOUT), unit="V", rate=1.0))
    nwb.add_acquisition(TimeSeries("plain", data=ZarrDataIO(ARRAY[::-1], **LAYOUT), unit="V", rate=1.0))
    columns = [
        VectorData(name="number", description="of the row", data=in_dask(np.arange(50), 7)),
        VectorData(name="word", description="a text", data=in_dask(values("O", (50,), 1), 19)),
    ]
    nwb.add_acquisition(DynamicTable(name="table", description="of Dask", columns=columns))
    return nwb


def check_mixed(store: Store) -> None:
    check(store, ARRAY)
    check(store, np.arange(107.0), "/acquisition/raw/timestamps")
    check(store, ARRAY * 2, "/acquisition/double/data")
    check(store, ARRAY[::-1], "/acquisition/plain/data")
    check(store, np.arange(50), "/acquisition/table/number")
    check(store, values("O", (50,), 1), "/acquisition/table/word")


def test_all_arrays_of_a_session_are_one_graph(store: Store, play: Callable[..., Play]) -> None:
    going = play()
    base = going.over(in_dask(chunks=(10, 7)))
    with dask.config.set(scheduler="threads"), Graphs() as seen:
        write(store, mixed_session(base))
    check_mixed(store)
    assert seen.graphs == 1
    # And what two of them are computed from is computed once.
    assert going.runs == list(range(11))


@on_all_schedulers
def test_all_arrays_of_a_session(local: Store, scheduler: str, request: pytest.FixtureRequest) -> None:
    with running_on(scheduler, request):
        write(local, mixed_session(in_dask()))
    check_mixed(local)


def test_what_arrays_share_is_computed_once_on_a_cluster(client: Any, local: Store, play: Callable[..., Play]) -> None:
    going = play()
    with client.as_current():
        write(local, mixed_session(going.over(in_dask(chunks=(10, 7)))))
    check_mixed(local)
    assert going.runs == list(range(11))


def test_two_series_of_one_array(store: Store) -> None:
    array = in_dask()
    nwb = series_session(array, **LAYOUT)
    nwb.add_acquisition(TimeSeries("again", data=array, unit="V", rate=1.0))
    write(store, nwb)
    check(store, ARRAY)
    check(store, ARRAY, "/acquisition/again/data")


@on_two_schedulers
def test_one_array_written_to_one_place_after_the_other(
    tmp_path: Path, scheduler: str, request: pytest.FixtureRequest
) -> None:
    """Nothing that a scheduler keeps of the first write stands in for the second."""
    array = in_dask()
    with running_on(scheduler, request):
        for name in "ab":
            write(Store(str(tmp_path / name)), series_session(array, **LAYOUT))
    for name in "ab":
        check(Store(str(tmp_path / name)), ARRAY)


@on_two_schedulers
def test_writes_side_by_side(tmp_path: Path, scheduler: str, request: pytest.FixtureRequest) -> None:
    places = [Store(str(tmp_path / f"{number}.nwb.zarr")) for number in range(4)]
    told: list[list[Progress]] = [[] for _ in places]

    def act(number: int) -> None:
        nwb = series_session(in_dask(ARRAY + np.int16(number)), **LAYOUT)
        write(places[number], nwb, progress=told[number].append)

    # A client is the current one of one thread only; the configuration is that of all.
    wanted = request.getfixturevalue("client") if scheduler == "cluster" else scheduler
    with dask.config.set(scheduler=wanted), ThreadPoolExecutor(4) as threads:
        list(threads.map(act, range(4)))
    for number, place in enumerate(places):
        check(place, ARRAY + np.int16(number))
        assert told[number][-1].done == told[number][-1].total


def test_a_handle_writes_again(store: Store) -> None:
    nwb = series_session(in_dask(), **LAYOUT)
    with store.io("w") as io:
        io.write(nwb)
        nwb.add_acquisition(TimeSeries("more", data=in_dask(ARRAY[::-1], (9, 7)), unit="V", rate=1.0))
        io.write(nwb)
    check(store, ARRAY)
    check(store, ARRAY[::-1], "/acquisition/more/data")


# What is added to a store, from what it holds.


def add_derived(store: Store) -> None:
    """Add a series that is computed from one of the same store."""
    with store.io("r+") as io:
        nwb = io.read()
        data = nwb.acquisition["raw"].data.to_dask().astype("int32") * 3 - 1
        module = nwb.create_processing_module("made", "by tasks")
        module.add_container(TimeSeries("derived", data=ZarrDataIO(data, **LAYOUT), unit="V", rate=1.0))
        io.write(nwb)


def check_derived(store: Store) -> None:
    check(store, ARRAY)
    check(store, ARRAY.astype("int32") * 3 - 1, "/processing/made/derived/data")


def test_a_series_derived_from_the_same_store_is_added(store: Store) -> None:
    write(store, series_session(ARRAY, chunks=(3, 7), shards=(12, 7)))
    add_derived(store)
    check_derived(store)


def test_workers_add_a_series_derived_from_the_same_store(client: Any, local: Store) -> None:
    write(local, series_session(ARRAY, chunks=(3, 7), shards=(12, 7)))
    with client.as_current():
        add_derived(local)
    check_derived(local)


@pytest.mark.s3
def test_workers_add_a_series_derived_from_the_same_store_on_s3(client: Any, s3: Store) -> None:
    write(s3, series_session(ARRAY, chunks=(3, 7), shards=(12, 7)))
    with client.as_current():
        add_derived(s3)
    check_derived(s3)


@on_two_schedulers
def test_rows_of_a_dask_array_are_appended(local: Store, scheduler: str, request: pytest.FixtureRequest) -> None:
    with running_on(scheduler, request):
        write(local, series_session(in_dask(), **LAYOUT))
        with local.io("r+") as io:
            nwb = io.read()
            nwb.acquisition["raw"].append(in_dask(ARRAY[:36], (7, 7)))
            io.write(nwb)
    check(local, np.concatenate([ARRAY, ARRAY[:36]]))


# Tasks, objects and requests are counted.


def test_nothing_is_computed_before_the_write_and_each_block_once_by_it(
    store: Store, play: Callable[..., Play]
) -> None:
    going = play()
    nwb = series_session(going.over(in_dask(chunks=(10, 7))), timestamps=in_dask(np.arange(107.0), 23), **LAYOUT)
    with store.io("w") as io:
        io.write(nwb, dry_run=True)
        assert going.runs == []
        io.write(nwb)
    assert going.runs == list(range(11))
    check(store, ARRAY)


def test_requests_are_one_put_for_each_object_and_nothing_for_more_objects(store: Store) -> None:
    others = []
    for rows in (10, 107):
        place = Store(f"{store.url}.{rows}")
        meter = write_metered(place, series_session(in_dask(ARRAY[:rows], (13, 3)), **LAYOUT))
        assert puts(meter) == keys_of((rows, 7), (10, 4))
        others.append(meter.total - len(puts(meter)))
    assert others[0] == others[1]


@on_schedulers
def test_the_report_counts_what_tasks_stored(local: Store, scheduler: str, request: pytest.FixtureRequest) -> None:
    small = write(local, series_session(ARRAY[:1]))
    with running_on(scheduler, request):
        report = write(local, series_session(in_dask(), **LAYOUT))
    # One chunk is in both reports beside those of the array.
    before, after = small.chunks - 1, report.chunks - SHARDS
    assert before == after
    stored = [Path(local.url, name).stat().st_size for name in local.names() if name.startswith(f"{FOLDER}/c")]
    assert len(stored) == SHARDS
    assert abs(report.nbytes - sum(stored) - small.nbytes) < 1000


def test_diagnostics_see_the_tasks(store: Store) -> None:
    bar = text.StringIO()
    nwb = series_session(in_dask(), **LAYOUT)
    with dask.config.set(scheduler="threads"), Graphs() as seen, ProgressBar(out=bar):
        write(store, nwb)
    assert seen.tasks >= SHARDS
    assert "100%" in bar.getvalue()
    check(store, ARRAY)


def test_a_bystander_of_a_write_that_fails_sees_the_end(store: Store, play: Callable[..., Play]) -> None:
    """Callbacks of this package are gone when its write is over, even when it failed."""
    array = play(raises=3).over(in_dask(chunks=(10, 7)))
    before = set(Callback.active)
    with dask.config.set(scheduler="threads"):
        with pytest.raises(AmplifierError):
            write(store, series_session(array, **LAYOUT))
        assert Callback.active == before
        assert_same(in_dask().compute(), ARRAY)


# What workers import and ask for.


def test_workers_import_no_containers(client: Any, local: Store, tmp_path: Path) -> None:
    source = Store(str(tmp_path / "source.nwb.zarr"))
    write(source, series_session(ARRAY, **LAYOUT))
    with client.as_current(), NWBZarrIO(source.url) as io:
        write(local, series_session(io.read().acquisition["raw"].data.to_dask() * 2, **LAYOUT))
    check(local, ARRAY * 2)
    for modules in client.run(imported).values():
        assert "nwbzarr.writing.graphs" in modules
        assert "nwbzarr.arrays.stored" in modules
        foreign = ("pynwb", "hdmf", "nwbzarr.model", "nwbzarr.schema", "nwbzarr.reading", "nwbzarr.tree", "nwbzarr.io")
        assert not [name for name in modules if name.startswith(foreign)]


@pytest.mark.s3
def test_workers_ask_for_nothing_but_chunks_and_store_each_object_once(
    client: Any, s3_bucket: S3Bucket, fault_proxy: FaultProxy
) -> None:
    bucket = s3_bucket.through(fault_proxy)
    source, target = (Store(f"{bucket.url}/{name}.nwb.zarr", bucket.options) for name in ("source", "target"))
    write(source, series_session(ARRAY, **LAYOUT))
    with source.io("r") as io:
        array = io.read().acquisition["raw"].data.to_dask()
        with client.as_current():
            fault_proxy.reset()
            write(target, series_session(array * 2, **LAYOUT))
            asked = [(method, path.partition("?")[0]) for method, path in fault_proxy.requests]
    check(target, ARRAY * 2)
    assert [path for method, path in asked if method in ("GET", "HEAD") and path.endswith("zarr.json")] == []
    sent = [path for method, path in asked if method == "PUT" and f"{FOLDER}/c" in path]
    assert sorted(path[path.index(FOLDER) :] for path in sent) == keys_of(SHAPE, (10, 4))
    read = [path for method, path in asked if method == "GET" and f"source.nwb.zarr/{FOLDER}/c" in path]
    # The index of a shard, and what is in it.
    assert SHARDS <= len(read) <= 2 * SHARDS
    # All others are the client's: they do not grow with the objects.
    others = [each for each in asked if FOLDER not in each[1]]
    assert [path for method, path in others if method == "HEAD"] == []


def test_places_that_travel_keep_credentials_to_themselves() -> None:
    """They go to workers with every task, but are shown nowhere: not in a dashboard, not in an error."""
    place = Place(locate("s3://bucket/x.nwb.zarr"), {"key": "K", "secret": "do not tell"})
    again = pickle.loads(pickle.dumps(Delivery(place, "token")))  # noqa: S301 - made in this line
    assert again.place.options == place.options
    assert "do not tell" not in repr(again) + repr(place)


# Progress.


@on_all_schedulers
def test_progress_grows_and_ends_at_the_total(local: Store, scheduler: str, request: pytest.FixtureRequest) -> None:
    told: list[Progress] = []
    with running_on(scheduler, request):
        write(local, series_session(in_dask(), **LAYOUT), progress=told.append)
    done = [progress.done for progress in told]
    assert len(done) >= SHARDS
    assert all(later > earlier for earlier, later in itertools.pairwise(done))
    assert {progress.total for progress in told} == {ARRAY.nbytes}
    assert {progress.path for progress in told} == {SERIES_PATH}
    assert done[-1] == ARRAY.nbytes


@on_two_schedulers
def test_progress_counts_all_arrays_together(local: Store, scheduler: str, request: pytest.FixtureRequest) -> None:
    told: list[Progress] = []
    with running_on(scheduler, request):
        write(local, mixed_session(in_dask()), progress=told.append)
    assert told[-1].done == told[-1].total
    by_path = {path: list(group) for path, group in itertools.groupby(told, lambda progress: progress.path)}
    assert {f"/acquisition/{name}/data" for name in ("raw", "double", "plain")} <= set(by_path)
    assert all(later.done > earlier.done for earlier, later in itertools.pairwise(told))


@on_two_schedulers
def test_an_exception_of_the_callback_ends_the_write(
    local: Store, scheduler: str, request: pytest.FixtureRequest
) -> None:
    told = itertools.count()

    def call(_: Progress) -> None:
        if next(told) == 2:
            message = "enough"
            raise AmplifierError(message)

    with running_on(scheduler, request):
        with pytest.raises(AmplifierError, match="enough"):
            write(local, series_session(in_dask(), **LAYOUT), progress=call)
        assert local.state() == "absent"
        write(local, series_session(in_dask(ARRAY[::-1]), **LAYOUT))
    check(local, ARRAY[::-1])


# Going on.

#: Blocks that are rows of shards.
ALIGNED = (10, 7)


def objects_left(store: Store) -> dict[str, str]:
    """Return the objects of the array that are there, in place or beside it: their keys, and where they are."""
    if store.is_local:
        found = [path.as_posix() for path in Path(store.url).parent.rglob("c.*") if path.is_file()]
        return {name[name.index(FOLDER) :]: name for name in found if FOLDER in name}
    return {name: name for name in store.names() if name.startswith(f"{FOLDER}/c")}


def break_off(store: Store, array: Any, kept: set[int], **how: Any) -> set[str]:
    """Have a write that can be gone on with end with some rows of shards stored; return the keys of those."""

    def stop(progress: Progress) -> None:
        if progress.done == progress.total:
            raise AmplifierError

    with store.io("w") as io, pytest.raises(AmplifierError):
        io.write(series_session(array, **LAYOUT), resume=True, progress=stop, **how)
    assert store.state() in ("absent", "incomplete")
    found = objects_left(store)
    assert sorted(found) == keys_of(SHAPE, (10, 4))
    # In which order tasks come to their end is the scheduler's matter: any of them may be the one that is missing.
    lost = {key for key in found if row_of(key) not in kept}
    for key in lost:
        if store.is_local:
            Path(found[key]).unlink()
        else:
            store.delete(key)
    return set(found) - lost


def row_of(key: str) -> int:
    return int(key.rpartition("/")[2].split(".")[1])


@on_schedulers
def test_finished_objects_are_passed_over(
    local: Store, play: Callable[..., Play], scheduler: str, request: pytest.FixtureRequest
) -> None:
    told: list[Progress] = []
    small = write(Store(f"{local.url}.other"), series_session(ARRAY[:1])).chunks - 1
    going = play()
    with running_on(scheduler, request):
        break_off(local, in_dask(chunks=ALIGNED), {0, 1, 4, 5, 6})
        nwb = series_session(going.over(in_dask(chunks=ALIGNED)), **LAYOUT)
        report = write(local, nwb, resume=True, progress=told.append)
    check(local, ARRAY)
    # One block is computed here, to be compared.
    ran = going.runs
    assert set(ran) - {0, 1, 4, 5, 6} == {2, 3, 7, 8, 9, 10}
    assert len(ran) <= 7
    assert report.chunks - small == 12
    assert told[-1].done == told[-1].total == ARRAY.nbytes
    assert all(later.done >= earlier.done for earlier, later in itertools.pairwise(told))


@pytest.mark.parametrize("kept", [{0}, {9, 10}, {0, 2, 4}, set(range(10)), set(range(11))], ids=str)
def test_finished_objects_are_not_sent_again(store: Store, kept: set[int]) -> None:
    finished = break_off(store, in_dask(), kept)
    # Blocks of other sizes are re-cut to the same shards.
    meter = write_metered(store, series_session(in_dask(chunks=((50, 57), (7,))), **LAYOUT), resume=True)
    assert puts(meter) == sorted(set(keys_of(SHAPE, (10, 4))) - finished)
    check(store, ARRAY)


def test_a_part_of_a_block_that_is_stored_is_not_sent_again(store: Store) -> None:
    finished = break_off(store, in_dask(), {1, 2, 3, 8})
    lost = f"{FOLDER}/c.2.1"
    found = objects_left(store)
    if store.is_local:
        Path(found[lost]).unlink()
    else:
        store.delete(lost)
    meter = write_metered(store, series_session(in_dask(chunks=(30, 7)), **LAYOUT), resume=True)
    assert puts(meter) == sorted(set(keys_of(SHAPE, (10, 4))) - finished | {lost})
    check(store, ARRAY)


@on_two_schedulers
def test_a_write_that_a_task_ended_is_gone_on_with(
    local: Store, play: Callable[..., Play], scheduler: str, request: pytest.FixtureRequest
) -> None:
    with running_on(scheduler, request):
        failing = play(raises=6).over(in_dask(chunks=ALIGNED))
        with pytest.raises(AmplifierError):
            write(local, series_session(failing, **LAYOUT), resume=True)
        assert local.state() == "absent"
        write(local, series_session(in_dask(chunks=ALIGNED), **LAYOUT), resume=True)
    check(local, ARRAY)


@pytest.mark.s3
def test_workers_pass_finished_objects_over_on_s3(client: Any, s3: Store, play: Callable[..., Play]) -> None:
    going = play()
    with client.as_current():
        break_off(s3, in_dask(chunks=ALIGNED), {0, 3, 4})
        write(s3, series_session(going.over(in_dask(chunks=ALIGNED)), **LAYOUT), resume=True)
    assert set(going.runs) - {0, 3, 4} == set(range(11)) - {0, 3, 4}
    assert len(going.runs) <= 9
    check(s3, ARRAY)


def test_a_whole_session_is_not_gone_on_with(store: Store) -> None:
    write(store, series_session(in_dask(), **LAYOUT))
    write(store, series_session(in_dask(ARRAY[::-1]), **LAYOUT), resume=True)
    check(store, ARRAY[::-1])


@pytest.mark.parametrize("kept", [{0, 1}, {10}, {5, 6}, set(range(1, 11))], ids=str)
def test_changed_data_is_refused_whichever_objects_are_stored(store: Store, kept: set[int]) -> None:
    break_off(store, in_dask(), kept)
    changed = ARRAY + np.int16(1)
    with pytest.raises(CommitError, match=SERIES_PATH):
        write(store, series_session(in_dask(changed), **LAYOUT), resume=True)
    assert store.state() in ("absent", "incomplete")
    write(store, series_session(in_dask(changed), **LAYOUT))
    check(store, changed)


def test_a_shorter_array_leaves_nothing_behind(store: Store) -> None:
    break_off(store, in_dask(), set(range(9)))
    write(store, series_session(in_dask(ARRAY[:50], ALIGNED), **LAYOUT), resume=True)
    check(store, ARRAY[:50])
    stored = {name for name in store.names() if name.startswith(f"{FOLDER}/c")}
    assert stored == set(keys_of((50, 7), (10, 4)))


def test_a_longer_array_is_gone_on_with(store: Store) -> None:
    longer = np.concatenate([ARRAY, ARRAY])
    break_off(store, in_dask(), set(range(11)))
    write(store, series_session(in_dask(longer, ALIGNED), **LAYOUT), resume=True)
    check(store, longer)


# What is refused.


def test_an_array_of_unknown_shape_is_refused(store: Store) -> None:
    array = in_dask(ARRAY[:, 0], 20)
    with pytest.raises(SchemaError, match="compute_chunk_sizes") as caught:
        write(store, series_session(array[array > 0]))
    assert SERIES_PATH in str(caught.value)
    check_nothing(store)
    known = array[array > 0].compute_chunk_sizes()
    write(store, series_session(known))
    check(store, ARRAY[:, 0][ARRAY[:, 0] > 0])


def test_a_dtype_that_has_no_stored_form_is_refused(store: Store) -> None:
    with pytest.raises(SchemaError, match="datetime64"):
        write(store, series_session(in_dask().astype("datetime64[s]")))
    check_nothing(store)


LIES: dict[str, tuple[str, Any]] = {
    "floats": ("int16", np.ones((10, 7))),
    "wider integers": ("int16", np.ones((10, 7), "int64")),
    "unsigned": ("int16", np.ones((10, 7), "uint16")),
    "integers that floats cannot hold": ("float64", np.full((10, 7), 2**53 + 1)),
    "complex": ("float64", np.ones((10, 7), complex)),
    "texts": ("float64", np.full((10, 7), "a", object)),
    "numbers for texts": ("O", np.ones((10, 7))),
    "structs": ("int16", np.zeros((10, 7), [("a", "i2")])),
    "more rows": ("int16", np.ones((11, 7), "int16")),
    "fewer rows": ("int16", np.ones((9, 7), "int16")),
    "one row": ("int16", np.ones((1, 7), "int16")),
    "one channel": ("int16", np.ones((10, 1), "int16")),
    "one dimension": ("int16", np.ones(70, "int16")),
    "three dimensions": ("int16", np.ones((10, 7, 1), "int16")),
    "a number": ("int16", 1),
    "nothing": ("int16", None),
    "nothing for texts": ("O", np.full((10, 7), None, object)),
}


def lie(name: str) -> Any:
    dtype, answer = LIES[name]
    meta = np.empty((0, 0), dtype)
    return da.zeros((100, 7), chunks=(10, 7)).map_blocks(Lie(answer), dtype=dtype, meta=meta)


@pytest.mark.parametrize("name", LIES)
def test_what_the_dask_array_did_not_say_is_refused(local: Store, name: str) -> None:
    with pytest.raises(SchemaError) as caught:
        write(local, series_session(lie(name), **LAYOUT))
    assert SERIES_PATH in str(caught.value)
    check_nothing(local)


def test_an_error_names_the_store_and_not_where_it_is_prepared(store: Store) -> None:
    with store.io("w") as io, pytest.raises(SchemaError) as caught:
        io.write(series_session(lie("floats"), **LAYOUT))
    assert caught.value.store == io.url.text
    assert "staging" not in str(caught.value)


@pytest.mark.parametrize("name", ["floats", "one row", "a number"])
def test_workers_refuse_what_the_dask_array_did_not_say(client: Any, local: Store, name: str) -> None:
    with client.as_current(), pytest.raises(SchemaError) as caught:
        write(local, series_session(lie(name), **LAYOUT))
    assert SERIES_PATH in str(caught.value)
    assert local.state() == "absent"
    write(local, series_session(in_dask(), **LAYOUT))
    check(local, ARRAY)


@on_two_schedulers
def test_masked_values_are_refused(local: Store, scheduler: str, request: pytest.FixtureRequest) -> None:
    """As those of NumPy are: what is under a mask is no value."""
    with running_on(scheduler, request), pytest.raises((SchemaError, FieldTypeError), match="masked"):
        write(local, series_session(in_dask(FLOATS).map_blocks(masked, dtype="float64"), **LAYOUT))
    assert local.state() == "absent"


def small_sum(array: Any) -> Any:
    return array.sum(axis=1)


SELVES: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda array: array,
    "computed": lambda array: array * 2 + 1,
    "re-cut": lambda array: array.rechunk((13, 3)),
    "sliced": lambda array: array[3:50:2],
    "summed": small_sum,
    "with neighbours": lambda array: array.map_overlap(np.copy, depth=1, boundary="none", dtype="int16"),
    "joined": lambda array: da.concatenate([in_dask(), array]),
    "in blocks": lambda array: da.block([[array], [in_dask()]]),
    "delayed": lambda array: da.from_delayed(array.to_delayed()[0, 0] * 2, (10, 4), "int16"),
    "optimized": lambda array: dask.optimize(array + 1)[0],
    "by index": lambda array: array[[3, 1, 2]],
    "picked": lambda array: da.where(in_dask() > 0, in_dask(), array),
}


@pytest.mark.parametrize("name", SELVES)
def test_a_store_is_not_replaced_by_what_is_computed_from_it(local: Store, name: str) -> None:
    write(local, series_session(ARRAY, **LAYOUT))
    before = local.state()
    with local.io("r") as io, pytest.raises(SelfOverwriteError):
        write(local, series_session(SELVES[name](io.read().acquisition["raw"].data.to_dask())))
    assert local.state() == before
    with local.io("r") as io:
        other = Store(f"{local.url}.other")
        array = SELVES[name](io.read().acquisition["raw"].data.to_dask())
        write(other, series_session(array))
        check(other, array.compute())


def test_a_store_is_not_replaced_by_what_zarr_reads_of_it(store: Store) -> None:
    write(store, series_session(ARRAY, **LAYOUT))
    before = store.state()
    with pytest.raises(SelfOverwriteError):
        write(store, series_session(da.from_zarr(f"{store.url}{SERIES_PATH}") + 1))
    assert store.state() == before


def test_what_was_computed_before_may_replace_its_source(store: Store) -> None:
    write(store, series_session(ARRAY, **LAYOUT))
    with store.io("r") as io:
        array = (io.read().acquisition["raw"].data.to_dask() * 2).persist()
        write(store, series_session(array, **LAYOUT))
    check(store, ARRAY * 2)


@pytest.mark.parametrize("scheduler", ["cluster", pytest.param("processes", marks=pytest.mark.slow)])
def test_memory_is_refused_to_other_processes(scheduler: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with place_of("memory", request, tmp_path) as place:
        store = Store.at(place)
        with running_on(scheduler, request), pytest.raises(CommitError, match="memory") as caught:
            write(store, series_session(in_dask(), **LAYOUT))
        assert "threads" in str(caught.value)
        assert store.state() in ("absent", "incomplete")
        write(store, series_session(in_dask(), **LAYOUT))
        check(store, ARRAY)


def test_memory_is_not_refused_to_a_cluster_in_this_process(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with (
        place_of("memory", request, tmp_path) as place,
        open_cluster(processes=False, n_workers=1, threads_per_worker=2) as client,
        client.as_current(),
    ):
        store = Store.at(place)
        write(store, series_session(in_dask(), **LAYOUT))
        add_derived(store)
        check_derived(store)
