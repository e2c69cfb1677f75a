"""Figures of arrays as rows of one markdown table: one piece of work with one tool a row."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from reporting import Target, rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from measuring import Outcome, Outcomes

HEAD = ("work", "tool", "median", "÷ nwbzarr", "requests", "bytes", "peak memory", "targets")
NOTHING = "-"
_SHOWN = 160


@dataclass(frozen=True)
class ArrayRow:
    """One piece of work with one tool."""

    work: str
    tool: str
    figure: str
    ratio: str = NOTHING
    requests: str = NOTHING
    moved: str = NOTHING
    memory: str = NOTHING
    targets: tuple[Target, ...] = ()

    def __str__(self) -> str:
        cells = [self.work, self.tool, self.figure, self.ratio, self.requests, self.moved, self.memory]
        return f"| {' | '.join([*cells, '; '.join(map(str, self.targets))])} |"

    def report(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Work:
    """A step as the table says it.

    Attributes
    ----------
    text : str
        What is done.
    pieces : int
        How many small pieces it consists of, to tell the time of each.
    nbytes : int
        Decoded bytes, to tell a rate; 0 to tell none.
    """

    text: str
    pieces: int = 1
    nbytes: int = 0

    def figure(self, outcome: Outcome) -> str:
        """Return the seconds, and what they come to."""
        seconds = outcome.seconds
        if self.pieces > 1:
            return f"{seconds} = {1000 * seconds.middle / self.pieces:.2f} ms each"
        return f"{seconds} = {self.nbytes / seconds.middle / 1e6:,.0f} MB/s" if self.nbytes else str(seconds)


def rows_of(
    work: Work, outcomes: Outcomes, ours: str, judge: Callable[[str], Sequence[Target]], titles: Mapping[str, str]
) -> Iterable[ArrayRow]:
    """Yield the row of each tool; ratios are to the tool `ours`."""
    for tool, outcome in outcomes.items():
        title, targets = titles.get(tool, tool), tuple(judge(tool))
        if not outcome.turns:
            yield ArrayRow(work.text, title, f"fails: {_shortened(outcome.failure or 'not measured')}", targets=targets)
            continue
        yield ArrayRow(
            work.text,
            title,
            work.figure(outcome) + (f"; then failed: {_shortened(outcome.failure)}" if outcome.failure else ""),
            NOTHING if tool == ours else _ratio(outcome, outcomes.get(ours)),
            _requests(outcome),
            _moved(outcome),
            NOTHING if outcome.peak is None else megabytes(outcome.peak),
            targets,
        )


def megabytes(size: float) -> str:
    return f"{size / 1e6:,.1f} MB"


def at_least(name: str, found: float | None, wanted: float) -> Target:
    """Return the target that a ratio of speed reaches."""
    return Target(_text(name, found, f"≥ {wanted:g}x"), None if found is None else found >= wanted)


def at_most(name: str, found: float | None, wanted: float, unit: str = "x") -> Target:
    """Return the target that a ratio, or a number, stays below."""
    return Target(_text(name, found, f"≤ {wanted:g}{unit}"), None if found is None else found <= wanted)


def _text(name: str, found: float | None, wanted: str) -> str:
    return f"{name} {wanted}" + ("" if found is None else f" ({found:,.3g})")


def _ratio(theirs: Outcome, ours: Outcome | None) -> str:
    if ours is None or not ours.turns:
        return NOTHING
    them, us = theirs.seconds, ours.seconds
    worst, best = min(them.values) / max(us.values), max(them.values) / min(us.values)
    return f"**{rounded(them.middle / us.middle)}x** ({rounded(worst)} to {rounded(best)})"


def _requests(outcome: Outcome) -> str:
    requests, trips, together = map(outcome.counted, ("requests", "round trips", "in flight"))
    if requests is None:
        return NOTHING
    told = "" if trips is None else f", {trips:,.0f} round trip{'s' * (trips != 1)}"
    return f"{requests:,.0f}{told}, {together:.0f} at a time"


def _moved(outcome: Outcome) -> str:
    sent, received = outcome.counted("bytes sent"), outcome.counted("bytes received")
    if sent is None or received is None:
        return NOTHING
    return megabytes(max(sent, received))


def _shortened(message: str) -> str:
    flat = " ".join(message.replace("|", "/").split())
    return flat if len(flat) <= _SHOWN else f"{flat[:_SHOWN]}…"
