"""Self-signed server certificates: the rule when they are valid, and the clients that do not keep to it.

A server certificate that is itself a trust anchor makes a path of length one, of which the anchor's key verifies the
signature (RFC 5280 section 6.1). It issues nothing, so it need not be a CA's. Any other self-signed certificate leads
to no trust anchor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.trust_anchor import TrustAnchor

# Tried in tests/interoperability/test_interop_self_signed.py, with Debian 12's programs.
_ACCEPT: Final = "OpenSSL, curl, Java, Go and GnuTLS accept it"
_NSS_REFUSES: Final = "NSS refuses it, as its basicConstraints say that it is not a CA certificate"
_NSS_REFUSES_CA: Final = "NSS refuses it, as it is a CA certificate with an extendedKeyUsage"
_NSS_ACCEPTS: Final = "and so does NSS"
# searchfox.org, security/certverifier/NSSCertDBTrustDomain.cpp, GetCertTrust: no end-entity certificate is its own
# anchor. pkixcheck.cpp, CheckBasicConstraints: ERROR_CA_CERT_USED_AS_END_ENTITY.
_FIREFOX: Final = "Firefox refuses it unless the user adds an exception"
_PHONES: Final = "iOS and Android may refuse to install it as trusted; a CA of your own avoids this"


def is_own_anchor(path: CertificationPath) -> bool:
    """Return True if a path is a server certificate that is its own trust anchor."""
    return len(path.certificates) == 1 and path.certificates[0] == path.trust_anchor.certificate


def may_be_own_anchor(certificate: Certificate, anchors: Iterable[TrustAnchor]) -> bool:
    """Return True if a certificate is a trust anchor and names a server, so it may be a server's own certificate."""
    if all(certificate != anchor.certificate for anchor in anchors):
        return False
    try:
        return bool(certificate.extensions.subject_alternative_name)
    except MalformedCertificateError:
        return False


def describe_own_anchor(path: CertificationPath) -> str:
    """Return a sentence on a server certificate that is its own anchor, which names the clients that differ."""
    certificate = path.certificates[0]
    own, nss = certificate.extensions, _NSS_ACCEPTS
    if certificate.is_ca and own.extended_key_usage is not None:
        nss = _NSS_REFUSES_CA
    elif own.basic_constraints is not None and not certificate.is_ca:
        nss = _NSS_REFUSES
    return (
        f"{certificate.label} is self-signed and its own trust anchor: clients have to trust this certificate, and each"
        f" renewal; {_ACCEPT}, {nss}; {_FIREFOX}; {_PHONES}"
    )
