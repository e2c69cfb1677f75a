"""From a session in memory to a `WritePlan`: `plan_write` walks the members, and sends no request.

A member whose parent is the group that holds it is written; any other member becomes a link. What is stored already
in the same store, and did not change, is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nwbzarr.convention.attributes import encode_attributes
from nwbzarr.convention.documents import group_document
from nwbzarr.convention.links import Link, Reference, encode_links, encode_reference
from nwbzarr.convention.names import LINKS, join_path, split_path
from nwbzarr.errors import DuplicateNameError, UnstoredTargetError
from nwbzarr.layout.rules import LayoutRules
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.elements import Element, Location, Pointer
from nwbzarr.model.groups import Group
from nwbzarr.stores.url import StoreURL, relative_source, resolve_source
from nwbzarr.writing.datasets import DatasetPlanner
from nwbzarr.writing.parts import Parts
from nwbzarr.writing.plans import LinkPlan, WritePlan
from nwbzarr.writing.sources import BlockSource
from nwbzarr.writing.specifications import plan_specifications
from nwbzarr.writing.validation import check_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nwbzarr.model.nwbfile import NWBFile
    from nwbzarr.tree.tree import Tree


def plan_write(
    nwbfile: NWBFile, url: StoreURL, base: Tree | None, rules: LayoutRules | None = None
) -> tuple[WritePlan, list[tuple[Element, str]]]:
    """Return the plan that stores a session, and the elements that it stores with their paths.

    Parameters
    ----------
    nwbfile : NWBFile
        The session.
    url : StoreURL
        Where it goes.
    base : Tree or None
        What is stored there, for an update; None for a new store.
    rules : LayoutRules, optional
        What is wished for layouts.

    Raises
    ------
    UnstoredTargetError
        When a link would lead to something that is in no store, or not as it is in memory.
    FieldTypeError, SchemaError, LayoutError
        When a value has no stored form.
    """
    wishes = rules or LayoutRules()
    planner = _Planner(nwbfile, url, base, wishes)
    planner.plan_group(nwbfile, "/")
    plan = planner.plan()
    wishes.check_used()
    return plan, planner.parts.stored


def give_back(plan: WritePlan, stored: list[tuple[Element, str]]) -> None:
    """Give iterators of blocks back to their datasets: the plan is not carried out."""
    taken = {array.path: array.source for array in plan.arrays if isinstance(array.source, BlockSource)}
    for element, path in stored:
        if path in taken and isinstance(element, Dataset):
            element.replace_data(taken[path].all_blocks())


class _Planner:
    """Collects the parts of one plan."""

    def __init__(self, session: NWBFile, url: StoreURL, base: Tree | None, rules: LayoutRules) -> None:
        self.session = session
        self.url = url
        self.base = base
        self.parts = Parts()
        self.datasets = DatasetPlanner(self.parts, url, base, self._attributes, rules)
        self.links: list[LinkPlan] = []
        self._references: list[tuple[str, str, Element]] = []
        self._reached: dict[Location, str] | None = None

    def plan(self) -> WritePlan:
        """Return the plan; references come last, since they may lead through any link of the session."""
        self.datasets.plan_references(self._reachable)
        for path, name, element in self._references:
            reference = Reference(".", self._reachable(element, path))
            self.parts.documents[path]["attributes"][name] = encode_reference(reference)
        parts = self.parts
        if parts.documents:
            plan_specifications(parts, self.session, self.base)
        plan = WritePlan(
            url=self.url,
            base=self.base,
            documents=parts.documents,
            chunks=parts.chunks,
            arrays=tuple(parts.arrays),
            copies=tuple(parts.copies),
            appends=tuple(parts.appends),
            rewritten=frozenset(parts.rewritten),
            links=tuple(self.links),
            reads=frozenset(parts.reads),
            layouts=parts.layouts,
        )
        check_plan(plan, parts.stored)
        return plan

    def plan_element(self, element: Element, path: str) -> None:
        """Plan one element that belongs here, unless it is stored here as it is."""
        stored = element.stored_at == Location(self.url, path) and self.base is not None
        if stored and not element.changed and not isinstance(element, Group):
            return
        if isinstance(element, Group):
            self.plan_group(element, path)
        elif isinstance(element, Dataset):
            self.datasets.plan(element, path)

    def plan_group(self, group: Group, path: str) -> None:
        """Plan a group and everything below it."""
        known = {link.name for link in self.base.links(path)} if self._is_stored(path) and self.base else set()
        links: list[Link] = []
        for name, member in group.touched if self._is_stored(path) else self._all_members(group):
            if name in known:
                self._check_unchanged(member, path)
            elif isinstance(member, Pointer) or member.parent is not group:
                links.append(self._plan_link(member, name, path))
            else:
                self.plan_element(member, join_path(path, name))
        if self._is_stored(path) and not group.changed:
            return
        self._check_names(path, links)
        attributes = self._attributes(group, path)
        entries = [*attributes.get(LINKS, ()), *encode_links(links)]
        if entries:
            attributes[LINKS] = entries
        self.parts.documents[path] = group_document(attributes)
        self.parts.stored.append((group, path))

    def _is_stored(self, path: str) -> bool:
        return self.base is not None and path in self.base.documents

    @staticmethod
    def _all_members(group: Group) -> list[tuple[str, Element | Pointer]]:
        """Return every member, links not followed."""
        return [(name, member) for name in group if (member := group.raw_member(name)) is not None]

    def _attributes(self, element: Element, path: str) -> dict[str, Any]:
        """Return the attributes of a node as JSON: what is stored, and what is new."""
        if self.base is not None and path in self.base.documents:
            stored = dict(self.base.attributes(path))
        else:
            stored = {name: value for name, value in element.stored_attributes.items() if name != LINKS}
        owner = f"{element.neurodata_type or type(element).__name__} {path}"
        references = {name: value for name, value in element.new_attributes.items() if isinstance(value, Element)}
        self._references += [(path, name, value) for name, value in references.items()]
        plain = {name: value for name, value in element.new_attributes.items() if name not in references}
        encoded = encode_attributes(plain, owner)
        for name, value in encoded.items():
            # Notes of dtypes are joined, everything else is new.
            stored[name] = {**stored[name], **value} if isinstance(value, dict) and name in stored else value
        return stored

    def _check_names(self, path: str, links: list[Link]) -> None:
        taken = next((link.name for link in links if join_path(path, link.name) in self.parts.documents), None)
        if taken is not None:
            message = f"the group {path!r} would hold a node and a link of the name {taken!r}: rename one of them"
            raise DuplicateNameError(message, self.url.text, path)

    # Links.

    def _plan_link(self, member: Element | Pointer, name: str, path: str) -> Link:
        """Return the link to a member that lives elsewhere."""
        target = member.target if isinstance(member, Pointer) else self._location(member, path)
        source = relative_source(self.url, target.url)
        self.links.append(LinkPlan(join_path(path, name), source, target))
        if isinstance(member, Pointer) or member.root is not self.session:
            self.parts.reads.add(target.url)
        return Link(name, source, target.path)

    def _check_unchanged(self, member: Element | Pointer, path: str) -> None:
        """Raise when something that is linked already was changed in memory, and a link would lose that."""
        element = member.followed if isinstance(member, Pointer) else member
        if element is not None and element.changed:
            self._location(element, path)

    def _location(self, member: Element, path: str) -> Location:
        """Return where a linked element is stored."""
        if member.root is self.session:
            return Location(self.url, member.path)
        what = f"{member.neurodata_type or type(member).__name__} {member.name!r}"
        if member.stored_at is None and member.parent is None:
            message = (
                f"{what} is linked here, but it belongs to no session: add it to one first (for instance "
                "nwb.add_device), so that there is something to link to"
            )
            raise UnstoredTargetError(message, self.url.text, path)
        if member.stored_at is None:
            message = (
                f"{what} is linked here, but it belongs to another session that is in no store yet: "
                "write that session first, then this one"
            )
            raise UnstoredTargetError(message, self.url.text, path)
        if member.changed and member.stored_at.url != self.url:
            message = (
                f"{what} of {member.stored_at.url.text} is linked here, but it was changed in memory and a link would "
                "lose that: write its own session with mode='r+' first, or put what is new into a container of this "
                "session"
            )
            raise UnstoredTargetError(message, self.url.text, path)
        return member.stored_at

    def _reachable(self, element: Element, path: str) -> str:
        """Return the path in this store at which an element is, or is reached through a link."""
        if element.root is self.session:
            return element.path
        location = element.stored_at
        if location is not None and location.url == self.url:
            return location.path
        found = None if location is None else self._through_link(location)
        if found is not None:
            return found
        if location is None:
            message = (
                f"a reference leads to {element.neurodata_type or type(element).__name__} {element.name!r}, which is in "
                "no session: add it to this one first"
            )
            raise UnstoredTargetError(message, self.url.text, path)
        message = (
            f"a reference leads to {element.neurodata_type or type(element).__name__} {element.name!r} of another "
            "store, and no link of this session reaches it: add that container to this session too"
        )
        raise UnstoredTargetError(message, self.url.text, path)

    def _through_link(self, location: Location) -> str | None:
        """Return the path in this store at which a place of another store is reached, or None."""
        if self._reached is None:
            self._reached = {}
            for link in [*self.links, *self._stored_links()]:
                self._reached.setdefault(link.target, link.path)
        path, rest = location.path, ""
        while True:
            known = self._reached.get(Location(location.url, path))
            if known is not None:
                return f"{known}{rest}"
            if path == "/":
                return None
            path, name = split_path(path)
            rest = f"/{name}{rest}"

    def _stored_links(self) -> Iterator[LinkPlan]:
        """Yield the links that the store holds already."""
        for path, document in (self.base.documents if self.base is not None else {}).items():
            if self.base is not None and LINKS in document.get("attributes", {}):
                for link in self.base.links(path):
                    target = Location(resolve_source(self.url, link.source), link.path)
                    yield LinkPlan(join_path(path, link.name), link.source, target)
