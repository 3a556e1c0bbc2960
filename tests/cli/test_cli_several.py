"""Several keys, several certificates of one key, and a key and a certificate in files of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

import pkcs12kit as pk
from pkcs12kit.pkcs12.bags import certificate_bag, other_bag
from pkcs12kit.pkcs12.encoder import PlainKey, encode_contents

from .conftest import PASSWORD, Caller, secrets_of

NOW = datetime.now(UTC)
QUICK = pk.profiles.MODERN.with_iterations(encryption=1_000, mac=1_000)
CA = pk.lab.Authority.create("CA", validity=pk.lab.Validity.around(NOW, days_before=900, days_after=900))
OLD = CA.issue_server(
    "mdm.example.mil", serial_number=900, validity=pk.lab.Validity.around(NOW, days_before=800, days_after=-10)
)
SERVER = CA.issue_server("mdm.example.mil", private_key=OLD.private_key, serial_number=1001)
OTHER = CA.issue_server("other.example.mil", serial_number=1002)


def entry(identity, name=None, key_id=None):
    """Return the key of an identity, for a file."""
    info = identity.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return PlainKey(private_key_info=info, friendly_name=name, local_key_id=key_id, attributes=())


def store(keys, *certificates, password=PASSWORD):
    """Return a PKCS#12 file; each certificate may be given with its localKeyID."""
    bags = []
    for given in certificates:
        certificate, key_id = given if isinstance(given, tuple) else (given, None)
        bags.append(certificate_bag(certificate.der, local_key_id=key_id))
    profile = pk.profiles.NO_PASSWORD if password is None else QUICK
    return encode_contents(bags, keys, password=password, profile=profile)


