"""The options that all benchmarks have, and the interpreter that their workers run in."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from running import ROOT

#: Names the peers' Python, as for the tests.
VARIABLE = "NWBZARR_PEERS_PYTHON"


def shared_options(description: str | None, *, repeats: int, slow_repeats: int, slow: str) -> argparse.ArgumentParser:
    """Return a parser that knows them.

    Parameters
    ----------
    description : str or None
        The docstring of the benchmark.
    repeats, slow_repeats : int
        Measurements of each step by default, and those of slow ones.
    slow : str
        What is slow.
    """
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    add = parser.add_argument
    add("--repeats", type=int, default=repeats, help=f"measurements of each step with each tool ({repeats})")
    add("--slow-repeats", type=int, default=slow_repeats, help=f"the same for {slow} ({slow_repeats})")
    add(
        "--peers-python",
        default=os.environ.get(VARIABLE),
        help=f"a Python with hdmf-zarr and pynwb (${VARIABLE}); without it nwbzarr runs alone",
    )
    add("--s3-endpoint", help="URL of an S3 server, with AWS_* credentials in the environment (starts one)")
    add("--folder", help="where the run writes (the temporary folder)")
    add("--json", type=Path, help="write all figures there")
    return parser


def data_folder() -> Path:
    """Return where the real recordings are."""
    return Path(os.environ.get("NWBZARR_DATA", ROOT.parent / "shared" / "data"))
