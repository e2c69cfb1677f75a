"""Metadata documents: strict JSON that zarr reads, and chunk keys that are zarr's."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.core.buffer.cpu import Buffer
from zarr.storage import MemoryStore

from nwbzarr.convention.documents import (
    array_document,
    chunk_key,
    chunk_shape,
    consolidate,
    dump_document,
    grid_shape,
    group_document,
    parse_document,
)
from nwbzarr.convention.names import key_of
from nwbzarr.errors import DocumentError

LAW = settings(max_examples=60, deadline=None)

BYTES = {"name": "bytes", "configuration": {"endian": "little"}}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('aé☃"\\\n', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=5,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "é", "_LINKS", ""]), JSON, max_size=3)


def refuse_constant(word: str) -> Any:
    """Refuse what Python's parser takes and JSON does not have."""
    message = f"{word} is no JSON"
    raise ValueError(message)


def plain_array(
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    encoding: Any = None,
    inner: tuple[int, ...] | None = None,
    dimension_names: list[str | None] | None = None,
) -> dict[str, Any]:
    """Return the document of an array of bytes."""
    sharding = {"chunk_shape": list(inner or ()), "codecs": [BYTES], "index_codecs": [BYTES], "index_location": "end"}
    document = array_document(
        shape=shape,
        data_type="uint8",
        chunk_shape=chunks,
        codecs=[{"name": "sharding_indexed", "configuration": sharding}] if inner else [BYTES],
        fill_value=0,
        attributes={"unit": "volts"},
        dimension_names=dimension_names,
    )
    return document if encoding is None else {**document, "chunk_key_encoding": encoding}


def store_of(documents: dict[str, dict[str, Any]]) -> tuple[MemoryStore, dict[str, Any]]:
    """Return a zarr store that holds some documents, and what it holds."""
    held: dict[str, Any] = {
        key_of(path, "zarr.json"): Buffer.from_bytes(dump_document(document)) for path, document in documents.items()
    }
    return MemoryStore(held), held


# JSON.


@LAW
@given(OBJECTS)
def test_a_document_is_the_parse_of_its_bytes(attributes: dict[str, Any]) -> None:
    for document in (group_document(attributes), plain_array((3,), (2,)) | {"attributes": attributes}):
        data = dump_document(document)
        assert parse_document(data, "/x", "s3://lab/x") == document
        assert json.loads(data, parse_constant=refuse_constant) == document


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_json_does_not_have_is_never_dumped(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        dump_document(group_document({"a": [value]}))


def test_documents_of_writers_that_are_not_strict_are_read() -> None:
    """hdmf-zarr 0.14 writes NaN as the bare word."""
    data = b'{"zarr_format":3,"node_type":"group","attributes":{"a":NaN,"b":[-Infinity]}}'
    found = parse_document(data, "/", "x")["attributes"]
    assert math.isnan(found["a"])
    assert found["b"] == [-math.inf]


def test_a_document_is_its_own() -> None:
    attributes = {"a": 1}
    document = group_document(attributes)
    attributes["a"] = 2
    assert document["attributes"] == {"a": 1}


def test_a_document_that_is_cut_off_anywhere_is_said_so() -> None:
    data = dump_document(consolidate(group_document({"é": "x"}), {"/a": plain_array((3,), (2,))}))
    for length in range(len(data)):
        with pytest.raises(DocumentError, match="must be JSON") as caught:
            parse_document(data[:length], "/a", "s3://lab/x")
        assert (caught.value.store, caught.value.path) == ("s3://lab/x", "/a")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"null", b"5", b"[]", b'"group"', b"{}", b'{"zarr_format": 3}', b'{"node_type": "group"}',
        b'{"zarr_format": 2, "node_type": "group"}', b'{"zarr_format": "3", "node_type": "group"}',
        b'{"zarr_format": 3, "node_type": "link"}', b'{"zarr_format": 3, "node_type": ["group"]}',
        b'{"zarr_format": 3, "node_type": "group"} x', b"\xff\xfe", b"<html></html>", b'{"a": "\xff"}',
    ],
)  # fmt: skip
def test_what_is_no_zarr_v3_document_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(data, "/x", "s3://lab/x")
    assert (caught.value.store, caught.value.path) == ("s3://lab/x", "/x")


def test_a_document_nested_too_deep_is_refused() -> None:
    with pytest.raises(DocumentError):
        parse_document(b'{"a":' * 100_000, "/x", "s3://lab/x")


# Chunks.

ENCODINGS = [
    None,
    {"name": "default", "configuration": {"separator": "."}},
    {"name": "default", "configuration": {"separator": "/"}},
    {"name": "default"},
    {"name": "v2", "configuration": {"separator": "."}},
    {"name": "v2", "configuration": {"separator": "/"}},
    {"name": "v2"},
]

