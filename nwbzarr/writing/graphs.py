"""Dask arrays, stored by the tasks of one graph: wherever they run, workers store whole objects, the client commits.

Blocks are whole objects whatever their chunks were, so no two tasks touch one object, and a task that runs twice
stores the same. Nothing here decides where a graph runs: that is Dask's configuration, or the cluster that a client is
connected to. Importing this room imports Dask.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import dask.array
import numpy as np
from dask.callbacks import Callback

from nwbzarr.arrays.forms import parse_array
from nwbzarr.arrays.graphs import meta_of
from nwbzarr.arrays.writing import ArrayWriter
from nwbzarr.errors import CommitConflictError, CommitError, SchemaError
from nwbzarr.stores.keys import drain
from nwbzarr.stores.metered import Meter, WholeObjects
from nwbzarr.writing.sources import as_stored, refuse_masked
from nwbzarr.writing.targets import open_target

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from nwbzarr.convention.documents import Document
    from nwbzarr.stores.places import Delivery
    from nwbzarr.stores.url import StoreURL
    from nwbzarr.writing.plans import ArrayPlan

Array = np.ndarray[Any, Any]

#: What a task says of what it stored: objects, stored and decoded bytes, and the process that it ran in.
RECEIPT: Final = np.dtype([("objects", "i8"), ("nbytes", "i8"), ("decoded", "i8"), ("process", "u8")])

#: Kinds of dtypes that hold the values of another kind, whatever they are: integers of 64 bits are no floats.
_SAFE: Final = {"u": "ui", "f": "fc"}

_PROCESS: Final = uuid.uuid4().int >> 64

#: How often a long computation says that it lives, in seconds.
_SIGN_OF_LIFE: Final = 20.0

#: Bytes that one task may have under way.
_BUDGET: Final = 512 * 2**20

_state = threading.Condition()
_running: Counter[str] = Counter()
_ended: set[str] = set()


@dataclass(frozen=True)
class StoreBlock:
    """Stores one block of an array.

    Attributes
    ----------
    path : str
        The array.
    document : dict
        Its metadata.
    dtype : numpy.dtype
        Its dtype.
    steps : tuple of int
        Shape of the blocks.
    url : StoreURL
        The store, for messages.
    delivery : Delivery
        Where objects go.
    finished : frozenset of str
        Keys of objects that are stored already.
    write : str
        Tells this write from others.
    """

    path: str
    document: Document
    dtype: np.dtype[Any]
    steps: tuple[int, ...]
    url: StoreURL
    delivery: Delivery
    finished: frozenset[str] = frozenset()
    write: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __call__(self, block: Any, block_id: tuple[int, ...] = ()) -> Array:
        """Store a block, and return the receipt."""
        with _counted(self.write):
            region = self._region(block_id)
            values = self._checked(block, region)
            meter = Meter()
            keys = WholeObjects(self._open(), meter)
            writer = ArrayWriter(keys, _BUDGET, lambda _path, _nbytes: None, lambda: None)
            writer.finished = self.finished
            target = open_target(self.path, self.document, keys, writer, self.url)
            try:
                target.put(region, values, borrowed=True)
                writer.close()
            except BaseException:
                writer.stop()
                drain(keys)
                raise
            return self.receipt(meter.requests["put"], meter.bytes_written, values.nbytes)

    def receipt(self, objects: int, nbytes: int, decoded: int) -> Array:
        """Return what a task says of its work: one item, of as many dimensions as the array."""
        return np.array((objects, nbytes, decoded, _PROCESS), RECEIPT).reshape((1,) * len(self.steps))

    def _open(self) -> Any:
        """Return the keys to store under."""
        place = self.delivery.place
        if place.url.is_local and not Path(place.url.path).is_dir():
            message = (
                "a worker must reach the folder that the store is written in, but there is none for it: the write was "
                "given up, or the worker runs on a machine that does not share this disk; use object storage then"
            )
            raise CommitConflictError(message, self.url.text, self.path)
        return self.delivery.open()

    def _region(self, block_id: tuple[int, ...]) -> tuple[slice, ...]:
        shape = self.document["shape"]
        return tuple(
            slice(index * step, min((index + 1) * step, size))
            for index, step, size in zip(block_id, self.steps, shape, strict=True)
        )

    def _checked(self, block: Any, region: tuple[slice, ...]) -> Array:
        """Return the values of a block, which must be what the Dask array said they would be."""
        refuse_masked(block, self.path)
        values = as_stored(np.asarray(block), self.path)
        wanted = tuple(part.stop - part.start for part in region)
        same = self.dtype.kind in _SAFE.get(values.dtype.kind, values.dtype.kind)
        if values.shape != wanted or not same or not np.can_cast(values.dtype, self.dtype, "safe"):
            message = (
                f"a task must give what its Dask array says, {self.dtype} of shape {wanted} for {region}, but "
                f"{values.dtype} of {values.shape} came: give map_blocks the right dtype and chunks"
            )
            raise SchemaError(message, self.url.text, self.path)
        return values.astype(self.dtype, copy=False)


def store_graphs(  # noqa: PLR0913 - what, where, how much of it, and who is told
    arrays: Sequence[ArrayPlan],
    url: StoreURL,
    delivery: Delivery,
    finished: Collection[str],
    progress: Callable[[str, int], None],
    alive: Callable[[], None],
) -> tuple[int, int]:
    """Compute and store some Dask arrays with one graph; return the number of objects, and their bytes.

    Parameters
    ----------
    arrays : sequence of ArrayPlan
        What to store; their sources are Dask arrays.
    url : StoreURL
        The store, for messages.
    delivery : Delivery
        Where.
    finished : collection of str
        Keys of objects that are stored already.
    progress : callable
        Called with path and decoded bytes of what is stored.
    alive : callable
        Called now and then; raises when the write is over.

    Raises
    ------
    CommitError
        When workers cannot reach the place.
    Exception
        What a task raised.
    """
    write = uuid.uuid4().hex
    receipts = {array.path: _receipts(array, url, delivery, frozenset(finished), write) for array in arrays}
    paths = {found.name: path for path, found in receipts.items()}
    wanted = [found for found in receipts.values() if found.size]
    left = {array.path: array.nbytes or 0 for array in arrays}

    def told(key: Any, receipt: Any) -> None:
        path = paths.get(key[0]) if isinstance(key, tuple) else None
        if path is not None:
            decoded = int(receipt["decoded"].sum())
            left[path] -= decoded
            progress(path, decoded)

    try:
        with _signs_of_life(alive):
            done = np.concatenate([part.ravel() for part in _compute(wanted, told)]) if wanted else np.empty(0, RECEIPT)
    except BaseException:
        _end(write)
        raise
    _check_reached(arrays, url, delivery, done)
    for path, nbytes in left.items():
        if nbytes:
            # What was stored already.
            progress(path, nbytes)
    return int(done["objects"].sum()), int(done["nbytes"].sum())


def plan_blocks(array: Any, objects: Sequence[int]) -> Any:
    """Return a Dask array whose blocks are whole objects: as it is when they are, else with other chunks.

    Parameters
    ----------
    array : dask.array.Array
        The array.
    objects : sequence of int
        Shape of what one stored object holds.
    """
    whole = all(
        len(sizes) == 1 or (sizes[0] % step == 0 and len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0])
        for sizes, step in zip(array.chunks, objects, strict=True)
    )
    return array if whole else array.rechunk(tuple(map(min, objects, array.shape)))


def _receipts(array: ArrayPlan, url: StoreURL, delivery: Delivery, finished: frozenset[str], write: str) -> Any:
    """Return the receipts of all blocks of an array, not computed yet."""
    source: Any = array.source
    blocks = plan_blocks(source.data, array.objects)
    steps = tuple(sizes[0] for sizes in blocks.chunks)
    store = StoreBlock(array.path, array.document, source.dtype, steps, url, delivery, finished, write)
    receipts = blocks.map_blocks(
        store,
        dtype=RECEIPT,
        chunks=tuple((1,) * len(sizes) for sizes in blocks.chunks),
        meta=meta_of(blocks.ndim, RECEIPT),
        name=f"store-{write}-{array.path.strip('/')}",
    )
    if not finished or not blocks.ndim:
        return receipts
    left = [row for row in range(blocks.numblocks[0]) if not _is_finished(array, steps[0], row, finished)]
    return receipts.blocks[left] if left else receipts[:0]


def _is_finished(array: ArrayPlan, step: int, row: int, finished: Collection[str]) -> bool:
    """Whether all objects of a row of blocks are stored already."""
    form = parse_array(array.path, array.document)
    if form is None:
        return False
    rows = slice(row * step, min((row + 1) * step, form.shape[0]))
    return all(key in finished for key in form.keys((rows, *(slice(0, size) for size in form.shape[1:]))))


def _compute(receipts: Sequence[Any], told: Callable[[Any, Any], None]) -> list[Any]:
    """Return the receipts, from whichever scheduler is in use; each is told when it comes."""
    get: Any = dask.base.get_scheduler(collections=receipts)
    client = getattr(get, "__self__", None)
    if client is None or not hasattr(client, "persist"):
        with Callback(posttask=lambda key, result, _dsk, _state, _worker: told(key, result)):
            return list(dask.compute(*receipts))
    from distributed import as_completed, futures_of

    futures = futures_of(client.persist(list(receipts)))
    found = []
    try:
        # The loop is named, since the client may not be the current one of this thread.
        for future, receipt in as_completed(futures, loop=client.loop, with_results=True):
            told(future.key, _received(receipt))
            found.append(receipt)
    except BaseException:
        client.cancel(futures)
        raise
    return found


def _received(receipt: Any) -> Any:
    """Return the receipt of a task; raises for one that was cancelled, which gives an error in its place."""
    if isinstance(receipt, BaseException):
        raise receipt
    return receipt


@contextlib.contextmanager
def _counted(write: str) -> Iterator[None]:
    """Count a task of this process as under way; refuse it when its write has ended."""
    with _state:
        if write in _ended:
            message = "the write that this task belongs to was given up"
            raise CommitConflictError(message)
        _running[write] += 1
    try:
        yield
    finally:
        with _state:
            _running[write] -= 1
            _state.notify_all()


def _end(write: str) -> None:
    """Begin no task of a write any more in this process, and wait for those under way."""
    with _state:
        _ended.add(write)
        _state.wait_for(lambda: not _running[write])
        del _running[write]


@contextlib.contextmanager
def _signs_of_life(alive: Callable[[], None]) -> Iterator[None]:
    """Say that a write lives while something else takes long; raise at the end when it does not."""
    over = threading.Event()
    problems: list[BaseException] = []

    def say() -> None:
        while not over.wait(_SIGN_OF_LIFE):
            try:
                alive()
            except BaseException as error:  # noqa: BLE001 - raised by who waits for the tasks
                problems.append(error)
                return

    thread = threading.Thread(target=say, name="nwbzarr-alive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if problems:
        raise problems[0]


def _check_reached(arrays: Sequence[ArrayPlan], url: StoreURL, delivery: Delivery, done: Array) -> None:
    """Raise unless what tasks stored is where it will be read."""
    place = delivery.place
    if place.is_of_one_process and (done["process"] != _PROCESS).any():
        message = (
            "workers of other processes cannot store in the memory of this one: write to a disk or an object store, or "
            "compute in threads (dask.config.set(scheduler='threads'))"
        )
        raise CommitError(message, url.text)
    for array in arrays if place.url.is_local else ():
        form = parse_array(array.path, array.document)
        keys = () if form is None else form.keys(tuple(slice(0, size) for size in form.shape))
        lost = next((key for key in keys if not Path(place.url.path, key).is_file()), None)
        if lost is not None:
            message = (
                f"workers stored {lost} on a disk of their own: they must share the folder that the store is written in; "
                "use object storage where they do not"
            )
            raise CommitError(message, url.text, array.path)
