"""A plan, carried out: regions, copies and documents through one transaction, then the commit.

Regions are whole stored objects, so no two of them touch one object; memory is bounded by one region.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.convention.documents import (
    Document,
    chunk_key,
    chunk_shape,
    consolidate,
    dump_document,
    grid_shape,
    strict_document,
)
from nwbzarr.convention.names import DOCUMENT, SPECIFICATIONS, key_of
from nwbzarr.convention.sidecar import CHUNK_LIMIT, pack_sidecar
from nwbzarr.errors import DocumentError
from nwbzarr.stores.keys import drain, named_errors, read_many
from nwbzarr.stores.metered import Meter, WholeObjects
from nwbzarr.stores.zarr_arrays import open_zarr_array
from nwbzarr.tree.tree import Tree
from nwbzarr.writing.plans import REGION_BYTES, AppendPlan, ArrayPlan, CopyPlan, LinkPlan, WritePlan, plan_regions
from nwbzarr.writing.sources import BlockSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nwbzarr.stores.transactions import Transaction
    from nwbzarr.stores.url import StoreURL


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


def execute(plan: WritePlan, transaction: Transaction) -> WriteReport:
    """Store everything a plan holds, and commit.

    Parameters
    ----------
    plan : WritePlan
        What to do.
    transaction : Transaction
        Begun; the caller aborts it when this raises.

    Raises
    ------
    CommitError, StoreError
        When the store does not take it.
    """
    work = _Work(plan, transaction)
    try:
        for array in plan.arrays:
            work.write_array(array)
        for copy in plan.copies:
            work.copy_array(copy)
        for append in plan.appends:
            work.append_rows(append)
        return work.finish()
    except BaseException:
        drain(work.keys)
        raise


class _Work:
    """The state of one execution: documents that got their shape, and small chunks for the sidecar."""

    def __init__(self, plan: WritePlan, transaction: Transaction) -> None:
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
        self.chunks = len(plan.chunks)
        self.nbytes = sum(map(len, plan.chunks.values()))

    def write_array(self, array: ArrayPlan) -> None:
        """Write an array region by region."""
        if isinstance(array.source, BlockSource):
            self._write_blocks(array, array.source)
            return
        target = self._open(array.path, array.document)
        shape = array.source.shape
        for region in plan_regions(shape, array.objects, array.source.dtype.itemsize):
            self._store(target, region, array.source.read(region))

    def append_rows(self, append: AppendPlan) -> None:
        """Write the objects that new rows touch, each whole."""
        kept = [np.asarray(append.tail[append.start : append.length])] if append.start < append.length else []
        rows = np.concatenate([*kept, *(block.read((slice(None),) * len(block.shape)) for block in append.blocks)])
        target = self._open(append.path, append.document)
        objects = chunk_shape(append.document) or (1,)
        for region in plan_regions(rows.shape, objects, rows.dtype.itemsize):
            moved = (slice(region[0].start + append.start, region[0].stop + append.start), *region[1:])
            self._store(target, moved, rows[region])

    def copy_array(self, copy: CopyPlan) -> None:
        """Copy the stored objects of an array, a bounded number of bytes at a time."""
        grid, objects = grid_shape(copy.document), chunk_shape(copy.document)
        if grid is None or objects is None:
            message = "an array on an irregular chunk grid cannot be copied object by object: read and write its values"
            raise DocumentError(message, copy.origin.url.text, copy.origin.path)
        batch = max(REGION_BYTES // max(math.prod(objects) * 8, 1), 1)
        indices = itertools.product(*map(range, grid))
        while names := [chunk_key(copy.document, index) for index in itertools.islice(indices, batch)]:
            self.transaction.renew()
            found = read_many(copy.keys, [key_of(copy.origin.path, name) for name in names], copy.origin.url)
            stored = {
                key_of(copy.path, name): data for name, data in zip(names, found, strict=True) if data is not None
            }
            self.transaction.put(stored.items())
            self.chunks += len(stored)
            self.nbytes += sum(map(len, stored.values()))
            if math.prod(grid) == 1 and not copy.path.startswith(f"/{SPECIFICATIONS}/"):
                self.small.update({key: data for key, data in stored.items() if len(data) <= CHUNK_LIMIT})

    def finish(self) -> WriteReport:
        """Store small chunks and documents together, then commit root and sidecar."""
        base = self.plan.base
        every: dict[str, Document] = {**(base.documents if base is not None else {}), **self.documents}
        root, every = _root_of(every)
        self.documents = {path: every[path] for path in self.documents}
        self.transaction.renew()
        documents = (
            (key_of(path, DOCUMENT), dump_document(document))
            for path, document in self.documents.items()
            if path != "/"
        )
        self.transaction.put(itertools.chain(self.plan.chunks.items(), documents))
        small = {**self._kept_small(), **self.small}
        self.transaction.commit(root, pack_sidecar(root, small))
        tree = Tree(self.plan.url, root, every, small)
        chunks, nbytes = self.chunks + self.meter.requests["put"], self.nbytes + self.meter.bytes_written
        return WriteReport(self.plan.url, len(self.documents), chunks, nbytes, self.plan.links, tree)

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
        """Write blocks of any length as regions of whole objects, and settle the length."""
        start = 0
        for rows in _slabs(source, array.objects):
            stop = start + len(rows)
            document = {**array.document, "shape": [stop, *source.shape[1:]]}
            target = self._open(array.path, document)
            for region in plan_regions(rows.shape, array.objects, rows.dtype.itemsize):
                moved = (slice(region[0].start + start, region[0].stop + start), *region[1:])
                self._store(target, moved, rows[region])
            self.documents[array.path] = document
            start = stop

    def _open(self, path: str, document: Document) -> Any:
        return open_zarr_array(self.keys, path, document, read_only=False)

    def _store(self, target: Any, region: tuple[slice, ...], block: np.ndarray[Any, Any]) -> None:
        self.transaction.renew()
        with named_errors(self.plan.url):
            target[region] = block


def _root_of(documents: dict[str, Document]) -> tuple[bytes, dict[str, Document]]:
    """Return the root document with all documents inside, and the documents as strict JSON.

    Only those of other writers may hold what strict JSON has no word for.
    """
    try:
        nodes = {path: document for path, document in documents.items() if path != "/"}
        return dump_document(consolidate(documents["/"], nodes)), documents
    except ValueError:
        return _root_of({path: strict_document(document) for path, document in documents.items()})


def _slabs(source: BlockSource, objects: tuple[int, ...]) -> Iterator[np.ndarray[Any, Any]]:
    """Yield the rows of blocks, re-cut to whole objects; the last slab holds what is left."""
    row_bytes = max(math.prod(source.shape[1:]) * source.dtype.itemsize, 1)
    rows = objects[0] * max(REGION_BYTES // (objects[0] * row_bytes), 1)
    waiting: list[np.ndarray[Any, Any]] = []
    count = 0
    for block in source.blocks():
        waiting.append(block)
        count += len(block)
        while count >= rows:
            joined = np.concatenate(waiting)
            yield joined[:rows]
            waiting, count = [joined[rows:]], count - rows
    if count:
        yield np.concatenate(waiting)
