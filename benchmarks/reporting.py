"""Figures and targets as rows of one markdown table."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from running import OURS, PEERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from counting import Counts
    from running import Interpreter, Seconds
    from timing import Bench, Steps

#: Step, what the table says, and how many times as long each peer must take; None where tools divide the work
#: differently, so that only the sum compares.
TIMED: tuple[tuple[str, str, dict[str, float] | None], ...] = (
    ("make", "make {series:,} TimeSeries in memory", {}),
    ("write", "write them to the disk", {"hdmf-zarr": 8, "PyNWB HDF5": 1}),
    ("plain", "the disk alone: nwbzarr's files, written by plain Python", None),
    ("open", "open the session", None),
    ("touch", "touch every container", None),
    ("open and touch", "open and touch", {"hdmf-zarr": 20, "PyNWB HDF5": 20}),
    ("import", "`import nwbzarr`, `import pynwb`", {"PyNWB HDF5": 2}),
    ("import all", "import all that makes, writes and reads it", {}),
)


@dataclass(frozen=True)
class Target:
    """What must hold, and whether it did; None when it could not be judged."""

    text: str
    held: bool | None

    def __str__(self) -> str:
        return f"{self.text}: {'not judged' if self.held is None else 'held' if self.held else '**missed**'}"


@dataclass(frozen=True)
class Row:
    """One piece of work: a figure for each tool, a ratio for each peer, and targets."""

    work: str
    figures: Mapping[str, str]
    ratios: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()

    def __str__(self) -> str:
        figures = [self.figures.get(tool, "-") for tool in (OURS, *PEERS)]
        ratios = [self.ratios.get(peer, "-") for peer in PEERS]
        return f"| {' | '.join([self.work, *figures, *ratios, '; '.join(map(str, self.targets))])} |"

    def report(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return asdict(self)


def timed_rows(bench: Bench, steps: Steps) -> Iterator[Row]:
    """Yield the rows of timed steps, and what the tools have stored."""
    for step, work, at_least in TIMED:
        yield timed_row(work.format(series=bench.series), steps[step], at_least)
    yield Row("stored, as each does by default", {tool: _size(bench.place(tool)) for tool in bench.interpreters})


def timed_row(work: str, found: Mapping[str, Seconds], at_least: Mapping[str, float] | None) -> Row:
    """Return the row of a step: the ratio of medians, with the worst and the best pair beside it."""
    figures = {tool: str(seconds) for tool, seconds in found.items()}
    if at_least is None:
        return Row(work, figures)
    ours = found[OURS]
    peers = {tool: theirs for tool, theirs in found.items() if tool != OURS}
    return Row(
        work,
        figures,
        {tool: _ratios(theirs, ours) for tool, theirs in peers.items()},
        tuple(
            Target(f"{tool} ≥ {wanted:g}x", peers[tool].middle >= wanted * ours.middle)
            for tool, wanted in at_least.items()
            if tool in peers
        ),
    )


def _ratios(theirs: Seconds, ours: Seconds) -> str:
    worst, best = min(theirs.values) / max(ours.values), max(theirs.values) / min(ours.values)
    return f"**{rounded(theirs.middle / ours.middle)}x** ({rounded(worst)} to {rounded(best)})"


def rounded(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def _size(place: Path) -> str:
    files = [path for path in place.rglob("*") if path.is_file()] if place.is_dir() else [place]
    return f"{sum(path.stat().st_size for path in files) / 1e6:.1f} MB in {len(files):,} file{'s' * (len(files) > 1)}"


def memory_rows(found: Counts) -> Iterator[Row]:
    """Yield the rows of what nwbzarr's own meter counts."""
    yield from _counted_rows("memory://", {OURS: found}, {OURS: found["write"]}, found["write"]["series"])


def s3_rows(found: Counts) -> Iterator[Row]:
    """Yield the rows of HTTP requests."""
    yield from _counted_rows(
        f"S3 ({found['server']})", found["read"], found["written"], found["written"][OURS]["series"]
    )


