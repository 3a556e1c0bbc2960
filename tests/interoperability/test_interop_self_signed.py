"""Self-signed server certificates that clients trust: what each client says is what the table of the rule says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.devices.self_signed import describe_own_anchor
from pkcs12kit.lab import extensions as ext
from pkcs12kit.lab.authority import as_name, sign_certificate
from pkcs12kit.probing import Verdict

NAME = "mdm.example.mil"
PASSWORD = "correct horse 42"
COMMON = (
    ext.critical(ext.key_usage("digital_signature")),
    ext.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
    ext.non_critical(x509.SubjectAlternativeName([x509.DNSName(NAME)])),
)
CA = ext.critical(x509.BasicConstraints(ca=True, path_length=None))
VARIANTS = {
    "not a CA": (*COMMON, ext.critical(x509.BasicConstraints(ca=False, path_length=None))),
    "a CA with a purpose": (*COMMON, CA),
    "a CA": (COMMON[-1], CA),
    "without basicConstraints": COMMON,
}
NSS_REFUSES = ("not a CA", "a CA with a purpose")
CLIENTS = ("openssl", "curl", "java", "go", "gnutls", "nss")


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("client", CLIENTS)
def test_clients_do_what_the_rule_says(cannot_run, variant, client):
    """RFC 5280 section 6.1: accepted by each client that trusts it, but NSS differs."""
    key, now = lab.KeyType.EC_P256.generate(), datetime.now(UTC)
    certificate = sign_certificate(
        issuer=as_name(NAME),
        signing_key=key,
        subject=as_name(NAME),
        public_key=key.public_key(),
        validity=lab.Validity(now - timedelta(days=9), now + timedelta(days=90)),
        extensions=VARIANTS[variant],
    )
    profile = pk.profiles.MODERN.with_iterations(encryption=3, mac=5)
    file = pk.encode_pfx(pk.Bundle(private_key=key, certificates=(certificate,)), password=PASSWORD, profile=profile)
    report = pk.rehearse(file, password=PASSWORD, trust_anchors=[certificate.der], server_name=NAME, clients=[client])
    if report.not_tried:
        cannot_run(f"needs the client {client}")
    refuses = client == "nss" and variant in NSS_REFUSES
    expected = Verdict.REFUSED if refuses else Verdict.ACCEPTED
    assert {one.verdict for one in report.handshakes if one.client == client} == {expected}
    assert report.served_chain.ok
    words = describe_own_anchor(report.served_chain.path)
    assert ("NSS refuses it" in words) is (variant in NSS_REFUSES)
    assert "OpenSSL, curl, Java, Go and GnuTLS accept it" in words
