"""`Dataset`: an array or scalar with attributes, in memory or stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.convention.names import DTYPE, OBJECT_REFERENCE, REFERENCE_FIELDS
from nwbzarr.errors import FieldTypeError, SchemaError
from nwbzarr.model.data_io import ZarrDataIO
from nwbzarr.model.elements import Element, Loader, Location

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from nwbzarr.model.groups import Group


class Dataset(Element):
    """An array or scalar with attributes.

    Parameters
    ----------
    name : str
        Name in the parent.
    data : object
        NumPy array, list, scalar, text, lazy array, iterator of blocks, or `ZarrDataIO` around one of these; lists and
        object arrays may hold containers, which are stored as references.
    attributes : mapping, optional
        Attributes by name.
    dimensions : tuple of str, optional
        Names of the dimensions.
    """

    dimensions: tuple[str, ...] | None
    storage: ZarrDataIO | None
    appended: list[Any]
    _data: Any
    _known: bool

    def __init__(
        self,
        name: str,
        data: Any,
        attributes: Mapping[str, Any] | None = None,
        dimensions: tuple[str, ...] | None = None,
    ) -> None:
        Element.__init__(self, name, attributes)
        if data is None:
            message = f"{type(self).__name__} {name!r} must have data, but None came: leave the dataset out instead"
            raise FieldTypeError(message)
        self.storage = data if isinstance(data, ZarrDataIO) else None
        self._data = data.data if isinstance(data, ZarrDataIO) else data
        self._known = True
        self.dimensions = dimensions
        self.appended = []

    def attach(self, loader: Loader, location: Location, parent: Group | None, attributes: Mapping[str, Any]) -> None:
        """Make this element the one stored at `location`; its data comes when it is touched."""
        super().attach(loader, location, parent, attributes)
        self.storage = None
        self._data = None
        self._known = False
        self.dimensions = None
        self.appended = []

    @property
    def data(self) -> Any:
        """A scalar, a lazy array, or what was given."""
        if not self._known and self.loader is not None:
            self._data = self.loader.data(self)
            self._known = True
        elif self.stored_at is None and self.appended:
            self._data = np.concatenate([np.asarray(self._data), *self.appended])
            self.appended = []
        return self._data

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape; ``()`` for scalars."""
        data = self.data
        if isinstance(data, list | tuple):
            found: tuple[int, ...] = as_array(data).shape
            return found
        return tuple(getattr(data, "shape", ()))

    @property
    def is_plain(self) -> bool:
        """Whether it holds values, and no references."""
        known = self.stored_attributes
        return known.get(DTYPE) != OBJECT_REFERENCE and not known.get(REFERENCE_FIELDS)

    def row_count(self) -> Any:
        """Return the length of the first dimension with rows that are not stored yet; None while it is not known."""
        data = self.data
        if self.loader is None and hasattr(data, "__next__"):
            return None
        stored = len(data) if isinstance(data, list | tuple) else (getattr(data, "shape", None) or (0,))[0]
        return stored + sum(map(len, self.appended))

    def data_to_store(self) -> Any:
        """Return the data in the dtype that it is stored in, where the type knows better than a plain list."""
        return self.data

    def replace_data(self, data: Any) -> None:
        """Put other data in the place of what was given, for data that can be read once only."""
        self._data = data

    def settle(self, location: Location) -> None:
        """Note that the dataset is stored now, with the rows that were appended."""
        super().settle(location)
        if self.appended and self.loader is None:
            self._data = joined_rows(self._data, self.appended)
        elif self.appended:
            self._known = False
        self.appended = []

    def append(self, rows: Any) -> None:
        """Add rows at the end of the first dimension; they are stored by the next write in mode ``r+`` or ``a``.

        Parameters
        ----------
        rows : array_like
            Rows of the dataset's dtype; shape ``(n, *shape[1:])``.

        Raises
        ------
        SchemaError
            When the dataset is a scalar, or the rows do not fit its other dimensions.
        """
        block = self.parse_block(rows)
        if self.stored_at is None:
            self._data = np.concatenate([np.asarray(self._data), block])
        else:
            self.appended.append(block)
        self.mark_changed()

    def parse_block(self, rows: Any) -> np.ndarray[Any, Any]:
        """Return rows as they would be appended; raises as `append` does."""
        from nwbzarr.model.values import parse_rows

        block = parse_rows(rows, getattr(self.data, "dtype", None), self.name)
        if not self.shape or block.ndim != len(self.shape) or block.shape[1:] != self.shape[1:]:
            message = (
                f"rows appended to {self.name!r} must have shape (n, {', '.join(map(str, self.shape[1:]))}), "
                f"but {block.shape} came"
            )
            raise SchemaError(message)
        return block

    def add_rows(self, values: Sequence[Any]) -> None:
        """Add rows of any kind, references too: a list in memory grows, a stored dataset notes them for the next write.

        Raises
        ------
        FieldTypeError, SchemaError
            When the rows do not fit what is stored.
        """
        if not len(values):
            return
        data = self.data
        if self.stored_at is None and isinstance(data, list):
            data.extend(values)
        else:
            self.appended.append(self.as_block(values))
        self.mark_changed()

    def as_block(self, values: Any) -> Any:
        """Return rows in the form in which they are kept until they are stored.

        Raises
        ------
        FieldTypeError, SchemaError
            When they do not fit the rows that are there.
        """
        from nwbzarr.model.compounds import parse_stored_compound
        from nwbzarr.model.values import parse_rows

        data = self.data
        dtype = getattr(data, "dtype", None)
        if self.loader is None and (isinstance(data, list) or dtype is None or dtype.kind == "O"):
            return list(values)
        if not self.is_plain:
            return as_objects(values)
        if dtype is not None and dtype.names is not None:
            return parse_stored_compound(values, dtype, self.name)
        if not self.shape[0]:
            # An empty array has the dtype of its first rows.
            return as_array(list(values))
        widening = dtype is not None and dtype.kind in "iu" and self.fits_wider
        block = parse_rows(values, None if widening else dtype, self.name)
        if block.shape[1:] != tuple(data.shape)[1:]:
            message = f"rows added to {self.name!r} must have shape {tuple(data.shape)[1:]}, but {block.shape[1:]} came"
            raise SchemaError(message)
        return block

    #: Whether integers may outgrow the dtype that is stored: the dataset is written anew then.
    fits_wider = False

    def all_values(self) -> Any:
        """Return the whole as an array, with rows that are not stored yet; objects for text and references."""
        values = self.values_at(...) if self.loader is not None else self.data
        return joined_rows(values, self.appended)

    def __getitem__(self, selection: Any) -> Any:
        """Return a part of the data, with rows that are not stored yet; references are resolved to containers."""
        if self.appended:
            return self.all_values()[selection]
        return self.values_at(selection)

    def values_at(self, selection: Any) -> Any:
        """Return a part of the data; references are resolved to the containers they name."""
        value = self.data if isinstance(selection, tuple) and not selection else _part(self.data, selection)
        if self.loader is None or self.is_plain:
            return value
        fields = self.stored_attributes.get(REFERENCE_FIELDS)
        return _with_containers(value, fields, self.loader) if fields else _resolved(value, self.loader)

    def __len__(self) -> int:
        return int(self.row_count()) if self.shape or isinstance(self.data, list) else self.shape[0]

    def __bool__(self) -> bool:
        """Return True: a dataset is there, whatever it holds."""
        return True

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = np.asarray(self.data, dtype=dtype)
        return array.copy() if copy else array

    def __repr__(self) -> str:
        kind = self.neurodata_type or "Dataset"
        return f"<{kind} {self.name!r} {getattr(self.data, 'dtype', type(self.data).__name__)} {self.shape}>"


