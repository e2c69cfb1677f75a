"""Tables of intracellular electrophysiology: recordings, grouped step by step up to experimental conditions.

Each table's rows are regions of the one before: simultaneous recordings of recordings, sequential ones of simultaneous
ones, repetitions, conditions. NWB schema, nwb.icephys.yaml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nwbzarr.errors import MissingFieldError, SchemaError
from nwbzarr.model.aligned import AlignedDynamicTable
from nwbzarr.model.regions import DynamicTableRegion
from nwbzarr.model.samples import TimeSeriesReference
from nwbzarr.model.tables import DynamicTable

if TYPE_CHECKING:
    from nwbzarr.model.ragged import VectorIndex
    from nwbzarr.model.series import TimeSeries


class IntracellularElectrodesTable(DynamicTable):
    """The electrode of each intracellular recording."""


class IntracellularStimuliTable(DynamicTable):
    """The stimulus of each intracellular recording."""


class IntracellularResponsesTable(DynamicTable):
    """The response of each intracellular recording."""


class IntracellularRecordingsTable(AlignedDynamicTable):
    """Intracellular recordings: electrode, stimulus and response of each, side by side."""

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; the three categories are made where they were not given."""
        if values.get("category_tables") is None and values.get("id") is None:
            values["category_tables"] = [
                IntracellularElectrodesTable(),
                IntracellularStimuliTable(),
                IntracellularResponsesTable(),
            ]
        return super().prepare(values)

    def add_recording(  # noqa: PLR0913 - PyNWB's signature
        self,
        electrode: Any = None,
        stimulus_start_index: int | None = None,
        stimulus_index_count: int | None = None,
        stimulus: TimeSeries | None = None,
        stimulus_template_start_index: int | None = None,
        stimulus_template_index_count: int | None = None,
        stimulus_template: TimeSeries | None = None,
        response_start_index: int | None = None,
        response_index_count: int | None = None,
        response: TimeSeries | None = None,
        electrode_metadata: dict[str, Any] | None = None,
        stimulus_metadata: dict[str, Any] | None = None,
        response_metadata: dict[str, Any] | None = None,
        **values: Any,
    ) -> int:
        """Add a recording, and return its row.

        Parameters
        ----------
        electrode : IntracellularElectrode, optional
            The electrode; that of stimulus or response by default.
        stimulus, stimulus_template, response : TimeSeries, optional
            What was given and what was recorded; one of stimulus and response is needed.
        stimulus_start_index, stimulus_index_count : int, optional
            First sample and number of samples; the whole series by default. The same for template and response.
        electrode_metadata, stimulus_metadata, response_metadata : dict, optional
            Values of further columns of the categories.
        **values
            Values of further columns of this table; ``id`` too.

        Raises
        ------
        MissingFieldError
            When neither stimulus nor response, or no electrode, is given.
        SchemaError
            When samples are out of range, or the series were recorded by other electrodes.
        """
        if stimulus is None and response is None:
            message = "an intracellular recording must have a stimulus or a response, but neither came"
            raise MissingFieldError(message)
        electrode = self._electrode(electrode, stimulus, response)
        spare: Any = response if stimulus is None else stimulus
        stimuli = {"stimulus": _range(stimulus, stimulus_start_index, stimulus_index_count, spare)}
        table: DynamicTable = self.category_tables["stimuli"]
        if stimulus_template is not None or "stimulus_template" in table.colnames:
            start, count = stimulus_template_start_index, stimulus_template_index_count
            if stimulus_template is not None and "stimulus_template" not in table.colnames and len(table):
                table.add_column(
                    "stimulus_template",
                    table.predefined["stimulus_template"].description,
                    data=[TimeSeriesReference.empty(row.timeseries) for row in table["stimulus"].entries()],
                    col_cls="TimeSeriesReferenceVectorData",
                )
            stimuli["stimulus_template"] = _range(stimulus_template, start, count, spare)
        self.add_row(
            {
                "electrodes": {"electrode": electrode, **(electrode_metadata or {})},
                "stimuli": {**stimuli, **(stimulus_metadata or {})},
                "responses": {
                    "response": _range(response, response_start_index, response_index_count, spare),
                    **(response_metadata or {}),
                },
                **values,
            },
            enforce_unique_id="id" in values,
        )
        return len(self) - 1

    @staticmethod
    def _electrode(electrode: Any, *series: Any) -> Any:
        found = [getattr(item, "electrode", None) for item in series if item is not None]
        known = [item for item in found if item is not None]
        kinds = {_clamp(item) for item in series if item is not None} - {None}
        if len(kinds) > 1:
            named = " and ".join(f"{item.schema_type} {item.name!r}" for item in series if item is not None)
            message = (
                f"stimulus and response must both be of a voltage clamp or both of a current clamp, but {named} came"
            )
            raise SchemaError(message)
        if electrode is None:
            electrode = known[0] if known else None
        if electrode is None:
            message = "an intracellular recording must have an electrode, but none came, and its series have none"
            raise MissingFieldError(message)
        if len(known) > 1 and known[0] is not known[1]:
            message = (
                f"stimulus and response must be of one electrode, but {known[0].name!r} and {known[1].name!r} came"
            )
            raise SchemaError(message)
        return electrode


