"""Private keys as PKCS#8: encoded as their certificate requires, and loaded within a budget.

Loading is expensive for a hostile key. OpenSSL tests the primes of RSA keys (64 rounds of Miller and Rabin, 128 above
2,048 bits), and for a Diffie-Hellman key that its modulus is a safe prime: 36 seconds for a key of 8,192 bits that
takes 1 KB in a file. The primes of a hostile RSA key may be as long as its whole encoding. So the cost is computed from
the encoding before pyca/cryptography loads the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.dsa import DSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from pkcs12kit.certificates.lenient import UNREADABLE
from pkcs12kit.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.pkcs12.budget import WorkBudget

_ID_RSASSA_PSS: Final = "1.2.840.113549.1.1.10"
_LEAST_BITS: Final = 480  # a key on brainpoolP512r1 takes two milliseconds, about a tenth of a Kibit³
_FEW_ROUNDS_BITS: Final = 2048
_INTEGER: Final = 0x02
_OCTET_STRING: Final = 0x04
_SEQUENCE: Final = 0x10
_OBJECT_IDENTIFIER: Final = 0x06
_PRIMES: Final = slice(4, 6)  # RFC 8017 appendix A.1.2: version, n, e, d, p, q, d mod (p-1), d mod (q-1), 1/q mod p
_RSA_INTEGERS: Final = 9
# dhKeyAgreement of PKCS#3 and dhpublicnumber of X9.42, object identifiers without tag and length
_KEY_AGREEMENT: Final = frozenset({bytes.fromhex("2a864886f70d010301"), bytes.fromhex("2a8648ce3e0201")})


class UnknownKeyError(Exception):
    """A private key of an unknown algorithm, or of one that is not for certificates. Never leaves the package."""


class UnreadableKeyError(Exception):
    """Bytes that are not a private key, or a damaged one. Never leaves the package."""


def load_private_key(der: bytes, budget: WorkBudget) -> PrivateKeyTypes:
    """Load a private key that is not encrypted: PKCS#8, PKCS#1 or SEC 1, in DER.

    Raises :class:`UnknownKeyError`, also for a key for Diffie-Hellman in a finite field; :class:`UnreadableKeyError`;
    :class:`~pkcs12kit.errors.LimitExceededError` before any work beyond the budget.
    """
    budget.private_key_size(len(der))
    budget.private_key(cost_of_key(der))
    if _is_for_diffie_hellman(der):
        raise UnknownKeyError
    try:
        return load_der_private_key(der, None)
    except UnsupportedAlgorithm:
        raise UnknownKeyError from None
    except (ValueError, TypeError, InternalError):
        raise UnreadableKeyError from None


def cost_of_key(der: bytes) -> int:
    """Return the cost of loading a private key, in bit³.

    ``der`` is PKCS#8 or an RSAPrivateKey (RFC 8017 appendix A.1.2), DER. For RSA the cost is the sum of the cubes of
    the lengths of the primes, twice for a prime above 2,048 bits; for any other key, the cube of the length of the
    encoding in bytes, and at least that of a key of 480 bits. Raises nothing: an unreadable encoding counts like any
    other key.
    """
    lengths = _lengths_of_primes(der)
    if lengths:
        return sum(length**3 * (2 if length > _FEW_ROUNDS_BITS else 1) for length in lengths)
    return max(len(der) ** 3, _LEAST_BITS**3)


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
            f"a private key for {type(private_key).__name__.removesuffix('PrivateKey')} has no traditional form; only"
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
    encoded: bytes = algorithm.dump()
    return encoded if algorithm[0].native == _ID_RSASSA_PSS else None


class _Asn1Part(NamedTuple):
    tag: int
    contents: bytes


def _is_for_diffie_hellman(der: bytes) -> bool:
    """Return True for a PKCS#8 key for Diffie-Hellman in a finite field. No certificate of a server has such a key."""
    algorithms = _inside(der)[1:2]
    identifiers = [_children(algorithm.contents)[:1] for algorithm in algorithms if algorithm.tag == _SEQUENCE]
    return any([_Asn1Part(_OBJECT_IDENTIFIER, oid)] in identifiers for oid in _KEY_AGREEMENT)


def _lengths_of_primes(der: bytes) -> list[int]:
    """Return the lengths of p and q in bits; empty if it is not an RSA key."""
    fields = _inside(der)
    for key in fields[2:3]:
        if key.tag == _OCTET_STRING:  # PKCS#8: version, algorithm, key
            fields = _inside(key.contents)
    if [field.tag for field in fields[:_RSA_INTEGERS]] != [_INTEGER] * _RSA_INTEGERS:
        return []
    return [int.from_bytes(field.contents).bit_length() for field in fields[_PRIMES]]


def _inside(der: bytes) -> list[_Asn1Part]:
    elements = _children(der)
    return _children(elements[0].contents) if elements and elements[0].tag == _SEQUENCE else []


def _children(encodings: bytes) -> list[_Asn1Part]:
    """Return the first nine of consecutive encodings, up to the first that is damaged."""
    from asn1crypto import parser

    found: list[_Asn1Part] = []
    while encodings and len(found) < _RSA_INTEGERS:
        try:
            _, _, tag, header, contents, trailer = parser.parse(encodings)
        except ValueError:
            break
        found.append(_Asn1Part(tag, contents))
        encodings = encodings[len(header) + len(contents) + len(trailer) :]
    return found
