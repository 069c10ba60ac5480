"""Whatever was published, in whatever order and however often: the same tables, and all data tests hold."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.builders import HOST, SOURCE, batch, notice, report
from tests.warehouse.conftest import Make, load
from tests.warehouse.tables import A, B, check_validity, content, everything, validity
from tests.warehouse.test_history import check_history
from warehouse.batch import LoadBatch, SourceRow
from warehouse.checkup import check_warehouse
from warehouse.fingerprint import fingerprint

TEXTS = (A, B, "收到3件。上年收到10件。", "出庭率120%。收到5件。")
ELSEWHERE = SourceRow("990102_jichuan", "霁川区人民政府", "Jichuan", "990102", "trs", (HOST,), True)

EVENT = st.tuples(
    st.sampled_from(("report", "report", "report", "notice", "gone")),
    st.sampled_from("xyz"),
    st.integers(0, len(TEXTS) - 1),
    st.sampled_from((SOURCE, SOURCE, ELSEWHERE)),
)
"""What happens on a day: a page is read as a report, read as a notice, or found gone. All of it by one extraction; what
another one reads in the same text is tested with the loads."""

Event = tuple[str, str, int, SourceRow]


def batch_of(day: int, happened: Event) -> LoadBatch:
    what, name, text, source = happened
    if what == "gone":
        return batch(run=f"r{day}", day=day, source=source, gone=(f"{HOST}/{name}.html",))
    if what == "notice":
        return batch(notice(name, TEXTS[text], day=day), run=f"r{day}", day=day, source=source)
    return batch(report(2019 + text, TEXTS[text], name=name, day=day), run=f"r{day}", day=day, source=source)


EXAMPLES = {"sqlite": 6, "postgresql": 3}
"""Each takes some dozens of loads."""


def test_any_history_in_any_order_any_number_of_times(make: Make, backend: str) -> None:
    @settings(max_examples=EXAMPLES[backend], deadline=None)
    @given(st.lists(EVENT, min_size=2, max_size=6), st.randoms(use_true_random=False))
    def holds(happened: list[Event], rng: random.Random) -> None:
        batches = [batch_of(day, one) for day, one in enumerate(happened, 1)]
        often = batches + rng.choices(batches, k=3)
        rng.shuffle(often)
        once, shuffled = make("once"), make("shuffled")
        for one in batches:
            load(once, one)
        for one in often:
            load(shuffled, one)
        assert fingerprint(once) == fingerprint(shuffled)
        assert content(once) == content(shuffled)
        assert validity(once) == validity(shuffled)
        check_validity(once)
        check_history(once)
        assert {one.test.name: one.told for one in check_warehouse(shuffled) if one.outcome.n_failed} == {}
        before = everything(shuffled)
        for one in batches:
            assert load(shuffled, one).is_unchanged
        assert everything(shuffled) == before

    holds()
