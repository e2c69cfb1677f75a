"""NWB sessions as Zarr v3, anywhere fsspec reaches.

>>> import numpy as np
>>> from nwbzarr import NWBFile, NWBZarrIO, TimeSeries

Names are imported when they are first used, so that ``import nwbzarr`` itself costs little.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nwbzarr import errors as errors

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nwbzarr.archive import check_archive as check_archive
    from nwbzarr.arrays.blocks import BlockCache as BlockCache
    from nwbzarr.checks import Problem as Problem
    from nwbzarr.checks import validate as validate
    from nwbzarr.explanations import explain as explain
    from nwbzarr.interop.conversion import compare as compare
    from nwbzarr.interop.conversion import convert as convert
    from nwbzarr.interop.conversion import explain_conversion as explain_conversion
    from nwbzarr.interop.indexing import write_index as write_index
    from nwbzarr.io import NWBZarrIO as NWBZarrIO
    from nwbzarr.io import open as open  # noqa: A004 - nwbzarr.open, like zarr.open; not for import *
    from nwbzarr.io import read_nwb as read_nwb
    from nwbzarr.layout.explanation import Explanation as Explanation
    from nwbzarr.layout.rules import LayoutWish as LayoutWish
    from nwbzarr.model.data_io import ZarrDataIO as ZarrDataIO
    from nwbzarr.model.namespaces import get_class as get_class
    from nwbzarr.model.namespaces import load_namespace as load_namespace
    from nwbzarr.model.neurodata import *  # noqa: F403 - the stub has every type
    from nwbzarr.model.samples import TimeSeriesReference as TimeSeriesReference
    from nwbzarr.moving.copying import copy as copy
    from nwbzarr.moving.links import links as links
    from nwbzarr.moving.links import relink as relink
    from nwbzarr.moving.packing import pack as pack
    from nwbzarr.moving.pulling import pull as pull
    from nwbzarr.reading.arrays import LazyArray as LazyArray
    from nwbzarr.reading.managers import Manager as Manager
    from nwbzarr.stores.metered import Meter as Meter
    from nwbzarr.stores.metered import MeteredStore as MeteredStore
    from nwbzarr.writing.progress import Progress as Progress

_HOMES = {
    "nwbzarr.archive": ("check_archive",),
    "nwbzarr.arrays.blocks": ("BlockCache",),
    "nwbzarr.checks": ("Problem", "validate"),
    "nwbzarr.explanations": ("explain",),
    "nwbzarr.interop.conversion": ("compare", "convert", "explain_conversion"),
    "nwbzarr.interop.indexing": ("write_index",),
    "nwbzarr.io": ("NWBZarrIO", "open", "read_nwb"),
    "nwbzarr.layout.explanation": ("Explanation",),
    "nwbzarr.layout.rules": ("LayoutWish",),
    "nwbzarr.model.samples": ("TimeSeriesReference",),
    "nwbzarr.model.data_io": ("ZarrDataIO",),
    "nwbzarr.model.namespaces": ("get_class", "load_namespace"),
    "nwbzarr.moving.copying": ("copy",),
    "nwbzarr.moving.links": ("links", "relink"),
    "nwbzarr.moving.packing": ("pack",),
    "nwbzarr.moving.pulling": ("pull",),
    "nwbzarr.reading.arrays": ("LazyArray",),
    "nwbzarr.reading.managers": ("Manager",),
    "nwbzarr.stores.metered": ("Meter", "MeteredStore"),
    "nwbzarr.writing.progress": ("Progress",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _HOME_OF:
        value = getattr(importlib.import_module(_HOME_OF[name]), name)
    elif name[:1].isupper() or name == "__all__":
        # Neurodata types, and the list of them with all other public names.
        neurodata = importlib.import_module("nwbzarr.model.neurodata")
        value = (
            sorted({*_HOME_OF, *neurodata.__all__, "errors"} - {"open"})
            if name == "__all__"
            else getattr(neurodata, name)
        )
    else:
        message = f"module 'nwbzarr' has no attribute {name!r}"
        raise AttributeError(message)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted({*globals(), *_HOME_OF, *__getattr__("__all__")})
