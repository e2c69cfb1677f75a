"""Two writers to one place: one wins, the others get an error, and what is stored is all the winner's.

Writers overlap for certain: each waits, when its data is read, until all others have come as far or have given up.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import dummy
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from nwbzarr.convention.names import SIDECAR, WRITE_MARK
from nwbzarr.errors import CommitConflictError, NWBZarrError, StoreExistsError
from nwbzarr.stores import local, marks, objects
from nwbzarr.stores.connections import locate
from nwbzarr.stores.marks import LEASE_SECONDS, WriteMark
from tests.commit.deaths import CONTEXT, PATIENCE, Fuse, fused_files
from tests.commit.sessions import ROWS, Store, contents, extend, extended, samples, session, small_regions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WRITERS = 3

#: What a loser may get.
CONFLICTS = {"CommitConflictError"}
CONFLICTS_OF = {
    "w": CONFLICTS,
    "r+": CONFLICTS,
    "w-": CONFLICTS | {"StoreExistsError"},
    "a": CONFLICTS | {"StoreExistsError"},
}


class Meeting:
    """Where writers wait for each other; `context` makes it one of threads or of processes."""

    def __init__(self, context: Any, parties: int) -> None:
        self.parties = parties
        self.condition = context.Condition()
        self.opened = context.Value("i", 0)
        self.reading = context.Value("i", 0)

    def open(self) -> None:
        """Wait until all writers have opened the store."""
        self._wait(self.opened)

    def read(self) -> None:
        """Wait until all writers read their data, or have given up."""
        self._wait(self.reading)

    def give_up(self) -> None:
        """Say that this writer will not come."""
        with self.condition:
            self.reading.value += 1
            self.condition.notify_all()

    def _wait(self, counter: Any) -> None:
        with self.condition:
            counter.value += 1
            self.condition.notify_all()
            if not self.condition.wait_for(lambda: counter.value >= self.parties, PATIENCE):
                message = "the other writers do not come"
                raise TimeoutError(message)


class Gated:
    """Samples that call something when they are read for the first time."""

    shape = (ROWS,)
    dtype = np.dtype("f8")

    def __init__(self, value: int, gate: Callable[[], None]) -> None:
        self.value = value
        self.gate: Callable[[], None] | None = gate

    def __getitem__(self, selection: Any) -> Any:
        gate, self.gate = self.gate, None
        if gate is not None:
            gate()
        return samples(self.value)[selection]


def write_with_others(store: Store, mode: str, value: int, meeting: Meeting, outcomes: str) -> None:
    """Write one of several sessions at the same time, and leave in a file how it went."""
    data = Gated(value, meeting.read)
    try:
        with store.io(mode) as handle, small_regions():
            nwb = handle.read() if mode == "r+" else session(value, data)
            if mode == "r+":
                extend(nwb, value, data)
            meeting.open()
            handle.write(nwb)
        outcome = "won"
    except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
        outcome = f"{type(error).__name__}: {error}"
    if data.gate is not None:
        meeting.give_up()
    (Path(outcomes) / str(value)).write_text(outcome)


def race(store: Store, mode: str, context: Any, folder: Path) -> dict[int, str]:
    """Let several writers loose, and return how it went for each value."""
    meeting = Meeting(context, WRITERS)
    values = range(10, 10 + WRITERS)
    writers = [
        context.Process(target=write_with_others, args=(store, mode, value, meeting, str(folder))) for value in values
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(2 * PATIENCE)
    return {value: (folder / str(value)).read_text() for value in values}


def check_race(store: Store, mode: str, outcomes: dict[int, str], before: int | None) -> None:
    winners = [value for value, outcome in outcomes.items() if outcome == "won"]
    errors = {outcome.partition(":")[0] for outcome in outcomes.values() if outcome != "won"}
    assert len(winners) == 1, outcomes
    assert errors <= CONFLICTS_OF[mode], outcomes
    (winner,) = winners
    expected = extended(before, winner) if mode == "r+" and before is not None else contents(session(winner))
    assert store.state() == expected
    assert store.litter() == []
    # Nobody is in the way of the next one.
    store.write(session(99))
    assert store.state() == contents(session(99))


every_race = pytest.mark.parametrize(
    ("mode", "before"),
    [("w", None), ("w", 1), ("w-", None), ("a", None), ("r+", 1)],
    ids=["w new", "w old", "w- new", "a new", "r+ old"],
)


@every_race
def test_threads_race(store: Store, mode: str, before: int | None, tmp_path: Path) -> None:
    if before is not None:
        store.write(session(before))
    check_race(store, mode, race(store, mode, dummy, tmp_path), before)


@pytest.mark.parametrize(
    "store", ["local", pytest.param("s3", marks=[pytest.mark.s3, pytest.mark.slow])], indirect=True
)
@every_race
def test_processes_race(store: Store, mode: str, before: int | None, tmp_path: Path) -> None:
    if before is not None:
        store.write(session(before))
    check_race(store, mode, race(store, mode, CONTEXT, tmp_path), before)


# One after the other, when the second could know of the first.


@pytest.mark.parametrize("mode", ["w-", "x", "a"])
def test_a_store_that_appeared_since_it_was_looked_for_is_kept(store: Store, mode: str) -> None:
    with store.io(mode) as first, store.io(mode) as second:
        first.write(session(1))
        with pytest.raises((StoreExistsError, CommitConflictError)):
            second.write(session(2))
    assert store.state() == contents(session(1))


def test_an_addition_to_a_store_that_changed_is_refused(store: Store) -> None:
    store.write(session(1))
    with store.io("r+") as late:
        nwb = late.read()
        extend(nwb, 8)
        store.extend(7)
        with pytest.raises(CommitConflictError, match="open it again"):
            late.write(nwb)
    assert store.state() == extended(1, 7)
    # The refused writer does not stand in the way.
    store.extend(9)
    assert store.state() == extended(1, 7, 9)
    store.write(session(2))
    assert store.state() == contents(session(2))


@pytest.mark.parametrize("change", ["added", "replaced"])
def test_a_refused_addition_leaves_what_another_writer_put_in_the_same_place(store: Store, change: str) -> None:
    store.write(session(1))
    with store.io("r+") as late:
        nwb = late.read()
        extend(nwb, 7)
        if change == "replaced":
            store.write(session(2))
        store.extend(7)
        before = {key: store.get(key) for key in store.names()}
        with pytest.raises(CommitConflictError):
            late.write(nwb)
    assert {key: store.get(key) for key in store.names()} == before
    assert store.state() == extended(2 if change == "replaced" else 1, 7)


def test_an_addition_to_a_store_that_was_replaced_is_refused(store: Store) -> None:
    store.write(session(1))
    with store.io("r+") as late:
        nwb = late.read()
        extend(nwb, 8)
        store.write(session(2))
        with pytest.raises(CommitConflictError, match="open it again"):
            late.write(nwb)
    assert store.state() == contents(session(2))


def test_a_store_is_not_replaced_while_it_is_added_to(store: Store) -> None:
    store.write(session(1))
    refused: list[NWBZarrError] = []

    def meanwhile() -> None:
        with pytest.raises(CommitConflictError) as caught:
            store.write(session(2))
        refused.append(caught.value)

    store.extend(7, data=Gated(7, meanwhile))
    assert len(refused) == 1
    assert "wait" in str(refused[0])
    assert store.state() == extended(1, 7)


def test_a_store_that_is_replaced_is_not_added_to(store: Store) -> None:
    store.write(session(1))
    refused: list[NWBZarrError] = []

    def meanwhile() -> None:
        try:
            store.extend(7)
        except NWBZarrError as error:
            refused.append(error)

    outcome: NWBZarrError | None = None
    try:
        store.write(session(2, Gated(2, meanwhile)))
    except CommitConflictError as error:
        outcome = error
    # One of them wins: on the disk the quicker one, on object storage the first one.
    assert (outcome is None) == bool(refused)
    assert store.state() == (contents(session(2)) if outcome is None else extended(1, 7))


# Another whole write between any two steps of one.


@dataclass
class Intrusion(Fuse):
    """Lets another thread do something before one step of this thread, instead of dying there.

    Where the other must wait for a lock of this one, this one goes on after a moment.
    """

    other: Callable[[], None] = lambda: None
    owner: int = field(default_factory=threading.get_ident)
    thread: threading.Thread | None = None

    @contextmanager
    def step(self) -> Iterator[None]:
        """Pass one step."""
        if threading.get_ident() == self.owner:
            number, self.steps = self.steps, self.steps + 1
            if number == self.at:
                self.thread = threading.Thread(target=self.other)
                self.thread.start()
                self.thread.join(1)
        yield

    def end(self) -> None:
        """Wait for the other thread."""
        if self.thread is not None:
            self.thread.join(PATIENCE)
            assert not self.thread.is_alive(), "the other writer hangs"


@contextmanager
def intruded(intrusion: Intrusion, store: Store) -> Iterator[None]:
    """Make what a write does to a store, one call after the other, steps of an intrusion."""
    if store.is_local:
        with fused_files(intrusion, Path(store.url).parent):
            yield
        return

    def stepped(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with intrusion.step():
                return real(*args, **kwargs)

        return call

    with ExitStack() as stack:
        for name in ("create_key", "delete_keys", "list_keys", "read_many", "replace_key", "write_many"):
            stack.enter_context(mock.patch.object(objects, name, stepped(getattr(objects, name))))
        yield


def outcome_of(act: Callable[[], None]) -> str:
    """Return how a write went."""
    try:
        act()
    except NWBZarrError as error:
        return type(error).__name__
    return "won"


WRITES: dict[str, Callable[[Store, int], None]] = {
    "write": lambda store, value: store.write(session(value)),
    "extend": lambda store, value: store.extend(value),
    "write-": lambda store, value: store.write(session(value), "w-"),
}


@pytest.mark.parametrize("store", ["local", "memory"], indirect=True)
@pytest.mark.parametrize(
    ("before", "first", "second"),
    [
        (None, "write", "write"),
        (None, "write-", "write-"),
        (1, "write", "write"),
        (1, "extend", "extend"),
        (1, "write", "extend"),
        (1, "extend", "write"),
    ],
)
def test_a_write_between_any_two_steps_of_another(store: Store, before: int | None, first: str, second: str) -> None:
    troubles: list[str] = []
    for step in range(400):
        place = Store(f"{store.url}-{step}/session.nwb.zarr")
        if before is not None:
            place.write(session(before))
        outcomes: dict[str, str] = {}

        def other() -> None:
            outcomes["second"] = outcome_of(lambda: WRITES[second](place, 8))  # noqa: B023

        intrusion = Intrusion(step, other=other)
        with intruded(intrusion, place):
            outcomes["first"] = outcome_of(lambda: WRITES[first](place, 7))  # noqa: B023
            intrusion.end()
        if not intrusion.blown:
            break
        trouble = verdict(place, before, {"first": (first, 7), "second": (second, 8)}, outcomes)
        troubles += [f"step {step}, {outcomes}: {trouble}"] if trouble else []
    assert 5 < step < 400
    assert not troubles, f"{len(troubles)} times\n" + "\n".join(troubles[:12])


def verdict(
    store: Store, before: int | None, writers: dict[str, tuple[str, int]], outcomes: dict[str, str]
) -> str | None:
    """Say what is wrong with the outcome of two writes, if anything is."""
    won = [name for name, outcome in outcomes.items() if outcome == "won"]
    # To open a store that another writer replaces on object storage is to find it incomplete.
    unknown = set(outcomes.values()) - {"won", "CommitConflictError", "StoreExistsError", "IncompleteWriteError"}
    if not won or unknown:
        return "nobody won, or lost for another reason"
    allowed: list[Any] = []
    for name in won:
        deed, value = writers[name]
        if deed != "extend":
            allowed.append(contents(session(value)))
        else:
            earlier = [writers[rival][1] for rival in won if rival != name]
            allowed += [extended(before or 0, value), *(extended(other, value) for other in earlier)]
            allowed += [extended(before or 0, other, value) for other in earlier]
    with_sidecar = store.state()
    if with_sidecar not in allowed:
        return f"stored is {with_sidecar if isinstance(with_sidecar, str) else 'neither'}"
    store.delete(SIDECAR)
    return None if store.state() == with_sidecar else "the chunks are not what the sidecar says"


# A writer that begins while another clears up.


class Overtaken:
    """Lets another writer in at the moment when a staging folder is made and not locked yet."""

    def __init__(self, other: Callable[[], None]) -> None:
        self.other: Callable[[], None] | None = other
        self.lock = local._try_lock

    def __call__(self, folder: Path, *, wait: bool = False) -> int | None:
        other, self.other = self.other, None
        if other is not None:
            other()
        return self.lock(folder, wait=wait)


def test_a_writer_that_is_overtaken_before_it_locks_its_folder(local_store: Store) -> None:
    def other() -> None:
        local_store.write(session(2))

    with mock.patch.object(local, "_try_lock", Overtaken(other)), pytest.raises(CommitConflictError):
        local_store.write(session(1))
    assert local_store.state() == contents(session(2))
    assert local_store.litter() == []


def test_a_folder_that_another_writer_clears_away_is_not_committed(local_store: Store) -> None:
    # The other writer has taken the lock of our new folder for that of a dead process, and is about to remove it.
    url = locate(local_store.url)
    held: list[int] = []
    taken: list[Path] = []

    def other() -> None:
        (folder,) = Path(url.path).parent.glob("*staging")
        descriptor = overtaken.lock(folder)
        assert descriptor is not None
        held.append(descriptor)
        taken.append(folder)

    def clear_away() -> None:
        shutil.rmtree(taken.pop())

    class Cleared(Gated):
        def __getitem__(self, selection: Any) -> Any:
            if selection[0].start and held:
                clear_away()
                os.close(held.pop())
            return samples(self.value)[selection]

    overtaken = Overtaken(other)
    failed: Exception | None = None
    try:
        with mock.patch.object(local, "_try_lock", overtaken), small_regions():
            local_store.write(session(1, Cleared(1, lambda: None)))
    except (NWBZarrError, OSError) as error:
        failed = error
    for descriptor in held:
        os.close(descriptor)
    assert local_store.state() == (contents(session(1)) if failed is None else "absent")


# Marks on object storage.


@pytest.fixture(params=["memory", pytest.param("s3", marks=pytest.mark.s3)])
def object_store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(f"{request.param}_store")
    return found


def leave_mark(store: Store, mark: WriteMark) -> None:
    """Leave what a writer leaves that died in the middle."""
    store.put(WRITE_MARK, mark.dump())
    store.put("acquisition/raw/data/c.0", b"half of something")


def aged(mark: WriteMark, seconds: float) -> WriteMark:
    """Return a mark that was made and not renewed for some time."""
    return replace(mark, started=mark.started - seconds, renewed=mark.renewed - seconds)


ELSEWHERE = replace(WriteMark.fresh(), machine="elsewhere/0", process=1)


def test_a_mark_of_another_machine_keeps_writers_out(object_store: Store) -> None:
    leave_mark(object_store, replace(ELSEWHERE, renewed=time.time()))
    with pytest.raises(CommitConflictError, match="process 1 on elsewhere") as caught:
        object_store.write(session(1))
    assert "10 minutes" in str(caught.value)
    assert object_store.state() == "incomplete"
    assert object_store.names() == {WRITE_MARK, "acquisition/raw/data/c.0"}


@pytest.mark.parametrize(
    "mark",
    [
        pytest.param(aged(ELSEWHERE, 2 * LEASE_SECONDS), id="another machine, expired"),
        pytest.param(replace(ELSEWHERE, abandoned="disk on fire"), id="another machine, gave up"),
        pytest.param(replace(WriteMark.fresh(), process=2**22 + 1), id="this machine, no such process"),
        pytest.param(WriteMark.fresh(), id="this process, no such write"),
    ],
)
def test_a_mark_of_a_dead_writer_is_taken_over(object_store: Store, mark: WriteMark) -> None:
    leave_mark(object_store, mark)
    assert object_store.state() == "incomplete"
    object_store.write(session(1))
    assert object_store.state() == contents(session(1))
    assert object_store.litter() == []


def test_a_mark_that_is_damaged_is_taken_over(memory_store: Store) -> None:
    memory_store.put(WRITE_MARK, b"{")
    assert memory_store.state() == "incomplete"
    memory_store.write(session(1))
    assert memory_store.state() == contents(session(1))


def test_a_process_that_lives_keeps_writers_out(memory_store: Store) -> None:
    leave_mark(memory_store, replace(WriteMark.fresh(), process=1))
    with pytest.raises(CommitConflictError, match="process 1"):
        memory_store.write(session(1))


def test_a_mark_expires_though_another_process_has_the_number_now(memory_store: Store) -> None:
    # Process numbers are used again; the message of the error promises that the mark expires.
    leave_mark(memory_store, aged(replace(WriteMark.fresh(), process=1), 2 * LEASE_SECONDS))
    memory_store.write(session(1))
    assert memory_store.state() == contents(session(1))


def test_a_dead_writers_mark_is_no_hindrance_to_adding(object_store: Store) -> None:
    object_store.write(session(1))
    object_store.put(WRITE_MARK, aged(ELSEWHERE, 2 * LEASE_SECONDS).dump())
    object_store.extend(7)
    assert object_store.state() == extended(1, 7)
    assert object_store.litter() == []


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Return the clock of marks: it stands still until ``clock.now`` is changed."""
    made = SimpleNamespace(now=time.time(), strftime=time.strftime, gmtime=time.gmtime)
    made.time = lambda: made.now
    monkeypatch.setattr(marks, "time", made)
    return made


