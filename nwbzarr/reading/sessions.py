"""One opened store as a session: the `Loader` behind stored containers.

A session builds each element once, so the same target is the same object however it is reached. The store that holds
a link or reference is the base of its source, whatever store was opened first. Links are followed when touched, over
at most `MAX_HOPS` stores.
"""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.arrays.forms import parse_array
from nwbzarr.arrays.reading import ArrayReader, open_reader
from nwbzarr.convention.documents import check_array_document
from nwbzarr.convention.links import Link, Reference, parse_reference
from nwbzarr.convention.names import REFERENCE, join_path, parse_path, split_path
from nwbzarr.errors import (
    DanglingLinkError,
    DocumentError,
    IncompleteWriteError,
    LinkCycleError,
    NotAStoreError,
    NWBZarrError,
    ReferenceTargetError,
    SchemaError,
    StoreNotFoundError,
)
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.elements import Element, Location, Pointer
from nwbzarr.model.groups import Group
from nwbzarr.model.neurodata import NWBFile
from nwbzarr.model.types import class_of
from nwbzarr.reading.arrays import LazyArray
from nwbzarr.reading.namespaces import load_registry
from nwbzarr.reading.small_arrays import SmallArrays
from nwbzarr.schema.core import CORE
from nwbzarr.stores.foreign_keys import ForeignKeys
from nwbzarr.stores.keys import named_errors
from nwbzarr.stores.url import StoreURL, resolve_source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from nwbzarr.reading.managers import Manager
    from nwbzarr.schema.registry import Registry
    from nwbzarr.stores.connections import OpenStore
    from nwbzarr.tree.tree import Tree

#: Most stores that one link may lead through.
MAX_HOPS = 8


Trail = tuple[tuple[StoreURL, str], ...]


