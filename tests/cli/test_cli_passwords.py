"""Passwords: from a prompt, a file, a variable or standard input; never from an argument, and never shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from pkcs12kit import Bundle, PasswordError, PfxPasswordError, decode_pfx, encode_pfx, profiles
from pkcs12kit import build as build_file
from pkcs12kit.limits import DEFAULT_LIMITS

from .conftest import PASSWORD


@pytest.fixture
def arguments(files):
    """What ``build`` needs but for a password."""
    given = ("--key", files.key, "--cert", files.certificate, "--certs", files.certificates)
    return ("build", *given, "--anchor", files.trust_anchor, "--out", "server.p12")


TYPED_WRONG = (
    "run the command again, which asks for the password: capital letters, spaces and the keyboard layout count"
)


def opens(folder, password):
    """Whether the file that was built opens with this password."""
    try:
        decode_pfx((folder / "server.p12").read_bytes(), password=password)
    except PfxPasswordError:
        return False
    return True


class TestFileVariableStandardInput:
    """The first line, UTF-8, without its line end."""

    @pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nsecond line\n"])
    def test_file(self, build, folder, tmp_path, end):
        """With any line end or none; what follows the first line is not part of it."""
        file = tmp_path / "given.txt"
        file.write_bytes(f"{PASSWORD}{end}".encode())
        assert build(password_file=file).status == 0
        assert opens(folder, PASSWORD)
        assert not opens(folder, f"{PASSWORD}\n")

    def test_file_with_a_byte_order_mark(self, build, folder, tmp_path):
        """As editors on Windows write one."""
        file = tmp_path / "given.txt"
        file.write_text(PASSWORD, "utf-8-sig")
        assert build(password_file=file).status == 0
        assert opens(folder, PASSWORD)

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    def test_utf_16_with_a_byte_order_mark(self, build, files, folder, tmp_path, call, encoding):
        """As PowerShell's ``>`` writes it, from a file and on standard input; U+010A has the byte of a line end."""
        password = "p\u010a\u0a0a\u00e4"
        call.secrets += (password.encode(),)
        data = f"\ufeff{password}\r\nmore".encode(encoding)
        file = tmp_path / "given.txt"
        file.write_bytes(data)
        assert build(password_file=file).status == 0
        assert opens(folder, password)
        assert call("verify", "server.p12", "--anchor", files.trust_anchor, "--password-stdin", stdin=data).status == 0

    def test_white_space_counts(self, build, folder, tmp_path):
        """A password may begin and end with a space."""
        file = tmp_path / "given.txt"
        file.write_text(" a b \n")
        assert build(password_file=file).status == 0
        assert opens(folder, " a b ")

    def test_variable(self, build, folder, monkeypatch):
        """The whole value."""
        monkeypatch.setenv("P12_PASSWORD", PASSWORD)
        assert build(password_file=None, password_env="P12_PASSWORD").status == 0
        assert opens(folder, PASSWORD)

    def test_standard_input(self, build, folder):
        """One line; ``inspect`` takes it the same way."""
        assert build("--password-stdin", password_file=None, stdin=f"{PASSWORD}\n".encode()).status == 0
        assert opens(folder, PASSWORD)

    def test_inspect_takes_it_from_each(self, call, build, monkeypatch, password_file):
        """File, variable and standard input open a file."""
        assert build().status == 0
        monkeypatch.setenv("P12_PASSWORD", PASSWORD)
        for more, stdin in (
            (["--password-file", password_file], b""),
            (["--password-env", "P12_PASSWORD"], b""),
            (["--password-stdin"], PASSWORD.encode()),
        ):
            assert call("inspect", "server.p12", "--json", *more, stdin=stdin).json["mac_verified"] is True

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            (b"\xff\xfep\0a", "the password is not UTF-16 text"),
            (b"p\xff", "the password is not UTF-8 text"),
            (b"p\0a\0\r\0\n\0", "iconv -f UTF-16LE -t UTF-8 "),
            (b"\0p\0a", "iconv -f UTF-16BE -t UTF-8 "),
            (b"pa\0", "the password contains a NUL character"),
            (b"x" * 70_000, "larger than 65,536 bytes"),
        ],
    )
    def test_what_is_no_password(self, build, tmp_path, data, sentence):
        """UTF-16 that cannot be read for certain, with the command that converts it; and something else."""
        file = tmp_path / "given.txt"
        file.write_bytes(data)
        outcome = build(password_file=file)
        assert outcome.status == 2
        assert outcome.errors.startswith(f"error: --password-file {file}: ")
        assert sentence in outcome.errors

    def test_variable_that_is_not_there_or_no_text(self, build, monkeypatch):
        """The variable is named, its value is not."""
        outcome = build(password_file=None, password_env="NOWHERE")
        assert outcome.status == 2
        assert outcome.errors == "error: --password-env: the environment variable NOWHERE is not set\n"
        monkeypatch.setenv("BYTES", "\udcff\udcfe")
        outcome = build(password_file=None, password_env="BYTES")
        assert outcome.status == 2
        assert outcome.errors == "error: --password-env: the environment variable BYTES is not UTF-8 text\n"

    def test_a_line_too_long_on_standard_input(self, build):
        """It is read up to a limit."""
        outcome = build("--password-stdin", password_file=None, stdin=b"x" * 70_000)
        assert outcome.status == 2
        assert "longer than 65,536 bytes" in outcome.errors


