"""Kinds of data that sessions hold, as chunks of about 2 MB: seeded, so the same in every run.

All but the rat's local field potential are synthetic. How well codecs do depends on the noise, so ratios compare codecs
of one kind, and not kinds with each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from options import data_folder
from workers.recording import CHANNELS, RATE, Recording

if TYPE_CHECKING:
    from collections.abc import Callable

Array = np.ndarray[Any, Any]

SEED = 20190403
LFP = "rat_hippocampus_lfp_1000hz_int16.npy"

#: Decoded bytes of a chunk, and channels in it, as the planner has them.
CHUNK_BYTES, CHUNK_CHANNELS = 1_920_000, 96

#: Volts of one count.
VOLTS = 0.195e-6

FRAME = (512, 512)
FRAMES = 3
WINDOW, HOP = 512, 32
TEXTS = 30_000


@dataclass(frozen=True)
class Kind:
    """Some chunks of one kind of data."""

    name: str
    chunks: tuple[Array, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Their dtype; object for text."""
        return self.chunks[0].dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of each."""
        return self.chunks[0].shape


def all_kinds(count: int) -> list[Kind]:
    """Return every kind, with `count` chunks where the data suffice."""
    kinds = [Kind(name, tuple(make(count))) for name, make in MAKERS.items()]
    recorded = data_folder() / LFP
    if recorded.exists():
        kinds.insert(1, Kind("int16 rat LFP, real, one channel", (np.load(recorded),)))
    return kinds


@cache
def probe(seconds: float) -> Array:
    """Return synthetic electrophysiology of all channels, as int16."""
    return np.concatenate(list(Recording(seconds).blocks()))


@cache
def _filtered() -> Array:
    """Return the spike band of two seconds of some channels, in volts."""
    from scipy.signal import butter, sosfiltfilt

    band = butter(4, (300, 6000), "bandpass", fs=RATE, output="sos")
    return np.asarray(sosfiltfilt(band, probe(2)[:, :CHUNK_CHANNELS].astype(np.float64), axis=0) * VOLTS)


def _random(salt: int) -> np.random.Generator:
    return np.random.default_rng((SEED, salt))


def _cut(values: Array, count: int) -> list[Array]:
    """Return chunks of a series: one after the other, one channel group where there are channels."""
    width = min(values.shape[1], CHUNK_CHANNELS) if values.ndim > 1 else 1
    rows = CHUNK_BYTES // (width * values.dtype.itemsize)
    parts = [values[start : start + rows] for start in range(0, len(values) - rows + 1, rows)][:count]
    return [np.ascontiguousarray(part[:, :width] if part.ndim > 1 else part) for part in parts]


def _length(count: int, itemsize: int = 8) -> int:
    return count * (CHUNK_BYTES // itemsize)


def _ephys(count: int) -> list[Array]:
    rows = CHUNK_BYTES // (2 * CHUNK_CHANNELS)
    groups = range(0, CHANNELS, CHUNK_CHANNELS)
    parts = [probe(2)[:rows, first : first + CHUNK_CHANNELS] for first in groups]
    return [np.ascontiguousarray(part) for part in parts[:count]]


def _odd(count: int) -> list[Array]:
    """Return chunks as 385 channels have them: their values are no multiple of eight, which Blosc's bitshuffle wants."""
    return [np.ascontiguousarray(probe(2)[:12_467, first : first + 77]) for first in range(0, 308, 77)][:count]


def _ends(count: int) -> list[Array]:
    return _cut(np.cumsum(_random(1).integers(50, 350, _length(count))), count)


def _scaled(count: int) -> list[Array]:
    return _cut((probe(2) * VOLTS).astype(np.float32), count)


def _regular(count: int) -> Array:
    return 12.5 + np.arange(_length(count)) / RATE


def _jittered(count: int) -> list[Array]:
    jitter = _random(2).normal(0, 3e-6, _length(count))
    return _cut(np.sort(_regular(count) + jitter), count)


