"""Rows that are read by whole chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nwbzarr.writing.aligned import AlignedRows

CELLS = np.arange(300).reshape(100, 3)


class Counted:
    """An array that notes which rows were read."""

    shape, dtype = CELLS.shape, CELLS.dtype

    def __init__(self) -> None:
        self.read: list[int] = []

    def __getitem__(self, region: tuple[slice, ...]) -> Any:
        self.read += range(region[0].start, region[0].stop)
        return CELLS[region]


@given(st.integers(1, 120), st.lists(st.tuples(st.integers(0, 99), st.integers(1, 100), st.integers(0, 2))))
def test_any_regions(rows: int, asked: list[tuple[int, int, int]]) -> None:
    aligned = AlignedRows(CELLS, rows)
    for start, count, column in asked:
        region = (slice(start, min(start + count, 100)), slice(column, 3))
        np.testing.assert_array_equal(aligned[region], CELLS[region])


@given(st.integers(1, 120), st.integers(1, 120))
def test_rows_in_order_are_read_once(rows: int, step: int) -> None:
    counted = Counted()
    aligned = AlignedRows(counted, rows)
    found = [aligned[slice(start, min(start + step, 100)), slice(0, 3)] for start in range(0, 100, step)]
    np.testing.assert_array_equal(np.concatenate(found), CELLS)
    assert counted.read == list(range(100))
