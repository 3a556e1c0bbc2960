"""Name constraints, each name form inside and outside: RFC 5280 sections 4.2.1.10 and 7, RFC 9549, RFC 9598."""

from __future__ import annotations

import dataclasses
import ipaddress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.subtrees import NameConstraints, encode_names
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.validation.name_constraints import ConstrainedSubtrees, malformed_constraints

from ...counting import counted_calls
from ...thoroughness import examples

NOBODY = Name(())
COUNTRY, ORGANIZATION, COMMON_NAME, EMAIL = "2.5.4.6", "2.5.4.10", "2.5.4.3", "1.2.840.113549.1.9.1"
SMTP_UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9"
USER_PRINCIPAL_NAME = "1.3.6.1.4.1.311.20.2.3"


def email(text):
    """An rfc822Name as a certificate may carry it, sound or not."""
    return x509.RFC822Name._init_without_validation(text)


def uri(text):
    """A uniformResourceIdentifier as a certificate may carry it, sound or not."""
    return x509.UniformResourceIdentifier._init_without_validation(text)


def dns(text):
    """A dNSName as a certificate may carry it, sound or not."""
    return x509.DNSName._init_without_validation(text)


def ip(text):
    """An iPAddress: a name, or with a slash a subtree."""
    return x509.IPAddress(ipaddress.ip_network(text) if "/" in text else ipaddress.ip_address(text))


def directory(*attributes):
    """A directoryName of one attribute a relative distinguished name, most general first."""
    return x509.DirectoryName(
        x509.Name([x509.NameAttribute(x509.ObjectIdentifier(oid), value) for oid, value in attributes])
    )


def other(type_id, value):
    """An otherName with a UTF8String."""
    encoded = value.encode()
    return x509.OtherName(x509.ObjectIdentifier(type_id), bytes([0x0C, len(encoded)]) + encoded)


def subject(*attributes):
    """A subject of one attribute a relative distinguished name, most general first."""
    return Name([attribute] for attribute in attributes)


def permitted(*subtrees):
    """Name constraints with these permittedSubtrees."""
    return NameConstraints.from_general_names(permitted=subtrees)


def excluded(*subtrees):
    """Name constraints with these excludedSubtrees."""
    return NameConstraints.from_general_names(excluded=subtrees)


def judge(constraints, *names, subject=NOBODY, limits=DEFAULT_LIMITS):
    """Hold a subject and alternative names against one NameConstraints or several, from the anchor down."""
    subtrees = ConstrainedSubtrees.unconstrained()
    for layer in constraints if isinstance(constraints, tuple) else (constraints,):
        subtrees = subtrees.constrain(layer)
    return subtrees.violation(subject, names or None, budget=SearchBudget(limits))


