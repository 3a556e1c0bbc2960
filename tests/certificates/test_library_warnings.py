"""No Python warning of a library reaches users: tests run with warnings as errors, and so do users' scripts."""

import random
import subprocess
import sys
import warnings

import pytest
from cryptography.x509 import load_der_x509_certificate

import pkcs12kit as pk
from pkcs12kit.certificates.extension_decoding import may_warn
from pkcs12kit.errors import MalformedCertificateError, PathError

from .. import der
from ..thoroughness import examples
from .oddities import (
    CA_KEY,
    IA5,
    NOW,
    PRINTABLE,
    VISIBLE,
    attribute,
    certificate,
    extension,
    issuing,
    key_hash,
    name,
    of_server,
    root,
    server,
)

POLICIES, CRL_POINTS, AKI, AIA, IAN = "2.5.29.32", "2.5.29.31", "2.5.29.35", "1.3.6.1.5.5.7.1.1", "2.5.29.18"
JURISDICTION = "1.3.6.1.4.1.311.60.2.1.3"
LONG, COUNTRY = attribute(b"x" * 65), attribute(b"USA", PRINTABLE, "2.5.4.6")
ODD_NAMES = {
    "long": LONG,
    "empty": attribute(b""),
    "wide": attribute("€".encode("utf-16-be") * 22, 30),
    "country": COUNTRY,
    "country-empty": attribute(b"", PRINTABLE, "2.5.4.6"),
    "country-ia5": attribute(b"U", IA5, "2.5.4.6"),
    "jurisdiction": attribute(b"USA", PRINTABLE, JURISDICTION),
}


def directory(odd):
    """Return a directory name."""
    return der.explicit(4, name(odd))


def notice(text):
    """Return certificatePolicies with a user notice in a VisibleString."""
    info = der.sequence(der.oid("1.3.6.1.5.5.7.2.2"), der.sequence(der.tlv(VISIBLE, text)))
    return extension(POLICIES, der.sequence(der.sequence(der.oid("2.999"), der.sequence(info))))


def authority(serial, issuer="Root"):
    """Return authorityKeyIdentifier with issuer and serial number."""
    fields = der.implicit(0, key_hash(CA_KEY)), der.explicit(1, directory(issuer)), der.implicit(2, serial)
    return extension(AKI, der.sequence(*fields))


def with_name(odd):
    """Return an extension of each kind that has a directory name."""
    yield extension("2.5.29.17", der.sequence(directory(odd), der.implicit(2, b"mdm.example.mil")))
    yield extension(IAN, der.sequence(directory(odd)))
    yield authority(b"\x05", odd)
    yield extension(CRL_POINTS, der.sequence(der.sequence(der.explicit(0, der.explicit(0, directory(odd))))))
    yield extension(CRL_POINTS, der.sequence(der.sequence(der.explicit(0, der.tlv(0xA1, odd[2:])))))
    yield extension(CRL_POINTS, der.sequence(der.sequence(der.explicit(2, directory(odd)))))
    yield extension("2.5.29.46", der.sequence(der.sequence(der.explicit(0, der.explicit(0, directory(odd))))))
    for oid in (AIA, "1.3.6.1.5.5.7.1.11"):
        yield extension(oid, der.sequence(der.sequence(der.oid("1.3.6.1.5.5.7.48.2"), directory(odd))))
    yield extension("2.5.29.30", der.sequence(der.explicit(0, der.sequence(directory(odd)))))


ODD = [
    *(certificate(serial=serial) for serial in (0, -1, -(2**70))),
    *(certificate(subject=odd, issuer=odd) for odd in ODD_NAMES.values()),
    *(certificate(extensions=(one,)) for odd in ODD_NAMES.values() for one in with_name(odd)),
    *(certificate(extensions=(authority(serial),)) for serial in (b"\0", b"\xff", b"\x80" * 20, b"\x80" * 200)),
    *(certificate(extensions=(notice(text),)) for text in ("é".encode(), "é".encode() * 90, b"a" * 130 + "é".encode())),
]


