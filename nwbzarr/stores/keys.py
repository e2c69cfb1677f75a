"""Keys and bytes of one store, as a zarr store and as whole round trips.

`open_keys` turns a `StoreURL` into a `zarr.abc.store.Store`: zarr's own for the local disk, fsspec's for everything
else, with what object storage needs on top (one request per read, conditional writes). `read_many` and `write_many`
are what the rest of the package uses for documents: concurrent, and each key costs one request.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import inspect
import sys
import threading
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import fsspec
from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import _get_loop, sync
from zarr.storage import FsspecStore, LocalStore

from nwbzarr.errors import NWBZarrError, StorageFullError, StoreAccessError, StoreError, StoreNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
    from pathlib import Path

    from zarr.abc.store import ByteRequest, Store
    from zarr.core.buffer import Buffer, BufferPrototype

    from nwbzarr.stores.metered import WholeObjects
    from nwbzarr.stores.trust import Options
    from nwbzarr.stores.url import StoreURL

_T = TypeVar("_T")

#: Requests in flight at once for documents and small chunks.
CONCURRENCY = 64

_LARGEST_PUT = 5 * 2**30

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


@runtime_checkable
class ConditionalKeys(Protocol):
    """Keys that can be written on a condition, so that two writers cannot both win."""

    async def create(self, key: str, data: bytes) -> None:
        """Write a key that must not exist.

        Raises
        ------
        FileExistsError
            When it does.
        """

    async def replace(self, key: str, data: bytes, expected: bytes) -> None:
        """Write a key that must still hold `expected`.

        Raises
        ------
        FileExistsError
            When it holds something else.
        """

    async def delete_many(self, names: Sequence[str]) -> None:
        """Delete some keys, with as few requests as the service allows."""


class LocalKeys(LocalStore):
    """zarr's local keys; opening them neither makes nor requires a folder."""

    def __init__(self, root: str | Path, *, read_only: bool = False) -> None:
        super().__init__(root, read_only=read_only)
        # zarr makes the folder when it opens a store, and newer versions do not ask `_open` for that.
        self._is_open = True


class RemoteKeys(FsspecStore):
    """fsspec's keys with one request per read, and conditional writes."""

    _creating = threading.Lock()

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return the value of `key`, or None.

        s3fs asks for the size before it reads a whole object; telling it to use one connection spares that.
        """
        path = f"{self.path}/{key}".lstrip("/") if self.path == "/" else f"{self.path}/{key}"
        try:
            data = await self.fs._cat_file(path, **self._bounds(byte_range), **self._one_request)  # noqa: SLF001
        except self.allowed_exceptions:
            return None
        except OSError as error:
            if "not satisfiable" in str(error):
                return prototype.buffer.from_bytes(b"")
            raise
        return prototype.buffer.from_bytes(data)

    async def create(self, key: str, data: bytes) -> None:
        """Write a key that must not exist (S3: ``If-None-Match: *``)."""
        if isinstance(self.fs, AsyncFileSystemWrapper):
            with self._creating:
                if self.fs.sync_fs.exists(f"{self.path}/{key}"):
                    raise FileExistsError(errno.EEXIST, "the key exists already", key)
                self.fs.sync_fs.pipe_file(f"{self.path}/{key}", data)
            return
        await self._put_if(key, data, mode="create")

    async def replace(self, key: str, data: bytes, expected: bytes) -> None:
        """Write a key that must still hold `expected` (S3: ``If-Match``)."""
        path = f"{self.path}/{key}"
        if isinstance(self.fs, AsyncFileSystemWrapper):
            with self._creating:
                if not self.fs.sync_fs.exists(path) or self.fs.sync_fs.cat_file(path) != expected:
                    raise FileExistsError(errno.EEXIST, "another writer changed the key", key)
                self.fs.sync_fs.pipe_file(path, data)
            return
        condition: dict[str, str] = {}
        if "s3" in self._protocols:
            try:
                info = await self.fs._info(path, refresh=True)  # noqa: SLF001
            except FileNotFoundError as error:
                raise FileExistsError(errno.EEXIST, "another writer removed the key", key) from error
            # AWS takes the entity tag with quotes and without; Ceph takes it without only.
            condition = {"IfMatch": info["ETag"].strip('"')}
        try:
            found = await self.fs._cat_file(path, **self._one_request)  # noqa: SLF001
        except FileNotFoundError:
            found = b""
        if found != expected:
            raise FileExistsError(errno.EEXIST, "another writer changed the key", key)
        await self._put_if(key, data, **condition)

    async def _put_if(self, key: str, data: bytes, **condition: str) -> None:
        """Write a key on a condition; `FileExistsError` when it does not hold."""
        path = f"{self.path}/{key}"
        # In parts, Ceph would not heed the condition: one request, up to S3's limit of 5 GB.
        whole = {"chunksize": _LARGEST_PUT} if "s3" in self._protocols else {}
        try:
            await self.fs._pipe_file(path, data, **whole, **condition)  # noqa: SLF001
        except OSError as error:
            # A request whose answer was lost is sent again, and then finds its own work.
            if not _is_conflict(error):
                raise
            if await self.fs._cat_file(path, **self._one_request) != data:  # noqa: SLF001
                raise FileExistsError(errno.EEXIST, "another writer was first", key) from error

    async def delete_many(self, names: Sequence[str]) -> None:
        """Delete some keys; object stores take a thousand with one request."""
        if isinstance(self.fs, AsyncFileSystemWrapper):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    self.fs.sync_fs.rm_file(f"{self.path}/{name}")
        elif names:
            with contextlib.suppress(FileNotFoundError):
                await self.fs._rm([f"{self.path}/{name}" for name in names])  # noqa: SLF001

    @property
    def _protocols(self) -> tuple[str, ...]:
        protocol = self.fs.protocol
        return (protocol,) if isinstance(protocol, str) else tuple(protocol)

    @property
    def _one_request(self) -> dict[str, Any]:
        known = inspect.signature(self.fs._cat_file).parameters  # noqa: SLF001
        return {"max_concurrency": 1} if "max_concurrency" in known else {}

    @staticmethod
    def _bounds(byte_range: ByteRequest | None) -> dict[str, int | None]:
        """Return fsspec's start and end of a byte request."""
        if byte_range is None:
            return {}
        if isinstance(byte_range, RangeByteRequest):
            return {"start": byte_range.start, "end": byte_range.end}
        if isinstance(byte_range, OffsetByteRequest):
            return {"start": byte_range.offset, "end": None}
        if isinstance(byte_range, SuffixByteRequest):
            return {"start": -byte_range.suffix, "end": None}
        message = f"unknown byte request {byte_range!r}"
        raise TypeError(message)