INSIDE = [
    # "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side"
    pytest.param(dns("host.example.com"), dns("host.example.com"), id="dns-itself"),
    pytest.param(dns("host.example.com"), dns("www.host.example.com"), id="dns-below"),
    pytest.param(dns("EXAMPLE.com"), dns("www.Example.COM"), id="dns-case (7.2)"),
    pytest.param(dns(""), dns("anything.example"), id="dns-empty-is-all"),
    pytest.param(dns("example.com"), dns("*.example.com"), id="dns-wildcard"),
    pytest.param(dns("xn--bcher-kva.example"), dns("www.XN--bcher-kva.example"), id="dns-a-label (7.2)"),
    pytest.param(dns("example.com"), dns("under_score.example.com"), id="dns-underscore"),
    # "a specified mailbox, all addresses at a particular host, or all mailboxes in a domain"
    pytest.param(email("root@example.com"), email("root@EXAMPLE.com"), id="mailbox, host-part in any case (7.5)"),
    pytest.param(email("root@example.com"), email('"ro\\ot"@example.com'), id="mailbox-quoted"),
    pytest.param(email("example.com"), email("Any.One+x@example.COM"), id="mailboxes-of-a-host"),
    pytest.param(email(".example.com"), email("root@a.host.example.com"), id="mailboxes-in-a-domain"),
    pytest.param(email(""), email("root@example.com"), id="mailbox-empty-is-all"),
    # RFC 9598 section 6: SmtpUTF8Mailbox under rfc822Name
    pytest.param(email("example.com"), other(SMTP_UTF8_MAILBOX, "jürgen@example.com"), id="utf8-mailbox-host"),
    pytest.param(email(".example.com"), other(SMTP_UTF8_MAILBOX, "医生@xn--fsq.example.com"), id="utf8-mailbox-domain"),
    # "When the constraint begins with a period, it MAY be expanded with one or more labels"
    pytest.param(uri("host.example.com"), uri("https://host.example.com/path?a=b"), id="uri-host"),
    pytest.param(uri(".example.com"), uri("ldap://user:pw@my.HOST.example.com:389/"), id="uri-domain"),
    pytest.param(uri("host.example.com"), uri("http://host.example.com."), id="uri-root-dot (RFC 3986 3.2.2)"),
    pytest.param(uri(""), uri("http://host.example.com"), id="uri-empty-is-all"),
    pytest.param(ip("192.0.2.0/24"), ip("192.0.2.255"), id="ipv4"),
    pytest.param(ip("0.0.0.0/0"), ip("203.0.113.9"), id="ipv4-all"),
    pytest.param(ip("192.0.2.7/32"), ip("192.0.2.7"), id="ipv4-one"),
    pytest.param(ip("2001:db8::/32"), ip("2001:db8:ffff::1"), id="ipv6"),
    pytest.param(ip("::/0"), ip("2001:db8::1"), id="ipv6-all"),
    pytest.param(directory((COUNTRY, "US")), directory((COUNTRY, "us"), (ORGANIZATION, "A")), id="directory"),
    pytest.param(
        directory((ORGANIZATION, "U.S.  Government")),
        directory((ORGANIZATION, "u.s. government")),
        id="directory (7.1)",
    ),
    pytest.param(directory(), directory((COMMON_NAME, "anyone")), id="directory-empty-is-all"),
]

OUTSIDE = [
    pytest.param(dns("host.example.com"), dns("host1.example.com"), id="dns-sibling"),
    pytest.param(dns("example.com"), dns("not-example.com"), id="dns-suffix-of-a-label"),
    pytest.param(dns("host.example.com"), dns("example.com"), id="dns-above"),
    pytest.param(dns("host.example.com"), dns("*.other.example.com"), id="dns-wildcard-elsewhere"),
    pytest.param(email("root@example.com"), email("Root@example.com"), id="mailbox, local-part in its case (7.5)"),
    pytest.param(email("root@example.com"), email("root@mail.example.com"), id="mailbox-below"),
    pytest.param(email("*@example.com"), email("root@example.com"), id="mailbox-asterisk-is-literal"),
    pytest.param(email("example.com"), email("root@mail.example.com"), id="host-not-below"),
    pytest.param(email(".example.com"), email("root@example.com"), id="domain-not-itself"),
    pytest.param(email("example.com"), other(SMTP_UTF8_MAILBOX, "jürgen@example.org"), id="utf8-mailbox-host"),
    pytest.param(email("root@example.com"), other(SMTP_UTF8_MAILBOX, "jürgen@example.com"), id="utf8-mailbox"),
    # ".example.com" is not satisfied by "example.com"
    pytest.param(uri(".example.com"), uri("https://example.com"), id="uri-domain-not-itself"),
    pytest.param(uri("example.com"), uri("https://www.example.com"), id="uri-host-not-below"),
    pytest.param(uri("example.com"), uri("https://example.com@evil.example/"), id="uri-userinfo"),
    pytest.param(ip("192.0.2.0/24"), ip("192.0.3.0"), id="ipv4"),
    pytest.param(ip("::/0"), ip("192.0.2.1"), id="ipv4-in-ipv6"),
    pytest.param(ip("0.0.0.0/0"), ip("::fffe:192.0.2.1"), id="ipv6-in-ipv4"),
    pytest.param(directory((COUNTRY, "US")), directory((ORGANIZATION, "A"), (COUNTRY, "US")), id="directory-order"),
    pytest.param(directory((COUNTRY, "US"), (ORGANIZATION, "A")), directory((COUNTRY, "US")), id="directory-above"),
]


