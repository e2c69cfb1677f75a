"""The tools that store one array, each with its defaults unless its name says otherwise.

NWB's tools store a session with one `TimeSeries`; the others store the bare array, with the layout of nwbzarr's.
Places are local paths, or ``s3://`` URLs whose server and credentials the environment names.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from session import SESSION, TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    import numpy as np

    Samples = np.ndarray[Any, Any]

NAME = "probe"

#: Where nwbzarr stores the array inside a session.
ARRAY = f"acquisition/{NAME}/data"


class ArrayTool(Protocol):
    """What a tool can do. Only `write` and `open`, with what is read then, are timed."""

    def load(self) -> None:
        """Import what the tool needs."""

    def make(self, data: Samples, rate: float, options: Mapping[str, Any]) -> Any:
        """Return what `write` takes."""

    def write(self, place: str, made: Any) -> None:
        """Store it."""

    def open(self, place: str) -> AbstractContextManager[Any]:
        """Give what can be sliced."""


@dataclass(frozen=True)
class Sessions:
    """A tool that stores sessions.

    Attributes
    ----------
    tool : str
        Name in `session.TOOLS`.
    wrapper : str
        Module and class that carries wishes on how data are stored; empty for none.
    wishes : mapping
        The wishes.
    keywords : mapping
        What the IO class takes besides the place.
    modules : tuple of str
        What is imported before the clock starts, besides the tool itself: a transport.
    """

    tool: str
    wrapper: str = ""
    wishes: Mapping[str, Any] = field(default_factory=dict)
    keywords: Mapping[str, Any] = field(default_factory=dict)
    modules: tuple[str, ...] = ()

    def load(self) -> None:
        """Import all that storing and reading takes; nwbzarr and fsspec import much of it when they need it."""
        TOOLS[self.tool].load()
        for module in ("h5py" if self.tool == "PyNWB HDF5" else "zarr", *self.modules):
            importlib.import_module(module)
        if self.tool == "nwbzarr":
            import_all("nwbzarr")
        if self.wrapper:
            self._wrapper()

    def make(self, data: Samples, rate: float, options: Mapping[str, Any]) -> Any:
        """Return the session in memory."""
        wishes = {**self.wishes, **options}
        library, _ = TOOLS[self.tool].load()
        stored = self._wrapper()(data=data, **wishes) if wishes else data
        session = library.NWBFile(**SESSION)
        session.add_acquisition(library.TimeSeries(name=NAME, data=stored, unit="uV", rate=rate))
        return session

    def write(self, place: str, made: Any) -> None:
        """Store the session."""
        _, io_class = TOOLS[self.tool].load()
        with io_class(place, mode="w", **self.keywords) as io:
            io.write(made)

    @contextmanager
    def open(self, place: str) -> Iterator[Any]:
        """Give the data of the series."""
        _, io_class = TOOLS[self.tool].load()
        with io_class(place, mode="r", **self.keywords) as io:
            yield io.read().acquisition[NAME].data

    def _wrapper(self) -> Any:
        home, _, name = (self.wrapper or "nwbzarr.ZarrDataIO").rpartition(".")
        return getattr(importlib.import_module(home), name)


@dataclass(frozen=True)
class ZarrArrays:
    """zarr-python, with a codec pipeline and a transport; the array's document is copied from nwbzarr's."""

    pipeline: str = ""
    transport: str = ""

    def load(self) -> None:
        """Import zarr and the rest, and switch the pipeline on."""
        import zarr
        from zarr import codecs, storage  # noqa: F401 - imported before the clock starts

        # Looking for empty chunks costs time, and there are none.
        zarr.config.set({"array.write_empty_chunks": True})
        if self.pipeline:
            importlib.import_module(self.pipeline.partition(".")[0])
            zarr.config.set({"codec_pipeline.path": self.pipeline})
        if self.transport:
            importlib.import_module({"obstore": "obstore.store", "s3fs": "s3fs"}[self.transport])

    def make(self, data: Samples, rate: float, options: Mapping[str, Any]) -> Any:
        """Return the samples and the document."""
        del rate
        return data, options["document"]

    def write(self, place: str, made: tuple[Samples, bytes]) -> None:
        """Store the document, and then the array."""
        import zarr
        from zarr.core.buffer import default_buffer_prototype
        from zarr.core.sync import sync

        data, document = made
        store = self._store(place)
        sync(store.set("zarr.json", default_buffer_prototype().buffer.from_bytes(document)))
        array: Any = zarr.open_array(store, mode="r+", zarr_format=3)
        array[...] = data

    @contextmanager
    def open(self, place: str) -> Iterator[Any]:
        """Give the array."""
        import zarr

        yield zarr.open_array(self._store(place), mode="r", zarr_format=3)

    def _store(self, place: str) -> Any:
        from zarr.storage import FsspecStore, LocalStore, ObjectStore

        if self.transport == "s3fs":
            return FsspecStore.from_url(place)
        if self.transport == "obstore":
            from obstore.store import S3Store

            return ObjectStore(S3Store.from_url(place, client_options={"allow_http": True}))
        return LocalStore(place)


@dataclass(frozen=True)
class TensorStore:
    """tensorstore, the same document, with its own defaults."""

    def load(self) -> None:
        """Import it."""
        importlib.import_module("tensorstore")

    def make(self, data: Samples, rate: float, options: Mapping[str, Any]) -> Any:
        """Return the samples and the document."""
        del rate
        return data, options["document"]

    def write(self, place: str, made: tuple[Samples, bytes]) -> None:
        """Store the document, and then the array."""
        import tensorstore as ts

        data, document = made
        ts.KvStore.open(self._place(place)).result().write("zarr.json", document).result()
        array = ts.open({"driver": "zarr3", "kvstore": self._place(place)}, open=True).result()
        array.write(data).result()

    @contextmanager
    def open(self, place: str) -> Iterator[Any]:
        """Give the array."""
        import tensorstore as ts

        yield ts.open({"driver": "zarr3", "kvstore": self._place(place)}, open=True, read=True).result()

    @staticmethod
    def _place(place: str) -> dict[str, Any]:
        import os

        if not place.startswith("s3://"):
            return {"driver": "file", "path": f"{place}/", "file_io_sync": False}  # as all the others: no fsync
        bucket, _, path = place.removeprefix("s3://").partition("/")
        where = {"endpoint": os.environ["AWS_ENDPOINT_URL"], "aws_region": os.environ["AWS_DEFAULT_REGION"]}
        return {"driver": "s3", "bucket": bucket, "path": f"{path}/", **where}


@dataclass(frozen=True)
class PlainFile:
    """``np.save`` and ``np.load``: what the disk and the memory allow."""

    def load(self) -> None:
        """Import NumPy."""
        importlib.import_module("numpy")

    def make(self, data: Samples, rate: float, options: Mapping[str, Any]) -> Any:
        """Return the samples."""
        del rate, options
        return data

    def write(self, place: str, made: Samples) -> None:
        """Store them."""
        import numpy as np

        with Path(place).open("xb") as file:
            np.save(file, made)

    @contextmanager
    def open(self, place: str) -> Iterator[Any]:
        """Give the mapped file; what is sliced is copied into memory."""
        import numpy as np

        yield np.load(place, mmap_mode="r")


def import_all(package: str) -> None:
    """Import every module of a package that can be imported here, but its commands."""
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.startswith(f"{package}.cli"):
            with suppress(ImportError):
                importlib.import_module(module.name)


def document_of(session: Path) -> bytes:
    """Return the document of the array that nwbzarr has stored in a session, without its attributes."""
    document = json.loads((session / ARRAY / "zarr.json").read_text())
    return json.dumps({**document, "attributes": {}}).encode()


GZIP = {"compression": "gzip", "compression_opts": 4}

LOCAL: dict[str, ArrayTool] = {
    "nwbzarr": Sessions("nwbzarr"),
    "nwbzarr pcodec": Sessions("nwbzarr", "nwbzarr.ZarrDataIO", {"compressors": "pcodec"}),
    "hdmf-zarr": Sessions("hdmf-zarr"),
    "PyNWB HDF5": Sessions("PyNWB HDF5", "pynwb.H5DataIO", GZIP),
    "zarr-python": ZarrArrays(),
    "zarrs": ZarrArrays("zarrs.ZarrsCodecPipeline"),
    "tensorstore": TensorStore(),
    "NumPy": PlainFile(),
}
