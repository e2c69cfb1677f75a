"""A store, checked as a whole against the namespaces that it has cached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.convention.links import parse_reference
from nwbzarr.convention.names import (
    DTYPE,
    NAMESPACE,
    NEURODATA_TYPE,
    OBJECT_REFERENCE,
    REFERENCE_FIELDS,
    SPECIFICATIONS,
    join_path,
)
from nwbzarr.errors import NWBZarrError
from nwbzarr.io import NWBZarrIO
from nwbzarr.reading.namespaces import load_cached
from nwbzarr.schema.core import CORE
from nwbzarr.schema.validation import Child, Problem, check_node

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from nwbzarr.reading.sessions import Manager, Session
    from nwbzarr.schema.registry import Registry
    from nwbzarr.stores.trust import Options


def validate(
    path: str | os.PathLike[str],
    storage_options: Options | None = None,
    trust: Mapping[str, Options] | None = None,
    manager: Manager | None = None,
) -> list[Problem]:
    """Return everything in a store that its own cached namespaces do not allow.

    A store without cached namespaces is checked against those that come with nwbzarr. Links are followed for the type
    of what they lead to; references, ragged indexes and regions are read.

    Parameters
    ----------
    path : str or path-like
        The store.
    storage_options, trust, manager
        As for `nwbzarr.open`.

    Returns
    -------
    list of Problem
        Nothing when all is well.

    Raises
    ------
    StoreError, DocumentError
        When there is no store that can be opened.
    """
    io = NWBZarrIO(path, "r", manager, storage_options, trust)
    io.read()
    session = io.session
    registry, problems = _namespaces(session)
    nodes = StoredNodes(session)
    for node in session.tree.documents:
        if f"{node}/".startswith(f"/{SPECIFICATIONS}/"):
            continue
        problems += _guarded(node, lambda node=node: check_node(nodes, node, registry))
        problems += _guarded(node, lambda node=node: check_links(session, node))
        problems += _guarded(node, lambda node=node: check_values(session, node))
    return problems


def _guarded(path: str, check: Any) -> list[Problem]:
    """Return what a check finds; what cannot be read is a problem too."""
    try:
        found: list[Problem] = check()
    except NWBZarrError as error:
        return [Problem(error.path or path, "", "", error.message)]
    return found


def _namespaces(session: Session) -> tuple[Any, list[Problem]]:
    """Return what gives the types of a namespace, and what is wrong with the cache."""
    if not session.tree.namespaces:
        return (lambda name: CORE if name in CORE.namespaces else None), []
    try:
        cached = load_cached(session)
    except NWBZarrError as error:
        problem = Problem(error.path or f"/{SPECIFICATIONS}", "", "", error.message)
        return (lambda name: CORE if name in CORE.namespaces else None), [problem]

    def registry(name: str | None) -> Registry | None:
        return cached if name in cached.namespaces else CORE if name in CORE.namespaces else None

    return registry, []


class StoredNodes:
    """The nodes of a store; links are followed for their type."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def document(self, path: str) -> Mapping[str, Any]:
        """Return the metadata document of a node."""
        return self._session.tree.documents[path]

    def children(self, path: str) -> list[Child]:
        """Return the children of a group, links among them."""
        nodes = [self._child(name, join_path(path, name)) for name in self._session.tree.children(path)]
        return [*nodes, *(self._linked(link) for link in self._session.tree.links(path))]

    def _child(self, name: str, path: str) -> Child:
        attributes = self._session.tree.attributes(path)
        return Child(name, path, attributes.get(NEURODATA_TYPE), attributes.get(NAMESPACE))

    def _linked(self, link: Any) -> Child:
        from nwbzarr.model.elements import Pointer

        try:
            element = self._session.follow(Pointer(self._session, "/", link))
        except NWBZarrError:
            # `check_links` says what is wrong with it.
            return Child(link.name, None, None, None, known=False)
        return Child(
            link.name, None, element.neurodata_type, element.namespace, known=element.neurodata_type is not None
        )

    def reference_type(self, value: Any) -> tuple[str | None, str | None] | None:
        """Return namespace and type of what a reference names; raises where it leads nowhere."""
        element = self._session.dereference(value)
        return element.namespace, element.neurodata_type


def check_links(session: Session, path: str) -> list[Problem]:
    """Return the links of a group that cannot be followed, and references that lead nowhere."""
    from nwbzarr.model.elements import Pointer

    attributes = session.tree.attributes(path)
    owner = str(attributes.get(NEURODATA_TYPE) or "")
    found: list[Problem] = []
    for link in session.tree.links(path) if not session.tree.is_array(path) else ():
        try:
            session.follow(Pointer(session, path, link))
        except NWBZarrError as error:
            found.append(Problem(path, owner, link.name, error.message))
    for name, value in attributes.items():
        if parse_reference(value, path) is not None:
            try:
                session.dereference(value)
            except NWBZarrError as error:
                found.append(Problem(path, owner, name, error.message))
    return found


def check_values(session: Session, path: str) -> list[Problem]:
    """Return what is wrong with values that mean other values: references, ragged indexes, regions, lengths of columns."""
    from nwbzarr.model.ragged import VectorIndex
    from nwbzarr.model.regions import DynamicTableRegion
    from nwbzarr.model.tables import DynamicTable

    attributes = session.tree.attributes(path)
    owner = str(attributes.get(NEURODATA_TYPE) or "")
    found: list[Problem] = []
    if session.tree.is_array(path) and (attributes.get(DTYPE) == OBJECT_REFERENCE or attributes.get(REFERENCE_FIELDS)):
        found += _check_references(session, path, owner, attributes)
    element = session.element(path) if owner else None
    try:
        if isinstance(element, VectorIndex):
            element.check_whole()
        elif isinstance(element, DynamicTableRegion):
            element.check_rows(np.asarray(element.data))
        elif isinstance(element, DynamicTable):
            element.check_whole()
    except NWBZarrError as error:
        found.append(Problem(path, owner, "", error.message))
    return found


def _check_references(session: Session, path: str, owner: str, attributes: Mapping[str, Any]) -> list[Problem]:
    values = np.asarray(session.dataset(path).data)
    fields = attributes.get(REFERENCE_FIELDS) or ()
    columns = [values[field] for field in fields] if fields else [values]
    found = []
    for text in dict.fromkeys(str(item) for column in columns for item in column.ravel()):
        try:
            session.dereference(text)
        except NWBZarrError as error:
            found.append(Problem(path, owner, "", error.message))
    return found


__all__ = ["Problem", "validate"]
