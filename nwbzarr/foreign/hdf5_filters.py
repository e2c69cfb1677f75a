"""HDF5's filters as Zarr codecs, where both leave the same bytes.

HDF5 1.14, "Filters"; the registered filters of The HDF Group (Blosc 32001, Zstandard 32015). Chunks that went through
any other filter are read by HDF5 itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import h5py
from h5py import h5z

from nwbzarr.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from h5py.h5d import DatasetID

    from nwbzarr.layout.codecs import Codec

_BLOSC, _ZSTD = 32001, 32015

#: Decoding finds in the bytes themselves what they were encoded with.
_ANY_BLOSC: Codec = {
    "name": "blosc",
    "configuration": {"cname": "blosclz", "clevel": 5, "shuffle": "shuffle", "blocksize": 0},
}

_CODECS: Final[dict[int, Callable[[tuple[int, ...]], Codec]]] = {
    h5z.FILTER_DEFLATE: lambda values: {"name": "numcodecs.zlib", "configuration": {"level": values[0]}},
    h5z.FILTER_SHUFFLE: lambda values: {"name": "numcodecs.shuffle", "configuration": {"elementsize": values[0]}},
    h5z.FILTER_FLETCHER32: lambda _: {"name": "numcodecs.fletcher32", "configuration": {}},
    _BLOSC: lambda _: _ANY_BLOSC,
    _ZSTD: lambda values: {"name": "zstd", "configuration": {"level": values[0] if values else 3, "checksum": False}},
}


def parse_filters(dataset: DatasetID) -> list[Codec] | None:
    """Return the codecs that undo a dataset's filters, in the order of encoding; None when only HDF5 can."""
    codecs = []
    for code, _, values, _ in _filters(dataset):
        if code not in _CODECS:
            return None
        codecs.append(_CODECS[code](values))
    return codecs


def check_filters(dataset: h5py.Dataset, where: str) -> None:
    """Raise `MissingExtraError` when a filter of a dataset is not installed."""
    for code, _, _, name in _filters(dataset.id):
        if not h5z.filter_avail(code):
            known = name.decode(errors="replace") or "no name"
            message = (
                f"the chunks of {dataset.name} went through HDF5's filter {code} ({known}), which is not installed: pip "
                "install hdf5plugin and import it first"
            )
            raise MissingExtraError(message, where, dataset.name)


def _filters(dataset: DatasetID) -> list[tuple[Any, ...]]:
    created = dataset.get_create_plist()
    return [created.get_filter(index) for index in range(created.get_nfilters())]
