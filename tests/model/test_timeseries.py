"""`TimeSeries` and the data it takes: every dtype, shape and source comes back as it went in."""

from __future__ import annotations

import itertools
import json
import math
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

import nwbzarr
from nwbzarr import LazyArray, NWBFile, NWBZarrIO, ScratchData, TimeSeries, ZarrDataIO
from nwbzarr.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_PLACES = itertools.count()

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
FLOATS = ["float16", "float32", "float64"]
COMPLEX = ["complex64", "complex128"]
DTYPES = [*INTEGERS, *FLOATS, *COMPLEX, "bool"]


def session(*series: TimeSeries) -> NWBFile:
    start = datetime(2024, 2, 29, 12, tzinfo=UTC)
    return NWBFile(session_description="d", identifier="i", session_start_time=start, acquisition=list(series))


def stored(place: Path, *series: TimeSeries, scratch: Any = None) -> NWBFile:
    made = session(*series)
    if scratch is not None:
        made.add_scratch(scratch, "many", "of any shape")
    with NWBZarrIO(place, "w") as io:
        io.write(made)
    return nwbzarr.open(place)


@pytest.fixture
def through_store(tmp_path: Path) -> Callable[[TimeSeries], TimeSeries]:
    """Return what writes a series and reads it back with nothing in memory shared."""

    def go(series: TimeSeries) -> TimeSeries:
        found = stored(tmp_path / f"{next(_PLACES)}.nwb.zarr", series).acquisition[series.name]
        assert isinstance(found, TimeSeries)
        return found

    return go


def special(dtype: str, count: int = 24) -> NDArray[Any]:
    """Values that a careless conversion would change."""
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        facts = np.iinfo(kind)
        edges = [facts.min, facts.max, 0, 1, facts.max - 1]
        return np.array(list(itertools.islice(itertools.cycle(edges), count)), dtype=kind)
    if kind.kind == "b":
        return np.resize([True, False, False], count)
    real = np.finfo(kind)
    reals: list[float] = [np.nan, np.inf, -np.inf, -0.0, 0.0, real.tiny, real.max, real.min, 1 / 3]
    parts = np.array(list(itertools.islice(itertools.cycle(reals), count)))
    if kind.kind == "f":
        return parts.astype(kind)
    made = np.empty(count, kind)
    made.real, made.imag = parts, parts[::-1]
    return made


def same_bits(found: Any, expected: NDArray[Any]) -> None:
    array = np.asarray(found)
    native = expected.astype(expected.dtype.newbyteorder("="))
    assert array.dtype == native.dtype
    assert array.shape == native.shape
    assert array.tobytes() == native.tobytes()


# Fields.


def test_every_field_comes_back(through_store: Callable[[TimeSeries], TimeSeries]) -> None:
    series = TimeSeries(
        name="everything",
        data=np.arange(8, dtype="int16").reshape(4, 2),
        unit="volts",
        resolution=0.25,
        conversion=1.953125e-3,
        offset=-0.5,
        timestamps=[0.0, 0.5, 1.0, 2.5],
        comments="no comment at all — № 1",
        description="what it is 🐭",
        control=[0, 1, 255, 1],
        control_description=["off", "on", "unknown"],
        continuity="continuous",
    )
    found = through_store(series)
    for each in (series, found):
        assert each.unit == "volts"
        assert (each.resolution, each.conversion, each.offset) == (0.25, 1.953125e-3, -0.5)
        assert each.comments == "no comment at all — № 1"
        assert each.description == "what it is 🐭"
        assert each.control_description == ("off", "on", "unknown")
        assert each.continuity == "continuous"
        assert each.rate is None
        assert each.starting_time is None
        assert each.num_samples == 4
    same_bits(found.data, np.arange(8, dtype="int16").reshape(4, 2))
    same_bits(found.timestamps, np.array([0.0, 0.5, 1.0, 2.5]))
    same_bits(found.control, np.array([0, 1, 255, 1], "uint8"))
    assert found.object_id == series.object_id
    assert found.name == "everything"


def test_defaults_are_those_of_nwb(through_store: Callable[[TimeSeries], TimeSeries]) -> None:
    found = through_store(TimeSeries("ts", data=np.arange(3), unit="s", rate=1.0))
    assert (found.resolution, found.conversion, found.offset) == (-1.0, 1.0, 0.0)
    assert (found.comments, found.description) == ("no comments", "no description")
    assert found.starting_time == 0.0
    assert found.rate == 1.0
    assert found.timestamps is None
    assert found.control is None
    assert found.control_description is None
    assert found.continuity is None


