"""Full disks, refused credentials, missing buckets, and networks that fail: clear errors, and nothing lost."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import pytest

from nwbzarr import NWBFile, NWBZarrIO, ZarrDataIO
from nwbzarr.errors import (
    CommitError,
    NWBZarrError,
    StorageFullError,
    StoreAccessError,
    StoreError,
    StoreNotFoundError,
)
from nwbzarr.stores import patience
from nwbzarr.stores.keys import TRANSPORT_VARIABLE, TRANSPORTS, Transport
from tests.commit.deaths import run_in_child, settle
from tests.commit.sessions import CHUNK, Contents, Store, contents, extended, samples, session, small_regions
from tests.servers.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.endpoint import S3Endpoint
    from tests.servers.faults import FaultProxy
    from tests.servers.fixtures import S3Bucket

#: Options that spare the waiting for answers that never come.
IMPATIENT: dict[str, Any] = {"config_kwargs": {"retries": {"max_attempts": 0}, "connect_timeout": 5, "read_timeout": 1}}


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up soon: what fails in these tests does so for good."""
    monkeypatch.setattr(patience, "GIVE_UP_SECONDS", 0.3)


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Transport:
    """Have either library send the requests, by what the environment says."""
    chosen: Transport = request.param
    if chosen == "obstore":
        pytest.importorskip("obstore")
    monkeypatch.setenv(TRANSPORT_VARIABLE, chosen)
    return chosen


# Disks.


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    settle()
    # What still writes to it does not keep it from being taken away.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def noise(megabytes: float) -> ZarrDataIO:
    """Return what no codec makes smaller, in chunks of which a small disk takes some."""
    return ZarrDataIO(np.random.default_rng(1).random(int(megabytes * 2**20 / 8)), chunks=(2000,))


def noisy() -> NWBFile:
    """Return a session that no small disk holds."""
    nwb = session(2)
    nwb.add_scratch(noise(3), name="noise", description="d")
    return nwb


def check_full(caught: pytest.ExceptionInfo[StorageFullError], store: Store) -> None:
    error = caught.value
    assert isinstance(error, OSError)
    assert "no space" in str(error)
    assert error.store == store.url
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301


@pytest.mark.parametrize("before", [None, 1], ids=["new", "old"])
def test_a_full_disk(small_disk: Path, before: int | None) -> None:
    store = Store(str(small_disk / "session.nwb.zarr"))
    if before is not None:
        store.write(session(before))
    old = store.state()
    with pytest.raises(StorageFullError) as caught:
        store.write(noisy())
    check_full(caught, store)
    assert store.state() == old
    assert store.litter() == []
    store.write(session(2))
    assert store.state() == contents(session(2))


def test_a_disk_that_is_full_when_something_is_added(small_disk: Path) -> None:
    store = Store(str(small_disk / "session.nwb.zarr"))
    store.write(session(1))
    before = store.read()
    with store.io("r+") as handle:
        nwb = handle.read()
        nwb.add_scratch(noise(3), name="noise", description="d")
        with pytest.raises(StorageFullError) as caught:
            handle.write(nwb)
    check_full(caught, store)
    assert store.state() == before
    assert store.litter() == []
    store.extend(7)
    assert store.state() == extended(1, 7)


def test_a_failed_addition_gives_the_disk_back(small_disk: Path) -> None:
    store = Store(str(small_disk / "session.nwb.zarr"))
    store.write(session(1))
    free = os.statvfs(small_disk).f_bfree
    with store.io("r+") as handle:
        nwb = handle.read()
        nwb.add_scratch(noise(0.4), name="first", description="d")
        nwb.add_scratch(noise(3), name="second", description="d")
        with pytest.raises(StorageFullError):
            handle.write(nwb)
    # Else the disk stays full of what nobody can see.
    assert free - os.statvfs(small_disk).f_bfree < 20


