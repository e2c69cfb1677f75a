"""An HDF5 file's structure as documents, links and chunk ranges: its index.

Every group, dataset, attribute, link and reference is taken by structure, whatever neurodata type it belongs to. What is
larger than a few kilobytes stays in the file. Where the stored form would lose something of HDF5's (the kind of a text,
the members of an enumeration, room to grow), the attribute ``_HDF5`` keeps it. This room refuses to write.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace
from typing import Any, Final

import h5py
import numpy as np
from h5py import h5d, h5o, h5s

from nwbzarr.convention.attributes import encode_attributes, strict_value
from nwbzarr.convention.chunks import encode_chunk
from nwbzarr.convention.documents import Document, array_document, chunk_key, group_document
from nwbzarr.convention.dtypes import dtype_name, encode_data_type, fill_value
from nwbzarr.convention.links import Link, Reference, encode_links, encode_reference
from nwbzarr.convention.names import (
    DTYPE,
    HDF5_NOTE,
    LINKS,
    OBJECT_REFERENCE,
    REFERENCE_FIELDS,
    SPECIFICATIONS,
    SPECIFICATIONS_LOCATION,
    join_path,
    key_of,
    parse_name,
)
from nwbzarr.errors import ConversionError
from nwbzarr.foreign.hdf5_filters import parse_filters
from nwbzarr.foreign.hdf5_types import StoredType, default_type, encode_type, parse_type
from nwbzarr.foreign.hdf5_values import HDF5Values, texts
from nwbzarr.layout.codecs import serializer
from nwbzarr.stores.url import StoreURL, relative_source
from nwbzarr.stores.virtual import ABSENT, ChunkRanges, FileIndex, FileState

#: Bytes of an array that is kept in the index; a text counts for 64.
_KEPT_BYTES: Final = 16 * 2**10
_TEXT_BYTES: Final = 64

#: Decoded bytes that a part of a contiguous dataset aims at.
_PART_BYTES: Final = 2 * 2**20


def read_index(file: h5py.File, url: StoreURL, state: FileState) -> FileIndex:
    """Return the index of an open HDF5 file.

    Parameters
    ----------
    file : h5py.File
        The file.
    url : StoreURL
        Where it is: what external links are relative to.
    state : FileState
        Its state.

    Raises
    ------
    ConversionError
        When it holds something that the stored form has nothing for.
    """
    indexer = _Indexer(file, url)
    indexer.walk()
    return FileIndex(state, indexer.documents, indexer.chunks, indexer.ranges, indexer.aliases)


def stored_type(dataset: h5py.Dataset) -> StoredType:
    """Return how the values of a dataset are stored; raises as `parse_type` does."""
    return parse_type(dataset.id.get_type(), dataset.name)


class _Indexer:
    """Documents, chunks and ranges, as they are found."""

    def __init__(self, file: h5py.File, url: StoreURL) -> None:
        self.file = file
        self.url = url
        self.documents: dict[str, Document] = {}
        self.chunks: dict[str, bytes] = {}
        self.ranges: dict[str, ChunkRanges] = {}
        self.aliases: dict[str, str] = {}
        self._seen: dict[Any, str] = {}
        self.values = HDF5Values(file, self.aliases)

    def walk(self) -> None:
        """Take everything that the file holds."""
        groups: dict[str, tuple[h5py.Group, list[Link]]] = {}
        datasets: dict[str, h5py.Dataset] = {}
        waiting = deque([("/", self.file["/"])])
        self._is_alias("/", self.file["/"])
        while waiting:
            path, group = waiting.popleft()
            links: list[Link] = []
            groups[path] = group, links
            for name in group:
                parse_name(name, path)
                below = join_path(path, name)
                link = self._link(group, name, path)
                if link is not None:
                    links.append(link)
                    continue
                node = group[name]
                if self._is_alias(below, node):
                    links.append(Link(name, ".", self.aliases[below]))
                elif isinstance(node, h5py.Dataset):
                    datasets[below] = node
                elif isinstance(node, h5py.Group):
                    waiting.append((below, node))
                else:
                    message = "a node must be a group or a dataset, but a named data type was found: remove it"
                    raise ConversionError(message, self.url.text, below)
        # Attributes and values come last: references in them may name any node, under any of its names.
        for path, (group, links) in groups.items():
            spelled = {link.name: text for link in links if (text := _spelled(group, link)) is not None}
            attributes = self._attributes(group, path, {"links": spelled} if spelled else {})
            self.documents[path] = group_document({**attributes, LINKS: encode_links(links)} if links else attributes)
        for path, dataset in datasets.items():
            self.documents[path] = self._array(dataset, path)

    def _is_alias(self, path: str, node: Any) -> bool:
        """Note where an object is stored; True when it is stored under another path already (a hard link)."""
        info = h5o.get_info(node.id)
        known = self._seen.setdefault((info.fileno, info.addr), path)
        if known != path:
            self.aliases[path] = known
        return known != path

    def _link(self, group: h5py.Group, name: str, path: str) -> Link | None:
        """Return a soft or external link; None for what is stored here."""
        found = group.get(name, getlink=True)
        if isinstance(found, h5py.ExternalLink):
            return Link(name, self._source(found.filename), f"/{found.path.strip('/')}")
        if isinstance(found, h5py.SoftLink):
            return Link(name, ".", absolute_path(found.path, path))
        return None

    def _source(self, filename: str) -> str:
        """Return the source of an external link: relative to this file as a store, where HDF5 takes its folder."""
        if filename.startswith("/"):
            return relative_source(self.url, StoreURL("file", "", filename.rstrip("/")))
        folders = [part for part in self.url.parent.path.split("/") if part]
        for part in filename.split("/"):
            if part == "..":
                # As web addresses have it: nothing is above the root.
                folders[-1:] = []
            elif part not in ("", "."):
                folders.append(part)
        return relative_source(self.url, replace(self.url, path="/" + "/".join(folders)))

    # Attributes.

    def _attributes(self, node: Any, path: str, note: dict[str, Any]) -> dict[str, Any]:
        """Return the attributes of a node, those of `note` among them."""
        values: dict[str, Any] = {}
        notes: dict[str, Any] = {}
        for name in node.attrs:
            if path == "/" and name == SPECIFICATIONS_LOCATION:
                values[name] = SPECIFICATIONS
                continue
            values[name], lost = self._attribute(node.attrs, name, f"{path}, attribute {name!r}")
            if lost:
                notes[name] = lost
        made = encode_attributes(values, path)
        note = {**note, "attributes": notes} if notes else note
        return {**made, HDF5_NOTE: note} if note else made

    def _attribute(self, attributes: h5py.AttributeManager, name: str, where: str) -> tuple[Any, dict[str, Any]]:
        """Return the value of an attribute, and what the stored form loses of it."""
        found = attributes.get_id(name)
        kind = found.get_type()
        stored = parse_type(kind, where)
        if found.get_space().get_simple_extent_type() == h5s.NULL:
            return ("" if stored.dtype.kind == "O" else []), {"null": True, "type": encode_type(kind)}
        value = attributes[name]
        if stored.references:
            value = self._references(value, where)
        elif stored.dtype.kind == "O":
            value = texts(np.asarray(value, dtype=object), where)
            value = value.item() if value.ndim == 0 else value
        elif isinstance(value, np.ndarray | np.generic):
            value = value.astype(stored.dtype)
        usual = default_type(stored.dtype, references=stored.references)
        return value, {} if kind.equal(usual) else {"type": encode_type(kind)}

    def _references(self, value: Any, where: str) -> Any:
        if isinstance(value, np.ndarray):
            return [self._references(each, where) for each in value]
        return encode_reference(Reference(".", self.values.path(value, where)))

    # Datasets.

    def _array(self, dataset: h5py.Dataset, path: str) -> Document:
        """Return the document of a dataset; note where its chunks are."""
        kind = dataset.id.get_type()
        stored = parse_type(kind, path)
        is_null = dataset.id.get_space().get_simple_extent_type() == h5s.NULL
        shape = (0,) if is_null else (*dataset.shape, *stored.inner)
        dtype = stored.dtype if is_null else self.values.dtype(dataset, stored)
        note: dict[str, Any] = {"null": True} if is_null else {}
        if not kind.equal(default_type(dtype, references=stored.references, reference_fields=stored.reference_fields)):
            note["type"] = encode_type(kind)
        if not is_null and dataset.maxshape != dataset.shape:
            note["maxshape"] = list(dataset.maxshape)
        attributes = {**_described(stored, dtype), **self._attributes(dataset, path, note)}
        kept = math.prod(shape) * (_TEXT_BYTES if dtype.kind == "O" else dtype.itemsize) <= _KEPT_BYTES
        ranges = None if kept or is_null else _ranges(dataset, stored)
        chunks = ranges[0] if ranges is not None else _translated_chunks(dataset, shape, stored, kept=kept)
        document = array_document(
            shape=shape,
            data_type=encode_data_type(dtype),
            chunk_shape=[max(size, 1) for size in chunks],
            codecs=ranges[1] if ranges is not None else [serializer(dtype)],
            fill_value=_fill(dataset, stored, dtype) if not is_null else fill_value(dtype),
            attributes=attributes,
        )
        if ranges is not None:
            self.ranges[path] = ranges[2]
        elif kept and 0 not in shape:
            key = key_of(path, chunk_key(document, (0,) * len(shape)))
            values = self.values.read(dataset, stored, dtype, ())
            self.chunks[key] = encode_chunk(np.asarray(values), document["codecs"])
        return document


def _described(stored: StoredType, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return the attributes that say what an array holds."""
    if stored.references:
        return {DTYPE: OBJECT_REFERENCE}
    if dtype.names is None:
        return {DTYPE: dtype_name(dtype)}
    return {REFERENCE_FIELDS: list(stored.reference_fields)} if stored.reference_fields else {}


