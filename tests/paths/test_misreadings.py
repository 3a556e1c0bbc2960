"""Which name constraints certvalidator misreads: found by brute force, and kept out of the second opinion."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import parser
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID
from pyhanko_certvalidator import name_trees

from pkcs12kit import lab
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.lenient import read_structure
from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.subtrees import EncodedName, NameConstraints
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.budget import SearchBudget
from pkcs12kit.paths.confirmation import Opinion, confirm
from pkcs12kit.paths.misreadings import without_misread
from pkcs12kit.paths.validation.name_constraints import ConstrainedSubtrees
from pkcs12kit.paths.validation.parameters import ValidationParameters

from .name_constraints_oracle import DNS, INSIDE, MAIL, URI, pairs

AT = datetime(2026, 3, 1, tzinfo=UTC)
KINDS = ("permitted", "excluded")
UTF8_MAILBOX = "jürgen@b.com".encode()
SMTP_UTF8 = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.9"), bytes([0x0C, len(UTF8_MAILBOX)]) + UTF8_MAILBOX)


def ask_certvalidator(kind, subtree, name):
    """Return what certvalidator alone says of a name below a subtree; None where it raises an error."""
    try:
        base = asn1_x509.GeneralSubtree({"base": asn1_x509.GeneralName.load(subtree.encoding)})
        trees = name_trees.process_general_subtrees(asn1_x509.GeneralSubtrees([base]))
        form, value = name_trees._interpret_general_name(asn1_x509.GeneralName.load(name.encoding))
        if kind == "permitted":
            permitted = name_trees.PermittedSubtrees(name_trees.default_permitted_subtrees())
            permitted.intersect_with(trees)
            return permitted.accept_name(form, value)
        excluded = name_trees.ExcludedSubtrees(name_trees.default_excluded_subtrees())
        excluded.union_with(trees)
        return not excluded.reject_name(form, value)
    except (ValueError, NotImplementedError, TypeError):
        return None


def misread(kind, subtree, name):
    """Return why the answer of certvalidator on this pair does not count; None where it does."""
    found = []
    without_misread(NameConstraints(**{f"{kind}_subtrees": (subtree,)}), {name.form: [name.value]}, "CA", found)
    return found[0] if found else None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", [DNS, MAIL, URI], ids=["dNSName", "rfc822Name", "URI"])
def test_every_wrong_answer_is_known(form, kind):
    """RFC 5280 section 4.2.1.10: where certvalidator differs from the section, its answer does not count.

    And as little else as possible: each kind of misreading turns up in a wrong answer. A wrong yes about a pair that
    our validation does not accept needs no reason, because no second opinion is asked about it.
    """
    wrong, flagged = set(), set()
    for (text, name), encoded in pairs(form):
        inside = INSIDE[form](text, name, excluded=kind == "excluded")
        subtree, one = EncodedName(form, encoded[0]), EncodedName(form, encoded[1])
        answer = ask_certvalidator(kind, subtree, one)
        if inside is None or answer is None:
            continue
        allowed = inside == (kind == "permitted")
        why = misread(kind, subtree, one)
        if allowed:
            assert answer or why, (text, name)
        reason = why and why.rpartition(": ")[2]
        flagged.add(reason)
        if answer != allowed:
            wrong.add(reason)
    assert flagged - {None} == wrong - {None}


def directory(*rdns):
    """Encode a directoryName; each relative distinguished name is pairs of an identifier and a value."""
    attributes = ([x509.NameAttribute(*pair) for pair in rdn] for rdn in rdns)
    encoded = x509.Name(map(x509.RelativeDistinguishedName, attributes)).public_bytes()
    return EncodedName(0xA4, encoded)


C, ORG, CN, MAILBOX = NameOID.COUNTRY_NAME, NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME, NameOID.EMAIL_ADDRESS
DIRECTORIES = (
    directory(),
    directory([(C, "US")]),
    directory([(C, "us")], [(ORG, "A  b")]),
    directory([(C, "US")], [(ORG, " a B")], [(CN, "x")]),
    directory([(ORG, "A b")], [(C, "US")]),
    directory([(ORG, "straße")]),
    directory([(ORG, "STRASSE")]),
    directory([(ORG, "é")]),
    directory([(ORG, "e\u0301")]),
    directory([(ORG, "a"), (CN, "b")]),
    directory([(CN, "B"), (ORG, "A")], [(CN, "c")]),
    directory([(MAILBOX, "a@b.com")]),
    directory([(MAILBOX, "a@B.com")]),
)


def test_distinguished_names_are_read_alike():
    """Section 7.1: on directoryName the two agree, so none of its subtrees is left out."""
    for kind, subtree, name in itertools.product(KINDS, DIRECTORIES, DIRECTORIES):
        constraints = NameConstraints(**{f"{kind}_subtrees": (subtree,)})
        ours = ConstrainedSubtrees.unconstrained().constrain(constraints)
        allowed = ours.violation(Name(()), [name], budget=SearchBudget(DEFAULT_LIMITS)) is None
        assert ask_certvalidator(kind, subtree, name) == allowed
        assert misread(kind, subtree, name) is None


def constraining(kind, *subtrees):
    """Make nameConstraints of encoded subtrees, for which pyca/cryptography has no values."""
    emit = parser.emit
    field = emit(2, 1, KINDS.index(kind), b"".join(emit(0, 1, 16, subtree.encoding) for subtree in subtrees))
    return lab.critical(x509.UnrecognizedExtension(ExtensionOID.NAME_CONSTRAINTS, emit(0, 1, 16, field)))


def ask(path, **parameters):
    """Ask for the opinion on a path."""
    return confirm(path, ValidationParameters(time=parameters.pop("time", AT), **parameters))


MISREAD = {
    "permitted dot": ("permitted", EncodedName(DNS, b".example.com"), "dNSName '.example.com'"),
    "excluded dot": ("excluded", EncodedName(DNS, b".evil.mil"), "dNSName '.evil.mil'"),
    "excluded asterisk": ("excluded", EncodedName(DNS, b"*.evil.mil"), "dNSName '*.evil.mil'"),
    "everything": ("permitted", EncodedName(DNS, b""), "dNSName ''"),
}


@pytest.mark.parametrize(("kind", "subtree", "shown"), MISREAD.values(), ids=MISREAD)
def test_a_misread_subtree_is_neither_yes_nor_no(chain, judge, kind, subtree, shown):
    """Certvalidator's no for these is wrong, and its yes says nothing; every other reason for a no counts."""
    path = chain({"extensions": (constraining(kind, subtree),)}, {})
    assert judge(path)
    confirmation = ask(path)
    assert confirmation.opinion is Opinion.CANNOT_JUDGE
    assert f"misreads the {kind} subtree {shown} of CA 1" in confirmation.detail
    assert ask(path, time=AT + timedelta(days=1000)).opinion is Opinion.INVALID
    assert ask(path, initial_explicit_policy=True).opinion is Opinion.INVALID
    outside = constraining("excluded", EncodedName(DNS, b"example.com"), *([subtree] if kind == "excluded" else []))
    assert ask(chain({"extensions": (outside,)}, {})).opinion is Opinion.INVALID


