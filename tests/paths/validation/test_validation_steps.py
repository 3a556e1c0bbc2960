"""Certification path validation, each step of RFC 5280 section 6.1 on paths where nothing else matters.

The names of the tests follow the steps; policies by RFC 9618.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from pkcs12kit import lab
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import FailureReason
from pkcs12kit.lab.extensions import authority_key_identifier

from ..constraining import excluded, inhibit_any_policy, mappings, permitted, policies, policy_constraints

AT = datetime(2026, 3, 1, tzinfo=UTC)
ANY_POLICY, RED, BLUE, GREEN = "2.5.29.32.0", "2.999.1", "2.999.2", "2.999.3"
CLIENT_AUTH, SERVER_AUTH = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"


def unknown(*, critical):
    """Return an unknown extension."""
    value = x509.UnrecognizedExtension(ObjectIdentifier("2.999.99"), b"\x05\x00")
    return lab.critical(value) if critical else lab.non_critical(value)


RED_ALL_THE_WAY = {"extensions": (policies(RED),)}


# Section 6.1.3 (a)


def test_a_sound_path_is_valid_and_says_so(chain, judge):
    """6.1.6: the outputs are the working public key, and the policies, here none."""
    path = chain({}, {}, {})
    valid = judge(path)
    assert valid.certificates == path.certificates
    assert valid.working_public_key.info == path.target.subject_public_key_info
    assert valid.authority_constrained_policy_set == valid.user_constrained_policy_set == frozenset()
    assert valid.parameters.time == AT


@pytest.mark.parametrize("position", [0, 1, 2])
def test_6_1_3_a_1_signature(chain, refusal, position):
    """Each certificate is verified with the working public key; the failure names the one that is not."""
    path = chain({}, {}, {})
    certificates = list(path.certificates)
    der = bytearray(certificates[position].der)
    der[-1] ^= 1
    certificates[position] = type(path.target).from_der(bytes(der))
    failure = refusal(dataclasses.replace(path, certificates=tuple(certificates)))
    assert failure.reason is FailureReason.BAD_SIGNATURE
    assert failure.certificate is certificates[position]
    assert failure.section == "RFC 5280 section 6.1.3 (a)(1)"


@pytest.mark.parametrize("position", [0, 1])
def test_6_1_3_a_2_validity(chain, judge, refusal, position):
    """The validity includes the current time, both ends included (4.1.2.5)."""
    validity = lab.Validity.around(AT, days_before=3, days_after=4)
    links = [{}, {}]
    links[1 - position]["validity"] = validity
    path = chain(*links)
    for time in validity:
        assert judge(path, time=time)
    early = refusal(path, time=validity.not_before - timedelta(seconds=1))
    late = refusal(path, time=validity.not_after + timedelta(seconds=1))
    assert (early.reason, late.reason) == (FailureReason.NOT_YET_VALID, FailureReason.EXPIRED)
    assert early.certificate is late.certificate is path.certificates[position]
    assert late.detail == "expired on 2026-03-05T00:00:00Z"
    assert early.detail == "is not valid before 2026-02-26T00:00:00Z"


def test_6_1_3_a_4_names_chain(chain, refusal):
    """The issuer name is the working issuer name; a right key under a wrong name is not enough."""
    path = chain({}, {})
    issuer = lab.Authority.create("CA 1", validity=lab.Validity.around(AT))
    renamed = lab.Authority.create("CA one", private_key=issuer.private_key, validity=lab.Validity.around(AT))
    anchor = lab.Authority.create("TA", validity=lab.Validity.around(AT))
    wrong = CertificationPath(
        certificates=(renamed.issue_server("www.example.com").certificate, anchor.issue_ca(issuer)),
        trust_anchor=dataclasses.replace(path.trust_anchor, certificate=None, constraints=None),
    )
    wrong = dataclasses.replace(
        wrong,
        trust_anchor=dataclasses.replace(
            wrong.trust_anchor, subject_public_key_info=anchor.certificate.subject_public_key_info
        ),
    )
    failure = refusal(wrong)
    assert failure.reason is FailureReason.NAME_CHAINING
    assert failure.certificate is wrong.target
    assert failure.detail == "names as its issuer CN=CA one, not CN=CA 1"


# Section 6.1.3 (b), (c); 6.1.4 (g)


@pytest.mark.parametrize(
    ("constraint", "valid"),
    [
        (permitted(x509.DNSName("example.com")), True),
        (permitted(x509.DNSName("example.org")), False),
        (excluded(x509.DNSName("example.org")), True),
        (excluded(x509.DNSName("example.com")), False),
        (permitted(x509.DNSName("example.org"), x509.DNSName("example.com")), True),
    ],
)
def test_6_1_3_b_c_name_constraints(chain, judge, refusal, constraint, valid):
    """A CA's constraints hold for every certificate below it, at any distance."""
    path = chain({"extensions": (constraint,)}, {}, {})
    if valid:
        assert judge(path)
    else:
        failure = refusal(path)
        assert failure.reason is FailureReason.NAME_CONSTRAINTS
        assert failure.certificate is path.target
        assert "www.example.com" in failure.detail


