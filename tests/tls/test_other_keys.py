"""Servers with several certificates: each type of key is asked for, and a server without one is not at fault."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, mldsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from OpenSSL import SSL

from pkcs12kit import lab
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.lab import KeyType
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.tls.channel import Channel, ChannelError, Deadline
from pkcs12kit.tls.probing import other_keys
from pkcs12kit.tls.probing.answers import ProtocolAnswer
from pkcs12kit.tls.probing.contact import Contact, ContactError
from pkcs12kit.tls.probing.key_types import ServerKeyType, server_key_type
from pkcs12kit.tls.probing.offers import families, is_known
from pkcs12kit.tls.probing.server import ask_server
from pkcs12kit.tls.probing.target import probed_server

SECONDS = 30
RSA, P256 = ServerKeyType.RSA, ServerKeyType.EC_P256


@pytest.fixture(scope="module")
def authority():
    """The CA of all server certificates here."""
    return lab.Authority.create("CA")


@pytest.fixture(scope="module")
def identities(authority):
    """A server certificate for each type of key that OpenSSL can serve."""
    keys = {
        RSA: KeyType.RSA_2048.generate(),
        P256: KeyType.EC_P256.generate(),
        ServerKeyType.EC_P384: KeyType.EC_P384.generate(),
        ServerKeyType.EC_P521: ec.generate_private_key(ec.SECP521R1()),
        ServerKeyType.ED25519: KeyType.ED25519.generate(),
        ServerKeyType.ED448: ed448.Ed448PrivateKey.generate(),
        ServerKeyType.ML_DSA_65: mldsa.MLDSA65PrivateKey.generate(),
    }
    return {name: authority.issue_server("EE", private_key=key) for name, key in keys.items()}


@pytest.fixture(scope="module")
def of_pss(require_tool, tmp_path_factory):
    """A self-signed certificate for a key for RSASSA-PSS only, which cryptography does not keep as one."""
    folder = tmp_path_factory.mktemp("pss")
    command = [require_tool("openssl"), "req", "-x509", "-newkey", "rsa-pss", "-nodes", "-subj", "/CN=EE"]
    files = {"-keyout": folder / "key.pem", "-out": folder / "certificate.pem"}
    arguments = [str(part) for pair in files.items() for part in pair]
    subprocess.run([*command, *arguments], capture_output=True, check=True, timeout=60)
    certificate = Certificate.from_pem(files["-out"].read_text())
    return SimpleNamespace(certificate=certificate, pem=files["-keyout"].read_bytes())


@pytest.fixture
def ask(listening, nothing_left, tmp_path):
    """Ask a server that has these certificates; ``versions`` are the least and the most."""

    def call(given, *, versions=(SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION), ciphers=b"ALL:@SECLEVEL=0", **more):
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_cipher_list(ciphers)
        context.set_min_proto_version(versions[0])
        context.set_max_proto_version(versions[1])
        for one in given:
            context.use_certificate(one.certificate.as_cryptography)
            key = tmp_path / "key.pem"  # pyOpenSSL takes keys of every type only as files
            key.write_bytes(one.pem if hasattr(one, "pem") else in_pem(one.private_key))
            context.use_privatekey_file(key)
        contacts = []

        def script(over):
            contacts.append(over)
            connection = SSL.Connection(context)
            connection.set_accept_state()
            channel = Channel(connection, over, deadline=Deadline.after(SECONDS), limits=DEFAULT_LIMITS)
            with suppress(ChannelError):
                channel.handshake()
                channel.read(100)
            channel.close(wait=True)

        with listening(script) as port:
            answer = ask_server(probed_server("127.0.0.1", port=port), seconds=SECONDS, **more)
        assert answer.contact is Contact.ANSWERED
        assert len(contacts) == len(answer.protocols) + len(answer.other_keys) <= DEFAULT_LIMITS.probe_connections
        return answer

    with nothing_left():
        yield call


def in_pem(private_key):
    """Return a key as a program writes it."""
    return private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def shown(answer, version):
    """Return the types of keys of the certificates that came in this version."""
    return {one.key_type for one in answer.all_answers if one.protocol == version}


def test_the_type_of_a_key_is_read_from_the_certificate(identities):
    """RFC 3279, RFC 4055, RFC 5480, RFC 8410, RFC 9881: by algorithm and curve; other ones are called other."""
    assert {server_key_type(one.certificate) for one in identities.values()} == set(identities)
    for name, one in identities.items():
        assert server_key_type(one.certificate) is name
    other = lab.Authority.create("X", private_key=ec.generate_private_key(ec.SECP256K1())).certificate
    assert server_key_type(other) is ServerKeyType.OTHER


@pytest.mark.parametrize(
    ("types", "connections"),
    [
        ((RSA,), 5),
        ((P256,), 5),
        ((RSA, P256), 7),
        ((RSA, ServerKeyType.EC_P384), 7),
        ((RSA, P256, ServerKeyType.ED25519), 9),
        ((ServerKeyType.ED25519, ServerKeyType.ED448), 7),
    ],
    ids=lambda value: "+".join(one.value for one in value) if isinstance(value, tuple) else str(value),
)
def test_every_certificate_is_seen_in_both_versions(ask, identities, types, connections):
    """RFC 8446 section 4.2.3, RFC 5246 section 7.4.2: what the client offers decides; what is not there is no fault."""
    answer = ask([identities[one] for one in types])
    for version in ("TLSv1.3", "TLSv1.2"):
        assert shown(answer, version) == set(types)
    assert len(answer.protocols) + len(answer.other_keys) == connections
    assert answer.other_keys_stopped == ""
    for one in answer.all_answers:
        assert one.is_complete
        assert one.was_asked_for
        assert one.message.certificates == (identities[one.key_type].certificate,)


def test_a_certificate_for_a_key_for_pss_only(ask, identities, of_pss):
    """RFC 8446 section 4.2.3: rsa_pss_pss is for such keys, and rsa_pss_rsae for other RSA keys, in both versions."""
    assert server_key_type(of_pss.certificate) is ServerKeyType.RSA_PSS
    answer = ask([of_pss, identities[P256], identities[RSA]])
    for version in ("TLSv1.3", "TLSv1.2"):
        assert shown(answer, version) == {ServerKeyType.RSA_PSS, P256, RSA}


def test_a_certificate_with_ml_dsa(ask, identities):
    """RFC 9881 keys are in TLS 1.3 only; they are asked for where OpenSSL has them."""
    answer = ask([identities[RSA], identities[ServerKeyType.ML_DSA_65]])
    assert shown(answer, "TLSv1.3") == {RSA, ServerKeyType.ML_DSA_65}
    assert shown(answer, "TLSv1.2") == {RSA}


def test_a_certificate_for_the_old_exchange_of_keys(ask, identities):
    """RFC 5246 section 7.4.7.1: an RSA certificate that only clients without ECDHE get."""
    given = [identities[RSA], identities[P256]]
    only = (SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION)
    answer = ask(given, versions=only, ciphers=b"ECDHE-ECDSA-AES128-GCM-SHA256:AES128-GCM-SHA256:@SECLEVEL=0")
    assert shown(answer, "TLSv1.2") == {RSA, P256}
    assert {one.cipher_suite for one in answer.all_answers} == {"ECDHE-ECDSA-AES128-GCM-SHA256", "AES128-GCM-SHA256"}


def test_only_current_versions_are_asked_for_types(ask, identities):
    """A server of TLS 1.1 is a no already."""
    answer = ask([identities[RSA]], versions=(SSL.TLS1_VERSION, SSL.TLS1_1_VERSION))
    assert answer.other_keys == ()


@pytest.mark.parametrize(("allowed", "asked"), [(0, 0), (2, 0), (3, 1), (6, 4)])
def test_connections_are_counted(ask, identities, allowed, asked):
    """``probe_connections``: what was not asked for any more is told."""
    limits = replace(DEFAULT_LIMITS, probe_connections=allowed)
    answer = ask([identities[RSA], identities[P256]], limits=limits)
    assert len(answer.other_keys) == asked
    assert answer.other_keys_stopped == f"probe_connections allows {allowed} connections to one server"


FIRST = ProtocolAnswer(protocol="TLSv1.3", contact=Contact.ANSWERED)


@pytest.mark.parametrize("contact", [Contact.REFUSED, Contact.TIMED_OUT, Contact.STARTTLS_REFUSED, Contact.INTERRUPTED])
def test_a_server_that_lets_nobody_in_any_more(identities, contact):
    """Intrusion detection may refuse the third connection: no more is made, and the reason is told."""
    message = other_keys_message(identities[RSA])
    calls = []

    def refuse(offer):
        calls.append(offer)
        raise ContactError(contact, "go away")

    found = other_keys.ask_for_other_keys([replace(FIRST, message=message)] * 2, refuse, 20)
    assert (len(calls), found.stopped) == (1, "go away")
    assert [one.contact for one in found.answers] == [contact]


def other_keys_message(identity):
    """Return the message with the certificate of an identity."""
    from pkcs12kit.tls.certificate_message import CertificateMessage

    return CertificateMessage(certificates=(identity.certificate,), protocol="TLSv1.3")


def test_a_server_that_sends_whatever_it_has(identities):
    """RFC 8446 section 4.4.2.2: it may go on with a certificate that was not asked for, which ends the asking."""
    answers = [replace(FIRST, message=other_keys_message(identities[RSA]))]

    def ask_again(offer):
        return replace(answers[0], why="wrong signature type", asked_key_types=offer.key_types)

    found = other_keys.ask_for_other_keys(answers, ask_again, 20)
    assert [one.was_asked_for for one in found.answers] == [False]


@pytest.mark.parametrize("version", ["TLSv1.3", "TLSv1.2"])
def test_no_offer_admits_a_type_that_was_seen(version):
    """By every set of types that may have been seen: the offers end, and name no scheme for a handshake of those."""
    for family in families(version):
        seen = set()
        while (offer := family.without(frozenset(seen))) is not None:
            assert seen.isdisjoint(offer.key_types)
            seen.add(offer.key_types[-1])
        assert seen <= set(family.key_types)


def test_openssl_accepts_every_offer():
    """A scheme or suite that OpenSSL does not know would make an offer of everything."""
    for version in ("TLSv1.3", "TLSv1.2"):
        for family in families(version):
            for one in family.key_types:
                offer = family._replace(key_types=(one,)).without(frozenset())
                assert offer.key_types == (one,)
                assert is_known(offer.schemes)
                SSL.Context(SSL.TLS_CLIENT_METHOD).set_cipher_list(offer.ciphers)
