"""The peer, started once; tests that need it skip when it is missing, and fail when it was named and does not work.

At the end of the test output stands a table of the neurodata types that were tried, and how that ended.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from nwbzarr import NWBZarrIO
from tests.peers.environment import HOW_TO_MAKE, VARIABLE, Peer, PeerUnavailableError, find_interpreter
from tests.peers.sessions import RAW, SERIES_DEFAULTS, SHARED, SHARING, SMALL, TABLES, analyse, derive, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.peers.sessions import Facts

#: How it ended, by neurodata type and direction, and remarks.
_VERDICTS = pytest.StashKey[dict[str, dict[str, str]]]()


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """hdmf-zarr in its own interpreter."""
    interpreter = find_interpreter()
    if interpreter is None:
        pytest.skip(f"no environment for hdmf-zarr: {HOW_TO_MAKE}")
    try:
        started = Peer(interpreter, tmp_path_factory.mktemp("peer") / "log")
    except PeerUnavailableError as error:
        if os.environ.get(VARIABLE):
            pytest.fail(f"{VARIABLE} is set, but {error}")
        pytest.skip(str(error))
    with started:
        yield started


@pytest.fixture(scope="session")
def look(peer: Peer) -> Callable[..., Any]:
    """Return what hdmf-zarr finds in a store: ``look(path, tables=True)["facts"]``."""
    names = {
        "file": list(RAW["file"]),
        "subject": list(RAW["subject"]),
        "device": list(RAW["devices"]["probe"]),
        "series": list(SERIES_DEFAULTS),
    }

    def describe(path: Path | str, **options: Any) -> Any:
        return peer.run("describe_session", path=path, names=names, **options)

    return describe


@dataclass(frozen=True, slots=True)
class Study:
    """What the peer has to say about one store of `ours` or `theirs`."""

    facts: Facts
    ids: dict[str, str]
    tables: Facts | None
    complaints: list[str]
    warnings: list[str]


@pytest.fixture(scope="session")
def study(peer: Peer, look: Callable[..., Any]) -> Callable[..., Study]:
    """Return what the peer finds in a store that no test changes, asking it once."""

    @functools.cache
    def ask(store: Path, *, tables: bool = False) -> Study:
        found, verdict = look(store, tables=tables), peer.ask("validate_session", path=store)
        return Study(found["facts"], found["ids"], found["tables"], verdict.result, verdict.warnings)

    return ask


@pytest.fixture(scope="session")
def theirs(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of sessions that hdmf-zarr wrote; read only.

    ``room`` is `RAW` with a container of a lab's own type, ``sharing`` is `SHARING`, ``tables`` is `RAW` with `TABLES`,
    ``scattered`` the same without consolidated metadata; ``unsigned`` holds a container with an unsigned number and
    with NaN in attributes, which hdmf-zarr writes and cannot read.
    """
    folder = tmp_path_factory.mktemp("theirs")
    rooms = {"number": 7, "dtype": "int32", "noise": 1.5, "lights": [0.5, 2.0]}
    wishes: dict[str, Facts] = {
        "room": {"extension": rooms},
        "sharing": {"session": SHARING},
        "tables": {"tables": TABLES},
        "scattered": {"tables": TABLES, "consolidated": False},
        "unsigned": {"session": SMALL, "extension": {**rooms, "dtype": "uint32", "noise": "nan"}},
    }
    for name, wish in wishes.items():
        peer.run("write_session", path=folder / f"{name}.nwb.zarr", **{"session": RAW, "shared": SHARED, **wish})
    return folder


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of sessions that nwbzarr wrote; read only.

    ``raw`` is `RAW`, ``sharing`` is `SHARING`; ``processed`` links to ``raw``, ``scratch`` to both, and ``exported`` is
    an export of the last.
    """
    folder = tmp_path_factory.mktemp("ours")
    write(RAW, folder / "raw.nwb.zarr")
    write(SHARING, folder / "sharing.nwb.zarr")
    derive(folder / "raw.nwb.zarr", folder / "processed.nwb.zarr")
    analyse(folder / "processed.nwb.zarr", folder / "scratch.nwb.zarr")
    with NWBZarrIO(folder / "scratch.nwb.zarr") as io, NWBZarrIO(folder / "exported.nwb.zarr", "w") as out:
        out.export(io)
    return folder


@pytest.fixture(scope="session")
def verdicts(request: pytest.FixtureRequest) -> dict[str, dict[str, str]]:
    """Return what will stand in the table of neurodata types: how it ended, by type and direction."""
    return request.config.stash.setdefault(_VERDICTS, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table of neurodata types."""
    verdicts = config.stash.get(_VERDICTS, {})
    directions = sorted({word for row in verdicts.values() for word in row if word != "remark"})
    if not directions:
        return
    terminalreporter.section("neurodata types")
    width = max(map(len, verdicts))
    terminalreporter.write_line("  ".join(["type".ljust(width), *directions]))
    for name, row in sorted(verdicts.items()):
        cells = [row.get(direction, "not run").ljust(len(direction)) for direction in directions]
        terminalreporter.write_line("  ".join([name.ljust(width), *cells, row.get("remark", "")]).rstrip())
    for direction in directions:
        holes = [name for name, row in verdicts.items() if row.get(direction) != "ok"]
        terminalreporter.write_line(
            f"{direction}: {len(verdicts) - len(holes)} of {len(verdicts)} types, {len(holes)} holes"
        )
