"""What a database needs now and then so that its plans stay good."""

from __future__ import annotations

from sqlalchemy import Engine, text

from warehouse.engine import name_of, writing

STATISTICS = {"sqlite": "PRAGMA optimize", "postgresql": "ANALYZE"}


def keep_up(engine: Engine) -> str:
    """Refresh what the planner knows of the tables; readers go on, loads wait. Raises WarehouseError."""
    step = STATISTICS[engine.dialect.name]
    with writing(engine) as conn:
        conn.execute(text(step))
    return f"{name_of(engine.url)}: {step}"
