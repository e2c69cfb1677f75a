"""The chunk index that is kept beside a file, and sessions that link to such files."""

from __future__ import annotations

import json
import os
import warnings
from typing import TYPE_CHECKING, Any

import fsspec
import h5py
import numpy as np
import pytest
import zarr

import nwbzarr
from nwbzarr import Manager, Meter, NWBZarrIO
from nwbzarr.errors import ChangedFileError, DocumentError, StoreModeError, TrustError
from nwbzarr.foreign.references import dump_index, parse_index
from tests.foreign.kitchen import CELLS, make_kitchen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers.fixtures import S3Bucket
    from tests.servers.web import WebServer

PATHS = ("/acquisition/series/data", "/scratch/datasets/long", "/scratch/datasets/lzf", "/scratch/compounds/rows")


def test_a_kept_index_says_the_same(tmp_path: Path) -> None:
    path = make_kitchen(tmp_path / "raw.nwb")
    fresh: Any = NWBZarrIO(path).session
    report = nwbzarr.write_index(path)
    assert report.url.path == f"{path}.refs.json"
    assert report.nodes == len(fresh.tree.documents)
    assert report.nbytes == (tmp_path / "raw.nwb.refs.json").stat().st_size
    kept: Any = NWBZarrIO(path).session
    assert kept.tree.documents == fresh.tree.documents
    assert kept.store.keys.index.chunks == fresh.store.keys.index.chunks
    for path_ in PATHS:
        np.testing.assert_array_equal(kept.dataset(path_).data[...], fresh.dataset(path_).data[...])


def test_opening_with_a_kept_index_reads_nothing_of_the_file(tmp_path: Path) -> None:
    data = make_kitchen(tmp_path / "raw.nwb").read_bytes()
    url = f"memory://{tmp_path.name}/raw.nwb"
    fsspec.filesystem("memory").pipe(url.removeprefix("memory:/"), data)
    nwbzarr.write_index(url)
    meter = Meter()
    nwbfile = nwbzarr.open(url, manager=Manager(meter=meter))
    assert meter.total == 4
    assert meter.bytes_read < len(data) / 2
    np.testing.assert_array_equal(nwbfile.acquisition["series"].data[...], CELLS)


def test_an_index_is_bound_to_its_file(tmp_path: Path) -> None:
    path = make_kitchen(tmp_path / "raw.nwb")
    nwbzarr.write_index(path)
    with h5py.File(path, "a") as file:
        file["acquisition/series/data"][0] = 0
    with pytest.raises(ChangedFileError, match="nwbzarr index"):
        nwbzarr.open(path)
    nwbzarr.write_index(path)
    assert nwbzarr.open(path).acquisition["series"].data[0, 0] == 0
    os.utime(path, ns=(1, 1))
    with pytest.raises(ChangedFileError):
        nwbzarr.open(path)


def test_other_readers_of_kerchunks_form_take_it(tmp_path: Path) -> None:
    path = make_kitchen(tmp_path / "raw.nwb")
    report = nwbzarr.write_index(path)
    refs = json.loads((tmp_path / "raw.nwb.refs.json").read_text())
    assert refs["version"] == 1
    fs = fsspec.filesystem("reference", fo=report.url.path, remote_protocol="file", asynchronous=True)
    store = zarr.storage.FsspecStore(fs, read_only=True)
    with warnings.catch_warnings():
        # zarr says that numcodecs' codecs are not in its specification.
        warnings.simplefilter("ignore")
        array: Any = zarr.open_group(store, mode="r")["acquisition/series/data"]
        np.testing.assert_array_equal(array[...], CELLS)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"refs": {}}', '{"refs": {".nwbzarr": "{}"}}', '{"refs": 5}', '{"refs": {".nwbzarr": 7}}']
)
def test_a_damaged_index(tmp_path: Path, text: str) -> None:
    path = make_kitchen(tmp_path / "raw.nwb")
    (tmp_path / "raw.nwb.refs.json").write_text(text)
    with pytest.raises(DocumentError, match=r"nwbzarr index.*refs\.json"):
        nwbzarr.open(path)


@pytest.mark.parametrize("key", ["zarr.json", ".nwbzarr", "acquisition/series/data/c.0.0", "identifier/c"])
def test_an_index_with_a_damaged_entry(tmp_path: Path, key: str) -> None:
    path = make_kitchen(tmp_path / "raw.nwb")
    session: Any = NWBZarrIO(path).session
    index = session.store.keys.index
    refs = json.loads(dump_index(index, "x"))
    assert parse_index(json.dumps(refs).encode(), "x").documents == index.documents
    refs["refs"][key] = "base64:?"
    with pytest.raises(DocumentError):
        parse_index(json.dumps(refs).encode(), "x")


def test_a_web_server_takes_no_index(web_server: Callable[[Path], WebServer], tmp_path: Path) -> None:
    make_kitchen(tmp_path / "raw.nwb")
    with pytest.raises(StoreModeError, match="http"):
        nwbzarr.write_index(f"{web_server(tmp_path).url}/raw.nwb")


def make_processed(place: str, options: dict[str, Any] | None, raw: str, manager: Manager) -> None:
    """Write a session that links to a raw one."""
    nwbfile = nwbzarr.open(raw, manager=manager)
    processed = nwbfile.copy()
    processed.add_scratch(np.arange(4.0), name="found", description="what was found")
    with NWBZarrIO(place, "w", manager=manager, storage_options=options) as io:
        assert io.write(processed).links


@pytest.mark.parametrize("kind", ["memory", pytest.param("s3", marks=pytest.mark.s3)])
def test_a_store_links_to_a_file_on_a_web_server(
    kind: str, web_server: Callable[[Path], WebServer], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = make_kitchen(tmp_path / "raw.nwb")
    raw = f"{web_server(tmp_path).url}/raw.nwb"
    place, options = f"memory://{tmp_path.name}/processed.nwb.zarr", None
    if kind == "s3":
        bucket: S3Bucket = request.getfixturevalue("s3_bucket")
        place, options = f"{bucket.url}/processed.nwb.zarr", bucket.options
    make_processed(place, options, raw, Manager(trust={raw.rpartition("/")[0]: {}}))
    # Nobody trusts the web server yet.
    untrusted = nwbzarr.open(place, options)
    assert untrusted.scratch["found"].data[2] == 2
    with pytest.raises(TrustError):
        untrusted.acquisition["series"]
    trusted = nwbzarr.open(place, options, trust={raw.rpartition("/")[0]: {}})
    series = trusted.acquisition["series"]
    np.testing.assert_array_equal(series.data[1000:2000, 2], CELLS[1000:2000, 2])
    np.testing.assert_array_equal(series.to_dask()[:, 1].compute(scheduler="threads"), CELLS[:, 1])
    assert series.window(2.5, 2.51).data.shape == (10, 5)
    # What the file was is not what it is.
    nwbzarr.write_index(path)
    assert series.data[5, 0] == CELLS[5, 0]
    with h5py.File(path, "a") as file:
        file["acquisition/series/data"][...] = 1
        file.create_dataset("scratch/more", data=np.arange(100_000))
    again = nwbzarr.open(place, options, trust={raw.rpartition("/")[0]: {}})
    with pytest.raises(ChangedFileError, match=r"raw\.nwb"):
        again.acquisition["series"]
