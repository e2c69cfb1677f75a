"""`ZarrDataIO`: data with the caller's wishes on how it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nwbzarr.errors import LayoutError


@dataclass(frozen=True)
class ZarrDataIO:
    """Data of one dataset, with its layout.

    Parameters
    ----------
    data : array_like or iterator of arrays
        What to store.
    chunks : sequence of int, optional
        Shape of the unit of compression; planned from the shape when None.
    shards : sequence of int, optional
        Shape of the unit of storage, whole multiples of `chunks`; planned when both are None, none when only
        `chunks` is given.
    compressors : sequence, optional
        Codecs of ``zarr.codecs`` or their configurations (``{"name": …, "configuration": …}``); planned when None,
        empty for no compression.
    link_data : bool
        Whether a lazy array of another store becomes a link (the default) or is copied.
    """

    data: Any
    chunks: Sequence[int] | None = None
    shards: Sequence[int] | None = None
    compressors: Sequence[Any] | None = None
    link_data: bool = True

    @property
    def has_layout(self) -> bool:
        """Whether anything is wished for the layout."""
        return (self.chunks, self.shards, self.compressors) != (None, None, None)

    @property
    def codecs(self) -> tuple[Mapping[str, Any], ...] | None:
        """The compressors as Zarr's configurations.

        Raises
        ------
        LayoutError
            When one is neither a codec of zarr nor a configuration.
        """
        if self.compressors is None:
            return None
        if isinstance(self.compressors, str | Mapping) or not isinstance(self.compressors, Iterable):
            message = f"compressors must be a list of codecs, empty for none, but {self.compressors!r} came"
            raise LayoutError(message)
        return tuple(_configuration(codec) for codec in self.compressors)


def _configuration(codec: Any) -> Mapping[str, Any]:
    """Return a codec as Zarr's configuration."""
    described = codec.to_dict() if hasattr(codec, "to_dict") else codec
    if not isinstance(described, Mapping) or "name" not in described:
        message = (
            "compressors must be codecs of zarr.codecs or configurations like "
            f"{{'name': 'zstd', 'configuration': {{'level': 3}}}}, but {codec!r} came"
        )
        raise LayoutError(message)
    return described
