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
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import numpy as np

from nwbzarr.convention.names import ATTRIBUTE_DTYPES
from nwbzarr.errors import DocumentError, FieldTypeError

_NONFINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

#: dtypes that a note may name.
_NOTED = frozenset(
    {"str", "bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))}
) | frozenset({"float16", "float32", "float64"})

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
        encoded[_unicode(name, owner)] = _encode(value, f"{owner}.{name}")
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
        array = _noted_array(value, dtype)
        array = array if shape is None else array.reshape(shape)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError) as error:
        message = f"attribute {name!r} is noted as {note!r}, but its value is {value!r}"
        raise DocumentError(message) from error
    if array.ndim:
        return array
    return array.item() if dtype in _NATURAL else array[()]


def strict_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes that another writer stored with bare NaN and infinities as strict JSON, with notes of them."""
    notes = dict(attributes.get(ATTRIBUTE_DTYPES, {}))
    for name, value in attributes.items():
        places = [] if name == ATTRIBUTE_DTYPES else _nonfinite_places(value)
        if places:
            notes[name] = {"float64": places} if places != [[]] else "float64"
    strict = {name: strict_value(value) for name, value in attributes.items()}
    return {**strict, ATTRIBUTE_DTYPES: notes} if notes else strict


def strict_value(value: Any) -> Any:
    """Return a JSON value with Zarr's words for numbers that are not finite."""
    if isinstance(value, dict):
        return {key: strict_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [strict_value(item) for item in value]
    return _word(value) if isinstance(value, float) and not math.isfinite(value) else value


def _noted_array(value: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """Return a value as an array of the noted dtype; ValueError when it does not fit."""
    if not isinstance(dtype, str) or dtype not in _NOTED:
        message = f"unknown dtype {dtype!r}"
        raise ValueError(message)
    kind = np.dtype(dtype).kind
    if kind == "U":
        return _text_array(value)
    plain = np.array(_finite_or_word(value) if kind == "f" else value, dtype=object)
    kinds: dict[str, tuple[type, ...]] = {"f": (int, float), "b": (bool,)}
    allowed = kinds.get(kind, (int,))
    if not all(isinstance(item, allowed) and (kind == "b" or not isinstance(item, bool)) for item in plain.flat):
        message = f"{value!r} is no {dtype}"
        raise ValueError(message)
    with np.errstate(over="ignore"):
        return np.array(plain.tolist(), dtype=dtype).reshape(plain.shape)


def _text_array(value: Any) -> np.ndarray[Any, Any]:
    """Return an array of texts as objects: NumPy's fixed-width text would lose a NUL at the end."""
    array = np.array(value, dtype=object)
    if not all(isinstance(item, str) for item in array.flat):
        message = f"{value!r} holds no texts only"
        raise ValueError(message)
    return array


def _encode(value: Any, owner: str) -> Any:
    """Return one value as JSON."""
    if isinstance(value, np.ndarray | np.generic):
        value = _from_numpy(value, owner)
    for types, encode in _ENCODERS:
        if isinstance(value, types):
            return encode(value, owner)
    advice = ": leave the attribute out instead" if value is None else ""
    message = (
        f"{owner} must have a value that is a text, a number, a datetime or a list of these, "
        f"but {type(value).__name__} came{advice}"
    )
    raise FieldTypeError(message)


def _from_numpy(value: Any, owner: str) -> Any:
    """Return a NumPy value as Python values."""
    if value.dtype.kind not in "iufbUST" and not _is_text_array(value):
        message = (
            f"{owner} cannot have the dtype {value.dtype}: attributes are texts, truth values, integers and real "
            "numbers; store it as a dataset"
        )
        raise FieldTypeError(message)
    return value.tolist()


def _is_text_array(value: Any) -> bool:
    return value.dtype.kind == "O" and all(isinstance(item, str) for item in np.asarray(value).flat)


def _unicode(text: str, owner: str) -> str:
    """Return text that UTF-8 can carry."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = f"{owner} must be Unicode text, but {text[:20]!r} holds half a surrogate pair: mend the text"
        raise FieldTypeError(message) from error
    return text


def _decode_text(value: bytes, owner: str) -> str:
    """Return bytes as text."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"{owner} must be UTF-8 text, but the bytes {value[:20]!r} are not: store them as a uint8 dataset"
        raise FieldTypeError(message) from error


_ENCODERS: tuple[tuple[Any, Callable[[Any, str], Any]], ...] = (
    (bytes, _decode_text),
    (str, _unicode),
    ((bool, int), lambda value, _: value),
    (float, lambda value, _: value if math.isfinite(value) else _word(value)),
    ((datetime, date), lambda value, _: value.isoformat()),
    ((list, tuple), lambda value, owner: [_encode(item, owner) for item in value]),
    (Mapping, lambda value, owner: {_unicode(str(key), owner): _encode(item, owner) for key, item in value.items()}),
)


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
        return [[]] if isinstance(value, float | np.floating) and not math.isfinite(value) else []
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
