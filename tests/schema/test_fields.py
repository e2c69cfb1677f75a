"""Fields and constructors have PyNWB's names, in PyNWB's order; hand-checked against PyNWB 4.2 and NWB 2.11.0."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from datetime import UTC, date, datetime
from typing import Any

import pytest

import nwbzarr
from nwbzarr.errors import FieldTypeError, MissingFieldError
from nwbzarr.model.values import parse_value
from nwbzarr.schema.core import CORE
from nwbzarr.schema.fields import FieldSpec, Kind, groups_of
from nwbzarr.schema.specs import CompoundField, Quantity, ReferenceTo

A, D, C, L, S = Kind.ATTRIBUTE, Kind.DATASET, Kind.CONTAINER, Kind.LINK, Kind.COLLECTION

#: Type, name in Python, kind, path, attribute.
FACTS: list[tuple[str, str, Kind, str, str]] = [
    ("NWBFile", "nwb_version", A, "", "nwb_version"),
    ("NWBFile", "session_start_time", D, "session_start_time", ""),
    ("NWBFile", "stimulus", S, "stimulus/presentation", ""),
    ("NWBFile", "stimulus_template", S, "stimulus/templates", ""),
    ("NWBFile", "stimulus_notes", D, "general/stimulus", ""),
    ("NWBFile", "experimenter", D, "general/experimenter", ""),
    ("NWBFile", "source_script_file_name", A, "general/source_script", "file_name"),
    ("NWBFile", "devices", S, "general/devices", ""),
    ("NWBFile", "device_models", S, "general/devices/models", ""),
    ("NWBFile", "lab_meta_data", S, "general", ""),
    ("NWBFile", "subject", C, "general/subject", ""),
    ("NWBFile", "electrodes", C, "general/extracellular_ephys/electrodes", ""),
    ("NWBFile", "electrode_groups", S, "general/extracellular_ephys", ""),
    ("NWBFile", "icephys_electrodes", S, "general/intracellular_ephys", ""),
    ("NWBFile", "icephys_filtering", D, "general/intracellular_ephys/filtering", ""),
    ("NWBFile", "icephys_repetitions", C, "general/intracellular_ephys/repetitions", ""),
    ("NWBFile", "imaging_planes", S, "general/optophysiology", ""),
    ("NWBFile", "ogen_sites", S, "general/optogenetics", ""),
    ("NWBFile", "trials", C, "intervals/trials", ""),
    ("NWBFile", "intervals", S, "intervals", ""),
    ("NWBFile", "units", C, "units", ""),
    ("NWBFile", "events", S, "events", ""),
    ("TimeSeries", "unit", A, "data", "unit"),
    ("TimeSeries", "conversion", A, "data", "conversion"),
    ("TimeSeries", "rate", A, "starting_time", "rate"),
    ("TimeSeries", "starting_time_unit", A, "starting_time", "unit"),
    ("TimeSeries", "timestamps_unit", A, "timestamps", "unit"),
    ("TimeSeries", "interval", A, "timestamps", "interval"),
    ("TimeSeries", "comments", A, "", "comments"),
    ("ElectricalSeries", "electrodes", C, "electrodes", ""),
    ("ElectricalSeries", "channel_conversion", D, "channel_conversion", ""),
    ("ElectricalSeries", "filtering", A, "", "filtering"),
    ("EventDetection", "source_electricalseries", L, "source_electricalseries", ""),
    ("ElectrodeGroup", "device", L, "device", ""),
    ("ElectrodeGroup", "position", D, "position", ""),
    ("LFP", "electrical_series", S, "", ""),
    ("Position", "spatial_series", S, "", ""),
    ("ImagingPlane", "optical_channel", S, "", ""),
    ("ImagingPlane", "origin_coords_unit", A, "origin_coords", "unit"),
    ("ImagingPlane", "conversion", A, "manifold", "conversion"),
    ("TwoPhotonSeries", "imaging_plane", L, "imaging_plane", ""),
    ("ImageSeries", "starting_frame", A, "external_file", "starting_frame"),
    ("ImageMaskSeries", "masked_imageseries", L, "masked_imageseries", ""),
    ("PlaneSegmentation", "reference_images", S, "reference_images", ""),
    ("PlaneSegmentation", "imaging_plane", L, "imaging_plane", ""),
    ("RoiResponseSeries", "rois", C, "rois", ""),
    ("ImagingRetinotopy", "axis_1_phase_map__unit", A, "axis_1_phase_map", "unit"),
    ("ImagingRetinotopy", "focal_depth_image__focal_depth", A, "focal_depth_image", "focal_depth"),
    ("Subject", "age__reference", A, "age", "reference"),
    ("ProcessingModule", "data_interfaces", S, "", ""),
    ("DynamicTable", "columns", S, "", ""),
    ("DynamicTable", "colnames", A, "", "colnames"),
    ("AlignedDynamicTable", "category_tables", S, "", ""),
    ("VectorIndex", "target", A, "", "target"),
    ("DynamicTableRegion", "table", A, "", "table"),
    ("ScratchData", "notes", A, "", "notes"),
    ("Images", "order_of_images", C, "order_of_images", ""),
    ("PatchClampSeries", "electrode", L, "electrode", ""),
    ("CurrentClampSeries", "bias_current", D, "bias_current", ""),
    ("OptogeneticSeries", "site", L, "site", ""),
    ("Device", "model", L, "model", ""),
    ("DecompositionSeries", "source_channels", C, "source_channels", ""),
]


@pytest.mark.parametrize(("name", "field", "kind", "path", "attribute"), FACTS)
def test_a_field_has_pynwbs_name_and_the_schemas_place(
    name: str, field: str, kind: Kind, path: str, attribute: str
) -> None:
    found = CORE.fields_of(name)[field]
    assert (found.name, found.kind, found.path, found.attribute) == (field, kind, path, attribute)


def test_the_facts_of_a_time_series_are_those_of_the_schema() -> None:
    """NWB 2.11.0, nwb.base.yaml: where, dtype, required, default."""
    facts = {
        field.name: (field.path, field.attribute, field.dtype, field.required, field.default)
        for field in CORE.fields_of("TimeSeries").values()
    }
    assert facts == {
        "data": ("data", "", None, True, None),
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


def field(name: str, word: str) -> FieldSpec:
    return CORE.fields_of(name)[word]


def test_dtypes_shapes_and_quantities_are_those_of_the_schema() -> None:
    assert field("ElectricalSeries", "data").shapes == ((None,), (None, None), (None, None, None))
    assert field("RGBAImage", "resolution").dtype == "float32"
    assert field("ElectrodeGroup", "position").dtype == tuple(CompoundField(axis, "float32") for axis in "xyz")
    assert field("DynamicTableRegion", "table").dtype == ReferenceTo("DynamicTable")
    assert field("VectorIndex", "target").dtype == ReferenceTo("VectorData")
    assert field("ImagingPlane", "optical_channel").quantity == Quantity(1, None)
    assert field("ImagingPlane", "optical_channel").required
    assert field("LFP", "electrical_series").quantity == Quantity(1, None)
    assert field("NWBFile", "acquisition").quantity == Quantity(0, None)
    assert field("ImagingPlane", "grid_spacing").shapes == ((2,), (3,))
    assert field("SpatialSeries", "data").dims[0] == ("num_times",)


def test_what_a_session_cannot_do_without_is_what_the_schema_says() -> None:
    required = {name for name, found in CORE.fields_of("NWBFile").items() if found.required}
    assert required == {
        "session_description",
        "identifier",
        "session_start_time",
        "file_create_date",
        "timestamps_reference_time",
    }
    groups = {"acquisition", "analysis", "general", "processing", "stimulus/presentation", "stimulus/templates"}
    assert groups <= set(groups_of(CORE, "NWBFile"))


SAMPLES: dict[str, Any] = {
    "text": "x",
    "ascii": "x",
    "isodatetime": datetime(2024, 2, 29, tzinfo=UTC),
    "isodate": date(2024, 2, 29),
    "numeric": 1.5,
    "bool": True,
}
VALUES = [
    (name, found)
    for name in CORE.names
    for found in CORE.fields_of(name).values()
    if found.kind in (A, D) and not isinstance(found.dtype, tuple | ReferenceTo)
]


@pytest.mark.parametrize(("name", "spec"), VALUES, ids=[f"{name}.{spec.name}" for name, spec in VALUES])
def test_a_value_of_its_dtype_suits_every_field(name: str, spec: FieldSpec) -> None:
    word = str(spec.dtype)
    value = SAMPLES.get(word, 1.5 if word.startswith("float") else 1)
    for size in reversed(spec.shapes[0] if spec.shapes else ()):
        value = [value] * (size or 1)
    assert parse_value(value, spec, name) is not None
    if spec.default is not None and not spec.shapes:
        assert parse_value(spec.default, spec, name) == spec.default


# Constructors.

#: Arguments in PyNWB's order (pynwb 4.2: hdmf's get_docval of the class); those that may be left out end in "?".
SERIES_END = "timestamps? starting_time? rate? comments? description? control? control_description?"
SIGNATURES = {
    "TimeSeries": f"name data unit resolution? conversion? offset? {SERIES_END} continuity?",
    "ElectricalSeries": f"name data electrodes channel_conversion? filtering? resolution? conversion? {SERIES_END} offset?",
    "SpikeEventSeries": "name data timestamps electrodes resolution? conversion? comments? description? control? "
    "control_description? offset?",
    "SpatialSeries": f"name data reference_frame? unit? conversion? resolution? {SERIES_END} offset?",
    "ImageSeries": "name data? unit? format? external_file? starting_frame? num_samples? bits_per_pixel? dimension? "
    f"resolution? conversion? {SERIES_END} offset? device?",
    "OptogeneticSeries": f"name data site resolution? conversion? {SERIES_END} offset?",
    "RoiResponseSeries": f"name data unit rois resolution? conversion? {SERIES_END} offset?",
    "VoltageClampStimulusSeries": "name data electrode gain? stimulus_description? resolution? conversion? "
    f"{SERIES_END} sweep_number? offset? unit?",
    "AnnotationSeries": "name data? timestamps? comments? description?",
    "Device": "name description? manufacturer? model_number? model_name? serial_number? model?",
    "ElectrodeGroup": "name description location device position?",
    "IntracellularElectrode": "name device description slice? seal? location? resistance? filtering? "
    "initial_access_resistance? cell_id?",
    "OptogeneticStimulusSite": "name device description excitation_lambda location",
    "ImagingPlane": "name optical_channel description? device? excitation_lambda? indicator? location? imaging_rate? "
    "manifold? conversion? unit? reference_frame? origin_coords? origin_coords_unit? grid_spacing? grid_spacing_unit?",
    "OpticalChannel": "name description emission_lambda",
    "PlaneSegmentation": "description imaging_plane name? reference_images? id? columns? colnames? target_tables? "
    "meanings_tables?",
    "LFP": "electrical_series? name?",
    "EventDetection": "detection_method source_electricalseries source_idx times? name?",
    "CorrectedImageStack": "corrected original xy_translation name?",
    "VectorData": "name description data?",
    "VectorIndex": "name data target",
    "DynamicTableRegion": "name data description table? validate_data?",
    "DynamicTable": "name description id? columns? colnames? target_tables? meanings_tables?",
    "TimeIntervals": "name description? id? columns? colnames? target_tables? meanings_tables?",
    "ElectrodesTable": "id? columns? colnames? target_tables? meanings_tables?",
    "ProcessingModule": "name description data_interfaces?",
    # PyNWB asks for a name, though the schema has one ready.
    "Images": "name? images? description? order_of_images?",
    "Subject": "age? age__reference? description? genotype? sex? species? subject_id? weight? date_of_birth? strain?",
}
#: Arguments that PyNWB does not have (yet, or by that name).
OURS = {"ScratchData": {"notes"}, "DynamicTableRegion": {"validate_data"}}


def arguments(name: str) -> list[tuple[str, bool]]:
    """Return the arguments of a type's constructor, with whether they are needed."""
    parameters = inspect.signature(getattr(nwbzarr, name)).parameters.values()
    return [(parameter.name, parameter.default is inspect.Parameter.empty) for parameter in parameters]


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_constructor_takes_what_pynwbs_takes_in_the_same_order(name: str) -> None:
    wanted = [(word.rstrip("?"), not word.endswith("?")) for word in SIGNATURES[name].split()]
    left_out = OURS.get(name, set())
    assert [item for item in arguments(name) if item[0] not in left_out] == [
        item for item in wanted if item[0] not in left_out
    ]


