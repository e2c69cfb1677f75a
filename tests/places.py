"""Folders to keep sessions in: on disk, in memory, on S3; and what lies in them, key by key."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from nwbzarr import Manager, NWBZarrIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What a fixture takes as `params` to get every kind of place, and those that cost milliseconds.
KINDS = ("local", "memory", pytest.param("s3", marks=pytest.mark.s3))
QUICK_KINDS = ("local", "memory")


@dataclass
class Place:
    """A folder of sessions, and how it is reached."""

    url: str
    options: dict[str, Any] | None = None
    opened: list[NWBZarrIO] = field(default_factory=list)

    def io(self, name: str, mode: str, manager: Manager | None = None) -> NWBZarrIO:
        """Open a session of this place; what stays open is closed when the test ends."""
        options = self.options if manager is None else None
        made = NWBZarrIO(f"{self.url}/{name}", mode=mode, manager=manager, storage_options=options)
        self.opened.append(made)
        return made

    def objects(self) -> dict[str, bytes]:
        """Return everything that is stored here: key below this folder to bytes."""
        fs, root = self._file_system()
        found = fs.cat(fs.find(root)) if fs.exists(root) else {}
        return {key[len(root) :].lstrip("/"): value for key, value in found.items()}

    def put(self, objects: dict[str, bytes]) -> None:
        """Store objects by key below this folder, as a copying tool would."""
        fs, root = self._file_system()
        for folder in {key.rpartition("/")[0] for key in objects} if "://" not in self.url else ():
            fs.makedirs(f"{root}/{folder}", exist_ok=True)
        fs.pipe({f"{root}/{key}": value for key, value in objects.items()})

    def remove(self, name: str = "") -> None:
        """Remove everything here, or what is below a name."""
        fs, root = self._file_system()
        fs.rm(f"{root}/{name}".rstrip("/"), recursive=True)

    def _file_system(self) -> tuple[Any, str]:
        """Return fsspec's file system, whose listings are never cached, and the path of this folder in it."""
        quiet = {} if self.options is None else {"use_listings_cache": False, **self.options}
        fs, root = fsspec.url_to_fs(self.url, **quiet)
        return fs, root.rstrip("/")


def forget_memory(url: str) -> None:
    """Remove everything below a place in memory; fsspec's own way takes a look at all places for each object."""
    prefix = f"/{url.removeprefix('memory://').strip('/')}/"
    for key in [key for key in MemoryFileSystem.store if key.startswith(prefix)]:
        del MemoryFileSystem.store[key]
    folders = MemoryFileSystem.pseudo_dirs
    folders[:] = [folder for folder in folders if not f"{folder}/".startswith(prefix)]


@contextmanager
def place_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Place]:
    """Give an empty place of one kind, and close and remove what was in it.

    Parameters
    ----------
    kind : str
        ``"local"``, ``"memory"`` or ``"s3"``.
    request : FixtureRequest
        Gives the S3 server when it is asked for.
    folder : Path
        Where local places are.
    """
    if kind == "local":
        made = Place(str(folder / uuid.uuid4().hex))
    elif kind == "memory":
        made = Place(f"memory://{uuid.uuid4().hex}")
    else:
        bucket = request.getfixturevalue("s3_bucket")
        made = Place(f"{bucket.url.rstrip('/')}/{uuid.uuid4().hex}", bucket.options)
    try:
        yield made
    finally:
        for io in made.opened:
            io.close()
        if kind == "memory":
            forget_memory(made.url)
