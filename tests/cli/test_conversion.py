"""``nwbzarr convert``, ``compare`` and ``index``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import h5py
import pytest

import nwbzarr
from nwbzarr.cli.main import main
from tests.foreign.kitchen import make_session

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return make_session(tmp_path / "raw.nwb")


def test_there_and_back(raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, back = str(tmp_path / "raw.nwb.zarr"), str(tmp_path / "back.nwb")
    assert main(["convert", str(raw), store, "--check"]) == 0
    assert "no differences" in capsys.readouterr().out
    assert nwbzarr.open(store).identifier == "kitchen"
    assert main(["convert", store, back, "--check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["differences"] == []
    assert main(["compare", str(raw), back]) == 0


def test_differences_are_listed(raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = make_session(tmp_path / "other.nwb")
    with h5py.File(other, "a") as file:
        file["identifier"][()] = "another"
    assert main(["compare", str(raw), str(other)]) == 1
    assert "/identifier" in capsys.readouterr().out
    assert main(["compare", str(raw), str(other), "--json"]) == 1
    assert [found["path"] for found in json.loads(capsys.readouterr().out)] == ["/identifier"]


def test_a_dry_run_writes_nothing(raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(tmp_path.iterdir())
    for target in ("raw.nwb.zarr", "back.nwb"):
        assert main(["convert", str(raw), str(tmp_path / target), "--dry-run"]) == 0
        assert "/identifier" in capsys.readouterr().out
        assert main(["convert", str(raw), str(tmp_path / target), "--dry-run", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)
    assert sorted(tmp_path.iterdir()) == before
    with pytest.raises(SystemExit):
        main(["convert", str(raw), "x", "--dry-run", "--check"])


def test_what_is_there_stays_unless_asked(raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "raw.nwb.zarr")
    assert main(["convert", str(raw), store]) == 0
    assert main(["convert", str(raw), store]) == 1
    assert "StoreExistsError" in capsys.readouterr().err
    assert main(["convert", str(raw), store, "--replace"]) == 0


def test_index(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["index", str(raw)]) == 0
    assert "raw.nwb.refs.json" in capsys.readouterr().out
    assert main(["index", str(raw), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["url"].endswith("raw.nwb.refs.json")
    assert main(["index", str(raw.with_name("none.nwb"))]) == 1