@pytest.fixture
def call(monkeypatch, capsysbinary, folder, password_file):
    """Call the command where the files are; no key and no password may come out."""
    both = [(OLD.certificate, b"\1"), (SERVER.certificate, b"\1")]
    two = [entry(SERVER, "first", b"\1"), entry(OTHER, None, b"ec")]
    contents = {
        "old-first.p12": store([entry(SERVER, key_id=b"\1")], *both, CA.certificate),
        "new-first.p12": store([entry(SERVER, key_id=b"\1")], *reversed(both), CA.certificate),
        "two.p12": store(two, (OTHER.certificate, b"ec"), (SERVER.certificate, b"\1"), CA.certificate),
        "bare.p12": store([entry(SERVER, key_id=b"\1")], (SERVER.certificate, b"\1"), CA.certificate, password=None),
        "key.p12": store([entry(SERVER)]),
        "certificate.p12": store([], SERVER.certificate, password="of the certificate"),
        "other.pem": OTHER.certificate.to_pem().encode(),
        "server.pem": SERVER.certificate.to_pem().encode(),
        "both.pem": (OLD.certificate.to_pem() + SERVER.certificate.to_pem()).encode(),
        "ca.pem": CA.certificate.to_pem().encode(),
        "of-certificate.txt": b"of the certificate\n",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    secrets = [*secrets_of(SERVER.private_key, PASSWORD, "of the certificate"), *secrets_of(OTHER.private_key)]
    caller = Caller(monkeypatch, capsysbinary, folder, secrets)

    def call_it(command, *arguments):
        if command == "build":
            arguments = (*arguments, "--anchor", "ca.pem", "--out", "out.p12", "--password-file", password_file)
        return caller(command, *arguments)

    return call_it


class TestRenewal:
    """One key with an expired certificate and its renewal."""

    @pytest.mark.parametrize("file", ["old-first.p12", "new-first.p12"])
    def test_each_command(self, call, password_file, file):
        """The renewal is used, and the other certificate named: on the terminal, and in the JSON."""
        opened = ("--pkcs12-password-file", password_file)
        outcome = call("build", "--pkcs12", file, *opened, "--json")
        assert outcome.json["certificates"][0]["serial"] == "1001"
        told = [outcome.errors, *outcome.json["warnings"]]
        outcome = call("convert", file, "new.pem", "--to", "pem", "--password-file", password_file, "--json")
        assert outcome.json["certificates"][0]["serial"] == "1001"
        told += [outcome.errors, *outcome.json["warnings"]]
        outcome = call("verify", file, "--anchor", "ca.pem", "--password-file", password_file, "--json")
        findings = {found["check"]: found for found in outcome.json["findings"]}
        assert (findings["private-key"]["outcome"], findings["local-key-id"]["outcome"]) == ("note", "ok")
        told.append(findings["private-key"]["why"])
        outcome = call("inspect", file, "--password-file", password_file, "--json")
        told += [one for one in outcome.json["arrangement"]["problems"] if "not used" in one]
        options = ("--anchor", "ca.pem", "--clients", "openssl", "--password-file", password_file)
        outcome = call("rehearse", file, *options, "--json")
        told += [outcome.errors, *outcome.json["warnings"]]
        assert len(told) == 8
        for text in told:
            assert "#1001 of mdm.example.mil (valid until" in " ".join(text.split())
            assert "not used: #900 of mdm.example.mil (expired " in " ".join(text.split())

    def test_the_time_decides(self, call, password_file):
        """At a time at which only the old one was valid, that is built."""
        at = (NOW - timedelta(days=400)).strftime("%Y-%m-%dT%H:%M:%SZ")
        opened = ("--pkcs12-password-file", password_file)
        outcome = call("build", "--pkcs12", "new-first.p12", *opened, "--at", at, "--json")
        assert outcome.json["certificates"][0]["serial"] == "900"

    @pytest.mark.parametrize(
        "key", [("--key", "key.p12", "--key-password-file"), ("--pkcs12", "key.p12", "--pkcs12-password-file")]
    )
    def test_a_file_of_certificates(self, call, password_file, key):
        """``--cert`` with both chooses alike."""
        outcome = call("build", *key, password_file, "--cert", "both.pem", "--json")
        assert outcome.json["certificates"][0]["serial"] == "1001"
        assert "not used: #900" in outcome.json["warnings"][0]


class TestSeveralKeys:
    """Two keys: nobody's guess."""

    @pytest.mark.parametrize(
        ("options", "serial"),
        [
            (("--key-id", "01"), "1001"),
            (("--key-name", "first"), "1001"),
            (("--key-id", "6563"), "1002"),
            (("--key-id", "65:63"), "1002"),
            (("--key-name", "first", "--key-id", "01"), "1001"),
        ],
    )
    def test_chosen(self, call, password_file, options, serial):
        """By its name or its localKeyID, as inspect or OpenSSL shows it."""
        opened = ("--pkcs12-password-file", password_file)
        outcome = call("build", "--pkcs12", "two.p12", *opened, *options, "--json")
        assert outcome.json["certificates"][0]["serial"] == serial
        pem = ("two.p12", "new.pem", "--to", "pem", "--password-file", password_file)
        outcome = call("convert", *pem, *options, "--json")
        assert outcome.json["certificates"][0]["serial"] == serial

    def test_not_chosen(self, call, password_file):
        """Each is listed with its name, localKeyID and certificate, and the options are named."""
        opened = ("--pkcs12-password-file", password_file)
        for outcome in (
            call("build", "--pkcs12", "two.p12", *opened),
            call("build", "--key", "two.p12", "--key-password-file", password_file, "--cert", "server.pem"),
            call("convert", "two.p12", "new.pem", "--to", "pem", "--password-file", password_file),
            call("convert", "two.p12", "new.pem", "--to", "pem", "--key-only", "--password-file", password_file),
            call("verify", "two.p12", "--anchor", "ca.pem", "--password-file", password_file),
            call("rehearse", "two.p12", "--anchor", "ca.pem", "--password-file", password_file),
        ):
            assert outcome.status == 2
            errors = " ".join(outcome.errors.split())
            assert "'first', localKeyID 01, certificate of mdm.example.mil" in errors
            assert "no name, localKeyID 6563, certificate of other.example.mil" in errors
            assert "hint: choose one of the keys with --key-name or --key-id" in errors
        outcome = call("build", "--pkcs12", "two.p12", *opened, "--key-id", "02")
        assert "no private key with this name or ID; its keys are: 'first'" in " ".join(outcome.errors.split())

    def test_a_choice_that_cannot_be_meant(self, call, password_file):
        """A key in PEM has no name; a file of certificates has no key."""
        opened = ("--pkcs12-password-file", password_file)
        outcome = call("build", "--certs-only", "--cert", "ca.pem", "--key-name", "first")
        assert outcome.status == 2
        assert "--certs-only writes no key; leave out --key-name and --key-id" in " ".join(outcome.errors.split())
        assert call("build", "--pkcs12", "two.p12", *opened, "--key-name", "").status == 2

    @pytest.mark.parametrize("key_id", ["", "0", "xy", ":"])
    def test_what_is_no_id(self, call, key_id):
        """It is hexadecimal, and not empty."""
        outcome = call("build", "--pkcs12", "two.p12", "--key-id", key_id)
        assert outcome.status == 2
        assert "is not a localKeyID; write it in hexadecimal" in " ".join(outcome.errors.split())


class TestTwoFiles:
    """A key and its certificate in files of their own."""

    @pytest.mark.parametrize("option", ["key", "pkcs12"])
    def test_pem_and_pkcs12(self, call, password_file, option):
        """The certificate may be of any form; another key's is refused, and so is none."""
        key = (f"--{option}", "key.p12", f"--{option}-password-file", password_file)
        assert call("build", *key, "--cert", "server.pem").status == 0
        of_certificate = ("--cert-password-file", "of-certificate.txt")
        assert call("build", *key, "--cert", "certificate.p12", *of_certificate).status == 0
        outcome = call("build", *key, "--cert", "other.pem")
        assert outcome.status == 2
        assert outcome.errors.startswith("error: key.p12 and other.pem: the private key does not belong to")
        outcome = call("build", *key, "--cert", "certificate.p12")
        assert outcome.status == 2
        assert outcome.errors.endswith("; give it with --cert-password-file\n")

    def test_a_key_without_its_certificate(self, call, password_file):
        """What is missing is said; the key can be written as PEM."""
        outcome = call("build", "--pkcs12", "key.p12", "--pkcs12-password-file", password_file)
        assert outcome.status == 2
        assert "a PKCS#12 file without a certificate; give the certificate of the key as well" in outcome.errors

    def test_at_a_terminal(self, call, terminal, password_file):
        """Each password is asked for once, by the name of its file."""
        assert call("inspect", "key.p12").status == 0  # the files are there
        files = ("--pkcs12", "key.p12", "--cert", "certificate.p12")
        screen = terminal("build", *files, "--anchor", "ca.pem", "--out", "out.p12", "--password-file", password_file)
        screen.expect("Password of key.p12")
        screen.type(f"{PASSWORD}\n")
        screen.expect("Password of certificate.p12")
        screen.type("of the certificate\n")
        assert screen.finish() == 0
        assert screen.shown.count("Password of") == 2


class TestWithoutATerminal:
    """What needs no password asks nobody."""

    def test_a_file_without_password(self, call):
        """Every command opens it."""
        assert call("build", "--pkcs12", "bare.p12").status == 0
        assert call("build", "--key", "bare.p12", "--cert", "bare.p12").status == 0
        assert call("convert", "bare.p12", "new.p12").status == 0
        assert call("convert", "bare.p12", "new.pem", "--to", "pem", "--certs-only").status == 0
        assert call("verify", "bare.p12", "--anchor", "ca.pem").status == 0
        assert call("verify", "new.p12", "--anchor", "ca.pem").status == 0

    @pytest.mark.parametrize("unused", ["--pkcs12-password-file", "--cert-password-file", "--contents-password-file"])
    def test_a_password_that_is_not_needed(self, call, password_file, unused):
        """One configuration serves files with and without a password."""
        assert call("build", "--pkcs12", "bare.p12", "--cert", "server.pem", unused, password_file).status == 0


class TestAKeyWithItsOwnPassword:
    """The file has one password, and the key in it another."""

    @pytest.fixture
    def file(self, call, folder):
        """A file in the clear, with a MAC under the password, around an encrypted key."""
        assert call("inspect", "key.p12").status == 0  # the other files are there
        key = SERVER.private_key.private_bytes(
            Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"of the certificate")
        )
        bags = [certificate_bag(one.der) for one in (SERVER.certificate, CA.certificate)]
        bags.append(other_bag("pkcs8ShroudedKeyBag", key))
        data = encode_contents(bags, [], password=PASSWORD, profile=QUICK)
        (folder / "own.p12").write_bytes(data)
        return "own.p12"

    def test_each_command(self, call, file, password_file):
        """``--contents-password-file`` opens it; without it, or with a wrong one, a hint says so."""
        calls = {
            "build": ("--pkcs12", file, "--pkcs12-password-file", password_file),
            "verify": (file, "--anchor", "ca.pem", "--password-file", password_file),
            "rehearse": (file, "--anchor", "ca.pem", "--clients", "openssl", "--password-file", password_file),
            "convert": (file, "new.p12", "--password-file", password_file),
        }
        for command, options in calls.items():
            outcome = call(command, *options)
            assert outcome.status in {1, 2}
            assert "hint: --contents-password-file gives another password" in outcome.errors
            outcome = call(command, *options, "--contents-password-file", password_file)
            assert "neither the password nor that of --contents-password-file opens it" in outcome.errors
            outcome = call(command, *options, "--contents-password-file", "of-certificate.txt")
            assert outcome.status == (command == "verify")  # the file has no localKeyIDs
            assert "password" not in outcome.errors.partition("\nhint: ")[0]


