"""Write marks: who is writing, as bytes, and whether that writer may still live."""

from __future__ import annotations

import itertools
import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbzarr.stores.marks import ACTIVE, LEASE_SECONDS, RENEWAL_SECONDS, WriteMark, parse_mark

LAW = settings(max_examples=100, deadline=None)

SECONDS = st.floats(min_value=0, max_value=4e9)
MARKS = st.builds(
    WriteMark,
    token=st.text(max_size=8),
    machine=st.text(max_size=8),
    process=st.integers(1, 2**22),
    started=SECONDS,
    renewed=SECONDS,
    abandoned=st.none() | st.text(max_size=8),
)
#: What JSON may hold in the place of a field.
OTHERS: tuple[Any, ...] = (
    None,
    True,
    0,
    1,
    -1,
    2**70,
    0.5,
    1e308,
    float("inf"),
    float("nan"),
    "",
    "x",
    [],
    ["x"],
    {},
    {"token": 1},
)


def elsewhere(**changes: Any) -> WriteMark:
    """Return the mark of a writer on another machine."""
    facts = {"token": "t", "machine": "other/boot", "process": 1, "started": 1.7e9, "renewed": 1.7e9, **changes}
    return WriteMark(**facts)


def here(process: int = 1) -> WriteMark:
    """Return the mark of a writer on this machine."""
    return elsewhere(machine=WriteMark.fresh().machine, process=process)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a clock that stands still until its one number is changed."""
    now = [1.7e9]
    monkeypatch.setattr("nwbzarr.stores.marks.time.time", lambda: now[0])
    return now


# Bytes.


@LAW
@given(MARKS)
def test_a_mark_is_the_parse_of_its_bytes(mark: WriteMark) -> None:
    assert parse_mark(mark.dump()) == mark
    assert json.loads(mark.dump())["token"] == mark.token


@LAW
@given(st.binary(max_size=40) | st.sampled_from(OTHERS).map(lambda value: json.dumps(value).encode()))
def test_bytes_that_hold_no_mark_are_none(data: bytes) -> None:
    assert parse_mark(data) is None


@pytest.mark.parametrize("mark", [elsewhere(), here(), elsewhere(abandoned="why")])
def test_no_proper_part_of_a_mark_is_a_mark(mark: WriteMark) -> None:
    data = mark.dump()
    assert all(parse_mark(data[:length]) is None for length in range(len(data)))


@pytest.mark.parametrize("field", ["token", "machine", "process", "started", "renewed", "abandoned"])
def test_whatever_parses_can_be_asked_and_described(field: str) -> None:
    """A mark is read by whoever finds an unfinished store: it may be damaged, or of another version."""
    for mark, other in itertools.product((elsewhere(), here()), OTHERS):
        found = parse_mark(json.dumps({**json.loads(mark.dump()), field: other}).encode())
        if found is not None:
            assert isinstance(found.is_live, bool)
            assert isinstance(found.describe(), str)


def test_json_nested_too_deep_is_no_mark() -> None:
    assert parse_mark(b"[" * 100_000) is None


def test_fields_of_other_versions_make_no_mark_of_ours() -> None:
    facts = json.loads(elsewhere().dump())
    assert parse_mark(json.dumps({**facts, "more": 1}).encode()) is None
    del facts["token"]
    assert parse_mark(json.dumps(facts).encode()) is None


# Life.


def test_every_write_has_its_own_mark() -> None:
    first, second = WriteMark.fresh(), WriteMark.fresh()
    assert first.token != second.token
    assert first.machine == second.machine
    assert first.process == os.getpid()
    assert first.started == first.renewed


def test_a_mark_of_this_process_lives_while_its_write_is_under_way() -> None:
    mark = WriteMark.fresh()
    assert not mark.is_live
    ACTIVE.add(mark.token)
    try:
        assert mark.is_live
        assert "live" in mark.describe()
    finally:
        ACTIVE.discard(mark.token)
    assert not mark.is_live


def test_a_writer_that_gave_up_does_not_live(clock: list[float]) -> None:
    assert elsewhere(renewed=clock[0]).is_live
    given_up = elsewhere(renewed=clock[0]).abandon("no space left")
    assert not given_up.is_live
    assert "no space left" in given_up.describe()
    assert not elsewhere(renewed=clock[0]).abandon("").is_live


def test_a_writer_elsewhere_lives_as_long_as_its_lease(clock: list[float]) -> None:
    mark = elsewhere(renewed=clock[0])
    for age, live in ((0, True), (LEASE_SECONDS - 1, True), (LEASE_SECONDS, False), (LEASE_SECONDS + 1, False)):
        clock[0] = mark.renewed + age
        assert mark.is_live is live
    assert mark.renew().is_live


def test_renewals_come_well_within_the_lease() -> None:
    assert RENEWAL_SECONDS * 3 < LEASE_SECONDS


def test_renewing_changes_the_time_and_nothing_else(clock: list[float]) -> None:
    mark = elsewhere(renewed=0.0)
    assert mark.renew() == elsewhere(renewed=clock[0])


@pytest.mark.parametrize(("answer", "live"), [(None, True), (ProcessLookupError, False), (PermissionError, True)])
def test_a_writer_on_this_machine_lives_while_its_process_does(
    monkeypatch: pytest.MonkeyPatch, clock: list[float], answer: type[OSError] | None, *, live: bool
) -> None:
    assert clock == [1.7e9]
    asked: list[tuple[int, int]] = []

    def kill(process: int, signal: int) -> None:
        asked.append((process, signal))
        if answer is not None:
            raise answer

    mark = here(process=os.getpid() + 1)
    monkeypatch.setattr("nwbzarr.stores.marks.os.kill", kill)
    assert mark.is_live is live
    assert asked == [(mark.process, 0)]


@pytest.mark.parametrize("process", [0, -1])
def test_a_process_number_that_names_no_single_process_is_no_sign_of_life(process: int) -> None:
    """Signal 0 to process 0 or -1 asks for whole groups of processes, and always succeeds."""
    mark = parse_mark(here(process).dump())
    assert mark is None or not mark.is_live


def test_a_long_reason_is_cut() -> None:
    assert len(elsewhere().abandon("x" * 10_000).dump()) < 1_000


def test_a_description_names_process_machine_and_time() -> None:
    assert (
        elsewhere(process=4711, started=0.0)
        .describe()
        .startswith("process 4711 on other, since 1970-01-01 00:00:00 UTC")
    )
