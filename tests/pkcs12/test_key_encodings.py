"""Private keys in PKCS#8 of both versions (RFC 5958) and EC keys (RFC 5915), with public keys that have to agree."""

from __future__ import annotations

import subprocess
from itertools import product

import pytest
from asn1crypto import core, parser
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from pkcs12kit.errors import InputError, MalformedPfxError, UnsupportedPfxError
from pkcs12kit.findings import Answer
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.conversion import convert_pfx
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.key_encodings import UnknownKeyError, UnusableKeyError, parts_of
from pkcs12kit.pkcs12.private_keys import UnreadableKeyError, cost_of_key, load_private_key, portable_key_info
from pkcs12kit.sources.keys import read_private_key

from .conftest import PASSWORD
from .pfx_parts import bag_of, der, in_version_2, oid, pkcs8, plain_safe, public_bits, with_mac

KEYS = {
    "RSA": (rsa.generate_private_key(65537, 1024), rsa.generate_private_key(65537, 1024)),  # noqa: S505 - quick to make
    "DSA": (dsa.generate_private_key(1024), dsa.generate_private_key(1024)),  # noqa: S505 - the same
    "EC": (ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())),
    "Ed25519": (ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()),
    "Ed448": (ed448.Ed448PrivateKey.generate(), ed448.Ed448PrivateKey.generate()),
    "X25519": (x25519.X25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()),
    "ML-DSA": (mldsa.MLDSA44PrivateKey.generate(), mldsa.MLDSA44PrivateKey.generate()),
}
ATTRIBUTES = der(0xA0, der(0x30, oid("1.2.840.113549.1.9.20") + der(0x31, core.BMPString("x").dump())))
PUBLIC_KEYS = {
    "none": lambda _: b"",
    "implicit": lambda bits: der(0x81, bits),
    "explicit": lambda bits: der(0xA1, der(0x03, bits)),
    "octets": lambda bits: der(0x81, bits[1:]),
    "explicit octets": lambda bits: der(0xA1, der(0x04, bits[1:])),
}


def load(data):
    """Load a key as the package does."""
    return load_private_key(data, WorkBudget(DEFAULT_LIMITS))


@pytest.mark.parametrize("name", KEYS)
def test_version_2_is_read_and_its_public_key_has_to_agree(name):
    """RFC 5958 section 2: with the number of version 1 or 2, attributes or not, and the public key in any form."""
    key, other = KEYS[name]
    for form, version, attributes in product(PUBLIC_KEYS, (0, 1), (b"", ATTRIBUTES)):
        options = {"version": version, "attributes": attributes}
        own = in_version_2(key, PUBLIC_KEYS[form](public_bits(key)), **options)
        assert pkcs8(load(own)) == pkcs8(key), (form, options)
        if form != "none":
            with pytest.raises(UnusableKeyError, match=r"public key, which is stored with it, is not its own"):
                load(in_version_2(key, PUBLIC_KEYS[form](public_bits(other)), **options))


def test_every_changed_bit_of_a_public_key_is_refused():
    """An Ed25519 key is accepted with its own public key only (RFC 8410 section 7)."""
    key, _ = KEYS["Ed25519"]
    bits = public_bits(key)
    for position in range(8, 8 * len(bits)):
        changed = bytearray(bits)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(UnusableKeyError, match="not its own"):
            load(in_version_2(key, der(0x81, bytes(changed))))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"version": 2}, "unknown version of PKCS#8"),
        ({"public_key": der(0x82, b"")}, "a field that PKCS#8 does not have"),
        ({"public_key": 2 * der(0x81, b"")}, "a field that PKCS#8 does not have"),
        ({"public_key": der(0x04, b"")}, "a field that PKCS#8 does not have"),
        ({"public_key": der(0x81, b"")}, "not its own"),
        ({"public_key": der(0xA1, b"")}, "not its own"),
        ({"public_key": der(0xA1, 2 * der(0x03, b"\0"))}, "not its own"),
    ],
)
def test_what_version_2_does_not_have_is_refused(fields, reason):
    """RFC 5958 section 2: versions 0 and 1, attributes [0] and publicKey [1], each once."""
    with pytest.raises(UnusableKeyError, match=reason):
        load(in_version_2(KEYS["Ed25519"][0], **fields))


