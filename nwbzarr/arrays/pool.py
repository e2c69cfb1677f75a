"""The threads that encode and decode chunks: as many as there are cores, shared by everything in this process.

Codecs release Python's lock while they work. Whoever waits for these threads must not be one of them.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

#: A thread keeps no more memory than this, in bytes.
_SCRATCH_LIMIT = 16 * 2**20

_lock = threading.Lock()
_pools: list[ThreadPoolExecutor] = []
_memory = threading.local()


def core_count() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def codec_pool() -> ThreadPoolExecutor:
    """Return the threads of this process."""
    with _lock:
        if not _pools:
            _pools.append(ThreadPoolExecutor(core_count(), thread_name_prefix="nwbzarr-codec"))
        return _pools[0]


def scratch(size: int) -> np.ndarray[Any, Any]:
    """Return memory (uint8) of this thread's own, to be used before the next call."""
    if size > _SCRATCH_LIMIT:
        return np.empty(size, np.uint8)
    kept: np.ndarray[Any, Any] | None = getattr(_memory, "block", None)
    if kept is None or kept.nbytes < size:
        kept = _memory.block = np.empty(size, np.uint8)
    return kept[:size]


def _forget() -> None:
    """Leave the parent's threads to the parent: a forked process has none of them."""
    _pools.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