@pytest.mark.parametrize(("kind", "subtree", "shown"), MISREAD.values(), ids=MISREAD)
def test_a_misread_subtree_matters_only_where_a_name_is_compared_with_it(chain, judge, kind, subtree, shown):
    """A server with an address alone, or a CA that only its own certificate constrains, is judged by both."""
    path = chain({"extensions": (constraining(kind, subtree),)}, {"server_name": "10.1.1.1"})
    assert judge(path)
    assert ask(path).opinion is Opinion.VALID, shown
    last = chain({}, {"ca": True, "extensions": (constraining(kind, subtree),)})
    assert judge(last)
    assert ask(last).opinion is Opinion.VALID, shown


@pytest.fixture
def sign_encoded(chain):
    """Make a path in which the subject of the CA and the issuer of the server have these encodings."""

    def run(subject, issuer):
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
        path = chain({"private_key": keys[1]}, {}, anchor_key=keys[0])
        certificates = []
        for certificate, key, old, new in zip(
            path.certificates, reversed(keys), ("issuer", "subject"), (issuer, subject), strict=True
        ):
            structure = read_structure(certificate.der)
            tbs = parser.parse(structure.tbs_certificate)[4].replace(getattr(structure, old), new)
            signed = parser.emit(0, 1, 16, tbs)
            signature = parser.emit(0, 0, 3, b"\0" + key.sign(signed, ec.ECDSA(hashes.SHA256())))
            certificates.append(
                Certificate.from_der(parser.emit(0, 1, 16, signed + structure.signature_algorithm + signature))
            )
        return dataclasses.replace(path, certificates=tuple(certificates))

    return run