@pytest.mark.parametrize("rate", [30_000.0, 1e-3, 29_999.954_846, 1250, np.float32(0.1), np.int64(7)])
def test_starting_time_and_rate_keep_every_digit(
    through_store: Callable[[TimeSeries], TimeSeries], rate: float
) -> None:
    found = through_store(TimeSeries("ts", data=np.arange(3), unit="s", rate=rate, starting_time=1 / 3))
    assert found.rate == rate
    assert found.starting_time == 1 / 3
    assert isinstance(found.rate, float)


def test_times_have_the_unit_and_interval_that_nwb_asks_for(tmp_path: Path) -> None:
    stamped = TimeSeries("stamped", data=np.arange(3), unit="V", timestamps=[0.0, 1.0, 2.0])
    stored(tmp_path / "s", stamped, TimeSeries("rated", data=np.arange(3), unit="V", rate=2.0))
    nodes = json.loads((tmp_path / "s" / "zarr.json").read_text())["consolidated_metadata"]["metadata"]
    stamps = nodes["acquisition/stamped/timestamps"]["attributes"]
    assert (stamps["unit"], stamps["interval"]) == ("seconds", 1)
    start = nodes["acquisition/rated/starting_time"]
    assert start["shape"] == []
    assert (start["attributes"]["unit"], start["attributes"]["rate"]) == ("seconds", 2.0)
    data = nodes["acquisition/rated/data"]["attributes"]
    assert (data["unit"], data["conversion"], data["offset"], data["resolution"]) == ("V", 1.0, 0.0, -1.0)


@pytest.mark.parametrize("name", ["conversion", "offset", "resolution"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32(1e-7), 5e-324, -0.0, 1e300])
def test_number_attributes_come_back_as_the_same_float(
    tmp_path: Path, through_store: Callable[[TimeSeries], TimeSeries], name: str, value: float
) -> None:
    fields: dict[str, Any] = {name: value}
    found = getattr(through_store(TimeSeries("ts", data=np.arange(3), unit="s", rate=1.0, **fields)), name)
    assert np.float64(found).tobytes() == np.float64(value).tobytes() or (math.isnan(found) and math.isnan(value))
    assert isinstance(found, float)

    def refuse(word: str) -> None:
        raise AssertionError(word)

    for document in tmp_path.rglob("zarr.json"):
        json.loads(document.read_text("utf-8"), parse_constant=refuse)


@pytest.mark.parametrize(
    "value",
    [
        *(np.dtype(dtype).type(200 if dtype != "int8" else 100) for dtype in INTEGERS),
        np.uint64(2**64 - 1),
        np.int64(-(2**63)),
        np.float32(0.1),
        np.float16(0.5),
        np.array([1, 2, 255], "uint8"),
        np.array([[1.5, math.nan], [math.inf, -math.inf]], "float32"),
        np.array([True, False]),
        np.array([], "uint16"),
        np.zeros((0, 3), "float32"),
    ],
    ids=lambda value: f"{value.dtype}-{value.shape}",
)
def test_attributes_keep_their_dtype(tmp_path: Path, value: Any) -> None:
    series = TimeSeries("ts", data=np.arange(3), unit="s", rate=1.0)
    series.set_attribute("extra", value)
    series.find("data").set_attribute("extra", value)  # type: ignore[union-attr]
    found = stored(tmp_path / "s", series).acquisition["ts"]
    for each in (found, found.find("data")):
        read = each.attributes["extra"]  # type: ignore[union-attr]
        if value.shape or value.dtype.name not in ("int64", "float64"):
            assert read.dtype == value.dtype
        assert np.shape(read) == value.shape
        assert np.array_equal(read, value, equal_nan=value.dtype.kind == "f")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "NaN",
        "Infinity",
        "naïve 🐭",
        True,
        0,
        2**53 + 1,
        -1.5,
        [1, 2, 3],
        ["a", "NaN"],
        [],
        [1.5, math.inf],
        {"a": [1, {"b": "c"}]},
        [[1.0, math.nan], [2.0, 3.0]],
        {"a": math.nan},
        [math.nan, "NaN"],
        [1.5, "x", math.inf],
    ],
    ids=repr,
)
def test_python_attributes_come_back_equal(tmp_path: Path, value: Any) -> None:
    series = TimeSeries("ts", data=np.arange(3), unit="s", rate=1.0)
    series.set_attribute("extra", value)
    read = stored(tmp_path / "s", series).acquisition["ts"].attributes["extra"]
    assert _plain(read) == _plain(value)


