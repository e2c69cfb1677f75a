"""Synthetic int16 electrophysiology, 30 kHz x 384 channels, made block by block from a seed.

It is no recording: noise that neighbouring channels share, noise of each channel's own, spikes of the same shape over
a few channels, and a slow drift. Its size after gzip is set to that of `NOISE`, which is what decides how well codecs do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Samples = np.ndarray[Any, np.dtype[np.int16]]

RATE = 30_000
CHANNELS = 384
SEED = 20190403

#: Standard deviation of each channel's own noise, in counts. The calibrated figure: gzip-4 with h5py's chunks gives 1.85.
NOISE = 8.0
#: Standard deviation of the noise that neighbours share, how many channels one source reaches, and how it decays.
SHARED, REACH, DECAY = 36.0, 16.0, 0.985
#: Height and period of the slow drift, in counts and seconds.
DRIFT, PERIOD = 60.0, 7.0
#: Units, their spikes per second, and the samples and channels that one spike covers.
UNITS, SPIKES_PER_SECOND, SPIKE_SAMPLES, SPIKE_CHANNELS = 120, 6.0, 40, 12


@dataclass(frozen=True)
class Recording:
    """The samples of some seconds; the same in every run."""

    seconds: float
    seed: int = SEED

    @property
    def shape(self) -> tuple[int, int]:
        """Samples and channels."""
        return round(self.seconds * RATE), CHANNELS

    def save(self, place: Path) -> None:
        """Write all samples into a ``.npy`` file, a block in memory at a time."""
        stored = np.lib.format.open_memmap(place, "w+", np.int16, self.shape)
        start = 0
        for block in self.blocks():
            stored[start : start + len(block)] = block
            start += len(block)
        stored.flush()

    def blocks(self) -> Iterator[Samples]:
        """Yield one second after another; the last may be shorter."""
        sources, templates = _Sources(self.seed), _templates(self.seed)
        for index, start in enumerate(range(0, self.shape[0], RATE)):
            random = np.random.default_rng((self.seed, index))
            block = sources.next_block(random) + NOISE * random.standard_normal((RATE, CHANNELS), np.float32)
            block += _drift(start)
            _add_spikes(block, templates, random)
            yield np.rint(block[: self.shape[0] - start]).astype(np.int16)


class _Sources:
    """Noise that is correlated in time, and that neighbouring channels share; it goes on from block to block."""

    def __init__(self, seed: int) -> None:
        channels = np.arange(CHANNELS)
        centres = np.linspace(0, CHANNELS - 1, round(2 * CHANNELS / REACH))
        weights = np.exp(-0.5 * ((channels - centres[:, None]) / (REACH / 2)) ** 2)
        weights *= np.random.default_rng((seed, 1 << 32)).uniform(0.8, 1.2, (len(centres), 1))
        self._weights = (SHARED * weights / np.linalg.norm(weights, axis=0)).astype(np.float32)
        self._state = np.zeros((1, len(centres)))

    def next_block(self, random: np.random.Generator) -> np.ndarray[Any, Any]:
        """Return the shared noise of the next second."""
        from scipy.signal import lfilter

        driven = random.standard_normal((RATE, self._state.shape[1])) * np.sqrt(1 - DECAY**2)
        found, self._state = lfilter([1.0], [1.0, -DECAY], driven, axis=0, zi=self._state)
        return found.astype(np.float32) @ self._weights


def _drift(start: int) -> np.ndarray[Any, Any]:
    """Return the slow drift of one second: channels follow each other along the probe."""
    times = (start + np.arange(RATE, dtype=np.float64)[:, None]) / RATE
    phases = np.arange(CHANNELS) / CHANNELS
    return (DRIFT * np.sin(2 * np.pi * (times / PERIOD + phases))).astype(np.float32)


def _templates(seed: int) -> np.ndarray[Any, Any]:
    """Return the shape of a spike of each unit, over time and channels."""
    random = np.random.default_rng((seed, 1 << 33))
    times = np.arange(SPIKE_SAMPLES) / SPIKE_SAMPLES
    shape = -np.exp(-(((times - 0.25) / 0.06) ** 2)) + 0.4 * np.exp(-(((times - 0.5) / 0.15) ** 2))
    spread = np.exp(-(((np.arange(SPIKE_CHANNELS) - SPIKE_CHANNELS / 2) / 3) ** 2))
    heights = random.uniform(60, 300, UNITS)
    return (heights[:, None, None] * shape[:, None] * spread).astype(np.float32)


def _add_spikes(block: np.ndarray[Any, Any], templates: np.ndarray[Any, Any], random: np.random.Generator) -> None:
    """Add one second of spikes; each unit has its place on the probe."""
    places = np.linspace(0, CHANNELS - SPIKE_CHANNELS, UNITS).astype(int)
    for template, place, count in zip(templates, places, random.poisson(SPIKES_PER_SECOND, UNITS), strict=True):
        for start in random.integers(0, RATE - SPIKE_SAMPLES, count):
            block[start : start + SPIKE_SAMPLES, place : place + SPIKE_CHANNELS] += template
