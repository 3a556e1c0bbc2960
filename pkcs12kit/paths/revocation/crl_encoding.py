"""The encoded parts of a CRL, and its encoding without the errors that real CAs make (RFC 5280 section 5.1).

pyca/cryptography insists on DER to the letter, for CRLs as for certificates (see
:mod:`pkcs12kit.certificates.lenient`). Signatures are checked over the original octets.
"""

from __future__ import annotations

from itertools import islice
from typing import Final, NamedTuple

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.tags import refuse_endless_tags

_INTEGER: Final = 0x02
_TIMES: Final = frozenset({0x17, 0x18})
_SEQUENCE: Final = 0x30
_MOST_FIELDS: Final = 8
"""One more than a tbsCertList has."""


class CrlStructure(NamedTuple):
    """The encoded parts of a CRL."""

    content: bytes
    """The tbsCertList, which is what was signed."""
    inner_algorithm: bytes
    algorithm: bytes
    """The signatureAlgorithm outside of the tbsCertList; :attr:`inner_algorithm` is the one inside."""
    version: int | None
    """As encoded: 1 for version 2; None for version 1, which has no such field."""
    issuer: bytes
    """The issuer's name, without its SEQUENCE header."""
    entries: bytes
    """revokedCertificates; empty where there are none."""
    header_bytes: int
    """Octets of everything but the entries."""


def read_crl_structure(der: bytes) -> CrlStructure:
    """Cut a CRL into its encoded parts. Raises :class:`ValueError`."""
    content, algorithm, _ = _fields(der, 3)
    fields = _fields(content, _MOST_FIELDS)
    rest = list(fields)
    version = None
    if rest and rest[0][0] == _INTEGER:
        version = int.from_bytes(_contents(rest.pop(0)), "big", signed=True)
    if len(rest) < 3:  # noqa: PLR2004  # signature, issuer, thisUpdate
        raise ValueError("a tbsCertList without its first fields")
    inner_algorithm, issuer = rest[0], _contents(rest[1])
    after_times = [field for field in rest[2:] if field[0] not in _TIMES]
    entries = after_times[0] if after_times and after_times[0][0] == _SEQUENCE else b""
    return CrlStructure(
        content, inner_algorithm, algorithm, version, issuer, entries, header_bytes=len(der) - len(entries)
    )


def header_bytes(der: bytes) -> int:
    """Return the octets of everything but the entries of a CRL; all of them where it is not one."""
    try:
        refuse_endless_tags(der)
        return read_crl_structure(der).header_bytes
    except ValueError:
        return len(der)


def canonical_crl(der: bytes, structure: CrlStructure, *, at_most: int) -> bytes:
    """Encode a CRL so that pyca/cryptography reads it; the result is never signed over, compared or written.

    A NULL parameter of an ECDSA signature is dropped without a look at the entries. Any other CRL of up to ``at_most``
    bytes is decoded whole and encoded as DER. Raises :class:`ValueError` where neither helps.
    """
    from asn1crypto import crl as asn1_crl
    from asn1crypto import parser
    from cryptography.x509 import load_der_x509_crl

    content, algorithm, signature = _fields(der, 3)
    inner = lenient.canonical_algorithm(structure.inner_algorithm)
    outer = lenient.canonical_algorithm(algorithm)
    if (inner, outer) != (structure.inner_algorithm, algorithm):
        fields = list(_fields(content, _MOST_FIELDS))
        fields[1 if structure.version is not None else 0] = inner
        content = parser.emit(0, 1, 16, b"".join(fields))
        repaired: bytes = parser.emit(0, 1, 16, content + outer + signature)
        try:
            load_der_x509_crl(repaired)
        except ValueError:
            der = repaired
        else:
            return repaired
    if len(der) > at_most:
        raise ValueError(f"an encoding error in a CRL of more than {at_most:,} bytes (limits.crl_rewritten_bytes)")
    try:
        encoded: bytes = asn1_crl.CertificateList.load(der, strict=True).dump(force=True)
    except (TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return encoded


def _fields(encoding: bytes, at_most: int) -> tuple[bytes, ...]:
    """Split a SEQUENCE into the encodings of its fields. Raises :class:`ValueError` for more than ``at_most``."""
    found = tuple(islice(lenient.split(_contents(encoding)), at_most + 1))
    if len(found) > at_most:
        raise ValueError(f"more than {at_most} fields")
    return found


def _contents(encoding: bytes) -> bytes:
    from asn1crypto import parser

    contents: bytes = parser.parse(encoding, strict=True)[4]
    return contents
