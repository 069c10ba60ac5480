"""Every table, column, mart and code has its words in both languages."""

from __future__ import annotations

import ast
import re
from typing import get_args

import yaml

from connectors.attachments import Kind
from connectors.errors import SourceError
from connectors.http.model import RobotsState
from connectors.http.replay import GatewayUnreachable
from extraction.catalogue import load_catalogue
from extraction.model import Qualifier, Status, Verdict
from extraction.rules import RuleType, load_rules
from tests.conftest import ROOT
from warehouse.choosing import Choice
from warehouse.dictionary import GROUPS, render_dictionary
from warehouse.export_tables import EXPORTED
from warehouse.marts import VIEWS
from warehouse.wording import TABLES, describe_column, describe_table, load_codes

HAN = re.compile("[一-鿿]")


def test_every_table_and_column_is_described_in_both_languages() -> None:
    columns = [(name, column.name) for name, table in TABLES.items() for column in table.columns]
    columns += [(name, column.name) for name, make in VIEWS.items() for column in make().selected_columns]
    assert len(columns) > 350
    for name in (*TABLES, *VIEWS):
        said = describe_table(name)
        assert said.en and HAN.search(said.zh), name
    lacking = [one for one in columns if not (describe_column(*one).en and HAN.search(describe_column(*one).zh))]
    assert lacking == [], "add them to catalog/columns_zh.yml"


def test_chinese_words_are_of_tables_and_columns_that_exist() -> None:
    told = yaml.safe_load((ROOT / "catalog" / "columns_zh.yml").read_text(encoding="utf-8"))
    for name, words in told["tables"].items():
        assert set(words.get("columns", {})) <= set(TABLES[name].columns.keys()), name
    assert set(told["marts"]) == {*VIEWS, "wide"}


def test_exported_columns_say_what_they_mean() -> None:
    for table in EXPORTED:
        for column in table.columns:
            origin, _, name = column.origin.partition(".")
            said = describe_column(origin, name or column.name)
            assert said.en and HAN.search(said.zh) and HAN.search(column.zh), (table.name, column.name)


def test_every_code_of_the_program_is_described() -> None:
    codes = load_codes()
    catalogue = load_catalogue(ROOT / "catalog")
    rules = load_rules(catalogue.metrics, ROOT / "catalog" / "rules.yml")
    wanted = {
        "verdict": set(get_args(Verdict)),
        "status": set(get_args(Status)),
        "qualifier": set(get_args(Qualifier)),
        "chosen_by": set(get_args(Choice)),
        "robots": set(get_args(RobotsState)),
        "rule_kind": set(get_args(RuleType)) | {rule.type for rule in rules.rules},
        "unit": set(catalogue.units),
        "section": set(catalogue.sections),
        "fetch_outcome": {"ok", "not_modified", "redirect", "cancelled", *error_codes(), GatewayUnreachable.code},
        "quarantine_test": names_of_row_tests(),
        "document_note": notes() | {f"attachment_{kind}" for kind in get_args(Kind)},
    }
    for group, names in wanted.items():
        assert names and names - set(codes[group]) == set(), f"{group}: add them to catalog/codes.yml"
    assert all(
        HAN.search(said.zh) and (said.en or group == "unit") for group in codes for said in codes[group].values()
    )


def error_codes() -> set[str]:
    kinds, found = [SourceError], set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        found.add(kind.code)
    return found


def names_of_row_tests() -> set[str]:
    """Names of the data tests, as the module asks or yields them."""
    tree = ast.parse((ROOT / "warehouse" / "data_tests.py").read_text(encoding="utf-8"))
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {word for word in words if re.fullmatch("(document|mention|observation|check)_[a-z_]+", word)}


def notes() -> set[str]:
    """Codes that cleaning and the engines put among a document's notes."""
    found: set[str] = set()
    for name in ("extraction/clean.py", "connectors/engines/family.py"):
        found |= set(re.findall(r'notes\.append\("([a-z_]+)"\)', (ROOT / name).read_text(encoding="utf-8")))
    return found


def test_every_metric_has_an_example_in_the_dictionary() -> None:
    catalogue = load_catalogue(ROOT / "catalog")
    page = render_dictionary()
    parts = page.split("\n#### ")[1:]
    assert len(parts) == len(catalogue.metrics)
    for metric, part in zip(sorted(catalogue.metrics), sorted(parts, key=lambda one: one.split("`")[1]), strict=True):
        assert f"`{metric}`" in part and "例 · example: 「" in part, metric
    for title in GROUPS.values():
        assert f"### {title.en} · {title.zh}\n" in page
