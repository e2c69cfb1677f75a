"""Layouts by pattern: which paths a pattern fits, which pattern counts, and what is refused."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbzarr import NWBFile, NWBZarrIO, TimeSeries, ZarrDataIO
from nwbzarr.errors import LayoutError
from nwbzarr.layout.planning import plan_layout
from nwbzarr.layout.rules import LayoutRules, LayoutWish
from tests.arrays.stored import bare

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LAW = settings(max_examples=200, deadline=None)

WISH = {"chunks": (7, 3)}


def fits(pattern: str, path: str) -> bool:
    """Whether a pattern gives its wish to a path."""
    return LayoutRules({pattern: WISH}).find(path) == LayoutWish(chunks=(7, 3))


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/acquisition/raw/data", "/acquisition/raw/data", True),
        ("/acquisition/raw/data", "/acquisition/raw/data2", False),
        ("/acquisition/raw/data", "/acquisition/raw", False),
        ("/acquisition/raw/data", "/more/acquisition/raw/data", False),
        ("/acquisition/*/data", "/acquisition/raw/data", True),
        ("/acquisition/*/data", "/acquisition/lfp/raw/data", False),
        ("/acquisition/*/data", "/acquisition//data", True),
        ("/acquisition/*/data", "/acquisition/data", False),
        ("/acquisition/r*/data", "/acquisition/raw/data", True),
        ("/acquisition/r*/data", "/acquisition/lfp/data", False),
        ("/*/*/data", "/acquisition/raw/data", True),
        ("/*", "/identifier", True),
        ("/*", "/acquisition/raw", False),
        ("/**", "/acquisition/raw/data", True),
        ("/**", "/identifier", True),
        ("/**/data", "/acquisition/raw/data", True),
        ("/**/data", "/processing/ecephys/LFP/lfp/data", True),
        ("/**/data", "/acquisition/raw/timestamps", False),
        ("/processing/**", "/processing/ecephys/LFP/lfp/data", True),
        ("/processing/**", "/acquisition/raw/data", False),
        ("/processing/**/data", "/processing/a/data", True),
        ("/processing/**/lfp/*", "/processing/a/b/lfp/data", True),
        ("/a.b/data", "/a.b/data", True),
        ("/a.b/data", "/aXb/data", False),
        ("/a[1]/data", "/a[1]/data", True),
        ("/a[1]/data", "/a1/data", False),
        ("/a+(b)?|$^/data", "/a+(b)?|$^/data", True),
        ("/a?/data", "/ab/data", False),
        ("/é ☃/*", "/é ☃/data", True),
        ("/raw/*", "/raw/a\nb", True),
        ("/Raw/*", "/raw/data", False),
    ],
)
def test_which_paths_a_pattern_fits(pattern: str, path: str, expected: bool) -> None:
    assert fits(pattern, path) is expected


def test_two_stars_stand_for_no_name_too() -> None:
    assert fits("/processing/**/data", "/processing/data")


def test_stars_stand_for_any_characters() -> None:
    for name in ("a b", "é☃", "a\nb", ".", ".."):
        assert fits("/acquisition/*/data", f"/acquisition/{name}/data")
        assert fits("/**", f"/acquisition/{name}/data")


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/*\n"), min_size=1, max_size=4)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))


@LAW
@given(PATHS)
def test_a_path_fits_itself_and_all_and_stars_in_the_place_of_names(path: str) -> None:
    assert fits(path, path)
    assert fits("/**", path)
    names = path[1:].split("/")
    for index in range(len(names)):
        starred = "/" + "/".join([*names[:index], "*", *names[index + 1 :]])
        assert fits(starred, path)
        assert not fits(starred, path + "/more")


@LAW
@given(PATHS, PATHS)
def test_a_path_fits_no_other(one: str, other: str) -> None:
    assert fits(one, other) is (one == other)


@LAW
@given(st.lists(st.sampled_from(["a", "b", "ab", "*", "a*", "*b"]), min_size=1, max_size=3), PATHS)
def test_single_stars_are_those_of_the_shell_name_by_name(pattern: list[str], path: str) -> None:
    names = path[1:].split("/")
    expected = len(names) == len(pattern) and all(
        fnmatch.fnmatchcase(name, star) for name, star in zip(names, pattern, strict=True)
    )
    assert fits("/" + "/".join(pattern), path) is expected


# Which one counts.


def test_the_first_pattern_that_fits_counts() -> None:
    table: dict[str, Mapping[str, Any]] = {"/a/*": {"access": "time"}, "/**": {"access": "channel"}}
    assert LayoutRules(table).find("/a/b").access == "time"
    assert LayoutRules(table).find("/c").access == "channel"
    assert LayoutRules(dict(reversed(table.items()))).find("/a/b").access == "channel"


def test_a_path_that_no_pattern_fits_has_no_wish() -> None:
    assert LayoutRules({"/a/*": WISH}).find("/b") == LayoutWish()
    assert LayoutRules().find("/b") == LayoutWish()
    assert LayoutRules({}).find("/b").given == {}


def test_wishes_are_what_the_planner_takes() -> None:
    wish = LayoutRules(
        {"/**": {"chunks": (10, 2), "shards": (20, 4), "compressors": "delta", "role": "scratch", "access": "time"}}
    ).find("/x")
    layout = plan_layout((100, 4), np.dtype("int16"), **wish.given)
    assert (layout.chunks, layout.shards) == ((10, 2), (20, 4))
    assert layout == plan_layout(
        (100, 4), np.dtype("int16"), chunks=(10, 2), shards=(20, 4), compressors="delta", role="scratch", access="time"
    )


def test_a_wish_may_be_an_object() -> None:
    wish = LayoutWish(access="time")
    assert LayoutRules({"/**": wish}).find("/x") == wish


# What is refused.


@pytest.mark.parametrize("pattern", ["acquisition/raw/data", "", "*", "**/data", 7, None])
def test_a_pattern_is_an_absolute_path(pattern: Any) -> None:
    with pytest.raises(LayoutError) as caught:
        LayoutRules({pattern: WISH})
    assert repr(pattern) in str(caught.value)


@pytest.mark.parametrize(
    "wish", [{"chunk": (1, 2)}, {"chunks": (1, 2), "codec": "gzip"}, "gzip", 7, None, [("chunks", 1)]]
)
def test_a_wish_has_only_words_of_a_layout(wish: Any) -> None:
    with pytest.raises(LayoutError) as caught:
        LayoutRules({"/a/*": wish})
    assert "/a/*" in str(caught.value)


# In a session.


def layout_in(path: Path, name: str = "raw") -> tuple[Any, Any, str]:
    """Return how the data of a series is stored."""
    with NWBZarrIO(path) as io:
        data = io.read().acquisition[name].data
        return data.chunks, data.shards, data.compression


def two_series(**wishes: Any) -> NWBFile:
    nwb = bare()
    for name in ("raw", "lfp"):
        data = np.arange(300, dtype="int16").reshape(100, 3)
        nwb.add_acquisition(TimeSeries(name, data=ZarrDataIO(data, **wishes), unit="V", rate=1.0))
    return nwb


def test_a_table_lays_out_what_its_patterns_fit(tmp_path: Path) -> None:
    with NWBZarrIO(tmp_path / "x", "w") as io:
        io.write(
            two_series(),
            layouts={"/acquisition/r*/data": {"chunks": (10, 3), "shards": (50, 3), "compressors": "gzip"}},
        )
    assert layout_in(tmp_path / "x") == ((10, 3), (50, 3), "bytes + gzip")
    assert layout_in(tmp_path / "x", "lfp")[0] == (100, 3)


def test_a_pattern_for_all_arrays_of_a_group_leaves_its_scalars_alone(tmp_path: Path) -> None:
    """The example of the module: chunks for everything below a group, in which every series has a starting time."""
    with NWBZarrIO(tmp_path / "x", "w") as io:
        io.write(two_series(), layouts={"/acquisition/**": {"chunks": (10, 3)}})
    assert layout_in(tmp_path / "x")[0] == (10, 3)


def test_what_the_dataset_itself_wishes_comes_first(tmp_path: Path) -> None:
    table = {"/acquisition/*/data": {"chunks": (10, 3), "compressors": "gzip"}}
    with NWBZarrIO(tmp_path / "x", "w") as io:
        io.write(two_series(chunks=(20, 1)), layouts=table)
    chunks, _, compression = layout_in(tmp_path / "x")
    assert chunks == (20, 1)
    # What it does not wish is the table's.
    assert compression == "bytes + gzip"


def test_shards_that_are_no_multiple_are_refused_with_the_path(tmp_path: Path) -> None:
    with NWBZarrIO(tmp_path / "x", "w") as io, pytest.raises(LayoutError) as caught:
        io.write(two_series(), layouts={"/acquisition/raw/data": {"chunks": (10, 3), "shards": (55, 3)}})
    for word in ("/acquisition/raw/data", "(10, 3)", "(55, 3)"):
        assert word in str(caught.value)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "wish",
    [{"chunks": (10,)}, {"chunks": (0, 3)}, {"chunks": (-1, 3)}, {"chunks": "ab"}, {"chunks": 10}, {"chunks": (1.5, 3)},
     {"shards": (10, 3, 1)}, {"access": "sideways"}, {"role": "spare"}, {"compressors": "best"},
     {"compressors": [{"name": "no such codec"}]}],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("dry_run", [False, True], ids=["write", "dry run"])
def test_a_wish_that_cannot_be_is_refused_with_the_path(tmp_path: Path, wish: Any, dry_run: bool) -> None:
    with NWBZarrIO(tmp_path / "x", "w") as io, pytest.raises(LayoutError, match="/acquisition/raw/data"):
        io.write(two_series(), layouts={"/acquisition/raw/data": wish}, dry_run=dry_run)  # type: ignore[call-overload]
    assert not (tmp_path / "x").exists()


def test_a_pattern_that_fits_nothing_is_refused(tmp_path: Path) -> None:
    with NWBZarrIO(tmp_path / "x", "w") as io, pytest.raises(LayoutError, match="/acquisition/rwa/data"):
        io.write(two_series(), layouts={"/acquisition/rwa/data": {"access": "time"}})
    assert not (tmp_path / "x").exists()


def test_a_table_lays_out_what_is_added(tmp_path: Path) -> None:
    with NWBZarrIO(tmp_path / "x", "w") as io:
        io.write(two_series())
    with NWBZarrIO(tmp_path / "x", "r+") as io:
        nwb = io.read()
        nwb.add_acquisition(TimeSeries("more", data=np.zeros((100, 3)), unit="V", rate=1.0))
        io.write(nwb, layouts={"/acquisition/more/data": {"chunks": (10, 3)}})
    assert layout_in(tmp_path / "x", "more")[0] == (10, 3)
    assert layout_in(tmp_path / "x")[0] == (100, 3)


def test_references_and_texts_take_a_wish_too(tmp_path: Path) -> None:
    nwb = bare()
    nwb.add_scratch(np.array(["a", "b", "c"] * 30, dtype=object), name="texts", description="d")
    with NWBZarrIO(tmp_path / "x", "w") as io:
        io.write(nwb, layouts={"/scratch/texts": {"chunks": (10,), "compressors": "gzip"}})
    with NWBZarrIO(tmp_path / "x") as io:
        data = io.read().scratch["texts"].data
        assert (data.chunks, data.compression) == ((10,), "vlen-utf8 + gzip")
        assert data[...].tolist() == ["a", "b", "c"] * 30
