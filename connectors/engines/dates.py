"""Dates as portals print them, to ISO 8601 in +08:00. What cannot be a date stays unknown."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache

CHINA = timezone(timedelta(hours=8))
"""China has one time zone and no summer time since 1991; portals print no offset."""

_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d{2})\s?(?:[-/.]|年)\s?(\d{1,2})\s?(?:[-/.]|月)\s?(\d{1,2})(?!\d)(?:\s?日)?"
    r"(?:[\sT]{1,4}(\d{1,2})[:：](\d{2})(?:[:：](\d{2}))?(?:\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})?)?"
)
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d{2})(\d{2})(\d{2})(?!\d)")
_FOLDER = re.compile(r"/((?:19|20)\d{12})\d{0,9}/")
_URL_DAYS = (
    re.compile(r"/t((?:19|20)\d{6})_\d"),
    re.compile(r"/((?:19|20)\d{2})[-/]?(\d{2})[-/]?(\d{2})/"),
)


@lru_cache(maxsize=1024)
def find_date(text: str) -> str | None:
    """The first date in a text: `YYYY-MM-DDTHH:MM:SS+08:00`, or `YYYY-MM-DD` where no time is printed. A page tells
    its own several times, hence the cache."""
    for match in _DATE.finditer(text[:2000]):
        found = _compose(match)
        if found:
            return found
    return None


def find_day(text: str) -> str | None:
    """The first date in a text without its time."""
    found = find_date(text)
    return found[:10] if found else None


def parse_moment(text: str) -> str | None:
    """A date field: as printed, eight digits, seconds or milliseconds since 1970, or RFC 822."""
    text = text.strip()[:80]
    found = find_date(text)
    if found:
        return found
    if re.fullmatch(r"1?\d{9}(?:\d{3})?", text):
        seconds = int(text[:-3]) if len(text) > 10 else int(text)
        return datetime.fromtimestamp(seconds, CHINA).isoformat(timespec="seconds")
    compact = _COMPACT.fullmatch(text)
    if compact:
        return _day(*compact.groups())
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None or not 1990 <= moment.year <= 2100:
        return None
    return moment.astimezone(CHINA).isoformat(timespec="seconds")


def find_folder_time(url: str) -> str | None:
    """The moment that a folder `YYYYMMDDHHMMSS…` of an address stands for."""
    match = _FOLDER.search(url)
    if match is None:
        return None
    try:
        moment = datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=CHINA)
    except ValueError:
        return None
    return moment.isoformat(timespec="seconds")


def find_url_day(url: str) -> str | None:
    """The day in an address: a creation or migration day, so only the last resort."""
    for pattern in _URL_DAYS:
        match = pattern.search(url)
        if match:
            digits = "".join(match.groups())
            return _day(digits[:4], digits[4:6], digits[6:8])
    return None


def _day(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def _compose(match: re.Match[str]) -> str | None:
    year, month, day, hour, minute, second, offset = match.groups()
    bare = _day(year, month, day)
    if bare is None or hour is None:
        return bare
    try:
        moment = datetime.fromisoformat(f"{bare}T{int(hour):02d}:{minute}:{second or '00'}")
    except ValueError:
        return bare
    if offset:
        zone = "+00:00" if offset == "Z" else offset if ":" in offset else f"{offset[:3]}:{offset[3:]}"
        try:
            moment = datetime.fromisoformat(f"{moment.isoformat()}{zone}").astimezone(CHINA)
        except (ValueError, OverflowError):
            return bare
    return moment.replace(tzinfo=CHINA).isoformat(timespec="seconds")
