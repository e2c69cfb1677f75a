"""What sends the requests: either library does all that a store needs, waits as it should, and takes no option in vain."""

from __future__ import annotations

import asyncio
import errno
import importlib.util
import itertools
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

import nwbzarr
from nwbzarr import Manager, Meter, NWBZarrIO
from nwbzarr.errors import StoreAccessError, StoreError, StoreModeError, StoreNotFoundError
from nwbzarr.stores import patience
from nwbzarr.stores.failures import ServiceError, is_transient, named_errors
from nwbzarr.stores.keys import (
    TRANSPORT_VARIABLE,
    TRANSPORTS,
    LocalKeys,
    RemoteKeys,
    Transport,
    check_transport,
    close_keys,
    create_key,
    delete_keys,
    list_keys,
    open_keys,
    read_many,
    replace_key,
    write_many,
)
from nwbzarr.stores.metered import MeteredStore
from nwbzarr.stores.patience import attempt_seconds, patiently
from nwbzarr.stores.remote import bytes_of
from nwbzarr.stores.url import StoreURL, parse_url
from nwbzarr.stores.zarr_arrays import place_of
from tests.commit.sessions import Store, contents, extended, session
from tests.servers.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers.faults import FaultProxy
    from tests.servers.fixtures import S3Bucket
    from tests.servers.web import WebServer

obstore = pytest.importorskip("obstore")

PROTOTYPE = default_buffer_prototype()

#: Names that some service, library or file system takes for something else.
ODD = (
    "a b",
    "ü/ß",
    "%20",
    "q[1]",
    "st*r",
    "h#sh",
    "q?x",
    "p+l",
    "t{x}",
    "am&p",
    "x=1",
    "per%41",
    "'q\"",
    "<lt>",
    "a|b",
)


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> Transport:
    chosen: Transport = request.param
    return chosen


@contextmanager
def opened(url: StoreURL, options: dict[str, Any], transport: Transport) -> Iterator[Any]:
    """Open the keys of a place, and close them at the end."""
    made = open_keys(url, options, transport)
    yield made
    close_keys(made)


@pytest.fixture
def place(s3_bucket: S3Bucket) -> StoreURL:
    return parse_url(f"{s3_bucket.url}/a folder/ü.zarr")


@pytest.fixture
def keys(place: StoreURL, s3_bucket: S3Bucket, transport: Transport) -> Iterator[Any]:
    """Keys on S3."""
    with opened(place, s3_bucket.options, transport) as made:
        yield made


@pytest.fixture
def far_keys(place: StoreURL, s3_bucket: S3Bucket, transport: Transport, fault_proxy: FaultProxy) -> Iterator[Any]:
    """Keys on S3 behind the proxy."""
    with opened(place, s3_bucket.through(fault_proxy).options, transport) as made:
        yield made


def get(keys: Any, key: str, byte_range: Any = None) -> bytes | None:
    value = sync(keys.get(key, PROTOTYPE, byte_range))
    return None if value is None else bytes(value.to_bytes())


# The choice.


def test_the_usual_transport(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TRANSPORT_VARIABLE, raising=False)
    assert Manager().connections.transport == "fsspec"


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRANSPORT_VARIABLE, "obstore")
    assert Manager().connections.transport == "obstore"
    assert Manager(transport="fsspec").connections.transport == "fsspec"


@pytest.mark.parametrize("word", ["", "s3fs", "Obstore"])
def test_an_unknown_transport(word: str, tmp_path: Path) -> None:
    for act in (
        lambda: Manager(transport=word),
        lambda: NWBZarrIO(tmp_path / "s.nwb.zarr", "w", transport=word),
        lambda: nwbzarr.open(tmp_path / "s.nwb.zarr", transport=word),
    ):
        with pytest.raises(StoreModeError, match=r"'fsspec', 'obstore'.*" + re.escape(repr(word))):
            act()


def test_an_unknown_transport_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRANSPORT_VARIABLE, "smoke")
    with pytest.raises(StoreModeError, match=TRANSPORT_VARIABLE):
        Manager()


def test_a_manager_with_a_transport_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreModeError, match="transport belongs to the manager"):
        NWBZarrIO(tmp_path / "s.nwb.zarr", "w", Manager(), transport="obstore")


