"""Open stores, with the identity each is spoken to under.

`Connections` gives out one set of keys per place and set of storage options, so that links, sessions and writes share
network sessions, and decides by `TrustPolicy` what a link may reach. This room refuses to read documents.
"""

from __future__ import annotations

import atexit
import os
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nwbzarr.stores.keys import check_transport, close_keys, close_keys_later, open_keys
from nwbzarr.stores.metered import Meter, MeteredStore
from nwbzarr.stores.trust import Options, TrustPolicy
from nwbzarr.stores.url import StoreURL, parse_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarr.abc.store import Store

    from nwbzarr.stores.keys import Transport


@dataclass(frozen=True, slots=True)
class OpenStore:
    """The keys of one store and the options they were opened with."""

    url: StoreURL
    keys: Store = field(compare=False)
    options: Options = field(compare=False, repr=False)
    transport: Transport = field(default="fsspec", compare=False)


class Connections:
    """Open stores by place.

    Parameters
    ----------
    trust : mapping of str to mapping, optional
        URL prefix to storage options, for links that leave their origin.
    meter : Meter, optional
        Counts every request of every store.
    transport : {"fsspec", "obstore"}, optional
        What sends the requests; without it what the environment variable ``NWBZARR_TRANSPORT`` says, else fsspec.

    Raises
    ------
    StoreError
        When there is no such transport, or it is not installed.
    """

    def __init__(
        self,
        trust: Mapping[str, Options] | None = None,
        meter: Meter | None = None,
        transport: str | None = None,
    ) -> None:
        self.policy = TrustPolicy.parse(trust, Path.cwd().as_posix())
        self.meter = meter
        self.transport = check_transport(transport)
        self._open: dict[StoreURL, OpenStore] = {}
        # A manager that nobody closed closes its connections when it goes, or when the process ends.
        weakref.finalize(self, _close_later, self._open).atexit = False
        _LIVE.add(self)

    def open(self, url: StoreURL, options: Options | None = None) -> OpenStore:
        """Return the store at a place the caller named.

        Parameters
        ----------
        url : StoreURL
            Where it is.
        options : mapping, optional
            Storage options; without them those of a grant that covers it, or of a store of the same origin.
        """
        known = self._open.get(url)
        if known is not None and (options is None or options == known.options):
            return known
        chosen: Options
        chosen = dict(options) if options is not None else self.policy.options_for(url) or self._options_of_origin(url)
        store = OpenStore(url, self.metered(open_keys(url, chosen, self.transport)), chosen, self.transport)
        if known is not None:
            close_keys(known.keys)
        self._open[url] = store
        return store

    def follow(self, holder: OpenStore, source: str, target: StoreURL) -> OpenStore:
        """Return the store that a link leads to.

        Raises
        ------
        TrustError
            When the policy does not allow it; no request has been sent.
        """
        options = self.policy.check_link(holder.url, source, target, holder.options)
        if target.protocol in ("http", "https") and self.policy.options_for(target) is None:
            # A redirect would lead to an origin that nobody trusted.
            options = {**options, "allow_redirects": False}
        return self._open.get(target) or self.open(target, options)

    def adopt(self, store: OpenStore, keys: Store) -> OpenStore:
        """Return a store with other keys than those of its place, and give it to whoever opens the place from now on."""
        if getattr(keys, "fs", None) is not getattr(store.keys, "fs", None):
            close_keys(store.keys)
        adopted = self._open[store.url] = OpenStore(store.url, keys, store.options, store.transport)
        return adopted

    def metered(self, keys: Store) -> Store:
        """Return the keys, counted when there is a meter."""
        return keys if self.meter is None else MeteredStore(keys, self.meter)

    def close(self) -> None:
        """Close every network session; the next request opens another."""
        for store in self._open.values():
            close_keys(store.keys)

    def _options_of_origin(self, url: StoreURL) -> dict[str, Any]:
        """Return the options a store of the same origin was opened with."""
        return next((dict(store.options) for store in self._open.values() if store.url.origin == url.origin), {})


_LIVE: weakref.WeakSet[Connections] = weakref.WeakSet()


def _close_later(stores: dict[StoreURL, OpenStore]) -> None:
    for store in stores.values():
        close_keys_later(store.keys)


@atexit.register
def _close_all() -> None:
    for connections in list(_LIVE):
        connections.close()


def locate(place: str | os.PathLike[str]) -> StoreURL:
    """Return the URL of what a caller typed; local paths become absolute, with symbolic links resolved.

    Raises
    ------
    StoreURLError
        When it is no URL of a store.
    """
    url = parse_url(os.fspath(place), Path.cwd().as_posix())
    return StoreURL("file", "", Path(url.path or "/").resolve().as_posix().rstrip("/")) if url.is_local else url
