"""Cached namespaces of a store, read: the types of extensions, and what a store was written under."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nwbzarr.convention.names import SPECIFICATIONS
from nwbzarr.errors import NamespaceError
from nwbzarr.model.namespaces import build_registry
from nwbzarr.schema.core import CORE
from nwbzarr.schema.language import parse_namespace
from nwbzarr.schema.registry import Registry

if TYPE_CHECKING:
    from nwbzarr.reading.sessions import Session
    from nwbzarr.schema.specs import Namespace


def load_registry(session: Session, name: str) -> Registry | None:
    """Return the types of a cached namespace, with those that it includes, or None when it is not cached.

    Parameters
    ----------
    session : Session
        Its store is asked; the latest version counts.
    name : str
        The namespace.

    Raises
    ------
    NamespaceError
        When it is no JSON, contradicts itself, or includes one that is not there.
    """
    namespaces = session.tree.namespaces
    if name not in namespaces:
        return None
    return _registry_of(session, name, {}, ())


def _registry_of(session: Session, name: str, made: dict[str, Registry], above: tuple[str, ...]) -> Registry:
    if name in above:
        message = f"the cached namespaces {' and '.join(above)} must not include each other, but do"
        raise NamespaceError(message, session.url.text)
    if name not in made:
        namespace = read_namespace(session, name)
        for include in namespace.includes:
            if include.namespace not in CORE.namespaces and include.namespace in session.tree.namespaces:
                _registry_of(session, include.namespace, made, (*above, name))
        made[name] = build_registry(namespace, made)
    return made[name]


def read_namespace(session: Session, name: str, version: str | None = None) -> Namespace:
    """Return a cached namespace.

    Raises
    ------
    NamespaceError
        When it cannot be understood.
    """
    version = version or session.tree.namespaces[name]
    folder = f"/{SPECIFICATIONS}/{name}/{version}"
    names = session.tree.stored_names(folder)
    session.prefetch([f"{folder}/{source}" for source in names])
    where = f"the cached namespace {name!r} {version}"
    texts = {source: _read_json(session, f"{folder}/{source}", where) for source in names}
    content = texts.pop("namespace", None)
    entries = content.get("namespaces") if isinstance(content, dict) else None
    entry = next((item for item in entries or () if isinstance(item, dict) and item.get("name") == name), None)
    if entry is None:
        message = f"{where} must have a text 'namespace' that lists it, but has none"
        raise NamespaceError(message, session.url.text, folder)
    try:
        return parse_namespace(_with_known_sources(entry, texts), texts, where)
    except NamespaceError as error:
        raise error.located(session.url.text, folder) from error


def _with_known_sources(entry: Any, texts: dict[str, Any]) -> Any:
    """Return an entry whose sources are named as they are cached: some writers keep the ending of the file."""
    parts = entry.get("schema") if isinstance(entry.get("schema"), list) else []
    named = [
        {**part, "source": part["source"].removesuffix(".yaml")}
        if isinstance(part, dict)
        and isinstance(part.get("source"), str)
        and part["source"] not in texts
        and part["source"].removesuffix(".yaml") in texts
        else part
        for part in parts
    ]
    return {**entry, "schema": named}


def _read_json(session: Session, path: str, where: str) -> Any:
    # Not through elements: the cache is no part of the session's containers.
    found = session.small_array(path) if session.tree.is_array(path) else None
    try:
        return json.loads(str(found[()]) if found is not None else "")
    except (ValueError, TypeError, RecursionError) as error:
        message = (
            f"{where} must be JSON, but {path.rpartition('/')[2]!r} is not ({error}): restore it from the original"
        )
        raise NamespaceError(message, session.url.text, path) from error


def load_cached(session: Session) -> tuple[dict[str, Registry], list[NamespaceError]]:
    """Return the types of each cached namespace, at its latest version, and what is wrong with those that cannot be.

    Each namespace has a registry of its own: an extension's type may have the name of a core type. Nothing comes from the
    compiled tables, but for namespaces that are included and not cached.
    """
    found: dict[str, Registry] = {}
    errors: list[NamespaceError] = []
    for name in session.tree.namespaces:
        try:
            _cached_registry(session, name, found, ())
        except NamespaceError as error:
            if str(error) not in map(str, errors):
                errors.append(error)
    return found, errors


def _cached_registry(session: Session, name: str, found: dict[str, Registry], above: tuple[str, ...]) -> Registry:
    if name in above:
        message = f"the cached namespaces {' and '.join(above)} must not include each other, but do"
        raise NamespaceError(message, session.url.text)
    if name not in found:
        namespace = read_namespace(session, name)
        bases = []
        for include in namespace.includes:
            if include.namespace in session.tree.namespaces:
                bases.append(_cached_registry(session, include.namespace, found, (*above, name)))
            elif include.namespace in CORE.namespaces:
                bases.append(CORE)
            else:
                message = f"the cached namespace {name!r} includes {include.namespace!r}, which must be cached too, but is not"
                raise NamespaceError(message, session.url.text)
        found[name] = Registry([namespace], bases)
    return found[name]
