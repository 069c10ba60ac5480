"""Bytes to text: header, then meta, then detection, and evidence above all three.

Portals declare one charset in the header, another in a meta tag and send a third, so a declaration is kept
only while the bytes bear it out:

1. A UTF-16 byte order mark, or the NUL pattern of UTF-16 markup, settles it.
2. Bytes that are UTF-8 but for at most three bad ones are UTF-8, whatever is declared.
3. Otherwise UTF-8, GB 18030 and Big5 are tried, and the one whose text consists of common characters wins.
4. Otherwise the declared charset if it fits, then faust-cchardet on the bytes without tags.

gb2312 and gbk are always read as gb18030, ISO-8859-1 and ASCII as windows-1252 (WHATWG Encoding, 4.2).
Text of the other charset inside a page (an included footer, say) is read in its own, run by run.
Every step is linear in the size of the body.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

import cchardet

from extraction.octets import GB_LEADS
from extraction.passes import count_rare_gb, has_controls, has_marks, has_utf8_run, read_gb

DecidedBy = Literal["bom", "header", "meta", "detected"]

_MAX_BAD_UTF8 = 3
_MIN_SHARE = 0.6
"""Real Chinese text scores 0.9 and more in its own charset, mojibake below 0.4."""
_SAMPLE = 20_000
"""Non-ASCII characters scored: enough to tell, whatever the size of the page."""
_MAX_REPAIRED = 20_000
"""Beyond this many unreadable places a page is not mixed but broken."""
_HEAD = 16_384
"""Bytes searched for a declaration; browsers look at 1,024, portals put scripts first."""

_ALIASES = {
    "gb2312": "gb18030", "gb_2312-80": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb18030": "gb18030",
    "cp936": "gb18030", "euc-cn": "gb18030", "chinese": "gb18030",
    "big5": "big5hkscs", "big5-hkscs": "big5hkscs", "cn-big5": "big5hkscs", "x-x-big5": "big5hkscs",
    "cp950": "big5hkscs",
    "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252",
    "us-ascii": "cp1252", "ascii": "cp1252", "windows-1252": "cp1252",
    "utf8": "utf-8", "utf-8": "utf-8", "unicode-1-1-utf-8": "utf-8",
}  # fmt: skip
_NO_TEXT_CODECS = {"base64", "hex", "bz2", "zlib", "quopri", "rot13", "uu", "idna", "punycode", "undefined"}

_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

_ASCII = bytes(range(128))
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.I)
_META = re.compile(rb"<meta\b[^<>]{0,600}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.I)
_XML_DECLARATION = re.compile(rb"\s*<\?xml\b[^<>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{2,40})", re.I)
_TAG = re.compile(rb"<[^<>]*>")
_ASCII_RUN = re.compile(r"[\x00-\x7f]+")
_RUN_BREAK = re.compile(rb"([<>\n\"])")
_CJK = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufeff\ufffe\uffff]+")


def _block(encoding: str, leads: range, trails: range) -> str:
    cells = (bytes((lead, trail)) for lead in leads for trail in trails)
    return "".join(cell.decode(encoding, "ignore") for cell in cells)


_GB_COMMON = frozenset("".join(_block("gb18030", range(lead, lead + 1), range(0xA1, 0xFF)) for lead in GB_LEADS))
"""Punctuation and the 3,755 level-1 characters of GB 2312."""
_BIG5_COMMON = frozenset(_block("big5hkscs", range(0xA1, 0xC7), range(0x40, 0xFF)))
"""Punctuation and the 5,401 level-1 characters of Big5."""


def _any_of(chars: Iterable[str]) -> re.Pattern[str]:
    """Runs of these characters. A class of ranges is ten times as fast as asking a set for each character."""
    ranges: list[list[int]] = []
    for code in sorted(map(ord, chars)):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    # As themselves, since none means anything in a class: as numbers they take four times as long to compile.
    return re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges) + "]+")


_COMMON = {
    "gb18030": _any_of(_GB_COMMON),
    "big5hkscs": _any_of(_BIG5_COMMON),
    "utf-8": _any_of(_GB_COMMON | _BIG5_COMMON),
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body as text, and how it was got."""

    text: str
    encoding: str
    """Python's name of the charset used."""
    declared_header: str | None
    """The label as sent in Content-Type, lower case; None when absent."""
    declared_meta: str | None
    """The label of the meta tag or XML declaration, lower case; None when absent."""
    bom: str | None
    """`utf-8`, `utf-16-le`, `utf-16-be` when the body starts with that mark."""
    decided_by: DecidedBy
    """`detected` beside a declaration means that the declaration was overruled or unknown."""
    replaced: int = 0
    """U+FFFD in the text: bytes that could not be read, or were lost before they reached us."""
    dropped: int = 0
    """NUL and other control characters, and byte order marks of included files, left out."""
    mixed: int = 0
    """Runs read in a second charset."""
    markup: bytes | None = field(default=None, repr=False, compare=False)
    """The text in UTF-8, where the body came as just that."""

    @property
    def overruled(self) -> bool:
        """True when the bytes contradict every charset that was declared."""
        return self.decided_by == "detected" and bool(self.declared_header or self.declared_meta)


