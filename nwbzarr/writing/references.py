"""Rows that hold containers: recognised, and turned into the paths that are stored.

A dataset of references is stored as texts, a reference in a compound as a text field. Every container is looked up
once, however many rows name it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.convention.dtypes import packed
from nwbzarr.errors import FieldTypeError
from nwbzarr.model.compounds import compound_dtype, parse_compound
from nwbzarr.model.datasets import Dataset, as_array
from nwbzarr.model.elements import Element

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nwbzarr.schema.specs import CompoundField

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class ReferenceRows:
    """Rows that hold containers.

    Attributes
    ----------
    rows : numpy.ndarray
        Containers, or a compound with containers in some fields.
    fields : tuple of str
        The fields of a compound that hold containers; none for plain references.
    """

    rows: Array
    fields: tuple[str, ...]

    def encode(self, path_of: Callable[[Element], str]) -> Array:
        """Return the rows as they are stored: texts, or a compound with texts as wide as they need to be."""
        if not self.fields:
            return _paths(self.rows, path_of)
        columns = {name: _paths(self.rows[name], path_of) for name in self.fields}
        return with_columns(self.rows, columns)


def _paths(rows: Array, path_of: Callable[[Element], str]) -> Array:
    known: dict[int, str] = {}
    made = np.empty(rows.shape, dtype=object)
    flat = made.ravel()
    for index, element in enumerate(rows.ravel()):
        key = id(element)
        if key not in known:
            known[key] = path_of(element)
        flat[index] = known[key]
    return made


def with_columns(rows: Array, columns: dict[str, Array]) -> Array:
    """Return a compound with text columns of fixed width in the place of columns of objects."""
    described: list[tuple[str, Any]] = []
    for name in rows.dtype.names or ():
        if name in columns:
            width = max((len(str(text)) for text in columns[name].ravel()), default=1)
            described.append((name, f"U{max(width, 1)}"))
        else:
            described.append((name, rows.dtype[name]))
    made = np.empty(rows.shape, np.dtype(described))
    for name in rows.dtype.names or ():
        made[name] = columns.get(name, rows[name])
    return made


def find_references(data: Any, dtype: Any, where: str) -> ReferenceRows | None:
    """Return data as rows of references, or None when it holds none.

    Parameters
    ----------
    data : object
        What a dataset holds.
    dtype : tuple of CompoundField, ReferenceTo, str or None
        What the schema says of it, where it does.
    where : str
        The dataset, for messages.
    """
    first = _first(data)
    if isinstance(first, Element):
        rows = as_array(data)
        _check_all(rows.ravel(), where)
        return ReferenceRows(rows, ())
    if isinstance(data, np.ndarray) and data.dtype.names is not None and data.size:
        names = tuple(name for name in data.dtype.names if isinstance(data[name].flat[0], Element))
        for name in names:
            _check_all(data[name].ravel(), f"{where}.{name}")
        return ReferenceRows(data, names) if names else None
    if isinstance(first, tuple | list) and any(isinstance(part, Element) for part in first):
        rows = parse_compound([tuple(row) for row in data], dtype if isinstance(dtype, tuple) else _guess(first), where)
        return find_references(rows, dtype, where)
    return None


def _first(data: Any) -> Any:
    if isinstance(data, list | tuple):
        return data[0] if data else None
    return data.flat[0] if isinstance(data, np.ndarray) and data.dtype == object and data.size else None


def _check_all(values: Iterable[Any], where: str) -> None:
    for index, value in enumerate(values):
        if not isinstance(value, Element):
            message = f"{where} must hold containers in every row, but row {index} is {value!r}: mend it"
            raise FieldTypeError(message)


def _guess(row: Any) -> tuple[CompoundField, ...]:
    """Return compound fields for rows that no schema describes."""
    from nwbzarr.schema.specs import CompoundField, ReferenceTo

    words = {"i": "int64", "u": "uint64", "f": "float64", "b": "bool"}
    names = getattr(row, "_fields", None) or [f"field{index}" for index in range(len(row))]
    kinds = [
        ReferenceTo("Container") if isinstance(part, Element) else words.get(np.asarray(part).dtype.kind, "text")
        for part in row
    ]
    return tuple(CompoundField(name, kind) for name, kind in zip(names, kinds, strict=True))


def settled_rows(data: Any, dtype: Any, where: str) -> Any:
    """Return data in which compound rows are a structured array with texts of fixed width; other data as it is."""
    if isinstance(dtype, tuple) and isinstance(data, list | tuple):
        data = parse_compound(data, dtype, where) if len(data) else np.empty(0, _empty_dtype(dtype))
    if not isinstance(data, np.ndarray) or data.dtype.names is None:
        return data
    texts = {name: data[name] for name in data.dtype.names if data.dtype[name].kind == "O"}
    for name, column in texts.items():
        wrong = next((item for item in column.ravel() if not isinstance(item, str | bytes)), None)
        if wrong is not None:
            message = f"{where}.{name} must hold texts, but {wrong!r} came"
            raise FieldTypeError(message)
    decoded = {name: _decoded(column) for name, column in texts.items()}
    return with_columns(data, decoded) if texts else data


def _decoded(column: Array) -> Array:
    made = np.empty(column.shape, dtype=object)
    made.ravel()[:] = [item.decode() if isinstance(item, bytes) else item for item in column.ravel()]
    return made


def _empty_dtype(dtype: tuple[CompoundField, ...]) -> Any:
    return packed(np.dtype([(field.name, compound_dtype(field)) for field in dtype]))


def schema_dtype(dataset: Dataset) -> Any:
    """Return what the schema says of a dataset's values, or None where it says nothing."""
    find = getattr(dataset, "rules_of_data", None)
    rules = None if find is None else find()
    return None if rules is None else rules.dtype