def test_6_1_4_g_subtrees_are_intersected_and_united(chain, refusal):
    """Permitted subtrees of two CAs both hold, and so do excluded ones."""
    wide, narrow = permitted(x509.DNSName("example.com")), permitted(x509.DNSName("sub.example.com"))
    for first, second in ((wide, narrow), (narrow, wide)):
        path = chain({"extensions": (first,)}, {"extensions": (second,)}, {})
        assert refusal(path).reason is FailureReason.NAME_CONSTRAINTS
    nothing, com = excluded(x509.DNSName("example.org")), excluded(x509.DNSName("example.com"))
    for first, second in ((nothing, com), (com, nothing)):
        path = chain({"extensions": (first,)}, {"extensions": (second,)}, {})
        assert refusal(path).reason is FailureReason.NAME_CONSTRAINTS


def test_6_1_3_b_self_issued_certificates_are_exempt_but_for_the_target(chain, judge, refusal):
    """'If certificate i is self-issued and it is not the final certificate in the path, skip this step'."""
    directory = x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA 1")]))
    constrained = {"name": "CA 1", "extensions": (excluded(directory),)}
    assert judge(chain(constrained, {"name": "CA 1"}, {}))
    final = refusal(chain(constrained, {"name": "CA 1", "ca": True}))
    assert final.reason is FailureReason.NAME_CONSTRAINTS
    other = refusal(chain(constrained, {}, {"name": "CA 1"}))
    assert other.reason is FailureReason.NAME_CONSTRAINTS


def test_a_ca_does_not_constrain_itself(chain, judge):
    """6.1.4 (g) comes after 6.1.3 (b): the constraints are for the certificates below."""
    directory = x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA 1")]))
    assert judge(chain({"extensions": (excluded(directory),)}, {}))


@pytest.mark.parametrize(("subtree", "valid"), [("example.com", True), ("example.org", False)])
def test_6_1_1_h_initial_permitted_subtrees(chain, judge, refusal, subtree, valid):
    """initial-permitted-subtrees hold for the whole path."""
    path, names = chain({}, {}), [x509.DNSName(subtree)]
    if valid:
        assert judge(path, initial_permitted_subtrees=names)
    else:
        assert refusal(path, initial_permitted_subtrees=names).reason is FailureReason.NAME_CONSTRAINTS


@pytest.mark.parametrize(("subtree", "valid"), [("example.com", False), ("example.org", True)])
def test_6_1_1_i_initial_excluded_subtrees(chain, judge, refusal, subtree, valid):
    """initial-excluded-subtrees hold for the whole path."""
    path, names = chain({}, {}), [x509.DNSName(subtree)]
    if valid:
        assert judge(path, initial_excluded_subtrees=names)
    else:
        assert refusal(path, initial_excluded_subtrees=names).reason is FailureReason.NAME_CONSTRAINTS


# Policies: 6.1.3 (d) to (f), 6.1.4 (a), (b), (h) to (j), 6.1.5 (a), (b), (g)


