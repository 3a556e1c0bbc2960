"""How many examples and cases of one sentence are tried by default; ``pytest -m slow`` tries the others as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _pytest.mark import ParameterSet

_FEWEST: Final = 10
_every_example = False


def try_every_example() -> None:
    """Let :func:`examples` return what it is given from now on; called before the modules with tests are imported."""
    global _every_example  # noqa: PLW0603  # one switch for a run
    _every_example = True


def examples(number: int) -> int:
    """Return how many examples a property test tries that tries ``number`` of them in ``pytest -m slow``."""
    return number if _every_example else min(number, max(number // 6, _FEWEST))


def mostly_slow(cases: Iterable[Any], *, every: int) -> list[ParameterSet]:
    """Return cases for ``parametrize`` that prove the same sentence: each so many-th as it is, the others slow."""
    made = []
    for number, case in enumerate(cases):
        given = case if hasattr(case, "marks") else pytest.param(case)
        slow = (pytest.mark.slow,) if number % every else ()
        made.append(pytest.param(*given.values, id=given.id, marks=(*given.marks, *slow)))
    return made