def look(read):
    """Decode whatever there is in a certificate. Errors of its own are all that may happen."""
    found = [read.subject, read.issuer, read.serial_number, read.notes, read.is_ca, read.key_identifier, repr(read)]
    found += [read.node, read.signature_algorithm, read.to_json(), pk.to_html(read), read.version, read.signature]
    for decode in (
        lambda: read.extensions.policy_mappings,
        lambda: read.public_key,
        lambda: read.signature_hash_algorithm,
        lambda: pk.TrustAnchor.from_certificate(read),
    ):
        try:
            found.append(decode())
        except MalformedCertificateError:
            continue
    return found


def warns(encoded):
    """Return True if pyca/cryptography writes a warning while it decodes a certificate."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            read = load_der_x509_certificate(encoded)
            _ = read.subject, read.issuer, read.extensions
        except Exception:  # noqa: BLE001, S110  # whatever it raises
            pass
    return bool(caught)


@pytest.mark.parametrize("encoded", ODD)
def test_what_pyca_cryptography_warns_of_is_read_in_silence(encoded):
    """It does warn of each of them, and here nothing does."""
    assert warns(encoded) or b"\x06\x03U\x1d\x1f" in encoded or b"\x06\x03U\x1d\x2e" in encoded
    look(pk.Certificate(encoded))


def test_the_usual_is_decoded_at_once():
    """No detour for what nothing warns of: sound certificates take the fast way."""
    usual = [root(), issuing(), server(notice(b"a" * 150)), server(authority(b"\x05")), server(authority(b"\0\xff"))]
    assert not any(map(may_warn, usual))


def test_a_key_identifier_is_not_taken_for_a_serial_number():
    """Its octets are those of a hash: one in fifty has the octets of a serial number that is not positive."""
    key = b"\x82\x01\x00\x82\x02\x80\x00" + bytes(13)
    identifier = extension("2.5.29.35", der.sequence(der.tlv(0x80, key)))
    assert not may_warn(server(identifier))
    assert not warns(server(identifier))


RICH = issuing(
    notice(b"Notice"),
    authority(b"\x05"),
    extension(AIA, der.sequence(der.sequence(der.oid("1.3.6.1.5.5.7.48.2"), directory("Root")))),
    extension(CRL_POINTS, der.sequence(der.sequence(der.explicit(0, der.explicit(0, directory(COUNTRY)))))),
    extension("2.5.29.30", der.sequence(der.explicit(0, der.sequence(directory("mdm.example.mil"))))),
    subject=attribute(b"US", PRINTABLE, "2.5.4.6") + attribute(b"Issuing"),
)


def test_damaged_certificates_are_read_in_silence_or_refused():
    """Any octet can be any other: answers, or the project's own error, and never a warning or another error."""
    chance = random.Random(16)  # noqa: S311  # not for cryptography
    leaf, anchor = pk.Certificate(server()), pk.TrustAnchor.from_certificate(pk.Certificate(root()))
    for _ in range(examples(100)):
        damaged = bytearray(RICH)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            damaged[chance.randrange(len(damaged))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        try:
            read = pk.Certificate(bytes(damaged))
        except MalformedCertificateError:
            continue
        look(read)
        try:
            pk.find_path(leaf, pool=pk.CertificatePool([read]), trust_anchors=[anchor], time=NOW)
        except PathError:
            continue


def test_a_script_that_runs_with_warnings_as_errors(tmp_path):
    """``python -W error`` reads such certificates, in a process of its own."""
    odd = {"serial": 0, "issuer": LONG, "extensions": (*of_server(), authority(b"\0"))}
    (tmp_path / "odd.der").write_bytes(certificate(**odd))
    script = "import pkcs12kit as pk; c = pk.load_certificate('odd.der'); print(c.label, c.notes, c.is_ca, c.issuer)"
    done = subprocess.run(  # its own interpreter
        [sys.executable, "-W", "error", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Note(rule=" in done.stdout
