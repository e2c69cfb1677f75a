"""How a store's arrays are stored, and why: metadata, and one listing for the sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nwbzarr.io import NWBZarrIO
from nwbzarr.layout.explanation import Explanation, explain_documents
from nwbzarr.stores.sizes import stored_sizes

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from nwbzarr.reading.managers import Manager
    from nwbzarr.stores.trust import Options

_UNLISTED = frozenset({"http", "https"})


def explain(
    path: str | os.PathLike[str],
    storage_options: Options | None = None,
    trust: Mapping[str, Options] | None = None,
    manager: Manager | None = None,
    transport: str | None = None,
) -> Explanation:
    """Return how the arrays of a store are stored, and why.

    ``NWBZarrIO.write(…, dry_run=True)`` says the same of a session that is not stored yet.

    Parameters
    ----------
    path : str or path-like
        The store.
    storage_options, trust, manager, transport
        As for `nwbzarr.open`.

    Returns
    -------
    Explanation
        Chunks, shards, codecs, objects, decoded and stored bytes of every array, the largest first. Stored sizes take
        one listing of the store; a web server has none, and so no sizes.
    """
    with NWBZarrIO(path, "r", manager, storage_options, trust, transport) as io:
        session = io.session
        sizes = {} if session.url.protocol in _UNLISTED else stored_sizes(session.store.keys, session.url)
        documents = session.tree.documents
        stored = dict.fromkeys((name for name in documents if session.tree.is_array(name)), 0) if sizes else {}
        for key, nbytes in sizes.items():
            folder = _array_of(f"/{key}", stored)
            if folder is not None:
                stored[folder] += nbytes
        return explain_documents(session.url.text, documents, {}, stored)


def _array_of(path: str, arrays: Mapping[str, int]) -> str | None:
    """Return the array that an object belongs to, or None; its own document is no part of its data."""
    while "/" in path and not path.endswith("/zarr.json"):
        path = path.rpartition("/")[0]
        if path in arrays:
            return path
    return None
