"""Links instead of copies: relative, followed from the store that holds them, and whole after a move.

Design, §5: "a link between stores is a relative reference, so that a folder or a bucket of sessions can be moved,
copied or mirrored whole".
"""

from __future__ import annotations

import itertools
import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import nwbzarr
from nwbzarr import LazyArray, Manager, NWBFile, NWBZarrIO, TimeSeries, ZarrDataIO
from nwbzarr.errors import DanglingLinkError, LinkError, SchemaError, UnstoredTargetError
from tests.handwritten import (
    add_electrodes,
    bare_session,
    check_ephys,
    ephys_store,
    lfp_values,
    link,
    make_array,
    make_group,
    reference,
    typed,
)
from tests.places import KINDS, QUICK_KINDS, Place, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nwbzarr.stores.metered import Meter
    from tests.servers.fixtures import S3Bucket
    from tests.servers.web import WebServer

RAW, PROCESSED, SCRATCH = "raw_data.nwb.zarr", "processed_data.nwb.zarr", "scratch_analysis.nwb.zarr"

#: Three stores side by side, and three in three directories of different depth.
SIBLINGS = (RAW, PROCESSED, SCRATCH)
SCATTERED = (f"day1/rig a/{RAW}", f"derived/{PROCESSED}", f"people/ada/2024/{SCRATCH}")

