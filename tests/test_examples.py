"""Every example runs as it stands, and ends with a picture."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import nwbzarr
from nwbzarr import analysis

if TYPE_CHECKING:
    from tests.servers.fixtures import S3Bucket

EXAMPLES = Path(__file__).parents[1] / "examples"
#: Longest run of an example, in seconds: reached only when it hangs.
PATIENCE = 120.0

PNG = b"\x89PNG"


def run(folder: Path, name: str, *arguments: str, **environment: str) -> str:
    """Run an example in a folder; return what it printed."""
    command = [sys.executable, "-X", "faulthandler", "-W", "error", str(EXAMPLES / name), *arguments]
    with (folder / "out").open("w+") as out, (folder / "err").open("w+") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, cwd=folder, env={**os.environ, **environment})
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            # Says where all threads are.
            process.send_signal(signal.SIGABRT)
            process.wait()
    assert process.returncode == 0, (folder / "err").read_text()
    return (folder / "out").read_text()


def check_picture(folder: Path, name: str) -> None:
    """Check that a picture was made."""
    data = (folder / name).read_bytes()
    assert data.startswith(PNG)
    assert len(data) > 10_000


def check_filtered(place: str) -> None:
    """Check the three sessions of the cluster example."""
    session = nwbzarr.open(f"{place}/scratch.nwb.zarr")
    referenced = session.processing["ecephys"]["referenced"]
    assert referenced.data.shape == (120_000, 8)
    found = analysis.provenance_of(referenced)
    assert found is not None
    assert [step.function.rpartition(".")[2] for step in found.steps] == ["bandpass", "common_reference"]
    assert found.source is session.acquisition["raw"]
    spectrum = np.asarray(session.get_scratch("spectrum"))
    assert np.allclose(spectrum, np.asarray(analysis.welch(referenced, 0.5)), rtol=1e-6)


@pytest.mark.slow
def test_filter_on_a_cluster(tmp_path: Path) -> None:
    printed = run(tmp_path, "filter_on_cluster.py", "here", "--seconds", "4", "--channels", "8")
    assert "picture: filter_on_cluster.png" in printed
    check_picture(tmp_path, "filter_on_cluster.png")
    check_filtered(str(tmp_path / "here"))


@pytest.mark.slow
@pytest.mark.s3
def test_filter_on_a_cluster_and_s3(tmp_path: Path, s3_bucket: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    place = f"{s3_bucket.url}/cluster"
    variables = s3_bucket.endpoint.environment()
    run(tmp_path, "filter_on_cluster.py", place, "--seconds", "4", "--channels", "8", **variables)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    check_filtered(place)


@pytest.mark.slow
def test_spike_triggered_average(tmp_path: Path) -> None:
    printed = run(tmp_path, "spike_triggered_average.py")
    assert "unit 1: 2256 spikes" in printed
    check_picture(tmp_path, "spike_triggered_average.png")


@pytest.mark.slow
def test_power_spectrum(tmp_path: Path) -> None:
    assert "picture: power_spectrum.png" in run(tmp_path, "power_spectrum.py")
    check_picture(tmp_path, "power_spectrum.png")
