"""Every neurodata type, made from the schema's own facts: written, read, and equal; read, written again, and the same.

The strategies are in `tests.strategies`. What is compared is all that a session holds: every member of every group, every
attribute, every field by its name in Python, with dtypes; containers that are only named, by path and object id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import nwbzarr
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.elements import Element
from nwbzarr.model.groups import Group
from nwbzarr.schema.core import CORE
from tests.places import Place, place_of
from tests.strategies import sessions_with

if TYPE_CHECKING:
    from pathlib import Path

EVERY_TYPE = pytest.mark.parametrize("name", CORE.types)
COMMON: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "derandomize": True,
    "suppress_health_check": list(HealthCheck),
}


def differences(made: Any, read: Any, where: str = "") -> Iterator[str]:
    """Yield what differs between a value as it was given and as it was read."""
    if isinstance(made, Element):
        if not isinstance(read, Element) or identity(made) != identity(read):
            yield f"{where}: {identity(made)} became {identity(read) if isinstance(read, Element) else read!r}"
    elif isinstance(made, Mapping):
        if sorted(made) != sorted(read):
            yield f"{where}: the names {sorted(made)} became {sorted(read)}"
        for name in made.keys() & read.keys():
            yield from differences(made[name], read[name], f"{where}[{name!r}]")
    elif isinstance(made, str | date):
        same = type(made) is type(read) and made == read
        if not same or (isinstance(made, datetime) and made.utcoffset() != read.utcoffset()):
            yield f"{where}: {made!r} became {read!r}"
    elif _is_nested(made):
        yield from _item_differences(made, read, where)
    else:
        yield from _array_differences(made, read, where)


def _item_differences(made: Any, read: Any, where: str) -> Iterator[str]:
    items = read.tolist() if isinstance(read, np.ndarray | np.void) else list(read)
    if len(items) != len(made):
        yield f"{where}: {len(made)} items became {len(items)}"
    for index, (one, other) in enumerate(zip(made, items, strict=False)):
        yield from differences(one, other, f"{where}[{index}]")


def _is_nested(value: Any) -> bool:
    """Whether a value is compared item by item: rows of compounds, containers, texts."""
    if isinstance(value, list):
        return any(isinstance(item, Element | tuple | str | date) for item in value)
    return isinstance(value, tuple)


def identity(element: Element) -> tuple[str | None, str | None, str]:
    """Return what tells a container from all others."""
    return element.neurodata_type, element.object_id, element.path


def _array_differences(made: Any, read: Any, where: str) -> Iterator[str]:
    one, other = np.asarray(made), np.asarray(read)
    if isinstance(made, list) and not made:
        if other.size:
            yield f"{where}: nothing became {other.tolist()}"
        return
    if one.dtype.names is not None or one.dtype.kind in "OUT":
        if one.shape != other.shape:
            yield f"{where}: the shape {one.shape} became {other.shape}"
        else:
            yield from differences(one.ravel().tolist(), other.ravel().tolist(), where) if one.size else ()
        return
    if one.shape != other.shape or not _same_dtype(made, one, other):
        yield f"{where}: {one.dtype} of shape {one.shape} became {other.dtype} of shape {other.shape}"
    elif not np.array_equal(one, other.astype(one.dtype), equal_nan=one.dtype.kind == "f"):
        yield f"{where}: {one.tolist()} became {other.tolist()}"


def _same_dtype(given: Any, one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    """Whether the dtype is that of an array that was given; of a list only the kind, and nothing when it is empty."""
    if isinstance(given, list | tuple):
        return one.size == 0 or one.dtype.kind == other.dtype.kind or {one.dtype.kind, other.dtype.kind} == {"i", "u"}
    if isinstance(given, bool | int | float):
        return one.dtype.kind == other.dtype.kind or {one.dtype.kind, other.dtype.kind} == {"i", "u"}
    return bool(one.dtype == other.dtype)


def element_differences(made: Element, read: Any) -> Iterator[str]:
    """Yield what differs between a node of a session in memory and the same node as it was read, with all below it."""
    where = made.path
    if not isinstance(read, Element) or type(made).__name__ != type(read).__name__:
        yield f"{where}: {type(made).__name__} became {type(read).__name__}"
        return
    yield from differences(dict(made.attributes), dict(read.attributes), f"{where} attributes")
    if hasattr(made, "fields"):
        yield from differences(made.fields, read.fields, f"{where} fields")  # type: ignore[attr-defined]
    if isinstance(made, Dataset) and isinstance(read, Dataset):
        yield from differences(_values(made), _values(read), f"{where} data")
    if isinstance(made, Group) and isinstance(read, Group):
        yield from _member_differences(made, read)


def _values(dataset: Dataset) -> Any:
    """Return what a dataset holds, with containers in the place of references; dates as they are stored."""
    data = dataset.data
    if isinstance(data, list):
        return [item.isoformat() if isinstance(item, date) else item for item in data]
    if isinstance(data, date):
        return data.isoformat()
    return dataset.all_values() if dataset.shape else data


def _member_differences(made: Group, read: Group) -> Iterator[str]:
    if set(made) - {"specifications"} != set(read) - {"specifications"}:
        yield f"{made.path}: the members {sorted(made)} became {sorted(read)}"
        return
    for name in made:
        one, other = made.member(name), read.member(name)
        if one.parent is made:
            yield from element_differences(one, other)
        else:
            yield from differences(one, other, f"{made.path}/{name}")


def check(name: str, drawn: Any, request: pytest.FixtureRequest, folder: Path, *, validated: bool = False) -> None:
    """Write what was drawn to two kinds of places, read it, and write what was read; compare everything."""
    session, element = drawn
    with place_of("local", request, folder) as local, place_of("memory", request, folder) as memory:
        stored = {place.url: _written(place, session) for place in (local, memory)}
        assert stored[local.url] == stored[memory.url]
        for place in (local, memory):
            read = place.io("made.nwb.zarr", "r").read()
            check_holds(read, element, name)
            found = list(element_differences(session, read))
            assert not found, found
        check_rewriting(local, memory, stored[local.url])
        problems = nwbzarr.validate(f"{memory.url}/made.nwb.zarr") if validated else []
        assert not problems, problems


def _written(place: Place, session: Any) -> dict[str, bytes]:
    with place.io("made.nwb.zarr", "w") as io:
        io.write(session)
    return place.objects()


def check_holds(session: Any, element: Element, name: str) -> None:
    """See that an object of the type stands where it was put: that one, or a column of it."""
    found = session if element.path == "/" else session.find(element.path.lstrip("/"))
    inner = {found.member(name).neurodata_type for name in found} if isinstance(found, Group) else set()
    assert name in {found.neurodata_type, *inner}, found


def check_rewriting(local: Place, memory: Place, stored: dict[str, bytes]) -> None:
    """Export what is stored, and add nothing to it: the documents stay the same, byte by byte."""
    with memory.io("copy/made.nwb.zarr", "w") as io:
        io.export(local.io("made.nwb.zarr", "r"))
    copied = {key.removeprefix("copy/"): data for key, data in memory.objects().items() if key.startswith("copy/")}
    assert _documents(copied) == _documents(stored)
    with local.io("made.nwb.zarr", "r+") as io:
        assert io.write(io.read()).documents == 0
    assert local.objects() == stored


def _documents(objects: dict[str, bytes]) -> dict[str, bytes]:
    return {key: data for key, data in objects.items() if key.endswith("zarr.json")}


@EVERY_TYPE
def test_every_type_is_written_and_read_and_written_the_same(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    # The first example has everything that its type may have.
    @settings(max_examples=2, **COMMON)
    @given(sessions_with(name, eager=True))
    def law(drawn: Any) -> None:
        check(name, drawn, request, tmp_path)

    law()


@pytest.mark.slow
@EVERY_TYPE
def test_many_of_each_type(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    @settings(max_examples=3, **COMMON)
    @given(sessions_with(name))
    def law(drawn: Any) -> None:
        check(name, drawn, request, tmp_path, validated=True)

    law()
