"""Transactions on object storage and on everything else that fsspec writes.

A mark, created on condition, keeps other writers out. A new store's chunks and documents go to their keys, the root
document last and on the condition that there is none (S3 ``If-None-Match: *``); an update replaces the root document
on the condition that it is the one the update was planned on (S3 ``If-Match``). Until then a new store is absent,
and its mark says that a write is under way or did not finish.
"""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from nwbzarr.convention.names import DOCUMENT, SIDECAR, WRITE_MARK, WRITE_NOTE
from nwbzarr.errors import CommitConflictError, NWBZarrError, StoreExistsError
from nwbzarr.stores.keys import create_key, delete_keys, list_keys, read_many, replace_key, write_many
from nwbzarr.stores.marks import ACTIVE, LEASE_SECONDS, RENEWAL_SECONDS, WriteMark, parse_mark
from nwbzarr.stores.places import Delivery
from nwbzarr.stores.transactions import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from nwbzarr.stores.notes import WriteNote
    from nwbzarr.stores.places import Place
    from nwbzarr.stores.url import StoreURL


class ObjectTransaction(Transaction):
    """What creation and update share: the mark.

    Parameters
    ----------
    url : StoreURL
        Where the store is.
    keys : zarr.abc.store.Store
        Its keys, with conditional writes.
    """

    keys: Any

    def __init__(self, url: StoreURL, keys: Any) -> None:
        self.url = url
        self.keys = keys
        self.mark = WriteMark.fresh()
        self._marked = False
        self._touched = False

    def begin(self) -> None:
        """Leave the mark, or take over that of a dead writer; then make room."""
        # A place that is refused is left without a trace, so a mark always stands beside a writer's own objects.
        self._check()
        ACTIVE.add(self.mark.token)
        self._leave_mark()
        self._prepare()

    def put(self, values: Iterable[tuple[str, bytes]]) -> None:
        """Store values under their keys, concurrently."""
        write_many(self.keys, values, self.url)

    def delivery(self, place: Place) -> Delivery:
        """Return where workers store objects: in place, as long as the mark is this write's."""
        return Delivery(place, self.mark.token, self.keys)

    def renew(self) -> None:
        """Renew the mark when it gets old."""
        renewed = self.mark.renew()
        if renewed.renewed - self.mark.renewed >= RENEWAL_SECONDS:
            self._exchange_mark(renewed)

    def commit(self, root: bytes, sidecar: bytes) -> None:
        """Store the sidecar, then the root document, then remove the mark."""
        self._check_mark()
        self.put([(SIDECAR, sidecar)])
        try:
            self._store_root(root)
        except FileExistsError as error:
            message = "another writer committed first: nothing of this write is visible; open the store again"
            raise CommitConflictError(message, self.url.text) from error
        self._marked = False
        ACTIVE.discard(self.mark.token)
        delete_keys(self.keys, [WRITE_MARK, *self._leftovers()], self.url)

    def abort(self, error: BaseException) -> None:
        """Say in the mark that the write was given up, so that a retry need not wait."""
        ACTIVE.discard(self.mark.token)
        if self._marked:
            self._marked = False
            # The reason for giving up is what the caller must see, not that the note of it failed too.
            with contextlib.suppress(NWBZarrError, OSError):
                self._retire_mark(f"{type(error).__name__}: {error}")

    def _leftovers(self) -> list[str]:
        """Return what goes away with the mark."""
        return []

    @abstractmethod
    def _check(self) -> None:
        """Raise when this write may not take the place."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make room for the write."""

    @abstractmethod
    def _store_root(self, root: bytes) -> None:
        """Store the root document on condition; `FileExistsError` when the condition fails."""

    def _retire_mark(self, reason: str) -> None:
        """Take the mark away where nothing was touched, else let it say why the write was given up."""
        if read_many(self.keys, [WRITE_MARK], self.url) != [self.mark.dump()]:
            return
        if self._touched:
            write_many(self.keys, [(WRITE_MARK, self.mark.abandon(reason).dump())], self.url)
        else:
            delete_keys(self.keys, [WRITE_MARK], self.url)

    def _leave_mark(self) -> None:
        try:
            create_key(self.keys, WRITE_MARK, self.mark.dump(), self.url)
        except FileExistsError:
            self._take_over()
        self._marked = True

    def _take_over(self) -> None:
        """Replace the mark of a dead writer; raise when the writer lives."""
        (data,) = read_many(self.keys, [WRITE_MARK], self.url)
        found = parse_mark(data or b"")
        if found is not None and found.is_live:
            message = (
                f"another writer is at work here ({found.describe()}): wait for it; should it be dead, its mark "
                f"expires {LEASE_SECONDS / 60:.0f} minutes after its last sign of life"
            )
            raise CommitConflictError(message, self.url.text)
        try:
            if data is None:
                create_key(self.keys, WRITE_MARK, self.mark.dump(), self.url)
            else:
                replace_key(self.keys, WRITE_MARK, self.mark.dump(), data, self.url)
        except FileExistsError as error:
            message = "another writer began here at the same moment: wait for it"
            raise CommitConflictError(message, self.url.text) from error

    def _exchange_mark(self, mark: WriteMark) -> None:
        try:
            replace_key(self.keys, WRITE_MARK, mark.dump(), self.mark.dump(), self.url)
        except FileExistsError as error:
            raise self._lost_mark() from error
        self.mark = mark

    def _check_mark(self) -> None:
        if read_many(self.keys, [WRITE_MARK], self.url) != [self.mark.dump()]:
            raise self._lost_mark()

    def _lost_mark(self) -> CommitConflictError:
        self._marked = False
        message = "another writer took this store over, because this write seemed dead: nothing of it is visible"
        return CommitConflictError(message, self.url.text)


