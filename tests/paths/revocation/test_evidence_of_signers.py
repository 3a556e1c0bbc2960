"""CRLs and OCSP responses that do not count because of their signers, of other CRLs, or of a limit."""

from __future__ import annotations

import dataclasses

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from pkcs12kit import DEFAULT_LIMITS, lab
from pkcs12kit.revocation import EvidenceFault as F

from .test_evidence import CRLS, RESPONSES, Scene, delegate, scope, with_critical
from .world import A_WEEK_AGO, changed, crl_signer


@pytest.fixture(scope="module")
def world():
    """One PKI for all tests."""
    return Scene()


def signed_by(authority, **others):
    """Return a CRL of the CA's name by a signer that an authority certified, and its certificate in the pool."""
    certificate, signer = crl_signer(authority, "Issuing", **others)
    return {"crls": [signer.make_crl()], "pool": [certificate]}


def for_other_reasons(world):
    """Return a CRL for one reason, and a server whose distribution point is for another."""
    point = lab.extensions.crl_distribution_points("http://crl.example/1.crl")[0]
    one = x509.DistributionPoint(point.full_name, None, frozenset([x509.ReasonFlags.key_compromise]), None)
    server = world.issuing.issue_server("x.example", extensions=[lab.non_critical(x509.CRLDistributionPoints([one]))])
    superseded = scope(full_name=one.full_name, only_some_reasons=frozenset([x509.ReasonFlags.superseded]))
    return {"crls": [world.issuing.make_crl(extensions=[superseded])], "target": server.certificate}


def delta_of_a_later_one(world):
    """Return a full CRL that needs a delta CRL, and one that changes only later CRLs."""
    freshest = lab.non_critical(x509.FreshestCRL(list(lab.extensions.crl_distribution_points("http://d.example"))))
    delta = world.issuing.make_crl(number=4, extensions=[lab.critical(x509.DeltaCRLIndicator(3))])
    return {"crls": [world.issuing.make_crl(number=1, extensions=[freshest]), delta]}


def of_a_revoked_signer(world):
    """Return a CRL by a signer that its CA revoked."""
    given = signed_by(world.root)
    entry = lab.CrlEntry(serial_number=given["pool"][0].serial_number, date=A_WEEK_AGO)
    return given | {"crls": [*given["crls"], world.root.make_crl(revoked=[entry], number=9)]}


def of_an_unknown_signer(world):
    """Return a CRL for end entities by a signer that is a CA, about which no CRL is."""
    basic = lab.critical(x509.BasicConstraints(ca=True, path_length=None))
    certificate, signer = crl_signer(world.issuing, "Issuing", extensions=[basic])
    return {"crls": [signer.make_crl(extensions=[scope(only_contains_user_certs=True)])], "pool": [certificate]}


def about_its_signer(world):
    """Return a CRL about the certificate of its own signer, whose CA does not name it as the CRL issuer."""
    given = signed_by(world.issuing)
    return given | {"target": given["pool"][0]}


OTHERS = {
    "malformed": (
        lambda w: {
            "responses": [
                changed(
                    w.respond(),
                    lambda basic: basic["tbs_response_data"].__setitem__("version", 1),
                    key=w.issuing.private_key,
                )
            ]
        },
        F.MALFORMED,
    ),
    "other reasons": (for_other_reasons, F.OTHER_REASONS),
    "delta of another CRL": (delta_of_a_later_one, F.DELTA_DOES_NOT_FIT),
    "weak key": (lambda w: signed_by(w.root, key=ec.generate_private_key(ec.SECP192R1())), F.WEAK_ALGORITHM),
    "no cRLSign": (lambda w: signed_by(w.root, usages=("digital_signature",)), F.SIGNER_LACKS_CRL_SIGN),
    "of nobody": (lambda _: signed_by(lab.Authority.create("Nobody")), F.SIGNER_NOT_TRUSTED),
    "about its signer": (about_its_signer, F.SIGNER_DEPENDS_ON_IT),
    "about itself and its signer": (lambda w: signed_by(w.issuing), F.SIGNER_DEPENDS_ON_IT),
    "of a signer that is revoked": (of_a_revoked_signer, F.SIGNER_NOT_GOOD),
    "of a signer of unknown status": (of_an_unknown_signer, F.SIGNER_NOT_GOOD),
    "responder with a critical extension": (
        lambda w: {"responses": [w.delegated(delegate(w.issuing, extensions=[with_critical(b"\x05\x00")]))]},
        F.RESPONDER_NOT_VALID,
    ),
    "too much work": (
        lambda w: {
            "crls": [w.issuing.make_crl()],
            "limits": dataclasses.replace(DEFAULT_LIMITS, revocation_comparisons=1),
        },
        F.BUDGET_EXHAUSTED,
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_why_other_evidence_does_not_count(world, name):
    """Signers beside the path, CRLs that belong together, and limits: each has its own fault, of this certificate."""
    make, fault = OTHERS[name]
    given = make(world)
    failure = world.explain(**given)
    assert failure["reason"] == "revocation-unknown"
    assert failure["certificate"]["sha256"] == given.get("target", world.server).sha256
    found = [one for one in failure["evidence"] if one["fault"] == fault.value]
    assert found, failure["evidence"]
    assert not any(one["counts"] for one in found)
    assert all(one["detail"] in failure["detail"] for one in found)


def test_every_fault_is_tried():
    """Each value of the closed list has a set-up here or in test_evidence.py, which asserts it by its code."""
    tried = {fault for _, fault in (*CRLS.values(), *RESPONSES.values(), *OTHERS.values())}
    on_their_own = {F.NO_NEXT_UPDATE, F.NOT_INDIRECT, F.ONLY_REVOKES}
    assert tried | on_their_own == set(F)
