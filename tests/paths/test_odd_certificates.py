"""Paths with odd certificates: found, confirmed or not judged, drawn and bundled; never a traceback."""

import pytest

import pkcs12kit as pk
from pkcs12kit.certificates.extension_names import extension_label
from pkcs12kit.errors import FailureReason

from ..certificates.oddities import (
    BMP,
    CA_KEY,
    HOST,
    NOW,
    PRINTABLE,
    ROOT_KEY,
    TELETEX,
    UNIVERSAL,
    UTF8,
    attribute,
    certificate,
    extension,
    issuing,
    of_ca,
    root,
    server,
)

STRINGS = [
    (PRINTABLE, b"Smith & Sons"),
    (UTF8, b"Soci\xe9t\xe9"),
    (TELETEX, b"Soci\xe9t\xe9"),
    (BMP, b"\xd8\x00\x00a"),
    (UNIVERSAL, b"abc"),
    (PRINTABLE, b"x" * 70),
]
DAMAGED = ["2.5.29.9", "2.5.29.14", "2.5.29.18", "2.5.29.31", "2.5.29.35", "1.3.6.1.5.5.7.1.1", "1.3.6.1.4.1.311.21.7"]
ODD_NAME = [
    pytest.param(
        server(issuer=middle, subject=odd if who == "leaf" else HOST),
        issuing(subject=middle, issuer=top),
        root(subject=top),
        id=f"{who}-{at}",
    )
    for at, (tag, octets) in enumerate(STRINGS)
    for who in ("leaf", "ca", "anchor")
    for odd in (attribute(octets, tag),)
    for top, middle in ((odd if who == "anchor" else "Root", odd if who == "ca" else "Issuing"),)
]
ODD_EXTENSION = [
    pytest.param(leaf, ca, anchor, id=f"{oid}-{who}")
    for oid in DAMAGED
    for junk in (extension(oid, b"\xff\xff"),)
    for who, leaf, ca, anchor in (
        ("leaf", server(junk), issuing(), root()),
        ("ca", server(), issuing(junk), root()),
        ("anchor", server(), issuing(), root(junk)),
    )
]


@pytest.mark.parametrize(("leaf", "ca", "anchor"), [*ODD_NAME, *ODD_EXTENSION])
def test_the_second_opinion_says_yes_or_nothing(leaf, ca, anchor):
    """Certvalidator cannot read some of them: that is said, and is not a no that would stop ``build``."""
    path = [pk.Certificate(leaf), pk.Certificate(ca)]
    trusted = pk.Certificate(anchor)
    report = pk.find_paths(
        path[0],
        pool=pk.CertificatePool(path[1:]),
        trust_anchors=[pk.TrustAnchor.from_certificate(trusted)],
        time=NOW,
    )
    assert list(report.best.certificates) == path
    assert any(certificate.notes for certificate in (*path, trusted)) or b"Soci\xe9" in leaf + anchor
    confirmation = pk.confirm(report.best, pk.ValidationParameters(time=NOW))
    assert confirmation.opinion in {pk.Opinion.VALID, pk.Opinion.CANNOT_JUDGE}
    faults = [fault.oid for one in (*path, trusted) for fault in one.extensions.faults]
    if faults and confirmation.opinion is pk.Opinion.CANNOT_JUDGE:
        assert extension_label(faults[0]) in confirmation.detail
    for shown in (pk.to_html(report), repr(report), str(path[0].subject), path[1].label):
        assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("oid", "extensions"),
    [
        ("1.2.3.4", (*of_ca(), extension("1.2.3.4", b""), extension("1.2.3.4", b"x"))),
        ("2.5.29.19", (extension("2.5.29.19", b"\xff\xff"),)),
        ("2.5.29.15", (extension("2.5.29.15", b"\xff\xff"),)),
    ],
    ids=["twice", "basicConstraints", "keyUsage"],
)
def test_a_ca_that_cannot_be_read_is_reported_as_that(oid, extensions):
    """And not as a certificate that is not a CA's: what is missing there may be in the unreadable part."""
    ca = certificate("Issuing", "Root", extensions=extensions, key=CA_KEY, issuer_key=ROOT_KEY)
    report = pk.find_paths(
        pk.Certificate(server()),
        pool=pk.CertificatePool([pk.Certificate(ca)]),
        trust_anchors=[pk.TrustAnchor.from_certificate(pk.Certificate(root()))],
        time=NOW,
    )
    assert not report.valid
    failures = [failure for path in report.rejected for failure in path.failures]
    assert FailureReason.NOT_A_CA not in {failure.reason for failure in failures}
    (found,) = (failure for failure in failures if failure.reason is FailureReason.MALFORMED_CERTIFICATE)
    assert extension_label(oid) in found.detail
