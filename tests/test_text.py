"""Text for people: what the functions return that make outside text safe to print, or quote it."""

from __future__ import annotations

import pytest
from hypothesis import given

from pkcs12kit.text import alternatives, counted, harmless, quoted, quoted_name, without_middle

from .display.hostile import NAMES, assert_harmless


@given(text=NAMES)
def test_harmless_text_is_one_line_and_stays_the_same(text):
    """No control, format or invisible character is left; a second pass changes nothing, so that rooms may repeat it."""
    shown = harmless(text)
    assert_harmless(shown)
    assert "\n" not in shown
    assert harmless(shown) == shown


@given(text=NAMES)
def test_quoted_text_is_printable_ascii(text):
    """A quotation shows which characters there are: a Cyrillic letter is not taken for a Latin one."""
    shown = quoted(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert shown[0] in "'\""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("CA 1", "CA 1"),
        ("Zoë", "Zoë"),
        ("a\r\nerror: faked", "a  error: faked"),
        ("\x1b[2J", r"\x1b[2J"),
        ("e" + "\u0301" * 5, "e" + "\u0301" * 3 + r"\u0301\u0301"),
        (7, "7"),
    ],
)
def test_harmless(text, shown):
    """Printable text stays; line breaks become spaces, steering characters and piled marks become escapes."""
    assert harmless(text) == shown


def test_long_text_is_cut():
    """The beginning is kept, or the end where that tells more, as it does of a path; the cut is marked."""
    assert harmless("0123456789", longest=10) == "0123456789"
    assert harmless("0123456789", longest=4) == "0123..."
    assert harmless("folder/file.pem", longest=8, keep_end=True) == "...file.pem"
    assert quoted("0123456789", longest=4) == "'0123'..."
    assert without_middle("0123456789", longest=9, ends=2) == "01...89"
    assert without_middle("0123456789", longest=10, ends=2) == "0123456789"


def test_quoted():
    """Octets are shown as they are; letters beyond ASCII are numbers."""
    assert quoted(b"\x15\x03\xff ok") == r"'\x15\x03\xff ok'"
    assert quoted("\u0430pple") == r"'\u0430pple'"
    assert quoted("it's") == '"it\'s"'


def test_alternatives():
    """Names as a question lists them."""
    assert alternatives(["a"]) == "'a'"
    assert alternatives(["a", "b", "c"]) == "'a', 'b' or 'c'"


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "0 certificates"), (1, "1 certificate"), (2, "2 certificates"), (1234, "1,234 certificates")],
)
def test_counted(number, written):
    """One is singular, every other number plural, and thousands have commas."""
    assert counted(number, "certificate") == written


@given(NAMES)
def test_a_quoted_name_is_harmless(text):
    """Whatever the name of an entry is, the line that quotes it cannot steer a terminal."""
    assert_harmless(quoted_name(text))


def test_a_quoted_name_keeps_its_letters():
    """A user finds the name of an entry again in the tree, and can copy it to ``--key-name``."""
    assert quoted_name("Jäger") == "'Jäger'"
    assert quoted_name("a\x1b[31m") == r"'a\x1b[31m'"
    assert quoted_name("0123456789", longest=4) == "'0123...'"
