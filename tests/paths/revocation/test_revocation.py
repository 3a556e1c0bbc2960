"""Revocation by CRLs and OCSP responses that are given (RFC 5280 section 6.3, RFC 6960).

Full, delta and indirect CRLs, distribution points and reason codes are shown by PKITS 4.4, 4.14 and 4.15.
"""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from pkcs12kit import lab
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import FailureReason, InputError, LimitExceededError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.revocation import Revocation, RevocationMode, RevocationStatus, check_revocation
from pkcs12kit.paths.search import find_path, find_paths
from pkcs12kit.paths.validation.algorithms import ALLOW_ALL
from pkcs12kit.paths.validation.parameters import ValidationParameters

NOW = datetime.now(UTC).replace(microsecond=0)
A_WEEK_AGO = NOW - timedelta(days=7)
TOMORROW = NOW + timedelta(days=1)
GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN


@dataclasses.dataclass(frozen=True)
class Pki:
    """Server <- Issuing <- Root, and what signs CRLs and OCSP responses."""

    root: lab.Authority
    issuing: lab.Authority
    path: CertificationPath

    @property
    def server(self):
        """The end entity's certificate."""
        return self.path.certificates[0]

    def check(self, *, mode=RevocationMode.REQUIRE, time=NOW, crls=(), ocsp_responses=(), **others):
        """Check the path."""
        revocation = Revocation(mode=mode, crls=crls, ocsp_responses=ocsp_responses)
        return check_revocation(self.path, time=time, revocation=revocation, **others)

    def crls(self, **issuing):
        """Make the root's CRL, which is empty, and the issuing CA's."""
        return [self.root.make_crl(), self.issuing.make_crl(**issuing)]

    def revoke_server(self, reason=x509.ReasonFlags.key_compromise, date=A_WEEK_AGO):
        """Make the entry that revokes the server's certificate."""
        return [lab.CrlEntry(serial_number=self.server.serial_number, date=date, reason=reason)]

    def respond(self, *, responder=None, status=ocsp.OCSPCertStatus.GOOD, issued=NOW, **revoked):
        """Sign an OCSP response about the server's certificate, by its issuer unless a responder is given."""
        certificate, key = responder or (self.issuing_certificate, self.issuing.private_key)
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=self.server.as_cryptography,
            issuer=self.issuing_certificate.as_cryptography,
            algorithm=hashes.SHA256(),
            cert_status=status,
            this_update=issued,
            next_update=issued + timedelta(days=7),
            revocation_time=revoked.get("date"),
            revocation_reason=revoked.get("reason"),
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, certificate.as_cryptography)
        builder = builder.certificates([certificate.as_cryptography])
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)

    def delegate(self, *, purpose=ExtendedKeyUsageOID.OCSP_SIGNING, by=None):
        """Issue an OCSP responder's certificate, its own status not to be checked (RFC 6960 section 4.2.2.2.1)."""
        key = ec.generate_private_key(ec.SECP256R1())
        extensions = [
            lab.non_critical(x509.ExtendedKeyUsage([purpose])),
            lab.non_critical(x509.OCSPNoCheck()),
            lab.non_critical(x509.SubjectKeyIdentifier.from_public_key(key.public_key())),
        ]
        return (by or self.issuing).issue("Responder", key.public_key(), extensions=extensions), key

    @property
    def issuing_certificate(self):
        """The issuing CA's certificate in the path."""
        return self.path.certificates[1]


@pytest.fixture(scope="module")
def pki():
    """Two CAs and a server."""
    root, issuing = lab.Authority.create("Root"), lab.Authority.create("Issuing")
    server = issuing.issue_server("server.example").certificate
    path = CertificationPath(
        certificates=(server, root.issue_ca(issuing)), trust_anchor=TrustAnchor.from_certificate(root.certificate)
    )
    return Pki(root, issuing, path)


