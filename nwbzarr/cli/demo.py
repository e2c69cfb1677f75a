"""The main job, end to end: a recording, a filtered session, an analysis, linked and checked.

Each step is what a person would write with the Python API; nothing here reaches around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr import Manager, NWBFile, NWBZarrIO, TimeSeries
from nwbzarr.errors import SchemaError, VerificationError

if TYPE_CHECKING:
    from nwbzarr.writing.execution import WriteReport

RAW, PROCESSED, SCRATCH = "raw_data.nwb.zarr", "processed_data.nwb.zarr", "scratch_analysis.nwb.zarr"

#: Samples of the moving average.
WINDOW = 128


@dataclass(frozen=True)
class Recording:
    """Samples with what they mean.

    Attributes
    ----------
    name : str
        Where they come from.
    data : numpy.ndarray
        Shape ``(samples,)`` or ``(samples, channels)``.
    rate : float
        Samples per second, in Hz.
    unit : str
        Unit of the samples.
    """

    name: str
    data: np.ndarray[Any, Any]
    rate: float
    unit: str


@dataclass(frozen=True)
class DemoResult:
    """What the demonstration wrote, linked and checked."""

    recording: Recording
    reports: tuple[WriteReport, ...]
    checks: tuple[str, ...]

    def as_text(self) -> str:
        """Return lines for people."""
        samples = " x ".join(map(str, self.recording.data.shape))
        lines = [f"recording  {self.recording.name}: {samples} {self.recording.data.dtype}, {self.recording.rate:g} Hz"]
        for report in self.reports:
            lines.append(f"wrote      {report}")
            lines += [f"  linked   {link.path} -> {link.source} {link.target.path}" for link in report.links]
        return "\n".join([*lines, *(f"checked    {check}" for check in self.checks)])

    def as_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        return {
            "recording": {"name": self.recording.name, "shape": self.recording.data.shape, "rate": self.recording.rate},
            "stores": [
                {
                    "url": report.url.text,
                    "documents": report.documents,
                    "chunks": report.chunks,
                    "bytes": report.nbytes,
                    "links": [
                        {"path": link.path, "source": link.source, "target": link.target.path} for link in report.links
                    ],
                }
                for report in self.reports
            ],
            "checks": list(self.checks),
        }


def synthetic_recording() -> Recording:
    """Return ten seconds of four channels at 1 kHz: an 8 Hz rhythm in noise, made with a fixed seed."""
    rate, samples, channels = 1000.0, 10_000, 4
    rng = np.random.default_rng(8)
    time = np.arange(samples)[:, None] / rate
    rhythm = 300.0 * np.sin(2 * np.pi * 8.0 * time + np.arange(channels))
    return Recording("synthetic", (rhythm + rng.normal(0, 100, (samples, channels))).astype(np.int16), rate, "uV")


def load_recording(path: str, rate: float, unit: str) -> Recording:
    """Return the recording in a NumPy file.

    Parameters
    ----------
    path : str
        A ``.npy`` file: shape ``(samples,)`` or ``(samples, channels)``.
    rate : float
        Samples per second, in Hz.
    unit : str
        Unit of the samples.

    Raises
    ------
    SchemaError
        When the file cannot be read, or holds no numbers of that shape.
    """
    try:
        data = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        message = f"--input must be a NumPy file (.npy) with a numeric array, but {path!r} is not: {error}"
        raise SchemaError(message) from error
    if data.ndim not in (1, 2) or data.dtype.kind not in "iuf":
        message = (
            f"a recording has shape (samples,) or (samples, channels) of numbers, but {data.dtype} {data.shape} came"
        )
        raise SchemaError(message)
    return Recording(Path(path).name, data, rate, unit)


def run_demo(recording: Recording, place: str, options: dict[str, Any] | None = None) -> DemoResult:
    """Write the three sessions below `place`, and check what is read back.

    Parameters
    ----------
    recording : Recording
        What to begin with.
    place : str
        A folder or URL.
    options : dict, optional
        fsspec's storage options for it.

    Raises
    ------
    VerificationError
        When something reads back otherwise than it was written.
    """
    base = place.rstrip("/")
    raw = _write_raw(recording, f"{base}/{RAW}", options)
    processed, filtered = _write_processed(base, options)
    scratch, spectrum = _write_scratch(base, options)
    checks = _check(base, options, recording.data, filtered, spectrum)
    return DemoResult(recording, (raw, processed, scratch), checks)


def _write_raw(recording: Recording, url: str, options: dict[str, Any] | None) -> WriteReport:
    nwbfile = NWBFile(
        session_description=f"demonstration on {recording.name}",
        identifier=f"nwbzarr-demo-{recording.name}",
        session_start_time=datetime(2020, 1, 1, 12, tzinfo=UTC),
    )
    samples = len(recording.data)
    series = TimeSeries(
        name="raw_timeseries",
        data=recording.data,
        unit=recording.unit,
        timestamps=np.arange(samples) / recording.rate,
        description="as recorded",
    )
    nwbfile.add_acquisition(series)
    with NWBZarrIO(url, mode="w", storage_options=options) as io:
        return io.write(nwbfile)


def _write_processed(base: str, options: dict[str, Any] | None) -> tuple[WriteReport, np.ndarray[Any, Any]]:
    from scipy.ndimage import uniform_filter1d

    with NWBZarrIO(f"{base}/{RAW}", "r", storage_options=options) as raw_io:
        raw = raw_io.read()
        nwbfile = raw.copy()
        module = nwbfile.create_processing_module("filtering_module", f"moving average over {WINDOW} samples")
        series = raw.acquisition["raw_timeseries"]
        filtered = uniform_filter1d(np.asarray(series.data, dtype=np.float64), WINDOW, axis=0)
        module.add(TimeSeries(name="filtered_timeseries", data=filtered, unit=series.unit, timestamps=series))
        with NWBZarrIO(f"{base}/{PROCESSED}", "w", manager=raw_io.manager, storage_options=options) as io:
            return io.write(nwbfile), filtered


def _write_scratch(base: str, options: dict[str, Any] | None) -> tuple[WriteReport, np.ndarray[Any, Any]]:
    with NWBZarrIO(f"{base}/{PROCESSED}", "r", storage_options=options) as processed_io:
        nwbfile = processed_io.read().copy()
        series = nwbfile.processing["filtering_module"]["filtered_timeseries"]
        spectrum = np.fft.fft(np.asarray(series.data), axis=0)
        nwbfile.add_scratch(spectrum, name="dft_filtered", description="Fourier transform of the filtered series")
        with NWBZarrIO(f"{base}/{SCRATCH}", "w", manager=processed_io.manager, storage_options=options) as io:
            return io.write(nwbfile), spectrum


def _check(
    base: str,
    options: dict[str, Any] | None,
    raw: np.ndarray[Any, Any],
    filtered: np.ndarray[Any, Any],
    spectrum: np.ndarray[Any, Any],
) -> tuple[str, ...]:
    """Read everything through the last store, with connections of its own."""
    with NWBZarrIO(f"{base}/{SCRATCH}", "r", manager=Manager(), storage_options=options) as io:
        nwbfile = io.read()
        recorded = nwbfile.acquisition["raw_timeseries"]
        series = nwbfile.processing["filtering_module"]["filtered_timeseries"]
        found = {
            "raw samples, through a link": (recorded.data, raw),
            "filtered samples, through a link": (series.data, filtered),
            "timestamps of the filtered series, through two links": (
                series.timestamps,
                np.asarray(recorded.timestamps),
            ),
            "spectrum (complex128)": (nwbfile.get_scratch("dft_filtered"), spectrum),
        }
        checks = tuple(_compare(name, read, written) for name, (read, written) in found.items())
        io.manager.close()
    return checks


def _compare(name: str, read: Any, written: np.ndarray[Any, Any]) -> str:
    values = np.asarray(read)
    if values.dtype != written.dtype or values.tobytes() != np.ascontiguousarray(written).tobytes():
        message = f"{name} must read back bit for bit as written, but do not"
        raise VerificationError(message)
    return f"{name}: {values.dtype} {values.shape}, bit for bit"
