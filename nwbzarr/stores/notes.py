"""The note of what arrays a write stores, beside its objects, so that another write can go on where it was cut off.

An array of a write that was cut off may be gone on with when it is to be stored in just the same form: shape, chunks,
shards, codecs, dtype. Whether the values are the same is for the caller to know. This room refuses I/O.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nwbzarr.convention.documents import Document


@dataclass(frozen=True, slots=True)
class WriteNote:
    """What arrays a write stores.

    Attributes
    ----------
    arrays : mapping of str to str
        Path to the digest of its form.
    """

    arrays: Mapping[str, str]

    @classmethod
    def of(cls, documents: Mapping[str, Document]) -> WriteNote:
        """Return the note of some arrays, given by path and metadata."""
        return cls({path: _digest(document) for path, document in documents.items()})

    def dump(self) -> bytes:
        """Return the stored form."""
        return json.dumps({"arrays": dict(self.arrays)}).encode()

    def unchanged(self, earlier: bytes) -> list[str]:
        """Return the arrays that an earlier note, as stored, has in the same form; none when it is no note."""
        try:
            known = json.loads(earlier)["arrays"]
            return [path for path, digest in self.arrays.items() if known.get(path) == digest]
        except (ValueError, TypeError, KeyError, AttributeError):
            return []


def _digest(document: Mapping[str, Any]) -> str:
    form = {name: value for name, value in document.items() if name not in ("attributes", "dimension_names")}
    return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()
