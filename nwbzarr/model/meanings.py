"""`MeaningsTable`: what the values of a column mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nwbzarr.model.elements import Element
from nwbzarr.model.tables import DynamicTable

if TYPE_CHECKING:
    from nwbzarr.model.columns import VectorData


class MeaningsTable(DynamicTable):
    """What the values of a column mean.

    Parameters
    ----------
    target : VectorData
        The column.
    description : str, optional
        What the meanings are of.
    """

    target: VectorData

    def construct(self, values: dict[str, Any]) -> None:
        """Make this table a new one, named after the column."""
        target = values.get("target")
        if isinstance(target, Element):
            values["name"] = f"{target.name}_meanings"
            values["description"] = values.get("description") or f"Meanings of the values of '{target.name}'"
        super().construct(values)
