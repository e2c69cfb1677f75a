"""What importing the package gives, and what it does not cost."""

from __future__ import annotations

import subprocess
import sys

import pytest

import nwbzarr

HEAVY = ("dask", "s3fs", "scipy", "pandas", "h5py", "pynwb", "hdmf", "zarr", "numpy", "aiohttp")


def loaded_after(statement: str) -> set[str]:
    """Return which heavy packages a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}} & set({HEAVY!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_no_other() -> None:
    assert loaded_after("import nwbzarr") == set()


def test_using_it_loads_no_extra() -> None:
    loaded = loaded_after("from nwbzarr import NWBFile, NWBZarrIO, TimeSeries")
    assert loaded <= {"zarr", "numpy"}


def test_every_public_name_is_there() -> None:
    for name in nwbzarr.__all__:
        assert getattr(nwbzarr, name) is not None
    assert set(nwbzarr.__all__) <= set(dir(nwbzarr))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Timeseries'"):
        _ = nwbzarr.Timeseries