def test_a_compressed_point_is_compared_as_a_key():
    """RFC 5480 section 2.2: the two encodings of a point are the same public key."""
    key, other = KEYS["EC"]
    point, others = (
        b"\0" + one.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint) for one in (key, other)
    )
    assert pkcs8(load(in_version_2(key, der(0x81, point)))) == pkcs8(key)
    with pytest.raises(UnusableKeyError, match="not its own"):
        load(in_version_2(key, der(0x81, others)))


def test_the_same_within_a_file():
    """In a PKCS#12 file the reason is given as well, and never the password."""
    key, other = KEYS["Ed25519"]
    own, foreign = (
        with_mac([plain_safe(bag_of(1, in_version_2(key, der(0x81, public_bits(one)))))]) for one in (key, other)
    )
    assert pkcs8(decode_pfx(own, password=PASSWORD).keys[0].private_key) == pkcs8(key)
    decoded = decode_pfx(foreign, password=PASSWORD)
    with pytest.raises(MalformedPfxError, match=r"holds a private key whose public key, .* is not its own") as raised:
        _ = decoded.private_key
    assert "password" not in str(raised.value)


def test_indefinite_lengths_are_read():
    """X.690 section 8.1.3.6: BER, in both versions; cut short or with more it is refused."""
    key, _ = KEYS["Ed25519"]
    version, algorithm, private = parts_of(pkcs8(key))
    octets = b"\x24\x80" + private.contents.join((b"\x04" + bytes([len(private.contents)]), b"\0\0"))
    for public_key in (b"", der(0x81, public_bits(key))):
        data = b"\x30\x80" + version.encoding + algorithm.encoding + octets + public_key + b"\0\0"
        assert pkcs8(load(data)) == pkcs8(key)
        for damaged in (data[:-1], data + b"\0", data[:40], b"\x30\x80"):
            with pytest.raises(UnreadableKeyError):
                load(damaged)


def test_a_conversion_writes_version_1():
    """OpenSSL 3 does not read version 2; so ``convert`` writes version 1, with the attributes of the key."""
    key, _ = KEYS["Ed25519"]
    data = with_mac([plain_safe(bag_of(1, in_version_2(key, attributes=ATTRIBUTES)))])
    report = inspect_pfx(data, password=PASSWORD)
    assert any("PKCS#8 version 2" in note for note in report.notes)
    assert report.readers["openssl-3"].answer is Answer.NO
    assert report.readers["java-17"].answer is not Answer.YES
    converted = convert_pfx(data, password=PASSWORD, new_password=PASSWORD, profile=profiles.LEGACY_3DES)
    (found,) = decode_pfx(converted, password=PASSWORD).keys
    assert found.private_key_info == in_version_2(key, b"", version=0, attributes=ATTRIBUTES)
    assert inspect_pfx(converted, password=PASSWORD).notes == ()
    assert portable_key_info(pkcs8(key), key) == pkcs8(key)
    assert portable_key_info(b"no key", key) == b"no key"


def ec_key(key, *, parameters=None, public_key=None, within=True):
    """Return an ECPrivateKey (RFC 5915 section 3) with these optional fields, in PKCS#8 or not."""
    _, algorithm, private = parts_of(pkcs8(key))
    version, octets = parts_of(private.contents)[:2]
    own = der(0x30, version.encoding + octets.encoding + (parameters or b"") + (public_key or b""))
    return der(0x30, b"\x02\x01\x00" + algorithm.encoding + der(0x04, own)) if within else own


P256, P384, SECT163K1 = (der(0xA0, oid(curve)) for curve in ("1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.1"))


@pytest.mark.parametrize("within", [True, False])
def test_optional_fields_of_an_ec_key(within):
    """RFC 5915 section 3: parameters and publicKey are optional, and the public key has to be the key's own."""
    key, other = KEYS["EC"]
    own, foreign = (der(0xA1, der(0x03, public_bits(one))) for one in (key, other))
    for parameters, public_key in product((P256, b"") if within else (P256,), (own, b"")):
        data = ec_key(key, parameters=parameters, public_key=public_key, within=within)
        assert pkcs8(load(data)) == pkcs8(key)
    for public_key in (foreign, der(0xA1, der(0x03, b"\0")), der(0xA1, der(0x03, b"\0\4" + bytes(64)))):
        with pytest.raises(UnusableKeyError, match=r"is not its own \(RFC 5915"):
            load(ec_key(key, parameters=P256, public_key=public_key, within=within))


