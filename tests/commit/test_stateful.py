"""Any order of writing, adding, appending, deriving, dying and reopening, against a simple model of what must be there."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from contextlib import ExitStack, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import fsspec
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from nwbzarr import Manager, NWBFile, NWBZarrIO, ScratchData, TimeSeries, ZarrDataIO
from nwbzarr.errors import (
    DanglingLinkError,
    IncompleteWriteError,
    LinkCycleError,
    SelfOverwriteError,
    StoreExistsError,
    StoreNotFoundError,
)
from nwbzarr.model.datasets import Dataset
from tests.commit.deaths import Died, Fuse, FuseMeter, fused_files, settle
from tests.commit.sessions import CHUNK, START, small_regions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NAMES = ("a", "b", "c")

T = TypeVar("T")

names = st.sampled_from(NAMES)
choices = st.integers(0, 5)
values = st.integers(0, 999)
lengths = st.integers(1, 2 * CHUNK + 3)
fuses = st.builds(Fuse, st.integers(0, 60), when=st.sampled_from(["before", "after"]), for_good=st.booleans())


@dataclass
class Expected:
    """What one store must hold.

    Attributes
    ----------
    label : int
        Its identifier.
    rows : list of float or None
        Samples of its series; None where the series is a link.
    source : str or None
        The store that the link leads to.
    scratch : dict
        Scratch arrays by name.
    """

    label: int
    rows: list[float] | None
    source: str | None = None
    scratch: dict[str, list[float]] = field(default_factory=dict)


Model = dict[str, Expected | None]


def made(label: int, length: int) -> tuple[NWBFile, Expected]:
    """Return a session, and what must be stored of it."""
    rows = np.arange(length) + 1000.0 * (label + 1)
    nwb = NWBFile(f"session {label}", str(label), START)
    nwb.add_acquisition(TimeSeries("raw", data=ZarrDataIO(rows, chunks=(CHUNK,)), unit="m", rate=1.0))
    return nwb, Expected(label, rows.tolist())


def chosen(candidates: Iterable[T], choice: int) -> list[T]:
    """Return one of the candidates, or none where there are none."""
    found = list(candidates)
    return [found[choice % len(found)]] if found else []


def more(label: int, length: int) -> np.ndarray[Any, Any]:
    """Return values that are told from others."""
    return np.arange(length) - 1000.0 * (label + 1)


class Writers(RuleBasedStateMachine):
    """Stores in one folder, and the model of what they hold; None stands for a write that did not finish."""

    folder: str

    def __init__(self) -> None:
        super().__init__()
        self.model: Model = {}
        self.ends = ExitStack()
        self.ends.enter_context(small_regions())

    def teardown(self) -> None:
        """Remove what was stored."""
        settle()
        self.ends.close()

    def url(self, name: str) -> str:
        """Return the place of a store."""
        return f"{self.folder}/{name}.nwb.zarr"

    def chain(self, name: str) -> list[str]:
        """Return the stores that the series of a store is read through."""
        found = [name]
        while (entry := self.model.get(found[-1])) is not None and entry.source is not None:
            if entry.source in found:
                break
            found.append(entry.source)
        return found

    # Deeds. Each gives what the store must hold when it is done.

    def write(self, name: str, label: int, length: int) -> Callable[[Manager | None], Expected]:
        """Return the deed that stores a new session."""

        def act(manager: Manager | None) -> Expected:
            nwb, expected = made(label, length)
            with NWBZarrIO(self.url(name), "w", manager) as io:
                io.write(nwb)
            return expected

        return act

    def add(self, name: str, label: int, length: int, mode: str) -> Callable[[Manager | None], Expected]:
        """Return the deed that adds scratch data."""

        def act(manager: Manager | None) -> Expected:
            expected = deepcopy(self.model[name])
            assert expected is not None
            with NWBZarrIO(self.url(name), mode, manager) as io:
                nwb = io.read()
                key = f"scratch {len(expected.scratch)}"
                expected.scratch[key] = more(label, length).tolist()
                nwb.add_scratch(ScratchData(key, ZarrDataIO(more(label, length), chunks=(CHUNK,)), notes=key))
                io.write(nwb)
            return expected

        return act

    def append(
        self, name: str, label: int, counts: list[int], *, scratch: bool
    ) -> Callable[[Manager | None], Expected]:
        """Return the deed that appends rows, in one write for each count."""

        def act(manager: Manager | None) -> Expected:
            expected = deepcopy(self.model[name])
            assert expected is not None
            with NWBZarrIO(self.url(name), "r+", manager) as io:
                nwb = io.read()
                key = next(iter(expected.scratch)) if scratch else ""
                dataset = nwb.scratch[key] if scratch else nwb.acquisition["raw"]["data"]
                rows = expected.scratch[key] if scratch else expected.rows
                assert isinstance(dataset, Dataset)
                assert rows is not None
                for count in counts:
                    dataset.append(more(label, count))
                    rows.extend(more(label, count).tolist())
                    io.write(nwb)
            return expected

        return act

    def derive(self, name: str, source: str) -> Callable[[Manager | None], Expected]:
        """Return the deed that derives a session from another, sharing its series."""

        def act(manager: Manager | None) -> Expected:
            read = self.model[source]
            assert read is not None
            with NWBZarrIO(self.url(source), "r", manager) as origin:
                nwb = origin.read().copy()
                with NWBZarrIO(self.url(name), "w", origin.manager) as io:
                    io.write(nwb)
            return Expected(read.label, None, source if read.source is None else read.source)

        return act

    # Rules. What they draw does not depend on what is stored: at which of several threads' requests a deed dies is
    # chance, so what is there afterwards is too, and Hypothesis wants the same draws whenever an example is run again.

    @initialize()
    def begin(self) -> None:
        """Start with one store."""
        self.model["a"] = self.write("a", 0, CHUNK + 3)(None)

    def whole(self) -> dict[str, Expected]:
        """Return the stores that are there."""
        return {name: entry for name, entry in sorted(self.model.items()) if entry is not None}

    @rule(name=names, label=values, length=lengths)
    def writes(self, name: str, label: int, length: int) -> None:
        """Write a new session, over an old one or not."""
        self.model[name] = self.write(name, label, length)(None)

    @rule(choice=choices, label=values, length=lengths, mode=st.sampled_from(["r+", "a"]))
    def adds(self, choice: int, label: int, length: int, mode: str) -> None:
        """Add scratch data."""
        for name in chosen(self.whole(), choice):
            self.model[name] = self.add(name, label, length, mode)(None)

    @rule(choice=choices, label=values, counts=st.lists(lengths, min_size=1, max_size=2))
    def appends(self, choice: int, label: int, counts: list[int]) -> None:
        """Append rows to the series, in one write or two by the same handle."""
        for name in chosen([name for name, entry in self.whole().items() if entry.rows], choice):
            self.model[name] = self.append(name, label, counts, scratch=False)(None)

    @rule(choice=choices, label=values, counts=st.lists(lengths, min_size=1, max_size=2))
    def appends_to_scratch(self, choice: int, label: int, counts: list[int]) -> None:
        """Append rows to scratch data."""
        for name in chosen([name for name, entry in self.whole().items() if entry.scratch], choice):
            self.model[name] = self.append(name, label, counts, scratch=True)(None)

    @rule(choice=choices, name=names)
    def derives(self, choice: int, name: str) -> None:
        """Derive a session; not over one that it reads, and of none with scratch data, which would be links too."""
        for source in chosen([name for name, entry in self.whole().items() if not entry.scratch], choice):
            self.derives_from(source, name)

    def derives_from(self, source: str, name: str) -> None:
        """Derive a session from another, or be refused."""
        if name in self.chain(source):
            with pytest.raises(SelfOverwriteError):
                self.derive(name, source)(None)
        else:
            self.model[name] = self.derive(name, source)(None)

    @rule(choice=choices)
    def refuses(self, choice: int) -> None:
        """Open a store that must not be there."""
        for name in chosen(self.whole(), choice):
            with pytest.raises(StoreExistsError):
                NWBZarrIO(self.url(name), "w-")

    @rule(choice=choices, name=names, label=values, length=lengths, fuse=fuses)
    def dies(self, choice: int, name: str, label: int, length: int, fuse: Fuse) -> None:
        """Die at one step of a deed."""
        deeds = [self.write(name, label, length)]
        before = self.model.get(name)
        if before is not None:
            deeds.append(self.add(name, label, length, "r+"))
            if before.rows:
                deeds.append(self.append(name, label, [length], scratch=False))
        (deed,) = chosen(deeds, choice)
        expected = self.dry_run(deed)
        with suppress(Died):
            self.with_fuse(fuse, deed)
        settle()
        state = self.read(name)
        if state == expected:
            self.model[name] = expected
        elif state == "incomplete":
            assert not self.is_local
            assert deed is deeds[0]
            self.model[name] = None
        elif before is None:
            assert state == "absent" if name not in self.model else state == "incomplete"
        else:
            assert state == before

    def dry_run(self, deed: Callable[[Manager | None], Expected]) -> Expected:
        """Return what a deed would leave, from doing it to a copy of the folder."""
        folder, model = self.folder, deepcopy(self.model)
        self.folder = f"{folder}-copy-{uuid.uuid4().hex}"
        fs, root = fsspec.url_to_fs(folder)
        if fs.exists(root):
            fs.copy(f"{root}/", f"{fsspec.url_to_fs(self.folder)[1]}/", recursive=True)
        try:
            return deed(None)
        finally:
            fs.rm(fsspec.url_to_fs(self.folder)[1], recursive=True)
            self.folder, self.model = folder, model

    @property
    def is_local(self) -> bool:
        """Whether stores are folders."""
        return "://" not in self.folder

    def with_fuse(self, fuse: Fuse, deed: Callable[[Manager | None], Expected]) -> None:
        """Do a deed whose steps are those of a fuse."""
        if self.is_local:
            # A process that lives on holds its locks: deaths for good are for real in test_crash.
            fuse.for_good = False
            with fused_files(fuse, Path(self.folder)):
                deed(None)
        else:
            deed(Manager(meter=FuseMeter(fuse)))

    # What must hold after every step.

    def read(self, name: str) -> Expected | str:
        """Return what a store holds, its own series with it, or how it is absent."""
        try:
            io = NWBZarrIO(self.url(name))
        except IncompleteWriteError:
            return "incomplete"
        except StoreNotFoundError:
            return "absent"
        with io:
            nwb = io.read()
            links = nwb["acquisition"].links
            source = Path(links["raw"].url.path).name.removesuffix(".nwb.zarr") if links else None
            rows = None if links else nwb.acquisition["raw"].data[:].tolist()
            scratch = {key: np.asarray(found.data).tolist() for key, found in nwb.scratch.items()}
            return Expected(int(nwb.identifier), rows, source, scratch)

    @invariant()
    def stores_hold_what_the_model_says(self) -> None:
        """Reopen every store."""
        for name in NAMES:
            entry = self.model.get(name, "absent")
            assert self.read(name) == ("incomplete" if entry is None else entry), name

    @invariant()
    def links_lead_to_what_is_there_now(self) -> None:
        """Follow the link of every derived store, over others that are derived."""
        for name in self.whole():
            *_, last = self.chain(name)
            entry = self.model.get(last)
            with NWBZarrIO(self.url(name)) as io:
                nwb = io.read()
                if entry is None:
                    with pytest.raises(DanglingLinkError):
                        nwb.acquisition["raw"]
                elif entry.source is not None:
                    with pytest.raises(LinkCycleError):
                        nwb.acquisition["raw"]
                else:
                    assert nwb.acquisition["raw"].data[:].tolist() == entry.rows


class LocalWriters(Writers):
    """Stores in a local folder."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="nwbzarr-stateful-")
        self.ends.callback(shutil.rmtree, self.folder)


