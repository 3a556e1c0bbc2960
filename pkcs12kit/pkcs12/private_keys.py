"""Private keys as PKCS#8: encoded as their certificate requires, and loaded within a budget.

Loading is expensive for a hostile key. OpenSSL tests the primes of RSA keys (64 rounds of Miller and Rabin, 128 above
2,048 bits), and for a Diffie-Hellman key that its modulus is a safe prime: 36 seconds for a key of 8,192 bits that
takes 1 KB in a file. The primes of a hostile RSA key may be as long as its whole encoding. So the cost is computed from
the encoding before pyca/cryptography loads the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.dsa import DSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from pkcs12kit.certificates.algorithm_names import key_in_words
from pkcs12kit.certificates.key_algorithms import KEY_ENCAPSULATION
from pkcs12kit.certificates.lenient import UNREADABLE, encoding_of
from pkcs12kit.errors import InputError
from pkcs12kit.pkcs12.asn1 import definite
from pkcs12kit.pkcs12.key_encodings import (
    OCTET_STRING,
    REFUSALS,
    UnknownKeyError,
    UnusableKeyError,
    explain_ec_key,
    parts_of,
    read_key_info,
    split,
)
from pkcs12kit.pkcs12.ml_dsa_keys import ML_DSA, load_ml_dsa_key
from pkcs12kit.pkcs12.object_identifiers import named
from pkcs12kit.pkcs12.rsa_numbers import read_rsa_numbers, refuse_many_primes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.pkcs12.budget import WorkBudget
    from pkcs12kit.pkcs12.key_encodings import EncodedPart, KeyInfo

_ID_RSASSA_PSS: Final = "1.2.840.113549.1.1.10"
_LEAST_BITS: Final = 480  # a key on brainpoolP512r1 takes two milliseconds, about a tenth of a Kibit³
_RSA_INTEGERS: Final = 9  # before the other primes, RFC 8017 appendix A.1.2
_INDEFINITE: Final = b"\x80"  # X.690 section 8.1.3.6
_EC: Final = "1.2.840.10045.2.1"
_RSA: Final = frozenset({"1.2.840.113549.1.1.1", _ID_RSASSA_PSS})
# dhKeyAgreement of PKCS #3, dhpublicnumber of X9.42, and ML-KEM. No certificate of a server has such a key.
_CANNOT_SIGN: Final = frozenset({"1.2.840.113549.1.3.1", "1.2.840.10046.2.1", *KEY_ENCAPSULATION})
# What is loaded apart from ML-DSA: RSA, EC, DSA, Ed25519, Ed448, X25519 and X448.
_LOADED: Final = frozenset({_EC, *_RSA, "1.2.840.10040.4.1"} | {f"1.3.101.{number}" for number in range(110, 114)})


class UnreadableKeyError(Exception):
    """Bytes that are not a private key, or one that is damaged beyond recognition. Never leaves the package."""


def load_private_key(der: bytes, budget: WorkBudget) -> PrivateKeyTypes:
    """Load a private key that is not encrypted: PKCS#8 of version 1 or 2, PKCS#1 or SEC 1, in DER or BER.

    A public key that is stored with it has to be its own, and missing numbers of an RSA key are computed. Raises
    :class:`~pkcs12kit.pkcs12.key_encodings.UnknownKeyError`, also for ML-KEM, for Diffie-Hellman in a finite field, and
    for an RSA key of several primes; :class:`~pkcs12kit.pkcs12.key_encodings.UnusableKeyError` for a key whose parts do
    not fit together; :class:`UnreadableKeyError`; :class:`~pkcs12kit.errors.LimitExceededError` before any work beyond
    the budget.
    """
    budget.private_key_size(len(der))
    if der[1:2] == _INDEFINITE:
        der = _as_der(der, budget)
    budget.private_key(cost_of_key(der))
    info = read_key_info(der)
    if info is None:
        return _load(der, der, None, budget)
    if info.algorithm in _CANNOT_SIGN:
        raise UnknownKeyError(
            f"a private key for {named(info.algorithm)}, which cannot sign and is not supported; a TLS server needs a"
            " key that signs, of RSA, an elliptic curve or ML-DSA for example"
        )
    version_1 = der if info.is_version_1 else info.as_version_1()
    key = (
        load_ml_dsa_key(info) if info.algorithm in ML_DSA else _load(version_1, info.private_key.contents, info, budget)
    )
    info.require_same_public_key(key)
    return key


def _load(encoding: bytes, of_algorithm: bytes, info: KeyInfo | None, budget: WorkBudget) -> PrivateKeyTypes:
    """Load a key. ``of_algorithm`` is its encoding without PKCS#8 around it; ``info`` is that PKCS#8."""
    parts = parts_of(of_algorithm) if info is None or info.algorithm in _RSA else []
    refuse_many_primes(parts)
    numbers = read_rsa_numbers(parts)
    if numbers is not None and not numbers.is_complete:
        return numbers.private_key(budget)
    try:
        return load_der_private_key(encoding, None)
    except REFUSALS:
        pass  # its text could hold secrets
    if numbers is not None:
        raise UnusableKeyError(numbers.why_refused())
    if info is None or info.algorithm == _EC:
        explain_ec_key(of_algorithm, None if info is None else info.algorithm_identifier)
    if info is None:
        raise UnreadableKeyError
    if info.algorithm not in _LOADED:
        raise UnknownKeyError(f"a private key of the algorithm {named(info.algorithm)}, which is not supported")
    raise UnusableKeyError(f"a damaged private key of the algorithm {named(info.algorithm)}")


