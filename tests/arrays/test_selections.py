"""Selections agree with NumPy, and arrays with other writers and readers of Zarr, whatever shape, layout and dtype."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec
from zarr.codecs.numcodecs import Delta, PCodec

from tests.arrays.stored import FOLDER, Foreign, assert_same, quiet, read, reading, values, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AnyArray = np.ndarray[Any, Any]

LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "float32", "float64")
DTYPES = ("bool", *INTEGERS, *FLOATS, "complex64", "complex128", "O")

#: What tensorstore reads.
OPEN_DTYPES = tuple(dtype for dtype in DTYPES if dtype != "O")
OPEN_CODECS = ("planned", "blosc-lz4", "gzip", "none")


def codecs_of(dtype: str) -> tuple[str, ...]:
    """Return the names of codecs that take a dtype."""
    pcodec = ("pcodec",) if dtype in (*INTEGERS[1:4], *INTEGERS[5:], *FLOATS) else ()
    delta = ("delta",) if dtype in INTEGERS else ()
    return ("planned", "blosc-lz4", "gzip", "none", *pcodec, *delta)


@dataclass(frozen=True)
class Case:
    """An array, and how it is stored."""

    array: AnyArray = field(repr=False)
    dtype: str
    shape: tuple[int, ...]
    wishes: dict[str, Any]


@st.composite
def grids(draw: st.DrawFn, shape: tuple[int, ...]) -> dict[str, Any]:
    """Chunks and shards of any size, larger than the array too."""
    chunks = tuple(draw(st.integers(1, size + 2)) for size in shape)
    counts = tuple(draw(st.integers(1, 3)) for _ in shape)
    shards = tuple(chunk * count for chunk, count in zip(chunks, counts, strict=True))
    return {"chunks": chunks, "shards": draw(st.sampled_from([None, shards]))}


SHAPES = npst.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=9)


@st.composite
def cases(draw: st.DrawFn, dtypes: tuple[str, ...] = DTYPES, codecs: tuple[str, ...] = ()) -> Case:
    """Arrays of any dtype, layout and codecs."""
    shape = draw(SHAPES)
    dtype = draw(st.sampled_from(dtypes))
    compressors = draw(st.sampled_from(codecs or codecs_of(dtype)))
    array = values(dtype, shape, draw(st.integers(0, 2**16)))
    return Case(array, dtype, shape, {**draw(grids(shape)), "compressors": compressors})


# Selections.


def masks(shape: tuple[int, ...]) -> st.SearchStrategy[AnyArray]:
    """Masks of a shape, with few or many places chosen."""
    return st.tuples(st.integers(0, 2**16), st.sampled_from([0.0, 0.1, 0.5, 1.0])).map(
        lambda drawn: np.random.default_rng(drawn[0]).random(shape) < drawn[1]
    )


def slices(size: int) -> st.SearchStrategy[slice]:
    """Slices with any bounds, within the axis or not, and steps of both signs."""
    bounds = st.none() | st.integers(-size - 2, size + 2)
    steps = st.none() | st.sampled_from([1, 2, 3, 7, -1, -2, -3, -7])
    return st.builds(slice, bounds, bounds, steps)


@st.composite
def mixtures(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """For each axis a slice, an index, a list of indices in any order and more than once, or a mask; one array at most."""
    chosen = draw(st.integers(0, len(shape) - 1))
    parts: list[Any] = [draw(slices(size) | st.integers(-size, size - 1)) for size in shape]
    size = shape[chosen]
    indices = st.lists(st.integers(-size, size - 1), max_size=6)
    parts[chosen] = draw(indices | indices.map(lambda some: np.array(some, "int64")) | masks((size,)))
    return tuple(parts[: draw(st.integers(chosen + 1, len(shape)))])


@st.composite
def fancies(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """Arrays of indices on several axes, broadcast against each other, with slices on others."""
    result = draw(st.sampled_from([(4,), (2, 3), (0,), (1,)]))
    parts: list[Any] = []
    for size in shape:
        indices = npst.arrays(
            "int64", draw(st.sampled_from([result, (1,), result[-1:]])), elements=st.integers(-size, size - 1)
        )
        parts.append(draw(indices | slices(size)))
    return tuple(parts)


def selections(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    """Everything that NumPy takes between brackets."""
    basic = npst.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True, max_dims=5)
    stepped = st.tuples(*map(slices, shape))
    rows = masks(shape[:1])
    return basic | stepped | mixtures(shape) | fancies(shape) | masks(shape) | rows


@dataclass
class Places:
    """Where the arrays of one test go: one after the other to the same place."""

    local: str
    memory: str

    def __iter__(self) -> Iterator[str]:
        return iter((self.local, self.memory))


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    made = Places(str(tmp_path / "x.nwb.zarr"), f"memory://{uuid.uuid4().hex}/x.nwb.zarr")
    yield made
    fs, root = fsspec.url_to_fs(made.memory)
    if fs.exists(root):
        fs.rm(root, recursive=True)


def check_selections(data: Any, array: AnyArray, draw: Any) -> None:
    """Check some selections of a lazy array against those of an array."""
    for selection in draw.draw(st.lists(selections(array.shape), min_size=1, max_size=8), label="selections"):
        wanted: Any = array[selection]
        found = data[selection]
        if isinstance(wanted, np.ndarray) and wanted.ndim:
            assert isinstance(found, np.ndarray), selection
        assert_same(found, wanted)


@LAW
@given(case=cases(), draw=st.data())
def test_selections_are_numpy_s(places: Places, case: Case, draw: Any) -> None:
    for place in places:
        write(place, case.array, **case.wishes)
        with reading(place) as data:
            assert (data.shape, data.chunks, data.shards) == (case.shape, case.wishes["chunks"], case.wishes["shards"])
            check_selections(data, case.array, draw)
            assert_same(data[...], case.array)


def test_a_single_value_is_a_scalar_or_an_array_as_it_is_with_numpy(places: Places) -> None:
    array = np.arange(100).reshape(20, 5)
    write(places.memory, array, chunks=(4, 2))
    with reading(places.memory) as data:
        for selection in ((3, 4), (..., 3, 4), (3, ..., 4), (np.array(3), 4), (3, [4])):
            assert type(data[selection]) is type(array[selection]), selection


@LAW
@given(shape=SHAPES, seed=st.integers(0, 99), draw=st.data())
def test_a_result_can_be_changed_and_the_next_is_as_before(
    places: Places, shape: tuple[int, ...], seed: int, draw: Any
) -> None:
    array = values("int32", shape, seed)
    wishes = draw.draw(grids(shape))
    write(places.memory, array, **wishes)
    with reading(places.memory) as data:
        for selection in draw.draw(st.lists(mixtures(shape) | st.tuples(*map(slices, shape)), min_size=1, max_size=4)):
            for _ in range(3):
                found = data[selection]
                assert_same(found, array[selection])
                if isinstance(found, np.ndarray):
                    found[...] = 0


@pytest.mark.parametrize(
    "selection",
    [20, -21, (0, 5), (0, 0, 0), ([0, 20],), (slice(None), [-6]), np.zeros(19, bool), np.zeros((20, 4), bool), "a", 1.5,
     ([0, 1], [0, 1, 2]), (..., ...)],
    ids=repr,
)  # fmt: skip
def test_what_numpy_refuses_is_refused(places: Places, selection: Any) -> None:
    array = np.arange(100).reshape(20, 5)
    write(places.memory, array, chunks=(4, 2))
    with pytest.raises(IndexError):
        array[selection]
    with reading(places.memory) as data, pytest.raises(IndexError):
        data[selection]


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)])
def test_arrays_without_values_keep_their_shape(places: Places, shape: tuple[int, ...]) -> None:
    for place in places:
        write(place, np.empty(shape, "int16"))
        with reading(place) as data:
            for selection in (..., slice(None), slice(None, None, -1), (slice(0), ...)):
                assert_same(data[selection], np.empty(shape, "int16")[selection])


# What we write, others read.


@LAW
@given(case=cases())
def test_zarr_reads_what_we_write(places: Places, case: Case) -> None:
    write(places.local, case.array, **case.wishes)
    with quiet():
        found = np.asarray(zarr.open_array(f"{places.local}/{FOLDER}", mode="r")[...])
    assert_same(found.astype(object) if case.dtype == "O" else found, case.array)


@LAW
@given(case=cases(OPEN_DTYPES, OPEN_CODECS))
def test_tensorstore_reads_what_we_write(places: Places, case: Case) -> None:
    tensorstore = pytest.importorskip("tensorstore")
    write(places.local, case.array, **case.wishes)
    store = {"driver": "file", "path": f"{places.local}/{FOLDER}/"}
    opened = tensorstore.open({"driver": "zarr3", "kvstore": store}, open=True).result()
    assert_same(opened.read().result(), case.array)


# What zarr-python writes, we read.

FILLS: dict[str, tuple[Any, ...]] = {
    "bool": (True, False),
    "int16": (0, -7),
    "uint64": (0, 2**64 - 1),
    "int64": (-(2**63), 5),
    "float32": (0.0, 1.5, float("nan"), float("inf"), -float("inf"), -0.0),
    "float64": (float("nan"), -1e300),
    "complex64": (0j, 1 - 2j, complex("nan")),
    "complex128": (complex(0, float("inf")), 3j),
    "O": ("", "none é"),
}

COMPRESSORS: dict[str, list[Any]] = {
    "none": [],
    "gzip": [GzipCodec(level=1)],
    "zstd": [ZstdCodec(level=1)],
    "zstd with checksum": [ZstdCodec(level=1, checksum=True)],
    "blosc": [BloscCodec(cname="lz4", shuffle="shuffle", typesize=4)],
    "crc32c": [Crc32cCodec()],
    "zstd, crc32c": [ZstdCodec(level=1), Crc32cCodec()],
    "crc32c, gzip": [Crc32cCodec(), GzipCodec(level=1)],
    "gzip, zstd": [GzipCodec(level=1), ZstdCodec(level=1)],
}


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Foreign:
    return Foreign(tmp_path_factory.mktemp("foreign") / "x.nwb.zarr")


def delta(dtype: str) -> Delta:
    """Return zarr's delta filter for a dtype."""
    stored = np.dtype(dtype).newbyteorder("<").str
    with quiet():
        return Delta(dtype=stored, astype=stored)