def open_keys(url: StoreURL, options: Options) -> Store:
    """Return the keys of a store; nothing is requested.

    Parameters
    ----------
    url : StoreURL
        Where the store is.
    options : mapping
        fsspec's storage options for it.

    Raises
    ------
    StoreError
        When fsspec knows no such protocol, or a package for it is not installed.
    """
    if url.is_local:
        return LocalKeys(url.path or "/")
    try:
        # An instance of our own: its connections live and end with the manager that asked for it.
        fs, path = fsspec.url_to_fs(str(url), **{"asynchronous": True, "skip_instance_cache": True, **options})
    except (ValueError, ImportError) as error:
        message = f"fsspec cannot open {url.protocol}://: {error}"
        raise StoreError(message, str(url)) from error
    if not fs.async_impl:
        fs = AsyncFileSystemWrapper(fs, asynchronous=True)
    return RemoteKeys(fs, path=path.rstrip("/"))


def close_keys(keys: Store) -> None:
    """Close the network session behind these keys, if any; the next request opens another."""
    for closing in _take_closers(keys):
        with contextlib.suppress(RuntimeError, OSError):
            sync(closing())


def close_keys_later(keys: Store) -> None:
    """Do the same without waiting: a garbage collector may call this in any thread."""
    for closing in _take_closers(keys):
        asyncio.run_coroutine_threadsafe(closing(), _get_loop())


def _take_closers(keys: Store) -> list[Callable[[], Coroutine[Any, Any, None]]]:
    """Return what closes the network sessions behind some keys, and forget those sessions."""
    fs = getattr(keys, "fs", None)
    closers: list[Callable[[], Coroutine[Any, Any, None]]] = []
    for name in ("_s3", "_session"):
        closing = getattr(getattr(fs, name, None), "close", None)
        if inspect.iscoroutinefunction(closing):
            closers.append(closing)
            setattr(fs, name, None)
    return closers


def read_many(keys: Store, names: Sequence[str], url: StoreURL) -> list[bytes | None]:
    """Return the values of some keys, None where there is nothing, in one concurrent round.

    Raises
    ------
    StoreAccessError
        When the service refuses.
    """

    async def read(name: str) -> bytes | None:
        value = await keys.get(name, default_buffer_prototype())
        return None if value is None else value.to_bytes()

    with named_errors(url):
        return sync(_gather([read(name) for name in names]))


