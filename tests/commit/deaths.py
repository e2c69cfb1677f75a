"""Ways to die while writing: killed at an operation on files or at a request, or by an exception in their place."""

from __future__ import annotations

import asyncio
import builtins
import io
import itertools
import multiprocessing
import os
import signal
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from unittest import mock

import s3fs
from zarr.core.sync import sync

from nwbzarr import Meter
from tests.commit.sessions import Deed, Store, small_regions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Longest wait for another thread or process, in seconds: reached only when a test fails.
PATIENCE: Final = 60.0

KILLED: Final = -signal.SIGKILL


class Died(BaseException):
    """Stands for the death of the process, where the process must go on."""


# Other processes.

CONTEXT: Final = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pytest", __name__])


def run_in_child(target: Callable[..., None], *args: Any) -> int:
    """Run a function in a process of its own; return 0, or the negative number of the signal that ended it."""
    child = CONTEXT.Process(target=target, args=args, daemon=True)
    child.start()
    child.join(PATIENCE)
    code = child.exitcode
    if code is None:
        child.kill()
        child.join()
    child.close()
    assert code is not None, "the child process hangs"
    return int(code)


def act_and_die(deed: Deed, store: Store, number: int, exchange: bool) -> None:
    """In a child: begin a write, and be killed on the way."""
    with conditions(exchange=exchange):
        if store.is_local:
            _die_at_file_operation(number, str(Path(store.url).parent))
        else:
            _die_at_request(number)
        deed.act(store, None)


@contextmanager
def conditions(*, exchange: bool = True) -> Iterator[None]:
    """Make regions small; and without `exchange`, make the kernel look as if it had no ``renameat2``."""
    with ExitStack() as stack:
        stack.enter_context(small_regions())
        if not exchange:
            stack.enter_context(mock.patch("nwbzarr.stores.local._exchange_at_once", return_value=False))
        yield


_FILE_EVENTS = frozenset(
    {
        "ctypes.dlopen",
        "fcntl.flock",
        "os.chmod",
        "os.listdir",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.scandir",
        "os.utime",
        "shutil.rmtree",
    }
)


def _die_at_file_operation(number: int, folder: str) -> None:
    """Have this process killed at its `number`-th operation on files, whatever calls it.

    A file that is being opened for writing is left empty, as when the process dies before the first byte.
    """
    count = itertools.count()
    dying = False

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal dying
        opens = event == "open" and isinstance(args[0], str | bytes | Path) and os.fsdecode(args[0]).startswith(folder)
        if dying or not (opens or event in _FILE_EVENTS) or next(count) != number:
            return
        dying = True
        if opens and args[2] & os.O_CREAT:
            os.open(args[0], args[2])
        os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _die_at_request(number: int) -> None:
    """Have this process killed when it is about to send its `number`-th request to S3."""
    count = itertools.count()

    def step() -> None:
        if next(count) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    _before_requests(step).start()


def requests_of(deed: Deed, store: Store) -> int:
    """Do a deed on S3, and return how many requests it sends."""
    count = itertools.count()
    with _before_requests(lambda: next(count)), conditions():
        deed.act(store, None)
    return next(count)


def _before_requests(step: Callable[[], object]) -> Any:
    """Return the patch that does something before each request to S3."""
    send = s3fs.S3FileSystem._call_s3

    async def stepped(self: Any, *args: Any, **kwargs: Any) -> Any:
        step()
        return await send(self, *args, **kwargs)

    return mock.patch.object(s3fs.S3FileSystem, "_call_s3", stepped)


# This process.


@dataclass
class Fuse:
    """Raises `Died` at one step of a write.

    Attributes
    ----------
    at : int
        The step.
    when : str
        Whether the step itself is still carried out.
    for_good : bool
        Whether all later steps raise too, as if the process were gone; else clearing up works.
    """

    at: int
    when: Literal["before", "after"] = "before"
    for_good: bool = True
    steps: int = 0

    @contextmanager
    def step(self) -> Iterator[None]:
        """Pass one step, or blow."""
        number, self.steps = self.steps, self.steps + 1
        if (number == self.at and self.when == "before") or (number > self.at and self.for_good):
            raise Died
        yield
        if number == self.at:
            raise Died

    @property
    def blown(self) -> bool:
        """Whether it came to the step."""
        return self.steps > self.at


class FuseMeter(Meter):
    """Counts requests, and raises `Died` at one of them."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self.fuse = fuse

    @contextmanager
    def request(self, kind: str, key: str) -> Iterator[None]:
        """Pass a request, or blow."""
        with self.fuse.step(), super().request(kind, key):
            yield


@contextmanager
def fused_files(fuse: Fuse, folder: Path) -> Iterator[None]:
    """Make operations on files of one folder that change it steps of a fuse."""

    def changes(name: str, args: tuple[Any, ...]) -> bool:
        if not isinstance(args[0], str | bytes | os.PathLike) or not os.fsdecode(args[0]).startswith(str(folder)):
            return False
        return name != "open" or (len(args) > 1 and isinstance(args[1], str) and not args[1].startswith("r"))

    def fused(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if not changes(name, args):
                return real(*args, **kwargs)
            result = None
            try:
                with fuse.step():
                    result = real(*args, **kwargs)
            except Died:
                # Nobody else will close a file that its opener never got.
                if name == "open" and result is not None:
                    result.close()
                raise
            return result

        return call

    with ExitStack() as stack:
        for name in ("rename", "replace", "mkdir", "rmdir", "unlink"):
            stack.enter_context(mock.patch.object(os, name, fused(name, getattr(os, name))))
        for module in (builtins, io):
            stack.enter_context(mock.patch.object(module, "open", fused("open", open)))
        yield


def settle() -> None:
    """Wait until no request of this process is under way any more."""

    async def finish() -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await asyncio.gather(*others, return_exceptions=True)

    sync(finish())
