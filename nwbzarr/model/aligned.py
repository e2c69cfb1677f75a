"""`AlignedDynamicTable`: tables of equal length side by side, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nwbzarr.errors import MissingFieldError, SchemaError
from nwbzarr.model.collections import check_type
from nwbzarr.model.frames import as_frame, import_pandas
from nwbzarr.model.tables import DynamicTable


class AlignedDynamicTable(DynamicTable):
    """A table with further tables, the categories, that have a row for each of its rows.

    Parameters
    ----------
    name, description, id, columns, colnames, target_tables, meanings_tables
        As for `DynamicTable`.
    category_tables : list of DynamicTable, optional
        Tables of the same number of rows.
    categories : list of str, optional
        Their order, by name.

    Notes
    -----
    hdmf-common schema, table.yaml, AlignedDynamicTable.
    """

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; category tables are added as members."""
        self._given_categories = (values.pop("category_tables", None), values.pop("categories", None))
        values["categories"] = ()
        tables = self._given_categories[0]
        if values.get("id") is None and not values.get("columns") and tables:
            first = next(iter(tables.values() if isinstance(tables, Mapping) else tables))
            values["id"] = list(range(len(first)))
        return super().prepare(values)

    def check(self) -> None:
        """Add the tables that were given, and raise when they do not fit."""
        tables, order = self.__dict__.pop("_given_categories")
        super().check()
        if isinstance(tables, Mapping) and not isinstance(tables, DynamicTable):
            tables = list(tables.values())
        for table in self._ordered(list(tables or ()), order):
            self.add_category(table)

    def _ordered(self, tables: list[DynamicTable], order: Any) -> list[DynamicTable]:
        if order is None:
            return tables
        by_name = {table.name: table for table in tables}
        if sorted(map(str, order)) != sorted(by_name):
            message = f"categories of table {self.name!r} must name its category tables {sorted(by_name)}, but {list(order)} came"
            raise SchemaError(message)
        return [by_name[str(name)] for name in order]

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the category tables, in order."""
        return tuple(map(str, self.attributes.get("categories", ())))

    @property
    def category_tables(self) -> dict[str, Any]:
        """Category tables by name."""
        return {name: self.member(name) for name in self.categories}

    def add_category(self, category: DynamicTable) -> DynamicTable:
        """Add a table that has a row for each row of this one, and return it.

        Raises
        ------
        SchemaError
            When it has another number of rows, or categories of its own.
        """
        check_type(self, self.schema_fields["category_tables"], category)
        if isinstance(category, AlignedDynamicTable):
            message = f"a category of table {self.name!r} must be a plain table, but {category.name!r} has categories of its own"
            raise SchemaError(message)
        if len(category) != len(self):
            message = f"category {category.name!r} must have a row for each of the {len(self)} rows of table {self.name!r}, but has {len(category)}"
            raise SchemaError(message)
        self.add_member(category)
        self.replace_attribute("categories", (*self.categories, category.name))
        return category

    def get_category(self, name: str | None = None) -> Any:
        """Return a category table by name; this table itself for its own name or none."""
        return (
            self if name is None or (name not in self.categories and name == self.name) else self.category_tables[name]
        )

    def add_column(self, *args: Any, category: str | None = None, **keywords: Any) -> Any:
        """Add a column to this table, or to one of its categories; see `DynamicTable.add_column`."""
        if category is not None:
            return self.get_category(category).add_column(*args, **keywords)
        return super().add_column(*args, **keywords)

    def add_row(  # type: ignore[override]
        self,
        data: Mapping[str, Any] | None = None,
        id: int | None = None,  # noqa: A002 - PyNWB's name
        enforce_unique_id: bool = False,
        **values: Any,
    ) -> None:
        """Add a row to this table and to every category.

        Parameters
        ----------
        data : mapping, optional
            Column to value for this table; category to a mapping of column to value. Keywords do the same.
        id : int, optional
            Identifier; the number of the row by default.

        Raises
        ------
        MissingFieldError
            When a category gets no values.
        """
        row = {**(data or {}), **values}
        missing = [name for name in self.categories if name not in row]
        if missing:
            message = (
                f"a row of table {self.name!r} must have values for the categories {', '.join(missing)}, but has none"
            )
            raise MissingFieldError(message)
        parts = {name: dict(row.pop(name)) for name in self.categories}
        for name, part in parts.items():
            self.category_tables[name].check_row(part)
        super().add_row(row, id=id, enforce_unique_id=enforce_unique_id)
        for name, part in parts.items():
            self.category_tables[name].add_row(part)

    def get_colnames(self, include_category_tables: bool = False, ignore_category_ids: bool = False) -> list[Any]:
        """Return names of columns; with categories as pairs of category and column."""
        if not include_category_tables:
            return list(self.colnames)
        own = [(self.name, name) for name in self.colnames]
        inner = [
            (category, name)
            for category, table in self.category_tables.items()
            for name in ((() if ignore_category_ids else ("id",)) + table.colnames)
        ]
        return own + inner

    def __getitem__(self, key: Any) -> Any:
        """Return a category or column by name, a column of a category by a pair of names, or rows as a frame."""
        if isinstance(key, str) and key in self.categories:
            return self.category_tables[key].to_dataframe()
        if not isinstance(key, tuple):
            return super().__getitem__(key)
        words = [part for item in key for part in (item if isinstance(item, tuple) else (item,))]
        names = [word for word in words if isinstance(word, str)]
        rows = [word for word in words if not isinstance(word, str)]
        table = self.get_category(names[0]) if names else self
        if table is self and names and names[0] != self.name:
            return super().__getitem__(key)
        found = table.raw_column(names[1]) if len(names) > 1 else table
        if not rows:
            return found if len(names) > 1 else found.to_dataframe()
        return found[rows[0]]

    def __contains__(self, name: object) -> bool:
        """Whether there is a member of a name, or a column of a category by a pair of names."""
        if isinstance(name, tuple):
            category, column = name
            known = (*self.categories, self.name)
            return category in known and column in self.get_category(category).colnames
        return super().__contains__(name)

    def select_rows(
        self, rows: Any, names: Sequence[str] | None = None, *, index: bool = False, df: bool = True
    ) -> Any:
        """Return rows of this table and its categories; columns of the frame are pairs of category and column."""
        own = super().select_rows(rows, names, index=index, df=False)
        identifiers = own.pop("id")
        columns: dict[Any, Any] = {(self.name, name): values for name, values in own.items()}
        for category, table in self.category_tables.items():
            part = table.select_rows(rows, index=index, df=False)
            columns.update({(category, name): values for name, values in part.items()})
        if not df:
            return {"id": identifiers, **columns}
        frame = as_frame(columns, identifiers, self.name)
        pd = import_pandas()
        frame.columns = pd.MultiIndex.from_tuples(list(columns)) if columns else frame.columns
        frame.index.name = (self.name, "id")
        return frame

    def to_dataframe(  # noqa: PLR0913 - PyNWB's signature
        self,
        exclude: Iterable[str] | None = None,
        index: bool = False,
        ignore_category_ids: bool = False,
        electrode_refs_as_objectids: bool = False,
        stimulus_refs_as_objectids: bool = False,
        response_refs_as_objectids: bool = False,
    ) -> Any:
        """Return table and categories as one frame; columns are pairs of category and column.

        Parameters
        ----------
        exclude : iterable of str, optional
            Columns to leave out.
        index : bool
            Whether regions of other tables come as row numbers.
        ignore_category_ids : bool
            Whether the identifiers of the categories' rows are left out.
        electrode_refs_as_objectids, stimulus_refs_as_objectids, response_refs_as_objectids : bool
            Whether containers come as their object ids, in tables of intracellular recordings.
        """
        left_out = set(exclude or ())
        frame = self.select_rows(slice(None), [name for name in self.colnames if name not in left_out], index=index)
        if ignore_category_ids:
            frame = frame.drop(columns=[(category, "id") for category in self.categories])
        asked = {
            ("electrodes", "electrode"): electrode_refs_as_objectids,
            ("stimuli", "stimulus"): stimulus_refs_as_objectids,
            ("responses", "response"): response_refs_as_objectids,
        }
        for word in (word for word, wanted in asked.items() if wanted and word in frame.columns):
            frame[word] = [_with_id(value) for value in frame[word]]
        return frame


def _with_id(value: Any) -> Any:
    """Return a container's object id, or a range of samples with it in the place of the series."""
    if isinstance(value, tuple):
        return (value[0], value[1], value[2].object_id)
    return value.object_id
