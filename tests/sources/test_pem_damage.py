"""PEM text that people and programs changed: each certificate is read, or is a reject; none is dropped in silence."""

from __future__ import annotations

import random
import re

import pytest

import pkcs12kit as pk

from .conftest import der, issue, pem

BEGIN = re.compile(rb"-----BEGIN (?:[A-Z0-9 ]+ )?CERTIFICATE-----")
LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "INTERMEDIATE CERTIFICATE", "CA CERTIFICATE")


@pytest.fixture(scope="module")
def certificates():
    """Four certificates."""
    return [issue(f"CA {number}", serial=number)[0] for number in range(1, 5)]


@pytest.fixture(scope="module")
def text(certificates):
    """A PEM text of the four, each with a label and a heading of its own, as bundles have them."""
    blocks = []
    for number, (certificate, label) in enumerate(zip(certificates, LABELS[:4], strict=True)):
        block = pem(certificate).replace(b"CERTIFICATE", label.encode())
        blocks.append(b"# CA %d\nsubject=CN = CA %d\n%b" % (number, number, block))
    return b"\n".join(blocks)


def counts(data):
    """Return the number of certificates and of rejects of a text; an error counts as the rejects that it is about."""
    try:
        pool = pk.load_certificates(data)
    except pk.InputError as error:
        more = re.search(r"\(and (\d+) more\)", str(error))
        return 0, 1 + int(more[1]) if more else 1
    return len(pool), len(pool.rejects)


def a_mutant(chance, text):
    """Change some lines of a text: drop, repeat, join, swap or alter them, or their dashes, labels and letters."""
    lines = text.split(b"\n")
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(lines))
        if chance.random() < 0.5:
            at = chance.choice([number for number, line in enumerate(lines) if b"-----" in line] or [at])
        line = lines[at]
        position = chance.randrange(len(line) + 1)
        letter = bytes([chance.choice(b"A=-+ :\\%>&\0\xe9\r_z")])
        lines[at : at + 1] = chance.choice(
            [
                [],
                [line, line],
                [line[:position], line[position:]],
                [line[:position] + letter + line[position:]],
                [line[:position] + line[position + 1 :]],
                [line[:position] + letter + line[position + 1 :]],
                [line.lower()],
                [line.replace(b"-----", b"-" * chance.randrange(8))],
                [line.replace(b"CERTIFICATE", chance.choice([b"CERTIFICAET", b"PKCS7", b"", b"X509 CRL"]))],
                [line.replace(b"BEGIN", chance.choice([b"END", b"BEGN", b""]))],
                [line.replace(b"END", chance.choice([b"BEGIN", b"EDN", b""]))],
                [b"junk: " + line, b"", line],
                [line + b"".join(lines[at + 1 : at + 2])],
            ]
        )
    return b"\n".join(lines)


@pytest.mark.parametrize(("seed", "mutants"), [pytest.param(1, 150), pytest.param(2, 2000, marks=pytest.mark.slow)])
def test_no_block_is_dropped(text, seed, mutants):
    """RFC 7468 section 2: whatever was changed, there are as many certificates and rejects as BEGIN lines at least."""
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    for _ in range(mutants):
        mutant = a_mutant(chance, text)
        begun = len(BEGIN.findall(mutant)) - repeated(mutant)
        assert sum(counts(mutant)) >= begun, mutant.decode("latin-1")


def repeated(mutant):
    """Return the number of blocks that stand there again, and are one certificate."""
    blocks = re.findall(rb"-----BEGIN[^-]*-----([^-]*)", mutant)
    return len(blocks) - len(set(blocks))


@pytest.mark.parametrize(
    "label",
    [
        *LABELS,
        "SOME NEW CERTIFICATE",
        "CERTIFICATES",
        "PKCS7",
        "PKCS #7 SIGNED DATA",
        "CMS",
        "PKCS12",
        "PFX",
        "X509 CRL",
    ],
)
def test_damage_is_a_reject(certificates, label, tmp_path):
    """A damaged block with any label of certificates or CRLs is one reject, which names the file and the label."""
    block = pem(certificates[0]).replace(b"CERTIFICATE", label.encode())
    lines = block.split(b"\n")
    damages = {
        "base64": block.replace(lines[3], b"@@@@" + lines[3][4:]),
        "a line less": block.replace(lines[3] + b"\n", b""),
        "no END": block[: block.rindex(b"-----END")],
        "no BEGIN": b"\n".join(lines[1:]),
        "a hole": block.replace(lines[3], b"..."),
        "nothing": lines[0] + b"\n" + lines[-2],
        "the start": b"\n".join(lines[:3]),
        "another inside": b"\n".join([*lines[:3], *pem(certificates[1]).split(b"\n")[:-1]]),
    }
    file = tmp_path / "bundle.pem"
    for name, text in damages.items():
        if label == "X509 CRL" and name == "a line less":
            continue  # its kind is not known: it is as a sound CRL, no certificate
        file.write_bytes(text + b"\n" + pem(certificates[3]))
        pool = pk.load_certificates(file)
        assert [str(reject) for reject in pool.rejects if "bundle.pem" not in str(reject)] == []
        assert len(pool.rejects) == 1, name
        assert der(certificates[3]) in [certificate.der for certificate in pool]
        assert label in pool.rejects[0].reason


def test_what_is_something_else(certificates):
    """Blocks of other kinds, and headings that look like markers, are no rejects; a CSR is named as what it is."""
    request = b"-----BEGIN CERTIFICATE REQUEST-----\n@\n-----END CERTIFICATE REQUEST-----\n"
    key = b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"
    headings = (
        b"----- Intermediate certificate -----\n\n",
        b"---- begin certificate bundle ----\n",
        b"---- End of certificates ----\n",
        b"- begin certificate\n",
        b"----- Root Certificate -----\nSubject: CN=Root\n",
        b"----- Root Certificate -----\nExampleGlobalRootG2ForTimestamping\n",
        b"------------------------\n",
    )
    for other in (request, key, *headings):
        for text in (other + pem(certificates[0]), pem(certificates[0]) + other):
            assert counts(text) == (1, 0), other


def test_a_heading_alone_is_text():
    """A text whose only markers are headings is no PEM text, and says so."""
    for heading in (b"---- Root certificates ----\nnone\n", b"---- end of list ----\n", b"-----BEGIN-----\n"):
        with pytest.raises(pk.InputError, match="expected a certificate, found text without a PEM block"):
            pk.load_certificates(heading)


@pytest.mark.parametrize("label", ["X509 CRL", "CRL"])
def test_a_damaged_crl_is_refused(label, certificates):
    """Without one of its CRLs a file could make a revoked certificate seem good: an error names file and block."""
    block = f"-----BEGIN {label}-----\n@@@@\n-----END {label}-----\n".encode()
    with pytest.raises(pk.InputError, match=f"{label} block: its base64 is damaged"):
        pk.load_crls(block + pem(certificates[0]))
