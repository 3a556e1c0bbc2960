"""Private keys in every encoding, and the certificate that belongs to them."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import sys

import pytest
from asn1crypto import keys as asn1_keys
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)

from pkcs12kit.errors import InputError, KeyMismatchError, LimitExceededError, PasswordError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.identities import load_identity
from pkcs12kit.sources.keys import read_private_key

from .conftest import der, issue, key_pem, make_pkcs7, make_zip, pem

PASSWORD = "correct horse"
TRADITIONAL = PrivateFormat.TraditionalOpenSSL
PKCS8 = PrivateFormat.PKCS8


@pytest.fixture(scope="session")
def keys():
    """One key of each kind."""
    return {
        "RSA": rsa.generate_private_key(65537, 2048),
        "EC": ec.generate_private_key(ec.SECP384R1()),
        "DSA": dsa.generate_private_key(1024),  # noqa: S505 - its strength is not what is tested
        "Ed25519": ed25519.Ed25519PrivateKey.generate(),
        "Ed448": ed448.Ed448PrivateKey.generate(),
        "ML-DSA-65": mldsa.MLDSA65PrivateKey.generate(),
    }


def read(data, password=None, limits=DEFAULT_LIMITS):
    """Read a key as ``load_identity`` does."""
    return read_private_key(data, name="server.key", password=password, limits=limits)


def public_bytes(key):
    """Encode a key's public half, to compare by."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


ENCODINGS = [
    (name, encoding, layout, encrypted)
    for name in ("RSA", "EC", "DSA", "Ed25519", "Ed448", "ML-DSA-65")
    for encoding in (Encoding.PEM, Encoding.DER)
    for layout in (PKCS8, TRADITIONAL)
    for encrypted in (False, True)
    if not (layout is TRADITIONAL and name not in {"RSA", "EC", "DSA"})
    if not (layout is TRADITIONAL and encrypted and encoding is Encoding.DER)
]


@pytest.mark.parametrize(("name", "encoding", "layout", "encrypted"), ENCODINGS)
@pytest.mark.parametrize("disguise", [bytes, lambda data: data + b"\r\n"])
def test_every_kind_of_key_in_every_encoding(keys, name, encoding, layout, encrypted, disguise):
    """PKCS#8 (RFC 5958), PKCS#1 (RFC 8017), SEC 1 (RFC 5915), PEM and DER, encrypted and not."""
    protection = BestAvailableEncryption(PASSWORD.encode()) if encrypted else NoEncryption()
    data = disguise(keys[name].private_bytes(encoding, layout, protection))
    assert public_bytes(read(data, PASSWORD if encrypted else None)) == public_bytes(keys[name])


def test_base64_utf16_and_junk_around_a_key(keys):
    """Keys are read as leniently as certificates; EC parameters before an EC key are skipped."""
    encoded = keys["EC"].private_bytes(Encoding.DER, TRADITIONAL, NoEncryption())
    text = key_pem(keys["EC"])
    parameters = b"-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n"
    dressed = [base64.b64encode(encoded), text.decode().encode("utf-16"), b"Bag Attributes: x\n" + parameters + text]
    for data in (*dressed, text.replace(b"\n", b"\r\n"), text + text):
        assert public_bytes(read(data)) == public_bytes(keys["EC"])


def test_a_password_for_a_key_that_is_not_encrypted_is_ignored(keys):
    """One setting serves many keys, encrypted or not."""
    assert public_bytes(read(key_pem(keys["EC"]), PASSWORD)) == public_bytes(keys["EC"])


@pytest.mark.parametrize("layout", [PKCS8, TRADITIONAL])
@pytest.mark.parametrize("wrong", [None, "", "hunter2"])
def test_missing_and_wrong_passwords(keys, layout, wrong):
    """One sentence with the file's name; neither the password nor the key is in it, nor in what it was raised from."""
    data = keys["EC"].private_bytes(Encoding.PEM, layout, BestAvailableEncryption(PASSWORD.encode()))
    with pytest.raises(PasswordError, match=r"^server\.key: .*password") as raised:
        read(data, wrong)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("info", "sentence"),
    [
        (b"AES-256-CBC,05B4", "IV has the wrong length"),
        (b"AES-256-CBC,05B4XY", "IV in its DEK-Info is not hexadecimal"),
        (b"ARIA-256-CBC,05B4", "encrypted with ARIA-256-CBC, which is not supported"),
        (b"", "DEK-Info, which names the cipher, is missing"),
    ],
)
def test_traditional_encryption_that_pyca_cannot_open(keys, info, sentence):
    """RFC 1421 section 4.6.1.3: pyca panics on a short IV, so it is checked before."""
    data = keys["EC"].private_bytes(Encoding.PEM, TRADITIONAL, BestAvailableEncryption(PASSWORD.encode()))
    stated = data.partition(b"DEK-Info: ")[2].partition(b"\n")[0]
    with pytest.raises(InputError, match=rf"^server\.key: .*{sentence}"):
        read(data.replace(stated, info), PASSWORD)


