"""Docstrings of types that have no class by hand: what they are, in our words, and their fields after the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nwbzarr.schema.specs import ReferenceTo

if TYPE_CHECKING:
    from nwbzarr.schema.fields import FieldSpec
    from nwbzarr.schema.registry import Registry

TYPES = {
    "AbstractFeatureSeries": "Features of a stimulus over time, instead of the stimulus itself.",
    "BaseImage": "Base of images, stored here or elsewhere.",
    "BehavioralEpochs": "Intervals of behavior, as series of their begins and ends.",
    "BehavioralEvents": "Events of behavior, as series of the moments they happened.",
    "BehavioralTimeSeries": "Continuous measures of behavior.",
    "ClusterWaveforms": "Mean waveforms of clusters; newer sessions keep them in `Units`.",
    "Clustering": "Spikes in clusters; newer sessions keep them in `Units`.",
    "CompassDirection": "Direction in which the subject faced, as series of angles.",
    "CorrectedImageStack": "Images after motion correction, and how far each frame was moved.",
    "CurrentClampSeries": "Voltage recorded while the current was held.",
    "CurrentClampStimulusSeries": "Current that was given in a current clamp recording.",
    "Device": "A piece of equipment.",
    "DeviceModel": "A model of equipment, which devices are instances of.",
    "DfOverF": "Relative fluorescence over time of regions of interest.",
    "DurationVectorData": "A column of durations, in seconds.",
    "ElectricalSeries": "Voltages of extracellular electrodes, in volts after `conversion`.",
    "ElectrodeGroup": "Electrodes that belong together: a shank, a tetrode, a probe.",
    "EventDetection": "Events that were found in an electrical series.",
    "EventWaveform": "Waveforms of events, as series of snippets.",
    "ExternalImage": "An image in a file elsewhere; the data is its path or URL.",
    "EyeTracking": "Direction of gaze, as series.",
    "FeatureExtraction": "Features of events on each channel.",
    "FilteredEphys": "Extracellular recordings after filtering.",
    "Fluorescence": "Fluorescence over time of regions of interest.",
    "GrayscaleImage": "An image of shape ``(x, y)``.",
    "HERD": "What terms in a session mean in resources elsewhere.",
    "IZeroClampSeries": "Voltage recorded with no current given.",
    "Image": "An image of shape ``(x, y)``, ``(x, y, 3)`` or ``(x, y, 4)``.",
    "ImageMaskSeries": "Masks over time for the frames of another series.",
    "ImageReferences": "Images in order, by reference.",
    "ImageSegmentation": "Results of segmenting imaging planes into regions of interest.",
    "ImagingPlane": "A plane that was imaged, with its optics.",
    "ImagingRetinotopy": "Maps of the visual field on the cortex, from intrinsic imaging.",
    "IntracellularElectrode": "An electrode for intracellular recordings.",
    "LFP": "Local field potentials, as electrical series.",
    "MotionCorrection": "Image stacks after motion correction.",
    "OnePhotonSeries": "Images over time from one-photon microscopy.",
    "OpticalChannel": "A channel that records light of one wavelength.",
    "OpticalSeries": "Images that were presented, and how they looked to the subject.",
    "OptogeneticSeries": "Power of the light at an optogenetic site over time, in watts.",
    "OptogeneticStimulusSite": "A place that light is given to.",
    "PatchClampSeries": "Base of patch clamp recordings and stimuli.",
    "Position": "Where the subject was, as spatial series.",
    "PupilTracking": "Size of the pupil, as series.",
    "RGBAImage": "An image of shape ``(x, y, 4)``: red, green, blue, opacity.",
    "RGBImage": "An image of shape ``(x, y, 3)``: red, green, blue.",
    "RoiResponseSeries": "Responses over time of regions of interest.",
    "SpikeEventSeries": "Snippets of voltage around events: shape ``(num_events, num_channels, num_samples)``.",
    "TimestampVectorData": "A column of moments, in seconds.",
    "TwoPhotonSeries": "Images over time from two-photon microscopy.",
    "VoltageClampSeries": "Current recorded while the voltage was held.",
    "VoltageClampStimulusSeries": "Voltage that was given in a voltage clamp recording.",
}

FIELDS = {
    "bands": "Frequency bands.",
    "clustering_interface": "Clusters that the waveforms are of.",
    "comments": "In people's words.",
    "control": "Label of every sample.",
    "control_description": "What each label means.",
    "conversion": "Factor that turns data into `unit`.",
    "data": "The values; time first in a series.",
    "description": "What it is, in people's words.",
    "device": "Device that was used.",
    "electrode": "Electrode that was used.",
    "electrodes": "Rows of the table of electrodes, one for each channel.",
    "emission_lambda": "Wavelength that is recorded, in nm.",
    "excitation_lambda": "Wavelength of the light that is given, in nm.",
    "filtering": "Filters that were applied.",
    "imaging_plane": "Plane that was imaged.",
    "imaging_rate": "Frames per second, in Hz.",
    "indicator": "Calcium or other indicator.",
    "location": "Where it is, for instance the brain region.",
    "manufacturer": "Who made it.",
    "offset": "Addend that turns data into `unit`, after `conversion`.",
    "optical_channel": "Channels that record the light.",
    "rate": "Samples per second, in Hz.",
    "resolution": "Smallest meaningful difference in data; -1.0 when unknown.",
    "rois": "Rows of a table of regions of interest, one for each column of data.",
    "site": "Place that light was given to.",
    "starting_time": "Time of the first sample, in seconds.",
    "timestamps": "Time of every sample, in seconds.",
    "unit": "Unit of the data.",
}


def describe_type(registry: Registry, name: str) -> str:
    """Return the docstring of a type, with its fields."""
    spec = registry.types[name]
    first = TYPES.get(name) or f"Neurodata type {name} of namespace {spec.namespace}."
    fields = [field for field in registry.fields_of(name).values() if not field.fixed]
    rows = [f"    {field.name} : {_kind(field)}\n        {_text(field)}" for field in fields]
    parameters = "\n\n    Parameters\n    ----------\n" + "\n".join(rows) if rows else ""
    return f"{first}{parameters}\n\n    Notes\n    -----\n    {spec.namespace} {registry.namespaces[spec.namespace].version}, {name}.\n    "


def _kind(field: FieldSpec) -> str:
    if field.types:
        kind = " or ".join(field.types)
    elif isinstance(field.dtype, ReferenceTo):
        kind = field.dtype.target
    else:
        kind = field.dtype if isinstance(field.dtype, str) else "compound" if field.dtype else "any"
        kind = f"array_like of {kind}" if field.shapes else kind
    return kind if field.required else f"{kind}, optional"


def _text(field: FieldSpec) -> str:
    if field.name in FIELDS:
        return FIELDS[field.name]
    words = field.name.replace("__", " of ").replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}."
