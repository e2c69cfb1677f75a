"""Pytest fixtures around the servers; register with ``pytest_plugins = ["tests.servers.fixtures"]``.

``NWBZARR_TEST_S3`` chooses the S3 server: ``ceph``, ``moto`` or ``none``. Unset, it is Ceph where
its programs are installed, else moto.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers.ceph import CephGateway, ceph_missing
from tests.servers.faults import FaultProxy
from tests.servers.moto import MotoServer, moto_missing
from tests.servers.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.servers.endpoint import Kind, S3Endpoint

VARIABLE = "NWBZARR_TEST_S3"
_NO_PROXY = "127.0.0.1,localhost"
_FOREIGN = ("AWS_", "BOTO_", "FSSPEC_")
_bucket_numbers = count(1)


@dataclass(frozen=True)
class Choice:
    """Which S3 server the tests use (None: none, they are skipped or fail) and why."""

    kind: Kind | None
    reason: str
    failure: bool = False


@dataclass(frozen=True)
class S3Bucket:
    """A fresh bucket and how to reach it."""

    endpoint: S3Endpoint
    bucket: str

    @property
    def url(self) -> str:
        """``s3://`` and the name of the bucket."""
        return f"s3://{self.bucket}"

    @property
    def options(self) -> dict[str, Any]:
        """Storage options for fsspec."""
        return self.endpoint.storage_options()

    def through(self, proxy: FaultProxy) -> S3Bucket:
        """Return the same bucket as reached through a proxy."""
        return replace(self, endpoint=self.endpoint.through(proxy.url))


def _forced(wanted: str, no_ceph: str | None, no_moto: str | None) -> Choice:
    if wanted == "none":
        return Choice(None, f"{VARIABLE}=none")
    if wanted not in ("ceph", "moto"):
        return Choice(None, f"{VARIABLE}={wanted}: it must be ceph, moto or none", failure=True)
    missing = no_ceph if wanted == "ceph" else no_moto
    if missing:
        return Choice(None, f"{VARIABLE}={wanted}, but: {missing}", failure=True)
    return Choice("ceph" if wanted == "ceph" else "moto", f"{VARIABLE}={wanted}")


def choose(environ: Mapping[str, str], no_ceph: str | None, no_moto: str | None) -> Choice:
    """Choose the S3 server from the environment and from what is missing for each."""
    wanted = environ.get(VARIABLE, "")
    if wanted:
        return _forced(wanted, no_ceph, no_moto)
    if no_ceph is None:
        return Choice("ceph", "a real gateway")
    if no_moto is None:
        return Choice("moto", f"a stand-in, no real S3 server. {no_ceph}")
    return Choice(None, f"{no_ceph}; or, as a stand-in: {no_moto}")


def _choice() -> Choice:
    return choose(os.environ, ceph_missing(), moto_missing())


def _notice() -> str:
    choice = _choice()
    return f"S3 server for the tests: {choice.kind or 'none'} ({choice.reason})"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, for projects that do not."""
    config.addinivalue_line("markers", "s3: needs an S3 server")


def pytest_report_header() -> str:
    """Say which S3 server the tests use."""
    return _notice()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once more, where it cannot be missed, that S3 was not the real thing."""
    if _choice().kind != "ceph":
        terminalreporter.write_line(_notice(), yellow=True)


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """Keep the developer's AWS settings and HTTP proxies out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [each for each in os.environ if each.startswith(_FOREIGN)]:
            patch.delenv(name)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, _NO_PROXY)
        yield


@pytest.fixture(scope="session")
def s3_server(clean_environment: None) -> Iterator[S3Endpoint]:  # noqa: ARG001
    """Run an S3 server for the whole session."""
    choice = _choice()
    if choice.kind is None:
        (pytest.fail if choice.failure else pytest.skip)(choice.reason)
    with CephGateway() if choice.kind == "ceph" else MotoServer() as server:
        yield server.endpoint


@pytest.fixture(scope="session")
def s3_client(s3_server: S3Endpoint) -> Iterator[Any]:
    """Return a plain botocore client, to look at the server behind the back of the package."""
    session = pytest.importorskip("botocore.session").Session()
    client = session.create_client(
        "s3",
        endpoint_url=s3_server.url,
        region_name=s3_server.region,
        aws_access_key_id=s3_server.key,
        aws_secret_access_key=s3_server.secret,
    )
    yield client
    client.close()


@pytest.fixture
def s3_bucket(s3_server: S3Endpoint, s3_client: Any) -> S3Bucket:
    """Make a fresh bucket; it vanishes with the server."""
    name = f"test-{next(_bucket_numbers):05d}"
    s3_client.create_bucket(Bucket=name)
    return S3Bucket(s3_server, name)


@pytest.fixture
def fault_proxy(s3_server: S3Endpoint) -> Iterator[FaultProxy]:
    """Put a proxy in front of the S3 server: ``s3_bucket.through(fault_proxy)``."""
    with FaultProxy(s3_server.url) as proxy:
        yield proxy


@pytest.fixture
def web_server(clean_environment: None) -> Iterator[Callable[[Path], WebServer]]:  # noqa: ARG001
    """Serve directories: ``web_server(directory).url``."""
    with ExitStack() as stack:
        yield lambda directory: stack.enter_context(WebServer(directory))
