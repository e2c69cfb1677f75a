"""Extensions: namespaces from files, and the classes of their types."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nwbzarr.errors import NamespaceError
from nwbzarr.model.types import class_named
from nwbzarr.schema.core import CORE
from nwbzarr.schema.language import parse_namespace
from nwbzarr.schema.registry import Registry

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from nwbzarr.schema.registry import TypeSpec
    from nwbzarr.schema.specs import Namespace

#: Namespaces that were loaded, by name: what `get_class` looks in, and what a session that uses them caches.
LOADED: dict[str, Registry] = {}


class LoadedNamespace:
    """The classes of an extension's types, as attributes.

    Parameters
    ----------
    registry : Registry
        The extension with what it includes.
    name : str
        Its name.
    """

    def __init__(self, registry: Registry, name: str) -> None:
        self._registry = registry
        self.name = name

    @property
    def version(self) -> str:
        """Its version."""
        return self._registry.namespaces[self.name].version

    @property
    def types(self) -> tuple[str, ...]:
        """Names of the types that it defines."""
        return tuple(name for name, spec in self._registry.types.items() if spec.namespace == self.name)

    def __getattr__(self, name: str) -> Any:
        if name in self._registry.types:
            return class_named(name, self._registry)
        message = f"namespace {self.name!r} has no type {name!r}; it has {', '.join(self.types)}"
        raise AttributeError(message)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.types]

    def __repr__(self) -> str:
        return f"<namespace {self.name} {self.version}: {', '.join(self.types)}>"


def load_namespace(path: str | os.PathLike[str]) -> LoadedNamespace:
    """Return the types of an extension, from its namespace file.

    Parameters
    ----------
    path : str or path-like
        YAML file with ``namespaces``; its sources are beside it. When it has several, the last is returned and all
        are loaded.

    Raises
    ------
    NamespaceError
        When a file is missing, is no YAML, or the namespace contradicts itself.

    Notes
    -----
    NWB schema language 2.1. Sessions that hold objects of the types cache the namespace.
    """
    file = Path(path)
    content = _read_yaml(file)
    entries = content.get("namespaces") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not entries:
        message = f"{file} must hold a list of namespaces, but holds none"
        raise NamespaceError(message)
    found = []
    for entry in entries:
        parts = entry.get("schema") if isinstance(entry, dict) else None
        parts = parts if isinstance(parts, list) else []
        names = [part["source"] for part in parts if isinstance(part, dict) and isinstance(part.get("source"), str)]
        sources = {name: _read_yaml(file.parent / name) for name in names}
        namespace = parse_namespace(entry, sources, str(file))
        found.append(register(namespace))
    return LoadedNamespace(*found[-1])


def _read_yaml(file: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"the namespace file {file} must be there, but cannot be read ({error.strerror}): check the path"
        raise NamespaceError(message) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        message = f"the namespace file {file} must be YAML, but is not: {error}"
        raise NamespaceError(message) from error


def register(namespace: Namespace) -> tuple[Registry, str]:
    """Return the registry of a namespace that was loaded; the same namespace gives the same classes."""
    known = LOADED.get(namespace.name)
    if known is not None and known.namespaces[namespace.name] == namespace:
        return known, namespace.name
    registry = build_registry(namespace, LOADED)
    LOADED[namespace.name] = registry
    return registry, namespace.name


def build_registry(namespace: Namespace, known: Mapping[str, Registry]) -> Registry:
    """Return a namespace together with those that it includes.

    Raises
    ------
    NamespaceError
        When an included namespace is neither NWB's own nor among `known`.
    """
    bases = [_included(include.namespace, known, namespace.name) for include in namespace.includes]
    listed = {include.namespace: include.types for include in namespace.includes if include.types}
    registry = Registry([namespace], bases=[CORE, *(base for base in bases if base is not CORE)])
    for spec in registry.types.values():
        _check_listed(spec, registry, listed, namespace.name)
    for include in namespace.includes:
        _check_types(
            include.types, _included(include.namespace, known, namespace.name), namespace.name, include.namespace
        )
    return registry


def _check_listed(spec: TypeSpec, registry: Registry, listed: Mapping[str, tuple[str, ...]], user: str) -> None:
    """Raise for a base that a namespace does not take from the one that defines it, where it says what it takes."""
    base = registry.types.get(spec.base) if spec.namespace == user and spec.base else None
    names = listed.get(base.namespace) if base is not None else None
    if base is None or names is None:
        return
    taken = {found.name for name in names for found in registry.lineage(name)}
    if base.name not in taken:
        message = (
            f"namespace {user!r}: the type {spec.name!r} extends {base.name!r}, which must be among the types taken from "
            f"{base.namespace!r} ({', '.join(names)}), but is not: add it there"
        )
        raise NamespaceError(message)


def _included(name: str, known: Mapping[str, Registry], user: str) -> Registry:
    if name in CORE.namespaces:
        return CORE
    found = known.get(name)
    if found is None:
        message = f"namespace {user!r} includes {name!r}, which must be loaded or cached too, but is not: load it first"
        raise NamespaceError(message)
    return found


def _check_types(types: Iterable[str], registry: Registry, user: str, included: str) -> None:
    missing = next((name for name in types if name not in registry.types), None)
    if missing is not None:
        message = f"namespace {user!r} takes the type {missing!r} from {included!r}, which has none of that name"
        raise NamespaceError(message)


def get_class(name: str, namespace: str = "core") -> Any:
    """Return the class of a neurodata type.

    Parameters
    ----------
    name : str
        The type.
    namespace : str
        ``"core"``, ``"hdmf-common"``, or a namespace that was loaded (`load_namespace`).

    Raises
    ------
    NamespaceError
        When the namespace is not loaded, or has no such type.
    """
    if namespace in CORE.namespaces:
        return class_named(name)
    if namespace not in LOADED:
        message = f"the namespace {namespace!r} must be loaded first (load_namespace); loaded are {', '.join(sorted(LOADED)) or 'none'}"
        raise NamespaceError(message)
    return class_named(name, LOADED[namespace])
