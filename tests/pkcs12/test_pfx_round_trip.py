"""Writing and reading back: by this library, by pyca/cryptography, and what pyca publishes as test files."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509 import load_der_x509_certificate

from pkcs12kit.certificates.identity import Identity
from pkcs12kit.errors import InputError, LimitExceededError, PasswordError, PfxPasswordError, UnsupportedPfxError
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.bundle import Bundle
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.encoder import encode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.passwords import encode_password

from .conftest import PASSWORD, issue, make_path

VECTORS = Path(cryptography_vectors.__file__).parent / "pkcs12"


def private_bytes(key):
    """The key as PKCS#8, to compare keys by."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("profile", profiles.PROFILES, ids=lambda profile: profile.name)
@pytest.mark.parametrize("kind", ["rsa", "ec", "ed25519"])
def test_what_is_written_is_read(keys, kind, profile):
    """Key, certificates, their order and their names come back, for each kind of key under each profile."""
    path = make_path(keys[kind])
    bundle = Bundle.from_path(
        Identity(private_key=keys[kind], certificate=path.target), path, friendly_name="Übertragung"
    )
    password = PASSWORD if profile.takes_password else None
    decoded = decode_pfx(encode_pfx(bundle, password=password, profile=profile), password=password)
    assert private_bytes(decoded.private_key) == private_bytes(keys[kind])
    assert decoded.certificates == bundle.certificates
    assert decoded.certificate == path.target
    assert decoded.friendly_name == "Übertragung"
    assert decoded.friendly_names == bundle.aliases
    assert decoded.identity.certificate == path.target


@pytest.mark.parametrize("password", ["", "päßwörd €", "\N{GRINNING FACE}", " leading and trailing "])
def test_passwords_of_any_characters(small_bundle, quick, password):
    """RFC 7292 appendix B.1 (BMPString with terminator) and RFC 8018 (UTF-8) agree with pyca's reader (OpenSSL)."""
    data = encode_pfx(small_bundle, password=password, profile=quick)
    assert decode_pfx(data, password=password).private_key is not None
    assert pkcs12.load_pkcs12(data, password.encode()).key is not None
    with pytest.raises(PfxPasswordError):
        decode_pfx(data, password=password + "x")


@pytest.mark.parametrize("password", ["a\0b", "\ud83d"])
def test_passwords_without_an_encoding_are_refused(small_bundle, password):
    """A NUL cuts the password off in C programs; half a surrogate pair has no UTF-8. The text is not in the error."""
    with pytest.raises(PasswordError) as caught:
        encode_pfx(small_bundle, password=password)
    assert password not in str(caught.value)


def test_certificates_alone(identity_and_path, quick):
    """Without a key there is one safe of certificates, no shrouded key and no localKeyID."""
    _, path = identity_and_path
    data = encode_pfx(Bundle.certificates_only(path), password=PASSWORD, profile=quick)
    decoded = decode_pfx(data, password=PASSWORD)
    assert decoded.certificates == path.with_anchor
    assert decoded.private_key is None
    assert decoded.certificate is None
    report = inspect_pfx(data, password=PASSWORD)
    assert [bag.type for safe in report.safe_contents for bag in safe.bags] == ["certBag"] * 6
    assert {bag.local_key_id for safe in report.safe_contents for bag in safe.bags} == {None}
    with pytest.raises(InputError, match="no private key"):
        _ = decoded.identity


@pytest.mark.parametrize("profile", profiles.PROFILES, ids=lambda profile: profile.name)
def test_pyca_reads_ours(bundle, profile):
    """pyca/cryptography finds the key, its certificate, the CAs in order, and the names."""
    password = PASSWORD if profile.takes_password else None
    data = encode_pfx(bundle, password=password, profile=profile)
    loaded = pkcs12.load_pkcs12(data, password and password.encode())
    assert private_bytes(loaded.key) == private_bytes(bundle.private_key)
    entries = [loaded.cert, *loaded.additional_certs]
    assert [entry.certificate.public_bytes(Encoding.DER) for entry in entries] == [
        certificate.der for certificate in bundle.certificates
    ]
    assert [entry.friendly_name.decode() for entry in entries] == list(bundle.aliases)


def pyca_encryptions():
    """Every protection that pyca's writer offers."""
    yield "none", NoEncryption()
    yield "best", BestAvailableEncryption(PASSWORD.encode())
    algorithms = [pkcs12.PBES.PBESv2SHA256AndAES256CBC, pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC]
    digests = [hashes.SHA1(), hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()]  # noqa: S303 -- old files have SHA-1
    for algorithm, digest in itertools.product(algorithms, digests):
        builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(50)
        builder = builder.key_cert_algorithm(algorithm).hmac_hash(digest)
        yield f"{algorithm.name}-{digest.name}", builder.build(PASSWORD.encode())


PYCA_ENCRYPTIONS = list(pyca_encryptions())


@pytest.mark.parametrize(("name", "encryption"), PYCA_ENCRYPTIONS, ids=[name for name, _ in PYCA_ENCRYPTIONS])
def test_we_read_pycas(bundle, name, encryption):
    """Every protection that pyca writes is read, names and order included."""
    own, *issuers = (load_der_x509_certificate(certificate.der) for certificate in bundle.certificates)
    entries = [pkcs12.PKCS12Certificate(issuer, b"issuer") for issuer in issuers]
    data = pkcs12.serialize_key_and_certificates(b"own", bundle.private_key, own, entries, encryption)
    decoded = decode_pfx(data, password=None if name == "none" else PASSWORD)
    assert private_bytes(decoded.private_key) == private_bytes(bundle.private_key)
    assert decoded.certificates == bundle.certificates
    assert decoded.friendly_name == "own"
    assert decoded.friendly_names == ("own", *["issuer"] * 5)


