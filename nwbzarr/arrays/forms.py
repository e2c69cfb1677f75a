"""What a metadata document says about where an array's values are: shape, grid, shards, codecs, keys. Pure."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nwbzarr.convention.codecs import ChunkCodec, parse_codecs
from nwbzarr.convention.documents import chunk_key, chunk_shape
from nwbzarr.convention.dtypes import parse_data_type, parse_fill
from nwbzarr.convention.names import key_of
from nwbzarr.convention.shards import ShardForm, parse_sharding
from nwbzarr.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np


@dataclass(frozen=True)
class ArrayForm:
    """Where the values of one array are.

    Attributes
    ----------
    path : str
        The array.
    shape : tuple of int
        Its shape.
    dtype : numpy.dtype
        Dtype of its values; object for text.
    objects : tuple of int
        Shape of what one stored object holds.
    chunks : tuple of int
        Shape of the unit of compression.
    codec : ChunkCodec
        What chunks go through.
    shard : ShardForm or None
        How chunks lie in an object; None when an object is one chunk.
    fill : object
        What a chunk that is not stored holds.
    document : mapping
        The metadata that says so.
    """

    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    objects: tuple[int, ...]
    chunks: tuple[int, ...]
    codec: ChunkCodec
    shard: ShardForm | None
    fill: Any
    document: Mapping[str, Any] = field(repr=False, compare=False)

    def key(self, index: Sequence[int]) -> str:
        """Return the store key of an object of the grid."""
        return key_of(self.path, chunk_key(self.document, index))

    def keys(self, region: Sequence[slice]) -> Iterator[str]:
        """Yield the store keys of the objects that a region touches."""
        return map(self.key, self.places(region))

    def places(self, region: Sequence[slice]) -> Iterator[tuple[int, ...]]:
        """Yield the places in the grid of the objects that a region touches."""
        axes = [
            range(part.start // step, -(-part.stop // step)) for part, step in zip(region, self.objects, strict=True)
        ]
        return itertools.product(*axes)

    def place(self, chunk: Sequence[int]) -> tuple[tuple[int, ...], int]:
        """Return the object that holds a chunk, and the chunk's number in it."""
        if self.shard is None:
            return tuple(chunk), 0
        counts = self.shard.counts
        number = 0
        for index, count in zip(chunk, counts, strict=True):
            number = number * count + index % count
        return tuple(index // count for index, count in zip(chunk, counts, strict=True)), number

    def region(self, index: Sequence[int], steps: Sequence[int]) -> str:
        """Return, for people, the part of the array that a chunk or an object covers, cut at the array's edges."""
        return ", ".join(
            f"{at * step}:{min((at + 1) * step, size)}" for at, step, size in zip(index, steps, self.shape, strict=True)
        )

    @property
    def chunk_bytes(self) -> int:
        """Decoded size of one chunk, in bytes (8 for a text)."""
        return math.prod(self.chunks) * self.dtype.itemsize


def parse_array(path: str, document: Mapping[str, Any]) -> ArrayForm | None:
    """Return what a document says, or None when zarr must read and write the array.

    Parameters
    ----------
    path : str
        Where the array is.
    document : mapping
        Its metadata, of Zarr v3.
    """
    dtype, objects = parse_data_type(document.get("data_type")), chunk_shape(document)
    listed = document.get("codecs")
    if dtype is None or objects is None or not isinstance(listed, list) or not listed:
        return None
    if document.get("storage_transformers"):
        return None
    shard, chunks = None, objects
    if isinstance(listed[0], dict) and listed[0].get("name") == "sharding_indexed":
        found = parse_sharding(listed[0], objects) if len(listed) == 1 else None
        if found is None:
            return None
        shard, chunks, listed = found
    codec = parse_codecs(listed, dtype)
    if codec is None or not objects:
        return None
    try:
        fill = parse_fill(document.get("fill_value"), dtype)
    except DocumentError:
        return None
    return ArrayForm(path, tuple(document["shape"]), dtype, objects, chunks, codec, shard, fill, document)
