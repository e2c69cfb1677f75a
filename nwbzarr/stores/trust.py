"""Which links may be followed, and with whose credentials: pure policy, decided before any request.

* A link to the origin (protocol with bucket or host) of the store that holds it is followed with that store's
  storage options. A full ``file://`` URL is no such link: the whole disk is one origin.
* Anything else needs a prefix in the caller's `trust`, and gets the options given there and no others.
* Stored links may only use the protocols in `LINK_PROTOCOLS`, whatever the trust.

This room refuses to guess: what no rule allows is an error that says what to pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nwbzarr.errors import StoreURLError, TrustError
from nwbzarr.stores.url import StoreURL, parse_url

Options = Mapping[str, Any]

#: Protocols that a stored link may name.
LINK_PROTOCOLS = frozenset({"file", "memory", "s3", "gs", "az", "abfs", "abfss", "http", "https"})


@dataclass(frozen=True, slots=True)
class Grant:
    """Storage options given for everything at and below one place."""

    prefix: StoreURL
    options: Options


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """The caller's grants; the longest prefix that fits decides.

    Attributes
    ----------
    grants : tuple of Grant
        From ``trust={"s3://other-lab/": {"anon": True}}``.
    """

    grants: tuple[Grant, ...] = ()

    @classmethod
    def parse(cls, trust: Mapping[str, Options] | None, working_folder: str = "/") -> TrustPolicy:
        """Return the policy of a mapping of URL prefix to storage options.

        Raises
        ------
        StoreURLError
            When it is no such mapping, or a prefix is no URL.
        """
        if not isinstance(trust, Mapping | None):
            message = f"trust must map URL prefixes to storage options, but {type(trust).__name__} came"
            raise StoreURLError(message)
        for prefix, options in (trust or {}).items():
            if not isinstance(options, Mapping):
                message = f"trust[{prefix!r}] must be a mapping of storage options, but {type(options).__name__} came"
                raise StoreURLError(message)
        grants = (Grant(parse_url(prefix, working_folder), dict(options)) for prefix, options in (trust or {}).items())
        return cls(tuple(sorted(grants, key=lambda grant: -len(grant.prefix.path))))

    def options_for(self, target: StoreURL) -> Options | None:
        """Return the options granted for `target`, or None when no grant covers it."""
        return next((grant.options for grant in self.grants if target.is_within(grant.prefix)), None)

    def check_link(self, holder: StoreURL, source: str, target: StoreURL, holder_options: Options) -> Options:
        """Return the storage options with which a link may be followed.

        Parameters
        ----------
        holder : StoreURL
            The store that holds the link.
        source : str
            The link's source as stored.
        target : StoreURL
            The store that the source names.
        holder_options : mapping
            Storage options of `holder`.

        Raises
        ------
        TrustError
            When no rule allows it. No request has been sent then.
        """
        if target.protocol not in LINK_PROTOCOLS and target.origin != holder.origin:
            message = (
                f"a stored link may lead to {', '.join(sorted(LINK_PROTOCOLS))}, but {source!r} asks for "
                f"{target.protocol!r}: open that store yourself if you want it"
            )
            raise TrustError(message, str(holder))
        granted = self.options_for(target)
        if granted is not None:
            return granted
        spelled_out = "://" in source
        if target.origin == holder.origin and not (spelled_out and target.protocol == "file"):
            return holder_options
        message = (
            f"the link source {source!r} leads to {target.origin}, another origin than {holder.origin}: nothing was "
            f"requested; if you trust it, open with trust={{'{target.parent}': {{…storage options…}}}}"
        )
        raise TrustError(message, str(holder))
