"""The archive in an object store: a real S3 server on loopback (moto's), asked through s3fs."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from connectors.archive import Archive, ArchiveUnusable
from connectors.archive.retention import Policy, carry_out, plan_pruning
from connectors.archive.upkeep import Cut, count, export, verify
from connectors.errors import ContractBroken
from tests.connectors.archive_pages import AT, fetch


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The URL of a new bucket; the environment says where it is, as an operator's does."""
    credentials = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**credentials, "AWS_ENDPOINT_URL": server}.items():
        monkeypatch.setenv(name, value)
    name = request.node.name.replace("_", "-")[:60]
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}/raw"


def keys(bucket: str) -> dict[str, int]:
    listed = boto3.client("s3").list_objects_v2(Bucket=bucket.split("/")[2])
    return {entry["Key"].removeprefix("raw/"): entry["Size"] for entry in listed.get("Contents", ())}


def test_pages_go_to_the_bucket_and_come_back(bucket: str, tmp_path: Path) -> None:
    archive = Archive(bucket, spool=tmp_path, rotate_at=20_000)
    refs = [archive.store(fetch(os.urandom(9000), n), source="990001_yunxi") for n in range(5)]
    assert len({ref.file for ref in refs}) == 3
    assert set(keys(bucket)) == {refs[0].file, refs[2].file}, "the full files; the open one is in the spool"
    assert [archive.load(ref).url for ref in refs] == [fetch(number=n).url for n in range(5)]
    archive.close()
    assert list(tmp_path.iterdir()) == []
    elsewhere = Archive(bucket, spool=tmp_path / "other")
    assert [elsewhere.load(ref).url for ref in refs] == [fetch(number=n).url for n in range(5)]
    assert all(elsewhere.has(ref) for ref in refs)
    assert verify(elsewhere, refs).is_good
    assert count(elsewhere)["990001_yunxi"].pages == 5
    assert export(elsewhere, Cut(urls=("/2.html",)), tmp_path / "out.warc.gz") == (1, [])


def test_from_a_running_event_loop(bucket: str, tmp_path: Path) -> None:
    async def crawl() -> list[bytes]:
        with Archive(bucket, spool=tmp_path, rotate_at=1) as archive:
            refs = await asyncio.gather(*(archive.keep(fetch(b"%d" % n, n)) for n in range(5)))
            return [archive.load(ref).body for ref in refs]

    assert asyncio.run(crawl()) == [b"%d" % n for n in range(5)]


def test_what_a_killed_writer_left_is_uploaded_at_the_next_start(bucket: str, tmp_path: Path) -> None:
    archive = Archive(bucket, spool=tmp_path)
    ref = archive.store(fetch(b"before the crash"))
    archive.close()
    content = boto3.client("s3").get_object(Bucket=bucket.split("/")[2], Key=f"raw/{ref.file}")["Body"].read()
    boto3.client("s3").delete_object(Bucket=bucket.split("/")[2], Key=f"raw/{ref.file}")
    (tmp_path / (ref.file + ".open")).write_bytes(content + b"\x1f\x8b\x08 half a record")
    assert Archive(bucket, spool=tmp_path).load(ref).body == b"before the crash"
    assert keys(bucket) == {ref.file: len(content)}
    assert list(tmp_path.iterdir()) == []


def test_damage_and_absence_are_named(bucket: str, tmp_path: Path) -> None:
    with Archive(bucket, spool=tmp_path) as archive:
        ref = archive.store(fetch(b"page" * 500))
    s3, name = boto3.client("s3"), bucket.split("/")[2]
    content = bytearray(s3.get_object(Bucket=name, Key=f"raw/{ref.file}")["Body"].read())
    content[ref.offset + ref.length // 2] ^= 0xFF
    s3.put_object(Bucket=name, Key=f"raw/{ref.file}", Body=bytes(content))
    with pytest.raises(ContractBroken, match=f"{bucket}/{ref.file}, offset {ref.offset}"):
        archive.load(ref)
    assert [one.offset for one in verify(archive).damaged] == [ref.offset]
    assert archive.has(ref)
    s3.delete_object(Bucket=name, Key=f"raw/{ref.file}")
    assert not Archive(bucket, spool=tmp_path).has(ref)
    with pytest.raises(ContractBroken, match=ref.file):
        archive.load(ref)


def test_old_versions_go_and_references_stay_good(bucket: str, tmp_path: Path) -> None:
    archive = Archive(bucket, spool=tmp_path)
    refs = [archive.store(fetch(b"day %d" % day, days=day)) for day in range(4)]
    archive.close()
    plan = plan_pruning(archive, Policy(versions=1), [refs[1]], AT)
    carry_out(archive, plan)
    assert plan.n_old == 2
    again = Archive(bucket, spool=tmp_path)
    assert [again.load(refs[n]).body for n in (1, 3)] == [b"day 1", b"day 3"]
    with pytest.raises(ContractBroken, match="prune"):
        again.load(refs[0])
    assert verify(again, [refs[1], refs[3]]).pages == 2
    assert refs[0].file not in keys(bucket)
    assert list(tmp_path.iterdir()) == []


def test_no_such_bucket_is_one_line_and_costs_no_page(bucket: str, tmp_path: Path) -> None:
    archive = Archive("s3://there-is-no-such-bucket/raw", spool=tmp_path)
    with pytest.raises(ArchiveUnusable, match="there-is-no-such-bucket"):
        archive.check_writable()
    ref = archive.store(fetch(b"kept"))
    with pytest.raises(ArchiveUnusable, match="there-is-no-such-bucket"):
        archive.close()
    assert archive.load(ref).body == b"kept"
    assert [path.name for path in tmp_path.iterdir()] == [ref.file + ".open"]
    with pytest.raises(ArchiveUnusable, match="there-is-no-such-bucket"):
        Archive("s3://there-is-no-such-bucket/raw", spool=tmp_path)
    mended = Archive(bucket, spool=tmp_path)
    assert mended.load(ref).body == b"kept"
    assert list(keys(bucket)) == [ref.file]


def test_a_store_that_does_not_answer(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        s3fs.S3FileSystem.clear_instance_cache()
        with pytest.raises(ArchiveUnusable, match="see to its address, credentials and connection"):
            Archive(bucket, spool=tmp_path).check_writable()
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_scheme_that_nothing_here_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ContractBroken, match="FAZHI_ARCHIVE=nosuch://place"):
        Archive("nosuch://user:secret@place", spool=tmp_path)
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(ContractBroken, match=r"FAZHI_ARCHIVE=gs://bucket cannot be used"):
        Archive("gs://bucket", spool=tmp_path)


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    with Archive(f"file://{tmp_path}/raw") as archive:
        ref = archive.store(fetch())
    assert (tmp_path / "raw" / ref.file).is_file()


def test_a_url_needs_a_spool() -> None:
    with pytest.raises(ContractBroken, match="local folder"):
        Archive("s3://bucket/raw")
