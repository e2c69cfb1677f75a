"""PyNWB's own integration suite, with our `NWBZarrIO` in the place of its `NWBHDF5IO`.

``python -m tests.interop.suite FOLDER [local|memory|s3] [arguments of pytest]``, where FOLDER is an unpacked source
distribution of PyNWB (wheels have no tests). Needs Python 3.12 with PyNWB. As a plugin of pytest this module swaps the
class before any test is imported, gives each test a folder of its own, and leaves out what asks for HDF5 itself.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import s3fs

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACE = "NWBZARR_SUITE_PLACE"
_OPTIONS = "NWBZARR_SUITE_OPTIONS"
_BUCKET = "pynwb-suite"

_LOOKS = "looks into the file with h5py"

#: Tests of HDF5 itself: part of their name, and what they ask for.
OF_HDF5 = {
    "TestH5DataIO": "h5py's datasets and filters",
    "TestNWBHDF5IO": "h5py's files, drivers and modes",
    "TestTimeSeriesModular": "hdmf's HDF5IO and h5py's links",
    "TestUnitsWaveformsOnlyIO::test_waveforms_attributes_written": _LOOKS,
    "TestUnitsCustomWaveformUnitIO::test_waveform_unit_written": _LOOKS,
    "TestUnitsWaveformTimeBeforePeakIO::test_waveform_time_before_peak_written": _LOOKS,
    "TestUnitsWaveformTimeBeforePeakOmitted::test_attribute_not_written": _LOOKS,
    "TestUnitsMismatchedWaveformUnit::test_warn_on_mismatched_unit": _LOOKS,
    "test_num_samples_written_as_uint32": _LOOKS,
    "test_derived_num_samples_not_written": _LOOKS,
}

_where: dict[str, Any] = {"folder": None, "options": None}


def _placed(path: Any) -> Any:
    """Return where a suite's file name leads: to a folder, or below a URL."""
    if _where["folder"] is None or path is None or "://" in str(path):
        return path
    return f"{_where['folder']}/{Path(path).absolute().as_posix().strip('/')}"


def _swap() -> None:
    """Put our class in the place of PyNWB's."""
    import pynwb
    import pynwb.testing.testh5io
    import pynwb.testing.utils

    from nwbzarr.interop.pynwb import NWBZarrIO

    class SuiteIO(NWBZarrIO):
        """Ours, at the places of this run; ``driver`` and ``aws_region`` are HDF5's, and None in this suite."""

        def __init__(
            self, path: Any, mode: str = "r", load_namespaces: bool = True, manager: Any = None, **given: Any
        ) -> None:
            drivers = {given.pop("driver", None), given.pop("aws_region", None)}
            assert drivers == {None}
            super().__init__(_placed(path), mode, load_namespaces, manager, storage_options=_where["options"], **given)

        @staticmethod
        def can_read(path: Any) -> bool:
            return NWBZarrIO.can_read(_placed(path))

        @classmethod
        def load_namespaces(
            cls, namespace_catalog: Any, path: Any = None, namespaces: Any = None, io: Any = None, **given: Any
        ) -> Any:
            options = _where["options"]
            given["storage_options"] = options
            return super().load_namespaces(namespace_catalog, _placed(path), namespaces, io, **given)

    SuiteIO.__name__ = "NWBZarrIO"
    remove = os.remove

    def remove_any(path: Any, **given: Any) -> None:
        """Remove what a test wrote: a folder, or nothing here when it is elsewhere."""
        if Path(path).is_dir():
            shutil.rmtree(path)
        elif _where["folder"] is None or Path(path).exists():
            remove(path, **given)

    os.remove = remove_any
    for module in (pynwb, pynwb.testing.testh5io):
        module.NWBHDF5IO = SuiteIO
    for module in (pynwb.testing, pynwb.testing.testh5io, pynwb.testing.utils):
        module.remove_test_file = lambda path: remove_any(path) if Path(path).exists() else None


if _PLACE in os.environ:
    _swap()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give each test a folder, and a place of its own."""
    monkeypatch.chdir(tmp_path)
    place = os.environ[_PLACE]
    if place == "memory":
        _where["folder"] = f"memory://{uuid.uuid4().hex}"
    elif place == "s3":
        _where["folder"] = f"s3://{_BUCKET}/{uuid.uuid4().hex}"
        _where["options"] = json.loads(os.environ[_OPTIONS])
    yield
    _where.update(folder=None, options=None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what asks for HDF5 itself."""
    for item in items:
        reason = next((reason for part, reason in OF_HDF5.items() if part in item.nodeid), None)
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=f"asks for HDF5 itself: {reason}"))


def main(arguments: list[str]) -> int:
    """Run the suite; return pytest's exit status."""
    folder, place, *rest = [*arguments, "local"] if len(arguments) == 1 else arguments
    suite = Path(folder).resolve()
    # PyNWB's tests are a package of the same name as ours: this module is a plugin under a name of its own.
    paths = [str(suite), str(Path(__file__).parent)]
    environment = {**os.environ, _PLACE: place, "PYTHONPATH": os.pathsep.join(paths)}
    given = ["-p", "suite", "-p", "no:cacheprovider", "-q", "--tb=short", "-W", "ignore", "-rs"]
    command = [sys.executable, "-m", "pytest", *given, f"--rootdir={suite}", "-c", os.devnull, *rest]
    command.append(str(suite / "tests" / "integration" / "hdf5"))
    if place != "s3":
        return subprocess.run(command, env=environment, check=False).returncode
    from tests.servers.ceph import CephGateway

    with CephGateway() as server:
        options = server.endpoint.storage_options()
        s3fs.S3FileSystem(**options).call_s3("create_bucket", Bucket=_BUCKET)
        return subprocess.run(command, env={**environment, _OPTIONS: json.dumps(options)}, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
