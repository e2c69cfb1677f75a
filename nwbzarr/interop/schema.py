"""Compile the tables of the schema room from an installed PyNWB: ``python -m nwbzarr.interop.schema``.

Needs the extra ``pynwb`` (Python 3.12). From the YAML files that PyNWB ships it takes the facts of the schema; from
PyNWB's classes the names that it gives to fields, constructor arguments and methods. Sentences are left out. Run it
for a new NWB release, look at the difference, and commit the tables.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nwbzarr.schema.encoding import encode_namespace
from nwbzarr.schema.language import Json, parse_namespace, standard_dtype
from nwbzarr.schema.specs import Include, Namespace, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TABLES = Path(__file__).parents[1] / "schema" / "tables"

#: Namespace file of each compiled namespace, below the folder of PyNWB's schema.
NAMESPACE_FILES = {
    "core": "core/nwb.namespace.yaml",
    "hdmf-common": "hdmf-common-schema/common/namespace.yaml",
    "hdmf-experimental": "hdmf-common-schema/common/namespace.yaml",
}


#: Fields that PyNWB splits in two on the way to disk, and gives to people as one.
OWN_FIELDS = {
    "NWBFile": {
        "scratch/ScratchData": "scratch",
        "scratch/NWBContainer": "scratch",
        "scratch/DynamicTable": "scratch",
        "stimulus/presentation/TimeSeries": "stimulus",
    },
    "ScratchData": {"notes": "notes"},
    "SimpleMultiContainer": {"Data": "containers", "Container": "containers"},
}

#: Constructors that PyNWB does not offer, or that take more here.
OWN_SIGNATURES = {
    "EventWaveform": "spike_event_series? name?",
    "HERD": "keys? files? entities? objects? object_keys? entity_keys?",
    "ScratchData": "name data notes? description?",
}


def compile_namespace(folder: Path, name: str) -> Namespace:
    """Return a namespace from the schema files of PyNWB, with sources named as they are cached: without ``.yaml``."""
    path = folder / NAMESPACE_FILES[name]
    entry = next(found for found in _yaml(path)["namespaces"] if found["name"] == name)
    sources = {part["source"]: _yaml(path.parent / part["source"]) for part in entry["schema"] if "source" in part}
    parsed = parse_namespace(entry, sources, path.name)
    parts: list[Include | Source] = [
        replace(part, name=part.name.removesuffix(".yaml")) if isinstance(part, Source) else part
        for part in parsed.parts
    ]
    return replace(parsed, parts=tuple(parts))


def _yaml(path: Path) -> Any:
    import yaml

    return yaml.safe_load(path.read_text(encoding="utf-8"))


def compile_names() -> dict[str, Any]:
    """Return PyNWB's names: of fields where they follow no rule, of constructor arguments, of methods."""
    import pynwb
    from hdmf.build import ObjectMapper
    from hdmf.utils import get_docval

    types = pynwb.get_type_map()
    catalog = types.namespace_catalog
    # hdmf offers no public way to ask for a class's mapper without an object of it.
    mappers = types._TypeMap__mapper_cls  # noqa: SLF001
    table: dict[str, Any] = {"fields": {}, "signatures": {}, "collections": {}}
    for namespace in ("hdmf-common", "hdmf-experimental", "core"):
        for name in catalog.get_namespace(namespace).get_registered_types():
            if name in table["signatures"]:
                continue
            cls = types.get_dt_container_cls(name, namespace)
            spec = catalog.get_spec(namespace, name)
            mapper = next((mappers[base] for base in cls.__mro__ if base in mappers), ObjectMapper)(spec)
            inherited: dict[str, str] = {}
            for base in reversed(catalog.get_hierarchy(namespace, name)):
                inherited.update(table["fields"].get(base, {}))
            fields = {**dict(_renamed(mapper, spec)), **OWN_FIELDS.get(name, {})}
            fields = {place: word for place, word in fields.items() if inherited.get(place) != word}
            if fields:
                table["fields"][name] = fields
            arguments = [_argument(part) for part in _arguments(cls, get_docval)]
            table["signatures"][name] = OWN_SIGNATURES.get(name) or " ".join(arguments)
            methods = dict(_methods(cls))
            if methods:
                table["collections"][name] = methods
    return table


