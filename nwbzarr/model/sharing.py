"""Datasets that series share: one holds them, the others link to it, and a link keeps its target's attributes."""

from __future__ import annotations

from typing import Any

from nwbzarr.errors import SchemaError
from nwbzarr.model.data_io import ZarrDataIO
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.elements import Element
from nwbzarr.model.groups import Group


def shared_dataset(value: Any, field: str) -> Any:
    """Return the dataset to link when the value is another series or its lazy array, else the value itself."""
    if isinstance(value, Group):
        dataset = value.find(field)
        if dataset is None:
            message = (
                f"TimeSeries {value.name!r} cannot share its {field}: it has none; "
                "give rate and starting_time instead of the series"
            )
            raise SchemaError(message)
        return dataset
    if isinstance(value, ZarrDataIO):
        return _laid_out(value, field)
    dataset = getattr(value, "dataset", None)
    return dataset if isinstance(dataset, Element) else value


def _laid_out(value: ZarrDataIO, field: str) -> Any:
    """Return the dataset to link, or the data with its layout."""
    inner = shared_dataset(value.data, field) if value.link_data else value.data
    if not isinstance(inner, Dataset):
        return value
    if value.wish.given:
        message = f"a linked dataset keeps its target's layout: give link_data=False to copy {field} into another one"
        raise SchemaError(message)
    return inner


def carried_by_link(name: str, dataset: Dataset, given: dict[str, Any]) -> dict[str, Any]:
    """Return what may still be set: nothing that a linked dataset says already.

    A link carries the attributes of its target. To take another unit silently for the caller's would be wrong data.
    """
    for field, value in given.items():
        stored = dataset.attributes.get(field)
        if value is not None and value != stored:
            message = (
                f"TimeSeries {name!r} links the data of another series, whose {field} is {stored!r}, but {field}="
                f"{value!r} came: a link keeps its target's {field}; leave it out, or copy the data with "
                "ZarrDataIO(data, link_data=False)"
            )
            raise SchemaError(message)
    return {"unit": dataset.attributes.get("unit")}
