"""Text from outside, made harmless to show: names in certificates and files, sentences that quote them."""

from __future__ import annotations

from typing import Final

_SPACED: Final = frozenset("\n\r\t\v\f\u2028\u2029")
# Characters that show nothing and that Python prints all the same: the rest of Unicode's Default_Ignorable_Code_Point.
_INVISIBLE: Final = frozenset(
    map(
        chr,
        (
            0x034F,
            *range(0x115F, 0x1161),
            *range(0x17B4, 0x17B6),
            *range(0x180B, 0x1810),
            0x3164,
            *range(0xFE00, 0xFE10),
            0xFFA0,
            *range(0xE0100, 0xE01F0),
        ),
    )
)


def harmless(text: object) -> str:
    r"""Give ``text`` as one line in which nothing can steer a terminal.

    Line breaks become spaces; whatever else is not printable (escape sequences, marks that turn the direction of
    writing, lone surrogates), or shows nothing, becomes what Python writes for it, ``\x1b`` for example.
    """
    return "".join(_harmless_character(char) for char in str(text))


def _harmless_character(char: str) -> str:
    if char.isprintable() and char not in _INVISIBLE:
        return char
    return " " if char in _SPACED else char.encode("unicode_escape").decode("ascii")
