"""Workers: one task in one fresh interpreter, and repeats of several tools by turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[1]
WORKERS = Path(__file__).resolve().parent / "workers"
TIMEOUT = 900

OURS = "nwbzarr"
PEERS = ("hdmf-zarr", "PyNWB HDF5")


class WorkerError(Exception):
    """A worker ended with an error; the last line of what it said is the message."""


@dataclass(frozen=True)
class Interpreter:
    """A Python to run workers in."""

    python: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def with_package(cls, python: str) -> Interpreter:
        """Return an interpreter that finds this checkout's nwbzarr, installed there or not."""
        return cls(python, {"PYTHONPATH": os.fspath(ROOT)})

    def run(self, worker: str, *arguments: object, **environment: str) -> dict[str, Any]:
        """Run a worker, and return what it prints.

        Raises
        ------
        WorkerError
            When it fails.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_"))}
        finished = subprocess.run(
            [self.python, WORKERS / worker, *map(str, arguments)],
            env={**inherited, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        if finished.returncode:
            raise WorkerError((finished.stderr.strip().splitlines() or ["it said nothing"])[-1])
        found: dict[str, Any] = json.loads(finished.stdout)
        return found

    def has(self, module: str) -> bool:
        """Whether a module can be imported there."""
        try:
            self.run("time_import.py", f"import {module}")
        except (WorkerError, OSError):
            return False
        return True


@dataclass(frozen=True)
class Seconds:
    """Repeated measurements of one step with one tool."""

    values: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median."""
        return median(self.values)

    def __str__(self) -> str:
        low, high = min(self.values), max(self.values)
        digits = 3 if self.middle < 1 else 2
        spread = f", {low:.{digits}f} to {high:.{digits}f}" if len(self.values) > 1 else ""
        return f"{self.middle:.{digits}f} s (n={len(self.values)}{spread})"

    def report(self) -> dict[str, Any]:
        """Return the figures for JSON."""
        return {
            "n": len(self.values),
            "median": self.middle,
            "min": min(self.values),
            "max": max(self.values),
            "all": self.values,
        }


def by_turns(
    measures: Mapping[str, Callable[[], Mapping[str, float]]], repeats: Mapping[str, int]
) -> dict[str, dict[str, Seconds]]:
    """Return step to tool to seconds, measured by turns: each tool once, then each once more, and so on.

    The disk settles before each measurement, so that nobody pays for what another has written.

    Parameters
    ----------
    measures : mapping of str to callable
        Tool to what measures it once, and returns step to seconds.
    repeats : mapping of str to int
        Tool to how often.
    """
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for turn in range(max(repeats.values())):
        for tool, measure in measures.items():
            if turn >= repeats[tool]:
                continue
            os.sync()
            steps = measure()
            for step, seconds in steps.items():
                found[step][tool].append(seconds)
            took = ", ".join(f"{step} {seconds:.3f} s" for step, seconds in steps.items())
            print(f"  {turn + 1}. {tool}: {took}", file=sys.stderr)
    return {step: {tool: Seconds(tuple(values)) for tool, values in tools.items()} for step, tools in found.items()}
