"""One URL and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from datetime import datetime


class Purpose(Enum):
    """Why a URL is asked. The value is what ``--json`` prints."""

    CA_ISSUERS = "caIssuers"
    """Certificates of the issuer, by authorityInfoAccess (RFC 5280 section 4.2.2.1)."""
    CA_REPOSITORY = "caRepository"
    """Certificates that a CA issued, by subjectInfoAccess (RFC 5280 section 4.2.2.2)."""
    CRL = "crl"
    """By cRLDistributionPoints (RFC 5280 section 4.2.1.13)."""
    OCSP = "ocsp"
    """By authorityInfoAccess, RFC 6960."""
    BUNDLE = "bundle"
    """A published list of certificates, named by the user."""


class Status(Enum):
    """What came of a URL. The value is what ``--json`` prints."""

    FETCHED = "fetched"
    UNCHANGED = "unchanged"
    """The server said that what is in the cache still holds (RFC 9110 section 15.4.5)."""
    CACHED = "cached"
    """From the cache alone: it was fetched a short while ago, or nothing was to be asked."""
    FAILED = "failed"
    REFUSED = "refused"
    """By us: another scheme, an address that is not public, a limit."""
    SKIPPED = "skipped"
    """Named and not asked: LDAP, what is not in the cache when offline, what no path needed any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """One URL, asked once for one purpose, and what came of it. ``content`` is untrusted, as is every text here.

    ``why`` says in one line why there is no content; empty where there is. ``redirects`` are the URLs that the server
    sent us on to, in order. ``attempts`` counts requests, redirects not included. ``size`` are the bytes that came over
    the network in all attempts; ``seconds`` is the time from the first to the last of them, waiting in between
    included. ``sha256`` is that of the content, in hexadecimal; ``fetched`` is when the server last said that this is
    the content: timezone-aware.
    """

    url: str
    purpose: Purpose
    status: Status
    why: str = ""
    http_status: int | None = None
    redirects: tuple[str, ...] = ()
    attempts: int = 0
    size: int = 0
    seconds: float = 0.0
    sha256: str | None = None
    fetched: datetime | None = None
    content: bytes | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, object]:
        """Describe it for ``--json``, without the content."""
        return {
            "url": self.url,
            "purpose": self.purpose.value,
            "status": self.status.value,
            "why": self.why,
            "http_status": self.http_status,
            "redirects": list(self.redirects),
            "attempts": self.attempts,
            "bytes": self.size,
            "seconds": round(self.seconds, 3),
            "sha256": self.sha256,
            "fetched": None if self.fetched is None else format_time(self.fetched),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredUrl:
    """A URL that certificates name, with the result of fetching it. All text in it is untrusted.

    ``retrieval`` has no content any more. ``wanted`` describes the certificates that the URL is said to have, in the
    words of each certificate that names it. ``certificates`` counts those that it had. ``why`` says in one line why
    there are none, or not all; empty where nothing is missing.
    """

    retrieval: Retrieval
    wanted: tuple[str, ...]
    certificates: int
    why: str

    @property
    def url(self) -> str:
        """The URL as the certificate has it."""
        return self.retrieval.url

    @property
    def answered(self) -> bool:
        """True if there was a response with certificates in it, from the server or the cache."""
        return self.certificates > 0

    @property
    def failed(self) -> bool:
        """True if the URL was to be asked and had nothing of use; not where it was skipped."""
        return self.retrieval.status is not Status.SKIPPED and bool(self.why)

    def to_json(self) -> dict[str, object]:
        """Return the form for ``--json``: the retrieval, what was wanted, the number of certificates, the reason."""
        return self.retrieval.to_json() | {
            "wanted": list(self.wanted),
            "certificates": self.certificates,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a fetcher is, for whoever waits. ``url`` is the one that something just came of: untrusted text.

    ``asked`` counts URLs, ``finished`` those with an outcome; ``size`` are the bytes that came over the network.
    """

    url: str
    asked: int
    finished: int
    size: int
