"""`NWBFile`: one session, the root of everything."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from nwbzarr.convention.links import is_reference
from nwbzarr.convention.names import LINKS, SPECIFICATIONS_LOCATION
from nwbzarr.errors import FieldTypeError
from nwbzarr.model.base import ScratchData
from nwbzarr.model.containers import Container, new_identity
from nwbzarr.model.data_io import ZarrDataIO
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.elements import Element, Pointer
from nwbzarr.model.groups import Group
from nwbzarr.model.session_rows import SessionRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nwbzarr.model.base import Subject
    from nwbzarr.model.collections import Collection


class NWBFile(SessionRows):
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
    acquisition, analysis, stimulus, stimulus_template, processing, scratch, lab_meta_data, intervals, events : list, \
    optional
        Containers to begin with; so too devices, device_models, electrode_groups, imaging_planes, ogen_sites and
        icephys_electrodes.
    electrodes, units, trials, epochs, invalid_times, sweep_table, intracellular_recordings, icephys_… : table, optional
        The session's own tables; the methods that add rows make them.
    icephys_filtering : str, optional
        Filters used in intracellular recordings.
    external_resources : HERD, optional
        What terms in the session mean elsewhere.

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
    acquisition: Collection[Any]
    analysis: Collection[Any]
    processing: Collection[Any]
    scratch: Collection[Any]

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set: dates that were not given follow from others."""
        values["file_create_date"] = values.get("file_create_date") or [datetime.now().astimezone()]
        values["timestamps_reference_time"] = values.get("timestamps_reference_time") or values.get(
            "session_start_time"
        )
        return values

    @property
    def modules(self) -> Collection[Any]:
        """Processing modules, under the older name."""
        return self.processing

    @property
    def objects(self) -> dict[str, Element]:
        """Everything of this session that has a type, by object id; what is linked from other sessions is not."""
        return {str(found.object_id): found for found in _typed_below(self)}

    def all_children(self) -> list[Element]:
        """Return everything of this session that has a type, this session first."""
        return list(_typed_below(self))

    def add_acquisition(self, nwbdata: Container, use_sweep_table: bool = False) -> Any:
        """Add recorded data, and return it; with `use_sweep_table`, patch clamp series join the table of sweeps."""
        self.acquisition.add(nwbdata)
        self._enter_sweep(nwbdata, use_sweep_table)
        return nwbdata

    def add_stimulus(
        self, stimulus: Container | None = None, use_sweep_table: bool = False, timeseries: Any = None
    ) -> Any:
        """Add what was presented, and return it."""
        given = timeseries if stimulus is None else stimulus
        self.stimulus.add(given)
        self._enter_sweep(given, use_sweep_table)
        return given

    def add_stimulus_template(
        self, timeseries: Container | None = None, use_sweep_table: bool = False, stimulus_template: Any = None
    ) -> Any:
        """Add what was presented more than once, and return it."""
        given = stimulus_template if timeseries is None else timeseries
        self.stimulus_template.add(given)
        self._enter_sweep(given, use_sweep_table)
        return given

    def _enter_sweep(self, series: Any, wanted: bool) -> None:
        if not wanted:
            return
        if self.sweep_table is None:
            from nwbzarr.model.icephys import SweepTable

            self.sweep_table = SweepTable()
        self.sweep_table.add_entry(series)

    stimulus: Collection[Any]
    stimulus_template: Collection[Any]
    sweep_table: Any

    def add_scratch(
        self,
        data: Any,
        name: str | None = None,
        description: str | None = None,
    ) -> Container | ScratchData:
        """Add one-off results, and return the container that holds them.

        Parameters
        ----------
        data : array_like, scalar, pandas.DataFrame, ScratchData or container
            What to keep; complex numbers too. A frame becomes a `DynamicTable`.
        name, description : str, optional
            Needed for arrays and scalars, not allowed for containers, which have their own.

        Raises
        ------
        FieldTypeError
            When name or description is missing or not allowed.
        """
        container = data
        if isinstance(data, Element):
            if name is not None or description is not None:
                message = f"{data.neurodata_type} {data.name!r} has a name and a description of its own: leave both out"
                raise FieldTypeError(message)
        elif hasattr(data, "to_numpy") and hasattr(data, "columns"):
            from nwbzarr.model.tables import DynamicTable

            if name is None or description is None:
                message = "a frame in scratch needs a name and a description: give both"
                raise FieldTypeError(message)
            container = DynamicTable.from_dataframe(data, name=name, table_description=description)
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
            Whether to return the data itself (a lazy array, a scalar, a frame) instead of its `ScratchData` or table.
        """
        found = self.scratch[name]
        if not convert:
            return found
        if found.neurodata_type == "DynamicTable":
            return found.to_dataframe()
        return found.data if isinstance(found, ScratchData) else found

    def copy(self) -> Self:
        """Return a new session with the same metadata that shares every container with this one.

        Written to another store, the containers become links: nothing is copied but texts and dates. Links of this
        session are taken over as they are, not followed.
        """
        made = type(self).__new__(type(self))
        Group.__init__(made, "root", new_identity(NWBFile))
        _copy_attributes(self, made)
        made.specifications = self.loader if self.loader is not None else self.specifications
        _copy_members(self, made)
        return made

    #: The stored session whose cached namespaces go with this one, or None.
    specifications: Any = None


def _typed_below(group: Group) -> Iterator[Element]:
    if group.neurodata_type is not None:
        yield group
    for name in group.member_names():
        member = group.raw_member(name)
        if isinstance(member, Group) and member.parent is group:
            yield from _typed_below(member)
        elif isinstance(member, Dataset) and member.parent is group and member.neurodata_type is not None:
            yield member


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
