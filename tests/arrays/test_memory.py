"""Streaming writes stay within their memory: the resident set of a child process, at its peak, over what it was before."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from nwbzarr import NWBZarrIO
from tests.arrays.stored import SERIES_PATH, reading, series_session, write
from tests.commit.deaths import CONTEXT, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

AnyArray = np.ndarray[Any, Any]

MIB = 2**20

#: Channels, rows of one block of about 8 MB, and blocks of about 1 GB.
CHANNELS, BLOCK_ROWS, BLOCKS = 128, 32_768, 128

BUDGET = 128 * MIB
ALLOWANCE = 400 * MIB


def block(number: int) -> AnyArray:
    """Return a block that compresses as recordings do, by about two."""
    random = np.random.default_rng(number)
    return random.integers(-90, 90, (BLOCK_ROWS, CHANNELS), dtype="int16")


def blocks() -> Iterator[AnyArray]:
    return map(block, range(BLOCKS))


def rows() -> Iterator[AnyArray]:
    """Yield single rows, as some acquisition software does."""
    for number in range(BLOCKS // 32):
        yield from (row[None] for row in block(number))


def peak() -> int:
    """Return the largest resident set that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def write_in_child(make: Callable[[str], Any], folder: str, budget: int, pipe: Connection) -> None:
    """In a child: write a small session to have everything loaded, then the large one; tell by how much memory grew."""
    write(f"{folder}/small.nwb.zarr", np.zeros((100, 3)), chunks=(10, 3))
    data = make(folder)
    before = peak()
    with NWBZarrIO(f"{folder}/large.nwb.zarr", "w") as io:
        io.write(series_session(data), max_memory=budget, progress=False)
    pipe.send(peak() - before)


def growth(make: Callable[[str], Any], folder: Path, budget: int = BUDGET) -> int:
    """Write what something makes, in a process of its own; return by how much its memory grew at most."""
    ours, theirs = CONTEXT.Pipe()
    child = CONTEXT.Process(target=write_in_child, args=(make, str(folder), budget, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        assert ours.poll(280), "the child process hangs"
        return int(ours.recv())
    finally:
        child.join(PATIENCE)
        child.kill()
        ours.close()


def of_blocks(_: str) -> Any:
    return blocks()


def of_rows(_: str) -> Any:
    return rows()


def of_h5py(folder: str) -> Any:
    import h5py

    return h5py.File(f"{folder}/x.h5", "r")["x"]


def of_memory(_: str) -> Any:
    """Return half of it, which the process holds before it writes."""
    whole = np.empty((BLOCK_ROWS * BLOCKS // 2, CHANNELS), "int16")
    for number in range(BLOCKS // 2):
        whole[number * BLOCK_ROWS : (number + 1) * BLOCK_ROWS] = block(number)
    return whole


@pytest.fixture
def hdf5(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        made = file.create_dataset(
            "x", (BLOCK_ROWS * BLOCKS, CHANNELS), "int16", chunks=(BLOCK_ROWS // 8, CHANNELS), compression="lzf"
        )
        for number, values in enumerate(blocks()):
            made[number * BLOCK_ROWS : (number + 1) * BLOCK_ROWS] = values


def check_values(folder: Path, count: int = BLOCKS) -> None:
    with reading(folder / "large.nwb.zarr", path=SERIES_PATH) as data:
        assert data.shape == (BLOCK_ROWS * count, CHANNELS)
        for number in (0, count // 2, count - 1):
            assert np.array_equal(data[number * BLOCK_ROWS : (number + 1) * BLOCK_ROWS], block(number))


@pytest.mark.slow
def test_a_gigabyte_of_blocks(tmp_path: Path) -> None:
    taken = growth(of_blocks, tmp_path)
    assert taken < ALLOWANCE, f"{taken // MIB} MiB"
    check_values(tmp_path)


@pytest.mark.slow
def test_single_rows(tmp_path: Path) -> None:
    taken = growth(of_rows, tmp_path)
    assert taken < ALLOWANCE, f"{taken // MIB} MiB"
    check_values(tmp_path, BLOCKS // 32)


@pytest.mark.slow
@pytest.mark.usefixtures("hdf5")
def test_a_gigabyte_of_hdf5(tmp_path: Path) -> None:
    taken = growth(of_h5py, tmp_path)
    assert taken < ALLOWANCE, f"{taken // MIB} MiB"
    check_values(tmp_path)


@pytest.mark.slow
def test_an_array_in_memory_is_not_copied_whole(tmp_path: Path) -> None:
    # What makes it knows no peak of its own, so all that is added is seen.
    taken = growth(of_memory, tmp_path)
    assert taken < ALLOWANCE, f"{taken // MIB} MiB"
    check_values(tmp_path, BLOCKS // 2)


@pytest.mark.slow
def test_a_budget_of_nothing_takes_one_object_at_a_time(tmp_path: Path) -> None:
    taken = growth(of_blocks, tmp_path, 0)
    assert taken < ALLOWANCE, f"{taken // MIB} MiB"
