"""What nwbzarr writes hdmf-zarr reads to equal values, and the other way round; zarr, xarray and JSON are judges too."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr

import nwbzarr
from nwbzarr import NWBZarrIO, TimeSeries
from nwbzarr.errors import SchemaError
from tests.peers.sessions import (
    RAW,
    RESULT,
    SHARED,
    SHARING,
    SMALL,
    TABLES,
    Facts,
    array,
    derive,
    describe,
    describe_tables,
    documents_of,
    element,
    numpy_of,
    object_ids,
    strict_json,
    with_processed,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.peers.conftest import Study
    from tests.peers.environment import Peer

#: The peer finds no link below /scratch, not even one that it wrote itself; ScratchData of the store itself it finds.
_LOST_BY_PEER = ("scratch/",)

#: What hdmf and pynwb say about any store: of fields that are set, and of zarr itself.
_OF_ANY_STORE = ("DeprecationWarning: The '", "ZarrUserWarning: Consolidated metadata")


def seen_by_peer(facts: Facts) -> Facts:
    """Return the facts of a linked session without those that the peer loses."""
    return {
        **facts,
        "series": {path: value for path, value in facts["series"].items() if not path.startswith(_LOST_BY_PEER)},
        "scratch": {},
    }


def own_warnings(warnings: list[str]) -> list[str]:
    """Return warnings without those that any store gets."""
    return [warning for warning in warnings if not warning.startswith(_OF_ANY_STORE)]


# What nwbzarr writes.


@pytest.mark.peers
@pytest.mark.parametrize(("name", "facts"), [("raw", RAW), ("sharing", SHARING)])
def test_hdmf_zarr_reads_every_value_of_our_session(
    study: Callable[..., Study], ours: Path, name: str, facts: Facts
) -> None:
    assert study(ours / f"{name}.nwb.zarr").facts == facts


@pytest.mark.peers
def test_hdmf_zarr_reads_our_processed_session_through_its_links(study: Callable[..., Study], ours: Path) -> None:
    assert study(ours / "processed.nwb.zarr").facts == seen_by_peer(with_processed(RAW))


@pytest.mark.peers
def test_hdmf_zarr_reads_our_scratch_session_through_its_links(study: Callable[..., Study], ours: Path) -> None:
    found = dict(study(ours / "scratch.nwb.zarr").facts)
    scratch = found.pop("scratch")
    wanted = seen_by_peer(with_processed(RAW))
    wanted.pop("scratch")
    assert found == wanted
    assert scratch["result"] == RESULT
    assert scratch["rows"]["data"]["values"] == [[1, "ä"], [2, "öü"]]
    assert set(scratch) == {"result", "rows"}


@pytest.mark.peers
def test_hdmf_zarr_reads_our_complex_numbers(look: Callable[..., Any], tmp_path: Path) -> None:
    data = array(np.array([1 + 2j, complex(0.0, -0.5), complex("nan")]))
    facts = {**SMALL, "scratch": {"spectrum": {"data": data, "notes": "complex"}}}
    write(facts, tmp_path / "complex.nwb.zarr")
    assert describe(nwbzarr.open(tmp_path / "complex.nwb.zarr")) == facts
    assert look(tmp_path / "complex.nwb.zarr")["facts"] == facts


#: Names that mean something to one file system, URL or chunk grid or another.
_ODD_NAMES = (
    "c",
    "c.0",
    "zarr",
    "a.b",
    "ä ö",
    "100%",
    "q?x#y",
    "%2e%2e",
    "specifications",
    "-",
    "~x",
    "[a*]",
    "x|y",
)


@pytest.mark.peers
def test_names_that_mean_something_elsewhere_are_only_names(
    peer: Peer, look: Callable[..., Any], tmp_path: Path
) -> None:
    series = {f"acquisition/{name}": {**RAW["series"]["analysis/mean"], "unit": name} for name in _ODD_NAMES}
    facts = {**SMALL, "series": {**SMALL["series"], **series}}
    raw, processed, theirs = (tmp_path / name / "session.nwb.zarr" for name in ("raw", "processed", "theirs"))
    write(facts, raw)
    derive(raw, processed)
    peer.run("write_session", path=theirs, session=facts, shared=SHARED)
    assert describe(nwbzarr.open(raw)) == describe(nwbzarr.open(theirs)) == facts
    assert describe(nwbzarr.open(processed)) == with_processed(facts)
    assert look(raw)["facts"] == facts


@pytest.mark.peers
@pytest.mark.parametrize("name", ["a:b", "a::b", "12:30"])
def test_a_name_that_hdmf_zarr_cannot_read_is_not_written(look: Callable[..., Any], tmp_path: Path, name: str) -> None:
    store = tmp_path / "colon.nwb.zarr"
    facts = {**SMALL, "series": {f"acquisition/{name}": RAW["series"]["analysis/mean"]}}
    try:
        write(facts, store)
    except SchemaError:
        assert not store.exists()
        return
    assert look(store)["facts"] == facts


@pytest.mark.peers
@pytest.mark.parametrize("field", ["keywords", "experimenter", "related_publications", "was_generated_by"])
def test_a_list_without_texts_is_a_list_of_texts_all_the_same(peer: Peer, tmp_path: Path, field: str) -> None:
    facts = {**SMALL, "file": {**SMALL["file"], field: []}}
    write(facts, tmp_path / "empty.nwb.zarr")
    assert describe(nwbzarr.open(tmp_path / "empty.nwb.zarr"))["file"][field] in ([], None)
    assert peer.run("validate_session", path=tmp_path / "empty.nwb.zarr") == []


@pytest.mark.peers
@pytest.mark.parametrize("name", ["raw", "sharing", "processed", "scratch"])
def test_object_ids_are_the_same_for_hdmf_zarr(study: Callable[..., Study], ours: Path, name: str) -> None:
    wanted = object_ids(nwbzarr.open(ours / f"{name}.nwb.zarr"))
    found = study(ours / f"{name}.nwb.zarr").ids
    if name in ("processed", "scratch"):
        wanted = {path: value for path, value in wanted.items() if path in found or not path.startswith(_LOST_BY_PEER)}
    assert found == wanted


@pytest.mark.peers
def test_linked_containers_keep_their_object_ids_for_hdmf_zarr(study: Callable[..., Study], ours: Path) -> None:
    raw, processed = (study(ours / f"{name}.nwb.zarr").ids for name in ("raw", "processed"))
    shared = {path for path in raw if path in processed and path != "/"}
    assert shared >= {"acquisition/raw", "general/devices/probe", "general/subject", "processing/behavior"}
    assert {path: processed[path] for path in shared} == {path: raw[path] for path in shared}
    assert processed["/"] != raw["/"]


@pytest.mark.peers
def test_hdmf_zarr_follows_our_links_into_another_folder(look: Callable[..., Any], tmp_path: Path) -> None:
    raw, processed = tmp_path / "day1" / "raw.nwb.zarr", tmp_path / "results" / "a" / "processed.nwb.zarr"
    write(RAW, raw)
    derive(raw, processed)
    assert look(processed)["facts"] == seen_by_peer(with_processed(RAW))


@pytest.mark.peers
def test_hdmf_zarr_follows_our_links_after_all_stores_moved(
    look: Callable[..., Any], ours: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(ours, moved)
    target = tmp_path / "final"
    moved.rename(target)
    assert look(target / "processed.nwb.zarr")["facts"] == seen_by_peer(with_processed(RAW))


@pytest.mark.peers
@pytest.mark.parametrize("name", ["raw", "sharing", "processed", "scratch"])
def test_pynwb_finds_nothing_to_complain_about(study: Callable[..., Study], ours: Path, name: str) -> None:
    assert study(ours / f"{name}.nwb.zarr").complaints == []


@pytest.mark.peers
@pytest.mark.parametrize("name", ["raw", "sharing", "processed", "scratch"])
def test_pynwb_has_no_warning_that_it_does_not_have_for_stores_of_its_own(
    study: Callable[..., Study], ours: Path, theirs: Path, name: str
) -> None:
    assert own_warnings(study(theirs / "room.nwb.zarr").warnings) == []
    assert own_warnings(study(ours / f"{name}.nwb.zarr").warnings) == []


@pytest.mark.peers
def test_every_node_of_ours_says_what_theirs_says(ours: Path, theirs: Path) -> None:
    """Types, defaults, fixed attributes, dimensions and links are the peer's, word for word."""
    found, wanted = (_essentials(folder / "sharing.nwb.zarr") for folder in (ours, theirs))
    assert found == wanted


