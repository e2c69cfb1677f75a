"""The registry answers questions about types, and the facts in it are those of the NWB schema."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbzarr.model.values import parse_value
from nwbzarr.schema.core import CORE, NWB_VERSION
from nwbzarr.schema.specs import FieldSpec, Kind, Registry, TypeSpec

LAW = settings(max_examples=60, deadline=None)

FIELDS = [(spec, field) for spec in CORE.types.values() for field in spec.fields]
FIELD_NAMES = [f"{spec.name}.{field.name}" for spec, field in FIELDS]
EACH_FIELD = pytest.mark.parametrize(("spec", "field"), FIELDS, ids=FIELD_NAMES)


# The registry.


@st.composite
def registries(draw: st.DrawFn) -> Registry:
    """Trees of types, each with a field of its own and some that replace a base's."""
    specs: list[TypeSpec] = []
    for index in range(draw(st.integers(1, 7))):
        base = draw(st.sampled_from([None, *(spec.name for spec in specs)]))
        names = [f"own{index}", *draw(st.lists(st.sampled_from(["shared", "other"]), unique=True))]
        fields = tuple(FieldSpec(name, Kind.ATTRIBUTE, attribute=f"{name} of T{index}") for name in names)
        specs.append(TypeSpec(f"T{index}", base, fields=fields))
    return Registry(draw(st.permutations(specs)))


@LAW
@given(registries())
def test_a_type_is_what_its_bases_are(registry: Registry) -> None:
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
    assert set(registry.names) == set(registry.types)


@LAW
@given(registries())
def test_fields_come_from_all_bases_and_the_nearest_wins(registry: Registry) -> None:
    for name in registry.names:
        fields = registry.fields_of(name)
        lineage = registry.lineage(name)
        assert set(fields) == {field.name for spec in lineage for field in spec.fields}
        for key, found in fields.items():
            nearest = next(field for spec in lineage for field in spec.fields if field.name == key)
            assert found is nearest
        assert registry.fields_of(name) == fields


def test_of_a_type_that_is_not_there_nothing_is_known() -> None:
    assert CORE.lineage("NoSuchType") == ()
    assert CORE.fields_of("NoSuchType") == {}
    assert not CORE.is_a("NoSuchType", ["NWBContainer", "NoSuchType"])
    assert not CORE.is_a("TimeSeries", [])


# The facts.


@pytest.mark.parametrize("name", CORE.names)
def test_every_type_descends_from_container_or_data(name: str) -> None:
    root = CORE.lineage(name)[-1]
    assert root.name in ("Container", "Data")
    assert CORE.types[name].is_dataset == (root.name == "Data")
    assert CORE.types[name].namespace == ("hdmf-common" if name == root.name else "core")


@pytest.mark.parametrize("name", CORE.names)
def test_no_two_fields_of_a_type_share_a_name_or_a_place(name: str) -> None:
    own = CORE.types[name].fields
    assert len({field.name for field in own}) == len(own)
    places = [(field.path, field.attribute) for field in CORE.fields_of(name).values()]
    assert len(set(places)) == len(places)


@EACH_FIELD
def test_a_field_has_what_its_kind_needs_and_nothing_else(spec: TypeSpec, field: FieldSpec) -> None:
    holds_containers = field.kind in (Kind.CONTAINER, Kind.COLLECTION)
    assert bool(field.attribute) == (field.kind is Kind.ATTRIBUTE)
    assert bool(field.types) == holds_containers
    if field.kind is not Kind.ATTRIBUTE:
        assert field.path, f"{spec.name} cannot be its own {field.name}"
    assert not (field.dims and field.kind is not Kind.DATASET)
    assert len(field.sizes) in (0, len(field.dims))
    assert not (field.required and field.default is not None)
    assert not (field.fixed and field.default is None)
    assert field.path == field.path.strip("/")


@EACH_FIELD
def test_an_attribute_belongs_to_the_type_or_to_one_of_its_datasets(spec: TypeSpec, field: FieldSpec) -> None:
    if field.kind is Kind.ATTRIBUTE and field.path:
        places = {other.path: other.kind for other in CORE.fields_of(spec.name).values() if not other.attribute}
        assert places[field.path] is Kind.DATASET


SAMPLES: dict[str, Any] = {
    "text": "x",
    "isodatetime": datetime(2024, 2, 29, tzinfo=UTC),
    "isodate": date(2024, 2, 29),
    "numeric": 1.5,
    "float32": 1.5,
    "float64": 1.5,
    "int32": 1,
    "uint8": 1,
    "bool": True,
    "any": 1,
}


@EACH_FIELD
def test_a_value_of_its_dtype_suits_every_field(spec: TypeSpec, field: FieldSpec) -> None:
    if field.kind in (Kind.CONTAINER, Kind.COLLECTION):
        return
    value = SAMPLES[field.dtype]
    dims = field.dims[:1] if field.any_shape else field.dims
    for size in reversed(field.sizes or (None,) * len(dims)):
        value = [value] * (size or 1)
    assert parse_value(value, field, spec.name) is not None
    if field.default is not None:
        assert parse_value(field.default, field, spec.name) == field.default


def test_the_facts_of_a_time_series_are_those_of_the_schema() -> None:
    """NWB 2.11.0, nwb.base.yaml: where, dtype, required, default."""
    facts = {
        field.name: (field.path, field.attribute, field.dtype, field.required, field.default)
        for field in CORE.fields_of("TimeSeries").values()
    }
    assert facts == {
        "data": ("data", "", "any", True, None),
        "unit": ("data", "unit", "text", True, None),
        "resolution": ("data", "resolution", "float32", False, -1.0),
        "conversion": ("data", "conversion", "float32", False, 1.0),
        "offset": ("data", "offset", "float32", False, 0.0),
        "continuity": ("data", "continuity", "text", False, None),
        "timestamps": ("timestamps", "", "float64", False, None),
        "interval": ("timestamps", "interval", "int32", False, 1),
        "timestamps_unit": ("timestamps", "unit", "text", False, "seconds"),
        "starting_time": ("starting_time", "", "float64", False, None),
        "rate": ("starting_time", "rate", "float32", False, None),
        "starting_time_unit": ("starting_time", "unit", "text", False, "seconds"),
        "comments": ("", "comments", "text", False, "no comments"),
        "description": ("", "description", "text", False, "no description"),
        "control": ("control", "", "uint8", False, None),
        "control_description": ("control_description", "", "text", False, None),
    }
    assert {name for name, field in CORE.fields_of("TimeSeries").items() if field.fixed} == {
        "interval",
        "timestamps_unit",
        "starting_time_unit",
    }


def test_what_a_session_cannot_do_without_is_what_the_schema_says() -> None:
    required = {name for name, field in CORE.fields_of("NWBFile").items() if field.required}
    assert required == {
        "session_description",
        "identifier",
        "session_start_time",
        "file_create_date",
        "timestamps_reference_time",
    }
    groups = {"acquisition", "analysis", "general", "processing", "stimulus/presentation", "stimulus/templates"}
    assert set(CORE.types["NWBFile"].groups) == groups


def test_series_may_stand_where_the_schema_lets_them() -> None:
    fields = CORE.fields_of("NWBFile")
    for place in ("acquisition", "stimulus", "stimulus_template", "analysis", "scratch"):
        assert CORE.is_a("TimeSeries", fields[place].types), place
    for place in ("processing", "devices", "subject"):
        assert not CORE.is_a("TimeSeries", fields[place].types), place


def test_new_sessions_are_nwb_2_11() -> None:
    assert NWB_VERSION == "2.11.0"
