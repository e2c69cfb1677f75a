"""Datasets of a session, planned: encoded now when small, region by region or object by object when not.

What is collected goes into `Parts`. References wait until the whole session is planned, since they may lead through
any link of it. This room decides; `execution` does.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.arrays.stored import import_graphs
from nwbzarr.convention.documents import (
    Document,
    array_document,
    chunk_shape,
    with_dimension_names,
)
from nwbzarr.convention.dtypes import dtype_name, encode_data_type, fill_value, parse_data_type
from nwbzarr.convention.names import DIMENSIONS, DTYPE, OBJECT_REFERENCE, REFERENCE_FIELDS
from nwbzarr.errors import NWBZarrError
from nwbzarr.layout.explanation import role_of
from nwbzarr.layout.planning import SINGLE_CHUNK_BYTES, ArrayLayout, parse_layout, plan_layout
from nwbzarr.layout.rules import LayoutRules, LayoutWish
from nwbzarr.model.columns import ElementIdentifiers, VectorData
from nwbzarr.model.elements import Element, Location
from nwbzarr.model.values import dims_of, is_blocks
from nwbzarr.stores.places import Place
from nwbzarr.stores.zarr_arrays import check_array, place_of
from nwbzarr.writing.plans import AppendPlan, CopyPlan
from nwbzarr.writing.references import ReferenceRows, find_references, schema_dtype, settled_rows
from nwbzarr.writing.sources import BlockSource, MemorySource, Source, is_graph, open_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from nwbzarr.model.datasets import Dataset
    from nwbzarr.stores.url import StoreURL
    from nwbzarr.tree.tree import Tree
    from nwbzarr.writing.parts import Parts

#: Attributes that say what stored bytes mean; they go where the bytes go.
_DESCRIPTIVE = (DTYPE, DIMENSIONS, REFERENCE_FIELDS)

#: Separators of chunk keys that an array written anew changes between, so that old chunks stay whole until the commit.
_SEPARATORS = {".": "/", "/": "."}


class DatasetPlanner:
    """Plans datasets.

    Parameters
    ----------
    parts : Parts
        Takes what is planned.
    url : StoreURL
        The store.
    base : Tree or None
        What is stored there, for an update.
    attributes : callable
        Gives the attributes of an element at a path as JSON.
    rules : LayoutRules
        What is wished for layouts.
    """

    def __init__(
        self,
        parts: Parts,
        url: StoreURL,
        base: Tree | None,
        attributes: Callable[[Element, str], dict[str, Any]],
        rules: LayoutRules,
    ) -> None:
        self.parts = parts
        self.rules = rules
        self.url = url
        self.base = base
        self._attributes = attributes
        self._waiting: list[tuple[Dataset, str, ReferenceRows]] = []
        self._growing: list[tuple[Dataset, str]] = []

    def plan(self, dataset: Dataset, path: str) -> None:
        """Plan a dataset; errors get its path."""
        try:
            if self.base is not None and path in self.base.documents:
                self._plan_stored(dataset, path)
            else:
                self._plan_new(dataset, path)
        except NWBZarrError as error:
            raise error.located(self.url.text, path) from error

    def plan_references(self, path_of: Callable[[Element, str], str]) -> None:
        """Plan the datasets whose rows hold containers, now that every container has its place."""
        for dataset, path, rows in self._waiting:
            values = rows.encode(lambda element, path=path: path_of(element, path))  # type: ignore[misc]
            meaning: dict[str, Any] = (
                {REFERENCE_FIELDS: list(rows.fields)} if rows.fields else {DTYPE: OBJECT_REFERENCE}
            )
            self._plan_source(dataset, path, MemorySource(values), meaning)
        for dataset, path in self._growing:
            try:
                self._plan_rows(dataset, path, lambda element, path=path: path_of(element, path))  # type: ignore[misc]
            except NWBZarrError as error:
                raise error.located(self.url.text, path) from error

    # New datasets.

    def _plan_new(self, dataset: Dataset, path: str) -> None:
        self.parts.stored.append((dataset, path))
        data = dataset.data
        origin = getattr(data, "stored_at", None)
        if isinstance(origin, Location) and not isinstance(data, Element):
            self.parts.reads.add(origin.url)
            if not self._wish(dataset, path, data.shape).given:
                self._plan_copy(dataset, path, origin)
                return
        dtype = schema_dtype(dataset)
        rows = find_references(data, dtype, path)
        if rows is not None:
            self._waiting.append((dataset, path, rows))
            self.parts.documents[path] = {}
            return
        data = settled_rows(dataset.data_to_store(), dtype, path)
        self._note_reads(data)
        source = open_source(_empty_typed(data, dtype, _schema_rules(dataset)), path)
        if isinstance(source, BlockSource):
            dataset.replace_data(source.spent)
        elif is_blocks(data) and isinstance(source, MemorySource):
            dataset.replace_data(source.array)
        self._plan_source(dataset, path, source, _empty_meaning(source, dtype))

    def _plan_source(self, dataset: Dataset, path: str, source: Source, meaning: dict[str, Any]) -> None:
        wish = self._wish(dataset, path, source.shape)
        layout = _layout(dataset, path, source, wish)
        self.parts.layouts[path] = layout
        document = self._document(dataset, path, source, layout, meaning)
        if wish.given:
            check_array(document)
        self.parts.put(path, document, source, layout)

    def _wish(self, dataset: Dataset, path: str, shape: tuple[int, ...]) -> LayoutWish:
        """Return what is wished for the layout: by the data itself, then by the rules, which leave scalars alone."""
        found = self.rules.find(path) if shape else LayoutWish()
        own = dataset.storage.wish.given if dataset.storage is not None else {}
        return replace(found, **own) if own else found

    def _document(
        self, dataset: Dataset, path: str, source: Source, layout: ArrayLayout, meaning: dict[str, Any]
    ) -> Document:
        said = {DTYPE: dtype_name(source.dtype)} if source.dtype.names is None else {}
        attributes = {**said, **meaning, **self._attributes(dataset, path)}
        dimensions = _dimensions(dataset, source.shape)
        if dimensions is not None:
            attributes[DIMENSIONS] = list(dimensions)
        if source.shape and (dimensions is None or len(set(dimensions)) < len(dimensions)):
            # xarray needs names, and one name must have one length within a group.
            dimensions = tuple(f"{dataset.name}_dim{index}" for index in range(len(source.shape)))
        return array_document(
            shape=source.shape,
            data_type=encode_data_type(source.dtype),
            chunk_shape=layout.objects,
            codecs=layout.stored_codecs,
            fill_value=fill_value(source.dtype),
            attributes=attributes,
            dimension_names=dimensions,
        )

    def _plan_copy(self, dataset: Dataset, path: str, origin: Location) -> None:
        """Plan a copy of stored objects; attributes are the new dataset's."""
        lazy = dataset.data
        stored: Document = lazy.dataset.loader.tree.documents[origin.path]
        described = {name: stored["attributes"][name] for name in _DESCRIPTIVE if name in stored["attributes"]}
        document = {**stored, "attributes": {**described, **self._attributes(dataset, path)}}
        self.parts.documents[path] = with_dimension_names(document, dataset.name)
        self.parts.copies.append(CopyPlan(origin, path, stored, lazy.dataset.loader.store.keys))

    def _note_reads(self, data: Any) -> None:
        """Note stores that some data is read from lazily, as far as it can be seen."""
        for part in import_graphs().parts_of(data) if is_graph(data) else (data,):
            location = getattr(part, "stored_at", None)
            if isinstance(location, Location | Place):
                self.parts.reads.add(location.url)
            place = place_of(getattr(part, "store", None))
            if place is not None:
                self.parts.reads.add(place)

    # Datasets that are stored.

    def _plan_stored(self, dataset: Dataset, path: str) -> None:
        """Plan what is new in a stored dataset: attributes now, rows when references have their places."""
        if self.base is None:  # pragma: no cover - stored paths have a base
            return
        self.parts.documents[path] = {**self.base.documents[path], "attributes": self._attributes(dataset, path)}
        self.parts.stored.append((dataset, path))
        if dataset.appended:
            self._growing.append((dataset, path))

    def _plan_rows(self, dataset: Dataset, path: str, path_of: Callable[[Element], str]) -> None:
        """Plan rows that are new in a stored dataset."""
        document = self.parts.documents[path]
        rows = [self._stored_rows(block, dataset, path, path_of) for block in dataset.appended]
        rows = [block for block in rows if len(block)]
        if not rows:
            return
        stored = document["shape"]
        known = parse_data_type(document["data_type"]) or dataset.data.dtype
        length = stored[0]
        wanted = _common_dtype(known, rows) if length else rows[0].dtype
        total = [length + sum(map(len, rows)), *stored[1:]]
        grid = chunk_shape(document) or (1,)
        crowded = total[0] > grid[0] and math.prod(total) * max(wanted.itemsize, 8) <= SINGLE_CHUNK_BYTES
        asked = self._kept_layout(dataset, path, document, known)
        if wanted != known or (not asked.given and (not length or (crowded and length <= grid[0]))):
            values = self._stored_rows(dataset.data, dataset, path, path_of) if length else rows[0][:0]
            self._plan_anew(dataset, path, document, [values, *rows], wanted, asked)
            return
        rows = [block.astype(known) for block in rows]
        grown = {**document, "shape": total}
        start = length - length % grid[0]
        # A handle that wrote the rows has them in memory; else they are read from the store.
        tail = dataset.data
        if dataset.loader is None:
            tail = self._stored_rows(tail, dataset, path, path_of).astype(known)
        sources = tuple(MemorySource(block) for block in rows)
        self.parts.appends.append(AppendPlan(path, grown, start, length, sources, tail))
        self.parts.documents[path] = grown

    def _stored_rows(self, rows: Any, dataset: Dataset, path: str, path_of: Callable[[Element], str]) -> Any:
        """Return rows in the form they are stored in: containers as paths, compounds as they are, texts as objects."""
        dtype = schema_dtype(dataset)
        found = find_references(rows, dtype, path)
        settled = found.encode(path_of) if found is not None else settled_rows(rows, dtype, path)
        source: Any = open_source(settled, path)
        return source.read((slice(None),) * len(source.shape))

    @staticmethod
    def _kept_layout(dataset: Dataset, path: str, document: Document, dtype: np.dtype[Any]) -> LayoutWish:
        """Return the stored layout as a wish where it is not the planner's: somebody has asked for it."""
        found = parse_layout(document)
        shape = tuple(document["shape"])
        planned = plan_layout(shape, dtype, role=_role(dataset, path))
        if found is None or (planned.chunks, planned.shards) == (found.chunks, found.shards):
            return LayoutWish()
        return LayoutWish(found.chunks, found.shards, found.codecs[1:] if found.codecs[0]["name"] == "bytes" else None)

    def _plan_anew(  # noqa: PLR0913 - what, where, and how
        self, dataset: Dataset, path: str, document: Document, rows: list[Any], dtype: np.dtype[Any], wish: LayoutWish
    ) -> None:
        """Plan to write a small dataset anew under other chunk keys: the old ones stay as they are until the commit."""
        values = np.concatenate([part.astype(dtype) for part in rows if len(part)])
        layout = _layout(dataset, path, MemorySource(values), wish)
        encoding = document.get("chunk_key_encoding", {})
        separator = encoding.get("configuration", {}).get("separator", "/") if isinstance(encoding, dict) else "/"
        made = array_document(
            shape=values.shape,
            data_type=encode_data_type(values.dtype),
            chunk_shape=layout.objects,
            codecs=layout.stored_codecs,
            fill_value=fill_value(values.dtype),
            attributes=document["attributes"],
            dimension_names=document.get("dimension_names"),
        )
        if document["attributes"].get(DTYPE) not in (None, OBJECT_REFERENCE):
            made["attributes"] = {**document["attributes"], DTYPE: dtype_name(values.dtype)}
        made["chunk_key_encoding"]["configuration"]["separator"] = _SEPARATORS[separator]
        made = with_dimension_names(made, dataset.name)
        self.parts.rewritten.add(path)
        self.parts.put(path, made, MemorySource(values), layout)