def _plain(value: Any) -> Any:
    """Return a value that compares: NaN equals itself, and is no text."""
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return ("float", "nan") if isinstance(value, float) and math.isnan(value) else (type(value).__name__, value)


# Dtypes and shapes.


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(24,), (24, 1), (4, 6), (2, 3, 4), (1, 2, 3, 4), (24, 0), (0,), (0, 5)])
def test_every_dtype_in_every_shape(
    through_store: Callable[[TimeSeries], TimeSeries], dtype: str, shape: tuple[int, ...]
) -> None:
    data = special(dtype).reshape(shape) if math.prod(shape) else np.empty(shape, dtype)
    found = through_store(TimeSeries("ts", data=data, unit="V", rate=1.0))
    assert isinstance(found.data, LazyArray)
    assert found.data.shape == shape
    assert found.data.dtype == data.dtype
    assert len(found.data) == shape[0]
    same_bits(found.data, data)
    same_bits(found.data[:], data)
    same_bits(found.data[...], data)


@pytest.mark.parametrize("dtype", DTYPES)
def test_big_endian_data_keeps_its_values(through_store: Callable[[TimeSeries], TimeSeries], dtype: str) -> None:
    data = special(dtype).astype(np.dtype(dtype).newbyteorder(">"))
    same_bits(through_store(TimeSeries("ts", data=data, unit="V", rate=1.0)).data, data)


@pytest.mark.parametrize("order", ["fortran", "strided", "reversed", "read-only", "masked-free view"])
def test_memory_layout_does_not_matter(through_store: Callable[[TimeSeries], TimeSeries], order: str) -> None:
    base = np.arange(240, dtype="int32").reshape(20, 12)
    data = {
        "fortran": np.asfortranarray(base),
        "strided": base[::3, 1::2],
        "reversed": base[::-1, ::-1],
        "read-only": np.broadcast_to(base[0], (7, 12)),
        "masked-free view": base.T,
    }[order]
    same_bits(through_store(TimeSeries("ts", data=data, unit="V", rate=1.0)).data, np.ascontiguousarray(data))


def test_later_changes_of_the_array_do_not_matter_after_writing(tmp_path: Path) -> None:
    data = np.arange(10)
    found = stored(tmp_path / "s", TimeSeries("ts", data=data, unit="V", rate=1.0)).acquisition["ts"]
    data[:] = -1
    assert np.array_equal(found.data, np.arange(10))


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([1, 2, 3], "int64"),
        ((1.5, 2.5), "float64"),
        ([[1, 2], [3, 4]], "int64"),
        ([True, False], "bool"),
        ([1 + 2j], "complex128"),
        ([np.float32(1), np.float32(2)], "float32"),
        ([np.arange(3, dtype="int16")], "int16"),
    ],
)
def test_lists(through_store: Callable[[TimeSeries], TimeSeries], data: Any, dtype: str) -> None:
    same_bits(through_store(TimeSeries("ts", data=data, unit="V", rate=1.0)).data, np.array(data, dtype))


@pytest.mark.parametrize(
    "texts",
    [
        ["a", "", "naïve", "🐭" * 50],
        ("x", "y"),
        np.array(["a", "bcd"]),
        np.array(["a", "bcd"], dtype=object),
        np.array([b"a", "é".encode()]),
        np.array([["a", "b"], ["c", "d"]]),
        np.array(["a", "bcd"], dtype=np.dtypes.StringDType()),
        ["trailing\x00", "a\nb", " "],
        [f"row {index}" for index in range(3000)],
    ],
    ids=["list", "tuple", "U", "object", "bytes", "2d", "StringDType", "odd", "many"],
)
def test_texts(through_store: Callable[[TimeSeries], TimeSeries], texts: Any) -> None:
    found = through_store(TimeSeries("ts", data=texts, unit="n/a", rate=1.0)).data
    flat = [item.decode() if isinstance(item, bytes) else str(item) for item in np.asarray(texts, object).flat]
    read = np.asarray(found)
    assert [str(item) for item in read.flat] == flat
    assert all(isinstance(item, str) for item in read.flat)
    assert read.shape == np.shape(texts)
    assert str(found[0] if read.ndim == 1 else found[0, 0]) == flat[0]


