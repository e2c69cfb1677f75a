"""Stored sizes, by one listing: what object stores tell of every key without being asked for each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from zarr.core.sync import sync

from nwbzarr.stores.failures import named_errors
from nwbzarr.stores.keys import LocalKeys
from nwbzarr.stores.metered import MeteredStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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
        return sync(_collect(inner.entries()))


def _sizes_of_files(root: str) -> dict[str, int]:
    return {
        os.path.relpath(entry, root).replace(os.sep, "/"): os.stat(entry).st_size  # noqa: PTH116 - many small files
        for folder, _, names in os.walk(root)
        for entry in (os.path.join(folder, name) for name in names)  # noqa: PTH118
    }


async def _collect(entries: AsyncIterator[tuple[str, int]]) -> dict[str, int]:
    return {key: size async for key, size in entries}
