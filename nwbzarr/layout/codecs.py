"""Codecs by name, and those that are planned for a dtype.

A name stands for the whole way from values to bytes: filters, serializer, compressors, checksum. The choices are
argued from `benchmarks/layouts.py`. Whatever is compressed gets a CRC-32C: Blosc has no checksum of its own, and a
flipped bit may decode to wrong values.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nwbzarr.convention.codecs import PCODEC_DTYPES
from nwbzarr.errors import LayoutError, MissingExtraError

if TYPE_CHECKING:
    import numpy as np

Codec = Mapping[str, Any]
Chain = tuple[Codec, ...]

#: Bytes that Blosc compresses as one. What it chooses by itself at low levels (32 KiB) costs speed and size; more than
#: this gains little, and few rows of a chunk are read by decoding its blocks that hold them.
_BLOCK_BYTES = 2**19

#: Largest values, in bytes, whose bits are shuffled.
_BITS_UP_TO = 2

CHECKSUM: Codec = {"name": "crc32c"}
_BYTES: Codec = {"name": "bytes", "configuration": {"endian": "little"}}
_TEXT: Codec = {"name": "vlen-utf8"}
_ZSTD: Codec = {"name": "zstd", "configuration": {"level": 1, "checksum": False}}


def serializer(dtype: np.dtype[Any]) -> Codec:
    """Return the codec that turns values of a dtype into bytes."""
    return _TEXT if dtype.kind in "OT" else _BYTES


def planned_chain(dtype: np.dtype[Any], count: int) -> Chain:
    """Return the codecs that suit chunks of `count` values: what is written unless somebody wishes otherwise."""
    if dtype.kind in "OTUV":
        return serializer(dtype), _ZSTD, CHECKSUM
    return _BYTES, _blosc(dtype, count, "zstd", 1, _BLOCK_BYTES), CHECKSUM


def named_chain(name: str, dtype: np.dtype[Any], count: int) -> Chain:
    """Return the codecs that a name stands for.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    dtype : numpy.dtype
        Dtype of the values; object for text.
    count : int
        Values in one chunk.

    Raises
    ------
    LayoutError
        When there is no such name, or it does not take this dtype.
    MissingExtraError
        When it needs a package that is not installed.
    """
    chain = _CHAINS.get(name)
    if chain is None:
        message = f"codecs by name are {', '.join(map(repr, NAMES))}, but {name!r} came"
        raise LayoutError(message)
    return chain(dtype, count)


def _blosc(dtype: np.dtype[Any], count: int, compressor: str, level: int, block: int) -> Codec:
    """Return Blosc with the shuffle that suits a dtype; a complex number is two floats side by side.

    Bits are shuffled for values of one or two bytes, of which noise fills some bits; and only where eight values fill
    a group, since Blosc leaves a block whose values are no multiple of eight as it is.
    """
    part = dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize
    shuffle = "bitshuffle" if dtype.kind in "iub" and part <= _BITS_UP_TO and not count % 8 else "shuffle"
    configuration = {"typesize": part, "cname": compressor, "clevel": level, "shuffle": shuffle, "blocksize": block}
    return {"name": "blosc", "configuration": configuration}


def _fast(dtype: np.dtype[Any], count: int) -> Chain:
    if dtype.kind in "OTUV":
        return serializer(dtype), _ZSTD, CHECKSUM
    return _BYTES, _blosc(dtype, count, "lz4", 5, 0), CHECKSUM


def _pcodec(dtype: np.dtype[Any], _: int) -> Chain:
    if dtype.name not in PCODEC_DTYPES:
        message = f"'pcodec' takes {', '.join(PCODEC_DTYPES)}, but {dtype} came: leave its codecs to the planner"
        raise LayoutError(message)
    if importlib.util.find_spec("pcodec") is None:
        message = "'pcodec' needs the package of that name, to write and to read: pip install 'nwbzarr[pcodec]'"
        raise MissingExtraError(message)
    return {"name": "numcodecs.pcodec", "configuration": {"level": 8}}, CHECKSUM


def _delta(dtype: np.dtype[Any], count: int) -> Chain:
    if dtype.kind not in "iu":
        message = f"'delta' keeps differences of integers, but {dtype} came: leave its codecs to the planner"
        raise LayoutError(message)
    stored = dtype.newbyteorder("<").str
    delta = {"name": "numcodecs.delta", "configuration": {"dtype": stored, "astype": stored}}
    return delta, _BYTES, _blosc(dtype, count, "zstd", 1, _BLOCK_BYTES), CHECKSUM


def _gzip(dtype: np.dtype[Any], _: int) -> Chain:
    return serializer(dtype), {"name": "gzip", "configuration": {"level": 4}}


_CHAINS: dict[str, Callable[[np.dtype[Any], int], Chain]] = {
    "planned": planned_chain,
    "blosc-lz4": _fast,
    "pcodec": _pcodec,
    "delta": _delta,
    "gzip": _gzip,
    "none": lambda dtype, _: (serializer(dtype),),
}

#: Names that stand for codecs.
NAMES = tuple(_CHAINS)
