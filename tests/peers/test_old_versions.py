"""Sessions of older schema versions: files of old PyNWB, converted to Zarr by hdmf-zarr.

hdmf-zarr writes the converted session under the newest schema; ``old`` has the namespaces that the file itself has
cached put back, so that the session is what its writer meant.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
import zarr

import nwbzarr
from nwbzarr import NWBZarrIO
from nwbzarr.convention.names import SIDECAR
from nwbzarr.model.datasets import Dataset
from tests.handwritten import consolidate, make_array
from tests.peers.environment import REPOSITORY, PeerError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers.environment import Peer

pytestmark = pytest.mark.peers

FOLDERS = (REPOSITORY.parent / "shared/data/nwb", REPOSITORY / "shared/data/nwb")
FOLDER = next((folder for folder in FOLDERS if folder.is_dir()), None)
NAMES = sorted(file.stem for file in FOLDER.glob("*.nwb")) if FOLDER is not None else []

#: What PyNWB writes in another form than it reads.
RESHAPED = ("general/experimenter", "general/related_publications")
#: Attributes that PyNWB drops or renews.
RENEWED = ("help", "nwb_version", "namespace", "neurodata_type", ".specloc", "object_id")


@dataclass(frozen=True)
class Old:
    """A file, and stores made of it."""

    file: Path
    new: Path
    old: Path | None


@pytest.fixture(scope="module", params=NAMES or ["none"])
def converted(request: pytest.FixtureRequest, peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Old:
    """One file of old PyNWB, converted; read only."""
    if FOLDER is None:
        pytest.skip(f"the files of old PyNWB are not here: neither {FOLDERS[0]} nor {FOLDERS[1]} is there")
    file = FOLDER / f"{request.param}.nwb"
    place = tmp_path_factory.mktemp("old") / "session.nwb.zarr"
    try:
        peer.run("convert_hdf5", source=file, target=place)
    except PeerError as error:
        pytest.skip(f"PyNWB itself cannot convert {file.name}: {error}")
    return Old(file, place, _with_own_namespaces(file, place))


def _with_own_namespaces(file: Path, place: Path) -> Path | None:
    """Return a copy of a store with the namespaces that an HDF5 file has cached, or None when it has none."""
    with h5py.File(file) as source:
        if "specifications" not in source:
            return None
        old = place.with_name("old.nwb.zarr")
        shutil.copytree(place, old)
        shutil.rmtree(old / "specifications")
        (old / SIDECAR).unlink(missing_ok=True)
        root = zarr.open_group(old, mode="r+", use_consolidated=False)
        for name, text in _datasets(source["specifications"]).items():
            make_array(root, f"specifications/{name}", str(text.asstr()[()]))
    consolidate(old)
    return old


def _datasets(group: h5py.Group) -> dict[str, h5py.Dataset]:
    found: dict[str, h5py.Dataset] = {}

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset) and not name.startswith("specifications/"):
            found[name] = node

    group.visititems(visit)
    return found


def plain(value: Any, file: h5py.File) -> Any:
    """Return a value of HDF5 as Python has it: texts, paths for references, nested lists."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, h5py.Reference):
        return file[value].name
    if isinstance(value, np.ndarray):
        return [plain(item, file) for item in value] if value.ndim else plain(value[()], file)
    if isinstance(value, np.void):
        return [plain(item, file) for item in value.tolist()]
    return value.item() if isinstance(value, np.generic) else value


def ours(value: Any) -> Any:
    """Return a value of ours in the same form."""
    if hasattr(value, "path") and hasattr(value, "neurodata_type"):
        return value.path
    if isinstance(value, np.void):
        return [ours(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "shape"):
        array = np.asarray(value)
        return [ours(item) for item in array] if array.ndim else ours(array[()])
    return [ours(item) for item in value] if isinstance(value, list | tuple) else value


def same(found: Any, wanted: Any) -> bool:
    """Whether two values are equal, NaN to NaN."""
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(same, found, wanted))
    return bool(found == wanted) or (found != found and wanted != wanted)  # noqa: PLR0124 - NaN


def check(place: Path, file: Path) -> int:
    """Assert that a store has all values of an HDF5 file, and return how many datasets were compared."""
    nwb = nwbzarr.open(place)
    with h5py.File(file) as source:
        found = _datasets(source)
        for name, dataset in found.items():
            element = nwb.find(name)
            assert isinstance(element, Dataset), name
            # A ragged index has a selection of its own; here its numbers count.
            stored = Dataset.values_at(element, ...) if element.shape else element.data
            value, wanted = ours(stored), plain(dataset[()], source)
            if name in RESHAPED and not isinstance(wanted, list):
                wanted = [wanted]
            assert same(value, wanted), (name, value, wanted)
            _check_attributes(element, dataset, source, name)
        groups: list[str] = []
        source.visititems(lambda name, node: groups.append(name) if isinstance(node, h5py.Group) else None)
        for name in groups:
            element = nwb.find(name)
            if name.startswith("specifications") or (element is None and not len(source[name])):
                continue
            assert element is not None, name
            _check_attributes(element, source[name], source, name)
    return len(found)


