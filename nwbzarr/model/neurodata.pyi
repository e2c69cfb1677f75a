# Written by `python -m nwbzarr.model.stubs`; do not edit.

from datetime import date, datetime, timedelta
from typing import Any

from nwbzarr.model.collections import Collection
from nwbzarr.model.elements import ArrayData
from nwbzarr.model.aligned import AlignedDynamicTable as _AlignedDynamicTable
from nwbzarr.model.base import CSRMatrix as _CSRMatrix
from nwbzarr.model.base import ImageSegmentation as _ImageSegmentation
from nwbzarr.model.base import Images as _Images
from nwbzarr.model.base import ProcessingModule as _ProcessingModule
from nwbzarr.model.base import ScratchData as _ScratchData
from nwbzarr.model.base import SimpleMultiContainer as _SimpleMultiContainer
from nwbzarr.model.base import Subject as _Subject
from nwbzarr.model.columns import ElementIdentifiers as _ElementIdentifiers
from nwbzarr.model.columns import EnumData as _EnumData
from nwbzarr.model.columns import VectorData as _VectorData
from nwbzarr.model.containers import Container as _Container
from nwbzarr.model.containers import Data as _Data
from nwbzarr.model.containers import LabMetaData as _LabMetaData
from nwbzarr.model.containers import NWBContainer as _NWBContainer
from nwbzarr.model.containers import NWBData as _NWBData
from nwbzarr.model.containers import NWBDataInterface as _NWBDataInterface
from nwbzarr.model.herd import HERD as _HERD
from nwbzarr.model.icephys import ExperimentalConditionsTable as _ExperimentalConditionsTable
from nwbzarr.model.icephys import IntracellularElectrodesTable as _IntracellularElectrodesTable
from nwbzarr.model.icephys import IntracellularRecordingsTable as _IntracellularRecordingsTable
from nwbzarr.model.icephys import IntracellularResponsesTable as _IntracellularResponsesTable
from nwbzarr.model.icephys import IntracellularStimuliTable as _IntracellularStimuliTable
from nwbzarr.model.icephys import RepetitionsTable as _RepetitionsTable
from nwbzarr.model.icephys import SequentialRecordingsTable as _SequentialRecordingsTable
from nwbzarr.model.icephys import SimultaneousRecordingsTable as _SimultaneousRecordingsTable
from nwbzarr.model.icephys import SweepTable as _SweepTable
from nwbzarr.model.meanings import MeaningsTable as _MeaningsTable
from nwbzarr.model.nwbfile import NWBFile as _NWBFile
from nwbzarr.model.ragged import VectorIndex as _VectorIndex
from nwbzarr.model.regions import DynamicTableRegion as _DynamicTableRegion
from nwbzarr.model.samples import TimeSeriesReferenceVectorData as _TimeSeriesReferenceVectorData
from nwbzarr.model.series import AnnotationSeries as _AnnotationSeries
from nwbzarr.model.series import DecompositionSeries as _DecompositionSeries
from nwbzarr.model.series import ImageSeries as _ImageSeries
from nwbzarr.model.series import IndexSeries as _IndexSeries
from nwbzarr.model.series import IntervalSeries as _IntervalSeries
from nwbzarr.model.series import SpatialSeries as _SpatialSeries
from nwbzarr.model.series import TimeSeries as _TimeSeries
from nwbzarr.model.session_tables import ElectrodesTable as _ElectrodesTable
from nwbzarr.model.session_tables import EventsTable as _EventsTable
from nwbzarr.model.session_tables import FrequencyBandsTable as _FrequencyBandsTable
from nwbzarr.model.session_tables import PlaneSegmentation as _PlaneSegmentation
from nwbzarr.model.session_tables import TimeIntervals as _TimeIntervals
from nwbzarr.model.tables import DynamicTable as _DynamicTable
from nwbzarr.model.units import Units as _Units

__all__ = ["AbstractFeatureSeries", "AlignedDynamicTable", "AnnotationSeries", "BaseImage", "BehavioralEpochs", "BehavioralEvents", "BehavioralTimeSeries", "CSRMatrix", "ClusterWaveforms", "Clustering", "CompassDirection", "Container", "CorrectedImageStack", "CurrentClampSeries", "CurrentClampStimulusSeries", "Data", "DecompositionSeries", "Device", "DeviceModel", "DfOverF", "DurationVectorData", "DynamicTable", "DynamicTableRegion", "ElectricalSeries", "ElectrodeGroup", "ElectrodesTable", "ElementIdentifiers", "EnumData", "EventDetection", "EventWaveform", "EventsTable", "ExperimentalConditionsTable", "ExternalImage", "EyeTracking", "FeatureExtraction", "FilteredEphys", "Fluorescence", "FrequencyBandsTable", "GrayscaleImage", "HERD", "IZeroClampSeries", "Image", "ImageMaskSeries", "ImageReferences", "ImageSegmentation", "ImageSeries", "Images", "ImagingPlane", "ImagingRetinotopy", "IndexSeries", "IntervalSeries", "IntracellularElectrode", "IntracellularElectrodesTable", "IntracellularRecordingsTable", "IntracellularResponsesTable", "IntracellularStimuliTable", "LFP", "LabMetaData", "MeaningsTable", "MotionCorrection", "NWBContainer", "NWBData", "NWBDataInterface", "NWBFile", "OnePhotonSeries", "OpticalChannel", "OpticalSeries", "OptogeneticSeries", "OptogeneticStimulusSite", "PatchClampSeries", "PlaneSegmentation", "Position", "ProcessingModule", "PupilTracking", "RGBAImage", "RGBImage", "RepetitionsTable", "RoiResponseSeries", "ScratchData", "SequentialRecordingsTable", "SimpleMultiContainer", "SimultaneousRecordingsTable", "SpatialSeries", "SpikeEventSeries", "Subject", "SweepTable", "TimeIntervals", "TimeSeries", "TimeSeriesReferenceVectorData", "TimestampVectorData", "TwoPhotonSeries", "Units", "VectorData", "VectorIndex", "VoltageClampSeries", "VoltageClampStimulusSeries"]

