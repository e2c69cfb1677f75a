"""The schema language, read from JSON: `parse_namespace` narrows or raises.

Sentences (``doc``, ``title``, ``help``) are not kept. NWB schema language 2.1; hdmf calls ``neurodata_type_def``
``data_type_def``. `encoding` writes the same back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nwbzarr.errors import NamespaceError
from nwbzarr.schema.specs import (
    AttributeSpec,
    CompoundField,
    DatasetSpec,
    DType,
    GroupSpec,
    Include,
    LinkSpec,
    Namespace,
    Quantity,
    ReferenceTo,
    Source,
)

Json = dict[str, Any]

_QUANTITIES: dict[Any, Quantity] = {
    "*": Quantity(0, None),
    "+": Quantity(1, None),
    "?": Quantity(0, 1),
    "zero_or_many": Quantity(0, None),
    "one_or_many": Quantity(1, None),
    "zero_or_one": Quantity(0, 1),
}

#: Other names for the same dtype (NWB schema language, "dtype").
_DTYPE_WORDS = {
    "float": "float32",
    "double": "float64",
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "uint": "uint32",
    "utf": "text",
    "utf8": "text",
    "utf-8": "text",
    "bytes": "ascii",
    "datetime": "isodatetime",
}

#: All words for dtypes, after the table above.
DTYPES = frozenset(
    {"text", "ascii", "bool", "isodatetime", "numeric", "object", "region", "float16", "float32", "float64"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)


def standard_dtype(word: str) -> str:
    """Return the one name of a dtype that has several."""
    return _DTYPE_WORDS.get(word, word)


def parse_namespace(entry: Any, sources: Mapping[str, Any], where: str) -> Namespace:
    """Return a namespace from its entry and the files that it names.

    Parameters
    ----------
    entry : object
        One item of ``namespaces``.
    sources : mapping of str to object
        Parsed content of each source, by the name that the entry gives it.
    where : str
        Where it comes from, for messages.

    Raises
    ------
    NamespaceError
        When something is missing, of the wrong form, or defined twice.
    """
    entry = _mapping(entry, where)
    name = _text(entry, "name", where)
    where = f"{where}, namespace {name!r}"
    parts: list[Include | Source] = []
    for item in _list(entry, "schema", where):
        part = _mapping(item, where)
        if "namespace" in part:
            word = "data_types" if "data_types" in part else "neurodata_types"
            types = _list(part, word, where)
            if not all(isinstance(name, str) for name in types):
                raise _wrong(where, f"{word} must be a list of names, but {types!r} came")
            parts.append(Include(_text(part, "namespace", where), tuple(types)))
            continue
        source = _text(part, "source", where)
        if source not in sources:
            raise _wrong(where, f"the source {source!r} must be there, but is not: restore it")
        parts.append(_parse_source(source, sources[source], f"{where}, source {source!r}"))
    namespace = Namespace(
        name,
        _version(entry, where),
        tuple(parts),
        str(entry.get("full_name") or ""),
        _texts(entry.get("author")),
        _texts(entry.get("contact")),
    )
    _check_once(namespace, where)
    return namespace


def _version(entry: Json, where: str) -> str:
    """Return the version; YAML makes a number of one with a single dot."""
    value = entry.get("version")
    return (
        str(value) if isinstance(value, int | float) and not isinstance(value, bool) else _text(entry, "version", where)
    )


def _check_once(namespace: Namespace, where: str) -> None:
    names = [spec.type_def for source in namespace.sources for spec in source.types]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _wrong(where, f"the type {twice!r} must be defined once, but is defined twice: remove one")


def _parse_source(name: str, content: Any, where: str) -> Source:
    content = _mapping(content, where)
    datasets = [parse_dataset(item, where) for item in _list(content, "datasets", where)]
    groups = [parse_group(item, where) for item in _list(content, "groups", where)]
    specs: tuple[GroupSpec | DatasetSpec, ...] = (*datasets, *groups)
    if any(spec.type_def is None for spec in specs):
        raise _wrong(where, "every entry must define a neurodata type, but one does not")
    return Source(name, specs)


def parse_group(item: Any, where: str) -> GroupSpec:
    """Return a group's spec."""
    item = _mapping(item, where)
    where = _inside(item, where)
    _check_names(item, where)
    return GroupSpec(
        name=_optional(item, "name", where),
        default_name=_optional(item, "default_name", where),
        type_def=_type(item, "def", where),
        type_inc=_type(item, "inc", where),
        quantity=_quantity(item, where),
        attributes=tuple(_parse_attribute(found, where) for found in _list(item, "attributes", where)),
        datasets=tuple(parse_dataset(found, where) for found in _list(item, "datasets", where)),
        groups=tuple(parse_group(found, where) for found in _list(item, "groups", where)),
        links=tuple(_parse_link(found, where) for found in _list(item, "links", where)),
    )


def parse_dataset(item: Any, where: str) -> DatasetSpec:
    """Return a dataset's spec."""
    item = _mapping(item, where)
    where = _inside(item, where)
    _check_names(item, where)
    return DatasetSpec(
        name=_optional(item, "name", where),
        default_name=_optional(item, "default_name", where),
        type_def=_type(item, "def", where),
        type_inc=_type(item, "inc", where),
        dtype=_parse_dtype(item.get("dtype"), where),
        dims=_alternatives(item.get("dims"), str, where),
        shapes=_alternatives(item.get("shape"), _size, where),
        quantity=_quantity(item, where),
        attributes=tuple(_parse_attribute(found, where) for found in _list(item, "attributes", where)),
        default=_fitting(item, "default_value", where),
        value=_fitting(item, "value", where),
    )