def test_policies_of_the_whole_path_are_the_outputs(chain, judge):
    """6.1.5 (g): what every certificate asserts, and of it what the user accepts."""
    path = chain({"extensions": (policies(RED, BLUE),)}, {"extensions": (policies(RED, GREEN),)})
    assert judge(path).authority_constrained_policy_set == {RED}
    assert judge(path).user_constrained_policy_set == {RED}
    limited = judge(path, user_initial_policy_set={BLUE})
    assert (limited.authority_constrained_policy_set, limited.user_constrained_policy_set) == ({RED}, frozenset())


def test_any_policy_in_a_ca_keeps_the_policies_below(chain, judge):
    """6.1.3 (d)(1)(ii): a policy without match hangs from anyPolicy."""
    path = chain({"extensions": (policies(ANY_POLICY),)}, {"extensions": (policies(RED),)})
    assert judge(path, initial_explicit_policy=True).user_constrained_policy_set == {RED}


def test_any_policy_in_the_target_keeps_the_policies_above(chain, judge):
    """6.1.3 (d)(2)."""
    path = chain({"extensions": (policies(RED),)}, {"extensions": (policies(ANY_POLICY),)})
    assert judge(path, initial_explicit_policy=True).user_constrained_policy_set == {RED}


def test_6_1_1_f_initial_explicit_policy(chain, judge, refusal):
    """A path is valid only with a policy for it, where one is required."""
    failure = refusal(chain({}, {}), initial_explicit_policy=True)
    assert failure.reason is FailureReason.EXPLICIT_POLICY
    assert failure.section == "RFC 5280 section 6.1.3 (f)"
    path = chain(RED_ALL_THE_WAY, RED_ALL_THE_WAY)
    assert judge(path, initial_explicit_policy=True, user_initial_policy_set={RED, BLUE})
    failure = refusal(path, initial_explicit_policy=True, user_initial_policy_set={BLUE, GREEN})
    assert failure.reason is FailureReason.EXPLICIT_POLICY
    assert failure.section == "RFC 5280 section 6.1.5 (g)"
    assert RED in failure.detail
    assert BLUE in failure.detail


@pytest.mark.parametrize(
    ("skip", "section"),
    [
        (0, "RFC 5280 section 6.1.3 (f)"),
        (1, "RFC 5280 section 6.1.3 (f)"),
        (2, "RFC 5280 section 6.1.5 (g)"),
        (3, None),
    ],
)
def test_require_explicit_policy_counts_certificates(chain, judge, refusal, skip, section):
    """4.2.1.11: 'the number of additional certificates that may appear in the path before an explicit policy is
    required', the target's own check in 6.1.5 (a) counting as one more.
    """  # noqa: D205  # quoted whole
    path = chain({"extensions": (policy_constraints(require=skip),)}, {}, {})
    if section is None:
        assert judge(path)
    else:
        assert refusal(path).section == section


def test_6_1_4_h_self_issued_certificates_are_not_counted(chain, judge, refusal):
    """explicit_policy is decremented for certificates that are not self-issued."""
    required = {"name": "CA 1", "extensions": (policy_constraints(require=2),)}
    assert judge(chain(required, {"name": "CA 1"}, {}))
    assert refusal(chain(required, {"name": "CA 2"}, {})).reason is FailureReason.EXPLICIT_POLICY


def test_the_strictest_requirement_holds(chain, refusal):
    """6.1.4 (i): a later, larger skip count does not loosen an earlier one."""
    earlier, later = ({"extensions": (policy_constraints(require=skip),)} for skip in (2, 9))
    assert refusal(chain(earlier, later, {}, {})).reason is FailureReason.EXPLICIT_POLICY


def test_the_strictest_inhibition_holds(chain, refusal):
    """6.1.4 (i), (j): the same of policy mapping and of anyPolicy."""
    any_policy = {"extensions": (policies(ANY_POLICY),)}
    earlier, later = ({"extensions": (policies(ANY_POLICY), inhibit_any_policy(skip))} for skip in (1, 9))
    path = chain(earlier, later, any_policy)
    assert refusal(path, initial_explicit_policy=True).reason is FailureReason.EXPLICIT_POLICY
    earlier, later = ({"extensions": (policies(RED), policy_constraints(inhibit=skip))} for skip in (1, 9))
    mapping = {"extensions": (policies(RED), mappings((RED, BLUE)))}
    path = chain(earlier, later, mapping, {"extensions": (policies(BLUE),)})
    assert refusal(path, initial_explicit_policy=True).reason is FailureReason.EXPLICIT_POLICY


