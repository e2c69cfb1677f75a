"""Every neurodata type, in both directions: what one library writes, the other reads to the same description.

The description is PyNWB's own of the session that hdmf-zarr wrote. nwbzarr must see it in that store, and PyNWB must
see it again in the store that nwbzarr makes of the same session. The table of types and directions stands at the end
of the test output.
"""

from __future__ import annotations

import re
import traceback
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import nwbzarr
from nwbzarr import NWBZarrIO
from tests.peers import neurodata
from tests.peers.scripts import neurodata_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.peers.environment import Peer

    Verdicts = dict[str, dict[str, str]]
    Stores = dict[str, Path]

READING, WRITING = "PyNWB → nwbzarr", "nwbzarr → PyNWB"

#: What to know about a row: where PyNWB does not do by itself what is shown.
REMARKS = {
    "CSRMatrix": "in a type of an extension: NWB has no place for it",
    "ClusterWaveforms": "deprecated: PyNWB makes it as if it read it",
    "Clustering": "deprecated: PyNWB makes it as if it read it",
    "Container": "in a type of an extension: NWB has no place for it",
    "Data": "in a type of an extension",
    "EventWaveform": "PyNWB can neither make nor read it: its class is repaired for this",
    "ImageMaskSeries": "deprecated: PyNWB makes it as if it read it",
    "ImagingRetinotopy": "PyNWB has no class for it, and generates one",
    "NWBData": "in a type of an extension: NWB has no place for it",
    "SimpleMultiContainer": "in a type of an extension: NWB has no place for it",
    "SweepTable": "deprecated: PyNWB makes it as if it read it",
}

#: hdmf-zarr reads unsigned numbers in attributes as signed, whoever wrote them (hdmf-zarr issue 323).
_FALSE_ALARM = re.compile(r"expected 'uint\d*', got 'int64'$")


class Ours:
    """nwbzarr, as a `neurodata.Library`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getattr__(self, name: str) -> Any:
        """Return the class of a neurodata type."""
        return getattr(nwbzarr, name)

    def deprecated(self, name: str) -> Callable[..., Any]:
        """Return what makes a container of a type that is deprecated: its class, which makes no difference."""
        return getattr(self, name)  # type: ignore[no-any-return]

    def extension(self, name: str) -> Any:
        """Return the class of a type of the extension.

        PROVISIONAL: as `nwbzarr.load_namespace` and `nwbzarr.get_class` are planned to be.
        """
        library: Any = nwbzarr
        library.load_namespace(neurodata.write_extension(self._folder))
        return library.get_class(name, neurodata.EXTENSION["namespaces"][0]["name"])


@dataclass(frozen=True, slots=True)
class Side:
    """The stores that one library wrote, by type, with what PyNWB found in them, or how that failed.

    Attributes
    ----------
    stores : dict of str to pathlib.Path
        Places.
    studies : dict of str to dict
        ``description``, ``own_words`` and ``complaints``, or a ``failure``.
    """

    stores: Stores
    studies: dict[str, dict[str, Any]]

    def study(self, name: str) -> dict[str, Any]:
        """Return what PyNWB found for a type."""
        found = self.studies[_session_of(name)]
        if "failure" in found:
            pytest.fail(found["failure"], pytrace=False)
        return found


def _session_of(name: str) -> str:
    return next(first for first, names in neurodata.SESSIONS.items() if name in names)


@pytest.fixture(scope="module")
def theirs(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Side:
    """Return what hdmf-zarr wrote."""
    folder = tmp_path_factory.mktemp("theirs")
    failures = peer.run("write_neurodata", folder=folder, types=list(neurodata.SESSIONS))
    return _studied(peer, folder, failures)


@pytest.fixture(scope="module")
def ours(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Side:
    """Return what nwbzarr wrote."""
    folder = tmp_path_factory.mktemp("ours")
    failures = {}
    library = Ours(folder)
    for name in neurodata.SESSIONS:
        try:
            with warnings.catch_warnings():
                # Of types and fields that are deprecated.
                warnings.simplefilter("ignore")
                session = neurodata.BUILDERS[name](library)
            with NWBZarrIO(folder / f"{name}.nwb.zarr", mode="w") as io:
                io.write(session)
        except Exception:  # noqa: BLE001 - the table shows it
            failures[name] = traceback.format_exc()
    return _studied(peer, folder, failures)


def _studied(peer: Peer, folder: Path, failures: dict[str, str]) -> Side:
    stores = {name: folder / f"{name}.nwb.zarr" for name in neurodata.SESSIONS if name not in failures}
    studies = peer.run("describe_neurodata", stores={name: str(path) for name, path in stores.items()})
    return Side(stores, studies | {name: {"failure": failure} for name, failure in failures.items()})


@contextmanager
def _verdict(verdicts: Verdicts, name: str, direction: str) -> Iterator[None]:
    """Put into the table how a test ended."""
    row = verdicts.setdefault(name, {})
    row[direction] = "hole"
    yield
    row[direction] = "ok"


@pytest.mark.peers
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(neurodata.BUILDERS))
def test_nwbzarr_sees_what_pynwb_wrote(theirs: Side, verdicts: Verdicts, name: str) -> None:
    with _verdict(verdicts, name, READING):
        wanted = theirs.study(name)["description"]
        assert name in {container["neurodata_type"] for container in wanted.values()}
        session = nwbzarr.open(theirs.stores[_session_of(name)])
        found = neurodata_facts.describe(session, neurodata_facts.NwbzarrAdapter())
        wrong = neurodata_facts.differences(wanted, found)
        assert not wrong, _listed(wrong)


@pytest.mark.peers
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(neurodata.BUILDERS))
def test_pynwb_sees_what_nwbzarr_wrote(theirs: Side, ours: Side, verdicts: Verdicts, name: str) -> None:
    with _verdict(verdicts, name, WRITING):
        wanted, found = theirs.study(name), ours.study(name)
        descriptions = (_in_any_words(wanted["own_words"], side["description"]) for side in (wanted, found))
        wrong = neurodata_facts.differences(*descriptions)
        assert not wrong, _listed(wrong)
        assert [text for text in found["complaints"] if not _FALSE_ALARM.search(text)] == []


def _listed(lines: list[str]) -> str:
    return "\n".join([f"{len(lines)} differences", *lines[:20]])


def _in_any_words(paths: list[str], description: neurodata_facts.Facts) -> neurodata_facts.Facts:
    """Return a description where some containers only have to be described at all, in whatever words."""
    made = dict(description)
    for path in paths:
        if path in made and made[path]["fields"].get("description", {}).get("text"):
            fields = {**made[path]["fields"], "description": {"text": "…"}}
            made[path] = {**made[path], "fields": fields}
    return made


@pytest.mark.peers
@pytest.mark.slow
def test_every_type_of_the_installed_schema_has_a_row(peer: Peer, verdicts: Verdicts) -> None:
    installed = set(peer.run("tell_schema")["types"])
    assert installed == set(neurodata.BUILDERS)
    assert set(REMARKS) <= installed
    for name in installed:
        # Not run is a hole, too.
        verdicts.setdefault(name, {})
        if name in REMARKS:
            verdicts[name]["remark"] = REMARKS[name]
