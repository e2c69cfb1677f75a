"""`Container` and `Data`: elements with a neurodata type, and fields after the schema.

A class gets the fields and the signature of its type from the schema; it is written by hand only where the type
behaves, and then it says what it does with the arguments (`prepare`) and what must hold in the end (`check`). Other
types get their classes from `nwbzarr.model.types`.
"""

from __future__ import annotations

import inspect
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nwbzarr.convention.names import NAMESPACE, NEURODATA_TYPE, OBJECT_ID
from nwbzarr.errors import MissingFieldError, SchemaError
from nwbzarr.model.collections import Collection
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.fields import Field, carrier_of, set_field
from nwbzarr.model.groups import Group
from nwbzarr.model.methods import install_methods
from nwbzarr.model.signatures import FIXED_NAMES, bind_arguments, plan_signature
from nwbzarr.model.values import NUMERIC, as_dtype
from nwbzarr.schema.core import CORE
from nwbzarr.schema.fields import FieldSpec, Kind, groups_of
from nwbzarr.schema.language import standard_dtype
from nwbzarr.schema.specs import DatasetSpec

if TYPE_CHECKING:
    from nwbzarr.model.elements import Element
    from nwbzarr.schema.registry import Registry


class Typed:
    """What containers of either kind share: fields by the schema, identity by attributes."""

    schema_registry: ClassVar[Registry] = CORE
    schema_type: ClassVar[str] = ""
    schema_fields: ClassVar[dict[str, FieldSpec]] = {}
    schema_signature: ClassVar[inspect.Signature] = inspect.Signature()
    #: Required arguments that may follow from others.
    following: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, registry: Registry | None = None, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if registry is not None:
            cls.schema_registry = registry
        elif cls.__name__ not in CORE.types or cls.schema_registry is not CORE:
            return
        cls.schema_type = cls.__name__
        cls.schema_fields = cls.schema_registry.fields_of(cls.__name__)
        cls.schema_signature = plan_signature(cls.schema_registry, cls.__name__)
        if "__init__" not in cls.__dict__:
            cls.__signature__ = cls.schema_signature  # type: ignore[attr-defined]
        inherited = {
            name for base in cls.__mro__[1:] for name in base.__dict__ if not isinstance(base.__dict__[name], Field)
        }
        for name, spec in cls.schema_fields.items():
            if name not in cls.__dict__ and name not in inherited and name.isidentifier():
                setattr(cls, name, Field(spec))
        install_methods(cls)

    def __init__(self, *args: Any, **fields: Any) -> None:
        self.construct(bind_arguments(self.schema_signature, self.schema_type, args, fields, self.following))

    if TYPE_CHECKING:

        def construct(self, values: dict[str, Any]) -> None:
            """Make this object a new one with these values of its fields; groups and datasets differ in it."""

    def prepare(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what to set, from the arguments of the constructor; a subclass may change or take some."""
        return values

    def check(self) -> None:
        """Raise when fields that were set do not fit each other; a subclass knows."""

    def check_whole(self) -> None:
        """Raise when what has grown since does not fit together; looked at before this is written."""

    @property
    def fields(self) -> dict[str, Any]:
        """Values of the fields that are set, by name; collections only where something is in them."""
        values = {name: self._field_value(name, spec) for name, spec in self.schema_fields.items()}
        return {
            name: value
            for name, value in values.items()
            if value is not None and (not isinstance(value, Collection) or len(value))
        }

    def _field_value(self, name: str, spec: FieldSpec) -> Any:
        """Return the value of a field; its name may mean something else on the class, as ``keys`` on a mapping."""
        known = getattr(type(self), name, None)
        return getattr(self, name) if isinstance(known, Field | property) else Field(spec).__get__(self)

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
        # Datasets come before the attributes that they carry.
        for spec in sorted(specs.values(), key=lambda spec: spec.kind is Kind.ATTRIBUTE):
            self._set_new(spec, values.get(spec.name))
        missing = [name for name, spec in specs.items() if spec.required and self._is_missing(spec)]
        if missing:
            message = f"{self.schema_type} needs {', '.join(missing)}, but got no value: give one by name"
            raise MissingFieldError(message)

    def _set_new(self, spec: FieldSpec, value: Any) -> None:
        if spec.kind is Kind.DATASET and value is None and spec.fixed and spec.quantity.least:
            value = spec.default
        if spec.kind is not Kind.ATTRIBUTE:
            set_field(self, spec, value)
            return
        carrier = carrier_of(self, spec)  # type: ignore[arg-type]
        if carrier is None:
            # A default says nothing about a dataset that is not there.
            if value is not None and not np.array_equal(value, spec.default):
                set_field(self, spec, value)
            return
        if not self._owns(carrier):
            # A link carries its target's attributes.
            return
        if value is None and spec.default is not None and spec.attribute not in carrier.attributes:
            value = spec.default
        set_field(self, spec, value)

    def _is_missing(self, spec: FieldSpec) -> bool:
        if spec.kind is Kind.COLLECTION or (spec.kind is Kind.ATTRIBUTE and spec.path):
            # Collections are filled later; `check_complete` looks when the session is written.
            carrier = None if spec.kind is Kind.COLLECTION else carrier_of(self, spec)  # type: ignore[arg-type]
            return carrier is not None and self._owns(carrier) and spec.attribute not in carrier.attributes
        return getattr(self, spec.name, None) is None

    def _owns(self, element: Element) -> bool:
        """Whether an element is this container or below it, and no link."""
        owner: object = self
        found: Element | None = element
        while found is not None and found is not owner:
            found = found.parent
        return found is not None


def new_identity(cls: type[Typed]) -> dict[str, str]:
    """Return the attributes that name a new container of a class's type."""
    return {
        NEURODATA_TYPE: cls.schema_type,
        NAMESPACE: cls.schema_registry.types[cls.schema_type].namespace,
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

    def construct(self, values: dict[str, Any]) -> None:
        """Make this object a new one with these values of its fields."""
        name = values.pop("name", None) or FIXED_NAMES.get(self.schema_type) or self._only_name()
        Group.__init__(self, name, new_identity(type(self)))
        self.set_fields(self.prepare(values))
        for path in groups_of(self.schema_registry, self.schema_type):
            self.require_group(path)
        self.check()

    def _only_name(self) -> Any:
        return self.schema_registry.resolved(self.schema_type).name


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

    def construct(self, values: dict[str, Any]) -> None:
        """Make this object a new one with these values of its fields."""
        name, data = values.pop("name", None), values.pop("data", None)
        Dataset.__init__(self, name, self.prepare_data(name, data), new_identity(type(self)))
        self.set_fields(self.prepare(values))
        self.check()

    #: What the type of the holder says of this dataset; None for what its own type says.
    rules: DatasetSpec | None = None

    def prepare_data(self, name: str, data: Any) -> Any:
        """Return the data to keep, checked against what the type allows."""
        from nwbzarr.model.data_rules import parse_data

        return parse_data(self.schema_registry.resolved(self.schema_type), data, f"{self.schema_type} {name!r}")

    def rules_of_data(self) -> DatasetSpec | None:
        """Return what the schema says of the data: what the holder's type says of it goes first."""
        if self.rules is not None:
            return self.rules
        spec = self.schema_registry.resolved(self.schema_type)
        return spec if isinstance(spec, DatasetSpec) else None

    def data_to_store(self) -> Any:
        """Return the data in the dtype that it is stored in: lists of numbers in that of the schema."""
        rules, data = self.rules_of_data(), self.data
        if rules is None or not isinstance(data, list) or not data or not isinstance(rules.dtype, str):
            return data
        dtype = standard_dtype(rules.dtype)
        return as_dtype(np.asarray(data), dtype, f"{self.schema_type} {self.name!r}") if dtype in NUMERIC else data


class NWBContainer(Container):
    """Base of NWB's groups with a type."""


class NWBDataInterface(NWBContainer):
    """Base of NWB's groups that hold data."""


class LabMetaData(NWBContainer):
    """Base of extensions that add metadata of a lab."""


class NWBData(Data):
    """Base of NWB's datasets with a type."""