def decode(body: bytes, content_type: str | None = None) -> Decoded:
    """Read `body` as text. Never raises: what cannot be read becomes U+FFFD and is counted."""
    header = _find_header_charset(content_type)
    bom, rest = _split_bom(body)
    utf16 = bom if bom and bom.startswith("utf-16") else _guess_utf16(rest)
    if utf16:
        meta: str | None = None
        encoding, text, mixed = utf16, rest.decode(utf16, "replace"), 0
    else:
        meta = _find_meta_charset(rest)
        labels = [_normalise(label) for label in ("utf-8" if bom else None, header, meta)]
        encoding, text, mixed = _decode_bytes(rest, [label for label in labels if label])
    decided_by: DecidedBy = "detected"
    if bom and encoding == bom:
        decided_by = "bom"
    elif header and _same(header, encoding):
        decided_by = "header"
    elif meta and _same(meta, encoding):
        decided_by = "meta"
    read, dropped = _drop_controls(text, rest, encoding, mixed)
    replaced = read.count("\ufffd") if "\ufffd" in read else 0
    is_as_sent = encoding == "utf-8" and read is text and not replaced and not mixed
    markup = rest if is_as_sent else None
    return Decoded(read, encoding, header, meta, bom, decided_by, replaced, dropped, mixed, markup)


def _decode_bytes(body: bytes, declared: list[str]) -> tuple[str, str, int]:
    """Charset, text and number of runs in a second charset. `declared` is in order of rank."""
    if body.isascii():
        return (declared[0] if declared else "utf-8"), body.decode("ascii"), 0
    if declared and declared[0] == "gb18030" and _is_plainly_gb(body):
        return declared[0], *_repair_runs(body, read_gb(body), declared[0])
    text, bad = _read_utf8(body)
    if _is_utf8(text, bad, declared):
        return "utf-8", *_repair_runs(body, text, "utf-8")
    # Three bytes in a row that make a CJK character of UTF-8 are no accident: count bytes explained.
    scores = {"utf-8": 3 * len(_CJK.findall(text)) / len(body.translate(None, _ASCII))}
    for name in ("gb18030", "big5hkscs"):
        scores[name] = _score(body.decode(name, "replace"), name)
    if declared and declared[0] in scores:
        scores[declared[0]] += 0.1
    best = max(scores, key=lambda name: scores[name])
    if scores[best] >= _MIN_SHARE:
        return best, *_repair_runs(body, body.decode(best, "replace"), best)
    encoding = _choose_other(body, declared)
    return encoding, body.decode(encoding, "replace"), 0


def _read_utf8(body: bytes) -> tuple[str, int]:
    """A body read as UTF-8, and its unreadable places."""
    try:
        return body.decode("utf-8"), 0
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
        return text, text.count("\ufffd") - body.count(b"\xef\xbf\xbd")


