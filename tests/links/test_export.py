"""`export`: a store that needs no other, with the layouts, values and identities of what it was made from."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from zarr.codecs import GzipCodec, ZstdCodec

import nwbzarr
from nwbzarr import Device, NWBFile, NWBZarrIO, Subject, TimeSeries, ZarrDataIO
from nwbzarr.errors import (
    DanglingLinkError,
    LinkCycleError,
    LinkError,
    NWBZarrError,
    ReferenceTargetError,
    SchemaError,
    SelfOverwriteError,
    StoreExistsError,
    StoreModeError,
    TrustError,
)
from tests.handwritten import (
    ELECTRODES,
    NAMESPACES,
    add_electrodes,
    bare_session,
    check_ephys,
    ephys_store,
    link,
    make_array,
    make_compound,
    make_group,
    reference,
    typed,
)
from tests.places import KINDS, Place, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tests.servers.web import WebServer

DATA = np.random.default_rng(3).integers(-3000, 3000, (40_000, 8)).astype("int16")
TIMES = np.arange(40_000) / 1000

#: Every way an array may be laid out.
LAYOUTS: dict[str, dict[str, Any]] = {
    "planned": {},
    "chunked": {"chunks": (7000, 3)},
    "sharded": {"chunks": (1000, 4), "shards": (9000, 8)},
    "gzip": {"chunks": (20_000, 8), "compressors": [GzipCodec(level=1)]},
    "zstd in shards": {"chunks": (5000, 8), "shards": (10_000, 8), "compressors": [ZstdCodec(level=2)]},
    "plain": {"compressors": []},
}


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture
def local(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of("local", request, tmp_path) as made:
        yield made


def session(**fields: Any) -> NWBFile:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    return NWBFile(session_description="d", identifier="i", session_start_time=start, **fields)


def raw_session(layouts: Iterable[str]) -> NWBFile:
    """Arrays of some layouts, and what else a session has."""
    nwb = session(subject=Subject(subject_id="S", age="P1D"), keywords=["a", "b"], lab="L")
    for name in layouts:
        layout = LAYOUTS[name]
        nwb.add_acquisition(TimeSeries(name, data=ZarrDataIO(DATA, **layout), unit="V", rate=1000.0, conversion=np.nan))
    texts = TimeSeries("texts", data=[f"№ {index}" for index in range(100)], unit="n/a", timestamps=TIMES[:100])
    nwb.add_acquisition(texts)
    rows = np.array([(1, "a", 2.5)], dtype=[("n", "i4"), ("t", "U3"), ("x", "f8")])
    nwb.add_scratch(rows, name="rows", description="d")
    nwb.add_scratch(np.fft.fft(TIMES[:64]), name="spectrum", description="d")
    nwb.add_scratch(np.empty((0, 3), "float32"), name="empty", description="d")
    nwb.add_scratch(0, name="zero", description="d")
    nwb.add_device(Device("probe", manufacturer="M"))
    return nwb


def write_chain(place: Place, layouts: Iterable[str] = LAYOUTS) -> tuple[str, str, str]:
    """Write raw, processed and scratch in three directories, and return their names."""
    names = ("day1/raw.zarr", "derived/processed.zarr", "people/ada/scratch.zarr")
    with place.io(names[0], "w") as io:
        io.write(raw_session(layouts))
    with place.io(names[0], "r") as raw_io, place.io(names[1], "w", raw_io.manager) as io:
        nwb = raw_io.read().copy()
        source = nwb.acquisition["sharded"]
        module = nwb.create_processing_module("filtering", "d")
        module.add(TimeSeries("filtered", data=DATA[:, 0] * 2.0, unit="V", timestamps=TIMES))
        module.add(TimeSeries("again", data=source, rate=1000.0))
        io.write(nwb)
    with place.io(names[1], "r") as processed_io, place.io(names[2], "w", processed_io.manager) as io:
        nwb = processed_io.read().copy()
        nwb.add_scratch(np.arange(5) * 1j, name="result", description="d")
        io.write(nwb)
    return names


def export(place: Place, source: str, to: str) -> NWBFile:
    """Export a session of this place, and read it with nothing in memory shared."""
    with place.io(source, "r") as src_io, place.io(to, "w", src_io.manager) as io:
        io.export(src_io)
    return place.io(to, "r").read()


def under(place: Place, head: str) -> dict[str, bytes]:
    """Return the objects below a key, without it."""
    return {key[len(head) + 1 :]: data for key, data in place.objects().items() if key.startswith(f"{head}/")}


def sources_in(place: Place, store: str) -> set[str]:
    """Return every source that a store names, in links and in references."""
    found: set[str] = set()

    def visit(value: Any) -> None:
        if isinstance(value, dict):
            if "source" in value and "path" in value:
                found.add(value["source"])
            for each in value.values():
                visit(each)
        elif isinstance(value, list):
            for each in value:
                visit(each)

    for key, data in under(place, store).items():
        if key.endswith("zarr.json"):
            visit(json.loads(data).get("attributes", {}))
    visit(json.loads(under(place, store)["zarr.json"]))
    return found


# Self-contained.


@pytest.mark.parametrize(
    "place", ["local", "memory", pytest.param("s3", marks=[pytest.mark.s3, pytest.mark.slow])], indirect=True
)
def test_export_of_a_chain_needs_no_other_store(place: Place) -> None:
    layouts = LAYOUTS if place.options is None else ("planned", "sharded")
    names = write_chain(place, layouts)
    exported = export(place, names[2], "exported/all.zarr")
    before = {name: exported.acquisition[name].object_id for name in layouts}
    for name in names:
        place.remove(name)
    assert sources_in(place, "exported/all.zarr") <= {"."}
    with place.io("exported/all.zarr", "r") as io:
        nwb = io.read()
        for name in layouts:
            assert np.array_equal(nwb.acquisition[name].data, DATA), name
            assert nwb.acquisition[name].object_id == before[name]
        module = nwb.processing["filtering"]
        assert np.array_equal(module["filtered"].data, DATA[:, 0] * 2.0)
        assert np.array_equal(module["filtered"].timestamps, TIMES)
        assert np.array_equal(module["again"].data, DATA)
        assert module["again"]["data"] is nwb.acquisition["sharded"]["data"]
        assert np.array_equal(nwb.get_scratch("result"), np.arange(5) * 1j)
        assert nwb.get_scratch("rows")[0]["t"] == "a"
        assert nwb.get_scratch("empty").shape == (0, 3)
        assert nwb.get_scratch("zero") == 0
        assert nwb.devices["probe"].manufacturer == "M"
        assert nwb.subject is not None
        assert (nwb.subject.subject_id, nwb.subject.age, nwb.keywords, nwb.lab) == ("S", "P1D", ("a", "b"), "L")
        assert np.isnan(nwb.acquisition["planned"].conversion)


def test_export_keeps_what_is_shared_shared(local: Place) -> None:
    """One series in two places, and data used twice, are stored once."""
    names = write_chain(local)
    export(local, names[2], "all.zarr")
    raw, exported = under(local, names[0]), under(local, "all.zarr")
    assert "processing/filtering/again/data/zarr.json" not in exported
    head = "acquisition/sharded/data"
    assert sum(len(data) for key, data in exported.items() if key.startswith(head)) == sum(
        len(data) for key, data in raw.items() if key.startswith(head)
    )
    assert sources_in(local, "all.zarr") == {"."}


@pytest.mark.parametrize("order", ["part first", "whole first"])
def test_a_part_and_the_whole_of_a_container_are_both_there(local: Place, order: str) -> None:
    """One series takes another's data, and elsewhere that other series is linked whole: in either order."""
    with local.io("raw.zarr", "w") as io:
        io.write(session(acquisition=[TimeSeries("raw", data=DATA, unit="V", timestamps=TIMES)]))
    with local.io("raw.zarr", "r") as raw_io, local.io("derived.zarr", "w", raw_io.manager) as io:
        source = raw_io.read().acquisition["raw"]
        nwb = session()
        user = TimeSeries("user", data=source, timestamps=source)
        if order == "part first":
            nwb.add_acquisition(user)
            nwb.create_processing_module("module", "d").add(source)
        else:
            nwb.add_acquisition(source)
            nwb.create_processing_module("module", "d").add(user)
        io.write(nwb)
    exported = export(local, "derived.zarr", "all.zarr")
    local.remove("raw.zarr")
    for series in (*exported.acquisition.values(), *exported.processing["module"].values()):
        assert np.array_equal(series.data, DATA), series.path
        assert np.array_equal(series.timestamps, TIMES), series.path
        assert series.unit == "V"
    assert sources_in(local, "all.zarr") == {"."}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_are_kept_and_stored_objects_are_the_same_bytes(local: Place, name: str) -> None:
    names = write_chain(local)
    exported = export(local, names[2], "all.zarr")
    with local.io(names[0], "r") as io:
        before, after = io.read().acquisition[name].data, exported.acquisition[name].data
        assert (after.chunks, after.shards, after.dtype, after.compression) == (
            before.chunks,
            before.shards,
            before.dtype,
            before.compression,
        )
    for array in ("data", "starting_time"):
        ours = under(local, f"all.zarr/acquisition/{name}/{array}")
        theirs = under(local, f"{names[0]}/acquisition/{name}/{array}")
        assert ours == theirs


