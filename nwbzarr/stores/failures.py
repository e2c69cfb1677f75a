"""What services, networks and disks raise: which of it passes, what it is called here.

`is_transient` decides what is worth asking again; `named_errors` turns what is left into errors of this package. This
room refuses to send anything.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from typing import TYPE_CHECKING

from nwbzarr.errors import NWBZarrError, StorageFullError, StoreAccessError, StoreError, StoreNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nwbzarr.stores.url import StoreURL

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)

#: HTTP answers that say: not now.
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})

#: The same in S3's words, for answers whose status is lost or says something else.
_BUSY_WORDS = frozenset(
    {"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "Throttling", "ThrottlingException",
     "TooManyRequests", "TooManyRequestsException", "RequestLimitExceeded", "XAmzContentSHA256Mismatch"}
)  # fmt: skip

_CONFLICT_WORDS = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})

#: Errors of network packages for connections that broke, and for those that could not be made.
_BROKEN = (
    ("botocore.exceptions", "HTTPClientError"),
    ("botocore.exceptions", "ConnectTimeoutError"),
    ("botocore.parsers", "ResponseParserError"),
    ("aiohttp", "ClientConnectionError"),
    ("aiohttp", "ClientPayloadError"),
    ("urllib3.exceptions", "IncompleteRead"),
    ("fsspec.exceptions", "FSTimeoutError"),
)
_UNREACHABLE = (("botocore.exceptions", "EndpointConnectionError"), ("aiohttp", "ClientConnectorError"))

#: Errors that no waiting mends, though they look like those above.
_HOPELESS = (("botocore.exceptions", "SSLError"), ("aiohttp", "ClientSSLError"))

#: Base errors of network packages; they are no OSError.
_FOREIGN = (
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("aiohttp", "ClientError"),
)


class ServiceError(OSError):
    """A service answered with an HTTP status that says no.

    Parameters
    ----------
    message : str
        What it said.
    status : int
        The HTTP status.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed later: a busy service, a broken connection, no answer in time."""
    causes = list(_causes(error))
    if any(isinstance(cause, _loaded(_HOPELESS)) for cause in causes):
        return False
    passing: tuple[type[BaseException], ...] = (TimeoutError, ConnectionError, *_loaded(_BROKEN))
    # aiohttp gives a body that was cut off a cause with the status 400, which no service has sent: these come first.
    if is_unreachable(error) or any(isinstance(cause, passing) for cause in causes):
        return True
    return any(status_of(cause) in _BUSY or _word_of(cause) in _BUSY_WORDS for cause in causes)


def is_unreachable(error: BaseException) -> bool:
    """Whether nobody listens there, or the name of the host is unknown: more often a mistake than a bad moment."""
    kinds: tuple[type[BaseException], ...] = (ConnectionRefusedError, socket.gaierror, *_loaded(_UNREACHABLE))
    return any(isinstance(cause, kinds) for cause in _causes(error))


def is_conflict(error: BaseException) -> bool:
    """Whether a request failed because its condition did not hold, whatever the service calls it."""
    return any(
        isinstance(cause, FileExistsError) or _word_of(cause) in _CONFLICT_WORDS or status_of(cause) == 412  # noqa: PLR2004 - HTTP
        for cause in _causes(error)
    )


def is_behind_the_end(error: BaseException) -> bool:
    """Whether a part of an object was asked for that begins where the object has ended."""
    return any(status_of(cause) == 416 or "not satisfiable" in str(cause) for cause in _causes(error))  # noqa: PLR2004 - HTTP


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an error of any network package carries, or None."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return status if isinstance(status, int) else None
    found = (getattr(error, name, None) for name in ("status", "status_code", "code"))
    return next((int(value) for value in found if isinstance(value, int | str) and str(value).isdecimal()), None)


def _word_of(error: BaseException) -> str:
    """Return what S3 calls the error, or nothing."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__


def _loaded(homes: tuple[tuple[str, str], ...]) -> tuple[type[BaseException], ...]:
    """Return the errors of some packages that are loaded; what is not loaded cannot have raised any."""
    found = (getattr(sys.modules.get(module), name, None) for module, name in homes)
    return tuple(error for error in found if isinstance(error, type))


@contextlib.contextmanager
def named_errors(url: StoreURL) -> Iterator[None]:
    """Turn what services and disks raise into errors of this package."""
    try:
        yield
    except (NWBZarrError, FileExistsError, FileNotFoundError):
        raise
    except PermissionError as error:
        raise access_error(error, url) from error
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise full_error(error, url) from error
        raise _service_error(error, url) from error
    except _loaded(_FOREIGN) as error:
        raise _service_error(error, url) from error


@contextlib.contextmanager
def named_absence(url: StoreURL) -> Iterator[None]:
    """Turn the absence of what a store is written into (a bucket) into an error of this package."""
    try:
        yield
    except FileNotFoundError as error:
        message = f"{url.origin} is not there, or may not be seen with these credentials: make the bucket first"
        raise StoreNotFoundError(message, url.text) from error


def _service_error(error: BaseException, url: StoreURL) -> StoreError:
    message = (
        f"{url.origin} did not answer as it must ({type(error).__name__}: {error}): check that it is reachable, "
        "then try again"
    )
    return StoreError(message, url.text)


def access_error(error: Exception, url: StoreURL) -> StoreAccessError:
    """Return the error that says the service refused."""
    message = (
        f"{url.origin} refused the request ({error}): check the credentials in storage_options or the "
        "environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY …) and their rights on this place"
    )
    return StoreAccessError(message, url.text)


def full_error(error: OSError, url: StoreURL) -> StorageFullError:
    """Return the error that says there is no room."""
    message = f"no space is left to write the store ({error.strerror or error}): free some, then write again"
    return StorageFullError(message, url.text)