def test_obstore_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(StoreError, match=r"nwbzarr\[obstore\]"):
        check_transport("obstore")
    assert check_transport("fsspec") == "fsspec"


def test_importing_the_package_does_not_load_it() -> None:
    code = "import sys, nwbzarr; sys.exit('obstore' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, env={**os.environ, "PYTHONPATH": ""}).returncode == 0
    )


def test_places_that_need_no_transport(tmp_path: Path) -> None:
    assert isinstance(open_keys(parse_url(str(tmp_path)), {}, "obstore"), LocalKeys)
    assert isinstance(open_keys(parse_url("memory://x"), {}, "obstore"), RemoteKeys)


@pytest.mark.parametrize("url", ["gs://bucket/a", "az://box@account/a", "simplecache::s3://bucket/a"])
def test_places_that_obstore_does_not_serve_here(url: str) -> None:
    with pytest.raises(StoreError, match="transport='fsspec'"):
        open_keys(parse_url(url), {}, "obstore")


# Options.


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"version_aware": True}, "version_aware"),
        ({"default_block_size": 5}, "default_block_size"),
        ({"client_kwargs": {"api_version": "x"}}, "client_kwargs.api_version"),
        ({"config_kwargs": {"max_pool_connections": 5}}, "config_kwargs.max_pool_connections"),
        ({"config_kwargs": {"retries": {"mode": "adaptive"}}}, "config_kwargs.retries.mode"),
        ({"config_kwargs": {"s3": {"payload_signing_enabled": True}}}, "config_kwargs.s3.payload_signing_enabled"),
        ({"s3_additional_kwargs": {"ACL": "private"}}, "s3_additional_kwargs.ACL"),
        ({"use_ssl": False}, "use_ssl"),
        ({"client_kwargs": {"use_ssl": False}}, "use_ssl"),
        ({"client_kwargs": 5}, "int"),
    ],
)
def test_an_option_without_a_counterpart_is_named(options: dict[str, Any], name: str) -> None:
    with pytest.raises(StoreError, match=re.escape(name)):
        open_keys(parse_url("s3://bucket/a"), {"key": "k", "secret": "hidden", **options}, "obstore")


def test_options_are_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere:1")
    options = {
        "key": "k", "secret": "s", "token": "t", "requester_pays": True, "version_aware": False,
        "client_kwargs": {"endpoint_url": "http://here:2", "region_name": "eu-west-1", "verify": False},
        "config_kwargs": {"connect_timeout": 3, "read_timeout": 4, "retries": {"max_attempts": 7, "mode": "standard"},
                          "s3": {"addressing_style": "path"}, "user_agent": "me"},
        "s3_additional_kwargs": {"ServerSideEncryption": "AES256"},
    }  # fmt: skip
    made: Any = open_keys(parse_url("s3://bucket/a/b"), options, "obstore")
    config, client = made.store.config, made.store.client_options
    assert (config["access_key_id"], config["secret_access_key"], config["session_token"]) == ("k", "s", "t")
    assert (config["endpoint"], config["region"], made.store.prefix) == ("http://here:2", "eu-west-1", "a/b")
    assert config["request_payer"] in (True, "true", "requester")
    assert client["allow_invalid_certificates"] in (True, "true")
    assert made.store.retry_config["max_retries"] == 7
    assert (client["read_timeout"], client["connect_timeout"]) == ("4s", "3s") or client["read_timeout"] == "4 seconds"


def test_the_limits_of_who_says_nothing() -> None:
    fsspec_keys: Any = open_keys(parse_url("s3://bucket/a"), {"key": "k", "secret": "s"})
    config = fsspec_keys.fs.config_kwargs
    assert (config["connect_timeout"], config["read_timeout"]) == (patience.CONNECT_SECONDS, patience.QUIET_SECONDS)
    assert fsspec_keys.fs.retries == 1
    asked: Any = open_keys(parse_url("s3://bucket/a"), {"anon": True, "config_kwargs": {"read_timeout": 3}})
    assert asked.fs.config_kwargs["read_timeout"] == 3
    web: Any = open_keys(parse_url("http://host/a"), {})
    assert web.fs.client_kwargs["timeout"].sock_read == patience.QUIET_SECONDS
    assert web.fs.client_kwargs["timeout"].total is None


