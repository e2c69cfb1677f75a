"""Containers as HTML, for notebooks: nested, folded, and without reading arrays or following links."""

from __future__ import annotations

from html import escape
from typing import Any

from nwbzarr.errors import MissingExtraError
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.elements import Element, Pointer
from nwbzarr.model.groups import Group
from nwbzarr.model.table_reading import TableReading

_STYLE = "margin-left:1.2em;font-family:monospace"

#: Rows of a table that are shown.
_ROWS = 10

#: Longest text that is shown whole.
_TEXT_LIMIT = 120


def element_html(element: Element) -> str:
    """Return an element with all below it as nested HTML."""
    place = f" <small>{escape(element.stored_at.url.text)}</small>" if element.stored_at is not None else ""
    return f"<div><b>{escape(_title(element))}</b>{place}{_body(element)}</div>"


def _title(element: Element) -> str:
    kind = element.neurodata_type or ("Dataset" if isinstance(element, Dataset) else "Group")
    return f"{element.name} ({kind})"


def _body(element: Element) -> str:
    rows = [f"{escape(name)}: {escape(_short(value))}" for name, value in _plain_attributes(element)]
    if isinstance(element, Dataset):
        rows.append(escape(_describe_data(element)))
    parts = [f"<div style='{_STYLE}'>{row}</div>" for row in rows]
    if isinstance(element, TableReading):
        return "".join([*parts, _table(element)])
    if isinstance(element, Group):
        parts += [_member(element, name) for name in element.member_names()]
    return "".join(parts)


def _table(table: TableReading) -> str:
    """Return the first rows of a table; a table that is linked, or too long to look at, is described."""
    rows = f"<div style='{_STYLE}'>{len(table)} rows of {escape(', '.join(table.colnames) or 'no columns')}</div>"
    try:
        frame = table.select_rows(slice(0, _ROWS), index=True)
    except MissingExtraError:
        return rows
    named = frame.map(lambda cell: f"{cell.neurodata_type} {cell.name}" if isinstance(cell, Element) else _short(cell))
    return f"{rows}<div style='{_STYLE}'>{named.to_html(border=0)}</div>"


def _member(group: Group, name: str) -> str:
    member = group.raw_member(name)
    if isinstance(member, Pointer):
        return f"<div style='{_STYLE}'>{escape(name)}: {escape(member.describe())}</div>"
    if member is None:
        return ""
    if isinstance(member, Dataset) and member.neurodata_type is None:
        return f"<div style='{_STYLE}'>{escape(name)}: {escape(_describe_data(member))}</div>"
    return f"<details style='{_STYLE}'><summary>{escape(_title(member))}</summary>{_body(member)}</details>"


def _describe_data(dataset: Dataset) -> str:
    data = dataset.data
    if not dataset.shape:
        return _short(data)
    unit = dataset.attributes.get("unit")
    chunks = getattr(data, "chunks", None)
    parts = [f"{getattr(data, 'dtype', type(data).__name__)} {dataset.shape}", f"chunks {chunks}" if chunks else ""]
    return ", ".join([*filter(None, parts), *([str(unit)] if unit else [])])


def _plain_attributes(element: Element) -> list[tuple[str, Any]]:
    """Return attributes that are worth a line; references are not resolved for it."""
    stored = {**element.stored_attributes, **element.new_attributes}
    hidden = {"neurodata_type", "namespace", "object_id"}
    return [(name, value) for name, value in stored.items() if name not in hidden and name[:1] not in "_."]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _TEXT_LIMIT else f"{text[: _TEXT_LIMIT - 1]}…"
