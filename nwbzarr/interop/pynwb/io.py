"""`NWBZarrIO` for PyNWB's containers: an hdmf IO on our stores, and the two one-liners around it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from hdmf.backends.errors import UnsupportedOperation
from hdmf.backends.io import HDMFIO
from hdmf.build import BuildManager
from hdmf.data_utils import DataIO
from pynwb import get_manager, get_type_map

from nwbzarr.convention.names import SPECIFICATIONS, SPECIFICATIONS_LOCATION
from nwbzarr.destinations import NEW_MODES, Destination
from nwbzarr.errors import NWBZarrError, SchemaError, StoreExistsError, StoreModeError
from nwbzarr.interop.pynwb.namespaces import load_namespaces, namespace_nodes
from nwbzarr.interop.pynwb.planning import BuilderPlanner
from nwbzarr.interop.pynwb.reading import Builders, source_of
from nwbzarr.io import MODES
from nwbzarr.io import open as open_session
from nwbzarr.layout.rules import LayoutRules
from nwbzarr.model.neurodata import NWBFile
from nwbzarr.reading.managers import Manager
from nwbzarr.stores.connections import locate
from nwbzarr.writing.execution import WriteReport
from nwbzarr.writing.plans import MEMORY_BYTES

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from nwbzarr.layout.rules import LayoutWish
    from nwbzarr.reading.sessions import Session
    from nwbzarr.stores.trust import Options
    from nwbzarr.writing.progress import Wanted

    Layouts = Mapping[str, LayoutWish | Mapping[str, Any]] | None


class NWBZarrIO(HDMFIO):  # type: ignore[misc]  # hdmf has no types
    """A session's store, open in one mode, for PyNWB's containers.

    Parameters
    ----------
    path : str or path-like
        A local path, or any URL that fsspec knows.
    mode : str
        As `nwbzarr.NWBZarrIO` takes it.
    load_namespaces : bool
        Take the types that the store has cached; PyNWB's own otherwise. Not for modes that make a store.
    manager : hdmf.build.BuildManager, optional
        What builds containers; passing that of another IO on makes links to what that one has read.
    storage_options : mapping, optional
        fsspec's options for this store.
    trust : mapping of str to mapping, optional
        URL prefix to storage options, for links that leave the origin of their store.
    stores : nwbzarr.Manager, optional
        Open stores to share.
    transport : {"fsspec", "obstore"}, optional
        What sends the requests.

    Raises
    ------
    StoreModeError, StoreError
        When the mode is unknown, needs a session that is not there, or forbids one that is.
    """

    def __init__(  # noqa: PLR0913 - PyNWB's first four, then where and how
        self,
        path: str | os.PathLike[str],
        mode: str = "r",
        load_namespaces: bool = True,
        manager: Any = None,
        *,
        storage_options: Options | None = None,
        trust: Mapping[str, Options] | None = None,
        stores: Manager | None = None,
        transport: str | None = None,
    ) -> None:
        if mode not in MODES:
            message = f"mode must be one of {', '.join(map(repr, MODES))}, but {mode!r} came"
            raise StoreModeError(message)
        if stores is not None and (trust is not None or transport is not None):
            message = "trust and transport belong to the manager of stores: give them where that is made"
            raise StoreModeError(message)
        self.url = locate(path)
        self.mode = mode
        self.stores = stores or Manager(trust, transport=transport)
        self._owns_stores = stores is None
        self._options = storage_options
        self._session: Session | None = None
        self._open_session()
        super().__init__(manager=manager or self._manager(load_namespaces=load_namespaces), source=source_of(self.url))
        # hdmf makes paths of what it takes for no URL.
        self._HDMFIO__source = source_of(self.url)
        self._builders = Builders(self.manager.construct)

    def _manager(self, *, load_namespaces: bool) -> Any:
        if not load_namespaces or self._session is None:
            return get_manager()
        types = get_type_map()
        _load(types, self._session)
        return BuildManager(types)

    def _open_session(self) -> None:
        """Open what the mode needs, and refuse what it forbids."""
        if self.mode in ("r", "r+"):
            self._session = self.stores.open(self.url, self._options)
        elif self.mode != "w":
            self._session = self.stores.open_if_there(self.url, self._options)
        if self.mode in ("w-", "x") and self._session is not None:
            message = (
                f"mode {self.mode!r} makes a new store, but there is one: use 'r+' to add to it, 'w' to replace it"
            )
            raise StoreExistsError(message, self.url.text)
        if self.mode != "r" and self._session is not None and self._session.is_read_only:
            message = (
                "a session in a file can only be read: nwbzarr convert or copy makes a store of it, which takes more"
            )
            raise StoreModeError(message, self.url.text)

    # Reading.

    @property
    def session(self) -> Session:
        """The open session.

        Raises
        ------
        UnsupportedOperation
            When there is none yet, or this IO is closed.
        """
        if self._session is None:
            message = f"Cannot read from {self.url.text} in mode '{self.mode}': there is nothing, or the IO is closed."
            raise UnsupportedOperation(message)
        return self._session

    def read(self, skip_version_check: bool = False, **kwargs: Any) -> Any:
        """Return the session as a `pynwb.NWBFile`, with lazy data.

        Parameters
        ----------
        skip_version_check : bool
            Read whatever version of NWB it says.

        Raises
        ------
        UnsupportedOperation
            When the mode makes a new store.
        TypeError
            When it is no NWB 2 session.
        """
        if self.mode in NEW_MODES:
            message = f"Cannot read from {self.url.text} in mode '{self.mode}'. Please use mode 'r', 'r+', or 'a'."
            raise UnsupportedOperation(message)
        version = self.nwb_version[0]
        if not skip_version_check and (version is None or version.removeprefix("NWB-").startswith("1")):
            message = f"an NWB session has an nwb_version of 2 or more, but {version!r} was found in {self.url.text}"
            raise TypeError(message)
        return super().read(**kwargs)

    @property
    def nwb_version(self) -> tuple[str | None, tuple[int | str, ...] | None]:
        """Version of NWB that the session says, as a text and in parts; None and None without one."""
        version = None if self._session is None else self._session.tree.attributes("/").get("nwb_version")
        if not isinstance(version, str):
            return None, None
        parts = version.removeprefix("NWB-").replace("-", ".").replace("_", ".").split(".")
        return version, tuple(int(part) if part.isnumeric() else part for part in parts)

    def read_builder(self) -> Any:
        """Return the builder of the whole session; the same one every time."""
        return self._builders.reader(self.session).root()

    # Writing.

    def write(self, container: Any, *, cache_spec: bool = True, **kwargs: Any) -> None:
        """Store a `pynwb.NWBFile`; containers that were read from other stores become links.

        Parameters
        ----------
        container : pynwb.NWBFile
            A new session, or the one that this IO has read.
        cache_spec : bool
            Keep the namespaces with the data.
        **kwargs
            ``link_data=False`` copies arrays of other stores; ``layouts``, ``max_memory`` and ``progress`` as
            `nwbzarr.NWBZarrIO.write` takes them; ``herd`` as PyNWB does.

        Notes
        -----
        Of what `H5DataIO` wishes for, ``chunks`` and ``link_data`` count; compression and room to grow are HDF5's, and
        planned here (``layouts`` says otherwise).

        Raises
        ------
        UnsupportedOperation
            When the store is open for reading.
        SchemaError, LinkError, ReferenceTargetError
            When something has no stored form; nothing is written then.
        CommitError, StoreError
            When it did not become visible.
        """
        if self.mode == "r":
            message = f"Cannot write to {self.url.text} in mode 'r'. Please use mode 'r+', 'w', 'w-', 'x', or 'a'."
            raise UnsupportedOperation(message)
        super().write(container=container, cache_spec=cache_spec, **kwargs)

    def export(  # noqa: PLR0913 - PyNWB's
        self,
        src_io: Any,
        nwbfile: Any = None,
        write_args: Mapping[str, Any] | None = None,
        *,
        container: Any = None,
        cache_spec: bool = True,
        clear_cache: bool = False,
    ) -> None:
        """Store a copy of what another IO (of any backend) has read; links to other files stay links.

        Parameters
        ----------
        src_io : HDMFIO
            Has read the session.
        nwbfile, container : pynwb.NWBFile, optional
            What it has read, when it was changed since.
        write_args : mapping, optional
            Keyword arguments of `write`: ``{"link_data": False}`` copies arrays that are linked.
        cache_spec : bool
            Keep the namespaces with the data.
        clear_cache : bool
            Build all containers anew.

        Raises
        ------
        UnsupportedOperation
            In a mode that does not make a store.
        """
        if self.mode not in NEW_MODES:
            message = f"Cannot export to {self.url.text} in mode '{self.mode}'. Please use mode 'w'."
            raise UnsupportedOperation(message)
        given = dict(write_args or {})
        given |= {"export_source": src_io.source, "cache_spec": cache_spec, "built_by": src_io.manager}
        wanted = container if container is not None else nwbfile
        clear = clear_cache or not given.get("link_data", True)
        super().export(src_io=src_io, container=wanted, write_args=given, clear_cache=clear)

    @classmethod
    def export_io(cls, src_io: Any, path: str | os.PathLike[str], **kwargs: Any) -> None:
        """Store a copy of what another IO has read at a place; further arguments as `export` takes them."""
        with cls(path, "w") as io:
            io.export(src_io=src_io, **kwargs)

    def write_builder(  # noqa: PLR0913 - how, in hdmf's words and in ours
        self,
        builder: Any,
        *,
        link_data: bool = True,
        export_source: str | None = None,
        cache_spec: bool = True,
        built_by: Any = None,
        layouts: Layouts = None,
        max_memory: int = MEMORY_BYTES,
        progress: Wanted = None,
    ) -> WriteReport:
        """Store a builder of a whole session; see `write`."""
        base = self._session.tree if self._session is not None and self.mode not in NEW_MODES else None
        manager = built_by or self.manager
        planner = BuilderPlanner(
            self.url,
            source_of(self.url),
            base,
            LayoutRules(layouts),
            builder_of=lambda container: manager.build(container, source=self.source),
            is_column=lambda each: _is_column(manager, each),
            link_data=link_data,
            export_source=export_source,
        )
        planner.plan_group(builder, "/")
        if cache_spec:
            self._plan_namespaces(planner, manager)
        plan = planner.plan()
        if base is not None and not plan.documents:
            return WriteReport(self.url, 0, 0, 0, (), base)
        destination = Destination(self.url, self.mode, self.stores, self._options)
        report = destination.carry_out(plan, progress, max_memory=max_memory)
        self._take(report, base)
        return report

    def _take(self, report: WriteReport, base: Any) -> None:
        """Take what was written for what is stored."""
        if base is not None and self._session is not None:
            self._session.refresh(report.tree)
        else:
            self.stores.forget(self.url)
        if self.mode not in NEW_MODES:
            self._session = self.stores.open(self.url, self._options)

    def _plan_namespaces(self, planner: BuilderPlanner, manager: Any) -> None:
        stored = set(planner.base.documents) if planner.base is not None else set()
        for each in (self.manager, manager):
            documents, chunks = namespace_nodes(each.namespace_catalog, stored | set(planner.parts.documents))
            planner.parts.documents.update(documents)
            planner.parts.chunks.update(chunks)
        root = planner.parts.documents.get("/") or (planner.base.documents["/"] if planner.base is not None else None)
        if root is not None and f"/{SPECIFICATIONS}" in stored | set(planner.parts.documents):
            attributes = {**root["attributes"], SPECIFICATIONS_LOCATION: SPECIFICATIONS}
            if attributes != root["attributes"]:
                planner.parts.documents["/"] = {**root, "attributes": attributes}

    # Opening and closing.

    def open(self) -> None:
        """Do nothing: the store is open since this IO was made."""

    def close(self, close_links: bool = True) -> None:  # noqa: ARG002 - hdmf's
        """Close the connections, unless the manager of stores came from another IO; who reads on connects anew."""
        if self._owns_stores:
            self.stores.close()

    @staticmethod
    def can_read(path: str | os.PathLike[str]) -> bool:
        """Whether there is an NWB session at a place."""
        with contextlib.suppress(NWBZarrError):
            attributes = Manager().open(locate(path)).tree.attributes("/")
            return "nwb_version" in attributes
        return False

    @classmethod
    def load_namespaces(
        cls,
        namespace_catalog: Any,
        path: str | os.PathLike[str] | None = None,
        namespaces: list[str] | None = None,
        io: Any = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Load the namespaces that a store has cached into a catalog or type map; return what each depends on."""
        if io is None and path is None and kwargs.get("file") is None:
            message = "namespaces are loaded from the store at a path, or from that of an open io: give one of them"
            raise ValueError(message)
        opened = kwargs.get("file") if io is None else io.session
        session = opened if opened is not None else Manager().open(locate(str(path)), kwargs.get("storage_options"))
        return load_namespaces(namespace_catalog, session, namespaces)

    def load_namespaces_io(self, namespace_catalog: Any, namespaces: list[str] | None = None) -> dict[str, Any]:
        """Load the namespaces that this store has cached; return what each depends on."""
        return load_namespaces(namespace_catalog, self.session, namespaces)

    @classmethod
    def set_dataio(cls, **kwargs: Any) -> Any:
        """Return data with settings for its storage."""
        return DataIO(**kwargs)

    @property
    def _file(self) -> Any:
        """What PyNWB's validator passes on to `load_namespaces`."""
        return self._session