def test_good_by_crls(pki):
    """Each certificate below the anchor is good where its issuer's current CRL does not list it (6.3.3)."""
    report = pki.check(crls=pki.crls())
    assert [(status.certificate, status.status) for status in report.statuses] == [
        (certificate, GOOD) for certificate in pki.path.certificates
    ]
    assert report.failure is None
    assert report.warnings == ()


@pytest.mark.parametrize(
    ("flag", "reason"),
    [
        (x509.ReasonFlags.key_compromise, "keyCompromise"),
        (x509.ReasonFlags.ca_compromise, "cACompromise"),
        (x509.ReasonFlags.certificate_hold, "certificateHold"),
        (x509.ReasonFlags.privilege_withdrawn, "privilegeWithdrawn"),
        (None, "unspecified"),
    ],
)
def test_a_revoked_certificate_names_itself_the_date_and_the_reason(pki, flag, reason):
    """RFC 5280 section 5.3.1: the reason code, ``unspecified`` where the entry has none."""
    failure = pki.check(crls=pki.crls(revoked=pki.revoke_server(flag))).failure
    assert failure.reason is FailureReason.REVOKED
    assert failure.certificate == pki.server
    assert f"{A_WEEK_AGO:%Y-%m-%dT%H:%M:%SZ}" in failure.detail
    assert reason in failure.detail
    assert "CN=server.example" in str(failure)
    status = pki.check(crls=pki.crls(revoked=pki.revoke_server(flag))).statuses[0]
    assert (status.revoked_at, status.reason) == (A_WEEK_AGO, reason)


def test_revoked_fails_in_soft_mode_too(pki):
    """Only the unknown is forgiven."""
    report = pki.check(mode=RevocationMode.SOFT, crls=pki.crls(revoked=pki.revoke_server()))
    assert report.failure.reason is FailureReason.REVOKED


def test_unknown_is_a_warning_in_soft_mode_and_a_no_where_required(pki):
    """Without the issuing CA's CRL the server's status is unknown; the CA's own is good."""
    crls = [pki.root.make_crl()]
    soft = pki.check(mode=RevocationMode.SOFT, crls=crls)
    assert soft.failure is None
    [warning] = soft.warnings
    assert "CN=server.example" in warning
    required = pki.check(crls=crls)
    assert required.failure.reason is FailureReason.REVOCATION_UNKNOWN
    assert required.failure.certificate == pki.server
    assert required.warnings == ()


def test_a_cas_unknown_status_does_not_silence_its_crl(pki):
    """In soft mode the CA's status may stay unknown; that the CA revoked the server still counts."""
    report = pki.check(mode=RevocationMode.SOFT, crls=pki.crls(revoked=pki.revoke_server())[1:])
    assert [status.status for status in report.statuses] == [REVOKED, UNKNOWN]
    assert report.failure.certificate == pki.server


def test_off_checks_nothing(pki):
    """Not even what would be revoked."""
    report = pki.check(mode=RevocationMode.OFF, crls=pki.crls(revoked=pki.revoke_server()))
    assert report.statuses == ()
    assert report.failure is None


def test_a_revoked_ca_is_the_reason_and_what_is_below_is_not_checked(pki):
    """A CRL of a revoked CA proves nothing: its certificates' status is unknown, and the CA is what fails."""
    entry = lab.CrlEntry(serial_number=pki.issuing_certificate.serial_number, date=A_WEEK_AGO)
    report = pki.check(crls=[pki.root.make_crl(revoked=[entry]), pki.issuing.make_crl()])
    assert [status.status for status in report.statuses] == [UNKNOWN, REVOKED]
    assert report.failure.certificate == pki.issuing_certificate


def test_revoked_later_is_not_revoked_yet(pki):
    """The question is about a time: an entry whose date lies after it says nothing against the certificate then."""
    crls = pki.crls(revoked=pki.revoke_server(date=NOW + timedelta(hours=1)))
    assert pki.check(crls=crls).failure is None
    assert pki.check(crls=crls, time=TOMORROW).failure.reason is FailureReason.REVOKED


