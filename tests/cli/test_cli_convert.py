"""``pkcs12kit convert``: the command; what it keeps and how is in test_pfx_conversion.py."""

from __future__ import annotations

import stat

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates

import pkcs12kit as pk

from .conftest import PASSWORD, Caller, secrets_of

NEW_PASSWORD = "another password 77"
QUICK = pk.profiles.MODERN.with_iterations(encryption=3, mac=3)


@pytest.fixture
def bundle(replica):
    """The server's key and chain."""
    return pk.Bundle.from_path(replica.server, replica.valid_paths[0], friendly_name="mdm.example.mil")


@pytest.fixture
def source(bundle, folder):
    """A file to convert, in the current folder."""
    pk.write_pfx(folder / "in.p12", pk.encode_pfx(bundle, password=PASSWORD, profile=QUICK))
    return folder / "in.p12"


@pytest.fixture
def convert(call, source, password_file):
    """Call ``pkcs12kit convert in.p12 out.p12``, with the password of the file."""

    def call_convert(*more, output="out.p12", given=None, stdin=b""):
        password = ("--password-file", password_file) if given is None else given
        return call("convert", source.name, output, *password, *more, stdin=stdin)

    return call_convert


@pytest.fixture
def new_password_file(tmp_path):
    """A file with another password in it."""
    path = tmp_path / "new.txt"
    path.write_text(f"{NEW_PASSWORD}\n")
    return path


def protection(path):
    """How a file is protected, without its password."""
    return pk.inspect_pfx(path).safe_contents[0].encryption.algorithm


def test_for_a_reader(convert, folder, bundle):
    """The password stays, the protection is what the reader opens, nothing else changes; mode 0600."""
    outcome = convert("--for", "windows-2016")
    assert outcome.status == 0
    assert outcome.text.startswith("Wrote out.p12: profile legacy-3des, ")
    out = folder / "out.p12"
    assert protection(out) == "pbeWithSHAAnd3-KeyTripleDES-CBC"
    decoded = pk.decode_pfx(out.read_bytes(), password=PASSWORD)
    assert decoded.certificates == bundle.certificates
    assert decoded.friendly_names == bundle.aliases
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_another_password(convert, folder, new_password_file, monkeypatch):
    """From a file, or from the environment; the old one does not open it any more."""
    monkeypatch.setenv("NEW", NEW_PASSWORD)
    for option in (["--new-password-file", new_password_file], ["--new-password-env", "NEW"]):
        assert convert("--iterations", "3", *option).status == 0
        data = (folder / "out.p12").read_bytes()
        assert pk.decode_pfx(data, password=NEW_PASSWORD).private_key is not None
        with pytest.raises(pk.PfxPasswordError):
            pk.decode_pfx(data, password=PASSWORD)


def test_in_place(convert, source):
    """OUT may be the file itself: it is replaced in one step."""
    assert convert("--profile", "legacy", output="in.p12").status == 0
    assert protection(source) == "pbeWithSHAAnd3-KeyTripleDES-CBC"


def test_json(convert, bundle):
    """What was written, how it is protected, and every certificate; no key."""
    report = convert("--json", "--profile", "legacy", "--iterations", "7").json
    assert (report["output"], report["profile"]) == ("out.p12", "legacy-3des")
    assert report["iterations"] == {"encryption": 7, "mac": 7}
    assert report["private_keys"] == 1
    assert [it["sha256"] for it in report["certificates"]] == [it.sha256 for it in bundle.certificates]


def test_pipes(call, source, password_file):
    """From standard input to standard output."""
    outcome = call(
        "convert", "-", "-", "--password-file", password_file, "--profile", "legacy", stdin=source.read_bytes()
    )
    assert outcome.status == 0
    assert pk.decode_pfx(outcome.output, password=PASSWORD).private_key is not None


def test_without_password(convert, folder):
    """A profile that takes no password asks for none; such a file takes one again with a new password."""
    assert convert("--profile", "no-password").status == 0
    assert pk.decode_pfx((folder / "out.p12").read_bytes(), password=None).private_key is not None


