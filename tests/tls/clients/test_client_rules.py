"""What Java, Go, GnuTLS, NSS and curl know, limit and look at: the source of what is said of them elsewhere."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from pkcs12kit import lab
from pkcs12kit.tls.handshake import Verdict

from .asking import NAME, Case, ask_once

pytestmark = pytest.mark.slow

UNKNOWN_CRITICAL = {
    "go": "x509: unhandled critical extension",
    "gnutls": "The certificate contains an unknown critical extension.",
    "nss": "SEC_ERROR_UNKNOWN_CRITICAL_EXTENSION: Certificate contains unknown critical extension.",
}


def test_the_path_through_the_bridge(client):
    """Its critical policyConstraints (RFC 5280 section 4.2.1.11) are known to Java and OpenSSL, and to no other."""
    replica = lab.make_replica(server_name=NAME, key_type=lab.KeyType.EC_P256)
    case = Case(replica.server, replica.valid_paths[0].certificates[1:], replica.trust_anchor)
    handshake = ask_once(client, case)
    if client.name in UNKNOWN_CRITICAL:
        assert (handshake.verdict, handshake.why) == (Verdict.REFUSED, UNKNOWN_CRITICAL[client.name])
    else:
        assert handshake.verdict is Verdict.ACCEPTED


def _name(organization):
    return x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME),
        ]
    )


def _directory(organization):
    return [x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organization)]))]


NOT_PERMITTED = {
    "java": "PKIX path validation failed: name constraints check failed",
    "go": UNKNOWN_CRITICAL["go"],
    "nss": "SEC_ERROR_CERT_NOT_IN_NAME_SPACE: The Certifying Authority for this certificate is not permitted to issue "
    "a certificate with this name.",
    "curl": "SSL certificate problem: permitted subtree violation",
}
EXTENSIONS = {
    "policyConstraints": (
        x509.PolicyConstraints(require_explicit_policy=None, inhibit_policy_mapping=0),
        UNKNOWN_CRITICAL,
    ),
    "inhibitAnyPolicy": (x509.InhibitAnyPolicy(0), {name: UNKNOWN_CRITICAL[name] for name in ("go", "nss")}),
    "directoryName excluded elsewhere": (
        x509.NameConstraints(None, _directory("Elsewhere")),
        {"go": UNKNOWN_CRITICAL["go"], "gnutls": "The certificate chain violates the signer's constraints."},
    ),
    "directoryName permitted here": (
        x509.NameConstraints(_directory("Here"), None),
        {"go": UNKNOWN_CRITICAL["go"]},
    ),
    "directoryName permitted elsewhere": (x509.NameConstraints(_directory("Elsewhere"), None), NOT_PERMITTED),
}


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_what_a_client_does_with_a_critical_extension(client, world, extension):
    """RFC 5280 section 4.2: refuse what it does not know. GnuTLS makes no difference between directory names."""
    value, refusing = EXTENSIONS[extension]
    issuing = lab.Authority.create("Constrained CA")
    link = world.root.issue_ca(issuing, extensions=(lab.critical(value),))
    handshake = ask_once(client, world.case(server=issuing.issue_server(NAME, subject=_name("Here")), issuers=(link,)))
    if client.name in refusing:
        assert (handshake.verdict, handshake.why) == (Verdict.REFUSED, refusing[client.name])
    else:
        assert handshake.verdict is Verdict.ACCEPTED


def _chain_of(number):
    cas = [lab.Authority.create(f"CA {level}") for level in range(number)]
    links = tuple(upper.issue_ca(lower) for lower, upper in pairwise(cas))
    return Case(cas[0].issue_server(NAME), links, cas[-1].certificate)


TOO_MANY = {
    "java": (11, "The certificate chain length (11) exceeds the maximum allowed length (10)"),
    "gnutls": (17, "Could not verify certificate (err: Some constraint limits were reached.)"),
}


def test_how_many_certificates_a_client_takes(client):
    """Java ten (jdk.tls.maxCertificateChainLength), GnuTLS sixteen, the others more than either."""
    number, words = TOO_MANY.get(client.name, (18, ""))
    assert ask_once(client, _chain_of(number - 1)).verdict is Verdict.ACCEPTED
    if words:
        refused = ask_once(client, _chain_of(number))
        assert (refused.verdict, refused.why) == (Verdict.REFUSED, words)


TOO_LARGE = {
    "java": r"The size of the handshake message \(\d+\) exceeds the maximum allowed size \(32768\)",
    "go": r"tls: handshake message of length \d+ bytes exceeds maximum of 65536 bytes",
    "gnutls": r"The handshake data size is too large\.",
    "curl": r".*excessive message size",
}


def test_a_chain_that_is_too_large_is_refused_for_that(client, world):
    """Each client has a limit of its own; NSS says of it nothing that would not be said of other messages too."""
    filling = b"\x04\x83\x01\x00\x00" + bytes(65536)
    value = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.99999"), filling)
    links = tuple(world.root.issue_ca(world.issuing, extensions=(lab.non_critical(value),)) for _ in range(3))
    handshake = ask_once(client, world.case(issuers=links))
    if client.name == "nss":
        assert handshake.verdict is Verdict.NOT_TRIED
        assert "SSL_ERROR_RX_MALFORMED_HANDSHAKE" in handshake.why
    else:
        assert handshake.verdict is Verdict.REFUSED
        assert re.fullmatch(TOO_LARGE[client.name], handshake.why)


KEY_USAGE = {
    "java": "KeyUsage does not allow digital signatures",
    "gnutls": "Key usage violation in certificate has been detected.",
    "nss": "SEC_ERROR_INADEQUATE_KEY_USAGE: Certificate key usage inadequate for attempted operation.",
}


def test_a_key_usage_that_is_none_for_tls(client, world):
    """RFC 8446 section 4.4.2.2 requires digitalSignature; Go and OpenSSL do not check it, or not only that."""
    usage = lab.critical(lab.key_usage("key_encipherment"))
    handshake = ask_once(client, world.case(server=world.issuing.issue_server(NAME, extensions=(usage,))))
    if client.name in KEY_USAGE:
        assert (handshake.verdict, handshake.why) == (Verdict.REFUSED, KEY_USAGE[client.name])
    else:
        assert handshake.verdict is Verdict.ACCEPTED


PURPOSES = {
    "a CA's, any": {
        "gnutls": "The certificate chain does not match the intended purpose.",
        "nss": "SEC_ERROR_CA_CERT_INVALID: Issuer certificate is invalid.",
        "curl": "SSL certificate problem: unsuitable certificate purpose",
    },
    "the anchor's, any": {"curl": "SSL certificate problem: unsuitable certificate purpose"},
    "the anchor's, other": {
        "go": "x509: certificate specifies an incompatible key usage",
        "curl": "SSL certificate problem: unsuitable certificate purpose",
    },
}


@pytest.mark.parametrize("whose", PURPOSES)
def test_purposes_of_cas(client, whose):
    """RFC 5280 section 4.2.1.12 is on end-entities; OpenSSL, which curl has, wants serverAuth of every certificate."""
    purpose = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE if whose.endswith("any") else ExtendedKeyUsageOID.CLIENT_AUTH
    usage = (lab.non_critical(x509.ExtendedKeyUsage([purpose])),)
    is_anchors = whose.startswith("the anchor's")
    root, issuing = lab.Authority.create("Root", extensions=usage if is_anchors else ()), lab.Authority.create("CA")
    link = root.issue_ca(issuing, extensions=() if is_anchors else usage)
    handshake = ask_once(client, Case(issuing.issue_server(NAME), (link,), root.certificate))
    if client.name in PURPOSES[whose]:
        assert (handshake.verdict, handshake.why) == (Verdict.REFUSED, PURPOSES[whose][client.name])
    else:
        assert handshake.verdict is Verdict.ACCEPTED


def test_two_certificates_with_one_issuer_and_serial_number(client, world):
    """Serial numbers are unique (RFC 5280 section 4.1.2.2): NSS refuses before it verifies, the others do not look."""
    number = world.root.certificate.serial_number
    link = world.root.issue_ca(world.issuing, serial_number=number)
    handshake = ask_once(client, world.case(issuers=(link, world.root.certificate)))
    if client.name == "nss":
        assert handshake.verdict is Verdict.REFUSED
        assert handshake.why.startswith("SEC_ERROR_REUSED_ISSUER_AND_SERIAL: ")
    else:
        assert handshake.verdict is Verdict.ACCEPTED
