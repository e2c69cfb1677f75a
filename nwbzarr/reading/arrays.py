"""`LazyArray`: a stored array that reads what is selected, when it is selected."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from nwbzarr.arrays.stored import StoredArray, import_graphs
from nwbzarr.errors import NWBZarrError
from nwbzarr.layout.planning import parse_layout
from nwbzarr.reading.selections import plan_selection
from nwbzarr.stores.places import Place
from nwbzarr.stores.zarr_arrays import open_zarr_array

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nwbzarr.layout.planning import ArrayLayout
    from nwbzarr.model.datasets import Dataset
    from nwbzarr.model.elements import Location
    from nwbzarr.reading.selections import Selection
    from nwbzarr.reading.sessions import Session
    from nwbzarr.stores.zarr_arrays import AnyArray


class LazyArray(NDArrayOperatorsMixin):
    """A stored array.

    NumPy and SciPy functions take it as it is (they read all of it); slicing reads the chunks that are needed.

    Attributes
    ----------
    shape : tuple of int
        Shape.
    dtype : numpy.dtype
        Dtype; object for text.
    """

    def __init__(self, session: Session, path: str) -> None:
        self._session = session
        self.path = path
        self._document = session.tree.documents[path]
        self.shape: tuple[int, ...] = tuple(self._document["shape"])

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Dtype; object for text."""
        with self._session.named_errors(self.path):
            known: np.dtype[Any] | None = self._session.tree.dtype(self.path)
            return np.dtype(self.zarr.dtype) if known is None else known

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Decoded size, in bytes."""
        return self.size * self.dtype.itemsize

    @cached_property
    def _layout(self) -> ArrayLayout | None:
        return parse_layout(self._document)

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of the unit of compression."""
        return None if self._layout is None else self._layout.chunks

    @property
    def shards(self) -> tuple[int, ...] | None:
        """Shape of the unit of storage, or None when every chunk is an object."""
        return None if self._layout is None else self._layout.shards

    @property
    def stored_at(self) -> Location:
        """Where it is stored."""
        location = self.dataset.stored_at
        if location is None:  # pragma: no cover - stored datasets have one
            raise NWBZarrError(self.path)
        return location

    @property
    def dataset(self) -> Dataset:
        """The dataset that it is the data of, with the attributes."""
        return self._session.dataset(self.path)

    @property
    def compression(self) -> str:
        """Names of the codecs, in order."""
        codecs = () if self._layout is None else self._layout.codecs
        return " + ".join(codec.get("name", "?") for codec in codecs)

    @cached_property
    def zarr(self) -> AnyArray:
        """The zarr array behind it, read-only."""
        return open_zarr_array(self._session.store.keys, self.path, self._document, read_only=True)

    def __len__(self) -> int:
        if not self.shape:
            message = f"the dataset {self.path!r} is a scalar and has no length"
            raise TypeError(message)
        return self.shape[0]

    def __getitem__(self, selection: Any) -> Any:
        """Return what is selected, as NumPy would."""
        small = self._session.small_array(self.path)
        if small is not None:
            part = small[selection]
            # What is kept is not to be changed by those who ask for it.
            return part.copy() if isinstance(part, np.ndarray) else part
        planned = plan_selection(selection, self.shape)
        with self._session.named_errors(self.path):
            found = self._read(planned)
        return found if planned.takes_all else found[planned.inner]

    def read_many(self, selections: Iterable[Any]) -> list[Any]:
        """Return several selections, each as NumPy would; requests for all of them go side by side.

        Windows around a hundred events come from an object store in about the time of one.

        Parameters
        ----------
        selections : iterable
            What would stand between the brackets: ``[np.s_[100:200, :8], np.s_[500:600, :8]]``.

        Raises
        ------
        IndexError, DocumentError, StoreError
            As slicing raises them.
        """
        asked = list(selections)
        reader = self._session.reader(self.path) if self._session.small_array(self.path) is None else None
        if reader is None:
            return [self[selection] for selection in asked]
        planned = [plan_selection(selection, self.shape) for selection in asked]
        with self._session.named_errors(self.path):
            found = reader.read(*(plan.box for plan in planned))
        return [part[plan.inner] for part, plan in zip(found, planned, strict=True)]

    def _read(self, planned: Selection) -> Any:
        """Return what a box holds; zarr reads arrays of forms that are not known here."""
        reader = self._session.reader(self.path)
        if reader is not None:
            return reader.read(planned.box)[0]
        found: Any = self.zarr[planned.box] if planned.is_basic else self.zarr.oindex[planned.box]
        return np.asarray(found, dtype=object if self.dtype.kind == "O" else None)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.asarray(self[...], dtype=dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        """Read what takes part in arithmetic, and leave the rest to NumPy."""
        read = (np.asarray(item) if isinstance(item, LazyArray) else item for item in inputs)
        return getattr(ufunc, method)(*read, **keywords)

    def __iter__(self) -> Any:
        return iter(self[...])

    @property
    def portable(self) -> StoredArray:
        """What other processes read it by."""
        place, reader = Place.of(self._session.store, self.path), self._session.reader(self.path)
        return StoredArray(self.path, self._document, place, self._session.digest, reader)

    def to_dask(self) -> Any:
        """Return a Dask array whose blocks are the stored objects (shards, or chunks where there are none).

        Nothing is requested for it, and workers ask for nothing but chunks.

        Raises
        ------
        MissingExtraError
            When Dask is not installed.
        """
        stored_blocks = import_graphs().stored_blocks
        return stored_blocks(self.portable, self.dtype, self.shards or self.chunks or self.shape)

    def __repr__(self) -> str:
        return (
            f"<LazyArray {self.path} of {self._session.url.text}: shape {self.shape}, {self.dtype}, "
            f"chunks {self.chunks}, shards {self.shards}, {self.compression}>"
        )
