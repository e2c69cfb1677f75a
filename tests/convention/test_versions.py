"""Versions are ordered as versions, never as text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbzarr.convention.versions import latest_version, version_key

LAW = settings(max_examples=80, deadline=None)

RELEASES = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 200))
STAGES = st.sampled_from(["alpha", "beta", "rc", "dev", "alpha.2", "rc.1"])

ORDERED = ["1.0", "1.0.1", "1.9.9", "1.10.0", "2.0.0-alpha", "2.0.0-alpha.2", "2.0.0-alpha.10", "2.0.0-beta", "2.0.0-rc.1",
           "2.0.0", "2.9.0", "2.11.0-alpha", "2.11.0", "10.0.0"]  # fmt: skip


def text(release: tuple[int, ...]) -> str:
    """Return a version as it is written."""
    return ".".join(map(str, release))


@LAW
@given(RELEASES, RELEASES)
def test_releases_are_ordered_by_their_numbers(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    assert (version_key(text(one)) < version_key(text(other))) == (one < other)
    assert (version_key(text(one)) == version_key(text(other))) == (one == other)


@LAW
@given(RELEASES, RELEASES, STAGES)
def test_what_comes_before_a_release_comes_after_every_earlier_one(
    one: tuple[int, ...], other: tuple[int, ...], stage: str
) -> None:
    early = version_key(f"{text(one)}-{stage}")
    assert early < version_key(text(one))
    assert (early < version_key(text(other))) == (one <= other)


@pytest.mark.parametrize(("earlier", "later"), list(itertools.pairwise(ORDERED)))
def test_the_versions_there_are_stand_in_order(earlier: str, later: str) -> None:
    assert version_key(earlier) < version_key(later)


@LAW
@given(st.permutations(ORDERED))
def test_the_order_they_come_in_does_not_matter(mixed: list[str]) -> None:
    assert sorted(mixed, key=version_key) == ORDERED
    assert latest_version(mixed) == "10.0.0"


def test_the_latest_is_not_the_last_by_text() -> None:
    assert latest_version(["2.9.0", "2.11.0", "2.10.0"]) == "2.11.0"
    assert latest_version(["2.11.0-alpha", "2.9.0"]) == "2.11.0-alpha"
    assert latest_version(iter(["2.11.0-alpha", "2.11.0"])) == "2.11.0"


def test_of_no_versions_none_is_the_latest() -> None:
    assert latest_version([]) is None


@LAW
@given(st.text("0123456789.-+abvé ", max_size=12), st.text("0123456789.-+abvé ", max_size=12))
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    assert latest_version([one, other]) in (one, other)
