"""Sources: data of every kind gives the blocks that it holds, and what has no stored form is refused."""

from __future__ import annotations

import io
import itertools
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from unittest import mock

import h5py
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from nwbzarr.errors import FieldTypeError, SchemaError
from nwbzarr.writing import sources
from nwbzarr.writing.plans import plan_regions
from nwbzarr.writing.sources import PEEK_BYTES, BlockSource, MemorySource, SlicedSource, Source, as_stored, open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LAW = settings(max_examples=60, deadline=None)

AnyArray = np.ndarray[Any, Any]

NUMBERS = (
    "bool",
    "int8",
    "int16",
    "int64",
    "uint8",
    "uint64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
)
ARRAYS = st.sampled_from(NUMBERS).flatmap(lambda dtype: npst.arrays(dtype, npst.array_shapes(max_dims=3, max_side=4)))
TEXTS = st.text(st.characters(codec="utf-8"), max_size=4)


def values_of(source: Source) -> AnyArray:
    """Return everything a source holds."""
    if isinstance(source, MemorySource):
        return source.array
    if isinstance(source, BlockSource):
        return np.concatenate(list(source.blocks()))
    return source.read((slice(None),) * len(source.shape))


def assert_same(found: AnyArray, wanted: AnyArray) -> None:
    """Check that two arrays hold the same, bit for bit."""
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    if wanted.dtype.kind == "O":
        assert found.tolist() == wanted.tolist()
    else:
        assert found.tobytes() == wanted.tobytes()


class Slow:
    """Something with shape, dtype and slicing, and nothing else."""

    def __init__(self, array: AnyArray, claimed: tuple[int, ...] | None = None) -> None:
        self.shape = array.shape if claimed is None else claimed
        self.dtype = array.dtype
        self._array = array

    def __getitem__(self, selection: Any) -> Any:
        return self._array[selection]


# Data in memory.


@LAW
@given(ARRAYS)
def test_arrays_are_given_as_they_are(array: AnyArray) -> None:
    source = open_source(array, "/x")
    assert isinstance(source, MemorySource)
    assert_same(values_of(source), array)
    assert (source.shape, source.dtype) == (array.shape, array.dtype)


@LAW
@given(ARRAYS)
def test_values_have_the_byte_order_of_the_machine(array: AnyArray) -> None:
    assert_same(as_stored(array.astype(array.dtype.newbyteorder(">")), "/x"), array)
    assert_same(as_stored(as_stored(array, "/x"), "/x"), array)


@LAW
@given(ARRAYS, st.sampled_from([1, 3, 50]))
def test_regions_put_together_are_the_array(array: AnyArray, region_bytes: int) -> None:
    for data in (array, Slow(array)):
        source = open_source(data, "/x")
        assert not isinstance(source, BlockSource)
        made = np.empty(source.shape, source.dtype)
        with mock.patch("nwbzarr.writing.plans.REGION_BYTES", region_bytes):
            for region in plan_regions(source.shape, (1,) * array.ndim, source.dtype.itemsize):
                made[region] = source.read(region)
        assert_same(made, array)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (1, np.array(1)), (1.5, np.array(1.5)), (True, np.array(True)), (1j, np.array(1j)), (2**63, np.array(2**63, "uint64")),
        (np.float32(1.5), np.array(1.5, "float32")), (np.int8(-1), np.array(-1, "int8")),
        ([1, 2], np.array([1, 2])), ((1.5, 2), np.array([1.5, 2.0])), ([[1, 2], [3, 4]], np.array([[1, 2], [3, 4]])),
        ([True, False], np.array([True, False])), ([np.float32(1)], np.array([1], "float32")), ([[], []], np.empty((2, 0))),
        ([1j, 2], np.array([1j, 2])), ([np.arange(2), np.arange(2)], np.array([[0, 1], [0, 1]])),
    ],
)  # fmt: skip
def test_numbers_and_lists_of_them_are_arrays(value: Any, wanted: AnyArray) -> None:
    assert_same(values_of(open_source(value, "/x")), wanted)