class TestWrong:
    """What may help depends on where the password came from."""

    @pytest.fixture
    def server(self, build, folder):
        """A file with its password."""
        assert build().status == 0
        return folder / "server.p12"

    @pytest.mark.parametrize(
        ("options", "stdin", "told"),
        [
            (("--password-env", "OTHER"), b"", "the password is the whole value of OTHER, with every space in it"),
            (
                ("--password-stdin",),
                b"not it\n",
                "the password is the whole first line of standard input, with every space in it",
            ),
        ],
    )
    @pytest.mark.parametrize("command", ["verify", "rehearse", "inspect", "convert"])
    def test_given(self, call, server, files, monkeypatch, command, options, stdin, told):
        """Of a password file nothing is said where none was given."""
        monkeypatch.setenv("OTHER", "not it ")
        more = {"convert": ("new.p12",), "inspect": ()}.get(command, ("--anchor", files.trust_anchor))
        assert call(command, server, *more, *options, stdin=stdin).errors.splitlines()[1:] == [f"hint: {told}"]

    @pytest.mark.parametrize(("command", "answers"), [("verify", 3), ("convert", 3), ("rehearse", 2)])
    def test_typed(self, terminal, server, files, command, answers):
        """At the prompt: three times in all; nothing invites to type the password into the shell afterwards."""
        more = {"convert": ("new.p12",), "rehearse": ("--anchor", files.trust_anchor, "--clients", "openssl")}
        screen = terminal(command, "server.p12", *more.get(command, ("--anchor", files.trust_anchor)))
        for attempt in range(answers):
            screen.expect(f"Password of {server.name}")
            screen.type("not it\n")
            if attempt < 2:
                screen.expect("try again")
        if answers == 2:
            screen.expect(f"Password of {server.name}")
            screen.type(f"{PASSWORD}\n")
            assert screen.finish() == 0
        else:
            assert screen.finish() in {1, 2}
            assert TYPED_WRONG in " ".join(screen.shown.split())
        assert "not it" not in screen.shown
        assert PASSWORD not in screen.shown


class TestWarnings:
    """What will hurt later is said now, without showing the password."""

    @pytest.mark.parametrize("password", ["pässword", "tab\there", "日本"])
    def test_not_printable_ascii(self, build, tmp_path, folder, call, password):
        """Java cannot open such a file; it is written all the same, and opens here."""
        call.secrets += (password.encode(),)
        file = tmp_path / "given.txt"
        file.write_text(password, "utf-8")
        outcome = build("--json", password_file=file)
        assert outcome.status == 0
        warning = "the password is not printable ASCII: some readers, such as Java, cannot open the file"
        assert outcome.errors == f"warning: {warning}\n"
        assert outcome.json["warnings"] == [warning]
        assert opens(folder, password)

    @pytest.mark.parametrize("password", [" a", "a\u00a0", "a\t"])
    def test_blanks_at_the_ends(self, build, call, tmp_path, password):
        """They are part of the password; a warning says so, and does not show it. ``convert`` has the same warning."""
        file = tmp_path / "given.txt"
        file.write_text(f"{password}\n", "utf-8")
        outcome = build("--json", password_file=file)
        assert outcome.status == 0
        warning = outcome.json["warnings"][-1]
        assert warning.startswith("the password begins or ends with a space or another blank")
        assert warning in outcome.errors
        copied = call(
            "convert", "server.p12", "new.p12", "--password-file", file, "--new-password-file", file, "--json"
        )
        assert any(sentence.endswith(warning) for sentence in copied.json["warnings"])