def test_a_layout_of_another_tool_is_kept(local: Place, tmp_path: Path) -> None:
    """Other separators, other fill values, an array with chunks missing: bytes are not looked at."""
    root = bare_session(tmp_path / "by hand.zarr")
    make_group(root, "acquisition/odd", typed("Odd", "ndx-lab"))
    sparse = root.create_array("acquisition/odd/sparse", shape=(100,), dtype="float32", chunks=(10,), fill_value=np.nan)
    sparse[20:30] = 1.0
    root.create_array(
        "acquisition/odd/v2 keys",
        data=np.arange(20),
        chunks=(5,),
        chunk_key_encoding={"name": "v2", "separator": "."},
        compressors=[GzipCodec(level=9)],
    )
    with NWBZarrIO(tmp_path / "by hand.zarr", "r") as source, local.io("all.zarr", "w") as io:
        io.export(source)
    found = local.io("all.zarr", "r").read().acquisition["odd"]
    expected = np.full(100, np.nan, "float32")
    expected[20:30] = 1.0
    assert np.array_equal(found["sparse"].data, expected, equal_nan=True)
    assert np.array_equal(found["v2 keys"].data, np.arange(20))
    ours = under(local, "all.zarr/acquisition/odd")
    theirs = under(Place(str(tmp_path)), "by hand.zarr/acquisition/odd")
    assert {key: data for key, data in ours.items() if "json" not in key} == {
        key: data for key, data in theirs.items() if "json" not in key
    }


