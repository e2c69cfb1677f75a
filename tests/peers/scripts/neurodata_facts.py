"""A whole session as plain JSON, by no library's rules: every container, every field that is set, every reference.

`describe` walks from the session along the fields of containers and describes each container once, at its path in the
store. All that it has to know about PyNWB or nwbzarr is an `Adapter`. `differences` compares two descriptions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Facts = dict[str, Any]

#: Fields that PyNWB keeps outside of ``fields``, by the class that has them: each by its name here and there.
_BESIDE_FIELDS: dict[str, dict[str, str]] = {
    "AlignedDynamicTable": {"categories": "categories"},
    "CSRMatrix": {"data": "data", "indices": "indices", "indptr": "indptr", "shape": "shape"},
    "DurationVectorData": {"resolution": "resolution", "unit": "unit"},
    "DynamicTable": {"meanings_tables": "meanings_tables"},
    "EventsTable": {"source_description": "source_description"},
    "ImageSeries": {"num_samples": "_num_samples"},
    "TimestampVectorData": {"resolution": "resolution", "unit": "unit"},
}

#: Fields that say nothing about the container itself: who else uses its data, in memory only.
_OF_OTHERS = ("data_link", "timestamp_link")

#: Attributes that have one value only, and that PyNWB writes without having a field for them.
_CONSTANTS = (
    "nwb_version",
    "channel_conversion__axis",
    "times__unit",
    "capacitance_fast__unit",
    "capacitance_slow__unit",
    "resistance_comp_bandwidth__unit",
    "resistance_comp_correction__unit",
    "resistance_comp_prediction__unit",
    "whole_cell_capacitance_comp__unit",
    "whole_cell_series_resistance_comp__unit",
)

#: Attributes of an ImagingPlane, each with the dataset that it belongs to: PyNWB has a default, the store has nothing.
_ATTRIBUTES_OF_PLANES = {
    "conversion": "manifold",
    "unit": "manifold",
    "origin_coords_unit": "origin_coords",
    "grid_spacing_unit": "grid_spacing",
}

#: Tables that a session makes with its first row.
_TABLES_MADE_WHEN_NEEDED = ("/intervals/epochs", "/intervals/trials", "/intervals/invalid_times")


class Adapter(Protocol):
    """What has to be known about a library."""

    def is_container(self, value: Any) -> bool:
        """Tell whether a value is a container: of a group or of a dataset that has a neurodata type."""

    def path(self, container: Any) -> str:
        """Return the path of a container in its store; ``"/"`` is the session's."""

    def kind(self, container: Any) -> tuple[str, str]:
        """Return the neurodata type and the namespace of a container, as they are stored."""

    def fields(self, container: Any) -> Mapping[str, Any]:
        """Return fields by PyNWB's names. ``"data"`` is among those of a dataset; what is not set may be None."""


class PyNWBAdapter:
    """PyNWB, of a session that ``manager`` has read or written."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def is_container(self, value: Any) -> bool:
        """Tell whether a value is a container."""
        from hdmf.container import AbstractContainer

        return isinstance(value, AbstractContainer)

    def path(self, container: Any) -> str:
        """Return the path of a container's builder."""
        return "/" + str(self._builder(container).path).removeprefix("root").lstrip("/")

    def kind(self, container: Any) -> tuple[str, str]:
        """Return what a container's builder says: classes of hdmf do not all know their neurodata type."""
        attributes = self._builder(container).attributes
        return attributes.get("neurodata_type", attributes.get("data_type")), attributes["namespace"]

    def fields(self, container: Any) -> Mapping[str, Any]:
        """Return fields, with those that PyNWB keeps elsewhere."""
        from hdmf.container import Data

        found = dict(container.fields)
        for kind in type(container).__mro__:
            beside = _BESIDE_FIELDS.get(kind.__name__, {})
            found.update({name: getattr(container, attribute) for name, attribute in beside.items()})
        if isinstance(container, Data):
            found["data"] = container.data
        if "description" in found:
            # Some classes have words of their own, whatever is stored.
            found["description"] = self._builder(container).attributes.get("description", found["description"])
        if "optical_channel" in found:
            for name, owner in _ATTRIBUTES_OF_PLANES.items():
                if owner not in found:
                    found.pop(name, None)
        if "indptr" in found:
            # A plain list in an attribute, which it makes an array of its own kind.
            found["shape"] = [int(size) for size in found["shape"]]
        if "session_start_time" in found and "intervals" in found:
            # Only after reading, they stand there as well as in fields of their own.
            own = [found.get(name) for name in ("epochs", "trials", "invalid_times")]
            found["intervals"] = {
                name: item for name, item in found["intervals"].items() if not any(item is other for other in own)
            }
        return found

    def _builder(self, container: Any) -> Any:
        found = self._manager.get_builder(container)
        if found is None and container.parent is not None:
            # Tables of HERD are made apart from their builders.
            found = self._builder(container.parent).get(container.name)
        if found is None:
            message = f"{type(container).__name__} {container.name!r} is in memory only"
            raise ValueError(message)
        return found


