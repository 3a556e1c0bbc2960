"""Where a certificate says that more are: its issuer's by authorityInfoAccess, those it issued by subjectInfoAccess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.retrieval.retrieved import Purpose

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A URL in a certificate, as it stands there, and which certificates it is said to give."""

    url: str
    purpose: Purpose
    subject: Name
    issuer: Name

    @property
    def wanted(self) -> str:
        """What it is said to give, in a few words with text from outside."""
        if self.purpose is Purpose.CA_ISSUERS:
            return f"certificates of {_short(self.issuer)}, which issued {_short(self.subject)}"
        return f"certificates that {_short(self.subject)} issued"


def pointers_up(certificate: Certificate, *, limits: Limits = DEFAULT_LIMITS) -> tuple[Pointer, ...]:
    """List the URLs of the issuer's certificates (RFC 5280 section 4.2.2.1): each once, of any scheme.

    At most ``limits.retrieval_certificate_urls``, the first. None where the extensions cannot be read.
    """
    return _pointers(certificate, Purpose.CA_ISSUERS, limits)


def pointers_down(certificate: Certificate, *, limits: Limits = DEFAULT_LIMITS) -> tuple[Pointer, ...]:
    """List the URLs of certificates that the subject issued (RFC 5280 section 4.2.2.2), as :func:`pointers_up` does."""
    return _pointers(certificate, Purpose.CA_REPOSITORY, limits)


def _pointers(certificate: Certificate, purpose: Purpose, limits: Limits) -> tuple[Pointer, ...]:
    try:
        extensions = certificate.extensions
    except MalformedCertificateError:
        return ()
    urls = extensions.ca_issuers if purpose is Purpose.CA_ISSUERS else extensions.ca_repositories
    longest = limits.retrieval_url_characters + 1  # the fetcher refuses what is longer than the limit
    return tuple(
        Pointer(url=url, purpose=purpose, subject=certificate.subject, issuer=certificate.issuer)
        for url in dict.fromkeys(url.strip()[:longest] for url in urls[: limits.retrieval_certificate_urls])
    )


def _short(name: Name) -> str:
    return name.short_text or "(no name)"