def _is_plainly_gb(body: bytes) -> bool:
    """Whether a body that is declared as GB 18030 needs no other reading: it is no UTF-8, and its bytes beyond ASCII,
    which are pairs in GB 2312, are common characters almost without exception."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        rare, count = count_rare_gb(body, 2 * _SAMPLE)
        return 2 * rare < 0.1 * count
    return False


def _is_utf8(text: str, bad: int, declared: list[str]) -> bool:
    """Whether `text`, read as UTF-8 with `bad` unreadable places, settles the matter.

    A few GBK words happen to be valid UTF-8, but of two-byte letters only, never of CJK characters."""
    if bad > _MAX_BAD_UTF8:
        return False
    if bad == 0 and "gb18030" not in declared:
        return True
    n_cjk = sum(1 for _ in islice(_CJK.finditer(text), 64))
    if bad == 0 or (bad == 1 and text.endswith("\ufffd")):
        return n_cjk > 0
    return n_cjk >= 4 * (bad + 1)


def _choose_other(body: bytes, declared: list[str]) -> str:
    """For bytes that are no Chinese text: declared and fitting, else detected, else the least bad."""
    for name in declared:
        if body.decode(name, "replace").count("\ufffd") <= len(body) // 200:
            return name
    guess = cchardet.detect(_TAG.sub(b" ", body[: 16 * _HEAD]))
    detected = _normalise(guess["encoding"])
    if detected and (guess["confidence"] or 0) >= 0.7:
        return detected
    candidates = [*declared, "utf-8", "gb18030"]
    return min(candidates, key=lambda name: body.decode(name, "replace").count("\ufffd"))


def _score(text: str, encoding: str = "utf-8") -> float:
    """Share of common characters among the non-ASCII ones, less the share of unreadable ones."""
    letters = _ASCII_RUN.sub("", text)[:_SAMPLE]
    if not letters:
        return 0.0
    common = len(letters) - len(_COMMON[encoding].sub("", letters))
    return (common - letters.count("\ufffd")) / len(letters)


def _repair_runs(body: bytes, text: str, main: str) -> tuple[str, int]:
    """Read runs between tags, quotes and line ends that are plainly in the other charset in that one.

    None of the break bytes can be the second byte of a GB 18030 pair, so splitting is safe."""
    if main == "utf-8" and "\ufffd" in text and text.count("\ufffd") <= _MAX_REPAIRED:
        other = "gb18030"
    elif main == "gb18030" and has_utf8_run(body):
        other = "utf-8"
    else:
        return text, 0
    parts, mixed = [], 0
    for run in _RUN_BREAK.split(body):
        part = run.decode(main, "replace")
        if not run.isascii() and (main == "gb18030" or "\ufffd" in part):
            second = run.decode(other, "replace")
            if _is_better(second, other, part, main):
                part, mixed = second, mixed + 1
        parts.append(part)
    return "".join(parts), mixed


def _is_better(second: str, other: str, first: str, main: str) -> bool:
    """A clear case only: readable, two or more CJK characters (four in UTF-8), nearly all common.

    `other` is the charset of `second`, `main` that of `first`."""
    if "\ufffd" in second or len(_CJK.findall(second)) < (4 if other == "utf-8" else 2):
        return False
    share = _score(second, other)
    return share >= 0.8 and share > _score(first, main)


def _split_bom(body: bytes) -> tuple[str | None, bytes]:
    for mark, name in _BOMS.items():
        if body.startswith(mark):
            return name, body[len(mark) :]
    return None, body


def _guess_utf16(body: bytes) -> str | None:
    """UTF-16 without a mark: NULs, and either one in every second byte or a text of common characters."""
    head = body[: _HEAD // 2 * 2]
    if 0 not in head:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 > len(head) and max(even, odd) > 4 * min(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    fitting = (n for n in ("utf-16-le", "utf-16-be") if _score(head.decode(n, "replace")) >= _MIN_SHARE)
    return next(fitting, None)


def _find_header_charset(content_type: str | None) -> str | None:
    found = _CHARSET.search(content_type[:1000]) if content_type else None
    return found.group(1).lower() if found else None


def _find_meta_charset(body: bytes) -> str | None:
    head = body[:_HEAD]
    found = _XML_DECLARATION.match(head) or _META.search(head)
    if found is None or b"<!--" in head[: found.end()]:
        head = _cut_comments(head)
        found = _XML_DECLARATION.match(head) or _META.search(head)
    return found.group(1).decode("ascii").lower() if found else None


def _cut_comments(head: bytes) -> bytes:
    parts, at = [], 0
    while (start := head.find(b"<!--", at)) >= 0:
        parts.append(head[at:start])
        end = head.find(b"-->", start + 4)
        if end < 0:
            return b"".join(parts)
        at = end + 3
    return b"".join([*parts, head[at:]])


def _normalise(label: str | None) -> str | None:
    """Python's name of a byte-wise text charset; None for an unknown label and for UTF-16 (see `decode`)."""
    if not label:
        return None
    label = label.lower()
    if label in _ALIASES:
        return _ALIASES[label]
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return None
    if name in _NO_TEXT_CODECS or name.startswith(("utf-16", "utf-32", "utf-7", "unicode", "raw")):
        return None
    return _ALIASES.get(name, name)


def _same(label: str, encoding: str) -> bool:
    return _normalise(label) == encoding or (label.startswith("utf-16") and encoding.startswith("utf-16"))


def _drop_controls(text: str, body: bytes, encoding: str, mixed: int) -> tuple[str, int]:
    """Leave out what no document may hold; vertical tab and form feed are line ends. The bytes tell fastest whether
    there is any of it, in a charset whose ASCII is ASCII."""
    ascii_body = body if encoding in _COMMON else text.encode("utf-8", "replace")
    if not has_controls(ascii_body) and not has_marks(text, body if encoding == "utf-8" and not mixed else None):
        return text, 0
    text = text.replace("\x0b", "\n").replace("\x0c", "\n")
    clean = _CONTROLS.sub("", text)
    return clean, len(text) - len(clean)
