"""PyNWB's methods of collections, made from its table of names: ``add_…``, ``get_…``, ``create_…``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nwbzarr.schema.names import collections_of

if TYPE_CHECKING:
    from nwbzarr.schema.fields import FieldSpec


def install_methods(cls: type) -> None:
    """Give a class PyNWB's methods of its collections: ``add_…``, ``get_…``, ``create_…``."""
    registry, name = cls.schema_registry, cls.schema_type  # type: ignore[attr-defined]
    lineage = [spec.name for spec in registry.lineage(name)]
    for field, words in collections_of(lineage[:1]).items():
        spec = cls.schema_fields.get(field)  # type: ignore[attr-defined]
        if spec is None:
            continue
        for word, method in words.items():
            if not hasattr(cls, method):
                setattr(cls, method, _METHODS[word](method, field, spec))


def _add_method(method: str, field: str, spec: FieldSpec) -> Any:
    def add(self: Any, *containers: Any, **named: Any) -> Any:
        """Add containers to the collection; returns the one that was added."""
        from nwbzarr.model.fields import listed

        given = [item for value in (*containers, *named.values()) for item in listed(value)]
        for item in given:
            getattr(self, field).add(item)
        return given[0] if len(given) == 1 else None

    return _named(add, method, f"Add {' or '.join(spec.types)} to `{field}`; returns what was added.")


def _get_method(method: str, field: str, _: FieldSpec) -> Any:
    def get(self: Any, name: str | None = None) -> Any:
        """Return a container of the collection by name."""
        collection = getattr(self, field)
        if name is None:
            if len(collection) != 1:
                message = f"{field} of {self.name!r} holds {len(collection)} containers: give the name of one"
                raise KeyError(message)
            return next(iter(collection.values()))
        return collection[name]

    return _named(get, method, f"Return what `{field}` holds under a name; the only one when no name is given.")


def _create_method(method: str, field: str, spec: FieldSpec) -> Any:
    def create(self: Any, *args: Any, **fields: Any) -> Any:
        """Make a container, add it to the collection, and return it."""
        from nwbzarr.model.types import class_named

        made = class_named(spec.types[0], type(self).schema_registry)(*args, **fields)
        getattr(self, field).add(made)
        return made

    return _named(create, method, f"Make a `{spec.types[0]}`, add it to `{field}`, and return it.")


_METHODS = {"add": _add_method, "get": _get_method, "create": _create_method}


def _named(function: Any, name: str, doc: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function
