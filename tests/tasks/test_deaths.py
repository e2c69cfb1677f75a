"""Tasks that raise, workers that are killed, clients that are killed, and tasks that outlive their write.

A write that fails leaves nothing that opens, and the old store whole on the disk; one that a scheduler can bring to
its end is brought there; and what comes too late changes nothing.
"""

from __future__ import annotations

import itertools
import pickle
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask
import dask.array
import distributed
import numpy as np
import pytest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

import nwbzarr
from nwbzarr import TimeSeries, ZarrDataIO
from nwbzarr.convention.names import WRITE_MARK
from nwbzarr.errors import CommitConflictError, CommitError
from nwbzarr.stores.connections import locate
from nwbzarr.stores.marks import WriteMark
from nwbzarr.stores.places import Delivery, Place
from tests.arrays.stored import assert_same, bare, values
from tests.commit.deaths import KILLED, run_in_child
from tests.commit.sessions import Store
from tests.places import place_of
from tests.tasks.clusters import (
    LAYOUT,
    PATIENCE,
    AmplifierError,
    Play,
    descriptions_read_once,
    die_after_put,
    hold_before_put,
    open_pool,
    running_on,
    settle,
    until,
    write_and_die,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from nwbzarr import Progress

AnyArray = np.ndarray[Any, Any]

#: Dask's functions have no types.
da: Any = dask.array

PATH = "/acquisition/made/data"
FOLDER = PATH.strip("/")

ARRAY = values("int16", (107, 7), 5)
OTHER = values("int16", (107, 7), 6)
ROWS = 11

S3 = pytest.param("s3", marks=pytest.mark.s3)
SLOW_S3 = pytest.param("s3", marks=[pytest.mark.s3, pytest.mark.slow])

on_places_of_clusters = pytest.mark.parametrize("store", ["local", SLOW_S3], indirect=True)
in_both_modes = pytest.mark.parametrize("mode", ["w", "r+"])
in_three_ways = pytest.mark.parametrize(
    ("store", "mode"),
    [("local", "w"), ("local", "r+"), pytest.param("s3", "w", marks=[pytest.mark.s3, pytest.mark.slow])],
    indirect=["store"],
)


@pytest.fixture(scope="module", autouse=True)
def quick_clients() -> Iterator[None]:
    with descriptions_read_once():
        yield


@pytest.fixture
def pool() -> Iterator[Executor]:
    with open_pool() as found:
        yield found


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with place_of(request.param, request, tmp_path) as place:
        yield Store.at(place)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[..., Play]]:
    """Return what makes something go on in blocks."""
    folder = tmp_path / "play"
    folder.mkdir()
    yield lambda **what: Play(str(folder), **what)
    # Whatever the test came to, no worker waits any more, nor will.
    for name in ("waiting", "killed", "go"):
        (folder / name).touch()


def in_dask(array: AnyArray = ARRAY) -> Any:
    """Return an array whose blocks are rows of shards: what happens in a block is part of the task that stores it."""
    return da.from_array(array, chunks=(10, 7))


def write(store: Store, array: Any, mode: str = "w", **how: Any) -> None:
    """Write a session of one series, or add that series to the one that is there."""
    with store.io(mode) as io:
        nwb = io.read() if mode == "r+" else bare()
        nwb.add_acquisition(TimeSeries("made", data=ZarrDataIO(array, **LAYOUT), unit="V", rate=1.0))
        io.write(nwb, **how)


def write_old(store: Store) -> None:
    """Write the session that was there before."""
    nwb = bare()
    nwb.add_acquisition(TimeSeries("old", data=ZarrDataIO(OTHER, chunks=(20, 7)), unit="V", rate=1.0))
    store.write(nwb)


def check_values(store: Store, wanted: AnyArray) -> None:
    found: Any = nwbzarr.open(store.url, store.options).find(FOLDER)
    assert_same(found.data[...], wanted)


def check(store: Store, wanted: AnyArray) -> None:
    """Check all values, and that nothing is left of a write."""
    check_values(store, wanted)
    assert store.litter() == []


def end_all(scheduler: str, request: pytest.FixtureRequest) -> None:
    """Wait until no other process does anything for a write that failed."""
    if scheduler == "cluster":
        settle(request.getfixturevalue("client"))
    elif scheduler == "processes":
        request.getfixturevalue("pool").shutdown(wait=True)


