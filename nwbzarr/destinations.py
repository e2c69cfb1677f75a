"""Where a plan goes: a place, what may be replaced there, and the transaction that makes it visible.

`Destination.carry_out` is the one way from a plan to a store, for sessions written, exported and converted. This room
refuses to decide what is stored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nwbzarr.errors import SelfOverwriteError, StoreModeError
from nwbzarr.stores.local import LocalCreation, LocalUpdate
from nwbzarr.stores.objects import ObjectCreation, ObjectUpdate
from nwbzarr.stores.places import Place
from nwbzarr.writing.execution import WriteReport, WriteSettings, execute
from nwbzarr.writing.plans import MEMORY_BYTES
from nwbzarr.writing.progress import open_progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from nwbzarr.reading.managers import Manager
    from nwbzarr.stores.transactions import Transaction
    from nwbzarr.stores.trust import Options
    from nwbzarr.stores.url import StoreURL
    from nwbzarr.writing.plans import WritePlan
    from nwbzarr.writing.progress import Wanted


#: Modes that make something new; ``"w"`` may replace what is there.
NEW_MODES = ("w", "w-", "x")


def check_new(mode: str, doing: str) -> None:
    """Raise `StoreModeError` unless a mode makes something new; `doing` says what does."""
    if mode not in NEW_MODES:
        message = f"mode must be one of {', '.join(map(repr, NEW_MODES))}, but {mode!r} came: {doing}"
        raise StoreModeError(message)


@dataclass(frozen=True)
class Destination:
    """A place to write to.

    Attributes
    ----------
    url : StoreURL
        The store.
    mode : str
        ``"w"`` replaces a session; other modes make what must not exist, or add to what is there.
    manager : Manager
        Its connections are used, and its open sessions are not overwritten.
    options : mapping or None
        fsspec's storage options.
    """

    url: StoreURL
    mode: str
    manager: Manager
    options: Options | None = None

    def carry_out(
        self,
        plan: WritePlan,
        progress: Wanted,
        *,
        max_memory: int = MEMORY_BYTES,
        resume: bool = False,
        verify: Callable[[], None] = lambda: None,
    ) -> WriteReport:
        """Do what a plan says, and make it visible.

        Parameters
        ----------
        plan : WritePlan
            What to store.
        progress : bool, callable or None
            As `NWBZarrIO.write` takes it.
        max_memory : int
            Bytes of array data that may be under way at once.
        resume : bool
            Go on with a write of the same plan that was cut off.
        verify : callable
            Called when all values are stored and none is visible.

        Raises
        ------
        SelfOverwriteError
            When the plan reads from what it would replace.
        CommitError, StoreError
            When it did not become visible.
        """
        reads = self.manager.stores_behind(plan.reads)
        if plan.base is None and any(read.is_within(self.url) or self.url.is_within(read) for read in reads):
            message = (
                "the session still reads from, or links to, the store that it would replace: "
                "write it to another place, or export() what it needs first"
            )
            raise SelfOverwriteError(message, self.url.text)
        with (
            open_progress(self.url.name, plan.nbytes, progress) as told,
            self._transaction(plan, resume=resume) as transaction,
        ):
            place = Place.of(self.manager.connections.open(self.url, self.options))
            return execute(plan, transaction, WriteSettings(place, max_memory, told, verify))

    def _transaction(self, plan: WritePlan, *, resume: bool) -> Transaction:
        """Return how this store takes a write."""
        store = self.manager.connections.open(self.url, self.options)
        replaceable = may_replace if self.mode == "w" else _may_not_replace
        if self.url.is_local:
            wrap = self.manager.connections.metered
            if plan.base is None:
                return LocalCreation(self.url, replaceable, wrap, resume=resume)
            return LocalUpdate(self.url, plan.base.root, plan.new_nodes, wrap)
        if plan.base is None:
            return ObjectCreation(self.url, store.keys, replaceable, resume=resume)
        return ObjectUpdate(self.url, store.keys, plan.base.root)


def may_replace(root: bytes) -> str | None:
    """Say why a store with this root document may not be replaced by a session, or None when it may.

    Sessions and damaged documents may; another Zarr hierarchy may not, since it may hold sessions of its own.
    """
    try:
        attributes = json.loads(root).get("attributes", {})
    except (ValueError, AttributeError):
        return None
    if attributes.get("neurodata_type") == "NWBFile":
        return None
    return (
        "mode 'w' replaces sessions only, but the Zarr group here is none (its neurodata_type is "
        f"{attributes.get('neurodata_type')!r}): nothing was touched; choose another name, or remove it yourself"
    )


def _may_not_replace(_: bytes) -> str:
    """Say that nothing may be replaced, for modes that make what must not exist."""
    return "another writer stored a session here in the meantime: open it with mode='r+' to add to it"
