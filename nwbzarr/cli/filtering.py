"""``nwbzarr filter``: a session derived from another, with a band of one of its series."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nwbzarr.errors import AnalysisError
from nwbzarr.extras import import_extra
from nwbzarr.io import NWBZarrIO
from nwbzarr.model.neurodata import TimeSeries

if TYPE_CHECKING:
    from nwbzarr.writing.execution import WriteReport

#: Where results go.
_MODULE = "ecephys"


@dataclass(frozen=True)
class Filtering:
    """What is filtered, and how.

    Attributes
    ----------
    url, to : str
        The session, and where the derived one goes.
    band : tuple of float
        Edges in Hz.
    order : int
        Of the Butterworth filter, which is run both ways.
    series : str or None
        Path of the series; the only one of the acquisition by default.
    dtype : str or None
        Dtype of the result: float32 by default.
    name : str
        Name of the result.
    scheduler : str or None
        Address of a Dask scheduler; threads of this process by default.
    options : mapping or None
        fsspec's storage options, of both stores.
    """

    url: str
    to: str
    band: tuple[float, float]
    order: int = 5
    series: str | None = None
    dtype: str | None = None
    name: str = "filtered"
    scheduler: str | None = None
    options: dict[str, Any] | None = None


def run_filter(asked: Filtering) -> WriteReport:
    """Write the derived session; the source is linked.

    Raises
    ------
    AnalysisError
        When there is no such series, or the band does not fit it.
    MissingExtraError
        When Dask is not installed.
    """
    from nwbzarr import analysis

    with NWBZarrIO(asked.url, storage_options=asked.options) as source, _scheduler(asked.scheduler):
        session = source.read()
        series = _series(session, asked.series)
        found = analysis.bandpass(series, *asked.band, order=asked.order, dtype=asked.dtype, name=asked.name)
        derived = session.copy()
        text = f"what nwbzarr filter makes of {series.path}"
        module = derived.processing.get(_MODULE) or derived.create_processing_module(_MODULE, text)
        module.add(found)
        with NWBZarrIO(asked.to, "w", source.manager, asked.options) as io:
            return io.write(derived)


def _series(session: Any, path: str | None) -> TimeSeries:
    """Return the series at a path, or the only one of the acquisition."""
    if path is not None:
        found = session.find(path.strip("/"))
        if not isinstance(found, TimeSeries):
            message = f"--series must name a TimeSeries, but {path!r} is {type(found).__name__}"
            raise AnalysisError(message)
        return found
    members = [member for member in session.acquisition.values() if isinstance(member, TimeSeries)]
    if len(members) != 1:
        listed = ", ".join(member.path for member in members) or "none"
        message = f"the acquisition must hold one series where none is named, but it holds {listed}: use --series PATH"
        raise AnalysisError(message)
    return members[0]


@contextlib.contextmanager
def _scheduler(address: str | None) -> Any:
    """Have Dask compute on a cluster, where one is named."""
    if address is None:
        yield
        return
    distributed = import_extra("distributed", "--scheduler needs Dask's distributed", "dask")
    try:
        client = distributed.Client(address)
    except (OSError, ValueError) as error:
        message = f"--scheduler must be the address of a Dask scheduler, but {address!r} does not answer: {error}"
        raise AnalysisError(message) from error
    with client:
        yield
