"""What pynwb's validator says about a store."""

from __future__ import annotations

import pynwb
from hdmf_zarr import NWBZarrIO


def run(path: str) -> list[str]:
    """Return the validator's complaints."""
    with NWBZarrIO(path, "r") as io:
        return [str(error) for error in pynwb.validate(io=io)]
