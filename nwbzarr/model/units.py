"""`Units`: sorted units, with spike times, waveforms and electrodes of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.errors import SchemaError
from nwbzarr.model.table_columns import chain_of
from nwbzarr.model.tables import DynamicTable

if TYPE_CHECKING:
    from nwbzarr.model.windows import AlignedSpikes

#: Attributes of the waveform columns of units, by argument.
_WAVEFORM_ATTRIBUTES = {
    "waveform_rate": "sampling_rate",
    "waveform_unit": "unit",
    "waveform_time_before_peak_in_ms": "time_before_peak_in_ms",
}
_WAVEFORM_COLUMNS = ("waveform_mean", "waveform_sd", "waveforms")


class Units(DynamicTable):
    """Sorted units: spike times, waveforms and electrodes of each.

    Parameters
    ----------
    name : str
        ``"units"`` in a session.
    description : str, optional
        How units were found.
    electrode_table : DynamicTable, optional
        Table that the column ``electrodes`` is a region of; the session's by default.
    waveform_rate : float, optional
        Sampling rate of the waveforms, in Hz.
    waveform_unit : str
        Unit of the waveforms.
    waveform_time_before_peak_in_ms : float, optional
        Time before the peak, in ms.
    resolution : float, optional
        Smallest possible difference between two spike times, in s.
    id, columns, colnames, target_tables, meanings_tables
        As for `DynamicTable`.
    """

    default_description = "sorted units"

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set; the rest are attributes of columns that may come later."""
        words = ("electrode_table", "resolution", *_WAVEFORM_ATTRIBUTES)
        self._column_attributes = {word: values.pop(word, None) for word in words}
        if self._column_attributes["waveform_unit"] is None:
            self._column_attributes["waveform_unit"] = "volts"
        return super().prepare(values)

    def check(self) -> None:
        """Check the table, and give columns that are there their attributes."""
        super().check()
        for name in self.colnames:
            self._describe_column(name)

    def add_column(self, name: str, *args: Any, **keywords: Any) -> Any:
        """Add a column; see `DynamicTable.add_column`."""
        made = super().add_column(name, *args, **keywords)
        self._describe_column(name)
        return made

    def _describe_column(self, name: str) -> None:
        column = chain_of(self.raw_column(name))[-1]
        given = getattr(self, "_column_attributes", {})
        if name == "electrodes" and "table" not in column.attributes:
            table = given.get("electrode_table") or self.electrode_table
            if table is not None:
                column.set_attribute("table", table)
                column.check_rows(column.data)
        attributes = {}
        if name in _WAVEFORM_COLUMNS:
            attributes = {word: given.get(argument) for argument, word in _WAVEFORM_ATTRIBUTES.items()}
        elif name == "spike_times":
            attributes = {"resolution": given.get("resolution")}
        for word, value in attributes.items():
            if value is not None and word not in column.attributes:
                column.set_attribute(word, value)

    def check_whole(self) -> None:
        """Raise `SchemaError` for what would be lost: attributes of columns that the table does not have."""
        super().check_whole()
        given = getattr(self, "_column_attributes", {})
        lost = [word for word in ("waveform_rate", "waveform_time_before_peak_in_ms") if given.get(word) is not None]
        lost = [] if any(name in self for name in _WAVEFORM_COLUMNS) else lost
        lost += ["resolution"] if given.get("resolution") is not None and "spike_times" not in self else []
        if lost:
            message = (
                f"Units {self.name!r} has {', '.join(lost)}, which belong to a column that is not there: add waveforms or "
                "spike_times, or leave them out"
            )
            raise SchemaError(message)

    @property
    def electrode_table(self) -> Any:
        """Table that the units' electrodes are rows of, or None."""
        given = getattr(self, "_column_attributes", {}).get("electrode_table")
        if given is not None:
            return given
        column = self.find("electrodes")
        if column is not None and "table" in column.attributes:
            return column.attributes["table"]
        return getattr(self.root, "electrodes", None)

    @property
    def fields(self) -> dict[str, Any]:
        """Values of the fields that are set, by name; those of the columns too."""
        words = ("resolution", *_WAVEFORM_ATTRIBUTES)
        values = {word: getattr(self, word) for word in words}
        return {**super().fields, **{word: value for word, value in values.items() if value is not None}}

    def _column_attribute(self, names: tuple[str, ...], word: str, argument: str) -> Any:
        for name in names:
            column = self.find(name)
            if column is not None and word in column.attributes:
                return column.attributes[word]
        return getattr(self, "_column_attributes", {}).get(argument)

    @property
    def waveform_rate(self) -> Any:
        """Sampling rate of the waveforms, in Hz, or None."""
        return self._column_attribute(_WAVEFORM_COLUMNS, "sampling_rate", "waveform_rate")

    @property
    def waveform_unit(self) -> Any:
        """Unit of the waveforms."""
        return self._column_attribute(_WAVEFORM_COLUMNS, "unit", "waveform_unit") or "volts"

    @property
    def waveform_time_before_peak_in_ms(self) -> Any:
        """Time before the peak of the waveforms, in ms, or None."""
        return self._column_attribute(_WAVEFORM_COLUMNS, "time_before_peak_in_ms", "waveform_time_before_peak_in_ms")

    @property
    def resolution(self) -> Any:
        """Smallest possible difference between two spike times, in s, or None."""
        return self._column_attribute(("spike_times",), "resolution", "resolution")

    def add_unit(  # noqa: PLR0913 - PyNWB's signature
        self,
        spike_times: Any = None,
        obs_intervals: Any = None,
        electrodes: Any = None,
        electrode_group: Any = None,
        waveform_mean: Any = None,
        waveform_sd: Any = None,
        waveforms: Any = None,
        id: int | None = None,  # noqa: A002 - PyNWB's name
        **values: Any,
    ) -> None:
        """Add a unit.

        Parameters
        ----------
        spike_times : array_like of float, optional
            In seconds.
        obs_intervals : array_like, optional
            Start and stop of intervals in which it was observed, in s; shape ``(n, 2)``.
        electrodes : list of int, optional
            Rows of the electrode table.
        electrode_group : ElectrodeGroup, optional
            Its group.
        waveform_mean, waveform_sd : array_like, optional
            Shape ``(num_samples,)`` or ``(num_samples, num_electrodes)``.
        waveforms : array_like, optional
            Waveform of every spike on every electrode; shape ``(num_spikes, num_electrodes, num_samples)``.
        id : int, optional
            Identifier.
        **values
            Values of the other columns.
        """
        given = {
            "spike_times": spike_times,
            "obs_intervals": None if obs_intervals is None else np.atleast_2d(np.asarray(obs_intervals)),
            "electrodes": electrodes,
            "electrode_group": electrode_group,
            "waveform_mean": waveform_mean,
            "waveform_sd": waveform_sd,
            "waveforms": waveforms,
        }
        self.add_row(**{name: value for name, value in given.items() if value is not None}, id=id, **values)

    def get_unit_spike_times(self, index: Any, in_interval: Any = None) -> Any:
        """Return the spike times of a unit, or of several, in seconds.

        Parameters
        ----------
        index : int or list of int
            Rows.
        in_interval : (float, float), optional
            Only spikes from the first time up to the second, both included.
        """
        if isinstance(index, list | tuple):
            return [self.get_unit_spike_times(item, in_interval) for item in index]
        times = np.asarray(self["spike_times"][index])
        if in_interval is None:
            return times
        start, stop = in_interval
        return times[(times >= start) & (times <= stop)]

    def align(self, events: Any, before: float, after: float) -> AlignedSpikes:
        """Return the spikes of all units around events; they are read when they are touched.

        Parameters
        ----------
        events : array_like of float
            Times in seconds.
        before, after : float
            How far windows reach, in seconds: spikes at ``event - before`` and later, before ``event + after``.

        Raises
        ------
        AnalysisError
            When an argument is no time.
        """
        from nwbzarr.model.windows import aligned_spikes

        return aligned_spikes(self, events, before, after)

    def get_starting_time(self) -> float | None:
        """Return the time of the first spike, in seconds, or None without spikes."""
        times = self._all_spike_times()
        return float(times.min()) if times.size else None

    def get_duration(self) -> float | None:
        """Return the time from the first spike to the last, in seconds, or None without spikes."""
        times = self._all_spike_times()
        return float(times.max() - times.min()) if times.size else None

    def _all_spike_times(self) -> np.ndarray[Any, Any]:
        column = self.find("spike_times")
        return np.empty(0) if column is None else np.asarray(column.all_values(), dtype=np.float64)  # type: ignore[attr-defined]

    def get_unit_obs_intervals(self, index: Any) -> Any:
        """Return the intervals in which a unit, or several, was observed; shape ``(n, 2)``, in seconds."""
        if isinstance(index, list | tuple):
            return [self.get_unit_obs_intervals(item) for item in index]
        return np.asarray(self["obs_intervals"][index])
