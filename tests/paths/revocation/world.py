"""A server below an issuing CA below a root, and the evidence about them that tests change."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

from asn1crypto import core
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from pkcs12kit import lab
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.paths.revocation import Revocation, RevocationStatus, check_revocation

NOW = datetime.now(UTC).replace(microsecond=0)
A_WEEK_AGO = NOW - timedelta(days=7)
GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN


class World:
    """Server <- Issuing <- Root, with a CRL of the root that lists nothing."""

    def __init__(self, *, issuing=None):
        self.root, self.issuing = lab.Authority.create("Root"), issuing or lab.Authority.create("Issuing")
        self.server = self.issuing.issue_server("server.example").certificate
        self.ca = self.root.issue_ca(self.issuing)
        self.anchor = TrustAnchor.from_certificate(self.root.certificate)
        self.path = self.path_of(self.server, self.ca)
        self.root_crl = self.root.make_crl()

    def path_of(self, *certificates):
        """Return a path to the root, which is not validated."""
        return CertificationPath(certificates=certificates, trust_anchor=self.anchor)

    def statuses(self, *, path=None, crls=(), ocsp_responses=(), pool=(), **others):
        """Return the status of each certificate of a path, with the root's CRL given."""
        revocation = Revocation(mode="require", crls=[self.root_crl, *crls], ocsp_responses=ocsp_responses)
        pool = CertificatePool(pool)
        return check_revocation(path or self.path, time=NOW, revocation=revocation, pool=pool, **others).statuses

    def status(self, **given):
        """Return the status of the target."""
        return self.statuses(**given)[0]

    def respond(self, **changes):
        """Return the issuing CA's response that the server is good; see :func:`respond`."""
        return respond(self.server, self.ca, key=self.issuing.private_key, **changes)


def respond(about, issuer, *, key, responder=None, certificates=(), by_name=False, days=7, revoked=False):
    """Sign a response that a certificate is good, or revoked, by its issuer or another responder."""
    kind = ocsp.OCSPResponderEncoding.NAME if by_name else ocsp.OCSPResponderEncoding.HASH
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=about.as_cryptography,
        issuer=issuer.as_cryptography,
        algorithm=hashes.SHA256(),
        cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
        this_update=NOW,
        next_update=NOW + timedelta(days=days),
        revocation_time=A_WEEK_AGO if revoked else None,
        revocation_reason=None,
    )
    builder = builder.responder_id(kind, (responder or issuer).as_cryptography)
    if certificates:
        builder = builder.certificates([certificate.as_cryptography for certificate in certificates])
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def changed(response, change, *, key=None):
    """Return an OCSP response with its BasicOCSPResponse changed by a function.

    It gets a new signature where a key is given; else the old signature is kept.
    """
    outer = asn1_ocsp.OCSPResponse.load(response)
    basic = outer["response_bytes"]["response"].parsed
    change(basic)
    if key is not None:
        basic["signature"].set(key.sign(basic["tbs_response_data"].dump(force=True), ec.ECDSA(hashes.SHA256())))
    outer["response_bytes"]["response"] = core.ParsableOctetString(basic.dump(force=True))
    return outer.dump(force=True)


def crl_signer(authority, name, *, key=None, points=(), usages=("crl_sign",), extensions=()):
    """Have a CA certify a CRL issuer; return its certificate, and an authority that signs CRLs with its key.

    ``points`` are the names of CRL issuers that the distribution points of the certificate have.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    own = [lab.critical(lab.key_usage(*usages))] if usages else []
    if points:
        own.append(crl_issuers(*points))
    certificate = authority.issue(lab.authority.as_name(name), key.public_key(), extensions=[*own, *extensions])
    signer = dataclasses.replace(authority, name=lab.authority.as_name(name), private_key=key)
    return certificate, signer


def crl_issuers(*names):
    """Return distribution points, each of which names a CRL issuer."""
    points = [
        x509.DistributionPoint(None, None, None, [x509.DirectoryName(lab.authority.as_name(name))]) for name in names
    ]
    return lab.non_critical(x509.CRLDistributionPoints(points))


INDIRECT = lab.critical(
    x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=True,
        only_contains_attribute_certs=False,
    )
)
"""IssuingDistributionPoint of an indirect CRL for every distribution point."""
