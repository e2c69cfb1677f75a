"""Transactions on the local disk.

A new store is staged in a folder beside its place and renamed into it; an old one is exchanged in one system call
where the kernel has it (Linux ``renameat2``), else moved aside first and moved back by whoever finds the gap. An
update of a store writes what is new into it and replaces the root document last, by a rename.

A killed process leaves the old store whole; a power cut is the file system's matter, since nothing is synced.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from nwbzarr.convention.names import DOCUMENT, SIDECAR, WRITE_NOTE
from nwbzarr.errors import CommitConflictError, StoreAccessError, StoreExistsError, StoreNotFoundError
from nwbzarr.stores.keys import LocalKeys, named_errors
from nwbzarr.stores.places import Delivery, Place
from nwbzarr.stores.transactions import Transaction
from nwbzarr.stores.url import StoreURL

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no advisory locks on folders
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from zarr.abc.store import Store

    from nwbzarr.stores.notes import WriteNote

_STAGING = ".nwbzarr-staging"
_PREVIOUS = ".nwbzarr-previous"
_CURRENT_FOLDER = -100
_EXCHANGE = 2


class LocalCreation(Transaction):
    """A new store, or a new one in place of an old one.

    Parameters
    ----------
    url : StoreURL
        A local place.
    may_replace : callable
        Called with the old root document's bytes; says why it may not be replaced, or None.
    wrap : callable
        Wraps the keys that arrays are written to, for counting.
    resume : bool
        Whether to go on with what a write that was cut off has left, and to leave it when this one is.
    """

    def __init__(
        self,
        url: StoreURL,
        may_replace: Callable[[bytes], str | None],
        wrap: Callable[[Store], Store],
        *,
        resume: bool = False,
    ) -> None:
        self.url = url
        self._resume = resume
        self.target = Path(url.path)
        self.staging = self.target.with_name(f".{self.target.name}{_STAGING}")
        self._may_replace = may_replace
        self._wrap = wrap
        self._folders: set[str] = set()
        self._lock: int | None = None
        self._before: tuple[int, ...] | None = None

    def begin(self) -> None:
        """Check the place, and make the staging folder beside it."""
        with named_errors(self.url):
            recover(self.target)
            self._check_replaceable()
            try:
                self.target.parent.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError) as error:
                message = f"a session is a folder in a folder, but a part of the path is a file: {error.filename}"
                raise StoreExistsError(message, self.url.text) from error
            self._before = _identity(self.target)
            if not (self._resume and self._take_over()):
                _remove_leftovers(self.target)
                self._stage()
            self.keys = self._wrap(LocalKeys(self.staging))

    def _take_over(self) -> bool:
        """Take the staging folder of a write that was cut off; False when there is none with a note."""
        for folder in _staging_folders(self.target):
            lock = _try_lock(folder)
            if lock is not None and (folder / WRITE_NOTE).is_file():
                self.staging, self._lock = folder, lock
                return True
            if lock is not None:
                os.close(lock)
        return False

    def leave_note(self, note: WriteNote) -> frozenset[str]:
        """Say in the staging folder what arrays are being written."""
        with named_errors(self.url):
            place = self.staging / WRITE_NOTE
            names = [file.relative_to(self.staging).as_posix() for file in self.staging.rglob("*") if file.is_file()]
            # Files get their name when they are whole; parts have one of their own.
            whole = [name for name in names if not name.endswith(".partial")]
            found = set(note.kept(place.read_bytes(), whole)) if place.is_file() else set()
            for name in names:
                if name not in found:
                    (self.staging / name).unlink()
            self._write(WRITE_NOTE, note.dump())
            return frozenset(found)

    def discard(self, names: Collection[str]) -> None:
        """Remove files from the staging folder."""
        with named_errors(self.url):
            for name in names:
                (self.staging / name).unlink(missing_ok=True)

    def _stage(self) -> None:
        """Make a staging folder, and lock it."""
        self.staging, self._lock = _staged(self.target)

    def put(self, values: Iterable[tuple[str, bytes]]) -> None:
        """Write files into the staging folder."""
        with named_errors(self.url):
            for key, data in values:
                self._write(key, data)

    def delivery(self, place: Place) -> Delivery:  # noqa: ARG002 - workers must not touch the store that is there
        """Return where workers store objects: in the staging folder."""
        return Delivery(Place(StoreURL("file", "", self.staging.as_posix())), keys=self.keys)

    def renew(self) -> None:
        """Do nothing: the lock on the staging folder lives as long as the process."""

    def commit(self, root: bytes, sidecar: bytes) -> None:
        """Put the staging folder in its place."""
        self.put([(SIDECAR, sidecar), (DOCUMENT, root)])
        (self.staging / WRITE_NOTE).unlink(missing_ok=True)
        with named_errors(self.url), locked(self.target.parent, self.url):
            if _identity(self.target) != self._before:
                message = "another writer stored something here in the meantime: read it, then write again if you must"
                raise CommitConflictError(message, self.url.text)
            if self._before is None:
                with contextlib.suppress(FileNotFoundError):
                    self.target.rmdir()
                self.staging.rename(self.target)
            else:
                with locked(self.target, self.url):
                    _exchange(self.staging, self.target)
        self._close()
        if self._before is not None:
            shutil.rmtree(self.staging, ignore_errors=True)

    def abort(self, error: BaseException) -> None:  # noqa: ARG002 - the old store needs no reason
        """Remove the staging folder, unless it is to be gone on with; the old store was never touched."""
        self._close()
        if not (self._resume and (self.staging / WRITE_NOTE).is_file()):
            shutil.rmtree(self.staging, ignore_errors=True)

    def _write(self, key: str, data: bytes) -> None:
        folder, _, _ = key.rpartition("/")
        if folder not in self._folders:
            (self.staging / folder).mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        with open(f"{self.staging}/{key}", "wb") as file:  # noqa: PTH123 - a thousand small files, counted in µs
            file.write(data)

    def _close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _is_session(self, document: Path) -> bool:
        return document.is_file() and self._may_replace(document.read_bytes()) is None

    def _check_replaceable(self) -> None:
        """Raise unless the place is free, an empty folder, or a store that may be replaced."""
        around = next((folder for folder in self.target.parents if self._is_session(folder / DOCUMENT)), None)
        if around is not None:
            message = f"{around} is a session, and a session is no part of another: choose a place outside of it"
            raise StoreExistsError(message, self.url.text)
        if not self.target.exists() and not self.target.is_symlink():
            return
        if self.target.is_dir() and not any(self.target.iterdir()):
            return
        root = self.target / DOCUMENT
        if not root.is_file():
            message = (
                "mode 'w' replaces a session or makes a new one, but there is a file or folder here that is no Zarr v3 "
                "store: nothing was touched; choose another name, or remove it yourself"
            )
            raise StoreExistsError(message, self.url.text)
        reason = self._may_replace(root.read_bytes())
        if reason is not None:
            raise StoreExistsError(reason, self.url.text)


class LocalUpdate(Transaction):
    """New nodes in a store that is there.

    Parameters
    ----------
    url : StoreURL
        A local place.
    base : bytes
        The root document that the update was planned on.
    new_nodes : collection of str
        Paths of nodes that the store does not have yet; an update that fails removes them again.
    wrap : callable
        Wraps the keys that arrays are written to, for counting.
    """

    def __init__(self, url: StoreURL, base: bytes, new_nodes: Collection[str], wrap: Callable[[Store], Store]) -> None:
        self.url = url
        self.target = Path(url.path)
        self.base = base
        self._new_nodes = new_nodes
        self._begun = False
        self.keys = wrap(LocalKeys(self.target))
        self._wrap = wrap
        self._lock: int | None = None
        self._staged: tuple[Path, int | None] | None = None

    def begin(self) -> None:
        """Take the store's lock."""
        if not self.target.is_dir():
            message = "there is no store to add to"
            raise StoreNotFoundError(message, self.url.text)
        if not os.access(self.target, os.W_OK):
            message = "the store may not be written by this user: change its rights, or write a copy elsewhere"
            raise StoreAccessError(message, self.url.text)
        self._lock = _try_lock(self.target)
        if self._lock is None and fcntl is not None:
            raise CommitConflictError(_BUSY, self.url.text)
        self._check_base()
        self._begun = True

    def put(self, values: Iterable[tuple[str, bytes]]) -> None:
        """Write files, each by a rename."""
        with named_errors(self.url):
            for key, data in values:
                path = self.target / key
                path.parent.mkdir(parents=True, exist_ok=True)
                part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
                try:
                    part.write_bytes(data)
                    part.replace(path)
                except BaseException:
                    part.unlink(missing_ok=True)
                    raise

    def delivery(self, place: Place) -> Delivery:  # noqa: ARG002 - a worker that outlives this write must not reach the store
        """Return where workers store objects: in a folder beside the store, from which they are moved at the end."""
        with named_errors(self.url):
            _remove_leftovers(self.target)
            self._staged = _staged(self.target)
        folder = self._staged[0]
        return Delivery(Place(StoreURL("file", "", folder.as_posix())), keys=self._wrap(LocalKeys(folder)))

    def renew(self) -> None:
        """Do nothing: the lock lives as long as the process."""

    def commit(self, root: bytes, sidecar: bytes) -> None:
        """Replace the sidecar, then the root document."""
        self._check_base()
        with named_errors(self.url):
            self._take_delivered()
        self.put([(SIDECAR, sidecar)])
        self.put([(DOCUMENT, root)])
        self._close()

    def abort(self, error: BaseException) -> None:  # noqa: ARG002
        """Remove new nodes, which no root document names, and let go of the lock."""
        if self._begun and (self.target / DOCUMENT).read_bytes() == self.base:
            for path in self._new_nodes:
                shutil.rmtree(self.target / path.strip("/"), ignore_errors=True)
        self._close()

    def _take_delivered(self) -> None:
        """Move what workers have stored to its place: under nodes that no root document names yet."""
        if self._staged is None:
            return
        folder = self._staged[0]
        for file in folder.rglob("*"):
            if file.is_file() and not file.name.endswith(".partial"):
                place = self.target / file.relative_to(folder)
                place.parent.mkdir(parents=True, exist_ok=True)
                file.replace(place)

    def _close(self) -> None:
        if self._staged is not None:
            folder, lock = self._staged
            shutil.rmtree(folder, ignore_errors=True)
            if lock is not None:
                os.close(lock)
            self._staged = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _check_base(self) -> None:
        if (self.target / DOCUMENT).read_bytes() != self.base:
            message = "the store was changed since it was opened: open it again and repeat the change"
            raise CommitConflictError(message, self.url.text)