def _essentials(store: Path) -> dict[str, Any]:
    """Return what the documents of a store say, without what may differ between two that hold the same."""
    return {
        path: {
            "data_type": document.get("data_type"),
            "shape": document.get("shape"),
            "attributes": _attributes(document["attributes"]),
        }
        for path, document in documents_of(store).items()
        if not path.startswith("specifications")
    }


def _attributes(attributes: Facts) -> Facts:
    links = sorted(map(json.dumps, (dict(sorted(link.items())) for link in attributes.get("_LINKS", ()))))
    own = ("object_id", "_DTYPE", ".specloc", "_LINKS")
    # As JSON, where 1 is not 1.0.
    return {"links": links, **{name: json.dumps(value) for name, value in attributes.items() if name not in own}}


@pytest.mark.peers
@pytest.mark.parametrize("step", ["grow", "export"])
def test_nwbzarr_reads_our_store_after_hdmf_zarr_worked_on_it(peer: Peer, tmp_path: Path, step: str) -> None:
    raw = tmp_path / "raw.nwb.zarr"
    target = raw if step == "grow" else tmp_path / "exported.nwb.zarr"
    write(RAW, raw)
    peer.run("derive_session", step=step, source=raw, target=target)
    found = describe(nwbzarr.open(target))
    if step == "grow":
        added = found["series"].pop("acquisition/added")
        assert added["data"]["values"] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert found == RAW


