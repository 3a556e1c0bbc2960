"""Causes that bundles share: the certificate that ends first, the same failure, the same reason to make a file again.

One certificate that ends can stop hundreds of servers, and one missing file can fail all of them: a report names such a
cause once, with its bundles.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.display.labels import day
from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.text import counted
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from pkcs12kit.fleet.outcomes import BundleOutcome, Ending

NAME: Final = "NAME"
"""The word that stands for the name of each bundle in the text of a cause."""
OUTPUT: Final = "OUTPUT"
"""The word that stands for the file of each bundle."""
SUBJECT: Final = "SUBJECT"
"""The word that stands for the subject of each server's certificate."""
_NO_PATH: Final = re.compile(r"no valid path from (.+?) to a trust anchor")
_WORD: Final = r"(?<![\w-])TEXT(?![\w-])"
_NUMBER: Final = r"(?<![\w.-])TEXT(?![\w-]|\.\w)"
"""A number may also be a part of a version or of the number of a section."""
_SEARCHED: Final = 4_000
"""Characters of a message that are searched for a subject: names in it come from outside."""
_FINGERPRINT: Final = 8


class CauseKind(Enum):
    """Kinds of causes, in the order of a report."""

    ENDS = "ends"
    """The certificate that ends first, or the servers' own certificates."""
    FAILED = "failed"
    """Why bundles failed."""
    REWRITE = "rewrite"
    """Why files are made again."""
    HOOK_FAILED = "hook-failed"
    """Why the command after a change failed."""
    NOT_SERVED = "not-served"
    """Why servers do not send the new certificates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A cause, and the bundles that have it."""

    kind: CauseKind
    """Its kind."""
    text: str
    """The cause in words. If several bundles have it, ``NAME``, ``OUTPUT`` and ``SUBJECT`` stand for those of each.
    """
    bundles: tuple[str, ...]
    """The names of the bundles, in the order of the report."""
    until: datetime | None = None
    """The first end of a path, UTC; None for causes of another kind."""

    def __str__(self) -> str:
        return f"{counted(len(self.bundles), 'bundle')}: {self.text}"

    def to_json(self) -> dict[str, Any]:
        """Return the cause as ``--json`` prints it."""
        return {
            "kind": self.kind.value,
            "text": self.text,
            "bundles": list(self.bundles),
            "until": None if self.until is None else format_time(self.until),
        }


def causes_of(outcomes: Sequence[BundleOutcome]) -> tuple[Cause, ...]:
    """Return all causes by kind; those of ends by time, others by the number of their bundles."""
    return (*ending_causes(outcomes), *(cause for kind in _SAID for cause in said_causes(kind, outcomes)))


def ending_causes(outcomes: Iterable[BundleOutcome]) -> tuple[Cause, ...]:
    """Return the certificates that end first, soonest first; the servers' own certificates are one cause."""
    groups: dict[tuple[str, datetime] | None, list[BundleOutcome]] = {}
    for one in outcomes:
        if one.first_to_expire is not None and one.expires is not None:
            ending = one.first_to_expire
            key = None if one.own_ends_first else (ending.sha256, ending.not_after)
            groups.setdefault(key, []).append(one)
    endings = [group[0].first_to_expire for key, group in groups.items() if key is not None]
    alike = Counter(_ending(ending) for ending in endings if ending is not None)
    causes = [_ending_cause(group, alike, own=key is None) for key, group in groups.items()]
    return tuple(sorted(causes, key=lambda cause: (cause.until, cause.text)))


def said_causes(kind: CauseKind, outcomes: Iterable[BundleOutcome]) -> tuple[Cause, ...]:
    """Return the causes of one kind that are sentences, those of most bundles first."""
    groups: dict[str, list[tuple[BundleOutcome, str]]] = {}
    for one in outcomes:
        sentence = _SAID[kind](one)
        if sentence is not None:
            groups.setdefault(masked(sentence, one), []).append((one, sentence))
    causes = [
        Cause(
            kind=kind,
            text=group[0][1] if len({sentence for _, sentence in group}) == 1 else text,
            bundles=tuple(one.name for one, _ in group),
        )
        for text, group in groups.items()
    ]
    return tuple(sorted(causes, key=lambda cause: -len(cause.bundles)))


def masked(sentence: str, outcome: BundleOutcome) -> str:
    """Return a sentence about a bundle without what is only its own, so that the same failure of others is the same.

    ``NAME`` and ``OUTPUT`` stand for its name and its file where they are whole words, and ``SUBJECT`` for the subject
    of a certificate without a path, with its serial number.
    """
    target = _NO_PATH.search(sentence[:_SEARCHED])
    if target is not None:
        sentence = re.sub(rf"{re.escape(target[1])}(?: \([^()]*\))?", SUBJECT, sentence)
    for text, word in ((outcome.output, OUTPUT), (outcome.name, NAME)):
        if text:
            pattern = _NUMBER if text.isdecimal() else _WORD
            sentence = re.sub(pattern.replace("TEXT", re.escape(text)), word, sentence)
    return sentence


def reason_of(outcome: BundleOutcome) -> str | None:
    """Return why a file is made again, in one clause; None where nothing says it."""
    return "; ".join(outcome.why) or None


_SAID: Final[dict[CauseKind, Callable[[BundleOutcome], str | None]]] = {
    CauseKind.FAILED: lambda one: (one.error or "no reason was given") if one.status is Status.FAILED else None,
    CauseKind.REWRITE: lambda one: reason_of(one) if one.status is not Status.FAILED else None,
    CauseKind.HOOK_FAILED: lambda one: one.hook_error,
    CauseKind.NOT_SERVED: lambda one: one.served_error,
}


def _ending(ending: Ending) -> tuple[str, str]:
    return ending.label, day(ending.not_after)


def _ending_cause(group: Sequence[BundleOutcome], alike: Counter[tuple[str, str]], *, own: bool) -> Cause:
    ends = [one.expires for one in group if one.expires is not None]
    first, last = min(ends), max(ends)
    ending = group[0].first_to_expire
    if own or ending is None:
        whose = "its own certificate ends" if len(group) == 1 else "their own certificates end"
        period = day(first) if day(first) == day(last) else f"from {day(first)} to {day(last)}"
        text = f"{whose} first, {period}"
    else:
        number = f" (SHA-256 {ending.sha256[:_FINGERPRINT]}...)" if alike[_ending(ending)] > 1 else ""
        text = f"{ending.label}{number} is the first to end, {day(first)}"
    return Cause(kind=CauseKind.ENDS, text=text, bundles=tuple(one.name for one in group), until=first)
