"""The schema language as JSON: what is encoded is parsed back the same, and what is malformed is named with its place."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbzarr.errors import NamespaceError
from nwbzarr.schema.core import CORE
from nwbzarr.schema.encoding import encode_namespace
from nwbzarr.schema.language import DTYPES, parse_namespace, standard_dtype
from nwbzarr.schema.registry import Registry
from nwbzarr.schema.specs import (
    AttributeSpec,
    CompoundField,
    DatasetSpec,
    GroupSpec,
    Include,
    LinkSpec,
    Namespace,
    Quantity,
    ReferenceTo,
    Source,
)

LAW = settings(max_examples=40, deadline=None)

# Strategies over the language.

words = st.text("abz_09", min_size=1, max_size=5)
types = st.text("ABCxyz", min_size=1, max_size=5)
references = st.builds(ReferenceTo, types)
simple_dtypes = st.sampled_from(sorted(DTYPES | {"float", "double", "int", "utf8", "datetime"}))
compounds = st.lists(
    st.builds(CompoundField, words, simple_dtypes | references),
    min_size=1,
    max_size=3,
    unique_by=lambda part: part.name,
).map(tuple)
quantities = st.sampled_from([Quantity(), Quantity(0, None), Quantity(1, None), Quantity(0, 1), Quantity(3, 3)])
scalars = st.text(max_size=5) | st.integers(-(2**40), 2**40) | st.booleans() | st.floats(allow_nan=False)
numbers = st.integers(-(2**40), 2**40) | st.floats(allow_nan=False)


def values_of(dtype: Any) -> st.SearchStrategy[Any]:
    """Values that a dtype of the language may have."""
    kinds: dict[str, st.SearchStrategy[Any]] = {
        **dict.fromkeys(("text", "ascii", "isodatetime"), st.text(max_size=5)),
        "bool": st.booleans(),
    }
    one = kinds.get(standard_dtype(dtype), numbers) if isinstance(dtype, str) else scalars
    return st.none() | one | st.lists(one, max_size=3)


@st.composite
def layouts(draw: st.DrawFn) -> dict[str, Any]:
    """Dims and shapes of the same alternatives, or none."""
    ranks = draw(st.lists(st.integers(1, 4), max_size=3))
    return {
        "dims": tuple(tuple(draw(words) for _ in range(rank)) for rank in ranks),
        "shapes": tuple(tuple(draw(st.none() | st.integers(0, 9)) for _ in range(rank)) for rank in ranks),
    }


@st.composite
def attributes(draw: st.DrawFn) -> AttributeSpec:
    dtype = draw(st.none() | simple_dtypes | references)
    return AttributeSpec(
        draw(words),
        dtype,
        **draw(layouts()),
        required=draw(st.booleans()),
        default=draw(values_of(dtype)),
        value=draw(values_of(dtype)),
    )


def several(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(items, max_size=1).map(tuple) | st.tuples(items, items).filter(
        lambda pair: pair[0].name != pair[1].name
    )


@st.composite
def datasets(draw: st.DrawFn, type_def: str | None = None) -> DatasetSpec:
    dtype = draw(st.none() | simple_dtypes | references | compounds)
    return DatasetSpec(
        draw(st.none() | words) if type_def else draw(words),
        draw(st.none() | words),
        type_def,
        draw(st.none() | types),
        dtype,
        **draw(layouts()),
        quantity=draw(quantities),
        attributes=draw(several(attributes())),
        default=draw(values_of(dtype)),
        value=draw(values_of(dtype)),
    )


links = st.builds(LinkSpec, types, st.none() | words, quantities)


@st.composite
def groups(draw: st.DrawFn, type_def: str | None = None, depth: int = 1) -> GroupSpec:
    name, type_inc = draw(st.none() | words), draw(st.none() | types)
    # Each kind of child has names of its own.
    inner = [replace(child, name=f"d{child.name}") for child in draw(several(datasets()))]
    lower = draw(several(groups(depth=depth - 1))) if depth else ()
    return GroupSpec(
        name if name or type_def or type_inc else draw(words),
        draw(st.none() | words),
        type_def,
        type_inc,
        draw(quantities),
        draw(several(attributes())),
        tuple(inner),
        tuple(replace(child, name=f"g{child.name}") if child.name else child for child in lower),
        tuple(replace(link, name=f"l{link.name}") if link.name else link for link in draw(several(links))),
    )


@st.composite
def namespaces(draw: st.DrawFn) -> Namespace:
    names = iter(draw(st.lists(types, unique=True, min_size=6, max_size=6)))
    parts: list[Include | Source] = [
        Include(name, tuple(draw(st.lists(types, max_size=2)))) for name in draw(st.lists(words, max_size=2))
    ]
    for source in draw(st.lists(words, max_size=2, unique=True)):
        # A source lists its datasets first.
        specs = [draw(datasets(next(names))) for _ in range(draw(st.integers(0, 1)))]
        specs += [draw(groups(next(names))) for _ in range(draw(st.integers(0, 2)))]  # type: ignore[misc]
        parts.append(Source(source, tuple(specs)))
    return Namespace(
        draw(words | st.sampled_from(["hdmf-like", "core"])),
        draw(st.sampled_from(["0.1.0", "2.11.0", "2.6.0-alpha"])),
        tuple(draw(st.permutations(parts))),
        draw(st.text(max_size=9)),
        tuple(draw(st.lists(st.text(min_size=1, max_size=9), max_size=2))),
        tuple(draw(st.lists(st.text(min_size=1, max_size=9), max_size=2))),
    )


@LAW
@given(namespaces(), st.booleans())
def test_what_is_encoded_is_parsed_back_the_same(namespace: Namespace, described: bool) -> None:
    encoded = encode_namespace(namespace, described=described)
    entry, sources = json.loads(json.dumps(encoded))
    assert parse_namespace(entry, sources, "here") == namespace
    assert encode_namespace(parse_namespace(*encoded, "here"), described=described) == encoded
    if described:
        check_docs(entry, sources)


@pytest.mark.parametrize("name", sorted(CORE.namespaces))
def test_nwbs_own_namespaces_are_encoded_and_parsed_back_the_same(name: str) -> None:
    entry, sources = json.loads(json.dumps(encode_namespace(CORE.namespaces[name])))
    assert parse_namespace(entry, sources, "here") == CORE.namespaces[name]


def check_docs(entry: dict[str, Any], sources: dict[str, Any]) -> None:
    """The language asks for ``doc`` everywhere, and hdmf refuses what has none."""
    assert entry["doc"]
    items = [item for content in sources.values() for found in content.values() for item in found]
    while items:
        item = items.pop()
        assert item["doc"]
        items += [part for word in ("attributes", "datasets", "groups", "links") for part in item.get(word, ())]
        if isinstance(item.get("dtype"), list):
            assert all(part["doc"] for part in item["dtype"])


def test_a_dtype_of_several_names_is_one() -> None:
    assert {standard_dtype(word) for word in ("float", "float32")} == {"float32"}
    assert {standard_dtype(word) for word in ("text", "utf", "utf8", "utf-8")} == {"text"}
    assert {standard_dtype(word) for word in ("datetime", "isodatetime")} == {"isodatetime"}
    assert standard_dtype("int") == "int32"
    assert {standard_dtype(word) for word in DTYPES} == set(DTYPES)


# One good namespace, and what may be wrong in it.


def good() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a namespace that uses every word of the language."""
    entry = {
        "name": "ndx-lab",
        "version": "0.1.0",
        "author": "A. Lab",
        "doc": "d",
        "schema": [{"namespace": "core", "neurodata_types": ["TimeSeries"]}, {"source": "lab.yaml"}],
    }
    rig = {
        "neurodata_type_def": "LabRig",
        "neurodata_type_inc": "LabMetaData",
        "name": "rig",
        "doc": "d",
        "attributes": [
            {"name": "serial", "dtype": "int32", "doc": "d"},
            {"name": "probe", "dtype": {"target_type": "Device", "reftype": "object"}, "doc": "d", "required": False},
        ],
        "datasets": [
            {"name": "lamps", "dtype": "float64", "dims": ["lamp"], "shape": [None], "quantity": "?", "doc": "d"},
            {
                "name": "pixels",
                "dtype": [{"name": "x", "dtype": "uint32", "doc": "d"}, {"name": "w", "dtype": "float", "doc": "d"}],
                "dims": [["a"], ["a", "b"]],
                "shape": [[None], [None, 2]],
                "doc": "d",
            },
        ],
        "groups": [{"neurodata_type_inc": "TimeSeries", "quantity": "*", "doc": "d"}],
        "links": [{"name": "device", "target_type": "Device", "quantity": 1, "doc": "d"}],
    }
    column = {"neurodata_type_def": "LabColumn", "neurodata_type_inc": "VectorData", "dtype": "text", "doc": "d"}
    return entry, {"lab.yaml": {"groups": [rig], "datasets": [column]}}


