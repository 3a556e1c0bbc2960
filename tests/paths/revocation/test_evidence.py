"""The explanation of an unknown status: each set-up has its own fault of the closed list, with times and URLs."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto.core import ObjectIdentifier
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from pkcs12kit import DEFAULT_LIMITS, lab
from pkcs12kit.certificates.lenient import contents_of, split
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.paths.search import find_paths
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.revocation import EvidenceFault, Revocation
from pkcs12kit.times import format_time

from ...der import sequence
from .world import A_WEEK_AGO, INDIRECT, NOW, World, changed, crl_issuers, respond

DAY = timedelta(days=1)
URLS = {"crls": ["http://crl.example/ca.crl"], "delta_crls": [], "ocsp_responders": ["http://ocsp.example"]}
EXPIRED = lab.Validity(NOW - 9 * DAY, NOW - 2 * DAY)
FUTURE = lab.Validity(NOW + DAY, NOW + 8 * DAY)
SLH_DSA = "2.16.840.1.101.3.4.3.20"
RESPONDER = ec.generate_private_key(ec.SECP256R1())


def scope(**limits):
    """An issuingDistributionPoint with these limits."""
    fields = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return lab.critical(x509.IssuingDistributionPoint(**fields | limits))


def delegate(
    authority, *, key=RESPONDER, usages=(ExtendedKeyUsageOID.OCSP_SIGNING,), extensions=(), nocheck=True, **others
):
    """Issue a responder's certificate."""
    own = [lab.non_critical(x509.ExtendedKeyUsage(usages))] if usages else []
    own += [lab.non_critical(x509.OCSPNoCheck())] if nocheck else []
    return authority.issue("Responder", key.public_key(), extensions=[*own, *extensions], **others)


class Scene(World):
    """The world of these tests: the server names where its CRL and its OCSP responder are."""

    def __init__(self):
        super().__init__()
        access = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(URLS["ocsp_responders"][0])
        )
        locations = [
            lab.non_critical(lab.extensions.crl_distribution_points(URLS["crls"][0])),
            lab.non_critical(x509.AuthorityInformationAccess([access])),
        ]
        self.server = self.issuing.issue_server("server.example", extensions=locations, serial_number=4711).certificate
        self.namesake = lab.Authority.create("Issuing")
        self.old_key = dataclasses.replace(self.issuing, private_key=self.namesake.private_key)

    def explain(self, *, crls=(), responses=(), pool=(), mode="require", target=None, limits=DEFAULT_LIMITS, **others):
        """Return the first failure, in JSON, of the search for a path of the server."""
        revocation = Revocation(mode=mode, crls=[self.root_crl, *crls], ocsp_responses=responses, **others)
        report = find_paths(
            target or self.server,
            pool=CertificatePool([self.ca, *pool]),
            trust_anchors=[self.anchor],
            parameters=ValidationParameters(time=NOW),
            revocation=revocation,
            limits=limits,
        ).to_json()
        if report["paths"]:
            [status] = [one for one in report["paths"][0]["revocation"]["statuses"] if one["status"] != "good"]
            return status
        return report["rejected"][0]["failures"][0]

    def delegated(self, certificate, **others):
        """Return a response that the responder signed and that brings its certificate."""
        given = {"key": RESPONDER, "responder": certificate, "certificates": [certificate]} | others
        return respond(self.server, self.ca, **given)

    def answering(self, change):
        """Return the CA's response with its first answer changed, signed again."""

        def change_first(basic):
            change(basic["tbs_response_data"]["responses"][0])

        return changed(self.respond(), change_first, key=self.issuing.private_key)


@pytest.fixture(scope="module")
def world():
    """One PKI for all tests."""
    return Scene()


def error(status):
    """Return the response with which a responder refuses to answer."""
    return asn1_ocsp.OCSPResponse({"response_status": status}).dump()


def aged(answer, *, this_update=NOW - 8 * DAY, next_update=None):
    """Change the times of an answer."""
    answer["this_update"] = this_update
    if next_update is None:
        del answer["next_update"]
    else:
        answer["next_update"] = next_update


def unchanged(basic):
    """Change nothing, so that only the signature is new."""


def with_slh_dsa(basic):
    """Name an algorithm of RFC 9909 section 3, which cannot be checked."""
    basic["signature_algorithm"] = {"algorithm": SLH_DSA}


def of_slh_dsa(crl):
    """Return a CRL that names this algorithm in both places."""
    tbs, _, signature = split(contents_of(crl))
    version, _, *rest = split(contents_of(tbs))
    algorithm = sequence(ObjectIdentifier(SLH_DSA).dump())
    return sequence(sequence(version, algorithm, *rest), algorithm, signature)


