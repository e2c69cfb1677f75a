"""Converting an HDF5 recording: nwbzarr, hdmf-zarr's export, and h5py's bare decompression, by turns.

``python benchmarks/conversion.py --peers-python PATH`` prints one markdown table; README.md says what the figures are.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

import nwbzarr

if TYPE_CHECKING:
    from collections.abc import Callable

RATE, CHANNELS = 30_000, 384
CHUNK = (13_653, 64)

#: hdmf-zarr's export, in the peers' environment.
_EXPORT = """
import sys, time, json, resource
from pynwb import NWBHDF5IO
from hdmf_zarr.nwb import NWBZarrIO
start = time.perf_counter()
with NWBHDF5IO(sys.argv[1], "r") as read:
    with NWBZarrIO(sys.argv[2], mode="w") as write:
        write.export(src_io=read, write_args={"link_data": False})
print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))
"""


def make_recording(path: Path, gigabytes: float) -> int:
    """Write an NWB HDF5 file with a synthetic recording, gzip-4 as PyNWB's files mostly are; return its decoded size."""
    rows = int(gigabytes * 1e9 / (2 * CHANNELS))
    generator = np.random.default_rng(6)
    with h5py.File(path, "w") as file:
        file.attrs.update(namespace="core", neurodata_type="NWBFile", nwb_version="2.8.0", object_id="a" * 8)
        file["identifier"], file["session_description"] = "bench", "synthetic"
        for name in ("session_start_time", "timestamps_reference_time"):
            file[name] = "2026-11-25T12:00:00+00:00"
        file.create_dataset("file_create_date", data=["2026-11-25T12:00:00+00:00"], dtype=h5py.string_dtype())
        for name in ("analysis", "general", "processing", "stimulus/presentation", "stimulus/templates"):
            file.create_group(name)
        series = file.create_group("acquisition/raw")
        series.attrs.update(
            namespace="core", neurodata_type="TimeSeries", object_id="b" * 8, comments="", description=""
        )
        start = series.create_dataset("starting_time", data=0.0)
        start.attrs.update(rate=float(RATE), unit="seconds")
        data = series.create_dataset(
            "data",
            (rows, CHANNELS),
            "i2",
            chunks=CHUNK,
            compression="gzip",
            compression_opts=4,
            maxshape=(None, CHANNELS),
        )
        data.attrs.update(unit="V", conversion=1.0, resolution=-1.0)
        for first in range(0, rows, CHUNK[0]):
            count = min(CHUNK[0], rows - first)
            slow = np.cumsum(generator.normal(0, 3, (count, CHANNELS)), axis=0)
            data[first : first + count] = (slow + generator.normal(0, 8, (count, CHANNELS))).astype("i2")
    return rows * CHANNELS * 2


def decompress(path: Path, _: Path) -> None:
    """Read all of it with h5py, and nothing else."""
    with h5py.File(path) as file:
        data = file["acquisition/raw/data"]
        for first in range(0, data.shape[0], CHUNK[0]):
            data[first : first + CHUNK[0]]


def convert(path: Path, target: Path) -> None:
    """Convert it with nwbzarr."""
    nwbzarr.convert(path, target, progress=False)


def convert_kept(path: Path, target: Path) -> None:
    """Convert it with nwbzarr, HDF5's chunks kept."""
    nwbzarr.convert(path, target, progress=False, keep_chunks=True)


def _run(work: Callable[[Path, Path], None], path: Path, target: Path, done: Any) -> None:
    start = time.perf_counter()
    work(path, target)
    done.put([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024])


def measured(work: Callable[[Path, Path], None], path: Path, target: Path) -> tuple[float, float]:
    """Return seconds and peak memory in bytes of some work in a process of its own."""
    shutil.rmtree(target, ignore_errors=True)
    context = get_context("spawn")
    done = context.Queue()
    process = context.Process(target=_run, args=(work, path, target, done))
    process.start()
    seconds, nbytes = done.get()
    process.join()
    return seconds, nbytes


def exported(python: Path, path: Path, target: Path) -> tuple[float, float]:
    """Return the same of hdmf-zarr."""
    shutil.rmtree(target, ignore_errors=True)
    found = subprocess.run(
        [python, "-W", "ignore", "-c", _EXPORT, path, target], capture_output=True, text=True, check=True
    )
    seconds, nbytes = json.loads(found.stdout.splitlines()[-1])
    return seconds, nbytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers-python", type=Path, help="Python of an environment with hdmf-zarr and PyNWB")
    parser.add_argument("--gigabytes", type=float, default=2.0, help="decoded size (2)")
    parser.add_argument("--turns", type=int, default=2, help="turns (2)")
    parser.add_argument("--folder", type=Path, help="where to write (a temporary folder)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        path, target = folder / "raw.nwb", folder / "raw.nwb.zarr"
        size = make_recording(path, given.gigabytes)
        print(
            f"{size / 1e9:.2f} GB decoded, {path.stat().st_size / 1e9:.2f} GB in the file; Python {sys.version.split()[0]}"
        )
        works: dict[str, Callable[[], tuple[float, float]]] = {
            "h5py alone, one core": lambda: measured(decompress, path, target),
            "nwbzarr.convert": lambda: measured(convert, path, target),
            "nwbzarr.convert, chunks kept": lambda: measured(convert_kept, path, target),
        }
        if given.peers_python:
            works["hdmf-zarr export"] = lambda: exported(given.peers_python, path, target)
        times: dict[str, list[tuple[float, float]]] = {each: [] for each in works}
        for _ in range(given.turns):
            for each, work in works.items():
                times[each].append(work())
        base = min(seconds for seconds, _ in times["h5py alone, one core"])
        print("\n| work | seconds | of h5py alone | peak memory |\n|---|---|---|---|")
        for each, found in times.items():
            best = min(seconds for seconds, _ in found)
            print(f"| {each} | {best:.1f} | {best / base:.2f} | {max(peak for _, peak in found) / 1e6:.0f} MB |")


if __name__ == "__main__":
    main()
