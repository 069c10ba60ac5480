"""The pace: what the answers of one host teach, between what was promised and what adapting may add."""

from __future__ import annotations

import pytest

from connectors.http.pace import Pace


def test_the_pace_follows_the_host() -> None:
    pace = Pace()
    assert pace.gap(1.0) == 1.0
    for _ in range(20):
        pace.note_answer(2.0)
    assert pace.gap(1.0) == pytest.approx(4.0, rel=0.01), "busy for us at most half of the time"
    for _ in range(20):
        pace.note_answer(0.05)
    assert pace.gap(1.0) == 1.0, "but never faster than promised"
    assert pace.gap(0.0) == 0.0


def test_one_refusal_costs_part_of_a_delay_and_many_cost_many() -> None:
    pace = Pace()
    pace.note_failure(0.01, is_refusal=True)
    extra = 0.0
    for _ in range(10):
        extra += pace.gap(1.0) - 1.0
        pace.note_answer(0.01)
    assert 0.6 < extra < 0.7
    for _ in range(50):
        pace.note_failure(0.01, is_refusal=True)
    assert pace.gap(1.0) == 32.0
    assert pace.gap(10.0) == 60.0, "the bound of what adapting adds"
    assert pace.gap(100.0) == 100.0


def test_a_single_503_in_a_good_run_is_no_overload_yet() -> None:
    pace = Pace()
    for _ in range(10):
        pace.note_answer(0.01)
    pace.note_failure(0.01, is_refusal=True, is_meant=False)
    assert pace.gap(1.0) == 1.0
    for _ in range(9):
        pace.note_answer(0.01)
    pace.note_failure(0.01, is_refusal=True, is_meant=False)
    assert pace.gap(1.0) == 1.5, "the second one soon after is"
    for _ in range(20):
        pace.note_answer(0.01)
    pace.note_failure(0.01, is_refusal=True)
    assert pace.gap(1.0) == pytest.approx(1.5), "and so is one that is meant for us"


def test_a_single_hang_says_little_and_a_quick_error_hurries_nobody() -> None:
    pace = Pace()
    for _ in range(5):
        pace.note_answer(0.05)
    pace.note_failure(30.0, is_refusal=False)
    assert pace.gap(1.0) == 1.0
    for _ in range(10):
        pace.note_answer(3.0)
    slow = pace.gap(1.0)
    pace.note_failure(0.001, is_refusal=False)
    assert pace.gap(1.0) == slow > 4
