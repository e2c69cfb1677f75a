"""What is read of an array: the same selections for every tool, in every run; and the digest of what came."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Samples and neighbouring channels of one small window, and how many windows there are.
WINDOW = (300, 32)
WINDOWS = 100
SEED = 7

#: The windows once more, asked for at once.
TOGETHER = "together"

READS = ("all", "second", "windows", "channel")

Selection = Any


def selections(step: str, shape: tuple[int, ...], rate: int, windows: int = WINDOWS) -> list[Selection]:
    """Return what a step reads, one selection after another."""
    random = np.random.default_rng(SEED)
    if step == "all":
        return [...]
    if step == "second":
        start = int(random.integers(0, max(shape[0] - rate, 1)))
        return [(slice(start, min(start + rate, shape[0])), slice(None))]
    if step == "channel":
        return [(slice(None), int(random.integers(0, shape[1])))]
    firsts = random.integers(0, np.subtract(shape, WINDOW) + 1, (windows, 2)).tolist()
    return [(slice(row, row + WINDOW[0]), slice(channel, channel + WINDOW[1])) for row, channel in firsts]


def digest_of(parts: Iterable[np.ndarray[Any, Any]]) -> str:
    """Return a digest of values, shapes and dtypes."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(f"{part.shape} {part.dtype.newbyteorder('=').name};".encode())
        found.update(np.ascontiguousarray(part).data)
    return found.hexdigest()