def _fill(dataset: h5py.Dataset, stored: StoredType, dtype: np.dtype[Any]) -> Any:
    """Return the fill value of a dataset as JSON."""
    if not stored.as_is or dtype.names is not None or stored.inner:
        return fill_value(dtype)
    value = np.asarray(dataset.fillvalue).astype(dtype).item()
    return strict_value([value.real, value.imag] if isinstance(value, complex) else value)


def _has_plain_fill(dataset: h5py.Dataset, stored: StoredType) -> bool:
    """Whether the document can say what chunks hold that are not there."""
    if stored.dtype.names is None and not stored.inner:
        return True
    return not np.asarray(dataset.fillvalue).tobytes().strip(b"\0")


def _ranges(dataset: h5py.Dataset, stored: StoredType) -> tuple[tuple[int, ...], list[Any], ChunkRanges] | None:
    """Return chunk shape, codecs and places of a dataset's chunks; None when HDF5 must read them."""
    layout = dataset.id.get_create_plist().get_layout()
    codecs = parse_filters(dataset.id)
    if not stored.as_is or codecs is None or 0 in dataset.shape or not _has_plain_fill(dataset, stored):
        return None
    if dataset.id.get_create_plist().get_external_count():
        return None
    endian = {"name": "bytes", "configuration": {"endian": "big" if stored.big_endian else "little"}}
    if layout == h5d.CONTIGUOUS:
        found = _contiguous_ranges(dataset, stored)
        return None if found is None else (found[0], [endian], found[1])
    chunked = _chunk_ranges(dataset, stored) if layout == h5d.CHUNKED else None
    return None if chunked is None else ((*dataset.chunks, *stored.inner), [endian, *codecs], chunked)


