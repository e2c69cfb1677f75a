"""The cached namespaces of a store: what its types mean, kept with the data (``/specifications``).

NWB's own namespaces are written from the compiled tables; those of extensions are copied from the store that they come
from, or written from what was loaded. One text for each namespace's types keeps the number of objects small.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nwbzarr.convention.chunks import encode_chunk
from nwbzarr.convention.documents import Document, array_document, chunk_key, group_document
from nwbzarr.convention.names import DTYPE, SPECIFICATIONS, SPECIFICATIONS_LOCATION, key_of
from nwbzarr.layout.planning import plan_layout
from nwbzarr.model.containers import Typed
from nwbzarr.model.elements import Location
from nwbzarr.schema.core import CORE
from nwbzarr.schema.encoding import encode_namespace
from nwbzarr.schema.specs import Include, Namespace, Source
from nwbzarr.writing.plans import CopyPlan

if TYPE_CHECKING:
    from nwbzarr.model.nwbfile import NWBFile
    from nwbzarr.tree.tree import Tree
    from nwbzarr.writing.parts import Parts

Nodes = tuple[dict[str, Document], dict[str, bytes]]


def plan_specifications(parts: Parts, session: NWBFile, base: Tree | None) -> None:
    """Plan the namespaces that a store lacks: NWB's own, those that came with the session, those of its new types."""
    have = {path for path in (base.documents if base is not None else ()) if path.startswith(f"/{SPECIFICATIONS}")}
    origin = session.loader if session.loader is not None else session.specifications
    if base is None and origin is not None:
        _copy_namespaces(parts, origin, have)
    if base is not None and f"/{SPECIFICATIONS}" not in have:
        # A store that was written without namespaces stays as its writer left it.
        return
    for namespace in _wanted(parts):
        documents, chunks = namespace_nodes(_Key(namespace))
        if f"/{SPECIFICATIONS}/{namespace.name}/{namespace.version}" in have | set(parts.documents):
            continue
        for path, document in documents.items():
            if path not in have:
                parts.documents.setdefault(path, document)
        parts.chunks.update(chunks)
    root = parts.documents.get("/")
    if root is not None:
        root["attributes"][SPECIFICATIONS_LOCATION] = SPECIFICATIONS


def _copy_namespaces(parts: Parts, origin: Any, have: set[str]) -> None:
    """Take the cached namespaces of the session that this one comes from along."""
    found = False
    # What was written from the compiled tables is written from them again, without a request.
    ours = {
        path
        for namespace in CORE.namespaces.values()
        if f"/{SPECIFICATIONS}/{namespace.name}/{namespace.version}/{namespace.name}" in origin.tree.documents
        for path in namespace_nodes(_Key(namespace))[0]
    }
    for path, document in origin.tree.documents.items():
        if f"{path}/".startswith(f"/{SPECIFICATIONS}/") and path not in have | ours:
            found = True
            parts.documents[path] = document
            if document.get("node_type") == "array":
                parts.copies.append(CopyPlan(Location(origin.url, path), path, document, origin.store.keys))
    if found:
        parts.reads.add(origin.url)


def _wanted(parts: Parts) -> list[Namespace]:
    """Return the namespaces that the session's types need, included ones first."""
    known = dict(CORE.namespaces)
    used = {"core"}
    for element, _ in parts.stored:
        if isinstance(element, Typed):
            known.update(type(element).schema_registry.namespaces)
            used.add(str(element.namespace))
    waiting = list(used)
    while waiting:
        namespace = known.get(waiting.pop())
        new = {include.namespace for include in namespace.includes} - used if namespace is not None else set()
        used |= new
        waiting += new
    return [namespace for name, namespace in known.items() if name in used]


class _Key:
    """A namespace as a key: one of a name and version is written once."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace

    def __hash__(self) -> int:
        return hash((self.namespace.name, self.namespace.version))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.namespace == self.namespace


@cache
def namespace_nodes(key: _Key) -> Nodes:
    """Return the documents and chunks that a namespace is cached as."""
    namespace = key.namespace
    single = Source(namespace.name, tuple(spec for source in namespace.sources for spec in source.types))
    # hdmf lists no included types in what it caches, and its validator takes a list for all there is.
    includes: list[Include | Source] = [Include(include.namespace) for include in namespace.includes]
    entry, sources = encode_namespace(
        Namespace(
            namespace.name,
            namespace.version,
            (*includes, single),
            namespace.full_name,
            namespace.authors,
            namespace.contacts,
        )
    )
    root = f"/{SPECIFICATIONS}"
    folder = f"{root}/{namespace.name}/{namespace.version}"
    groups = (root, f"{root}/{namespace.name}", folder)
    documents: dict[str, Document] = {path: group_document({}) for path in groups}
    chunks: dict[str, bytes] = {}
    for name, content in {"namespace": {"namespaces": [entry]}, **sources}.items():
        text = np.array(json.dumps(content, separators=(",", ":"), ensure_ascii=False), dtype=object)
        layout = plan_layout(
            (), text.dtype, compressors=[{"name": "zstd", "configuration": {"level": 3, "checksum": False}}]
        )
        path = f"{folder}/{name}"
        documents[path] = array_document(
            shape=(),
            data_type="string",
            chunk_shape=(),
            codecs=layout.stored_codecs,
            fill_value="",
            attributes={DTYPE: "str"},
        )
        chunks[key_of(path, chunk_key(documents[path], ()))] = encode_chunk(text, layout.codecs)
    return documents, chunks
