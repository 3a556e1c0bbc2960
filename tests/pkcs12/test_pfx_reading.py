"""Reading what real programs write: BER, rare encodings of passwords, two passwords, several keys, other bags."""

from __future__ import annotations

import pytest
from asn1crypto import cms, core
from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.errors import InputError, MalformedPfxError, PfxPasswordError, UnsupportedPfxError
from pkcs12kit.pkcs12 import algorithms as ciphers
from pkcs12kit.pkcs12.bags import certificate_bag, key_bag
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.encoder import encode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.passwords import ABSENT, encode_password
from pkcs12kit.pkcs12.protection import Scheme

from .conftest import PASSWORD, issue
from .pfx_parts import (
    attribute,
    bag_of,
    bags_of,
    contents_of,
    der,
    encrypted_safe,
    explicit,
    make_pfx,
    octets_password,
    oid,
    pieces,
    plain_safe,
    safe_by,
    with_mac,
)

AES = Scheme(algorithm="PBES2", cipher="AES-128-CBC", digest="SHA-256")
TRIPLE_DES = Scheme(algorithm="pbeWithSHAAnd3-KeyTripleDES-CBC")
NON_ASCII = "pässwörd"


@pytest.fixture(scope="module")
def certificate(small_bundle):
    """The certificate that the files here hold."""
    return small_bundle.certificates[0]


@pytest.fixture(scope="module")
def contents(certificate):
    """Encoded SafeContents with it."""
    return bags_of(certificate_bag(certificate.der, friendly_name="naïve"))


@pytest.fixture(scope="module")
def small(small_bundle, quick):
    """The bytes of a PFX with a key and one certificate."""
    return encode_pfx(small_bundle, password=PASSWORD, profile=quick)


def private_key_info(key):
    """Encode a private key, PKCS#8."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


UTF_16, UTF_8 = NON_ASCII.encode("utf-16-be"), NON_ASCII.encode()
ENCODINGS = [
    (TRIPLE_DES, "UTF-16BE with terminator", UTF_16 + b"\0\0"),
    (TRIPLE_DES, "UTF-16BE without terminator", UTF_16),
    (TRIPLE_DES, "UTF-8", UTF_8),
    (TRIPLE_DES, "Latin-1", NON_ASCII.encode("latin-1")),
    (
        TRIPLE_DES,
        "UTF-8 octets as UTF-16BE with terminator",
        UTF_8.decode("latin-1").encode("utf-16-be") + b"\0\0",
    ),
    (AES, "UTF-8", UTF_8),
    (AES, "Latin-1", NON_ASCII.encode("latin-1")),
    (AES, "UTF-16BE with terminator", UTF_16 + b"\0\0"),
    # to HMAC a short key with zeros at its end is the same key (RFC 2104 section 2); to a long one it is not
    (AES, "UTF-16BE with terminator", UTF_16),
]


@pytest.mark.parametrize(("scheme", "encoding", "octets"), ENCODINGS)
@pytest.mark.parametrize("with_a_mac", [True, False])
def test_encodings_of_passwords(certificate, contents, scheme, encoding, octets, with_a_mac):
    """RFC 7292 appendix B.1 has UTF-16BE with a terminator, RFC 8018 section 3 suggests UTF-8; others are found out."""
    password = octets_password(octets)
    safe = safe_by(scheme, password, contents)
    data = with_mac([safe], password=password) if with_a_mac else make_pfx([safe])
    decoded = decode_pfx(data, password=NON_ASCII)
    assert decoded.certificates == (certificate,)
    assert decoded.password_uses[-1].encoding == encoding
    assert [use.part for use in decoded.password_uses] == (["MAC"] if with_a_mac else []) + ["contents"]
    assert inspect_pfx(data, password=NON_ASCII).password_uses == decoded.password_uses
    with pytest.raises(PfxPasswordError):
        decode_pfx(data, password=NON_ASCII + "x")


@pytest.mark.parametrize("algorithm", ["HMAC", "PBMAC1"])
@pytest.mark.parametrize("octets", [UTF_16, NON_ASCII.encode("latin-1")])
def test_encoding_of_the_mac(contents, algorithm, octets):
    """The MAC's password may be encoded otherwise than that of the contents: each is found out, and reported."""
    data = with_mac([safe_by(AES, NON_ASCII, contents)], password=octets_password(octets), algorithm=algorithm)
    mac, rest = decode_pfx(data, password=NON_ASCII).password_uses
    assert mac.encoding in {"UTF-16BE without terminator", "UTF-16BE with terminator", "Latin-1"}
    assert rest.encoding == "UTF-8"


