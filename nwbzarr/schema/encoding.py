"""The schema language, written as JSON: what `language` reads back the same.

What is written has a short text of its own in the places where the language asks for ``doc``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nwbzarr.schema.specs import (
    AttributeSpec,
    DatasetSpec,
    Dims,
    DType,
    GroupSpec,
    LinkSpec,
    Namespace,
    Quantity,
    ReferenceTo,
    Shapes,
    Source,
)

if TYPE_CHECKING:
    from nwbzarr.schema.language import Json

_QUANTITY_WORDS: dict[Quantity, Any] = {Quantity(0, None): "*", Quantity(1, None): "+", Quantity(0, 1): "?"}


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