def elsewhere() -> Any:
    """Return what makes marks believe that this is another machine."""
    return mock.patch.object(marks, "_machine", return_value="the other machine")


def test_a_writer_that_works_renews_its_mark(memory_store: Store, clock: SimpleNamespace) -> None:
    refused: list[str] = []

    class Slow(Gated):
        def __getitem__(self, selection: Any) -> Any:
            clock.now += 0.9 * LEASE_SECONDS
            with elsewhere(), pytest.raises(CommitConflictError) as caught:
                memory_store.write(session(3))
            refused.append(str(caught.value))
            return samples(self.value)[selection]

    with small_regions():
        memory_store.write(session(1, Slow(1, lambda: None)))
    assert len(refused) == 3
    assert memory_store.state() == contents(session(1))


def test_a_writer_that_was_taken_for_dead_notices(object_store: Store, clock: SimpleNamespace) -> None:
    def meanwhile() -> None:
        clock.now += 2 * LEASE_SECONDS
        with elsewhere():
            object_store.write(session(2))

    with small_regions(), pytest.raises(CommitConflictError, match="took this store over"):
        object_store.write(session(1, Gated(1, meanwhile)))
    assert object_store.state() == contents(session(2))
    assert object_store.litter() == []


def test_one_of_two_writers_takes_a_mark_over(memory_store: Store, tmp_path: Path) -> None:
    # Both have seen the dead writer's mark before either replaces it.
    leave_mark(memory_store, aged(ELSEWHERE, 2 * LEASE_SECONDS))
    together = threading.Barrier(2)
    pipe_file = MemoryFileSystem.pipe_file

    def meet(self: MemoryFileSystem, path: str, value: bytes, **options: Any) -> None:
        if path.endswith(WRITE_MARK):
            # Where only one can come here at a time, the other is not waited for.
            with suppress(threading.BrokenBarrierError):
                together.wait(2)
        pipe_file(self, path, value, **options)

    with mock.patch.object(MemoryFileSystem, "pipe_file", meet):
        outcomes = race(memory_store, "w", dummy, tmp_path)
    check_race(memory_store, "w", outcomes, None)
