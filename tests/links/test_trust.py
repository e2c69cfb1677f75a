"""Which links are followed, with whose credentials, and that nothing is asked of anyone before that is decided.

A store is data from others: its links may name any place. The servers here are on loopback and write down every
request; connections to anywhere else are refused by the tests themselves.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import nwbzarr
from nwbzarr import Manager, Meter, NWBFile, NWBZarrIO, TimeSeries
from nwbzarr.errors import (
    DanglingLinkError,
    DocumentError,
    LinkCycleError,
    LinkError,
    NWBZarrError,
    StoreError,
    TrustError,
)
from tests.handwritten import bare_session, consolidate, link, make_array, make_group, reference, typed
from tests.places import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.servers.fixtures import S3Bucket
    from tests.servers.web import WebServer

    ServeFixture = Callable[[Path], WebServer]

ODD = "/acquisition/odd"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@pytest.fixture(autouse=True)
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What was asked of places beyond this machine: nothing, or the test fails."""
    asked: list[Any] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            asked.append(address)
            raise ConnectionRefusedError(address)
        connect(self, address)

    def guarded_look_up(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in (*LOOPBACK, None):
            asked.append(host)
            raise socket.gaierror(host)
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield asked
    assert asked == []


class HeaderServer:
    """A web server for one folder that writes down path and headers of every request.

    What is asked for below ``/elsewhere/`` is to be had from another server, it says.
    """

    def __init__(self, folder: Path, elsewhere: str = "") -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        noted = self.requests

        class Handler(SimpleHTTPRequestHandler):
            def send_head(self) -> Any:
                noted.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                if not self.path.startswith("/elsewhere/"):
                    return super().send_head()
                self.send_response(HTTPStatus.FOUND)
                self.send_header("Location", elsewhere + self.path.removeprefix("/elsewhere"))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return None

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *given: Handler(*given, directory=str(folder)))
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def header_server() -> Iterator[Callable[..., HeaderServer]]:
    with ExitStack() as stack:

        def serve(folder: Path, elsewhere: str = "") -> HeaderServer:
            made = HeaderServer(folder, elsewhere)
            stack.callback(made.stop)
            return made

        yield serve


def holder(place: Path, *entries: Mapping[str, Any], **attributes: Any) -> None:
    """Write a session whose acquisition holds links, beside a series of its own."""
    root = bare_session(place)
    make_group(root, "acquisition/own", typed("Own", "ndx-lab", label="fine", **attributes))
    root["acquisition"].attrs["_LINKS"] = [dict(entry) for entry in entries]
    consolidate(place)


def target(place: Path, label: str = "the target", *entries: Mapping[str, Any]) -> None:
    """Write a session with a container to link to."""
    root = bare_session(place)
    make_group(root, ODD, typed("Odd", "ndx-lab", label=label))
    make_array(root, f"{ODD}/values", np.arange(3))
    root["analysis"].attrs["_LINKS"] = [dict(entry) for entry in entries]
    consolidate(place)


def opened(
    place: Path | str, trust: Mapping[str, Mapping[str, Any]] | None = None, options: Mapping[str, Any] | None = None
) -> tuple[NWBFile, Meter, NWBZarrIO]:
    """Open a session with every request counted."""
    meter = Meter()
    io = NWBZarrIO(place, "r", manager=Manager(trust, meter), storage_options=options)
    return io.read(), meter, io


def assert_refused(
    nwb: NWBFile, meter: Meter, *expected: type[NWBZarrError], group: str = "acquisition", name: str = "odd"
) -> NWBZarrError:
    """Assert that a link is listed, refused, and that nothing was asked of anyone; the rest is readable."""
    collection = getattr(nwb, group)
    before = meter.total
    assert name in collection
    assert name in list(collection)
    assert name in repr(collection)
    assert repr(nwb)
    with pytest.raises(expected or TrustError) as caught:
        collection[name]
    with pytest.raises(expected or TrustError):
        collection.get(name)
    assert meter.total == before
    if group == "acquisition":
        assert nwb.acquisition["own"].attributes["label"] == "fine"
    return caught.value


