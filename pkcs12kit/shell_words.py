"""Words of a command, quoted for the shells of this system, so that it can be copied.

Elsewhere than on Windows they are quoted for POSIX shells. On Windows, a word is quoted so that PowerShell and ``cmd``
read the same. Where one of its characters makes that impossible, it is quoted for PowerShell.
"""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN: Final = re.compile(r"(?!-[^-]*[.:])[A-Za-z0-9_./\\:+-]+", re.ASCII)
"""A word that both shells of Windows take as it is. PowerShell cuts ``-a.b`` at the dot."""
_ONLY_POWERSHELL: Final = re.compile('[$`%"\u201c\u201d\u201e]')
"""Characters with a meaning between double quotes; PowerShell takes typographic quotes for quotes as well."""
_SINGLE_QUOTES: Final = re.compile("['\u2018\u2019\u201a\u201b]")
_DOUBLED: Final = re.compile("(['\u2018\u2019\u201a\u201b])\\1")


def quote_word(word: str) -> str:
    """Return a word as it is typed in a shell of this system."""
    return quote_on_windows(word) if os.name == "nt" else shlex.quote(word)


def quote_on_windows(word: str) -> str:
    """Return a word as it is typed in PowerShell and, if possible, in ``cmd``."""
    if _PLAIN.fullmatch(word):
        return word
    if _ONLY_POWERSHELL.search(word):
        return f"'{_SINGLE_QUOTES.sub(lambda found: found[0] * 2, word)}'"
    closing = word[len(word.rstrip("\\")) :]  # doubled: a program reads a backslash and a quote as the quote itself
    return f'"{word}{closing}"'


def join_words(words: Iterable[str]) -> str:
    """Return words as a command that a shell of this system reads."""
    return " ".join(map(quote_word, words))


def split_words(command: str) -> list[str] | None:
    """Return the words of a command that :func:`join_words` has made for a POSIX shell; None for any other command."""
    try:
        words = [] if os.name == "nt" else shlex.split(command)
    except ValueError:  # a quote that nothing closes
        return None
    return words if words and shlex.join(words) == command else None


def read_word(typed: str) -> str:
    """Return the word that :func:`quote_word` has quoted. Raises :class:`ValueError` for other texts."""
    if os.name == "nt":
        return read_on_windows(typed)
    (word,) = shlex.split(typed)
    return word


def read_on_windows(typed: str) -> str:
    """Return the word that :func:`quote_on_windows` has quoted, or raise :class:`ValueError`."""
    inside = typed[1:-1]
    word = typed
    if typed[:1] == '"':
        word = inside[: len(inside) - (len(inside) - len(inside.rstrip("\\"))) // 2]
    elif typed[:1] == "'":
        word = _DOUBLED.sub(r"\1", inside)
    if quote_on_windows(word) != typed:
        raise ValueError
    return word
