"""Requests and bytes, counted where they leave the package.

`MeteredStore` wraps the keys of any store. A *round trip* is a stretch of time with at least one request under way:
requests that overlap share one. This room refuses to change what passes through it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from zarr.abc.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype


@dataclass
class Meter:
    """Counts of what was asked of stores.

    Attributes
    ----------
    requests : Counter
        ``get``, ``put``, ``delete``, ``list`` and ``head`` to how often.
    bytes_read, bytes_written : int
        Sizes of values, in bytes.
    round_trips : int
        Stretches of time with a request under way.
    keys : list of (str, str)
        Every request with its key, in order.
    """

    requests: Counter[str] = field(default_factory=Counter)
    bytes_read: int = 0
    bytes_written: int = 0
    round_trips: int = 0
    keys: list[tuple[str, str]] = field(default_factory=list)
    _under_way: int = 0

    @property
    def total(self) -> int:
        """All requests."""
        return self.requests.total()

    def reset(self) -> None:
        """Start again from zero."""
        self.requests.clear()
        self.keys.clear()
        self.bytes_read = self.bytes_written = self.round_trips = 0

    @contextmanager
    def request(self, kind: str, key: str) -> Iterator[None]:
        """Count one request while it is under way."""
        self.requests[kind] += 1
        self.keys.append((kind, key))
        self.round_trips += self._under_way == 0
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1


class MeteredStore(Store):
    """Keys of a store, with every request counted.

    Parameters
    ----------
    store : zarr.abc.store.Store
        The keys to pass requests on to.
    meter : Meter
        Where to count.
    """

    def __init__(self, store: Store, meter: Meter) -> None:
        super().__init__(read_only=store.read_only)
        self.store = store
        self.meter = meter

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MeteredStore) and other.store == self.store

    __hash__ = None  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        return (
            getattr(self.__dict__["store"], name) if "store" in self.__dict__ else object.__getattribute__(self, name)
        )

    def __repr__(self) -> str:
        return f"MeteredStore({self.store!r})"

    @property
    def supports_writes(self) -> bool:
        """Whether the wrapped store takes writes."""
        return self.store.supports_writes

    @property
    def supports_deletes(self) -> bool:
        """Whether the wrapped store takes deletions."""
        return self.store.supports_deletes

    @property
    def supports_listing(self) -> bool:
        """Whether the wrapped store lists its keys."""
        return self.store.supports_listing

    def with_read_only(self, read_only: bool = False) -> Self:
        """Return the same keys, read-only or not, counted by the same meter."""
        return type(self)(self.store.with_read_only(read_only), self.meter)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Count a ``get``."""
        with self.meter.request("get", key):
            value = await self.store.get(key, prototype, byte_range)
        self.meter.bytes_read += 0 if value is None else len(value)
        return value

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Count a ``get`` for each range."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        """Count a ``head``."""
        with self.meter.request("head", key):
            return await self.store.exists(key)

    async def set(self, key: str, value: Buffer) -> None:
        """Count a ``put``."""
        self.meter.bytes_written += len(value)
        with self.meter.request("put", key):
            await self.store.set(key, value)

    async def create(self, key: str, data: bytes) -> None:
        """Count a conditional ``put``."""
        self.meter.bytes_written += len(data)
        with self.meter.request("put", key):
            await self.store.create(key, data)  # type: ignore[attr-defined]

    async def replace(self, key: str, data: bytes, expected: bytes) -> None:
        """Count what a conditional replacement sends: its check and its ``put``."""
        self.meter.bytes_written += len(data)
        self.meter.requests["get"] += 1
        with self.meter.request("put", key):
            await self.store.replace(key, data, expected)  # type: ignore[attr-defined]

    async def delete(self, key: str) -> None:
        """Count a ``delete``."""
        with self.meter.request("delete", key):
            await self.store.delete(key)

    async def delete_many(self, names: Sequence[str]) -> None:
        """Count a ``delete`` for every thousand keys, as object stores take them."""
        for start in range(0, len(names), 1000):
            with self.meter.request("delete", names[start]):
                await self.store.delete_many(names[start : start + 1000])  # type: ignore[attr-defined]

    async def list(self) -> AsyncIterator[str]:
        """Count a ``list`` (services answer a thousand keys at a time; that is not seen here)."""
        with self.meter.request("list", ""):
            async for key in self.store.list():
                yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Count a ``list``."""
        with self.meter.request("list", prefix):
            async for key in self.store.list_prefix(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Count a ``list``."""
        with self.meter.request("list", prefix):
            async for key in self.store.list_dir(prefix):
                yield key


class WholeObjects(MeteredStore):
    """Keys of arrays that are written whole object by whole object: nothing that is there needs to be read.

    zarr asks for a shard before it writes it; here the answer is known without a request. When one write of several
    fails, zarr leaves the others under way: `drain` stops them, so that none reaches the store after a retry began.
    """

    def __init__(self, store: Store, meter: Meter) -> None:
        super().__init__(store, meter)
        self._under_way: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:  # noqa: ARG002
        """Say that there is nothing."""
        return None

    async def exists(self, key: str) -> bool:  # noqa: ARG002
        """Say that there is nothing."""
        return False

    async def set(self, key: str, value: Buffer) -> None:
        """Count a ``put``, and keep an eye on it."""
        if self._stopped:
            message = "the write was given up"
            raise OSError(message)
        task = asyncio.ensure_future(super().set(key, value))
        self._under_way.add(task)
        try:
            await task
        finally:
            self._under_way.discard(task)

    async def drain(self) -> None:
        """Start no write any more, and wait for those under way."""
        self._stopped = True
        await asyncio.gather(*self._under_way, return_exceptions=True)
