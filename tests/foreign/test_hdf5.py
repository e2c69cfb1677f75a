"""HDF5 files, read in place and converted both ways; h5py alone says what they hold."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import h5py
import numpy as np
import pytest

import nwbzarr
from nwbzarr import Manager, Meter, NWBZarrIO
from nwbzarr.errors import (
    ChangedFileError,
    ConversionError,
    HDF5FileError,
    MissingExtraError,
    NotAStoreError,
    NWBZarrError,
    StoreExistsError,
    StoreModeError,
)
from nwbzarr.interop.conversion import compare, convert, explain_conversion
from nwbzarr.stores.connections import locate
from tests.foreign.kitchen import CELLS, differences, make_kitchen, make_other, make_session, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.fixtures import S3Bucket
    from tests.servers.web import WebServer


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_kitchen(tmp_path_factory.mktemp("kitchen") / "kitchen.nwb")


@pytest.fixture(params=["local", "memory", "web", pytest.param("s3", marks=pytest.mark.s3)])
def placed(request: pytest.FixtureRequest, kitchen: Path) -> tuple[str, dict[str, Any] | None]:
    """Give the URL of the kitchen in some kind of place, and the options to reach it."""
    if request.param == "local":
        return str(kitchen), None
    if request.param == "web":
        serve: Callable[[Path], WebServer] = request.getfixturevalue("web_server")
        return f"{serve(kitchen.parent).url}/kitchen.nwb", None
    if request.param == "memory":
        url, options = "memory://foreign/kitchen.nwb", None
    else:
        bucket: S3Bucket = request.getfixturevalue("s3_bucket")
        url, options = f"{bucket.url}/kitchen.nwb", bucket.options
    with fsspec.open(url, "wb", **(options or {})) as target:
        target.write(kitchen.read_bytes())
    return url, options


def opened(place: object, storage_options: dict[str, Any] | None = None) -> Any:
    """Return the open session at a place."""
    return NWBZarrIO(str(place), storage_options=storage_options).session


def datasets(path: Path) -> dict[str, Any]:
    """Return what h5py reads: path of every dataset to its values, texts and references as texts."""
    found: dict[str, Any] = {}
    with h5py.File(path) as file:
        paths: list[str] = []
        file.visititems(lambda name, node: paths.append(name) if isinstance(node, h5py.Dataset) else None)
        for name in paths:
            found[f"/{name}"] = values_of(file[name])
    return found


def values_of(dataset: h5py.Dataset) -> Any:
    if dataset.shape is None:
        return np.zeros(0, dataset.dtype)
    values = dataset[()]
    return named(values, dataset.file)


def named(values: Any, file: h5py.File) -> Any:
    array = np.asarray(values)
    if array.dtype.names:
        return {name: named(array[name], file) for name in array.dtype.names}
    if array.dtype.kind not in "OS":
        return array
    made = np.empty(array.shape, object)
    made.reshape(-1)[...] = [_text(item, file) for item in array.reshape(-1)]
    return made


def _text(item: Any, file: h5py.File) -> str:
    if isinstance(item, h5py.Reference):
        return str(file[item].name) if item else ""
    return str(plain(item, file))


def assert_same(found: Any, wanted: Any, path: str) -> None:
    if isinstance(wanted, dict):
        for name, column in wanted.items():
            assert_same(np.asarray(found)[name], column, f"{path}.{name}")
        return
    found = np.asarray(found)
    assert found.shape == wanted.shape, path
    if wanted.dtype.kind != "O":
        assert found.dtype == wanted.dtype.newbyteorder("="), path
        np.testing.assert_array_equal(found, wanted, path)
    else:
        assert found.tolist() == wanted.tolist(), path


# In place.


def test_every_value_is_read_in_place(placed: tuple[str, dict[str, Any] | None], kitchen: Path) -> None:
    url, options = placed
    session = opened(url, storage_options=options)
    wanted = datasets(kitchen)
    stored = {path for path in session.tree.documents if session.tree.is_array(path)}
    # Objects of several hard links are found by h5py under the first name that it meets.
    assert {path for path in wanted if "hard" not in path} <= stored | {"/acquisition/series/data"}
    for path in stored - {"/scratch/links/through hard"}:
        assert_same(session.dataset(path).data, wanted[path], path)


def test_parts_are_read_in_place(placed: tuple[str, dict[str, Any] | None]) -> None:
    url, options = placed
    nwbfile: Any = nwbzarr.open(url, options)
    series = nwbfile.acquisition["series"]
    np.testing.assert_array_equal(series.data[1234:1300, 3], CELLS[1234:1300, 3])
    np.testing.assert_array_equal(series.data[[5, 6000], :], CELLS[[5, 6000]])
    assert (series.unit, series.rate, series.conversion) == ("V", 1000.0, np.float32(0.5))
    assert series.window(2.5, 2.6).data.shape == (100, 5)
    long = nwbfile.loader.dataset("/scratch/datasets/long").data
    np.testing.assert_array_equal(long[499_990:], np.arange(1_499_970.0, 1_500_000.0).reshape(-1, 3))
    np.testing.assert_array_equal(long[100_000:300_000:70_000, 1], np.arange(300_001.0, 900_000, 210_000))


def test_attributes_are_read_in_place(kitchen: Path) -> None:
    attributes = opened(kitchen).element("/scratch/attributes").attributes
    assert attributes["text"] == "ünïcode"
    assert attributes["i2"] == -3
    assert attributes["u8"] == 2**64 - 1
    assert np.isnan(attributes["nan"])
    assert attributes["bytes"] == "fixed"
    assert list(attributes["fixed texts"]) == ["ab", "c"]


def test_links_and_references_lead_where_they_led(kitchen: Path) -> None:
    session = opened(kitchen)
    series = session.element("/acquisition/series")
    links = session.element("/scratch/links")
    assert links["soft"] is series
    assert links["hard group"] is series
    assert links["hard"] is series["data"]
    np.testing.assert_array_equal(links["external"].data[...], np.arange(7.0))
    with pytest.raises(nwbzarr.errors.LinkError):
        links["dangling"]
    with pytest.raises(NWBZarrError):
        links["external missing"]
    assert session.dataset("/scratch/links/through hard").data == "/acquisition/series/data"
    assert session.dereference(session.tree.attributes("/scratch/attributes")["reference"]) is series


def test_opening_a_remote_file_again_costs_a_round_trip_more_than_a_store(kitchen: Path) -> None:
    data = kitchen.read_bytes()
    fsspec.filesystem("memory").pipe("/foreign/metered.nwb", data)
    meter = Meter()
    manager = Manager(meter=meter)
    nwbfile = nwbzarr.open("memory://foreign/metered.nwb", manager=manager)
    # The root document and the sidecar of a store, which are not there; the file's first bytes and its kept index.
    assert meter.total == 4
    meter.reset()
    nwbfile.acquisition["series"].data[:400, :2]
    assert meter.total == 1


def test_a_link_leads_to_an_hdf5_file(kitchen: Path, tmp_path: Path) -> None:
    raw_io = NWBZarrIO(kitchen)
    raw = raw_io.read()
    processed = raw.copy()
    processed.add_scratch(np.arange(3), name="found", description="what was found")
    with NWBZarrIO(tmp_path / "processed.nwb.zarr", "w", manager=raw_io.manager) as io:
        report = io.write(processed)
    assert report.links
    again: Any = nwbzarr.open(tmp_path / "processed.nwb.zarr")
    np.testing.assert_array_equal(again.acquisition["series"].data[:], CELLS)
    assert again.acquisition["series"].stored_at.url == locate(kitchen)
    assert again.scratch["found"].data[2] == 2


@pytest.mark.parametrize("mode", ["r+", "a", "w", "w-"])
def test_an_hdf5_file_is_not_written_to(tmp_path: Path, mode: str) -> None:
    path = make_session(tmp_path / "raw.nwb")
    before = path.read_bytes()
    with pytest.raises(NWBZarrError):
        NWBZarrIO(path, mode).write(nwbzarr.open(path).copy())
    assert path.read_bytes() == before


@pytest.mark.parametrize("part", ["contiguous i4", "chunked i4", "truth"])
def test_a_file_that_was_changed_is_noticed(tmp_path: Path, part: str) -> None:
    path = make_kitchen(tmp_path / "raw.nwb")
    manager = Manager()
    nwbzarr.open(path, manager=manager)
    with h5py.File(path, "a") as file:
        file[f"scratch/datasets/{part}"][5] = 0
        file["scratch/datasets"].create_dataset("more", data=np.arange(10_000))
    with pytest.raises(ChangedFileError, match="changed"):
        nwbzarr.open(path, manager=manager)
    assert opened(path).dataset("/scratch/datasets/more").data[9_999] == 9_999


def test_a_file_that_is_changed_while_a_session_reads_it(tmp_path: Path) -> None:
    path = make_kitchen(tmp_path / "raw.nwb")
    long = opened(path).dataset("/scratch/datasets/long").data
    assert long[0, 0] == 0.0
    with h5py.File(path, "a") as file:
        file["scratch/datasets/long"][7] = -1.0
    with pytest.raises(ChangedFileError, match="changed"):
        long[:10]


def test_what_other_processes_read_by_travels(kitchen: Path) -> None:
    session = opened(kitchen)
    for path in ("/acquisition/series/data", "/scratch/datasets/lzf", "/scratch/texts/many", "/scratch/datasets/long"):
        lazy = session.dataset(path).data
        travelled = pickle.loads(pickle.dumps(lazy.portable))  # noqa: S301 - made a moment ago
        box = tuple(slice(0, size) for size in lazy.shape)
        np.testing.assert_array_equal(travelled.read(box), lazy[...])
        np.testing.assert_array_equal(lazy.to_dask().compute(scheduler="processes", num_workers=1), lazy[...])


@pytest.mark.parametrize("userblock", [512, 2048])
def test_a_user_block_comes_before_the_file(tmp_path: Path, userblock: int) -> None:
    path = make_session(tmp_path / "raw.nwb", userblock_size=userblock)
    with h5py.File(path, "a") as file:
        file.create_dataset("acquisition/chunked", data=CELLS, chunks=(500, 2), compression="gzip")
        file.create_dataset("acquisition/contiguous", data=CELLS)
    session = opened(path)
    np.testing.assert_array_equal(session.dataset("/acquisition/chunked").data[...], CELLS)
    np.testing.assert_array_equal(session.dataset("/acquisition/contiguous").data[...], CELLS)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_every_version_of_the_format(tmp_path: Path, libver: str) -> None:
    path = make_kitchen(tmp_path / "raw.nwb", libver=libver)
    session = opened(path)
    wanted = datasets(path)
    for name in ("/scratch/datasets/cube", "/scratch/datasets/checked", "/scratch/datasets/grows"):
        assert_same(session.dataset(name).data, wanted[name], name)


# Converted.


def test_a_round_trip_is_equal(kitchen: Path, tmp_path: Path) -> None:
    store, back = tmp_path / "kitchen.nwb.zarr", kitchen.with_name("back.nwb")
    report = convert(kitchen, store)
    assert report.url == locate(store)
    assert list(compare(kitchen, store)) == []
    convert(store, back)
    assert list(compare(kitchen, back)) == []
    assert differences(kitchen, back) == []


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("target", ["local", "memory", pytest.param("s3", marks=pytest.mark.s3)])
def test_a_converted_store_holds_the_same(
    kitchen: Path, tmp_path: Path, target: str, request: pytest.FixtureRequest, *, keep: bool
) -> None:
    options = None
    if target == "s3":
        bucket: S3Bucket = request.getfixturevalue("s3_bucket")
        place, options = f"{bucket.url}/kitchen.nwb.zarr", bucket.options
    else:
        place = (
            str(tmp_path / "kitchen.nwb.zarr") if target == "local" else f"memory://foreign/{tmp_path.name}.nwb.zarr"
        )
    convert(kitchen, place, storage_options=options, keep_chunks=keep)
    session = opened(place, storage_options=options)
    wanted = datasets(kitchen)
    for path in session.tree.documents:
        if session.tree.is_array(path) and path != "/scratch/links/through hard":
            assert_same(session.dataset(path).data, wanted[path], path)
    series = session.element("/acquisition/series")
    assert series["data"].data.chunks == ((500, 2) if keep else (6001, 5))
    assert session.tree.documents["/acquisition/series/data"]["attributes"]["_ARRAY_DIMENSIONS"] == [
        "num_times",
        "num_DIM2",
    ]


def test_external_links_of_a_converted_store_lead_to_the_file(kitchen: Path, tmp_path: Path) -> None:
    convert(kitchen, tmp_path / "deeper" / "kitchen.nwb.zarr")
    session = opened(tmp_path / "deeper" / "kitchen.nwb.zarr")
    np.testing.assert_array_equal(session.element("/scratch/links")["external"].data[...], np.arange(7.0))


def test_a_plan_is_shown_and_nothing_is_written(kitchen: Path, tmp_path: Path) -> None:
    for name in ("kitchen.nwb.zarr", "back.nwb"):
        shown = explain_conversion(kitchen, tmp_path / name)
        assert "/acquisition/series/data" in str(shown)
    assert list(tmp_path.iterdir()) == []


def test_a_conversion_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    path = make_session(tmp_path / "raw.nwb")
    values = np.random.default_rng(1).integers(-9, 9, (600_000, 64)).astype(np.int16)
    with h5py.File(path, "a") as file:
        file.create_dataset("acquisition/long", data=values, chunks=(20_000, 64))
    place = "memory://foreign/resumed.nwb.zarr"

    class Cut(Exception):  # noqa: N818 - what pulls the plug
        pass

    def cut(_: object) -> None:
        raise Cut

    with pytest.raises(Cut):
        convert(
            path,
            place,
            progress=cut,
            resume=True,
            layouts={"/acquisition/long": {"shards": (40_000, 64), "chunks": (20_000, 64)}},
        )
    with pytest.raises(NWBZarrError):
        nwbzarr.open(place)
    convert(path, place, resume=True, layouts={"/acquisition/long": {"shards": (40_000, 64), "chunks": (20_000, 64)}})
    np.testing.assert_array_equal(opened(place).dataset("/acquisition/long").data[...], values)


# Bad input.


@pytest.mark.parametrize("to", ["store.nwb.zarr", "other.h5"])
def test_what_is_there_is_replaced_only_when_asked(kitchen: Path, tmp_path: Path, to: str) -> None:
    convert(kitchen, tmp_path / to) if to.endswith("zarr") else convert(make_other(tmp_path / "x.nwb"), tmp_path / to)
    with pytest.raises(StoreExistsError):
        convert(make_session(tmp_path / "y.nwb"), tmp_path / to)
    convert(make_session(tmp_path / "y.nwb"), tmp_path / to, mode="w")
    assert nwbzarr.open(tmp_path / to).identifier == "kitchen"


@pytest.mark.parametrize("mode", ["r", "r+", "a", "wb"])
def test_converting_makes_something_new(kitchen: Path, tmp_path: Path, mode: str) -> None:
    with pytest.raises(StoreModeError, match="mode"):
        convert(kitchen, tmp_path / "x.nwb.zarr", mode=mode)


@pytest.mark.parametrize(
    "option", [{"keep_chunks": True}, {"resume": True}, {"layouts": {"/x": {}}}, {"storage_options": {"a": 1}}]
)
def test_options_of_stores_are_refused_for_files(kitchen: Path, tmp_path: Path, option: dict[str, Any]) -> None:
    with pytest.raises(StoreModeError, match=next(iter(option))):
        convert(kitchen, tmp_path / "x.nwb", **option)


def test_an_hdf5_file_is_written_to_a_disk(kitchen: Path) -> None:
    with pytest.raises(StoreModeError, match="local"):
        convert(kitchen, "memory://foreign/x.nwb")


@pytest.mark.parametrize("keep", [0, 8, 100, 3000, 20_000, 60_000])
def test_a_file_that_is_cut_off(kitchen: Path, tmp_path: Path, keep: int) -> None:
    path = tmp_path / "cut.nwb"
    path.write_bytes(kitchen.read_bytes()[:keep])
    for place in (str(path), f"memory://foreign/cut{keep}.nwb"):
        if place.startswith("memory"):
            fsspec.filesystem("memory").pipe(f"/foreign/cut{keep}.nwb", path.read_bytes())
        with pytest.raises((HDF5FileError, NotAStoreError)) as caught:
            nwbzarr.open(place)
        assert str(locate(place)) in str(caught.value) or place in str(caught.value)
        with pytest.raises((HDF5FileError, NotAStoreError)):
            convert(place, tmp_path / "x.nwb.zarr")
    assert not (tmp_path / "x.nwb.zarr").exists()


def test_a_file_that_is_no_hdf5(tmp_path: Path) -> None:
    (tmp_path / "text.nwb").write_text("no HDF5 at all" * 1000)
    with pytest.raises(NotAStoreError, match="HDF5"):
        nwbzarr.open(tmp_path / "text.nwb")


@pytest.mark.parametrize(
    ("dtype", "word"),
    [(h5py.vlen_dtype("i4"), "VLEN"), (h5py.regionref_dtype, "REFERENCE"), ("V5", "OPAQUE"), ("g", "FLOAT")],
)
def test_a_type_without_a_stored_form(tmp_path: Path, dtype: Any, word: str) -> None:
    path = make_session(tmp_path / "raw.nwb")
    with h5py.File(path, "a") as file:
        file.create_dataset("scratch/strange", (3,), dtype)
    with pytest.raises(ConversionError, match=rf"{word}.*scratch/strange"):
        convert(path, tmp_path / "x.nwb.zarr")
    assert not (tmp_path / "x.nwb.zarr").exists()


def test_text_that_is_no_unicode(tmp_path: Path) -> None:
    path = make_session(tmp_path / "raw.nwb")
    with h5py.File(path, "a") as file:
        file.create_dataset("scratch/latin", data=np.array([b"B\xe4r"]))
    with pytest.raises(ConversionError, match=r"UTF-8.*latin"):
        convert(path, tmp_path / "x.nwb.zarr")


def test_a_reference_to_something_removed(tmp_path: Path) -> None:
    path = make_kitchen(tmp_path / "raw.nwb")
    with h5py.File(path, "a") as file:
        lost = file.create_group("scratch/lost")
        file.create_dataset("scratch/leads", data=lost.ref, dtype=h5py.ref_dtype)
        del file["scratch/lost"]
    with pytest.raises(ConversionError, match=r"nowhere.*leads"):
        convert(path, tmp_path / "x.nwb.zarr")


def test_links_to_stores_are_not_written_to_hdf5(tmp_path: Path) -> None:
    convert(make_kitchen(tmp_path / "raw.nwb"), tmp_path / "raw.nwb.zarr")
    raw_io = NWBZarrIO(tmp_path / "raw.nwb.zarr")
    with NWBZarrIO(tmp_path / "derived.nwb.zarr", "w", manager=raw_io.manager) as io:
        io.write(raw_io.read().copy())
    with pytest.raises(ConversionError, match="export"):
        convert(tmp_path / "derived.nwb.zarr", tmp_path / "derived.nwb")
    assert not (tmp_path / "derived.nwb").exists()
    assert not list(tmp_path.glob(".*partial"))


# Differences.


@pytest.mark.parametrize(
    ("part", "value"),
    [("acquisition/series/data", 7), ("scratch/texts/ragged", "other"), ("scratch/datasets/long", -1.0)],
)
def test_the_first_difference_is_named(kitchen: Path, tmp_path: Path, part: str, value: Any) -> None:
    other = tmp_path / "kitchen.nwb"
    other.write_bytes(kitchen.read_bytes())
    with h5py.File(other, "a") as file:
        file[part][1] = value
        file["acquisition"].attrs["new"] = 1
    found = list(compare(kitchen, other))
    assert [difference.path for difference in found] == ["/acquisition", f"/{part}"]
    assert "values[1" in found[-1].what
    assert "'new'" in found[0].what


# Filters that are not there.


def make_filtered(path: Path) -> Path:
    """Write a dataset whose chunks say that they went through a filter that nobody has."""
    make_session(path)
    with h5py.File(path, "a") as file:
        created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        created.set_chunk((100_000,))
        created.set_filter(31_999, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple((200_000,))
        group = file.create_group("scratch/far")
        made = h5py.h5d.create(group.id, b"away", h5py.h5t.NATIVE_INT16, space, created)
        for start in (0, 100_000):
            made.write_direct_chunk((start,), np.arange(100_000, dtype="i2").tobytes(), filter_mask=0)
    return path


def test_a_filter_that_is_not_installed_is_named(tmp_path: Path) -> None:
    path = make_filtered(tmp_path / "raw.nwb")
    session = opened(path)
    assert session.nwbfile().identifier == "kitchen"
    with pytest.raises(MissingExtraError, match=r"31999.*hdf5plugin.*/scratch/far/away"):
        session.dataset("/scratch/far/away").data[:10]
    with pytest.raises(MissingExtraError, match="31999"):
        convert(path, tmp_path / "x.nwb.zarr")
    with pytest.raises(NWBZarrError):
        nwbzarr.open(tmp_path / "x.nwb.zarr")


# Files of other writers.

CORPUS = sorted((Path(__file__).parents[3] / "shared" / "data" / "nwb").glob("*.nwb"))


@pytest.mark.skipif(not CORPUS, reason="the files of other writers are not here")
@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_files_of_other_writers(path: Path, tmp_path: Path) -> None:
    in_place, wanted = opened(path), datasets(path)
    for name, values in wanted.items():
        assert_same(in_place.dataset(name).data, values, name)
    convert(path, tmp_path / "a.nwb.zarr")
    assert list(compare(path, tmp_path / "a.nwb.zarr")) == []
    convert(tmp_path / "a.nwb.zarr", tmp_path / "back.nwb")
    assert differences(path, tmp_path / "back.nwb") == []
    problems = [str(problem) for problem in nwbzarr.validate(tmp_path / "a.nwb.zarr")]
    # This one was written without data on purpose; PyNWB's validator says the same.
    assert problems == [] or (path.name == "1.5.1_timeseries_no_data.nwb" and len(problems) == 1)