# Other origins.


def test_a_link_to_another_origin_is_refused_before_any_request(tmp_path: Path, web_server: ServeFixture) -> None:
    target(tmp_path / "served/raw.zarr")
    server = web_server(tmp_path / "served")
    holder(tmp_path / "a.zarr", link("odd", ODD, f"{server.url}/raw.zarr"))
    nwb, meter, io = opened(tmp_path / "a.zarr")
    with io:
        error = assert_refused(nwb, meter)
    assert isinstance(error, PermissionError)
    assert server.requests == []
    message = str(error)
    assert server.url in message
    assert "trust=" in message
    assert str(tmp_path / "a.zarr") in message


def test_the_error_says_what_to_pass_and_passing_it_works(tmp_path: Path, web_server: ServeFixture) -> None:
    target(tmp_path / "served/lab/raw.zarr")
    server = web_server(tmp_path / "served")
    holder(tmp_path / "a.zarr", link("odd", ODD, f"{server.url}/lab/raw.zarr"))
    nwb, meter, io = opened(tmp_path / "a.zarr")
    with io:
        message = str(assert_refused(nwb, meter))
    prefix = message.partition("trust={'")[2].partition("'")[0]
    assert prefix.startswith(server.url)
    nwb, _, io = opened(tmp_path / "a.zarr", trust={prefix: {}})
    with io:
        assert nwb.acquisition["odd"].attributes["label"] == "the target"


@pytest.mark.parametrize("prefix", ["", "/", "/lab", "/lab/", "/lab/raw.zarr"])
def test_trust_for_a_prefix_is_enough(tmp_path: Path, web_server: ServeFixture, prefix: str) -> None:
    target(tmp_path / "served/lab/raw.zarr")
    server = web_server(tmp_path / "served")
    holder(tmp_path / "a.zarr", link("odd", ODD, f"{server.url}/lab/raw.zarr"))
    nwb, _, io = opened(tmp_path / "a.zarr", trust={f"{server.url}{prefix}": {}})
    with io:
        assert np.array_equal(nwb.acquisition["odd"]["values"].data, [0, 1, 2])
    nwb = nwbzarr.open(tmp_path / "a.zarr", trust={f"{server.url}{prefix}": {}})
    assert nwb.acquisition["odd"].attributes["label"] == "the target"


@pytest.mark.parametrize("prefix", ["/la", "/lab/raw", "/lab/raw.zarr/acquisition", "/laboratory", "/lab/../other"])
def test_trust_is_by_whole_parts_of_the_path(tmp_path: Path, web_server: ServeFixture, prefix: str) -> None:
    target(tmp_path / "served/lab/raw.zarr")
    server = web_server(tmp_path / "served")
    holder(tmp_path / "a.zarr", link("odd", ODD, f"{server.url}/lab/raw.zarr"))
    nwb, meter, io = opened(tmp_path / "a.zarr", trust={f"{server.url}{prefix}": {}})
    with io:
        assert_refused(nwb, meter)
    assert server.requests == []


def test_dots_in_a_source_do_not_get_round_a_prefix(tmp_path: Path, web_server: ServeFixture) -> None:
    target(tmp_path / "served/secret/raw.zarr")
    server = web_server(tmp_path / "served")
    holder(tmp_path / "a.zarr", link("odd", ODD, f"{server.url}/lab/../secret/raw.zarr"))
    nwb, meter, io = opened(tmp_path / "a.zarr", trust={f"{server.url}/lab/": {}})
    with io:
        assert_refused(nwb, meter)
    assert server.requests == []


