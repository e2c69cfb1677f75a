"""What editors and type checkers see of the types is what the tables say."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import nwbzarr
from nwbzarr.model.stubs import STUB, write_stub
from nwbzarr.schema.core import CORE

KNOWN = """
from nwbzarr import LFP, TimeSeries
import nwbzarr

nwb = nwbzarr.open("session.nwb.zarr")
reveal_type(nwb.acquisition["x"])
reveal_type(nwb.acquisition["x"].rate)
reveal_type(nwb.imaging_planes["p"].location)
reveal_type(nwb.create_device("d"))
reveal_type(LFP().electrical_series["x"].electrodes)
TimeSeries("a", data=[1], unit="V", rate=1.0)
TimeSeries("a", data=[1], unit=3, rate=1.0)
TimeSeries("a", dat=[1], unit="V")
"""


def test_the_stub_is_what_the_tables_give() -> None:
    assert STUB.read_text(encoding="utf-8") == write_stub(), "run python -m nwbzarr.model.stubs"


def test_every_type_is_in_the_stub_with_the_arguments_it_takes() -> None:
    text = STUB.read_text(encoding="utf-8")
    for name in CORE.names:
        assert f"\nclass {name}(" in text, name
    words = ", ".join(inspect.signature(nwbzarr.Device).parameters)
    assert words == "name, description, manufacturer, model_number, model_name, serial_number, model"


@pytest.mark.slow
def test_mypy_knows_arguments_and_fields(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    script = tmp_path / "known.py"
    script.write_text(KNOWN, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    for expected in (
        '"nwbzarr.model.neurodata.TimeSeries"',
        '"float | None"',
        'type is "str"',
        '"nwbzarr.model.neurodata.Device"',
        '"nwbzarr.model.neurodata.DynamicTableRegion"',
        'Argument "unit" to "TimeSeries" has incompatible type "int"',
        'Unexpected keyword argument "dat" for "TimeSeries"',
        "Found 2 errors",
    ):
        assert expected in done.stdout, done.stdout
