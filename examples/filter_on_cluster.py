"""Raw data, a band of it, a spectrum in scratch: on a cluster, for a recording that no memory needs to hold.

    python filter_on_cluster.py                                  # a folder, 30 s of 64 channels
    python filter_on_cluster.py s3://my-bucket/day1 --seconds 3600 --channels 384
    python filter_on_cluster.py --scheduler tcp://10.0.0.1:8786  # a cluster of yours; workers must reach the place

The recording is made up block by block; workers read blocks of it from the store, filter them, and store what they made.
Needs ``pip install 'nwbzarr[examples]'``.
"""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime

import matplotlib as mpl
import numpy as np
from distributed import Client, LocalCluster

from nwbzarr import ElectricalSeries, NWBFile, NWBZarrIO, analysis

mpl.use("Agg")
import matplotlib.pyplot as plt

RATE = 30_000.0


def made_up(seconds: int, channels: int) -> Iterator[np.ndarray]:
    """Yield a slow rhythm with noise and spikes, second by second."""
    rng = np.random.default_rng(0)
    spike = -200 * np.hanning(30)[:, None]
    for second in range(seconds):
        times = second + np.arange(int(RATE)) / RATE
        block = 300 * np.sin(2 * np.pi * 8 * times)[:, None] + rng.normal(0, 20, (len(times), channels))
        for start in rng.integers(0, len(times) - 30, 20):
            block[start : start + 30, : channels // 4] += spike
        yield block.astype(np.int16)


def write_raw(url: str, seconds: int, channels: int) -> None:
    """Write the recording, a second in memory at a time."""
    nwb = NWBFile("a made-up recording", "example", datetime(2026, 1, 1, tzinfo=UTC))
    shank = nwb.create_electrode_group("shank", "one shank", location="CA1", device=nwb.create_device("probe"))
    for site in range(channels):
        nwb.add_electrode(group=shank, location="CA1", rel_y=20.0 * site)
    sites = nwb.create_electrode_table_region(list(range(channels)), "all sites")
    data = made_up(seconds, channels)
    nwb.add_acquisition(ElectricalSeries("raw", data=data, electrodes=sites, rate=RATE, conversion=1e-6))
    with NWBZarrIO(url, "w") as io:
        print(io.write(nwb))


def main() -> None:
    """Run the three steps."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("place", nargs="?", default="filter-on-cluster", help="a folder, or any fsspec URL")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--scheduler", help="address of a Dask scheduler; a cluster on this machine without it")
    parser.add_argument("--picture", default="filter_on_cluster.png")
    asked = parser.parse_args()
    raw_url, filtered_url, scratch_url = (f"{asked.place}/{name}.nwb.zarr" for name in ("raw", "filtered", "scratch"))
    write_raw(raw_url, asked.seconds, asked.channels)

    cluster = asked.scheduler or LocalCluster(
        n_workers=2, threads_per_worker=1, memory_limit="1.5 GB", dashboard_address=":0"
    )
    with Client(cluster), NWBZarrIO(raw_url) as raw_io:
        # Nothing is computed here: two series that say how.
        raw = raw_io.read()
        filtered = analysis.bandpass(raw.acquisition["raw"], 300, 6000, name="filtered", dtype="int16")
        spikes_only = analysis.common_reference(filtered, name="referenced", dtype="int16")
        processed = raw.copy()
        module = processed.create_processing_module("ecephys", "300 to 6000 Hz, less the median over channels")
        module.add(spikes_only)
        # One graph: workers read, compute and store; this process commits.
        with NWBZarrIO(filtered_url, "w", manager=raw_io.manager) as io:
            print(io.write(processed, progress=True))

        session = NWBZarrIO(filtered_url, manager=raw_io.manager).read()
        before = analysis.welch(session.acquisition["raw"], 0.5)
        after = analysis.welch(session.processing["ecephys"]["referenced"], 0.5)
        scratch = session.copy()
        scratch.add_scratch(after.values, name="spectrum", description=f"power by frequency, {after.unit}")
        with NWBZarrIO(scratch_url, "w", manager=raw_io.manager) as io:
            print(io.write(scratch))
        powers = [np.asarray(found).mean(axis=1) for found in (before, after)]
    if not asked.scheduler:
        cluster.close()

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for power, label in zip(powers, ("raw", "filtered"), strict=True):
        axes.loglog(before.frequencies[1:], power[1:], label=label)
    axes.set(xlabel="frequency (Hz)", ylabel=f"power ({before.unit})", title="mean over channels")
    axes.legend()
    figure.savefig(asked.picture, dpi=120)
    print("picture:", asked.picture)


if __name__ == "__main__":
    main()
