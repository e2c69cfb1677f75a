"""`Collection`: containers by name, a view of one group; and which types belong in a field.

A collection may be the whole of a group (``nwb.acquisition``) or those members of it that have a type
(``nwb.lab_meta_data``, ``lfp.electrical_series``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from nwbzarr.errors import DuplicateNameError, FieldTypeError
from nwbzarr.model.elements import Element, Pointer
from nwbzarr.model.groups import Group

if TYPE_CHECKING:
    from nwbzarr.schema.fields import FieldSpec

T = TypeVar("T")


def check_type(container: Element, spec: FieldSpec, value: Any, types: tuple[str, ...] = ()) -> None:
    """Raise `FieldTypeError` unless `value` is a container of a type that the field allows.

    A type that no namespace at hand defines passes: it cannot be told.
    """
    types = types or spec.types
    if isinstance(value, Element) and value.neurodata_type is not None and fits_type(value, types):
        return
    owner = container.neurodata_type or type(container).__name__
    came = (
        f"{value.neurodata_type or 'a plain node'} {value.name!r}"
        if isinstance(value, Element)
        else type(value).__name__
    )
    message = f"{owner}.{spec.name} must hold {' or '.join(types)}, but {came} came"
    raise FieldTypeError(message)


def fits_type(value: Element, types: tuple[str, ...]) -> bool:
    """Whether an element is of one of some types, or of a type that is not known."""
    name = value.neurodata_type
    registry = getattr(type(value), "schema_registry", None)
    return name is not None and (registry is None or name not in registry.types or registry.is_a(name, types))


def _belongs(member: Element | Pointer | None, name: object, spec: FieldSpec) -> bool:
    """Whether a member counts for a field.

    Where a group holds nothing else, whatever has a type counts. Links that were not followed are judged by name alone.
    """
    if member is None or name in spec.claimed:
        return False
    element = member.followed if isinstance(member, Pointer) else member
    if element is None:
        return True
    return element.neurodata_type is not None and (bool(spec.path) or fits_type(element, spec.types))


def _group_of(owner: Group, spec: FieldSpec) -> Group | None:
    found = owner.find(spec.path) if spec.path else owner
    return found if isinstance(found, Group) else None


def find_unnamed(owner: Group, spec: FieldSpec) -> Element | None:
    """Return the one member of a field's types that may have any name, or None."""
    group = _group_of(owner, spec)
    names = () if group is None else group.member_names()
    for name in names:
        member = group.raw_member(name) if group is not None else None
        if _belongs(member, name, spec):
            return member.follow() if isinstance(member, Pointer) else member
    return None


class Collection(Mapping[str, T], Generic[T]):
    """Containers by name.

    Parameters
    ----------
    owner : Group
        The container that the collection is a field of.
    spec : FieldSpec
        The field.
    """

    def __init__(self, owner: Group, spec: FieldSpec) -> None:
        self._owner = owner
        self._spec = spec

    @property
    def group(self) -> Group | None:
        """The group behind it, or None while there is none."""
        return _group_of(self._owner, self._spec)

    def add(self, container: Any) -> None:
        """Add a container under its name.

        Raises
        ------
        FieldTypeError
            When it is no container of a type that belongs here.
        DuplicateNameError
            When the name is taken.
        """
        check_type(self._owner, self._spec, container)
        group = self._owner.require_group(self._spec.path) if self._spec.path else self._owner
        if group.raw_member(container.name) is not None:
            message = (
                f"{self._owner.neurodata_type}.{self._spec.name} has {container.name!r} already: names are unique; "
                "choose another"
            )
            raise DuplicateNameError(message)
        group.add_member(container)

    def __getitem__(self, name: str) -> T:
        group = self.group
        if group is None or name not in self:
            known = ", ".join(map(repr, self)) or "nothing"
            message = f"{self._owner.neurodata_type}.{self._spec.name} has no {name!r}; it has {known}"
            raise KeyError(message)
        found: Any = group.raw_member(name)
        followed: Any = found.follow() if isinstance(found, Pointer) else found
        return followed  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[str]:
        group = self.group
        return (name for name in (group.member_names() if group is not None else ()) if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        """Whether a container or link has this name; plain groups and datasets beside them are not counted."""
        group = self.group
        member = group.raw_member(name) if group is not None and isinstance(name, str) else None
        return _belongs(member, name, self._spec)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a container, or `default` when there is none; a link that cannot be followed raises."""
        if name not in self:
            return default
        return self[name]

    def __repr__(self) -> str:
        lines = [f"{self._spec.name}: {len(self)} in all", *(f"  {name}: {self.describe(name)}" for name in self)]
        return "\n".join(lines)

    def describe(self, name: str) -> str:
        """Say in a few words what a name stands for; links are named, not followed."""
        group = self.group
        member = None if group is None else group.raw_member(name)
        if isinstance(member, Pointer):
            return member.describe()
        return "nothing" if member is None else str(member.neurodata_type or type(member).__name__)
