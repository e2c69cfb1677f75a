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
        fields = [{"name": name, "data_type": encode_data_type(dtype[name])} for name in dtype.names or ()]
        if any(field["data_type"] == "string" for field in fields):
            message = "text fields of a compound must have a fixed width (dtype 'U12'), but an object field came"
            raise FieldTypeError(message)
        return {"name": "struct", "configuration": {"fields": fields}}
    if dtype.kind == "U":
        return {"name": "fixed_length_utf32", "configuration": {"length_bytes": dtype.itemsize}}
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
        if data_type == "string":
            return TEXT
        return np.dtype(data_type) if data_type in PLAIN_TYPES else None
    if not isinstance(data_type, Mapping):
        return None
    configuration = data_type.get("configuration", {})
    if data_type.get("name") == "fixed_length_utf32" and isinstance(configuration.get("length_bytes"), int):
        return np.dtype(f"U{configuration['length_bytes'] // 4}")
    if data_type.get("name") in ("struct", "structured"):
        return _parse_struct(configuration.get("fields"))
    return None


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


def _parse_struct(fields: Any) -> np.dtype[Any] | None:
    """Return the compound dtype of fields given as objects or as pairs."""
    if not isinstance(fields, list) or not fields:
        message = f"a struct data type must list its fields, but {fields!r} was found"
        raise DocumentError(message)
    parsed: list[tuple[str, np.dtype[Any]]] = []
    for field in fields:
        name, inner = (field.get("name"), field.get("data_type")) if isinstance(field, Mapping) else field
        dtype = parse_data_type(inner)
        if dtype is None:
            return None
        parsed.append((str(name), dtype))
    return np.dtype(parsed)
