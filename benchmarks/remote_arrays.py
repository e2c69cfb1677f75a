"""Arrays on S3: upload, download and windows, behind a proxy that adds a latency, with every tool by turns."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from counting import BUCKET, files_of
from latency import in_flight
from measuring import ArrayWorker, Measurement, Outcomes, failures_of, repeat
from running import OURS, WorkerError
from workers.array_steps import TOGETHER, digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from latency import LatencyProxy

    from tests.servers.endpoint import S3Endpoint

OBSTORE = "nwbzarr obstore"
HDMF, S3FS, REMFILE = "hdmf-zarr", "PyNWB s3fs", "PyNWB remfile"
ZARR = ("zarr-python s3fs", "zarr-python obstore")
BARE = ("bare aiobotocore", "bare obstore")

#: Tool to what its place is named.
SUFFIXES = {
    OURS: ".nwb.zarr",
    OBSTORE: ".nwb.zarr",
    HDMF: ".nwb.zarr",
    S3FS: ".nwb",
    REMFILE: ".nwb",
    **dict.fromkeys(ZARR, ".zarr"),
    "tensorstore": ".zarr",
    **dict.fromkeys(BARE, ""),
}
#: Tools that store the bare array with nwbzarr's layout.
SAME_LAYOUT = (*ZARR, "tensorstore")

STEPS = ("write", "all", "second", "windows", TOGETHER)

#: Tools that can be asked for several windows at once.
AT_ONCE = (OURS, OBSTORE, "tensorstore")
#: Steps that move everything: tools that take minutes for it get fewer turns.
WHOLE = ("write", "all")
SLOW = (HDMF, S3FS, REMFILE)


DIRECT = "without the proxy"
Latencies = dict[str, dict[str, Outcomes]]


@dataclass(frozen=True)
class Limits:
    """What bare requests have to move, and how many at a time.

    Attributes
    ----------
    mirror : Path
        A folder with the objects that nwbzarr has stored.
    keys : list of str
        Those that it fetches to read everything.
    putting, getting : int
        How many of each it has in flight, at most.
    """

    mirror: Path
    keys: list[str]
    putting: int
    getting: int


@dataclass
class RemoteBench:
    """One array, and the S3 server that all tools store it on.

    Attributes
    ----------
    places : dict
        Tool to where it has stored the array last.
    """

    worker: ArrayWorker
    server: S3Endpoint
    proxy: LatencyProxy
    folder: Path
    repeats: int
    slow_repeats: int
    places: dict[str, str] = field(default_factory=dict)
    uploads: int = 0

    def run(self, latencies: Sequence[float]) -> Latencies:
        """Return what is between the tools and the server, as text, to step to tool to outcome."""
        found: Latencies = {}
        for latency in latencies:
            limits = self._limits(latency)
            found[f"{1000 * latency:g} ms"] = self._at(latency, limits, STEPS, tuple(SUFFIXES))
        if latencies:
            found[DIRECT] = self._at(None, limits, WHOLE, BARE)
        return found

    def _at(
        self, latency: float | None, limits: Limits, steps: Sequence[str], tools: Sequence[str]
    ) -> dict[str, Outcomes]:
        found: dict[str, Outcomes] = {}
        for step in steps:
            print(f"S3, {DIRECT if latency is None else f'{1000 * latency:g} ms'}: {step}", file=sys.stderr)
            chosen = [tool for tool in tools if self._takes_part(tool, step)]
            measures = {tool: partial(self._step, step, tool, latency, limits) for tool in chosen}
            fewer = min(self.repeats, self.slow_repeats)
            repeats = {tool: fewer if step in WHOLE and tool in SLOW else self.repeats for tool in chosen}
            failed = failures_of(found["write"]) if "write" in found else {}
            found[step] = repeat(measures, repeats, failed)
            if step == "write" and OURS in tools:
                self._mirror(self.places[OURS], limits.mirror)
        return found

    @staticmethod
    def _takes_part(tool: str, step: str) -> bool:
        if step == TOGETHER:
            return tool in AT_ONCE
        return not (tool == REMFILE and step == "write") and not (tool in BARE and step not in WHOLE)

    def _limits(self, latency: float) -> Limits:
        """Let nwbzarr store and read everything once, unmeasured, and note what that is."""
        mirror = self.folder / "mirror"
        self._write(OURS, latency, None)
        putting = self._most("PUT")
        self._mirror(self.places[OURS], mirror)
        self._read(OURS, "all", latency, None)
        asked = {unquote(urlsplit(each.path).path) for each in self.proxy.exchanges if each.verb == "GET"}
        prefix = f"/{self.places[OURS].removeprefix('s3://')}/"
        keys = sorted(path.removeprefix(prefix) for path in asked if path.startswith(prefix))
        limits = Limits(mirror, [key for key in keys if (mirror / key).is_file()], putting, self._most("GET"))
        print(f"  nwbzarr: {putting} PUT and {limits.getting} GET at a time, of {len(limits.keys)}", file=sys.stderr)
        return limits

    def _most(self, verb: str) -> int:
        return max(in_flight(each for each in self.proxy.exchanges if each.verb == verb), 1)

    def _step(self, step: str, tool: str, latency: float | None, limits: Limits) -> Measurement:
        if step == "write":
            return self._write(tool, latency, limits)
        return self._read(tool, step, latency, limits)

    def _write(self, tool: str, latency: float | None, limits: Limits | None) -> Measurement:
        """Store the array in a new place; then, untimed, remove the one before."""
        self.uploads += 1
        place = f"s3://{BUCKET}/{tool.replace(' ', '-')}/{self.uploads:04}{SUFFIXES[tool]}"
        layout = limits.mirror if limits is not None and tool in SAME_LAYOUT else None
        options = {"mirror": str(limits.mirror), "in_flight": limits.putting} if limits and tool in BARE else None
        measure = partial(self.worker.write, tool, place, layout, options)
        found = self._counted(latency, measure)
        before, self.places[tool] = self.places.get(tool), place
        if before is not None:
            files_of(self.server).rm(before, recursive=True)
        return found

    def _read(self, tool: str, step: str, latency: float | None, limits: Limits | None) -> Measurement:
        source = OURS if tool in BARE else S3FS if tool == REMFILE else tool
        if source not in self.places:
            message = f"{source} has stored nothing"
            raise WorkerError(message)
        place, digest = self.places[source], None
        if limits is not None and tool in BARE:
            digest = _digest_of_files(limits.mirror, limits.keys)
            place = json.dumps({"place": place, "keys": limits.keys, "in_flight": limits.getting})
        return self._counted(latency, partial(self.worker.read, tool, step, place, digest))

    def _counted(self, latency: float | None, measure: partial[Measurement]) -> Measurement:
        """Measure behind the proxy, with what it counts; without a latency the tool talks to the server itself."""
        if latency is None:
            return measure(environment=self.server.environment())
        self.proxy.forget(latency)
        found = measure(environment=self.server.through(self.proxy.url).environment())
        counts = self.proxy.counts()
        if not latency:
            del counts["round trips"]  # a latency that outweighs everything else tells them apart
        return replace(found, counts=counts)

    def _mirror(self, place: str, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        files_of(self.server).get(f"{place}/", f"{folder}/", recursive=True)


def _digest_of_files(folder: Path, keys: Sequence[str]) -> str:
    import numpy as np

    return digest_of(np.fromfile(folder / key, np.uint8) for key in keys)


def report(found: Latencies) -> dict[str, Any]:
    """Return everything for JSON."""
    return {
        latency: {step: {tool: one.report() for tool, one in tools.items()} for step, tools in steps.items()}
        for latency, steps in found.items()
    }
