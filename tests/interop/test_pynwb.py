"""PyNWB's containers on our stores, there and back; PyNWB's own suite is run by `tests.interop.suite`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import h5py
import numpy as np
import pytest

import nwbzarr
from nwbzarr.errors import SchemaError, StoreExistsError, StoreModeError
from tests.foreign.kitchen import CELLS, make_kitchen
from tests.places import KINDS, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.places import Place

pynwb = pytest.importorskip("pynwb", reason="PyNWB needs Python 3.12")

from hdmf.backends.errors import UnsupportedOperation  # noqa: E402 - what comes with PyNWB
from hdmf.data_utils import DataChunkIterator, GenericDataChunkIterator  # noqa: E402

from nwbzarr.interop.pynwb import NWBZarrIO, from_pynwb, to_pynwb  # noqa: E402

START = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of(request.param, request, tmp_path) as made:
        yield made


def session(*, units: bool = True) -> Any:
    """Return a session of PyNWB with electrodes, a series, trials, units."""
    made = pynwb.NWBFile(session_description="of PyNWB", identifier="p", session_start_time=START)
    probe = made.create_device(name="probe")
    group = made.create_electrode_group(name="shank", description="s", location="CA1", device=probe)
    for index in range(4):
        made.add_electrode(location=f"CA{index}", group=group)
    region = made.create_electrode_table_region([0, 2, 3], "three of four")
    made.add_acquisition(
        pynwb.ecephys.ElectricalSeries(name="raw", data=CELLS[:, :3], electrodes=region, rate=1000.0, starting_time=2.5)
    )
    made.add_trial_column(name="choice", description="left or right")
    for start in range(5):
        made.add_trial(start_time=float(start), stop_time=start + 0.5, choice="left" if start % 2 else "right")
    for spikes in ([0.1, 0.2], [], [0.5, 0.7, 0.9]) if units else ():
        made.add_unit(spike_times=spikes, electrodes=[0, 1])
    return made


def make_readable(path: Path) -> Path:
    """Write an HDF5 file that PyNWB can read: without groups that have no type."""
    make_kitchen(path)
    with h5py.File(path, "a") as file:
        del file["scratch"]
    return path


def write(made: Any, place: Place, name: str = "a.nwb.zarr", mode: str = "w", **given: Any) -> str:
    url = f"{place.url}/{name}"
    with NWBZarrIO(url, mode, storage_options=place.options) as io:
        io.write(made, **given)
    return url


def test_what_pynwb_writes_both_read(place: Place) -> None:
    url = write(session(), place)
    ours: Any = nwbzarr.open(url, place.options)
    np.testing.assert_array_equal(ours.acquisition["raw"].data[...], CELLS[:, :3])
    assert list(ours.trials["choice"].data) == ["right", "left", "right", "left", "right"]
    assert ours.acquisition["raw"].electrodes.table is ours.electrodes
    assert nwbzarr.validate(url, place.options) == []
    theirs = NWBZarrIO(url, "r", storage_options=place.options).read()
    np.testing.assert_array_equal(theirs.acquisition["raw"].data[5:10], CELLS[5:10, :3])
    assert theirs.acquisition["raw"].electrodes.table is theirs.electrodes
    assert theirs.electrodes["group"][2] is theirs.electrode_groups["shank"]
    assert list(theirs.units["spike_times"][2]) == [0.5, 0.7, 0.9]
    assert theirs.units.to_dataframe().shape == (3, 2)
    assert theirs.session_start_time == START


def test_what_we_write_pynwb_reads(place: Place, tmp_path: Path) -> None:
    kitchen = make_readable(tmp_path / "kitchen.nwb")
    url = f"{place.url}/kitchen.nwb.zarr"
    nwbzarr.convert(kitchen, url, storage_options=place.options)
    theirs = NWBZarrIO(url, "r", storage_options=place.options).read()
    np.testing.assert_array_equal(theirs.acquisition["series"].data[:], CELLS)
    assert theirs.acquisition["series"].conversion == 0.5


def test_data_stays_where_it_is_until_it_is_asked_for(place: Place) -> None:
    url = write(session(), place)
    theirs = NWBZarrIO(url, "r", storage_options=place.options).read()
    data = theirs.acquisition["raw"].data
    assert data.shape == (6001, 3)
    assert data.dtype == np.int16
    assert data.chunks is not None
    np.testing.assert_array_equal(data[[1, 5]], CELLS[[1, 5], :3])
    np.testing.assert_array_equal(np.asarray(data), CELLS[:, :3])


def test_rows_are_appended(place: Place) -> None:
    url = write(session(), place)
    with NWBZarrIO(url, "r+", storage_options=place.options) as io:
        made = io.read()
        made.add_trial(start_time=9.0, stop_time=9.5, choice="none")
        made.add_acquisition(pynwb.TimeSeries(name="more", data=np.arange(5.0), unit="V", rate=1.0))
        assert len(made.trials) == 6
        assert made.trials["choice"][5] == "none"
        io.write(made)
        assert len(nwbzarr.open(url, place.options).trials) == 6
    ours: Any = nwbzarr.open(url, place.options)
    assert list(ours.trials["choice"].data)[4:] == ["right", "none"]
    assert ours.acquisition["more"].data[4] == 4.0
    assert nwbzarr.validate(url, place.options) == []


def test_a_copy_links_to_what_it_was_read_from(place: Place) -> None:
    # PyNWB 4.2 cannot read a copy with units from HDF5 either: it asks a link for attributes.
    write(session(units=False), place, "raw.nwb.zarr")
    with NWBZarrIO(f"{place.url}/raw.nwb.zarr", "r", storage_options=place.options) as raw_io:
        raw = raw_io.read()
        processed = raw.copy()
        processed.add_scratch(np.arange(3.0), name="found", description="d")
        with NWBZarrIO(
            f"{place.url}/processed.nwb.zarr", "w", manager=raw_io.manager, storage_options=place.options
        ) as io:
            io.write(processed)
    ours: Any = nwbzarr.open(f"{place.url}/processed.nwb.zarr", place.options)
    assert ours.acquisition["raw"].stored_at.url.text.endswith("raw.nwb.zarr")
    np.testing.assert_array_equal(ours.acquisition["raw"].data[:9], CELLS[:9, :3])
    theirs = NWBZarrIO(f"{place.url}/processed.nwb.zarr", "r", storage_options=place.options).read()
    np.testing.assert_array_equal(theirs.acquisition["raw"].data[:9], CELLS[:9, :3])
    assert theirs.acquisition["raw"].electrodes.table["location"][1] == "CA1"


def test_hdf5_is_exported_and_linked_to(place: Place, tmp_path: Path) -> None:
    with pynwb.NWBHDF5IO(tmp_path / "raw.nwb", "w") as io:
        io.write(session())
    url = f"{place.url}/exported.nwb.zarr"
    with pynwb.NWBHDF5IO(tmp_path / "raw.nwb", "r") as source:
        source.read()
        with NWBZarrIO(url, "w", storage_options=place.options) as io:
            io.export(src_io=source, write_args={"link_data": False})
    ours: Any = nwbzarr.open(url, place.options)
    np.testing.assert_array_equal(ours.acquisition["raw"].data[...], CELLS[:, :3])
    assert list(nwbzarr.compare(tmp_path / "raw.nwb", url, storage_options=place.options)) is not None
    assert nwbzarr.validate(url, place.options) == []


def test_one_liners(place: Place, tmp_path: Path) -> None:
    ours: Any = from_pynwb(session(), f"{place.url}/a.nwb.zarr", storage_options=place.options)
    assert ours.identifier == "p"
    theirs = to_pynwb(ours)
    np.testing.assert_array_equal(theirs.acquisition["raw"].data[:3], CELLS[:3, :3])
    again: Any = from_pynwb(theirs, str(tmp_path / "b.nwb.zarr"))
    np.testing.assert_array_equal(again.acquisition["raw"].data[...], CELLS[:, :3])
    assert again.acquisition["raw"].stored_at.url.text.endswith("b.nwb.zarr")
    with pytest.raises(StoreExistsError):
        from_pynwb(theirs, str(tmp_path / "b.nwb.zarr"))


def test_hdf5_in_place_is_read_by_pynwb(tmp_path: Path) -> None:
    theirs = to_pynwb(make_readable(tmp_path / "kitchen.nwb"))
    np.testing.assert_array_equal(theirs.acquisition["series"].data[10:20], CELLS[10:20])


def test_what_is_not_stored_is_not_given_to_pynwb() -> None:
    made = nwbzarr.NWBFile(session_description="new", identifier="n", session_start_time=START)
    with pytest.raises(SchemaError, match="write it first"):
        to_pynwb(made)


class Blocks(GenericDataChunkIterator):  # type: ignore[misc]  # hdmf has no types
    """Chunks in an order of their own."""

    def _get_data(self, selection: tuple[slice, ...]) -> Any:
        return CELLS[selection]

    def _get_maxshape(self) -> tuple[int, ...]:
        return CELLS.shape

    def _get_dtype(self) -> np.dtype[Any]:
        return CELLS.dtype


@pytest.mark.parametrize(
    "data",
    [
        lambda: DataChunkIterator(iter(CELLS), buffer_size=100),
        lambda: Blocks(buffer_shape=(1000, 2), chunk_shape=(100, 2)),
        CELLS.tolist,
        lambda: pynwb.H5DataIO(CELLS, compression="gzip"),
    ],
    ids=["rows", "blocks", "list", "dataio"],
)
def test_data_of_every_kind(data: Any, tmp_path: Path) -> None:
    made = pynwb.NWBFile(session_description="s", identifier="p", session_start_time=START)
    made.add_acquisition(pynwb.TimeSeries(name="cells", data=data(), unit="V", rate=1.0))
    with NWBZarrIO(tmp_path / "a.nwb.zarr", "w") as io:
        io.write(made)
    np.testing.assert_array_equal(nwbzarr.open(tmp_path / "a.nwb.zarr").acquisition["cells"].data[...], CELLS)


def test_modes(tmp_path: Path) -> None:
    path = tmp_path / "a.nwb.zarr"
    with pytest.raises(StoreModeError):
        NWBZarrIO(path, "rw")
    with NWBZarrIO(path, "w") as io:
        io.write(session())
        with pytest.raises(UnsupportedOperation):
            io.read()
    with pytest.raises(StoreExistsError):
        NWBZarrIO(path, "w-")
    with NWBZarrIO(path, "r") as io, pytest.raises(UnsupportedOperation):
        io.write(io.read())
    with NWBZarrIO(path, "r+") as io, pytest.raises(UnsupportedOperation):
        io.export(src_io=io)
    assert NWBZarrIO.can_read(path)
    assert not NWBZarrIO.can_read(tmp_path / "none")


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.nwb.zarr"
    with NWBZarrIO(path, "w") as io:
        io.write(session())
    broken = pynwb.NWBFile(session_description="s", identifier="broken", session_start_time=START)

    def rows() -> Iterator[Any]:
        yield CELLS[0]
        message = "no more"
        raise RuntimeError(message)

    broken.add_acquisition(
        pynwb.TimeSeries(name="cells", data=DataChunkIterator(rows(), buffer_size=1), unit="V", rate=1.0)
    )
    with pytest.raises(Exception, match="no more"), NWBZarrIO(path, "w") as io:
        io.write(broken)
    assert nwbzarr.open(path).identifier == "p"
    assert fsspec.filesystem("file").exists(str(path))


def test_the_readme_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    from_pynwb(session(), "raw_data.nwb.zarr")
    nwbzarr.convert("raw_data.nwb.zarr", "raw_data.nwb")
    text = (Path(__file__).parents[2] / "README.md").read_text()
    names: dict[str, Any] = {}
    exec(text.partition("```python pynwb\n")[2].partition("```")[0], names)  # noqa: S102 - our own README
    assert names["same"].identifier == names["ours"].identifier == "p"
