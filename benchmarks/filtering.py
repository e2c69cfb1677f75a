"""The main job of an analysis: a raw store band-passed into a derived store, on a cluster of two workers.

SciPy alone does the same on the same cores and blocks, all in memory, in the same run: what is above it is reading,
overlap, encoding, storing and scheduling. Then values at the borders of blocks are compared with those of the filter on a
longer stretch in memory, and what workers needed of memory and requests is told.

The nanny of `distributed` starts workers with ``MALLOC_TRIM_THRESHOLD_=65536``, under which glibc takes every large array
from the kernel anew, page by page. The job is run as that, and without it (see `THREADS_ONLY`).

    python benchmarks/filtering.py --seconds 300 --json filtering.json
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import pickle
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import scipy.signal

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from workers.recording import CHANNELS, RATE, Recording  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

BAND, ORDER = (300.0, 6000.0), 5

#: Seconds that are made; the recording repeats them.
DISTINCT = 20

#: What workers start with when malloc is left alone: the setting ``distributed.nanny.pre-spawn-environ`` of Dask, whose
#: own has `MALLOC_TRIM_THRESHOLD_` beside these.
THREADS_ONLY = {"OMP_NUM_THREADS": 1, "MKL_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1}

#: How many times SciPy's time the job may take, and bytes that a worker may have.
MOST, MEMORY = 1.25, 2 * 10**9


@dataclass(frozen=True)
class Turn:
    """One run of the job."""

    dtype: str
    trimmed: bool
    wall: float
    alone: float
    alone_by_channels: float
    peak: int
    tasks: int
    graph_bytes: int
    planning: float
    error: float
    stored: int

    @property
    def ratio(self) -> float:
        """Wall time over SciPy's alone, the faster of the two ways."""
        return self.wall / min(self.alone, self.alone_by_channels)

    def __str__(self) -> str:
        return (
            f"{self.dtype}: {self.wall:.1f} s on the cluster; SciPy alone {self.alone:.1f} s (axis 0 of a block), "
            f"{self.alone_by_channels:.1f} s (channels in groups); {self.ratio:.2f} times the faster one (at most {MOST}); "
            f"peak of a worker {self.peak / 1e9:.2f} GB (of {MEMORY / 1e9:g}); {self.tasks} tasks, "
            f"{self.graph_bytes / self.tasks:.0f} bytes and {1e3 * self.planning / self.tasks:.3f} ms each; "
            f"largest difference at borders {self.error:.3g} of what is stored; {self.stored / 1e9:.2f} GB stored"
        )


def blocks(seconds: int) -> Iterator[np.ndarray[Any, Any]]:
    """Yield a recording second by second."""
    made = list(Recording(DISTINCT).blocks())
    return itertools.islice(itertools.cycle(made), seconds)


def write_raw(url: str, seconds: int) -> None:
    """Write the raw store."""
    import nwbzarr

    raw = nwbzarr.NWBFile("a recording", "bench", datetime(2026, 1, 1, tzinfo=UTC))
    raw.add_acquisition(nwbzarr.TimeSeries("raw", data=blocks(seconds), unit="uV", rate=float(RATE)))
    with nwbzarr.NWBZarrIO(url, "w") as io:
        io.write(raw)


def filter_alone(url: str, rows: list[tuple[int, int]], by_channels: bool, ready: Any, done: Any) -> None:
    """Filter blocks that are in memory, one after another; tell the seconds of SciPy."""
    import nwbzarr
    from nwbzarr.analysis import kernels

    data = nwbzarr.open(url).acquisition["raw"].data
    sos = scipy.signal.butter(ORDER, BAND, "bandpass", fs=RATE, output="sos")
    kernels.sos_filter(np.zeros((2, 1000)), sos, zero_phase=True)
    spent = 0.0
    for start, stop in rows:
        block = data[start:stop]
        ready.wait()
        begun = time.perf_counter()
        if by_channels:
            for first in range(0, CHANNELS, 48):
                lines = np.ascontiguousarray(block[:, first : first + 48].T, np.float64)
                scipy.signal.sosfiltfilt(sos, lines, axis=-1)
        else:
            scipy.signal.sosfiltfilt(sos, block, axis=0)
        spent += time.perf_counter() - begun
    done.put(spent)


