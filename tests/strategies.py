"""Hypothesis strategies for objects of every neurodata type, built from the schema's own facts.

What an object takes comes from its class (`schema_signature`), what a value may be from the field (`FieldSpec`), and
where an object belongs from the fields of other types that take it. Overrides by hand stand in tables at the end, and
only for what the schema cannot say: fields that exclude each other, and rows that mean something to each other.
"""

from __future__ import annotations

import itertools
import tempfile
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import nwbzarr
from nwbzarr.model.predefined import ColumnSpec, predefined_columns
from nwbzarr.model.types import class_named
from nwbzarr.schema.core import CORE
from nwbzarr.schema.fields import FieldSpec, Kind
from nwbzarr.schema.language import standard_dtype
from nwbzarr.schema.specs import DatasetSpec, DType, ReferenceTo, Shapes
from tests.peers.neurodata import write_extension

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nwbzarr.model.elements import Element

Draw = Any
Values = dict[str, Any]

#: Objects that need each other are nested this deep; deeper ones take only what they need.
DEPTH = 2
LONGEST = 3

# Values.

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=4)
MOMENTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 - Hypothesis adds the offset
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30)), timezone(timedelta(hours=14))]),
)
_FLOATS = st.floats(width=32)

#: NumPy dtypes that a dtype of the schema allows: itself, and more precise ones.
_ALLOWED = {
    "numeric": ("i1", "u2", "i8", "f4", "f8"),
    "float32": ("f4", "f8"),
    "float64": ("f8",),
    "bool": ("?",),
    "int8": ("i1", "i2"),
    "int32": ("i4", "i8"),
    "uint8": ("u1", "u4"),
    "uint16": ("u2", "u8"),
    "uint32": ("u4", "u8"),
}
_ANY = ("i2", "u4", "f4", "f8", "?", "O")


def scalars(dtype: DType) -> st.SearchStrategy[Any]:
    """Return values of a simple dtype of the schema, as Python has them."""
    word = standard_dtype(dtype) if isinstance(dtype, str) else "any"
    if word in ("text", "ascii"):
        return TEXTS
    if word in ("isodatetime", "isodate"):
        return MOMENTS
    if word == "bool":
        return st.booleans()
    if word.startswith("float") or word == "numeric":
        return _FLOATS
    if word in _ALLOWED:
        info = np.iinfo(_ALLOWED[word][0])
        return st.integers(int(info.min), int(info.max))
    return st.one_of(TEXTS, _FLOATS, st.integers(-5, 5), st.booleans())


@st.composite
def arrays(draw: Draw, dtype: DType, shape: tuple[int, ...]) -> Any:
    """Return an array of one shape, of one of the NumPy dtypes that the schema allows; lists of texts."""
    word = standard_dtype(dtype) if isinstance(dtype, str) else "any"
    if word == "isodatetime":
        return draw(st.lists(MOMENTS, min_size=shape[0], max_size=shape[0]))
    code = "O" if word in ("text", "ascii") else draw(st.sampled_from(_ALLOWED.get(word, _ANY)))
    if code == "O":
        found = np.empty(shape, dtype=object)
        for place in np.ndindex(shape):
            found[place] = draw(TEXTS)
        return found.tolist() if word in ("text", "ascii") else found
    return draw(npst.arrays(np.dtype(code), shape, elements=npst.from_dtype(np.dtype(code)), fill=st.nothing()))


# Where objects belong.

#: Types that stand for many others: a field of such a type takes what has a place of its own elsewhere.
_GENERAL = frozenset({"NWBContainer", "NWBDataInterface", "DynamicTable", "Container", "Data", "VectorData"})
#: Holders whose members must fit each other: tables make them, nothing is put into them.
_CLOSED = frozenset({"HERD", "AlignedDynamicTable", "IntracellularRecordingsTable", "SimpleMultiContainer"})
_EXTENSION = "ndx-holder"


@cache
def holder_class() -> Any:
    """Return the extension type that holds one each of the types that have no place in a session."""
    with tempfile.TemporaryDirectory() as folder:
        nwbzarr.load_namespace(write_extension(Path(folder)))
    return nwbzarr.get_class("TypeHolder", _EXTENSION)


