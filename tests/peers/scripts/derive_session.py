"""The peer's own second step: a session that links another, or grows, or is exported."""

from __future__ import annotations

import numpy as np
import pynwb
from hdmf_zarr import NWBZarrIO


def run(step: str, source: str, target: str) -> None:
    """Do one step.

    Parameters
    ----------
    step : str
        ``"copy"``, ``"export"``, ``"grow"``, or ``"mix"``, which gives a session electrodes of its own and links the
        electrical series of another.
    source, target : str
        Places of the stores; the same twice for one that grows.
    """
    {"copy": _copy, "export": _export, "grow": _grow, "mix": _mix}[step](source, target)


def _copy(source: str, target: str) -> None:
    with NWBZarrIO(source, "r") as io:
        made = io.read().copy()
        module = made.create_processing_module(name="theirs", description="made by the peer")
        module.add(pynwb.TimeSeries(name="derived", data=np.arange(5.0), unit="m", rate=1.0))
        with NWBZarrIO(target, "w", manager=io.manager) as out:
            out.write(made)


def _export(source: str, target: str) -> None:
    with NWBZarrIO(source, "r") as io, NWBZarrIO(target, "w") as out:
        out.export(src_io=io, write_args={"link_data": False})


def _grow(source: str, _: str) -> None:
    with NWBZarrIO(source, "r+") as io:
        session = io.read()
        session.add_acquisition(pynwb.TimeSeries(name="added", data=np.arange(5.0), unit="m", rate=1.0))
        io.write(session)


def _mix(source: str, target: str) -> None:
    with NWBZarrIO(source, "r") as io:
        raw = io.read()
        made = pynwb.NWBFile(
            session_description="with electrodes of its own",
            identifier="mix",
            session_start_time=raw.session_start_time,
        )
        device = made.create_device(name="other probe")
        group = made.create_electrode_group(name="other", description="o", location="OTHER", device=device)
        for _ in range(2):
            made.add_electrode(group=group, location="OTHER")
        made.add_acquisition(raw.acquisition["ephys"])
        with NWBZarrIO(target, "w", manager=io.manager) as out:
            out.write(made)
