"""What groups and datasets in memory share: identity, attributes, and where they are stored.

An element is *stored* when it has a `location`; its content then comes through its `Loader`, when it is touched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from nwbzarr.convention.attributes import decode_attribute
from nwbzarr.convention.names import (
    NAMESPACE,
    NEURODATA_TYPE,
    OBJECT_ID,
    RESERVED_ATTRIBUTES,
    join_path,
    parse_name,
)
from nwbzarr.errors import SchemaError

if TYPE_CHECKING:
    from nwbzarr.convention.links import Link
    from nwbzarr.model.datasets import Dataset
    from nwbzarr.model.groups import Group
    from nwbzarr.schema.registry import Registry
    from nwbzarr.stores.url import StoreURL


class ArrayData(Protocol):
    """What the data of a dataset offers: a lazy array when it is read, an array when it was given."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape."""

    @property
    def dtype(self) -> Any:
        """Dtype; object for text."""

    @property
    def ndim(self) -> int:
        """Number of dimensions."""

    @property
    def size(self) -> int:
        """Number of values."""

    @property
    def nbytes(self) -> int:
        """Decoded size, in bytes."""

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of the unit of compression, of what is stored."""

    @property
    def shards(self) -> tuple[int, ...] | None:
        """Shape of the unit of storage, of what is stored."""

    @property
    def compression(self) -> str:
        """Names of the codecs, of what is stored."""

    def to_dask(self) -> Any:
        """Return a Dask array of what is stored."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...

    def __getitem__(self, selection: Any) -> Any: ...

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Location:
    """Where an element is stored: the store, and the path in it."""

    url: StoreURL
    path: str


class Loader(Protocol):
    """What gives stored elements their content; a session that was read is one."""

    @property
    def url(self) -> StoreURL:
        """The store."""

    def names(self, path: str) -> Collection[str]:
        """Return the names of a group's children and links, in order and quick to search."""

    def member(self, path: str, name: str) -> Element | Pointer:
        """Return one child of a group, or the link that has its name."""

    def stored_attributes(self, path: str) -> Mapping[str, Any]:
        """Return the attributes of a node as they are stored now."""

    def follow(self, pointer: Pointer) -> Element:
        """Return the element that a link leads to."""

    def target(self, link: Link) -> Location:
        """Return where a link leads, without following it."""

    def verdict(self, link: Link) -> str:
        """Say what is known to be wrong with a link, without a request; empty when nothing is."""

    def dereference(self, value: Any) -> Element:
        """Return the element that a reference stored here names."""

    def data(self, dataset: Dataset) -> Any:
        """Return the value of a stored dataset."""

    def registry(self, namespace: Any) -> Registry | None:
        """Return the types of a namespace that the store has cached, or None when it has not."""

    def prefetch(self, paths: Collection[str]) -> None:
        """Fetch what some arrays consist of side by side, where each is one chunk."""


@dataclass(slots=True, eq=False)
class Pointer:
    """A link that was read and not followed yet.

    Attributes
    ----------
    loader : Loader
        The session that holds the link: sources are relative to its store, and its trust decides.
    path : str
        Group that holds the link.
    link : Link
        As stored.
    """

    loader: Loader
    path: str
    link: Link
    _element: Element | None = field(default=None, repr=False)

    @property
    def target(self) -> Location:
        """Where it leads."""
        return self.loader.target(self.link)

    @property
    def verdict(self) -> str:
        """What is known to be wrong with it, without a request; empty when nothing is."""
        return self.loader.verdict(self.link)

    def describe(self) -> str:
        """Say in a few words where it leads; nothing is requested."""
        if self.verdict:
            return f"broken link ({self.verdict})"
        target = self.target
        place = "" if target.url == self.loader.url else f"{target.url.text} "
        return f"link to {place}{target.path}"

    @property
    def followed(self) -> Element | None:
        """The element it leads to, if it was followed."""
        return self._element

    def follow(self) -> Element:
        """Return the element it leads to; the same one every time."""
        if self._element is None:
            self._element = self.loader.follow(self)
        return self._element


