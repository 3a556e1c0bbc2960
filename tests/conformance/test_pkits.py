"""NIST's Public Key Interoperability Test Suite (PKITS) 1.0.1, sections 4.1 to 4.16, through ``find_path``.

The table is ``pkits.toml`` beside this file; certificates and CRLs come with the package ``cryptography-vectors``. As
NIST's procedure has it, the status of every certificate must be known: revocation is required in each test.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import cryptography_vectors
import pytest

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.paths.confirmation import Opinion, confirm
from pkcs12kit.paths.report import NoValidPathError
from pkcs12kit.paths.revocation import Revocation, RevocationMode
from pkcs12kit.paths.search import find_path
from pkcs12kit.paths.validation.algorithms import POLICIES
from pkcs12kit.paths.validation.parameters import ValidationParameters

from ..thoroughness import mostly_slow

# PKITS has certificates with serial numbers that are not positive; pyca/cryptography warns of each.
pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")

DATA = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
TESTS = tomllib.loads(Path(__file__).with_name("pkits.toml").read_text(encoding="utf-8"))["test"]
TIME = datetime(2024, 1, 1, tzinfo=UTC)  # the certificates are from 2010 to 2030
NIST_TEST_POLICIES = {f"P{number}": f"2.16.840.1.101.3.2.1.48.{number}" for number in range(1, 7)}
POLICIES_BY_NAME = {**NIST_TEST_POLICIES, "anyPolicy": ANY_POLICY}
TESTS_PER_SECTION = (6, 8, 11, 21, 8, 17, 5, 20, 8, 14, 11, 10, 38, 35, 10, 2)


@dataclass(frozen=True)
class Case:
    """One test with one of its sets of inputs."""

    test: dict
    inputs: dict

    @property
    def parameters(self) -> ValidationParameters:
        """The inputs as the library takes them."""
        settings = {name: value for name, value in self.inputs.items() if name.startswith("initial_")}
        if policies := self.inputs.get("user_initial_policy_set"):
            settings["user_initial_policy_set"] = {NIST_TEST_POLICIES[name] for name in policies}
        policy = POLICIES[self.test.get("algorithm_policy", "default")]
        return ValidationParameters(time=TIME, algorithm_policy=policy, **settings)


def cases():
    """Every test with every set of inputs, named by NIST's number and title."""
    for test in TESTS:
        several = test.get("inputs", [test])
        for number, inputs in enumerate(several, start=1):
            name = f"{test['number']} {test['title']}" + (f", inputs {number}" if len(several) > 1 else "")
            yield pytest.param(Case(test, inputs), id=name)


@cache
def certificate(name: str) -> Certificate:
    """Read one of the suite's certificates."""
    return Certificate.from_der((DATA / "certs" / f"{name}.crt").read_bytes())


@cache
def crl(name: str) -> bytes:
    """Read one of the suite's CRLs."""
    return (DATA / "crls" / f"{name}.crl").read_bytes()


@cache
def whole_suite() -> CertificatePool:
    """All 405 certificates in one heap."""
    return CertificatePool(certificate(file.stem) for file in (DATA / "certs").glob("*.crt"))


def validate(case: Case, *, pool: CertificatePool, crls):
    """Ask ``find_path`` for the end entity of a case."""
    return find_path(
        certificate(case.test["path"][-1]),
        pool=pool,
        trust_anchors=[TrustAnchor.from_certificate(certificate("TrustAnchorRootCertificate"))],
        parameters=case.parameters,
        revocation=Revocation(mode=RevocationMode.REQUIRE, crls=crls),
    )


def test_every_test_is_in_the_table():
    """PKITS 1.0.1 has 224 tests in sections 4.1 to 4.16: none is missing, none there twice."""
    expected = [
        f"4.{section}.{number}"
        for section, count in enumerate(TESTS_PER_SECTION, start=1)
        for number in range(1, count + 1)
    ]
    assert [test["number"] for test in TESTS] == expected


@pytest.mark.parametrize("case", list(cases()))
def test_pkits(case):
    """The expected result, for the expected reason, with the certificates and CRLs that NIST lists for the test."""
    listed = [certificate(name) for name in (*case.test["path"][:-1], *case.test.get("other", ()))]
    pool, crls = CertificatePool(listed), [crl(name) for name in case.test["crls"]]
    if case.inputs["result"] != "valid":
        with pytest.raises(NoValidPathError) as caught:
            validate(case, pool=pool, crls=crls)
        assert caught.value.attempts[0].reason.value == case.inputs["result"], str(caught.value)
        return
    path = validate(case, pool=pool, crls=crls)
    assert path.certificates == tuple(certificate(name) for name in reversed(case.test["path"]))
    if "policies" in case.inputs:
        assert path.user_constrained_policy_set == {POLICIES_BY_NAME[name] for name in case.inputs["policies"]}


@pytest.mark.parametrize("case", list(cases()))
def test_pkits_from_the_whole_suite(case):
    """The same verdict when the path has to be found among all certificates of the suite (RFC 4158)."""
    crls = [crl(name) for name in case.test["crls"]]
    if case.inputs["result"] == "valid":
        path = validate(case, pool=whole_suite(), crls=crls)
        assert path.certificates == tuple(certificate(name) for name in reversed(case.test["path"]))
    else:
        with pytest.raises(NoValidPathError):
            validate(case, pool=whole_suite(), crls=crls)


@pytest.mark.parametrize(
    "case",
    mostly_slow(
        (case for case in cases() if case.values[0].test["number"].startswith(("4.4.", "4.5.", "4.14.", "4.15."))),
        every=4,
    ),
)
def test_pkits_among_all_crls(case):
    """The same verdict, for the same reason, when every CRL of the suite is given: others' CRLs say nothing."""
    crls = [crl(file.stem) for file in sorted((DATA / "crls").glob("*.crl"))]
    if case.inputs["result"] == "valid":
        validate(case, pool=whole_suite(), crls=crls)
    else:
        with pytest.raises(NoValidPathError) as caught:
            validate(case, pool=whole_suite(), crls=crls)
        assert caught.value.attempts[0].reason.value == case.inputs["result"], str(caught.value)


@pytest.mark.parametrize("case", mostly_slow(cases(), every=5))
def test_pkits_by_the_second_opinion(case):
    """Certvalidator says the same of the path that NIST lists; it is not asked about revocation, and then says yes."""
    path = CertificationPath(
        certificates=tuple(certificate(name) for name in reversed(case.test["path"])),
        trust_anchor=TrustAnchor.from_certificate(certificate("TrustAnchorRootCertificate")),
    )
    passes = {"valid", "revoked", "revocation-unknown"}
    expected = Opinion.VALID if case.inputs["result"] in passes else Opinion.INVALID
    confirmation = confirm(path, case.parameters)
    assert confirmation.opinion is expected, str(confirmation)
