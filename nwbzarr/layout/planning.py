"""The layout of one array: chunks, shards and codecs, from its shape and dtype, its role, and how it is read.

Chunks of about 2 MB decoded serve a time window over all channels and one channel over time alike; shards of about
128 MB keep an hour of 384 channels at some hundred objects. Small arrays are one chunk. Every decision says why. This
room refuses I/O and knows no data.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nwbzarr.convention.documents import chunk_shape
from nwbzarr.errors import LayoutError
from nwbzarr.layout.codecs import CHECKSUM, Codec, named_chain, planned_chain, serializer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

#: Decoded bytes that a chunk aims at, and that a shard aims at.
CHUNK_BYTES = 1_920_000
SHARD_BYTES = 128 * 2**20

#: Decoded bytes that a shard of a table's column aims at: rows are added to tables, and that writes the last shard anew.
COLUMN_SHARD_BYTES = 16 * 2**20

#: Arrays up to this many bytes are one chunk.
SINGLE_CHUNK_BYTES = 4 * 2**20

#: Arrays up to this many bytes are not compressed: a scalar only gets longer.
PLAIN_BYTES = 256

#: Rows that an array is planned for whose length is not known.
_OPEN_ENDED = 2**40

#: Bytes a text is counted as when a text array is cut into chunks.
_TEXT_BYTES = 64

#: How an array is read, to the most channels (second dimension) in one chunk; None for all of them.
ACCESS: Mapping[str, int | None] = {"balanced": 96, "time": None, "channel": 16}

_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Role:
    """What an array is for, as far as it decides how it is stored.

    Attributes
    ----------
    shard_bytes : int
        Decoded bytes that a shard aims at.
    codecs : str
        Name of its codecs.
    why : str
        The reason, for people.
    """

    shard_bytes: int
    codecs: str
    why: str


#: Roles by name.
ROLES: Mapping[str, Role] = {
    "raw": Role(SHARD_BYTES, "planned", "written once and kept"),
    "processed": Role(SHARD_BYTES, "planned", "written once, read often"),
    "scratch": Role(SHARD_BYTES, "blosc-lz4", "scratch: written and read soon, so speed before size"),
    "column": Role(
        COLUMN_SHARD_BYTES, "planned", "column of a table: rows are added, which writes the last shard anew"
    ),
}


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
        Zarr's codecs for one chunk: filters, the serializer (``bytes``, ``vlen-utf8`` …), compressors.
    reasons : tuple of str
        Why, for people.
    """

    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    codecs: tuple[Codec, ...]
    reasons: tuple[str, ...] = field(default=(), compare=False)

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


def parse_layout(document: Mapping[str, Any]) -> ArrayLayout | None:
    """Return the layout of a stored array, or None for an irregular grid.

    Parameters
    ----------
    document : mapping
        Its metadata.
    """
    objects, codecs = chunk_shape(document), document.get("codecs") or [{}]
    if objects is None:
        return None
    if codecs[0].get("name") != "sharding_indexed":
        return ArrayLayout(objects, None, tuple(codecs))
    given = codecs[0]["configuration"]
    return ArrayLayout(tuple(given["chunk_shape"]), objects, tuple(given.get("codecs", ())))


def plan_layout(  # noqa: PLR0913 - what decides, and what overrides it
    shape: Sequence[int],
    dtype: np.dtype[Any],
    *,
    role: str = "raw",
    access: str = "balanced",
    chunks: Sequence[int] | None = None,
    shards: Sequence[int] | None = None,
    compressors: Sequence[Codec] | str | None = None,
) -> ArrayLayout:
    """Return the layout of an array.

    Parameters
    ----------
    shape : sequence of int
        Its shape, time first.
    dtype : numpy.dtype
        Its dtype; object means text.
    role : str
        What it is for: ``"raw"``, ``"processed"``, ``"scratch"`` or ``"column"`` (of a table).
    access : str
        How it is read: ``"balanced"``, ``"time"`` (windows of all channels) or ``"channel"`` (one channel over time).
    chunks, shards : sequence of int, optional
        What the caller wants instead. Shards given must be whole multiples of the chunks.
    compressors : str or sequence of mapping, optional
        A name of `nwbzarr.layout.codecs.NAMES`, or Zarr codecs after the serializer; empty for none.

    Raises
    ------
    LayoutError
        When chunks and shards do not fit the shape or each other, or a name is unknown.
    """
    purpose, channels = _named(ROLES, role, "role"), _named(ACCESS, access, "access")
    full = _planned_shape(shape)
    itemsize = _TEXT_BYTES if dtype.kind in "OT" else dtype.itemsize
    size = math.prod(full) * itemsize
    if chunks is not None:
        inner = _checked(chunks, full, "chunks")
    else:
        inner = full if size <= SINGLE_CHUNK_BYTES and shards is None else _plan_chunks(full, itemsize, channels)
    outer: tuple[int, ...] | None = None
    cut: tuple[str, ...] = ()
    if shards is not None:
        outer = _checked(shards, full, "shards")
        if chunks is None:
            inner = tuple(_nearest_divisor(whole, part) for whole, part in zip(outer, inner, strict=True))
        if any(whole % part for whole, part in zip(outer, inner, strict=True)):
            message = f"shards must be whole multiples of chunks, but shards {outer} and chunks {inner} came"
            raise LayoutError(message)
        cut = ("shards as asked for",)
    elif chunks is None:
        outer = _plan_shards(full, inner, itemsize, purpose.shard_bytes)
        cut = _shard_reasons(outer, full, itemsize, purpose)
    codecs, why = _plan_codecs(dtype, size, math.prod(inner), compressors, purpose)
    reason = _chunk_reason(full, inner, itemsize, access, given=chunks is not None)
    return ArrayLayout(inner, outer or None, codecs, (reason, why, *cut))


