"""Tables and their columns: made, filled, selected from, turned into frames; in memory, and after writing and reading."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

import nwbzarr
from nwbzarr import (
    AlignedDynamicTable,
    CSRMatrix,
    DynamicTable,
    DynamicTableRegion,
    ElementIdentifiers,
    EnumData,
    MeaningsTable,
    NWBFile,
    NWBZarrIO,
    TimeIntervals,
    VectorData,
    VectorIndex,
)
from nwbzarr.errors import DuplicateNameError, FieldTypeError, MissingFieldError, NWBZarrError, SchemaError
from tests.places import QUICK_KINDS, place_of

if TYPE_CHECKING:
    from pathlib import Path

#: Gives containers back as they are, or as they are read from where they were written.
Keep = Callable[..., list[Any]]

START = datetime(2024, 1, 1, tzinfo=UTC)
QUICKLY = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def session(*containers: Any) -> NWBFile:
    made = NWBFile(session_description="d", identifier="i", session_start_time=START)
    module = made.create_processing_module("tables", "d")
    for each in containers:
        module.add(each)
    return made


@pytest.fixture(params=("unwritten", *QUICK_KINDS))
def keep(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keep]:
    if request.param == "unwritten":
        yield lambda *containers: list(containers)
        return
    with place_of(request.param, request, tmp_path) as place:

        def write_and_read(*containers: Any) -> list[Any]:
            with place.io("s", "w") as io:
                io.write(session(*containers))
            module = place.io("s", "r").read().processing["tables"]
            return [module[each.name] for each in containers]

        yield write_and_read


def in_memory_store(*containers: Any) -> list[Any]:
    """Write to a new store in memory, read, and forget the store when all is in hand."""
    url = f"memory://{uuid.uuid4().hex}"
    with NWBZarrIO(url, "w") as io:
        io.write(session(*containers))
    module = nwbzarr.open(url).processing["tables"]
    return [module[each.name] for each in containers]


@pytest.fixture(autouse=True)
def empty_memory() -> Iterator[None]:
    yield
    fs = fsspec.filesystem("memory")
    for each in fs.ls("/", detail=False):
        fs.rm(each, recursive=True)


def plain(values: Any) -> Any:
    """Return values as Python's own, lists for arrays at every level."""
    if isinstance(values, np.ndarray):
        return [plain(each) for each in values.tolist()] if values.ndim else values.item()
    if isinstance(values, list | tuple):
        return [plain(each) for each in values]
    if isinstance(values, np.generic):
        return values.item()
    return plain(np.asarray(values)) if hasattr(values, "__array__") else values


def small_table(name: str = "t") -> Any:
    return DynamicTable(
        name=name,
        description="a small table",
        columns=[
            VectorData(name="number", description="numbers", data=[10, 20, 30, 40]),
            VectorData(name="word", description="words", data=["a", "bb", "", "ünï\nx"]),
            VectorData(name="flag", description="flags", data=[True, False, False, True]),
        ],
    )


def rows_of(frame: Any) -> list[dict[str, Any]]:
    return [{name: plain(value) for name, value in row.items()} for row in frame.to_dict("records")]


SMALL_ROWS = [
    {"number": 10, "word": "a", "flag": True},
    {"number": 20, "word": "bb", "flag": False},
    {"number": 30, "word": "", "flag": False},
    {"number": 40, "word": "ünï\nx", "flag": True},
]


# Construction, and what is there.


def test_a_table_of_columns_has_their_rows(keep: Keep) -> None:
    (table,) = keep(small_table())
    assert isinstance(table, DynamicTable)
    assert len(table) == 4
    assert table.colnames == ("number", "word", "flag")
    assert table.description == "a small table"
    assert table["number"].description == "numbers"
    assert plain(table.id[:]) == [0, 1, 2, 3]
    assert isinstance(table.id, ElementIdentifiers)
    assert [column.name for column in table.columns] == ["number", "word", "flag"]
    assert rows_of(table.to_dataframe()) == SMALL_ROWS


def test_columns_are_attributes(keep: Keep) -> None:
    (table,) = keep(small_table())
    assert plain(table.number[:]) == [10, 20, 30, 40]
    assert table.word is table["word"]


def test_columns_are_attributes_when_their_type_names_them() -> None:
    table: Any = TimeIntervals(name="t", description="d")
    table.add_interval(start_time=1.0, stop_time=2.0, tags="x")
    assert plain(table.start_time[:]) == [1.0]
    assert plain(table.tags.data[:]) == ["x"]
    assert table.tags_index is table["tags"]


def test_a_table_can_be_asked_for_names(keep: Keep) -> None:
    (table,) = keep(small_table())
    assert "number" in table
    assert "nothing" not in table
    assert table.get("nothing") is None
    assert table.get("nothing", 7) == 7
    assert table.get("word") is table["word"]
    with pytest.raises(KeyError, match="nothing"):
        table["nothing"]


def test_columns_come_in_the_order_of_colnames(keep: Keep) -> None:
    values = [VectorData(name=name, description="d", data=[1]) for name in "abc"]
    (table,) = keep(DynamicTable(name="t", description="d", columns=values, colnames=["c", "a", "b"]))
    assert table.colnames == ("c", "a", "b")
    assert list(table.to_dataframe().columns) == ["c", "a", "b"]


def test_identifiers_are_kept(keep: Keep) -> None:
    column = VectorData(name="a", description="d", data=[1.5, 2.5])
    (table,) = keep(DynamicTable(name="t", description="d", id=[7, 3], columns=[column]))
    assert plain(table.id[:]) == [7, 3]
    assert list(table.to_dataframe().index) == [7, 3]
    assert table.to_dataframe().index.name == "id"
    table.add_row(a=3.5)
    assert plain(table.id.all_values()) == [7, 3, 2]


def test_identifiers_are_searched_by_comparing() -> None:
    table: Any = DynamicTable(
        name="t", description="d", id=[7, 3, 5], columns=[VectorData(name="a", description="d", data=[1, 2, 3])]
    )
    assert plain(table.id == [5, 7, 99]) == [0, 2]
    assert plain(table.id == 3) == [1]


def test_identifiers_are_integers() -> None:
    with pytest.raises(ValueError, match="ElementIdentifiers"):
        ElementIdentifiers(name="id", data=["a", "b"])
    table = small_table()
    with pytest.raises(FieldTypeError, match="integer"):
        table.add_row(number=1, word="x", flag=True, id="seven")
    assert len(table) == 4


