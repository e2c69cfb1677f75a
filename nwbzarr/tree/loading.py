"""A store's metadata, fetched: one round trip where it is consolidated, a listing and one more where it is not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nwbzarr.convention.documents import Document, parse_document
from nwbzarr.convention.names import DOCUMENT, SIDECAR, WRITE_MARK
from nwbzarr.convention.sidecar import parse_sidecar
from nwbzarr.errors import (
    DocumentError,
    IncompleteWriteError,
    NotAStoreError,
    NWBZarrError,
    StoreError,
    StoreNotFoundError,
)
from nwbzarr.stores.keys import list_keys, read_many
from nwbzarr.stores.local import recover_place
from nwbzarr.stores.marks import parse_mark
from nwbzarr.tree.tree import Tree, build_tree

if TYPE_CHECKING:
    from nwbzarr.stores.connections import OpenStore

#: Documents whose presence names another format.
_LEGACY = (".zgroup", ".zattrs", ".zmetadata")


def load_tree(store: OpenStore) -> Tree:
    """Return the metadata of a store, with the chunks that its sidecar holds.

    Parameters
    ----------
    store : OpenStore
        Where to read; root document and sidecar are fetched side by side.

    Raises
    ------
    StoreNotFoundError, IncompleteWriteError, NotAStoreError
        When there is no root document, by what there is instead.
    DocumentError
        When the root document is cut off or damaged.
    """
    tree = find_tree(store)
    if tree is None:
        raise absence(store)
    return tree


def find_tree(store: OpenStore) -> Tree | None:
    """Return the metadata of a store, or None when it has no root document; why it has none is not asked.

    Raises
    ------
    NotAStoreError, DocumentError
        When there is a root document that is no session's, or damaged.
    """
    recover_place(store.url)
    root, sidecar = read_many(store.keys, [DOCUMENT, SIDECAR], store.url)
    if root is None:
        return None
    document = parse_document(root, "/", store.url.text)
    if document["node_type"] != "group":
        message = "a session is a Zarr group, but a single array is stored here: open its parent folder"
        raise NotAStoreError(message, store.url.text)
    nodes = _consolidated(document, store)
    if nodes is None:
        nodes = _scattered(store)
    return build_tree(store.url, root, document, nodes, parse_sidecar(sidecar, root))


def _consolidated(document: Document, store: OpenStore) -> dict[str, Any] | None:
    """Return the documents that the root document holds, or None when it holds none."""
    consolidated = document.get("consolidated_metadata")
    if consolidated is None:
        return None
    nodes = consolidated.get("metadata") if isinstance(consolidated, dict) else None
    if not isinstance(nodes, dict):
        message = "consolidated_metadata must hold an object 'metadata' with the documents of all nodes, but does not"
        raise DocumentError(message, store.url.text, "/")
    return nodes


def _scattered(store: OpenStore) -> dict[str, Any]:
    """Return the documents of a store that is not consolidated."""
    if not store.keys.supports_listing or store.url.protocol in ("http", "https"):
        message = (
            "the store has no consolidated metadata, and a plain web server lists no keys: "
            "write it again with nwbzarr, or run zarr.consolidate_metadata on the original"
        )
        raise NotAStoreError(message, store.url.text)
    suffix = f"/{DOCUMENT}"
    keys = [key for key in list_keys(store.keys, store.url) if key.endswith(suffix)]
    documents = read_many(store.keys, keys, store.url)
    return {
        key.removesuffix(suffix): parse_document(data, f"/{key}", store.url.text)
        for key, data in zip(keys, documents, strict=True)
        if data is not None
    }


def absence(store: OpenStore) -> StoreError:
    """Return the error that says what is there instead of a root document."""
    url = store.url.text
    if store.url.is_local and Path(store.url.path).is_file():
        message = "a file is here, but a session is a folder (an HDF5 file is read by PyNWB): check the path"
        return NotAStoreError(message, url)
    mark, *legacy = read_many(store.keys, [WRITE_MARK, *_LEGACY], store.url)
    if mark is not None:
        found = parse_mark(mark)
        who = found.describe() if found is not None else "by an unknown writer"
        message = f"a write began here and was never committed ({who}): the store counts as absent; write it again"
        return IncompleteWriteError(message, url)
    if any(data is not None for data in legacy):
        message = (
            "this is a Zarr v2 store; nwbzarr reads Zarr v3: convert it with hdmf-zarr (NWBZarrV2IO, convert_to_v3), "
            "then open the result"
        )
        return NotAStoreError(message, url)
    try:
        anything = list_keys(store.keys, store.url, limit=1)
    except NWBZarrError:
        # A place that cannot be listed may still lack the document: absence is all that is known.
        anything = []
    if anything:
        message = f"there is something here, but no Zarr v3 root document ({DOCUMENT}): check the path"
        return NotAStoreError(message, url)
    message = "there is no store here: check the path, or write one with mode='w'"
    return StoreNotFoundError(message, url)