def test_export_to_another_kind_of_place(local: Place, place: Place) -> None:
    names = write_chain(local)
    with local.io(names[2], "r") as source, place.io("there.zarr", "w") as io:
        io.export(source)
    with place.io("there.zarr", "r") as io:
        assert np.array_equal(io.read().acquisition["sharded"].data, DATA)


def test_export_from_a_web_server(local: Place, tmp_path: Path, web_server: Callable[[Path], WebServer]) -> None:
    names = write_chain(local)
    server = web_server(tmp_path)
    folder = local.url.rpartition("/")[2]
    with NWBZarrIO(f"{server.url}/{folder}/{names[2]}", "r") as source, local.io("there.zarr", "w") as io:
        io.export(source)
    for name in names:
        local.remove(name)
    nwb = local.io("there.zarr", "r").read()
    assert np.array_equal(nwb.acquisition["sharded"].data, DATA)
    assert np.array_equal(nwb.processing["filtering"]["filtered"].timestamps, TIMES)


def test_export_of_an_export_is_the_same(local: Place) -> None:
    names = write_chain(local)
    export(local, names[2], "one.zarr")
    export(local, "one.zarr", "two.zarr")
    one, two = under(local, "one.zarr"), under(local, "two.zarr")
    assert one.keys() == two.keys()
    assert [key for key in one if one[key] != two[key] and "small-chunks" not in key and key != "zarr.json"] == []


