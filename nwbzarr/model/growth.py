"""Samples added at the end of a series: all of what belongs to them, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nwbzarr.errors import SchemaError
from nwbzarr.model.datasets import Dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nwbzarr.model.groups import Group


def append_samples(series: Group, given: Mapping[str, Any]) -> None:
    """Add samples at the end of a series' own datasets.

    Parameters
    ----------
    series : TimeSeries
        The series.
    given : mapping of str to array_like or None
        ``data``, and ``timestamps`` and ``control`` where the series has them.

    Raises
    ------
    SchemaError, FieldTypeError
        When something is missing, too much, or shared with another series, or does not fit; nothing is added then.
    """
    own = {name: _own_dataset(series, name) for name in given}
    blocks = {}
    for name, rows in given.items():
        dataset = own[name]
        if (rows is None) != (dataset is None):
            found = "it has none of its own" if dataset is None else "none came"
            message = f"samples appended to {series.name!r} need {name} just when the series has its own, but {found}"
            raise SchemaError(message)
        if dataset is not None:
            blocks[name] = dataset.parse_block(rows)
    lengths = {name: len(block) for name, block in blocks.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{count} of {name}" for name, count in lengths.items())
        message = f"samples appended to {series.name!r} must have as many rows in each dataset, but there are {told}"
        raise SchemaError(message)
    for name, block in blocks.items():
        dataset = own[name]
        if dataset is not None:
            dataset.append(block)


def _own_dataset(series: Group, name: str) -> Dataset | None:
    """Return the dataset that the series holds itself; None when it has none, or shares another's timestamps.

    Raises
    ------
    SchemaError
        When the samples are another series'.
    """
    member = series.raw_member(name)
    if isinstance(member, Dataset) and member.parent is series:
        return member
    if name == "data" and member is not None:
        message = f"the data of {series.name!r} is that of another series: append to that one"
        raise SchemaError(message)
    return None