@pytest.mark.peers
def test_hdmf_zarr_derives_a_session_from_ours(peer: Peer, look: Callable[..., Any], tmp_path: Path) -> None:
    raw, derived = tmp_path / "raw.nwb.zarr", tmp_path / "derived.nwb.zarr"
    write(RAW, raw)
    peer.run("derive_session", step="copy", source=raw, target=derived)
    session = nwbzarr.open(derived)
    found = describe(session)
    assert found["modules"].pop("theirs") == "made by the peer"
    assert found["series"].pop("processing/theirs/derived")["data"]["values"] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert found == RAW
    assert object_ids(session)["acquisition/raw"] == look(raw)["ids"]["acquisition/raw"]


# Other judges of what nwbzarr writes.


@pytest.mark.peers
@pytest.mark.parametrize("consolidated", [True, False])
@pytest.mark.parametrize("name", ["raw", "processed", "scratch"])
def test_a_newer_zarr_reads_every_array_as_ours_does(peer: Peer, ours: Path, name: str, consolidated: bool) -> None:
    found = peer.run("open_arrays", path=ours / f"{name}.nwb.zarr", consolidated=consolidated)
    arrays = dict(_arrays(ours / f"{name}.nwb.zarr"))
    assert set(found) == set(arrays)
    for path, values in arrays.items():
        wanted = np.asarray(values)
        if wanted.dtype.names is None:
            np.testing.assert_array_equal(numpy_of(found[path]["values"]), wanted, err_msg=path)
        else:
            assert [tuple(row) for row in found[path]["values"]] == wanted.tolist(), path


@pytest.mark.peers
@pytest.mark.parametrize("name", ["raw", "sharing", "processed", "scratch"])
def test_xarray_opens_every_array(peer: Peer, ours: Path, name: str) -> None:
    paths = [path for path, _ in _arrays(ours / f"{name}.nwb.zarr")]
    groups = sorted({path.rpartition("/")[0] for path in paths})
    opened = peer.run("open_datasets", path=ours / f"{name}.nwb.zarr", groups=groups)
    if opened is None:
        pytest.skip("the peers' environment has no xarray")
    assert {group: failure for group, failure in opened["failures"].items() if failure} == {}
    assert set(opened["paths"]) >= set(paths)