@LAW
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_texts_are_kept_to_the_last_character(texts: list[str]) -> None:
    wanted = np.empty(len(texts), object)
    wanted[:] = texts
    for value in (texts, tuple(texts), wanted, wanted.astype(np.dtypes.StringDType()), Slow(wanted)):
        assert_same(values_of(open_source(value, "/x")), wanted)
    assert_same(values_of(open_source([texts, texts], "/x")), np.array([wanted, wanted]))
    assert values_of(open_source(texts[0], "/x"))[()] == texts[0]


def test_texts_lie_in_memory_as_they_are_read() -> None:
    """zarr 3.1 writes a chunk of texts in the order of memory, so a turned table would come back scrambled."""
    table = np.array([["a", "b", "c"], ["d", "e", "f"]], dtype=object)
    for turned in (table.T, np.asfortranarray(table), table.T.astype("U1"), table.T.astype("S1")):
        for value in (turned, Slow(turned)):
            source = open_source(value, "/x")
            assert not isinstance(source, BlockSource)
            block = source.read((slice(None), slice(None)))
            assert block.flags.c_contiguous
            assert block.tolist() == turned.astype("U1").tolist()


@LAW
@given(st.lists(TEXTS.filter(lambda text: not text.endswith("\0")), min_size=1, max_size=4))
def test_texts_of_fixed_width_and_bytes_are_texts(texts: list[str]) -> None:
    for array in (np.array(texts), np.array([text.encode() for text in texts])):
        for value in (array, Slow(array)):
            source = open_source(value, "/x")
            assert source.dtype == np.dtype(object)
            assert values_of(source).tolist() == texts
    assert values_of(open_source(texts[0].encode(), "/x"))[()] == texts[0]


def test_bytes_are_kept_to_the_last_character() -> None:
    """NumPy's bytes of fixed width end where their last NUL begins."""
    assert values_of(open_source(b"a\0", "/x"))[()] == "a\0"
    assert values_of(open_source([b"a\0", b"b"], "/x")).tolist() == ["a\0", "b"]


def test_datetimes_are_iso_8601_with_their_offset() -> None:
    moment = datetime(2024, 2, 29, 12, tzinfo=timezone(timedelta(hours=-8)))
    assert values_of(open_source(moment, "/x"))[()] == "2024-02-29T12:00:00-08:00"
    assert values_of(open_source([moment, datetime(2024, 1, 1, tzinfo=UTC)], "/x")).tolist() == [
        "2024-02-29T12:00:00-08:00",
        "2024-01-01T00:00:00+00:00",
    ]
    assert values_of(open_source(date(2024, 2, 29), "/x"))[()] == "2024-02-29"


# What has no stored form.


@pytest.mark.parametrize(
    "value",
    [
        None, [None], ["a", None], [None, "a"], [["a", None], ["b", "c"]], ("a", None), np.array(["a", None], dtype=object),
        np.array(None, dtype=object), np.array([None], dtype=object), [1.5, None], [1, None],
        np.array(["a", None], dtype=np.dtypes.StringDType(na_object=None)),
        np.array(["a", np.nan], dtype=np.dtypes.StringDType(na_object=np.nan)),
        np.array(["a", np.nan], dtype=object), ["a", float("nan")],
    ],
)  # fmt: skip
def test_none_never_becomes_a_text(value: Any) -> None:
    with pytest.raises(FieldTypeError, match="/general/x") as caught:
        open_source(value, "/general/x")
    assert isinstance(caught.value, TypeError)


def test_none_that_is_read_late_never_becomes_a_text() -> None:
    for array in (
        np.array(["a", None], dtype=object),
        np.array(["a", None], dtype=np.dtypes.StringDType(na_object=None)),
    ):
        source = open_source(Slow(array), "/x")
        with pytest.raises(FieldTypeError, match="/x"):
            values_of(source)


@pytest.mark.parametrize(
    "value",
    [[[1, 2], [3]], [[1], 2], [1, [2]], [["a"], ["b", "c"]], ["a", ["b"]], [[[1], [2]], [[3]]], [np.arange(2), np.arange(3)],
     [[], [1]]],
)  # fmt: skip
def test_ragged_lists_are_refused(value: Any) -> None:
    with pytest.raises(SchemaError, match=r"/x.*equal lengths"):
        open_source(value, "/x")


