"""One array and one step with one tool: measured in a worker, and compared with what was written."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from running import Interpreter, Seconds, take_turns
from workers.array_steps import TOGETHER, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

WORKER = "work_arrays.py"


class WrongValuesError(Exception):
    """A tool read other values than were written: the run ends."""


@dataclass(frozen=True)
class Measurement:
    """One step, once.

    Attributes
    ----------
    seconds, processor : float
        Wall-clock and processor seconds; reading includes opening.
    opening : float or None
        Wall-clock seconds of opening alone.
    peak : int or None
        The most bytes resident, above what was resident before.
    counts : mapping
        What a proxy has counted, for S3.
    """

    seconds: float
    processor: float
    opening: float | None = None
    peak: int | None = None
    counts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Measurement:
        """Return what a worker has said."""
        wall, processor = found["seconds"], found["processor seconds"]
        return cls(sum(wall.values()), sum(processor.values()), wall.get("open"), found["peak"])

    def __str__(self) -> str:
        requests = f", {self.counts['requests']} requests" if self.counts else ""
        return f"{self.seconds:.3f} s{requests}"


@dataclass(frozen=True)
class Outcome:
    """One step with one tool, as often as it was measured; and why it failed, if it did."""

    turns: tuple[Measurement, ...] = ()
    failure: str | None = None

    @property
    def seconds(self) -> Seconds:
        """Wall-clock seconds."""
        return Seconds(tuple(each.seconds for each in self.turns))

    @property
    def peak(self) -> float | None:
        """The median of the peaks of memory."""
        peaks = [each.peak for each in self.turns if each.peak is not None]
        return median(peaks) if peaks else None

    def counted(self, what: str) -> float | None:
        """Return the median of what a proxy has counted."""
        found = [each.counts[what] for each in self.turns if what in each.counts]
        return median(found) if found else None

    def report(self) -> dict[str, Any]:
        """Return everything for JSON."""
        seconds = self.seconds.report() if self.turns else {}
        return {**seconds, "failure": self.failure, "turns": [asdict(each) for each in self.turns]}


Outcomes = dict[str, Outcome]


def ratio(theirs: Outcome | None, ours: Outcome | None) -> float | None:
    """Return how many times as long they take, by medians; None when one of them was not measured."""
    if theirs is None or ours is None or not (theirs.turns and ours.turns):
        return None
    return theirs.seconds.middle / ours.seconds.middle


def repeat(
    measures: Mapping[str, Callable[[], Measurement]],
    repeats: Mapping[str, int],
    failed: Mapping[str, str] | None = None,
) -> Outcomes:
    """Return tool to outcome, measured by turns; tools that have `failed` before get no turn."""
    failures = dict(failed or {})
    found = take_turns(measures, repeats, str, failures)
    return {tool: Outcome(tuple(turns), failures.get(tool)) for tool, turns in found.items()}


def failures_of(outcomes: Outcomes) -> dict[str, str]:
    """Return the tools that have failed, with the reason."""
    return {tool: outcome.failure for tool, outcome in outcomes.items() if outcome.failure is not None}


@dataclass(frozen=True)
class Samples:
    """The first rows of a recording, and what reading them must give.

    Attributes
    ----------
    digests : mapping of str to str
        Step to digest.
    """

    place: Path
    shape: tuple[int, ...]
    rate: float
    windows: int
    digests: Mapping[str, str]

    @property
    def nbytes(self) -> int:
        """Decoded bytes: the samples are int16."""
        return 2 * self.shape[0] * (self.shape[1] if len(self.shape) > 1 else 1)

    @classmethod
    def take(
        cls, interpreter: Interpreter, place: Path, shape: tuple[int, ...], rate: float, windows: int = WINDOWS
    ) -> Samples:
        """Return the first rows of the recording at a place."""
        asked = ("--rows", shape[0], "--rate", rate, "--windows", windows)
        return cls(place, shape, rate, windows, interpreter.run("save_recording.py", "digest", place, *asked))


@dataclass(frozen=True)
class ArrayWorker:
    """Runs steps on one array.

    Attributes
    ----------
    where : str
        ``"local"`` or ``"remote"``: which tools it knows.
    """

    interpreter: Interpreter
    where: str
    samples: Samples

    def write(
        self,
        tool: str,
        place: object,
        layout: Path | None = None,
        options: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Measurement:
        """Store the array."""
        samples = self.samples
        asked = ["--recording", samples.place, "--rows", samples.shape[0], "--rate", samples.rate]
        asked += ["--layout", layout] if layout is not None else []
        asked += ["--options", json.dumps(options)] if options else []
        found = self.interpreter.run(WORKER, self.where, tool, "write", place, *asked, **(environment or {}))
        return Measurement.of(found)

    def read(
        self,
        tool: str,
        step: str,
        place: object,
        digest: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Measurement:
        """Read a part of the array.

        Raises
        ------
        WrongValuesError
            When it is not what was written.
        """
        samples = self.samples
        asked = ["--shape", json.dumps(samples.shape), "--rate", samples.rate, "--windows", samples.windows]
        found = self.interpreter.run(WORKER, self.where, tool, step, place, *asked, **(environment or {}))
        if found["digest"] != (digest or samples.digests["windows" if step == TOGETHER else step]):
            message = f"{tool} read other values than were written: {step} of {place}"
            raise WrongValuesError(message)
        return Measurement.of(found)
