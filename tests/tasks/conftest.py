"""The cluster that tests of tasks share: one for each process of pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.tasks.clusters import PATIENCE, open_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    with open_cluster() as found:
        yield found


@pytest.fixture
def client(cluster: Any) -> Any:
    """Return the client of a cluster of two workers: those that were killed are there again."""
    cluster.wait_for_workers(2, timeout=PATIENCE)
    return cluster
