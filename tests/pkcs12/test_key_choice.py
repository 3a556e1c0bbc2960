"""Several keys in one PKCS#12 file: chosen by name or ID, never by chance, and the same key twice is one key."""

from __future__ import annotations

import hashlib
from itertools import product

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

import pkcs12kit as pk
from pkcs12kit.pkcs12.bags import certificate_bag, key_bag
from pkcs12kit.pkcs12.decoder import decode_pfx

from .pfx_parts import make_pfx, plain_safe

KEYS = (
    ec.generate_private_key(ec.SECP256R1()),
    ec.generate_private_key(ec.SECP256R1()),
    ed25519.Ed25519PrivateKey.generate(),
)
RSA = rsa.generate_private_key(65537, 1024)  # noqa: S505 - quick to load
NAMES = (None, "a", "b")
KEY_IDS = (None, b"1", b"2")


def encoded(key, *, traditional=False):
    """Return the DER of a key, not encrypted: PKCS#8, or PKCS#1 or SEC 1."""
    form = PrivateFormat.TraditionalOpenSSL if traditional else PrivateFormat.PKCS8
    return key.private_bytes(Encoding.DER, form, NoEncryption())


def fingerprint(key):
    """Return the SHA-256 of the SubjectPublicKeyInfo."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).digest()


def make_file(*entries, certificates=()):
    """Return a PKCS#12 file in the clear of keys with their names and localKeyIDs."""
    bags = [key_bag(der, friendly_name=name, local_key_id=its_id) for der, name, its_id in entries]
    return make_pfx([plain_safe(*bags, *(certificate_bag(one.der) for one in certificates))])


def test_each_key_by_name_or_id_or_itself():
    """Of two keys with all names and localKeyIDs, one is found where the names and IDs leave one, else an error.

    The oracle compares each entry with the question, and knows nothing of fingerprints unless no localKeyID fits.
    """
    for names, ids in product(product(NAMES, repeat=2), product(KEY_IDS, repeat=2)):
        entries = [(key, name, its_id) for key, name, its_id in zip(KEYS, names, ids, strict=False)]
        decoded = decode_pfx(make_file(*((encoded(key), *rest) for key, *rest in entries)), password=None)
        for name, its_id in product(NAMES, (*KEY_IDS, *map(fingerprint, KEYS[:2]))):
            fitting = [
                key
                for key, its_name, local_key_id in entries
                if name in {None, its_name} and its_id in {None, local_key_id, fingerprint(key)}
            ]
            question = {"friendly_name": name, "local_key_id": its_id}
            if len(fitting) == 1:
                assert decoded.key(**question).private_key.public_key() == fitting[0].public_key()
                continue
            kind = pk.KeyChoiceError if fitting else pk.InputError
            with pytest.raises(kind) as raised:
                decoded.key(**question)
            assert isinstance(raised.value, pk.KeyChoiceError) == bool(fitting)


def test_the_error_is_enough_to_choose_each_key():
    """Each key is listed with a name or an ID that is its own alone, whatever keys there are."""
    for names, ids in product(product(NAMES[:2], repeat=3), product(KEY_IDS[:2], repeat=3)):
        entries = [(encoded(key), name, its_id) for key, name, its_id in zip(KEYS, names, ids, strict=True)]
        decoded = decode_pfx(make_file(*entries), password=None)
        with pytest.raises(pk.KeyChoiceError) as raised:
            decoded.key()
        listed = str(raised.value).partition("its keys are: ")[2].split("; ")
        assert len(listed) == len(KEYS)
        for key, line, name, its_id in zip(KEYS, listed, names, ids, strict=True):
            assert line.endswith("no certificate")
            if f"ID {fingerprint(key).hex()}" in line:
                question = {"local_key_id": fingerprint(key)}
            elif its_id is not None and ids.count(its_id) == 1:
                assert f"localKeyID {its_id.hex()}" in line
                question = {"local_key_id": its_id}
            else:
                assert line.startswith(f"'{name}', ")
                question = {"friendly_name": name}
            assert decoded.key(**question).private_key.public_key() == key.public_key()


@pytest.mark.parametrize("key", [KEYS[0], RSA], ids=["ec", "rsa"])
@pytest.mark.parametrize("second", [(None, None), ("b", None), (None, b"2"), ("a", b"1")])
def test_the_same_key_twice_is_one_key(key, second):
    """Also in PKCS#8 and in the older form, under two names or IDs: nobody has to choose, and both names find it."""
    ca = pk.lab.Authority.create("CA")
    certificate = ca.issue_server("mdm.example.mil", private_key=key).certificate
    for traditional in (False, True):
        data = make_file(
            (encoded(key), "a", b"1"), (encoded(key, traditional=traditional), *second), certificates=[certificate]
        )
        decoded = decode_pfx(data, password=None)
        assert len(decoded.keys) == 2  # each entry is there, as convert keeps them
        assert decoded.private_key.public_key() == key.public_key()
        assert decoded.identity.certificate == decoded.certificate == certificate
        assert decoded.friendly_name == "a"
        for question in ({}, {"key_name": "a"}, {"key_id": b"1"}, {"key_name": second[0], "key_id": second[1]}):
            assert pk.load_identity(pkcs12=data, **question).certificate == certificate
        assert pk.encode_pem(decoded).count(b"BEGIN PRIVATE KEY") == 1


def test_twice_beside_another():
    """The same key twice beside another one is a choice between two; every way to one of them is open."""
    entries = [(encoded(KEYS[0]), "a", None), (encoded(KEYS[0]), None, b"1"), (encoded(KEYS[2]), None, None)]
    decoded = decode_pfx(make_file(*entries), password=None)
    with pytest.raises(pk.KeyChoiceError, match="2 private keys"):
        _ = decoded.private_key
    for question, key in (
        ({"friendly_name": "a"}, KEYS[0]),
        ({"local_key_id": b"1"}, KEYS[0]),
        ({"local_key_id": fingerprint(KEYS[2])}, KEYS[2]),
    ):
        assert decoded.key(**question).private_key.public_key() == key.public_key()


def test_a_local_key_id_goes_before_a_fingerprint():
    """An entry cannot take another key's place by carrying that key's fingerprint as its localKeyID unnoticed.

    The entry that has the ID is found, as inspect shows it; the other key then needs its name.
    """
    entries = [(encoded(KEYS[0]), "a", fingerprint(KEYS[2])), (encoded(KEYS[2]), "b", None)]
    decoded = decode_pfx(make_file(*entries), password=None)
    assert decoded.key(local_key_id=fingerprint(KEYS[2])).friendly_name == "a"
    assert decoded.key(friendly_name="b").private_key.public_key() == KEYS[2].public_key()


def test_many_keys_are_listed_briefly():
    """Five keys are listed, and the number of the others."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(8)]
    decoded = decode_pfx(make_file(*((encoded(key), None, None) for key in keys)), password=None)
    with pytest.raises(pk.KeyChoiceError, match=r"8 private keys.*; and 3 more$"):
        decoded.key()