def _contiguous_ranges(dataset: h5py.Dataset, stored: StoredType) -> tuple[tuple[int, ...], ChunkRanges] | None:
    """Return parts of some rows each of a dataset in one piece."""
    offset = dataset.id.get_offset()
    if offset is None or not dataset.shape:
        return None
    shape = (*dataset.shape, *stored.inner)
    row_bytes = math.prod(shape[1:]) * stored.dtype.itemsize
    rows = min(max(_PART_BYTES // row_bytes, 1), shape[0])
    starts = np.arange(0, shape[0], rows, dtype=np.int64)
    sizes = np.minimum(shape[0] - starts, rows) * row_bytes
    grid = (len(starts), *(1 for _ in shape[1:]))
    return (rows, *shape[1:]), ChunkRanges(grid, starts * row_bytes + offset, sizes, rows * row_bytes)


def _chunk_ranges(dataset: h5py.Dataset, stored: StoredType) -> ChunkRanges | None:
    """Return where the chunks are; None when a filter was left out for one of them."""
    grid = tuple(math.ceil(size / step) for size, step in zip(dataset.shape, dataset.chunks, strict=True))
    starts, sizes = np.full(math.prod(grid), ABSENT, np.int64), np.zeros(math.prod(grid), np.int64)
    infos: list[Any] = []
    dataset.id.chunk_iter(infos.append)
    if any(info.filter_mask for info in infos):
        return None
    if infos:
        corners = np.array([info.chunk_offset for info in infos]) // np.array(dataset.chunks)
        numbers = np.ravel_multi_index(tuple(corners.T), grid)
        starts[numbers] = [info.byte_offset for info in infos]
        sizes[numbers] = [info.size for info in infos]
    return ChunkRanges((*grid, *(1 for _ in stored.inner)), starts, sizes)


def _translated_chunks(
    dataset: h5py.Dataset, shape: tuple[int, ...], stored: StoredType, *, kept: bool
) -> tuple[int, ...]:
    """Return the shape of the parts that HDF5 reads: its own chunks, or rows."""
    if kept or not shape:
        return shape
    if dataset.chunks:
        return (*dataset.chunks, *stored.inner)
    row_bytes = math.prod(shape[1:]) * (_TEXT_BYTES if stored.dtype.kind == "O" else stored.dtype.itemsize)
    return (min(max(_PART_BYTES // max(row_bytes, 1), 1), shape[0]), *shape[1:])


def _spelled(group: h5py.Group, link: Link) -> str | None:
    """Return the path that a soft link has in the file, where it is not the absolute one."""
    found = group.get(link.name, getlink=True)
    return found.path if isinstance(found, h5py.SoftLink) and found.path != link.path else None


def absolute_path(path: str, folder: str) -> str:
    """Return the absolute path of a soft link that stands in a group."""
    parts = [] if path.startswith("/") else [part for part in folder.split("/") if part]
    return "/" + "/".join([*parts, *(part for part in path.split("/") if part not in ("", "."))])
