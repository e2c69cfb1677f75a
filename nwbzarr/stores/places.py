"""Stores that other processes reach: what they need to know, as data that travels.

A `Place` says where a store is and how to speak to it; each process opens it once, without a request. A `Delivery` is
a place that workers store objects in while another process commits: what they store never replaces what another write
has stored since.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zarr.core.buffer import default_buffer_prototype
from zarr.storage import WrapperStore

from nwbzarr.convention.names import WRITE_MARK
from nwbzarr.errors import CommitConflictError
from nwbzarr.stores.connections import Connections
from nwbzarr.stores.foreign_keys import ForeignKeys
from nwbzarr.stores.keys import LocalKeys
from nwbzarr.stores.marks import parse_mark
from nwbzarr.stores.remote import bytes_of

if TYPE_CHECKING:
    from zarr.abc.store import Store
    from zarr.core.buffer import Buffer

    from nwbzarr.stores.connections import OpenStore
    from nwbzarr.stores.trust import Options
    from nwbzarr.stores.url import StoreURL

_lock = threading.Lock()
_connections: dict[str, Connections] = {}


@dataclass(frozen=True)
class Place:
    """Where a store is, and how to speak to it.

    Attributes
    ----------
    url : StoreURL
        The store.
    options : mapping
        fsspec's storage options, credentials among them: they go with every task to the workers.
    transport : str
        What sends the requests.
    virtual : Store or None
        Keys that travel with the place: of a file in another format.
    """

    url: StoreURL
    options: Options = field(default_factory=dict, repr=False)
    transport: str = "fsspec"
    virtual: Store | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, store: OpenStore, path: str | None = None) -> Place:
        """Return the place of a store that is open here; for one array of it, when `path` is given."""
        keys = store.keys
        virtual = (keys.only(path) if path else keys) if isinstance(keys, ForeignKeys) else None
        return cls(store.url, store.options, store.transport, virtual)

    def open(self) -> Store:
        """Return the keys of the store; the same ones each time in one process. Nothing is requested."""
        if self.virtual is not None:
            return self.virtual
        identity = json.dumps([self.transport, dict(self.options)], sort_keys=True, default=repr)
        with _lock:
            if identity not in _connections:
                _connections[identity] = Connections(transport=self.transport)
            return _connections[identity].open(self.url, self.options).keys

    @property
    def is_of_one_process(self) -> bool:
        """Whether only one process sees what is stored here."""
        return self.url.protocol == "memory"


@dataclass(frozen=True)
class Delivery:
    """A place that workers store objects in.

    Attributes
    ----------
    place : Place
        Where.
    token : str or None
        Of the mark of the write; None where nobody else can reach the place.
    keys : zarr.abc.store.Store or None
        What the process that commits stores with; other processes open the place.

    On a local disk the place is a folder that belongs to this write alone, and that no worker makes: it is gone when the
    write is over.
    """

    place: Place
    token: str | None = None
    keys: Store | None = field(default=None, compare=False, repr=False)

    def open(self) -> Store:
        """Return keys to store objects under."""
        if self.keys is None and self.place.url.is_local:
            return StagedKeys(self.place.url.path)
        keys = self.keys or self.place.open()
        return keys if self.token is None else DeliveredKeys(keys, self.token)

    def __reduce__(self) -> tuple[Any, ...]:
        return Delivery, (self.place, self.token)


class StagedKeys(LocalKeys):
    """Keys of a folder that another process has made, and that is not made again when it is gone."""

    async def set(self, key: str, value: Buffer) -> None:
        """Store an object; it gets its name when it is whole.

        Raises
        ------
        CommitConflictError
            When the folder is gone.
        """
        try:
            await asyncio.to_thread(self._store, Path(self.root, key), bytes_of(value))
        except FileNotFoundError as error:
            message = f"the write that this task belongs to is over: its folder {self.root} is gone"
            raise CommitConflictError(message) from error

    def _store(self, path: Path, data: bytes) -> None:
        for folder in reversed(path.parents[: len(path.relative_to(self.root).parts) - 1]):
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
        part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")
        part.write_bytes(data)
        part.replace(path)


class DeliveredKeys(WrapperStore[Any]):
    """Keys that are created; one that is there already is replaced only while the write is still under way.

    A worker may live on when its write was given up, and finish a task when another write has begun: it must not
    replace an object of that one. A worker's task may also run twice: it finds its own object, and leaves it. Only
    who finds another object asks for the mark.

    Parameters
    ----------
    store : zarr.abc.store.Store
        Keys with conditional writes.
    token : str
        Of the mark of the write.
    """

    def __init__(self, store: Any, token: str) -> None:
        super().__init__(store)
        self._token = token

    async def set(self, key: str, value: Buffer) -> None:
        """Store an object.

        Raises
        ------
        CommitConflictError
            When another write has taken the place over.
        """
        data = bytes_of(value)
        keys: Any = self._store
        try:
            await keys.create(key, data)
        except FileExistsError:
            found = await keys.get(key, default_buffer_prototype())
            mark = await keys.get(WRITE_MARK, default_buffer_prototype())
            owner = None if mark is None else parse_mark(mark.to_bytes())
            if owner is None or owner.token != self._token or owner.abandoned is not None:
                message = f"the write that this task belongs to is over: {key!r} is another one's and stays as it is"
                raise CommitConflictError(message) from None
            if found is None:
                await keys.create(key, data)
            elif found.to_bytes() != data:
                await keys.replace(key, data, found.to_bytes())
