"""The pure core: bytes to text, text to mentions, observations and checks.

`make fast` may have put a compiled build beside the sources. One that is older than they are would go on answering
by the rules of yesterday, so importing it is an error; where nothing was built this costs a look for one file.
"""

from __future__ import annotations

from pathlib import Path

MARKER = Path(__file__).with_name(".compiled")
"""What `make fast` leaves beside its build: the digest of the sources that it compiled."""


def digest_sources(folder: Path) -> str:
    """SHA-256 over the names and contents of the sources in `folder`, compiled or not: types cross between them."""
    from hashlib import sha256

    whole = sha256()
    for path in sorted(path for ending in ("*.py", "*.pyx", "*.pxd") for path in folder.glob(ending)):
        content = path.read_bytes()
        whole.update(f"{path.name} {len(content)}\n".encode())
        whole.update(content)
    return whole.hexdigest()


if MARKER.exists() and MARKER.read_text(encoding="utf-8").strip() != digest_sources(MARKER.parent):
    raise ImportError(
        "the compiled extraction is older than its sources: run make fast, or make clean-fast", name=__name__
    )
