"""Stores that hdmf-zarr wrote before 0.14: Zarr v2, translated to documents of our form.

Attributes of that form (hdmf-zarr's storage specification up to 0.11): ``zarr_link`` on groups, ``zarr_dtype`` on arrays,
references as ``{"zarr_dtype": "object", "value": {"source", "path"}}``; scalars are arrays of one value. Zarr v2
specification for ``.zgroup``, ``.zarray``, ``.zattrs`` and ``.zmetadata``. Objects encoded by JSON, MessagePack or
vlen-utf8 are read; pickle is refused, since reading it may run anything. This room does no I/O.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numcodecs.registry import get_codec

from nwbzarr.convention.attributes import encode_attributes
from nwbzarr.convention.chunks import encode_chunk
from nwbzarr.convention.documents import (
    Document,
    array_document,
    chunk_shape,
    consolidate,
    dump_document,
    group_document,
)
from nwbzarr.convention.dtypes import dtype_name, encode_data_type, fill_value, packed
from nwbzarr.convention.links import Link, Reference, encode_links, encode_reference
from nwbzarr.convention.names import (
    DTYPE,
    LINKS,
    OBJECT_REFERENCE,
    SPECIFICATIONS,
    SPECIFICATIONS_LOCATION,
)
from nwbzarr.errors import ConversionError, DocumentError
from nwbzarr.layout.codecs import serializer

_GROUP, _ARRAY, _ATTRIBUTES = ".zgroup", ".zarray", ".zattrs"
METADATA: Final = ".zmetadata"

_LINK, _DTYPE, _SCALAR = "zarr_link", "zarr_dtype", "scalar"
_SHUFFLES: Final = {0: "noshuffle", 1: "shuffle", 2: "bitshuffle", -1: "shuffle"}

#: Codecs of objects that are read, and what is not.
_OBJECT_CODECS: Final = ("vlen-utf8", "json2", "msgpack2")
_UNSAFE: Final = ("pickle",)


@dataclass(frozen=True)
class LegacyArray:
    """An array whose chunks are translated.

    Attributes
    ----------
    filters : tuple of mapping
        numcodecs' configurations, the object codec last.
    compressor : mapping or None
        The same.
    dtype : numpy.dtype
        Of the values as they are stored there.
    order : str
        ``"C"`` or ``"F"``.
    fields : tuple of str
        Fields of a compound whose values are references.
    """

    filters: tuple[Mapping[str, Any], ...]
    compressor: Mapping[str, Any] | None
    dtype: np.dtype[Any]
    order: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class LegacyTree:
    """A store of the older form as documents of ours.

    Attributes
    ----------
    documents : mapping of str to dict
        Path to document, the root at ``"/"``.
    translated : mapping of str to LegacyArray
        Path to what its chunks are, of arrays whose chunks are not those of the document.
    """

    documents: Mapping[str, Document] = field(repr=False)
    translated: Mapping[str, LegacyArray] = field(repr=False)

    @property
    def root(self) -> bytes:
        """The root document, with those of all nodes inside."""
        nodes = {path: document for path, document in self.documents.items() if path != "/"}
        return dump_document(consolidate(self.documents["/"], nodes))


def parse_legacy(metadata: Mapping[str, Any], where: str) -> LegacyTree:
    """Return a store of the older form.

    Parameters
    ----------
    metadata : mapping of str to mapping
        Key to JSON of every ``.zgroup``, ``.zarray`` and ``.zattrs``.
    where : str
        The store, for messages.

    Raises
    ------
    ConversionError
        When an array asks for pickle, or has no form in Zarr v3.
    DocumentError
        When metadata say something impossible.
    """
    documents: dict[str, Document] = {}
    translated: dict[str, LegacyArray] = {}
    for key, entry in metadata.items():
        folder, _, name = key.rpartition("/")
        path, attributes = f"/{folder}", metadata.get(f"{folder}/{_ATTRIBUTES}".lstrip("/"), {})
        try:
            if name == _GROUP:
                documents[path] = group_document(_group_attributes(attributes, path))
            elif name == _ARRAY:
                document, array = _array(entry, attributes, path)
                documents[path] = document
                if array is not None:
                    translated[path] = array
        except ConversionError as error:
            raise error.located(where, path) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            message = f"the metadata must be those of Zarr v2 as hdmf-zarr wrote them, but are not: {error!r}"
            raise DocumentError(message, where, path) from error
    if "/" not in documents:
        message = "a store of Zarr v2 must have a group at its root, but has none"
        raise DocumentError(message, where)
    return LegacyTree(documents, translated)


def translate(array: LegacyArray, document: Document, data: bytes, path: str) -> bytes:
    """Return a chunk of the older form as the document's codecs encode it.

    Raises
    ------
    DocumentError
        When it cannot be decoded.
    """
    shape = chunk_shape(document) or ()
    try:
        decoded: Any = data
        if array.compressor is not None:
            decoded = get_codec(dict(array.compressor)).decode(decoded)
        for each in reversed(array.filters):
            decoded = get_codec(dict(each)).decode(decoded)
        values = decoded if array.dtype.kind == "O" else np.frombuffer(decoded, array.dtype)
        values = np.asarray(values).reshape(shape or (1,), order="F" if array.order == "F" else "C")
    except (RuntimeError, ValueError, TypeError, KeyError, EOFError, OSError) as error:
        message = f"a chunk cannot be decoded: {error}; it is damaged"
        raise DocumentError(message, path=path) from error
    texts = np.empty(values.shape, object)
    texts.reshape(-1)[...] = [_text(item) for item in values.reshape(-1)]
    return encode_chunk(texts.reshape(shape), document["codecs"])


def _text(item: Any) -> str:
    """Return a value of an object array as text; a reference as its path, what was not written as no text."""
    if isinstance(item, Mapping):
        return str(item["path"])
    if isinstance(item, bytes):
        return item.decode()
    return "" if item is None or (isinstance(item, int) and item == 0) else str(item)


# Attributes.


def _group_attributes(attributes: Mapping[str, Any], path: str) -> dict[str, Any]:
    made = _attributes(attributes, path)
    links = [Link(link["name"], link["source"], link["path"]) for link in attributes.get(_LINK, ())]
    return {**made, LINKS: encode_links(links)} if links else made


def _attributes(attributes: Mapping[str, Any], path: str) -> dict[str, Any]:
    values = {name: _attribute(value) for name, value in attributes.items() if name not in (_LINK, _DTYPE)}
    if path == "/" and SPECIFICATIONS_LOCATION in values:
        values[SPECIFICATIONS_LOCATION] = SPECIFICATIONS
    return encode_attributes(values, path)


def _attribute(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get("value"), dict) and "path" in value["value"]:
        return encode_reference(Reference(".", value["value"]["path"]))
    return value


# Arrays.


def _array(entry: Mapping[str, Any], attributes: Mapping[str, Any], path: str) -> tuple[Document, LegacyArray | None]:
    dtype, filters = _dtype(entry["dtype"]), tuple(entry.get("filters") or ())
    scalar = attributes.get(_DTYPE) == _SCALAR and entry["shape"] in ([1], [])
    shape, chunks = ((), ()) if scalar else (tuple(entry["shape"]), tuple(entry["chunks"]))
    _check_safe([*filters, entry.get("compressor") or {}], path)
    made = _attributes(attributes, path)
    if dtype.kind == "O":
        return _objects(entry, attributes, made, (shape, chunks), path)
    stored = packed(dtype).newbyteorder("=")
    codecs = _codecs(dtype, filters, entry)
    document = array_document(
        shape=shape,
        data_type=encode_data_type(stored),
        chunk_shape=chunks,
        codecs=codecs,
        fill_value=_fill(entry.get("fill_value"), stored),
        attributes={**made, **({DTYPE: dtype_name(stored)} if stored.names is None else {})},
    )
    return {**document, "chunk_key_encoding": _keys(entry)}, None


def _objects(
    entry: Mapping[str, Any],
    attributes: Mapping[str, Any],
    made: dict[str, Any],
    sizes: tuple[tuple[int, ...], tuple[int, ...]],
    path: str,
) -> tuple[Document, LegacyArray]:
    """Return the document of an array of objects: texts, or references."""
    filters = tuple(entry.get("filters") or ())
    words = attributes.get(_DTYPE)
    if not filters or filters[-1]["id"] not in _OBJECT_CODECS:
        message = (
            f"objects must be encoded by one of {', '.join(_OBJECT_CODECS)}, but {filters[-1:] or 'nothing'} was found"
        )
        raise ConversionError(message, path=path)
    if isinstance(words, list):
        message = "a compound must be stored as one, but this one is stored as objects: convert it with the hdmf-zarr that wrote it"
        raise ConversionError(message, path=path)
    dtype = np.dtype(object)
    said = OBJECT_REFERENCE if words in ("object", "reference", OBJECT_REFERENCE, "region") else "str"
    document = array_document(
        shape=sizes[0],
        data_type="string",
        chunk_shape=sizes[1],
        codecs=[serializer(dtype)],
        fill_value=fill_value(dtype),
        attributes={**made, DTYPE: said},
    )
    array = LegacyArray(filters, entry.get("compressor"), dtype, entry.get("order", "C"))
    return {**document, "chunk_key_encoding": _keys(entry)}, array


def _check_safe(codecs: list[Mapping[str, Any]], path: str) -> None:
    unsafe = [codec["id"] for codec in codecs if codec.get("id") in _UNSAFE]
    if unsafe:
        message = (
            "the values of this array are pickled, and reading pickles may run anything that somebody put there: convert "
            "the store with the hdmf-zarr that wrote it, if you trust who did"
        )
        raise ConversionError(message, path=path)


def _dtype(described: Any) -> np.dtype[Any]:
    """Return the dtype that Zarr v2 describes."""
    if isinstance(described, str):
        return np.dtype(described)
    return np.dtype([(name, _dtype(inner), *map(tuple, rest)) for name, inner, *rest in described])


def _keys(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": "v2", "configuration": {"separator": entry.get("dimension_separator", ".")}}


def _codecs(
    dtype: np.dtype[Any], filters: tuple[Mapping[str, Any], ...], entry: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return Zarr v3's codecs for v2's filters and compressor."""
    first: list[dict[str, Any]] = []
    if entry.get("order") == "F" and len(entry["shape"]) > 1:
        order = list(range(len(entry["shape"])))[::-1]
        first.append({"name": "transpose", "configuration": {"order": order}})
    before = [_codec(each) for each in filters if each["id"] in ("delta", "fixedscaleoffset", "quantize", "packbits")]
    after = [_codec(each) for each in filters if each["id"] in ("shuffle", "fletcher32")]
    endian = "big" if dtype.byteorder == ">" else "little"
    compressor = entry.get("compressor")
    last = [] if compressor is None else [_codec(compressor)]
    return [*first, *before, {"name": "bytes", "configuration": {"endian": endian}}, *after, *last]


def _codec(codec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the codec of Zarr v3 that leaves the same bytes as one of numcodecs."""
    given = {name: value for name, value in codec.items() if name != "id"}
    if codec["id"] == "blosc":
        given["shuffle"] = _SHUFFLES[given.get("shuffle", 1)]
        return {"name": "blosc", "configuration": {**given, "blocksize": given.get("blocksize", 0)}}
    if codec["id"] in ("gzip", "zstd"):
        return {"name": codec["id"], "configuration": given}
    return {"name": f"numcodecs.{codec['id']}", "configuration": given}


def _fill(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return a fill value of Zarr v2 as that of v3."""
    if value is None or dtype.names is not None or dtype.kind in "USO":
        return fill_value(dtype)
    if dtype.kind == "c":
        return [float(part) if not isinstance(part, str) else part for part in value]
    return value if isinstance(value, str) else json.loads(json.dumps(np.asarray(value, dtype).item()))
