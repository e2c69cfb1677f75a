"""Spans: blocks cover all rows once, take what they need of their neighbours, and know which rows of theirs to keep."""

from __future__ import annotations

import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nwbzarr.arrays.spans import Spans

LENGTHS = st.integers(0, 400)
STEPS = st.integers(1, 150)
REACHES = st.integers(0, 60)
RATIOS = st.sampled_from([(1, 1), (1, 2), (1, 7), (3, 1), (2, 5), (7, 3), (9, 8), (4, 6)])
PLANS = st.sampled_from(["around", "beside"])


@st.composite
def plans(draw: Any, ratios: Any = RATIOS) -> tuple[Spans, dict[str, int]]:
    up, down = draw(ratios)
    asked = {
        "length": draw(LENGTHS),
        "step": draw(STEPS),
        "before": draw(REACHES),
        "after": draw(REACHES),
        "up": up,
        "down": down,
    }
    return getattr(Spans, draw(PLANS))(**asked), asked


def own(spans: Spans) -> list[slice]:
    """Return the rows of each block, without those of its neighbours."""
    stops = np.cumsum(spans.sizes_alone)
    return [slice(int(stop) - size, int(stop)) for stop, size in zip(stops, spans.sizes_alone, strict=True)]


@given(plans())
def test_blocks_cover_all_rows_once(planned: tuple[Spans, dict[str, int]]) -> None:
    spans, asked = planned
    assert spans.length == asked["length"] == sum(spans.sizes_alone)
    assert len(spans.sizes_alone) == len(spans.sizes_taken) == len(spans.sizes_given) == spans.count >= 1
    if spans.length:
        assert min(spans.sizes_alone) >= 1


@given(plans())
def test_given_rows_follow_each_other(planned: tuple[Spans, dict[str, int]]) -> None:
    spans, asked = planned
    given_rows = [spans.given(block) for block in range(spans.count)]
    assert given_rows[0].start == 0
    assert given_rows[-1].stop == spans.total == -(-asked["length"] * asked["up"] // asked["down"])
    assert all(one.stop == next_one.start for one, next_one in pairwise(given_rows))
    assert spans.sizes_given == tuple(rows.stop - rows.start for rows in given_rows)


@given(plans())
def test_blocks_take_what_they_need_and_there_is(planned: tuple[Spans, dict[str, int]]) -> None:
    spans, asked = planned
    assert spans.before >= asked["before"] or spans.count == 1
    assert spans.after >= asked["after"] or spans.count == 1
    for block, rows in enumerate(own(spans)):
        taken = spans.taken(block)
        assert 0 <= taken.start <= taken.stop <= spans.length
        assert taken.start <= max(rows.start - asked["before"], 0)
        assert taken.stop >= min(rows.stop + asked["after"], spans.length)
        assert spans.sizes_taken[block] == taken.stop - taken.start


@given(plans())
def test_kept_rows_are_the_given_ones(planned: tuple[Spans, dict[str, int]]) -> None:
    """A function of whole blocks that marks each row by its place puts each where it belongs."""
    spans, asked = planned
    up, down = asked["up"], asked["down"]
    for block in range(spans.count):
        taken, given_rows, kept = spans.taken(block), spans.given(block), spans.kept(block)
        made = -(-(taken.stop - taken.start) * up // down)
        assert 0 <= kept.start <= kept.stop <= made
        places = np.arange(taken.start * up, taken.start * up + made * down, down)[kept]
        assert places.tolist() == [row * down for row in range(given_rows.start, given_rows.stop)]


@given(plans())
def test_blocks_begin_where_a_given_row_stands(planned: tuple[Spans, dict[str, int]]) -> None:
    spans, asked = planned
    assert spans.step % asked["down"] == 0
    assert spans.before % asked["down"] == 0
    for block in range(spans.count):
        assert spans.taken(block).start % asked["down"] == 0


@given(LENGTHS, STEPS, REACHES, REACHES, RATIOS)
def test_blocks_beside_each_other_share_with_the_next_only(
    length: int, step: int, before: int, after: int, ratio: tuple[int, int]
) -> None:
    spans = Spans.beside(length, step, before, after, *ratio)
    rows = own(spans)
    for block in range(spans.count):
        taken = spans.taken(block)
        first, last = max(block - 1, 0), min(block + 1, spans.count - 1)
        assert rows[first].start <= taken.start
        assert taken.stop <= rows[last].stop
    if spans.count > 1:
        # Each has all the rows that its neighbours need.
        assert min(spans.sizes_alone) >= max(spans.before, spans.after)


@given(LENGTHS, STEPS, REACHES, REACHES, RATIOS)
def test_blocks_are_about_as_long_as_asked(
    length: int, step: int, before: int, after: int, ratio: tuple[int, int]
) -> None:
    assume(length)
    spans = Spans.around(length, step, before, after, *ratio)
    assert max(spans.sizes_alone) <= step + ratio[1]
    assert spans.count <= -(-length // max(step - ratio[1], 1))


@given(plans(st.just((1, 1))))
def test_rows_filtered_by_blocks_are_those_of_the_whole(planned: tuple[Spans, dict[str, int]]) -> None:
    spans, asked = planned
    values = np.random.default_rng(0).integers(0, 9, spans.length)

    def sums(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        padded = np.concatenate([np.zeros(asked["before"], int), rows, np.zeros(asked["after"], int)])
        width = asked["before"] + asked["after"] + 1
        return np.lib.stride_tricks.sliding_window_view(padded, width).sum(axis=1) if len(rows) else rows

    found = [sums(values[spans.taken(block)])[spans.kept(block)] for block in range(spans.count)]
    assert np.concatenate(found).tolist() == sums(values).tolist()


@pytest.mark.parametrize("plan", ["around", "beside"])
def test_no_rows_are_one_block_of_none(plan: str) -> None:
    spans = getattr(Spans, plan)(0, 10, 3, 3)
    assert spans.count == 1
    assert spans.total == 0
    assert spans.taken(0) == spans.given(0) == slice(0, 0)


def test_spans_are_values() -> None:
    spans = Spans.around(1000, 64, 10, 20, 2, 5)
    again = pickle.loads(pickle.dumps(spans))  # noqa: S301 - made above
    assert again == spans
    assert hash(again) == hash(spans)
