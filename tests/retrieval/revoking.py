"""A PKI with two paths from a server, with CRLs and an OCSP responder on a loopback server.

::

    Root <- Bridge A <- Issuing <- server           the better path: Bridge B's certificates end earlier
    Root <- Bridge B <- Issuing
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from pkcs12kit import lab
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.lab.extensions import crl_distribution_points

NOW = datetime.now(UTC).replace(microsecond=0)
A_WEEK = timedelta(days=7)


def ocsp_at(*urls):
    """Return the extension that names OCSP responders."""
    method = AuthorityInformationAccessOID.OCSP
    access = [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for url in urls]
    return lab.non_critical(x509.AuthorityInformationAccess(access))


def crl_at(*urls):
    """Return the extension that names CRLs, each in a distribution point of its own."""
    points = [point for url in urls for point in crl_distribution_points(url)]
    return lab.non_critical(x509.CRLDistributionPoints(points))


class RevokingPki:
    """The PKI above. ``locations`` are functions from an issuer's name to extensions of its certificates."""

    def __init__(self, server, locations):
        self.server = server
        names = ("Root", "Bridge A", "Bridge B", "Issuing")
        self.authorities = {name: lab.Authority.create(name) for name in names}
        self.statuses = {}
        self.revoked = {name: [] for name in names}
        self.issued = {}
        for issuer, subject in (
            ("Root", "Bridge A"),
            ("Root", "Bridge B"),
            ("Bridge A", "Issuing"),
            ("Bridge B", "Issuing"),
        ):
            days = 100 if "Bridge B" in {issuer, subject} else 300
            self.issued[issuer, subject] = self.authorities[issuer].issue_ca(
                self.authorities[subject],
                validity=lab.Validity.around(days_after=days),
                extensions=[where(issuer) for where in locations],
            )
        self.identity = self.authorities["Issuing"].issue_server(
            "server.example", extensions=[where("Issuing") for where in locations]
        )
        self.target = self.identity.certificate
        self.issued["Issuing", "server"] = self.target
        self.pool = CertificatePool(certificate for certificate in self.issued.values() if certificate != self.target)
        self.anchor = TrustAnchor.from_certificate(self.authorities["Root"].certificate)
        for name in names:
            server.route(f"/{slug(name)}.crl", self._answer_crl(name))

    def revoke(self, issuer, subject):
        """Put a certificate on its issuer's CRL, and make the responder answer that it is revoked."""
        certificate = self.issued[issuer, subject]
        entry = lab.CrlEntry(serial_number=certificate.serial_number, date=NOW - A_WEEK)
        self.revoked[issuer].append(entry)
        self.statuses[certificate.serial_number] = ocsp.OCSPCertStatus.REVOKED

    def crl(self, name, **others):
        """Sign a CRL."""
        return self.authorities[name].make_crl(revoked=self.revoked[name], **others)

    def respond(self, request, *, signer=None, delegated=False, this_update=None, age=timedelta(0), lasts=A_WEEK):
        """Sign the response to an OCSP request, by the issuer of the certificate or by another authority."""
        issuer = next(by for (by, _), one in self.issued.items() if one.serial_number == request.serial_number)
        authority = self.authorities[signer or issuer]
        key, own = authority.private_key, authority.certificate.as_cryptography
        if delegated:
            key = ec.generate_private_key(ec.SECP256R1())
            usage = [lab.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]))]
            nothing = [lab.non_critical(x509.OCSPNoCheck())]
            own = authority.issue("Responder", key.public_key(), extensions=usage + nothing).as_cryptography
        since = (this_update or datetime.now(UTC).replace(microsecond=0)) - age
        status = self.statuses.get(request.serial_number, ocsp.OCSPCertStatus.GOOD)
        is_revoked = status is ocsp.OCSPCertStatus.REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            issuer_name_hash=request.issuer_name_hash,
            issuer_key_hash=request.issuer_key_hash,
            serial_number=request.serial_number,
            algorithm=request.hash_algorithm,
            cert_status=status,
            this_update=since,
            next_update=None if lasts is None else since + lasts,
            revocation_time=NOW - A_WEEK if is_revoked else None,
            revocation_reason=None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, own)
        if delegated:
            builder = builder.certificates([own])
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)

    def responder(self, *, to_get=None, **how):
        """Make a handler that answers as :meth:`respond` does; GET by a status or by bytes, where these are given."""

        async def handler(exchange):
            if not exchange.target.startswith("/ocsp"):
                await exchange.answer(status=404)
                return
            if exchange.method == "GET" and to_get is not None:
                await (exchange.answer(to_get) if isinstance(to_get, bytes) else exchange.answer(status=to_get))
                return
            encoded = exchange.body or base64.b64decode(unquote(exchange.target.removeprefix("/ocsp/")))
            request = ocsp.load_der_ocsp_request(encoded)
            await exchange.answer(self.respond(request, **how), headers={"Content-Type": "text/plain"})

        return handler

    def _answer_crl(self, name):
        async def handler(exchange):
            await exchange.answer(self.crl(name), headers={"Content-Type": "text/plain"})

        return handler


def slug(name):
    """Return a file name for a name."""
    return name.lower().replace(" ", "-")
