"""`nwbzarr explain`, and `nwbzarr.explain`: what is stored, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import nwbzarr
from nwbzarr import NWBZarrIO, TimeSeries, ZarrDataIO
from nwbzarr.cli.main import main
from tests.commit.sessions import session

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.fixtures import S3Bucket

PATH = "/acquisition/probe/data"


def recording() -> nwbzarr.NWBFile:
    nwb = session(1)
    data = np.zeros((100_000, 64), "int16")
    nwb.add_acquisition(TimeSeries(name="probe", data=data, unit="V", rate=1.0))
    asked = ZarrDataIO(data, chunks=(1000, 64), compressors="gzip")
    nwb.add_acquisition(TimeSeries(name="asked", data=asked, unit="V", rate=1.0))
    return nwb


@pytest.fixture
def stored(tmp_path: Path) -> str:
    place = str(tmp_path / "x.nwb.zarr")
    with NWBZarrIO(place, "w") as io:
        io.write(recording())
    return place


def rows_of(found: dict[str, Any]) -> dict[str, Any]:
    return {row["path"]: row for row in found["arrays"]}


def test_the_command_prints_text_and_json(stored: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", stored]) == 0
    text = capsys.readouterr().out
    assert PATH in text
    assert "written otherwise than planned today" in text
    assert main(["explain", stored, "--json"]) == 0
    rows = rows_of(json.loads(capsys.readouterr().out))
    assert rows["/acquisition/asked/data"]["chunks"] == [1000, 64]
    assert rows["/acquisition/asked/data"]["objects"] == 100
    assert rows[PATH]["shards"] is not None
    assert 0 < rows[PATH]["stored"] < rows[PATH]["decoded"] == 100_000 * 64 * 2


def test_a_dry_run_says_the_same_and_stores_nothing(stored: str, tmp_path: Path) -> None:
    place = tmp_path / "dry.nwb.zarr"
    with NWBZarrIO(place, "w") as io:
        planned = io.write(recording(), dry_run=True)
    assert not list(tmp_path.glob("*dry*"))
    before, after = rows_of(planned.as_json()), rows_of(nwbzarr.explain(stored).as_json())
    assert before.keys() == after.keys()
    for path, row in before.items():
        assert [row[part] for part in ("chunks", "shards", "codecs", "objects")] == [
            after[path][part] for part in ("chunks", "shards", "codecs", "objects")
        ]
    assert "chunks as asked for" in before["/acquisition/asked/data"]["reasons"]
    assert "<table>" in planned._repr_html_()


def test_what_is_no_session_is_a_named_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(tmp_path / "nothing")]) == 1
    assert "StoreNotFoundError" in capsys.readouterr().err


@pytest.mark.s3
@pytest.mark.parametrize("transport", ["fsspec", "obstore"])
def test_sizes_come_with_one_listing(s3_bucket: S3Bucket, stored: str, transport: str) -> None:
    url, options = f"{s3_bucket.url}/explained.nwb.zarr", s3_bucket.options
    with NWBZarrIO(url, "w", storage_options=options) as io:
        io.write(recording())
    there = rows_of(nwbzarr.explain(url, options, transport=transport).as_json())
    here = rows_of(nwbzarr.explain(stored).as_json())
    assert there[PATH]["stored"] == here[PATH]["stored"]