@pytest.mark.parametrize("days", [-30, 30])
def test_a_crl_of_another_time_says_nothing(pki, days):
    """RFC 5280 section 6.3.3: current is between thisUpdate and nextUpdate."""
    around = NOW + timedelta(days=days)
    crls = pki.crls(validity=lab.Validity(around - timedelta(days=1), around + timedelta(days=1)))
    assert pki.check(crls=crls).failure.reason is FailureReason.REVOCATION_UNKNOWN


def test_a_crl_signed_by_someone_else_says_nothing(pki):
    """Neither that a certificate is good nor that it is revoked (6.3.3 (g))."""
    impostor = lab.Authority.create("Issuing")
    for revoked in ([], pki.revoke_server()):
        crls = [pki.root.make_crl(), impostor.make_crl(revoked=revoked)]
        assert pki.check(crls=crls).failure.reason is FailureReason.REVOCATION_UNKNOWN


def test_the_crl_issuers_certificate_is_found_in_the_pool(pki):
    """RFC 5280 section 6.3.3 (f): a CA may sign CRLs with a key of its own, certified by the CA above."""
    key = ec.generate_private_key(ec.SECP256R1())
    extensions = [
        lab.critical(lab.key_usage("crl_sign")),
        lab.non_critical(x509.SubjectKeyIdentifier.from_public_key(key.public_key())),
    ]
    certificate = pki.root.issue(pki.issuing.name, key.public_key(), extensions=extensions)
    crls = [pki.root.make_crl(), dataclasses.replace(pki.issuing, private_key=key).make_crl()]
    assert pki.check(crls=crls).failure.reason is FailureReason.REVOCATION_UNKNOWN
    assert pki.check(crls=crls, pool=CertificatePool([certificate])).failure is None


def test_weak_crl_signatures_are_refused_by_the_algorithm_policy():
    """A CRL that anyone could forge proves nothing: P-192 is below the default policy's curves."""
    weak = lab.Authority.create("Weak", private_key=ec.generate_private_key(ec.SECP192R1()))
    server = weak.issue_server("server.example").certificate
    path = CertificationPath(certificates=(server,), trust_anchor=TrustAnchor.from_certificate(weak.certificate))
    revocation = Revocation(mode=RevocationMode.REQUIRE, crls=[weak.make_crl()])
    failure = check_revocation(path, time=NOW, revocation=revocation).failure
    assert failure.reason is FailureReason.REVOCATION_UNKNOWN
    assert check_revocation(path, time=NOW, revocation=revocation, algorithm_policy=ALLOW_ALL).failure is None


def test_an_anchor_without_certificate(pki):
    """A trust anchor is a name and a key (RFC 5280 section 6.1.1 (d)); its CRL is checked with that key."""
    anchor = dataclasses.replace(pki.path.trust_anchor, certificate=None, constraints=None)
    path = CertificationPath(certificates=pki.path.certificates, trust_anchor=anchor)
    revocation = Revocation(mode=RevocationMode.REQUIRE, crls=pki.crls())
    statuses = check_revocation(path, time=NOW, revocation=revocation).statuses
    assert [status.status for status in statuses] == [GOOD, GOOD]


def test_good_by_the_issuers_ocsp_response(pki):
    """RFC 6960 section 4.2.2.2: the CA that issued the certificate may sign the response itself."""
    report = pki.check(crls=[pki.root.make_crl()], ocsp_responses=[pki.respond()])
    assert report.failure is None
    assert "OCSP" in report.statuses[0].detail


def test_revoked_by_ocsp(pki):
    """The response's time and reason are the failure's."""
    response = pki.respond(status=ocsp.OCSPCertStatus.REVOKED, date=A_WEEK_AGO, reason=x509.ReasonFlags.superseded)
    status = pki.check(ocsp_responses=[response], crls=[pki.root.make_crl()]).statuses[0]
    assert (status.status, status.revoked_at, status.reason) == (REVOKED, A_WEEK_AGO, "superseded")