def test_another_port_or_name_of_the_host_is_another_origin(tmp_path: Path, web_server: ServeFixture) -> None:
    target(tmp_path / "one/raw.zarr")
    one = web_server(tmp_path / "one")
    (tmp_path / "two").mkdir()
    port = one.url.rpartition(":")[2]
    holder(
        tmp_path / "two/a.zarr",
        link("odd", ODD, f"{one.url}/raw.zarr"),
        link("renamed", ODD, f"http://localhost:{port}/raw.zarr"),
        link("secure", ODD, f"https://127.0.0.1:{port}/raw.zarr"),
        link("with a name", ODD, f"http://user:secret@127.0.0.1:{port}/raw.zarr"),
        link("with a trick", ODD, f"http://127.0.0.1:{port}@169.254.169.254/raw.zarr"),
    )
    two = web_server(tmp_path / "two")
    nwb, meter, io = opened(f"{two.url}/a.zarr")
    with io:
        for name in ("odd", "renamed", "secure", "with a name", "with a trick"):
            assert_refused(nwb, meter, TrustError, LinkError, name=name)
    assert one.requests == []


def test_links_within_one_web_server_are_followed(tmp_path: Path, web_server: ServeFixture) -> None:
    target(tmp_path / "raw/raw.zarr")
    server = web_server(tmp_path)
    holder(
        tmp_path / "derived/a.zarr",
        link("odd", ODD, "../../raw/raw.zarr"),
        link("spelled out", ODD, f"{server.url}/raw/raw.zarr"),
    )
    nwb, _, io = opened(f"{server.url}/derived/a.zarr")
    with io:
        assert nwb.acquisition["odd"].attributes["label"] == "the target"
        assert nwb.acquisition["spelled out"] is nwb.acquisition["odd"]


def test_a_reference_to_another_origin_is_refused_too(tmp_path: Path, web_server: ServeFixture) -> None:
    target(tmp_path / "served/raw.zarr")
    server = web_server(tmp_path / "served")
    holder(tmp_path / "a.zarr", it=reference(ODD, f"{server.url}/raw.zarr"))
    nwb, meter, io = opened(tmp_path / "a.zarr")
    with io:
        before = meter.total
        with pytest.raises(TrustError):
            nwb.acquisition["own"].attributes["it"]
        assert meter.total == before
    assert server.requests == []
    nwb, _, io = opened(tmp_path / "a.zarr", trust={server.url: {}})
    with io:
        assert nwb.acquisition["own"].attributes["it"].attributes["label"] == "the target"


def test_trust_in_one_store_is_no_trust_in_what_it_links_to(tmp_path: Path, web_server: ServeFixture) -> None:
    """Local → trusted server → a second server, the disk, and a cloud's metadata service."""
    target(tmp_path / "two/far.zarr")
    two = web_server(tmp_path / "two")
    target(tmp_path / "disk.zarr")
    target(
        tmp_path / "one/raw.zarr",
        "the middle",
        link("far", ODD, f"{two.url}/far.zarr"),
        link("disk", ODD, f"file://{tmp_path}/disk.zarr"),
        link("cloud", ODD, "http://169.254.169.254/latest"),
        link("sibling", ODD, "../sibling.zarr"),
    )
    target(tmp_path / "one/sibling.zarr", "the sibling")
    one = web_server(tmp_path / "one")
    links = [link(name, f"/analysis/{name}", f"{one.url}/raw.zarr") for name in ("far", "disk", "cloud", "sibling")]
    holder(tmp_path / "a.zarr", *links)
    nwb, _, io = opened(tmp_path / "a.zarr", trust={one.url: {}})
    with io:
        for name in ("far", "disk", "cloud"):
            with pytest.raises(TrustError):
                nwb.acquisition[name]
        assert nwb.acquisition["sibling"].attributes["label"] == "the sibling"
    assert two.requests == []


def test_trust_is_the_managers_and_not_the_processes(tmp_path: Path, web_server: ServeFixture) -> None:
    target(tmp_path / "served/raw.zarr")
    server = web_server(tmp_path / "served")
    holder(tmp_path / "a.zarr", link("odd", ODD, f"{server.url}/raw.zarr"))
    trusting, _, first = opened(tmp_path / "a.zarr", trust={server.url: {}})
    with first:
        assert trusting.acquisition["odd"].attributes["label"] == "the target"
        asked = len(server.requests)
        nwb, meter, second = opened(tmp_path / "a.zarr")
        with second:
            assert_refused(nwb, meter)
        assert len(server.requests) == asked


