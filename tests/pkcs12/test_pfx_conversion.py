"""A conversion changes only the protection and the password; the PEM is what servers read."""

from __future__ import annotations

import itertools
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import cryptography_vectors
import pytest
from asn1crypto import keys as asn1_keys
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509 import load_pem_x509_certificates

from pkcs12kit.errors import InputError, PasswordError, PfxPasswordError
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.bundle import Bundle
from pkcs12kit.pkcs12.compatibility import of_profile
from pkcs12kit.pkcs12.conversion import convert_pfx, encode_pem
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.encoder import encode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx

from ..thoroughness import mostly_slow
from .conftest import PASSWORD, issue
from .pfx_parts import attribute, bag_of, bags_of, der, oid, plain_safe, safe_by, with_mac

VECTORS = Path(cryptography_vectors.__file__).parent / "pkcs12"
AES = profiles.MODERN_2023.certificate_encryption
MICROSOFT_KEY_PROVIDER = "1.3.6.1.4.1.311.17.1"


def pkcs8(key):
    """A private key as PKCS#8."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def contents(data, password, **passwords):
    """List all that a file holds, as values that can be compared."""
    decoded = decode_pfx(data, password=password, **passwords)
    return {
        "keys": [(pkcs8(it.private_key), it.friendly_name, it.local_key_id, it.attributes) for it in decoded.keys],
        "certificates": [
            *zip(
                (it.der for it in decoded.certificates),
                decoded.friendly_names,
                decoded.local_key_ids,
                map(sorted, decoded.certificate_attributes),
                strict=True,
            )
        ],
        "others": [
            (it.type, it.value_type, it.friendly_name, it.local_key_id, it.attributes, it.value)
            for it in decoded.other_bags
        ],
        "rejects": len(decoded.rejects),
    }


def few(profile):
    """A profile with as few iterations as it allows."""
    if not profile.takes_password:
        return profile
    return profile.with_iterations(encryption=profile.minimum_iterations, mac=profile.minimum_iterations)


@pytest.fixture(scope="session")
def everything(keys):
    """A file of another program: two keys, certificates out of order, a CRL, a secret, an unknown bag, attributes.

    One certBag does not hold a certificate; the attributes are of types that we never write.
    """
    certificates = [issue(name, keys["ec"], name, keys["ec"]) for name in ("one", "two")]
    provider = attribute(MICROSOFT_KEY_PROVIDER, der(0x1E, "Provider".encode("utf-16-be")))
    unknown = attribute("1.2.3.4.5", der(0x0C, b"one"), der(0x02, b"\x05"))
    name = attribute("1.2.840.113549.1.9.20", der(0x1E, "Übergabe".encode("utf-16-be")))
    its_id = attribute("1.2.840.113549.1.9.21", der(0x04, b"any id"))

    def certificate(encoded, *attributes):
        value = der(0x30, oid("1.2.840.113549.1.9.22.1") + der(0xA0, der(0x04, encoded)))
        return bag_of(3, value, *attributes)

    crl = der(0x30, oid("1.2.840.113549.1.9.23.1") + der(0xA0, der(0x04, b"no CRL, but who looks?")))
    secret = der(0x30, oid("1.2.3.4") + der(0xA0, der(0x04, b"a secret")))
    safe = safe_by(
        AES,
        PASSWORD,
        bags_of(
            certificate(certificates[1].der, unknown),
            certificate(b"\x30\x03\x02\x01\x01", name),
            bag_of(4, crl, name),
            certificate(certificates[0].der, its_id, name),
            bag_of(5, secret, its_id, provider),
            bag_of(1, pkcs8(keys["rsa"]), its_id, provider, name),
            bag_of(1, pkcs8(keys["ec"])),
            der(0x30, oid("1.2.3.4.5.6") + der(0xA0, der(0x04, b"nobody knows"))),
        ),
    )
    return with_mac([safe])


@pytest.mark.parametrize("profile", profiles.PROFILES, ids=lambda profile: profile.name)
def test_nothing_but_the_protection_changes(everything, profile):
    """Keys, certificates, CRLs, secrets, their order, names, IDs and attributes are the same; the protection is new."""
    profile = few(profile)
    new_password = "another one" if profile.takes_password else None
    given = {"password": PASSWORD, "new_password": new_password, "profile": profile}
    if profile is not profiles.NO_PASSWORD and profile.certificate_encryption is None:
        with pytest.raises(InputError, match="a secretBag, which would not be encrypted"):
            convert_pfx(everything, **given)
        return
    converted = convert_pfx(everything, **given)
    before = contents(everything, PASSWORD)
    assert contents(converted, new_password) == before
    assert (len(before["keys"]), len(before["certificates"]), len(before["others"]), before["rejects"]) == (2, 2, 3, 1)
    facts = inspect_pfx(converted, password=new_password).facts
    assert set(facts.protections) == set(of_profile(profile).protections)


@pytest.mark.parametrize("octets", [b"", b"not ASN.1", b"\x31\x00", b"\x30\x30cut short", b"\x1f" + b"\xff" * 40])
def test_a_certificate_that_is_not_one_is_kept(octets):
    """The OCTET STRING of a certBag may hold anything (RFC 7292 section 4.2.3); it is kept as it is, and a reject."""
    value = der(0x30, oid("1.2.840.113549.1.9.22.1") + der(0xA0, der(0x04, octets)))
    data = with_mac([safe_by(AES, PASSWORD, bags_of(bag_of(3, value)))])
    converted = convert_pfx(data, password=PASSWORD, new_password=None, profile=profiles.NO_PASSWORD)
    assert bag_of(3, value) in converted
    assert len(decode_pfx(converted, password=None).rejects) == 1


@pytest.mark.parametrize("source", profiles.PROFILES, ids=lambda profile: profile.name)
def test_there_and_back(bundle, source):
    """From each profile to the strongest and back gives what encoding gives, to the byte, with the same salts."""

    def counting():
        numbers = itertools.count()
        return lambda length: next(numbers).to_bytes(length, "big")

    source, other = few(source), few(profiles.FIPS_2026)
    password = PASSWORD if source.takes_password else None
    first = encode_pfx(bundle, password=password, profile=source, random_bytes=counting())
    middle = convert_pfx(first, password=password, new_password="between", profile=other)
    back = convert_pfx(middle, password="between", new_password=password, profile=source, random_bytes=counting())
    assert back == first
    with pytest.raises(PfxPasswordError):
        decode_pfx(middle, password=PASSWORD)


def test_attributes_of_a_bundle_are_kept(bundle):
    """Further attributes of a Bundle are in the file, and a conversion keeps them."""
    mark = attribute("1.2.3.4.5", der(0x0C, b"mark"))
    marked = replace(
        bundle, certificate_attributes=[[mark], *[[]] * (len(bundle.certificates) - 1)], key_attributes=[mark, mark[:]]
    )
    data = encode_pfx(marked, password=PASSWORD, profile=few(profiles.MODERN))
    converted = convert_pfx(data, password=PASSWORD, new_password="x", profile=few(profiles.LEGACY))
    decoded = decode_pfx(converted, password="x")
    assert decoded.certificate_attributes == ((mark,), *[()] * 5)
    assert decoded.keys[0].attributes == (mark, mark)
    with pytest.raises(ValueError, match="one for each certificate"):
        replace(bundle, certificate_attributes=[[mark]])


def test_pkcs8_attributes_are_kept(keys):
    """Microsoft writes a key usage into the PrivateKeyInfo itself (RFC 5958); pyca's loader drops it, we do not."""
    info = asn1_keys.PrivateKeyInfo.load(pkcs8(keys["rsa"]))
    usage = der(0xA0, attribute("2.5.29.15", der(0x03, b"\x00\x10")))
    body = info["version"].dump() + info["private_key_algorithm"].dump() + info["private_key"].dump() + usage
    data = with_mac([plain_safe(), safe_by(AES, PASSWORD, bags_of(bag_of(1, der(0x30, body))))])
    converted = convert_pfx(data, password=PASSWORD, new_password=None, profile=profiles.NO_PASSWORD)
    assert usage in converted


