"""Set-ups with a missing certificate, or with another one in its place."""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from pkcs12kit import lab

from .pki import ISSUING, PAST, ROOT, SERVER, TO_COME, Link, Pki, authority, issue
from .setups import ONE_CA, Broken

URL: Final = Link(url=True)
WITH_ROOT: Final = "paths server.pem --certs issuing.pem policy.pem root.pem"
WITHOUT_ISSUING: Final = "paths server.pem --certs policy.pem --anchor root.pem"


def _other_root(folder):
    """Another root is there, which has nothing to do with the server."""
    pki = Pki(folder)
    other = authority("Other Root CA")
    folder.put("other-root.pem", other.certificate)
    return pki, other


def _look_alike_root(folder):
    """The anchor has the root's name, and another key."""
    Pki(folder)
    folder.put("old-root.pem", authority(ROOT, "old key of the root").certificate)


def _rekeyed(folder, **links: Link):
    """The issuing CA has a new key; only its old certificate is given."""
    pki = Pki(folder, **links)
    old = authority(ISSUING, "old key of the issuing CA")
    folder.put("issuing-old.pem", issue(pki.policy, old, Link(), 30))


def _without_identifiers(folder):
    """As above, with no key identifier in the server's certificate: only the signature tells the keys apart."""
    purposes = lab.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]))
    names = lab.non_critical(x509.SubjectAlternativeName([x509.DNSName(SERVER)]))
    _rekeyed(folder, server=Link(only=(purposes, names)))


def _cross_certified(folder, *, cross):
    """The server's root is cross-certified by the anchor, as bridges do."""
    pki, other = _other_root(folder)
    folder.put("cross.pem", issue(other, pki.root, cross, 40))
    folder.put("renewed-cross.pem", issue(other, pki.root, Link(), 41))


def _self_signed(folder):
    """A CA that has only its own certificate."""
    pki, other = _other_root(folder)
    folder.put("cross.pem", issue(other, pki.root, Link(validity=PAST), 40))


def _loop(folder):
    """Two CAs that certify each other, and no root."""
    Pki(folder)
    first, second = authority("First CA"), authority("Second CA")
    folder.put("first.pem", issue(second, first, Link(), 50))
    folder.put("second.pem", issue(first, second, Link(), 51))
    folder.put("server.pem", issue(first, SERVER, Link(), 1002))