COMPOUND = np.dtype([("start", "i4"), ("value", "f8"), ("flag", "?"), ("label", "U12"), ("z", "c8")])


def compound_rows(count: int = 5) -> NDArray[Any]:
    return np.array([(i, i / 3, i % 2 == 0, f"№ {i}", complex(i, -i)) for i in range(count)], dtype=COMPOUND)


def test_structured_arrays(through_store: Callable[[TimeSeries], TimeSeries]) -> None:
    rows = compound_rows()
    found = through_store(TimeSeries("ts", data=rows, unit="n/a", rate=1.0)).data
    assert found.dtype == COMPOUND
    read = found[:]
    assert read.dtype == COMPOUND
    for name in COMPOUND.names or ():
        assert np.array_equal(read[name], rows[name]), name
    assert found[2]["label"] == "№ 2"
    assert np.array_equal(found[1:3]["value"], rows["value"][1:3])


def test_big_endian_structured_arrays(through_store: Callable[[TimeSeries], TimeSeries]) -> None:
    rows = np.array([(1, 2.5), (-3, 4.0)], dtype=[("a", ">i4"), ("b", ">f8")])
    read = through_store(TimeSeries("ts", data=rows, unit="n/a", rate=1.0)).data[:]
    assert read["a"].tolist() == [1, -3]
    assert read["b"].tolist() == [2.5, 4.0]


def test_structured_array_of_many_chunks(tmp_path: Path) -> None:
    rows = compound_rows(1000)
    series = TimeSeries("ts", data=ZarrDataIO(rows, chunks=(64,)), unit="n/a", rate=1.0)
    found = stored(tmp_path / "s", series).acquisition["ts"].data
    read = found[:]
    for name in COMPOUND.names or ():
        assert np.array_equal(read[name], rows[name]), name


@pytest.mark.parametrize(
    "value",
    [np.float32(1.5), np.uint8(7), np.bool_(True), np.array(3, "int16"), np.complex64(1 + 2j), 0, 0.0, False, ""],
    ids=repr,
)
def test_scalars_are_zero_dimensional_arrays_and_always_written(tmp_path: Path, value: Any) -> None:
    nwb = session()
    nwb.add_scratch(ScratchData("value", value, notes="n"))
    with NWBZarrIO(tmp_path / "s", "w") as io:
        io.write(nwb)
    read = nwbzarr.open(tmp_path / "s").get_scratch("value")
    assert read == value
    assert np.shape(read) == ()
    if not isinstance(value, str):
        assert np.asarray(read).dtype == np.asarray(value).dtype
    chunks = [path for path in (tmp_path / "s" / "scratch" / "value").iterdir() if path.name != "zarr.json"]
    assert len(chunks) == 1


# Sources of data.


def numbers(rows: int = 1000, columns: int = 4) -> NDArray[Any]:
    return np.arange(rows * columns, dtype="int32").reshape(rows, columns)


def test_h5py_datasets(tmp_path: Path, through_store: Callable[[TimeSeries], TimeSeries]) -> None:
    with h5py.File(tmp_path / "source.h5", "w") as file:
        data = file.create_dataset("data", data=numbers(), chunks=(100, 2), compression="gzip")
        stamps = file.create_dataset("stamps", data=np.linspace(0, 1, 1000))
        found = through_store(TimeSeries("ts", data=data, unit="V", timestamps=stamps))
    same_bits(found.data, numbers())
    same_bits(found.timestamps, np.linspace(0, 1, 1000))


def test_h5py_texts(tmp_path: Path, through_store: Callable[[TimeSeries], TimeSeries]) -> None:
    with h5py.File(tmp_path / "source.h5", "w") as file:
        data = file.create_dataset("texts", data=["a", "naïve 🐭", ""], dtype=h5py.string_dtype())
        found = through_store(TimeSeries("ts", data=data, unit="V", rate=1.0))
    assert [str(item) for item in found.data[:]] == ["a", "naïve 🐭", ""]


def test_h5py_compounds(tmp_path: Path, through_store: Callable[[TimeSeries], TimeSeries]) -> None:
    rows = np.array([(1, 0.5), (2, 1.5)], dtype=[("a", "i4"), ("b", "f8")])
    with h5py.File(tmp_path / "source.h5", "w") as file:
        data = file.create_dataset("rows", data=rows)
        found = through_store(TimeSeries("ts", data=data, unit="V", rate=1.0))
    assert np.array_equal(found.data[:], rows)


