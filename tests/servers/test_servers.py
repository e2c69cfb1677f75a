"""The servers of the tests do what the tests rely on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers import ceph
from tests.servers.endpoint import S3Endpoint
from tests.servers.faults import FaultProxy, Faults
from tests.servers.fixtures import S3Bucket, choose
from tests.servers.processes import ServerError, free_ports
from tests.servers.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable

needs_ceph = pytest.mark.skipif(ceph.ceph_missing() is not None, reason=str(ceph.ceph_missing()))
ServeDirectory = "Callable[[Path], WebServer]"


def get(url: str, **headers: str) -> bytes:
    request = urllib.request.Request(url, headers={key.replace("_", "-"): value for key, value in headers.items()})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        body: bytes = answer.read()
        return body


def status_of(url: str, **headers: str) -> int:
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(url, **headers)
    caught.value.close()
    return int(caught.value.code)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(bytes(range(100)))
    return tmp_path


# --- S3


@pytest.mark.s3
def test_objects_come_back(s3_bucket: S3Bucket, s3_client: Any) -> None:
    s3_client.put_object(Bucket=s3_bucket.bucket, Key="a/b", Body=b"content")
    assert s3_client.get_object(Bucket=s3_bucket.bucket, Key="a/b")["Body"].read() == b"content"


@pytest.mark.s3
def test_second_creation_is_refused(s3_bucket: S3Bucket, s3_client: Any) -> None:
    s3_client.put_object(Bucket=s3_bucket.bucket, Key="k", Body=b"1", IfNoneMatch="*")
    with pytest.raises(s3_client.exceptions.ClientError, match="PreconditionFailed"):
        s3_client.put_object(Bucket=s3_bucket.bucket, Key="k", Body=b"2", IfNoneMatch="*")
    assert s3_client.get_object(Bucket=s3_bucket.bucket, Key="k")["Body"].read() == b"1"


@pytest.mark.s3
def test_replacement_needs_the_unquoted_etag(s3_bucket: S3Bucket, s3_client: Any) -> None:
    first = s3_client.put_object(Bucket=s3_bucket.bucket, Key="k", Body=b"1")["ETag"].strip('"')
    s3_client.put_object(Bucket=s3_bucket.bucket, Key="k", Body=b"2", IfMatch=first)
    with pytest.raises(s3_client.exceptions.ClientError, match="PreconditionFailed"):
        s3_client.put_object(Bucket=s3_bucket.bucket, Key="k", Body=b"3", IfMatch=first)
    assert s3_client.get_object(Bucket=s3_bucket.bucket, Key="k")["Body"].read() == b"2"


@pytest.mark.s3
def test_the_environment_leads_to_the_server(s3_server: S3Endpoint) -> None:
    variables = s3_server.environment()
    assert variables["AWS_ENDPOINT_URL"] == s3_server.url
    assert "AWS_ACCESS_KEY_ID" not in os.environ


# --- the choice of the S3 server


def test_choice_prefers_ceph() -> None:
    assert choose({}, None, None).kind == "ceph"
    assert choose({}, "no ceph", None).kind == "moto"
    assert "no ceph" in choose({}, "no ceph", None).reason
    assert choose({}, "no ceph", "no moto").kind is None
    assert not choose({}, "no ceph", "no moto").failure


@pytest.mark.parametrize(("wanted", "kind", "failure"), [("moto", "moto", False), ("ceph", None, True), ("none", None, False), ("s4", None, True)])
def test_choice_obeys(wanted: str, kind: str | None, *, failure: bool) -> None:
    choice = choose({"NWBZARR_TEST_S3": wanted}, "no ceph", None)
    assert (choice.kind, choice.failure) == (kind, failure)


# --- Ceph


@needs_ceph
def test_ceph_leaves_nothing_behind(tmp_path: Path) -> None:
    gateway = ceph.CephGateway(tmp_path / "cluster")
    with gateway:
        assert len(ceph._daemons(ceph._Layout(tmp_path / "cluster"))) == 3
        assert gateway.endpoint.kind == "ceph"
    assert not ceph._daemons(ceph._Layout(tmp_path / "cluster"))
    assert not (tmp_path / "cluster").exists()


@needs_ceph
def test_ceph_says_why_it_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceph, "KEY", "")
    with pytest.raises(ServerError, match=r"radosgw-admin ended with status \d+\n.*--- commands\.out"):
        ceph.CephGateway(tmp_path / "cluster").start()
    assert not (tmp_path / "cluster").exists()


@needs_ceph
def test_ceph_wants_its_port_for_itself(tmp_path: Path, tree: Path) -> None:
    with WebServer(tree) as thief, pytest.raises(ServerError, match="is in use"):
        ceph.CephGateway(tmp_path / "cluster", port=int(thief.url.rpartition(":")[2])).start()


@needs_ceph
def test_ceph_spares_foreign_directories(tree: Path) -> None:
    with pytest.raises(ServerError, match="no directory of ours"):
        ceph.CephGateway(tree).start()
    assert (tree / "a" / "b").exists()


@needs_ceph
def test_ceph_dies_with_a_killed_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceph.tempfile, "tempdir", str(tmp_path))
    script = "from tests.servers.ceph import CephGateway; print(CephGateway().start().url, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline().startswith(b"http://")
        (root,) = tmp_path.iterdir()
        ceph._sweep()
        assert root.exists(), "its owner lives"
        owner.send_signal(signal.SIGKILL)
    ceph._sweep()
    assert not list(tmp_path.iterdir())
    assert not ceph._daemons(ceph._Layout(root))


@needs_ceph
def test_ceph_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = str(tmp_path / "cluster")
    assert ceph.main(["status", directory]) == 1
    try:
        assert ceph.main(["start", directory]) == 0
        assert "export AWS_ENDPOINT_URL=http://127.0.0.1:" in capsys.readouterr().out
        assert ceph.main(["status", directory]) == 0
    finally:
        assert ceph.main(["stop", directory]) == 0
    assert ceph.main(["status", directory]) == 1


# --- plain HTTP


def test_web_serves_files_and_ranges(web_server: Callable[[Path], WebServer], tree: Path) -> None:
    server = web_server(tree)
    url = f"{server.url}/a/b"
    assert get(url) == bytes(range(100))
    assert get(url, Range="bytes=10-19") == bytes(range(10, 20))
    assert get(url, Range="bytes=90-") == get(url, Range="bytes=-10") == bytes(range(90, 100))
    assert status_of(url, Range="bytes=100-") == 416
    assert status_of(f"{server.url}/c", Range="bytes=0-1") == 404
    assert server.requests == ["GET /a/b"] * 5 + ["GET /c"]


def test_web_is_read_only(web_server: Callable[[Path], WebServer], tree: Path) -> None:
    request = urllib.request.Request(f"{web_server(tree).url}/new", data=b"x", method="PUT")
    with pytest.raises(urllib.error.HTTPError, match="501") as caught:
        urllib.request.urlopen(request, timeout=10)
    caught.value.close()
    assert not (tree / "new").exists()


# --- faults


@pytest.fixture
def proxy(web_server: Callable[[Path], WebServer], tree: Path) -> Any:
    with FaultProxy(web_server(tree).url) as proxy:
        yield proxy


def test_proxy_counts(proxy: FaultProxy) -> None:
    for _ in range(3):
        assert get(f"{proxy.url}/a/b") == bytes(range(100))
    assert status_of(f"{proxy.url}/c") == 404
    assert proxy.requests[-1] == ("GET", "/c")
    assert (proxy.count(), proxy.count("GET /a/"), proxy.count("^PUT")) == (4, 3, 0)
    proxy.reset()
    assert proxy.count() == 0


def test_proxy_refuses_what_matches(proxy: FaultProxy) -> None:
    proxy.faults = Faults(refuse=1, match="GET /a/b$")
    assert status_of(f"{proxy.url}/a/b") == 503
    assert b"b" in get(f"{proxy.url}/a/")
    proxy.faults = Faults()
    assert len(get(f"{proxy.url}/a/b")) == 100


def test_proxy_faults_are_repeatable_and_limited(proxy: FaultProxy) -> None:
    def outcomes() -> list[bool]:
        proxy.faults = Faults(refuse=0.5, seed=3)
        return [_succeeds(f"{proxy.url}/a/b") for _ in range(20)]

    first = outcomes()
    assert first == outcomes()
    assert set(first) == {True, False}
    proxy.faults = Faults(refuse=1, limit=2)
    assert [_succeeds(f"{proxy.url}/a/b") for _ in range(4)] == [False, False, True, True]
    assert proxy.injected == 2


def _succeeds(url: str) -> bool:
    try:
        get(url)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    return True


def test_proxy_truncates(proxy: FaultProxy) -> None:
    proxy.faults = Faults(truncate=1)
    with pytest.raises(OSError, match=r"") if False else pytest.raises(Exception, match="IncompleteRead"):
        get(f"{proxy.url}/a/b")


def test_proxy_loses_the_answer(web_server: Callable[[Path], WebServer], tree: Path) -> None:
    server = web_server(tree)
    with FaultProxy(server.url, Faults(lose=1)) as proxy, pytest.raises(OSError, match=r"closed|reset"):
        get(f"{proxy.url}/a/b")
    assert server.requests == ["GET /a/b"]


def test_proxy_hangs(proxy: FaultProxy) -> None:
    proxy.faults = Faults(hang=1)
    with pytest.raises(TimeoutError):
        urllib.request.urlopen(f"{proxy.url}/a/b", timeout=0.1)


def test_proxy_kills(proxy: FaultProxy) -> None:
    proxy.faults = Faults(kill_after=2)
    assert get(f"{proxy.url}/a/b") == get(f"{proxy.url}/a/b")
    for _ in range(3):
        with pytest.raises(OSError, match=r"closed|reset"):
            get(f"{proxy.url}/a/b")
    assert proxy.count() == 2


@pytest.mark.s3
def test_proxy_keeps_signatures_valid(s3_bucket: S3Bucket, fault_proxy: FaultProxy) -> None:
    s3fs = pytest.importorskip("s3fs")
    bucket = s3_bucket.through(fault_proxy)
    filesystem = s3fs.S3FileSystem(**bucket.options)
    filesystem.pipe_file(f"{bucket.url}/a/b", b"x" * 100_000)
    assert filesystem.cat_file(f"{bucket.url}/a/b", start=10, end=20) == b"x" * 10
    assert filesystem.find(bucket.url) == [f"{bucket.bucket}/a/b"]
    assert fault_proxy.count(r"^PUT .*/a/b$") == 1


@pytest.mark.s3
def test_s3fs_survives_a_slow_down(s3_bucket: S3Bucket, fault_proxy: FaultProxy) -> None:
    s3fs = pytest.importorskip("s3fs")
    bucket = s3_bucket.through(fault_proxy)
    filesystem = s3fs.S3FileSystem(**bucket.options)
    fault_proxy.faults = Faults(refuse=1, limit=1)
    filesystem.pipe_file(f"{bucket.url}/k", b"x")
    assert filesystem.cat_file(f"{bucket.url}/k") == b"x"
    assert fault_proxy.count("^PUT") == 2
