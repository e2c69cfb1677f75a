"""Rows of compounds: tuples and structured arrays, checked against the fields that the schema asks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from nwbzarr.errors import FieldTypeError
from nwbzarr.model.values import KINDS, parse_rows, wrong_type
from nwbzarr.schema.language import standard_dtype
from nwbzarr.schema.specs import CompoundField, ReferenceTo


def parse_compound(value: Any, fields: tuple[CompoundField, ...], where: str) -> np.ndarray[Any, Any]:
    """Return rows of a compound dtype, given as a structured array, a frame's records, one tuple or a list of them.

    Text and reference fields become objects; the width of text is settled when it is stored.

    Raises
    ------
    FieldTypeError
        When a row has other fields than the schema asks for.
    """
    names = [field.name for field in fields]
    dtype = np.dtype([(field.name, compound_dtype(field)) for field in fields])
    if isinstance(value, np.ndarray) and value.dtype.names is not None:
        if list(value.dtype.names) != names:
            raise wrong_type(where, f"a compound of {', '.join(names)}", value)
        made = np.empty(value.shape, dtype)
        for name in names:
            made[name] = value[name]
        return made
    try:
        if _is_one_row(value, len(names)):
            _check_whole_numbers([tuple(value)], dtype, where)
            return np.array(tuple(value), dtype=dtype)
        rows = [tuple(row) for row in value]
        _check_whole_numbers(rows, dtype, where)
        return np.array(rows, dtype=dtype)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError) as error:
        if isinstance(error, FieldTypeError):
            raise
        raise wrong_type(where, f"rows of ({', '.join(names)})", value) from error


def _check_whole_numbers(rows: list[tuple[Any, ...]], dtype: np.dtype[Any], where: str) -> None:
    """Raise `FieldTypeError` for a fraction, a text or a number out of range where a field holds integers."""
    for position, name in enumerate(dtype.names or ()):
        kind = dtype[name]
        if kind.kind not in "iu":
            continue
        bounds = np.iinfo(kind)
        for index, row in enumerate(rows):
            value = row[position]
            number = isinstance(value, int | np.integer) and not isinstance(value, bool)
            whole = number or (isinstance(value, float | np.floating) and float(value).is_integer())
            if not whole or not bounds.min <= int(value) <= bounds.max:
                names = ", ".join(dtype.names or ())
                message = (
                    f"{where} ({names}) must hold integers that fit {kind} in {name}, but row {index} has {value!r}"
                )
                raise FieldTypeError(message)


def _is_one_row(value: Any, width: int) -> bool:
    """Whether a value is one row of a compound, and no list of rows."""
    if isinstance(value, tuple):
        return True
    return len(value) == width and not isinstance(value[0], list | tuple | np.ndarray | np.void | str)


def compound_dtype(field: CompoundField) -> str:
    """Return NumPy's dtype for a field of a compound."""
    if isinstance(field.dtype, ReferenceTo):
        return "O"
    word = standard_dtype(field.dtype)
    return {"numeric": "float64", "bool": "bool"}.get(word, word if word in KINDS else "O")


def parse_stored_compound(rows: Any, dtype: np.dtype[Any], where: str) -> np.ndarray[Any, Any]:
    """Return rows of a stored compound in its dtype.

    Raises
    ------
    FieldTypeError
        When a row has other fields.
    """
    if isinstance(rows, np.ndarray) and rows.dtype.names is not None:
        return parse_rows(rows, dtype, where)
    try:
        return np.array([tuple(row) for row in rows], dtype=dtype)
    except (TypeError, ValueError) as error:
        raise wrong_type(where, f"rows of ({', '.join(dtype.names or ())})", rows) from error