@pytest.mark.parametrize("shards", [None, (400, 4)])
def test_zarr_arrays(
    tmp_path: Path, through_store: Callable[[TimeSeries], TimeSeries], shards: tuple[int, ...] | None
) -> None:
    array = zarr.create_array(tmp_path / "source", data=numbers(), chunks=(100, 2), shards=shards)
    same_bits(through_store(TimeSeries("ts", data=array, unit="V", rate=1.0)).data, numbers())


def test_zarr_v2_big_endian_array(tmp_path: Path, through_store: Callable[[TimeSeries], TimeSeries]) -> None:
    array = zarr.create_array(tmp_path / "source", data=numbers().astype(">i4"), zarr_format=2)
    same_bits(through_store(TimeSeries("ts", data=array, unit="V", rate=1.0)).data, numbers())


@pytest.mark.parametrize("chunks", [(1000, 4), (128, 3), (1, 4), (999, 1)])
def test_dask_arrays_of_any_chunks(through_store: Callable[[TimeSeries], TimeSeries], chunks: tuple[int, ...]) -> None:
    import dask.array

    lazy = dask.array.from_array(numbers(), chunks=chunks) * 2
    same_bits(through_store(TimeSeries("ts", data=lazy, unit="V", rate=1.0)).data, numbers() * 2)


def test_dask_array_into_shards_that_do_not_fit_its_chunks(through_store: Callable[[TimeSeries], TimeSeries]) -> None:
    import dask.array

    lazy = dask.array.from_array(numbers(), chunks=(77, 3)) + 1
    wishes = ZarrDataIO(lazy, chunks=(50, 2), shards=(200, 4))
    found = through_store(TimeSeries("ts", data=wishes, unit="V", rate=1.0)).data
    assert (found.chunks, found.shards) == ((50, 2), (200, 4))
    same_bits(found, numbers() + 1)


def test_lazy_array_as_dask_and_back(through_store: Callable[[TimeSeries], TimeSeries]) -> None:
    series = TimeSeries("ts", data=ZarrDataIO(numbers(), chunks=(100, 2), shards=(400, 4)), unit="V", rate=1.0)
    lazy = through_store(series).data.to_dask()
    assert lazy.shape == (1000, 4)
    assert lazy.chunksize == (400, 4)
    same_bits(through_store(TimeSeries("twice", data=lazy * 2, unit="V", rate=1.0)).data, numbers() * 2)


BLOCKS: dict[str, Callable[[], list[NDArray[Any]]]] = {
    "one": lambda: [np.arange(10)],
    "small": lambda: [np.arange(3), np.arange(5), np.arange(1)],
    "with empty ones": lambda: [np.arange(3), np.empty(0, int), np.arange(2)],
    "only empty": lambda: [np.empty((0, 3))],
    "2d": lambda: [np.full((n, 3), n, "float32") for n in (1, 7, 2)],
    "over 4 MB": lambda: [np.full((100_003, 3), index, "int32") for index in range(8)],
    "one of 5 MB": lambda: [np.arange(1_250_001, dtype="int32")],
    "rows": lambda: [np.full((1, 4), index) for index in range(500)],
}


@pytest.mark.parametrize("kind", BLOCKS)
def test_iterators_of_blocks(through_store: Callable[[TimeSeries], TimeSeries], kind: str) -> None:
    blocks = BLOCKS[kind]()
    found = through_store(TimeSeries("ts", data=iter(blocks), unit="V", rate=1.0))
    same_bits(found.data, np.concatenate(blocks))
    assert found.num_samples == sum(map(len, blocks))


def test_iterators_of_blocks_take_wishes(through_store: Callable[[TimeSeries], TimeSeries]) -> None:
    blocks = [np.full((700, 3), index, "int16") for index in range(2000)]
    wishes = ZarrDataIO(iter(blocks), chunks=(10_000, 3), shards=(50_000, 3), compressors=[GzipCodec(level=1)])
    found = through_store(TimeSeries("ts", data=wishes, unit="V", rate=1.0)).data
    assert (found.chunks, found.shards) == ((10_000, 3), (50_000, 3))
    same_bits(found, np.concatenate(blocks))


