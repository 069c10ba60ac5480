"""What a test asks a Prefect server."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

_BUSY_SECONDS = 60.0


def ask(api: str, path: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
    """The answer, parsed; None where it is empty. GET without a body, else POST, unless a method is said.

    A server answers 503 while its SQLite is busy and has done nothing then; Prefect's own clients ask again, too.
    Raises urllib.error.HTTPError for any other refusal, and for a server that stays busy for a minute.
    """
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"{api}/{path}", data, {"Content-Type": "application/json"}, method=method)
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                told = answer.read()
            return json.loads(told) if told else None
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > deadline:
                raise
            time.sleep(0.5)
