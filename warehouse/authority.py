"""Which body a report speaks for, by its title: a county portal also carries its bureaux' own reports.

Two bodies' figures are never compared or chosen among, so a bureau's report must not pass for the county's.
The publisher says nothing about it: a county's report is often put up by its justice bureau.
"""

from __future__ import annotations

import re

GOVERNMENT = re.compile(r"人民政府$|政府$")
REGION = re.compile(r"(?:省|市|区|县|旗|州|盟|自治[区州县旗]|开发区|高新区|新区)$")
OFFICE = re.compile(
    r"(?:局|委员会|委|办公室|办|厅|院|中心|总队|支队|大队|管委会|街道办事处|街道|镇|乡|苏木|公司|学校|大学|医院)$"
)
YEAR = r"[0-9〇零一二三四五六七八九]{4}年"
LEAD = re.compile(rf"(?:关于|{YEAR}度?|\s)*")
HEAD = re.compile(rf"(?P<head>[^0-9()（）《》]{{2,40}}?)(?:关于|{YEAR}|法治|依法|推进|落实)")
PARTY = re.compile(r"中共.{2,12}(?:省|市|区|县|旗|州|盟)委(?:员会)?$")


def authority_of(title: str | None) -> str | None:
    """The body named at the head of the title, or None for the region's government itself (or no name at all)."""
    title = title or ""
    lead = LEAD.match(title)
    match = HEAD.match(title, lead.end() if lead else 0)
    if match is None:
        return None
    head = match["head"].strip()
    if GOVERNMENT.search(head):
        town = GOVERNMENT.sub("", head)
        return head if town.endswith(("镇", "乡", "街道", "苏木")) else None
    if OFFICE.search(head) and not REGION.search(head) and not PARTY.search(head):
        return head
    return None
