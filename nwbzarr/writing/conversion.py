"""From a session in another format to the plan of a store: node by node, whatever types it uses.

Groups, attributes, links and references are taken as they are; arrays get a planned layout, or keep the shape of their
chunks, and the names that the schema has for their dimensions. Links to other files stay links.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nwbzarr.convention.documents import (
    Document,
    array_document,
    chunk_shape,
    with_dimension_names,
)
from nwbzarr.convention.links import Link, encode_links
from nwbzarr.convention.names import DIMENSIONS, LINKS, NAMESPACE, NEURODATA_TYPE, SPECIFICATIONS, split_path
from nwbzarr.errors import ConversionError, NWBZarrError
from nwbzarr.layout.explanation import role_of
from nwbzarr.layout.planning import ArrayLayout, plan_layout
from nwbzarr.layout.rules import LayoutRules, LayoutWish
from nwbzarr.model.values import dims_of
from nwbzarr.schema.core import CORE
from nwbzarr.schema.fields import Kind
from nwbzarr.stores.url import relative_source, resolve_source
from nwbzarr.writing.aligned import AlignedRows
from nwbzarr.writing.parts import Parts
from nwbzarr.writing.plans import WritePlan
from nwbzarr.writing.sources import MemorySource, SlicedSource, Source

if TYPE_CHECKING:
    from nwbzarr.schema.registry import Registry
    from nwbzarr.stores.url import StoreURL

#: Decoded bytes of an array that is read when the plan is made; a text counts for 64.
_SMALL_BYTES: Final = 64 * 2**10
_TEXT_BYTES: Final = 64

_COLUMNS: Final = ("VectorData", "ElementIdentifiers")


def plan_conversion(session: Any, url: StoreURL, rules: LayoutRules, *, keep_chunks: bool = False) -> WritePlan:
    """Return the plan of a store that holds what a session of another format holds.

    Parameters
    ----------
    session : Session
        Open for reading.
    url : StoreURL
        Where the store goes.
    rules : LayoutRules
        What is wished for layouts.
    keep_chunks : bool
        Keep the shape of the chunks, where there are any, instead of planning it.

    Raises
    ------
    ConversionError, DocumentError
        When something cannot be read, or has no stored form.
    """
    parts = Parts()
    conversion = ArrayConversion(session, rules, parts, keep_chunks=keep_chunks)
    for path, document in session.tree.documents.items():
        attributes = dict(document.get("attributes", {}))
        if session.tree.is_array(path):
            conversion.plan(path, path, attributes)
            continue
        links = session.tree.links(path)
        if links:
            attributes[LINKS] = encode_links(_moved(link, session.url, url) for link in links)
        parts.documents[path] = {**document, "attributes": attributes}
    return WritePlan(
        url=url,
        base=None,
        documents=parts.documents,
        chunks=parts.chunks,
        arrays=tuple(parts.arrays),
        reads=frozenset({session.url}),
        layouts=parts.layouts,
    )


def _moved(link: Link, old: StoreURL, new: StoreURL) -> Link:
    """Return a link relative to the new store."""
    if link.source == ".":
        return link
    return Link(link.name, relative_source(new, resolve_source(old, link.source)), link.path)


class ArrayConversion:
    """Arrays of a session in another format, planned one by one.

    Parameters
    ----------
    session : Session
        Open for reading.
    rules : LayoutRules
        What is wished for layouts.
    parts : Parts
        Takes what is planned.
    keep_chunks : bool
        Keep the shape of the chunks.
    """

    def __init__(self, session: Any, rules: LayoutRules, parts: Parts, *, keep_chunks: bool = False) -> None:
        self.session = session
        self.rules = rules
        self.keep_chunks = keep_chunks
        self.parts = parts

    def plan(self, path: str, new_path: str, attributes: dict[str, Any]) -> None:
        """Plan an array: small ones are encoded now, others are read region by region when the plan is carried out.

        Parameters
        ----------
        path, new_path : str
            Where it is, and where it goes.
        attributes : dict
            Its attributes there.
        """
        stored = self.session.tree.documents[path]
        shape, dtype = tuple(stored["shape"]), self.session.tree.dtype(path)
        if dtype is None:
            message = f"only arrays of known data types are converted, but {stored.get('data_type')!r} was found"
            raise ConversionError(message, self.session.url.text, path)
        layout = self._layout(path, stored, dtype)
        names = self._dimensions(path, shape) if shape and DIMENSIONS not in attributes else None
        document = array_document(
            shape=shape,
            data_type=stored["data_type"],
            chunk_shape=layout.objects,
            codecs=layout.stored_codecs,
            fill_value=stored["fill_value"],
            attributes=attributes if names is None else {**attributes, DIMENSIONS: list(names)},
        )
        self.parts.layouts[new_path] = layout
        named = with_dimension_names(document, split_path(new_path)[1])
        self.parts.put(new_path, named, self._source(path, shape, dtype, layout), layout)

    def _source(self, path: str, shape: tuple[int, ...], dtype: np.dtype[Any], layout: ArrayLayout) -> Source:
        size = math.prod(shape) * (_TEXT_BYTES if dtype.kind == "O" else dtype.itemsize)
        small = self.session.small_array(path) if 0 not in shape and (size <= _SMALL_BYTES or not shape) else None
        if small is not None:
            return MemorySource(np.asarray(small))
        data, chunks = self.session.dataset(path).data, chunk_shape(self.session.tree.documents[path])
        if chunks and layout.chunks[0] % chunks[0]:
            data = AlignedRows(data, chunks[0])
        return SlicedSource(data, shape, dtype, path)

    def _layout(self, path: str, stored: Document, dtype: np.dtype[Any]) -> ArrayLayout:
        shape = tuple(stored["shape"])
        wish = self.rules.find(path) if shape else LayoutWish()
        registry, name = self._type(path)
        is_column = registry is not None and registry.is_a(name, _COLUMNS)
        given = {"role": role_of(path, is_column=is_column), **wish.given}
        if self.keep_chunks and shape and "chunks" not in given:
            given["chunks"] = chunk_shape(stored)
        try:
            return plan_layout(shape, dtype, **given)
        except NWBZarrError as error:
            raise error.located(self.session.url.text, path) from error

    # Dimensions.

    def _dimensions(self, path: str, shape: tuple[int, ...]) -> tuple[str, ...] | None:
        """Return the names that the schema has for an array's dimensions, or None."""
        if path.startswith(f"/{SPECIFICATIONS}/"):
            return None
        registry, name = self._type(path)
        if registry is not None:
            spec: Any = registry.resolved(name)
            return dims_of(shape, spec.dims, spec.shapes) if hasattr(spec, "dims") else None
        owner, field = split_path(path)
        while owner != "/" and self._type(owner)[0] is None:
            owner, above = split_path(owner)
            field = f"{above}/{field}"
        registry, name = self._type(owner)
        for known in registry.fields_of(name).values() if registry is not None else ():
            if known.kind is Kind.DATASET and known.path == field:
                return dims_of(shape, known.dims, known.shapes)
        return None

    def _type(self, path: str) -> tuple[Registry | None, str]:
        """Return the neurodata type of a node and where it is defined; no registry for an untyped or unknown one."""
        attributes = self.session.tree.attributes(path)
        namespace, name = attributes.get(NAMESPACE), attributes.get(NEURODATA_TYPE)
        if not isinstance(name, str):
            return None, ""
        registry = self.session.registry(namespace) or CORE
        return (registry, name) if registry.lineage(name) else (None, "")
