"""Lazy computations on series, with Dask: maps over blocks, filters, levels, spectra, spikes.

>>> from nwbzarr import analysis
>>> filtered = analysis.bandpass(session.acquisition["raw"], 300, 6000)  # doctest: +SKIP

Each gives a series, or a Dask array, that is computed when it is read or written, by whichever scheduler Dask is told to
use. This room refuses to schedule anything. Names are imported when they are first used: workers, which import the
kernels below this room, import neither model nor session.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nwbzarr.arrays.stored import import_graphs

if TYPE_CHECKING:
    from nwbzarr.analysis.filters import bandpass as bandpass
    from nwbzarr.analysis.filters import decimate as decimate
    from nwbzarr.analysis.filters import envelope as envelope
    from nwbzarr.analysis.filters import highpass as highpass
    from nwbzarr.analysis.filters import lowpass as lowpass
    from nwbzarr.analysis.filters import moving_average as moving_average
    from nwbzarr.analysis.filters import notch as notch
    from nwbzarr.analysis.filters import resample as resample
    from nwbzarr.analysis.maps import map_blocks as map_blocks
    from nwbzarr.analysis.maps import map_overlap as map_overlap
    from nwbzarr.analysis.provenance import Provenance as Provenance
    from nwbzarr.analysis.provenance import Step as Step
    from nwbzarr.analysis.provenance import provenance_of as provenance_of
    from nwbzarr.analysis.scaling import common_reference as common_reference
    from nwbzarr.analysis.scaling import detrend as detrend
    from nwbzarr.analysis.scaling import zscore as zscore
    from nwbzarr.analysis.spectra import Spectrum as Spectrum
    from nwbzarr.analysis.spectra import fft as fft
    from nwbzarr.analysis.spectra import spectrogram as spectrogram
    from nwbzarr.analysis.spectra import welch as welch
    from nwbzarr.analysis.spikes import detect_spikes as detect_spikes
    from nwbzarr.analysis.spikes import noise_levels as noise_levels

_HOMES = {
    "filters": ("bandpass", "decimate", "envelope", "highpass", "lowpass", "moving_average", "notch", "resample"),
    "maps": ("map_blocks", "map_overlap"),
    "provenance": ("Provenance", "Step", "provenance_of"),
    "scaling": ("common_reference", "detrend", "zscore"),
    "spectra": ("Spectrum", "fft", "spectrogram", "welch"),
    "spikes": ("detect_spikes", "noise_levels"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 - a list of text


def __getattr__(name: str) -> Any:
    """Import a name when it is first used; `MissingExtraError` without Dask."""
    if name not in _HOME_OF:
        message = f"module 'nwbzarr.analysis' has no attribute {name!r}"
        raise AttributeError(message)
    import_graphs()
    value = getattr(importlib.import_module(f"nwbzarr.analysis.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the names."""
    return __all__
