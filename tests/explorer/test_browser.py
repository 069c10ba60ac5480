"""The ways of a reader in a real browser: from the overview to the sentence, by mouse and by keyboard, on two screens.

Any console message of an error, any request to another host, any page wider than the screen, and any serious finding of
axe fails. FAZHI_SCREENSHOTS=folder keeps pictures for the eye.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.explorer.serving import Served

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SCREENS = {"wide": (1280, 900), "phone": (375, 800)}
METRIC = "/metrics/disputes_mediated?year=2021&regions=990101,990201"
VISITED = ["/", "/metrics", METRIC, "/regions", "/regions/990102?with=990101", "/documents", "/findings",
           "/findings?kind=restated", "/findings/acknowledge?finding=check:1", "/runs", "/runs/r1", "/data",
           "/data/fact_check", "/dictionary?q=verdict", "/api", "/nowhere"]  # fmt: skip


@contextmanager
def reading(browser: Browser, address: str, screen: str = "wide") -> Iterator[Page]:
    """A fresh page that fails at its end for whatever went wrong in it."""
    width, height = SCREENS[screen]
    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN", reduced_motion="reduce")
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((address, "data:")) else faults.append(asked.url))
    yield page
    context.close()
    assert [one for one in faults if "404" not in one] == []


def look(page: Page, served: Served, path: str, name: str) -> None:
    page.goto(served.address + path)
    if "/metrics/" in path:
        page.wait_for_selector("#charts[data-drawn=yes]")
    folder = os.environ.get("FAZHI_SCREENSHOTS")
    if folder:
        page.screenshot(
            path=f"{folder}/{name or re.sub(r'[^a-z]+', '-', path).strip('-') or 'overview'}.png", full_page=True
        )


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def serious(page: Page) -> list[str]:
    """What axe finds that is serious or worse: rule and element."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_fit_and_can_be_read_by_everybody(browser: Browser, served: Served, screen: str) -> None:
    report = served.rows("SELECT document_key FROM ix.report WHERE report_year = 2021 AND region_code = '990101'")[0]
    with reading(browser, served.address, screen) as page:
        for path in [*VISITED, f"/documents/{report['document_key']}", f"/documents/{report['document_key']}/source"]:
            look(page, served, path, f"{screen}-{re.sub('[^a-z]+', '-', path).strip('-') or 'overview'}")
            assert overflow(page) <= 0, f"{path} is wider than the {screen} screen"
            assert serious(page) == [], path


def test_from_the_overview_to_the_sentence(browser: Browser, served: Served) -> None:
    with reading(browser, served.address) as page:
        page.goto(served.address + "/")
        page.get_by_label("找指标（中文或英文）").fill("调解")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="调解化解矛盾纠纷数").click()
        page.wait_for_selector("#charts[data-drawn=yes]")
        assert page.locator("canvas").count() >= 2
        page.locator("tbody th a", has_text="岚禾县").first.click()
        expect(page.locator("h1")).to_have_text("岚禾县")
        row = page.locator("tr", has=page.get_by_role("link", name="调解化解矛盾纠纷数")).first
        row.get_by_role("link", name="520").click()
        expect(page.locator("tr:target")).to_contain_text("520件")
        page.locator("tr:target th a").click()
        number = page.locator("a.num-mark:target")
        expect(number).to_contain_text("520件")
        assert "调解纠纷520件。应当出庭20件" in page.locator("article p").inner_text(), (
            "a sentence is copied as it stands"
        )
        number.hover()
        assert "调解化解矛盾纠纷数" in str(number.get_attribute("data-tip"))
        expect(page.locator("tr.lit")).to_contain_text("520件")
        number.click()
        expect(page.locator("tr:target")).to_contain_text("520件")
        assert page.evaluate("document.activeElement.tagName") == "TR"


def test_search_as_one_types_in_both_languages(browser: Browser, served: Served) -> None:
    with reading(browser, served.address) as page:
        page.goto(served.address + "/metrics")
        page.keyboard.press("/")
        page.keyboard.type("mediated")
        expect(page.get_by_role("status")).not_to_have_text("166 个指标")
        expect(page.get_by_role("link", name="调解化解矛盾纠纷数")).to_be_visible()
        page.wait_for_url("**/metrics?q=mediated**")
        shared = page.url
        page.get_by_role("link", name="English").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Metrics")
        page.goto(shared)
        expect(page.locator("#q")).to_have_value("mediated")
        page.locator("#q").fill("调解 zzz")
        expect(page.locator(".empty")).to_be_visible()


def test_keyboard_reaches_content_and_numbers(browser: Browser, served: Served) -> None:
    report = served.rows("SELECT document_key FROM ix.report WHERE report_year = 2021 AND region_code = '990101'")[0]
    with reading(browser, served.address) as page:
        page.goto(f"{served.address}/documents/{report['document_key']}")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        page.locator("a.num-mark").first.focus()
        assert page.evaluate("getComputedStyle(document.activeElement, '::after').position") == "fixed"
        page.keyboard.press("Enter")
        expect(page.locator("tr:target")).to_be_in_viewport()


def test_works_without_scripts(browser: Browser, served: Served) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(served.address + "/findings?state=all&verdict=fails")
    page.locator("a[href*='#c']").first.click()
    expect(page.locator("li:target")).to_contain_text("18 / 20 = 95%")
    page.goto(served.address + METRIC)
    assert page.locator("table").count() == 2
    context.close()
