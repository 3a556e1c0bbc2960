"""Certificates that real CAs issue and strict readers refuse (``certificates.py`` of the shared cases)."""

from __future__ import annotations

import json
from typing import Final

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.times import format_time

from .oddities import NO, PASSWORD, Oddity, Step

_PATHS: Final = "paths leaf.pem --certs certs.pem --anchor anchor.pem"
_BUILD: Final = (
    "build --key leaf.key --cert leaf.pem --certs certs.pem --anchor anchor.pem"
    " --password-file {out}/pw.txt --out {out}/server.p12"
)
_STRINGS: Final = "Strings in names"
_CONSTRAINTS: Final = "Name constraints"
_EXTENSIONS: Final = "Extensions"
_CHOICE: Final = "Parallel CA certificates"


def _holds(serial_number):
    """Return a check that the file holds a CA certificate with this serial number, and its path expires as it says."""

    def check(_folder, out, _call):
        decoded = decode_pfx((out / "server.p12").read_bytes(), password=PASSWORD)
        assert serial_number in [certificate.serial_number for certificate in decoded.certificates]

    return check


def _whole(folder, out, _call):
    """Check that the file begins with the server's certificate, octet by octet."""
    decoded = decode_pfx((out / "server.p12").read_bytes(), password=PASSWORD)
    assert decoded.certificates[0] == Certificate.from_pem((folder / "leaf.pem").read_bytes())
    assert len(decoded.certificates) == 3


def _path(case, kind, oddity, outcome, *more, shows=()):
    """Return a row for certificates that have a path. ``--json`` has the texts in ``shows`` as well."""
    listed = [Step(line=line, shows=shows) for line in ((_PATHS, f"{_PATHS} --json") if shows else (_PATHS,))]
    steps = (*listed, Step(line=_BUILD, check=_whole), *more)
    return Oddity(script="certificates", case=case, kind=kind, oddity=oddity, outcome=outcome, steps=steps)


def _no(case, kind, oddity, outcome, *shows, hides=()):
    """Return a row for certificates that are refused; both commands name what is in the way."""
    steps = tuple(Step(line=line, status=NO, shows=shows, hides=hides) for line in (_PATHS, _BUILD))
    return Oddity(script="certificates", case=case, kind=kind, oddity=oddity, outcome=outcome, steps=steps)


def _expires_with_the_server(folder, _out, call):
    """Check that a path expires when the server's certificate does."""
    server = Certificate.from_pem((folder / "leaf.pem").read_bytes())
    assert json.loads(call.output)["paths"][0]["expires"] == format_time(server.not_after)


_NOT_A_CA: Final = ("basicConstraints", "not a CA")