def _counted_rows(where: str, read: Mapping[str, Counts], written: Mapping[str, Counts], series: int) -> Iterator[Row]:
    scalars = {tool: counts["scalars"] for tool, counts in read.items()}
    links = {tool: counts["link"] for tool, counts in read.items()}
    opening = (
        Target("≤ 3 requests", scalars[OURS]["requests"] <= 3),
        Target("1 round trip", scalars[OURS]["round trips"] == 1),
    )
    following = (Target("+ 1 round trip", links[OURS]["round trips"] == 1),)
    writing = (
        Target("≤ 1 PUT per object", written[OURS]["most puts of one object"] == 1),
        Target("≤ 10 others", written[OURS]["others"] <= 10),
    )
    yield _read_row(f"{where}: open {series} TimeSeries, read every scalar", scalars, opening)
    yield _read_row(f"{where}: then follow one link, more", links, following)
    yield _written_row(f"{where}: write", written, writing)


def _read_row(work: str, found: Mapping[str, Counts], targets: tuple[Target, ...]) -> Row:
    figures = {tool: _read_figure(counts) for tool, counts in found.items()}
    peers = {tool: counts["requests"] for tool, counts in found.items() if tool != OURS and "requests" in counts}
    ratios = {tool: f"**{rounded(requests / found[OURS]['requests'])}x**" for tool, requests in peers.items()}
    return Row(work, figures, ratios, targets)


def _read_figure(counts: Counts) -> str:
    if "error" in counts:
        return f"fails ({counts['error'].partition(':')[0].rpartition('.')[2]})"
    trips = counts["round trips"]
    return f"{counts['requests']:,} requests, {trips:,} round trip{'s' * (trips != 1)}"


def _written_row(work: str, found: Mapping[str, Counts], targets: tuple[Target, ...]) -> Row:
    each = {tool: counts["requests"] / counts["objects"] for tool, counts in found.items()}
    ratios = {tool: f"**{rounded(per / each[OURS])}x** per object" for tool, per in each.items() if tool != OURS}
    return Row(work, {tool: _written_figure(counts) for tool, counts in found.items()}, ratios, targets)


def _written_figure(counts: Counts) -> str:
    return (
        f"{counts['series']} TimeSeries: {counts['puts']:,} PUT and {counts['others']:,} other requests "
        f"for {counts['objects']:,} objects"
    )


def describe_machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "load before": load(),
    }


def load() -> float:
    """Return how many processes wanted a core in the last minute."""
    return round(os.getloadavg()[0], 2)


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def tell_versions(interpreters: Mapping[str, Interpreter]) -> dict[str, dict[str, str]]:
    """Return tools to versions; tools that share an interpreter share an entry."""
    tools: dict[str, list[str]] = {}
    told: dict[str, dict[str, str]] = {}
    for tool, interpreter in interpreters.items():
        tools.setdefault(interpreter.python, []).append(tool)
        told[interpreter.python] = told.get(interpreter.python, {}) | interpreter.run("tell_versions.py")
    return {", ".join(sharing): told[python] for python, sharing in tools.items()}


#: What stands above the columns of a `Row`.
HEAD = ("work", OURS, *PEERS, *(f"{peer} ÷ {OURS}" for peer in PEERS), "targets")


def render(
    rows: Iterable[object],
    versions: Mapping[str, Mapping[str, str]],
    machine: Mapping[str, Any],
    head: Sequence[str] = HEAD,
) -> str:
    """Return versions, machine and rows as markdown."""
    used = [f"{tools} on {', '.join(map(' '.join, found.items()))}." for tools, found in versions.items()]
    where = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; load {machine['load before']} before "
        f"the run, {machine['load after']} after it."
    )
    return "\n".join([*used, where, "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *map(str, rows)])
