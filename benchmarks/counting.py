"""Requests: by nwbzarr's own meter in memory, and by a proxy in front of an S3 server.

The proxy adds a latency to every request that reads. Requests that arrive before it has passed share a round trip, as
they would over a network whose latency outweighs everything else.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from running import OURS, ROOT, Interpreter, WorkerError

sys.path.insert(0, str(ROOT))
from tests.servers.ceph import CephGateway, ceph_missing
from tests.servers.endpoint import S3Endpoint
from tests.servers.faults import FaultProxy, Faults
from tests.servers.moto import MotoServer, moto_missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from timing import Bench

SERIES = 300
PEER_SERIES = 20
LATENCY = 0.02
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
BUCKET = f"nwbzarr-benchmark-{uuid.uuid4().hex[:12]}"
_OBJECT = re.compile(rf"/{BUCKET}/([^?]+)")

Counts = dict[str, Any]


class CountingProxy(FaultProxy):
    """A proxy that remembers when each request came."""

    def __init__(self, upstream_url: str) -> None:
        super().__init__(upstream_url)
        self.arrivals: list[float] = []

    def decide(self, method: str, path: str) -> Any:
        """Note a request."""
        self.arrivals.append(time.monotonic())
        return super().decide(method, path)

    def forget(self, latency: float) -> None:
        """Start again from zero, with this latency."""
        self.faults = Faults(latency=latency)
        self.requests.clear()
        self.arrivals.clear()

    def counts(self) -> Counts:
        """Return what was counted; round trips only where the latency tells them apart."""
        puts = Counter(found[1] for verb, path in self.requests if verb == "PUT" and (found := _OBJECT.match(path)))
        trips = {"round trips": self._round_trips()} if self.faults.latency else {}
        return {
            "requests": len(self.requests),
            **trips,
            "puts": puts.total(),
            "most puts of one object": max(puts.values(), default=0),
            "others": len(self.requests) - puts.total(),
        }

    def _round_trips(self) -> int:
        trips, end = 0, 0.0
        for arrival in self.arrivals:
            trips += arrival >= end
            end = arrival + LATENCY
        return trips


@dataclass(frozen=True)
class S3Counter:
    """One tool's tasks on S3, with their requests counted."""

    tool: str
    interpreter: Interpreter
    server: S3Endpoint
    proxy: CountingProxy

    def write(self, series: int) -> Counts:
        """Count what it takes to write a session."""
        place = f"{BUCKET}/{self.tool}/written.nwb.zarr"
        found = self._count("write", f"s3://{place}", "--series", series)
        return {**found, "series": series, "objects": len(files_of(self.server).find(place))}

    def read(self, folder: Path) -> Counts:
        """Count what it takes to read every scalar of a session, and to follow one link of another.

        Both sessions are written to the disk and copied to S3, which any tool can.
        """
        raw, derived = folder / "raw.nwb.zarr", folder / "derived.nwb.zarr"
        self.interpreter.run("work_session.py", self.tool, "write", raw, "--series", SERIES)
        self.interpreter.run("work_session.py", self.tool, "derive", derived, "--source", raw)
        place = f"{BUCKET}/{self.tool}"
        for session in (raw, derived):
            files_of(self.server).put(f"{session}/", f"{place}/{session.name}/", recursive=True)
        scalars = self._count("scalars", f"s3://{place}/{raw.name}", latency=LATENCY)
        return {"scalars": scalars, "link": self._link(f"s3://{place}/{derived.name}")}

    def _link(self, place: str) -> Counts:
        """Return what following a link adds to opening, or how it fails."""
        try:
            opened = self._count("open", place, latency=LATENCY)
            followed = self._count("follow", place, latency=LATENCY)
        except WorkerError as error:
            return {"error": str(error)}
        return {name: followed[name] - opened[name] for name in ("requests", "round trips")}

    def _count(self, task: str, place: str, *arguments: object, latency: float = 0.0) -> Counts:
        self.proxy.forget(latency)
        environment = self.server.through(self.proxy.url).environment()
        self.interpreter.run("work_session.py", self.tool, task, place, *arguments, **environment)
        return self.proxy.counts()


def count_memory(bench: Bench) -> Counts:
    """Return what nwbzarr's own meter counts in memory."""
    found = bench.interpreters[OURS].run("count_memory.py", SERIES)
    return {**found, "write": {**found["write"], "series": SERIES}}


def count_s3(bench: Bench, endpoint: str | None) -> Counts:
    """Return what goes to S3: kind of server, and tool to counts of writing and reading."""
    tools = [tool for tool in (OURS, "hdmf-zarr") if tool in bench.interpreters]
    with s3_server(endpoint) as server, bucket(server), CountingProxy(server.url) as proxy:
        written, read = {}, {}
        for tool in tools:
            print(f"requests of {tool}", file=sys.stderr)
            counter = S3Counter(tool, bench.interpreters[tool], server, proxy)
            written[tool] = counter.write(SERIES if tool == OURS else PEER_SERIES)
            folder = bench.folder / "s3" / tool
            folder.mkdir(parents=True)
            read[tool] = counter.read(folder)
        return {"server": server.kind if endpoint is None else endpoint, "written": written, "read": read}


def s3_missing(endpoint: str | None) -> str | None:
    """Say what is missing to talk to S3, or None."""
    if endpoint is None:
        return moto_missing()
    absent = [name for name in CREDENTIALS if name not in os.environ]
    return f"{' and '.join(absent)} not set" if absent else None


@contextlib.contextmanager
def s3_server(endpoint: str | None, *, real: bool = False) -> Iterator[S3Endpoint]:
    """Give the S3 server at a URL, with the environment's credentials, or start one.

    Parameters
    ----------
    endpoint : str or None
        The URL.
    real : bool
        Whether seconds count: then it is Ceph's gateway, where that is installed, and not the stand-in.
    """
    if endpoint is not None:
        key, secret = (os.environ[name] for name in CREDENTIALS)
        yield S3Endpoint(url=endpoint, key=key, secret=secret, kind="ceph")
        return
    with CephGateway() if real and ceph_missing() is None else MotoServer() as server:
        yield server.endpoint


@contextlib.contextmanager
def bucket(server: S3Endpoint) -> Iterator[None]:
    """Make the bucket, and remove it afterwards."""
    from botocore.session import Session

    client = Session().create_client(
        "s3",
        endpoint_url=server.url,
        region_name=server.region,
        aws_access_key_id=server.key,
        aws_secret_access_key=server.secret,
    )
    client.create_bucket(Bucket=BUCKET)
    try:
        yield
    finally:
        files_of(server).rm(BUCKET, recursive=True)
        client.close()


def files_of(server: S3Endpoint) -> Any:
    """Return the server's objects as files, without the proxy and without a cache."""
    import s3fs

    return s3fs.S3FileSystem(**server.storage_options(), skip_instance_cache=True)