@pytest.mark.parametrize("value", [np.array([[1], [2, 3]], dtype=object), np.array([[1, 2], None], dtype=object)])
def test_ragged_arrays_are_refused(value: Any) -> None:
    with pytest.raises(SchemaError, match="/x"):
        open_source(value, "/x")


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, {"a": 1}, range(4), open_source, int, b"\xff", [b"\xff"], np.array([b"\xff"]), [object()], [{}],
     ["a", 1], [1, "a"], ["a", b"\xff"], [True, "a"], 2**70, [2**70], [[1], [2**70]], [-(2**63) - 1],
     np.array([1, 2], dtype=object)],
)  # fmt: skip
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(FieldTypeError, match="/x"):
        open_source(value, "/x")


@pytest.mark.parametrize("value", [["a", 1], [1, None], [True, "a"], [["a"], [1]]])
def test_a_refusal_does_not_speak_of_large_numbers_where_there_are_none(value: Any) -> None:
    with pytest.raises(FieldTypeError) as caught:
        open_source(value, "/x")
    assert "64 bits" not in str(caught.value)


@pytest.mark.parametrize("value", [[-1, 2**63], [2**63 + 1, -1], [2**64 - 1, -(2**63)]])
def test_integers_that_no_dtype_holds_together_are_not_rounded(value: list[int]) -> None:
    """NumPy makes floats of them, unasked: 2**63 + 1 would come back as 2**63."""
    try:
        found = values_of(open_source(value, "/x"))
    except SchemaError:
        return
    assert [int(item) for item in found] == value


def masked() -> AnyArray:
    """Return an array one of whose values is said not to count."""
    array: AnyArray = np.ma.masked_array([1.0, 2.0, 3.0], mask=[False, True, False])
    return array


@pytest.mark.parametrize(
    "make", [masked, lambda: Slow(masked()), lambda: iter([masked()]), lambda: [masked(), masked()]]
)
def test_masked_values_are_not_written_as_if_they_were_values(make: Callable[[], Any]) -> None:
    try:
        found = values_of(open_source(make(), "/x"))
    except SchemaError:
        return
    assert 2.0 not in found


@pytest.mark.parametrize("value", ["\ud800", ["a", "\udcff"], np.array(["\ud800"]), np.array(["\udcff"], dtype=object)])
def test_text_that_is_no_unicode_is_refused_before_anything_is_written(value: Any) -> None:
    """File names that are no UTF-8 come out of Python like this."""
    with pytest.raises(FieldTypeError, match="/x"):
        open_source(value, "/x")


# Data that is sliced.


def test_arrays_of_zarr_and_h5py_are_read_region_by_region() -> None:
    values = np.arange(24.0).reshape(6, 4)
    with h5py.File(io.BytesIO(), "w") as file:
        file["x"] = values
        for data in (zarr.array(values), file["x"], Slow(values)):
            source = open_source(data, "/x")
            assert isinstance(source, SlicedSource)
            assert (source.shape, source.dtype) == (values.shape, values.dtype)
            assert_same(source.read((slice(2, 5), slice(1, 3))), values[2:5, 1:3])


def test_texts_of_h5py_are_texts() -> None:
    with h5py.File(io.BytesIO(), "w") as file:
        file["x"] = ["raw", "", "é☃"]
        source = open_source(file["x"], "/x")
        assert source.dtype == np.dtype(object)
        assert values_of(source).tolist() == ["raw", "", "é☃"]


def test_scalars_of_zarr_and_h5py_are_read() -> None:
    with h5py.File(io.BytesIO(), "w") as file:
        file["x"] = 1.5
        for data in (zarr.array(np.float64(1.5)), file["x"], Slow(np.array(1.5))):
            source = open_source(data, "/x")
            assert source.shape == ()
            assert_same(np.asarray(values_of(source)), np.array(1.5))


