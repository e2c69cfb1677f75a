"""A file's index as a small file of its own, in kerchunk's form, so that other readers of that form take it too.

kerchunk's reference specification, version 1: one JSON object of keys, each with its text, with ``base64:`` and bytes,
or with file, offset and size. What it has no words for stands under the key ``.nwbzarr``: the state of the file that
the index is bound to. Chunks that only the file's own library can read are not listed. This room refuses I/O.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nwbzarr.convention.documents import chunk_key, grid_shape, parse_document
from nwbzarr.convention.names import DOCUMENT, key_of
from nwbzarr.errors import DocumentError
from nwbzarr.stores.virtual import ABSENT, ChunkRanges, FileIndex, FileState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nwbzarr.convention.documents import Document

#: What follows the file's name in the name of its index.
INDEX_SUFFIX: Final = ".refs.json"

_HEADER: Final = ".nwbzarr"
_FILE: Final = "{{file}}"


def dump_index(index: FileIndex, file: str) -> bytes:
    """Return an index as JSON.

    Parameters
    ----------
    index : FileIndex
        The index.
    file : str
        URL of the file, for other readers.
    """
    header = {"size": index.state.size, "tag": index.state.tag, "aliases": dict(index.aliases)}
    refs: dict[str, Any] = {_HEADER: json.dumps(header), DOCUMENT: index.root.decode()}
    refs.update((key, "base64:" + base64.b64encode(data).decode()) for key, data in index.chunks.items())
    for path, ranges in index.ranges.items():
        document = index.documents[path]
        for place in np.ndindex(*ranges.grid):
            span = ranges.span(place)
            if span is not None:
                refs[key_of(path, chunk_key(document, place))] = [_FILE, span[0], span[1] - span[0]]
    whole = {path: ranges.whole for path, ranges in index.ranges.items() if ranges.whole}
    refs[_HEADER] = json.dumps({**header, "ranges": list(index.ranges), "whole": whole})
    return json.dumps({"version": 1, "templates": {"file": file}, "refs": refs}).encode()


def parse_index(data: bytes, where: str) -> FileIndex:
    """Return the index that `dump_index` has given.

    Parameters
    ----------
    data : bytes
        The JSON.
    where : str
        Where it was found, for messages.

    Raises
    ------
    DocumentError
        When it is none, or is damaged.
    """
    try:
        refs = json.loads(data)["refs"]
        header = json.loads(refs[_HEADER])
        state = FileState(int(header["size"]), header["tag"])
        root = parse_document(refs[DOCUMENT].encode(), "/", where)
        documents: dict[str, Document] = {
            "/": {key: value for key, value in root.items() if key != "consolidated_metadata"},
            **{f"/{path}": document for path, document in root["consolidated_metadata"]["metadata"].items()},
        }
        chunks = {
            key: base64.b64decode(value.removeprefix("base64:"), validate=True)
            for key, value in refs.items()
            if isinstance(value, str) and value.startswith("base64:")
        }
        ranges = {path: _ranges(documents[path], path, refs, header["whole"]) for path in header["ranges"]}
        return FileIndex(state, documents, chunks, ranges, dict(header["aliases"]))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        message = (
            f"a chunk index must be the JSON that nwbzarr index has written, but this is not ({error!r}): make it again, "
            "or remove it"
        )
        raise DocumentError(message, where) from error


def _ranges(document: Document, path: str, refs: Mapping[str, Any], whole: Mapping[str, int]) -> ChunkRanges:
    grid = grid_shape(document) or ()
    starts, sizes = [], []
    for place in np.ndindex(*grid):
        _, start, size = refs.get(key_of(path, chunk_key(document, place)), (None, ABSENT, 0))
        starts.append(start)
        sizes.append(size)
    return ChunkRanges(grid, np.array(starts, np.int64), np.array(sizes, np.int64), whole.get(path, 0))
