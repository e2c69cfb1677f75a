"""Results of `nwbzarr.analysis`, read by hdmf-zarr and checked by PyNWB: what they say of their source is no hindrance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from nwbzarr import ElectricalSeries, NWBFile, NWBZarrIO, analysis
from tests.peers.scripts import facts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers.environment import Peer

pytestmark = pytest.mark.peers

MODULE = "/processing/ecephys"


def test_computed_series_are_read_by_the_peer(peer: Peer, tmp_path: Path) -> None:
    raw, derived, whole = (tmp_path / f"{name}.nwb.zarr" for name in ("raw", "derived", "whole"))
    session = NWBFile("raw", "raw", datetime(2026, 1, 1, tzinfo=UTC))
    shank = session.create_electrode_group("shank", "one", location="CA1", device=session.create_device("probe"))
    for _ in range(3):
        session.add_electrode(group=shank, location="CA1")
    sites = session.create_electrode_table_region([0, 1, 2], "all")
    samples = np.random.default_rng(0).normal(0, 100, (5000, 3)).astype(np.int16)
    session.add_acquisition(ElectricalSeries("probe", data=samples, electrodes=sites, rate=1000.0, conversion=1e-6))
    with NWBZarrIO(raw, "w") as io:
        io.write(session)
    with NWBZarrIO(raw) as io:
        probe = io.read().acquisition["probe"]
        copy = io.read().copy()
        filtered = analysis.bandpass(probe, 50, 200, name="filtered")
        module = copy.create_processing_module("ecephys", "filtered, its amplitude, and its spectrogram")
        for made in (
            filtered,
            analysis.envelope(filtered, name="amplitude"),
            analysis.spectrogram(probe, 0.5, name="power"),
        ):
            module.add(made)
        with NWBZarrIO(derived, "w", manager=io.manager) as out:
            out.write(copy)
    # The peer cannot read a session whose electrode table is linked: a known fault of its own.
    with NWBZarrIO(derived) as source, NWBZarrIO(whole, "w") as out:
        out.export(source)
        expected = {name: np.asarray(made["data"].data) for name, made in source.read().processing["ecephys"].items()}
    assert peer.run("validate_session", path=whole) == []
    found = peer.run("open_arrays", path=whole, consolidated=True)
    for name, values in expected.items():
        assert found[f"{MODULE.strip('/')}/{name}/data"]["values"] == facts.array(values)
    assert np.any(expected["power"])