class Data(_Data):
    def __init__(self, name: str, data: Any) -> None: ...

class Container(_Container):
    def __init__(self, name: str) -> None: ...

class SimpleMultiContainer(_SimpleMultiContainer, Container):
    containers: Collection[Any]
    def __init__(self, name: str, containers: Any = ...) -> None: ...
    def add_container(self, *containers: Any, **named: Any) -> Any: ...
    def get_container(self, name: str | None = None) -> Any: ...

class VectorData(_VectorData, Data):
    description: str
    def __init__(self, name: str, description: str, data: Any = ...) -> None: ...

class VectorIndex(_VectorIndex, VectorData):
    target: Any
    def __init__(self, name: str, data: Any, target: Any) -> None: ...

class ElementIdentifiers(_ElementIdentifiers, Data):
    def __init__(self, name: str = ..., data: Any = ...) -> None: ...

class DynamicTableRegion(_DynamicTableRegion, VectorData):
    table: Any
    def __init__(self, name: str, data: Any, description: str, table: Any = ..., validate_data: Any = ...) -> None: ...

class DynamicTable(_DynamicTable, Container):
    description: str
    id: ElementIdentifiers
    meanings_tables: Collection[MeaningsTable]
    def __init__(self, name: str, description: str, id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ...) -> None: ...

class AlignedDynamicTable(_AlignedDynamicTable, DynamicTable):
    def __init__(self, name: str, description: str, id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ..., category_tables: Any = ..., categories: Any = ...) -> None: ...

class MeaningsTable(_MeaningsTable, DynamicTable):
    target: Any
    value: VectorData
    meaning: VectorData
    def __init__(self, target: Any, description: str | None = ..., id: Any = ..., columns: Any = ..., colnames: Any = ...) -> None: ...

class CSRMatrix(_CSRMatrix, Container):
    shape: Any
    indices: ArrayData
    indptr: ArrayData
    data: ArrayData
    def __init__(self, data: Any, indices: Any = ..., indptr: Any = ..., shape: Any = ..., name: str = ...) -> None: ...

class HERD(_HERD, Container):
    files: Data
    entities: Data
    objects: Data
    object_keys: Data
    entity_keys: Data
    def __init__(self, keys: Any = ..., files: Any = ..., entities: Any = ..., objects: Any = ..., object_keys: Any = ..., entity_keys: Any = ...) -> None: ...

class EnumData(_EnumData, VectorData):
    elements: Any
    def __init__(self, name: str, description: str, data: Any = ..., elements: Any = ...) -> None: ...

class NWBData(_NWBData, Data):
    def __init__(self, name: str, data: Any) -> None: ...

class TimeSeriesReferenceVectorData(_TimeSeriesReferenceVectorData, VectorData):
    def __init__(self, name: str = ..., description: str | None = ..., data: Any = ...) -> None: ...

class BaseImage(NWBData):
    description: str | None
    def __init__(self, name: str, data: Any, description: str | None = ...) -> None: ...

class Image(BaseImage):
    resolution: float
    def __init__(self, name: str, data: Any, resolution: float | None = ..., description: str | None = ...) -> None: ...

class ExternalImage(BaseImage):
    image_mode: str | None
    image_format: str
    def __init__(self, name: str, data: Any, image_format: str, description: str | None = ..., image_mode: str | None = ...) -> None: ...

class ImageReferences(NWBData):
    def __init__(self, data: Any, name: str = ...) -> None: ...

class NWBContainer(_NWBContainer, Container):
    def __init__(self, name: str) -> None: ...

class NWBDataInterface(_NWBDataInterface, NWBContainer):
    def __init__(self, name: str) -> None: ...

class TimeSeries(_TimeSeries, NWBDataInterface):
    description: str
    comments: str
    data: ArrayData
    conversion: float
    offset: float
    resolution: float
    unit: str
    continuity: str | None
    starting_time: float | None
    rate: float | None
    starting_time_unit: str
    timestamps: ArrayData
    interval: int
    timestamps_unit: str
    control: ArrayData
    control_description: tuple[Any, ...]
    def __init__(self, name: str, data: Any, unit: str = ..., resolution: float | None = ..., conversion: float | None = ..., offset: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., continuity: str | None = ...) -> None: ...

class ProcessingModule(_ProcessingModule, NWBContainer):
    description: str
    def __init__(self, name: str, description: str, data_interfaces: Any = ...) -> None: ...

class Images(_Images, NWBDataInterface):
    description: str
    images: Collection[BaseImage]
    order_of_images: ImageReferences
    def __init__(self, name: str = ..., images: Any = ..., description: str | None = ..., order_of_images: ImageReferences | None = ...) -> None: ...
    def add_image(self, *containers: Any, **named: Any) -> BaseImage: ...
    def get_image(self, name: str | None = None) -> BaseImage: ...
    def create_image(self, *args: Any, **fields: Any) -> BaseImage: ...

class Device(NWBContainer):
    description: str | None
    manufacturer: str | None
    model_number: str | None
    model_name: str | None
    serial_number: str | None
    model: DeviceModel
    def __init__(self, name: str, description: str | None = ..., manufacturer: str | None = ..., model_number: str | None = ..., model_name: str | None = ..., serial_number: str | None = ..., model: DeviceModel | None = ...) -> None: ...

class DeviceModel(NWBContainer):
    manufacturer: str
    model_number: str | None
    description: str | None
    def __init__(self, name: str, manufacturer: str, model_number: str | None = ..., description: str | None = ...) -> None: ...

class TimeIntervals(_TimeIntervals, DynamicTable):
    start_time: VectorData
    stop_time: VectorData
    tags: VectorData
    tags_index: VectorIndex
    timeseries: TimeSeriesReferenceVectorData
    timeseries_index: VectorIndex
    def __init__(self, name: str, description: str | None = ..., id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ...) -> None: ...

