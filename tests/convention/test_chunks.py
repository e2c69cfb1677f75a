"""Bytes of one chunk: the same as zarr's own pipeline makes and reads, and never an array from damaged ones."""

from __future__ import annotations

import contextlib
import itertools
import tracemalloc
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from zarr.core.buffer.cpu import Buffer
from zarr.storage import MemoryStore

import nwbzarr.stores.zarr_arrays  # noqa: F401 - teaches zarr 3.1 the name "struct"
from nwbzarr.convention.chunks import can_decode, decode_chunk, encode_chunk
from nwbzarr.convention.codecs import parse_codecs
from nwbzarr.convention.documents import array_document, chunk_key, dump_document
from nwbzarr.convention.dtypes import encode_data_type, fill_value, parse_data_type
from nwbzarr.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LAW = settings(max_examples=40, deadline=None)

AnyArray = np.ndarray[Any, Any]
Codec = dict[str, Any]

LITTLE: Codec = {"name": "bytes", "configuration": {"endian": "little"}}
BIG: Codec = {"name": "bytes", "configuration": {"endian": "big"}}
TEXT: Codec = {"name": "vlen-utf8"}


def blosc(cname: str, shuffle: str, typesize: int) -> Codec:
    """Return a configuration of Blosc."""
    names = {"typesize": typesize, "cname": cname, "clevel": 1, "shuffle": shuffle, "blocksize": 0}
    return {"name": "blosc", "configuration": names}


def zstd(level: int, *, checksum: bool = False) -> Codec:
    """Return a configuration of Zstandard."""
    return {"name": "zstd", "configuration": {"level": level, "checksum": checksum}}


GZIP: Codec = {"name": "gzip", "configuration": {"level": 1}}

COMPRESSORS: dict[str, list[Codec]] = {
    "plain": [],
    "blosc-bitshuffle": [blosc("zstd", "bitshuffle", 2)],
    "blosc-shuffle": [blosc("lz4", "shuffle", 8)],
    "blosc-noshuffle": [blosc("zlib", "noshuffle", 1)],
    "zstd": [zstd(1)],
    "zstd-checksum": [zstd(3, checksum=True)],
    "gzip": [GZIP],
    "two": [zstd(1), GZIP],
}

NUMBERS = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
           "complex64", "complex128")  # fmt: skip

SPECIAL: dict[str, AnyArray] = {
    "text": np.array([["raw", "", "é☃\U0001f400"], ["a\0", "NaN", " "]], dtype=object),
    "one text": np.array("no comments", dtype=object),
    "empty text": np.array("", dtype=object),
    "fixed text": np.array(["abc", "", "é"]),
    "compound": np.array([(1, 2.5, "ab"), (-3, np.nan, "")], dtype=[("a", "i2"), ("b", "f8"), ("c", "U3")]),
    "one number": np.array(-1.5),
    "one truth": np.array(True),
    "zeros": np.zeros((2, 3), "int16"),
    "not finite": np.array([np.nan, np.inf, -np.inf, -0.0]),
    "fortran text": np.array([["a", "b"], ["c", "d"], ["e", "f"]], dtype=object).T,
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "turned": np.arange(6, dtype="int16")[::-2],
}


def example_of(dtype: str) -> AnyArray:
    """Return an array of some dtype with large, small and negative values."""
    bits = np.frombuffer(np.random.default_rng(0).bytes(6 * np.dtype(dtype).itemsize), np.uint8)
    array: AnyArray = (bits % 2).astype(bool) if dtype == "bool" else np.nan_to_num(bits.view(dtype))
    return array.reshape(2, 3)


ARRAYS: dict[str, AnyArray] = {**{dtype: example_of(dtype) for dtype in NUMBERS}, **SPECIAL}


