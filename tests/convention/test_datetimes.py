"""Datetimes as ISO 8601 text with their offset."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwbzarr.convention.datetimes import encode_datetime, parse_datetime
from nwbzarr.errors import DocumentError

LAW = settings(max_examples=80, deadline=None)

ZONES = st.integers(-(24 * 60 - 1), 24 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001 - the zones come with them
NAIVE = st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1))  # noqa: DTZ001 - naive is what they are


@LAW
@given(MOMENTS)
def test_a_moment_keeps_its_time_and_its_offset(moment: datetime) -> None:
    found = parse_datetime(encode_datetime(moment))
    assert found == moment
    assert found.utcoffset() == moment.utcoffset()
    assert found.replace(tzinfo=None) == moment.replace(tzinfo=None)


@LAW
@given(NAIVE)
def test_a_moment_without_a_zone_is_local_time(moment: datetime) -> None:
    found = parse_datetime(encode_datetime(moment))
    assert found.utcoffset() is not None
    assert found == moment.astimezone()


def test_a_date_is_a_date() -> None:
    assert encode_datetime(date(2024, 2, 29)) == "2024-02-29"


@pytest.mark.parametrize(
    "text", ["2019-04-03T11:00:00+00:00", "2019-04-03T11:00:00Z", "2019-04-03 11:00:00+00:00", "20190403T110000Z"]
)
def test_spellings_of_other_writers_are_read(text: str) -> None:
    assert parse_datetime(text) == datetime(2019, 4, 3, 11, tzinfo=UTC)


def test_text_without_an_offset_stays_without() -> None:
    assert parse_datetime("2019-04-03T11:00:00").tzinfo is None


@pytest.mark.parametrize("text", ["", "yesterday", "2019-13-01", "2019-04-03T25:00:00", "1554289200", "None"])
def test_text_that_is_no_datetime_is_refused(text: str) -> None:
    with pytest.raises(DocumentError, match="ISO 8601"):
        parse_datetime(text)
