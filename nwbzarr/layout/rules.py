"""Wishes for layouts by path: a declarative table, pattern to wish. Pure.

::

    {"/acquisition/*/data": {"access": "channel", "compressors": "pcodec"},
     "/processing/**": {"shards": [600000, 384], "chunks": [10000, 96]}}

``*`` stands for one name or a part of it, ``**`` for any number of names. The first pattern that fits counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from nwbzarr.errors import LayoutError


@dataclass(frozen=True, slots=True)
class LayoutWish:
    """What somebody wants of an array's layout; None leaves it to the planner.

    Attributes
    ----------
    chunks, shards : sequence of int or None
        Shapes of the units of compression and of storage.
    compressors : str, sequence of mapping, or None
        A name of `nwbzarr.layout.codecs.NAMES`, or Zarr codecs after the serializer.
    role, access : str or None
        What it is for, and how it is read, as in `plan_layout`.
    """

    chunks: Sequence[int] | None = None
    shards: Sequence[int] | None = None
    compressors: Sequence[Mapping[str, Any]] | str | None = None
    role: str | None = None
    access: str | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What is wished for, by the names that `plan_layout` has."""
        named = {part.name: getattr(self, part.name) for part in fields(self)}
        return {name: value for name, value in named.items() if value is not None}


class LayoutRules:
    """Wishes by pattern.

    Parameters
    ----------
    table : mapping of str to LayoutWish or mapping
        Pattern of paths to what is wished for.

    Raises
    ------
    LayoutError
        When a pattern is no absolute path, or a wish has a word that is none of a layout's.
    """

    def __init__(self, table: Mapping[str, LayoutWish | Mapping[str, Any]] | None = None) -> None:
        self._rules = [(pattern, _expression(pattern), _wish(pattern, wish)) for pattern, wish in (table or {}).items()]
        self._used: set[str] = set()

    def find(self, path: str) -> LayoutWish:
        """Return what is wished for the array at a path (scalars are not asked for); nothing when no pattern fits."""
        for pattern, expression, wish in self._rules:
            if expression.fullmatch(path):
                self._used.add(pattern)
                return wish
        return LayoutWish()

    def check_used(self) -> None:
        """Raise `LayoutError` when a pattern fitted no array: it may be misspelt."""
        unused = [pattern for pattern, _, _ in self._rules if pattern not in self._used]
        if unused:
            message = (
                f"every pattern of layouts must fit an array that is written, but {', '.join(map(repr, unused))} fits "
                "none: see the paths with dry_run=True"
            )
            raise LayoutError(message)


def _expression(pattern: str) -> re.Pattern[str]:
    if not isinstance(pattern, str) or not pattern.startswith("/"):
        message = f"a pattern of layouts is an absolute path like '/acquisition/*/data', but {pattern!r} came"
        raise LayoutError(message)
    pieces = re.split(r"(/\*\*/|\*\*|\*)", pattern)
    words = {"/**/": "/(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return re.compile("".join(words.get(piece, re.escape(piece)) for piece in pieces), re.DOTALL)


def _wish(pattern: str, wish: LayoutWish | Mapping[str, Any]) -> LayoutWish:
    if isinstance(wish, LayoutWish):
        return wish
    known = [part.name for part in fields(LayoutWish)]
    unknown = [name for name in wish if name not in known] if isinstance(wish, Mapping) else [wish]
    if unknown:
        message = f"a layout of {pattern!r} may have {', '.join(known)}, but {unknown[0]!r} came"
        raise LayoutError(message)
    return LayoutWish(**wish)
