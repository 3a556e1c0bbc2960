"""Reading certificates: one, a pool of them, any container, and a search that meets them."""

from __future__ import annotations

import json
import os
import pickle
import zlib
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

import pkcs12kit as pk
from pkcs12kit import lab

from .making import AT, ca_extensions, certify, name, server_extensions

if TYPE_CHECKING:
    from pkcs12kit.lab import extensions as ext

KEPT = 0
"""Octets at the beginning of an input that choose a way of testing."""
_REAL = Path(__file__).parents[3] / "shared" / "data" / "fpki"
_MAY_BE_MALFORMED = frozenset({"extensions", "public_key", "signature_hash_algorithm"})
_LIMITS = replace(pk.DEFAULT_LIMITS, certificates=200, archive_members=50, archive_bytes=1 << 20, pfx_iterations=100)
_DEAR = 4
"""Of so many inputs one is searched with and shown, which takes five times as long as the rest."""
_PUBLIC = tuple(attribute for attribute in dir(pk.Certificate) if not attribute.startswith("_"))


def seeds() -> list[bytes]:
    """Make certificates with every extension that is read, and the containers that hold them."""
    ca, server = _ca(), certify("server", "CA", 2, *server_extensions("server", "CA"), *_more())
    both = [ca.as_cryptography, server.as_cryptography]
    made = [
        ca.der,
        server.der,
        certify("plain", "CA", 3).der,
        server.to_pem().encode(),
        pkcs7.serialize_certificates(both, Encoding.DER),
        pkcs7.serialize_certificates(both, Encoding.PEM),
    ]
    real = [file for file in sorted(_REAL.glob("*")) if file.suffix in {".pem", ".cer"}]
    for file in real if _REAL.is_dir() else ():
        made += [certificate.der for certificate in list(pk.load_certificates(os.fspath(file)))[:12]]
    return list(dict.fromkeys(made))


def check(data: bytes) -> None:
    """Raise nothing but the project's own errors; what is read has all its attributes, and is found in a pool."""
    certificate = None
    try:
        certificate = pk.Certificate.from_der(data)
    except pk.MalformedCertificateError as error:
        str(error).encode("utf-8")
    try:
        pool = pk.load_certificates(data, limits=_LIMITS)
    except pk.InputError as error:
        str(error).encode("utf-8")
        pool = pk.CertificatePool()
    for reject in pool.rejects:
        str(reject).encode("utf-8")
    for found in list(pool)[:4]:
        _use(found)
    if certificate is not None:
        _use(certificate)
        if zlib.crc32(data) % _DEAR == 0:
            _search(certificate)


def _use(certificate: pk.Certificate) -> None:
    """Ask for everything that is public, write it, and find it again."""
    for attribute in _PUBLIC:
        try:
            getattr(certificate, attribute)
        except pk.MalformedCertificateError:
            assert attribute in _MAY_BE_MALFORMED, f"{attribute} of a certificate that was read"
    _use_extensions(certificate)
    json.dumps(certificate.to_json()).encode("utf-8")
    repr(certificate).encode("utf-8")
    again = (pk.Certificate.from_pem(certificate.to_pem()), pickle.loads(pickle.dumps(certificate)))  # noqa: S301
    for same in again:
        assert same == certificate
        assert hash(same) == hash(certificate)
        assert same.der == certificate.der
    pool = pk.CertificatePool([certificate, _ca()])
    assert certificate in pool
    assert certificate in pool.by_subject(certificate.subject)
    if certificate.key_identifier is not None:
        assert certificate in pool.by_key_identifier(certificate.key_identifier)
    assert len(pool | pool) == len(pool)
    try:
        pk.TrustAnchor.from_certificate(certificate)
    except pk.InputError as error:
        str(error).encode("utf-8")


def _use_extensions(certificate: pk.Certificate) -> None:
    try:
        extensions = certificate.extensions
    except pk.MalformedCertificateError:
        return
    for field in fields(extensions):
        getattr(extensions, field.name)
    for attribute in ("ca_issuers", "ocsp_responders", "policy_mappings"):
        try:
            getattr(extensions, attribute)
        except pk.MalformedCertificateError:
            assert attribute == "policy_mappings"


def _search(certificate: pk.Certificate) -> None:
    """Search with it as target, as a stranger in the pool, and show what came of it."""
    anchor = pk.TrustAnchor.from_certificate(_ca())
    parameters = pk.ValidationParameters(time=AT)
    asked = {"trust_anchors": [anchor], "parameters": parameters}
    pool = pk.CertificatePool([certificate, _ca()])
    report = pk.find_paths(certificate, pool=pool, **asked)
    json.dumps(report.to_json()).encode("utf-8")
    pk.to_html(certificate, time=AT).encode("utf-8")
    beside = pk.find_paths(_server(), pool=pool, **asked)
    assert beside.valid, "a stranger in the pool hides a path"


@cache
def _ca() -> pk.Certificate:
    return certify("CA", "CA", 1, *ca_extensions("CA", "CA"))


@cache
def _server() -> pk.Certificate:
    return certify("sound", "CA", 9, *server_extensions("sound", "CA"))


def _more() -> tuple[ext.Extension, ...]:
    """List what else is read in certificates: policies, constraints, pointers, names of every form."""
    point = x509.DistributionPoint([x509.UniformResourceIdentifier("http://ca.example/a.crl")], None, None, None)
    access = x509.AccessDescription(
        AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.example/a.p7c")
    )
    subtrees = [x509.DNSName("example.mil"), x509.DirectoryName(name("subtree"))]
    notice = x509.UserNotice(x509.NoticeReference("Example", [1]), "notice")
    policy = x509.PolicyInformation(x509.ObjectIdentifier("2.16.840.1.101.3.2.1.3.13"), ["http://cps.example", notice])
    return (
        lab.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
        lab.non_critical(x509.CRLDistributionPoints([point])),
        lab.non_critical(x509.FreshestCRL([point])),
        lab.non_critical(x509.AuthorityInformationAccess([access])),
        lab.critical(x509.NameConstraints(subtrees, [x509.RFC822Name("example.com")])),
        lab.non_critical(x509.CertificatePolicies([policy])),
        lab.critical(lab.policy_mappings(("2.16.840.1.101.3.2.1.3.13", "2.16.840.1.101.3.2.1.3.14"))),
        lab.critical(x509.PolicyConstraints(0, 1)),
        lab.critical(x509.InhibitAnyPolicy(2)),
        lab.non_critical(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")),
    )
