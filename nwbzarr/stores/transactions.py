"""Many writes that become visible in one step: what a transaction is.

`local` and `objects` hold the two ways to be one. A transaction begins by keeping other writers out, takes values
under their keys, and ends with `commit`, which stores the sidecar and, last, the root document; or with `abort`.
Used as a context manager it aborts when it is left without a commit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

from nwbzarr.stores.places import Delivery

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from types import TracebackType

    from zarr.abc.store import Store

    from nwbzarr.stores.notes import WriteNote
    from nwbzarr.stores.places import Place


class Transaction(ABC):
    """A write to one store.

    Attributes
    ----------
    keys : zarr.abc.store.Store
        Where arrays are written, region by region.
    """

    keys: Store

    def __enter__(self) -> Self:
        try:
            self.begin()
        except BaseException as error:
            self.abort(error)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.abort(error)

    @abstractmethod
    def begin(self) -> None:
        """Keep other writers out, and make room.

        Raises
        ------
        CommitConflictError
            When another writer is at work.
        StoreExistsError
            When what is there may not be replaced.
        """

    def leave_note(self, note: WriteNote) -> frozenset[str]:  # noqa: ARG002 - creations have notes
        """Say what arrays are being written; return keys of theirs that a write which was cut off has left whole.

        Raises
        ------
        StoreError
            When the service refuses.
        """
        return frozenset()

    @abstractmethod
    def put(self, values: Iterable[tuple[str, bytes]]) -> None:
        """Store values under their keys; none is visible yet."""

    def discard(self, names: Collection[str]) -> None:  # noqa: B027 - only what can be gone on with leaves anything
        """Remove objects that an earlier write has left and this one does not need."""

    def delivery(self, place: Place) -> Delivery:
        """Return where workers of other processes store the objects of this write, once it has begun.

        Parameters
        ----------
        place : Place
            The store's own place.
        """
        return Delivery(place, keys=self.keys)

    @abstractmethod
    def renew(self) -> None:
        """Say that the write is still under way; called before every region."""

    @abstractmethod
    def commit(self, root: bytes, sidecar: bytes) -> None:
        """Make everything visible at once.

        Raises
        ------
        CommitConflictError
            When another writer came first. Nothing of this write is visible then.
        """

    @abstractmethod
    def abort(self, error: BaseException) -> None:
        """Leave what was there before, or an absence that says why."""
