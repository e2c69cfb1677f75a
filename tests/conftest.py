"""Fixtures that every test may ask for."""

from __future__ import annotations

from hypothesis import settings

# Timed tests fail on busy machines: figures are in benchmarks.
settings.register_profile("nwbzarr", deadline=None)
settings.load_profile("nwbzarr")

pytest_plugins = ["tests.servers.fixtures"]
