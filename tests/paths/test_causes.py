"""The causes of failures and what would pass, each proved on certificates that are issued again.

test_causes_properties.py proves the same for random paths.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from pkcs12kit import DEFAULT_LIMITS, CertificatePool, ValidationParameters, algorithms, find_paths, lab
from pkcs12kit.errors import FailureReason

from .constraining import excluded, inhibit_any_policy, mappings, permitted, policies, policy_constraints, purposes

AT = datetime(2026, 3, 1, tzinfo=UTC)
RED, BLUE, GREEN, ANY = "2.999.1", "2.999.2", "2.999.3", "2.5.29.32.0"
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH.dotted_string


@pytest.fixture
def why(chain):
    """Return the first failure of a path made of these links, as a search reports it."""

    def ask(*links, anchor_extensions=(), **asked):
        path = chain(*links, anchor_extensions=anchor_extensions)
        report = find_paths(
            path.target,
            pool=CertificatePool(path.certificates[1:]),
            trust_anchors=[path.trust_anchor],
            parameters=ValidationParameters(time=AT, **asked),
        )
        assert not report.valid
        failure = report.rejected[0].failures[0]
        assert failure.descent is None
        return failure

    return ask


def told(failure):
    """Return who imposes what, by label, extension and value."""
    return [
        (None if cause.certificate is None else cause.certificate.label, cause.extension, cause.value)
        for cause in failure.causes
    ]


def stating(*extensions, **more):
    """Return a link with these extensions."""
    return {"extensions": extensions, **more}


def test_path_length_names_the_ca_its_value_and_the_cas_below(why):
    """4.2.1.9: CA 1 allows no CA below it, and two are there; the self-issued one does not count."""
    failure = why({"path_length": 0}, {}, {"name": "CA 2"}, {}, {})
    assert failure.reason is FailureReason.PATH_LENGTH
    assert told(failure) == [("CA 1", "basicConstraints", "pathLenConstraint 0")]
    assert failure.causes[0].detail == "allows no CA certificate below it; there are 2: CA 2, CA 4"
    assert failure.would_pass == "no CA certificate below CA 1 (or a pathLenConstraint of at least 2)"


def test_path_length_of_several_and_of_the_caller(why):
    """Each constraint that is exceeded is named; one that is kept is not."""
    failure = why({"path_length": 1}, {"path_length": 0}, {}, {}, max_path_length=2)
    assert told(failure) == [
        (None, "max_path_length", "2"),
        ("CA 1", "basicConstraints", "pathLenConstraint 1"),
        ("CA 2", "basicConstraints", "pathLenConstraint 0"),
    ]


NAMES = [
    (permitted("example.org"), "permitted: dNSName 'example.org'", "a dNSName within 'example.org'"),
    (excluded("example.com"), "excluded: dNSName 'example.com'", "a dNSName outside 'example.com'"),
]


@pytest.mark.parametrize(("extension", "value", "would_pass"), NAMES)
def test_name_constraints_name_the_ca_the_subtrees_and_the_name(why, extension, value, would_pass):
    """4.2.1.10: the CA above, its subtrees, the name that violates them, and a name that would not."""
    failure = why({}, stating(extension), {}, {"server_name": "www.example.com"})
    assert failure.reason is FailureReason.NAME_CONSTRAINTS
    assert told(failure) == [("CA 2", "nameConstraints", value)]
    assert failure.causes[0].detail.endswith("dNSName 'www.example.com'")
    assert failure.would_pass.startswith(would_pass)


def test_permitted_subtrees_of_several_cas_are_intersected(why):
    """6.1.4 (g): what would pass lies within all of them; where nothing does, that is said."""
    both = why(stating(permitted("example.org", "example.net")), stating(permitted("a.example.org")), {})
    assert [cause.certificate.label for cause in both.causes] == ["CA 1", "CA 2"]
    assert both.would_pass == "a dNSName within 'a.example.org', for example 'a.example.org'"
    none = why(stating(permitted("example.org")), stating(permitted("example.net")), {})
    assert none.would_pass == "a certificate without dNSName: what CA 1 and CA 2 permit has nothing in common"


def test_name_constraints_of_the_anchor_and_of_the_caller(why):
    """RFC 5937 and 6.1.1 (h): the anchor's certificate, and no certificate for the caller."""
    anchor = why({}, {}, anchor_extensions=[permitted("example.org")])
    assert told(anchor) == [("TA", "nameConstraints", "permitted: dNSName 'example.org'")]
    caller = why({}, {}, initial_excluded_subtrees=[x509.DNSName("example.com")])
    assert told(caller) == [(None, "initial-subtrees", "excluded: dNSName 'example.com'")]


