"""Which class a stored node becomes, and the classes of all types that none was written for by hand.

One table of the classes written by hand; every other type of a registry gets its class when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nwbzarr.convention.names import NAMESPACE, NEURODATA_TYPE
from nwbzarr.errors import NamespaceError
from nwbzarr.model.containers import Container, Data, Typed
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.groups import Group
from nwbzarr.schema.core import CORE
from nwbzarr.schema.documentation import describe_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nwbzarr.model.elements import Element, Loader
    from nwbzarr.schema.registry import Registry

#: Types whose classes are written by hand, by the module that holds them.
HOMES = {
    "nwbzarr.model.containers": ("Container", "Data", "LabMetaData", "NWBContainer", "NWBData", "NWBDataInterface"),
    "nwbzarr.model.base": (
        "Images",
        "ProcessingModule",
        "ScratchData",
        "SimpleMultiContainer",
        "Subject",
        "CSRMatrix",
        "HERD",
        "ImageSegmentation",
    ),
    "nwbzarr.model.series": (
        "AnnotationSeries",
        "DecompositionSeries",
        "ImageSeries",
        "IndexSeries",
        "IntervalSeries",
        "SpatialSeries",
        "TimeSeries",
    ),
    "nwbzarr.model.columns": ("ElementIdentifiers", "EnumData", "VectorData"),
    "nwbzarr.model.ragged": ("VectorIndex",),
    "nwbzarr.model.regions": ("DynamicTableRegion",),
    "nwbzarr.model.samples": ("TimeSeriesReferenceVectorData",),
    "nwbzarr.model.tables": ("DynamicTable",),
    "nwbzarr.model.meanings": ("MeaningsTable",),
    "nwbzarr.model.aligned": ("AlignedDynamicTable",),
    "nwbzarr.model.session_tables": (
        "ElectrodesTable",
        "EventsTable",
        "FrequencyBandsTable",
        "PlaneSegmentation",
        "TimeIntervals",
    ),
    "nwbzarr.model.units": ("Units",),
    "nwbzarr.model.icephys": (
        "ExperimentalConditionsTable",
        "IntracellularElectrodesTable",
        "IntracellularRecordingsTable",
        "IntracellularResponsesTable",
        "IntracellularStimuliTable",
        "RepetitionsTable",
        "SequentialRecordingsTable",
        "SimultaneousRecordingsTable",
        "SweepTable",
    ),
    "nwbzarr.model.herd": ("HERD",),
    "nwbzarr.model.nwbfile": ("NWBFile",),
}
HOME_OF = {name: home for home, names in HOMES.items() for name in names}

_made: dict[tuple[Registry, str], type[Any]] = {}


def class_named(name: str, registry: Registry = CORE) -> type[Any]:
    """Return the class of a neurodata type.

    Parameters
    ----------
    name : str
        The type.
    registry : Registry
        The types at hand; those of NWB core and hdmf-common by default.

    Raises
    ------
    NamespaceError
        When the registry has no such type.
    """
    home = registry.home(name)
    if home is CORE and name in HOME_OF:
        found: type[Any] = getattr(import_module(HOME_OF[name]), name)
        return found
    key = (home, name)
    if key not in _made:
        spec = home.types.get(name)
        if spec is None:
            message = f"there is no neurodata type {name!r} among {', '.join(sorted(home.namespaces))}"
            raise NamespaceError(message)
        base: Any = class_named(spec.base, home) if spec.base else (Data if spec.is_dataset else Container)
        content = {"__module__": "nwbzarr", "__doc__": describe_type(home, name)}
        _made[key] = type(base)(name, (base,), content, registry=home)
    return _made[key]


def class_of(attributes: Mapping[str, Any], *, is_array: bool, loader: Loader | None = None) -> type[Element]:
    """Return the class for a node with these attributes.

    Types of extensions come from the namespaces that the loader's store has cached; a type that nobody defines is a
    plain `Container` or `Data`.
    """
    name = attributes.get(NEURODATA_TYPE)
    if name is None:
        return Dataset if is_array else Group
    plain: type[Element] = Data if is_array else Container
    if not isinstance(name, str):
        return plain
    namespace = attributes.get(NAMESPACE)
    registry: Registry | None = CORE
    if namespace not in CORE.namespaces or name not in CORE.types:
        registry = None if loader is None else loader.registry(namespace)
    if registry is None or name not in registry.types:
        return plain
    found: type[Element] = class_named(name, registry)
    # A group under the name of a dataset type, or the other way round, is kept as what it is.
    return found if issubclass(found, plain) else plain


__all__ = ["HOME_OF", "Typed", "class_named", "class_of"]
