"""Self-signed server certificates: one answer from ``build``, ``verify``, ``rehearse`` and ``probe``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

import pkcs12kit as pk
from pkcs12kit import Check, lab
from pkcs12kit.errors import Pkcs12KitError
from pkcs12kit.lab import extensions as ext
from pkcs12kit.lab.authority import as_name, sign_certificate
from pkcs12kit.tls.rehearsal.server import LoopbackServer

NAME = "mdm.example.mil"
PASSWORD = "correct horse 42 battery"
PROFILE = pk.profiles.MODERN.with_iterations(encryption=3, mac=5)
SAN = ext.non_critical(x509.SubjectAlternativeName([x509.DNSName(NAME)]))
OTHER_SAN = ext.non_critical(x509.SubjectAlternativeName([x509.DNSName("www.example.com")]))
SERVERS = ext.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]))
CLIENTS = ext.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]))
CA = ext.critical(x509.BasicConstraints(ca=True, path_length=None))
NOT_CA = ext.critical(x509.BasicConstraints(ca=False, path_length=None))
SIGNS = ext.critical(ext.key_usage("digital_signature"))
SIGNS_ALL = ext.critical(ext.key_usage("digital_signature", "key_cert_sign"))
SOUND = {
    "a server's": (NOT_CA, SIGNS, SERVERS, SAN),
    "without a purpose": (NOT_CA, SIGNS, SAN),
    "without basicConstraints": (SAN,),
    "of openssl req -x509": (CA, SAN),
    "a CA's that signs both": (CA, SIGNS_ALL, SERVERS, SAN),
    "a CA's that signs handshakes": (CA, SIGNS, SERVERS, SAN),
}
ALL_YES, ALL_NO = (dict.fromkeys(("build", "verify", "rehearse", "probe"), answer) for answer in (True, False))
FAULTY = {
    "for another name": (NOT_CA, SIGNS, SERVERS, OTHER_SAN),
    "without a name": (NOT_CA, SIGNS, SERVERS),
    "for clients": (NOT_CA, SIGNS, CLIENTS, SAN),
    "keyCertSign without cA": (NOT_CA, SIGNS_ALL, SERVERS, SAN),
}


def make(extensions, *, issuer_key=None, days=100):
    """Return the key and the certificate of a server, signed with its own key unless another is given."""
    key, now = lab.KeyType.EC_P256.generate(), datetime.now(UTC)
    certificate = sign_certificate(
        issuer=as_name(NAME),
        signing_key=issuer_key or key,
        subject=as_name(NAME),
        public_key=key.public_key(),
        validity=lab.Validity(now - timedelta(days=200), now + timedelta(days=days)),
        extensions=extensions,
    )
    return key, certificate


def answers(tmp_path, key, certificate, anchor):
    """Return the answers of the four commands' functions, by name, and what they say of the chain."""
    said = {}
    given = {"trust_anchors": [anchor.der], "server_name": NAME}
    try:
        report = pk.build(
            key=key,
            certificate=certificate,
            output=tmp_path / "built.p12",
            password=PASSWORD,
            profile=PROFILE,
            **given,
        )
        built, said["build"] = True, "; ".join(report.warnings)
        assert pk.decode_pfx((tmp_path / "built.p12").read_bytes(), password=PASSWORD).certificates == (certificate,)
    except Pkcs12KitError:
        built = False
    file = pk.encode_pfx(pk.Bundle(private_key=key, certificates=(certificate,)), password=PASSWORD, profile=PROFILE)
    verified = pk.verify(file, password=PASSWORD, **given)
    rehearsed = pk.rehearse(file, password=PASSWORD, clients=["openssl"], **given)
    with LoopbackServer(key, (certificate,)) as server:
        probed = pk.probe(f"127.0.0.1:{server.port}", **given)
    for name, findings in (
        ("verify", verified.findings),
        ("rehearse", rehearsed.served_chain.findings),
        ("probe", probed.served_chain.findings),
    ):
        said[name] = next(one.why for one in findings if one.check is Check.CHAIN)
    return {"build": built, "verify": verified.ok, "rehearse": rehearsed.ok, "probe": probed.ok}, said


@pytest.mark.parametrize("variant", SOUND)
def test_its_own_anchor_is_a_yes(tmp_path, variant):
    """RFC 5280 section 6.1: a path of length one; it issues nothing, so RFC 5937 asks for no cA of it."""
    key, certificate = make(SOUND[variant])
    found, said = answers(tmp_path, key, certificate, certificate)
    assert found == ALL_YES
    for words in said.values():
        assert "self-signed and its own trust anchor" in words
        assert "Firefox refuses it" in words
        refuses = NOT_CA in SOUND[variant] or {CA, SERVERS} <= {*SOUND[variant]}
        assert ("NSS refuses it" in words) is refuses


@pytest.mark.parametrize("variant", FAULTY)
def test_a_fault_is_a_no_all_the_same(tmp_path, variant):
    """Trust in the certificate excuses neither its name nor its purpose (RFC 9525, RFC 5280 section 4.2.1.12)."""
    key, certificate = make(FAULTY[variant])
    assert answers(tmp_path, key, certificate, certificate)[0] == ALL_NO


@pytest.mark.parametrize("variant", ["a server's", "of openssl req -x509"])
def test_another_anchor_is_a_no(tmp_path, variant):
    """RFC 5280 section 6.1: it leads to no trust anchor, also where the anchor has its name and another key."""
    key, certificate = make(SOUND[variant])
    for anchor in (lab.Authority.create("Root").certificate, make(SOUND[variant])[1]):
        assert answers(tmp_path, key, certificate, anchor)[0] == ALL_NO


def test_self_issued_is_not_self_signed(tmp_path):
    """RFC 5280 section 6.1.3 (a)(1): the anchor's key has to verify the signature, whoever trusts the certificate."""
    stranger, _ = make(SOUND["a server's"])
    key, certificate = make(SOUND["a server's"], issuer_key=stranger)
    assert answers(tmp_path, key, certificate, certificate)[0] == ALL_NO


def test_an_expired_one_is_a_no(tmp_path):
    """RFC 5280 section 6.1.3 (a)(2)."""
    key, certificate = make(SOUND["a server's"], days=-1)
    assert answers(tmp_path, key, certificate, certificate)[0] == ALL_NO


def test_a_certificate_that_is_not_a_cas_still_issues_nothing(tmp_path):
    """RFC 5937 section 3: as the anchor of another certificate it is refused, as before."""
    issuer_key, issuer = make(SOUND["a server's"])
    key = lab.KeyType.EC_P256.generate()
    certificate = sign_certificate(
        issuer=as_name(NAME),
        signing_key=issuer_key,
        subject=as_name("www.example.mil"),
        public_key=key.public_key(),
        validity=lab.Validity.around(),
        extensions=(NOT_CA, SIGNS, SERVERS, SAN),
    )
    assert answers(tmp_path, key, certificate, issuer)[0] == ALL_NO


def test_the_warning_names_the_use_that_fits():
    """The anchor is not a CA's: the warning does not call a server's own certificate a mistake."""
    warnings = []
    for variant in ("a server's", "of openssl req -x509"):
        pk.load_trust_anchors(make(SOUND[variant])[1], on_warning=warnings.append)
    (warning,) = warnings
    assert "; it fits only a server whose own certificate it is; is it the one that" in warning