class TimestampVectorData(VectorData):
    unit: str
    resolution: float
    def __init__(self, name: str, description: str, data: Any = ..., resolution: float | None = ...) -> None: ...

class DurationVectorData(VectorData):
    unit: str
    resolution: float
    def __init__(self, name: str, description: str, data: Any = ..., resolution: float | None = ...) -> None: ...

class EventsTable(_EventsTable, DynamicTable):
    source_description: str | None
    timestamp: TimestampVectorData
    duration: DurationVectorData
    annotation: VectorData
    def __init__(self, name: str, description: str, source_description: str | None = ..., id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ...) -> None: ...

class GrayscaleImage(Image):
    def __init__(self, name: str, data: Any, resolution: float | None = ..., description: str | None = ...) -> None: ...

class RGBImage(Image):
    def __init__(self, name: str, data: Any, resolution: float | None = ..., description: str | None = ...) -> None: ...

class RGBAImage(Image):
    def __init__(self, name: str, data: Any, resolution: float | None = ..., description: str | None = ...) -> None: ...

class ImageSeries(_ImageSeries, TimeSeries):
    data: ArrayData
    dimension: ArrayData
    external_file: tuple[Any, ...]
    starting_frame: Any
    format: str | None
    device: Device
    def __init__(self, name: str, data: Any = ..., unit: str | None = ..., format: str | None = ..., external_file: Any = ..., starting_frame: Any = ..., num_samples: int | None = ..., bits_per_pixel: Any = ..., dimension: Any = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., offset: float | None = ..., device: Device | None = ...) -> None: ...

class ImageMaskSeries(ImageSeries):
    masked_imageseries: ImageSeries
    def __init__(self, name: str, masked_imageseries: ImageSeries, data: Any = ..., unit: str | None = ..., format: str | None = ..., external_file: Any = ..., starting_frame: Any = ..., bits_per_pixel: Any = ..., dimension: Any = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., offset: float | None = ..., device: Device | None = ...) -> None: ...

class OpticalSeries(ImageSeries):
    data: ArrayData
    distance: float | None
    field_of_view: ArrayData
    orientation: str | None
    def __init__(self, name: str, distance: float | None = ..., field_of_view: Any = ..., orientation: str | None = ..., data: Any = ..., unit: str | None = ..., format: str | None = ..., external_file: Any = ..., starting_frame: Any = ..., num_samples: int | None = ..., bits_per_pixel: Any = ..., dimension: Any = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., device: Device | None = ..., offset: float | None = ...) -> None: ...

class IndexSeries(_IndexSeries, TimeSeries):
    data: ArrayData
    conversion: float
    offset: float
    resolution: float
    unit: str
    indexed_timeseries: ImageSeries
    indexed_images: Images
    def __init__(self, name: str, data: Any, unit: str | None = ..., indexed_timeseries: ImageSeries | None = ..., indexed_images: Images | None = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., offset: float | None = ...) -> None: ...

class ScratchData(_ScratchData, NWBData):
    notes: str
    def __init__(self, name: str, data: Any, notes: str | None = ..., description: Any = ...) -> None: ...

