"""hdmf's builders as the plan of a write: documents, arrays, links and references of what is new or changed.

This room does no I/O of its own; it refuses to know containers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from hdmf.build import Builder, DatasetBuilder, LinkBuilder, ReferenceBuilder
from hdmf.container import Container
from hdmf.data_utils import AbstractDataChunkIterator, DataIO
from hdmf.query import HDMFDataset, ReferenceResolver
from hdmf.spec import RefSpec

from nwbzarr.convention.attributes import encode_attributes
from nwbzarr.convention.documents import Document, array_document, group_document, with_dimension_names
from nwbzarr.convention.dtypes import dtype_name, encode_data_type, fill_value
from nwbzarr.convention.links import Link, Reference, encode_links, encode_reference
from nwbzarr.convention.names import DIMENSIONS, DTYPE, LINKS, OBJECT_REFERENCE, REFERENCE_FIELDS, join_path
from nwbzarr.errors import FieldTypeError, ReferenceTargetError
from nwbzarr.interop.pynwb.blocks import blocks_of
from nwbzarr.interop.pynwb.datasets import StoredDataset
from nwbzarr.layout.explanation import role_of
from nwbzarr.layout.planning import plan_layout
from nwbzarr.layout.rules import LayoutRules, LayoutWish
from nwbzarr.model.elements import Location
from nwbzarr.stores.connections import locate
from nwbzarr.stores.url import relative_source
from nwbzarr.writing.parts import Parts
from nwbzarr.writing.plans import AppendPlan, LinkPlan, WritePlan
from nwbzarr.writing.sources import BlockSource, MemorySource, Source, open_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from nwbzarr.stores.url import StoreURL
    from nwbzarr.tree.tree import Tree

_COLUMNS = ("VectorData", "ElementIdentifiers")


@dataclass
class BuilderPlanner:
    """Plans builders for one store.

    Attributes
    ----------
    url : StoreURL
        The store.
    source : str
        What builders name it by.
    base : Tree or None
        What is stored, for an update.
    rules : LayoutRules
        What is wished for layouts.
    builder_of : callable
        Gives the builder of a container that is referred to.
    is_column : callable
        Whether a dataset's builder is a column of a table.
    link_data : bool
        Whether arrays of other stores are linked instead of copied.
    export_source : str or None
        What is exported: its own arrays are copied, and links inside of it stay inside.
    """

    url: StoreURL
    source: str
    base: Tree | None
    rules: LayoutRules
    builder_of: Callable[[Any], Any]
    is_column: Callable[[Any], bool]
    link_data: bool = True
    export_source: str | None = None
    parts: Parts = field(default_factory=Parts)
    links: list[LinkPlan] = field(default_factory=list)

    def plan(self) -> WritePlan:
        """Return the plan of all that was planned."""
        return WritePlan(
            url=self.url,
            base=self.base,
            documents=self.parts.documents,
            chunks=self.parts.chunks,
            arrays=tuple(self.parts.arrays),
            appends=tuple(self.parts.appends),
            links=tuple(self.links),
            reads=frozenset(self.parts.reads),
            layouts=self.parts.layouts,
        )

    # Groups and links.

    def plan_group(self, builder: Any, path: str) -> None:
        """Plan a group and everything below it."""
        stored = self.base.documents.get(path) if self.base is not None else None
        known = {} if stored is None else dict(stored.get("attributes", {}))
        links = {} if self.base is None or stored is None else {link.name: link for link in self.base.links(path)}
        for each in builder.groups.values():
            self.plan_group(each, join_path(path, each.name))
        for each in builder.datasets.values():
            if each is not None:
                self._plan_member(each, path, links)
        for each in builder.links.values():
            if each is not None and each.name not in links:
                links[each.name] = self._link(each, path)
        known.pop(LINKS, None)
        attributes = {**known, **self._attributes(builder.attributes, path)}
        if links:
            attributes[LINKS] = encode_links(links.values())
        document = group_document(attributes) if stored is None else {**stored, "attributes": attributes}
        if document != stored:
            self.parts.documents[path] = document

    def _plan_member(self, builder: Any, folder: str, links: dict[str, Link]) -> None:
        """Plan a dataset, or a link where its data is stored elsewhere."""
        path = join_path(folder, builder.name)
        if builder.name in links:
            return
        if self.base is not None and path in self.base.documents:
            self._plan_rows(builder, path, self.base.documents[path])
            return
        elsewhere = self._elsewhere(builder.data, path)
        if elsewhere is None:
            self.plan_dataset(builder, path)
        else:
            links[builder.name] = self._link_to(builder.name, elsewhere, folder)

    def _link(self, builder: LinkBuilder, folder: str) -> Link:
        target = builder.builder
        return self._link_to(builder.name, Location(self._place(target, builder.source), path_of(target)), folder)

    def _link_to(self, name: str, target: Location, folder: str) -> Link:
        source = relative_source(self.url, target.url)
        if target.url != self.url:
            self.parts.reads.add(target.url)
            self.links.append(LinkPlan(join_path(folder, name), source, target))
        return Link(name, source, target.path)

    def _place(self, target: Any, link_source: str | None) -> StoreURL:
        """Return the store that a link's target is in, or will be in."""
        own = (self.source, None, self.export_source if self.export_source is not None else link_source)
        return self.url if target.source in own else locate(target.source)

    def _elsewhere(self, data: Any, path: str) -> Location | None:
        """Return where an array is stored that is linked instead of copied; None for one that is written."""
        link_data = self.link_data
        if isinstance(data, DataIO):
            link_data, data = getattr(data, "link_data", link_data), data.data
        if not link_data or isinstance(data, ReferenceResolver):
            return None
        found = _stored_at(data)
        if found is None:
            return None
        exported = None if self.export_source is None else locate(self.export_source)
        if found.url == exported:
            # The copy has it too: under its own path, or under the one it is linked to.
            return None if found.path == path else Location(self.url, found.path)
        return found

    # Attributes and references.

    def _attributes(self, attributes: Any, path: str) -> dict[str, Any]:
        values = {name: self._attribute(value, path) for name, value in attributes.items()}
        return encode_attributes({name: value for name, value in values.items() if value is not None}, path)

    def _attribute(self, value: Any, path: str) -> Any:
        if isinstance(value, Container | Builder | ReferenceBuilder):
            return encode_reference(Reference(".", self._reference(value, path)))
        if isinstance(value, set | list | tuple):
            return [self._attribute(each, path) for each in value]
        return value.astype(object) if isinstance(value, np.ndarray) and value.dtype.kind in "US" else value

    def _reference(self, value: Any, where: str) -> str:
        """Return the path that a reference to something leads to in this store."""
        builder = value.builder if isinstance(value, ReferenceBuilder) else value
        builder = self.builder_of(builder) if isinstance(builder, Container) else builder
        if self._place(builder, None) != self.url:
            return self._linked_path(builder, where)
        return path_of(builder)

    def _linked_path(self, builder: Any, where: str) -> str:
        """Return the path of a link of this store that leads to a node of another."""
        target = Location(locate(builder.source), path_of(builder))
        for link in self.links:
            inside = target.path.removeprefix(link.target.path)
            if link.target.url == target.url and (inside == "" or (inside != target.path and inside.startswith("/"))):
                return f"{link.path}{inside}"
        message = (
            f"a reference must stay in its store, or lead through a link of it, but {target.path!r} is in "
            f"{target.url.text}, and nothing here links to it: add the container to the session, so that it is linked"
        )
        raise ReferenceTargetError(message, self.url.text, where)

    # Datasets.

    def plan_dataset(self, builder: DatasetBuilder, path: str) -> None:
        """Plan a dataset that is new."""
        source, meaning = self._source(builder, path)
        wish = self._wish(builder, path, source)
        layout = plan_layout(
            (0, *source.shape[1:]) if isinstance(source, BlockSource) else source.shape,
            source.dtype,
            **{"role": role_of(path, is_column=self.is_column(builder)), **wish.given},
        )
        attributes = {**meaning, **self._attributes(builder.attributes, path)}
        names = builder.dimension_labels
        if names is not None and len(names) == len(source.shape) and None not in names:
            attributes[DIMENSIONS] = list(names)
        document = array_document(
            shape=source.shape,
            data_type=encode_data_type(source.dtype),
            chunk_shape=layout.objects,
            codecs=layout.stored_codecs,
            fill_value=fill_value(source.dtype),
            attributes=attributes,
        )
        self.parts.layouts[path] = layout
        self.parts.put(path, with_dimension_names(document, builder.name), source, layout)

    def _wish(self, builder: DatasetBuilder, path: str, source: Source) -> LayoutWish:
        if not source.shape:
            return LayoutWish()
        chunks = getattr(builder.data, "io_settings", {}).get("chunks") if isinstance(builder.data, DataIO) else None
        return LayoutWish(chunks=tuple(chunks)) if isinstance(chunks, tuple | list) else self.rules.find(path)

    def _source(self, builder: DatasetBuilder, path: str) -> tuple[Source, dict[str, Any]]:
        """Return the values of a dataset, and what their stored form means."""
        data = builder.data
        data = data.data if isinstance(data, DataIO) else data
        if isinstance(builder.dtype, list) and not _is_plain_rows(data):
            return self._rows(data, builder.dtype, path)
        if is_reference_type(builder.dtype) and not _is_plain(data):
            return self._paths(data, path)
        if data is None:
            shape = getattr(builder.data, "shape", None) or (0,)
            data = np.zeros(tuple(size or 0 for size in shape), getattr(builder.data, "dtype", None) or "float64")
        if isinstance(data, AbstractDataChunkIterator):
            data = blocks_of(data)
        location = _stored_at(data)
        if location is not None:
            self.parts.reads.add(location.url)
        source = open_source(data.dataset if isinstance(data, StoredDataset) and not data.added else data, path)
        return source, {DTYPE: dtype_name(source.dtype)} if source.dtype.names is None else {}

    def _paths(self, data: Any, path: str) -> tuple[Source, dict[str, Any]]:
        if isinstance(data, ReferenceBuilder | Builder | Container):
            paths = np.array(self._reference(data, path), dtype=object)
        else:
            found = [self._reference(each, path) for each in data]
            paths = np.empty(len(found), object)
            paths[...] = found
        return MemorySource(paths), {DTYPE: OBJECT_REFERENCE}

    def _rows(self, data: Any, words: list[Any], path: str) -> tuple[Source, dict[str, Any]]:
        """Return the rows of a compound; references in them as paths."""
        names = [word["name"] for word in words]
        references = [word["name"] for word in words if is_reference_type(word)]
        scalar = isinstance(data, np.void) or (isinstance(data, np.ndarray) and not data.shape)
        rows = [data[()] if isinstance(data, np.ndarray) else data] if scalar else list(data)
        columns = {}
        for place, (name, word) in enumerate(zip(names, words, strict=True)):
            values = [row[place] for row in rows]
            columns[name] = self._column(values, word["dtype"], path, references=name in references)
        dtype = np.dtype([(name, column.dtype) for name, column in columns.items()])
        made = np.empty(len(rows), dtype)
        for name, column in columns.items():
            made[name] = column
        shaped = made.reshape(()) if scalar else made
        return MemorySource(shaped), {REFERENCE_FIELDS: references} if references else {}

    def _column(self, values: list[Any], word: Any, path: str, *, references: bool) -> np.ndarray[Any, Any]:
        if references:
            return np.array([self._reference(value, path) for value in values] or [""])[: len(values)]
        if isinstance(word, str) and word in _TEXT_WORDS:
            return np.array([str(value) for value in values] or [""])[: len(values)]
        try:
            return np.array(values, dtype=word if not isinstance(word, str) else _NUMBER_WORDS.get(word, word))
        except (TypeError, ValueError) as error:
            message = f"a field of {path} must hold {word}, but something else came: {error}"
            raise FieldTypeError(message) from error

    # Rows that were appended.

    def _plan_rows(self, builder: Any, path: str, stored: Document) -> None:
        """Plan the rows that were appended to a stored array, and attributes that changed."""
        data = builder.data.data if isinstance(builder.data, DataIO) else builder.data
        attributes = {**stored.get("attributes", {}), **self._attributes(builder.attributes, path)}
        document = {**stored, "attributes": attributes}
        if isinstance(data, StoredDataset) and data.added:
            document = self._grown(data, builder, path, document)
        if document != stored:
            self.parts.documents[path] = document

    def _grown(self, data: Any, builder: Any, path: str, document: Document) -> Document:
        length = document["shape"][0]
        if isinstance(builder.dtype, list):
            rows = self._rows(data.added, builder.dtype, path)[0]
        elif is_reference_type(builder.dtype):
            rows = self._paths(data.added, path)[0]
        else:
            rows = MemorySource(data.rows())
        made = {**document, "shape": [length + rows.shape[0], *document["shape"][1:]]}
        objects = made["chunk_grid"]["configuration"]["chunk_shape"][0]
        self.parts.appends.append(AppendPlan(path, made, length - length % objects, length, (rows,), data.dataset))
        return made


