"""nwbzarr beside hdmf-zarr and PyNWB's HDF5: the same sessions, in the same run, by turns.

``python benchmarks/sessions.py --peers-python PATH`` prints one markdown table; README.md says what the figures are.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from options import shared_options
from reporting import describe_machine, load, memory_rows, render, s3_rows, tell_versions, timed_rows
from running import OURS, PEERS, Interpreter
from timing import Bench, Steps, time_all

if TYPE_CHECKING:
    import argparse

    from counting import Counts


def parse_arguments() -> argparse.Namespace:
    parser = shared_options(__doc__, repeats=5, slow_repeats=2, slow="hdmf-zarr's writing, half a minute each")
    add = parser.add_argument
    add("--series", type=int, default=1000, help="TimeSeries in the timed sessions (1000)")
    add("--plot", type=Path, help="draw the ratios there (needs matplotlib)")
    return parser.parse_args()


def choose_interpreters(peers_python: str | None) -> dict[str, Interpreter]:
    """Return the interpreter of each tool: nwbzarr's is the peers', where that has what it needs."""
    if peers_python is None:
        print("no --peers-python: nwbzarr runs alone, and there are no ratios", file=sys.stderr)
        return {OURS: Interpreter.with_package(sys.executable)}
    ours = Interpreter.with_package(peers_python)
    if not ours.has("nwbzarr.io"):
        print(f"the peers' Python lacks what nwbzarr needs: it runs in {sys.executable}", file=sys.stderr)
        ours = Interpreter.with_package(sys.executable)
    return {OURS: ours, **dict.fromkeys(PEERS, Interpreter(peers_python))}


def count_requests(bench: Bench, endpoint: str | None) -> dict[str, Counts]:
    """Return the requests counted in memory and, where there is a server, on S3."""
    from counting import count_memory, count_s3, s3_missing

    found = {"memory": count_memory(bench)}
    missing = s3_missing(endpoint)
    if missing:
        print(f"no requests to S3 are counted: {missing}", file=sys.stderr)
        return found
    return found | {"S3": count_s3(bench, endpoint)}


def report_figures(steps: Steps) -> dict[str, Any]:
    """Return all seconds for JSON."""
    return {step: {tool: seconds.report() for tool, seconds in tools.items()} for step, tools in steps.items()}


def main() -> None:
    arguments = parse_arguments()
    interpreters = choose_interpreters(arguments.peers_python)
    machine, versions = describe_machine(), tell_versions(interpreters)
    with tempfile.TemporaryDirectory(prefix="nwbzarr-benchmark-", dir=arguments.folder) as folder:
        bench = Bench(interpreters, Path(folder), arguments.series, arguments.repeats, arguments.slow_repeats)
        steps = time_all(bench)
        counts = count_requests(bench, arguments.s3_endpoint)
        rows = [*timed_rows(bench, steps), *memory_rows(counts["memory"])]
        rows += s3_rows(counts["S3"]) if "S3" in counts else []
    machine["load after"] = load()
    print(render(rows, versions, machine))
    if arguments.json:
        report = {
            "machine": machine,
            "versions": versions,
            "seconds": report_figures(steps),
            "requests": counts,
            "table": [row.report() for row in rows],
        }
        arguments.json.write_text(json.dumps(report, indent=1, ensure_ascii=False))
    if arguments.plot:
        from plotting import plot_ratios

        plot_ratios(steps, arguments.plot)


if __name__ == "__main__":
    main()
