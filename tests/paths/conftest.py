"""Paths made to order, and what validation says of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pkcs12kit import lab
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.lab.extensions import authority_key_identifier
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.budget import SearchBudget
from pkcs12kit.paths.failure import InvalidPathError
from pkcs12kit.paths.signatures import SignatureMemory
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.paths.validation.validator import validate

from ..resigning import resigned

AT = datetime(2026, 3, 1, tzinfo=UTC)


def _issue(issuer, number, link, *, last):
    """Issue the certificate of one link, and make the authority that issues the next one."""
    issues_ca = not last or "ca" in link
    name = link.get("name", f"CA {number}" if issues_ca else "www.example.com")
    key = link.get("private_key")
    subject = lab.Authority.create(name, private_key=key, validity=lab.Validity.around(AT))
    if "only" in link:
        public_key = subject.private_key.public_key()
        certificate = issuer.issue(
            name,
            public_key,
            extensions=link["only"],
            validity=link.get("validity"),
            serial_number=link.get("serial_number"),
        )
    elif issues_ca:
        certificate = issuer.issue_ca(
            subject,
            path_length=link.get("path_length"),
            validity=link.get("validity"),
            serial_number=link.get("serial_number"),
            extensions=link.get("extensions", ()),
        )
    else:
        certificate = issuer.issue_server(
            link.get("server_name", "www.example.com"),
            subject=lab.authority.as_name(link["name"]) if "name" in link else None,
            private_key=subject.private_key,
            validity=link.get("validity"),
            serial_number=link.get("serial_number"),
            extensions=link.get("extensions", ()),
        ).certificate
    return certificate, subject


@pytest.fixture(scope="session")
def chain():
    """Make a path: one dictionary a certificate, the anchor's first issue first, the target last.

    Keys: ``name``, ``extensions`` (in place of defaults), ``only`` (these extensions alone), ``validity``,
    ``path_length``, ``serial_number``, ``server_name``, ``private_key``; ``ca`` makes the target a CA.
    """

    def make(*links, anchor_extensions=(), anchor_validity=None, anchor_name="TA", anchor_key=None):
        issuer = lab.Authority.create(
            anchor_name,
            private_key=anchor_key,
            extensions=anchor_extensions,
            validity=anchor_validity or lab.Validity.around(AT),
        )
        anchor = TrustAnchor.from_certificate(issuer.certificate)
        certificates = []
        for number, link in enumerate(links, start=1):
            certificate, issuer = _issue(issuer, number, link, last=number == len(links))
            certificates.insert(0, certificate)
        return CertificationPath(certificates=tuple(certificates), trust_anchor=anchor)

    return make


@pytest.fixture(scope="session")
def judge():
    """Validate a path at the time that all these paths are for: the verdict, or InvalidPathError."""

    def run(path, *, time=AT, limits=DEFAULT_LIMITS, memory=None, **parameters):
        return validate(
            path,
            ValidationParameters(time=time, **parameters),
            budget=SearchBudget(limits),
            memory=memory or SignatureMemory(size=1000),
        )

    return run


@pytest.fixture(scope="session")
def refusal(judge):
    """Validate a path that is not valid: the failure."""

    def run(path, **parameters):
        with pytest.raises(InvalidPathError) as refused:
            judge(path, **parameters)
        return refused.value.failure

    return run


@pytest.fixture(scope="session")
def resign():
    """Return a changed certificate with a new signature; see :func:`tests.resigning.resigned`."""
    return resigned


@pytest.fixture(scope="session")
def sign_by():
    """Sign a CA or end-entity certificate with any key and padding, by pyca's builder itself."""

    def run(issuer_name, signing_key, subject_name, public_key, *, ca, digest=None, rsa_padding=None):
        builder = (
            x509.CertificateBuilder()
            .issuer_name(lab.authority.as_name(issuer_name))
            .subject_name(lab.authority.as_name(subject_name))
            .public_key(public_key)
            .not_valid_before(lab.Validity.around(AT).not_before)
            .not_valid_after(lab.Validity.around(AT).not_after)
            .serial_number(x509.random_serial_number())
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(authority_key_identifier(signing_key.public_key()), critical=False)
        )
        signed = builder.sign(signing_key, digest, rsa_padding=rsa_padding)
        return Certificate.from_der(signed.public_bytes(Encoding.DER))

    return run


class FullMesh:
    """CAs that all certify one another: every certificate is made once, for all sizes and tests.

    ``names`` are CN=C0, O=Mesh and so on; the mesh of ``size`` is that of the first CAs. ``POLICY`` is what
    certificates state where a test wants some to; the two kinds differ in nothing else.
    """

    POLICY = "2.999.1"

    def __init__(self, size):
        self.validity = lab.Validity.around(AT)
        organization = x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Mesh")
        self.authorities = [
            lab.Authority.create(
                x509.Name([organization, x509.NameAttribute(x509.NameOID.COMMON_NAME, f"C{number}")]),
                validity=self.validity,
            )
            for number in range(size)
        ]
        self.anchor = lab.Authority.create("TA", validity=self.validity)
        self.trust_anchor = TrustAnchor.from_certificate(self.anchor.certificate)
        self._edges = {}

    def edge(self, subject, issuer, *, stating=False):
        """Return the certificate of a CA by another, by their numbers."""
        key = (subject, issuer, stating)
        if key not in self._edges:
            policies = [lab.non_critical(lab.certificate_policies(self.POLICY))] if stating else []
            self._edges[key] = self.authorities[issuer].issue_ca(self.authorities[subject], extensions=policies)
        return self._edges[key]

    def edges(self, size, stating=lambda _subject, _issuer: False):
        """Return all certificates of the mesh of this size; ``stating`` selects those that state the policy."""
        pairs = ((one, other) for one in range(size) for other in range(size) if one != other)
        return [self.edge(*pair, stating=stating(*pair)) for pair in pairs]

    def link(self, subject, **special):
        """Certify a CA by the anchor."""
        return self.anchor.issue_ca(self.authorities[subject], **special)

    def target(self, size, *, extensions=()):
        """Issue www.example.com by the last CA."""
        return self.authorities[size - 1].issue_server("www.example.com", extensions=extensions).certificate

    def numbers(self, path):
        """Name the CAs of a path by number, the target's issuer first."""
        nodes = {authority.certificate.node: number for number, authority in enumerate(self.authorities)}
        return tuple(nodes[certificate.node] for certificate in path.certificates[1:])


@pytest.fixture(scope="session")
def full_mesh():
    """64 CAs that all certify one another, 4,032 certificates, made as they are asked for: 0.8 seconds for all."""
    return FullMesh(64)
