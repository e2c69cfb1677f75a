"""What is wanted of chunks, where their bytes are, and which come with one request. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nwbzarr.arrays.parts import Part

Array = np.ndarray[Any, Any]

#: Chunks of one object come with one request while there are no more than this many unwanted bytes between two of them,
#: and no more than this many bytes in all.
GAP_BYTES = 256 * 2**10
RANGE_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part, and the memory that it goes into."""

    part: Part
    target: Array


@dataclass(frozen=True, slots=True)
class Piece:
    """A part, and where its chunk's bytes are: from `start` to `stop` of an object, or the whole of it."""

    part: Part
    target: Array
    key: str
    start: int = 0
    stop: int | None = None


def plan_runs(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """Return pieces in groups of which each comes with one request."""
    runs: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: (piece.key, piece.start)):
        last = runs[-1][-1] if runs else None
        if (
            last is not None
            and last.key == piece.key
            and last.stop is not None
            and piece.stop is not None
            and piece.start - last.stop <= GAP_BYTES
            and piece.stop - runs[-1][0].start <= RANGE_BYTES
        ):
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return runs


def within(data: Any, piece: Piece, start: int) -> Any:
    """Return a piece's bytes out of those of its run, which begin at `start`."""
    return data if data is None or piece.stop is None else data[piece.start - start : piece.stop - start]
