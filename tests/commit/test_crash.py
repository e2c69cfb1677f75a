"""A write that is cut off leaves the old store whole, or an absent one that says so; and a retry succeeds.

Local writes and writes to S3 are cut off by SIGKILL, in a process of their own; memory would die with the process, so
there an exception stands for the death. Each test looks at every step, and tells all that went wrong together.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from unittest import mock

import numpy as np
import pytest
import zarr
from zarr.core.sync import sync

from nwbzarr import Manager
from nwbzarr.convention.names import SIDECAR, WRITE_MARK
from nwbzarr.errors import CommitConflictError, SchemaError, StoreError, StoreExistsError
from nwbzarr.stores.keys import LocalKeys, RemoteKeys
from nwbzarr.stores.marks import WriteMark
from tests.commit.deaths import (
    KILLED,
    Died,
    Fuse,
    FuseMeter,
    act_and_die,
    conditions,
    fused_files,
    requests_of,
    run_in_child,
    settle,
)
from tests.commit.sessions import (
    CHUNK,
    DEEDS,
    ROWS,
    Contents,
    Deed,
    Store,
    contents,
    extend,
    extended,
    samples,
    session,
    small_regions,
)
from tests.places import forget_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from zarr.core.buffer import Buffer

#: More steps than any of these writes has.
ENDLESS = 400

every_deed = pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS.keys())


class Trouble:
    """What went wrong at which step; told at the end, all at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def note(self, step: object, what: str) -> None:
        self.found.append(f"step {step}: {what}")

    def tell(self) -> None:
        shown = self.found[:12]
        assert not self.found, f"{len(self.found)} times\n" + "\n".join(shown)


def state_of(store: Store) -> Contents | str:
    """Return the state of a store, with errors that should not be as texts."""
    try:
        return store.state()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told with its step
        return f"unreadable: {type(error).__name__}: {error}"


def describe(state: Contents | str) -> str:
    """Say in short what a state is."""
    return state if isinstance(state, str) else f"a store of {state.get('/identifier')}, {len(state)} entries"


def attempt(deed: Deed, store: Store) -> str:
    """Do a deed without dying, and return what went wrong."""
    try:
        deed.act(store, None)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told with its step
        return f"{type(error).__name__}: {error}"
    return ""


def check_aftermath(trouble: Trouble, step: object, deed: Deed, store: Store, before: Contents | str) -> bool:
    """Look at a store after a death, repeat the deed, and look again; return whether the deed was committed."""
    state = state_of(store)
    allowed = [before, deed.expected]
    if not store.is_local and deed.name != "extend":
        allowed.append("incomplete")
    if state not in allowed:
        trouble.note(step, f"left {describe(state)}")
    elif not isinstance(state, str):
        check_plain(trouble, step, deed, store, state)
    if not (deed.name == "extend" and state == deed.expected):
        error = attempt(deed, store)
        if error:
            trouble.note(step, f"the retry fails: {error}")
            return state == deed.expected
    again = state_of(store)
    if again != deed.expected:
        trouble.note(step, f"the retry left {describe(again)}")
    if store.litter() and not (deed.name == "extend" and state == deed.expected):
        trouble.note(step, f"the retry left {store.litter()}")
    return state == deed.expected


def check_plain(trouble: Trouble, step: object, deed: Deed, store: Store, state: Contents) -> None:
    """Check that a store says the same to readers that know no sidecar, and lacks no object."""
    names = store.names()
    if state == deed.expected and not objects_after(deed) <= names:
        trouble.note(step, f"committed without {sorted(objects_after(deed) - names)[:3]}")
    if SIDECAR in names:
        sidecar = store.get(SIDECAR)
        store.delete(SIDECAR)
        plain = state_of(store)
        store.put(SIDECAR, sidecar)
        if plain != state:
            trouble.note(step, f"without the sidecar it is {describe(plain)}")


@cache
def objects_after(deed: Deed) -> set[str]:
    """Return the keys of all objects that a deed leaves when it is not cut off."""
    store = Store(f"memory://whole-{deed.name}/session.nwb.zarr")
    deed.prepare(store)
    deed.act(store, None)
    return store.names()


# On the disk.