def test_a_copy_takes_a_refused_link_along_and_it_stays_refused(tmp_path: Path, web_server: ServeFixture) -> None:
    target(tmp_path / "served/raw.zarr")
    server = web_server(tmp_path / "served")
    holder(tmp_path / "a.zarr", link("odd", ODD, f"{server.url}/raw.zarr"))
    nwb, _, io = opened(tmp_path / "a.zarr")
    with io, NWBZarrIO(tmp_path / "deeper/copy.zarr", "w", manager=io.manager) as out:
        out.write(nwb.copy())
    nwb, meter, io = opened(tmp_path / "deeper/copy.zarr")
    with io:
        assert_refused(nwb, meter)
    assert server.requests == []
    nwb, _, io = opened(tmp_path / "deeper/copy.zarr", trust={server.url: {}})
    with io:
        assert nwb.acquisition["odd"].attributes["label"] == "the target"


def test_a_session_read_from_another_origin_is_linked_by_its_whole_url(
    tmp_path: Path, web_server: ServeFixture
) -> None:
    target(tmp_path / "served/raw.zarr")
    server = web_server(tmp_path / "served")
    raw, _, io = opened(f"{server.url}/raw.zarr")
    with io, NWBZarrIO(tmp_path / "derived.zarr", "w", manager=io.manager) as out:
        report = out.write(raw.copy())
    assert {entry.source for entry in report.links} == {f"{server.url}/raw.zarr"}
    with pytest.raises(TrustError):
        nwbzarr.open(tmp_path / "derived.zarr").acquisition["odd"]
    nwb = nwbzarr.open(tmp_path / "derived.zarr", trust={server.url: {}})
    assert nwb.acquisition["odd"].attributes["label"] == "the target"


# Sources that no store may hold.

NEVER = [
    "simplecache::http://127.0.0.1:9/raw.zarr",
    "filecache::s3://bucket/raw.zarr",
    "zip://raw.zarr::http://127.0.0.1:9/raw.zip",
    "zip://x::file:///etc/passwd",
    "../raw.zarr::file:///etc",
    "/etc",
    "/absolute/raw.zarr",
    "//127.0.0.1/share/raw.zarr",
    "C:\\raw.zarr",
    "C:/raw.zarr",
    "..\\raw.zarr",
    "%2e%2e/raw.zarr",
    "..%2fraw.zarr",
    "%2E%2E%2Fraw.zarr",
    "../raw.zarr?list-type=2",
    "../raw.zarr#part",
    "http://127.0.0.1:9/raw.zarr?signature=x",
    "http://127.0.0.1:9/%2e%2e/raw.zarr",
    "http:///raw.zarr",
    "s3://",
    "../" * 60 + "etc",
    "file://../../etc",
    " ",
    "raw\0.zarr",
]


@pytest.mark.parametrize("source", NEVER, ids=repr)
def test_a_source_that_no_store_may_hold_is_refused(tmp_path: Path, source: str) -> None:
    """Whatever the trust: these could choose a protocol, a cache or a place for the reader."""
    target(tmp_path / "raw.zarr")
    holder(tmp_path / "a.zarr", link("odd", ODD, source))
    everything: dict[str, dict[str, Any]] = {"/": {}, "http://127.0.0.1:9/": {}, "s3://bucket/": {}, "file:///": {}}
    nwb, meter, io = opened(tmp_path / "a.zarr", trust=everything)
    with io:
        error = assert_refused(nwb, meter, LinkError, TrustError, DocumentError)
    assert not isinstance(error, DanglingLinkError)