def test_columns_may_be_described_by_words() -> None:
    table: Any = DynamicTable(
        name="t",
        description="d",
        columns=[{"name": "a", "description": "an a"}, {"name": "many", "description": "several", "index": True}],
    )
    table.add_row(a=1, many=[1, 2])
    table.add_row(a=2, many=[])
    assert table["a"].description == "an a"
    assert [plain(each) for each in table["many"][:]] == [[1, 2], []]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_integer_columns_keep_values_and_dtype(dtype: str) -> None:
    limits = np.iinfo(dtype)
    values = np.array([limits.min, limits.max, 1], dtype=dtype)
    (table,) = in_memory_store(DynamicTable("t", "d", columns=[VectorData(name="a", description="d", data=values)]))
    assert table["a"].data.dtype == np.dtype(dtype)
    assert np.array_equal(table["a"][:], values)
    assert table.to_dataframe()["a"].dtype == np.dtype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bool"])
def test_other_columns_keep_values_and_dtype(dtype: str) -> None:
    values = np.array([0.0, 1.0, np.nan]).astype(dtype)
    (table,) = in_memory_store(DynamicTable("t", "d", columns=[VectorData(name="a", description="d", data=values)]))
    assert table["a"].data.dtype == np.dtype(dtype)
    assert np.array_equal(table["a"][:], values, equal_nan=dtype != "bool")


def test_lists_of_numbers_become_numbers_of_64_bits() -> None:
    columns = [
        VectorData(name="whole", description="d", data=[1, 2]),
        VectorData(name="real", description="d", data=[1, 2.5]),
        VectorData(name="truth", description="d", data=[True, False]),
        VectorData(name="text", description="d", data=["a", "b"]),
    ]
    (table,) = in_memory_store(DynamicTable("t", "d", columns=columns))
    assert table["whole"].data.dtype == np.int64
    assert table["real"].data.dtype == np.float64
    assert table["truth"].data.dtype == np.bool_
    assert plain(table["text"][:]) == ["a", "b"]


def test_columns_of_several_dimensions_keep_their_shape(keep: Keep) -> None:
    values = np.arange(24.0).reshape(4, 3, 2)
    (table,) = keep(DynamicTable("t", "d", columns=[VectorData(name="a", description="d", data=values)]))
    assert np.array_equal(table["a"][:], values)
    frame = table.to_dataframe()
    assert np.array_equal(frame["a"][2], values[2])
    assert np.array_equal(table[2, "a"], values[2])


def test_an_empty_table_with_columns_is_kept(keep: Keep) -> None:
    made: Any = DynamicTable(name="t", description="d")
    made.add_column(name="a", description="d")
    made.add_column(name="many", description="d", index=True)
    (table,) = keep(made)
    assert len(table) == 0
    assert table.colnames == ("a", "many")
    assert table.to_dataframe().shape == (0, 2)
    table.add_row(a=1.5, many=[1.0, 2.0])
    assert len(table) == 1


@pytest.mark.parametrize(
    ("columns", "names"),
    [([("a", [1, 2]), ("b", [1])], "a"), ([("a", [1]), ("a", [1])], "a")],
    ids=["lengths", "names"],
)
def test_columns_that_do_not_fit_each_other_make_no_table(columns: list[tuple[str, list[int]]], names: str) -> None:
    made = [VectorData(name=name, description="d", data=data) for name, data in columns]
    with pytest.raises(SchemaError, match=names):
        DynamicTable("t", "d", columns=made)


def test_identifiers_that_do_not_fit_the_columns_make_no_table() -> None:
    with pytest.raises(SchemaError, match="3"):
        DynamicTable("t", "d", id=[1, 2, 3], columns=[VectorData(name="a", description="d", data=[1])])


# Rows.


def test_rows_come_one_by_one(keep: Keep) -> None:
    made: Any = DynamicTable(name="t", description="d")
    for name in ("number", "word", "flag"):
        made.add_column(name=name, description="d")
    for row in SMALL_ROWS:
        made.add_row(**row)
    (table,) = keep(made)
    assert rows_of(table.to_dataframe()) == SMALL_ROWS
    assert plain(table.id[:]) == [0, 1, 2, 3]


def test_a_row_may_be_a_dict_with_an_identifier() -> None:
    table = small_table()
    row = {"number": 50, "word": "e", "flag": True, "id": 99}
    table.add_row(row)
    table.add_row({"number": 60, "word": "f", "flag": True}, id=98)
    assert row["id"] == 99
    assert plain(table.id[:]) == [0, 1, 2, 3, 99, 98]


def test_an_identifier_can_be_held_to_be_unique() -> None:
    table = small_table()
    row = {"number": 50, "word": "e", "flag": True}
    table.add_row(row, id=3)
    with pytest.raises(ValueError, match="3"):
        table.add_row(row, id=3, enforce_unique_id=True)
    assert len(table) == 5
    assert len(table["number"]) == 5


@pytest.mark.parametrize(
    "row",
    [
        {"number": 1, "word": "x"},
        {"number": 1, "word": "x", "flag": True, "more": 2},
        {"number": 1, "word": None, "flag": True},
    ],
    ids=["too few", "too many", "nothing"],
)
def test_a_row_that_does_not_fit_adds_nothing(row: dict[str, Any]) -> None:
    table = small_table()
    with pytest.raises(ValueError, match=r"more|flag|word"):
        table.add_row(**row)
    assert len(table) == 4
    assert {len(table[name]) for name in table.colnames} == {4}


def test_an_error_in_a_later_column_leaves_no_part_of_a_row() -> None:
    table: Any = DynamicTable(name="t", description="d")
    table.add_column(name="many", description="d", index=True)
    table.add_column(name="deep", description="d", index=2)
    table.add_row(many=[1], deep=[[1], [2]])
    with pytest.raises(NWBZarrError):
        table.add_row(many=[2, 3], deep=5)
    with pytest.raises(NWBZarrError):
        table.add_row(many=[2, 3], deep=[[1], 5])
    assert len(table) == 1
    assert plain(table["many"].target[:]) == [1]
    assert plain(table["deep"].target.target[:]) == [1, 2]
    assert plain(table["deep"][0]) == [[1], [2]]


@pytest.mark.parametrize("wrong", ["text", None, [1, 2]])
def test_a_column_of_numbers_takes_no_row_of_another_kind(wrong: Any) -> None:
    """Whatever refuses it, nothing is written of it."""
    url = f"memory://{uuid.uuid4().hex}"
    table: Any = DynamicTable(name="t", description="d", columns=[VectorData(name="a", description="d", data=[1, 2])])
    with pytest.raises(NWBZarrError, match="a"):  # noqa: PT012 - either of the two may refuse it
        table.add_row(a=wrong)
        with NWBZarrIO(url, "w") as io:
            io.write(session(table))
    with pytest.raises(NWBZarrError):
        nwbzarr.open(url)