def _staged(target: Path) -> tuple[Path, int | None]:
    """Return a new staging folder and its lock; another one when somebody clears it away before it is locked."""
    while True:
        folder = target.with_name(f".{target.name}.{uuid.uuid4().hex}{_STAGING}")
        folder.mkdir()
        with contextlib.suppress(FileNotFoundError):
            lock = _try_lock(folder)
            if fcntl is None or (lock is not None and _is_same(lock, folder)):
                return folder, lock
            if lock is not None:
                os.close(lock)


def recover(target: Path) -> None:
    """Move a store back that a killed process had moved aside."""
    previous = _moved_aside(target)
    if previous.exists() and not target.exists():
        previous.rename(target)


def recover_place(url: StoreURL) -> None:
    """Do the same for a place, if it is one of the local disk."""
    if url.is_local:
        recover(Path(url.path))


_BUSY = "another process is writing to this store: wait until it has finished, then open the store again"


@contextlib.contextmanager
def locked(folder: Path, url: StoreURL) -> Iterator[None]:
    """Hold the advisory lock of a folder, or raise `CommitConflictError` when another process holds it."""
    descriptor = _try_lock(folder, wait=folder != Path(url.path))
    if descriptor is None and fcntl is not None:
        raise CommitConflictError(_BUSY, url.text)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _try_lock(folder: Path, *, wait: bool = False) -> int | None:
    """Return a descriptor that holds the lock of a folder, or None."""
    if fcntl is None:  # pragma: no cover
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _is_same(descriptor: int, folder: Path) -> bool:
    """Whether a descriptor is that of the folder that has this name now."""
    return os.path.samestat(os.fstat(descriptor), folder.stat())


