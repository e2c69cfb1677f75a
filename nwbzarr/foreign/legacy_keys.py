"""Keys of a store in the older form, served as those of ours: documents translated, chunks as they are where they can be."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from nwbzarr.convention.documents import dump_document
from nwbzarr.convention.names import DOCUMENT, SIDECAR
from nwbzarr.errors import DocumentError
from nwbzarr.foreign.legacy import METADATA, LegacyTree, parse_legacy, translate
from nwbzarr.stores.foreign_keys import ForeignKeys, part
from nwbzarr.stores.keys import list_keys, read_many

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarr.abc.store import ByteRequest, Store
    from zarr.core.buffer import Buffer, BufferPrototype

    from nwbzarr.stores.connections import OpenStore
    from nwbzarr.stores.places import Place

_DOCUMENTS = (".zgroup", ".zarray", ".zattrs")


class LegacyKeys(ForeignKeys):
    """Keys of a store in the older form.

    Parameters
    ----------
    tree : LegacyTree
        Its metadata, translated.
    store : Place
        Where it is.
    keys : zarr.abc.store.Store, optional
        Its keys; opened when they are needed without.
    """

    def __init__(self, tree: LegacyTree, store: Place, keys: Store | None = None) -> None:
        super().__init__()
        self.tree = tree
        self._place = store
        self._keys = keys if keys is not None else store.open()

    @property
    def place(self) -> str:
        """URL of the store."""
        return self._place.url.text

    @property
    def fs(self) -> Any:
        """The file system behind the store's keys, whose connections end with them; None without one."""
        return getattr(self._keys, "fs", None)

    def only(self, path: str) -> LegacyKeys:
        """Return the keys of one array."""
        translated = {path: self.tree.translated[path]} if path in self.tree.translated else {}
        return LegacyKeys(LegacyTree({path: self.tree.documents[path]}, translated), self._place)

    def __reduce__(self) -> tuple[Any, ...]:
        return LegacyKeys, (self.tree, self._place)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LegacyKeys) and self._place == other._place

    def __hash__(self) -> int:
        return hash(self.place)

    def __repr__(self) -> str:
        return f"<LegacyKeys of {self.place}>"

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return what a key holds, or a part of it."""
        folder, _, name = key.rpartition("/")
        path = f"/{folder}"
        if name == DOCUMENT:
            document = self.tree.documents.get(path)
            data = None if document is None else self.tree.root if path == "/" else dump_document(document)
            return None if data is None else prototype.buffer.from_bytes(part(data, byte_range))
        if key == SIDECAR:
            return None
        array = self.tree.translated.get(path)
        if array is None:
            return await self._keys.get(key, prototype, byte_range)
        found = await self._keys.get(key, prototype)
        if found is None:
            return None
        made = await asyncio.to_thread(translate, array, self.tree.documents[path], found.to_bytes(), path)
        return prototype.buffer.from_bytes(part(made, byte_range))

    async def names(self) -> list[str]:
        """Return all keys."""
        documents = [f"{path}/{DOCUMENT}".lstrip("/") for path in self.tree.documents]
        return [*documents, *[key async for key in self._keys.list() if not key.endswith((*_DOCUMENTS, METADATA))]]


def find_legacy(store: OpenStore, place: Place) -> LegacyKeys | None:
    """Return the keys of a store in the older form; None when there is none.

    Raises
    ------
    ConversionError, DocumentError
        When it cannot be translated.
    """
    data, group = read_many(store.keys, [METADATA, ".zgroup"], store.url)
    if data is None and group is None:
        return None
    metadata = _scattered(store) if data is None else _consolidated(data, store.url.text)
    return LegacyKeys(parse_legacy(metadata, store.url.text), place, store.keys)


def _consolidated(data: bytes, where: str) -> Mapping[str, Any]:
    try:
        found = json.loads(data)["metadata"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = f"{METADATA} must be a JSON object with 'metadata', but is not ({error!r}): it is cut off or damaged"
        raise DocumentError(message, where) from error
    if not isinstance(found, dict) or not all(isinstance(entry, dict) for entry in found.values()):
        message = f"'metadata' in {METADATA} must hold an object for every key, but does not"
        raise DocumentError(message, where)
    return found


def _scattered(store: OpenStore) -> Mapping[str, Any]:
    """Return the documents of a store that is not consolidated."""
    keys = [key for key in list_keys(store.keys, store.url) if key.rpartition("/")[2] in _DOCUMENTS]
    found = zip(keys, read_many(store.keys, keys, store.url), strict=True)
    try:
        return {key: json.loads(data) for key, data in found if data is not None}
    except (ValueError, RecursionError) as error:
        message = f"metadata of Zarr v2 must be JSON, but one document is not: {error}"
        raise DocumentError(message, store.url.text) from error
