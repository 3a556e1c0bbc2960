"""Files of the matrix with keys of kinds that few people use, in unusual encodings, or below CAs with such keys."""

from __future__ import annotations

import warnings
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from OpenSSL import crypto

from pkcs12kit.lab import Authority
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.bundle import Bundle
from pkcs12kit.pkcs12.private_keys import load_private_key

from ..pkcs12.pfx_parts import in_version_2
from .unusual_certificates import SLH_DSA_KEY, for_pss_only, for_slh_dsa, signed_by_pss, signed_by_slh_dsa

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

NAME: Final = "mdm.example.mil"
_EXPONENT: Final = 65537
_RSA: Final = partial(rsa.generate_private_key, _EXPONENT)


class Contents(NamedTuple):
    """What one file contains. ``key_info`` is the encoding of its key where that is not pkcs12kit's own."""

    bundle: Bundle
    key_info: bytes = b""


def rsa_8192() -> rsa.RSAPrivateKey:
    """Return a key of two published primes: to find such primes takes half a minute.

    They are those of the 4096-bit MODP group (RFC 3526 section 5) and of ffdhe4096 (RFC 7919 appendix A.3), whose
    middle bits are those of pi and of e.
    """
    p, q = (2**4096 - 2**4032 - 1 + 2**64 * (digits + number) for digits, number in ((_pi(), 240904), (_e(), 5736041)))
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=d % (p - 1),
        dmq1=d % (q - 1),
        iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(_EXPONENT, p * q),
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


_BITS: Final = 3966
_MORE: Final = 32  # for what rounding loses


def _pi() -> int:
    """Return pi, times 2**3966, by Machin's formula."""

    def inverse_tangent(of: int) -> int:
        total, power, number = 0, (1 << (_BITS + _MORE)) // of, 1
        while power:
            total += power // number if number % 4 == 1 else -(power // number)
            power, number = power // of**2, number + 2
        return total

    return 4 * (4 * inverse_tangent(5) - inverse_tangent(239)) >> _MORE


def _e() -> int:
    """Return e, times 2**3966, as the sum of the inverse factorials."""
    total, term, number = 0, 1 << (_BITS + _MORE), 1
    while term:
        total, term, number = total + term, term // number, number + 1
    return total >> _MORE


def _by_curve(curve: ec.EllipticCurve) -> Callable[[], ec.EllipticCurvePrivateKey]:
    return partial(ec.generate_private_key, curve)


def _expanded(generate: Callable[[], CertificateIssuerPrivateKeyTypes]) -> CertificateIssuerPrivateKeyTypes:
    """Return an ML-DSA key that is written with its expanded form, as OpenSSL writes it (RFC 9881 section 6)."""
    encoded = generate().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    # pyOpenSSL prefers pyca's keys, which lack this form.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        both = crypto.dump_privatekey(crypto.FILETYPE_ASN1, crypto.load_privatekey(crypto.FILETYPE_ASN1, encoded))
    return load_private_key(both, WorkBudget(DEFAULT_LIMITS))


