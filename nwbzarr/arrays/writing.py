"""Values into stored objects: chunks encoded by several threads, shards put together, and uploads that overlap both.

Blocks come in any order, each beginning on the chunk grid; every object is written once, whole. What is under way is
bounded: `ArrayWriter.write` waits while more bytes than its budget are in memory. This room refuses to read.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import _get_loop

from nwbzarr.arrays.pool import codec_pool, core_count, scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from concurrent.futures import Future

    from zarr.abc.store import Store

    from nwbzarr.arrays.forms import ArrayForm

Array = np.ndarray[Any, Any]
Index = tuple[int, ...]

#: Chunks that are waiting for a thread, for each thread: more would only hold memory.
_QUEUED = 8

_PATIENCE = 20.0


@dataclass
class _Assembly:
    """An object that is being put together."""

    form: ArrayForm
    index: Index
    chunks: dict[int, bytes] = field(default_factory=dict)
    decoded: int = 0

    @property
    def expected(self) -> int:
        """How many of its chunks lie within the array."""
        counts = self.form.shard.counts if self.form.shard is not None else (1,) * len(self.index)
        grid = [-(-size // step) for size, step in zip(self.form.shape, self.form.chunks, strict=True)]
        return math.prod(
            min(count, size - index * count) for count, size, index in zip(counts, grid, self.index, strict=True)
        )

    def pack(self) -> bytes:
        """Return the object's bytes."""
        if self.form.shard is None:
            return self.chunks[0]
        count = math.prod(self.form.shard.counts)
        return b"".join(self.form.shard.pack([self.chunks.pop(number, None) for number in range(count)]))


