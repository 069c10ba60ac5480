"""Every setting, in one place: environment variables `FAZHI_*`, or the same names in a `.env` file.

`fazhi settings` prints the table, and docs/settings.md is generated from it.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: catalog/, connectors/sources/ and sandbox/ are read from here."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="FAZHI_", env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    home: Path = Field(
        Path("data"), description="Data folder: warehouse, raw snapshots, releases, Prefect's own files."
    )
    database_url: str | None = Field(
        None, description="SQLAlchemy URL of the warehouse. Default: SQLite in `FAZHI_HOME/warehouse.sqlite`."
    )
    archive: str | None = Field(
        None,
        description="Raw archive: a folder, or an fsspec URL such as `s3://bucket/folder` (its files are written in "
        "`FAZHI_HOME/raw` and uploaded when full or at the end). Default: `FAZHI_HOME/raw`.",
    )
    archive_file_mb: float = Field(
        256, gt=0, description="Size of a raw archive file in MiB, at which the next one is begun."
    )
    archive_limit_mb: float | None = Field(
        None,
        gt=0,
        description="Size in MiB that the files in the local folder of the raw archive may reach together: a run that "
        "would write more ends with one line, before the disk is full. Default: none.",
    )
    replay: str | None = Field(
        None,
        description="Replay gateway, e.g. `http://127.0.0.1:8080`: every request goes there, with the original "
        "host in the Host header. Robots, retries and checks stay as they are; only the waiting is left out.",
    )
    pace: Literal["auto", "real"] = Field(
        "auto",
        description="`real` keeps the polite pace also in replay; `auto` waits only on the live network.",
    )
    sources: Path | None = Field(None, description="Folder with further source YAML files, beside connectors/sources/.")
    catalog: Path | None = Field(
        None,
        description="Folder of a metric catalogue (metrics/, topics, units, script, rules) to use instead of catalog/.",
    )
    contact: str | None = Field(
        None,
        description="URL where a portal's operator finds out who crawls and how to reach you; shown in the user "
        "agent. Required on the live network.",
    )
    concurrency: int = Field(
        8, ge=1, le=1024, description="Sources crawled at once. Each host has one lane, whatever this is."
    )
    shards: int = Field(
        1,
        ge=1,
        le=64,
        description="Flow runs in the work pool over which a nightly shares its sources; 1: it crawls them itself. "
        "Each crawls FAZHI_CONCURRENCY at once. On several machines the warehouse must be PostgreSQL.",
    )
    timeout: float = Field(30.0, gt=0, description="Seconds for one whole request, connect and read included.")
    retries: int = Field(3, ge=0, le=10, description="Further attempts after a transient failure.")
    backoff: float = Field(1.0, ge=0, description="Seconds before the first retry; doubled each time, with jitter.")
    delay: float = Field(
        1.0, ge=0, description="Least seconds between two requests to one host (Crawl-delay may raise it)."
    )
    daily_budget: int = Field(
        20_000,
        ge=1,
        description="Requests a day (Asia/Shanghai) to one host, of all runs together, where the pace is kept; a "
        "source may state a smaller one.",
    )
    source_hours: float = Field(
        8.0,
        gt=0,
        description="Hours that the crawl of one source may take in one run; then it is ended as failed, what was "
        "loaded stays, and the next run takes up the rest.",
    )
    resume_hours: float = Field(
        12,
        ge=0,
        description="Hours for which the answers of a run that did not end, or is under way at the same time, stay "
        "good: another run takes them from the archive instead of asking again.",
    )
    max_page_mb: float = Field(16, gt=0, description="Largest page read, in MiB after decompression.")
    max_attachment_mb: float = Field(64, gt=0, description="Largest attachment read, in MiB.")
    log: Literal["text", "json"] | None = Field(
        None,
        description="`text` or `json`: a line on standard error for each request, source and run (run_id, source_id, "
        "url, outcome, elapsed_ms and more), in place of the progress bars. Default: only the run report.",
    )
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port on which a running crawl answers with its metrics in Prometheus' text format "
        "(`/metrics`). Default: none.",
    )
    metrics_host: str = Field(
        "127.0.0.1", description="Address for FAZHI_METRICS_PORT; `0.0.0.0` lets other machines ask."
    )
    keep_releases: int = Field(5, ge=1, description="Releases kept in `FAZHI_HOME/releases`.")
    keep_runs: int = Field(200, ge=1, description="Records of runs kept in `FAZHI_HOME/runs`, for the explorer.")
    explore_hosts: str = Field(
        "", description="Names under which `fazhi explore` is reached behind a proxy, with commas; loopback always is."
    )
    explore_token: SecretStr | None = Field(
        None,
        description="Token that `fazhi explore` asks for, as a bearer token or as the password of any user name. "
        "Default: none.",
    )
    explore_prefect: str | None = Field(
        None,
        pattern="^https?://",
        description="Address of the Prefect UI, e.g. `http://127.0.0.1:4200`: runs in the explorer link to it.",
    )
    webhook: SecretStr | None = Field(
        None,
        description="Address that `fazhi automations apply` has the Prefect server send its notices to.",
    )
    explorer_url: str | None = Field(
        None,
        pattern="^https?://",
        description="Address of `fazhi explore` as people reach it: what a run shows in the Prefect UI links to it.",
    )
    acknowledged: Path | None = Field(
        None,
        description="File of acknowledged findings, a line each. Default: `acknowledged.yml` beside the catalogue.",
    )

    @field_validator("replay")
    @classmethod
    def _replay_is_http(cls, value: str | None) -> str | None:
        if not value:
            return None
        if not _is_gateway(value):
            raise ValueError("FAZHI_REPLAY must be an http:// or https:// address, e.g. http://127.0.0.1:8080")
        return value.rstrip("/")

    @cached_property
    def warehouse_url(self) -> str:
        """SQLAlchemy URL of the warehouse."""
        return self.database_url or f"sqlite:///{(self.home / 'warehouse.sqlite').resolve()}"

    @property
    def spool(self) -> Path:
        """Where raw archive files are written, and where they stay unless FAZHI_ARCHIVE says otherwise."""
        return self.home / "raw"

    @property
    def releases(self) -> Path:
        return self.home / "releases"

    @property
    def runs(self) -> Path:
        """A record of each run, as JSON."""
        return self.home / "runs"

    @property
    def shown_warehouse(self) -> str:
        """The warehouse as shown to a person: the file, or the URL without its password."""
        if self.database_url is None:
            return str(self.home / "warehouse.sqlite")
        return _without_password(self.database_url)

    def shown(self, field: str) -> object:
        value = getattr(self, field)
        if field == "archive" and value:
            scheme, mark, rest = value.rpartition("://")
            return scheme + mark + rest.rpartition("@")[2] if mark else value
        return _without_password(value) if field == "database_url" and value else value

    @classmethod
    def table(cls) -> list[tuple[str, str, str]]:
        """(variable, default, meaning) of every setting: the one source of all option tables."""
        return [
            (
                f"FAZHI_{name.upper()}",
                "" if field.default is None else str(field.default),
                field.description or "",
            )
            for name, field in cls.model_fields.items()
        ]


def _is_gateway(value: str) -> bool:
    """A scheme, a host and perhaps a port: paths and queries stay those of the portals."""
    try:
        parts = urlsplit(value.rstrip("/"))
        port = parts.port
    except ValueError:
        return False
    has_more = bool(parts.path or parts.query or parts.fragment)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0 and not has_more


def _without_password(url: str) -> str:
    return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", url)
