"""How much of a text was got, and how much besides: character 5-grams, white space ignored."""

from __future__ import annotations

from collections import Counter


def _grams(text: str, size: int = 5) -> Counter[str]:
    plain = "".join(text.split())
    return Counter(plain[at : at + size] for at in range(max(1, len(plain) - size + 1))) if plain else Counter()


def f1(want: str, got: str | None) -> float:
    """Harmonic mean of precision and recall; 1 where nothing was wanted and nothing came."""
    wanted, found = _grams(want), _grams(got or "")
    if not wanted or not found:
        return float(not wanted and not found)
    common = sum((wanted & found).values())
    return 2 * common / (sum(wanted.values()) + sum(found.values()))
