"""Files that are written as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fsspec
import pytest

from nwbzarr.stores.connections import locate
from nwbzarr.stores.files import whole_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.fixtures import S3Bucket


@pytest.mark.parametrize("kind", ["local", pytest.param("s3", marks=pytest.mark.s3)])
def test_a_file_whose_writing_fails_does_not_appear(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url, options = str(tmp_path / "made"), None
    if kind == "s3":
        bucket: S3Bucket = request.getfixturevalue("s3_bucket")
        url, options = f"{bucket.url}/made", bucket.options
    fs, path = fsspec.url_to_fs(url, **{**(options or {}), "use_listings_cache": False} if options else {})

    def write(data: bytes, error: Any = None) -> None:
        with whole_file(locate(url), options) as file:
            file.write(data)
            if error is not None:
                raise error

    with pytest.raises(ValueError, match="no more"):
        write(b"half", ValueError("no more"))
    assert not fs.exists(path)
    write(b"whole")
    with pytest.raises(KeyboardInterrupt):
        write(b"half", KeyboardInterrupt())
    assert fs.cat(path) == b"whole"
    assert list(tmp_path.glob(".*")) == []