def test_one_source_that_says_revoked_settles_it(pki):
    """A good OCSP response does not outweigh a CRL that lists the certificate."""
    crls = pki.crls(revoked=pki.revoke_server())
    assert pki.check(crls=crls, ocsp_responses=[pki.respond()]).failure.reason is FailureReason.REVOKED


def test_a_delegated_responder(pki):
    """RFC 6960 section 4.2.2.2: issued by the certificate's issuer itself, for OCSP signing."""
    crls = [pki.root.make_crl()]
    assert pki.check(crls=crls, ocsp_responses=[pki.respond(responder=pki.delegate())]).failure is None
    for responder in (
        pki.delegate(purpose=ExtendedKeyUsageOID.SERVER_AUTH),
        pki.delegate(by=pki.root),
        pki.delegate(by=lab.Authority.create("Issuing")),
    ):
        report = pki.check(crls=crls, ocsp_responses=[pki.respond(responder=responder)])
        assert report.failure.reason is FailureReason.REVOCATION_UNKNOWN


@pytest.mark.parametrize("days", [-30, 30])
def test_an_ocsp_response_of_another_time_says_nothing(pki, days):
    """RFC 6960 section 4.2.2.1: current is between thisUpdate and nextUpdate."""
    response = pki.respond(issued=NOW + timedelta(days=days))
    report = pki.check(crls=[pki.root.make_crl()], ocsp_responses=[response])
    assert report.failure.reason is FailureReason.REVOCATION_UNKNOWN


def test_a_responder_that_cannot_answer_is_no_information(pki):
    """RFC 6960 section 2.3: tryLater and the like carry no status, and are no malformed input."""
    response = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    report = pki.check(crls=pki.crls(), ocsp_responses=[response.public_bytes(Encoding.DER)])
    assert report.failure is None


def test_within_a_running_event_loop(pki):
    """A notebook runs an event loop of its own."""

    async def cell():
        return pki.check(crls=pki.crls())

    assert asyncio.run(cell()).failure is None


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x00" * 64, b"-----BEGIN X509 CRL-----"])
@pytest.mark.parametrize("kind", ["crls", "ocsp_responses"])
def test_what_is_no_crl_and_no_ocsp_response_is_refused(pki, kind, data):
    """Input that cannot be read is an error, not an unknown status."""
    with pytest.raises(InputError):
        pki.check(**{kind: [data]})


def test_a_certificate_is_no_crl(pki):
    """... nor the other way round."""
    with pytest.raises(InputError):
        pki.check(crls=[pki.server.der])
    with pytest.raises(InputError):
        pki.check(ocsp_responses=pki.crls())


def test_limits(pki):
    """Too many objects, too many bytes, or too many certificates of CRL issuers: none is worked through."""
    crls = pki.crls()
    for limit in ("revocation_objects", "revocation_bytes"):
        with pytest.raises(LimitExceededError, match=limit):
            pki.check(crls=crls, limits=dataclasses.replace(DEFAULT_LIMITS, **{limit: 1}))
    pool = CertificatePool(pki.root.issue_ca(pki.issuing) for _ in range(3))
    with pytest.raises(LimitExceededError, match="revocation_issuers"):
        pki.check(crls=crls, pool=pool, limits=dataclasses.replace(DEFAULT_LIMITS, revocation_issuers=2))
    report = pki.check(crls=crls, limits=dataclasses.replace(DEFAULT_LIMITS, revocation_lookups=1))
    assert [status.status for status in report.statuses] == [UNKNOWN, GOOD]


def test_misuse(pki):
    """One CRL instead of several, and a time without time zone."""
    with pytest.raises(TypeError):
        Revocation(mode=RevocationMode.SOFT, crls=pki.crls()[0])
    with pytest.raises(ValueError, match="time zone"):
        pki.check(time=datetime(2024, 1, 1))  # noqa: DTZ001  # what is tested


