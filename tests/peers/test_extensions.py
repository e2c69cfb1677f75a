"""Extensions cross over: PyNWB knows ours without having them installed, and nwbzarr knows those of PyNWB."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import nwbzarr
from nwbzarr import NWBZarrIO
from tests.extensions import check_lab, lab_session, load_lab, write_session
from tests.peers.environment import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers.environment import Peer

pytestmark = pytest.mark.peers

FOUND = {
    "types": ["LabRig ndx-lab", "LabLicks ndx-lab", "LabLamp ndx-parts", "LabRatings ndx-lab"],
    "bases": [True, True, True],
    "rig": [7, "rig", 2.5],
    "lamp": [40.0, "m"],
    "licks": [2, "left", "licks", 10.0, [1.0, 2.0, 3.0]],
    "same": [True, True, True],
    "temperature": [20.5, 21.0],
    "corners": [[1.0, 3], [2.0, 4]],
    "edges": [[1, 0.5, "licks"], [2, 0.25, "plain"]],
    "spare": {"spare": 1.0},
    "ratings": {"score": [1.0, 2.0, 3.0], "extra": [1, 2, 3]},
    "score": ["LabScore", "Ada", 10.0],
}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the session of `lab_session`, and an export."""
    folder = tmp_path_factory.mktemp("ours")
    write_session(lab_session(*load_lab(folder / "namespaces")), folder / "lab.nwb.zarr")
    with NWBZarrIO(folder / "lab.nwb.zarr") as io, NWBZarrIO(folder / "export.nwb.zarr", "w") as out:
        out.export(io)
    return folder


@pytest.mark.parametrize("name", ["lab", "export"])
def test_hdmf_zarr_knows_the_types_of_ours_from_the_cache(peer: Peer, ours: Path, name: str) -> None:
    answer = peer.ask("read_extension", path=ours / f"{name}.nwb.zarr")
    assert answer.result == {"found": FOUND, "complaints": []}
    assert [text for text in answer.warnings if "namespace" in text.lower()] == []


@pytest.fixture(scope="module")
def theirs(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same session as PyNWB makes it from the same files."""
    folder = tmp_path_factory.mktemp("theirs")
    load_lab(folder)
    files = [folder / f"{name}.namespace.yaml" for name in ("ndx-parts", "ndx-lab")]
    peer.run("write_extension", path=folder / "lab.nwb.zarr", namespaces=files)
    return folder / "lab.nwb.zarr"


def test_nwbzarr_knows_the_types_of_theirs_from_the_cache(theirs: Path) -> None:
    """In a process that has loaded no namespace."""
    code = (
        "import sys, nwbzarr\nfrom tests.extensions import check_lab\n"
        "check_lab(nwbzarr.open(sys.argv[1]))\nprint(nwbzarr.validate(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, os.fspath(theirs)], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == "[]"


def test_nwbzarr_adds_to_theirs_and_they_read_it(peer: Peer, theirs: Path, tmp_path: Path) -> None:
    place = tmp_path / "s.nwb.zarr"
    with NWBZarrIO(theirs) as io, NWBZarrIO(place, "w") as out:
        out.export(io)
    with NWBZarrIO(place, "r+") as io:
        nwb = io.read()
        lamp: Any = type(nwb.devices["lamp"])
        nwb.add_device(lamp(name="new", watts=5.0))
        io.write(nwb)
    check_lab(nwbzarr.open(place))
    assert peer.run("read_extension", path=place) == {"found": FOUND, "complaints": []}
