"""The README is right: every block of it runs, in order, in one folder."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.servers.fixtures import S3Bucket

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    """Return the README's blocks of one kind."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [body for found, body in _BLOCK.findall(text) if found == kind]


def run(code: str, names: dict[str, Any]) -> None:
    """Run one block."""
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102 - our own README


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_python_blocks_run_in_order(in_folder: Path) -> None:
    names: dict[str, Any] = {}
    found = blocks("python")
    assert len(found) >= 3
    for code in found:
        run(code, names)
    assert {path.name for path in in_folder.glob("*.nwb.zarr")} == {
        "converted.nwb.zarr",
        "ecephys.nwb.zarr",
        "filtered.nwb.zarr",
        "long.nwb.zarr",
        "raw_data.nwb.zarr",
        "processed_data.nwb.zarr",
        "scratch_analysis.nwb.zarr",
    }
    stored = names["nwbzarr"].open("raw_data.nwb.zarr")
    assert stored.acquisition["probe"].data.shape == (100_000, 16)
    grown = names["nwbzarr"].open("ecephys.nwb.zarr")
    assert (len(grown.units), len(grown.trials), grown.lab_meta_data["rig"].serial) == (3, 2, "R-7")
    for name in ("raw_io", "proc_io"):
        names[name].close()


@pytest.mark.s3
def test_s3_blocks_run(in_folder: Path, s3_bucket: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3_bucket.endpoint.environment().items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {"key": s3_bucket.endpoint.key, "secret": s3_bucket.endpoint.secret}
    run(blocks("python")[0], names)
    run("import nwbzarr", names)
    found = blocks("python s3")
    assert len(found) == 2
    for code in found:
        run(code.replace("my-bucket", s3_bucket.bucket), names)
    assert names["session"].acquisition["raw_timeseries"].data.shape == (1024,)
    assert not (in_folder / "day1").exists()
    for name in ("raw_io", "proc_io"):
        names[name].close()


def test_the_first_command_runs_the_demo() -> None:
    first, last = blocks("sh")
    assert first.strip().endswith(".venv/bin/nwbzarr demo")
    assert last.strip().endswith(".venv/bin/pytest -n auto --dist worksteal")


def test_the_tutorial_script_runs(in_folder: Path) -> None:
    script = ROOT / "examples" / "scratch_tutorial.py"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), "here"], capture_output=True, text=True, check=False, cwd=in_folder
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "linked /acquisition/raw_timeseries -> ../raw_data.nwb.zarr" in done.stdout
    assert sorted(path.name for path in (in_folder / "here").iterdir()) == [
        "processed_data.nwb.zarr",
        "raw_data.nwb.zarr",
        "scratch_analysis.nwb.zarr",
    ]