@pytest.mark.filterwarnings("ignore:PKCS#12 bundle could not be parsed as DER")  # pyca's word on no-password.p12
@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.p12")), ids=lambda path: path.name)
def test_pyca_vectors(path):
    """Every PKCS#12 file of cryptography_vectors opens, with the same key and certificates that pyca sees."""
    data = path.read_bytes()
    password = next(word for word in (None, "password", "cryptography") if _pyca_opens(data, word))
    loaded = pkcs12.load_pkcs12(data, None if password is None else password.encode())
    decoded = decode_pfx(data, password=password)
    assert (decoded.private_key is None) == (loaded.key is None)
    if loaded.key is not None:
        assert private_bytes(decoded.private_key) == private_bytes(loaded.key)
    assert (decoded.certificate is None) == (loaded.cert is None)
    entries = ([loaded.cert] if loaded.cert else []) + loaded.additional_certs
    assert {entry.certificate.public_bytes(Encoding.DER) for entry in entries} == {
        certificate.der for certificate in decoded.certificates
    }
    names = {entry.friendly_name.decode() for entry in entries if entry.friendly_name}
    assert names >= {name for name in decoded.friendly_names if name}


def _pyca_opens(data, password):
    try:
        pkcs12.load_pkcs12(data, None if password is None else password.encode())
    except ValueError:
        return False
    return True


def test_no_password_in_either_encoding(small_bundle, quick):
    """Writers encode 'no password' as no byte or as a bare terminator (RFC 7292 appendix B.1); both are tried."""
    data = encode_pfx(small_bundle, password="", profile=quick)
    for password in (None, ""):
        assert decode_pfx(data, password=password).private_key is not None
    with pytest.raises(PfxPasswordError, match="none was given"):
        decode_pfx(encode_pfx(small_bundle, password=PASSWORD, profile=quick), password=None)


def test_same_random_bytes_same_file(bundle, quick):
    """Deterministic under injected randomness, and different salts for each use."""

    def counting():
        numbers = itertools.count()
        drawn.clear()

        def draw(length):
            drawn.append(next(numbers).to_bytes(length, "big"))
            return drawn[-1]

        return draw

    drawn: list[bytes] = []
    first = encode_pfx(bundle, password=PASSWORD, profile=quick, random_bytes=counting())
    assert [len(draw) for draw in drawn] == [16, 16, 16, 16, 8]  # salt and IV twice, the MAC's salt
    assert first == encode_pfx(bundle, password=PASSWORD, profile=quick, random_bytes=counting())
    assert first != encode_pfx(bundle, password=PASSWORD, profile=quick, random_bytes=os.urandom)


def test_profile_beyond_what_we_read_is_not_written(small_bundle):
    """This library does not write a file that it would refuse to read by default."""
    with pytest.raises(LimitExceededError, match="pfx_iterations"):
        encode_pfx(small_bundle, password=PASSWORD, profile=replace(profiles.MODERN, encryption_iterations=10**7))


def test_local_key_id_on_key_and_end_entity_alone(bundle, quick):
    """Decision 9: localKeyID on the key and its certificate only, and it is the same."""
    report = inspect_pfx(encode_pfx(bundle, password=PASSWORD, profile=quick), password=PASSWORD)
    certificates, key = (safe.bags for safe in report.safe_contents)
    assert certificates[0].local_key_id == key[0].local_key_id is not None
    assert {bag.local_key_id for bag in certificates[1:]} == {None}


def test_several_keys_are_not_chosen_among(keys, quick):
    """Which of several keys is meant the file does not say; none is taken by chance, the certificates are read."""
    from asn1crypto import pkcs12 as asn1_pkcs12

    safes = []
    for kind in ("ec", "ed25519"):
        bundle = Bundle(private_key=keys[kind], certificates=(issue(kind, keys[kind], "CA", keys["ec"]),))
        pfx = asn1_pkcs12.Pfx.load(encode_pfx(bundle, password=PASSWORD, profile=quick))
        safes.extend(pfx.authenticated_safe)
    content = asn1_pkcs12.AuthenticatedSafe(safes).dump()
    data = asn1_pkcs12.Pfx({"version": "v3", "auth_safe": {"content_type": "data", "content": content}}).dump()
    decoded = decode_pfx(data, password=PASSWORD)
    assert len(decoded.private_keys) == len(decoded.certificates) == 2
    assert decoded.certificate is None
    with pytest.raises(UnsupportedPfxError, match="2 private keys"):
        _ = decoded.private_key


def test_nothing_secret_in_any_repr(bundle, quick):
    """Neither keys nor passwords appear in the repr of a value that has them."""
    data = encode_pfx(bundle, password=PASSWORD, profile=quick)
    decoded = decode_pfx(data, password=PASSWORD)
    report = inspect_pfx(data, password=PASSWORD)
    for value in (bundle, decoded, report, encode_password(PASSWORD), report.to_json()):
        text = repr(value)
        assert "PrivateKey" not in text
        assert PASSWORD not in text
        assert repr(PASSWORD.encode("utf-16-be"))[2:20] not in text