def _named(table: Mapping[str, Any], name: str, word: str) -> Any:
    if name not in table:
        message = f"{word} must be one of {', '.join(map(repr, table))}, but {name!r} came"
        raise LayoutError(message)
    return table[name]


def _planned_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape to plan for: an array without rows is one that will grow."""
    return tuple(size or (_OPEN_ENDED if axis == 0 else 1) for axis, size in enumerate(shape))


def _plan_chunks(shape: tuple[int, ...], itemsize: int, channels: int | None) -> tuple[int, ...]:
    """Return chunks of about `CHUNK_BYTES`: channels in groups, frames whole where they fit, time for the rest."""
    rest = list(shape[1:])
    if len(rest) == 1 and channels is not None:
        rest = [math.ceil(rest[0] / math.ceil(rest[0] / channels))]
    while max(rest, default=1) > 1 and math.prod(rest) * itemsize > CHUNK_BYTES:
        widest = rest.index(max(rest))
        rest[widest] = math.ceil(rest[widest] / 2)
    rows = max(CHUNK_BYTES // (math.prod(rest) * itemsize), 1)
    # Whole groups of eight: bits are shuffled by eight values.
    rows -= rows % 8 if rows > 8 else 0  # noqa: PLR2004
    chunks = [min(rows, shape[0]), *rest] if shape else []
    # Where there is little time, wider groups make up for it.
    for axis in range(len(shape) - 1, 0, -1):
        room = CHUNK_BYTES // (math.prod(chunks) * itemsize)
        chunks[axis] = min(chunks[axis] * max(room, 1), shape[axis])
    return tuple(chunks)


def _plan_shards(shape: tuple[int, ...], chunks: tuple[int, ...], itemsize: int, nbytes: int) -> tuple[int, ...] | None:
    """Return shards of about `nbytes`: all channels, then as much time as fits; None for a single chunk.

    A shard may reach beyond the end of the array: what is appended later goes into it, not into many small ones.
    """
    if shape == chunks:
        return None
    counts = [1] * len(shape)
    room = max(nbytes // (math.prod(chunks) * itemsize), 1)
    for axis in range(1, len(shape)):
        counts[axis] = min(math.ceil(shape[axis] / chunks[axis]), room)
        room = max(room // counts[axis], 1)
    counts[0] = room
    return tuple(count * chunk for count, chunk in zip(counts, chunks, strict=True))


def _nearest_divisor(whole: int, wanted: int) -> int:
    """Return the divisor of `whole` that is nearest to `wanted`, by ratio."""
    small = [part for part in range(1, math.isqrt(whole) + 1) if whole % part == 0]
    return min((*small, *(whole // part for part in small)), key=lambda part: abs(math.log(part / wanted)))


def _plan_codecs(
    dtype: np.dtype[Any], size: int, count: int, asked: Sequence[Codec] | str | None, purpose: Role
) -> tuple[tuple[Codec, ...], str]:
    """Return the codecs of a chunk, and why."""
    if isinstance(asked, str):
        return named_chain(asked, dtype, count), f"codecs {asked!r} as asked for"
    if asked is not None:
        return (serializer(dtype), *asked), "codecs as asked for"
    if size <= PLAIN_BYTES:
        return (serializer(dtype), CHECKSUM), f"no compression: at most {PLAIN_BYTES} bytes"
    if purpose.codecs != "planned":
        return named_chain(purpose.codecs, dtype, count), purpose.why
    return planned_chain(dtype, count), "codecs that suit the dtype, with a checksum"


def _chunk_reason(shape: tuple[int, ...], chunks: tuple[int, ...], itemsize: int, access: str, *, given: bool) -> str:
    if given:
        return "chunks as asked for"
    size = f"{math.prod(chunks) * itemsize / _MEGABYTE:.3g} MB"
    if chunks == shape:
        return f"one chunk: {size}"
    return f"chunks of {size}, for {access} access"


def _shard_reasons(
    shards: tuple[int, ...] | None, shape: tuple[int, ...], itemsize: int, purpose: Role
) -> tuple[str, ...]:
    if shards is None:
        return ()
    size = math.prod(min(outer, whole) for outer, whole in zip(shards, shape, strict=True)) * itemsize
    reason = f"shards of {size / _MEGABYTE:.3g} MB decoded, each one object"
    return (reason, purpose.why) if purpose.shard_bytes != SHARD_BYTES else (reason,)


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