def _check_names(item: Json, where: str) -> None:
    """Raise for a part that nothing names, and for two parts of one name."""
    if not any(_optional(item, word, where) for word in ("name", "neurodata_type_def", "data_type_def")) and (
        _type(item, "inc", where) is None
    ):
        raise _wrong(where, "a group or dataset must have a name or a type, but has neither")
    for words in (("attributes",), ("datasets", "groups", "links")):
        parts = [part for word in words for part in _list(item, word, where) if isinstance(part, dict)]
        names = [part["name"] for part in parts if isinstance(part.get("name"), str)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise _wrong(where, f"{twice!r} must be there once, but is there twice: remove one")


def _parse_attribute(item: Any, where: str) -> AttributeSpec:
    item = _mapping(item, where)
    where = _inside(item, where)
    return AttributeSpec(
        name=_text(item, "name", where),
        dtype=_parse_dtype(item.get("dtype"), where),
        dims=_alternatives(item.get("dims"), str, where),
        shapes=_alternatives(item.get("shape"), _size, where),
        required=_truth(item, "required", where),
        default=_fitting(item, "default_value", where),
        value=_fitting(item, "value", where),
    )


def _truth(item: Json, word: str, where: str) -> bool:
    value = item.get(word, True)
    if not isinstance(value, bool):
        raise _wrong(where, f"{word} must be true or false, but {value!r} came")
    return value


def _fitting(item: Json, word: str, where: str) -> Any:
    """Return a value or default that is of its own dtype."""
    value, dtype = item.get(word), item.get("dtype")
    if value is None or not isinstance(dtype, str):
        return value
    wanted: Any = str if standard_dtype(dtype) in ("text", "ascii", "isodatetime") else None
    wanted = bool if standard_dtype(dtype) == "bool" else wanted or (int, float)
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(part, wanted) and (wanted is bool or not isinstance(part, bool)) for part in items):
        raise _wrong(where, f"{word} must be of dtype {dtype}, but {value!r} came")
    return value


def _parse_link(item: Any, where: str) -> LinkSpec:
    item = _mapping(item, where)
    return LinkSpec(_text(item, "target_type", where), _optional(item, "name", where), _quantity(item, where))


def _parse_dtype(value: Any, where: str) -> DType:
    if value is None:
        return None
    if isinstance(value, list):
        fields = tuple(_parse_compound_field(part, where) for part in value)
        names = [field.name for field in fields]
        if not names or len(set(names)) < len(names):
            raise _wrong(where, f"a compound must have fields, none of them twice, but {names} came")
        return fields
    if isinstance(value, Mapping):
        return ReferenceTo(_text(_mapping(value, where), "target_type", where))
    if not isinstance(value, str) or standard_dtype(value) not in DTYPES:
        known = ", ".join(sorted(DTYPES))
        raise _wrong(where, f"dtype must be one of {known}, a reference or a compound, but {value!r} came")
    return value


def _parse_compound_field(part: Any, where: str) -> CompoundField:
    part = _mapping(part, where)
    dtype = _parse_dtype(part.get("dtype"), where)
    if dtype is None or isinstance(dtype, tuple):
        raise _wrong(where, f"a field of a compound must have a simple dtype, but {part.get('dtype')!r} came")
    return CompoundField(_text(part, "name", where), dtype)


def _alternatives(value: Any, parse: Any, where: str) -> tuple[tuple[Any, ...], ...]:
    """Return dims or shapes as a tuple of alternatives, whether one or several stand there."""
    if value is None:
        return ()
    if not isinstance(value, list):
        # The language allows one name or size without a list around it.
        value = [value]
    nested = [part for part in value if isinstance(part, list)]
    if nested and len(nested) != len(value):
        raise _wrong(where, f"dims and shape must be one list or a list of lists, but {value!r} came")
    if not value:
        return ()
    if [] in nested:
        raise _wrong(where, f"dims and shape must not be empty lists among others, but {value!r} came")
    try:
        return tuple(tuple(parse(item) for item in part) for part in (nested or [value]))
    except (TypeError, ValueError, OverflowError) as error:
        raise _wrong(where, f"dims and shape must hold names and sizes, but {value!r} came") from error


def _size(value: Any) -> int | None:
    if value in (None, "null", "None"):
        return None
    size = int(value)
    if size != value or size < 0 or isinstance(value, bool):
        raise ValueError(value)
    return size


def _quantity(item: Json, where: str) -> Quantity:
    value = item.get("quantity", 1)
    found = _QUANTITIES.get(value) if isinstance(value, str) else None
    if found is not None:
        return found
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return Quantity(value, value)
    raise _wrong(where, f"quantity must be '*', '+', '?' or a number, but {value!r} came")


def _type(item: Json, word: str, where: str) -> str | None:
    return _optional(item, f"neurodata_type_{word}", where) or _optional(item, f"data_type_{word}", where)


def _inside(item: Json, where: str) -> str:
    name = _type(item, "def", where) or item.get("name") or _type(item, "inc", where)
    return f"{where}, {name}" if name else where


def _wrong(where: str, what: str) -> NamespaceError:
    return NamespaceError(f"{where}: {what}")


def _mapping(value: Any, where: str) -> Json:
    if not isinstance(value, Mapping):
        raise _wrong(where, f"an object must stand here, but {type(value).__name__} came")
    return dict(value)


def _list(item: Json, word: str, where: str) -> list[Any]:
    value = item.get(word)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _wrong(where, f"{word} must be a list, but {type(value).__name__} came ({value!r})")
    return value


def _text(item: Json, word: str, where: str) -> str:
    value = item.get(word)
    if not isinstance(value, str) or not value:
        raise _wrong(where, f"{word} must be a text, but {value!r} came")
    return value


def _optional(item: Json, word: str, where: str) -> str | None:
    return None if item.get(word) is None else _text(item, word, where)


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value] if value else []
    return tuple(map(str, items))
