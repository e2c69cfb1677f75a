"""One task with one tool, in a fresh interpreter: prints the seconds of its steps, and what it saw, as JSON.

``python work_session.py nwbzarr write /tmp/session.nwb.zarr --series 1000``. What stands before the first step (the
start of Python, imports, the samples) is not timed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

from session import TOOLS, make_samples, make_session, read_scalars, series_name, touch

if TYPE_CHECKING:
    from collections.abc import Callable


class Steps:
    """Wall-clock and processor seconds of steps that follow each other."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.processor: dict[str, float] = {}
        self._last = self._now()

    def done(self, step: str) -> None:
        """Note that a step ends now, and the next begins."""
        now = self._now()
        self.seconds[step], self.processor[step] = now[0] - self._last[0], now[1] - self._last[1]
        self._last = self._now()

    def report(self) -> dict[str, Any]:
        """Return the seconds of all steps."""
        return {"seconds": self.seconds, "processor seconds": self.processor}

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()


def write(library: Any, io_class: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """Make a session and store it."""
    samples = make_samples(arguments.series)
    steps = Steps()
    session = make_session(library, samples)
    steps.done("make")
    with io_class(arguments.place, mode="w") as io:
        io.write(session)
    steps.done("write")
    return steps.report()


def read(_: Any, io_class: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """Open a session and touch every container; then, untimed, compare the samples of the last one."""
    steps = Steps()
    with io_class(arguments.place, mode="r") as io:
        session = io.read()
        steps.done("open")
        seen = touch(session)
        steps.done("touch")
        last = session.acquisition[series_name(arguments.series - 1)].data[:]
    right = (last == make_samples(arguments.series)[-1]).all()
    return {**steps.report(), "seen": seen, "right": bool(right)}


def scalars(_: Any, io_class: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """Open a session and read every scalar."""
    with io_class(arguments.place, mode="r") as io:
        return {"scalars": read_scalars(io.read())}


def derive(_: Any, io_class: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """Store a copy of the session at `source`: its series become links."""
    with io_class(arguments.source, mode="r") as source:
        copied = source.read().copy()
        with io_class(arguments.place, mode="w", manager=source.manager) as io:
            io.write(copied)
    return {}


def open_only(_: Any, io_class: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """Open a session."""
    with io_class(arguments.place, mode="r") as io:
        return {"identifier": io.read().identifier}


def follow(_: Any, io_class: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """Open a session and read two scalars of one linked series."""
    with io_class(arguments.place, mode="r") as io:
        series = io.read().acquisition[series_name(0)]
        return {"rate": series.rate, "unit": series.unit}


TASKS: dict[str, Callable[[Any, Any, argparse.Namespace], dict[str, Any]]] = {
    "write": write,
    "read": read,
    "scalars": scalars,
    "derive": derive,
    "open": open_only,
    "follow": follow,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool", choices=TOOLS)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("place")
    parser.add_argument("--source")
    parser.add_argument("--series", type=int, default=0)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    library, io_class = TOOLS[arguments.tool].load()
    json.dump(TASKS[arguments.task](library, io_class, arguments), sys.stdout)


if __name__ == "__main__":
    main()
