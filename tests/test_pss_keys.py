"""A key for RSASSA-PSS alone (RFC 4055 section 1.2) stays one in what is written, as its certificate is for one."""

from __future__ import annotations

import subprocess

import pytest
from asn1crypto import core, pem
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.pkcs12.bags import certificate_bag
from pkcs12kit.pkcs12.encoder import PlainKey, encode_contents
from pkcs12kit.pkcs12.private_keys import encode_private_key, is_encoded_for
from pkcs12kit.probing import Verdict

PASSWORD = "correct horse 42 battery"
QUICK = pk.profiles.MODERN.with_iterations(encryption=3, mac=5)
PARAMETERS = {"any": (), "sha256": ("md:sha256", "mgf1_md:sha256", "saltlen:32")}


class Server:
    """A server's key of OpenSSL's making, its certificate, the CA's."""

    def __init__(self, openssl, options):
        command = [openssl, "genpkey", "-algorithm", "RSA-PSS", *(f"-pkeyopt=rsa_pss_keygen_{it}" for it in options)]
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
        self.pem = done.stdout
        self.info = pem.unarmor(self.pem)[2]
        self.algorithm = core.Sequence.load(self.info)[1].dump()
        self.private_key = load_pem_private_key(self.pem, None)
        authority = lab.Authority.create("CA")
        self.anchor = authority.certificate
        self.certificate_for_any_rsa = authority.issue_server("EE", private_key=self.private_key).certificate
        structure = asn1_x509.Certificate.load(self.certificate_for_any_rsa.der)
        tbs = structure["tbs_certificate"]
        tbs["subject_public_key_info"]["algorithm"] = asn1_keys.PublicKeyAlgorithm.load(self.algorithm)
        structure["signature_value"] = authority.private_key.sign(tbs.dump(), ec.ECDSA(hashes.SHA256()))
        self.certificate = Certificate.from_der(structure.dump())

    def build(self, **changed):
        """Build its file, from what OpenSSL wrote."""
        given = {
            "key": self.pem,
            "certificate": self.certificate.der,
            "trust_anchors": [self.anchor.der],
            "password": PASSWORD,
            "profile": QUICK,
        }
        return pk.build(**(given | changed))

    def forgetful(self):
        """Write the file that a program writes which takes the key for any RSA key."""
        certificates = [certificate_bag(one.der) for one in (self.certificate, self.anchor)]
        key = PlainKey(private_key_info=pkcs8(self.private_key), friendly_name=None, local_key_id=None)
        return encode_contents(certificates, [key], password=PASSWORD, profile=QUICK)


@pytest.fixture(scope="module", params=PARAMETERS)
def server(request, require_tool):
    """One whose key leaves hash and salt open, and one whose does not."""
    return Server(require_tool("openssl"), PARAMETERS[request.param])


def kept(data):
    """Read the PrivateKeyInfo that a file has."""
    return pk.decode_pfx(data, password=PASSWORD).keys[0].private_key_info


@pytest.mark.parametrize("profile", [QUICK, pk.profiles.NO_PASSWORD], ids=["encrypted", "in the clear"])
def test_built_as_openssl_made_it(server, profile):
    """Byte for byte: id-RSASSA-PSS with the parameters that the key was made with (RFC 4055 section 3.1)."""
    password = PASSWORD if profile.takes_password else None
    data = server.build(profile=profile, password=password).data
    assert pk.decode_pfx(data, password=password).keys[0].private_key_info == server.info


def test_openssl_lists_it(server, require_tool, tmp_path):
    """OpenSSL's own reading of the file: an RSA-PSS key, which is the certificate's."""
    file = tmp_path / "server.p12"
    file.write_bytes(server.build().data)
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)

    def openssl(*arguments, given=None):
        done = subprocess.run(
            [require_tool("openssl"), *arguments], input=given, capture_output=True, check=True, timeout=60
        )
        return done.stdout

    listed = openssl("pkcs12", "-in", file, "-passin", f"file:{secret}", "-nodes", "-nocerts")
    shown = openssl("pkey", "-noout", "-text", given=listed)
    assert b"PSS parameter restrictions" in shown
    assert pem.unarmor(listed[listed.index(b"-----BEGIN") :])[2] == server.info


