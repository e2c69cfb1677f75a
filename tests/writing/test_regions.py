"""Regions: every value is written once, and no two regions touch one stored object."""

from __future__ import annotations

import math
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbzarr.layout.planning import plan_layout
from nwbzarr.writing import plans
from nwbzarr.writing.plans import REGION_BYTES, plan_regions

LAW = settings(max_examples=150, deadline=None)

#: Size, and size of one object, along each dimension.
GRIDS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), min_size=1, max_size=3)


def parts(grid: list[tuple[int, int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the shape of an array and of its objects."""
    return tuple(size for size, _ in grid), tuple(step for _, step in grid)


@LAW
@given(GRIDS, st.sampled_from([1, 2, 8, 100]), st.sampled_from([1, 7, 50, 400, 10_000]))
def test_each_value_is_written_once_and_each_object_by_one_region(
    grid: list[tuple[int, int]], itemsize: int, region_bytes: int
) -> None:
    shape, objects = parts(grid)
    written = np.zeros(shape, int)
    touched = np.zeros([math.ceil(size / step) for size, step in grid], int)
    with mock.patch.object(plans, "REGION_BYTES", region_bytes):
        regions = list(plan_regions(shape, objects, itemsize))
    for region in regions:
        assert all(part.step is None and part.start < part.stop for part in region)
        written[region] += 1
        cells = zip(region, objects, strict=True)
        touched[tuple(slice(part.start // step, math.ceil(part.stop / step)) for part, step in cells)] += 1
        for part, size, step in zip(region, shape, objects, strict=True):
            assert part.start % step == 0
            assert part.stop % step == 0 or part.stop == size
    assert (written == 1).all()
    assert (touched == (1 if written.size else 0)).all()


@LAW
@given(GRIDS, st.sampled_from([1, 2, 8, 100]), st.sampled_from([1, 7, 50, 400, 10_000]))
def test_memory_is_bounded_by_some_regions_or_one_object(
    grid: list[tuple[int, int]], itemsize: int, region_bytes: int
) -> None:
    shape, objects = parts(grid)
    with mock.patch.object(plans, "REGION_BYTES", region_bytes):
        for region in plan_regions(shape, objects, itemsize):
            held = math.prod(part.stop - part.start for part in region) * itemsize
            assert held <= max(4 * region_bytes, math.prod(objects) * itemsize)


def test_regions_come_in_the_order_of_time() -> None:
    starts = [region[0].start for region in plan_regions((100, 4), (10, 2), 2**22)]
    assert starts == sorted(starts)


def test_an_empty_array_has_no_region() -> None:
    assert list(plan_regions((0,), (1,), 8)) == []
    assert list(plan_regions((5, 0), (1, 1), 8)) == []


def test_a_scalar_is_one_region() -> None:
    """Scalars of zarr, h5py and Dask are read while the write goes on."""
    assert list(plan_regions((), (), 8)) == [()]


def test_a_small_array_is_one_region() -> None:
    assert list(plan_regions((1000, 4), (100, 2), 8)) == [(slice(0, 1000), slice(0, 4))]


def test_small_objects_are_written_many_at_a_time() -> None:
    regions = list(plan_regions((10**6, 384), (1000, 96), 2))
    assert len(regions) <= math.ceil(10**6 * 384 * 2 / REGION_BYTES) + 1


@pytest.mark.parametrize("channels", [1, 64, 384, 5000])
def test_an_hour_of_recording_goes_through_bounded_memory(channels: int) -> None:
    shape = (30_000 * 3600, channels)
    objects = plan_layout(shape, np.dtype("int16")).objects
    regions = list(plan_regions(shape, objects, 2))
    sizes = [math.prod(part.stop - part.start for part in region) for region in regions]
    assert sum(sizes) == math.prod(shape)
    assert max(sizes) * 2 <= 4 * REGION_BYTES
    assert all(part.start % step == 0 for region in regions for part, step in zip(region, objects, strict=True))
