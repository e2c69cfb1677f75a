"""A one-node Ceph RADOS Gateway, a production S3 server, kept in memory on loopback.

From a shell, ``python -m tests.servers.ceph start DIR`` leaves one running and prints how to
reach it; ``status DIR`` and ``stop DIR`` belong to it.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import select
import shutil
import signal
import sys
import tempfile
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.endpoint import S3Endpoint
from tests.servers.processes import (
    LOOPBACK,
    PortTakenError,
    ServerError,
    accepts,
    answers,
    clean_environment,
    end,
    free_ports,
    must_be_free,
    retry_port,
    server_error,
    spawn,
    tail,
    wait_for,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

if sys.platform != "win32":
    import fcntl

__all__ = ["CephGateway", "PortTakenError", "S3Endpoint", "ServerError", "ceph_missing"]

PROGRAMS = ("monmaptool", "ceph-mon", "ceph-osd", "ceph", "radosgw", "radosgw-admin")
INSTALL = "apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd ceph-common"
PREFIX = "nwbzarr-ceph-"
KEY = "nwbzarr-tests"
MEMORY_BYTES = 16 << 30
GC_SECONDS = 60
KILL_ROUNDS = 2

Sections = dict[str, dict[str, object]]


def ceph_missing() -> str | None:
    """Say which programs are missing and how to install them; None when Ceph can run."""
    if sys.platform != "linux":
        return f"Ceph needs Linux, this is {sys.platform}"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if not absent:
        return None
    return f"Ceph programs not found: {', '.join(absent)}. On Debian: {INSTALL}"


@dataclass(frozen=True)
class _Layout:
    """Where the files of one cluster are."""

    root: Path

    @property
    def conf(self) -> Path:
        return self.root / "ceph.conf"

    @property
    def monmap(self) -> Path:
        return self.root / "monmap"

    @property
    def keyring(self) -> Path:
        return self.root / "keyring"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def endpoint(self) -> Path:
        return self.root / "endpoint.json"

    def data(self, daemon: str) -> Path:
        return self.root / daemon

    @property
    def marker(self) -> Path:
        return self.root / f".{PREFIX}marker"

    def command(self, program: str) -> list[str]:
        return [program, "-c", str(self.conf)]

    def output(self, name: str) -> Path:
        return self.logs / f"{name}.out"

    def create(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.marker.touch()
        for directory in (self.logs, *map(self.data, ("mon", "osd", "rgw", "run"))):
            directory.mkdir()
        self.keyring.touch()

    def log_tails(self) -> str:
        logs = sorted(self.logs.glob("*"))
        return "\n".join(filter(None, map(tail, logs)))


@dataclass(frozen=True)
class _Cluster:
    """The identity of one cluster, from which its configuration follows."""

    layout: _Layout
    fsid: str
    mon_port: int
    rgw_port: int

    @property
    def mon_address(self) -> str:
        return f"[v2:{LOOPBACK}:{self.mon_port}]"

    def sections(self) -> Sections:
        return {
            "global": self._common() | _one_replica(),
            "mon": self._mon(),
            "osd": self._osd(),
            "client.rgw": self._rgw(),
        }

    def _common(self) -> dict[str, object]:
        no_auth = dict.fromkeys(("auth_cluster_required", "auth_service_required", "auth_client_required"), "none")
        return no_auth | {
            "fsid": self.fsid,
            "mon_host": self.mon_address,
            "public_network": "127.0.0.0/8",
            "ms_bind_ipv6": "false",
            # The gateway asks for 'secure' otherwise, which cannot be had without keys: it
            # would retry for five minutes and give up.
            "ms_mon_client_mode": "crc",
            "keyring": self.layout.keyring,
            "run_dir": self.layout.data("run"),
            "admin_socket": "",  # its path would be too long in many a temporary directory
            "log_file": self.layout.logs / "$name.log",
            "log_to_stderr": "false",
            # A lost race with the OSD coming up is made good at the next tick only, by default 5 s.
            "objecter_tick_interval": 0.25,
            "setuser_match_path": "",
        }

    def _mon(self) -> dict[str, object]:
        return {
            "mon_data": self.layout.data("mon"),
            "mon_cluster_log_file": self.layout.logs / "cluster.log",
            "auth_allow_insecure_global_id_reclaim": "true",
            "mon_data_avail_warn": 2,
            "mon_data_avail_crit": 1,
            # Every pool and map change waits for a proposal, by default for a whole second:
            # this alone takes the start from half a minute to one second.
            "paxos_propose_interval": 0.02,
            "paxos_min_wait": 0.01,
            "mon_tick_interval": 1,
        }

    def _osd(self) -> dict[str, object]:
        return {
            "osd_data": self.layout.data("osd"),
            "osd_objectstore": "memstore",
            "memstore_device_bytes": MEMORY_BYTES,
            "osd_class_load_list": "*",
            "osd_class_default_list": "*",
        }

    def _rgw(self) -> dict[str, object]:
        background = ("rgw_run_sync_thread", "rgw_enable_lc_threads", "rgw_dynamic_resharding")
        logs = ("rgw_enable_usage_log", "rgw_enable_ops_log")
        return dict.fromkeys(background + logs, "false") | {
            "rgw_data": self.layout.data("rgw"),
            "rgw_frontends": f"beast endpoint={LOOPBACK}:{self.rgw_port} tcp_nodelay=1",
            "rgw_thread_pool_size": 64,
            "rgw_gc_obj_min_wait": GC_SECONDS,
            "rgw_gc_processor_period": GC_SECONDS,
        }


def _one_replica() -> dict[str, object]:
    return {
        "osd_pool_default_size": 1,
        "osd_pool_default_min_size": 1,
        "osd_pool_default_pg_num": 1,
        "osd_pool_default_pg_autoscale_mode": "off",
        "osd_crush_chooseleaf_type": 0,
        "mon_allow_pool_size_one": "true",
        "mon_max_pg_per_osd": 1000,
    }


def _render(sections: Sections) -> str:
    lines = []
    for name, options in sections.items():
        lines.append(f"[{name}]")
        lines.extend(f"{key} = {value}".rstrip() for key, value in options.items())
    return "\n".join(lines) + "\n"


class CephGateway:
    """A Ceph cluster of one monitor, one in-memory OSD and one S3 gateway.

    Without ``directory`` it lives in a temporary one. ``detached`` daemons go on when this
    process ends; the others are killed with it, by the kernel if need be. Everything stored is
    lost at the stop.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        port: int | None = None,
        timeout: float = 60.0,
        detached: bool = False,
    ) -> None:
        """Prepare a gateway; ``port`` is its S3 port, a free one when None."""
        self._directory = None if directory is None else directory.resolve()
        self._port = port
        self._timeout = timeout
        self._detached = detached
        self._deadline = 0.0
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._layout: _Layout | None = None
        self._lock: int | None = None
        self._endpoint: S3Endpoint | None = None

    @property
    def endpoint(self) -> S3Endpoint:
        """Address and credentials; only while the gateway runs."""
        if self._endpoint is None:
            msg = "the gateway is not running"
            raise ServerError(msg)
        return self._endpoint

    def start(self) -> S3Endpoint:
        """Start the daemons and wait until the gateway answers."""
        missing = ceph_missing()
        if missing:
            raise ServerError(missing)
        return retry_port(self._attempt, tries=1 if self._port else 3)

    def stop(self) -> None:
        """Kill every daemon and remove the directory; harmless when nothing runs."""
        self._endpoint = None
        for name in reversed(list(self._children)):
            end(self._children.pop(name))
        if self._layout is not None:
            _remove(self._layout)
            self._layout = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _attempt(self) -> S3Endpoint:
        self._deadline = time.monotonic() + self._timeout
        if self._port:
            must_be_free(self._port)
        try:
            layout = self._claim_directory()
            try:
                self._endpoint = self._boot(layout)
            except ServerError as error:
                failure = server_error(f"Ceph: {error}", layout.log_tails())
                raise failure from error
        except BaseException:
            self.stop()
            raise
        return self._endpoint

    def _claim_directory(self) -> _Layout:
        if self._directory is None:
            _sweep()
            root, self._lock = _temporary_directory()
        else:
            root = self._directory
            _reclaim(root)
        self._layout = _Layout(root)
        self._layout.create()
        return self._layout

    def _boot(self, layout: _Layout) -> S3Endpoint:
        mon_port, free_port = free_ports(2)
        cluster = _Cluster(layout, str(uuid.uuid4()), mon_port, self._port or free_port)
        layout.conf.write_text(_render(cluster.sections()))
        self._boot_mon(cluster)
        self._boot_osd(layout)
        secret = secrets.token_hex(16)
        self._create_user(layout, secret)
        self._boot_rgw(cluster)
        url = f"http://{LOOPBACK}:{cluster.rgw_port}"
        endpoint = S3Endpoint(url=url, key=KEY, secret=secret, kind="ceph")
        layout.endpoint.write_text(json.dumps(asdict(endpoint)))
        return endpoint

    def _boot_mon(self, cluster: _Cluster) -> None:
        layout = cluster.layout
        monmap = str(layout.monmap)
        member = ("--addv", "a", cluster.mon_address)
        command = [*layout.command("ceph-mon"), "-i", "a"]
        self._run(layout, ["monmaptool", "--create", "--fsid", cluster.fsid, *member, monmap])
        self._run(layout, [*command, "--mkfs", "--monmap", monmap])
        self._daemon(layout, "mon", command)
        wait_for(lambda: accepts(cluster.mon_port), self._deadline, self._check)

    def _boot_osd(self, layout: _Layout) -> None:
        osd = str(uuid.uuid4())
        command = [*layout.command("ceph-osd"), "-i", "0"]
        self._run(layout, [*layout.command("ceph"), "osd", "new", osd])
        self._run(layout, [*command, "--mkfs", "--osd-uuid", osd])
        self._daemon(layout, "osd", command)

    def _create_user(self, layout: _Layout, secret: str) -> None:
        identity = ["--uid=nwbzarr", "--display-name=nwbzarr"]
        keys = [f"--access-key={KEY}", f"--secret-key={secret}"]
        command = [*layout.command("radosgw-admin"), "-n", "client.rgw"]
        self._run(layout, [*command, "user", "create", *identity, *keys])

    def _boot_rgw(self, cluster: _Cluster) -> None:
        command = [*cluster.layout.command("radosgw"), "-n", "client.rgw"]
        self._daemon(cluster.layout, "rgw", command)
        wait_for(lambda: answers(cluster.rgw_port), self._deadline, self._check)

    def _daemon(self, layout: _Layout, name: str, command: Sequence[str]) -> None:
        if self._detached:
            self._run(layout, command)  # it goes to the background by itself when it is ready
            return
        log = layout.output(name)
        self._children[name] = spawn([*command, "-f"], log, clean_environment())

    def _run(self, layout: _Layout, command: Sequence[str]) -> None:
        """Run a command to its end, within the deadline and while the daemons live."""
        log, env = layout.output("commands"), clean_environment()
        process = spawn(command, log, env, mortal=not self._detached)
        try:
            wait_for(lambda: process.poll() is not None, self._deadline, self._check)
        finally:
            end(process)
        if process.returncode:
            msg = f"{command[0]} ended with status {process.returncode}"
            raise ServerError(msg)

    def _check(self) -> None:
        for name, process in self._children.items():
            if process.poll() is not None:
                msg = f"daemon {name} ended with status {process.returncode}"
                raise ServerError(msg)