def test_from_a_file_without_password(call, folder, bundle, new_password_file):
    """The copy has no password either, unless one is given; without a terminal nobody is asked; a warning says it."""
    pk.write_pfx(folder / "bare.p12", pk.encode_pfx(bundle, password=None, profile=pk.profiles.NO_PASSWORD))
    outcome = call("convert", "bare.p12", "out.p12", "--json")
    assert outcome.status == 0
    assert any("the password of the new file is empty" in warning for warning in outcome.json["warnings"])
    assert "the password of the new file is empty" in outcome.errors
    assert pk.decode_pfx((folder / "out.p12").read_bytes(), password=None).private_key is not None
    assert call("convert", "bare.p12", "out.p12", "--new-password-file", new_password_file).status == 0
    assert pk.decode_pfx((folder / "out.p12").read_bytes(), password=NEW_PASSWORD).private_key is not None


class TestPem:
    """``--to pem``: key and chain in one file, for Apache and nginx."""

    @pytest.fixture
    def convert(self, monkeypatch, capsysbinary, folder, source, password_file):
        """Call it where the key is meant to come out: of secrets the password alone must not."""
        caller = Caller(monkeypatch, capsysbinary, folder, (PASSWORD.encode(),))

        def call_convert(*more, output="server.pem"):
            return caller("convert", source.name, output, "--to", "pem", "--password-file", password_file, *more)

        return call_convert

    def test_written(self, convert, folder, replica, bundle):
        """The key, not encrypted, its certificate and each issuer; readable by its owner alone, whatever the umask."""
        outcome = convert()
        assert outcome.text.startswith("Wrote server.pem: PEM, the key not encrypted, 6 certificates, ")
        pem = (folder / "server.pem").read_bytes()
        assert load_pem_private_key(pem, None).public_key() == replica.server.private_key.public_key()
        assert [it.serial_number for it in load_pem_x509_certificates(pem)] == [
            it.serial_number for it in bundle.certificates
        ]
        assert stat.S_IMODE((folder / "server.pem").stat().st_mode) == 0o600

    def test_to_standard_output(self, convert):
        """The PEM and nothing else."""
        outcome = convert(output="-")
        assert outcome.output.split(b"\n", 1)[0] == b"BEGIN PRIVATE KEY".center(27, b"-")
        assert outcome.output.endswith(b"-----END CERTIFICATE-----\n")

    def test_key_is_never_shown(self, call, source, password_file):
        """With a file to write to, not a byte of the key is on standard output or standard error."""
        assert call("convert", source.name, "x.pem", "--to", "pem", "--password-file", password_file).status == 0

    def test_key_name(self, convert):
        """Which key is meant, by name; a name that there is not is refused with those there are."""
        assert convert("--key-name", "mdm.example.mil").status == 0
        outcome = convert("--key-name", "other")
        assert outcome.status == 2
        assert "its keys are: 'mdm.example.mil'" in outcome.errors

    def test_two_files(self, convert, folder):
        """RFC 8446 section 4.4.2's chain in one, the key in the other: what Apache's manual advises."""
        assert convert("--key-only", output="server.key").text.startswith(
            "Wrote server.key: PEM, only the key, not encrypted, "
        )
        assert convert("--certs-only").text.startswith("Wrote server.pem: PEM, 6 certificates, no key, ")
        key, certificates = (folder / "server.key").read_bytes(), (folder / "server.pem").read_bytes()
        assert (b"CERTIFICATE" in key, b"PRIVATE KEY" in certificates) == (False, False)
        assert load_pem_private_key(key, None).public_key() == load_pem_x509_certificates(certificates)[0].public_key()
        for file in ("server.key", "server.pem"):
            assert stat.S_IMODE((folder / file).stat().st_mode) == 0o600

    def test_json(self, convert, bundle):
        """What was written, which is not all that the file holds."""
        own = [certificate.sha256 for certificate in bundle.certificates]
        for options, keys, certificates in (((), 1, own), (("--certs-only",), 0, own), (("--key-only",), 1, [])):
            report = convert("--json", *options).json
            assert report["private_keys"] == keys
            assert [it["sha256"] for it in report["certificates"]] == certificates

    def test_without_a_key(self, call, folder, bundle, password_file):
        """A file of certificates alone, as ``build --certs-only`` makes it, gives them, and says so."""
        alone = pk.Bundle(private_key=None, certificates=bundle.certificates[:1])
        pk.write_pfx(folder / "ca.p12", pk.encode_pfx(alone, password=PASSWORD, profile=QUICK))
        for options in ([], ["--certs-only"]):
            outcome = call("convert", "ca.p12", "ca.pem", "--to", "pem", "--password-file", password_file, *options)
            assert outcome.text.startswith("Wrote ca.pem: PEM, 1 certificate, no key, ")
            assert (folder / "ca.pem").read_text() == bundle.certificates[0].to_pem()
        for options in (["--key-only"], ["--key-name", "x"]):
            outcome = call("convert", "ca.p12", "no.pem", "--to", "pem", "--password-file", password_file, *options)
            assert outcome.status == 2
            assert outcome.errors.startswith("error: ca.p12: the PKCS#12 file holds no private key")
            assert not (folder / "no.pem").exists()

    def test_not_both(self, convert):
        """Nothing would be left."""
        outcome = convert("--certs-only", "--key-only")
        assert outcome.status == 2
        assert "give --certs-only or --key-only, not both" in outcome.errors

    @pytest.mark.parametrize(
        "options", [["--profile", "legacy"], ["--for", "nss"], ["--iterations", "5"], ["--ask-new-password"]]
    )
    def test_no_protection(self, convert, options):
        """PEM has no profile and no password; whoever gives one thinks it has."""
        outcome = convert(*options)
        assert outcome.status == 2
        assert "--to pem writes the key without encryption" in " ".join(outcome.errors.split())


