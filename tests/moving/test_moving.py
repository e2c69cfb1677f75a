"""Sets of stores: listed, relinked, copied, pulled together; HDF5 files among them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

import nwbzarr
from nwbzarr import Manager, NWBFile, NWBZarrIO, TimeSeries
from nwbzarr.cli.main import main
from nwbzarr.errors import DanglingLinkError, LinkError, NWBZarrError, StoreExistsError, StoreModeError, TrustError
from tests.foreign.kitchen import CELLS, make_kitchen
from tests.places import KINDS, Place, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of(request.param, request, tmp_path) as made:
        yield made


def make_raw(place: Place, name: str = "day1/raw.nwb.zarr") -> None:
    made = NWBFile(session_description="raw", identifier="raw", session_start_time=START)
    made.add_acquisition(TimeSeries(name="cells", data=CELLS, unit="V", rate=1000.0))
    with place.io(name, "w") as io:
        io.write(made)


def derive(place: Place, source: str, name: str, identifier: str) -> None:
    """Write a session that links to another one."""
    with place.io(source, "r") as read:
        made = read.read().copy()
        made.add_scratch(np.arange(4.0), name=identifier, description="made")
        with place.io(name, "w", manager=read.manager) as io:
            assert io.write(made).links


def make_set(place: Place) -> None:
    """Write raw -> processed -> scratch, in three folders."""
    make_raw(place)
    derive(place, "day1/raw.nwb.zarr", "work/processed.nwb.zarr", "processed")
    derive(place, "work/processed.nwb.zarr", "work/deep/analysis.nwb.zarr", "analysis")


def cells_of(url: str, options: dict[str, Any] | None = None) -> Any:
    opened: Any = nwbzarr.open(url, options)
    return opened.acquisition["cells"]


def test_links_are_listed(place: Place) -> None:
    make_set(place)
    found = nwbzarr.links(f"{place.url}/work/processed.nwb.zarr", storage_options=place.options)
    across = [link for link in found if link.source != "."]
    assert {link.state for link in found} == {"resolves"}
    assert [(link.source, link.target) for link in across if "cells" in link.path] == [
        ("../../day1/raw.nwb.zarr", "/acquisition/cells")
    ]
    place.remove("day1")
    found = nwbzarr.links(f"{place.url}/work/processed.nwb.zarr", storage_options=place.options)
    assert {link.state for link in found if link.source != "."} == {"dangling"}
    assert all(link.reason for link in found if link.state == "dangling")


def test_a_copy_links_to_the_originals(place: Place) -> None:
    make_set(place)
    nwbzarr.copy(
        f"{place.url}/work/processed.nwb.zarr",
        f"{place.url}/elsewhere/far/copy.nwb.zarr",
        storage_options=place.options,
        source_options=place.options,
    )
    cells = cells_of(f"{place.url}/elsewhere/far/copy.nwb.zarr", place.options)
    np.testing.assert_array_equal(cells.data[...], CELLS)
    assert cells.stored_at.url.text.endswith("day1/raw.nwb.zarr")


def test_a_set_is_copied_with_its_links(place: Place) -> None:
    make_set(place)
    before = place.objects()
    report = nwbzarr.copy(
        f"{place.url}/work/deep/analysis.nwb.zarr",
        f"{place.url}/moved",
        follow=True,
        storage_options=place.options,
        source_options=place.options,
    )
    assert len(report) == 3
    after = place.objects()
    for key, data in before.items():
        assert after[f"moved/{key}"] == data or key.endswith(("zarr.json", "small-chunks")), key
    for folder in ("day1", "work"):
        place.remove(folder)
    cells = cells_of(f"{place.url}/moved/work/deep/analysis.nwb.zarr", place.options)
    np.testing.assert_array_equal(cells.data[...], CELLS)
    assert cells.stored_at.url.text.endswith("moved/day1/raw.nwb.zarr")
    for name in ("work/deep/analysis", "work/processed", "day1/raw"):
        assert nwbzarr.validate(f"{place.url}/moved/{name}.nwb.zarr", place.options) == []


def test_a_set_comes_from_a_bucket_to_a_disk(place: Place, tmp_path: Path) -> None:
    make_set(place)
    nwbzarr.copy(
        f"{place.url}/work/deep/analysis.nwb.zarr", tmp_path / "here", follow=True, source_options=place.options
    )
    cells = cells_of(str(tmp_path / "here" / "work" / "deep" / "analysis.nwb.zarr"))
    np.testing.assert_array_equal(cells.data[...], CELLS)
    assert cells.stored_at.url.is_local


def test_what_is_there_is_replaced_only_when_asked(place: Place) -> None:
    make_set(place)
    source = f"{place.url}/work/processed.nwb.zarr"
    given: Any = {"storage_options": place.options, "source_options": place.options}
    with pytest.raises(StoreExistsError):
        nwbzarr.copy(source, f"{place.url}/day1/raw.nwb.zarr", **given)
    nwbzarr.copy(source, f"{place.url}/moved", follow=True, **given)
    objects = place.objects()
    with pytest.raises(StoreExistsError):
        nwbzarr.copy(source, f"{place.url}/moved", follow=True, **given)
    assert place.objects() == objects
    nwbzarr.copy(source, f"{place.url}/moved", follow=True, mode="w", **given)
    with pytest.raises(StoreModeError, match="mode"):
        nwbzarr.copy(source, f"{place.url}/moved", mode="r+", **given)


def test_a_set_with_a_broken_link_is_not_copied(place: Place) -> None:
    make_set(place)
    place.remove("day1")
    with pytest.raises(NWBZarrError):
        nwbzarr.copy(
            f"{place.url}/work/processed.nwb.zarr",
            f"{place.url}/moved",
            follow=True,
            storage_options=place.options,
            source_options=place.options,
        )
    assert not any(key.startswith("moved") for key in place.objects())


def test_links_are_made_to_point_elsewhere(place: Place) -> None:
    make_set(place)
    make_raw(place, "archive/raw.nwb.zarr")
    place.remove("day1")
    url = f"{place.url}/work/processed.nwb.zarr"
    shown = nwbzarr.relink(
        url, {f"{place.url}/day1": f"{place.url}/archive"}, storage_options=place.options, dry_run=True
    )
    assert {change.after for change in shown} == {"../../archive/raw.nwb.zarr"}
    with pytest.raises(NWBZarrError):
        cells_of(url, place.options)
    assert nwbzarr.relink(url, {f"{place.url}/day1": f"{place.url}/archive"}, storage_options=place.options) == shown
    np.testing.assert_array_equal(cells_of(url, place.options).data[...], CELLS)
    with pytest.raises(LinkError, match="nobody"):
        nwbzarr.relink(url, {f"{place.url}/nobody": f"{place.url}/archive"}, storage_options=place.options)


def test_links_become_data(place: Place) -> None:
    make_set(place)
    url = f"{place.url}/work/deep/analysis.nwb.zarr"
    report = nwbzarr.pull(url, storage_options=place.options)
    assert report.chunks
    for name in ("day1", "work/processed.nwb.zarr"):
        place.remove(name)
    cells = cells_of(url, place.options)
    np.testing.assert_array_equal(cells.data[...], CELLS)
    assert cells.stored_at.url.text.endswith("analysis.nwb.zarr")
    assert nwbzarr.validate(url, place.options) == []
    assert all(link.source == "." for link in nwbzarr.links(url, storage_options=place.options))
    assert nwbzarr.pull(url, storage_options=place.options).documents == 0


def test_what_cannot_be_pulled_changes_nothing(place: Place) -> None:
    make_set(place)
    place.remove("day1")
    before = place.objects()
    with pytest.raises((DanglingLinkError, NWBZarrError)):
        nwbzarr.pull(f"{place.url}/work/processed.nwb.zarr", storage_options=place.options)
    assert place.objects() == before


# With HDF5 files.


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Write a session that links to an HDF5 file."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    kitchen = make_kitchen(folder / "raw.nwb")
    with h5py.File(kitchen, "a") as file:
        del file["scratch/links/external missing"]
    with NWBZarrIO(kitchen) as read:
        made = read.read().copy()
        made.add_scratch(np.arange(4.0), name="found", description="made")
        with NWBZarrIO(folder / "processed.nwb.zarr", "w", manager=read.manager) as io:
            io.write(made)
    return folder


def test_a_file_is_copied_with_the_set(mixed: Path, tmp_path: Path) -> None:
    report = nwbzarr.copy(mixed / "processed.nwb.zarr", tmp_path / "moved", follow=True)
    assert {link.target.rpartition("/")[2] for link in report} >= {"processed.nwb.zarr", "raw.nwb"}
    assert (tmp_path / "moved" / "raw.nwb").read_bytes() == (mixed / "raw.nwb").read_bytes()
    opened: Any = nwbzarr.open(tmp_path / "moved" / "processed.nwb.zarr")
    series = opened.acquisition["series"]
    assert series.stored_at.url.path == str(tmp_path / "moved" / "raw.nwb")
    np.testing.assert_array_equal(series.data[...], CELLS)


def pulled(place: Path) -> None:
    opened: Any = nwbzarr.open(place)
    series = opened.acquisition["series"]
    np.testing.assert_array_equal(series.data[...], CELLS)
    assert series.stored_at.url.path == str(place)
    assert "numcodecs.zlib" not in series.data.compression


def test_data_of_a_file_is_exported(mixed: Path, tmp_path: Path) -> None:
    with NWBZarrIO(mixed / "processed.nwb.zarr") as source:
        nwbfile: Any = source.read()
        # The kitchen has links that lead nowhere; a copy of all it holds cannot be made.
        with pytest.raises(NWBZarrError), NWBZarrIO(tmp_path / "all.nwb.zarr", "w", manager=source.manager) as io:
            io.export(source)
        assert nwbfile.acquisition["series"].data.shape == CELLS.shape


def test_series_of_a_file_are_pulled(tmp_path: Path) -> None:
    kitchen = make_kitchen(tmp_path / "raw.nwb")
    with NWBZarrIO(kitchen) as read:
        made = NWBFile(session_description="p", identifier="p", session_start_time=START)
        made.add_acquisition(read.read().acquisition["series"])
        with NWBZarrIO(tmp_path / "processed.nwb.zarr", "w", manager=read.manager) as io:
            assert io.write(made).links
    with (
        NWBZarrIO(tmp_path / "processed.nwb.zarr") as source,
        NWBZarrIO(tmp_path / "exported.nwb.zarr", "w", manager=source.manager) as io,
    ):
        io.export(source)
    nwbzarr.pull(tmp_path / "processed.nwb.zarr")
    kitchen.unlink()
    pulled(tmp_path / "processed.nwb.zarr")
    pulled(tmp_path / "exported.nwb.zarr")


def test_a_file_that_nobody_trusts_is_not_copied(tmp_path: Path) -> None:
    with place_of("memory", None, tmp_path) as place:  # type: ignore[arg-type]  # asked for S3 only
        make_raw(place)
        manager = Manager(trust={place.url: {}})
        with (
            NWBZarrIO(f"{place.url}/day1/raw.nwb.zarr", manager=manager) as read,
            NWBZarrIO(tmp_path / "p.nwb.zarr", "w", manager=manager) as io,
        ):
            io.write(read.read().copy())
        with pytest.raises(TrustError):
            nwbzarr.copy(tmp_path / "p.nwb.zarr", tmp_path / "moved", follow=True)
        found = nwbzarr.links(tmp_path / "p.nwb.zarr")
        assert {link.state for link in found if link.source != "."} == {"untrusted"}
        report = nwbzarr.copy(tmp_path / "p.nwb.zarr", tmp_path / "moved", follow=True, trust={place.url: {}})
        assert len(report) == 2
    np.testing.assert_array_equal(cells_of(report[-1].target).data[...], CELLS)


# Commands.


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(str(tmp_path / "place"))
    make_set(place)
    url = f"{place.url}/work/processed.nwb.zarr"
    assert main(["links", url]) == 0
    assert "../../day1/raw.nwb.zarr (resolves)" in capsys.readouterr().out
    assert main(["copy", "--follow", url, str(tmp_path / "moved"), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    assert main(["export", "--inline", url, str(tmp_path / "whole.nwb.zarr")]) == 0
    assert main(["relink", url, "--from", f"{place.url}/day1", str(tmp_path / "moved" / "day1"), "--dry-run"]) == 0
    assert "-> ../../../moved/day1/raw.nwb.zarr" in capsys.readouterr().out
    assert main(["relink", url, "--from", f"{place.url}/day1", str(tmp_path / "moved" / "day1")]) == 0
    place.remove("day1")
    assert main(["links", url, "--json"]) == 0
    capsys.readouterr()
    assert main(["pull", url]) == 0
    assert main(["links", url]) == 0
    assert main(["links", f"{place.url}/work/deep/analysis.nwb.zarr"]) == 1
    np.testing.assert_array_equal(cells_of(str(tmp_path / "whole.nwb.zarr")).data[...], CELLS)
