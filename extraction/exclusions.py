"""Stretches of a text in which a numeral counts nothing: addresses, titles, dates, document and list numbers.

All patterns are bounded or single-pass: a megabyte of brackets, quotes or digits is read once.
"""

from __future__ import annotations

import re
from collections.abc import Set

from extraction.lexicon import Lexicon
from extraction.numerals import HAN_DIGITS

QUOTE_LIMIT = 12
"""A quotation up to this long that holds a numeral is a name or a slogan; a longer one is a sentence."""

_HAN = f"[{HAN_DIGITS}]"
_NUMBER = rf"(?:\d{{1,4}}|{_HAN}{{1,4}})"
_DAY_END = r"(?:[日号]|(?=[\s,。;、)\]|]|$))"

_EXCLUDED = re.compile(
    "|".join(
        (
            r"(?:https?://|www\.)[A-Za-z0-9_\-.~:/?#@!$&*+=%]{1,500}",
            r"《[^《》\n。]{1,100}》",
            rf"“[^“”\n]{{1,{QUOTE_LIMIT}}}”|‘[^‘’\n]{{1,{QUOTE_LIMIT}}}’|「[^「」\n]{{1,{QUOTE_LIMIT}}}」|『[^『』\n]{{1,{QUOTE_LIMIT}}}』",
            rf"&ldquo;[^&\n]{{1,{QUOTE_LIMIT}}}&rdquo;",
            # document numbers and shares of a name
            r"[〔\[【(]\s?\d{4}\s?[〕\]】)]\s?第?\s?\d{1,5}\s?号",
            rf"第\s?{_NUMBER}(?:[、至到和\-—~]第?{_NUMBER}){{0,5}}",
            r"\d{1,2}[·•]\d{1,2}(?!\d)",
            r"(?<!\d)\d{1,4}(?:\+[\dA-Za-z]{1,4}){1,6}",
            # dates, windows and times
            r"(?:19|20)\d\d[\-/.](?:0?[1-9]|1[0-2]|2\d)(?:[\-/.]\d{1,2})?(?!\d)",
            r"\d{1,2}:\d{2}(?::\d{2})?(?!\d)",
            r"(?:(?:19|20)\d\d年?)?\d{1,2}(?:月份?)?\s?[\-—–~至到]{1,2}\s?\d{1,2}月份?(?:\d{1,2}[日号])?(?!内)",
            r"(?:19|20)\d\d年?\s?[\-—–~至到]{1,2}\s?(?:19|20)\d\d(?:年度?|(?!\d))",
            rf"(?:(?:19|20)\d\d年)\s?\d{{1,2}}月(?:份|\s?\d{{1,2}}{_DAY_END})?",
            rf"\d{{1,2}}月\d{{1,2}}{_DAY_END}",
            # a year that lost its 年, glued to a month or a day: 20236月, 20231231日, 2023715日
            r"(?:19|20)\d\d(?:0?[1-9]|1[0-2])月(?!内)(?:\d{1,2}日)?|(?:19|20)\d\d\d{2,4}日",
            r"(?<!\d)\d{4,8}\s?年度?",
            r"(?:上|下)午\s?\d{1,2}[时点]",
            # list numbers
            r"(?<![^\s。;:)])\(?\d{1,2}(?:[、)](?!\d)|\.(?!\d)|[.、](?=(?:19|20)\d\d年))",
            r"\(\d{1,2}\)",
        )
    )
)
_ASCII_QUOTED = re.compile(r'"([^"\n]{0,200})"')


def find_excluded(text: str, lexicon: Lexicon) -> list[tuple[int, int]]:
    """Half-open spans of the folded `text`, ordered by start, that hold no quantity."""
    spans = [match.span() for match in _EXCLUDED.finditer(text)]
    spans.extend(match.span() for match in lexicon.names.finditer(text))
    spans.extend(match.span() for match in _ASCII_QUOTED.finditer(text) if len(match[1]) <= QUOTE_LIMIT)
    spans.sort()
    return spans


def find_years(text: str) -> Set[str]:
    """The years that the text itself names, as four digits."""
    return set(re.findall(r"(?<!\d)((?:19|20)\d\d)\s?年", text))
