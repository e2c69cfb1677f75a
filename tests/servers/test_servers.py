"""The servers of the tests do what the tests rely on."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.servers import ceph
from tests.servers.faults import FaultProxy, Faults
from tests.servers.fixtures import S3Bucket, choose
from tests.servers.processes import ServerError
from tests.servers.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.endpoint import S3Endpoint

needs_ceph = pytest.mark.skipif(ceph.ceph_missing() is not None, reason=str(ceph.ceph_missing()))


def ask(url: str, method: str = "GET", timeout: float = 10, span: str = "") -> tuple[int, bytes]:
    parts = urlsplit(url)
    headers = {"Range": f"bytes={span}"} if span else {}
    with closing(http.client.HTTPConnection(parts.netloc, timeout=timeout)) as connection:
        connection.request(method, parts.path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def get(url: str, span: str = "") -> bytes:
    status, body = ask(url, span=span)
    assert status == (206 if span else 200)
    return body


def status_of(url: str, span: str = "") -> int:
    return ask(url, span=span)[0]


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
def test_s3fs_reports_an_unmet_condition(s3_bucket: S3Bucket) -> None:
    filesystem = pytest.importorskip("s3fs").S3FileSystem(**s3_bucket.options)
    key = f"{s3_bucket.url}/k"
    filesystem.pipe_file(key, b"1", mode="create")
    first = filesystem.info(key)["ETag"].strip('"')
    filesystem.pipe_file(key, b"2", IfMatch=first)
    for condition in ({"mode": "create"}, {"IfMatch": first}):
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the message differs, the cause does not
            filesystem.pipe_file(key, b"3", **condition)
        cause: Any = caught.value.__cause__
        assert cause.response["Error"]["Code"] == "PreconditionFailed"
    assert filesystem.cat_file(key) == b"2"


@pytest.mark.s3
def test_s3fs_reports_a_wrong_secret_and_a_missing_bucket(s3_bucket: S3Bucket) -> None:
    s3fs = pytest.importorskip("s3fs")
    filesystem = s3fs.S3FileSystem(**s3_bucket.options)
    with pytest.raises(FileNotFoundError):
        filesystem.pipe_file("s3://no-such-bucket/k", b"1")
    if s3_bucket.endpoint.kind == "moto":
        return  # it takes any secret
    wrong = s3fs.S3FileSystem(**{**s3_bucket.options, "secret": "wrong"})
    with pytest.raises(PermissionError):
        wrong.pipe_file(f"{s3_bucket.url}/k", b"1")
    with pytest.raises(PermissionError):
        wrong.cat_file(f"{s3_bucket.url}/k")


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


@pytest.mark.parametrize(
    ("wanted", "kind", "failure"),
    [("moto", "moto", False), ("ceph", None, True), ("none", None, False), ("s4", None, True)],
)
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
    fake = tmp_path / "radosgw-admin"
    fake.write_text("#!/bin/sh\necho no luck today; exit 3\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(ServerError, match=r"(?s)radosgw-admin ended with status 3\n.*no luck today"):
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
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
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
    assert get(url, span="10-19") == bytes(range(10, 20))
    assert get(url, span="90-") == get(url, span="-10") == bytes(range(90, 100))
    assert status_of(url, span="100-") == 416
    assert status_of(f"{server.url}/c", span="0-1") == 404
    assert server.requests == ["GET /a/b"] * 5 + ["GET /c"]


def test_web_is_read_only(web_server: Callable[[Path], WebServer], tree: Path) -> None:
    assert ask(f"{web_server(tree).url}/new", "PUT")[0] == 501
    assert not (tree / "new").exists()


# --- faults


@pytest.fixture
def proxy(web_server: Callable[[Path], WebServer], tree: Path) -> Iterator[FaultProxy]:
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


def test_proxy_keeps_connections_alive(proxy: FaultProxy) -> None:
    with closing(http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=10)) as connection:
        for method, status in (("GET", 200), ("HEAD", 200), ("GET", 503), ("GET", 200)):
            proxy.faults = Faults(refuse=status == 503)
            connection.request(method, "/a/b")
            socket = connection.sock
            answer = connection.getresponse()
            assert (answer.status, len(answer.read()) > 0) == (status, method == "GET")
            assert connection.sock is socket, "it is still open"


def test_proxy_delays(proxy: FaultProxy) -> None:
    proxy.faults = Faults(latency=0.1)
    before = time.monotonic()
    get(f"{proxy.url}/a/b")
    assert time.monotonic() - before >= 0.1


def test_proxy_refuses_what_matches(proxy: FaultProxy) -> None:
    proxy.faults = Faults(refuse=1, match="GET /a/b$")
    assert status_of(f"{proxy.url}/a/b") == 503
    assert b"b" in get(f"{proxy.url}/a/")
    proxy.faults = Faults()
    assert len(get(f"{proxy.url}/a/b")) == 100


def test_proxy_faults_are_repeatable_and_limited(proxy: FaultProxy) -> None:
    def outcomes() -> list[int]:
        proxy.faults = Faults(refuse=0.5, seed=3)
        return [status_of(f"{proxy.url}/a/b") for _ in range(20)]

    first = outcomes()
    assert first == outcomes()
    assert set(first) == {200, 503}
    proxy.faults = Faults(refuse=1, limit=2)
    assert [status_of(f"{proxy.url}/a/b") for _ in range(4)] == [503, 503, 200, 200]
    assert proxy.injected == 2


def test_proxy_truncates(proxy: FaultProxy) -> None:
    proxy.faults = Faults(truncate=1)
    with pytest.raises(http.client.IncompleteRead):
        get(f"{proxy.url}/a/b")


def test_proxy_loses_the_answer(web_server: Callable[[Path], WebServer], tree: Path) -> None:
    server = web_server(tree)
    with FaultProxy(server.url, Faults(lose=1)) as proxy, pytest.raises(ConnectionError):
        get(f"{proxy.url}/a/b")
    assert server.requests == ["GET /a/b"]


def test_proxy_hangs(proxy: FaultProxy) -> None:
    proxy.faults = Faults(hang=1)
    with pytest.raises(TimeoutError):
        ask(f"{proxy.url}/a/b", timeout=0.1)


def test_proxy_kills(proxy: FaultProxy) -> None:
    proxy.faults = Faults(kill_after=2)
    assert get(f"{proxy.url}/a/b") == get(f"{proxy.url}/a/b")
    for _ in range(3):
        with pytest.raises(ConnectionError):
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
