"""What an archive would refuse."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import nwbzarr
from nwbzarr import NWBFile, NWBZarrIO, Subject, TimeSeries
from nwbzarr.archive import _objects
from nwbzarr.cli.main import main
from tests.foreign.kitchen import make_session

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 11, 25, tzinfo=UTC)


def written(path: Path, **given: Any) -> Path:
    made = NWBFile(session_description="s", identifier="i", session_start_time=START)
    subject = {"subject_id": "m1", "species": "Mus musculus", "sex": "F", "age": "P90D", "description": "d", **given}
    made.subject = Subject(**{name: value for name, value in subject.items() if value is not None})
    made.add_acquisition(TimeSeries(name="t", data=np.arange(5.0), unit="V", rate=1.0))
    with NWBZarrIO(path, "w") as io:
        io.write(made)
    return path


def refused(path: Path) -> dict[str, str]:
    return {found.path: found.message for found in nwbzarr.check_archive(path) if found.verdict == "refused"}


def test_nothing_is_refused_of_a_good_session(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "a.nwb.zarr")
    assert nwbzarr.check_archive(path) == []
    assert main(["check", str(path), "--dandi"]) == 0
    assert "nothing" in capsys.readouterr().out


@pytest.mark.parametrize("field", ["species", "sex", "age"])
def test_a_subject_must_be_described(tmp_path: Path, field: str) -> None:
    assert list(refused(written(tmp_path / "a.nwb.zarr", **{field: None}))) == [f"/general/subject/{field}"]


def test_names_that_become_file_names(tmp_path: Path) -> None:
    assert "no '/'" in refused(written(tmp_path / "a.nwb.zarr", subject_id="m/1"))["/general/subject/subject_id"]
    assert "nwb.zarr" in refused(written(tmp_path / "a"))["/"]


def test_links_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        NWBZarrIO(written(tmp_path / "raw.nwb.zarr")) as read,
        NWBZarrIO(tmp_path / "derived.nwb.zarr", "w", manager=read.manager) as io,
    ):
        io.write(read.read().copy())
    found = refused(tmp_path / "derived.nwb.zarr")
    assert any("pull" in message for message in found.values())
    assert main(["check", str(tmp_path / "derived.nwb.zarr"), "--dandi", "--json"]) == 1
    assert "pull" in capsys.readouterr().out
    nwbzarr.pull(tmp_path / "derived.nwb.zarr")
    assert nwbzarr.check_archive(tmp_path / "derived.nwb.zarr") == []


@pytest.mark.parametrize(
    ("key", "nbytes", "verdict"),
    [
        ("a/b/c/d/e/f/g/c.0", 1, None),
        ("a/b/c/d/e/f/g/h/c.0", 1, "refused"),
        ("a/c.0", 5 * 2**30, None),
        ("a/c.0", 5 * 2**30 + 1, "refused"),
        (f"{'x' * 256}/c.0", 1, "refused"),
        ("/".join(["x" * 250] * 5), 1, "refused"),
        ("a:b/c.0", 1, "advice"),
        ("a /c.0", 1, "advice"),
        ("nwbzarr.write-in-progress", 1, "refused"),
    ],
)
def test_objects(key: str, nbytes: int, verdict: str | None) -> None:
    assert [found.verdict for found in _objects({key: nbytes})] == ([] if verdict is None else [verdict])


def test_many_objects_are_advised_against() -> None:
    assert [found.verdict for found in _objects(dict.fromkeys(map(str, range(1_000_001)), 1))] == ["advice"]


def test_an_hdf5_file_is_converted_first(tmp_path: Path) -> None:
    assert "convert" in nwbzarr.check_archive(make_session(tmp_path / "raw.nwb"))[0].message
