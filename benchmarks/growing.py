"""Growth: ten times the data and ten times the objects, with nwbzarr alone; and the objects of an hour, planned."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from array_rows import NOTHING, ArrayRow, at_most, rounded
from measuring import ArrayWorker, Measurement, Outcomes, Samples, failures_of, repeat
from running import OURS, Places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from running import Interpreter

FACTORS = (1, 3, 10)
SUFFIX = ".nwb.zarr"
MOST = 1.3

#: Shape of a small object, and of the chunks in it.
SMALL_SHARD, SMALL_CHUNK = (250, 384), (250, 96)

#: What an hour may come to.
HOUR, MOST_OBJECTS = (3600 * 30_000, 384), 1000


@dataclass(frozen=True)
class Size:
    """One size that is tried.

    Attributes
    ----------
    units : int
        Decoded bytes, or objects: what the cost is divided by.
    options : dict
        How nwbzarr is asked to store it.
    """

    name: str
    units: int
    samples: Samples
    options: dict[str, Any]


@dataclass(frozen=True)
class Growth:
    """What every size came to: step to size to outcome."""

    unit: str
    sizes: tuple[Size, ...]
    steps: dict[str, Outcomes]

    def cost(self, step: str, size: Size) -> float | None:
        """Return the median seconds for each unit."""
        outcome = self.steps[step][size.name]
        return outcome.seconds.middle / size.units if outcome.turns else None

    def ratio(self, step: str) -> float | None:
        """Return the cost of a unit at the largest size, by that at the smallest."""
        least, most = self.cost(step, self.sizes[0]), self.cost(step, self.sizes[-1])
        return None if least is None or most is None else most / least

    def report(self) -> dict[str, Any]:
        """Return everything for JSON."""
        steps = {step: {name: one.report() for name, one in outcomes.items()} for step, outcomes in self.steps.items()}
        return {"unit": self.unit, "units": {size.name: size.units for size in self.sizes}, "steps": steps}


@dataclass(frozen=True)
class GrowthBench:
    """The interpreter, the folder and the repeats of one kind of growth."""

    interpreter: Interpreter
    places: Places
    repeats: int

    def run(self, unit: str, sizes: tuple[Size, ...]) -> Growth:
        """Return what writing and reading each size took, by turns."""
        found: dict[str, Outcomes] = {}
        for step in ("write", "all"):
            print(f"growth of {unit}: {step}", file=sys.stderr)
            measures = {size.name: partial(self._step, step, size) for size in sizes}
            failed = failures_of(found["write"]) if found else {}
            found[step] = repeat(measures, dict.fromkeys(measures, self.repeats), failed)
        return Growth(unit, sizes, found)

    def _step(self, step: str, size: Size) -> Measurement:
        worker = ArrayWorker(self.interpreter, "local", size.samples)
        if step == "write":
            return worker.write(OURS, self.places.free(size.name, SUFFIX), options=size.options)
        return worker.read(OURS, step, self.places.last(size.name, SUFFIX))


def growth_rows(found: Growth, what: str) -> Iterator[ArrayRow]:
    """Yield a row for each step and size; the ratio is that of the cost of one unit."""
    for step, word in (("write", "write"), ("all", "open, read all")):
        for size in found.sizes:
            outcome = found.steps[step][size.name]
            base, cost = found.cost(step, found.sizes[0]), found.cost(step, size)
            last = size is found.sizes[-1]
            grown = cost / base if cost is not None and base is not None else None
            yield ArrayRow(
                f"growth: {word}, {size.name}",
                "nwbzarr" if not size.options else f"nwbzarr, shards {SMALL_SHARD}, chunks {SMALL_CHUNK}",
                f"{outcome.seconds}, {_each(cost, what)}" if cost is not None else f"fails: {outcome.failure}",
                NOTHING if grown is None else f"**{rounded(grown)}x** {what}, to the smallest",
                targets=(at_most(f"{what}, to the smallest", found.ratio(step), MOST),) if last else (),
            )


def _each(cost: float, what: str) -> str:
    return (
        f"{1e3 * cost:.3f} ms {what}" if what == "per object" else f"{1e9 * cost:.3f} ms {what.replace('byte', 'MB')}"
    )


def hour_row(interpreter: Interpreter) -> ArrayRow:
    """Return the row of the objects that an hour of 384 channels is cut into."""
    planned = interpreter.run("plan_objects.py", *HOUR)
    count = planned["objects"]
    return ArrayRow(
        "objects of one hour of 384 channels at 30 kHz, int16 (planned, not written)",
        "nwbzarr",
        f"{count:,} objects of shape {tuple(planned['shape'])}, chunks {tuple(planned['chunks'])}",
        targets=(at_most("objects", count, MOST_OBJECTS, ""),),
    )
