"""An HDF5 file with everything that NWB files have in them, and two ways to look at one: whole, and compared."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STAMP = "2026-11-25T12:00:00+00:00"
GENERATOR = np.random.default_rng(6)
CELLS = GENERATOR.integers(-2000, 2000, (6001, 5)).astype(np.int16)


def make_session(path: Path, **options: Any) -> Path:
    """Write a session that holds nothing but what it must."""
    with h5py.File(path, "w", **options) as file:
        _root(file)
    return path


def make_kitchen(path: Path, **options: Any) -> Path:
    """Write a session with every kind of dataset, attribute, link and reference."""
    make_other(path.with_name("other.nwb"))
    with h5py.File(path, "w", **options) as file:
        _root(file)
        series = file.create_group("acquisition/series")
        series.attrs.update(
            namespace="core", neurodata_type="TimeSeries", object_id=str(uuid.uuid4()), comments="", description="cells"
        )
        data = series.create_dataset("data", data=CELLS, chunks=(500, 2), compression="gzip", shuffle=True)
        data.attrs.update(unit="V", conversion=np.float32(0.5), resolution=-1.0)
        start = series.create_dataset("starting_time", data=2.5)
        start.attrs.update(rate=1000.0, unit="seconds")
        _datasets(file.create_group("scratch/datasets"))
        _texts(file.create_group("scratch/texts"))
        _compounds(file.create_group("scratch/compounds"), file)
        _attributes(file.create_group("scratch/attributes"), file)
        _links(file.create_group("scratch/links"), file)
    return path


def make_other(path: Path) -> Path:
    """Write a session that others link to."""
    make_session(path)
    with h5py.File(path, "a") as file:
        file.create_dataset("acquisition/far", data=np.arange(7.0))
    return path


def _root(file: h5py.File) -> None:
    file.attrs.update(
        namespace="core",
        neurodata_type="NWBFile",
        nwb_version="2.8.0",
        object_id="0d14ccb7-9d5e-4d44-9f3a-5d1e9a6d3b5c",
    )
    file["identifier"], file["session_description"] = "kitchen", "everything ünder öne roof"
    for name in ("session_start_time", "timestamps_reference_time"):
        file[name] = STAMP
    file.create_dataset("file_create_date", data=[STAMP], dtype=h5py.string_dtype(), maxshape=(None,))
    for name in ("acquisition", "analysis", "general", "processing", "stimulus/presentation", "stimulus/templates"):
        file.create_group(name)


def _datasets(group: h5py.Group) -> None:
    for name in ("i1", "u2", "i4", "u8", "f2", "f4", "f8", "c8", "c16", ">i2", ">f4", ">f8"):
        values = (np.arange(3000) % 120).astype(name)
        group.create_dataset(f"contiguous {name.strip('>')}{'big' * name.startswith('>')}", data=values)
        group.create_dataset(f"chunked {name.strip('>')}{'big' * name.startswith('>')}", data=values, chunks=(700,))
    group.create_dataset("truth", data=np.arange(20_000) % 3 == 0, chunks=(6000,), compression="gzip")
    group.create_dataset("long", data=np.arange(1_500_000.0).reshape(-1, 3))
    group.create_dataset("cube", data=np.arange(4000).reshape(20, 10, 20), chunks=(7, 3, 20), compression=9)
    group.create_dataset(
        "checked", data=np.arange(9000, dtype=np.int32), chunks=(1000,), fletcher32=True, compression=1
    )
    group.create_dataset("lzf", data=np.arange(9000, dtype=np.int16), chunks=(1000,), compression="lzf", shuffle=True)
    group.create_dataset("scale offset", data=np.arange(9000), chunks=(1000,), scaleoffset=0)
    grown = group.create_dataset("grows", (40, 2), "f4", maxshape=(None, 2), chunks=(16, 2), fillvalue=np.nan)
    grown[3:20] = 1.5
    group.create_dataset("never written", (50_000,), "i2", chunks=(1000,), fillvalue=-7)
    group.create_dataset("not allocated", (50_000,), "i4")
    group.create_dataset(
        "odd", data=np.arange(1, 12_346, dtype=np.uint16), chunks=(1000,), compression="gzip", shuffle=True
    )
    group.create_dataset("no rows", (0, 3), "f8", maxshape=(None, 3))
    group.create_dataset("null", data=h5py.Empty("f4"))
    group["scalar"] = np.float32(2.5)
    group["scalar truth"] = np.bool_(True)
    group.create_dataset("triples", (5000,), np.dtype(("f8", (3,))))[...] = np.arange(15_000.0).reshape(-1, 3)
    levels = h5py.enum_dtype({"LOW": 0, "HIGH": 9}, "u1")
    group.create_dataset("levels", data=np.array([0, 9, 9], "u1"), dtype=levels)


def _texts(group: h5py.Group) -> None:
    group["scalar"] = "µ text"
    group["empty"] = ""
    group.create_dataset("ascii", data="plain", dtype=h5py.string_dtype("ascii"))
    group.create_dataset("fixed", data=np.array([b"one", b"three", b""], "S5"))
    group.create_dataset("fixed unicode", data="Bär".encode(), dtype=h5py.string_dtype("utf-8", 10))
    group.create_dataset("ragged", data=["a", "", "ünï" * 200], dtype=h5py.string_dtype())
    many = [f"row {index}" for index in range(3000)]
    group.create_dataset("many", data=many, dtype=h5py.string_dtype(), chunks=(256,), compression="gzip")
    group.create_dataset("one piece", data=many, dtype=h5py.string_dtype())
    group.create_dataset("grid", data=np.array([["a", "b"], ["c", "d"]], object), dtype=h5py.string_dtype())


def _compounds(group: h5py.Group, file: h5py.File) -> None:
    masks = np.zeros(5000, [("x", "u4"), ("y", "u4"), ("weight", "f4")])
    masks["x"], masks["weight"] = np.arange(5000), 0.5
    group.create_dataset("masks", data=masks, chunks=(1024,), compression="gzip")
    gaps = np.zeros(4, np.dtype([("a", "i1"), ("b", "f8")], align=True))
    gaps["b"] = [1, 2, 3, 4]
    group["gaps"] = gaps
    row = [("idx_start", "i4"), ("count", "i4"), ("timeseries", h5py.ref_dtype)]
    rows = np.empty(3, row)
    rows["idx_start"], rows["count"] = [0, 5, -1], [5, 6, -1]
    rows["timeseries"] = [file["acquisition/series"].ref, file["acquisition"].ref, h5py.Reference()]
    group.create_dataset("rows", data=rows, maxshape=(None,))
    named = np.empty(2, [("name", h5py.string_dtype()), ("truth", "?"), ("label", "S4")])
    named["name"], named["truth"], named["label"] = ["long näme", ""], [True, False], [b"abcd", b"e"]
    group["named"] = named
    group["scalar"] = masks[7]
    group["references"] = np.array([file["acquisition/series/data"].ref, file["general"].ref], h5py.ref_dtype)
    group.create_dataset("reference", data=file["acquisition/series"].ref, dtype=h5py.ref_dtype)


def _attributes(group: h5py.Group, file: h5py.File) -> None:
    group.attrs.update(
        {
            "text": "ünïcode", "empty": "", "texts": ["a", "bb"], "i": 5, "f": 0.1, "truth": True, "nan": np.nan,
            "i2": np.int16(-3), "u8": np.uint64(2**64 - 1), "f4": np.float32(0.1), "big": np.array(7, ">i4"),
            "ints": np.arange(3, dtype=np.int8), "grid": np.eye(2), "infinities": [np.inf, -np.inf],
            "bytes": np.bytes_(b"fixed"), "no numbers": np.zeros(0, "f4"), "null": h5py.Empty("f8"),
            "null text": h5py.Empty("S1"), "one": np.array([4]), "one text": np.array(["x"], object),
        }
    )  # fmt: skip
    group.attrs.create("ascii", "plain", dtype=h5py.string_dtype("ascii"))
    group.attrs.create("fixed texts", np.array([b"ab", b"c"], "S3"))
    group.attrs["reference"] = file["acquisition/series"].ref
    group.attrs.create("references", [file["general"].ref, file["acquisition"].ref], dtype=h5py.ref_dtype)
    group.attrs.create("level", 9, dtype=h5py.enum_dtype({"LOW": 0, "HIGH": 9}, "u1"))


def _links(group: h5py.Group, file: h5py.File) -> None:
    group["soft"] = h5py.SoftLink("/acquisition/series")
    group["relative"] = h5py.SoftLink("beside")
    group["beside"] = 4
    group["dangling"] = h5py.SoftLink("/nowhere/at all")
    group["hard"] = file["acquisition/series/data"]
    group["hard group"] = file["acquisition/series"]
    group["external"] = h5py.ExternalLink("other.nwb", "/acquisition/far")
    group["external missing"] = h5py.ExternalLink("../elsewhere/gone.nwb", "/x")
    group.create_dataset("through hard", data=file["scratch/links/hard group/data"].ref, dtype=h5py.ref_dtype)


# What a file holds, by h5py alone.


def differences(left: Path, right: Path) -> list[str]:
    """Return what two files do not have in common; storage (chunks, compression) aside."""
    with h5py.File(left) as one, h5py.File(right) as two:
        return list(_group_differences(one, two, "/"))


def _group_differences(one: h5py.Group, two: h5py.Group, path: str) -> Iterator[str]:
    yield from _attribute_differences(one, two, path)
    if set(one) != set(two):
        yield f"{path}: names {set(one) ^ set(two)}"
        return
    for name in one:
        links = [group.get(name, getlink=True) for group in (one, two)]
        where = f"{path}{name}"
        if not isinstance(links[0], h5py.HardLink):
            if _target(links[0]) != _target(links[1]):
                yield f"{where}: link {_target(links[0])} | {_target(links[1])}"
            continue
        # An object of several hard links is one object under one name, and soft links from the others.
        nodes = [one[name], two[name]]
        if isinstance(nodes[0], h5py.Dataset):
            yield from _dataset_differences(nodes[0], nodes[1], where)
        elif isinstance(links[1], h5py.HardLink):
            yield from _group_differences(nodes[0], nodes[1], f"{where}/")


def _target(link: Any) -> tuple[str, ...]:
    return (type(link).__name__, getattr(link, "filename", ""), getattr(link, "path", ""))


def _dataset_differences(one: h5py.Dataset, two: h5py.Dataset, path: str) -> Iterator[str]:
    yield from _attribute_differences(one, two, path)
    if not one.id.get_type().equal(two.id.get_type()):
        yield f"{path}: type {one.dtype} | {two.dtype}"
    if one.shape != two.shape or one.maxshape != two.maxshape:
        yield f"{path}: shape {one.shape} {one.maxshape} | {two.shape} {two.maxshape}"
    elif one.shape is not None and not _same(plain(one[()], one.file), plain(two[()], two.file)):
        yield f"{path}: values"


def _attribute_differences(one: Any, two: Any, path: str) -> Iterator[str]:
    if set(one.attrs) != set(two.attrs):
        yield f"{path}: attributes {set(one.attrs) ^ set(two.attrs)}"
        return
    for name in one.attrs:
        kinds = [node.attrs.get_id(name).get_type() for node in (one, two)]
        spaces = [node.attrs.get_id(name).get_space() for node in (one, two)]
        values = [plain(node.attrs[name], node.file) for node in (one, two)]
        if not kinds[0].equal(kinds[1]) or spaces[0].get_simple_extent_type() != spaces[1].get_simple_extent_type():
            yield f"{path}: attribute {name!r} type {kinds[0].dtype} | {kinds[1].dtype}"
        elif not _same(*values):
            yield f"{path}: attribute {name!r} {values}"


def plain(value: Any, file: h5py.File) -> Any:
    """Return a value with texts as texts, references as the names of their targets."""
    if isinstance(value, h5py.Empty):
        return None
    if isinstance(value, h5py.Reference):
        return file[value].id if value else None
    if isinstance(value, bytes):
        return value.decode()
    array = np.asarray(value)
    if array.dtype.names:
        return [[plain(item, file) for item in np.atleast_1d(array[name])] for name in array.dtype.names]
    if array.dtype.kind in "OS" and array.shape:
        return [plain(item, file) for item in array.reshape(-1)]
    return array[()]


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, h5py.h5d.DatasetID | h5py.h5g.GroupID):
        return bool(h5py.h5i.get_name(left) == h5py.h5i.get_name(right))
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if left is None or right is None or isinstance(left, str):
        return bool(left == right)
    return bool(np.array_equal(left, right, equal_nan=np.asarray(left).dtype.kind in "fc"))
