"""hdmf's data chunk iterators as blocks along the first dimension.

Chunks that come in another order than that of the rows are gathered in a temporary file, so that memory stays bounded.
"""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np
from hdmf.data_utils import DataChunkIterator

if TYPE_CHECKING:
    from collections.abc import Iterator


def blocks_of(data: Any) -> Any:
    """Return what a data chunk iterator gives, as an iterator of blocks or as an array.

    Parameters
    ----------
    data : AbstractDataChunkIterator
        Not begun.
    """
    if isinstance(data, DataChunkIterator) and getattr(data, "iter_axis", 0) == 0:
        return _rows(data)
    return _gathered(data)


def _rows(data: Any) -> Iterator[np.ndarray[Any, Any]]:
    """Yield the rows of an iterator that goes along the first dimension."""
    for chunk in data:
        if chunk.data is None:
            continue
        values = np.asarray(chunk.data)
        selection = chunk.selection[0] if isinstance(chunk.selection, tuple) else chunk.selection
        yield values if isinstance(selection, slice) or values.ndim == len(data.maxshape) else values[np.newaxis]


def _gathered(data: Any) -> np.ndarray[Any, Any]:
    """Return all chunks at their places, in a file that goes when the array does."""
    chunks = list(data) if None in data.maxshape else data
    shape = _extent(chunks, len(data.maxshape)) if isinstance(chunks, list) else tuple(data.maxshape)
    dtype = np.dtype(data.dtype)
    if dtype.kind == "O" or 0 in shape:
        made: np.ndarray[Any, Any] = np.empty(shape, dtype)
    else:
        with tempfile.TemporaryFile() as file:
            made = np.memmap(file, dtype, "w+", shape=shape)
    for chunk in chunks:
        if chunk.data is not None:
            made[chunk.selection] = chunk.data
    return made


def _extent(chunks: list[Any], ndim: int) -> tuple[int, ...]:
    """Return the shape that holds all chunks."""
    stops = [[0] * ndim]
    for chunk in chunks:
        selection = chunk.selection if isinstance(chunk.selection, tuple) else (chunk.selection,)
        ends = [part.stop if isinstance(part, slice) else int(np.max(part)) + 1 for part in selection]
        rest = np.asarray(chunk.data).shape[len(ends) - ndim :] if len(ends) < ndim else ()
        stops.append([*ends, *rest])
    return tuple(int(size) for size in np.max(np.array(stops), axis=0))