def _clamp(series: TimeSeries) -> str | None:
    """Return which clamp a series is of, or None for any other series."""
    registry, name = series.schema_registry, series.schema_type
    if registry.is_a(name, ("VoltageClampSeries", "VoltageClampStimulusSeries")):
        return "voltage"
    return "current" if registry.is_a(name, ("CurrentClampSeries", "CurrentClampStimulusSeries")) else None


def _range(series: TimeSeries | None, start: int | None, count: int | None, spare: TimeSeries) -> TimeSeriesReference:
    """Return a range of samples: the whole series by default, an empty range of another one where there is none.

    Raises
    ------
    SchemaError
        When samples are out of range.
    """
    if series is None:
        return TimeSeriesReference.empty(spare)
    first = 0 if start is None or start < 0 else start
    length = series.num_samples
    number = count if count is not None and count >= 0 else (length or first) - first
    if length is not None and (first >= length or first + number > length):
        message = f"samples {first} to {first + number} must be in the series {series.name!r}, which has {length}"
        raise SchemaError(message)
    return TimeSeriesReference(first, number, series)


class _Grouping(DynamicTable):
    """A table whose rows are lists of rows of the table before."""

    #: Column that holds the lists, and the argument that names the table before.
    column: ClassVar[str] = ""
    argument: ClassVar[str] = ""

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; the table before becomes the target of the column."""
        self._before = values.pop(self.argument, None)
        values["description"] = values.get("description") or f"groups of rows of {self.column}"
        return super().prepare(values)

    def check(self) -> None:
        """Check the table, and set what its column is a region of."""
        super().check()
        self._connect()

    def _add_required_columns(self) -> None:
        super()._add_required_columns()
        self._connect()

    def _connect(self) -> None:
        region = self.find(self.column)
        if isinstance(region, DynamicTableRegion) and self._before is not None and "table" not in region.attributes:
            region.set_attribute("table", self._before)
            region.check_rows(region.data)

    def _add_group(self, rows: Any, values: dict[str, Any]) -> int:
        region = self.find(self.column)
        if isinstance(region, DynamicTableRegion) and "table" not in region.attributes:
            message = (
                f"table {self.name!r} must know the table that its rows group: give {self.argument} when it is made"
            )
            raise SchemaError(message)
        self.add_row({self.column: rows, **values}, enforce_unique_id="id" in values)
        return len(self) - 1


class SimultaneousRecordingsTable(_Grouping):
    """Intracellular recordings that were made at the same time."""

    column = "recordings"
    argument = "intracellular_recordings_table"

    def add_simultaneous_recording(self, recordings: Any, **values: Any) -> int:
        """Add a group of rows of the table of recordings, and return its row."""
        return self._add_group(recordings, values)


class SequentialRecordingsTable(_Grouping):
    """Simultaneous recordings that followed each other under one kind of stimulus."""

    column = "simultaneous_recordings"
    argument = "simultaneous_recordings_table"

    def add_sequential_recording(self, simultaneous_recordings: Any, stimulus_type: str, **values: Any) -> int:
        """Add a group of rows of the table of simultaneous recordings, and return its row."""
        return self._add_group(simultaneous_recordings, {"stimulus_type": stimulus_type, **values})


class RepetitionsTable(_Grouping):
    """Sequential recordings that repeat each other."""

    column = "sequential_recordings"
    argument = "sequential_recordings_table"

    def add_repetition(self, sequential_recordings: Any, **values: Any) -> int:
        """Add a group of rows of the table of sequential recordings, and return its row."""
        return self._add_group(sequential_recordings, values)


class ExperimentalConditionsTable(_Grouping):
    """Repetitions that were made under one condition."""

    column = "repetitions"
    argument = "repetitions_table"

    def add_experimental_condition(self, repetitions: Any, **values: Any) -> int:
        """Add a group of rows of the table of repetitions, and return its row."""
        return self._add_group(repetitions, values)


class SweepTable(DynamicTable):
    """Patch clamp series by sweep number; newer sessions use `IntracellularRecordingsTable`."""

    default_description = "patch clamp series by sweep"

    def add_entry(self, pcs: Any) -> None:
        """Add a patch clamp series; those of one sweep number share a row only when they come together.

        Raises
        ------
        MissingFieldError
            When the series has no sweep number.
        """
        if pcs.sweep_number is None:
            message = f"the series {pcs.name!r} must have a sweep_number to be in a sweep table"
            raise MissingFieldError(message)
        self.add_row(sweep_number=pcs.sweep_number, series=[pcs])

    def get_series(self, sweep_number: int) -> Any:
        """Return the series of a sweep, or None when there is no such sweep."""
        index: VectorIndex = self["series"]
        numbers = self["sweep_number"].entries()
        found = [item for row, number in enumerate(numbers) if number == sweep_number for item in index[row]]
        return found or None
