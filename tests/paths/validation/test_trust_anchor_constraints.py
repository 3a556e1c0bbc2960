"""Constraints of a trust anchor that is given as a certificate (RFC 5937 section 3), on and off."""

from __future__ import annotations

import dataclasses

import pytest
from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

from pkcs12kit import lab
from pkcs12kit.errors import FailureReason

RED, BLUE = "2.999.1", "2.999.2"
STATES_RED = {"extensions": (lab.non_critical(lab.certificate_policies(RED)),)}
STATES_BLUE = {"extensions": (lab.non_critical(lab.certificate_policies(BLUE)),)}


def constraints(*, permitted=None, excluded=None):
    """Make name constraints of one dNSName."""
    return lab.critical(
        x509.NameConstraints(
            permitted_subtrees=[x509.DNSName(permitted)] if permitted else None,
            excluded_subtrees=[x509.DNSName(excluded)] if excluded else None,
        )
    )


@pytest.mark.parametrize(
    ("extension", "links", "reason"),
    [
        (constraints(permitted="example.org"), [{}, {}], FailureReason.NAME_CONSTRAINTS),
        (constraints(excluded="example.com"), [{}, {}], FailureReason.NAME_CONSTRAINTS),
        (lab.critical(x509.BasicConstraints(ca=True, path_length=0)), [{}, {}], FailureReason.PATH_LENGTH),
        (lab.critical(x509.PolicyConstraints(0, None)), [{}, {}], FailureReason.EXPLICIT_POLICY),
        (lab.critical(x509.BasicConstraints(ca=False, path_length=None)), [{}, {}], FailureReason.NOT_A_CA),
        (lab.critical(lab.key_usage("crl_sign")), [{}, {}], FailureReason.KEY_USAGE),
        (
            lab.critical(x509.UnrecognizedExtension(ObjectIdentifier("2.999.99"), b"\x05\x00")),
            [{}, {}],
            FailureReason.UNKNOWN_CRITICAL_EXTENSION,
        ),
    ],
    ids=["permitted", "excluded", "path length", "policy constraints", "cA false", "key usage", "unknown critical"],
)
def test_the_anchors_own_certificate_narrows_what_it_is_trusted_for(chain, judge, refusal, extension, links, reason):
    """By default; switched off, only name and key count, as RFC 5280 section 6.1 has it."""
    path = chain(*links, anchor_extensions=(extension,))
    assert refusal(path).reason is reason
    assert judge(path, use_trust_anchor_constraints=False)


def test_constraints_that_are_kept_do_not_disturb(chain, judge):
    """All of them at once, none broken."""
    path = chain(
        STATES_RED,
        STATES_RED,
        anchor_extensions=(
            constraints(permitted="example.com", excluded="example.org"),
            lab.critical(x509.BasicConstraints(ca=True, path_length=1)),
            lab.critical(x509.PolicyConstraints(0, 0)),
            lab.critical(x509.InhibitAnyPolicy(0)),
            lab.non_critical(lab.certificate_policies(RED)),
        ),
    )
    assert judge(path).user_constrained_policy_set == {RED}


def test_the_anchors_policies_narrow_the_user_initial_policy_set(chain, judge, refusal):
    """RFC 5937 section 3.2: the intersection of what the user accepts and what the anchor is trusted for."""
    only_red = {"anchor_extensions": (lab.non_critical(lab.certificate_policies(RED)),)}
    explicit = {"initial_explicit_policy": True}
    red, blue = chain(STATES_RED, STATES_RED, **only_red), chain(STATES_BLUE, STATES_BLUE, **only_red)
    assert judge(red, **explicit).user_constrained_policy_set == {RED}
    assert refusal(blue, **explicit).reason is FailureReason.EXPLICIT_POLICY
    assert refusal(red, **explicit, user_initial_policy_set={BLUE}).reason is FailureReason.EXPLICIT_POLICY
    assert judge(blue, **explicit, use_trust_anchor_constraints=False).user_constrained_policy_set == {BLUE}


