"""Values of typed datasets and columns, checked against what the schema says of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.errors import FieldTypeError
from nwbzarr.model.compounds import parse_compound
from nwbzarr.model.data_io import ZarrDataIO
from nwbzarr.model.datasets import as_array
from nwbzarr.model.elements import Element
from nwbzarr.model.values import NUMERIC, as_dtype, check_shape, is_blocks, parse_scalar, shape_of
from nwbzarr.schema.language import standard_dtype
from nwbzarr.schema.specs import CompoundField, DatasetSpec, ReferenceTo

if TYPE_CHECKING:
    from nwbzarr.schema.specs import GroupSpec


def parse_data(spec: DatasetSpec | GroupSpec, data: Any, where: str) -> Any:
    """Return the value of a dataset in the form that it is kept in.

    Parameters
    ----------
    spec : DatasetSpec
        What the schema says of it, bases included.
    data : object
        What the caller gave.
    where : str
        Which dataset it is, for messages.

    Raises
    ------
    FieldTypeError, SchemaError
        When values or shape are not what the schema allows.
    """
    inner = data.data if isinstance(data, ZarrDataIO) else data
    if not isinstance(spec, DatasetSpec) or _is_elsewhere(inner):
        return data
    if isinstance(spec.dtype, tuple):
        return _parse_rows(data, spec, where)
    if isinstance(spec.dtype, ReferenceTo):
        check_references(as_array(inner).flat, spec.dtype.target, where)
        return data
    dtype = standard_dtype(spec.dtype) if spec.dtype else "any"
    if not spec.shapes and not isinstance(inner, list | tuple | np.ndarray):
        return parse_scalar(data, spec.dtype, where)
    return _parse_array(data, inner, dtype, spec, where)


def _is_elsewhere(data: Any) -> bool:
    """Whether values are known only when they are read: lazy arrays, iterators of blocks, other datasets."""
    if data is None or isinstance(data, Element) or is_blocks(data):
        return True
    return not isinstance(data, list | tuple | np.ndarray | np.generic) and hasattr(data, "dtype")


def _parse_array(data: Any, inner: Any, dtype: str, spec: DatasetSpec, where: str) -> Any:
    if isinstance(inner, list) and not inner:
        # Rows come later; an empty list has no shape.
        return data
    if dtype in ("text", "ascii"):
        check_texts(inner, where)
    if spec.shapes and dtype not in ("any", "text", "ascii", "isodatetime"):
        check_shape(shape_of(inner), spec.dims, spec.shapes, where)
    return _numbers(data, dtype, where) if dtype in NUMERIC and np.size(inner) else data


def _numbers(data: Any, dtype: str, where: str) -> Any:
    inner = data.data if isinstance(data, ZarrDataIO) else data
    converted = as_dtype(inner, dtype, where)
    # A list stays a list, so that rows can be added to it cheaply.
    if isinstance(data, list | ZarrDataIO):
        return data
    return converted


def _parse_rows(data: Any, spec: DatasetSpec, where: str) -> Any:
    """Return compound rows; lists of tuples stay lists, so that rows can be added."""
    if isinstance(data, list) and isinstance(spec.dtype, tuple):
        width = len(spec.dtype)
        for index, row in enumerate(data):
            if isinstance(row, str) or not isinstance(row, Iterable) or len(tuple(row)) != width:
                names = ", ".join(field.name for field in spec.dtype)
                message = f"{where} must hold rows of ({names}), but row {index} is {row!r}"
                raise FieldTypeError(message)
        _check_rows(data, spec.dtype, where)
        return data
    return parse_compound(data, spec.dtype, where) if isinstance(spec.dtype, tuple) else data


def _check_rows(rows: list[Any], fields: tuple[CompoundField, ...], where: str) -> None:
    """Raise for rows whose values are not what the fields hold, or whose containers are of another type."""
    for position, field in enumerate(fields):
        if isinstance(field.dtype, ReferenceTo):
            check_references([tuple(row)[position] for row in rows], field.dtype.target, f"{where}.{field.name}")
    parse_compound(rows, fields, where)


def check_references(values: Iterable[Any], target: str, where: str) -> None:
    """Raise `FieldTypeError` unless all values are containers of a type that may be referred to."""
    from nwbzarr.model.collections import fits_type

    for index, value in enumerate(values):
        if not isinstance(value, Element) or not fits_type(value, (target,)):
            came = value.neurodata_type if isinstance(value, Element) else type(value).__name__
            message = f"{where} must hold references to {target}, but row {index} is of type {came}"
            raise FieldTypeError(message)


def check_texts(values: Any, where: str) -> None:
    """Raise `FieldTypeError` unless all values are texts."""
    array = np.asarray(values, dtype=object)
    for index, item in enumerate(array.flat):
        if not isinstance(item, str | bytes):
            message = f"{where} must hold texts, but row {index} is {item!r} ({type(item).__name__})"
            raise FieldTypeError(message)
