"""`pull`: what a store links to elsewhere becomes data of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nwbzarr.destinations import Destination
from nwbzarr.reading.managers import Manager
from nwbzarr.stores.connections import locate
from nwbzarr.writing.execution import WriteReport
from nwbzarr.writing.export import plan_pull

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from nwbzarr.stores.trust import Options
    from nwbzarr.writing.progress import Wanted


def pull(
    path: str | os.PathLike[str],
    *,
    storage_options: Options | None = None,
    trust: Mapping[str, Options] | None = None,
    progress: Wanted = None,
    manager: Manager | None = None,
) -> WriteReport:
    """Copy into a store all that its links to other stores and files lead to, and have the links lead there.

    Stored objects are copied as they are; arrays of files in other formats get planned layouts. The store becomes
    self-contained in one step.

    Parameters
    ----------
    path : str or path-like
        The store.
    storage_options, trust : mapping, optional
        As `nwbzarr.open` takes them.
    progress : bool, callable or None
        As `NWBZarrIO.write` takes it.
    manager : Manager, optional
        Shares open stores with others; it has the trust then.

    Returns
    -------
    WriteReport
        What was added; nothing for a store that links nowhere else.

    Raises
    ------
    LinkError, TrustError, StoreError
        When a link cannot be followed; nothing is changed then.
    CommitError
        When the change did not become visible.
    """
    shared = manager or Manager(trust)
    url = locate(path)
    session: Any = shared.open(url, storage_options)
    plan = plan_pull(session.nwbfile())
    if not plan.documents:
        return WriteReport(url, 0, 0, 0, (), session.tree)
    report = Destination(url, "r+", shared, storage_options).carry_out(plan, progress)
    session.refresh(report.tree)
    return report