def _layout(dataset: Dataset, path: str, source: Source, wish: LayoutWish) -> ArrayLayout:
    shape = (0, *source.shape[1:]) if isinstance(source, BlockSource) else source.shape
    return plan_layout(shape, source.dtype, **{"role": _role(dataset, path), **wish.given})


def _role(dataset: Dataset, path: str) -> str:
    return role_of(path, is_column=isinstance(dataset, VectorData | ElementIdentifiers))


def _common_dtype(first: np.dtype[Any], blocks: list[np.ndarray[Any, Any]]) -> np.dtype[Any]:
    """Return the dtype that holds the values of a stored array and of new blocks; the first one where it does."""
    if first.names is not None:
        widest = {
            name: max((block.dtype[name] for block in blocks), key=lambda part: part.itemsize)
            for name in first.names
            if first[name].kind == "U"
        }
        fields = [
            (name, widest[name] if name in widest and widest[name].itemsize > first[name].itemsize else first[name])
            for name in first.names
        ]
        return np.dtype(fields)
    values = [
        int(bound) for block in blocks if first.kind in "iu" and block.size for bound in (block.min(), block.max())
    ]
    if first.kind not in "iu" or all(np.iinfo(first).min <= value <= np.iinfo(first).max for value in values):
        return first
    return next(
        (
            np.dtype(f"{first.kind}{size}")
            for size in (2, 4, 8)
            if all(_holds(f"{first.kind}{size}", value) for value in values)
        ),
        np.dtype(np.int64),
    )


