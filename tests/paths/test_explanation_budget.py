"""The explanation why there is no path has a small budget; where it is exhausted, the statements are true."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.display.paths import path_report
from pkcs12kit.errors import FailureReason
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.search import find_paths
from pkcs12kit.paths.signatures import REMEMBERED
from pkcs12kit.paths.validation.parameters import ValidationParameters

from ..thoroughness import mostly_slow

AT = datetime(2026, 3, 1, tzinfo=UTC)
STOPPED = "the explanation is incomplete"
KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(24)]


def name(text):
    """A name of one attribute."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, issuer_key, *, expired=False):
    """A CA's certificate without key identifiers, so that only its signature says which key issued it."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(KEYS[key].public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(AT - timedelta(days=90))
        .not_valid_after(AT + timedelta(days=-1 if expired else 90))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    return Certificate(builder.sign(KEYS[issuer_key], hashes.SHA256()).public_bytes(Encoding.DER))


def namesakes(number):
    """A target below CAs of one name, each certified by the next; the last is self-signed, and no trust anchor."""
    pool = [certificate("Same", at, "Same", min(at + 1, number - 1)) for at in range(number)]
    random.Random(2).shuffle(pool)  # noqa: S311
    return certificate("EE", 23, "Same", 0), pool


ANCHOR = TrustAnchor.from_certificate(certificate("Root", 22, "Root", 22))


def search(target, pool, **limits):
    """Search with no verdict on a signature remembered: each costs."""
    REMEMBERED.forget()
    return find_paths(
        target,
        pool=CertificatePool(pool),
        trust_anchors=[ANCHOR],
        parameters=ValidationParameters(time=AT),
        limits=replace(DEFAULT_LIMITS, **limits),
    )


def said(report):
    """Return the statements, each with the certificate and the reason."""
    return [
        (failure.certificate, failure.reason, failure.detail) for path in report.rejected for failure in path.failures
    ]


def test_namesakes_do_not_cost_their_square(monkeypatch):
    """100 CAs of one name without key identifiers took 10,000 checks to explain: the budget ends it, and is named."""
    from pkcs12kit.paths import signatures

    checked = []
    check = signatures.check_signature
    monkeypatch.setattr(signatures, "check_signature", lambda *asked: checked.append(asked) or check(*asked))
    target, pool = namesakes(20)
    report = search(target, pool, explanation_signature_checks=50)
    assert len(checked) <= 50
    assert report.valid == ()
    assert report.incomplete is None, "the search itself was complete"
    *others, last = report.rejected
    assert others
    assert last.certificates == (target,)
    assert last.reason is FailureReason.BUDGET_EXHAUSTED
    assert "given up after 50 signature checks (limits.explanation_signature_checks)" in last.detail
    assert STOPPED in report.to_json()["rejected"][-1]["detail"]
    assert "limits.explanation_signature_checks" in "".join(map(str, told(report)))
    assert not any(STOPPED in detail for _, _, detail in said(search(target, pool)))


def told(report):
    """Return the lines that a terminal shows."""
    from rich.console import Console

    console = Console(width=1000)
    with console.capture() as captured:
        for part in path_report(report, every=True):
            console.print(part)
    return [captured.get()]


def test_nothing_but_that_it_was_stopped():
    """No path, and nothing found: the answer is still no, by a reason of the search, and tells what is not known."""
    target, pool = namesakes(20)
    pool.append(certificate("Other", 21, "Root", 22))  # so that the anchor is not one that nobody names
    report = search(target, pool, explanation_signature_checks=3)
    ((about, reason, detail),) = said(report)
    assert (about, reason) == (target, FailureReason.NO_TRUST_ANCHOR)
    assert "no trust anchor given (CN=Root) was reached, and the explanation is incomplete" in detail


def some_pool(chance):
    """CAs of few names that certify one another at random, some of them expired, some by the anchor."""
    vertices = [(chance.choice("AB"), key) for key in range(chance.randint(2, 7))]
    pool = []
    for _ in range(chance.randint(1, 12)):
        subject, issuer = chance.choice(vertices), chance.choice(vertices)
        pool.append(certificate(*subject, *issuer, expired=chance.random() < 0.2))
    if chance.random() < 0.4:
        pool.append(certificate(*chance.choice(vertices), "Root", 22, expired=chance.random() < 0.8))
    return certificate("EE", 23, *chance.choice(vertices)), pool


@pytest.mark.parametrize("seed", [5, *mostly_slow((seed for seed in range(40) if seed != 5), every=8)])
def test_what_is_said_of_a_stopped_explanation_is_true(seed):
    """With a budget below what is needed, everything said is said by the whole explanation, too, but that it ended."""
    chance = random.Random(seed)  # noqa: S311
    target, pool = some_pool(chance)
    whole = search(target, pool)
    statements = set(said(whole))
    refuted = {about for about, reason, _ in statements if reason is FailureReason.BAD_SIGNATURE}
    if whole.valid:
        return
    assert not any(STOPPED in detail for _, _, detail in statements)
    complete = 0
    for checks in range(80):
        report = search(target, pool, explanation_signature_checks=checks)
        ended = [statement for statement in said(report) if STOPPED in statement[2]]
        lapsed = {one for one in said(report) if one[1] is FailureReason.EXPIRED and one[0].not_after < AT}
        other = set(said(report)) - set(ended) - lapsed - statements
        # That a signature does not verify is said once: of one key, or of all keys of that name.
        assert {about for about, reason, _ in other if reason is FailureReason.BAD_SIGNATURE} <= refuted
        assert all(reason is FailureReason.BAD_SIGNATURE for _, reason, _ in other)
        assert len(ended) <= 1
        if not ended:
            assert said(report) == said(whole)
            complete += 1
    assert complete, "no budget sufficed"
