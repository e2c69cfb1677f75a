"""A store, checked as a whole against the namespaces that it has cached."""

from __future__ import annotations

import warnings
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
    split_path,
)
from nwbzarr.errors import NWBZarrError
from nwbzarr.io import NWBZarrIO
from nwbzarr.model.collections import fits_type
from nwbzarr.model.containers import Container, Data
from nwbzarr.model.table_reading import TableReading
from nwbzarr.reading.namespaces import load_cached
from nwbzarr.schema.core import CORE
from nwbzarr.schema.fields import Kind
from nwbzarr.schema.specs import ReferenceTo
from nwbzarr.schema.validation import Child, Problem, Registries, check_node

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from nwbzarr.reading.managers import Manager
    from nwbzarr.reading.sessions import Session
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
    with warnings.catch_warnings():
        # What reading warns of is reported.
        warnings.simplefilter("ignore")
        io.read()
        return _check_session(io.session)


def _check_session(session: Session) -> list[Problem]:
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


def _namespaces(session: Session) -> tuple[Registries, list[Problem]]:
    """Return what gives the types of a namespace, and what is wrong with the cache."""
    cached, errors = load_cached(session)
    problems = [Problem(error.path or f"/{SPECIFICATIONS}", "", "", error.message) for error in errors]

    def registry(name: str | None) -> Registry | None:
        if name in cached:
            return cached[str(name)]
        return CORE if name in CORE.namespaces and name not in session.tree.namespaces else None

    return registry, problems


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
    from nwbzarr.model.columns import EnumData
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
        elif isinstance(element, DynamicTable | EnumData):
            element.check_whole()
        elif isinstance(element, Container):
            found += _check_dates(element, path)
    except NWBZarrError as error:
        found.append(Problem(path, owner, "", error.message))
    return found


def _check_dates(container: Container, path: str) -> list[Problem]:
    """Return the dates of a container that are none."""
    found = []
    for name, spec in container.schema_fields.items():
        if spec.dtype in ("isodatetime", "isodate") and spec.kind is Kind.DATASET:
            try:
                getattr(container, name)
            except NWBZarrError as error:
                found.append(Problem(f"{path.rstrip('/')}/{spec.path}", container.schema_type, name, error.message))
    return found


def _check_references(session: Session, path: str, owner: str, attributes: Mapping[str, Any]) -> list[Problem]:
    values = np.asarray(session.dataset(path).data)
    fields = attributes.get(REFERENCE_FIELDS) or ()
    found = []
    for field in fields or ("",):
        target = _reference_target(session, path, field)
        for text in dict.fromkeys(map(str, (values[field] if field else values).ravel())):
            try:
                element = session.dereference(text)
            except NWBZarrError as error:
                found.append(Problem(path, owner, field, error.message))
                continue
            if target is not None and not fits_type(element, (target,)):
                message = f"must refer to {target}, but {text} is {element.neurodata_type or 'a node without a type'}"
                found.append(Problem(path, owner, field or split_path(path)[1], message))
    return found


def _reference_target(session: Session, path: str, field: str) -> str | None:
    """Return the type that a dataset's references must lead to, or None where the schema does not say."""
    element: Any = session.element(path)
    if isinstance(element.parent, TableReading) and element.name in element.parent.predefined:
        dtype = element.parent.predefined[element.name].rules.dtype
    else:
        rules = element.rules_of_data() if isinstance(element, Data) else None
        dtype = None if rules is None else rules.dtype
    if isinstance(dtype, tuple):
        dtype = next((part.dtype for part in dtype if part.name == field), None)
    return dtype.target if isinstance(dtype, ReferenceTo) else None


__all__ = ["Problem", "validate"]