def codecs_for(array: AnyArray, compressors: Sequence[Codec], serializer: Codec = LITTLE) -> list[Codec]:
    """Return all codecs of an array."""
    return [TEXT if array.dtype.kind == "O" else serializer, *compressors]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let zarr say that text and compounds are no stable data types yet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Chunk:
    """One array of one chunk, in a store that zarr reads and writes."""

    def __init__(self, array: AnyArray, codecs: list[Codec]) -> None:
        self.codecs = codecs
        self.document = array_document(
            shape=array.shape,
            data_type=encode_data_type(array.dtype),
            chunk_shape=array.shape,
            codecs=codecs,
            fill_value=fill_value(array.dtype),
            attributes={},
        )
        self.key = f"x/{chunk_key(self.document, (0,) * array.ndim)}"
        self.held: Any = {"x/zarr.json": Buffer.from_bytes(dump_document(self.document))}

    def read_with_zarr(self, data: bytes) -> AnyArray:
        """Return what zarr makes of our bytes."""
        self.held[self.key] = Buffer.from_bytes(data)
        with quiet():
            return np.asarray(zarr.open_array(MemoryStore(self.held), path="x", mode="r")[...])

    def write_with_zarr(self, array: AnyArray) -> bytes:
        """Return the bytes that zarr makes."""
        with quiet():
            opened = zarr.open_array(MemoryStore(self.held), path="x", mode="r+")
            target = opened.with_config({"write_empty_chunks": True})
            # zarr 3.1 writes texts in the order of memory.
            target[...] = array.copy(order="C")
        data: bytes = self.held[self.key].to_bytes()
        return data

    def decode(self, data: bytes) -> AnyArray:
        """Return what we make of some bytes."""
        dtype = parse_data_type(self.document["data_type"])
        assert can_decode(self.codecs, dtype)
        assert dtype is not None
        return decode_chunk(data, self.codecs, dtype, tuple(self.document["shape"]), "/x")


def assert_same(found: AnyArray, wanted: AnyArray) -> None:
    """Check that two arrays hold the same."""
    assert found.shape == wanted.shape
    if wanted.dtype.kind == "O":
        assert found.tolist() == wanted.tolist()
    else:
        assert found.dtype == wanted.dtype.newbyteorder("=")
        assert (
            found.astype(found.dtype.newbyteorder("<")).tobytes()
            == wanted.astype(wanted.dtype.newbyteorder("<")).tobytes()
        )


# Against zarr.


@pytest.mark.parametrize("compressors", COMPRESSORS)
@pytest.mark.parametrize("name", ARRAYS)
def test_zarr_and_we_read_each_other(name: str, compressors: str) -> None:
    array = ARRAYS[name]
    chunk = Chunk(array, codecs_for(array, COMPRESSORS[compressors]))
    assert_same(chunk.read_with_zarr(encode_chunk(array, chunk.codecs)), array)
    assert_same(chunk.decode(chunk.write_with_zarr(array)), array)


@pytest.mark.parametrize("compressors", ["plain", "blosc-bitshuffle", "blosc-shuffle", "blosc-noshuffle", "zstd"])
@pytest.mark.parametrize(
    "name", ["int16", "float64", "complex128", "text", "fixed text", "compound", "one number", "zeros"]
)
def test_the_bytes_are_those_of_zarr(name: str, compressors: str) -> None:
    """Gzip is left out: its header holds the time."""
    array = ARRAYS[name]
    chunk = Chunk(array, codecs_for(array, COMPRESSORS[compressors]))
    assert encode_chunk(array, chunk.codecs) == chunk.write_with_zarr(array)


def test_a_checksum_that_the_codecs_ask_for_is_there() -> None:
    array = ARRAYS["int16"]
    chunk = Chunk(array, [LITTLE, zstd(1, checksum=True)])
    assert encode_chunk(array, chunk.codecs) == chunk.write_with_zarr(array)


@pytest.mark.parametrize("name", ["int16", "float64", "complex128", "uint8", "fixed text"])
def test_the_byte_order_that_the_codec_names_is_kept(name: str) -> None:
    array = ARRAYS[name]
    chunk = Chunk(array, [BIG, zstd(1)])
    data = encode_chunk(array, chunk.codecs)
    assert_same(chunk.read_with_zarr(data), array)
    assert_same(chunk.decode(data), array)
    assert_same(chunk.decode(chunk.write_with_zarr(array)), array)
    swapped = array.astype(array.dtype.newbyteorder(">"))
    assert encode_chunk(swapped, chunk.codecs) == data


VALUES = st.sampled_from(NUMBERS).flatmap(lambda dtype: npst.arrays(dtype, npst.array_shapes(max_dims=3, max_side=4)))
TEXTS = npst.arrays(
    object, npst.array_shapes(max_dims=2, max_side=3), elements=st.text(st.characters(codec="utf-8"), max_size=5)
)


