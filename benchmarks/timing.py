"""Seconds: writing, opening and importing, measured in fresh interpreters."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from running import OURS, Interpreter, Places, Seconds, WorkerError, by_turns
from workers.session import TOOLS, expected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Steps = dict[str, dict[str, Seconds]]

IMPORTS = {
    "import": {OURS: "import nwbzarr", "PyNWB HDF5": "import pynwb"},
    "import all": {
        OURS: "from nwbzarr import NWBFile, NWBZarrIO, TimeSeries",
        "hdmf-zarr": "from pynwb import NWBFile, TimeSeries; from hdmf_zarr import NWBZarrIO",
        "PyNWB HDF5": "from pynwb import NWBFile, NWBHDF5IO, TimeSeries",
    },
}


@dataclass(frozen=True)
class Bench:
    """What one run works with."""

    interpreters: Mapping[str, Interpreter]
    folder: Path
    series: int
    repeats: int
    slow_repeats: int

    def place(self, tool: str) -> Path:
        """Return where a tool has stored its session last."""
        return Places(self.folder).last(tool, TOOLS[tool].suffix)

    def free_place(self, tool: str) -> Path:
        """Return a place for a tool's session where nothing is, and nothing was."""
        return Places(self.folder).free(tool, TOOLS[tool].suffix)

    def repeat(self, task: Callable[[Bench, str], dict[str, float]], slow: tuple[str, ...] = ()) -> Steps:
        """Return what a task takes each tool, measured by turns."""
        fewer = min(self.repeats, self.slow_repeats)
        measures = {tool: partial(task, self, tool) for tool in self.interpreters}
        return by_turns(measures, {tool: fewer if tool in slow else self.repeats for tool in measures})


def time_all(bench: Bench) -> Steps:
    """Return all timed steps."""
    print("write", file=sys.stderr)
    found = bench.repeat(time_write, slow=("hdmf-zarr",))
    print("open and touch", file=sys.stderr)
    found |= bench.repeat(time_read)
    print("import", file=sys.stderr)
    for tool in bench.interpreters:
        time_imports(bench, tool)  # once before, so that all bytecode is there
    return found | bench.repeat(time_imports)


def time_write(bench: Bench, tool: str) -> dict[str, float]:
    """Make the session and write it; with ours, write the same files plainly, to know the disk."""
    place, run = bench.free_place(tool), bench.interpreters[tool].run
    steps = _flat(run("work_session.py", tool, "write", place, "--series", bench.series))
    if tool != OURS:
        return steps
    return steps | {"plain": run("write_plain.py", place, place.with_suffix(".plain"))["seconds"]}


def time_read(bench: Bench, tool: str) -> dict[str, float]:
    """Open and touch what the tool has written, and check what was seen."""
    place = bench.place(tool)
    found = bench.interpreters[tool].run("work_session.py", tool, "read", place, "--series", bench.series)
    if found["seen"] != expected(bench.series) or not found["right"]:
        message = f"{tool} read other values than were written: {found}"
        raise WorkerError(message)
    steps = _flat(found)
    return steps | {"open and touch": steps["open"] + steps["touch"]}


def time_imports(bench: Bench, tool: str) -> dict[str, float]:
    """Run each import statement of a tool once."""
    statements = {step: of[tool] for step, of in IMPORTS.items() if tool in of}
    run = bench.interpreters[tool].run
    return {step: run("time_import.py", statement)["seconds"]["import"] for step, statement in statements.items()}


def _flat(found: Mapping[str, Any]) -> dict[str, float]:
    """Return a worker's steps, with processor seconds under names of their own."""
    processor = {f"{step}, processor": seconds for step, seconds in found["processor seconds"].items()}
    return {**found["seconds"], **processor}
