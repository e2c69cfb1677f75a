"""Data of every kind as one thing that gives blocks: `open_source` narrows or raises.

NumPy arrays, lists and scalars are in memory; anything with ``shape``, ``dtype`` and slicing (lazy arrays, zarr, h5py,
Dask) is read region by region; an iterator of blocks is read once, in order. This room refuses to write.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from nwbzarr.convention.datetimes import encode_datetime
from nwbzarr.convention.dtypes import packed
from nwbzarr.errors import FieldTypeError, SchemaError

#: An iterator whose blocks end within this many bytes counts as data in memory.
PEEK_BYTES = 4 * 2**20

Region = tuple[slice, ...]


@dataclass(frozen=True, slots=True)
class MemorySource:
    """Data that is there."""

    array: np.ndarray[Any, Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape."""
        shape: tuple[int, ...] = self.array.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype; object for text."""
        dtype: np.dtype[Any] = self.array.dtype
        return dtype

    def read(self, region: Region) -> np.ndarray[Any, Any]:
        """Return the values of a region."""
        # The ellipsis keeps a scalar an array.
        selection: Any = (*region, ...)
        block: np.ndarray[Any, Any] = self.array[selection]
        return block


@dataclass(frozen=True, slots=True)
class SlicedSource:
    """Data that is read by slicing."""

    data: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    where: str

    def read(self, region: Region) -> np.ndarray[Any, Any]:
        """Return the values of a region.

        Raises
        ------
        SchemaError
            When the data gives another shape than it said.
        """
        found = self.data[region]
        refuse_masked(found, self.where)
        block = np.asarray(found)
        wanted = tuple(len(range(*part.indices(size))) for part, size in zip(region, self.shape, strict=True))
        if block.shape != wanted:
            message = f"{self.where} must give a block of shape {wanted} for {region}, but one of {block.shape} came"
            raise SchemaError(message)
        return as_stored(block, self.where)


@dataclass(frozen=True, slots=True)
class GraphSource:
    """A Dask array: its blocks are computed and stored by tasks of one graph, wherever they run."""

    data: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    where: str

    def read(self, region: Region) -> np.ndarray[Any, Any]:
        """Return the values of a region, computed here and now."""
        return as_stored(np.asarray(self.data[region]), self.where)


@dataclass(frozen=True, slots=True)
class BlockSource:
    """Blocks that come one after another along the first dimension.

    Attributes
    ----------
    first : list of numpy.ndarray
        Blocks that were taken to learn dtype and shape.
    rest : iterator
        The others.
    spent : SpentBlocks
        What takes the place of the iterator; learns the shape when the blocks have ended.
    """

    first: list[np.ndarray[Any, Any]]
    rest: Iterator[Any]
    where: str
    spent: SpentBlocks

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape so far; the first dimension grows."""
        return (sum(len(block) for block in self.first), *self.first[0].shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of every block."""
        dtype: np.dtype[Any] = self.first[0].dtype
        return dtype

    def all_blocks(self) -> Iterator[Any]:
        """Return an iterator that gives what this one was made of."""
        return itertools.chain(self.first, self.rest)

    def blocks(self) -> Iterator[np.ndarray[Any, Any]]:
        """Yield all blocks, each checked against the first.

        Raises
        ------
        SchemaError
            When a block has another dtype, or another shape after the first dimension.
        """
        rows = 0
        for block in self._checked():
            rows += len(block)
            yield block
        self.spent.settled_shape = (rows, *self.shape[1:])

    def _checked(self) -> Iterator[np.ndarray[Any, Any]]:
        yield from self.first
        for index, block in enumerate(self.rest, start=len(self.first)):
            yield _check_block(_as_block(block, f"{self.where}, block {index}"), self.first[0], index, self.where)


class SpentBlocks(Iterator[Any]):
    """What stands in the place of an iterator of blocks that a write has taken.

    Attributes
    ----------
    settled_shape : tuple of int or None
        Shape of all blocks together, when they have ended.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self.settled_shape: tuple[int, ...] | None = None

    def __next__(self) -> Any:
        message = (
            f"the blocks of {self._where} were taken by a write, and an iterator gives them once only: "
            "read them from the store; or, if that write failed, make the series anew with a fresh iterator"
        )
        raise SchemaError(message)


Source = MemorySource | SlicedSource | GraphSource | BlockSource


def open_source(value: Any, where: str) -> Source:
    """Return the source of some data.

    Parameters
    ----------
    value : object
        Scalar, text, datetime, list, NumPy array, sliceable array, or iterator of blocks.
    where : str
        Path of the dataset, for messages.

    Raises
    ------
    FieldTypeError
        When it is nothing of these, or holds what has no stored form.
    """
    refuse_masked(value, where)
    if isinstance(value, Iterator):
        return _open_blocks(value, where)
    if isinstance(value, np.ndarray | np.generic):
        return MemorySource(as_stored(np.asarray(value), where))
    if hasattr(value, "shape") and hasattr(value, "dtype") and hasattr(value, "__getitem__"):
        dtype = np.dtype(value.dtype)
        stored = np.dtype(object) if dtype.kind in "UST" else packed(dtype).newbyteorder("=")
        kind = GraphSource if is_graph(value) else SlicedSource
        return kind(value, _known_shape(value, where), stored, where)
    return MemorySource(as_stored(_from_python(value, where), where))


def is_graph(value: Any) -> bool:
    """Whether a value is a Dask array."""
    return hasattr(value, "__dask_graph__") and hasattr(value, "map_blocks")


def _known_shape(value: Any, where: str) -> tuple[int, ...]:
    """Return the shape of data; Dask may not know it."""
    if any(size != size for size in value.shape):  # noqa: PLR0124 - NaN
        message = f"{where} must have a known shape, but {value.shape} came: call compute_chunk_sizes() of the Dask array first"
        raise SchemaError(message)
    return tuple(int(size) for size in value.shape)


def as_stored(array: np.ndarray[Any, Any], where: str) -> np.ndarray[Any, Any]:
    """Return an array in the form it is stored in: text as objects, numbers in native byte order.

    Raises
    ------
    FieldTypeError
        When an object array holds anything but text, or bytes are no UTF-8.
    """
    if array.dtype.kind in "OUTS":
        # In the order it is read: zarr 3.1 writes texts as they lie in memory.
        return _checked_text(array.astype(object, order="C"), where)
    return array.astype(packed(array.dtype).newbyteorder("="), copy=False)


def _checked_text(array: np.ndarray[Any, Any], where: str) -> np.ndarray[Any, Any]:
    if any(isinstance(item, bytes) for item in array.flat):
        # h5py gives texts as bytes.
        decoded = [_decoded(item, where) if isinstance(item, bytes) else item for item in array.flat]
        array = np.array([*decoded, None], dtype=object)[:-1].reshape(array.shape)
    if any(type(item) is not str and isinstance(item, str) for item in array.flat):
        # zarr takes texts of Python's own type only.
        array = np.array([*(str(item) if isinstance(item, str) else item for item in array.flat), None], dtype=object)[
            :-1
        ].reshape(array.shape)
    for index, item in sorted(enumerate(array.flat), key=lambda pair: pair[1] is not None):
        if isinstance(item, list | tuple | np.ndarray):
            raise _ragged(where)
        if not isinstance(item, str):
            advice = "use '' or leave the row out" if item is None else "convert it to text or numbers first"
            message = f"{where} must hold texts only, but item {index} is {item!r} ({type(item).__name__}): {advice}"
            raise FieldTypeError(message)
        if not item.isascii() and any("\ud800" <= letter <= "\udfff" for letter in item):
            message = f"{where} must hold Unicode text, but item {index}, {item!r}, has half a surrogate pair: mend it"
            raise FieldTypeError(message)
    return array


def _ragged(where: str) -> SchemaError:
    return SchemaError(f"{where}: the rows of a list must have equal lengths to form an array, but they do not")


def _decoded(item: bytes, where: str) -> str:
    try:
        return item.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"{where} must hold UTF-8 text, but the bytes {item[:20]!r} are not: store them as uint8"
        raise FieldTypeError(message) from error


def _from_python(value: Any, where: str) -> np.ndarray[Any, Any]:
    """Return a scalar or list as an array."""
    if isinstance(value, datetime | date):
        return np.array(encode_datetime(value), dtype=object)
    if isinstance(value, str):
        return np.array(value, dtype=object)
    if isinstance(value, bytes):
        return np.array([value, None], dtype=object)[0:1].reshape(())
    if isinstance(value, bool | int | float | complex):
        return _checked_number(np.asarray(value), where)
    if isinstance(value, list | tuple):
        array = _from_list(value, where)
        if array.dtype.kind == "f" and _holds_integers_only(value):
            message = f"{where} must hold integers that fit one 64-bit dtype, but these do not: use floats or texts"
            raise SchemaError(message)
        return array
    message = (
        f"{where} must be numbers, texts, truth values, datetimes, arrays or iterators of blocks, "
        f"but {type(value).__name__} came"
    )
    raise FieldTypeError(message)


def refuse_masked(value: Any, where: str) -> None:
    """Raise `SchemaError` for a masked array: what is masked has no stored form."""
    if isinstance(value, np.ma.MaskedArray):
        message = f"{where} must hold values, but a masked array came: fill what is masked first (array.filled(…))"
        raise SchemaError(message)


def _holds_integers_only(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(map(_holds_integers_only, value))
    return isinstance(value, int)


def _from_list(value: list[Any] | tuple[Any, ...], where: str) -> np.ndarray[Any, Any]:
    for item in value:
        refuse_masked(item, where)
    if any(isinstance(item, datetime | date) for item in value):
        value = [encode_datetime(item) if isinstance(item, datetime | date) else item for item in value]
    try:
        array = np.asarray(value)
    except UnicodeDecodeError:
        array = np.array(value, dtype=object)
    except ValueError as error:
        raise _ragged(where) from error
    if array.dtype.kind in "iufc" and any(isinstance(item, bool) for item in value):
        truth = next(item for item in value if isinstance(item, bool))
        message = f"{where} must hold numbers or truth values, but a list of both came ({truth!r} among numbers)"
        raise FieldTypeError(message)
    if array.dtype.kind in "UOS":
        # NumPy turns a list of texts and numbers into texts; nothing may change its value unasked.
        array = np.array(value, dtype=object)
    return _checked_number(array, where)


def _checked_number(array: np.ndarray[Any, Any], where: str) -> np.ndarray[Any, Any]:
    """Raise for Python integers that no integer dtype holds; NumPy would make objects or floats of them."""
    whole = array.dtype.kind == "O" and array.size and all(isinstance(item, int) for item in array.flat)
    if whole:
        message = f"{where} must hold integers that fit 64 bits, but a larger one came: use floats or texts"
        raise FieldTypeError(message)
    return array


def _open_blocks(blocks: Iterator[Any], where: str) -> Source:
    """Return a source of blocks; a few small ones are taken as data in memory."""
    first: list[np.ndarray[Any, Any]] = []
    size = 0
    for index, item in enumerate(blocks):
        block = _as_block(item, f"{where}, block {index}")
        first.append(_check_block(block, first[0] if first else block, index, where))
        size += block.nbytes
        if size > PEEK_BYTES:
            return BlockSource(first, blocks, where, SpentBlocks(where))
    if not first:
        message = f"{where}: the iterator gave no block, so neither dtype nor shape is known: give an empty array"
        raise SchemaError(message)
    return MemorySource(np.concatenate(first))


def _as_block(item: Any, where: str) -> np.ndarray[Any, Any]:
    """Return what an iterator gave as an array with at least one dimension."""
    source = None if isinstance(item, Iterator) else open_source(item, where)
    if source is None or isinstance(source, BlockSource) or not source.shape:
        message = f"{where}: an iterator must give blocks, arrays with at least one dimension, but {item!r} came"
        raise SchemaError(message)
    block = source.read((slice(None),) * len(source.shape))
    # Whoever gives blocks may use the same memory for the next one.
    return np.array(block) if isinstance(item, np.ndarray) else block


def _check_block(
    block: np.ndarray[Any, Any], first: np.ndarray[Any, Any], index: int, where: str
) -> np.ndarray[Any, Any]:
    if block.dtype != first.dtype or block.shape[1:] != first.shape[1:]:
        message = (
            f"{where}: every block must have dtype {first.dtype} and shape (n, {', '.join(map(str, first.shape[1:]))}) "
            f"like the first, but block {index} has {block.dtype} and {block.shape}"
        )
        raise SchemaError(message)
    return block
