"""Notes on certificates: each rule applies to certificates that do not keep it, and to no others."""

from dataclasses import replace

import pytest

import pkcs12kit as pk
from pkcs12kit.certificates.lint.rules import RULES, ClientEffect
from pkcs12kit.certificates.notes import NoteRule
from pkcs12kit.devices.model import ChainProperty, Effect
from pkcs12kit.devices.table import DEVICES

from .. import der
from ..x509_values import ANY_PURPOSE, PURPOSES, SERVER_AUTH
from .chains import (
    ALSO,
    ALTERNATIVE,
    AUTHORITY_KEY,
    BASIC,
    DEFECTS,
    HOST,
    ISSUING,
    NAME_CONSTRAINTS,
    ROOT,
    SERVER,
    SOUND,
    chain_with,
    dns,
    until,
)

_NOT_MADE = {"needed-extension-unreadable", "encoding-error"}
"""Rules with tests of their own."""


def lint(*parts, **how):
    """Return the notes on a chain whose last certificate is the trust anchor's."""
    *certificates, anchor = (pk.Certificate.from_der(part.der) for part in parts)
    return pk.lint_certificates(certificates, trust_anchors=[anchor], **how)


def test_no_rule_is_about_the_sound_chain():
    """A chain that keeps RFC 5280 section 4 and is for a server has no notes."""
    assert lint(*SOUND) == ()


@pytest.mark.parametrize(("rule", "part"), DEFECTS, ids=[f"{rule}-{at}" for at, (rule, _) in enumerate(DEFECTS)])
def test_each_rule_applies_to_its_defect(rule, part):
    """The note names the rule, is about the certificate with the defect only, and cites the clause of the table."""
    notes = lint(*chain_with(part))
    assert {note.certificate.der for note in notes} == {part.der}
    assert {note.rule for note in notes} - ALSO.get(rule, set()) == {rule}
    (note,) = (note for note in notes if note.rule == rule)
    assert (note.source, note.clients) == (RULES[rule].source, RULES[rule].clients)
    assert str(note) == f"{note.certificate.label}: {note.why} [{note.source}]"
    assert note.to_json()["clients"] == [client.to_json() for client in RULES[rule].clients]


def test_each_rule_has_a_defect():
    """No rule of the closed list is untested, and none is missing from it."""
    assert {rule for rule, _ in DEFECTS} == set(RULES) - _NOT_MADE
    assert {rule.value for rule in NoteRule} <= set(RULES)


@pytest.mark.parametrize(
    "part",
    [
        replace(SERVER, validity=until(398)),
        replace(SERVER, subject="MDM server 3"),  # the name of a device is not a host name
        replace(SERVER, subject="DOE.JOHN.1234567890"),
        replace(SERVER, subject="MDM.EXAMPLE.MIL"),
        SERVER.having(ALTERNATIVE, dns("*.example.mil")),
        SERVER.having(ALTERNATIVE, dns(HOST, "localhost", "xn--bcher-kva.example", "1.example", f"{'a' * 63}.b")),
        SERVER.having(PURPOSES, der.sequence(der.oid(ANY_PURPOSE), der.oid(SERVER_AUTH))),
        SERVER.having(BASIC, der.sequence()),
        replace(SERVER, subject="192.0.2.1").having(ALTERNATIVE, der.sequence(der.implicit(7, bytes([192, 0, 2, 1])))),
        replace(SERVER, subject="").having(ALTERNATIVE, critical=True),
        replace(ISSUING, validity=until(20 * 365)),
        replace(ISSUING, serial=(1 << 159) - 1),
        ISSUING.having(
            NAME_CONSTRAINTS, der.sequence(der.explicit(0, der.sequence(der.implicit(2, b"a.b")))), critical=True
        ),
        replace(ROOT, signature="ecdsa-sha1"),  # a trust anchor's own signature counts for nothing
        replace(ROOT, validity=until(30 * 365)),
        ROOT.having(
            AUTHORITY_KEY, der.sequence(der.explicit(1, der.explicit(4, der.sequence())), der.implicit(2, b"\1"))
        ),
    ],
)  # fmt: skip
def test_no_rule_applies_to_what_is_sound(part):
    """At the limits, and in forms that the clauses allow, there is no note."""
    assert lint(*chain_with(part)) == ()