@pytest.mark.parametrize(("base", "name"), INSIDE)
def test_inside(base, name):
    """Section 4.2.1.10: what lies in a permitted subtree is allowed, the same subtree excluded is not."""
    assert judge(permitted(base), name) is None
    assert "lies inside the excluded subtree" in judge(excluded(base), name)


@pytest.mark.parametrize(("base", "name"), OUTSIDE)
def test_outside(base, name):
    """Section 4.2.1.10: what lies outside the permitted subtrees is not allowed, outside the excluded ones it is."""
    assert "lies outside the permitted subtrees" in judge(permitted(base), name)
    assert judge(excluded(base), name) is None


@pytest.mark.parametrize(
    ("base", "name"),
    [
        # dNSName "in the preferred name syntax" (4.2.1.6), and never " "
        *((dns("example.com"), dns(text)) for text in (".example.com", "a..example.com", "example.com.", " ", "")),
        *((dns("example.com"), dns(text)) for text in ("*", "a.*.example.com", "w*.example.com", "bücher.example.com")),
        (dns("example.com"), dns("a" * 64 + ".example.com")),
        (dns("example.com"), dns("a." * 130 + "example.com")),
        # rfc822Name is a Mailbox, Local-part@Domain (4.2.1.6)
        *(
            (email("example.com"), email(text))
            for text in ("example.com", "@example.com", "a@b@example.com", "a b@c.d")
        ),
        *((email("example.com"), email(text)) for text in ("ü@example.com\0", "a@[192.0.2.1]", "a@example.com.", "")),
        (email("example.com"), x509.OtherName(x509.ObjectIdentifier(SMTP_UTF8_MAILBOX), b"\x16\x05a@b.c")),
        (email("example.com"), other(SMTP_UTF8_MAILBOX, "jürgen@bücher.example")),
        (email("example.com"), other(SMTP_UTF8_MAILBOX, "\ufeffjürgen@example.com")),
        # "a URI that does not include an authority component with a host name specified as a fully qualified domain
        # name ... then the application MUST reject the certificate"
        *(
            (uri(""), uri(text))
            for text in ("urn:uuid:1", "mailto:a@example.com", "http://192.0.2.1/", "http://[::1]/")
        ),
        *(
            (uri(""), uri(text))
            for text in ("http://", "http://intranet/", "http://127.1/", "http://0x7f.0x1/", "//a.b")
        ),
        *(
            (uri(""), uri(text))
            for text in ("http://a%2eb.com/", "http://a.b\\@c.d/", "http://a.b\n.c/", "http://é.com")
        ),
        # iPAddress of a name has 4 or 16 octets (4.2.1.6)
        (ip("192.0.2.0/24"), ip("192.0.2.0/24")),
    ],
)
def test_names_that_cannot_be_placed_fail_closed(base, name):
    """Section 4.2.1.10: all names MUST be located within the name space; what cannot be located is not."""
    for constraints in (permitted(base), excluded(base)):
        assert "malformed" in judge(constraints, name)


