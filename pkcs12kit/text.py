"""Text for people: text from outside made safe to print, quotations, numbers with their nouns.

Text from outside is whatever a certificate, a file, a server or a program says. It passes :func:`harmless` before it is
printed, and :func:`quoted` where a message quotes it. Escapes of HTML, SVG, DOT and Mermaid belong to the modules that
write these formats.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
NO_FORMULAS: Final = "tex2jax_ignore mathjax_ignore"
"""Classes of an element in which MathJax 2, or MathJax 3 and 4, look for no formula unless a page is set up otherwise.

KaTeX's auto-render ignores no class by default, so only :func:`formula_pieces` helps everywhere.
"""

_DELIMITERS: Final = re.compile(r"([$\\`])")
_SPACED: Final = frozenset("\n\r\t\v\f\u2028\u2029")
# Characters that show nothing although Python counts them as printable, from Unicode's Default_Ignorable_Code_Point.
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
_MARKS: Final = 3
"""Combining marks in a row that are shown: no script stacks more, and a hundred would cover the lines above."""
_QUOTED: Final = 100


def harmless(text: object, *, longest: int | None = None, keep_end: bool = False) -> str:
    r"""Return ``text`` as one line in which nothing can steer a terminal.

    Line breaks become spaces. Other characters that are not printable (escape sequences, marks that turn the direction
    of writing, lone surrogates) or that show nothing become Python's escapes, ``\x1b`` for example; so does a combining
    mark after three others. The result may pass through this function again: it stays the same.

    Of a text of more than ``longest`` characters the beginning is kept, or the end with ``keep_end``, as suits the path
    of a file; ``...`` stands for the rest. Escapes are not counted.
    """
    line = str(text)
    if longest is not None and len(line) > longest:
        line = f"...{line[-longest:]}" if keep_end else f"{line[:longest]}..."
    if line.isascii() and line.isprintable():
        return line
    return "".join(_harmless_characters(line))


def quoted(text: str | bytes, *, longest: int = _QUOTED) -> str:
    r"""Return ``text`` in quotation marks, for a message.

    The result is printable ASCII: every other character is Python's escape for it, so that letters that only look like
    others can be told apart. Octets are shown as they are, ``\xff`` for example. ``...`` follows the quotation marks
    where the text has more than ``longest`` characters.
    """
    characters = text.decode("latin-1") if isinstance(text, bytes) else text
    return ascii(characters[:longest]) + ("..." if len(characters) > longest else "")


def quoted_name(name: str, *, longest: int | None = _QUOTED) -> str:
    """Return a name in quotation marks, with its letters as :func:`harmless` shows them, for a list of entries.

    :func:`quoted` is for names that are compared with others: here letters that only look alike are not told apart.
    """
    return f"'{harmless(name, longest=longest)}'"


def without_middle(text: str, *, longest: int, ends: int) -> str:
    """Return ``text``; where it has more than ``longest`` characters, its first and last ``ends`` around ``...``."""
    return text if len(text) <= longest else f"{text[:ends]}...{text[-ends:]}"


def shortened(items: Sequence[T], at_most: int, show: Callable[[T], str] = str) -> list[str]:
    """Return the texts of the first items of a list, and ``and 1,234 more`` where there are others."""
    listed = [show(item) for item in items[:at_most]]
    return listed if len(items) <= at_most else [*listed, f"and {len(items) - at_most:,} more"]


def alternatives(names: Sequence[str]) -> str:
    """Return names in quotation marks, in their order, with ``or`` before the last: ``'a', 'b' or 'c'``."""
    *others, last = (repr(name) for name in names)
    return f"{', '.join(others)} or {last}" if others else last


def _harmless_characters(line: str) -> Iterator[str]:
    marks = 0
    for char in line:
        marks = marks + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        if char.isprintable() and char not in _INVISIBLE and marks <= _MARKS:
            yield char
        else:
            yield " " if char in _SPACED else char.encode("unicode_escape").decode("ascii")


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
    """Return complete markup with these characters as numeric character references.

    The Markdown of notebooks looks for formulas in its source, before HTML is parsed.
    """
    return _DELIMITERS.sub(lambda found: f"&#{ord(found[0])};", markup)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, which gets an ``s`` unless the number is 1: ``1 path``, ``2,000 paths``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
