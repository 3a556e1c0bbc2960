"""Distinguished names: two in one certificate, their text, their comparison, and finding one by the other."""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import pairwise

from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

import pkcs12kit as pk

from .elements import contents_of, der, split
from .making import certify, name

KEPT = 0
"""An input is two names, one after the other."""
_STEERS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def seeds() -> list[bytes]:
    """Encode names in every string type, that match and that do not, of one and of several attributes."""
    texts = [
        "Example",
        "EXAMPLE ",
        " exa  mple",
        "\uff25xample",
        "e\u0301",
        "é",
        "İstanbul",
        "ﬁ",
        "a\u00adb",
        "ǅ",
        "ß",
        "ss",
    ]
    types = (_ASN1Type.UTF8String, _ASN1Type.BMPString, _ASN1Type.UniversalString)
    encoded = []
    for number, text in enumerate(texts):
        attribute = x509.NameAttribute(NameOID.COMMON_NAME, text, types[number % len(types)])
        encoded.append(x509.Name([attribute]).public_bytes())
    pair = x509.RelativeDistinguishedName(
        [x509.NameAttribute(NameOID.COMMON_NAME, "a"), x509.NameAttribute(NameOID.SERIAL_NUMBER, "1")]
    )
    encoded += [name("CA").public_bytes(), x509.Name([pair]).public_bytes(), x509.Name([]).public_bytes()]
    more = [NameOID.DOMAIN_COMPONENT, NameOID.EMAIL_ADDRESS]
    encoded.append(x509.Name([x509.NameAttribute(oid, "example", _ASN1Type.IA5String) for oid in more]).public_bytes())
    return [first + second for first, second in pairwise([*encoded, encoded[0]])] + [one * 2 for one in encoded[:3]]


def check(data: bytes) -> None:
    """Raise nothing but the project's own errors; equality, hash, text and the index of a pool agree."""
    parts, _ = split(data)
    if len(parts) < 2:  # a subject and an issuer
        return
    try:
        certificate = pk.Certificate.from_der(_with_names(parts[0], parts[1]))
    except pk.MalformedCertificateError:
        return
    subject, issuer = certificate.subject, certificate.issuer
    for one in (subject, issuer):
        _use(one)
    equal = subject == issuer
    assert equal is (issuer == subject)
    assert equal is certificate.is_self_issued
    if equal:
        assert hash(subject) == hash(issuer)
    pool = pk.CertificatePool([certificate])
    assert (certificate in pool.by_subject(issuer)) is equal
    assert (certificate in pool.by_subject(pk.Name(issuer.relative_distinguished_names))) is equal


def _use(one: pk.Name) -> None:
    text = str(one)
    assert not {char for char in text + repr(one) if unicodedata.category(char) in _STEERS}
    text.encode("utf-8")
    same = pk.Name(one.relative_distinguished_names)
    assert same == one
    assert hash(same) == hash(one)
    assert str(same) == text
    assert bool(one) is bool(one.relative_distinguished_names)
    assert one.common_name is None or isinstance(one.common_name, str)
    # Upper and lower case match (RFC 5280 section 7.1).
    swapped = pk.Name(
        [(oid, value.swapcase() if isinstance(value, str) and value.isascii() else value) for oid, value in attributes]
        for attributes in one.relative_distinguished_names
    )
    assert swapped == one
    assert hash(swapped) == hash(one)


def _with_names(subject: bytes, issuer: bytes) -> bytes:
    """Put names into a certificate, whose signature then fits no more: none is checked."""
    version, serial, algorithm, _, validity, _, *rest = _fields()
    tbs = der(0x30, version, serial, algorithm, issuer, validity, subject, *rest)
    return der(0x30, tbs, *split(contents_of(_template()))[0][1:])


@cache
def _template() -> bytes:
    return certify("template", "CA", 1).der


@cache
def _fields() -> tuple[bytes, ...]:
    return tuple(split(contents_of(split(contents_of(_template()))[0][0]))[0])
