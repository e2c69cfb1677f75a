"""The stored bytes of the array alone, without the session around it: ``python size_array.py PLACE`` prints JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from array_tools import ARRAY


def stored_bytes(place: Path) -> int:
    """Return the bytes of a folder of chunks, of a dataset in HDF5, or of a plain file."""
    if place.is_dir():
        folder = place / ARRAY if (place / ARRAY).is_dir() else place
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if place.suffix == ".nwb":
        import h5py

        with h5py.File(place, "r") as file:
            size: int = file[ARRAY].id.get_storage_size()
        return size
    return place.stat().st_size


def main() -> None:
    json.dump({"bytes": stored_bytes(Path(sys.argv[1]))}, sys.stdout)


if __name__ == "__main__":
    main()