def called(tag, octets):
    """Encode a name of one organization, in a string of any type and octets."""
    value = parser.emit(0, 0, tag, octets)
    attribute = parser.emit(0, 1, 16, b"\x06\x03\x55\x04\x0a" + value)
    return parser.emit(0, 1, 16, parser.emit(0, 1, 17, attribute))


MISREAD_NAMES = {
    "UTF-8 in a TeletexString": (called(20, "Müller".encode()), called(12, "Müller".encode())),
    "UTF-8 in a PrintableString": (called(12, "MÜLLER".encode()), called(19, "Müller".encode())),
    "VisibleString": (called(26, b"Mueller"), called(12, b"Mueller")),
    "Latin-1 in a UTF8String": (called(12, b"M\xfcller"), called(12, b"M\xfcller")),
    "odd BMPString": (called(30, b"\0a\0"), called(30, b"\0a\0")),
}


@pytest.mark.parametrize(("subject", "issuer"), MISREAD_NAMES.values(), ids=MISREAD_NAMES)
def test_a_misread_name_is_neither_yes_nor_no(judge, sign_encoded, subject, issuer):
    """Certvalidator sees other names there and says no, or stops; what else is wrong stays a no."""
    path = sign_encoded(subject, issuer)
    assert judge(path)
    confirmation = ask(path)
    assert confirmation.opinion is Opinion.CANNOT_JUDGE
    assert "it misreads the" in confirmation.detail
    assert ask(path, time=AT + timedelta(days=1000)).opinion is Opinion.INVALID
    assert ask(path, initial_permitted_subtrees=[x509.DNSName("example.org")]).opinion is Opinion.INVALID


def test_a_misread_subtree_of_distinguished_names(chain, judge):
    """The same strings in a directoryName subtree, above a server whose name is read well."""
    subtree = EncodedName(0xA4, called(20, "Müller".encode()))
    subject = x509.Name([x509.NameAttribute(ORG, "Müller"), x509.NameAttribute(CN, "a server")])
    path = chain({"extensions": (constraining("permitted", subtree),)}, {"name": subject})
    assert judge(path)
    assert ask(path).opinion is Opinion.CANNOT_JUDGE
    assert "it misreads the subtree directoryName" in ask(path).detail
    assert ask(path, time=AT + timedelta(days=1000)).opinion is Opinion.INVALID
    outside = chain({"extensions": (constraining("permitted", subtree),)}, {})
    assert ask(outside).opinion is Opinion.INVALID


@pytest.mark.parametrize("tag", [20, 19], ids=["TeletexString", "PrintableString"])
def test_a_misread_alternative_name(chain, judge, refusal, tag):
    """The same strings in a directoryName of a subjectAltName, below a subtree that is read well."""
    encoded = EncodedName(0xA4, called(tag, "Müller".encode())).encoding
    names = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, parser.emit(0, 1, 16, encoded))
    subject = x509.Name([x509.NameAttribute(ORG, "Müller"), x509.NameAttribute(CN, "a server")])
    leaf = {"name": subject, "extensions": (lab.critical(names),)}
    subtree = EncodedName(0xA4, called(12, "Müller".encode()))
    path = chain({"extensions": (constraining("permitted", subtree),)}, leaf)
    assert judge(path)
    assert ask(path).opinion is Opinion.CANNOT_JUDGE
    assert "it misreads the subjectAltName directoryName" in ask(path).detail
    assert ask(path, time=AT + timedelta(days=1000)).opinion is Opinion.INVALID
    assert refusal(chain({"extensions": (constraining("excluded", subtree),)}, leaf))


def test_names_that_differ_are_still_a_no(refusal, sign_encoded):
    """Rewritten names are as different as the names that they are made from."""
    path = sign_encoded(called(12, b"M\xfdller"), called(12, b"M\xfcller"))
    assert refusal(path)
    assert ask(path).opinion is Opinion.INVALID


