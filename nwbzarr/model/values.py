"""Values of fields, checked against the schema's facts: `parse_value` narrows or raises.

One row per NWB dtype. This room refuses to convert what could lose information.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.errors import FieldTypeError, SchemaError
from nwbzarr.model.data_io import ZarrDataIO

if TYPE_CHECKING:
    from nwbzarr.schema.specs import FieldSpec

#: Characters of a wrong value that a message shows.
_SHOWN = 60

_INTEGERS = {"uint8": np.uint8, "int32": np.int32, "uint32": np.uint32}


def parse_value(value: Any, spec: FieldSpec, owner: str) -> Any:
    """Return the value of a field in the form it is stored in.

    Parameters
    ----------
    value : object
        What the caller gave; not None.
    spec : FieldSpec
        The facts of the field.
    owner : str
        Neurodata type, for messages.

    Raises
    ------
    FieldTypeError
        When the value has the wrong type.
    SchemaError
        When it has the wrong shape.
    """
    where = f"{owner}.{spec.name}"
    if spec.any_shape:
        return _parse_any_array(value, where)
    if spec.dims:
        return _parse_array(value, spec, where)
    return _SCALARS[spec.dtype](value, where)


def _wrong(where: str, wanted: str, value: Any, advice: str = "") -> FieldTypeError:
    """Return the error for a value of the wrong type."""
    text = "" if " at 0x" in repr(value) else f" ({repr(value)[:_SHOWN]})"
    return FieldTypeError(f"{where} must be {wanted}, but {type(value).__name__} came{text}{advice}")


def _parse_text(value: Any, where: str) -> str:
    if isinstance(value, str):
        return str(value)
    raise _wrong(where, "a text", value)


def _parse_datetime(value: Any, where: str) -> datetime:
    if isinstance(value, datetime):
        # A naive datetime is local time, as in PyNWB; stored with its offset it means the same everywhere.
        return value if value.tzinfo is not None else value.astimezone()
    raise _wrong(where, "a datetime.datetime", value, ": parse text with datetime.fromisoformat first")


def _parse_day(value: Any, where: str) -> date:
    return value if isinstance(value, date) and not isinstance(value, datetime) else _parse_datetime(value, where)


def _parse_number(value: Any, where: str) -> Any:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise _wrong(where, "a number", value)
    return value


def _parse_float(value: Any, where: str) -> float:
    return float(_parse_number(value, where))


def _parse_bool(value: Any, where: str) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise _wrong(where, "True or False", value)
    return bool(value)


def _parse_integer(value: Any, where: str) -> int:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise _wrong(where, "an integer", value)
    return int(value)


_SCALARS: dict[str, Callable[[Any, str], Any]] = {
    "any": lambda value, _: value,
    "text": _parse_text,
    "isodatetime": _parse_datetime,
    "isodate": _parse_day,
    "numeric": _parse_number,
    "float32": _parse_float,
    "float64": _parse_float,
    "bool": _parse_bool,
    "int32": _parse_integer,
}


def is_blocks(value: Any) -> bool:
    """Whether the value is an iterator of blocks, whose shape is known only at the end."""
    return isinstance(value, Iterator)


def shape_of(value: Any) -> tuple[int, ...] | None:
    """Return the shape of array-like data, or None when only reading it would tell."""
    if isinstance(value, ZarrDataIO):
        return shape_of(value.data)
    if is_blocks(value):
        return None
    shape = getattr(value, "shape", None)
    if shape is None:
        try:
            return tuple(np.shape(value))
        except ValueError as error:
            message = f"the rows of a list must have equal lengths to form an array, but they do not: {error}"
            raise SchemaError(message) from error
    return tuple(shape)


def _parse_any_array(value: Any, where: str) -> Any:
    """Return array-like data of any dtype and at least one dimension."""
    if isinstance(value, str | bytes) or (not is_blocks(value) and not _is_array_like(value)):
        raise _wrong(where, "an array, a list, a lazy array, an iterator of blocks or ZarrDataIO", value)
    if shape_of(value) == ():
        raise _wrong(where, "an array with at least one dimension", value)
    return value


def _parse_array(value: Any, spec: FieldSpec, where: str) -> Any:
    """Return array-like data of the dtype and number of dimensions that the schema asks for."""
    dims = spec.dims
    if spec.dtype == "text":
        texts = _parse_texts(value, dims, where)
        if not texts:
            # A list without texts has no dtype of its own.
            return np.empty((0, *(size or 0 for size in (*spec.sizes[1:], *dims)[: len(dims) - 1])), dtype=object)
        _check_sizes(shape_of(texts) or (), spec, where)
        return texts
    if spec.dtype == "isodatetime":
        items = list(value) if isinstance(value, list | tuple) else [value]
        return [_parse_datetime(item, where) for item in items]
    checked = _parse_any_array(value, where)
    shape = shape_of(checked)
    if shape is not None and len(shape) != len(dims):
        message = f"{where} must have the dimensions ({', '.join(dims)}), but data of shape {shape} came"
        raise SchemaError(message)
    inner = checked.data if isinstance(checked, ZarrDataIO) else checked
    if isinstance(inner, list | tuple | np.ndarray):
        array = _as_dtype(np.asarray(inner), spec.dtype, where)
        return checked if isinstance(checked, ZarrDataIO) else array
    return checked


def _check_sizes(shape: tuple[int, ...], spec: FieldSpec, where: str) -> None:
    """Raise unless a shape has the sizes that the schema fixes."""
    if any(size is not None and size != found for size, found in zip(spec.sizes, shape, strict=False)):
        wanted = ", ".join("any" if size is None else str(size) for size in spec.sizes)
        message = f"{where} must have the shape ({wanted}), but data of shape {shape} came"
        raise SchemaError(message)


def _as_dtype(array: np.ndarray[Any, Any], dtype: str, where: str) -> np.ndarray[Any, Any]:
    """Return an array with the dtype that the schema asks for, where that loses nothing."""
    if array.dtype.kind not in "iuf" and array.size:
        message = f"{where} must hold numbers ({dtype}), but data of dtype {array.dtype} came"
        raise FieldTypeError(message)
    if dtype in _INTEGERS:
        converted = array.astype(_INTEGERS[dtype])
        if not np.array_equal(converted, array):
            message = f"{where} must hold integers that fit {dtype}, but other values came"
            raise FieldTypeError(message)
        return converted
    return array.astype(np.float64) if array.dtype.kind in "iu" or not array.size else array


def _parse_texts(value: Any, dims: Sequence[str], where: str) -> Any:
    """Return texts as nested lists; one text counts as a list of one where one dimension is asked for."""
    if isinstance(value, str) and len(dims) == 1:
        value = [value]
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise _wrong(where, "a list of texts", value)
    if len(dims) > 1:
        return [_parse_texts(item, dims[1:], where) for item in value]
    return [_parse_text(item, where) for item in value]


def _is_array_like(value: Any) -> bool:
    return isinstance(value, list | tuple | ZarrDataIO) or (hasattr(value, "shape") and hasattr(value, "dtype"))


def parse_rows(rows: Any, dtype: np.dtype[Any] | None, where: str) -> np.ndarray[Any, Any]:
    """Return rows in the dtype of the dataset that they are appended to.

    Raises
    ------
    FieldTypeError
        When a value would change by it: a fraction in integers, a number in texts, a text that is too long …
    """
    block = np.asarray(rows)
    if dtype is None:
        return block
    if dtype.kind in "OUT":
        block = np.array(rows, dtype=object)
        fits = all(isinstance(item, str) for item in block.flat)
        converted = block
    else:
        fits, converted = _converted(block, dtype)
    if not fits:
        message = f"rows appended to {where!r} must be {dtype} without any loss, but {rows!r} came".replace("\n", " ")
        raise FieldTypeError(message)
    return converted


def _converted(block: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> tuple[bool, np.ndarray[Any, Any]]:
    """Return whether values keep what they are in another dtype, and the values in it."""
    ladder = "biufc"
    if dtype.fields is None and (block.dtype.kind not in ladder or (block.dtype.kind == "b") != (dtype.kind == "b")):
        return not block.size, block.astype(dtype) if not block.size else block
    if block.dtype.kind in "fc" and dtype.kind in "iu":
        return False, block
    if block.dtype.kind == "c" and dtype.kind != "c":
        return False, block
    with np.errstate(all="ignore"):
        try:
            converted = block.astype(dtype)
        except (TypeError, ValueError):
            return False, block
    if dtype.kind in "fc":
        # Rounding to a narrower float is what its user asked for; turning a number into infinity is not.
        return bool(np.array_equal(np.isfinite(converted), np.isfinite(block))), converted
    return bool(np.array_equal(converted, block)), converted
