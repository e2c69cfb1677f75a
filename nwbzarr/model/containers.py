"""`Container` and `Data`: elements with a neurodata type, and fields after the schema.

A subclass that names a type of the schema gets that type's fields as descriptors; a class is written by hand only
where the type behaves. A type without a class is a plain `Container` (or `Data`) with its content by name.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from nwbzarr.convention.names import NAMESPACE, NEURODATA_TYPE, OBJECT_ID
from nwbzarr.errors import MissingFieldError, SchemaError
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.elements import Element
from nwbzarr.model.fields import Field, set_field
from nwbzarr.model.groups import Group
from nwbzarr.schema.core import CORE
from nwbzarr.schema.specs import FieldSpec, Kind


class Typed:
    """What containers of either kind share: fields by the schema, identity by attributes."""

    schema_type: ClassVar[str] = ""
    schema_fields: ClassVar[dict[str, FieldSpec]] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if cls.__name__ not in CORE.types:
            return
        cls.schema_type = cls.__name__
        cls.schema_fields = CORE.fields_of(cls.__name__)
        for name, spec in cls.schema_fields.items():
            if name not in cls.__dict__:
                field = Field(spec)
                setattr(cls, name, field)

    @property
    def fields(self) -> dict[str, Any]:
        """Values of the fields that are set, by name; collections only where something is in them."""
        values = {name: getattr(self, name) for name in self.schema_fields}
        kinds = {name: spec.kind for name, spec in self.schema_fields.items()}
        return {
            name: value
            for name, value in values.items()
            if value is not None and (kinds[name] is not Kind.COLLECTION or len(value))
        }

    def set_fields(self, values: dict[str, Any]) -> None:
        """Set fields of a new container, then the defaults of those that were not given.

        Parameters
        ----------
        values : dict
            Field name to value; None counts as not given.

        Raises
        ------
        MissingFieldError
            When a required field was not given.
        SchemaError
            When a value is not what the schema allows, or no field has that name.
        """
        specs = self.schema_fields
        unknown = next((name for name in values if name not in specs), None)
        if unknown is not None:
            message = f"{self.schema_type} has no field {unknown!r}; it has {', '.join(specs)}"
            raise SchemaError(message)
        missing = [name for name, spec in specs.items() if spec.required and values.get(name) is None]
        if missing:
            message = f"{self.schema_type} needs {', '.join(missing)}, but got no value: give one by name"
            raise MissingFieldError(message)
        # Datasets come before the attributes that they carry.
        for spec in sorted(specs.values(), key=lambda spec: spec.kind is Kind.ATTRIBUTE):
            value = values.get(spec.name)
            carrier = self._carrier(spec)
            if carrier is not None and not self._owns(carrier):
                # A link carries its target's attributes.
                continue
            set_field(self, spec, spec.default if value is None and carrier is not None else value)

    def _carrier(self, spec: FieldSpec) -> Element | None:
        """Return what carries an attribute field, or None for other fields and where it is missing."""
        if spec.kind is not Kind.ATTRIBUTE:
            return None
        found = self.find(spec.path) if spec.path and isinstance(self, Group) else self
        return found if isinstance(found, Element) else None

    def _owns(self, element: Element) -> bool:
        """Whether an element is this container or below it, and no link."""
        owner: object = self
        found: Element | None = element
        while found is not None and found is not owner:
            found = found.parent
        return found is not None


def new_identity(schema_type: str) -> dict[str, str]:
    """Return the attributes that name a new container of a type."""
    return {
        NEURODATA_TYPE: schema_type,
        NAMESPACE: CORE.types[schema_type].namespace,
        OBJECT_ID: str(uuid.uuid4()),
    }


class Container(Typed, Group):
    """A group with a neurodata type.

    Read from a store, it may be of any type: `attributes`, `datasets` and `children` hold its content by name.

    Parameters
    ----------
    name : str
        Name in the group that it will belong to.
    **fields
        Fields of the type, by PyNWB's names.
    """

    def __init__(self, name: str, **fields: Any) -> None:
        super().__init__(name, new_identity(self.schema_type))
        self.set_fields(fields)


class Data(Typed, Dataset):
    """A dataset with a neurodata type.

    Parameters
    ----------
    name : str
        Name in the group that it will belong to.
    data : array_like or scalar
        Its value.
    **fields
        Fields of the type, by PyNWB's names.
    """

    def __init__(self, name: str, data: Any, **fields: Any) -> None:
        super().__init__(name, data, new_identity(self.schema_type))
        self.set_fields(fields)


class NWBContainer(Container):
    """Base of NWB's groups with a type."""


class NWBDataInterface(NWBContainer):
    """Base of NWB's groups that hold data."""


class LabMetaData(NWBContainer):
    """Base of extensions that add metadata of a lab."""


class NWBData(Data):
    """Base of NWB's datasets with a type."""
