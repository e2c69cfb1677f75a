"""Stored arrays as hdmf's datasets: read when they are sliced, references resolved when they are reached.

Rows that are appended are kept until they are written. This room refuses to write.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from hdmf.build import ObjectMapper
from hdmf.query import BuilderResolver, ContainerResolver, HDMFDataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nwbzarr.interop.pynwb.reading import BuilderReader
    from nwbzarr.reading.arrays import LazyArray


class StoredDataset(HDMFDataset):  # type: ignore[misc]  # hdmf has no types
    """A stored array, and the rows that were appended to it since it was read.

    Parameters
    ----------
    dataset : LazyArray
        The array.
    """

    def __init__(self, dataset: LazyArray) -> None:
        # hdmf's own constructor takes the arrays that it knows only.
        self._stored = dataset
        self.added: list[Any] = []

    @property
    def dataset(self) -> LazyArray:
        """The array as it is stored."""
        return self._stored

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape, with the rows that were appended."""
        first, *rest = self._stored.shape
        return (first + len(self.added), *rest)

    @property
    def maxshape(self) -> tuple[int | None, ...]:
        """How far it may grow: any array takes more rows."""
        return (None, *self._stored.shape[1:])

    @property
    def dtype(self) -> Any:
        """Dtype; object for text."""
        return self._stored.dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self._stored.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape))

    @property
    def nbytes(self) -> int:
        """Decoded size, in bytes."""
        return self.size * self._stored.dtype.itemsize

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of the unit of compression."""
        return self._stored.chunks

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        if not self.added:
            return self._stored[key]
        return self._whole()[key]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.asarray(self._whole() if self.added else self._stored[...], dtype=dtype)

    def __iter__(self) -> Iterator[Any]:
        return iter(self[...])

    def __next__(self) -> Any:
        return next(iter(self))

    def append(self, arg: Any) -> None:
        """Add a row; it is stored when the session is written."""
        self.added.append(arg)

    def rows(self) -> np.ndarray[Any, Any]:
        """Return the rows that were appended, as an array."""
        made: np.ndarray[Any, Any] = np.empty((len(self.added), *self._stored.shape[1:]), self._stored.dtype)
        for place, row in enumerate(self.added):
            made[place] = row
        return made

    def _whole(self) -> np.ndarray[Any, Any]:
        return np.concatenate([self._stored[...], self.rows()])

    def __repr__(self) -> str:
        return f"<StoredDataset of {self._stored!r}>"


class _References(StoredDataset):
    """References, in an array of their own or as fields of a compound, resolved when they are reached."""

    def __init__(
        self,
        dataset: LazyArray,
        reader: BuilderReader,
        fields: tuple[str, ...] = (),
        inverse: _References | None = None,
    ) -> None:
        super().__init__(dataset)
        self.reader = reader
        self.fields = fields
        self._inverse = inverse
        if inverse is not None:
            self.added = inverse.added

    @property
    def dtype(self) -> Any:
        """Hdmf's word for references, or those for the fields of a compound."""
        if not self.fields:
            return "object"
        stored = self._stored.dtype
        return [_word(stored[name], name in self.fields) for name in stored.names or ()]

    def invert(self) -> _References:
        """Return the same references, resolved to containers instead of builders, or the other way round."""
        if self._inverse is None:
            self._inverse = self.get_inverse_class()(self._stored, self.reader, self.fields, self)
        return self._inverse

    @classmethod
    @abstractmethod
    def get_inverse_class(cls) -> type[_References]:
        """Return the class that resolves the other way round."""

    @abstractmethod
    def target(self, path: str) -> Any:
        """Return what a path leads to."""

    def __getitem__(self, key: Any) -> Any:
        if self.added and not (isinstance(key, slice) or key is Ellipsis):
            return self._appended(key)
        found = self._stored[key]
        made = self._resolved(found)
        if self.added and isinstance(made, list | np.ndarray):
            return [*made, *self.added]
        return made

    def _appended(self, key: Any) -> Any:
        stored = len(self._stored)
        place = key + len(self) if key < 0 else key
        return self.added[place - stored] if place >= stored else self._resolved(self._stored[place])

    def _resolved(self, found: Any) -> Any:
        if self.fields:
            return self._rows(found)
        if isinstance(found, np.ndarray):
            return [self.target(str(path)) for path in found.reshape(-1)]
        return self.target(str(found))

    def _rows(self, found: Any) -> Any:
        """Return rows of a compound with targets in the place of paths."""
        stored = self._stored.dtype
        fields = [(name, "O" if stored[name].kind in "UO" else stored[name]) for name in stored.names or ()]
        values = np.asarray(found)
        made = np.empty(values.shape, np.dtype(fields))
        for name in stored.names or ():
            column = values[name]
            if name in self.fields:
                targets = np.empty(column.shape, object)
                targets.reshape(-1)[...] = [None] * targets.size
                for place, path in enumerate(column.reshape(-1)):
                    targets.reshape(-1)[place] = self.target(str(path))
                column = targets
            made[name] = column
        return made if made.shape else made[()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        found = self[...]
        if isinstance(found, np.ndarray):
            return found
        made = np.empty(len(found), object)
        made[...] = found
        return made

    def __iter__(self) -> Iterator[Any]:
        return iter(self[:])


class BuilderReferences(_References, BuilderResolver):  # type: ignore[misc]  # hdmf has no types
    """References that are resolved to builders."""

    @classmethod
    def get_inverse_class(cls) -> type[_References]:
        """Return the class that resolves to containers."""
        return ContainerReferences

    def target(self, path: str) -> Any:
        """Return the builder of a node."""
        return self.reader.target(path)


class ContainerReferences(_References, ContainerResolver):  # type: ignore[misc]  # hdmf has no types
    """References that are resolved to containers."""

    @classmethod
    def get_inverse_class(cls) -> type[_References]:
        """Return the class that resolves to builders."""
        return BuilderReferences

    def target(self, path: str) -> Any:
        """Return the container of a node."""
        return self.reader.container(path)


def _word(dtype: np.dtype[Any], is_reference: bool) -> str:
    if is_reference:
        return "object"
    return "utf" if dtype.kind in "UO" else str(dtype.type.__name__)


# hdmf converts what it does not know value by value; stored arrays are of the right dtype already.
for _known in (StoredDataset, BuilderReferences, ContainerReferences):
    ObjectMapper.no_convert(_known)
