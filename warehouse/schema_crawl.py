"""The state of running and unfinished crawls: leases of hosts, which runs are under way, what runs that have not ended
know of addresses, which process crawls which source of a night that is shared out, and what was read of list pages.

It is no part of the warehouse's content or schema revisions: its tables are made when they are missing, and may be
dropped whenever no run is under way. The next run then asks again for what was not loaded.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, MetaData, String, Table, Text

crawl_metadata = MetaData()

host_lane = Table(
    "host_lane",
    crawl_metadata,
    Column("host", String, primary_key=True, comment="Host without port and `www.`."),
    Column("holder", String, comment="Process that may ask it: machine, process id, its start. NULL: nobody."),
    Column("lease_until", Float, nullable=False, comment="Epoch seconds; later the lane is free."),
    Column("last_holder", String, comment="Who had it last: yields to who waits."),
    Column("waiter", String, comment="Process that has asked for it in vain."),
    Column("waiter_until", Float, nullable=False, comment="Epoch seconds until which it will ask again."),
    Column("last_start", Float, nullable=False, comment="Epoch seconds of the last request's start."),
    Column("not_before", Float, nullable=False, comment="Epoch seconds; Retry-After or a pause of ours."),
    Column("response_s", Float, nullable=False, comment="Smoothed seconds of an answer."),
    Column("slowdown", Float, nullable=False, comment="Factor of the delay after refusals."),
    Column("day", String, nullable=False, comment="Day (Asia/Shanghai) that n_day counts."),
    Column("n_day", Integer, nullable=False, comment="Requests of that day, those of running leases included."),
    comment="One row per host: its lane, shared by every process that uses this warehouse.",
)

night = Table(
    "night",
    crawl_metadata,
    Column("run_id", String, primary_key=True, comment="Run whose sources several processes crawl."),
    Column("begun_at", Float, nullable=False, comment="Epoch seconds."),
    comment="One row per run that is shared out; it goes when that run has ended.",
)

night_worker = Table(
    "night_worker",
    crawl_metadata,
    Column("run_id", String, primary_key=True, comment="Night."),
    Column("worker", String, primary_key=True, comment="Process: machine, process id, its start, a mark."),
    Column("flow_run_id", String, nullable=False, comment="Flow run that the process carries out."),
    Column("state", String, nullable=False, comment="`working`, `left`, `lost`."),
    Column("lease_until", Float, nullable=False, comment="Epoch seconds; later the worker counts as lost."),
    comment="One row per night × process that has crawled for it.",
)

night_source = Table(
    "night_source",
    crawl_metadata,
    Column("run_id", String, primary_key=True, comment="Night."),
    Column("source_id", String, primary_key=True, comment="Source."),
    Column("position", Integer, nullable=False, comment="Order in which they are begun."),
    Column("state", String, nullable=False, comment="`waiting`, `working`, `done`, `aside`."),
    Column("worker", String, comment="Process that crawls it."),
    Column("token", String, comment="Of the claim: the same claim asked for again gets the same source."),
    Column("n_lost", Integer, nullable=False, comment="Workers that were lost while they crawled it."),
    Column("outcome", Text, comment="What came of it, as JSON, once it is done."),
    comment="One row per night × source: who crawls it, and what came of it.",
)

crawl_run = Table(
    "crawl_run",
    crawl_metadata,
    Column("run_id", String, primary_key=True, comment="Run that is under way."),
    Column("worker", String, primary_key=True, comment="Process: machine, process id, its start, a mark."),
    Column("lease_until", Float, nullable=False, comment="Epoch seconds; later the process counts as lost."),
    comment="One row per run × process that carries it out.",
)

frontier = Table(
    "frontier",
    crawl_metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="Order of the words."),
    Column("source_id", String, nullable=False, index=True, comment="Source."),
    Column("address", Text, nullable=False, comment="Canonical address without its scheme."),
    Column("url", Text, nullable=False, comment="As asked."),
    Column("kind", String, nullable=False, comment="`list`, `page`, `feed`, `attachment`."),
    Column("run_id", String, nullable=False, comment="Run that planned, asks or last took it over."),
    Column("state", String, nullable=False, comment="`due`, `in_flight`, `done`, `failed`, `gone`, `tried`."),
    Column("outcome", String, nullable=False, comment="`ok`, `not_modified`, an issue code; empty before an answer."),
    Column("asked_at", Float, nullable=False, comment="Epoch seconds; of the answer's request once it is there."),
    Column("status", Integer, comment="HTTP status."),
    Column("etag", Text, comment="Validator."),
    Column("last_modified", Text, comment="Validator."),
    Column("snapshot_file", String, comment="Archive file."),
    Column("snapshot_offset", Integer, comment="Where in the file."),
    Column("snapshot_length", Integer, comment="How long."),
    Column("snapshot_sha256", String, comment="Hash of the archived bytes."),
    Column("said_to", Text, comment="Runs that had it before it was taken over, the first one first; else NULL."),
    Column("told", Text, comment="Of `tried`, what the fetch log has besides, as JSON."),
    comment="One row per word on a source × address that a run which has not ended plans, asks or has asked: the last "
    "one counts. `tried` is a word for the log alone, on an attempt of which no other word tells all. Rows are only "
    "added, since to change one among so many costs several times as much.",
)

list_page = Table(
    "list_page",
    crawl_metadata,
    Column("source_id", String, primary_key=True, comment="Source."),
    Column("address", Text, primary_key=True, comment="Canonical address without its scheme."),
    Column("said", Text, nullable=False, comment="Of which bytes, read by which code, and the rows, as JSON."),
    comment="One row per source × list page: what was read of it, for the nights on which it is the same.",
)