@LAW
@given(VALUES | TEXTS, st.sampled_from(sorted(COMPRESSORS)))
def test_zarr_and_we_read_each_other_whatever_the_values(array: AnyArray, compressors: str) -> None:
    chunk = Chunk(array, codecs_for(array, COMPRESSORS[compressors]))
    assert_same(chunk.read_with_zarr(encode_chunk(array, chunk.codecs)), array)
    assert_same(chunk.decode(chunk.write_with_zarr(array)), array)


@settings(max_examples=100, deadline=None)
@given(VALUES | TEXTS, st.sampled_from(sorted(COMPRESSORS)), st.sampled_from([LITTLE, BIG]))
def test_decoding_undoes_encoding(array: AnyArray, compressors: str, serializer: Codec) -> None:
    codecs = codecs_for(array, COMPRESSORS[compressors], serializer)
    assert_same(decode_chunk(encode_chunk(array, codecs), codecs, array.dtype, array.shape, "/x"), array)


def test_a_compound_with_gaps_is_stored_without_them() -> None:
    """Its data type has no place for gaps, so readers expect none; C structs and h5py have them."""
    array = np.array([(1, 2.5), (-3, np.nan)], dtype=np.dtype([("a", "i1"), ("b", "f8")], align=True))
    assert array.dtype.itemsize == 16
    chunk = Chunk(array, [LITTLE])
    data = encode_chunk(array, chunk.codecs)
    assert len(data) == 2 * 9
    for found in (chunk.read_with_zarr(data), chunk.decode(data)):
        assert found["a"].tolist() == [1, -3]
        assert np.array_equal(found["b"], array["b"], equal_nan=True)


def test_what_was_decoded_can_be_changed() -> None:
    found = decode_chunk(encode_chunk(np.arange(3), [LITTLE]), [LITTLE], np.dtype("int64"), (3,), "/x")
    found[0] = 7
    assert found.tolist() == [7, 1, 2]


# What is ours.


@pytest.mark.parametrize("compressors", COMPRESSORS)
def test_codecs_in_the_table_are_ours(compressors: str) -> None:
    assert can_decode([LITTLE, *COMPRESSORS[compressors]], np.dtype("int16"))
    assert can_decode([TEXT, *COMPRESSORS[compressors]], np.dtype(object))


@pytest.mark.parametrize(
    "codecs",
    [
        None, {}, [], "bytes", ["bytes"], [None], [{}], [[]], [{"name": None}], [TEXT], [GZIP], [GZIP, LITTLE],
        [LITTLE, {"name": "numcodecs.lz4"}], [{"name": "transpose"}, LITTLE], [LITTLE, "gzip"],
        [{"name": "sharding_indexed", "configuration": {"chunk_shape": [1], "codecs": [LITTLE], "index_codecs": [LITTLE]}}],
        [LITTLE, {"name": "numcodecs.pcodec", "configuration": {}}], [{"name": ["bytes"]}], [LITTLE, {"name": ["gzip"]}],
    ],
)  # fmt: skip
def test_other_codecs_are_zarr_s(codecs: Any) -> None:
    assert not can_decode(codecs, np.dtype("int16"))


def test_data_types_that_only_zarr_knows_are_zarr_s() -> None:
    assert not can_decode([LITTLE], None)
    assert not can_decode([LITTLE], np.dtype(object))


# Damage.


