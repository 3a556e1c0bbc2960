"""Servers with ML-DSA, and chains of several algorithms: each step from paths to the handshake, forgeries too."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.lab import KeyType
from pkcs12kit.probing import Verdict
from pkcs12kit.tls.rehearsal.server import LoopbackServer

from ..thoroughness import mostly_slow

PASSWORD = "correct horse 42 battery"
QUICK = replace(pk.profiles.MODERN, encryption_iterations=3, mac_iterations=3)
NAME = "www.example.mil"
ML_DSA = (KeyType.ML_DSA_44, KeyType.ML_DSA_65, KeyType.ML_DSA_87)
# The key of the server, of its CA, and of the root.
CHAINS = (
    (KeyType.ML_DSA_44, KeyType.ML_DSA_65, KeyType.ML_DSA_87),
    (KeyType.ML_DSA_65, KeyType.RSA_2048, KeyType.RSA_2048),
    (KeyType.RSA_2048, KeyType.ML_DSA_65, KeyType.ML_DSA_87),
    (KeyType.EC_P256, KeyType.EC_P384, KeyType.ML_DSA_87),
    (KeyType.ML_DSA_87, KeyType.ED25519, KeyType.ML_DSA_44),
)


@cache
def chain(of_server, of_authority, of_root):
    """A server, its CA and the root, each with a key of that type."""
    root = lab.Authority.create("Root", key_type=of_root)
    authority = lab.Authority.create("CA", key_type=of_authority)
    authority = replace(authority, certificate=root.issue_ca(authority))
    return authority.issue_server(NAME, key_type=of_server), authority, root


def in_words(value):
    """Return a name for a case."""
    return "<".join(one.value for one in value)


@pytest.mark.parametrize("types", mostly_slow(CHAINS, every=2), ids=in_words)
def test_built_verified_and_served(types, tmp_path):
    """RFC 9881: the path is found, both validators accept it, the file is written, and OpenSSL accepts the server."""
    server, authority, root = chain(*types)
    key = server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    about = {"certificates": [authority.certificate], "trust_anchors": [root.certificate]}
    out = tmp_path / "server.p12"
    built = pk.build(key=key, certificate=server.certificate, output=out, password=PASSWORD, profile=QUICK, **about)
    assert built.confirmation.opinion.value == "valid"
    verified = pk.verify(out, password=PASSWORD, trust_anchors=[root.certificate], server_name=NAME)
    assert verified.ok, verified.problems
    tried = pk.rehearse(out, password=PASSWORD, trust_anchors=[root.certificate], clients=["openssl"])
    assert tried.ok, tried.problems
    versions = ["TLSv1.3"] if types[0] in ML_DSA else ["TLSv1.2", "TLSv1.3"]
    assert [one.protocol for one in tried.handshakes] == versions
    assert all(one.verdict is Verdict.ACCEPTED for one in tried.handshakes)
    assert all(tried.as_served(one) for one in tried.handshakes)
    said = [one for one in tried.warnings if "signs in TLS 1.3 only" in one]
    assert len(said) == (types[0] in ML_DSA)


def test_a_live_server_is_probed():
    """draft-ietf-tls-mldsa: it answers in TLS 1.3, and what it sends is what its clients need."""
    server, authority, root = chain(*CHAINS[0])
    with LoopbackServer(server.private_key, (server.certificate, authority.certificate)) as serving:
        report = pk.probe(f"127.0.0.1:{serving.port}", trust_anchors=[root.certificate], server_name=NAME)
    assert report.served_chain.ok
    assert [one.protocol for one in report.answer.protocols if one.message is not None] == ["TLSv1.3"]


@pytest.mark.parametrize("types", mostly_slow(CHAINS, every=4), ids=in_words)
@pytest.mark.parametrize("position", [0, 1])
def test_a_forged_signature_makes_no_path(types, position):
    """RFC 5280 section 6.1.3 (a) (1): one bit of a signature, or of what it signs, and no path is valid."""
    server, authority, root = chain(*types)
    forged = [server.certificate, authority.certificate]
    der = forged[position].der
    for at in (len(der) - 1, len(der) - 40, der.index(forged[position].subject_public_key_info) + 30):
        mutated = bytearray(der)
        mutated[at] ^= 1
        forged[position] = pk.Certificate.from_der(bytes(mutated))
        report = pk.find_paths(forged[0], certificates=forged[1:], trust_anchors=[root.certificate])
        assert not report.valid


@pytest.mark.parametrize("key_type", ML_DSA)
def test_a_signature_of_another_ca_of_the_same_name_is_refused(key_type):
    """Neither a key of the same type nor one of another type of ML-DSA verifies it."""
    for of_other in ML_DSA:
        real = lab.Authority.create("CA", key_type=key_type)
        other = lab.Authority.create("CA", key_type=of_other)
        report = pk.find_paths(other.issue_server(NAME).certificate, certificates=[], trust_anchors=[real.certificate])
        assert not report.valid
