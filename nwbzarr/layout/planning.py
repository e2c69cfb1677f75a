"""The layout of one array: chunks, shards and codecs, from its shape and dtype.

Chunks of about 2 MB decoded serve a time window over all channels and one channel over time alike; shards of about
64 MB keep an hour of 384 channels at some hundred objects. Blosc-zstd with bitshuffle suits integers. Small arrays
are one chunk. This room refuses I/O and knows no data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nwbzarr.errors import LayoutError

if TYPE_CHECKING:
    import numpy as np

#: Decoded bytes that a chunk aims at, and that a shard aims at.
CHUNK_BYTES = 1_920_000
SHARD_BYTES = 64 * 2**20

#: Most channels (second dimension) in one chunk.
CHUNK_CHANNELS = 96

#: Arrays up to this many bytes are one chunk.
SINGLE_CHUNK_BYTES = 4 * 2**20

#: Arrays up to this many bytes are not compressed: a scalar only gets longer.
PLAIN_BYTES = 256

#: Bytes a text is counted as when a text array is cut into chunks.
_TEXT_BYTES = 64

Codec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ArrayLayout:
    """How one array is stored.

    Attributes
    ----------
    chunks : tuple of int
        Shape of the unit of compression.
    shards : tuple of int or None
        Shape of the unit of storage, a whole multiple of `chunks`; None when every chunk is an object.
    codecs : tuple of mapping
        Zarr's codecs for one chunk, the serializer (``bytes`` or ``vlen-utf8``) first.
    """

    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    codecs: tuple[Codec, ...]

    @property
    def objects(self) -> tuple[int, ...]:
        """Shape of what one stored object holds."""
        return self.shards or self.chunks

    @property
    def stored_codecs(self) -> list[Codec]:
        """The codecs as the array's document lists them."""
        if self.shards is None:
            return list(self.codecs)
        index = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
        configuration = {
            "chunk_shape": list(self.chunks),
            "codecs": list(self.codecs),
            "index_codecs": index,
            "index_location": "end",
        }
        return [{"name": "sharding_indexed", "configuration": configuration}]


def plan_layout(
    shape: Sequence[int],
    dtype: np.dtype[Any],
    *,
    chunks: Sequence[int] | None = None,
    shards: Sequence[int] | None = None,
    compressors: Sequence[Codec] | None = None,
) -> ArrayLayout:
    """Return the layout of an array.

    Parameters
    ----------
    shape : sequence of int
        Its shape, time first.
    dtype : numpy.dtype
        Its dtype; object means text.
    chunks, shards : sequence of int, optional
        What the caller wants instead. Shards given must be whole multiples of the chunks.
    compressors : sequence of mapping, optional
        Zarr codecs after the serializer; empty for none.

    Raises
    ------
    LayoutError
        When chunks and shards do not fit the shape or each other.
    """
    full = tuple(max(size, 1) for size in shape)
    itemsize = _TEXT_BYTES if dtype.kind in "OT" else dtype.itemsize
    size = math.prod(full) * itemsize
    asked = chunks is not None or shards is not None
    if chunks is not None:
        inner = _checked(chunks, full, "chunks")
    elif size <= SINGLE_CHUNK_BYTES and shards is None:
        inner = full
    else:
        inner = _plan_chunks(full, itemsize)
    if shards is not None:
        outer: tuple[int, ...] | None = _checked(shards, full, "shards")
        if chunks is None:
            inner = tuple(math.gcd(part, whole) for part, whole in zip(inner, outer or (), strict=True))
        _check_multiple(inner, outer or ())
    else:
        outer = None if asked else _plan_shards(full, inner, itemsize)
    return ArrayLayout(inner, outer, (_serializer(dtype), *_compressors(dtype, size, compressors)))


def _plan_chunks(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return chunks of about `CHUNK_BYTES`: channels in groups, frames whole where they fit, time for the rest."""
    rest = list(shape[1:])
    if len(rest) == 1:
        rest = [math.ceil(rest[0] / math.ceil(rest[0] / CHUNK_CHANNELS))]
    while rest and math.prod(rest) * itemsize > CHUNK_BYTES:
        widest = rest.index(max(rest))
        rest[widest] = math.ceil(rest[widest] / 2)
    rows = max(CHUNK_BYTES // (math.prod(rest) * itemsize), 1)
    return (min(rows, shape[0]), *rest)


def _plan_shards(shape: tuple[int, ...], chunks: tuple[int, ...], itemsize: int) -> tuple[int, ...] | None:
    """Return shards of about `SHARD_BYTES`: all channels, then as much time as fits; None for a single chunk."""
    if shape == chunks:
        return None
    counts = [1] * len(shape)
    room = max(SHARD_BYTES // (math.prod(chunks) * itemsize), 1)
    for axis in (*range(1, len(shape)), 0):
        counts[axis] = min(math.ceil(shape[axis] / chunks[axis]), room)
        room = max(room // counts[axis], 1)
    return tuple(count * chunk for count, chunk in zip(counts, chunks, strict=True))


def _serializer(dtype: np.dtype[Any]) -> Codec:
    """Return the codec that turns an array into bytes."""
    if dtype.kind in "OT":
        return {"name": "vlen-utf8"}
    return {"name": "bytes", "configuration": {"endian": "little"}}


def _compressors(dtype: np.dtype[Any], size: int, asked: Sequence[Codec] | None) -> tuple[Codec, ...]:
    """Return the codecs that make bytes fewer."""
    if asked is not None:
        return tuple(asked)
    if size <= PLAIN_BYTES:
        return ()
    if dtype.kind in "OTUV":
        return ({"name": "zstd", "configuration": {"level": 1, "checksum": False}},)
    part = dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize
    shuffle = "shuffle" if dtype.kind in "fc" else "bitshuffle"
    configuration = {"typesize": part, "cname": "zstd", "clevel": 1, "shuffle": shuffle, "blocksize": 0}
    return ({"name": "blosc", "configuration": configuration},)


def _checked(asked: Sequence[int], shape: tuple[int, ...], word: str) -> tuple[int, ...]:
    """Return the shape of a chunk or shard that the caller gave."""
    sizes = tuple(int(size) for size in asked)
    if len(sizes) != len(shape) or any(size < 1 for size in sizes):
        message = f"{word} must give a positive size for each of the {len(shape)} dimensions, but {tuple(asked)} came"
        raise LayoutError(message)
    return sizes


def _check_multiple(chunks: tuple[int, ...], shards: tuple[int, ...]) -> None:
    if any(shard % chunk for chunk, shard in zip(chunks, shards, strict=True)):
        message = f"shards must be whole multiples of chunks, but shards {shards} and chunks {chunks} came"
        raise LayoutError(message)
