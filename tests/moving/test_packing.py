"""Stores in one zip file."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import pytest

import nwbzarr
from nwbzarr import Manager, Meter, NWBZarrIO
from nwbzarr.cli.main import main
from nwbzarr.errors import ConversionError, DocumentError, NWBZarrError, StoreExistsError, StoreModeError
from tests.foreign.kitchen import CELLS, make_kitchen
from tests.moving.test_moving import derive, make_raw, make_set
from tests.places import KINDS, Place, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers.web import WebServer


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of(request.param, request, tmp_path) as made:
        yield made


def packed(place: Place, name: str = "day1/raw.nwb.zarr") -> str:
    given: Any = {"storage_options": place.options, "source_options": place.options}
    report = nwbzarr.pack(f"{place.url}/{name}", f"{place.url}/{name}.zip", **given)
    assert report.objects
    return f"{place.url}/{name}.zip"


def test_a_package_opens_in_place(place: Place) -> None:
    make_raw(place)
    url = packed(place)
    opened: Any = nwbzarr.open(url, place.options)
    np.testing.assert_array_equal(opened.acquisition["cells"].data[...], CELLS)
    np.testing.assert_array_equal(opened.acquisition["cells"].data[5:100, 2], CELLS[5:100, 2])
    assert nwbzarr.validate(url, place.options) == []
    assert list(nwbzarr.compare(url, f"{place.url}/day1/raw.nwb.zarr", storage_options=place.options)) == []
    lazy = opened.acquisition["cells"].data
    np.testing.assert_array_equal(lazy.to_dask().compute(scheduler="threads"), CELLS)


def test_a_package_opens_over_http(web_server: Callable[[Path], WebServer], tmp_path: Path) -> None:
    place = Place(str(tmp_path / "place"))
    make_raw(place)
    packed(place)
    opened: Any = nwbzarr.open(f"{web_server(tmp_path / 'place' / 'day1').url}/raw.nwb.zarr.zip")
    np.testing.assert_array_equal(opened.acquisition["cells"].data[...], CELLS)


def test_links_of_a_package_lead_where_they_led(place: Place) -> None:
    make_set(place)
    url = packed(place, "work/processed.nwb.zarr")
    opened: Any = nwbzarr.open(url, place.options)
    np.testing.assert_array_equal(opened.acquisition["cells"].data[...], CELLS)
    derive(place, "work/processed.nwb.zarr.zip", "work/more.nwb.zarr", "more")
    more: Any = nwbzarr.open(f"{place.url}/work/more.nwb.zarr", place.options)
    assert more.scratch["processed"].stored_at.url.text.endswith(".zip")
    np.testing.assert_array_equal(more.scratch["processed"].data[...], np.arange(4.0))


def test_a_package_is_unpacked_by_copying(place: Place, tmp_path: Path) -> None:
    make_raw(place)
    url = packed(place)
    nwbzarr.copy(url, tmp_path / "again.nwb.zarr", source_options=place.options)
    opened: Any = nwbzarr.open(tmp_path / "again.nwb.zarr")
    np.testing.assert_array_equal(opened.acquisition["cells"].data[...], CELLS)
    assert not opened.loader.is_read_only


def test_opening_costs_few_requests(tmp_path: Path) -> None:
    with place_of("memory", None, tmp_path) as place:  # type: ignore[arg-type]  # asked for S3 only
        make_raw(place)
        url = packed(place)
        meter = Meter()
        nwbzarr.open(url, manager=Manager(meter=meter))
        # What is no store is looked at first: two requests; head and index; the directory; two objects, twice each.
        assert meter.total <= 9


@pytest.mark.parametrize("mode", ["r+", "a", "w-"])
def test_a_package_is_not_written_to(place: Place, mode: str) -> None:
    make_raw(place)
    url = packed(place)
    with pytest.raises(NWBZarrError):
        NWBZarrIO(url, mode, storage_options=place.options).write(nwbzarr.open(url, place.options))


def test_what_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "place"))
    make_raw(place)
    url = packed(place)
    with pytest.raises(StoreExistsError):
        packed(place)
    nwbzarr.pack(f"{place.url}/day1/raw.nwb.zarr", url, mode="w")
    with pytest.raises(StoreModeError):
        nwbzarr.pack(f"{place.url}/day1/raw.nwb.zarr", url, mode="r")
    with pytest.raises(ConversionError):
        nwbzarr.pack(make_kitchen(tmp_path / "k.nwb"), tmp_path / "k.zip")
    assert main(["pack", f"{place.url}/day1/raw.nwb.zarr", str(tmp_path / "other.zip")]) == 0


@pytest.mark.parametrize("kept", [10, 1000, -30])
def test_a_package_that_is_cut_off(tmp_path: Path, kept: int) -> None:
    place = Place(str(tmp_path / "place"))
    make_raw(place)
    data = fsspec.filesystem("file").cat(packed(place))
    (tmp_path / "cut.zip").write_bytes(data[:kept])
    with pytest.raises(DocumentError, match="cut off"):
        nwbzarr.open(tmp_path / "cut.zip")


def test_a_package_that_zip_has_compressed(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "place"))
    make_raw(place)
    with (
        zipfile.ZipFile(packed(place)) as read,
        zipfile.ZipFile(tmp_path / "c.zip", "w", zipfile.ZIP_DEFLATED) as write,
    ):
        for name in read.namelist():
            write.writestr(name, read.read(name))
    with pytest.raises(DocumentError, match="pack it again"):
        nwbzarr.open(tmp_path / "c.zip")
