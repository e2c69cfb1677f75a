"""Reading a table: columns, rows, parts of both. Only what is asked for is read, each column once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nwbzarr.errors import RowRangeError, SchemaError
from nwbzarr.model.columns import ElementIdentifiers, EnumData, VectorData
from nwbzarr.model.containers import Container
from nwbzarr.model.frames import as_frame
from nwbzarr.model.predefined import ColumnSpec, predefined_columns
from nwbzarr.model.ragged import VectorIndex
from nwbzarr.model.regions import DynamicTableRegion
from nwbzarr.model.table_columns import chain_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class LinkedTables(NamedTuple):
    """A region of a table, and the table that it chooses rows of."""

    source_table: Any
    source_column: DynamicTableRegion
    target_table: Any


class TableReading(Container):
    """What reads the rows and columns of a table; `DynamicTable` adds to it what makes them."""

    id: ElementIdentifiers
    meanings_tables: Any

    @property
    def predefined(self) -> Mapping[str, ColumnSpec]:
        """Columns that the table's type names."""
        return predefined_columns(self.schema_registry, self.schema_type)

    def __getattr__(self, name: str) -> Any:
        """Return a column as an attribute."""
        if not name.startswith("_") and "_members" in self.__dict__ and name in self.member_names():
            return self.member(name)
        message = f"{type(self).__name__!r} object has no attribute {name!r}"
        raise AttributeError(message)

    # What is there.

    @property
    def colnames(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        found = self.attributes.get("colnames", ())
        return tuple(map(str, found if isinstance(found, list | tuple) else np.atleast_1d(found).tolist()))

    @property
    def columns(self) -> tuple[VectorData, ...]:
        """All columns, with the indexes of ragged ones before what they index."""
        chains = [chain_of(self.raw_column(name)) for name in self.colnames]
        elements = [[part.elements for part in chain if isinstance(part, EnumData)] for chain in chains]
        return tuple(part for chain, more in zip(chains, elements, strict=True) for part in (*chain, *more))

    @property
    def fields(self) -> dict[str, Any]:
        """Values of the fields that are set, by name."""
        return {**super().fields, "colnames": self.colnames, "columns": self.columns}

    def row_count(self) -> int:
        """Return the number of rows, those that are not stored yet too."""
        found = self.find("id")
        return 0 if found is None else int(found.row_count() or 0)  # type: ignore[attr-defined]

    def __len__(self) -> int:
        return self.row_count()

    def raw_column(self, name: str) -> Any:
        """Return a column by name: its outermost index when it is ragged.

        Raises
        ------
        KeyError
            When the table has no column of that name.
        """
        found = self.find(name)
        if not isinstance(found, VectorData | ElementIdentifiers):
            known = ", ".join(map(repr, self.colnames)) or "none"
            message = f"table {self.name!r} has no column {name!r}; it has {known}"
            raise KeyError(message)
        if isinstance(found, VectorData) and found.rules is None and name in self.predefined:
            found.rules = self.predefined[name].rules
        index = self.find(f"{name}_index")
        while isinstance(index, VectorIndex):
            found, index = index, self.find(f"{index.name}_index")
        return found

    # Reading.

    def __getitem__(self, key: Any) -> Any:
        """Return a column by name, or rows as a `pandas.DataFrame`.

        Parameters
        ----------
        key : str, int, slice, list of int, mask, or (rows, columns)
            A name gives the column; all else gives rows, with a pair those columns only.
        """
        if isinstance(key, str):
            return self.raw_column(key) if key in self.colnames or key == "id" else self.member(key)
        if isinstance(key, tuple):
            rows, names = key
            if isinstance(rows, str) or (isinstance(rows, list) and rows and isinstance(rows[0], str)):
                rows, names = names, rows
            if isinstance(names, str | int):
                return self.raw_column(self._name_at(names))[rows]
            return self.select_rows(rows, [self._name_at(name) for name in names], index=True)
        return self.select_rows(key, index=True)

    def _name_at(self, name: Any) -> str:
        return name if isinstance(name, str) else self.colnames[name]

    def get(self, key: Any, default: Any = None, df: bool = True, index: bool = True) -> Any:
        """Return a column, or rows, or `default` where a name is not there.

        Parameters
        ----------
        key : str, int, slice, list or (rows, columns)
            As between brackets.
        default : object
            Returned for a name that is not there.
        df : bool
            Whether rows come as a frame instead of a dict of columns.
        index : bool
            Whether regions of other tables come as row numbers instead of rows.
        """
        if isinstance(key, str):
            return self[key] if key in self.colnames or key in self else default
        return self.select_rows(key, index=index, df=df)

    def select_rows(
        self, rows: Any, names: Sequence[str] | None = None, *, index: bool = False, df: bool = True
    ) -> Any:
        """Return rows of some columns.

        Parameters
        ----------
        rows : int, slice, array_like of int or bool
            Which rows.
        names : list of str, optional
            Which columns; all by default. Only these are read.
        index : bool
            Whether regions of other tables come as row numbers instead of rows.
        df : bool
            Whether to return a `pandas.DataFrame` instead of a dict.

        Raises
        ------
        IndexError
            When a row is out of range.
        """
        chosen = self.row_numbers(rows)
        names = self.colnames if names is None else names
        columns = {name: self.column_values(name, chosen, index=index) for name in names}
        identifiers = np.asarray(self.id.all_values())[chosen]
        return as_frame(columns, identifiers, self.name) if df else {"id": identifiers, **columns}

    def row_numbers(self, rows: Any) -> Any:
        """Return what rows a selection means: a slice, or an array of row numbers.

        Raises
        ------
        IndexError
            When one is out of range, or a mask has another length than the table.
        """
        count = self.row_count()
        if isinstance(rows, slice):
            return rows
        array = np.atleast_1d(np.asarray(rows))
        if array.dtype == bool:
            if array.shape != (count,):
                message = f"a mask on table {self.name!r} must have one value for each of its {count} rows, but {array.shape} came"
                raise RowRangeError(message)
            return array.nonzero()[0]
        if array.size and array.dtype.kind not in "iu":
            message = f"rows of table {self.name!r} are chosen by numbers, slices or masks, but {rows!r} came"
            raise RowRangeError(message)
        if array.size and (array.min() < -count or array.max() >= count):
            message = f"row {rows!r} is out of range: table {self.name!r} has {count} rows"
            raise RowRangeError(message)
        return np.where(array < 0, array + count, array).astype(np.int64)

    def column_values(self, name: str, rows: Any, *, index: bool = False) -> Any:
        """Return the values of one column for some rows: an array, or a list with one item for each row."""
        column = self.raw_column(name)
        if isinstance(column, VectorIndex):
            return column.ragged_rows(rows, raw=index)
        if isinstance(column, DynamicTableRegion):
            numbers = column.select(rows)
            if index or column.attributes.get("table") is None:
                return numbers
            return column.table.frames_of_rows(np.asarray(numbers, dtype=np.int64))
        if isinstance(column, EnumData) and not index:
            return column.elements.entries()[np.asarray(column.select(rows), dtype=np.int64)]
        return column.select(rows)

    def frame_of_rows(self, numbers: np.ndarray[Any, Any]) -> Any:
        """Return rows by number as a frame; regions in it stay row numbers."""
        return self.select_rows(numbers, index=True)

    def frames_of_rows(self, numbers: np.ndarray[Any, Any]) -> list[Any]:
        """Return one frame of one row for each number; the table is read once."""
        whole = self.to_dataframe(index=True)
        return [whole.iloc[number : number + 1] for number in numbers.tolist()]

    def to_dataframe(self, exclude: Iterable[str] | None = None, index: bool = False) -> Any:
        """Return the table as a `pandas.DataFrame`; every column is read once, as a whole.

        Parameters
        ----------
        exclude : iterable of str, optional
            Columns to leave out; they are not read.
        index : bool
            Whether regions of other tables come as row numbers instead of rows.
        """
        left_out = set(exclude or ())
        self.prefetch(left_out)
        return self.select_rows(slice(None), [name for name in self.colnames if name not in left_out], index=index)

    def prefetch(self, exclude: Iterable[str] = ()) -> None:
        """Fetch what the columns consist of side by side, where they are stored and small enough."""
        if self.loader is None or self.stored_at is None:
            return
        left_out = set(exclude)
        names = [name for name in self.member_names() if name.removesuffix("_index") not in left_out]
        self.loader.prefetch([f"{self.stored_at.path}/{name}" for name in names])

    # Other tables.

    def create_region(self, name: str, region: Any, description: str) -> DynamicTableRegion:
        """Return a region of this table.

        Parameters
        ----------
        name, description : str
            Name of the region, and what it chooses.
        region : slice or list of int
            Which rows.

        Raises
        ------
        SchemaError
            When a row is out of range.
        """
        count = self.row_count()
        if isinstance(region, slice):
            if (region.start or 0) < 0 or (region.stop or 0) > count:
                message = f"the region {name!r} must choose from the {count} rows of {self.name!r}, but {region} came"
                raise RowRangeError(message)
            region = range(count)[region]
        numbers = list(region)
        return DynamicTableRegion(name=name, data=numbers, description=description, table=self)

    def get_foreign_columns(self) -> list[str]:
        """Return the names of columns that are regions of other tables."""
        return [name for name in self.colnames if isinstance(chain_of(self.raw_column(name))[-1], DynamicTableRegion)]

    def has_foreign_columns(self) -> bool:
        """Whether a column is a region of another table."""
        return bool(self.get_foreign_columns())

    def get_linked_tables(self, other_tables: Iterable[Any] = ()) -> list[LinkedTables]:
        """Return the regions of this table and of those it leads to, each with its table and the one it chooses from.

        Parameters
        ----------
        other_tables : iterable of DynamicTable
            Tables to look through as well.
        """
        found: list[LinkedTables] = []
        waiting: list[Any] = [self, *other_tables]
        seen: set[int] = set()
        while waiting:
            table = waiting.pop(0)
            if id(table) in seen:
                continue
            seen.add(id(table))
            for name in table.get_foreign_columns():
                region = chain_of(table.raw_column(name))[-1]
                found.append(LinkedTables(table, region, region.table))
                waiting.append(region.table)
        return found

    def add_meanings_table(self, meanings_table: Any) -> Any:
        """Add a table of what values of a column mean, and return it.

        Raises
        ------
        SchemaError
            When the column is not one of this table.
        """
        if meanings_table.target.parent is not self:
            message = f"the meanings {meanings_table.name!r} must be of a column of table {self.name!r}, but are not"
            raise SchemaError(message)
        self.meanings_tables.add(meanings_table)
        return meanings_table

    def get_meanings_table(self, name: str) -> Any:
        """Return a table of meanings by its name."""
        return self.meanings_tables[name]

    def get_meanings_for_column(self, column_name: str) -> Any:
        """Return the table of what the values of a column mean, or None.

        Raises
        ------
        KeyError
            When there is no such column.
        """
        column = chain_of(self.raw_column(column_name))[-1]
        return next((table for table in self.meanings_tables.values() if table.target is column), None)
