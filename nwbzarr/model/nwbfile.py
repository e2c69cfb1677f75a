"""`NWBFile`: one session, the root of everything."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from nwbzarr.convention.links import is_reference
from nwbzarr.convention.names import LINKS, SPECIFICATIONS_LOCATION
from nwbzarr.errors import FieldTypeError
from nwbzarr.model.base import Device, ProcessingModule, ScratchData, Subject
from nwbzarr.model.containers import Container, NWBContainer, new_identity
from nwbzarr.model.data_io import ZarrDataIO
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.elements import Element, Pointer
from nwbzarr.model.groups import Group
from nwbzarr.schema.core import CORE, NWB_VERSION

if TYPE_CHECKING:
    from nwbzarr.model.fields import Collection


class NWBFile(NWBContainer):
    """A session: metadata, recordings, what was computed from them.

    Parameters
    ----------
    session_description : str
        What was done in the session.
    identifier : str
        Unique to the session.
    session_start_time : datetime
        When it began; naive means local time. Stored in ISO 8601 with the offset from UTC.
    file_create_date : datetime or list of datetime, optional
        When the file was made; now by default.
    timestamps_reference_time : datetime, optional
        What timestamps count from; `session_start_time` by default.
    experimenter, keywords, related_publications : str or list of str, optional
        One or several texts; read back as a tuple.
    was_generated_by : list of (str, str), optional
        Names and versions of the programs that made the file.
    experiment_description, session_id, institution, notes, pharmacology, protocol, slices, source_script, \
    source_script_file_name, data_collection, surgery, virus, stimulus_notes, lab : str, optional
        Texts of ``/general``.
    subject : Subject, optional
        Who was recorded.
    acquisition, analysis, stimulus, stimulus_template, processing, devices, scratch : list, optional
        Containers to begin with.

    Raises
    ------
    MissingFieldError, FieldTypeError, SchemaError
        When a value is missing or not what the schema allows.

    Notes
    -----
    NWB schema, nwb.file.yaml, NWBFile.
    """

    session_description: str
    identifier: str
    session_start_time: datetime
    file_create_date: tuple[datetime, ...]
    timestamps_reference_time: datetime
    experimenter: tuple[str, ...] | None
    experiment_description: str | None
    session_id: str | None
    institution: str | None
    keywords: tuple[str, ...] | None
    notes: str | None
    pharmacology: str | None
    protocol: str | None
    related_publications: tuple[str, ...] | None
    slices: str | None
    source_script: str | None
    source_script_file_name: str | None
    was_generated_by: tuple[tuple[str, str], ...] | None
    data_collection: str | None
    surgery: str | None
    virus: str | None
    stimulus_notes: str | None
    lab: str | None
    subject: Subject | None
    devices: Collection
    acquisition: Collection
    analysis: Collection
    stimulus: Collection
    stimulus_template: Collection
    processing: Collection
    scratch: Collection
    electrodes: Any
    units: Any
    epochs: Any
    trials: Any
    invalid_times: Any

    def __init__(  # noqa: PLR0913 - PyNWB's signature
        self,
        session_description: str | None = None,
        identifier: str | None = None,
        session_start_time: datetime | None = None,
        file_create_date: Any = None,
        timestamps_reference_time: datetime | None = None,
        experimenter: Any = None,
        experiment_description: str | None = None,
        session_id: str | None = None,
        institution: str | None = None,
        keywords: Any = None,
        notes: str | None = None,
        pharmacology: str | None = None,
        protocol: str | None = None,
        related_publications: Any = None,
        slices: str | None = None,
        source_script: str | None = None,
        source_script_file_name: str | None = None,
        was_generated_by: Any = None,
        data_collection: str | None = None,
        surgery: str | None = None,
        virus: str | None = None,
        stimulus_notes: str | None = None,
        lab: str | None = None,
        acquisition: Any = None,
        analysis: Any = None,
        stimulus: Any = None,
        stimulus_template: Any = None,
        processing: Any = None,
        devices: Any = None,
        subject: Subject | None = None,
        scratch: Any = None,
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "__class__")}
        given["file_create_date"] = file_create_date or [datetime.now().astimezone()]
        given["timestamps_reference_time"] = timestamps_reference_time or session_start_time
        super().__init__(name="root", **given)
        self.set_attribute("nwb_version", NWB_VERSION)
        for path in CORE.types["NWBFile"].groups:
            self.require_group(path)

    @property
    def modules(self) -> Collection:
        """Processing modules, under the older name."""
        return self.processing

    def add_acquisition(self, nwbdata: Container) -> None:
        """Add recorded data."""
        self.acquisition.add(nwbdata)

    def get_acquisition(self, name: str) -> Any:
        """Return recorded data by name."""
        return self.acquisition[name]

    def add_analysis(self, container: Container) -> None:
        """Add results of an analysis that are worth keeping."""
        self.analysis.add(container)

    def add_stimulus(self, stimulus: Container) -> None:
        """Add what was presented."""
        self.stimulus.add(stimulus)

    def add_stimulus_template(self, stimulus_template: Container) -> None:
        """Add what was presented more than once."""
        self.stimulus_template.add(stimulus_template)

    def add_device(self, device: Device) -> Device:
        """Add a device, and return it."""
        self.devices.add(device)
        return device

    def create_device(self, name: str, **fields: str | None) -> Device:
        """Make a `Device`, add it, and return it."""
        return self.add_device(Device(name, **fields))

    def add_processing_module(self, processing_module: ProcessingModule) -> None:
        """Add a processing module."""
        self.processing.add(processing_module)

    def create_processing_module(self, name: str, description: str) -> ProcessingModule:
        """Make a `ProcessingModule`, add it, and return it."""
        module = ProcessingModule(name, description)
        self.add_processing_module(module)
        return module

    def get_processing_module(self, name: str) -> Any:
        """Return a processing module by name."""
        return self.processing[name]

    def add_scratch(
        self,
        data: Any,
        name: str | None = None,
        description: str | None = None,
    ) -> Container | ScratchData:
        """Add one-off results, and return the container that holds them.

        Parameters
        ----------
        data : array_like, scalar, ScratchData or container
            What to keep; complex numbers too.
        name, description : str, optional
            Needed for arrays and scalars, not allowed for containers, which have their own.

        Raises
        ------
        FieldTypeError
            When name or description is missing or not allowed.
        """
        container = data
        if isinstance(data, ScratchData | Container):
            if name is not None or description is not None:
                message = f"{data.neurodata_type} {data.name!r} has a name and a description of its own: leave both out"
                raise FieldTypeError(message)
        elif hasattr(data, "to_numpy") and hasattr(data, "columns"):
            message = "a DataFrame has no stored form yet: add its columns as arrays, or a DynamicTable that was read"
            raise FieldTypeError(message)
        elif name is None or description is None:
            message = "arrays and scalars in scratch need a name and a description: give both"
            raise FieldTypeError(message)
        else:
            container = ScratchData(name, data, description=description)
        self.scratch.add(container)
        return container  # type: ignore[no-any-return]

    def get_scratch(self, name: str, convert: bool = True) -> Any:
        """Return scratch data by name.

        Parameters
        ----------
        name : str
            As it was added.
        convert : bool
            Whether to return the data itself (a lazy array or scalar) instead of its `ScratchData`.
        """
        found = self.scratch[name]
        return found.data if convert and isinstance(found, ScratchData) else found

    def copy(self) -> NWBFile:
        """Return a new session with the same metadata that shares every container with this one.

        Written to another store, the containers become links: nothing is copied but texts and dates. Links of this
        session are taken over as they are, not followed.
        """
        made = NWBFile.__new__(NWBFile)
        Group.__init__(made, "root", new_identity("NWBFile"))
        _copy_attributes(self, made)
        made.specifications = self.loader if self.loader is not None else self.specifications
        _copy_members(self, made)
        return made

    #: The stored session whose cached namespaces go with this one, or None.
    specifications: Any = None


def _copy_attributes(source: Element, made: Element) -> None:
    """Give `made` the attributes of `source` as they are stored; references lead to the same containers."""
    identity = made.new_attributes
    referring = [name for name, value in source.stored_attributes.items() if is_reference(value)]
    skipped = {LINKS, SPECIFICATIONS_LOCATION, *referring, *identity}
    made.stored_attributes = {name: value for name, value in source.stored_attributes.items() if name not in skipped}
    made.new_attributes = {
        **{name: source.attributes[name] for name in referring},
        **{name: value for name, value in source.new_attributes.items() if name not in identity},
        **identity,
    }


def _copy_members(source: Group, made: Group) -> None:
    """Give `made` copies of the plain groups and datasets of `source`, and share its containers and links."""
    for name in source:
        member = source.raw_member(name)
        if isinstance(member, Pointer) or member is None or member.parent is not source or member.neurodata_type:
            if member is not None:
                made.add_member(member, name)
        elif isinstance(member, Group):
            group = Group(name)
            _copy_attributes(member, group)
            made.add_member(group)
            _copy_members(member, group)
        elif isinstance(member, Dataset):
            # Texts and dates of the session itself are copied when it is written, not linked.
            data = member.data if not member.shape else ZarrDataIO(member.data, link_data=False)
            dataset = Dataset(name, data, dimensions=member.dimensions)
            _copy_attributes(member, dataset)
            made.add_member(dataset)
