"""The rules about the fields of a certificate: version, names, validity, key, signature (RFC 5280 section 4.1)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.der import read_outline
from pkcs12kit.certificates.lint.linted import Broken
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.certificates.certificate import Certificate

SHA1_SIGNATURES: Final = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_SHA1.dotted_string,
        "1.3.14.3.2.29",  # the same, by an older number
        SignatureAlgorithmOID.ECDSA_WITH_SHA1.dotted_string,
        SignatureAlgorithmOID.DSA_WITH_SHA1.dotted_string,
    }
)
"""The object identifiers of the signature algorithms with SHA-1."""

_LEAST_RSA_BITS: Final = 2048
_GENERALIZED_TIME: Final = 0x18
_FIRST_YEAR: Final = 2050  # of GeneralizedTime (RFC 5280 section 4.1.2.5)
_UNIQUE_IDENTIFIERS: Final = {0x81: "issuerUniqueID", 0x82: "subjectUniqueID"}
_MOMENT: Final = timedelta(seconds=1)  # notAfter is part of the validity (RFC 5280 section 4.1.2.5)
# The longest validity, and the first day of issue that it applies to.
_LIFETIMES: Final = (
    ("validity-over-825-days", timedelta(days=825), date(2019, 7, 1)),
    ("validity-over-398-days", timedelta(days=398), date(2020, 9, 1)),
)


def check_fields(certificate: Certificate, *, is_trusted: bool, is_server: bool) -> Iterator[Broken]:
    """Yield the rules that the fields do not keep. The signature of a trusted certificate does not count."""
    if certificate.version == 1:
        yield Broken("version-1", "it is of version 1, which has no extensions")
    yield from _validity_encoding(certificate)
    if is_server:
        yield from _lifetime(certificate)
    yield from _key(certificate)
    if certificate.signature_algorithm in SHA1_SIGNATURES and not is_trusted:
        yield Broken("sha1-signature", "it is signed with SHA-1")
    yield from _unique_identifiers(certificate)


def _validity_encoding(certificate: Certificate) -> Iterator[Broken]:
    ends = (("notBefore", certificate.not_before), ("notAfter", certificate.not_after))
    wrong = [
        field
        for (field, time), tag in zip(ends, _time_tags(certificate), strict=False)
        if tag == _GENERALIZED_TIME and time.year < _FIRST_YEAR
    ]
    if wrong:
        what = " and ".join(wrong)
        yield Broken("validity-encoding", f"its {what}, before 2050, is GeneralizedTime and not UTCTime")


def _time_tags(certificate: Certificate) -> tuple[int, ...]:
    """Return the tags of notBefore and notAfter; empty where neither reader finds them."""
    outline = read_outline(certificate.der) if certificate.encoding_error is None else None
    try:
        if outline is not None:
            validity = bytes(outline.tbs_certificate.validity.data)
        else:
            validity = lenient.contents_of(lenient.read_structure(certificate.der).validity)
        return tuple(time[0] for time in lenient.split(validity))
    except lenient.UNREADABLE:
        return ()


def _lifetime(certificate: Certificate) -> Iterator[Broken]:
    lifetime = certificate.not_after - certificate.not_before + _MOMENT
    for rule, longest, since in _LIFETIMES:
        if lifetime > longest and certificate.not_before.date() >= since:
            yield Broken(rule, f"it is valid for {-(-lifetime // timedelta(days=1)):,} days, more than {longest.days}")
            return


def _key(certificate: Certificate) -> Iterator[Broken]:
    try:
        key = certificate.public_key
    except MalformedCertificateError:
        return  # validation says so
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _LEAST_RSA_BITS:
        yield Broken("rsa-key-short", f"its RSA key has {key.key_size:,} bits, fewer than {_LEAST_RSA_BITS:,}")


def _unique_identifiers(certificate: Certificate) -> Iterator[Broken]:
    if certificate.encoding_error is None and read_outline(certificate.der) is not None:
        return  # an outline has none
    after_key = lenient.read_structure(certificate.der).after_key
    present = [_UNIQUE_IDENTIFIERS[field[0]] for field in after_key if field[0] in _UNIQUE_IDENTIFIERS]
    if present:
        yield Broken("unique-identifier", f"it has {' and '.join(present)}, which CAs must not issue")