def _identity(target: Path) -> tuple[int, ...] | None:
    """Return what tells one store from another in the same place, or None when there is none."""
    try:
        status = (target / DOCUMENT).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


def _remove_leftovers(target: Path) -> None:
    """Remove what writers of this target left whose process is gone."""
    if target.exists():
        # A store that was moved aside, and whose successor is in place.
        shutil.rmtree(_moved_aside(target), ignore_errors=True)
    for folder in _staging_folders(target):
        lock = _try_lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _staging_folders(target: Path) -> list[Path]:
    return sorted(target.parent.glob(f".{target.name}.*{_STAGING}"))


def _moved_aside(target: Path) -> Path:
    return target.with_name(f".{target.name}{_PREVIOUS}")


def _exchange(new: Path, old: Path) -> None:
    """Give `new` the name of `old`, and `old` the name of `new`."""
    if _exchange_at_once(new, old):
        return
    previous = _moved_aside(old)
    old.rename(previous)
    new.rename(old)
    previous.rename(new)


def _exchange_at_once(new: Path, old: Path) -> bool:
    """Exchange two names in one system call; False where there is none."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
    if rename is None:
        return False
    if rename(_CURRENT_FOLDER, os.fsencode(new), _CURRENT_FOLDER, os.fsencode(old), _EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(old))
