"""Zarr's codecs of one chunk, compiled once for an array: values to bytes and back, with every size checked first.

The table below holds what planned layouts use and what other writers of sessions use. Arrays of other codecs are
zarr's work: `parse_codecs` says so by None. Encoded bytes are those of Zarr's own pipeline. This room refuses I/O.
"""

from __future__ import annotations

import importlib.util
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numcodecs.vlen import VLenUTF8

from nwbzarr.convention.compressors import COMPRESSORS, BloscCompressor, Checksum, Compressor, check_size
from nwbzarr.convention.dtypes import packed
from nwbzarr.convention.filters import Filter, parse_delta, parse_transpose
from nwbzarr.convention.frames import blosc_part, blosc_size

Configuration = Mapping[str, Any]
Array = np.ndarray[Any, Any]

_TEXT_CODEC = VLenUTF8()

#: Dtypes that pcodec takes.
PCODEC_DTYPES = ("int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "float32", "float64")

#: Bytes that encoded text may decode to: this much, and so many times its length, and some for each text.
_TEXT_ROOM, _TEXT_RATIO, _TEXT_BYTES = 8 * 2**20, 16, 1024


class Serializer(Protocol):
    """Values of one chunk to bytes."""

    def size(self, count: int, encoded: int) -> tuple[int, bool]:
        """Return how many bytes `count` values take, or may take at most, and whether that is exact."""

    def encode(self, array: Array, scratch: Array | None) -> Any:
        """Return the bytes of an array; they may lie in the array itself, or in `scratch` (uint8)."""

    def decode(self, data: Any, count: int) -> Array:
        """Return `count` values, flat."""


@dataclass(frozen=True, slots=True)
class _Plain:
    """The ``bytes`` codec."""

    stored: np.dtype[Any]
    dtype: np.dtype[Any]

    def size(self, count: int, encoded: int) -> tuple[int, bool]:  # noqa: ARG002
        return count * self.stored.itemsize, True

    def encode(self, array: Array, scratch: Array | None) -> Any:
        if array.dtype == self.stored and array.flags.c_contiguous:
            return array.reshape(-1).view(np.uint8) if array.dtype.names is None else array.tobytes()
        if scratch is None or array.dtype.names is not None:
            return np.ascontiguousarray(array, dtype=self.stored).tobytes()
        # Fresh memory costs about as much as encoding what is in it.
        made = scratch[: array.size * self.stored.itemsize]
        made.view(self.stored).reshape(array.shape)[...] = array
        return made

    def decode(self, data: Any, count: int) -> Array:
        flat: Array = np.frombuffer(data, dtype=self.stored)
        if len(flat) != count:
            message = f"{count} values are needed, but the bytes hold {len(flat)}"
            raise ValueError(message)
        return flat if self.stored == self.dtype else flat.astype(self.dtype)


@dataclass(frozen=True, slots=True)
class _Text:
    """The ``vlen-utf8`` codec."""

    def size(self, count: int, encoded: int) -> tuple[int, bool]:
        return _TEXT_ROOM + _TEXT_RATIO * encoded + _TEXT_BYTES * count, False

    def encode(self, array: Array, scratch: Array | None) -> Any:  # noqa: ARG002
        return bytes(_TEXT_CODEC.encode(np.ascontiguousarray(array, dtype=object).reshape(-1)))

    def decode(self, data: Any, count: int) -> Array:
        data = bytes(data)
        # The codec would make room for any number of texts.
        if int.from_bytes(data[:4], "little") != count:
            message = f"the chunk must hold {count} texts"
            raise ValueError(message)
        return np.asarray(_TEXT_CODEC.decode(data))


@dataclass(frozen=True, slots=True)
class _Pcodec:
    """The ``numcodecs.pcodec`` codec."""

    codec: Any
    dtype: np.dtype[Any]

    def size(self, count: int, encoded: int) -> tuple[int, bool]:
        return count * self.dtype.itemsize + encoded, False

    def encode(self, array: Array, scratch: Array | None) -> Any:  # noqa: ARG002
        return bytes(self.codec.encode(np.ascontiguousarray(array, self.dtype).reshape(-1)))

    def decode(self, data: Any, count: int) -> Array:
        from pcodec import standalone

        out: Array = np.empty(count, self.dtype)
        progress = standalone.simple_decompress_into(bytes(data), out)
        if progress.n_processed != count or not progress.finished:
            message = f"{count} values are needed, but {'more' if not progress.finished else progress.n_processed} came"
            raise ValueError(message)
        return out


@dataclass(frozen=True, slots=True)
class ChunkCodec:
    """The codecs of one array's chunks.

    Attributes
    ----------
    dtype : numpy.dtype
        Of the decoded values; object for text.
    filters, serializer, compressors
        What values go through, in the order of encoding.
    """

    dtype: np.dtype[Any]
    filters: tuple[Filter, ...]
    serializer: Serializer
    compressors: tuple[Compressor, ...]

    def encode(self, array: Array, scratch: Array | None = None) -> bytes:
        """Return the bytes of a whole chunk.

        Parameters
        ----------
        array : numpy.ndarray
            Its values.
        scratch : numpy.ndarray, optional
            Memory (uint8) that may be used on the way, at least of the size of the values.
        """
        for each in self.filters:
            array = each.encode(array)
        data = self.serializer.encode(array, scratch)
        for compressor in self.compressors:
            data = compressor.encode(data)
        return bytes(data)

    def decode(self, data: bytes, shape: tuple[int, ...], scratch: Array | None = None) -> Array:
        """Return the values of a chunk; they may lie in `data` or in `scratch`, and are not to be changed.

        Parameters
        ----------
        data : bytes
            The encoded chunk.
        shape : tuple of int
            Shape of the chunk.
        scratch : numpy.ndarray, optional
            Memory (uint8) that may be used for the result, of just its size.

        Raises
        ------
        ValueError, RuntimeError
            When the bytes do not hold such a chunk; no more memory is taken than the shape asks for.
        """
        count = math.prod(shape)
        limit, exact = self.serializer.size(count, len(data))
        last = len(self.compressors) - 1
        for index, compressor in enumerate(reversed(self.compressors)):
            final = index == last
            # Codecs between make data longer by little only.
            room = limit if final else limit + limit // 8 + 2**16
            out = (scratch if scratch is not None else np.empty(limit, np.uint8)) if final and exact and limit else None
            data = compressor.decode(data, room, out)
        array = self.serializer.decode(data, count)
        inner = [shape]
        for each in self.filters:
            inner.append(each.shape(inner[-1]))
        array = array.reshape(inner[-1])
        for each in reversed(self.filters):
            array = each.decode(array)
        return array

    def decode_rows(self, data: bytes, shape: tuple[int, ...], rows: slice) -> Array | None:
        """Return some rows of a chunk, decoding little more than them; None when only the whole can be decoded.

        Parameters
        ----------
        data : bytes
            The encoded chunk.
        shape : tuple of int
            Shape of the chunk.
        rows : slice
            Start and stop along the first dimension.

        Raises
        ------
        ValueError, RuntimeError
            When the bytes do not hold such a chunk.
        """
        if not self.decodes_in_place or not self.compressors or not isinstance(self.compressors[0], BloscCompressor):
            return None
        for compressor in reversed(self.compressors[1:]):
            if not isinstance(compressor, Checksum):
                return None
            data = compressor.decode(data, len(data), None)
        row = math.prod(shape[1:]) * self.dtype.itemsize
        check_size(blosc_size(data), row * shape[0], None)
        found = blosc_part(data, rows.start * row, rows.stop * row)
        if found is None or blosc_size(data) != row * shape[0]:
            return None
        frame, first = found
        decoded = self.compressors[0].codec.decode(frame)
        start = rows.start * row - first
        flat: Array = np.frombuffer(decoded, np.uint8)[start : start + (rows.stop - rows.start) * row]
        return flat.view(self.dtype).reshape(rows.stop - rows.start, *shape[1:])

    @property
    def fills_memory(self) -> bool:
        """Whether chunks decode into memory that is given, of the size of their values."""
        return isinstance(self.serializer, _Plain) and bool(self.compressors)

    @property
    def decodes_in_place(self) -> bool:
        """Whether what is decoded into memory is the values, as they are."""
        return isinstance(self.serializer, _Plain) and self.serializer.stored == self.dtype and not self.filters


#: What a chunk that cannot be decoded makes numcodecs and NumPy raise.
DECODE_ERRORS = (RuntimeError, ValueError, TypeError, KeyError, EOFError, OSError, zlib.error)


def parse_codecs(codecs: Any, dtype: np.dtype[Any] | None) -> ChunkCodec | None:
    """Return the codecs of a document's list, or None when zarr must do the work.

    Parameters
    ----------
    codecs : list of mapping
        The list; that of a shard's chunks where there are shards.
    dtype : numpy.dtype or None
        Dtype of the values; None when only zarr knows it.
    """
    if not isinstance(codecs, Sequence) or isinstance(codecs, str) or not codecs or dtype is None:
        return None
    try:
        return _compile(json.dumps(codecs), dtype)
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


@lru_cache(512)
def _compile(listed: str, dtype: np.dtype[Any]) -> ChunkCodec | None:
    rest = [(codec["name"], codec.get("configuration", {})) for codec in json.loads(listed)]
    filters: list[Filter] = []
    # Transposing what is flat already makes no sense to zarr: differences come after it.
    for name, make in (("transpose", parse_transpose), ("numcodecs.delta", parse_delta)):
        while rest and rest[0][0] == name:
            filters.append(make(rest.pop(0)[1], dtype))
    if not rest:
        return None
    serializer = _serializer(*rest[0], dtype)
    if serializer is None or any(name not in COMPRESSORS for name, _ in rest[1:]):
        return None
    compressors = (COMPRESSORS[name]({"typesize": dtype.itemsize, **given}) for name, given in rest[1:])
    return ChunkCodec(dtype, tuple(filters), serializer, tuple(compressors))


def _serializer(name: str, given: Mapping[str, Any], dtype: np.dtype[Any]) -> Serializer | None:
    if dtype.kind in "OT":
        return _Text() if name == "vlen-utf8" else None
    if name == "bytes":
        return _Plain(packed(dtype).newbyteorder(">" if given.get("endian") == "big" else "<"), dtype)
    if name == "numcodecs.pcodec" and dtype.name in PCODEC_DTYPES and importlib.util.find_spec("pcodec") is not None:
        from numcodecs.pcodec import PCodec

        return _Pcodec(PCodec(**given), dtype)
    return None
