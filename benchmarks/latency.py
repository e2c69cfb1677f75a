"""A streaming HTTP/1.1 proxy in front of one server: it adds a latency to each request, and counts.

`tests.servers.faults` takes messages in whole before it passes them on, which doubles the time of large ones. Here bodies
go through while they come, from socket to socket inside the kernel (``splice``) where the system can.
"""

from __future__ import annotations

import os
import re
import select
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

LOOPBACK = "127.0.0.1"
BLOCK = 1 << 20
HEAD_LIMIT = 1 << 16
WITHOUT_BODY = ("204", "304")
_SET_PIPE_SIZE = 1031


@dataclass(frozen=True)
class Exchange:
    """One request and its answer.

    Attributes
    ----------
    verb, path : str
        What was asked for.
    arrived, answered : float
        When its head had come, and when the whole answer had been passed on.
    sent, received : int
        Bytes of the client's body and of the server's.
    """

    verb: str
    path: str
    arrived: float
    answered: float
    sent: int
    received: int


def count(exchanges: Iterable[Exchange]) -> dict[str, Any]:
    """Return what requests come to: how many, of what kind, round trips, the most at a time, and bytes."""
    found = list(exchanges)
    return {
        "requests": len(found),
        "verbs": dict(Counter(each.verb for each in found)),
        "round trips": round_trips(found),
        "in flight": in_flight(found),
        "bytes sent": sum(each.sent for each in found),
        "bytes received": sum(each.received for each in found),
    }


def round_trips(exchanges: Iterable[Exchange]) -> int:
    """Return the length of the longest chain of requests each of which came after the one before was answered."""
    trips, end = 0, 0.0
    for each in sorted(exchanges, key=lambda each: each.answered):
        if each.arrived >= end:
            trips, end = trips + 1, each.answered
    return trips


def in_flight(exchanges: Iterable[Exchange]) -> int:
    """Return how many requests were under way at a time, at most."""
    events = sorted(
        (moment, change) for each in exchanges for moment, change in ((each.arrived, 1), (each.answered, -1))
    )
    running = most = 0
    for _, change in events:
        running += change
        most = max(most, running)
    return most


class LatencyProxy:
    """The proxy, with a thread for each connection.

    Attributes
    ----------
    url : str
        Where it listens.
    latency : float
        Seconds added before each request is passed on.
    exchanges : list of Exchange
        What has gone through since `forget`.
    """

    def __init__(self, upstream_url: str) -> None:
        parts = urlsplit(upstream_url)
        self.upstream = (parts.hostname or LOOPBACK, parts.port or 80)
        self.latency = 0.0
        self.exchanges: list[Exchange] = []
        self._sockets: set[socket.socket] = set()
        self._listener = socket.create_server((LOOPBACK, 0), backlog=256)
        self.url = f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, name="latency-proxy", daemon=True)

    def forget(self, latency: float) -> None:
        """Start again from zero, with this latency."""
        self.latency, self.exchanges = latency, []

    def counts(self) -> dict[str, Any]:
        """Return what was counted since `forget`."""
        return count(self.exchanges)

    def watch(self, *sockets: socket.socket) -> None:
        """Remember sockets, to end them with the proxy."""
        self._sockets.update(sockets)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.watch(client)
                threading.Thread(target=_Connection(self, client).serve, daemon=True).start()


@dataclass(frozen=True)
class _Head:
    """The head of a request or an answer."""

    text: bytes
    start: list[str]
    headers: dict[str, str]

    @property
    def length(self) -> int | None:
        """Length of the body where it is said; 0 for a request without one."""
        said = self.headers.get("content-length")
        return None if said is None else int(said)

    @property
    def chunked(self) -> bool:
        """Whether the body says where it ends."""
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def last(self) -> bool:
        """Whether the connection ends afterwards."""
        return self.headers.get("connection", "").lower() == "close" or "HTTP/1.0" in self.start