@pytest.mark.parametrize(
    ("base", "name"),
    [
        *((dns(text), dns("www.example.com")) for text in ("..example.com", "example.com.", "é.com", " ", "a..b")),
        *(
            (email(text), email("a@example.com"))
            for text in ("a@b@example.com", "@example.com", "a@", ".", "*.com", "é@b")
        ),
        *(
            (uri(text), uri("http://example.com"))
            for text in ("http://example.com", ".", "*.com", "a@example.com", "[::1]")
        ),
    ],
)
def test_malformed_subtrees_fail_closed(base, name):
    """Section 4.2.1.10: 'MUST either process the constraint or reject the certificate', where it has such a name."""
    for constraints in (permitted(base, x509.RegisteredID(NameOID.COMMON_NAME)), excluded(base)):
        assert "cannot be checked" in judge(constraints, name)
        assert judge(constraints, ip("192.0.2.1")) is None


def extension_with(subtree):
    """The DER of name constraints with one permitted subtree, given in DER."""
    body = bytes([0x30, len(subtree)]) + subtree
    return bytes([0x30, len(body) + 2, 0xA0, len(body)]) + body


def test_forms_that_are_not_processed_fail_closed():
    """Section 4.2.1.10: a constraint on a form that is not processed rejects a certificate with that form only."""
    registered = x509.RegisteredID(x509.ObjectIdentifier("2.999.1"))
    for constraints in (permitted(registered), excluded(registered)):
        assert "not processed" in judge(constraints, registered)
        assert judge(constraints, dns("example.com")) is None


def test_other_names_compare_whole():
    """Section 4.2.1.10 defines nothing for otherName: an equal value is inside; more is not known."""
    base = other(USER_PRINCIPAL_NAME, "a@example.com")
    assert judge(permitted(base), base) is None
    assert "outside" in judge(permitted(base), other(USER_PRINCIPAL_NAME, "b@example.com"))
    assert "not processed" in judge(excluded(base), base)
    assert "not processed" in judge(excluded(base), other(USER_PRINCIPAL_NAME, "b@example.com"))
    assert judge(permitted(base), other("2.999.1", "b")) is None
    assert judge(excluded(base), other("2.999.1", "b")) is None  # each type is a form of its own


@pytest.mark.parametrize("name", ["*.example.com", "www.example.com", "a.www.example.com"])
def test_a_wildcard_stands_for_an_excluded_host(name):
    """RFC 9525 section 6.3: '*.example.com' serves www.example.com, so it lies in the space that is excluded."""
    assert judge(excluded(dns("www.example.com")), dns(name)) is not None
    assert judge(excluded(dns("www.example.com")), dns("*.www2.example.com")) is None
    assert judge(excluded(dns("deep.www.example.com")), dns("*.example.com")) is None
    assert judge(permitted(dns("www.example.com")), dns("*.example.com")) is not None


def test_constraints_bind_the_subject_unless_it_is_empty():
    """'applied to the subject field in the certificate (when the certificate includes a non-empty subject field)'."""
    constraints = permitted(directory((COUNTRY, "US")))
    assert judge(constraints, subject=subject((COUNTRY, "us"), (COMMON_NAME, "a"))) is None
    assert "C=DE" in judge(constraints, dns("example.com"), subject=subject((COUNTRY, "DE")))
    assert judge(constraints, dns("example.com"), subject=NOBODY) is None


def test_email_address_in_the_subject_counts_without_alternative_names_only():
    """'the rfc822Name constraint MUST be applied to the attribute of type emailAddress', without a subjectAltName."""
    holder = subject((COMMON_NAME, "a"), (EMAIL, "a@example.com"))
    assert judge(permitted(email("example.com")), subject=holder) is None
    assert "a@example.com" in judge(permitted(email("example.org")), subject=holder)
    assert judge(permitted(email("example.org")), dns("example.com"), subject=holder) is None
    subtrees = ConstrainedSubtrees.unconstrained().constrain(permitted(email("example.org")))
    assert subtrees.violation(holder, (), budget=SearchBudget(DEFAULT_LIMITS)) is not None


def test_a_common_name_is_never_a_dns_name():
    """Section 4.2.1.10 lists where each form is looked for: dNSName in the subjectAltName alone."""
    holder = subject((COMMON_NAME, "www.example.org"))
    assert judge(permitted(dns("example.com")), subject=holder) is None
    assert judge(excluded(dns("example.org")), subject=holder) is None
    assert judge(permitted(ip("192.0.2.0/24")), subject=subject((COMMON_NAME, "203.0.113.1"))) is None


