"""What xarray finds in a hierarchy, group by group."""

from __future__ import annotations

import importlib.util
from typing import Any


def run(path: str, groups: list[str]) -> dict[str, Any] | None:
    """Return the paths of all variables, and the groups that cannot be opened; None without xarray."""
    if importlib.util.find_spec("xarray") is None:
        return None
    xarray = importlib.import_module("xarray")
    paths: list[str] = []
    failures: dict[str, str] = {}
    for group in groups:
        try:
            found = xarray.open_zarr(path, group=group or None, chunks=None)
        except (KeyError, ValueError) as error:
            failures[group] = str(error)
        else:
            paths += [f"{group}/{name}".lstrip("/") for name in found.variables]
    return {"paths": paths, "failures": failures}
