"""Groups, datasets and links in memory: the stored form of a session.

An element is *stored* when it has a `location`. The members of a stored group are built when touched, through its
`Loader`. A member whose parent is another group is a link to it: that is the whole rule of linking.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from nwbzarr.convention.attributes import decode_attribute
from nwbzarr.convention.names import (
    DTYPE,
    NAMESPACE,
    NEURODATA_TYPE,
    OBJECT_ID,
    OBJECT_REFERENCE,
    REFERENCE_FIELDS,
    RESERVED_ATTRIBUTES,
    join_path,
    parse_name,
)
from nwbzarr.errors import DuplicateNameError, FieldTypeError, SchemaError
from nwbzarr.model.data_io import ZarrDataIO

if TYPE_CHECKING:
    from nwbzarr.convention.links import Link
    from nwbzarr.stores.url import StoreURL


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
    location : Location or None
        Where it is stored; None while it exists in memory only.
    """

    name: str
    parent: Group | None
    location: Location | None
    loader: Loader | None
    stored_attributes: Mapping[str, Any]
    new_attributes: dict[str, Any]
    changed: bool

    def __init__(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        self.name = parse_name(name, type(self).__name__)
        self.parent = None
        self.location = None
        self.loader = None
        self.stored_attributes = {}
        self.new_attributes = dict(attributes or {})
        self.changed = False

    def attach(self, loader: Loader, location: Location, parent: Group | None, attributes: Mapping[str, Any]) -> None:
        """Make this element, fresh from ``__new__``, the one stored at `location`."""
        self.name = location.path.rpartition("/")[2] or "root"
        self.parent = parent
        self.location = location
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
        self.location = location
        self.changed = False

    @property
    def path(self) -> str:
        """Path in its session, by parents."""
        if self.parent is None:
            return "/"
        return join_path(self.parent.path, self.name)

    @property
    def root(self) -> Element:
        """The outermost parent: the session, once there is one."""
        element: Element = self
        while element.parent is not None:
            element = element.parent
        return element


class Dataset(Element):
    """An array or scalar with attributes.

    Parameters
    ----------
    name : str
        Name in the parent.
    data : object
        NumPy array, list, scalar, text, lazy array, iterator of blocks, or `ZarrDataIO` around one of these.
    attributes : mapping, optional
        Attributes by name.
    dimensions : tuple of str, optional
        Names of the dimensions.
    """

    dimensions: tuple[str, ...] | None
    storage: ZarrDataIO | None
    appended: list[Any]
    _data: Any
    _known: bool

    def __init__(
        self,
        name: str,
        data: Any,
        attributes: Mapping[str, Any] | None = None,
        dimensions: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__(name, attributes)
        if data is None:
            message = f"{type(self).__name__} {name!r} must have data, but None came: leave the dataset out instead"
            raise FieldTypeError(message)
        self.storage = data if isinstance(data, ZarrDataIO) else None
        self._data = data.data if isinstance(data, ZarrDataIO) else data
        self._known = True
        self.dimensions = dimensions
        self.appended = []

    def attach(self, loader: Loader, location: Location, parent: Group | None, attributes: Mapping[str, Any]) -> None:
        """Make this element the one stored at `location`; its data comes when it is touched."""
        super().attach(loader, location, parent, attributes)
        self.storage = None
        self._data = None
        self._known = False
        self.dimensions = None
        self.appended = []

    @property
    def data(self) -> Any:
        """A scalar, a lazy array, or what was given."""
        if not self._known and self.loader is not None:
            self._data = self.loader.data(self)
            self._known = True
        return self._data

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape; ``()`` for scalars."""
        data = self.data
        if isinstance(data, list | tuple):
            import numpy as np

            return np.shape(data)
        return tuple(getattr(data, "shape", ()))

    def replace_data(self, data: Any) -> None:
        """Put other data in the place of what was given, for data that can be read once only."""
        self._data = data

    def settle(self, location: Location) -> None:
        """Note that the dataset is stored now, with the rows that were appended."""
        super().settle(location)
        if self.appended and self.loader is None:
            import numpy as np

            self._data = np.concatenate([np.asarray(self._data), *self.appended])
        elif self.appended:
            self._known = False
        self.appended = []

    def append(self, rows: Any) -> None:
        """Add rows at the end of the first dimension; they are stored by the next write in mode ``r+`` or ``a``.

        Parameters
        ----------
        rows : array_like
            Rows of the dataset's dtype; shape ``(n, *shape[1:])``.

        Raises
        ------
        SchemaError
            When the dataset is a scalar, or the rows do not fit its other dimensions.
        """
        import numpy as np

        from nwbzarr.model.values import parse_rows

        block = parse_rows(rows, getattr(self.data, "dtype", None), self.name)
        if not self.shape or block.ndim != len(self.shape) or block.shape[1:] != self.shape[1:]:
            message = (
                f"rows appended to {self.name!r} must have shape (n, {', '.join(map(str, self.shape[1:]))}), "
                f"but {block.shape} came"
            )
            raise SchemaError(message)
        if self.location is None:
            self._data = np.concatenate([np.asarray(self._data), block])
        else:
            self.appended.append(block)
        self.mark_changed()

    def __getitem__(self, selection: Any) -> Any:
        """Return a part of the data; references are resolved to the containers they name."""
        value = self.data if isinstance(selection, tuple) and not selection else self.data[selection]
        if self.loader is None:
            return value
        if self.stored_attributes.get(DTYPE) == OBJECT_REFERENCE:
            return _resolved(value, self.loader)
        fields = self.stored_attributes.get(REFERENCE_FIELDS)
        return _with_containers(value, fields, self.loader) if fields else value

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np

        array = np.asarray(self.data, dtype=dtype)
        return array.copy() if copy else array

    def __repr__(self) -> str:
        kind = self.neurodata_type or "Dataset"
        return f"<{kind} {self.name!r} {getattr(self.data, 'dtype', type(self.data).__name__)} {self.shape}>"


def _resolved(value: Any, loader: Loader) -> Any:
    """Return the container of a path, or a list of those of an array of paths."""
    if isinstance(value, str):
        return loader.dereference(str(value))
    return [_resolved(path, loader) for path in value]


def _with_containers(value: Any, fields: Collection[str], loader: Loader) -> Any:
    """Return a compound value with containers in the place of the paths in its reference fields."""
    import numpy as np

    rows = np.asarray(value)
    described = [(name, "O" if name in fields else rows.dtype[name]) for name in rows.dtype.names or ()]
    made = np.empty(rows.shape, np.dtype(described))
    for name in rows.dtype.names or ():
        if name in fields:
            paths = rows[name].reshape(-1)
            containers = np.empty(len(paths), dtype=object)
            containers[:] = [loader.dereference(str(path)) for path in paths]
            made[name] = containers.reshape(rows.shape)
        else:
            made[name] = rows[name]
    return made if isinstance(value, np.ndarray) else made[()]


class Group(Element, Mapping[str, Any]):
    """Named members with attributes; a mapping of name to member.

    Groups, containers and links give elements; plain datasets give `Dataset`.
    """

    _members: dict[str, Element | Pointer]

    def __init__(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        super().__init__(name, attributes)
        self._members = {}

    def attach(self, loader: Loader, location: Location, parent: Group | None, attributes: Mapping[str, Any]) -> None:
        """Make this element the one stored at `location`; members are built when touched."""
        super().attach(loader, location, parent, attributes)
        self._members = {}

    def __iter__(self) -> Iterator[str]:
        if self.loader is None or self.location is None:
            return iter(list(self._members))
        return iter(dict.fromkeys((*self.loader.names(self.location.path), *self._members)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self._members or (
            self.loader is not None and self.location is not None and name in self.loader.names(self.location.path)
        )

    def __getitem__(self, name: str) -> Element:
        """Return a member; a link is followed."""
        found = self.raw_member(name)
        if found is None:
            known = ", ".join(map(repr, list(self)[:8])) or "nothing"
            message = f"{self.neurodata_type or 'group'} {self.path!r} has no {name!r}; it has {known}"
            raise KeyError(message)
        return found.follow() if isinstance(found, Pointer) else found

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<{self.neurodata_type or 'Group'} {self.name!r}: {', '.join(self) or 'empty'}>"

    def get(self, name: str, default: Any = None) -> Any:
        """Return a member, or `default` when there is none; a link that cannot be followed raises."""
        if name not in self:
            return default
        return self[name]

    def raw_member(self, name: str) -> Element | Pointer | None:
        """Return a member with links not followed, or None."""
        found = self._members.get(name)
        if found is None and self.loader is not None and self.location is not None:
            if name not in self.loader.names(self.location.path):
                return None
            found = self._members[name] = self.loader.member(self.location.path, name)
        return found

    @property
    def touched(self) -> list[tuple[str, Element | Pointer]]:
        """Members that were built or added; only these can differ from what is stored."""
        return list(self._members.items())

    def keep_member(self, element: Element) -> None:
        """Remember a stored member that was built on the way to another."""
        self._members.setdefault(element.name, element)

    def add_member(self, element: Element | Pointer, name: str | None = None) -> None:
        """Add a member; an element that has a parent already becomes a link.

        Parameters
        ----------
        element : Element or Pointer
            What to add.
        name : str, optional
            Name here; only links may have another than the element's own.

        Raises
        ------
        DuplicateNameError
            When the name is taken.
        """
        name = name or (element.link.name if isinstance(element, Pointer) else element.name)
        if name in self:
            message = (
                f"{self.neurodata_type or 'group'} {self.path!r} has a member {name!r} already: "
                "names in a group are unique; choose another"
            )
            raise DuplicateNameError(message)
        self._check_addable(element)
        self._members[name] = element
        if isinstance(element, Element) and element.parent is None and element is not self.root:
            element.parent = self
        self.mark_changed()

    def _check_addable(self, element: Element | Pointer) -> None:
        """Raise for what would hold itself, and for sessions, which are roots."""
        above: Element | None = self
        while above is not None:
            if above is element:
                message = f"{element.name!r} cannot be added to {self.path!r}: a container does not hold itself"
                raise SchemaError(message)
            above = above.parent
        if isinstance(element, Element) and element.neurodata_type == "NWBFile":
            message = f"a session is the root of its store and no member of {self.path!r}: add its containers instead"
            raise FieldTypeError(message)

    def find(self, path: str) -> Element | None:
        """Return the element at a relative path, links followed, or None when a part of it is not there."""
        element: Element = self
        for name in path.split("/"):
            member = element.raw_member(name) if isinstance(element, Group) else None
            if member is None:
                return None
            element = member.follow() if isinstance(member, Pointer) else member
        return element

    def require_group(self, path: str) -> Group:
        """Return the plain group at a relative path, made where it is missing."""
        group = self
        for name in path.split("/"):
            if name not in group:
                group.add_member(Group(name))
            found = group[name]
            if not isinstance(found, Group):
                message = f"{found.path!r} must be a group, but it is a dataset"
                raise SchemaError(message)
            group = found
        return group

    @property
    def datasets(self) -> dict[str, Dataset]:
        """Plain datasets by name."""
        return {name: found for name, found in self._parts() if isinstance(found, Dataset) and not found.neurodata_type}

    @property
    def children(self) -> dict[str, Element]:
        """Containers and plain groups by name; links that cannot be followed raise here."""
        return {name: found for name, found in self._parts() if not isinstance(found, Dataset) or found.neurodata_type}

    @property
    def links(self) -> dict[str, Location]:
        """Names of members that live elsewhere, with the place; nothing is followed."""
        found: dict[str, Location] = {}
        for name in self:
            member = self.raw_member(name)
            if isinstance(member, Pointer):
                found[name] = member.target
            elif member is not None and member.parent is not self and member.location is not None:
                found[name] = member.location
        return found

    def _parts(self) -> Iterator[tuple[str, Element]]:
        return ((name, self[name]) for name in self)
