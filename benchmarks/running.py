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
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[1]
WORKERS = Path(__file__).resolve().parent / "workers"
TIMEOUT = 900

OURS = "nwbzarr"
PEERS = ("hdmf-zarr", "PyNWB HDF5")

#: Variables that would change what workers do; those that are meant to are given to `Interpreter.run`.
FOREIGN = ("PYTHON", "AWS_", "ZARR_", "NWBZARR_")


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
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        try:
            finished = subprocess.run(
                [self.python, WORKERS / worker, *map(str, arguments)],
                env={**inherited, **self.environment, **environment},
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            message = f"it took longer than {TIMEOUT} s"
            raise WorkerError(message) from error
        if finished.returncode:
            nothing = f"it said nothing, and ended with status {finished.returncode}"
            raise WorkerError((finished.stderr.strip().splitlines() or [nothing])[-1])
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
    for tool, turns in take_turns(measures, repeats, _took).items():
        for steps in turns:
            for step, seconds in steps.items():
                found[step][tool].append(seconds)
    return {step: {tool: Seconds(tuple(values)) for tool, values in tools.items()} for step, tools in found.items()}


def _took(steps: Mapping[str, float]) -> str:
    return ", ".join(f"{step} {seconds:.3f} s" for step, seconds in steps.items())


def take_turns(
    measures: Mapping[str, Callable[[], T]],
    repeats: Mapping[str, int],
    describe: Callable[[T], str],
    failures: MutableMapping[str, str] | None = None,
) -> dict[str, list[T]]:
    """Return tool to what it measured, each tool once, then each once more, and so on.

    Parameters
    ----------
    measures, repeats : mapping
        As for `by_turns`.
    describe : callable
        What is said about one measurement while the others run.
    failures : mapping of str to str, optional
        Takes the messages of tools whose worker failed; they get no further turn. Without it the run ends.
    """
    found: dict[str, list[T]] = {tool: [] for tool in measures}
    for turn in range(max(repeats.values(), default=0)):
        for tool, measure in measures.items():
            if turn >= repeats[tool] or (failures is not None and tool in failures):
                continue
            os.sync()
            try:
                result = measure()
            except WorkerError as error:
                if failures is None:
                    raise
                failures[tool] = str(error)
                print(f"  {turn + 1}. {tool} fails: {error}", file=sys.stderr)
                continue
            found[tool].append(result)
            print(f"  {turn + 1}. {tool}: {describe(result)}", file=sys.stderr)
    return found


@dataclass(frozen=True)
class Places:
    """Where tools store what they write: a new place each time, since a run deletes nothing before its end."""

    folder: Path

    def last(self, tool: str, suffix: str) -> Path:
        """Return where a tool has stored something last.

        Raises
        ------
        WorkerError
            When it has stored nothing.
        """
        taken = self._taken(tool, suffix)
        if not taken:
            message = f"{tool} has stored nothing"
            raise WorkerError(message)
        return max(taken)

    def free(self, tool: str, suffix: str) -> Path:
        """Return a place where nothing is, and nothing was."""
        return self._folder(tool) / f"{len(self._taken(tool, suffix)):03}{suffix}"

    def _taken(self, tool: str, suffix: str) -> list[Path]:
        return list(self._folder(tool).glob(f"*{suffix}"))

    def _folder(self, tool: str) -> Path:
        folder = self.folder / tool.replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        return folder
