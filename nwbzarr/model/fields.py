"""Fields as views: a Python attribute of a container, placed in its stored form by the schema's facts.

`Field` is a descriptor with one `FieldSpec`; how each kind is read and set stands in two tables. A field is set once;
setting it again is refused, as in PyNWB, because what is stored may be linked from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.convention.datetimes import parse_datetime
from nwbzarr.errors import DocumentError, SchemaError
from nwbzarr.model.collections import Collection, check_type, find_unnamed
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.elements import Element
from nwbzarr.model.groups import Group
from nwbzarr.model.values import dims_of, parse_value, shape_of
from nwbzarr.schema.fields import FieldSpec, Kind
from nwbzarr.schema.language import standard_dtype

if TYPE_CHECKING:
    from nwbzarr.schema.specs import DType


class Field:
    """A field of a container class.

    Parameters
    ----------
    spec : FieldSpec
        Where it is stored and what it may hold.
    """

    def __init__(self, spec: FieldSpec) -> None:
        self.spec = spec
        self.__doc__ = f"{spec.name} ({describe_field(spec)})"

    def __get__(self, container: Any, owner: type | None = None) -> Any:
        return self if container is None else _GET[self.spec.kind](container, self.spec)

    def __set__(self, container: Any, value: Any) -> None:
        set_field(container, self.spec, value)


def describe_field(spec: FieldSpec) -> str:
    """Say in a few words what a field holds."""
    if spec.types:
        word = {Kind.COLLECTION: "containers of type", Kind.LINK: "link to"}.get(spec.kind, "container of type")
        return f"{word} {' or '.join(spec.types)}"
    dtype = describe_dtype(spec.dtype)
    return f"{dtype} of shape {' or '.join(map(str, spec.shapes))}" if spec.shapes else dtype


def describe_dtype(dtype: DType) -> str:
    """Say in a few words what a dtype of the schema is."""
    if isinstance(dtype, tuple):
        return f"compound of {', '.join(field.name for field in dtype)}"
    return dtype if isinstance(dtype, str) else f"reference to {dtype.target}" if dtype else "any"


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


def carrier_of(container: Element, spec: FieldSpec) -> Element | None:
    """Return the element that carries an attribute field, or None while there is none."""
    if not spec.path:
        return container
    return container.find(spec.path) if isinstance(container, Group) else None


def _get_attribute(container: Element, spec: FieldSpec) -> Any:
    carrier = carrier_of(container, spec)
    if carrier is None:
        return None
    found = carrier.attributes.get(spec.attribute, spec.default)
    return tuple(found) if isinstance(found, list) else found


def _set_attribute(container: Element, spec: FieldSpec, value: Any) -> None:
    carrier = carrier_of(container, spec)
    if carrier is None:
        message = f"{_owner(container)}.{spec.name} belongs to {spec.path!r}, which is not set: give both"
        raise SchemaError(message)
    if spec.is_reference:
        check_type(container, spec, value, (getattr(spec.dtype, "target", ""),))
    checked = parse_value(value, spec, _owner(container))
    _check_fixed(container, spec, checked, value)
    if spec.attribute in carrier.attributes:
        raise _already_set(container, spec)
    carrier.set_attribute(spec.attribute, checked)


def _check_fixed(container: Element, spec: FieldSpec, checked: Any, value: Any) -> None:
    if spec.fixed and checked != spec.default:
        message = f"{_owner(container)}.{spec.name} is always {spec.default!r}, but {value!r} came"
        raise SchemaError(message)


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
        location = dataset.stored_at
        raise DocumentError(message).located(location.url.text if location else None, dataset.path) from error


def _as_python(data: Any, spec: FieldSpec) -> Any:
    """Return a stored value as people use it: datetimes and tuples of texts instead of text arrays."""
    dtype = standard_dtype(spec.dtype) if isinstance(spec.dtype, str) else ""
    if dtype in ("isodatetime", "isodate"):
        if spec.shapes:
            return tuple(parse_datetime(item) if isinstance(item, str) else item for item in _items(data))
        return parse_datetime(data) if isinstance(data, str) else data
    if dtype == "text" and spec.shapes and spec.name != "data":
        return _nested(data)
    return data


def _items(data: Any) -> Iterable[Any]:
    if isinstance(data, list | tuple):
        return data
    return np.atleast_1d(np.asarray(data)).tolist()  # type: ignore[no-any-return]


def _nested(data: Any) -> tuple[Any, ...]:
    return tuple(_nested(item) if isinstance(item, list) else item for item in _items(data))


def _set_dataset(container: Group, spec: FieldSpec, value: Any) -> None:
    group, name = _place(container, spec)
    # A lazy array of a stored dataset is that dataset: a link, not a copy.
    shared = value if isinstance(value, Dataset) else getattr(value, "dataset", None)
    if isinstance(shared, Dataset):
        group.add_member(shared, name)
        return
    checked = parse_value(value, spec, _owner(container))
    _check_fixed(container, spec, checked, value)
    shape = shape_of(checked) if spec.shapes else ()
    dims = dims_of(shape, spec.dims, spec.shapes) if shape else spec.dims[0] if shape is None and spec.dims else None
    group.add_member(Dataset(name, checked, dimensions=dims))


def _place(container: Group, spec: FieldSpec) -> tuple[Group, str]:
    """Return the group that a field's member goes to, made where it is missing, and its name there."""
    folder, _, name = spec.path.rpartition("/")
    group = container.require_group(folder) if folder else container
    if name in group:
        raise _already_set(container, spec)
    return group, name


