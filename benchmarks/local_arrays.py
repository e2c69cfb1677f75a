"""Arrays on the local disk: write, read, size, with every tool by turns."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from array_rows import ArrayRow, Work, at_least, at_most, megabytes, rows_of
from measuring import ArrayWorker, Measurement, Outcomes, Samples, failures_of, ratio, repeat
from running import OURS, Places, WorkerError
from workers.array_steps import READS, WINDOW

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reporting import Target

SIZE_FIRST, GZIP, ZARR = "nwbzarr pcodec", "PyNWB HDF5", "zarr-python"

#: Tool to what its place is named.
SUFFIXES = {
    OURS: ".nwb.zarr",
    SIZE_FIRST: ".nwb.zarr",
    "hdmf-zarr": ".nwb.zarr",
    GZIP: ".nwb",
    ZARR: ".zarr",
    "zarrs": ".zarr",
    "tensorstore": ".zarr",
    "NumPy": ".npy",
}
#: Tools that store the bare array with nwbzarr's layout.
SAME_LAYOUT = (ZARR, "zarrs", "tensorstore")
TITLES = {
    SIZE_FIRST: 'nwbzarr, `ZarrDataIO(data, compressors="pcodec")`',
    GZIP: "PyNWB HDF5, gzip-4, h5py's chunks",
    "zarrs": "zarrs, same layout",
    "tensorstore": "tensorstore, same layout",
    "NumPy": "`np.save`, `np.load`: the limit",
}

#: Step to peer to how many times as long it must take; the peers of the same layout are judged in every step.
JUDGED: dict[str, dict[str, float]] = {
    "write": {GZIP: 10},
    "all": {GZIP: 4},
    "second": {GZIP: 3},
    "windows": {GZIP: 1},
    "channel": {},
}
JUDGED_ALWAYS = {ZARR: 0.95, "zarrs": 0.9, "tensorstore": 0.9}
SIZES = {OURS: 0.87, SIZE_FIRST: 0.7}

#: Settings of zarr-python that are tried in each step; its best is what counts.
SETTINGS: dict[str, dict[str, str]] = {
    "defaults": {},
    "concurrency 64, 4 threads": {"ZARR_ASYNC__CONCURRENCY": "64", "ZARR_THREADING__MAX_WORKERS": "4"},
    "concurrency 4, 2 threads": {"ZARR_ASYNC__CONCURRENCY": "4", "ZARR_THREADING__MAX_WORKERS": "2"},
    "fused pipeline": {"ZARR_CODEC_PIPELINE__PATH": "zarr.core.codec_pipeline.FusedCodecPipeline"},
    "fused pipeline, 4 threads": {
        "ZARR_CODEC_PIPELINE__PATH": "zarr.core.codec_pipeline.FusedCodecPipeline",
        "ZARR_CODEC_PIPELINE__MAX_WORKERS": "4",
    },
}
TRIALS = 2

WORKS = {
    "write": "write",
    "all": "open, read all",
    "second": "open, one second of all channels",
    "windows": "open, {windows} random windows of {samples} samples x {channels} channels",
    "channel": "open, one channel over all time",
}


@dataclass(frozen=True)
class Size:
    """What a tool has stored: all bytes and objects, and the bytes of the array alone."""

    total: int
    objects: int
    array: int


@dataclass(frozen=True)
class Found:
    """What one array on the disk came to.

    Attributes
    ----------
    steps : dict
        Step to tool to outcome.
    sizes : dict
        Tool to what it has stored.
    settings : dict
        Step to the settings of zarr-python that were best in it.
    """

    samples: Samples
    steps: dict[str, Outcomes]
    sizes: dict[str, Size]
    settings: dict[str, str]

    def report(self) -> dict[str, Any]:
        """Return everything for JSON."""
        steps = {step: {tool: one.report() for tool, one in tools.items()} for step, tools in self.steps.items()}
        return {
            "decoded bytes": self.samples.nbytes,
            "steps": steps,
            "sizes": {tool: asdict(size) for tool, size in self.sizes.items()},
            "settings of zarr-python": self.settings,
        }


@dataclass(frozen=True)
class LocalBench:
    """One array, and the folder that all tools store it in."""

    worker: ArrayWorker
    places: Places
    repeats: int

    def run(self, steps: Sequence[str] = READS) -> Found:
        """Return what writing and the steps of reading took."""
        worker, settings, found = self.worker, {}, {}
        with suppress(WorkerError):  # its row will say so
            self._write(OURS)  # unmeasured: its layout is taken
        for step in ("write", *steps):
            settings[step] = self._best_setting(step)
            print(f"{step}, zarr-python with {settings[step]}", file=sys.stderr)
            failed = failures_of(found["write"]) if step != "write" else {}
            measures = {tool: partial(self._step, step, tool, settings[step]) for tool in SUFFIXES}
            found[step] = repeat(measures, dict.fromkeys(measures, self.repeats), failed)
        sizes = {tool: self._size(tool) for tool, outcome in found["write"].items() if outcome.turns}
        return Found(worker.samples, found, sizes, settings)

    def _best_setting(self, step: str) -> str:
        print(f"{step}: settings of zarr-python", file=sys.stderr)
        measures = {name: partial(self._step, step, ZARR, name) for name in SETTINGS}
        found = repeat(measures, dict.fromkeys(measures, TRIALS))
        fastest = {name: min(outcome.seconds.values) for name, outcome in found.items() if outcome.turns}
        return min(fastest, key=fastest.__getitem__, default="defaults")

    def _step(self, step: str, tool: str, setting: str) -> Measurement:
        environment = SETTINGS[setting] if tool == ZARR else {}
        if step == "write":
            return self._write(tool, environment)
        return self.worker.read(tool, step, self.places.last(tool, SUFFIXES[tool]), environment=environment)

    def _write(self, tool: str, environment: Mapping[str, str] | None = None) -> Measurement:
        layout = self.places.last(OURS, SUFFIXES[OURS]) if tool in SAME_LAYOUT else None
        return self.worker.write(tool, self.places.free(tool, SUFFIXES[tool]), layout, environment=environment)

    def _size(self, tool: str) -> Size:
        place = self.places.last(tool, SUFFIXES[tool])
        files = [path for path in place.rglob("*") if path.is_file()] if place.is_dir() else [place]
        array = self.worker.interpreter.run("size_array.py", place)["bytes"]
        return Size(sum(path.stat().st_size for path in files), len(files), array)


def local_rows(found: Found, what: str, *, judged: bool) -> Iterator[ArrayRow]:
    """Yield the rows of one array on the disk."""
    for step, outcomes in found.steps.items():
        windows = found.samples.windows if step == "windows" else 1
        text = WORKS[step].format(windows=windows, samples=WINDOW[0], channels=WINDOW[1])
        work = Work(f"{what}: {text}", windows, found.samples.nbytes if step in ("write", "all") else 0)
        titles = {**TITLES, ZARR: f"zarr-python, same layout, its best: {found.settings[step]}"}
        yield from rows_of(work, outcomes, OURS, partial(_judge, step, outcomes, judged=judged), titles)
    yield from _size_rows(found, what, judged=judged)


def _judge(step: str, outcomes: Outcomes, tool: str, *, judged: bool) -> tuple[Target, ...]:
    wanted = (JUDGED[step] | JUDGED_ALWAYS).get(tool)
    if wanted is None or not judged:
        return ()
    return (at_least("nwbzarr", ratio(outcomes.get(tool), outcomes.get(OURS)), wanted),)


def _size_rows(found: Found, what: str, *, judged: bool) -> Iterator[ArrayRow]:
    base, decoded = found.sizes.get(GZIP), found.samples.nbytes
    for tool in SUFFIXES:
        size, text = found.sizes.get(tool), f"{what}: stored, decoded ÷ stored"
        share = size.total / base.total if size and base else None
        targets = (at_most("of gzip-4's", share, SIZES[tool]),) if judged and tool in SIZES else ()
        if size is None:
            yield ArrayRow(text, TITLES.get(tool, tool), "nothing is stored", targets=targets)
            continue
        figure = f"{decoded / size.total:.3f}; the array alone {decoded / size.array:.3f}"
        moved = f"{megabytes(size.total)} in {size.objects:,} object{'s' * (size.objects != 1)}"
        compared = "-" if share is None else f"**{share:.3f}x** of gzip-4's"
        yield ArrayRow(text, TITLES.get(tool, tool), figure, compared, moved=moved, targets=targets)