def test_rehearsed(server, answering):  # noqa: ARG001  # which leaves OpenSSL alone
    """What is built is served and accepted by both versions: rsa_pss_pss_sha256 (RFC 8446 section 4.2.3)."""
    report = pk.rehearse(server.build().data, trust_anchors=[server.anchor.der], password=PASSWORD)
    found = [one.verdict for one in report.handshakes if one.client == "openssl"]
    assert found == [Verdict.ACCEPTED] * 2


def test_from_a_file_that_forgot(server):
    """The certificate says what its key is for, so a file of rsaEncryption is mended: built anew, and as PEM."""
    forgetful = server.forgetful()
    assert kept(forgetful) != server.info
    rebuilt = server.build(key=None, certificate=None, pkcs12=forgetful, pkcs12_password=PASSWORD)
    assert kept(rebuilt.data) == server.info
    key, *_ = pem.unarmor(pk.encode_pem(pk.decode_pfx(forgetful, password=PASSWORD)), multiple=True)
    assert key == ("PRIVATE KEY", {}, server.info)


def test_the_certificate_decides(server, answering):  # noqa: ARG001  # as above
    """Beside a certificate for rsaEncryption, which some CAs make of any RSA key, OpenSSL wants that of the key too."""
    data = server.build(certificate=server.certificate_for_any_rsa.der).data
    assert kept(data) == pkcs8(server.private_key)
    report = pk.rehearse(data, trust_anchors=[server.anchor.der], password=PASSWORD)
    assert {one.verdict for one in report.handshakes if one.client == "openssl"} == {Verdict.ACCEPTED}


def test_converted(server):
    """Another protection, and PEM, of the same key."""
    data = server.build().data
    assert kept(pk.convert_pfx(data, password=PASSWORD, new_password=PASSWORD, profile=QUICK)) == server.info
    assert pk.encode_pem(pk.decode_pfx(data, password=PASSWORD)).startswith(server.pem)


def test_if_changed(server, tmp_path, monkeypatch):
    """A file that has the key as rsaEncryption is another one; the one that is then written is not."""
    output = tmp_path / "server.p12"
    with monkeypatch.context() as patched:
        patched.setattr("pkcs12kit.pkcs12.encoder.encode_private_key", lambda key, _: pkcs8(key))
        server.build(output=output)
    first = server.build(output=output, if_changed=True)
    assert (first.changed, first.change) == (
        True,
        "it held the private key for another algorithm than the certificate's",
    )
    assert kept(output.read_bytes()) == server.info
    assert not server.build(output=output, if_changed=True).changed


@pytest.mark.parametrize("key_type", lab.KeyType, ids=lambda one: one.name)
def test_other_keys_are_as_ever(key_type):
    """No other key is touched, in PKCS#12 or PEM, and none is another one for the form that it is in."""
    authority = lab.Authority.create("CA")
    server = authority.issue_server("EE", key_type=key_type)
    assert encode_private_key(server.private_key, server.certificate) == pkcs8(server.private_key)
    assert is_encoded_for(pkcs8(server.private_key), server.certificate)
    bundle = pk.Bundle(private_key=server.private_key, certificates=(server.certificate,))
    decoded = pk.decode_pfx(pk.encode_pfx(bundle, password=PASSWORD, profile=QUICK), password=PASSWORD)
    plain = server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert pk.encode_pem(decoded).startswith(plain)


@pytest.mark.parametrize("key_type", [lab.KeyType.RSA_2048, lab.KeyType.EC_P256])
def test_forms_of_before_pkcs8(server, key_type):
    """PKCS#1 and SEC 1, which files have now and then, cannot say RSASSA-PSS, and say nothing else wrong."""
    other = lab.Authority.create("CA").issue_server("EE", key_type=key_type)
    old = other.private_key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert is_encoded_for(old, other.certificate)
    assert not is_encoded_for(old, server.certificate)


def pkcs8(key):
    """Encode a key as pyca does."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