@pytest.mark.parametrize("name", ["raw", "sharing", "processed", "scratch"])
def test_every_document_is_strict_json(ours: Path, name: str) -> None:
    documents = sorted((ours / f"{name}.nwb.zarr").rglob("zarr.json"))
    assert len(documents) > 10
    for document in documents:
        assert strict_json(document.read_text())["zarr_format"] == 3, document


@pytest.mark.parametrize("name", ["raw", "sharing", "processed", "scratch"])
def test_the_root_document_says_what_every_node_says(ours: Path, name: str) -> None:
    store = ours / f"{name}.nwb.zarr"
    root = json.loads((store / "zarr.json").read_text())
    scattered = {
        path.parent.relative_to(store).as_posix(): json.loads(path.read_text()) for path in store.rglob("*/zarr.json")
    }
    scattered.pop(".", None)
    assert root["consolidated_metadata"]["metadata"] == scattered


def test_nwbzarr_reads_its_own_sessions_to_equal_values(ours: Path) -> None:
    assert describe(nwbzarr.open(ours / "raw.nwb.zarr")) == RAW
    assert describe(nwbzarr.open(ours / "sharing.nwb.zarr")) == SHARING
    assert describe(nwbzarr.open(ours / "processed.nwb.zarr")) == with_processed(RAW)


# What hdmf-zarr writes.


@pytest.mark.peers
@pytest.mark.parametrize(("name", "facts"), [("sharing", SHARING), ("tables", RAW), ("scattered", RAW), ("room", RAW)])
def test_nwbzarr_reads_every_value_of_their_session(
    study: Callable[..., Study], theirs: Path, name: str, facts: Facts
) -> None:
    store = theirs / f"{name}.nwb.zarr"
    session, seen = nwbzarr.open(store), study(store, tables=name in ("tables", "scattered"))
    assert describe(session) == seen.facts == facts
    found = object_ids(session)
    assert {path: found[path] for path in seen.ids} == seen.ids


@pytest.mark.peers
def test_models_of_devices_are_no_devices(peer: Peer, tmp_path: Path) -> None:
    store = tmp_path / "models.nwb.zarr"
    peer.run("write_session", path=store, session=SMALL, shared=SHARED, models={"model": "a maker"})
    session = nwbzarr.open(store)
    assert list(session.devices) == ["a model"]
    assert list(session.copy().devices) == ["a model"]
    model = session.devices["a model"]["model"]
    assert (model.neurodata_type, model.attributes["manufacturer"]) == ("DeviceModel", "a maker")
    assert model is element(session, "general/devices/models/model")


@pytest.mark.peers
@pytest.mark.parametrize("name", ["tables", "scattered"])
def test_nwbzarr_reads_their_tables_as_they_do(study: Callable[..., Study], theirs: Path, name: str) -> None:
    assert study(theirs / f"{name}.nwb.zarr", tables=True).tables == TABLES
    assert describe_tables(nwbzarr.open(theirs / f"{name}.nwb.zarr")) == TABLES


@pytest.mark.peers
def test_nwbzarr_reads_a_type_that_only_one_lab_knows(theirs: Path) -> None:
    room = element(nwbzarr.open(theirs / "unsigned.nwb.zarr"), "general/room")
    assert (room.neurodata_type, room.namespace) == ("LabRoom", "ndx-rooms")
    assert room.attributes["number"] == 7
    assert np.isnan(room.attributes["noise"])
    assert np.asarray(room["lights"].data).tolist() == [0.5, 2.0]


@pytest.mark.peers
def test_a_session_of_ours_linked_to_theirs_is_read_by_both(
    look: Callable[..., Any], theirs: Path, tmp_path: Path
) -> None:
    processed = tmp_path / "out" / "processed.nwb.zarr"
    derive(theirs / "room.nwb.zarr", processed)
    assert describe(nwbzarr.open(processed)) == with_processed(RAW)
    assert look(processed)["facts"] == seen_by_peer(with_processed(RAW))


