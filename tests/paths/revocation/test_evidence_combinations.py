"""Every combination of independent flaws of a CRL, and of an OCSP response: the explanation has these and no other."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from pkcs12kit import lab
from pkcs12kit.paths.revocation import Revocation, check_revocation
from pkcs12kit.revocation import EvidenceFault as F

from .test_evidence import delegate, scope
from .world import GOOD, NOW, UNKNOWN, World, changed, respond

DAY = timedelta(days=1)
TIMES = {
    None: (NOW - DAY, NOW + DAY),
    F.OUT_OF_DATE: (NOW - 2 * DAY, NOW - DAY),
    F.ISSUED_LATER: (NOW + DAY, NOW + 2 * DAY),
}
LIMITS = {
    F.OTHER_CERTIFICATES: {"only_contains_ca_certs": True},
    F.OTHER_DISTRIBUTION_POINT: {"full_name": [x509.UniformResourceIdentifier("http://other.example/ca.crl")]},
}
ODD = "1.2.3.4"
SIGNERS = (None, F.OTHER_KEY, F.BAD_SIGNATURE)
RESPONDERS = (None, "delegate", F.RESPONDER_LACKS_OCSP_SIGNING, F.RESPONDER_OF_ANOTHER_ISSUER, F.RESPONDER_NOT_FOUND)


@pytest.fixture(scope="module")
def world():
    """One PKI for all tests, with a CA of the same name and another key."""
    found = World()
    found.namesake = lab.Authority.create("Issuing")
    return found


def crl(world, time, kind, point, odd, signer):
    """Return a CRL of the issuing CA that has these flaws."""
    limits = {name: value for flaw in (kind, point) if flaw for name, value in LIMITS[flaw].items()}
    extensions = [scope(**limits)] if limits else []
    if odd is not None:
        extensions.append(lab.critical(x509.UnrecognizedExtension(x509.ObjectIdentifier(ODD), b"\x05\x00")))
    if signer is F.BAD_SIGNATURE:  # it names the genuine key
        key = world.issuing.private_key.public_key()
        extensions.append(lab.non_critical(lab.extensions.authority_key_identifier(key)))
    by = world.issuing if signer is None else world.namesake
    return by.make_crl(validity=lab.Validity(*TIMES[time]), extensions=extensions)


def told(status):
    """Return all faults of the only attempt."""
    [attempt] = status.evidence
    assert not attempt.counts
    faults = [attempt.fault, *(other.fault for other in attempt.other_faults)]
    assert len(set(faults)) == len(faults)
    return set(faults)


def ask(world, **given):
    """Return the status of the server by the evidence, and the root's CRL."""
    revocation = Revocation(mode="require", **{"crls": [world.root_crl]} | given)
    return check_revocation(world.path, time=NOW, revocation=revocation).statuses[0]


def test_every_combination_for_crls(world):
    """A CRL counts if, and only if, it has no flaw; else each of its flaws is named, and nothing else."""
    for flaws in itertools.product(
        TIMES,
        (None, F.OTHER_CERTIFICATES),
        (None, F.OTHER_DISTRIBUTION_POINT),
        (None, F.UNKNOWN_CRITICAL_EXTENSION),
        SIGNERS,
    ):
        status = ask(world, crls=[world.root_crl, crl(world, *flaws)])
        wanted = set(flaws) - {None}
        assert status.status is (UNKNOWN if wanted else GOOD), flaws
        if wanted:
            assert told(status) == wanted, flaws
        else:
            assert status.evidence == ()


def response(world, key, time, odd, responder, unknown):
    """Return a response about the server that has these flaws."""
    own, certificates = world.issuing.private_key, ()
    signer = world.ca
    if responder is not None:
        by = world.namesake if responder is F.RESPONDER_OF_ANOTHER_ISSUER else world.issuing
        usages = {"usages": ()} if responder is F.RESPONDER_LACKS_OCSP_SIGNING else {}
        signer = delegate(by, key=key, **usages)
        certificates = () if responder is F.RESPONDER_NOT_FOUND else (signer,)

    def change(basic):
        answer = basic["tbs_response_data"]["responses"][0]
        answer["this_update"], answer["next_update"] = TIMES[time]
        if odd is not None:
            answer["single_extensions"] = [{"extn_id": ODD, "critical": True, "extn_value": b""}]
        if unknown is not None:
            answer["cert_status"] = {"unknown": None}

    signing = own if responder is None else key
    made = respond(world.server, world.ca, key=signing, responder=signer, certificates=certificates)
    return changed(made, change, key=signing)


def test_every_combination_for_responses(world):
    """The same for responses; a delegate may answer like the issuer itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    for flaws in itertools.product(TIMES, (None, F.UNKNOWN_CRITICAL_EXTENSION), RESPONDERS, (None, F.ANSWER_UNKNOWN)):
        status = ask(world, ocsp_responses=[response(world, key, *flaws)])
        wanted = set(flaws) - {None, "delegate"}
        assert status.status is (UNKNOWN if wanted else GOOD), flaws
        if wanted:
            assert told(status) == wanted, flaws
        else:
            assert status.evidence == ()
