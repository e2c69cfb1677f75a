"""Keys on anything fsspec reaches: one request per read and write, sent again when it is lost, conditional writes."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import glob
import inspect
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.storage import FsspecStore

from nwbzarr.stores.failures import ServiceError, is_behind_the_end, is_conflict
from nwbzarr.stores.patience import patiently

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

#: Bytes that S3 takes with one PUT. Parts would be no faster here, leave litter that nobody sees when a writer dies
#: between them, and lose the condition on Ceph.
_LARGEST_PUT = 5 * 2**30

#: Keys that S3 deletes with one request.
_DELETED_AT_ONCE = 1000


class RemoteKeys(FsspecStore):
    """fsspec's keys, with what object storage needs on top.

    Every request goes through `nwbzarr.stores.patience.patiently`, so the file system need not ask again by itself.
    """

    _creating = threading.Lock()

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return the value of `key`, or None.

        s3fs asks for the size before it reads a whole object; telling it to use one connection spares that.
        """
        bounds = _bounds(byte_range)
        try:
            data = await self._cat(self._path(key), length_of(byte_range), **bounds)
        except self.allowed_exceptions:
            return None
        except OSError as error:
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
        return bool(await patiently(lambda: self.fs._exists(self._path(key))))  # noqa: SLF001

    async def set(self, key: str, value: Buffer, byte_range: tuple[int, int] | None = None) -> None:
        """Write a key with one request."""
        self._check_writable()
        if byte_range is not None:
            raise NotImplementedError
        await self._pipe(self._path(key), bytes_of(value))

    async def create(self, key: str, data: bytes) -> None:
        """Write a key that must not exist (S3: ``If-None-Match: *``)."""
        path = self._path(key)
        if isinstance(self.fs, AsyncFileSystemWrapper):
            with self._creating:
                if self.fs.sync_fs.exists(path):
                    raise FileExistsError(errno.EEXIST, "the key exists already", key)
                self.fs.sync_fs.pipe_file(path, data)
            return
        await self._put_if(key, data, mode="create")

    async def replace(self, key: str, data: bytes, expected: bytes) -> None:
        """Write a key that must still hold `expected` (S3: ``If-Match``)."""
        path = self._path(key)
        if isinstance(self.fs, AsyncFileSystemWrapper):
            with self._creating:
                if not self.fs.sync_fs.exists(path) or self.fs.sync_fs.cat_file(path) != expected:
                    raise FileExistsError(errno.EEXIST, "another writer changed the key", key)
                self.fs.sync_fs.pipe_file(path, data)
            return
        try:
            found, condition = await self._state(path)
        except FileNotFoundError as error:
            raise FileExistsError(errno.EEXIST, "another writer removed the key", key) from error
        if found != expected:
            raise FileExistsError(errno.EEXIST, "another writer changed the key", key)
        await self._put_if(key, data, **condition)

    async def delete(self, key: str) -> None:
        """Delete a key; that it is not there is no error."""
        self._check_writable()
        await self.delete_many([key])

    async def delete_many(self, names: Sequence[str]) -> None:
        """Delete some keys; object stores take a thousand with one request."""
        paths = [self._path(name) for name in names]
        if isinstance(self.fs, AsyncFileSystemWrapper):
            for path in paths:
                with contextlib.suppress(FileNotFoundError):
                    self.fs.sync_fs.rm_file(path)
        elif self._is_s3:
            for start in range(0, len(paths), _DELETED_AT_ONCE):
                some = paths[start : start + _DELETED_AT_ONCE]
                await patiently(lambda some=some: self._delete_on_s3(some))  # type: ignore[misc]
        elif any(map(glob.has_magic, paths)):
            # fsspec would take the names for patterns, and delete what they fit.
            await asyncio.gather(*map(self._delete_one, paths))
        elif paths:
            with contextlib.suppress(FileNotFoundError):
                await patiently(lambda: self.fs._rm(paths))  # noqa: SLF001

    async def list(self) -> AsyncIterator[str]:
        """Yield all keys."""
        async for key in self.list_prefix(""):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Yield the keys that begin so."""
        async for key, _ in self.entries(prefix):
            yield key

    async def entries(self, prefix: str = "") -> AsyncIterator[tuple[str, int]]:
        """Yield the keys that begin so, with the sizes of their values, in bytes."""
        if self._is_s3:
            async for entry in self._list_on_s3(prefix):
                yield entry
            return
        found = await patiently(lambda: self.fs._find(f"{self.path}/{prefix}", detail=True, withdirs=False), None)  # noqa: SLF001
        for path, about in found.items():
            yield path.removeprefix(f"{self.path}/"), int(about.get("size") or 0)

    # How requests are sent.

    def _path(self, key: str) -> str:
        return f"{self.path}/{key}" if self.path != "/" else key

    async def _cat(self, path: str, nbytes: int | None = None, **bounds: int | None) -> bytes:
        data: bytes = await patiently(lambda: self.fs._cat_file(path, **bounds, **self._one_request), nbytes)  # noqa: SLF001
        return data

    async def _pipe(self, path: str, data: bytes, **condition: str) -> None:
        whole = {"chunksize": _LARGEST_PUT} if self._is_s3 else {}
        await patiently(lambda: self.fs._pipe_file(path, data, **whole, **condition), len(data))  # noqa: SLF001

    async def _put_if(self, key: str, data: bytes, **condition: str) -> None:
        """Write a key on a condition; `FileExistsError` when it does not hold."""
        await put_if(lambda: self._pipe(self._path(key), data, **condition), lambda: self._cat(self._path(key)), data)

    async def _state(self, path: str) -> tuple[bytes, dict[str, str]]:
        """Return what a key holds, and the condition that it still does."""
        if not self._is_s3:
            return await self._cat(path), {}
        bucket, name, _ = self.fs.split_path(path)

        async def attempt() -> tuple[bytes, dict[str, str]]:
            answer = await self.fs._call_s3("get_object", Bucket=bucket, Key=name)  # noqa: SLF001
            with contextlib.closing(answer["Body"]) as body:
                return await body.read(), {"IfMatch": bare_tag(answer["ETag"])}

        return await patiently(attempt, None)

    async def _delete_one(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            await patiently(lambda: self.fs._rm_file(path))  # noqa: SLF001

    async def _delete_on_s3(self, paths: Sequence[str]) -> None:
        """Delete at most a thousand keys, and look at the answer: it may say no for some of them."""
        bucket = self.fs.split_path(paths[0])[0]
        doomed = {"Objects": [{"Key": self.fs.split_path(path)[1]} for path in paths], "Quiet": True}
        answer = await self.fs._call_s3("delete_objects", Bucket=bucket, Delete=doomed)  # noqa: SLF001
        for path in paths:
            self.fs.invalidate_cache(path)
        for refused in answer.get("Errors", ()):
            code = refused.get("Code", "")
            message = f"{refused.get('Key')} was not deleted: {code} {refused.get('Message', '')}".rstrip()
            if code == "AccessDenied":
                raise PermissionError(errno.EACCES, message)
            raise ServiceError(message, 503 if code in ("SlowDown", "InternalError", "ServiceUnavailable") else 400)

    async def _list_on_s3(self, prefix: str) -> AsyncIterator[tuple[str, int]]:
        """Yield keys and sizes page by page: only the page that is lost is asked for again."""
        bucket, start, _ = self.fs.split_path(f"{self.path}/{prefix}")
        root = len(start) - len(prefix)
        asked = {"Bucket": bucket, "Prefix": start}
        while True:
            page = await patiently(lambda: self.fs._call_s3("list_objects_v2", **asked))  # noqa: SLF001
            for entry in page.get("Contents", ()):
                if key := entry["Key"][root:]:
                    yield key, entry["Size"]
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    @cached_property
    def _is_s3(self) -> bool:
        protocol = self.fs.protocol
        return "s3" in ((protocol,) if isinstance(protocol, str) else protocol) and hasattr(self.fs, "_call_s3")

    @cached_property
    def _one_request(self) -> dict[str, Any]:
        known = inspect.signature(self.fs._cat_file).parameters  # noqa: SLF001
        return {"max_concurrency": 1} if "max_concurrency" in known else {}


async def put_if(put: Callable[[], Awaitable[Any]], read: Callable[[], Awaitable[bytes]], data: bytes) -> None:
    """Write on a condition, where an answer may be lost: a request that is sent again finds its own work.

    Raises
    ------
    FileExistsError
        When the condition does not hold, and what is there is not `data`.
    """
    try:
        await put()
    except OSError as error:
        if not is_conflict(error):
            raise
        try:
            ours = await read() == data
        except FileNotFoundError:
            ours = False
        if not ours:
            raise FileExistsError(errno.EEXIST, "another writer was first") from error


def bare_tag(tag: str) -> str:
    """Return an entity tag without its quotes: AWS takes it with them and without, Ceph without only."""
    return tag.strip('"')


def bytes_of(value: Buffer) -> bytes:
    """Return the bytes of a buffer; they are copied only when they are a part of others, or no bytes."""
    array = value.as_numpy_array()
    base = array.base
    # np.frombuffer keeps what it was given as its base.
    if isinstance(base, bytes) and isinstance(array, np.ndarray) and array.nbytes == len(base):
        return base
    return value.to_bytes()


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


def length_of(byte_range: ByteRequest | None) -> int | None:
    """Return how many bytes a request asks for, or None when only the service knows."""
    if isinstance(byte_range, RangeByteRequest):
        return byte_range.end - byte_range.start
    return byte_range.suffix if isinstance(byte_range, SuffixByteRequest) else None
