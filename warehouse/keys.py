"""Surrogate keys as a function of the natural key: independent of loading order, no look-up before a write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from json.encoder import encode_basestring
from struct import Struct

UNKNOWN = -1
NOT_APPLICABLE = -2

_REST = (1 << 43) - 1
_OWNER = ((1 << 63) - 1) ^ _REST
_REST_OF_MANY = (1 << 51) - 1
_OWNER_OF_MANY = ((1 << 63) - 1) ^ _REST_OF_MANY
_BEGUN = hashlib.blake2b(digest_size=8)
"""To be copied, which takes less than to make another."""
_NUMBER = Struct(">Q").unpack


def key_of(kind: str, *parts: str | int | None) -> int:
    """63-bit key of a natural key, never negative (negative keys are the reserved members).

    A collision (likely only beyond 10^8 rows of one table) is caught by the UNIQUE constraint on the
    natural key and fails the load; it can never merge two members.
    """
    return _hash(f"[{','.join([_spell(part) for part in (kind, *parts)])}]") >> 1


def _hash(text: str) -> int:
    """64 bits."""
    told = _BEGUN.copy()
    told.update(text.encode())
    number: int = _NUMBER(told.digest())[0]
    return number


def _spell(part: str | int | None) -> str:
    """A part as JSON; `json.dumps` makes an encoder for each call, which takes longer than the hash."""
    if type(part) is str:
        return encode_basestring(part)
    return str(part) if type(part) is int else json.dumps(part, ensure_ascii=False)


def key_within(owner: int, kind: str, natural: str) -> int:
    """Key of a row that belongs to another row: the first 20 bits are the owner's, 43 are a hash of the natural key.

    Rows of one owner lie together, in the table of SQLite, in the index of PostgreSQL and in a release ordered by
    key, so one document's facts are a few pages and not one page each. `natural` must name the owner too, and be
    unambiguous. A collision (likely beyond some 10^9 rows of one table) fails the load on the primary key.
    """
    return (owner & _OWNER) | (_hash(f"{kind},{natural}") & _REST)


def keys_of_own(owner: int, kind: str) -> Callable[[str], int]:
    """`key_within` for many rows of one owner: of the natural key `OWNER,rest` it is given the rest."""
    begun = hashlib.blake2b(f"{kind},{owner},".encode(), digest_size=8)
    bits = owner & _OWNER

    def key(rest: str) -> int:
        told = begun.copy()
        told.update(rest.encode())
        number: int = _NUMBER(told.digest())[0]
        return bits | (number & _REST)

    return key


def key_near(owner: int, kind: str, natural: str) -> int:
    """`key_within` where one owner may have a million rows: 12 bits are the owner's, 51 the hash's.

    So a batch of one source writes a few pages of a table and not one for each row."""
    return (owner & _OWNER_OF_MANY) | (_hash(f"{kind},{natural}") & _REST_OF_MANY)


def hash_text(text: str) -> str:
    """Identity of a text as cleaning normalised it: equal hashes mean equal spans."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