class Attributes(Mapping[str, Any]):
    """Attributes of an element by name, without those that only describe the stored form.

    References are resolved, in the store that holds them.
    """

    __slots__ = ("_element",)

    def __init__(self, element: Element) -> None:
        self._element = element

    def __getitem__(self, name: str) -> Any:
        element = self._element
        if name in element.new_attributes:
            return element.new_attributes[name]
        if name in RESERVED_ATTRIBUTES:
            raise KeyError(name)
        value = element.stored_attributes[name]
        if type(value) is str or type(value) is float:
            # The common cases, before asking for notes: text is never noted unless it is a word for NaN.
            if "_ATTRIBUTE_DTYPES" not in element.stored_attributes:
                return value
        elif isinstance(value, dict) and "_REFERENCE" in value and element.loader is not None:
            return element.loader.dereference(value)
        return decode_attribute(element.stored_attributes, name)

    def __iter__(self) -> Iterator[str]:
        element = self._element
        stored = (name for name in element.stored_attributes if name not in RESERVED_ATTRIBUTES)
        return iter(dict.fromkeys((*stored, *element.new_attributes)))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute, or `default` when there is none; a broken reference raises."""
        if name not in self:
            return default
        return self[name]

    def __contains__(self, name: object) -> bool:
        element = self._element
        return (name in element.stored_attributes or name in element.new_attributes) and name not in RESERVED_ATTRIBUTES

    def __repr__(self) -> str:
        return repr(dict(self))


class Element:
    """What groups and datasets share.

    Attributes
    ----------
    name : str
        Name in the parent; ``"root"`` for a session.
    parent : Group or None
        The group it belongs to; another group that has it as a member holds a link.
    stored_at : Location or None
        Where it is stored; None while it exists in memory only.
    """

    name: str
    parent: Group | None
    stored_at: Location | None
    loader: Loader | None
    stored_attributes: Mapping[str, Any]
    new_attributes: dict[str, Any]
    changed: bool

    def __init__(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        self.name = parse_name(name, type(self).__name__)
        self.parent = None
        self.stored_at = None
        self.loader = None
        self.stored_attributes = {}
        self.new_attributes = dict(attributes or {})
        self.changed = False

    def attach(self, loader: Loader, location: Location, parent: Group | None, attributes: Mapping[str, Any]) -> None:
        """Make this element, fresh from ``__new__``, the one stored at `location`."""
        self.name = location.path.rpartition("/")[2] or "root"
        self.parent = parent
        self.stored_at = location
        self.loader = loader
        self.stored_attributes = attributes
        self.new_attributes = {}
        self.changed = False

    @property
    def attributes(self) -> Attributes:
        """Attributes by name."""
        return Attributes(self)

    @property
    def neurodata_type(self) -> str | None:
        """NWB's name of the type, or None for plain groups and datasets."""
        value = self.new_attributes.get(NEURODATA_TYPE) or self.stored_attributes.get(NEURODATA_TYPE)
        return value if isinstance(value, str) else None

    @property
    def namespace(self) -> str | None:
        """Namespace of the type: ``core``, ``hdmf-common``, or an extension's."""
        value = self.new_attributes.get(NAMESPACE) or self.stored_attributes.get(NAMESPACE)
        return value if isinstance(value, str) else None

    @property
    def object_id(self) -> str | None:
        """UUID that stays with the object through links and exports; None for plain groups and datasets."""
        value = self.new_attributes.get(OBJECT_ID) or self.stored_attributes.get(OBJECT_ID)
        return value if isinstance(value, str) else None

    def set_attribute(self, name: str, value: Any) -> None:
        """Give the element an attribute it does not have yet.

        Raises
        ------
        SchemaError
            When it has one, or the name is a word of the stored form.
        """
        owner = self.neurodata_type or type(self).__name__
        if name in RESERVED_ATTRIBUTES:
            message = f"attribute {name!r} of {owner} {self.name!r} is a word of the stored form: choose another name"
            raise SchemaError(message)
        if name in self.attributes:
            message = f"attribute {name!r} of {owner} {self.name!r} is set already and cannot be set again"
            raise SchemaError(message)
        self.new_attributes[name] = value
        self.mark_changed()

    def replace_attribute(self, name: str, value: Any) -> None:
        """Give the element an attribute, in the place of what it has."""
        self.new_attributes[name] = value
        self.mark_changed()

    def mark_changed(self) -> None:
        """Note that this element is not as it is stored, here and in all parents."""
        element: Element | None = self
        while element is not None and not element.changed:
            element.changed = True
            element = element.parent

    def _repr_html_(self) -> str:
        from nwbzarr.model.html import element_html

        return element_html(self)

    def settle(self, location: Location) -> None:
        """Note that the element is stored now, as it is."""
        if self.loader is not None:
            self.stored_attributes = self.loader.stored_attributes(location.path)
            self.new_attributes = {}
        self.stored_at = location
        self.changed = False

    @property
    def path(self) -> str:
        """Path in its session, by parents."""
        if self.parent is None:
            return "/"
        return join_path(self.parent.path, self.name)

    def get_ancestor(self, data_type: str | None = None, neurodata_type: str | None = None) -> Element | None:
        """Return the nearest parent of a neurodata type, or the parent when none is named; None when there is none."""
        wanted = data_type or neurodata_type
        found = self.parent
        while found is not None and (found.neurodata_type is None or wanted not in (None, found.neurodata_type)):
            found = found.parent
        return found

    @property
    def root(self) -> Element:
        """The outermost parent: the session, once there is one."""
        element: Element = self
        while element.parent is not None:
            element = element.parent
        return element