def test_two_passwords_become_one(bundle):
    """A file whose contents have another password than its MAC is opened with both, and written with one."""
    certificate = bundle.certificates[0].der
    value = der(0x30, oid("1.2.840.113549.1.9.22.1") + der(0xA0, der(0x04, certificate)))
    data = with_mac([safe_by(AES, "inside", bags_of(bag_of(3, value)))])
    converted = convert_pfx(
        data, password=PASSWORD, contents_password="inside", new_password="one", profile=few(profiles.MODERN)
    )
    assert [it.der for it in decode_pfx(converted, password="one").certificates] == [certificate]


@pytest.mark.filterwarnings("ignore:PKCS#12 bundle could not be parsed as DER")
@pytest.mark.parametrize("path", mostly_slow(sorted(VECTORS.glob("*.p12")), every=3), ids=lambda path: path.name)
def test_files_of_others(path):
    """Every PKCS#12 file of cryptography_vectors keeps its contents."""
    data = path.read_bytes()
    for password in (None, "password", "cryptography"):
        try:
            before = contents(data, password)
        except PfxPasswordError:
            continue
        break
    converted = convert_pfx(data, password=password, new_password="new", profile=few(profiles.MODERN))
    assert contents(converted, "new") == before


def test_wrong_passwords(bundle):
    """A file that does not open is not converted, and an encoding that protects nothing is not used as a password."""
    data = encode_pfx(bundle, password=PASSWORD, profile=few(profiles.MODERN))
    with pytest.raises(PfxPasswordError):
        convert_pfx(data, password="wrong", new_password="new")
    with pytest.raises(PasswordError, match="protects nothing"):
        convert_pfx(data, password=PASSWORD, new_password="new", profile=profiles.NO_PASSWORD)
    with pytest.raises(PasswordError, match="none was given"):
        convert_pfx(data, password=PASSWORD, new_password=None)


