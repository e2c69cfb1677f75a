"""zarr's arrays, made from documents in hand: no request is sent to open one.

zarr 3.1 knows compounds as ``structured`` only; the public convention (and zarr 3.2 and later) calls them ``struct``.
Importing this module registers the missing name. It refuses to create or change documents.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import zarr
from zarr.core.dtype.npy.structured import Structured
from zarr.dtype import data_type_registry
from zarr.storage import FsspecStore, LocalStore, MemoryStore, ObjectStore, StorePath, WrapperStore

from nwbzarr.errors import LayoutError, StoreURLError
from nwbzarr.stores.metered import MeteredStore
from nwbzarr.stores.url import StoreURL, parse_url

if TYPE_CHECKING:
    from zarr.abc.store import Store

    AnyArray = zarr.Array[Any]


class Struct(Structured):
    """Compounds under the name and form that the ``struct`` data type has in the zarr-extensions registry."""

    _zarr_v3_name: ClassVar[Any] = "struct"

    @classmethod
    def _from_json_v3(cls, data: Any) -> Self:
        if not isinstance(data, Mapping) or data.get("name") not in ("struct", "structured"):
            # zarr asks every type whether it is the one; the one above says no as zarr expects it.
            return super()._from_json_v3(data)
        pairs = [
            [field["name"], field["data_type"]] if isinstance(field, Mapping) else list(field)
            for field in data["configuration"]["fields"]
        ]
        return super()._from_json_v3({"name": "struct", "configuration": {"fields": pairs}})

    def to_json(self, zarr_format: Any) -> Any:
        """Return the stored form: fields as objects."""
        if zarr_format != 3:  # noqa: PLR2004
            return super().to_json(zarr_format)
        fields = [{"name": name, "data_type": dtype.to_json(zarr_format=3)} for name, dtype in self.fields]
        return {"name": "struct", "configuration": {"fields": fields}}

    def from_json_scalar(self, data: Any, *, zarr_format: Any) -> Any:
        """Return a fill value given as an object of fields."""
        if isinstance(data, Mapping):
            values = tuple(
                dtype.from_json_scalar(data[name], zarr_format=zarr_format) if name in data else dtype.default_scalar()
                for name, dtype in self.fields
            )
            return self._cast_scalar_unchecked(values)
        return super().from_json_scalar(data, zarr_format=zarr_format)

    def to_json_scalar(self, data: Any, *, zarr_format: Any) -> Any:
        """Return a fill value as an object of fields."""
        scalar = self.cast_scalar(data)
        return {name: dtype.to_json_scalar(scalar[name], zarr_format=zarr_format) for name, dtype in self.fields}


def _knows_struct() -> bool:
    """Whether this zarr has the data type of its own."""
    return "struct" in data_type_registry.contents


if not _knows_struct():
    data_type_registry.register("struct", Struct)


def open_zarr_array(keys: Store, path: str, document: Mapping[str, Any], *, read_only: bool) -> AnyArray:
    """Return the zarr array that a document describes.

    Parameters
    ----------
    keys : zarr.abc.store.Store
        Keys of the store that holds it.
    path : str
        Absolute path of the array.
    document : mapping
        Its metadata.
    read_only : bool
        Whether it refuses writes. Empty chunks are always written by those that take them.
    """
    with warnings.catch_warnings():
        # Text and compounds are what NWB is made of; that zarr calls their types unstable is known.
        warnings.simplefilter("ignore")
        array = zarr.Array.from_dict(StorePath(keys, path.strip("/")), {**document, "attributes": {}})
        return array if read_only else array.with_config({"write_empty_chunks": True})


def check_array(document: Mapping[str, Any]) -> None:
    """Raise `LayoutError` when zarr cannot make an array of this document; nothing is written."""
    try:
        open_zarr_array(MemoryStore(), "/", document, read_only=False)
    except (ValueError, TypeError, KeyError) as error:
        codecs = document.get("codecs")
        message = f"the layout must be one that zarr knows, but it is not ({error!r}); codecs {codecs}"
        raise LayoutError(message) from error


def place_of(store: object) -> StoreURL | None:
    """Return the place of a zarr store on a disk or behind fsspec or obstore, or None for any other."""
    while isinstance(store, WrapperStore | MeteredStore):
        store = store.store if isinstance(store, MeteredStore) else store._store  # noqa: SLF001
    if isinstance(store, LocalStore):
        return StoreURL("file", "", store.root.resolve().as_posix())
    if isinstance(store, ObjectStore):
        return _place_in_obstore(store.store)
    if isinstance(store, FsspecStore):
        protocol = store.fs.protocol
        first = protocol if isinstance(protocol, str) else protocol[0]
        with contextlib.suppress(StoreURLError):
            return parse_url(f"{first}://{store.path.lstrip('/') if first != 'memory' else store.path}")
    return None


def _place_in_obstore(store: Any) -> StoreURL | None:
    """Return the place of one of obstore's stores, by what it tells of itself."""
    prefix = str(getattr(store, "prefix", None) or "").strip("/")
    kind = type(store).__name__
    places: dict[str, Callable[[], str]] = {
        "S3Store": lambda: f"s3://{store.config['bucket']}/{prefix}",
        "GCSStore": lambda: f"gs://{store.config['bucket']}/{prefix}",
        "LocalStore": lambda: f"file:///{prefix}",
        "HTTPStore": lambda: store.url,
    }
    with contextlib.suppress(StoreURLError, KeyError):
        return parse_url(places[kind]())
    return None
