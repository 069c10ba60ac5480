"""What was known on a day: the same rule over what was published by then."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import Engine

from tests.warehouse.builders import at, batch, report
from tests.warehouse.conftest import load
from tests.warehouse.tables import A, B, rows
from tests.warehouse.test_load import HISTORY
from warehouse.as_known import chosen_as_known
from warehouse.choosing import Chosen
from warehouse.engine import reading
from warehouse.schema import fact_metric_value

TODAY = date(2100, 1, 1)


def known(engine: Engine, day: date, metric: str = "received", period: str = "2020") -> tuple[Decimal, str] | None:
    with reading(engine) as conn:
        found = [one for one in chosen_as_known(conn, day, metrics=[metric]) if one.best.period == period]
    assert len(found) <= 1
    return (found[0].best.value, found[0].chosen_by) if found else None


def test_later_statements_are_not_known_earlier(engine: Engine) -> None:
    """The year's own report comes after a later one that states the year before: until then the later one is it."""
    load(engine, batch(report(2021, "收到12件，上年收到11件。", published="2022-01-20")))
    load(engine, batch(report(2020, "收到10件。", published="2022-03-01"), run="r2"))
    assert known(engine, date(2022, 1, 19)) is None
    assert known(engine, date(2022, 1, 20)) == (Decimal(11), "later_report")
    assert known(engine, date(2022, 2, 28)) == (Decimal(11), "later_report")
    assert known(engine, date(2022, 3, 1)) == (Decimal(10), "final")


def test_a_day_ends_in_china(engine: Engine) -> None:
    load(engine, batch(report(2020, "收到10件。", published="2021-03-01T23:59:00+08:00")))
    load(engine, batch(report(2021, "收到12件。", published="2022-03-02T00:01:00+08:00"), run="r2"))
    assert known(engine, date(2021, 2, 28)) is None and known(engine, date(2021, 3, 1)) is not None
    assert known(engine, date(2022, 3, 1), period="2021") is None
    assert known(engine, date(2022, 3, 2), period="2021") is not None


def test_a_text_put_right_later_gives_its_old_figures_before(engine: Engine) -> None:
    load(engine, batch(report(2020, A), day=0))
    load(engine, batch(report(2020, B, day=10), run="r2", day=10))
    assert known(engine, at(9).date(), "accepted") == (Decimal(8), "final")
    assert known(engine, at(11).date(), "accepted") == (Decimal(7), "final")


def test_a_report_without_date_is_known_since_it_was_seen(engine: Engine) -> None:
    load(engine, batch(report(2020, A, day=5, published="无"), day=5))
    assert known(engine, at(4).date()) is None
    assert known(engine, at(6).date()) == (Decimal(10), "final")


def test_one_text_at_two_addresses_counts_once_on_every_day(engine: Engine) -> None:
    load(engine, batch(report(2020, A, name="b", published="2021-01-20")))
    load(engine, batch(report(2020, A, name="a", published="2021-06-01"), run="r2"))
    for day in (date(2021, 2, 1), date(2021, 7, 1)):
        with reading(engine) as conn:
            found = list(chosen_as_known(conn, day))
        assert {one.n_statements for one in found} == {1} and len(found) == 5


def test_today_it_is_what_the_warehouse_has_chosen(engine: Engine) -> None:
    for one in HISTORY:
        load(engine, one)
    with reading(engine) as conn:
        found = list(chosen_as_known(conn, TODAY))
    assert image(found) == sorted(
        (v["region_key"], v["metric_key"], v["period_key"], v["observation_key"], v["n_statements"], v["is_disputed"])
        for v in rows(engine, fact_metric_value)
    )
    assert len(found) > 5


def test_regions_and_metrics_are_chosen_by_code(engine: Engine) -> None:
    load(engine, batch(report(2020, A), report(2020, B, name="x", region_code="990102")))
    with reading(engine) as conn:
        both = list(chosen_as_known(conn, TODAY))
        one = list(chosen_as_known(conn, TODAY, regions=["990102"], metrics=["received"]))
        assert list(chosen_as_known(conn, TODAY, regions=["110101"])) == []
    assert len({value.group[0] for value in both}) == 2
    assert [value.best.metric for value in one] == ["received"]


def image(found: list[Chosen]) -> list[tuple[int, int, int, int, int, bool]]:
    return sorted(
        (one.group[0], one.group[2], one.group[3], one.best.observation_key, one.n_statements, one.is_disputed)
        for one in found
    )