@pytest.mark.parametrize(("skip", "valid"), [(0, False), (1, True)])
def test_6_1_5_b_the_target_can_require_a_policy_of_itself(chain, judge, refusal, skip, valid):
    """'If a policy constraints extension is included in the certificate and requireExplicitPolicy is present and has
    a value of 0, set the explicit_policy state variable to 0'.
    """  # noqa: D205  # quoted whole
    path = chain({}, {"extensions": (policy_constraints(require=skip),)})
    if valid:
        assert judge(path)
    else:
        assert refusal(path).section == "RFC 5280 section 6.1.5 (g)"


@pytest.mark.parametrize(("skip", "valid"), [(0, False), (1, True)])
def test_6_1_4_j_inhibit_any_policy(chain, judge, refusal, skip, valid):
    """After so many certificates anyPolicy matches nothing any more."""
    first = {"extensions": (policies(RED), inhibit_any_policy(skip))}
    path = chain(first, {"extensions": (policies(ANY_POLICY),)})
    if valid:
        assert judge(path, initial_explicit_policy=True)
    else:
        assert refusal(path, initial_explicit_policy=True).reason is FailureReason.EXPLICIT_POLICY


def test_6_1_1_g_initial_any_policy_inhibit(chain, judge, refusal):
    """An anyPolicy in a certificate counts for nothing from the start."""
    path = chain({"extensions": (policies(ANY_POLICY),)}, {"extensions": (policies(RED),)})
    assert judge(path, initial_explicit_policy=True)
    failure = refusal(path, initial_explicit_policy=True, initial_any_policy_inhibit=True)
    assert failure.reason is FailureReason.EXPLICIT_POLICY


def test_6_1_3_d_2_self_issued_cas_may_say_any_policy_and_the_target_may_not(chain, judge, refusal):
    """'inhibit_anyPolicy is greater than 0 or i < n and the certificate is self-issued'."""
    first = {"name": "CA 1", "extensions": (policies(RED), inhibit_any_policy(0))}
    rekeyed = {"name": "CA 1", "extensions": (policies(ANY_POLICY),)}
    assert judge(chain(first, rekeyed, RED_ALL_THE_WAY), initial_explicit_policy=True)
    failure = refusal(chain(first, {**rekeyed, "ca": True}), initial_explicit_policy=True)
    assert failure.reason is FailureReason.EXPLICIT_POLICY


@pytest.mark.parametrize("pair", [(ANY_POLICY, RED), (RED, ANY_POLICY)])
def test_6_1_4_a_any_policy_is_never_mapped(chain, refusal, pair):
    """Neither issuerDomainPolicy nor subjectDomainPolicy is anyPolicy."""
    path = chain({"extensions": (policies(RED), mappings(pair))}, {})
    failure = refusal(path)
    assert failure.reason is FailureReason.POLICY_MAPPING
    assert failure.certificate is path.certificates[1]


def test_6_1_4_b_1_mapping(chain, judge):
    """A policy stands for those it is mapped to; the outputs are in the anchor's domain."""
    first = {"extensions": (policies(RED), mappings((RED, BLUE), (RED, GREEN)))}
    for below in (BLUE, GREEN):
        valid = judge(chain(first, {"extensions": (policies(below),)}), initial_explicit_policy=True)
        assert valid.user_constrained_policy_set == {RED}


def test_6_1_4_b_1_a_mapped_policy_is_no_longer_itself(chain, refusal):
    """expected_policy_set is set to the subjectDomainPolicies: the issuer's own name for it does not match below."""
    first = {"extensions": (policies(RED), mappings((RED, BLUE)))}
    failure = refusal(chain(first, RED_ALL_THE_WAY), initial_explicit_policy=True)
    assert failure.reason is FailureReason.EXPLICIT_POLICY