# Columns.


def test_a_column_is_added_to_rows_that_are_there(keep: Keep) -> None:
    made: Any = small_table()
    made.add_column(name="weight", description="a weight", data=[0.5, 1.5, 2.5, 3.5])
    made.add_column(name="many", description="several", data=[[1], [], [2, 3], [4]], index=True)
    (table,) = keep(made)
    assert table.colnames == ("number", "word", "flag", "weight", "many")
    assert plain(table["weight"][:]) == [0.5, 1.5, 2.5, 3.5]
    assert [plain(each) for each in table["many"][:]] == [[1], [], [2, 3], [4]]
    assert [column.name for column in table.columns][-2:] == ["many_index", "many"]


def test_a_column_of_another_length_or_of_a_taken_name_is_refused() -> None:
    table = small_table()
    with pytest.raises(SchemaError, match="4"):
        table.add_column(name="short", description="d", data=[1, 2, 3])
    with pytest.raises(SchemaError, match="4"):
        table.add_column(name="none", description="d")
    with pytest.raises(SchemaError, match="4"):
        table.add_column(name="many", description="d", data=[[1], [2]], index=True)
    with pytest.raises(DuplicateNameError, match="word"):
        table.add_column(name="word", description="d", data=[1, 2, 3, 4])
    assert table.colnames == ("number", "word", "flag")
    assert not {"short", "none", "many", "many_index"} & set(table)


def test_the_index_of_a_column_may_be_given_as_ends(keep: Keep) -> None:
    made: Any = DynamicTable("t", "d", id=[0, 1, 2])
    made.add_column(name="many", description="d", data=[1, 2, 3, 4], index=[2, 2, 4])
    (table,) = keep(made)
    assert [plain(each) for each in table["many"][:]] == [[1, 2], [], [3, 4]]


@pytest.mark.parametrize("ends", [[2, 1, 4], [1, 2, 3], [1, 2, 5], [1, 4], [-1, 2, 4]])
def test_an_index_that_does_not_match_is_refused(ends: list[int]) -> None:
    table: Any = DynamicTable("t", "d", id=[0, 1, 2])
    with pytest.raises(SchemaError, match="many"):
        table.add_column(name="many", description="d", data=[1, 2, 3, 4], index=ends)
    assert "many" not in table
    assert table.colnames == ()


def test_a_ragged_column_of_what_is_no_list_is_refused() -> None:
    table: Any = DynamicTable("t", "d", id=[0, 1])
    with pytest.raises(ValueError, match="many"):
        table.add_column(name="many", description="d", data=[[1], 2], index=True)
    assert "many" not in table


def test_a_doubly_ragged_column_is_given_whole(keep: Keep) -> None:
    rows = [[[1, 2], [3]], [], [[], [4, 5, 6]]]
    made: Any = DynamicTable("t", "d", id=[0, 1, 2])
    made.add_column(name="deep", description="d", data=rows, index=2)
    (table,) = keep(made)
    assert [plain(each) for each in table["deep"][:]] == rows
    assert [plain(table["deep"][row]) for row in range(3)] == rows
    assert plain(table["deep"].target.target[:]) == [1, 2, 3, 4, 5, 6]
    assert [column.name for column in table.columns] == ["deep_index_index", "deep_index", "deep"]
    assert [plain(each) for each in table.to_dataframe()["deep"]] == rows


def test_a_doubly_ragged_column_grows_by_rows(keep: Keep) -> None:
    rows = [[["a"], ["b", "c"]], [[]], [["d"]]]
    made: Any = DynamicTable("t", "d")
    made.add_column(name="deep", description="d", index=2)
    for row in rows:
        made.add_row(deep=row)
    (table,) = keep(made)
    assert [plain(each) for each in table["deep"][:]] == rows


def test_ragged_columns_are_made_by_hand_too(keep: Keep) -> None:
    values = VectorData(name="many", description="d", data=np.arange(6, dtype=np.int16))
    index = VectorIndex(name="many_index", data=np.array([1, 1, 6], dtype=np.uint8), target=values)
    (table,) = keep(DynamicTable("t", "d", columns=[index, values]))
    assert table.colnames == ("many",)
    assert table["many"].target.name == "many"
    assert isinstance(table["many"], VectorIndex)
    assert [plain(each) for each in table["many"][:]] == [[0], [], [1, 2, 3, 4, 5]]
    assert table["many"][2].dtype == np.int16
    assert plain(table["many"].data[:]) == [1, 1, 6]
    assert np.asarray(table["many"].data).dtype == np.uint8


def test_an_index_adds_vectors_by_hand() -> None:
    values = VectorData(name="many", description="d", data=[1, 2])
    index = VectorIndex(name="many_index", data=[2], target=values)
    index.add_vector([3])
    index.add_row([4, 5])
    assert plain(index[:]) == [[1, 2], [3], [4, 5]]
    values = VectorData(name="a", description="d")
    values.add_row(1)
    values.extend([2, 3])
    values.append([4])
    assert plain(values[:]) == [1, 2, 3, 4]


def test_parts_of_a_ragged_column(keep: Keep) -> None:
    rows = [[1], [], [2, 3], [4, 5, 6]]
    made: Any = DynamicTable("t", "d", id=[0, 1, 2, 3])
    made.add_column(name="many", description="d", data=rows, index=True)
    (table,) = keep(made)
    column = table["many"]
    assert plain(column[0]) == [1]
    assert plain(column[-1]) == [4, 5, 6]
    assert plain(column[np.int64(2)]) == [2, 3]
    assert [plain(each) for each in column[1:3]] == [[], [2, 3]]
    assert [plain(each) for each in column[[3, 0]]] == [[4, 5, 6], [1]]
    assert [plain(each) for each in column[[True, False, False, True]]] == [[1], [4, 5, 6]]
    assert [plain(each) for each in column[np.array([], dtype=int)]] == []
    assert [plain(each) for each in column[::-1]] == rows[::-1]
    assert plain(column[2]) == plain(table[2, "many"])
    with pytest.raises(IndexError):
        column[4]


# Selection.


def test_one_cell_is_the_value_itself(keep: Keep) -> None:
    (table,) = keep(small_table())
    assert table[1, "number"] == 20
    assert table[3, "word"] == "ünï\nx"
    assert table[-1, "flag"] == True  # noqa: E712 - NumPy's truth is no singleton
    assert np.ndim(table[1, "number"]) == 0


