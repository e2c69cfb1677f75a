"""From a stored session to the plan of a self-contained copy.

Every node of the session, and everything its links lead to, gets a *placement* in the new store: its own path in the
session, or the place of the link that leads to it. Links whose target is placed become links inside the new store;
references are written anew where a placement changed their path. Stored objects are copied without decoding.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.convention.documents import array_document, with_dimension_names
from nwbzarr.convention.dtypes import encode_data_type, fill_value
from nwbzarr.convention.links import Link, Reference, encode_links, encode_reference, parse_reference
from nwbzarr.convention.names import (
    DTYPE,
    LINKS,
    OBJECT_REFERENCE,
    REFERENCE_FIELDS,
    SPECIFICATIONS,
    SPECIFICATIONS_LOCATION,
    join_path,
    split_path,
)
from nwbzarr.errors import LinkError
from nwbzarr.layout.planning import plan_layout
from nwbzarr.layout.rules import LayoutRules
from nwbzarr.model.elements import Location, Pointer
from nwbzarr.writing.conversion import ArrayConversion
from nwbzarr.writing.parts import Parts
from nwbzarr.writing.plans import CopyPlan, WritePlan
from nwbzarr.writing.sources import MemorySource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nwbzarr.model.elements import Element
    from nwbzarr.model.nwbfile import NWBFile
    from nwbzarr.stores.url import StoreURL


def plan_export(nwbfile: NWBFile, url: StoreURL) -> WritePlan:
    """Return the plan of a self-contained copy of a stored session.

    Parameters
    ----------
    nwbfile : NWBFile
        Read from a store, and unchanged.
    url : StoreURL
        Where the copy goes.

    Raises
    ------
    DanglingLinkError, LinkCycleError, TrustError
        When a link cannot be followed.
    LinkError
        When a reference leads to something that has no place in the copy.
    """
    export = _Export(nwbfile.loader, url)
    export.place_everything()
    export.plan_nodes()
    return export.plan()


def plan_pull(nwbfile: NWBFile) -> WritePlan:
    """Return the plan that makes a stored session self-contained where it is.

    Parameters
    ----------
    nwbfile : NWBFile
        Read from a store, and unchanged.

    Raises
    ------
    DanglingLinkError, LinkCycleError, TrustError, LinkError
        As `plan_export` raises them.
    """
    session: Any = nwbfile.loader
    export = _Export(session, session.url)
    export.place_everything()
    export.plan_nodes()
    plan = export.plan()
    stored = session.tree.documents
    return replace(
        plan,
        base=session.tree,
        documents={path: made for path, made in plan.documents.items() if made != stored.get(path)},
        chunks={key: data for key, data in plan.chunks.items() if f"/{key.rpartition('/')[0]}" not in stored},
        copies=tuple(copy for copy in plan.copies if copy.origin.url != session.url),
        reads=frozenset(),
    )


class _Export:
    """Placements, and the plan made from them."""

    def __init__(self, session: Any, url: StoreURL) -> None:
        self.session = session
        self.url = url
        self.placed: dict[Location, str] = {}
        self.taken: set[str] = set()
        self.sessions: dict[StoreURL, Any] = {session.url: session}
        self.links: dict[str, list[Link]] = {}
        self.parts = Parts()
        self._waiting: deque[tuple[Any, str, Link]] = deque()
        self._unsearched: deque[Location] = deque()

    def plan(self) -> WritePlan:
        """Return the plan."""
        return WritePlan(
            url=self.url,
            base=None,
            documents=self.parts.documents,
            chunks=self.parts.chunks,
            arrays=tuple(self.parts.arrays),
            copies=tuple(self.parts.copies),
            layouts=self.parts.layouts,
            reads=frozenset(self.sessions),
        )

    # Placements.

    def place_everything(self) -> None:
        """Give every node of the session, and all that links and references lead to, its place."""
        self._place_subtree(self.session, "/", "/")
        while self._waiting or self._unsearched:
            if not self._waiting:
                self._place_references(self._unsearched.popleft())
                continue
            # Links across stores first: what they bring may be what links inside those stores lead to.
            self._waiting = deque(sorted(self._waiting, key=lambda entry: entry[2].source == "."))
            session, holder, link = self._waiting.popleft()
            self._place_link(session, holder, link)

    def _place_subtree(self, session: Any, path: str, new_path: str) -> None:
        """Place a node and everything stored below it."""
        self.sessions[session.url] = session
        location = Location(session.url, path)
        if location in self.placed:
            # A part that was placed before the whole stays where it is; the whole links to it.
            parent, name = split_path(new_path)
            self.links.setdefault(parent, []).append(Link(name, ".", self.placed[location]))
            return
        self.placed[location] = new_path
        self.taken.add(new_path)
        self._unsearched.append(location)
        if session.tree.is_array(path):
            return
        self._waiting.extend((session, path, link) for link in session.tree.links(path))
        for name in session.tree.stored_names(path):
            self._place_subtree(session, join_path(path, name), join_path(new_path, name))

    def _place_link(self, session: Any, holder: str, link: Link) -> None:
        """Place what a link leads to where the link is, or make it a link to where that is placed already."""
        element = session.follow(Pointer(session, holder, link))
        target = _location(element)
        group = self.placed[Location(session.url, holder)]
        if target in self.placed:
            self.links.setdefault(group, []).append(Link(link.name, ".", self.placed[target]))
        else:
            self._place_subtree(element.loader, target.path, join_path(group, link.name))

    def _place_references(self, location: Location) -> None:
        """Bring the targets of references along: those in attributes, and those in datasets of other stores."""
        session = self.sessions[location.url]
        attributes = session.tree.attributes(location.path)
        for value in attributes.values():
            if parse_reference(value, location.path) is not None:
                self._placement(session, value)
        if session is not self.session and session.tree.is_array(location.path):
            for path in self._referenced(session, location, attributes):
                self._placement(session, path)

    def _referenced(self, session: Any, location: Location, attributes: Mapping[str, Any]) -> list[str]:
        """Return the distinct paths that a dataset holds as references."""
        fields = attributes.get(REFERENCE_FIELDS, ())
        if attributes.get(DTYPE) != OBJECT_REFERENCE and not fields:
            return []
        values = np.asarray(session.dataset(location.path).data)
        columns = [values[field] for field in fields] if fields else [values]
        return sorted({str(path) for column in columns for path in column.reshape(-1)})

    def _placement(self, session: Any, value: Any) -> str:
        """Return the new path of what a reference names; bring it along when it has no place yet."""
        element = session.dereference(value)
        target = _location(element)
        if target not in self.placed:
            if target.path in self.taken:
                message = (
                    f"a reference leads to {target.path!r} of {target.url.text}, but that path is taken by something "
                    "else in the copy, and nothing links to it: link it into the session first"
                )
                raise LinkError(message, session.url.text, target.path)
            self._bring(element.loader, target.path)
        return self.placed[target]

    def _bring(self, session: Any, path: str) -> None:
        """Place a node at its own path, with the groups above it."""
        parent = split_path(path)[0]
        if parent not in self.taken:
            self._bring_group(parent)
        self._place_subtree(session, path, path)

    def _bring_group(self, path: str) -> None:
        parent = split_path(path)[0]
        if parent not in self.taken:
            self._bring_group(parent)
        self.taken.add(path)
        self.parts.documents[path] = {"zarr_format": 3, "node_type": "group", "attributes": {}}

    # Nodes.

    def plan_nodes(self) -> None:
        """Plan the document of every placed node, and the copy of every array."""
        for location in list(self.placed):
            session = self.sessions[location.url]
            if location.path.startswith(f"/{SPECIFICATIONS}/") and location.url != self.session.url:
                continue
            self._plan_node(session, location)
        self._plan_namespaces()

    def _plan_node(self, session: Any, location: Location) -> None:
        path = self.placed[location]
        stored = session.tree.documents[location.path]
        attributes = dict(session.tree.attributes(location.path))
        attributes.pop(LINKS, None)
        for name, value in attributes.items():
            if parse_reference(value, location.path) is not None:
                attributes[name] = encode_reference(Reference(".", self._placement(session, value)))
        if path in self.links:
            attributes[LINKS] = encode_links(self.links[path])
        if session.is_foreign and session.tree.is_array(location.path):
            self._plan_translated(session, location, attributes)
            return
        document = {key: value for key, value in stored.items() if key != "consolidated_metadata"}
        self.parts.documents[path] = with_dimension_names({**document, "attributes": attributes}, split_path(path)[1])
        if session.tree.is_array(location.path) and not self._plan_rewritten(session, location, attributes):
            self.parts.copies.append(CopyPlan(location, path, stored, session.store.keys))

    def _plan_translated(self, session: Any, location: Location, attributes: dict[str, Any]) -> None:
        """Plan an array of a file in another format, in a layout of ours."""
        path = self.placed[location]
        if self._plan_rewritten(session, location, attributes):
            return
        ArrayConversion(session, LayoutRules(), self.parts).plan(location.path, path, attributes)

    def _plan_rewritten(self, session: Any, location: Location, attributes: dict[str, Any]) -> bool:
        """Plan an array of references whose paths changed; False when it can be copied as it is."""
        if session is self.session:
            return False
        moved = {old: self._placement(session, old) for old in self._referenced(session, location, attributes)}
        if all(old == new for old, new in moved.items()):
            return False
        values, fields = np.asarray(session.dataset(location.path).data), attributes.get(REFERENCE_FIELDS, ())
        self._plan_values(location, _replaced(values, fields, moved), attributes)
        return True

    def _plan_values(self, location: Location, values: np.ndarray[Any, Any], attributes: dict[str, Any]) -> None:
        path = self.placed[location]
        layout = plan_layout(values.shape, values.dtype)
        document = array_document(
            shape=values.shape,
            data_type=encode_data_type(values.dtype),
            chunk_shape=layout.objects,
            codecs=layout.stored_codecs,
            fill_value=fill_value(values.dtype),
            attributes=attributes,
        )
        self.parts.put(path, document, MemorySource(values), layout)

    def _plan_namespaces(self) -> None:
        """Bring the cached namespaces of all stores together."""
        for session in self.sessions.values():
            for path, document in session.tree.documents.items():
                if path in self.parts.documents or not f"{path}/".startswith(f"/{SPECIFICATIONS}/"):
                    continue
                self.parts.documents[path] = document
                if document.get("node_type") == "array":
                    self.parts.copies.append(CopyPlan(Location(session.url, path), path, document, session.store.keys))
        if f"/{SPECIFICATIONS}" in self.parts.documents:
            self.parts.documents["/"]["attributes"][SPECIFICATIONS_LOCATION] = SPECIFICATIONS


def _location(element: Element) -> Location:
    """Return where a stored element is."""
    if element.stored_at is None:  # pragma: no cover - links lead to stored elements only
        message = f"{element.name!r} is in no store"
        raise LinkError(message)
    return element.stored_at


def _replaced(values: np.ndarray[Any, Any], fields: Any, moved: dict[str, str]) -> np.ndarray[Any, Any]:
    """Return values with paths replaced; text fields of compounds get the width that the new paths need."""
    if not fields:
        return np.array([moved[str(old)] for old in values.flat], dtype=object).reshape(values.shape)
    width = max(map(len, moved.values()), default=1)
    described = [(name, f"U{width}" if name in fields else values.dtype[name]) for name in values.dtype.names or ()]
    made = np.empty(values.shape, dtype=np.dtype(described))
    for name in values.dtype.names or ():
        column = values[name]
        made[name] = (
            np.array([moved[str(old)] for old in column.flat]).reshape(column.shape) if name in fields else column
        )
    return made
