"""Answers of a fictional portal, ready to be archived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connectors.http.model import Fetch

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
HEADERS = {
    "content-type": "text/html; charset=gbk",
    "content-encoding": "gzip",
    "content-length": "3",
    "transfer-encoding": "chunked",
    "set-cookie": "session=1",
    "etag": '"a1"',
    "x-name": "云溪",
}


def fetch(body: bytes = b"<p>page</p>", number: int = 0, *, days: float = 0, **more: object) -> Fetch:
    url = f"http://www.yunxi.example/{number}.html?x=1"
    fields: dict[str, object] = {
        "url": url, "final_url": url, "status": 200, "headers": HEADERS, "body": body, "not_modified": False,
        "etag": '"a1"', "last_modified": None, "content_type": HEADERS["content-type"],
        "fetched_at": AT + timedelta(days=days), "elapsed_ms": 5, "attempts": (),
    }  # fmt: skip
    return Fetch(**{**fields, **more})  # type: ignore[arg-type]