def _spike_times(count: int) -> Array:
    """Return times of units within an hour, 5,000 of each, one unit after the other, each sorted."""
    times = _random(3).uniform(0, 3600, (_length(count) // 5000, 5000))
    return np.sort(times, axis=1).reshape(-1)


def _images(count: int) -> list[Array]:
    """Return frames of calcium imaging: photon noise on a smooth background."""
    down, across = np.ogrid[: FRAME[0], : FRAME[1]]
    background = 300 + 200 * np.sin(down / 70) * np.cos(across / 90)
    random = _random(4)
    return [random.poisson(background, (FRAMES, *FRAME)).astype(np.uint16) for _ in range(count)]


def _spectrum(count: int) -> list[Array]:
    """Return the short-time Fourier transform of one channel."""
    windows = np.lib.stride_tricks.sliding_window_view(probe(2)[:, 7] * VOLTS, WINDOW)[::HOP]
    found = np.fft.rfft(windows * np.hanning(WINDOW), axis=1)
    rows = CHUNK_BYTES // (16 * found.shape[1])
    return [found[start : start + rows] for start in range(0, len(found) - rows + 1, rows)][:count]


def _runs(count: int) -> list[Array]:
    """Return a mask that stays as it is for 5,000 samples on average."""
    switches = _random(5).random(_length(count, 1)) < 1 / 5000
    return _cut(np.cumsum(switches) % 2 == 1, count)


def _noise(count: int) -> list[Array]:
    return _cut(_random(6).random(_length(count, 1)) < 0.5, count)


def _labels(count: int) -> list[Array]:
    words = np.array(["CA1", "CA3", "dentate gyrus", "VISp", "VISl", "root", "good", "mua", "noise"], dtype=object)
    return [_random(7 + index).choice(words, TEXTS) for index in range(count)]


def _sentences(count: int) -> list[Array]:
    """Return sentences of 4 to 16 of 5,000 made-up words; some words come often."""
    random = _random(20)
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    words = ["".join(random.choice(letters, size)) for size in random.integers(2, 11, 5000)]
    weights = 1 / np.arange(1, 5001)
    chosen = iter(random.choice(words, 17 * TEXTS * count, p=weights / weights.sum()).tolist())
    sizes = random.integers(4, 17, (count, TEXTS)).tolist()
    return [np.array([" ".join(next(chosen) for _ in range(size)) for size in row], dtype=object) for row in sizes]


MAKERS: dict[str, Callable[[int], list[Array]]] = {
    "int16 electrophysiology": _ephys,
    "int16 electrophysiology, no multiple of eight": _odd,
    "int64 ends of 999 ragged rows": lambda count: [part[:999].copy() for part in _ends(count)],
    "int64 ends of 1,000 ragged rows": lambda count: [part[:1000].copy() for part in _ends(count)],
    "int64 row numbers": lambda count: _cut(np.arange(_length(count)), count),
    "int64 ends of ragged rows": _ends,
    "float32 electrophysiology, spike band in volts": lambda count: _cut(_filtered().astype(np.float32), count),
    "float64 electrophysiology, spike band in volts": lambda count: _cut(_filtered(), count),
    "float32 int16 counts times a factor, not filtered": _scaled,
    "float64 timestamps, regular": lambda count: _cut(_regular(count), count),
    "float64 timestamps, jitter of 3 µs": _jittered,
    "float64 spike times, any": lambda count: _cut(_spike_times(count), count),
    "float64 spike times, whole samples at 30 kHz": lambda count: _cut(
        np.rint(_spike_times(count) * RATE) / RATE, count
    ),
    "uint16 imaging": _images,
    "complex128 spectrum": _spectrum,
    "bool mask, long runs": _runs,
    "bool mask, random": _noise,
    "text labels of nine": _labels,
    "text sentences": _sentences,
}
