"""NWB sessions as Zarr v3, anywhere fsspec reaches.

>>> import numpy as np
>>> from nwbzarr import NWBFile, NWBZarrIO, TimeSeries

Names are imported when they are first used, so that ``import nwbzarr`` itself costs little.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nwbzarr import errors

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nwbzarr.io import NWBZarrIO, read_nwb
    from nwbzarr.io import open as open  # noqa: A004 - nwbzarr.open, like zarr.open; not for import *
    from nwbzarr.model.base import Device, ProcessingModule, ScratchData, Subject, TimeSeries
    from nwbzarr.model.containers import Container, Data, LabMetaData, NWBContainer, NWBData, NWBDataInterface
    from nwbzarr.model.data_io import ZarrDataIO
    from nwbzarr.model.nwbfile import NWBFile
    from nwbzarr.reading.arrays import LazyArray
    from nwbzarr.reading.sessions import Manager
    from nwbzarr.stores.metered import Meter, MeteredStore

_HOMES = {
    "nwbzarr.io": ("NWBZarrIO", "open", "read_nwb"),
    "nwbzarr.model.base": ("Device", "ProcessingModule", "ScratchData", "Subject", "TimeSeries"),
    "nwbzarr.model.containers": ("Container", "Data", "LabMetaData", "NWBContainer", "NWBData", "NWBDataInterface"),
    "nwbzarr.model.data_io": ("ZarrDataIO",),
    "nwbzarr.model.nwbfile": ("NWBFile",),
    "nwbzarr.reading.arrays": ("LazyArray",),
    "nwbzarr.reading.sessions": ("Manager",),
    "nwbzarr.stores.metered": ("Meter", "MeteredStore"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Container",
    "Data",
    "Device",
    "LabMetaData",
    "LazyArray",
    "Manager",
    "Meter",
    "MeteredStore",
    "NWBContainer",
    "NWBData",
    "NWBDataInterface",
    "NWBFile",
    "NWBZarrIO",
    "ProcessingModule",
    "ScratchData",
    "Subject",
    "TimeSeries",
    "ZarrDataIO",
    "errors",
    "read_nwb",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    home = _HOME_OF.get(name)
    if home is None:
        message = f"module 'nwbzarr' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted({*globals(), *_HOME_OF})
