"""Radicals as the characters that they stand for: `⼈⺠⽇` is 人民日.

PDF writers that lack a proper font map give the radical's code for the character's, since both look alike. Code point
for code point, so that places in a text stay where they are.
"""

from __future__ import annotations

import unicodedata

_SUPPLEMENT = {
    0x2E81: "厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢尣巳幺彑彐",
    0x2E96: "忄㣺扌攵",
    0x2E9B: "旡日月歺母民氵氺灬爫爫丬牛犭王𤴔目示礻𥫗糹纟罓罒罒罒𦉫羊𦍌𦍋耂肀聿肉𦥑艹艹艹虎衤覀西见角𧢲讠贝"
            "𧾷车辶辶辶阝钅長镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟",
}  # fmt: skip
"""CJK Radicals Supplement: first code, and equals from there on (Unicode's EquivalentUnifiedIdeograph); ⺀ has none."""
_BY_NFKC = (range(0x2F00, 0x2FD6), range(0xF900, 0xFADA), range(0x2F800, 0x2FA1E), (0x2E9F, 0x2EF3))
"""Kangxi radicals, compatibility ideographs with their supplement, and the two of the supplement that decompose."""


def _build_fold() -> dict[int, str]:
    fold = {first + n: letter for first, letters in _SUPPLEMENT.items() for n, letter in enumerate(letters)}
    for codes in _BY_NFKC:
        fold |= {code: unicodedata.normalize("NFKC", chr(code)) for code in codes}
    return {code: letter for code, letter in fold.items() if len(letter) == 1 and ord(letter) != code}


_FOLD = _build_fold()


def fold_radicals(text: str) -> str:
    """Radicals and compatibility ideographs as unified ideographs; everything else, also ① and ２, as it is."""
    return text.translate(_FOLD)
