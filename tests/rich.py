"""A session with tables, references, regions and links of most kinds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

import nwbzarr


def rich_session() -> nwbzarr.NWBFile:
    """Return a session with electrodes, units, trials, an imaging plane, regions of interest, icephys tables, images."""
    subject = nwbzarr.Subject(subject_id="s", age="P1D", species="Mus musculus")
    nwb = nwbzarr.NWBFile("d", "i", datetime(2024, 1, 1, tzinfo=UTC), keywords=["a"], subject=subject)
    device = nwb.create_device(name="probe")
    _add_electrodes(nwb, device)
    _add_planes(nwb, device)
    _add_icephys(nwb, device)
    nwb.add_scratch(np.arange(3), name="x", description="d")
    return nwb


def _add_electrodes(nwb: Any, device: Any) -> None:
    group = nwb.create_electrode_group(name="shank", description="d", location="CA1", device=device)
    for _ in range(4):
        nwb.add_electrode(group=group, location="CA1")
    region = nwb.create_electrode_table_region(region=[0, 1, 2], description="d")
    series = nwbzarr.ElectricalSeries(name="ephys", data=np.zeros((10, 3)), electrodes=region, rate=10.0)
    nwb.add_acquisition(series)
    nwb.add_trial_column(name="marks", description="d", index=True)
    for index in range(3):
        nwb.add_unit(spike_times=[0.1] * (index + 1), electrodes=[index])
        nwb.add_trial(start_time=float(index), stop_time=index + 0.5, timeseries=[series], marks=["x"] * index)


def _add_planes(nwb: Any, device: Any) -> None:
    plane = nwb.create_imaging_plane(
        name="plane",
        optical_channel=nwbzarr.OpticalChannel(name="green", description="d", emission_lambda=500.0),
        description="d",
        device=device,
        excitation_lambda=600.0,
        indicator="GCaMP",
        location="V1",
        imaging_rate=30.0,
    )
    module = nwb.create_processing_module(name="ophys", description="d")
    segmentation = nwbzarr.ImageSegmentation()
    module.add(segmentation)
    table = segmentation.create_plane_segmentation(name="ps", description="d", imaging_plane=plane)
    for _ in range(2):
        table.add_roi(pixel_mask=[(0, 1, 1.0), (1, 2, 0.5)])
    rois: Any = table.create_roi_table_region(region=[0, 1], description="d")
    responses = nwbzarr.RoiResponseSeries(name="rrs", data=np.zeros((5, 2)), unit="n.a.", rois=rois, rate=1.0)
    module.add(nwbzarr.Fluorescence(roi_response_series=[responses]))
    image = nwbzarr.GrayscaleImage(name="im", data=np.zeros((3, 3)))
    module.add(nwbzarr.Images(name="images", images=[image], description="d"))


def _add_icephys(nwb: Any, device: Any) -> None:
    electrode = nwb.create_icephys_electrode(name="e", device=device, description="d")
    stimulus = nwbzarr.VoltageClampStimulusSeries(name="stim", data=[1.0], electrode=electrode, rate=1.0, gain=1.0)
    response = nwbzarr.VoltageClampSeries(name="resp", data=[1.0], electrode=electrode, rate=1.0, gain=1.0)
    nwb.add_stimulus(stimulus)
    nwb.add_acquisition(response)
    row = nwb.add_intracellular_recording(electrode=electrode, stimulus=stimulus, response=response)
    nwb.add_icephys_simultaneous_recording(recordings=[row])
