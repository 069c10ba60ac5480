"""Exit codes, and the one line a person reads when a command fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pydantic import ValidationError

DONE = 0
INCOMPLETE = 1
USAGE = 2
OUTSIDE = 3
INTERRUPTED = 130


class CommandFailed(Exception):
    """A command cannot do what it was asked; the message is the whole line a person reads."""

    def __init__(self, line: str, code: int) -> None:
        super().__init__(line)
        self.line = line
        self.code = code


class Told(NamedTuple):
    line: str
    code: int


def explain_error(error: BaseException) -> Told | None:
    """The line and exit code of an expected error; None for a defect of ours, which deserves its trace."""
    if isinstance(error, ImportError) and error.name == "extraction":  # a stale build: nothing of it can be imported
        return Told(_one_line(error), USAGE)
    from pydantic import ValidationError

    from connectors.errors import ContractBroken, SourceError
    from extraction.catalogue import CatalogueError
    from extraction.rules import RulesError

    if isinstance(error, CommandFailed):
        return Told(error.line, error.code)
    if isinstance(error, ContractBroken | CatalogueError | RulesError):
        return Told(_one_line(error), USAGE)
    if isinstance(error, SourceError):
        return Told(_one_line(error), OUTSIDE)
    if isinstance(error, ValidationError):
        return Told(_settings_line(error), USAGE)
    if type(error).__name__ == "WarehouseError":  # by name: importing SQLAlchemy to explain a typo is too dear
        return Told(_one_line(error), OUTSIDE)
    if isinstance(error, OSError) and error.filename:
        return Told(f"{error.filename}: {error.strerror}", OUTSIDE)
    return None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _settings_line(error: ValidationError) -> str:
    parts = []
    for problem in error.errors():
        name = "FAZHI_" + "_".join(str(part) for part in problem["loc"]).upper()
        parts.append(f"{name}: {problem['msg'].removeprefix('Value error, ')} (given: {problem['input']!r})")
    return "; ".join(parts) + "; `fazhi settings` lists them all"
