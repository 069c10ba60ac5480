"""Days and periods: parse what texts and portals state, refuse what cannot be."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

FIRST_YEAR, LAST_YEAR = 1949, 2100
"""Years a figure or a publication can belong to; anything else is a slip of the text."""

CHINA = timezone(timedelta(hours=8))
PERIOD = re.compile(r"([0-9]{4})(?:-([0-9]{2})/([0-9]{4})-([0-9]{2}))?")
DAY = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?")


@dataclass(frozen=True, slots=True)
class Period:
    period_id: str
    kind: str
    """`year`, `half` or `window`."""
    start: date
    end: date

    @property
    def n_months(self) -> int:
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month + 1


def parse_period(text: str) -> Period | None:
    """`YYYY` or `YYYY-MM/YYYY-MM`; None when it is neither, ends before it starts, or lies out of range."""
    match = PERIOD.fullmatch(text)
    if match is None:
        return None
    year, month, end_year, end_month = (int(part) if part else None for part in match.groups())
    assert year is not None
    if month is None or end_year is None or end_month is None:
        return Period(text, "year", date(year, 1, 1), date(year, 12, 31)) if _in_range(year) else None
    if not (_in_range(year) and _in_range(end_year) and 1 <= month <= 12 and 1 <= end_month <= 12):
        return None
    start, end = date(year, month, 1), _last_day(end_year, end_month)
    if end < start:
        return None
    is_half = year == end_year and (month, end_month) in ((1, 6), (7, 12))
    return Period(text, "half" if is_half else "window", start, end)


def parse_day(text: str | None) -> date | None:
    """The day of `YYYY-MM-DD…`, or the last day of `YYYY-MM`; None when there is no such day."""
    match = DAY.match(text or "")
    if match is None or not _in_range(int(match[1])):
        return None
    year, month = int(match[1]), int(match[2])
    if not 1 <= month <= 12:
        return None
    if match[3] is None:
        return _last_day(year, month)
    day = int(match[3])
    return date(year, month, day) if 1 <= day <= calendar.monthrange(year, month)[1] else None


@lru_cache(maxsize=10_000)
def parse_published(text: str | None) -> datetime | None:
    """A publication time as stated (+08:00, or a bare date: midnight in China) in UTC."""
    day = parse_day(text)
    if text is None or day is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime(day.year, day.month, day.day)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=CHINA)
    return moment.astimezone(UTC)


def date_key_of(day: date) -> int:
    return day.year * 10000 + day.month * 100 + day.day


def _in_range(year: int) -> bool:
    return FIRST_YEAR <= year <= LAST_YEAR


def _last_day(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])
