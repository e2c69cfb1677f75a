"""The peers' environment: Python 3.12 with hdmf-zarr and pynwb, apart from ours.

It is the interpreter that ``NWBZARR_PEERS_PYTHON`` names, else ``.venv-peers`` in the repository, which
``python -m tests.peers.environment create .venv-peers`` makes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

VARIABLE = "NWBZARR_PEERS_PYTHON"
REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / ".venv-peers"
SCRIPTS = "tests.peers.scripts"
PACKAGES = (
    "hdmf-zarr==0.14.*",
    "pynwb==4.2.*",
    "s3fs",
    "scipy",
    "xarray",
    "cachetools",
    "tenacity",
    "tqdm",
    "google-crc32c",
)
PYENV_VERSION = "3.12.1"
HOW_TO_MAKE = (
    f"make it with `python -m tests.peers.environment create {FOLDER.name}`, "
    f"or set {VARIABLE} to a Python 3.12 that has {' and '.join(PACKAGES[:2])}"
)

#: Characters of an error there that are shown here: hdmf prints whole sessions.
_SHOWN = 600


class PeerError(Exception):
    """A script failed in the peer's interpreter.

    Attributes
    ----------
    kind : str
        Name of the exception's class there.
    """

    def __init__(self, kind: str, message: str, trace: str) -> None:
        super().__init__(f"{kind}: {message[:_SHOWN]}\n… {trace[-_SHOWN:]}" if trace else f"{kind}: {message}")
        self.kind = kind


class PeerUnavailableError(Exception):
    """There is no peers' environment, or not one that works."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a script gave, and the warnings on the way (``"UserWarning: …"``)."""

    result: Any
    warnings: list[str]


class Peer:
    """The peer's interpreter at work; the scripts run in it one after another, each in a fork.

    Parameters
    ----------
    interpreter : pathlib.Path
        A Python that has the peer's packages.
    log : pathlib.Path
        Where it writes what it has to say besides answers.

    Raises
    ------
    PeerUnavailableError
        When it cannot be started, or lacks a package.
    """

    def __init__(self, interpreter: Path, log: Path) -> None:
        self._log = log
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_"))}
        with log.open("wb") as output:
            try:
                self._process = subprocess.Popen(
                    [interpreter, "-m", f"{SCRIPTS}.serve"],
                    cwd=REPOSITORY,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=output,
                    env=environment,
                )
            except OSError as error:
                message = f"{interpreter} cannot be started ({error}): {HOW_TO_MAKE}"
                raise PeerUnavailableError(message) from error
        try:
            self.versions: dict[str, str] = self._reply()["versions"]
        except PeerUnavailableError as error:
            message = f"{interpreter} does not have what the tests need ({error}): {HOW_TO_MAKE}"
            raise PeerUnavailableError(message) from error

    def ask(self, script: str, **arguments: Any) -> Answer:
        """Run a script with JSON arguments.

        Raises
        ------
        PeerError
            When the script raises.
        """
        request = json.dumps({"script": script, "arguments": arguments}, default=os.fspath)
        try:
            self._pipe(self._process.stdin).write(request.encode() + b"\n")
            self._pipe(self._process.stdin).flush()
            reply = self._reply()
        except BaseException:
            # Half a conversation cannot be taken up again, whoever broke it off.
            self.close()
            raise
        if "error" in reply:
            raise PeerError(**reply["error"])
        return Answer(reply["result"], reply["warnings"])

    def run(self, script: str, **arguments: Any) -> Any:
        """Run a script, and return its result alone."""
        return self.ask(script, **arguments).result

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._pipe(self._process.stdin).close()
        self._pipe(self._process.stdout).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _reply(self) -> Any:
        line = self._pipe(self._process.stdout).readline()
        if not line:
            self.close()
            end = self._log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise PeerUnavailableError(end[0])
        return json.loads(line)

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:  # pragma: no cover - Popen was asked for both
            raise PeerUnavailableError
        return pipe


def find_interpreter() -> Path | None:
    """Return the peers' interpreter, or None when there is none and none is named."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    found = interpreter_in(FOLDER)
    return found if found.exists() else None


def interpreter_in(folder: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def create(folder: Path) -> Path:
    """Make the peers' environment, and return its interpreter."""
    environment = dict(os.environ)
    python = shutil.which("python3.12")
    if python is None or subprocess.run([python, "--version"], capture_output=True, check=False).returncode:
        # pyenv's shims exist for versions that are not switched on.
        python, environment["PYENV_VERSION"] = shutil.which("python3.12") or "python3", PYENV_VERSION
    subprocess.run([python, "-m", "venv", folder], env=environment, check=True)
    made = interpreter_in(folder)
    subprocess.run([made, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return made


def main(arguments: list[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.peers.environment", description=__doc__)
    commands = parser.add_subparsers(required=True)
    creation = commands.add_parser("create", help="make the peers' environment")
    creation.add_argument("folder", type=Path, nargs="?", default=FOLDER, metavar="DIR")
    folder = parser.parse_args(arguments).folder
    sys.stdout.write(f"{create(folder)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