def check_failed(store: Store, before: Any, mode: str) -> None:
    """Check that a write that failed left what was there before; or, on object storage, an absence in place of it."""
    if store.is_local or mode == "r+":
        assert store.state() == before
    else:
        assert store.state() in ("absent", "incomplete")


# Tasks that raise.


@pytest.mark.parametrize(
    ("scheduler", "store", "before"),
    [
        ("threads", "local", "nothing"),
        ("threads", "local", "a session"),
        ("threads", "memory", "nothing"),
        ("threads", "memory", "a session"),
        pytest.param("threads", "s3", "a session", marks=[pytest.mark.s3, pytest.mark.slow]),
        ("sync", "local", "a session"),
        ("cluster", "local", "nothing"),
        ("cluster", "local", "a session"),
        pytest.param("cluster", "s3", "nothing", marks=[pytest.mark.s3, pytest.mark.slow]),
        pytest.param("processes", "local", "a session", marks=pytest.mark.slow),
    ],
    indirect=["store"],
)
def test_what_a_task_raises_reaches_the_caller_and_nothing_is_visible(
    store: Store, scheduler: str, before: str, play: Callable[..., Play], request: pytest.FixtureRequest
) -> None:
    if before == "a session":
        write_old(store)
    old = store.state()
    with running_on(scheduler, request):
        with pytest.raises(AmplifierError, match="switched off"):
            write(store, play(raises=4).over(in_dask()))
        check_failed(store, old, "w")
        write(store, in_dask())
    check_values(store, ARRAY)
    if scheduler in ("cluster", "processes"):
        end_all(scheduler, request)
        check_values(store, ARRAY)
        write(store, in_dask())
    check(store, ARRAY)
    if store.is_local:
        assert [path.name for path in Path(store.url).parent.iterdir()] == [Path(store.url).name]


@pytest.mark.parametrize(
    ("scheduler", "store"),
    [
        ("threads", "local"),
        ("threads", "memory"),
        ("cluster", "local"),
        pytest.param("cluster", "s3", marks=[pytest.mark.s3, pytest.mark.slow]),
    ],
    indirect=["store"],
)
def test_what_is_added_is_not_seen_when_a_task_raises(
    store: Store, scheduler: str, play: Callable[..., Play], request: pytest.FixtureRequest
) -> None:
    write_old(store)
    old = store.state()
    with running_on(scheduler, request):
        with pytest.raises(AmplifierError):
            write(store, play(raises=4).over(in_dask()), "r+")
        assert store.state() == old
        # A worker that is still storing is the matter of another test.
        end_all(scheduler, request)
        write(store, in_dask(), "r+")
    check(store, ARRAY)


@pytest.mark.parametrize("error", [OSError, FileNotFoundError, FileExistsError, KeyError, ValueError, MemoryError])
@pytest.mark.parametrize("store", ["local"], indirect=True)
def test_errors_of_python_are_raised_as_they_are(
    store: Store, error: type[Exception], play: Callable[..., Play]
) -> None:
    with dask.config.set(scheduler="threads"), pytest.raises(error, match="switched off") as caught:
        write(store, play(raises=4, error=error).over(in_dask()))
    assert type(caught.value) is error
    assert store.state() in ("absent", "incomplete")


@pytest.mark.parametrize("store", ["local"], indirect=True)
def test_the_same_handle_tries_again(store: Store, client: Any, play: Callable[..., Play]) -> None:
    with client.as_current(), store.io("w") as io:
        for array in (play(raises=4).over(in_dask(OTHER)), in_dask()):
            nwb = bare()
            nwb.add_acquisition(TimeSeries("made", data=ZarrDataIO(array, **LAYOUT), unit="V", rate=1.0))
            if array.name.startswith("array-"):
                io.write(nwb)
            else:
                with pytest.raises(AmplifierError):
                    io.write(nwb)
                settle(client)
    check(store, ARRAY)


@pytest.mark.parametrize("store", ["local"], indirect=True)
def test_tasks_that_are_tried_again_lose_nothing(store: Store, client: Any, play: Callable[..., Play]) -> None:
    going = play(flaky=True)
    with client.as_current(), dask.annotate(retries=1):
        write(store, going.over(in_dask()))
    check(store, ARRAY)
    assert going.runs == sorted([*range(ROWS)] * 2)