def test_what_the_user_accepts_and_the_anchor_is_trusted_for_is_intersected(chain, judge, refusal):
    """Trusted for red alone: a path for red and blue is one for red, and none where the user accepts blue."""
    both = {"extensions": (lab.non_critical(lab.certificate_policies(RED, BLUE)),)}
    path = chain(both, both, anchor_extensions=(lab.non_critical(lab.certificate_policies(RED)),))
    explicit = {"initial_explicit_policy": True}
    assert judge(path, **explicit, user_initial_policy_set={RED, BLUE}).user_constrained_policy_set == {RED}
    assert refusal(path, **explicit, user_initial_policy_set={BLUE}).reason is FailureReason.EXPLICIT_POLICY


def test_any_policy_of_the_anchor_narrows_nothing(chain, judge):
    """An anchor for every policy."""
    everything = (lab.non_critical(lab.certificate_policies("2.5.29.32.0", RED)),)
    path = chain(STATES_BLUE, STATES_BLUE, anchor_extensions=everything)
    assert judge(path, initial_explicit_policy=True).user_constrained_policy_set == {BLUE}


@pytest.mark.parametrize(("inhibit", "valid"), [(0, False), (1, True)])
def test_inhibit_policy_mapping_of_the_anchor(chain, judge, refusal, inhibit, valid):
    """The anchor's skip count is that of the first certificate."""
    mapping = (lab.non_critical(lab.certificate_policies(RED)), lab.critical(lab.policy_mappings((RED, BLUE))))
    path = chain(
        {"extensions": mapping}, STATES_BLUE, anchor_extensions=(lab.critical(x509.PolicyConstraints(None, inhibit)),)
    )
    if valid:
        assert judge(path, initial_explicit_policy=True)
    else:
        assert refusal(path, initial_explicit_policy=True).reason is FailureReason.EXPLICIT_POLICY


def test_inhibit_any_policy_of_the_anchor(chain, judge, refusal):
    """Zero: anyPolicy in the first certificate matches nothing."""
    path = chain(
        {"extensions": (lab.non_critical(lab.certificate_policies("2.5.29.32.0")),)},
        STATES_RED,
        anchor_extensions=(lab.critical(x509.InhibitAnyPolicy(0)),),
    )
    assert refusal(path, initial_explicit_policy=True).reason is FailureReason.EXPLICIT_POLICY
    assert judge(path, initial_explicit_policy=True, use_trust_anchor_constraints=False)


def test_an_anchor_without_certificate_has_no_constraints(chain, judge):
    """A name and a key, and nothing that narrows them."""
    path = chain({}, {}, anchor_extensions=(constraints(permitted="example.org"),))
    bare = dataclasses.replace(path.trust_anchor, certificate=None, constraints=None)
    assert judge(dataclasses.replace(path, trust_anchor=bare))


def test_constraints_without_a_certificate_count(chain, refusal):
    """Constraints may be given by themselves (RFC 5914 has them beside name and key)."""
    path = chain({}, {}, anchor_extensions=(constraints(permitted="example.org"),))
    without = dataclasses.replace(path.trust_anchor, certificate=None)
    assert refusal(dataclasses.replace(path, trust_anchor=without)).reason is FailureReason.NAME_CONSTRAINTS


def test_an_old_root_without_extensions_is_an_anchor(judge, chain, resign):
    """A version 1 root: nothing in it that narrows, basicConstraints that say no CA least of all."""
    key = lab.KeyType.EC_P256.generate()
    path = chain({}, {}, anchor_key=key)

    def to_version_1(tbs):
        tbs["version"] = "v1"
        del tbs["extensions"]

    old = resign(path.trust_anchor.certificate, key, edit=to_version_1)
    assert judge(dataclasses.replace(path, trust_anchor=type(path.trust_anchor).from_certificate(old)))
