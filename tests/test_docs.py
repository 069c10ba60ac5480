"""Generated documents are what the code says, and the documents that people write lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from fazhi.docs import pages
from tests.conftest import ROOT


def test_generated_documents_are_current() -> None:
    generated = pages()
    assert generated
    stale = [path.name for path, text in generated.items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `make docs`"


def test_links_between_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("sandbox/*.md")]
    links = [
        (document.name, document.parent / target)
        for document in documents
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8"))
    ]
    assert len(links) > 10
    assert [(name, str(target)) for name, target in links if not Path(target).exists()] == []