def test_a_form_without_subtrees_is_not_constrained():
    """'If no name of the type is in the certificate, the certificate is acceptable', and the other way round."""
    assert judge(permitted(dns("example.com")), ip("192.0.2.1"), email("a@example.org")) is None


def test_every_name_must_lie_inside():
    """'all subject names in subsequent certificates': one that lies outside is enough."""
    assert "b.org" in judge(permitted(dns("a.org")), dns("a.org"), dns("b.org"))
    assert judge(permitted(dns("a.org"), dns("b.org")), dns("a.org"), dns("b.org")) is None


def test_excluded_wins_over_permitted():
    """'Any name matching a restriction in the excludedSubtrees field is invalid regardless of' the permitted ones."""
    both = NameConstraints.from_general_names(permitted=[dns("a.org")], excluded=[dns("x.a.org")])
    assert judge(both, dns("y.a.org")) is None
    assert "excluded" in judge(both, dns("www.x.a.org"))


def test_permitted_subtrees_of_several_certificates_intersect():
    """Section 6.1.4 (g)(1): the intersection; a form that the later extension leaves out stays as it was."""
    layers = (permitted(dns("a.org"), dns("b.org")), permitted(dns("b.org"), dns("c.org")), permitted(ip("::/0")))
    assert judge(layers, dns("b.org"), ip("::1")) is None
    for name in (dns("a.org"), dns("c.org"), ip("192.0.2.1")):
        assert judge(layers, name) is not None


def test_excluded_subtrees_of_several_certificates_unite():
    """Section 6.1.4 (g)(2): the union."""
    layers = (excluded(dns("a.org")), excluded(dns("b.org")))
    assert judge(layers, dns("c.org")) is None
    assert judge(layers, dns("a.org")) is not None
    assert judge(layers, dns("b.org")) is not None


def test_a_value_is_not_changed_by_constraining_it():
    """State variables of one path do not leak into another that shares its upper certificates."""
    upper = ConstrainedSubtrees.unconstrained().constrain(permitted(dns("a.org")))
    lower = upper.constrain(excluded(dns("x.a.org")))
    assert upper.violation(NOBODY, [dns("x.a.org")], budget=SearchBudget(DEFAULT_LIMITS)) is None
    assert lower.violation(NOBODY, [dns("x.a.org")], budget=SearchBudget(DEFAULT_LIMITS)) is not None


def test_the_sentence_names_name_subtrees_and_origin():
    """A failure says which name, which subtrees and whose they are, and nothing in it steers a terminal."""
    subtrees = ConstrainedSubtrees.unconstrained().constrain(
        permitted(*(dns(f"{letter}.org") for letter in "abcde")), imposed_by="CN=Bridge"
    )
    found = subtrees.violation(NOBODY, [dns("x.com")], budget=SearchBudget(DEFAULT_LIMITS))
    assert found == (
        "dNSName 'x.com' lies outside the permitted subtrees 'a.org', 'b.org', 'c.org' and 2 more, imposed by CN=Bridge"
    )
    hostile = judge(permitted(dns("a.org")), dns("\x1b[2J" + "x" * 1000))
    assert hostile.isprintable()
    assert len(hostile) < 400


# Properties

