"""One entry that cannot be read does not block the others: it is named, never chosen, and kept by a conversion."""

from __future__ import annotations

import os

import pytest
from asn1crypto import parser
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.errors import KeyChoiceError, MalformedPfxError, PfxPasswordError, UnsupportedPfxError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.bags import certificate_bag, key_bag
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.conversion import convert_pfx, encode_pem
from pkcs12kit.pkcs12.decoder import decode_certificates, decode_pfx
from pkcs12kit.pkcs12.encryption import algorithm_identifier, encrypt, new_encryption
from pkcs12kit.pkcs12.entries import key_algorithm
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.passwords import encode_password
from pkcs12kit.sources.identities import load_identity
from pkcs12kit.verifier.verify import verify

from .conftest import DAY, PASSWORD
from .pfx_parts import attribute, bag_of, bags_of, der, explicit, oid, plain_safe, safe_by, with_mac

AES = profiles.MODERN_2023.key_encryption
ODD_ID = attribute("1.2.840.113549.1.9.21", der(0x04, b"odd"))


def pkcs8(dotted, octets=bytes(range(40))):
    """A PrivateKeyInfo of any algorithm."""
    return der(0x30, b"\x02\x01\x00" + der(0x30, oid(dotted) + b"\x05\x00") + der(0x04, octets))


def shut(plain, password=PASSWORD):
    """A pkcs8ShroudedKeyBag."""
    chosen = new_encryption(AES, iterations=3, salt_length=8, random_bytes=os.urandom)
    octets = encrypt(chosen, plain, encode_password(password), WorkBudget(DEFAULT_LIMITS))
    return bag_of(2, der(0x30, algorithm_identifier(chosen).dump() + der(0x04, octets)), ODD_ID)


GOST = "1.2.643.7.1.1.1.1"
SPARE = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
# The bag, the octets that a conversion keeps, the algorithm, and the error.
UNREAD = {
    "GOST": (shut(pkcs8(GOST)), pkcs8(GOST), f"GOST R 34.10-2012 with 256 bits ({GOST})", UnsupportedPfxError),
    "GOST in the clear": (bag_of(1, pkcs8(GOST), ODD_ID), pkcs8(GOST), "GOST R 34", UnsupportedPfxError),
    "an unknown algorithm": (shut(pkcs8("1.2.3.4")), pkcs8("1.2.3.4"), "1.2.3.4", UnsupportedPfxError),
    "Diffie-Hellman": (
        shut(pkcs8("1.2.840.113549.1.3.1")),
        pkcs8("1.2.840.113549.1.3.1"),
        "Diffie-Hellman of PKCS#3",
        UnsupportedPfxError,
    ),
    "a damaged RSA key": (
        shut(pkcs8("1.2.840.113549.1.1.1")),
        pkcs8("1.2.840.113549.1.1.1"),
        "RSA (1.2.840.113549.1.1.1)",
        MalformedPfxError,
    ),
    "another password": (shut(SPARE, "another"), None, None, PfxPasswordError),
    "an unknown encryption": (
        bag_of(2, der(0x30, der(0x30, oid("1.2.3.4")) + der(0x04, bytes(48))), ODD_ID),
        None,
        None,
        UnsupportedPfxError,
    ),
    "a damaged bag": (bag_of(2, der(0x30, b"\x05\x00"), ODD_ID), None, None, MalformedPfxError),
}


@pytest.fixture(scope="module")
def good(identity_and_path):
    """The bags of a chain, and of its key with the localKeyID 01."""
    identity, path = identity_and_path
    key = identity.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    first, *others = path.with_anchor
    chain = [certificate_bag(first.der, local_key_id=b"\1"), *(certificate_bag(one.der) for one in others)]
    return [bag.dump() for bag in chain], key_bag(key, local_key_id=b"\1").dump()


def a_file(good, *bags, with_key=True):
    """A file of a chain, its key, and other bags."""
    chain, key = good
    return with_mac([safe_by(AES, PASSWORD, bags_of(*chain, *([key] if with_key else []))), plain_safe(*bags)])


@pytest.mark.parametrize("what", UNREAD)
def test_the_other_key_is_read(good, identity_and_path, what):
    """The key that is not read is listed with its algorithm. Nothing takes the other key unless it is chosen."""
    bag, _, algorithm, error = UNREAD[what]
    data = a_file(good, bag)
    decoded = decode_pfx(data, password=PASSWORD)
    assert (len(decoded.keys), len(decoded.certificates)) == (1, len(good[0]))
    (unread,) = decoded.unread_keys
    assert (unread.place, unread.local_key_id) == ("bag 1 of SafeContents 2", b"odd")
    assert issubclass(unread.error, error)
    assert (unread.algorithm is None) is (algorithm is None)
    assert unread.algorithm is None or unread.algorithm.startswith(algorithm)
    (note,) = decoded.notes
    assert note == f"bag 1 of SafeContents 2: its private key is not read: {unread.reason}"
    with pytest.raises(KeyChoiceError, match=r"2 private keys.*localKeyID 01.*localKeyID 6f6464, not read"):
        _ = decoded.private_key
    assert decoded.certificate is decoded.friendly_name is None
    with pytest.raises(error):
        decoded.key(local_key_id=b"odd")
    assert decoded.key(local_key_id=b"\1").identity.certificate == identity_and_path[1].target
    report = inspect_pfx(data, password=PASSWORD)
    assert (report.notes, report.unread_keys) == (decoded.notes, decoded.unread_keys)
    assert decode_certificates(data, password=PASSWORD)[0] == decoded.certificates