@pytest.mark.parametrize("rule", ["purpose-missing", "server-name-missing", "validity-over-825-days"])
def test_rules_for_servers_are_for_the_target_of_a_server(rule):
    """CA certificates, other places of a path, and certificates for other purposes are not servers' certificates."""
    other = replace(SERVER, validity=until(900)).without(ALTERNATIVE).without(PURPOSES)
    target, issuing = (pk.Certificate.from_der(part.der) for part in (other, ISSUING))
    for_people = pk.Certificate.from_der(other.having(PURPOSES, der.sequence(der.oid("1.3.6.1.5.5.7.3.4"))).der)
    assert rule in {note.rule for note in pk.lint_certificates([target, issuing])}
    assert pk.lint_certificates([target], for_server=False) == ()
    assert pk.lint_certificates([for_people]) == ()
    assert pk.lint_certificates([issuing, target]) == ()
    if rule != "purpose-missing":
        assert rule in {note.rule for note in pk.lint_certificates([for_people], for_server=True)}


def test_each_certificate_has_its_notes_once():
    """A certificate that is given twice, or also as a trust anchor's, is examined once."""
    broken = pk.Certificate.from_der(ISSUING.without(AUTHORITY_KEY).der)
    assert len(pk.lint_certificates([broken, broken], trust_anchors=[broken])) == 0
    assert len(pk.lint_certificates([broken, broken])) == 1


def test_a_ca_certificate_for_the_next_key_is_not_self_signed():
    """A self-issued certificate below the same name with another key needs its key identifier and a sound signature."""
    rollover = replace(ISSUING, subject="Root", signature="ecdsa-sha1").without(AUTHORITY_KEY)
    assert {note.rule for note in lint(SERVER, rollover, ROOT) if note.certificate.der == rollover.der} == {
        "sha1-signature",
        "authority-key-identifier-missing",
    }
    assert lint(SERVER, rollover) == ()  # without the other key it cannot be told from a root


def test_names_from_certificates_are_quoted_and_counted():
    """Of many wrong names one is shown, as printable ASCII."""
    names = dns(HOST, *(f"a\x1b[31m{number}.example" for number in range(500)))
    (note,) = lint(*chain_with(SERVER.having(ALTERNATIVE, names)))
    assert note.why == r"its dNSName 'a\x1b[31m0.example' is not a host name (and 499 more)"


def test_unreadable_extensions_give_a_note_and_no_error():
    """The rules about extensions are not applied, and the note says why."""
    broken = SERVER.having(BASIC, b"\xff", critical=True)
    (note,) = lint(*chain_with(broken), for_server=True)
    assert note.rule == "needed-extension-unreadable"


# The device property of a rule: its clients are the devices of the table that refuse, with the same evidence.
_PROPERTIES = {
    "sha1-signature": ChainProperty.SHA1_SIGNATURE,
    "purpose-missing": ChainProperty.NO_PURPOSE,
    "purpose-any": ChainProperty.ANY_PURPOSE,
    "server-name-missing": ChainProperty.COMMON_NAME_ONLY,
    "name-constraints-not-critical": ChainProperty.NAME_CONSTRAINTS_NOT_CRITICAL,
    "version-1": ChainProperty.OLD_VERSION,
    "encoding-error": ChainProperty.ENCODING_ERROR,
}
_EFFECTS = {
    ClientEffect.REFUSED: Effect.REFUSED,
    ClientEffect.REFUSED_BELOW_SHIPPED_ROOTS: Effect.REFUSED_BELOW_SHIPPED_ROOTS,
}


@pytest.mark.parametrize("rule", sorted(_PROPERTIES))
def test_clients_are_those_of_the_table_of_devices(rule):
    """Where the table of devices has a property, the clients of the rule, their evidence and sources are its own."""
    listed = {
        device: (_EFFECTS[client.effect], client.evidence, client.source)
        for client in RULES[rule].clients
        for device in client.devices
    }
    known = {
        name: (found.effect, found.evidence, found.source)
        for name, device in DEVICES.items()
        if (found := device.rule_for(_PROPERTIES[rule])) is not None and found.effect in _EFFECTS.values()
    }
    assert {name: listed.get(name) for name in known} == known


@pytest.mark.parametrize(("rule", "days"), [("validity-over-825-days", 825), ("validity-over-398-days", 398)])
def test_lifetimes_are_those_of_the_table_of_devices(rule, days):
    """The clients of a rule about the validity are the devices with that limit, below which roots it applies too."""
    listed = {
        (device, client.effect is ClientEffect.REFUSED_BELOW_SHIPPED_ROOTS, client.source)
        for client in RULES[rule].clients
        for device in client.devices
    }
    known = {
        (name, limit.below_shipped_roots, limit.source)
        for name, device in DEVICES.items()
        for limit in device.lifetimes
        if limit.days == days
    }
    assert listed == known