GRIDS: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...] | None]] = [
    ((), (), None),
    ((1,), (1,), None),
    ((7,), (3,), None),
    ((3,), (7,), None),
    ((5, 4), (2, 4), None),
    ((3, 2, 5), (1, 2, 2), None),
    ((9, 5), (4, 4), (2, 2)),
    ((25,), (2,), None),
]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(("shape", "chunks", "inner"), GRIDS)
def test_chunk_keys_are_those_that_zarr_writes(
    shape: tuple[int, ...], chunks: tuple[int, ...], inner: tuple[int, ...] | None, encoding: Any
) -> None:
    document = plain_array(shape, chunks, encoding, inner)
    store, held = store_of({"/x": document})
    zarr.open_array(store, path="x", mode="r+")[...] = np.ones(shape, "uint8")
    grid = grid_shape(document)
    assert grid is not None
    keys = [chunk_key(document, index) for index in itertools.product(*map(range, grid))]
    assert len(set(keys)) == len(keys)
    assert {f"x/{key}" for key in keys} == set(held) - {"x/zarr.json"}


def test_our_chunk_keys_are_short() -> None:
    """DANDI allows few folders in a path."""
    assert chunk_key(plain_array((9, 9), (1, 1)), (3, 4)) == "c.3.4"
    assert chunk_key(plain_array((), ()), ()) == "c"


def test_an_encoding_may_be_its_name_alone() -> None:
    assert chunk_key(plain_array((9, 9), (1, 1), "default"), (3, 4)) == "c/3/4"
    assert chunk_key(plain_array((9, 9), (1, 1), "v2"), (3, 4)) == "3.4"


@LAW
@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 300)), max_size=4))
def test_the_grid_covers_the_array_and_no_chunk_more(sizes: list[tuple[int, int]]) -> None:
    document = plain_array(tuple(size for size, _ in sizes), tuple(step for _, step in sizes))
    assert chunk_shape(document) == tuple(step for _, step in sizes)
    grid = grid_shape(document)
    assert grid is not None
    for (size, step), count in zip(sizes, grid, strict=True):
        assert count * step >= size
        assert (count - 1) * step < size


@pytest.mark.parametrize(
    "grid", [None, "regular", {}, {"name": "rectilinear", "configuration": {"chunk_shapes": [[1, 2]]}}]
)
def test_grids_that_are_not_regular_have_no_chunk_shape(grid: Any) -> None:
    document = plain_array((3,), (2,)) | {"chunk_grid": grid}
    assert chunk_shape(document) is None
    assert grid_shape(document) is None


# With zarr.


@pytest.mark.parametrize("names", [None, ["time", "channel"], ["time", None]])
def test_zarr_reads_our_array_documents(names: list[str | None] | None) -> None:
    store, _ = store_of({"/x": plain_array((5, 4), (2, 4), dimension_names=names)})
    array = zarr.open_array(store, path="x", mode="r")
    assert (array.shape, array.chunks, array.dtype) == ((5, 4), (2, 4), np.dtype("uint8"))
    assert dict(array.attrs) == {"unit": "volts"}
    found: Any = array.metadata
    assert found.dimension_names == (None if names is None else tuple(names))


def test_zarr_reads_our_consolidated_metadata_and_asks_for_nothing_else() -> None:
    nodes = {
        "/acquisition": group_document({}),
        "/acquisition/x": group_document({"neurodata_type": "TimeSeries"}),
        "/acquisition/x/data": plain_array((5,), (5,)),
        "/a é": plain_array((), ()),
    }
    root = consolidate(group_document({"nwb_version": "2.11.0"}), nodes)
    store, _ = store_of({"/": root})
    group = zarr.open_consolidated(store)
    assert dict(group.attrs) == {"nwb_version": "2.11.0"}
    assert {f"/{path}" for path, _ in group.members(max_depth=None)} == set(nodes)
    assert group["acquisition/x"].attrs["neurodata_type"] == "TimeSeries"
    found = group["acquisition/x/data"]
    assert isinstance(found, zarr.Array)
    assert found.shape == (5,)


def test_consolidating_leaves_the_root_and_the_nodes_as_they_are() -> None:
    root, nodes = (
        group_document({}),
        {"/b": group_document({}), "/a": group_document({"x": 1}), "/a/b": group_document({})},
    )
    made = consolidate(root, nodes)
    assert "consolidated_metadata" not in root
    assert list(made["consolidated_metadata"]["metadata"]) == ["a", "a/b", "b"]
    assert made["consolidated_metadata"]["must_understand"] is False
    assert {f"/{key}": node for key, node in made["consolidated_metadata"]["metadata"].items()} == nodes
