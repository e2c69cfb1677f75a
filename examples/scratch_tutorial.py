"""Raw data, processed data, scratch: three sessions that link to each other.

Run it with a folder or any fsspec URL: ``python scratch_tutorial.py s3://my-bucket/day1``.
"""

import sys
from datetime import UTC, datetime

import numpy as np
import scipy.signal as sps

from nwbzarr import NWBFile, NWBZarrIO, TimeSeries

place = sys.argv[1] if len(sys.argv) > 1 else "scratch-tutorial"

# Raw data: a session with one recording.
nwb = NWBFile(
    session_description="demonstrate scratch",
    identifier="NWB456",
    session_start_time=datetime(2019, 4, 3, 11, tzinfo=UTC),
    file_create_date=datetime(2019, 4, 15, 12, tzinfo=UTC),
)
timestamps = np.linspace(0, 100, 1024)
noise = np.random.default_rng(0).standard_normal(1024)
data = np.sin(0.333 * timestamps) + np.cos(0.1 * timestamps) + noise
nwb.add_acquisition(TimeSeries(name="raw_timeseries", data=data, unit="m", timestamps=timestamps))
with NWBZarrIO(f"{place}/raw_data.nwb.zarr", mode="w") as io:
    io.write(nwb)

# Processed data: a copy shares the recording, and adds a filtered one with the same timestamps.
raw_io = NWBZarrIO(f"{place}/raw_data.nwb.zarr", "r")
nwb_in = raw_io.read()
nwb_proc = nwb_in.copy()
mod = nwb_proc.create_processing_module("filtering_module", "a module to store filtering results")
ts1 = nwb_in.acquisition["raw_timeseries"]
filt_data = sps.correlate(ts1.data, np.ones(128), mode="same") / 128
ts2 = TimeSeries(name="filtered_timeseries", data=filt_data, unit="m", timestamps=ts1)
mod.add_container(ts2)
with NWBZarrIO(f"{place}/processed_data.nwb.zarr", mode="w", manager=raw_io.manager) as io:
    for link in io.write(nwb_proc).links:
        print("linked", link.path, "->", link.source, link.target.path)

# Scratch: a copy of the copy, with a result that no type of NWB is made for.
proc_io = NWBZarrIO(f"{place}/processed_data.nwb.zarr", "r", manager=raw_io.manager)
nwb_proc_in = proc_io.read()
nwb_scratch = nwb_proc_in.copy()
filt_ts = nwb_scratch.modules["filtering_module"]["filtered_timeseries"]
fft = np.fft.fft(filt_ts.data)
nwb_scratch.add_scratch(fft, name="dft_filtered", description="discrete Fourier transform from filtered data")
with NWBZarrIO(f"{place}/scratch_analysis.nwb.zarr", "w", manager=proc_io.manager) as io:
    io.write(nwb_scratch)

# And back, through all three stores.
scratch_io = NWBZarrIO(f"{place}/scratch_analysis.nwb.zarr", "r")
nwb_scratch_in = scratch_io.read()
fft_in = np.asarray(nwb_scratch_in.get_scratch("dft_filtered"))
assert fft_in.dtype == np.complex128
assert np.array_equal(fft_in, fft)
assert np.array_equal(np.asarray(nwb_scratch_in.acquisition["raw_timeseries"].data), data)
print(nwb_scratch_in.acquisition)
print("largest component:", np.abs(fft_in[1:]).argmax() + 1)

for io in (raw_io, proc_io, scratch_io):
    io.close()
