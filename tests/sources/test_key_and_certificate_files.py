"""A key and its certificate in two files of any kind: which passwords open them, and which are never asked for."""

from __future__ import annotations

import os
from itertools import product

import pytest
from asn1crypto import keys
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

import pkcs12kit as pk
from pkcs12kit.pkcs12.bags import certificate_bag
from pkcs12kit.pkcs12.encoder import PlainKey, encode_contents

PROFILE = pk.profiles.MODERN.with_iterations(encryption=1_000, mac=1_000)
CA = pk.lab.Authority.create("CA")
SERVER, OTHER = CA.issue_server("mdm.example.mil"), CA.issue_server("other.example.mil")
OF_KEY, OF_CERTIFICATE = "of the key", "of the certificate"


def store(password, *, key=None, certificates=()):
    """Return a PKCS#12 file of a key, of certificates, or of both; None for no password."""
    profile = pk.profiles.NO_PASSWORD if password is None else PROFILE
    keys = []
    if key is not None:
        info = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        keys = [PlainKey(private_key_info=info, friendly_name=None, local_key_id=b"1", attributes=())]
    bags = [certificate_bag(one.der) for one in certificates]
    return encode_contents(bags, keys, password=password, profile=profile)


def encrypted(key):
    """Return a key as encrypted PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(OF_KEY.encode()))


# name: the key's file, and whether it needs a password
KEYS = {
    "pem": (SERVER.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), False),
    "encrypted": (encrypted(SERVER.private_key), True),
    "p12 without password": (store(None, key=SERVER.private_key), False),
    "p12": (store(OF_KEY, key=SERVER.private_key), True),
    "p12 with another's certificate": (store(OF_KEY, key=SERVER.private_key, certificates=[OTHER.certificate]), True),
    "object": (SERVER.private_key, False),
}
CERTIFICATES = {
    "pem": (SERVER.certificate.to_pem().encode(), False),
    "chain": ((CA.certificate.to_pem() + SERVER.certificate.to_pem()).encode(), False),
    "p12 without password": (store(None, certificates=[CA.certificate, SERVER.certificate]), False),
    "p12": (store(OF_CERTIFICATE, certificates=[SERVER.certificate]), True),
    "p12 with another's key": (
        store(OF_CERTIFICATE, key=OTHER.private_key, certificates=[OTHER.certificate, SERVER.certificate]),
        True,
    ),
    "object": (SERVER.certificate, False),
}


def is_server(identity):
    """Return True for the identity of the server: an identity's key and certificate belong together."""
    return identity.certificate == SERVER.certificate


class Prompt:
    """A password that is asked for, and how often."""

    def __init__(self, password):
        self.password = password
        self.times = 0

    def __call__(self):
        """Answer."""
        self.times += 1
        return self.password


@pytest.mark.parametrize(("key", "certificate"), [*product(KEYS, CERTIFICATES)])
def test_each_pair_of_kinds(key, certificate):
    """Key and certificate are found in whatever two files; a password is asked for only where one is needed, once."""
    (key_file, key_locked), (certificate_file, certificate_locked) = KEYS[key], CERTIFICATES[certificate]
    of_key, of_certificate = Prompt(OF_KEY), Prompt(OF_CERTIFICATE)
    names = ["key"] + ["pkcs12"] * key.startswith("p12")
    for name in names:
        of_key.times = of_certificate.times = 0
        password = {"key": "key_password", "pkcs12": "password"}[name]
        given = {name: key_file, "certificate": certificate_file}
        passwords = {password: of_key, "certificate_password": of_certificate}
        assert is_server(pk.load_identity(**given, **passwords))
        assert (of_key.times, of_certificate.times) == (key_locked, certificate_locked)
        assert is_server(pk.load_identity(**given, **{password: OF_KEY}, certificate_password=OF_CERTIFICATE))
        if key_locked or certificate_locked:
            with pytest.raises(pk.PasswordError):
                pk.load_identity(**given)


@pytest.mark.parametrize("form", ["key", "pkcs12"])
def test_one_password_for_both(form):
    """A PKCS#12 file for which no password is given is tried with that of the other; nobody is asked for it then."""
    for password in ("same", None):
        files = {form: store(password, key=SERVER.private_key)}
        files["certificate"] = store(password, certificates=[SERVER.certificate])
        name = {"key": "key_password", "pkcs12": "password"}[form]
        unused = Prompt("another")
        given = {name: password or "not needed"}
        assert is_server(pk.load_identity(**files, **given, certificate_password=unused))
        assert unused.times == 0
        assert is_server(pk.load_identity(**files, **given))


def test_a_password_that_does_not_open():
    """What is given for a file is the only one tried for it; one that is asked for and is wrong is said to be."""
    files = {"pkcs12": store(OF_KEY, key=SERVER.private_key)}
    files["certificate"] = store(OF_CERTIFICATE, certificates=[SERVER.certificate])
    right = {"password": OF_KEY, "certificate_password": OF_CERTIFICATE}
    assert is_server(pk.load_identity(**files, **right))
    for wrong in ({"password": "x"}, {"certificate_password": OF_KEY}, {"certificate_password": Prompt("x")}):
        with pytest.raises(pk.PfxPasswordError):
            pk.load_identity(**files, **right | wrong)

    def nobody_to_ask():
        raise pk.PasswordError("give it with an option")

    with pytest.raises(pk.PfxPasswordError, match=r"none was given; give it with an option$"):
        pk.load_identity(**files, password=nobody_to_ask)


