"""fsspec's storage options in obstore's words: translated, or refused by name; none is taken and ignored."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nwbzarr.errors import StoreError
from nwbzarr.stores import patience

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nwbzarr.stores.trust import Options
    from nwbzarr.stores.url import StoreURL

#: How often obstore itself asks again, unless the options say otherwise: `patiently` does, and two layers of waiting
#: would start from the shortest wait again and again.
_RETRIES = 0

#: How long credentials from a profile or role are used before the session is asked for them again.
_CREDENTIALS_SECONDS = 600

#: Seconds that any one request may take, however its bytes trickle: what is sized is limited by `patiently`.
_TOTAL_SECONDS = 86400.0

#: What `s3_additional_kwargs` may say, by obstore's name for it.
_ENCRYPTION = {
    "ServerSideEncryption": "server_side_encryption",
    "SSEKMSKeyId": "sse_kms_key_id",
    "BucketKeyEnabled": "sse_bucket_key_enabled",
}


@dataclass
class _Reader:
    """Options that are taken out one by one; what is left at the end has no counterpart."""

    left: dict[str, Any]
    url: StoreURL
    inner: dict[str, _Reader] = field(default_factory=dict)

    def take(self, *names: str, default: Any = None) -> Any:
        """Return the first of some options that is given, and take them all out."""
        found = [value for name in names if (value := self.left.pop(name, None)) is not None]
        return found[0] if found else default

    def mapping(self, name: str) -> _Reader:
        """Return the options inside an option."""
        value = self.left.pop(name, None) or {}
        self.inner[name] = _Reader(dict(value), self.url)
        return self.inner[name]

    def finish(self, path: str = "") -> None:
        """Raise when an option is left that says anything."""
        for name, reader in self.inner.items():
            reader.finish(f"{path}{name}.")
        unknown = [f"{path}{name}" for name, value in self.left.items() if value not in (None, False)]
        if unknown:
            message = (
                f"storage_options has {', '.join(map(repr, unknown))}, which obstore has no counterpart for: "
                "leave it out, or open with transport='fsspec'"
            )
            raise StoreError(message, self.url.text)


def s3_settings(url: StoreURL, options: Options) -> dict[str, Any]:
    """Return what `obstore.store.S3Store` takes, from s3fs's storage options and the environment.

    Parameters
    ----------
    url : StoreURL
        A place on S3.
    options : mapping
        s3fs's options for it.

    Raises
    ------
    StoreError
        When an option has no counterpart.
    """
    given = _Reader(dict(options), url)
    client, config, extra = (given.mapping(name) for name in ("client_kwargs", "config_kwargs", "s3_additional_kwargs"))
    session = _session(given.take("profile"))
    settings: dict[str, Any] = {
        "region": client.take("region_name") or config.take("region_name") or _configured_region(session),
        "endpoint": given.take("endpoint_url") or client.take("endpoint_url") or _configured_endpoint(session),
        "request_payer": given.take("requester_pays"),
        **{ours: extra.take(theirs) for theirs, ours in _ENCRYPTION.items()},
        **_identity(given, client, session),
    }
    settings["virtual_hosted_style_request"] = _addressing(config, settings["endpoint"])
    _check_encrypted(given, client, settings["endpoint"])
    settings["client_options"] = _client_options(client, config, settings["endpoint"])
    settings["retry_config"] = _retry_config(config)
    given.finish()
    return {name: value for name, value in settings.items() if value is not None}


def http_settings(url: StoreURL) -> dict[str, Any]:
    """Return what `obstore.store.HTTPStore` takes for a web server."""
    nothing = _Reader({}, url)
    return {"client_options": _client_options(nothing, nothing, str(url)), "retry_config": _retry_config(nothing)}


def _identity(given: _Reader, client: _Reader, session: Any) -> dict[str, Any]:
    """Return the credentials that the options give, or where to find them."""
    key = given.take("key", "username") or client.take("aws_access_key_id")
    secret = given.take("secret", "password") or client.take("aws_secret_access_key")
    token = given.take("token") or client.take("aws_session_token")
    if given.take("anon"):
        return {"skip_signature": True}
    if key is not None and secret is not None:
        return {"access_key_id": key, "secret_access_key": secret, "session_token": token, "skip_signature": False}
    return {"credential_provider": _SessionCredentials(session), "skip_signature": False}


def _addressing(config: _Reader, endpoint: str | None) -> bool | None:
    """Return whether the bucket stands in the host's name."""
    style = config.mapping("s3").take("addressing_style")
    if style == "virtual" and endpoint is not None:
        message = "addressing_style='virtual' at an endpoint of its own has no counterpart in obstore: use 'path'"
        raise StoreError(message, config.url.text)
    return True if style == "virtual" else None


