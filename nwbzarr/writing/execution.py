"""A plan, carried out: regions, copies and documents through one transaction, then the commit.

Regions are whole stored objects, so no two of them touch one object; memory is bounded by one region.
"""

from __future__ import annotations

import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.arrays.forms import parse_array
from nwbzarr.arrays.writing import ArrayWriter
from nwbzarr.convention.documents import (
    Document,
    chunk_key,
    chunk_shape,
    consolidate,
    dump_document,
    grid_shape,
    strict_document,
)
from nwbzarr.convention.names import DOCUMENT, SPECIFICATIONS, WRITE_NOTE, key_of
from nwbzarr.convention.sidecar import CHUNK_LIMIT, pack_sidecar
from nwbzarr.errors import DocumentError
from nwbzarr.stores.keys import drain, named_errors, read_many
from nwbzarr.stores.metered import Meter, WholeObjects
from nwbzarr.stores.notes import WriteNote
from nwbzarr.tree.tree import Tree
from nwbzarr.writing.plans import (
    MEMORY_BYTES,
    REGION_BYTES,
    AppendPlan,
    ArrayPlan,
    CopyPlan,
    LinkPlan,
    WritePlan,
    plan_regions,
)
from nwbzarr.writing.sources import BlockSource, GraphSource, MemorySource
from nwbzarr.writing.targets import Target, open_target, whole_objects

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from nwbzarr.stores.places import Place
    from nwbzarr.stores.transactions import Transaction
    from nwbzarr.stores.url import StoreURL
    from nwbzarr.writing.sources import Region


#: Most objects that are copied side by side.
_COPIED_AT_ONCE = 256

