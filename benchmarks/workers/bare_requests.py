"""Bare PUTs and GETs of the objects that nwbzarr stores and fetches: what the server and the network allow."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping

    Put = Callable[[str, bytes], Awaitable[Any]]
    Get = Callable[[str], Awaitable[Any]]


@dataclass(frozen=True)
class BareRequests:
    """One request for each object, so many at a time as nwbzarr has in flight.

    Attributes
    ----------
    client : str
        ``"aiobotocore"``, which s3fs works with, or ``"obstore"``.
    """

    client: str

    def load(self) -> None:
        """Import the client."""
        importlib.import_module({"aiobotocore": "aiobotocore.session", "obstore": "obstore.store"}[self.client])

    def make(self, data: Any, rate: float, options: Mapping[str, Any]) -> Any:
        """Return key to bytes, and how many go at a time."""
        del data, rate
        folder = Path(options["mirror"])
        files = (path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}, options["in_flight"]

    def write(self, place: str, made: tuple[dict[str, bytes], int]) -> None:
        """Put all objects."""
        objects, in_flight = made
        asyncio.run(self._put_all(place, objects, in_flight))

    @contextmanager
    def open(self, place: str) -> Iterator[Any]:
        """Give what fetches all objects; `place` is a JSON of the place, its keys, and how many go at a time."""
        yield _Objects(self, **json.loads(place))

    async def _put_all(self, place: str, objects: Mapping[str, bytes], in_flight: int) -> None:
        async with _CLIENTS[self.client](place) as (put, _):
            await _at_a_time(in_flight, lambda key: put(key, objects[key]), objects)

    async def get_all(self, place: str, keys: Iterable[str], in_flight: int, bodies: list[Any]) -> None:
        """Put the objects of the keys into a list, as they came.

        They are not returned: `asyncio.run`, when it puts the old signal handler back, makes the text of its task with
        the result in it, which takes three seconds for 50 MB.
        """
        async with _CLIENTS[self.client](place) as (_, get):
            bodies += await _at_a_time(in_flight, get, keys)


@dataclass(frozen=True)
class _Objects:
    """Objects that are fetched when they are sliced; all of them, whatever the selection."""

    requests: BareRequests
    place: str
    keys: list[str]
    in_flight: int

    def __getitem__(self, _: Any) -> list[np.ndarray[Any, Any]]:
        bodies: list[Any] = []
        asyncio.run(self.requests.get_all(self.place, self.keys, self.in_flight, bodies))
        return [np.frombuffer(body, np.uint8) for body in bodies]


async def _at_a_time(in_flight: int, task: Callable[[str], Awaitable[Any]], keys: Iterable[str]) -> list[Any]:
    gate = asyncio.Semaphore(in_flight)

    async def run(key: str) -> Any:
        async with gate:
            return await task(key)

    return await asyncio.gather(*map(run, keys))


@asynccontextmanager
async def _botocore_client(place: str) -> AsyncIterator[tuple[Put, Get]]:
    from aiobotocore.session import get_session

    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    async with get_session().create_client("s3") as client:

        async def get(key: str) -> bytes:
            answer = await client.get_object(Bucket=bucket, Key=f"{prefix}/{key}")
            async with answer["Body"] as body:
                found: bytes = await body.read()
            return found

        async def put(key: str, body: bytes) -> None:
            await client.put_object(Bucket=bucket, Key=f"{prefix}/{key}", Body=body)

        yield put, get


@asynccontextmanager
async def _obstore_client(place: str) -> AsyncIterator[tuple[Put, Get]]:
    from obstore.store import S3Store

    store = S3Store.from_url(place, endpoint=os.environ["AWS_ENDPOINT_URL"], client_options={"allow_http": True})

    async def get(key: str) -> Any:
        return await (await store.get_async(key)).bytes_async()

    async def put(key: str, body: bytes) -> None:
        await store.put_async(key, body, use_multipart=False)

    yield put, get


_CLIENTS = {"aiobotocore": _botocore_client, "obstore": _obstore_client}