@pytest.mark.s3
def test_credentials_of_the_environment(
    s3_bucket: S3Bucket, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3_bucket.endpoint.environment().items():
        monkeypatch.setenv(name, value)
    check_session(f"{s3_bucket.url}/s.nwb.zarr", transport, None)


@pytest.mark.s3
@pytest.mark.parametrize("given", [True, False])
def test_credentials_of_a_profile(
    s3_bucket: S3Bucket, transport: Transport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: bool
) -> None:
    end = s3_bucket.endpoint
    (tmp_path / "credentials").write_text(
        f"[lab]\naws_access_key_id = {end.key}\naws_secret_access_key = {end.secret}\n"
    )
    (tmp_path / "config").write_text(f"[profile lab]\nregion = {end.region}\nendpoint_url = {end.url}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    if not given:
        monkeypatch.setenv("AWS_PROFILE", "lab")
    check_session(f"{s3_bucket.url}/s.nwb.zarr", transport, {"profile": "lab"} if given else None)


@pytest.mark.s3
def test_no_credentials_at_all(s3_bucket: S3Bucket, transport: Transport) -> None:
    options = {"endpoint_url": s3_bucket.endpoint.url}
    with pytest.raises(StoreError, match="redentials"):
        nwbzarr.open(f"{s3_bucket.url}/s.nwb.zarr", options, transport=transport)


def check_session(url: str, transport: Transport, options: dict[str, Any] | None) -> None:
    with NWBZarrIO(url, "w", storage_options=options, transport=transport) as handle:
        handle.write(session(1))
    with NWBZarrIO(url, "r", storage_options=options, transport=transport) as handle:
        assert contents(handle.read()) == contents(session(1))


# What keys do.


@pytest.mark.s3
def test_parts_of_a_value(keys: Any) -> None:
    sync(keys.set("k", PROTOTYPE.buffer.from_bytes(b"0123456789")))
    sync(keys.set("empty", PROTOTYPE.buffer.from_bytes(b"")))
    parts = [
        (None, b"0123456789"), (RangeByteRequest(2, 5), b"234"), (RangeByteRequest(8, 20), b"89"),
        (RangeByteRequest(3, 3), b""), (RangeByteRequest(20, 30), b""), (OffsetByteRequest(7), b"789"),
        (OffsetByteRequest(30), b""), (SuffixByteRequest(3), b"789"), (SuffixByteRequest(30), b"0123456789"),
    ]  # fmt: skip
    for part, expected in parts:
        assert get(keys, "k", part) == expected, part
    several = sync(keys.get_partial_values(PROTOTYPE, [("k", part) for part, _ in parts] + [("none", None)]))
    assert [None if value is None else value.to_bytes() for value in several] == [*(end for _, end in parts), None]
    assert get(keys, "empty") == b""
    assert get(keys, "none") is None
    assert get(keys, "none", SuffixByteRequest(3)) is None


@pytest.mark.s3
def test_odd_names(keys: Any, place: StoreURL) -> None:
    write_many(keys, [(name, name.encode()) for name in ODD], place)
    assert read_many(keys, ODD, place) == [name.encode() for name in ODD]
    assert sorted(list_keys(keys, place)) == sorted(ODD)
    assert all(sync(keys.exists(name)) for name in ODD)
    delete_keys(keys, ["st*r", "q[1]"], place)
    assert sorted(list_keys(keys, place)) == sorted({*ODD} - {"st*r", "q[1]"})
    sync(keys.delete("%20"))
    sync(keys.delete("%20"))
    assert not sync(keys.exists("%20"))


@pytest.mark.s3
def test_listing_goes_over_pages_and_stays_inside(keys: Any, place: StoreURL, s3_bucket: S3Bucket) -> None:
    names = sorted(f"n/{index:04d}" for index in range(1100))
    write_many(keys, [(name, b"") for name in names], place)
    with opened(StoreURL("s3", place.authority, f"{place.path}-other"), s3_bucket.options, "fsspec") as beside:
        write_many(beside, [("foreign", b"")], place)
    assert list_keys(keys, place) == names
    assert len(list_keys(keys, place, limit=3)) == 3

    async def below(prefix: str) -> list[str]:
        return [key async for key in keys.list_prefix(prefix)]

    assert sync(below("n/10")) == [name for name in names if name.startswith("n/10")]
    delete_keys(keys, names, place)
    assert list_keys(keys, place) == []


@pytest.mark.s3
def test_a_listing_that_breaks_off_goes_on(far_keys: Any, place: StoreURL, fault_proxy: FaultProxy) -> None:
    names = sorted(f"n/{index:04d}" for index in range(1100))
    write_many(far_keys, [(name, b"") for name in names], place)
    fault_proxy.faults = Faults(truncate=1.0, limit=1, match="continuation-token")
    assert list_keys(far_keys, place) == names
    assert fault_proxy.injected == 1


@pytest.mark.s3
def test_many_keys_are_deleted_at_once(far_keys: Any, place: StoreURL, fault_proxy: FaultProxy) -> None:
    write_many(far_keys, [(name, b"") for name in ODD], place)
    fault_proxy.reset()
    delete_keys(far_keys, [*ODD, "none"], place)
    assert [method for method, _ in fault_proxy.requests] == ["POST"]
    assert list_keys(far_keys, place) == []


@pytest.mark.s3
def test_conditions(keys: Any, place: StoreURL) -> None:
    create_key(keys, "k", b"1", place)
    with pytest.raises(FileExistsError):
        create_key(keys, "k", b"2", place)
    replace_key(keys, "k", b"3", b"1", place)
    with pytest.raises(FileExistsError):
        replace_key(keys, "k", b"4", b"1", place)
    with pytest.raises(FileExistsError):
        replace_key(keys, "none", b"4", b"1", place)
    assert get(keys, "k") == b"3"


@pytest.mark.s3
def test_only_one_of_many_creates(keys: Any) -> None:
    async def race() -> list[Any]:
        return await asyncio.gather(*(keys.create("k", b"%d" % n) for n in range(10)), return_exceptions=True)

    found = sync(race())
    assert [type(each) for each in found if each is not None] == [FileExistsError] * 9
    assert get(keys, "k") == b"%d" % found.index(None)


@pytest.mark.s3
def test_a_replacement_reads_once(far_keys: Any, place: StoreURL, fault_proxy: FaultProxy) -> None:
    create_key(far_keys, "k", b"1", place)
    fault_proxy.reset()
    meter = Meter()
    replace_key(MeteredStore(far_keys, meter), "k", b"2", b"1", place)
    assert [method for method, _ in fault_proxy.requests] == ["GET", "PUT"]
    assert meter.requests == {"get": 1, "put": 1}


@pytest.mark.s3
def test_a_large_value_is_one_request(far_keys: Any, fault_proxy: FaultProxy) -> None:
    data = np.random.default_rng(1).bytes(101 * 2**20)
    sync(far_keys.set("k", PROTOTYPE.buffer.from_bytes(data)))
    assert [method for method, _ in fault_proxy.requests] == ["PUT"]
    assert get(far_keys, "k") == data
    assert fault_proxy.count("^GET") == 1


@pytest.mark.s3
def test_places_are_known(keys: Any, place: StoreURL) -> None:
    assert place_of(keys) == place
    assert place_of(MeteredStore(keys, Meter())) == place
    assert place_of(keys.with_read_only(True)) == place
    assert keys.with_read_only(True).read_only


def test_bytes_are_not_copied_without_need() -> None:
    data = bytes(range(100))
    assert bytes_of(PROTOTYPE.buffer.from_bytes(data)) is data
    part = PROTOTYPE.buffer.from_bytes(data)[10:20]
    assert bytes_of(part) == data[10:20]
    assert bytes_of(PROTOTYPE.buffer.from_bytes(bytearray(data))) == data


# What sessions do.


@pytest.mark.s3
def test_a_session_from_its_first_write_to_its_copy(s3_bucket: S3Bucket, transport: Transport) -> None:
    folder, options = f"{s3_bucket.url}/day 1", s3_bucket.options
    manager = Manager(transport=transport, meter=Meter())
    Store(f"{folder}/raw.nwb.zarr", options).write(session(1), "w", manager)
    Store(f"{folder}/raw.nwb.zarr", options).extend(7, manager)
    raw = NWBZarrIO(f"{folder}/raw.nwb.zarr", "r", manager, options)
    derived = raw.read().copy()
    Store(f"{folder}/derived.nwb.zarr", options).write(derived, "w-", manager)
    source = NWBZarrIO(f"{folder}/derived.nwb.zarr", "r", manager, options)
    assert source.session.link_targets()
    with NWBZarrIO(f"{folder}/whole.nwb.zarr", "w", manager, options) as whole:
        whole.export(source)
    manager.close()
    for name in ("raw", "derived", "whole"):
        store = Store(f"{folder}/{name}.nwb.zarr", options)
        found = nwbzarr.open(store.url, options, transport=transport)
        assert contents(found) == extended(1, 7)
        assert store.litter() == []
    assert manager.connections.meter is not None
    assert manager.connections.meter.requests["put"] > 20


@pytest.mark.s3
def test_refusals_are_named(s3_bucket: S3Bucket, transport: Transport) -> None:
    if s3_bucket.endpoint.kind != "ceph":
        pytest.skip("moto takes any secret")
    options = {**s3_bucket.options, "secret": "wrong-and-private"}
    url = parse_url(f"{s3_bucket.url}/s")
    with opened(url, options, transport) as keys:
        for act in (
            lambda: read_many(keys, ["k"], url), lambda: write_many(keys, [("k", b"")], url),
            lambda: create_key(keys, "k", b"", url), lambda: list_keys(keys, url), lambda: delete_keys(keys, ["k"], url),
        ):  # fmt: skip
            with pytest.raises(StoreAccessError) as caught:
                act()
            assert "wrong-and-private" not in str(caught.value)
            assert "Debug source" not in str(caught.value)


@pytest.mark.s3
def test_a_bucket_that_is_not_there(s3_bucket: S3Bucket, transport: Transport) -> None:
    url = parse_url("s3://no-such-bucket/s")
    with opened(url, s3_bucket.options, transport) as keys:
        assert list_keys(keys, url) == []
        assert read_many(keys, ["k"], url) == [None]
        with pytest.raises(StoreNotFoundError, match="bucket"):
            create_key(keys, "k", b"", url)


def test_reading_over_http(tmp_path: Path, transport: Transport, web_server: Callable[[Path], WebServer]) -> None:
    store = Store(str(tmp_path / "a folder" / "s.nwb.zarr"))
    store.write(session(1))
    server = web_server(tmp_path)
    with NWBZarrIO(f"{server.url}/a folder/s.nwb.zarr", "r", transport=transport) as handle:
        assert contents(handle.read()) == contents(session(1))
    with pytest.raises(StoreNotFoundError):
        nwbzarr.open(f"{server.url}/none.nwb.zarr", transport=transport)


class _Redirects(BaseHTTPRequestHandler):
    """Leads every request to another server."""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", f"{self.server.target}{self.path}")  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


def test_a_link_over_http_is_not_redirected(
    tmp_path: Path, transport: Transport, web_server: Callable[[Path], WebServer]
) -> None:
    other = web_server(tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Redirects) as server:
        server.target = other.url  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        manager = Manager(transport=transport)
        connections = manager.connections
        base = f"http://127.0.0.1:{server.server_port}"
        target = parse_url(f"{base}/b.zarr")
        holder = connections.open(parse_url(f"{base}/a.zarr"))
        followed = connections.follow(holder, "../b.zarr", target)
        assert read_many(followed.keys, ["k"], target) in ([None], [b""])
        manager.close()
        server.shutdown()
        thread.join()
    assert other.requests == []


# Patience.


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(patience, "GIVE_UP_SECONDS", 1.0)


class Stubborn:
    """Raises an error so many times, then answers."""

    def __init__(self, error: BaseException, times: int) -> None:
        self.error, self.left = error, times
        self.moments: list[float] = []

    async def __call__(self) -> str:
        self.moments.append(time.monotonic())
        self.left -= 1
        if self.left >= 0:
            raise self.error
        return "answer"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "error", [TimeoutError(), ConnectionResetError(), ServiceError("busy", 503), ServiceError("calm down", 429)]
)
def test_what_passes_is_asked_again(error: Exception) -> None:
    attempt = Stubborn(error, 4)
    assert asyncio.run(patiently(attempt)) == "answer"
    gaps = [after - before for before, after in itertools.pairwise(attempt.moments)]
    # Half of each wait is certain, and doubles: by chance a wait may equal the one before, but not two on.
    assert all(later > earlier for earlier, later in zip(gaps, gaps[2:], strict=False)), gaps


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "error",
    [PermissionError(), FileNotFoundError(), FileExistsError(), OSError(errno.ENOSPC, "full"), ValueError(),
     ServiceError("bad request", 400)],
)  # fmt: skip
def test_what_stays_is_not(error: Exception) -> None:
    attempt = Stubborn(error, 4)
    with pytest.raises(type(error)):
        asyncio.run(patiently(attempt))
    assert len(attempt.moments) == 1