class TestPem:
    """A key and its chain, in the order that TLS asks for."""

    @pytest.mark.parametrize("kind", ["rsa", "ec", "ed25519"])
    def test_key_and_chain(self, keys, identity_and_path, kind):
        """PKCS#8, then the end-entity, then each issuer; the key is the same."""
        _, path = identity_and_path
        own = issue("host", keys[kind], "Issuing CA", keys["ec"], ca=False)
        bundle = Bundle(private_key=keys[kind], certificates=(own, *path.certificates[1:]))
        data = encode_pfx(bundle, password=PASSWORD, profile=few(profiles.MODERN))
        pem = encode_pem(decode_pfx(data, password=PASSWORD))
        assert re.findall(rb"-----BEGIN ([A-Z ]+)-----", pem) == [b"PRIVATE KEY", *[b"CERTIFICATE"] * 5]
        assert pkcs8(load_pem_private_key(pem, None)) == pkcs8(keys[kind])
        written = [it.public_bytes(Encoding.DER) for it in load_pem_x509_certificates(pem)]
        assert written == [it.der for it in bundle.certificates]

    def test_order_of_the_chain(self, bundle):
        """RFC 8446 section 4.4.2: each certificate certifies the one before it, for any order in the file."""
        expected = [it.der for it in bundle.certificates]
        own, *issuers = bundle.certificates
        turned = replace(bundle, certificates=(own, *reversed(issuers)))
        pem = encode_pem(decode_pfx(encode_pfx(turned, password="x", profile=few(profiles.MODERN)), password="x"))
        assert [it.public_bytes(Encoding.DER) for it in load_pem_x509_certificates(pem)] == expected

    def test_one_of_several_keys(self, keys):
        """Of several keys none is chosen without a name."""
        safes = []
        for kind in ("ec", "ed25519"):
            own = issue(kind, keys[kind], kind, keys["ec"])
            value = der(0x30, oid("1.2.840.113549.1.9.22.1") + der(0xA0, der(0x04, own.der)))
            name = attribute("1.2.840.113549.1.9.20", der(0x1E, kind.encode("utf-16-be")))
            safes.append(safe_by(AES, PASSWORD, bags_of(bag_of(3, value), bag_of(1, pkcs8(keys[kind]), name))))
        decoded = decode_pfx(with_mac(safes), password=PASSWORD)
        with pytest.raises(InputError, match="2 private keys"):
            encode_pem(decoded)
        assert pkcs8(load_pem_private_key(encode_pem(decoded, friendly_name="ed25519"), None)) == pkcs8(keys["ed25519"])
        with pytest.raises(InputError, match="no private key"):
            encode_pem(decoded, friendly_name="third")

    def test_two_files(self, bundle):
        """The key file and the certificate file together equal the single file; both cannot be left out."""
        decoded = decode_pfx(encode_pfx(bundle, password="x", profile=few(profiles.MODERN)), password="x")
        key, certificates = encode_pem(decoded, key_only=True), encode_pem(decoded, certs_only=True)
        assert key + certificates == encode_pem(decoded)
        assert re.findall(rb"-----BEGIN ([A-Z ]+)-----", key) == [b"PRIVATE KEY"]
        assert b"PRIVATE KEY" not in certificates
        with pytest.raises(TypeError, match="not both"):
            encode_pem(decoded, certs_only=True, key_only=True)

    def test_certificates_of_a_file_without_key(self, identity_and_path):
        """Every one in file order, whether it is in a chain or not; none at all is refused."""
        certificates = identity_and_path[1].certificates
        alone = Bundle(private_key=None, certificates=certificates[::-2])
        data = encode_pfx(alone, password=None, profile=profiles.NO_PASSWORD)
        pem = encode_pem(decode_pfx(data, password=None), certs_only=True)
        assert [it.public_bytes(Encoding.DER) for it in load_pem_x509_certificates(pem)] == [
            it.der for it in certificates[::-2]
        ]
        empty = with_mac([safe_by(AES, PASSWORD, bags_of())])
        with pytest.raises(InputError, match="holds no certificate"):
            encode_pem(decode_pfx(empty, password=PASSWORD), certs_only=True)

    def test_without_key_or_certificate(self, identity_and_path, keys):
        """A file with nothing that a server could use is refused."""
        alone = encode_pfx(Bundle.certificates_only(identity_and_path[1]), password=None, profile=profiles.NO_PASSWORD)
        with pytest.raises(InputError, match="no private key"):
            encode_pem(decode_pfx(alone, password=None))
        bare = with_mac([safe_by(AES, PASSWORD, bags_of(bag_of(1, pkcs8(keys["ec"]))))])
        with pytest.raises(InputError, match="no certificate for its private key"):
            encode_pem(decode_pfx(bare, password=PASSWORD))


