"""The stub of `nwbzarr.model.neurodata`, for editors and type checkers: ``python -m nwbzarr.model.stubs``.

Written from the compiled tables: a class for each type, with the signature of its constructor, its fields, and PyNWB's
methods of its collections. A test fails when the stub is not what this module writes.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING

from nwbzarr.model.fields import Field
from nwbzarr.model.types import HOME_OF, class_named
from nwbzarr.schema.core import CORE
from nwbzarr.schema.fields import FieldSpec, Kind
from nwbzarr.schema.names import collections_of

if TYPE_CHECKING:
    from collections.abc import Iterator

STUB = Path(__file__).with_name("neurodata.pyi")

_HEAD = """# Written by `python -m nwbzarr.model.stubs`; do not edit.

from datetime import date, datetime, timedelta
from typing import Any

from nwbzarr.model.collections import Collection
from nwbzarr.model.elements import ArrayData
"""

#: What the collections of a session hold in most sessions, so that editors know what an item offers.
_ITEMS = {"acquisition": "TimeSeries", "stimulus": "TimeSeries", "stimulus_template": "TimeSeries"}


def write_stub() -> str:
    """Return the text of the stub."""
    imports = [
        f"from {home} import {name} as _{name}"
        for name, home in sorted(HOME_OF.items(), key=lambda entry: (entry[1], entry[0]))
    ]
    classes = [_class(name) for name in _ordered()]
    names = ", ".join(f'"{name}"' for name in sorted(CORE.names))
    return "\n".join([_HEAD.rstrip(), *imports, "", f"__all__ = [{names}]", "", *classes])


def _ordered() -> Iterator[str]:
    """Yield the types, each after its base."""
    seen: set[str] = set()
    for name in CORE.names:
        for spec in reversed(CORE.lineage(name)):
            if spec.name not in seen:
                seen.add(spec.name)
                yield spec.name


def _class(name: str) -> str:
    cls = class_named(name)
    spec = CORE.types[name]
    bases = [f"_{name}"] if name in HOME_OF else []
    if spec.base is not None:
        bases.append(spec.base)
    rows = [f"    {row}" for row in (*_fields(cls, name), *_constructor(cls), *_methods(name))]
    return "\n".join([f"class {name}({', '.join(bases)}):", *(rows or ["    ..."]), ""])


def _fields(cls: type, name: str) -> Iterator[str]:
    base = CORE.types[name].base
    inherited = CORE.fields_of(base) if base else {}
    for word, field in CORE.fields_of(name).items():
        if isinstance(cls.__dict__.get(word), Field) and (inherited.get(word) != field or word not in inherited):
            yield f"{word}: {_kind(field)}"


def _kind(field: FieldSpec) -> str:
    """Return the type of a field when it is read."""
    if field.kind is Kind.COLLECTION:
        item = _ITEMS.get(field.name) or (field.types[0] if len(field.types) == 1 else "Any")
        return f"Collection[{item}]"
    if field.types:
        text = " | ".join(field.types)
    elif field.shapes and field.dtype == "text":
        text = "Any" if field.name == "data" else "tuple[Any, ...]"
    elif field.shapes:
        text = "ArrayData" if field.kind is Kind.DATASET and field.dtype != "isodatetime" else "Any"
    else:
        text = _SCALARS.get(field.dtype if isinstance(field.dtype, str) else "", "Any")
    # A container or array that is not there is None; sessions are made of what may be there, so types leave that out.
    plain = bool(field.types or (field.shapes and field.kind is Kind.DATASET))
    always = (
        plain
        or field.required
        or (field.kind is Kind.ATTRIBUTE and (field.default is not None or field.name in _CARRIED))
    )
    return text if always or text == "Any" else f"{text} | None"


#: Attributes of a series' data that are there whenever the data is, whatever a subtype says of their defaults.
_CARRIED = ("conversion", "offset", "resolution")

_SCALARS = {
    "text": "str",
    "bool": "bool",
    "isodatetime": "datetime",
    **{f"float{bits}": "float" for bits in ("", 32, 64)},
    **{f"{sign}int{bits}": "int" for sign in ("", "u") for bits in ("", 8, 16, 32, 64)},
}


def _constructor(cls: type) -> Iterator[str]:
    parameters: list[str] = []
    later = False
    for parameter in cls.schema_signature.parameters.values():  # type: ignore[attr-defined]
        kind = parameter.annotation
        # What may follow from other arguments need not be given, though the schema asks for it.
        needed = parameter.default is inspect.Parameter.empty
        later = later or (needed and parameter.name in cls.following)  # type: ignore[attr-defined]
        if needed and not later:
            parameters.append(f"{parameter.name}: {kind}")
            continue
        kind = kind if kind == "Any" or kind.endswith("| None") or parameter.default is not None else f"{kind} | None"
        parameters.append(f"{parameter.name}: {kind} = ...")
    yield f"def __init__({', '.join(['self', *parameters])}) -> None: ..."


def _methods(name: str) -> Iterator[str]:
    fields = CORE.fields_of(name)
    for word, methods in collections_of([name]).items():
        kinds = fields[word].types if word in fields else ()
        item = kinds[0] if len(kinds) == 1 else "Any"
        cls = class_named(name)
        for role, method in methods.items():
            if getattr(getattr(cls, method, None), "__module__", "") != "nwbzarr.model.methods":
                continue
            arguments = {
                "add": "*containers: Any, **named: Any",
                "get": "name: str | None = None",
                "create": "*args: Any, **fields: Any",
            }[role]
            yield f"def {method}(self, {arguments}) -> {item}: ..."


def main() -> None:
    """Write the stub beside its module."""
    STUB.write_text(write_stub(), encoding="utf-8")


if __name__ == "__main__":
    main()