def test_rows_of_one_column_are_its_values(keep: Keep) -> None:
    (table,) = keep(small_table())
    assert plain(table[1:3, "number"]) == [20, 30]
    assert plain(table[[0, 3], "word"]) == ["a", "ünï\nx"]


def test_rows_are_frames(keep: Keep) -> None:
    (table,) = keep(small_table())
    assert rows_of(table[2]) == SMALL_ROWS[2:3]
    assert list(table[2].index) == [2]
    assert table[2].index.name == "id"
    assert rows_of(table[1:]) == SMALL_ROWS[1:]
    assert rows_of(table[::2]) == SMALL_ROWS[::2]
    assert rows_of(table[[3, 0, 3]]) == [SMALL_ROWS[3], SMALL_ROWS[0], SMALL_ROWS[3]]
    assert rows_of(table[np.array([2, 1])]) == [SMALL_ROWS[2], SMALL_ROWS[1]]
    assert rows_of(table[np.int64(1)]) == SMALL_ROWS[1:2]
    assert rows_of(table[[]]) == []


def test_masks_choose_rows(keep: Keep) -> None:
    (table,) = keep(small_table())
    mask = np.array([True, False, False, True])
    assert rows_of(table[mask]) == [SMALL_ROWS[0], SMALL_ROWS[3]]
    assert rows_of(table[mask.tolist()]) == [SMALL_ROWS[0], SMALL_ROWS[3]]
    assert rows_of(table[np.asarray(table["number"][:]) > 20]) == SMALL_ROWS[2:]
    with pytest.raises(IndexError, match="mask"):
        table[mask[:2]]


def test_columns_are_projected(keep: Keep) -> None:
    (table,) = keep(small_table())
    part = table[1:3, ["flag", "number"]]
    assert list(part.columns) == ["flag", "number"]
    assert rows_of(part) == [{"flag": False, "number": 20}, {"flag": False, "number": 30}]
    assert list(table.to_dataframe(exclude={"word", "flag"}).columns) == ["number"]


def test_columns_have_parts_of_their_own(keep: Keep) -> None:
    (table,) = keep(small_table())
    column = table["number"]
    assert column[0] == 10
    assert plain(column[1:3]) == [20, 30]
    assert plain(column[[3, 0]]) == [40, 10]
    assert plain(column[np.array([True, False, True, False])]) == [10, 30]
    assert len(column) == 4
    assert plain(column.data[:]) == [10, 20, 30, 40]
    assert column.get(2) == 30


@pytest.mark.parametrize("row", [4, -5, [0, 9], np.array([9])])
def test_rows_out_of_range_are_refused(keep: Keep, row: Any) -> None:
    (table,) = keep(small_table())
    with pytest.raises(IndexError, match="4"):
        table[row]
    with pytest.raises(IndexError):
        table[row, "number"]


def test_rows_come_as_plain_columns_too(keep: Keep) -> None:
    """PyNWB gives a list of the id and every column."""
    (table,) = keep(small_table())
    found = table.get([1, 2], df=False)
    values = list(found.values()) if isinstance(found, dict) else found
    assert [plain(each) for each in values] == [[1, 2], [20, 30], ["bb", ""], [False, False]]


# What does not fit is not written.


def _one_column_grows() -> Any:
    table = small_table()
    table["number"].append([50])
    return table


def _values_grow_alone() -> Any:
    table: Any = DynamicTable("t", "d", id=[0])
    table.add_column(name="many", description="d", data=[[1]], index=True)
    table["many"].target.append([5])
    return table


def _too_many_blocks() -> Any:
    column = VectorData(name="number", description="d", data=iter([np.arange(4), np.arange(4)]))
    return DynamicTable("t", "d", id=[0, 1, 2], columns=[column])


def _blocks_without_identifiers() -> Any:
    return DynamicTable("t", "d", columns=[VectorData(name="number", description="d", data=iter([np.arange(4)]))])


@pytest.mark.parametrize("make", [_one_column_grows, _values_grow_alone, _too_many_blocks, _blocks_without_identifiers])
def test_columns_that_do_not_fit_are_not_written(make: Callable[[], Any]) -> None:
    url = f"memory://{uuid.uuid4().hex}"
    with pytest.raises(ValueError, match=r"number|many|id"), NWBZarrIO(url, "w") as io:
        io.write(session(make()))
    with pytest.raises(NWBZarrError):
        nwbzarr.open(url)


@pytest.mark.parametrize("make", [_one_column_grows, _values_grow_alone])
def test_columns_that_do_not_fit_are_not_added_to_what_is_stored(make: Callable[[], Any]) -> None:
    """The same, by `append` on one dataset of a stored table."""
    url = f"memory://{uuid.uuid4().hex}"
    fit = small_table()
    fit.add_column(name="many", description="d", data=[[1], [], [2], []], index=True)
    with NWBZarrIO(url, "w") as io:
        io.write(session(fit))
    with NWBZarrIO(url, "r+") as io:
        nwb: Any = io.read()
        table = nwb.processing["tables"]["t"]
        (table["number"] if make is _one_column_grows else table["many"].target).append([50])
        with pytest.raises(SchemaError, match=r"number|many"):
            io.write(nwb)
    assert nwbzarr.validate(url) == []
    assert len(nwbzarr.open(url).processing["tables"]["t"]["number"]) == 4


def test_blocks_come_with_identifiers(keep: Keep) -> None:
    column = VectorData(name="number", description="d", data=iter([np.arange(4), np.arange(4)]))
    (table,) = keep(DynamicTable("t", "d", id=list(range(8)), columns=[column]))
    assert len(table) == 8
    if hasattr(table["number"].data, "shape"):
        assert plain(table["number"][:]) == [0, 1, 2, 3] * 2


def test_values_of_numpy_are_values(keep: Keep) -> None:
    made: Any = small_table()
    made.add_row(number=np.int32(50), word=np.str_("e"), flag=np.bool_(True))
    (table,) = keep(made)
    assert rows_of(table[4]) == [{"number": 50, "word": "e", "flag": True}]


# Frames.


