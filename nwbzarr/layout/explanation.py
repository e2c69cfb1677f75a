"""How arrays are stored, and why: for a store that is there, and for one that is about to be written. Pure.

What is stored says nothing of its reasons; an array that is laid out as the planner would lay it out gets the
planner's, any other is shown beside what the planner would choose.
"""

from __future__ import annotations

import html
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nwbzarr.convention.dtypes import dtype_name, parse_data_type
from nwbzarr.convention.names import SPECIFICATIONS, split_path
from nwbzarr.errors import LayoutError
from nwbzarr.layout.planning import SINGLE_CHUNK_BYTES, ArrayLayout, parse_layout, plan_layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nwbzarr.convention.documents import Document

_ROLES = {"acquisition": "raw", "stimulus": "raw", "scratch": "scratch"}
_HEAD = ("path", "dtype", "shape", "chunks", "shards", "codecs", "objects", "decoded", "stored")
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class ArrayExplanation:
    """One array.

    Attributes
    ----------
    path, dtype : str
        Where it is, and what it holds.
    shape, chunks : tuple of int
        Of the array, and of its unit of compression.
    shards : tuple of int or None
        Its unit of storage, when that is not the chunk.
    codecs : tuple of str
        What a chunk goes through.
    objects : int
        Objects that it is stored in.
    decoded : int
        Bytes of its values; texts count 64 each.
    stored : int or None
        Bytes of its objects; None when not known.
    reasons : tuple of str
        Why.
    """

    path: str
    dtype: str
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    codecs: tuple[str, ...]
    objects: int
    decoded: int
    stored: int | None
    reasons: tuple[str, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """What a table shows of it."""
        stored = "" if self.stored is None else readable(self.stored)
        if self.stored and self.decoded:
            stored += f" (1/{self.decoded / self.stored:.2f})" if self.stored < self.decoded else ""
        shapes = (_shape(self.shape), _shape(self.chunks), _shape(self.shards or ()))
        return (
            self.path,
            self.dtype,
            *shapes,
            " ".join(self.codecs),
            f"{self.objects:,}",
            readable(self.decoded),
            stored,
        )


@dataclass(frozen=True)
class Explanation:
    """How the arrays of one store are stored, or would be.

    Attributes
    ----------
    store : str
        URL of the store.
    arrays : tuple of ArrayExplanation
        Its arrays, the largest first.
    """

    store: str
    arrays: tuple[ArrayExplanation, ...]

    @property
    def totals(self) -> dict[str, int | None]:
        """Objects, decoded bytes and, where they are known, stored bytes of all arrays."""
        stored = [array.stored for array in self.arrays]
        return {
            "arrays": len(self.arrays),
            "objects": sum(array.objects for array in self.arrays),
            "decoded": sum(array.decoded for array in self.arrays),
            "stored": None if None in stored else sum(size or 0 for size in stored),
        }

    def as_json(self) -> dict[str, Any]:
        """Return what a program wants."""
        return {"store": self.store, "totals": self.totals, "arrays": [asdict(array) for array in self.arrays]}

    def __str__(self) -> str:
        lines = [self.store]
        for array in self.arrays:
            path, dtype, shape, chunks, shards, codecs, objects, decoded, stored = array.cells
            size = f"{decoded}, {stored} stored" if stored else decoded
            lines.append(f"{path}  {dtype} {shape or 'scalar'}, {size}")
            if array.objects > 1 or array.decoded > SINGLE_CHUNK_BYTES:
                within = f" in shards {shards}" if shards else ""
                lines += [f"    {objects} objects: chunks {chunks}{within}, {codecs}"]
                lines += [f"    - {reason}" for reason in array.reasons]
        total = self.totals
        size = readable(total["decoded"] or 0) + (f", {readable(total['stored'])} stored" if total["stored"] else "")
        return "\n".join([*lines, f"{total['arrays']} arrays, {total['objects']:,} objects, {size}"])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{word}</th>" for word in (*_HEAD, "why"))
        rows = "".join(
            "<tr>"
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in (*array.cells, "; ".join(array.reasons)))
            + "</tr>"
            for array in self.arrays
        )
        return f"<table><caption>{html.escape(self.store)}</caption><tr>{head}</tr>{rows}</table>"


