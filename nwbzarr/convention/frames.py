"""How many bytes a compressed frame decodes to, read from its headers before anything is decoded.

A few kilobytes can ask for gigabytes. Blosc 1 chunk format (header of 16 bytes); Zstandard frame format, RFC 8878,
sections 3.1.1.1 and 3.1.1.2. This room refuses to decode.
"""

from __future__ import annotations

import struct

_BLOSC_HEADER = 16
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_SIZE_BYTES = (0, 2, 4, 8)
_DICTIONARY_BYTES = (0, 1, 2, 4)
_BLOCK_BYTES = 128 * 2**10
_RAW, _REPEATED = 0, 1


def blosc_size(data: bytes | memoryview) -> int:
    """Return the decoded size of a Blosc frame, in bytes.

    Raises
    ------
    ValueError
        When the frame is not as long as its header says: Blosc itself reads past the end.
    """
    decoded, _, encoded = struct.unpack_from("<iii", data, 4) if len(data) >= _BLOSC_HEADER else (-1, 0, -1)
    if decoded < 0 or encoded != len(data):
        message = "the Blosc frame is cut off or damaged"
        raise ValueError(message)
    return int(decoded)


def zstd_bound(data: bytes | memoryview) -> int:
    """Return the decoded size of the first Zstandard frame, or a bound on it where the header does not tell, in bytes.

    Raises
    ------
    ValueError
        When it is no frame, or cut off.
    """
    if data[:4] != _ZSTD_MAGIC or len(data) < 6:  # noqa: PLR2004 - magic, descriptor, and at least one byte more
        message = "the Zstandard frame is cut off or damaged"
        raise ValueError(message)
    descriptor = data[4]
    single = bool(descriptor & 0b0010_0000)
    size_bytes = _SIZE_BYTES[descriptor >> 6] or (1 if single else 0)
    at = 5 + (0 if single else 1) + _DICTIONARY_BYTES[descriptor & 0b11]
    if size_bytes:
        offset = 256 if size_bytes == 2 else 0  # noqa: PLR2004 - RFC 8878, 3.1.1.1.4
        return int.from_bytes(data[at : at + size_bytes], "little") + offset
    return _bound_of_blocks(data, at)


def _bound_of_blocks(data: bytes | memoryview, at: int) -> int:
    """Return the most that the blocks from `at` on decode to."""
    bound, last = 0, False
    while not last:
        if at + 3 > len(data):
            message = "the Zstandard frame is cut off or damaged"
            raise ValueError(message)
        header = int.from_bytes(data[at : at + 3], "little")
        last, kind, size = bool(header & 1), header >> 1 & 0b11, header >> 3
        bound += size if kind in (_RAW, _REPEATED) else _BLOCK_BYTES
        at += 3 + (1 if kind == _REPEATED else size)
    return bound