class NWBFile(_NWBFile, NWBContainer):
    nwb_version: str
    file_create_date: Any
    identifier: str
    session_description: str
    session_start_time: datetime
    timestamps_reference_time: datetime
    acquisition: Collection[TimeSeries]
    analysis: Collection[Any]
    scratch: Collection[Any]
    processing: Collection[ProcessingModule]
    stimulus: Collection[TimeSeries]
    stimulus_template: Collection[TimeSeries]
    data_collection: str | None
    experiment_description: str | None
    experimenter: tuple[Any, ...]
    institution: str | None
    keywords: tuple[Any, ...]
    lab: str | None
    notes: str | None
    pharmacology: str | None
    protocol: str | None
    related_publications: tuple[Any, ...]
    session_id: str | None
    slices: str | None
    source_script: str | None
    source_script_file_name: str | None
    was_generated_by: tuple[Any, ...]
    stimulus_notes: str | None
    surgery: str | None
    virus: str | None
    external_resources: HERD
    lab_meta_data: Collection[LabMetaData]
    devices: Collection[Device]
    device_models: Collection[DeviceModel]
    subject: Subject
    electrode_groups: Collection[ElectrodeGroup]
    electrodes: ElectrodesTable
    icephys_filtering: str | None
    icephys_electrodes: Collection[IntracellularElectrode]
    sweep_table: SweepTable
    intracellular_recordings: IntracellularRecordingsTable
    icephys_simultaneous_recordings: SimultaneousRecordingsTable
    icephys_sequential_recordings: SequentialRecordingsTable
    icephys_repetitions: RepetitionsTable
    icephys_experimental_conditions: ExperimentalConditionsTable
    ogen_sites: Collection[OptogeneticStimulusSite]
    imaging_planes: Collection[ImagingPlane]
    epochs: TimeIntervals
    trials: TimeIntervals
    invalid_times: TimeIntervals
    intervals: Collection[TimeIntervals]
    events: Collection[EventsTable]
    units: Units
    def __init__(self, session_description: str, identifier: str, session_start_time: datetime, file_create_date: Any = ..., timestamps_reference_time: datetime | None = ..., experimenter: Any = ..., experiment_description: str | None = ..., session_id: str | None = ..., institution: str | None = ..., keywords: Any = ..., notes: str | None = ..., external_resources: HERD | None = ..., pharmacology: str | None = ..., protocol: str | None = ..., related_publications: Any = ..., slices: str | None = ..., source_script: str | None = ..., source_script_file_name: str | None = ..., was_generated_by: Any = ..., data_collection: str | None = ..., surgery: str | None = ..., virus: str | None = ..., stimulus_notes: str | None = ..., lab: str | None = ..., acquisition: Any = ..., analysis: Any = ..., stimulus: Any = ..., stimulus_template: Any = ..., epochs: TimeIntervals | None = ..., trials: TimeIntervals | None = ..., invalid_times: TimeIntervals | None = ..., intervals: Any = ..., events: Any = ..., units: Units | None = ..., processing: Any = ..., lab_meta_data: Any = ..., electrodes: ElectrodesTable | None = ..., electrode_groups: Any = ..., sweep_table: SweepTable | None = ..., imaging_planes: Any = ..., ogen_sites: Any = ..., devices: Any = ..., device_models: Any = ..., subject: Subject | None = ..., scratch: Any = ..., icephys_electrodes: Any = ..., icephys_filtering: str | None = ..., intracellular_recordings: IntracellularRecordingsTable | None = ..., icephys_simultaneous_recordings: SimultaneousRecordingsTable | None = ..., icephys_sequential_recordings: SequentialRecordingsTable | None = ..., icephys_repetitions: RepetitionsTable | None = ..., icephys_experimental_conditions: ExperimentalConditionsTable | None = ...) -> None: ...
    def get_acquisition(self, name: str | None = None) -> Any: ...
    def add_analysis(self, *containers: Any, **named: Any) -> Any: ...
    def get_analysis(self, name: str | None = None) -> Any: ...
    def get_stimulus(self, name: str | None = None) -> Any: ...
    def get_stimulus_template(self, name: str | None = None) -> Any: ...
    def add_processing_module(self, *containers: Any, **named: Any) -> ProcessingModule: ...
    def get_processing_module(self, name: str | None = None) -> ProcessingModule: ...
    def create_processing_module(self, *args: Any, **fields: Any) -> ProcessingModule: ...
    def add_device(self, *containers: Any, **named: Any) -> Device: ...
    def get_device(self, name: str | None = None) -> Device: ...
    def create_device(self, *args: Any, **fields: Any) -> Device: ...
    def add_device_model(self, *containers: Any, **named: Any) -> DeviceModel: ...
    def get_device_model(self, name: str | None = None) -> DeviceModel: ...
    def create_device_model(self, *args: Any, **fields: Any) -> DeviceModel: ...
    def add_electrode_group(self, *containers: Any, **named: Any) -> ElectrodeGroup: ...
    def get_electrode_group(self, name: str | None = None) -> ElectrodeGroup: ...
    def create_electrode_group(self, *args: Any, **fields: Any) -> ElectrodeGroup: ...
    def add_imaging_plane(self, *containers: Any, **named: Any) -> ImagingPlane: ...
    def get_imaging_plane(self, name: str | None = None) -> ImagingPlane: ...
    def create_imaging_plane(self, *args: Any, **fields: Any) -> ImagingPlane: ...
    def add_icephys_electrode(self, *containers: Any, **named: Any) -> IntracellularElectrode: ...
    def get_icephys_electrode(self, name: str | None = None) -> IntracellularElectrode: ...
    def create_icephys_electrode(self, *args: Any, **fields: Any) -> IntracellularElectrode: ...
    def add_ogen_site(self, *containers: Any, **named: Any) -> OptogeneticStimulusSite: ...
    def get_ogen_site(self, name: str | None = None) -> OptogeneticStimulusSite: ...
    def create_ogen_site(self, *args: Any, **fields: Any) -> OptogeneticStimulusSite: ...
    def add_time_intervals(self, *containers: Any, **named: Any) -> TimeIntervals: ...
    def get_time_intervals(self, name: str | None = None) -> TimeIntervals: ...
    def create_time_intervals(self, *args: Any, **fields: Any) -> TimeIntervals: ...
    def add_events_table(self, *containers: Any, **named: Any) -> EventsTable: ...
    def get_events_table(self, name: str | None = None) -> EventsTable: ...
    def create_events_table(self, *args: Any, **fields: Any) -> EventsTable: ...
    def add_lab_meta_data(self, *containers: Any, **named: Any) -> LabMetaData: ...
    def get_lab_meta_data(self, name: str | None = None) -> LabMetaData: ...
    def create_lab_meta_data(self, *args: Any, **fields: Any) -> LabMetaData: ...

class LabMetaData(_LabMetaData, NWBContainer):
    def __init__(self, name: str) -> None: ...

class Subject(_Subject, NWBContainer):
    age: str | None
    age__reference: str
    date_of_birth: Any
    description: str | None
    genotype: str | None
    sex: str | None
    species: str | None
    strain: str | None
    subject_id: str | None
    weight: str | None
    def __init__(self, age: str | timedelta | None = ..., age__reference: str | None = ..., description: str | None = ..., genotype: str | None = ..., sex: str | None = ..., species: str | None = ..., subject_id: str | None = ..., weight: str | float | None = ..., date_of_birth: date | datetime | None = ..., strain: str | None = ...) -> None: ...

class AbstractFeatureSeries(TimeSeries):
    data: ArrayData
    unit: str
    feature_units: tuple[Any, ...]
    features: tuple[Any, ...]
    def __init__(self, name: str, feature_units: Any, features: Any, data: Any = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., offset: float | None = ...) -> None: ...

class AnnotationSeries(_AnnotationSeries, TimeSeries):
    data: Any
    resolution: float
    unit: str
    def __init__(self, name: str, data: Any = ..., timestamps: Any = ..., comments: str | None = ..., description: str | None = ...) -> None: ...

class IntervalSeries(_IntervalSeries, TimeSeries):
    data: ArrayData
    resolution: float
    unit: str
    def __init__(self, name: str, data: Any = ..., timestamps: Any = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ...) -> None: ...

class FrequencyBandsTable(_FrequencyBandsTable, DynamicTable):
    band_name: VectorData
    band_limits: VectorData
    band_mean: VectorData
    band_stdev: VectorData
    def __init__(self, id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ...) -> None: ...