def test_another_keys_certificate_is_refused():
    """By both fingerprints, and by the names of both files; the certificate beside the key is not used instead."""
    beside = store(OF_KEY, key=SERVER.private_key, certificates=[SERVER.certificate])
    for given in ({"pkcs12": beside}, {"key": beside}):
        with pytest.raises(pk.KeyMismatchError, match=r"the bytes given and the certificate given: .*other\.example"):
            pk.load_identity(**given, password=OF_KEY, certificate=OTHER.certificate)
    for given in (
        {"key": store(OF_KEY, certificates=[CA.certificate]), "certificate": SERVER.certificate},
        {"pkcs12": store(OF_KEY, certificates=[CA.certificate]), "certificate": SERVER.certificate},
    ):
        with pytest.raises(pk.InputError, match=r"without (one|a private key)"):
            pk.load_identity(**given, password=OF_KEY)


def test_the_certificate_given_goes_before_the_one_beside_the_key():
    """Someone who has renewed the certificate gives it with the old file."""
    renewed = CA.issue_server("mdm.example.mil", private_key=SERVER.private_key).certificate
    old = store(OF_KEY, key=SERVER.private_key, certificates=[SERVER.certificate, CA.certificate])
    built = pk.build(
        pkcs12=old, pkcs12_password=OF_KEY, certificate=renewed, trust_anchors=[CA.certificate], password="x"
    )
    assert built.certificates == (renewed, CA.certificate)
    assert built.warnings == ()


def test_a_mac_can_be_required_of_both_files():
    """``require_mac`` refuses a PKCS#12 file that anyone may have changed, the certificate's too."""
    key, certificate = store(OF_KEY, key=SERVER.private_key), store(OF_KEY, certificates=[SERVER.certificate])
    bare_key, bare = store(None, key=SERVER.private_key), store(None, certificates=[SERVER.certificate])
    for form in ("key", "pkcs12"):
        given = {"password": OF_KEY, "require_mac": True}
        assert is_server(pk.load_identity(**{form: key}, certificate=certificate, **given))
        for files in ((bare_key, certificate), (key, bare)):
            with pytest.raises(pk.InputError, match="MAC"):
                pk.load_identity(**{form: files[0]}, certificate=files[1], **given)


def test_each_file_is_read_once():
    """So they may come through pipes, as ``<(...)`` of a shell makes them."""
    certificates = [SERVER.certificate, CA.certificate]
    for files in (
        {"pkcs12": store("x", key=SERVER.private_key, certificates=certificates)},
        {"pkcs12": store("x", key=SERVER.private_key), "certificate": store("x", certificates=certificates)},
        {"key": KEYS["pem"][0], "certificate": store("x", certificates=certificates)},
    ):
        given = {}
        for name, content in files.items():
            reading, writing = os.pipe()
            os.write(writing, content)
            os.close(writing)
            given[name] = f"/dev/fd/{reading}"
        built = pk.build(
            **given,
            pkcs12_password=Prompt("x"),
            certificate_password=Prompt("x"),
            trust_anchors=[CA.certificate],
            password="y",
        )
        assert built.certificates == tuple(certificates)


@pytest.mark.parametrize("choice", [{"key_name": "a"}, {"key_id": b"1"}])
def test_a_choice_where_there_is_none(choice):
    """Only a PKCS#12 file has names and IDs; elsewhere a choice is refused, not ignored."""
    for given in (
        {"key": KEYS["pem"][0], "certificate": SERVER.certificate},
        {"key": SERVER.private_key, "certificate": SERVER.certificate},
        {"key": KEYS["pem"][0] + SERVER.certificate.to_pem().encode()},
    ):
        with pytest.raises(pk.InputError, match="not a PKCS#12 file"):
            pk.load_identity(**given, **choice)
    with pytest.raises(pk.InputError, match="not a PKCS#12 file"):
        pk.build(identity=SERVER, trust_anchors=[CA.certificate], password="x", **choice)


def test_a_key_that_is_not_read_is_named():
    """A key of an unknown algorithm does not block the other one, which has to be chosen, and is not lost unseen."""
    unknown = keys.PrivateKeyInfo.load(
        SERVER.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    )
    unknown["private_key_algorithm"] = {"algorithm": "1.2.3.4"}
    good = OTHER.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    entries = [
        PlainKey(private_key_info=info, friendly_name=None, local_key_id=key_id, attributes=())
        for info, key_id in ((unknown.dump(force=True), b"1"), (good, b"2"))
    ]
    bags = [certificate_bag(OTHER.certificate.der, local_key_id=b"2")]
    data = encode_contents(bags, entries, password=None, profile=pk.profiles.NO_PASSWORD)
    with pytest.raises(pk.KeyChoiceError, match=r"localKeyID 31, not read: .*1\.2\.3\.4"):
        pk.load_identity(pkcs12=data)
    warnings = []
    assert pk.load_identity(pkcs12=data, key_id=b"2", on_warning=warnings.append).certificate == OTHER.certificate
    assert any("1.2.3.4" in warning and "left out" in warning for warning in warnings)
    with pytest.raises(pk.UnsupportedPfxError, match=r"1\.2\.3\.4"):
        pk.load_identity(pkcs12=data, key_id=b"1")
