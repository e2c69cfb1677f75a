"""The tables that every tool writes and reads: electrodes, trials with references, ragged units.

As in `session`, one function makes or reads them with either library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ELECTRODES_PER_GROUP = 100
SERIES = 100
SERIES_SAMPLES = 1000
UNIT_ELECTRODES = 4
PROBE = 256


def make_electrodes(library: Any, count: int) -> Any:
    """Return a session with a table of electrodes, in groups of a hundred."""
    session = _new_session(library)
    _add_electrodes(session, count)
    return session


def make_references(library: Any, count: int) -> Any:
    """Return a session with trials, each with a reference to samples of one of a hundred series."""
    import numpy as np

    session = _new_session(library)
    series = []
    for index in range(SERIES):
        samples = np.arange(SERIES_SAMPLES, dtype=np.int16) + index
        one = library.TimeSeries(name=series_name(index), data=samples, unit="volts", rate=10.0)
        session.add_acquisition(one)
        series.append(one)
    for index in range(count):
        start = float(index % 90)
        session.add_trial(start_time=start, stop_time=start + 2.0, timeseries=[series[index % SERIES]])
    return session


def make_units(library: Any, count: int) -> Any:
    """Return a session with ragged units: spike times, and rows of a table of electrodes."""
    import numpy as np

    session = _new_session(library)
    _add_electrodes(session, PROBE)
    for index, spikes in enumerate(spike_counts(count)):
        times = np.arange(spikes) / 8 + index
        session.add_unit(spike_times=times, electrodes=[(index + offset) % PROBE for offset in range(UNIT_ELECTRODES)])
    return session


def read_electrodes(session: Any) -> dict[str, Any]:
    """Return the size of the table of electrodes, and what its last row says."""
    table = session.electrodes
    return {"rows": len(table), "last": float(table["x"][len(table) - 1]), "group": table["group"][len(table) - 1].name}


def read_rows(session: Any) -> dict[str, Any]:
    """Resolve the reference of each trial, one row after another."""
    column = session.trials["timeseries"]
    return _seen(column[row][0] for row in range(len(session.trials)))


def read_column(session: Any) -> dict[str, Any]:
    """Resolve the references of all trials, taken in one slice."""
    return _seen(row[0] for row in session.trials["timeseries"][:])


def read_units(session: Any) -> dict[str, Any]:
    """Return all units as a frame, with the rows of the electrodes as frames in it, and look at the last one."""
    frame = session.units.to_dataframe()
    last = frame.iloc[-1]
    return {
        "rows": len(frame),
        "spikes": sum(map(len, frame["spike_times"])),
        "last spike": float(last["spike_times"][-1]),
        "electrodes": [int(row) for row in last["electrodes"].index],
        "location": str(last["electrodes"]["location"].iloc[0]),
    }


def read_plain_units(session: Any) -> dict[str, Any]:
    """Return all units as a frame, with the numbers of electrodes in it."""
    frame = session.units.to_dataframe(index=True)
    return {"rows": len(frame), "electrodes": [int(row) for row in frame["electrodes"].iloc[-1]]}


def read_spike_times(session: Any) -> dict[str, Any]:
    """Return all units as a frame without their electrodes."""
    frame = session.units.to_dataframe(exclude={"electrodes"})
    return {"rows": len(frame), "spikes": sum(map(len, frame["spike_times"]))}


def expected(task: str, count: int) -> dict[str, Any]:
    """Return what reading must give."""
    if task == "electrodes":
        last = count - 1
        return {"rows": count, "last": float(last), "group": group_name(last)}
    if task in ("rows", "column"):
        starts = sum(int((index % 90) * 10.0) for index in range(count))
        names = sorted({series_name(index % SERIES) for index in range(count)})
        return {"references": count, "starts": starts, "samples": 20 * count, "series": len(names)}
    electrodes = [(count - 1 + offset) % PROBE for offset in range(UNIT_ELECTRODES)]
    if task == "plain units":
        return {"rows": count, "electrodes": electrodes}
    spikes = spike_counts(count)
    if task == "spike times":
        return {"rows": count, "spikes": sum(spikes)}
    return {
        "rows": count,
        "spikes": sum(spikes),
        "last spike": (spikes[-1] - 1) / 8 + count - 1,
        "electrodes": electrodes,
        "location": "CA1",
    }


def spike_counts(count: int) -> list[int]:
    """Return how many spikes each unit has: 50 to 349, the same in every run."""
    return [50 + index * 7919 % 300 for index in range(count)]


def series_name(index: int) -> str:
    """Return the name of one series."""
    return f"series{index:03d}"


def group_name(electrode: int) -> str:
    """Return the name of the group that an electrode belongs to."""
    return f"shank{electrode // ELECTRODES_PER_GROUP:03d}"


def _new_session(library: Any) -> Any:
    from session import SESSION

    return library.NWBFile(**SESSION)


def _add_electrodes(session: Any, count: int) -> None:
    device = session.create_device(name="probe")
    groups = {}
    for index in range(count):
        name = group_name(index)
        if name not in groups:
            groups[name] = session.create_electrode_group(
                name=name, description="a shank", location="CA1", device=device
            )
        session.add_electrode(x=float(index), y=0.5, z=-1.0, location="CA1", filtering="none", group=groups[name])


def _seen(references: Any) -> dict[str, Any]:
    seen = {"references": 0, "starts": 0, "samples": 0}
    names = set()
    for reference in references:
        seen["references"] += 1
        seen["starts"] += int(reference.idx_start)
        seen["samples"] += int(reference.count)
        names.add(reference.timeseries.name)
    return {**seen, "series": len(names)}


MAKE: dict[str, Callable[[Any, int], Any]] = {
    "electrodes": make_electrodes,
    "references": make_references,
    "units": make_units,
}
READ: dict[str, Callable[[Any], dict[str, Any]]] = {
    "electrodes": read_electrodes,
    "rows": read_rows,
    "column": read_column,
    "units": read_units,
    "plain units": read_plain_units,
    "spike times": read_spike_times,
}
