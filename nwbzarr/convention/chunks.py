"""Bytes of one chunk, with errors that name the array.

Scalars and short columns are most of a session's nodes; their single chunk is encoded and decoded here in
microseconds. Which codecs can be is said by `codecs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.convention.codecs import DECODE_ERRORS, ChunkCodec, parse_codecs
from nwbzarr.errors import ChunkError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def can_decode(codecs: object, dtype: np.dtype[Any] | None) -> bool:
    """Whether chunks of these codecs can be encoded and decoded here."""
    return parse_codecs(codecs, dtype) is not None


def encode_chunk(array: np.ndarray[Any, Any], codecs: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the bytes of the chunk that holds the whole of `array`."""
    return _known(codecs, array.dtype).encode(array)


def decode_chunk(
    data: bytes, codecs: Sequence[Mapping[str, Any]], dtype: np.dtype[Any], shape: tuple[int, ...], where: str
) -> np.ndarray[Any, Any]:
    """Return the array of one chunk, which may be changed.

    Raises
    ------
    ChunkError
        When the bytes do not hold an array of this dtype and shape.
    """
    try:
        found = _known(codecs, dtype).decode(data, shape)
        return found if found.flags.writeable else found.copy()
    except DECODE_ERRORS as error:
        region = ", ".join(f"0:{size}" for size in shape)
        message = (
            f"the chunk must hold {dtype} of shape {shape}, region [{region}], but its {len(data)} bytes do not: {error}; "
            "restore it, or write it again"
        )
        raise ChunkError(message, path=where) from error


def padded(array: np.ndarray[Any, Any], chunks: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Return an array of the shape of its chunk, filled up with fill values."""
    if array.shape == chunks:
        return array
    made = np.full(chunks, "" if array.dtype.kind in "OUT" else np.zeros((), array.dtype), array.dtype)
    made[tuple(slice(size) for size in array.shape)] = array
    return made


def _known(codecs: Sequence[Mapping[str, Any]], dtype: np.dtype[Any]) -> ChunkCodec:
    found = parse_codecs(codecs, dtype)
    if found is None:
        message = f"only codecs that can_decode knows are encoded and decoded here, but {codecs} of {dtype} came"
        raise ValueError(message)
    return found
