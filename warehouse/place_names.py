"""How names of places are built: level by code, the name at heart, the short forms in use."""

from __future__ import annotations

import re

SUFFIX = re.compile(
    r"(?:维吾尔自治区|回族自治区|壮族自治区|自治区|特别行政区|自治[州县旗]|地区|林区|特区|[省市县区旗盟州])$"
)
PEOPLES = (
    "蒙古族|回族|藏族|维吾尔族|苗族|彝族|壮族|布依族|朝鲜族|满族|侗族|瑶族|白族|土家族|哈尼族|哈萨克族|傣族|黎族|"
    "傈僳族|佤族|畲族|高山族|拉祜族|水族|东乡族|纳西族|景颇族|柯尔克孜族|土族|达斡尔族|仫佬族|羌族|布朗族|撒拉族|"
    "毛南族|仡佬族|锡伯族|阿昌族|普米族|塔吉克族|怒族|乌孜别克族|俄罗斯族|鄂温克族|德昂族|保安族|裕固族|京族|"
    "塔塔尔族|独龙族|鄂伦春族|赫哲族|门巴族|珞巴族|基诺族|各族|蒙古|维吾尔|哈萨克|柯尔克孜|锡伯|塔吉克|达斡尔"
)
PEOPLE = re.compile(rf"(?:{PEOPLES})+$")
AUTONOMOUS = re.compile(r"自治([州县旗])$")


def level_of(code: str) -> str:
    return "province" if code.endswith("0000") else "city" if code.endswith("00") else "county"


def stem_of(name: str) -> str:
    """新建县 and 新建区 -> 新建, 黔江土家族苗族自治县 -> 黔江: what stays when a place is renamed or upgraded."""
    stem = SUFFIX.sub("", name) or name
    if "自治" in name:
        stem = PEOPLE.sub("", stem) or stem
    return stem


def short_names(name: str) -> tuple[str, ...]:
    """Other ways to write a full name with its level: 恩施土家族苗族自治州 -> 恩施州."""
    match = AUTONOMOUS.search(name)
    stem = stem_of(name)
    return (stem + match[1],) if match and len(stem) > 1 else ()