@pytest.mark.parametrize("store", ["local"], indirect=True)
def test_a_write_whose_tasks_are_cancelled_ends_with_that(store: Store, client: Any, play: Callable[..., Play]) -> None:
    """As they are when somebody restarts the cluster."""
    write_old(store)
    old = store.state()

    def cancel(_: Progress) -> None:
        client.cancel([distributed.Future(key, client) for key in list(client.futures)], force=True)

    with client.as_current():
        with pytest.raises((CancelledError, CommitError)):
            write(store, play().over(in_dask()), progress=cancel)
        assert store.state() == old
        settle(client)
        write(store, in_dask())
    check(store, ARRAY)


@pytest.mark.parametrize("fails", [False, True], ids=["written", "failed"])
@pytest.mark.parametrize("store", ["local"], indirect=True)
def test_a_cluster_keeps_nothing_of_a_write_that_is_over(
    store: Store, client: Any, fails: bool, play: Callable[..., Play]
) -> None:
    array = play(raises=4 if fails else None).over(in_dask())
    with client.as_current(), pytest.raises(AmplifierError) if fails else nullcontext():
        write(store, array)
    tasks = client.cluster.scheduler.tasks
    until(lambda: not tasks, "the scheduler forgets all tasks")


# Workers that are killed.


def check_told(told: list[Progress]) -> None:
    """Check that progress grew, to its end and no further, although some of it was done twice."""
    assert all(later.done > earlier.done for earlier, later in itertools.pairwise(told))
    assert told[-1].done == told[-1].total == ARRAY.nbytes


@pytest.mark.slow
@on_places_of_clusters
def test_a_write_goes_on_when_a_worker_is_killed_in_a_task(
    store: Store, client: Any, play: Callable[..., Play]
) -> None:
    going = play(kills=5)
    told: list[Progress] = []
    with client.as_current():
        write(store, going.over(in_dask()), progress=told.append)
    assert going.happened("killed")
    check(store, ARRAY)
    check_told(told)


@pytest.mark.slow
@in_three_ways
def test_a_write_goes_on_when_a_worker_is_killed_before_it_says_what_it_stored(
    store: Store, client: Any, mode: str, play: Callable[..., Play]
) -> None:
    """The object is there when the task runs again, and is stored again or left."""
    write_old(store)
    going = play()
    client.run(die_after_put, f"{going.folder}/killed", f"{FOLDER}/c.5.0")
    told: list[Progress] = []
    with client.as_current():
        write(store, going.over(in_dask()), mode, progress=told.append)
    assert going.happened("killed")
    check(store, ARRAY)
    check_told(told)


@pytest.mark.slow
@on_places_of_clusters
def test_a_write_ends_when_the_scheduler_gives_a_task_up(
    store: Store, client: Any, monkeypatch: pytest.MonkeyPatch, play: Callable[..., Play]
) -> None:
    write_old(store)
    old = store.state()
    going = play(kills=5)
    with client.as_current():
        with monkeypatch.context() as patch:
            patch.setattr(client.cluster.scheduler, "allowed_failures", 0)
            with pytest.raises(distributed.KilledWorker):
                write(store, going.over(in_dask()))
        assert going.happened("killed")
        check_failed(store, old, "w")
        client.wait_for_workers(2, timeout=PATIENCE)
        settle(client)
        write(store, in_dask())
    check(store, ARRAY)


# Clients that are killed.


@pytest.mark.slow
@in_three_ways
def test_a_client_that_is_killed_leaves_what_was_there(store: Store, client: Any, mode: str) -> None:
    write_old(store)
    old = store.state()
    scheduler = client.scheduler.address
    assert run_in_child(write_and_die, store.url, store.options, OTHER, scheduler, mode) == KILLED
    assert store.state() == (old if store.is_local else "incomplete")
    with client.as_current():
        write(store, in_dask(), mode)
    check_values(store, ARRAY)
    # Whatever workers still did for the dead one.
    settle(client)
    check_values(store, ARRAY)
    write(store, in_dask(), "w")
    check(store, ARRAY)


# Tasks that outlive their write.