class Killer:
    """Kills a write on the disk at one operation on files after the other, and looks at what is left."""

    def __init__(self, deed: Deed, folder: Path, *, exchange: bool) -> None:
        self.deed = deed
        self.folder = folder
        self.exchange = exchange
        self.trouble = Trouble()

    def kill(self, step: int) -> Literal["killed", "committed", "ended"]:
        """Kill at one step; say whether the write was committed, or ended before."""
        store = Store(str(self.folder / f"{step}" / "session.nwb.zarr"))
        before = self.deed.prepare(store)
        code = run_in_child(act_and_die, self.deed, store, step, self.exchange)
        if code != KILLED:
            assert code == 0, f"the child ended with {code}"
            assert store.state() == self.deed.expected
            return "ended"
        with conditions(exchange=self.exchange):
            done = check_aftermath(self.trouble, step, self.deed, store, before)
        return "committed" if done else "killed"

    def kill_everywhere(self, stride: int) -> None:
        """Kill at every `stride`-th step, and at all steps around the commit, until the write ends before."""
        step = 0
        while step < ENDLESS and (outcome := self.kill(step)) == "killed":
            step += stride
        for skipped in range(step - stride + 1, step):
            self.kill(skipped)
        assert 10 < step < ENDLESS
        while outcome == "committed":
            # What follows the commit only clears up.
            step += 5
            outcome = self.kill(step)
            if outcome == "killed":
                self.trouble.note(step, "an earlier step had committed already")
        self.trouble.tell()


@pytest.mark.slow
@every_deed
def test_killed_on_the_disk(deed: Deed, tmp_path: Path) -> None:
    Killer(deed, tmp_path, exchange=True).kill_everywhere(4 if deed.name == "replace" else 2)


@pytest.mark.slow
def test_killed_on_a_disk_that_cannot_exchange_names(tmp_path: Path) -> None:
    Killer(DEEDS["replace"], tmp_path, exchange=False).kill_everywhere(4)


def every_second_step() -> range:
    """Return every second step: what comes after one step comes before the next, so both together see all of them."""
    return range(0, ENDLESS, 2)


@pytest.mark.parametrize("when", ["before", "after"])
@every_deed
def test_an_exception_on_the_disk(deed: Deed, when: Literal["before", "after"], tmp_path: Path) -> None:
    # As Ctrl-C does: unlike a process that is killed, this one clears up.
    trouble = Trouble()
    for step in every_second_step():
        store = Store(str(tmp_path / f"{step}" / "session.nwb.zarr"))
        before = deed.prepare(store)
        fuse = Fuse(step, when, for_good=False)
        with conditions(), suppress(Died), fused_files(fuse, Path(store.url).parent):
            deed.act(store, None)
        if not fuse.blown:
            break
        if store.litter():
            trouble.note(step, f"left {store.litter()}")
        check_aftermath(trouble, step, deed, store, before)
    assert 10 < step < ENDLESS
    trouble.tell()


def test_the_old_store_is_read_from_the_gap_between_two_renames(local_store: Store) -> None:
    local_store.write(session(1))
    before = local_store.read()
    _set_aside(local_store)
    assert local_store.state() == before
    assert local_store.litter() == []


def test_what_an_interrupted_exchange_left_does_not_come_back(local_store: Store) -> None:
    local_store.write(session(1))
    aside = _set_aside(local_store)
    shutil.copytree(aside, aside.with_name("kept"))
    local_store.write(session(2))
    # The process died after the new store had its name, and before the old one was removed.
    aside.with_name("kept").rename(aside)
    local_store.write(session(3))
    assert local_store.state() == contents(session(3))
    assert local_store.litter() == []
    shutil.rmtree(local_store.url)
    assert local_store.state() == "absent"


def _set_aside(store: Store) -> Path:
    """Move a store where it is while two folders are exchanged by renaming."""
    folder = Path(store.url)
    return folder.rename(folder.with_name(f".{folder.name}.nwbzarr-previous"))


# In memory.


def each_alone(folder: Store, steps: Iterable[int]) -> Iterator[tuple[int, Store]]:
    """Give a place in memory for each step; what was there is forgotten, since listings look at all that memory holds."""
    for step in steps:
        store = Store(f"{folder.url}/{step}")
        yield step, store
        forget_memory(store.url)


def cut_off(deed: Deed, store: Store, fuse: Fuse) -> bool:
    """Do a deed and be cut off; return whether it came to that."""
    with conditions(), suppress(Died):
        deed.act(store, Manager(meter=FuseMeter(fuse)))
    settle()
    return fuse.blown


@pytest.mark.parametrize("when", ["before", "after"])
@every_deed
def test_cut_off_in_memory(deed: Deed, when: Literal["before", "after"], memory_store: Store) -> None:
    # Deaths and exceptions take turns; what is a death before a step here is an exception after the one before it.
    trouble = Trouble()
    for step, store in each_alone(memory_store, every_second_step()):
        before = deed.prepare(store)
        if not cut_off(deed, store, Fuse(step, when, for_good=(step % 4 == 0) == (when == "before"))):
            break
        check_aftermath(trouble, step, deed, store, before)
    assert 10 < step < ENDLESS
    trouble.tell()


