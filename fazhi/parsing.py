"""`fazhi parse`: reports from text files to JSON lines, without server, database or network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from extraction.parse import mention_record, observation_record, parse_report
from fazhi.exits import USAGE, CommandFailed
from fazhi.house import load_catalog


@dataclass(slots=True)
class Counts:
    documents: int = 0
    mentions: int = 0
    observations: int = 0
    derived: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    never_applied: tuple[str, ...] = ()
    """Rules that found nothing to compare in any of the files."""
    across_only: tuple[str, ...] = ()
    """Rules between reports, which need the warehouse."""

    def checks_text(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in sorted(self.verdicts.items())) or "none applied"

    def rules_text(self) -> str:
        silent = ", ".join(self.never_applied) or "none"
        return f"rules that never applied: {silent}; only between reports (nightly): {', '.join(self.across_only)}"


@dataclass(slots=True)
class Rows:
    observations: list[dict[str, Any]] = field(default_factory=list)
    mentions: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    derived: list[dict[str, Any]] = field(default_factory=list)


def read_text(path: Path) -> str:
    """The file's text, line ends as they are: spans count code points of exactly this."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return lines.read()
    except UnicodeDecodeError as error:
        raise CommandFailed(
            f"{path} is not UTF-8 (byte {error.start}): convert it first, e.g. with iconv", USAGE
        ) from error
    except OSError as error:
        raise CommandFailed(f"cannot read {path}: {error.strerror or error}", USAGE) from error


def parse_files(files: Sequence[Path]) -> tuple[Counts, Rows]:
    """Parse each file; the document id is its stem. Raises CommandFailed for an unreadable or doubled file."""
    stems = Counter(path.stem for path in files)
    doubled = [stem for stem, count in stems.items() if count > 1]
    if doubled:
        raise CommandFailed(f"two files share the document id {doubled[0]!r} (the file's stem): rename one", USAGE)
    catalogue, rules = load_catalog()
    counts, rows = Counts(), Rows()
    applied: set[str] = set()
    for path in files:
        parsed = parse_report(read_text(path), catalogue, rules)
        counts.documents += 1
        counts.mentions += len(parsed.mentions)
        counts.observations += len(parsed.observations)
        counts.verdicts.update(check.verdict for check in parsed.checks)
        counts.derived += len(parsed.derived)
        applied.update(check.rule for check in parsed.checks if check.verdict != "not_applicable")
        rows.observations += [observation_record(path.stem, found) for found in parsed.observations]
        rows.mentions += [mention_record(path.stem, found) for found in parsed.mentions]
        rows.checks += [{"doc": path.stem} | _plain(asdict(check)) for check in parsed.checks]
        rows.derived += [observation_record(path.stem, implied) for implied in parsed.derived]
    in_report = [rule.id for rule in rules.rules if "document" in rule.reach]
    counts.never_applied = tuple(rule for rule in in_report if rule not in applied)
    counts.across_only = tuple(rule.id for rule in rules.rules if rule.id not in in_report)
    return counts, rows


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    from decimal import Decimal

    return {key: float(value) if isinstance(value, Decimal) else value for key, value in record.items()}