def test_frames_become_tables(keep: Keep) -> None:
    frame = pd.DataFrame(
        {"a": [1, 2, 3], "b": [0.5, np.nan, 2.5], "c": ["x", "y", "z"], "many": [[1, 2], [], [3]]},
        index=pd.Index([5, 6, 9], name="id"),
    )
    made: Any = DynamicTable.from_dataframe(
        frame, name="t", table_description="from a frame", columns=[{"name": "a", "description": "an a"}]
    )
    (table,) = keep(made)
    assert table.name == "t"
    assert table.description == "from a frame"
    assert table["a"].description == "an a"
    assert table["b"].description == "no description"
    assert plain(table.id[:]) == [5, 6, 9]
    found = table.to_dataframe()
    assert list(found.columns) == list(frame.columns)
    assert found["a"].tolist() == [1, 2, 3]
    assert np.array_equal(found["b"], frame["b"], equal_nan=True)
    assert found["c"].tolist() == ["x", "y", "z"]
    assert [plain(each) for each in found["many"]] == [[1, 2], [], [3]]
    assert isinstance(table["many"], VectorIndex)


def test_cells_of_one_length_become_a_column_of_two_dimensions(keep: Keep) -> None:
    frame = pd.DataFrame({"pair": [[1, 2], [3, 4], [5, 6]]})
    (table,) = keep(DynamicTable.from_dataframe(frame, name="t"))
    assert plain(table["pair"][:]) == [[1, 2], [3, 4], [5, 6]]
    assert not isinstance(table["pair"], VectorIndex)
    assert plain(table["pair"].data[:]) == [[1, 2], [3, 4], [5, 6]]


def test_a_column_of_a_frame_may_be_the_identifiers() -> None:
    frame = pd.DataFrame({"number": [4, 2], "a": ["x", "y"]})
    table = DynamicTable.from_dataframe(frame, name="t", index_column="number")
    assert plain(table.id[:]) == [4, 2]
    assert plain(table["a"][:]) == ["x", "y"]


def test_frames_of_categories_and_nullable_numbers_become_tables(keep: Keep) -> None:
    frame = pd.DataFrame({"kind": pd.Categorical(["go", "stop", "go"]), "whole": pd.array([1, 2, 3], dtype="Int64")})
    (table,) = keep(DynamicTable.from_dataframe(frame, name="t"))
    assert plain(table["kind"][:]) == ["go", "stop", "go"]
    assert plain(table["whole"][:]) == [1, 2, 3]


def test_frames_without_what_a_type_requires_make_no_table() -> None:
    with pytest.raises(ValueError, match="stop_time"):
        TimeIntervals.from_dataframe(pd.DataFrame({"start_time": [1.0]}), name="t")
    with pytest.raises(ValueError, match="more"):
        DynamicTable.from_dataframe(pd.DataFrame({"a": [1]}), name="t", columns=[{"name": "more", "description": "d"}])


def test_frames_become_tables_of_a_type(keep: Keep) -> None:
    frame = pd.DataFrame({"start_time": [1.0, 2.0], "stop_time": [1.5, 2.5], "tags": [["a", "b"], ["c"]]})
    (table,) = keep(TimeIntervals.from_dataframe(frame, name="t", table_description="d"))
    assert isinstance(table, TimeIntervals)
    assert [plain(each) for each in table["tags"][:]] == [["a", "b"], ["c"]]
    table.add_interval(start_time=3.0, stop_time=4.0, tags=["d"])
    assert len(table) == 3