ODDITIES: Final = (
    _path(
        "printable-ampersand-ca",
        _STRINGS,
        "`&` in a PrintableString, in the name of a CA",
        "Read, compared and shown as it is.",
        Step(line=f"{_PATHS} --json", shows=('"subject": "CN=Issuing,O=Smith & Sons,C=US"',)),
        shows=("O of its subject is a PrintableString with '&'",),
    ),
    _path(
        "printable-asterisk-leaf",
        _STRINGS,
        "`*` in a PrintableString, in the common name of a server",
        "Read. The wildcard in the subjectAltName counts as always.",
        Step(line=f"{_PATHS} --server-name a.example.mil"),
        Step(line=f"{_PATHS} --server-name a.example.com", status=NO),
    ),
    _path(
        "printable-at-anchor",
        _STRINGS,
        "`@` in a PrintableString, in the name of a trust anchor",
        "Read, compared and shown as it is.",
        Step(line=f"{_PATHS} --json", shows=('"subject": "CN=Root,O=ca@example.mil"',)),
        shows=("O of its subject is a PrintableString with '@'",),
    ),
    _no(
        "printable-other-name",
        _STRINGS,
        "The issuer's name lacks the `&` of the CA's name",
        "No path: the characters count, so these are two names.",
    ),
    _path(
        "dot-permitted-below",
        _CONSTRAINTS,
        "A permitted dNSName subtree begins with a dot, and the server is below it",
        "A path.",
    ),
    _no(
        "dot-permitted-itself",
        _CONSTRAINTS,
        "The same subtree, and the server is the domain itself",
        "No path: a permitted subtree that begins with a dot holds only what is below it.",
        "example.mil",
        hides=_NOT_A_CA,
    ),
    _no(
        "dot-permitted-alike",
        _CONSTRAINTS,
        "The same subtree, and the server's name only ends alike (`badexample.mil`)",
        "No path.",
        "badexample.mil",
        hides=_NOT_A_CA,
    ),
    _path(
        "dot-excluded-elsewhere",
        _CONSTRAINTS,
        "An excluded dNSName subtree begins with a dot, and the server is elsewhere",
        "A path.",
    ),
    _no(
        "dot-excluded-itself",
        _CONSTRAINTS,
        "The same subtree, and the server is the domain itself",
        "No path: an excluded subtree that begins with a dot holds the domain as well.",
        "evil.mil",
        hides=_NOT_A_CA,
    ),
    _path(
        "host-bits-inside",
        _CONSTRAINTS,
        "A permitted iPAddress subtree has bits set outside its mask, and the server's address is inside",
        "A path: bits outside the mask do not count.",
    ),
    _no(
        "host-bits-outside",
        _CONSTRAINTS,
        "The same subtree, and the server's address is outside",
        "No path, by the name constraints.",
        "11.9.9.9",
        hides=_NOT_A_CA,
    ),
    _path(
        "asterisk-no-dns-name",
        _CONSTRAINTS,
        "An excluded dNSName subtree is `*.bad.example`, and the server has only an address",
        "A path: the subtree is about no name of the server.",
    ),
    _no(
        "asterisk-below",
        _CONSTRAINTS,
        "The same subtree, and the server is `a.bad.example`",
        "No path, by the name constraints.",
        "a.bad.example",
        hides=_NOT_A_CA,
    ),
    _path(
        "x400-crl-point-ca",
        _EXTENSIONS,
        "A CRL distribution point has an x400Address; the extension is not critical",
        "A path: finding it does not need this extension. A note names it.",
        shows=("cRLDistributionPoints (2.5.29.31)", "x400Address"),
    ),
    _no(
        "x400-crl-point-ca-critical",
        _EXTENSIONS,
        "The same extension, critical",
        "No path: a critical extension that cannot be read refuses the certificate.",
        "Issuing",
        "2.5.29.31",
    ),
    _path(
        "junk-issuer-alternative-name-anchor",
        _EXTENSIONS,
        "The issuerAltName of a trust anchor is not ASN.1; not critical",
        "A path: validation does not read it. A note names it.",
        shows=("issuerAltName (2.5.29.18)", "is ignored"),
    ),
    _path(
        "accent-in-notice-leaf",
        _EXTENSIONS,
        "A policy qualifier is a VisibleString with an accent",
        "A path, and the policy counts.",
        Step(line=f"{_PATHS} --policy 2.16.840.1.101.3.2.1.3.8"),
        Step(line=f"{_PATHS} --policy 1.2.3.4", status=NO),
        shows=("certificatePolicies (2.5.29.32)",),
    ),
    _path(
        "aki-without-serial",
        _EXTENSIONS,
        "The authorityKeyIdentifier has an issuer without a serial number",
        "A path: only the key identifier counts. A note names it.",
    ),
    _no(
        "junk-key-usage-ca",
        _EXTENSIONS,
        "The keyUsage of a CA is not ASN.1; not critical",
        "No path: validation needs the extension.",
        "Issuing",
        "keyUsage",
    ),
    Oddity(
        script="certificates",
        case="expired-anchor-ranking",
        kind=_CHOICE,
        oddity="The trust anchor is expired, and of two certificates of the CA the newer one ends first",
        outcome="With `--ignore-anchor-validity` the certificate that lasts longer is taken, and the expiry of the path"
        " does not count the anchor. Without the option there is no path.",
        steps=(
            Step(line=f"{_BUILD} --ignore-anchor-validity", check=_holds(2002)),
            Step(line=f"{_PATHS} --ignore-anchor-validity --json", check=_expires_with_the_server),
            Step(line=_PATHS, status=NO),
        ),
    ),
    Oddity(
        script="certificates",
        case="aki-names-serial",
        kind=_CHOICE,
        oddity="The authorityKeyIdentifier names the serial number of the certificate of the CA that ends sooner",
        outcome="That one is taken, since OpenSSL and curl refuse the other.",
        steps=(Step(line=_PATHS), Step(line=_BUILD, check=_holds(2010))),
    ),
    Oddity(
        script="certificates",
        case="aki-names-no-serial",
        kind=_CHOICE,
        oddity="The same two certificates, and no serial number is named",
        outcome="The one that lasts longer is taken.",
        steps=(Step(line=_PATHS), Step(line=_BUILD, check=_holds(2008))),
    ),
)
