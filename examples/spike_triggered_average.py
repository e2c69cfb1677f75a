"""The mean of a field potential around the spikes of each unit.

    python spike_triggered_average.py                                  # a made-up session
    python spike_triggered_average.py session.nwb.zarr /processing/ecephys/LFP/lfp

Windows around spikes are read side by side, a few at a time; the rest of the series is not read. Needs
``pip install 'nwbzarr[examples]'``.
"""

import sys
from datetime import UTC, datetime

import matplotlib as mpl
import numpy as np

import nwbzarr
from nwbzarr import NWBFile, NWBZarrIO, TimeSeries

mpl.use("Agg")
import matplotlib.pyplot as plt

BEFORE, AFTER = 0.2, 0.2


def write_session(url: str) -> None:
    """Write ten minutes of a rhythm that two units follow, and one that does not."""
    rng, rate = np.random.default_rng(0), 1000.0
    times = np.arange(600 * int(rate)) / rate
    phase = np.cumsum(2 * np.pi * (8 + rng.normal(0, 1, len(times))) / rate)
    nwb = NWBFile("a made-up session", "example", datetime(2026, 1, 1, tzinfo=UTC))
    field = 100 * np.sin(phase)[:, None] * np.linspace(1, 0.2, 8) + rng.normal(0, 80, (len(times), 8))
    nwb.add_acquisition(TimeSeries("lfp", data=field.astype(np.int16), unit="uV", rate=rate))
    for preferred in (0.0, np.pi / 2, None):
        chance = (
            np.full(len(times), 0.01) if preferred is None else 0.02 * np.clip(np.cos(phase - preferred), 0, 1) ** 4
        )
        nwb.add_unit(spike_times=times[rng.random(len(times)) < chance])
    with NWBZarrIO(url, "w") as io:
        io.write(nwb)


url = sys.argv[1] if len(sys.argv) > 1 else "spike-triggered-average.nwb.zarr"
path = sys.argv[2] if len(sys.argv) > 2 else "/acquisition/lfp"
if len(sys.argv) == 1:
    write_session(url)

session = nwbzarr.open(url)
series = session.find(path.strip("/"))
if not isinstance(series, TimeSeries):
    sys.exit(f"{path} of {url} is no TimeSeries")
units = session.units
figure, panels = plt.subplots(
    1, len(units), figsize=(3.2 * len(units), 3), sharey=True, layout="constrained", squeeze=False
)
for unit, axes in enumerate(panels[0]):
    trials = series.align(units["spike_times"][unit], BEFORE, AFTER, outside="drop")
    # trials, times, channels: a Dask array, of which only the mean is kept.
    average = trials.to_dask().mean(axis=0).compute() * series.conversion
    axes.plot(1e3 * trials.times, average)
    axes.axvline(0, color="grey", linewidth=0.5)
    axes.set(title=f"unit {units.id[unit]}, {len(trials):,} spikes", xlabel="time from spike (ms)")
    print(f"unit {unit}: {len(trials)} spikes, largest mean {np.abs(average).max():.1f} {series.unit}")
panels[0, 0].set_ylabel(f"mean of {series.name} ({series.unit})")
figure.savefig("spike_triggered_average.png", dpi=120)
print("picture: spike_triggered_average.png")