def _check_encrypted(given: _Reader, client: _Reader, endpoint: str | None) -> None:
    """Raise when TLS is declined, but the address does not say so."""
    declined = client.left.pop("use_ssl", given.left.pop("use_ssl", True)) is False
    if declined and not (endpoint or "").startswith("http://"):
        message = "use_ssl=False needs an endpoint_url that begins with http:// when transport='obstore'"
        raise StoreError(message, given.url.text)


def _client_options(client: _Reader, config: _Reader, endpoint: str | None) -> dict[str, Any]:
    """Return obstore's options of the HTTP client."""
    verify = client.left.pop("verify", None)
    connect = config.take("connect_timeout", default=patience.CONNECT_SECONDS)
    quiet = config.take("read_timeout", default=patience.QUIET_SECONDS)
    made = {
        "allow_http": (endpoint or "").startswith("http://"),
        "connect_timeout": timedelta(seconds=connect),
        "read_timeout": timedelta(seconds=quiet),
        # obstore's own limit, 30 s for everything, would cut off what is large.
        "timeout": timedelta(seconds=_TOTAL_SECONDS),
        "user_agent": config.take("user_agent"),
        "allow_invalid_certificates": True if verify is False else None,
        "root_certificate": Path(verify).read_bytes() if isinstance(verify, str | os.PathLike) else None,
    }
    return {name: value for name, value in made.items() if value is not None}


def _retry_config(config: _Reader) -> dict[str, Any]:
    """Return how often obstore asks again, and after how long."""
    retries = config.mapping("retries")
    # There is one way of waiting, exponential and by chance, as botocore's two plain modes have it.
    if retries.left.get("mode") in ("standard", "legacy"):
        retries.take("mode")
    total = retries.take("total_max_attempts")
    return {
        "max_retries": max(total - 1, 0) if total is not None else retries.take("max_attempts", default=_RETRIES),
        "retry_timeout": timedelta(seconds=patience.GIVE_UP_SECONDS),
        "backoff": {
            "init_backoff": timedelta(seconds=patience.FIRST_WAIT_SECONDS),
            "max_backoff": timedelta(seconds=patience.LONGEST_WAIT_SECONDS),
            "base": 2,
        },
    }


def _session(profile: str | None) -> Any:
    """Return botocore's session: it finds profiles, roles and the environment as s3fs does."""
    from botocore.session import Session

    return Session(profile=profile)


def _configured_region(session: Any) -> str | None:
    region: str | None = session.get_config_variable("region") or os.environ.get("AWS_REGION")
    return region


def _configured_endpoint(session: Any) -> str | None:
    from botocore.exceptions import ProfileNotFound

    try:
        profile: Mapping[str, Any] = session.get_scoped_config()
    except ProfileNotFound as error:
        message = f"{error}: check the option 'profile' and AWS_PROFILE"
        raise StoreError(message) from error
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    return next((os.environ[name] for name in names if os.environ.get(name)), profile.get("endpoint_url"))


class _SessionCredentials:
    """Credentials as botocore finds them, for obstore; asked for when the first request is signed."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __call__(self) -> dict[str, Any]:
        """Return what is valid now."""
        found = self._session.get_credentials()
        if found is None:
            # As a PermissionError it is named like a refusal.
            message = "no credentials were found in the environment, the profiles or the machine's role"
            raise PermissionError(message)
        frozen = found.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            # botocore renews them long before they expire, when it is asked often enough.
            "expires_at": datetime.now(UTC) + timedelta(seconds=_CREDENTIALS_SECONDS),
        }