FOREIGN = [
    "file:///etc",
    "file:///etc/passwd",
    "FILE:///etc",
    "local:///etc",
    "file://localhost/etc",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254",
    "http://[fd00:ec2::254]/latest",
    "http://2852039166/latest",
    "HTTP://169.254.169.254/",
    "https://example.org/raw.zarr",
    "s3://other-lab/raw.zarr",
    "s3a://other-lab/raw.zarr",
    "gs://other-lab/raw.zarr",
    "memory://raw.zarr",
    "ftp://127.0.0.1/raw.zarr",
    "ssh://127.0.0.1/raw.zarr",
    "sftp://127.0.0.1/raw.zarr",
    "github://org:repo@main/raw.zarr",
    "reference://raw.zarr",
    "data://x",
    "smb://127.0.0.1/raw.zarr",
]


@pytest.mark.parametrize("source", FOREIGN, ids=repr)
@pytest.mark.parametrize("where", ["disk", "web"])
def test_a_source_of_another_origin_is_refused(
    tmp_path: Path, web_server: ServeFixture, source: str, where: str
) -> None:
    holder(tmp_path / "a.zarr", link("odd", ODD, source))
    base = tmp_path if where == "disk" else web_server(tmp_path).url
    nwb, meter, io = opened(f"{base}/a.zarr", trust={"http://127.0.0.1:9/": {}, "s3://my-lab/": {}})
    with io:
        error = assert_refused(nwb, meter, TrustError, LinkError)
    assert not isinstance(error, DanglingLinkError)
    assert source.partition("://")[2].partition("/")[0] in str(error)


@pytest.mark.parametrize("protocol", ["ftp", "sftp", "github", "reference", "zip", "smb"])
def test_no_trust_opens_a_protocol_that_links_may_not_name(tmp_path: Path, protocol: str) -> None:
    holder(tmp_path / "a.zarr", link("odd", ODD, f"{protocol}://127.0.0.1/raw.zarr"))
    nwb, meter, io = opened(tmp_path / "a.zarr", trust={f"{protocol}://127.0.0.1/": {}})
    with io:
        assert_refused(nwb, meter, TrustError, LinkError)


def test_a_web_store_cannot_reach_the_disk(tmp_path: Path, web_server: ServeFixture) -> None:
    """Not even a session that is there, by any way of saying so."""
    target(tmp_path / "secret/raw.zarr")
    secret = tmp_path / "secret/raw.zarr"
    sources = [f"file://{secret}", f"local://{secret}", str(secret), "../" * 9 + str(secret).lstrip("/")]
    holder(tmp_path / "served/a.zarr", *(link(f"l{index}", ODD, source) for index, source in enumerate(sources)))
    server = web_server(tmp_path / "served")
    nwb, meter, io = opened(f"{server.url}/a.zarr")
    with io:
        for index in range(len(sources)):
            assert_refused(nwb, meter, TrustError, LinkError, name=f"l{index}")


def test_a_spelled_out_path_on_the_same_disk_needs_trust(tmp_path: Path) -> None:
    """The disk is one origin: a relative source stays near, a file:// URL could name anything."""
    target(tmp_path / "raw/raw.zarr")
    holder(tmp_path / "a.zarr", link("odd", ODD, f"file://{tmp_path}/raw/raw.zarr"))
    nwb, meter, io = opened(tmp_path / "a.zarr")
    with io:
        assert_refused(nwb, meter)
    for prefix in (f"{tmp_path}/raw", f"file://{tmp_path}/raw/", str(tmp_path)):
        nwb = nwbzarr.open(tmp_path / "a.zarr", trust={prefix: {}})
        assert nwb.acquisition["odd"].attributes["label"] == "the target"


def test_a_prefix_may_be_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target(tmp_path / "raw/raw.zarr")
    holder(tmp_path / "a.zarr", link("odd", ODD, f"file://{tmp_path}/raw/raw.zarr"))
    monkeypatch.chdir(tmp_path)
    assert nwbzarr.open("a.zarr", trust={"raw": {}}).acquisition["odd"].attributes["label"] == "the target"


