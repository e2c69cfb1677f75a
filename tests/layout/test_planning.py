"""Layouts: chunks and shards fit each other and the array, and are of the sizes that were measured to be good."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from zarr.core.buffer.cpu import Buffer
from zarr.storage import MemoryStore

from nwbzarr.convention.documents import array_document, dump_document
from nwbzarr.convention.dtypes import encode_data_type, fill_value
from nwbzarr.errors import LayoutError, MissingExtraError
from nwbzarr.layout.planning import CHUNK_BYTES, SHARD_BYTES, SINGLE_CHUNK_BYTES, ArrayLayout, plan_layout

if TYPE_CHECKING:
    from collections.abc import Sequence

LAW = settings(max_examples=150, deadline=None)

KIB, MIB = 2**10, 2**20

#: Samples of one hour at 30 kHz.
HOUR = 30_000 * 3600

DTYPES = st.sampled_from(["int8", "int16", "uint32", "float32", "float64", "complex128", "bool", "O", "U20"]).map(
    np.dtype
)
SIZES = st.sampled_from([0, 1, 2, 3, 7, 96, 97, 384, 1000, 1024, 65_537]) | st.integers(0, 5000)
SHAPES = st.tuples() | st.tuples(st.sampled_from([0, 1, 5, 1000, 10**5, HOUR, 2**40])).flatmap(
    lambda first: st.lists(SIZES, max_size=3).map(lambda rest: (*first, *rest))
)


def bytes_of(dtype: np.dtype[Any]) -> int:
    """Return the bytes that one value counts as."""
    return 64 if dtype.kind == "O" else dtype.itemsize


def check(layout: ArrayLayout, shape: Sequence[int]) -> None:
    """Check what must hold of every layout."""
    assert len(layout.chunks) == len(shape)
    assert all(chunk >= 1 for chunk in layout.chunks)
    if layout.shards is not None:
        assert len(layout.shards) == len(shape)
        assert all(shard % chunk == 0 for chunk, shard in zip(layout.chunks, layout.shards, strict=True))
    assert layout.objects == (layout.shards or layout.chunks)


def objects_of(layout: ArrayLayout, shape: Sequence[int]) -> int:
    """Return how many objects an array is stored in."""
    return math.prod(math.ceil(size / step) for size, step in zip(shape, layout.objects, strict=True))


# Laws.


@LAW
@given(SHAPES, DTYPES)
def test_planned_layouts_fit(shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    # An array without rows is planned as one that will grow.
    assume(shape[:1] != (0,))
    layout = plan_layout(shape, dtype)
    check(layout, shape)
    assert all(chunk <= max(size, 1) for chunk, size in zip(layout.chunks, shape, strict=True))
    # A shard stands over by less than one chunk, but in time, where samples may be appended.
    for size, chunk, step in [*zip(shape, layout.chunks, layout.objects, strict=True)][1:]:
        assert step < max(size, 1) + chunk
    assert plan_layout(shape, dtype) == layout


@LAW
@given(SHAPES, DTYPES)
def test_chunks_and_shards_are_never_too_large(shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    layout = plan_layout(shape, dtype)
    decoded = math.prod(layout.chunks) * bytes_of(dtype)
    single = layout.chunks == tuple(max(size, 1) for size in shape)
    assert decoded <= (SINGLE_CHUNK_BYTES if single else CHUNK_BYTES)
    if layout.shards is not None:
        assert math.prod(layout.shards) * bytes_of(dtype) <= SHARD_BYTES


@LAW
@given(SHAPES, DTYPES)
def test_small_arrays_are_one_object_without_shards(shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    assume(math.prod(max(size, 1) for size in shape) * bytes_of(dtype) <= SINGLE_CHUNK_BYTES)
    assume(shape[:1] != (0,))
    layout = plan_layout(shape, dtype)
    assert layout.shards is None
    assert objects_of(layout, shape) <= 1


@LAW
@given(SHAPES, DTYPES)
def test_large_arrays_are_stored_in_large_objects(shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    size = math.prod(shape) * bytes_of(dtype)
    assert objects_of(plan_layout(shape, dtype), shape) <= 3 + size / (8 * MIB)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((HOUR, 384), "int16"), ((HOUR,), "int16"), ((HOUR, 1), "float64"), ((HOUR, 97), "int16"), ((10**6, 32), "float32"),
        ((5000, 512, 512), "uint16"), ((1000, 1024, 1024), "uint16"), ((100, 100, 100, 100), "float32"),
        ((3, 20_000_000), "int16"), ((20, 1_000_000), "float64"), ((384, 10_000_000), "int16"), ((1, 10**7), "float32"),
        ((2, 4096, 4096), "float64"), ((10**6,), "O"), ((100, 100_000), "O"),
    ],
)  # fmt: skip
def test_chunks_of_large_arrays_are_neither_tiny_nor_huge(shape: tuple[int, ...], dtype: str) -> None:
    """Whatever the shape: thousands of chunks of some KiB in one shard are slow to find, to read and to write."""
    layout = plan_layout(shape, np.dtype(dtype))
    decoded = math.prod(layout.chunks) * bytes_of(np.dtype(dtype))
    assert 512 * KIB <= decoded <= 4 * MIB


# Electrophysiology.


def test_an_hour_of_384_channels_is_some_hundred_objects() -> None:
    layout = plan_layout((HOUR, 384), np.dtype("int16"))
    assert 100 <= objects_of(layout, (HOUR, 384)) <= 1000
    assert layout.shards is not None
    assert 64 * MIB <= math.prod(layout.shards) * 2 <= 256 * MIB


def test_its_chunks_serve_a_time_window_and_one_channel_alike() -> None:
    time, channels = plan_layout((HOUR, 384), np.dtype("int16")).chunks
    assert 8_000 <= time <= 12_000
    assert channels == 96


@pytest.mark.parametrize("channels", [1, 16, 32, 64, 96, 97, 128, 191, 192, 193, 384, 1024, 5000])
def test_channels_are_cut_into_groups_of_like_size(channels: int) -> None:
    group = plan_layout((HOUR, channels), np.dtype("int16")).chunks[1]
    groups = math.ceil(channels / group)
    assert group <= 96
    assert groups == math.ceil(channels / 96)
    assert groups * group - channels < groups


def test_an_open_ended_array_has_the_layout_of_a_long_one() -> None:
    assert plan_layout((2**40, 384), np.dtype("int16")) == plan_layout((HOUR, 384), np.dtype("int16"))


def test_an_empty_array_that_will_grow_does_not_get_an_object_for_every_row() -> None:
    """Rows appended later go into objects of the shape planned here."""
    layout = plan_layout((0, 384), np.dtype("int16"))
    assert objects_of(layout, (30_000, 384)) <= 30


# Codecs.


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint64"])
def test_integers_are_compressed_by_blosc_zstd_1(dtype: str) -> None:
    *_, codec, _ = plan_layout((HOUR, 384), np.dtype(dtype)).codecs
    assert codec["name"] == "blosc"
    size = np.dtype(dtype).itemsize
    wanted = {"cname": "zstd", "clevel": 1, "shuffle": "bitshuffle" if size <= 2 else "shuffle", "typesize": size}
    assert wanted.items() <= codec["configuration"].items()


@pytest.mark.parametrize(
    ("dtype", "serializer", "compressor"),
    [("float32", "bytes", "blosc"), ("complex64", "bytes", "blosc"), ("bool", "bytes", "blosc"), ("O", "vlen-utf8", "zstd"),
     ("U8", "bytes", "zstd")],
)  # fmt: skip
def test_every_dtype_has_a_serializer_and_a_compressor(dtype: str, serializer: str, compressor: str) -> None:
    layout = plan_layout((10_000,), np.dtype(dtype))
    assert [codec["name"] for codec in layout.codecs] == [serializer, compressor, "crc32c"]


def test_scalars_are_not_compressed() -> None:
    assert [codec["name"] for codec in plan_layout((), np.dtype("float64")).codecs] == ["bytes", "crc32c"]
    assert [codec["name"] for codec in plan_layout((), np.dtype(object)).codecs] == ["vlen-utf8", "crc32c"]


def test_the_caller_s_compressors_take_the_place_of_ours() -> None:
    gzip = {"name": "gzip", "configuration": {"level": 9}}
    assert plan_layout((HOUR,), np.dtype("int16"), compressors=[gzip]).codecs[1:] == (gzip,)
    assert plan_layout((HOUR,), np.dtype("int16"), compressors=[]).codecs[1:] == ()
    assert plan_layout((), np.dtype("int16"), compressors=[gzip]).codecs[1:] == (gzip,)


# The caller's wishes.

SMALL = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 50), st.integers(1, 6)), min_size=1, max_size=3)


@LAW
@given(SMALL)
def test_chunks_and_shards_that_fit_each_other_are_taken(sizes: list[tuple[int, int, int]]) -> None:
    shape, chunks, counts = zip(*sizes, strict=True)
    shards = tuple(chunk * count for chunk, count in zip(chunks, counts, strict=True))
    dtype = np.dtype("int16")
    layout = plan_layout(shape, dtype, chunks=chunks, shards=shards)
    assert (layout.chunks, layout.shards) == (chunks, shards)
    alone = plan_layout(shape, dtype, chunks=list(chunks))
    assert (alone.chunks, alone.shards) == (chunks, None)
    within = plan_layout(shape, dtype, shards=shards)
    assert within.shards == shards
    check(within, shape)


@pytest.mark.parametrize("rows", [32_768, 65_536, 30_000, 90_000, 100_000])
def test_chunks_within_the_caller_s_shards_are_neither_tiny_nor_huge(rows: int) -> None:
    layout = plan_layout((HOUR, 384), np.dtype("int16"), shards=(rows, 384))
    check(layout, (HOUR, 384))
    assert 128 * KIB <= math.prod(layout.chunks) * 2 <= 4 * MIB


@pytest.mark.parametrize(
    ("shape", "wishes"),
    [
        ((100, 4), {"chunks": (10,)}), ((100, 4), {"chunks": (10, 2, 1)}), ((100, 4), {"chunks": ()}),
        ((100, 4), {"chunks": (0, 4)}), ((100, 4), {"chunks": (-1, 4)}), ((), {"chunks": (1,)}),
        ((100, 4), {"shards": (10,)}), ((100, 4), {"shards": (10, 0)}), ((100, 4), {"shards": (10, -4)}),
        ((100, 4), {"chunks": (10, 3), "shards": (100, 4)}), ((100, 4), {"chunks": (20, 4), "shards": (10, 4)}),
        ((100, 4), {"chunks": (7, 4), "shards": (100, 4)}), ((100,), {"chunks": (2.5,)}),
    ],
)  # fmt: skip
def test_chunks_and_shards_that_do_not_fit_are_refused(shape: tuple[int, ...], wishes: dict[str, Any]) -> None:
    with pytest.raises(LayoutError):
        plan_layout(shape, np.dtype("int16"), **wishes)


def test_a_scalar_may_be_given_the_only_layout_it_has() -> None:
    assert plan_layout((), np.dtype("float64"), chunks=()).chunks == ()
    assert plan_layout((), np.dtype("float64"), shards=()).chunks == ()


@pytest.mark.timeout(2)
def test_values_larger_than_a_chunk_get_a_chunk_each() -> None:
    """A long text in a compound makes every row as wide as itself."""
    for shape in ((3,), (3, 2), (3, 2, 2), (3, 1)):
        assert plan_layout(shape, np.dtype("U1000000")).chunks == (1,) * len(shape)


# With zarr.


@pytest.mark.parametrize(
    ("shape", "wishes"),
    [
        ((50, 7), {}),
        ((50, 7), {"chunks": (8, 3)}),
        ((50, 7), {"chunks": (8, 3), "shards": (16, 9)}),
        ((50, 7), {"shards": (20, 7)}),
        ((50, 7), {"chunks": (8, 3), "shards": (64, 9), "compressors": []}),
        ((), {}),
    ],
)
@pytest.mark.parametrize("dtype", ["int16", "float32", "bool", "complex64"])
def test_zarr_takes_our_layouts(shape: tuple[int, ...], wishes: dict[str, Any], dtype: str) -> None:
    values = (np.arange(math.prod(shape)).reshape(shape) % 5).astype(dtype)
    layout = plan_layout(shape, values.dtype, **wishes)
    document = array_document(
        shape=shape,
        data_type=encode_data_type(values.dtype),
        chunk_shape=layout.objects,
        codecs=layout.stored_codecs,
        fill_value=fill_value(values.dtype),
        attributes={},
    )
    held: Any = {"zarr.json": Buffer.from_bytes(dump_document(document))}
    array = zarr.open_array(MemoryStore(held), mode="r+")
    assert (array.chunks, array.shards) == (layout.chunks, layout.shards)
    array[...] = values
    assert np.array_equal(np.asarray(zarr.open_array(MemoryStore(held), mode="r")[...]), values)
    assert len(held) - 1 <= objects_of(layout, shape)


def test_a_codec_whose_package_is_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"nwbzarr\[pcodec\]"):
        plan_layout((10,), np.dtype("int16"), compressors="pcodec")
