"""Chunks of an HDF5 file that are not served from it as they are, read by HDF5 and encoded as documents say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nwbzarr.convention.chunks import encode_chunk, padded
from nwbzarr.convention.documents import chunk_shape
from nwbzarr.convention.dtypes import parse_data_type
from nwbzarr.errors import ChunkError, DocumentError
from nwbzarr.foreign.hdf5 import stored_type
from nwbzarr.foreign.hdf5_filters import check_filters
from nwbzarr.foreign.hdf5_values import HDF5Values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nwbzarr.convention.documents import Document
    from nwbzarr.foreign.hdf5_files import HDF5File
    from nwbzarr.stores.virtual import FileState


@dataclass(frozen=True)
class HDF5Translator:
    """Reads chunks through HDF5.

    Attributes
    ----------
    file : HDF5File
        The file.
    aliases : mapping of str to str
        Path to the path under which an object is stored, of those that have several.
    """

    file: HDF5File
    aliases: Mapping[str, str] = field(repr=False)

    def state(self) -> FileState:
        """Return the state of the file as it is now."""
        return self.file.state()

    def chunk(self, path: str, document: Document, index: tuple[int, ...]) -> bytes:
        """Return a chunk as the document's codecs encode it.

        Raises
        ------
        MissingExtraError
            When a filter is not installed.
        ConversionError
            When a value has no stored form.
        ChunkError
            When HDF5 cannot read it.
        """
        url = self.file.place.url.text
        dtype, chunks = parse_data_type(document["data_type"]), chunk_shape(document)
        if dtype is None or chunks is None:  # pragma: no cover - documents of an index are of known types
            message = "only documents of an HDF5 file's index are translated"
            raise DocumentError(message, url, path)
        with self.file.lock:
            dataset = self.file.open()[path]
            check_filters(dataset, url)
            region = tuple(slice(at * step, (at + 1) * step) for at, step in zip(index, chunks, strict=True))
            region = region[: len(dataset.shape)]
            try:
                found = HDF5Values(dataset.file, self.aliases).read(dataset, stored_type(dataset), dtype, region)
            except OSError as error:
                message = f"the chunk {index} must be readable by HDF5, but is not: {error}; it is cut off or damaged"
                raise ChunkError(message, url, path) from error
        return encode_chunk(padded(found, chunks), document["codecs"])
