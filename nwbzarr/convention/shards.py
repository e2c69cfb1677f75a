"""The index of a shard: where its chunks are. Zarr v3, "sharding_indexed" codec. Pure.

One pair of 64-bit integers for each chunk, in C order: offset and size in bytes, both `ABSENT` for a chunk that is not
there. A CRC-32C follows. Shards whose index is encoded otherwise are zarr's work.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import google_crc32c
import numpy as np

from nwbzarr.errors import DocumentError

Index = np.ndarray[Any, np.dtype[np.uint64]]

#: Offset and size of a chunk that is not stored.
ABSENT = 2**64 - 1

_PAIR_BYTES = 16
_CRC_BYTES = 4
_LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


@dataclass(frozen=True, slots=True)
class ShardForm:
    """How the shards of one array are laid out.

    Attributes
    ----------
    counts : tuple of int
        Chunks along each dimension.
    at_end : bool
        Whether the index follows the chunks, or comes before them.
    """

    counts: tuple[int, ...]
    at_end: bool

    @property
    def index_bytes(self) -> int:
        """Size of the index, in bytes."""
        return math.prod(self.counts) * _PAIR_BYTES + _CRC_BYTES

    def parse_index(self, data: bytes) -> Index:
        """Return offset and size of each chunk, shape ``(chunks, 2)``.

        Raises
        ------
        DocumentError
            When the bytes are no index of such a shard.
        """
        body, crc = data[:-_CRC_BYTES], data[-_CRC_BYTES:]
        if len(data) != self.index_bytes or google_crc32c.value(body).to_bytes(_CRC_BYTES, "little") != crc:
            message = (
                f"a shard must carry an index of {self.index_bytes} bytes with its checksum, but the {len(data)} bytes "
                "there are none: the shard is cut off or damaged"
            )
            raise DocumentError(message)
        return np.frombuffer(body, "<u8").reshape(-1, 2)

    def index_within(self, data: bytes) -> Index:
        """Return the index of a whole shard; raises as `parse_index` does."""
        return self.parse_index(data[-self.index_bytes :] if self.at_end else data[: self.index_bytes])

    def pack(self, chunks: Sequence[bytes | None]) -> list[bytes]:
        """Return the pieces of a shard, in order, of all its encoded chunks; None for those beyond the array's edge."""
        sizes = np.array([len(chunk or b"") for chunk in chunks], np.uint64)
        offsets = np.cumsum(sizes, dtype=np.uint64) - sizes
        if not self.at_end:
            offsets += np.uint64(self.index_bytes)
        pairs = np.stack([offsets, sizes], axis=1).astype("<u8")
        pairs[[chunk is None for chunk in chunks]] = ABSENT
        body = pairs.tobytes()
        index = body + google_crc32c.value(body).to_bytes(_CRC_BYTES, "little")
        pieces = [chunk for chunk in chunks if chunk is not None]
        return [*pieces, index] if self.at_end else [index, *pieces]


def parse_sharding(codec: Any, shard_shape: Sequence[int]) -> tuple[ShardForm, tuple[int, ...], list[Any]] | None:
    """Return form, chunk shape and codecs of the chunks, or None when zarr must do the work."""
    given = codec.get("configuration") if isinstance(codec, Mapping) else None
    if not isinstance(given, Mapping) or given.get("index_codecs") not in (
        [_LITTLE, {"name": "crc32c"}],
        [_LITTLE, {"name": "crc32c", "configuration": {}}],
    ):
        return None
    chunks, location = given.get("chunk_shape"), given.get("index_location", "end")
    if not isinstance(chunks, list) or len(chunks) != len(shard_shape):
        return None
    pairs = list(zip(chunks, shard_shape, strict=True))
    fits = all(type(size) is int and size > 0 and not whole % size for size, whole in pairs)
    if not fits or location not in ("start", "end") or not isinstance(given.get("codecs"), list):
        return None
    counts = tuple(whole // size for size, whole in pairs)
    return ShardForm(counts, location == "end"), tuple(chunks), given["codecs"]