def pcodec() -> PCodec:
    """Return zarr's pcodec."""
    with quiet():
        return PCodec(level=2)


@st.composite
def zarr_wishes(draw: st.DrawFn, shape: tuple[int, ...], dtype: str) -> dict[str, Any]:
    """How zarr-python may be asked to store an array."""
    grid = draw(grids(shape))
    wishes: dict[str, Any] = {
        "chunks": grid["chunks"],
        "fill_value": draw(st.sampled_from(FILLS[dtype])),
        "compressors": COMPRESSORS[draw(st.sampled_from(sorted(COMPRESSORS)))],
        "chunk_key_encoding": draw(
            st.sampled_from([{"name": name, "separator": mark} for name in ("default", "v2") for mark in "./"])
        ),
    }
    if grid["shards"] is not None:
        wishes["shards"] = {"shape": grid["shards"], "index_location": draw(st.sampled_from(["start", "end"]))}
    if dtype == "O":
        return wishes
    wishes["serializer"] = BytesCodec(endian=draw(st.sampled_from(["little", "big"])))
    if dtype in ("int16", "int64", "uint64") and draw(st.booleans()):
        # zarr 3.1 itself does not get back what it wrote through this filter in big endian.
        wishes["filters"], wishes["serializer"] = [delta(dtype)], BytesCodec(endian="little")
    elif dtype in ("int16", "int64", "uint64", "float32", "float64") and draw(st.booleans()):
        wishes["serializer"], wishes["compressors"] = pcodec(), []
    elif draw(st.booleans()):
        wishes["filters"] = [TransposeCodec(order=tuple(draw(st.permutations(range(len(shape))))))]
    return wishes