def test_long_password_of_another_encoding(certificate, contents):
    """Beyond the block of HMAC (64 octets for SHA-256) the terminator makes another key, and both are tried."""
    password = NON_ASCII * 5
    for octets in (password.encode("utf-16-be"), password.encode("utf-16-be") + b"\0\0"):
        data = make_pfx([safe_by(AES, octets_password(octets), contents)])
        assert decode_pfx(data, password=password).certificates == (certificate,)


@pytest.mark.parametrize("password", [None, ""])
@pytest.mark.parametrize(("encoded", "name"), [(ABSENT, "absent"), (encode_password(""), "empty")])
def test_empty_and_absent(certificate, contents, password, encoded, name):
    """No password is no octet or a lone terminator (RFC 7292 appendix B.1); both are tried for None and for ''."""
    data = with_mac([safe_by(TRIPLE_DES, encoded, contents)], password=encoded)
    decoded = decode_pfx(data, password=password)
    assert decoded.certificates == (certificate,)
    assert {use.encoding for use in decoded.password_uses} == {name}
    unauthenticated = make_pfx([safe_by(TRIPLE_DES, encoded, contents)])
    assert decode_pfx(unauthenticated, password=password).certificates == (certificate,)


def test_zero_length_salts(certificate, contents):
    """An empty salt for the contents and for the MAC is read as one."""
    safe = safe_by(TRIPLE_DES, PASSWORD, contents, salt_length=0)
    data = with_mac([safe, safe_by(AES, PASSWORD, contents, salt_length=0)], salt_length=0)
    assert decode_pfx(data, password=PASSWORD).certificates == (certificate, certificate)
    assert inspect_pfx(data).mac.salt == b""


def test_missing_salts(certificate, contents):
    """A missing salt is used as an empty one, in every place that has a salt."""
    safes = []
    for scheme in (TRIPLE_DES, AES):
        safe = safe_by(scheme, PASSWORD, contents, salt_length=0)
        parameters = cms.ContentInfo.load(safe)["content"]["encrypted_content_info"]
        identifier = parameters["content_encryption_algorithm"].dump()
        assert identifier.count(b"\x04\x00") == 1
        safes.append(encrypted_safe(without(identifier, b"\x04\x00"), parameters["encrypted_content"].native))
    data = with_mac(safes, salt_length=0)
    mac_data = asn1_pkcs12.Pfx.load(data)["mac_data"].dump()
    missing = make_pfx(safes, without(mac_data, b"\x04\x00"))
    assert decode_pfx(missing, password=PASSWORD).certificates == (certificate, certificate)


def without(encoding, part):
    """Return the encoding without one element, with correct lengths around it."""

    def rebuilt(data):
        tag, length = data[0], data[1]
        header = 2 if length < 128 else 2 + (length & 0x7F)
        body, rest = data[header:], b""
        if tag & 0x20:
            while body:
                size = element_length(body)
                rest += b"" if body[:size] == part else rebuilt(body[:size])
                body = body[size:]
            return der(tag, rest)
        return data

    def element_length(data):
        length = data[1]
        if length < 128:
            return 2 + length
        octets = length & 0x7F
        return 2 + octets + int.from_bytes(data[2 : 2 + octets])

    return rebuilt(encoding)


