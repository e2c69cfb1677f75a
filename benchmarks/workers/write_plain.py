"""Time a disk alone: the files of a folder, written again elsewhere by plain Python; prints JSON.

``python write_plain.py FOLDER PLACE``. Reading them first is not timed.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main() -> None:
    folder, place = map(Path, sys.argv[1:])
    paths = sorted(folder.rglob("*"))
    folders = [place, *(place / path.relative_to(folder) for path in paths if path.is_dir())]
    files = [(str(place / path.relative_to(folder)), path.read_bytes()) for path in paths if path.is_file()]
    started = time.perf_counter()
    for path in folders:
        path.mkdir()
    for name, data in files:
        with open(name, "wb") as file:  # noqa: PTH123 - the least that Python can do
            file.write(data)
    json.dump({"seconds": time.perf_counter() - started}, sys.stdout)


if __name__ == "__main__":
    main()
