"""Surrogate keys as a function of the natural key: independent of loading order, no look-up before a write."""

from __future__ import annotations

import hashlib
import json

UNKNOWN = -1
NOT_APPLICABLE = -2


def key_of(kind: str, *parts: str | int | None) -> int:
    """63-bit key of a natural key, never negative (negative keys are the reserved members).

    A collision (likely only beyond 10^8 rows of one table) is caught by the UNIQUE constraint on the
    natural key and fails the load; it can never merge two members.
    """
    text = json.dumps([kind, *parts], ensure_ascii=False, separators=(",", ":"))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def hash_text(text: str) -> str:
    """Identity of a text as cleaning normalised it: equal hashes mean equal spans."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