def cost_of_key(der: bytes) -> int:
    """Return the cost of loading a private key, in bit³.

    ``der`` is PKCS#8 or an RSAPrivateKey (RFC 8017 appendix A.1.2), DER. For RSA the cost is the sum of the cubes of
    the lengths of the primes, twice for a prime above 2,048 bits; without its primes, that of finding them, and testing
    them is counted when they are known. For any other key it is the cube of the length of the encoding in bytes, and at
    least that of a key of 480 bits. Raises nothing: an unreadable encoding counts like any other key.
    """
    numbers = read_rsa_numbers(_parts_of_key(der)[:_RSA_INTEGERS])
    return max(_LEAST_BITS**3, len(der) ** 3 if numbers is None else numbers.cost)


def encode_private_key(
    private_key: PrivateKeyTypes, certificate: Certificate | None, *, private_key_info: bytes = b""
) -> bytes:
    """Return a private key as PKCS#8, DER; an RSA key is for RSASSA-PSS only if its certificate says so.

    The parameters are then also the certificate's (RFC 4055 section 1.2). Without a certificate, the encoding that the
    key had, ``private_key_info``, says so. That ``certificate`` belongs to the key is not checked. Attributes and the
    public key that a file had beside the key are not written.
    """
    from asn1crypto import keys

    encoded = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for_pss = _of_key(private_key_info) if certificate is None else _for_pss(certificate)
    if not isinstance(private_key, RSAPrivateKey) or for_pss is None:
        return encoded
    info = keys.PrivateKeyInfo.load(encoded)
    info["private_key_algorithm"] = keys.PrivateKeyAlgorithm.load(for_pss)
    of_pss: bytes = info.dump()
    return of_pss


def private_key_pem(
    private_key: PrivateKeyTypes,
    certificate: Certificate | None,
    *,
    private_key_info: bytes = b"",
    traditional: bool = False,
) -> bytes:
    """Return a private key, not encrypted, as PEM: PKCS#8 as :func:`encode_private_key` encodes it.

    With ``traditional`` it has the form that is older than PKCS#8: see :func:`traditional_pem`, also for errors.
    """
    from asn1crypto import pem

    info = encode_private_key(private_key, certificate, private_key_info=private_key_info)
    if traditional:
        return traditional_pem(private_key, info)
    armored: bytes = pem.armor("PRIVATE KEY", info)
    return armored


