"""The tables of the page 'What is read', from the oddities that the tests try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .oddities import Oddity

BEGIN: Final = "<!-- The rest is written by the tests: see tests/cases/test_cases.py. -->\n"


def render(oddities: Sequence[Oddity]) -> str:
    """Return the generated part of the page: a table for each kind, in the order of the first oddity of each."""
    return BEGIN + "\n" + "\n".join(_lines(oddities))


def _lines(oddities: Sequence[Oddity]) -> Iterator[str]:
    for kind in dict.fromkeys(oddity.kind for oddity in oddities):
        yield f"## {kind}\n"
        yield "| what is odd | what comes of it |"
        yield "| --- | --- |"
        for oddity in oddities:
            if oddity.kind == kind:
                yield f"| {oddity.oddity} | {oddity.outcome} |"
        yield ""
