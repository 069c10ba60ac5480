"""The one family of errors a source can meet, each with an issue code and whether a retry can help.

The code is what `fact_fetch.outcome` and the run report show; the message is one line for a person:
it names the source or URL and the way out.
"""

from __future__ import annotations


class SourceError(Exception):
    """Base: something about one source or one URL. Never stops another source."""

    code = "failed"
    may_retry = False

    def __init__(self, message: str, *, url: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.url = url
        self.status = status


class Transient(SourceError):
    """Time-out, reset connection, 408/425/429/5xx: the same request may succeed later."""

    code = "transient"
    may_retry = True

    def __init__(
        self,
        message: str,
        *,
        url: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, url=url, status=status)
        self.retry_after = retry_after
        """Seconds the server asked us to wait (RFC 9110, 10.2.3), or None."""


class Gone(SourceError):
    """404 or 410: the address has no page (any more)."""

    code = "gone"


class Blocked(SourceError):
    """A challenge, login or WAF page instead of the content. Recorded, never evaded."""

    code = "blocked"


class RobotsDenied(SourceError):
    """robots.txt says no, or could not be read (RFC 9309, 2.3.1.4: unreachable means no)."""

    code = "robots_denied"


class TooLarge(SourceError):
    """More bytes, compressed or not, than the limit for its kind."""

    code = "too_large"


class Refused(SourceError):
    """Our own guard said no: a host outside the source's list, another scheme, a private address."""

    code = "refused"


class SourceChanged(SourceError):
    """The page no longer looks as its engine knows it, or holds fewer rows than the source asserts."""

    code = "source_changed"


class ContractBroken(SourceError):
    """A source YAML, a setting or an engine breaks its contract with the house."""

    code = "contract_broken"