class DecompositionSeries(_DecompositionSeries, TimeSeries):
    data: ArrayData
    unit: str
    metric: str
    source_channels: DynamicTableRegion
    bands: FrequencyBandsTable
    source_timeseries: TimeSeries
    def __init__(self, name: str, data: Any, metric: str, description: str | None = ..., unit: str | None = ..., bands: FrequencyBandsTable | None = ..., source_timeseries: TimeSeries | None = ..., source_channels: DynamicTableRegion | None = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., control: Any = ..., control_description: Any = ..., offset: float | None = ...) -> None: ...

class Units(_Units, DynamicTable):
    spike_times_index: VectorIndex
    spike_times: VectorData
    obs_intervals_index: VectorIndex
    obs_intervals: VectorData
    electrodes_index: VectorIndex
    electrodes: DynamicTableRegion
    electrode_group: VectorData
    waveform_mean: VectorData
    waveform_sd: VectorData
    waveforms: VectorData
    waveforms_index: VectorIndex
    waveforms_index_index: VectorIndex
    def __init__(self, name: str = ..., id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ..., description: str | None = ..., electrode_table: Any = ..., waveform_rate: Any = ..., waveform_unit: Any = ..., waveform_time_before_peak_in_ms: Any = ..., resolution: Any = ...) -> None: ...

class SpatialSeries(_SpatialSeries, TimeSeries):
    data: ArrayData
    unit: str
    reference_frame: str | None
    def __init__(self, name: str, data: Any, reference_frame: str | None = ..., unit: str | None = ..., conversion: float | None = ..., resolution: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., offset: float | None = ...) -> None: ...

class BehavioralEpochs(NWBDataInterface):
    interval_series: Collection[IntervalSeries]
    def __init__(self, interval_series: Any = ..., name: str = ...) -> None: ...
    def add_interval_series(self, *containers: Any, **named: Any) -> IntervalSeries: ...
    def get_interval_series(self, name: str | None = None) -> IntervalSeries: ...
    def create_interval_series(self, *args: Any, **fields: Any) -> IntervalSeries: ...

class BehavioralEvents(NWBDataInterface):
    time_series: Collection[TimeSeries]
    def __init__(self, time_series: Any = ..., name: str = ...) -> None: ...
    def add_timeseries(self, *containers: Any, **named: Any) -> TimeSeries: ...
    def get_timeseries(self, name: str | None = None) -> TimeSeries: ...
    def create_timeseries(self, *args: Any, **fields: Any) -> TimeSeries: ...

class BehavioralTimeSeries(NWBDataInterface):
    time_series: Collection[TimeSeries]
    def __init__(self, time_series: Any = ..., name: str = ...) -> None: ...
    def add_timeseries(self, *containers: Any, **named: Any) -> TimeSeries: ...
    def get_timeseries(self, name: str | None = None) -> TimeSeries: ...
    def create_timeseries(self, *args: Any, **fields: Any) -> TimeSeries: ...

class PupilTracking(NWBDataInterface):
    time_series: Collection[TimeSeries]
    def __init__(self, time_series: Any = ..., name: str = ...) -> None: ...
    def add_timeseries(self, *containers: Any, **named: Any) -> TimeSeries: ...
    def get_timeseries(self, name: str | None = None) -> TimeSeries: ...
    def create_timeseries(self, *args: Any, **fields: Any) -> TimeSeries: ...

class EyeTracking(NWBDataInterface):
    spatial_series: Collection[SpatialSeries]
    def __init__(self, spatial_series: Any = ..., name: str = ...) -> None: ...
    def add_spatial_series(self, *containers: Any, **named: Any) -> SpatialSeries: ...
    def get_spatial_series(self, name: str | None = None) -> SpatialSeries: ...
    def create_spatial_series(self, *args: Any, **fields: Any) -> SpatialSeries: ...

class CompassDirection(NWBDataInterface):
    spatial_series: Collection[SpatialSeries]
    def __init__(self, spatial_series: Any = ..., name: str = ...) -> None: ...
    def add_spatial_series(self, *containers: Any, **named: Any) -> SpatialSeries: ...
    def get_spatial_series(self, name: str | None = None) -> SpatialSeries: ...
    def create_spatial_series(self, *args: Any, **fields: Any) -> SpatialSeries: ...

class Position(NWBDataInterface):
    spatial_series: Collection[SpatialSeries]
    def __init__(self, spatial_series: Any = ..., name: str = ...) -> None: ...
    def add_spatial_series(self, *containers: Any, **named: Any) -> SpatialSeries: ...
    def get_spatial_series(self, name: str | None = None) -> SpatialSeries: ...
    def create_spatial_series(self, *args: Any, **fields: Any) -> SpatialSeries: ...

class ElectricalSeries(TimeSeries):
    filtering: str | None
    data: ArrayData
    unit: str
    electrodes: DynamicTableRegion
    channel_conversion: ArrayData
    channel_conversion__axis: int
    def __init__(self, name: str, data: Any, electrodes: DynamicTableRegion, channel_conversion: Any = ..., filtering: str | None = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., offset: float | None = ...) -> None: ...

class SpikeEventSeries(ElectricalSeries):
    data: ArrayData
    timestamps: ArrayData
    def __init__(self, name: str, data: Any, timestamps: Any, electrodes: DynamicTableRegion, resolution: float | None = ..., conversion: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., offset: float | None = ...) -> None: ...

class FeatureExtraction(NWBDataInterface):
    description: tuple[Any, ...]
    features: ArrayData
    times: ArrayData
    electrodes: DynamicTableRegion
    def __init__(self, electrodes: DynamicTableRegion, description: Any, times: Any, features: Any, name: str = ...) -> None: ...

class EventDetection(NWBDataInterface):
    detection_method: str
    source_idx: ArrayData
    times: ArrayData
    times__unit: str
    source_electricalseries: ElectricalSeries
    def __init__(self, detection_method: str, source_electricalseries: ElectricalSeries, source_idx: Any, times: Any = ..., name: str = ...) -> None: ...

