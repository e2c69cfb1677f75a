"""The registry: what a type extends, and what it says together with its bases; contradictions are named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbzarr.errors import NamespaceError
from nwbzarr.schema.core import CORE, NWB_VERSION
from nwbzarr.schema.fields import Kind
from nwbzarr.schema.registry import Registry, merge
from nwbzarr.schema.specs import (
    AttributeSpec,
    DatasetSpec,
    GroupSpec,
    LinkSpec,
    Namespace,
    Quantity,
    Source,
)

LAW = settings(max_examples=60, deadline=None)


def group(name: str, base: str | None = None, **content: Any) -> GroupSpec:
    return GroupSpec(type_def=name, type_inc=base, **content)


def dataset(name: str, base: str | None = None, **content: Any) -> DatasetSpec:
    return DatasetSpec(type_def=name, type_inc=base, **content)


def namespace(*specs: GroupSpec | DatasetSpec, name: str = "made-up", version: str = "0.1.0") -> Namespace:
    return Namespace(name, version, (Source("types", specs),))


def attributes(*names: str, **said: Any) -> tuple[AttributeSpec, ...]:
    return tuple(AttributeSpec(name, **said) for name in names)


# Lineage.


@st.composite
def registries(draw: st.DrawFn) -> Registry:
    """Trees of types, each with an attribute of its own and some that replace a base's; in any order of definition."""
    specs: list[GroupSpec] = []
    for index in range(draw(st.integers(1, 7))):
        base = draw(st.sampled_from([None, *(spec.type_def for spec in specs)]))
        names = [f"own{index}", *draw(st.lists(st.sampled_from(["shared", "other"]), unique=True))]
        said = tuple(AttributeSpec(name, default=f"{name} of T{index}") for name in names)
        specs.append(group(f"T{index}", base, attributes=said))
    return Registry([namespace(*draw(st.permutations(specs)))])


@LAW
@given(registries())
def test_a_type_is_what_its_bases_are(registry: Registry) -> None:
    assert set(registry.names) == set(registry.types)
    for name, spec in registry.types.items():
        lineage = [found.name for found in registry.lineage(name)]
        assert lineage[0] == name
        assert registry.types[lineage[-1]].base is None
        assert len(set(lineage)) == len(lineage)
        assert registry.is_a(name, [name])
        if spec.base is not None:
            assert lineage[1:] == [found.name for found in registry.lineage(spec.base)]
        for other in registry.names:
            assert registry.is_a(name, [other]) == (other in lineage)


@LAW
@given(registries())
def test_attributes_come_from_all_bases_and_the_nearest_wins(registry: Registry) -> None:
    for name in registry.names:
        lineage = registry.lineage(name)
        resolved = {found.name: found for found in registry.resolved(name).attributes}
        assert set(resolved) == {found.name for spec in lineage for found in spec.spec.attributes}
        for key, found in resolved.items():
            nearest = next(said for spec in lineage for said in spec.spec.attributes if said.name == key)
            assert found == nearest
        fields = registry.fields_of(name)
        assert {key: field.default for key, field in fields.items()} == {
            key: found.default for key, found in resolved.items()
        }
        assert registry.fields_of(name) == fields


def test_of_a_type_that_is_not_there_nothing_is_known() -> None:
    assert CORE.lineage("NoSuchType") == ()
    assert CORE.fields_of("NoSuchType") == {}
    assert not CORE.is_a("NoSuchType", ["NWBContainer", "NoSuchType"])
    assert not CORE.is_a("TimeSeries", [])
    with pytest.raises(NamespaceError, match=r"NoSuchType.*core"):
        CORE.resolved("NoSuchType")


# Merging.


def test_what_a_type_says_stands_before_what_its_base_says() -> None:
    base = dataset("Base", dtype="numeric", dims=(("x",),), shapes=((None,),), attributes=attributes("a", "b"))
    own = dataset("Own", "Base", dtype="float64", attributes=(AttributeSpec("b", "text", value="fixed"),))
    found = Registry([namespace(base, own)]).resolved("Own")
    assert found == dataset(
        "Own",
        "Base",
        dtype="float64",
        dims=(("x",),),
        shapes=((None,),),
        attributes=(AttributeSpec("a"), AttributeSpec("b", "text", value="fixed")),
    )


def test_namesakes_are_merged_to_any_depth() -> None:
    base = group(
        "Base",
        groups=(
            GroupSpec(
                "inner", datasets=(DatasetSpec("d", dtype="int32", attributes=attributes("unit", dtype="text")),)
            ),
        ),
    )
    own = group(
        "Own",
        "Base",
        groups=(
            GroupSpec("inner", datasets=(DatasetSpec("d", attributes=attributes("unit", value="V")), DatasetSpec("e"))),
        ),
    )
    found = Registry([namespace(base, own)]).resolved("Own")
    assert isinstance(found, GroupSpec)
    inner = {spec.name: spec for spec in found.groups[0].datasets}
    assert set(inner) == {"d", "e"}
    assert inner["d"].dtype == "int32"
    assert [said.value for said in inner["d"].attributes] == ["V"]


