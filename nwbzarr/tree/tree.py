"""One store's metadata, as parsed.

A `Tree` is what the root document (and the sidecar) say; it holds no open file and sends no request.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nwbzarr.convention.chunks import can_decode, decode_chunk
from nwbzarr.convention.documents import Document, chunk_key, chunk_shape, grid_shape
from nwbzarr.convention.dtypes import parse_data_type
from nwbzarr.convention.links import Link, parse_links
from nwbzarr.convention.names import SPECIFICATIONS, key_of, parse_path
from nwbzarr.convention.sidecar import digest_of
from nwbzarr.convention.versions import latest_version
from nwbzarr.errors import DocumentError, NWBZarrError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nwbzarr.stores.url import StoreURL

_NODE_TYPES = ("group", "array")
_NO_ATTRIBUTES: dict[str, Any] = {}


@dataclass(frozen=True)
class Tree:
    """Metadata of one store.

    Attributes
    ----------
    url : StoreURL
        The store.
    root : bytes
        The root document as stored: what an update of the store is conditional on.
    documents : mapping of str to dict
        Absolute path to metadata document, the root at ``"/"``.
    small_chunks : mapping of str to bytes
        Store key to stored bytes, for chunks that are in hand.
    """

    url: StoreURL
    root: bytes = field(repr=False)
    documents: Mapping[str, Document] = field(repr=False)
    small_chunks: dict[str, bytes] = field(repr=False)

    @cached_property
    def _children(self) -> dict[str, list[str]]:
        children: dict[str, list[str]] = defaultdict(list)
        for path in self.documents:
            parent, _, name = path.rpartition("/")
            if name:
                children[parent or "/"].append(name)
        return children

    def document(self, path: str) -> Document | None:
        """Return the document of a node, or None."""
        return self.documents.get(path)

    def attributes(self, path: str) -> Mapping[str, Any]:
        """Return the stored attributes of a node.

        Raises
        ------
        DocumentError
            When they are no JSON object.
        """
        attributes = self.documents[path].get("attributes", _NO_ATTRIBUTES)
        if not isinstance(attributes, dict):
            message = f"attributes must be a JSON object, but {type(attributes).__name__} was found"
            raise DocumentError(message, self.url.text, path)
        return attributes

    def is_array(self, path: str) -> bool:
        """Whether the node is an array."""
        return self.documents[path].get("node_type") == "array"

    def children(self, path: str) -> list[str]:
        """Return the names of the nodes below a group; links are no nodes."""
        names = self._children.get(path, [])
        return [name for name in names if name != SPECIFICATIONS] if path == "/" else names

    def stored_names(self, path: str) -> list[str]:
        """Return the names of all nodes below a group, cached namespaces among them."""
        return self._children.get(path, [])

    def links(self, path: str) -> tuple[Link, ...]:
        """Return the links that a group holds.

        Raises
        ------
        DocumentError
            When an entry lacks its name, source or path.
        """
        try:
            return parse_links(self.attributes(path), path)
        except NWBZarrError as error:
            raise type(error)(error.message, self.url.text, path) from error

    def every_link(self) -> Iterator[tuple[str, Link]]:
        """Yield every link with the path of the group that holds it; raises as `links` does."""
        for path in self.documents:
            if not self.is_array(path):
                for link in self.links(path):
                    yield path, link

    def leads_through_link(self, path: str) -> bool:
        """Whether a link of this store stands somewhere on the way to a path."""
        parts = path.strip("/").split("/")
        folders = ["/" + "/".join(parts[:depth]) for depth in range(len(parts))]
        return any(
            link.name == name
            for folder, name in zip(folders, parts, strict=True)
            if folder in self.documents and not self.is_array(folder)
            for link in self.links(folder)
        )

    def dtype(self, path: str) -> Any:
        """Return the NumPy dtype of an array, or None when only zarr can tell."""
        return parse_data_type(self.documents[path].get("data_type"))

    def single_chunk_key(self, path: str) -> str | None:
        """Return the store key of an array's only chunk, or None when it has several or needs zarr to decode."""
        document = self.documents[path]
        grid = grid_shape(document)
        if grid is None or any(size != 1 for size in grid) or not can_decode(document.get("codecs"), self.dtype(path)):
            return None
        return key_of(path, chunk_key(document, (0,) * len(grid)))

    def small_array(self, path: str, data: bytes) -> Any:
        """Return the array whose only chunk is `data`.

        Raises
        ------
        DocumentError
            When the bytes do not fit the metadata.
        """
        document = self.documents[path]
        full = decode_chunk(data, document["codecs"], self.dtype(path), chunk_shape(document) or (), path)
        return full[tuple(slice(size) for size in document["shape"])] if document["shape"] else full

    @cached_property
    def digest(self) -> str:
        """Digest of the root document: changes with every commit."""
        return digest_of(self.root)

    @cached_property
    def namespaces(self) -> dict[str, str]:
        """Names of the cached namespaces, with their latest versions."""
        found: dict[str, list[str]] = defaultdict(list)
        for path in self.documents:
            parts = path.split("/")
            if len(parts) == 4 and parts[1] == SPECIFICATIONS:  # noqa: PLR2004 - /specifications/name/version
                found[parts[2]].append(parts[3])
        return {name: latest_version(versions) or "" for name, versions in sorted(found.items())}


def build_tree(
    url: StoreURL, root: bytes, document: Document, nodes: Mapping[str, Any], small: dict[str, bytes]
) -> Tree:
    """Return the tree of a root document and the documents of all nodes.

    Raises
    ------
    DocumentError
        When a node's path leaves the store, or its document is no object.
    """
    documents: dict[str, Document] = {
        "/": {key: value for key, value in document.items() if key != "consolidated_metadata"}
    }
    for key, node in nodes.items():
        path = f"/{key}"
        if ".." in key or "//" in path or key.startswith(".") or "/." in key or "\\" in key or path[-1] == "/":
            path = parse_path(path, url.text)
        if not isinstance(node, dict) or node.get("node_type") not in _NODE_TYPES:
            found = node.get("node_type") if isinstance(node, dict) else type(node).__name__
            message = (
                f"a metadata document must be an object with node_type 'group' or 'array', but {found!r} was found"
            )
            raise DocumentError(message, url.text, path)
        documents[path] = node
    return Tree(url, root, documents, small)