class ObjectCreation(ObjectTransaction):
    """A new store, or a new one in place of an old one.

    Parameters
    ----------
    may_replace : callable
        Called with the old root document's bytes; says why it may not be replaced, or None.
    resume : bool
        Whether to go on with what a write that was cut off has left.
    """

    def __init__(
        self, url: StoreURL, keys: Any, may_replace: Callable[[bytes], str | None], *, resume: bool = False
    ) -> None:
        super().__init__(url, keys)
        self._resume = resume
        self._noted = False
        self._may_replace = may_replace
        self._old: list[str] = []
        self._root: bytes | None = None

    def _take_over(self) -> None:
        """Take over what a dead writer left, too: its mark must not go without it."""
        super()._take_over()
        self._touched = True

    def _check(self) -> None:
        """Raise unless the place is empty, a session that may be replaced, or what a dead writer left."""
        self._look()
        if self._root is not None:
            reason = self._may_replace(self._root)
            if reason is not None:
                raise StoreExistsError(reason, self.url.text)
        elif self._old and read_many(self.keys, [WRITE_MARK], self.url) == [None]:
            message = (
                f"mode 'w' replaces a session or makes a new one, but there are objects below this place "
                f"({self._old[0]!r} …) that are no session: nothing was touched; choose another name"
            )
            raise StoreExistsError(message, self.url.text)

    def _look(self) -> None:
        """Take down what is stored."""
        self._old = [key for key in list_keys(self.keys, self.url) if key != WRITE_MARK]
        self._root = read_many(self.keys, [DOCUMENT], self.url)[0] if DOCUMENT in self._old else None

    def _prepare(self) -> None:
        """Remove what was there: its root document first, so that no half store is ever open to readers."""
        before, root = self._old, self._root
        self._look()
        if self._root != root or (self._old and not before):
            message = "another writer stored something here in the meantime: read it, then write again if you must"
            raise CommitConflictError(message, self.url.text)
        self._touched = True
        if self._resume and self._root is None and WRITE_NOTE in self._old:
            # What is there is looked through when it is known what is to be written.
            return
        if DOCUMENT in self._old:
            delete_keys(self.keys, [DOCUMENT], self.url)
        delete_keys(self.keys, [key for key in self._old if key != DOCUMENT], self.url)
        self._old = []

    def leave_note(self, note: WriteNote) -> frozenset[str]:
        """Say beside the mark what arrays are being written."""
        before = read_many(self.keys, [WRITE_NOTE], self.url)[0] if WRITE_NOTE in self._old else None
        found = frozenset(note.kept(before or b"", self._old))
        delete_keys(self.keys, [key for key in self._old if key not in found and key != WRITE_NOTE], self.url)
        self.put([(WRITE_NOTE, note.dump())])
        self._noted = True
        return found

    def discard(self, names: Collection[str]) -> None:
        """Remove objects that nothing names."""
        delete_keys(self.keys, names, self.url)

    def _leftovers(self) -> list[str]:
        return [WRITE_NOTE] if self._noted else []

    def _store_root(self, root: bytes) -> None:
        create_key(self.keys, DOCUMENT, root, self.url)


class ObjectUpdate(ObjectTransaction):
    """New nodes in a store that is there.

    Parameters
    ----------
    base : bytes
        The root document that the update was planned on.
    """

    def __init__(self, url: StoreURL, keys: Any, base: bytes) -> None:
        super().__init__(url, keys)
        self.base = base

    def _check(self) -> None:
        if read_many(self.keys, [DOCUMENT], self.url) != [self.base]:
            message = "the store was changed since it was opened: open it again and repeat the change"
            raise CommitConflictError(message, self.url.text)

    def _prepare(self) -> None:
        """Check once more, now that no other writer is let in."""
        self._check()

    def _store_root(self, root: bytes) -> None:
        replace_key(self.keys, DOCUMENT, root, self.base, self.url)
