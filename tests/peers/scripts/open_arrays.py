"""What plain zarr-python finds in a hierarchy, array by array."""

from __future__ import annotations

from typing import Any

import numpy as np
import zarr

from tests.peers.scripts import facts


def run(path: str, *, consolidated: bool) -> dict[str, Any]:
    """Return every array below a group: its values, dimension names and missing chunks, by path."""
    root = zarr.open_group(path, mode="r", use_consolidated=consolidated)
    return {name: _describe(node) for name, node in root.members(max_depth=None) if isinstance(node, zarr.Array)}


def _describe(array: Any) -> facts.Facts:
    values = np.asarray(array[...])
    compound = values.dtype.names is not None
    return {
        "values": values.tolist() if compound else facts.array(values),
        "dimensions": array.metadata.dimension_names,
        "missing": array.nchunks - array.nchunks_initialized if array.shards is None else 0,
    }
