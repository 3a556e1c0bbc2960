"""Notes on hostile certificates: none raises an error or a warning, and text from outside is safe to print."""

import random
from pathlib import Path

import cryptography_vectors
import pytest
from asn1crypto import pem

import pkcs12kit as pk
from pkcs12kit.text import harmless

from ..thoroughness import examples
from .chains import ALTERNATIVE, DEFECTS, SERVER, SOUND, dns

VECTORS = Path(cryptography_vectors.__file__).parent / "x509"
OCTETS = (0x00, 0x01, 0x30, 0x80, 0xFF)


def read(der):
    """Return the certificate; None where it cannot be read."""
    try:
        return pk.Certificate.from_der(der)
    except pk.MalformedCertificateError:
        return None


def lint_everywhere(certificate, other):
    """Return the notes on a certificate in each place of a path."""
    return [
        *pk.lint_certificates([certificate, other], for_server=True),
        *pk.lint_certificates([other, certificate]),
        *pk.lint_certificates([other], trust_anchors=[certificate]),
    ]


def check(notes):
    """Each note can be shown."""
    for note in notes:
        assert note.why == harmless(note.why)
        assert len(note.why) < 1_000
        assert str(note)
        assert note.to_json()["rule"] == note.rule


@pytest.mark.parametrize("step", [8, pytest.param(1, marks=pytest.mark.slow)])
def test_the_certificates_of_the_vectors(step):
    """Each certificate of pyca/cryptography's vectors that can be read has notes or none, in each place of a path."""
    other, found = read(SERVER.der), 0
    for file in sorted(VECTORS.rglob("*"))[::step]:
        if file.suffix not in {".pem", ".der", ".crt"}:
            continue
        data = file.read_bytes()
        certificate = read(data if not pem.detect(data) else pem.unarmor(data)[2])
        if certificate is not None:
            found += 1
            check(lint_everywhere(certificate, other))
    assert found > 400 / step


@pytest.mark.parametrize("seed", range(examples(4)))
def test_changed_octets(seed):
    """Whatever changes in a certificate that can still be read, there is no error."""
    chance = random.Random(seed)  # noqa: S311  # a test that can be repeated
    ders = [part.der for part in (*SOUND, *(part for _, part in DEFECTS))]
    other, found = read(SERVER.der), 0
    for _ in range(60):
        der = bytearray(chance.choice(ders))
        for _ in range(chance.randint(1, 3)):
            der[chance.randrange(len(der))] = chance.choice((*OCTETS, chance.randrange(256)))
        certificate = read(bytes(der))
        if certificate is not None:
            found += 1
            check(lint_everywhere(certificate, other))
    assert found > 5


def test_many_names():
    """Two thousand names are examined once each, and one is shown for each rule."""
    names = dns(*(f"{kind}{number}" for number in range(1_000) for kind in ("a_b.example", "192.0.2.")))
    certificate = read(SERVER.having(ALTERNATIVE, names).der)
    check(pk.lint_certificates([certificate]))
    rules = [note.rule for note in pk.lint_certificates([certificate])]
    assert rules == ["dns-name-underscore", "dns-name-is-address", "common-name-not-in-names"]
