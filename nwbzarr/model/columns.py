"""Columns of tables: plain ones, identifiers, enumerations.

A column is a dataset with a type. Rows are added in memory as a list grows. Ragged columns, regions of other tables and
references to samples have modules of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.errors import FieldTypeError, SchemaError
from nwbzarr.model.containers import Data
from nwbzarr.model.data_io import ZarrDataIO
from nwbzarr.model.data_rules import check_references, parse_data
from nwbzarr.model.elements import Element
from nwbzarr.model.values import parse_scalar
from nwbzarr.schema.specs import DatasetSpec, ReferenceTo

if TYPE_CHECKING:
    from collections.abc import Sequence


class ElementIdentifiers(Data):
    """Identifiers of the rows of a table.

    Parameters
    ----------
    name : str
        ``"id"`` in a table.
    data : array_like of int
        One for each row.
    """

    def __eq__(self, other: object) -> Any:
        """Return the rows whose identifiers are among others; or whether the other is this very dataset."""
        if isinstance(other, list | tuple | np.ndarray | int | np.integer) and not isinstance(other, bool):
            return np.isin(self.all_values(), other).nonzero()[0]
        return self is other

    __hash__ = Data.__hash__


class VectorData(Data):
    """A column of a table.

    Parameters
    ----------
    name : str
        Name of the column.
    description : str
        What it holds.
    data : array_like
        One entry for each row; for a ragged column the entries of all rows, one after another.
    """

    description: str

    def prepare_data(self, name: str, data: Any) -> Any:
        """Return the data to keep: a list that rows can be added to, where nothing was given."""
        data = [] if data is None else list(data) if isinstance(data, tuple) else data
        inner = data.data if isinstance(data, ZarrDataIO) else data
        if isinstance(inner, str | bytes | int | float) or (isinstance(inner, np.ndarray) and inner.ndim == 0):
            message = f"{self.schema_type} {name!r} must be an array with one entry for each row, but {type(inner).__name__} came ({inner!r})"
            raise FieldTypeError(message)
        return super().prepare_data(name, data)

    def adopt_rules(self, rules: DatasetSpec) -> None:
        """Take what a table's type says of this column, and check the values against it.

        Raises
        ------
        FieldTypeError, SchemaError
            When a value is not what the schema allows.
        """
        where = f"column {self.name!r}"
        if self.stored_at is None:
            self.replace_data(parse_data(rules, self.data, where))
        self.rules = rules

    def extend(self, values: Sequence[Any]) -> None:
        """Add rows.

        Raises
        ------
        FieldTypeError
            When a value is not what the schema or the stored column allows.
        """
        for value in values:
            self.check_new_entry(value)
        self.put(values)

    def put(self, values: Sequence[Any]) -> None:
        """Add rows that were checked."""
        self.add_rows(values)

    def add_row(self, value: Any) -> None:
        """Add one row."""
        self.extend([value])

    def check_new_entry(self, value: Any) -> None:
        """Raise `FieldTypeError` or `SchemaError` for a value that this column cannot hold."""
        if self.rules is not None:
            self._check_by_rules(self.rules, value, f"column {self.name!r}, row {self.row_count()}")
        if self.loader is not None:
            self.as_block([value])

    @staticmethod
    def _check_by_rules(rules: DatasetSpec, value: Any, where: str) -> None:
        if isinstance(rules.dtype, ReferenceTo):
            check_references([value], rules.dtype.target, where)
        elif isinstance(rules.dtype, tuple):
            parse_data(DatasetSpec(dtype=rules.dtype), [value], where)
        elif isinstance(value, np.ndarray | list | tuple):
            entry = np.asarray(value)[np.newaxis]
            parse_data(DatasetSpec(dtype=rules.dtype, dims=rules.dims, shapes=rules.shapes), entry, where)
        elif rules.dtype is not None:
            parse_scalar(value, rules.dtype, where)

    def check_new_entries(self, values: np.ndarray[Any, Any]) -> None:
        """Raise `FieldTypeError` or `SchemaError` unless this column can hold all of an array."""
        rules = self.rules
        if rules is not None and (rules.dtype is None or isinstance(rules.dtype, str)):
            where = f"column {self.name!r}, row {self.row_count()}"
            parse_data(DatasetSpec(dtype=rules.dtype, dims=rules.dims, shapes=rules.shapes), values, where)
            if self.loader is not None and len(values):
                self.as_block(values)
            return
        for value in values:
            self.check_new_entry(value)

    def get_meanings(self) -> Any:
        """Return the table of what the values mean, or None."""
        find = getattr(self.parent, "get_meanings_for_column", None)
        return None if find is None else find(self.name)

    def get(self, selection: Any, **_: Any) -> Any:
        """Return rows."""
        return self[selection]

    def entries(self) -> Any:
        """Return all entries as an array (objects for text and references), those that are not stored yet too."""
        return self.all_values()

    def select(self, rows: Any) -> Any:
        """Return the entries of some rows, given as a slice, a list of indices or a mask."""
        if self.appended or self.loader is None:
            return self.entries()[rows]
        return self.values_at(rows)


class EnumData(VectorData):
    """A column whose entries number the elements of a list.

    Parameters
    ----------
    name : str
        Name of the column.
    description : str
        What it holds.
    data : array_like of int
        Numbers of elements, counted from 0.
    elements : VectorData or list
        What the numbers stand for.
    """

    elements: VectorData

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; plain elements become a column of their own."""
        elements = values.get("elements")
        if not isinstance(elements, Element):
            items = [] if elements is None else list(elements)
            elements = VectorData(f"{self.name}_elements", f"Elements of '{self.name}'", items)
        return {**values, "elements": elements}

    def __getitem__(self, selection: Any) -> Any:
        """Return the elements that entries stand for."""
        return self.elements.entries()[
            np.asarray(self.select(selection if not isinstance(selection, int) else [selection]), dtype=np.int64)
        ][0 if isinstance(selection, int) else slice(None)]

    def get(self, selection: Any, index: bool = False, **_: Any) -> Any:
        """Return the elements that entries stand for, or their numbers."""
        return self.select(selection) if index else self[selection]

    def check(self) -> None:
        """Raise when a number stands for no element."""
        self.check_whole()

    def check_whole(self) -> None:
        """Raise `SchemaError` when a number stands for no element."""
        numbers, count = np.asarray(self.all_values()), self.elements.row_count()
        if numbers.size and (numbers.min() < 0 or numbers.max() >= count):
            message = (
                f"{self.schema_type} {self.name!r} must hold numbers of its {count} elements, but "
                f"{numbers.min()} to {numbers.max()} came"
            )
            raise SchemaError(message)

    def check_new_entry(self, value: Any) -> None:
        """Take any element; one that is new joins the list."""

    def add_row(self, value: Any, index: bool = False) -> None:
        """Add one row: an element, or with `index` its number."""
        if index:
            self.add_rows([value])
        else:
            self.put([value])

    def put(self, values: Sequence[Any]) -> None:
        """Add elements; those that are new join the list."""
        known = list(self.elements.entries())
        new = [value for value in dict.fromkeys(values) if value not in known]
        self.elements.extend(new)
        known += new
        self.add_rows([known.index(value) for value in values])
