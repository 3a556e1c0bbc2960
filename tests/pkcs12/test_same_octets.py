"""Files are the same octets as ever for the same random octets, however their keys are derived."""

from datetime import UTC, datetime
from hashlib import sha256, shake_256

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from pkcs12kit import Bundle, Certificate, encode_pfx, profiles
from pkcs12kit.pkcs12.bags import certificate_bag
from pkcs12kit.pkcs12.encoder import PlainKey, PlainSecret, encode_contents
from pkcs12kit.pkcs12.private_keys import encode_private_key

PASSWORD = "naïve 密码 🔑"
ITERATIONS = 10_000
FILES = {
    "fips-2026": "554b7e1c805ac3c6a36d2c9de226f4491817810cb71cddf3ad314797ccfa6c1e",
    "modern-2023": "476b93a73390b2405886e998c3ab6c529e2756cccdf97adfc6f406b35a27f271",
    "legacy-3des": "c80fc4e1cfb5e87382d8de20457021a1f36cd3bc210ec72b4e942f96a7366f21",
    "legacy-rc2": "f9d4e91cfc6c7cb4fcbc256102bb64238564d8e86987cd73e328ed958ca0902c",
    "unencrypted-certificates-2023": "3f129899db03043e274078f5eb4e220f83f778caa13fb5c45c2d14055809bd34",
}
WITH_SECRETS = "38cf664cf816369fedb01da9741a9b0370d3cd6fe5d27814101747e41de8410f"


def drawn():
    """Give a source of random octets that are always the same ones."""
    drawings = []

    def draw(length):
        drawings.append(length)
        return shake_256(bytes([len(drawings)])).digest(length)

    return draw


@pytest.fixture(scope="module")
def bundle():
    """A key and its certificate. Ed25519 signs without randomness (RFC 8032)."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server.example")])
    builder = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key(), serial_number=7)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    )
    certificate = Certificate.from_der(builder.sign(key, None).public_bytes(Encoding.DER))
    return Bundle(private_key=key, certificates=(certificate,), friendly_name="server.example")


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_same_octets_as_ever(bundle, name):
    """Salts and IVs are drawn in one order, and the same keys come of them, side by side or not."""
    profile = profiles.find(name).with_iterations(encryption=ITERATIONS, mac=ITERATIONS)
    data = encode_pfx(bundle, password=PASSWORD, profile=profile, random_bytes=drawn())
    assert sha256(data).hexdigest() == FILES[name]


def test_many_keys_and_secrets_have_the_same_octets_as_ever(bundle):
    """Each key and secret has a salt of its own: those of the secrets are drawn first, that of the MAC last."""
    info = encode_private_key(bundle.private_key, bundle.certificates[0])
    keys = [PlainKey(private_key_info=info, friendly_name=f"key {number}", local_key_id=None) for number in range(3)]
    secret = PlainSecret(
        secret=core.OctetString(b"secret").dump(), value_type="1.2.840.113549.1.12.10.1.2", in_octets=True
    )
    bags = [secret, certificate_bag(bundle.certificates[0].der, friendly_name=None, local_key_id=None), secret]
    profile = profiles.MODERN.with_iterations(encryption=ITERATIONS, mac=ITERATIONS)
    data = encode_contents(bags, keys, password=PASSWORD, profile=profile, random_bytes=drawn())
    assert sha256(data).hexdigest() == WITH_SECRETS
