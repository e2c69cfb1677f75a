"""The tools that store one array on S3; the environment names the server and the credentials."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from array_tools import GZIP, NAME, ArrayTool, Sessions, TensorStore, ZarrArrays
from bare_requests import BareRequests
from session import TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class RemoteHDF5(Sessions):
    """PyNWB's HDF5: written to the disk and then uploaded, read through a file object.

    Attributes
    ----------
    reader : str
        What makes the file object: ``"s3fs"``, or ``"remfile"`` from a signed URL.
    """

    reader: str = "s3fs"

    def write(self, place: str, made: Any) -> None:
        """Store the session on the disk, and upload the file."""
        import fsspec

        with tempfile.TemporaryDirectory(prefix="nwbzarr-benchmark-") as folder:
            local = Path(folder) / "session.nwb"
            super().write(os.fspath(local), made)
            fsspec.filesystem("s3").put_file(os.fspath(local), place)

    @contextmanager
    def open(self, place: str) -> Iterator[Any]:
        """Give the data of the series."""
        import h5py

        _, io_class = TOOLS[self.tool].load()
        with self._file(place) as remote, h5py.File(remote, "r") as file, io_class(file=file, mode="r") as io:
            yield io.read().acquisition[NAME].data

    @contextmanager
    def _file(self, place: str) -> Iterator[Any]:
        import fsspec

        filesystem = fsspec.filesystem("s3")
        if self.reader == "s3fs":
            with filesystem.open(place, "rb") as remote:
                yield remote
        else:
            import remfile

            yield remfile.File(filesystem.url(place))


_HDF5 = ("PyNWB HDF5", "pynwb.H5DataIO", GZIP)

REMOTE: dict[str, ArrayTool] = {
    "nwbzarr": Sessions("nwbzarr", modules=("s3fs",)),
    "nwbzarr obstore": Sessions(
        "nwbzarr", keywords={"transport": "obstore"}, modules=("obstore.store", "botocore.session")
    ),
    "hdmf-zarr": Sessions("hdmf-zarr", modules=("s3fs",)),
    "PyNWB s3fs": RemoteHDF5(*_HDF5, modules=("s3fs",)),
    "PyNWB remfile": RemoteHDF5(*_HDF5, modules=("s3fs", "remfile"), reader="remfile"),
    "zarr-python s3fs": ZarrArrays(transport="s3fs"),
    "zarr-python obstore": ZarrArrays(transport="obstore"),
    "tensorstore": TensorStore(),
    "bare aiobotocore": BareRequests("aiobotocore"),
    "bare obstore": BareRequests("obstore"),
}