@cache
def homes(name: str) -> tuple[tuple[str, FieldSpec], ...]:
    """Return the types that hold objects of a type by the schema, with the field: those that name it most closely."""
    lineage = [spec.name for spec in CORE.lineage(name)]
    found: list[tuple[int, str, FieldSpec]] = []
    for holder in CORE.types:
        if holder in _CLOSED or CORE.is_a(holder, ("VectorData",)):
            continue
        for field in _own_fields(holder):
            fits = [lineage.index(wanted) for wanted in field.types if wanted in lineage]
            if fits and field.kind in (Kind.COLLECTION, Kind.CONTAINER):
                found.append((min(fits), holder, field))
    nearest = min((distance for distance, *_ in found), default=0)
    general = ("NWBDataInterface", "DynamicTable")
    return tuple(
        (holder, field)
        for distance, holder, field in found
        if distance == nearest
        or (holder in ("NWBFile", "ProcessingModule") and CORE.is_a(name, general) and set(field.types) & set(general))
    )


def _own_fields(name: str) -> list[FieldSpec]:
    base = CORE.types[name].base
    known = CORE.fields_of(base) if base else {}
    return [field for field in CORE.fields_of(name).values() if known.get(field.name) != field]


@cache
def subtypes(name: str) -> tuple[str, ...]:
    """Return a type and those that extend it."""
    return tuple(found for found in CORE.types if CORE.is_a(found, (name,)))


# Objects.


