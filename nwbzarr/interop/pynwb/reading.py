"""Stored nodes as hdmf's builders: the whole session at once, without its values."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from hdmf.backends.warnings import BrokenLinkWarning
from hdmf.build import DatasetBuilder, GroupBuilder, LinkBuilder, ReferenceBuilder

from nwbzarr.convention.attributes import decode_attribute
from nwbzarr.convention.links import Link, is_reference
from nwbzarr.convention.names import (
    DTYPE,
    OBJECT_REFERENCE,
    REFERENCE_FIELDS,
    RESERVED_ATTRIBUTES,
    SPECIFICATIONS,
    join_path,
    split_path,
)
from nwbzarr.errors import NWBZarrError
from nwbzarr.interop.pynwb.datasets import BuilderReferences, StoredDataset
from nwbzarr.model.elements import Pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nwbzarr.reading.sessions import Session
    from nwbzarr.stores.url import StoreURL


class Builders:
    """The builders of a session and of those that it links to.

    Parameters
    ----------
    construct : callable
        Makes the container of a builder.
    """

    def __init__(self, construct: Callable[[Any], Any]) -> None:
        self.construct = construct
        self._readers: dict[StoreURL, BuilderReader] = {}

    def reader(self, session: Session) -> BuilderReader:
        """Return what makes the builders of one session."""
        found = self._readers.get(session.url)
        if found is None or found.session is not session:
            found = self._readers[session.url] = BuilderReader(session, self)
        return found


class BuilderReader:
    """The builders of one session; each node has one.

    Parameters
    ----------
    session : Session
        Open for reading.
    builders : Builders
        Those of other sessions.
    """

    def __init__(self, session: Session, builders: Builders) -> None:
        self.session = session
        self.builders = builders
        self.source = source_of(session.url)
        self._built: dict[str, Any] = {}
        self._waiting: list[tuple[Any, str, str]] = []

    def root(self) -> Any:
        """Return the builder of the whole session."""
        found = self.builder("/")
        self.settle()
        return found

    def builder(self, path: str) -> Any:
        """Return the builder of a node of this store."""
        if path not in self._built:
            made = self._dataset(path) if self.session.tree.is_array(path) else self._group(path)
            made.location = None if path == "/" else split_path(path)[0]
            self._built[path] = made
        return self._built[path]

    def target(self, path: str) -> Any:
        """Return the builder of what a path leads to, through links if need be."""
        if path in self.session.tree.documents:
            return self.builder(path)
        return self._linked(self.session.dereference(path))

    def container(self, path: str) -> Any:
        """Return the container of what a path leads to; None for no path."""
        return self.builders.construct(self.target(path)) if path else None

    def _linked(self, element: Any) -> Any:
        """Return the builder of an element of some store."""
        reader = self.builders.reader(element.loader)
        made = reader.builder(element.stored_at.path)
        if reader is not self:
            reader.settle()
        return made

    def settle(self) -> None:
        """Give builders what their attributes refer to: it may be anywhere, so it comes when they are made."""
        while self._waiting:
            builder, name, path = self._waiting.pop()
            builder.set_attribute(name, self.target(path))

    def _group(self, path: str) -> Any:
        groups: dict[str, Any] = {}
        datasets: dict[str, Any] = {}
        links: dict[str, Any] = {}
        tree = self.session.tree
        for name in tree.stored_names(path):
            if path == "/" and name == SPECIFICATIONS:
                continue
            below = join_path(path, name)
            (datasets if tree.is_array(below) else groups)[name] = self.builder(below)
        for link in tree.links(path):
            made = self._link(link, path)
            if made is not None:
                links[link.name] = made
        attributes, references = self._attributes(path)
        builder = GroupBuilder(
            "root" if path == "/" else split_path(path)[1],
            groups=groups,
            datasets=datasets,
            links=links,
            attributes=attributes,
            source=self.source,
        )
        self._waiting += [(builder, name, target) for name, target in references.items()]
        return builder

    def _link(self, link: Link, path: str) -> Any:
        """Return the builder of a link; None, with a warning, when it leads nowhere."""
        try:
            target = self._linked(self.session.follow(Pointer(self.session, path, link)))
        except NWBZarrError as error:
            warnings.warn(
                f"Path to Group altered/broken at {join_path(path, link.name)}: {error}",
                BrokenLinkWarning,
                stacklevel=2,
            )
            return None
        made = LinkBuilder(builder=target, name=link.name, source=self.source)
        made.location = path
        return made

    def _attributes(self, path: str) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the attributes of a node, and the paths that references among them lead to."""
        stored = self.session.tree.attributes(path)
        values: dict[str, Any] = {}
        references: dict[str, str] = {}
        for name in stored:
            if name in RESERVED_ATTRIBUTES:
                continue
            value = decode_attribute(stored, name)
            if is_reference(value):
                references[name] = value["_REFERENCE"]["path"]
            else:
                values[name] = as_array(value)
        return values, references

    def _dataset(self, path: str) -> Any:
        stored = self.session.tree.attributes(path)
        attributes, references = self._attributes(path)
        data, dtype = self._data(path, stored)
        builder = DatasetBuilder(
            split_path(path)[1],
            data=data,
            dtype=dtype,
            attributes=attributes,
            maxshape=getattr(data, "maxshape", None),
            source=self.source,
        )
        self._waiting += [(builder, name, target) for name, target in references.items()]
        return builder

    def _data(self, path: str, stored: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return the data of an array as hdmf takes it, and its dtype."""
        value: Any = self.session.dataset(path).data
        fields = tuple(stored.get(REFERENCE_FIELDS, ()))
        is_scalar = not self.session.tree.documents[path]["shape"]
        if stored.get(DTYPE) == OBJECT_REFERENCE:
            if is_scalar:
                return ReferenceBuilder(self.target(str(value))), "object"
            return BuilderReferences(value, self), "object"
        if is_scalar:
            dtype = self.session.tree.dtype(path)
            return (value, dtype) if dtype is None or dtype.names is None else (np.asarray(value), _fields(dtype, ()))
        if value.dtype.names is not None:
            data = BuilderReferences(value, self, fields) if fields else StoredDataset(value)
            return data, _fields(value.dtype, fields)
        return StoredDataset(value), value.dtype


def source_of(url: StoreURL) -> str:
    """Return the text that builders name a store by."""
    return url.path if url.is_local else str(url)


def as_array(value: Any) -> Any:
    """Return lists as arrays, as h5py gives them."""
    if not isinstance(value, list):
        return value
    texts = any(isinstance(item, str) for item in value)
    return np.array(value, dtype=object if texts else None)


def _fields(dtype: np.dtype[Any], references: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return a compound dtype in hdmf's words."""
    return [
        {
            "name": name,
            "dtype": "object" if name in references else "utf" if dtype[name].kind in "UO" else dtype[name].name,
        }
        for name in dtype.names or ()
    ]