def test_the_others_of_a_permitted_form_do_not_turn_it_into_a_no(chain, judge):
    """Without the misread subtree, the permitted subtrees of its form permit too little: none of them counts."""
    both = constraining("permitted", EncodedName(DNS, b".example.com"), EncodedName(DNS, b"example.org"))
    path = chain({"extensions": (both,)}, {})
    assert judge(path)
    assert ask(path).opinion is Opinion.CANNOT_JUDGE


def test_names_of_self_issued_certificates_do_not_matter(chain, judge):
    """RFC 5280 section 6.1.3 (b): they are not checked, unless the certificate is the last one."""
    dotted = constraining("permitted", EncodedName(DNS, b".example.com"))
    names = lab.non_critical(x509.SubjectAlternativeName([x509.DNSName("a.example.org")]))
    path = chain(
        {"extensions": (dotted,)}, {"name": "CA 1", "ca": True, "extensions": (names,)}, {"server_name": "::1"}
    )
    assert path.certificates[1].is_self_issued
    assert judge(path)
    assert ask(path).opinion is Opinion.VALID


@pytest.mark.parametrize(
    "subtree",
    [
        EncodedName(0xA3, b"\x30\0"),
        EncodedName(0xA5, b"\x81\x01a"),
        EncodedName(0x88, b"\x2a\x03"),
        EncodedName(0xA0, b"\x06\x02\x2a\x03\xa0\x03\x0c\x01x"),
        EncodedName(0x87, b"\x0a\1\2\3\xff\0\0\0"),
        EncodedName(0x87, b"\x0a\0\0\0"),
        EncodedName(MAIL, b"\xfc.example"),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", KINDS)
def test_forms_that_it_does_not_process_do_not_silence_it(chain, judge, kind, subtree):
    """It stops at some of these whatever the names are; without a name of the form they change nothing."""
    path = chain({"extensions": (constraining(kind, subtree),)}, {})
    assert judge(path)
    assert ask(path).opinion is Opinion.VALID
    assert ask(path, time=AT + timedelta(days=1000)).opinion is Opinion.INVALID


def test_signatures_are_verified_over_the_original_octets(chain, judge):
    """asn1crypto encodes a tbsCertificate again if its length ends in 0x80, and changes a mask with holes in it."""
    holes = constraining("excluded", EncodedName(0x87, b"\x0a\1\2\3\xff\0\xff\0"))
    length = 256
    for _ in range(2):
        padding = lab.non_critical(x509.UnrecognizedExtension(x509.ObjectIdentifier("2.999.1"), bytes(length)))
        path = chain({"extensions": (holes, padding), "serial_number": 1}, {})
        length += (0x80 - path.certificates[1].tbs_certificate[3]) % 256
    assert path.certificates[1].tbs_certificate[3] == 0x80
    assert judge(path)
    assert ask(path).opinion is Opinion.VALID


def test_constraints_of_every_source(chain, judge):
    """Initial subtrees, those of the anchor (RFC 5937), and those of each CA: for the names below them."""
    dotted = constraining("permitted", EncodedName(DNS, b".example.com"))
    path = chain({}, {}, anchor_extensions=(dotted,))
    assert judge(path)
    assert "of the trust anchor" in ask(path).detail
    assert ask(path, use_trust_anchor_constraints=False).opinion is Opinion.VALID
    initial = {"initial_permitted_subtrees": [x509.DNSName("")]}
    assert judge(chain({}, {}), **initial)
    assert "of the parameters" in ask(chain({}, {}), **initial).detail
    assert "of CA 2" in ask(chain({}, {"extensions": (dotted,)}, {})).detail


def test_a_mailbox_outside_ascii_is_not_compared(chain, judge):
    """RFC 9598 section 6: rfc822Name constraints apply to SmtpUTF8Mailbox; certvalidator does not know that."""
    names = lab.non_critical(x509.SubjectAlternativeName([x509.DNSName("www.example.com"), SMTP_UTF8]))
    path = chain({"extensions": (constraining("excluded", EncodedName(MAIL, b"c.com")),)}, {"only": (names,)})
    assert judge(path)
    assert "a SmtpUTF8Mailbox is not compared" in ask(path).detail
