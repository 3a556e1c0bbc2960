"""The choice of bundles: by their names, by a limit on the changes of one run, and whether too many would change."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from pkcs12kit.arguments import require_kind
from pkcs12kit.errors import ArgumentError, InputError
from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.text import alternatives, counted, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.fleet.bundles import FleetBundle
    from pkcs12kit.fleet.outcomes import BundleOutcome

_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)%", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)


class MostChanges:
    """The most bundles that a run may change: a number, or a share of the chosen bundles.

    Raises :class:`~pkcs12kit.ArgumentError` for a value that is neither a number nor a percentage such as ``"10%"``.
    """

    def __init__(self, given: int | str) -> None:
        require_kind("max_changes", given, int, str)
        text = str(given)
        percent = _PERCENT.fullmatch(text)
        self._share = None if percent is None else Fraction(percent[1]) / 100
        if (percent is None and not _NUMBER.fullmatch(text)) or (self._share is not None and self._share > 1):
            raise ArgumentError(f"max_changes: {quoted(text)} is neither a number such as 20 nor a share such as 10%")
        self._number = int(text) if percent is None else 0
        self._text = text

    def why_stopped(self, changes: int, chosen: int) -> str | None:
        """Return a sentence if more bundles would change, of those that are chosen; None otherwise."""
        most = Fraction(self._number) if self._share is None else self._share * chosen
        if changes <= most:
            return None
        return (
            f"nothing was written: {counted(changes, 'bundle')} of {chosen} would change, more than {self._text}"
            " (--max-changes)"
        )


def chosen_bundles(bundles: Sequence[FleetBundle], only: str | None) -> tuple[FleetBundle, ...]:
    """Return the bundles whose names match a pattern with ``*``, ``?`` and ``[...]``; all without one.

    Raises :class:`~pkcs12kit.InputError` if none matches.
    """
    if only is None:
        return tuple(bundles)
    chosen = tuple(one for one in bundles if fnmatchcase(one.name, only))
    if not chosen:
        near = get_close_matches(only, [one.name for one in bundles], n=3)
        meant = f"; did you mean {alternatives([quoted(name) for name in near])}?" if near else ""
        raise InputError(f"no bundle of the manifest has a name that matches {quoted(only)}{meant}")
    return chosen


def within_limit(planned: Sequence[BundleOutcome], limit: int | None) -> list[BundleOutcome]:
    """Return the outcomes, with those of the changes that a later run has to make.

    At most ``limit`` changes are left. Bundles without a file come first, because nothing is in place for their
    servers, and then those whose file cannot be judged. The others follow by the end of the path in the file that is in
    place. Among equals, the one whose new path ends first comes first.
    """
    changes = [one for one in planned if one.changed]
    if limit is None or len(changes) <= limit:
        return list(planned)
    kept = {one.name for one in sorted(changes, key=_urgency)[:limit]}
    return [replace(one, status=Status.DEFERRED) if one.changed and one.name not in kept else one for one in planned]


def _urgency(outcome: BundleOutcome) -> tuple[bool, datetime, datetime]:
    in_place = outcome.status is not Status.CREATE
    return in_place, outcome.expired_before or _EARLIEST, outcome.expires or _LATEST
