"""Child processes that do not outlive their parent, and bounded waiting for them."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.01
PORT_TAKEN = ("address already in use", "unable to bind")

T = TypeVar("T")


class ServerError(RuntimeError):
    """A test server could not be started; the message carries the end of its logs."""


class PortTakenError(ServerError):
    """Somebody took the port between our choosing it and the server's binding it."""


def server_error(reason: str, logs: str) -> ServerError:
    """Make the exception that fits what the logs say."""
    text = f"{reason}\n{logs}"
    taken = any(phrase in logs.lower() for phrase in PORT_TAKEN)
    return PortTakenError(text) if taken else ServerError(text)


def retry_port(attempt: Callable[[], T], tries: int = 3) -> T:
    """Call ``attempt`` again when it lost the race for a port."""
    for _ in range(tries - 1):
        try:
            return attempt()
        except PortTakenError:
            continue
    return attempt()


def free_ports(count: int) -> list[int]:
    """Return different TCP ports of the loopback interface that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [int(each.getsockname()[1]) for each in sockets]


def clean_environment() -> dict[str, str]:
    """Return a small environment, free of the developer's CEPH_*, AWS_* and PYTHON*."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def dying_with_us(argv: Sequence[str]) -> list[str]:
    """Wrap a command so that the kernel kills it when its parent dies, even by SIGKILL."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--", *argv] if setpriv else [*argv]


def spawn(
    argv: Sequence[str],
    log: Path,
    env: Mapping[str, str],
    *,
    mortal: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a program in its own session, out of the reach of the terminal's Ctrl-C."""
    with log.open("ab") as output:
        return subprocess.Popen(
            dying_with_us(argv) if mortal else [*argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a child at once (its state is disposable) and reap it."""
    process.kill()
    process.wait()


def wait_for(probe: Callable[[], bool], deadline: float, check: Callable[[], None]) -> None:
    """Poll ``probe`` until true; ``check`` may raise to give up before the deadline."""
    while not probe():
        check()
        if time.monotonic() > deadline:
            msg = "not ready in time"
            raise ServerError(msg)
        time.sleep(POLL_SECONDS)


def accepts(port: int) -> bool:
    """Tell whether something listens on a loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=5).close()
    except OSError:
        return False
    return True


def must_be_free(port: int) -> None:
    """Raise when something listens on the port: it would be taken for the server."""
    if accepts(port):
        msg = f"port {port} is in use"
        raise PortTakenError(msg)


def answers(port: int, path: str = "/") -> bool:
    """Tell whether an HTTP server on a loopback port answers, whatever the status."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def tail(log: Path, lines: int = 15) -> str:
    """Return the end of a log file under a heading, or nothing for an empty one."""
    try:
        text = log.read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        return ""
    return "\n".join([f"--- {log.name}", *text]) if text else ""
