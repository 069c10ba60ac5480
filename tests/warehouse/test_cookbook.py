"""The cookbook's questions: both ways of asking agree, and the page shows what a release answers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.warehouse.cookbook import PAGE, answer_page, build_release, show


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, list[tuple[str, pd.DataFrame, pd.DataFrame]]]:
    folder: Path = tmp_path_factory.mktemp("cookbook")
    build_release(folder)
    page = PAGE.read_text(encoding="utf-8")
    return page, *answer_page(folder, page)


def test_answers_shown_are_those_given(
    answered: tuple[str, str, list[tuple[str, pd.DataFrame, pd.DataFrame]]],
) -> None:
    page, fresh, _ = answered
    assert page == fresh, "run `python -m tests.warehouse.cookbook`"


def test_sql_and_pandas_agree(answered: tuple[str, str, list[tuple[str, pd.DataFrame, pd.DataFrame]]]) -> None:
    _, _, answers = answered
    assert len(answers) == 10
    for question, by_sql, by_pandas in answers:
        assert len(by_sql), f"{question}: no row, so the question shows nothing"
        assert show(by_sql) == show(by_pandas), question


def test_a_stale_answer_is_seen(answered: tuple[str, str, list[tuple[str, pd.DataFrame, pd.DataFrame]]]) -> None:
    page, _, answers = answered
    other = answers[0][1].iloc[1:]
    assert show(other) != show(answers[0][1]) and show(answers[0][1]) in page
