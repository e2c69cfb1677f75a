"""Versions of namespaces, compared as versions: 2.11.0 is later than 2.9.0.

This room refuses to order them as text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PARTS = re.compile(r"\d+|[A-Za-z]+")


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts versions; a pre-release (``2.9.0-alpha``) comes before its release."""
    parts = tuple((1, int(part), "") if part.isdigit() else (-1, 0, part.lower()) for part in _PARTS.findall(version))
    return (*parts, (0, 0, ""))


def latest_version(versions: Iterable[str]) -> str | None:
    """Return the latest of some versions, or None when there are none."""
    return max(versions, key=version_key, default=None)
