"""``pkcs12kit build``: how the file is protected, what its entries are called, and whether it is written at all."""

from __future__ import annotations

import re
import subprocess

import pytest

import pkcs12kit as pk

from .conftest import PASSWORD

QUICK = ("--iterations", "3", "--no-second-opinion")


def inspected(folder, password=PASSWORD):
    """Take the file that was written apart."""
    return pk.inspect_pfx(folder / "server.p12", password=password)


class TestProtection:
    """``--profile``, ``--for``, ``--iterations``, ``--mac-iterations``."""

    def test_help_lists_every_profile_and_reader(self, call):
        """The help lists every name, so that it is the only place to look."""
        shown = re.sub(r"\s+", "", call("build", "--help").text)
        assert ",".join(pk.profiles.names()) in shown
        assert ",".join(pk.readers.READERS) in shown

    @pytest.mark.parametrize("name", [name for name in pk.profiles.names() if name != "no-password"])
    def test_each_profile(self, build, folder, name):
        """The name that was given, or the dated one that it stands for, is in the report; the file is of that kind."""
        profile = pk.profiles.find(name)
        few = str(profile.minimum_iterations)
        outcome = build("--json", "--no-second-opinion", profile=name, iterations=few)
        assert outcome.json["profile"] == profile.name
        assert outcome.json["iterations"] == {"encryption": int(few), "mac": int(few)}
        assert inspected(folder).mac.algorithm == profile.mac_algorithm

    def test_iterations_for_encryption_and_mac_apart(self, build, folder):
        """``--mac-iterations`` is for the MAC alone, with or without ``--iterations``."""
        build(iterations=7, mac_iterations=9)
        report = inspected(folder)
        assert (report.safe_contents[0].encryption.iterations, report.mac.iterations) == (7, 9)
        build(mac_iterations=11, profile="legacy")
        report = inspected(folder)
        assert (report.safe_contents[0].encryption.iterations, report.mac.iterations) == (2048, 11)

    @pytest.mark.released_iterations
    def test_released_counts(self, build, folder):
        """Without ``--iterations``, the report and the file have the 100,000 of the default profile."""
        assert build("--json", "--no-second-opinion").json["iterations"] == {"encryption": 100_000, "mac": 100_000}
        report = inspected(folder)
        assert (report.safe_contents[0].encryption.iterations, report.mac.iterations) == (100_000, 100_000)

    def test_by_reader(self, build):
        """The strongest profile that everyone named is known to open."""
        assert build("--json", "--for", "windows-2016", "--for", "java-17").json["profile"] == "legacy-3des"
        assert build("--json", "--for", "dotnet").json["profile"] == "modern-2023"

    def test_password_that_no_reader_named_refuses(self, build, folder, tmp_path, call, password_file):
        """No file is written that would be refused as 'wrong password'; ``convert`` writes none either."""
        beyond = tmp_path / "beyond.txt"
        beyond.write_text("p\xe4ssword", encoding="utf-8")
        refused = build("--for", "java-17", password_file=beyond)
        assert (refused.status, "cannot be used for java-17" in refused.errors) == (2, True)
        assert not (folder / "server.p12").exists()
        assert build(*QUICK).status == 0
        arguments = ("convert", "server.p12", "new.p12", "--password-file", password_file)
        refused = call(*arguments, "--new-password-file", beyond, "--for", "java-17")
        assert (refused.status, "cannot be used for java-17" in refused.errors) == (2, True)
        assert not (folder / "new.p12").exists()

    def test_no_profile_for_all(self, build):
        """Refused, with who does not open what."""
        outcome = build("--for", "windows-2016", "--for", "fips-140-3")
        assert outcome.status == 2
        assert outcome.errors.startswith("error: no profile is known to be opened by all of windows-2016, fips-140-3")

    def test_without_password(self, build, folder):
        """Nobody is asked for a password that protects nothing, and a warning says what that means."""
        outcome = build("--no-second-opinion", profile="no-password", password_file=None)
        assert outcome.status == 0
        assert "warning: the profile no-password has no password" in outcome.errors
        assert pk.decode_pfx((folder / "server.p12").read_bytes(), password=None).private_key is not None

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            (["--profile", "legacy", "--for", "macos"], "give --profile or --for, not both"),
            (["--profile", "no-password"], "has no password"),
            (["--for", "dotnet", "--iterations", "300001"], "--for dotnet: "),
            (["--profile", "fips-2026", "--iterations", "999"], "at least 1,000 iterations are needed, not 999"),
            (["--iterations", "0"], "not in the range"),
            (["--profile", "no-password", "--iterations", "5"], "no encryption"),
            (["--for", "netscape"], "is not one of"),
            (["--truststore"], "--truststore needs --certs-only"),
            (["--if-changed", "--out", "-"], "--if-changed compares with an existing file"),
        ],
    )
    def test_refused(self, build, options, sentence):
        """What cannot be meant is bad usage, before anything is read."""
        outcome = build(*options)
        assert outcome.status == 2
        assert sentence in " ".join(outcome.errors.split())


