"""The archive's own limit: it ends before the disk does."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.archive import Archive, ArchiveUnusable
from tests.connectors.archive_pages import fetch


def test_no_file_grows_beyond_the_limit_of_all_files_together(tmp_path: Path) -> None:
    with Archive(tmp_path, limit=20_000) as archive:
        kept = archive.store(fetch(b"one", 1))
        (tmp_path / "of another process.warc.gz.open").write_bytes(bytes(20_000))
        with pytest.raises(ArchiveUnusable, match=r"FAZHI_ARCHIVE_LIMIT_MB is reached with 2\d,\d\d\d bytes"):
            archive.store(fetch(b"two", 2))
        with pytest.raises(ArchiveUnusable, match="FAZHI_ARCHIVE_LIMIT_MB"):
            archive.check_writable()
        (tmp_path / "of another process.warc.gz.open").unlink()
        again = archive.store(fetch(b"two", 2))
        assert (archive.load(kept).body, archive.load(again).body) == (b"one", b"two")
        archive.check_writable()
