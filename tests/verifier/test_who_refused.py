"""Rehearsals with a program in the place of GnuTLS that does everything a client can do: only a refusal is one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pkcs12kit import Bundle, encode_pfx, lab, profiles
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.probing import Verdict
from pkcs12kit.tls.handshake import Handshake
from pkcs12kit.verifier.rehearse import rehearse

QUICK = replace(profiles.MODERN, encryption_iterations=3, mac_iterations=3)
TRUSTED = "echo '- Status: The certificate is trusted.'; echo '- Handshake was completed'; exit 0"
DISTRUSTED = (
    "echo '- Status: The certificate is NOT trusted. The certificate chain uses expired certificate. ';"
    " echo '*** PKI verification of server certificate failed...'; exit 1"
)
NO_VERSION = "echo '*** Fatal error: A TLS fatal alert has been received.' >&2; echo 'Protocol version' >&2; exit 1"
PROGRAM = """#!/bin/sh
[ "$1" = --version ] && echo "gnutls-cli 3.7.9" && exit
case $* in *TLS1.2*) {old};; esac
{new}
"""
OUTCOMES = {
    # what it does in TLS 1.2 and in TLS 1.3: refused, not tried, a part of the reason
    "accepts": (TRUSTED, TRUSTED, (), (), None),
    "refuses": (DISTRUSTED, DISTRUSTED, ("gnutls",), (), "uses expired certificate"),
    "refuses once": (TRUSTED, DISTRUSTED, ("gnutls",), (), "uses expired certificate"),
    "refuses, then crashes": (DISTRUSTED, "kill -SEGV $$", ("gnutls",), (), "by signal 11 (SIGSEGV)"),
    "crashes": ("kill -SEGV $$", "kill -SEGV $$", (), ("gnutls",), "by signal 11 (SIGSEGV)"),
    "crashes once": (TRUSTED, "kill -ABRT $$", (), ("gnutls",), "by signal 6 (SIGABRT)"),
    "hangs": ("exec /bin/sleep 60", TRUSTED, (), ("gnutls",), "no answer within 0.5 seconds"),
    "ends oddly": ("echo what >&2; exit 3", TRUSTED, (), ("gnutls",), "it ended with status 3: what"),
    "says nothing": ("exit 0", "exit 0", (), ("gnutls",), "it ended with status 0"),
    "does not speak the version": (NO_VERSION, TRUSTED, (), ("gnutls",), "Protocol version"),
}


@pytest.fixture(scope="module")
def served():
    """A PKCS#12 file of a server that every client accepts, and its trust anchor."""
    root, ca = lab.Authority.create("Root"), lab.Authority.create("CA")
    server = ca.issue_server("www.example.com")
    chain = (server.certificate, root.issue_ca(ca))
    bundle = Bundle(private_key=server.private_key, certificates=chain, certificate_names=(None, None))
    return encode_pfx(bundle, password="no secret", profile=QUICK), root.certificate


@pytest.fixture
def rehearse_with(served, tmp_path, monkeypatch):
    """Rehearse with this program as gnutls-cli, which has to accept."""
    data, anchor = served

    def call(text, *, mode=0o755):
        program = tmp_path / "gnutls-cli"
        program.write_text(text)
        program.chmod(mode)
        monkeypatch.setenv("PATH", str(tmp_path))
        limits = replace(DEFAULT_LIMITS, client_seconds=0.5 if "sleep" in text else DEFAULT_LIMITS.client_seconds)
        return rehearse(data, password="no secret", trust_anchors=[anchor], clients=["gnutls"], limits=limits)

    return call


@pytest.mark.parametrize("name", OUTCOMES)
def test_only_a_refusal_is_one(rehearse_with, name):
    """The answer is yes only if it accepts in both versions; only a client that refused is named as refusing."""
    old, new, refused, not_tried, why = OUTCOMES[name]
    report = rehearse_with(PROGRAM.format(old=old, new=new))
    assert (report.refused, report.not_tried) == (refused, not_tried)
    assert report.ok is (why is None)
    assert report.failed == (*refused, *not_tried)
    assert (report.to_json()["refused"], report.to_json()["not_tried"]) == (list(refused), list(not_tried))
    if why is not None:
        assert any(why in problem for problem in report.problems)
    for problem in report.problems:
        assert (": refused: " in problem) is ("certificate" in problem)


def test_a_program_that_cannot_be_run(rehearse_with):
    """A program without an interpreter is there, but cannot be run: it is not tried."""
    report = rehearse_with("#!/nowhere/interpreter\n")
    assert (report.ok, report.refused, report.not_tried) == (False, (), ("gnutls",))
    assert all("cannot be run: No such file or directory" in problem for problem in report.problems)


def test_a_client_without_any_handshake(rehearse_with):
    """A required client of which nothing is known was not tried; it did not refuse."""
    whole = rehearse_with(PROGRAM.format(old=TRUSTED, new=TRUSTED))
    less = replace(whole, handshakes=tuple(one for one in whole.handshakes if one.client != "gnutls"))
    assert (less.ok, less.refused, less.not_tried) == (False, (), ("gnutls",))
    assert less.problems == ("gnutls: it made no handshake",)


def test_a_client_that_is_not_required_is_in_neither_list(rehearse_with):
    """Its refusal is in the handshakes; the answer does not depend on it."""
    whole = rehearse_with(PROGRAM.format(old=TRUSTED, new=TRUSTED))
    more = Handshake(client="go", version="", protocol="TLSv1.3", verdict=Verdict.REFUSED, why="because")
    report = replace(whole, handshakes=(*whole.handshakes, more))
    assert (report.ok, report.refused, report.not_tried) == (True, (), ())
