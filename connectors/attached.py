"""The attachments that hold the text of a report whose page is empty."""

from __future__ import annotations

import asyncio

from connectors.asking import ENDS_RUN, Asker
from connectors.attachments import AttachmentText, read_attachment
from connectors.base import Article, AttachmentRef
from connectors.crawled import UNCHANGED, Answer, Known, RawPage
from connectors.errors import SourceChanged, SourceError
from connectors.urls import document_key

MAX_FILES = 40
"""Attachments of one page that are asked for."""


class AttachmentReader:
    """Asks for each attachment once a run, whichever pages name it."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._asked: dict[str, Answer | None] = {}

    async def read(self, article: Article) -> tuple[list[tuple[AttachmentRef, AttachmentText]], bool]:
        """The attachments' texts, and whether all could be had: one that fails tonight may be there tomorrow.

        What is beyond `MAX_FILES` is told, and not missed."""
        texts, asked = [], article.attachments[:MAX_FILES]
        if len(article.attachments) > MAX_FILES:
            self._asker.result.notes.append(
                f"{article.url}: {len(article.attachments)} attachments, of which the first {MAX_FILES} are asked for"
            )
        for attachment in asked:
            stored = await self._ask(attachment)
            if stored is not None:
                read = await asyncio.to_thread(read_attachment, stored.body, attachment.name)
                texts.append((attachment, read))
        damaged = any(found.kind in ("damaged", "web_page") for _, found in texts)
        return texts, len(texts) == len(asked) and not damaged

    async def have_changed(self, known: Known | None) -> bool:
        """Whether an attachment that holds the text of an unchanged page has other bytes than last time."""
        changed = False
        for attachment in known.attachments if known is not None else ():
            await self._ask(attachment)
            asked = self._asked[document_key(attachment.url)]
            changed |= asked is not None and asked.seen.outcome not in UNCHANGED
        return changed

    async def _ask(self, attachment: AttachmentRef) -> RawPage | None:
        """The attachment's bytes; None, and a failure in the result, when it cannot be had tonight."""
        key = document_key(attachment.url)
        if key not in self._asked:
            self._asker.result.planned += 1
            try:
                answer = await self._asker.ask(attachment.url, "attachment")
            except ENDS_RUN:
                raise
            except SourceError as error:
                self._asker.fail(attachment.url, "attachment", error)
                self._asked[key] = None
            else:
                self._asked[key] = self._take(answer)
        asked = self._asked[key]
        return asked.stored if asked is not None else None

    def _take(self, answer: Answer) -> Answer | None:
        """None for a web page (an error page, most often) or for nothing where a file should be."""
        stored = answer.stored
        is_page = (stored.content_type or "").lower().startswith("text/html") and stored.body.lstrip()[:1] == b"<"
        if stored.body and not is_page:
            self._asker.count(answer)
            return answer
        what = "a web page" if is_page else "nothing"
        error = SourceChanged(f"{answer.seen.url} is listed as an attachment, but holds {what}")
        self._asker.reject(answer, error)
        return None
