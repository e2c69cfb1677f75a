"""An HDF5 session, converted by hdmf-zarr."""

from __future__ import annotations

from hdmf_zarr import NWBZarrIO
from pynwb import NWBHDF5IO


def run(source: str, target: str) -> None:
    """Convert a file as it is, with the namespaces that it has cached."""
    with NWBHDF5IO(source, "r", load_namespaces=True) as src_io, NWBZarrIO(target, "w") as out:
        out.export(src_io=src_io, write_args={"link_data": False})
