"""`ZarrDataIO`: data with the caller's wishes on how it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nwbzarr.errors import LayoutError
from nwbzarr.layout.rules import LayoutWish


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
    compressors : str or sequence, optional
        A name (``"pcodec"``, ``"delta"``, ``"blosc-lz4"``, ``"gzip"``, ``"none"``), or codecs of ``zarr.codecs`` or their
        configurations (``{"name": …, "configuration": …}``); planned when None, empty for no compression.
    access : str, optional
        How it is read: ``"balanced"`` (the default), ``"time"`` for windows of all channels, ``"channel"`` for one
        channel over time.
    link_data : bool
        Whether a lazy array of another store becomes a link (the default) or is copied.
    """

    data: Any
    chunks: Sequence[int] | None = None
    shards: Sequence[int] | None = None
    compressors: Sequence[Any] | str | None = None
    link_data: bool = True
    access: str | None = None

    @property
    def wish(self) -> LayoutWish:
        """What is wished for the layout, with compressors as Zarr's configurations.

        Raises
        ------
        LayoutError
            When a compressor is neither a name, nor a codec of zarr, nor a configuration.
        """
        return LayoutWish(self.chunks, self.shards, _configurations(self.compressors), access=self.access)


def _configurations(compressors: Sequence[Any] | str | None) -> Sequence[Mapping[str, Any]] | str | None:
    """Return compressors as Zarr's configurations; a name stays one."""
    if compressors is None or isinstance(compressors, str):
        return compressors
    if isinstance(compressors, Mapping) or not isinstance(compressors, Iterable):
        message = f"compressors must be a name or a list of codecs, empty for none, but {compressors!r} came"
        raise LayoutError(message)
    return tuple(_configuration(codec) for codec in compressors)


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