def _check_attributes(element: Any, node: Any, source: h5py.File, name: str) -> None:
    for word, value in node.attrs.items():
        if word in RENEWED:
            continue
        assert word in element.attributes, (name, word)
        assert same(ours(element.attributes[word]), plain(value, source)), (name, word)


def test_every_value_is_there(converted: Old) -> None:
    assert check(converted.new, converted.file) >= 5
    if converted.old is not None:
        check(converted.old, converted.file)


@pytest.mark.parametrize("which", ["new", "old"])
def test_every_container_has_the_class_of_its_type(converted: Old, which: str) -> None:
    place = getattr(converted, which)
    if place is None:
        pytest.skip("the file has no cached namespaces")
    nwb = nwbzarr.open(place)
    assert nwb.loader is not None
    waiting: list[Any] = [nwb]
    seen = 0
    while waiting:
        element = waiting.pop()
        if element.neurodata_type is not None:
            seen += 1
            assert type(element).__name__ == element.neurodata_type, element.path
        if not isinstance(element, Dataset):
            waiting += [element[name] for name in element if name not in element.links]
    assert seen >= 1


def test_nothing_is_wrong_after_the_newest_schema(converted: Old) -> None:
    assert nwbzarr.validate(converted.new) == []


def test_after_its_own_schema_only_what_the_conversion_did_is_wrong(converted: Old) -> None:
    """PyNWB wrote a newer version, left ``help`` out, and gave electrodes a table of a type of their own."""
    if converted.old is None:
        pytest.skip("the file has no cached namespaces")
    found = nwbzarr.validate(converted.old)
    left = [
        problem
        for problem in found
        if problem.field not in ("nwb_version", "help")
        and "ElectrodesTable" not in (problem.neurodata_type, problem.message)
        and problem.path.strip("/") not in RESHAPED
    ]
    assert left == []
    assert any(problem.field == "nwb_version" for problem in found)


@pytest.mark.parametrize("which", ["new", "old"])
def test_copies_and_exports_keep_everything(converted: Old, which: str, tmp_path: Path) -> None:
    place = getattr(converted, which)
    if place is None:
        pytest.skip("the file has no cached namespaces")
    shutil.copytree(place, tmp_path / "session")
    _add_what_no_schema_knows(tmp_path / "session")
    with NWBZarrIO(tmp_path / "session") as io:
        with NWBZarrIO(tmp_path / "copy", "w") as out:
            out.write(io.read().copy())
        with NWBZarrIO(tmp_path / "export", "w") as out:
            out.export(io)
    for name in ("copy", "export"):
        check(tmp_path / name, converted.file)
        _check_what_no_schema_knows(tmp_path / name)
        assert _cache(tmp_path / name) >= _cache(place)


@pytest.mark.parametrize("which", ["new", "old"])
def test_what_is_added_leaves_the_rest_alone(converted: Old, which: str, tmp_path: Path) -> None:
    source = getattr(converted, which)
    if source is None:
        pytest.skip("the file has no cached namespaces")
    place = tmp_path / "session"
    shutil.copytree(source, place)
    _add_what_no_schema_knows(place)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    with NWBZarrIO(place, "r+") as io:
        nwb: Any = io.read()
        nwb.add_acquisition(nwbzarr.TimeSeries(name="added", data=[1.0], unit="V", rate=1.0))
        nwb.create_device(name="added")
        io.write(nwb)
    check(place, converted.file)
    _check_what_no_schema_knows(place)
    assert list(nwbzarr.open(place).acquisition["added"].data[:]) == [1.0]
    assert _cache(place) >= _cache(source)
    changed = {path for path, data in before.items() if not path.exists() or path.read_bytes() != data}
    groups = ("", "acquisition", "general", "general/devices")
    allowed = {place / SIDECAR, *(place / group / "zarr.json" for group in groups)}
    assert changed <= allowed


def _add_what_no_schema_knows(place: Path) -> None:
    """Add an attribute and a dataset that no schema has a word for, to the session and to its acquisition."""
    (place / SIDECAR).unlink(missing_ok=True)
    root = zarr.open_group(place, mode="r+", use_consolidated=False)
    root.attrs["colour"] = "red"
    make_array(root, "surprise", np.arange(3))
    make_array(root, "general/surprise", "a text")
    consolidate(place)


def _check_what_no_schema_knows(place: Path) -> None:
    nwb: Any = nwbzarr.open(place)
    assert nwb.attributes["colour"] == "red"
    assert list(nwb.find("surprise").data[:]) == [0, 1, 2]
    assert nwb.find("general/surprise").data == "a text"


def _cache(place: Path) -> set[tuple[str, str]]:
    """Return the cached namespaces of a store, with their versions."""
    return {(folder.parent.name, folder.name) for folder in (place / "specifications").glob("*/*") if folder.is_dir()}