@pytest.mark.peers
def test_a_session_of_ours_linked_to_theirs_takes_the_cached_namespaces_along(
    peer: Peer, theirs: Path, tmp_path: Path
) -> None:
    processed = tmp_path / "processed.nwb.zarr"
    derive(theirs / "room.nwb.zarr", processed)
    found = peer.ask("validate_session", path=processed)
    assert found.result == []
    assert own_warnings(found.warnings) == []
    root = zarr.open_group(processed, mode="r")
    assert root.attrs[".specloc"] == "specifications"
    assert "ndx-rooms/0.1.0/ndx-rooms.extensions" in root["specifications"]  # type: ignore[operator]


@pytest.mark.peers
@pytest.mark.parametrize(
    ("name", "facts", "tables", "derived"),
    [
        ("sharing", SHARING, None, False),
        ("sharing", SHARING, None, True),
        ("tables", RAW, TABLES, False),
        ("tables", RAW, TABLES, True),
        ("scattered", RAW, TABLES, False),
    ],
)
def test_an_export_of_theirs_stands_alone_for_both(
    peer: Peer,
    look: Callable[..., Any],
    theirs: Path,
    tmp_path: Path,
    name: str,
    facts: Facts,
    tables: Facts | None,
    derived: bool,
) -> None:
    folder, exported = tmp_path / "before", tmp_path / "exported.nwb.zarr"
    shutil.copytree(theirs / f"{name}.nwb.zarr", folder / f"{name}.nwb.zarr")
    source = folder / f"{name}.nwb.zarr"
    if derived:
        derive(source, folder / "derived.nwb.zarr")
        source = folder / "derived.nwb.zarr"
    with NWBZarrIO(source) as io, NWBZarrIO(exported, "w") as out:
        out.export(io)
    ids = object_ids(nwbzarr.open(source))
    shutil.rmtree(folder)
    wanted = with_processed(facts) if derived else facts
    session = nwbzarr.open(exported)
    assert describe(session) == wanted
    assert object_ids(session) == ids
    found = look(exported, tables=tables is not None)
    assert (found["facts"], found["tables"]) == (wanted, tables)
    if tables is not None:
        assert describe_tables(session) == tables
    assert peer.run("validate_session", path=exported) == []


@pytest.mark.peers
def test_references_that_an_export_wrote_anew_are_right_for_both(
    look: Callable[..., Any], theirs: Path, tmp_path: Path
) -> None:
    processed, exported = tmp_path / "processed.nwb.zarr", tmp_path / "exported.nwb.zarr"
    derive(theirs / "tables.nwb.zarr", processed)
    longer = "irregular, under a name that is longer than before"
    for path in (processed / "zarr.json", processed / "acquisition" / "zarr.json"):
        text = path.read_text()
        assert text.count('"name":"irregular"') == 1
        path.write_text(text.replace('"name":"irregular"', f'"name":"{longer}"'))
    with NWBZarrIO(processed) as io, NWBZarrIO(exported, "w") as out:
        out.export(io)
    wanted = json.loads(json.dumps(TABLES).replace("acquisition/irregular", f"acquisition/{longer}"))
    assert describe_tables(nwbzarr.open(exported)) == wanted
    assert look(exported, tables=True)["tables"] == wanted


@pytest.mark.peers
def test_an_export_of_theirs_with_nan_in_an_attribute_is_strict_json(theirs: Path, tmp_path: Path) -> None:
    exported = tmp_path / "exported.nwb.zarr"
    with NWBZarrIO(theirs / "unsigned.nwb.zarr") as io, NWBZarrIO(exported, "w") as out:
        out.export(io)
    for document in exported.rglob("zarr.json"):
        strict_json(document.read_text())
    assert np.isnan(element(nwbzarr.open(exported), "general/room").attributes["noise"])


