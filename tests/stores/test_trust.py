"""What a stored link may reach, and with whose credentials: decided before any request."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nwbzarr.errors import LinkError, StoreURLError, TrustError
from nwbzarr.stores.trust import LINK_PROTOCOLS, TrustPolicy
from nwbzarr.stores.url import StoreURL, parse_url, relative_source, resolve_source

if TYPE_CHECKING:
    from collections.abc import Mapping

LAW = settings(max_examples=150, deadline=None)

OURS = {"key": "ours", "secret": "hunter2"}
NO_TRUST = TrustPolicy()

ORIGINS = ("s3://lab", "s3://lab-evil", "s3://la", "gs://lab", "http://lab", "https://lab", "https://lab:8080", "memory://",
           "file://", "az://lab@account")  # fmt: skip
PATHS = st.lists(st.sampled_from(["a", "b", "a-evil", "day1", "raw.zarr"]), max_size=4).map("/".join)
PLACES = st.builds(lambda origin, path: parse_url(f"{origin}/{path}"), st.sampled_from(ORIGINS), PATHS)

#: Every kind of store that may hold a link.
HOLDERS = ("s3://lab/p.zarr", "gs://lab/p.zarr", "https://lab/p.zarr", "http://lab/p.zarr", "memory://p.zarr", "/data/p.zarr",
           "simplecache::s3://lab/p.zarr", "simplecache::file:///data/p.zarr", "zip://p.zarr::file:///data/a.zip")  # fmt: skip


def follow(holder: str, source: str, trust: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """Return the options with which a link found in a store is followed."""
    base = parse_url(holder)
    return TrustPolicy.parse(trust).check_link(base, source, resolve_source(base, source), OURS)


def segments(url: StoreURL) -> list[str]:
    """Return the parts of a path."""
    return [part for part in url.path.split("/") if part]


def covers(prefix: StoreURL, target: StoreURL) -> bool:
    """Say it again in other words: same root, and the target's first segments are the prefix's."""
    same = (prefix.protocol, prefix.authority) == (target.protocol, target.authority)
    return same and segments(target)[: len(segments(prefix))] == segments(prefix)


# Laws.


@st.composite
def trusted(draw: st.DrawFn) -> tuple[StoreURL, list[StoreURL]]:
    """A target, and different prefixes: folders above it, and places anywhere."""
    target = draw(PLACES)
    folders = list(itertools.accumulate(range(4), lambda place, _: place.parent, initial=target))
    prefixes = draw(st.lists(st.sampled_from(folders) | PLACES, max_size=4, unique=True))
    return target, prefixes


@LAW
@given(PLACES, trusted())
def test_options_go_only_where_they_were_given_for(
    holder: StoreURL, target_and_prefixes: tuple[StoreURL, list[StoreURL]]
) -> None:
    target, prefixes = target_and_prefixes
    policy = TrustPolicy.parse({str(prefix): {"for": str(prefix)} for prefix in prefixes})
    source = relative_source(holder, target)
    fitting = [prefix for prefix in prefixes if covers(prefix, target)]
    try:
        found = policy.check_link(holder, source, target, OURS)
    except TrustError:
        assert not fitting
        assert target.origin != holder.origin
        return
    if fitting:
        assert found == {"for": str(max(fitting, key=lambda prefix: len(segments(prefix))))}
    else:
        assert found == OURS
        assert target.origin == holder.origin


@settings(LAW, max_examples=60)
@given(trusted())
def test_the_order_of_grants_does_not_matter(target_and_prefixes: tuple[StoreURL, list[StoreURL]]) -> None:
    target, prefixes = target_and_prefixes
    answers = [
        TrustPolicy.parse({str(prefix): {"for": str(prefix)} for prefix in order}).options_for(target)
        for order in itertools.permutations(prefixes)
    ]
    assert all(answer == answers[0] for answer in answers)


@LAW
@given(PLACES, PLACES)
def test_the_advice_of_a_refusal_is_good_advice(holder: StoreURL, target: StoreURL) -> None:
    assume(holder.origin != target.origin)
    source, advice = relative_source(holder, target), str(target.parent)
    with pytest.raises(TrustError, match=re.escape(f"trust={{'{advice}':")):
        NO_TRUST.check_link(holder, source, target, OURS)
    assert TrustPolicy.parse({advice: {"anon": True}}).check_link(holder, source, target, OURS) == {"anon": True}


# Cases.


def test_a_link_within_the_origin_is_followed_as_its_holder_was_opened() -> None:
    assert follow("s3://lab/day1/p.zarr", "../raw.zarr") == OURS
    assert follow("s3://lab/day1/p.zarr", "s3://lab/day2/raw.zarr") == OURS
    assert follow("/data/day1/p.zarr", "../raw.zarr") == OURS
    assert follow("zip://p.zarr::s3://lab/a.zip", "../raw.zarr") == OURS
    assert follow("https://host:8080/p.zarr", "../raw.zarr") == OURS


@pytest.mark.parametrize(
    ("holder", "source"),
    [
        ("s3://lab/p.zarr", "s3://lab-evil/raw.zarr"),
        ("s3://lab/p.zarr", "s3://la/raw.zarr"),
        ("s3://lab/p.zarr", "gs://lab/raw.zarr"),
        ("https://lab/p.zarr", "http://lab/raw.zarr"),
        ("https://lab/p.zarr", "https://lab:8443/raw.zarr"),
        ("https://lab/p.zarr", "https://lab@evil/raw.zarr"),
        ("https://lab/p.zarr", "https://evil/lab/raw.zarr"),
        ("https://lab/p.zarr", "https://lab.evil/raw.zarr"),
        ("s3://lab/p.zarr", "memory://raw.zarr"),
        ("memory://p.zarr", "s3://lab/raw.zarr"),
        ("/data/p.zarr", "s3://lab/raw.zarr"),
        ("simplecache::s3://lab/p.zarr", "s3://lab/raw.zarr"),
        ("zip://p.zarr::s3://lab/a.zip", "s3://lab/raw.zarr"),
    ],
)
def test_a_link_to_another_origin_needs_trust(holder: str, source: str) -> None:
    with pytest.raises(TrustError, match="nothing was requested") as caught:
        follow(holder, source)
    assert isinstance(caught.value, PermissionError)
    assert "hunter2" not in str(caught.value)
    assert follow(holder, source, {source: {"anon": True}}) == {"anon": True}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize(
    "source",
    [
        "file:///etc/passwd", "FILE:///etc", "local:///etc", "file://etc", "file:///data/raw.zarr", "file:///",
        "http://169.254.169.254/latest/meta-data", "http://169.254.169.254:80/x", "http://127.0.0.1/x", "http://[::1]/x",
        "http://localhost/x",
    ],
)  # fmt: skip
def test_the_disk_and_the_inner_network_are_out_of_reach_of_stored_links(holder: str, source: str) -> None:
    with pytest.raises((TrustError, LinkError)):
        follow(holder, source)


def test_the_caller_may_trust_a_part_of_the_disk() -> None:
    trust: dict[str, Any] = {"/data/shared": {}}
    assert follow("s3://lab/p.zarr", "file:///data/shared/raw.zarr", trust) == {}
    assert follow("/home/p.zarr", "file:///data/shared/raw.zarr", trust) == {}
    for outside in ("file:///data/shared-evil/x", "file:///data", "file:///data/shared/../x"):
        with pytest.raises(TrustError):
            follow("s3://lab/p.zarr", outside, trust)


@pytest.mark.parametrize(
    ("prefix", "inside", "outside"),
    [
        ("s3://lab", "s3://lab/raw.zarr", "s3://lab-evil/raw.zarr"),
        ("s3://lab/", "s3://lab", "s3://lab.evil/raw.zarr"),
        ("s3://lab/a", "s3://lab/a/raw.zarr", "s3://lab/a-evil/raw.zarr"),
        ("s3://lab/a/", "s3://lab/a", "s3://lab/ab"),
        ("s3://lab/a/b", "s3://lab/a/./b/raw.zarr", "s3://lab/a/b/../c"),
        ("https://lab/a", "https://lab/a/raw.zarr", "http://lab/a/raw.zarr"),
        ("https://lab", "https://lab/x", "https://lab:80/x"),
        ("s3a://lab", "s3://lab/x", "gs://lab/x"),
    ],
)
def test_a_prefix_covers_whole_segments(prefix: str, inside: str, outside: str) -> None:
    assert follow("memory://p.zarr", inside, {prefix: {"anon": True}}) == {"anon": True}
    with pytest.raises(TrustError):
        follow("memory://p.zarr", outside, {prefix: {"anon": True}})


def test_the_longest_prefix_wins() -> None:
    trust = {"s3://lab": {"n": 1}, "s3://lab/a/b": {"n": 3}, "s3://lab/a": {"n": 2}, "s3://laboratory/a/b/c": {"n": 4}}
    targets = ("s3://lab/x", "s3://lab/a/x", "s3://lab/a/b/x", "s3://lab/a/bc/x")
    assert [follow("memory://p.zarr", target, trust)["n"] for target in targets] == [1, 2, 3, 2]


def test_trust_also_decides_within_the_holder_s_own_origin() -> None:
    trust = {"s3://lab/public": {"anon": True}}
    assert follow("s3://lab/private/p.zarr", "../../public/raw.zarr", trust) == {"anon": True}
    assert follow("s3://lab/private/p.zarr", "../raw.zarr", trust) == OURS


def test_trust_without_options_is_trust() -> None:
    assert follow("s3://lab/p.zarr", "s3://other/raw.zarr", {"s3://other": {}}) == {}


@pytest.mark.parametrize(
    "protocol", ["sftp", "ssh", "ftp", "zip", "reference", "github", "smb", "data", "jupyter", "hdfs"]
)
@pytest.mark.parametrize("holder", HOLDERS)
def test_protocols_off_the_list_are_out_of_reach_whatever_the_trust(holder: str, protocol: str) -> None:
    assert protocol not in LINK_PROTOCOLS
    source = f"{protocol}://host/raw.zarr"
    if parse_url(source).origin == parse_url(holder).origin:  # pragma: no cover - no holder has such an origin
        return
    with pytest.raises(TrustError, match=protocol):
        follow(holder, source, {source: {}, f"{protocol}://host": {}})


def test_relative_links_work_in_stores_of_any_protocol() -> None:
    assert follow("sftp://host/p.zarr", "../raw.zarr") == OURS
    assert follow("github://org:repo@main/p.zarr", "../raw.zarr") == OURS


# The caller's mapping.


def test_local_prefixes_start_from_the_working_folder() -> None:
    policy = TrustPolicy.parse({"shared": {"n": 1}}, "/home/me")
    assert policy.options_for(parse_url("/home/me/shared/x")) == {"n": 1}
    assert policy.options_for(parse_url("/shared/x")) is None


def test_a_policy_keeps_its_own_copy_of_the_options() -> None:
    trust: dict[str, dict[str, Any]] = {"s3://lab": {"anon": True}}
    policy = TrustPolicy.parse(trust)
    trust["s3://lab"]["anon"] = False
    trust["s3://other"] = {}
    assert policy.options_for(parse_url("s3://lab/x")) == {"anon": True}
    assert policy.options_for(parse_url("s3://other/x")) is None


@pytest.mark.parametrize("prefix", ["", " ", "s3://", "https://", "s3://lab/.."])
def test_a_prefix_that_names_no_place_is_refused(prefix: str) -> None:
    with pytest.raises(StoreURLError):
        TrustPolicy.parse({prefix: {}})


@pytest.mark.parametrize(
    "trust", [["s3://lab"], "s3://lab", {"s3://lab": None}, {"s3://lab": "anon"}, {"s3://lab": True}]
)
def test_trust_that_is_no_mapping_of_prefix_to_options_is_refused(trust: Any) -> None:
    with pytest.raises(StoreURLError, match="trust"):
        TrustPolicy.parse(trust)


def test_a_refusal_of_trust_does_not_tell_secrets() -> None:
    """Messages end in logs and in bug reports."""
    trust: Any = {"s3://lab": {"key": "k", "secret": "hunter2"}, "s3://other": None}
    with pytest.raises(StoreURLError) as caught:
        TrustPolicy.parse(trust)
    assert "hunter2" not in str(caught.value)


def test_no_trust_grants_nothing() -> None:
    assert TrustPolicy.parse(None) == TrustPolicy.parse({}) == NO_TRUST
    assert NO_TRUST.options_for(parse_url("s3://lab/x")) is None
