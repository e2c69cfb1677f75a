"""The sidecar gives back the chunks that were packed with this root document, or nothing; it never raises."""

from __future__ import annotations

import hashlib
import json
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbzarr.convention import sidecar
from nwbzarr.convention.sidecar import CHUNK_LIMIT, MAGIC, TOTAL_LIMIT, digest_of, pack_sidecar, parse_sidecar

LAW = settings(max_examples=60, deadline=None)

ROOT = b'{"zarr_format":3,"node_type":"group"}'
OTHER_ROOT = ROOT + b" "
CHUNKS = {"identifier/c": b"\1\0\0\0\1\0\0\0i", "acquisition/t\xe9st/starting_time/c": b"\0" * 8, "empty/c.0": b""}

KEYS = st.text(st.characters(codec="utf-8"), max_size=8)
PACKED = st.dictionaries(KEYS, st.binary(max_size=40), max_size=6)


@LAW
@given(st.binary(max_size=40), PACKED)
def test_what_was_packed_is_found(root: bytes, chunks: dict[str, bytes]) -> None:
    assert parse_sidecar(pack_sidecar(root, chunks), root) == chunks


@LAW
@given(st.binary(max_size=40), st.binary(max_size=40), PACKED)
def test_a_sidecar_of_another_root_is_ignored(root: bytes, other: bytes, chunks: dict[str, bytes]) -> None:
    found = parse_sidecar(pack_sidecar(root, chunks), other)
    assert found == (chunks if other == root else {})


@LAW
@given(PACKED)
def test_the_order_of_the_chunks_makes_no_difference(chunks: dict[str, bytes]) -> None:
    turned = dict(reversed(chunks.items()))
    assert pack_sidecar(ROOT, turned) == pack_sidecar(ROOT, chunks)


@LAW
@given(PACKED, st.integers(0, 30), st.integers(0, 90))
def test_what_is_over_the_limits_is_left_out_the_largest_first(
    chunks: dict[str, bytes], chunk_limit: int, total_limit: int
) -> None:
    with mock.patch.multiple(sidecar, CHUNK_LIMIT=chunk_limit, TOTAL_LIMIT=total_limit):
        found = parse_sidecar(pack_sidecar(ROOT, chunks), ROOT)
    assert found.items() <= chunks.items()
    assert all(len(data) <= chunk_limit for data in found.values())
    used = sum(map(len, found.values()))
    assert used <= total_limit
    for key in chunks.keys() - found.keys():
        assert len(chunks[key]) > chunk_limit or used + len(chunks[key]) > total_limit
        assert all(len(data) <= len(chunks[key]) for data in found.values())


def test_the_limits_keep_a_sidecar_small() -> None:
    chunks = {"small": b"x" * CHUNK_LIMIT, "large": b"x" * (CHUNK_LIMIT + 1)}
    assert parse_sidecar(pack_sidecar(ROOT, chunks), ROOT) == {"small": chunks["small"]}
    assert CHUNK_LIMIT < TOTAL_LIMIT <= 2**24


# What cannot be used.


def test_no_sidecar_is_no_chunks() -> None:
    assert parse_sidecar(None, ROOT) == {}
    assert parse_sidecar(b"", ROOT) == {}


def test_a_sidecar_that_is_cut_off_anywhere_gives_nothing() -> None:
    data = pack_sidecar(ROOT, CHUNKS)
    assert all(parse_sidecar(data[:length], ROOT) == {} for length in range(len(data)))


def test_a_sidecar_with_more_at_its_end_gives_nothing() -> None:
    data = pack_sidecar(ROOT, CHUNKS)
    assert parse_sidecar(data + b"\0", ROOT) == {}
    assert parse_sidecar(data + data, ROOT) == {}


def flipped(data: bytes) -> list[bytes]:
    """Return the bytes with each of their bits turned."""
    return [
        data[:index] + bytes([data[index] ^ 1 << bit]) + data[index + 1 :]
        for index in range(len(data))
        for bit in range(8)
    ]


def test_no_bit_that_turns_makes_a_sidecar_fit_another_root() -> None:
    for data in flipped(pack_sidecar(ROOT, CHUNKS)):
        assert parse_sidecar(data, OTHER_ROOT) == {}


def test_no_bit_that_turns_raises() -> None:
    for data in flipped(pack_sidecar(ROOT, CHUNKS)):
        found = parse_sidecar(data, ROOT)
        assert sum(map(len, found.values())) in (0, sum(map(len, CHUNKS.values())))


def test_no_bit_that_turns_gives_bytes_that_were_not_packed() -> None:
    """The plain chunks are still there: a damaged copy must not stand in front of them."""
    for data in flipped(pack_sidecar(ROOT, CHUNKS)):
        assert parse_sidecar(data, ROOT) in ({}, CHUNKS)


@LAW
@given(st.binary(max_size=60), st.booleans())
def test_no_bytes_raise(data: bytes, magic: bool) -> None:
    assert parse_sidecar(MAGIC + data if magic else data, ROOT) == {}


def with_index(index: str, payload: bytes = b"", length: int | None = None) -> bytes:
    """Return a sidecar with an index of one's own, and with the digest of all that follows as it should be."""
    text = index.encode()
    body = (len(text) if length is None else length).to_bytes(8, "little") + text + payload
    return MAGIC + hashlib.sha256(body).digest() + body


def test_an_index_of_one_s_own_is_read() -> None:
    """So that the refusals below are of what they say."""
    index = json.dumps({"root": digest_of(ROOT), "chunks": [["a", 2], ["b", 1]]})
    assert parse_sidecar(with_index(index, b"xyz"), ROOT) == {"a": b"xy", "b": b"z"}


@pytest.mark.parametrize(
    "chunks",
    ["5", "null", '"ab"', "{}", '{"a": 1}', "[5]", "[[]]", '[["a"]]', '[["a", 1, 2]]', '[["a", null]]', '[["a", "1"]]',
     '[["a", 0.5]]', '[["a", 1e400]]', '[["a", NaN]]', '[["a", -1]]', '[["a", 2], ["b", -1]]', '[[["a"], 1]]',
     '[["a", 99999999999999999999]]'],
)  # fmt: skip
def test_an_index_of_another_form_gives_nothing(chunks: str) -> None:
    index = f'{{"root": "{digest_of(ROOT)}", "chunks": {chunks}}}'
    assert parse_sidecar(with_index(index, b"x"), ROOT) == {}


@pytest.mark.parametrize(
    "index", ["", "5", "null", "[]", '"root"', "{}", json.dumps({"root": digest_of(ROOT)}), "{", "\ufeff{}"]
)
def test_no_index_gives_nothing(index: str) -> None:
    assert parse_sidecar(with_index(index), ROOT) == {}


def test_an_index_nested_too_deep_gives_nothing() -> None:
    assert parse_sidecar(with_index("[" * 100_000), ROOT) == {}


@pytest.mark.parametrize("length", [0, 1, 10, 2**32, 2**63, 2**64 - 1])
def test_an_index_of_a_wrong_length_gives_nothing(length: int) -> None:
    index = json.dumps({"root": digest_of(ROOT), "chunks": [["a", 1]]})
    assert parse_sidecar(with_index(index, b"x", length), ROOT) == {}
