"""The lenient reader of certificates, by asn1crypto: for real certificates that pyca/cryptography refuses.

pyca/cryptography requires strict DER. Real CAs make encoding errors: DoD's ECDSA certificates have a NULL parameter in
the signature algorithm (RFC 5758 section 3.2 forbids it), others encode DEFAULT values explicitly (X.690 section 11.5).
asn1crypto reads those, and :func:`canonical_der` writes the same values in strict DER for pyca/cryptography. Signatures
are still checked over the original bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.strings import read_value
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asn1crypto import x509 as asn1_x509
    from asn1crypto.keys import PublicKeyInfo

    from pkcs12kit.certificates.names import Attribute

_VERSION_TAG: Final = 0xA0
EXTENSIONS_TAG: Final = 0xA3
_CLASS_BITS: Final = 0xC0
_CONSTRUCTED: Final = 0x20
_NULL: Final = b"\x05\x00"
# RFC 5758 sections 3.1 and 3.2, RFC 8410 section 3, RFC 9881 section 2: parameters MUST be absent.
_WITHOUT_PARAMETERS: Final = ("1.2.840.10045.4.", "1.2.840.10040.4.", "2.16.840.1.101.3.4.3.", "1.3.101.11")
_DSA: Final = "1.2.840.10040.4.1"
_NO_KEY_ALGORITHM: Final = "1.2.840.10040.4"  # the arc that DSA's identifier is in
_PKCS1_RSA_WITH_SHA3: Final = frozenset(f"2.16.840.1.101.3.4.3.{arc}" for arc in (13, 14, 15, 16))


UNREADABLE: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""The exceptions of asn1crypto for octets that it cannot read."""


class Structure(NamedTuple):
    """The encoded parts of a certificate that pyca/cryptography does not return (RFC 5280 section 4.1)."""

    tbs_certificate: bytes
    tbs_signature_algorithm: bytes
    signature_algorithm: bytes
    issuer: bytes
    subject: bytes
    subject_public_key_info: bytes
    after_key: tuple[bytes, ...]
    """The fields after the key that are present: unique identifiers and extensions."""


def read_structure(der: bytes) -> Structure:
    """Split a certificate into its encoded parts. Raises :class:`MalformedCertificateError`."""
    try:
        tbs_certificate, signature_algorithm, _ = _elements(der, 3)
        fields = iter(_elements(tbs_certificate, 6))
        first = next(fields)
        if first[0] == _VERSION_TAG:
            next(fields)  # serialNumber follows the version; without a version it came first
        tbs_signature_algorithm, issuer, _, subject, subject_public_key_info = (next(fields) for _ in range(5))
        after_key = tuple(fields)
    except (ValueError, StopIteration, RuntimeError) as error:
        raise MalformedCertificateError(f"not the structure of a certificate: {error}") from None
    return Structure(
        tbs_certificate,
        tbs_signature_algorithm,
        signature_algorithm,
        issuer,
        subject,
        subject_public_key_info,
        after_key,
    )


def canonical_der(der: bytes) -> bytes:
    """Return the values of a certificate in strict DER. Raises :class:`MalformedCertificateError`.

    The result is only for decoding: signatures, comparisons and files use the original bytes.
    """
    from asn1crypto import x509 as asn1_x509

    try:
        certificate = asn1_x509.Certificate.load(der, strict=True)
        _drop_null_parameters(certificate["signature_algorithm"])
        _drop_null_parameters(certificate["tbs_certificate"]["signature"])
        _mask_key_without_parameters(certificate["tbs_certificate"]["subject_public_key_info"])
        _refuse_broken_masks(certificate.name_constraints_value)
        encoded: bytes = certificate.dump(force=True)
    except UNREADABLE as error:
        raise MalformedCertificateError(f"not a certificate: {first_line(error)}") from None
    return encoded