def test_a_session_takes_three_things_and_many_more() -> None:
    found = arguments("NWBFile")
    assert [name for name, needed in found if needed] == ["session_description", "identifier", "session_start_time"]
    assert [name for name, _ in found[3:9]] == [
        "file_create_date",
        "timestamps_reference_time",
        "experimenter",
        "experiment_description",
        "session_id",
        "institution",
    ]
    assert {"keywords", "stimulus_notes", "devices", "icephys_experimental_conditions", "units"} <= dict(found).keys()


def test_defaults_stand_in_the_signature() -> None:
    parameters = inspect.signature(nwbzarr.TimeSeries).parameters
    assert parameters["resolution"].default == -1.0
    assert parameters["comments"].default == "no comments"
    assert inspect.signature(nwbzarr.SpatialSeries).parameters["unit"].default == "meters"
    assert inspect.signature(nwbzarr.LFP).parameters["name"].default == "LFP"
    assert inspect.signature(nwbzarr.Images).parameters["name"].default == "Images"


@pytest.mark.parametrize("name", CORE.names)
def test_every_type_is_importable_described_and_listed(name: str) -> None:
    found = getattr(importlib.import_module("nwbzarr"), name)
    assert inspect.isclass(found)
    assert found.__name__ == name
    assert name in dir(nwbzarr)
    assert name in nwbzarr.__all__
    assert nwbzarr.get_class(name, CORE.types[name].namespace) is found
    text = inspect.getdoc(found) or ""
    assert text.splitlines()[0].endswith("."), text
    assert found.__doc__ != found.__mro__[1].__doc__
    signature = inspect.signature(found)
    assert "fields" not in signature.parameters, "a real signature, not **fields"
    assert all(parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for parameter in signature.parameters.values())


