"""Set-ups with files that do not fit: another kind, another key, a password, a place, an order."""

from __future__ import annotations

from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

import pkcs12kit as pk

from .pki import PASSWORD, PAST, SERVER, Link, Pki, authority, ec_key, issue
from .setups import BUILD, ONE_CA, Broken

VERIFY: Final = "verify server.p12 --anchor root.pem --password-file pw.txt"
WHOLE: Final = ("issuing.pem", "policy.pem", "root.pem")
"""The path above the server."""
VERIFY_PEM: Final = "verify chain.pem --key server.key --anchor root.pem"


def usual(folder, **links: Link) -> Pki:
    """Write the usual files, with a password; and in a folder those that someone finds who looks for the right ones."""
    folder.write("pw.txt", f"{PASSWORD}\n")
    pki = Pki(folder, **links)
    for name in ("server.pem", "issuing.pem", "policy.pem", "root.pem"):
        folder.put(f"right/{name}", folder.certificates[name])
    folder.put_key("right/server.key", pki.server_key)
    folder.write("right/pw.txt", f"{PASSWORD}\n")
    folder.write("right/other-pw.txt", "another password\n")
    return pki


def _and(then: Any) -> Any:  # a maker
    """Return a maker of the usual files, which ``then`` changes."""
    return lambda folder: then(folder, usual(folder))


def _request(folder, name):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SERVER)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(ec_key(SERVER), hashes.SHA256())
    folder.write(name, made.public_bytes(Encoding.PEM))


def _two_keys(folder, _):
    text = (folder.path / "server.key").read_text()
    folder.put_key("other.key", ec_key("another server"))
    folder.write("server.key", text + (folder.path / "other.key").read_text())


def _replaced(file: str, content: str) -> Any:  # a maker
    """Return a maker of the usual files, one of which has this content."""
    return _and(lambda folder, _: folder.write(file, content))


def _bundle(*chain: str, password: str = PASSWORD, **links: Link) -> Any:  # a maker
    """Return a maker of server.p12 with the server's certificate and those of these files."""

    def make(folder):
        usual(folder, **links)
        certificates = tuple(folder.certificates[name] for name in ("server.pem", *chain))
        bundle = pk.Bundle(private_key=ec_key(SERVER), certificates=certificates, friendly_name=SERVER)
        folder.write("server.p12", pk.encode_pfx(bundle, password=password, profile="modern"))

    return make


def _chain(*files: str) -> Any:  # a maker
    """Return a maker of chain.pem with the certificates of these files."""

    def make(folder):
        usual(folder)
        folder.put("chain.pem", *(folder.certificates[name] for name in files))

    return make


def _two_servers(folder):
    pki = usual(folder)
    other = issue(pki.issuing, "mail.example.com", Link(), 1002)
    folder.put("mail.pem", other)
    folder.put("chain.pem", pki.server, other, pki.issuing_certificate, pki.policy_certificate)


def _another_kind(name: str, what: str, make: Any, *, error: str, call: str = BUILD) -> Broken:
    """Return a set-up in which a file is given that is not of the kind that is asked for."""
    return Broken(name=name, kind="another kind of file", what=what, make=make, call=call, error=error)