#: Length of an array whose blocks have not ended.
_UNKNOWN = 2**62


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What a write did.

    Attributes
    ----------
    url : StoreURL
        The store.
    documents : int
        Metadata documents written, the root among them.
    chunks : int
        Objects of array data written.
    nbytes : int
        Stored bytes of those objects.
    links : tuple of LinkPlan
        What was linked instead of copied.
    tree : Tree
        The store's metadata as committed.
    """

    url: StoreURL
    documents: int
    chunks: int
    nbytes: int
    links: tuple[LinkPlan, ...]
    tree: Tree = field(repr=False, compare=False)

    def __str__(self) -> str:
        linked = f", {len(self.links)} links" if self.links else ""
        return f"{self.url.text}: {self.documents} documents, {self.chunks} chunks, {self.nbytes:,} bytes{linked}"


@dataclass(frozen=True, slots=True)
class WriteSettings:
    """How a plan is carried out.

    Attributes
    ----------
    max_memory : int
        Bytes that may be under way in memory. One stored object of an array always is, and what the source itself
        keeps is not counted.
    progress : callable
        Called with path and decoded bytes for what is stored of arrays; from several threads, one at a time.
    place : Place
        Where the store is, for workers of other processes.
    verify : callable
        Called when all values are stored and none is visible; raises when they do not fit each other.
    """

    place: Place
    max_memory: int = MEMORY_BYTES
    progress: Callable[[str, int], None] = lambda _path, _nbytes: None
    verify: Callable[[], None] = lambda: None


def execute(plan: WritePlan, transaction: Transaction, settings: WriteSettings) -> WriteReport:
    """Store everything a plan holds, and commit.

    Parameters
    ----------
    plan : WritePlan
        What to do.
    transaction : Transaction
        Begun; the caller aborts it when this raises.
    settings : WriteSettings
        How to.

    Raises
    ------
    CommitError, StoreError
        When the store does not take it.
    """
    work = _Work(plan, transaction, settings)
    try:
        with ThreadPoolExecutor(1) as beside:
            # Small objects are many and wait for the network; arrays keep the processor busy.
            work.leave_note()
            small = beside.submit(work.put_small)
            work.put_arrays()
            small.result()
        settings.verify()
        return work.finish()
    except BaseException:
        work.writer.stop()
        drain(work.keys)
        raise


class _Work:
    """The state of one execution: documents that got their shape, and small chunks for the sidecar."""

    def __init__(self, plan: WritePlan, transaction: Transaction, settings: WriteSettings) -> None:
        self.plan = plan
        self.transaction = transaction
        self.documents = dict(plan.documents)
        self.small = {
            key: data
            for key, data in plan.chunks.items()
            if len(data) <= CHUNK_LIMIT and not key.startswith(f"{SPECIFICATIONS}/")
        }
        self.meter = Meter()
        self.keys = WholeObjects(transaction.keys, self.meter)
        self.writer = ArrayWriter(self.keys, settings.max_memory, settings.progress, transaction.renew)
        self.note: WriteNote | None = None
        self.chunks = len(plan.chunks)
        self.nbytes = sum(map(len, plan.chunks.values()))
        self.progress = settings.progress
        self.budget = settings.max_memory
        self.place = settings.place
        self._compared: set[str] = set()
        #: The root document, and all documents, as they will be; once more when iterators have ended.
        self._root = b""
        self._final: dict[str, Document] = {}
        growing = {array.path for array in plan.arrays if isinstance(array.source, BlockSource)}
        self._settled = set(self.documents) - growing

    def leave_note(self) -> None:
        """Say what arrays of several objects are written, and learn what of them is stored already."""
        long = {array.path: array.document for array in self.plan.arrays if array.is_long}
        if long and self.plan.base is None:
            self.note = WriteNote.of(long, set(long) - self._settled)
            stored = self.transaction.leave_note(self.note)
            forms = [form for path, document in long.items() if (form := parse_array(path, document)) is not None]
            self.writer.finished = whole_objects(forms, stored, self.transaction.keys, self.plan.url)

    def put_small(self) -> None:
        """Store what is encoded already, and the documents that will not change."""
        self._root, self._final = _root_of(self._every())
        self.transaction.put(itertools.chain(self.plan.chunks.items(), self._documents(self._settled)))

    def put_arrays(self) -> None:
        """Store arrays, copies and appended rows."""
        graphs = [array for array in self.plan.arrays if isinstance(array.source, GraphSource)]
        for array in self.plan.arrays:
            if array not in graphs:
                self.write_array(array)
        for copy in self.plan.copies:
            self.copy_array(copy)
        for append in self.plan.appends:
            self.append_rows(append)
        with named_errors(self.plan.url):
            self.writer.close()
        if graphs:
            self.store_graphs(graphs)

    def store_graphs(self, arrays: list[ArrayPlan]) -> None:
        """Have the blocks of Dask arrays computed and stored by tasks of one graph."""
        from nwbzarr.writing.graphs import store_graphs

        for array in arrays if self.writer.finished else ():
            target = self._target(array.path, array.document)
            source: Any = array.source
            self._compare(target, tuple(slice(0, size) for size in source.shape), source.read)
        delivery = self.transaction.delivery(self.place)
        finished, alive = self.writer.finished, self.writer.check_alive
        objects, nbytes = store_graphs(arrays, self.plan.url, delivery, finished, self.progress, alive)
        self.chunks += objects
        self.nbytes += nbytes
        for array in arrays if finished else ():
            self._discard_beyond(self._target(array.path, array.document), array.source.shape[0])

    def write_array(self, array: ArrayPlan) -> None:
        """Write an array, region by region."""
        if isinstance(array.source, BlockSource):
            self._write_blocks(array, array.source)
            return
        target = self._target(array.path, array.document)
        borrowed = isinstance(array.source, MemorySource)
        itemsize = array.source.dtype.itemsize
        for region in plan_regions(array.source.shape, array.objects, itemsize, target.unit):
            if self._is_stored(target, region, array.source.read):
                continue
            target.put(region, array.source.read(region), borrowed=borrowed)
        if self.writer.finished:
            self._discard_beyond(target, array.source.shape[0])

    def append_rows(self, append: AppendPlan) -> None:
        """Write the objects that new rows touch, each whole; chunks that are full already stay as they are."""
        target = self._target(append.path, append.document)
        start = target.resume(append)
        blocks = (block.read((slice(None),) * len(block.shape)) for block in append.blocks)
        kept = [np.asarray(append.tail[start : append.length])] if start < append.length else []
        for rows in _slabs(itertools.chain(kept, blocks), target.unit):
            self._put_rows(target, rows, start)
            start += len(rows)

    def copy_array(self, copy: CopyPlan) -> None:
        """Copy the stored objects of an array, a bounded number of bytes at a time."""
        grid, objects = grid_shape(copy.document), chunk_shape(copy.document)
        if grid is None or objects is None:
            message = "an array on an irregular chunk grid cannot be copied object by object: read and write its values"
            raise DocumentError(message, copy.origin.url.text, copy.origin.path)
        object_bytes = math.prod(objects) * copy.itemsize
        batch = max(min(self.budget // (2 * max(object_bytes, 1)), _COPIED_AT_ONCE), 1)
        indices = itertools.product(*map(range, grid))
        while names := [chunk_key(copy.document, index) for index in itertools.islice(indices, batch)]:
            self.writer.check_alive()
            found = read_many(copy.keys, [key_of(copy.origin.path, name) for name in names], copy.origin.url)
            stored = {
                key_of(copy.path, name): data for name, data in zip(names, found, strict=True) if data is not None
            }
            self.transaction.put(stored.items())
            self.progress(copy.path, object_bytes * len(names))
            self.chunks += len(stored)
            self.nbytes += sum(map(len, stored.values()))
            if math.prod(grid) == 1 and not copy.path.startswith(f"/{SPECIFICATIONS}/"):
                self.small.update({key: data for key, data in stored.items() if len(data) <= CHUNK_LIMIT})

    def finish(self) -> WriteReport:
        """Store the documents that are left, then commit root and sidecar."""
        grown = set(self.documents) - self._settled
        if grown:
            self._root, self._final = _root_of(self._every())
        self.writer.check_alive()
        self.transaction.put(self._documents(grown))
        small = {**self._kept_small(), **self.small}
        self.transaction.commit(self._root, pack_sidecar(self._root, small))
        tree = Tree(self.plan.url, self._root, self._final, small)
        chunks, nbytes = self.chunks + self.meter.requests["put"], self.nbytes + self.meter.bytes_written
        return WriteReport(self.plan.url, len(self.documents), chunks, nbytes, self.plan.links, tree)

    def _every(self) -> dict[str, Document]:
        """Return the documents of all nodes as they will be."""
        base = self.plan.base
        return {**(base.documents if base is not None else {}), **self.documents}

    def _documents(self, paths: Collection[str]) -> list[tuple[str, bytes]]:
        """Return keys and bytes of some documents; the root's is what the commit stores."""
        return [
            (key_of(path, DOCUMENT), dump_document(self._final[path]))
            for path in self.documents
            if path in paths and path != "/"
        ]

    def _kept_small(self) -> dict[str, bytes]:
        """Return the small chunks of the base that still are what is stored."""
        if self.plan.base is None:
            return {}
        changed = [*(append.path for append in self.plan.appends), *self.plan.rewritten]
        grown = tuple(key_of(path, "") for path in changed)
        return {
            key: data
            for key, data in self.plan.base.small_chunks.items()
            if not (grown and key.startswith(grown)) and not key.startswith(f"{SPECIFICATIONS}/")
        }

    def _write_blocks(self, array: ArrayPlan, source: BlockSource) -> None:
        """Write blocks of any length, and settle the length."""
        start = 0
        target = self._target(array.path, {**array.document, "shape": [_UNKNOWN, *source.shape[1:]]})
        for rows in _slabs(source.blocks(), target.unit):
            self._put_rows(target, rows, start)
            start += len(rows)
        if self.note is not None:
            self.note = self.note.ended(array.path, start)
            self.transaction.put([(WRITE_NOTE, self.note.dump())])
        target.settle()
        if self.writer.finished:
            self._discard_beyond(target, start)
        self.documents[array.path] = {**array.document, "shape": [start, *source.shape[1:]]}

    def _discard_beyond(self, target: Target, rows: int) -> None:
        """Remove objects of a longer array that an earlier write has left."""
        kept = target.keys_below(rows)
        folder = f"{target.path.strip('/')}/"
        self.transaction.discard([key for key in self.writer.finished if key.startswith(folder) and key not in kept])

    def _put_rows(self, target: Target, rows: np.ndarray[Any, Any], start: int) -> None:
        for region in plan_regions(rows.shape, target.objects, rows.dtype.itemsize, target.unit):
            moved = _moved(region, start)
            if self._is_stored(target, moved, lambda part: rows[_moved(part, -start)]):
                continue
            target.put(moved, rows[region])

    def _is_stored(self, target: Target, region: Region, read: Callable[[Region], np.ndarray[Any, Any]]) -> bool:
        """Whether an earlier write has stored a region; raises as `_compare` does."""
        self._compare(target, region, read)
        if not target.is_stored(region, self.writer.finished):
            return False
        self.progress(target.path, math.prod(part.stop - part.start for part in region) * target.itemsize)
        return True

    def _compare(self, target: Target, region: Region, read: Callable[[Region], np.ndarray[Any, Any]]) -> None:
        """Compare the first chunk that an earlier write has stored of an array with what is to be written.

        Raises
        ------
        CommitError
            When it holds other values.
        """
        sample = None if target.path in self._compared else target.first_stored(region, self.writer.finished)
        if sample is not None:
            self._compared.add(target.path)
            target.check_same(sample, read(sample))

    def _target(self, path: str, document: Document) -> Target:
        return open_target(path, document, self.keys, self.writer, self.plan.url)


