"""Files that are written as one: they get their name when they are whole, and do not appear when writing fails."""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nwbzarr.stores.trust import Options
    from nwbzarr.stores.url import StoreURL


@contextlib.contextmanager
def whole_path(target: Path) -> Iterator[Path]:
    """Give the path to write to; what is there gets its name when the block ends without an error, else it is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_file(target: StoreURL, options: Options | None) -> Iterator[Any]:
    """Give a file to write to, wherever fsspec reaches; it appears when the block ends without an error."""
    if target.is_local:
        with whole_path(Path(target.path)) as partial, partial.open("wb") as file:
            yield file
        return
    fs, path = fsspec.url_to_fs(str(target), **(options or {}))
    file = fs.open(path, "wb", autocommit=False)
    try:
        yield file
        file.close()
        file.commit()
    except BaseException:
        # Closing it as files are closed would upload what there is.
        file.discard()
        raise
