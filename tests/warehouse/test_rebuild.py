"""What a load chooses and checks anew is limited to the years that it touched; it must be as if all were."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from sqlalchemy import Engine, select

from extraction.model import Check
from tests.warehouse.builders import SOURCE, batch, report
from tests.warehouse.tables import rows
from tests.warehouse.test_properties import ELSEWHERE, TEXTS, batch_of
from warehouse.choosing import Statement
from warehouse.engine import writing
from warehouse.load import publish
from warehouse.schema import dim_document, fact_check
from warehouse.schema_dims import dim_region
from warehouse.values import rebuild_values


def check_years(statements: Sequence[Statement]) -> Sequence[Check]:
    """Each figure with those of its year and of the year before, as the rules across documents do."""
    found = []
    for i, now in enumerate(statements):
        for k, then in enumerate(statements):
            if i != k and now.metric == then.metric and int(now.period) - int(then.period) in (0, 1):
                told = f"{now.value} / {then.value}"
                verdict = "holds" if now.value == then.value else "differs"
                found.append(Check("R21", verdict, then.value, now.value, None, 1, (i, k), told, period=now.period))
    return found


def rebuild_all(engine: Engine) -> int:
    """Changes by choosing and checking everything anew."""
    with writing(engine) as conn:
        chosen = select(dim_region.c.current_key, dim_document.c.agency_key).join(
            dim_document, dim_document.c.region_key == dim_region.c.region_key
        )
        everyone = {(row.current_key, row.agency_key) for row in conn.execute(chosen)}
        values, checks = rebuild_values(conn, dict.fromkeys(everyone), check_years, -1)
    return values.total + checks.total


def test_a_changed_report_changes_the_checks_of_the_year_after(engine: Engine) -> None:
    publish(engine, batch(report(2020, "收到10件。")), check_years)
    publish(engine, batch(report(2021, "收到12件。"), run="r2", day=1), check_years)
    publish(engine, batch(report(2023, "收到9件。"), run="r3", day=2), check_years)
    assert [row["formula"] for row in rows(engine, fact_check)] == ["12 / 10"]
    publish(engine, batch(report(2020, "收到11件。", day=3), run="r4", day=3), check_years)
    assert [row["formula"] for row in rows(engine, fact_check)] == ["12 / 11"]
    assert rebuild_all(engine) == 0


def test_after_any_loads_choosing_all_anew_changes_nothing(make: Callable[[str], Engine]) -> None:
    n_across = 0
    for seed in range(3):
        rng, engine = random.Random(seed), make(f"seed{seed}")
        for day in range(1, 9):
            what = rng.choice(("report", "report", "report", "notice", "gone"))
            source = rng.choice((SOURCE, SOURCE, ELSEWHERE))
            publish(engine, batch_of(day, (what, rng.choice("xyz"), rng.randrange(len(TEXTS)), source)), check_years)
            assert rebuild_all(engine) == 0, (seed, day)
            n_across += sum(row["subject_kind"] == "region_period" for row in rows(engine, fact_check))
    assert n_across > 5
