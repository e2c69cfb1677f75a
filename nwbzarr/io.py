"""Sessions in and out: `NWBZarrIO`, and the one-liners around it.

Modes mean what they mean in h5py: ``r`` reads, ``r+`` adds to what is there, ``a`` adds or creates, ``w`` creates or
replaces, ``w-`` and ``x`` create what must not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, overload

from nwbzarr.destinations import Destination
from nwbzarr.errors import (
    LayoutError,
    SchemaError,
    SelfOverwriteError,
    StoreExistsError,
    StoreModeError,
)
from nwbzarr.layout.explanation import Explanation, explain_documents
from nwbzarr.layout.rules import LayoutRules, LayoutWish
from nwbzarr.model.elements import Element, Location
from nwbzarr.model.neurodata import NWBFile
from nwbzarr.reading.managers import Manager
from nwbzarr.stores.connections import locate
from nwbzarr.writing.execution import WriteReport
from nwbzarr.writing.export import plan_export
from nwbzarr.writing.planning import give_back, plan_write
from nwbzarr.writing.plans import MEMORY_BYTES
from nwbzarr.writing.validation import check_lengths

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from types import TracebackType

    from nwbzarr.arrays.blocks import BlockCache
    from nwbzarr.reading.sessions import Session
    from nwbzarr.stores.trust import Options
    from nwbzarr.tree.tree import Tree
    from nwbzarr.writing.plans import WritePlan
    from nwbzarr.writing.progress import Wanted

    Layouts = Mapping[str, LayoutWish | Mapping[str, Any]] | None

MODES = ("r", "r+", "a", "w", "w-", "x")

_READ_ONLY_PROTOCOLS = frozenset({"http", "https"})


class NWBZarrIO:
    """A session's store, open in one mode.

    Parameters
    ----------
    path : str or path-like
        A local path, or any URL that fsspec knows (``s3://bucket/day1/raw.nwb.zarr``).
    mode : str
        ``"r"``, ``"r+"``, ``"a"``, ``"w"``, ``"w-"`` or ``"x"``.
    manager : Manager, optional
        Another IO's manager, to share its open stores, credentials, trust and containers.
    storage_options : mapping, optional
        fsspec's options for this store (``key``, ``secret``, ``endpoint_url`` …); the environment's credentials are
        used without them.
    trust : mapping of str to mapping, optional
        URL prefix to storage options, for links that leave the origin of their store. Only for a new manager.

    transport : {"fsspec", "obstore"}, optional
        What sends the requests; ``"obstore"`` needs the extra of that name. Without it, what the environment variable
        ``NWBZARR_TRANSPORT`` says. Only for a new manager.
    cache : BlockCache, optional
        What keeps chunks that were read, in memory and by option on disk. Only for a new manager.

    Raises
    ------
    StoreModeError
        For an unknown mode or transport, or a mode that the protocol cannot serve.
    StoreError, DocumentError
        When the mode needs a session that cannot be opened, or forbids one that is there.
    """

    def __init__(  # noqa: PLR0913 - PyNWB's first three, then where and how
        self,
        path: str | os.PathLike[str],
        mode: str = "r",
        manager: Manager | None = None,
        storage_options: Options | None = None,
        trust: Mapping[str, Options] | None = None,
        transport: str | None = None,
        cache: BlockCache | None = None,
    ) -> None:
        if mode not in MODES:
            message = f"mode must be one of {', '.join(map(repr, MODES))}, but {mode!r} came"
            raise StoreModeError(message)
        for word, given in (("trust", trust), ("transport", transport), ("cache", cache)):
            if manager is not None and given is not None:
                message = f"{word} belongs to the manager: give it where the manager is made, not together with one"
                raise StoreModeError(message)
        self.url = locate(path)
        self.mode = mode
        self.manager = manager or Manager(trust, transport=transport, blocks=cache)
        self._owns_manager = manager is None
        self._options = storage_options
        self._session: Session | None = None
        self._base: Tree | None = None
        if mode != "r" and self.url.protocol in _READ_ONLY_PROTOCOLS:
            message = f"{self.url.protocol}:// can only be read: use mode='r', or write to a disk or an object store"
            raise StoreModeError(message, self.url.text)
        self._check_presence()

    def read(self) -> NWBFile:
        """Return the session; arrays and links are read when they are touched.

        Raises
        ------
        StoreError, DocumentError, SchemaError
            When there is no session that can be read.
        """
        if self._session is None:
            self._session = self.manager.open(self.url, self._options)
        return self._session.nwbfile()

    @property
    def session(self) -> Session:
        """The open session behind `read`.

        Raises
        ------
        StoreError, DocumentError
            When there is no session that can be read.
        """
        self.read()
        if self._session is None:  # pragma: no cover - read opens it
            raise SchemaError(str(self.url))
        return self._session

    @overload
    def write(
        self,
        nwbfile: NWBFile,
        *,
        layouts: Layouts = None,
        max_memory: int = MEMORY_BYTES,
        progress: Wanted = None,
        resume: bool = False,
        dry_run: Literal[False] = False,
    ) -> WriteReport: ...

    @overload
    def write(self, nwbfile: NWBFile, *, layouts: Layouts = None, dry_run: Literal[True]) -> Explanation: ...

    def write(  # noqa: PLR0913 - what, how, and how much of it
        self,
        nwbfile: NWBFile,
        *,
        layouts: Layouts = None,
        max_memory: int = MEMORY_BYTES,
        progress: Wanted = None,
        resume: bool = False,
        dry_run: bool = False,
    ) -> WriteReport | Explanation:
        """Store a session; containers that live in other stores become links.

        Nothing is visible before all of it is. In mode ``r+``, and when this IO has written before, what is new is
        added to the store.

        Parameters
        ----------
        nwbfile : NWBFile
            A new session, a `copy` of another, or the one that this IO has read.
        layouts : mapping of str to LayoutWish or mapping, optional
            Pattern of paths to what is wished for the layout of those arrays:
            ``{"/acquisition/*/data": {"access": "channel", "compressors": "pcodec"}}``. `ZarrDataIO` comes before it.
        max_memory : int
            Bytes of array data that may be under way at once. One stored object always is.
        progress : bool, callable or None
            None shows a bar on terminals while much is written; a callable is called with `Progress`, from another
            thread.
        resume : bool
            Go on with a write of the same session that was cut off: objects of arrays that are stored already in the
            same form are not written again. That their values are the same is checked for one chunk of each array.
            When this write is cut off by an error, what it has stored stays, to be gone on with.
        dry_run : bool
            Store nothing, and say how arrays would be laid out, and why.

        Returns
        -------
        WriteReport or Explanation
            What was stored and what was linked; how arrays would be laid out, for a dry run.

        Raises
        ------
        SchemaError, LinkError
            When the session cannot be stored; nothing is written then.
        CommitError, StoreError
            When it did not become visible; what was there is whole (local) or absent (object storage).
        """
        if not isinstance(max_memory, int) or max_memory < 0:
            message = f"max_memory must be a number of bytes, but {max_memory!r} came"
            raise LayoutError(message)
        plan, stored = self._plan(nwbfile, layouts)
        if dry_run:
            give_back(plan, stored)
            return explain_documents(self.url.text, plan.documents, plan.layouts, plan.encoded_sizes)
        if resume and plan.base is not None:
            message = "resume goes on with the making of a new store: what is added to a store is written anew"
            raise StoreModeError(message, self.url.text)
        if plan.base is not None and not plan.documents:
            return WriteReport(self.url, 0, 0, 0, (), plan.base)
        report = self._carry_out(
            plan, progress, max_memory=max_memory, resume=resume, verify=lambda: check_lengths(plan, stored)
        )
        self._settle(stored)
        return report

    def _plan(self, nwbfile: NWBFile, layouts: Layouts) -> tuple[WritePlan, list[tuple[Element, str]]]:
        """Return the plan that stores a session, and what it stores."""
        if self.mode == "r":
            message = "the store is open for reading: open it with mode='r+' to add to it"
            raise StoreModeError(message, self.url.text)
        if not isinstance(nwbfile, NWBFile):
            message = f"write takes an NWBFile, but {type(nwbfile).__name__} came"
            raise SchemaError(message, self.url.text)
        self._check_belongs(nwbfile)
        origin = nwbfile.specifications if nwbfile.loader is None else None
        if origin is not None and self._base is None:
            origin.check_namespaces()
        return plan_write(nwbfile, self.url, self._base, LayoutRules(layouts))

    def export(self, src_io: NWBZarrIO, nwbfile: NWBFile | None = None, *, progress: Wanted = None) -> WriteReport:
        """Store a self-contained copy of another session: what it links to is copied too.

        Stored objects are copied as they are, so layouts (chunks, shards, codecs) are kept.

        Parameters
        ----------
        src_io : NWBZarrIO
            The session to copy, open for reading.
        nwbfile : NWBFile, optional
            What `src_io` has read, to make sure that it holds nothing unsaved.
        progress : bool, callable or None
            As `write` takes it.

        Raises
        ------
        LinkError
            When a link of the session cannot be followed; nothing is written then.
        SchemaError
            When `nwbfile` is another session, or holds what is not stored yet.
        """
        if self.mode in ("r", "r+"):
            message = f"export makes a new store: use mode='w' or 'w-' instead of {self.mode!r}"
            raise StoreModeError(message, self.url.text)
        source = src_io.read()
        if (nwbfile is not None and nwbfile is not source) or source.changed:
            message = "export copies what is stored, but the session given holds something else: write it first"
            raise SchemaError(message, src_io.url.text)
        src_io.session.check_namespaces()
        return self._carry_out(plan_export(source, self.url), progress)

    def close(self) -> None:
        """Close the connections, unless the manager came from another IO; who reads on connects anew."""
        if self._owns_manager:
            self.manager.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<NWBZarrIO {self.url.text} mode={self.mode!r}>"

    def _check_presence(self) -> None:
        """Open what the mode needs, and refuse what it forbids."""
        if self.mode in ("r", "r+"):
            self._session = self.manager.open(self.url, self._options)
        elif self.mode != "w":
            self._session = self.manager.open_if_there(self.url, self._options)
        if self.mode in ("w-", "x") and self._session is not None:
            message = (
                f"mode {self.mode!r} makes a new store, but there is one: use 'r+' to add to it, 'w' to replace it"
            )
            raise StoreExistsError(message, self.url.text)
        if self._session is not None and self._session.is_read_only and self.mode != "r":
            message = (
                "a session in a file can only be read: nwbzarr convert or copy makes a store of it, which takes more"
            )
            raise StoreModeError(message, self.url.text)
        if self._session is not None and self.mode != "r":
            self._base = self._session.tree

    def _check_belongs(self, nwbfile: NWBFile) -> None:
        """Raise unless the session is new here, or the one that is stored here."""
        here = nwbfile.stored_at is not None and nwbfile.stored_at.url == self.url
        if nwbfile.loader is None or nwbfile.stored_at is None:
            # Made in memory: it can be written to one place after another.
            if self._base is not None and not here:
                message = (
                    f"mode {self.mode!r} adds to the session that is stored here, but another one came: "
                    "read() it and change that, or replace it with mode='w'"
                )
                raise StoreExistsError(message, self.url.text)
            return
        if not here:
            message = (
                f"this session is stored at {nwbfile.stored_at.url.text}: write nwbfile.copy() to derive a linked "
                "session from it, or use export() for a self-contained copy"
            )
            raise SchemaError(message, self.url.text)
        if self._base is None:
            message = (
                "this session is read from the store that mode 'w' would replace: open it with mode='r+' to add to "
                "it, or export() it elsewhere first"
            )
            raise SelfOverwriteError(message, self.url.text)

    def _carry_out(self, plan: WritePlan, progress: Wanted, **settings: Any) -> WriteReport:
        """Do what the plan says, make it visible, and take it for what is stored."""
        report = Destination(self.url, self.mode, self.manager, self._options).carry_out(plan, progress, **settings)
        if plan.base is not None and self._session is not None:
            self._session.refresh(report.tree)
        else:
            self.manager.forget(self.url)
        self._base = report.tree
        return report

    def _settle(self, stored: list[tuple[Element, str]]) -> None:
        """Note where the elements are stored now, so that other sessions link to them."""
        for element, path in stored:
            element.settle(Location(self.url, path))


def open(  # noqa: A001, PLR0913 - nwbzarr.open, like zarr.open; and the arguments of NWBZarrIO
    path: str | os.PathLike[str],
    storage_options: Options | None = None,
    trust: Mapping[str, Options] | None = None,
    manager: Manager | None = None,
    transport: str | None = None,
    cache: BlockCache | None = None,
) -> NWBFile:
    """Return the session that is stored at a place, open for reading.

    Parameters
    ----------
    path : str or path-like
        A local path, or any URL that fsspec knows.
    storage_options : mapping, optional
        fsspec's options for it.
    trust : mapping of str to mapping, optional
        URL prefix to storage options, for links that leave the origin of their store.
    manager : Manager, optional
        Shares open stores with others.
    transport : {"fsspec", "obstore"}, optional
        What sends the requests.
    cache : BlockCache, optional
        What keeps chunks that were read.
    """
    return NWBZarrIO(path, "r", manager, storage_options, trust, transport, cache).read()


read_nwb = open

__all__ = ["MODES", "NWBZarrIO", "open", "read_nwb"]
