"""Recordings to compute with: stored in small shards, in memory, on Dask, or computed from another one.

Blocks of results are normally as large as what is stored as one object; `in_blocks` makes them small, so that a few
hundred samples have many borders.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import dask
import dask.array
import numpy as np
import pytest

from nwbzarr import ElectricalSeries, NWBFile, NWBZarrIO, TimeSeries, ZarrDataIO, analysis
from nwbzarr.analysis import maps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nwbzarr import Manager

AnyArray = np.ndarray[Any, Any]

RATE: Final = 1000.0
START: Final = 2.5
LENGTH: Final = 600

#: Blocks that are shorter than filters reach, that end in the midst of chunks, and the whole series.
BLOCKS: Final = (31, 250, 10_000)

#: Where samples come from, and what a sample is.
SOURCES: Final = ("stored", "memory", "dask", "chained")
RESTS: Final = ((), (3,), (3, 2))
TYPES: Final = ("int16", "float32", "float64")


@contextmanager
def in_blocks(rows: int) -> Iterator[None]:
    """Have results made in blocks of so many samples; what is made here may be computed elsewhere."""

    def plan(shape: tuple[int, ...], *_: Any, **__: Any) -> Any:
        return SimpleNamespace(objects=(max(min(rows, shape[0]), 1), *shape[1:]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maps, "plan_layout", plan)
        yield


def computed(lazy: Any) -> AnyArray:
    """Return the values of a Dask array, or of a series that has one, whose dtype and shape are as it says."""
    data: Any = lazy.data if isinstance(lazy, TimeSeries) else lazy
    with dask.config.set(scheduler="sync"):
        found = np.asarray(data.compute())
    assert found.dtype == data.dtype
    assert found.shape == data.shape
    return found


def computed_by_blocks(lazy: Any) -> list[AnyArray]:
    """Return every block along time by itself, each of the size that it says."""
    with dask.config.set(scheduler="sync"):
        found = [np.asarray(lazy.data.blocks[number].compute()) for number in range(lazy.data.numblocks[0])]
    assert [len(block) for block in found] == list(lazy.data.chunks[0])
    return found


def bare(identifier: str = "recordings") -> NWBFile:
    """Return a session without anything."""
    return NWBFile("recordings", identifier, datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC))


def noise(rest: tuple[int, ...] = (), dtype: str = "int16", length: int = LENGTH, seed: int = 0) -> AnyArray:
    """Return samples that nothing in them makes easy: noise, a drift, and a step."""
    random = np.random.default_rng(seed)
    steady = random.normal(0, 300, (length, *rest))
    steady += np.linspace(-500, 900, length).reshape(-1, *(1 for _ in rest))
    steady[length // 3 :] += 1000
    kind = np.dtype(dtype)
    return np.rint(steady).astype(kind) if kind.kind in "iu" else steady.astype(kind)


def sharded(data: AnyArray) -> ZarrDataIO:
    """Return data to be stored in many shards, also across channels."""
    rest = tuple(min(size, 2) for size in data.shape[1:])
    return ZarrDataIO(data, chunks=(20, *rest), shards=(60, *rest))


def with_electrodes(session: NWBFile, count: int) -> Any:
    """Return a region of all but the first electrode of a table that is made here."""
    device = session.create_device("probe")
    group = session.create_electrode_group("shank", "sites", location="CA1", device=device)
    for site in range(count + 1):
        session.add_electrode(group=group, location=f"CA{site}", rel_y=20.0 * site)
    return session.create_electrode_table_region(list(range(1, count + 1)), "sites")


def store(*series: TimeSeries, url: str | None = None, manager: Manager | None = None) -> Any:
    """Store series in a session, in memory by default, and return it as it is read."""
    session = bare()
    for each in series:
        session.add_acquisition(each)
    return store_session(session, url, manager)


def store_session(session: NWBFile, url: str | None = None, manager: Manager | None = None) -> Any:
    """Store a session, in memory by default, and return it as it is read."""
    url = url or f"memory://{uuid.uuid4().hex}.nwb.zarr"
    with NWBZarrIO(url, "w", manager) as io:
        io.write(session)
    return NWBZarrIO(url, "r", manager).read()


def plain_series(data: Any, **fields: Any) -> TimeSeries:
    """Return a series in memory."""
    times = {} if "timestamps" in fields else {"rate": RATE, "starting_time": START}
    return TimeSeries("raw", data=data, **{"unit": "volts", **times, **fields})


def stored_series(data: AnyArray, **fields: Any) -> Any:
    """Return a stored series."""
    return store(plain_series(sharded(data), **fields)).acquisition["raw"]


def stored_electrical(data: AnyArray, url: str | None = None, manager: Manager | None = None, **fields: Any) -> Any:
    """Return a stored series with electrodes, one for each channel."""
    session = bare()
    region = with_electrodes(session, data.shape[1])
    times: dict[str, Any] = {} if "timestamps" in fields else {"rate": RATE, "starting_time": START}
    session.add_acquisition(ElectricalSeries("raw", data=sharded(data), electrodes=region, **times, **fields))
    return store_session(session, url, manager).acquisition["raw"]


@cache
def _stored_noise(rest: tuple[int, ...], dtype: str) -> Any:
    return stored_series(noise(rest, dtype))


def same(block: AnyArray) -> AnyArray:
    """Return a block as it is."""
    return block


def recording(source: str, rest: tuple[int, ...] = (3,), dtype: str = "int16") -> TimeSeries:
    """Return a series with the samples of `noise`, from one of `SOURCES`."""
    if source == "memory":
        return plain_series(noise(rest, dtype))
    if source == "dask":
        return plain_series(dask.array.from_array(noise(rest, dtype), chunks=(70, *(2 for _ in rest))))
    stored: TimeSeries = _stored_noise(rest, dtype)
    if source == "stored":
        return stored
    with in_blocks(41):
        chained: TimeSeries = analysis.map_blocks(stored, same, dtype=dtype)
    return chained


def origin_of(series: Any) -> Any:
    """Return what is noted of where a series comes from."""
    noted = analysis.provenance_of(series)
    assert noted is not None
    return noted


def largest(values: AnyArray) -> float:
    """Return the largest absolute value."""
    return float(np.abs(np.asarray(values, dtype=np.float64)).max())


def assert_near(found: AnyArray, wanted: AnyArray, error: float) -> None:
    """Check values against those of SciPy: an absolute error, and the rounding of the dtype that they are in."""
    assert found.shape == wanted.shape
    rounding = 2.0 * float(np.finfo(found.dtype).eps) * max(largest(wanted), error)
    off = np.abs(found.astype(np.float64) - wanted)
    assert not np.isnan(off).any()
    worst = np.unravel_index(int(off.argmax()), off.shape)
    assert off.max() <= error + rounding, f"{off.max()} at {worst}, {error + rounding} is allowed"
