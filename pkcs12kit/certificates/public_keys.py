"""Public keys as encoded in certificates and trust anchors: SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pkcs12kit.certificates.key_algorithms import (
    POST_QUANTUM,
    UNCHECKED_SIGNATURES,
    algorithm_of_key,
    named_key_algorithm,
)
from pkcs12kit.certificates.lenient import UNREADABLE, contents_of, split
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

_REFUSALS: Final = (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, InternalError)
_OBJECT_IDENTIFIER: Final = b"\x06"
# The object identifiers of Diffie-Hellman, PKCS #3 and X9.42, and the number of octets within which they stand.
# Such a key cannot sign, and OpenSSL looks for factors of its modulus when it reads one: 36 seconds for 8,192 bits.
_DIFFIE_HELLMAN: Final = (bytes.fromhex("06092a864886f70d010301"), bytes.fromhex("06072a8648ce3e0201"))
_ALGORITHM_WITHIN: Final = 48


@asn1.sequence
class _Algorithm(SimpleNamespace):
    """An AlgorithmIdentifier with parameters, which are not decoded."""

    algorithm: asn1.TLV
    parameters: asn1.TLV
    __init__ = SimpleNamespace.__init__


@asn1.sequence
class _KeyInfo(SimpleNamespace):
    """A SubjectPublicKeyInfo whose key is not decoded."""

    algorithm: _Algorithm
    subject_public_key: asn1.TLV
    __init__ = SimpleNamespace.__init__


def read_public_key(info: bytes, load: Callable[[], object] | None = None) -> CertificatePublicKeyTypes:
    """Decode a public key from its SubjectPublicKeyInfo (DER).

    ``load`` decodes it in another way, for example from a certificate that pyca/cryptography has already read.

    Raises :class:`~pkcs12kit.errors.MalformedCertificateError`

    - where the key cannot be decoded, or its algorithm is not supported, as SLH-DSA is not; the text names it;
    - where its elliptic curve is given by parameters instead of a name, even for a curve that has a name (RFC 5480
      section 2.1.1: specifiedCurve MUST NOT be used): implementations that compared such parameters wrongly have
      accepted forged keys;
    - for a Diffie-Hellman key, without decoding it, because that may take a minute.

    Not checked: whether the key can sign, and whether it is strong enough.
    """
    if any(identifier in info[:_ALGORITHM_WITHIN] for identifier in _DIFFIE_HELLMAN):
        raise MalformedCertificateError("unusable public key: a Diffie-Hellman key cannot sign")
    try:
        key = load_der_public_key(info) if load is None else load()
    except _REFUSALS as refusal:
        raise MalformedCertificateError(f"unusable public key: {_why_refused(info, refusal)}") from None
    if isinstance(key, ec.EllipticCurvePublicKey) and not _names_its_curve(info):
        raise MalformedCertificateError(
            "unusable public key: its elliptic curve is given by explicit parameters, not by name"
            " (RFC 5480 section 2.1.1)"
        )
    return key  # type: ignore[return-value]  # the validator refuses keys that cannot sign


def _why_refused(info: bytes, refusal: Exception) -> str:
    """Return why pyca/cryptography does not load a key, with the name of an algorithm that it does not support."""
    dotted = algorithm_of_key(info)
    if dotted in POST_QUANTUM and (isinstance(refusal, UnsupportedAlgorithm) or dotted in UNCHECKED_SIGNATURES):
        return f"{named_key_algorithm(dotted)} is not supported"
    return str(refusal)


def public_key_octets(info: bytes) -> bytes:
    """Return the octets of subjectPublicKey, the input of the hashes that identify keys (RFC 6960 section 4.1.1).

    ``info`` is a SubjectPublicKeyInfo (DER) of any algorithm. The octets are the value of the BIT STRING, without the
    octet that counts unused bits. Raises :class:`~pkcs12kit.errors.MalformedCertificateError`.
    """
    try:
        _, key = split(contents_of(info))
        octets: bytes = contents_of(key)[1:]
    except ValueError as error:
        raise MalformedCertificateError(f"unusable public key: {error}") from None
    return octets


def _names_its_curve(info: bytes) -> bool:
    """Return True if the parameters of the key's algorithm are an object identifier."""
    try:
        parameters = asn1.decode_der(_KeyInfo, info).algorithm.parameters
    except ValueError:  # not strict DER
        return _names_its_curve_leniently(info)
    return bytes(parameters.tag_bytes) == _OBJECT_IDENTIFIER


def _names_its_curve_leniently(info: bytes) -> bool:
    from asn1crypto.keys import PublicKeyInfo

    try:
        name: str = PublicKeyInfo.load(info)["algorithm"]["parameters"].name
    except UNREADABLE:
        return False
    return name == "named"