class ArrayWriter:
    """Writes arrays of one store.

    Parameters
    ----------
    keys : zarr.abc.store.Store
        Takes whole objects.
    budget : int
        Bytes that may be under way: decoded, encoded, and being sent. At least one object of each array is, whatever
        the budget.
    done : callable
        Called with the path of the array and decoded bytes for every object that is stored; from another thread.
    renew : callable
        Called before every object, and every `_PATIENCE` seconds of waiting; raises when nothing may be stored any more.
        By one thread at a time.

    Attributes
    ----------
    finished : collection of str
        Keys of objects that are stored already; what would go into them is passed over.
    """

    def __init__(self, keys: Store, budget: int, done: Callable[[str, int], None], renew: Callable[[], None]) -> None:
        self._keys = keys
        self._budget = budget
        self._done = done
        self._renew = renew
        self._renewing = threading.Lock()
        self.finished: Collection[str] = frozenset()
        self._open: dict[tuple[str, Index], _Assembly] = {}
        self._state = threading.Condition()
        self._held = 0
        self._running = 0
        self._failure: BaseException | None = None

    def write(self, form: ArrayForm, start: Index, block: Array, *, borrowed: bool = False) -> None:
        """Take a block of values.

        Parameters
        ----------
        form : ArrayForm
            The array; its first dimension may be a bound when it is not known yet.
        start : tuple of int
            Where the block begins, on the chunk grid.
        block : numpy.ndarray
            The values. It ends on the chunk grid or at the array's edge, and is not to be changed by anyone.
        borrowed : bool
            Whether the block is part of memory that the caller keeps anyway.

        Raises
        ------
        Exception
            What went wrong with an earlier block.
        """
        origin = tuple(begin // step for begin, step in zip(start, form.chunks, strict=True))
        grid = [range(-(-size // step)) for size, step in zip(block.shape, form.chunks, strict=True)]
        share = 0 if borrowed else block.nbytes // max(math.prod(map(len, grid)), 1)
        for offset in itertools.product(*grid):
            cut = tuple(
                slice(index * step, min((index + 1) * step, size))
                for index, step, size in zip(offset, form.chunks, block.shape, strict=True)
            )
            chunk = tuple(first + index for first, index in zip(origin, offset, strict=True))
            if self.finished and form.key(form.place(chunk)[0]) in self.finished:
                self._done(form.path, block[cut].nbytes)
                continue
            self._take_room(share)
            codec_pool().submit(self._encode, form, chunk, block[cut], share)

    def keep(self, form: ArrayForm, index: Index, chunks: Mapping[int, bytes]) -> None:
        """Take chunks of an object as they are stored already, by number."""
        with self._state:
            assembly = self._open.setdefault((form.path, index), _Assembly(form, index))
            assembly.chunks.update(chunks)
            self._held += sum(map(len, chunks.values()))

    def finish(self, form: ArrayForm) -> None:
        """Store what is left of an array whose length was not known: objects that its edge cuts."""
        self._wait(lambda: self._running == 0)
        with self._state:
            left = [key for key in self._open if key[0] == form.path]
            assemblies = [self._open.pop(key) for key in left]
            self._running += len(assemblies)
        for assembly in assemblies:
            self._store(assembly)

    def close(self) -> None:
        """Wait until everything is stored.

        Raises
        ------
        Exception
            What went wrong with a block.
        """
        self._wait(lambda: self._running == 0)

    def stop(self) -> None:
        """Give up: nothing that waits is begun any more."""
        with self._state:
            self._failure = self._failure or OSError("the write was given up")
            self._state.notify_all()

    # One chunk.

    def _encode(self, form: ArrayForm, chunk: Index, values: Array, share: int) -> None:
        """Encode a chunk in a thread of the pool; the last one of an object sends it off."""
        try:
            if self._failure is not None:
                return
            data = form.codec.encode(_padded(values, form), scratch(form.chunk_bytes))
            index, number = form.place(chunk)
            complete = None
            with self._state:
                assembly = self._open.setdefault((form.path, index), _Assembly(form, index))
                assembly.chunks[number] = data
                assembly.decoded += values.nbytes
                self._held += len(data)
                if len(assembly.chunks) == assembly.expected:
                    complete = self._open.pop((form.path, index))
                    self._running += 1
            if complete is not None:
                self._store(complete)
        except BaseException as error:  # noqa: BLE001 - the thread that writes raises it
            self._fail(error)
        finally:
            self._release(share)

    def _store(self, assembly: _Assembly) -> None:
        """Send an object off; counted as running already."""
        held = sum(map(len, assembly.chunks.values()))
        try:
            self.check_alive()
            data = assembly.pack()
            value = default_buffer_prototype().buffer.from_bytes(data)
            key = assembly.form.key(assembly.index)
            sending = asyncio.run_coroutine_threadsafe(self._keys.set(key, value), _get_loop())
        except BaseException as error:  # noqa: BLE001
            self._fail(error)
            self._release(held)
            return
        # Not in the thread of the network, which must never wait for anything.
        sending.add_done_callback(lambda future: codec_pool().submit(self._stored, future, assembly, held))

    def _stored(self, future: Future[None], assembly: _Assembly, held: int) -> None:
        error = future.exception() if not future.cancelled() else OSError("the write was given up")
        if error is not None:
            self._fail(error)
        else:
            try:
                self._done(assembly.form.path, assembly.decoded)
            except BaseException as problem:  # noqa: BLE001 - a callback of the caller's; the thread that writes raises it
                self._fail(problem)
        self._release(held)

    def check_alive(self) -> None:
        """Raise when nothing may be stored any more."""
        with self._renewing:
            self._renew()

    # What is under way.

    def _take_room(self, share: int) -> None:
        """Wait for room for a chunk, and count it as running."""
        most = _QUEUED * core_count()
        # Nothing running means that all that is held waits for more chunks: only going on frees it.
        self._wait(lambda: self._running == 0 or (self._running < most and self._held + share <= self._budget))
        with self._state:
            self._running += 1
            self._held += share

    def _wait(self, enough: Callable[[], bool]) -> None:
        while True:
            with self._state:
                settled = self._state.wait_for(lambda: self._failure is not None or enough(), _PATIENCE)
                if self._failure is not None:
                    raise self._failure
            if settled:
                return
            self.check_alive()

    def _release(self, nbytes: int) -> None:
        with self._state:
            self._running -= 1
            self._held -= nbytes
            self._state.notify_all()

    def _fail(self, error: BaseException) -> None:
        with self._state:
            self._failure = self._failure or error
            self._state.notify_all()


def _padded(values: Array, form: ArrayForm) -> Array:
    """Return values of the shape of a whole chunk, filled up with the fill value."""
    if values.shape == form.chunks:
        return values
    whole = np.full(form.chunks, form.fill, form.dtype)
    whole[tuple(map(slice, values.shape))] = values
    return whole
