"""Data types: Zarr's JSON and NumPy's dtype say the same, and zarr agrees."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.core.buffer.cpu import Buffer
from zarr.storage import MemoryStore

import nwbzarr.stores.zarr_arrays  # noqa: F401 - teaches zarr 3.1 the name "struct"
from nwbzarr.convention.documents import array_document, dump_document
from nwbzarr.convention.dtypes import PLAIN_TYPES, TEXT, dtype_name, encode_data_type, fill_value, parse_data_type
from nwbzarr.errors import DocumentError, FieldTypeError

LAW = settings(max_examples=60, deadline=None)

AnyDtype = np.dtype[Any]

#: Every data type of the Zarr v3 core specification that NumPy has under one name.
NUMBERS = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
           "complex64", "complex128")  # fmt: skip

SIMPLE = st.sampled_from([np.dtype(name) for name in NUMBERS]) | st.integers(1, 9).map(
    lambda width: np.dtype(f"U{width}")
)


def compound(types: list[AnyDtype]) -> AnyDtype:
    """Return a compound of some types."""
    return np.dtype([(f"field {index}", dtype) for index, dtype in enumerate(types)])


COMPOUNDS = st.recursive(
    st.lists(SIMPLE, min_size=1, max_size=4).map(compound),
    lambda inner: st.lists(SIMPLE | inner, min_size=1, max_size=3).map(compound),
    max_leaves=2,
)


def opened(dtype: AnyDtype) -> zarr.Array[Any]:
    """Return an array of some dtype as zarr opens it, with no chunk written."""
    document = array_document(
        shape=[2],
        data_type=encode_data_type(dtype),
        chunk_shape=[2],
        codecs=[
            {"name": "vlen-utf8"} if dtype.kind in "OT" else {"name": "bytes", "configuration": {"endian": "little"}}
        ],
        fill_value=fill_value(dtype),
        attributes={},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return zarr.open_array(MemoryStore({"zarr.json": Buffer.from_bytes(dump_document(document))}), mode="r")


# There and back.


@LAW
@given(SIMPLE | COMPOUNDS)
def test_a_dtype_is_the_parse_of_its_stored_form(dtype: AnyDtype) -> None:
    assert parse_data_type(json.loads(json.dumps(encode_data_type(dtype)))) == dtype


@LAW
@given(SIMPLE | COMPOUNDS)
def test_byte_order_is_the_codec_s_business(dtype: AnyDtype) -> None:
    assert encode_data_type(dtype.newbyteorder(">")) == encode_data_type(dtype)


def test_numbers_go_by_numpy_s_names() -> None:
    assert set(NUMBERS) == PLAIN_TYPES
    assert all(encode_data_type(np.dtype(name)) == name for name in NUMBERS)


@pytest.mark.parametrize("dtype", [np.dtype(object), np.dtypes.StringDType(), np.dtypes.StringDType(na_object=None)])
def test_text_of_any_length_is_string(dtype: AnyDtype) -> None:
    assert encode_data_type(dtype) == "string"
    assert parse_data_type("string") == TEXT
    assert dtype_name(dtype) == "str"


def test_compounds_have_the_public_form() -> None:
    dtype = np.dtype([("id", "u4"), ("name", "U3")])
    fields = [
        {"name": "id", "data_type": "uint32"},
        {"name": "name", "data_type": {"name": "fixed_length_utf32", "configuration": {"length_bytes": 12}}},
    ]
    assert encode_data_type(dtype) == {"name": "struct", "configuration": {"fields": fields}}


def test_compounds_of_older_zarr_are_read() -> None:
    fields = [["id", "uint32"], ["x", "float64"]]
    wanted = np.dtype([("id", "u4"), ("x", "f8")])
    assert parse_data_type({"name": "structured", "configuration": {"fields": fields}}) == wanted


@pytest.mark.parametrize(
    ("dtype", "word"),
    [("float64", "float64"), ("uint8", "uint8"), (">i2", "int16"), ("bool", "bool"), ("complex64", "complex64"), ("O", "str"),
     ("U7", "str")],
)  # fmt: skip
def test_hdmf_s_words(dtype: str, word: str) -> None:
    assert dtype_name(np.dtype(dtype)) == word


# With zarr.


@pytest.mark.parametrize("dtype", [*NUMBERS, "U5", "O"])
def test_zarr_sees_the_dtype_that_we_see(dtype: str) -> None:
    wanted = np.dtype(dtype)
    array = opened(wanted)
    if wanted.kind == "O":
        assert np.asarray(array[...]).tolist() == ["", ""]
    else:
        assert array.dtype == wanted
        assert np.array_equal(np.asarray(array[...]), np.zeros(2, wanted))


@settings(max_examples=25, deadline=None)
@given(COMPOUNDS)
def test_zarr_sees_the_compound_that_we_see(dtype: AnyDtype) -> None:
    array = opened(dtype)
    assert array.dtype == dtype
    assert np.asarray(array[...]).tobytes() == bytes(2 * dtype.itemsize)


@LAW
@given(SIMPLE | COMPOUNDS)
def test_the_fill_value_is_strict_json(dtype: AnyDtype) -> None:
    assert json.loads(json.dumps(fill_value(dtype), allow_nan=False)) == fill_value(dtype)


def test_a_compound_without_any_text_in_its_text_field_is_readable_or_refused() -> None:
    """NumPy makes the field as wide as its longest text: not at all."""
    dtype = np.array([("", 1)], dtype=[("note", "U"), ("n", "i4")]).dtype
    assert dtype["note"].itemsize == 0
    try:
        array = opened(dtype)
    except FieldTypeError:
        return
    assert np.asarray(array[...])["note"].tolist() == ["", ""]


# What is refused.


@pytest.mark.parametrize(
    "dtype",
    [
        "M8[ns]", "m8[s]", "S3", "V4", np.dtype([]), np.dtype([("a", "O")]), np.dtype([("a", "i4", (2,))]),
        np.dtype([("a", "M8[s]")]), np.dtype([("a", [("b", "S2")])]),
        *({np.dtype(np.longdouble), np.dtype(np.clongdouble)} - {np.dtype("float64"), np.dtype("complex128")}),
    ],
)  # fmt: skip
def test_dtypes_without_a_stored_form_are_refused(dtype: Any) -> None:
    with pytest.raises(FieldTypeError):
        encode_data_type(np.dtype(dtype))


@pytest.mark.parametrize(
    "data_type",
    [None, 5, [], ["int8"], {}, "int128", "r16", "bytes", "numpy.datetime64", {"name": "numpy.datetime64", "configuration": {}},
     {"name": "fixed_length_utf32"}, {"name": "fixed_length_utf32", "configuration": {}}, {"name": ["struct"]},
     {"name": "struct", "configuration": {"fields": [{"name": "a", "data_type": "int128"}]}}],
)  # fmt: skip
def test_data_types_that_we_do_not_know_are_zarr_s_business(data_type: Any) -> None:
    assert parse_data_type(data_type) is None


@pytest.mark.parametrize(
    "fields",
    [None, {}, "int8", [], 5, [5], ["abc"], [None], [["a"]], [["a", "int8", 1]], [{"data_type": "int8"}], [{"name": "a"}],
     [{"name": 5, "data_type": "int8"}], [{"name": ["a"], "data_type": "int8"}],
     [{"name": "a", "data_type": "int8"}, {"name": "a", "data_type": "int8"}]],
)  # fmt: skip
def test_compounds_of_another_form_are_refused(fields: Any) -> None:
    data_type = {"name": "struct", "configuration": {"fields": fields}}
    try:
        assert parse_data_type(data_type) is None
    except DocumentError:
        return


@pytest.mark.parametrize("configuration", [None, 5, [], "fields"])
@pytest.mark.parametrize("name", ["struct", "structured", "fixed_length_utf32"])
def test_data_types_set_up_wrongly_are_refused_or_zarr_s_business(name: str, configuration: Any) -> None:
    try:
        assert parse_data_type({"name": name, "configuration": configuration}) is None
    except DocumentError:
        return


@pytest.mark.parametrize("length", [-4, 0, 6, True, 2**42, 4.0, "4"])
def test_text_of_an_impossible_width_is_refused_or_zarr_s_business(length: Any) -> None:
    try:
        assert parse_data_type({"name": "fixed_length_utf32", "configuration": {"length_bytes": length}}) is None
    except DocumentError:
        return
