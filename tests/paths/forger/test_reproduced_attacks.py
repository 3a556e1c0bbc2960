"""Attacks that once succeeded, and leniencies, each as it was reproduced; beside them the sound evidence.

The same situations are in ``cases/revocation.py`` of the shared folder, whose files the command is tried with.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from pkcs12kit.cli import main

from . import extensions as ext
from . import parties as p
from .forgeries import look_alike
from .objects import DAY, HOUR, NOW
from .worlds import GOOD, REVOKED, UNKNOWN, World, world

STRANGER = p.key("stranger")
CA_CRL = p.crl("CA")
INDIRECT = ext.scope(p.SERVER_CRL, indirect=True)


def copied_ca(*evidence, since=None):
    """Return a world with a response by a stranger, in which the CA's certificate stands with the stranger's key."""
    made = (look_alike(p.ca()),)
    return world(p.response(p.single(since=since), signer="stranger", certificates=made), *evidence)


def copies_of_both():
    """Return a world in which the root's certificate is copied for the CA's status as well."""
    of_ca = p.response(
        p.single(p.CA, issuer="Root"), responder="Root", signer="stranger", certificates=(look_alike(p.root()),)
    )
    made = copied_ca()
    return made.but(evidence=(made.evidence[1], of_ca))


def copied_delegate():
    """Return a world with an old answer of a delegate, and a new one by a copy of its certificate."""
    real = p.response(p.single(), responder="Responder", certificates=(p.delegate(),))
    copy = look_alike(p.delegate())
    return world(p.expired(real), real.but(signer=STRANGER, certificates=(copy,)))


def blank_anchor():
    """Return a world whose anchor is a name and a key, and a response by a blank certificate in its name."""
    blank = p.root(key=STRANGER, serial=0, signature=b"")
    answer = p.response(p.single(p.CA, issuer="Root"), responder="Root", signer="stranger", certificates=(blank,))
    return world(CA_CRL).but(evidence=(CA_CRL, answer), bare_anchor=True)


def candidate(*evidence, entries=()):
    """Return a world with a look-alike of the CA in the pool, and a CRL signed with its key."""
    listed = p.crl("CA", *entries, number=9).but(signer=STRANGER)  # it names the CA's key, as a copy does
    return world(*evidence, listed, pool=(look_alike(p.ca(), serial=4900),))


def copied_signature():
    """Return a world with an expired CRL that revokes, and an unsigned list with its signature octets."""
    old = p.expired(p.crl("CA", p.revoked(), number=1))
    return world(old, p.crl("CA", number=9, this_update=NOW - 371 * DAY, signature=old.signature_octets))


def held(*deltas):
    """Return a world with a full CRL that has the server on hold, and delta CRLs."""
    full = p.crl("CA", p.revoked(reason="certificateHold"), number=5, more=(ext.freshest(p.DELTA_CRL),))
    return world(full, *(each(full) for each in deltas))


def releasing(_full=None, **changes):
    """Return the delta CRL that releases the server."""
    return p.crl("CA", p.revoked(reason="removeFromCRL"), number=6, more=(ext.delta_indicator(5),), **changes)


def forged_release(full):
    """Return a stranger's delta CRL with the full CRL's signature octets."""
    return releasing(this_update=NOW - 3 * HOUR, signature=full.signature_octets)


def indirect(*pool, **changes):
    """Return a world whose server a CRL signer lists for the root."""
    points = ext.crl_points(ext.point(p.SERVER_CRL, issuer="CRL Signer"))
    return World(
        path=(p.server(points, issuer="Root"),),
        evidence=(p.crl("CRL Signer", more=(INDIRECT,)).but(**changes), p.crl("Root")),
        pool=(p.crl_signer(), *pool),
    )


def own_voucher():
    """Return a world whose only CRL is by a signer whose own status that CRL would have to tell."""
    server = p.server(ext.crl_points(ext.point(issuer="CRL Signer")), issuer="Root")
    listing = p.crl("CRL Signer", more=(ext.scope(indirect=True),))
    return World(path=(server,), evidence=(listing,), pool=(p.crl_signer(),))


def by_delegate(**changes):
    """Return a world with a response by a delegate."""
    return world(p.response(p.single(), responder="Responder", certificates=(p.delegate(**changes),)))


ODD = ext.odd(critical=True)
BAD = p.single(since=NOW - 2 * DAY)
CASES = {
    "ocsp-copy-of-ca": (copied_ca, UNKNOWN),
    "ocsp-copies-of-both": (copies_of_both, UNKNOWN),
    "ocsp-copy-says-revoked": (lambda: copied_ca(CA_CRL, since=NOW - 2 * DAY), GOOD),
    "ocsp-copy-of-delegate": (copied_delegate, UNKNOWN),
    "crl-candidate": (candidate, UNKNOWN),
    "crl-candidate-says-revoked": (lambda: candidate(CA_CRL, entries=[p.revoked()]), GOOD),
    "crl-copied-signature": (copied_signature, UNKNOWN),
    "delta-forged": (lambda: held(forged_release), REVOKED),
    "indirect-forged": (lambda: indirect(look_alike(p.crl_signer(), serial=4900), signer=STRANGER), UNKNOWN),
    "indirect-own-voucher": (own_voucher, UNKNOWN),
    "crl-entry-critical": (lambda: world(p.crl("CA", p.revoked(77, ODD))), UNKNOWN),
    "crl-revoked-at-the-time": (lambda: world(p.crl("CA", p.revoked(date=NOW))), REVOKED),
    "ocsp-good-and-revoked": (lambda: world(p.response(p.single(), BAD)), REVOKED),
    "ocsp-critical": (lambda: world(p.response(p.single(extensions=(ODD,)))), UNKNOWN),
    "ocsp-delegate-may-not-sign": (lambda: by_delegate(usages=("keyEncipherment",)), UNKNOWN),
    "crl-sound": (lambda: world(CA_CRL), GOOD),
    "ocsp-sound": (lambda: world(p.response(p.single())), GOOD),
    "ocsp-delegate-sound": (by_delegate, GOOD),
    "delta-sound": (lambda: held(releasing), GOOD),
    "indirect-sound": (indirect, GOOD),
}
"""The objects of the case, and the status of the server."""
SOUND = ("crl-sound", "ocsp-sound", "ocsp-delegate-sound", "delta-sound", "indirect-sound")
PATHS = (*SOUND, "ocsp-copy-says-revoked", "crl-candidate-says-revoked")


@pytest.mark.parametrize("label", CASES)
def test_attack(label):
    """The status is the one by genuine and well-formed evidence only, in either order of it and of the pool."""
    made, expected = CASES[label]
    made = made()
    for evidence in (made.evidence, made.evidence[::-1]):
        for pool in (made.pool, made.pool[::-1]):
            found = made.report(evidence=evidence, pool=pool)
            assert found.statuses[0].status is expected, found


def test_release_in_a_full_crl():
    """A full CRL that lists the server with removeFromCRL is not a yes: that reason belongs in a delta CRL."""
    assert world(p.crl("CA", p.revoked(reason="removeFromCRL"))).statuses()[0] is not GOOD


@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
def test_blank_certificate_in_the_name_of_a_bare_key():
    """Where the anchor is a name and a key, a certificate with serial 0 and no signature does not stand for it."""
    assert blank_anchor().statuses()[1] is UNKNOWN


def test_unknown_is_a_path_in_soft_mode():
    """In mode soft the copied CA leaves a path, with a warning that the status is unknown."""
    report = copied_ca().report(mode="soft")
    assert report.failure is None
    assert len(report.warnings) == 1


@pytest.fixture(scope="module")
def cases(shared, cannot_run, tmp_path_factory):
    """The folders that the shared script makes."""
    script = shared / "cases" / "revocation.py"
    if not script.is_file():
        cannot_run("needs ../shared/cases/revocation.py")
    folder = tmp_path_factory.mktemp("cases")
    subprocess.run([sys.executable, script, folder], check=True)
    return folder


@pytest.mark.parametrize("label", [*CASES, "ocsp-bare-key-anchor", "crl-remove-in-full"])
def test_shared_case(cases, label, monkeypatch, capsys):
    """``paths --revocation require`` ends with 0 for a path and with 1 for none, as the shared README has it."""
    at = cases / label
    evidence = [
        (f"--{file.suffix[1:]}", str(file)) for file in sorted(at.iterdir()) if file.suffix in {".crl", ".ocsp"}
    ]
    for ordered in (evidence, evidence[::-1]):
        arguments = [
            *("pkcs12kit", "paths", str(at / "leaf.pem"), "--certs", str(at / "certs.pem")),
            *("--anchor", str(at / "anchor.pem"), "--at", "2026-06-01T12:00:00Z", "--revocation", "require"),
            *(part for pair in ordered for part in pair),
        ]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == (0 if label in PATHS else 1), capsys.readouterr()
