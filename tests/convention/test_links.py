"""Links and references as they stand in attributes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbzarr.convention.links import Link, Reference, encode_links, encode_reference, parse_links, parse_reference
from nwbzarr.convention.names import LINKS, REFERENCE
from nwbzarr.errors import DocumentError

LAW = settings(max_examples=60, deadline=None)

NAMES = st.sampled_from(["raw", "raw_timeseries", "é", "a b"])
SOURCES = st.sampled_from([".", "../raw.nwb.zarr", "../../day1/raw.nwb.zarr", "s3://other/raw.nwb.zarr"])
PATHS = st.sampled_from(["/", "/acquisition/raw", "/processing/ecephys/LFP/é"])


@LAW
@given(st.lists(st.builds(Link, NAMES, SOURCES, PATHS), max_size=4))
def test_links_are_the_parse_of_their_stored_form(links: list[Link]) -> None:
    attributes = json.loads(json.dumps({"neurodata_type": "NWBFile", LINKS: encode_links(links)}))
    assert parse_links(attributes, "/acquisition") == tuple(links)


@LAW
@given(st.builds(Reference, SOURCES, PATHS))
def test_a_reference_is_the_parse_of_its_stored_form(reference: Reference) -> None:
    assert parse_reference(json.loads(json.dumps(encode_reference(reference))), "/x") == reference


def test_the_stored_form_is_the_public_one() -> None:
    assert encode_links([Link("raw", "../raw.nwb.zarr", "/acquisition/raw")]) == [
        {"name": "raw", "source": "../raw.nwb.zarr", "path": "/acquisition/raw"}
    ]
    assert encode_reference(Reference(".", "/x")) == {"_REFERENCE": {"source": ".", "path": "/x"}}


def test_no_links_are_no_links() -> None:
    assert parse_links({}, "/x") == ()
    assert parse_links({LINKS: None}, "/x") == ()
    assert parse_links({LINKS: []}, "/x") == ()


def test_what_else_an_entry_holds_is_ignored() -> None:
    entry = {"name": "raw", "source": ".", "path": "/x/", "object_id": "1", "source_object_id": None}
    assert parse_links({LINKS: [entry]}, "/x") == (Link("raw", ".", "/x"),)


@pytest.mark.parametrize(
    "value",
    [
        {}, "x", 1, {"name": "raw"}, [None], ["x"], [[]], [{}], [{"name": "raw", "source": "."}],
        [{"name": "raw", "path": "/x"}], [{"source": ".", "path": "/x"}], [{"name": "", "source": ".", "path": "/x"}],
        [{"name": "raw", "source": "", "path": "/x"}], [{"name": "raw", "source": ".", "path": ""}],
        [{"name": 1, "source": ".", "path": "/x"}], [{"name": "raw", "source": None, "path": "/x"}],
        [{"name": "raw", "source": ".", "path": ["/x"]}], [{"name": "raw", "source": ".", "path": "/x"}, {}],
    ],
)  # fmt: skip
def test_links_of_another_form_are_refused_with_their_place(value: Any) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_links({LINKS: value}, "/acquisition")
    assert caught.value.path == "/acquisition"


@pytest.mark.parametrize("path", ["/a/../b", "..", "/a\\b", "/a\0"])
def test_links_and_references_to_no_path_are_refused(path: str) -> None:
    with pytest.raises(DocumentError, match="path"):
        parse_links({LINKS: [{"name": "raw", "source": ".", "path": path}]}, "/x")
    with pytest.raises(DocumentError, match="path"):
        parse_reference({REFERENCE: {"source": ".", "path": path}}, "/x")


@pytest.mark.parametrize(
    "value", [None, 1, "x", "/acquisition/raw", [], {}, {"source": ".", "path": "/x"}, [{REFERENCE: {}}]]
)
def test_other_values_are_no_references(value: Any) -> None:
    assert parse_reference(value, "/x") is None


def test_a_reference_without_a_source_means_its_own_store() -> None:
    assert parse_reference({REFERENCE: {"path": "/x"}}, "/y") == Reference(".", "/x")


@pytest.mark.parametrize("body", [None, "x", [], {}, {"source": "."}, {"source": 1, "path": "/x"}, {"source": None, "path": "/x"},
                                  {"source": ".", "path": 1}, {"source": ".", "path": None}])  # fmt: skip
def test_references_of_another_form_are_refused(body: Any) -> None:
    with pytest.raises(DocumentError):
        parse_reference({REFERENCE: body}, "/x")
