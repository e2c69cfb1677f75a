"""A stored array as data that travels: another process reads boxes of it without opening anything.

Shape, codecs and place go by value, so that workers ask for no metadata. In the process that made it, the session's
own reader is used, with its connections, its cache and its meter.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.arrays.blocks import BlockCache
from nwbzarr.arrays.forms import parse_array
from nwbzarr.arrays.reading import ArrayReader, open_reader
from nwbzarr.errors import NWBZarrError
from nwbzarr.extras import import_extra
from nwbzarr.stores.failures import named_errors
from nwbzarr.stores.zarr_arrays import open_zarr_array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nwbzarr.stores.places import Place

#: What a worker keeps of what it read, in bytes: indexes, and chunks that neighbouring tasks share.
_WORKER_CACHE = BlockCache(64 * 2**20)

#: Members of a document that say nothing of where values are, and stay at home.
_AT_HOME = frozenset({"attributes", "dimension_names", "consolidated_metadata"})


class StoredArray:
    """A stored array.

    Parameters
    ----------
    path : str
        The array.
    document : mapping
        Its metadata.
    place : Place
        The store that holds it.
    digest : str
        Digest of the store's root document.
    reader : ArrayReader, optional
        Reads in this process; another process makes its own.

    Attributes
    ----------
    shape : tuple of int
        Shape.
    """

    def __init__(
        self, path: str, document: Mapping[str, Any], place: Place, digest: str, reader: ArrayReader | None = None
    ) -> None:
        self.path = path
        self.place = place
        self.shape: tuple[int, ...] = tuple(document["shape"])
        self._document = {name: value for name, value in document.items() if name not in _AT_HOME}
        self._digest = digest
        self._reader = reader

    def read(self, box: Sequence[slice]) -> np.ndarray[Any, Any]:
        """Return the values of a box, given by a slice with step 1 for each axis; raises as `read_many` does."""
        return self.read_many([box])[0]

    def read_many(self, boxes: Sequence[Sequence[slice]]) -> list[np.ndarray[Any, Any]]:
        """Return the values of some boxes, whose requests go side by side; axes that are not given are taken whole.

        Raises
        ------
        StoreError, ChunkError
            When one cannot be read.
        """
        boxes = [(*box, *(slice(0, size) for size in self.shape[len(box) :])) for box in boxes]
        try:
            with named_errors(self.place.url):
                reader = self._reader or _reader_of(self)
                if reader is not None:
                    return reader.read(*boxes)
                array: Any = open_zarr_array(self.place.open(), self.path, self._document, read_only=True)
                return [np.asarray(array[tuple(box)]) for box in boxes]
        except NWBZarrError as error:
            raise error.located(self.place.url.text, self.path) from error

    @property
    def stored_at(self) -> Place:
        """Where it is stored."""
        return self.place

    @property
    def identity(self) -> tuple[str, str, str]:
        """What tells it from every other array, and from its own other states: store, path, digest."""
        return self.place.url.text, self.path, self._digest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoredArray) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def __dask_tokenize__(self) -> tuple[str, str, str]:
        return self.identity

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredArray, (self.path, self._document, self.place, self._digest)

    def __repr__(self) -> str:
        return f"<StoredArray {self.path} of {self.place.url.text}: shape {self.shape}>"


def read_windows(data: Any, starts: np.ndarray[Any, Any], count: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return windows of equal length along the first axis; what lies outside of the data is NaN.

    Parameters
    ----------
    data : array_like
        With ``shape``, and with `read_many` where windows are better read side by side.
    starts : numpy.ndarray of int
        First row of each window; may be negative.
    count : int
        Rows of one window.
    dtype : numpy.dtype
        Dtype of what is given.
    """
    parts = [(slice(*np.clip([start, start + count], 0, data.shape[0]).tolist()),) for start in starts]
    read_many = getattr(data, "read_many", None)
    found = read_many(parts) if read_many is not None else [np.asarray(data[part]) for part in parts]
    made = np.full((len(starts), count, *data.shape[1:]), np.nan if dtype.kind in "fc" else 0, dtype)
    for row, start, (part,), values in zip(made, starts, parts, found, strict=True):
        row[max(part.start - start, 0) :][: len(values)] = values
    return made


@lru_cache(256)
def _reader_of(stored: StoredArray) -> ArrayReader | None:
    """Return this process's reader of an array; None when zarr must read it."""
    form = parse_array(stored.path, stored._document)  # noqa: SLF001 - a part of it that stands apart to be kept
    if form is None:
        return None
    keys = stored.place.open()
    return open_reader(form, stored.place.url, keys, _WORKER_CACHE, stored.identity[::2])


def import_graphs() -> Any:
    """Return the room that makes Dask arrays.

    Raises
    ------
    MissingExtraError
        When Dask is not installed.
    """
    return import_extra("nwbzarr.arrays.graphs", "lazy computations need Dask", "dask")
