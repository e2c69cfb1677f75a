"""Asking again: one rule for every request that a network or a busy service may lose.

`patiently` sends a request until it is answered: a request that gets no byte for `QUIET_SECONDS` counts as lost and is
sent again, after waits that double and are spread by chance; none is sent again once `GIVE_UP_SECONDS` have passed
since the first. What travels slowly is not lost: the limit of one attempt grows with its bytes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_before_delay,
    wait_exponential,
    wait_random_exponential,
)
from tenacity.stop import stop_base

from nwbzarr.stores.failures import is_transient, is_unreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_T = TypeVar("_T")

#: Seconds within which a connection must be made.
CONNECT_SECONDS: Final = 5.0

#: Seconds without a byte after which a request counts as lost, and is sent again.
QUIET_SECONDS: Final = 20.0

#: Seconds after its first attempt during which a request may be sent again.
GIVE_UP_SECONDS: Final = 120.0

#: Bytes per second below which a transfer of known size counts as lost; about a telephone line's two megabits.
SLOWEST: Final = 2**18

#: Seconds that one attempt of unknown size may take, however its bytes trickle.
LONGEST_SECONDS: Final = 600.0

#: Seconds of the first wait, and of the longest.
FIRST_WAIT_SECONDS: Final = 0.1
LONGEST_WAIT_SECONDS: Final = 10.0

#: Attempts to reach a server where nobody listens: an address that is wrong stays wrong.
UNREACHABLE_ATTEMPTS: Final = 4


async def patiently(attempt: Callable[[], Awaitable[_T]], nbytes: int | None = 0) -> _T:
    """Send a request until it is answered, or until it is no use.

    Parameters
    ----------
    attempt : callable
        Sends the request, anew each time that it is called; sending it twice must do no harm.
    nbytes : int or None
        Bytes that travel with it, either way; None when they are not known.

    Raises
    ------
    TimeoutError
        When no attempt was answered in time.
    Exception
        Whatever the last attempt raised; at once when it would be of no use to ask again (`is_transient`).
    """

    async def within_limit() -> _T:
        async with asyncio.timeout(attempt_seconds(nbytes)):
            return await attempt()

    return await _retrying()(within_limit)


def attempt_seconds(nbytes: int | None) -> float:
    """Return the seconds that one attempt may take.

    Parameters
    ----------
    nbytes : int or None
        Bytes that travel with it; None when they are not known.
    """
    return LONGEST_SECONDS if nbytes is None else CONNECT_SECONDS + QUIET_SECONDS + nbytes / SLOWEST


def _retrying() -> AsyncRetrying:
    """Return the rule: the constants are read here, so that tests may be in a hurry."""
    # Half of each wait is certain, so that waits grow; half is chance, so that clients do not come back all at once.
    half = FIRST_WAIT_SECONDS / 2, LONGEST_WAIT_SECONDS / 2
    wait = wait_exponential(half[0], max=half[1]) + wait_random_exponential(half[0], max=half[1])
    stop = stop_before_delay(GIVE_UP_SECONDS) | _NobodyListens()
    return AsyncRetrying(stop=stop, wait=wait, retry=retry_if_exception(is_transient), reraise=True)


class _NobodyListens(stop_base):
    """Stop sooner where there is no server at all."""

    def __call__(self, state: RetryCallState) -> bool:
        """Say whether to stop after this attempt."""
        error = state.outcome.exception() if state.outcome is not None else None
        return error is not None and state.attempt_number >= UNREACHABLE_ATTEMPTS and is_unreachable(error)