def scrypt_safe(plaintext, *, n=16, r=8, p=1, password=PASSWORD):
    """Encrypt SafeContents by PBES2 with scrypt (RFC 7914 section 7.1)."""
    key = Scrypt(salt=b"saltsalt", length=32, n=n, r=r, p=p).derive(password.encode())
    return scrypt_identifier(ciphers.encrypt("AES-256-CBC", key, bytes(16), plaintext), n=n, r=r, p=p)


def scrypt_identifier(ciphertext, *, n, r, p):
    """Return the safe with this algorithm identifier."""
    parameters = der(0x30, der(0x04, b"saltsalt") + b"".join(core.Integer(cost).dump() for cost in (n, r, p)))
    kdf = der(0x30, oid("1.3.6.1.4.1.11591.4.11") + parameters)
    cipher = der(0x30, oid("2.16.840.1.101.3.4.1.42") + der(0x04, bytes(16)))
    return encrypted_safe(der(0x30, oid("1.2.840.113549.1.5.13") + der(0x30, kdf + cipher)), ciphertext)


def test_scrypt(certificate, contents):
    """PBES2 with scrypt is read; its cost is in the report."""
    data = with_mac([scrypt_safe(contents)])
    assert decode_pfx(data, password=PASSWORD).certificates == (certificate,)
    described = inspect_pfx(data).to_json()["safe_contents"][0]["encryption"]
    assert (described["kdf"], described["scrypt"]) == ("scrypt", {"n": 16, "r": 8, "p": 1})


@pytest.mark.parametrize(("n", "r", "p"), [(0, 8, 1), (-16, 8, 1), (17, 8, 1), (16, 0, 1), (16, 8, 0)])
def test_scrypt_without_meaning(n, r, p):
    """RFC 7914 section 2: N is a power of 2 above 1, r and p are positive."""
    with pytest.raises(MalformedPfxError, match="scrypt"):
        decode_pfx(make_pfx([scrypt_identifier(bytes(32), n=n, r=r, p=p)]), password=PASSWORD)


@pytest.mark.parametrize("digest", ["SHA-1", "SHA-256", "SHA-512", "SHA-512/256", "SHA3-256"])
@pytest.mark.parametrize("prf", ["SHA-1", "SHA-256", "SHA-512"])
def test_pbmac1(contents, digest, prf):
    """RFC 9879 section 4: HMAC and PBKDF2 may each have their own digest. pyca, that is OpenSSL, agrees elsewhere."""
    data = with_mac([safe_by(AES, PASSWORD, contents)], algorithm="PBMAC1", digest=digest, prf=prf)
    decoded = decode_pfx(data, password=PASSWORD)
    assert (decoded.mac.algorithm, decoded.mac.digest, decoded.mac.derivation.digest) == ("PBMAC1", digest, prf)
    with pytest.raises(PfxPasswordError):
        decode_pfx(data, password="wrong")


def test_pbmac1_that_is_wrong(contents):
    """RFC 9879 appendix A has three invalid files: another iteration count, another salt, no key length."""
    safes = [safe_by(AES, PASSWORD, contents)]
    mac_data = asn1_pkcs12.Pfx.load(with_mac(safes, algorithm="PBMAC1"))["mac_data"].dump()
    iterations_and_length, count = b"\x02\x01\x03\x02\x01\x20", b"\x02\x01\x03"
    assert mac_data.count(iterations_and_length) == 1
    position = mac_data.index(iterations_and_length)
    with pytest.raises(PfxPasswordError):  # iterations
        decode_pfx(
            make_pfx(safes, mac_data.replace(iterations_and_length, b"\x02\x01\x04\x02\x01\x20")), password=PASSWORD
        )
    salt = bytearray(mac_data)
    salt[position - 1] ^= 1
    with pytest.raises(PfxPasswordError):
        decode_pfx(make_pfx(safes, bytes(salt)), password=PASSWORD)
    with pytest.raises(PfxPasswordError):  # 20 bytes of key are enough to be verified with; they are others
        decode_pfx(make_pfx(safes, mac_data.replace(iterations_and_length, count + b"\x02\x01\x14")), password=PASSWORD)
    with pytest.raises(MalformedPfxError, match="no key length"):
        decode_pfx(make_pfx(safes, without(mac_data, b"\x02\x01\x20")), password=PASSWORD)
    # Under one byte of key a forged file verifies once in 256 times, whatever the password.
    for length in (b"\x00", b"\xff", b"\x01", b"\x13"):
        wrong = mac_data.replace(iterations_and_length, count + b"\x02\x01" + length)
        with pytest.raises(MalformedPfxError, match=r"a key of .* bytes"):
            decode_pfx(make_pfx(safes, wrong), password=PASSWORD)