# References.


def test_references_lead_to_the_exported_objects(local: Place, tmp_path: Path) -> None:
    ephys_store(tmp_path / "raw/ephys.zarr", location="CA1")
    own = bare_session(tmp_path / "own.zarr")
    add_electrodes(own, "CA3", 2)
    own["acquisition"].attrs["_LINKS"] = [link("lfp", "/acquisition/lfp", "../raw/ephys.zarr")]
    refusal: LinkError | None = None
    with NWBZarrIO(tmp_path / "own.zarr", "r") as source, local.io("all.zarr", "w") as io:
        try:
            io.export(source)
        except LinkError as error:
            refusal = error
    if refusal is not None:
        # Both tables want one path: to say so is allowed, to mix them up is not.
        assert ELECTRODES in str(refusal)
        assert local.objects() == {}
        return
    shutil.rmtree(tmp_path / "raw")
    shutil.rmtree(tmp_path / "own.zarr")
    nwb = local.io("all.zarr", "r").read()
    table = nwb.acquisition["lfp"]["electrodes"].attributes["table"]
    assert [str(item) for item in table["location"][:]] == ["CA1"] * 4
    assert table["group"][0].attributes["location"] == "CA1"
    assert [str(item) for item in nwb.electrodes["location"][:]] == ["CA3"] * 2


def test_references_of_a_container_that_moves_are_written_anew(local: Place, tmp_path: Path) -> None:
    """The raw table is linked under another path, so every reference to it and in it changes."""
    far = bare_session(tmp_path / "far.zarr")
    make_group(far, "acquisition/a", typed("Odd", "ndx-lab", it=reference("/acquisition/b")))
    make_group(far, "acquisition/b", typed("Odd", "ndx-lab", label="b", _LINKS=[link("a", "/acquisition/a")]))
    make_array(far, "acquisition/b/values", np.arange(3))
    refs = typed("Refs", "ndx-lab", _DTYPE="object_reference")
    make_array(far, "acquisition/refs", ["/acquisition/a", "/acquisition/b", "/acquisition/a"], refs)
    rows = [(0, 1, "/acquisition/a"), (2, 3, "/acquisition/b")]
    make_compound(tmp_path / "far.zarr", "acquisition/rows", rows, typed("Rows", "ndx-lab"))
    near = bare_session(tmp_path / "near.zarr")
    names = {"a": "first one", "b": "second one", "refs": "references", "rows": "rows"}
    near["analysis"].attrs["_LINKS"] = [link(new, f"/acquisition/{old}", "../far.zarr") for old, new in names.items()]
    with NWBZarrIO(tmp_path / "near.zarr", "r") as source, local.io("all.zarr", "w") as io:
        io.export(source)
    shutil.rmtree(tmp_path / "far.zarr")
    nwb = local.io("all.zarr", "r").read()
    first, second = nwb.analysis["first one"], nwb.analysis["second one"]
    assert first.attributes["it"] is second
    assert second["a"] is first
    assert [each.object_id for each in nwb.analysis["references"][:]] == [
        first.object_id,
        second.object_id,
        first.object_id,
    ]
    found = nwb.analysis["rows"].data[:]
    assert found["idx_start"].tolist() == [0, 2]
    assert [str(path) for path in found["timeseries"]] == ["/analysis/first one", "/analysis/second one"]
    assert list(nwb.acquisition) == []
    stored = json.loads(under(local, "all.zarr/analysis/rows")["zarr.json"])["attributes"]
    assert stored["_REFERENCE_FIELDS"] == ["timeseries"]
    assert json.loads(under(local, "all.zarr/analysis/references")["zarr.json"])["attributes"]["_DTYPE"] == (
        "object_reference"
    )