def test_6_1_1_e_and_6_1_4_b_2_mapping_inhibited(chain, judge, refusal):
    """With policy_mapping 0 the nodes of mapped policies are deleted, others stay."""
    mapped = {"extensions": (policies(RED, GREEN), mappings((RED, BLUE)))}
    below = {"extensions": (policies(BLUE),)}
    inhibited = {"initial_policy_mapping_inhibit": True, "initial_explicit_policy": True}
    assert judge(chain(mapped, below), initial_explicit_policy=True)
    assert refusal(chain(mapped, below), **inhibited).reason is FailureReason.EXPLICIT_POLICY
    assert judge(chain(mapped, {"extensions": (policies(GREEN),)}), **inhibited).user_constrained_policy_set == {GREEN}


@pytest.mark.parametrize(("skip", "valid"), [(0, False), (1, True)])
def test_6_1_4_i_2_inhibit_policy_mapping_counts_certificates(chain, judge, refusal, skip, valid):
    """inhibitPolicyMapping: so many more certificates may map."""
    first = {"extensions": (policies(RED), policy_constraints(inhibit=skip))}
    second = {"extensions": (policies(RED), mappings((RED, BLUE)))}
    path = chain(first, second, {"extensions": (policies(BLUE),)})
    if valid:
        assert judge(path, initial_explicit_policy=True)
    else:
        assert refusal(path, initial_explicit_policy=True).reason is FailureReason.EXPLICIT_POLICY


# Section 6.1.4 (k) to (o), 6.1.5 (f)


@pytest.mark.parametrize(
    "only",
    [
        (),
        (lab.critical(lab.key_usage("crl_sign")),),
        (lab.critical(x509.BasicConstraints(ca=False, path_length=None)),),
    ],
    ids=["no extensions", "no basicConstraints", "cA false"],
)
def test_6_1_4_k_only_a_ca_issues(chain, refusal, only):
    """The basicConstraints are there, and cA is TRUE."""
    path = chain({"only": only}, {})
    failure = refusal(path)
    assert failure.reason is FailureReason.NOT_A_CA
    assert failure.certificate is path.certificates[1]


def test_6_1_4_k_version_1_certificates_issue_nothing(chain, refusal, resign):
    """A version 1 certificate has no basicConstraints, and nothing out of band says that it is a CA's."""
    path = chain({}, {}, anchor_key=(key := lab.KeyType.EC_P256.generate()))

    def to_version_1(tbs):
        tbs["version"] = "v1"
        del tbs["extensions"]

    version_1 = resign(path.certificates[1], key, edit=to_version_1)
    assert version_1.version == 1
    failure = refusal(dataclasses.replace(path, certificates=(path.target, version_1)))
    assert failure.reason is FailureReason.NOT_A_CA


@pytest.mark.parametrize(
    ("links", "valid"),
    [
        ([{"path_length": 0}, {}], True),
        ([{"path_length": 0}, {}, {}], False),
        ([{"path_length": 1}, {}, {}], True),
        ([{"path_length": 1}, {}, {}, {}], False),
        ([{"path_length": 5}, {"path_length": 0}, {}], True),
        ([{"path_length": 5}, {"path_length": 0}, {}, {}], False),
        ([{"path_length": 0}, {"path_length": 5}, {}], False),
        ([{"path_length": 1}, {"path_length": 5}, {}, {}], False),
        ([{"path_length": 0, "name": "CA"}, {"name": "CA"}, {}], True),
        ([{"path_length": 0, "name": "CA"}, {"name": "CA"}, {}, {}], False),
        ([{"path_length": 0}, {"ca": True}], True),
    ],
    ids=[
        "0",
        "0-more",
        "1",
        "1-more",
        "narrowed",
        "narrowed-more",
        "not-widened",
        "not-widened-later",
        "self-issued",
        "si-more",
        "ca-target",
    ],
)
def test_6_1_4_l_m_path_length(chain, judge, refusal, links, valid):
    """pathLenConstraint: intermediates that are not self-issued, below this one; the target is never counted."""
    path = chain(*links)
    if valid:
        assert judge(path)
    else:
        failure = refusal(path)
        assert failure.reason is FailureReason.PATH_LENGTH
        assert failure.section == "RFC 5280 section 6.1.4 (l)"


