"""Stores of Zarr v2, as hdmf-zarr wrote them before 0.14; made here by hand, key by key."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import numcodecs
import numpy as np
import pytest

import nwbzarr
from nwbzarr import NWBZarrIO
from nwbzarr.errors import ConversionError, DocumentError, NWBZarrError, StoreModeError
from tests.places import KINDS, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.places import Place

CELLS = np.random.default_rng(2).integers(-99, 99, (250, 3)).astype("<i2")
STAMP = "2023-01-05T12:00:00+00:00"


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place_of(request.param, request, tmp_path) as made:
        yield made


class Legacy:
    """Objects of a store in the older form."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.metadata: dict[str, Any] = {}

    def group(self, path: str, **attributes: Any) -> None:
        self._document(path, ".zgroup", {"zarr_format": 2})
        self._document(path, ".zattrs", attributes)

    def array(
        self, path: str, values: np.ndarray[Any, Any], chunks: tuple[int, ...], attributes: dict[str, Any], **entry: Any
    ) -> None:
        """Add an array; `entry` has compressor, filters and order as ``.zarray`` has them."""
        described = {
            "zarr_format": 2, "shape": list(values.shape), "chunks": list(chunks), "order": "C", "compressor": None,
            "filters": None, "fill_value": 0, "dtype": _dtype(values.dtype), **entry,
        }  # fmt: skip
        self._document(path, ".zarray", described)
        self._document(path, ".zattrs", attributes)
        for index in np.ndindex(*(-(-size // step) for size, step in zip(values.shape, chunks, strict=True))):
            chunk = np.zeros(chunks, values.dtype)
            part = values[tuple(slice(at * step, (at + 1) * step) for at, step in zip(index, chunks, strict=True))]
            chunk[tuple(map(slice, part.shape))] = part
            data: Any = chunk.ravel(order=described["order"]) if values.dtype.kind != "O" else chunk
            for codec in described["filters"] or ():
                data = numcodecs.get_codec(dict(codec)).encode(data)
            if described["compressor"]:
                data = numcodecs.get_codec(dict(described["compressor"])).encode(data)
            self.objects[f"{path}/{'.'.join(map(str, index)) or '0'}".lstrip("/")] = bytes(
                np.ascontiguousarray(data).data
            )

    def text(self, path: str, text: str, codec: str = "vlen-utf8") -> None:
        values = np.array([text], object)
        self.array(path, values, (1,), {"zarr_dtype": "scalar"}, filters=[OBJECTS[codec].get_config()])

    def store(self, place: Place, name: str = "old.nwb.zarr", *, consolidated: bool = True) -> str:
        objects = {f"{name}/{key}": data for key, data in self.objects.items()}
        objects |= {f"{name}/{key}": json.dumps(entry).encode() for key, entry in self.metadata.items()}
        if consolidated:
            whole = {"zarr_consolidated_format": 1, "metadata": self.metadata}
            objects[f"{name}/.zmetadata"] = json.dumps(whole).encode()
        place.put(objects)
        return f"{place.url}/{name}"

    def _document(self, path: str, name: str, document: Any) -> None:
        self.metadata[f"{path}/{name}".lstrip("/")] = document


OBJECTS = {
    "vlen-utf8": numcodecs.VLenUTF8(),
    "json2": numcodecs.JSON(),
    "msgpack2": numcodecs.MsgPack(),
    "pickle": numcodecs.Pickle(),
}


def _dtype(dtype: np.dtype[Any]) -> Any:
    return (
        "|O"
        if dtype.kind == "O"
        else dtype.str
        if dtype.names is None
        else [[name, dtype[name].str] for name in dtype.names]
    )


def reference(path: str) -> dict[str, Any]:
    return {"source": ".", "path": path, "object_id": "x", "source_object_id": "y"}


def make_legacy(codec: str = "json2") -> Legacy:
    """Return a session of the older form with everything it has."""
    made = Legacy()
    root = {"namespace": "core", "neurodata_type": "NWBFile", "nwb_version": "2.6.0", "object_id": "a"}
    made.group("", **root)
    for path in ("acquisition", "analysis", "general", "processing", "stimulus", "scratch", "acquisition/cells"):
        made.group(path)
    made.metadata["acquisition/cells/.zattrs"] = {
        "namespace": "core", "neurodata_type": "TimeSeries", "object_id": "b", "comments": "c", "description": "d",
    }  # fmt: skip
    for name, text in (("identifier", "old"), ("session_description", "söme"), ("session_start_time", STAMP)):
        made.text(name, text, codec)
    made.text("timestamps_reference_time", STAMP, codec)
    stamps = np.array([STAMP], object)
    made.array("file_create_date", stamps, (1,), {"zarr_dtype": "utf8"}, filters=[OBJECTS[codec].get_config()])
    units = {"unit": "V", "conversion": 1.0, "resolution": -1.0, "offset": 0.0, "zarr_dtype": "int16"}
    blosc = numcodecs.Blosc(cname="lz4", clevel=5, shuffle=1).get_config()
    made.array("acquisition/cells/data", CELLS, (100, 2), units, compressor=blosc)
    rate = {"rate": 1000.0, "unit": "seconds", "zarr_dtype": "scalar"}
    made.array("acquisition/cells/starting_time", np.array([2.5]), (1,), rate)
    fortran = {"zarr_dtype": "float64"}
    zlib = numcodecs.Zlib(3).get_config()
    made.array("scratch/fortran", np.arange(60.0).reshape(10, 6), (4, 6), fortran, order="F", compressor=zlib)
    big = np.arange(9, dtype=">i4")
    made.array("scratch/big", big, (4,), {"zarr_dtype": "int32"}, filters=[{"id": "shuffle", "elementsize": 4}])
    masks = np.zeros(5, [("x", "<u4"), ("weight", "<f4")])
    masks["weight"] = 0.5
    made.array(
        "scratch/masks",
        masks,
        (5,),
        {"zarr_dtype": [{"name": "x", "dtype": "uint32"}, {"name": "weight", "dtype": "float32"}]},
    )
    made.array("scratch/truth", np.array([True, False]), (2,), {"zarr_dtype": "bool"}, fill_value=False)
    references = np.array([reference("/acquisition/cells"), reference("/general")], object)
    made.array(
        "scratch/references", references, (2,), {"zarr_dtype": "object"}, filters=[OBJECTS["json2"].get_config()]
    )
    links = [{"name": "cells", "source": ".", "path": "/acquisition/cells", "object_id": "b"}]
    made.group(
        "scratch/links", zarr_link=links, main={"zarr_dtype": "object", "value": reference("/acquisition/cells")}
    )
    return made


def check(session: Any) -> None:
    nwbfile = session.nwbfile()
    assert nwbfile.identifier == "old"
    assert nwbfile.session_description == "söme"
    cells = nwbfile.acquisition["cells"]
    np.testing.assert_array_equal(cells.data[...], CELLS)
    np.testing.assert_array_equal(cells.data[90:150, 1], CELLS[90:150, 1])
    assert (cells.rate, cells.starting_time, cells.unit) == (1000.0, 2.5, "V")
    np.testing.assert_array_equal(session.dataset("/scratch/fortran").data[...], np.arange(60.0).reshape(10, 6))
    np.testing.assert_array_equal(session.dataset("/scratch/big").data[...], np.arange(9))
    np.testing.assert_array_equal(session.dataset("/scratch/masks").data[...]["weight"], np.full(5, 0.5))
    assert session.dataset("/scratch/truth").data[...].tolist() == [True, False]
    assert session.dataset("/scratch/references").data[...].tolist() == ["/acquisition/cells", "/general"]
    assert session.element("/scratch/links")["cells"] is cells
    assert session.dereference(session.tree.attributes("/scratch/links")["main"]) is cells


@pytest.mark.parametrize("codec", ["vlen-utf8", "json2", "msgpack2"])
@pytest.mark.parametrize("consolidated", [True, False])
def test_an_older_store_opens(place: Place, codec: str, *, consolidated: bool) -> None:
    url = make_legacy(codec).store(place, consolidated=consolidated)
    check(NWBZarrIO(url, storage_options=place.options).session)


def test_an_older_store_is_converted(place: Place) -> None:
    url = make_legacy().store(place)
    new = f"{place.url}/new.nwb.zarr"
    nwbzarr.convert(url, new, storage_options=place.options, source_options=place.options)
    session = NWBZarrIO(new, storage_options=place.options).session
    check(session)
    assert not session.is_read_only
    assert list(nwbzarr.compare(url, new, storage_options=place.options)) == []


def test_links_across_stores_lead_where_they_led(place: Place) -> None:
    make_legacy().store(place)
    derived = make_legacy()
    links = [{"name": "far", "source": "../old.nwb.zarr", "path": "/acquisition/cells"}]
    derived.group("acquisition", zarr_link=links)
    url = derived.store(place, "derived.nwb.zarr")
    session: Any = NWBZarrIO(url, storage_options=place.options).session
    np.testing.assert_array_equal(session.element("/acquisition")["far"].data[...], CELLS)


def test_what_other_processes_read_by_travels(place: Place) -> None:
    session: Any = NWBZarrIO(make_legacy().store(place), storage_options=place.options).session
    for path in ("/acquisition/cells/data", "/scratch/fortran", "/scratch/references"):
        lazy = session.dataset(path).data
        travelled = pickle.loads(pickle.dumps(lazy.portable))  # noqa: S301 - made a moment ago
        np.testing.assert_array_equal(travelled.read([slice(0, size) for size in lazy.shape]), lazy[...])


def test_an_older_store_is_not_written_to(tmp_path: Path) -> None:
    with place_of("local", None, tmp_path) as place:  # type: ignore[arg-type]  # asked for S3 only
        url = make_legacy().store(place)
        before = place.objects()
        for mode in ("r+", "a", "w", "w-"):
            with pytest.raises(NWBZarrError):
                NWBZarrIO(url, mode).write(nwbzarr.open(url).copy())
        assert place.objects() == before
        with pytest.raises(StoreModeError, match="convert"):
            NWBZarrIO(url, "r+")


def test_pickle_is_refused(tmp_path: Path) -> None:
    with place_of("local", None, tmp_path) as place:  # type: ignore[arg-type]  # asked for S3 only
        url = make_legacy("pickle").store(place)
        with pytest.raises(ConversionError, match=r"pickle.*/identifier"):
            nwbzarr.open(url)
        with pytest.raises(ConversionError, match="pickle"):
            nwbzarr.convert(url, tmp_path / "new.nwb.zarr")
        assert not (tmp_path / "new.nwb.zarr").exists()


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("acquisition/cells/data/.zarray", {"zarr_format": 2}),
        ("acquisition/cells/data/.zarray", []),
        ("acquisition/cells/.zattrs", {"zarr_link": [{"name": "x"}]}),
        (".zgroup", None),
        ("scratch/big/.zarray", {"zarr_format": 2, "shape": [2], "chunks": [2], "dtype": "strange"}),
    ],
)
@pytest.mark.parametrize("consolidated", [True, False])
def test_damaged_metadata(tmp_path: Path, key: str, entry: Any, *, consolidated: bool) -> None:
    with place_of("local", None, tmp_path) as place:  # type: ignore[arg-type]  # asked for S3 only
        made = make_legacy()
        made.metadata[key] = entry
        if entry is None:
            del made.metadata[key]
        with pytest.raises(NWBZarrError):
            nwbzarr.open(made.store(place, consolidated=consolidated))


def test_a_damaged_chunk(tmp_path: Path) -> None:
    with place_of("local", None, tmp_path) as place:  # type: ignore[arg-type]  # asked for S3 only
        made = make_legacy()
        made.objects["scratch/references/0"] = b"no json"
        session: Any = NWBZarrIO(made.store(place)).session
        with pytest.raises(DocumentError, match="references"):
            session.dataset("/scratch/references").data[...]
        check_rest: Any = session.dataset("/acquisition/cells/data").data
        np.testing.assert_array_equal(check_rest[...], CELLS)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"metadata": 5}', b'{"metadata": {".zgroup": 5}}'])
def test_damaged_consolidated_metadata(tmp_path: Path, text: bytes) -> None:
    with place_of("local", None, tmp_path) as place:  # type: ignore[arg-type]  # asked for S3 only
        place.put({"old.nwb.zarr/.zmetadata": text})
        with pytest.raises(DocumentError):
            nwbzarr.open(f"{place.url}/old.nwb.zarr")
