"""Fixtures that every test may ask for."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# Timed tests fail on busy machines: figures are in benchmarks.
settings.register_profile("nwbzarr", deadline=None)
settings.load_profile("nwbzarr")

pytest_plugins = ["tests.servers.fixtures"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes ``-n auto`` makes: many tests wait for servers and for other processes."""
    return 2 * (os.cpu_count() or 1)