def test_two_passwords(certificate, contents):
    """OpenSSL's -twopass and Java's key passwords: the second opens what the first does not; both are reported."""
    data = with_mac([safe_by(AES, "contents", contents), safe_by(AES, PASSWORD, contents)])
    decoded = decode_pfx(data, password=PASSWORD, contents_password="contents")
    assert decoded.certificates == (certificate, certificate)
    assert [(use.part, use.contents_password) for use in decoded.password_uses] == [
        ("MAC", False),
        ("contents", True),
        ("contents", False),
    ]
    with pytest.raises(PfxPasswordError, match="there may be another password"):
        decode_pfx(data, password=PASSWORD)
    with pytest.raises(PfxPasswordError, match="MAC"):
        decode_pfx(data, password="contents", contents_password=PASSWORD)
    report = inspect_pfx(data, password=PASSWORD, contents_password="contents")
    assert all(safe.bags for safe in report.safe_contents)


def test_several_keys(keys, small_bundle, certificate):
    """Several keys are listed with their certificates, and each can be asked for by name, by ID, or by both."""
    other = ec.generate_private_key(ec.SECP256R1())
    its = issue("other", other, "other", other)
    data = make_pfx(
        [
            plain_safe(
                key_bag(private_key_info(small_bundle.private_key), friendly_name="one", local_key_id=b"1"),
                key_bag(private_key_info(other), friendly_name="two", local_key_id=b"2"),
                key_bag(private_key_info(keys["ed25519"]), friendly_name="two"),
                certificate_bag(its.der, local_key_id=b"2"),
                certificate_bag(certificate.der, local_key_id=b"1"),
            )
        ]
    )
    decoded = decode_pfx(data, password=None)
    assert [(key.friendly_name, key.local_key_id, key.certificate) for key in decoded.keys] == [
        ("one", b"1", certificate),
        ("two", b"2", its),
        ("two", None, None),
    ]
    assert decoded.local_key_ids == (b"2", b"1")
    assert decoded.key(friendly_name="one").identity.certificate == certificate
    assert decoded.key(local_key_id=b"2").certificate == its
    assert decoded.key(friendly_name="two", local_key_id=b"2").certificate == its
    for absent in ({"friendly_name": "two"}, {"friendly_name": "three"}, {"local_key_id": b"3"}, {}):
        with pytest.raises(InputError, match="'one', localKeyID 31"):
            decoded.key(**absent)
    with pytest.raises(UnsupportedPfxError, match="3 private keys"):
        _ = decoded.private_key
    with pytest.raises(InputError, match="no certificate for its private key"):
        _ = decoded.keys[2].identity
    assert decoded.certificate is None


def test_renewed_certificate_of_one_key(small_bundle, certificate):
    """Of two certificates for one key the localKeyID tells which is its."""
    renewed = issue("renewed", small_bundle.private_key, "renewed", small_bundle.private_key)
    bags = [
        key_bag(private_key_info(small_bundle.private_key), local_key_id=b"2"),
        certificate_bag(certificate.der, local_key_id=b"1"),
        certificate_bag(renewed.der, local_key_id=b"2"),
    ]
    assert decode_pfx(make_pfx([plain_safe(*bags)]), password=None).certificate == renewed