class EventWaveform(NWBDataInterface):
    spike_event_series: Collection[SpikeEventSeries]
    def __init__(self, spike_event_series: Any = ..., name: str = ...) -> None: ...
    def add_spike_event_series(self, *containers: Any, **named: Any) -> SpikeEventSeries: ...
    def get_spike_event_series(self, name: str | None = None) -> SpikeEventSeries: ...
    def create_spike_event_series(self, *args: Any, **fields: Any) -> SpikeEventSeries: ...

class FilteredEphys(NWBDataInterface):
    electrical_series: Collection[ElectricalSeries]
    def __init__(self, electrical_series: Any = ..., name: str = ...) -> None: ...
    def add_electrical_series(self, *containers: Any, **named: Any) -> ElectricalSeries: ...
    def get_electrical_series(self, name: str | None = None) -> ElectricalSeries: ...
    def create_electrical_series(self, *args: Any, **fields: Any) -> ElectricalSeries: ...

class LFP(NWBDataInterface):
    electrical_series: Collection[ElectricalSeries]
    def __init__(self, electrical_series: Any = ..., name: str = ...) -> None: ...
    def add_electrical_series(self, *containers: Any, **named: Any) -> ElectricalSeries: ...
    def get_electrical_series(self, name: str | None = None) -> ElectricalSeries: ...
    def create_electrical_series(self, *args: Any, **fields: Any) -> ElectricalSeries: ...

class ElectrodeGroup(NWBContainer):
    description: str
    location: str
    position: Any
    device: Device
    def __init__(self, name: str, description: str, location: str, device: Device, position: Any = ...) -> None: ...

class ElectrodesTable(_ElectrodesTable, DynamicTable):
    location: VectorData
    group: VectorData
    group_name: VectorData
    x: VectorData
    y: VectorData
    z: VectorData
    imp: VectorData
    filtering: VectorData
    rel_x: VectorData
    rel_y: VectorData
    rel_z: VectorData
    reference: VectorData
    def __init__(self, id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ...) -> None: ...

class ClusterWaveforms(NWBDataInterface):
    waveform_filtering: str
    waveform_mean: ArrayData
    waveform_sd: ArrayData
    clustering_interface: Clustering
    def __init__(self, clustering_interface: Clustering, waveform_filtering: str, waveform_mean: Any, waveform_sd: Any, name: str = ...) -> None: ...

class Clustering(NWBDataInterface):
    description: str
    num: ArrayData
    peak_over_rms: ArrayData
    times: ArrayData
    def __init__(self, description: str, num: Any, peak_over_rms: Any, times: Any, name: str = ...) -> None: ...

class PatchClampSeries(TimeSeries):
    stimulus_description: str
    sweep_number: int | None
    data: ArrayData
    gain: float | None
    electrode: IntracellularElectrode
    def __init__(self, name: str, data: Any, unit: str = ..., electrode: IntracellularElectrode = ..., gain: float | None = ..., stimulus_description: str = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., offset: float | None = ..., sweep_number: int | None = ...) -> None: ...

class CurrentClampSeries(PatchClampSeries):
    unit: str
    bias_current: float | None
    bridge_balance: float | None
    capacitance_compensation: float | None
    def __init__(self, name: str, data: Any, electrode: IntracellularElectrode, gain: float | None = ..., stimulus_description: str = ..., bias_current: float | None = ..., bridge_balance: float | None = ..., capacitance_compensation: float | None = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., sweep_number: int | None = ..., offset: float | None = ..., unit: str | None = ...) -> None: ...

class IZeroClampSeries(CurrentClampSeries):
    stimulus_description: str
    bias_current: float | None
    bridge_balance: float | None
    capacitance_compensation: float | None
    def __init__(self, name: str, data: Any, electrode: IntracellularElectrode, gain: float | None = ..., stimulus_description: str | None = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., sweep_number: int | None = ..., offset: float | None = ..., unit: str | None = ...) -> None: ...

class CurrentClampStimulusSeries(PatchClampSeries):
    unit: str
    def __init__(self, name: str, data: Any, electrode: IntracellularElectrode, gain: float | None = ..., stimulus_description: str = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., sweep_number: int | None = ..., offset: float | None = ..., unit: str | None = ...) -> None: ...

class VoltageClampSeries(PatchClampSeries):
    unit: str
    capacitance_fast: float | None
    capacitance_fast__unit: str
    capacitance_slow: float | None
    capacitance_slow__unit: str
    resistance_comp_bandwidth: float | None
    resistance_comp_bandwidth__unit: str
    resistance_comp_correction: float | None
    resistance_comp_correction__unit: str
    resistance_comp_prediction: float | None
    resistance_comp_prediction__unit: str
    whole_cell_capacitance_comp: float | None
    whole_cell_capacitance_comp__unit: str
    whole_cell_series_resistance_comp: float | None
    whole_cell_series_resistance_comp__unit: str
    def __init__(self, name: str, data: Any, electrode: IntracellularElectrode, gain: float | None = ..., stimulus_description: str = ..., capacitance_fast: float | None = ..., capacitance_slow: float | None = ..., resistance_comp_bandwidth: float | None = ..., resistance_comp_correction: float | None = ..., resistance_comp_prediction: float | None = ..., whole_cell_capacitance_comp: float | None = ..., whole_cell_series_resistance_comp: float | None = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., sweep_number: int | None = ..., offset: float | None = ..., unit: str | None = ...) -> None: ...

class VoltageClampStimulusSeries(PatchClampSeries):
    unit: str
    def __init__(self, name: str, data: Any, electrode: IntracellularElectrode, gain: float | None = ..., stimulus_description: str = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., sweep_number: int | None = ..., offset: float | None = ..., unit: str | None = ...) -> None: ...