def test_generator_is_read_once_and_in_order(through_store: Callable[[TimeSeries], TimeSeries]) -> None:
    asked: list[int] = []

    def blocks() -> Iterator[NDArray[Any]]:
        for index in range(30):
            asked.append(index)
            yield np.full(50_000, index, "float64")

    found = through_store(TimeSeries("ts", data=blocks(), unit="V", rate=1.0))
    assert asked == list(range(30))
    same_bits(found.data, np.repeat(np.arange(30.0), 50_000))


def test_timestamps_may_be_an_iterator_of_blocks(through_store: Callable[[TimeSeries], TimeSeries]) -> None:
    found = through_store(
        TimeSeries("ts", data=np.arange(6), unit="V", timestamps=iter([np.arange(4.0), np.arange(4.0, 6.0)]))
    )
    same_bits(found.timestamps, np.arange(6.0))


def test_integer_timestamps_become_seconds_as_floats(through_store: Callable[[TimeSeries], TimeSeries]) -> None:
    found = through_store(TimeSeries("ts", data=np.arange(3), unit="V", timestamps=np.array([0, 1, 2])))
    same_bits(found.timestamps, np.array([0.0, 1.0, 2.0]))


# Layouts.


def test_wishes_are_followed(tmp_path: Path) -> None:
    wishes = {
        "chunked": ZarrDataIO(numbers(), chunks=(100, 2)),
        "sharded": ZarrDataIO(numbers(), chunks=(100, 2), shards=(400, 4)),
        "gzip": ZarrDataIO(numbers(), chunks=(500, 4), compressors=[GzipCodec(level=2)]),
        "zstd": ZarrDataIO(numbers(), compressors=[ZstdCodec(level=3)]),
        "blosc": ZarrDataIO(numbers(), compressors=[BloscCodec(cname="lz4", clevel=5)]),
        "json": ZarrDataIO(numbers(), compressors=[{"name": "zstd", "configuration": {"level": 1, "checksum": True}}]),
        "plain": ZarrDataIO(numbers(), compressors=[]),
        "longer than the data": ZarrDataIO(numbers(), chunks=(5000, 4)),
    }
    series = [TimeSeries(name, data=data, unit="V", rate=1.0) for name, data in wishes.items()]
    nwb = stored(tmp_path / "s", *series)
    for name, asked in wishes.items():
        found = nwb.acquisition[name].data
        if asked.chunks is not None:
            assert found.chunks == asked.chunks
        assert found.shards == asked.shards
        same_bits(found, numbers())
        same_bits(found[95:605:7, 1:3], numbers()[95:605:7, 1:3])
    names = {name: nwb.acquisition[name].data.compression for name in wishes}
    assert "gzip" in names["gzip"]
    assert "zstd" in names["zstd"]
    assert "blosc" in names["blosc"]
    assert names["plain"] == "bytes"


@pytest.mark.parametrize("shards", [None, (400, 4)])
def test_plain_zarr_python_reads_the_arrays(tmp_path: Path, shards: tuple[int, ...] | None) -> None:
    wishes = ZarrDataIO(numbers(), chunks=(100, 2), shards=shards)
    stored(tmp_path / "s", TimeSeries("ts", data=wishes, unit="V", timestamps=np.arange(1000.0)))
    for consolidated in (True, False):
        group = zarr.open_group(tmp_path / "s", mode="r", use_consolidated=consolidated)
        array = group["acquisition/ts/data"]
        assert isinstance(array, zarr.Array)
        assert (array.chunks, array.shards) == ((100, 2), shards)
        same_bits(array[:], numbers())
        same_bits(group["acquisition/ts/timestamps"][:], np.arange(1000.0))  # type: ignore[index]
        assert dict(array.attrs)["unit"] == "V"


def test_dimension_names_are_there_for_xarray_and_for_hdmf_zarr(tmp_path: Path) -> None:
    stored(tmp_path / "s", TimeSeries("ts", data=numbers(), unit="V", timestamps=np.arange(1000.0), control=[0] * 1000))
    group = zarr.open_group(tmp_path / "s", mode="r")["acquisition/ts"]
    assert isinstance(group, zarr.Group)
    for name, ndim in (("data", 2), ("timestamps", 1), ("control", 1)):
        array = group[name]
        assert isinstance(array, zarr.Array)
        dimensions = array.metadata.to_dict()["dimension_names"]
        assert len(dimensions) == ndim  # type: ignore[arg-type]
        assert dimensions[0] == "num_times"  # type: ignore[index]
        assert list(array.attrs["_ARRAY_DIMENSIONS"]) == list(dimensions)  # type: ignore[arg-type]
        assert len(set(dimensions)) == ndim  # type: ignore[arg-type]


