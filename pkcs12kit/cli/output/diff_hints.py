"""The sentence and the hints for paths that broke, and the hint at the paths that were not compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.cli.output.replay import again, paths_again
from pkcs12kit.comparison.targets import PathOutcome
from pkcs12kit.display.labels import named
from pkcs12kit.hints import Hint
from pkcs12kit.text import counted, harmless, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.comparison.report import Comparison

_SHOWN: Final = 3
_STANDARD_INPUT: Final = "-"


def broken_paths(comparison: Comparison) -> str:
    """Return a sentence that counts the paths that broke and those left undecided, and names the first targets."""
    names = ", ".join(shortened(comparison.broken, _SHOWN, lambda one: named(one.target)))
    undecided = sum(one.outcome is PathOutcome.UNDECIDED for one in comparison.broken)
    broke = f"{len(comparison.broken) - undecided:,} of {counted(len(comparison.targets), 'path')} broke"
    more = f", and a limit left {undecided:,} undecided" if undecided else ""
    return f"{broke}{more}: {names}"


def hints_for_comparison(
    comparison: Comparison, sides: tuple[str, str], targets: Sequence[str], more: Sequence[str], *, has_password: bool
) -> tuple[Hint, ...]:
    """Return the hints for the current call of ``diff``, whose commands can be run as they are.

    - ``sides``: the names of the two sides, as given; ``targets`` and ``more``: those of the other certificates.
    - ``has_password``: True if the side after may need a password, which ``paths`` does not take.
    """
    before, after = sides
    if not comparison.targets:
        command = again(targets="CERT", trust_anchors="FILE")
        return (Hint(text="--target and --anchor show which paths this made or broke", command=command),)
    hints = list(_missing(comparison, before))
    if comparison.broken and len(targets) == len(comparison.targets) == 1 and not has_password:
        command = paths_again(certificate=targets[0], certificates=(after, *more))
        if command is not None:
            hints.append(Hint(text="show all that is wrong with its paths after", command=command))
    return tuple(hints)


def _missing(comparison: Comparison, before: str) -> Iterator[Hint]:
    """Yield a hint for each certificate that gives the most broken paths back, at most three."""
    given_back: dict[Certificate, int] = {}
    for one in comparison.broken:
        for certificate in one.decisive:
            given_back[certificate] = given_back.get(certificate, 0) + 1
    best = sorted(given_back, key=lambda certificate: (-given_back[certificate], certificate.sha256))
    for certificate in best[:_SHOWN]:
        yield Hint(
            text=f"{named(certificate)} gives {counted(given_back[certificate], 'path')} back: {_place(before)} has"
            " it, but ask first why it is gone: a CA that was shut down must not come back"
        )


def _place(source: str) -> str:
    return "standard input" if source == _STANDARD_INPUT else harmless(source)