class IntracellularElectrode(NWBContainer):
    cell_id: str | None
    description: str
    filtering: str | None
    initial_access_resistance: str | None
    location: str | None
    resistance: str | None
    seal: str | None
    slice: str | None
    device: Device
    def __init__(self, name: str, device: Device, description: str, slice: str | None = ..., seal: str | None = ..., location: str | None = ..., resistance: str | None = ..., filtering: str | None = ..., initial_access_resistance: str | None = ..., cell_id: str | None = ...) -> None: ...

class SweepTable(_SweepTable, DynamicTable):
    sweep_number: VectorData
    series: VectorData
    series_index: VectorIndex
    def __init__(self, name: str = ..., description: str | None = ..., id: Any = ..., columns: Any = ..., colnames: Any = ...) -> None: ...

class IntracellularElectrodesTable(_IntracellularElectrodesTable, DynamicTable):
    description: str
    electrode: VectorData
    def __init__(self, id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ...) -> None: ...

class IntracellularStimuliTable(_IntracellularStimuliTable, DynamicTable):
    description: str
    stimulus: TimeSeriesReferenceVectorData
    stimulus_template: TimeSeriesReferenceVectorData
    def __init__(self, id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ...) -> None: ...

class IntracellularResponsesTable(_IntracellularResponsesTable, DynamicTable):
    description: str
    response: TimeSeriesReferenceVectorData
    def __init__(self, id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ...) -> None: ...

class IntracellularRecordingsTable(_IntracellularRecordingsTable, AlignedDynamicTable):
    description: str
    electrodes: IntracellularElectrodesTable
    stimuli: IntracellularStimuliTable
    responses: IntracellularResponsesTable
    def __init__(self, id: Any = ..., columns: Any = ..., colnames: Any = ..., category_tables: Any = ..., categories: Any = ..., target_tables: Any = ...) -> None: ...

class SimultaneousRecordingsTable(_SimultaneousRecordingsTable, DynamicTable):
    recordings: DynamicTableRegion
    recordings_index: VectorIndex
    def __init__(self, intracellular_recordings_table: Any = ..., id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ...) -> None: ...

class SequentialRecordingsTable(_SequentialRecordingsTable, DynamicTable):
    simultaneous_recordings: DynamicTableRegion
    simultaneous_recordings_index: VectorIndex
    stimulus_type: VectorData
    def __init__(self, simultaneous_recordings_table: Any = ..., id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ...) -> None: ...

class RepetitionsTable(_RepetitionsTable, DynamicTable):
    sequential_recordings: DynamicTableRegion
    sequential_recordings_index: VectorIndex
    def __init__(self, sequential_recordings_table: Any = ..., id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ...) -> None: ...

class ExperimentalConditionsTable(_ExperimentalConditionsTable, DynamicTable):
    repetitions: DynamicTableRegion
    repetitions_index: VectorIndex
    def __init__(self, repetitions_table: Any = ..., id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ...) -> None: ...

class OptogeneticSeries(TimeSeries):
    data: ArrayData
    unit: str
    site: OptogeneticStimulusSite
    def __init__(self, name: str, data: Any, site: OptogeneticStimulusSite, resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., offset: float | None = ...) -> None: ...

class OptogeneticStimulusSite(NWBContainer):
    description: str
    excitation_lambda: float
    location: str
    device: Device
    def __init__(self, name: str, device: Device, description: str, excitation_lambda: float, location: str) -> None: ...

class OnePhotonSeries(ImageSeries):
    pmt_gain: float | None
    scan_line_rate: float | None
    exposure_time: float | None
    binning: int | None
    power: float | None
    intensity: float | None
    data: ArrayData
    imaging_plane: ImagingPlane
    def __init__(self, name: str, imaging_plane: ImagingPlane, data: Any = ..., unit: str | None = ..., format: str | None = ..., pmt_gain: float | None = ..., scan_line_rate: float | None = ..., exposure_time: float | None = ..., binning: int | None = ..., power: float | None = ..., intensity: float | None = ..., external_file: Any = ..., starting_frame: Any = ..., num_samples: int | None = ..., bits_per_pixel: Any = ..., dimension: Any = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., device: Device | None = ..., offset: float | None = ...) -> None: ...

class TwoPhotonSeries(ImageSeries):
    pmt_gain: float | None
    scan_line_rate: float | None
    data: ArrayData
    field_of_view: ArrayData
    imaging_plane: ImagingPlane
    def __init__(self, name: str, imaging_plane: ImagingPlane, data: Any = ..., unit: str | None = ..., format: str | None = ..., field_of_view: Any = ..., pmt_gain: float | None = ..., scan_line_rate: float | None = ..., external_file: Any = ..., starting_frame: Any = ..., num_samples: int | None = ..., bits_per_pixel: Any = ..., dimension: Any = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., device: Device | None = ..., offset: float | None = ...) -> None: ...

class RoiResponseSeries(TimeSeries):
    data: ArrayData
    rois: DynamicTableRegion
    def __init__(self, name: str, data: Any, unit: str = ..., rois: DynamicTableRegion = ..., resolution: float | None = ..., conversion: float | None = ..., timestamps: Any = ..., starting_time: float | None = ..., rate: float | None = ..., comments: str | None = ..., description: str | None = ..., control: Any = ..., control_description: Any = ..., offset: float | None = ...) -> None: ...

class DfOverF(NWBDataInterface):
    roi_response_series: Collection[RoiResponseSeries]
    def __init__(self, roi_response_series: Any = ..., name: str = ...) -> None: ...
    def add_roi_response_series(self, *containers: Any, **named: Any) -> RoiResponseSeries: ...
    def get_roi_response_series(self, name: str | None = None) -> RoiResponseSeries: ...
    def create_roi_response_series(self, *args: Any, **fields: Any) -> RoiResponseSeries: ...

class Fluorescence(NWBDataInterface):
    roi_response_series: Collection[RoiResponseSeries]
    def __init__(self, roi_response_series: Any = ..., name: str = ...) -> None: ...
    def add_roi_response_series(self, *containers: Any, **named: Any) -> RoiResponseSeries: ...
    def get_roi_response_series(self, name: str | None = None) -> RoiResponseSeries: ...
    def create_roi_response_series(self, *args: Any, **fields: Any) -> RoiResponseSeries: ...

