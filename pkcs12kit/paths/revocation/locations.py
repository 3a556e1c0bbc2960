"""The URLs from which a certificate says that CRLs and OCSP responses about it come."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.certificates.certificate import Certificate

_SHOWN: Final = 5
_URL: Final = re.compile(r"[!-~]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLocations:
    """Where new evidence about a certificate is published, as the certificate says.

    A URL that is very long, or has a character that no URL has, is left out: in a message it could look like other
    text. Of each kind there are at most five.
    """

    crls: tuple[str, ...] = ()
    """URLs of CRLs (RFC 5280 section 4.2.1.13)."""
    delta_crls: tuple[str, ...] = ()
    """URLs of delta CRLs (section 4.2.1.15)."""
    ocsp_responders: tuple[str, ...] = ()
    """URLs of OCSP responders (section 4.2.2.1)."""

    @property
    def all(self) -> tuple[str, ...]:
        """All URLs, each once."""
        return tuple(dict.fromkeys((*self.crls, *self.delta_crls, *self.ocsp_responders)))

    @property
    def can_be_fetched(self) -> bool:
        """True where one of them is of a CRL or a responder, over HTTP or HTTPS."""
        urls = (*self.ocsp_responders, *self.crls)
        return any(url.lower().startswith(("http://", "https://")) for url in urls)

    def to_json(self) -> dict[str, list[str]]:
        """Return the locations as ``--json`` prints them."""
        return {
            "crls": list(self.crls),
            "delta_crls": list(self.delta_crls),
            "ocsp_responders": list(self.ocsp_responders),
        }


def locations_of(certificate: Certificate) -> EvidenceLocations:
    """Return the locations that a certificate names; none where its extensions cannot be read."""
    try:
        extensions = certificate.extensions
    except MalformedCertificateError:
        return EvidenceLocations()
    return EvidenceLocations(
        crls=_shown(extensions.crl_locations),
        delta_crls=_shown(extensions.delta_crl_locations),
        ocsp_responders=_shown(extensions.ocsp_responders),
    )


def _shown(urls: Iterable[str]) -> tuple[str, ...]:
    return tuple(url for url in dict.fromkeys(urls) if _URL.fullmatch(url))[:_SHOWN]
