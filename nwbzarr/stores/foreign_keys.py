"""What keys of stores in files and in other formats have in common: they are read-only, and they travel."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Self

from zarr.abc.store import OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest

from nwbzarr.errors import StoreModeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype


class ForeignKeys(Store):
    """Keys of a session that can only be read; can be pickled."""

    supports_writes = False
    supports_deletes = False
    supports_listing = True

    #: Whether objects are those of our form, so that they can be copied as they are.
    is_native = False

    def __init__(self) -> None:
        super().__init__(read_only=True)
        self._is_open = True

    @abstractmethod
    def only(self, path: str) -> Self:
        """Return what another process needs to read one array."""

    @abstractmethod
    async def names(self) -> Iterable[str]:
        """Return all keys."""

    @property
    @abstractmethod
    def place(self) -> str:
        """URL of what holds the session."""

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of some keys."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        """Whether something is stored under a key."""
        return key in set(await self.names())

    async def set(self, key: str, value: Buffer) -> None:  # noqa: ARG002
        """Refuse to write."""
        raise self._refusal(key)

    async def delete(self, key: str) -> None:
        """Refuse to delete."""
        raise self._refusal(key)

    def _refusal(self, key: str) -> StoreModeError:
        message = "this session can only be read where it is: convert or copy it, then write to the new store"
        return StoreModeError(message, self.place, key)

    async def list(self) -> AsyncIterator[str]:
        """Yield all keys."""
        for key in await self.names():
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Yield the keys that begin so."""
        for key in await self.names():
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Yield the next segments of the keys below a folder."""
        folder = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
        below = (key[len(folder) :].partition("/")[0] for key in await self.names() if key.startswith(folder))
        for name in dict.fromkeys(below):
            yield name


def bounds(byte_range: ByteRequest | None, size: int) -> tuple[int, int]:
    """Return where a part of some bytes begins and ends."""
    match byte_range:
        case RangeByteRequest(start, end):
            return start, min(end, size)
        case OffsetByteRequest(offset):
            return offset, size
        case SuffixByteRequest(suffix):
            return max(size - suffix, 0), size
    return 0, size


def part(data: bytes, byte_range: Any) -> bytes:
    """Return a part of some bytes."""
    first, last = bounds(byte_range, len(data))
    return data[first:last]
