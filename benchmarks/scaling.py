"""How the band-pass of `filtering.py` grows: to 100 TB and 1,000 workers, by measured slopes and a simulation.

Measured here: what a task costs the client that plans it (time, bytes of the graph), and the scheduler that hands it out
(time, memory). The simulation takes these, the seconds that one task computes (`--compute`, from `filtering.py`), and
what Amazon says of S3 (5,500 GET and 3,500 PUT a second for each prefix; docs.aws.amazon.com, "Best practices design
patterns: optimizing Amazon S3 performance", read in 2026), and plays all tasks through three queues: the scheduler, the
requests of a prefix, and the network of a worker.

    python benchmarks/scaling.py --json scaling.json
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import pickle
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask
import numpy as np
import scipy.signal

sys.path.insert(0, str(Path(__file__).parent))

from nwbzarr.analysis import kernels
from nwbzarr.arrays.graphs import meta_of, read_blocks
from nwbzarr.arrays.spans import Spans
from nwbzarr.arrays.stored import StoredArray
from nwbzarr.convention.documents import array_document
from nwbzarr.convention.dtypes import encode_data_type
from nwbzarr.layout.planning import plan_layout
from nwbzarr.stores.connections import locate
from nwbzarr.stores.places import Delivery, Place
from nwbzarr.writing.graphs import _receipts

CHANNELS, RATE = 384, 30_000

#: Bytes that one request for parts of a shard asks for at most (`nwbzarr.arrays.reading`).
RANGE_BYTES = 8 * 2**20


@dataclass(frozen=True)
class Slopes:
    """What a task costs.

    Attributes
    ----------
    planning : float
        Seconds of the client.
    graph_bytes : float
        Bytes of the pickled graph.
    message_bytes : int
        Bytes of one task, pickled by itself for a worker.
    scheduling : float
        Seconds of the scheduler, two workers with nothing to do.
    scheduler_bytes : float
        Bytes that the scheduler holds.
    """

    planning: float
    graph_bytes: float
    message_bytes: int
    scheduling: float
    scheduler_bytes: float


@dataclass(frozen=True)
class Case:
    """What is simulated.

    Attributes
    ----------
    nbytes : float
        Decoded bytes of the recordings.
    workers, prefixes : int
        How many workers there are, and sessions, each under a prefix of its own.
    compute : float
        Seconds that a task computes.
    network : float
        Bytes a second of one worker.
    compression : float
        Decoded bytes over stored ones, of what is read and of what is stored.
    latency : float
        Seconds until a request is answered.
    gets, puts : float
        Requests a second that a prefix takes.
    """

    nbytes: float
    workers: int
    prefixes: int
    compute: float
    network: float = 97e6
    compression: float = 2.0
    latency: float = 0.03
    gets: float = 5500.0
    puts: float = 3500.0

    @property
    def task_bytes(self) -> int:
        """Decoded bytes of one task."""
        return 2 * CHANNELS * _layout().objects[0]

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return math.ceil(self.nbytes / self.task_bytes)

    @property
    def requests(self) -> int:
        """GET requests of one task: the index of its shard and those of its neighbours, and the parts."""
        return 3 + math.ceil(self.task_bytes / self.compression / RANGE_BYTES) + 2


@dataclass(frozen=True)
class Outcome:
    """What a simulation gives: seconds, what was busy, and the most requests in a second."""

    case: Case
    wall: float
    ideal: float
    planning: float
    graph: float
    scheduler_memory: float
    scheduler_busy: float
    gets: float
    puts: float
    waited: float

    def __str__(self) -> str:
        case = self.case
        return (
            f"| {case.nbytes / 1e12:g} TB | {case.workers:,} | {case.prefixes} | {case.tasks:,} | {self.wall / 60:.1f} min | "
            f"{self.ideal / self.wall:.0%} | {100 * self.scheduler_busy:.0f} % | {self.gets:,.0f} GET/s, "
            f"{self.puts:,.0f} PUT/s | {self.waited:.2f} s | {self.planning:.0f} s, {self.graph / 1e6:.0f} MB | "
            f"{self.scheduler_memory / 1e9:.1f} GB |"
        )


HEAD = (
    "| data | workers | prefixes | tasks | wall | of ideal | scheduler busy | requests, mean | waiting for a prefix, mean | "
    "plan: client time, graph | scheduler memory |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def _layout() -> Any:
    return plan_layout((10**9, CHANNELS), np.dtype(np.int16), role="processed")


def receipts(count: int, options: dict[str, str]) -> Any:
    """Return the graph that band-passes and stores an array of so many objects; nothing is stored anywhere."""
    layout, dtype = _layout(), np.dtype(np.int16)
    rows = layout.objects[0]
    document = array_document(
        shape=(rows * count, CHANNELS),
        data_type=encode_data_type(dtype),
        chunk_shape=layout.objects,
        codecs=layout.stored_codecs,
        fill_value=0,
        attributes={},
        dimension_names=("num_times", "num_channels"),
    )
    place = Place(locate("s3://lab/day1/raw.nwb.zarr"), options)
    stored = StoredArray("/acquisition/raw/data", document, place, "0" * 64)
    sos = scipy.signal.butter(5, [300, 6000], "bandpass", fs=RATE, output="sos")
    spans = Spans.around(rows * count, rows, 946, 946)
    blocks = read_blocks(stored, dtype, spans, (CHANNELS,))
    apply = kernels.ApplyToBlock(kernels.sos_filter, {"sos": sos, "zero_phase": True}, spans, dtype, True, True)
    chunks = (spans.sizes_given, (CHANNELS,))
    data = blocks.map_blocks(apply, dtype=dtype, chunks=chunks, meta=meta_of(2, dtype), name=f"filtered-{count}")
    source = SimpleNamespace(data=data, dtype=dtype, shape=data.shape)
    plan: Any = SimpleNamespace(
        source=source, path="/processing/ecephys/f/data", document=document, objects=layout.objects
    )
    return _receipts(plan, place.url, Delivery(place, "0" * 32), frozenset(), f"write-{count}")


def planned(count: int) -> tuple[float, int, int]:
    """Return the seconds that planning takes, and the bytes of the graph and of one task."""
    begun = time.perf_counter()
    made = receipts(count, {"endpoint_url": "https://s3.example.org", "key": "K" * 20, "secret": "S" * 40})
    (optimized,) = dask.optimize(made)
    data = pickle.dumps(optimized.__dask_graph__())
    spent = time.perf_counter() - begun
    return spent, len(data), len(pickle.dumps(next(iter(dict(optimized.__dask_graph__()).values()))))


def nothing(block: Any) -> Any:
    """Stand for a task, so that only its handing out is measured."""
    return block


def scheduled(count: int) -> tuple[float, int]:
    """Return the seconds that a cluster takes over tasks that do nothing, and what the scheduler's process grew by."""
    import dask.array
    import psutil
    from distributed import Client, LocalCluster

    array = dask.array.zeros((count,), chunks=1).map_blocks(nothing, dtype="f8")
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        client.submit(nothing, 1).result()
        before, begun = psutil.Process().memory_info().rss, time.perf_counter()
        held = client.persist(array)
        from distributed import wait

        wait(held)
        return time.perf_counter() - begun, psutil.Process().memory_info().rss - before


