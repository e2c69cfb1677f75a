"""The schema that the installed PyNWB ships, without its sentences, and the names that PyNWB gives to what is in it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pynwb
from hdmf.build import ObjectMapper
from hdmf.utils import get_docval

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROSE = ("doc", "title", "help")
_NAMESPACES = ("core", "hdmf-common", "hdmf-experimental")
_PARTS = ("attributes", "datasets", "groups", "links")

Json = dict[str, Any]


def run() -> dict[str, Json]:
    """Return ``namespaces``, ``sources`` by namespace and file, and ``types``.

    A type has its ``namespace``; ``arguments``, the constructor's, in order, each with whether it is required; and
    ``fields``: PyNWB's name for each part of its own level, by place (``"starting_time/rate"``), or None for a part
    that PyNWB has no name for.
    """
    schema = Path(pynwb.__file__).parent / "nwb-schema"
    namespaces: Json = {}
    sources: Json = {}
    for file in ("core/nwb.namespace.yaml", "hdmf-common-schema/common/namespace.yaml"):
        for entry in _load(schema / file)["namespaces"]:
            namespaces[entry["name"]] = entry
            files = [part["source"] for part in entry["schema"] if "source" in part]
            sources[entry["name"]] = {
                name.removesuffix(".yaml"): _load((schema / file).parent / name) for name in files
            }
    return {"namespaces": namespaces, "sources": sources, "types": dict(_types())}


def _load(path: Path) -> Any:
    # hdmf's own choice of a YAML library, which no other environment has.
    return _without_prose(importlib.import_module("ruamel.yaml").YAML(typ="safe").load(path))


def _without_prose(content: Any) -> Any:
    if isinstance(content, dict):
        return {word: _without_prose(value) for word, value in content.items() if word not in _PROSE}
    return [_without_prose(item) for item in content] if isinstance(content, list) else content


def _types() -> Iterator[tuple[str, Json]]:
    types = pynwb.get_type_map()
    catalog = types.namespace_catalog
    # hdmf offers no public way to ask for a class's mapper without an object of it.
    mappers = types._TypeMap__mapper_cls
    seen: set[str] = set()
    # A namespace lists the types of those it includes as its own: what includes comes last.
    for namespace in reversed(_NAMESPACES):
        for name in sorted(set(catalog.get_namespace(namespace).get_registered_types()) - seen):
            seen.add(name)
            spec = catalog.get_spec(namespace, name)
            kind = types.get_dt_container_cls(name, namespace)
            mapper = next((mappers[base] for base in kind.__mro__ if base in mappers), ObjectMapper)(spec)
            yield (
                name,
                {
                    "namespace": kind.namespace,
                    "arguments": _arguments(kind),
                    "fields": {place: mapper.get_attribute(part) for place, part in _places(spec, ())},
                },
            )


def _arguments(kind: Any) -> list[tuple[str, bool]]:
    """Return the arguments of a constructor; those of a base where a class has none of its own."""
    for base in kind.__mro__:
        found = get_docval(base.__init__) if "__init__" in base.__dict__ else ()
        if found:
            return [(part["name"], "default" not in part) for part in found if part["name"] != "skip_post_init"]
    return [("name", True)]


def _places(spec: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Yield the parts of a type, down to where other types begin."""
    for word in _PARTS:
        for part in spec.get(word) or ():
            kind = part.get("target_type") or part.get("neurodata_type_inc") or part.get("data_type_inc")
            place = (*path, str(part.get("name") or kind))
            yield "/".join(place), part
            if kind is None:
                yield from _places(part, place)