@pytest.mark.parametrize(("name", "first"), [("create", 1), ("create", 20), ("replace", 3), ("replace", 30)])
def test_cut_off_twice_in_memory(name: str, first: int, memory_store: Store) -> None:
    deed = DEEDS[name]
    trouble = Trouble()
    for step, store in each_alone(memory_store, [*range(10), *range(10, ENDLESS, 3)]):
        before = deed.prepare(store)
        assert cut_off(deed, store, Fuse(first))
        # Deaths and exceptions take turns.
        if not cut_off(deed, store, Fuse(step, for_good=step % 2 == 0)):
            break
        check_aftermath(trouble, step, deed, store, before)
    assert 10 < step < ENDLESS
    trouble.tell()


@pytest.mark.parametrize("for_good", [True, False], ids=["death", "exception"])
def test_other_objects_outlive_a_write_that_was_cut_off(for_good: bool, memory_store: Store) -> None:
    # A write to a prefix with other objects is refused. It may die before it finds them; they are not its own then.
    trouble = Trouble()
    for step, store in each_alone(memory_store, range(ENDLESS)):
        store.put("notes/today.txt", b"precious")
        with suppress(StoreExistsError):
            cut_off(DEEDS["create"], store, fuse := Fuse(step, for_good=for_good))
        for again in ("first", "second"):
            with suppress(StoreExistsError):
                store.write(session(3))
                trouble.note(step, f"the {again} retry was not refused")
        if "notes/today.txt" not in store.names() or store.get("notes/today.txt") != b"precious":
            trouble.note(step, "the object is gone")
        if not fuse.blown:
            break
    assert 0 < step < ENDLESS
    trouble.tell()


def raw_chunks(store: Store) -> np.ndarray[Any, Any]:
    """Return the samples as they lie in their chunks, not in the sidecar."""
    return np.asarray(zarr.open_array(f"{store.url}/acquisition/raw/data", mode="r"))


@dataclass
class Trickle:
    """Keys of which one cannot be written, and some are written late."""

    failing: str
    late: Callable[[str], bool]
    heals: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    @contextmanager
    def on(self, keys: type[Any]) -> Iterator[Trickle]:
        """Make keys of a class so, until they heal; what is late arrives when the block is left."""
        store_key = keys.set

        async def slow(store: Any, key: str, value: Buffer) -> None:
            if not self.heals and key == self.failing:
                message = "no answer"
                raise OSError(message)
            if not self.heals and self.late(key):
                # Whoever waits for all requests before giving up does not wait for ever.
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.gate.wait(), 3)
            await store_key(store, key, value)

        async def open_gate() -> None:
            self.gate.set()

        with mock.patch.object(keys, "set", slow):
            yield self
            sync(open_gate())
            settle()


def test_requests_of_a_write_that_failed_do_not_reach_the_retry(memory_store: Store) -> None:
    # One document cannot be stored, and the write gives up; small chunks and documents are still under way.
    one_chunk = samples(1, CHUNK)
    with Trickle("acquisition/zarr.json", lambda key: key != WRITE_MARK).on(RemoteKeys) as trickle:
        with pytest.raises(StoreError):
            memory_store.write(session(1, data=one_chunk))
        trickle.heals = True
        memory_store.write(session(2))
    assert memory_store.state() == contents(session(2))
    assert np.array_equal(raw_chunks(memory_store), samples(2))


@pytest.mark.parametrize("kind", ["memory", "local"])
def test_chunks_of_an_addition_that_failed_do_not_reach_the_retry(kind: str, request: pytest.FixtureRequest) -> None:
    # One of the chunks that rows are appended to cannot be stored, and the write gives up; the other is under way.
    store: Store = request.getfixturevalue(f"{kind}_store")
    keys = LocalKeys if kind == "local" else RemoteKeys
    store.write(session(1))
    with Trickle("acquisition/raw/data/c.2", lambda key: key.endswith("c.3")).on(keys) as trickle:
        with pytest.raises(StoreError):
            store.extend(7)
        trickle.heals = True
        store.extend(8)
    assert store.state() == extended(1, 8)


@pytest.mark.parametrize("name", ["create", "replace", "extend"])
def test_the_same_handle_tries_again(name: str, memory_store: Store) -> None:
    deed = DEEDS[name]
    trouble = Trouble()
    for step, store in each_alone(memory_store, every_second_step() if name == "replace" else range(ENDLESS)):
        deed.prepare(store)
        fuse = Fuse(ENDLESS, for_good=False)
        with store.io("r+" if name == "extend" else "w", Manager(meter=FuseMeter(fuse))) as handle, conditions():
            nwb = handle.read() if name == "extend" else session(2)
            if name == "extend":
                extend(nwb, 7)
            fuse.at, fuse.steps = step, 0
            with suppress(Died):
                handle.write(nwb)
            settle()
            if not fuse.blown:
                break
            try:
                handle.write(nwb)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told with its step
                # Cut off after the commit, there is nothing left to do.
                if state_of(store) != deed.expected:
                    trouble.note(step, f"the retry fails: {type(error).__name__}: {error}")
                continue
        if state_of(store) != deed.expected:
            trouble.note(step, f"the retry left {describe(state_of(store))}")
    assert 10 < step < ENDLESS
    trouble.tell()