class Maker:
    """Makes one session, and objects in it, from what Hypothesis draws.

    Parameters
    ----------
    draw : callable
        Hypothesis' ``draw``.
    eager : bool
        Whether the first example has all that may be left out, and not the least that is allowed. What fails does not
        become small then.
    """

    def __init__(self, draw: Draw, *, eager: bool = False) -> None:
        self.draw = draw
        self.eager = eager
        self.session: Any = None
        self.placed: list[Any] = []
        #: Types with an object that has the name that the type gives.
        self.unnamed: set[str] = set()
        self._numbers = itertools.count()

    def flip(self) -> bool:
        """Return whether to do what may be left out."""
        return bool(self.draw(st.booleans())) != self.eager

    def number(self, least: int = 0, most: int = LONGEST) -> int:
        """Return a small number."""
        drawn = int(self.draw(st.integers(least, most)))
        return least + most - drawn if self.eager else drawn

    def choose(self, options: Iterable[Any]) -> Any:
        """Return one of several."""
        return self.draw(st.sampled_from(list(options)))

    def name(self, word: str) -> str:
        """Return a name that nothing has yet, not always an easy one."""
        return f"{word} {self.choose(('', 'ä', '.x', '-', '%20'))}{next(self._numbers)}"

    # The session.

    def begin(self, fields: Values | None = None) -> None:
        """Make the session that all belongs to."""
        given = {
            "session_description": self.draw(TEXTS),
            "identifier": "session",
            "session_start_time": self.draw(MOMENTS),
            "file_create_date": [self.draw(MOMENTS)],
        }
        self.session = nwbzarr.NWBFile(**{**given, **(fields or {})})

    def whole_session(self) -> Any:
        """Make a session with what the schema gives it, in the fields themselves."""
        specs = CORE.fields_of("NWBFile")
        self.begin(self.arguments("NWBFile", only=(Kind.DATASET, Kind.ATTRIBUTE)))
        for field in specs.values():
            if field.kind is Kind.COLLECTION and self.flip():
                kind = self.choose(field.types)
                getattr(self.session, field.name).add(self.keep(self.make(kind, depth=1)))
            elif field.kind is Kind.CONTAINER and self.flip() and getattr(self.session, field.name) is None:
                made = self.make(field.types[0], depth=1)
                if getattr(self.session, field.name) is None:
                    setattr(self.session, field.name, self.keep(made))
        return self.session

    def keep(self, element: Any) -> Any:
        """Note that an object has its place, and return it."""
        self.placed.append(element)
        return element

    # Placing.

    def place(self, element: Any, depth: int = 0) -> Any:
        """Put an object into the session where it belongs, and return it."""
        name = element.neurodata_type
        if not homes(name):
            self._hold(element)
            return self.keep(element)
        options = [
            (holder, field)
            for holder, field in homes(name)
            if holder != "NWBFile" or field.kind is Kind.COLLECTION or getattr(self.session, field.name) is None
        ]
        direct = [option for option in options if option[0] == "NWBFile"]
        holder, field = self.choose(direct if direct and depth >= DEPTH else options)
        if holder == "NWBFile":
            if field.kind is Kind.COLLECTION:
                getattr(self.session, field.name).add(element)
            else:
                setattr(self.session, field.name, element)
        else:
            many = field.kind is Kind.COLLECTION
            self.place(
                self.make(holder, depth=depth + 1, given={field.name: [element] if many else element}), depth + 1
            )
        return self.keep(element)

    def _hold(self, element: Any) -> None:
        """Put an object that no type of NWB takes into a container of an extension that takes it."""
        cls = holder_class()
        name = element.neurodata_type
        fields = [field for field in cls.schema_fields.values() if CORE.is_a(name, field.types)]
        field = next(field for kind in CORE.lineage(name) for field in fields if kind.name in field.types)
        self.session.add_lab_meta_data(cls(name=self.name("holder"), **{field.name: element}))

    def target(self, name: str, depth: int = 0) -> Any:
        """Return an object of a type that has its place in the session: one that is there, or a new one."""
        there = [element for element in self.placed if CORE.is_a(element.neurodata_type, (name,))]
        single = [field for holder, field in homes(name) if holder == "NWBFile" and field.kind is Kind.CONTAINER]
        if there and (len(there) >= LONGEST or (single and not CORE.is_a("TimeIntervals", (name,))) or self.flip()):
            return self.choose(there)
        return self.place(self.make(_TARGETS.get(name, name), depth=depth + 1), depth + 1)

    # Making.

    def make(self, name: str, depth: int = 0, given: Values | None = None) -> Any:
        """Return an object of a type, with no place yet."""
        fixed = given or {}
        by_hand = next((_MAKE[spec.name] for spec in CORE.lineage(name) if spec.name in _MAKE), None)
        if by_hand is not None:
            return by_hand(self, name, depth, fixed)
        return class_named(name)(**self.arguments(name, depth, fixed))

    def arguments(
        self,
        name: str,
        depth: int = 0,
        given: Values | None = None,
        sizes: dict[str, int] | None = None,
        only: tuple[Kind, ...] = tuple(Kind),
        without: Iterable[str] = (),
    ) -> Values:
        """Return arguments for the constructor of a type: all that it needs, and some that it does not."""
        cls = class_named(name)
        sizes = {} if sizes is None else sizes
        values = dict(given or {})
        left_out = {*without, *values}
        carried: list[tuple[FieldSpec, bool]] = []
        for word, parameter in cls.schema_signature.parameters.items():
            field = cls.schema_fields.get(word)
            needed = parameter.default is parameter.empty
            if word == "name":
                if word not in values and (needed or parameter.default is None or name in self.unnamed or self.flip()):
                    values[word] = self.name(name)
                elif word not in values:
                    self.unnamed.add(name)
            elif word not in left_out and field is not None and field.kind in only:
                if field.kind is Kind.ATTRIBUTE and field.path:
                    carried.append((field, needed))
                elif needed or field.required or (depth < DEPTH and self.flip()):
                    values[word] = self.value(field, name, sizes, depth)
        paths = {cls.schema_fields[word].path for word in values if word in cls.schema_fields}
        for field, needed in carried:
            if field.path in paths and (needed or field.required or name in _COMPLETE or self.flip()):
                values[field.name] = self.value(field, name, sizes, depth)
        return {word: value for word, value in values.items() if value is not None}

    def value(self, field: FieldSpec, owner: str, sizes: dict[str, int], depth: int) -> Any:  # noqa: PLR0911 - one for each kind
        """Return a value for a field."""
        if field.fixed:
            return field.default
        if field.kind is Kind.COLLECTION:
            count = self.number(max(1, field.quantity.least), 2 if depth < DEPTH else 1)
            return [self.make(self.choose(self._options(field, depth)), depth + 1) for _ in range(count)]
        if field.kind is Kind.LINK:
            return self.target(field.types[0], depth)
        if field.kind is Kind.CONTAINER:
            if "DynamicTableRegion" in field.types:
                return self.region(field, sizes, depth)
            return self.make(field.types[0], depth + 1)
        if isinstance(field.dtype, ReferenceTo):
            return self.target(field.dtype.target, depth)
        if isinstance(field.dtype, tuple):
            return tuple(self.draw(scalars(part.dtype)) for part in field.dtype)
        special = _VALUES.get((owner, field.name))
        if special is not None:
            return self.draw(special)
        if not field.shapes:
            return self.draw(scalars(field.dtype))
        shape = self.shape(field.shapes, field.dims, sizes)
        return self.draw(arrays(field.dtype, shape))

    def _options(self, field: FieldSpec, depth: int) -> tuple[str, ...]:
        """Return the types that a collection is filled with."""
        if field.types == ("BaseImage",):
            return subtypes("BaseImage")
        kinds = tuple(kind for wanted in field.types for kind in subtypes(wanted)) if depth == 0 else field.types
        return tuple(kind for kind in kinds if kind not in _LONELY) or field.types

    def shape(self, shapes: Shapes, dims: Iterable[tuple[str, ...]], sizes: dict[str, int]) -> tuple[int, ...]:
        """Return one of the shapes allowed; dimensions of one name have one size in an object."""
        names = list(dims)
        chosen = self.number(0, len(shapes) - 1)
        words = names[chosen] if chosen < len(names) else ()
        found = []
        for axis, size in enumerate(shapes[chosen]):
            word = words[axis] if axis < len(words) else f"axis {axis}"
            word = _SAME.get(word, word)
            found.append(sizes.setdefault(word, self.number()) if size is None else size)
        return tuple(found)

    def region(self, field: FieldSpec, sizes: dict[str, int], depth: int) -> Any:
        """Return rows of the table that a region of this name is of."""
        word = field.path.rpartition("/")[2]
        table, dimension = _REGIONS[word]
        rows = self.target(table, depth)
        count = sizes.setdefault(dimension, self.number())
        numbers = [self.number(0, len(rows) - 1) for _ in range(count)] if len(rows) else []
        return nwbzarr.DynamicTableRegion(name=word, data=numbers, description=self.draw(TEXTS), table=rows)

    # Tables.

    def table(self, name: str, depth: int, given: Values) -> Any:
        """Return a table with rows, added one by one or given as whole columns."""
        cls = class_named(name)
        fixed = dict(given)
        count = fixed.pop("rows", None)
        count = self.number(1 if depth else 0) if count is None else count
        before = _BEFORE.get(name)
        if before is not None:
            fixed.setdefault(before[0], self.target(before[1], depth))
        columns = [self._column(spec, count, depth, fixed) for spec in self._wanted(name, depth)]
        columns += [self._free_column(count) for _ in range(self.number(0, 2) if depth < DEPTH else 0)]
        if name == "Units" and any(spec.type == "DynamicTableRegion" for spec, _ in columns):
            fixed["electrode_table"] = self.target("ElectrodesTable", depth)
        there = {spec.name for spec, cells in columns if cells}
        words = _WORDS if name == "Units" and depth < DEPTH else {}
        drawn = {word: self.draw(value) for word, (owners, value) in words.items() if there & owners and self.flip()}
        values = self.arguments(name, depth, {**drawn, **fixed}, without=_TABLE_WORDS)
        identifiers = self.draw(st.lists(st.integers(0, 2**31 - 1), min_size=count, max_size=count, unique=True))
        if before is None and self.flip():
            parts = [part for spec, cells in columns for part in self._parts(spec, cells, values)]
            return cls(**values, id=identifiers, columns=parts)
        made = cls(**values)
        for spec, _ in columns:
            if spec.name not in made.predefined:
                made.add_column(spec.name, spec.description, index=spec.levels)
        for row, identifier in enumerate(identifiers):
            made.add_row({spec.name: cells[row] for spec, cells in columns}, id=identifier)
        return made

    def _wanted(self, name: str, depth: int) -> list[ColumnSpec]:
        """Return the columns that a type of table has, or may have."""
        specs = predefined_columns(CORE, name).values()
        return [spec for spec in specs if spec.required or (depth < DEPTH and self.flip())]

    def _free_column(self, count: int) -> tuple[ColumnSpec, list[Any]]:
        """Return a column that no type names."""
        word = self.choose(("text", "float64", "bool", "int32"))
        rules = DatasetSpec(dtype=word, shapes=((None,),))
        spec = ColumnSpec(self.name("column"), "VectorData", self.number(0, 2), False, rules, self.draw(TEXTS))
        return self._column(spec, count, DEPTH, {})

    def _column(self, spec: ColumnSpec, count: int, depth: int, given: Values) -> tuple[ColumnSpec, list[Any]]:
        """Return a column with its cells: nested lists where it is ragged."""
        cell = self._cells(spec, depth, given)
        return spec, [self._nested(cell, spec.levels) for _ in range(count)]

    def _nested(self, cell: Callable[[], Any], levels: int) -> Any:
        return [self._nested(cell, levels - 1) for _ in range(self.number())] if levels else cell()

    def _cells(self, spec: ColumnSpec, depth: int, given: Values) -> Callable[[], Any]:
        """Return what makes one cell after another, all of one dtype and shape."""
        rules = spec.rules
        if spec.type == "DynamicTableRegion":
            rows = next((value for value in given.values() if hasattr(value, "row_count")), None)
            rows = self.target("ElectrodesTable", depth) if rows is None else rows
            return lambda: self.number(0, len(rows) - 1)
        if spec.type == "TimeSeriesReferenceVectorData":
            return lambda: (self.number(), self.number(), self.target("TimeSeries", depth))
        if isinstance(rules.dtype, ReferenceTo):
            wanted = rules.dtype.target
            return lambda: self.target(wanted, depth)
        if isinstance(rules.dtype, tuple):
            fields = rules.dtype
            return lambda: tuple(self.draw(scalars(part.dtype)) for part in fields)
        flat = [shape for shape in rules.shapes if len(shape) == 1]
        word = rules.dtype or self.choose(("float64", "bool", "int32", *(("text",) if flat else ())))
        shapes = flat if word == "text" else rules.shapes or [(None,)]
        inner = tuple(self.number(1) if size is None else size for size in self.choose(shapes)[1:])
        if not inner:
            return lambda: self.draw(scalars(word))
        code = np.dtype(self.choose(_ALLOWED[standard_dtype(str(word))]))
        return lambda: self.draw(npst.arrays(code, inner, elements=npst.from_dtype(code), fill=st.nothing()))

    def _parts(self, spec: ColumnSpec, cells: list[Any], given: Values) -> list[Any]:
        """Return a column, and its indexes, as objects."""
        ends: list[list[int]] = []
        for _ in range(spec.levels):
            ends.insert(0, np.cumsum([len(cell) for cell in cells], dtype="i8").tolist())
            cells = [item for cell in cells for item in cell]
        fields: Values = {"name": spec.name, "description": self.draw(TEXTS), "data": cells}
        if spec.type == "DynamicTableRegion":
            fields["table"] = given["electrode_table"]
        found = [class_named(spec.type)(**fields)]
        for level in ends:
            found.append(nwbzarr.VectorIndex(name=f"{found[-1].name}_index", data=level, target=found[-1]))
        return found[::-1]