@pytest.mark.parametrize("path", ["/../x", "..", "/acquisition/../../x", "/a\\b", "", 3, None, [], "/a//b"], ids=repr)
def test_a_link_path_that_leaves_its_store_is_refused(tmp_path: Path, path: Any) -> None:
    target(tmp_path / "raw.zarr")
    root = bare_session(tmp_path / "a.zarr")
    root["acquisition"].attrs["_LINKS"] = [{"name": "odd", "source": "../raw.zarr", "path": path}]
    with pytest.raises(DocumentError, match="path"):
        nwbzarr.open(tmp_path / "a.zarr").acquisition["odd"]


@pytest.mark.parametrize("name", ["", "a/b", "..", ".", "a\0b", 3, None], ids=repr)
def test_a_link_name_that_is_no_name_is_refused(tmp_path: Path, name: Any) -> None:
    target(tmp_path / "raw.zarr")
    root = bare_session(tmp_path / "a.zarr")
    root["acquisition"].attrs["_LINKS"] = [{"name": name, "source": "../raw.zarr", "path": ODD}]
    with pytest.raises(DocumentError):
        list(nwbzarr.open(tmp_path / "a.zarr").acquisition)


# Credentials.


def test_options_of_a_store_do_not_cross_to_another_origin(
    tmp_path: Path, header_server: Callable[..., HeaderServer]
) -> None:
    target(tmp_path / "two/raw.zarr")
    two = header_server(tmp_path / "two")
    holder(tmp_path / "one/a.zarr", link("odd", ODD, f"{two.url}/raw.zarr"), link("near", ODD, "../raw.zarr"))
    target(tmp_path / "one/raw.zarr", "near")
    one = header_server(tmp_path / "one")
    secret = {"client_kwargs": {"headers": {"Authorization": "Bearer of-one"}}}
    nwb, _, io = opened(f"{one.url}/a.zarr", trust={two.url: {}}, options=secret)
    with io:
        assert nwb.acquisition["near"].attributes["label"] == "near"
        assert nwb.acquisition["odd"].attributes["label"] == "the target"
        assert np.array_equal(nwb.acquisition["odd"]["values"].data, [0, 1, 2])
    assert {headers.get("authorization") for _, headers in one.requests} == {"Bearer of-one"}
    assert two.requests
    assert {headers.get("authorization") for _, headers in two.requests} == {None}


def test_options_of_the_longest_prefix_are_used_and_no_others(
    tmp_path: Path, header_server: Callable[..., HeaderServer]
) -> None:
    for name in ("wide", "lab/narrow"):
        target(tmp_path / f"two/{name}.zarr", name)
    two = header_server(tmp_path / "two")
    entries = [link(name, ODD, f"{two.url}/{path}.zarr") for name, path in (("wide", "wide"), ("narrow", "lab/narrow"))]
    holder(tmp_path / "a.zarr", *entries)

    def options(word: str) -> dict[str, Any]:
        return {"client_kwargs": {"headers": {"Authorization": word}}}

    nwb, _, io = opened(tmp_path / "a.zarr", trust={two.url: options("wide"), f"{two.url}/lab/": options("narrow")})
    with io:
        assert nwb.acquisition["wide"].attributes["label"] == "wide"
        assert nwb.acquisition["narrow"].attributes["label"] == "lab/narrow"
    sent = {(path.split("/")[1], headers.get("authorization")) for path, headers in two.requests}
    assert sent == {("wide.zarr", "wide"), ("lab", "narrow")}


def test_options_do_not_stand_in_errors(tmp_path: Path, web_server: ServeFixture) -> None:
    holder(tmp_path / "a.zarr", link("odd", ODD, "http://169.254.169.254/x"), link("gone", ODD, "../gone.zarr"))
    server = web_server(tmp_path)
    options = {"client_kwargs": {"headers": {"Authorization": "Bearer hush"}}}
    nwb, _, io = opened(f"{server.url}/a.zarr", options=options)
    with io:
        for name in ("odd", "gone"):
            with pytest.raises(NWBZarrError) as caught:
                nwb.acquisition[name]
            chain: BaseException | None = caught.value
            while chain is not None:
                assert "hush" not in f"{chain!s}{chain!r}"
                chain = chain.__cause__ or chain.__context__
        assert "hush" not in repr(io) + repr(io.manager) + repr(nwb.acquisition)


