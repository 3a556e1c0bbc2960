"""x509-limbo: a selection of its cases, each through ``find_path``; divergences are in ``limbo_divergences.toml``."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.confirmation import Opinion, confirm
from pkcs12kit.paths.report import NoValidPathError
from pkcs12kit.paths.revocation import Revocation, RevocationMode
from pkcs12kit.paths.search import find_path
from pkcs12kit.paths.validation.parameters import ValidationParameters

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")

SELECTION = Path(__file__).parents[3] / "shared" / "data" / "limbo" / "limbo-selection.json"
DIVERGENCES = tomllib.loads(Path(__file__).with_name("limbo_divergences.toml").read_text(encoding="utf-8")).get(
    "divergence", []
)
PURPOSES = {
    "anyExtendedKeyUsage": "2.5.29.37.0",
    "serverAuth": "1.3.6.1.5.5.7.3.1",
    "clientAuth": "1.3.6.1.5.5.7.3.2",
    "codeSigning": "1.3.6.1.5.5.7.3.3",
    "emailProtection": "1.3.6.1.5.5.7.3.4",
    "timeStamping": "1.3.6.1.5.5.7.3.8",
    "OCSPSigning": "1.3.6.1.5.5.7.3.9",
}
PURPOSE_OF_KIND = {"SERVER": "serverAuth", "CLIENT": "clientAuth"}


def load_cases():
    """Read the selection; no cases where the shared data is absent, which a test of its own reports."""
    return json.loads(SELECTION.read_text(encoding="utf-8"))["testcases"] if SELECTION.exists() else []


CASES = load_cases()


def parameters_of(case) -> ValidationParameters:
    """Return the inputs of a case for the library. Only a server's name is compared, not a client's."""
    [purpose] = case["extended_key_usage"] or [PURPOSE_OF_KIND[case["validation_kind"]]]
    name = case["expected_peer_name"]
    time = datetime.fromisoformat(case["validation_time"]) if case["validation_time"] else datetime.now(UTC)
    return ValidationParameters(
        time=time,
        server_name=name["value"] if name is not None and name["kind"] in {"DNS", "IP"} else None,
        extended_key_usage=PURPOSES[purpose],
        max_path_length=case["max_chain_depth"],
    )


def crls_of(case) -> Revocation | None:
    """Require the CRLs to cover the path, where there are any."""
    from asn1crypto import pem

    if not case["crls"]:
        return None
    crls = [pem.unarmor(text.encode("ascii"))[2] for text in case["crls"]]
    return Revocation(mode=RevocationMode.REQUIRE, crls=crls)


def readable(texts):
    """Read certificates; those that cannot be read take no part, as a pool's rejects do not."""
    for text in texts:
        try:
            yield Certificate.from_pem(text)
        except MalformedCertificateError:
            continue


def anchors_of(case):
    """Trust the trusted certificates, those with unreadable extensions apart."""
    for certificate in readable(case["trusted_certs"]):
        try:
            yield TrustAnchor.from_certificate(certificate)
        except MalformedCertificateError:
            continue


def path_of(case):
    """Ask ``find_path``, which raises where there is none."""
    return find_path(
        Certificate.from_pem(case["peer_certificate"]),
        pool=CertificatePool(readable(case["untrusted_intermediates"])),
        trust_anchors=anchors_of(case),
        parameters=parameters_of(case),
        revocation=crls_of(case),
    )


def outcome(case) -> tuple[str, str]:
    """Return the verdict of ``find_path`` in limbo's words, and the reason."""
    if not list(anchors_of(case)):
        return "FAILURE", "no trusted certificate can be read"
    try:
        return "SUCCESS", str(path_of(case))
    except (NoValidPathError, MalformedCertificateError) as error:
        return "FAILURE", str(error)


def test_the_selection_is_there(shared):
    """Every case of the shared selection is among the parameters, each once."""
    identifiers = [
        case["id"] for case in json.loads((shared / "data/limbo/limbo-selection.json").read_text())["testcases"]
    ]
    assert [case["id"] for case in CASES] == identifiers
    assert len(set(identifiers)) == len(identifiers) > 0


def test_divergences_name_cases_of_the_selection():
    """No divergence is left over from a case that is gone, none is listed twice, each has a reason."""
    listed = Counter(divergence["case"] for divergence in DIVERGENCES)
    assert set(listed) <= {case["id"] for case in CASES}
    assert set(listed.values()) <= {1}
    assert all(divergence["reason"].strip() for divergence in DIVERGENCES)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_limbo(case):
    """The expected result, or the divergence that is written down: neither more nor fewer."""
    got, why = outcome(case)
    listed = next((divergence for divergence in DIVERGENCES if divergence["case"] == case["id"]), None)
    if listed is None:
        assert got == case["expected_result"], why
    else:
        assert listed["expected"] == case["expected_result"]
        assert got != case["expected_result"], "diverges no more: take it off the list"
        assert got == listed["got"], why


# certvalidator holds no iPAddress against a subtree.
NOT_TO_BE_JUDGED = {"rfc5280::nc::permitted-ipv4-match"}


GOT = {divergence["case"]: divergence["got"] for divergence in DIVERGENCES}
ACCEPTED = [case for case in CASES if GOT.get(case["id"], case["expected_result"]) == "SUCCESS"]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in ACCEPTED])
def test_limbo_by_the_second_opinion(case):
    """Of each path that ours accepts certvalidator says yes, or that it cannot judge: that is written down."""
    confirmation = confirm(path_of(case), parameters_of(case))
    expected = Opinion.CANNOT_JUDGE if case["id"] in NOT_TO_BE_JUDGED else Opinion.VALID
    assert confirmation.opinion is expected, str(confirmation)
