"""A box of an array, cut along its chunks. Pure.

A *box* has for each axis a slice with a positive step, or sorted distinct indices; what it selects is the product.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Part:
    """What one chunk gives to a box.

    Attributes
    ----------
    chunk : tuple of int
        Index of the chunk in the array's grid.
    inside : tuple
        For each axis a slice or indices within the chunk.
    target : tuple of slice
        Where it goes in what the box gives.
    """

    chunk: tuple[int, ...]
    inside: tuple[Any, ...]
    target: tuple[slice, ...]

    def pick(self, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the part's values out of those of the chunk."""
        basic = tuple(part if isinstance(part, slice) else slice(None) for part in self.inside)
        picked = values[basic]
        for axis, part in enumerate(self.inside):
            if not isinstance(part, slice):
                picked = picked.take(part, axis)
        return picked


def plan_parts(box: Sequence[Any], shape: Sequence[int], chunks: Sequence[int]) -> Iterator[Part]:
    """Yield what each chunk gives to a box, in C order of chunks.

    Parameters
    ----------
    box : sequence of slice or numpy.ndarray
        One for each axis: a slice with a positive step, or sorted distinct indices.
    shape, chunks : sequence of int
        Of the array.
    """
    axes = [list(_cut(part, size, step)) for part, size, step in zip(box, shape, chunks, strict=True)]
    for pieces in itertools.product(*axes):
        yield Part(
            tuple(piece[0] for piece in pieces),
            tuple(piece[1] for piece in pieces),
            tuple(piece[2] for piece in pieces),
        )


def box_shape(box: Sequence[Any], shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of what a box gives."""
    return tuple(
        len(range(*part.indices(size))) if isinstance(part, slice) else len(part)
        for part, size in zip(box, shape, strict=True)
    )


def _cut(part: Any, size: int, step: int) -> Iterator[tuple[int, Any, slice]]:
    """Yield chunk number, selection within the chunk, and place in the result along one axis."""
    if not isinstance(part, slice):
        numbers = part // step
        edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(part)] if len(part) else [0]
        for first, last in itertools.pairwise(edges):
            number = int(numbers[first])
            yield number, part[first:last] - number * step, slice(first, last)
        return
    taken = range(*part.indices(size))
    if not taken:
        return
    for number in range(taken[0] // step, taken[-1] // step + 1):
        first = max(-((taken.start - number * step) // taken.step), 0)
        last = min(-((taken.start - (number + 1) * step) // taken.step), len(taken))
        if first < last:
            low, high = taken[first] - number * step, taken[last - 1] - number * step + 1
            yield number, slice(low, high, taken.step), slice(first, last)
