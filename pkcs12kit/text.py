"""Text from outside, made harmless to show: names in certificates and files, sentences that quote them."""

from __future__ import annotations

import re
from typing import Final

NO_FORMULAS: Final = "tex2jax_ignore mathjax_ignore"
"""Classes of an element in which MathJax 2, or MathJax 3 and 4, look for no formula unless a page is set up otherwise.

KaTeX's auto-render ignores no class by default, so :func:`formula_pieces` is what holds everywhere.
"""

_DELIMITERS: Final = re.compile(r"([$\\`])")
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


def formula_pieces(text: str) -> list[str]:
    r"""Split a text so that each ``$``, each backslash and each backtick is a piece of its own.

    With each of these in an element of its own no typesetter of pages finds a formula. MathJax 2 to 4 and KaTeX's
    auto-render look for both delimiters of a formula within one run of text, and the start or the end of an element
    ends a run (only ``br``, ``wbr`` and comments do not). ``$...$`` takes two of these characters; ``\(``, ``\[``,
    ``\begin``, ``\ref`` and the escape ``\$`` take a backslash and another character. Backticks delimit AsciiMath.
    The text that is shown and copied stays the same. A page that made other characters delimiters is not protected.
    """
    return [piece for piece in _DELIMITERS.split(text) if piece]


def as_references(markup: str) -> str:
    """Write these characters as numeric character references, in markup that is complete.

    The Markdown of notebooks looks for formulas in its source, before HTML is parsed.
    """
    return _DELIMITERS.sub(lambda found: f"&#{ord(found[0])};", markup)


def counted(number: int, what: str) -> str:
    """Write a number and what it counts: ``1 path``, ``2,000 paths``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
