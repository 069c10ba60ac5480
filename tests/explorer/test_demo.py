"""`fazhi demo`, then `fazhi explore`, as a newcomer runs them: the sandbox's reports, and the archived page."""

from __future__ import annotations

import os
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.explorer.test_browser import reading
from tests.nightly.conftest import FAZHI, running


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_demo_can_be_explored(browser: Browser, tmp_path: Path, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(demo / "data", tmp_path / "data")
    told = (demo / "told").read_text(encoding="utf-8")
    assert "fazhi explore" in told and "http://127.0.0.1:8710/" in told
    for name in [one for one in os.environ if one.startswith("FAZHI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FAZHI_HOME", str(tmp_path / "data"))
    with running([str(FAZHI), "explore", "--port", "0"]) as said:
        address = said.rstrip("/")
        _wait(address)
        with reading(browser, address) as page:
            _walk(page, address)


def _wait(address: str) -> None:
    """Until the index of the first release is made: before that pages say so with 503."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=30):
                return
        except urllib.error.HTTPError as error:
            assert error.code == 503
            time.sleep(0.1)
    raise AssertionError("the release was not ready within a minute")


def _walk(page: Page, address: str) -> None:
    """From the overview to a sentence of the sandbox's reports, its page in the archive, damaged words and spam."""
    page.goto(address)
    expect(page.locator(".facts li").nth(1)).to_contain_text("12")
    page.get_by_label("找指标（中文或英文）").fill("收到行政复议申请数")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="收到行政复议申请数", exact=True).click()
    page.wait_for_selector("#charts[data-drawn=yes]")
    page.locator("tbody th a", has_text="岚禾县").first.click()
    row = page.locator("tr", has=page.get_by_role("link", name="收到行政复议申请数")).first
    row.get_by_role("link", name="142").click()
    expect(page.locator("tr:target")).to_contain_text("142件")
    page.locator("tr:target th a").click()
    expect(page.locator("a.num-mark:target")).to_have_class("num-mark fate-held")
    expect(page.locator(".fate-fails").first).to_be_visible()
    assert "审结125件" in page.locator("article").inner_text()
    page.get_by_role("link", name="归档网页（源代码）").click()
    expect(page.locator("pre")).to_contain_text("<title>")
    page.goto(f"{address}/findings?kind=spam")
    expect(page.locator("main")).to_contain_text("清除了 3 个链接")
    page.locator("main li a[href*='#x']").first.click()
    place = page.locator("a.cut:target")
    expect(place).to_be_in_viewport()
    place.click()
    expect(page.locator("li:target .tag")).to_be_visible()
    page.goto(f"{address}/findings?kind=damaged&lang=en")
    expect(page.locator("blockquote").first).to_be_visible()