@contextmanager
def full_from(number: int, folder: str) -> Iterator[None]:
    """Make every file of a folder that is opened for writing, from one on, one that has no room."""
    real = open
    left = number

    def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        nonlocal left
        if isinstance(file, str | Path) and str(file).startswith(folder) and mode.startswith("w"):
            left -= 1
            if left < 0:
                real(file, mode, *args, **kwargs).close()
                return real("/dev/full", mode, *args, **kwargs)
        return real(file, mode, *args, **kwargs)

    with mock.patch.object(builtins, "open", opened), mock.patch.object(io, "open", opened):
        yield


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("deed", ["create", "replace", "extend"])
def test_a_disk_that_becomes_full_at_any_file(tmp_path: Path, deed: str) -> None:
    number = 0
    while number < 200:
        store = Store(str(tmp_path / f"{number}" / "session.nwb.zarr"))
        if deed != "create":
            store.write(session(1))
        before = store.state()
        act: Callable[[], None] = (lambda: store.extend(7)) if deed == "extend" else (lambda: store.write(session(2)))  # noqa: B023
        try:
            with full_from(number, str(tmp_path)), small_regions():
                act()
        except StorageFullError:
            assert store.state() == before
            assert store.litter() == []
        else:
            break
        act()
        assert store.state() == (extended(1, 7) if deed == "extend" else contents(session(2)))
        number += 1
    assert 10 < number < 200


def _write_as_nobody(store: Store, outcome: str) -> None:
    """In a child: give up all rights, and try to write."""
    answer = os.open(outcome, os.O_WRONLY)
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    try:
        if store.url.endswith("r+"):
            Store(store.url.removesuffix("r+")).extend(7)
        else:
            store.write(session(2))
    except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
        os.write(answer, f"{type(error).__name__}: {error}".encode())
    os.close(answer)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give up rights")
@pytest.mark.parametrize("deed", ["create", "replace", "extend"])
def test_a_folder_that_may_not_be_written(deed: str, request: pytest.FixtureRequest) -> None:
    folder = Path("/tmp") / f"nwbzarr-{os.getpid()}-{deed}"  # noqa: S108 - pytest's own folders are closed to others
    folder.mkdir(mode=0o755)
    request.addfinalizer(lambda: subprocess.run(["rm", "-r", str(folder)], check=True))
    store = Store(str(folder / "session.nwb.zarr"))
    if deed != "create":
        store.write(session(1))
    before = store.state()
    outcome = folder / "outcome"
    outcome.touch()
    target = Store(f"{store.url}r+") if deed == "extend" else store
    assert run_in_child(_write_as_nobody, target, str(outcome)) == 0
    assert outcome.read_text().startswith("StoreAccessError: "), outcome.read_text()
    assert store.state() == before
    assert store.litter() == []


def test_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"precious")
    with pytest.raises(StoreError):
        Store(str(tmp_path / "file" / "session.nwb.zarr")).write(session(1))
    assert (tmp_path / "file").read_bytes() == b"precious"


# Credentials and buckets.


@pytest.fixture
def ceph_store(s3_store: Store, s3_server: S3Endpoint) -> Store:
    """Return a place on a server that looks at credentials."""
    if s3_server.kind != "ceph":
        pytest.skip("moto takes any secret")
    return s3_store


def _wrong_secret(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "secret": "wrong-and-private"}


def _wrong_key(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "key": "nobody", "secret": "wrong-and-private"}


def _anonymous(options: dict[str, Any]) -> dict[str, Any]:
    return {"anon": True, "client_kwargs": options["client_kwargs"]}


