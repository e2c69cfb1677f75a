"""Print the versions of this interpreter and of the packages that count, as JSON."""

from __future__ import annotations

import importlib.util
import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    *("zarr", "numcodecs", "numpy", "s3fs", "hdmf-zarr", "hdmf", "pynwb", "h5py"),
    *("obstore", "pcodec", "remfile", "tensorstore", "zarrs"),
)


def main() -> None:
    found = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    if importlib.util.find_spec("nwbzarr"):
        import nwbzarr

        found["nwbzarr"] = nwbzarr.__version__
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
