"""What hdmf-zarr finds in a session with the made-up extension, which is not installed there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pynwb
from hdmf_zarr import NWBZarrIO


def run(path: str) -> dict[str, Any]:
    """Return the values of the extension's objects, and the validator's complaints."""
    with NWBZarrIO(path, "r") as io:
        session = io.read()
        rig, licks, lamp = session.lab_meta_data["rig"], session.acquisition["licks"], session.devices["lamp"]
        rows = [rig.edges.data[index] for index in range(2)]
        found = {
            "types": [f"{type(item).__name__} {item.namespace}" for item in (rig, licks, lamp, rig.ratings)],
            "bases": [
                isinstance(licks, pynwb.TimeSeries),
                isinstance(lamp, pynwb.device.Device),
                isinstance(rig, pynwb.file.LabMetaData),
            ],
            "rig": [int(rig.serial), rig.kind, float(rig.gain)],
            "lamp": [float(lamp.watts), lamp.manufacturer],
            "licks": [int(licks.spout), licks.side, licks.unit, float(licks.rate), _plain(licks.data)],
            "same": [licks.lamp is lamp, rig.main is lamp, rig.watched is licks],
            "temperature": _plain(rig.temperature),
            "corners": [[float(row[0]), int(row[1])] for row in rig.corners[:]],
            "edges": [[int(row[0]), float(row[1]), row[2].name] for row in rows],
            "spare": {name: float(item.watts) for name, item in rig.lab_lamps.items()},
            "ratings": {name: _plain(rig.ratings[name].data) for name in rig.ratings.colnames},
            "score": [
                type(rig.ratings["score"]).__name__,
                rig.ratings["score"].rater,
                float(rig.ratings["score"].scale),
            ],
        }
        complaints = [str(error) for error in pynwb.validate(io=io)]
    return {"found": found, "complaints": complaints}


def _plain(data: Any) -> Any:
    return np.asarray(data[:]).tolist()