@pytest.mark.parametrize(
    "options", [("-scrypt",), ("-v1", "PBE-SHA1-3DES"), ("-v2", "aes128", "-v2prf", "hmacWithSHA512")]
)
def test_pkcs8_as_openssl_encrypts_it(require_tool, keys, options):
    """RFC 7914, RFC 7292 appendix C and RFC 8018 key derivations."""
    import subprocess

    command = [require_tool("openssl"), "pkcs8", "-topk8", "-passout", f"pass:{PASSWORD}", *options]
    made = subprocess.run(command, input=key_pem(keys["EC"]), capture_output=True, check=True).stdout
    assert public_bytes(read(made, PASSWORD)) == public_bytes(keys["EC"])
    if "-scrypt" in options:
        import dataclasses

        with pytest.raises(LimitExceededError, match=r"server\.key: .*limits\.scrypt_bytes"):
            read(made, PASSWORD, dataclasses.replace(DEFAULT_LIMITS, scrypt_bytes=1024))


def test_an_iteration_count_made_to_hang_is_refused_at_once(keys):
    """RFC 8018 section 4.2: the count is the file's word, and so is bounded."""
    data = keys["EC"].private_bytes(Encoding.DER, PKCS8, BestAvailableEncryption(PASSWORD.encode()))
    info = asn1_keys.EncryptedPrivateKeyInfo.load(data)
    info["encryption_algorithm"]["parameters"]["key_derivation_func"]["parameters"]["iteration_count"] = 2**31 - 1
    with pytest.raises(LimitExceededError, match=r"server\.key: .*limits\.pfx_iterations"):
        read(info.dump(force=True), PASSWORD)


def test_an_oversized_key_is_refused(keys):
    """``limits.private_key_bytes``: arithmetic on larger numbers takes minutes."""
    numbers = [0, 1 << 200_000, 3, 5, 7, 11, 13, 17, 19]
    names = ["version", "modulus", "public_exponent", "private_exponent", "prime1", "prime2"]
    names += ["exponent1", "exponent2", "coefficient"]
    data = asn1_keys.RSAPrivateKey(dict(zip(names, numbers, strict=True))).dump()
    with pytest.raises(LimitExceededError, match=r"limits\.private_key_bytes"):
        read(data)
    assert keys


class TestNoUsableKey:
    """The error names the contents found in place of a private key."""

    @pytest.mark.parametrize(
        ("make", "found"),
        [
            (lambda chain, _: pem(*chain), "found a certificate"),
            (lambda chain, _: der(chain[0]), "found a certificate"),
            (
                lambda _, key: key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
                "public key",
            ),
            (lambda *_: b"", "found nothing: it is empty"),
            (lambda *_: b"\x80\xff\x00noise", "found binary data"),
            (lambda *_: b"hello", "found text"),
            (lambda _, key: key_pem(key)[:60], "cut short"),
            (lambda _, key: key_pem(key) + key_pem(ec.generate_private_key(ec.SECP256R1())), "found 2"),
            (lambda _, key: key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()), "OpenSSH"),
            (lambda _, key: key.private_bytes(Encoding.DER, PKCS8, NoEncryption())[:-20], "cut short"),
            (lambda *_: key_pem(x25519.X25519PrivateKey.generate()), "cannot sign"),
            (lambda *_: key_pem(ec.generate_private_key(ec.SECP256R1())).replace(b"MIG", b"M*G"), "base64 is damaged"),
        ],
    )
    def test_is_one_clear_sentence(self, keys, chain, make, found):
        """It names the file and what was found in it."""
        with pytest.raises(InputError, match=rf"^server\.key: .*{found}"):
            read(make(chain, keys["EC"]))

    def test_damage_within_a_key(self, keys):
        """A key with a correct structure and wrong numbers is refused."""
        data = bytearray(keys["RSA"].private_bytes(Encoding.DER, TRADITIONAL, NoEncryption()))
        data[200] ^= 0xFF
        with pytest.raises(InputError, match=r"^server\.key: an RSA private key whose modulus is not the product"):
            read(bytes(data))


