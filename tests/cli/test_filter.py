"""``nwbzarr filter``: what it stores, links and prints, and how it fails."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.signal

import nwbzarr
from nwbzarr import NWBFile, NWBZarrIO, TimeSeries, analysis
from nwbzarr.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

RATE = 2000.0


@pytest.fixture
def raw(tmp_path: Path) -> str:
    url = str(tmp_path / "raw.nwb.zarr")
    session = NWBFile("raw", "raw", datetime(2026, 1, 1, tzinfo=UTC))
    samples = np.random.default_rng(0).normal(0, 100, (20_000, 3)).astype(np.int16)
    session.add_acquisition(TimeSeries("probe", data=samples, unit="uV", rate=RATE))
    with NWBZarrIO(url, "w") as io:
        io.write(session)
    return url


def expected(url: str, low: float, high: float, order: int = 5) -> np.ndarray:
    """Return what SciPy makes of the recording."""
    sos = scipy.signal.butter(order, [low, high], "bandpass", fs=RATE, output="sos")
    found: np.ndarray = scipy.signal.sosfiltfilt(sos, nwbzarr.open(url).acquisition["probe"].data[:], axis=0)
    return found


def test_filter_writes_a_linked_session(raw: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = str(tmp_path / "filtered.nwb.zarr")
    assert main(["filter", raw, "--band", "100", "400", "--to", to]) == 0
    assert "filtered.nwb.zarr" in capsys.readouterr().out
    session = nwbzarr.open(to)
    found = session.processing["ecephys"]["filtered"]
    assert (found.rate, found.unit, found.data.dtype) == (RATE, "uV", np.float32)
    assert np.abs(found.data[:] - expected(raw, 100, 400)).max() < 1e-3
    provenance = analysis.provenance_of(found)
    assert provenance is not None
    assert provenance.source is session.acquisition["probe"]
    assert nwbzarr.validate(to) == []


def test_options_of_the_filter(raw: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = str(tmp_path / "filtered.nwb.zarr")
    command = ["filter", raw, "--band", "50", "300", "--to", to, "--series", "/acquisition/probe", "--order", "3"]
    assert main([*command, "--dtype", "int16", "--name", "slow", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["url"] == to
    assert {link["path"] for link in printed["links"]} >= {
        "/acquisition/probe",
        "/processing/ecephys/slow/source_timeseries",
    }
    found = nwbzarr.open(to).processing["ecephys"]["slow"].data
    assert found.dtype == np.int16
    assert np.abs(found[:] - np.rint(expected(raw, 50, 300, 3))).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--band", "100", "1000"], "half the sampling rate"),
        (["--band", "400", "100"], "edges in order"),
        (["--band", "1", "2", "--series", "/acquisition/other"], "--series must name a TimeSeries"),
        (["--band", "1", "2", "--scheduler", "nonsense://x"], "--scheduler"),
    ],
)
def test_what_cannot_be_filtered_is_named(
    raw: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    to = tmp_path / "filtered.nwb.zarr"
    assert main(["filter", raw, "--to", str(to), *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not to.exists()


def test_one_of_several_series_must_be_named(raw: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with NWBZarrIO(raw, "r+") as io:
        session = io.read()
        session.add_acquisition(TimeSeries("second", data=np.zeros(100), unit="V", rate=1.0))
        io.write(session)
    assert main(["filter", raw, "--band", "1", "2", "--to", str(tmp_path / "f.nwb.zarr")]) == 1
    assert "/acquisition/probe, /acquisition/second" in capsys.readouterr().err


def test_a_session_is_not_filtered_onto_itself(raw: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["filter", raw, "--band", "100", "400", "--to", raw]) == 1
    assert "SelfOverwriteError" in capsys.readouterr().err
    assert nwbzarr.open(raw).acquisition["probe"].data.shape == (20_000, 3)
