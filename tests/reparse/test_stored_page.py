"""A page taken out of the archive is read as the crawl read it: also one that only a feed carried."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.archive import Archive
from connectors.base import PageRef
from connectors.errors import SourceChanged
from connectors.registry import Start
from tasks.assemble import document_text
from tasks.fetches import stored_ref
from tasks.stored_page import Stored, read_stored
from tests.connectors.attachment_files import docx, par
from tests.connectors.engine_pages import CMS, SITE, make_source
from tests.connectors.portal import HOST, Item
from tests.connectors.portal import source as portal_source
from tests.connectors.test_engines import feed, item
from tests.reparse.house import SEEN, store, url_of

FEED = f"{SITE}/cms/jsp/rss.jsp?ColumnID=9"


def test_a_document_that_a_feed_carried_is_read_from_the_feed(tmp_path: Path) -> None:
    source = make_source("cms_html").model_copy(update={"start": (Start(url=FEED, kind="feed"),)})
    with Archive(tmp_path / "raw") as archive:
        ref = store(archive, FEED, feed(item(1) + item(2)).replace("GBK", "UTF-8"), SEEN)
        page = archive.load(ref)
        wanted = PageRef(CMS)
        read = read_stored(archive, source, Stored(wanted, page, ref, SEEN), {})
        assert (read.article.title, read.article.body.text) == ("云岭县第2号 A&B 报告", "办结25件。")
        gone = PageRef(CMS.replace("101112", "101119"))
        with pytest.raises(SourceChanged, match="feed that carried it"):
            read_stored(archive, source, Stored(gone, page, ref, SEEN), {})


def test_a_report_in_an_attachment_is_read_from_the_attachment_of_the_archive(tmp_path: Path) -> None:
    source, url = portal_source(), f"https://{HOST}/files/r.docx"
    page = Item(
        "202402/t20240211_9.html", "乌有县2023年法治政府建设情况报告", "2024-02-11",
        f'</p><p><a href="{url}">附件：报告.docx</a>',
    )  # fmt: skip
    with Archive(tmp_path / "raw") as archive:
        ref = store(archive, url_of(page), page.page, SEEN)
        held = store(archive, url, docx(par("2023年，全县收到行政复议申请123件。")), SEEN)
        answer = Stored(PageRef(url_of(page), page.title), archive.load(ref), ref, SEEN)
        read = read_stored(archive, source, answer, {url: stored_ref(held)})
        assert "收到行政复议申请123件" in document_text(read).text
        assert "123件" not in document_text(read_stored(archive, source, answer, {})).text
