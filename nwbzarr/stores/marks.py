"""The mark that a write leaves while it is under way on object storage.

One object, created on condition, holds who is writing. It keeps a second writer out, tells readers of a store that
never got its root document that a write did not finish, and goes away with the commit. A writer that died is
recognised by its process (same machine) or by a mark that was not renewed for `LEASE_SECONDS` (any machine).

This room refuses I/O: marks are bytes here.
"""

from __future__ import annotations

import json
import os
import platform
import time
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path

#: A mark that was not renewed for this long belongs to a dead writer, in seconds.
LEASE_SECONDS = 600.0

#: A writer renews its mark when it is older than this, in seconds.
RENEWAL_SECONDS = 60.0

#: The year 9999, in seconds since the epoch.
_LAST_TIME = 253_402_300_800

#: Tokens of writes under way in this process.
ACTIVE: set[str] = set()


@dataclass(frozen=True, slots=True)
class WriteMark:
    """Who is writing a store.

    Attributes
    ----------
    token : str
        Unique to one write.
    machine : str
        Host name and boot, so that a process id means something.
    process : int
        Process id.
    started, renewed : float
        Seconds since the epoch by the writer's clock.
    abandoned : str or None
        Why the writer gave up, if it could say so.
    """

    token: str
    machine: str
    process: int
    started: float
    renewed: float
    abandoned: str | None = None

    @classmethod
    def fresh(cls) -> WriteMark:
        """Return the mark of a write that this process begins now."""
        now = time.time()
        return cls(uuid.uuid4().hex, _machine(), os.getpid(), now, now)

    def renew(self) -> WriteMark:
        """Return the mark with the present time."""
        return replace(self, renewed=time.time())

    def abandon(self, reason: str) -> WriteMark:
        """Return the mark of a write that gave up."""
        return replace(self, abandoned=reason[:500])

    def dump(self) -> bytes:
        """Return the stored form."""
        return json.dumps(asdict(self)).encode()

    @property
    def is_live(self) -> bool:
        """Whether the writer may still be at work."""
        if self.abandoned is not None:
            return False
        if self.machine == _machine() and self.process == os.getpid():
            return self.token in ACTIVE
        # A number may have gone to another process since: the lease counts on the same machine too.
        in_time = time.time() - self.renewed < LEASE_SECONDS
        return in_time and (self.machine != _machine() or _process_lives(self.process))

    def describe(self) -> str:
        """Say who writes, and since when."""
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.started))
        state = f"gave up: {self.abandoned}" if self.abandoned else "live" if self.is_live else "gone"
        return f"process {self.process} on {self.machine.split('/')[0]}, since {since}, {state}"


def parse_mark(data: bytes) -> WriteMark | None:
    """Return the mark that some bytes hold, or None when they hold none."""
    try:
        mark = WriteMark(**json.loads(data))
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (mark.token, mark.machine) if mark.abandoned is None else (mark.token, mark.machine, mark.abandoned)
    numbers_fit = isinstance(mark.process, int) and all(
        isinstance(time_, int | float) and 0 <= time_ < _LAST_TIME for time_ in (mark.started, mark.renewed)
    )
    return mark if numbers_fit and all(isinstance(text, str) for text in texts) else None


def _machine() -> str:
    """Return a name of this machine that changes when it boots again."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{platform.node()}/{boot.read_text().strip() if boot.exists() else ''}"


def _process_lives(process: int) -> bool:
    """Whether a process of this machine is there (another user's counts as there)."""
    if process <= 0:
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