class NwbzarrAdapter:
    """nwbzarr. Nothing of it is imported: the peer's interpreter does not have it.

    PROVISIONAL, as the model is: elements have ``neurodata_type``, ``namespace``, ``path``, ``object_id`` and
    ``fields``; datasets ``data``, ``is_plain`` and ``values_at``; groups ``raw_member``, which may be a link to follow.
    """

    def is_container(self, value: Any) -> bool:
        """Tell whether a value is a container."""
        return hasattr(type(value), "neurodata_type") and hasattr(type(value), "path")

    def path(self, container: Any) -> str:
        """Return the path of a container."""
        return str(container.path)

    def kind(self, container: Any) -> tuple[str, str]:
        """Return the neurodata type and the namespace of a container."""
        return container.neurodata_type, container.namespace

    def fields(self, container: Any) -> Mapping[str, Any]:
        """Return fields, without those that PyNWB has under no name of their own."""
        tables = container.fields.get("category_tables") or {}
        listed = [*(container.fields.get("columns") or ()), *tables.values()]
        found = {
            name: value
            for name, value in container.fields.items()
            if name not in _CONSTANTS and not any(value is part for part in listed)
        }
        if hasattr(container, "is_plain"):
            # References in the data are paths, until they are asked for.
            found["data"] = container.data if container.is_plain else container.values_at(...)
        for name in ("data", "timestamps"):
            member = container.raw_member(name) if hasattr(container, "raw_member") else None
            if member is not None and hasattr(member, "follow"):
                # A link to what another time series holds: PyNWB has that series there.
                found[name] = member.follow().parent
        if container.neurodata_type == "ScratchData" and "notes" in found:
            # The schema's name, for which PyNWB says description.
            found["description"] = found.pop("notes")
        return found


def describe(session: Any, adapter: Adapter) -> Facts:
    """Return the containers of a session by path: type, namespace, name and all fields that are set and not empty.

    Values are: ``{"ref": path}`` for another container; ``{"members": {name: path}}`` for several;
    ``{"text": …}``, ``{"float": …}``, ``{"int": …}``, ``{"bool": …}``, ``{"datetime": …}`` for a scalar; ``dtype``,
    ``shape`` and ``values`` for an array, where the dtype of a plain list is a kind without a size; and
    ``{"compound": {field: value}}`` for compounds. An object id is ``{"id of": path}``.
    """
    containers = dict(_walk(session, adapter))
    ids = {str(container.object_id): path for path, container in containers.items()}
    describer = _Describer(adapter, ids)
    return {path: describer.container(container) for path, container in sorted(containers.items())}


def own_words(session: Any, manager: Any) -> list[str]:
    """Return the paths of tables and columns that PyNWB has described in its own words, which are nobody else's."""
    adapter = PyNWBAdapter(manager)
    return sorted(path for path, container in _walk(session, adapter) if _is_own_word(path, container))


def _is_own_word(path: str, container: Any) -> bool:
    """Tell whether a class, or a method that makes a table as it is needed, has said what a container is."""
    from hdmf.common import DynamicTable, VectorIndex
    from hdmf.utils import get_docval

    text = getattr(container, "description", None)
    if not isinstance(text, str):
        return False
    if isinstance(container, VectorIndex) or path in _TABLES_MADE_WHEN_NEEDED:
        return True
    if isinstance(container, DynamicTable):
        arguments = {argument["name"]: argument for argument in get_docval(type(container).__init__)}
        return "description" not in arguments or arguments["description"].get("default") == text
    columns = getattr(container.parent, "__columns__", ())
    return container.name.endswith("_elements") or text in {
        column["description"] for column in columns if column["name"] == container.name
    }


def differences(wanted: Facts, found: Facts) -> list[str]:
    """Return in words where two descriptions differ; numbers of a plain list have no size that could differ."""
    return list(_differences(wanted, found, ""))


def _walk(session: Any, adapter: Adapter) -> Iterator[tuple[str, Any]]:
    """Yield containers that fields lead to, each once, with their paths."""
    seen: set[int] = set()
    waiting = [session]
    while waiting:
        container = waiting.pop()
        if id(container) in seen:
            continue
        seen.add(id(container))
        yield adapter.path(container), container
        for name, value in adapter.fields(container).items():
            if name in _OF_OTHERS:
                continue
            if adapter.is_container(value):
                waiting.append(value)
            elif isinstance(value, Mapping):
                waiting.extend(item for item in value.values() if adapter.is_container(item))
            elif isinstance(value, list | tuple):
                waiting.extend(item for item in value if adapter.is_container(item))


