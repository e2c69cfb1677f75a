"""Links and references as they stand in attributes.

A *link* is a named child that lives elsewhere: an entry of the list ``_LINKS`` of the parent group. A *reference*
is an attribute value that names a node. This room refuses to resolve either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nwbzarr.convention.names import LINKS, REFERENCE, parse_name, parse_path
from nwbzarr.errors import DocumentError, SchemaError


@dataclass(frozen=True, slots=True)
class Link:
    """A named child that lives elsewhere.

    Attributes
    ----------
    name : str
        Name of the child in the group that holds the link.
    source : str
        ``"."``, a path relative to the store that holds the link, or a full URL.
    path : str
        Absolute path in the store that `source` names.
    """

    name: str
    source: str
    path: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that names a node: `path` in the store that `source` names."""

    source: str
    path: str


def parse_links(attributes: Mapping[str, Any], where: str) -> tuple[Link, ...]:
    """Return the links that a group's attributes hold.

    Raises
    ------
    DocumentError
        When ``_LINKS`` is no list, or an entry lacks ``name``, ``source`` or ``path``.
    """
    entries = attributes.get(LINKS)
    if entries is None:
        return ()
    if not isinstance(entries, list):
        message = f"{LINKS} must be a list of objects, but {type(entries).__name__} was found"
        raise DocumentError(message, path=where)
    return tuple(_parse_link(entry, where) for entry in entries)


def encode_links(links: Iterable[Link]) -> list[dict[str, str]]:
    """Return links as the value of ``_LINKS``."""
    return [{"name": link.name, "source": link.source, "path": link.path} for link in links]


def is_reference(value: Any) -> bool:
    """Whether an attribute value has the form of a reference."""
    return isinstance(value, dict) and REFERENCE in value


def parse_reference(value: Any, where: str) -> Reference | None:
    """Return the reference that an attribute value is, or None when it is none.

    Raises
    ------
    DocumentError
        When it has the form of a reference without a path.
    """
    if not is_reference(value):
        return None
    body = value[REFERENCE]
    if not isinstance(body, Mapping) or "path" not in body:
        message = f"{REFERENCE} must be an object with 'source' and 'path', but {body!r} was found"
        raise DocumentError(message, path=where)
    source = body.get("source", ".")
    if not isinstance(source, str):
        message = f"the source of a {REFERENCE} must be a text, but {source!r} was found"
        raise DocumentError(message, path=where)
    return Reference(source, parse_path(body["path"]))


def encode_reference(reference: Reference) -> dict[str, dict[str, str]]:
    """Return a reference as an attribute value."""
    return {REFERENCE: {"source": reference.source, "path": reference.path}}


def _parse_link(entry: object, where: str) -> Link:
    """Return one entry of ``_LINKS``."""
    if not isinstance(entry, Mapping):
        message = f"an entry of {LINKS} must be an object, but {entry!r} was found"
        raise DocumentError(message, path=where)
    missing = [word for word in ("name", "source", "path") if not isinstance(entry.get(word), str) or not entry[word]]
    if missing:
        message = f"an entry of {LINKS} must have a text for {', '.join(missing)}, but {dict(entry)!r} was found"
        raise DocumentError(message, path=where)
    try:
        name = parse_name(entry["name"], "a link")
    except SchemaError as error:
        raise DocumentError(error.message, path=where) from error
    return Link(name, entry["source"], parse_path(entry["path"]))
