"""Datetimes as text: ISO 8601 with an offset from UTC (NWB schema, ``isodatetime``).

A naive datetime is local time; it is never stored without its offset.
"""

from __future__ import annotations

from datetime import date, datetime

from nwbzarr.errors import DocumentError


def encode_datetime(value: datetime | date) -> str:
    """Return ISO 8601 text; a naive datetime is taken as local time."""
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.astimezone()
    return value.isoformat()


def parse_datetime(text: str) -> datetime:
    """Return the datetime of ISO 8601 text; text without an offset stays naive.

    Raises
    ------
    DocumentError
        When the text is no ISO 8601 datetime.
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        message = f"a datetime must be ISO 8601 text like 2019-04-03T11:00:00+00:00, but {text!r} was found"
        raise DocumentError(message) from error
