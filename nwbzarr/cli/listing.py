"""What a session holds, as a tree of lines and as JSON. Links are named, never followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nwbzarr.model.datasets import Dataset
from nwbzarr.model.elements import Element, Pointer
from nwbzarr.model.groups import Group

if TYPE_CHECKING:
    from nwbzarr.model.neurodata import NWBFile


def describe(element: Element) -> dict[str, Any]:
    """Return an element and all below it as JSON."""
    found: dict[str, Any] = {"name": element.name, "type": element.neurodata_type}
    if isinstance(element, Dataset):
        return {**found, "dtype": _dtype(element), "shape": list(element.shape)}
    members = [_describe_member(element, name) for name in element] if isinstance(element, Group) else []
    return {**found, "members": members}


def draw(nwbfile: NWBFile) -> str:
    """Return a session as indented lines."""
    place = nwbfile.stored_at.url.text if nwbfile.stored_at is not None else "(not stored)"
    return "\n".join([f"{place}  {nwbfile.identifier}: {nwbfile.session_description}", *_lines(nwbfile, "  ")])


def _lines(group: Group, indent: str) -> list[str]:
    lines: list[str] = []
    for name in group:
        member = _describe_member(group, name)
        if "link" in member:
            lines.append(f"{indent}{name}  {member['link']}")
        elif "shape" in member:
            lines.append(f"{indent}{name}  {member['dtype']} {tuple(member['shape'])}")
        else:
            lines.append(f"{indent}{name}/  {member['type'] or ''}".rstrip())
            inner = group.raw_member(name)
            lines += _lines(inner, f"{indent}  ") if isinstance(inner, Group) else []
    return lines


def _describe_member(group: Group, name: str) -> dict[str, Any]:
    """Return one member; a link by its target."""
    member = group.raw_member(name)
    if isinstance(member, Pointer):
        return {"name": name, "link": member.describe()}
    return {"name": name} if member is None else describe(member)


def _dtype(dataset: Dataset) -> str:
    dtype = getattr(dataset.data, "dtype", None)
    if dtype is None:
        return type(dataset.data).__name__
    return "str" if dtype.kind in "OUT" else str(dtype)
