"""Arrays: nwbzarr beside every peer, the same data in the same run, by turns.

``python benchmarks/arrays.py --peers-python PATH`` prints one markdown table; README.md says what the figures are.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import remote_arrays
from array_rows import HEAD
from growing import FACTORS, SMALL_CHUNK, SMALL_SHARD, GrowthBench, Size, growth_rows, hour_row
from local_arrays import LocalBench, local_rows
from measuring import ArrayWorker, Samples
from options import data_folder, shared_options
from remote_rows import remote_rows
from reporting import describe_machine, load, render, tell_versions
from running import ROOT, Interpreter, Places
from workers.array_steps import SEED, WINDOW, WINDOWS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from array_rows import ArrayRow

PARTS = ("local", "s3", "growth")
RATE, CHANNELS = 30_000, 384
#: The real recording: one channel at 1,000 Hz.
REAL, REAL_ROWS, REAL_RATE = "rat_hippocampus_lfp_1000hz_int16.npy", 150_000, 1000.0


def parse_arguments() -> argparse.Namespace:
    parser = shared_options(__doc__, repeats=5, slow_repeats=2, slow="hdmf-zarr and HDF5 moving all to or from S3")
    add = parser.add_argument
    add("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run (all)")
    add("--seconds", type=float, default=12.0, help="seconds of 384 channels on the local disk (12, 276 MB)")
    add("--s3-megabytes", type=float, default=450.0, help="decoded size of the array on S3 (450)")
    add("--latencies", type=float, nargs="+", default=[0.0, 0.03], help="seconds added to each request (0 0.03)")
    add("--growth-megabytes", type=float, default=60.0, help="smallest size that is grown tenfold (60)")
    add("--growth-objects", type=int, default=100, help="smallest number of objects that is grown tenfold (100)")
    add("--windows", type=int, default=WINDOWS, help=f"small windows that are read ({WINDOWS})")
    add("--real", type=Path, default=data_folder() / REAL, help="a real recording; left out where there is none")
    add("--checkout", default=os.fspath(ROOT), help="the folder whose nwbzarr is measured (this checkout)")
    add("--plot", type=Path, help="draw the figures there")
    arguments = parser.parse_args()
    if arguments.peers_python is None:
        parser.error("there is no comparison without --peers-python")
    return arguments


@dataclass(frozen=True)
class Run:
    """One run of the benchmark."""

    arguments: argparse.Namespace
    interpreter: Interpreter
    folder: Path

    @property
    def recording(self) -> Path:
        """Where the synthetic recording is."""
        return self.folder / "synthetic.npy"

    def record(self) -> None:
        """Make the synthetic recording, as long as the longest part takes."""
        print("synthetic recording", file=sys.stderr)
        arguments = self.arguments
        rows = {
            "local": round(arguments.seconds * RATE),
            "s3": rows_of_megabytes(arguments.s3_megabytes),
            "growth": max(
                rows_of_megabytes(arguments.growth_megabytes * FACTORS[-1]),
                arguments.growth_objects * FACTORS[-1] * SMALL_SHARD[0],
            ),
        }
        longest = max(rows[part] for part in arguments.only)
        self.interpreter.run("save_recording.py", "make", self.recording, "--seconds", longest / RATE)

    def samples(self, rows: int) -> Samples:
        """Return the first rows of it."""
        return Samples.take(self.interpreter, self.recording, (rows, CHANNELS), RATE, self.arguments.windows)

    def local(self) -> tuple[list[ArrayRow], dict[str, Any]]:
        """Return rows and figures of the local disk."""
        samples = self.samples(round(self.arguments.seconds * RATE))
        found = self._bench("local", samples).run()
        rows = list(local_rows(found, f"{samples.nbytes / 1e6:.0f} MB", judged=True))
        figures = {"synthetic": found.report()}
        if self.arguments.real.exists():
            real = Samples.take(self.interpreter, self.arguments.real, (REAL_ROWS,), REAL_RATE)
            found = self._bench("real", real).run(("all",))
            rows += local_rows(found, f"real LFP, {real.nbytes / 1e6:.1f} MB", judged=False)
            figures["real"] = found.report()
        return rows, figures

    def _bench(self, name: str, samples: Samples) -> LocalBench:
        worker = ArrayWorker(self.interpreter, "local", samples)
        return LocalBench(worker, Places(self.folder / name), self.arguments.repeats)

    def s3(self) -> tuple[list[ArrayRow], dict[str, Any]]:
        """Return rows and figures of S3."""
        from counting import bucket, s3_missing, s3_server
        from latency import LatencyProxy

        arguments = self.arguments
        missing = s3_missing(arguments.s3_endpoint)
        if missing:
            print(f"no S3: {missing}", file=sys.stderr)
            return [], {}
        samples = self.samples(rows_of_megabytes(arguments.s3_megabytes))
        folder = self.folder / "s3"
        folder.mkdir()
        with (
            s3_server(arguments.s3_endpoint, real=True) as server,
            bucket(server),
            LatencyProxy(server.url) as proxy,
        ):
            worker = ArrayWorker(self.interpreter, "remote", samples)
            repeats = arguments.repeats, arguments.slow_repeats
            bench = remote_arrays.RemoteBench(worker, server, proxy, folder, *repeats)
            found = bench.run(arguments.latencies)
            kind = server.kind if arguments.s3_endpoint is None else arguments.s3_endpoint
        rows = list(remote_rows(found, samples, f"{kind}, {samples.nbytes / 1e6:.0f} MB"))
        return rows, {"server": kind, "decoded bytes": samples.nbytes, "steps": remote_arrays.report(found)}

    def growth(self) -> tuple[list[ArrayRow], dict[str, Any]]:
        """Return rows and figures of growth."""
        rows, figures = [], {}
        for what, unit, sizes in (
            ("per byte", "bytes", tuple(map(self._size_of_bytes, FACTORS))),
            ("per object", "objects", tuple(map(self._size_of_objects, FACTORS))),
        ):
            places = Places(self.folder / f"growth-{unit}")
            found = GrowthBench(self.interpreter, places, self.arguments.repeats).run(unit, sizes)
            rows += growth_rows(found, what)
            figures[unit] = found.report()
        return [*rows, hour_row(self.interpreter)], figures

    def _size_of_bytes(self, factor: int) -> Size:
        samples = self.samples(rows_of_megabytes(factor * self.arguments.growth_megabytes))
        return Size(f"{samples.nbytes / 1e6:.0f} MB", samples.nbytes, samples, {})

    def _size_of_objects(self, factor: int) -> Size:
        count = factor * self.arguments.growth_objects
        options = {"shards": SMALL_SHARD, "chunks": SMALL_CHUNK}
        return Size(f"{count:,} objects", count, self.samples(count * SMALL_SHARD[0]), options)


def rows_of_megabytes(size: float) -> int:
    return round(size * 1e6 / (2 * CHANNELS))


def describe(arguments: argparse.Namespace) -> str:
    """Return what is measured, for the head of the table."""
    return (
        f"Synthetic int16, {CHANNELS} channels at {RATE:,} Hz, calibrated so that gzip-4 with h5py's chunks gives about "
        f"1.85; {arguments.windows} windows of {WINDOW[0]} samples x {WINDOW[1]} channels (seed {SEED}); zarr-python, "
        "zarrs and tensorstore store the bare array with the document of nwbzarr's. MB/s are of decoded data. Peak "
        "memory is what was resident above what was before: with the array that is read, without the one that is written."
    )


def tell_targets(rows: list[ArrayRow]) -> str:
    """Return how many targets held."""
    targets = [target for row in rows for target in row.targets]
    held, missed = (sum(target.held is verdict for target in targets) for verdict in (True, False))
    return f"{held} targets held, {missed} missed, {len(targets) - held - missed} not judged."


def main() -> None:
    arguments = parse_arguments()
    interpreter = Interpreter(arguments.peers_python, {"PYTHONPATH": arguments.checkout})
    machine, versions = describe_machine(), tell_versions({"All tools": interpreter})
    rows: list[ArrayRow] = []
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="nwbzarr-benchmark-", dir=arguments.folder) as folder:
        run = Run(arguments, interpreter, Path(folder))
        run.record()
        parts: dict[str, Callable[[], tuple[list[ArrayRow], dict[str, Any]]]] = {
            "local": run.local,
            "s3": run.s3,
            "growth": run.growth,
        }
        for part in PARTS:
            if part in arguments.only:
                more, figures[part] = parts[part]()
                rows += more
    machine["load after"] = load()
    print(describe(arguments))
    print(render(rows, versions, machine, HEAD))
    print(f"\n{tell_targets(rows)}")
    asked = {name: str(value) for name, value in vars(arguments).items()}
    report = {
        "machine": machine,
        "versions": versions,
        "arguments": asked,
        **figures,
        "table": [row.report() for row in rows],
    }
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1, ensure_ascii=False))
    if arguments.plot:
        draw(report, arguments.plot, interpreter)


def draw(report: dict[str, Any], place: Path, interpreter: Interpreter) -> None:
    """Draw the figures, in the peers' Python: matplotlib is there."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(report, file)
        file.flush()
        interpreter.run("draw_arrays.py", file.name, place)


if __name__ == "__main__":
    main()
