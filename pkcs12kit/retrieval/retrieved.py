"""Results of fetching: the outcome of a URL, a fetched certificate with its origins, and the progress of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate


class Purpose(Enum):
    """The purpose of fetching a URL. ``--json`` prints the value."""

    CA_ISSUERS = "caIssuers"
    """Certificates of the issuer, from authorityInfoAccess (RFC 5280 section 4.2.2.1)."""
    CA_REPOSITORY = "caRepository"
    """Certificates that a CA issued, from subjectInfoAccess (RFC 5280 section 4.2.2.2)."""
    CRL = "crl"
    """A CRL, from cRLDistributionPoints (RFC 5280 section 4.2.1.13)."""
    OCSP = "ocsp"
    """An OCSP response (RFC 6960), from authorityInfoAccess."""
    BUNDLE = "bundle"
    """A published list of certificates, named by the user."""


class Status(Enum):
    """The outcome of fetching a URL. ``--json`` prints the value."""

    FETCHED = "fetched"
    UNCHANGED = "unchanged"
    """The server said that the cached content is current (RFC 9110 section 15.4.5)."""
    CACHED = "cached"
    """Taken from the cache without a request: it was fetched a short while ago, or the run is offline."""
    READ = "read"
    """Read from a file on this computer that the user named; no server was asked."""
    FAILED = "failed"
    REFUSED = "refused"
    """Refused by pkcs12kit: another scheme, an address that is not public, a limit."""
    SKIPPED = "skipped"
    """Not fetched: LDAP, a URL that is not in the cache while offline, a URL that no path needed any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """The outcome of fetching one URL for one purpose. ``content`` and every text in it are untrusted.

    * ``why`` is the reason in one line why there is no content; empty where there is.
    * ``redirects`` are the targets of redirects, in order.
    * ``attempts`` counts requests, without those for redirects.
    * ``size`` counts the bytes that came over the network in all attempts.
    * ``seconds`` is the time from the first attempt to the end of the last, with the pauses between them.
    * ``sha256`` is the digest of the content, in hexadecimal.
    * ``fetched`` is when the server last said that this is the content: timezone-aware.
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
        """Return the form for ``--json``, without the content."""
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
class Origin:
    """The URL from which a certificate was fetched, and the time: timezone-aware."""

    url: str
    fetched: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredCertificate:
    """A fetched certificate with its origins: untrusted, and so is every text in it."""

    certificate: Certificate
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a fetcher. ``url`` is the URL with the latest event: untrusted text.

    ``asked`` counts URLs, ``finished`` those with an outcome; ``size`` counts the bytes that came over the network.
    """

    url: str
    asked: int
    finished: int
    size: int