_ML_DSA: Final = {
    "ml-dsa-44": mldsa.MLDSA44PrivateKey.generate,
    "ml-dsa-65": mldsa.MLDSA65PrivateKey.generate,
    "ml-dsa-87": mldsa.MLDSA87PrivateKey.generate,
}
_KEYS: Final[dict[str, Callable[[], CertificateIssuerPrivateKeyTypes]]] = {
    "rsa-1024": partial(_RSA, 1024),
    "rsa-8192": rsa_8192,
    "dsa-2048": partial(dsa.generate_private_key, 2048),
    "ec-p224": _by_curve(ec.SECP224R1()),
    "ec-brainpool-256": _by_curve(ec.BrainpoolP256R1()),
    "ec-brainpool-384": _by_curve(ec.BrainpoolP384R1()),
    "ec-brainpool-512": _by_curve(ec.BrainpoolP512R1()),
    "ml-dsa-44": _ML_DSA["ml-dsa-44"],
    "ml-dsa-87": _ML_DSA["ml-dsa-87"],
    **{f"{name}-expanded": partial(_expanded, generate) for name, generate in _ML_DSA.items()},
}
# The keys of the CAs above an EC P-256 key, from the issuing CA to the root.
_AUTHORITIES: Final[dict[str, tuple[Callable[[], CertificateIssuerPrivateKeyTypes], ...]]] = {
    "below-p224": (_by_curve(ec.SECP224R1()), _by_curve(ec.SECP256R1())),
    "below-curves": (_by_curve(ec.SECP256K1()), _by_curve(ec.BrainpoolP384R1())),
    "below-eddsa": (ed25519.Ed25519PrivateKey.generate, ed448.Ed448PrivateKey.generate),
    "below-ml-dsa": tuple(_ML_DSA.values()),
}
# The keys in version 2 of PKCS#8, with their public keys.
_VERSION_2: Final[dict[str, Callable[[], CertificateIssuerPrivateKeyTypes]]] = {
    "rsa-2048-version-2": partial(_RSA, 2048),
    "ec-p256-version-2": _by_curve(ec.SECP256R1()),
    "ed25519-version-2": ed25519.Ed25519PrivateKey.generate,
}
_USUAL: Final = (_by_curve(ec.SECP256R1()), _by_curve(ec.SECP256R1()))
RARE: Final = (*_KEYS, *_VERSION_2, "slh-dsa", *_AUTHORITIES, "below-pss", "below-slh-dsa")


def rare_contents() -> dict[str, Contents]:
    """Return the contents of the file for each name of :data:`RARE`."""
    authorities = _authorities(_USUAL)
    found = {name: Contents(_bundle(generate(), authorities)) for name, generate in _KEYS.items()}
    for name, generators in _AUTHORITIES.items():
        found[name] = Contents(_bundle(_USUAL[0](), _authorities(generators)))
    for name, generate in _VERSION_2.items():
        bundle = _bundle(generate(), authorities)
        found[name] = Contents(bundle, in_version_2(bundle.private_key))
    usual = _bundle(_USUAL[0](), authorities)
    certificate, *issuers = usual.certificates
    of_slh_dsa = for_slh_dsa(certificate, authorities[0])
    found["slh-dsa"] = Contents(Bundle(certificates=(of_slh_dsa, *issuers), friendly_name=NAME), SLH_DSA_KEY)
    found["below-slh-dsa"] = Contents(_below_slh_dsa(usual, authorities[0]))
    found["below-pss"] = Contents(_below_pss())
    return found


def _below_slh_dsa(usual: Bundle, any_issuer: Authority) -> Bundle:
    """Return a key below a root that has a key for SLH-DSA, and signs by it, also itself."""
    certificate, issuing, root = usual.certificates
    issuers = (signed_by_slh_dsa(issuing), signed_by_slh_dsa(for_slh_dsa(root, any_issuer)))
    return Bundle(private_key=usual.private_key, certificates=(certificate, *issuers), friendly_name=NAME)


def _below_pss() -> Bundle:
    """Return a key below a CA that has a key for RSASSA-PSS only, and signs by it."""
    issuing, root = _authorities((partial(_RSA, 2048), _USUAL[0]))
    key = _USUAL[0]()
    certificate = signed_by_pss(issuing.issue_server(NAME, private_key=key).certificate, issuing)
    issuers = (for_pss_only(root.issue_ca(issuing), root), root.certificate)
    return Bundle(private_key=key, certificates=(certificate, *issuers), friendly_name=NAME)


def _authorities(generators: tuple[Callable[[], CertificateIssuerPrivateKeyTypes], ...]) -> tuple[Authority, ...]:
    """Return the issuing CA and those above it, with keys in this order."""
    names = ("Issuing CA", "Intermediate CA", "Root CA")
    used = (*names[: len(generators) - 1], names[-1])
    return tuple(Authority.create(name, private_key=one()) for name, one in zip(used, generators, strict=True))


def _bundle(key: CertificateIssuerPrivateKeyTypes, authorities: tuple[Authority, ...]) -> Bundle:
    """Return a key with its certificate, and with those of the CAs."""
    certificate = authorities[0].issue_server(NAME, private_key=key).certificate
    issuers = (above.issue_ca(below) for below, above in pairwise(authorities))
    root = authorities[-1].certificate
    return Bundle(private_key=key, certificates=(certificate, *issuers, root), friendly_name=NAME)
