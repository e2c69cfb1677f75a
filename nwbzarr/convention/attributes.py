"""Attribute values as strict JSON, and back.

JSON has one number type and no NaN. What plain JSON would lose (the dtype of a NumPy value, NaN and the
infinities) is noted beside the attributes under ``_ATTRIBUTE_DTYPES``; a reader that does not know the note still
finds a number, a list, or the words ``"NaN"``, ``"Infinity"``, ``"-Infinity"`` that Zarr uses for fill values
(Zarr v3 core specification, "Fill value").

This room refuses values that JSON cannot carry at all.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import numpy as np

from nwbzarr.convention.names import ATTRIBUTE_DTYPES
from nwbzarr.errors import DocumentError, FieldTypeError

_NONFINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

#: What JSON numbers and truth values read back as, so that no note is needed.
_NATURAL = {"int64", "float64", "bool", "str"}


def encode_attributes(attributes: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Return `attributes` as strict JSON, with a note of the dtypes that JSON would lose.

    Parameters
    ----------
    attributes : mapping of str to value
        Text, numbers, truth values, datetimes, NumPy scalars and arrays, lists and dicts of these.
    owner : str
        What they belong to, for messages.

    Raises
    ------
    FieldTypeError
        For ``None``, complex numbers, bytes that are no UTF-8, and objects JSON has no form for.
    """
    encoded: dict[str, Any] = {}
    dtypes: dict[str, Any] = {}
    for name, value in attributes.items():
        encoded[name] = _encode(value, f"{owner}.{name}")
        dtype = _lost_dtype(value)
        if dtype is not None:
            dtypes[name] = dtype
    if dtypes:
        encoded[ATTRIBUTE_DTYPES] = dtypes
    return encoded


def decode_attribute(attributes: Mapping[str, Any], name: str) -> Any:
    """Return the value of the stored attribute `name`, with the dtype that was noted for it.

    Raises
    ------
    DocumentError
        When the note does not fit the value.
    """
    value = attributes[name]
    notes = attributes.get(ATTRIBUTE_DTYPES)
    note = notes.get(name) if isinstance(notes, dict) else None
    if note is None:
        return value
    try:
        if isinstance(note, dict) and "float64" in note:
            return _with_numbers(value, note["float64"])
        dtype, shape = (note["dtype"], note["shape"]) if isinstance(note, dict) else (note, None)
        array = np.array(_finite_or_word(value), dtype=dtype)
        array = array if shape is None else array.reshape(shape)
    except (TypeError, ValueError, KeyError, IndexError) as error:
        message = f"attribute {name!r} is noted as {note!r}, but its value is {value!r}"
        raise DocumentError(message) from error
    if array.ndim:
        return array
    return array.item() if dtype in _NATURAL else array[()]


def _encode(value: Any, owner: str) -> Any:
    """Return one value as JSON."""
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind == "c":
            message = f"{owner} cannot be complex: JSON attributes have no complex numbers; store it as a dataset"
            raise FieldTypeError(message)
        value = value.tolist()
    if value is None:
        message = f"{owner} must have a value, but None came: leave the attribute out instead"
        raise FieldTypeError(message)
    if isinstance(value, bytes):
        return _decode_text(value, owner)
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _word(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_encode(item, owner) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _encode(item, owner) for key, item in value.items()}
    message = f"{owner} must be a text, a number, a datetime or a list of these, but {type(value).__name__} came"
    raise FieldTypeError(message)


def _decode_text(value: bytes, owner: str) -> str:
    """Return bytes as text."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"{owner} must be UTF-8 text, but the bytes {value[:20]!r} are not: store them as a uint8 dataset"
        raise FieldTypeError(message) from error


def _lost_dtype(value: Any) -> Any:
    """Return the note of what JSON would lose, or None: a dtype, a dtype with a shape, or where floats stand."""
    if isinstance(value, np.ndarray):
        name = "str" if value.dtype.kind in "OUST" else value.dtype.name
        return name if value.size else {"dtype": name, "shape": list(value.shape)}
    if isinstance(value, np.generic):
        name = value.dtype.name
        lost = value.dtype.kind in "iufb" and (name not in _NATURAL or not np.isfinite(value))
        return name if lost else None
    if isinstance(value, float):
        return None if math.isfinite(value) else "float64"
    places = _nonfinite_places(value)
    return {"float64": places} if places else None


def _nonfinite_places(value: Any) -> list[list[int | str]]:
    """Return the index paths of numbers that are not finite, inside lists and dicts."""
    if isinstance(value, Mapping):
        inner: Any = ((str(key), item) for key, item in value.items())
    elif isinstance(value, list | tuple):
        inner = enumerate(value)
    elif isinstance(value, np.ndarray):
        return _nonfinite_places(value.tolist())
    else:
        return [[]] if isinstance(value, float) and not math.isfinite(value) else []
    return [[key, *rest] for key, item in inner for rest in _nonfinite_places(item)]


def _with_numbers(value: Any, places: list[list[int | str]]) -> Any:
    """Return a copy of a value with words turned into numbers where the index paths say so."""
    made = copy.deepcopy(value)
    for *folder, last in places:
        inner = made
        for key in folder:
            inner = inner[key]
        inner[last] = _NONFINITE[inner[last]]
    return made


def _word(value: float) -> str:
    """Return Zarr's word for a number that is not finite."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _finite_or_word(value: Any) -> Any:
    """Return the value with Zarr's words turned into numbers."""
    if isinstance(value, list):
        return [_finite_or_word(item) for item in value]
    return _NONFINITE.get(value, value) if isinstance(value, str) else value
