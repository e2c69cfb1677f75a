"""A store in one zip file, read in place: each object by one request for a part of the file.

The central directory is read once. Objects must be stored without zip's own compression (chunks have theirs), so that
parts of them can be asked for. PKWARE, APPNOTE 6.3.10, sections 4.3 and 4.4. This room refuses to write.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any, Final

from zarr.abc.store import RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from nwbzarr.errors import DocumentError
from nwbzarr.stores.foreign_keys import ForeignKeys, bounds

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

    from nwbzarr.stores.places import Place

#: First bytes of a zip file that holds something.
SIGNATURE: Final = b"PK\x03\x04"

#: Bytes at the end of the file that are read first: the directory of some thousand objects.
_TAIL_BYTES: Final = 2**20

#: Bytes of a local header before name and extra field, and where their lengths stand in it.
_HEADER_BYTES: Final = 30
_LENGTHS: Final = slice(26, 30)


class PackageKeys(ForeignKeys):
    """The keys of a store in a zip file.

    Parameters
    ----------
    file : Place
        The folder that holds the file.
    name : str
        The file's key in that folder.
    keys : zarr.abc.store.Store, optional
        Those of the folder; opened when they are needed without.
    """

    is_native = True

    def __init__(self, file: Place, name: str, keys: Store | None = None) -> None:
        super().__init__()
        self.file = file
        self.name = name
        self._keys = keys if keys is not None else file.open()
        self._entries: dict[str, zipfile.ZipInfo] | None = None
        self._shift = 0
        self._starts: dict[str, int] = {}

    def only(self, path: str) -> PackageKeys:  # noqa: ARG002 - what other foreign keys narrow to
        """Return keys that travel: the directory is read again where they arrive."""
        return PackageKeys(self.file, self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        return PackageKeys, (self.file, self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PackageKeys) and (self.file, self.name) == (other.file, other.name)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<PackageKeys of {self.file.url.text}/{self.name}>"

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return what a key holds, or a part of it."""
        entry = (await self._directory()).get(key)
        if entry is None:
            return None
        start = await self._start(entry)
        first, last = bounds(byte_range, entry.file_size)
        if first >= last:
            return prototype.buffer.from_bytes(b"")
        return await self._keys.get(self.name, prototype, RangeByteRequest(start + first, start + last))

    async def _directory(self) -> dict[str, zipfile.ZipInfo]:
        if self._entries is None:
            found = await self._read_directory()
            # `zipfile` takes the end of the file for the whole; the first object begins where the file does.
            self._shift = -min((entry.header_offset for entry in found), default=0)
            self._entries = {entry.filename: entry for entry in found if not entry.is_dir()}
        return self._entries

    async def _read_directory(self) -> list[zipfile.ZipInfo]:
        """Return what the file holds; its end is read, and more of it when the directory is longer."""
        prototype = default_buffer_prototype()
        asked = _TAIL_BYTES
        while True:
            found = await self._keys.get(self.name, prototype, SuffixByteRequest(asked))
            tail = b"" if found is None else found.to_bytes()
            try:
                with zipfile.ZipFile(io.BytesIO(tail)) as package:
                    return package.infolist()
            except (zipfile.BadZipFile, ValueError, OSError) as error:
                if len(tail) < asked or asked > 2**32:
                    message = (
                        f"the file must be a whole zip file, but its directory cannot be read ({error}): it is cut off"
                    )
                    raise DocumentError(message, f"{self.file.url.text}/{self.name}") from error
                asked *= 16

    async def _start(self, entry: zipfile.ZipInfo) -> int:
        """Return where the bytes of an object begin."""
        if entry.compress_type != zipfile.ZIP_STORED:
            message = (
                "objects of a zip file must be stored without compression, but this one is compressed: pack it again"
            )
            raise DocumentError(message, f"{self.file.url.text}/{self.name}", entry.filename)
        if entry.filename not in self._starts:
            begin = entry.header_offset + self._shift
            found = await self._keys.get(
                self.name, default_buffer_prototype(), RangeByteRequest(begin, begin + _HEADER_BYTES)
            )
            lengths = (b"" if found is None else found.to_bytes())[_LENGTHS]
            name, extra = int.from_bytes(lengths[:2], "little"), int.from_bytes(lengths[2:], "little")
            self._starts[entry.filename] = begin + _HEADER_BYTES + name + extra
        return self._starts[entry.filename]

    @property
    def place(self) -> str:
        """URL of the file."""
        return f"{self.file.url.text}/{self.name}"

    async def names(self) -> list[str]:
        """Return all keys."""
        return list(await self._directory())


def open_package(file: Place, name: str, keys: Store) -> PackageKeys:
    """Return the keys of a store in a zip file; its directory is read now.

    Raises
    ------
    DocumentError
        When it is cut off.
    """
    package = PackageKeys(file, name, keys)
    sync(package._directory())  # noqa: SLF001 - its own module
    return package
