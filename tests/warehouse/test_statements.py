"""Statements of what a load has just written are those that would be read back, to the last digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import Connection, Engine

from extraction.model import Check, Observation
from tests.warehouse.builders import batch, notice, report
from warehouse import values
from warehouse.batch import DocumentIn
from warehouse.choosing import Statement
from warehouse.load import publish
from warehouse.statements import Authority, Stated, Years, read_statements

TEXT = (
    "收到10件（截至2023-11），受理8件，不予受理2件。上年收到9.50件。累计受理100件。"
    "计划收到7件，出庭率97.310%，调解员5件。"
)


def odd(doc: DocumentIn) -> DocumentIn:
    """The same report with what the toy extraction has no words for."""
    assert doc.parsed is not None
    first, *others = doc.parsed.observations
    telling = replace(
        first,
        scope="全县",
        dimension="行政",
        qualifier="approx",
        value_low=Decimal("10.0"),
        value_high=Decimal("2E+1"),
        share_percent=Decimal("33.30"),
        share_of="总数",
        yoy_percent=Decimal("-0.50"),
        yoy_text="下降0.5%",
        yoy_change=Decimal(0),
        damaged=True,
    )
    part = replace(others[1], breakdown_of=0, scope="")
    silent: Observation = replace(others[0], value=None)
    implied = replace(others[1], is_derived=True, value=Decimal(1) / 3, breakdown_of=None)
    stated = (telling, silent, part, *others[2:])
    return replace(doc, parsed=replace(doc.parsed, observations=stated, derived=(implied,), checks=()))


def test_they_are_those_read_back(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def both(conn: Connection, wanted: Mapping[Authority, Years], in_hand: Mapping[int, Stated]) -> list[Statement]:
        built, read = read_statements(conn, wanted, in_hand), read_statements(conn, wanted, {})
        assert list(map(repr, built)) == list(map(repr, read))  # 9.5 and 9.50 are equal, and print otherwise
        compared.append(len(in_hand) * len(built))
        return built

    def check_nothing(_statements: Sequence[Statement]) -> Sequence[Check]:
        return ()

    monkeypatch.setattr(values, "read_statements", both)
    publish(engine, batch(report(2022, TEXT), odd(report(2023, TEXT + "又。")), notice("n", "通知")), check_nothing)
    publish(engine, batch(report(2024, TEXT + "再。", day=1), run="r2", day=1), check_nothing)
    assert len(compared) == 2 and all(compared)
