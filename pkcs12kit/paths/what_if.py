"""The best path of a search, compared with the best one where certificates are removed or added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.certificates.lookup import identified, require_member
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import ArgumentError, InputError
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.paths.report import path_to_json
from pkcs12kit.text import counted, shortened
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.report import PathReport
    from pkcs12kit.paths.search import PathRequest
    from pkcs12kit.paths.validation.verdict import ValidatedPath

_NAMED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Certificates to remove from a pool, and certificates to add to it."""

    without: tuple[Certificate, ...] = ()
    """The certificates to remove: every copy, but no other certificate of the same name and key."""
    adding: CertificatePool
    """The certificates to add."""

    def require_fitting(self, request: PathRequest, names: dict[Certificate, str]) -> None:
        """Raise :class:`~pkcs12kit.InputError` unless a search can be changed so; ``names`` are for messages.

        A certificate to remove has to be in the pool, and can neither be the target nor that of a trust anchor, nor
        one to add.
        """
        if not self.without and not len(self.adding) and not self.adding.rejects:
            raise ArgumentError("without and adding: give at least one certificate to remove or to add")
        added = set(self.adding)
        for one in self.without:
            name = names.get(one, "without")
            if one == request.target:
                raise InputError(f"{name}: {identified(one)} is the certificate whose paths are asked for: keep it")
            if any(anchor.certificate == one for anchor in request.trust_anchors):
                raise InputError(
                    f"{name}: {identified(one)} is a trust anchor, and trusted whether or not it is among the other"
                    " certificates; to see the paths without it, leave it out of the trust anchors"
                )
            if one in added:
                raise InputError(f"{name}: {identified(one)} is to be removed and to be added; give it for one of them")
            require_member(one, request.pool, name=name)

    def of(self, request: PathRequest) -> PathRequest:
        """Return the search with the changed pool."""
        gone = set(self.without)
        kept = [one for one in request.pool if one not in gone]
        pool = CertificatePool((*kept, *self.adding), rejects=(*request.pool.rejects, *self.adding.rejects))
        return request._replace(pool=pool)

    def compare(self, request: PathRequest, *, before: PathReport, after: PathReport) -> WhatIfReport:
        """Return the comparison of the reports of a search and of the changed search."""
        added = tuple(one for one in self.adding if one not in request.pool)
        return WhatIfReport(before=before, after=after, without=self.without, added=added)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfReport(Shown):
    """The paths of a target as they are, and as they would be without or with certain certificates."""

    before: PathReport
    """The report of the search as it is."""
    after: PathReport
    """The report of the search after the change."""
    without: tuple[Certificate, ...]
    """The certificates that were removed."""
    added: tuple[Certificate, ...]
    """The certificates that were added, without those that were there before."""

    def __repr__(self) -> str:
        return f"<WhatIfReport {str(self.after.target.subject)!r}: {'; '.join(self.changes)}>"

    @property
    def changed(self) -> bool:
        """True if another path is the best then, or if there is a valid path in one case only."""
        return _identity(_best(self.before)) != _identity(_best(self.after))

    @property
    def change(self) -> str:
        """The change in words: ``without DoD Root CA 3 #748 (issued by ...)``."""
        parts = []
        if self.without:
            parts.append(f"without {', '.join(shortened(self.without, _NAMED, identified))}")
        if self.added:
            parts.append(f"with {', '.join(shortened(self.added, _NAMED, identified))}")
        return " and ".join(parts) or "with certificates that were there before"

    @property
    def changes(self) -> tuple[str, ...]:
        """The differences of the best path then: a sentence each, at least one."""
        return tuple(self._changes())

    def _changes(self) -> Iterator[str]:
        before, after = _best(self.before), _best(self.after)
        if not self.without and not self.added:
            yield "nothing changes: every certificate to add was there before"
        elif before is None and after is None:
            yield f"{self.change} there is no valid path either"
        elif after is None:
            why = f": {self.after.rejected[0]}" if self.after.rejected else ""
            yield f"{self.change} there is no valid path{why}"
        elif before is None:
            yield (
                f"{self.change} there is a valid path, {counted(_length(after), 'certificate')} long, which expires on"
                f" {format_time(after.expires)}"
            )
        elif not self.changed:
            yield f"nothing changes: {self.change} the best path is the same"
        else:
            yield from self._differences(before, after)
        for report, when in ((self.before, "as it is"), (self.after, "after the change")):
            if report.incomplete is not None:
                yield f"the search {when} was cut short, so there may be a better path: {report.incomplete}"

    def _differences(self, before: ValidatedPath, after: ValidatedPath) -> Iterator[str]:
        longer = _length(after) - _length(before)
        parts = []
        if longer:
            sizes = f"({_length(after)} instead of {_length(before)})"
            parts.append(f"is {counted(abs(longer), 'certificate')} {'longer' if longer > 0 else 'shorter'} {sizes}")
        if before.expires == after.expires:
            parts.append(f"still expires on {format_time(after.expires)}")
        else:
            parts.append(f"expires on {format_time(after.expires)} instead of {format_time(before.expires)}")
        if before.trust_anchor.node != after.trust_anchor.node:
            parts.append(f"leads to {after.trust_anchor.label} instead of {before.trust_anchor.label}")
        yield f"{self.change} the best path {' and '.join(parts)}"
        gone, new = _apart(before, after), _apart(after, before)
        twins = {one: next((other for other in new if other.node == one.node), None) for one in gone}
        for one, twin in twins.items():
            if twin is not None:
                yield f"{identified(twin)}, of the same name and key, takes the place of {identified(one)}"
        others = [one for one, twin in twins.items() if twin is None]
        instead = [one for one in new if one not in twins.values()]
        if others or instead:
            yield f"it goes through {_names(instead)} instead of {_names(others)}"

    def to_json(self) -> dict[str, Any]:
        """Return the report after the change as ``--json`` prints it, and the comparison as ``what_if``."""
        before, after = _best(self.before), _best(self.after)
        return self.after.to_json() | {
            "what_if": {
                "without": [one.to_json() for one in self.without],
                "with": [one.to_json() for one in self.added],
                "before": None if before is None else path_to_json(before),
                "after": None if after is None else path_to_json(after),
                "changed": self.changed,
                "changes": list(self.changes),
            }
        }


def _best(report: PathReport) -> ValidatedPath | None:
    return next(iter(report.valid), None)


def _identity(path: ValidatedPath | None) -> object:
    return None if path is None else (path.certificates, path.trust_anchor.node, path.trust_anchor.certificate)


def _length(path: ValidatedPath) -> int:
    return len(path.with_anchor)


def _apart(path: ValidatedPath, other: ValidatedPath) -> list[Certificate]:
    return [one for one in path.certificates if one not in other.certificates]


def _names(certificates: list[Certificate]) -> str:
    return ", ".join(shortened(certificates, _NAMED, identified)) or "no other certificate"
