"""Sessions whose values all follow from one number, and stores that are looked at from outside."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from unittest import mock

import fsspec
import numpy as np

from nwbzarr import Manager, NWBFile, NWBZarrIO, ScratchData, TimeSeries, ZarrDataIO
from nwbzarr.convention.names import WRITE_MARK
from nwbzarr.errors import IncompleteWriteError, StoreNotFoundError
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.groups import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nwbzarr.model.elements import Element
    from tests.places import Place

START: Final = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
ROWS: Final = 25
CHUNK: Final = 10

#: What differs between two sessions that are made alike.
_UNIQUE = ("@object_id", "/file_create_date")

#: What no finished write leaves beside or in a store.
_LITTER = ("nwbzarr-staging", "nwbzarr-previous", WRITE_MARK)

Contents = dict[str, Any]


def samples(value: int, rows: int = ROWS) -> np.ndarray[Any, Any]:
    """Rows that are told from those of any other value, and from fill values."""
    return np.arange(rows, dtype="f8") + 1000.0 * (value + 1)


def session(value: int, data: Any = None) -> NWBFile:
    """Return a session of scalars, texts and an array of several chunks, all made from one number."""
    nwb = NWBFile(f"session {value}", f"id-{value}", START, experimenter=[f"person {value}"])
    raw = ZarrDataIO(samples(value) if data is None else data, chunks=(CHUNK,))
    nwb.add_acquisition(TimeSeries("raw", data=raw, unit="m", rate=float(value + 1)))
    nwb.add_scratch(np.array([f"text {value}", ""], dtype=object), name="texts", description=f"d{value}")
    return nwb


def extend(nwb: NWBFile, value: int, data: Any = None) -> None:
    """Add scratch data to a session, and rows to its series, all made from one number."""
    added = ZarrDataIO(samples(value) if data is None else data, chunks=(CHUNK,))
    nwb.add_scratch(ScratchData(f"added {value}", added, notes=f"added {value}"))
    raw_of(nwb).append(samples(value, CHUNK))


def raw_of(nwb: NWBFile) -> Dataset:
    """Return the dataset of the series of a session."""
    found = nwb.acquisition["raw"]["data"]
    assert isinstance(found, Dataset)
    return found


def contents(nwbfile: NWBFile) -> Contents:
    """Return everything a session says, links followed, but for what is unique to each session."""
    found: Contents = {}
    _collect(nwbfile, "", found)
    return {path: value for path, value in found.items() if not path.endswith(_UNIQUE)}


def _collect(element: Element, path: str, found: Contents) -> None:
    found.update({f"{path}@{name}": value for name, value in element.attributes.items()})
    if isinstance(element, Dataset):
        array = np.asarray(element.data)
        texts = array.dtype.kind in "OUT"
        values = np.vectorize(_text, otypes=[object])(array) if texts else array
        found[path] = ("text" if texts else array.dtype.str, array.shape, values.tolist())
    elif isinstance(element, Group):
        found[path] = sorted(element)
        for name, member in element.items():
            _collect(member, f"{path}/{name}", found)


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def extended(value: int, *added: int) -> Contents:
    """Return the contents of a stored session `value` that was extended by some numbers."""
    nwb = session(value)
    for number in added:
        extend(nwb, number)
    return contents(nwb)


@dataclass(frozen=True)
class Store:
    """The place of one store; another process can be told of it."""

    url: str
    options: dict[str, Any] | None = None

    @classmethod
    def at(cls, place: Place, name: str = "session.nwb.zarr") -> Store:
        """Return a store of a place."""
        return cls(f"{place.url}/{name}", place.options)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder on the disk."""
        return "://" not in self.url

    def io(self, mode: str, manager: Manager | None = None) -> NWBZarrIO:
        """Open it."""
        return NWBZarrIO(self.url, mode, manager, self.options)

    def write(self, nwb: NWBFile, mode: str = "w", manager: Manager | None = None) -> None:
        """Write a session."""
        with self.io(mode, manager) as handle:
            handle.write(nwb)

    def extend(self, value: int, manager: Manager | None = None, data: Any = None) -> None:
        """Add to the session that is there."""
        with self.io("r+", manager) as handle:
            nwb = handle.read()
            extend(nwb, value, data)
            handle.write(nwb)

    def read(self) -> Contents:
        """Return the contents, read afresh."""
        with self.io("r") as handle:
            return contents(handle.read())

    def state(self) -> Contents | Literal["absent", "incomplete"]:
        """Return the contents, or how the store is absent; any other error is raised."""
        try:
            return self.read()
        except IncompleteWriteError:
            return "incomplete"
        except StoreNotFoundError:
            return "absent"

    def names(self) -> set[str]:
        """Return the keys of all its objects, without asking the package."""
        fs, root = self._files()
        return {key[len(root) :].lstrip("/") for key in fs.find(root)} if fs.exists(root) else set()

    def put(self, key: str, data: bytes) -> None:
        """Store an object behind the back of the package."""
        fs, root = self._files()
        if self.is_local:
            fs.makedirs(f"{root}/{key}".rpartition("/")[0], exist_ok=True)
        fs.pipe_file(f"{root}/{key}", data)

    def get(self, key: str) -> bytes:
        """Return an object behind the back of the package."""
        fs, root = self._files()
        return bytes(fs.cat_file(f"{root}/{key}"))

    def delete(self, key: str) -> None:
        """Remove an object behind the back of the package."""
        fs, root = self._files()
        fs.rm_file(f"{root}/{key}")

    def litter(self) -> list[str]:
        """Return what no finished write leaves, in the store and beside it."""
        folder = Path(self.url).parent
        beside = [path.name for path in folder.iterdir()] if self.is_local and folder.exists() else []
        return sorted(name for name in [*beside, *self.names()] if any(word in name for word in _LITTER))

    def _files(self) -> tuple[Any, str]:
        # No listing that was cached stands between a test and the store.
        fs, root = fsspec.url_to_fs(self.url, use_listings_cache=False, **(self.options or {}))
        return fs, str(root)


@dataclass(frozen=True)
class Deed:
    """A write, by a name that another process knows: what was there, what it does, what is there afterwards."""

    name: str
    before: int | None
    act: Callable[[Store, Manager | None], None]
    expected: Contents

    def prepare(self, store: Store) -> Contents | str:
        """Put what was there in its place, and return it."""
        if self.before is not None:
            store.write(session(self.before))
        return store.state()

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        return _deed, (self.name,)


def _deed(name: str) -> Deed:
    return DEEDS[name]


def _write(store: Store, manager: Manager | None) -> None:
    store.write(session(2), "w", manager)


def _extend(store: Store, manager: Manager | None) -> None:
    store.extend(7, manager)


DEEDS: Final[dict[str, Deed]] = {
    "create": Deed("create", None, _write, contents(session(2))),
    "replace": Deed("replace", 1, _write, contents(session(2))),
    "extend": Deed("extend", 1, _extend, extended(1, 7)),
}


@contextmanager
def small_regions() -> Iterator[None]:
    """Make regions so small that short arrays have several."""
    size = 8 * CHUNK
    with (
        mock.patch("nwbzarr.writing.plans.REGION_BYTES", size),
        mock.patch("nwbzarr.writing.execution.REGION_BYTES", size),
    ):
        yield
