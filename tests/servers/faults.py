"""An HTTP/1.1 proxy on loopback that counts requests and, on demand, makes them fail.

The Host header goes through as the client sent and signed it, so that AWS signatures stay
valid. Messages are taken in whole before they are passed on, and so are of any size that
fits in memory.
"""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from tests.servers.processes import LOOPBACK, ServerError

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from types import TracebackType
    from typing import Self

HEAD_LIMIT = 1 << 20
START_SECONDS = 30.0
NO_BODY = ("204", "304")
SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
Fault = Literal["refuse", "hang", "lose", "truncate"]
FAULTS: tuple[Fault, ...] = ("refuse", "hang", "lose", "truncate")


@dataclass
class Faults:
    """What goes wrong with the requests whose 'METHOD path' ``match`` is found in."""

    latency: float = 0.0
    """Seconds added before each request is passed on."""
    refuse: float = 0.0
    """Probability of '503 Slow Down', without passing the request on."""
    hang: float = 0.0
    """Probability of no answer at all: the client has to give up by itself."""
    lose: float = 0.0
    """Probability that the request is carried out and the connection cut before the answer."""
    truncate: float = 0.0
    """Probability that the connection ends after half of the body of the answer."""
    limit: int | None = None
    """How many times something may go wrong (by the probabilities), or None for no limit."""
    kill_after: int | None = None
    """After so many requests, every connection is cut and nothing is passed on any more."""
    match: str | None = None
    """Regular expression searched in 'METHOD path'; None for every request."""
    seed: int = 0
    """The n-th request meets the same fate each time that the seed is the same."""


@dataclass
class _Plan:
    """Faults in force, and how far they have got."""

    faults: Faults
    matched: int = 0
    injected: int = 0

    def concerns(self, line: str) -> bool:
        return self.faults.match is None or re.search(self.faults.match, line) is not None

    def dead(self) -> bool:
        limit = self.faults.kill_after
        return limit is not None and self.matched >= limit

    def draw(self) -> Fault | None:
        """Decide on the next request that the faults concern."""
        self.matched += 1
        limit = self.faults.limit
        if limit is not None and self.injected >= limit:
            return None
        for name in FAULTS:
            dice = random.Random(f"{self.faults.seed} {self.matched} {name}")  # noqa: S311
            if dice.random() < getattr(self.faults, name):
                self.injected += 1
                return name
        return None


@dataclass
class _Message:
    """One request or answer; ``body`` is as on the wire, chunked or not."""

    start: str
    head: bytes
    headers: dict[str, str]
    body: bytes = b""

    @property
    def last(self) -> bool:
        """Tell whether the connection ends after it."""
        return self.headers.get("connection", "").lower() == "close" or "HTTP/1.0" in self.start

    @property
    def chunked(self) -> bool:
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def length(self) -> int | None:
        text = self.headers.get("content-length")
        return None if text is None else int(text)


async def _read_head(reader: StreamReader) -> _Message:
    head = await reader.readuntil(b"\r\n\r\n")
    start, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return _Message(start, head, {name.strip().lower(): value.strip() for name, _, value in pairs})


async def _read_chunks(reader: StreamReader) -> bytes:
    """Return a chunked body with its framing and trailers."""
    parts = []
    size = -1
    while size:
        line = await reader.readuntil(b"\n")
        size = int(line.split(b";")[0], 16)
        parts += [line, await reader.readexactly(size + 2) if size else b""]
    trailer = b""
    while trailer != b"\r\n":
        trailer = await reader.readuntil(b"\n")
        parts.append(trailer)
    return b"".join(parts)


async def _read_request(reader: StreamReader, writer: StreamWriter) -> _Message:
    message = await _read_head(reader)
    if message.headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        message.head = re.sub(rb"(?i)\r\nexpect:[^\r]*", b"", message.head)
    if message.chunked:
        message.body = await _read_chunks(reader)
    elif message.length:
        message.body = await reader.readexactly(message.length)
    return message


async def _read_answer(reader: StreamReader, method: str) -> tuple[_Message, bool]:
    """Return the final answer and whether only the end of the connection delimits it."""
    message = await _read_head(reader)
    while message.start.split()[1].startswith("1"):
        message = await _read_head(reader)
    if method == "HEAD" or message.start.split()[1] in NO_BODY:
        return message, False
    if message.chunked:
        message.body = await _read_chunks(reader)
    elif message.length is None:
        message.body = await reader.read()
        return message, True
    else:
        message.body = await reader.readexactly(message.length)
    return message, False


def _refusal(method: str) -> bytes:
    head = f"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: {len(SLOW_DOWN)}\r\n\r\n"
    return head.encode() + (b"" if method == "HEAD" else SLOW_DOWN)


