"""Shapes of chunks and sizes of shards for int16 electrophysiology: what nwbzarr takes to write and to read them."""

from __future__ import annotations

import math
import shutil
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from layout_kinds import probe
from workers.array_steps import READS, selections
from workers.recording import CHANNELS, RATE
from workers.session import SESSION

import nwbzarr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from layout_kinds import Array

SHAPES = ((30_000, 64), (10_000, 96), (7_500, 64), (3_000, 32), (10_000, 384), (5_000, 384), (20_000, 48))
SHARD_MEGABYTES = (32, 64, 128, 256)

#: The chunks whose shards are compared, and the size of shards whose chunks are.
CHUNKS, SHARD_BYTES = (10_000, 96), 128 * 2**20

#: Seconds that are made, and how often they are repeated: for chunks 12 s, for shards 24 s, so that two of the largest fit.
SECONDS, TIMES, SHARD_TIMES = 6, 2, 4

NAME = "probe"
HOUR_BYTES = 3600 * RATE * CHANNELS * 2


@dataclass
class Turns:
    """Wall-clock and processor seconds of steps, one pair for each turn."""

    wall: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    processor: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Take the time of what is inside."""
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.wall[step].append(time.perf_counter() - wall)
        self.processor[step].append(time.process_time() - processor)

    def cell(self, step: str, parts: int = 1) -> str:
        """Return milliseconds of each of some parts: the median on the wall, and the processor's in brackets."""
        wall, processor = (1e3 * median(times[step]) / parts for times in (self.wall, self.processor))
        return f"{wall:.3g} ({processor:.3g})"

    def speed(self, step: str, nbytes: int) -> str:
        """Return MB/s from the median on the wall, and processor seconds of one GB in brackets."""
        return f"{nbytes / 1e6 / median(self.wall[step]):,.0f} ({median(self.processor[step]) / nbytes * 1e9:.2f})"

    def report(self) -> dict[str, Any]:
        """Return everything for JSON."""
        return {"seconds": dict(self.wall), "processor seconds": dict(self.processor)}