def with_weak_hash(basic):
    """Name MD5 as the hash of the certID."""
    basic["tbs_response_data"]["responses"][0]["cert_id"]["hash_algorithm"] = {"algorithm": "md5"}


def with_critical(value):
    """An unknown extension, critical."""
    return lab.critical(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), value))


F = EvidenceFault
CRLS = {
    "expired": (lambda w: w.issuing.make_crl(validity=EXPIRED), F.OUT_OF_DATE),
    "from the future": (lambda w: w.issuing.make_crl(validity=FUTURE), F.ISSUED_LATER),
    "for CA certificates": (
        lambda w: w.issuing.make_crl(extensions=[scope(only_contains_ca_certs=True)]),
        F.OTHER_CERTIFICATES,
    ),
    "for attribute certificates": (
        lambda w: w.issuing.make_crl(extensions=[scope(only_contains_attribute_certs=True)]),
        F.OTHER_CERTIFICATES,
    ),
    "of another point": (
        lambda w: w.issuing.make_crl(
            extensions=[scope(full_name=[x509.UniformResourceIdentifier("http://crl.example/2.crl")])]
        ),
        F.OTHER_DISTRIBUTION_POINT,
    ),
    "for some reasons": (
        lambda w: w.issuing.make_crl(extensions=[scope(only_some_reasons=frozenset([x509.ReasonFlags.superseded]))]),
        F.ONLY_SOME_REASONS,
    ),
    "critical extension": (
        lambda w: w.issuing.make_crl(extensions=[with_critical(b"\x05\x00")]),
        F.UNKNOWN_CRITICAL_EXTENSION,
    ),
    "delta alone": (
        lambda w: w.issuing.make_crl(number=2, extensions=[lab.critical(x509.DeltaCRLIndicator(1))]),
        F.FULL_CRL_MISSING,
    ),
    "needs a delta": (
        lambda w: w.issuing.make_crl(
            extensions=[
                lab.non_critical(x509.FreshestCRL(list(lab.extensions.crl_distribution_points("http://d.example"))))
            ]
        ),
        F.DELTA_CRL_MISSING,
    ),
    "another key of the name": (lambda w: w.namesake.make_crl(), F.OTHER_KEY),
    "forged": (
        lambda w: w.namesake.make_crl(
            extensions=[lab.non_critical(lab.extensions.authority_key_identifier(w.issuing.private_key.public_key()))]
        ),
        F.BAD_SIGNATURE,
    ),
    "an algorithm without support": (lambda w: of_slh_dsa(w.issuing.make_crl()), F.UNSUPPORTED_ALGORITHM),
    "removed in a full one": (
        lambda w: w.issuing.make_crl(
            revoked=[lab.CrlEntry(serial_number=4711, date=A_WEEK_AGO, reason=x509.ReasonFlags.remove_from_crl)]
        ),
        F.MISPLACED_REMOVAL,
    ),
}
RESPONSES = {
    "expired": (lambda w: w.answering(lambda a: aged(a, next_update=NOW - DAY)), F.OUT_OF_DATE),
    "too old": (lambda w: w.answering(aged), F.TOO_OLD),
    "from the future": (lambda w: w.answering(lambda a: aged(a, this_update=NOW + DAY)), F.ISSUED_LATER),
    "another serial number": (
        lambda w: w.answering(lambda a: a["cert_id"].__setitem__("serial_number", 4712)),
        F.OTHER_SERIAL_NUMBER,
    ),
    "another key of the issuer": (
        lambda w: w.answering(lambda a: a["cert_id"].__setitem__("issuer_key_hash", bytes(32))),
        F.OTHER_ISSUER_KEY,
    ),
    "another issuer, same serial number": (
        lambda w: w.answering(lambda a: a["cert_id"].__setitem__("issuer_name_hash", bytes(32))),
        F.OTHER_ISSUER,
    ),
    "weak hash": (lambda w: changed(w.respond(), with_weak_hash, key=w.issuing.private_key), F.UNKNOWN_HASH),
    "unknown": (lambda w: w.answering(lambda a: a.__setitem__("cert_status", {"unknown": None})), F.ANSWER_UNKNOWN),
    "forged": (lambda w: changed(w.respond(), unchanged, key=RESPONDER), F.BAD_SIGNATURE),
    "an algorithm without support": (
        lambda w: changed(w.respond(), with_slh_dsa, key=w.issuing.private_key),
        F.UNSUPPORTED_ALGORITHM,
    ),
    "a responder's algorithm without support": (
        lambda w: changed(w.delegated(delegate(w.issuing)), with_slh_dsa, key=w.issuing.private_key),
        F.UNSUPPORTED_ALGORITHM,
    ),
    "responder not there": (lambda w: w.delegated(delegate(w.issuing), certificates=()), F.RESPONDER_NOT_FOUND),
    "responder did not sign": (
        lambda w: changed(w.delegated(delegate(w.issuing)), unchanged, key=w.namesake.private_key),
        F.BAD_SIGNATURE,
    ),
    "no OCSP signing": (lambda w: w.delegated(delegate(w.issuing, usages=())), F.RESPONDER_LACKS_OCSP_SIGNING),
    "no digitalSignature": (
        lambda w: w.delegated(delegate(w.issuing, extensions=[lab.critical(lab.key_usage("key_encipherment"))])),
        F.RESPONDER_KEY_USAGE,
    ),
    "of the root": (lambda w: w.delegated(delegate(w.root)), F.RESPONDER_OF_ANOTHER_ISSUER),
    "of a namesake": (lambda w: w.delegated(delegate(w.namesake)), F.RESPONDER_OF_ANOTHER_ISSUER),
    "responder expired": (lambda w: w.delegated(delegate(w.issuing, validity=EXPIRED)), F.RESPONDER_EXPIRED),
    "responder without nocheck": (lambda w: w.delegated(delegate(w.issuing, nocheck=False)), F.SIGNER_NOT_GOOD),
    "names another": (
        lambda w: changed(
            respond(w.server, w.ca, key=w.root.private_key, responder=w.root.certificate),
            unchanged,
            key=w.issuing.private_key,
        ),
        F.RESPONDER_MISNAMED,
    ),
    "tryLater": (lambda _: error("try_later"), F.RESPONDER_ERROR),
    "unauthorized": (lambda _: error("unauthorized"), F.RESPONDER_ERROR),
    "internalError": (lambda _: error("internal_error"), F.RESPONDER_ERROR),
}