class TestNames:
    """``--friendly-name``, ``--certificate-name``, ``--ca-name``."""

    def test_each_entry(self, build, folder):
        """Key, end-entity, the first CAs as asked for, the others by their common names."""
        build(
            *QUICK, "--friendly-name", "key", "--certificate-name", "own", "--ca-name", "Übergabe", "--ca-name", "two"
        )
        certificates, key = (safe.bags for safe in inspected(folder).safe_contents)
        assert [bag.friendly_name for bag in certificates][:4] == [
            "own",
            "Übergabe",
            "two",
            "DoD Interoperability Root CA 2",
        ]
        assert key[0].friendly_name == "key"

    def test_names_that_cannot_be(self, build):
        """Beyond the basic multilingual plane: a sentence, for a CA as for the key. More names than CAs, too."""
        for option in ("--friendly-name", "--certificate-name", "--ca-name"):
            outcome = build(*QUICK, option, "\N{GRINNING FACE}")
            assert outcome.status == 2
            assert "basic multilingual plane" in outcome.errors
        outcome = build(*QUICK, *["--ca-name", "x"] * 6)
        assert outcome.status == 2
        assert "6 names given for 5 CA certificates" in outcome.errors


def test_truststore_is_what_keytool_lists_as_trusted(build, files, folder, password_file, require_tool):
    """Java lists each certificate as a trusted entry, under its own name; without the mark it lists none."""
    listed = {}
    for truststore in ((), ("--truststore",)):
        build(*QUICK, "--certs-only", *truststore, key=None, cert=files.issuing_ca)
        command = [
            "-list",
            "-storetype",
            "PKCS12",
            "-keystore",
            folder / "server.p12",
            "-storepass:file",
            password_file,
        ]
        done = subprocess.run([require_tool("keytool"), *command], capture_output=True, text=True, check=True)
        listed[truststore] = re.findall(r"^(.*?), .*trustedCertEntry", done.stdout, re.MULTILINE)
    assert listed[()] == []
    assert len(listed["--truststore",]) == 5
    assert "dod root ca 3" in listed["--truststore",]


class TestIfChanged:
    """``--if-changed``: exit status 0 both ways."""

    def test_left_alone(self, build, folder):
        """Said in the text and in the JSON; the file is the same one."""
        first = build(*QUICK, "--if-changed")
        assert "Wrote server.p12 (there was no file): the private key" in first.text
        before = (folder / "server.p12").stat().st_ino
        second = build(*QUICK, "--if-changed")
        assert (second.status, first.status) == (0, 0)
        assert "Did not change server.p12, which already has these contents: the private key" in second.text
        assert build(*QUICK, "--if-changed", "--json").json["changed"] is False
        assert (folder / "server.p12").stat().st_ino == before

    def test_changed(self, build):
        """The reason is given."""
        build(*QUICK)
        report = build(*QUICK, "--if-changed", "--json", "--friendly-name", "another").json
        assert (report["changed"], report["change"]) == (True, "it had other names")

    def test_wrong_password_replaces(self, build, folder, tmp_path):
        """A file that does not open with the password is replaced, and it is said so."""
        build(*QUICK)
        other = tmp_path / "other.txt"
        other.write_text("another password")
        outcome = build(*QUICK, "--if-changed", password_file=other)
        assert "Wrote server.p12 (the existing file does not open with this password)" in outcome.text
        assert inspected(folder, "another password").mac_verified is True