def test_what_only_a_reference_leads_to_comes_along(local: Place, tmp_path: Path) -> None:
    """A linked series brings its electrodes, their group and its device, though nothing links them."""
    ephys_store(tmp_path / "raw/ephys.zarr")
    near = bare_session(tmp_path / "near.zarr")
    near["acquisition"].attrs["_LINKS"] = [link("lfp", "/acquisition/lfp", "../raw/ephys.zarr")]
    with NWBZarrIO(tmp_path / "near.zarr", "r") as source, local.io("all.zarr", "w") as io:
        io.export(source)
    shutil.rmtree(tmp_path / "raw")
    nwb = local.io("all.zarr", "r").read()
    table = nwb.acquisition["lfp"]["electrodes"].attributes["table"]
    assert [str(item) for item in table["location"][:]] == ["CA1"] * 4
    assert table["group"][3]["device"].attributes["manufacturer"] == "by hand"


def test_what_only_a_dataset_of_references_leads_to_comes_along(local: Place, tmp_path: Path) -> None:
    far = bare_session(tmp_path / "far.zarr")
    make_group(far, "acquisition/a", typed("Odd", "ndx-lab", label="a"))
    make_array(far, "acquisition/refs", ["/acquisition/a"], typed("Refs", "ndx-lab", _DTYPE="object_reference"))
    near = bare_session(tmp_path / "near.zarr")
    near["analysis"].attrs["_LINKS"] = [link("refs", "/acquisition/refs", "../far.zarr")]
    with NWBZarrIO(tmp_path / "near.zarr", "r") as source, local.io("all.zarr", "w") as io:
        io.export(source)
    shutil.rmtree(tmp_path / "far.zarr")
    assert local.io("all.zarr", "r").read().analysis["refs"][0].attributes["label"] == "a"


@pytest.mark.parametrize("consolidated", [True, False])
def test_a_session_by_hand_is_exported_whole(local: Place, tmp_path: Path, consolidated: bool) -> None:
    ephys_store(tmp_path / "ephys.zarr", consolidated=consolidated)
    with NWBZarrIO(tmp_path / "ephys.zarr", "r") as source, local.io("all.zarr", "w") as io:
        io.export(source)
    shutil.rmtree(tmp_path / "ephys.zarr")
    check_ephys(local.io("all.zarr", "r").read())
    stored = under(local, "all.zarr")
    assert json.loads(stored["zarr.json"])["attributes"][".specloc"] == "specifications"
    assert all(f"specifications/{name}/{version}/namespace/zarr.json" in stored for name, version in NAMESPACES)


# Refusals: an error, and nothing written.


def refuse(place: Place, source: Path | str, expected: type[NWBZarrError]) -> NWBZarrError:
    """Assert that a session is not exported, and that the place is as it was."""
    before = place.objects()
    with NWBZarrIO(source, "r") as src_io, place.io("all.zarr", "w") as io, pytest.raises(expected) as caught:
        io.export(src_io)
    assert place.objects() == before
    return caught.value


def test_a_dangling_link_is_an_error_and_nothing_is_written(local: Place) -> None:
    names = write_chain(local)
    local.remove(names[0])
    with local.io("all.zarr", "w") as io:
        io.write(session())
    error = refuse(local, f"{local.url}/{names[2]}", DanglingLinkError)
    assert "raw.zarr" in str(error)
    assert local.io("all.zarr", "r").read().identifier == "i"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (link("odd", "/acquisition/nothing", "."), DanglingLinkError),
        (link("odd", "/acquisition/odd", "."), LinkCycleError),
        (link("odd", "/x", "../gone.zarr"), DanglingLinkError),
        (link("odd", "/x", "file:///etc"), TrustError),
        (link("odd", "/x", "http://169.254.169.254/"), TrustError),
        (link("odd", "/x", "simplecache::http://127.0.0.1:9/"), LinkError),
    ],
)
def test_a_link_that_cannot_be_followed_is_an_error_and_nothing_is_written(
    local: Place, tmp_path: Path, entry: dict[str, str], expected: type[NWBZarrError]
) -> None:
    root = bare_session(tmp_path / "a.zarr")
    root["acquisition"].attrs["_LINKS"] = [entry]
    refuse(local, tmp_path / "a.zarr", expected)


