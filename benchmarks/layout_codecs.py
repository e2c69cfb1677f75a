"""Codecs on kinds of data: speed of one thread and size ratio; and whether zarr-python and nwbzarr read each other."""

from __future__ import annotations

import math
import time
import warnings
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.convention.codecs import PCODEC_DTYPES, ChunkCodec, parse_codecs
from nwbzarr.convention.documents import array_document, chunk_key, dump_document
from nwbzarr.convention.dtypes import encode_data_type, fill_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from layout_kinds import Array, Kind

Codec = dict[str, Any]
Chain = list[Codec]

BYTES: Codec = {"name": "bytes", "configuration": {"endian": "little"}}
TEXT: Codec = {"name": "vlen-utf8"}
GZIP: Codec = {"name": "gzip", "configuration": {"level": 4}}
CHECKSUM: Codec = {"name": "crc32c"}
PCODEC: Codec = {"name": "numcodecs.pcodec", "configuration": {"level": 8}}
PLAIN_PCODEC: Codec = {
    "name": "numcodecs.pcodec",
    "configuration": {"level": 8, "mode_spec": "classic", "delta_spec": "try_consecutive", "delta_encoding_order": 1},
}

#: Bytes of Blosc's blocks that are tried: left to itself, it makes the smaller the level the smaller blocks.
BLOCKS = (2**18, 2**19, 2**20)

#: Rows and columns, at most, of what zarr-python and nwbzarr exchange.
EXCHANGED = (200, 24, 24)


@dataclass
class Figures:
    """What one codec did to one kind of data.

    Attributes
    ----------
    decoded, encoded : int
        Bytes of all chunks.
    encode, decode : list of float
        Processor seconds for all chunks, one for each turn.
    """

    decoded: int
    encoded: int
    encode: list[float] = field(default_factory=list)
    decode: list[float] = field(default_factory=list)

    def speed(self, step: str) -> float:
        """Return decoded MB/s, from the median."""
        return self.decoded / 1e6 / median(getattr(self, step))

    @property
    def ratio(self) -> float:
        """Decoded by encoded size."""
        return self.decoded / self.encoded

    def cells(self) -> list[str]:
        """Return the row of a table."""
        return [f"{self.speed('encode'):,.0f}", f"{self.speed('decode'):,.0f}", f"{self.ratio:.3f}"]

    def report(self) -> dict[str, Any]:
        """Return everything for JSON."""
        speeds = {f"{step} MB/s": self.speed(step) for step in ("encode", "decode")}
        return {**speeds, "ratio": self.ratio, "encode s": self.encode, "decode s": self.decode, "bytes": self.encoded}


def blosc(typesize: int, shuffle: str, compressor: str = "zstd", level: int = 1, block: int = 0) -> Codec:
    """Return Zarr's configuration of Blosc."""
    given = {"typesize": typesize, "cname": compressor, "clevel": level, "shuffle": shuffle, "blocksize": block}
    return {"name": "blosc", "configuration": given}


def zstd(level: int, *, checksum: bool = False) -> Codec:
    """Return Zarr's configuration of Zstandard."""
    return {"name": "zstd", "configuration": {"level": level, "checksum": checksum}}


def chains(dtype: np.dtype[Any], ndim: int) -> dict[str, Chain]:
    """Return name to codecs, of all that make sense for a dtype."""
    if dtype.kind == "O":
        return dict(_text_chains())
    found = dict(_byte_chains(dtype))
    if dtype.name in PCODEC_DTYPES:
        found["pcodec-8"] = [PCODEC]
        found["pcodec-4"] = [{**PCODEC, "configuration": {"level": 4}}]
        found["pcodec-8, no search: differences once"] = [PLAIN_PCODEC]
    turned = {"name": "transpose", "configuration": {"order": list(range(ndim))[::-1]}}
    best = blosc(dtype.itemsize, "bitshuffle")
    if dtype.kind in "iu":
        stored = dtype.newbyteorder("<").str
        delta = {"name": "numcodecs.delta", "configuration": {"dtype": stored, "astype": stored}}
        found["delta, blosc zstd-1 bitshuffle"] = [delta, BYTES, best]
        if ndim > 1:
            found["transpose, delta, blosc zstd-1 bitshuffle"] = [turned, delta, BYTES, best]
    if ndim > 1:
        found["transpose, blosc zstd-1 bitshuffle"] = [turned, BYTES, best]
    if ndim > 1 and dtype.name in PCODEC_DTYPES:
        found["transpose, pcodec-8"] = [turned, PCODEC]
    return found


