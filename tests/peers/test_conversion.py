"""HDF5 files that were converted, read by hdmf-zarr and checked by PyNWB: the notes of HDF5's types are no hindrance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import nwbzarr
from tests.peers.scripts import facts

if TYPE_CHECKING:
    from tests.peers.environment import Peer

pytestmark = pytest.mark.peers

CORPUS = Path(__file__).parents[3] / "shared" / "data" / "nwb"


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the files of other writers are not here")
def test_a_converted_file_is_read_by_the_peer(peer: Peer, tmp_path: Path) -> None:
    made = tmp_path / "a.nwb.zarr"
    nwbzarr.convert(CORPUS / "A8604-211122.nwb", made)
    assert peer.run("validate_session", path=made) == []
    found = peer.run("open_arrays", path=made, consolidated=True)
    times = np.asarray(nwbzarr.open(made).units["spike_times"].target.data)
    assert found["units/spike_times"]["values"] == facts.array(times)
