"""What arrays on S3 came to, as rows of the table, and the targets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from array_rows import ArrayRow, Work, at_least, at_most, rows_of
from measuring import ratio
from remote_arrays import BARE, HDMF, OBSTORE, REMFILE, S3FS, ZARR
from running import OURS
from workers.array_steps import TOGETHER, WINDOW

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from measuring import Outcome, Outcomes, Samples
    from remote_arrays import Latencies
    from reporting import Target

#: What is between the tools and the server when targets are judged.
JUDGED = "30 ms"
TRIPS, WINDOWS, WHOLE = 4, 3, 1.3

TITLES = {
    OURS: "nwbzarr, its default (s3fs)",
    OBSTORE: 'nwbzarr, `transport="obstore"`',
    S3FS: "PyNWB HDF5, gzip-4, over s3fs (uploaded as a file)",
    REMFILE: "PyNWB HDF5, gzip-4, over remfile",
    ZARR[0]: "zarr-python over s3fs, same layout",
    ZARR[1]: "zarr-python over obstore, same layout",
    "tensorstore": "tensorstore, same layout",
    BARE[0]: "bare requests by aiobotocore: the limit",
    BARE[1]: "bare requests by obstore: the limit",
}
WORKS = {
    "write": "upload",
    "all": "open, download all",
    "second": "open, one second of all channels",
    TOGETHER: "open, the same {windows} windows asked for at once (`read_many`)",
    "windows": "open, {windows} random windows of {samples} samples x {channels} channels",
}


def remote_rows(found: Latencies, samples: Samples, server: str) -> Iterator[ArrayRow]:
    """Yield the rows of all latencies."""
    for between, steps in found.items():
        for step, outcomes in steps.items():
            windows = samples.windows if step in ("windows", TOGETHER) else 1
            text = WORKS[step].format(windows=windows, samples=WINDOW[0], channels=WINDOW[1])
            work = Work(f"S3 ({server}), {between}: {text}", windows, samples.nbytes if step in ("write", "all") else 0)
            judge = partial(_judge, step, steps) if between == JUDGED else _nothing
            yield from rows_of(work, outcomes, OURS, judge, TITLES)


def _nothing(_: str) -> tuple[Target, ...]:
    return ()


def _judge(step: str, steps: Mapping[str, Outcomes], tool: str) -> tuple[Target, ...]:
    outcomes = steps[step]
    if step == TOGETHER and tool in (OURS, OBSTORE):
        alone = {peer: steps["windows"].get(peer) for peer in (HDMF, REMFILE)}
        return tuple(
            at_least(f"{peer} one by one", ratio(one, outcomes[tool]), WINDOWS)
            for peer, one in alone.items()
            if one is not None
        )
    if step == "second" and tool in (OURS, OBSTORE):
        return (at_most("round trips", outcomes[tool].counted("round trips"), TRIPS, ""),)
    if step == "windows" and tool in (HDMF, REMFILE):
        ours = ((name, outcomes.get(name)) for name in (OURS, OBSTORE))
        return tuple(at_least(name, ratio(outcomes[tool], one), WINDOWS) for name, one in ours)
    if step in ("write", "all") and tool in (OURS, OBSTORE):
        return (at_most("of bare requests", ratio(outcomes[tool], _faster(outcomes)), WHOLE),)
    return ()


def _faster(outcomes: Outcomes) -> Outcome | None:
    """Return the limit: the faster of the bare clients."""
    measured = [outcomes[tool] for tool in BARE if tool in outcomes and outcomes[tool].turns]
    return min(measured, key=lambda outcome: outcome.seconds.middle, default=None)