class TestRefused:
    """Nothing is written."""

    def test_wrong_password(self, convert, tmp_path):
        """Exit status 2, and the file is named."""
        wrong = tmp_path / "wrong.txt"
        wrong.write_text("wrong")
        outcome = convert(given=("--password-file", wrong))
        assert outcome.status == 2
        assert outcome.errors.startswith("error: in.p12: the MAC of the PKCS#12 file does not verify")

    def test_no_password(self, convert):
        """Without a terminal the options that give one are named."""
        outcome = convert(given=())
        assert outcome.status == 2
        assert "give it with --password-file, --password-env or --password-stdin" in outcome.errors

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            (["--key-name", "x"], "--key-name needs --to pem"),
            (["--certs-only"], "--certs-only needs --to pem"),
            (["--key-only"], "--key-only needs --to pem"),
            (["--profile", "legacy", "--for", "nss"], "give --profile or --for, not both"),
            (["--profile", "no-password", "--new-password-env", "X"], "has no password"),
            (["--new-password-env", "MISSING"], "--new-password-env: the environment variable MISSING is not set"),
            (["--new-password-env", "X", "--new-password-file", "x"], "give only one of --new-password-file"),
            (["--ask-new-password"], "no terminal"),
            (["--to", "jks"], "'jks' is not one of"),
        ],
    )
    def test_options(self, convert, options, sentence):
        """What cannot be meant, or is not there."""
        outcome = convert(*options)
        assert outcome.status == 2
        assert sentence in " ".join(outcome.errors.split())

    def test_json_and_standard_output(self, convert):
        """Both want it."""
        outcome = convert("--json", output="-")
        assert outcome.status == 2
        assert "both write to standard output" in outcome.errors

    def test_what_is_no_pkcs12(self, call, files):
        """Said with what it is instead; a file that is not there, too."""
        outcome = call("convert", files.issuing_ca, "out.p12")
        assert outcome.status == 2
        assert "expected a PKCS#12 file, found PEM text" in outcome.errors
        assert call("convert", "missing.p12", "out.p12").status == 2

    def test_output_that_cannot_be_written(self, convert, folder):
        """A symbolic link is refused as everywhere."""
        (folder / "link.p12").symlink_to("elsewhere")
        outcome = convert(output="link.p12")
        assert outcome.status == 2
        assert outcome.errors.startswith("error: cannot write link.p12: it is a symbolic link")


def test_at_a_terminal(terminal, source, replica):
    """The old password is asked for once, the new one twice, and neither is shown."""
    session = terminal("convert", source, "out.p12", "--iterations", "3", "--ask-new-password")
    session.expect("Password of ")
    session.type(f"{PASSWORD}\n")
    session.expect("Password for the new file")
    session.type(f"{NEW_PASSWORD}\n")
    session.expect("The same password again")
    session.type(f"{NEW_PASSWORD}\n")
    assert session.finish() == 0
    assert "Wrote out.p12" in session.shown
    for secret in secrets_of(replica.server.private_key, PASSWORD, NEW_PASSWORD):
        assert secret.decode("latin-1") not in session.shown
    assert pk.decode_pfx((source.parent / "out.p12").read_bytes(), password=NEW_PASSWORD).private_key is not None


