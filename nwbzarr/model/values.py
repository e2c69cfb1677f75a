"""Values of fields, checked against the schema's facts: `parse_value` narrows or raises.

One row per dtype of the schema language. A dtype there is the least precision allowed (NWB schema language, "dtype"):
more precise values are kept as they come. This room refuses to convert what could lose information.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.errors import FieldTypeError, SchemaError
from nwbzarr.model.data_io import ZarrDataIO
from nwbzarr.schema.language import standard_dtype
from nwbzarr.schema.specs import DType, ReferenceTo, fits_shape

if TYPE_CHECKING:
    from nwbzarr.schema.fields import FieldSpec
    from nwbzarr.schema.specs import Dims, Shapes

#: Characters of a wrong value that a message shows.
_SHOWN = 60

#: NumPy kinds that each numeric dtype of the schema may be stored as.
KINDS = {"numeric": "iuf", "bool": "b", **{f"float{bits}": "f" for bits in (16, 32, 64)}}
KINDS.update({f"{sign}int{bits}": sign or "i" for sign in ("", "u") for bits in (8, 16, 32, 64)})

#: dtypes of the schema whose arrays hold numbers or truth values.
NUMERIC = frozenset(KINDS)


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
    if isinstance(spec.dtype, tuple):
        from nwbzarr.model.compounds import parse_compound

        return parse_compound(value, spec.dtype, where)
    if isinstance(spec.dtype, ReferenceTo):
        # References are checked by their type, where the field is set.
        return value
    if spec.shapes:
        return _parse_array(value, spec, where)
    return parse_scalar(value, spec.dtype, where)


def parse_scalar(value: Any, dtype: DType, where: str) -> Any:
    """Return one value of a simple dtype.

    Raises
    ------
    FieldTypeError
        When it is of another type.
    """
    return _SCALARS[standard_dtype(dtype) if isinstance(dtype, str) else "any"](value, where)


def wrong_type(where: str, wanted: str, value: Any, advice: str = "") -> FieldTypeError:
    """Return the error for a value of the wrong type."""
    text = "" if " at 0x" in repr(value) else f" ({repr(value)[:_SHOWN]})"
    return FieldTypeError(f"{where} must be {wanted}, but {type(value).__name__} came{text}{advice}")


def _parse_text(value: Any, where: str) -> str:
    if isinstance(value, str):
        return str(value)
    raise wrong_type(where, "a text", value)


def _parse_datetime(value: Any, where: str) -> datetime:
    if isinstance(value, datetime):
        # A naive datetime is local time, as in PyNWB; stored with its offset it means the same everywhere.
        return value if value.tzinfo is not None else value.astimezone()
    raise wrong_type(where, "a datetime.datetime", value, ": parse text with datetime.fromisoformat first")


def _parse_day(value: Any, where: str) -> date:
    return value if isinstance(value, date) and not isinstance(value, datetime) else _parse_datetime(value, where)


def _parse_number(value: Any, where: str) -> Any:
    value = _as_scalar(value)
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise wrong_type(where, "a number", value)
    return value


def _parse_float(value: Any, where: str) -> float:
    return float(_parse_number(value, where))


def _parse_bool(value: Any, where: str) -> bool:
    value = _as_scalar(value)
    if not isinstance(value, bool | np.bool_):
        raise wrong_type(where, "True or False", value)
    return bool(value)


def _parse_integer(value: Any, where: str) -> int:
    value = _as_scalar(value)
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise wrong_type(where, "an integer", value)
    return int(value)


def _parse_unsigned(dtype: str) -> Callable[[Any, str], Any]:
    """Return what narrows to an unsigned NumPy integer, so that JSON does not lose the sign's absence."""

    def parse(value: Any, where: str) -> Any:
        number = _parse_integer(value, where)
        if number < 0:
            raise wrong_type(where, "an integer of zero or more", value)
        fitting = (np.dtype(dtype), np.dtype(np.uint64))
        return next((kind.type(number) for kind in fitting if number <= np.iinfo(kind).max), number)

    return parse


def _as_scalar(value: Any) -> Any:
    """Return the value of an array without dimensions, else the value itself."""
    return value[()] if isinstance(value, np.ndarray) and value.shape == () else value


