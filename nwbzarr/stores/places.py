"""Stores that other processes reach: what they need to know, as data that travels.

A `Place` says where a store is and how to speak to it; each process opens it once, without a request. A `Delivery` is
a place that workers store objects in while another process commits: what they store never replaces what another write
has stored since.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zarr.core.buffer import default_buffer_prototype
from zarr.storage import WrapperStore

from nwbzarr.convention.names import WRITE_MARK
from nwbzarr.errors import CommitConflictError
from nwbzarr.stores.connections import Connections
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
    """

    url: StoreURL
    options: Options = field(default_factory=dict, repr=False)
    transport: str = "fsspec"

    @classmethod
    def of(cls, store: OpenStore) -> Place:
        """Return the place of a store that is open here."""
        return cls(store.url, store.options, store.transport)

    def open(self) -> Store:
        """Return the keys of the store; the same ones each time in one process. Nothing is requested."""
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
    """

    place: Place
    token: str | None = None
    keys: Store | None = field(default=None, compare=False, repr=False)

    def open(self) -> Store:
        """Return keys to store objects under."""
        keys = self.keys or self.place.open()
        return keys if self.token is None else DeliveredKeys(keys, self.token)

    def __reduce__(self) -> tuple[Any, ...]:
        return Delivery, (self.place, self.token)


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