labels = st.sampled_from(["a", "b", "xn--bcher-kva"])
hosts = st.lists(labels, min_size=1, max_size=3).map(".".join)
bases = st.one_of(
    hosts.map(dns),
    st.just(dns("")),
    hosts.map(lambda host: dns("." + host)),
    hosts.map(email),
    hosts.map(lambda host: email("." + host)),
    hosts.map(lambda host: email("a@" + host)),
    hosts.map(uri),
    hosts.map(lambda host: uri("." + host)),
    st.sampled_from([ip("192.0.2.0/24"), ip("192.0.2.0/30"), ip("2001:db8::/32"), ip("0.0.0.0/0")]),
    st.lists(st.sampled_from([(COUNTRY, "US"), (ORGANIZATION, "A"), (COMMON_NAME, "c")]), max_size=3).map(
        lambda attributes: directory(*attributes)
    ),
    st.sampled_from([x509.RegisteredID(NameOID.COMMON_NAME), other(USER_PRINCIPAL_NAME, "a")]),
)
names = st.one_of(
    hosts.map(dns),
    hosts.map(lambda host: dns("*." + host)),
    hosts.map(lambda host: email("a@" + host)),
    hosts.map(lambda host: other(SMTP_UTF8_MAILBOX, "ü@" + host)),
    hosts.map(lambda host: uri(f"http://{host}/")),
    st.sampled_from(
        [ip("192.0.2.1"), ip("192.0.2.5"), ip("2001:db8::1"), directory((COUNTRY, "US"), (COMMON_NAME, "c"))]
    ),
    st.sampled_from([x509.RegisteredID(NameOID.COMMON_NAME), other(USER_PRINCIPAL_NAME, "a")]),
)
subtree_lists = st.lists(bases, max_size=4)
constraint_values = (
    st.tuples(subtree_lists, subtree_lists)
    .filter(any)
    .map(lambda pair: NameConstraints.from_general_names(permitted=pair[0], excluded=pair[1]))
)


@settings(deadline=None, max_examples=examples(200))
@given(
    layers=st.lists(constraint_values, max_size=3),
    added=constraint_values,
    position=st.integers(0, 3),
    alternatives=st.lists(names, max_size=4),
)
def test_adding_a_constraint_never_turns_a_no_into_a_yes(layers, added, position, alternatives):
    """Section 6.1.4 (g): intersecting permitted and uniting excluded subtrees only ever takes names away."""
    before = judge(tuple(layers), *alternatives)
    after = judge((*layers[:position], added, *layers[position:]), *alternatives)
    assert before is None or after is not None


@settings(deadline=None, max_examples=examples(200))
@given(constraints=constraint_values, excluded_too=bases, alternatives=st.lists(names, max_size=4))
def test_excluding_more_never_turns_a_no_into_a_yes(constraints, excluded_too, alternatives):
    """'Any name matching a restriction in the excludedSubtrees field is invalid'."""
    more = dataclasses.replace(
        constraints, excluded_subtrees=(*(constraints.excluded_subtrees or ()), *encode_names([excluded_too]))
    )
    assert judge(constraints, *alternatives) is None or judge(more, *alternatives) is not None


@settings(deadline=None, max_examples=examples(200))
@given(constraints=constraint_values, alternatives=st.lists(names, min_size=1, max_size=4), random=st.randoms())
def test_order_does_not_matter(constraints, alternatives, random):
    """GeneralSubtrees and GeneralNames are sequences whose order section 4.2.1 gives no meaning."""
    shuffled = NameConstraints(
        permitted_subtrees=constraints.permitted_subtrees
        and tuple(random.sample(constraints.permitted_subtrees, len(constraints.permitted_subtrees))),
        excluded_subtrees=constraints.excluded_subtrees
        and tuple(random.sample(constraints.excluded_subtrees, len(constraints.excluded_subtrees))),
    )
    found = judge(shuffled, *random.sample(alternatives, len(alternatives)))
    assert (judge(constraints, *alternatives) is None) == (found is None)


# minimum and maximum


