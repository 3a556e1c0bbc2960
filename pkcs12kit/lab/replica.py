"""The replica: a small copy of the Federal PKI and the DoD PKI, with their names, extensions, loops and dead ends.

::

    Federal Common Policy CA  <->  Federal Bridge CA 2016  <->  DoD Interoperability Root CA 2
            the anchor        <->  Federal Bridge CA 2013   ->             |  two parallel cross-certificates
                              ...  Federal Bridge CA (all expired)    DoD Root CA 3 (also self-signed)
                                                                           |
                                                                      DOD ID SW CA-37  ->  the server
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import ArgumentError
from pkcs12kit.lab import extensions as ext
from pkcs12kit.lab import profiles
from pkcs12kit.lab.authority import Authority, CrlEntry, Validity
from pkcs12kit.lab.keys import KeyType
from pkcs12kit.times import require_aware

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.identity import Identity

BASE_URL: Final = "http://pki.replica.example"
"""The base of the URLs in the certificates. RFC 2606 reserves the name, so no server ever answers there."""


class _Site(NamedTuple):
    """An authority: organizational units, common name, and the names of its published files."""

    units: tuple[str, ...]
    common_name: str
    crl: str
    issued_to: str
    issued_by: str
    ocsp: bool = False

    def locations(self, base_url: str) -> profiles.Locations:
        ocsp = f"{base_url}/ocsp" if self.ocsp else None
        return profiles.Locations(
            crl=f"{base_url}/{self.crl}",
            issued_to=f"{base_url}/{self.issued_to}",
            issued_by=f"{base_url}/{self.issued_by}",
            ocsp=ocsp,
        )


def _federal(common_name: str, folder: str, name: str) -> _Site:
    issued_to, issued_by = f"{folder}/caCertsIssuedTo{name}.p7c", f"{folder}/caCertsIssuedBy{name}.p7c"
    return _Site(("FPKI",), common_name, f"{folder}/{name}.crl", issued_to, issued_by)


def _defense(common_name: str, name: str) -> _Site:
    units = ("DoD", "PKI")
    return _Site(units, common_name, f"crl/{name}.crl", f"issuedto/{name}_IT.p7c", f"issuedby/{name}_IB.p7c", ocsp=True)


def _foreign(unit: str, common_name: str, name: str) -> _Site:
    return _Site((unit,), common_name, f"other/{name}.crl", f"other/{name}_IT.p7c", f"other/{name}_IB.p7c")


_SITES: Final = {
    "common": _federal("Federal Common Policy CA", "fcpca", "fcpca"),
    "bridge-2016": _federal("Federal Bridge CA 2016", "bridge", "fbca2016"),
    "bridge-2016-rekeyed": _federal("Federal Bridge CA 2016", "bridge", "fbca2016-2"),
    "bridge-2013": _federal("Federal Bridge CA 2013", "bridge", "fbca2013"),
    "bridge-old": _federal("Federal Bridge CA", "bridge", "fbca"),
    "interoperability": _defense("DoD Interoperability Root CA 2", "DODINTEROPERABILITYROOTCA2"),
    "root-3": _defense("DoD Root CA 3", "DODROOTCA3"),
    "issuing-37": _defense("DOD ID SW CA-37", "DODIDSWCA_37"),
    "coalition": _defense("US DoD CCEB Interoperability Root CA 2", "USDODCCEBINTEROPERABILITYROOTCA2"),
    "aces": _foreign("IdenTrust Public Sector", "IdenTrust ACES CA 1", "acespublicsector1"),
    "unrelated-root": _foreign("Unrelated", "Unrelated Root CA 1", "unrelatedroot1"),
    "unrelated-issuing": _foreign("Unrelated", "Unrelated Issuing CA 1", "unrelatedissuing1"),
}


class _Issued(NamedTuple):
    """A CA certificate, valid from ``days_before`` to ``days_after`` around the replica's time."""

    issuer: str
    subject: str
    serial_number: int
    days_before: int
    days_after: int
    profile: profiles.CertificateProfile