def test_other_bags(certificate):
    """CRLs and secrets are listed by type (RFC 7292 sections 4.2.4 and 4.2.5), and never shown nor decoded."""
    crl = der(0x30, oid("1.2.840.113549.1.9.23.1") + explicit(der(0x04, b"no CRL at all")))
    secret = der(0x30, oid("1.2.3.4") + explicit(der(0x04, b"hunter2 hunter2")))
    sdsi = der(0x30, oid("1.2.840.113549.1.9.22.2") + explicit(der(0x16, b"abc")))
    name = attribute("1.2.840.113549.1.9.20", der(0x1E, "key".encode("utf-16-be")))
    unknown = der(0x30, oid("1.2.3.4.5") + explicit(b"\x05\x00"))
    contents = bags_of(
        bag_of(4, crl), bag_of(5, secret, name), bag_of(3, sdsi), unknown, certificate_bag(certificate.der)
    )
    decoded = decode_pfx(with_mac([safe_by(AES, PASSWORD, contents)]), password=PASSWORD)
    assert decoded.certificates == (certificate,)
    assert [(bag.type, bag.value_type, bag.friendly_name) for bag in decoded.other_bags] == [
        ("crlBag", "1.2.840.113549.1.9.23.1", None),
        ("secretBag", "1.2.3.4", "key"),
        ("certBag", "1.2.840.113549.1.9.22.2", None),
        ("1.2.3.4.5", None, None),
    ]
    assert [bag.value for bag in decoded.other_bags] == [crl, secret, sdsi, b"\x05\x00"]
    report = inspect_pfx(with_mac([safe_by(AES, PASSWORD, contents)]), password=PASSWORD)
    assert report.safe_contents[0].bags[1].value_type == "1.2.3.4"
    assert "hunter2" not in repr(decoded) + repr(report) + str(report.to_json())


def test_attributes_survive(small_bundle, certificate):
    """Attributes beside friendlyName and localKeyID come out in file order, byte for byte, of key and certificate."""
    name = attribute("1.2.840.113549.1.9.20", der(0x1E, "key".encode("utf-16-be")))
    extra = [attribute("1.3.6.1.4.1.311.17.1", der(0x1E, b"\0C")), attribute("1.2.3", b"\x05\x00", b"\x02\x01\x07")]
    trusted = attribute("2.16.840.1.113894.746875.1.1", oid("2.5.29.37.0"))
    value = der(0x30, oid("1.2.840.113549.1.9.22.1") + explicit(der(0x04, certificate.der)))
    key = private_key_info(small_bundle.private_key)
    contents = bags_of(bag_of(3, value, trusted, name, extra[1]), bag_of(1, key, extra[1], extra[0]))
    decoded = decode_pfx(with_mac([safe_by(AES, PASSWORD, contents)]), password=PASSWORD)
    assert decoded.certificate_attributes == ((trusted, extra[1]),)
    assert decoded.keys[0].attributes == (extra[1], extra[0])
    assert decoded.friendly_names == ("key",)


def test_octets_that_are_no_certificate(certificate):
    """One certificate that no reader makes sense of does not hide the others; it is a reject."""
    no_certificates = (b"", b"junk", b"\x30\x80", b"\x30\x03\x02\x01\x01", certificate.der + b"\0")
    bags = [
        bag_of(3, der(0x30, oid("1.2.840.113549.1.9.22.1") + explicit(der(0x04, octets)))) for octets in no_certificates
    ]
    decoded = decode_pfx(
        with_mac([safe_by(AES, PASSWORD, bags_of(*bags, certificate_bag(certificate.der)))]), password=PASSWORD
    )
    assert decoded.certificates == (certificate,)
    assert [reject.position for reject in decoded.rejects] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("trailing", [b"\0" * 511, b"\n", b"\x30\x03\x02\x01\x03"])
def test_trailing_bytes(small, small_bundle, trailing):
    """X.690 section 8.1.1: bytes after the PFX are not part of it: they are counted, reported, and not parsed."""
    decoded = decode_pfx(small + trailing, password=PASSWORD)
    assert decoded.certificates == small_bundle.certificates
    assert decoded.trailing_bytes == len(trailing)
    assert inspect_pfx(small + trailing).to_json()["trailing_bytes"] == len(trailing)
    assert decode_pfx(small, password=PASSWORD).trailing_bytes == 0


