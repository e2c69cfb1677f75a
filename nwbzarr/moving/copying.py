"""`copy`: a store, or a set of stores that link to each other, at another place, with links that lead where they led.

Stored objects are copied as they are. Each store becomes visible in one step, those that others link to first.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import fsspec

from nwbzarr.convention.links import Link, encode_links
from nwbzarr.convention.names import LINKS
from nwbzarr.destinations import Destination, check_new
from nwbzarr.errors import NWBZarrError, StoreExistsError
from nwbzarr.model.elements import Location
from nwbzarr.reading.managers import Manager
from nwbzarr.stores.connections import locate
from nwbzarr.stores.failures import named_errors
from nwbzarr.stores.files import whole_file
from nwbzarr.stores.url import relative_source, resolve_source
from nwbzarr.writing.plans import CopyPlan, WritePlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nwbzarr.convention.documents import Document
    from nwbzarr.reading.sessions import Session
    from nwbzarr.stores.trust import Options
    from nwbzarr.stores.url import StoreURL
    from nwbzarr.writing.progress import Wanted

#: Bytes of a file that are copied at a time.
_PIECE_BYTES: Final = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Copied:
    """A store that was copied.

    Attributes
    ----------
    source, target : str
        From where to where, as URLs.
    nbytes : int
        Stored bytes of array data.
    """

    source: str
    target: str
    nbytes: int

    def __str__(self) -> str:
        return f"{self.source} -> {self.target} ({self.nbytes:,} bytes)"


def copy(  # noqa: PLR0913 - from where, to where, and how
    src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    *,
    follow: bool = False,
    mode: str = "w-",
    storage_options: Options | None = None,
    source_options: Options | None = None,
    trust: Mapping[str, Options] | None = None,
    progress: Wanted = None,
    manager: Manager | None = None,
) -> list[Copied]:
    """Copy a store, or all stores that it leads to.

    Parameters
    ----------
    src : str or path-like
        The store.
    dst : str or path-like
        Where its copy goes; with `follow` the folder that the copies go into, laid out as the originals are to each
        other.
    follow : bool
        Copy what links lead to as well, HDF5 files among it; links between the copies stay relative. Without it links
        lead to the originals.
    mode : str
        ``"w-"`` or ``"x"`` make what must not exist, ``"w"`` may replace sessions.
    storage_options, source_options : mapping, optional
        fsspec's options for `dst` and for `src`.
    trust : mapping, optional
        As `nwbzarr.open` takes it, for links that leave the origin of their store.
    progress : bool, callable or None
        As `NWBZarrIO.write` takes it.
    manager : Manager, optional
        Shares open stores with others; it has the trust then.

    Returns
    -------
    list of Copied
        In the order in which they were copied.

    Raises
    ------
    LinkError, TrustError, StoreError
        When a link cannot be followed; nothing is copied then.
    StoreExistsError
        When something is at a place that `mode` does not let be replaced; nothing is copied then.
    CommitError
        When a copy did not become visible.
    """
    check_new(mode, "copying makes new stores")
    shared = manager or Manager(trust)
    first, target = shared.open(locate(src), source_options), locate(dst)
    found = _followed(first) if follow else [first]
    places = _places(found, target) if follow else {first.url: target}
    for place in places.values() if mode != "w" else ():
        if _is_there(shared, place, storage_options):
            message = f"mode {mode!r} makes new stores, but there is one: use mode='w' to replace it"
            raise StoreExistsError(message, place.text)
    return [_copied(shared, session, places, storage_options, mode, progress) for session in reversed(found)]


def _followed(first: Session) -> list[Session]:
    """Return a session and all that its links lead to, each before those that it links to."""
    found: list[Session] = []
    waiting = [first]
    while waiting:
        session = waiting.pop(0)
        if session in found:
            continue
        found.append(session)
        for _, link in session.tree.every_link():
            if link.source != ".":
                url = resolve_source(session.url, link.source)
                waiting.append(session.manager.follow(session.store, link.source, url))
    return found


def _places(found: list[Session], folder: StoreURL) -> dict[StoreURL, StoreURL]:
    """Return where each store goes: as they lie to each other, those of other origins under the name of theirs."""
    home = found[0].url.origin
    common = os.path.commonpath([session.url.parent.path or "/" for session in found if session.url.origin == home])
    places = {}
    for session in found:
        path = session.url.path.strip("/")
        if session.url.origin == home:
            places[session.url] = folder.joined(path.removeprefix(common.strip("/")).strip("/"))
        else:
            host = "".join(part if part.isalnum() or part in "-_." else "_" for part in session.url.origin)
            places[session.url] = folder.joined(f"{host}/{path}")
    return places


def _is_there(manager: Manager, place: StoreURL, options: Options | None) -> bool:
    if place.is_local and Path(place.path).is_file():
        return True
    with contextlib.suppress(NWBZarrError):
        return manager.open_if_there(place, options) is not None
    return False


def _copied(  # noqa: PLR0913 - all that one copy needs
    manager: Manager,
    session: Session,
    places: Mapping[StoreURL, StoreURL],
    options: Options | None,
    mode: str,
    progress: Wanted,
) -> Copied:
    target = places[session.url]
    if session.is_foreign:
        return Copied(session.url.text, target.text, _copy_file(session, target, options))
    report = Destination(target, mode, manager, options).carry_out(_plan(session, target, places), progress)
    manager.forget(target)
    return Copied(session.url.text, target.text, report.nbytes)


def _plan(session: Session, target: StoreURL, places: Mapping[StoreURL, StoreURL]) -> WritePlan:
    """Return the plan of a copy: objects as they are, links relative to the new place."""
    documents: dict[str, Document] = {}
    copies = []
    for path, document in session.tree.documents.items():
        kept = {key: value for key, value in document.items() if key != "consolidated_metadata"}
        if session.tree.is_array(path):
            copies.append(CopyPlan(Location(session.url, path), path, document, session.store.keys))
        elif found := session.tree.links(path):
            moved = [_moved(session.url, link, target, places) for link in found]
            kept["attributes"] = {**kept["attributes"], LINKS: encode_links(moved)}
        documents[path] = kept
    return WritePlan(url=target, base=None, documents=documents, chunks={}, copies=tuple(copies))


def _moved(base: StoreURL, link: Link, target: StoreURL, places: Mapping[StoreURL, StoreURL]) -> Link:
    if link.source == ".":
        return link
    old = resolve_source(base, link.source)
    return replace(link, source=relative_source(target, places.get(old, old)))


def _copy_file(session: Session, target: StoreURL, options: Options | None) -> int:
    """Copy a file of another format."""
    size = 0
    with (
        named_errors(target),
        fsspec.open(str(session.url), "rb", **session.store.options) as read,
        whole_file(target, options) as write,
    ):
        while piece := read.read(_PIECE_BYTES):
            size += write.write(piece)
    return size