def test_a_mode_by_its_value_is_that_mode():
    """``"require"`` is REQUIRE, and an unknown mode is an error: a typing error never turns the check off."""
    assert Revocation(mode="require").mode is RevocationMode.REQUIRE
    with pytest.raises(ValueError, match="requires"):
        Revocation(mode="requires")


@pytest.mark.parametrize("anchors", [["TA"], ["TA", "TB"], ["TA", "TA", "TC"]])
def test_an_unknown_status_is_asked_once_a_link_and_anchor(anchors):
    """A mesh of 16 without any CRL: the answer does not wait for every path (RFC 5280 section 6.3.3 (f))."""
    labels = [f"C{number}" for number in range(16)]
    pairs = [f"{one}<{other}" for one in labels for other in labels if one != other]
    topology = lab.Topology.from_edges("EE<C0", "C15<TA", "C14<TB", "X<TC", *pairs, validity=lab.Validity.around(NOW))
    report = find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor(label) for label in anchors],
        parameters=ValidationParameters(time=NOW),
        revocation=Revocation(mode=RevocationMode.REQUIRE),
        limits=dataclasses.replace(DEFAULT_LIMITS, candidate_paths=20),
    )
    assert (report.valid, report.incomplete) == ((), None)
    assert {attempt.reason for attempt in report.rejected} >= {FailureReason.REVOCATION_UNKNOWN}


@pytest.mark.parametrize("refused", ["revoked", "unknown"])
def test_a_mesh_is_entered_another_way_where_the_best_is_refused(refused):
    """TA and TB certify two CAs of a mesh, TA for longer: a revoked link is not tried below every path of the mesh.

    RFC 4158 section 3.3: 'revoked' certificates are eliminated; the bounds of what is left are those of the other way.
    """
    labels = [f"C{number}" for number in range(8)]
    pairs = [f"{one}<{other}" for one in labels for other in labels if one != other]
    topology = lab.Topology.from_edges(
        "EE<C0",
        "C7<TA",
        lab.Edge(subject="C6", issuer="TB", validity=lab.Validity.around(NOW, days_after=20)),
        *pairs,
        validity=lab.Validity.around(NOW),
    )
    current = lab.Validity.around(NOW, days_before=1, days_after=9)
    entry = lab.CrlEntry(serial_number=topology.certificate("C7", "TA").serial_number, date=NOW - timedelta(days=30))
    crls = [topology.authorities[label].make_crl(validity=current) for label in [*labels, "TB"]]
    if refused == "revoked":
        crls.append(topology.authorities["TA"].make_crl(validity=current, revoked=[entry]))
    path = find_path(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor(label) for label in ("TA", "TB")],
        parameters=ValidationParameters(time=NOW),
        revocation=Revocation(mode=RevocationMode.REQUIRE, crls=crls),
        limits=dataclasses.replace(DEFAULT_LIMITS, discovery_steps=10_000),
    )
    assert topology.draw(path) == "EE<C0<C6<TB"


def test_a_link_of_unknown_status_is_not_looked_up_again_under_the_same_anchor():
    """No CRL of EE's issuer, two anchors above a mesh of 10: for each anchor it is looked up once."""
    labels = [f"C{number}" for number in range(10)]
    pairs = [f"{one}<{other}" for one in labels for other in labels if one != other]
    sooner = lab.Edge(subject="C8", issuer="TB", validity=lab.Validity.around(NOW, days_after=20))
    topology = lab.Topology.from_edges("EE<C0", "C9<TA", sooner, *pairs, validity=lab.Validity.around(NOW))
    crls = [topology.authorities[label].make_crl() for label in (*labels[1:], "TA", "TB")]
    report = find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor(label) for label in ("TA", "TB")],
        parameters=ValidationParameters(time=NOW),
        revocation=Revocation(mode=RevocationMode.REQUIRE, crls=crls),
        limits=dataclasses.replace(DEFAULT_LIMITS, candidate_paths=100),
    )
    assert report.valid == ()
    assert "candidate_paths" in report.incomplete
    unknown = [attempt for attempt in report.rejected if attempt.reason is FailureReason.REVOCATION_UNKNOWN]
    assert [attempt.walks for attempt in unknown] == [1]


