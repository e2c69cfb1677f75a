"""`Manager`: open sessions, their connections, and the trust given to links, shared by whoever has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nwbzarr.arrays.blocks import BlockCache
from nwbzarr.foreign.opening import open_tree
from nwbzarr.reading.sessions import Session
from nwbzarr.stores.connections import Connections, OpenStore
from nwbzarr.tree.loading import find_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nwbzarr.stores.metered import Meter
    from nwbzarr.stores.trust import Options
    from nwbzarr.stores.url import StoreURL
    from nwbzarr.tree.tree import Tree


class Manager:
    """Open sessions, their connections, and the trust given to links.

    Passing it on (``NWBZarrIO(…, manager=io.manager)``) shares all three, and with them the identity of containers.

    Parameters
    ----------
    trust : mapping of str to mapping, optional
        URL prefix to storage options, for links that leave their origin:
        ``{"s3://other-lab/": {"anon": True}}``.
    meter : Meter, optional
        Counts every request.
    blocks : BlockCache, optional
        Keeps what is read of arrays; one of its own with the usual limits when None.
    transport : {"fsspec", "obstore"}, optional
        What sends the requests; the environment variable ``NWBZARR_TRANSPORT`` says it otherwise.
    """

    def __init__(
        self,
        trust: Mapping[str, Options] | None = None,
        meter: Meter | None = None,
        blocks: BlockCache | None = None,
        transport: str | None = None,
    ) -> None:
        self.connections = Connections(trust, meter, transport)
        self.blocks = blocks or BlockCache()
        self._sessions: dict[StoreURL, Session] = {}

    def open(self, url: StoreURL, options: Options | None = None) -> Session:
        """Return the session at a place the caller named, as it is stored now.

        Parameters
        ----------
        url : StoreURL
            Where it is.
        options : mapping, optional
            fsspec's storage options.

        Raises
        ------
        StoreError, DocumentError
            When no session can be opened there.
        """
        return self._session_of(*open_tree(self.connections, self.connections.open(url, options)))

    def open_if_there(self, url: StoreURL, options: Options | None = None) -> Session | None:
        """Return the session at a place, or None when there is no root document; why not is not asked then."""
        store = self.connections.open(url, options)
        tree = find_tree(store)
        return None if tree is None else self._session_of(store, tree)

    def _session_of(self, store: OpenStore, tree: Tree) -> Session:
        """Return the session that is open already, or a new one when the store was changed since."""
        known = self._sessions.get(store.url)
        if known is not None and known.tree.root == tree.root and known.store is store:
            return known
        session = self._sessions[store.url] = Session(self, store, tree)
        return session

    def follow(self, holder: OpenStore, source: str, target: StoreURL) -> Session:
        """Return the session that a link leads to; trust is checked before anything is requested.

        Raises
        ------
        TrustError
            When the link leaves its origin and no trust was given.
        """
        store = self.connections.follow(holder, source, target)
        known = self._sessions.get(target)
        if known is not None and known.store is store:
            return known
        session = self._sessions[target] = Session(self, *open_tree(self.connections, store))
        return session

    def known(self, url: StoreURL) -> Session | None:
        """Return the session of a store when it is open."""
        return self._sessions.get(url)

    def stores_behind(self, urls: Iterable[StoreURL]) -> set[StoreURL]:
        """Return some stores and all that their links lead to, as far as they are open; nothing is requested."""
        found: set[StoreURL] = set()
        waiting = list(urls)
        while waiting:
            url = waiting.pop()
            session = self._sessions.get(url)
            if url not in found and session is not None:
                waiting += session.link_targets()
            found.add(url)
        return found

    def forget(self, url: StoreURL) -> None:
        """Drop the session of a store that was written anew."""
        self._sessions.pop(url, None)

    def close(self) -> None:
        """Close all network connections; what reads on connects anew."""
        self.connections.close()

    def __repr__(self) -> str:
        return f"<Manager of {len(self._sessions)} open sessions>"
