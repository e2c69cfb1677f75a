"""The facts of NWB core 2.11.0 for the types that have classes so far.

Names, places, dtypes, shapes and defaults are those of the NWB schema (nwb.file.yaml, nwb.base.yaml, nwb.device.yaml)
and of PyNWB 4.2 where it renames a field. The rest of the schema comes in as more rows of the same table; types that
have no row are read as generic containers.
"""

from __future__ import annotations

from nwbzarr.schema.specs import FieldSpec, Kind, Registry, TypeSpec

#: Version of the NWB schema that new sessions are written under.
NWB_VERSION = "2.11.0"

_A, _D, _C, _M = Kind.ATTRIBUTE, Kind.DATASET, Kind.CONTAINER, Kind.COLLECTION
_F = FieldSpec


def _text(name: str, path: str, *, required: bool = False) -> FieldSpec:
    """Return a scalar text dataset."""
    return _F(name, _D, path, dtype="text", required=required)


def _texts(name: str, path: str, dimension: str) -> FieldSpec:
    """Return a one-dimensional text dataset."""
    return _F(name, _D, path, dtype="text", dims=(dimension,))


def _attribute(name: str, path: str, dtype: str, default: object = None, *, fixed: bool = False) -> FieldSpec:
    """Return an attribute of the dataset at `path` (of the type itself for ``""``)."""
    word = name.removeprefix(f"{path}_") if path else name
    return _F(name, _A, path, word, dtype, default=default, fixed=fixed)


_NWBFILE = TypeSpec(
    "NWBFile",
    "NWBContainer",
    fields=(
        _text("session_description", "session_description", required=True),
        _text("identifier", "identifier", required=True),
        _F("session_start_time", _D, "session_start_time", dtype="isodatetime", required=True),
        _F("file_create_date", _D, "file_create_date", dtype="isodatetime", dims=("num_modifications",), required=True),
        _F("timestamps_reference_time", _D, "timestamps_reference_time", dtype="isodatetime", required=True),
        _texts("experimenter", "general/experimenter", "num_experimenters"),
        _text("experiment_description", "general/experiment_description"),
        _text("session_id", "general/session_id"),
        _text("institution", "general/institution"),
        _texts("keywords", "general/keywords", "num_keywords"),
        _text("notes", "general/notes"),
        _text("pharmacology", "general/pharmacology"),
        _text("protocol", "general/protocol"),
        _texts("related_publications", "general/related_publications", "num_publications"),
        _text("slices", "general/slices"),
        _text("source_script", "general/source_script"),
        _F("source_script_file_name", _A, "general/source_script", "file_name", "text"),
        _F(
            "was_generated_by",
            _D,
            "general/was_generated_by",
            dtype="text",
            dims=("num_sources", "name, version"),
            sizes=(None, 2),
        ),
        _text("data_collection", "general/data_collection"),
        _text("surgery", "general/surgery"),
        _text("virus", "general/virus"),
        _text("stimulus_notes", "general/stimulus"),
        _text("lab", "general/lab"),
        _F("subject", _C, "general/subject", types=("Subject",)),
        _F("devices", _M, "general/devices", types=("Device",)),
        _F("acquisition", _M, "acquisition", types=("NWBDataInterface", "DynamicTable")),
        _F("analysis", _M, "analysis", types=("NWBContainer", "DynamicTable")),
        _F("stimulus", _M, "stimulus/presentation", types=("TimeSeries", "NWBDataInterface", "DynamicTable")),
        _F("stimulus_template", _M, "stimulus/templates", types=("TimeSeries", "Images")),
        _F("processing", _M, "processing", types=("ProcessingModule",)),
        _F("scratch", _M, "scratch", types=("ScratchData", "NWBContainer", "DynamicTable")),
        _F("electrodes", _C, "general/extracellular_ephys/electrodes", types=("DynamicTable",)),
        _F("units", _C, "units", types=("Units",)),
        _F("epochs", _C, "intervals/epochs", types=("TimeIntervals",)),
        _F("trials", _C, "intervals/trials", types=("TimeIntervals",)),
        _F("invalid_times", _C, "intervals/invalid_times", types=("TimeIntervals",)),
    ),
    groups=("acquisition", "analysis", "general", "processing", "stimulus/presentation", "stimulus/templates"),
)

_SUBJECT = TypeSpec(
    "Subject",
    "NWBContainer",
    fields=(
        _text("age", "age"),
        _F("age__reference", _A, "age", "reference", "text", default="birth"),
        _text("description", "description"),
        _text("genotype", "genotype"),
        _text("sex", "sex"),
        _text("species", "species"),
        _text("subject_id", "subject_id"),
        _text("weight", "weight"),
        _F("date_of_birth", _D, "date_of_birth", dtype="isodate"),
        _text("strain", "strain"),
    ),
)

_DEVICE = TypeSpec(
    "Device",
    "NWBContainer",
    fields=(
        _attribute("description", "", "text"),
        _attribute("manufacturer", "", "text"),
        _attribute("model_number", "", "text"),
        _attribute("model_name", "", "text"),
        _attribute("serial_number", "", "text"),
    ),
)

_DATA_DIMS = ("num_times", "num_DIM2", "num_DIM3", "num_DIM4")

_TIMESERIES = TypeSpec(
    "TimeSeries",
    "NWBDataInterface",
    fields=(
        _F("data", _D, "data", dims=_DATA_DIMS, any_shape=True, required=True),
        _F("unit", _A, "data", "unit", "text", required=True),
        _F("resolution", _A, "data", "resolution", "float32", default=-1.0),
        _F("conversion", _A, "data", "conversion", "float32", default=1.0),
        _F("offset", _A, "data", "offset", "float32", default=0.0),
        _F("continuity", _A, "data", "continuity", "text"),
        _F("timestamps", _D, "timestamps", dtype="float64", dims=("num_times",)),
        _F("interval", _A, "timestamps", "interval", "int32", default=1, fixed=True),
        _F("timestamps_unit", _A, "timestamps", "unit", "text", default="seconds", fixed=True),
        _F("starting_time", _D, "starting_time", dtype="float64"),
        _F("rate", _A, "starting_time", "rate", "float32"),
        _F("starting_time_unit", _A, "starting_time", "unit", "text", default="seconds", fixed=True),
        _attribute("comments", "", "text", "no comments"),
        _attribute("description", "", "text", "no description"),
        _F("control", _D, "control", dtype="uint8", dims=("num_times",)),
        _F("control_description", _D, "control_description", dtype="text", dims=("num_control_values",)),
    ),
)

_SCRATCH_DATA = TypeSpec(
    "ScratchData",
    "NWBData",
    fields=(_F("notes", _A, "", "notes", "text", required=True),),
    is_dataset=True,
)

CORE = Registry(
    (
        TypeSpec("Container", None, "hdmf-common"),
        TypeSpec("Data", None, "hdmf-common", is_dataset=True),
        TypeSpec("NWBContainer", "Container"),
        TypeSpec("NWBData", "Data", is_dataset=True),
        TypeSpec("NWBDataInterface", "NWBContainer"),
        TypeSpec("LabMetaData", "NWBContainer"),
        _NWBFILE,
        _SUBJECT,
        _DEVICE,
        _TIMESERIES,
        TypeSpec(
            "ProcessingModule",
            "NWBContainer",
            fields=(_F("description", _A, "", "description", "text", required=True),),
        ),
        _SCRATCH_DATA,
    )
)