@pytest.mark.usefixtures("quick")
def test_patience_ends() -> None:
    attempt = Stubborn(ConnectionResetError(), 10**6)
    start = time.monotonic()
    with pytest.raises(ConnectionResetError):
        asyncio.run(patiently(attempt))
    assert 3 < len(attempt.moments) < 12
    assert time.monotonic() - start < 5


@pytest.mark.usefixtures("quick")
def test_nobody_listens() -> None:
    attempt = Stubborn(ConnectionRefusedError(), 10**6)
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(patiently(attempt))
    assert len(attempt.moments) == patience.UNREACHABLE_ATTEMPTS


@pytest.mark.usefixtures("quick")
def test_an_attempt_that_hangs_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "QUIET_SECONDS", 0.05)
    monkeypatch.setattr(patience, "CONNECT_SECONDS", 0.0)
    count = 0

    async def hang() -> str:
        nonlocal count
        count += 1
        if count == 1:
            await asyncio.Event().wait()
        return "answer"

    assert asyncio.run(patiently(hang)) == "answer"
    assert count == 2


def test_what_is_large_may_take_long() -> None:
    assert attempt_seconds(0) == patience.CONNECT_SECONDS + patience.QUIET_SECONDS
    assert attempt_seconds(128 * 2**20) > 500
    assert attempt_seconds(None) == patience.LONGEST_SECONDS