def test_trailing_bytes_within(contents):
    """Within the contents nothing may follow: it would be under the MAC, and read by no one."""
    content = contents_of([plain_safe()])
    auth_safe = cms.ContentInfo({"content_type": "data", "content": content + b"\0"}).dump()
    with pytest.raises(MalformedPfxError):
        decode_pfx(der(0x30, b"\x02\x01\x03" + auth_safe), password=None)
    with pytest.raises(MalformedPfxError):
        decode_pfx(make_pfx([cms.ContentInfo({"content_type": "data", "content": contents + b"\0"})]), password=None)


def test_strings_in_pieces_of_definite_length(small, small_bundle):
    """X.690 section 8.7.3: an octet string may be constructed with a definite length too, also under its own tag."""
    pfx = asn1_pkcs12.Pfx.load(small)
    safes = pfx.authenticated_safe
    info = safes[0]["content"]["encrypted_content_info"]
    pieced = der(0xA0, b"".join(pieces(info["encrypted_content"].native)))
    encrypted = der(0x30, info["content_type"].dump() + info["content_encryption_algorithm"].dump() + pieced)
    safe = der(0x30, safes[0]["content_type"].dump() + explicit(der(0x30, b"\x02\x01\x00" + encrypted)))
    content = der(0x30, safe + safes[1].dump())
    # pieces of pieces, and an empty one
    nested = der(0x24, b"".join(pieces(content[:500])) + b"\x04\x00" + der(0x24, b"".join(pieces(content[500:]))))
    auth_safe = der(0x30, oid("1.2.840.113549.1.7.1") + explicit(nested))
    decoded = decode_pfx(der(0x30, b"\x02\x01\x03" + auth_safe), password=PASSWORD)
    assert decoded.certificates == small_bundle.certificates
    assert decoded.private_key is not None
    foreign = der(0x24, b"\x02\x01\x03")  # a piece that is no octet string
    with pytest.raises(MalformedPfxError):
        decode_pfx(
            der(0x30, b"\x02\x01\x03" + der(0x30, oid("1.2.840.113549.1.7.1") + explicit(foreign))), password=None
        )


def test_nothing_secret_is_shown(small, small_bundle):
    """No repr and no error has the password or the key."""
    decoded = decode_pfx(small, password=PASSWORD, contents_password="another secret")
    number = small_bundle.private_key.private_numbers().private_value
    shown = repr(decoded) + repr(decoded.keys) + repr(encode_password(PASSWORD)) + repr(decoded.mac)
    for secret in (PASSWORD, "another secret", str(number), f"{number:x}", PASSWORD.encode().hex()):
        assert secret not in shown


def test_which_of_the_three_errors(contents):
    """Plaintext that is no bags is damage where the MAC vouches for the password and the padding was sound."""
    no_bags = b"no bags"
    rc4 = Scheme(algorithm="pbeWithSHAAnd128BitRC4")
    with pytest.raises(MalformedPfxError, match="MAC of the PKCS#12 file verifies"):
        decode_pfx(with_mac([safe_by(AES, PASSWORD, no_bags)]), password=PASSWORD)
    with pytest.raises(PfxPasswordError, match="wrong password or damaged file"):
        decode_pfx(make_pfx([safe_by(AES, PASSWORD, no_bags)]), password=PASSWORD)
    with pytest.raises(PfxPasswordError, match="there may be another password"):  # a stream cipher has no padding
        decode_pfx(with_mac([safe_by(rc4, PASSWORD, no_bags)]), password=PASSWORD)
    data = with_mac([safe_by(AES, PASSWORD, contents)])
    with pytest.raises(PfxPasswordError, match="none was given"):
        decode_pfx(data, password=None)
    sha256, shake128 = bytes.fromhex("608648016503040201"), bytes.fromhex("60864801650304020b")
    with pytest.raises(UnsupportedPfxError, match=r"MAC algorithm SHAKE128 \(2\.16\.840\.1\.101\.3\.4\.2\.11\) "):
        decode_pfx(data.replace(sha256, shake128), password=PASSWORD)
