"""Keys over obstore, the other transport: HTTP in Rust, for S3 and for reading over HTTP.

It does what `RemoteKeys` does, with the same patience, the same conditions and the same errors.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import re
from typing import TYPE_CHECKING, Any, Self

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import HTTPStore, S3Store
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.storage import ObjectStore

from nwbzarr.errors import StoreError
from nwbzarr.stores.failures import ServiceError, is_behind_the_end
from nwbzarr.stores.obstore_options import http_settings, s3_settings
from nwbzarr.stores.patience import patiently
from nwbzarr.stores.remote import bare_tag, length_of, put_if

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Sequence

    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

    from nwbzarr.stores.trust import Options
    from nwbzarr.stores.url import StoreURL

#: Bytes from which on an upload may be so slow that no answer comes for long: its time depends on its size only.
_BULK = 2**20

#: Keys that S3 deletes with one request.
_DELETED_AT_ONCE = 1000

_STATUS = re.compile(r"status code: (\d{3})")
_UNREACHABLE = re.compile(r"ConnectionRefused|Connection refused|dns error|failed to lookup address", re.IGNORECASE)


class ObstoreKeys(ObjectStore[Any]):
    """obstore's keys, with what object storage needs on top.

    Parameters
    ----------
    store : obstore.store.ObjectStore
        For all that is answered at once: a request without a byte for a while counts as lost.
    bulk : obstore.store.ObjectStore
        The same place, for uploads of many bytes, whose answer comes when all are there.
    read_only : bool
        Whether writing is refused.
    """

    def __init__(self, store: Any, bulk: Any, *, read_only: bool = False) -> None:
        super().__init__(store, read_only=read_only)
        self.bulk = bulk

    def with_read_only(self, read_only: bool = False) -> Self:
        """Return the same keys, read-only or not."""
        return type(self)(self.store, self.bulk, read_only=read_only)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return the value of `key` or a part of it, or None, with one request."""
        if isinstance(byte_range, RangeByteRequest) and byte_range.start >= byte_range.end:
            return prototype.buffer.from_bytes(b"")
        try:
            data = await patiently(lambda: self._read(key, byte_range), length_of(byte_range))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except ServiceError as error:
            if is_behind_the_end(error):
                return prototype.buffer.from_bytes(b"")
            raise
        return prototype.buffer.from_bytes(data)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return some values or parts of them, requested side by side."""
        return await asyncio.gather(*(self.get(key, prototype, byte_range) for key, byte_range in key_ranges))

    async def exists(self, key: str) -> bool:
        """Return whether there is such a key."""
        try:
            await patiently(lambda: _told(obstore.head_async(self.store, key)))
        except FileNotFoundError:
            return False
        return True

    async def set(self, key: str, value: Buffer) -> None:
        """Write a key with one request."""
        self._check_writable()
        await self._put(key, value.as_buffer_like(), len(value))

    async def create(self, key: str, data: bytes) -> None:
        """Write a key that must not exist (S3: ``If-None-Match: *``)."""
        self._check_writable()
        await put_if(lambda: self._put(key, data, len(data), mode="create"), lambda: self._whole(key), data)

    async def replace(self, key: str, data: bytes, expected: bytes) -> None:
        """Write a key that must still hold `expected` (S3: ``If-Match``)."""
        self._check_writable()

        async def attempt() -> tuple[bytes, str]:
            with _as_os_errors():
                answer = await obstore.get_async(self.store, key)
                return (await answer.bytes_async()).to_bytes(), bare_tag(answer.meta["e_tag"] or "")

        try:
            found, tag = await patiently(attempt, None)
        except FileNotFoundError as error:
            raise FileExistsError(errno.EEXIST, "another writer removed the key", key) from error
        if found != expected:
            raise FileExistsError(errno.EEXIST, "another writer changed the key", key)
        await put_if(lambda: self._put(key, data, len(data), mode={"e_tag": tag}), lambda: self._whole(key), data)

    async def delete(self, key: str) -> None:
        """Delete a key; that it is not there is no error."""
        await self.delete_many([key])

    async def delete_many(self, names: Sequence[str]) -> None:
        """Delete some keys, a thousand with one request; those that are not there are no error."""
        self._check_writable()
        for start in range(0, len(names), _DELETED_AT_ONCE):
            some = list(names[start : start + _DELETED_AT_ONCE])
            with contextlib.suppress(FileNotFoundError):
                await patiently(lambda some=some: _told(obstore.delete_async(self.store, some)))  # type: ignore[misc]

    async def list(self) -> AsyncIterator[str]:  # type: ignore[override]
        """Yield all keys."""
        async for key, _ in self._below(None):
            yield key

    async def entries(self) -> AsyncIterator[tuple[str, int]]:
        """Yield all keys with the sizes of their values, in bytes."""
        async for entry in self._below(None):
            yield entry

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:  # type: ignore[override]
        """Yield the keys that begin so."""
        # obstore takes whole segments only.
        folder = prefix.rpartition("/")[0]
        async for key, _ in self._below(folder or None):
            if key.startswith(prefix):
                yield key

    # How requests are sent.

    async def _read(self, key: str, byte_range: ByteRequest | None) -> Any:
        with _as_os_errors():
            if byte_range is None:
                return await (await obstore.get_async(self.store, key)).bytes_async()
            if isinstance(byte_range, RangeByteRequest):
                return await obstore.get_range_async(self.store, key, start=byte_range.start, end=byte_range.end)
            part: Any
            if isinstance(byte_range, OffsetByteRequest):
                part = {"offset": byte_range.offset}
            elif isinstance(byte_range, SuffixByteRequest):
                part = {"suffix": byte_range.suffix}
            else:
                message = f"unknown byte request {byte_range!r}"
                raise TypeError(message)
            return await (await obstore.get_async(self.store, key, options={"range": part})).bytes_async()

    async def _whole(self, key: str) -> bytes:
        data: bytes = (await patiently(lambda: self._read(key, None), None)).to_bytes()
        return data

    async def _put(self, key: str, data: Any, nbytes: int, mode: Any = "overwrite") -> None:
        store = self.store if nbytes < _BULK else self.bulk
        # In parts, a writer that dies between them would leave litter that nobody sees.
        await patiently(lambda: _told(obstore.put_async(store, key, data, mode=mode, use_multipart=False)), nbytes)

    async def _below(self, prefix: str | None) -> AsyncIterator[tuple[str, int]]:
        """Yield keys and sizes in order; a listing that breaks off goes on behind the last key that came."""
        last: str | None = None
        stream: Any = None

        async def attempt() -> Sequence[Any] | None:
            nonlocal stream
            if stream is None:
                stream = obstore.list(self.store, prefix, offset=last)
            try:
                with _as_os_errors():
                    return await anext(stream, None)
            except BaseException:
                stream = None
                raise

        while (batch := await patiently(attempt)) is not None:
            for entry in batch:
                last = entry["path"]
                yield entry["path"], entry["size"]


def open_obstore_keys(url: StoreURL, options: Options) -> ObstoreKeys:
    """Return the keys of a store on S3 or a web server; nothing is requested.

    Raises
    ------
    StoreError
        When an option has no counterpart in obstore, or obstore refuses it.
    """
    try:
        if url.protocol in ("http", "https"):
            settings = http_settings(url)
            store = HTTPStore.from_url(str(url), **settings)
            return ObstoreKeys(store, store)
        settings = s3_settings(url, options)
        place = {"prefix": url.path.strip("/") or None, **settings}
        bulk = {
            **place,
            "client_options": {**place["client_options"], "read_timeout": place["client_options"]["timeout"]},
        }
        return ObstoreKeys(S3Store(url.authority, **place), S3Store(url.authority, **bulk))
    except (BaseError, ValueError, TypeError) as error:
        message = f"obstore cannot open {url.origin} with these options: {_first_line(error)}"
        raise StoreError(message, url.text) from error


async def _told(request: Awaitable[Any]) -> Any:
    """Await a request, and raise what fsspec would raise."""
    with _as_os_errors():
        return await request


@contextlib.contextmanager
def _as_os_errors() -> Iterator[None]:
    """Raise obstore's errors as those of the operating system, as fsspec does; obstore tells them by text only."""
    try:
        yield
    except (BaseError, ValueError) as error:
        raise _as_os_error(error) from error


def _as_os_error(error: Exception) -> OSError:
    text = _first_line(error)
    found = _STATUS.search(text)
    status = int(found[1]) if found is not None else None
    if isinstance(error, PermissionDeniedError | UnauthenticatedError) or status in (401, 403):
        return PermissionError(errno.EACCES, text)
    if isinstance(error, AlreadyExistsError | PreconditionError):
        return FileExistsError(errno.EEXIST, text)
    if status == 404:  # noqa: PLR2004 - HTTP
        return FileNotFoundError(errno.ENOENT, text)
    if status is not None:
        return ServiceError(text, status)
    if _UNREACHABLE.search(str(error)):
        return ConnectionRefusedError(errno.ECONNREFUSED, text)
    return ConnectionError(text) if "HTTP error" in text else OSError(text)


def _first_line(error: Exception) -> str:
    """Return what an error says, without the structures of its source that obstore adds for its makers."""
    return str(error).partition("\n")[0].strip()
