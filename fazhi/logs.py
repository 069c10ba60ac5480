"""The log of a run on standard error: a line for each request, source and run, as text or as JSON (FAZHI_LOG).

Everything goes through Python's `logging`, under the logger `fazhi`: `fazhi.fetch`, `fazhi.source`, `fazhi.run`. What
a record knows beside its message are attributes of the record (`extra`), so that anybody's handler finds them too.
Without FAZHI_LOG nothing is written here, and warnings go where the process sends those of every library; Prefect's
loggers are left as they are in any case.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

LOGGER = "fazhi"
"""The logger above all others of this program."""

_OF_EVERY_RECORD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
_MAX_VALUE = 2000
"""Characters of one value: an address of a hostile page must not fill the disk."""


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a record knows, in the order in which it is written. Times are UTC."""
    moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    told = {"at": moment, "level": record.levelname.lower(), "event": record.name.rpartition(".")[2]}
    told["message"] = record.getMessage()[:_MAX_VALUE]
    for name, value in vars(record).items():
        if name not in _OF_EVERY_RECORD:
            told[name] = value[:_MAX_VALUE] if isinstance(value, str) else value
    return told


class JsonLines(logging.Formatter):
    """One JSON object a line, whatever is in the values: line ends and control characters of any kind are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        told = fields_of(record)
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        line = json.dumps(told, ensure_ascii=False, default=str)
        return line if line.isprintable() else "".join(map(_escape, line))


class TextLines(logging.Formatter):
    """`2026-01-02T03:04:05.678+00:00 info fetch ok https://… status=200 …`: one line, empty values left out."""

    def format(self, record: logging.LogRecord) -> str:
        told = fields_of(record)
        head = " ".join(_plain(told.pop(name)) for name in ("at", "level", "event", "message"))
        tail = [f"{name}={_value(value)}" for name, value in told.items() if value not in (None, "", [], ())]
        line = " ".join([head, *tail])
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _escape(char: str) -> str:
    return char if char.isprintable() else json.dumps(char)[1:-1]


def _plain(text: str) -> str:
    """Without line ends and control characters: text of a page can neither forge a line nor move the cursor."""
    return "".join(char if char.isprintable() else " " for char in text)


def _value(value: object) -> str:
    text = str(value) if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False, default=str)
    is_plain = text.isprintable() and not any(char in text for char in ' "=')
    return text if is_plain else _plain(json.dumps(text, ensure_ascii=False))


@contextmanager
def write_log(style: Literal["text", "json"] | None) -> Iterator[None]:
    """While this lasts, all records of this program from INFO upwards go to standard error in this style."""
    if style is None:
        yield
        return
    logger = logging.getLogger(LOGGER)
    before = logger.level, logger.propagate
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if style == "json" else TextLines())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
