"""Stored arrays as Dask arrays: one task for each block, none of which opens anything.

Graphs stay symbolic (Dask's blockwise layers) until the scheduler has them, so that their size does not depend on the
number of blocks. Importing this room imports Dask; it refuses to compute.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import dask.array
import numpy as np
from dask.highlevelgraph import HighLevelGraph

from nwbzarr.arrays.spans import Spans
from nwbzarr.arrays.stored import StoredArray, read_windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Array = np.ndarray[Any, Any]

#: Decoded bytes of windows that one task reads.
WINDOW_BYTES = 32 * 2**20


def meta_of(ndim: int, dtype: Any) -> Array:
    """Return what tells Dask the kind of the blocks: an array of no values."""
    return np.empty((0,) * ndim, dtype)


@dataclass(frozen=True, slots=True)
class ReadBlock:
    """Reads the block of a stored array that has a number.

    Attributes
    ----------
    stored : StoredArray
        The array.
    spans : Spans
        Its blocks along the first axis.
    steps : tuple of int
        Size of a block along the other axes.
    """

    stored: StoredArray
    spans: Spans
    steps: tuple[int, ...]

    def __call__(self, block_id: tuple[int, ...] = ()) -> Array:
        """Return the values of a block."""
        across = [
            slice(index * step, min((index + 1) * step, size))
            for index, step, size in zip(block_id[1:], self.steps, self.stored.shape[1:], strict=True)
        ]
        return self.stored.read((self.spans.taken(block_id[0]), *across))


def read_blocks(stored: StoredArray, dtype: np.dtype[Any], spans: Spans, steps: Sequence[int]) -> Any:
    """Return a stored array as a Dask array, whose blocks may take rows of their neighbours.

    Parameters
    ----------
    stored : StoredArray
        The array; of one dimension at least.
    dtype : numpy.dtype
        Its dtype.
    spans : Spans
        Blocks along the first axis.
    steps : sequence of int
        Size of a block along the other axes.
    """
    across = [Spans(size, max(step, 1)) for size, step in zip(stored.shape[1:], steps, strict=True)]
    read = ReadBlock(stored, spans, tuple(part.step for part in across))
    location = f"{stored.place.url.name}{stored.path}"
    map_blocks: Any = dask.array.map_blocks
    return map_blocks(
        read,
        chunks=(spans.sizes_taken, *(part.sizes_taken for part in across)),
        dtype=dtype,
        meta=meta_of(len(stored.shape), dtype),
        name=f"{location}-{dask.base.tokenize(stored, spans, read.steps)}",
    )


def stored_blocks(stored: StoredArray, dtype: np.dtype[Any], objects: Sequence[int]) -> Any:
    """Return a stored array as a Dask array whose blocks are the stored objects."""
    if not stored.shape:
        return dask.array.from_delayed(dask.delayed(stored.read, pure=True)(()), (), dtype, meta_of(0, dtype))
    return read_blocks(stored, dtype, Spans(stored.shape[0], max(objects[0], 1)), objects[1:])


def as_dask(data: Any) -> Any:
    """Return data of any kind as a Dask array: what is one already as it is, anything else in blocks of rows."""
    if isinstance(data, dask.array.Array):
        return data
    if not hasattr(data, "shape"):
        data = np.asarray(data)
    return dask.array.from_array(data, chunks=getattr(data, "chunks", None) or "auto")


@dataclass(frozen=True, slots=True)
class ReadWindows:
    """Reads windows of a stored array that have the same length; what lies outside of it is NaN.

    Attributes
    ----------
    stored : StoredArray
        The array.
    count : int
        Rows of one window.
    dtype : numpy.dtype
        Dtype of what is given.
    """

    stored: StoredArray
    count: int
    dtype: np.dtype[Any]

    def __call__(self, starts: Array) -> Array:
        """Return the windows that begin at some rows: shape ``(len(starts), count, …)``."""
        return read_windows(self.stored, starts, self.count, self.dtype)


def window_blocks(source: Any, starts: Array, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Return windows as a Dask array, in blocks of windows.

    Parameters
    ----------
    source : StoredArray or dask.array.Array
        What they are windows of.
    starts : numpy.ndarray
        First row of each; windows of a Dask array must lie within it.
    shape : tuple of int
        Of all windows together.
    dtype : numpy.dtype
        Their dtype.
    """
    each = max(math.prod(shape[1:]) * dtype.itemsize, 1)
    chunks = Spans(len(starts), max(WINDOW_BYTES // each, 1)).sizes_taken
    if not isinstance(source, StoredArray):
        rows = np.clip(starts[:, None] + np.arange(shape[1]), 0, source.shape[0] - 1)
        within = (starts[:, None] + np.arange(shape[1]) == rows).reshape(*rows.shape, *[1] * (len(shape) - 2))
        found = source[rows.ravel()].reshape(shape).rechunk((chunks, *shape[1:]))
        return found if within.all() else dask.array.where(within, found, np.nan).astype(dtype)
    given = dask.array.from_array(starts, chunks=(chunks,))
    return given.map_blocks(
        ReadWindows(source, shape[1], dtype),
        dtype=dtype,
        new_axis=list(range(1, len(shape))),
        chunks=(chunks, *((size,) for size in shape[1:])),
        meta=meta_of(len(shape), dtype),
    )


def parts_of(array: Any) -> Iterator[Any]:
    """Yield what the tasks of a Dask array are made of."""
    graph = array.__dask_graph__()
    for layer in graph.layers.values() if isinstance(graph, HighLevelGraph) else (graph,):
        yield from _parts_of_layer(layer)


def _parts_of_layer(layer: Any) -> Iterator[Any]:
    task = getattr(layer, "task", None)
    if task is None:
        yield from itertools.chain.from_iterable(map(_parts, layer.values()))
        return
    yield from _parts(task)
    yield from itertools.chain.from_iterable(_parts(value) for value, _ in layer.indices)


def _parts(value: Any) -> Iterator[Any]:
    """Yield a part of a task, and what it is made of."""
    yield value
    if isinstance(value, ReadBlock | ReadWindows):
        yield value.stored
    elif isinstance(value, partial):
        yield from _parts((value.func, *value.args, *value.keywords.values()))
    elif isinstance(value, list | tuple | set):
        yield from itertools.chain.from_iterable(map(_parts, value))
    elif isinstance(value, dict):
        yield from itertools.chain.from_iterable(map(_parts, value.values()))
    elif hasattr(value, "func") and hasattr(value, "args") and hasattr(value, "kwargs"):
        yield from _parts((value.func, value.args, value.kwargs))
    elif hasattr(value, "value") and type(value).__name__ == "DataNode":
        yield from _parts(value.value)
