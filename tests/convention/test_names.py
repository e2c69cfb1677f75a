"""Names and paths: what may stand in a store, and how both are put together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbzarr.convention.names import (
    DOCUMENT,
    RESERVED_ATTRIBUTES,
    SIDECAR,
    WRITE_MARK,
    join_path,
    key_of,
    parse_name,
    parse_path,
    split_path,
)
from nwbzarr.errors import DocumentError, FieldTypeError, SchemaError

LAW = settings(max_examples=100, deadline=None)

NAMES = st.sampled_from(
    [
        "raw_timeseries",
        "Unit 1",
        "a.b",
        "..a",
        "a..",
        "é☃",
        "c",
        "zarr.json.bak",
        "_x",
        "%2e",
        "a:b",
        "~",
        " ",
        "x__",
        "C:",
    ]
)
PARENTS = st.lists(NAMES, max_size=3).map(lambda names: "/" + "/".join(names))


# Names.


@LAW
@given(PARENTS, NAMES)
def test_a_name_that_is_taken_makes_a_path_that_is_taken(parent: str, name: str) -> None:
    assert parse_name(name, "TimeSeries") == name
    path = join_path(parent, name)
    assert parse_path(path) == path
    assert split_path(path) == (parent, name)


@LAW
@given(st.text("./\\\0a_ ", max_size=5))
def test_whatever_is_taken_as_a_name_is_one_segment_of_a_path(text: str) -> None:
    try:
        name = parse_name(text, "TimeSeries")
    except SchemaError:
        return
    assert name == text
    assert parse_path(f"/group/{name}") == f"/group/{name}"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "...", "a/b", "/a", "a/", "/", "a\\b", "a\0", DOCUMENT, SIDECAR, WRITE_MARK, "__init__", "__"],
)
def test_names_that_mean_something_else_are_refused(name: str) -> None:
    with pytest.raises(SchemaError, match=r"TimeSeries\.name") as caught:
        parse_name(name, "TimeSeries")
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("name", [None, 1, b"x", ["x"], object()])
def test_names_that_are_no_text_are_refused(name: Any) -> None:
    with pytest.raises(FieldTypeError, match=r"TimeSeries\.name must be a text") as caught:
        parse_name(name, "TimeSeries")
    assert isinstance(caught.value, TypeError)


def test_a_name_that_is_no_unicode_is_refused() -> None:
    """No document could hold it: JSON is UTF-8."""
    with pytest.raises(SchemaError, match=r"TimeSeries\.name"):
        parse_name("unit \udcff", "TimeSeries")


# Paths.


@LAW
@given(st.text("./\\\0a ", max_size=8))
def test_whatever_is_taken_as_a_path_is_normal(text: str) -> None:
    try:
        path = parse_path(text)
    except DocumentError:
        return
    assert path.startswith("/")
    assert parse_path(path) == path
    assert path == "/" or not {"", ".", ".."} & set(path[1:].split("/"))
    assert not {"\\", "\0"} & set(path)


@pytest.mark.parametrize(
    ("text", "path"),
    [("/", "/"), ("/a", "/a"), ("/a/", "/a"), ("a/b", "/a/b"), ("/a/b c/é", "/a/b c/é"), ("/..a", "/..a")],
)
def test_paths_become_absolute(text: str, path: str) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "..",
        "/..",
        "/a/..",
        "/a/../b",
        "../a",
        ".",
        "/.",
        "/a/./b",
        "//",
        "/a//b",
        "/a\\b",
        "..\\a",
        "/a\0",
        None,
        1,
        ["/a"],
    ],
)
def test_paths_that_lead_elsewhere_are_refused(path: Any) -> None:
    with pytest.raises(DocumentError, match="path") as caught:
        parse_path(path, "s3://lab/raw.nwb.zarr")
    assert caught.value.store == "s3://lab/raw.nwb.zarr"


def test_the_root_has_no_parent_but_itself() -> None:
    assert split_path("/") == ("/", "")
    assert split_path("/a") == ("/", "a")
    assert join_path("/", "a") == "/a"


@pytest.mark.parametrize(
    ("path", "leaf", "key"),
    [("/", "zarr.json", "zarr.json"), ("/a", "zarr.json", "a/zarr.json"), ("/a/b", "c.0.0", "a/b/c.0.0")],
)
def test_keys_have_no_slash_in_front(path: str, leaf: str, key: str) -> None:
    assert key_of(path, leaf) == key


def test_the_words_of_the_convention_are_those_of_hdmf_zarr() -> None:
    assert {"_LINKS", "_REFERENCE_FIELDS", "_DTYPE", "_ARRAY_DIMENSIONS", ".specloc"} <= RESERVED_ATTRIBUTES