def test_an_iterator_is_read_once(pki):
    """Collections are made concrete: a generator can be checked twice."""
    revocation = Revocation(mode=RevocationMode.REQUIRE, crls=(crl for crl in pki.crls()))
    for _ in range(2):
        assert check_revocation(pki.path, time=NOW, revocation=revocation).failure is None


def indirect_crl(signer, key, *, begins, ends):
    """Sign a CRL for certificates of other issuers too, with a validity in days from now."""
    scope = x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=True,
        only_contains_attribute_certs=False,
    )
    validity = lab.Validity(NOW + timedelta(days=begins), NOW + timedelta(days=ends))
    return dataclasses.replace(signer, private_key=key).make_crl(validity=validity, extensions=[lab.critical(scope)])


def test_no_crl_is_used_unsigned_even_where_its_issuer_is_looked_up_in_itself(pki):
    """6.3.3 (g), where a CRL issuer's own status is in its own CRL, as in PKITS 4.14.30.

    The genuine CRL is out of date; a forged one, older but with a later nextUpdate, must not stand in for it.
    """
    signer = lab.Authority.create("CRL Issuer", validity=lab.Validity.around())
    point = x509.DistributionPoint(
        full_name=None, relative_name=None, reasons=None, crl_issuer=[x509.DirectoryName(signer.name)]
    )
    points = lab.non_critical(x509.CRLDistributionPoints([point]))
    key = signer.private_key.public_key()
    signer_extensions = [
        lab.critical(lab.key_usage("crl_sign")),
        lab.non_critical(x509.SubjectKeyIdentifier.from_public_key(key)),
        points,
    ]
    pool = CertificatePool([pki.issuing.issue(signer.name, key, extensions=signer_extensions)])
    server = pki.issuing.issue_server("server.example", extensions=[points]).certificate
    path = CertificationPath(certificates=(server, pki.issuing_certificate), trust_anchor=pki.path.trust_anchor)

    def status(*crls):
        revocation = Revocation(mode=RevocationMode.REQUIRE, crls=[pki.root.make_crl(), *crls])
        return check_revocation(path, time=NOW, revocation=revocation, pool=pool).statuses[0].status

    genuine = signer.private_key
    forger = ec.generate_private_key(ec.SECP256R1())
    stale = indirect_crl(signer, genuine, begins=-10, ends=-5)
    assert status(indirect_crl(signer, genuine, begins=-10, ends=5)) is GOOD
    assert status(stale, indirect_crl(signer, forger, begins=-20, ends=5)) is UNKNOWN


def test_a_ca_does_not_vouch_for_itself_by_a_crl_issuer_below_it(pki):
    """6.3.3 (f): the holder of a revoked CA's key can certify a CRL issuer of any name, and sign a CRL with that.

    The path of such an issuer leads through the very certificate whose status is asked for, and proves nothing.
    """
    impostor = lab.Authority.create("Root")
    key = impostor.private_key.public_key()
    extensions = [
        lab.critical(lab.key_usage("crl_sign")),
        lab.non_critical(x509.SubjectKeyIdentifier.from_public_key(key)),
    ]
    below = pki.issuing.issue(pki.root.name, key, extensions=extensions)
    pool = CertificatePool([below, *pki.path.certificates])
    statuses = pki.check(crls=[impostor.make_crl(), pki.issuing.make_crl()], pool=pool).statuses
    assert statuses[1].status is UNKNOWN
    assert "is not known to be good" in statuses[1].detail
    # The same issuer, certified by the trust anchor itself and with a status of its own, may speak.
    beside = pki.root.issue(pki.root.name, key, extensions=extensions)
    pool = CertificatePool([beside, *pki.path.certificates])
    statuses = pki.check(crls=[impostor.make_crl(), pki.root.make_crl(), pki.issuing.make_crl()], pool=pool).statuses
    assert statuses[1].status is GOOD