SETUPS: Final = (
    Broken(
        name="key-of-another-certificate",
        kind="key and certificate",
        what="The private key belongs to another certificate.",
        make=_and(lambda folder, _: folder.put_key("server.key", ec_key("another server"))),
        call=BUILD,
        error="server.key and server.pem: the private key does not belong to the certificate of CN=www.example.com",
    ),
    Broken(
        name="wrong-key-password",
        kind="password",
        what="The password of the private key is wrong.",
        make=_and(lambda folder, pki: folder.put_key("server.key", pki.server_key, "another password")),
        call=f"{BUILD} --key-password-file pw.txt",
        error="--key server.key: the password does not open the private key",
    ),
    Broken(
        name="locked-key",
        kind="password",
        what="The private key is encrypted, and no password is given.",
        make=_and(lambda folder, pki: folder.put_key("server.key", pki.server_key, PASSWORD)),
        call=BUILD,
        error="--key server.key: the private key is encrypted, and no password was given for it",
    ),
    Broken(
        name="wrong-file-password",
        kind="password",
        what="The password of the PKCS#12 file is wrong.",
        make=_bundle(*WHOLE, password="another password"),
        call=VERIFY,
        error="server.p12: the MAC of the PKCS#12 file does not verify with this password",
        opened=False,
    ),
    Broken(
        name="empty-password-file",
        kind="password",
        what="The file with the new password is empty.",
        make=_replaced("pw.txt", ""),
        call=BUILD,
        error="--password-file pw.txt: its first line is empty",
    ),
    _another_kind(
        "request-for-certificate",
        "The request is given in place of the certificate.",
        _and(lambda folder, _: _request(folder, "server.pem")),
        error="--cert server.pem: expected a certificate, found a certificate request (CSR)",
    ),
    _another_kind(
        "crl-for-certificates",
        "A CRL is given as CA certificates.",
        _and(lambda folder, pki: folder.write("issuing.crl", pki.issuing.make_crl())),
        error="--certs issuing.crl: expected a certificate, found a certificate revocation list (CRL)",
        call="paths server.pem --certs issuing.crl --anchor root.pem",
    ),
    _another_kind(
        "web-page-for-anchor",
        "The download of the anchor is a web page.",
        _replaced("root.pem", "<!DOCTYPE html><html><body>Sign in</body></html>"),
        error="--anchor root.pem: expected a certificate, found an HTML page",
    ),
    _another_kind(
        "web-page-for-certificates",
        "The download of the CA certificates is a web page.",
        _replaced("issuing.pem", "<html><body>Sign in</body></html>"),
        error="--certs issuing.pem: expected a certificate, found an HTML page",
        call=ONE_CA,
    ),
    _another_kind(
        "certificate-for-key",
        "The certificate is given in place of the key.",
        usual,
        error="server.pem: expected a private key, found a certificate",
        call=BUILD.replace("--key server.key", "--key server.pem"),
    ),
    _another_kind(
        "key-and-certificate-swapped",
        "Key and certificate are swapped.",
        usual,
        error="--key server.pem: expected a private key, found a certificate",
        call=BUILD.replace("--key server.key --cert server.pem", "--key server.pem --cert server.key"),
    ),
    _another_kind(
        "key-for-certificate",
        "The key is given where a certificate is asked for.",
        usual,
        error="server.key: expected a certificate, found a private key",
        call="paths server.key --certs issuing.pem policy.pem --anchor root.pem",
    ),
    _another_kind(
        "pem-for-pkcs12",
        "The certificate is given where a PKCS#12 file is asked for.",
        usual,
        error="--pkcs12 server.pem: expected a PKCS#12 file, found PEM text (a certificate)",
        call=BUILD.replace("--key server.key --cert server.pem", "--pkcs12 server.pem"),
    ),
    Broken(
        name="cut-short",
        kind="damaged file",
        what="The end of the server's certificate is missing.",
        make=_and(lambda folder, pki: folder.write("server.pem", pki.server.to_pem()[:300])),
        call=BUILD,
        error="--cert server.pem: no certificate in it can be read: certificate 1: CERTIFICATE block: cut short",
    ),
    Broken(
        name="empty-file",
        kind="damaged file",
        what="The file with the CA certificates is empty.",
        make=_replaced("issuing.pem", ""),
        call=ONE_CA,
        error="--certs issuing.pem: expected a certificate, found nothing: it is empty",
    ),
    Broken(
        name="damaged-pkcs12",
        kind="damaged file",
        what="The end of the PKCS#12 file is missing.",
        make=lambda folder: (
            _bundle(*WHOLE)(folder),
            folder.write("right/server.p12", (folder.path / "server.p12").read_bytes()),
            folder.write("server.p12", (folder.path / "server.p12").read_bytes()[:900]),
        ),
        call=VERIFY,
        error="server.p12: expected a PKCS#12 file, found ASN.1 data that is cut short",
    ),
    Broken(
        name="misspelled-file",
        kind="missing file",
        what="The name of the file is misspelled.",
        make=usual,
        call=BUILD.replace("--cert server.pem", "--cert servr.pem"),
        error="--cert servr.pem: no such file or directory",
    ),
    Broken(
        name="missing-anchor",
        kind="missing file",
        what="The file with the anchor does not exist.",
        make=usual,
        call="paths server.pem --certs issuing.pem policy.pem --anchor fcpca.pem",
        error="--anchor fcpca.pem: no such file or directory",
    ),
    Broken(
        name="no-anchor",
        kind="missing option",
        what="No anchor is given.",
        make=usual,
        call="paths server.pem --certs issuing.pem policy.pem root.pem",
        error="missing option '--anchor'",
    ),
    Broken(
        name="no-folder-for-the-output",
        kind="output",
        what="The folder of the new file does not exist.",
        make=usual,
        call=BUILD.replace("--out server.p12", "--out new/server.p12"),
        error="cannot write new/server.p12: its folder cannot be opened: No such file or directory",
    ),
    Broken(
        name="output-is-an-input",
        kind="output",
        what="The output has the name of the certificate.",
        make=usual,
        call=BUILD.replace("--out server.p12", "--out server.pem --force"),
        error="--out server.pem is also the file of --cert: an output never replaces an input",
    ),
    Broken(
        name="output-exists",
        kind="output",
        what="The output exists, and is not a PKCS#12 file.",
        make=_replaced("server.p12", "notes of last year\n"),
        call=BUILD,
        error="server.p12 already exists and is text without a PEM block, which a PKCS#12 file would replace",
    ),
    Broken(
        name="several-keys",
        kind="key and certificate",
        what="The file has two private keys.",
        make=_and(_two_keys),
        call=BUILD,
        error="--key server.key: expected one private key, found 2",
    ),
    Broken(
        name="missing-intermediate-in-file",
        kind="chain",
        what="The PKCS#12 file has the server's certificate only.",
        make=_bundle(),
        call=VERIFY,
        checks=("chain",),
        faults=(("server.pem", "issuer-not-found"),),
        shown=True,
    ),
    Broken(
        name="gap-in-file",
        kind="chain",
        what="The CA between the issuing CA and the root is not in the PKCS#12 file.",
        make=_bundle("issuing.pem", "root.pem"),
        call=VERIFY,
        checks=("chain",),
        faults=(("issuing.pem", "issuer-not-found"),),
    ),
    Broken(
        name="file-out-of-order",
        kind="order",
        what="The certificates in the PKCS#12 file are not in the order of the path.",
        make=_bundle("root.pem", "policy.pem", "issuing.pem"),
        call=VERIFY,
        checks=("order",),
    ),
    Broken(
        name="chain-out-of-order",
        kind="order",
        what="The certificates of a chain in PEM are not in the order of the path.",
        make=_chain("server.pem", "root.pem", "policy.pem", "issuing.pem"),
        call=VERIFY_PEM,
        checks=("order",),
    ),
    Broken(
        name="chain-without-intermediate",
        kind="chain",
        what="The chain in PEM has the server's certificate only.",
        make=_chain("server.pem"),
        call=VERIFY_PEM,
        checks=("chain",),
        faults=(("server.pem", "issuer-not-found"),),
    ),
    Broken(
        name="two-servers-in-a-chain",
        kind="order",
        what="The chain in PEM has two servers' certificates.",
        make=_two_servers,
        call=VERIFY_PEM,
        checks=("order",),
    ),
    Broken(
        name="twice-in-a-chain",
        kind="duplicates",
        what="The chain in PEM has the issuing CA's certificate twice.",
        make=_chain("server.pem", "issuing.pem", "issuing.pem", "policy.pem"),
        call=VERIFY_PEM,
        checks=("duplicates", "order"),
    ),
    Broken(
        name="key-of-another-chain",
        kind="private-key",
        what="The key does not belong to the chain in PEM.",
        make=lambda folder: (
            _chain("server.pem", "issuing.pem", "policy.pem")(folder),
            folder.put_key("server.key", ec_key("another server")),
        ),
        call=VERIFY_PEM,
        checks=("private-key",),
    ),
    Broken(
        name="expired-in-file",
        kind="expiry",
        what="The server's certificate in the PKCS#12 file is expired.",
        make=_bundle(*WHOLE, server=Link(validity=PAST)),
        call=VERIFY,
        checks=("path", "expiry"),
        faults=(("server.pem", "expired"),),
    ),
    Broken(
        name="expired-ca-in-file",
        kind="path",
        what="The issuing CA's certificate in the PKCS#12 file is expired.",
        make=_bundle(*WHOLE, issuing=Link(validity=PAST)),
        call=VERIFY,
        checks=("path", "expiry"),
        faults=(("issuing.pem", "expired"),),
    ),
    Broken(
        name="other-name-than-in-file",
        kind="server-name",
        what="The PKCS#12 file is for another server name.",
        make=_bundle(*WHOLE),
        call=f"{VERIFY} --server-name mail.example.com",
        checks=("server-name",),
    ),
    Broken(
        name="ends-soon",
        kind="expiry",
        what="A certificate in the PKCS#12 file expires within the time asked for.",
        make=_bundle(*WHOLE),
        call=f"{VERIFY} --expires-within 2y",
        checks=("expiry",),
    ),
    Broken(
        name="other-root-in-file",
        kind="chain",
        what="The PKCS#12 file leads to its own root, and another root is the anchor.",
        make=lambda folder: (
            _bundle(*WHOLE)(folder),
            folder.put("other-root.pem", authority("Other Root CA").certificate),
        ),
        call=VERIFY.replace("root.pem", "other-root.pem"),
        checks=("chain",),
        faults=(("root.pem", "no-trust-anchor"),),
    ),
    Broken(
        name="reader-that-does-not-open-it",
        kind="readers",
        what="The encryption of the PKCS#12 file is too new for Java 8.",
        make=_bundle(*WHOLE),
        call=f"{VERIFY} --for java-8",
        checks=("readers",),
    ),
)
