"""What the peer's interpreter runs: each module has a ``run`` that takes and returns JSON. None imports nwbzarr."""
