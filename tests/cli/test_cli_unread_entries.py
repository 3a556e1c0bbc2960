"""A PKCS#12 file with entries that are not read: what inspect, verify and convert say about them."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk
from pkcs12kit.pkcs12.bags import certificate_bag, other_bag
from pkcs12kit.pkcs12.encoder import PlainKey, PlainSecret, encode_contents

from .conftest import PASSWORD

QUICK = pk.profiles.MODERN.with_iterations(encryption=3, mac=3)
GOST = bytes.fromhex("3013020100300a06082a85030701010101040201ff")
NAMED = "GOST R 34.10-2012 with 256 bits (1.2.643.7.1.1.1.1)"
# friendlyName, a UTF8String: odd
ODD_NAME = bytes.fromhex("3114 3012 06092a864886f70d010914 3105 0c03") + b"srv"


@pytest.fixture
def keys(replica):
    """The server's key with the localKeyID 01, and a GOST key with 02."""
    info = replica.server.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return [
        PlainKey(private_key_info=info, friendly_name="mdm", local_key_id=b"\1"),
        PlainKey(private_key_info=GOST, friendly_name="gost", local_key_id=b"\2"),
    ]


@pytest.fixture
def chain(replica):
    """The bags of the server's chain."""
    first, *others = replica.valid_paths[0].with_anchor
    return [certificate_bag(first.der, local_key_id=b"\1"), *(certificate_bag(one.der) for one in others)]


@pytest.fixture
def anchor(folder, replica):
    """The trust anchor's file."""
    (folder / "anchor.pem").write_text(replica.valid_paths[0].with_anchor[-1].to_pem())
    return folder / "anchor.pem"


@pytest.fixture
def file(folder, keys, chain):
    """A file of both keys."""
    (folder / "both.p12").write_bytes(encode_contents(chain, keys, password=PASSWORD, profile=QUICK))
    return folder / "both.p12"


def test_inspect_names_the_key_and_its_algorithm(call, file, password_file):
    """A key that is not read is shown as such, with its algorithm; the rest is shown as always."""
    given = ("inspect", file.name, "--password-file", password_file)
    outcome = call(*given)
    assert outcome.status == 1
    assert f"not read: {NAMED}" in outcome.text
    assert "mdm.example.mil" in outcome.text
    report = call(*given, "--json").json
    (key,) = report["unread_keys"]
    assert (key["place"], key["friendly_name"], key["local_key_id"]) == ("bag 2 of SafeContents 2", "gost", "02")
    assert key["algorithm"] == NAMED
    assert report["notes"][0].startswith("bag 2 of SafeContents 2, 'gost': its private key is not read")


def test_verify_asks_which_key(call, file, password_file, anchor):
    """Yes about the key that is read, if it is chosen; otherwise both are listed, or the reason is."""
    given = ("verify", file.name, "--anchor", anchor, "--password-file", password_file)
    outcome = call(*given)
    assert outcome.status == 2
    assert "'mdm', localKeyID 01" in outcome.errors
    assert f"'gost', localKeyID 02, not read: {NAMED}" in outcome.errors
    chosen = call(*given, "--key-id", "01", "--json")
    assert (chosen.status, chosen.json["ok"]) == (0, True)
    assert call(*given, "--key-name", "gost").status == 2


def test_convert_keeps_the_key(call, folder, file, password_file):
    """The octets of the GOST key are in the new file, and a warning names it, at the terminal and in JSON."""
    given = ("convert", file.name, "new.p12", "--password-file", password_file)
    outcome = call(*given, "--profile", "legacy-3des", "--json")
    assert outcome.status == 0
    assert outcome.json["private_keys"] == 2
    (warning,) = outcome.json["warnings"]
    assert "bag 2 of SafeContents 2, 'gost'" in warning
    assert warning in outcome.errors
    clear = call("convert", "new.p12", "clear.p12", "--password-file", password_file, "--profile", "no-password")
    assert clear.status == 0
    assert GOST in (folder / "clear.p12").read_bytes()


def test_pem_of_a_file_whose_key_is_not_read(call, folder, keys, chain, password_file):
    """Never only the certificates in silence; with --certs-only they are written."""
    (folder / "gost.p12").write_bytes(encode_contents(chain, keys[1:], password=PASSWORD, profile=QUICK))
    given = ("convert", "gost.p12", "new.pem", "--to", "pem", "--password-file", password_file)
    refused = call(*given)
    assert refused.status == 2
    assert NAMED in refused.errors
    assert not (folder / "new.pem").exists()
    assert call(*given, "--certs-only").status == 0
    assert (folder / "new.pem").read_text().count("BEGIN CERTIFICATE") == len(chain)


def test_a_secret_of_another_password(call, folder, keys, chain, password_file, tmp_path):
    """It is refused with a new password, and opened with its own; with the same password a warning names it."""
    secret = PlainSecret(secret=GOST, value_type="1.2.840.113549.1.12.10.1.2", in_octets=True, attribute_field=ODD_NAME)
    other = pk.decode_pfx(encode_contents([secret], [], password="third", profile=QUICK), password="third")
    (bag,) = other.other_bags
    kept = other_bag("secretBag", bag.value, attribute_field=ODD_NAME)
    (folder / "in.p12").write_bytes(encode_contents([*chain, kept], keys[:1], password=PASSWORD, profile=QUICK))
    (tmp_path / "new.txt").write_text("another\n")
    (tmp_path / "third.txt").write_text("third\n")
    given = ("convert", "in.p12", "out.p12", "--password-file", password_file)
    new = ("--new-password-file", tmp_path / "new.txt")
    refused = call(*given, *new)
    assert refused.status != 0
    assert "'srv'" in refused.errors
    assert "--contents-password-file" in refused.errors
    assert not (folder / "out.p12").exists()
    opened = call(*given, *new, "--contents-password-file", tmp_path / "third.txt")
    assert (opened.status, opened.errors) == (0, "")
    same = call("convert", "in.p12", "same.p12", "--password-file", password_file, "--json")
    (warning,) = same.json["warnings"]
    assert "'srv'" in warning
    assert "it is kept as it is" in warning