class TestEmpty:
    """A new file never gets the empty password in silence; an old file that has it is still opened."""

    @pytest.mark.parametrize(
        "data", [b"", b"\n", b"\r\n", b"\nsecond line\n", b"\xef\xbb\xbf", b"\xff\xfe\r\0\n\0", b"\xef\xbb\xbf" * 2]
    )
    @pytest.mark.parametrize("value", ["", "\ufeff\r\n"])
    def test_refused(self, build, call, tmp_path, monkeypatch, data, value):
        """From a file, standard input and a variable, also where only line ends and BOMs are left, by both commands."""
        file = tmp_path / "given.txt"
        file.write_bytes(data)
        monkeypatch.setenv("EMPTY", value)
        for outcome in (
            build(password_file=file),
            build("--password-stdin", password_file=None, stdin=data),
            build(password_file=None, password_env="EMPTY"),
        ):
            assert outcome.status == 2
            assert "is empty, and with an empty password anyone could read the new file" in outcome.errors
        assert build().status == 0
        for option in (("--new-password-file", file), ("--new-password-env", "EMPTY")):
            outcome = call("convert", "server.p12", "new.p12", "--password-env", "EMPTY", *option)
            assert outcome.status == 2
        monkeypatch.setenv("RIGHT", PASSWORD)
        for option in (("--new-password-file", file), ("--new-password-env", "EMPTY")):
            outcome = call("convert", "server.p12", "new.p12", "--password-env", "RIGHT", *option)
            assert outcome.status == 2
            assert "is empty" in outcome.errors

    def test_library(self, files, folder):
        """``pk.build`` refuses it as text and from a function; a profile without a password takes none."""
        given = {"key": files.key, "certificate": files.certificate, "certificates": files.certificates}
        given |= {"trust_anchors": files.trust_anchor, "output": folder / "server.p12", "second_opinion": False}
        for password in ("", str, "\n", "\ufeff\r\n", lambda: "\ufeff"):
            with pytest.raises(PasswordError, match="is empty"):
                build_file(**given, password=password)
        assert not (folder / "server.p12").exists()
        assert build_file(**given, password=None, profile="no-password").changed

    def test_profile_without_a_password(self, build, call):
        """It is the way to a file that has none."""
        assert build("--profile", "no-password", password_file=None).status == 0
        assert call("inspect", "server.p12").status == 0

    def test_old_file(self, call, build, replica, folder, files):
        """A file whose password is empty opens as before; a copy keeps it with a warning."""
        bundle = Bundle.from_path(replica.server, replica.valid_paths[0])
        (folder / "old.p12").write_bytes(encode_pfx(bundle, password=""))
        empty = folder.parent / "empty.txt"
        empty.touch()
        for more in ((), ("--password-file", empty)):
            assert call("verify", "old.p12", "--anchor", files.trust_anchor, *more).status == 0
            copied = call("convert", "old.p12", f"new{len(more)}.p12", *more, "--json")
            assert "the password of the new file is empty" in copied.json["warnings"][-1]
        more = ("--pkcs12-password-file", empty)
        assert build("--pkcs12", "old.p12", *more, key=None, cert=None).status == 0