_TEXT_WORDS = frozenset({"text", "utf", "utf8", "utf-8", "ascii", "bytes", "str", "isodatetime", "datetime"})
_NUMBER_WORDS = {
    "int": "int64",
    "uint": "uint64",
    "float": "float64",
    "numeric": None,
    "long": "int64",
    "double": "float64",
    "short": "int16",
}


def path_of(builder: Any) -> str:
    """Return the path of a builder in its store."""
    if builder.location is not None:
        return join_path(builder.location, builder.name)
    names: list[str] = []
    at = builder
    while at.parent is not None:
        names.append(at.name)
        at = at.parent
        if at.location is not None and at.parent is not None:
            return "/".join([join_path(at.location, at.name), *reversed(names)])
    return "/" + "/".join(reversed(names))


def is_reference_type(dtype: Any) -> bool:
    """Whether a dtype in hdmf's words is that of references."""
    if isinstance(dtype, RefSpec) or (isinstance(dtype, dict) and "reftype" in dtype):
        return True
    if isinstance(dtype, dict):
        return is_reference_type(dtype.get("dtype"))
    return isinstance(dtype, str) and dtype in ("object", "reference")


def _is_plain(data: Any) -> bool:
    """Whether data holds no references, whatever its dtype is called."""
    if isinstance(data, ReferenceResolver | ReferenceBuilder | Builder | Container):
        return False
    if isinstance(data, str | bytes | np.ndarray | h5py.Dataset | StoredDataset | AbstractDataChunkIterator):
        return not (isinstance(data, np.ndarray) and data.dtype.kind == "O" and _first_is_reference(data))
    return not (isinstance(data, list | tuple) and _first_is_reference(data))


def _first_is_reference(data: Any) -> bool:
    first = next(iter(data), None) if len(data) else None
    return first is None or isinstance(first, ReferenceBuilder | Builder | Container)


def _is_plain_rows(data: Any) -> bool:
    """Whether a compound comes as an array without references or texts."""
    return isinstance(data, StoredDataset) and not isinstance(data, ReferenceResolver)


def _stored_at(data: Any) -> Location | None:
    """Return where an array is stored; None for one in memory."""
    if isinstance(data, StoredDataset):
        location: Location = data.dataset.stored_at
        return location
    if isinstance(data, h5py.Dataset) and data.file.filename:
        return Location(locate(data.file.filename), data.name)
    if isinstance(data, HDMFDataset):
        return _stored_at(data.dataset)
    return None
