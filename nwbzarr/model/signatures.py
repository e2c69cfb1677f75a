"""Constructors: which arguments a type takes, in PyNWB's order, and what binds a call to them.

Types that PyNWB has follow its table of signatures; types of extensions take the arguments of their base, then their
own fields, required ones first.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from nwbzarr.errors import FieldTypeError, MissingFieldError
from nwbzarr.schema.fields import FieldSpec, Kind
from nwbzarr.schema.names import signature_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nwbzarr.schema.registry import Registry

#: Names of objects whose type has one place in a session, where PyNWB takes no name.
FIXED_NAMES = {
    "ElectrodesTable": "electrodes",
    "FrequencyBandsTable": "bands",
    "HERD": "external_resources",
    "IntracellularElectrodesTable": "electrodes",
    "IntracellularResponsesTable": "responses",
    "IntracellularStimuliTable": "stimuli",
    "NWBFile": "root",
    "Subject": "subject",
}

#: Names of objects that were given none, where the schema does not say.
DEFAULT_NAMES = {"CSRMatrix": "csr_matrix", "SweepTable": "sweep_table", "ImageReferences": "order_of_images"}

#: Types whose objects take their name from what they belong to.
NAMED_LATER = frozenset({"MeaningsTable", "PlaneSegmentation"})

#: Values of arguments that the schema asks for and PyNWB does not.
DEFAULTS = {"stimulus_description": "N/A"}

_POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD


def plan_signature(registry: Registry, name: str) -> inspect.Signature:
    """Return the signature of a type's constructor."""
    fields = registry.fields_of(name)
    entries = _entries(registry, name, fields)
    named = default_name(registry, name)
    parameters = []
    for entry in entries:
        word = entry.rstrip("?")
        optional = entry.endswith("?")
        field = fields.get(word)
        default: Any = inspect.Parameter.empty
        if word == "name":
            spare = inspect.Parameter.empty if not optional else None if name in NAMED_LATER else name
            default = named if named is not None else spare
        elif optional:
            # A default of the schema for a dataset says what its absence means: it is not written.
            default = field.default if field is not None and field.kind is Kind.ATTRIBUTE else None
            default = DEFAULTS.get(word) if default is None else default
        parameters.append(inspect.Parameter(word, _POSITIONAL, default=default, annotation=annotate(word, field)))
    return inspect.Signature(_required_first(parameters))


def _required_first(parameters: list[inspect.Parameter]) -> list[inspect.Parameter]:
    """Return the parameters in an order that Python allows; those in the table are in it already."""
    return sorted(parameters, key=lambda parameter: parameter.default is not inspect.Parameter.empty)


def default_name(registry: Registry, name: str) -> str | None:
    """Return the name of an object of a type that was given none, or None when it needs one."""
    spec = registry.resolved(name)
    for found in registry.lineage(name):
        if found.name in FIXED_NAMES:
            return FIXED_NAMES[found.name]
    return spec.name or spec.default_name or DEFAULT_NAMES.get(name)


def _entries(registry: Registry, name: str, fields: Mapping[str, FieldSpec]) -> list[str]:
    """Return the arguments as the table of signatures writes them."""
    lineage = registry.lineage(name)
    known = signature_of(name) if lineage[0].namespace in ("core", "hdmf-common", "hdmf-experimental") else None
    if known is not None:
        return list(known)
    base = lineage[1].name if len(lineage) > 1 else None
    entries = _entries(registry, base, registry.fields_of(base)) if base else ["name"]
    if registry.resolved(name).name is not None:
        entries = [entry for entry in entries if entry.rstrip("?") != "name"]
    taken = {entry.rstrip("?") for entry in entries}
    is_table = any(spec.name == "DynamicTable" for spec in lineage)
    old = registry.home(base).fields_of(base) if base else {}
    own = [field for field in fields.values() if field.name not in taken and field.name not in old and not field.fixed]
    if is_table:
        own = [field for field in own if "VectorData" not in _bases(registry, field)]
    said = {entry.rstrip("?"): entry for entry in entries}
    for field in fields.values():
        # A value that the schema of a subtype fixes, or gives a default, is not asked for.
        if field.name in said and field.default is not None:
            said[field.name] = f"{field.name}?"
    entries = [said[entry.rstrip("?")] for entry in entries]
    needed = [field.name for field in own if field.required]
    return [*entries, *needed, *(f"{field.name}?" for field in own if not field.required)]


def _bases(registry: Registry, field: FieldSpec) -> set[str]:
    return {spec.name for wanted in field.types for spec in registry.lineage(wanted)}


def annotate(word: str, field: FieldSpec | None) -> str:
    """Return the type annotation of a constructor's argument, as text."""
    if word == "name":
        return "str"
    if word in _WIDER:
        return _WIDER[word]
    if field is None or word == "id" or field.shapes or isinstance(field.dtype, tuple):
        return "Any"
    if field.kind is Kind.COLLECTION or (field.kind is Kind.CONTAINER and field.types == ("Data",)):
        return "Any"
    if field.kind in (Kind.CONTAINER, Kind.LINK):
        text = " | ".join(field.types)
    else:
        text = _ANNOTATIONS.get(field.dtype if isinstance(field.dtype, str) else "", "Any")
    return text if field.required or text == "Any" else f"{text} | None"


#: Arguments that take more than they store.
_WIDER = {
    "age": "str | timedelta | None",
    "date_of_birth": "date | datetime | None",
    "weight": "str | float | None",
}

_ANNOTATIONS = {
    "text": "str",
    "ascii": "str",
    "bool": "bool",
    "isodatetime": "datetime",
    "numeric": "float",
    **{f"float{bits}": "float" for bits in ("", 16, 32, 64)},
    **{f"{sign}int{bits}": "int" for sign in ("", "u") for bits in ("", 8, 16, 32, 64)},
}


def bind_arguments(
    signature: inspect.Signature,
    owner: str,
    args: tuple[Any, ...],
    given: Mapping[str, Any],
    follow: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Return the arguments of a call by name, with defaults.

    Parameters
    ----------
    follow : frozenset of str
        Required arguments that may follow from others: whether they do is seen when they are set.

    Raises
    ------
    MissingFieldError
        When a required argument is missing or None.
    FieldTypeError
        For an argument that the type does not take, or that came twice.
    """
    try:
        bound = signature.bind_partial(*args, **given)
    except TypeError as error:
        message = f"{owner}({', '.join(signature.parameters)}): {error}"
        raise FieldTypeError(message) from error
    missing = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.default is inspect.Parameter.empty and name not in follow and bound.arguments.get(name) is None
    ]
    if missing:
        message = f"{owner} needs {', '.join(missing)}, but got no value: give one by name"
        raise MissingFieldError(message)
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if value is not inspect.Parameter.empty}