@pytest.mark.parametrize(
    ("fields", "error", "reason"),
    [
        ({"parameters": P384}, UnusableKeyError, "states two elliptic curves"),
        ({"within": False}, UnusableKeyError, "does not state its elliptic curve"),
        ({"parameters": SECT163K1, "within": False}, UnknownKeyError, r"curve sect163k1 \(1\.3\.132\.0\.1\)"),
    ],
)
def test_the_curve_of_an_ec_key(fields, error, reason):
    """RFC 5915 section 3: the curve has to be stated once, or twice alike, and it has to be one that is supported."""
    with pytest.raises(error, match=reason):
        load(ec_key(KEYS["EC"][0], **fields))


@pytest.mark.parametrize("curve", ["secp256k1", "secp160r1", "sect233r1", "brainpoolP256t1"])
@pytest.mark.parametrize("layout", ["SEC 1", "PKCS#8"])
def test_explicit_parameters_are_named(require_tool, curve, layout):
    """RFC 5480 section 2.1.1: keys of OpenSSL whose curve is written out have no name that could be shown."""
    command = [require_tool("openssl"), "ecparam", "-name", curve, "-genkey", "-noout", "-outform", "DER"]
    data = subprocess.run([*command, "-param_enc", "explicit"], capture_output=True, check=True, timeout=60).stdout
    if layout == "PKCS#8":
        command = [require_tool("openssl"), "pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-outform", "DER"]
        data = subprocess.run(command, input=data, capture_output=True, check=True, timeout=60).stdout
    with pytest.raises(InputError, match=r"^server\.key: .* explicit parameters instead of a name"):
        read_private_key(data, name="server.key", password=None, limits=DEFAULT_LIMITS)


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [
        ("1.2.643.7.1.1.1.1", "GOST R 34.10-2012 with 256 bits"),
        ("1.2.156.10197.1.301", "SM2"),
        ("2.16.840.1.101.3.4.3.20", "SLH-DSA-SHA2-128s"),
        ("1.2.3.4", ""),
    ],
)
def test_unknown_algorithms_are_named(algorithm, name):
    """The message has the name and the identifier, in a key file and in a PKCS#12 file."""
    data = der(0x30, b"\x02\x01\x00" + der(0x30, oid(algorithm)) + der(0x04, bytes(32)))
    sentence = rf"a private key of the algorithm {name}.*{algorithm}.*, which is not supported"
    with pytest.raises(InputError, match=rf"^server\.key: {sentence}"):
        read_private_key(data, name="server.key", password=None, limits=DEFAULT_LIMITS)
    decoded = decode_pfx(with_mac([plain_safe(bag_of(1, data))]), password=PASSWORD)
    with pytest.raises(UnsupportedPfxError, match=sentence):
        _ = decoded.private_key


def test_a_key_for_key_agreement_is_named():
    """A server's key has to sign (RFC 8410 section 3: X25519 is for key agreement only)."""
    with pytest.raises(InputError, match=r"server\.key: a private key for key agreement \(X25519\), which cannot sign"):
        read_private_key(pkcs8(KEYS["X25519"][0]), name="server.key", password=None, limits=DEFAULT_LIMITS)


def test_the_cost_is_the_same_in_every_encoding():
    """The budget does not depend on the form: a hostile RSA key in version 2 costs what it costs in PKCS#1."""
    key = KEYS["RSA"][0]
    own = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    numbers = parts_of(own)
    assert cost_of_key(own) == 2 * 512**3
    algorithm = parts_of(pkcs8(key))[1].encoding
    long = der(0x30, b"".join(part.encoding for part in numbers[:4]) + 5 * core.Integer(2**9689 - 1).dump())
    for extra in (b"", ATTRIBUTES, der(0x81, b"\0"), der(0xA1, b"")):
        for version in (b"\0", b"\1"):
            data = der(0x30, der(0x02, version) + algorithm + der(0x04, long) + extra)
            assert cost_of_key(data) == cost_of_key(long) == 4 * 9689**3


def test_damaged_structures_are_not_split():
    """The parts are those of one SEQUENCE with definite lengths and nothing after it, or none."""
    data = pkcs8(KEYS["EC"][0])
    assert len(parts_of(data)) == 3
    for damaged in (b"", data[:-1], data + b"\0", b"\x30\x80" + data[2:], parser.emit(0, 1, 17, b""), b"\x1f\x81\x00"):
        assert parts_of(damaged) == []
