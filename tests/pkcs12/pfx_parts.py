"""PKCS#12 files assembled piece by piece, in forms that our writer never produces."""

from __future__ import annotations

import os

from asn1crypto import cms, core
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12 import encryption
from pkcs12kit.pkcs12 import mac as macs
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.key_encodings import parts_of, split
from pkcs12kit.pkcs12.passwords import Password, encode_password

from .conftest import PASSWORD


def der(tag, contents):
    """Return one TLV."""
    length = len(contents)
    size = b"" if length < 128 else length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, length] if length < 128 else [tag, 0x80 | len(size)]) + size + contents


def explicit(contents):
    """Return an explicit [0]."""
    return der(0xA0, contents)


def indefinite(tag, *parts):
    """Return one BER value of indefinite length (X.690 section 8.1.3.6)."""
    return bytes([tag, 0x80]) + b"".join(parts) + b"\0\0"


def pieces(contents):
    """Return octet strings of 100 bytes."""
    return [der(0x04, contents[start : start + 100]) for start in range(0, len(contents), 100)]


def chunked(tag, contents):
    """Return a constructed octet string of indefinite length in pieces of 100 bytes (X.690 section 8.7.3)."""
    return indefinite(tag, *pieces(contents))


def oid(dotted):
    """Return an object identifier."""
    return core.ObjectIdentifier(dotted).dump()


def pkcs8(key):
    """Return a key as PKCS#8 of version 1, DER."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def public_bits(key):
    """Return the contents of the BIT STRING of a key's public half."""
    (info,) = split(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return split(info.contents)[1].contents


def in_version_2(key, public_key=None, *, version=1, attributes=b""):
    """Return a OneAsymmetricKey (RFC 5958 section 2) with an encoded public key, by default its own."""
    _, algorithm, private = parts_of(pkcs8(key))
    public_key = der(0x81, public_bits(key)) if public_key is None else public_key
    return der(0x30, der(0x02, bytes([version])) + algorithm.encoding + private.encoding + attributes + public_key)


def plain_safe(*bags):
    """Return a safe that is not encrypted."""
    return cms.ContentInfo({"content_type": "data", "content": bags_of(*bags)})


def encrypted_safe(identifier, ciphertext):
    """Make an encrypted safe; ``identifier`` is the DER of its AlgorithmIdentifier."""
    info = der(0x30, oid("1.2.840.113549.1.7.1") + identifier + der(0x80, ciphertext))
    return der(0x30, oid("1.2.840.113549.1.7.6") + explicit(der(0x30, b"\x02\x01\x00" + info)))


def bags_of(*bags):
    """Encode SafeContents of bags, or of their encodings."""
    return der(0x30, b"".join(bag if isinstance(bag, bytes) else bag.dump() for bag in bags))


def bag_of(bag_id, value, *attributes):
    """Return a SafeBag from the last arc of its type and the encodings of its value and attributes."""
    parts = oid(f"1.2.840.113549.1.12.10.1.{bag_id}") + explicit(value)
    return der(0x30, parts + (der(0x31, b"".join(attributes)) if attributes else b""))


def attribute(dotted, *values):
    """Make an Attribute of encoded values."""
    return der(0x30, oid(dotted) + der(0x31, b"".join(values)))


def identifier_of_pbes1():
    """Return the AlgorithmIdentifier of three-key triple DES under PKCS12KDF, one iteration."""
    return der(0x30, oid("1.2.840.113549.1.12.1.3") + der(0x30, der(0x04, b"saltsalt") + b"\x02\x01\x01"))


def octets_password(octets):
    """Return a password that every key derivation uses as these octets."""
    return Password(bmp=octets, utf8=octets)


def safe_by(scheme, password, plaintext, *, salt_length=8):
    """Encrypt SafeContents by a Scheme, with three iterations; ``password`` is text or a Password."""
    encoded = encode_password(password) if isinstance(password, str) else password
    chosen = encryption.new_encryption(scheme, iterations=3, salt_length=salt_length, random_bytes=os.urandom)
    ciphertext = encryption.CipherKey(chosen, encoded, WorkBudget(DEFAULT_LIMITS)).encrypt(plaintext)
    return encrypted_safe(encryption.algorithm_identifier(chosen).dump(), ciphertext)


def contents_of(safes):
    """Encode an AuthenticatedSafe of ContentInfos, or of their encodings."""
    return der(0x30, b"".join(safe if isinstance(safe, bytes) else safe.dump() for safe in safes))


def make_pfx(safes, mac_data=b""):
    """Make a PFX of some ContentInfos, with the encoding of a MacData or none."""
    content = contents_of(safes)
    auth_safe = cms.ContentInfo({"content_type": "data", "content": content}).dump()
    return der(0x30, b"\x02\x01\x03" + auth_safe + mac_data)


def with_mac(safes, *, password=None, algorithm="HMAC", digest="SHA-256", prf=None, salt_length=8):
    """Make a PFX of some ContentInfos with a MAC; ``password`` is text or a Password."""
    safes = tuple(safes)
    password = PASSWORD if password is None else password
    encoded = encode_password(password) if isinstance(password, str) else password
    template = macs.new_mac(
        algorithm, digest=digest, prf=prf, iterations=3, salt_length=salt_length, random_bytes=os.urandom
    )
    key = macs.prepare_key(template, encoded, WorkBudget(DEFAULT_LIMITS))
    mac = macs.make_mac(template, contents_of(safes), key)
    return make_pfx(safes, macs.mac_data(mac).dump())
