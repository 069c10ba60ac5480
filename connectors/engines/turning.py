"""Pages of a list that no link leads to: a function of the page turns them, by address or by a form.

The function is not run. Its address is taken where it is put together from a text and the number, and a form's where
one field is named as a page's number; what is asked is always GET. Whether that was right shows in the rows: a walk
ends where they repeat.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from connectors.engines.paging import MAX_PAGES, resolve
from connectors.urls import canonical

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_LABEL = re.compile(r"[\[【<«]*(?:下一?页|后一?页|尾页|末页|next|last|\d{1,4})[>»\]】]*", re.I)
_CALL = re.compile(r"\b[\w.]{1,60}\(\s*['\"]?(\d{1,4})['\"]?\s*\)")
_STATED = re.compile(r"第\s*\d{1,4}\s*/\s*(\d{1,4})\s*页|共\s*(\d{1,4})\s*页")
_NAMED = re.compile(r"['\"]([\w./-]{0,120}[\w/-])['\"]\s{0,3}\+\s{0,3}\w{1,40}\s{0,3}\+\s{0,3}['\"](\.\w{2,6})['\"]")
_QUERY = re.compile(
    r"['\"]([^'\"\s<>]{0,300}[?&]\w{0,20}(?:page|index|num|p|pn)\w{0,10}=)['\"]\s{0,3}\+\s{0,3}\w", re.I
)
_FIELD = re.compile(r"(?:cur|current|to|go)?_?(?:page|pn|p)_?(?:no|num|number|index|id)?", re.I)
_MAX_FIELDS = 20


def find_turned(root: HtmlElement, text: str, url: str) -> tuple[str, ...]:
    """Addresses of pages 2 to the last that the pager's calls name; empty where the page has no such pager."""
    last = _last_page(root, text)
    if last < 2:
        return ()
    numbers = range(2, min(last, MAX_PAGES) + 1)
    if named := _NAMED.search(text):
        return resolve([f"{named[1]}{number}{named[2]}" for number in numbers], url)
    if query := _QUERY.search(text):
        return resolve([f"{query[1]}{number}" for number in numbers], url)
    return _by_form(root, url, numbers)


def _last_page(root: HtmlElement, text: str) -> int:
    """The highest number that a pager's call is given; what the page states counts only beside such calls."""
    called = []
    for link in root.iter("a"):
        call = link.get("onclick") or link.get("href") or ""
        if len(call) > 300 or ("(" not in call):
            continue
        match = _CALL.search(call.replace("void(0)", ""))
        if match and _LABEL.fullmatch("".join(link.text_content().split())[:20]):
            called.append(int(match[1]))
    stated = [int(one or other) for one, other in _STATED.findall(text)]
    return max([*called, *stated]) if called else 0


def _by_form(root: HtmlElement, url: str, numbers: range) -> tuple[str, ...]:
    for form in root.iter("form"):
        fields = [
            (field.get("name") or "", field.get("value") or "")
            for field in form.iter("input")
            if field.get("name") and (field.get("type") or "").lower() not in ("submit", "button", "checkbox", "radio")
        ][:_MAX_FIELDS]
        names = [name for name, _ in fields if _FIELD.fullmatch(name)]
        if not names:
            continue
        action = (form.get("action") or "").strip() or url.partition("?")[0]
        mark = "&" if "?" in action else "?"
        calls = [
            f"{action}{mark}{urlencode([(name, str(number) if name == names[0] else value) for name, value in fields])}"
            for number in numbers
        ]
        return tuple(address for address in resolve(calls, url) if address != canonical(url))
    return ()
