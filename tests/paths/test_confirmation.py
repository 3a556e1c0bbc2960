"""The second opinion: what certvalidator says of paths that ours accepts, and of paths that no validator should."""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from pkcs12kit import lab
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.paths.confirmation import NOT_ASKED, Confirmation, ConfirmationError, Opinion, confirm
from pkcs12kit.paths.search import find_path, find_paths
from pkcs12kit.paths.validation.algorithms import ALLOW_ALL
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.sources.loading import load_certificates

AT = datetime(2026, 3, 1, tzinfo=UTC)
RED, BLUE = "2.999.1", "2.999.2"
STATES_RED = {"extensions": (lab.non_critical(lab.certificate_policies(RED)),)}
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def ask(path, **parameters):
    """Ask for the opinion on a path."""
    return confirm(path, ValidationParameters(time=parameters.pop("time", AT), **parameters))


def name_constraints(*, permitted=None, excluded=None):
    """Make name constraints of one subtree."""
    return lab.critical(
        x509.NameConstraints(
            permitted_subtrees=[permitted] if permitted else None, excluded_subtrees=[excluded] if excluded else None
        )
    )


# Yes


def mapped():
    """One policy mapped to two: what the Federal Bridge's certificates do."""
    first = (
        lab.non_critical(lab.certificate_policies(RED)),
        lab.critical(lab.policy_mappings((RED, BLUE), (RED, RED))),
        lab.critical(x509.PolicyConstraints(0, 0)),
        lab.critical(x509.InhibitAnyPolicy(0)),
    )
    return [{"extensions": first}, {"extensions": (lab.non_critical(lab.certificate_policies(BLUE)),)}]


@pytest.mark.parametrize(
    ("links", "parameters"),
    [
        ([{}, {}, {}], {}),
        ([{}, {"name": "CA 1"}, {}], {}),
        ([{"path_length": 0}, {}], {}),
        ([{}, {"ca": True}], {}),
        ([{"extensions": (name_constraints(permitted=x509.DNSName("example.com")),)}, {}], {}),
        ([STATES_RED, STATES_RED], {"initial_explicit_policy": True, "user_initial_policy_set": {RED}}),
        (mapped(), {"initial_explicit_policy": True, "user_initial_policy_set": {RED, BLUE}}),
        ([{}, {}], {"user_initial_policy_set": {RED}}),
        ([{}, {}], {"server_name": "www.example.com"}),
        ([{}, {}], {"initial_permitted_subtrees": [x509.DNSName("example.com")]}),
        ([{}, {}], {"initial_excluded_subtrees": [x509.DNSName("example.org")]}),
        ([{}, {}], {"max_path_length": 1}),
    ],
)
def test_both_say_yes(chain, judge, links, parameters):
    """The other validator accepts the same paths with the same inputs (RFC 5280 section 6.1.1)."""
    path = chain(*links)
    assert judge(path, **parameters)
    assert ask(path, **parameters) == Confirmation(opinion=Opinion.VALID)


def test_both_say_yes_to_the_replica():
    """The lab's replica of the Federal PKI: loops, bridges, mappings, name constraints."""
    replica = lab.make_replica()
    parameters = ValidationParameters(time=datetime.now(UTC))
    anchors = [TrustAnchor.from_certificate(replica.trust_anchor)]
    report = find_paths(replica.server.certificate, pool=replica.pool, trust_anchors=anchors, parameters=parameters)
    assert report.valid
    for path in report.valid:
        assert confirm(path, parameters).opinion is Opinion.VALID


def test_both_say_yes_to_certificates_with_a_slip(fpki):
    """DoD's ECDSA certificates with a NULL parameter, below their own root."""
    pool = load_certificates(fpki / "dod-2019.pem", fpki / "Certificates_PKCS7_v5_14_DoD.pem.p7b")
    asked = 0
    for certificate in pool:
        if certificate.encoding_error is None or certificate.is_self_issued:
            continue
        roots = [root for root in pool.by_subject(certificate.issuer) if root.is_self_issued]
        parameters = ValidationParameters(time=certificate.not_before + timedelta(days=1))
        path = find_path(
            certificate,
            pool=pool,
            trust_anchors=[TrustAnchor.from_certificate(root) for root in roots],
            parameters=parameters,
        )
        assert confirm(path, parameters).opinion is Opinion.VALID
        asked += 1
    assert asked


def test_an_anchor_without_a_certificate(chain):
    """Name and key are passed on, with constraints and without; another key is a no."""
    path = chain({}, {})
    bare = dataclasses.replace(path.trust_anchor, certificate=None, constraints=None)
    assert ask(dataclasses.replace(path, trust_anchor=bare)).opinion is Opinion.VALID
    other = dataclasses.replace(bare, subject_public_key_info=path.target.subject_public_key_info)
    assert ask(dataclasses.replace(path, trust_anchor=other)).opinion is Opinion.INVALID


