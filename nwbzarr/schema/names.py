"""PyNWB's names: what it calls fields, in which order constructors take them, what its methods are called.

The names are facts of PyNWB 4.2's interface, compiled into ``tables/pynwb.json`` by `nwbzarr.interop.schema`:

``fields``
    Type → path in the spec → name, where it is not the words of the path joined by ``__``.
``signatures``
    Type → names of the constructor's arguments in order; those that may be left out end in ``?``.
``collections``
    Type → field → names of the methods that add, get and create.

Types of extensions have no row and follow the rule.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


@cache
def pynwb_names() -> dict[str, Any]:
    """Return the table."""
    text = (files("nwbzarr.schema") / "tables" / "pynwb.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def field_name(lineage: Iterable[str], place: str) -> str:
    """Return the name of a field.

    Parameters
    ----------
    lineage : iterable of str
        The type and its bases, the type first.
    place : str
        Path of the field in the spec.
    """
    renamed = pynwb_names()["fields"]
    for name in lineage:
        found = renamed.get(name, {}).get(place)
        if found is not None:
            return str(found)
    return "__".join(map(_as_word, place.split("/")))


def _as_word(part: str) -> str:
    """Return a part of a place as a word; the name of a type stands for its objects, as in PyNWB: LabLamp, lab_lamps."""
    if not part[:1].isupper():
        return part
    word = re.sub("([a-z0-9])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", part)).lower()
    return word if word[-1] in "sd" else f"{word}s"


def signature_of(name: str) -> tuple[str, ...] | None:
    """Return the arguments of a type's constructor as the table has them, or None for a type without a row."""
    found = pynwb_names()["signatures"].get(name)
    return None if found is None else tuple(found.split())


def collections_of(lineage: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the methods of a type's collections: field to the names under ``add``, ``get``, ``create``."""
    table = pynwb_names()["collections"]
    found: dict[str, dict[str, str]] = {}
    for name in lineage:
        found = {**table.get(name, {}), **found}
    return found