def _arguments(cls: Any, get_docval: Any) -> list[Mapping[str, Any]]:
    """Return the arguments of a class's constructor; those of a base where it has none of its own."""
    for base in cls.__mro__:
        found = get_docval(base.__init__) if "__init__" in base.__dict__ else ()
        if found:
            return [part for part in found if part["name"] != "skip_post_init"]
    return [{"name": "name"}]


def _argument(part: Mapping[str, Any]) -> str:
    return f"{part['name']}?" if "default" in part else str(part["name"])


def _renamed(mapper: Any, spec: Any) -> Iterator[tuple[str, str]]:
    """Yield the places of a type's own level whose name is not the joined words of the place."""
    for place, part in _places(spec, ()):
        name = mapper.get_const_arg(part) or mapper.get_attribute(part)
        if name is not None and name != "__".join(place):
            yield "/".join(place), str(name).removeprefix("_")


def _places(spec: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for word in ("attributes", "datasets", "groups", "links"):
        for part in spec.get(word) or ():
            kind = part.get("target_type") or part.get("neurodata_type_inc") or part.get("data_type_inc")
            place = (*path, str(part.get("name") or kind))
            yield place, part
            if kind is None:
                yield from _places(part, place)


def _methods(cls: Any) -> Iterator[tuple[str, dict[str, str]]]:
    found = getattr(cls, "__clsconf__", None) or ()
    for entry in [found] if isinstance(found, dict) else found:
        words = {word: entry[word] for word in ("add", "get", "create") if not entry.get(word, "_").startswith("_")}
        yield entry["attr"], words


def encode_table(namespace: Namespace) -> Json:
    """Return a compiled namespace as it stands in its file."""
    entry, sources = encode_namespace(namespace, described=False)
    return {"namespace": entry, "sources": sources}


def canonical(content: Any) -> Any:
    """Return schema JSON without prose and with one word for each dtype, to compare two of them."""
    if isinstance(content, dict):
        kept = {word: canonical(value) for word, value in content.items() if word not in ("doc", "title", "help")}
        dtype = kept.get("dtype")
        return {**kept, "dtype": standard_dtype(dtype)} if isinstance(dtype, str) else kept
    return [canonical(item) for item in content] if isinstance(content, list) else content


def write_tables(folder: Path) -> list[Path]:
    """Write all tables from the installed PyNWB, and return their files."""
    import pynwb

    schema = Path(pynwb.__file__).parent / "nwb-schema"
    made = {name: encode_table(compile_namespace(schema, name)) for name in NAMESPACE_FILES}
    made["pynwb"] = compile_names()
    for name, table in made.items():
        (folder / f"{name}.json").write_text(_lines(table) + "\n", encoding="utf-8")
    return [folder / f"{name}.json" for name in made]


def _lines(table: Any, depth: int = 3, indent: str = "") -> str:
    """Return JSON with a line for each type: short enough to read, long enough to compare."""
    if depth and isinstance(table, dict | list) and table:
        inner = indent + " "
        if isinstance(table, dict):
            rows = [f"{inner}{json.dumps(word)}: {_lines(value, depth - 1, inner)}" for word, value in table.items()]
        else:
            rows = [f"{inner}{_lines(value, depth - 1, inner)}" for value in table]
        brackets = "{}" if isinstance(table, dict) else "[]"
        return f"{brackets[0]}\n" + ",\n".join(rows) + f"\n{indent}{brackets[1]}"
    return json.dumps(table, ensure_ascii=False)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m nwbzarr.interop.schema", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=TABLES, metavar="DIR")
    for path in write_tables(parser.parse_args().folder):
        print(path)  # noqa: T201 - a command prints


if __name__ == "__main__":
    main()
