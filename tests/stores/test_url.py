"""URL arithmetic: `relative_source` and `resolve_source` are inverse, and nothing stored can climb out of its origin."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from nwbzarr.errors import LinkError, StoreURLError
from nwbzarr.stores.url import StoreURL, normal_path, parse_url, relative_source, resolve_source

if TYPE_CHECKING:
    from collections.abc import Sequence

LAW = settings(max_examples=100, deadline=None)

#: Names that people give folders and buckets' prefixes, and some that they should not.
SEGMENTS = st.sampled_from(
    [
        *(
            "raw.nwb.zarr",
            "processed.nwb.zarr",
            "day1",
            "day2",
            "day 2",
            "a",
            "b",
            "A",
            "sub-01_ses-2",
            "é",
            "☃",
            "a:b",
        ),
        *("...", "....", ".hidden", "..b", "a..", "-", "_", "~", "@", "=", "+", ",", "&", "(1)", "[x]", "*", "a%20b"),
    ]
)
PATHS = st.lists(SEGMENTS, max_size=4).map(lambda parts: "".join(f"/{part}" for part in parts))

#: Roots of places without a chain.
ORIGINS = (
    StoreURL("file", "", ""),
    StoreURL("memory", "", ""),
    *(
        StoreURL(protocol, host, "")
        for protocol in ("s3", "gs", "http", "https", "sftp")
        for host in ("lab", "lab-evil")
    ),
    *(StoreURL(protocol, "host:8080", "") for protocol in ("http", "https")),
    *(StoreURL(protocol, "container@account", "") for protocol in ("az", "abfs")),
)

#: Roots of places inside archives, behind caches, or both.
CHAINED_ORIGINS = (
    *(replace(origin, before="simplecache::") for origin in ORIGINS),
    *(
        StoreURL(protocol, "", "", before, archive)
        for protocol in ("zip", "tar")
        for before in ("", "simplecache::", "blockcache::filecache::")
        for archive in ("::s3://lab/a.zip", "::file:///data/a.zip", "::simplecache::https://host:8080/b.zip")
    ),
)


def at(origin: StoreURL, path: str) -> StoreURL:
    """Return a place below a root."""
    return replace(origin, path=path)


PLAIN_URLS = st.builds(at, st.sampled_from(ORIGINS), PATHS)
CHAINED_URLS = st.builds(at, st.sampled_from(CHAINED_ORIGINS), PATHS)
URLS = st.builds(at, st.sampled_from(ORIGINS + CHAINED_ORIGINS), PATHS)


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[StoreURL, StoreURL]:
    """Two places of one origin, most of them with folders in common."""
    origin, shared = draw(st.sampled_from(ORIGINS + CHAINED_ORIGINS)), draw(PATHS)
    return at(origin, shared + draw(PATHS)), at(origin, shared + draw(PATHS))


def places(text: str) -> tuple[StoreURL, ...]:
    """Return the places of some URLs, separated by spaces."""
    return tuple(parse_url(part) for part in text.split())


# Text of a URL.


@LAW
@given(URLS)
def test_a_url_is_the_parse_of_its_text(url: StoreURL) -> None:
    assert parse_url(str(url)) == url


@LAW
@given(st.text("ab:/.\\%s3#?C~ é\n", max_size=20), st.sampled_from(["/", "/home/me"]))
@example("simplecache::", "/")
@example("/data/mouse::1", "/")
@example("S3://Lab/x/../y//z/.", "/")
@example("local:///data", "/")
@example("C:\\data\\x", "/")
@example("zip://x.zarr::s3://b/a.zip", "/")
def test_whatever_parses_has_one_normal_text(text: str, folder: str) -> None:
    try:
        url = parse_url(text, folder)
    except StoreURLError:
        return
    assert parse_url(str(url)) == url
    assert url.path == normal_path(url.path, text)
    assert not {".", "..", ""} & set(url.path.split("/")[1:])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("s3://lab/day1/raw.nwb.zarr", StoreURL("s3", "lab", "/day1/raw.nwb.zarr")),
        ("s3://lab/day1/raw.nwb.zarr/", StoreURL("s3", "lab", "/day1/raw.nwb.zarr")),
        ("S3A://lab//day1/./x/../raw", StoreURL("s3", "lab", "/day1/raw")),
        ("gcs://lab/x", StoreURL("gs", "lab", "/x")),
        ("s3://lab", StoreURL("s3", "lab", "")),
        ("http://host:8080/a", StoreURL("http", "host:8080", "/a")),
        ("abfs://container@account/x", StoreURL("abfs", "container@account", "/x")),
        ("memory://a/b", StoreURL("memory", "", "/a/b")),
        ("memory:///a/b", StoreURL("memory", "", "/a/b")),
        ("/data/x", StoreURL("file", "", "/data/x")),
        ("x.zarr", StoreURL("file", "", "/home/me/x.zarr")),
        ("../x.zarr", StoreURL("file", "", "/home/x.zarr")),
        (".", StoreURL("file", "", "/home/me")),
        ("file:///data/x", StoreURL("file", "", "/data/x")),
        ("local:///data/x", StoreURL("file", "", "/data/x")),
        ("file://x.zarr", StoreURL("file", "", "/home/me/x.zarr")),
        ("C:\\data\\x", StoreURL("file", "", "/C:/data/x")),
        ("d:/data/x", StoreURL("file", "", "/d:/data/x")),
        ("simplecache::s3://lab/x", StoreURL("s3", "lab", "/x", "simplecache::")),
        ("zip://x.zarr::s3://lab/a.zip", StoreURL("zip", "", "/x.zarr", "", "::s3://lab/a.zip")),
        ("zip://::s3://lab/a.zip", StoreURL("zip", "", "", "", "::s3://lab/a.zip")),
        ("simplecache::zip://x::s3://lab/a.zip", StoreURL("zip", "", "/x", "simplecache::", "::s3://lab/a.zip")),
    ],
)
def test_what_people_type_is_understood(text: str, wanted: StoreURL) -> None:
    assert parse_url(text, "/home/me") == wanted


def test_an_archive_may_be_named_by_its_protocol_alone_as_fsspec_has_it() -> None:
    assert parse_url("zip::s3://lab/a.zip") == parse_url("zip://::s3://lab/a.zip")


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n", "s3://", "s3:///key", "http://", "a\0b", "s3://lab/\0", "s3://lab/..", "s3://lab/a/../..", "/..",
     "memory://../a", "file:///../etc", "zip://../x::s3://b/a.zip", "simplecache::", "filecache::simplecache"],
)  # fmt: skip
def test_what_names_no_store_is_refused(text: str) -> None:
    with pytest.raises(StoreURLError) as caught:
        parse_url(text)
    assert isinstance(caught.value, ValueError)


# Parts of a URL.


@LAW
@given(URLS, SEGMENTS)
def test_a_child_is_below_its_parent(url: StoreURL, name: str) -> None:
    child = url.joined(name)
    assert child.parent == url
    assert child.name == name
    assert child.origin == url.origin
    assert child.is_within(url)
    assert not url.is_within(child)


@LAW
@given(URLS)
def test_a_neighbour_with_a_longer_name_is_not_within(url: StoreURL) -> None:
    assume(url.path)
    assert url.is_within(url)
    assert not at(url, f"{url.path}-evil").is_within(url)
    assert not url.is_within(at(url, f"{url.path}-evil"))


def test_a_bucket_is_not_within_a_bucket_with_a_shorter_name() -> None:
    lab, evil = places("s3://lab s3://lab-evil/x")
    assert not evil.is_within(lab)
    assert not parse_url("https://lab/x").is_within(parse_url("http://lab"))


@pytest.mark.parametrize("name", ["..", "../x", "a/../../x"])
def test_joining_never_leaves_the_folder(name: str) -> None:
    with pytest.raises(StoreURLError):
        parse_url("s3://lab/day1").joined(name)


@LAW
@given(URLS)
def test_urls_are_values(url: StoreURL) -> None:
    again = parse_url(str(url))
    assert hash(again) == hash(url)
    assert pickle.loads(pickle.dumps(url)) == url  # noqa: S301 - our own bytes


def test_a_local_place_reads_as_a_path_and_any_other_as_a_url() -> None:
    assert parse_url("/data/x").text == "/data/x"
    assert parse_url("/").text == "/"
    assert parse_url("s3://lab/x").text == "s3://lab/x"
    assert parse_url("simplecache::file:///data/x").text == "simplecache::file:///data/x"


# Sources.


@LAW
@given(neighbours())
def test_within_an_origin_resolving_undoes_relating(pair: tuple[StoreURL, StoreURL]) -> None:
    base, target = pair
    source = relative_source(base, target)
    assert resolve_source(base, source) == target
    assert "://" not in source
    assert (source == ".") == (base == target)


@LAW
@given(URLS, PLAIN_URLS)
def test_across_origins_resolving_undoes_relating(base: StoreURL, target: StoreURL) -> None:
    source = relative_source(base, target)
    assert resolve_source(base, source) == target
    if base.origin != target.origin:
        assert source == str(target)


@LAW
@given(URLS, CHAINED_URLS)
def test_a_chain_of_another_origin_cannot_be_stored(base: StoreURL, target: StoreURL) -> None:
    assume(base.origin != target.origin)
    with pytest.raises(LinkError):
        relative_source(base, target)


@LAW
@given(neighbours(), URLS)
def test_sources_stay_good_when_all_stores_move_together(pair: tuple[StoreURL, StoreURL], new_home: StoreURL) -> None:
    base, target = pair
    moved_base, moved_target = (at(new_home, new_home.path + url.path) for url in (base, target))
    assert relative_source(moved_base, moved_target) == relative_source(base, target)


#: Names that no store has but any file system and bucket allows.
ODD_SEGMENTS = st.sampled_from(["a", "C:", "C:a", ":", "a?b", "#", "|", "%2e", "%2e%2e", "\\", " ", "s3:", "?", "~"])
ODD_PATHS = st.lists(ODD_SEGMENTS, max_size=3).map(lambda parts: "".join(f"/{part}" for part in parts))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ORIGINS), ODD_PATHS, ODD_PATHS)
@example(StoreURL("s3", "lab", ""), "", "/C:/raw.nwb.zarr")
@example(StoreURL("s3", "lab", ""), "", "/ ")
def test_a_source_that_would_not_lead_back_is_never_made(origin: StoreURL, ours: str, theirs: str) -> None:
    base, target = at(origin, ours), at(origin, theirs)
    try:
        source = relative_source(base, target)
    except LinkError:
        return
    assert resolve_source(base, source) == target


@pytest.mark.parametrize(
    ("pair", "source"),
    [
        ("s3://lab/d/p.zarr s3://lab/d/p.zarr", "."),
        ("s3://lab/d/p.zarr s3://lab/d/raw.zarr", "../raw.zarr"),
        ("s3://lab/d2/p.zarr s3://lab/d1/raw.zarr", "../../d1/raw.zarr"),
        ("s3://lab/d/p.zarr s3://lab/d/p.zarr/inner.zarr", "inner.zarr"),
        ("s3://lab/d/p.zarr/inner.zarr s3://lab/d/p.zarr", ".."),
        ("s3://lab/a/b/c.zarr s3://lab", "../../.."),
        ("s3://lab s3://lab/a.zarr", "a.zarr"),
        ("s3://lab/p.zarr s3://other/raw.zarr", "s3://other/raw.zarr"),
        ("http://h/p.zarr https://h/raw.zarr", "https://h/raw.zarr"),
        ("/data/p.zarr /data/raw.zarr", "../raw.zarr"),
        ("/data/p.zarr memory://raw.zarr", "memory:///raw.zarr"),
        ("memory://d/p.zarr memory://d/raw.zarr", "../raw.zarr"),
        ("zip://p.zarr::s3://lab/a.zip zip://raw.zarr::s3://lab/a.zip", "../raw.zarr"),
        ("simplecache::s3://lab/p.zarr simplecache::s3://lab/raw.zarr", "../raw.zarr"),
        ("zip://p.zarr::s3://lab/a.zip s3://lab/raw.zarr", "s3://lab/raw.zarr"),
    ],
)
def test_sources_have_the_stored_form(pair: str, source: str) -> None:
    base, target = places(pair)
    assert relative_source(base, target) == source
    assert resolve_source(base, source) == target


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (".", "s3://lab/day2/p.zarr"),
        ("./", "s3://lab/day2/p.zarr"),
        ("../raw.zarr", "s3://lab/day2/raw.zarr"),
        ("../raw.zarr/", "s3://lab/day2/raw.zarr"),
        ("./../raw.zarr", "s3://lab/day2/raw.zarr"),
        ("..//../day1/raw.zarr", "s3://lab/day1/raw.zarr"),
        ("inner.zarr", "s3://lab/day2/p.zarr/inner.zarr"),
        ("s3://lab/x", "s3://lab/x"),
        ("S3://other/x", "s3://other/x"),
        ("file:///data/x", "file:///data/x"),
    ],
)
def test_sources_of_other_writers_resolve_too(source: str, wanted: str) -> None:
    assert resolve_source(parse_url("s3://lab/day2/p.zarr"), source) == parse_url(wanted)


BASES = (
    "s3://lab/day1/p.zarr",
    "/data/day1/p.zarr",
    "https://h/p.zarr",
    "memory://p.zarr",
    "zip://p.zarr::s3://lab/a.zip",
)

MALICIOUS = [
    # Above the root.
    "../../../../x", "../../../../../../etc/passwd", "a/../../../../../x", "./../.././../../x", "..//..//..//..//x",
    "s3://lab/..", "s3://lab/a/../../x", "file://../etc", "file:///../etc", "memory://../x", "https://h/../x",
    # Encoded.
    "%2e%2e/x", "%2E%2E/x", ".%2e/x", "%2e./x", "..%2fx", "..%2Fx", "..%5cx", "..%5Cx", "x%00", "https://h/%2e%2e/x",
    "s3://lab/a%2Fb", "file:///%2e%2e/etc",
    # Backslashes and drives.
    "..\\raw.zarr", "..\\..\\etc", "\\\\host\\share", "C:\\x", "c:/x", "Z:/x/y", "s3://lab\\x",
    # Chains and pipelines.
    "zip://x::s3://lab/a.zip", "simplecache::s3://lab/x", "../a::b", "::", "reference::file:///etc/x.json",
    "../a.zip|zip:", "s3://lab/a.zip|zip:x", "|",
    # Queries and fragments.
    "../raw.zarr?x=1", "?", "#", "../raw.zarr#x", "https://h/x?token=1", "https://h/x#y", "https://h?x",
    # NUL.
    "\0", "../raw\0.zarr", "s3://lab/\0",
    # Absolute.
    "/etc/passwd", "/", "//host/x", "///", "/data/day1/raw.zarr",
    # Nothing.
    "", " ", "\t\n", "s3://", "s3:///x", "https:///x",
]  # fmt: skip


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("source", MALICIOUS)
def test_a_malicious_source_is_refused(base: str, source: str) -> None:
    with pytest.raises(LinkError) as caught:
        resolve_source(parse_url(base), source)
    assert caught.value.store == str(parse_url(base))


SOURCE_PARTS = st.sampled_from(
    [
        "..",
        ".",
        "/",
        "//",
        "a",
        "raw.zarr",
        " ",
        "%2e",
        "%2E",
        "\\",
        "::",
        ":",
        "s3:",
        "C:",
        "?",
        "#",
        "|",
        "\0",
        "é",
        "~",
    ]
)


@settings(max_examples=200, deadline=None)
@given(URLS, st.lists(SOURCE_PARTS, max_size=9).map("".join))
@example(parse_url("s3://lab/p.zarr"), "../../x")
def test_a_relative_source_never_leaves_its_origin(base: StoreURL, source: str) -> None:
    assume("://" not in source)
    try:
        target = resolve_source(base, source)
    except LinkError:
        return
    assert target.origin == base.origin
    assert not {".", "..", ""} & set(target.path.split("/")[1:])
    assert parse_url(str(target)) == target


@settings(max_examples=200, deadline=None)
@given(PLAIN_URLS, st.lists(st.one_of(SOURCE_PARTS, st.sampled_from(["://", "s3://lab", "file://"])), max_size=7))
def test_whatever_resolves_is_a_plain_place_or_one_of_the_same_origin(base: StoreURL, parts: Sequence[str]) -> None:
    try:
        target = resolve_source(base, "".join(parts))
    except LinkError:
        return
    assert target.origin == base.origin or not (target.before or target.after)
    assert not {".", "..", ""} & set(target.path.split("/")[1:])


@pytest.mark.parametrize("place", ["https://someone:hunter2@host/raw.zarr", "sftp://someone:hunter2@host/raw.zarr"])
def test_a_password_in_a_url_is_never_stored_or_told(place: str) -> None:
    base = parse_url("s3://lab/p.zarr")
    try:
        target = parse_url(place)
        told = [relative_source(base, target)]
    except (StoreURLError, LinkError) as error:
        told = [str(error), str(error.store)]
    assert "hunter2" not in "".join(told)
