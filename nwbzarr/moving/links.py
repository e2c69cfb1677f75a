"""`links`: where every link of a store points, and whether it gets there; `relink`: links that point elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from nwbzarr.convention.links import Link, encode_links
from nwbzarr.convention.names import LINKS, join_path
from nwbzarr.destinations import Destination
from nwbzarr.errors import LinkError, NWBZarrError, StoreURLError, TrustError
from nwbzarr.model.elements import Pointer
from nwbzarr.reading.managers import Manager
from nwbzarr.stores.connections import locate
from nwbzarr.stores.url import relative_source, resolve_source
from nwbzarr.writing.plans import WritePlan

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from nwbzarr.convention.documents import Document
    from nwbzarr.reading.sessions import Session
    from nwbzarr.stores.trust import Options
    from nwbzarr.stores.url import StoreURL

State = Literal["resolves", "dangling", "untrusted"]


@dataclass(frozen=True, slots=True)
class LinkState:
    """A link, and what became of following it.

    Attributes
    ----------
    path : str
        The link.
    source : str
        What it says of the store: ``"."`` for this one.
    store : str
        The store it leads to, as a URL; empty where that is no URL.
    target : str
        The path there.
    state : str
        ``"resolves"``, ``"dangling"`` or ``"untrusted"``.
    reason : str
        Why it does not resolve; empty when it does.
    """

    path: str
    source: str
    store: str
    target: str
    state: State
    reason: str = ""

    def __str__(self) -> str:
        where = "" if self.source == "." else f" of {self.source}"
        reason = f": {self.reason}" if self.reason else ""
        return f"{self.path} -> {self.target}{where} ({self.state}{reason})"


@dataclass(frozen=True, slots=True)
class Relinked:
    """A link that points elsewhere now.

    Attributes
    ----------
    path : str
        The link.
    before, after : str
        Its source before and after.
    """

    path: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path}: {self.before} -> {self.after}"


def links(
    path: str | os.PathLike[str],
    *,
    storage_options: Options | None = None,
    trust: Mapping[str, Options] | None = None,
    manager: Manager | None = None,
) -> list[LinkState]:
    """Return every link of a store, followed.

    Parameters
    ----------
    path : str or path-like
        The store.
    storage_options, trust : mapping, optional
        As `nwbzarr.open` takes them.
    manager : Manager, optional
        Shares open stores with others; it has the trust then.

    Raises
    ------
    StoreError, DocumentError
        When the store cannot be opened. What is wrong with a link is told of the link.
    """
    session = (manager or Manager(trust)).open(locate(path), storage_options)
    return [_state(session, folder, link) for folder, link in session.tree.every_link()]


def relink(
    path: str | os.PathLike[str],
    changes: Mapping[str, str],
    *,
    storage_options: Options | None = None,
    manager: Manager | None = None,
    dry_run: bool = False,
) -> list[Relinked]:
    """Have links of a store point elsewhere.

    Parameters
    ----------
    path : str or path-like
        The store.
    changes : mapping of str to str
        Old place of a store, or of a folder of stores, to the new one: URLs or local paths. The longest that fits counts.
    storage_options : mapping, optional
        fsspec's options for the store.
    manager : Manager, optional
        Shares open stores with others.
    dry_run : bool
        Change nothing, and return what would change.

    Raises
    ------
    LinkError
        When no link leads to one of the old places.
    CommitError, StoreError
        When the store does not take the change.
    """
    shared = manager or Manager()
    url = locate(path)
    session = shared.open(url, storage_options)
    rules = {locate(old): locate(new) for old, new in changes.items()}
    documents: dict[str, Document] = {}
    changed: list[Relinked] = []
    used: set[StoreURL] = set()
    for folder, document in session.tree.documents.items():
        found = [] if session.tree.is_array(folder) else list(session.tree.links(folder))
        made = [_moved(session, link, rules, used) for link in found]
        if made != found:
            documents[folder] = {**document, "attributes": {**document["attributes"], LINKS: encode_links(made)}}
            changed += [
                Relinked(join_path(folder, old.name), old.source, new.source)
                for old, new in zip(found, made, strict=True)
                if old != new
            ]
    unused = [str(old) for old in rules if old not in used]
    if unused:
        message = f"links must lead to the places that are to be changed, but none leads to {', '.join(unused)}: see nwbzarr links"
        raise LinkError(message, url.text)
    if documents and not dry_run:
        plan = WritePlan(url=url, base=session.tree, documents=documents, chunks={})
        report = Destination(url, "r+", shared, storage_options).carry_out(plan, progress=False)
        session.refresh(report.tree)
    return changed


def _state(session: Session, folder: str, link: Link) -> LinkState:
    path = join_path(folder, link.name)
    try:
        store = session.url.text if link.source == "." else resolve_source(session.url, link.source).text
    except NWBZarrError as error:
        return LinkState(path, link.source, "", link.path, "dangling", error.message)
    try:
        session.follow(Pointer(session, folder, link))
    except TrustError as error:
        return LinkState(path, link.source, store, link.path, "untrusted", error.message)
    except NWBZarrError as error:
        return LinkState(path, link.source, store, link.path, "dangling", error.message)
    return LinkState(path, link.source, store, link.path, "resolves")


def _moved(session: Any, link: Link, rules: Mapping[StoreURL, StoreURL], used: set[StoreURL]) -> Link:
    """Return a link with the source that the rules give it."""
    if link.source == ".":
        return link
    try:
        target = resolve_source(session.url, link.source)
    except StoreURLError:
        return link
    fitting = [old for old in rules if target.is_within(old)]
    if not fitting:
        return link
    old = max(fitting, key=lambda each: len(each.path))
    used.add(old)
    rest = target.path[len(old.path) :].strip("/")
    moved = rules[old].joined(rest) if rest else rules[old]
    return Link(link.name, relative_source(session.url, moved), link.path)