@pytest.mark.parametrize(("allowed", "valid"), [(0, False), (1, False), (2, True), (3, True)])
def test_6_1_2_k_max_path_length_may_be_given(chain, judge, refusal, allowed, valid):
    """Two intermediates need two."""
    path = chain({}, {}, {})
    if valid:
        assert judge(path, max_path_length=allowed)
    else:
        assert refusal(path, max_path_length=allowed).reason is FailureReason.PATH_LENGTH


def test_6_1_4_n_key_usage(chain, judge, refusal):
    """'If a key usage extension is present, verify that the keyCertSign bit is set'; absent, it forbids nothing."""
    path = chain({"extensions": (lab.critical(lab.key_usage("crl_sign", "digital_signature")),)}, {})
    failure = refusal(path)
    assert failure.reason is FailureReason.KEY_USAGE
    assert failure.certificate is path.certificates[1]
    assert judge(chain({"only": (lab.critical(x509.BasicConstraints(ca=True, path_length=None)),)}, {}))


@pytest.mark.parametrize(
    "links", [[{"extensions": (unknown(critical=True),)}, {}], [{}, {"extensions": (unknown(critical=True),)}]]
)
def test_6_1_4_o_and_6_1_5_f_unknown_critical_extensions(chain, refusal, links):
    """A critical extension that is not processed is rejected, in a CA certificate and in the target."""
    failure = refusal(chain(*links))
    assert failure.reason is FailureReason.UNKNOWN_CRITICAL_EXTENSION
    assert "2.999.99" in failure.detail


def test_unknown_extensions_that_are_not_critical_are_nothing(chain, judge):
    """4.2: 'A non-critical extension MAY be ignored if it is not recognized'."""
    assert judge(chain({"extensions": (unknown(critical=False),)}, {"extensions": (unknown(critical=False),)}))


def test_every_processed_extension_may_be_critical(chain, judge):
    """The extensions of 6.1, and those of TLS clients, are processed: critical or not, they are accepted."""
    directory = x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "www.example.com")]))
    path = chain(
        {
            "extensions": (
                lab.critical(lab.certificate_policies(RED)),
                mappings((RED, RED)),
                policy_constraints(require=0, inhibit=5),
                inhibit_any_policy(0),
                permitted(directory),
                lab.critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
            )
        },
        {
            "extensions": (
                lab.critical(lab.certificate_policies(RED)),
                lab.critical(x509.SubjectAlternativeName([x509.DNSName("www.example.com")])),
                lab.critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
                lab.critical(lab.key_usage("digital_signature")),
                lab.critical(x509.BasicConstraints(ca=False, path_length=None)),
            )
        },
    )
    assert judge(path, server_name="www.example.com").user_constrained_policy_set == {RED}


def test_an_extension_that_is_not_processed_is_not_just_because_it_is_known(chain, refusal):
    """An authorityKeyIdentifier MUST NOT be critical (4.2.1.1) and is a hint here: critical, it is refused."""
    key = lab.KeyType.EC_P256.generate().public_key()
    path = chain({"extensions": (lab.critical(authority_key_identifier(key)),)}, {})
    assert refusal(path).reason is FailureReason.UNKNOWN_CRITICAL_EXTENSION


# What TLS clients add


