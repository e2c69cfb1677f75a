"""What is wrong with hand-made documents: each kind of problem is found, all of them at once, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nwbzarr.convention.documents import array_document, group_document
from nwbzarr.schema.core import CORE
from nwbzarr.schema.registry import Registry
from nwbzarr.schema.specs import AttributeSpec, DatasetSpec, GroupSpec, Namespace, Source
from nwbzarr.schema.validation import Child, Problem, Registries, check_node

if TYPE_CHECKING:
    from collections.abc import Mapping

REGISTRIES: dict[str | None, Registry] = dict.fromkeys(CORE.namespaces, CORE)


def only(registry: Registry) -> Registries:
    """Return what knows one made-up namespace."""
    return lambda name: registry if name == "made-up" else None


Documents = dict[str, dict[str, Any]]


class Nodes:
    """Documents by path, and links by the path of their group."""

    def __init__(self, documents: Documents, links: dict[str, list[Child]] | None = None) -> None:
        self._documents = documents
        self._links = links or {}

    def document(self, path: str) -> Mapping[str, Any]:
        return self._documents[path]

    def children(self, path: str) -> list[Child]:
        nodes = []
        for found, document in self._documents.items():
            folder, _, name = found.rpartition("/")
            if name and (folder or "/") == path:
                attributes = document["attributes"]
                nodes.append(Child(name, found, attributes.get("neurodata_type"), attributes.get("namespace")))
        return [*nodes, *self._links.get(path, ())]

    def reference_type(self, value: Any) -> tuple[str | None, str | None] | None:
        attributes = self._documents[value["_REFERENCE"]["path"]]["attributes"]
        return attributes.get("namespace"), attributes.get("neurodata_type")


def typed(name: str, namespace: str = "core", **attributes: Any) -> dict[str, Any]:
    return {"neurodata_type": name, "namespace": namespace, "object_id": "1", **attributes}


def group(**attributes: Any) -> dict[str, Any]:
    return group_document(attributes)


def array(data_type: Any, shape: tuple[int, ...] = (), **attributes: Any) -> dict[str, Any]:
    return array_document(
        shape=shape, data_type=data_type, chunk_shape=shape, codecs=[], fill_value=0, attributes=attributes
    )


def reference(path: str) -> dict[str, Any]:
    return {"_REFERENCE": {"source": ".", "path": path}}


def series() -> Documents:
    """Return a time series with which nothing is wrong."""
    return {
        "/ts": group(**typed("TimeSeries", comments="c", description="d")),
        "/ts/data": array("int16", (5, 2), unit="V", conversion=1.0, offset=0, resolution=-1.0),
        "/ts/starting_time": array("float64", (), rate=10.0, unit="seconds"),
    }


def table() -> Documents:
    """Return a table with which nothing is wrong."""
    column = typed("VectorData", "hdmf-common", description="d")
    return {
        "/t": group(**typed("DynamicTable", "hdmf-common", colnames=["a", "b"], description="d")),
        "/t/id": array("int64", (3,), **typed("ElementIdentifiers", "hdmf-common")),
        "/t/a": array("float64", (3,), **column),
        "/t/b": array("string", (4,), **column),
        "/t/b_index": array(
            "uint8", (3,), **typed("VectorIndex", "hdmf-common", description="d", target=reference("/t/b"))
        ),
    }


def plane() -> tuple[Documents, dict[str, list[Child]]]:
    """Return an imaging plane with which nothing is wrong, and its links."""
    documents = {
        "/p": group(**typed("ImagingPlane")),
        "/p/excitation_lambda": array("float32"),
        "/p/indicator": array("string", _DTYPE="str"),
        "/p/location": array("string", _DTYPE="str"),
        "/p/green": group(**typed("OpticalChannel")),
        "/p/green/description": array("string", _DTYPE="str"),
        "/p/green/emission_lambda": array("float32"),
    }
    return documents, {"/p": [Child("device", None, "Device", "core")]}


def problems(documents: Documents, path: str, links: dict[str, list[Child]] | None = None) -> list[Problem]:
    return check_node(Nodes(documents, links), path, REGISTRIES.get)


def says(found: list[Problem], *rows: tuple[str, str, str]) -> None:
    """Assert that these are the problems: path, field, words of the message."""
    assert [(problem.path, problem.field) for problem in found] == [row[:2] for row in rows], found
    for problem, (_, _, words) in zip(found, rows, strict=True):
        for word in words.split("|"):
            assert word in problem.message, (word, problem)
        assert problem.neurodata_type
        assert problem.path in str(problem)
        assert problem.message in str(problem)


# Nothing wrong.


@pytest.mark.parametrize("path", ["/t", "/t/id", "/t/a", "/t/b", "/t/b_index"])
def test_nothing_is_wrong_with_a_clean_table(path: str) -> None:
    assert problems(table(), path) == []


def test_nothing_is_wrong_with_a_clean_series_or_plane() -> None:
    assert problems(series(), "/ts") == []
    documents, links = plane()
    assert problems(documents, "/p", links) == []
    assert problems(documents, "/p/green", links) == []


def test_nodes_without_a_type_belong_to_the_one_around_them() -> None:
    assert problems(series(), "/ts/data") == []
    assert problems({"/": group()}, "/") == []


def test_what_the_schema_does_not_mention_is_nobodys_business() -> None:
    documents = series()
    documents["/ts"]["attributes"]["colour"] = {"any": [1]}
    documents["/ts/extra"] = array("complex128", (3,))
    documents["/ts/more"] = group()
    assert problems(documents, "/ts") == []


@pytest.mark.parametrize("word", ["int8", "uint64", "float32", "bool", "string", "complex64"])
def test_data_of_a_series_may_be_anything(word: str) -> None:
    documents = series()
    documents["/ts/data"] = array(word, (5,), unit="V")
    assert problems(documents, "/ts") == []


def test_more_precise_is_fine() -> None:
    documents, links = plane()
    documents["/p/excitation_lambda"] = array("float64")
    assert problems(documents, "/p", links) == []


def test_attributes_with_defaults_may_be_left_out() -> None:
    documents = series()
    documents["/ts/data"] = array("int16", (5, 2), unit="V")
    documents["/ts"] = group(**typed("TimeSeries"))
    assert problems(documents, "/ts") == []


# One thing wrong.


def test_a_type_that_nobody_defines() -> None:
    says(problems({"/x": group(**typed("Rig"))}, "/x"), ("/x", "", "not known|core"))
    says(problems({"/x": group(**typed("Rig", "ndx-lab"))}, "/x"), ("/x", "", "not known|ndx-lab|not cached"))


def test_a_type_without_a_namespace() -> None:
    documents = series()
    del documents["/ts"]["attributes"]["namespace"]
    says(problems(documents, "/ts"), ("/ts", "", "namespace"))


def test_an_array_in_the_place_of_a_group_and_the_other_way_round() -> None:
    says(problems({"/x": array("int8", (), **typed("Device"))}, "/x"), ("/x", "", "group"))
    says(problems({"/x": group(**typed("VectorData", "hdmf-common", description="d"))}, "/x"), ("/x", "", "dataset"))


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        ({"/ts/data": None}, [("/ts", "data", "dataset|missing")]),
        ({"/ts/data": group()}, [("/ts", "data", "dataset")]),
        ({"/ts/starting_time": array("float64", (2,), rate=1.0, unit="seconds")},
         [("/ts/starting_time", "starting_time", "scalar|(2,)")]),
        ({"/ts/starting_time": array("float32", (), rate=1.0, unit="seconds")},
         [("/ts/starting_time", "starting_time", "float64|float32")]),
        ({"/ts/starting_time": array("float64", (), unit="seconds")},
         [("/ts/starting_time", "starting_time.rate", "missing")]),
        ({"/ts/starting_time": array("float64", (), rate="fast", unit="seconds")},
         [("/ts/starting_time", "starting_time.rate", "float32|fast")]),
        ({"/ts/starting_time": array("float64", (), rate=1.0, unit="hours")},
         [("/ts/starting_time", "starting_time.unit", "seconds|hours")]),
        ({"/ts/data": array("int16", (5,), unit=5)}, [("/ts/data", "data.unit", "text|5")]),
        ({"/ts/data": array("int16", (5,), unit=["V", "A"])}, [("/ts/data", "data.unit", "scalar|(2,)")]),
        ({"/ts/data": array("int16", (5,))}, [("/ts/data", "data.unit", "missing")]),
        ({"/ts/data": array("int16", (), unit="V")}, [("/ts/data", "data", "shape|()")]),
        ({"/ts/data": array("int16", (1, 1, 1, 1, 1), unit="V")}, [("/ts/data", "data", "shape|(1, 1, 1, 1, 1)")]),
        ({"/ts/data": array("int16", (5,), unit="V", conversion=True)}, [("/ts/data", "data.conversion", "float32|True")]),
        ({"/ts/control": array("float64", (5,))}, [("/ts/control", "control", "uint8|float64")]),
        ({"/ts/control_description": array("int8", (5,))}, [("/ts/control_description", "control_description", "text|int8")]),
        ({"/ts/timestamps": array("string", (5,), interval=1, unit="seconds")}, [("/ts/timestamps", "timestamps", "float64|text")]),
        ({"/ts/timestamps": array("float64", (5,), interval=2, unit="seconds")},
         [("/ts/timestamps", "timestamps.interval", "1|2")]),
    ],
)  # fmt: skip
def test_one_thing_that_is_wrong_with_a_series(change: dict[str, Any], rows: list[tuple[str, str, str]]) -> None:
    documents = {**series(), **change}
    found = problems({path: document for path, document in documents.items() if document is not None}, "/ts")
    says(found, *rows)


def test_one_thing_that_is_wrong_with_a_table() -> None:
    documents = table()
    documents["/t"] = group(**typed("DynamicTable", "hdmf-common", colnames=["a"]))
    says(problems(documents, "/t"), ("/t", "description", "missing"))
    documents = table()
    documents["/t"]["attributes"]["colnames"] = "a"
    says(problems(documents, "/t"), ("/t", "colnames", "shape|()"))
    documents = table()
    documents["/t"]["attributes"]["colnames"] = [1, 2]
    says(problems(documents, "/t"), ("/t", "colnames", "text|1"))
    for colnames in (["a", 1], ["a", None]):
        documents["/t"]["attributes"]["colnames"] = colnames
        says(problems(documents, "/t"), ("/t", "colnames", "text|'a'"))
    documents = table()
    del documents["/t/id"]
    says(problems(documents, "/t"), ("/t", "id", "ElementIdentifiers|missing"))
    documents = table()
    documents["/t/id"] = array("float64", (3,), **typed("ElementIdentifiers", "hdmf-common"))
    says(problems(documents, "/t/id"), ("/t/id", "", "int|float64"))
    documents = table()
    documents["/t/id"] = array("int64", (3,), **typed("VectorData", "hdmf-common", description="d"))
    says(problems(documents, "/t"), ("/t", "id", "ElementIdentifiers|VectorData"))


@pytest.mark.parametrize("target", [5, "/t/b", {"path": "/t/b"}, ["/t/b"]])
def test_a_reference_that_is_none(target: Any) -> None:
    documents = table()
    documents["/t/b_index"]["attributes"]["target"] = target
    says(problems(documents, "/t/b_index"), ("/t/b_index", "target", "reference|VectorData"))


@pytest.mark.parametrize(("target", "came"), [("/t/id", "ElementIdentifiers"), ("/t", "DynamicTable")])
def test_a_reference_to_another_type(target: str, came: str) -> None:
    documents = table()
    documents["/t/b_index"]["attributes"]["target"] = reference(target)
    says(problems(documents, "/t/b_index"), ("/t/b_index", "target", f"VectorData|{came}"))


def test_a_reference_to_what_has_no_type() -> None:
    documents = {**table(), "/t/plain": array("int8", (3,))}
    documents["/t/b_index"]["attributes"]["target"] = reference("/t/plain")
    says(problems(documents, "/t/b_index"), ("/t/b_index", "target", "VectorData|nothing with a type"))


def test_too_few_and_too_many() -> None:
    documents, links = plane()
    del documents["/p/green"]
    says(problems(documents, "/p", links), ("/p", "OpticalChannel", "1 to many|0"))
    spec = GroupSpec(type_def="Pair", type_inc="NWBContainer", groups=(GroupSpec(type_inc="Device"),))
    registry = Registry([Namespace("made-up", "0", (Source("s", (spec,)),))], bases=[CORE])
    nodes = {"/x": group(**typed("Pair", "made-up")), **{f"/x/{name}": group(**typed("Device")) for name in "ab"}}
    registries: dict[str | None, Registry] = {**REGISTRIES, "made-up": registry}
    says(check_node(Nodes(nodes), "/x", registries.get), ("/x", "Device", "1|2"))


def test_links() -> None:
    documents, _ = plane()
    says(problems(documents, "/p"), ("/p", "device", "link to Device|missing"))
    wrong = {"/p": [Child("device", None, "Subject", "core")]}
    says(problems(documents, "/p", wrong), ("/p", "device", "Device|Subject"))
    untyped = {"/p": [Child("device", None, None, None)]}
    says(problems(documents, "/p", untyped), ("/p", "device", "Device|without a type"))
    unknown = {"/p": [Child("device", None, None, None, known=False)]}
    assert problems(documents, "/p", unknown) == []
    extended = {"/p": [Child("device", None, "LaserOfALab", "ndx-lab")]}
    assert problems(documents, "/p", extended) == []
    held = {**documents, "/p/device": group(**typed("Device"))}
    assert problems(held, "/p") == []


def test_a_link_may_stand_for_a_dataset() -> None:
    documents = series()
    del documents["/ts/data"]
    assert problems(documents, "/ts", {"/ts": [Child("data", None, None, None, known=False)]}) == []
    assert problems(documents, "/ts", {"/ts": [Child("data", None, None, None)]}) == []


def test_compounds_and_references_in_them() -> None:
    fields: list[dict[str, Any]] = [{"name": "idx_start", "data_type": "int32"}, {"name": "count", "data_type": "int32"},
              {"name": "timeseries", "data_type": {"name": "fixed_length_utf32", "configuration": {"length_bytes": 40}}}]  # fmt: skip
    struct = {"name": "struct", "configuration": {"fields": fields}}
    column = typed("TimeSeriesReferenceVectorData", description="d")
    assert problems({"/c": array(struct, (2,), **column, _REFERENCE_FIELDS=["timeseries"])}, "/c") == []
    says(problems({"/c": array(struct, (2,), **column)}, "/c"), ("/c", "", "timeseries|references"))
    says(problems({"/c": array("int32", (2,), **column)}, "/c"), ("/c", "", "idx_start|count|timeseries|int32"))
    less = {"name": "struct", "configuration": {"fields": fields[1:]}}
    says(problems({"/c": array(less, (2,), **column)}, "/c"), ("/c", "", "idx_start"))
    short = {"name": "struct", "configuration": {"fields": [{**fields[0], "data_type": "int8"}, *fields[1:]]}}
    says(
        problems({"/c": array(short, (2,), **column, _REFERENCE_FIELDS=["timeseries"])}, "/c"),
        ("/c", "", "idx_start|int32|int8"),
    )


def test_values_in_the_place_of_references_and_the_other_way_round() -> None:
    spec = DatasetSpec(type_def="Refs", type_inc="NWBData", dtype=CORE.fields_of("VectorIndex")["target"].dtype)
    texts = DatasetSpec(type_def="Texts", type_inc="NWBData", dtype="text")
    registry = Registry([Namespace("made-up", "0", (Source("s", (spec, texts)),))], bases=[CORE])
    for name, word, words in (
        ("Refs", "str", "references to VectorData|text"),
        ("Texts", "object_reference", "text|references"),
    ):
        nodes = {"/x": array("string", (2,), **typed(name, "made-up"), _DTYPE=word)}
        says(check_node(Nodes(nodes), "/x", only(registry)), ("/x", "", words))


def test_a_fixed_value_of_a_dataset() -> None:
    """The values of datasets are not in the documents; those of attributes are."""
    documents = {
        "/s": group(**typed("CurrentClampSeries", stimulus_description="N/A")),
        "/s/data": array("float64", (3,), unit="amperes"),
    }
    links = {"/s": [Child("electrode", None, "IntracellularElectrode", "core")]}
    says(problems(documents, "/s", links), ("/s/data", "data.unit", "volts|amperes"))


@pytest.mark.parametrize(
    ("dtype", "good", "bad"),
    [
        ("text", ["", "x"], [1, True, 1.5, {"a": 1}]),
        ("int8", [1, -1], ["1", 1.5, True]),
        ("uint8", [0, 300], [-1, "1", 1.5]),
        ("float32", [1, 1.5, -1], ["1.5", True]),
        ("numeric", [1, 1.5], ["1", True]),
        ("bool", [True, False], [1, "true"]),
        ("isodatetime", ["2024-01-01T00:00:00+00:00"], [1, 1.5]),
    ],
)
def test_dtypes_of_attributes(dtype: str, good: list[Any], bad: list[Any]) -> None:
    spec = GroupSpec(type_def="X", type_inc="NWBContainer", attributes=(AttributeSpec("a", dtype),))
    registry = Registry([Namespace("made-up", "0", (Source("s", (spec,)),))], bases=[CORE])

    def check(value: Any) -> list[Problem]:
        return check_node(Nodes({"/x": group(**typed("X", "made-up"), a=value)}), "/x", only(registry))

    for value in good:
        assert check(value) == [], value
    for value in bad:
        found = check(value)
        assert [(problem.field, problem.path) for problem in found] == [("a", "/x")], value
        assert dtype in found[0].message, value


@pytest.mark.parametrize(
    ("dtype", "good", "bad"),
    [
        ("int32", ["int32", "int64"], ["int16", "uint32", "float64", "bool", "string"]),
        ("uint8", ["uint8", "uint16", "uint64"], ["int8", "int64", "float32", "string"]),
        ("float32", ["float32", "float64"], ["float16", "int64", "string", "complex64"]),
        ("numeric", ["int8", "uint64", "float16", "float64"], ["bool", "string", "complex128"]),
        ("bool", ["bool"], ["int8", "string"]),
        ("text", ["string"], ["int8", "bool", "float64"]),
    ],
)
def test_dtypes_of_datasets(dtype: str, good: list[str], bad: list[str]) -> None:
    spec = DatasetSpec(type_def="X", type_inc="NWBData", dtype=dtype)
    registry = Registry([Namespace("made-up", "0", (Source("s", (spec,)),))], bases=[CORE])

    def check(word: str) -> list[Problem]:
        return check_node(Nodes({"/x": array(word, (2,), **typed("X", "made-up"))}), "/x", only(registry))

    for word in good:
        assert check(word) == [], word
    for word in bad:
        found = check(word)
        assert [(problem.field, problem.path) for problem in found] == [("", "/x")], word
        assert dtype in found[0].message, word


# Everything wrong.


def test_every_problem_is_reported_not_the_first() -> None:
    documents = {
        "/ts": group(**typed("TimeSeries", comments=5, description=["d"])),
        "/ts/data": array("int16", (), conversion="x"),
        "/ts/starting_time": array("int8", (2,), unit="hours"),
        "/ts/control": array("float64", (5, 5)),
    }
    found = {(problem.path, problem.field) for problem in problems(documents, "/ts")}
    assert found == {
        ("/ts", "comments"),
        ("/ts", "description"),
        ("/ts/data", "data"),
        ("/ts/data", "data.unit"),
        ("/ts/data", "data.conversion"),
        ("/ts/starting_time", "starting_time"),
        ("/ts/starting_time", "starting_time.unit"),
        ("/ts/starting_time", "starting_time.rate"),
        ("/ts/control", "control"),
    }
    both = [problem.message for problem in problems(documents, "/ts") if problem.path == "/ts/control"]
    assert len(both) == 2


def test_an_empty_session_lacks_all_that_a_session_needs() -> None:
    found = problems({"/": group(**typed("NWBFile"))}, "/")
    lacking = {problem.field for problem in found}
    assert {
        "nwb_version",
        "identifier",
        "session_description",
        "session_start_time",
        "file_create_date",
        "timestamps_reference_time",
    } <= lacking
    assert "subject" not in lacking
    assert "units" not in lacking
