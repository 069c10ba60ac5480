"""`new-source` and portals that are odd somewhere between home page and report: found, proposed, crawled as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.contract import check_contract
from connectors.registry import load_source
from tests.onboarding.odd import ODD
from tests.onboarding.odd_lists import ODD_LISTS
from tests.onboarding.replica import ReplicaSite
from tests.onboarding.test_new_source import assert_reports, crawl, examine, propose_into

FAMILIES = {
    "message_service": "truecms",
    "ucap_pages": "ucap",
    "jpage_for_ever": "hanweb",
    "jpage_in_column": "hanweb",
    "unit_data": "gkmlpt",
}
"""All others are TRS portals."""


@pytest.mark.parametrize("name", [*ODD, *ODD_LISTS])
def test_an_odd_portal_is_onboarded_from_its_home_page(name: str, tmp_path: Path) -> None:
    portal = (ODD | ODD_LISTS)[name]()
    given = next((host for host in portal.aliases if f"//{host}" in portal.pages), portal.host)
    with ReplicaSite(portal) as site:
        found = examine(site, f"http://{given}/")
        proposal = propose_into(found, tmp_path)
        path = tmp_path / f"{proposal.source_id}.yaml"
        assert load_source(path).engine == FAMILIES.get(name, "trs")
        assert check_contract(path) == []
        result = crawl(site, path, tmp_path)
    assert_reports(portal, result)
    assert len(found.scout.asked) <= 30