@in_both_modes
@on_places_of_clusters
def test_a_task_that_outlives_its_write_changes_nothing(
    store: Store, client: Any, mode: str, play: Callable[..., Play]
) -> None:
    write_old(store)
    going = play(waits=True)
    with client.as_current(), pytest.raises(AmplifierError):
        write(store, going.over(in_dask(OTHER)), mode)
    assert going.happened("waiting")
    write(store, in_dask(), mode)
    going.go_on()
    settle(client)
    check(store, ARRAY)


@pytest.fixture
def late_task(store: Store, client: Any, mode: str, play: Callable[..., Play]) -> None:
    """Have a task end that had looked at the place, and was about to store, when its write failed and another began."""
    write_old(store)
    going = play(passes=True)
    client.run(hold_before_put, going.folder, f"{FOLDER}/c.")
    with client.as_current(), pytest.raises(AmplifierError):
        write(store, going.over(in_dask(OTHER)), mode)
    assert going.happened("waiting")
    write(store, in_dask(), mode)
    going.go_on()
    settle(client)


@pytest.mark.usefixtures("late_task")
@in_both_modes
@on_places_of_clusters
def test_a_task_that_is_storing_when_its_write_ends_changes_nothing(store: Store, mode: str) -> None:
    check_values(store, ARRAY)
    # The next one finds what it may have left.
    write(store, in_dask(), "w" if mode == "r+" else mode)
    check(store, ARRAY)


@pytest.mark.usefixtures("late_task")
@pytest.mark.parametrize("mode", ["w"])
@pytest.mark.parametrize("store", ["local"], indirect=True)
def test_a_task_that_is_storing_when_its_write_ends_leaves_nothing(store: Store, mode: str) -> None:
    check_values(store, ARRAY)
    assert store.litter() == [], mode


@in_both_modes
@pytest.mark.parametrize("store", ["local", "memory"], indirect=True)
def test_a_thread_that_outlives_its_write_changes_nothing(store: Store, mode: str, play: Callable[..., Play]) -> None:
    write_old(store)
    going = play(waits=True)
    with ThreadPoolExecutor(2) as threads:
        with dask.config.set(scheduler="threads", pool=threads), pytest.raises(AmplifierError):
            write(store, going.over(in_dask(OTHER)), mode)
        assert going.happened("waiting")
        write(store, in_dask(), mode)
        going.go_on()
    check(store, ARRAY)


# What a worker stores through: the mark decides.


KEY = f"{FOLDER}/c.4.0"

on_remote_places = pytest.mark.parametrize("store", ["memory", S3], indirect=True)


def deliver(store: Store, token: str, data: bytes) -> None:
    """Store an object as a worker does."""
    delivery = Delivery(Place(locate(store.url), store.options or {}), token)
    arrived = pickle.loads(pickle.dumps(delivery))  # noqa: S301 - made in the line before
    sync(arrived.open().set(KEY, default_buffer_prototype().buffer.from_bytes(data)))


@on_remote_places
def test_an_object_is_created_where_there_is_none(store: Store) -> None:
    mark = WriteMark.fresh()
    store.put(WRITE_MARK, mark.dump())
    deliver(store, mark.token, b"new")
    assert store.get(KEY) == b"new"


@on_remote_places
def test_an_object_is_replaced_while_the_write_is_under_way(store: Store) -> None:
    mark = WriteMark.fresh()
    store.put(WRITE_MARK, mark.renew().dump())
    store.put(KEY, b"of a write that was given up before")
    for data in (b"new", b"new", b"newer"):
        deliver(store, mark.token, data)
        assert store.get(KEY) == data


MARKS: dict[str, Callable[[WriteMark], bytes | None]] = {
    "gone": lambda _: None,
    "another's": lambda _: WriteMark.fresh().dump(),
    "given up": lambda mark: mark.abandon("a task raised").dump(),
    "no mark": lambda _: b"{}",
}


@pytest.mark.parametrize("now", MARKS)
@on_remote_places
def test_an_object_stays_when_the_write_is_over(store: Store, now: str) -> None:
    mark = WriteMark.fresh()
    store.put(KEY, b"of another write")
    found = MARKS[now](mark)
    if found is not None:
        store.put(WRITE_MARK, found)
    with pytest.raises(CommitConflictError):
        deliver(store, mark.token, b"late")
    assert store.get(KEY) == b"of another write"