def test_a_redirect_is_no_way_round_trust(tmp_path: Path, header_server: Callable[..., HeaderServer]) -> None:
    """A link within one origin whose server sends the reader on: to a server that nobody trusted."""
    target(tmp_path / "two/raw.zarr", "not trusted")
    two = header_server(tmp_path / "two")
    holder(tmp_path / "one/a.zarr", link("odd", ODD, "../elsewhere/raw.zarr"))
    one = header_server(tmp_path / "one", two.url)
    secret = {"client_kwargs": {"headers": {"Authorization": "Bearer of-one", "X-Api-Key": "of-one"}}}
    nwb, _, io = opened(f"{one.url}/a.zarr", options=secret)
    with io, pytest.raises(NWBZarrError):
        nwb.acquisition["odd"]
    assert [headers for _, headers in two.requests if "x-api-key" in headers or "authorization" in headers] == []
    assert two.requests == []


@pytest.mark.s3
def test_a_link_to_another_bucket_needs_trust_and_takes_its_options(s3_bucket: S3Bucket, s3_client: Any) -> None:
    other = f"{s3_bucket.bucket}-other"
    s3_client.create_bucket(Bucket=other)
    raw = NWBFile(session_description="d", identifier="i", session_start_time=datetime(2024, 1, 1, tzinfo=UTC))
    raw.add_acquisition(TimeSeries("odd", data=np.arange(9), unit="V", rate=1.0))
    with NWBZarrIO(f"s3://{other}/raw.zarr", "w", storage_options=s3_bucket.options) as io:
        io.write(raw)
    with NWBZarrIO(f"{s3_bucket.url}/derived.zarr", "w", storage_options=s3_bucket.options) as io:
        derived = raw.copy()
        report = io.write(derived)
    assert {entry.source for entry in report.links} == {f"s3://{other}/raw.zarr"}
    nwb, meter, io = opened(f"{s3_bucket.url}/derived.zarr", options=s3_bucket.options)
    with io:
        before = meter.total
        assert list(nwb.acquisition) == ["odd"]
        with pytest.raises(TrustError, match=other):
            nwb.acquisition["odd"]
        assert meter.total == before
    nwb, _, io = opened(
        f"{s3_bucket.url}/derived.zarr", trust={f"s3://{other}/": s3_bucket.options}, options=s3_bucket.options
    )
    with io:
        assert np.array_equal(nwb.acquisition["odd"].data, np.arange(9))


@pytest.mark.s3
def test_a_relative_source_cannot_climb_into_another_bucket(s3_bucket: S3Bucket, tmp_path: Path) -> None:
    holder(tmp_path / "a.zarr", link("odd", ODD, "../../other-bucket/raw.zarr"))
    Place(s3_bucket.url, s3_bucket.options).put(Place(str(tmp_path)).objects())
    nwb, meter, io = opened(f"{s3_bucket.url}/a.zarr", options=s3_bucket.options)
    with io:
        assert_refused(nwb, meter, LinkError)


# Not answering is not being gone.


