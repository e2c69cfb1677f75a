"""Stored sizes, by one listing: what object stores tell of every key without being asked for each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from zarr.core.sync import sync

from nwbzarr.stores.failures import named_errors
from nwbzarr.stores.keys import LocalKeys
from nwbzarr.stores.metered import MeteredStore
from nwbzarr.stores.patience import patiently
from nwbzarr.stores.remote import RemoteKeys

if TYPE_CHECKING:
    from zarr.abc.store import Store

    from nwbzarr.stores.url import StoreURL


def stored_sizes(keys: Store, url: StoreURL) -> dict[str, int]:
    """Return the keys of a store with the sizes of their values, in bytes.

    Raises
    ------
    StoreError
        When the service refuses.
    """
    inner: Any = keys.store if isinstance(keys, MeteredStore) else keys
    with named_errors(url):
        if isinstance(inner, LocalKeys):
            return _sizes_of_files(os.fspath(inner.root))
        return sync(_sizes_over_fsspec(inner) if isinstance(inner, RemoteKeys) else _sizes_over_obstore(inner))


def _sizes_of_files(root: str) -> dict[str, int]:
    return {
        os.path.relpath(entry, root).replace(os.sep, "/"): os.stat(entry).st_size  # noqa: PTH116 - many small files
        for folder, _, names in os.walk(root)
        for entry in (os.path.join(folder, name) for name in names)  # noqa: PTH118
    }


async def _sizes_over_fsspec(keys: RemoteKeys) -> dict[str, int]:
    root = keys.path.strip("/")
    found = await patiently(lambda: keys.fs._find(keys.path, detail=True))  # noqa: SLF001
    return {
        str(path).strip("/").removeprefix(root).lstrip("/"): int(about.get("size") or 0)
        for path, about in found.items()
    }


async def _sizes_over_obstore(keys: Any) -> dict[str, int]:
    import obstore

    found: dict[str, int] = {}
    async for batch in obstore.list(keys.store):
        found.update({entry["path"]: int(entry["size"]) for entry in batch})
    return found
