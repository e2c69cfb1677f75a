"""Rows of a chunked array that are asked for in other steps than its chunks: none of them is decoded twice."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class AlignedRows:
    """An array that is read by whole rows of chunks, in the order of its rows.

    What was decoded beyond a region is kept for the next one. Any region may be asked for; those that follow each other
    cost the least. One thread at a time.

    Parameters
    ----------
    data : array_like
        With ``shape``, ``dtype`` and slicing.
    rows : int
        Rows of one chunk.
    """

    def __init__(self, data: Any, rows: int) -> None:
        self._data = data
        self._rows = rows
        self.shape: tuple[int, ...] = tuple(data.shape)
        self.dtype = data.dtype
        self._kept: tuple[int, tuple[slice, ...], Array] | None = None

    def __getitem__(self, region: tuple[slice, ...]) -> Array:
        """Return a region, given by a slice with start and stop for each axis."""
        rows, rest = region[0], tuple(region[1:])
        made: Array = np.empty([part.stop - part.start for part in region], self.dtype)
        begin = self._take_kept(made, rows, rest)
        if begin == rows.stop:
            return made
        first = begin - begin % self._rows
        end = min(-(-rows.stop // self._rows) * self._rows, self.shape[0])
        found = np.asarray(self._data[(slice(first, end), *rest)])
        made[begin - rows.start :] = found[begin - first : rows.stop - first]
        # A copy, so that what is left does not hold the rest in memory.
        self._kept = rows.stop, rest, found[rows.stop - first :].copy()
        return made

    def _take_kept(self, made: Array, rows: slice, rest: tuple[slice, ...]) -> int:
        """Put what is kept in its place; return the first row that is missing."""
        if self._kept is None or self._kept[:2] != (rows.start, rest):
            return int(rows.start)
        kept = self._kept[2]
        count = min(len(kept), len(made))
        made[:count] = kept[:count]
        self._kept = rows.start + count, rest, kept[count:]
        return int(rows.start) + count
