"""What the plan of one write is made of, while it is made: every planner puts its arrays here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nwbzarr.convention.chunks import can_decode, encode_chunk, padded
from nwbzarr.convention.documents import Document, chunk_key, chunk_shape
from nwbzarr.convention.names import key_of
from nwbzarr.writing.plans import AppendPlan, ArrayPlan, CopyPlan
from nwbzarr.writing.sources import BlockSource, MemorySource, Source

if TYPE_CHECKING:
    from nwbzarr.layout.planning import ArrayLayout
    from nwbzarr.model.elements import Element
    from nwbzarr.stores.url import StoreURL


@dataclass(slots=True)
class Parts:
    """What the plan of one write is made of, while it is made."""

    documents: dict[str, Document] = field(default_factory=dict)
    chunks: dict[str, bytes] = field(default_factory=dict)
    arrays: list[ArrayPlan] = field(default_factory=list)
    copies: list[CopyPlan] = field(default_factory=list)
    appends: list[AppendPlan] = field(default_factory=list)
    rewritten: set[str] = field(default_factory=set)
    reads: set[StoreURL] = field(default_factory=set)
    layouts: dict[str, ArrayLayout] = field(default_factory=dict)
    stored: list[tuple[Element, str]] = field(default_factory=list)

    def put(self, path: str, document: Document, source: Source, layout: ArrayLayout) -> None:
        """Take an array: what is in memory and one chunk is encoded now, the rest is written region by region.

        Parameters
        ----------
        path : str
            Where it goes.
        document : dict
            Its metadata.
        source : Source
            Its values.
        layout : ArrayLayout
            How it is laid out.
        """
        self.documents[path] = document
        direct = layout.shards is None and can_decode(list(layout.codecs), source.dtype) and _is_one_chunk(document)
        if direct and isinstance(source, MemorySource):
            key = key_of(path, chunk_key(document, (0,) * len(source.shape)))
            self.chunks[key] = encode_chunk(padded(source.array, layout.chunks), layout.codecs)
        elif isinstance(source, BlockSource) or 0 not in source.shape:
            self.arrays.append(ArrayPlan(path, document, source, layout.objects))


def _is_one_chunk(document: Document) -> bool:
    chunks = chunk_shape(document) or ()
    return all(0 < size <= chunk for size, chunk in zip(document["shape"], chunks, strict=True))