@pytest.mark.parametrize("what", UNREAD)
def test_verify_never_says_yes_about_it(good, identity_and_path, what):
    """Yes about the key that is read, if it is chosen; an error without a choice, and about the other key."""
    data, anchor = a_file(good, UNREAD[what][0]), identity_and_path[1].with_anchor[-1]
    given = {"trust_anchors": [anchor], "password": PASSWORD, "time": DAY.replace(year=2027), "second_opinion": False}
    report = verify(data, **given, key_id=b"\1")
    assert report.ok
    assert report.has_private_key
    with pytest.raises(KeyChoiceError):
        verify(data, **given)
    with pytest.raises(UNREAD[what][3]):
        verify(data, **given, key_id=b"odd")
    assert not verify(data, **given, certs_only=True).ok
    with pytest.raises(KeyChoiceError):
        load_identity(pkcs12=data, password=PASSWORD)


@pytest.mark.parametrize("what", UNREAD)
def test_alone(good, what):
    """The only key of a file: its own error where a key is needed. The certificates are read all the same.

    A key of another password is an error at once, so that the password is asked for.
    """
    bag, _, _, error = UNREAD[what]
    data = a_file(good, bag, with_key=False)
    if error is PfxPasswordError:
        with pytest.raises(PfxPasswordError):
            decode_pfx(data, password=PASSWORD)
        return
    decoded = decode_pfx(data, password=PASSWORD)
    assert len(decoded.certificates) == len(good[0])
    for needs_key in (lambda: decoded.private_key, lambda: decoded.identity, lambda: encode_pem(decoded)):
        with pytest.raises(error, match="PKCS#12 file"):
            needs_key()


@pytest.mark.parametrize("what", UNREAD)
def test_a_conversion_keeps_it(good, quick, what):
    """Its octets get the new password, with a warning; or it stays as it is, if the password does not change."""
    bag, octets, _, error = UNREAD[what]
    data, warnings = a_file(good, bag), []
    if octets is None:
        expected = error if error is PfxPasswordError else UnsupportedPfxError
        with pytest.raises(expected, match="bag 1 of SafeContents 2"):
            convert_pfx(data, password=PASSWORD, new_password="new", profile=quick)
        once = convert_pfx(data, password=PASSWORD, new_password=PASSWORD, profile=quick, on_warning=warnings.append)
        others = decode_pfx(once, password=PASSWORD).unread_keys
        assert [(key.local_key_id, key.error) for key in others] == [
            (key.local_key_id, key.error) for key in decode_pfx(data, password=PASSWORD).unread_keys
        ]
    else:
        once = convert_pfx(data, password=PASSWORD, new_password="new", profile=quick, on_warning=warnings.append)
        clear = convert_pfx(once, password="new", new_password=None, profile="no-password")
        assert bag_of(1, octets, ODD_ID) in clear
    assert len(warnings) == 1
    assert warnings[0].startswith("bag 1 of SafeContents 2: ")


OTHER = {
    "an SDSI certificate": (
        bag_of(3, der(0x30, oid("1.2.840.113549.1.9.22.2") + explicit(der(0x16, b"abc")))),
        "not an X.509 certificate, but of the type 1.2.840.113549.1.9.22.2 (an SDSI certificate)",
    ),
    "an unknown bag": (der(0x30, oid("1.2.3.4") + explicit(b"\x05\x00")), "of the type 1.2.3.4, which is not known"),
    "a damaged certificate": (
        bag_of(3, der(0x30, oid("1.2.840.113549.1.9.22.1") + explicit(der(0x04, b"\x30\x00")))),
        "its certificate cannot be read: ",
    ),
    "a damaged certBag": (bag_of(3, der(0x30, b"\x05\x00")), "its certificate cannot be read: the certBag around it"),
    "a damaged secretBag": (bag_of(5, b"\x05\x00"), "the secretBag is not read: it is damaged"),
    "damaged nested contents": (bag_of(6, der(0x30, b"\x05\x00")), "the safeContentsBag is not read: it is damaged"),
    "nested contents with attributes": (
        bag_of(6, bags_of(bag_of(5, der(0x30, oid("1.2.3") + explicit(b"\x05\x00")))), ODD_ID),
        "the SafeContents around it have attributes, which are not read",
    ),
}


