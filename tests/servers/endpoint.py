"""What a client has to know to talk to a test S3 server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal["ceph", "moto"]
REGION = "us-east-1"


@dataclass(frozen=True)
class S3Endpoint:
    """Address and credentials of a running S3 server."""

    url: str
    key: str
    secret: str
    kind: Kind
    region: str = REGION

    def storage_options(self) -> dict[str, Any]:
        """Keyword arguments for ``s3fs.S3FileSystem`` (``storage_options`` of fsspec)."""
        return {
            "key": self.key,
            "secret": self.secret,
            "client_kwargs": {"endpoint_url": self.url, "region_name": self.region},
        }

    def environment(self) -> dict[str, str]:
        """Environment variables that lead any AWS client to this server."""
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": self.region,
        }

    def through(self, url: str) -> S3Endpoint:
        """Return the same server as reached at another address, such as a proxy's."""
        return replace(self, url=url)