def canonical_algorithm(der: bytes) -> bytes:
    """Return the AlgorithmIdentifier of a signature without the NULL parameter that its algorithm does not have.

    Raises :class:`ValueError`.
    """
    from asn1crypto.algos import SignedDigestAlgorithm

    try:
        algorithm = SignedDigestAlgorithm.load(der, strict=True)
        _drop_null_parameters(algorithm)
        encoded: bytes = algorithm.dump()
    except (TypeError, LookupError, AttributeError) as error:
        raise ValueError(first_line(error)) from None
    return encoded


def read_name(der: bytes) -> Name:
    """Decode a distinguished name; values that cannot be decoded as text stay bytes."""
    try:
        return Name((_attribute(attribute) for attribute in _elements(rdn, 0)) for rdn in _elements(der, 0))
    except UNREADABLE as error:
        raise MalformedCertificateError(f"unreadable distinguished name: {first_line(error)}") from None


def split(contents: bytes) -> Iterator[bytes]:
    """Yield the encodings of elements, one after another. Raises :class:`ValueError` at the first truncated one."""
    from asn1crypto import parser

    position = 0
    while position < len(contents):
        end = position + parser.peek(contents[position:])
        yield contents[position:end]
        position = end


def _elements(der: bytes, at_least: int) -> tuple[bytes, ...]:
    """Return the encodings of the elements of a SEQUENCE."""
    from asn1crypto import parser

    elements = tuple(split(parser.parse(der, strict=True)[4]))
    if len(elements) < at_least:
        raise ValueError(f"{len(elements)} elements instead of at least {at_least}")
    return elements


def _drop_null_parameters(algorithm: asn1_x509.SignedDigestAlgorithm) -> None:
    from asn1crypto.core import Void

    identifier = algorithm["algorithm"].dotted
    if (
        identifier.startswith(_WITHOUT_PARAMETERS)
        and identifier not in _PKCS1_RSA_WITH_SHA3
        and algorithm["parameters"].dump() == _NULL
    ):
        algorithm["parameters"] = Void()


def _mask_key_without_parameters(key: PublicKeyInfo) -> None:
    """Replace the algorithm of a DSA key that inherits its parameters (RFC 3279 section 2.3.2).

    pyca/cryptography then reads the certificate, but not its key: only code that has the issuer's key can add the
    parameters.
    """
    algorithm = key["algorithm"]
    if algorithm["algorithm"].dotted == _DSA and algorithm["parameters"].dump() in {b"", _NULL}:
        algorithm["algorithm"] = _NO_KEY_ALGORITHM


def _refuse_broken_masks(constraints: asn1_x509.NameConstraints | None) -> None:
    """Raise ValueError for iPAddress subtrees whose mask is not a prefix: asn1crypto would change the network."""
    if constraints is None:
        return
    for kind in ("permitted_subtrees", "excluded_subtrees"):
        for subtree in constraints[kind] or ():
            if subtree["base"].name == "ip_address":
                octets: bytes = subtree["base"].chosen.contents
                host_bits = ~int.from_bytes(octets[len(octets) // 2 :]) & ((1 << len(octets) * 4) - 1)
                if host_bits & (host_bits + 1):
                    raise ValueError("a name constraint on iPAddress whose mask is not a prefix")


def _attribute(der: bytes) -> Attribute:
    from asn1crypto import core, parser

    identifier, value = _elements(der, 2)
    oid: str = core.ObjectIdentifier.load(identifier, strict=True).dotted
    tag = value[0]
    if not tag & _CLASS_BITS and tag & _CONSTRUCTED:
        return oid, _text_in_parts(value)
    return oid, read_value(oid, tag, parser.parse(value, strict=True)[4], value)


def _text_in_parts(value: bytes) -> str | bytes:
    """Return the text of a string in parts (X.690 section 8.21); the value itself where it is none."""
    from asn1crypto import core

    try:
        string = core.load(value, strict=True)
        text: str = string.native if isinstance(string, core.AbstractString) else ""
    except UNREADABLE:
        return value
    return text or value


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, or the name of its type where it has no text that Python can write.

    For a number without a name asn1crypto raises KeyError with the number itself, and Python does not convert a number
    of more than 4,300 digits to text.
    """
    try:
        text = str(error)
    except ValueError:
        text = ""
    return text.strip().partition("\n")[0] or type(error).__name__
