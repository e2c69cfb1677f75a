"""The sidecar: chunks of small arrays in one object, bound to one root document.

A reader fetches root document and sidecar side by side and has every scalar in hand. The plain chunks stay in the
store, so the sidecar may be missing, and one whose digest does not match the root document counts as missing.

Layout: the magic line, the SHA-256 of all that follows, the length of the index as 8 bytes little-endian, the index as
JSON (``{"root": sha256, "chunks": [[key, length], …]}``), then the chunks in the order of the index.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MAGIC = b"nwbzarr small chunks 1\n"

_DIGEST_LENGTH = 32

#: Largest chunk that travels with the tree, and largest sum of all of them, in bytes.
CHUNK_LIMIT = 4096
TOTAL_LIMIT = 8 * 2**20


def digest_of(root: bytes) -> str:
    """Return the digest that binds a sidecar to the root document `root`."""
    return hashlib.sha256(root).hexdigest()


def pack_sidecar(root: bytes, chunks: Mapping[str, bytes]) -> bytes:
    """Return the sidecar object for a root document and the chunks of its small arrays.

    Parameters
    ----------
    root : bytes
        The root document as it will be stored.
    chunks : mapping of str to bytes
        Store key to stored bytes. What exceeds the limits is left out; readers fetch it from its own key.
    """
    kept: dict[str, bytes] = {}
    total = 0
    for key, data in sorted(chunks.items(), key=lambda item: (len(item[1]), item[0])):
        total += len(data)
        if len(data) > CHUNK_LIMIT or total > TOTAL_LIMIT:
            break
        kept[key] = data
    index = json.dumps(
        {"root": digest_of(root), "chunks": [[key, len(data)] for key, data in kept.items()]}, separators=(",", ":")
    ).encode()
    body = b"".join((len(index).to_bytes(8, "little"), index, *kept.values()))
    return MAGIC + hashlib.sha256(body).digest() + body


def parse_sidecar(data: bytes | None, root: bytes) -> dict[str, bytes]:
    """Return the chunks of a sidecar, or none when it is missing, broken, or not for this root document.

    A sidecar is a copy of what the store holds anyway: one that cannot be used is no error.
    """
    if data is None or not data.startswith(MAGIC):
        return {}
    start = len(MAGIC) + _DIGEST_LENGTH
    if hashlib.sha256(memoryview(data)[start:]).digest() != data[len(MAGIC) : start]:
        return {}
    stop = start + 8 + int.from_bytes(data[start : start + 8], "little")
    try:
        index = json.loads(data[start + 8 : stop])
        if index["root"] != digest_of(root):
            return {}
        chunks: dict[str, bytes] = {}
        for key, length in index["chunks"]:
            if length < 0:
                return {}
            chunks[key] = data[stop : stop + length]
            stop += length
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return chunks if stop == len(data) else {}
