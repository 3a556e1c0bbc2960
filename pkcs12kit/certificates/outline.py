"""The encoded parts of a sound certificate, cut by pyca/cryptography's reader of ASN.1 (RFC 5280 section 4.1).

Of version 3 with extensions and without unique identifiers, which almost all are. What else pyca/cryptography reads as
a certificate has no outline: :mod:`pkcs12kit.certificates.lenient` cuts it. An outline is made when asked for and not
kept: making it takes about as long as pyca/cryptography takes for the certificate, and keeping it as much memory.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Annotated

from cryptography.hazmat import asn1


# SimpleNamespace's constructor takes a third of the time of the one that asn1.sequence would write.
@asn1.sequence
class Fields(SimpleNamespace):
    """The fields of a tbsCertificate as they are encoded; ``.data`` of each is its contents without the header."""

    version: Annotated[asn1.TLV, asn1.Explicit(0)]
    serial_number: asn1.TLV
    signature: asn1.TLV
    issuer: asn1.TLV
    validity: asn1.TLV
    subject: asn1.TLV
    subject_public_key_info: asn1.TLV
    extensions: Annotated[asn1.TLV, asn1.Explicit(3)]
    __init__ = SimpleNamespace.__init__


@asn1.sequence
class Outline(SimpleNamespace):
    """A certificate cut into the fields of its tbsCertificate and what follows that."""

    tbs_certificate: Fields
    signature_algorithm: asn1.TLV
    signature: asn1.TLV
    __init__ = SimpleNamespace.__init__


@asn1.sequence
class _SignedData(SimpleNamespace):
    """Any certificate. Python up to 3.11.2 needs this sentence: without, it looks for a signature to show instead."""

    tbs_certificate: asn1.TLV
    signature_algorithm: asn1.TLV
    signature: asn1.TLV
    __init__ = SimpleNamespace.__init__


def read_outline(der: bytes) -> Outline | None:
    """Cut a certificate that pyca/cryptography reads; None where it has no outline."""
    try:
        outline: Outline = asn1.decode_der(Outline, der)
    except ValueError:
        return None
    return outline


def read_tbs_certificate(der: bytes) -> bytes:
    """Cut out what the issuer signed, of any certificate that pyca/cryptography reads."""
    return asn1.encode_der(asn1.decode_der(_SignedData, der).tbs_certificate)


def read_subject_public_key_info(der: bytes) -> bytes | None:
    """Cut out the subject's key, DER; None where the certificate has no outline."""
    outline = read_outline(der)
    return None if outline is None else asn1.encode_der(outline.tbs_certificate.subject_public_key_info)