class _Describer:
    """Values as JSON."""

    def __init__(self, adapter: Adapter, ids: dict[str, str]) -> None:
        self._adapter = adapter
        self._ids = ids

    def container(self, container: Any) -> Facts:
        """Describe a container; several containers in one field are in order only when they are its data."""
        neurodata_type, namespace = self._adapter.kind(container)
        return {
            "neurodata_type": neurodata_type,
            "namespace": namespace,
            "name": container.name,
            "fields": {
                name: self.value(value, ordered=name == "data")
                for name, value in sorted(self._adapter.fields(container).items())
                if not (value is None or name in _OF_OTHERS or (name != "data" and self._is_empty(value)))
            },
        }

    def value(self, value: Any, *, ordered: bool) -> Facts:
        """Describe a value; several containers are an array of references when they are ordered."""
        if self._adapter.is_container(value):
            return {"ref": self._adapter.path(value)}
        if isinstance(value, Mapping):
            return {"members": {str(name): self._adapter.path(item) for name, item in sorted(value.items())}}
        if not ordered and self._are_containers(value):
            return {"members": {item.name: self._adapter.path(item) for item in sorted(value, key=lambda i: i.name)}}
        if isinstance(value, str | bytes | date | bool | int | float | complex | np.generic):
            return self._scalar(value)
        return self._array(value)

    def _is_empty(self, value: Any) -> bool:
        return (
            value.size == 0
            if isinstance(value, np.ndarray)
            else isinstance(value, Mapping | list | tuple) and not value
        )

    def _are_containers(self, value: Any) -> bool:
        return isinstance(value, list | tuple) and bool(value) and all(map(self._adapter.is_container, value))

    def _scalar(self, value: Any) -> Facts:
        if isinstance(value, np.void):
            return {"compound": {name: self._scalar(value[name]) for name in value.dtype.names or ()}}
        kind, plain = self._plain(value.item() if isinstance(value, np.generic) else value)
        return {kind: plain}

    def _array(self, value: Any) -> Facts:
        """Describe whatever slices, or is a list."""
        whole = value if isinstance(value, list | tuple | np.ndarray) else value[()]
        listed = isinstance(whole, list | tuple)
        if listed and whole and isinstance(whole[0], tuple) and hasattr(whole[0], "_fields"):
            columns = zip(*whole, strict=True)
            names = whole[0]._fields
            return {"compound": {name: self._array(list(items)) for name, items in zip(names, columns, strict=True)}}
        if listed and (self._are_containers(whole) or any(isinstance(item, date) for item in whole)):
            found = np.empty(len(whole), object)
            found[:] = whole
        else:
            found = np.asarray(whole)
        return self._numpy(found, sized=not listed)

    def _numpy(self, found: Any, *, sized: bool) -> Facts:
        if found.dtype.names is not None:
            if found.shape == ():
                return self._scalar(found[()])
            return {"compound": {name: self._numpy(found[name], sized=True) for name in found.dtype.names}}
        if found.shape == ():
            return self._scalar(found[()])
        dtype = found.dtype.kind + (str(found.dtype.itemsize) if sized and found.dtype.kind in "iufc" else "")
        items = found.ravel().tolist()
        if found.dtype.kind in "OTUS":
            kinds = {self._plain(item)[0] for item in items} or {"text"}
            dtype = "/".join(sorted(kinds))
        return {"dtype": dtype, "shape": list(found.shape), "values": [self._plain(item)[1] for item in items]}

    def _plain(self, value: Any) -> tuple[str, Any]:
        """Return the kind of a scalar, and the scalar as JSON."""
        if self._adapter.is_container(value):
            return "ref", self._adapter.path(value)
        if isinstance(value, bytes):
            value = value.decode()
        if isinstance(value, str) and value in self._ids:
            return "id of", self._ids[value]
        for word, kind, convert in _SCALARS:
            if isinstance(value, kind):
                return word, convert(value)
        message = f"{type(value).__name__} has no description: {value!r}"
        raise TypeError(message)


def _finite(value: float) -> float | str:
    return value if math.isfinite(value) else repr(value)


#: Kinds of scalars, and how each becomes JSON; a truth value is an int, too.
_SCALARS: tuple[tuple[str, type, Callable[[Any], Any]], ...] = (
    ("text", str, str),
    ("datetime", date, lambda value: value.isoformat()),
    ("bool", bool, bool),
    ("int", int, int),
    ("float", float, _finite),
    ("complex", complex, lambda value: [_finite(value.real), _finite(value.imag)]),
)


def _differences(wanted: Any, found: Any, place: str) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        if wanted.keys() == found.keys() == {"dtype", "shape", "values"} and _same_dtype(wanted, found):
            wanted = {**wanted, "dtype": found["dtype"]}
        for name in sorted(wanted.keys() | found.keys()):
            here = f"{place} · {name}" if place else name
            if name not in found:
                yield f"{here}: missing, {_short(wanted[name])} expected"
            elif name not in wanted:
                yield f"{here}: {_short(found[name])} found, nothing expected"
            else:
                yield from _differences(wanted[name], found[name], here)
    elif wanted != found or type(wanted) is not type(found):
        yield f"{place}: {_short(found)} found, {_short(wanted)} expected"


def _same_dtype(wanted: Facts, found: Facts) -> bool:
    """Tell whether two dtypes are the same, or of one kind where one of them has no size."""
    one, other = wanted["dtype"], found["dtype"]
    unsized = min(one, other, key=len)
    return one == other or (
        unsized in ("i", "u", "f", "c") and (one[0] == other[0] or {one[0], other[0]} == {"i", "u"})
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 200 else f"{text[:200]}…"