def test_dtype_words_are_those_of_the_convention(tmp_path: Path) -> None:
    series = [TimeSeries(dtype, data=special(dtype), unit="V", rate=1.0) for dtype in DTYPES]
    stored(tmp_path / "s", *series, TimeSeries("text", data=["a"], unit="V", rate=1.0))
    group = zarr.open_group(tmp_path / "s", mode="r")
    for dtype in DTYPES:
        assert group[f"acquisition/{dtype}/data"].attrs["_DTYPE"] == dtype
    assert group["acquisition/text/data"].attrs["_DTYPE"] == "str"


def test_five_dimensions_are_more_than_the_schema_allows() -> None:
    data = np.arange(32).reshape(2, 2, 2, 2, 2)
    with pytest.raises(SchemaError, match=r"TimeSeries.data must have the dimensions .*num_DIM4"):
        TimeSeries("ts", data=data, unit="V", rate=1.0)


def test_five_dimensions_or_more_have_different_dimension_names_where_no_schema_names_them(tmp_path: Path) -> None:
    data = np.arange(32).reshape(2, 2, 2, 2, 2)
    found = stored(tmp_path / "s", TimeSeries("ts", data=[1], unit="V", rate=1.0), scratch=data).scratch["many"]
    same_bits(found.data, data)
    array = zarr.open_group(tmp_path / "s", mode="r")["scratch/many"]
    assert isinstance(array, zarr.Array)
    names = array.metadata.to_dict()["dimension_names"]
    assert len(set(names)) == 5  # type: ignore[arg-type]


# Reading parts.

SELECTIONS: dict[str, Any] = {
    "int": 3,
    "negative int": -1,
    "slice": slice(10, 20),
    "step": slice(1, 900, 13),
    "backwards": slice(None, None, -1),
    "backwards from": slice(700, 100, -7),
    "nothing": slice(5, 5),
    "beyond": slice(990, 2000),
    "row and column": (5, 2),
    "column": (slice(None), 1),
    "columns backwards": (slice(0, 10), slice(None, None, -1)),
    "ellipsis": (..., 2),
    "ellipsis backwards": (..., slice(None, None, -2)),
    "numpy int": np.int64(4),
    "empty tuple": (),
    "last rows": slice(-5, None),
    "list": [1, 5, 7],
    "unsorted list": [7, 1, 5],
    "list with repeats": [1, 1, 5],
    "array": np.array([3, 500, 999]),
    "mask": np.arange(1000) % 100 == 0,
    "list and column": ([1, 5], 2),
    "list and slice": ([1, 5], slice(0, 2)),
    "int and backwards": (3, slice(None, None, -1)),
    "new axis": (slice(0, 3), None),
}


@pytest.mark.parametrize("layout", ["one chunk", "chunks", "shards"])
@pytest.mark.parametrize("selection", SELECTIONS)
def test_selections_are_those_of_numpy(tmp_path: Path, layout: str, selection: str) -> None:
    wishes = {
        "one chunk": ZarrDataIO(numbers()),
        "chunks": ZarrDataIO(numbers(), chunks=(100, 2)),
        "shards": ZarrDataIO(numbers(), chunks=(100, 2), shards=(400, 4)),
    }[layout]
    found = stored(tmp_path / "s", TimeSeries("ts", data=wishes, unit="V", rate=1.0)).acquisition["ts"].data
    read, expected = found[SELECTIONS[selection]], numbers()[SELECTIONS[selection]]
    assert np.shape(read) == np.shape(expected)
    assert np.array_equal(read, expected)


@pytest.mark.parametrize("layout", ["one chunk", "chunks"])
@pytest.mark.parametrize("selection", [1000, -1001, (0, 4), (0, 0, 0)], ids=repr)
def test_selections_out_of_bounds_are_index_errors(tmp_path: Path, layout: str, selection: Any) -> None:
    wishes = ZarrDataIO(numbers(), chunks=None if layout == "one chunk" else (100, 2))
    found = stored(tmp_path / "s", TimeSeries("ts", data=wishes, unit="V", rate=1.0)).acquisition["ts"].data
    with pytest.raises(IndexError):
        found[selection]