SUBTREES = [
    x509.RFC822Name("example.org"),
    x509.RFC822Name(".example.org"),
    x509.RFC822Name("a@example.org"),
    x509.DNSName("example.org"),
    x509.DNSName(".example.org"),
    x509.UniformResourceIdentifier("example.org"),
    x509.UniformResourceIdentifier(".example.org"),
    x509.IPAddress(ipaddress.ip_network("10.0.0.0/8")),
    x509.IPAddress(ipaddress.ip_network("2001:db8::/32")),
    x509.DirectoryName(lab.authority.as_name("Elsewhere")),
]
WRONG = {
    x509.RFC822Name: x509.RFC822Name("a@example.com"),
    x509.DNSName: x509.DNSName("www.example.com"),
    x509.UniformResourceIdentifier: x509.UniformResourceIdentifier("https://www.example.com/"),
    x509.IPAddress: x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
    x509.DirectoryName: None,
}


@pytest.mark.parametrize("subtree", SUBTREES, ids=str)
def test_the_example_of_a_permitted_name_is_permitted(why, chain, judge, subtree):
    """A certificate with the example in place of the refused name is valid: of every form that is processed."""
    kind, ca = type(subtree), stating(permitted(subtree))
    name = WRONG[kind]
    if name is None:
        failure = why(ca, {})
        assert failure.would_pass == "a directoryName within CN=Elsewhere, for example CN=Elsewhere"
        assert judge(chain(ca, {"name": "Elsewhere"}))
        return
    failure = why(ca, stating(lab.non_critical(x509.SubjectAlternativeName([name]))))
    assert failure.reason is FailureReason.NAME_CONSTRAINTS
    text = failure.would_pass.rpartition("for example ")[2].strip("'")
    example = kind(ipaddress.ip_address(text) if kind is x509.IPAddress else text)
    assert judge(chain(ca, stating(lab.non_critical(x509.SubjectAlternativeName([example])))))


def test_a_subtree_that_excludes_everything_leaves_no_name(why):
    """No name of the form would pass, and none is promised."""
    failure = why(stating(excluded("")), {})
    assert failure.would_pass == "a certificate without dNSName"


def test_purpose_names_the_certificate_its_purposes_and_what_is_needed(why):
    """4.2.1.12: the certificate that limits the purposes, a CA or the server's, and the purpose that is asked for."""
    client = purposes(ExtendedKeyUsageOID.CLIENT_AUTH)
    for links, label in (((stating(client), {}), "CA 1"), (({}, stating(client)), "www.example.com")):
        failure = why(*links, server_name="www.example.com")
        assert told(failure) == [
            (label, "extKeyUsage", "clientAuth (1.3.6.1.5.5.7.3.2)"),
            (None, "extended-key-usage", "serverAuth (1.3.6.1.5.5.7.3.1)"),
        ]
        assert failure.would_pass.startswith("an extKeyUsage with serverAuth")


def test_server_name_lists_the_names_and_what_to_ask_for(why, chain, judge):
    """RFC 9525: the names that are in the certificate; asked for one of them, the path is valid."""
    failure = why({}, {"server_name": "www.example.com"}, server_name="mdm.example.mil")
    assert told(failure)[0] == ("www.example.com", "subjectAltName", "www.example.com")
    expected = "the name www.example.com instead of mdm.example.mil, or a certificate with the dNSName mdm.example.mil"
    assert failure.would_pass == expected
    assert judge(chain({}, {"server_name": "www.example.com"}), server_name="www.example.com")
    assert judge(chain({}, {"server_name": "mdm.example.mil"}), server_name="mdm.example.mil")


