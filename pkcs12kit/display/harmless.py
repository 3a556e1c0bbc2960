"""Text from outside, made harmless to show: names in certificates and files, sentences that quote them."""

from __future__ import annotations

from typing import Final

_SPACED: Final = frozenset("\n\r\t\v\f\u2028\u2029")


def harmless(text: object) -> str:
    r"""Give ``text`` as one line in which nothing can steer a terminal.

    Line breaks become spaces; whatever else is not printable (escape sequences, marks that turn the direction of
    writing, lone surrogates) becomes what Python writes for it, ``\x1b`` for example.
    """
    return "".join(_harmless_character(char) for char in str(text))


def _harmless_character(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char in _SPACED else char.encode("unicode_escape").decode("ascii")
