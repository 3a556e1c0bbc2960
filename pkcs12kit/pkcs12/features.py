"""Features of PFX files: what a program must be able to do to open one, with the keys and certificates in it."""

from __future__ import annotations

from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING, Final, TypeAlias

from pkcs12kit.certificates.key_kinds import (
    ML_DSA,
    RSASSA_PSS,
    KeyKind,
    key_kind,
    kind_for_pss,
    kind_of_algorithm,
    kind_of_public_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.pkcs12.bundle import Bundle
    from pkcs12kit.pkcs12.decoder import DecodedPfx


_SEED: Final = b"\x80"
_SEED_AND_EXPANDED: Final = b"\x30"


class Feature(Enum):
    """An ability that a reader has or lacks. The value is its name in the documentation."""

    AES = "AES under PBKDF2-HMAC-SHA256"
    TRIPLE_DES = "3-key triple DES with SHA-1"
    RC2_40 = "RC2-40 with SHA-1"
    CLEAR_CERTIFICATES = "certificates in the clear"
    CLEAR_KEY = "key in the clear"
    VERSION_2_KEY = "key in PKCS#8 version 2"
    MAC_SHA1 = "MAC with SHA-1"
    MAC_SHA256 = "MAC with SHA-256"
    PBMAC1 = "PBMAC1 with SHA-256"
    NO_MAC = "no MAC"
    PKCS12KDF = "PKCS12KDF"
    EMPTY_PASSWORD = "empty password"  # noqa: S105  # not a secret
    NON_ASCII_PASSWORD = "password beyond ASCII"  # noqa: S105  # not a secret
    SEED_ONLY_KEY = "ML-DSA key stored as a seed only"
    P224_CERTIFICATE = "certificate with a key on P-224"
    CURVE_CERTIFICATE = "certificate with a key on secp256k1 or a Brainpool curve"
    EDDSA_CERTIFICATE = "certificate with an Ed25519 or Ed448 key or signature"
    PSS_CERTIFICATE = "certificate with an RSASSA-PSS key or signature"
    ML_DSA_CERTIFICATE = "certificate with an ML-DSA key or signature"
    SLH_DSA_CERTIFICATE = "certificate with an SLH-DSA key or signature"
    OTHER_CERTIFICATE = "certificate with a key or signature of another algorithm"
    """Nothing is ever known about it."""


Ability: TypeAlias = Feature | KeyKind
"""An ability that a reader has or lacks: a feature of files, or a kind of private key."""

_USUAL_KEYS: Final = frozenset(
    {kind for kind in KeyKind if kind.name.startswith("RSA_")} - {KeyKind.RSA_PSS}
    | {KeyKind.EC_P256, KeyKind.EC_P384, KeyKind.EC_P521}
)
_USUAL_SIGNATURES: Final = frozenset(
    {f"1.2.840.113549.1.1.{number}" for number in (4, 5, 11, 12, 13, 14)}  # RSA with MD5, SHA-1 and SHA-2
    | {"1.2.840.10045.4.1", *(f"1.2.840.10045.4.3.{number}" for number in range(1, 5))}  # ECDSA with SHA-1 and SHA-2
)
_CERTIFICATES: Final = {
    KeyKind.EC_P224: Feature.P224_CERTIFICATE,
    **dict.fromkeys((KeyKind.EC_SECP256K1, KeyKind.EC_BRAINPOOL), Feature.CURVE_CERTIFICATE),
    **dict.fromkeys((KeyKind.ED25519, KeyKind.ED448), Feature.EDDSA_CERTIFICATE),
    **dict.fromkeys(ML_DSA, Feature.ML_DSA_CERTIFICATE),
    KeyKind.RSA_PSS: Feature.PSS_CERTIFICATE,
    KeyKind.SLH_DSA: Feature.SLH_DSA_CERTIFICATE,
}


def of_private_key(private_key: PrivateKeyTypes, private_key_info: bytes) -> tuple[Ability, ...]:
    """Return the abilities that a private key takes, as it is encoded in a file (PKCS#8, DER).

    The encoding says that an RSA key is for RSASSA-PSS only, and which form an ML-DSA key has (RFC 9881 section 6).
    About a form of neither the seed nor both nothing is known.
    """
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from pkcs12kit.pkcs12.key_encodings import read_key_info

    kind, info = key_kind(private_key), read_key_info(private_key_info)
    if info is None:
        return (KeyKind.OTHER,)
    if isinstance(private_key, RSAPrivateKey):
        return (kind_for_pss(private_key.key_size) if info.algorithm == RSASSA_PSS else kind,)
    if kind not in ML_DSA:
        return (kind,)
    form = info.private_key.contents[:1]
    if form == _SEED:
        return (kind, Feature.SEED_ONLY_KEY)
    return (kind if form == _SEED_AND_EXPANDED else KeyKind.OTHER,)


def of_bundle(bundle: Bundle) -> tuple[Ability, ...]:
    """Return the abilities that the key and the certificates of a bundle take, as they are written."""
    from pkcs12kit.pkcs12.private_keys import encode_private_key

    certificates = features_of_certificates(bundle.certificates)
    if bundle.private_key is None:
        return certificates
    info = encode_private_key(bundle.private_key, bundle.certificates[0])
    return (*of_private_key(bundle.private_key, info), *certificates)


def of_decoded(decoded: DecodedPfx) -> tuple[Ability, ...]:
    """Return the abilities that keys and certificates of a file take; those that are not read are of other kinds."""
    keys = [of_private_key(key.private_key, key.private_key_info) for key in decoded.keys]
    return (
        *chain.from_iterable(keys),
        *([KeyKind.OTHER] if decoded.unread_keys else []),
        *features_of_certificates(decoded.certificates),
        *([Feature.OTHER_CERTIFICATE] if decoded.rejects else []),
    )


def contents_of(key: KeyKind | None, certificates: Iterable[Certificate] = ()) -> tuple[Ability, ...]:
    """Return the abilities that a key and certificates take in a file of ours, which has ML-DSA keys as seeds."""
    seed = (Feature.SEED_ONLY_KEY,) if key in ML_DSA else ()
    return (*(() if key is None else (key,)), *seed, *features_of_certificates(certificates))


def features_of_certificates(certificates: Iterable[Certificate]) -> tuple[Feature, ...]:
    """Return the abilities that certificates take, each once: none for RSA, and for ECDSA on the three usual curves."""
    found = (feature for certificate in certificates for feature in _certificate_features(certificate))
    return tuple(dict.fromkeys(found))


def _certificate_features(certificate: Certificate) -> Iterator[Feature]:
    key = kind_of_public_key(certificate.subject_public_key_info)
    signature = certificate.signature_algorithm
    if key not in _USUAL_KEYS:
        yield _CERTIFICATES.get(key, Feature.OTHER_CERTIFICATE)
    if signature == RSASSA_PSS:
        yield Feature.PSS_CERTIFICATE
    elif signature not in _USUAL_SIGNATURES:
        yield _CERTIFICATES.get(kind_of_algorithm(signature), Feature.OTHER_CERTIFICATE)