def test_a_reference_to_nothing_is_an_error_and_nothing_is_written(local: Place, tmp_path: Path) -> None:
    far = bare_session(tmp_path / "far.zarr")
    make_group(far, "acquisition/a", typed("Odd", "ndx-lab", it=reference("/general/nothing")))
    near = bare_session(tmp_path / "near.zarr")
    near["analysis"].attrs["_LINKS"] = [link("a", "/acquisition/a", "../far.zarr")]
    refuse(local, tmp_path / "near.zarr", ReferenceTargetError)


@pytest.mark.parametrize(
    "name", ["../../../../escaped", "../escaped", "a/../../../escaped", "..", "zarr.json", "nwbzarr.small-chunks"]
)
def test_a_link_whose_name_leaves_the_folder_writes_nothing_outside(local: Place, tmp_path: Path, name: str) -> None:
    """The name of a link becomes a path in the copy: it may not choose where that is."""
    far = bare_session(tmp_path / "src/far.zarr")
    make_group(far, "acquisition/a", typed("Odd", "ndx-lab"))
    make_array(far, "acquisition/a/values", np.arange(3))
    root = bare_session(tmp_path / "src/near.zarr")
    root["acquisition"].attrs["_LINKS"] = [link(name, "/acquisition/a", "../far.zarr")]
    with (
        NWBZarrIO(tmp_path / "src/near.zarr", "r") as src_io,
        local.io("x/y/all.zarr", "w") as io,
        pytest.raises(NWBZarrError),
    ):
        io.export(src_io)
    outside = [path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "src")]
    assert [path for path in outside if path.is_file() or path.name.startswith(("escaped", "values"))] == []


def test_modes_that_make_no_new_store_are_refused(local: Place) -> None:
    with local.io("a.zarr", "w") as io:
        io.write(session())
    with local.io("b.zarr", "w") as io:
        io.write(session())
    with local.io("a.zarr", "r") as source:
        for mode in ("r", "r+"):
            with local.io("b.zarr", mode) as io, pytest.raises(StoreModeError, match="export"):
                io.export(source)
        for mode in ("w-", "x"):
            with pytest.raises(StoreExistsError):
                local.io("b.zarr", mode)


def test_export_onto_itself_or_onto_what_it_links_is_refused(local: Place) -> None:
    names = write_chain(local)
    before = local.objects()
    for name in names:
        with local.io(names[2], "r") as source, local.io(name, "w") as io, pytest.raises(SelfOverwriteError):
            io.export(source)
    assert local.objects() == before


def test_what_is_not_stored_yet_is_refused(local: Place) -> None:
    names = write_chain(local)
    with local.io(names[2], "r+") as source, local.io("all.zarr", "w") as io:
        nwb = source.read()
        nwb.add_scratch(1, name="new", description="d")
        with pytest.raises(SchemaError, match="write it first"):
            io.export(source)
        with pytest.raises(SchemaError, match="write it first"):
            io.export(source, nwb)
        source.write(nwb)
        io.export(source, source.read())
    assert local.io("all.zarr", "r").read().get_scratch("new") == 1


def test_another_session_than_the_one_read_is_refused(local: Place) -> None:
    names = write_chain(local)
    with local.io(names[2], "r") as source, local.io("all.zarr", "w") as io:
        for other in (session(), source.read().copy()):
            with pytest.raises(SchemaError):
                io.export(source, other)
    assert "all.zarr/zarr.json" not in local.objects()


def test_export_replaces_what_is_there(local: Place) -> None:
    names = write_chain(local)
    with local.io("all.zarr", "w") as io:
        io.write(session(acquisition=[TimeSeries("old", data=np.arange(3), unit="V", rate=1.0)]))
    exported = export(local, names[2], "all.zarr")
    assert "old" not in exported.acquisition
    assert not [key for key in local.objects() if "old" in key]


def test_the_report_says_what_was_copied(local: Place) -> None:
    names = write_chain(local)
    with local.io(names[2], "r") as source, local.io("all.zarr", "w") as io:
        report = io.export(source)
    assert report.documents == len([key for key in under(local, "all.zarr") if key.endswith("zarr.json")])
    assert report.chunks > 0
    assert report.url == io.url
    assert nwbzarr.open(io.url.text).identifier == "i"
