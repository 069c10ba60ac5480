"""The text of a report from its page and its attachments, and when attachments are asked for at all.

Three evidences: the page holds next to nothing (the attachment is the report), it holds a few lines (a cover note), or
it sends the reader to its attachments (详见附件). A report that is on the page in full often comes again as a file:
what says the same is taken once, so that no figure counts twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from extraction.textmap import Segment, name_from_document

if TYPE_CHECKING:
    from connectors.attachments.result import AttachmentText
    from connectors.base import AttachmentRef
    from extraction.clean import CleanText

SHORT_BODY = 40
"""A report whose page holds fewer characters than this is its attachment (PORTALS.md: 37 of 269 pages)."""
COVER_NOTE = 300
"""No report is shorter; a note that publishes one may be as long."""
_SENDS_ON = re.compile(
    r"(?<![意主偏成])(?:详?见|参[见阅]|查[看阅]|下载|点击)\s?(?:文[后末]|下方|后附|以下|本页)?的?附件|附件(?:如下|所示)"
)
_GRAM = 12
"""Letters of the pieces by which two texts are compared."""
_SAME = 0.6
"""Share of its pieces that another text holds, from which a text says nothing new. A page that quotes a third of its
attachment stays below; the same report, set twice, reaches 0.9."""


@dataclass(frozen=True, slots=True)
class Composed:
    """The text that is parsed, and where it comes from."""

    text: str
    attached: str
    """The attachments' part of it."""
    segments: tuple[Segment, ...]
    """As in `extraction.textmap`, with nodes named from the page's own root, or `<URL>#page=3` for attachments."""


def wants_attachments(body: str) -> bool:
    """Whether the text of a report may be in its attachments, by what its page says."""
    return len(body) < COVER_NOTE or _SENDS_ON.search(body) is not None


class _Piece(NamedTuple):
    text: str
    segments: tuple[Segment, ...]
    is_attached: bool


def compose(body: CleanText, found: Sequence[tuple[AttachmentRef, AttachmentText]]) -> Composed:
    """Page and attachments as one text, in this order; of pieces that say the same, the first or the longer one."""
    pieces: list[_Piece] = []
    if len(body.text) >= SHORT_BODY or not any(read.text for _, read in found):
        pieces.append(_Piece(body.text, name_from_document(body.segments, body.root), False))
    for ref, read in found:
        if read.text and not any(_says(piece.text, read.text) for piece in pieces):
            places = tuple((start, end, f"{ref.url}#{place}", at) for start, end, place, at in read.segments)
            pieces = [piece for piece in pieces if not _says(read.text, piece.text)]
            pieces.append(_Piece(read.text, places, True))
    segments: list[Segment] = []
    length = 0
    for piece in pieces:
        segments += [(start + length, end + length, node, at) for start, end, node, at in piece.segments]
        length += len(piece.text) + 1
    attached = "\n".join(piece.text for piece in pieces if piece.is_attached)
    return Composed("\n".join(piece.text for piece in pieces), attached, tuple(segments))


def _says(one: str, other: str) -> bool:
    """Whether `one` holds what `other` says, wherever either breaks its lines."""
    grams = _grams(other)
    return bool(grams) and len(grams & _grams(one)) >= _SAME * len(grams)


def _grams(text: str) -> set[str]:
    bare = "".join(char for char in text if char.isalnum())
    return {bare[at : at + _GRAM] for at in range(max(len(bare) - _GRAM + 1, bool(bare)))}
