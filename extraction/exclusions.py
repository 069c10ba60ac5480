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
_YEAR = r"(?:(?<=1)9|(?<=2)0)\d\d"
"""What follows the first digit of a year."""
_TO = r"\s?[\-—–~至到]{1,2}\s?"
_LISTED = r"(?:[、)](?!\d)|\.(?!\d)|[.、](?=(?:19|20)\d\d年))"

_AFTER_DIGIT = "|".join(
    (
        r"\d?[·•]\d{1,2}(?!\d)",
        r"(?<!\d\d)\d{0,3}(?:\+[\dA-Za-z]{1,4}){1,6}",
        # dates, windows and times
        rf"{_YEAR}[\-/.](?:0?[1-9]|1[0-2]|2\d)(?:[\-/.]\d{{1,2}})?(?!\d)",
        r"\d?:\d{2}(?::\d{2})?(?!\d)",
        rf"(?:{_YEAR}年?\d{{1,2}}|\d?)(?:月份?)?{_TO}\d{{1,2}}月份?(?:\d{{1,2}}[日号])?(?!内)",
        rf"{_YEAR}年?{_TO}(?:19|20)\d\d(?:年度?|(?!\d))",
        rf"{_YEAR}年\s?\d{{1,2}}月(?:份|\s?\d{{1,2}}{_DAY_END})?",
        rf"\d?月\d{{1,2}}{_DAY_END}",
        # a year that lost its 年, glued to a month or a day: 20236月, 20231231日, 2023715日
        rf"{_YEAR}(?:0?[1-9]|1[0-2])月(?!内)(?:\d{{1,2}}日)?|{_YEAR}\d{{2,4}}日",
        r"(?<!\d\d)\d{3,7}\s?年度?",
        # list numbers
        rf"(?<![^\s。;:)].)\d?{_LISTED}",
    )
)
_IS_OPEN = r"(?=\d{0,8}[·•+\-—–~/.:年月日至到、)\s])"
"""What all of these have in common: a plain count (`123件`) is left at once."""
_AFTER_BRACKET = r"\s?\d{4}\s?[〕\]】)]\s?第?\s?\d{1,5}\s?号"
_EXCLUDED = re.compile(
    # One character is taken first, so that the search skips from one of these to the next.
    rf"[0-9(《“第〔\[【‘「『上下hw](?:(?<=[0-9]){_IS_OPEN}(?:{_AFTER_DIGIT})"
    rf"|(?<=\()(?:{_AFTER_BRACKET}|(?<![^\s。;:)].)\d{{1,2}}{_LISTED}|\d{{1,2}}\))"
    r"|(?<=《)[^《》\n。]{1,100}》"
    rf"|(?<=“)[^“”\n]{{1,{QUOTE_LIMIT}}}”|(?<=‘)[^‘’\n]{{1,{QUOTE_LIMIT}}}’"
    rf"|(?<=第)\s?{_NUMBER}(?:[、至到和\-—~]第?{_NUMBER}){{0,5}}"
    rf"|(?<=[〔\[【]){_AFTER_BRACKET}"
    rf"|(?<=「)[^「」\n]{{1,{QUOTE_LIMIT}}}」|(?<=『)[^『』\n]{{1,{QUOTE_LIMIT}}}』"
    r"|(?<=[上下])午\s?\d{1,2}[时点]"
    r"|(?:(?<=h)ttps?://|(?<=w)ww\.)[A-Za-z0-9_\-.~:/?#@!$&*+=%]{1,500})"
)
_ASCII_QUOTED = re.compile(r'"([^"\n]{0,200})"')
_NAMED_YEAR = re.compile(rf"[12]{_YEAR}(?<!\d{{5}})(?=\s?年)")


def find_excluded(text: str, lexicon: Lexicon) -> list[tuple[int, int]]:
    """Half-open spans of the folded `text`, ordered by start, that hold no quantity."""
    spans = [match.span() for match in _EXCLUDED.finditer(text)]
    spans.extend([match.span() for match in lexicon.names.finditer(text)])
    spans.extend([match.span() for match in _ASCII_QUOTED.finditer(text) if len(match[1]) <= QUOTE_LIMIT])
    spans.sort()
    return spans


def find_years(text: str) -> Set[str]:
    """The years that the text itself names, as four digits."""
    return set(_NAMED_YEAR.findall(text))
