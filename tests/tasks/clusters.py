"""Where Dask runs in these tests, and what its tasks do there.

Workers import this module to run those tasks, so it imports nothing of NWB's containers: a test looks at what workers
have imported. What tasks say and wait for goes through files in a folder, which all processes see.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import botocore.session
import dask
import distributed
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

AnyArray = np.ndarray[Any, Any]

#: Longest wait for another process, in seconds: reached only when a test fails.
PATIENCE: Final = 60.0

#: How arrays are laid out in most of these tests; blocks of (10, 7) are rows of shards.
LAYOUT: Final[dict[str, Any]] = {"chunks": (5, 2), "shards": (10, 4)}

# Where Dask runs.


@contextmanager
def open_cluster(**wishes: Any) -> Iterator[Any]:
    """Give a client of a cluster of two processes of one thread each; it is the current one only where a test says so."""
    with (
        # A cluster takes a worker away that is not there some time after it was lost; by then a test may have killed the
        # next one in its place, which is being started.
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"}),
        distributed.LocalCluster(
            **{
                "n_workers": 2,
                "threads_per_worker": 1,
                "processes": True,
                # No dashboard, and no port that another cluster of these tests may have taken.
                "dashboard_address": "127.0.0.1:0",
                "scheduler_kwargs": {"dashboard": False},
                "memory_limit": 0,
                # Tasks that fail and workers that are killed are what these tests are about.
                "silence_logs": logging.CRITICAL,
                **wishes,
            }
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@contextmanager
def descriptions_read_once() -> Iterator[None]:
    """Spare two thirds of what each new client of S3 costs."""
    with mock.patch.object(botocore.session, "create_loader", functools.cache(botocore.session.create_loader)):
        yield


@contextmanager
def open_pool() -> Iterator[ProcessPoolExecutor]:
    """Give two processes for Dask's multiprocessing scheduler."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@contextmanager
def running_on(scheduler: str, request: pytest.FixtureRequest) -> Iterator[None]:
    """Have Dask run on ``"threads"``, ``"sync"``, ``"processes"`` (fixture `pool`) or ``"cluster"`` (fixture `client`)."""
    if scheduler == "cluster":
        with request.getfixturevalue("client").as_current():
            yield
    elif scheduler == "processes":
        with dask.config.set(scheduler="processes", pool=request.getfixturevalue("pool")):
            yield
    else:
        with dask.config.set(scheduler=scheduler, num_workers=4):
            yield


def settle(client: Any) -> None:
    """Wait until no worker is busy with what was begun before: each of them has one thread."""
    workers = list(client.scheduler_info(n_workers=-1)["workers"])
    idle = [client.submit(os.getpid, workers=[worker], pure=False) for worker in workers]
    assert len({future.result(timeout=PATIENCE) for future in idle}) == len(workers)


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something, and no longer than a test may take."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        threading.Event().wait(0.005)


# What tasks do.


class AmplifierError(Exception):
    """Raised by tasks."""