@pytest.mark.parametrize("name", CORE.names)
def test_every_argument_that_is_a_field_of_the_type_is_one_of_its_attributes(name: str) -> None:
    found = getattr(nwbzarr, name)
    for word in CORE.fields_of(name):
        assert hasattr(found, word), word
    for word, _ in arguments(name):
        if word in CORE.fields_of(name):
            assert isinstance(inspect.getattr_static(found, word).__doc__, str), word


def test_the_stub_of_the_package_knows_every_type() -> None:
    """What an editor completes after ``nwbzarr.``, in a process that has touched no type yet."""
    code = "import nwbzarr; print(*dir(nwbzarr))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(CORE.names) <= set(done.stdout.split())


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("TimeSeries", "name"),
        ("ElectricalSeries", "electrodes"),
        ("OpticalChannel", "emission_lambda"),
        ("IntracellularElectrode", "device"),
        ("VectorData", "description"),
        ("DynamicTable", "description"),
        ("Clustering", "peak_over_rms"),
    ],
)
def test_what_is_needed_and_missing_is_named(name: str, missing: str) -> None:
    with pytest.raises(MissingFieldError) as caught:
        getattr(nwbzarr, name)()
    assert name in str(caught.value)
    assert missing in str(caught.value)


@pytest.mark.parametrize("name", ["TimeSeries", "Device", "LFP", "DynamicTable", "NWBFile", "RGBImage", "Subject"])
def test_an_argument_that_a_type_does_not_take_is_named(name: str) -> None:
    with pytest.raises(FieldTypeError) as caught:
        getattr(nwbzarr, name)(colour="red")
    assert name in str(caught.value)
    assert "colour" in str(caught.value)
