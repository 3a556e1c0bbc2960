"""A small PKI with every extension that is read, in files of each kind; and a changed certificate signed again."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.lab.extensions import (
    Extension,
    authority_information_access,
    critical,
    crl_distribution_points,
    non_critical,
    policy_mappings,
    subject_information_access,
)

from .mutator import Element, tlv

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOST = "mdm.example.mil"
PASSWORD = "correct horse 42 battery"
NOWHERE = "http://pki.invalid"
_POLICY = "1.2.3.4"
_TBS, _SIGNATURE = "0", "2"


def _names() -> list[x509.GeneralName]:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Other")])
    return [
        x509.DNSName(HOST),
        x509.RFC822Name("admin@example.mil"),
        x509.UniformResourceIdentifier("https://mdm.example.mil/"),
        x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
        x509.DirectoryName(subject),
        x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), tlv(12, b"admin@example.mil")),
    ]


def _policies() -> x509.CertificatePolicies:
    notice = x509.UserNotice(x509.NoticeReference("Org", [1, 2]), "notice")
    return x509.CertificatePolicies(
        [
            x509.PolicyInformation(x509.ObjectIdentifier(_POLICY), ["https://example.mil/cps", notice]),
            x509.PolicyInformation(x509.ObjectIdentifier("2.5.29.32.0"), None),
        ]
    )


def _locations(base: str, issuer: str) -> tuple[Extension, ...]:
    """Say where the issuer's certificate, its CRL and its OCSP responder are."""
    return (
        non_critical(authority_information_access(f"{base}/{issuer}.cer", f"{base}/{issuer}.ocsp")),
        non_critical(crl_distribution_points(f"{base}/{issuer}.crl")),
    )


_OF_A_CA = (
    critical(
        x509.NameConstraints(
            [x509.DNSName("example.mil"), x509.DirectoryName(x509.Name([])), x509.RFC822Name("example.mil")],
            [x509.DNSName("bad.example.mil"), x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))],
        )
    ),
    non_critical(_policies()),
    non_critical(policy_mappings((_POLICY, _POLICY))),
    critical(x509.PolicyConstraints(3, 3)),
    non_critical(x509.InhibitAnyPolicy(3)),
    non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
    non_critical(subject_information_access(NOWHERE)),
)
_OF_A_SERVER = (
    non_critical(x509.SubjectAlternativeName(_names())),
    non_critical(_policies()),
)


@dataclass(frozen=True, kw_only=True)
class Materials:
    """A root, a CA below it and a server below that."""

    root: lab.Authority
    authority: lab.Authority
    ca: pk.Certificate
    server: pk.Identity

    @classmethod
    def create(cls, base: str = NOWHERE) -> Materials:
        """Make them, with keys of their own. ``base`` is where they say that more is: ``BASE/CA.cer`` for example."""
        validity = lab.Validity.around(AT)
        topology = lab.Topology.from_edges(
            lab.Edge(subject="CA", issuer="Root", path_length=3, extensions=(*_OF_A_CA, *_locations(base, "Root"))),
            lab.Edge(subject=HOST, issuer="CA", extensions=(*_OF_A_SERVER, *_locations(base, "CA"))),
            validity=validity,
        )
        return cls(
            root=topology.authorities["Root"],
            authority=topology.authorities["CA"],
            ca=topology.certificates[0],
            server=topology.servers[HOST],
        )

    @cached_property
    def key(self) -> bytes:
        """The server's key in PKCS#8, DER."""
        return self.server.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    @cached_property
    def key_of_openssl(self) -> bytes:
        """The same in the form of SEC 1, which OpenSSL calls traditional, DER."""
        return self.server.private_key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())

    @cached_property
    def bundle(self) -> bytes:
        """The CA's certificate in PKCS#7, DER."""
        return pkcs7.serialize_certificates([self.ca.as_cryptography], Encoding.DER)

    @cached_property
    def crls(self) -> tuple[bytes, bytes]:
        """The CRLs of the CA and of the root."""
        span = lab.Validity(AT - timedelta(days=1), AT + timedelta(days=30))
        entry = lab.CrlEntry(serial_number=99, date=AT - timedelta(days=2), reason=x509.ReasonFlags.key_compromise)
        return tuple(issuer.make_crl(validity=span, revoked=[entry]) for issuer in (self.authority, self.root))

    @cached_property
    def ocsp(self) -> bytes:
        """An OCSP response about the server's certificate, by its CA, DER."""
        builder = ocsp.OCSPResponseBuilder().add_response(
            self.server.certificate.as_cryptography,
            self.ca.as_cryptography,
            hashes.SHA1(),  # noqa: S303  # an identifier
            ocsp.OCSPCertStatus.GOOD,
            AT - timedelta(hours=1),
            AT + timedelta(days=1),
            None,
            None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, self.ca.as_cryptography)
        builder = builder.certificates([self.ca.as_cryptography])
        return builder.sign(self.authority.private_key, hashes.SHA256()).public_bytes(Encoding.DER)

    def pkcs12(self, profile: pk.profiles.Profile, password: str | None) -> bytes:
        """Key and path in PKCS#12, DER."""
        path = pk.find_path(
            self.server.certificate,
            pool=pk.CertificatePool([self.ca]),
            trust_anchors=[pk.TrustAnchor.from_certificate(self.root.certificate)],
            parameters=pk.ValidationParameters(time=AT),
        )
        bundle = pk.Bundle.from_path(self.server, path, friendly_name=HOST)
        return pk.encode_pfx(bundle, password=password, profile=profile)


def signed(der: bytes, issuer: lab.Authority) -> bytes:
    """Sign a changed certificate again, so that validation goes on to what was changed.

    Returns it as it is where it has no tbsCertificate any more.
    """
    key = issuer.private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    try:
        root = Element.parse(der)
        signature = key.sign(root.at(_TBS).encode(), ec.ECDSA(hashes.SHA256()))
        return root.encode(root.at(_SIGNATURE), tlv(3, b"\0", signature))
    except (ValueError, IndexError):
        return der
