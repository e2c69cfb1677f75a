"""Compressed frames, as far as their headers tell: how many bytes they decode to, and where the parts of them are.

A few kilobytes can ask for gigabytes, so sizes are looked at before anything is decoded. Blosc 1 chunk format (header of 16 bytes); Zstandard frame format, RFC 8878,
sections 3.1.1.1 and 3.1.1.2. This room refuses to decode.
"""

from __future__ import annotations

import itertools
import struct

_BLOSC_HEADER = 16
_NOT_COMPRESSED = 0b10
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


def blosc_part(data: bytes | memoryview, start: int, stop: int) -> tuple[bytes, int] | None:
    """Return a frame of just the blocks that hold some decoded bytes, and the first decoded byte of it.

    Blosc compresses blocks one by one, so that few of them can be decoded alone: a frame of its own is made of their
    bytes as they are.

    Parameters
    ----------
    data : bytes
        A Blosc frame whose sizes are right (`blosc_size`).
    start, stop : int
        Decoded bytes that are wanted.

    Returns
    -------
    (bytes, int) or None
        None when the frame has no such blocks, or when they are all of it.
    """
    flags = data[2]
    decoded, block, encoded = struct.unpack_from("<iii", data, 4)
    if flags & _NOT_COMPRESSED or not 0 < block < decoded:
        return None
    count = -(-decoded // block)
    first, last = start // block, (stop - 1) // block
    if decoded % block and first == count - 1:
        # Blosc takes no frame that is shorter than a block, and knows a short last block by the whole one before it.
        first -= 1
    if last - first + 1 >= count or _BLOSC_HEADER + 4 * count > encoded:
        return None
    starts = struct.unpack_from(f"<{count}i", data, _BLOSC_HEADER)
    # Threads may have put the blocks in any order: each ends where the next one in the frame begins.
    ends = dict(itertools.pairwise([*sorted(starts), encoded]))
    table = _BLOSC_HEADER + 4 * (last - first + 1)
    pieces = [bytes(data[starts[number] : ends[starts[number]]]) for number in range(first, last + 1)]
    offsets = list(itertools.accumulate((len(piece) for piece in pieces[:-1]), initial=table))
    size = min((last + 1) * block, decoded) - first * block
    head = bytes(data[:4]) + struct.pack(f"<iii{len(offsets)}i", size, block, offsets[-1] + len(pieces[-1]), *offsets)
    return head + b"".join(pieces), first * block


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