# What the schema cannot say.


def _series(maker: Maker, name: str, depth: int, given: Values) -> Any:
    """Return a series: timestamps or a rate, and one of everything for each sample."""
    fixed = dict(given)
    sizes = {"num_times": maker.number(1 if depth else 0)}
    words = class_named(name).schema_signature.parameters
    if "rate" in words and maker.flip():
        fixed["rate"] = maker.draw(st.floats(min_value=2**-20, max_value=2**20, width=32))
        if maker.flip():
            fixed["starting_time"] = maker.draw(st.floats(allow_nan=False, allow_infinity=False))
    else:
        fixed["timestamps"] = maker.draw(arrays("float64", (sizes["num_times"],)))
    if CORE.is_a(name, ("ImageSeries",)):
        _image_fields(maker, name, fixed)
    elif name in ("AnnotationSeries", "IntervalSeries"):
        field = CORE.fields_of(name)["data"]
        fixed["data"] = maker.value(field, name, sizes, depth)
    elif name == "IndexSeries":
        fixed["unit"] = "N/A"
    without = ("rate", "starting_time", "timestamps", "num_samples")
    return class_named(name)(**maker.arguments(name, depth, fixed, sizes, without=without))


def _image_fields(maker: Maker, name: str, fixed: Values) -> None:
    """Decide whether images are here or in files."""
    if maker.flip():
        count = maker.number(1, 2)
        fixed["external_file"] = [f"file{number}.tif" for number in range(count)]
        fixed["starting_frame"] = list(range(count))
        fixed["data"] = None
    else:
        fixed |= {"external_file": None, "starting_frame": None}
        fixed["format"] = maker.choose((None, "raw"))
    fixed["bits_per_pixel"] = maker.choose((None, 8)) if name == "ImageSeries" else None