_RNG = np.random.default_rng(7)
DATA = _RNG.standard_normal(20_000)
TIMES = np.cumsum(_RNG.random(20_000))
FILTERED = DATA[:] * 0.5
SPECTRUM = np.fft.fft(FILTERED)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture(params=QUICK_KINDS)
def quick(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture
def local(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of("local", request, tmp_path) as made:
        yield made


def session(**fields: Any) -> NWBFile:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    return NWBFile(session_description="d", identifier="i", session_start_time=start, **fields)


def write_all(place: Place, names: tuple[str, str, str] = SIBLINGS) -> None:
    """Write raw, processed and scratch; each opened anew by whoever needs it."""
    raw, processed, scratch = names
    nwb = session(acquisition=[TimeSeries("raw", data=DATA, unit="m", timestamps=TIMES)])
    with place.io(raw, "w") as io:
        io.write(nwb)
    with place.io(raw, "r") as raw_io:
        nwb = raw_io.read().copy()
        module = nwb.create_processing_module("filtering", "d")
        found = nwb.acquisition["raw"]
        module.add(TimeSeries("filtered", data=FILTERED, unit="m", timestamps=found))
        with place.io(processed, "w", raw_io.manager) as io:
            io.write(nwb)
    with place.io(processed, "r") as processed_io:
        nwb = processed_io.read().copy()
        nwb.add_scratch(np.fft.fft(nwb.modules["filtering"]["filtered"].data), name="spectrum", description="d")
        with place.io(scratch, "w", processed_io.manager) as io:
            io.write(nwb)


def check_all(nwb: NWBFile) -> None:
    """Assert that the scratch session gives every value of all three."""
    assert np.array_equal(nwb.acquisition["raw"].data, DATA)
    assert np.array_equal(nwb.acquisition["raw"].timestamps, TIMES)
    assert nwb.acquisition["raw"].unit == "m"
    filtered = nwb.processing["filtering"]["filtered"]
    assert np.array_equal(filtered.data, FILTERED)
    assert np.array_equal(filtered.timestamps, TIMES)
    assert np.asarray(nwb.get_scratch("spectrum")).tobytes() == SPECTRUM.tobytes()


def links_of(objects: dict[str, bytes], store: str) -> list[dict[str, str]]:
    """Return every entry of ``_LINKS`` in the plain documents of a store, and check the root says the same."""
    found = []
    for key, data in objects.items():
        if key.startswith(f"{store}/") and key.endswith("/zarr.json"):
            document = json.loads(data)
            found += document.get("attributes", {}).get("_LINKS", [])
    root = json.loads(objects[f"{store}/zarr.json"])
    nodes = [root, *root["consolidated_metadata"]["metadata"].values()]
    assert sorted(map(str, found)) == sorted(
        str(each) for node in nodes for each in node["attributes"].get("_LINKS", [])
    )
    return found


# No copies.


def test_processed_and_scratch_hold_no_copy_of_other_arrays(place: Place) -> None:
    write_all(place)
    objects = place.objects()
    of_store = {
        name: {key.removeprefix(f"{name}/"): data for key, data in objects.items() if key.startswith(f"{name}/")}
        for name in SIBLINGS
    }
    owned = {
        PROCESSED: "processing/filtering/filtered/data/",
        SCRATCH: "scratch/spectrum/",
    }
    raw_chunks = [
        data for key, data in of_store[RAW].items() if key.startswith("acquisition/raw/") and "json" not in key
    ]
    assert sum(map(len, raw_chunks)) > 100_000
    for name, own in owned.items():
        rest = {key: data for key, data in of_store[name].items() if not key.startswith(own)}
        assert not [key for key in rest if key.startswith("acquisition/") and key != "acquisition/zarr.json"]
        assert "processing/filtering/filtered/timestamps/zarr.json" not in rest
        assert sum(map(len, rest.values())) < 40_000
        for chunk in raw_chunks:
            if len(chunk) > 1000:
                assert not any(chunk in data for data in of_store[name].values())
    assert not [key for key in of_store[SCRATCH] if key.startswith("processing/") and key != "processing/zarr.json"]


def test_links_are_relative_and_nothing_says_where_the_stores_were(quick: Place) -> None:
    write_all(quick)
    objects = quick.objects()
    assert links_of(objects, RAW) == []
    processed, scratch = links_of(objects, PROCESSED), links_of(objects, SCRATCH)
    assert {(each["name"], each["source"], each["path"]) for each in processed} == {
        ("raw", f"../{RAW}", "/acquisition/raw"),
        ("timestamps", f"../{RAW}", "/acquisition/raw/timestamps"),
    }
    assert {(each["name"], each["path"]) for each in scratch} == {
        ("raw", "/acquisition/raw"),
        ("filtering", "/processing/filtering"),
    }
    assert {each["source"] for each in scratch} <= {f"../{RAW}", f"../{PROCESSED}"}
    traces = [quick.url.encode(), quick.url.rpartition("/")[2].encode()]
    for key, data in objects.items():
        assert not [trace for trace in traces if trace in data], key


def test_links_are_told_in_the_report_and_by_the_session(local: Place) -> None:
    write_all(local)
    with local.io(PROCESSED, "r") as io:
        nwb = io.read()
        (found,) = nwb["acquisition"].links.values()
        assert found.path == "/acquisition/raw"
        assert found.url.name == RAW
        assert "raw" in repr(nwb.acquisition)
        assert RAW in repr(nwb.acquisition)


# Moving.


def test_all_three_moved_to_another_folder_give_the_same_values(local: Place, tmp_path: Path) -> None:
    for number, names in enumerate((SIBLINGS, SCATTERED)):
        here, there = Place(f"{local.url}/{number}"), tmp_path / "moved" / "far away" / str(number)
        write_all(here, names)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(here.url, there)
        check_all(nwbzarr.open(there / names[2]))


def test_all_three_copied_to_another_place_give_the_same_values(local: Place, place: Place) -> None:
    """Written on disk, copied object by object to where sessions may live."""
    write_all(local, SCATTERED)
    place.put(local.objects())
    shutil.rmtree(local.url)
    with place.io(SCATTERED[2], "r") as io:
        check_all(io.read())


def test_all_three_copied_to_disk_give_the_same_values(quick: Place, tmp_path: Path) -> None:
    """The way back: mirrored from where they were written."""
    write_all(quick, SCATTERED)
    Place(str(tmp_path / "mirror")).put(quick.objects())
    quick.remove()
    check_all(nwbzarr.open(tmp_path / "mirror" / SCATTERED[2]))


@pytest.mark.s3
@pytest.mark.slow
def test_all_three_copied_to_another_bucket_give_the_same_values(s3_bucket: S3Bucket, s3_client: Any) -> None:
    """At the root of one bucket; then below a prefix of another, with the first one empty."""
    here = Place(s3_bucket.url, s3_bucket.options)
    names = (*SIBLINGS[:2], NAMES[1])
    write_all(here, names)
    assert all(each["source"].startswith("../") for name in names for each in links_of(here.objects(), name))
    other = f"{s3_bucket.bucket}-mirror"
    s3_client.create_bucket(Bucket=other)
    there = Place(f"s3://{other}/a prefix", s3_bucket.options)
    there.put(here.objects())
    for key in here.objects():
        s3_client.delete_object(Bucket=s3_bucket.bucket, Key=key)
    with there.io(names[2], "r") as io:
        check_all(io.read())


@pytest.mark.parametrize("names", [SIBLINGS, SCATTERED], ids=["siblings", "scattered"])
def test_all_three_served_by_a_web_server_give_the_same_values(
    local: Place, tmp_path: Path, web_server: Callable[[Path], WebServer], names: tuple[str, str, str]
) -> None:
    write_all(local, names)
    server = web_server(tmp_path)
    folder = local.url.rpartition("/")[2]
    with NWBZarrIO(f"{server.url}/{folder}/{names[2]}", "r") as io:
        nwb = io.read()
        before = len(server.requests)
        assert set(nwb.acquisition) == {"raw"}
        assert len(server.requests) == before
        check_all(nwb)
    assert all(request.startswith(("GET ", "HEAD ")) for request in server.requests)


def test_a_chain_of_three_stores_in_three_directories(place: Place) -> None:
    write_all(place, SCATTERED)
    with place.io(SCATTERED[2], "r") as io:
        nwb = io.read()
        check_all(nwb)
        held = {each.url.text for name in nwb for each in getattr(nwb[name], "links", {}).values()}
        assert all(text.endswith((RAW, PROCESSED)) for text in held)


def test_a_chain_of_four_where_each_holds_only_the_next(local: Place) -> None:
    """A series whose timestamps are those of a series whose timestamps are …: each store one hop further."""
    names = [f"{'deeper/' * index}{index}.nwb.zarr" for index in range(4)]
    first = TimeSeries("ts", data=DATA, unit="m", timestamps=TIMES)
    with local.io(names[0], "w") as io:
        io.write(session(acquisition=[first]))
    for before, after in itertools.pairwise(names):
        with local.io(before, "r") as source:
            found = source.read().acquisition["ts"]
            derived = TimeSeries("ts", data=DATA + 1, unit="m", timestamps=found)
            with local.io(after, "w", source.manager) as io:
                io.write(session(acquisition=[derived]))
    with local.io(names[-1], "r") as io:
        assert np.array_equal(io.read().acquisition["ts"].timestamps, TIMES)


NAMES = ["raw data.nwb.zarr", "räw №1 50% +a&b=c (1)~,;'@!$.zarr", "r"]


@pytest.mark.parametrize("name", NAMES)
def test_stores_may_have_any_name(quick: Place, name: str) -> None:
    names = (name, f"processed {name}", f"scratch {name}")
    write_all(quick, names)
    with quick.io(names[2], "r") as io:
        check_all(io.read())


@pytest.mark.parametrize("name", NAMES)
def test_stores_of_any_name_can_be_served(
    local: Place, tmp_path: Path, web_server: Callable[[Path], WebServer], name: str
) -> None:
    from urllib.parse import quote

    names = (name, f"processed {name}", f"scratch {name}")
    write_all(local, names)
    server = web_server(tmp_path)
    folder = local.url.rpartition("/")[2]
    with NWBZarrIO(f"{server.url}/{folder}/{quote(names[2])}", "r") as io:
        check_all(io.read())


@pytest.mark.parametrize("name", ["raw#1.nwb.zarr", "raw?.nwb.zarr", "a%2e%2e.zarr", "a|b.zarr"])
def test_a_store_whose_name_no_link_can_hold_is_refused_before_anything_is_written(local: Place, name: str) -> None:
    with local.io(name, "w") as io:
        io.write(session(acquisition=[TimeSeries("raw", data=DATA, unit="m", rate=1.0)]))
    with local.io(name, "r") as io, local.io("derived.zarr", "w") as out:
        derived = io.read().copy()
        with pytest.raises(LinkError, match="source"):
            out.write(derived)
    assert not any(key.startswith("derived") for key in local.objects())


def test_a_symbolic_link_to_the_folder_does_not_matter(local: Place, tmp_path: Path) -> None:
    write_all(local, SCATTERED)
    (tmp_path / "shortcut").symlink_to(local.url)
    check_all(nwbzarr.open(tmp_path / "shortcut" / SCATTERED[2]))
    shortcut = Place(str(tmp_path / "shortcut"))
    with shortcut.io(SCATTERED[0], "r") as io, shortcut.io("new/place.zarr", "w", io.manager) as out:
        out.write(io.read().copy())
    shutil.move(local.url, tmp_path / "moved")
    nwb = nwbzarr.open(tmp_path / "moved/new/place.zarr")
    assert np.array_equal(nwb.acquisition["raw"].data, DATA)


def test_a_relative_path_and_another_working_folder_do_not_matter(
    local: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all(local)
    monkeypatch.chdir(local.url)
    nwb = nwbzarr.open(f"./{SCRATCH}")
    monkeypatch.chdir(tmp_path)
    check_all(nwb)
    check_all(nwbzarr.open(f"{local.url.rpartition('/')[2]}/../{local.url.rpartition('/')[2]}//{SCRATCH}/"))


# The same target is the same object.


def test_the_same_target_is_the_same_object_with_a_shared_manager(quick: Place) -> None:
    write_all(quick)
    raw_io = quick.io(RAW, "r")
    raw = raw_io.read()
    processed = quick.io(PROCESSED, "r", raw_io.manager).read()
    scratch = quick.io(SCRATCH, "r", raw_io.manager).read()
    series = raw.acquisition["raw"]
    assert processed.acquisition["raw"] is series
    assert scratch.acquisition["raw"] is series
    assert scratch.processing["filtering"] is processed.processing["filtering"]
    stamps = scratch.processing["filtering"]["filtered"]["timestamps"]
    assert stamps is series["timestamps"]


def test_the_same_target_is_the_same_object_within_one_session(local: Place) -> None:
    write_all(local)
    with local.io(SCRATCH, "r") as io:
        nwb = io.read()
        assert nwb.processing["filtering"]["filtered"]["timestamps"] is nwb.acquisition["raw"]["timestamps"]
        assert nwb.acquisition["raw"] is nwb.acquisition["raw"]
        assert io.read() is nwb


def test_a_linked_container_knows_where_it_lives(local: Place) -> None:
    write_all(local)
    with local.io(SCRATCH, "r") as io:
        series = io.read().acquisition["raw"]
        assert series.stored_at.url.name == RAW  # type: ignore[union-attr]
        assert series.stored_at.path == series.path == "/acquisition/raw"  # type: ignore[union-attr]
        assert series.parent.name == "acquisition"  # type: ignore[union-attr]


# Datasets as links.


@pytest.fixture
def raw(local: Place) -> NWBFile:
    """The raw session, read."""
    nwb = session(
        acquisition=[
            TimeSeries("raw", data=ZarrDataIO(DATA, chunks=(3000,), shards=(9000,)), unit="m", timestamps=TIMES)
        ]
    )
    with local.io(RAW, "w") as io:
        io.write(nwb)
    return local.io(RAW, "r").read()


def own_chunks(local: Place, path: str) -> dict[str, bytes]:
    """Return the objects of one array of the derived store."""
    head = f"derived/{PROCESSED}/{path}/"
    return {key.removeprefix(head): data for key, data in local.objects().items() if key.startswith(head)}


def derive(local: Place, *series: TimeSeries) -> NWBFile:
    """Write series into a session of another folder, and read it with nothing in memory shared."""
    with local.io(f"derived/{PROCESSED}", "w") as io:
        io.write(session(acquisition=list(series)))
    return local.io(f"derived/{PROCESSED}", "r").read()


@pytest.mark.parametrize("how", ["the series", "its lazy array", "ZarrDataIO", "its dataset"])
def test_data_of_another_store_becomes_a_link(local: Place, raw: NWBFile, how: str) -> None:
    source = raw.acquisition["raw"]
    given: Any = {
        "the series": source,
        "its lazy array": source.data,
        "ZarrDataIO": ZarrDataIO(source.data),
        "its dataset": source["data"],
    }[how]
    made = TimeSeries("again", data=given, unit="m", timestamps=source)
    found = derive(local, made).acquisition["again"]
    assert np.array_equal(found.data, DATA)
    assert found.unit == "m"
    assert found["data"].stored_at.url.name == RAW
    assert own_chunks(local, "acquisition/again/data") == {}
    (entry,) = [each for each in links_of(local.objects(), f"derived/{PROCESSED}") if each["name"] == "data"]
    assert (entry["source"], entry["path"]) == (f"../../{RAW}", "/acquisition/raw/data")


@pytest.mark.parametrize("how", ["the series", "its lazy array", "its dataset"])
def test_timestamps_of_another_store_become_a_link(local: Place, raw: NWBFile, how: str) -> None:
    source = raw.acquisition["raw"]
    given: Any = {
        "the series": source,
        "its lazy array": source.timestamps,
        "its dataset": source["timestamps"],
    }[how]
    found = derive(local, TimeSeries("other", data=DATA * 2, unit="V", timestamps=given)).acquisition["other"]
    assert np.array_equal(found.timestamps, TIMES)
    assert np.array_equal(found.data, DATA * 2)
    assert found["timestamps"].stored_at.url.name == RAW
    assert own_chunks(local, "acquisition/other/timestamps") == {}


def test_a_lazy_array_as_scratch_becomes_a_link_or_a_copy_but_never_nothing(local: Place, raw: NWBFile) -> None:
    nwb = session()
    nwb.add_scratch(raw.acquisition["raw"].data, name="again", description="d")
    with local.io(f"derived/{PROCESSED}", "w") as io:
        io.write(nwb)
    found = local.io(f"derived/{PROCESSED}", "r").read()
    assert np.array_equal(found.get_scratch("again"), DATA)
    assert found.get_scratch("again", convert=False).description == "d"


def test_link_data_false_copies_with_the_layout(local: Place, raw: NWBFile) -> None:
    source = raw.acquisition["raw"]
    copied = TimeSeries("copied", data=ZarrDataIO(source.data, link_data=False), unit="V", rate=1.0, conversion=2.0)
    found = derive(local, copied).acquisition["copied"]
    assert (found.data.chunks, found.data.shards) == ((3000,), (9000,))
    assert (found.unit, found.conversion) == ("V", 2.0)
    assert [each for each in links_of(local.objects(), f"derived/{PROCESSED}") if each["name"] == "data"] == []
    head = f"{RAW}/acquisition/raw/data/"
    theirs = {key.removeprefix(head): data for key, data in local.objects().items() if key.startswith(head)}
    ours = own_chunks(local, "acquisition/copied/data")
    assert {key: data for key, data in ours.items() if key != "zarr.json"} == {
        key: data for key, data in theirs.items() if key != "zarr.json"
    }
    assert np.array_equal(found.data, DATA)


def test_link_data_false_copies_into_another_layout(local: Place, raw: NWBFile) -> None:
    wishes = ZarrDataIO(raw.acquisition["raw"].data, chunks=(1000,), link_data=False)
    found = derive(local, TimeSeries("copied", data=wishes, unit="V", rate=1.0)).acquisition["copied"]
    assert (found.data.chunks, found.data.shards) == ((1000,), None)
    assert np.array_equal(found.data, DATA)


@pytest.mark.parametrize("field", ["shards", "compressors"])
def test_link_data_false_heeds_every_wish(local: Place, raw: NWBFile, field: str) -> None:
    wishes: dict[str, Any] = {"shards": (6000,)} if field == "shards" else {"compressors": []}
    data = ZarrDataIO(raw.acquisition["raw"].data, link_data=False, **wishes)
    found = derive(local, TimeSeries("copied", data=data, unit="V", rate=1.0)).acquisition["copied"].data
    if field == "shards":
        assert found.shards == (6000,)
    else:
        assert found.compression == "bytes"
    assert np.array_equal(found, DATA)


def test_a_wish_for_a_linked_dataset_is_refused(raw: NWBFile) -> None:
    wishes = ZarrDataIO(raw.acquisition["raw"].data, chunks=(10,))
    with pytest.raises(SchemaError, match="link_data=False"):
        TimeSeries("again", data=wishes, unit="m", rate=1.0)


def test_a_link_keeps_its_targets_unit_and_says_so(raw: NWBFile) -> None:
    source = raw.acquisition["raw"]
    assert TimeSeries("again", data=source, timestamps=source).unit == "m"
    with pytest.raises(SchemaError, match="link_data=False"):
        TimeSeries("again", data=source, unit="V", timestamps=source)
    with pytest.raises(SchemaError, match="conversion"):
        TimeSeries("again", data=source, conversion=3.0, timestamps=source)


def test_dask_data_from_a_linked_array_is_computed_and_stored(local: Place, raw: NWBFile) -> None:
    lazy = raw.acquisition["raw"].data.to_dask() * 3
    found = derive(local, TimeSeries("thrice", data=lazy, unit="m", timestamps=raw.acquisition["raw"]))
    assert np.array_equal(found.acquisition["thrice"].data, DATA * 3)
    assert isinstance(found.acquisition["thrice"].data, LazyArray)


def test_a_series_that_shares_data_within_its_own_store_gets_a_link_to_itself(local: Place) -> None:
    owner = TimeSeries("owner", data=DATA, unit="m", timestamps=TIMES)
    user = TimeSeries("user", data=owner, timestamps=owner)
    with local.io(RAW, "w") as io:
        io.write(session(acquisition=[owner, user]))
    assert {(each["name"], each["source"], each["path"]) for each in links_of(local.objects(), RAW)} == {
        ("data", ".", "/acquisition/owner/data"),
        ("timestamps", ".", "/acquisition/owner/timestamps"),
    }
    found = local.io(RAW, "r").read()
    assert np.array_equal(found.acquisition["user"].data, DATA)


def test_a_container_changed_in_memory_is_not_linked_behind_the_callers_back(local: Place, raw: NWBFile) -> None:
    raw.acquisition["raw"].set_attribute("quality", "good")
    with local.io("derived.zarr", "w") as io, pytest.raises(UnstoredTargetError, match="changed"):
        io.write(raw.copy())
    assert not any(key.startswith("derived") for key in local.objects())


@pytest.mark.parametrize("change", ["attribute", "rows", "member"])
def test_a_change_in_another_store_is_not_lost_in_silence(local: Place, raw: NWBFile, change: str) -> None:
    """Mode r+ writes this store: what was changed in a linked one must be stored there, or refused."""
    with local.io("derived.zarr", "w") as io:
        io.write(raw.copy())
    with local.io("derived.zarr", "r+") as io:
        nwb = io.read()
        change_series(nwb.acquisition["raw"], change)
        with pytest.raises(UnstoredTargetError, match="changed"):
            io.write(nwb)


@pytest.mark.parametrize("change", ["attribute", "rows", "member"])
@pytest.mark.parametrize("way", ["by name", "through a link"])
def test_a_change_reached_through_a_link_of_the_same_store_is_stored(local: Place, way: str, change: str) -> None:
    owner = TimeSeries("owner", data=DATA, unit="m", rate=1.0)
    nwb = session(acquisition=[owner])
    nwb.create_processing_module("module", "d").add(owner)
    with local.io(RAW, "w") as io:
        io.write(nwb)
    with local.io(RAW, "r+") as io:
        nwb = io.read()
        change_series((nwb.acquisition if way == "by name" else nwb.processing["module"])["owner"], change)
        io.write(nwb)
    found = local.io(RAW, "r").read().acquisition["owner"]
    if change == "attribute":
        assert found.attributes["quality"] == "good"
    elif change == "rows":
        assert np.array_equal(found.data, [*DATA, 1.0, 2.0])
    else:
        assert np.array_equal(found["extra"]["data"].data, DATA[:3])


def change_series(series: Any, change: str) -> None:
    """Change a series that was read."""
    if change == "attribute":
        series.set_attribute("quality", "good")
    elif change == "rows":
        series["data"].append([1.0, 2.0])
    else:
        series.add_member(TimeSeries("extra", data=DATA[:3], unit="m", rate=1.0))


def test_a_container_of_a_session_that_is_in_no_store_cannot_be_linked(local: Place) -> None:
    other = session(acquisition=[TimeSeries("raw", data=DATA, unit="m", rate=1.0)])
    with local.io("derived.zarr", "w") as io, pytest.raises(UnstoredTargetError, match="write that session first"):
        io.write(other.copy())
    assert local.objects() == {}


# Dangling links.


@pytest.fixture
def orphaned(quick: Place) -> Place:
    """Processed and scratch, with raw gone."""
    write_all(quick)
    quick.remove(RAW)
    return quick


def test_a_dangling_link_does_not_stop_the_rest_from_being_read(place: Place) -> None:
    write_all(place)
    place.remove(RAW)
    nwb = place.io(SCRATCH, "r").read()
    assert nwb.identifier == "i"
    assert np.array_equal(nwb.processing["filtering"]["filtered"].data, FILTERED)
    assert np.array_equal(nwb.get_scratch("spectrum"), SPECTRUM)
    with pytest.raises(DanglingLinkError):
        nwb.acquisition["raw"]


def test_a_dangling_link_shows_in_listings(orphaned: Place) -> None:
    nwb = orphaned.io(PROCESSED, "r").read()
    assert list(nwb.acquisition) == ["raw"]
    assert "raw" in nwb.acquisition
    assert len(nwb.acquisition) == 1
    assert "raw" in repr(nwb.acquisition)
    assert "link" in repr(nwb.acquisition)
    assert RAW in repr(nwb.acquisition)
    assert set(nwb["acquisition"].links) == {"raw"}
    filtered = nwb.processing["filtering"]["filtered"]
    assert "timestamps" in list(filtered)
    assert "timestamps" in repr(filtered)


def test_a_dangling_link_raises_when_it_is_followed(orphaned: Place) -> None:
    nwb = orphaned.io(PROCESSED, "r").read()
    filtered = nwb.processing["filtering"]["filtered"]
    for following in (
        lambda: nwb.acquisition["raw"],
        lambda: nwb.get_acquisition("raw"),
        lambda: filtered.timestamps,
        lambda: filtered["timestamps"],
        lambda: list(nwb.acquisition.values()),
    ):
        with pytest.raises(DanglingLinkError) as caught:
            following()
        assert RAW in str(caught.value)
        assert "put that store back" in str(caught.value)
        assert isinstance(caught.value, KeyError)


def test_get_does_not_take_a_dangling_link_for_a_missing_name(orphaned: Place) -> None:
    """The name is there: a default would hide that its data is not."""
    nwb = orphaned.io(PROCESSED, "r").read()
    assert nwb.acquisition.get("no such name") is None
    with pytest.raises(DanglingLinkError):
        nwb.acquisition.get("raw")
    with pytest.raises(DanglingLinkError):
        nwb["acquisition"].get("raw")


def test_a_link_is_whole_again_when_its_store_is_back(orphaned: Place) -> None:
    nwb = orphaned.io(PROCESSED, "r").read()
    with pytest.raises(DanglingLinkError):
        nwb.acquisition["raw"]
    with orphaned.io(RAW, "w") as io:
        io.write(session(acquisition=[TimeSeries("raw", data=DATA, unit="m", timestamps=TIMES)]))
    assert np.array_equal(nwb.acquisition["raw"].data, DATA)


def test_a_path_that_is_gone_from_a_store_that_is_there(orphaned: Place) -> None:
    with orphaned.io(RAW, "w") as io:
        io.write(session(acquisition=[TimeSeries("renamed", data=DATA, unit="m", timestamps=TIMES)]))
    nwb = orphaned.io(PROCESSED, "r").read()
    with pytest.raises(DanglingLinkError, match="/acquisition/raw"):
        nwb.acquisition["raw"]


def test_a_session_with_a_dangling_link_can_be_copied_and_added_to(orphaned: Place) -> None:
    nwb = orphaned.io(PROCESSED, "r").read().copy()
    nwb.add_scratch(1, name="s", description="d")
    with orphaned.io("again.zarr", "w") as io:
        io.write(nwb)
    assert list(orphaned.io("again.zarr", "r").read().acquisition) == ["raw"]
    with orphaned.io(PROCESSED, "r+") as io:
        found = io.read()
        found.add_scratch(2, name="s", description="d")
        io.write(found)
    found = orphaned.io(PROCESSED, "r").read()
    assert found.get_scratch("s") == 2
    assert list(found.acquisition) == ["raw"]


# Inside a linked store, its own words mean its own nodes.


def test_references_inside_a_linked_store_resolve_there(tmp_path: Path) -> None:
    """hdmf-zarr resolves them in the opened store, and gives the wrong table in silence."""
    ephys_store(tmp_path / "raw/ephys.zarr", location="CA1", count=4)
    own = bare_session(tmp_path / "own.zarr")
    add_electrodes(own, "CA3", 2)
    own["acquisition"].attrs["_LINKS"] = [link("lfp", "/acquisition/lfp", "../raw/ephys.zarr")]
    nwb = nwbzarr.open(tmp_path / "own.zarr")
    assert [str(item) for item in nwb.electrodes["location"][:]] == ["CA3", "CA3"]
    series = nwb.acquisition["lfp"]
    table = series["electrodes"].attributes["table"]
    assert [str(item) for item in table["location"][:]] == ["CA1"] * 4
    assert table is not nwb.electrodes
    assert table["group"][0].attributes["location"] == "CA1"
    assert table["group"][0]["device"] is not nwb.devices["probe"]
    assert nwb.electrodes["group"][0].attributes["location"] == "CA3"
    assert np.array_equal(series["data"].data, lfp_values())


def test_a_session_with_its_own_electrodes_links_a_raw_series(tmp_path: Path) -> None:
    """The same, with the link written by nwbzarr."""
    ephys_store(tmp_path / "raw/ephys.zarr", location="CA1", count=4)
    add_electrodes(bare_session(tmp_path / "own.zarr"), "CA3", 2)
    with NWBZarrIO(tmp_path / "own.zarr", "r+") as io:
        nwb = io.read()
        nwb.add_acquisition(nwbzarr.open(tmp_path / "raw/ephys.zarr").acquisition["lfp"])
        io.write(nwb)
    nwb = nwbzarr.open(tmp_path / "own.zarr")
    table = nwb.acquisition["lfp"]["electrodes"].attributes["table"]
    assert [str(item) for item in table["location"][:]] == ["CA1"] * 4
    assert [str(item) for item in nwb.electrodes["location"][:]] == ["CA3"] * 2


def test_a_full_copy_of_a_session_with_electrodes_is_read_back(tmp_path: Path) -> None:
    ephys_store(tmp_path / "raw/ephys.zarr")
    with NWBZarrIO(tmp_path / "a/b/copy.zarr", "w") as io:
        io.write(nwbzarr.open(tmp_path / "raw/ephys.zarr").copy())
    (tmp_path / "moved").mkdir()
    shutil.move(tmp_path / "raw", tmp_path / "moved/raw")
    shutil.move(tmp_path / "a", tmp_path / "moved/a")
    check_ephys(nwbzarr.open(tmp_path / "moved/a/b/copy.zarr"))


def test_a_reference_through_two_stores(tmp_path: Path) -> None:
    """A path inside a linked store may itself lead through a link of that store."""
    far = bare_session(tmp_path / "far/far.zarr")
    make_group(far, "acquisition/odd", typed("Odd", "ndx-lab", label="far"))
    middle = bare_session(tmp_path / "middle/x/middle.zarr")
    middle["acquisition"].attrs["_LINKS"] = [link("odd", "/acquisition/odd", "../../../far/far.zarr")]
    make_group(middle, "analysis/user", typed("User", "ndx-lab", it=reference("/acquisition/odd")))
    make_array(middle, "analysis/refs", ["/acquisition/odd"], typed("Refs", "ndx-lab", _DTYPE="object_reference"))
    near = bare_session(tmp_path / "near.zarr")
    near["analysis"].attrs["_LINKS"] = [
        link("user", "/analysis/user", "../middle/x/middle.zarr"),
        link("refs", "/analysis/refs", "../middle/x/middle.zarr"),
        link("odd", "/acquisition/odd", "../middle/x/middle.zarr"),
    ]
    make_group(near, "acquisition/odd", typed("Odd", "ndx-lab", label="near: the wrong one"))
    nwb = nwbzarr.open(tmp_path / "near.zarr")
    assert nwb.analysis["user"].attributes["it"].attributes["label"] == "far"
    assert nwb.analysis["refs"][0].attributes["label"] == "far"
    assert nwb.analysis["odd"].attributes["label"] == "far"
    assert nwb.analysis["odd"] is nwb.analysis["user"].attributes["it"]


def test_a_reference_attribute_with_a_source_of_its_own(tmp_path: Path) -> None:
    far = bare_session(tmp_path / "far.zarr")
    make_group(far, "acquisition/odd", typed("Odd", "ndx-lab", label="far"))
    near = bare_session(tmp_path / "near.zarr")
    make_group(near, "acquisition/user", typed("User", "ndx-lab", it=reference("/acquisition/odd", "../far.zarr")))
    found = nwbzarr.open(tmp_path / "near.zarr").acquisition["user"].attributes["it"]
    assert found.attributes["label"] == "far"


# Laziness.


def counted(place: Place, name: str, meter: Meter) -> NWBFile:
    """Open a session with every request counted."""
    io = NWBZarrIO(f"{place.url}/{name}", "r", manager=Manager(meter=meter), storage_options=place.options)
    place.opened.append(io)
    return io.read()


def test_a_links_store_is_opened_when_the_link_is_followed(quick: Place) -> None:
    write_all(quick)
    meter = nwbzarr.Meter()
    nwb = counted(quick, SCRATCH, meter)
    before = meter.total
    assert list(nwb.acquisition) == ["raw"]
    assert repr(nwb.acquisition)
    assert nwb["acquisition"].links
    assert repr(nwb)
    nwb.copy()
    assert meter.total == before
    assert nwb.acquisition["raw"].unit == "m"
    assert meter.total > before


def test_stores_may_link_each_other(local: Place) -> None:
    for name in "ab":
        with local.io(f"{name}.zarr", "w") as io:
            io.write(session(acquisition=[TimeSeries(f"of {name}", data=DATA, unit="m", rate=1.0)]))
    for ours, theirs in ("ab", "ba"):
        with local.io(f"{ours}.zarr", "r+") as io, local.io(f"{theirs}.zarr", "r") as other:
            nwb = io.read()
            nwb.create_processing_module("m", "d").add(other.read().acquisition[f"of {theirs}"])
            io.write(nwb)
    for ours, theirs in ("ab", "ba"):
        nwb = local.io(f"{ours}.zarr", "r").read()
        assert np.array_equal(nwb.processing["m"][f"of {theirs}"].data, DATA)