@LAW
@given(dtype=st.sampled_from(sorted(FILLS)), shape=SHAPES, seed=st.integers(0, 2**16), draw=st.data())
def test_we_read_what_zarr_writes(foreign: Foreign, dtype: str, shape: tuple[int, ...], seed: int, draw: Any) -> None:
    wishes = draw.draw(zarr_wishes(shape, dtype), label="wishes")
    box = draw.draw(st.tuples(*(st.builds(slice, st.integers(0, n), st.integers(0, n)) for n in shape)), label="box")
    whole = draw.draw(st.booleans(), label="whole")
    wanted = np.full(shape, wishes["fill_value"], np.dtype(dtype))
    part = (slice(None),) * len(shape) if whole else box
    wanted[part] = values(dtype, shape, seed)[part]
    made = foreign.make(shape, "str" if dtype == "O" else dtype, **wishes)
    with quiet():
        if math.prod(wanted[part].shape):
            made[part] = wanted[part].astype(np.dtypes.StringDType()) if dtype == "O" else wanted[part]
        # What zarr itself makes of it, so that only we can be wrong: it takes -0.0 for a fill value of 0.0.
        stored = np.asarray(made[...])
    assert np.array_equal(stored, wanted, equal_nan=dtype.startswith(("f", "c")))
    wanted = wanted if dtype == "O" else stored
    assert_same(read(foreign.folder), wanted)
    with foreign.in_memory() as url, reading(url) as data:
        check_selections(data, wanted, draw)
        assert_same(data[...], wanted)