_SCALARS: dict[str, Callable[[Any, str], Any]] = {
    "any": lambda value, _: value,
    "text": _parse_text,
    "ascii": _parse_text,
    "isodatetime": _parse_datetime,
    "isodate": _parse_day,
    "numeric": _parse_number,
    "bool": _parse_bool,
    "object": lambda value, _: value,
    "region": lambda value, _: value,
    **{f"float{bits}": _parse_float for bits in (16, 32, 64)},
    **{f"int{bits}": _parse_integer for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": _parse_unsigned(f"uint{bits}") for bits in (8, 16, 32, 64)},
}


def is_blocks(value: Any) -> bool:
    """Whether the value is an iterator of blocks, whose shape is known only at the end."""
    return isinstance(value, Iterator)


def shape_of(value: Any) -> tuple[int, ...] | None:
    """Return the shape of array-like data, or None when only reading it would tell."""
    if isinstance(value, ZarrDataIO):
        return shape_of(value.data)
    if is_blocks(value):
        return getattr(value, "settled_shape", None)
    shape = getattr(value, "shape", None)
    if shape is None:
        try:
            return tuple(np.shape(value))
        except ValueError as error:
            message = f"the rows of a list must have equal lengths to form an array, but they do not: {error}"
            raise SchemaError(message) from error
    return tuple(shape)


def parse_array(value: Any, where: str) -> Any:
    """Return array-like data of any dtype and at least one dimension.

    Raises
    ------
    FieldTypeError
        When it is a scalar or no array at all.
    """
    if isinstance(value, str | bytes) or (not is_blocks(value) and not _is_array_like(value)):
        raise wrong_type(where, "an array, a list, a lazy array, an iterator of blocks or ZarrDataIO", value)
    if shape_of(value) == ():
        raise wrong_type(where, "an array with at least one dimension", value)
    return value


def _parse_array(value: Any, spec: FieldSpec, where: str) -> Any:
    """Return array-like data of the dtype and one of the shapes that the schema asks for."""
    dtype = standard_dtype(spec.dtype) if isinstance(spec.dtype, str) else "any"
    if dtype in ("text", "ascii"):
        return _parse_text_array(value, spec, where)
    if dtype == "isodatetime":
        items = list(value) if isinstance(value, list | tuple) else [value]
        return [_parse_datetime(item, where) for item in items]
    checked = parse_array(value, where)
    check_shape(shape_of(checked), spec.dims, spec.shapes, where)
    return checked if dtype == "any" else as_dtype(checked, dtype, where)


def _parse_text_array(value: Any, spec: FieldSpec, where: str) -> Any:
    ndim = len(spec.shapes[0])
    if _is_lazy(value) or is_blocks(value) or isinstance(value, ZarrDataIO):
        return value
    texts = _parse_texts(value, ndim, where)
    if not texts:
        # A list without texts has no dtype of its own.
        return np.empty((0, *(size or 0 for size in spec.shapes[0][1:])), dtype=object)
    check_shape(shape_of(texts), spec.dims, spec.shapes, where)
    return texts


def check_shape(shape: tuple[int, ...] | None, dims: Dims, shapes: Shapes, where: str) -> None:
    """Raise `SchemaError` unless a shape is one of those that the schema allows; an unknown shape passes."""
    if shape is None or not shapes or any(fits_shape(shape, wanted) for wanted in shapes):
        return
    if not any(len(wanted) == len(shape) for wanted in shapes) and len(dims) == len(shapes):
        wanted_text = " or ".join(f"({', '.join(names)})" for names in dims)
        message = f"{where} must have the dimensions {wanted_text}, but data of shape {shape} came"
    else:
        described = (", ".join("any" if size is None else str(size) for size in wanted) for wanted in shapes)
        message = f"{where} must have the shape {' or '.join(f'({text})' for text in described)}, but data of shape {shape} came"
    raise SchemaError(message)


def dims_of(shape: tuple[int, ...], dims: Dims, shapes: Shapes) -> tuple[str, ...] | None:
    """Return the names of the dimensions of a shape after the schema, or None where it names none."""
    for names, wanted in zip(dims, shapes or (), strict=False):
        if len(names) == len(shape) and fits_shape(shape, wanted):
            return names
    return next((names for names in dims if len(names) == len(shape)), None)


def as_dtype(data: Any, dtype: str, where: str) -> Any:
    """Return data of the numeric dtype that the schema asks for, or of more precision, where that loses nothing.

    Raises
    ------
    FieldTypeError
        When values are of another kind, negative where they must not be, or have fractions where they must not.
    """
    inner = data.data if isinstance(data, ZarrDataIO) else data
    if isinstance(inner, list | tuple | np.ndarray):
        array = _converted_array(np.asarray(inner), dtype, where)
        return data if isinstance(data, ZarrDataIO) else array
    found = getattr(inner, "dtype", None)
    if found is not None and np.dtype(found).kind not in KINDS.get(dtype, "iufb") + "iu":
        message = f"{where} must hold {_described(dtype)}, but data of dtype {found} came"
        raise FieldTypeError(message)
    return data


def _described(dtype: str) -> str:
    return "truth values (bool)" if dtype == "bool" else f"numbers ({dtype})"


def _converted_array(array: np.ndarray[Any, Any], dtype: str, where: str) -> np.ndarray[Any, Any]:
    kinds = KINDS[dtype]
    wanted = np.float64 if kinds in ("iuf", "f") else np.dtype(dtype).type
    if not array.size:
        return array if array.dtype.kind in kinds and not isinstance(array, list) else array.astype(wanted)
    if array.dtype.kind in kinds:
        return array
    if array.dtype.kind not in "iuf" or kinds == "b":
        message = f"{where} must hold {_described(dtype)}, but data of dtype {array.dtype} came"
        raise FieldTypeError(message)
    if kinds in ("iuf", "f"):
        return array.astype(np.float64)
    for candidate in (dtype, f"{dtype.rstrip('0123456789')}64"):
        with np.errstate(invalid="ignore"):
            converted = array.astype(candidate)
        if np.array_equal(converted, array) and (array.dtype.kind != "i" or not (array < 0).any() or kinds == "i"):
            return converted
    message = f"{where} must hold integers that fit {dtype}, but {np.array2string(array, threshold=6)} came"
    raise FieldTypeError(message)


def _parse_texts(value: Any, ndim: int, where: str) -> Any:
    """Return texts as nested lists; one text counts as a list of one where one dimension is asked for."""
    if isinstance(value, str) and ndim == 1:
        value = [value]
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise wrong_type(where, "a list of texts", value)
    if ndim > 1:
        return [_parse_texts(item, ndim - 1, where) for item in value]
    return [_parse_text(item, where) for item in value]


def _is_lazy(value: Any) -> bool:
    return not isinstance(value, np.ndarray) and hasattr(value, "shape") and hasattr(value, "dtype")


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
