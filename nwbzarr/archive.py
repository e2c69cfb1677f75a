"""`check_archive`: what an archive would refuse of a session, before it is sent there.

Facts of DANDI: dandi-cli 0.6x, ``consts.py`` (a Zarr asset ends with ``.zarr`` and is at most 7 folders deep) and its
upload of each object by one PUT, of which S3 takes 5 GiB; S3's limit of 1,024 bytes for a key; NWB Inspector's
requirements for a subject. This room refuses to change anything, and to ask the archive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from nwbzarr.checks import validate
from nwbzarr.convention.names import WRITE_MARK, join_path
from nwbzarr.errors import NWBZarrError
from nwbzarr.reading.managers import Manager
from nwbzarr.stores.connections import locate
from nwbzarr.stores.sizes import stored_sizes

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from nwbzarr.reading.sessions import Session
    from nwbzarr.stores.trust import Options

Verdict = Literal["refused", "advice"]

_SUFFIXES: Final = (".zarr", ".ngff")
_DEPTH: Final = 7
_OBJECT_BYTES: Final = 5 * 2**30
_KEY_BYTES: Final = 1024
_NAME_BYTES: Final = 255

#: Objects from which an upload takes hours.
_MANY_OBJECTS: Final = 1_000_000

#: Characters that file names on other systems cannot have.
_UNPORTABLE: Final = frozenset('<>:"\\|?*')

#: Fields of a subject that must be there, each or one of several.
_SUBJECT: Final = (("subject_id",), ("species",), ("sex",), ("age", "date_of_birth"))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that an archive would refuse, or that is better otherwise.

    Attributes
    ----------
    verdict : str
        ``"refused"`` or ``"advice"``.
    path : str
        The node or key; ``"/"`` for the session.
    message : str
        What must hold, what was found, and what to do.
    """

    verdict: Verdict
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.verdict}: {self.path}: {self.message}"


def check_archive(
    path: str | os.PathLike[str],
    *,
    storage_options: Options | None = None,
    trust: Mapping[str, Options] | None = None,
    manager: Manager | None = None,
) -> list[Finding]:
    """Return what the DANDI archive would refuse of a session, and what to do.

    Parameters
    ----------
    path : str or path-like
        The session.
    storage_options, trust : mapping, optional
        As `nwbzarr.open` takes them.
    manager : Manager, optional
        Shares open stores with others.

    Raises
    ------
    StoreError, DocumentError
        When the session cannot be opened.
    """
    url = locate(path)
    shared = manager or Manager(trust)
    session = shared.open(url, storage_options)
    found: list[Finding] = []
    if session.is_read_only:
        message = "the archive takes a Zarr session as a folder of objects, but this one is in a file: convert or copy it first"
        return [Finding("advice", "/", message)]
    found += _name(url.name)
    found += _objects(stored_sizes(session.store.keys, url))
    found += _links(session)
    found += _subject(session)
    found += [
        Finding("refused", problem.path, f"{problem}")
        for problem in validate(path, storage_options=storage_options, manager=shared)
    ]
    return found


def _name(name: str) -> Iterator[Finding]:
    if not name.endswith(_SUFFIXES):
        yield Finding("refused", "/", f"the name must end with .nwb.zarr, but {name!r} does not: rename the folder")


def _objects(sizes: Mapping[str, int]) -> Iterator[Finding]:
    for key, nbytes in sizes.items():
        folders = key.count("/")
        if folders > _DEPTH:
            message = (
                f"objects may be {_DEPTH} folders deep, but this one is {folders}: shorten the path of its container"
            )
            yield Finding("refused", key, message)
        if nbytes > _OBJECT_BYTES:
            message = f"an object may have 5 GiB (one PUT), but this one has {nbytes / 2**30:.1f}: write smaller shards"
            yield Finding("refused", key, message)
        if len(key.encode()) > _KEY_BYTES or any(len(part.encode()) > _NAME_BYTES for part in key.split("/")):
            message = f"a key may have {_KEY_BYTES} bytes and a name {_NAME_BYTES}, but these are longer: shorten them"
            yield Finding("refused", key, message)
        unfit = sorted({letter for letter in key if letter in _UNPORTABLE or not letter.isprintable()})
        if unfit or any(part != part.strip() or part.endswith(".") for part in key.split("/")):
            message = f"names should be file names anywhere, but this one has {unfit or 'a blank or a dot at its end'}: rename it"
            yield Finding("advice", key, message)
    if WRITE_MARK in sizes:
        yield Finding("refused", WRITE_MARK, "a write is under way, or was cut off: finish it first")
    if len(sizes) > _MANY_OBJECTS:
        message = f"{len(sizes):,} objects take hours to send: write larger shards (nwbzarr convert, or layouts=)"
        yield Finding("advice", "/", message)


def _links(session: Session) -> Iterator[Finding]:
    for path, link in session.tree.every_link():
        if link.source != ".":
            message = (
                "an asset cannot lead to another store, since the archive gives each a place of its own, but this link "
                f"leads to {link.source}: make data of it (nwbzarr export --inline, or nwbzarr pull)"
            )
            yield Finding("refused", join_path(path, link.name), message)


def _subject(session: Session) -> Iterator[Finding]:
    try:
        nwbfile: Any = session.nwbfile()
        subject = nwbfile.subject
    except NWBZarrError as error:
        yield Finding("refused", "/general/subject", f"a session must have a subject that can be read: {error.message}")
        return
    if subject is None:
        yield Finding("refused", "/general/subject", "a session must have a subject, but has none: set nwbfile.subject")
        return
    for names in _SUBJECT:
        if not any(getattr(subject, name, None) for name in names):
            message = f"a subject must have {' or '.join(names)}, but has none: set it"
            yield Finding("refused", f"/general/subject/{names[0]}", message)
    for where, text in (
        ("/general/subject/subject_id", subject.subject_id),
        ("/general/session_id", getattr(nwbfile, "session_id", None)),
    ):
        if isinstance(text, str) and "/" in text:
            message = f"the archive makes file names of it, so it must have no '/', but is {text!r}: change it"
            yield Finding("refused", where, message)