@pytest.mark.parametrize("location", ["start", "end"])
@pytest.mark.parametrize("dtype", sorted(FILLS))
def test_shards_and_chunks_that_are_not_there_hold_the_fill_value(foreign: Foreign, dtype: str, location: str) -> None:
    fill = FILLS[dtype][-1]
    shards = {"shape": (4, 4), "index_location": location}
    made = foreign.make((10, 6), "str" if dtype == "O" else dtype, chunks=(2, 2), shards=shards, fill_value=fill)
    wanted = np.full((10, 6), fill, np.dtype(dtype))
    some = values(dtype, (2, 2), 1)
    wanted[4:6, :2] = some
    with quiet():
        made[4:6, :2] = some.astype(np.dtypes.StringDType()) if dtype == "O" else some
    assert len([path for path in (foreign.folder / FOLDER).rglob("*") if path.is_file()]) == 2
    with foreign.in_memory() as url:
        for place in (str(foreign.folder), url):
            assert_same(read(place), wanted)
            with reading(place) as data:
                assert_same(data[9, 5], fill if dtype == "O" else np.dtype(dtype).type(fill))
                assert_same(data[::-3, [5, 0]], wanted[::-3, [5, 0]])


@pytest.mark.parametrize("compressors", COMPRESSORS)
@pytest.mark.parametrize("location", ["start", "end"])
def test_an_index_codec_of_its_own_is_understood(foreign: Foreign, location: str, compressors: str) -> None:
    """Without a checksum on the index, or with bytes the other way round, zarr-python must do the work."""
    array = values("int16", (10, 6), 3)
    codecs: list[Any] = [BytesCodec(endian="big"), *COMPRESSORS[compressors]]
    sharding = ShardingCodec(
        chunk_shape=(2, 2),
        codecs=codecs,
        index_codecs=[BytesCodec(endian="big")],
        index_location=location,
    )
    made = foreign.make((10, 6), "int16", chunks=(4, 4), serializer=sharding, compressors=None, filters=None)
    made[...] = array
    with foreign.in_memory() as url:
        for place in (str(foreign.folder), url):
            assert_same(read(place), array)