def _image(maker: Maker, name: str, depth: int, given: Values) -> Any:
    spec = CORE.resolved(name)
    assert isinstance(spec, DatasetSpec)
    if name == "ExternalImage":
        data: Any = maker.draw(TEXTS)
    else:
        data = maker.draw(arrays("numeric", maker.shape(spec.shapes or ((None, None),), (), {})))
    return class_named(name)(**maker.arguments(name, depth, {"data": data, **given}))


def _images(maker: Maker, name: str, depth: int, given: Values) -> Any:
    fixed = dict(given)
    order = fixed.get("order_of_images")
    fixed.setdefault(
        "images",
        list(order.data) if order is not None else maker.value(CORE.fields_of(name)["images"], name, {}, depth),
    )
    if order is None and maker.flip():
        fixed["order_of_images"] = nwbzarr.ImageReferences(data=list(fixed["images"])[::-1])
    return class_named(name)(**maker.arguments(name, depth, fixed, without=("order_of_images",)))


def _image_references(maker: Maker, _: str, depth: int, given: Values) -> Any:
    images = maker.value(CORE.fields_of("Images")["images"], "Images", {}, depth)
    return nwbzarr.ImageReferences(data=images, **given)


def _data(maker: Maker, name: str, _: int, given: Values) -> Any:
    """Return a dataset that may hold anything."""
    shape = tuple(maker.number() for _ in range(maker.number(1, 3)))
    data = maker.draw(st.one_of(arrays(None, shape), scalars(None) if name == "ScratchData" else st.nothing()))
    more = {"notes": maker.draw(TEXTS)} if name == "ScratchData" else {}
    return class_named(name)(name=maker.name(name), data=data, **more, **given)


