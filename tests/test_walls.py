"""The walls of the house: who may import what. Read from the source itself, so a lazy import counts too."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("fazhi", "connectors", "extraction", "warehouse", "tasks", "flows", "sandbox", "explorer")

# (room or folder, what nobody in it may import)
FORBIDDEN = [
    ("extraction", {"prefect", "httpx", "sqlalchemy", "connectors", "warehouse", "tasks", "flows", "fazhi", "sandbox"}),
    ("connectors/engines", {"prefect", "httpx", "sqlalchemy", "warehouse", "tasks", "flows", "fazhi", "sandbox"}),
    ("connectors", {"prefect", "sqlalchemy", "warehouse", "tasks", "flows", "fazhi", "sandbox"}),
    ("warehouse", {"prefect", "httpx", "connectors", "tasks", "flows", "fazhi", "sandbox"}),
    ("sandbox", {"prefect", "httpx", "sqlalchemy", "warehouse", "tasks", "flows", "extraction"}),
    ("explorer", {"prefect", "httpx", "sqlalchemy", "connectors", "extraction", "tasks", "flows", "fazhi", "sandbox"}),
    ("tasks", {"httpx", "sqlalchemy", "flows", "sandbox"}),
    ("flows", {"httpx", "sqlalchemy", "sandbox"}),
]
# (package, the only places that may import it)
ONLY_IN = [
    ("httpx", ("connectors/http",)),
    ("sqlalchemy", ("warehouse",)),
    ("prefect", ("tasks", "flows", "deployments")),
    ("prometheus_client", ("tasks",)),
    ("fastapi", ("explorer",)),
    ("jinja2", ("explorer",)),
]


@cache
def imports_of(path: Path) -> set[str]:
    """Top-level names of every module that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def files_of(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize(("folder", "forbidden"), FORBIDDEN)
def test_room_imports_nothing_forbidden(folder: str, forbidden: set[str]) -> None:
    files = files_of(folder)
    assert files, f"{folder} holds no module: the wall would guard nothing"
    broken = {str(path.relative_to(ROOT)): names for path in files if (names := imports_of(path) & forbidden)}
    assert not broken


@pytest.mark.parametrize(("package", "places"), ONLY_IN)
def test_package_is_imported_in_its_room_only(package: str, places: tuple[str, ...]) -> None:
    users = [str(path.relative_to(ROOT)) for room in ROOMS for path in files_of(room) if package in imports_of(path)]
    assert users, f"nobody imports {package}: is the wall out of date?"
    assert [user for user in users if not user.startswith(places)] == []


def test_a_broken_wall_is_seen(tmp_path: Path) -> None:
    guilty = tmp_path / "guilty.py"
    guilty.write_text("def f():\n    from sqlalchemy.engine import Engine\n    return Engine\n", encoding="utf-8")
    assert imports_of(guilty) == {"sqlalchemy"}