def _root_of(documents: dict[str, Document]) -> tuple[bytes, dict[str, Document]]:
    """Return the root document with all documents inside, and the documents as strict JSON.

    Only those of other writers may hold what strict JSON has no word for.
    """
    try:
        nodes = {path: document for path, document in documents.items() if path != "/"}
        return dump_document(consolidate(documents["/"], nodes)), documents
    except ValueError:
        return _root_of({path: strict_document(document) for path, document in documents.items()})


def _moved(region: Region, rows: int) -> Region:
    """Return a region so many rows further on."""
    return (slice(region[0].start + rows, region[0].stop + rows), *region[1:])


def _slabs(blocks: Iterable[np.ndarray[Any, Any]], unit: tuple[int, ...]) -> Iterator[np.ndarray[Any, Any]]:
    """Yield the rows of blocks, re-cut to whole units; the last slab holds what is left."""
    waiting: list[np.ndarray[Any, Any]] = []
    count = 0
    for block in blocks:
        waiting.append(block)
        count += len(block)
        row_bytes = max(math.prod(block.shape[1:]) * block.dtype.itemsize, 1)
        rows = unit[0] * max(REGION_BYTES // (unit[0] * row_bytes), 1)
        if count >= rows:
            joined = waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
            whole = count - count % unit[0]
            yield joined[:whole]
            # A copy, so that what is left does not hold the rest in memory.
            waiting, count = [joined[whole:].copy()], count - whole
    if count:
        yield np.concatenate(waiting)