# Serial numbers are the last digits of those of the real certificates; 9xx have no real model.
_SELF_SIGNED: Final = (
    _Issued("common", "common", 304, 2740, 4560, profiles.ANCHOR),
    _Issued("root-3", "root-3", 1, 2265, 4230, profiles.ROOT),
    _Issued("interoperability", "interoperability", 901, 2740, 2100, profiles.PLAIN),
    _Issued("unrelated-root", "unrelated-root", 902, 1000, 3000, profiles.PLAIN),
)
_CROSS: Final = (
    _Issued("common", "bridge-2016", 16194, 570, 1200, profiles.BRIDGE_BY_COMMON),
    _Issued("common", "bridge-2013", 11424, 1073, 150, profiles.BRIDGE_BY_COMMON),
    _Issued("bridge-2016", "interoperability", 47633, 387, 1000, profiles.INTEROPERABILITY_BY_BRIDGE),
    _Issued("bridge-2013", "interoperability", 9644, 655, 440, profiles.INTEROPERABILITY_BY_BRIDGE),
    _Issued("interoperability", "root-3", 748, 835, 360, profiles.ROOT_BY_INTEROPERABILITY),
    _Issued("interoperability", "root-3", 655, 982, 300, profiles.OLDER_ROOT_BY_INTEROPERABILITY),
    _Issued("root-3", "issuing-37", 18, 982, 1210, profiles.ISSUING),
)
_TRAPS: Final = (
    # Loops that are still valid
    _Issued("bridge-2016", "common", 93812, 570, 1200, profiles.COMMON_BY_BRIDGE),
    _Issued("bridge-2013", "common", 5724, 1073, 150, profiles.COMMON_BY_BRIDGE),
    _Issued("interoperability", "bridge-2016", 1061, 388, 900, profiles.BRIDGE_BY_INTEROPERABILITY),
    _Issued("root-3", "interoperability", 903, 800, 700, profiles.PLAIN),
    # Dead ends: the other key of a bridge, and issuers without a certificate here
    _Issued("common", "bridge-2016-rekeyed", 904, 60, 1700, profiles.BRIDGE_BY_COMMON),
    _Issued("coalition", "root-3", 28, 612, 1700, profiles.ROOT_BY_COALITION),
    _Issued("unrelated-root", "unrelated-issuing", 905, 900, 1900, profiles.PLAIN),
    # Expired
    _Issued("common", "bridge-2013", 5524, 1684, -588, profiles.BRIDGE_BY_COMMON),
    _Issued("common", "bridge-old", 2004, 2346, -1250, profiles.BRIDGE_BY_COMMON),
    _Issued("bridge-old", "common", 1905, 2346, -1250, profiles.COMMON_BY_BRIDGE),
    _Issued("bridge-old", "interoperability", 4515, 1837, -741, profiles.INTEROPERABILITY_BY_BRIDGE),
    _Issued("bridge-2013", "bridge-old", 6, 1684, -598, profiles.COMMON_BY_BRIDGE),
    _Issued("bridge-2013", "interoperability", 906, 1584, -741, profiles.INTEROPERABILITY_BY_BRIDGE),
    _Issued("interoperability", "bridge-old", 140, 1780, -684, profiles.BRIDGE_BY_INTEROPERABILITY),
    _Issued("interoperability", "bridge-2013", 302, 1507, -411, profiles.BRIDGE_BY_INTEROPERABILITY),
    _Issued("interoperability", "root-3", 907, 2000, -905, profiles.OLDER_ROOT_BY_INTEROPERABILITY),
    _Issued("aces", "bridge-2013", 87042, 1232, -138, profiles.BRIDGE_BY_ACES),
    # Not valid yet
    _Issued("interoperability", "root-3", 908, -400, 1500, profiles.ROOT_BY_INTEROPERABILITY),
)
# The valid paths below the anchor, the longest lasting first; the last two expire together, the newer one is first.
_VALID_PATHS: Final = ((748, 47633, 16194), (655, 47633, 16194), (748, 9644, 11424), (655, 9644, 11424))
_SERVER_SERIAL: Final = 1001


