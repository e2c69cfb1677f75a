"""Tables: nwbzarr beside hdmf-zarr and PyNWB's HDF5, the same work in the same run, by turns.

``python benchmarks/tables.py --peers-python PATH`` prints one markdown table; README.md says what the figures are.
"""

from __future__ import annotations

import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from options import shared_options
from reporting import Row, Target, describe_machine, load, render, rounded, tell_versions, timed_row
from running import OURS, WorkerError
from sessions import choose_interpreters, report_figures
from timing import Bench, Steps
from workers.table_sessions import expected

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from counting import Counts
    from running import Interpreter

WORKER = "work_tables.py"
SLOW = "hdmf-zarr"
#: Units that hdmf-zarr reads from S3, where it asks for each by itself.
PEER_UNITS = 200
MOST_REQUESTS = 6

Wanted = dict[str, float] | None
_WRITE: Wanted = {"hdmf-zarr": 50, "PyNWB HDF5": 1}
_REFERENCES: Wanted = {"PyNWB HDF5": 10}
_FRAME: Wanted = {"hdmf-zarr": 10, "PyNWB HDF5": 10}

#: What is written, what of it is read, and for each step what the table says and how many times as long peers must take.
WORK: dict[str, tuple[tuple[str, str, Wanted], ...]] = {
    "electrodes": (
        ("make", "make {count:,} electrodes in memory, one by one", {}),
        ("write", "write them to the disk", _WRITE),
        ("make and write", "make and write", _WRITE),
        ("read electrodes", "open, and look at the last electrode", {}),
    ),
    "references": (
        ("make", "make {count:,} trials, each with a reference to samples", {}),
        ("write", "write them", {}),
        ("read rows", "open, and resolve all references, row by row", _REFERENCES),
        ("read column", "open, and resolve all references at once", _REFERENCES),
    ),
    "units": (
        ("make", "make {count:,} units, with spike times and electrodes", {}),
        ("write", "write them", {}),
        ("read units", "open, `units.to_dataframe()`: a frame of electrodes in every cell", _FRAME),
        ("read plain units", "open, `units.to_dataframe(index=True)`: row numbers of electrodes", _FRAME),
        ("read spike times", 'open, `units.to_dataframe(exclude={{"electrodes"}})`', _FRAME),
    ),
}


def parse_arguments() -> argparse.Namespace:
    parser = shared_options(__doc__, repeats=3, slow_repeats=1, slow="hdmf-zarr, minutes each")
    add = parser.add_argument
    add("--electrodes", type=int, default=10_000, help="electrodes of the first session (10,000)")
    add("--references", type=int, default=10_000, help="trials of the second (10,000)")
    add("--units", type=int, default=1000, help="units of the third (1,000)")
    return parser.parse_args()


def time_write(what: str, bench: Bench, tool: str) -> dict[str, float]:
    """Make a session and write it."""
    place, run = bench.free_place(tool), bench.interpreters[tool].run
    seconds: dict[str, float] = run(WORKER, tool, "write", what, place, "--count", bench.series)["seconds"]
    return {**seconds, "make and write": seconds["make"] + seconds["write"]}


def time_read(what: str, bench: Bench, tool: str) -> dict[str, float]:
    """Open what the tool has written, read it, and check what was seen."""
    found = bench.interpreters[tool].run(WORKER, tool, "read", what, bench.place(tool))
    if found["seen"] != expected(what, bench.series):
        message = f"{tool} read other values than were written: {found['seen']}"
        raise WorkerError(message)
    seconds = found["seconds"]
    return {f"open before {what}": seconds["open"], f"read {what}": seconds["open"] + seconds["read"]}


def time_all(bench: Bench, what: str) -> Steps:
    """Return all timed steps of one session."""
    print(f"write {what}", file=sys.stderr)
    found = bench.repeat(partial(time_write, what), slow=(SLOW,))
    for step, *_ in WORK[what]:
        verb, _, part = step.partition(" ")
        if verb == "read":
            print(step, file=sys.stderr)
            found |= bench.repeat(partial(time_read, part), slow=(SLOW,))
    return found


