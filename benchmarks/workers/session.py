"""The session that every tool writes and reads, and the tools: the same lines of code for all of them.

nwbzarr has PyNWB's names, so one function makes the session with either library, and one touches it.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

SAMPLES = 1000
RATE = 1000.0
UNIT = "volts"
SESSION = {
    "session_description": "one TimeSeries after another",
    "identifier": "benchmark",
    "session_start_time": datetime(2019, 4, 3, 11, tzinfo=UTC),
}
SESSION_SCALARS = (
    "session_description",
    "identifier",
    "session_start_time",
    "timestamps_reference_time",
    "file_create_date",
)
SERIES_SCALARS = (
    "rate",
    "starting_time",
    "unit",
    "conversion",
    "offset",
    "resolution",
    "comments",
    "description",
    "object_id",
)


@dataclass(frozen=True)
class Tool:
    """A library that makes sessions, and the class that stores them."""

    library: str
    io_home: str
    io_class: str
    suffix: str

    def load(self) -> tuple[Any, Any]:
        """Return the library and the class, imported; what is made with them is imported too."""
        library = importlib.import_module(self.library)
        _ = library.NWBFile, library.TimeSeries
        return library, getattr(importlib.import_module(self.io_home), self.io_class)


TOOLS = {
    "nwbzarr": Tool("nwbzarr", "nwbzarr", "NWBZarrIO", ".nwb.zarr"),
    "hdmf-zarr": Tool("pynwb", "hdmf_zarr", "NWBZarrIO", ".nwb.zarr"),
    "PyNWB HDF5": Tool("pynwb", "pynwb", "NWBHDF5IO", ".nwb"),
}


def series_name(index: int) -> str:
    """Return the name of one series."""
    return f"series{index:05d}"


def starting_time(index: int) -> float:
    """Return when one series starts."""
    return index / 8


def make_samples(count: int) -> list[np.ndarray[Any, Any]]:
    """Return the samples of every series: noise of a signal's size, the same in every run."""
    import numpy as np

    noise = np.random.default_rng(0).normal(0, 50, (count, SAMPLES))
    return list(noise.astype(np.int16))


def make_session(library: Any, samples: Iterable[np.ndarray[Any, Any]]) -> Any:
    """Return the session in memory."""
    session = library.NWBFile(**SESSION)
    for index, data in enumerate(samples):
        series = library.TimeSeries(
            name=series_name(index), data=data, unit=UNIT, rate=RATE, starting_time=starting_time(index)
        )
        session.add_acquisition(series)
    return session


def touch(session: Any) -> dict[str, Any]:
    """Touch every container, and return what came out of it."""
    seen = {"series": 0, "rates": 0.0, "times": 0.0, "unit letters": 0, "samples": 0}
    for series in session.acquisition.values():
        seen["series"] += 1
        seen["rates"] += float(series.rate)
        seen["times"] += float(series.starting_time)
        seen["unit letters"] += len(series.unit)
        seen["samples"] += series.data.shape[0]
    return seen


def expected(count: int) -> dict[str, Any]:
    """Return what `touch` must give."""
    return {
        "series": count,
        "rates": RATE * count,
        "times": sum(map(starting_time, range(count))),
        "unit letters": len(UNIT) * count,
        "samples": SAMPLES * count,
    }


def read_scalars(session: Any) -> int:
    """Read every scalar of the session and of its series, and return how many there were."""
    series = list(session.acquisition.values())
    values = [getattr(session, name) for name in SESSION_SCALARS]
    values += [getattr(one, name) for one in series for name in SERIES_SCALARS]
    return len([value for value in values if value is not None])