# On S3.


@pytest.mark.s3
@pytest.mark.slow
@every_deed
def test_killed_on_s3(deed: Deed, s3_store: Store) -> None:
    trouble = Trouble()
    whole = Store(f"{s3_store.url}/whole", s3_store.options)
    deed.prepare(whole)
    total = requests_of(deed, whole)
    assert whole.state() == deed.expected
    # The first requests make room, the last ones commit; those between are alike.
    for step in (1, 3, total // 2, total - 3, total - 2, total - 1):
        store = Store(f"{s3_store.url}/{step}", s3_store.options)
        before = deed.prepare(store)
        assert run_in_child(act_and_die, deed, store, step, True) == KILLED
        check_aftermath(trouble, step, deed, store, before)
    trouble.tell()


# Exceptions while the data is read.


class Broken:
    """Samples that give some blocks and then an error."""

    shape = (ROWS,)
    dtype = np.dtype("f8")

    def __init__(self, value: int, error: BaseException | None) -> None:
        self.value = value
        self.error = error

    def __getitem__(self, selection: Any) -> Any:
        (rows,) = selection
        if self.error is not None and rows.start >= CHUNK:
            raise self.error
        return samples(self.value)[selection]


@pytest.mark.parametrize("error", [ValueError("bad sector"), KeyboardInterrupt(), SystemExit(1), Died()], ids=repr)
@pytest.mark.parametrize("before", [None, 1], ids=["new", "old"])
def test_data_that_raises(store: Store, before: int | None, error: BaseException) -> None:
    if before is not None:
        store.write(session(before))
    old = store.state()
    data = Broken(2, error)
    nwb = session(2, data)
    with store.io("w") as handle, small_regions():
        with pytest.raises(type(error)) as caught:
            handle.write(nwb)
        assert caught.value is error
        assert store.state() == (old if store.is_local else "incomplete")
        assert not store.is_local or store.litter() == []
        # The same session, by the same handle, once the source is mended.
        data.error = None
        handle.write(nwb)
    assert store.state() == contents(session(2))
    assert store.litter() == []


def test_data_that_raises_while_it_is_added(store: Store) -> None:
    store.write(session(1))
    old = store.read()
    data = Broken(7, ValueError("bad sector"))
    with store.io("r+") as handle, small_regions():
        nwb = handle.read()
        extend(nwb, 7, data)
        with pytest.raises(ValueError, match="bad sector"):
            handle.write(nwb)
        assert store.state() == old
        data.error = None
        handle.write(nwb)
    assert store.state() == extended(1, 7)
    assert store.litter() == []


def test_blocks_that_raise(store: Store) -> None:
    def blocks(*, broken: bool) -> Iterator[np.ndarray[Any, Any]]:
        yield samples(2)[:CHUNK]
        if broken:
            message = "bad sector"
            raise ValueError(message)
        yield samples(2)[CHUNK:]

    store.write(session(1))
    old = store.read()
    with mock.patch("nwbzarr.writing.sources.PEEK_BYTES", 8), small_regions():
        with pytest.raises(ValueError, match="bad sector"):
            store.write(session(2, blocks(broken=True)))
        assert store.state() == (old if store.is_local else "incomplete")
        store.write(session(2, blocks(broken=False)))
    assert store.state() == contents(session(2))


@pytest.mark.parametrize("peek", [8, 2**20], ids=["streamed", "in memory"])
def test_blocks_of_a_failed_write_are_not_stored_in_part(memory_store: Store, peek: int) -> None:
    # The first attempt takes blocks out of the iterator before it fails: another writer is at work.
    blocks = iter([samples(2)[:CHUNK], samples(2)[CHUNK:]])
    nwb = session(2, blocks)
    memory_store.put(WRITE_MARK, replace(WriteMark.fresh(), machine="elsewhere").dump())
    with mock.patch("nwbzarr.writing.sources.PEEK_BYTES", peek):
        with pytest.raises(CommitConflictError):
            memory_store.write(nwb)
        memory_store.delete(WRITE_MARK)
        with suppress(SchemaError):
            memory_store.write(nwb)
            assert memory_store.state() == contents(session(2))