def test_being_cancelled_is_no_fault() -> None:
    async def main() -> int:
        attempt = Stubborn(asyncio.CancelledError(), 5)
        with pytest.raises(asyncio.CancelledError):
            await patiently(attempt)
        return len(attempt.moments)

    assert asyncio.run(main()) == 1
    assert not is_transient(asyncio.CancelledError())


@pytest.mark.s3
def test_throttling_backs_off(
    far_keys: Any, place: StoreURL, fault_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments: list[float] = []
    decide = fault_proxy.decide

    def noted(method: str, path: str) -> Any:
        moments.append(time.monotonic())
        return decide(method, path)

    monkeypatch.setattr(fault_proxy, "decide", noted)
    fault_proxy.faults = Faults(refuse=1.0, limit=5)
    write_many(far_keys, [("k", b"1")], place)
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert len(gaps) == 5
    # Half of each wait is certain, and doubles.
    assert all(later > earlier for earlier, later in zip(gaps, gaps[2:], strict=False)), gaps
    assert gaps[-1] > 0.7


@pytest.mark.s3
def test_an_upload_that_is_slow_is_not_cut_off(
    place: StoreURL, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A server that takes twice the time to read the body after which silence would count as a loss.
    monkeypatch.setattr(patience, "QUIET_SECONDS", 2.0)
    size, requests = 32 * 2**20, []

    class Slow(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            requests.append(self.path)
            if self.headers.get("Expect"):
                self.send_response_only(100)
                self.end_headers()
            left = int(self.headers["Content-Length"])
            while left:
                left -= len(self.rfile.read(min(left, size // 32)))
                pause.wait(0.12)
            self.send_response(200)
            self.send_header("ETag", '"0"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    pause = Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        # What lies in buffers counts as sent: there must be little of it.
        server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        options = {"key": "k", "secret": "s", "endpoint_url": f"http://127.0.0.1:{server.server_port}"}
        with opened(place, options, transport) as keys, named_errors(place):
            sync(keys.set("k", PROTOTYPE.buffer.from_bytes(bytes(size))))
        server.shutdown()
        thread.join()
    assert len(requests) == 1