def test_frames_come_back_from_scratch(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    nwb = session()
    nwb.add_scratch(frame, name="kept", description="a frame")
    with NWBZarrIO(tmp_path / "s", "w") as io:
        io.write(nwb)
    found = nwbzarr.open(tmp_path / "s").get_scratch("kept")
    assert found["a"].tolist() == [1, 2]
    assert found["b"].tolist() == ["x", "y"]


# Regions.


def test_a_region_chooses_rows_of_a_table(keep: Keep) -> None:
    target = small_table("target")
    made: Any = DynamicTable("t", "d")
    made.add_column(name="one", description="d", table=target)
    made.add_row(one=3)
    made.add_row(one=0)
    _, table = keep(target, made)
    region = table["one"]
    assert isinstance(region, DynamicTableRegion)
    assert region.table["number"][0] == 10
    assert region.get(0, index=True) == 3
    assert plain(region.get(slice(None), index=True)) == [3, 0]
    assert rows_of(region[0]) == SMALL_ROWS[3:]
    assert rows_of(region[:]) == [SMALL_ROWS[3], SMALL_ROWS[0]]
    assert rows_of(region[[1]]) == SMALL_ROWS[:1]
    assert rows_of(region.to_dataframe()) == [SMALL_ROWS[3], SMALL_ROWS[0]]
    assert list(region.to_dataframe().index) == [3, 0]
    assert plain(region.data[:]) == [3, 0]
    with pytest.raises(IndexError):
        region[2]


def test_regions_in_frames_are_rows_or_numbers(keep: Keep) -> None:
    target = small_table("target")
    made: Any = DynamicTable("t", "d")
    made.add_column(name="one", description="d", table=target)
    made.add_column(name="many", description="d", table=target, index=True)
    made.add_row(one=3, many=[0, 2])
    made.add_row(one=0, many=[])
    _, table = keep(target, made)
    numbers = table.to_dataframe(index=True)
    assert plain(numbers["one"].to_numpy()) == [3, 0]
    assert [plain(each) for each in numbers["many"]] == [[0, 2], []]
    nested = table.to_dataframe()
    assert rows_of(nested["one"][0]) == SMALL_ROWS[3:]
    assert rows_of(nested["many"][0]) == [SMALL_ROWS[0], SMALL_ROWS[2]]
    assert len(nested["many"][1]) == 0
    assert rows_of(table["many"][0]) == [SMALL_ROWS[0], SMALL_ROWS[2]]
    assert table.has_foreign_columns()
    assert table.get_foreign_columns() == ["one", "many"]


def test_tables_that_are_linked_to_are_found(keep: Keep) -> None:
    last = small_table("last")
    middle: Any = DynamicTable("middle", "d")
    middle.add_column(name="one", description="d", table=last)
    middle.add_row(one=3)
    made: Any = DynamicTable("t", "d")
    made.add_column(name="many", description="d", table=middle, index=True)
    made.add_row(many=[0])
    last, middle, table = keep(last, middle, made)
    found = table.get_linked_tables()
    assert [(each.source_table, each.source_column.name, each.target_table) for each in found] == [
        (table, "many", middle),
        (middle, "one", last),
    ]


def test_selected_rows_hold_numbers_of_rows_unless_asked(keep: Keep) -> None:
    """PyNWB: brackets and `get` give row numbers, `to_dataframe` the rows."""
    target = small_table("target")
    made: Any = DynamicTable("t", "d")
    made.add_column(name="one", description="d", table=target)
    made.add_row(one=3)
    _, table = keep(target, made)
    assert table[0:1]["one"][0] == 3
    assert table.get(slice(0, 1))["one"][0] == 3
    assert rows_of(table.get(slice(0, 1), index=False)["one"][0]) == SMALL_ROWS[3:]


def test_create_region_takes_slices_and_numbers() -> None:
    table = small_table()
    assert plain(table.create_region(name="r", region=slice(1, 3), description="d").data) == [1, 2]
    assert plain(table.create_region(name="r", region=[3, 0], description="d").data) == [3, 0]
    assert plain(table.create_region(name="r", region=(3,), description="d").data) == [3]
    assert plain(table.create_region(name="r", region=slice(None), description="d").data) == [0, 1, 2, 3]
    assert table.create_region(name="r", region=[0], description="which").description == "which"
    assert table.create_region(name="r", region=[0], description="which").table is table


@pytest.mark.parametrize("region", [[4], [-1], [0, 9], slice(2, 9), slice(-1, 2)])
def test_create_region_refuses_rows_that_are_not_there(region: Any) -> None:
    with pytest.raises((SchemaError, IndexError)):
        small_table().create_region(name="r", region=region, description="d")


def test_a_region_by_hand_refuses_rows_that_are_not_there() -> None:
    table = small_table()
    with pytest.raises(SchemaError, match="4"):
        DynamicTableRegion(name="r", data=[0, 4], description="d", table=table)
    DynamicTableRegion(name="r", data=[0, 4], description="d", table=table, validate_data=False)
    with pytest.raises(FieldTypeError):
        DynamicTableRegion(name="r", data=[0.5], description="d", table=table)


def test_a_column_of_regions_refuses_rows_that_are_not_there() -> None:
    target = small_table("target")
    table: Any = DynamicTable("t", "d")
    table.add_column(name="one", description="d", table=target)
    table.add_column(name="many", description="d", table=target, index=True)
    with pytest.raises(SchemaError, match="one"):
        table.add_row(one=4, many=[0])
    with pytest.raises(SchemaError, match="many"):
        table.add_row(one=0, many=[0, 4])
    assert len(table) == 0
    assert len(table["one"]) == len(table["many"].target) == 0
    with pytest.raises(SchemaError, match="more"):
        DynamicTable("u", "d", id=[0]).add_column(name="more", description="d", data=[7], table=target)


def test_the_table_of_a_region_may_come_later(keep: Keep) -> None:
    target = small_table("target")
    made: Any = DynamicTable("t", "d")
    made.add_column(name="one", description="d", table=True)
    made.add_row(one=1)
    made["one"].table = target
    _, table = keep(target, made)
    assert rows_of(table["one"][0]) == SMALL_ROWS[1:2]


def test_target_tables_name_the_tables_of_regions(keep: Keep) -> None:
    target = small_table("target")
    region = DynamicTableRegion(name="one", data=[2], description="d")
    made: Any = DynamicTable("t", "d", columns=[region], target_tables={"one": target})
    found, table = keep(target, made)
    assert table["one"].table is found
    with pytest.raises(NWBZarrError):
        DynamicTable(
            "t",
            "d",
            columns=[DynamicTableRegion(name="one", data=[9], description="d")],
            target_tables={"one": target},
        )


def test_a_region_of_no_table_is_not_written() -> None:
    url = f"memory://{uuid.uuid4().hex}"
    table: Any = DynamicTable("t", "d")
    table.add_column(name="one", description="d", table=True)
    table.add_row(one=1)
    with pytest.raises(SchemaError, match=r"one|table"), NWBZarrIO(url, "w") as io:
        io.write(session(table))
    with pytest.raises(NWBZarrError):
        nwbzarr.open(url)


# Tables side by side.


def aligned() -> AlignedDynamicTable:
    return AlignedDynamicTable(
        name="whole",
        description="d",
        columns=[VectorData(name="main", description="d", data=[1, 2, 3])],
        category_tables=[
            DynamicTable("left", "d", columns=[VectorData(name="a", description="d", data=["x", "y", "z"])]),
            DynamicTable("right", "d", columns=[VectorData(name="b", description="d", data=[0.5, 1.5, 2.5])]),
        ],
    )


def test_categories_stand_side_by_side(keep: Keep) -> None:
    (table,) = keep(aligned())
    assert list(table.categories) == ["left", "right"]
    assert len(table) == 3
    assert plain(table.category_tables["left"]["a"][:]) == ["x", "y", "z"]
    assert table.get_category("left") is table.category_tables["left"]
    assert table.get_category() is table
    assert table.get_colnames() == ("main",) or table.get_colnames() == ["main"]
    assert table.get_colnames(include_category_tables=True) == [
        ("whole", "main"),
        ("left", "id"),
        ("left", "a"),
        ("right", "id"),
        ("right", "b"),
    ]
    assert table.get_colnames(include_category_tables=True, ignore_category_ids=True) == [
        ("whole", "main"),
        ("left", "a"),
        ("right", "b"),
    ]


def test_categories_become_one_frame(keep: Keep) -> None:
    (table,) = keep(aligned())
    frame = table.to_dataframe()
    assert list(frame.columns) == [("whole", "main"), ("left", "id"), ("left", "a"), ("right", "id"), ("right", "b")]
    assert frame[("left", "a")].tolist() == ["x", "y", "z"]
    assert frame.index.name == ("whole", "id")
    plain_frame = table.to_dataframe(ignore_category_ids=True)
    assert list(plain_frame.columns) == [("whole", "main"), ("left", "a"), ("right", "b")]


def test_categories_are_asked_for_columns_rows_and_cells(keep: Keep) -> None:
    (table,) = keep(aligned())
    assert plain(table["main"][:]) == [1, 2, 3]
    assert plain(table["left", "a"][:]) == ["x", "y", "z"]
    assert table["left", "a", 1] == "y"
    assert table[1, "left", "a"] == "y"
    assert table[1, ("left", "a")] == "y"
    assert table[[0, 2]][("right", "b")].tolist() == [0.5, 2.5]
    assert table[1][("whole", "main")].tolist() == [2]
    assert ("left", "a") in table
    assert ("left", "b") not in table
    assert "left" in table
    assert "main" in table


def test_a_category_by_name_is_a_frame(keep: Keep) -> None:
    """PyNWB: brackets give the frame of a category, `get_category` the table."""
    (table,) = keep(aligned())
    assert isinstance(table["left"], pd.DataFrame)
    assert table["left"]["a"].tolist() == ["x", "y", "z"]


def test_rows_are_added_to_all_categories(keep: Keep) -> None:
    made = aligned()
    made.add_row(main=4, left={"a": "w"}, right={"b": 3.5})
    made.add_column(name="more", description="d", data=[1, 2, 3, 4], category="left")
    (table,) = keep(made)
    assert len(table) == 4
    assert [len(each) for each in table.category_tables.values()] == [4, 4]
    assert plain(table["left", "more"][:]) == [1, 2, 3, 4]
    assert table.to_dataframe()[("right", "b")].tolist() == [0.5, 1.5, 2.5, 3.5]


@pytest.mark.parametrize(
    "row",
    [
        {"main": 4, "left": {"a": "w"}},
        {"main": 4, "left": {"a": "w"}, "right": {}},
        {"left": {"a": "w"}, "right": {"b": 3.5}},
        {"main": 4, "left": {"a": "w"}, "right": {"b": 3.5, "more": 1}},
    ],
)
def test_a_row_that_one_category_refuses_adds_nothing(row: dict[str, Any]) -> None:
    table = aligned()
    with pytest.raises(NWBZarrError):
        table.add_row(**row)
    assert [len(table), *(len(each) for each in table.category_tables.values())] == [3, 3, 3]
    assert {len(each["a" if name == "left" else "b"]) for name, each in table.category_tables.items()} == {3}
    assert len(table["main"]) == 3


def test_categories_must_align() -> None:
    table = aligned()
    with pytest.raises(SchemaError, match="3"):
        table.add_category(DynamicTable("short", "d", id=[0]))
    with pytest.raises(SchemaError, match="inner"):
        table.add_category(AlignedDynamicTable("inner", "d", id=[0, 1, 2]))
    with pytest.raises(DuplicateNameError, match="left"):
        table.add_category(DynamicTable("left", "d", id=[0, 1, 2]))
    assert list(table.categories) == ["left", "right"]
    table.add_category(DynamicTable("last", "d", id=[0, 1, 2]))
    assert list(table.categories) == ["left", "right", "last"]


def test_identifiers_follow_from_the_categories_when_there_are_no_columns(keep: Keep) -> None:
    part = DynamicTable("part", "d", columns=[VectorData(name="a", description="d", data=[1, 2])])
    (table,) = keep(AlignedDynamicTable("whole", "d", category_tables=[part]))
    assert len(table) == 2
    assert plain(table.id[:]) == [0, 1]


# Fixed sets of values, and what they mean.


def test_an_enumeration_gives_its_elements(keep: Keep) -> None:
    made: Any = DynamicTable("t", "d")
    made.add_column(name="kind", description="d", enum=["go", "stop"])
    for kind in ("stop", "go", "stop", "wait"):
        made.add_row(kind=kind)
    (table,) = keep(made)
    column = table["kind"]
    assert isinstance(column, EnumData)
    assert column[0] == "stop"
    assert plain(column[:]) == ["stop", "go", "stop", "wait"]
    assert plain(column[[3, 1]]) == ["wait", "go"]
    assert plain(column.elements[:]) == ["go", "stop", "wait"]
    assert plain(column.data[:]) == [1, 0, 1, 2]
    assert plain(column.get(slice(0, 2), index=True)) == [1, 0]
    assert table.to_dataframe()["kind"].tolist() == ["stop", "go", "stop", "wait"]
    assert table.colnames == ("kind",)


def test_an_enumeration_takes_numbers_when_told_so() -> None:
    column: Any = EnumData(name="kind", description="d", data=[0], elements=["a", "b"])
    column.add_row(1, index=True)
    column.add_row("a")
    assert plain(column[:]) == ["a", "b", "a"]


def test_an_enumeration_is_added_with_its_data(keep: Keep) -> None:
    made: Any = DynamicTable("t", "d", id=[0, 1, 2])
    made.add_column(name="kind", description="d", data=[1, 0, 1], enum=["a", "b"])
    elements = VectorData(name="size_elements", description="d", data=["s", "l"])
    made.add_column(name="size", description="d", data=np.array([0, 0, 1], dtype=np.uint8), enum=elements)
    (table,) = keep(made)
    assert table.to_dataframe()["kind"].tolist() == ["b", "a", "b"]
    assert plain(table["size"][:]) == ["s", "s", "l"]
    assert table["size"].elements.name == "size_elements"


def test_meanings_are_found_by_column(keep: Keep) -> None:
    made: Any = DynamicTable("t", "d")
    made.add_column(name="kind", description="d", data=[])
    made.add_row(kind="go")
    meanings = MeaningsTable(target=made["kind"])
    meanings.add_row(value="go", meaning="lick")
    meanings.add_row(value="stop", meaning="wait")
    made.add_meanings_table(meanings)
    (table,) = keep(made)
    found = table.get_meanings_for_column("kind")
    assert found.name == "kind_meanings"
    assert found is table.get_meanings_table("kind_meanings")
    assert list(table.meanings_tables) == ["kind_meanings"]
    assert found.target is table["kind"]
    assert found.to_dataframe()["meaning"].tolist() == ["lick", "wait"]
    assert table["kind"].get_meanings() is found
    assert table.colnames == ("kind",)


def test_meanings_given_to_the_constructor() -> None:
    column = VectorData(name="kind", description="d", data=["go"])
    meanings = MeaningsTable(target=column, description="what kinds mean")
    meanings.add_row(value="go", meaning="lick")
    (table,) = in_memory_store(DynamicTable("t", "d", columns=[column], meanings_tables=[meanings]))
    assert table.get_meanings_for_column("kind").description == "what kinds mean"
    assert plain(table.get_meanings_for_column("kind")["meaning"][:]) == ["lick"]


def test_columns_without_meanings_have_none() -> None:
    table = small_table()
    assert table.get_meanings_for_column("number") is None
    with pytest.raises(KeyError, match="nothing"):
        table.get_meanings_for_column("nothing")
    other = MeaningsTable(target=VectorData(name="elsewhere", description="d", data=[1]))
    with pytest.raises(NWBZarrError, match="elsewhere"):
        table.add_meanings_table(other)


# Sparse matrices.


@pytest.mark.parametrize("form", ["scipy", "arrays", "dense"])
def test_sparse_matrices(keep: Keep, form: str) -> None:
    dense = np.array([[0.0, 1.5, 0.0], [0.0, 0.0, 0.0], [2.5, 0.0, 3.5]])
    matrix = sparse.csr_matrix(dense)
    if form == "scipy":
        made = CSRMatrix(matrix, name="m")
    elif form == "dense":
        made = CSRMatrix(dense, name="m")
    else:
        made = CSRMatrix(data=matrix.data, indices=matrix.indices, indptr=matrix.indptr, shape=(3, 3), name="m")
    (found,) = keep(made)
    assert np.array_equal(found.to_spmat().toarray(), dense)
    assert plain(found.data[:]) == [1.5, 2.5, 3.5]
    assert plain(found.indices[:]) == [1, 0, 2]
    assert plain(found.indptr[:]) == [0, 1, 1, 3]
    assert plain(found.shape) == [3, 3]


def test_sparse_arrays_need_their_indices() -> None:
    with pytest.raises(ValueError, match="indptr"):
        CSRMatrix(data=[1.0], indices=[0], name="m")


# Properties.

NUMBERS = st.integers(-(2**63), 2**63 - 1)
VALUES = st.sampled_from(
    [NUMBERS, st.floats(), st.text(max_size=5), st.booleans()],
)
RAGGED = VALUES.flatmap(lambda one: st.lists(st.lists(one, max_size=4), min_size=1, max_size=6))
DEEP = VALUES.flatmap(lambda one: st.lists(st.lists(st.lists(one, max_size=3), max_size=3), min_size=1, max_size=4))
ONE_COLUMN = VALUES.flatmap(lambda one: st.lists(one, min_size=3, max_size=3))
TABLES = st.dictionaries(st.sampled_from("abcde"), ONE_COLUMN, min_size=1, max_size=4)


def same(found: Any, wanted: Any) -> bool:
    """Whether nested lists are equal, NaN to NaN, and of the same types."""
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, float) and np.isnan(wanted):
        return isinstance(found, float) and bool(np.isnan(found))
    return type(found) is type(wanted) and bool(found == wanted)