def test_an_anchor_that_is_the_target(chain):
    """A path of one self-signed certificate."""
    anchor = chain({}, {}).trust_anchor
    assert ask(CertificationPath(certificates=(anchor.certificate,), trust_anchor=anchor)).opinion is Opinion.VALID


def test_an_expired_anchor_is_not_the_others_business(chain, judge):
    """RFC 5280 does not ask for it: where the user does not either, the second opinion does not object."""
    path = chain(
        {"validity": lab.Validity.around(AT)},
        {"validity": lab.Validity.around(AT)},
        anchor_validity=lab.Validity.around(AT, days_before=99, days_after=-9),
    )
    assert judge(path, check_trust_anchor_validity=False)
    assert ask(path, check_trust_anchor_validity=False).opinion is Opinion.VALID


def test_policies_of_an_anchor_do_not_require_one_of_the_path(chain, judge):
    """RFC 5937 section 3.2: an anchor's certificatePolicies narrow what is acceptable; they require nothing."""
    for policies in ((RED,), ("2.5.29.32.0",)):
        path = chain({}, {}, anchor_extensions=(lab.non_critical(lab.certificate_policies(*policies)),))
        assert judge(path)
        assert ask(path).opinion is Opinion.VALID


@pytest.mark.parametrize(
    "extension",
    [
        name_constraints(permitted=x509.DNSName("example.org")),
        name_constraints(excluded=x509.DNSName("example.com")),
        lab.critical(x509.BasicConstraints(ca=True, path_length=0)),
        lab.critical(x509.PolicyConstraints(0, None)),
    ],
    ids=["permitted", "excluded", "path length", "policy constraints"],
)
def test_constraints_of_the_anchor_are_passed_on(chain, refusal, extension):
    """RFC 5937: what ours refuses for the anchor's constraints, so does the other; not asked for, neither does."""
    path = chain({}, {}, anchor_extensions=(extension,))
    assert refusal(path)
    assert ask(path).opinion is Opinion.INVALID
    assert ask(path, use_trust_anchor_constraints=False).opinion is Opinion.VALID


@pytest.mark.parametrize("policies", [(), (RED,), ("2.5.29.32.0",)], ids=["none", "red", "any"])
def test_policies_of_the_user_are_not_forgotten_for_those_of_the_anchor(chain, judge, refusal, policies):
    """RFC 5937 section 3.2: what the user accepts is cut with the anchor's policies; 'any' takes nothing off."""
    stated = (lab.non_critical(lab.certificate_policies(*policies)),) if policies else ()
    path = chain(STATES_RED, STATES_RED, anchor_extensions=stated)
    asked = {"initial_explicit_policy": True, "user_initial_policy_set": {RED}}
    assert judge(path, **asked)
    assert ask(path, **asked).opinion is Opinion.VALID
    asked["user_initial_policy_set"] = {BLUE}
    assert refusal(path, **asked)
    assert_no(path, "polic", **asked)


@pytest.mark.parametrize("kind", ["pss", "ed448", "ec-p521"])
def test_other_signatures(sign_by, kind):
    """RSA-PSS, Ed448 and ECDSA on P-521 are judged."""
    key = {
        "pss": RSA_KEY,
        "ed448": ed448.Ed448PrivateKey.generate(),
        "ec-p521": ec.generate_private_key(ec.SECP521R1()),
    }[kind]
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if kind == "pss" else None
    digest = None if kind == "ed448" else hashes.SHA256()
    target = sign_by("TA", key, "EE", RSA_KEY.public_key(), ca=False, digest=digest, rsa_padding=pss)
    info = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    path = CertificationPath(
        certificates=(target,), trust_anchor=TrustAnchor(name=target.issuer, subject_public_key_info=info)
    )
    assert ask(path).opinion is Opinion.VALID


# No


def assert_no(path, *words, **parameters):
    """The opinion is negative, and its detail has these words."""
    confirmation = ask(path, **parameters)
    assert confirmation.opinion is Opinion.INVALID, confirmation
    for word in words:
        assert word in confirmation.detail
    assert str(confirmation).startswith("pyhanko-certvalidator: invalid (")