def test_a_server_that_does_not_answer_is_no_dangling_link(tmp_path: Path) -> None:
    """Design, §9: "cannot tell" is not "no"."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        holder(tmp_path / "a.zarr", link("odd", ODD, f"http://127.0.0.1:{port}/raw.zarr"))
        nwb, _, io = opened(tmp_path / "a.zarr", trust={f"http://127.0.0.1:{port}/": {}})
        with io, pytest.raises(StoreError) as caught:
            nwb.acquisition["odd"]
    assert not isinstance(caught.value, KeyError)


# Cycles and long ways.


def test_a_link_to_itself_is_a_cycle(tmp_path: Path) -> None:
    holder(tmp_path / "a.zarr", link("odd", ODD, "."))
    nwb, meter, io = opened(tmp_path / "a.zarr")
    with io:
        error = assert_refused(nwb, meter, LinkCycleError)
    assert "odd" in str(error)


def test_two_links_of_one_store_that_lead_to_each_other_are_a_cycle(tmp_path: Path) -> None:
    holder(tmp_path / "a.zarr", link("odd", "/acquisition/even", "."), link("even", ODD, "."))
    nwb, meter, io = opened(tmp_path / "a.zarr")
    with io:
        for name in ("odd", "even"):
            assert_refused(nwb, meter, LinkCycleError, name=name)


def test_a_cycle_over_three_stores(tmp_path: Path) -> None:
    for ours, theirs in ("ab", "bc", "ca"):
        holder(tmp_path / ours / f"{ours}.zarr", link("odd", ODD, f"../../{theirs}/{theirs}.zarr"))
    for name in "abc":
        nwb, _, io = opened(tmp_path / name / f"{name}.zarr")
        with io:
            with pytest.raises(LinkCycleError, match="mend one of these links") as caught:
                nwb.acquisition["odd"]
            for each in "abc":
                assert f"{each}.zarr" in str(caught.value)
            assert nwb.acquisition["own"].attributes["label"] == "fine"


def test_a_link_below_itself_never_ends_and_is_stopped(tmp_path: Path) -> None:
    holder(tmp_path / "a.zarr", link("odd", f"{ODD}/odd", "."))
    nwb, meter, io = opened(tmp_path / "a.zarr")
    with io:
        assert_refused(nwb, meter, LinkCycleError)


def test_too_many_hops_are_refused_and_stop_asking(tmp_path: Path) -> None:
    count = 14
    for index in range(count):
        holder(tmp_path / f"{index}.zarr", link("odd", ODD, f"../{index + 1}.zarr"))
    target(tmp_path / f"{count}.zarr")
    nwb, meter, io = opened(tmp_path / "0.zarr")
    with io:
        before = meter.total
        with pytest.raises(LinkCycleError, match="hops"):
            nwb.acquisition["odd"]
        assert meter.total - before < 4 * count
    nwb, _, io = opened(tmp_path / f"{count - 3}.zarr")
    with io:
        assert nwb.acquisition["odd"].attributes["label"] == "the target"


def test_a_link_to_a_group_that_holds_it_is_no_cycle(tmp_path: Path) -> None:
    """As a directory may hold a link to its parent: endless only for who walks on."""
    holder(tmp_path / "a.zarr", link("up", "/acquisition", "."), link("top", "/", "."))
    nwb: Any = nwbzarr.open(tmp_path / "a.zarr")
    up = nwb["acquisition"]["up"]
    assert up is nwb["acquisition"]
    assert up["top"] is nwb
    assert repr(nwb.acquisition)


# What is refused does not get in the way.


def test_a_session_with_refused_links_can_be_added_to(tmp_path: Path) -> None:
    sources = ["file:///etc", "http://169.254.169.254/", "simplecache::s3://x/y", "/etc", "../gone.zarr", "."]
    holder(tmp_path / "a.zarr", *(link(f"l{index}", ODD, source) for index, source in enumerate(sources)))
    with NWBZarrIO(tmp_path / "a.zarr", "r+") as io:
        nwb = io.read()
        nwb.add_acquisition(TimeSeries("new", data=np.arange(3), unit="V", rate=1.0))
        nwb.add_scratch(1, name="s", description="d")
        io.write(nwb)
    found = nwbzarr.open(tmp_path / "a.zarr")
    assert set(found.acquisition) == {"own", "new", *(f"l{index}" for index in range(len(sources)))}
    assert found.get_scratch("s") == 1
    assert np.array_equal(found.acquisition["new"].data, np.arange(3))
