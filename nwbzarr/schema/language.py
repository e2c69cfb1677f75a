"""The schema language as JSON: `parse_namespace` narrows or raises, `encode_namespace` writes the same back.

Sentences (``doc``, ``title``, ``help``) are not kept: what is written has a short text of its own in the places where
the language asks for one. NWB schema language 2.1; hdmf calls ``neurodata_type_def`` ``data_type_def``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nwbzarr.errors import NamespaceError
from nwbzarr.schema.specs import (
    AttributeSpec,
    CompoundField,
    DatasetSpec,
    Dims,
    DType,
    GroupSpec,
    Include,
    LinkSpec,
    Namespace,
    Quantity,
    ReferenceTo,
    Shapes,
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
_QUANTITY_WORDS: dict[Quantity, Any] = {Quantity(0, None): "*", Quantity(1, None): "+", Quantity(0, 1): "?"}

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


# From JSON.


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


# To JSON.


def encode_namespace(namespace: Namespace, *, described: bool = True) -> tuple[Json, dict[str, Json]]:
    """Return a namespace as its entry and its sources.

    Parameters
    ----------
    namespace : Namespace
        What to encode.
    described : bool
        Whether every part gets the ``doc`` that readers of the language ask for.
    """
    prefix = "data_type" if namespace.name.startswith("hdmf-") else "neurodata_type"
    schema: list[Json] = []
    for part in namespace.parts:
        if isinstance(part, Source):
            schema.append({"source": part.name})
        else:
            schema.append({"namespace": part.namespace, **({"data_types": list(part.types)} if part.types else {})})
    entry: Json = {"name": namespace.name, "version": namespace.version, "schema": schema}
    extra = {"full_name": namespace.full_name, "author": list(namespace.authors), "contact": list(namespace.contacts)}
    entry.update({word: value for word, value in extra.items() if value})
    if described:
        entry["doc"] = f"{namespace.full_name or namespace.name} {namespace.version}"
    encoder = _Encoder(prefix, described)
    return entry, {source.name: encoder.source(source) for source in namespace.sources}


class _Encoder:
    """Writes specs in the words of one namespace."""

    def __init__(self, prefix: str, described: bool) -> None:
        self.prefix = prefix
        self.described = described

    def source(self, source: Source) -> Json:
        made: Json = {}
        for spec in source.types:
            word = "datasets" if isinstance(spec, DatasetSpec) else "groups"
            made.setdefault(word, []).append(self.node(spec, ""))
        return made

    def node(self, spec: GroupSpec | DatasetSpec, owner: str) -> Json:
        made: Json = {}
        for word, value in (("def", spec.type_def), ("inc", spec.type_inc)):
            if value is not None:
                made[f"{self.prefix}_{word}"] = value
        made.update(_given(name=spec.name, default_name=spec.default_name))
        name = "/".join(filter(None, (owner, spec.type_def or spec.name or spec.type_inc)))
        if isinstance(spec, DatasetSpec):
            made.update(_values(spec))
        if spec.quantity != Quantity():
            made["quantity"] = _QUANTITY_WORDS.get(spec.quantity, spec.quantity.least)
        made.update(_given(attributes=[self.attribute(found, name) for found in spec.attributes]))
        if isinstance(spec, GroupSpec):
            made.update(
                _given(
                    datasets=[self.node(found, name) for found in spec.datasets],
                    groups=[self.node(found, name) for found in spec.groups],
                    links=[self.link(found, name) for found in spec.links],
                )
            )
        return self.documented(made, name)

    def attribute(self, spec: AttributeSpec, owner: str) -> Json:
        made: Json = {"name": spec.name, **_values(spec)}
        if not spec.required:
            made["required"] = False
        return self.documented(made, f"{owner}.{spec.name}")

    def link(self, spec: LinkSpec, owner: str) -> Json:
        made: Json = {**_given(name=spec.name), "target_type": spec.target}
        if spec.quantity != Quantity():
            made["quantity"] = _QUANTITY_WORDS.get(spec.quantity, spec.quantity.least)
        return self.documented(made, f"{owner}/{spec.name or spec.target}")

    def documented(self, made: Json, name: str) -> Json:
        if self.described:
            made["doc"] = name
            if isinstance(made.get("dtype"), list):
                made["dtype"] = [{**part, "doc": f"{name}.{part['name']}"} for part in made["dtype"]]
        return made


def _given(**words: Any) -> Json:
    return {word: value for word, value in words.items() if value}


def _values(spec: AttributeSpec | DatasetSpec) -> Json:
    """Return what a spec says of its values."""
    made: Json = {}
    if spec.dtype is not None:
        made["dtype"] = _encode_dtype(spec.dtype)
    made.update(_given(dims=_encode_alternatives(spec.dims), shape=_encode_alternatives(spec.shapes)))
    for word, value in (("value", spec.value), ("default_value", spec.default)):
        if value is not None:
            made[word] = value
    return made


def _encode_dtype(dtype: DType) -> Any:
    if isinstance(dtype, tuple):
        return [{"name": part.name, "dtype": _encode_dtype(part.dtype)} for part in dtype]
    return {"target_type": dtype.target, "reftype": "object"} if isinstance(dtype, ReferenceTo) else dtype


def _encode_alternatives(alternatives: Dims | Shapes) -> list[Any]:
    lists = [list(part) for part in alternatives]
    return list(lists[0]) if len(lists) == 1 else lists
