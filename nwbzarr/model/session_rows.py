"""Rows of the tables that a session has of its own: electrodes, units, trials, recordings.

`SessionRows` is the part of `NWBFile` that adds rows; a table is made when its first row or column comes.
"""

from __future__ import annotations

from typing import Any

from nwbzarr.errors import FieldTypeError, MissingFieldError
from nwbzarr.model.containers import NWBContainer
from nwbzarr.model.elements import Element


class SessionRows(NWBContainer):
    """What adds rows and columns to the tables of a session."""

    electrodes: Any
    units: Any
    trials: Any
    epochs: Any
    invalid_times: Any
    intracellular_recordings: Any
    icephys_simultaneous_recordings: Any
    icephys_sequential_recordings: Any
    icephys_repetitions: Any
    icephys_experimental_conditions: Any
    devices: Any
    electrode_groups: Any
    imaging_planes: Any
    intervals: Any
    events: Any
    acquisition: Any
    stimulus: Any
    stimulus_template: Any
    icephys_electrodes: Any

    def _table(self, field: str) -> Any:
        """Return a table of the session, made when it is not there."""
        found = getattr(self, field)
        if found is None:
            from nwbzarr.model.types import class_named

            kind, fields = _TABLES[field]
            before = _BEFORE.get(field)
            if before is not None:
                fields = {**fields, before[0]: self._table(before[1])}
            found = class_named(kind)(**fields)
            setattr(self, field, found)
        return found

    # Extracellular electrodes.

    def add_electrode(  # noqa: PLR0913 - PyNWB's signature
        self,
        x: float | None = None,
        y: float | None = None,
        z: float | None = None,
        imp: float | None = None,
        location: str | None = None,
        filtering: str | None = None,
        group: Any = None,
        id: int | None = None,  # noqa: A002 - PyNWB's name
        rel_x: float | None = None,
        rel_y: float | None = None,
        rel_z: float | None = None,
        reference: str | None = None,
        enforce_unique_id: bool = True,
        **values: Any,
    ) -> None:
        """Add an electrode.

        Parameters
        ----------
        x, y, z : float, optional
            Coordinates.
        imp : float, optional
            Impedance, in ohms.
        location : str
            Brain region or other place; needed.
        filtering : str, optional
            Filters of the hardware.
        group : ElectrodeGroup
            Its group; needed.
        id : int, optional
            Identifier; the number of the row by default.
        rel_x, rel_y, rel_z : float, optional
            Coordinates within the group.
        reference : str, optional
            What potentials are measured against.
        enforce_unique_id : bool
            Whether an identifier that is there already is refused.
        **values
            Values of columns that were added (`add_electrode_column`).

        Raises
        ------
        MissingFieldError
            When location or group is missing.
        SchemaError
            When a value is not what its column holds.
        """
        if not location or group is None:
            message = "an electrode must have a location and a group: give both"
            raise MissingFieldError(message)
        if not isinstance(group, Element):
            message = f"the group of an electrode must be an ElectrodeGroup, but {group!r} came"
            raise FieldTypeError(message)
        table = self._table("electrodes")
        given = {
            "location": location,
            "group": group,
            "group_name": values.pop("group_name", group.name),
            "x": x,
            "y": y,
            "z": z,
            "imp": imp,
            "filtering": filtering,
            "rel_x": rel_x,
            "rel_y": rel_y,
            "rel_z": rel_z,
            "reference": reference,
        }
        row = {name: value for name, value in given.items() if value is not None}
        table.add_row({**row, **values}, id=id, enforce_unique_id=enforce_unique_id and id is not None)

    def add_electrode_column(self, name: str, description: str, **keywords: Any) -> Any:
        """Add a column to the table of electrodes; see `DynamicTable.add_column`."""
        return self._table("electrodes").add_column(name, description, **keywords)

    def create_electrode_table_region(self, region: Any, description: str, name: str = "electrodes") -> Any:
        """Return a region of the table of electrodes.

        Parameters
        ----------
        region : slice or list of int
            Which rows.
        description : str
            What is chosen.
        name : str
            Name of the region.

        Raises
        ------
        MissingFieldError
            When the session has no electrodes.
        SchemaError
            When a row is out of range.
        """
        if self.electrodes is None:
            message = "a region of electrodes needs electrodes: add them first (add_electrode)"
            raise MissingFieldError(message)
        return self.electrodes.create_region(name=name, region=region, description=description)

    def set_electrode_table(self, electrode_table: Any) -> None:
        """Take a table as the session's electrodes."""
        self.electrodes = electrode_table

    # Units.

    def add_unit(self, *args: Any, **values: Any) -> None:
        """Add a sorted unit; see `Units.add_unit`."""
        self._table("units").add_unit(*args, **values)

    def add_unit_column(self, name: str, description: str, **keywords: Any) -> Any:
        """Add a column to the table of units; see `DynamicTable.add_column`."""
        return self._table("units").add_column(name, description, **keywords)

    # Intervals.

    def add_trial(self, start_time: float, stop_time: float, **values: Any) -> None:
        """Add a trial; see `TimeIntervals.add_interval`."""
        self._table("trials").add_interval(start_time, stop_time, **values)

    def add_trial_column(self, name: str, description: str, **keywords: Any) -> Any:
        """Add a column to the table of trials; see `DynamicTable.add_column`."""
        return self._table("trials").add_column(name, description, **keywords)

    def add_epoch(
        self, start_time: float, stop_time: float, tags: Any = None, timeseries: Any = None, **values: Any
    ) -> None:
        """Add an epoch; see `TimeIntervals.add_interval`."""
        self._table("epochs").add_interval(start_time, stop_time, tags=tags, timeseries=timeseries, **values)

    def add_epoch_column(self, name: str, description: str, **keywords: Any) -> Any:
        """Add a column to the table of epochs; see `DynamicTable.add_column`."""
        return self._table("epochs").add_column(name, description, **keywords)

    @property
    def epoch_tags(self) -> set[str]:
        """All tags of epochs."""
        table = self.epochs
        return set() if table is None or "tags" not in table.colnames else set(table.find("tags").entries().tolist())

    def add_invalid_time_interval(self, start_time: float, stop_time: float, **values: Any) -> None:
        """Add an interval to leave out of analyses; see `TimeIntervals.add_interval`."""
        self._table("invalid_times").add_interval(start_time, stop_time, **values)

    def add_invalid_times_column(self, name: str, description: str, **keywords: Any) -> Any:
        """Add a column to the table of invalid times; see `DynamicTable.add_column`."""
        return self._table("invalid_times").add_column(name, description, **keywords)

    # Intracellular recordings.

    def add_intracellular_recording(self, *args: Any, **values: Any) -> int:
        """Add an intracellular recording, and return its row; see `IntracellularRecordingsTable.add_recording`."""
        row = int(self._table("intracellular_recordings").add_recording(*args, **values))
        self._take_in(row)
        return row

    def _take_in(self, row: int) -> None:
        """Add what a recording names and no session has yet: series and electrode."""
        tables = self.intracellular_recordings.category_tables
        places = {
            ("stimuli", "stimulus"): self.stimulus,
            ("stimuli", "stimulus_template"): self.stimulus_template,
            ("responses", "response"): self.acquisition,
        }
        for (category, column), collection in places.items():
            if column in tables[category].colnames:
                reference = tables[category][column][row]
                if reference.count > 0 and reference.timeseries.parent is None:
                    collection.add(reference.timeseries)
        electrode = tables["electrodes"]["electrode"][row]
        if electrode.parent is None:
            self.icephys_electrodes.add(electrode)

    def add_icephys_simultaneous_recording(self, recordings: Any, **values: Any) -> int:
        """Add rows of the table of recordings that were made together, and return the row of the group."""
        return int(self._table("icephys_simultaneous_recordings").add_simultaneous_recording(recordings, **values))

    def add_icephys_sequential_recording(self, simultaneous_recordings: Any, stimulus_type: str, **values: Any) -> int:
        """Add simultaneous recordings that followed each other, and return the row of the group."""
        table = self._table("icephys_sequential_recordings")
        return int(table.add_sequential_recording(simultaneous_recordings, stimulus_type, **values))

    def add_icephys_repetition(self, sequential_recordings: Any = None, **values: Any) -> int:
        """Add sequential recordings that repeat each other, and return the row of the group."""
        return int(self._table("icephys_repetitions").add_repetition(sequential_recordings, **values))

    def add_icephys_experimental_condition(self, repetitions: Any = None, **values: Any) -> int:
        """Add repetitions that were made under one condition, and return the row of the group."""
        return int(self._table("icephys_experimental_conditions").add_experimental_condition(repetitions, **values))

    def get_intracellular_recordings(self) -> Any:
        """Return the table of intracellular recordings, made when it is not there."""
        return self._table("intracellular_recordings")

    def get_icephys_simultaneous_recordings(self) -> Any:
        """Return the table of simultaneous recordings, made when it is not there."""
        return self._table("icephys_simultaneous_recordings")

    def get_icephys_sequential_recordings(self) -> Any:
        """Return the table of sequential recordings, made when it is not there."""
        return self._table("icephys_sequential_recordings")

    def get_icephys_repetitions(self) -> Any:
        """Return the table of repetitions, made when it is not there."""
        return self._table("icephys_repetitions")

    def get_icephys_experimental_conditions(self) -> Any:
        """Return the table of experimental conditions, made when it is not there."""
        return self._table("icephys_experimental_conditions")

    def get_icephys_meta_parent_table(self) -> Any:
        """Return the table of intracellular recordings that groups most, or None when there is none."""
        found = (getattr(self, name) for name in reversed(_ICEPHYS))
        return next((table for table in found if table is not None), None)

    # Events.

    def get_all_events(self) -> Any:
        """Return the rows of all tables of events as one frame by time; `source_events_table` names the table of each."""
        return self.merge_events_tables(list(self.events.values()))

    def merge_events_tables(self, tables: list[Any]) -> Any:
        """Return the rows of some tables of events as one frame, by time and in its order.

        Raises
        ------
        FieldTypeError
            When one is no table of events.
        """
        from nwbzarr.model.frames import import_pandas

        pd = import_pandas()
        frames = []
        for table in tables:
            if table.neurodata_type != "EventsTable":
                message = f"merge_events_tables takes tables of events, but {table.neurodata_type} {table.name!r} came"
                raise FieldTypeError(message)
            frame = table.to_dataframe().reset_index(drop=True)
            frame["source_events_table"] = table.name
            frames.append(frame)
        empty = pd.DataFrame({"timestamp": [], "source_events_table": []})
        joined = pd.concat(frames, ignore_index=True) if frames else empty
        return joined.sort_values("timestamp", kind="stable").set_index("timestamp")