def write_many(keys: Store, values: Iterable[tuple[str, bytes]], url: StoreURL) -> None:
    """Write some keys concurrently, one request each.

    Raises
    ------
    StoreAccessError, StorageFullError
        When the service refuses, or has no room.
    """
    buffer = default_buffer_prototype().buffer
    with named_errors(url), _named_absence(url):
        sync(_gather([keys.set(name, buffer.from_bytes(data)) for name, data in values]))


def drain(keys: WholeObjects) -> None:
    """Wait for array writes that are under way, and let no other start."""
    sync(keys.drain())


def create_key(keys: ConditionalKeys, name: str, data: bytes, url: StoreURL) -> None:
    """Write a key that must not exist; `FileExistsError` when it does."""
    with named_errors(url), _named_absence(url):
        sync(keys.create(name, data))


def replace_key(keys: ConditionalKeys, name: str, data: bytes, expected: bytes, url: StoreURL) -> None:
    """Write a key that must still hold `expected`; `FileExistsError` when it does not."""
    with named_errors(url):
        sync(keys.replace(name, data, expected))


def list_keys(keys: Store, url: StoreURL, limit: int | None = None) -> list[str]:
    """Return the keys of a store, at most `limit` of them when it is given."""

    async def collect() -> list[str]:
        found: list[str] = []
        async for key in keys.list():
            found.append(key)
            if limit is not None and len(found) >= limit:
                break
        return found

    with named_errors(url):
        try:
            return sync(collect())
        except FileNotFoundError:
            return []


def delete_keys(keys: ConditionalKeys, names: Iterable[str], url: StoreURL) -> None:
    """Delete some keys; those that are not there are no error."""
    with named_errors(url):
        sync(keys.delete_many(list(names)))


async def _gather(work: Iterable[Coroutine[Any, Any, _T]]) -> list[_T]:
    """Run coroutines with a bound on how many are in flight."""
    gate = asyncio.Semaphore(CONCURRENCY)

    async def bounded(task: Coroutine[Any, Any, _T]) -> _T:
        async with gate:
            return await task

    # Requests under way when one fails are cancelled and awaited: none may reach the store after a retry began.
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(bounded(task)) for task in work]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


@contextlib.contextmanager
def named_errors(url: StoreURL) -> Iterator[None]:
    """Turn what services and disks raise into errors of this package."""
    try:
        yield
    except (NWBZarrError, FileExistsError, FileNotFoundError):
        raise
    except PermissionError as error:
        raise access_error(error, url) from error
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise full_error(error, url) from error
        raise _service_error(error, url) from error
    except _network_errors() as error:
        raise _service_error(error, url) from error


@contextlib.contextmanager
def _named_absence(url: StoreURL) -> Iterator[None]:
    """Turn the absence of what a store is written into (a bucket) into an error of this package."""
    try:
        yield
    except FileNotFoundError as error:
        message = f"{url.origin} is not there, or may not be seen with these credentials: make the bucket first"
        raise StoreNotFoundError(message, url.text) from error


def _network_errors() -> tuple[type[Exception], ...]:
    """Return the base errors of network packages that are loaded; they are no OSError."""
    homes = (
        ("botocore.exceptions", "BotoCoreError"),
        ("botocore.exceptions", "ClientError"),
        ("aiohttp", "ClientError"),
    )
    found = (getattr(sys.modules.get(module), name, None) for module, name in homes)
    return tuple(error for error in found if isinstance(error, type))


def _service_error(error: Exception, url: StoreURL) -> StoreError:
    message = (
        f"{url.origin} did not answer as it must ({type(error).__name__}: {error}): check that it is reachable, "
        "then try again"
    )
    return StoreError(message, url.text)


def access_error(error: Exception, url: StoreURL) -> StoreAccessError:
    """Return the error that says the service refused."""
    message = (
        f"{url.origin} refused the request ({error}): check the credentials in storage_options or the "
        "environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY …) and their rights on this place"
    )
    return StoreAccessError(message, url.text)


def full_error(error: OSError, url: StoreURL) -> StorageFullError:
    """Return the error that says there is no room."""
    message = f"no space is left to write the store ({error.strerror or error}): free some, then write again"
    return StorageFullError(message, url.text)


def _is_conflict(error: BaseException | None) -> bool:
    """Whether a request failed because its condition did not hold, whatever the service calls it."""
    while error is not None:
        code = (
            str(getattr(error, "response", {}).get("Error", {}).get("Code", "")) if hasattr(error, "response") else ""
        )
        if isinstance(error, FileExistsError) or code in ("PreconditionFailed", "ConditionalRequestConflict", "412"):
            return True
        error = error.__cause__
    return False