def damaged(data: bytes) -> Iterator[bytes]:
    """Yield bytes with a part cut off, with more at the end, and with each of some bits turned."""
    yield from (data[:length] for length in range(0, len(data), max(len(data) // 30, 1)))
    yield from (data + b"\0", data + data, b"", b"\0" * len(data), b"\xff" * len(data))
    for index, bit in itertools.product(range(0, len(data), max(len(data) // 40, 1)), (0, 3, 7)):
        yield data[:index] + bytes([data[index] ^ 1 << bit]) + data[index + 1 :]


@pytest.mark.parametrize("compressors", COMPRESSORS)
def test_damaged_bytes_are_an_array_of_the_same_shape_or_a_document_error(compressors: str) -> None:
    array = np.arange(60, dtype="int32").reshape(3, 20)
    codecs = [LITTLE, *COMPRESSORS[compressors]]
    for data in damaged(encode_chunk(array, codecs)):
        try:
            found = decode_chunk(data, codecs, array.dtype, array.shape, "/x")
        except DocumentError:
            continue
        assert found.shape == array.shape
        assert found.dtype == array.dtype


@pytest.mark.parametrize("compressors", COMPRESSORS)
def test_bytes_that_are_cut_off_are_said_so_with_their_place(compressors: str) -> None:
    for array in (np.arange(60.0), np.array(["some text"] * 5, dtype=object)):
        codecs = codecs_for(array, COMPRESSORS[compressors])
        data = encode_chunk(array, codecs)
        for length in (0, 1, len(data) // 2, len(data) - 1):
            with pytest.raises(DocumentError) as caught:
                decode_chunk(data[:length], codecs, array.dtype, array.shape, "/general/x")
            assert caught.value.path == "/general/x"


def test_a_blosc_header_that_claims_less_than_nothing_is_a_document_error() -> None:
    codecs = [LITTLE, blosc("zstd", "bitshuffle", 8)]
    data = bytearray(encode_chunk(np.arange(100.0), codecs))
    data[7] |= 0x80
    with pytest.raises(DocumentError):
        decode_chunk(bytes(data), codecs, np.dtype("float64"), (100,), "/x")


def test_texts_that_are_no_unicode_are_a_document_error() -> None:
    with pytest.raises(DocumentError):
        decode_chunk(b"\x01\0\0\0\x02\0\0\0\xff\xfe", [TEXT], np.dtype(object), (1,), "/x")


def test_a_number_of_texts_that_cannot_be_there_takes_no_memory() -> None:
    """Four bytes may claim 2**32 texts, which is 32 GiB before the first is read."""
    claimed = 2**24
    tracemalloc.start()
    try:
        with pytest.raises(DocumentError):
            decode_chunk(claimed.to_bytes(4, "little") + bytes(8), [TEXT], np.dtype(object), (2,), "/x")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.parametrize("shape", [(5,), (7,), (2, 2), (), (6, 2)])
def test_bytes_of_another_shape_are_a_document_error(shape: tuple[int, ...]) -> None:
    for array in (np.arange(6.0), np.array(["x"] * 6, dtype=object)):
        codecs = codecs_for(array, [])
        with pytest.raises(DocumentError):
            decode_chunk(encode_chunk(array, codecs), codecs, array.dtype, shape, "/x")


@pytest.mark.parametrize(
    "codec",
    [{"name": "blosc"}, {"name": "blosc", "configuration": {"cname": "zstd", "clevel": 1, "shuffle": "x"}},
     {"name": "blosc", "configuration": None}, {"name": "zstd", "configuration": None},
     {"name": "zstd", "configuration": {"level": "x"}}, {"name": "gzip", "configuration": []}],
)  # fmt: skip
def test_codecs_set_up_wrongly_are_zarr_s_or_a_document_error(codec: Codec) -> None:
    codecs = [LITTLE, codec]
    if can_decode(codecs, np.dtype("float64")):
        with pytest.raises(DocumentError):
            decode_chunk(b"damaged", codecs, np.dtype("float64"), (1,), "/x")


# Some rows.


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 900),
    st.integers(1, 40),
    st.sampled_from(["int16", "uint8", "float64", "bool"]),
    st.sampled_from(["bitshuffle", "shuffle", "noshuffle"]),
    st.sampled_from([0, 1024, 4096, 8192]),
    st.sampled_from(["zstd", "lz4", "blosclz"]),
    st.data(),
)
def test_some_rows_are_those_of_the_whole(
    rows: int, columns: int, dtype: str, shuffle: str, block: int, name: str, draw: st.DataObject
) -> None:
    array = np.random.default_rng(rows * columns).integers(0, 5, (rows, columns)).astype(dtype)
    configuration = {"cname": name, "clevel": 1, "shuffle": shuffle, "blocksize": block, "typesize": array.itemsize}
    codec = parse_codecs([LITTLE, {"name": "blosc", "configuration": configuration}, {"name": "crc32c"}], array.dtype)
    assert codec is not None
    start = draw.draw(st.integers(0, rows - 1))
    stop = draw.draw(st.integers(start + 1, rows))
    found = codec.decode_rows(codec.encode(array), array.shape, slice(start, stop))
    assert found is None or np.array_equal(found, array[start:stop])