@pytest.mark.parametrize(
    ("in_ca", "in_target", "purpose", "valid"),
    [
        (None, [SERVER_AUTH], SERVER_AUTH, True),
        (None, None, SERVER_AUTH, True),
        (None, [CLIENT_AUTH], SERVER_AUTH, False),
        ([CLIENT_AUTH], [SERVER_AUTH], SERVER_AUTH, False),
        ([CLIENT_AUTH, SERVER_AUTH], [SERVER_AUTH], SERVER_AUTH, True),
        (["2.5.29.37.0"], [SERVER_AUTH], SERVER_AUTH, True),
        ([CLIENT_AUTH], [CLIENT_AUTH], CLIENT_AUTH, True),
        ([CLIENT_AUTH], [CLIENT_AUTH], None, True),
    ],
)
def test_extended_key_usage_is_nested_through_cas(chain, judge, refusal, in_ca, in_target, purpose, valid):
    """4.2.1.12, asked of CA certificates as TLS clients do; no extension allows every purpose."""

    def usages(oids, others):
        usage = x509.ExtendedKeyUsage([ObjectIdentifier(oid) for oid in oids or ()])
        return {"extensions": (lab.non_critical(usage),)} if oids else others

    no_usage = {"only": (lab.non_critical(x509.SubjectAlternativeName([x509.DNSName("www.example.com")])),)}
    path = chain(usages(in_ca, {}), usages(in_target, no_usage))
    if valid:
        assert judge(path, extended_key_usage=purpose)
    else:
        failure = refusal(path, extended_key_usage=purpose)
        assert failure.reason is FailureReason.EXTENDED_KEY_USAGE
        assert failure.certificate is path.certificates[0 if in_ca is None else 1]


def test_the_server_name_is_of_the_target_alone(chain, judge, refusal):
    """RFC 9525; asking for a server asks for serverAuth too, unless another purpose is asked for."""
    path = chain({}, {})
    assert judge(path, server_name="www.example.com")
    failure = refusal(path, server_name="www.example.org")
    assert (failure.reason, failure.section) == (FailureReason.SERVER_NAME, "RFC 9525 section 6")
    client = lab.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]))
    path = chain({}, {"extensions": (client,)})
    assert refusal(path, server_name="www.example.com").reason is FailureReason.EXTENDED_KEY_USAGE
    assert judge(path, server_name="www.example.com", extended_key_usage=CLIENT_AUTH)


# The profile of section 4


def no_names():
    """Make an empty distinguished name."""
    return x509.Name([])


def test_a_target_without_any_name_is_refused(chain, judge, refusal):
    """4.1.2.6: an empty subject needs a subjectAltName."""
    named = lab.critical(x509.SubjectAlternativeName([x509.DNSName("www.example.com")]))
    assert judge(chain({}, {"name": no_names(), "only": (named,)}))
    failure = refusal(chain({}, {"name": no_names(), "only": ()}))
    assert failure.reason is FailureReason.MALFORMED_CERTIFICATE
    assert failure.section == "RFC 5280 section 4.1.2.6"


def test_a_ca_without_a_name_is_refused(chain, refusal):
    """4.1.2.6: 'If the subject is a CA, then the subject field MUST be populated with a non-empty name'."""
    named = lab.critical(x509.SubjectAlternativeName([x509.DNSName("ca.example.com")]))
    for extensions in ((), (named,)):
        path = chain({"name": no_names(), "extensions": extensions}, {})
        failure = refusal(path)
        assert failure.reason is FailureReason.MALFORMED_CERTIFICATE
        assert failure.certificate is path.certificates[1]
        assert failure.section == "RFC 5280 section 4.1.2.6"


def test_an_issuer_without_a_name_is_refused(refusal):
    """4.1.2.4: 'The issuer field MUST contain a non-empty distinguished name'."""
    anchor = lab.Authority.create(no_names(), validity=lab.Validity.around(AT))
    target = anchor.issue_server("www.example.com").certificate
    path = CertificationPath(certificates=(target,), trust_anchor=TrustAnchor.from_certificate(anchor.certificate))
    failure = refusal(path)
    assert (failure.reason, failure.certificate) == (FailureReason.MALFORMED_CERTIFICATE, target)
    assert failure.section == "RFC 5280 section 4.1.2.4"


@pytest.mark.parametrize(
    "extension",
    [
        x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.19"), b"\xff\xff"),
        x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.33"), b"\x30\x03\x02\x01"),
        x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.30"), b"\x04\x00"),
    ],
    ids=["basicConstraints", "policyMappings", "nameConstraints"],
)
def test_malformed_extensions_are_never_passed_over(chain, refusal, extension):
    """Not critical and unreadable is still a no: what it would have said is not known."""
    path = chain({}, {"extensions": (lab.non_critical(extension),)})
    failure = refusal(path)
    assert failure.reason is FailureReason.MALFORMED_CERTIFICATE
    assert failure.certificate is path.target