class TestLoadIdentity:
    """A private key and the certificate that belongs to it."""

    @pytest.fixture
    def files(self, tmp_path, leaf, chain):
        """Key, certificate, chain and both together as files."""
        contents = {
            "server.key": key_pem(leaf[1]),
            "server.pem": pem(leaf[0]),
            "both.pem": key_pem(leaf[1]) + pem(*reversed(chain)),
            "chain.p7b": make_pkcs7([der(certificate) for certificate in reversed(chain)]),
            "chain.zip": make_zip({"chain.pem": pem(*reversed(chain))}),
        }
        for name, content in contents.items():
            (tmp_path / name).write_bytes(content)
        return tmp_path

    @pytest.mark.parametrize("certificate", ["server.pem", "both.pem", "chain.p7b", "chain.zip"])
    @pytest.mark.parametrize("key", ["server.key", "both.pem"])
    def test_the_end_entity_is_the_one_that_matches(self, files, leaf, key, certificate):
        """The certificate of the key is found at any place in the chain, in any container."""
        identity = load_identity(key=files / key, certificate=str(files / certificate))
        assert identity.certificate.der == der(leaf[0])

    @pytest.mark.parametrize("argument", ["key", "certificate"])
    def test_one_file_with_both(self, files, monkeypatch, leaf, argument):
        """A file with both is read once, whether it is given once, twice or on standard input."""
        both = files / "both.pem"
        assert load_identity(**{argument: both}).certificate.der == der(leaf[0])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(both.read_bytes())))
        assert load_identity(key="-", certificate="-").certificate.der == der(leaf[0])

    def test_from_pkcs12(self, tmp_path, leaf, chain):
        """With its password, also in base64; without it the sentence names the file."""
        file = tmp_path / "server.p12"
        protection = BestAvailableEncryption(PASSWORD.encode())
        data = pkcs12.serialize_key_and_certificates(b"x", leaf[1], leaf[0], chain[1:], protection)
        file.write_bytes(data)
        for source in (file, data, base64.encodebytes(data)):
            assert load_identity(pkcs12=source, password=PASSWORD).certificate.der == der(leaf[0])
        for wrong in (None, "hunter2"):
            with pytest.raises(PasswordError, match=r"server\.p12: "):
                load_identity(pkcs12=file, password=wrong)

    def test_pkcs12_without_key_or_certificate(self, leaf, chain):
        """A missing key, a missing certificate and a file that is not PKCS#12 are named."""
        certificates_only = pkcs12.serialize_key_and_certificates(None, None, None, chain, NoEncryption())
        with pytest.raises(InputError, match="without a private key"):
            load_identity(pkcs12=certificates_only)
        key_only = pkcs12.serialize_key_and_certificates(None, leaf[1], None, None, NoEncryption())
        with pytest.raises(InputError, match="without a certificate"):
            load_identity(pkcs12=key_only)
        with pytest.raises(InputError, match="expected a PKCS#12 file, found a certificate"):
            load_identity(pkcs12=der(chain[0]))
        with pytest.raises(InputError, match="found a PKCS#12 file"):
            load_identity(key=certificates_only, certificate=der(chain[0]))

    def test_a_mismatch_shows_both_fingerprints(self, files, leaf, stranger):
        """The SHA-256 of both SubjectPublicKeyInfo, and both files, are in the sentence."""
        (files / "stranger.pem").write_bytes(pem(stranger[0]))
        with pytest.raises(KeyMismatchError, match=r"server\.key and .*stranger\.pem: ") as raised:
            load_identity(key=files / "server.key", certificate=files / "stranger.pem")
        for key in (leaf[1], stranger[1]):
            assert hashlib.sha256(public_bytes(key)).hexdigest() in str(raised.value)

    def test_a_mismatch_in_a_chain_is_told_of_its_end_entity(self, files, chain):
        """The error is about the end-entity, not about a CA before it."""
        other = key_pem(ec.generate_private_key(ec.SECP256R1()))
        with pytest.raises(KeyMismatchError, match=r"certificate of CN=mdm\.example"):
            load_identity(key=other, certificate=pem(*reversed(chain)))
        assert files

    def test_several_certificates_for_one_key(self, leaf):
        """Old and renewed certificate together: the newest that is valid is used, and the other is named."""
        renewed, _ = issue("mdm.example", key=leaf[1], ca=False, serial=77)
        warnings = []
        identity = load_identity(key=key_pem(leaf[1]), certificate=pem(leaf[0], renewed), on_warning=warnings.append)
        assert identity.certificate.der in {der(leaf[0]), der(renewed)}
        assert len(warnings) == 1
        assert re.search(r"2 certificates belong to the private key: .*#77", warnings[0])

    def test_arguments_that_make_no_identity(self, files):
        """Nothing given, and two identities at once, are refused."""
        with pytest.raises(InputError, match="needs a key and a certificate"):
            load_identity()
        with pytest.raises(InputError, match="both were given"):
            load_identity(key=files / "server.key", pkcs12=files / "server.pem")

    def test_text_given_as_a_path_is_never_echoed(self, leaf):
        """A key's PEM text where its path belongs must not end up in a message."""
        text = key_pem(leaf[1]).decode()
        with pytest.raises(InputError, match="expected a path") as raised:
            load_identity(key=text, certificate=pem(leaf[0]))
        assert text.splitlines()[1] not in str(raised.value)

    def test_no_repr_shows_a_key(self, leaf):
        """No repr shows the key: not that of an identity, nor that of a PEM block."""
        from pkcs12kit.sources.containers import pem_blocks

        text = key_pem(leaf[1])
        shown = repr(load_identity(key=text + pem(leaf[0]))) + repr(list(pem_blocks(text, "key", DEFAULT_LIMITS)))
        assert text.splitlines()[1].decode() not in shown