class TestTerminal:
    """The prompt, at a terminal of its own."""

    def test_asked_twice_and_not_echoed(self, terminal, arguments, folder):
        """What differs is asked for again; then the file opens with what was typed twice."""
        screen = terminal(*arguments)
        for first, second in ((PASSWORD, "another one"), (PASSWORD, PASSWORD)):
            screen.expect("Password for the new file")
            screen.type(f"{first}\n")
            screen.expect("The same password again")
            screen.type(f"{second}\n")
        assert screen.finish() == 0
        assert "\x1b[0m the two passwords differ; type both again" in screen.shown
        assert "Error:" not in screen.shown
        assert PASSWORD not in screen.shown
        assert "another one" not in screen.shown
        assert opens(folder, PASSWORD)

    def test_empty_answer(self, terminal, arguments, folder):
        """It is asked for again, with the reason."""
        screen = terminal(*arguments)
        screen.expect("Password for the new file")
        screen.type("\n")
        screen.expect("the password is empty")
        for question in ("Password for the new file", "The same password again"):
            screen.expect(question)
            screen.type(f"{PASSWORD}\n")
        assert screen.finish() == 0
        assert opens(folder, PASSWORD)

    def test_interrupted(self, terminal, arguments, folder):
        """Ctrl-C at the prompt: exit status 130, one word, no file, no traceback."""
        screen = terminal(*arguments)
        screen.expect("Password for the new file")
        screen.type("\x03")
        assert screen.finish() == 130
        assert "interrupted" in screen.shown
        assert "Traceback" not in screen.shown
        assert list(folder.iterdir()) == []

    def test_nobody_is_asked_without_a_path(self, terminal, arguments):
        """There is nothing to protect."""
        screen = terminal(*arguments, "--at", "2001-01-01")
        assert screen.finish() == 1
        assert "Password" not in screen.shown

    def test_encrypted_key(self, terminal, arguments, files, replica, folder, password_file):
        """Its password is asked for once, by the file's name; a wrong one is said."""
        encryption = BestAvailableEncryption(b"of the key")
        key = replica.server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
        (folder / "enc.key").write_bytes(key)
        more = ("--password-file", password_file)
        options = tuple("enc.key" if part == files.key else part for part in arguments)
        screen = terminal(*options, *more)
        screen.expect("Password of enc.key")
        screen.type("of the key\n")
        assert screen.finish() == 0
        assert "of the key" not in screen.shown
        screen = terminal(*options, *more)
        screen.expect("Password of enc.key")
        for _ in range(2):
            screen.type("wrong\n")
            screen.expect("try again")
            screen.expect("Password of enc.key")
        screen.type("wrong\n")
        assert screen.finish() == 2
        assert "wrong" not in screen.shown
        assert "does not open the private key" in " ".join(screen.shown.split())
        assert TYPED_WRONG in " ".join(screen.shown.split())

    def test_pkcs12(self, terminal, replica, files, folder, password_file):
        """The old file's password is asked for too."""
        bundle = Bundle.from_path(replica.server, replica.valid_paths[0])
        (folder / "old.p12").write_bytes(encode_pfx(bundle, password="of the old one"))
        given = ("--pkcs12", "old.p12", "--anchor", files.trust_anchor, "--out", "server.p12")
        screen = terminal("build", *given, "--password-file", password_file)
        for answer in ("of another one", "of a third one", "of the old one"):
            screen.expect("Password of old.p12")
            screen.type(f"{answer}\n")
        assert screen.finish() == 0
        assert opens(folder, PASSWORD)

    def test_no_terminal_to_ask_for_the_password_of_an_input(self, build, call, replica, files, folder, password_file):
        """The option that says where it is, is named."""
        encryption = BestAvailableEncryption(b"of the key")
        key = replica.server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
        (folder / "enc.key").write_bytes(key)
        outcome = build(key="enc.key")
        assert outcome.status == 2
        assert outcome.errors.endswith("no password was given for it; give it with --key-password-file\n")
        bundle = Bundle.from_path(replica.server, replica.valid_paths[0])
        (folder / "old.p12").write_bytes(encode_pfx(bundle, password="of the old one"))
        given = ("--pkcs12", "old.p12", "--anchor", files.trust_anchor, "--out", "server.p12")
        outcome = call("build", *given, "--password-file", password_file)
        assert outcome.status == 2
        assert outcome.errors.endswith("and none was given; give it with --pkcs12-password-file\n")

    def test_no_terminal(self, build, monkeypatch):
        """Said at once, with what to give instead; a service without standard input gets the same."""
        import sys

        outcome = build(password_file=None)
        assert outcome.status == 2
        assert "no terminal to ask for a password; give --password-file" in outcome.errors
        monkeypatch.setattr(sys, "stdin", None)
        outcome = build(password_file=None, stdin=None)
        assert outcome.status == 2
        assert "no terminal" in outcome.errors
        outcome = build("--password-stdin", password_file=None, stdin=None)
        assert outcome.status == 2
        assert outcome.errors == "error: standard input is not available\n"


@pytest.mark.slow
def test_limits_hold_for_the_identity_too(call, folder, files, password_file, replica):
    """``--max-iterations`` raises what ``--pkcs12`` may ask for, whether a password is given for it or not."""
    profile = profiles.MODERN.with_iterations(encryption=3, mac=2_000_001)
    bundle = Bundle.from_path(replica.server, replica.valid_paths[0])
    (folder / "old.p12").write_bytes(
        encode_pfx(bundle, password="", profile=profile, limits=replace(DEFAULT_LIMITS, pfx_iterations=2_000_001))
    )
    arguments = ("build", "--pkcs12", "old.p12", "--anchor", files.trust_anchor, "--out", "new.p12")
    arguments += ("--password-file", password_file, "--iterations", "3", "--no-second-opinion")
    assert "--max-iterations raises it" in call(*arguments).errors
    assert call(*arguments, "--max-iterations", "2000001").status == 0
