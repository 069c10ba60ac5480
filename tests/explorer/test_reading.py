"""Marks of a text: which fate is told, overlaps, lines."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from explorer.reading import Mark, cut_marks, fate_of, make_marks, paragraphs, passages_of
from explorer.view import _duration, _sparkline, _when
from explorer.words import FATES, Words, kind_of

PLAIN = {"is_damaged": False, "status": "actual", "as_of": None, "qualifier": "exact"}


@pytest.mark.parametrize(
    ("more", "verdicts", "fate"),
    [
        ({}, [], "stated"),
        ({}, ["holds"], "held"),
        ({"qualifier": "approx"}, ["holds"], "approx"),
        ({"as_of": "2020-10"}, ["holds"], "part"),
        ({"status": "target"}, [], "target"),
        ({}, ["holds", "differs"], "differs"),
        ({"is_damaged": True}, ["differs"], "damaged"),
        ({"is_damaged": True}, ["truncated"], "truncated"),
        ({}, ["truncated", "fails", "holds"], "fails"),
    ],
)
def test_the_worst_that_is_true_is_told(more: dict[str, object], verdicts: list[str], fate: str) -> None:
    assert fate_of({**PLAIN, **more}, verdicts) == fate


def seen(start: int, end: int, fate: str) -> dict[str, object]:
    return {"span_start": start, "span_end": end, "fate": fate, "key": (start, end)}


def test_places_of_removed_passages_stand_in_their_lines() -> None:
    text = "办结36件。\n\n受理40件"
    passages = passages_of(
        '[[2, "hidden", "a", ""], [6, "spam_link", "b", "c"], [-1, "hidden", "d", ""], [14, "hidden", "", ""]]'
    )
    marks = cut_marks(make_marks([seen(2, 5, "held")], [], list(FATES)), passages)
    lines = paragraphs(text, marks)
    told = [[(piece.text, piece.mark.fate if piece.mark else "") for piece in line] for line in lines]
    assert told == [
        [("办结", ""), ("", "removed"), ("36件", "held"), ("。", ""), ("", "removed")],
        [("受理40件", "")],
    ], "a position behind the text is told beside it only"
    inside = cut_marks([Mark(0, 4, "held")], passages_of('[[2, "hidden", "a", ""]]'))
    assert [piece.text for piece in paragraphs("办结36件", inside)[0]] == ["办结36", "", "件"], "no character twice"


def test_overlapping_marks_become_one() -> None:
    mention = {"span_start": 2, "span_end": 5, "is_damaged": False}
    marks = make_marks([seen(2, 5, "held"), seen(3, 4, "fails"), seen(2, 5, "stated")], [mention], list(FATES))
    assert [(mark.start, mark.end, mark.fate, len(mark.observations)) for mark in marks] == [(2, 5, "fails", 3)]


def test_text_is_whole_whatever_is_marked() -> None:
    text = "收到10件。\n\n受理𠮷8件\n尾"
    marks = make_marks(
        [seen(2, 5, "held"), seen(11, 99, "held")], [{"span_start": 0, "span_end": 1, "is_damaged": True}], list(FATES)
    )
    lines = paragraphs(text, marks)
    assert ["".join(piece.text for piece in line) for line in lines] == ["收到10件。", "受理𠮷8件", "尾"]
    assert [piece.text for line in lines for piece in line if piece.mark] == ["收", "10件", "8件"]


def test_numbers_are_told_plainly() -> None:
    words = Words("zh")
    assert [words.number(value) for value in (1234567, 58.2, 0.0, -0.00001, 1e9, None)] == [
        "1,234,567", "58.2", "0", "0", "1,000,000,000", "",
    ]  # fmt: skip
    assert words.unit("percent") == "%" and Words("en").unit("person_time") == "person time"
    assert words.unit("yuan", '["元","万元"]') == "元"


def test_care_is_told_in_one_word() -> None:
    row = {"chosen_by": "final", "is_disputed": True, "qualifier": "approx"}
    assert kind_of(row) == "disputed" and kind_of({**row, "chosen_by": "forecast"}) == "target"
    assert kind_of({**row, "is_disputed": False}) == "approx"


def test_sparkline_breaks_at_gaps() -> None:
    drawn = _sparkline([(2019, 1.0), (2020, None), (2021, 2.0), (2022, 3.0)], (2019, 2022), '"<x>')
    assert drawn.count("<circle") == 1 and drawn.count("<polyline") == 1 and "&lt;x&gt;" in drawn


def test_moments_are_told_in_utc_wherever_the_machine_is() -> None:
    moment = datetime(2026, 11, 21, 2, 5, tzinfo=timezone(timedelta(hours=8)))
    assert (_when(moment), _when("2026-11-21T02:05"), _when(None)) == ("2026-11-20 18:05", "2026-11-21", "")
    assert [_duration(one) for one in (None, 2.54, 83.2, 3661)] == ["", "2.5 s", "1 min 23 s", "1 h 01 min"]