def test_the_issuers_own_crl_only_revokes_where_another_is_named(pki):
    """A certificate whose distribution points all name another CRL issuer is not good by its own issuer's CRL."""
    point = x509.DistributionPoint(None, None, None, [x509.DirectoryName(lab.authority.as_name("CRL Issuer"))])
    points = lab.non_critical(x509.CRLDistributionPoints([point]))
    server = pki.issuing.issue_server("server.example", extensions=[points]).certificate
    path = CertificationPath(certificates=(server, pki.issuing_certificate), trust_anchor=pki.path.trust_anchor)

    def status(*entries):
        crls = [pki.root.make_crl(), pki.issuing.make_crl(revoked=entries)]
        return check_revocation(path, time=NOW, revocation=Revocation(mode="require", crls=crls)).statuses[0]

    assert status().status is UNKNOWN
    assert "can only revoke" in status().detail
    assert status(lab.CrlEntry(serial_number=server.serial_number, date=A_WEEK_AGO)).status is REVOKED


def test_data_without_next_update_counts_for_a_while(pki):
    """RFC 5280 section 5.1.2.5 and RFC 6960 section 4.2.2.1: how old it may be is ``max_age``, counted inclusively."""
    response = ocsp.load_der_ocsp_response(pki.respond(issued=A_WEEK_AGO))
    undated = asn1_ocsp.OCSPResponse.load(response.public_bytes(Encoding.DER))
    basic = undated["response_bytes"]["response"].parsed
    del basic["tbs_response_data"]["responses"][0]["next_update"]
    content = basic["tbs_response_data"].dump(force=True)
    basic["signature"] = pki.issuing.private_key.sign(content, ec.ECDSA(hashes.SHA256()))
    undated["response_bytes"]["response"] = basic
    data = undated.dump(force=True)

    def status(**age):
        revocation = Revocation(mode="require", crls=[pki.root.make_crl()], ocsp_responses=[data], **age)
        return check_revocation(pki.path, time=NOW, revocation=revocation).statuses[0]

    assert status().status is GOOD
    too_old = status(max_age=timedelta(days=7) - timedelta(seconds=1))
    assert too_old.status is UNKNOWN
    assert "no nextUpdate" in too_old.detail
    with pytest.raises(ValueError, match="max_age"):
        Revocation(mode="soft", max_age=timedelta(seconds=-1))


@pytest.mark.parametrize("allowed", [3, 50])
def test_a_search_checks_the_revocation_of_so_many_paths(allowed):
    """limits.revocation_paths: a CA that certifies a mesh of others makes as many valid paths as it likes."""
    labels = [f"C{number}" for number in range(6)]
    pairs = [f"{one}<{other}" for one in labels for other in labels if one != other]
    topology = lab.Topology.from_edges("EE<C0", "C5<TA", *pairs, validity=lab.Validity.around(NOW))
    crls = [topology.authorities[label].make_crl() for label in (*labels[:5], "TA")]  # none of C5
    report = find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=ValidationParameters(time=NOW),
        revocation=Revocation(mode=RevocationMode.REQUIRE, crls=crls),
        limits=dataclasses.replace(DEFAULT_LIMITS, revocation_paths=allowed),
    )
    assert report.valid == ()
    assert ("revocation_paths" in (report.incomplete or "")) is (allowed == 3)
    assert {attempt.reason for attempt in report.rejected} >= {FailureReason.REVOCATION_UNKNOWN}
