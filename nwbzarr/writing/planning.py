"""From a session in memory to a `WritePlan`: `plan_write` walks the members, and sends no request.

A member whose parent is the group that holds it is written; any other member becomes a link. What is stored already
in the same store, and did not change, is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nwbzarr.convention.attributes import encode_attributes
from nwbzarr.convention.chunks import can_decode, encode_chunk
from nwbzarr.convention.documents import (
    Document,
    array_document,
    chunk_key,
    chunk_shape,
    group_document,
    with_dimension_names,
)
from nwbzarr.convention.dtypes import dtype_name, encode_data_type, fill_value
from nwbzarr.convention.links import Link, Reference, encode_links, encode_reference
from nwbzarr.convention.names import (
    DIMENSIONS,
    DTYPE,
    LINKS,
    REFERENCE_FIELDS,
    SPECIFICATIONS,
    SPECIFICATIONS_LOCATION,
    join_path,
    key_of,
)
from nwbzarr.errors import DuplicateNameError, NWBZarrError, UnstoredTargetError
from nwbzarr.layout.planning import ArrayLayout, plan_layout
from nwbzarr.model.datasets import Dataset
from nwbzarr.model.elements import Element, Location, Pointer
from nwbzarr.model.groups import Group
from nwbzarr.model.values import is_blocks
from nwbzarr.stores.url import StoreURL, relative_source, resolve_source
from nwbzarr.stores.zarr_arrays import check_array, place_of
from nwbzarr.writing.plans import AppendPlan, ArrayPlan, CopyPlan, LinkPlan, WritePlan
from nwbzarr.writing.sources import BlockSource, MemorySource, Source, SpentBlocks, open_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nwbzarr.model.nwbfile import NWBFile
    from nwbzarr.tree.tree import Tree

#: Attributes that say what stored bytes mean; they go where the bytes go.
_DESCRIPTIVE = (DTYPE, DIMENSIONS, REFERENCE_FIELDS)


def plan_write(nwbfile: NWBFile, url: StoreURL, base: Tree | None) -> tuple[WritePlan, list[tuple[Element, str]]]:
    """Return the plan that stores a session, and the elements that it stores with their paths.

    Parameters
    ----------
    nwbfile : NWBFile
        The session.
    url : StoreURL
        Where it goes.
    base : Tree or None
        What is stored there, for an update; None for a new store.

    Raises
    ------
    UnstoredTargetError
        When a link would lead to something that is in no store, or not as it is in memory.
    FieldTypeError, SchemaError, LayoutError
        When a value has no stored form.
    """
    planner = _Planner(nwbfile, url, base)
    planner.plan_group(nwbfile, "/")
    if base is None:
        planner.plan_specifications(nwbfile.loader or nwbfile.specifications)
    return planner.plan(), planner.stored


class _Planner:
    """Collects the parts of one plan."""

    def __init__(self, session: NWBFile, url: StoreURL, base: Tree | None) -> None:
        self.session = session
        self.url = url
        self.base = base
        self.documents: dict[str, Document] = {}
        self.chunks: dict[str, bytes] = {}
        self.arrays: list[ArrayPlan] = []
        self.copies: list[CopyPlan] = []
        self.appends: list[AppendPlan] = []
        self.links: list[LinkPlan] = []
        self.reads: set[StoreURL] = set()
        self.stored: list[tuple[Element, str]] = []
        self._references: list[tuple[str, str, Element]] = []

    def plan(self) -> WritePlan:
        """Return the plan; references come last, since they may lead through any link of the session."""
        for path, name, element in self._references:
            reference = Reference(".", self._reachable(element, path))
            self.documents[path]["attributes"][name] = encode_reference(reference)
        return WritePlan(
            url=self.url,
            base=self.base,
            documents=self.documents,
            chunks=self.chunks,
            arrays=tuple(self.arrays),
            copies=tuple(self.copies),
            appends=tuple(self.appends),
            links=tuple(self.links),
            reads=frozenset(self.reads),
        )

    def plan_element(self, element: Element, path: str) -> None:
        """Plan one element that belongs here, unless it is stored here as it is."""
        stored = element.location == Location(self.url, path) and self.base is not None
        if stored and not element.changed and not isinstance(element, Group):
            return
        if isinstance(element, Group):
            self.plan_group(element, path)
        elif isinstance(element, Dataset):
            self.plan_dataset(element, path)

    def plan_group(self, group: Group, path: str) -> None:
        """Plan a group and everything below it."""
        known = {link.name for link in self.base.links(path)} if self._is_stored(path) and self.base else set()
        links: list[Link] = []
        for name, member in group.touched if self._is_stored(path) else self._all_members(group):
            if name in known:
                self._check_unchanged(member, path)
            elif isinstance(member, Pointer) or member.parent is not group:
                links.append(self._plan_link(member, name, path))
            else:
                self.plan_element(member, join_path(path, name))
        if self._is_stored(path) and not group.changed:
            return
        self._check_names(path, links)
        attributes = self._attributes(group, path)
        entries = [*attributes.get(LINKS, ()), *encode_links(links)]
        if entries:
            attributes[LINKS] = entries
        self.documents[path] = group_document(attributes)
        self.stored.append((group, path))

    def plan_dataset(self, dataset: Dataset, path: str) -> None:
        """Plan a dataset; errors get its path."""
        try:
            self._plan_dataset(dataset, path)
        except NWBZarrError as error:
            raise error.located(self.url.text, path) from error

    def _plan_dataset(self, dataset: Dataset, path: str) -> None:
        """Plan a dataset: encoded now when it is small, region by region or object by object when it is not."""
        if self._is_stored(path):
            self._plan_append(dataset, path)
            return
        self.stored.append((dataset, path))
        origin = getattr(dataset.data, "location", None)
        if isinstance(origin, Location):
            self.reads.add(origin.url)
            if dataset.storage is None or not dataset.storage.has_layout:
                self._plan_copy(dataset, path, origin)
                return
        self._note_reads(dataset.data)
        source = open_source(dataset.data, path)
        if is_blocks(dataset.data):
            dataset.replace_data(source.array if isinstance(source, MemorySource) else SpentBlocks(path))
        layout = self._layout(dataset, source)
        document = self._array_document(dataset, path, source, layout)
        self.documents[path] = document
        if dataset.storage is not None and dataset.storage.has_layout:
            check_array(document)
        direct = layout.shards is None and can_decode(list(layout.codecs), source.dtype) and _is_one_chunk(document)
        if direct and isinstance(source, MemorySource):
            key = key_of(path, chunk_key(document, (0,) * len(source.shape)))
            self.chunks[key] = encode_chunk(_padded(source.array, layout.chunks), layout.codecs)
        elif isinstance(source, BlockSource) or 0 not in source.shape:
            self.arrays.append(ArrayPlan(path, document, source, layout.objects))

    def plan_specifications(self, origin: Any) -> None:
        """Take the cached namespaces of the session that this one comes from along."""
        if origin is None or not origin.tree.namespaces:
            return
        for path, document in origin.tree.documents.items():
            if path == f"/{SPECIFICATIONS}" or path.startswith(f"/{SPECIFICATIONS}/"):
                self.documents[path] = document
                if document.get("node_type") == "array":
                    self.copies.append(CopyPlan(Location(origin.url, path), path, document, origin.store.keys))
        self.reads.add(origin.url)
        self.documents["/"]["attributes"][SPECIFICATIONS_LOCATION] = SPECIFICATIONS

    def _is_stored(self, path: str) -> bool:
        return self.base is not None and path in self.base.documents

    @staticmethod
    def _all_members(group: Group) -> list[tuple[str, Element | Pointer]]:
        """Return every member, links not followed."""
        return [(name, member) for name in group if (member := group.raw_member(name)) is not None]

    def _attributes(self, element: Element, path: str) -> dict[str, Any]:
        """Return the attributes of a node as JSON: what is stored, and what is new."""
        if self.base is not None and path in self.base.documents:
            stored = dict(self.base.attributes(path))
        else:
            stored = {name: value for name, value in element.stored_attributes.items() if name != LINKS}
        owner = f"{element.neurodata_type or type(element).__name__} {path}"
        references = {name: value for name, value in element.new_attributes.items() if isinstance(value, Element)}
        self._references += [(path, name, value) for name, value in references.items()]
        plain = {name: value for name, value in element.new_attributes.items() if name not in references}
        encoded = encode_attributes(plain, owner)
        for name, value in encoded.items():
            # Notes of dtypes are joined, everything else is new.
            stored[name] = {**stored[name], **value} if isinstance(value, dict) and name in stored else value
        return stored

    def _check_names(self, path: str, links: list[Link]) -> None:
        taken = next((link.name for link in links if join_path(path, link.name) in self.documents), None)
        if taken is not None:
            message = f"the group {path!r} would hold a node and a link of the name {taken!r}: rename one of them"
            raise DuplicateNameError(message, self.url.text, path)

    # Links.

    def _plan_link(self, member: Element | Pointer, name: str, path: str) -> Link:
        """Return the link to a member that lives elsewhere."""
        target = member.target if isinstance(member, Pointer) else self._location(member, path)
        source = relative_source(self.url, target.url)
        self.links.append(LinkPlan(join_path(path, name), source, target))
        if isinstance(member, Pointer) or member.root is not self.session:
            self.reads.add(target.url)
        return Link(name, source, target.path)

    def _check_unchanged(self, member: Element | Pointer, path: str) -> None:
        """Raise when something that is linked already was changed in memory, and a link would lose that."""
        element = member.followed if isinstance(member, Pointer) else member
        if element is not None and element.changed:
            self._location(element, path)

    def _location(self, member: Element, path: str) -> Location:
        """Return where a linked element is stored."""
        if member.root is self.session:
            return Location(self.url, member.path)
        what = f"{member.neurodata_type or type(member).__name__} {member.name!r}"
        if member.location is None:
            message = (
                f"{what} is linked here, but it belongs to another session that is in no store yet: "
                "write that session first, then this one"
            )
            raise UnstoredTargetError(message, self.url.text, path)
        if member.changed and member.location.url != self.url:
            message = (
                f"{what} of {member.location.url.text} is linked here, but it was changed in memory and a link would "
                "lose that: write its own session with mode='r+' first, or put what is new into a container of this "
                "session"
            )
            raise UnstoredTargetError(message, self.url.text, path)
        return member.location

    def _reachable(self, element: Element, path: str) -> str:
        """Return the path in this store at which an element is, or is reached through a link."""
        if element.root is self.session:
            return element.path
        location = element.location
        if location is not None and location.url == self.url:
            return location.path
        for link in [*self.links, *self._stored_links()]:
            if location is not None and location.url == link.target.url:
                rest = location.path.removeprefix(link.target.path)
                if not rest or (rest != location.path and rest.startswith("/")):
                    return f"{link.path}{rest}"
        message = (
            f"a reference leads to {element.neurodata_type or type(element).__name__} {element.name!r} of another "
            "store, and no link of this session reaches it: add that container to this session too"
        )
        raise UnstoredTargetError(message, self.url.text, path)

    def _stored_links(self) -> Iterator[LinkPlan]:
        """Yield the links that the store holds already."""
        for path, document in (self.base.documents if self.base is not None else {}).items():
            if self.base is not None and LINKS in document.get("attributes", {}):
                for link in self.base.links(path):
                    target = Location(resolve_source(self.url, link.source), link.path)
                    yield LinkPlan(join_path(path, link.name), link.source, target)

    # Arrays.

    def _layout(self, dataset: Dataset, source: Source) -> ArrayLayout:
        wishes = dataset.storage
        shape = (0, *source.shape[1:]) if isinstance(source, BlockSource) else source.shape
        if wishes is None:
            return plan_layout(shape, source.dtype)
        return plan_layout(shape, source.dtype, chunks=wishes.chunks, shards=wishes.shards, compressors=wishes.codecs)

    def _array_document(self, dataset: Dataset, path: str, source: Source, layout: ArrayLayout) -> Document:
        attributes = {DTYPE: dtype_name(source.dtype), **self._attributes(dataset, path)}
        dimensions = _dimensions(dataset, len(source.shape))
        if dimensions is not None:
            attributes[DIMENSIONS] = list(dimensions)
        elif source.shape:
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
        self.documents[path] = with_dimension_names(document, dataset.name)
        self.copies.append(CopyPlan(origin, path, stored, lazy.dataset.loader.store.keys))

    def _plan_append(self, dataset: Dataset, path: str) -> None:
        """Plan what is new in a stored dataset: attributes and rows."""
        if self.base is None:  # pragma: no cover - stored paths have a base
            return
        stored = self.base.documents[path]
        document = {**stored, "attributes": self._attributes(dataset, path)}
        if dataset.appended:
            rows = (chunk_shape(stored) or (1,))[0]
            length = stored["shape"][0]
            document["shape"] = [length + sum(len(block) for block in dataset.appended), *stored["shape"][1:]]
            blocks = tuple(open_source(block, path) for block in dataset.appended)
            start = length - length % rows
            self.appends.append(AppendPlan(path, document, start, length, blocks, dataset.data))
        self.documents[path] = document
        self.stored.append((dataset, path))

    def _note_reads(self, data: Any) -> None:
        """Note stores that some data is read from lazily, as far as it can be seen."""
        graph = getattr(data, "__dask_graph__", None)
        parts = dict(graph() or {}).values() if graph is not None else (data,)
        for part in parts:
            location = getattr(part, "location", None)
            if isinstance(location, Location):
                self.reads.add(location.url)
            place = place_of(getattr(part, "store", None))
            if place is not None:
                self.reads.add(place)


def _dimensions(dataset: Dataset, ndim: int) -> tuple[str, ...] | None:
    """Return as many dimension names as there are dimensions, or None when none are known."""
    if dataset.dimensions is None or not ndim:
        return None
    return tuple([*dataset.dimensions, *(f"dim{index}" for index in range(len(dataset.dimensions), ndim))][:ndim])


def _is_one_chunk(document: Document) -> bool:
    chunks = chunk_shape(document) or ()
    return all(0 < size <= chunk for size, chunk in zip(document["shape"], chunks, strict=True))


def _padded(array: Any, chunks: tuple[int, ...]) -> Any:
    """Return an array of the shape of its chunk, filled up with fill values."""
    if array.shape == chunks:
        return array
    import numpy as np

    padded = np.full(chunks, fill_value(array.dtype) if array.dtype.fields is None else 0, array.dtype)
    padded[tuple(slice(size) for size in array.shape)] = array
    return padded
