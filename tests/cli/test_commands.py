"""The command line: what it prints, where it writes, how it fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import nwbzarr
from nwbzarr.cli.demo import run_demo, synthetic_recording
from nwbzarr.cli.main import main
from nwbzarr.errors import VerificationError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.fixtures import S3Bucket


def test_demo_writes_links_and_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--store", str(tmp_path / "here")]) == 0
    printed = capsys.readouterr().out
    assert printed.count("wrote ") == 3
    assert "/acquisition/raw_timeseries -> ../raw_data.nwb.zarr /acquisition/raw_timeseries" in printed
    assert printed.count("bit for bit") == 4
    session = nwbzarr.open(tmp_path / "here" / "scratch_analysis.nwb.zarr")
    assert np.array_equal(session.acquisition["raw_timeseries"].data[:], synthetic_recording().data)


def test_demo_runs_again_over_its_own_stores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--store", str(tmp_path)]) == 0
    assert main(["demo", "--store", str(tmp_path), "--json"]) == 0
    out = capsys.readouterr().out
    result = json.loads(out[out.index("{") :])
    assert [len(store["links"]) for store in result["stores"]] == [0, 2, 2]


def test_demo_on_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = np.random.default_rng(1).integers(-500, 500, (3000, 3), dtype=np.int16)
    np.save(tmp_path / "lfp.npy", data)
    command = ["demo", "--input", str(tmp_path / "lfp.npy"), "--rate", "1000", "--unit", "uV", "--json"]
    assert main([*command, "--store", str(tmp_path / "out")]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["recording"] == {"name": "lfp.npy", "shape": [3000, 3], "rate": 1000.0}
    series = nwbzarr.open(tmp_path / "out" / "raw_data.nwb.zarr").acquisition["raw_timeseries"]
    assert series.unit == "uV"
    assert np.array_equal(series.data[:], data)


@pytest.mark.s3
def test_demo_on_s3(s3_bucket: S3Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in s3_bucket.endpoint.environment().items():
        monkeypatch.setenv(name, value)
    assert main(["demo", "--store", f"{s3_bucket.url}/demo"]) == 0
    assert capsys.readouterr().out.count("bit for bit") == 4


def test_show_names_links_and_follows_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_demo(synthetic_recording(), str(tmp_path))
    (tmp_path / "raw_data.nwb.zarr").rename(tmp_path / "elsewhere")
    assert main(["show", str(tmp_path / "processed_data.nwb.zarr")]) == 0
    printed = capsys.readouterr().out
    assert f"raw_timeseries  link to {tmp_path}/raw_data.nwb.zarr /acquisition/raw_timeseries" in printed
    assert main(["show", str(tmp_path / "processed_data.nwb.zarr"), "--json"]) == 0
    members = {member["name"]: member for member in json.loads(capsys.readouterr().out)["members"]}
    assert members["acquisition"]["members"][0]["link"].endswith("/acquisition/raw_timeseries")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["show", "nowhere.nwb.zarr"], 1, "StoreNotFoundError"),
        (["show", "nosuch://x/y"], 1, "fsspec cannot open nosuch"),
        (["demo", "--input", "missing.npy", "--rate", "10"], 1, "must be a NumPy file"),
        (["demo", "--input", "missing.npy"], 2, "add --rate HZ"),
        (["demo", "--rate", "10"], 2, "give it with --input"),
        (["demo", "--option", "anon"], 2, "NAME=VALUE"),
        (["frobnicate"], 2, "invalid choice"),
    ],
)
def test_failures_say_what_to_do(
    arguments: list[str],
    status: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        found = main(arguments)
    except SystemExit as stop:
        found = int(stop.code or 0)
    assert found == status
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    assert "nwbzarr demo --input lfp.npy --rate 1000" in printed
    assert "AWS_ENDPOINT_URL" in printed


def test_a_value_that_reads_back_otherwise_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nwbzarr.cli import demo

    write = demo._write_scratch

    def wrong(base: str, options: dict[str, Any] | None) -> tuple[Any, Any]:
        report, spectrum = write(base, options)
        return report, spectrum + 1

    monkeypatch.setattr(demo, "_write_scratch", wrong)
    with pytest.raises(VerificationError, match="spectrum"):
        run_demo(synthetic_recording(), str(tmp_path))
