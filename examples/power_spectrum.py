"""The power spectrum of every channel of a series, over a whole session.

    python power_spectrum.py                                        # a made-up session
    python power_spectrum.py s3://my-bucket/day1.nwb.zarr /acquisition/raw

Blocks are read and transformed in parallel, whatever the length of the session; segments that lie across two blocks are
not lost. Needs ``pip install 'nwbzarr[examples]'``.
"""

import sys
from datetime import UTC, datetime

import matplotlib as mpl
import numpy as np
from dask.diagnostics import ProgressBar

import nwbzarr
from nwbzarr import NWBFile, NWBZarrIO, TimeSeries, analysis

mpl.use("Agg")
import matplotlib.pyplot as plt


def write_session(url: str) -> None:
    """Write a minute of 32 channels: pink noise, mains hum, and a rhythm that grows along the probe."""
    rng, rate, channels = np.random.default_rng(0), 2000.0, 32
    times = np.arange(60 * int(rate)) / rate
    noise = np.cumsum(rng.normal(0, 4, (len(times), channels)), axis=0)
    noise -= noise.mean(axis=0)
    rhythm = np.sin(2 * np.pi * 40 * times)[:, None] * np.linspace(0, 60, channels)
    hum = 30 * np.sin(2 * np.pi * 50 * times)[:, None]
    nwb = NWBFile("a made-up session", "example", datetime(2026, 1, 1, tzinfo=UTC))
    data = np.clip(noise + rhythm + hum, -32_000, 32_000).astype(np.int16)
    nwb.add_acquisition(TimeSeries("raw", data=data, unit="uV", rate=rate))
    with NWBZarrIO(url, "w") as io:
        io.write(nwb)


url = sys.argv[1] if len(sys.argv) > 1 else "power-spectrum.nwb.zarr"
path = sys.argv[2] if len(sys.argv) > 2 else "/acquisition/raw"
if len(sys.argv) == 1:
    write_session(url)

series = nwbzarr.open(url).find(path.strip("/"))
if not isinstance(series, TimeSeries):
    sys.exit(f"{path} of {url} is no TimeSeries")
spectrum = analysis.welch(series, segment=1.0)
with ProgressBar():
    power = spectrum.compute()

upto = spectrum.frequencies <= 200
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
image = axes.pcolormesh(
    spectrum.frequencies[upto], np.arange(power.shape[1]), 10 * np.log10(power[upto].T + np.finfo(float).tiny)
)
axes.set(xlabel="frequency (Hz)", ylabel="channel", title=series.name)
figure.colorbar(image, label=f"power (dB, {spectrum.unit})")
figure.savefig("power_spectrum.png", dpi=120)
print("picture: power_spectrum.png; strongest at", spectrum.frequencies[1:][power[1:].mean(axis=1).argmax()], "Hz")