def test_an_attribute_said_anew_keeps_what_it_does_not_say() -> None:
    """NWB: CurrentClampSeries says of data.unit its value only where the base says its dtype; hdmf merges them."""
    base = group("Base", attributes=(AttributeSpec("unit", "text", default="V"),))
    own = group("Own", "Base", attributes=(AttributeSpec("unit", value="A"),))
    found = Registry([namespace(base, own)]).resolved("Own").attributes
    assert [(said.name, said.value) for said in found] == [("unit", "A")]


def test_a_child_that_becomes_a_link_is_no_longer_a_child() -> None:
    base = group("Base", groups=(GroupSpec("device", type_inc="Device"),), datasets=(DatasetSpec("d"),))
    own = group("Own", "Base", links=(LinkSpec("Device", "device"),))
    found = Registry([namespace(base, own)], bases=[CORE]).resolved("Own")
    assert isinstance(found, GroupSpec)
    assert found.groups == ()
    assert found.links == (LinkSpec("Device", "device"),)
    assert [spec.name for spec in found.datasets] == ["d"]


def test_children_without_a_name_count_by_their_type() -> None:
    base = group("Base", groups=(GroupSpec(type_inc="Device", quantity=Quantity(0, None)),))
    own = group(
        "Own",
        "Base",
        groups=(
            GroupSpec(type_inc="Device", quantity=Quantity(1, 1)),
            GroupSpec(type_inc="Subject", quantity=Quantity(0, 1)),
        ),
    )
    found = Registry([namespace(base, own)], bases=[CORE]).resolved("Own")
    assert isinstance(found, GroupSpec)
    assert {spec.type_inc: spec.quantity for spec in found.groups} == {
        "Device": Quantity(1, 1),
        "Subject": Quantity(0, 1),
    }


def test_to_merge_with_nothing_changes_nothing() -> None:
    for name in CORE.names:
        spec = CORE.resolved(name)
        empty = GroupSpec() if isinstance(spec, GroupSpec) else DatasetSpec()
        found = merge(empty, spec)  # type: ignore[type-var]
        assert found == spec, name


def test_a_spec_that_includes_a_type_is_whole_with_what_the_type_says() -> None:
    included = GroupSpec("rig", type_inc="Device")
    whole = CORE.whole(included)
    assert whole.name == "rig"
    assert {said.name for said in whole.attributes} == {said.name for said in CORE.resolved("Device").attributes}
    unknown = GroupSpec("rig", type_inc="NoSuchType")
    assert CORE.whole(unknown) == unknown


# Contradictions.


@pytest.mark.parametrize(
    ("specs", "parts"),
    [
        ([group("A", "A")], ("made-up", "'A'", "itself")),
        ([group("A", "B"), group("B", "A")], ("made-up", "'A'", "itself")),
        ([group("A", "B"), group("B", "C"), group("C", "A")], ("made-up", "itself")),
        ([group("A", "B"), group("B", "C"), group("C", "B")], ("made-up", "itself")),
        ([group("A", "Nowhere")], ("made-up", "'A'", "'Nowhere'", "include")),
        ([dataset("A", "B"), dataset("B", "Nowhere")], ("made-up", "'B'", "'Nowhere'")),
    ],
)
def test_a_base_that_cannot_be(specs: list[GroupSpec | DatasetSpec], parts: tuple[str, ...]) -> None:
    with pytest.raises(NamespaceError) as caught:
        Registry([namespace(*specs)], bases=[CORE])
    for part in parts:
        assert part in str(caught.value)


# Namesakes of core types.


def test_a_type_with_the_name_of_a_core_type_stands_for_its_own() -> None:
    own = Registry([namespace(group("Device", "NWBContainer", attributes=attributes("colour")))], bases=[CORE])
    assert own.types["Device"].namespace == "made-up"
    assert set(own.fields_of("Device")) == {"colour"}
    assert "colour" not in CORE.fields_of("Device")
    assert CORE.types["Device"].namespace == "core"
    assert own.home("Device") is own
    assert own.home("TimeSeries") is CORE


def test_core_types_do_not_change_when_their_base_has_a_namesake() -> None:
    """A made-up TimeSeries is no base of core's ElectricalSeries."""
    own = Registry([namespace(group("TimeSeries", "NWBContainer", attributes=attributes("colour")))], bases=[CORE])
    assert own.resolved("ElectricalSeries") == CORE.resolved("ElectricalSeries")
    assert [spec.namespace for spec in own.lineage("ElectricalSeries")] == [
        spec.namespace for spec in CORE.lineage("ElectricalSeries")
    ]
    assert "colour" not in own.fields_of("ElectricalSeries")