@pytest.mark.parametrize("name", CRLS)
def test_why_a_crl_does_not_count(world, name):
    """RFC 5280 section 6.3.3: the server is at fault, and the CRL, with its own fault and its times."""
    make, fault = CRLS[name]
    failure = world.explain(crls=[make(world)])
    assert failure["reason"] == "revocation-unknown"
    assert failure["certificate"]["serial"] == "4711"
    [attempt] = failure["evidence"]
    assert (attempt["fault"], attempt["counts"]) == (fault.value, False)
    assert attempt["kind"] == ("delta-crl" if "delta alone" in name else "crl")
    assert attempt["issuer"] == str(world.issuing.certificate.subject)
    assert [each["field"] for each in attempt["times"]] == ["thisUpdate", "nextUpdate"]
    assert failure["evidence_locations"] == URLS


@pytest.mark.parametrize("name", RESPONSES)
def test_why_a_response_does_not_count(world, name):
    """RFC 6960 sections 2.3, 3.2, 4.2.2.2: each has its own fault."""
    make, fault = RESPONSES[name]
    failure = world.explain(responses=[make(world)])
    assert failure["certificate"]["serial"] == "4711"
    [attempt] = [one for one in failure["evidence"] if one["kind"] == "ocsp"]
    assert attempt["fault"] == fault.value
    if fault is F.RESPONDER_ERROR:
        assert attempt["answer"] == name
        assert attempt["answer_meaning"]
    assert failure["evidence_locations"] == URLS


def test_meanings_of_times(world):
    """Each time has a meaning at the time asked for."""
    current, old, future = (
        {each["field"]: (each["time"], each["meaning"]) for each in world.explain(crls=[crl])["evidence"][0]["times"]}
        for crl in (
            world.namesake.make_crl(),
            world.issuing.make_crl(validity=EXPIRED),
            world.issuing.make_crl(validity=FUTURE),
        )
    )
    assert current["thisUpdate"][1] == "issued"
    assert current["nextUpdate"][1] == "the next issue is due, and this one is current until then"
    assert old["thisUpdate"] == (format_time(EXPIRED.not_before), "issued")
    assert old["nextUpdate"] == (
        format_time(EXPIRED.not_after),
        "the next issue was due, and this one is too old since then",
    )
    assert future["thisUpdate"] == (format_time(FUTURE.not_before), "issued, which is after the time asked for")


def test_no_next_update(world):
    """A greatest age of nothing has a fault of its own; the absent time is listed as absent."""
    [attempt] = world.explain(responses=[world.answering(aged)], max_age=timedelta(0))["evidence"]
    assert attempt["fault"] == F.NO_NEXT_UPDATE.value
    absent = next(each for each in attempt["times"] if each["field"] == "nextUpdate")
    assert absent["time"] is None
    assert "the greatest age allowed is 0" in absent["meaning"]


