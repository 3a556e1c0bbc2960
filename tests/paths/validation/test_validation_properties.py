"""Properties of every verdict; each test quotes the sentence that it proves."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from pkcs12kit import lab
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.budget import SearchBudget
from pkcs12kit.paths.failure import InvalidPathError
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.paths.validation.validator import validate

from ...thoroughness import examples

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = lab.Validity.around(AT)
ANY_POLICY = "2.5.29.32.0"
POLICIES = ["2.999.1", "2.999.2", "2.999.3", ANY_POLICY]
CERTAIN_POLICIES = POLICIES[:-1]
COMMON_NAME = x509.NameOID.COMMON_NAME


def directory(name):
    """A directoryName of one commonName."""
    return x509.DirectoryName(x509.Name([x509.NameAttribute(COMMON_NAME, name)]))


SUBTREES = [
    x509.DNSName("example.com"),
    x509.DNSName("www.example.com"),
    x509.DNSName("example.org"),
    x509.RFC822Name("example.com"),
    x509.UniformResourceIdentifier(".example.com"),
    directory("CA 2"),
    directory("www.example.com"),
]
NAMES = [
    x509.DNSName("www.example.com"),
    x509.DNSName("example.org"),
    x509.RFC822Name("root@example.com"),
    x509.UniformResourceIdentifier("https://www.example.com/"),
    directory("www.example.com"),
]
some_subtrees = st.lists(st.sampled_from(SUBTREES), max_size=3)
some_policies = st.lists(st.sampled_from(POLICIES), max_size=4, unique=True)
some_mappings = st.lists(
    st.tuples(st.sampled_from(CERTAIN_POLICIES), st.sampled_from(CERTAIN_POLICIES)), max_size=3, unique=True
)
some_skips = st.one_of(st.none(), st.integers(0, 2))


@st.composite
def extensions_of(draw, *, ca):
    """Contents of a certificate beside the basic constraints of a CA."""
    said = []
    if policies := draw(some_policies):
        said.append(lab.non_critical(lab.certificate_policies(*policies)))
    require, inhibit = draw(some_skips), draw(some_skips)
    if require is not None or inhibit is not None:
        said.append(lab.critical(x509.PolicyConstraints(require, inhibit)))
    if not ca:
        names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
        return [*said, lab.non_critical(x509.SubjectAlternativeName(names))]
    if mappings := draw(some_mappings):
        said.append(lab.critical(lab.policy_mappings(*mappings)))
    if (skip := draw(some_skips)) is not None:
        said.append(lab.critical(x509.InhibitAnyPolicy(skip)))
    permitted, excluded = draw(some_subtrees), draw(some_subtrees)
    if permitted or excluded:
        said.append(
            lab.critical(x509.NameConstraints(permitted_subtrees=permitted or None, excluded_subtrees=excluded or None))
        )
    said.append(lab.critical(x509.BasicConstraints(ca=True, path_length=draw(some_skips))))
    return said


@st.composite
def chains(draw):
    """The extensions of one to three CAs and of the target, the anchor's first issue first."""
    cas = draw(st.lists(extensions_of(ca=True), min_size=1, max_size=3))
    return [*cas, draw(extensions_of(ca=False))]


@pytest.fixture(scope="module")
def authorities():
    """TA, and the CAs of a chain; the third is the second rekeyed, and so self-issued when it follows it."""
    return [lab.Authority.create(name, validity=SPAN) for name in ("TA", "CA 1", "CA 2", "CA 2")]


@pytest.fixture(scope="module")
def path_of(authorities):
    """Issue a chain: TA -> CA 1 -> CA 2 -> CA 2' -> target, as far as there are extensions for."""
    server_key = lab.KeyType.EC_P256.generate().public_key()
    anchor = TrustAnchor.from_certificate(authorities[0].certificate)

    def issue(chain):
        certificates = []
        for number, extensions in enumerate(chain, start=1):
            issuer = authorities[number - 1]
            last = number == len(chain)
            subject = "www.example.com" if last else authorities[number].name
            key = server_key if last else authorities[number].private_key.public_key()
            certificates.insert(0, issuer.issue(subject, key, serial_number=number, extensions=extensions))
        return CertificationPath(certificates=tuple(certificates), trust_anchor=anchor)

    return issue


def verdict(path, **parameters):
    """Validate: the outputs, or the reason why not and of which certificate."""
    try:
        valid = validate(path, ValidationParameters(time=AT, **parameters), budget=SearchBudget(DEFAULT_LIMITS))
    except InvalidPathError as no:
        return no.failure.reason, no.failure.certificate.serial_number
    return valid.authority_constrained_policy_set, valid.user_constrained_policy_set


def is_yes(said):
    """Return True where the path is valid."""
    return isinstance(said[0], frozenset)


some_inputs = st.fixed_dictionaries(
    {
        "initial_explicit_policy": st.booleans(),
        "initial_policy_mapping_inhibit": st.booleans(),
        "initial_any_policy_inhibit": st.booleans(),
        "user_initial_policy_set": st.frozensets(st.sampled_from(POLICIES), min_size=1),
    }
)


