"""``--for`` with real files: a key or certificate that a program does not open is a no, in every command and call."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk
from pkcs12kit.findings import Answer

from .calling import NO, UNUSABLE, YES, call

PASSWORD = "correct horse 42 battery"
QUICK = replace(pk.profiles.MODERN, encryption_iterations=3, mac_iterations=3)
TYPES = {"ed25519": pk.lab.KeyType.ED25519, "ml-dsa": pk.lab.KeyType.ML_DSA_65, "ec": pk.lab.KeyType.EC_P256}


@pytest.fixture(scope="module")
def servers():
    """A server by kind of key, below one root with an EC key."""
    root = pk.lab.Authority.create("Root", key_type=pk.lab.KeyType.EC_P256)
    return root, {name: root.issue_server("a.example", key_type=kind) for name, kind in TYPES.items()}


@pytest.fixture
def files(servers, tmp_path):
    """The files of each server: NAME.key, NAME.der and NAME.p12; root.der and the password."""
    root, by_name = servers
    (tmp_path / "word").write_text(PASSWORD)
    (tmp_path / "root.der").write_bytes(root.certificate.der)
    for name, server in by_name.items():
        key = server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / f"{name}.key").write_bytes(key)
        (tmp_path / f"{name}.der").write_bytes(server.certificate.der)
        built = pk.build(identity=server, trust_anchors=root.certificate, password=PASSWORD, profile=QUICK)
        (tmp_path / f"{name}.p12").write_bytes(built.data)
    return tmp_path


ANSWERS = {
    # key, reader: opens
    ("ec", "nss-3.87"): True,
    ("ed25519", "nss-3.87"): False,
    ("ed25519", "openssl-3.0"): True,
    ("ed25519", "go-1.24"): False,
    ("ml-dsa", "openssl-3.0"): False,
    ("ml-dsa", "openssl-3.5"): True,
    ("ml-dsa", "openssl>=3.0"): False,
    ("ml-dsa", "java-25"): False,
    ("ml-dsa", "java-25.0.5"): True,
    ("ml-dsa", "windows-2022"): False,  # nothing is known
    ("ec", "java>=17"): True,
}


def build_words(files, name, reader):
    """The words of ``build`` for a server and a reader."""
    words = ["build", "--key", files / f"{name}.key", "--cert", files / f"{name}.der", "--anchor", files / "root.der"]
    return [*words, "--for", reader, "--iterations", "1000", "--password-file", files / "word", "--no-second-opinion"]


@pytest.mark.parametrize(("name", "reader"), ANSWERS)
def test_every_command_says_the_same(servers, files, name, reader):
    """Nothing is written for a reader that is not known to open the key, and no check says yes."""
    opens = ANSWERS[name, reader]
    new = files / "new.p12"
    for words in (
        [*build_words(files, name, reader), "--out", new],
        [
            "convert",
            files / f"{name}.p12",
            new,
            "--for",
            reader,
            "--iterations",
            "1000",
            "--password-file",
            files / "word",
        ],
    ):
        done = call(*words)
        assert (done.status == YES) == new.exists() == opens, done
        if not opens:
            assert "is not known to open a file with this key" in done.errors
        new.unlink(missing_ok=True)
    words = ["verify", files / f"{name}.p12", "--anchor", files / "root.der", "--password-file", files / "word"]
    done = call(*words, "--for", reader, "--json")
    assert done.status == (YES if opens else NO), done
    assert "pkcs12kit convert" not in done.errors  # no other protection helps
    report = pk.inspect_pfx(files / f"{name}.p12", password=PASSWORD)
    assert (pk.readers.find(reader).judge(report.facts).answer is Answer.YES) == opens
    root, by_name = servers
    given = {"identity": by_name[name], "trust_anchors": root.certificate, "password": PASSWORD}
    if opens:
        assert pk.build(**given, profile=QUICK, for_readers=[reader]).profile == QUICK
        return
    with pytest.raises(pk.InputError, match="is not known to open a file with this key"):
        pk.build(**given, for_readers=[reader])


def test_a_certificate_of_the_chain_counts():
    """Not only the key: a root with a key that a program does not know is a no as well."""
    root = pk.lab.Authority.create("ML", key_type=pk.lab.KeyType.ML_DSA_44)
    server = root.issue_server("a.example", key_type=pk.lab.KeyType.EC_P256)
    given = {"identity": server, "trust_anchors": root.certificate, "password": PASSWORD, "second_opinion": False}
    with pytest.raises(pk.InputError, match="with these certificates"):
        pk.build(**given, for_readers=["bouncycastle-1.72"])
    assert pk.build(**given, for_readers=["openssl-3.0"], profile=QUICK).profile == QUICK


def test_a_file_that_was_not_opened_is_no_yes(files):
    """Without the password neither the key nor the certificates are known: no reader is known to open it."""
    report = pk.inspect_pfx(files / "ec.p12")
    assert {verdict.answer for verdict in report.readers.values()} <= {Answer.NO, Answer.UNKNOWN}
    assert "not all contents were opened" in report.readers["openssl-3"].why
    shown = " ".join(call("inspect", files / "ed25519.p12").output.split())
    assert "Its protection is supported by: openssl-1.0, " in shown
    assert "Can be imported by" not in shown
    opened = " ".join(call("inspect", files / "ed25519.p12", "--password-file", files / "word").output.split())
    (can,) = re.findall("Can be imported by: (.*?) [^ ]* Cannot", opened)
    assert {"openssl-3.0", "java-17"} <= set(can.split(", "))
    assert "nss-3.110" not in can


def test_which_version_a_name_means(files):
    """Text and JSON of each command say which version a bare name stands for."""
    said = "openssl means openssl-3.5, the newest version in the table"
    done = call(*build_words(files, "ec", "openssl"), "--out", files / "new.p12", "--json")
    assert done.status == YES
    assert f"warning: {said}" in done.errors
    assert said in json.loads(done.output)["warnings"]
    words = ["--for", "openssl", "--password-file", files / "word", "--json"]
    for done in (
        call("convert", files / "ec.p12", files / "new2.p12", *words, "--iterations", "1000"),
        call("verify", files / "ec.p12", "--anchor", files / "root.der", *words),
    ):
        assert done.status == YES
        assert f"warning: {said}" in done.errors
        assert said in json.loads(done.output)["warnings"]
    assert json.loads(call("inspect", files / "ec.p12", "--password-file", files / "word", "--json").output)["readers"][
        "openssl"
    ]["versions"] == ["openssl-3.5"]
    for name in ("openssl-3.5", "java-17"):
        done = call(*build_words(files, "ec", name), "--out", files / "new3.p12", "--force")
        assert " means " not in done.errors


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("java-7", "the oldest version in the table is java-8"),
        ("java>17", "only conditions such as 'java>=26'"),
        ("jaav-17", "Did you mean"),
        ("opensl>=3", "'openssl'"),
        ("firefox", "nss"),
    ],
)
def test_other_names(files, name, said):
    """Each command refuses them as bad usage, with what is meant."""
    for words in (
        [*build_words(files, "ec", name), "--out", files / "new.p12"],
        ["convert", files / "ec.p12", files / "new.p12", "--for", name],
        ["verify", files / "ec.p12", "--anchor", files / "root.der", "--for", name],
    ):
        done = call(*words)
        assert done.status == UNUSABLE
        assert said in done.errors, done.errors
        assert not (files / "new.p12").exists()


def test_a_reader_of_ones_own(servers, files):
    """Verification takes a Reader as well as a name, also one that is not in the table."""
    root, _ = servers
    own = replace(pk.readers.find("openssl-3.0"), name="ours")
    for reader, outcome in ((own, True), (replace(own, statements=()), False)):
        report = pk.verify(
            files / "ec.p12", trust_anchors=root.certificate, password=PASSWORD, readers=[reader], second_opinion=False
        )
        assert report.ok is outcome


def test_a_profile_with_readers(servers):
    """A profile beside readers must be one that all of them are known to open."""
    root, by_name = servers
    given = {"identity": by_name["ec"], "trust_anchors": root.certificate, "password": PASSWORD}
    with pytest.raises(pk.InputError, match=r"java-8 is not known to open the profile modern-2023"):
        pk.build(**given, profile=QUICK, for_readers=["java-8"])
    with pytest.raises(pk.ArgumentError, match="not both"):
        pk.build(**given, profile="modern", for_readers=["java-8"])


MANIFEST = """
version = 1
[[bundle]]
name = "a"
key = "{key}.key"
certificate = "{key}.der"
trust_anchors = "root.der"
password = {{ file = "word" }}
output = "a.p12"
for = "{reader}"
no_second_opinion = true
{more}
"""


@pytest.mark.parametrize("more", ["", "iterations = 1000"])
@pytest.mark.parametrize(("key", "reader"), [("ed25519", "nss"), ("ml-dsa", "openssl>=3.0"), ("ec", "java >= 17")])
def test_a_manifest(files, key, reader, more):
    """``for`` of a manifest takes the same names, and judges the key in a run and in a plan."""
    (files / "fleet.toml").write_text(MANIFEST.format(key=key, reader=reader, more=more))
    opens = key == "ec"
    for words in (["--plan"], []):
        done = call("batch", files / "fleet.toml", "--json", *words)
        assert done.status == (YES if opens else NO), done
        (bundle,) = json.loads(done.output)["bundles"]
        assert ("is not known to open a file with this key" in str(bundle)) is not opens
    assert (files / "a.p12").exists() is opens
    if opens:
        assert "java>=17 means java-17, " in str(bundle["warnings"])


def test_a_manifest_with_other_names(files):
    """Names that are none are reported with their line before anything is done."""
    for reader, said in (("java-7", "oldest version in the table is java-8"), ("jaav", "did you mean 'java'")):
        (files / "fleet.toml").write_text(MANIFEST.format(key="ec", reader=reader, more=""))
        done = call("batch", files / "fleet.toml")
        assert done.status == UNUSABLE
        assert said in done.errors
        assert not (files / "a.p12").exists()
