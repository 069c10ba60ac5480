"""Links to document files: by the suffix of their address, of their query or of their label."""

from __future__ import annotations

import re

_SUFFIXES = r"\.(?:pdf|docx?|xlsx?|pptx?|wps|et|ofd|ceb|zip|rar|7z|txt|csv|rtf|jpe?g|png|tiff?)"
SUFFIX_BEGINNINGS = (
    "pd",
    "do",
    "xl",
    "pp",
    "wp",
    "et",
    "of",
    "ce",
    "zi",
    "ra",
    "7z",
    "tx",
    "cs",
    "rt",
    "jp",
    "pn",
    "ti",
)
"""What each of them begins with: addresses without any of these after a dot need no pattern to be told."""
FILE_HINT = re.compile(_SUFFIXES, re.I)
"""Without it, neither an address nor a label is that of a file."""
FILE_SUFFIX = re.compile(_SUFFIXES + "$", re.I)
_LONGEST_SUFFIX = 6
_FILE_QUERY = re.compile(r"\.(?:pdf|docx?|xlsx?|pptx?|wps|et|ofd|ceb|zip|rar|7z)(?=$|[&;#?])", re.I)


def is_file_link(href: str, label: str = "") -> bool:
    """Whether a link leads to a document file: by its path, its query (`filename=…pdf`) or its label."""
    address = href.strip().partition("#")[0]
    path, _, query = address.partition("?")
    ends = (path[-_LONGEST_SUFFIX:], label.strip()[-_LONGEST_SUFFIX:])
    if any(FILE_SUFFIX.search(end) for end in ends):
        return True
    return "." in query and _FILE_QUERY.search(query) is not None
