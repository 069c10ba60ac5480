"""What a tag does to the text around it, and what an inline style makes of that."""

from __future__ import annotations

import re

_BLOCKS = (
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog",
    "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4",
    "h5", "h6", "header", "hr", "legend", "li", "main", "menu", "nav", "ol", "p", "section", "summary",
    "table", "tbody", "td", "tfoot", "th", "thead", "ul", "ucapcontent",
)  # fmt: skip
_SKIPPED = (
    "script", "style", "noscript", "template", "iframe", "frame", "object", "embed", "applet", "video",
    "audio", "canvas", "svg", "math", "select", "option", "optgroup", "textarea", "button", "input", "head",
    "title", "meta", "link", "base", "map", "img",
)  # fmt: skip
ROLES = {
    **dict.fromkeys(_BLOCKS, "block"),
    **dict.fromkeys(_SKIPPED, "skip"),
    **dict.fromkeys(("span", "font", "b", "strong", "i", "em", "u", "o:p"), "inline"),
    "br": "break",
    "tr": "tr",
    "a": "a",
    "pre": "pre",
    "marquee": "marquee",
}
"""What a tag does to the text; `tr`, `a`, `pre` and `marquee` each have a rule of their own."""
_WORD_DATA = re.compile(r"w:|v:|x:|m:mathpr|o:(?!p\b)")
"""Elements of Word's `<xml>` blocks. The block itself is transparent: editors lose its end tag."""


def find_role(tag: object) -> str:
    """The role of a tag; `inline` for one that is not known, `skip` for a comment."""
    if not isinstance(tag, str) or (":" in tag and _WORD_DATA.match(tag)):
        return "skip"
    return ROLES.get(tag, "inline")


def restyle(role: str, display: str) -> str:
    """What a style makes of a role. Rows stay rows, and a link that is a block is a link with lines of its own."""
    if role == "pre" or (role in ("block", "inline", "marquee") and display == "block"):
        return "inline" if role == "pre" and display == "inline" else "block"
    if role == "a" and display == "block":
        return "block link"
    return "inline" if role == "block" and display == "inline" else role