def test_data_that_gives_another_shape_than_it_said_is_refused() -> None:
    source = open_source(Slow(np.zeros((5, 2)), claimed=(10, 2)), "/x")
    assert isinstance(source, SlicedSource)
    assert source.read((slice(0, 5), slice(0, 2))).shape == (5, 2)
    with pytest.raises(SchemaError, match="/x"):
        source.read((slice(4, 8), slice(0, 2)))


# Blocks.


def cut(array: AnyArray, lengths: list[int]) -> list[AnyArray]:
    """Return an array in blocks of some lengths, and the rest."""
    stops = [0, *itertools.accumulate(lengths), len(array)]
    return [array[start:stop] for start, stop in itertools.pairwise(stops) if start <= stop]


@LAW
@given(ARRAYS, st.lists(st.integers(0, 2), max_size=5), st.sampled_from([0, 4, 64, PEEK_BYTES]))
def test_blocks_put_together_are_the_data(array: AnyArray, lengths: list[int], peek: int) -> None:
    with mock.patch.object(sources, "PEEK_BYTES", peek):
        source = open_source(iter(cut(array, lengths)), "/x")
    assert source.dtype == array.dtype
    assert source.shape[1:] == array.shape[1:]
    assert_same(values_of(source), array)


def test_few_blocks_are_taken_to_learn_the_dtype() -> None:
    taken: list[int] = []

    def blocks() -> Iterator[AnyArray]:
        for index in range(100):
            taken.append(index)
            yield np.full((2**17, 1), index, "float64")

    source = open_source(blocks(), "/x")
    assert isinstance(source, BlockSource)
    assert len(taken) * 2**20 <= PEEK_BYTES + 2**20
    assert [block[0, 0] for block in itertools.islice(source.blocks(), 10)] == list(range(10))
    assert len(taken) == 10


def test_blocks_of_text_are_texts() -> None:
    source = open_source(iter([["a", "bcd"], np.array(["e"]), np.array([b"f"])]), "/x")
    assert values_of(source).tolist() == ["a", "bcd", "e", "f"]


#: A block, and one that does not go with it.
UNEQUAL: list[tuple[Any, Any]] = [
    (np.zeros(4), np.zeros(4, "float32")),
    (np.zeros(4), np.zeros((4, 1))),
    (np.zeros((4, 2)), np.zeros((4, 3))),
    (np.zeros((4, 2)), np.zeros(4)),
    (np.zeros(4), ["a"]),
    (["a"], [1.5]),
    (np.zeros(4), np.float64(1)),
    (np.zeros(4), [[1.0, 2.0], [3.0]]),
    (["a"], ["b", None]),
    (["a"], None),
]


@pytest.mark.parametrize("pair", UNEQUAL)
def test_blocks_that_do_not_go_together_are_refused_at_once(pair: tuple[Any, Any]) -> None:
    with pytest.raises(SchemaError, match="/x"):
        open_source(iter(pair), "/x")


@pytest.mark.parametrize("pair", UNEQUAL)
def test_blocks_that_do_not_go_together_are_refused_when_they_come(pair: tuple[Any, Any]) -> None:
    with mock.patch.object(sources, "PEEK_BYTES", 0):
        source = open_source(iter(pair), "/x")
    assert isinstance(source, BlockSource)
    blocks = source.blocks()
    next(blocks)
    with pytest.raises(SchemaError, match="/x"):
        next(blocks)


@pytest.mark.parametrize(
    "blocks", [[], [1.0, 2.0], [np.float64(1)], ["text"], [[[1, 2], [3]]], [None], [object()], [[None]]]
)
def test_iterators_of_something_else_are_refused(blocks: list[Any]) -> None:
    with pytest.raises(SchemaError, match="/x"):
        open_source(iter(blocks), "/x")


def test_what_an_iterator_raises_goes_through() -> None:
    def broken() -> Iterator[AnyArray]:
        yield np.zeros(4)
        message = "the amplifier was switched off"
        raise OSError(message)

    with pytest.raises(OSError, match="switched off"):
        open_source(broken(), "/x")
