"""The batches that the databases of `fixtures/` were made from, by the program that each release was.

A release's fixture is made once and never again: check out the release, put this file into its tests/warehouse and run
`python -m tests.warehouse.released FOLDER [POSTGRESQL_URL]`; then compress the file, or dump the server's database with
`pg_dump --inserts --no-owner`. Batches may be added for later releases; those that a fixture holds never change.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from tests.warehouse.builders import HOST, SOURCE, batch, notice, report
from tests.warehouse.tables import A, B

ELSEWHERE = replace(SOURCE, source_id="990102_jichuan", name_zh="霁川区人民政府", region_code="990102")
NOWHERE = replace(SOURCE, source_id="998877_nowhere", name_zh="无名县", region_code="998877")

BATCHES = (
    batch(report(2020, A), notice("n1", "通知"), run="r1", day=1),
    batch(report(2020, B, day=2), report(2021, B + "上年收到11件。", day=2), run="r2", day=2),
    batch(report(2020, A, day=3, title="改过的标题"), notice("n2", A, day=3), run="r3", day=3),
    batch(report(2019, "收到9件（截至2019-11-30）。", day=4), run="r4", day=4, gone=(f"{HOST}/n1.html",)),
    batch(
        report(2021, A, name="e1", day=5, title="霁川区2021年法治政府建设情况报告", publisher="霁川区司法局"),
        run="r5",
        day=5,
        source=ELSEWHERE,
    ),
    batch(report(2020, A, name="copy", day=6), run="r6", day=6),
    batch(run="r7", day=7, source=NOWHERE, status="failed", failures=("gateway: 500",)),
    batch(
        report(2022, "出庭率120%。", name="bad", day=8),
        report(2022, "收到4件。", name="s", day=8, title="云水县司法局2022年法治政府建设情况报告"),
        run="r8",
        day=8,
    ),
)


def main(folder: str, *urls: str) -> None:
    from tests.warehouse.conftest import load
    from warehouse.engine import open_warehouse

    for url in (f"sqlite:///{Path(folder) / 'released.sqlite'}", *urls):
        engine = open_warehouse(url)
        for one in BATCHES:
            load(engine, one)
        engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