def _get_container(container: Group, spec: FieldSpec) -> Element | None:
    return find_unnamed(container, spec) if spec.any_name else container.find(spec.path)


def _set_container(container: Group, spec: FieldSpec, value: Any) -> None:
    if spec.types == ("Data",) and not isinstance(value, Element):
        value = _as_data(container, spec, value)
    check_type(container, spec, value)
    if spec.any_name:
        if _get_container(container, spec) is not None:
            raise _already_set(container, spec)
        (container.require_group(spec.path) if spec.path else container).add_member(value)
        return
    group, name = _place(container, spec)
    if value.parent is None and value.stored_at is None:
        # The schema fixes the name of what belongs here.
        value.name = name
    group.add_member(value, name)


def _as_data(container: Group, spec: FieldSpec, value: Any) -> Element:
    """Return plain rows as the `Data` that a type asks for."""
    from nwbzarr.model.types import class_named

    checked = parse_value(value, spec, _owner(container))
    made: Element = class_named("Data")(spec.path.rpartition("/")[2], checked)
    return made


def _set_link(container: Group, spec: FieldSpec, value: Any) -> None:
    check_type(container, spec, value)
    if spec.any_name:
        (container.require_group(spec.path) if spec.path else container).link_member(value, value.name)
        return
    group, name = _place(container, spec)
    group.link_member(value, name)


def _get_collection(container: Group, spec: FieldSpec) -> Collection[Any]:
    return Collection(container, spec)


def _set_collection(container: Group, spec: FieldSpec, value: Any) -> None:
    collection: Collection[Any] = Collection(container, spec)
    for item in listed(value):
        collection.add(item)


def listed(value: Any) -> Iterable[Any]:
    """Return containers given as one, as a list, or by name; a container is a mapping too, but counts as one."""
    if isinstance(value, Element):
        return (value,)
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else (value,)


_GET: dict[Kind, Callable[[Any, FieldSpec], Any]] = {
    Kind.ATTRIBUTE: _get_attribute,
    Kind.DATASET: _get_dataset,
    Kind.CONTAINER: _get_container,
    Kind.LINK: _get_container,
    Kind.COLLECTION: _get_collection,
}

_SET: dict[Kind, Callable[[Any, FieldSpec, Any], None]] = {
    Kind.ATTRIBUTE: _set_attribute,
    Kind.DATASET: _set_dataset,
    Kind.CONTAINER: _set_container,
    Kind.LINK: _set_link,
    Kind.COLLECTION: _set_collection,
}