def test_key_usage_ca_and_critical_extensions(why):
    """6.1.4 (k), (n), (o): the value that is there, and the one that is needed."""
    no_sign = lab.critical(lab.key_usage("crl_sign"))
    usage = why(stating(no_sign), {})
    assert told(usage) == [("CA 1", "keyUsage", "cRLSign")]
    assert "keyCertSign" in usage.would_pass
    odd = lab.critical(x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.5.5.7.1.12"), b"\x05\x00"))
    critical = why({}, stating(odd))
    assert told(critical) == [("www.example.com", "logotype (1.3.6.1.5.5.7.1.12)", "critical")]


def test_weak_algorithms_name_the_key_or_the_signature_and_the_minimum(why):
    """The policy's own figures are in what would pass."""
    strict = dataclasses.replace(algorithms.DEFAULT, name="strict", minimum_curve_bits=384)
    failure = why({}, {}, algorithm_policy=strict)
    assert failure.reason is FailureReason.WEAK_ALGORITHM
    assert told(failure) == [("CA 1", "subjectPublicKeyInfo", "EC P-256")]
    assert "elliptic curve of at least 384 bits" in failure.would_pass
    refusing = dataclasses.replace(algorithms.DEFAULT, name="no-sha256", refused_hashes={hashes.SHA256.name})
    signed = why({}, {}, algorithm_policy=refusing)
    assert told(signed) == [("www.example.com", "signatureAlgorithm", "ecdsa-with-SHA256, with a key EC P-256")]
    assert signed.would_pass == "a signature with a hash other than SHA-256"


def test_a_ca_requires_a_policy_that_is_not_there(why):
    """6.1.3 (f): who requires it, whose certificate has none, and which policies would pass."""
    failure = why(stating(policies(RED), policy_constraints(require=0)), stating(policies(RED)), {})
    assert told(failure) == [
        ("CA 1", "policyConstraints", "requireExplicitPolicy 0"),
        ("www.example.com", "certificatePolicies", "absent"),
    ]
    assert failure.causes[1].detail == f"states no policy; expected here: {RED}"
    assert failure.would_pass == f"a certificate for www.example.com with the policy {RED}"
    assert [row.certificate.label for row in failure.policies] == ["CA 1", "CA 2", "www.example.com"]
    assert [row.states for row in failure.policies] == [(RED,), (RED,), None]
    assert [row.expected for row in failure.policies] == [(ANY,), (RED,), (RED,)]


def test_mappings_change_what_is_expected(why):
    """RFC 5280 section 4.2.1.5: below the bridge its subject's policy is expected, and not the issuer's."""
    bridge = stating(policies(RED), mappings((RED, BLUE)), policy_constraints(require=0))
    failure = why(bridge, stating(policies(RED)), {})
    assert ("CA 1", "policyMappings", f"{RED} to {BLUE}") in told(failure)
    assert failure.policies[0].passed_on == (BLUE,)
    assert failure.would_pass is None or BLUE in failure.would_pass


def test_who_inhibits_mapping_and_any_policy(why):
    """6.1.4 (b)(2), 6.1.3 (d)(2): the certificate whose inhibition matters, and the one that it affects."""
    first = stating(policies(RED), policy_constraints(require=0, inhibit=0))
    mapped = why(first, stating(policies(RED), mappings((RED, BLUE))), stating(policies(BLUE)))
    assert ("CA 1", "policyConstraints", "inhibitPolicyMapping 0") in told(mapped)
    no_any = stating(policies(RED), policy_constraints(require=0), inhibit_any_policy(0))
    inhibited = why(no_any, stating(policies(ANY)), stating(policies(RED)))
    assert ("CA 1", "inhibitAnyPolicy", "0") in told(inhibited)
    assert inhibited.would_pass == f"a certificate for CA 2 with the policy {RED}"


def test_the_caller_asks_for_a_policy_of_another_domain(why, chain, judge):
    """6.1.5 (g): the policies that the path is valid for, and the mapping by which the asked one is called another."""
    links = (stating(policies(RED), mappings((RED, BLUE))), stating(policies(BLUE)))
    asked = {"user_initial_policy_set": {BLUE}, "initial_explicit_policy": True}
    failure = why(*links, **asked)
    assert told(failure) == [
        (None, "initial-explicit-policy", "TRUE"),
        (None, "user-initial-policy-set", BLUE),
        ("CA 1", "policyMappings", f"to {BLUE}"),
    ]
    assert failure.would_pass == f"one of the policies that the path is valid for: {RED}, or no policy asked for"
    assert judge(chain(*links), user_initial_policy_set={RED}, initial_explicit_policy=True)


def test_no_policy_asked_for_would_pass_only_where_nobody_requires_one(why, chain):
    """6.1.3 (f), 6.1.5 (b), RFC 5937: a requirement further down, or of an anchor without certificate, counts too."""
    asked = {"initial_explicit_policy": True}
    assert why({}, {}, {}, **asked).would_pass.endswith("or no policy asked for")
    for lower in ([stating(policy_constraints(require=0)), {}], [{}, stating(policy_constraints(require=0))]):
        assert why({}, *lower, **asked).would_pass == "a certificate for CA 1 with any policy"
    path = chain({}, {}, anchor_extensions=[policy_constraints(require=0)])
    report = find_paths(
        path.target,
        pool=CertificatePool(path.certificates[1:]),
        trust_anchors=[dataclasses.replace(path.trust_anchor, certificate=None)],
        parameters=ValidationParameters(time=AT, **asked),
    )
    assert report.rejected[0].failures[0].would_pass == "a certificate for CA 1 with any policy"
    assert "leave --policy out" not in " ".join(hint.text for hint in report.hints)


def test_the_number_of_explained_failures_is_limited(chain):
    """``limits.explained_failures``: the failures beyond it are reported without causes."""
    path = chain({"path_length": 0}, {}, {})
    report = find_paths(
        path.target,
        pool=CertificatePool(path.certificates[1:]),
        trust_anchors=[path.trust_anchor],
        parameters=ValidationParameters(time=AT),
        limits=dataclasses.replace(DEFAULT_LIMITS, explained_failures=0),
    )
    failure = report.rejected[0].failures[0]
    assert (failure.reason, failure.causes, failure.descent) == (FailureReason.PATH_LENGTH, (), None)
