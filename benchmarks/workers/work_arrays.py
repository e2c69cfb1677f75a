"""One step with one tool and one array, in a fresh interpreter: prints what it took, and what it saw, as JSON.

``python work_arrays.py local nwbzarr write /tmp/a.nwb.zarr --recording probe.npy --rows 360000``. What stands before
the first step (the start of Python, imports, the samples, the session in memory) is not timed. Reading includes opening.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from array_steps import READS, TOGETHER, WINDOWS, digest_of, selections
from array_tools import LOCAL, ArrayTool, document_of
from gauge import Gauge


def write(tool: ArrayTool, arguments: argparse.Namespace) -> dict[str, Any]:
    """Store the first rows of a recording."""
    data = np.load(arguments.recording, mmap_mode="r")[: arguments.rows].copy()
    options = dict(arguments.options)
    if arguments.layout:
        options["document"] = document_of(arguments.layout)
    made = tool.make(data, arguments.rate, options)
    gauge = Gauge()
    tool.write(arguments.place, made)
    gauge.done("write")
    return {**gauge.report(), "peak": gauge.peak()}


def read(tool: ArrayTool, arguments: argparse.Namespace) -> dict[str, Any]:
    """Open what is stored, and read a part of it; then, untimed, digest what came."""
    chosen = selections(arguments.step, arguments.shape, round(arguments.rate), arguments.windows)
    gauge = Gauge()
    with tool.open(arguments.place) as array:
        gauge.done("open")
        found = together(array, chosen) if arguments.step == TOGETHER else [fetched(array[one]) for one in chosen]
        gauge.done("read")
    peak = gauge.peak()
    return {**gauge.report(), "peak": peak, "digest": digest_of(flat(found))}


def together(array: Any, chosen: list[Any]) -> list[Any]:
    """Return several selections, asked for at once, as far as a tool has a way."""
    if hasattr(array, "read_many"):
        return list(array.read_many(chosen))
    return [future.result() for future in [array[one].read() for one in chosen]]


def fetched(part: Any) -> Any:
    """Return what was selected, in memory: a view of a tensorstore or of a mapped file is read."""
    if hasattr(part, "read") and not isinstance(part, np.ndarray):
        return part.read().result()
    return part if isinstance(part, list) else np.array(part, copy=isinstance(part, np.memmap) or None)


def flat(found: list[Any]) -> list[np.ndarray[Any, Any]]:
    """Return the arrays of all selections."""
    return [array for part in found for array in (part if isinstance(part, list) else [part])]


def known_tools(where: str) -> dict[str, ArrayTool]:
    """Return the tools for the disk, or those for S3."""
    if where == "local":
        return LOCAL
    from remote_tools import REMOTE

    return REMOTE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("where", choices=("local", "remote"))
    add("tool")
    add("step", choices=("write", *READS, TOGETHER))
    add("place")
    add("--recording", type=Path, help="a .npy file with the samples")
    add("--rows", type=int, help="how many of its rows are written")
    add("--rate", type=float, default=30_000.0, help="samples per second")
    add("--shape", type=json.loads, help="shape of what was written, to read from it")
    add("--windows", type=int, default=WINDOWS, help="how many small windows are read")
    add("--layout", type=Path, help="a session of nwbzarr whose array's layout is taken")
    add("--options", type=json.loads, default={}, help="what the tool takes besides")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    tool = known_tools(arguments.where)[arguments.tool]
    tool.load()
    json.dump((write if arguments.step == "write" else read)(tool, arguments), sys.stdout)
    if arguments.tool == "bare obstore":
        # One run in eight ends by SIGABRT when Python goes while obstore's threads are there. Where this is a tool's
        # transport, and not the limit, it counts as a failure of the tool.
        sys.stdout.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