def portable_key_info(private_key_info: bytes, private_key: PrivateKeyTypes) -> bytes:
    """Return a PrivateKeyInfo as most programs read it: in version 1 of PKCS#8, and with all numbers of an RSA key.

    One that already is so is returned unchanged, and so is an encoding that is not PKCS#8. Attributes are kept.
    """
    info = read_key_info(private_key_info)
    if info is None:
        return private_key_info
    numbers = read_rsa_numbers(parts_of(info.private_key.contents)) if info.algorithm in _RSA else None
    if numbers is not None and not numbers.is_complete:
        complete = read_key_info(encode_private_key(private_key, None, private_key_info=private_key_info))
        return private_key_info if complete is None else complete._replace(extensions=info.extensions).as_version_1()
    return private_key_info if info.is_version_1 else info.as_version_1()


def is_version_2(private_key_info: bytes) -> bool:
    """Return True for a key in version 2 of PKCS#8, or with a public key beside it (RFC 5958 section 2)."""
    info = read_key_info(private_key_info)
    return info is not None and not info.is_version_1


def traditional_pem(private_key: PrivateKeyTypes, private_key_info: bytes) -> bytes:
    """Return a private key, not encrypted, as PEM in the form that is older than PKCS#8.

    For RSA that is ``RSA PRIVATE KEY`` (PKCS#1, RFC 8017 appendix A.1.2), for elliptic curves ``EC PRIVATE KEY``
    (SEC 1, RFC 5915 section 4), for DSA ``DSA PRIVATE KEY``, which OpenSSL defines.

    ``private_key_info`` is the same key in PKCS#8, as :func:`encode_private_key` returns it: it says whether the key is
    only for RSASSA-PSS. Raises :class:`~pkcs12kit.errors.InputError` for a key that has no traditional form: one only
    for RSASSA-PSS, Ed25519, Ed448, ML-DSA and all others.
    """
    if isinstance(private_key, RSAPrivateKey) and _if_pss(private_key_info, position=1) is not None:
        raise InputError(
            "a private key only for RSASSA-PSS has no traditional form, because PKCS#1 cannot state that it is one"
            " (RFC 4055 section 1.2): write it as PKCS#8"
        )
    if not isinstance(private_key, RSAPrivateKey | EllipticCurvePrivateKey | DSAPrivateKey):
        raise InputError(
            f"a private key for {key_in_words(private_key.public_key())} has no traditional form; only"
            " RSA, EC and DSA keys have one: write it as PKCS#8"
        )
    return private_key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def is_encoded_for(private_key_info: bytes, certificate: Certificate) -> bool:
    """Return True if the encoding of a key is for RSASSA-PSS exactly as its certificate is, or neither is."""
    return _of_key(private_key_info) == _for_pss(certificate)


def _of_key(private_key_info: bytes) -> bytes | None:
    try:
        return _if_pss(private_key_info, position=1)
    except UNREADABLE:  # a format older than PKCS#8, without RSASSA-PSS
        return None


def _for_pss(certificate: Certificate) -> bytes | None:
    return _if_pss(certificate.subject_public_key_info, position=0)


def _if_pss(structure: bytes, *, position: int) -> bytes | None:
    """Return the encoding of the AlgorithmIdentifier at this position if it is RSASSA-PSS, else None."""
    from asn1crypto import core

    algorithm = core.Sequence.load(structure)[position]
    return encoding_of(algorithm) if algorithm[0].native == _ID_RSASSA_PSS else None


def _as_der(ber: bytes, budget: WorkBudget) -> bytes:
    """Return a key of indefinite length in DER. Raises :class:`UnreadableKeyError`."""
    try:
        der, end = definite(ber, budget)
    except (ValueError, IndexError):
        raise UnreadableKeyError from None
    if end != len(ber):
        raise UnreadableKeyError
    return der


def _parts_of_key(der: bytes) -> list[EncodedPart]:
    """Return the parts of a private key, of the one within if it is PKCS#8, up to the first that is damaged."""
    parts = [part for outer in split(der)[:1] for part in split(outer.contents)]
    if [part.tag for part in parts[2:3]] == [OCTET_STRING]:
        parts = [part for inner in split(parts[2].contents)[:1] for part in split(inner.contents)]
    return parts
