"""The sentence and the hints for paths that broke, and the hint at the paths that were not compared."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from pkcs12kit.display.labels import short_serial
from pkcs12kit.hints import Hint
from pkcs12kit.text import counted, harmless, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.cli.options.search import SearchOptions
    from pkcs12kit.comparison.report import Comparison

_SHOWN: Final = 3
_STANDARD_INPUT: Final = "-"


def broken_paths(comparison: Comparison) -> str:
    """Return a sentence that counts the broken paths and names the first of their targets."""
    names = ", ".join(shortened(comparison.broken, _SHOWN, lambda one: _named(one.target)))
    return f"{len(comparison.broken):,} of {counted(len(comparison.targets), 'path')} broke or may have broken: {names}"


def hints_for_comparison(
    comparison: Comparison,
    before: str,
    after: str,
    targets: Sequence[str],
    search: SearchOptions,
    *,
    has_password: bool,
) -> tuple[Hint, ...]:
    """Return the hints for a call of ``diff``, whose commands can be run as they are."""
    is_repeatable = _STANDARD_INPUT not in {before, after, *targets, *search.trust_anchors, *search.certificates}
    if not targets:
        command = f"pkcs12kit diff {_words(before, after)} --target CERT --anchor FILE" if is_repeatable else None
        return (Hint(text="--target and --anchor show which paths this made or broke", command=command),)
    hints = list(_missing(comparison, before))
    if comparison.broken and is_repeatable and not has_password and len(targets) == len(comparison.targets) == 1:
        certs = " ".join(f"--certs {_words(one)}" for one in (after, *search.certificates))
        anchors = " ".join(f"--anchor {_words(one)}" for one in search.trust_anchors)
        time = "" if search.time is None else f" --at {search.time.isoformat()}"
        command = f"pkcs12kit paths {_words(targets[0])} {certs} {anchors}{time}"
        hints.append(Hint(text="all that is wrong with its paths after", command=command))
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
            text=f"{_named(certificate)} gives {counted(given_back[certificate], 'path')} back: {_place(before)} has"
            " it, but ask first why it is gone: a CA that was shut down must not come back"
        )


def _place(source: str) -> str:
    return "standard input" if source == _STANDARD_INPUT else harmless(source)


def _named(certificate: Certificate) -> str:
    return f"{certificate.label} #{short_serial(certificate.serial_number_text)}"


def _words(*words: str) -> str:
    return " ".join(map(shlex.quote, words))
