"""The environment that the benchmark of arrays runs its workers in: the peers' of the tests, and more packages.

``python benchmarks/environment.py .venv-peers`` makes it, or adds to one that is there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from running import ROOT

sys.path.insert(0, os.fspath(ROOT))
from tests.peers.environment import FOLDER, create, interpreter_in

#: What the tests' peers do not need: other readers and transports, and what draws. What nwbzarr needs comes besides.
PACKAGES = (
    *("matplotlib", "obstore>=0.12", "pcodec>=1.1"),
    *("remfile>=0.1.15", "tensorstore>=0.1.86", "zarrs>=0.2.3"),
)


def needed() -> list[str]:
    """Return what nwbzarr itself needs: it runs from the checkout, and is not installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found: list[str] = project["dependencies"]
    return found


def complete(folder: Path) -> Path:
    """Make the environment where there is none, install what it lacks, and return its interpreter."""
    python = interpreter_in(folder)
    if not python.exists():
        python = create(folder)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *needed(), *PACKAGES], check=True)
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, metavar="DIR")
    print(complete(parser.parse_args().folder))


if __name__ == "__main__":
    main()
