"""Name constraints of a CA, and names of a server below it, all of them soundly signed."""

from __future__ import annotations

import ipaddress
import json
from functools import cache

from cryptography import x509

import pkcs12kit as pk

from .elements import contents_of, der, split
from .making import AT, ca_extensions, certify, key, name, signed_by

KEPT = 1
"""The first octet says which extensions are critical; then NameConstraints, GeneralNames and the server's name."""
_CONSTRAINTS = der(0x06, b"\x55\x1d\x1e")
_ALTERNATIVE_NAME = der(0x06, b"\x55\x1d\x11")
_CRITICAL = b"\x01\x01\xff"


_ODD = (
    (der(0x82, b".example.mil"), der(0x82, b"a.example.mil")),
    (der(0x82, b"*.example.mil"), der(0x82, b"a.example.mil")),
    (der(0x82, b"example.mil\0"), der(0x82, b"\xe9.example.mil")),
    (der(0x87, b"\x0a\1\2\3\xff\0\xff\0"), der(0x87, b"\x0a\x09\x02\x09")),
    (der(0x87, b"\x0a\0\0\0\xff\0\0\0"), der(0x87, bytes(10) + b"\xff\xff\x0a\1\1\1")),
    (der(0xA3, der(0x30, b"")), der(0xA3, der(0x30, b""))),
    (der(0xA5, der(0x81, b"a")), der(0x82, b"a.example.mil")),
    (der(0x82, b"example.mil") + der(0x80, b"\1"), der(0x82, b"a.example.mil")),
    (b"\x82\x81\x0bexample.mil", der(0x82, b"a.example.mil")),
)
"""Subtrees that pyca/cryptography does not encode, each with a name."""


def seeds() -> list[bytes]:
    """Encode constraints on every form of name, each with names that they permit and that they exclude."""
    network = ipaddress.ip_network
    forms = [
        ([x509.DNSName("example.mil")], [x509.DNSName("mdm.example.mil"), x509.DNSName("mdm.example.com")]),
        ([x509.DNSName("")], [x509.DNSName("*.example.mil")]),
        ([x509.RFC822Name("example.mil")], [x509.RFC822Name("a@example.mil"), x509.RFC822Name("a@b.example.mil")]),
        ([x509.RFC822Name(".example.mil")], [x509.RFC822Name("a@b.example.mil")]),
        (
            [x509.UniformResourceIdentifier(".example.mil")],
            [x509.UniformResourceIdentifier("https://a.example.mil:8443/?q")],
        ),
        ([x509.IPAddress(network("10.0.0.0/8"))], [x509.IPAddress(ipaddress.ip_address("10.1.2.3"))]),
        ([x509.IPAddress(network("2001:db8::/32"))], [x509.IPAddress(ipaddress.ip_address("2001:db8::1"))]),
        ([x509.DirectoryName(name("server"))], [x509.DirectoryName(name("server"))]),
        ([x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))], [x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4"))]),
        ([x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x01a")], [x509.DNSName("a.example")]),
    ]
    made = []
    for number, (subtrees, names) in enumerate(forms):
        for constraints in (x509.NameConstraints(subtrees, None), x509.NameConstraints(None, subtrees)):
            alternative = x509.SubjectAlternativeName(names).public_bytes()
            made.append(bytes([number % 4]) + constraints.public_bytes() + alternative + name("server").public_bytes())
    for subtree, alternative in _ODD:
        for tag in (0xA0, 0xA1):
            constraints = der(0x30, der(tag, der(0x30, subtree)))
            made.append(b"\x03" + constraints + der(0x30, alternative) + name("server").public_bytes())
    every = x509.NameConstraints([one[0][0] for one in forms[::2]], [one[0][0] for one in forms[1::2]])
    alternative = x509.SubjectAlternativeName([each for _, names in forms for each in names]).public_bytes()
    return [*made, b"\x03" + every.public_bytes() + alternative + name("server").public_bytes()]


def check(data: bytes) -> None:
    """Raise nothing but the project's own errors; a constraint more never makes a path valid.

    RFC 5280 section 6.1.4 (g): permitted subtrees are intersected and excluded ones united, so each only takes away.
    """
    flags = data[0] if data else 0
    parts, _ = split(data[1:])
    if len(parts) < 3:  # the three that KEPT lists
        return
    constraints, alternative, subject = parts[:3]
    try:
        server = pk.Certificate.from_der(_server(alternative, subject, critical=bool(flags & 2)))
        cas = [
            pk.Certificate.from_der(_ca(each, critical=bool(flags & 1)))
            for each in (constraints, *_weaker(constraints), _reversed(constraints), None)
        ]
    except pk.MalformedCertificateError:
        return
    constrained, *weaker, turned, free = (_is_valid(server, ca) for ca in cas)
    assert constrained is turned, "the order of subtrees matters"
    if constrained:
        assert all(weaker), "the path is valid with more constraints, and not with fewer"
        assert free, "the path is valid with constraints, and not without"


def _weaker(constraints: bytes) -> list[bytes]:
    """List the same constraints without one of their fields; what is left must not be empty, nor be something else."""
    fields, rest = split(contents_of(constraints))
    if rest or constraints[0] != 0x30 or [field[0] for field in fields] != [0xA0, 0xA1]:  # tags
        return []
    return [der(0x30, field) for field in fields if contents_of(field)]


def _reversed(constraints: bytes) -> bytes:
    """Write the subtrees of each field in the opposite order."""
    fields, rest = split(contents_of(constraints))
    turned = []
    for field in fields:
        subtrees, more = split(contents_of(field)) if field[0] & 0x20 else ([], b"-")
        turned.append(field if more else der(field[0], *reversed(subtrees)))
    return der(constraints[0], *turned, rest) if constraints[0] & 0x20 else constraints


def _is_valid(server: pk.Certificate, ca: pk.Certificate) -> bool:
    report = pk.find_paths(
        server,
        pool=pk.CertificatePool([ca]),
        trust_anchors=[_anchor()],
        parameters=pk.ValidationParameters(time=AT),
    )
    json.dumps(report.to_json()).encode("utf-8")
    return bool(report.valid)


@cache
def _anchor() -> pk.TrustAnchor:
    return pk.TrustAnchor.from_certificate(certify("Root", "Root", 1, *ca_extensions("Root", "Root")))


@cache
def _fields(subject: str, issuer: str) -> tuple[bytes, ...]:
    """Take a certificate apart: what is before its extensions, and these."""
    certificate = certify(subject, issuer, 5, *(ca_extensions(subject, issuer) if subject == "CA" else ()))
    key(issuer)
    return tuple(split(contents_of(split(contents_of(certificate.der))[0][0]))[0])


def _ca(constraints: bytes | None, *, critical: bool) -> bytes:
    *before, extensions = _fields("CA", "Root")
    inner = contents_of(contents_of(extensions))
    if constraints is not None:
        inner += der(0x30, _CONSTRAINTS, _CRITICAL if critical else b"", der(0x04, constraints))
    return signed_by("Root", der(0x30, *before, der(0xA3, der(0x30, inner))))


def _server(alternative: bytes, subject: bytes, *, critical: bool) -> bytes:
    version, serial, algorithm, issuer, validity, _, public_key = _fields("server", "CA")
    extension = der(0x30, _ALTERNATIVE_NAME, _CRITICAL if critical else b"", der(0x04, alternative))
    extensions = der(0xA3, der(0x30, extension))
    return signed_by("CA", der(0x30, version, serial, algorithm, issuer, validity, subject, public_key, extensions))