@pytest.mark.usefixtures("transport")
@pytest.mark.s3
@pytest.mark.parametrize("change", [_wrong_secret, _wrong_key, _anonymous])
def test_refused_credentials(ceph_store: Store, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    assert ceph_store.options is not None
    ceph_store.write(session(1))
    before = ceph_store.read()
    refused = Store(ceph_store.url, change(ceph_store.options))
    acts: list[Callable[[], Any]] = [
        refused.read,
        lambda: refused.write(session(2)),
        lambda: refused.write(session(2), "w-"),
        lambda: refused.extend(7),
        Store(f"{refused.url}-none", refused.options).read,
    ]
    for act in acts:
        with pytest.raises(StoreAccessError, match="credentials") as caught:
            act()
        assert isinstance(caught.value, PermissionError)
        assert "wrong-and-private" not in str(caught.value)
    assert ceph_store.state() == before
    assert ceph_store.litter() == []


@pytest.mark.usefixtures("transport")
@pytest.mark.s3
def test_right_credentials_after_refused_ones(ceph_store: Store) -> None:
    assert ceph_store.options is not None
    ceph_store.write(session(1))
    with pytest.raises(StoreAccessError):
        Store(ceph_store.url, _wrong_secret(ceph_store.options)).read()
    assert ceph_store.state() == contents(session(1))


@pytest.mark.usefixtures("transport")
@pytest.mark.s3
@pytest.mark.parametrize("mode", ["r", "r+"])
def test_reading_from_a_bucket_that_is_not_there(s3_bucket: S3Bucket, mode: str) -> None:
    with pytest.raises(StoreNotFoundError):
        NWBZarrIO("s3://no-such-bucket/session.nwb.zarr", mode, storage_options=s3_bucket.options)


@pytest.mark.usefixtures("transport")
@pytest.mark.s3
@pytest.mark.parametrize("mode", ["w", "w-", "a"])
def test_writing_to_a_bucket_that_is_not_there(s3_bucket: S3Bucket, mode: str) -> None:
    store = Store("s3://no-such-bucket/session.nwb.zarr", s3_bucket.options)
    with pytest.raises(StoreError, match="no-such-bucket"):
        store.write(session(1), mode)


@pytest.mark.usefixtures("hasty", "transport")
@pytest.mark.s3
def test_a_server_that_is_not_there(s3_bucket: S3Bucket) -> None:
    options = {**s3_bucket.endpoint.through("http://127.0.0.1:1").storage_options(), **IMPATIENT}
    store = Store(f"{s3_bucket.url}/session.nwb.zarr", options)
    for act in (store.read, lambda: store.write(session(1))):
        with pytest.raises(StoreError):
            act()


# Networks.


@pytest.fixture
def far_store(s3_store: Store, s3_bucket: S3Bucket, fault_proxy: FaultProxy) -> Store:
    """Return the same place as `s3_store`, as reached through the proxy."""
    return Store(s3_store.url, {**s3_bucket.through(fault_proxy).options, **IMPATIENT})


def recovers(store: Store, before: Contents | str, value: int = 2) -> None:
    """Check that what a failed write left is whole or absent, and that a retry succeeds."""
    assert store.state() in (before, "incomplete", contents(session(value)))
    store.write(session(value + 1))
    assert store.state() == contents(session(value + 1))
    assert store.litter() == []


@pytest.mark.usefixtures("transport")
@pytest.mark.s3
def test_a_busy_server_is_asked_again(far_store: Store, s3_store: Store, fault_proxy: FaultProxy) -> None:
    fault_proxy.faults = Faults(refuse=0.2, seed=1)
    far_store.write(session(1))
    far_store.extend(7)
    assert far_store.read() == extended(1, 7)
    assert fault_proxy.injected > 5
    fault_proxy.faults = Faults()
    assert s3_store.state() == extended(1, 7)
    assert s3_store.litter() == []


@pytest.mark.usefixtures("hasty", "transport")
@pytest.mark.s3
@pytest.mark.slow
@pytest.mark.parametrize("match", ["PUT", "PUT .*/c", "PUT .*progress", "PUT .*session.nwb.zarr/zarr.json", "POST"])
def test_a_server_that_stays_busy(far_store: Store, s3_store: Store, fault_proxy: FaultProxy, match: str) -> None:
    s3_store.write(session(1))
    before = s3_store.read()
    fault_proxy.faults = Faults(refuse=1.0, match=match)
    with pytest.raises((StoreError, CommitError)):
        far_store.write(session(2))
    fault_proxy.faults = Faults()
    recovers(s3_store, before)


@pytest.mark.usefixtures("hasty", "transport")
@pytest.mark.s3
@pytest.mark.slow
@pytest.mark.parametrize("requests", [0, 1, 3, 20])
def test_a_network_that_fails_for_good(
    far_store: Store, s3_store: Store, fault_proxy: FaultProxy, requests: int
) -> None:
    s3_store.write(session(1))
    before = s3_store.read()
    fault_proxy.faults = Faults(kill_after=requests)
    with pytest.raises(NWBZarrError):
        far_store.write(session(2))
    fault_proxy.faults = Faults()
    recovers(s3_store, before)


LOST = {
    "mark": "PUT .*progress",
    "chunk": "PUT .*/raw/data/c.1",
    "document": "PUT .*/raw/zarr.json",
    "sidecar": "PUT .*small-chunks",
    "root": "PUT .*session.nwb.zarr/zarr.json",
    "removal": "POST",
    "listing": "GET .*list-type",
    "check": "GET .*progress",
}


@pytest.mark.usefixtures("transport")
@pytest.mark.s3
@pytest.mark.parametrize("match", LOST.values(), ids=LOST.keys())
def test_an_answer_that_is_lost_is_asked_for_again(
    far_store: Store, s3_store: Store, fault_proxy: FaultProxy, match: str
) -> None:
    # The request was carried out, and the connection cut before the answer: one such glitch must not fail a write.
    fault_proxy.faults = Faults(lose=1.0, limit=1, match=match)
    far_store.write(session(1))
    assert fault_proxy.injected == 1
    assert s3_store.state() == contents(session(1))
    assert s3_store.litter() == []


@pytest.mark.usefixtures("transport")
@pytest.mark.s3
@pytest.mark.parametrize(
    "match",
    ["PUT .*progress", "PUT .*session.nwb.zarr/zarr.json", "GET .*session.nwb.zarr/zarr.json", "PUT .*/data/c.2"],
)
def test_an_answer_that_is_lost_while_something_is_added(
    far_store: Store, s3_store: Store, fault_proxy: FaultProxy, match: str
) -> None:
    s3_store.write(session(1))
    fault_proxy.faults = Faults(lose=1.0, limit=1, match=match)
    far_store.extend(7)
    assert fault_proxy.injected == 1
    assert s3_store.state() == extended(1, 7)
    assert s3_store.litter() == []


@pytest.mark.usefixtures("hasty", "transport")
@pytest.mark.s3
@pytest.mark.parametrize("match", ["GET .*zarr.json", "GET .*small-chunks", "GET .*/data/c.1"])
def test_an_answer_that_is_cut_off_is_not_taken_for_whole(
    far_store: Store, s3_store: Store, fault_proxy: FaultProxy, match: str
) -> None:
    s3_store.write(session(1))
    fault_proxy.faults = Faults(truncate=1.0, match=match)
    with pytest.raises(StoreError):
        far_store.read()
    fault_proxy.faults = Faults(truncate=1.0, limit=1, match=match)
    with suppress(StoreError):
        assert far_store.read() == contents(session(1))
    assert fault_proxy.injected == 1


@pytest.mark.usefixtures("transport")
@pytest.mark.s3
def test_a_server_that_does_not_answer(far_store: Store, s3_store: Store, fault_proxy: FaultProxy) -> None:
    s3_store.write(session(1))
    fault_proxy.faults = Faults(hang=1.0, limit=1, match="GET .*/data/c.1")
    assert far_store.read() == contents(session(1))
    assert fault_proxy.injected == 1


@pytest.mark.usefixtures("hasty", "transport")
@pytest.mark.s3
def test_chunks_that_cannot_be_read_are_no_fill_values(
    far_store: Store, s3_store: Store, fault_proxy: FaultProxy
) -> None:
    s3_store.write(session(1))
    with far_store.io("r") as handle:
        data = handle.read().acquisition["raw"].data
        fault_proxy.faults = Faults(refuse=1.0, match="GET .*/data/c.1")
        with pytest.raises(StoreError) as caught:
            data[:]
        assert caught.value.path == "/acquisition/raw/data"
        fault_proxy.faults = Faults()
        assert np.array_equal(data[:], samples(1))
        with suppress(StoreError):
            assert np.array_equal(data[:10], samples(1)[:10])


# Everything at once.


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a request for lost soon, so that tests need not wait; all else is as it is for everybody."""
    monkeypatch.setattr(patience, "QUIET_SECONDS", 0.5)


@pytest.fixture
def shaky_store(s3_store: Store, s3_bucket: S3Bucket, fault_proxy: FaultProxy) -> Store:
    """Return the same place as `s3_store` through the proxy, with the time limits that everybody has."""
    return Store(s3_store.url, s3_bucket.through(fault_proxy).options)


def many_arrays(value: int) -> NWBFile:
    """Return a session whose write takes some two hundred requests."""
    nwb = session(value)
    for index in range(60):
        nwb.add_scratch(samples(value, CHUNK) + index, name=f"array {index}", description="d")
    nwb.add_scratch(ZarrDataIO(samples(value, 400), chunks=(CHUNK,)), name="chunks", description="d")
    return nwb


@pytest.mark.usefixtures("brisk", "transport")
@pytest.mark.s3
@pytest.mark.parametrize("seed", range(3))
def test_a_bad_network_loses_nothing(shaky_store: Store, s3_store: Store, fault_proxy: FaultProxy, seed: int) -> None:
    fault_proxy.faults = Faults(refuse=0.1, truncate=0.01, lose=0.01, hang=0.01, seed=seed)
    shaky_store.write(many_arrays(1))
    shaky_store.extend(7)
    found = shaky_store.read()
    assert fault_proxy.injected > 20
    fault_proxy.faults = Faults()
    assert s3_store.state() == found
    assert found == {**contents(many_arrays(1)), **{key: found[key] for key in extended(1, 7)}}
    assert found.items() >= {key: value for key, value in extended(1, 7).items() if key != "/scratch"}.items()
    assert s3_store.litter() == []


@pytest.mark.usefixtures("hasty", "brisk", "transport")
@pytest.mark.s3
@pytest.mark.parametrize("match", ["GET", "PUT", "POST", "GET .*list-type"])
def test_a_server_that_never_answers_is_given_up(
    shaky_store: Store, s3_store: Store, fault_proxy: FaultProxy, match: str
) -> None:
    s3_store.write(session(1))
    fault_proxy.faults = Faults(hang=1.0, match=match)
    start = time.monotonic()
    with pytest.raises(StoreError):
        shaky_store.write(session(2))
    # A refusal to wait for ever: an attempt or two, and those of obstore's own.
    assert time.monotonic() - start < 20
    assert fault_proxy.injected >= 1
    fault_proxy.faults = Faults()
    recovers(s3_store, contents(session(1)))


@pytest.mark.usefixtures("brisk", "transport")
@pytest.mark.s3
@pytest.mark.parametrize(
    "match", ["GET .*/data/c.1", "GET .*session.nwb.zarr/zarr.json", "GET .*small-chunks", "PUT .*/data/c.1", "POST",
              "PUT .*progress", "PUT .*session.nwb.zarr/zarr.json", "GET .*list-type"]
)  # fmt: skip
def test_a_server_that_does_not_answer_once(
    shaky_store: Store, s3_store: Store, fault_proxy: FaultProxy, match: str
) -> None:
    s3_store.write(session(2))
    fault_proxy.faults = Faults(hang=1.0, limit=1, match=match)
    shaky_store.write(session(1))
    assert shaky_store.read() == contents(session(1))
    assert fault_proxy.injected == 1
    assert s3_store.litter() == []
