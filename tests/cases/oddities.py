"""What is odd about an input, what comes of it, and how to see that: the rows of the page 'What is read'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..calling import Call

    Check = Callable[[Path, Path, Call], object]
    """Checks the answer to a step: the folder of the case, the folder of the outputs, and the call."""

YES: Final = 0
NO: Final = 1
UNUSABLE: Final = 2
WHEN: Final = "2026-06-01T12:00:00Z"
PASSWORD: Final = "secret"  # of the files that the scripts make
_TAKE_A_TIME: Final = frozenset({"paths", "build", "verify"})


@dataclass(frozen=True, kw_only=True)
class Step:
    """A command line with the answer that is right.

    ``{out}`` in ``line`` is a folder for outputs, ``{evidence}`` the options for every CRL and OCSP response in the
    folder of the case. ``shows`` lists texts that the terminal shows, ``hides`` texts that
    it does not.
    """

    line: str
    status: int | tuple[int, ...] = YES
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    check: Check | None = None

    def words(self, folder: Path, out: Path) -> list[str]:
        """Return the arguments. Commands that judge a certificate get the time of the cases."""
        evidence = [
            f"--{suffix} {path.name}" for suffix in ("crl", "ocsp") for path in sorted(folder.glob(f"*.{suffix}"))
        ]
        words = self.line.format(out=out, evidence=" ".join(evidence)).split()
        return [*words, "--at", WHEN] if words[0] in _TAKE_A_TIME and "--at" not in words else words

    @property
    def statuses(self) -> tuple[int, ...]:
        """The exit statuses that are right."""
        return self.status if isinstance(self.status, tuple) else (self.status,)


@dataclass(frozen=True, kw_only=True)
class Oddity:
    """An odd input, what comes of it in words of the documentation, and the steps that show it.

    ``case`` is the name of the folder or file that ``script`` of the shared cases makes. An oddity without a script
    is shown by ``test``, a test elsewhere: ``tests/sources/test_x.py::test_y``.
    """

    case: str = ""
    script: str = ""
    kind: str
    oddity: str
    outcome: str
    steps: tuple[Step, ...] = ()
    test: str = ""
