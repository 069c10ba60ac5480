"""Quiet hours of a source: `08:00-18:00`, by the clock of the portals (Asia/Shanghai, which has no summer time)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24):([0-5]\d)")
_DAY = 24 * 60


def parse_span(text: str) -> tuple[int, int]:
    """Minutes of the day, end excluded; an end before the start is on the next day. Raises ValueError."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no span of hours: write e.g. 08:00-18:00 (Asia/Shanghai)")
    start, end = (int(hours) * 60 + int(minutes) for hours, minutes in (match.group(1, 2), match.group(3, 4)))
    if end > _DAY or start == end:
        raise ValueError(f"{text!r} is no span of hours: it ends {'after 24:00' if end > _DAY else 'where it begins'}")
    return start, end


def quiet_until(spans: Sequence[str], now: datetime) -> datetime | None:
    """When the quiet hours that hold at `now` end; None when none do. Spans may touch or overlap."""
    here = now.astimezone(SHANGHAI)
    end = here
    for _ in range(len(spans) + 1):
        later = [until for span in spans if (until := _end_of(span, end)) is not None]
        if not later:
            break
        end = max(later)
    return end if end > here else None


def _end_of(span: str, moment: datetime) -> datetime | None:
    start, end = parse_span(span)
    minute = moment.hour * 60 + moment.minute
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if start < end:
        return midnight + timedelta(minutes=end) if start <= minute < end else None
    if minute >= start:
        return midnight + timedelta(minutes=_DAY + end)
    return midnight + timedelta(minutes=end) if minute < end else None
