"""Sessions of one array, the array read back, and arrays that zarr-python wrote."""

from __future__ import annotations

import shutil
import uuid
import warnings
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import fsspec
import numpy as np
import zarr

from nwbzarr import NWBFile, NWBZarrIO, ScratchData, TimeSeries, ZarrDataIO
from tests.handwritten import bare_session, typed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nwbzarr import Manager

AnyArray = np.ndarray[Any, Any]

START: Final = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)

#: Where the array of these sessions is, and the folder of its objects.
PATH: Final = "/scratch/x"
FOLDER: Final = "scratch/x"

SERIES_PATH: Final = "/acquisition/raw/data"


def bare() -> NWBFile:
    """Return a session without arrays."""
    return NWBFile("arrays", "arrays", START)


def session(data: Any, **wishes: Any) -> NWBFile:
    """Return a session of one array."""
    nwb = bare()
    nwb.add_scratch(ScratchData("x", ZarrDataIO(data, **wishes) if wishes else data, notes="n"))
    return nwb


def series_session(data: Any, *, timestamps: Any = None, **wishes: Any) -> NWBFile:
    """Return a session of one series."""
    nwb = bare()
    times = {"rate": 10.0} if timestamps is None else {"timestamps": timestamps}
    nwb.add_acquisition(TimeSeries("raw", data=ZarrDataIO(data, **wishes) if wishes else data, unit="V", **times))
    return nwb


def write(url: Path | str, data: Any, manager: Manager | None = None, **wishes: Any) -> None:
    """Store a session of one array."""
    with NWBZarrIO(url, "w", manager) as io:
        io.write(session(data, **wishes))


@contextmanager
def reading(url: Path | str, manager: Manager | None = None, path: str = PATH) -> Iterator[Any]:
    """Give the lazy array of a session, opened afresh."""
    with NWBZarrIO(url, "r", manager) as io:
        found: Any = io.read().find(path.strip("/"))
        yield found.data


def read(url: Path | str, path: str = PATH) -> AnyArray:
    """Return all values of the array of a session."""
    with reading(url, path=path) as data:
        return np.asarray(data[...])


def assert_same(found: Any, wanted: Any) -> None:
    """Check that two arrays, or two scalars, hold the same, NaN by NaN and zero by signed zero."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape
    if wanted.dtype.kind in "OUT":
        assert found.tolist() == wanted.tolist()
    else:
        assert found.dtype == wanted.dtype.newbyteorder("=")
        assert found.tobytes() == wanted.astype(found.dtype).tobytes()


def values(dtype: str, shape: tuple[int, ...], seed: int) -> AnyArray:
    """Return values of a dtype: random bits, with what is special among floats; for texts, some of every length."""
    random = np.random.default_rng(seed)
    if dtype == "O":
        words = np.array(["", "a", "raw", "é☃\U0001f400", "a\0", " ", "long " * 20], dtype=object)
        return np.asarray(words[random.integers(0, len(words), shape)], dtype=object)
    if dtype == "bool":
        return random.integers(0, 2, shape).astype(bool)
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        return np.asarray(random.integers(limits.min, limits.max, shape, dtype=kind, endpoint=True))
    special = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1.5, -2.25])
    if kind.kind == "c":
        parts = special[random.integers(0, len(special), (*shape, 2))].astype(f"f{kind.itemsize // 2}")
        return np.asarray(parts.view(kind)[..., 0])
    mixed = np.where(random.random(shape) < 0.2, special[random.integers(0, len(special), shape)], 0)
    return (mixed + random.standard_normal(shape).round(2)).astype(kind)


class Foreign:
    """A session that zarr-python wrote, in a folder, to put arrays into.

    Parameters
    ----------
    folder : pathlib.Path
        Where to keep it; nothing is there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        root = bare_session(folder)
        root.create_group("scratch")

    def make(self, shape: tuple[int, ...], dtype: Any, **wishes: Any) -> zarr.Array[Any]:
        """Make the array anew, without values."""
        shutil.rmtree(self.folder / FOLDER, ignore_errors=True)
        attributes = typed("ScratchData", notes="n")
        with quiet():
            return zarr.create_array(
                self.folder, name=FOLDER, shape=shape, dtype=dtype, attributes=attributes, **wishes
            )

    @contextmanager
    def in_memory(self) -> Iterator[str]:
        """Give the URL of a copy in memory."""
        fs = fsspec.filesystem("memory")
        root = f"/{uuid.uuid4().hex}"
        fs.put(f"{self.folder}/", root, recursive=True)
        try:
            yield f"memory:/{root}"
        finally:
            fs.rm(root, recursive=True)


@contextmanager
def quiet() -> Iterator[None]:
    """Let zarr say that texts, and codecs of numcodecs, are not of its specification."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
