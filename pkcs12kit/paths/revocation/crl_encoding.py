"""The encoded parts of a CRL, and its encoding without the errors that real CAs make (RFC 5280 section 5.1).

pyca/cryptography requires strict DER, for CRLs as for certificates (see
:mod:`pkcs12kit.certificates.lenient`). Signatures are checked over the original octets.
"""

from __future__ import annotations

from itertools import islice
from typing import Final, NamedTuple

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.lenient import encode_element, sequence

_INTEGER: Final = 0x02
_TIMES: Final = frozenset({0x17, 0x18})
_SEQUENCE: Final = 0x30
_EXTENSIONS: Final = 0xA0
_BOOLEAN: Final = 0x01
_OCTET_STRING: Final = 0x04
_SCOPE: Final = bytes.fromhex("0603551d1c")
"""The identifier of issuingDistributionPoint, encoded."""
_NUMBERS: Final = frozenset({bytes.fromhex("0603551d14"), bytes.fromhex("0603551d1b")})
"""The identifiers of cRLNumber and deltaCRLIndicator, encoded."""
_SCOPE_FLAGS: Final = frozenset({0x81, 0x82, 0x84, 0x85})
"""The tags of the BOOLEAN fields of issuingDistributionPoint, which are FALSE where they are absent."""
_MOST_FIELDS: Final = 8
"""One more than a tbsCertList has."""


class CrlStructure(NamedTuple):
    """The encoded parts of a CRL."""

    content: bytes
    """The tbsCertList: the signed octets."""
    inner_algorithm: bytes
    algorithm: bytes
    """The signatureAlgorithm outside of the tbsCertList; :attr:`inner_algorithm` is the one inside."""
    version: int | None
    """As encoded: 1 for version 2; None for version 1, which has no such field."""
    issuer: bytes
    """The issuer's name, without its SEQUENCE header."""
    extensions: bytes
    """crlExtensions with their tag; empty where there are none."""
    entries: bytes
    """revokedCertificates; empty where there are none."""
    header_bytes: int
    """Octets of everything but the entries."""


def read_crl_structure(der: bytes) -> CrlStructure:
    """Return the encoded parts of a CRL. Raises :class:`ValueError`."""
    content, algorithm, _ = _fields(der, 3)
    rest = list(_fields(content, _MOST_FIELDS))
    version = None
    if rest and rest[0][0] == _INTEGER:
        version = int.from_bytes(lenient.contents_of(rest.pop(0)), "big", signed=True)
    if len(rest) < 3 or rest[2][0] not in _TIMES:  # noqa: PLR2004  # signature, issuer, thisUpdate
        raise ValueError("a tbsCertList without its first fields")
    inner_algorithm, issuer, _, *optional = rest
    if optional and optional[0][0] in _TIMES:
        optional.pop(0)
    entries = optional.pop(0) if optional and optional[0][0] == _SEQUENCE else b""
    if len(optional) > 1 or (optional and optional[0][0] != _EXTENSIONS):
        raise ValueError("a tbsCertList with a field that does not belong there")
    return CrlStructure(
        content,
        inner_algorithm,
        algorithm,
        version,
        lenient.contents_of(issuer),
        optional[0] if optional else b"",
        entries,
        header_bytes=len(der) - len(entries),
    )


def canonical_crl(der: bytes, structure: CrlStructure, *, at_most: int) -> bytes:
    """Return a CRL encoded so that pyca/cryptography reads it; signatures are never checked over the result.

    A NULL parameter of an ECDSA signature is dropped, and strings of the issuer that do not fit their type become
    UTF8Strings, which leaves the entries as they are. In any other CRL of up to
    ``at_most`` bytes, numbers, times, criticalities and lengths are encoded as DER. Names keep their octets, as
    asn1crypto may encode the same URI differently. Raises :class:`ValueError` where neither helps.
    """
    from cryptography.x509 import load_der_x509_crl

    content, algorithm, signature = _fields(der, 3)
    fields = list(_fields(content, _MOST_FIELDS))
    first = 1 if structure.version is not None else 0
    issuer = lenient.canonical_name(fields[first + 1])
    inner = lenient.canonical_algorithm(structure.inner_algorithm)
    outer = lenient.canonical_algorithm(algorithm)
    if (inner, outer, issuer) != (structure.inner_algorithm, algorithm, fields[first + 1]):
        fields[first : first + 2] = inner, issuer
        repaired = sequence(sequence(*fields), outer, signature)
        try:
            load_der_x509_crl(repaired)
        except ValueError:
            der = repaired
        else:
            return repaired
    if len(der) > at_most:
        raise ValueError(
            f"an encoding error in a CRL of more than {at_most:,} bytes, which are left of limits.crl_rewritten_bytes"
        )
    return _encode_again(der, issuer_at=1 if structure.version is None else 2)


