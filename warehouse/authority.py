"""Which body a text speaks for: what follows the name of the place, under one name however it is written.

Two bodies' figures are never compared or chosen among, so a bureau's report must not pass for the county's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from extraction.yaml_file import read_yaml
from warehouse.errors import WarehouseError
from warehouse.regions import CATALOG

AGENCIES_FILE = CATALOG / "regions" / "agencies.yml"

Kind = Literal["government", "agency", "none"]

YEAR = r"(?:[0-9〇○零一二三四五六七八九]{4}(?:[-—至到][0-9]{4})?年)"
END = rf"关于|{YEAR}|[0-9]{{4}}年|法治|依法|推进|落实|贯彻|的?报告|[()（）《》：:，,、\s]|$"
BODY = re.compile(rf"(?P<body>[^0-9()（）《》]{{0,40}}?)(?={END})")
COORDINATOR = re.compile(
    r"(?:中共)?[县区市省州旗盟]?委?(?:全面)?(?:依法治[县区市省州旗盟](?=委|办|工作)|法治[^局]{0,12}?领导小组)"
    r"(?:委员会|工作){0,2}(?:领导小组)?(?:办公室|办)?"
)
GOVERNMENT = re.compile(
    r"(?:委(?:员会)?)?[、和]?[省市县区州旗盟]?(?:人民)?政府(?:办公室|办公厅|办)?|(?:中共)?[省市县区州旗盟]?委(?:员会)?"
)
TOWN = re.compile(r".{1,12}?(?:民族乡|[镇乡]|苏木|街道)(?=人民政府|政府|办事处|$)")
TOWN_TAIL = re.compile(r"(?:人民)?(?:政府|办事处)(?:办公室)?$")
ZONE = re.compile(
    r".{0,20}(?:开发区|高新区|新区|园区|产业园|保税区|试验区|示范区|度假区|合作区|景区|功能区)(?=管委会|管理委员会|$)"
)
OFFICE = re.compile(r".{0,24}(?:局|委员会|委|办公室|办|厅|院|中心|总队|支队|大队|分局|所|站|公司|学校|大学|医院|集团)$")
OF_LEVEL = re.compile(r"^[省市县区州旗盟](?=.{2})")
"""区司法局: the level of the place, when its name is left out."""
NOT_OF_LEVEL = ("市场", "市监", "市政", "市容", "市民", "区域", "县域", "省际")


@dataclass(frozen=True, slots=True)
class Body:
    kind: Kind
    name: str = ""
    """In full, without the place: 市场监督管理局. Empty for the government."""
    words: str = ""
    """As stated."""
    is_coordinator: bool = False
    """The office that coordinates the whole area's work: what it reports is the area's."""


NO_BODY = Body("none")


def read_body(rest: str, *, is_whole: bool = False) -> Body:
    """The body at the head of what follows a place. `is_whole`: the text is a name and nothing else."""
    rest = rest.lstrip("的 　、")
    if found := COORDINATOR.match(rest):
        return Body("government", "", found[0], True)
    stated = rest.strip() if is_whole else (BODY.match(rest) or ["", ""])[0].strip()
    stated = stated[:40]
    if not stated:
        return NO_BODY
    if GOVERNMENT.fullmatch(stated):
        return Body("government", "", stated)
    name = _without_level(stated)
    if found := TOWN.match(name):
        town = found[0]
        if TOWN_TAIL.fullmatch(name[len(town) :]) or name == town:
            return Body("agency", town + ("办事处" if town.endswith("街道") else "人民政府"), stated)
    if found := ZONE.match(name):
        return Body("agency", found[0] + "管理委员会", stated)
    if OFFICE.fullmatch(name):
        return Body("agency", full_name(name), stated)
    return NO_BODY


def full_name(name: str) -> str:
    """The one name of a bureau: its short form in full, its branch kept."""
    known = load_agencies()
    if name in known:
        return known[name]
    if name.endswith("管委会"):
        return name.removesuffix("管委会") + "管理委员会"
    return name


def _without_level(stated: str) -> str:
    if stated.startswith(NOT_OF_LEVEL):
        return stated
    return OF_LEVEL.sub("", stated)


@cache
def load_agencies(path: Path = AGENCIES_FILE) -> dict[str, str]:
    """Short name -> full name. Raises WarehouseError naming the file."""
    try:
        entries = read_yaml(path)["agencies"]
        return {str(short): str(full) for short, full in entries.items()}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise WarehouseError(f"{path}: cannot be read as a list of agencies ({error}); restore the file") from error
