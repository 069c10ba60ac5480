"""What is asked of a page's bytes, each in one pass. The compiled passes (extraction/native_octets.pyx) answer the
same; extraction/passes.py says which are used.
"""

from __future__ import annotations

import re

_ASCII = bytes(range(128))
_CONTROLS = bytes(byte for byte in _ASCII if (byte < 32 and byte not in b"\t\n\r") or byte == 127)
_UTF8_PARTS = bytes(0x01 if 0xE3 <= byte <= 0xE9 else 0x02 if 0x80 <= byte <= 0xBF else 0 for byte in range(256))
"""Bytes as what they can be in UTF-8: the first of a CJK character, a further one, neither."""
_UTF8_HAN_RUN = b"\x01\x02\x02" * 4
"""Four CJK characters of UTF-8, so written: a string is found many times as fast as a pattern."""
GB_LEADS, GB_TRAILS = bytes((*range(0xA1, 0xA4), *range(0xB0, 0xD8))), bytes(range(0xA1, 0xFF))
"""The bytes of which GB 2312's punctuation and its 3,755 level-1 characters are pairs."""

_ATTRIBUTE = rb"(?>[\s/]*+[^\s/>][^\s/>=]*+(?>\s*+=\s*+(?>\"[^\"]*+\"|'[^']*+'|[^\s>\"'][^\s>]*+|))?+)"
"""As HTML 5 tells them apart."""
MOST_ATTRIBUTES = 1000
"""Of one tag. libxml2 goes through those of a tag for each further one: of a hundred thousand it would take minutes."""
MOST_DELIMITERS, DELIMITERS = 8_000, b" \t\n\r\x0b\x0c/\"'"
"""Without more of these no tag has so many attributes that it takes longer than a tenth of a second."""
_TAG_BEGIN = rb"[A-Za-z][^\s/>]*+(?>" + _ATTRIBUTE + rb"){0,%d}+" % MOST_ATTRIBUTES
_SHORT_TAGS = re.compile(rb"[^<]*+(?><(?>(?![A-Za-z])|" + _TAG_BEGIN + rb"[\s/]*+(?:>|\Z))[^<]*+)*+")
_LONG_TAG = re.compile(rb"(<" + _TAG_BEGIN + rb")(?>" + _ATTRIBUTE + rb")*+")
"""Each tag whole, whatever stands in its values: what was looked at once is not looked at again."""


def has_controls(body: bytes) -> bool:
    """Whether there is a control character in text of a charset whose ASCII is ASCII."""
    return True in map(body.__contains__, _CONTROLS)


def has_marks(text: str, markup: bytes | None = None) -> bool:
    """Whether a text holds a byte order mark or what is no character: U+FEFF, U+FFFE, U+FFFF. `markup` is the UTF-8
    that it was read from, where that is at hand."""
    return "\ufeff" in text or "\ufffe" in text or "\uffff" in text


def has_utf8_run(body: bytes) -> bool:
    """Whether the bytes of four CJK characters of UTF-8 stand in a row."""
    return _UTF8_HAN_RUN in body.translate(_UTF8_PARTS)


def count_rare_gb(body: bytes, most: int) -> tuple[int, int]:
    """Of the bytes beyond ASCII, `most` at most, taken as pairs: how many are no part of a common character of
    GB 2312, and how many there are."""
    pairs = body.translate(None, _ASCII)[:most]
    return len(pairs[::2].translate(None, GB_LEADS)) + len(pairs[1::2].translate(None, GB_TRAILS)), len(pairs)


def read_gb(body: bytes) -> str:
    """The text of GB 18030, with U+FFFD for what cannot be read."""
    return body.decode("gb18030", "replace")


def has_long_tag(body: bytes) -> bool:
    """Whether a tag has more than `MOST_ATTRIBUTES`, in a page that has delimiters enough for thousands. Scripts and
    comments are not told from the rest."""
    if len(body) - len(body.translate(None, DELIMITERS)) <= MOST_DELIMITERS:
        return False
    found = _SHORT_TAGS.match(body)
    return found is None or found.end() < len(body)


def cut_long_tags(body: bytes) -> bytes:
    """The page with no more of them than that in any tag."""
    return _LONG_TAG.sub(rb"\1", body)