@dataclass(frozen=True)
class Play:
    """What happens while the blocks of an array are computed; values pass through unchanged.

    Attributes
    ----------
    folder : str
        Where it is noted which blocks ran, and what one process waits for.
    raises : int or None
        Row of blocks at which a task raises, every time.
    kills : int or None
        Row of blocks at which the process is killed, once.
    waits : bool
        Whether the first task of all waits until it is told to go on, and all others raise then.
    passes : bool
        Whether the first task of all passes, and all others raise when it has come to where it is held.
    flaky : bool
        Whether the first attempt at every row of blocks raises.
    error : type
        What is raised.
    """

    folder: str
    raises: int | None = None
    kills: int | None = None
    waits: bool = False
    passes: bool = False
    flaky: bool = False
    error: type[Exception] = AmplifierError

    def __call__(self, block: AnyArray, block_id: tuple[int, ...] = ()) -> AnyArray:
        row = block_id[0]
        Path(self.folder, f"ran-{row}-{uuid.uuid4().hex}").touch()
        switched_off = self.waits or row == self.raises
        if self.waits and _is_first(f"{self.folder}/waiting"):
            _wait(self.folder)
            switched_off = False
        if self.passes and not _is_first(f"{self.folder}/passed"):
            until(Path(self.folder, "waiting").exists, "the other task is held")
            switched_off = True
        if switched_off:
            message = "the amplifier was switched off"
            raise self.error(message)
        if row == self.kills and _is_first(f"{self.folder}/killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.flaky and _is_first(f"{self.folder}/failed-{row}"):
            message = "try again"
            raise self.error(message)
        return block

    def over(self, array: Any) -> Any:
        """Return a Dask array with this going on in its blocks."""
        return array.map_blocks(self, dtype=array.dtype, meta=array._meta)

    @property
    def runs(self) -> list[int]:
        """The rows of blocks that ran, in order, as often as they did."""
        return sorted(int(path.name.split("-")[1]) for path in Path(self.folder).glob("ran-*"))

    def happened(self, what: str) -> bool:
        """Whether a task was ``"waiting"``, or was ``"killed"``."""
        return Path(self.folder, what).exists()

    def go_on(self) -> None:
        """Let the task that waits go on."""
        Path(self.folder, "go").touch()


@dataclass(frozen=True)
class Lie:
    """Gives something else than the Dask array says: the same thing for every block."""

    answer: Any

    def __call__(self, _: AnyArray) -> Any:
        return self.answer


def masked(block: AnyArray) -> Any:
    """Return a block of which some values are masked."""
    return np.ma.masked_array(block, mask=block % 2 == 0)


# What is asked of workers.


def imported() -> set[str]:
    """Return the modules that this process has imported."""
    return set(sys.modules)


def die_after_put(flag: str, text: str) -> None:
    """Have this process killed when it has stored an object whose key holds a text, unless another one was."""

    def die(when: str) -> None:
        if when == "after" and _is_first(flag):
            os.kill(os.getpid(), signal.SIGKILL)

    _around_puts(text, die)


def hold_before_put(folder: str, text: str) -> None:
    """Have this process wait, as a `Play` does, when it is about to store an object whose key holds a text."""

    def hold(when: str) -> None:
        if when == "before" and _is_first(f"{folder}/waiting"):
            _wait(folder)

    _around_puts(text, hold)


def _wait(folder: str) -> None:
    """Wait until the test lets this task go on, or is over and has removed its folder."""
    until(lambda: Path(folder, "go").exists() or not Path(folder).exists(), "the test lets the task go on")


def _is_first(flag: str) -> bool:
    """Whether this is the first one to ask."""
    try:
        Path(flag).touch(exist_ok=False)
    except (FileExistsError, FileNotFoundError):
        # Another one was first, or the test that asked for it is over and its folder is gone.
        return False
    return True


def _around_puts(text: str, act: Callable[[str], None]) -> None:
    """Have something done before and after objects whose key holds a text are stored in this process, for good."""
    from zarr.storage import LocalStore

    from nwbzarr.stores.places import StagedKeys
    from nwbzarr.stores.remote import RemoteKeys

    def around(store: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(store)
        async def stored(self: Any, key: str, *args: Any, **kwargs: Any) -> Any:
            if text not in key:
                return await store(self, key, *args, **kwargs)
            await asyncio.to_thread(act, "before")
            answer = await store(self, key, *args, **kwargs)
            await asyncio.to_thread(act, "after")
            return answer

        return stored

    for keys, method in ((StagedKeys, "set"), (LocalStore, "set"), (RemoteKeys, "set"), (RemoteKeys, "create")):
        setattr(keys, method, around(getattr(keys, method)))


def write_and_die(url: str, options: dict[str, Any] | None, array: AnyArray, scheduler: str, mode: str) -> None:
    """In a child: have a series written by a cluster, and be killed when the first object is stored."""
    import dask.array

    from nwbzarr import NWBZarrIO, TimeSeries, ZarrDataIO
    from tests.arrays.stored import bare

    def die(_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    from_array: Any = dask.array.from_array
    with distributed.Client(scheduler, set_as_default=False) as client, client.as_current():
        io = NWBZarrIO(url, mode, storage_options=options)
        nwb = io.read() if mode == "r+" else bare()
        data = ZarrDataIO(from_array(array, chunks=(10, 7)), **LAYOUT)
        nwb.add_acquisition(TimeSeries("made", data=data, unit="V", rate=1.0))
        io.write(nwb, progress=die)