@dataclass(eq=False)
class _Connection:
    """One client connection and the upstream connection that serves it."""

    proxy: FaultProxy
    reader: StreamReader
    writer: StreamWriter
    upstream: tuple[StreamReader, StreamWriter] | None = field(default=None)

    async def serve(self) -> None:
        """Serve requests until either side has enough."""
        with suppress(OSError, EOFError, asyncio.LimitOverrunError, ValueError):
            while await self._exchange():
                pass
        self.abort()

    def abort(self) -> None:
        """Cut both connections at once."""
        self.writer.transport.abort()
        if self.upstream is not None:
            self.upstream[1].transport.abort()

    async def _exchange(self) -> bool:
        """Handle one request; tell whether the connection goes on."""
        request = await _read_request(self.reader, self.writer)
        method, path = request.start.split(" ")[:2]
        alive, fault, latency = self.proxy.decide(method, path)
        if not alive:
            return False
        await self.proxy.delay(latency)
        if fault == "hang":
            await self.reader.read()  # until the client goes away
            return False
        if fault == "refuse":
            return await self._send(_refusal(method))
        return await self._forward(request, method, fault)

    async def _forward(self, request: _Message, method: str, fault: Fault | None) -> bool:
        reader, writer = await self._upstream()
        writer.write(request.head + request.body)
        await writer.drain()
        answer, delimited_by_end = await _read_answer(reader, method)
        if fault == "lose":
            return False
        if fault == "truncate":
            await self._send(answer.head + answer.body[: len(answer.body) // 2])
            await self._finish()
            return False
        await self._send(answer.head + answer.body)
        if delimited_by_end or answer.last or request.last:
            await self._finish()
            return False
        return True

    async def _upstream(self) -> tuple[StreamReader, StreamWriter]:
        if self.upstream is not None and self.upstream[0].at_eof():
            self.upstream[1].transport.abort()  # it was idle for too long
            self.upstream = None
        if self.upstream is None:
            host, port = self.proxy.upstream
            self.upstream = await asyncio.open_connection(host, port, limit=HEAD_LIMIT)
        return self.upstream

    async def _send(self, data: bytes) -> bool:
        self.writer.write(data)
        await self.writer.drain()
        return True

    async def _finish(self) -> None:
        """Close the client's side in order, so that all that was sent arrives."""
        self.writer.close()
        await self.writer.wait_closed()


class FaultProxy:
    """A proxy in front of one HTTP server, in a thread of its own.

    ``proxy.faults = Faults(refuse=0.1)`` sets what goes wrong from now on, ``Faults()`` heals.
    """

    def __init__(self, upstream_url: str, faults: Faults | None = None) -> None:
        """Prepare a proxy for the server at ``upstream_url``."""
        parts = urlsplit(upstream_url)
        self.upstream = (parts.hostname or LOOPBACK, parts.port or 80)
        self.url = ""
        self.requests: list[tuple[str, str]] = []
        self._lock = Lock()
        self._plan = _Plan(faults or Faults())
        self._ready = Event()
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._connections: set[_Connection] = set()

    @property
    def faults(self) -> Faults:
        """What goes wrong; assign to change it and to count from the first request again."""
        return self._plan.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._plan = _Plan(faults)

    @property
    def injected(self) -> int:
        """How many requests went wrong by the probabilities since ``faults`` was set."""
        return self._plan.injected

    def count(self, pattern: str = "") -> int:
        """Return how many requests came whose 'METHOD path' the pattern is found in."""
        with self._lock:
            return sum(bool(re.search(pattern, " ".join(each))) for each in self.requests)

    def reset(self) -> None:
        """Forget the requests and let the faults count from the first request again."""
        with self._lock:
            self.requests.clear()
            self._plan = _Plan(self._plan.faults)

    def start(self) -> str:
        """Start listening and return the address."""
        self._thread = Thread(target=lambda: asyncio.run(self._main()), name="fault-proxy", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            msg = "the fault proxy did not start"
            raise ServerError(msg)
        return self.url

    def stop(self) -> None:
        """Cut all connections and stop; harmless when it does not run."""
        if self._thread is None:
            return
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None
        self._ready.clear()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def decide(self, method: str, path: str) -> tuple[bool, Fault | None, float]:
        """Record a request; tell whether the network lives, the fault and the latency."""
        line = f"{method} {path}"
        with self._lock:
            plan = self._plan
            if plan.dead():
                return False, None, 0.0
            self.requests.append((method, path))
            if not plan.concerns(line):
                return True, None, 0.0
            return True, plan.draw(), plan.faults.latency

    async def delay(self, seconds: float) -> None:
        """Wait, but not beyond the stop of the proxy."""
        if seconds and self._stopping is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        handlers: set[asyncio.Task[None]] = set()

        def accept(reader: StreamReader, writer: StreamWriter) -> None:
            task = asyncio.ensure_future(self._serve(reader, writer))
            handlers.add(task)
            task.add_done_callback(handlers.discard)

        server = await asyncio.start_server(accept, LOOPBACK, 0, limit=HEAD_LIMIT)
        self.url = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._stopping.wait()
        server.close()
        for connection in self._connections:
            connection.abort()
        await asyncio.gather(*handlers)
        await server.wait_closed()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        connection = _Connection(self, reader, writer)
        self._connections.add(connection)
        await connection.serve()
        self._connections.discard(connection)