class ImageSegmentation(_ImageSegmentation, NWBDataInterface):
    plane_segmentations: Collection[PlaneSegmentation]
    def __init__(self, plane_segmentations: Any = ..., name: str = ...) -> None: ...
    def add_plane_segmentation(self, *containers: Any, **named: Any) -> PlaneSegmentation: ...
    def get_plane_segmentation(self, name: str | None = None) -> PlaneSegmentation: ...
    def create_plane_segmentation(self, *args: Any, **fields: Any) -> PlaneSegmentation: ...

class PlaneSegmentation(_PlaneSegmentation, DynamicTable):
    image_mask: VectorData
    pixel_mask_index: VectorIndex
    pixel_mask: VectorData
    voxel_mask_index: VectorIndex
    voxel_mask: VectorData
    reference_images: Collection[ImageSeries]
    imaging_plane: ImagingPlane
    def __init__(self, description: str, imaging_plane: ImagingPlane, name: str | None = ..., reference_images: Any = ..., id: Any = ..., columns: Any = ..., colnames: Any = ..., target_tables: Any = ..., meanings_tables: Any = ...) -> None: ...

class ImagingPlane(NWBContainer):
    description: str | None
    excitation_lambda: float
    imaging_rate: float | None
    indicator: str
    location: str
    manifold: ArrayData
    conversion: float
    unit: str
    origin_coords: ArrayData
    origin_coords_unit: str
    grid_spacing: ArrayData
    grid_spacing_unit: str
    reference_frame: str | None
    optical_channel: Collection[OpticalChannel]
    device: Device
    def __init__(self, name: str, optical_channel: Any, description: str | None = ..., device: Device | None = ..., excitation_lambda: float | None = ..., indicator: str | None = ..., location: str | None = ..., imaging_rate: float | None = ..., manifold: Any = ..., conversion: float | None = ..., unit: str | None = ..., reference_frame: str | None = ..., origin_coords: Any = ..., origin_coords_unit: str | None = ..., grid_spacing: Any = ..., grid_spacing_unit: str | None = ...) -> None: ...

class OpticalChannel(NWBContainer):
    description: str
    emission_lambda: float
    def __init__(self, name: str, description: str, emission_lambda: float) -> None: ...

class MotionCorrection(NWBDataInterface):
    corrected_image_stacks: Collection[CorrectedImageStack]
    def __init__(self, corrected_image_stacks: Any = ..., name: str = ...) -> None: ...
    def add_corrected_image_stack(self, *containers: Any, **named: Any) -> CorrectedImageStack: ...
    def get_corrected_image_stack(self, name: str | None = None) -> CorrectedImageStack: ...
    def create_corrected_image_stack(self, *args: Any, **fields: Any) -> CorrectedImageStack: ...

class CorrectedImageStack(NWBDataInterface):
    corrected: ImageSeries
    xy_translation: TimeSeries
    original: ImageSeries
    def __init__(self, corrected: ImageSeries, original: ImageSeries, xy_translation: TimeSeries, name: str = ...) -> None: ...

class ImagingRetinotopy(NWBDataInterface):
    axis_1_phase_map: ArrayData
    axis_1_phase_map__dimension: Any
    axis_1_phase_map__field_of_view: Any
    axis_1_phase_map__unit: str
    axis_1_power_map: ArrayData
    axis_1_power_map__dimension: Any
    axis_1_power_map__field_of_view: Any
    axis_1_power_map__unit: str | None
    axis_2_phase_map: ArrayData
    axis_2_phase_map__dimension: Any
    axis_2_phase_map__field_of_view: Any
    axis_2_phase_map__unit: str
    axis_2_power_map: ArrayData
    axis_2_power_map__dimension: Any
    axis_2_power_map__field_of_view: Any
    axis_2_power_map__unit: str | None
    axis_descriptions: tuple[Any, ...]
    focal_depth_image: ArrayData
    focal_depth_image__bits_per_pixel: int | None
    focal_depth_image__dimension: Any
    focal_depth_image__field_of_view: Any
    focal_depth_image__focal_depth: float | None
    focal_depth_image__format: str | None
    sign_map: ArrayData
    sign_map__dimension: Any
    sign_map__field_of_view: Any
    vasculature_image: ArrayData
    vasculature_image__bits_per_pixel: int
    vasculature_image__dimension: Any
    vasculature_image__field_of_view: Any
    vasculature_image__format: str
    def __init__(self, axis_1_phase_map: Any, axis_1_phase_map__dimension: Any, axis_1_phase_map__field_of_view: Any, axis_1_phase_map__unit: str, axis_2_phase_map: Any, axis_2_phase_map__dimension: Any, axis_2_phase_map__field_of_view: Any, axis_2_phase_map__unit: str, axis_descriptions: Any, vasculature_image: Any, vasculature_image__bits_per_pixel: int, vasculature_image__dimension: Any, vasculature_image__field_of_view: Any, vasculature_image__format: str, name: str = ..., axis_1_power_map: Any = ..., axis_1_power_map__dimension: Any = ..., axis_1_power_map__field_of_view: Any = ..., axis_1_power_map__unit: str | None = ..., axis_2_power_map: Any = ..., axis_2_power_map__dimension: Any = ..., axis_2_power_map__field_of_view: Any = ..., axis_2_power_map__unit: str | None = ..., focal_depth_image: Any = ..., focal_depth_image__bits_per_pixel: int | None = ..., focal_depth_image__dimension: Any = ..., focal_depth_image__field_of_view: Any = ..., focal_depth_image__focal_depth: float | None = ..., focal_depth_image__format: str | None = ..., sign_map: Any = ..., sign_map__dimension: Any = ..., sign_map__field_of_view: Any = ...) -> None: ...
