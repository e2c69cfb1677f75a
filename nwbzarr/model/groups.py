"""`Group`: named members with attributes.

The members of a stored group are built when touched. A member whose parent is another group is a link to it: that is
the whole rule of linking.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nwbzarr.errors import DuplicateNameError, FieldTypeError, SchemaError
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.elements import Element, Loader, Location, Pointer


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

    def member_names(self) -> list[str]:
        """Return the names of all members, those that are stored first."""
        if self.loader is None or self.stored_at is None:
            return list(self._members)
        return list(dict.fromkeys((*self.loader.names(self.stored_at.path), *self._members)))

    def __iter__(self) -> Iterator[str]:
        return iter(self.member_names())

    def __len__(self) -> int:
        return len(self.member_names())

    def __bool__(self) -> bool:
        """Return True: a container is there, whatever it holds."""
        return True

    def __contains__(self, name: object) -> bool:
        return name in self._members or (
            self.loader is not None and self.stored_at is not None and name in self.loader.names(self.stored_at.path)
        )

    def __getitem__(self, name: str) -> Any:
        """Return a member; a link is followed."""
        return self.member(name)

    def member(self, name: str) -> Element:
        """Return a member; a link is followed.

        Raises
        ------
        KeyError
            When there is none of that name.
        """
        found = self.raw_member(name)
        if found is None:
            known = ", ".join(map(repr, self.member_names()[:8])) or "nothing"
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
        if found is None and self.loader is not None and self.stored_at is not None:
            if name not in self.loader.names(self.stored_at.path):
                return None
            found = self._members[name] = self.loader.member(self.stored_at.path, name)
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
        self.link_member(element, name or (element.link.name if isinstance(element, Pointer) else element.name))
        if isinstance(element, Element) and element.parent is None and element is not self.root:
            element.parent = self

    def link_member(self, element: Element | Pointer, name: str) -> None:
        """Add a member that belongs elsewhere, or will: it is stored as a link.

        Raises
        ------
        DuplicateNameError
            When the name is taken.
        """
        if name in self:
            message = (
                f"{self.neurodata_type or 'group'} {self.path!r} has a member {name!r} already: "
                "names in a group are unique; choose another"
            )
            raise DuplicateNameError(message)
        self._check_addable(element)
        self._members[name] = element
        self.mark_changed()

    def drop_member(self, name: str) -> None:
        """Take back a member that was added and is not stored."""
        member = self._members.pop(name)
        if isinstance(member, Element) and member.parent is self:
            member.parent = None

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
            found = group.member(name)
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
        for name in self.member_names():
            member = self.raw_member(name)
            if isinstance(member, Pointer):
                found[name] = member.target
            elif member is not None and member.parent is not self and member.stored_at is not None:
                found[name] = member.stored_at
        return found

    def _parts(self) -> Iterator[tuple[str, Element]]:
        return ((name, self.member(name)) for name in self.member_names())
