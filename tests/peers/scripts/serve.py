"""Run the modules beside this one on request: one JSON object a line in, one a line out.

``{"script": "describe_session", "arguments": {…}}`` calls that script's ``run`` in a fork of this process, so that
pynwb is imported once, and no call sees what another has left in it (loaded extensions, warnings given once).
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
import warnings
from typing import Any, BinaryIO, NoReturn


def answer(script: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what a script gives, or how it failed, with the warnings on the way."""
    reply: dict[str, Any] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            reply["result"] = importlib.import_module(f"{__package__}.{script}").run(**arguments)
        except Exception as error:  # noqa: BLE001 - the test that asked decides what is expected
            reply["error"] = {"kind": type(error).__name__, "message": str(error), "trace": traceback.format_exc()}
    reply["warnings"] = [f"{found.category.__name__}: {found.message}" for found in caught]
    return reply


def answer_apart(request: bytes) -> bytes:
    """Return the answer to a request, worked out in a child process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer_and_exit(request, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as found:
        reply = found.read()
    _, status = os.waitpid(child, 0)
    if status or not reply:
        message = f"the script's process ended with status {status} and gave {len(reply)} bytes"
        return json.dumps({"error": {"kind": "Crash", "message": message, "trace": ""}, "warnings": []}).encode()
    return reply


def _answer_and_exit(request: bytes, pipe: int) -> NoReturn:
    """Answer in the child; nothing of the parent runs on in it, whatever happens."""
    status = 1
    try:
        with os.fdopen(pipe, "wb") as out:
            out.write(json.dumps(answer(**json.loads(request))).encode())
        status = 0
    except Exception:  # noqa: BLE001 - there is no caller to raise it to
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer until there are no more requests."""
    import hdmf_zarr
    import pynwb
    import zarr

    versions = {"hdmf_zarr": hdmf_zarr.__version__, "pynwb": pynwb.__version__, "zarr": zarr.__version__}
    replies.write(json.dumps({"versions": versions}).encode() + b"\n")
    replies.flush()
    for request in requests:
        replies.write(answer_apart(request) + b"\n")
        replies.flush()


if __name__ == "__main__":
    # What scripts print goes to stderr: stdout is for replies only.
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, channel)
