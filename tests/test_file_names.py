"""Names of files and words of commands on Windows and macOS, by functions that need neither system."""

from __future__ import annotations

import ntpath
import os
import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pkcs12kit as pk
from pkcs12kit import file_names, shell_words
from pkcs12kit.file_names import relative_drive, why_no_name_on_windows
from pkcs12kit.fleet.matches import split_pattern
from pkcs12kit.outputs.input_files import require_distinct
from pkcs12kit.shell_words import quote_on_windows, read_on_windows

RESERVED = ("CON", "nul", "Aux.p12", "prn .txt", "COM1", "lpt9.pem", "COM\u00b9.x", "CONIN$", "conout$.p12")
UNUSABLE = ("a:b", "server.p12:hidden", "a*b", "what?", "a|b", 'a"b', "a<b", "a>b", "a\tb", "server.p12.", "server ")
USABLE = ("server.p12", ".p12", "console.p12", "COM.p12", "COM10.p12", "nul-server.p12", "CO N", "LPT", "a'b", "\u20ac")


@pytest.mark.parametrize("name", [*RESERVED, *UNUSABLE, *USABLE])
def test_reserved_names(name):
    """Devices, hidden parts of other files, and what Windows drops: as Python's own list has them, where it has one."""
    is_refused = why_no_name_on_windows(name) is not None
    assert is_refused == (name not in USABLE)
    if hasattr(ntpath, "isreserved"):
        assert is_refused == ntpath.isreserved(f".\\{name}")  # in a folder, or a: would be a drive


@pytest.mark.parametrize("name", ["NUL", "con.p12", "server.p12:x"])
def test_reserved_output(tmp_path, monkeypatch, name):
    """Nothing is written, by the library; elsewhere it is a name as any other."""
    pk.write_pfx(tmp_path / name, b"new")
    assert (tmp_path / name).read_bytes() == b"new"
    (tmp_path / name).unlink()
    monkeypatch.setattr("pkcs12kit.files.why_no_name", why_no_name_on_windows)
    with pytest.raises(pk.OutputError, match=r"Windows .*; give another name"):
        pk.write_pfx(tmp_path / name, b"new")
    assert not list(tmp_path.iterdir())


def test_outputs_that_differ_in_capital_letters(tmp_path, monkeypatch):
    """Two new files of one call are the same where capital letters do not count, and two elsewhere."""
    named = [("--out", str(tmp_path / "Server.pem")), ("--key-out", str(tmp_path / "server.PEM"))]
    require_distinct(named)
    monkeypatch.setattr(file_names, "ignores_case", lambda _: True)
    with pytest.raises(pk.OutputError, match="give two names"):
        require_distinct(named)


@pytest.mark.parametrize(
    ("pattern", "root", "parts"),
    [
        ("customers/*/server.key", "", ["customers", "*", "server.key"]),
        (r"customers\*\server.key", "", ["customers", "*", "server.key"]),
        (r".\customers\\*/x", "", ["customers", "*", "x"]),
        ("C:/customers/*", "C:\\", ["customers", "*"]),
        (r"C:\customers\*", "C:\\", ["customers", "*"]),
        (r"\customers\*", "\\", ["customers", "*"]),
        (r"\\host\share\customers\*", "\\\\host\\share\\", ["customers", "*"]),
    ],
)
def test_patterns_on_windows(pattern, root, parts):
    """Both slashes separate folders, after a drive or a share."""
    assert split_pattern(pattern, ntpath) == (root, parts)


@pytest.mark.parametrize("pattern", ["C:customers/*", "c:*", r"D:customers\*"])
def test_pattern_in_the_current_folder_of_a_drive(pattern):
    """The manifest does not say which folder that is."""
    with pytest.raises(pk.InputError, match="current folder of the drive"):
        split_pattern(pattern, ntpath)
    assert relative_drive(pattern, ntpath) == pattern[:2]
    assert not relative_drive(pattern, posixpath)


def test_patterns_elsewhere():
    """A backslash and a colon are characters as any other."""
    assert split_pattern(r"/a\b/C:*", posixpath) == ("/", [r"a\b", "C:*"])


@pytest.mark.parametrize(
    ("word", "typed"),
    [
        ("server.p12", "server.p12"),
        (r"C:\certs\server.p12", r"C:\certs\server.p12"),
        ("--key", "--key"),
        ("-a.b", '"-a.b"'),
        ("my certs", '"my certs"'),
        ("my certs\\", '"my certs\\\\"'),
        ("", '""'),
        ("it's", '"it\'s"'),
        ("a&b;c|d", '"a&b;c|d"'),
        ("a,b", '"a,b"'),
        ("@a", '"@a"'),
        ("$HOME", "'$HOME'"),
        ("100%", "'100%'"),
        ("$it's", "'$it''s'"),
        ("a\u201db", "'a\u201db'"),
    ],
)
def test_words_on_windows(word, typed):
    """PowerShell and cmd read the same; dollar signs, backticks and quotes are for PowerShell alone."""
    assert quote_on_windows(word) == typed
    assert read_on_windows(typed) == word


@given(st.text(st.sampled_from("ab \\'\"`$%&\u2018\u2019\u201a\u201b\u201c\u201d\u201e-./:,;(){}@#~\u00e9")))
def test_words_come_back(word):
    """PowerShell reads each word as it is; of a doubled backslash before a closing quote, programs read one."""
    typed = quote_on_windows(word)
    assert powershell_words(typed) == [word]
    assert read_on_windows(typed) == word


def powershell_words(text):
    """Read a command as PowerShell and the C library of the program do (about_Parsing, about_Quoting_Rules)."""
    singles, doubles = "'\u2018\u2019\u201a\u201b", '"\u201c\u201d\u201e'
    words, at = [], 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        word = ""
        if text[at] in singles:
            at += 1
            while text[at] not in singles or text[at + 1 : at + 2] in tuple(singles):
                at += text[at] in singles
                word += text[at]
                at += 1
            at += 1
        elif text[at] in doubles:
            at += 1
            while text[at] not in doubles:
                assert text[at] not in "$`"
                word += text[at]
                at += 1
            at += 1
            end = word[len(word.rstrip("\\")) :]
            assert len(end) % 2 == 0
            word = word.removesuffix(end) + end[::2]
        else:
            while at < len(text) and text[at] != " ":
                assert text[at].isascii()
                assert text[at] not in "\"'`$%&,;(){}@#~|<>"
                word += text[at]
                at += 1
        words.append(word)
    return words


def test_command_on_windows(monkeypatch):
    """Commands are joined for the system that they are shown on; an option's value is read back from either."""

    class Windows:
        name = "nt"

    words = ["pkcs12kit", "build", "--key", "my key.pem", "--friendly-name", "it's"]
    assert shell_words.join_words(words) == """pkcs12kit build --key 'my key.pem' --friendly-name 'it'"'"'s'"""
    monkeypatch.setattr(shell_words, "os", Windows)
    assert shell_words.join_words(words) == """pkcs12kit build --key "my key.pem" --friendly-name "it's\""""
    assert shell_words.split_words("pkcs12kit build") is None
    assert shell_words.read_word('"my key.pem"') == "my key.pem"
    assert os.name != "nt"