def test_the_good_namespace_is_good() -> None:
    found = parse_namespace(*good(), "here")
    assert (found.name, found.version, found.authors) == ("ndx-lab", "0.1.0", ("A. Lab",))
    assert found.includes == (Include("core", ("TimeSeries",)),)
    column, rig = found.sources[0].types
    assert column == DatasetSpec(type_def="LabColumn", type_inc="VectorData", dtype="text")
    assert isinstance(rig, GroupSpec)
    assert rig.attributes[1] == AttributeSpec("probe", ReferenceTo("Device"), required=False)
    assert rig.datasets[1].shapes == ((None,), (None, 2))
    assert rig.datasets[1].dtype == (CompoundField("x", "uint32"), CompoundField("w", "float"))
    assert rig.groups[0].quantity == Quantity(0, None)
    assert rig.links == (LinkSpec("Device", "device"),)


RIG: tuple[Any, ...] = ("lab.yaml", "groups", 0)
SERIAL = (*RIG, "attributes", 0)
LAMPS = (*RIG, "datasets", 0)
PIXELS = (*RIG, "datasets", 1)

#: Where the bad thing goes (in the entry for E, else in the sources), the bad thing, and the words of the message.
E = "entry"
GONE = object()
MALFORMED: dict[str, tuple[tuple[Any, ...], Any, tuple[str, ...]]] = {
    "no name": ((E, "name"), GONE, ("name", "None")),
    "a name that is no text": ((E, "name"), 5, ("name", "5")),
    "an empty name": ((E, "name"), "", ("name",)),
    "no version": ((E, "version"), GONE, ("ndx-lab", "version")),
    "a version of nothing": ((E, "version"), None, ("ndx-lab", "version")),
    "a version that is a list": ((E, "version"), [1], ("ndx-lab", "version")),
    "a schema that is no list": ((E, "schema"), {"source": "lab.yaml"}, ("ndx-lab", "schema", "dict")),
    "a schema of texts": ((E, "schema", 1), "lab.yaml", ("ndx-lab", "str")),
    "a part that is neither": ((E, "schema", 1), {}, ("ndx-lab", "source")),
    "an include that is no text": ((E, "schema", 0, "namespace"), 1, ("ndx-lab", "namespace", "1")),
    "included types that are a number": ((E, "schema", 0, "neurodata_types"), 1, ("ndx-lab", "types", "1")),
    "included types that are one text": ((E, "schema", 0, "neurodata_types"), "TimeSeries", ("ndx-lab", "types")),
    "a source that is not there": ((E, "schema", 1, "source"), "other.yaml", ("ndx-lab", "other.yaml")),
    "a source that is no text": ((E, "schema", 1, "source"), 3, ("ndx-lab", "source", "3")),
    "a source that is a list": (("lab.yaml",), [], ("lab.yaml", "list")),
    "a source that is nothing": (("lab.yaml",), None, ("lab.yaml", "NoneType")),
    "groups that are no list": (("lab.yaml", "groups"), {}, ("lab.yaml", "groups", "dict")),
    "a group that is a text": (RIG, "LabRig", ("lab.yaml", "str")),
    "no type": ((*RIG, "neurodata_type_def"), GONE, ("lab.yaml", "type")),
    "a type that is no text": ((*RIG, "neurodata_type_def"), 7, ("lab.yaml", "neurodata_type_def", "7")),
    "a base that is no text": ((*RIG, "neurodata_type_inc"), [], ("LabRig", "neurodata_type_inc")),
    "a type twice": (("lab.yaml", "datasets", 0, "neurodata_type_def"), "LabRig", ("LabRig", "twice")),
    "attributes that are no list": ((*RIG, "attributes"), {"serial": 1}, ("LabRig", "attributes", "dict")),
    "an attribute that is a text": (SERIAL, "serial", ("LabRig", "str")),
    "an attribute without a name": ((*SERIAL, "name"), GONE, ("LabRig", "name")),
    "an attribute twice": ((*RIG, "attributes", 1, "name"), "serial", ("LabRig", "serial", "twice")),
    "an unknown dtype": ((*SERIAL, "dtype"), "int33", ("LabRig", "serial", "int33", "int32")),
    "a dtype that is a number": ((*SERIAL, "dtype"), 5, ("LabRig", "serial", "dtype", "5")),
    "a reference to nothing": ((*SERIAL, "dtype"), {"reftype": "object"}, ("serial", "target_type")),
    "a compound of texts": ((*PIXELS, "dtype"), ["x"], ("LabRig", "pixels", "str")),
    "a compound of nothing": ((*PIXELS, "dtype"), [], ("LabRig", "pixels", "compound")),
    "a compound in a compound": ((*PIXELS, "dtype", 0, "dtype"), [{"name": "a", "dtype": "int"}], ("pixels", "simple")),
    "a compound field without dtype": ((*PIXELS, "dtype", 0, "dtype"), GONE, ("pixels", "dtype")),
    "a compound field without name": ((*PIXELS, "dtype", 0, "name"), GONE, ("pixels", "name")),
    "a compound field twice": ((*PIXELS, "dtype", 0, "name"), "w", ("pixels", "w", "twice")),
    "a size that is a text": ((*LAMPS, "shape"), ["many"], ("lamps", "shape", "many")),
    "a size that is an object": ((*LAMPS, "shape"), [{}], ("lamps", "shape")),
    "a size with a fraction": ((*LAMPS, "shape"), [1.5], ("lamps", "shape", "1.5")),
    "a size below zero": ((*LAMPS, "shape"), [-1], ("lamps", "shape", "-1")),
    "an endless size": ((*LAMPS, "shape"), [float("inf")], ("lamps", "shape", "inf")),
    "a shape of lists and sizes": ((*LAMPS, "shape"), [None, [None]], ("lamps", "shape")),
    "a quantity of another word": ((*LAMPS, "quantity"), "some", ("lamps", "quantity", "some")),
    "a quantity of zero": ((*LAMPS, "quantity"), 0, ("lamps", "quantity", "0")),
    "a quantity that is true": ((*LAMPS, "quantity"), True, ("lamps", "quantity", "True")),
    "a quantity that is a list": ((*LAMPS, "quantity"), ["*"], ("lamps", "quantity")),
    "required, in a word": ((*SERIAL, "required"), "no", ("serial", "required", "no")),
    "a dataset twice": ((*PIXELS, "name"), "lamps", ("LabRig", "lamps", "twice")),
    "a dataset without name and type": ((*LAMPS, "name"), GONE, ("LabRig", "name")),
    "a link to nothing": ((*RIG, "links", 0, "target_type"), GONE, ("LabRig", "target_type")),
    "a link that is a text": ((*RIG, "links", 0), "device", ("LabRig", "str")),
}


