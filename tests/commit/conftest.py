"""Places for the stores of these tests."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING
from unittest import mock

import botocore.session
import pytest

from nwbzarr.writing import execution, plans
from tests.commit.sessions import Store
from tests.places import KINDS, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def service_descriptions_are_read_once() -> Iterator[None]:
    """Spare two thirds of what each new client of S3 costs; these tests make hundreds."""
    with mock.patch.object(botocore.session, "create_loader", functools.cache(botocore.session.create_loader)):
        yield


@pytest.fixture(autouse=True)
def regions_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the size of regions back: threads that patch it at once may leave it patched."""
    for room in (execution, plans):
        monkeypatch.setattr(room, "REGION_BYTES", plans.REGION_BYTES)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return the place of a store, with nothing there, of every kind."""
    with place_of(request.param, request, tmp_path) as place:
        yield Store.at(place)


@pytest.fixture
def memory_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return the place of a store in memory, with nothing there."""
    with place_of("memory", request, tmp_path) as place:
        yield Store.at(place)


@pytest.fixture
def local_store(tmp_path: Path) -> Store:
    """Return the place of a store on the disk, with nothing there."""
    return Store(str(tmp_path / "folder" / "session.nwb.zarr"))


@pytest.fixture
def s3_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return the place of a store on S3, with nothing there."""
    with place_of("s3", request, tmp_path) as place:
        yield Store.at(place)
