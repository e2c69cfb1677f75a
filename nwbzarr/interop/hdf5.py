"""A session as an HDF5 file: what `nwbzarr.foreign.hdf5` reads, written back.

HDF5 types that were noted when a file was converted are used again; other arrays get the types that PyNWB gives them.
Values are read and written region by region. The file gets its name when it is whole. This room writes local files only.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np
from h5py import h5d, h5s, h5t

from nwbzarr.convention.attributes import decode_attribute
from nwbzarr.convention.links import is_reference, parse_reference
from nwbzarr.convention.names import (
    DTYPE,
    HDF5_NOTE,
    OBJECT_REFERENCE,
    REFERENCE_FIELDS,
    RESERVED_ATTRIBUTES,
    SPECIFICATIONS,
    SPECIFICATIONS_LOCATION,
    split_path,
)
from nwbzarr.errors import ConversionError, StoreExistsError
from nwbzarr.foreign.hdf5 import absolute_path
from nwbzarr.foreign.hdf5_types import decode_type, default_type
from nwbzarr.layout.planning import ArrayLayout, parse_layout
from nwbzarr.stores.files import whole_path
from nwbzarr.stores.url import resolve_source
from nwbzarr.writing.plans import plan_regions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nwbzarr.convention.documents import Document
    from nwbzarr.layout.codecs import Codec
    from nwbzarr.stores.url import StoreURL

Array = np.ndarray[Any, Any]

#: Decoded bytes up to which an array is stored in one piece, without compression.
_PLAIN_BYTES: Final = 64 * 2**10
_TEXT_BYTES: Final = 16

#: gzip's level in PyNWB's and MatNWB's files.
_GZIP_LEVEL: Final = 4

_BYTES: Final[Codec] = {"name": "bytes"}
_ONE_PIECE: Final = f"one piece: at most {_PLAIN_BYTES:,} bytes"


@dataclass(frozen=True, slots=True)
class HDF5Report:
    """What was written to an HDF5 file.

    Attributes
    ----------
    url : StoreURL
        The file.
    nodes : int
        Groups and datasets.
    nbytes : int
        Size of the file.
    """

    url: StoreURL
    nodes: int
    nbytes: int

    def __str__(self) -> str:
        return f"{self.url.text}: {self.nodes} nodes, {self.nbytes:,} bytes"


def plan_layouts(session: Any) -> dict[str, ArrayLayout]:
    """Return how the arrays of a session are laid out in an HDF5 file: path to chunks and filters.

    Parameters
    ----------
    session : Session
        Open for reading.
    """
    tree = session.tree
    return {
        path: _plan_layout(document, tree.dtype(path))
        for path, document in tree.documents.items()
        if tree.is_array(path)
    }


def _plan_layout(document: Document, dtype: np.dtype[Any] | None) -> ArrayLayout:
    shape = tuple(document["shape"])
    size = math.prod(shape) * _item_bytes(dtype)
    note = document.get("attributes", {}).get(HDF5_NOTE, {})
    grows = "maxshape" in note
    if not shape or (size <= _PLAIN_BYTES and not grows):
        return ArrayLayout(tuple(max(length, 1) for length in shape), None, (_BYTES,), (_ONE_PIECE,))
    stored = parse_layout(document)
    chunks = stored.chunks if stored is not None else shape
    # HDF5 has no chunks beyond the end of an array that does not grow.
    whole = tuple(max(step if grows else min(step, length), 1) for step, length in zip(chunks, shape, strict=True))
    if dtype is None or dtype.kind not in "biufc":
        return ArrayLayout(whole, None, (_BYTES,), ("chunks as they are stored", "HDF5 does not compress text"))
    shuffle = ({"name": "shuffle"},) if dtype.itemsize > 1 else ()
    gzip = {"name": "gzip", "configuration": {"level": _GZIP_LEVEL}}
    return ArrayLayout(whole, None, (_BYTES, *shuffle, gzip), ("chunks as they are stored", "what every HDF5 can read"))


def write_hdf5(session: Any, url: StoreURL, *, replace: bool, stored: Callable[[str, int], None]) -> HDF5Report:
    """Write a session to an HDF5 file.

    Parameters
    ----------
    session : Session
        Open for reading.
    url : StoreURL
        A local path.
    replace : bool
        Whether a file that is there may be replaced.
    stored : callable
        Called with path and decoded bytes for what was written.

    Raises
    ------
    StoreExistsError
        When something is there that may not be replaced.
    ConversionError
        When something has no form in HDF5; no file is made then.
    """
    target = Path(url.path)
    if target.is_dir() or (target.exists() and not replace):
        message = "an HDF5 file is made where nothing is, or replaces a file with mode='w', but something is here"
        raise StoreExistsError(message, url.text)
    with whole_path(target) as partial:
        with h5py.File(partial, "x") as file:
            _Writer(session, file, url, stored).write()
        return HDF5Report(url, len(session.tree.documents), partial.stat().st_size)


class _Writer:
    """One file, being written."""

    def __init__(self, session: Any, file: h5py.File, url: StoreURL, stored: Callable[[str, int], None]) -> None:
        self.session = session
        self.file = file
        self.url = url
        self.stored = stored
        self._layouts = plan_layouts(session)
        self._references: dict[str, h5py.Reference] = {"": h5py.Reference()}

    def write(self) -> None:
        """Write every node, then what may refer to any of them."""
        documents: Mapping[str, Document] = self.session.tree.documents
        arrays = [path for path in documents if self.session.tree.is_array(path)]
        for path in sorted(documents, key=lambda path: path.count("/")):
            if path in ("/", *arrays):
                continue
            self.file.require_group(path)
        made = {path: self._create(path, documents[path]) for path in arrays}
        for path, link in self.session.tree.every_link():
            spelled = self._note(path).get("links", {}).get(link.name)
            fits = isinstance(spelled, str) and absolute_path(spelled, path) == link.path
            self.file[path][link.name] = self._link(link.source, spelled if fits else link.path, path)
        for path, dataset in made.items():
            self._fill(path, dataset)
        for path in documents:
            self._describe(self.file[path], path)

    def _link(self, source: str, path: str, where: str) -> h5py.SoftLink | h5py.ExternalLink:
        if source == ".":
            return h5py.SoftLink(path)
        target = resolve_source(self.session.url, source)
        if not target.is_local or Path(target.path).is_dir():
            message = (
                f"a link of an HDF5 file leads to another HDF5 file on the same disk, but this one leads to {target.text}: "
                "export the session first, so that it holds all of its data"
            )
            raise ConversionError(message, self.session.url.text, where)
        return h5py.ExternalLink(os.path.relpath(target.path, Path(self.url.path).parent), path)

    # Datasets.

    def _create(self, path: str, document: Document) -> h5py.Dataset:
        note = self._note(path)
        dtype = self._dtype(path)
        kind = self._kind(path, dtype, note.get("type"))
        parent, name = split_path(path)
        if note.get("null"):
            space = h5s.create(h5s.NULL)
            return h5py.Dataset(h5d.create(self.file[parent].id, name.encode(), kind, space))
        inner = kind.get_array_dims() if isinstance(kind, h5t.TypeArrayID) else ()
        shape = tuple(document["shape"])[: len(document["shape"]) - len(inner)]
        maxshape = tuple(note["maxshape"]) if "maxshape" in note else None
        layout = self._layouts[path]
        created: dict[str, Any] = {}
        if "maxshape" in note or layout.reasons != (_ONE_PIECE,):
            created = {"chunks": layout.chunks[: len(shape)], "maxshape": maxshape}
        names = [codec["name"] for codec in layout.codecs]
        if "gzip" in names:
            created |= {"compression": "gzip", "compression_opts": _GZIP_LEVEL, "shuffle": "shuffle" in names}
        return self.file.create_dataset(path, shape, h5py.Datatype(kind), **created)

    def _fill(self, path: str, dataset: h5py.Dataset) -> None:
        """Write the values of a dataset, region by region."""
        document = self.session.tree.documents[path]
        shape, dtype = tuple(document["shape"]), self._dtype(path)
        if 0 in shape or self._note(path).get("null"):
            return
        attributes = self.session.tree.attributes(path)
        data = self.session.dataset(path).data
        layout = parse_layout(document)
        objects, chunks = (layout.objects, layout.chunks) if layout is not None else (shape, shape)
        for region in plan_regions(shape, objects, _item_bytes(dtype), chunks):
            values = np.asarray(data[region] if shape else data, dtype=None if dtype.kind != "O" else object)
            outer = region[: len(dataset.shape)]
            dataset[outer or ()] = self._written(values, dataset, attributes, path)
            self.stored(path, values.nbytes)

    def _written(self, values: Array, dataset: h5py.Dataset, attributes: Mapping[str, Any], where: str) -> Any:
        """Return stored values as h5py takes them."""
        fields = attributes.get(REFERENCE_FIELDS, ())
        if values.dtype.names is None:
            references = attributes.get(DTYPE) == OBJECT_REFERENCE
            made = self._column(values, dataset.dtype, references=references, where=where)
            return made if values.shape else made[()]
        made = np.empty(values.shape, dataset.dtype)
        for name in values.dtype.names:
            made[name] = self._column(values[name], dataset.dtype[name], references=name in fields, where=where)
        return made

    def _column(self, values: Array, dtype: np.dtype[Any], *, references: bool, where: str) -> Array:
        if references:
            made = np.empty(values.shape, h5py.ref_dtype)
            made.reshape(-1)[...] = [self._reference(str(path), where) for path in values.flat]
            return made
        if values.dtype.kind not in "OTU":
            return values
        if dtype.kind == "S":
            return _fixed(values, dtype, where)
        made = np.empty(values.shape, object)
        made.reshape(-1)[...] = [str(text) for text in values.flat]
        return made

    def _reference(self, path: str, where: str) -> h5py.Reference:
        if path not in self._references:
            try:
                self._references[path] = self.file[path].ref
            except KeyError as error:
                message = f"a reference must lead to a node of the session, but {path!r} is none that can be reached"
                raise ConversionError(message, self.session.url.text, where) from error
        return self._references[path]

    # Attributes.

    def _describe(self, node: Any, path: str) -> None:
        stored = self.session.tree.attributes(path)
        notes = self._note(path).get("attributes", {})
        for name in stored:
            if name not in RESERVED_ATTRIBUTES:
                self._write_attribute(node, name, stored, notes.get(name, {}))
        if path == "/" and f"/{SPECIFICATIONS}" in self.session.tree.documents:
            node.attrs[SPECIFICATIONS_LOCATION] = self._reference(f"/{SPECIFICATIONS}", path)

    def _write_attribute(self, node: Any, name: str, stored: Mapping[str, Any], note: Mapping[str, Any]) -> None:
        where = f"{node.name}, attribute {name!r}"
        value = decode_attribute(stored, name)
        noted = decode_type(note["type"], where) if "type" in note else None
        if note.get("null") and noted is not None:
            node.attrs[name] = h5py.Empty(noted.dtype)
            return
        if is_reference(value) or (isinstance(value, list) and value and all(map(is_reference, value))):
            paths = np.array(_paths(value, where), dtype=object)
            kind, array = (
                default_type(paths.dtype, references=True),
                self._column(paths, paths.dtype, references=True, where=where),
            )
        else:
            array = np.asarray(value)
            kind = noted or default_type(array.dtype)
            array = self._column(array, kind.dtype, references=False, where=where)
        node.attrs.create(name, array if array.shape else array[()], dtype=h5py.Datatype(kind))

    # Types.

    def _note(self, path: str) -> Mapping[str, Any]:
        note = self.session.tree.attributes(path).get(HDF5_NOTE, {})
        return note if isinstance(note, dict) else {}

    def _dtype(self, path: str) -> np.dtype[Any]:
        dtype: np.dtype[Any] | None = self.session.tree.dtype(path)
        if dtype is None:
            message = "only arrays of known data types are written to HDF5"
            raise ConversionError(message, self.session.url.text, path)
        return dtype

    def _kind(self, path: str, dtype: np.dtype[Any], noted: str | None) -> h5t.TypeID:
        if noted is not None:
            return decode_type(noted, path)
        attributes = self.session.tree.attributes(path)
        references, fields = attributes.get(DTYPE) == OBJECT_REFERENCE, attributes.get(REFERENCE_FIELDS, ())
        return default_type(dtype, references=references, reference_fields=fields)


def _fixed(values: Array, dtype: np.dtype[Any], where: str) -> Array:
    """Return texts as bytes of a fixed length."""
    encoded = [str(text).encode() for text in values.flat]
    if max(map(len, encoded), default=0) > dtype.itemsize:
        message = f"texts must fit the {dtype.itemsize} bytes that HDF5's type has for them, but a longer one was found"
        raise ConversionError(message, path=where)
    made = np.empty(values.shape, dtype)
    made.reshape(-1)[...] = encoded
    return made


def _paths(value: Any, where: str) -> Any:
    if isinstance(value, list):
        return [_paths(each, where) for each in value]
    reference = parse_reference(value, where)
    return "" if reference is None else reference.path


def _item_bytes(dtype: np.dtype[Any] | None) -> int:
    return _TEXT_BYTES if dtype is None or dtype.kind == "O" else dtype.itemsize
