"""hdmf's namespaces in our stores: read from ``/specifications``, and written there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from hdmf.backends.utils import NamespaceToBuilderHelper
from hdmf.spec import SpecReader, SpecWriter

from nwbzarr.convention.chunks import encode_chunk
from nwbzarr.convention.documents import Document, array_document, chunk_key, group_document
from nwbzarr.convention.names import DTYPE, SPECIFICATIONS, key_of
from nwbzarr.layout.planning import plan_layout

if TYPE_CHECKING:
    from nwbzarr.reading.sessions import Session

#: What hdmf calls a namespace's own source.
_NAMESPACE = "namespace"


def load_namespaces(catalog: Any, session: Session, names: list[str] | None = None) -> dict[str, Any]:
    """Load the namespaces that a session has cached into a catalog or type map of hdmf.

    Parameters
    ----------
    catalog : NamespaceCatalog or TypeMap
        Takes them.
    session : Session
        Open for reading.
    names : list of str, optional
        Which; all by default.

    Returns
    -------
    dict
        Name to the namespaces it depends on, as hdmf gives them.
    """
    known = session.tree.namespaces
    wanted = list(known) if names is None else names
    if not wanted:
        return {}
    readers = {name: _Reader(session, f"/{SPECIFICATIONS}/{name}/{known[name]}") for name in wanted}
    found: dict[str, Any] = catalog.load_namespaces(_NAMESPACE, reader=readers)
    return found


def namespace_nodes(catalog: Any, have: set[str]) -> tuple[dict[str, Document], dict[str, bytes]]:
    """Return documents and chunks of the namespaces of a catalog that a store lacks.

    Parameters
    ----------
    catalog : NamespaceCatalog
        hdmf's.
    have : set of str
        Paths that are stored.
    """
    documents: dict[str, Document] = {}
    chunks: dict[str, bytes] = {}
    for name in catalog.namespaces:
        folder = f"/{SPECIFICATIONS}/{name}/{catalog.get_namespace(name).version}"
        if folder in have:
            continue
        writer = _Writer()
        NamespaceToBuilderHelper.convert_namespace(catalog, name).export(_NAMESPACE, writer=writer)
        for path in (f"/{SPECIFICATIONS}", f"/{SPECIFICATIONS}/{name}", folder):
            if path not in have:
                documents[path] = group_document({})
        for source, text in writer.texts.items():
            path = f"{folder}/{source}"
            documents[path], chunks[key_of(path, "c")] = _text_node(text)
    return documents, chunks


def _text_node(text: str) -> tuple[Document, bytes]:
    values = np.array(text, dtype=object)
    layout = plan_layout((), values.dtype)
    document = array_document(
        shape=(),
        data_type="string",
        chunk_shape=(),
        codecs=layout.stored_codecs,
        fill_value="",
        attributes={DTYPE: "str"},
    )
    assert chunk_key(document, ()) == "c"
    return document, encode_chunk(values, layout.codecs)


class _Reader(SpecReader):  # type: ignore[misc]  # hdmf has no types
    """Reads the cached sources of one namespace."""

    def __init__(self, session: Session, folder: str) -> None:
        super().__init__(source=f"{session.url.text}{folder}")
        self._session = session
        self._folder = folder

    def _read(self, source: str) -> Any:
        return json.loads(str(self._session.dataset(f"{self._folder}/{source}").data))

    def read_spec(self, spec_path: str) -> Any:
        """Return the types of a source."""
        return self._read(spec_path)

    def read_namespace(self, ns_path: str) -> Any:
        """Return the namespaces of a source."""
        return self._read(ns_path)["namespaces"]


class _Writer(SpecWriter):  # type: ignore[misc]  # hdmf has no types
    """Keeps the sources of a namespace as JSON."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def write_spec(self, spec: Any, path: str) -> None:
        """Keep the types of a source."""
        self.texts[path.removesuffix(".yaml")] = json.dumps(spec)

    def write_namespace(self, namespace: Any, path: str) -> None:
        """Keep a namespace."""
        self.texts[path] = json.dumps({"namespaces": [namespace]})
