"""`DynamicTable`: rows by columns, each column a dataset of its own.

Columns that the table's type names are made when their first row comes; others are added by name. Rows come one by one
(`add_row`), or with whole columns. Reading a part reads only the columns and rows asked for. Frames are pandas' work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.errors import DuplicateNameError, FieldTypeError, MissingFieldError, SchemaError
from nwbzarr.model.columns import DynamicTableRegion, ElementIdentifiers, EnumData, VectorData, VectorIndex
from nwbzarr.model.containers import Container
from nwbzarr.model.elements import Element
from nwbzarr.model.frames import as_frame, columns_of_frame
from nwbzarr.model.predefined import ColumnSpec, predefined_columns
from nwbzarr.model.values import shape_of
from nwbzarr.schema.fields import FieldSpec, Kind

if TYPE_CHECKING:
    from typing import Self

_SPECIAL = ("id", "columns", "colnames", "target_tables")


class DynamicTable(Container):
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
        self._given = given
        values["id"] = _identifiers(given["id"], listed_columns(given["columns"]))
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
        self._set_colnames(_colnames(columns, given["colnames"], self.name))
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

    def check_stored(self) -> None:
        """Raise `SchemaError` when columns that are named are missing, or differ in length."""
        missing = [name for name in self.colnames if name not in self]
        if missing:
            message = f"{self.schema_type} {self.name!r} names the columns {', '.join(missing)}, which must be there, but are missing"
            raise SchemaError(message)
        self._check_lengths()

    def _adopt(self, column: VectorData) -> None:
        """Make a column, with what it is an index of, a member."""
        rules = self.predefined.get(column.name)
        if rules is not None:
            column.adopt_rules(rules.rules)
        if column.name not in self:
            self.add_member(column)
        if isinstance(column, VectorIndex) and isinstance(column.attributes.get("target"), VectorData) and column.target.parent is None:
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

    @property
    def predefined(self) -> Mapping[str, ColumnSpec]:
        """Columns that the table's type names."""
        return predefined_columns(self.schema_registry, self.schema_type)

    # What is there.

    @property
    def colnames(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        found = self.attributes.get("colnames", ())
        return tuple(map(str, np.atleast_1d(np.asarray(found, dtype=object)).tolist())) if not isinstance(found, tuple) else found

    @property
    def columns(self) -> tuple[VectorData, ...]:
        """All columns, with the indexes of ragged ones before what they index."""
        return tuple(part for name in self.colnames for part in chain_of(self.raw_column(name)))

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
            return self.select_rows(rows, [names] if isinstance(names, str) else [self._name_at(name) for name in names])
        return self.select_rows(key)

    def _name_at(self, name: Any) -> str:
        return name if isinstance(name, str) else self.colnames[name]

    def get(self, key: Any, default: Any = None, df: bool = True, index: bool = False) -> Any:
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

    def select_rows(self, rows: Any, names: Sequence[str] | None = None, *, index: bool = False, df: bool = True) -> Any:
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
                raise IndexError(message)
            return array.nonzero()[0]
        if array.size and array.dtype.kind not in "iu":
            message = f"rows of table {self.name!r} are chosen by numbers, slices or masks, but {rows!r} came"
            raise IndexError(message)
        if array.size and (array.min() < -count or array.max() >= count):
            message = f"row {rows!r} is out of range: table {self.name!r} has {count} rows"
            raise IndexError(message)
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
        identifier = self.row_count() if identifier is None else _checked_id(identifier, self.name)
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
        self._make_new_columns([name for name in row if name not in self.colnames])
        missing = [name for name in self.colnames if name not in row]
        if missing:
            message = f"a row of table {self.name!r} must have a value for {', '.join(missing)}, but has none"
            raise MissingFieldError(message)
        columns = [(self.raw_column(name), row[name]) for name in self.colnames]
        for column, value in columns:
            check_entry(column, value, ragged=check_ragged)
        return columns

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
        for name in names:
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
            _check_regular(values, name)
        column = self._new_column(name, description, values, table, enum, col_cls or (spec.type if spec else None), fields)
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
        numbers = list(range(self.row_count())[region]) if isinstance(region, slice) else list(region)
        return DynamicTableRegion(name=name, data=numbers, description=description, table=self)

    # Other tables.

    def get_foreign_columns(self) -> list[str]:
        """Return the names of columns that are regions of other tables."""
        return [name for name in self.colnames if isinstance(chain_of(self.raw_column(name))[-1], DynamicTableRegion)]

    def has_foreign_columns(self) -> bool:
        """Whether a column is a region of another table."""
        return bool(self.get_foreign_columns())

    def add_meanings_table(self, meanings_table: MeaningsTable) -> MeaningsTable:
        """Add a table of what values of a column mean, and return it."""
        self.meanings_tables.add(meanings_table)
        return meanings_table

    def get_meanings_table(self, name: str) -> Any:
        """Return a table of meanings by its name."""
        return self.meanings_tables[name]

    def get_meanings_for_column(self, column_name: str) -> Any:
        """Return the table of what the values of a column mean, or None."""
        column = self.find(column_name)
        return next((table for table in self.meanings_tables.values() if table.target is column), None)

    meanings_tables: Any


class MeaningsTable(DynamicTable):
    """What the values of a column mean.

    Parameters
    ----------
    target : VectorData
        The column.
    description : str, optional
        What the meanings are of.
    """

    target: VectorData

    def construct(self, values: dict[str, Any]) -> None:
        """Make this table a new one, named after the column."""
        target = values.get("target")
        if isinstance(target, Element):
            values["name"] = f"{target.name}_meanings"
            values["description"] = values.get("description") or f"Meanings of the values of '{target.name}'"
        super().construct(values)


def listed_columns(columns: Any) -> list[VectorData]:
    """Return columns given to a constructor.

    Raises
    ------
    FieldTypeError
        When one is no column.
    """
    found = list(columns or ())
    for column in found:
        if not isinstance(column, VectorData):
            message = f"columns must be VectorData or types that extend it, but {type(column).__name__} came"
            raise FieldTypeError(message)
    return found


def chain_of(column: Any) -> list[Any]:
    """Return a column with what it is an index of, outermost index first."""
    chain = [column]
    while isinstance(chain[-1], VectorIndex):
        chain.append(chain[-1].target)
    return chain


def _identifiers(given: Any, columns: list[VectorData]) -> ElementIdentifiers:
    if isinstance(given, ElementIdentifiers):
        return given
    if given is None:
        targets = {id(part) for column in columns for part in chain_of(column)[1:]}
        tops = [column for column in columns if id(column) not in targets]
        given = list(range(tops[0].row_count() or 0)) if tops else []
    return ElementIdentifiers("id", list(given) if isinstance(given, tuple | range) else given)


def _colnames(columns: list[VectorData], given: Any, table: str) -> list[str]:
    """Return the order of columns: as given, else as they came, ragged ones by their own name."""
    names = list(dict.fromkeys(chain_of(column)[-1].name for column in columns))
    skipped = {column.elements.name for column in columns if isinstance(column, EnumData)}
    names = [name for name in names if name not in skipped]
    if given is None:
        return names
    asked = [str(name) for name in given]
    if sorted(asked) != sorted(names):
        message = f"colnames of table {table!r} must name its columns {names}, each once, but {asked} came"
        raise SchemaError(message)
    return asked


def split_levels(name: str, data: Any, index: Any) -> tuple[Any, list[Any]]:
    """Return the flat values of a column and the ends of its rows, innermost first.

    Parameters
    ----------
    name : str
        Name of the column, for messages.
    data : array_like
        Lists of lists when `index` is a number of levels, flat values when it gives ends.
    index : bool, int or array_like
        Number of levels, or the ends of the rows; a list of lists of ends for several levels.
    """
    if isinstance(index, bool | int | np.integer):
        ends: list[Any] = []
        values = data
        for _ in range(int(index)):
            rows = list(values)
            for position, row in enumerate(rows):
                if isinstance(row, str) or not hasattr(row, "__len__"):
                    message = f"column {name!r} is ragged, so that every row must be a list, but row {position} is {row!r}"
                    raise FieldTypeError(message)
            ends.insert(0, np.cumsum([len(row) for row in rows], dtype=np.int64).tolist())
            values = [item for row in rows for item in row]
        return values, ends
    if isinstance(index, list) and index and isinstance(index[0], list | np.ndarray):
        return data, list(index)
    return data, [list(index) if isinstance(index, tuple) else index]


def _check_regular(values: list[Any], name: str) -> None:
    lengths = {len(value) if isinstance(value, list | tuple | np.ndarray) and np.ndim(value) else -1 for value in values}
    if len(lengths) > 1:
        message = f"column {name!r} has rows of different lengths ({sorted(lengths)[:4]} …): add it with index=True"
        raise SchemaError(message)


def check_entry(column: VectorData, value: Any, *, ragged: bool = True) -> None:
    """Raise for a value that a column cannot take, before anything is added."""
    if isinstance(column, VectorIndex):
        column.check_new_entry(value)
        return
    if value is None:
        message = f"column {column.name!r} must have a value in every row, but None came"
        raise FieldTypeError(message)
    column.check_new_entry(value)
    data = column.data
    if ragged and isinstance(data, list) and data and isinstance(value, list | tuple | np.ndarray) and not isinstance(data[0], str | Element):
        first, found = shape_of(data[0]), shape_of(value)
        if first is not None and found is not None and first[:1] != found[:1]:
            message = (
                f"column {column.name!r} has entries of shape {first}, but {found} came: make it ragged (index=True), "
                "or give check_ragged=False"
            )
            raise SchemaError(message)


def _checked_id(value: Any, table: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        message = f"the id of a row of table {table!r} must be an integer, but {value!r} came"
        raise FieldTypeError(message)
    return int(value)