@QUICKLY
@given(RAGGED)
def test_ragged_columns_are_read_as_written(rows: list[list[Any]]) -> None:
    made: Any = DynamicTable("t", "d", id=list(range(len(rows))))
    made.add_column(name="many", description="d", data=rows, index=True)
    (table,) = in_memory_store(made)
    assert same([plain(each) for each in table["many"][:]], rows)
    assert same([plain(table["many"][row]) for row in range(len(rows))], rows)
    assert same([plain(each) for each in table.to_dataframe()["many"]], rows)


@QUICKLY
@given(DEEP)
def test_doubly_ragged_columns_are_read_as_written(rows: list[list[list[Any]]]) -> None:
    made: Any = DynamicTable("t", "d", id=list(range(len(rows))))
    made.add_column(name="deep", description="d", data=rows, index=2)
    (table,) = in_memory_store(made)
    assert same([plain(each) for each in table["deep"][:]], rows)
    assert same([plain(table["deep"][row]) for row in range(len(rows))], rows)


@QUICKLY
@given(RAGGED)
def test_ragged_rows_one_by_one_equal_the_column(rows: list[list[Any]]) -> None:
    whole: Any = DynamicTable("whole", "d", id=list(range(len(rows))))
    whole.add_column(name="many", description="d", data=rows, index=True)
    single: Any = DynamicTable("single", "d")
    single.add_column(name="many", description="d", index=True)
    for row in rows:
        single.add_row(many=row)
    assert same([plain(each) for each in single["many"][:]], [plain(each) for each in whole["many"][:]])
    stored = in_memory_store(whole, single)
    for table in stored:
        assert same([plain(each) for each in table["many"][:]], rows)
        assert plain(table.id[:]) == list(range(len(rows)))
    assert stored[0]["many"].target.data.dtype == stored[1]["many"].target.data.dtype
    assert stored[0]["many"].data.dtype == stored[1]["many"].data.dtype


