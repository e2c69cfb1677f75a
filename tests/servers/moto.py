"""The light stand-in for a real S3 server: moto, in a process of its own."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.endpoint import S3Endpoint
from tests.servers.processes import (
    LOOPBACK,
    ServerError,
    answers,
    end,
    free_ports,
    must_be_free,
    retry_port,
    server_error,
    spawn,
    tail,
    wait_for,
)

if TYPE_CHECKING:
    import subprocess
    from types import TracebackType
    from typing import Self

MODULES = ("moto", "flask", "flask_cors")
INSTALL = "pip install 'moto[server]'"


def moto_missing() -> str | None:
    """Say which modules are missing and how to install them; None when moto can run."""
    absent = [name for name in MODULES if importlib.util.find_spec(name) is None]
    return f"Python modules not found: {', '.join(absent)}. {INSTALL}" if absent else None


def _environment() -> dict[str, str]:
    foreign = ("AWS_", "MOTO_", "FLASK_", "WERKZEUG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"PYTHONWARNINGS": "ignore"}


class MotoServer:
    """A moto server, started and stopped like a ``CephGateway``. It takes any secret key."""

    def __init__(self, *, port: int | None = None, timeout: float = 60.0) -> None:
        """Prepare a server; ``port`` is a free one when None."""
        self._port = port
        self._timeout = timeout
        self._child: subprocess.Popen[bytes] | None = None
        self._endpoint: S3Endpoint | None = None

    @property
    def endpoint(self) -> S3Endpoint:
        """Address and credentials; only while the server runs."""
        if self._endpoint is None:
            msg = "the server is not running"
            raise ServerError(msg)
        return self._endpoint

    def start(self) -> S3Endpoint:
        """Start the server and wait until it answers."""
        missing = moto_missing()
        if missing:
            raise ServerError(missing)
        return retry_port(self._attempt, tries=1 if self._port else 3)

    def stop(self) -> None:
        """Kill the server; harmless when it does not run."""
        self._endpoint = None
        if self._child is not None:
            end(self._child)
            self._child = None

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

    def _attempt(self) -> S3Endpoint:
        port = self._port or free_ports(1)[0]
        must_be_free(port)
        with tempfile.TemporaryDirectory(prefix="nwbzarr-moto-") as directory:
            self._boot(port, Path(directory) / "moto.out")
        url = f"http://{LOOPBACK}:{port}"
        self._endpoint = S3Endpoint(url=url, key="testing", secret="testing", kind="moto")
        return self._endpoint

    def _boot(self, port: int, log: Path) -> None:
        command = [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)]
        deadline = time.monotonic() + self._timeout
        try:
            self._child = spawn(command, log, _environment())
            wait_for(lambda: answers(port, "/moto-api/"), deadline, self._check)
        except ServerError as error:
            self.stop()
            failure = server_error(f"moto: {error}", tail(log))
            raise failure from error
        except BaseException:
            self.stop()
            raise

    def _check(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            msg = f"it ended with status {self._child.returncode}"
            raise ServerError(msg)
