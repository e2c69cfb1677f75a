"""`DynamicTable`: rows by columns, each column a dataset of its own.

Columns that the table's type names are made when their first row comes; others are added by name. Rows come one by one
(`add_row`), or with whole columns. Reading a part reads only the columns and rows asked for. Frames are pandas' work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.errors import DuplicateNameError, MissingFieldError, SchemaError
from nwbzarr.model.columns import ElementIdentifiers, EnumData, VectorData
from nwbzarr.model.elements import Element
from nwbzarr.model.frames import columns_of_frame
from nwbzarr.model.predefined import ColumnSpec, predefined_columns
from nwbzarr.model.ragged import VectorIndex
from nwbzarr.model.regions import DynamicTableRegion
from nwbzarr.model.table_columns import (
    chain_of,
    check_entry,
    check_regular,
    checked_id,
    identifiers_of,
    listed_columns,
    order_columns,
    split_levels,
)
from nwbzarr.model.table_reading import TableReading
from nwbzarr.schema.fields import FieldSpec, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

_SPECIAL = ("id", "columns", "colnames", "target_tables")


class DynamicTable(TableReading):
    """A table: rows with an identifier, and columns.

    Parameters
    ----------
    name : str
        Name of the table.
    description : str
        What the table holds.
    id : array_like of int, optional
        One identifier for each row; counted from 0 when columns with data come without.
    columns : list of VectorData, optional
        Columns with data of one length; indexes (`VectorIndex`) stand for ragged ones.
    colnames : list of str, optional
        Order of the columns.
    target_tables : dict, optional
        Column to the table that it is a region of.
    meanings_tables : list of MeaningsTable, optional
        What values of columns mean.

    Raises
    ------
    MissingFieldError, FieldTypeError, SchemaError
        When a value is missing, of the wrong type, or columns differ in length.

    Notes
    -----
    hdmf-common schema, table.yaml, DynamicTable.
    """

    id: ElementIdentifiers
    description: str
    #: Whether a table of this type may be given a description by default.
    default_description: str | None = None

    def construct(self, values: dict[str, Any]) -> None:
        """Make this table a new one."""
        super().construct(values)
        self._add_required_columns()

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; columns are added to the table as members."""
        given = {word: values.pop(word, None) for word in _SPECIAL}
        if values.get("description") is None:
            values["description"] = self._fixed_description() or self.default_description
        described = [
            column
            for column in given["columns"] or ()
            if isinstance(column, Mapping) and not isinstance(column, Element)
        ]
        given["columns"] = [column for column in given["columns"] or () if column not in described]
        given["described"] = described
        self._given = given
        values["id"] = identifiers_of(given["id"], listed_columns(given["columns"]))
        values["colnames"] = ()
        return values

    def _fixed_description(self) -> Any:
        field = self.schema_fields.get("description")
        return None if field is None else field.default

    def check(self) -> None:
        """Add the columns that were given, and raise when they do not fit each other."""
        given = self.__dict__.pop("_given")
        columns = listed_columns(given["columns"])
        names = [column.name for column in columns]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            message = f"{self.schema_type} {self.name!r} must have columns of different names, but {twice!r} came twice"
            raise DuplicateNameError(message)
        for column in columns:
            self._adopt(column)
        self._set_colnames(order_columns(columns, given["colnames"], self.name))
        for column in given["described"]:
            self.add_column(**column)
        for name, table in (given["target_tables"] or {}).items():
            self._set_target(name, table)
        self._check_lengths()

    def _check_lengths(self) -> None:
        count = self.id.row_count()
        for name in self.colnames:
            length = self.raw_column(name).row_count()
            if length is not None and count is not None and length != count:
                message = (
                    f"{self.schema_type} {self.name!r} must have columns of the length of its id, {count}, "
                    f"but {name!r} has {length} rows"
                )
                raise SchemaError(message)

    def check_whole(self) -> None:
        """Raise `SchemaError` when columns that are named are missing, or differ in length."""
        missing = [name for name in self.colnames if name not in self]
        if missing:
            message = f"{self.schema_type} {self.name!r} names the columns {', '.join(missing)}, which must be there, but are missing"
            raise SchemaError(message)
        self._check_lengths()
        for part in self.columns:
            if isinstance(part, VectorIndex):
                part.check_whole()

    def _adopt(self, column: VectorData) -> None:
        """Make a column, with what it is an index of, a member."""
        rules = self.predefined.get(column.name)
        if rules is not None:
            column.adopt_rules(rules.rules)
        if column.name not in self:
            self.add_member(column)
        if (
            isinstance(column, VectorIndex)
            and isinstance(column.attributes.get("target"), VectorData)
            and column.target.parent is None
        ):
            self._adopt(column.target)
        if isinstance(column, EnumData) and column.elements.parent is None:
            self.add_member(column.elements)

    def _set_target(self, name: str, table: DynamicTable) -> None:
        column: Any = self.raw_column(name)
        while isinstance(column, VectorIndex):
            column = column.target
        if isinstance(column, DynamicTableRegion) and column.attributes.get("table") is None:
            column.set_attribute("table", table)
            column.check_rows(column.data)

    def _is_missing(self, spec: FieldSpec) -> bool:
        # Columns and categories come later; whether all are there is checked when the table is written.
        return spec.kind is not Kind.CONTAINER and super()._is_missing(spec)

    def _add_required_columns(self) -> None:
        if self.row_count():
            return
        for spec in self.predefined.values():
            if spec.required and spec.name not in self.colnames:
                self._make_column(spec)

    @classmethod
    def from_dataframe(
        cls,
        df: Any,
        name: str,
        index_column: str | None = None,
        table_description: str = "",
        columns: Sequence[Mapping[str, str]] | None = None,
        **fields: Any,
    ) -> Self:
        """Return a table with the columns of a `pandas.DataFrame`.

        Parameters
        ----------
        df : pandas.DataFrame
            Rows; cells that are lists or arrays become a ragged column.
        name : str
            Name of the table.
        index_column : str, optional
            Column that gives the identifiers; the frame's own index by default.
        table_description : str
            What the table holds.
        columns : list of dict, optional
            ``name`` and ``description`` of columns.
        """
        described = {str(column["name"]): str(column.get("description", "")) for column in columns or ()}
        needed = [
            word for word, spec in predefined_columns(cls.schema_registry, cls.schema_type).items() if spec.required
        ]
        missing = [word for word in (*needed, *described) if word not in df.columns]
        if missing:
            message = f"a frame for {cls.schema_type} must have the columns {', '.join(missing)}, but lacks them"
            raise MissingFieldError(message)
        made, identifiers = columns_of_frame(df, described, index_column)
        given: dict[str, Any] = {"id": identifiers, "columns": made, **fields}
        if "name" in cls.schema_signature.parameters:
            given["name"] = name
        if "description" in cls.schema_signature.parameters:
            given["description"] = table_description
        return cls(**given)

    # Adding.

    def add_row(
        self,
        data: Mapping[str, Any] | None = None,
        id: int | None = None,  # noqa: A002 - PyNWB's name
        enforce_unique_id: bool = False,
        check_ragged: bool = True,
        **values: Any,
    ) -> None:
        """Add a row: one value for each column.

        Parameters
        ----------
        data : mapping, optional
            Column to value; keywords do the same.
        id : int, optional
            Identifier; the number of the row by default.
        enforce_unique_id : bool
            Whether an identifier that is there already is refused.
        check_ragged : bool
            Whether lists of other lengths than in the rows before are refused where a column is not ragged.

        Raises
        ------
        MissingFieldError
            When a column gets no value.
        SchemaError
            When there is no such column, or a value is not what it holds; nothing is added then.
        """
        row = {**(data or {}), **values}
        identifier = row.pop("id", None) if id is None else id
        identifier = self.row_count() if identifier is None else checked_id(identifier, self.name)
        if enforce_unique_id and identifier in set(np.asarray(self.id.all_values()).tolist()):
            message = f"the id {identifier} is in table {self.name!r} already: give another"
            raise SchemaError(message)
        for column, value in self.check_row(row, check_ragged=check_ragged):
            column.put([value])
        self.id.add_rows([identifier])

    def check_row(self, row: Mapping[str, Any], *, check_ragged: bool = True) -> list[tuple[VectorData, Any]]:
        """Return each column with its value of a row that may be added; columns that begin with it are made.

        Raises
        ------
        MissingFieldError, SchemaError
            When a column gets no value, there is no such column, or a value is not what it holds.
        """
        new = [name for name in row if name not in self.colnames]
        self._make_new_columns(new)
        try:
            return self._checked_entries(row, check_ragged=check_ragged)
        except Exception:
            # A row that is refused leaves no column behind.
            self._drop_columns(new)
            raise

    def _checked_entries(self, row: Mapping[str, Any], *, check_ragged: bool) -> list[tuple[VectorData, Any]]:
        missing = [name for name in self.colnames if name not in row]
        if missing:
            message = f"a row of table {self.name!r} must have a value for {', '.join(missing)}, but has none"
            raise MissingFieldError(message)
        columns = [(self.raw_column(name), row[name]) for name in self.colnames]
        for column, value in columns:
            check_entry(column, value, ragged=check_ragged)
        return columns

    def _drop_columns(self, names: list[str]) -> None:
        for part in [part for name in names for part in chain_of(self.raw_column(name))]:
            self.drop_member(part.name)
        if names:
            self._set_colnames(name for name in self.colnames if name not in names)

    def _make_new_columns(self, names: list[str]) -> None:
        unknown = [name for name in names if name not in self.predefined]
        if unknown:
            known = ", ".join(dict.fromkeys((*self.colnames, *self.predefined)))
            message = f"table {self.name!r} has no column {', '.join(map(repr, unknown))}; it has {known}: add the column first"
            raise SchemaError(message)
        if names and self.row_count():
            message = (
                f"column {', '.join(map(repr, names))} cannot begin now: table {self.name!r} has {self.row_count()} rows "
                "that would have no value; add the column with its data (add_column), or give it from the first row on"
            )
            raise SchemaError(message)
        for name in [name for name in self.predefined if name in names]:
            self._make_column(self.predefined[name])

    def _make_column(self, spec: ColumnSpec) -> None:
        """Make an empty column that the type names."""
        self.add_column(spec.name, spec.description, index=spec.levels, col_cls=spec.type)

    def add_column(  # noqa: PLR0913 - PyNWB's signature
        self,
        name: str,
        description: str,
        data: Any = None,
        table: Any = False,
        enum: Any = False,
        index: Any = False,
        vocab: Any = None,
        col_cls: Any = None,
        check_ragged: bool = True,
        **fields: Any,
    ) -> VectorData:
        """Add a column, and return it (its index when it is ragged).

        Parameters
        ----------
        name, description : str
            Name, and what it holds.
        data : array_like, optional
            One entry for each row that is there; lists of lists for a ragged column.
        table : bool or DynamicTable
            The table that entries are rows of.
        enum : bool or list
            Whether entries are numbers of elements; the elements.
        index : bool, int or array_like
            Whether the column is ragged, how many times, or the ends of its rows in `data`.
        col_cls : type or str, optional
            `VectorData`, or a type that extends it.
        check_ragged : bool
            Whether lists of different lengths are refused where the column is not ragged.

        Raises
        ------
        DuplicateNameError
            When the name is taken.
        SchemaError
            When the data does not have one entry for each row.
        """
        enum = vocab if vocab is not None else enum
        if name in self:
            message = f"table {self.name!r} has {name!r} already: names of columns are unique; choose another"
            raise DuplicateNameError(message)
        spec = self.predefined.get(name)
        if spec is not None and index is False and isinstance(data, list | tuple) and spec.levels and data:
            index = spec.levels
        values, indexes = split_levels(name, [] if data is None else data, index)
        if check_ragged and not indexes and isinstance(values, list):
            check_regular(values, name)
        column = self._new_column(
            name, description, values, table, enum, col_cls or (spec.type if spec else None), fields
        )
        if spec is not None:
            column.adopt_rules(spec.rules)
        top: VectorData = column
        chain = [column]
        for ends in indexes:
            top = VectorIndex(f"{top.name}_index", ends, top)
            chain.append(top)
        count = top.row_count()
        if count is not None and count != self.row_count():
            message = (
                f"column {name!r} must have one entry for each of the {self.row_count()} rows of table {self.name!r}, "
                f"but {count} came"
            )
            raise SchemaError(message)
        for part in chain:
            self.add_member(part)
        if isinstance(column, EnumData) and column.elements.parent is None:
            self.add_member(column.elements)
        self._set_colnames((*self.colnames, name))
        return top

    def _new_column(  # noqa: PLR0913 - what a column is made of
        self, name: str, description: str, values: Any, table: Any, enum: Any, kind: Any, fields: dict[str, Any]
    ) -> VectorData:
        from nwbzarr.model.types import class_named

        if kind is None:
            kind = "DynamicTableRegion" if table is not False else "EnumData" if enum is not False else "VectorData"
        cls = class_named(kind, self.schema_registry) if isinstance(kind, str) else kind
        if isinstance(table, Element):
            fields["table"] = table
        if enum is not False and enum is not True and issubclass(cls, EnumData):
            fields["elements"] = enum
        made: VectorData = cls(name=name, description=description, data=values, **fields)
        return made

    def _set_colnames(self, names: Iterable[str]) -> None:
        self.replace_attribute("colnames", tuple(names))