def measure_alone(url: str, rows: list[tuple[int, int]], *, by_channels: bool) -> float:
    """Return the seconds that SciPy takes on two processes side by side."""
    context = multiprocessing.get_context("spawn")
    ready, done = context.Barrier(2), context.Queue()
    halves = [rows[: len(rows) // 2 * 2 : 2], rows[1::2]]
    processes = [context.Process(target=filter_alone, args=(url, half, by_channels, ready, done)) for half in halves]
    for process in processes:
        process.start()
    spent = [done.get() for _ in processes]
    for process in processes:
        process.join()
    return max(spent) * len(rows) / (2 * len(halves[1]))


def peak_of_worker() -> int:
    """Return the most bytes that this process had resident, by Linux."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def run(url: str, to: str, dtype: str, trimmed: bool, alone: tuple[float, float]) -> Turn:
    """Do the job once, on a cluster of its own, whose workers trim memory as Dask has them, or not."""
    import dask
    from distributed import Client, LocalCluster

    import nwbzarr
    from nwbzarr import analysis

    session = nwbzarr.open(url)
    setting = {} if trimmed else {"distributed.nanny.pre-spawn-environ": THREADS_ONLY}
    with (
        dask.config.set(setting),
        LocalCluster(n_workers=2, threads_per_worker=1, memory_limit=MEMORY, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        before = max(client.run(peak_of_worker).values())
        begun = time.perf_counter()
        made = analysis.bandpass(session.acquisition["raw"], *BAND, order=ORDER, dtype=dtype, name="filtered")
        derived = session.copy()
        derived.create_processing_module("ecephys", "band-passed").add(made)
        with nwbzarr.NWBZarrIO(to, "w") as io:
            report = io.write(derived)
        wall = time.perf_counter() - begun
        peak = max(client.run(peak_of_worker).values())
    begun = time.perf_counter()
    graph = dask.optimize(analysis.bandpass(session.acquisition["raw"], *BAND, order=ORDER, dtype=dtype).data)[0].dask
    tasks = len(dict(graph))
    planning = time.perf_counter() - begun
    error = compare(url, to, made.data.chunks[0])
    print(f"a worker before the job: {before / 1e6:.0f} MB", file=sys.stderr)
    return Turn(dtype, trimmed, wall, *alone, peak, tasks, len(pickle.dumps(graph)), planning, error, report.nbytes)


def count_requests(folder: str, seconds: int) -> dict[str, int]:
    """Return what the workers ask of an S3 server, by kind, counted by a proxy while they are at work."""
    from counting import BUCKET, bucket, s3_server
    from distributed import Client, LocalCluster

    import nwbzarr
    from nwbzarr import analysis
    from nwbzarr.writing import graphs
    from tests.servers.faults import FaultProxy

    raw = f"{folder}/counted.nwb.zarr"
    write_raw(raw, seconds)
    seen: list[tuple[str, str]] = []
    with s3_server(None, real=True) as server, bucket(server), FaultProxy(server.url) as proxy:
        options = replace(server, url=proxy.url).storage_options()
        url = f"s3://{BUCKET}/raw.nwb.zarr"
        with nwbzarr.NWBZarrIO(raw) as source, nwbzarr.NWBZarrIO(url, "w", storage_options=options) as io:
            io.export(source)

        def compute(*arguments: Any) -> Any:
            proxy.reset()
            found = computed(*arguments)
            seen.extend(proxy.requests)
            return found

        computed = graphs._compute  # noqa: SLF001
        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
            Client(cluster),
            mock.patch.object(graphs, "_compute", compute),
            nwbzarr.NWBZarrIO(url, storage_options=options) as source,
        ):
            session = source.read()
            derived = session.copy()
            made = analysis.bandpass(session.acquisition["raw"], *BAND, order=ORDER, dtype="int16", name="filtered")
            derived.create_processing_module("ecephys", "band-passed").add(made)
            with nwbzarr.NWBZarrIO(f"s3://{BUCKET}/to.nwb.zarr", "w", source.manager, options) as io:
                io.write(derived)
    data = [(method, path) for method, path in seen if "/data/c." in path]
    return {
        "tasks": len(made.data.chunks[0]),
        "GET of shards or parts of them": sum(method == "GET" for method, _ in data),
        "PUT of shards": sum(method == "PUT" for method, _ in data),
        "GET of metadata": sum("zarr.json" in path for _, path in seen),
        "others": len(seen) - len(data) - sum("zarr.json" in path for _, path in seen),
    }


def compare(url: str, to: str, sizes: tuple[int, ...]) -> float:
    """Return the largest difference at the borders of blocks from the filter on a longer stretch in memory."""
    import nwbzarr

    raw = nwbzarr.open(url).acquisition["raw"].data
    found = nwbzarr.open(to).processing["ecephys"]["filtered"].data
    sos = scipy.signal.butter(ORDER, BAND, "bandpass", fs=RATE, output="sos")
    worst = 0.0
    for border in np.cumsum(sizes)[:-1]:
        start, stop = max(border - 60_000, 0), min(border + 60_000, raw.shape[0])
        want = scipy.signal.sosfiltfilt(sos, raw[start:stop, ::48], axis=0)
        want = np.rint(want) if found.dtype.kind == "i" else want
        near = slice(border - 2000, border + 2000)
        got = found[near, ::48]
        worst = max(worst, float(np.abs(got - want[near.start - start : near.stop - start]).max()))
    return worst


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=300, help="of 384 channels at 30 kHz (300)")
    parser.add_argument("--folder", help="where the run writes (the temporary folder)")
    parser.add_argument("--dtypes", nargs="*", default=["int16", "float32"], help="of the result (int16 float32)")
    parser.add_argument("--counted", type=int, default=20, help="seconds of the run on S3 that counts requests (20)")
    parser.add_argument("--json", type=Path, help="write all figures there")
    asked = parser.parse_args()
    import nwbzarr
    from nwbzarr import analysis

    with tempfile.TemporaryDirectory(prefix="nwbzarr-filtering-", dir=asked.folder) as folder:
        url = f"{folder}/raw.nwb.zarr"
        begun = time.perf_counter()
        write_raw(url, asked.seconds)
        print(f"raw store written in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
        turns = []
        for dtype in asked.dtypes:
            sizes = analysis.bandpass(nwbzarr.open(url).acquisition["raw"], *BAND, dtype=dtype).data.chunks[0]
            stops = np.cumsum(sizes).tolist()
            rows = list(zip([0, *stops], stops, strict=False))
            alone = tuple(measure_alone(url, rows, by_channels=way) for way in (False, True))
            for trimmed in (False, True):
                turns.append(run(url, f"{folder}/{dtype}.nwb.zarr", dtype, trimmed, alone))
                print(turns[-1], flush=True)
        requests = count_requests(folder, asked.counted)
        print("while workers were at work, on S3:", requests)
        if asked.json is not None:
            listed = [{**asdict(turn), "ratio": turn.ratio} for turn in turns]
            asked.json.write_text(json.dumps({"turns": listed, "requests": requests}, indent=2))


if __name__ == "__main__":
    main()