def _column_object(maker: Maker, name: str, depth: int, _: Values) -> Any:
    """Return a table that has a column of the type: columns live in tables."""
    count = maker.number(1)
    return nwbzarr.DynamicTable(
        name=maker.name("table"), description=maker.draw(TEXTS), **_COLUMNS[name](maker, count, depth)
    )


def _some_column(maker: Maker, count: int, depth: int) -> Values:
    del depth
    shape = (count, *(maker.number() for _ in range(maker.number(0, 2))))
    data = maker.draw(arrays(None, shape))
    return {"columns": [nwbzarr.VectorData(name=maker.name("c"), description=maker.draw(TEXTS), data=data)]}


def _timed_column(name: str) -> Callable[[Maker, int, int], Values]:
    def make(maker: Maker, count: int, depth: int) -> Values:
        data = maker.draw(arrays("float64", (count,)))
        fields = maker.arguments(name, depth, {"name": maker.name("c"), "data": data})
        return {"columns": [class_named(name)(**fields)]}

    return make


def _identified(maker: Maker, count: int, depth: int) -> Values:
    data = maker.draw(arrays("int32", (count,)))
    return {**_some_column(maker, count, depth), "id": nwbzarr.ElementIdentifiers(name="id", data=data)}


def _ragged(maker: Maker, count: int, depth: int) -> Values:
    del depth
    spec = ColumnSpec(maker.name("c"), "VectorData", maker.number(1, 2), False, DatasetSpec(dtype="int32"), "")
    _, cells = maker._column(spec, count, 0, {})
    return {"columns": maker._parts(spec, cells, {})}


def _enum(maker: Maker, count: int, depth: int) -> Values:
    del depth
    elements = maker.draw(st.lists(TEXTS, min_size=1, max_size=3, unique=True))
    data = np.array([maker.number(0, len(elements) - 1) for _ in range(count)], dtype="u1")
    column = nwbzarr.EnumData(name=maker.name("c"), description=maker.draw(TEXTS), data=data, elements=elements)
    return {"columns": [column]}


def _region_column(maker: Maker, count: int, depth: int) -> Values:
    table = maker.target("DynamicTable", depth)
    rows = [maker.number(0, len(table) - 1) for _ in range(count)] if len(table) else []
    region = nwbzarr.DynamicTableRegion(name=maker.name("c"), data=rows, description=maker.draw(TEXTS), table=table)
    return {"columns": [region]}