class TestIfChanged:
    """``--if-changed``: a file with the same contents under the same password stays; else the answer says why."""

    @pytest.mark.parametrize(
        "options",
        [
            ("--iterations", "3"),
            ("--profile", "legacy", "--iterations", "3"),
            ("--profile", "no-password"),
            ("--to", "pem"),
            ("--to", "pem", "--certs-only"),
            ("--to", "pem", "--key-only", "--traditional"),
        ],
    )
    def test_the_same(self, convert, folder, options):
        """The second call leaves the file, the clock of the file too; another form is another file."""
        first = convert("--if-changed", "--json", *options).json
        assert (first["changed"], first["change"]) == (True, "there was no file")
        before = (folder / "out.p12").stat()
        second = convert("--if-changed", "--json", *options).json
        assert (second["changed"], second["change"]) == (False, None)
        after = (folder / "out.p12").stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
        assert "Did not change out.p12, which already has these contents" in convert("--if-changed", *options).text
        other = ("--to", "pem") if "pem" not in options else ("--iterations", "5")
        assert convert("--if-changed", "--force", "--json", *other).json["changed"]
        assert convert("--if-changed", "--force", "--json", *options).json["changed"]

    def test_without_it_a_file_is_always_written(self, convert, folder):
        """``changed`` is true then, and there is no reason."""
        convert("--iterations", "3")
        before = (folder / "out.p12").read_bytes()
        report = convert("--iterations", "3", "--json").json
        assert (report["changed"], report["change"]) == (True, None)
        assert (folder / "out.p12").read_bytes() != before

    def test_in_place(self, convert, source):
        """A file that already is as it is asked for is not rewritten under its own name."""
        convert("--iterations", "3", output="in.p12")
        before = source.read_bytes()
        assert convert("--iterations", "3", "--if-changed", "--json", output="in.p12").json["changed"] is False
        assert source.read_bytes() == before

    @pytest.mark.parametrize(
        ("options", "why"),
        [
            (("--iterations", "4"), "protected in another way"),
            (("--mac-iterations", "4"), "protected in another way"),
            (("--profile", "legacy"), "protected in another way"),
        ],
    )
    def test_each_protection(self, convert, options, why):
        """One number of the protection is enough."""
        convert("--iterations", "3")
        assert why in convert("--iterations", "3", *options, "--if-changed", "--json").json["change"]

    def test_another_password_and_other_contents(self, convert, bundle, folder, new_password_file):
        """The password, a name, the order, a certificate or the mode."""
        out = folder / "out.p12"
        convert("--iterations", "3")
        changed = convert("--iterations", "3", "--new-password-file", new_password_file, "--if-changed", "--json").json
        assert changed["change"] == "the existing file does not open with this password"
        first, *others = bundle.certificates
        key = bundle.private_key
        for other, why in (
            (pk.Bundle(private_key=key, certificates=bundle.certificates, friendly_name="x"), "other names"),
            (pk.Bundle(private_key=key, certificates=(first, *others[::-1])), "other certificates"),
            (pk.Bundle(private_key=key, certificates=(first, *others[:-1])), "other certificates"),
            (pk.Bundle(certificates=bundle.certificates), "protected in another way"),
        ):
            pk.write_pfx(out, pk.encode_pfx(other, password=PASSWORD, profile=QUICK))
            assert why in convert("--iterations", "3", "--if-changed", "--json").json["change"]
        out.chmod(0o644)
        assert convert("--iterations", "3", "--if-changed", "--json").json["change"] == "its mode was 0644"
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        out.write_bytes(b"\x30\x80" * 50)
        assert "cannot be read" in convert("--iterations", "3", "--if-changed", "--force", "--json").json["change"]

    def test_standard_output(self, convert):
        """There is no file to compare with."""
        outcome = convert("--if-changed", output="-")
        assert (outcome.status, "--if-changed compares with an existing file" in outcome.errors) == (2, True)
