"""Columns on their way into a table: checked, ordered, split into values and ends of rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from nwbzarr.errors import FieldTypeError, SchemaError
from nwbzarr.model.columns import ElementIdentifiers, EnumData, VectorData
from nwbzarr.model.elements import Element
from nwbzarr.model.ragged import VectorIndex
from nwbzarr.model.values import shape_of


def listed_columns(columns: Any) -> list[VectorData]:
    """Return columns given to a constructor.

    Raises
    ------
    FieldTypeError
        When one is no column.
    """
    found = list(columns or ())
    for column in found:
        if not isinstance(column, VectorData):
            message = f"columns of a DynamicTable must be VectorData, or extend it, but {type(column).__name__} came ({column!r})"
            raise FieldTypeError(message)
    return found


def chain_of(column: Any) -> list[Any]:
    """Return a column with what it is an index of, outermost index first."""
    chain = [column]
    while isinstance(chain[-1], VectorIndex):
        chain.append(chain[-1].target)
    return chain


def identifiers_of(given: Any, columns: list[VectorData]) -> ElementIdentifiers:
    """Return the identifiers of a new table's rows: those given, else numbers from 0."""
    if isinstance(given, ElementIdentifiers):
        return given
    if given is None:
        targets = {id(part) for column in columns for part in chain_of(column)[1:]}
        tops = [column for column in columns if id(column) not in targets]
        given = list(range(tops[0].row_count() or 0)) if tops else []
    return ElementIdentifiers("id", list(given) if isinstance(given, tuple | range) else given)


def order_columns(columns: list[VectorData], given: Any, table: str) -> list[str]:
    """Return the order of columns: as given, else as they came, ragged ones by their own name."""
    names = list(dict.fromkeys(chain_of(column)[-1].name for column in columns))
    skipped = {column.elements.name for column in columns if isinstance(column, EnumData)}
    names = [name for name in names if name not in skipped]
    if given is None:
        return names
    asked = [str(name) for name in given]
    if sorted(asked) != sorted(names):
        message = f"colnames of table {table!r} must name its columns {names}, each once, but {asked} came"
        raise SchemaError(message)
    return asked


def split_levels(name: str, data: Any, index: Any) -> tuple[Any, list[Any]]:
    """Return the flat values of a column and the ends of its rows, innermost first.

    Parameters
    ----------
    name : str
        Name of the column, for messages.
    data : array_like
        Lists of lists when `index` is a number of levels, flat values when it gives ends.
    index : bool, int or array_like
        Number of levels, or the ends of the rows; a list of lists of ends for several levels.
    """
    if isinstance(index, bool | int | np.integer):
        ends: list[Any] = []
        values = data
        for _ in range(int(index)):
            rows = list(values)
            for position, row in enumerate(rows):
                if isinstance(row, str) or not hasattr(row, "__len__"):
                    message = (
                        f"column {name!r} is ragged, so that every row must be a list, but row {position} is {row!r}"
                    )
                    raise FieldTypeError(message)
            ends.insert(0, np.cumsum([len(row) for row in rows], dtype=np.int64).tolist())
            values = [item for row in rows for item in row]
        return values, ends
    if isinstance(index, list) and index and isinstance(index[0], list | np.ndarray):
        return data, list(index)
    return data, [list(index) if isinstance(index, tuple) else index]


def _length(value: Any) -> int:
    """Return the length of an entry that is a list; -1 for one value, and for a row of a compound."""
    if isinstance(value, tuple) and (hasattr(value, "_fields") or any(isinstance(part, Element) for part in value)):
        return -1
    return len(value) if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim) else -1


def check_regular(values: list[Any], name: str) -> None:
    """Raise `SchemaError` for entries of different lengths, which only a ragged column can hold."""
    lengths = {_length(value) for value in values}
    if len(lengths) > 1:
        message = f"column {name!r} has rows of different lengths ({sorted(lengths)[:4]} …): add it with index=True"
        raise SchemaError(message)


def check_entry(column: VectorData, value: Any, *, ragged: bool = True) -> None:
    """Raise for a value that a column cannot take, before anything is added."""
    if isinstance(column, VectorIndex):
        column.check_new_entry(value)
        return
    if value is None:
        message = f"column {column.name!r} must have a value in every row, but None came"
        raise FieldTypeError(message)
    column.check_new_entry(value)
    rules = column.rules_of_data()
    if rules is not None and isinstance(rules.dtype, tuple):
        return
    data = column.data
    if (
        ragged
        and isinstance(data, list)
        and data
        and isinstance(value, list | tuple | np.ndarray)
        and not isinstance(data[0], str | Element)
    ):
        first, found = shape_of(data[0]), shape_of(value)
        if first is not None and found is not None and first[:1] != found[:1]:
            message = (
                f"column {column.name!r} has entries of shape {first}, but {found} came: make it ragged (index=True), "
                "or give check_ragged=False"
            )
            raise SchemaError(message)


def checked_id(value: Any, table: str) -> int:
    """Return the identifier of a row, or raise `FieldTypeError` for what is no integer."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        message = f"the id of a row of table {table!r} must be an integer, but {value!r} came"
        raise FieldTypeError(message)
    return int(value)
