"""Data types: Zarr's JSON, NumPy's dtype, and the names that ``_DTYPE`` uses.

This room refuses dtypes that no reader of the convention knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nwbzarr.errors import DocumentError, FieldTypeError

#: Zarr data types whose name is NumPy's name (Zarr v3 core specification, "Data types").
PLAIN_TYPES = frozenset(
    {
        "bool",
        *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
        *(f"float{bits}" for bits in (16, 32, 64)),
        *(f"complex{bits}" for bits in (64, 128)),
    }
)

#: Bytes that one fixed-width text may not reach: NumPy's limit.
_LONGEST_TEXT = 2**31

#: The dtype under which variable-length text is held in memory.
TEXT = np.dtype("O")


def encode_data_type(dtype: np.dtype[Any]) -> Any:
    """Return Zarr's ``data_type`` for a NumPy dtype; object arrays count as text.

    Raises
    ------
    FieldTypeError
        For dtypes that Zarr v3 has no stable name for (datetime64, void without fields …).
    """
    if dtype.kind in "OT":
        return "string"
    if dtype.fields is not None:
        if not dtype.names:
            message = "a compound must have at least one field, but a dtype without fields came"
            raise FieldTypeError(message)
        fields = [{"name": name, "data_type": encode_data_type(dtype[name])} for name in dtype.names or ()]
        if any(field["data_type"] == "string" for field in fields):
            message = "text fields of a compound must have a fixed width (dtype 'U12'), but an object field came"
            raise FieldTypeError(message)
        return {"name": "struct", "configuration": {"fields": fields}}
    if dtype.kind == "U":
        return {"name": "fixed_length_utf32", "configuration": {"length_bytes": max(dtype.itemsize, 4)}}
    if dtype.name in PLAIN_TYPES:
        return dtype.name
    message = (
        f"data must be numbers, truth values, text or a compound of these, but dtype {dtype} came: "
        "convert it first (datetimes to ISO 8601 text or seconds, bytes to uint8)"
    )
    raise FieldTypeError(message)


def parse_data_type(data_type: Any) -> np.dtype[Any] | None:
    """Return the NumPy dtype of a Zarr ``data_type``, or None when only zarr can tell.

    Raises
    ------
    DocumentError
        When a compound's fields are not of the stored form.
    """
    if isinstance(data_type, str):
        plain = np.dtype(data_type) if data_type in PLAIN_TYPES else None
        return TEXT if data_type == "string" else plain
    configuration = data_type.get("configuration") if isinstance(data_type, Mapping) else None
    if not isinstance(configuration, Mapping):
        return None
    if data_type.get("name") == "fixed_length_utf32":
        return _parse_fixed_text(configuration.get("length_bytes"))
    if data_type.get("name") in ("struct", "structured"):
        return _parse_struct(configuration.get("fields"))
    return None


def _parse_fixed_text(length: Any) -> np.dtype[Any] | None:
    """Return the dtype of texts of some bytes, or None for a width that cannot be."""
    fits = type(length) is int and 0 < length < _LONGEST_TEXT and length % 4 == 0
    return np.dtype(f"U{int(length) // 4}") if fits else None


_SPECIAL_NUMBERS = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}


def packed(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return a compound dtype without gaps between its fields, and texts at least one character wide."""
    if dtype.fields is not None:
        return np.dtype([(name, packed(dtype[name])) for name in dtype.names or ()])
    return np.dtype("U1") if dtype.kind == "U" and dtype.itemsize == 0 else dtype


def dtype_name(dtype: np.dtype[Any]) -> str:
    """Return the word that ``_DTYPE`` uses for a NumPy dtype."""
    return "str" if dtype.kind in "OUT" else dtype.name


def fill_value(dtype: np.dtype[Any]) -> Any:
    """Return the fill value for a dtype as JSON: zero, false or the empty text."""
    if dtype.kind in "OUT":
        return ""
    if dtype.fields is not None:
        return {name: fill_value(dtype[name]) for name in dtype.names or ()}
    if dtype.kind == "c":
        return [0.0, 0.0]
    return np.zeros((), dtype).item()


def parse_fill(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return the value that a document's ``fill_value`` stands for (Zarr v3 core specification, "Fill value").

    Raises
    ------
    DocumentError
        When it is of a form that only zarr knows.
    """
    if dtype.kind in "OTU" and isinstance(value, str):
        return value
    if dtype.names is not None and isinstance(value, Mapping) and not any(map(_is_set, value.values())):
        return np.zeros((), dtype)[()]
    if dtype.kind == "c" and isinstance(value, list) and len(value) == 2:  # noqa: PLR2004 - real and imaginary part
        return complex(*(_parse_number(part) for part in value))
    if dtype.kind in "biuf":
        return _parse_number(value)
    message = f"a fill value of {dtype} must be of Zarr's form, but {value!r} was found"
    raise DocumentError(message)


def _parse_number(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    if value in _SPECIAL_NUMBERS:
        return _SPECIAL_NUMBERS[value]
    message = f"a fill value must be a number or one of {', '.join(_SPECIAL_NUMBERS)}, but {value!r} was found"
    raise DocumentError(message)


def _is_set(value: Any) -> bool:
    """Whether a part of a compound's fill value is anything but zeros."""
    return any(map(_is_set, value)) if isinstance(value, list) else bool(value)


def _parse_struct(fields: Any) -> np.dtype[Any] | None:
    """Return the compound dtype of fields given as objects or as pairs."""
    pairs = [_field_pair(field) for field in fields] if isinstance(fields, list) else []
    names = [name for name, _ in pairs]
    if not pairs or not all(isinstance(name, str) for name in names) or len(set(map(str, names))) != len(names):
        message = f"a struct data type must list fields with a name of their own and a data_type, but has {fields!r}"
        raise DocumentError(message)
    parsed = [(name, parse_data_type(inner)) for name, inner in pairs]
    return None if any(dtype is None for _, dtype in parsed) else np.dtype(parsed)


def _field_pair(field: Any) -> tuple[Any, Any]:
    """Return name and data type of a field; no name when it has another form."""
    if isinstance(field, Mapping):
        return (field["name"], field["data_type"]) if {"name", "data_type"} <= field.keys() else (None, None)
    return (field[0], field[1]) if isinstance(field, list) and len(field) == 2 else (None, None)  # noqa: PLR2004