@settings(max_examples=examples(70), deadline=None)
@given(chain=chains(), inputs=some_inputs, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_extensions_does_not_matter(path_of, chain, inputs, shuffle):
    """RFC 5280 section 4.1: 'Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension'; no step of 6.1 asks for an order."""
    shuffled = [shuffle.sample(extensions, len(extensions)) for extensions in chain]
    assert verdict(path_of(shuffled), **inputs) == verdict(path_of(chain), **inputs)


def reordered(extension, shuffle):
    """Shuffle what an extension lists."""
    value = extension.value
    if isinstance(value, x509.CertificatePolicies | x509.SubjectAlternativeName):
        value = type(value)(shuffle.sample(list(value), len(list(value))))
    elif isinstance(value, x509.NameConstraints):
        value = x509.NameConstraints(
            *(
                subtrees and shuffle.sample(subtrees, len(subtrees))
                for subtrees in (value.permitted_subtrees, value.excluded_subtrees)
            )
        )
    elif value.oid.dotted_string == "2.5.29.33":
        from asn1crypto.x509 import PolicyMappings

        pairs = [
            (pair["issuer_domain_policy"].dotted, pair["subject_domain_policy"].dotted)
            for pair in PolicyMappings.load(value.value)
        ]
        value = lab.policy_mappings(*shuffle.sample(pairs, len(pairs)))
    return x509.Extension(extension.oid, extension.critical, value)


@settings(max_examples=examples(70), deadline=None)
@given(chain=chains(), inputs=some_inputs, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_policies_mappings_and_names_does_not_matter(path_of, chain, inputs, shuffle):
    """RFC 5280 section 6.1.3 (d)(1): 'For each policy P not equal to anyPolicy in the certificate policies extension'.

    Section 6.1.4 (b) says the same of mappings, 6.1.3 (b) of alternative names.
    """
    shuffled = [[reordered(extension, shuffle) for extension in extensions] for extensions in chain]
    assert verdict(path_of(shuffled), **inputs) == verdict(path_of(chain), **inputs)


@settings(max_examples=examples(80), deadline=None)
@given(chain=chains(), where=st.integers(0, 2), permitted=some_subtrees, excluded=some_subtrees)
def test_adding_a_name_constraint_never_turns_a_no_into_a_yes(path_of, chain, where, permitted, excluded):
    """RFC 5280 section 4.2.1.10: restrictions; 6.1.4 (g) intersects permitted subtrees and unites excluded ones.

    Subtrees of forms that were permitted already are added to the excluded ones only, since more permitted bases of
    one form in one certificate are a union.
    """
    position = where % (len(chain) - 1)
    there = next((found.value for found in chain[position] if isinstance(found.value, x509.NameConstraints)), None)
    had_permitted = list((there.permitted_subtrees if there else None) or ())
    had_excluded = list((there.excluded_subtrees if there else None) or ())
    forms = {type(name) for name in had_permitted}
    new_permitted = had_permitted + [name for name in permitted if type(name) not in forms]
    new_excluded = had_excluded + excluded
    if not new_permitted and not new_excluded:
        return
    tighter = x509.NameConstraints(new_permitted or None, new_excluded or None)
    others = [found for found in chain[position] if not isinstance(found.value, x509.NameConstraints)]
    constrained = [*chain]
    constrained[position] = [*others, lab.critical(tighter)]
    if is_yes(verdict(path_of(constrained))):
        assert verdict(path_of(constrained)) == verdict(path_of(chain))


@settings(max_examples=examples(80), deadline=None)
@given(chain=chains(), permitted=some_subtrees, excluded=some_subtrees, more=some_subtrees)
def test_initial_subtrees_only_narrow(path_of, chain, permitted, excluded, more):
    """RFC 5280 section 6.1.1 (h), (i): subtrees within which all names 'MUST fall', and those in which none may."""
    path = path_of(chain)
    narrow = verdict(path, initial_permitted_subtrees=permitted, initial_excluded_subtrees=[*excluded, *more])
    if is_yes(narrow):
        assert narrow == verdict(path, initial_permitted_subtrees=permitted, initial_excluded_subtrees=excluded)
        assert narrow == verdict(path)


@settings(max_examples=examples(80), deadline=None)
@given(
    chain=chains(),
    policies=st.frozensets(st.sampled_from(CERTAIN_POLICIES), min_size=1),
    fewer=st.frozensets(st.sampled_from(CERTAIN_POLICIES), min_size=1),
    explicit=st.booleans(),
)
def test_shrinking_the_policy_set_never_turns_a_no_into_a_yes(path_of, chain, policies, fewer, explicit):
    """RFC 5280 section 6.1.1 (c): 'the certificate policies that are acceptable to the certificate user'.

    Fewer acceptable ones accept fewer paths; any-policy, the default, accepts most.
    """
    path = path_of(chain)
    smaller = fewer & policies or policies
    sets = [frozenset({ANY_POLICY}), policies | smaller, smaller]
    verdicts = [verdict(path, user_initial_policy_set=chosen, initial_explicit_policy=explicit) for chosen in sets]
    answers = [is_yes(said) for said in verdicts]
    assert answers == sorted(answers, reverse=True)
    if answers[-1]:
        assert verdicts[2][1] <= verdicts[1][1]


@settings(max_examples=examples(70), deadline=None)
@given(chain=chains(), inputs=some_inputs)
def test_stricter_initial_inputs_never_turn_a_no_into_a_yes(path_of, chain, inputs):
    """RFC 5280 section 6.1.1 (e) to (g): each of the three flags forbids something and allows nothing."""
    path = path_of(chain)
    if is_yes(verdict(path, **inputs)):
        for flag in ("initial_explicit_policy", "initial_policy_mapping_inhibit", "initial_any_policy_inhibit"):
            assert is_yes(verdict(path, **{**inputs, flag: False}))


@settings(max_examples=examples(40), deadline=None)
@given(chain=chains(), inputs=some_inputs)
def test_a_verdict_is_the_same_again(path_of, chain, inputs):
    """Nothing is remembered that changes an answer: signatures, subtrees and names prepared once give the same."""
    path = path_of(chain)
    assert verdict(path, **inputs) == verdict(path, **inputs)
    renewed = dataclasses.replace(
        path, certificates=tuple(type(path.target).from_der(certificate.der) for certificate in path.certificates)
    )
    assert verdict(renewed, **inputs) == verdict(path, **inputs)
