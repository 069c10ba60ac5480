"""The one family of errors a source can meet, each with an issue code and whether a retry can help.

The code is what `fact_fetch.outcome` and the run report show; the message is one line for a person:
it names the source or URL and the way out. An attempt ends with one of these outcomes:

| outcome | class | when |
| --- | --- | --- |
| `ok`, `not_modified`, `redirect` | none | content; 304 to a validator of ours; 3xx or a meta-refresh stub |
| `cancelled` | none | the run was stopped in mid-request |
| `transient` | Transient | time-out, trickle, reset, short or damaged body, no HTTP, nothing at all, 408/425/429/5xx |
| `gone` | Gone | 404, 410 |
| `soft_gone` | SoftGone | a page that says in words that there is no page |
| `blocked` | Blocked | 403, 412, 521 or the marks of a firewall: ends the host's lane for this run |
| `login` | LoginRequired | 401 or a login form |
| `maintenance` | Maintenance | a notice that the site is being worked on |
| `empty_shell` | EmptyShell | a frame without text that scripts would fill |
| `script_redirect` | ScriptRedirect | a stub whose script leads elsewhere |
| `too_many_redirects` | TooManyRedirects | more than five hops |
| `robots_denied` | RobotsDenied | robots.txt says no, or cannot be read |
| `deferred` | Deferred | not now: asked to wait longer than a run does, quiet hours, a day's budget |
| `too_large` | TooLarge | body (on the wire, decompressed, or their ratio) or headers beyond their limit |
| `refused` | Refused | our guard: another host, scheme or port, an address that is not public |
| `untrusted` | Untrusted | TLS: certificate, name or pin do not hold, or no handshake |
| `failed` | SourceError | any other status, an encoding that nobody asked for |
| `source_changed` | SourceChanged | the engine does not know the page any more, an assertion is not met |
| `layout_changed` | LayoutChanged | what was read has not the shape that the source's contract knows |
| `contract_broken` | ContractBroken | our own files: source YAML, setting, archive |
| `gateway_unreachable` | connectors.http.replay.GatewayUnreachable | the replay gateway is not there |
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
    """The same request may succeed later: time-out, reset, short or damaged body, 408/425/429/5xx."""

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


class Deferred(SourceError):
    """Not now, but in a later run: the host asks for a longer pause than a run makes, or it is not its hour."""

    code = "deferred"


class Gone(SourceError):
    """404 or 410: the address has no page (any more)."""

    code = "gone"


class SoftGone(SourceError):
    """A page of status 200 that says in words that there is no page. No Gone: words prove less than a status."""

    code = "soft_gone"


class Blocked(SourceError):
    """A challenge or firewall page instead of the content. Recorded, never evaded; ends the host's lane."""

    code = "blocked"

    def __init__(self, message: str, *, url: str | None = None, status: int | None = None, evidence: str = "") -> None:
        super().__init__(message, url=url, status=status)
        self.evidence = evidence
        """What was seen, in one line of ASCII: status, mark, size, server."""


class LoginRequired(SourceError):
    """401 or a login form: this page is not for the public."""

    code = "login"


class Maintenance(SourceError):
    """A notice that the site is being worked on, whatever its status."""

    code = "maintenance"


class EmptyShell(SourceError):
    """A frame without text, which a browser's scripts would fill."""

    code = "empty_shell"


class ScriptRedirect(SourceError):
    """A stub whose script sends a browser elsewhere. The message names the target; nobody runs the script."""

    code = "script_redirect"


class TooManyRedirects(SourceError):
    """A circle, or a chain beyond the limit."""

    code = "too_many_redirects"


class RobotsDenied(SourceError):
    """robots.txt says no, or could not be read (RFC 9309, 2.3.1.4: unreachable means no)."""

    code = "robots_denied"


class TooLarge(SourceError):
    """More bytes, compressed or not, than the limit for its kind."""

    code = "too_large"


class Refused(SourceError):
    """Our own guard said no: a host outside the source's list, another scheme, a private address."""

    code = "refused"


class Untrusted(SourceError):
    """TLS could not be set up with the certificate that the name (or the source's pin) asks for."""

    code = "untrusted"


class SourceChanged(SourceError):
    """The page no longer looks as its engine knows it, or holds fewer rows than the source asserts."""

    code = "source_changed"


class LayoutChanged(SourceChanged):
    """Pages were read, but not in the shape that the golden values of the source have. Nothing of them is loaded."""

    code = "layout_changed"


class ContractBroken(SourceError):
    """A source YAML, a setting or an engine breaks its contract with the house."""

    code = "contract_broken"
