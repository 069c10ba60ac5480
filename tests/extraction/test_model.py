"""The records of extraction: equal by value, closed, and the same from a builder as from their own constructor."""

import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, fields, replace
from decimal import Decimal
from typing import Any

import pytest

from extraction.model import Check, Mention, Observation, build_check, build_mention, build_observation

MENTION = (3, 6, "12件", Decimal(12), "件", "arabic", "exact")
OBSERVATION = ("cases", 3, 6, "12件", Decimal(12), "case", "件", "2022", "actual", "exact", "受理12件", 1)
CHECK = ("sums", "holds", Decimal(3), Decimal(3), None, 3, (0, 1, 2), "1 + 2 = 3")
RECORDS = [
    (Mention, build_mention, MENTION),
    (Observation, build_observation, OBSERVATION),
    (Check, build_check, CHECK),
]


@pytest.mark.parametrize(("record", "build", "values"), RECORDS)
def test_a_built_record_is_that_of_the_constructor(
    record: type[Any], build: Callable[..., Any], values: tuple[Any, ...]
) -> None:
    built, made = build(*values), record(*values)
    assert type(built) is record
    assert built == made
    assert hash(built) == hash(made)
    assert repr(built) == repr(made)
    assert asdict(built) == asdict(made)
    assert built == build(**{slot.name: value for slot, value in zip(fields(record), values, strict=False)})


@pytest.mark.parametrize(("record", "build", "values"), RECORDS)
def test_a_built_record_is_closed(record: type[Any], build: Callable[..., Any], values: tuple[Any, ...]) -> None:
    built, first = build(*values), fields(record)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(built, first, None)
    changed = replace(built, **{first: "other"})
    assert changed != built
    assert type(changed) is record
    assert pickle.loads(pickle.dumps(built)) == built


@pytest.mark.parametrize("build", [build_mention, build_observation, build_check])
def test_a_builder_wants_every_value(build: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="missing"):
        build(1)
