"""The layout of one array: chunks, shards and codecs, from its shape and dtype.

Chunks of about 2 MB decoded serve a time window over all channels and one channel over time alike; shards of about
128 MB keep an hour of 384 channels at some hundred objects. Blosc-zstd with bitshuffle suits integers. Small arrays
are one chunk. This room refuses I/O and knows no data.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nwbzarr.errors import LayoutError

if TYPE_CHECKING:
    import numpy as np

#: Decoded bytes that a chunk aims at, and that a shard aims at.
CHUNK_BYTES = 1_920_000
SHARD_BYTES = 128 * 2**20

#: Most channels (second dimension) in one chunk.
CHUNK_CHANNELS = 96

#: Arrays up to this many bytes are one chunk.
SINGLE_CHUNK_BYTES = 4 * 2**20

#: Arrays up to this many bytes are not compressed: a scalar only gets longer.
PLAIN_BYTES = 256

#: Rows that an array is planned for whose length is not known.
_OPEN_ENDED = 2**40

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
    full = _planned_shape(shape)
    itemsize = _TEXT_BYTES if dtype.kind in "OT" else dtype.itemsize
    size = math.prod(full) * itemsize
    codecs = (_serializer(dtype), *_compressors(dtype, size, compressors))
    if chunks is not None:
        inner = _checked(chunks, full, "chunks")
    else:
        inner = full if size <= SINGLE_CHUNK_BYTES and shards is None else _plan_chunks(full, itemsize)
    if shards is None:
        return ArrayLayout(inner, None if chunks is not None else _plan_shards(full, inner, itemsize), codecs)
    outer = _checked(shards, full, "shards")
    if chunks is None:
        inner = tuple(_nearest_divisor(whole, part) for whole, part in zip(outer, inner, strict=True))
    if any(whole % part for whole, part in zip(outer, inner, strict=True)):
        message = f"shards must be whole multiples of chunks, but shards {outer} and chunks {inner} came"
        raise LayoutError(message)
    return ArrayLayout(inner, outer or None, codecs)


def _planned_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape to plan for: an array without rows is one that will grow."""
    return tuple(size or (_OPEN_ENDED if axis == 0 else 1) for axis, size in enumerate(shape))


def _plan_chunks(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return chunks of about `CHUNK_BYTES`: channels in groups, frames whole where they fit, time for the rest."""
    rest = list(shape[1:])
    if len(rest) == 1:
        rest = [math.ceil(rest[0] / math.ceil(rest[0] / CHUNK_CHANNELS))]
    while max(rest, default=1) > 1 and math.prod(rest) * itemsize > CHUNK_BYTES:
        widest = rest.index(max(rest))
        rest[widest] = math.ceil(rest[widest] / 2)
    rows = max(CHUNK_BYTES // (math.prod(rest) * itemsize), 1)
    chunks = [min(rows, shape[0]), *rest] if shape else []
    # Where there is little time, wider groups make up for it.
    for axis in range(len(shape) - 1, 0, -1):
        room = CHUNK_BYTES // (math.prod(chunks) * itemsize)
        chunks[axis] = min(chunks[axis] * max(room, 1), shape[axis])
    return tuple(chunks)


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


def _nearest_divisor(whole: int, wanted: int) -> int:
    """Return the divisor of `whole` that is nearest to `wanted`, by ratio."""
    small = [part for part in range(1, math.isqrt(whole) + 1) if whole % part == 0]
    return min((*small, *(whole // part for part in small)), key=lambda part: abs(math.log(part / wanted)))


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
    try:
        sizes = tuple(map(operator.index, asked))
    except TypeError as error:
        message = f"{word} must give a whole number for each dimension, but {asked!r} came"
        raise LayoutError(message) from error
    if len(sizes) != len(shape) or any(size < 1 for size in sizes):
        message = f"{word} must give a positive size for each of the {len(shape)} dimensions, but {tuple(asked)} came"
        raise LayoutError(message)
    return sizes
