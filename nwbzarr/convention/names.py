"""Words that stand in stored documents, and the rules for names and paths.

This room refuses to know any value or any type: it holds words only.
"""

from __future__ import annotations

from nwbzarr.errors import DocumentError, FieldTypeError, SchemaError

# Attributes that every reader of the convention knows.
NEURODATA_TYPE = "neurodata_type"
NAMESPACE = "namespace"
OBJECT_ID = "object_id"
LINKS = "_LINKS"
REFERENCE = "_REFERENCE"
REFERENCE_FIELDS = "_REFERENCE_FIELDS"
DTYPE = "_DTYPE"
DIMENSIONS = "_ARRAY_DIMENSIONS"
SPECIFICATIONS_LOCATION = ".specloc"
OBJECT_REFERENCE = "object_reference"

# What nwbzarr adds, and any reader may ignore.
ATTRIBUTE_DTYPES = "_ATTRIBUTE_DTYPES"
HDF5_NOTE = "_HDF5"

#: Attributes that describe the stored form and are no content of the container.
RESERVED_ATTRIBUTES = frozenset(
    {LINKS, REFERENCE_FIELDS, DTYPE, DIMENSIONS, SPECIFICATIONS_LOCATION, ATTRIBUTE_DTYPES, HDF5_NOTE}
)

#: Attributes that name a container.
IDENTITY_ATTRIBUTES = (NAMESPACE, NEURODATA_TYPE, OBJECT_ID)

#: Group that holds the cached namespaces; it is no container.
SPECIFICATIONS = "specifications"

# Keys at the root of a store.
DOCUMENT = "zarr.json"
SIDECAR = "nwbzarr.small-chunks"
WRITE_MARK = "nwbzarr.write-in-progress"
WRITE_NOTE = "nwbzarr.write-note"


def parse_name(name: object, owner: str) -> str:
    """Return `name` when it may name a container or dataset.

    Parameters
    ----------
    name : object
        What the caller gave.
    owner : str
        Neurodata type, for the message.

    Raises
    ------
    FieldTypeError
        When it is no text.
    SchemaError
        When it is empty, holds ``/``, or is a word of the stored form.
    """
    if not isinstance(name, str):
        message = f"{owner}.name must be a text, but {type(name).__name__} came: give name='…'"
        raise FieldTypeError(message)
    if not name or name.strip(".") == "":
        message = f"{owner}.name must not be empty or made of dots only, but {name!r} came: give another name"
        raise SchemaError(message)
    if "/" in name or "\0" in name or "\\" in name:
        message = f"{owner}.name must not hold '/', a backslash or NUL (they separate paths), but {name!r} came"
        raise SchemaError(message)
    if not name.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in name):
        message = f"{owner}.name must be Unicode text, but {name!r} holds half a surrogate pair: give another name"
        raise SchemaError(message)
    if name in (DOCUMENT, SIDECAR, WRITE_MARK) or name.startswith("__"):
        message = f"{owner}.name must not be {name!r}: the word is taken by the stored form"
        raise SchemaError(message)
    return name


def parse_path(path: object, store: str | None = None) -> str:
    """Return `path` as an absolute path inside a store, without a slash at the end (``"/"`` is the root).

    Raises
    ------
    DocumentError
        When it is no text, or has empty, ``.`` or ``..`` segments.
    """
    if not isinstance(path, str) or not path:
        message = f"a path inside a store must be a non-empty text, but {path!r} was found"
        raise DocumentError(message, store)
    if path == "/":
        return path
    segments = path.strip("/").split("/")
    if any(segment in ("", ".", "..") for segment in segments) or "\0" in path or "\\" in path:
        message = f"a path inside a store has no empty, '.' or '..' segments, but {path!r} was found"
        raise DocumentError(message, store)
    return "/" + "/".join(segments)


def join_path(parent: str, name: str) -> str:
    """Return the path of the child `name` of `parent`."""
    return f"/{name}" if parent == "/" else f"{parent}/{name}"


def split_path(path: str) -> tuple[str, str]:
    """Return the parent path and the name of `path`."""
    parent, _, name = path.rpartition("/")
    return parent or "/", name


def key_of(path: str, leaf: str) -> str:
    """Return the store key of `leaf` (a document or chunk) of the node at `path`."""
    return leaf if path == "/" else f"{path[1:]}/{leaf}"