def _holds(dtype: str, value: int) -> bool:
    return bool(np.iinfo(dtype).min <= value <= np.iinfo(dtype).max)


def _empty_typed(data: Any, dtype: Any, rules: Any) -> Any:
    """Return an empty list as an array of the dtype and shape that the schema asks for: a list alone has none."""
    from nwbzarr.schema.language import standard_dtype
    from nwbzarr.schema.specs import ReferenceTo

    if not isinstance(data, list | tuple) or len(data):
        return data
    shape = tuple(size or 0 for size in rules.shapes[0]) if rules is not None and rules.shapes else (0,)
    if isinstance(dtype, ReferenceTo) or (
        isinstance(dtype, str) and standard_dtype(dtype) in ("text", "ascii", "isodatetime")
    ):
        return np.empty(shape, dtype=object)
    word = standard_dtype(dtype) if isinstance(dtype, str) else "numeric"
    return np.empty(shape, dtype={"numeric": "float64", "object": "float64", "region": "float64"}.get(word, word))


def _empty_meaning(source: Source, dtype: Any) -> dict[str, Any]:
    """Return the attribute that makes an empty array of texts one of references, where the schema says so."""
    from nwbzarr.schema.specs import ReferenceTo

    if isinstance(source, BlockSource) or 0 not in source.shape:
        return {}
    if isinstance(dtype, ReferenceTo):
        return {DTYPE: OBJECT_REFERENCE}
    if isinstance(dtype, tuple):
        names = [part.name for part in dtype if isinstance(part.dtype, ReferenceTo)]
        return {REFERENCE_FIELDS: names} if names else {}
    return {}


def _dimensions(dataset: Dataset, shape: tuple[int, ...]) -> tuple[str, ...] | None:
    """Return as many dimension names as there are dimensions, or None when none are known."""
    if not shape:
        return None
    names = dataset.dimensions or _schema_dimensions(dataset, shape)
    if names is None:
        return None
    return tuple([*names, *(f"dim{index}" for index in range(len(names), len(shape)))][: len(shape)])


def _schema_dimensions(dataset: Dataset, shape: tuple[int, ...]) -> tuple[str, ...] | None:
    """Return the names that a typed dataset's dimensions have in the schema."""
    rules = _schema_rules(dataset)
    return None if rules is None else dims_of(shape, rules.dims, rules.shapes)


def _schema_rules(dataset: Dataset) -> Any:
    """Return what the schema says of a typed dataset, or None."""
    find = getattr(dataset, "rules_of_data", None)
    return None if find is None else find()
