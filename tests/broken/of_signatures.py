"""Set-ups with a signature or a key that is wrong, weak or not supported, and one that a limit ends."""

from __future__ import annotations

from typing import Final

from cryptography import x509

from pkcs12kit import lab
from pkcs12kit.certificates.certificate import Certificate

from .pki import ISSUING, SERVER, Link, Pki, authority, issue, rsa_key
from .setups import PATHS, Broken

SIGNATURE: Final = "RFC 5280 section 6.1.3 (a)(1)"


def _damaged(file):
    """Return a maker of the usual files, with a changed bit in the signature of one."""

    def make(folder):
        Pki(folder)
        octets = bytearray(folder.certificates[file].der)
        octets[-1] ^= 1
        folder.put(file, Certificate.from_der(bytes(octets)))

    return make


def _tampered(folder):
    """A letter of the name was changed, and everything after it is as before."""
    Pki(folder)
    folder.put("server.pem", Certificate.from_der(folder.certificates["server.pem"].der.replace(b"www", b"web")))


def _impostor(folder):
    """A CA with the issuing CA's name and key identifier, and its own key."""
    pki = Pki(folder)
    other = authority(ISSUING, "impostor")
    identifier = pki.issuing_certificate.as_cryptography.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    folder.put("impostor.pem", issue(pki.policy, other, Link(extensions=(identifier,)), 60))


def _long(folder):
    """A chain of more CAs than a search follows."""
    Pki(folder)
    above, certificates = authority("CA 0"), []
    folder.put("root.pem", above.certificate)
    for number in range(1, 125):
        below = authority(f"CA {number}", "one key for all")
        certificates.append(issue(above, below, Link(), number))
        above = below
    folder.put("many.pem", *certificates)
    folder.put("server.pem", issue(above, SERVER, Link(), 1002))


SETUPS: Final = (
    Broken(
        name="damaged-server",
        kind="bad-signature",
        what="The server's certificate was damaged in copying.",
        make=_damaged("server.pem"),
        faults=(("server.pem", "bad-signature"),),
        rule=SIGNATURE,
        shown=True,
    ),
    Broken(
        name="damaged-ca",
        kind="bad-signature",
        what="The issuing CA's certificate was damaged in copying.",
        make=_damaged("issuing.pem"),
        faults=(("issuing.pem", "bad-signature"),),
        rule=SIGNATURE,
    ),
    Broken(
        name="tampered-name",
        kind="bad-signature",
        what="Somebody changed a name in the server's certificate.",
        make=_tampered,
        faults=(("server.pem", "bad-signature"),),
        rule=SIGNATURE,
    ),
    Broken(
        name="impostor",
        kind="bad-signature",
        what="A CA has the issuing CA's name and key identifier, and another key.",
        make=_impostor,
        call="paths server.pem --certs impostor.pem policy.pem --anchor root.pem",
        faults=(("server.pem", "bad-signature"),),
        rule=SIGNATURE,
    ),
    Broken(
        name="sha1",
        kind="weak-algorithm",
        what="The server's certificate is signed with SHA-1.",
        make=lambda folder: Pki(folder, server=Link(digest="sha1")),
        faults=(("server.pem", "weak-algorithm"),),
        rule=SIGNATURE,
        shown=True,
    ),
    Broken(
        name="md5-of-a-ca",
        kind="weak-algorithm",
        what="The issuing CA's certificate is signed with MD5.",
        make=lambda folder: Pki(folder, policy=Link(key=rsa_key(2048)), issuing=Link(digest="md5")),
        faults=(("issuing.pem", "weak-algorithm"),),
        rule=SIGNATURE,
    ),
    Broken(
        name="rsa-1024-of-the-server",
        kind="weak-algorithm",
        what="The server's RSA key has 1,024 bits.",
        make=lambda folder: Pki(folder, server=Link(key=rsa_key(1024))),
        faults=(("server.pem", "weak-algorithm"),),
        rule="RFC 5280 section 6.1.5 (c)",
    ),
    Broken(
        name="rsa-1024-of-a-ca",
        kind="weak-algorithm",
        what="The issuing CA's RSA key has 1,024 bits.",
        make=lambda folder: Pki(folder, issuing=Link(key=rsa_key(1024))),
        faults=(("server.pem", "weak-algorithm"),),
        rule=SIGNATURE,
    ),
    Broken(
        name="not-for-piv",
        kind="weak-algorithm",
        what="--algorithms sp800-78 is asked for, and the server's key is on a curve that PIV does not allow.",
        make=lambda folder: Pki(folder, server=Link(key=lab.KeyType.ED25519.generate())),
        call=f"{PATHS} --algorithms sp800-78",
        faults=(("server.pem", "weak-algorithm"),),
    ),
    Broken(
        name="unknown-signature-algorithm",
        kind="unsupported-algorithm",
        what="The server's certificate is signed with an algorithm that nobody knows here.",
        make=lambda folder: Pki(folder, server=Link(algorithm={"algorithm": "2.999.5"})),
        faults=(("server.pem", "unsupported-algorithm"),),
        rule=SIGNATURE,
        shown=True,
    ),
    Broken(
        name="unknown-signature-algorithm-of-a-ca",
        kind="unsupported-algorithm",
        what="The issuing CA's certificate is signed with an algorithm that nobody knows here.",
        make=lambda folder: Pki(folder, issuing=Link(algorithm={"algorithm": "2.999.5"})),
        faults=(("issuing.pem", "unsupported-algorithm"),),
        rule=SIGNATURE,
    ),
    Broken(
        name="weak-and-wrong-name",
        kind="weak-algorithm",
        what="The server's certificate is signed with SHA-1, and the clients use another name.",
        make=lambda folder: Pki(folder, server=Link(digest="sha1")),
        call=f"{PATHS} --server-name mail.example.com",
        faults=(("server.pem", "weak-algorithm"), ("server.pem", "server-name")),
    ),
    Broken(
        name="too-long",
        kind="budget-exhausted",
        what="The chain is longer than any PKI's.",
        make=_long,
        call="paths server.pem --certs many.pem --anchor root.pem",
        faults=(("server.pem", "budget-exhausted"),),
        rule="pkcs12kit.limits",
        shown=True,
    ),
)