def _temporary_directory() -> tuple[Path, int]:
    """Make a directory and lock it, under its final name only when locked."""
    hidden = Path(tempfile.mkdtemp(prefix=f".{PREFIX}")).resolve()
    lock = _lock_directory(hidden)
    return hidden.rename(hidden.with_name(hidden.name[1:])), lock


def _lock_directory(directory: Path) -> int:
    """Lock a directory for the life of this process; OSError when another one lives."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _sweep() -> None:
    """Remove temporary clusters whose owner was killed before it could do so."""
    for root in Path(tempfile.gettempdir()).resolve().glob(f"{PREFIX}*"):
        try:
            lock = _lock_directory(root)
        except OSError:
            continue  # in use, or somebody else's
        _remove(_Layout(root))
        os.close(lock)


def _reclaim(root: Path) -> None:
    """Clear a directory that an earlier gateway left; refuse any other that has files."""
    layout = _Layout(root)
    if layout.marker.exists():
        _remove(layout)
    elif root.exists() and any(root.iterdir()):
        msg = f"{root} is not empty and no directory of ours"
        raise ServerError(msg)


def _remove(layout: _Layout) -> None:
    for _ in range(KILL_ROUNDS):  # again, lest one forked between the listing and the kill
        for pid in _daemons(layout):
            _kill(pid, layout)
    shutil.rmtree(layout.root, ignore_errors=True)


def _daemons(layout: _Layout) -> list[int]:
    """Return the processes that were started with this very configuration file."""
    wanted = b"\0-c\0" + os.fsencode(layout.conf) + b"\0"
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if wanted in command:
            found.append(int(entry.name))
    return found


def _kill(pid: int, layout: _Layout) -> None:
    """Kill one of our daemons and wait for its end, safe against a reused number."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if pid in _daemons(layout):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            select.select([handle], [], [], 10)
    except ProcessLookupError:
        pass
    finally:
        os.close(handle)