def _byte_chains(dtype: np.dtype[Any]) -> Iterator[tuple[str, Chain]]:
    size = dtype.itemsize
    yield "none", [BYTES]
    shuffles = ("bitshuffle", "shuffle") if size > 1 else ("bitshuffle",)
    for shuffle in shuffles:
        yield f"blosc lz4-5 {shuffle}", [BYTES, blosc(size, shuffle, "lz4", 5)]
        for level in (1, 3, 5):
            yield f"blosc zstd-{level} {shuffle}", [BYTES, blosc(size, shuffle, level=level)]
        for block in BLOCKS:
            name = f"blosc zstd-1 {shuffle}, blocks of {block // 2**10} KiB"
            yield name, [BYTES, blosc(size, shuffle, block=block)]
    if dtype.kind == "c":
        for shuffle in shuffles:
            yield f"blosc zstd-1 {shuffle}, of halves", [BYTES, blosc(size // 2, shuffle)]
            name = f"blosc zstd-1 {shuffle}, of halves, blocks of {BLOCKS[-1] // 2**10} KiB"
            yield name, [BYTES, blosc(size // 2, shuffle, block=BLOCKS[-1])]
    yield "blosc zstd-1 noshuffle", [BYTES, blosc(size, "noshuffle")]
    yield "zstd-1", [BYTES, zstd(1)]
    yield "gzip-4", [BYTES, GZIP]
    if size > 1:
        yield "blosc zlib-4 shuffle", [BYTES, blosc(size, "shuffle", "zlib", 4)]
    yield "blosc zstd-1 bitshuffle, crc32c", [BYTES, blosc(size, "bitshuffle"), CHECKSUM]


def _text_chains() -> Iterator[tuple[str, Chain]]:
    yield "none", [TEXT]
    for level in (1, 3, 5):
        yield f"zstd-{level}", [TEXT, zstd(level)]
    yield "zstd-1, crc32c", [TEXT, zstd(1), CHECKSUM]
    yield "zstd-1 with its own checksum", [TEXT, zstd(1, checksum=True)]
    yield "gzip-4", [TEXT, GZIP]
    yield "blosc lz4-5 noshuffle", [TEXT, blosc(1, "noshuffle", "lz4", 5)]
    yield "blosc zstd-1 noshuffle", [TEXT, blosc(1, "noshuffle")]


def measure(kind: Kind, repeats: int) -> dict[str, Figures]:
    """Return codec to figures; codecs take turns, in a thread where Blosc starts no threads of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_measure, kind, repeats).result()


def _measure(kind: Kind, repeats: int) -> dict[str, Figures]:
    codecs = {name: _compiled(chain, kind.dtype) for name, chain in chains(kind.dtype, len(kind.shape)).items()}
    encoded = {name: [codec.encode(chunk) for chunk in kind.chunks] for name, codec in codecs.items()}
    decoded = sum(map(len, encoded["none"]))
    found = {name: Figures(decoded, sum(map(len, data))) for name, data in encoded.items()}
    memory = np.empty_like(kind.chunks[0])
    for turn in range(repeats + 1):
        for name, codec in codecs.items():
            encoding, decoding = _once(codec, kind, encoded[name], memory)
            # The first turn is no measurement: memory is touched for the first time.
            if turn:
                found[name].encode.append(encoding)
                found[name].decode.append(decoding)
    return found


def _once(codec: ChunkCodec, kind: Kind, encoded: list[bytes], memory: Array) -> tuple[float, float]:
    """Return processor seconds of encoding, and of decoding each chunk to its place in an array."""
    start = time.thread_time()
    for chunk in kind.chunks:
        codec.encode(chunk)
    between = time.thread_time()
    for data in encoded:
        _place(codec, data, memory)
    end = time.thread_time()
    if not np.array_equal(memory, kind.chunks[-1]):
        message = f"{kind.name}: other values came back than went in"
        raise ValueError(message)
    return between - start, end - between


def _place(codec: ChunkCodec, data: bytes, target: Array) -> None:
    """Decode a chunk into memory, as reading does."""
    scratch = target.reshape(-1).view(np.uint8) if codec.decodes_in_place else None
    if scratch is None and codec.fills_memory:
        scratch = np.empty(target.nbytes, np.uint8)
    values = codec.decode(data, target.shape, scratch)
    if not np.may_share_memory(values, target):
        target[...] = values


def _compiled(chain: Chain, dtype: np.dtype[Any]) -> ChunkCodec:
    codec = parse_codecs(chain, dtype)
    if codec is None:
        message = f"{chain} must be codecs that nwbzarr knows for {dtype}"
        raise ValueError(message)
    return codec


# With zarr-python.


def exchange_all(kinds: Iterable[Kind]) -> dict[str, dict[str, bool]]:
    """Return codec to whether zarr-python and nwbzarr read each other; with every kind that the codec takes."""
    found: dict[str, list[dict[str, bool]]] = defaultdict(list)
    for kind in kinds:
        small = kind.chunks[0][tuple(map(slice, EXCHANGED[: len(kind.shape)]))].copy()
        for name, chain in chains(kind.dtype, len(kind.shape)).items():
            found[name].append(_exchange(small, chain))
    return {name: {what: all(each[what] for each in many) for what in many[0]} for name, many in found.items()}


def _exchange(array: Array, chain: Chain) -> dict[str, bool]:
    """Return who reads what of whom: one chunk, encoded by each."""
    from zarr.core.buffer.cpu import Buffer

    document = array_document(
        shape=array.shape,
        data_type=encode_data_type(array.dtype),
        chunk_shape=array.shape,
        codecs=chain,
        fill_value=fill_value(array.dtype),
        attributes={},
    )
    key, codec = f"x/{chunk_key(document, (0,) * array.ndim)}", _compiled(chain, array.dtype)
    ours = codec.encode(array)
    held: dict[str, Any] = {"x/zarr.json": Buffer.from_bytes(dump_document(document)), key: Buffer.from_bytes(ours)}
    by_zarr = np.array_equal(_zarr(held, "r")[...], array)
    _zarr(held, "r+")[...] = array
    theirs = held[key].to_bytes()
    return {
        "zarr reads ours": by_zarr,
        "we read zarr's": np.array_equal(codec.decode(theirs, array.shape), array),
        "zarr reads its own": np.array_equal(_zarr(held, "r")[...], array),
        "same bytes": theirs == ours,
    }


def _zarr(held: Any, mode: str) -> Any:
    import zarr
    from zarr.storage import MemoryStore

    with warnings.catch_warnings():
        # zarr says that these codecs, and text, are in no specification yet.
        warnings.simplefilter("ignore")
        opened: Any = zarr.open_array(MemoryStore(held), path="x", mode=mode)
    return opened.with_config({"write_empty_chunks": True})


def decoded_bytes(kind: Kind) -> int:
    """Return the bytes of one chunk in memory; for text, of what is stored without compression."""
    if kind.dtype.kind == "O":
        return len(_compiled([TEXT], kind.dtype).encode(kind.chunks[0]))
    return math.prod(kind.shape) * kind.dtype.itemsize