@pytest.mark.peers
def test_a_session_of_theirs_derived_by_them_is_read_by_nwbzarr(peer: Peer, theirs: Path, tmp_path: Path) -> None:
    derived = tmp_path / "derived.nwb.zarr"
    peer.run("derive_session", step="copy", source=theirs / "tables.nwb.zarr", target=derived)
    session = nwbzarr.open(derived)
    found = describe(session)
    assert found["modules"].pop("theirs") == "made by the peer"
    assert found["series"].pop("processing/theirs/derived")["unit"] == "m"
    assert found == RAW
    assert describe_tables(session) == TABLES


@pytest.mark.peers
@pytest.mark.parametrize("name", ["tables", "room"])
def test_what_nwbzarr_adds_to_their_session_is_seen_by_both(
    peer: Peer, look: Callable[..., Any], theirs: Path, tmp_path: Path, name: str
) -> None:
    store = tmp_path / "grown.nwb.zarr"
    shutil.copytree(theirs / f"{name}.nwb.zarr", store)
    with NWBZarrIO(store, "r+") as io:
        session = io.read()
        session.add_acquisition(TimeSeries("added", data=[1.0, 2.0], unit="m", rate=2.0))
        session.create_processing_module("later", "added too")
        io.write(session)
    found, seen = describe(nwbzarr.open(store)), look(store)["facts"]
    assert found == seen
    assert found["series"].pop("acquisition/added")["data"]["values"] == [1.0, 2.0]
    assert found["modules"].pop("later") == "added too"
    assert found == RAW
    assert peer.run("validate_session", path=store) == []


@pytest.mark.peers
def test_both_add_to_one_session_in_turns(peer: Peer, look: Callable[..., Any], theirs: Path, tmp_path: Path) -> None:
    store = tmp_path / "grown.nwb.zarr"
    shutil.copytree(theirs / "tables.nwb.zarr", store)
    _append_electrode(store, 4)
    peer.run("derive_session", step="grow", source=store, target=store)
    _append_electrode(store, 5)
    wanted = json.loads(json.dumps(TABLES))
    for index in (4, 5):
        for values, value in zip(wanted["electrodes"].values(), [index, "DG", "shank0", 1.5], strict=True):
            values.append(value)
    session, found = nwbzarr.open(store), look(store, tables=True)
    assert (describe_tables(session), found["tables"]) == (wanted, wanted)
    assert describe(session) == found["facts"]
    assert found["facts"]["series"].pop("acquisition/added")["data"]["values"] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert found["facts"] == RAW


def _append_electrode(store: Path, index: int) -> None:
    with NWBZarrIO(store, "r+") as io:
        session = io.read()
        row = {
            "id": index,
            "location": "DG",
            "group": "/general/extracellular_ephys/shank0",
            "group_name": "shank0",
            "depth": 1.5,
        }
        for name, value in row.items():
            session.electrodes[name].append([value])
        io.write(session)


@pytest.mark.peers
@pytest.mark.s3
@pytest.mark.slow
def test_hdmf_zarr_reads_our_session_on_s3(look: Callable[..., Any], s3_bucket: Any) -> None:
    url = f"{s3_bucket.url}/day1/raw.nwb.zarr"
    write(SMALL, url, storage_options=s3_bucket.options)
    assert look(url, storage_options=s3_bucket.options)["facts"] == SMALL


@pytest.mark.peers
@pytest.mark.slow
def test_hdmf_zarr_reads_our_session_from_a_web_server(
    look: Callable[..., Any], tmp_path: Path, web_server: Callable[[Path], Any]
) -> None:
    write(SMALL, tmp_path / "small.nwb.zarr")
    assert look(f"{web_server(tmp_path).url}/small.nwb.zarr", storage_options={})["facts"] == SMALL


# What the tests above share.


def _arrays(store: Path) -> Iterator[tuple[str, Any]]:
    """Yield every array of a store with its path, as our zarr reads it; compounds as nwbzarr does."""
    session = nwbzarr.open(store)
    for document in sorted(store.rglob("zarr.json")):
        path = document.parent.relative_to(store).as_posix()
        if json.loads(document.read_text())["node_type"] == "array":
            if "specifications" not in path:
                yield path, element(session, path).data
            else:
                yield path, zarr.open_array(document.parent, mode="r")[...]