_load = load_namespaces


def _is_column(manager: Any, builder: Any) -> bool:
    """Whether a dataset's builder is a column of a table."""
    if manager.get_builder_dt(builder) is None:
        return False
    return any(manager.is_sub_data_type(builder, name) for name in ("VectorData", "ElementIdentifiers"))


def to_pynwb(
    session: Any, *, storage_options: Options | None = None, trust: Mapping[str, Options] | None = None
) -> Any:
    """Return a session as a live `pynwb.NWBFile` with lazy data.

    Parameters
    ----------
    session : NWBFile, str or path-like
        A session that is stored, or where one is.
    storage_options, trust : mapping, optional
        As `nwbzarr.open` takes them; for a place only.

    Raises
    ------
    SchemaError
        When the session is stored nowhere yet.
    """
    if not isinstance(session, NWBFile):
        return NWBZarrIO(session, "r", storage_options=storage_options, trust=trust).read()
    if session.loader is None or session.stored_at is None or session.changed:
        message = "PyNWB reads what is stored, but this session holds something that is not: write it first"
        raise SchemaError(message)
    loader: Any = session.loader
    return NWBZarrIO(source_of(session.stored_at.url), "r", stores=loader.manager).read()


def from_pynwb(
    nwbfile: Any,
    path: str | os.PathLike[str],
    *,
    storage_options: Options | None = None,
    mode: str = "w-",
    **kwargs: Any,
) -> NWBFile:
    """Store a `pynwb.NWBFile`, and return it as our session.

    Parameters
    ----------
    nwbfile : pynwb.NWBFile
        A session of PyNWB's: made in memory, or read from any of its backends.
    path : str or path-like
        Where it is stored; ``memory://…`` for a while.
    storage_options : mapping, optional
        fsspec's options for it.
    mode : str
        ``"w-"`` makes what must not exist, ``"w"`` may replace a session.
    **kwargs
        As `NWBZarrIO.write` takes them.
    """
    source = nwbfile.read_io
    with NWBZarrIO(path, mode, storage_options=storage_options) as io:
        if source is None:
            io.write(nwbfile, **kwargs)
        else:
            io.export(src_io=source, nwbfile=nwbfile, write_args={"link_data": False, **kwargs})
    return open_session(path, storage_options)
