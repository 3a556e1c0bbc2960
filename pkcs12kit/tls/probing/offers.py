"""Offers of a probing client: the version, the cipher suites, and the signature schemes that ask for a type of key."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3
from pkcs12kit.tls.probing.key_types import ServerKeyType

if TYPE_CHECKING:
    from OpenSSL import SSL

OLD_TLS: Final = "anything older or weaker"
"""The offer where neither TLS 1.2 nor 1.3 leads to certificates; the oldest version depends on OpenSSL."""

# Algorithms that iOS and Android both have: App Transport Security requires ECDHE and AES (developer.apple.com,
# "Preventing Insecure Network Connections"), BoringSSL has no DHE and no CBC with SHA-2. Level 1 accepts no signature
# with SHA-1 (RFC 9155).
_OF_TODAY: Final = (
    b"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES128-SHA"
    b":ECDHE-RSA-AES256-SHA:@SECLEVEL=1"
)
_ANY: Final = b"ALL:!aNULL:@SECLEVEL=0"  # old servers have to be readable, and to send certificates
# A certificate for an RSA key may serve only clients without ECDHE: the old exchange of keys is asked for as well.
_WITH_RSA: Final = b"aRSA+ECDHE+AESGCM:aRSA+ECDHE:aRSA+DHE:kRSA+AES:!eNULL:@SECLEVEL=1"
_WITH_EC: Final = b"aECDSA+ECDHE+AESGCM:aECDSA+ECDHE:!eNULL:@SECLEVEL=1"


class Offer(NamedTuple):
    """The offer of one connection: versions by pyOpenSSL's names, cipher suites, and signature schemes."""

    name: str
    least: str
    most: str
    ciphers: bytes
    schemes: tuple[str, ...] = ()
    """The signature schemes by OpenSSL's names; empty for all that OpenSSL has."""
    key_types: tuple[ServerKeyType, ...] = ()
    """The types of keys that the signature schemes ask for; empty for all."""


OFFERS: Final = {
    TLS_1_3: Offer(TLS_1_3, "TLS1_3_VERSION", "TLS1_3_VERSION", _OF_TODAY),
    TLS_1_2: Offer(TLS_1_2, "TLS1_2_VERSION", "TLS1_2_VERSION", _OF_TODAY),
    OLD_TLS: Offer(OLD_TLS, "TLS1_VERSION", "TLS1_2_VERSION", _ANY),
}

_RSA_IN_CERTIFICATES: Final = ("rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512")
_SCHEMES: Final = {
    ServerKeyType.RSA: ("rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"),
    ServerKeyType.RSA_PSS: ("rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512"),
    ServerKeyType.EC_P256: ("ecdsa_secp256r1_sha256",),
    ServerKeyType.EC_P384: ("ecdsa_secp384r1_sha384",),
    ServerKeyType.EC_P521: ("ecdsa_secp521r1_sha512",),
    ServerKeyType.ED25519: ("ed25519",),
    ServerKeyType.ED448: ("ed448",),
    ServerKeyType.ML_DSA_44: ("mldsa44",),
    ServerKeyType.ML_DSA_65: ("mldsa65",),
    ServerKeyType.ML_DSA_87: ("mldsa87",),
}
_CURVES: Final = (ServerKeyType.EC_P256, ServerKeyType.EC_P384, ServerKeyType.EC_P521)
_OF_RSA_SUITES: Final = (ServerKeyType.RSA, ServerKeyType.RSA_PSS)
_OF_EC_SUITES: Final = (*_CURVES, ServerKeyType.ED25519, ServerKeyType.ED448)


class Family(NamedTuple):
    """Types of keys that one handshake can ask for together."""

    version: str
    key_types: tuple[ServerKeyType, ...]
    ciphers: bytes
    beside: tuple[str, ...]
    """Schemes that make no type of key acceptable, but that signatures in the chain may have."""

    def without(self, seen: frozenset[ServerKeyType]) -> Offer | None:
        """Return the offer of the types of keys that were not seen; None where none is left that OpenSSL has."""
        if self.version == TLS_1_2 and not seen.isdisjoint(_CURVES):
            seen = seen.union(_CURVES)  # RFC 8422 section 5.1.1: there a scheme stands for every curve
        left = tuple(one for one in self.key_types if one not in seen and is_known(_SCHEMES[one]))
        if not left:
            return None
        schemes = [name for one in left for name in _SCHEMES[one]]
        if self.version == TLS_1_2 and ServerKeyType.RSA in left:
            schemes += _RSA_IN_CERTIFICATES
        of_version = OFFERS[self.version]
        return of_version._replace(
            ciphers=self.ciphers, schemes=tuple(dict.fromkeys((*schemes, *self.beside))), key_types=left
        )


def families(version: str) -> tuple[Family, ...]:
    """Return the families of a version; none for the old versions, in which clients do not name signature schemes.

    In TLS 1.3 the signature schemes decide, and rsa_pkcs1 is for signatures in certificates only (RFC 8446 section
    4.2.3). In TLS 1.2 the cipher suites decide between RSA and ECDSA (RFC 5246 section 7.4.2),
    so that the schemes of the other family are harmless.
    """
    if version == TLS_1_3:
        return (Family(TLS_1_3, tuple(_SCHEMES), _OF_TODAY, _RSA_IN_CERTIFICATES),)
    if version == TLS_1_2:
        of_rsa = tuple(name for one in _OF_RSA_SUITES for name in _SCHEMES[one])
        of_ec = tuple(name for one in _CURVES for name in _SCHEMES[one])
        return (
            Family(TLS_1_2, _OF_EC_SUITES, _WITH_EC, (*_RSA_IN_CERTIFICATES, *of_rsa)),
            Family(TLS_1_2, _OF_RSA_SUITES, _WITH_RSA, of_ec),
        )
    return ()


@cache
def is_known(schemes: tuple[str, ...]) -> bool:
    """Return True if OpenSSL knows all these signature schemes, and if they can be chosen with it."""
    from OpenSSL import SSL

    return choose_schemes(SSL.Context(SSL.TLS_CLIENT_METHOD), schemes)


def choose_schemes(context: SSL.Context, schemes: tuple[str, ...]) -> bool:
    """Set the signature schemes of a client, and return True if OpenSSL accepted them.

    pyOpenSSL has no method for it: this calls the function of OpenSSL that cryptography exports for pyOpenSSL.
    """
    from cryptography.hazmat.bindings.openssl.binding import Binding

    library: Any = Binding().lib
    choose = getattr(library, "SSL_CTX_set1_sigalgs_list", None)
    if choose is None:
        return False
    accepted: bool = choose(vars(context)["_context"], ":".join(schemes).encode("ascii")) == 1
    if not accepted:
        library.ERR_clear_error()  # or the next call of OpenSSL would report it
    return accepted