def measure(few: int, many: int) -> Slopes:
    """Return the slopes between two numbers of tasks."""
    plans = {count: planned(count) for count in (few, many)}
    runs = {count: scheduled(count) for count in (few // 4, many // 4)}
    gap = many - few
    return Slopes(
        (plans[many][0] - plans[few][0]) / gap,
        (plans[many][1] - plans[few][1]) / gap,
        plans[many][2],
        (runs[many // 4][0] - runs[few // 4][0]) * 4 / gap,
        max(runs[many // 4][1] - runs[few // 4][1], 0) * 4 / gap,
    )


def simulate(case: Case, slopes: Slopes) -> Outcome:
    """Play all tasks through the scheduler, the prefixes and the workers."""
    transfer = case.task_bytes / case.compression / case.network
    free = [(0.0, worker) for worker in range(case.workers)]
    scheduler, prefixes = 0.0, [[0.0, 0.0] for _ in range(case.prefixes)]
    waited = end = 0.0
    for task in range(case.tasks):
        ready, worker = heapq.heappop(free)
        # Handed out one after another.
        scheduler = max(scheduler, ready) + slopes.scheduling
        prefix = prefixes[task * case.prefixes // case.tasks]
        asked = max(scheduler, prefix[0])
        prefix[0] = asked + case.requests / case.gets
        computed = max(asked + 2 * case.latency + transfer, prefix[0]) + case.compute
        sent = max(computed, prefix[1] - 1.0)
        prefix[1] = max(prefix[1], sent) + 1 / case.puts
        waited += asked - scheduler
        end = max(end, done := sent + case.latency + transfer)
        heapq.heappush(free, (done, worker))
    ideal = case.tasks * (case.compute + 2 * transfer + 3 * case.latency) / case.workers
    return Outcome(
        case, end, ideal, case.tasks * slopes.planning, case.tasks * slopes.graph_bytes,
        case.tasks * slopes.scheduler_bytes, case.tasks * slopes.scheduling / end,
        case.tasks * case.requests / end, case.tasks / end, waited / case.tasks,
    )  # fmt: skip


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--compute", type=float, default=2.6, help="seconds that a task computes (2.6)")
    parser.add_argument("--tasks", type=int, nargs=2, default=[2_000, 40_000], help="numbers to take slopes from")
    parser.add_argument("--json", type=Path, help="write all figures there")
    asked = parser.parse_args()
    slopes = measure(*asked.tasks)
    print(
        f"a task costs the client {1e3 * slopes.planning:.3f} ms and {slopes.graph_bytes:.0f} bytes of graph "
        f"({slopes.message_bytes} by itself), the scheduler {1e3 * slopes.scheduling:.3f} ms and "
        f"{slopes.scheduler_bytes:.0f} bytes\n\n{HEAD}"
    )
    small = Case(1e12, 10, 1, asked.compute)
    large = replace(small, nbytes=100e12, workers=1000, prefixes=50)
    cases = [
        small, replace(small, workers=100), replace(large, workers=100), large, replace(large, prefixes=1),
        replace(large, workers=4000), replace(large, workers=4000, prefixes=1),
    ]  # fmt: skip
    outcomes = [simulate(case, slopes) for case in cases]
    for outcome in outcomes:
        print(outcome)
    if asked.json is not None:
        asked.json.write_text(
            json.dumps({"slopes": asdict(slopes), "cases": [asdict(each) for each in outcomes]}, indent=2)
        )


if __name__ == "__main__":
    main()