@pytest.mark.parametrize("what", OTHER)
def test_other_bags_are_noted(good, quick, what):
    """A bag that is not read is a note; the key and the chain are, and a conversion keeps the bag byte for byte."""
    bag, sentence = OTHER[what]
    data = a_file(good, bag)
    decoded = decode_pfx(data, password=PASSWORD)
    assert decoded.identity.certificate == decoded.certificates[0]
    (note,) = decoded.notes
    assert note.startswith("bag 1 of SafeContents 2: ")
    assert sentence in note
    assert inspect_pfx(data, password=PASSWORD).notes == decoded.notes
    once = convert_pfx(data, password=PASSWORD, new_password="new", profile=quick)
    clear = convert_pfx(once, password="new", new_password=None, profile="no-password")
    assert (bag in clear) is (what != "nested contents with attributes")


def test_no_certificate_is_dropped_in_silence(good):
    """Among the certificates of a file, one that is not X.509 and a damaged certBag are rejects."""
    bags = [OTHER["an SDSI certificate"][0], OTHER["a damaged certBag"][0]]
    certificates, rejects = decode_certificates(a_file(good, *bags), password=PASSWORD)
    assert len(certificates) == len(good[0])
    assert sorted(reject.reason for reject in rejects) == [
        "not X.509, but of the type 1.2.840.113549.1.9.22.2",
        "the certBag around it is damaged",
    ]


def test_without_a_password_a_closed_key_is_an_error(good):
    """A shrouded key beside one in the clear: without a password it is asked for, though one key could be read."""
    data = with_mac([plain_safe(*good[0], good[1], shut(SPARE))], password="")
    with pytest.raises(PfxPasswordError):
        decode_pfx(data, password=None)
    assert len(decode_pfx(data, password="", contents_password=PASSWORD).keys) == 2


def test_a_key_without_a_certificate(good):
    """A file of a key and nothing else is read; the key has no identity, and no notes."""
    decoded = decode_pfx(with_mac([plain_safe(good[1])]), password=PASSWORD)
    assert (len(decoded.keys), decoded.certificates, decoded.notes) == (1, (), ())
    assert encode_pem(decoded, key_only=True).startswith(b"-----BEGIN PRIVATE KEY-----")
    report = inspect_pfx(with_mac([plain_safe(good[1])]), password=PASSWORD)
    assert report.arrangement.problems == ("no certificate belongs to the private key",)


@pytest.mark.parametrize(
    "octets", [b"", b"\x30\x00", b"\x30\x03\x02\x01\x00", b"\x30\x05\x02\x01\x00\x30\x00", b"\x04\x00"]
)
def test_no_algorithm(octets):
    """Octets that are not PKCS#8 have no algorithm, and raise nothing."""
    assert key_algorithm(octets) is None


@pytest.mark.parametrize(
    "curve", [b"\x06\x00", b"\x06\x01\x80", b"\x06\x0b" + b"\xff" * 10 + b"\x7f", b"\x06\x02\xff\x7f"]
)
def test_a_curve_with_an_odd_identifier(good, curve):
    """A key whose curve is an OBJECT IDENTIFIER that pyca/cryptography refuses is a key that is not read."""
    named = oid("1.2.840.10045.3.1.7")
    at = SPARE.index(named) + len(named)
    octets = der(0x04, parser.parse(SPARE[at:])[4])
    info = der(0x30, b"\x02\x01\x00" + der(0x30, oid("1.2.840.10045.2.1") + curve) + octets)
    decoded = decode_pfx(a_file(good, bag_of(1, info, ODD_ID)), password=PASSWORD)
    assert (len(decoded.keys), len(decoded.unread_keys)) == (1, 1)


@pytest.mark.parametrize("tag", [0xA4, 0x30, 0x31, 0x04, 0x8C], ids=hex)
@pytest.mark.parametrize("profile", [profiles.MODERN_2023, profiles.LEGACY_3DES, profiles.NO_PASSWORD], ids=str)
def test_octets_that_are_no_key_never_shut_the_new_file(profile, tag):
    """A damaged key in the clear is refused, or the new file opens with its password and has it, of any length."""
    password = PASSWORD if profile.takes_password else None
    quick = profile if password is None else profile.with_iterations(encryption=1_000, mac=1_000)
    for size in range(17):
        data = with_mac([plain_safe(bag_of(1, der(tag, b"\x05\x00" * size), ODD_ID))])
        assert len(decode_pfx(data, password=PASSWORD).unread_keys) == 1
        if password is not None and tag != 0x30:
            with pytest.raises(MalformedPfxError, match="would not open"):
                convert_pfx(data, password=PASSWORD, new_password=password, profile=quick)
        else:
            new = convert_pfx(data, password=PASSWORD, new_password=password, profile=quick)
            assert len(decode_pfx(new, password=password).unread_keys) == 1