def role_of(path: str, *, is_column: bool = False) -> str:
    """Return what an array is for, by where it is in the session."""
    return "column" if is_column else _ROLES.get(path.strip("/").split("/")[0], "processed")


def explain_documents(
    store: str,
    documents: Mapping[str, Document],
    planned: Mapping[str, ArrayLayout],
    stored: Mapping[str, int],
) -> Explanation:
    """Return how arrays are stored.

    Parameters
    ----------
    store : str
        URL of their store.
    documents : mapping of str to dict
        Path to metadata of all nodes.
    planned : mapping of str to ArrayLayout
        Layouts whose reasons are known, by path.
    stored : mapping of str to int
        Stored bytes by path, as far as they are known.
    """
    rows = _explain(documents, planned, stored)
    return Explanation(store, tuple(sorted(rows, key=lambda row: (-row.decoded, row.path))))


def _explain(
    documents: Mapping[str, Document], planned: Mapping[str, ArrayLayout], stored: Mapping[str, int]
) -> Iterator[ArrayExplanation]:
    for path, document in documents.items():
        layout = parse_layout(document) if document.get("node_type") == "array" else None
        if layout is None or path.startswith(f"/{SPECIFICATIONS}/"):
            continue
        shape, dtype = tuple(document["shape"]), parse_data_type(document.get("data_type"))
        itemsize = 8 if dtype is None else 64 if dtype.kind in "OT" else dtype.itemsize
        yield ArrayExplanation(
            path=path,
            dtype="?" if dtype is None else dtype_name(dtype),
            shape=shape,
            chunks=layout.chunks,
            shards=layout.shards,
            codecs=tuple(map(_codec_name, layout.codecs)),
            objects=math.prod(-(-size // step) for size, step in zip(shape, layout.objects, strict=True)),
            decoded=math.prod(shape) * itemsize,
            stored=stored.get(path),
            reasons=_reasons(path, documents, planned.get(path), layout),
        )


def _reasons(
    path: str, documents: Mapping[str, Document], known: ArrayLayout | None, stored: ArrayLayout
) -> tuple[str, ...]:
    if known is not None:
        return known.reasons
    document = documents[path]
    dtype = parse_data_type(document.get("data_type"))
    if dtype is None:
        return ("of a data type that only zarr knows",)
    parent = documents.get(split_path(path)[0], {}).get("attributes", {})
    try:
        choice = plan_layout(document["shape"], dtype, role=role_of(path, is_column="colnames" in parent))
    except LayoutError:  # pragma: no cover - the planner takes every shape
        return ()
    if (choice.chunks, choice.shards) == (stored.chunks, stored.shards) and _same(choice.codecs, stored.codecs):
        return choice.reasons
    return (f"written otherwise than planned today: {_describe(choice)}",)


def _same(first: Any, second: Any) -> bool:
    return list(map(_codec_name, first)) == list(map(_codec_name, second))


def _describe(layout: ArrayLayout) -> str:
    shards = f" in shards {_shape(layout.shards)}" if layout.shards else ""
    return f"chunks {_shape(layout.chunks)}{shards}, {' '.join(map(_codec_name, layout.codecs))}"


def _codec_name(codec: Mapping[str, Any]) -> str:
    """Return a codec in a word, with what matters of its configuration."""
    name, given = str(codec.get("name", "?")).removeprefix("numcodecs."), codec.get("configuration", {})
    told = [given.get(word) for word in ("cname", "shuffle")] if name == "blosc" else []
    level = given.get("clevel", given.get("level")) if isinstance(given, dict) else None
    inner = [str(part) for part in (*told, level) if part is not None]
    return f"{name}({','.join(inner)})" if inner else name


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{size:,}" for size in shape)


def readable(nbytes: int) -> str:
    """Return a number of bytes for people: three digits and a decimal unit."""
    size, unit = float(nbytes), 0
    while size >= 1000 and unit < len(_UNITS) - 1:  # noqa: PLR2004 - decimal units
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"