def _read_endpoint(directory: Path) -> S3Endpoint | None:
    try:
        return S3Endpoint(**json.loads(_Layout(directory).endpoint.read_text()))
    except OSError:
        return None


def _describe(endpoint: S3Endpoint) -> str:
    exports = [f"export {name}={value}" for name, value in endpoint.environment().items()]
    return "\n".join([f"# Ceph S3 at {endpoint.url}", *exports]) + "\n"


def _running(directory: Path) -> S3Endpoint | None:
    alive = len(_daemons(_Layout(directory)))
    return _read_endpoint(directory) if alive == len(("mon", "osd", "rgw")) else None


def _start(directory: Path, port: int | None) -> int:
    endpoint = _running(directory)
    if endpoint is None:
        endpoint = CephGateway(directory, port=port, detached=True).start()
    sys.stdout.write(_describe(endpoint))
    return 0


def _status(directory: Path) -> int:
    endpoint = _running(directory)
    sys.stdout.write(_describe(endpoint) if endpoint else f"not running in {directory}\n")
    return 0 if endpoint else 1


def _stop(directory: Path) -> int:
    if directory.exists():
        _reclaim(directory)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.ceph", description=__doc__)
    parser.add_argument("action", choices=("start", "stop", "status"))
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--port", type=int, help="S3 port (default: a free one)")
    options = parser.parse_args(arguments)
    directory = options.directory.resolve()
    try:
        if options.action == "start":
            return _start(directory, options.port)
        return _stop(directory) if options.action == "stop" else _status(directory)
    except ServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
