"""What the tags of one body mean, and what of it is left out: hidden, planted, furniture.

Both walks over a body ask here, the one over its markup (extraction/reading.py) and the compiled one over its tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from extraction.chrome import MAX_NAMES, is_furniture, names_furniture
from extraction.files import is_file_link
from extraction.spam import (
    MAX_INLINE_STYLE,
    PLAIN,
    Style,
    find_hidden_reason,
    has_spam_word,
    is_foreign,
    is_spam_link,
    read_style,
)
from extraction.tags import find_role, restyle
from extraction.textmap import Line, Removed

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_QUOTE = 200
"""Characters kept of a removed text."""
CLOSER_LOOK = "closer look"
LONGEST_TAG = 300
MOST_TAGS = 4096
"""A page repeats a few dozen tags hundreds of times, so what a tag means is kept by its spelling: of tags up to this
length, and of so many."""


class State(NamedTuple):
    """What a text node inherits."""

    is_link: bool = False
    is_file: bool = False
    is_invisible: bool = False
    is_pre: bool = False


@dataclass(slots=True)
class Judge:
    """The judge of one body, and what was left out of it."""

    base_url: str
    hidden_names: frozenset[str]
    shows_hidden: bool = False
    removed: list[Removed] = field(default_factory=list)
    hidden_chars: int = 0
    has_spam: bool = False
    _innocent: set[HtmlElement] = field(default_factory=set)
    """Hidden elements that are shown: what is inside them is not planted either, and is not looked through again."""

    def hides_the_body(self, lines: Sequence[Line]) -> bool:
        """Whether the page hides more than it shows and shows it by script later (tabs, lazy layouts)."""
        if self.hidden_chars <= 100:
            return False
        return self.hidden_chars > sum(len(line.text) for line in lines)

    def judge(self, element: HtmlElement) -> str:
        """A role of extraction/tags.py, or `CLOSER_LOOK` where more than the tag decides. It depends on nothing but
        the element's name and attributes, and on `hidden_names`."""
        role, style = find_role(element.tag), PLAIN
        if role in ("break", "skip"):
            return role
        for name, value in element.items():
            if name == "style":
                style = read_style(value[:MAX_INLINE_STYLE])
            elif (name == "class" or name == "id") and names_furniture(value[:MAX_NAMES]):
                return CLOSER_LOOK
        if role not in ("inline", "block", "tr") or style.font == "zero":
            return CLOSER_LOOK
        return CLOSER_LOOK if find_hidden_reason(element, style, self.hidden_names) else restyle(role, style.display)

    def look(self, element: HtmlElement, path: str, state: State) -> tuple[str, State]:
        """Look at one element whatever it is: its role (`inline`, `block`, `tr`; `skip` or `break` where it is left
        out) and the state inside it."""
        role, style = find_role(element.tag), read_style((element.get("style") or "")[:MAX_INLINE_STYLE])
        if self._is_left_out(element, path, style):
            return "skip", state
        state = _inherit(state, role, style)
        role = restyle(role, style.display)
        if role in ("tr", "inline", "block"):
            return role, state
        inner = self._enter_link(element, path, state)
        if inner is None:
            return "break" if role == "block link" else "skip", state
        return "block" if role == "block link" else "inline", inner

    def note_invisible(self, text: str, node: str) -> None:
        """Keep account of a text of size zero."""
        hidden = "".join(text.split())
        if hidden:
            self.hidden_chars += len(hidden)
            self.removed.append(Removed("hidden", text.strip()[:_QUOTE], node))

    def _is_left_out(self, element: HtmlElement, path: str, style: Style) -> bool:
        if find_hidden_reason(element, style, self.hidden_names):
            is_planted = not self._is_innocent(element) and self._is_planted(element)
            if is_planted or not self.shows_hidden:
                self._note_hidden(element, path, is_planted=is_planted)
                return True
            self._innocent.add(element)
        if is_furniture(element):
            text = " ".join(element.text_content().split())
            if text:
                self.removed.append(Removed("furniture", text[:_QUOTE], path))
            return True
        return False

    def _note_hidden(self, element: HtmlElement, path: str, *, is_planted: bool) -> None:
        text = " ".join("".join(_readable(element)).split())
        link = element if element.tag == "a" else next(element.iter("a"), None)
        href = None if link is None else link.get("href")
        if text or href:
            self.removed.append(Removed("hidden", text[:_QUOTE], path, href and href.strip()[:_QUOTE]))
        if is_planted:
            self.has_spam = True
        else:
            self.hidden_chars += len("".join(text.split()))

    def _is_innocent(self, element: HtmlElement) -> bool:
        return bool(self._innocent) and any(above in self._innocent for above in element.iterancestors())

    def _is_planted(self, element: HtmlElement) -> bool:
        """Hidden and of the trade: it stays out even where the page hides its whole body."""
        if any(is_foreign(link.get("href") or "", self.base_url) for link in element.iter("a")):
            return True
        return has_spam_word("".join(_readable(element)))

    def _enter_link(self, element: HtmlElement, path: str, state: State) -> State | None:
        """The state inside a link; None for an injected one, which is left out and noted."""
        href = element.get("href")
        if not href:
            return state
        label = element.text_content()
        if is_spam_link(label, href, self.base_url):
            self.has_spam = True
            self.removed.append(Removed("spam_link", " ".join(label.split())[:_QUOTE], path, href.strip()[:_QUOTE]))
            return None
        return state._replace(is_link=True, is_file=is_file_link(href, label))


def _inherit(state: State, role: str, style: Style) -> State:
    is_invisible = style.font == "zero" if style.font else state.is_invisible
    is_pre = state.is_pre or role == "pre"
    if is_invisible == state.is_invisible and is_pre == state.is_pre:
        return state
    return state._replace(is_invisible=is_invisible, is_pre=is_pre)


def _readable(element: HtmlElement) -> Iterator[str]:
    """The text of an element without that of scripts and styles."""
    for node in element.iter():
        if isinstance(node.tag, str) and node.tag not in ("script", "style"):
            yield node.text or ""
        if node is not element:
            yield node.tail or ""
