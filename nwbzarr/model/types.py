"""Which class a stored node becomes: one table, and the two plain containers for everything without a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nwbzarr.convention.names import NEURODATA_TYPE
from nwbzarr.model.base import Device, ProcessingModule, ScratchData, Subject, TimeSeries
from nwbzarr.model.containers import Container, Data, LabMetaData, NWBContainer, NWBData, NWBDataInterface
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.groups import Group
from nwbzarr.model.nwbfile import NWBFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nwbzarr.model.elements import Element

CLASSES: dict[str, type[Element]] = {
    cls.__name__: cls
    for cls in (
        Device,
        LabMetaData,
        NWBContainer,
        NWBData,
        NWBDataInterface,
        NWBFile,
        ProcessingModule,
        ScratchData,
        Subject,
        TimeSeries,
    )
}


def class_of(attributes: Mapping[str, Any], *, is_array: bool) -> type[Element]:
    """Return the class for a node with these attributes."""
    neurodata_type = attributes.get(NEURODATA_TYPE)
    if neurodata_type is None:
        return Dataset if is_array else Group
    plain: type[Element] = Data if is_array else Container
    found = CLASSES.get(neurodata_type, plain)
    # A group under the name of a dataset type, or the other way round, is kept as what it is.
    return found if issubclass(found, plain) else plain
