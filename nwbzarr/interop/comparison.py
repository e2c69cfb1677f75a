"""Two sessions, node by node: whether they hold the same, whatever formats they are stored in.

Types, shapes, values, attributes, links and references are compared, and HDF5's own types where both were HDF5 files.
Chunks and compression are not: they are how, not what. Values are read a region at a time. This room refuses to write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.convention.attributes import decode_attribute
from nwbzarr.convention.names import ATTRIBUTE_DTYPES, DIMENSIONS, LINKS
from nwbzarr.stores.url import resolve_source
from nwbzarr.writing.plans import plan_regions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nwbzarr.convention.links import Link

#: What says how something is stored, or is compared by itself.
_NOT_COMPARED = frozenset({LINKS, DIMENSIONS, ATTRIBUTE_DTYPES})


@dataclass(frozen=True, slots=True)
class Difference:
    """What two sessions do not have in common.

    Attributes
    ----------
    path : str
        The node.
    what : str
        Which part of it.
    left, right : str
        What the first and the second session hold.
    """

    path: str
    what: str
    left: str
    right: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}: {self.left} | {self.right}"


def compare_sessions(left: Any, right: Any) -> Iterator[Difference]:
    """Yield what two sessions do not have in common, in the order of their paths.

    Parameters
    ----------
    left, right : Session
        Open for reading.
    """
    for path in sorted(set(left.tree.documents) | set(right.tree.documents)):
        kinds = [_kind(session, path) for session in (left, right)]
        if kinds[0] != kinds[1]:
            yield Difference(path, "node", *kinds)
            continue
        yield from _attributes(left, right, path)
        if kinds[0] == "array":
            yield from _arrays(left, right, path)
        else:
            yield from _links(left, right, path)


def _kind(session: Any, path: str) -> str:
    if path not in session.tree.documents:
        return "absent"
    return "array" if session.tree.is_array(path) else "group"


def _attributes(left: Any, right: Any, path: str) -> Iterator[Difference]:
    found = [session.tree.attributes(path) for session in (left, right)]
    for name in sorted(set(found[0]) | set(found[1])):
        if name in _NOT_COMPARED:
            continue
        values = [decode_attribute(attributes, name) if name in attributes else "absent" for attributes in found]
        if not _same(*map(np.asarray, values)) or type(values[0]) is not type(values[1]):
            yield Difference(path, f"attribute {name!r}", *map(_short, values))


def _links(left: Any, right: Any, path: str) -> Iterator[Difference]:
    found = [{link.name: link for link in session.tree.links(path)} for session in (left, right)]
    for name in sorted(set(found[0]) | set(found[1])):
        one, two = (links.get(name) for links in found)
        # Two copies may link to one place, or each to what lies beside it.
        if one != two and (one is None or two is None or _target(left, one) != _target(right, two)):
            yield Difference(path, f"link {name!r}", _described(one), _described(two))


def _target(session: Any, link: Link) -> tuple[str, str]:
    return "." if link.source == "." else str(resolve_source(session.url, link.source)), link.path


def _described(link: Link | None) -> str:
    return "absent" if link is None else f"{link.path} of {link.source}"


def _arrays(left: Any, right: Any, path: str) -> Iterator[Difference]:
    documents = [session.tree.documents[path] for session in (left, right)]
    for what in ("data_type", "shape"):
        if documents[0][what] != documents[1][what]:
            yield Difference(path, what, _short(documents[0][what]), _short(documents[1][what]))
            return
    shape, dtype = tuple(documents[0]["shape"]), left.tree.dtype(path)
    data = [session.dataset(path).data for session in (left, right)]
    for region in plan_regions(shape, shape, dtype.itemsize if dtype is not None else 8):
        values = [np.asarray(each[region] if shape else each) for each in data]
        if not _same(*values):
            yield Difference(path, f"values[{_place(values[0], values[1], region)}]", *map(_short, _first(*values)))
            return


def _same(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> bool:
    return left.shape == right.shape and left.dtype.kind == right.dtype.kind and bool(np.all(_equal(left, right)))


def _equal(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> Any:
    """Return where values are equal; two that are not a number count as such."""
    if left.dtype.names:
        columns = [_equal(left[name], right[name]) for name in left.dtype.names]
        return np.logical_and.reduce(columns)
    return (left == right) | ((left != left) & (right != right))  # noqa: PLR0124 - not a number


def _first(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    if not left.shape:
        return left[()], right[()]
    at = np.unravel_index(np.argmin(_equal(left, right)), left.shape)
    return left[at], right[at]


def _place(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any], region: tuple[slice, ...]) -> str:
    if not left.shape:
        return ""
    at = np.unravel_index(np.argmin(_equal(left, right)), left.shape)
    return ", ".join(str(int(index) + part.start) for index, part in zip(at, region, strict=True))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - the width of a terminal