class _Side:
    """One end of a connection: heads are read from it, and bodies pass from it to the other end."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self._read = bytearray()
        self._pipe: tuple[int, int] | None = None

    def idle(self) -> bool:
        """Whether it is still there, with nothing to say."""
        return not select.select([self.socket], [], [], 0)[0]

    def head(self) -> _Head:
        """Read one head."""
        text = self._until(b"\r\n\r\n")
        start, *lines = text.decode("latin-1").rstrip("\r\n").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return _Head(text, start.split(" "), {name.strip().lower(): value.strip() for name, _, value in pairs})

    def pass_body(self, head: _Head, to: socket.socket, *, until_end: bool) -> int:
        """Pass the body that follows a head, and return its length."""
        if head.chunked:
            return self._pass_chunks(to)
        if head.length is not None:
            self._pass(head.length, to)
            return head.length
        return self._pass_rest(to) if until_end else 0

    def close(self) -> None:
        """Close the socket and the pipe."""
        self.socket.close()
        for descriptor in self._pipe or ():
            os.close(descriptor)
        self._pipe = None

    def _until(self, mark: bytes) -> bytes:
        while (end := self._read.find(mark)) < 0:
            if len(self._read) > HEAD_LIMIT:
                raise ConnectionError
            self._read += self._receive(HEAD_LIMIT)
        end += len(mark)
        found = bytes(self._read[:end])
        del self._read[:end]
        return found

    def _receive(self, size: int) -> bytes:
        found = self.socket.recv(size)
        if not found:
            raise ConnectionError
        return found

    def _pass_chunks(self, to: socket.socket) -> int:
        total, size = 0, -1
        while size:
            line = self._until(b"\n")
            size = int(line.split(b";")[0], 16)
            to.sendall(line)
            if size:
                self._pass(size + 2, to)
            total += size
        while (line := self._until(b"\n")) != b"\r\n":
            to.sendall(line)
        to.sendall(line)
        return total

    def _pass(self, size: int, to: socket.socket) -> None:
        read = bytes(self._read[:size])
        del self._read[:size]
        to.sendall(read)
        left = size - len(read)
        if left and hasattr(os, "splice"):
            self._splice(left, to)
        else:
            while left:
                part = self._receive(min(left, BLOCK))
                to.sendall(part)
                left -= len(part)

    def _splice(self, left: int, to: socket.socket) -> None:
        if self._pipe is None:
            import fcntl

            self._pipe = os.pipe()
            with suppress(OSError):
                fcntl.fcntl(self._pipe[1], _SET_PIPE_SIZE, BLOCK)
        out, into = self._pipe
        while left:
            waiting = os.splice(self.socket.fileno(), into, min(left, BLOCK))
            if not waiting:
                raise ConnectionError
            left -= waiting
            while waiting:
                waiting -= os.splice(out, to.fileno(), waiting)

    def _pass_rest(self, to: socket.socket) -> int:
        total = len(self._read)
        to.sendall(self._read)
        self._read.clear()
        while part := self.socket.recv(BLOCK):
            to.sendall(part)
            total += len(part)
        return total


@dataclass(eq=False)
class _Connection:
    """One client, and the connection to the server that serves it."""

    proxy: LatencyProxy
    client: socket.socket
    server: _Side | None = field(default=None)

    def serve(self) -> None:
        """Pass requests and answers on until either side has enough."""
        client = _Side(self.client)
        with suppress(OSError, ValueError):
            while self._exchange(client):
                pass
        client.close()
        if self.server is not None:
            self.server.close()

    def _exchange(self, client: _Side) -> bool:
        """Pass one request and its answer on; tell whether the connection goes on."""
        request = client.head()
        arrived, exchanges = time.monotonic(), self.proxy.exchanges
        verb, path = request.start[:2]
        text = request.text
        if request.headers.get("expect", "").lower() == "100-continue":
            client.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            text = re.sub(rb"(?i)\r\nexpect:[^\r]*", b"", text)
        time.sleep(self.proxy.latency)
        server = self._upstream()
        sent = received = 0
        try:
            server.socket.sendall(text)
            sent = client.pass_body(request, server.socket, until_end=False)
            answer = server.head()
            while answer.start[1].startswith("1"):
                answer = server.head()
            client.socket.sendall(answer.text)
            if verb != "HEAD" and answer.start[1] not in WITHOUT_BODY:
                received = server.pass_body(answer, client.socket, until_end=True)
        finally:
            exchanges.append(Exchange(verb, path, arrived, time.monotonic(), sent, received))
        ends = answer.length is None and not answer.chunked and verb != "HEAD" and answer.start[1] not in WITHOUT_BODY
        return not (ends or answer.last or request.last)

    def _upstream(self) -> _Side:
        if self.server is not None and not self.server.idle():
            self.server.close()  # it was idle for too long
            self.server = None
        if self.server is None:
            end = socket.create_connection(self.proxy.upstream)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.proxy.watch(end)
            self.server = _Side(end)
        return self.server