class MemoryWriters(Writers):
    """Stores in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = f"memory://stateful/{uuid.uuid4().hex}"
        self.ends.callback(lambda: fsspec.filesystem("memory").rm(self.folder, recursive=True))


# The same examples every time; without shrinking, since that takes minutes and ten steps are short enough to read.
SETTINGS = settings(
    max_examples=25,
    stateful_step_count=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

TestLocalWriters = pytest.mark.slow(LocalWriters.TestCase)
TestLocalWriters.settings = SETTINGS
TestMemoryWriters = pytest.mark.slow(MemoryWriters.TestCase)
TestMemoryWriters.settings = SETTINGS


@pytest.mark.parametrize("counts", [[1, 1], [CHUNK, 1], [3, CHUNK, 2 * CHUNK]], ids=str)
@pytest.mark.parametrize("mode", ["r+", "w"])
def test_rows_appended_by_several_writes_of_one_handle(counts: list[int], mode: str, tmp_path: Path) -> None:
    url = str(tmp_path / "session.nwb.zarr")
    nwb, expected = made(1, CHUNK + 3)
    with NWBZarrIO(url, "w") as io:
        io.write(nwb)
        if mode == "r+":
            io = NWBZarrIO(url, "r+")  # noqa: PLW2901
            nwb = io.read()
        dataset = nwb.acquisition["raw"]["data"]
        assert isinstance(dataset, Dataset)
        assert expected.rows is not None
        for index, count in enumerate(counts):
            dataset.append(more(index, count))
            expected.rows.extend(more(index, count).tolist())
            io.write(nwb)
            with NWBZarrIO(url) as reader:
                assert reader.read().acquisition["raw"].data[:].tolist() == expected.rows
        io.close()