@pytest.mark.parametrize("program", ["openssl", "keytool", "pk12util", "certtool"])
def test_other_programs_read_what_was_converted(bundle, program, list_certificates, password_file, tmp_path):
    """RC2-40 to AES: OpenSSL without -legacy, and the others, list the same certificates in order."""
    old = encode_pfx(bundle, password="old", profile=profiles.LEGACY_RC2)
    file = tmp_path / "converted.p12"
    file.write_bytes(convert_pfx(old, password="old", new_password=PASSWORD, profile=profiles.MODERN))
    names = [certificate.subject.common_name for certificate in bundle.certificates]
    listed = "\n".join(list_certificates(program, file, password_file))
    assert sorted(names, key=listed.index) == names


def test_openssl_takes_the_pem(bundle, require_tool, tmp_path):
    """``openssl x509`` and ``openssl pkey`` read certificate and key from the one file, and they belong together."""
    file = tmp_path / "server.pem"
    file.write_bytes(
        encode_pem(decode_pfx(encode_pfx(bundle, password="x", profile=few(profiles.MODERN)), password="x"))
    )
    shown = [
        subprocess.run([require_tool("openssl"), *command, "-in", file], capture_output=True, check=True).stdout
        for command in (["x509", "-noout", "-pubkey"], ["pkey", "-pubout"])
    ]
    assert shown[0] == shown[1]


def test_converting_is_random(bundle):
    """Each conversion has new salts and IVs."""
    data = encode_pfx(bundle, password="x", profile=few(profiles.MODERN))
    given = {"password": "x", "new_password": "x", "profile": few(profiles.MODERN)}
    assert convert_pfx(data, **given) != convert_pfx(data, **given)
    assert convert_pfx(data, **given, random_bytes=bytes) == convert_pfx(data, **given, random_bytes=bytes)
