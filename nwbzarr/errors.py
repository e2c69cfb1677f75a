"""Every error nwbzarr raises on purpose, as one tree.

::

    NWBZarrError
    ├── StoreError
    │   ├── StoreNotFoundError        (FileNotFoundError)  nothing there
    │   ├── NotAStoreError            (ValueError)         something there, but no Zarr v3 session
    │   ├── StoreExistsError          (FileExistsError)    modes w-/x, or a folder that is no session
    │   ├── IncompleteWriteError      (FileNotFoundError)  a write began and never committed
    │   ├── StoreAccessError          (PermissionError)    the service refused the credentials
    │   ├── StoreURLError             (ValueError)         a text that is no store URL
    │   ├── HDF5FileError             (ValueError)         an HDF5 file that is cut off or damaged, or none
    │   ├── ChangedFileError          (ValueError)         a file that is not the one its chunk index was made of
    │   └── StoreModeError            (ValueError)         unknown mode, or a mode that forbids the call
    ├── DocumentError                 (ValueError)         a zarr.json that says something impossible
    │   └── ChunkError                (ValueError)         a chunk or shard that is damaged, or not what its array asks for
    ├── LinkError
    │   ├── DanglingLinkError         (KeyError)           the target is not there
    │   ├── LinkCycleError            (ValueError)         links that lead back to themselves, or too many hops
    │   └── UnstoredTargetError       (ValueError)         the target is in no store yet
    ├── ReferenceTargetError          (KeyError)           a reference to a path that is not in its store
    ├── SchemaError                   (ValueError)         a value NWB does not allow
    │   ├── FieldTypeError            (TypeError)          of the wrong type
    │   ├── MissingFieldError         (TypeError)          required and not given
    │   ├── DuplicateNameError        (KeyError)           the name is taken
    │   ├── RowRangeError             (IndexError)         a row that a table does not have
    │   └── NamespaceError            (ValueError)         a namespace that cannot be understood, or an unknown type
    ├── AnalysisError                 (ValueError)         a computation that the data or the arguments do not allow
    │   ├── SamplingError             (ValueError)         times that are irregular, or not in order
    │   └── TimeRangeError            (IndexError)         a time that the series does not reach
    ├── ConversionError               (ValueError)         something in a file that the other format has no form for
    ├── LayoutError                   (ValueError)         chunks, shards or codecs that cannot be
    ├── CommitError                   (OSError)            the write did not become visible
    │   ├── CommitConflictError       (FileExistsError)    another writer came first
    │   ├── SelfOverwriteError        (ValueError)         the session still reads what it would replace
    │   └── StorageFullError          (OSError)            no space left
    ├── TrustError                    (PermissionError)    a link the caller gave no trust to
    ├── MissingExtraError             (ImportError)        an optional package that is not installed
    └── VerificationError             (AssertionError)     what was read is not what was written

This room refuses to do anything but name what went wrong.
"""

from __future__ import annotations

from typing import Any, Self


class NWBZarrError(Exception):
    """Base of all errors of this package.

    Parameters
    ----------
    message : str
        What must hold, what was found, and what to do.
    store : str or None
        URL of the store concerned, without credentials.
    path : str or None
        Path of the node inside that store.
    """

    def __init__(self, message: str, store: str | None = None, path: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.store = store
        self.path = path

    def __str__(self) -> str:
        where = "".join(part for part in (self.store, f" at {self.path}" if self.path else None) if part)
        return f"{self.message} [{where.strip()}]" if where else self.message

    def located(self, store: str | None, path: str | None) -> Self:
        """Return the same error with its place, where it does not know it yet."""
        return type(self)(self.message, self.store or store, self.path or path)

    def __reduce__(self) -> tuple[Any, ...]:
        notes = getattr(self, "__notes__", None)
        return type(self), (self.message, self.store, self.path), {"__notes__": notes} if notes else None


class StoreError(NWBZarrError):
    """A store cannot be opened or used."""


class StoreNotFoundError(StoreError, FileNotFoundError):
    """Nothing is stored under this URL."""


class NotAStoreError(StoreError, ValueError):
    """Something is stored here, but it is no Zarr v3 session."""


class StoreExistsError(StoreError, FileExistsError):
    """The mode does not allow to replace what is there."""


class IncompleteWriteError(StoreError, FileNotFoundError):
    """A write began here and was never committed; the store counts as absent."""


class StoreAccessError(StoreError, PermissionError):
    """The service refused the request for want of rights."""


class StoreURLError(StoreError, ValueError):
    """The text is no URL of a store."""


class HDF5FileError(StoreError, ValueError):
    """The file is no HDF5 file, or is cut off or damaged."""


class ChangedFileError(StoreError, ValueError):
    """The file is not the one that its chunk index was made of."""


class ConversionError(NWBZarrError, ValueError):
    """What a file holds has no form in the other format."""


class StoreModeError(StoreError, ValueError):
    """The mode is unknown, or forbids what was asked."""


class DocumentError(NWBZarrError, ValueError):
    """A metadata document cannot be understood."""


class ChunkError(DocumentError):
    """A chunk or shard is damaged, or holds something else than its array's metadata says."""


class LinkError(NWBZarrError):
    """A link cannot be written or followed."""


class DanglingLinkError(LinkError, KeyError):
    """The link's target is not there."""

    __str__ = NWBZarrError.__str__


class LinkCycleError(LinkError, ValueError):
    """The link leads back to itself, or over too many hops."""


class UnstoredTargetError(LinkError, ValueError):
    """The link's target is in no store yet."""


class ReferenceTargetError(NWBZarrError, KeyError):
    """A reference names a path that its store does not hold."""

    __str__ = NWBZarrError.__str__


class SchemaError(NWBZarrError, ValueError):
    """A value that the NWB schema does not allow."""


class FieldTypeError(SchemaError, TypeError):
    """A field was given a value of the wrong type."""


class MissingFieldError(SchemaError, TypeError):
    """A required field was not given."""


class DuplicateNameError(SchemaError, KeyError):
    """A name that is already taken."""

    __str__ = NWBZarrError.__str__


class RowRangeError(SchemaError, IndexError):
    """A row that a table does not have."""


class NamespaceError(SchemaError):
    """A namespace that cannot be understood, contradicts itself, or lacks a type."""


class AnalysisError(NWBZarrError, ValueError):
    """A computation that the data or the arguments do not allow."""


class SamplingError(AnalysisError):
    """Times of samples that are irregular where a rate is needed, or not in order."""


class TimeRangeError(AnalysisError, IndexError):
    """A time that the series does not reach."""


class LayoutError(NWBZarrError, ValueError):
    """Chunks, shards or codecs that cannot be."""


class CommitError(NWBZarrError, OSError):
    """A write did not become visible."""


class CommitConflictError(CommitError, FileExistsError):
    """Another writer came first."""


class SelfOverwriteError(CommitError, ValueError):
    """The session still reads from the store it would replace."""


class StorageFullError(CommitError):
    """No space is left where the store is written."""


class TrustError(NWBZarrError, PermissionError):
    """A link leads where the caller gave no trust."""


class MissingExtraError(NWBZarrError, ImportError):
    """An optional package is needed, and is not installed."""


class VerificationError(NWBZarrError, AssertionError):
    """What was read back is not what was written."""