def _encode_again(der: bytes, *, issuer_at: int) -> bytes:
    """Return a CRL encoded as DER, except its names, which keep their octets. Raises :class:`ValueError`."""
    content, algorithm, signature = _fields(der, 3)
    fields = list(_fields(content, _MOST_FIELDS))
    fields[:issuer_at] = [_canonical_value(field) if field[0] == _INTEGER else field for field in fields[:issuer_at]]
    for position in range(issuer_at + 1, len(fields)):
        field = fields[position]
        if field[0] == _SEQUENCE:
            fields[position] = sequence(*map(_canonical_entry, lenient.split(lenient.contents_of(field))))
        elif field[0] == _EXTENSIONS:
            fields[position] = encode_element(_EXTENSIONS, _canonical_extensions(lenient.contents_of(field)))
        else:
            fields[position] = _canonical_value(field)
    return sequence(sequence(*fields), algorithm, signature)


def _canonical_entry(encoding: bytes) -> bytes:
    serial_number, date, *extensions = _fields(encoding, 3)
    return sequence(_canonical_value(serial_number), _canonical_value(date), *map(_canonical_extensions, extensions))


def _canonical_extensions(encoding: bytes) -> bytes:
    """Return Extensions without FALSE, the default (X.690 section 11.5), and with TRUE as DER encodes it."""
    return sequence(*map(_canonical_extension, lenient.split(lenient.contents_of(encoding))))


def _canonical_extension(encoding: bytes) -> bytes:
    identifier, *criticality, value = _fields(encoding, 3)
    if value[0] != _OCTET_STRING or (criticality and criticality[0][0] != _BOOLEAN):
        raise ValueError("an extension with a field that does not belong there")
    critical = [encode_element(_BOOLEAN, b"\xff")] if criticality and any(lenient.contents_of(criticality[0])) else []
    if identifier == _SCOPE:
        fields = map(_canonical_flag, lenient.split(lenient.contents_of(lenient.contents_of(value))))
        value = encode_element(_OCTET_STRING, sequence(*fields))
    elif identifier in _NUMBERS:
        value = encode_element(_OCTET_STRING, _canonical_value(lenient.contents_of(value)))
    return sequence(identifier, *critical, value)


def _canonical_flag(field: bytes) -> bytes:
    """Return a field of issuingDistributionPoint as DER: nothing for FALSE, one value for TRUE, any other as it is."""
    if field[0] not in _SCOPE_FLAGS:
        return field
    return encode_element(field[0], b"\xff") if any(lenient.contents_of(field)) else b""


def _canonical_value(encoding: bytes) -> bytes:
    """Return an INTEGER or a time encoded as DER. Raises :class:`ValueError`."""
    from asn1crypto import core

    if not encoding:
        raise ValueError("nothing where a number or a time belongs")
    kinds = {_INTEGER: core.Integer, 0x17: core.UTCTime, 0x18: core.GeneralizedTime}
    try:
        encoded: bytes = kinds[encoding[0]].load(encoding, strict=True).dump(force=True)
    except lenient.UNREADABLE as error:
        raise ValueError(f"neither a number nor a time: {lenient.first_line(error)}") from None
    return encoded


def _fields(encoding: bytes, at_most: int) -> tuple[bytes, ...]:
    """Return the encodings of the fields of a SEQUENCE. Raises :class:`ValueError` for more than ``at_most``."""
    found = tuple(islice(lenient.split(lenient.contents_of(encoding)), at_most + 1))
    if len(found) > at_most:
        raise ValueError(f"more than {at_most} fields")
    return found
