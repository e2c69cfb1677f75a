"""Metadata documents: the ``zarr.json`` of groups and arrays, and the root document with all of them inside.

Zarr v3 core specification, "Group metadata", "Array metadata"; consolidated metadata as zarr-python writes it.
Documents are plain dicts that can be dumped as strict JSON. This room refuses to look into attribute values.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from nwbzarr.convention.attributes import strict_attributes, strict_value
from nwbzarr.convention.names import DIMENSIONS
from nwbzarr.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Document = dict[str, Any]

#: The Zarr format of every document.
ZARR_FORMAT = 3


def group_document(attributes: Mapping[str, Any]) -> Document:
    """Return the document of a group."""
    return {"zarr_format": ZARR_FORMAT, "node_type": "group", "attributes": dict(attributes)}


def array_document(  # noqa: PLR0913 - the fields of Zarr's array metadata
    *,
    shape: Sequence[int],
    data_type: Any,
    chunk_shape: Sequence[int],
    codecs: Sequence[Mapping[str, Any]],
    fill_value: Any,
    attributes: Mapping[str, Any],
    dimension_names: Sequence[str | None] | None = None,
) -> Document:
    """Return the document of an array; chunk keys use ``.`` (``c.0.0``), which keeps paths short."""
    document: Document = {
        "zarr_format": ZARR_FORMAT,
        "node_type": "array",
        "shape": list(shape),
        "data_type": data_type,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk_shape)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
        "fill_value": fill_value,
        "codecs": [dict(codec) for codec in codecs],
        "attributes": dict(attributes),
        "storage_transformers": [],
    }
    if dimension_names is not None:
        document["dimension_names"] = list(dimension_names)
    return document


def dump_document(document: Mapping[str, Any]) -> bytes:
    """Return a document as strict JSON."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def with_dimension_names(document: Document, name: str) -> Document:
    """Return an array's document with `dimension_names`, which xarray needs, from its attributes or made from `name`."""
    if document.get("node_type") != "array" or document.get("dimension_names") is not None or not document["shape"]:
        return document
    known = document["attributes"].get(DIMENSIONS)
    count = len(document["shape"])
    fits = isinstance(known, list) and len(known) == count and len(set(map(str, known))) == count
    return {**document, "dimension_names": known if fits else [f"{name}_dim{index}" for index in range(count)]}


def strict_document(document: Mapping[str, Any]) -> Document:
    """Return a document that can be dumped as strict JSON, with bare NaN and infinities noted as dtypes.

    Other writers put them into ``zarr.json`` as they are, which most JSON parsers refuse.
    """
    fill = {"fill_value": strict_value(document["fill_value"])} if "fill_value" in document else {}
    return {**document, **fill, "attributes": strict_attributes(document.get("attributes", {}))}


def consolidate(root: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> Document:
    """Return the root document that holds the documents of all nodes.

    Parameters
    ----------
    root : mapping
        Document of the root group.
    nodes : mapping of str to mapping
        Absolute path of every other node to its document.
    """
    return {
        **root,
        "consolidated_metadata": {
            "kind": "inline",
            "must_understand": False,
            "metadata": {path[1:]: nodes[path] for path in sorted(nodes)},
        },
    }


def parse_document(data: bytes, where: str, store: str) -> Document:
    """Return the document that `data` holds.

    Raises
    ------
    DocumentError
        When it is no JSON object of Zarr format 3, for instance because it is cut off.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        message = (
            f"the metadata document must be JSON, but it is not ({error}): it is cut off or damaged; "
            "restore it, or write the session again"
        )
        raise DocumentError(message, store, where) from error
    if not isinstance(document, dict) or document.get("zarr_format") != ZARR_FORMAT:
        found = document.get("zarr_format") if isinstance(document, dict) else type(document).__name__
        message = f"the metadata document must be an object with zarr_format 3, but {found!r} was found"
        raise DocumentError(message, store, where)
    if document.get("node_type") not in ("group", "array"):
        message = f"node_type must be 'group' or 'array', but {document.get('node_type')!r} was found"
        raise DocumentError(message, store, where)
    return document


def check_array_document(document: Mapping[str, Any], store: str, path: str) -> None:
    """Raise `DocumentError` unless a document describes an array: shape, chunks, data type and codecs that fit."""
    shape, chunks = document.get("shape"), None
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        message = f"an array's shape must be a list of sizes, but {shape!r} was found"
        raise DocumentError(message, store, path)
    grid = document.get("chunk_grid")
    if isinstance(grid, dict) and isinstance(grid.get("configuration"), dict):
        chunks = grid["configuration"].get("chunk_shape")
    regular = isinstance(grid, dict) and grid.get("name") == "regular"
    if not regular or not isinstance(chunks, list) or len(chunks) != len(shape):
        message = f"an array of shape {shape} must have a regular chunk grid of as many sizes, but {grid!r} was found"
        raise DocumentError(message, store, path)
    if not all(type(size) is int and size > 0 for size in chunks):
        message = f"chunk sizes must be whole numbers above zero, but {chunks!r} was found"
        raise DocumentError(message, store, path)
    if "data_type" not in document or not isinstance(document.get("codecs"), list) or not document["codecs"]:
        message = "an array must have a data_type and a list of codecs, but one is missing"
        raise DocumentError(message, store, path)


def chunk_key(document: Mapping[str, Any], grid_index: Sequence[int]) -> str:
    """Return the key of a chunk below its array (Zarr v3 core specification, "Chunk key encoding")."""
    encoding = document.get("chunk_key_encoding", {})
    name = encoding.get("name", "default") if isinstance(encoding, dict) else encoding
    configuration = encoding.get("configuration", {}) if isinstance(encoding, dict) else {}
    if name == "v2":
        return str(configuration.get("separator", ".")).join(map(str, grid_index)) or "0"
    return str(configuration.get("separator", "/")).join(("c", *map(str, grid_index)))


def chunk_shape(document: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Return the shape of the stored chunks (of shards, where there are any), or None for irregular grids."""
    grid = document.get("chunk_grid")
    if not isinstance(grid, dict) or grid.get("name") != "regular":
        return None
    return tuple(grid.get("configuration", {}).get("chunk_shape", ()))


def grid_shape(document: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Return the number of stored chunks along each dimension."""
    chunks = chunk_shape(document)
    if chunks is None:
        return None
    return tuple(math.ceil(size / max(step, 1)) for size, step in zip(document["shape"], chunks, strict=True))