def put(content: Any, place: tuple[Any, ...], bad: Any) -> None:
    for key in place[:-1]:
        content = content[key]
    if bad is GONE:
        del content[place[-1]]
    else:
        content[place[-1]] = bad


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_malformed_is_an_error_that_says_where(case: str) -> None:
    place, bad, parts = MALFORMED[case]
    entry, sources = copy.deepcopy(good())
    put({E: entry, **sources} if place[0] == E else sources, place, bad)
    with pytest.raises(NamespaceError) as caught:
        parse_namespace(entry, sources, "the file here.yaml")
    text = str(caught.value)
    assert text.startswith("the file here.yaml")
    for part in parts:
        assert part in text, (part, text)


@pytest.mark.parametrize("entry", [None, [], "core", 5])
def test_an_entry_that_is_no_object(entry: Any) -> None:
    with pytest.raises(NamespaceError, match="here"):
        parse_namespace(entry, {}, "here")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def places_in(content: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return every place in a JSON document."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [place for key, value in items for place in ((*above, key), *places_in(value, (*above, key)))]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_stands_anywhere_is_parsed_or_named(data: st.DataObject) -> None:
    """No other error than NamespaceError, and what is parsed can be encoded."""
    entry, sources = copy.deepcopy(good())
    whole: dict[str, Any] = {E: entry, "sources": sources}
    put(whole, data.draw(st.sampled_from(places_in(whole)[1:])), data.draw(JSON))
    try:
        found = parse_namespace(whole[E], whole["sources"] if isinstance(whole["sources"], dict) else {}, "here")
    except NamespaceError as error:
        assert str(error).startswith("here")  # noqa: PT017 - either is right
        return
    again = encode_namespace(found)
    entry, sources = json.loads(json.dumps(again))
    assert parse_namespace(entry, sources, "there") == found


def test_nothing_is_no_text() -> None:
    """None must not become "None"."""
    entry, sources = good()
    found = parse_namespace({**entry, "full_name": None, "author": None, "contact": None}, sources, "here")
    assert (found.full_name, found.authors, found.contacts) == ("", (), ())


def test_types_defined_inside_others_are_types_of_the_namespace() -> None:
    """As old NWB schemas do: OpticalChannel inside ImagingPlane, Subject inside NWBFile."""
    entry, sources = good()
    sources["lab.yaml"]["groups"][0]["groups"].append(
        {"neurodata_type_def": "LabPart", "neurodata_type_inc": "NWBContainer", "quantity": "*", "doc": "d"}
    )
    registry = Registry([parse_namespace(entry, sources, "here")], bases=[CORE])
    assert "LabPart" in registry.types
    assert registry.is_a("LabPart", ["NWBContainer"])