class Session:
    """A store that is open for reading.

    Parameters
    ----------
    manager : Manager
        Opens the stores that links lead to.
    store : OpenStore
        This store.
    tree : Tree
        Its metadata.
    """

    def __init__(self, manager: Manager, store: OpenStore, tree: Tree) -> None:
        self.manager = manager
        self.store = store
        self.tree = tree
        self._elements: dict[str, Element] = {}
        self._names: dict[str, dict[str, Link | None]] = {}
        self._small = SmallArrays(store)
        self._registries: dict[str, Registry | None] = {}
        self._readers: dict[str, ArrayReader | None] = {}

    def __repr__(self) -> str:
        return f"<Session {self.url.text}: {len(self.tree.documents)} nodes>"

    @property
    def url(self) -> StoreURL:
        """The store."""
        return self.store.url

    @property
    def digest(self) -> str:
        """Digest of the root document: changes with every commit."""
        return self.tree.digest

    @property
    def is_read_only(self) -> bool:
        """Whether it is in a file, which can only be read."""
        return isinstance(self.store.keys, ForeignKeys)

    @property
    def is_foreign(self) -> bool:
        """Whether it is of another format, so that stored objects are none of ours."""
        return isinstance(self.store.keys, ForeignKeys) and not self.store.keys.is_native

    def nwbfile(self) -> NWBFile:
        """Return the root container.

        Raises
        ------
        SchemaError
            When the root is no NWBFile.
        """
        root = self.element("/")
        if not isinstance(root, NWBFile):
            message = (
                f"the root of a session has neurodata_type 'NWBFile', but {root.neurodata_type!r} was found: "
                "this Zarr hierarchy was not written as NWB"
            )
            raise SchemaError(message, self.url.text, "/")
        return root

    def element(self, path: str) -> Element:
        """Return the element of a node of this store; the same one every time."""
        found = self._elements.get(path)
        if found is None:
            attributes = self.tree.attributes(path)
            if self.tree.is_array(path):
                check_array_document(self.tree.documents[path], self.url.text, path)
            cls = class_of(attributes, is_array=self.tree.is_array(path), loader=self)
            parent = None if path == "/" else self.element(split_path(path)[0])
            found = cls.__new__(cls)
            found.attach(self, Location(self.url, path), parent if isinstance(parent, Group) else None, attributes)
            self._elements[path] = found
            if isinstance(parent, Group):
                parent.keep_member(found)
        return found

    def dataset(self, path: str) -> Dataset:
        """Return the element of an array."""
        found = self.element(path)
        if not isinstance(found, Dataset):
            message = "an array was expected here, but a group is stored"
            raise DocumentError(message, self.url.text, path)
        return found

    def refresh(self, tree: Tree) -> None:
        """Take the metadata of a commit that added to this store."""
        self.tree = tree
        self._names.clear()
        self._small.clear()
        self._readers.clear()

    def link_targets(self) -> set[StoreURL]:
        """Return the stores that links of this store lead to; broken ones are left out."""
        targets: set[StoreURL] = set()
        for path in self.tree.documents:
            with contextlib.suppress(NWBZarrError):
                targets |= {self.target(link).url for link in self.tree.links(path)}
        return targets

    # What a Loader does.

    def stored_attributes(self, path: str) -> Mapping[str, Any]:
        """Return the attributes of a node as they are stored now."""
        return self.tree.attributes(path)

    def names(self, path: str) -> Collection[str]:
        """Return the names of a group's children and links, in order and quick to search."""
        return self._entries(path)

    def member(self, path: str, name: str) -> Element | Pointer:
        """Return one child of a group, or the link that has its name."""
        link = self._entries(path)[name]
        return self.element(join_path(path, name)) if link is None else Pointer(self, path, link)

    def follow(self, pointer: Pointer) -> Element:
        """Return the element that a link leads to."""
        return self._follow(pointer.path, pointer.link, ())

    def target(self, link: Link) -> Location:
        """Return where a link leads, without following it."""
        return Location(resolve_source(self.url, link.source), link.path)

    def verdict(self, link: Link) -> str:
        """Say what is known to be wrong with a link, without a request; empty when nothing is."""
        try:
            target = self.target(link)
            self.manager.connections.policy.check_link(self.url, link.source, target.url, self.store.options)
        except NWBZarrError as error:
            return error.message
        known = self.manager.known(target.url)
        if (
            known is not None
            and target.path not in known.tree.documents
            and not known.tree.leads_through_link(target.path)
        ):
            return f"nothing is stored at {target.path} of {target.url.text}"
        return ""

    def dereference(self, value: Any) -> Element:
        """Return the element that a reference stored in this store names.

        Raises
        ------
        ReferenceTargetError
            When nothing is stored there.
        DanglingLinkError
            When a link on the way is broken.
        """
        known = self._elements.get(_own_path(value))
        if known is not None:
            # The common case of tables: a container of this store that is there already.
            return known
        if isinstance(value, str):
            reference = Reference(".", parse_path(value, self.url.text))
        else:
            parsed = parse_reference(value, self.url.text)
            if parsed is None:
                message = f"a reference is a path or an object with _REFERENCE, but {value!r} was found"
                raise DocumentError(message, self.url.text)
            reference = parsed
        try:
            if reference.source == ".":
                return self.resolve(reference.path, ())
            name = split_path(reference.path)[1] or "root"
            return self._follow("/", Link(name, reference.source, reference.path), ())
        except DanglingLinkError as error:
            if error.__cause__ is not None:
                # A link on the way is broken, and says so itself.
                raise
            message = f"the reference to {reference.path!r} names nothing that is stored"
            raise ReferenceTargetError(message, self.url.text, reference.path) from error

    def data(self, dataset: Dataset) -> Any:
        """Return the value of a stored dataset: a Python scalar, or a lazy array."""
        path = self._path_of(dataset)
        if self.tree.documents[path]["shape"]:
            return LazyArray(self, path)
        small = self.small_array(path)
        value = LazyArray(self, path)[()] if small is None else small[()]
        return value.item() if isinstance(value, np.generic) and value.dtype.name in _NATURAL else value

    def registry(self, namespace: Any) -> Registry | None:
        """Return the types of a namespace that the store has cached, or None when it has not.

        A cached namespace that cannot be understood counts as not cached, with a warning: its containers stay readable.
        """
        if not isinstance(namespace, str):
            return None
        if namespace not in self._registries:
            self._registries[namespace] = None
            try:
                self._registries[namespace] = load_registry(self, namespace)
            except NWBZarrError as error:
                warnings.warn(f"{error}: its types are read as plain containers", stacklevel=2)
        return self._registries[namespace]

    def check_namespaces(self) -> None:
        """Raise for a cached namespace that cannot be understood: it is not copied into another store.

        Raises
        ------
        NamespaceError
            When one is no JSON, contradicts itself, or includes one that is not there.
        """
        for name, version in self.tree.namespaces.items():
            known = CORE.namespaces.get(name)
            if known is None or known.version != version:
                load_registry(self, name)

    def prefetch(self, paths: Collection[str]) -> None:
        """Fetch what some arrays consist of side by side, where each is one chunk."""
        if not self.url.is_local:
            self._small.prefetch(self.tree, paths)

    # How links are followed.

    def resolve(self, path: str, trail: Trail) -> Element:
        """Return the element at a path of this store, following links on the way.

        Parameters
        ----------
        path : str
            Absolute path.
        trail : tuple of (StoreURL, str)
            Where the search has been.

        Raises
        ------
        DanglingLinkError
            When nothing is stored there.
        LinkCycleError
            When links lead back, or over too many stores.
        """
        if path in self.tree.documents:
            return self.element(path)
        here = "/"
        segments = path.strip("/").split("/")
        for index, name in enumerate(segments):
            entries = self._entries(here)
            if name not in entries:
                break
            link = entries[name]
            if link is not None:
                rest = "/".join(segments[index + 1 :])
                onward = Link(link.name, link.source, f"{link.path.rstrip('/')}/{rest}" if rest else link.path)
                return self._follow(here, onward, trail)
            here = join_path(here, name)
        message = f"nothing is stored at {path!r}"
        raise DanglingLinkError(message, self.url.text, path)

    def _follow(self, holder_path: str, link: Link, trail: Trail) -> Element:
        """Return the element that a link of this store leads to."""
        here = (self.url, join_path(holder_path, link.name))
        target = self.target(link)
        onward = (*trail, here)
        if (target.url, target.path) in onward or len(onward) > MAX_HOPS:
            route = " → ".join(f"{url.text}{path}" for url, path in onward)
            reason = "leads back to itself" if (target.url, target.path) in onward else f"needs over {MAX_HOPS} hops"
            message = f"the link {link.name!r} {reason} ({route}): mend one of these links"
            raise LinkCycleError(message, self.url.text, holder_path)
        try:
            session = self if target.url == self.url else self.manager.follow(self.store, link.source, target.url)
            return session.resolve(target.path, onward)
        except (DanglingLinkError, StoreNotFoundError, IncompleteWriteError, NotAStoreError) as error:
            message = (
                f"the link {link.name!r} leads to {target.path!r} of {target.url.text}, which cannot be read "
                f"({error.message}): put that store back, or write the link anew; the rest of this session is readable"
            )
            raise DanglingLinkError(message, self.url.text, here[1]) from error

    def _entries(self, path: str) -> dict[str, Link | None]:
        """Return the children and links of a group by name."""
        entries = self._names.get(path)
        if entries is None:
            entries = dict.fromkeys(self.tree.children(path)) if not self.tree.is_array(path) else {}
            entries.update({link.name: link for link in self.tree.links(path)})
            self._names[path] = entries
        return entries

    # How small arrays are read.

    def small_array(self, path: str) -> np.ndarray[Any, Any] | None:
        """Return the whole of an array that consists of one chunk, or None when zarr must read it; not to be changed."""
        kept = self._small.kept(path)
        if kept is not None:
            return kept
        with self.named_errors(path):
            return self._small.array(self.tree, path)

    def reader(self, path: str) -> ArrayReader | None:
        """Return what reads the values of an array, or None when zarr must."""
        if path not in self._readers:
            form = parse_array(path, self.tree.documents[path])
            version = (self.url.text, self.digest)
            self._readers[path] = (
                None if form is None else open_reader(form, self.url, self.store.keys, self.manager.blocks, version)
            )
        return self._readers[path]

    @contextlib.contextmanager
    def named_errors(self, path: str) -> Iterator[None]:
        """Give errors from reading an array its store and path."""
        try:
            with named_errors(self.url):
                yield
        except NWBZarrError as error:
            raise error.located(self.url.text, path) from error
        except (RuntimeError, ValueError, TypeError, KeyError) as error:
            message = f"the stored array cannot be decoded ({type(error).__name__}: {error}): it is damaged, or of a codec or type that zarr lacks here"
            raise DocumentError(message, self.url.text, path) from error

    @staticmethod
    def _path_of(dataset: Dataset) -> str:
        if dataset.stored_at is None:  # pragma: no cover - only stored datasets have a loader
            raise NWBZarrError(dataset.name)
        return dataset.stored_at.path


_NATURAL = ("float64", "int64", "bool")


def _own_path(value: Any) -> str:
    """Return the path of a reference to this store, as it stands; empty for any other value."""
    if isinstance(value, str):
        return value
    body = value.get(REFERENCE) if isinstance(value, dict) else None
    path = body.get("path") if isinstance(body, dict) and body.get("source", ".") == "." else None
    return path if isinstance(path, str) else ""