class TestTraditional:
    """``--traditional`` and ``--key-only``: the key itself is meant to come out, so its secrets are not looked for."""

    @pytest.fixture
    def convert(self, call, monkeypatch, capsysbinary, folder, password_file):
        """Call ``convert --to pem``."""
        assert call("inspect", "key.p12").status == 0
        caller = Caller(monkeypatch, capsysbinary, folder, [PASSWORD.encode()])
        return lambda file, *more: caller(
            "convert", file, "new.pem", "--to", "pem", "--password-file", password_file, *more
        )

    def test_written(self, convert, folder):
        """SEC 1 for an elliptic curve, with its chain or alone; a file with nothing but the key gives its key."""
        assert convert("old-first.p12", "--traditional").status == 0
        text = (folder / "new.pem").read_text()
        assert text.count("-----BEGIN EC PRIVATE KEY-----") == 1
        assert text.count("-----BEGIN CERTIFICATE-----") == 2
        for options, label in (((), "PRIVATE KEY"), (("--traditional",), "EC PRIVATE KEY")):
            assert convert("key.p12", "--key-only", *options).status == 0
            text = (folder / "new.pem").read_bytes()
            assert text.startswith(f"-----BEGIN {label}-----".encode())
            assert b"CERTIFICATE" not in text
            assert load_pem_private_key(text, None).private_numbers() == SERVER.private_key.private_numbers()
        outcome = convert("key.p12")
        assert outcome.status == 2
        assert "no certificate for its private key; the key alone can be written (--key-only)" in outcome.errors

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            (("--to", "pkcs12", "--traditional"), "--traditional needs --to pem"),
            (("--to", "pkcs12", "--key-id", "01"), "--key-id needs --to pem"),
            (("--certs-only", "--traditional"), "give --certs-only or --traditional, not both"),
            (("--certs-only", "--key-only"), "give --certs-only or --key-only, not both"),
        ],
    )
    def test_what_cannot_be_meant(self, convert, options, sentence):
        """The form of a key that is not written, or not in PEM."""
        outcome = convert("old-first.p12", *options)
        assert outcome.status == 2
        assert sentence in " ".join(outcome.errors.split())