def test_two_extensions_that_know_each_other_share_their_types() -> None:
    first = Registry([namespace(group("A", "NWBContainer", attributes=attributes("a")), name="first")], bases=[CORE])
    second = Registry([namespace(group("B", "A", attributes=attributes("b")), name="second")], bases=[CORE, first])
    assert [spec.name for spec in second.lineage("B")][:3] == ["B", "A", "NWBContainer"]
    assert set(second.fields_of("B")) == {"a", "b"}
    assert second.home("A") is first
    assert set(second.namespaces) == {*CORE.namespaces, "first", "second"}
    assert "B" not in first.types


# The core.


def test_new_sessions_are_nwb_2_11() -> None:
    assert NWB_VERSION == "2.11.0"
    versions = {name: found.version for name, found in CORE.namespaces.items()}
    assert versions == {"core": "2.11.0", "hdmf-common": "1.10.0", "hdmf-experimental": "0.6.0"}


def test_the_core_has_ninety_six_types() -> None:
    assert len(CORE.names) == 96
    assert sum(spec.namespace == "core" for spec in CORE.types.values()) == 83


@pytest.mark.parametrize("name", CORE.names)
def test_every_type_descends_from_container_or_data(name: str) -> None:
    root = CORE.lineage(name)[-1]
    assert root.name in ("Container", "Data")
    assert CORE.types[name].is_dataset == (root.name == "Data")
    assert isinstance(CORE.resolved(name), DatasetSpec) == CORE.types[name].is_dataset


@pytest.mark.parametrize("name", CORE.names)
def test_no_two_fields_of_a_type_share_a_name_or_a_place(name: str) -> None:
    fields = CORE.fields_of(name)
    assert all(key == field.name for key, field in fields.items())
    places = [(field.path, field.attribute, field.types if field.any_name else ()) for field in fields.values()]
    collections = [field for field in fields.values() if field.kind is Kind.COLLECTION]
    assert len(set(places)) >= len(places) - len(collections)
    assert len({(field.path, field.types) for field in collections}) == len(collections)


@pytest.mark.parametrize("name", CORE.names)
def test_a_field_has_what_its_kind_needs_and_nothing_else(name: str) -> None:
    for field in CORE.fields_of(name).values():
        assert bool(field.attribute) == (field.kind is Kind.ATTRIBUTE), field
        assert bool(field.types) == (field.kind in (Kind.CONTAINER, Kind.LINK, Kind.COLLECTION)), field
        assert not (field.required and field.default is not None), field
        assert not (field.fixed and field.default is None), field
        assert field.path == field.path.strip("/"), field
        assert len(field.dims) in (0, len(field.shapes)), field


@pytest.mark.parametrize("name", CORE.names)
def test_every_type_that_a_type_names_is_there(name: str) -> None:
    for field in CORE.fields_of(name).values():
        assert set(field.types) <= set(CORE.names), field


LINEAGES = {
    "ElectricalSeries": ["ElectricalSeries", "TimeSeries", "NWBDataInterface", "NWBContainer", "Container"],
    "TimeIntervals": ["TimeIntervals", "DynamicTable", "Container"],
    "VectorIndex": ["VectorIndex", "VectorData", "Data"],
    "RGBImage": ["RGBImage", "Image", "BaseImage", "NWBData", "Data"],
    "IntracellularRecordingsTable": [
        "IntracellularRecordingsTable",
        "AlignedDynamicTable",
        "DynamicTable",
        "Container",
    ],
    "ScratchData": ["ScratchData", "NWBData", "Data"],
    "Subject": ["Subject", "NWBContainer", "Container"],
    "EventsTable": ["EventsTable", "DynamicTable", "Container"],
}


@pytest.mark.parametrize("name", LINEAGES)
def test_lineages_are_those_of_the_schema(name: str) -> None:
    assert [spec.name for spec in CORE.lineage(name)] == LINEAGES[name]


def test_series_may_stand_where_the_schema_lets_them() -> None:
    fields = CORE.fields_of("NWBFile")
    for place in ("acquisition", "stimulus", "stimulus_template", "analysis", "scratch"):
        assert CORE.is_a("TimeSeries", fields[place].types), place
    for place in ("processing", "devices", "subject", "electrodes", "trials", "imaging_planes"):
        assert not CORE.is_a("TimeSeries", fields[place].types), place


def test_a_current_clamp_series_says_its_unit() -> None:
    fields = CORE.fields_of("CurrentClampSeries")
    assert (fields["unit"].default, fields["unit"].fixed, fields["unit"].dtype) == ("volts", True, "text")
    assert CORE.fields_of("VoltageClampSeries")["unit"].default == "amperes"
    assert not CORE.fields_of("TimeSeries")["unit"].fixed
    assert CORE.fields_of("OptogeneticSeries")["unit"].default == "watts"
