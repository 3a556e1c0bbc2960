"""The password in the bytes of a file: its first line, in UTF-8 or UTF-16, or a reason why it is not certain."""

from __future__ import annotations

import os
from typing import Final

from pkcs12kit.errors import InputError
from pkcs12kit.shell_words import quote_word

_UTF_8: Final = "utf-8-sig"
_MARKS: Final = ((b"\xff\xfe\0\0", None), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
"""Byte order marks, longest first: UTF-32, which nothing writes for a password, and UTF-16."""
_NUL: Final = "\0"


def first_line(data: bytes, name: str, path: str | None = None) -> str:
    """Return the first line of a text without its line end and its byte order mark.

    The text is UTF-8, or UTF-16 with a byte order mark, as PowerShell's ``>`` writes it. UTF-16 without the mark cannot
    be told from other bytes for certain, so it is refused; ``path`` is the file for the command that converts it.
    Raises :class:`~pkcs12kit.errors.InputError`, which holds nothing of the text, and begins with ``name``.
    """
    encoding = next((found for mark, found in _MARKS if data.startswith(mark)), _UTF_8)
    text = None if encoding is None else _decode(data, encoding)
    if text is not None and _NUL not in text:
        return text.split("\n", 1)[0].removesuffix("\r")
    if b"\0" not in data or (encoding == "utf-16" and text is None):
        raise InputError(f"{name}: the password is not {'UTF-8' if encoding == _UTF_8 else 'UTF-16'} text")
    if encoding == _UTF_8 and (order := _byte_order(data)) is not None:
        raise InputError(
            f"{name}: the password seems to be in UTF-16 without a byte order mark; write it as UTF-8:"
            f" {_converting_command(path, order)}"
        )
    raise InputError(f"{name}: the password contains a NUL character; write it as UTF-8 text without one")


def _decode(data: bytes, encoding: str) -> str | None:
    """Return the text, up to the end of its first line if the rest cannot be decoded; None if that cannot be either."""
    line = data.split(b"\n", 1)[0] if encoding == _UTF_8 and b"\0" not in data else data
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None  # the exception holds the password, and would become the context of an error raised here


def _byte_order(data: bytes) -> str | None:
    """Return the byte order of UTF-16, judged by where its NULs are; None if these bytes are not UTF-16."""
    if len(data) % 2 and data.endswith(b"\n"):  # a line that was read up to the first half of its end
        data += b"\0"
    high, low = data[::2].count(0), data[1::2].count(0)
    order = "LE" if low >= high else "BE"
    return order if _decode(data, f"utf-16-{order.lower()}") is not None else None


def _converting_command(path: str | None, order: str) -> str:
    """Return the command that writes the text of a file as UTF-8, to a file that only its owner can read."""
    given = "OLD.txt" if path is None or path == "-" else quote_word(path)
    if os.name == "nt":
        encoding = "Unicode" if order == "LE" else "BigEndianUnicode"
        return f"Get-Content -Encoding {encoding} {given} | Set-Content -Encoding utf8 NEW.txt"
    return f"(umask 077; iconv -f UTF-16{order} -t UTF-8 {given} >NEW.txt)"