SETUPS: Final = (
    Broken(
        name="missing-issuer",
        kind="issuer-not-found",
        what="The issuing CA's certificate is not among the files, and no URL says where it is.",
        make=Pki,
        call=WITHOUT_ISSUING,
        faults=(("server.pem", "issuer-not-found"),),
        rule="RFC 4158 section 3",
    ),
    Broken(
        name="missing-issuer-with-url",
        kind="issuer-not-found",
        what="The issuing CA's certificate is not among the files; the server's certificate has its URL.",
        make=lambda folder: Pki(folder, server=URL),
        call=WITHOUT_ISSUING,
        faults=(("server.pem", "issuer-not-found"),),
        rule="RFC 4158 section 3",
        shown=True,
    ),
    Broken(
        name="nothing-but-the-server",
        kind="issuer-not-found",
        what="Only the server's certificate and the anchor are given; all issuers can be fetched.",
        make=lambda folder: Pki(folder, server=URL, issuing=URL),
        call="paths server.pem --anchor root.pem",
        faults=(("server.pem", "issuer-not-found"),),
        rule="RFC 4158 section 3",
    ),
    Broken(
        name="missing-intermediate",
        kind="issuer-not-found",
        what="The CA between the issuing CA and the root is not among the files.",
        make=lambda folder: Pki(folder, issuing=URL),
        call=ONE_CA,
        faults=(("issuing.pem", "issuer-not-found"),),
        rule="RFC 4158 section 3",
    ),
    Broken(
        name="missing-issuer-and-expired-server",
        kind="issuer-not-found",
        what="The issuing CA's certificate is missing, and the server's own certificate is expired as well.",
        make=lambda folder: Pki(folder, server=Link(url=True, validity=PAST)),
        call=WITHOUT_ISSUING,
        faults=(("server.pem", "expired"), ("server.pem", "issuer-not-found")),
    ),
    Broken(
        name="missing-issuer-and-wrong-name",
        kind="issuer-not-found",
        what="The issuing CA's certificate is missing, and the server's certificate is for another name.",
        make=lambda folder: Pki(folder, server=URL),
        call=f"{WITHOUT_ISSUING} --server-name mail.example.com",
        faults=(("server.pem", "server-name"), ("server.pem", "issuer-not-found")),
    ),
    Broken(
        name="missing-intermediate-and-expired-issuing",
        kind="issuer-not-found",
        what="The CA above the issuing CA is missing, and the issuing CA is expired as well.",
        make=lambda folder: Pki(folder, issuing=Link(url=True, validity=PAST)),
        call=ONE_CA,
        faults=(("issuing.pem", "expired"), ("issuing.pem", "issuer-not-found")),
    ),
    Broken(
        name="missing-issuer-and-not-yet-valid",
        kind="issuer-not-found",
        what="The issuing CA's certificate is missing, and the server's certificate is not valid yet.",
        make=lambda folder: Pki(folder, server=Link(url=True, validity=TO_COME)),
        call=WITHOUT_ISSUING,
        faults=(("server.pem", "not-yet-valid"), ("server.pem", "issuer-not-found")),
    ),
    Broken(
        name="rekeyed-ca",
        kind="issuer-not-found",
        what="The issuing CA was rekeyed, and only its certificate for the old key is given.",
        make=_rekeyed,
        call="paths server.pem --certs issuing-old.pem policy.pem --anchor root.pem",
        faults=(("server.pem", "issuer-not-found"),),
        rule="RFC 4158 section 3",
    ),
    Broken(
        name="rekeyed-ca-without-identifiers",
        kind="bad-signature",
        what="Only the old certificate of a rekeyed CA is given, and no key identifier tells the keys apart.",
        make=_without_identifiers,
        call="paths server.pem --certs issuing-old.pem policy.pem --anchor root.pem",
        faults=(("server.pem", "bad-signature"),),
        rule="RFC 5280 section 6.1.3 (a)(1)",
    ),
    Broken(
        name="wrong-anchor",
        kind="no-trust-anchor",
        what="The path ends at its own root, and another root is the anchor.",
        make=_other_root,
        call=f"{WITH_ROOT} --anchor other-root.pem",
        faults=(("root.pem", "no-trust-anchor"),),
        rule="RFC 5280 section 6.1",
        shown=True,
    ),
    Broken(
        name="wrong-anchor-root-not-given",
        kind="issuer-not-found",
        what="Another root is the anchor, and the root of the path is not among the files.",
        make=_other_root,
        call="paths server.pem --certs issuing.pem policy.pem --anchor other-root.pem",
        faults=(("policy.pem", "issuer-not-found"),),
        rule="RFC 4158 section 3",
    ),
    Broken(
        name="look-alike-root",
        kind="no-trust-anchor",
        what="The anchor has the root's name, and another key: it is an older root, or a forged one.",
        make=_look_alike_root,
        call=f"{WITH_ROOT} --anchor old-root.pem",
        faults=(("root.pem", "no-trust-anchor"),),
    ),
    Broken(
        name="look-alike-root-given",
        kind="no-trust-anchor",
        what="The anchor has the root's name and another key, and the right root is not among the files.",
        make=_look_alike_root,
        call="paths server.pem --certs issuing.pem policy.pem --anchor old-root.pem",
        faults=(("policy.pem", "no-trust-anchor"),),
    ),
    Broken(
        name="missing-cross-certificate",
        kind="no-trust-anchor",
        what="The cross-certificate from the anchor to the server's root is not among the files.",
        make=lambda folder: _cross_certified(folder, cross=Link()),
        call=f"{WITH_ROOT} --anchor other-root.pem",
        faults=(("root.pem", "no-trust-anchor"),),
        rule="RFC 5280 section 6.1",
    ),
    Broken(
        name="expired-cross-certificate",
        kind="expired",
        what="The cross-certificate to the server's root is expired; a renewed one exists and is not given.",
        make=lambda folder: _cross_certified(folder, cross=Link(validity=PAST)),
        call=f"{WITH_ROOT} cross.pem --anchor other-root.pem",
        faults=(("cross.pem", "expired"),),
        rule="RFC 5280 section 6.1.3 (a)(2)",
    ),
    Broken(
        name="self-signed-ca",
        kind="no-trust-anchor",
        what="Paths of a self-signed CA are asked for, and its only cross-certificate is expired.",
        make=_self_signed,
        call="paths root.pem --certs cross.pem --anchor other-root.pem",
        faults=(("root.pem", "no-trust-anchor"),),
    ),
    Broken(
        name="self-signed-ca-alone",
        kind="no-trust-anchor",
        what="Paths of a self-signed CA are asked for, and no cross-certificate of it is given.",
        make=_other_root,
        call="paths root.pem --certs policy.pem --anchor other-root.pem",
        faults=(("root.pem", "no-trust-anchor"),),
    ),
    Broken(
        name="loop",
        kind="no-trust-anchor",
        what="Two CAs certify each other, and none leads to a root.",
        make=_loop,
        call="paths server.pem --certs first.pem second.pem --anchor root.pem",
        faults=(("server.pem", "no-trust-anchor"),),
    ),
    Broken(
        name="anchor-is-the-issuer-of-nothing",
        kind="no-trust-anchor",
        what="The anchor is the server's own certificate of another CA.",
        make=lambda folder: folder.put("ca.pem", issue(authority("A CA"), "a.example.com", Link(), 7)) or Pki(folder),
        call=f"{WITH_ROOT} --anchor ca.pem",
        faults=(("root.pem", "no-trust-anchor"),),
    ),
)
