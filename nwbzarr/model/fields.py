"""Fields as views: a Python attribute of a container, placed in its stored form by the schema's facts.

`Field` is a descriptor with one `FieldSpec`; how each kind is read and set stands in two tables. A field is set once;
setting it again is refused, as in PyNWB, because what is stored may be linked from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.convention.datetimes import parse_datetime
from nwbzarr.errors import DocumentError, DuplicateNameError, FieldTypeError, SchemaError
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.elements import Element, Pointer
from nwbzarr.model.groups import Group
from nwbzarr.model.values import parse_value
from nwbzarr.schema.core import CORE
from nwbzarr.schema.specs import FieldSpec, Kind

if TYPE_CHECKING:
    from nwbzarr.model.containers import Container


class Field:
    """A field of a container class.

    Parameters
    ----------
    spec : FieldSpec
        Where it is stored and what it may hold.
    """

    def __init__(self, spec: FieldSpec) -> None:
        self.spec = spec
        self.__doc__ = f"{spec.name} ({spec.dtype if spec.kind in (Kind.ATTRIBUTE, Kind.DATASET) else spec.kind.value})"

    def __get__(self, container: Any, owner: type | None = None) -> Any:
        return self if container is None else _GET[self.spec.kind](container, self.spec)

    def __set__(self, container: Any, value: Any) -> None:
        set_field(container, self.spec, value)


def set_field(container: Any, spec: FieldSpec, value: Any) -> None:
    """Set a field that is not set yet; None leaves it unset.

    Raises
    ------
    SchemaError
        When it is set already, or the value is not what the schema allows.
    """
    if value is None:
        return
    _SET[spec.kind](container, spec, value)


def _owner(container: Element) -> str:
    return container.neurodata_type or type(container).__name__


def _already_set(container: Element, spec: FieldSpec) -> SchemaError:
    return SchemaError(
        f"{_owner(container)}.{spec.name} of {container.name!r} is set already and cannot be set again: "
        "make a new container instead",
        path=container.path,
    )


def _carrier(container: Element, spec: FieldSpec) -> Element | None:
    """Return the element that carries an attribute field."""
    if not spec.path:
        return container
    return container.find(spec.path) if isinstance(container, Group) else None


def _get_attribute(container: Element, spec: FieldSpec) -> Any:
    carrier = _carrier(container, spec)
    return None if carrier is None else carrier.attributes.get(spec.attribute, spec.default)


def _set_attribute(container: Element, spec: FieldSpec, value: Any) -> None:
    carrier = _carrier(container, spec)
    if carrier is None:
        message = f"{_owner(container)}.{spec.name} belongs to {spec.path!r}, which is not set: give both"
        raise SchemaError(message)
    checked = parse_value(value, spec, _owner(container))
    if spec.fixed and checked != spec.default:
        message = f"{_owner(container)}.{spec.name} is always {spec.default!r}, but {value!r} came"
        raise SchemaError(message)
    if spec.attribute in carrier.attributes:
        raise _already_set(container, spec)
    carrier.set_attribute(spec.attribute, checked)


def _get_dataset(container: Group, spec: FieldSpec) -> Any:
    dataset = container.find(spec.path)
    if dataset is None:
        return None
    if not isinstance(dataset, Dataset):
        message = f"{_owner(container)}.{spec.name} must be a dataset, but a group is stored under its name"
        raise SchemaError(message, path=container.path)
    try:
        return _as_python(dataset.data, spec)
    except DocumentError as error:
        message = f"{_owner(container)}.{spec.name}: {error.message}"
        location = dataset.location
        raise DocumentError(message).located(location.url.text if location else None, dataset.path) from error


def _as_python(data: Any, spec: FieldSpec) -> Any:
    """Return a stored value as people use it: datetimes and tuples of texts instead of text arrays."""
    if spec.dtype in ("isodatetime", "isodate"):
        if spec.dims:
            return tuple(parse_datetime(item) if isinstance(item, str) else item for item in _items(data))
        return parse_datetime(data) if isinstance(data, str) else data
    if spec.dtype == "text" and spec.dims:
        return _nested(data)
    return data


def _items(data: Any) -> Iterable[Any]:
    if isinstance(data, list | tuple):
        return data
    return np.atleast_1d(np.asarray(data)).tolist()  # type: ignore[no-any-return]


def _nested(data: Any) -> tuple[Any, ...]:
    return tuple(_nested(item) if isinstance(item, list) else item for item in _items(data))


def _set_dataset(container: Group, spec: FieldSpec, value: Any) -> None:
    folder, _, name = spec.path.rpartition("/")
    group = container.require_group(folder) if folder else container
    if name in group:
        raise _already_set(container, spec)
    # A lazy array of a stored dataset is that dataset: a link, not a copy.
    shared = value if isinstance(value, Dataset) else getattr(value, "dataset", None)
    if isinstance(shared, Dataset):
        group.add_member(shared, name)
        return
    checked = parse_value(value, spec, _owner(container))
    group.add_member(Dataset(name, checked, dimensions=spec.dims or None))


def _get_container(container: Group, spec: FieldSpec) -> Element | None:
    return container.find(spec.path)


def _set_container(container: Group, spec: FieldSpec, value: Any) -> None:
    check_type(container, spec, value)
    folder, _, name = spec.path.rpartition("/")
    group = container.require_group(folder) if folder else container
    if name in group:
        raise _already_set(container, spec)
    group.add_member(value, name)


def _get_collection(container: Group, spec: FieldSpec) -> Collection:
    return Collection(container, spec)


def _set_collection(container: Group, spec: FieldSpec, value: Any) -> None:
    collection = Collection(container, spec)
    for item in _listed(value):
        collection.add(item)


def _listed(value: Any) -> Iterable[Any]:
    """Return containers given as one, as a list, or by name; a container is a mapping too, but counts as one."""
    if isinstance(value, Element):
        return (value,)
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else (value,)


def check_type(container: Element, spec: FieldSpec, value: Any) -> None:
    """Raise unless `value` is a container of a type that the field allows; types of extensions pass."""
    wanted = " or ".join(spec.types)
    if not isinstance(value, Element) or value.neurodata_type is None:
        message = f"{_owner(container)}.{spec.name} must hold {wanted}, but {type(value).__name__} came"
        raise FieldTypeError(message)
    name = value.neurodata_type
    if name in CORE.types and not CORE.is_a(name, spec.types):
        message = f"{_owner(container)}.{spec.name} must hold {wanted}, but {name} {value.name!r} came"
        raise FieldTypeError(message)


_GET: dict[Kind, Callable[[Any, FieldSpec], Any]] = {
    Kind.ATTRIBUTE: _get_attribute,
    Kind.DATASET: _get_dataset,
    Kind.CONTAINER: _get_container,
    Kind.COLLECTION: _get_collection,
}

_SET: dict[Kind, Callable[[Any, FieldSpec, Any], None]] = {
    Kind.ATTRIBUTE: _set_attribute,
    Kind.DATASET: _set_dataset,
    Kind.CONTAINER: _set_container,
    Kind.COLLECTION: _set_collection,
}


class Collection(Mapping[str, Any]):
    """Containers by name: a view of one group of a session, for instance ``nwb.acquisition``.

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
        found = self._owner.find(self._spec.path)
        return found if isinstance(found, Group) else None

    def add(self, container: Container) -> None:
        """Add a container under its name.

        Raises
        ------
        FieldTypeError
            When it is no container of a type that belongs here.
        DuplicateNameError
            When the name is taken.
        """
        check_type(self._owner, self._spec, container)
        if container.name in self:
            message = (
                f"{self._owner.neurodata_type}.{self._spec.name} has {container.name!r} already: names are unique; "
                "choose another"
            )
            raise DuplicateNameError(message)
        self._owner.require_group(self._spec.path).add_member(container)

    def __getitem__(self, name: str) -> Any:
        group = self.group
        if group is None or name not in self:
            known = ", ".join(map(repr, self)) or "nothing"
            message = f"{self._owner.neurodata_type}.{self._spec.name} has no {name!r}; it has {known}"
            raise KeyError(message)
        return group[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.group or () if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        """Whether a container or link has this name; plain groups and datasets beside them are not counted."""
        member = self.group.raw_member(name) if self.group is not None and isinstance(name, str) else None
        return isinstance(member, Pointer) or (member is not None and member.neurodata_type is not None)

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
