"""Random paths that break a rule: what the explanation says is tried on certificates that are issued again.

- Without the statements that are named as the imposers of the rule, this failure is gone.
- With what *would pass*, it is gone as well.
- Each imposer that is named is enough: with only that one left, the failure is still there.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache

from asn1crypto import parser
from cryptography import x509
from cryptography.x509.oid import ExtensionOID
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pkcs12kit import DEFAULT_LIMITS, TrustAnchor, ValidationParameters, lab
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.budget import SearchBudget
from pkcs12kit.paths.failure import Descent, InvalidPathError
from pkcs12kit.paths.signatures import SignatureMemory
from pkcs12kit.paths.validation.explanation import explained
from pkcs12kit.paths.validation.faults import faults
from pkcs12kit.paths.validation.policy_replay import Change, PolicyReplay
from pkcs12kit.paths.validation.validator import validate

from ..thoroughness import examples
from .constraining import mappings, policies

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = lab.Validity.around(AT)
P, Q, R, ANY = "2.999.1", "2.999.2", "2.999.3", "2.5.29.32.0"
MEMORY = SignatureMemory(size=100_000)

# A certificate is a dictionary of its statements; a path is a list of them, the anchor first and the target last.
POLICIES = st.sampled_from([None, (P,), (Q,), (P, Q), (ANY,), (ANY, P)])
SKIP = st.sampled_from([None, None, None, 0, 1, 2])
MAPS = st.sampled_from([None, None, ((P, Q),), ((Q, P),), ((P, Q), (P, R)), ((P, P),)])
LENGTH = st.sampled_from([None, None, 0, 1, 2])
SUBTREES = ("example.com", "example.org", "a.example.org", "", ".example.org", "a.example.com")
PERMITTED = st.sampled_from([None, None, *((one,) for one in SUBTREES), ("example.org", "a.example.com")])
EXCLUDED = st.sampled_from([None, None, None, ("example.com",), ("a.example.org",), ("example.org", "example.com")])


def states(**fields):
    """Draw the statements of one certificate."""
    return st.fixed_dictionaries({"same_name": st.sampled_from([False, False, False, True]), **fields})


OF_POLICIES = {"policies": POLICIES, "require": SKIP, "inhibit": SKIP, "any": SKIP, "maps": MAPS}
POLICY_PATHS = st.lists(states(**OF_POLICIES), min_size=2, max_size=5)
LENGTH_PATHS = st.lists(states(length=LENGTH), min_size=3, max_size=6)
NAME_PATHS = st.lists(states(permitted=PERMITTED, excluded=EXCLUDED), min_size=2, max_size=4)
ASKED = st.fixed_dictionaries(
    {},
    optional={
        "user_initial_policy_set": st.sampled_from([frozenset({P}), frozenset({Q}), frozenset({R, Q})]),
        "initial_explicit_policy": st.booleans(),
        "initial_policy_mapping_inhibit": st.booleans(),
        "initial_any_policy_inhibit": st.booleans(),
    },
)


def element(tag, contents):
    """Encode one element of DER."""
    return parser.emit(tag >> 6, tag >> 5 & 1, tag & 0x1F, contents)


@cache
def key(number):
    """Return the key of the CA at a place: the same in each example."""
    assert number >= 0
    return lab.KeyType.EC_P256.generate()


def extensions_of(own):
    """Return the extensions of a certificate with these statements."""
    found = []
    if own.get("policies") is not None:
        found.append(policies(*own["policies"]))
    if own.get("maps"):
        found.append(mappings(*own["maps"]))
    if own.get("require") is not None or own.get("inhibit") is not None:
        found.append(lab.critical(x509.PolicyConstraints(own.get("require"), own.get("inhibit"))))
    if own.get("any") is not None:
        found.append(lab.critical(x509.InhibitAnyPolicy(own["any"])))
    if own.get("permitted") or own.get("excluded"):
        subtrees = [
            None if own.get(name) is None else [x509.DNSName(one) for one in own[name]]
            for name in ("permitted", "excluded")
        ]
        found.append(lab.critical(x509.NameConstraints(*subtrees)))
    if own.get("length") is not None:
        found.append(lab.critical(x509.BasicConstraints(ca=True, path_length=own["length"])))
    return tuple(found)


def made(drawn, server_name="www.example.com"):
    """Issue the certificates of a path; a CA with the same name as the one above it is self-issued."""
    name = "TA"
    root = lab.Authority.create(name, private_key=key(0), validity=SPAN, extensions=extensions_of(drawn[0]))
    issuer, certificates = root, []
    for number, own in enumerate(drawn[1:-1], start=1):
        name = name if own["same_name"] else f"CA {number}"
        subject = lab.Authority.create(name, private_key=key(number), validity=SPAN)
        certificates.insert(0, issuer.issue_ca(subject, extensions=extensions_of(own), serial_number=number))
        issuer = subject
    last = {name: value for name, value in drawn[-1].items() if name not in {"length", "permitted", "excluded"}}
    target = issuer.issue_server(server_name, private_key=key(99), extensions=extensions_of(last)).certificate
    return CertificationPath(
        certificates=(target, *certificates), trust_anchor=TrustAnchor.from_certificate(root.certificate)
    )


def failure_of(path, asked):
    """Return the explained failure of a path; None where it is valid."""
    try:
        parameters = ValidationParameters(time=AT, **asked)
        validate(path, parameters, budget=SearchBudget(DEFAULT_LIMITS), memory=MEMORY)
    except InvalidPathError as no:
        return explained(no.failure, limits=DEFAULT_LIMITS, path=path.certificates)
    return None


def place_of(path, certificate):
    """Return the number of a certificate in what was drawn; 0 is the anchor."""
    if certificate == path.trust_anchor.certificate:
        return 0
    return len(path.certificates) - path.certificates.index(certificate)


def label_at(path, place):
    """Return the label of the certificate at a place as a sentence has it."""
    return path.certificates[len(path.certificates) - place].label


def is_same(before, after, path, again):
    """Return True where a failure is of the same kind and about the same place."""
    if after is None or after.reason is not before.reason:
        return False
    return place_of(again, after.certificate) == place_of(path, before.certificate)


def changed(drawn, places, **values):
    """Return the statements with other values at these places."""
    return [own | values if number in places else own for number, own in enumerate(drawn)]


def imposing(path, failure, extension, start=""):
    """Return the places of the certificates whose statements of one kind are named."""
    return {
        place_of(path, cause.certificate)
        for cause in failure.causes
        if cause.certificate is not None and cause.extension == extension and cause.value.startswith(start)
    }


@settings(max_examples=examples(200), deadline=None)
@given(drawn=LENGTH_PATHS)
def test_path_lengths(drawn):
    """RFC 5280 section 4.2.1.9: 'the maximum number of non-self-issued intermediate certificates that may follow'."""
    path = made(drawn)
    failure = failure_of(path, {})
    assume(failure is not None)
    assert failure.reason is FailureReason.PATH_LENGTH
    places = imposing(path, failure, "basicConstraints")
    assert places
    again = made(changed(drawn, places, length=None))
    assert not is_same(failure, failure_of(again, {}), path, again)
    check_all_lengths(drawn, path)
    others = set(range(len(drawn))) - places
    for place in places:
        alone = made(changed(drawn, others | (places - {place}), length=None))
        assert is_same(failure, failure_of(alone, {}), path, alone)
    needed = [int(number) for number in re.findall(r"at least (\d+)\)", failure.would_pass)]
    assert len(needed) == len(places)
    enough = list(drawn)
    for place, length in zip(sorted(places), needed, strict=True):
        enough = changed(enough, {place}, length=length)
    better = made(enough)
    after = failure_of(better, {})
    # Further down others may be exceeded; those that were named are not any more.
    assert after is None or not imposing(better, after, "basicConstraints") & places


def check_all_lengths(drawn, path):
    """Every length that the path exceeds is named, and no other: a constraint further up does not hide another."""
    counted = [number for number, own in enumerate(drawn[:-1]) if number > 0 and not own["same_name"]]
    exceeded = {
        place
        for place, own in enumerate(drawn[:-1])
        if own["length"] is not None and sum(number > place for number in counted) > own["length"]
    }
    budget = SearchBudget(DEFAULT_LIMITS)
    found = faults(path.certificates, path.trust_anchor, parameters=ValidationParameters(time=AT), budget=budget)
    each = [explained(one, limits=DEFAULT_LIMITS, path=path.certificates) for one in found.failures]
    named = [place for one in each for place in imposing(path, one, "basicConstraints")]
    assert set(named) == exceeded
    assert all(one.reason is FailureReason.PATH_LENGTH for one in each)


@settings(max_examples=examples(200), deadline=None)
@given(drawn=NAME_PATHS, name=st.sampled_from(["www.example.com", "a.example.org", "example.net"]))
def test_names(drawn, name):
    """RFC 5280 section 4.2.1.10: each CA that does not allow the name is named, and the example is allowed by all."""
    path = made(drawn, name)
    failure = failure_of(path, {})
    assume(failure is not None)
    assert failure.reason is FailureReason.NAME_CONSTRAINTS
    places = imposing(path, failure, "nameConstraints")
    assert places
    assert failure_of(made(changed(drawn, places, permitted=None, excluded=None), name), {}) is None
    others = set(range(len(drawn))) - places
    for place in places:
        alone = made(changed(drawn, others | (places - {place}), permitted=None, excluded=None), name)
        assert failure_of(alone, {}).reason is FailureReason.NAME_CONSTRAINTS
    example = re.search(r"for example '([^']*)'", failure.would_pass)
    if example is not None:
        assert failure_of(made(drawn, example[1]), {}) is None
    elif failure.would_pass.startswith("a dNSName outside"):
        outside = re.findall(r"'([^']*)'", failure.would_pass)
        other = next(one for one in ("x.example", "y.test") if not any(one.endswith(base) for base in outside))
        assert failure_of(made(drawn, other), {}) is None
    else:
        assert failure.would_pass.startswith("a certificate without dNSName")
        for candidate in (*(one.lstrip(".") for one in SUBTREES if one), "x.a.example.org", "x.example.org", "x.test"):
            assert failure_of(made(drawn, candidate), {}) is not None


GENERAL_NAMES = st.sampled_from([0x81, 0x82, 0x86, 0x87, 0x88, 0xA0, 0xA3, 0xA4, 0xA5])
"""Identifier octets of the forms of GeneralName: rfc822Name, dNSName, URI, iPAddress, registeredID and the others."""
OCTETS = st.one_of(st.binary(max_size=40), st.sampled_from([b"\n\t" * 2, b"\0" * 8, b"\xff" * 32, b".", b"@", b"0\0"]))


@settings(max_examples=examples(1000), deadline=None)
@given(
    kind=st.sampled_from([0xA0, 0xA1]),
    form=GENERAL_NAMES,
    subtrees=st.lists(OCTETS, min_size=1, max_size=3),
    name=OCTETS | st.sampled_from([bytes([192, 0, 2, 1]), b"a.example", b"a@example", b"https://a.example/"]),
)
@example(kind=0xA0, form=0x87, subtrees=[bytes(4)], name=bytes([192, 0, 2, 1]))
def test_malformed_subtrees_are_explained(kind, form, subtrees, name):
    """RFC 5280 section 4.2.1.10: whatever octets a constraint and a name have, a path that fails is explained."""
    bases = b"".join(element(0x30, element(form, subtree)) for subtree in subtrees)
    constraints = x509.UnrecognizedExtension(ExtensionOID.NAME_CONSTRAINTS, element(0x30, element(kind, bases)))
    names = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, element(0x30, element(form, name)))
    root = lab.Authority.create("TA", private_key=key(0), validity=SPAN)
    ca = lab.Authority.create("CA", private_key=key(1), validity=SPAN)
    above = root.issue_ca(ca, extensions=[lab.critical(constraints)])
    target = ca.issue("Server", key(99).public_key(), extensions=[lab.non_critical(names)])
    path = CertificationPath(certificates=(target, above), trust_anchor=TrustAnchor.from_certificate(root.certificate))
    failure = failure_of(path, {})
    assert failure is None or failure.reason in {FailureReason.NAME_CONSTRAINTS, FailureReason.MALFORMED_CERTIFICATE}


@settings(max_examples=examples(400), deadline=None)
@given(drawn=POLICY_PATHS, asked=ASKED)
def test_policies(drawn, asked):
    """RFC 5280 section 6.1.3 (f), 6.1.5 (g): who requires a policy, and which policies would pass."""
    path = made(drawn)
    failure = failure_of(path, asked)
    assume(failure is not None)
    assert failure.reason is FailureReason.EXPLICIT_POLICY
    places = imposing(path, failure, "policyConstraints", "requireExplicitPolicy")
    caller = {cause.extension for cause in failure.causes if cause.certificate is None}
    assert places or "initial-explicit-policy" in caller
    without = asked | {"initial_explicit_policy": False}
    again = made(changed(drawn, places, require=None))
    assert not is_same(failure, failure_of(again, without), path, again)
    others = set(range(len(drawn))) - places
    for place in places:
        alone = made(changed(drawn, others | (places - {place}), require=None))
        assert is_same(failure, failure_of(alone, without), path, alone)
    if "initial-explicit-policy" in caller:
        none = made(changed(drawn, set(range(len(drawn))), require=None))
        after = failure_of(none, asked)
        assert after is not None
        assert after.reason is FailureReason.EXPLICIT_POLICY
    check_policies_that_would_pass(drawn, asked, path, failure)
    check_inhibitions(drawn, asked, path, failure)


@settings(max_examples=examples(200), deadline=None)
@given(drawn=POLICY_PATHS, asked=ASKED)
def test_policies_processed_again(drawn, asked):
    """The table of an explanation ends with the policies of 6.1.6: its steps are those of validation."""
    path = made(changed(drawn, set(range(len(drawn))), require=None))
    parameters = ValidationParameters(time=AT, **asked | {"initial_explicit_policy": False})
    verdict = validate(path, parameters, budget=SearchBudget(DEFAULT_LIMITS), memory=MEMORY)
    descent = Descent(path.trust_anchor, parameters, None, is_target=True)
    replay = PolicyReplay(path.certificates[::-1], descent, SearchBudget(DEFAULT_LIMITS))
    found = replay.run(Change())
    assert found.authority_set == verdict.authority_constrained_policy_set
    assert found.passes is bool(verdict.user_constrained_policy_set)


def check_policies_that_would_pass(drawn, asked, path, failure):
    """Issue the certificates with a policy that is said to pass, or ask for one."""
    text = failure.would_pass or ""
    of_nobody = asked | {"user_initial_policy_set": {ANY}, "initial_explicit_policy": False}
    assert text.endswith("no policy asked for") is (failure_of(path, of_nobody) is None), text
    text = text.removesuffix("no policy asked for")
    if not text:
        return
    found = re.findall(r"2\.999\.[123]\b", text)
    offered = [*dict.fromkeys(found)] or ([P, R] if "any policy" in text else [])
    if "that the path is valid for" in text:
        for policy in offered:
            assert failure_of(path, asked | {"user_initial_policy_set": {policy}}) is None
        return
    first = next((row.depth for row in failure.policies if not row.valid), None)
    last = place_of(path, failure.certificate)
    if first is None:  # the path is valid for policies that the trust anchor does not allow
        labels = [label_at(path, place) for place in range(1, last + 1)]
        if len({*labels}) < len(labels):
            return  # the text does not tell which of two certificates of one name it means
        first = next(place for place, label in enumerate(labels, start=1) if label in text)
    places = set(range(first, last + 1)) if ", each" in text else {first}
    for policy in offered:
        if "does not map" in text and any(policy in dict(drawn[place]["maps"] or ()) for place in places):
            continue
        better = made(changed(drawn, places, policies=(policy,)))
        assert not is_same(failure, failure_of(better, asked), path, better), (policy, text)


def check_inhibitions(drawn, asked, path, failure):
    """Lift the inhibitions that are named: they matter, so the failure is gone."""
    of_any = imposing(path, failure, "inhibitAnyPolicy")
    of_mapping = imposing(path, failure, "policyConstraints", "inhibitPolicyMapping")
    caller = {cause.extension for cause in failure.causes if cause.certificate is None}
    if not (of_any or of_mapping or caller & {"initial-any-policy-inhibit", "initial-policy-mapping-inhibit"}):
        return
    lifted = dict(asked)
    if "initial-any-policy-inhibit" in caller:
        lifted["initial_any_policy_inhibit"] = False
    if "initial-policy-mapping-inhibit" in caller:
        lifted["initial_policy_mapping_inhibit"] = False
    better = made(changed(changed(drawn, of_any, any=None), of_mapping, inhibit=None))
    assert not is_same(failure, failure_of(better, lifted), path, better)
