"""One reader of body text in a process of its own, speaking JSON lines: `python -m benchmarks.text_worker NAME`.

First line out: `{"ready": true}` or `{"missing": MODULE}`. Then, for each `{"url", "engine", "page", "content_type",
"encoding"}` (the page as base64), one line `{"cpu": seconds, "text": TEXT}`. The peers are handed the page as text in
its true encoding, so that none loses by a charset; the project begins with the bytes. Only the reading is timed.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Callable
from typing import Any

Read = Callable[[dict[str, Any], bytes, str], str]


def _build_own(is_generic: bool) -> Read:
    from connectors.engines import get_engine
    from connectors.engines.body import find_body
    from extraction.clean import clean_body, parse_html
    from extraction.decode import decode

    def read(about: dict[str, Any], page: bytes, text: str) -> str:
        engine: Any = get_engine(about["engine"])
        root = parse_html(decode(page, about["content_type"]).text)
        body = find_body(root, () if is_generic else engine.bodies)
        return "" if body is None else clean_body(body.node, base_url=about["url"]).text

    return read


def build_fazhi() -> Read:
    """The engine's selectors first, as in a crawl."""
    return _build_own(is_generic=False)


def build_fazhi_generic() -> Read:
    """The same with every selector of the engine removed."""
    return _build_own(is_generic=True)


def build_trafilatura() -> Read:
    from trafilatura import extract

    return lambda about, page, text: extract(text, include_comments=False, include_tables=True) or ""


def build_readability() -> Read:
    from lxml import html
    from readability import Document

    def read(about: dict[str, Any], page: bytes, text: str) -> str:
        summary = Document(text).summary(html_partial=True)
        return "".join(map(str, html.fromstring(summary).itertext())) if summary.strip() else ""

    return read


def build_gne() -> Read:
    from gne import GeneralNewsExtractor

    extractor = GeneralNewsExtractor()
    return lambda about, page, text: extractor.extract(text)["content"]


def build_resiliparse() -> Read:
    from resiliparse.extract.html2text import extract_plain_text

    return lambda about, page, text: extract_plain_text(text, main_content=True, alt_texts=False, links=False)


BUILDERS: dict[str, Callable[[], Read]] = {
    "fazhi": build_fazhi,
    "fazhi-generic": build_fazhi_generic,
    "trafilatura": build_trafilatura,
    "readability": build_readability,
    "gne": build_gne,
    "resiliparse": build_resiliparse,
}


def main(name: str) -> None:
    try:
        read = BUILDERS[name]()
    except ModuleNotFoundError as error:
        print(json.dumps({"missing": error.name}), flush=True)
        return
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        about = json.loads(line)
        page = base64.b64decode(about["page"])
        text = page.decode(about["encoding"], "replace")
        begun = time.process_time()
        got = read(about, page, text)
        print(json.dumps({"cpu": time.process_time() - begun, "text": got}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
