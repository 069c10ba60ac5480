"""A night in which figures of a source go or change in numbers: nothing of it is published until somebody says why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.archive import Archive
from connectors.crawled import CrawlResult
from flows import crawling
from tasks.mass_change import HELD_BACK, NIGHT, MassChange
from tests.connectors.portal import Item
from tests.nightly.test_steps import house_of
from tests.reparse.house import SEEN, Alter, fill, items, make_house, read, source, store, url_of
from warehouse.batch import DocumentIn, LoadResult
from warehouse.errors import WarehouseBusy
from warehouse.fingerprint import fingerprint
from warehouse.load import publish

LATER = SEEN + timedelta(days=600)
PAGES = items(26)[:-1]
"""25 reports of two figures each: a quarter is 12, and more than twenty must go."""


def without(n: int) -> Alter:
    """Reports as a portal shows them that has lost their ends: the last `n` figures of each."""
    return lambda doc: changed(doc, lambda seen: seen[:-n])


def ten_more(doc: DocumentIn) -> DocumentIn:
    return changed(doc, lambda seen: [replace(one, value=one.value + 10) for one in seen])


def changed(doc: DocumentIn, alter: Callable[[list[Any]], list[Any]]) -> DocumentIn:
    assert doc.parsed is not None
    text = f"{doc.text}\n本页已更新"
    seen = tuple(alter(list(doc.parsed.observations)))
    return replace(doc, text=text, body=text, parsed=replace(doc.parsed, observations=seen, checks=()))


class Night:
    """A source that was loaded before, and the loads of a night that follows."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async def load(_source_id: str, engine: Any, batch: Any) -> LoadResult:
            return publish(engine.unquote(), batch.unquote())

        monkeypatch.setattr(crawling, "load", load)
        self.folder = folder
        url = f"sqlite:///{folder / 'warehouse.sqlite'}"
        fill(make_house(folder, url, source()), PAGES)
        self.house = house_of(folder)

    def documents(self, pages: list[Item], alter: Alter) -> tuple[DocumentIn, ...]:
        with Archive(self.folder / "raw") as archive:
            refs = [store(archive, url_of(one), one.page, LATER) for one in pages]
            return tuple(
                alter(read(archive, source(), url_of(one), one, ref)) for one, ref in zip(pages, refs, strict=True)
            )

    def loads(self, accepted: str = "") -> crawling._Loads:
        self.house.attempts[source().id] = []
        house = replace(self.house, run_id=f"night-{accepted}", accept_mass_change=accepted)
        return crawling._Loads(house, source(), CrawlResult(source()))

    def mark(self) -> str:
        return fingerprint(self.house.engine)


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    return Night(tmp_path, monkeypatch)


@pytest.mark.parametrize(("alter", "kind"), [(without(1), "removed"), (ten_more, "changed")])
def test_a_mass_change_is_held_back_until_a_reason_is_given(night: Night, alter: Alter, kind: str) -> None:
    documents, before = night.documents(PAGES, alter), night.mark()
    with pytest.raises(MassChange, match=f"990901_wuyou: {HELD_BACK}: .* figures would be {kind}.*accept_mass_change"):
        asyncio.run(night.loads().take_rest(documents, (), True))
    assert night.mark() == before
    accepted = night.loads("the portal counts anew")
    loaded = asyncio.run(accepted.take_rest(documents, (), True))
    assert loaded.documents_changed == len(PAGES) and night.mark() != before
    (told,) = accepted.result.notes
    assert "mass change accepted" in told and "(the portal counts anew)" in told


def test_parts_of_a_night_are_judged_together(night: Night) -> None:
    loads = night.loads()
    part = loads._batch(documents=night.documents(PAGES[:10], without(1)), is_part=True)
    asyncio.run(loads._load(part))
    with pytest.raises(MassChange, match="25 of"):
        asyncio.run(loads._load(loads._batch(documents=night.documents(PAGES[10:], without(1)))))


def test_a_load_that_is_tried_again_is_judged_once(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    loads, documents, publishes = night.loads(), night.documents(PAGES[:12], without(1)), crawling.load

    async def busy(*given: object) -> LoadResult:
        raise WarehouseBusy("another program holds it")

    monkeypatch.setattr(crawling, "load", busy)
    with pytest.raises(WarehouseBusy):
        asyncio.run(loads.take_rest(documents, (), True))
    monkeypatch.setattr(crawling, "load", publishes)
    assert asyncio.run(loads.take_rest(documents, (), True)).documents_changed == 12


def test_new_reports_and_a_few_that_change_pass(night: Night) -> None:
    few = night.documents(PAGES[:8], without(1))
    more = night.documents(items(40)[25:-1], lambda doc: doc)
    loaded = asyncio.run(night.loads().take_rest((*few, *more), (), True))
    assert (loaded.documents_changed, loaded.documents_new) == (8, 14)
    assert NIGHT.floor >= 8, "so few are nobody's concern, whatever their share"