def test_no_for_what_is_wrong(chain):
    """Validity, signature, name constraints, policies, path length, critical extensions: each with its detail."""
    path = chain({}, {})
    assert_no(path, "expired", time=AT + timedelta(days=1000))
    assert_no(path, "not valid until", time=AT - timedelta(days=1000))
    damaged = type(path.target).from_der(path.target.der[:-1] + bytes([path.target.der[-1] ^ 1]))
    assert_no(dataclasses.replace(path, certificates=(damaged, path.certificates[1])), "signature")
    assert_no(path, "polic", initial_explicit_policy=True)
    assert_no(path, "www.example.com", initial_permitted_subtrees=[x509.DNSName("example.org")])
    assert_no(path, "www.example.com", initial_excluded_subtrees=[x509.DNSName("example.com")])
    outside = name_constraints(permitted=x509.DNSName("example.org"))
    assert_no(chain({"extensions": (outside,)}, {}), "www.example.com")
    assert_no(chain({"path_length": 0}, {}, {}), "path length")
    unknown = lab.critical(x509.UnrecognizedExtension(ObjectIdentifier("2.999.99"), b"\x05\x00"))
    assert_no(chain({}, {"extensions": (unknown,)}), "2.999.99")
    assert_no(dataclasses.replace(path, trust_anchor=chain({}).trust_anchor), "signature")


def test_no_for_another_purpose(chain):
    """ExtendedKeyUsage of the target: serverAuth is neither clientAuth nor an unknown purpose."""
    client = ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string
    assert_no(chain({}, {}), "client auth", extended_key_usage=client)
    assert_no(chain({}, {}), "2.999.1", extended_key_usage="2.999.1")


def test_any_extended_key_usage_is_not_asked_about(chain, judge):
    """RFC 5280 section 4.2.1.12 lets applications take it for every purpose; ours does, certvalidator does not."""
    anything = lab.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]))
    path = chain({}, {"extensions": (anything,), "server_name": "www.example.com"})
    assert judge(path, server_name="www.example.com")
    assert ask(path, server_name="www.example.com").opinion is Opinion.VALID


def test_no_for_weak_algorithms(chain, resign):
    """The named algorithm policy is passed on: SHA-1 is refused by default and accepted by allow-all."""
    path = chain({"private_key": RSA_KEY}, {})
    old = dataclasses.replace(path, certificates=(resign(path.target, RSA_KEY, digest="sha1"), path.certificates[1]))
    assert_no(old, "sha1")
    assert ask(old, algorithm_policy=ALLOW_ALL).opinion is Opinion.VALID


# Neither


@pytest.mark.parametrize("kind", ["permitted", "excluded"])
@pytest.mark.parametrize(
    ("name", "opinion"),
    [("www.example.com", Opinion.VALID), ("10.1.1.1", Opinion.CANNOT_JUDGE), ("::1", Opinion.CANNOT_JUDGE)],
)
def test_ip_address_constraints_cannot_be_judged_where_there_is_an_address(chain, kind, name, opinion):
    """Certvalidator holds no iPAddress against a subtree (NotImplementedError); without an address it need not."""
    constraint = name_constraints(**{kind: x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))})
    confirmation = ask(chain({"extensions": (constraint,)}, {"server_name": name}))
    assert confirmation.opinion is opinion
    if opinion is Opinion.CANNOT_JUDGE:
        assert "iPAddress 10.0.0.0/8 of CA 1" in confirmation.detail


def test_our_own_validation_judges_ip_address_constraints(chain, judge, refusal):
    """... and is then the only one: inside the permitted network yes, outside no."""
    constraint = name_constraints(permitted=x509.IPAddress(ipaddress.ip_network("10.0.0.0/8")))
    assert judge(chain({"extensions": (constraint,)}, {"server_name": "10.1.1.1"}))
    assert refusal(chain({"extensions": (constraint,)}, {"server_name": "11.1.1.1"}))


# As a value


def test_inside_a_running_event_loop(chain):
    """As in a notebook."""

    async def within():
        return ask(chain({}, {}))

    assert asyncio.run(within()).opinion is Opinion.VALID


def test_not_asked_is_recorded():
    """``--no-second-opinion`` is in the report."""
    assert NOT_ASKED.to_json() == {"opinion": "not-asked", "by": "pyhanko-certvalidator", "detail": None}
    assert str(NOT_ASKED) == "pyhanko-certvalidator: not-asked"


def test_a_disagreement_is_an_error_with_both_opinions(chain):
    """``build`` raises this error before anything is written."""
    path = chain({}, {})
    confirmation = ask(path, time=AT + timedelta(days=1000))
    error = ConfirmationError(path, confirmation)
    assert "pkcs12kit says valid" in str(error)
    assert confirmation.detail in str(error)
    assert (error.path, error.confirmation) == (path, confirmation)
    assert json.loads(json.dumps(confirmation.to_json()))["opinion"] == "invalid"
