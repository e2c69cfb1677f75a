"""Where a store is, and how one store names another: pure arithmetic on URLs.

`relative_source` and `resolve_source` are inverse to each other: for all stores `base` and `target`,
``resolve_source(base, relative_source(base, target)) == target``. The base of a relative source is the
store itself, not its parent folder, as the stored convention wants it: a sibling is ``../name``.

This room refuses to do I/O, and refuses every stored source that could choose a protocol for the reader
(``::`` chains, queries, fragments, encoded dots): those may come from a caller, never from a store.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nwbzarr.errors import LinkError, StoreURLError

if TYPE_CHECKING:
    from collections.abc import Callable

#: Protocols whose URLs have no host or bucket: everything after ``://`` is the path.
PATH_ONLY_PROTOCOLS = frozenset({"file", "local", "memory", "zip", "tar", "libarchive", "dir", "cached", "reference"})

#: Spellings of one protocol.
PROTOCOL_ALIASES = {"local": "file", "s3a": "s3", "gcs": "gs"}

#: Wrappers that stand before another URL and have no path of their own.
WRAPPER_PROTOCOLS = frozenset({"simplecache", "filecache", "blockcache", "cached"})

#: Protocols whose store lies inside one file of another place.
ARCHIVE_PROTOCOLS = frozenset({"zip", "tar", "libarchive"})

#: Protocols whose authority is ``organisation:repository@version`` and holds no password.
_ORGANISATIONS = frozenset({"github", "gitlab", "git"})

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_ENCODED = re.compile(r"%(2e|2f|5c|00)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StoreURL:
    """The place of one store.

    Attributes
    ----------
    protocol : str
        ``"file"``, ``"s3"``, ``"memory"``, ``"https"`` …, in lower case.
    authority : str
        Bucket or host with port; empty for protocols that have none.
    path : str
        Normal POSIX path with a leading ``/`` and none at the end (``""`` is the root).
    before, after : str
        fsspec chain around the part that holds the path, e.g. ``"simplecache::"`` or ``"::s3://b/a.zip"``.
    """

    protocol: str
    authority: str
    path: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        if "::" in self.path:
            # Only a bare local path can hold what separates the parts of a chain.
            return self.path
        return f"{self.before}{self.protocol}://{self.authority}{self.path or '/'}{self.after}"

    @property
    def origin(self) -> str:
        """Protocol with host or bucket and chain: what a set of credentials is given for."""
        return f"{self.before}{self.protocol}://{self.authority}{self.after}"

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def text(self) -> str:
        """The URL as people read it: a bare path for the local file system."""
        return self.path or "/" if self.is_local else str(self)

    @property
    def is_local(self) -> bool:
        """Whether this is a path of the local file system."""
        return self.protocol == "file" and not self.before and not self.after

    def joined(self, name: str) -> StoreURL:
        """Return the place of `name` below this one.

        Parameters
        ----------
        name : str
            One path segment or several, separated by ``/``.
        """
        return replace(self, path=f"{self.path}/{normal_path(name, str(self)).lstrip('/')}")

    @property
    def parent(self) -> StoreURL:
        """The folder that holds this store."""
        return replace(self, path=self.path.rpartition("/")[0])

    def is_within(self, other: StoreURL) -> bool:
        """Whether this place is `other` or below it, by whole path segments."""
        return self.origin == other.origin and (self.path == other.path or self.path.startswith(f"{other.path}/"))


def parse_url(text: str, working_folder: str = "/") -> StoreURL:
    """Return the store URL a caller typed.

    Parameters
    ----------
    text : str
        A URL that fsspec understands, or a local path.
    working_folder : str
        Absolute POSIX path that relative local paths start from.

    Raises
    ------
    StoreURLError
        When the text is empty, or cannot name a store.
    """
    if not text.strip():
        message = "a store URL must name a folder, a bucket path or another fsspec place, but the text is empty"
        raise StoreURLError(message)
    if "\0" in text:
        message = f"a store URL holds no NUL character, but {text!r} does"
        raise StoreURLError(message)
    before, body, after = _split_chain(text)
    match = _SCHEME.match(body)
    if match is None:
        return StoreURL("file", "", _local_path(body, working_folder), before, after)
    protocol = PROTOCOL_ALIASES.get(match[1].lower(), match[1].lower())
    rest = body[match.end() :]
    if protocol == "file":
        return StoreURL(protocol, "", _local_path(rest, working_folder), before, after)
    if protocol in PATH_ONLY_PROTOCOLS:
        return StoreURL(protocol, "", normal_path(rest, text), before, after)
    authority, _, path = rest.partition("/")
    if ":" in authority.rpartition("@")[0] and protocol not in _ORGANISATIONS:
        shown = f"{protocol}://{authority.partition(':')[0]}:…@{authority.rpartition('@')[2]}"
        message = f"a URL must hold no password, since links and messages repeat it: give {shown} storage_options"
        raise StoreURLError(message)
    if not authority:
        message = f"{protocol}:// must be followed by a bucket or host, but {text!r} has none"
        raise StoreURLError(message)
    return StoreURL(protocol, authority, normal_path(path, text), before, after)


def normal_path(path: str, whole: str) -> str:
    """Return `path` with one leading slash, no empty or dot segments and no trailing slash.

    Raises
    ------
    StoreURLError
        When ``..`` climbs above the root.
    """
    kept: list[str] = []
    for segment in path.split("/"):
        if segment in ("", "."):
            continue
        if segment != "..":
            kept.append(segment)
        elif kept:
            kept.pop()
        else:
            message = f"'..' climbs above the root in {whole!r}: a store lies below its bucket, host or disk"
            raise StoreURLError(message)
    return "".join(f"/{segment}" for segment in kept)


def relative_source(base: StoreURL, target: StoreURL) -> str:
    """Return the ``source`` by which the store `base` names the store `target`.

    ``"."`` for the store itself, a relative path within one origin, a full URL across origins.

    Raises
    ------
    LinkError
        When `target` lies behind an fsspec chain of another origin, which no stored source may name.
    """
    if base == target:
        return "."
    if base.origin != target.origin:
        source = str(target)
        _refuse_unstorable(source, str(base))
        return source
    ours = base.path.split("/")[1:]
    theirs = target.path.split("/")[1:]
    shared = 0
    while shared < min(len(ours), len(theirs)) and ours[shared] == theirs[shared]:
        shared += 1
    source = "/".join([".."] * (len(ours) - shared) + theirs[shared:])
    _refuse_unstorable(source, str(base))
    if resolve_source(base, source) != target:
        message = f"no relative source leads from here to {target}, whose path a link cannot hold: rename it"
        raise LinkError(message, str(base))
    return source


def resolve_source(base: StoreURL, source: str) -> StoreURL:
    """Return the store that `source`, found in the store `base`, names.

    Raises
    ------
    LinkError
        When the source is empty, absolute without a protocol, chained, or climbs above its origin.
    """
    if source == ".":
        return base
    _refuse_unstorable(source, str(base))
    match = _SCHEME.match(source)
    if match is not None:
        try:
            return parse_url(source)
        except StoreURLError as error:
            raise LinkError(error.message, str(base)) from error
    if source.startswith("/") or _DRIVE.match(source):
        message = f"a link source is relative to its store or a full URL, but {source!r} is an absolute path"
        raise LinkError(message, str(base))
    if base.after and source.rstrip("/").endswith(":"):
        message = f"a link source inside an fsspec chain must not end in a colon, but {source!r} does"
        raise LinkError(message, str(base))
    try:
        return replace(base, path=normal_path(f"{base.path}/{source}", f"{base} + {source}"))
    except StoreURLError as error:
        raise LinkError(error.message, str(base)) from error


def _refuse_unstorable(source: str, base: str) -> None:
    """Raise for sources that may not stand in a store."""
    reason = next((reason for test, reason in _UNSTORABLE if test(source)), None)
    if reason is not None:
        message = (
            f"the link source {source!r} {reason}; stored sources are '.', a path relative to the store, "
            "or a plain protocol://bucket/path URL"
        )
        raise LinkError(message, base)


_UNSTORABLE: tuple[tuple[Callable[[str], object], str], ...] = (
    (lambda source: not source.strip(), "is empty"),
    (lambda source: "::" in source, "is an fsspec chain"),
    (lambda source: "|" in source, "is a URL pipeline"),
    (lambda source: "\0" in source, "holds a NUL character"),
    (lambda source: "\\" in source, "holds a backslash"),
    (lambda source: "?" in source or "#" in source, "has a query or fragment"),
    (_ENCODED.search, "holds percent-encoded dots or slashes"),
)


def _split_chain(text: str) -> tuple[str, str, str]:
    """Split an fsspec chain into what stands before, the part with the path, and what stands after."""
    parts = text.split("::")
    if "://" not in text and parts[0] not in WRAPPER_PROTOCOLS:
        # A local path: '::' is part of a name.
        return "", text, ""
    if parts[-1].strip() == "":
        message = f"a chained URL must end in a place, but {text!r} ends in '::'"
        raise StoreURLError(message)
    for index, part in enumerate(parts):
        if part in ARCHIVE_PROTOCOLS and index + 1 < len(parts):
            # fsspec takes an archive by its protocol alone: its root is meant.
            part = f"{part}://"  # noqa: PLW2901
        if part not in WRAPPER_PROTOCOLS:
            before = "".join(f"{wrapper}::" for wrapper in parts[:index])
            after = "".join(f"::{rest}" for rest in parts[index + 1 :])
            return before, part, after
    message = f"a chained URL must end in a place, but {text!r} names only caches"
    raise StoreURLError(message)


def _local_path(path: str, working_folder: str) -> str:
    """Return an absolute POSIX path; drive letters become its first segment."""
    if _DRIVE.match(path):
        path = "/" + path.replace("\\", "/")
    absolute = path if path.startswith("/") else f"{working_folder}/{path}"
    return normal_path(absolute, path)