def certificate_with(name_constraints, *, decoy=None):
    """A certificate with that DER as its name constraints, and perhaps something alike before them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")])
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
    )
    if decoy:
        builder = builder.add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier("2.999.1"), decoy), critical=False
        )
    if name_constraints:
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.30"), name_constraints)
        builder = builder.add_extension(extension, critical=True)
    return Certificate.from_der(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def test_minimum_and_maximum_are_refused():
    """'the minimum MUST be zero, and maximum MUST be absent', or the application MUST process or reject."""
    subtree = b"\x82\x05a.org"
    for bounds, sound in ((b"", True), (b"\x80\x01\x01", False), (b"\x81\x01\x00", False)):
        permitting = extension_with(subtree + bounds)
        for extension in (permitting, permitting.replace(b"\xa0", b"\xa1", 1)):
            found = malformed_constraints(certificate_with(extension).extensions.name_constraints)
            assert (found is None) == sound
            assert sound or "'a.org'" in found
    decoy = b"\x06\x03\x55\x1d\x1e\x04\x0d" + extension_with(subtree)
    for bounds, sound in ((b"", True), (b"\x80\x01\x01", False)):
        certificate = certificate_with(extension_with(subtree + bounds), decoy=decoy)
        assert (malformed_constraints(certificate.extensions.name_constraints) is None) == sound


# Hostile certificates


@pytest.mark.parametrize(
    ("constraints", "alternatives"),
    [
        (permitted(*(dns(f"t{i}.test") for i in range(2_048))), [dns("t2047.test")] * 2_048),
        (permitted(dns("com")), [dns("a." * 120 + "com")] * 100_000),
        (excluded(*(dns(f"a.t{i}.test") for i in range(2_000))), [dns("*.test")] * 2_000),
        (permitted(email("a.org")), [email("someone@a.org")] * 100_000),
        (permitted(*[directory(*[(ORGANIZATION, "a")] * 500)] * 200), [directory(*[(ORGANIZATION, "a")] * 500)] * 200),
        (excluded(*[ip("192.0.2.0/24")] * 2_000), [ip("203.0.113.1")] * 2_000),
    ],
    ids=["dns", "dns-long", "dns-wildcard", "mailbox", "directory-long", "ip"],
)
def test_hostile_names_end_at_the_budget(constraints, alternatives):
    """End thousands of names against thousands of subtrees at the budget, without a verdict."""
    with counted_calls() as calls, pytest.raises(BudgetExhaustedError) as caught:
        judge(constraints, *alternatives)
    assert caught.value.limit == "name_constraint_comparisons"
    assert calls.total() < 3_000_000


def test_each_comparison_counts():
    """The budget counts a name once for each subtree of its form, and names of other forms not at all."""
    limits = dataclasses.replace(DEFAULT_LIMITS, name_constraint_comparisons=100)
    constraints = permitted(*(dns(f"{letter}.a") for letter in "abcdefgh"))
    assert judge(constraints, dns("a.a"), *[ip("192.0.2.1")] * 50, limits=limits) is None
    with pytest.raises(BudgetExhaustedError):
        judge(constraints, *[dns("a.a")] * 10, limits=limits)


def test_threads_that_read_subtrees_at_once_do_not_disturb_each_other():
    """Searches share what was read of a certificate: one that begins, or gives up, amid another's reading takes none.

    An excluded network that another thread has just set aside would let a name in it pass.
    """
    constrained = ConstrainedSubtrees.unconstrained().constrain(excluded(ip("10.0.0.0/8"), ip("192.0.2.0/24")))
    interrupted = []

    class Interrupting(SearchBudget):
        """Let another search begin to read when the first network has been read, and give up in its turn."""

        def spend(self, limit, amount=1):
            super().spend(limit, amount)
            if len(interrupted) == 2:
                poor = SearchBudget(dataclasses.replace(DEFAULT_LIMITS, name_constraint_comparisons=interrupted[0]))
                with pytest.raises(BudgetExhaustedError):
                    constrained.violation(NOBODY, [ip("10.1.2.3")], budget=poor)
            interrupted.append(amount)

    budget = Interrupting(DEFAULT_LIMITS)
    assert "10.0.0.0/8" in constrained.violation(NOBODY, [ip("10.1.2.3")], budget=budget)
    assert len(interrupted) > 2
