"""Readers that are open while a shard is stored anew: the index in their hands is that of the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import nwbzarr
from nwbzarr import NWBZarrIO, TimeSeries, ZarrDataIO
from tests.commit.sessions import session

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("compressors", ["planned", "pcodec", "none"])
def test_an_open_reader_reads_its_own_rows_after_an_append(tmp_path: Path, compressors: str) -> None:
    rows = np.random.default_rng(1).integers(-100, 100, (60, 4)).astype("int16").cumsum(0, dtype="int16")
    place = tmp_path / "x.nwb.zarr"
    nwb = session(1)
    data = ZarrDataIO(rows[:35], chunks=(10, 4), shards=(100, 4), compressors=compressors)
    nwb.add_acquisition(TimeSeries(name="probe", data=data, unit="V", rate=1.0))
    with NWBZarrIO(place, "w") as io:
        io.write(nwb)
    reader = nwbzarr.open(place).acquisition["probe"].data
    assert np.array_equal(reader[30:33], rows[30:33])
    for start in (35, 41):
        with NWBZarrIO(place, "r+") as io:
            grown = io.read()
            grown.acquisition["probe"].append(rows[start : start + 6])
            io.write(grown)
        assert np.array_equal(reader[31:35], rows[31:35])
        assert np.array_equal(reader[:], rows[:35])