def _samples_column(maker: Maker, count: int, depth: int) -> Values:
    column = nwbzarr.TimeSeriesReferenceVectorData(name=maker.name("c"), description=maker.draw(TEXTS))
    for _ in range(count):
        column.add_row((maker.number(), maker.number(), maker.target("TimeSeries", depth)))
    return {"columns": [column]}


def _meanings(maker: Maker, _: str, depth: int, given: Values) -> Any:
    """Return a table of meanings, in the table whose column it explains."""
    table = maker.place(maker.table("DynamicTable", max(depth, 1), {}), depth)
    table.add_column(name=maker.name("kind"), description="k", data=[maker.draw(TEXTS) for _ in range(len(table))])
    made = maker.table("MeaningsTable", depth, {"target": table[table.colnames[-1]], **given})
    table.add_meanings_table(made)
    return made


def _aligned(maker: Maker, name: str, depth: int, given: Values) -> Any:
    """Return a table whose categories have as many rows as itself."""
    count = maker.number()
    tables = [maker.table("DynamicTable", depth + 1, {"rows": count}) for _ in range(maker.number(0, 2))]
    values = maker.arguments(name, depth, given, without=_TABLE_WORDS)
    spec, cells = maker._free_column(count)
    return class_named(name)(**values, columns=maker._parts(spec, cells, {}), category_tables=tables)


def _recordings(maker: Maker, name: str, depth: int, given: Values) -> Any:
    """Return a table of recordings: one electrode, stimulus and response each."""
    made = class_named(name)(**maker.arguments(name, depth, given, without=_TABLE_WORDS))
    for _ in range(maker.number(1, 2)):
        stimulus, response = maker.target("VoltageClampStimulusSeries", depth), maker.target("TimeSeries", depth)
        made.add_recording(
            electrode=stimulus.electrode if response.neurodata_type != "TimeSeries" else None,
            stimulus=stimulus,
            response=response if getattr(response, "electrode", stimulus.electrode) is stimulus.electrode else None,
        )
    return made


def _category(maker: Maker, name: str, depth: int, _: Values) -> Any:
    """Return a category of a table of recordings, which is where it belongs."""
    made = maker.target("IntracellularRecordingsTable", depth)
    word = {"IntracellularElectrodesTable": "electrodes", "IntracellularStimuliTable": "stimuli"}
    return made.category_tables[word.get(name, "responses")]


def _sparse(maker: Maker, _: str, __: int, given: Values) -> Any:
    rows, columns = maker.number(1), maker.number(1)
    dense = maker.draw(npst.arrays(np.dtype("f8"), (rows, columns), elements=st.sampled_from([0.0, 1.5, -2.0])))
    from scipy.sparse import csr_matrix

    return nwbzarr.CSRMatrix(csr_matrix(dense), name=maker.name("matrix"), **given)


def _several(maker: Maker, _: str, depth: int, given: Values) -> Any:
    kinds = ("Container", "Data", "NWBContainer", "TimeSeries", "DynamicTable", "SimpleMultiContainer")
    inner = [maker.make(maker.choose(kinds[: 6 if depth < DEPTH else 2]), depth + 1) for _ in range(maker.number(1, 2))]
    return nwbzarr.SimpleMultiContainer(name=maker.name("several"), containers=inner, **given)


def _herd(maker: Maker, name: str, _: int, given: Values) -> Any:
    fields = CORE.fields_of(name)
    rows: Values = {}
    for word, field in fields.items():
        assert isinstance(field.dtype, tuple)
        parts = [scalars(part.dtype) for part in field.dtype]
        rows[word] = [tuple(maker.draw(part) for part in parts) for _ in range(maker.number())]
    return nwbzarr.HERD(**{**rows, **given})


def _sweeps(maker: Maker, name: str, depth: int, given: Values) -> Any:
    made = class_named(name)(**maker.arguments(name, depth, given, without=_TABLE_WORDS))
    for _ in range(maker.number()):
        made.add_row(sweep_number=maker.number(), series=[maker.target("PatchClampSeries", depth)])
    return made


_TABLE_WORDS = ("id", "columns", "colnames", "target_tables", "meanings_tables", "category_tables", "categories")

