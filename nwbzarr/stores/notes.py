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
    from collections.abc import Collection, Iterable, Mapping

    from nwbzarr.convention.documents import Document


@dataclass(frozen=True, slots=True)
class WriteNote:
    """What arrays a write stores.

    Attributes
    ----------
    arrays : mapping of str to (str, int or None)
        Path to the digest of its form, and to its rows; None while an iterator has not ended.
    """

    arrays: Mapping[str, tuple[str, int | None]]

    @classmethod
    def of(cls, documents: Mapping[str, Document], open_ended: Collection[str]) -> WriteNote:
        """Return the note of some arrays, given by path and metadata; some have an end that is not known yet."""
        return cls(
            {
                path: (_digest(document), None if path in open_ended else document["shape"][0])
                for path, document in documents.items()
            }
        )

    def dump(self) -> bytes:
        """Return the stored form."""
        return json.dumps({"arrays": dict(self.arrays)}).encode()

    def ended(self, path: str, rows: int) -> WriteNote:
        """Return the note with the rows of an array whose blocks have ended."""
        return WriteNote({**self.arrays, path: (self.arrays[path][0], rows)})

    def kept(self, earlier: bytes, names: Iterable[str]) -> list[str]:
        """Return the keys, of those an earlier write has left, that hold what this write would store.

        The object at the end of an array lacks rows when the array is longer now: it is left out, unless the array had
        not ended then, or ends at the same row.

        Parameters
        ----------
        earlier : bytes
            The earlier note, as stored; none are kept when it is no note.
        names : iterable of str
            Keys that are there.
        """
        try:
            known = {path: tuple(entry) for path, entry in json.loads(earlier)["arrays"].items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            return []
        found: list[str] = []
        listed = sorted(names)
        for path, (digest, rows) in self.arrays.items():
            folder = f"{path.strip('/')}/"
            own = [name for name in listed if name.startswith(f"{folder}c")]
            if known.get(path, ("",))[0] != digest:
                continue
            last = max((_row(name, folder) for name in own), default=0)
            whole = known[path][1] is None or (rows is not None and known[path][1] == rows)
            found += own if whole else [name for name in own if _row(name, folder) < last]
        return found


def _row(name: str, folder: str) -> int:
    """Return the index of an object along the first dimension, by its key."""
    parts = name.removeprefix(folder).replace("/", ".").split(".")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdecimal() else 0


def _digest(document: Mapping[str, Any]) -> str:
    form = {name: value for name, value in document.items() if name not in ("attributes", "dimension_names", "shape")}
    form["across"] = document["shape"][1:]
    return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()