def test_what_is_read_can_be_changed_without_changing_the_session(tmp_path: Path) -> None:
    found = stored(tmp_path / "s", TimeSeries("ts", data=np.arange(5), unit="V", rate=1.0)).acquisition["ts"].data
    first = found[:]
    first[0] = 99
    assert found[0] == 0
    again = np.asarray(found)
    assert again[0] == 0


def test_lazy_arrays_work_in_numpy(tmp_path: Path) -> None:
    data = np.linspace(-1, 1, 50)
    lazy = stored(tmp_path / "s", TimeSeries("ts", data=data, unit="V", rate=1.0)).acquisition["ts"].data
    assert np.mean(lazy) == data.mean()
    assert np.array_equal(np.fft.rfft(lazy), np.fft.rfft(data))
    assert np.array_equal(np.add(lazy, 1), data + 1)
    assert np.array_equal(np.asarray(lazy, dtype="float32"), data.astype("float32"))
    assert [float(value) for value in lazy] == data.tolist()
    assert (lazy.size, lazy.ndim, lazy.nbytes) == (50, 1, 400)
    assert "50" in repr(lazy)
    assert np.array_equal(np.array(lazy, copy=True), data)
    assert max(lazy) == 1.0


# Properties.

_DATA = st.one_of(
    npst.arrays(
        dtype=st.sampled_from([np.dtype(name) for name in DTYPES]),
        shape=npst.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5),
    ),
    npst.arrays(
        dtype=st.sampled_from([np.dtype(name).newbyteorder(">") for name in DTYPES]),
        shape=npst.array_shapes(min_dims=1, max_dims=2, max_side=9),
    ),
)
_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=_DATA, unit=_TEXT, comments=_TEXT, conversion=st.floats(), stamped=st.booleans())
def test_any_series_comes_back_as_it_went_in(
    tmp_path: Path,
    data: NDArray[Any],
    unit: str,
    comments: str,
    conversion: float,
    stamped: bool,
) -> None:
    place = tmp_path / "any.nwb.zarr"
    times: dict[str, Any] = {"timestamps": np.arange(float(len(data)))} if stamped else {"rate": 10.0}
    series = TimeSeries("ts", data=data, unit=unit, comments=comments, conversion=conversion, **times)
    found = stored(place, series).acquisition["ts"]
    same_bits(found.data, data)
    assert (found.unit, found.comments) == (unit, comments)
    assert np.array_equal(found.conversion, conversion, equal_nan=True)
    assert (found.timestamps is not None) == stamped
    shutil.rmtree(place)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(_TEXT, max_size=12))
def test_any_texts_come_back_as_they_went_in(tmp_path: Path, texts: list[str]) -> None:
    place = tmp_path / "any.nwb.zarr"
    series = TimeSeries("ts", data=np.array(texts, dtype=object), unit="n/a", rate=1.0)
    found = stored(place, series).acquisition["ts"].data
    assert [str(item) for item in found[:]] == texts
    shutil.rmtree(place)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 5),
    chunks=st.tuples(st.integers(1, 9), st.integers(1, 3)),
    factors=st.none() | st.tuples(st.integers(1, 4), st.integers(1, 3)),
)
def test_any_layout_gives_the_same_values(
    tmp_path: Path, rows: int, columns: int, chunks: tuple[int, int], factors: tuple[int, int] | None
) -> None:
    place = tmp_path / "any.nwb.zarr"
    shards = None if factors is None else (chunks[0] * factors[0], chunks[1] * factors[1])
    wishes = ZarrDataIO(numbers(rows, columns), chunks=chunks, shards=shards)
    found = stored(place, TimeSeries("ts", data=wishes, unit="V", rate=1.0)).acquisition["ts"].data
    same_bits(found, numbers(rows, columns))
    same_bits(zarr.open_group(place, mode="r")["acquisition/ts/data"][:], numbers(rows, columns))  # type: ignore[index]
    shutil.rmtree(place)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=st.lists(st.integers(0, 30), min_size=1, max_size=8), chunk=st.integers(1, 17))
def test_blocks_of_any_length_give_their_concatenation(tmp_path: Path, lengths: list[int], chunk: int) -> None:
    place = tmp_path / "any.nwb.zarr"
    blocks = [np.full((length, 2), index, "int16") for index, length in enumerate(lengths)]
    series = TimeSeries("ts", data=ZarrDataIO(iter(blocks), chunks=(chunk, 2)), unit="V", rate=1.0)
    same_bits(stored(place, series).acquisition["ts"].data, np.concatenate(blocks))
    shutil.rmtree(place)
