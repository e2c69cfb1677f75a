"""Bytes of one chunk, for arrays that consist of one chunk.

Scalars and short columns are most of a session's nodes. Their single chunk is encoded and decoded here in
microseconds, with the same codecs and to the same bytes as Zarr's own pipeline. Arrays of several chunks, of
shards, or of codecs not in the table below are zarr's work: `can_decode` says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numcodecs.blosc import Blosc
from numcodecs.gzip import GZip
from numcodecs.vlen import VLenUTF8
from numcodecs.zstd import Zstd

from nwbzarr.convention.dtypes import packed
from nwbzarr.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
import math
import struct
import zlib

_BLOSC_HEADER = 16
_SHUFFLES = {"noshuffle": Blosc.NOSHUFFLE, "shuffle": Blosc.SHUFFLE, "bitshuffle": Blosc.BITSHUFFLE}
_TEXT_CODEC = VLenUTF8()


def _blosc(configuration: Mapping[str, Any]) -> Blosc:
    """Return numcodecs' Blosc for Zarr's configuration."""
    return Blosc(
        cname=configuration["cname"],
        clevel=configuration["clevel"],
        shuffle=_SHUFFLES[configuration["shuffle"]],
        blocksize=configuration.get("blocksize", 0),
        typesize=configuration.get("typesize"),
    )


_COMPRESSORS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "blosc": _blosc,
    "gzip": lambda configuration: GZip(level=configuration.get("level", 5)),
    "zstd": lambda configuration: Zstd(
        level=configuration.get("level", 0), checksum=bool(configuration.get("checksum", False))
    ),
}


def can_decode(codecs: object, dtype: np.dtype[Any] | None) -> bool:
    """Whether chunks of these codecs can be encoded and decoded here."""
    if not isinstance(codecs, list) or not codecs or dtype is None:
        return False
    if not all(isinstance(codec, dict) and isinstance(codec.get("configuration", {}), dict) for codec in codecs):
        return False
    names = [codec.get("name") for codec in codecs]
    serializer = "vlen-utf8" if dtype.kind in "OT" else "bytes"
    return names[0] == serializer and all(isinstance(name, str) and name in _COMPRESSORS for name in names[1:])


def encode_chunk(array: np.ndarray[Any, Any], codecs: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the bytes of the chunk that holds the whole of `array`."""
    if array.dtype.kind in "OT":
        data = bytes(_TEXT_CODEC.encode(np.ascontiguousarray(array, dtype=object).reshape(-1)))
    else:
        data = np.ascontiguousarray(array, dtype=_ordered(array.dtype, codecs[0])).tobytes()
    for codec in codecs[1:]:
        data = bytes(_COMPRESSORS[codec["name"]](codec.get("configuration", {})).encode(data))
    return data


def decode_chunk(
    data: bytes, codecs: Sequence[Mapping[str, Any]], dtype: np.dtype[Any], shape: tuple[int, ...], where: str
) -> np.ndarray[Any, Any]:
    """Return the array of one chunk.

    Raises
    ------
    DocumentError
        When the bytes do not hold an array of this dtype and shape.
    """
    try:
        for codec in reversed(codecs[1:]):
            _check_whole(codec["name"], data)
            data = bytes(_COMPRESSORS[codec["name"]](codec.get("configuration", {})).decode(data))
        if dtype.kind in "OT":
            _check_count(data, math.prod(shape))
            return np.asarray(_TEXT_CODEC.decode(data)).reshape(shape)
        flat = np.frombuffer(data, dtype=_ordered(dtype, codecs[0]))
        return flat.reshape(shape).astype(dtype)
    except (RuntimeError, ValueError, TypeError, KeyError, EOFError, OSError, zlib.error) as error:
        message = f"the chunk must hold {dtype} of shape {shape}, but its {len(data)} bytes do not: {error}"
        raise DocumentError(message, path=where) from error


def _check_whole(codec: str, data: bytes) -> None:
    """Raise for a Blosc frame that is not as long as its header says: Blosc itself reads past the end.

    Blosc 1 header: sizes as 32-bit integers, decoded at byte 4 and encoded at byte 12.
    """
    if codec != "blosc":
        return
    decoded, _, encoded = struct.unpack_from("<iii", data, 4) if len(data) >= _BLOSC_HEADER else (-1, 0, -1)
    if decoded < 0 or encoded != len(data):
        message = "the Blosc frame is cut off or damaged"
        raise ValueError(message)


def _check_count(data: bytes, expected: int) -> None:
    """Raise unless a text chunk begins with the number of its texts: the codec would make room for any number."""
    if int.from_bytes(data[:4], "little") != expected:
        message = f"the chunk must hold {expected} texts"
        raise ValueError(message)


def _ordered(dtype: np.dtype[Any], serializer: Mapping[str, Any]) -> np.dtype[Any]:
    """Return `dtype` in the byte order that the ``bytes`` codec names."""
    endian = serializer.get("configuration", {}).get("endian", "little")
    return packed(dtype).newbyteorder(">" if endian == "big" else "<")