def _part(data: Any, selection: Any) -> Any:
    """Return a selection of data; lists take NumPy's selections too."""
    if isinstance(data, list) and not isinstance(selection, int | slice):
        return as_array(data)[selection]
    return data[selection]


def as_array(values: Any) -> np.ndarray[Any, Any]:
    """Return values as an array; lists of containers, of tuples with containers, or of texts become objects."""
    if isinstance(values, np.ndarray):
        return values
    if isinstance(values, list | tuple) and values:
        first = values[0]
        if isinstance(first, Element | str) or (
            isinstance(first, tuple) and any(isinstance(part, Element) for part in first)
        ):
            return as_objects(values)
    return np.asarray(values)


def as_objects(values: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Return values as an array of objects, whatever they are."""
    made = np.empty(len(values), dtype=object)
    made[:] = list(values)
    return made


def joined_rows(values: Any, blocks: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Return values and the blocks behind them as one array."""
    array = as_array(values)
    if not blocks:
        return array
    parts = [as_array(block) for block in blocks]
    return np.concatenate([array, *parts] if len(array) else parts)


def _resolved(value: Any, loader: Loader) -> Any:
    """Return the container of a path, or an object array of those of an array of paths; each is looked up once."""
    if isinstance(value, str):
        return loader.dereference(str(value))
    paths = np.asarray(value, dtype=object)
    made = np.empty(paths.shape, dtype=object)
    known = {path: loader.dereference(path) for path in dict.fromkeys(paths.ravel().tolist())}
    made.ravel()[:] = [known[path] for path in paths.ravel().tolist()]
    return made


def _with_containers(value: Any, fields: Collection[str], loader: Loader) -> Any:
    """Return a compound value with containers in the place of the paths in its reference fields."""
    rows = np.asarray(value)
    described = [(name, "O" if name in fields else rows.dtype[name]) for name in rows.dtype.names or ()]
    made = np.empty(rows.shape, np.dtype(described))
    for name in rows.dtype.names or ():
        made[name] = _resolved(rows[name].astype(object), loader) if name in fields and rows.ndim else rows[name]
        if name in fields and not rows.ndim:
            made[name] = loader.dereference(str(rows[name]))
    return made if isinstance(value, np.ndarray) else made[()]