def count_requests(bench: Bench, endpoint: str | None) -> tuple[str, dict[str, Counts]] | None:
    """Return the kind of S3 server, and each tool's requests for opening a session and reading all units as a frame."""
    from counting import CountingProxy, bucket, s3_missing, s3_server

    missing = s3_missing(endpoint)
    if missing:
        print(f"no requests to S3 are counted: {missing}", file=sys.stderr)
        return None
    found = {}
    with s3_server(endpoint) as server, bucket(server), CountingProxy(server.url) as proxy:
        for tool in (OURS, SLOW):
            if tool in bench.interpreters:
                print(f"requests of {tool}", file=sys.stderr)
                units = bench.series if tool == OURS else min(PEER_UNITS, bench.series)
                found[tool] = _count_units(bench.interpreters[tool], tool, units, bench.folder, server, proxy)
        return (server.kind if endpoint is None else endpoint), found


def _count_units(  # noqa: PLR0913 - one tool's task, and where it is done
    interpreter: Interpreter, tool: str, units: int, folder: Path, server: Any, proxy: Any
) -> Counts:
    from counting import BUCKET, LATENCY, files_of

    session = folder / f"{tool}-on-s3.nwb.zarr"
    interpreter.run(WORKER, tool, "write", "units", session, "--count", units)
    place = f"{BUCKET}/{session.name}"
    files_of(server).put(f"{session}/", f"{place}/", recursive=True)
    proxy.forget(LATENCY)
    environment = server.through(proxy.url).environment()
    found = interpreter.run(WORKER, tool, "read", "units", f"s3://{place}", **environment)
    if found["seen"] != expected("units", units):
        message = f"{tool} read other values from S3 than were written: {found['seen']}"
        raise WorkerError(message)
    return {**proxy.counts(), "units": units}


def timed_rows(bench: Bench, what: str, steps: Steps) -> Iterator[Row]:
    """Yield the rows of one session."""
    for step, work, at_least in WORK[what]:
        yield timed_row(work.format(count=bench.series), steps[step], at_least)


def s3_row(server: str, found: dict[str, Counts]) -> Row:
    """Return the row of requests to S3."""
    figures = {
        tool: f"{counts['units']:,} units: {counts['requests']:,} requests, {counts['round trips']:,} round trips"
        for tool, counts in found.items()
    }
    ratios = {
        tool: f"**{rounded(counts['requests'] / found[OURS]['requests'])}x**, for {counts['units']:,} units"
        for tool, counts in found.items()
        if tool != OURS
    }
    target = Target(f"≤ {MOST_REQUESTS} requests", found[OURS]["requests"] <= MOST_REQUESTS)
    return Row(f"S3 ({server}): open, `units.to_dataframe()`", figures, ratios, (target,))


def main() -> None:
    arguments = parse_arguments()
    interpreters = choose_interpreters(arguments.peers_python)
    machine, versions = describe_machine(), tell_versions(interpreters)
    seconds, rows = {}, []
    with tempfile.TemporaryDirectory(prefix="nwbzarr-benchmark-", dir=arguments.folder) as folder:
        for what in WORK:
            count = getattr(arguments, what)
            (Path(folder) / what).mkdir()
            bench = Bench(interpreters, Path(folder) / what, count, arguments.repeats, arguments.slow_repeats)
            steps = time_all(bench, what)
            rows += timed_rows(bench, what, steps)
            seconds[what] = report_figures(steps)
        requests = count_requests(bench, arguments.s3_endpoint)
        rows += [] if requests is None else [s3_row(*requests)]
    machine["load after"] = load()
    print(render(rows, versions, machine))
    if arguments.json:
        report = {
            "machine": machine,
            "versions": versions,
            "seconds": seconds,
            "requests": requests,
            "table": [row.report() for row in rows],
        }
        arguments.json.write_text(json.dumps(report, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