_ICEPHYS = (
    "intracellular_recordings",
    "icephys_simultaneous_recordings",
    "icephys_sequential_recordings",
    "icephys_repetitions",
    "icephys_experimental_conditions",
)

#: Type of each table, and what it is made with.
_TABLES: dict[str, tuple[str, dict[str, Any]]] = {
    "electrodes": ("ElectrodesTable", {}),
    "units": ("Units", {"name": "units", "description": "sorted units"}),
    "trials": ("TimeIntervals", {"name": "trials", "description": "experimental trials"}),
    "epochs": ("TimeIntervals", {"name": "epochs", "description": "experimental epochs"}),
    "invalid_times": ("TimeIntervals", {"name": "invalid_times", "description": "times to leave out of analyses"}),
    "intracellular_recordings": ("IntracellularRecordingsTable", {}),
    "icephys_simultaneous_recordings": ("SimultaneousRecordingsTable", {}),
    "icephys_sequential_recordings": ("SequentialRecordingsTable", {}),
    "icephys_repetitions": ("RepetitionsTable", {}),
    "icephys_experimental_conditions": ("ExperimentalConditionsTable", {}),
}

#: Argument of a table that names the table before, and the field that holds that one.
_BEFORE = {
    "icephys_simultaneous_recordings": ("intracellular_recordings_table", "intracellular_recordings"),
    "icephys_sequential_recordings": ("simultaneous_recordings_table", "icephys_simultaneous_recordings"),
    "icephys_repetitions": ("sequential_recordings_table", "icephys_sequential_recordings"),
    "icephys_experimental_conditions": ("repetitions_table", "icephys_repetitions"),
}
