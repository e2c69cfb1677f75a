"""Seconds, processor seconds and peak memory of the steps of one process."""

from __future__ import annotations

import re
from pathlib import Path

from work_session import Steps

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Gauge(Steps):
    """Steps that follow each other, and the most memory that they took, above what was taken before them.

    The memory is None where the system does not tell (it takes Linux).
    """

    def __init__(self) -> None:
        self._before = _forget_peak()
        super().__init__()

    def peak(self) -> int | None:
        """Return how many bytes more than at the start were resident at most."""
        peak = _resident("VmHWM")
        return None if peak is None or self._before is None else max(peak - self._before, 0)


def _forget_peak() -> int | None:
    """Let the peak start from what is resident now, and return that."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return None
    return _resident("VmRSS")


def _resident(name: str) -> int | None:
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    except OSError:
        return None
    return None if found is None else int(found[1]) * 1024