class NamedCrl(NamedTuple):
    """A CRL, DER, and the name of its file."""

    name: str
    der: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """The replica. Make one by :func:`make_replica`; :func:`pkcs12kit.lab.write` writes it as files.

    ``pool`` holds all CA certificates, with the anchor's and those that lead nowhere, in an order that differs from
    replica to replica. ``valid_paths`` are the four valid paths of ``server``, the longest lasting first.
    ``authorities`` are the CAs with their keys, by label (``root-3``), to issue further certificates.
    """

    at: datetime
    server_name: str
    server: Identity
    trust_anchor: Certificate
    issuing_ca: Certificate
    pool: CertificatePool
    crls: tuple[NamedCrl, ...] = field(repr=False)
    valid_paths: tuple[CertificationPath, ...] = field(repr=False)
    authorities: Mapping[str, Authority] = field(repr=False)
    base_url: str = BASE_URL

    def certificate(self, serial_number: int) -> Certificate:
        """Return the CA certificate of the pool with this serial number. Raises :class:`KeyError`."""
        for certificate in self.pool:
            if certificate.serial_number == serial_number:
                return certificate
        raise KeyError(serial_number)

    def issue_server(
        self,
        server_name: str,
        *,
        private_key: CertificateIssuerPrivateKeyTypes | None = None,
        key_type: KeyType = KeyType.EC_P256,
        validity: Validity | None = None,
        serial_number: int | None = None,
        policies: Iterable[str] = (profiles.DOD_MEDIUM_NPE,),
    ) -> Identity:
        """Issue one more server certificate under DOD ID SW CA-37, as :func:`make_replica` does, for 396 days."""
        return _issue_server(
            self.authorities["issuing-37"],
            server_name,
            private_key=private_key or key_type.generate(),
            validity=validity or _validity_of_servers(self.at),
            serial_number=serial_number,
            policies=policies,
            base_url=self.base_url,
        )

    def revoke(
        self,
        *certificates: Certificate,
        date: datetime | None = None,
        reason: x509.ReasonFlags | None = x509.ReasonFlags.key_compromise,
    ) -> Replica:
        """Return the replica with CRLs that also list these certificates.

        ``date`` is the revocation date, by default an hour before ``at``.

        Raises :class:`ValueError` for a certificate that no authority of the replica issued.
        """
        since = require_aware(date or self.at - timedelta(hours=1))
        revoked: dict[str, list[CrlEntry]] = {}
        for certificate in certificates:
            entry = CrlEntry(serial_number=certificate.serial_number, date=since, reason=reason)
            revoked.setdefault(self._issuer_of(certificate), []).append(entry)
        return replace(self, crls=_crls(self.authorities, self.at, revoked))

    def published(self) -> dict[str, bytes]:
        """Return the contents of the URLs in the certificates, by path: ``/issuedto/...``.

        For each CA these are the certificates issued to it, with its self-signed one, those that it issued to CAs
        (PKCS#7, DER), and its CRL. There is no OCSP response and no empty PKCS#7: some URLs have no content, as in the
        real PKI.
        """
        prefix = urlsplit(self.base_url).path
        published = {f"{prefix}/{_SITES[label].crl}": crl.der for label, crl in zip(_SITES, self.crls, strict=True)}
        for label, site in _SITES.items():
            edges = {
                site.issued_to: [edge for edge in (*_SELF_SIGNED, *_CROSS, *_TRAPS) if edge.subject == label],
                site.issued_by: [edge for edge in (*_CROSS, *_TRAPS) if edge.issuer == label],
            }
            for path, listed in edges.items():
                certificates = [self.certificate(edge.serial_number).as_cryptography for edge in listed]
                if certificates:
                    published[f"{prefix}/{path}"] = pkcs7.serialize_certificates(certificates, Encoding.DER)
        return published

    def _issuer_of(self, certificate: Certificate) -> str:
        for label, authority in self.authorities.items():
            try:
                certificate.as_cryptography.verify_directly_issued_by(authority.certificate.as_cryptography)
            except (ValueError, TypeError, InvalidSignature):
                continue
            return label
        raise ArgumentError(f"no authority of this replica issued the certificate of {certificate.subject}")


