"""Quiet hours by the clock of the portals."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.errors import ContractBroken
from connectors.quiet import SHANGHAI, parse_span, quiet_until
from connectors.registry import load_source


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-01T{text}:00").replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("spans", "now", "until"),
    [
        (["08:00-18:00"], "07:59", None),
        (["08:00-18:00"], "08:00", "2026-03-01T18:00"),
        (["08:00-18:00"], "18:00", None),
        (["22:00-06:00"], "23:00", "2026-03-02T06:00"),
        (["22:00-06:00"], "05:59", "2026-03-01T06:00"),
        (["08:00-12:00", "12:00-14:00", "13:30-18:00"], "09:00", "2026-03-01T18:00"),
        (["20:00-24:00", "00:00-06:00"], "21:00", "2026-03-02T06:00"),
        ([], "09:00", None),
    ],
)
def test_until_when(spans: list[str], now: str, until: str | None) -> None:
    found = quiet_until(spans, at(now).astimezone(UTC))
    assert (found.astimezone(SHANGHAI).isoformat()[:16] if found else None) == until


@pytest.mark.parametrize("span", ["8:00-18:00", "08:00", "08:00-24:30", "08:00-08:00", "25:00-26:00", "always"])
def test_what_is_no_span(span: str) -> None:
    with pytest.raises(ValueError, match="is no span of hours"):
        parse_span(span)


def test_a_source_with_hours_that_are_none_says_so_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "990901_wuyou.yaml"
    path.write_text(
        "id: 990901_wuyou\nname_zh: 乌有县\nname_en: Wuyou\nregion_code: '990901'\nengine: trs\n"
        "start: [{url: 'https://www.wuyou.example/'}]\npoliteness: {quiet_hours: ['8-18']}\n"
        "assertions: {min_list_rows: 1, report_years: [2024]}\n",
        encoding="utf-8",
    )
    with pytest.raises(ContractBroken, match=r"key politeness\.quiet_hours: '8-18' is no span of hours: write e\.g\."):
        load_source(path)