def test_every_fault_of_a_crl(world):
    """A CRL that is expired, for other certificates and for another point: none of the three is hidden."""
    limits = scope(only_contains_ca_certs=True, full_name=[x509.UniformResourceIdentifier("http://other.example")])
    [attempt] = world.explain(crls=[world.issuing.make_crl(validity=EXPIRED, extensions=[limits])])["evidence"]
    assert attempt["fault"] == F.OUT_OF_DATE.value
    assert [other["fault"] for other in attempt["other_faults"]] == [
        F.OTHER_CERTIFICATES.value,
        F.OTHER_DISTRIBUTION_POINT.value,
    ]
    assert attempt["scope"] == ["CA certificates only", "the distribution point http://other.example only"]
    assert attempt["signature"] == "valid"
    [forged] = world.explain(crls=[world.namesake.make_crl(validity=EXPIRED)])["evidence"]
    assert (forged["fault"], forged["signature"]) == (F.OUT_OF_DATE.value, "invalid")
    assert [other["fault"] for other in forged["other_faults"]] == [F.OTHER_KEY.value]


def test_crls_of_others_only(world):
    """Where nothing is about the certificate, what was given is listed; else it would only be in the way."""
    failure = world.explain()
    assert "no CRL and no OCSP response given is about it" in failure["detail"]
    assert [one["fault"] for one in failure["evidence"]] == [F.OTHER_ISSUER.value]
    assert "Root" in failure["evidence"][0]["issuer"]
    old = world.issuing.make_crl(validity=EXPIRED)
    assert [one["fault"] for one in world.explain(crls=[old])["evidence"]] == [F.OUT_OF_DATE.value]


def test_another_crl_issuer(world):
    """RFC 5280 section 6.3.3 (b)(1): the CA's own CRL can only revoke; the other's is not indirect, or not signed."""
    server = world.issuing.issue_server("server.example", extensions=[crl_issuers("Another")]).certificate
    other = lab.Authority.create("Another")
    crls = [world.issuing.make_crl(), other.make_crl(), other.make_crl(number=2, extensions=[INDIRECT])]
    found = world.explain(crls=crls, target=server)["evidence"]
    assert {one["fault"] for one in found} == {F.ONLY_REVOKES.value, F.NOT_INDIRECT.value, F.BAD_SIGNATURE.value}


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (x509.ReasonFlags.key_compromise, "in other hands"),
        (x509.ReasonFlags.certificate_hold, "on hold"),
        (x509.ReasonFlags.superseded, "replaced by another"),
        (None, "no reason was given"),
    ],
)
def test_revoked(world, reason, words):
    """The CRL that revokes comes first, with the date, the reason and its meaning; then one that does not count."""
    entry = lab.CrlEntry(serial_number=4711, date=A_WEEK_AGO, reason=reason)
    failure = world.explain(
        crls=[world.issuing.make_crl(validity=EXPIRED), world.issuing.make_crl(number=8, revoked=[entry])]
    )
    assert failure["reason"] == "revoked"
    attempt, old = failure["evidence"]
    assert (old["counts"], old["fault"]) == (False, F.OUT_OF_DATE.value)
    assert (attempt["counts"], attempt["fault"], attempt["number"]) == (True, None, "8")
    assert attempt["reason"] == (reason.value if reason else "unspecified")
    assert words in attempt["answer_meaning"]
    assert {"field": "revocationDate", "time": format_time(A_WEEK_AGO), "meaning": "revoked, from this moment on"} in (
        attempt["times"]
    )
    assert failure["evidence_locations"] == URLS


def test_revoked_by_ocsp(world):
    """The same by OCSP."""
    failure = world.explain(responses=[respond(world.server, world.ca, key=world.issuing.private_key, revoked=True)])
    [attempt] = failure["evidence"]
    assert (attempt["kind"], attempt["counts"], attempt["answer"]) == ("ocsp", True, "revoked")


def test_soft_mode(world):
    """A valid path has the status of each certificate; the unknown one has the same evidence as a failure."""
    status = world.explain(crls=[world.issuing.make_crl(validity=EXPIRED)], mode="soft")
    assert status["status"] == "unknown"
    assert [one["fault"] for one in status["evidence"]] == [F.OUT_OF_DATE.value]
    assert status["evidence_locations"] == URLS


def test_number_of_objects_is_bounded(world):
    """A hundred expired CRLs: twenty are in the explanation."""
    crls = [world.issuing.make_crl(validity=EXPIRED, number=number) for number in range(30)]
    assert len(world.explain(crls=crls)["evidence"]) == 20