def make_replica(
    at: datetime | None = None,
    *,
    server_name: str = "mdm.example.mil",
    key_type: KeyType = KeyType.RSA_2048,
    base_url: str = BASE_URL,
) -> Replica:
    """Return a replica whose four paths are valid at ``at`` (timezone-aware; by default now) and for 150 days more.

    Only the keys and signatures are random. ``server_name`` is a DNS name or an IP address. The real CAs have RSA keys,
    which take about half a second here; :attr:`KeyType.EC_P256` is faster. ``base_url`` is the base of the URLs of
    CRLs, repositories and OCSP.
    """
    instant = require_aware(at or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    base = base_url.rstrip("/")
    authorities = _make_authorities(instant, key_type, base)
    issued = {edge.serial_number: _issue(edge, authorities, instant, base) for edge in (*_CROSS, *_TRAPS)}
    server = _issue_server(
        authorities["issuing-37"],
        server_name,
        private_key=key_type.generate(),
        validity=_validity_of_servers(instant),
        serial_number=_SERVER_SERIAL,
        policies=(profiles.DOD_MEDIUM_NPE,),
        base_url=base,
    )
    self_signed = (authorities[edge.subject].certificate for edge in _SELF_SIGNED)
    pool = sorted((*self_signed, *issued.values()), key=lambda certificate: certificate.sha256)
    anchor = TrustAnchor.from_certificate(authorities["common"].certificate)
    return Replica(
        at=instant,
        server_name=server_name,
        server=server,
        trust_anchor=authorities["common"].certificate,
        issuing_ca=issued[18],
        pool=CertificatePool(pool),
        crls=_crls(authorities, instant, {}),
        valid_paths=tuple(
            CertificationPath(
                certificates=(server.certificate, issued[18], *(issued[serial] for serial in serials)),
                trust_anchor=anchor,
            )
            for serials in _VALID_PATHS
        ),
        authorities=authorities,
        base_url=base,
    )


def _make_authorities(instant: datetime, key_type: KeyType, base_url: str) -> dict[str, Authority]:
    self_signed = {edge.subject: edge for edge in _SELF_SIGNED}
    authorities = {}
    for label, site in _SITES.items():
        edge = self_signed.get(label) or _Issued(label, label, 900, 2740, 3650, profiles.PLAIN)
        key = key_type.generate()
        authorities[label] = Authority.create(
            profiles.replica_name(*site.units, common_name=site.common_name),
            private_key=key,
            validity=_validity(edge, instant),
            serial_number=edge.serial_number,
            extensions=profiles.ca_extensions(
                edge.profile, subject_key=key.public_key(), subject_locations=site.locations(base_url)
            ),
        )
    return authorities


def _issue(edge: _Issued, authorities: Mapping[str, Authority], instant: datetime, base_url: str) -> Certificate:
    issuer, subject = authorities[edge.issuer], authorities[edge.subject]
    public_key = subject.private_key.public_key()
    return issuer.issue(
        subject.name,
        public_key,
        validity=_validity(edge, instant),
        serial_number=edge.serial_number,
        extensions=profiles.ca_extensions(
            edge.profile,
            subject_key=public_key,
            subject_locations=_SITES[edge.subject].locations(base_url),
            issuer_key=issuer.private_key.public_key(),
            issuer_locations=_SITES[edge.issuer].locations(base_url),
        ),
    )


def _issue_server(
    issuer: Authority,
    server_name: str,
    *,
    private_key: CertificateIssuerPrivateKeyTypes,
    validity: Validity,
    serial_number: int | None,
    policies: Iterable[str],
    base_url: str,
) -> Identity:
    stated = tuple(policies)
    return issuer.issue_server(
        server_name,
        subject=profiles.replica_name("DoD", "PKI", common_name=server_name),
        private_key=private_key,
        validity=validity,
        serial_number=serial_number,
        extensions=(
            *((ext.non_critical(ext.certificate_policies(*stated)),) if stated else ()),
            *profiles.location_extensions(_SITES["issuing-37"].locations(base_url)),
        ),
    )


def _validity_of_servers(instant: datetime) -> Validity:
    """Return a validity below the 398 days that browsers and phones accept under the roots that they ship."""
    return Validity.around(instant, days_before=1, days_after=395)


def _validity(edge: _Issued, instant: datetime) -> Validity:
    return Validity.around(instant, days_before=edge.days_before, days_after=edge.days_after)


def _crls(
    authorities: Mapping[str, Authority], instant: datetime, revoked: Mapping[str, Iterable[CrlEntry]]
) -> tuple[NamedCrl, ...]:
    """Return a CRL of each authority, valid for a year; that of DoD Root CA 3 also lists a CA outside the pool."""
    unrelated = CrlEntry(
        serial_number=17, date=instant - timedelta(days=100), reason=x509.ReasonFlags.cessation_of_operation
    )
    validity = Validity.around(instant, days_before=1, days_after=365)
    return tuple(
        NamedCrl(
            _SITES[label].crl.rpartition("/")[2],
            authority.make_crl(
                validity=validity,
                revoked=(*((unrelated,) if label == "root-3" else ()), *revoked.get(label, ())),
            ),
        )
        for label, authority in authorities.items()
    )
