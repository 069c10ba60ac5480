"""Small pure parts: keys, numbers, periods, the dictionary."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from extraction.catalogue import load_catalogue
from extraction.rules import load_rules
from warehouse.catalogue import catalogue_rows
from warehouse.columns import UtcDateTime, is_storable, plain, round_derived, spell_moment
from warehouse.dictionary import TARGET, render_dictionary
from warehouse.keys import key_of, key_within, keys_of_own
from warehouse.periods import parse_day, parse_period, parse_published
from warehouse.regions import CATALOG


def test_the_dictionary_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == render_dictionary(), "run: python -m warehouse.dictionary"


def test_keys_are_63_bits_and_tell_parts_apart() -> None:
    assert key_of("x", "a", "b") != key_of("x", "ab", "") != key_of("x", "a", None, "b")
    assert key_of("x", "1") != key_of("x", 1)
    assert all(0 <= key_of("x", i) < 2**63 for i in range(200))
    assert key_of("unit", "case") == 4375863607971582817


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**8), max_value=10**8))
def test_a_storable_number_survives_a_double(value: Decimal) -> None:
    assert is_storable(value)
    assert plain(Decimal(repr(float(value)))) == value


@pytest.mark.parametrize("value", ["NaN", "Infinity", "0.0000001", "1234567890123456", "1E+30"])
def test_a_number_that_would_be_bent_is_refused(value: str) -> None:
    assert not is_storable(Decimal(value))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_a_rounded_number_is_storable_and_near(value: Decimal) -> None:
    rounded = round_derived(value)
    assert rounded is not None and is_storable(rounded)
    assert abs(rounded - value) <= Decimal("0.005")


def test_a_time_without_zone_is_refused() -> None:
    from sqlalchemy.dialects.sqlite import dialect

    with pytest.raises(ValueError, match="without zone"):
        UtcDateTime().process_bind_param(datetime(2024, 1, 1), dialect())


@pytest.mark.parametrize(
    ("text", "kind", "months", "end"),
    [
        ("2020", "year", 12, date(2020, 12, 31)),
        ("2020-01/2020-06", "half", 6, date(2020, 6, 30)),
        ("2020-01/2020-11", "window", 11, date(2020, 11, 30)),
        ("2019-12/2020-02", "window", 3, date(2020, 2, 29)),
    ],
)
def test_periods(text: str, kind: str, months: int, end: date) -> None:
    period = parse_period(text)
    assert period is not None
    assert (period.kind, period.n_months, period.end) == (kind, months, end)


@pytest.mark.parametrize("text", ["", "20", "2020-06/2020-01", "2020-00/2020-01", "1800", "９９９９", "2020\n"])
def test_what_is_no_period(text: str) -> None:
    assert parse_period(text) is None


def test_days_and_publication_times() -> None:
    assert parse_day("2020-02") == date(2020, 2, 29) and parse_day("2021-02-29") is None and parse_day(None) is None
    late = parse_published("2019-01-10T16:19:51+08:00")
    assert late is not None and late.isoformat() == "2019-01-10T08:19:51+00:00"
    bare = parse_published("2019-01-10")
    assert bare is not None and bare.isoformat() == "2019-01-09T16:00:00+00:00"
    assert parse_published("2019-21-18") is None and parse_published("soon") is None


def test_the_catalogue_becomes_rows() -> None:
    catalogue = load_catalogue(CATALOG)
    rules = load_rules(catalogue.metrics, CATALOG / "rules.yml")
    rows = catalogue_rows(catalogue, rules)
    assert len(rows.metrics) == len(catalogue.metrics) and len(rows.rules) == len(rules.rules)
    units = {unit.code for unit in rows.units}
    assert {metric.unit for metric in rows.metrics} <= units
    formulas = {rule.rule_id: rule.formula for rule in rows.rules}
    assert "reconsideration_accepted <= reconsideration_applications_received" in formulas["R04"]
    assert rows == catalogue_rows(load_catalogue(CATALOG), rules) and len(rows.version) == 12


def test_keys_of_many_rows_of_one_owner_are_those_of_each() -> None:
    owner = key_of("document", "a")
    assert keys_of_own(owner, "mention")("3,收到") == key_within(owner, "mention", f"{owner},3,收到")
    assert keys_of_own(owner, "mention")("3,4") != keys_of_own(owner, "observation")("3,4")


@given(st.lists(st.one_of(st.text(), st.integers(), st.booleans(), st.none())))
def test_a_key_is_the_hash_of_its_parts_as_json(parts: list[str | int | None]) -> None:
    said = json.dumps(["x", *parts], ensure_ascii=False, separators=(",", ":"))
    told = hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    assert key_of("x", *parts) == int.from_bytes(told, "big") >> 1


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_is_spelled_as_sqlalchemy_spells_it(moment: datetime) -> None:
    dialect = sqlite.dialect()  # type: ignore[no-untyped-call]
    as_bound = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
    assert as_bound is not None and spell_moment(moment) == as_bound(moment)
    with pytest.raises(ValueError, match="without zone"):
        spell_moment(moment.replace(tzinfo=None))
