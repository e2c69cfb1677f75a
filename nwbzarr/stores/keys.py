"""Keys and bytes of one store, as a zarr store and as whole round trips.

`open_keys` turns a `StoreURL` into a `zarr.abc.store.Store`: zarr's own for the local disk, fsspec's or obstore's for
everything else, with what object storage needs on top (one request per read, conditional writes, patience).
`read_many` and `write_many` are what the rest of the package uses for documents: concurrent, and each key costs one
request.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import inspect
import os
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar, get_args, runtime_checkable

import fsspec
from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import _get_loop, sync
from zarr.storage import LocalStore

from nwbzarr.errors import StoreError, StoreModeError
from nwbzarr.stores import patience
from nwbzarr.stores.failures import named_absence, named_errors
from nwbzarr.stores.remote import RemoteKeys, bytes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence
    from pathlib import Path

    from zarr.abc.store import Store

    from nwbzarr.stores.metered import WholeObjects
    from nwbzarr.stores.trust import Options
    from nwbzarr.stores.url import StoreURL

__all__ = [
    "CONCURRENCY", "TRANSPORTS", "ConditionalKeys", "LocalKeys", "RemoteKeys", "Transport", "check_transport",
    "close_keys", "close_keys_later", "create_key", "delete_keys", "drain", "list_keys", "named_errors", "open_keys",
    "read_many", "replace_key", "write_many",
]  # fmt: skip

_T = TypeVar("_T")

#: Requests in flight at once for documents and small chunks.
CONCURRENCY = 64

#: Which library sends the requests.
Transport = Literal["fsspec", "obstore"]
TRANSPORTS: Final[tuple[Transport, ...]] = get_args(Transport)

#: Environment variable that says which, for who does not.
TRANSPORT_VARIABLE: Final = "NWBZARR_TRANSPORT"

_S3 = ("s3", "s3a")
_WEB = ("http", "https")


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


def check_transport(transport: str | None) -> Transport:
    """Return the transport to use: the one that is asked for, else the environment's, else fsspec.

    Parameters
    ----------
    transport : str or None
        ``"fsspec"``, ``"obstore"``, or None for what ``NWBZARR_TRANSPORT`` says.

    Raises
    ------
    StoreModeError
        When there is no such transport.
    StoreError
        When it is not installed.
    """
    source = "transport" if transport is not None else f"the environment variable {TRANSPORT_VARIABLE}"
    asked = transport if transport is not None else os.environ.get(TRANSPORT_VARIABLE) or TRANSPORTS[0]
    found = next((known for known in TRANSPORTS if known == asked), None)
    if found is None:
        message = f"{source} must be one of {', '.join(map(repr, TRANSPORTS))}, but {asked!r} came"
        raise StoreModeError(message)
    if found == "obstore" and importlib.util.find_spec("obstore") is None:
        message = f"{source} asks for obstore, which is not installed: pip install 'nwbzarr[obstore]'"
        raise StoreError(message)
    return found


def open_keys(url: StoreURL, options: Options, transport: Transport = "fsspec") -> Store:
    """Return the keys of a store; nothing is requested.

    Parameters
    ----------
    url : StoreURL
        Where the store is.
    options : mapping
        fsspec's storage options for it.
    transport : {"fsspec", "obstore"}
        What sends the requests. The local disk and ``memory://`` need neither, and take both.

    Raises
    ------
    StoreError
        When the transport knows no such protocol or option, or a package for it is not installed.
    """
    if url.is_local:
        return LocalKeys(url.path or "/")
    if transport == "obstore" and _is_for_obstore(url, options):
        from nwbzarr.stores.obstores import open_obstore_keys

        return open_obstore_keys(url, options)
    try:
        # An instance of our own: its connections live and end with the manager that asked for it.
        fs, path = fsspec.url_to_fs(str(url), **_fsspec_options(url, options))
    except (ValueError, ImportError) as error:
        message = f"fsspec cannot open {url.protocol}://: {error}"
        raise StoreError(message, str(url)) from error
    if not fs.async_impl:
        fs = AsyncFileSystemWrapper(fs, asynchronous=True)
    elif url.protocol in _S3 and hasattr(fs, "retries"):
        # All asking again is in one place; else each layer would multiply what the others do.
        fs.retries = 1
    return RemoteKeys(fs, path=path.rstrip("/"))


def _is_for_obstore(url: StoreURL, options: Options) -> bool:
    """Whether obstore serves a place, or fsspec does although obstore was asked for.

    Raises
    ------
    StoreError
        When nobody does.
    """
    plain = not url.before and not url.after
    if plain and url.protocol == "memory":
        return False
    if plain and url.protocol in _WEB:
        # obstore follows redirects to anywhere and takes no options of aiohttp's: fsspec does as it is told.
        return not options
    if plain and url.protocol in _S3:
        return True
    message = (
        f"transport='obstore' serves local paths, memory://, s3://, http:// and https://, but {url.origin} came: "
        "open it with transport='fsspec'"
    )
    raise StoreError(message, url.text)


def _fsspec_options(url: StoreURL, options: Options) -> dict[str, Any]:
    """Return the options of a file system: the caller's, and time limits where the caller has none."""
    made: dict[str, Any] = {"asynchronous": True, "skip_instance_cache": True, **options}
    if url.before or url.after:
        return made
    if url.protocol in _S3:
        made["config_kwargs"] = {
            "connect_timeout": patience.CONNECT_SECONDS,
            "read_timeout": patience.QUIET_SECONDS,
            "retries": {"mode": "standard", "total_max_attempts": 1},
            # botocore would let ten requests through at a time.
            "max_pool_connections": CONCURRENCY,
            **(options.get("config_kwargs") or {}),
        }
    elif url.protocol in _WEB:
        from aiohttp import ClientTimeout

        # aiohttp would end every request after five minutes, however much had arrived.
        limits = ClientTimeout(total=None, sock_connect=patience.CONNECT_SECONDS, sock_read=patience.QUIET_SECONDS)
        made["client_kwargs"] = {"timeout": limits, **(options.get("client_kwargs") or {})}
    return made


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
        return None if value is None else bytes_of(value)

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
    with named_errors(url), named_absence(url):
        sync(_gather([keys.set(name, buffer.from_bytes(data)) for name, data in values]))


def drain(keys: WholeObjects) -> None:
    """Wait for array writes that are under way, and let no other start."""
    sync(keys.drain())


def create_key(keys: ConditionalKeys, name: str, data: bytes, url: StoreURL) -> None:
    """Write a key that must not exist; `FileExistsError` when it does."""
    with named_errors(url), named_absence(url):
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
