"""Bytes to fewer bytes, and back: the codecs that come after the serializer, with every size checked first.

The table holds what planned layouts use, what other writers of sessions use, and what HDF5's filters do. This room
refuses to know arrays.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import google_crc32c
import numpy as np
from numcodecs.blosc import Blosc
from numcodecs.fletcher32 import Fletcher32
from numcodecs.gzip import GZip
from numcodecs.zstd import Zstd

from nwbzarr.convention.frames import blosc_size, zstd_bound

Configuration = Mapping[str, Any]
Array = np.ndarray[Any, Any]

_SHUFFLES = {"noshuffle": Blosc.NOSHUFFLE, "shuffle": Blosc.SHUFFLE, "bitshuffle": Blosc.BITSHUFFLE}
_CRC_BYTES = 4

#: What CRC-32C gives for any bytes with their own CRC-32C behind them.
_CRC_RESIDUE = 0x48674BC7

_ZSTD_BLOCK = 128 * 2**10


class Compressor(Protocol):
    """Bytes to fewer bytes."""

    def encode(self, data: Any) -> bytes:
        """Return the encoded bytes."""

    def decode(self, data: bytes, limit: int, out: Array | None) -> Any:
        """Return the decoded bytes, at most `limit` of them; into `out` (uint8), which has just that size, if given."""


@dataclass(frozen=True, slots=True)
class BloscCompressor:
    """Blosc, of which parts can be decoded."""

    codec: Blosc

    def encode(self, data: Any) -> bytes:
        """Return the encoded bytes."""
        return bytes(self.codec.encode(data))

    def decode(self, data: bytes, limit: int, out: Array | None) -> Any:
        """Return the decoded bytes; see `Compressor`."""
        check_size(blosc_size(data), limit, out)
        return self.codec.decode(data, out)


@dataclass(frozen=True, slots=True)
class _Zstd:
    codec: Zstd

    def encode(self, data: Any) -> bytes:
        return bytes(self.codec.encode(data))

    def decode(self, data: bytes, limit: int, out: Array | None) -> Any:
        bound = zstd_bound(data)
        if out is None and bound > limit + _ZSTD_BLOCK:
            raise _oversized(bound, limit)
        if out is not None and bound < out.nbytes:
            # numcodecs would leave the rest of `out` as it is.
            raise _oversized(bound, out.nbytes)
        return self.codec.decode(data, out)


@dataclass(frozen=True, slots=True)
class _Gzip:
    codec: GZip

    def encode(self, data: Any) -> bytes:
        return bytes(self.codec.encode(data))

    def decode(self, data: bytes, limit: int, out: Array | None) -> Any:  # noqa: ARG002
        decoded, data = b"", bytes(data)
        while data:
            member = zlib.decompressobj(31)
            decoded += member.decompress(data, limit + 1 - len(decoded))
            if len(decoded) > limit:
                size, decoded = len(decoded), b""  # errors keep what their frames hold
                raise _oversized(size, limit)
            if not member.eof:
                message = "the gzip stream is cut off"
                raise ValueError(message)
            data = member.unused_data
        return decoded


@dataclass(frozen=True, slots=True)
class Checksum:
    """CRC-32C behind the bytes."""

    def encode(self, data: Any) -> bytes:
        """Return the bytes with their checksum."""
        whole = bytes(data)
        return whole + int(google_crc32c.value(whole)).to_bytes(_CRC_BYTES, "little")

    def decode(self, data: bytes, limit: int, out: Array | None) -> Any:  # noqa: ARG002
        """Return the bytes without their checksum; ValueError when it does not fit."""
        if len(data) < _CRC_BYTES or google_crc32c.value(bytes(data)) != _CRC_RESIDUE:
            message = "the checksum (crc32c) does not fit the bytes: they were damaged"
            raise ValueError(message)
        return memoryview(data)[:-_CRC_BYTES]


@dataclass(frozen=True, slots=True)
class _Zlib:
    """HDF5's filter ``deflate``."""

    level: int

    def encode(self, data: Any) -> bytes:
        return zlib.compress(data, self.level)

    def decode(self, data: bytes, limit: int, out: Array | None) -> Any:  # noqa: ARG002
        stream = zlib.decompressobj()
        decoded = stream.decompress(data, limit + 1)
        if len(decoded) > limit:
            size, decoded = len(decoded), b""  # errors keep what their frames hold
            raise _oversized(size, limit)
        if not stream.eof:
            message = "the zlib stream is cut off"
            raise ValueError(message)
        return decoded


@dataclass(frozen=True, slots=True)
class _Shuffle:
    """HDF5's filter ``shuffle``: first bytes of all values, then second bytes …; what is no whole value stays."""

    width: int

    def encode(self, data: Any) -> bytes:
        flat, whole = self._parts(data)
        return b"".join([flat[:whole].reshape(-1, self.width).T.tobytes(), flat[whole:].tobytes()])

    def decode(self, data: bytes, limit: int, out: Array | None) -> Any:
        flat, whole = self._parts(data)
        check_size(flat.nbytes, limit, out)
        made = np.empty(flat.nbytes, np.uint8) if out is None else out
        made[:whole].reshape(-1, self.width)[...] = flat[:whole].reshape(self.width, -1).T
        made[whole:] = flat[whole:]
        return made

    def _parts(self, data: Any) -> tuple[Array, int]:
        flat = np.frombuffer(data, np.uint8)
        return flat, flat.nbytes - flat.nbytes % self.width


@dataclass(frozen=True, slots=True)
class _Fletcher32:
    codec: Fletcher32

    def encode(self, data: Any) -> bytes:
        return bytes(self.codec.encode(data))

    def decode(self, data: bytes, limit: int, out: Array | None) -> Any:
        check_size(len(data) - _CRC_BYTES, limit, out)
        return self.codec.decode(data)


def check_size(size: int, limit: int, out: Array | None) -> None:
    """Raise ValueError when bytes decode to more than `limit`, or to another size than `out` has."""
    if size > limit or (out is not None and size != out.nbytes):
        raise _oversized(size, limit)


def _oversized(size: int, limit: int) -> ValueError:
    return ValueError(f"the bytes decode to {size:,} bytes, but the chunk's shape asks for {limit:,}")


#: Name of a codec to what makes it of its configuration, which holds the size of a value as ``typesize``.
COMPRESSORS: dict[str, Callable[[Configuration], Compressor]] = {
    "blosc": lambda given: BloscCompressor(
        Blosc(
            cname=given["cname"],
            clevel=given["clevel"],
            shuffle=_SHUFFLES[given["shuffle"]],
            blocksize=given.get("blocksize", 0),
            typesize=given.get("typesize"),
        )
    ),
    "gzip": lambda given: _Gzip(GZip(level=given.get("level", 5))),
    "zstd": lambda given: _Zstd(Zstd(level=given.get("level", 0), checksum=bool(given.get("checksum", False)))),
    "crc32c": lambda _: Checksum(),
    "numcodecs.zlib": lambda given: _Zlib(given.get("level", 1)),
    "numcodecs.shuffle": lambda given: _Shuffle(given.get("elementsize", 4)),
    "numcodecs.fletcher32": lambda _: _Fletcher32(Fletcher32()),
}
