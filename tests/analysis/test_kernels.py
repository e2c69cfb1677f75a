"""What a block's kernels do with values, without any array of a session."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nwbzarr.analysis.kernels import cast, lines_of, put_lines
from nwbzarr.errors import AnalysisError

INTEGERS = tuple(np.dtype(kind) for kind in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"))
FLOATS = tuple(np.dtype(kind) for kind in ("f2", "f4", "f8"))


def nearest(value: float, dtype: np.dtype[Any]) -> int:
    """Return what one value is in a dtype of integers, by Python's own numbers."""
    limits = np.iinfo(dtype)
    if np.isinf(value):
        return limits.max if value > 0 else limits.min
    return min(max(round(float(value)), limits.min), limits.max)


@given(data=st.data(), dtype=st.sampled_from(INTEGERS), kind=st.sampled_from(FLOATS))
def test_integers_are_the_nearest_and_end_at_their_limits(
    data: st.DataObject, dtype: np.dtype[Any], kind: np.dtype[Any]
) -> None:
    with np.errstate(over="ignore"):
        borders = [kind.type(limit) for limit in (np.iinfo(dtype).min, np.iinfo(dtype).max)]
    near = [float(np.nextafter(border, kind.type(to))) for border in borders for to in (-np.inf, 0, np.inf)]
    values = data.draw(
        hnp.arrays(
            kind,
            st.integers(0, 6),
            elements=st.one_of(
                st.sampled_from([float(border) for border in borders] + near),
                hnp.from_dtype(kind, allow_nan=False),
            ),
        )
    )
    assert cast(values, dtype).tolist() == [nearest(value, dtype) for value in values]


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_nan_is_no_integer(dtype: np.dtype[Any]) -> None:
    with pytest.raises(AnalysisError, match="has no NaN"):
        cast(np.array([0.0, np.nan]), dtype)


@given(rows=st.integers(0, 1100), channels=st.integers(1, 3))
def test_lines_are_the_block_turned_round_and_back(rows: int, channels: int) -> None:
    block = np.arange(rows * channels, dtype=np.int32).reshape(rows, channels)
    lines = lines_of(block)
    assert lines.flags.c_contiguous
    np.testing.assert_array_equal(lines, block.T)
    back = np.full_like(block, -1)
    put_lines(lines, back)
    np.testing.assert_array_equal(back, block)
