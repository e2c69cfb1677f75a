"""The columns that a table's type knows: how each is indexed and typed after the schema, and what it holds in our words.

A column is made when its first row comes. Pure facts; `tables` makes the columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from nwbzarr.schema.specs import DatasetSpec, GroupSpec

if TYPE_CHECKING:
    from nwbzarr.schema.registry import Registry


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A column that a type of table names.

    Attributes
    ----------
    name : str
        Name of the column.
    type : str
        ``VectorData``, or a type that extends it.
    levels : int
        Number of indexes: 0 for one entry a row, 1 for a list, 2 for a list of lists.
    required : bool
        Whether every table of the type has it.
    rules : DatasetSpec
        What the schema says of its values.
    description : str
        What it holds.
    """

    name: str
    type: str
    levels: int
    required: bool
    rules: DatasetSpec
    description: str


#: Columns that are ragged in PyNWB although the schema does not name their index.
_RAGGED = {("SweepTable", "series"): 1}

#: Order of the columns where PyNWB's is not that of the schema.
_ORDERS = {"SweepTable": ("series", "sweep_number")}

_DESCRIPTIONS = {
    "annotation": "Notes on the events",
    "band_limits": "Lower and upper limit of each band, in Hz",
    "band_mean": "Mean of each filter, in Hz",
    "band_name": "Name of each band",
    "band_stdev": "Standard deviation of each filter, in Hz",
    "duration": "How long each event lasted, in seconds",
    "electrode": "Electrode that was used",
    "electrode_group": "Electrode group of each unit",
    "electrodes": "Electrodes of each unit",
    "filtering": "Filters that the hardware applied",
    "group": "Electrode group of each electrode",
    "group_name": "Name of the electrode group",
    "image_mask": "Weight of every pixel of the plane in each ROI",
    "imp": "Impedance, in ohms",
    "location": "Where the electrode is, for instance the brain region",
    "meaning": "What each value means",
    "obs_intervals": "Start and stop of the intervals in which each unit was observed, in seconds",
    "pixel_mask": "Pixels of each ROI, with their weights",
    "recordings": "Recordings that were made simultaneously",
    "reference": "Reference that was used",
    "rel_x": "x within the electrode group",
    "rel_y": "y within the electrode group",
    "rel_z": "z within the electrode group",
    "repetitions": "Repetitions under each condition",
    "response": "Samples of the response",
    "sequential_recordings": "Sequential recordings that were repeated",
    "series": "Series of each sweep",
    "simultaneous_recordings": "Simultaneous recordings that followed each other",
    "spike_times": "Spike times of each unit, in seconds",
    "start_time": "Start of each interval, in seconds",
    "stimulus": "Samples of the stimulus",
    "stimulus_template": "Samples of the template of the stimulus",
    "stimulus_type": "Kind of stimulus",
    "stop_time": "End of each interval, in seconds",
    "sweep_number": "Number of the sweep",
    "tags": "Words that describe each interval",
    "timeseries": "Samples of time series that belong to each interval",
    "timestamp": "When each event happened, in seconds",
    "value": "Values that have a meaning",
    "voxel_mask": "Voxels of each ROI, with their weights",
    "waveform_mean": "Mean waveform of each unit, in volts",
    "waveform_sd": "Standard deviation of the waveform of each unit, in volts",
    "waveforms": "Waveforms of each spike on each electrode, in volts",
    "x": "x coordinate",
    "y": "y coordinate",
    "z": "z coordinate",
}


@cache
def predefined_columns(registry: Registry, name: str) -> dict[str, ColumnSpec]:
    """Return the columns that a type of table names, by name."""
    spec = registry.resolved(name)
    if not isinstance(spec, GroupSpec):
        return {}
    named = {dataset.name: dataset for dataset in spec.datasets if dataset.name is not None}
    found: dict[str, ColumnSpec] = {}
    for word, dataset in named.items():
        kind = dataset.type_inc or ""
        if not registry.is_a(kind, ("VectorData",)) or registry.is_a(kind, ("VectorIndex",)):
            continue
        levels = _RAGGED.get((name, word), 0)
        while f"{word}{'_index' * (levels + 1)}" in named:
            levels += 1
        description = _DESCRIPTIONS.get(word, word.replace("_", " "))
        rules = registry.whole(dataset)
        found[word] = ColumnSpec(word, kind, levels, dataset.quantity.least > 0, rules, description)
    return {word: found[word] for word in (*_ORDERS.get(name, ()), *found) if word in found}
