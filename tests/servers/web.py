"""A read-only HTTP server on loopback for one directory, with byte ranges."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Thread
from typing import TYPE_CHECKING, Any, BinaryIO

from tests.servers.processes import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def _span(header: str, size: int) -> tuple[int, int] | None:
    """Return first and past-the-last byte of a Range header; None when unsatisfiable."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or not any(match.groups()):
        return 0, size  # not a single range: it may be ignored
    first, last = match.groups()
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
    return (start, stop) if start < stop else None


class _Handler(SimpleHTTPRequestHandler):
    """Serves files whole or in part, keeps connections alive and records what it is asked."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    server: _Server

    def parse_request(self) -> bool:
        """Record the request once its head is understood."""
        understood = super().parse_request()
        if understood:
            self.server.requests.append(f"{self.command} {self.path}")
        return understood

    def send_head(self) -> BytesIO | BinaryIO | None:
        """Answer a range of a file by a part of it, and anything else as the base does."""
        header = self.headers.get("Range")
        source = None if header is None else self._open()
        if header is None or source is None:
            return super().send_head()
        with source:
            return self._send_part(source.read(), header)

    def _open(self) -> BinaryIO | None:
        try:
            return open(self.translate_path(self.path), "rb")  # noqa: PTH123
        except OSError:
            return None  # a directory, or nothing at all

    def _send_part(self, content: bytes, header: str) -> BytesIO:
        span = _span(header, len(content))
        status = HTTPStatus.PARTIAL_CONTENT
        part, described = b"", f"*/{len(content)}"
        if span is None:
            status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        else:
            part = content[slice(*span)]
            described = f"{span[0]}-{span[1] - 1}/{len(content)}"
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Range", f"bytes {described}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        return BytesIO(part)

    def end_headers(self) -> None:
        """Say that ranges are understood."""
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    """A threaded server that can end connections that clients keep open."""

    daemon_threads = False

    def __init__(self, directory: Path) -> None:
        """Bind to a free port."""
        self.directory = directory
        self.requests: list[str] = []
        self.open: set[socket.socket] = set()
        super().__init__((LOOPBACK, 0), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Handle one connection."""
        _Handler(request, client_address, self, directory=str(self.directory))

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept one connection and remember it."""
        request, address = super().get_request()
        self.open.add(request)
        return request, address

    def shutdown_request(self, request: Any) -> None:
        """Close one connection."""
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about clients that go away."""

    def end(self) -> None:
        """Stop listening, cut all connections and wait for their threads."""
        self.shutdown()
        for request in list(self.open):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)
        self.server_close()


class WebServer:
    """Serves a directory read-only over HTTP/1.1 while it is started."""

    def __init__(self, directory: Path) -> None:
        """Prepare to serve ``directory``."""
        self._directory = directory
        self._server: _Server | None = None
        self._thread: Thread | None = None
        self.requests: list[str] = []
        """What was asked for, as 'METHOD /path', in order of arrival."""
        self.url = ""
        """Address of the directory, without a slash at the end."""

    def start(self) -> str:
        """Start serving and return the address."""
        self._server = _Server(self._directory)
        self.requests = self._server.requests
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), name="web", daemon=True)
        self._thread.start()
        return self.url

    def stop(self) -> None:
        """Stop serving; harmless when nothing is served."""
        if self._server is not None and self._thread is not None:
            self._server.end()
            self._thread.join()
        self._server = self._thread = None

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