def shard_shape(chunks: tuple[int, int], nbytes: int) -> tuple[int, int]:
    """Return shards of at most some decoded bytes: all channels, whole chunks."""
    across = math.ceil(CHANNELS / chunks[1])
    along = max(nbytes // (2 * math.prod(chunks) * across), 1)
    return along * chunks[0], across * chunks[1]


def decoded_chunks(step: str, shape: tuple[int, ...], chunks: tuple[int, ...]) -> float:
    """Return how many chunks one selection of a step touches, on average."""
    found = selections(step, shape, RATE)
    return sum(_touched(selection, shape, chunks) for selection in found) / len(found)


def _touched(selection: Any, shape: tuple[int, ...], chunks: tuple[int, ...]) -> int:
    """Return how many chunks a selection touches."""
    cuts = (slice(None),) * len(shape) if selection is ... else selection
    spans = [
        cut.indices(size)[:2] if isinstance(cut, slice) else (cut, cut + 1)
        for cut, size in zip(cuts, shape, strict=True)
    ]
    return math.prod(-(-stop // step) - start // step for (start, stop), step in zip(spans, chunks, strict=True))


class Stores:
    """Sessions with the same samples and different layouts, in one folder."""

    def __init__(self, folder: Path, data: Array) -> None:
        self.data = data
        self._folder = folder

    def write(self, name: str, chunks: tuple[int, int], shards: tuple[int, int], turns: Turns) -> None:
        """Store a session in the place of the last of this name."""
        place = self._place(name)
        shutil.rmtree(place, ignore_errors=True)
        session = nwbzarr.NWBFile(**SESSION)
        stored = nwbzarr.ZarrDataIO(self.data, chunks=chunks, shards=shards)
        session.add_acquisition(nwbzarr.TimeSeries(name=NAME, data=stored, unit="uV", rate=float(RATE)))
        with turns.timed("write"), nwbzarr.NWBZarrIO(place, "w") as io:
            io.write(session)

    def read(self, name: str, step: str, turns: Turns, *, check: bool) -> None:
        """Read what a step reads, of a session that was opened for it; opening is not timed."""
        array = nwbzarr.open(self._place(name)).acquisition[NAME].data
        chosen = selections(step, array.shape, RATE)
        with turns.timed(step):
            found = [array[selection] for selection in chosen]
        if check and not all(np.array_equal(part, self.data[at]) for part, at in zip(found, chosen, strict=True)):
            message = f"{name}: {step} read other values than were written"
            raise ValueError(message)

    def stored(self, name: str) -> int:
        """Return the bytes of the array's objects."""
        places = (self._place(name) / "acquisition" / NAME / "data").rglob("*")
        return sum(path.stat().st_size for path in places if path.is_file())

    def _place(self, name: str) -> Path:
        return self._folder / f"{name}.nwb.zarr"


def compare_chunks(folder: Path, repeats: int) -> list[dict[str, Any]]:
    """Return one entry for each shape of chunks."""
    stores = Stores(folder, np.tile(probe(SECONDS), (TIMES, 1)))
    turns = {chunks: Turns() for chunks in SHAPES}
    for chunks in SHAPES:
        stores.write(_name(chunks), chunks, shard_shape(chunks, SHARD_BYTES), turns[chunks])
    for turn in range(repeats):
        for step in READS:
            for chunks in SHAPES:
                stores.read(_name(chunks), step, turns[chunks], check=turn == 0)
    return [_chunk_entry(stores, chunks, turns[chunks]) for chunks in SHAPES]


def _chunk_entry(stores: Stores, chunks: tuple[int, int], turns: Turns) -> dict[str, Any]:
    size, shape = 2 * math.prod(chunks), stores.data.shape
    touched = {step: decoded_chunks(step, shape, chunks) for step in READS}
    windows = len(selections("windows", shape, RATE))
    cells = [
        f"{turns.cell(step, windows if step == 'windows' else 1)}, {_megabytes(touched[step] * size)}"
        for step in READS[1:]
    ]
    ratio = stores.data.nbytes / stores.stored(_name(chunks))
    return {
        "chunks": chunks,
        "shards": shard_shape(chunks, SHARD_BYTES),
        "touched chunks": touched,
        "ratio": ratio,
        **turns.report(),
        "cells": [
            f"{chunks}",
            _megabytes(size),
            f"{touched['all']:,.0f}",
            f"{math.ceil(HOUR_BYTES / size):,}",
            *cells,
            turns.speed("all", stores.data.nbytes),
            f"{ratio:.3f}",
        ],
    }


CHUNK_HEAD = (
    *("chunks", "decoded", "chunks in 12 s", "chunks in an hour", "1 s of all channels: ms, decoded"),
    *("window 300 x 32: ms, decoded", "channel over 12 s: ms, decoded", "read all: MB/s", "size ratio"),
)


def compare_shards(folder: Path, repeats: int) -> list[dict[str, Any]]:
    """Return one entry for each size of shards."""
    stores = Stores(folder, np.tile(probe(SECONDS), (SHARD_TIMES, 1)))
    turns = {size: Turns() for size in SHARD_MEGABYTES}
    for turn in range(repeats):
        for size in SHARD_MEGABYTES:
            stores.write(f"shard-{size}", CHUNKS, shard_shape(CHUNKS, size * 2**20), turns[size])
        for step in ("all", "windows"):
            for size in SHARD_MEGABYTES:
                stores.read(f"shard-{size}", step, turns[size], check=turn == 0)
    return [_shard_entry(stores, size, turns[size]) for size in SHARD_MEGABYTES]


def _shard_entry(stores: Stores, size: int, turns: Turns) -> dict[str, Any]:
    shards, nbytes = shard_shape(CHUNKS, size * 2**20), stores.data.nbytes
    decoded, stored = 2 * math.prod(shards), stores.stored(f"shard-{size}")
    return {
        "megabytes": size,
        "shards": shards,
        **turns.report(),
        "cells": [
            f"{size} MiB, {shards}",
            _megabytes(decoded * stored / nbytes),
            f"{math.ceil(HOUR_BYTES / decoded):,}",
            f"{nbytes / decoded:.1f}",
            turns.speed("write", nbytes),
            turns.speed("all", nbytes),
            turns.cell("windows", len(selections("windows", stores.data.shape, RATE))),
        ],
    }


SHARD_HEAD = (
    *("shards", "stored, each", "objects in an hour", "objects here", "write: MB/s", "read all: MB/s"),
    "window 300 x 32: ms",
)


def _name(numbers: Sequence[int]) -> str:
    return "x".join(map(str, numbers))


def _megabytes(nbytes: float) -> str:
    return f"{nbytes / 1e6:.3g} MB"
