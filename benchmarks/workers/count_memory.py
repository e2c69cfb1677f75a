"""Count nwbzarr's requests on ``memory://`` with its own meter: ``python count_memory.py 300`` prints JSON."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any

import fsspec
import numpy as np
from session import make_samples, make_session, read_scalars, series_name

import nwbzarr

RAW, DERIVED = "memory://benchmark/raw.nwb.zarr", "memory://benchmark/derived.nwb.zarr"


def counted(meter: nwbzarr.Meter) -> dict[str, int]:
    """Return what was counted since the last call."""
    writes = Counter(key for kind, key in meter.keys if kind == "put")
    found = {
        "requests": meter.total,
        "round trips": meter.round_trips,
        "puts": writes.total(),
        "most puts of one object": max(writes.values(), default=0),
        "others": meter.total - writes.total(),
    }
    meter.reset()
    return found


def metered(meter: nwbzarr.Meter) -> nwbzarr.Manager:
    """Return a manager that knows no store yet."""
    return nwbzarr.Manager(meter=meter)


def main() -> None:
    meter, steps = nwbzarr.Meter(), {}

    session: Any = make_session(nwbzarr, make_samples(int(sys.argv[1])))
    with nwbzarr.NWBZarrIO(RAW, "w", manager=metered(meter)) as io:
        io.write(session)
    objects = len(fsspec.filesystem("memory").find(RAW.removeprefix("memory:/")))
    steps["write"] = {**counted(meter), "objects": objects}

    read_scalars(nwbzarr.open(RAW, manager=metered(meter)))
    steps["scalars"] = counted(meter)

    manager = metered(meter)
    copied = nwbzarr.open(RAW, manager=manager).copy()
    with nwbzarr.NWBZarrIO(DERIVED, "w", manager=manager) as io:
        io.write(copied)
    meter.reset()

    opened = nwbzarr.open(DERIVED, manager=metered(meter))
    steps["open"] = counted(meter)
    assert np.isfinite(opened.acquisition[series_name(0)].rate)
    steps["link"] = counted(meter)
    json.dump(steps, sys.stdout)


if __name__ == "__main__":
    main()
