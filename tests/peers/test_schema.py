"""The compiled tables say what the installed schema says: a new release of NWB shows at once what has changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.peers.environment import Peer

#: Words of the schema language that mean the same.
_DTYPES = {
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
#: What is said when nothing is said.
_SAID_ANYWAY = {"quantity": 1, "required": True, "linkable": True}
_QUANTITIES = {"zero_or_many": "*", "one_or_many": "+", "zero_or_one": "?"}

#: Where a constructor of ours is meant to differ: EventWaveform's does nothing in PyNWB; HERD's takes hdmf's type map.
_OWN_ARGUMENTS = {
    "EventWaveform": [("spike_event_series", False), ("name", False)],
    "HERD": [(name, False) for name in ("keys", "files", "entities", "objects", "object_keys", "entity_keys")],
    # ``notes`` is the schema's name, and older than PyNWB's.
    "ScratchData": [("name", True), ("data", True), ("notes", False), ("description", False)],
}

#: Where a field of ours is meant to have another name: PyNWB's are attributes that only its writer asks for.
_OWN_FIELDS = {
    ("ImageMaskSeries", "num_samples"): "num_samples",
    ("ImageSeries", "num_samples"): "num_samples",
    ("NWBFile", "scratch/DynamicTable"): "scratch",
    ("NWBFile", "scratch/NWBContainer"): "scratch",
    ("NWBFile", "scratch/ScratchData"): "scratch",
    ("NWBFile", "stimulus/presentation/TimeSeries"): "stimulus",
    ("OnePhotonSeries", "num_samples"): "num_samples",
    ("OpticalSeries", "num_samples"): "num_samples",
    ("ScratchData", "notes"): "notes",
    ("SimpleMultiContainer", "Data"): "containers",
    ("TwoPhotonSeries", "num_samples"): "num_samples",
}


@dataclass(frozen=True, slots=True)
class Tables:
    """What is compared: see `tests/peers/scripts/tell_schema.py`."""

    namespaces: dict[str, Any]
    sources: dict[str, Any]
    arguments: dict[str, list[tuple[str, bool]]]
    names: dict[tuple[str, str], str]


def our_tables() -> Tables:
    """Return nwbzarr's tables.

    PROVISIONAL: the one place that knows how `nwbzarr.schema.tables` is laid out.
    """
    folder = resources.files("nwbzarr.schema") / "tables"
    tables = {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in _NAMES_OF_TABLES}
    names = tables.pop("pynwb")
    return Tables(
        namespaces={name: table["namespace"] for name, table in tables.items()},
        sources={name: table["sources"] for name, table in tables.items()},
        arguments={
            name: [(word.rstrip("?"), not word.endswith("?")) for word in text.split()]
            for name, text in names["signatures"].items()
        },
        names={(name, place): word for name, fields in names["fields"].items() for place, word in fields.items()},
    )


_NAMES_OF_TABLES = ("core", "hdmf-common", "hdmf-experimental", "pynwb")


@pytest.fixture(scope="module")
def installed(peer: Peer) -> dict[str, Any]:
    """Return what the peer's PyNWB ships."""
    found: dict[str, Any] = peer.run("tell_schema")
    return found


@pytest.mark.peers
@pytest.mark.parametrize("namespace", ["core", "hdmf-common", "hdmf-experimental"])
def test_a_compiled_namespace_is_the_installed_one(installed: dict[str, Any], namespace: str) -> None:
    ours = our_tables()
    entry = dict(installed["namespaces"][namespace])
    entry["schema"] = [
        {"source": part["source"].removesuffix(".yaml")} if "source" in part else part for part in entry["schema"]
    ]
    assert ours.namespaces[namespace] == entry
    wanted = canonical(installed["sources"][namespace])
    assert dict(different(wanted, canonical(ours.sources[namespace]), namespace)) == {}


@pytest.mark.peers
def test_constructors_take_what_those_of_pynwb_take(installed: dict[str, Any]) -> None:
    theirs = {
        name: [(word, required) for word, required in found["arguments"]] for name, found in installed["types"].items()
    }
    assert dict(different(theirs | _OWN_ARGUMENTS, our_tables().arguments, "")) == {}


@pytest.mark.peers
def test_fields_have_the_names_that_pynwb_gives_them(installed: dict[str, Any]) -> None:
    names = our_tables().names
    bases = _bases(installed["sources"])
    wrong = {}
    for kind, found in installed["types"].items():
        for place, theirs in found["fields"].items():
            # By rule, a name is the joined words of the place; a type or one of its bases may say otherwise.
            given = (names.get((base, place)) for base in _lineage(kind, bases))
            ours = next((name for name in given if name is not None), place.replace("/", "__"))
            wanted = _OWN_FIELDS.get((kind, place), theirs)
            if wanted is not None and ours != wanted:
                wrong[f"{kind}: {place}"] = f"{ours} found, {wanted} expected"
    assert wrong == {}


@pytest.mark.peers
def test_the_differences_that_are_meant_are_differences(installed: dict[str, Any]) -> None:
    """What PyNWB takes over from us one day need not stand in the tables above any longer."""
    types = installed["types"]
    assert [name for name, own in _OWN_ARGUMENTS.items() if types[name]["arguments"] == list(map(list, own))] == []
    assert [key for key, own in _OWN_FIELDS.items() if types[key[0]]["fields"][key[1]] == own] == []


def canonical(content: Any) -> Any:
    """Return schema JSON with one word where the language has several, and types by name instead of in lists."""
    if isinstance(content, list):
        return [canonical(item) for item in content]
    if not isinstance(content, dict):
        return content
    made = {word: canonical(value) for word, value in content.items() if value not in ([], None)}
    if isinstance(made.get("dtype"), str):
        made["dtype"] = _DTYPES.get(made["dtype"], made["dtype"])
    if isinstance(made.get("quantity"), str):
        made["quantity"] = _QUANTITIES.get(made["quantity"], made["quantity"])
    made = {word: value for word, value in made.items() if _SAID_ANYWAY.get(word) != value}
    made |= {word: [made[word]] for word in ("dims", "shape") if word in made and not isinstance(made[word], list)}
    for word in ("attributes", "datasets", "groups", "links"):
        if isinstance(made.get(word), list):
            made[word] = {_label(item): item for item in made[word]}
    return made


def different(wanted: Any, found: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield the places where two tables differ."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for word in wanted.keys() | found.keys():
            yield from different(wanted.get(word), found.get(word), f"{place}/{word}")
    elif wanted != found:
        yield place, f"{found} found, {wanted} expected"


def _label(item: dict[str, Any]) -> str:
    words = ("neurodata_type_def", "data_type_def", "name", "neurodata_type_inc", "data_type_inc", "target_type")
    return str(next(item[word] for word in words if word in item))


def _bases(sources: dict[str, Any]) -> dict[str, str | None]:
    """Return the base of each type."""
    specs = [
        spec
        for files in sources.values()
        for content in files.values()
        for word in ("datasets", "groups")
        for spec in content.get(word) or ()
    ]
    return {_label(spec): spec.get("neurodata_type_inc", spec.get("data_type_inc")) for spec in specs}


def _lineage(kind: str | None, bases: dict[str, str | None]) -> Iterator[str]:
    while kind is not None:
        yield kind
        kind = bases[kind]
