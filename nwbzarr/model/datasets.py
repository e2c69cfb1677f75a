"""`Dataset`: an array or scalar with attributes, in memory or stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nwbzarr.convention.names import DTYPE, OBJECT_REFERENCE, REFERENCE_FIELDS
from nwbzarr.errors import FieldTypeError, SchemaError
from nwbzarr.model.data_io import ZarrDataIO
from nwbzarr.model.elements import Element, Loader, Location

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from nwbzarr.model.groups import Group


class Dataset(Element):
    """An array or scalar with attributes.

    Parameters
    ----------
    name : str
        Name in the parent.
    data : object
        NumPy array, list, scalar, text, lazy array, iterator of blocks, or `ZarrDataIO` around one of these.
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
        super().__init__(name, attributes)
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
        return self._data

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape; ``()`` for scalars."""
        data = self.data
        if isinstance(data, list | tuple):
            import numpy as np

            return np.shape(data)
        return tuple(getattr(data, "shape", ()))

    def replace_data(self, data: Any) -> None:
        """Put other data in the place of what was given, for data that can be read once only."""
        self._data = data

    def settle(self, location: Location) -> None:
        """Note that the dataset is stored now, with the rows that were appended."""
        super().settle(location)
        if self.appended and self.loader is None:
            import numpy as np

            self._data = np.concatenate([np.asarray(self._data), *self.appended])
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
        import numpy as np

        from nwbzarr.model.values import parse_rows

        block = parse_rows(rows, getattr(self.data, "dtype", None), self.name)
        if not self.shape or block.ndim != len(self.shape) or block.shape[1:] != self.shape[1:]:
            message = (
                f"rows appended to {self.name!r} must have shape (n, {', '.join(map(str, self.shape[1:]))}), "
                f"but {block.shape} came"
            )
            raise SchemaError(message)
        if self.location is None:
            self._data = np.concatenate([np.asarray(self._data), block])
        else:
            self.appended.append(block)
        self.mark_changed()

    def __getitem__(self, selection: Any) -> Any:
        """Return a part of the data; references are resolved to the containers they name."""
        value = self.data if isinstance(selection, tuple) and not selection else self.data[selection]
        if self.loader is None:
            return value
        if self.stored_attributes.get(DTYPE) == OBJECT_REFERENCE:
            return _resolved(value, self.loader)
        fields = self.stored_attributes.get(REFERENCE_FIELDS)
        return _with_containers(value, fields, self.loader) if fields else value

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np

        array = np.asarray(self.data, dtype=dtype)
        return array.copy() if copy else array

    def __repr__(self) -> str:
        kind = self.neurodata_type or "Dataset"
        return f"<{kind} {self.name!r} {getattr(self.data, 'dtype', type(self.data).__name__)} {self.shape}>"


def _resolved(value: Any, loader: Loader) -> Any:
    """Return the container of a path, or a list of those of an array of paths."""
    if isinstance(value, str):
        return loader.dereference(str(value))
    return [_resolved(path, loader) for path in value]


def _with_containers(value: Any, fields: Collection[str], loader: Loader) -> Any:
    """Return a compound value with containers in the place of the paths in its reference fields."""
    import numpy as np

    rows = np.asarray(value)
    described = [(name, "O" if name in fields else rows.dtype[name]) for name in rows.dtype.names or ()]
    made = np.empty(rows.shape, np.dtype(described))
    for name in rows.dtype.names or ():
        if name in fields:
            paths = rows[name].reshape(-1)
            containers = np.empty(len(paths), dtype=object)
            containers[:] = [loader.dereference(str(path)) for path in paths]
            made[name] = containers.reshape(rows.shape)
        else:
            made[name] = rows[name]
    return made if isinstance(value, np.ndarray) else made[()]
