"""What to ask an OCSP responder, and how (RFC 6960 section 4.1 and appendix A.1)."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.ocsp import OCSPRequestBuilder

from pkcs12kit.certificates.lenient import read_structure
from pkcs12kit.certificates.public_keys import public_key_octets

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor

REQUEST_TYPE: Final = "application/ocsp-request"
_SHORT: Final = 255
"""Bytes of an encoded request up to which it goes by GET (RFC 5019 section 5)."""


def ocsp_request(certificate: Certificate, issuer: Certificate | TrustAnchor) -> bytes:
    """Ask for the status of one certificate, DER, unsigned and without a nonce.

    The CertID is by SHA-1, which every responder knows (RFC 5019 section 2.1.1); it names the certificate and protects
    nothing. Without a nonce the answer may have been signed before: how old it may be, its nextUpdate bounds. A nonce
    would bound it more, but clients have to take answers without it, so that they can be made beforehand (RFC 5019
    sections 2.1.1 and 4). Raises :class:`ValueError` for a serial number that no request can have.
    """
    name = hashes.Hash(hashes.SHA1())  # noqa: S303  # an identifier
    name.update(read_structure(certificate.der).issuer)
    key_hash = hashlib.sha1(public_key_octets(issuer.subject_public_key_info), usedforsecurity=False).digest()
    builder = OCSPRequestBuilder().add_certificate_by_hash(
        name.finalize(),
        key_hash,
        certificate.serial_number,
        hashes.SHA1(),  # noqa: S303  # an identifier
    )
    return builder.build().public_bytes(Encoding.DER)


def as_url(responder: str, request: bytes) -> str | None:
    """Put a request into a URL, for GET; None where it is too long or the responder's URL has a query."""
    encoded = quote(b64encode(request), safe="")
    if len(encoded) > _SHORT or urlsplit(responder).query:
        return None
    return f"{responder.rstrip('/')}/{encoded}"