#: Makers by hand, for a type and all that extend it.
_MAKE: dict[str, Callable[[Maker, str, int, Values], Any]] = {
    "TimeSeries": _series,
    "BaseImage": _image,
    "Images": _images,
    "ImageReferences": _image_references,
    "Data": _data,
    "DynamicTable": Maker.table,
    "AlignedDynamicTable": _aligned,
    "IntracellularRecordingsTable": _recordings,
    "IntracellularElectrodesTable": _category,
    "IntracellularStimuliTable": _category,
    "IntracellularResponsesTable": _category,
    "MeaningsTable": _meanings,
    "SweepTable": _sweeps,
    "CSRMatrix": _sparse,
    "SimpleMultiContainer": _several,
    "HERD": _herd,
    "VectorData": _column_object,
    "ElementIdentifiers": _column_object,
}

#: What holds a column of each type.
_COLUMNS: dict[str, Callable[[Maker, int, int], Values]] = {
    "VectorData": _some_column,
    "VectorIndex": _ragged,
    "DynamicTableRegion": _region_column,
    "EnumData": _enum,
    "TimeSeriesReferenceVectorData": _samples_column,
    "TimestampVectorData": _timed_column("TimestampVectorData"),
    "DurationVectorData": _timed_column("DurationVectorData"),
    "ElementIdentifiers": _identified,
}

#: Dimensions that are one under two names.
_SAME = {"frame": "num_times", "time": "num_times", "num_events": "num_times"}

#: Region to the type of table that it is of, and the dimension that has its length.
_REGIONS = {
    "electrodes": ("ElectrodesTable", "num_channels"),
    "source_channels": ("ElectrodesTable", "num_channels"),
    "rois": ("PlaneSegmentation", "num_ROIs"),
}

#: Argument of a table that groups rows of another, and the type of that one.
_BEFORE = {
    "SimultaneousRecordingsTable": ("intracellular_recordings_table", "IntracellularRecordingsTable"),
    "SequentialRecordingsTable": ("simultaneous_recordings_table", "SimultaneousRecordingsTable"),
    "RepetitionsTable": ("sequential_recordings_table", "SequentialRecordingsTable"),
    "ExperimentalConditionsTable": ("repetitions_table", "RepetitionsTable"),
}

#: Arguments of units that are attributes of columns: the columns, and the values.
_WAVEFORMS = frozenset({"waveform_mean", "waveform_sd", "waveforms"})
_WORDS: dict[str, tuple[frozenset[str], st.SearchStrategy[Any]]] = {
    "waveform_rate": (_WAVEFORMS, _FLOATS),
    "waveform_unit": (_WAVEFORMS, st.just("volts")),
    "waveform_time_before_peak_in_ms": (_WAVEFORMS, _FLOATS),
    "resolution": (frozenset({"spike_times"}), _FLOATS),
}

#: Values that mean something, by type and field.
_VALUES: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("Subject", "age"): st.sampled_from(["P90D", "P1Y", "P3M/P4M"]),
    ("Subject", "age__reference"): st.sampled_from(["birth", "gestational"]),
    ("Subject", "sex"): st.sampled_from(["M", "F", "U", "O"]),
}

#: What stands for a type that is asked for, where any other would do.
_TARGETS = {"PatchClampSeries": "CurrentClampSeries", "BaseImage": "GrayscaleImage"}

#: Types whose datasets come with all their attributes.
_COMPLETE = frozenset({"ImagingRetinotopy", "NWBFile"})

#: Types that are not put into a collection of something general: they need a place of their own, or company.
_LONELY = frozenset(
    {"NWBFile", "MeaningsTable", "IntracellularElectrodesTable", "IntracellularStimuliTable", "LabMetaData"}
    | {"IntracellularResponsesTable", "IntracellularRecordingsTable", *_BEFORE}
)


@st.composite
def sessions_with(draw: Draw, name: str, *, eager: bool = False) -> tuple[Any, Element]:
    """Return a session that holds an object of a type, and the object that was made for it.

    For a type of columns that is the table that has one; for `NWBFile` the session itself.
    """
    maker = Maker(draw, eager=eager)
    if name == "NWBFile":
        session = maker.whole_session()
        return session, session
    maker.begin()
    made = maker.make(name)
    return maker.session, made if made.parent is not None else maker.place(made)
