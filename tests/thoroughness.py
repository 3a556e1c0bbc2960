"""How many examples property tests try: a quarter by default, all of them where slow tests run, too."""

from __future__ import annotations

from typing import Final

_FEWEST: Final = 10
_every_example = False


def try_every_example() -> None:
    """Let :func:`examples` return what it is given from now on; called before the modules with tests are imported."""
    global _every_example  # noqa: PLW0603  # one switch for a run
    _every_example = True


def examples(number: int) -> int:
    """Return how many examples a property test tries that tries ``number`` of them in ``pytest -m slow``."""
    return number if _every_example else min(number, max(number // 4, _FEWEST))
