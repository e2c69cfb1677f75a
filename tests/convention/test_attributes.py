"""Attribute values go through strict JSON and come back as they were."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from nwbzarr.convention.attributes import decode_attribute, encode_attributes
from nwbzarr.convention.documents import dump_document, group_document
from nwbzarr.convention.names import ATTRIBUTE_DTYPES
from nwbzarr.errors import DocumentError, FieldTypeError

if TYPE_CHECKING:
    from collections.abc import Mapping

LAW = settings(max_examples=60, deadline=None)

NUMBERS = (
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "bool",
)
WORDS = ("NaN", "Infinity", "-Infinity", "nan", "inf", "None", "true", "1", "", "é☃\U0001f400", 'quote " and \\ and \n')
TEXTS = st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8"), max_size=6)


def refuse_constant(word: str) -> Any:
    """Refuse what Python's parser takes and JSON does not have."""
    message = f"{word} is no JSON"
    raise ValueError(message)


def stored(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as a strict parser finds them in a document."""
    document = group_document(encode_attributes(attributes, "TimeSeries /x"))
    text = dump_document(document)
    assert json.dumps(document, allow_nan=False)
    found: dict[str, Any] = json.loads(text, parse_constant=refuse_constant)["attributes"]
    return found


def through_json(value: Any) -> Any:
    """Return a value as it is read back, beside others."""
    return decode_attribute(stored({"before": 1, "value": value, "after": np.uint8(1)}), "value")


def same(found: Any, wanted: Any) -> bool:
    """Whether two values have one type and one dtype and the same bits; every NaN counts as the same."""
    if type(found) is not type(wanted):
        return False
    if isinstance(wanted, np.ndarray | np.generic | float):
        return same_bits(np.asarray(found), np.asarray(wanted))
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, dict):
        return list(found) == list(wanted) and all(same(found[key], wanted[key]) for key in wanted)
    return bool(found == wanted)


def same_bits(found: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]) -> bool:
    """Whether two arrays have one dtype, one shape and the same bits."""
    if (found.dtype, found.shape) != (wanted.dtype, wanted.shape):
        return False
    holes = np.isnan(wanted) if wanted.dtype.kind == "f" else np.zeros(wanted.shape, bool)
    return bool((np.isnan(found[holes])).all() and found[~holes].tobytes() == wanted[~holes].tobytes())


# What comes back.


@LAW
@given(st.sampled_from(NUMBERS).flatmap(lambda dtype: npst.arrays(dtype, ())))
def test_numpy_scalars_keep_value_and_dtype(array: np.ndarray[Any, Any]) -> None:
    value = array[()]
    natural = value.dtype.name in ("int64", "float64", "bool")
    assert same(through_json(value), value.item() if natural else value)


@pytest.mark.parametrize("dtype", NUMBERS)
def test_extreme_scalars_keep_value_and_dtype(dtype: str) -> None:
    if dtype == "bool":
        extremes: list[Any] = [False, True]
    elif dtype.startswith("float"):
        limits = np.finfo(dtype)
        extremes = [limits.min, limits.max, limits.tiny, limits.smallest_subnormal, -0.0, math.nan, math.inf, -math.inf]
    else:
        extremes = [np.iinfo(dtype).min, np.iinfo(dtype).max]
    for extreme in extremes:
        value = np.array(extreme, dtype)[()]
        found = through_json(value)
        assert same(np.asarray(found, dtype), np.asarray(value))
        assert isinstance(found, np.generic) == (dtype not in ("int64", "float64", "bool"))


@LAW
@given(
    st.sampled_from(NUMBERS).flatmap(
        lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=1, max_dims=3, max_side=3))
    )
)
def test_arrays_keep_values_shape_and_dtype(array: np.ndarray[Any, Any]) -> None:
    assert same(through_json(array), array)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3), (2, 0, 3)])
def test_empty_arrays_keep_shape_and_dtype(shape: tuple[int, ...]) -> None:
    array = np.empty(shape, "uint16")
    assert same(through_json(array), array)


@pytest.mark.parametrize(
    "array", [np.arange(6, dtype=">i4"), np.arange(6, dtype="u2")[::-2], np.ones((2, 3), "f4", order="F")]
)
def test_byte_order_and_strides_make_no_difference(array: np.ndarray[Any, Any]) -> None:
    assert same(through_json(array), np.ascontiguousarray(array, array.dtype.newbyteorder("=")))


@LAW
@given(st.lists(TEXTS, max_size=4))
@example(list(WORDS))
def test_arrays_of_text_keep_their_texts(texts: list[str]) -> None:
    for dtype in (np.dtype("U"), np.dtype(object)):
        found = through_json(np.array(texts, dtype))
        # NumPy's fixed-width text has no NUL at its end, before anything of ours sees it.
        wanted = np.array(texts, dtype).tolist()
        assert found.dtype.kind in "OUT"
        assert found.tolist() == wanted


@LAW
@given(st.integers() | st.booleans() | TEXTS | st.floats(allow_nan=True))
def test_plain_values_come_back_as_they_are(value: Any) -> None:
    assert same(through_json(value), value)


@LAW
@given(
    st.recursive(
        st.integers(-(2**63), 2**64) | st.booleans() | TEXTS | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=6,
    )
)
def test_nested_plain_values_come_back_as_they_are(value: Any) -> None:
    assert same(through_json(value), value)


@pytest.mark.parametrize(
    "value",
    [
        [math.nan],
        [1.5, math.inf, -math.inf, math.nan],
        [[math.nan, 1.0], [2.0, -math.inf]],
        [[[math.inf]]],
        [np.float32(math.nan)],
        (1.0, math.nan),
    ],
)
def test_numbers_that_are_not_finite_come_back_from_any_depth_of_a_list(value: Any) -> None:
    found = np.asarray(through_json(value))
    assert found.dtype.kind == "f"
    assert np.array_equal(found, np.asarray(value), equal_nan=True)


@pytest.mark.parametrize(
    "value", [{"a": math.nan}, {"a": {"b": [1.0, math.inf]}}, [math.nan, "NaN"], [1, math.nan, "x", True]]
)
def test_numbers_that_are_not_finite_stay_numbers_beside_others_or_are_refused(value: Any) -> None:
    try:
        stored({"value": value})
    except FieldTypeError:
        return
    found = through_json(value)
    if isinstance(value, dict):
        assert same(found, value)
    else:
        assert same(list(found), value)


def test_a_reader_that_does_not_know_the_note_finds_numbers_and_zarr_s_words() -> None:
    values = {"a": np.float32(math.nan), "b": np.uint16(7), "c": np.array([1, math.inf, -math.inf]), "d": math.nan}
    found = stored(values)
    assert {name: found[name] for name in values} == {
        "a": "NaN",
        "b": 7,
        "c": [1.0, "Infinity", "-Infinity"],
        "d": "NaN",
    }
    assert found[ATTRIBUTE_DTYPES] == {"a": "float32", "b": "uint16", "c": "float64", "d": "float64"}


def test_nothing_is_noted_that_json_keeps() -> None:
    values = {
        "a": "text",
        "b": 1,
        "c": 1.5,
        "d": True,
        "e": ["x"],
        "f": np.int64(1),
        "g": np.float64(1),
        "h": np.bool_(1),
    }
    assert ATTRIBUTE_DTYPES not in stored(values)


def test_datetimes_are_iso_8601() -> None:
    moment = datetime(2024, 2, 29, 12, tzinfo=timezone(timedelta(hours=-8)))
    assert through_json(moment) == "2024-02-29T12:00:00-08:00"
    assert through_json(date(2024, 2, 29)) == "2024-02-29"
    assert through_json([datetime(2024, 1, 1, tzinfo=UTC)]) == ["2024-01-01T00:00:00+00:00"]


def test_bytes_are_text() -> None:
    assert through_json("é".encode()) == "é"
    assert through_json(np.bytes_(b"abc")) == "abc"
    assert through_json(np.array([b"a", b"bc"])).tolist() == ["a", "bc"]


# What is refused.


@pytest.mark.parametrize(
    "value",
    [None, [None], {"a": None}, [["x", None]], 1j, np.complex64(1), np.array([1j]), [1j], b"\xff", [b"\xff"], object(), {1, 2},
     timedelta(1), np.array([None], dtype=object), np.longdouble(1), np.datetime64("NaT", "s")],
)  # fmt: skip
def test_values_that_json_cannot_carry_are_refused_by_name(value: Any) -> None:
    with pytest.raises(FieldTypeError, match=r"TimeSeries /x\.value"):
        encode_attributes({"fine": 1, "value": value}, "TimeSeries /x")


@pytest.mark.parametrize(
    "value",
    [
        np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
        np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")])[0],
        np.array([1, 2], dtype=object),
        np.array(["a", 1], dtype=object),
        np.datetime64("2024-02-29", "ns"),
        np.timedelta64(5, "ns"),
        np.array([b"\x00\x01"], dtype="V2"),
    ],
)
def test_values_that_json_would_change_are_refused_or_come_back(value: Any) -> None:
    try:
        stored({"value": value})
    except FieldTypeError:
        return
    assert same(through_json(value), value)


@pytest.mark.parametrize("value", ["\ud800", ["a", "\udcff"], {"\ud800": 1}, np.array(["\ud800"])])
def test_text_that_is_no_unicode_is_refused_before_anything_is_written(value: Any) -> None:
    """File names that are no UTF-8 come out of Python like this."""
    with pytest.raises(FieldTypeError, match="value"):
        encode_attributes({"value": value}, "TimeSeries /x")


# Notes of others.


@pytest.mark.parametrize(
    ("value", "note"),
    [
        ("abc", "float64"), ("x", "datetime64[us]"), ([1, [2]], "int64"), (None, "int64"), ({"a": 1}, "int64"),
        (5, "void3"), (5, ""), (5, "no dtype"), (5, "M8[foo]"), (5, 5), (300, "uint8"), (-1, "uint8"), (2**64, "uint64"),
        ([1, 300], "int8"), (1.5, "int64"), (5, "i4,("), (5, {}), (5, []), (5, {"names": ["a"], "formats": ["i4"]}),
        ("NaN", {"float64": 1}), (["NaN"], {"float64": [[]]}), (["NaN"], {"float64": [[1]]}), (["x"], {"float64": [[0]]}),
        ([1], {"dtype": "int8"}), ([1], {"dtype": "int8", "shape": "x"}), ([1], {"dtype": {}, "shape": []}),
        ([], {"dtype": "int8", "shape": [2**70]}), ([], {"dtype": "int8", "shape": [1]}),
    ],
)  # fmt: skip
def test_a_note_that_does_not_fit_is_said_so(value: Any, note: Any) -> None:
    with pytest.raises(DocumentError, match="value"):
        decode_attribute({"value": value, ATTRIBUTE_DTYPES: {"value": note}}, "value")


@pytest.mark.parametrize("notes", [None, [], "float32", {}, {"other": "float32"}])
def test_without_a_note_the_value_is_what_json_says(notes: Any) -> None:
    for value in (1, 1.5, "NaN", [1, "x"], {"a": None}, None):
        assert decode_attribute({"value": value, ATTRIBUTE_DTYPES: notes}, "value") == value