@QUICKLY
@given(TABLES)
def test_rows_one_by_one_equal_columns(columns: dict[str, list[Any]]) -> None:
    whole: Any = DynamicTable(
        "whole", "d", columns=[VectorData(name=name, description="d", data=data) for name, data in columns.items()]
    )
    single: Any = DynamicTable("single", "d")
    for name in columns:
        single.add_column(name=name, description="d")
    for row in range(3):
        single.add_row({name: data[row] for name, data in columns.items()})
    for table in (*in_memory_store(whole, single), whole, single):
        assert table.colnames == tuple(columns)
        for name, data in columns.items():
            assert same(plain(table[name][:]), data)
    pd.testing.assert_frame_equal(whole.to_dataframe(), single.to_dataframe())


SELECTIONS = st.one_of(
    st.slices(3),
    st.lists(st.integers(-3, 2), max_size=5),
    st.lists(st.booleans(), min_size=3, max_size=3),
)


@QUICKLY
@given(TABLES, st.lists(SELECTIONS, min_size=1, max_size=4))
def test_selections_equal_those_of_pandas(columns: dict[str, list[Any]], selections: list[Any]) -> None:
    made: Any = DynamicTable(
        "t", "d", columns=[VectorData(name=name, description="d", data=data) for name, data in columns.items()]
    )
    (stored,) = in_memory_store(made)
    wanted = pd.DataFrame({name: pd.Series(data, dtype=object) for name, data in columns.items()})
    for selection in selections:
        for table in (made, stored):
            found, rows = table[selection], wanted.iloc[selection]
            assert list(found.index) == list(rows.index)
            for name in columns:
                assert same(plain(found[name].to_numpy()), list(rows[name]))


@QUICKLY
@given(TABLES)
def test_frames_and_tables_are_two_ways_to_say_the_same(columns: dict[str, list[Any]]) -> None:
    frame = pd.DataFrame({name: pd.Series(data) for name, data in columns.items()})
    (table,) = in_memory_store(DynamicTable.from_dataframe(frame, name="t"))
    found = table.to_dataframe()
    assert list(found.columns) == list(frame.columns)
    for name, data in columns.items():
        assert same(plain(found[name].to_numpy()), data)


@QUICKLY
@given(
    st.lists(st.integers(0, 3), max_size=6), st.lists(st.lists(st.integers(0, 3), max_size=3), min_size=1, max_size=4)
)
def test_regions_are_read_as_written(flat: list[int], ragged: list[list[int]]) -> None:
    target = small_table("target")
    made: Any = DynamicTable("t", "d", id=list(range(len(ragged))))
    made.add_column(name="many", description="d", data=ragged, table=target, index=True)
    region = target.create_region(name="region", region=flat, description="d")
    _, table, found = in_memory_store(target, made, region)
    assert [plain(each) for each in table.to_dataframe(index=True)["many"]] == ragged
    assert [rows_of(each) for each in table.to_dataframe()["many"]] == [
        [SMALL_ROWS[row] for row in rows] for rows in ragged
    ]
    assert rows_of(found[:]) == [SMALL_ROWS[row] for row in flat]


def test_missing_columns_are_named() -> None:
    with pytest.raises(MissingFieldError, match="flag"):
        small_table().add_row(number=1, word="x")
