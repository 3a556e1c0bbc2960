"""The report of a comparison: the class of each certificate, the outcome for each target, and warnings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pkcs12kit.comparison.targets import PathOutcome, TargetComparison
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import Reject
    from pkcs12kit.comparison.classification import CertificatePair, OneSided


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Shown):
    """The differences between two sets of certificates.

    Each certificate of either side is in exactly one of :attr:`unchanged`, :attr:`came`, :attr:`went`, :attr:`renewed`,
    :attr:`rekeyed` and :attr:`encoded_otherwise`. Certificates are the same if their SHA-256 is. Nothing is validated
    for that: names and keys are those that the certificates state.
    """

    time: datetime
    """The time at which paths had to be valid, and for which validity is shown; timezone-aware."""
    unchanged: tuple[Certificate, ...]
    """Certificates on both sides."""
    came: tuple[OneSided, ...] = ()
    """Certificates only on the side after, each with ``certificate`` and ``relation``."""
    went: tuple[OneSided, ...] = ()
    """Certificates only on the side before."""
    renewed: tuple[CertificatePair, ...] = ()
    """Pairs with the same subject, issuer and key, each with ``before``, ``after`` and ``changes``."""
    rekeyed: tuple[CertificatePair, ...] = ()
    """Pairs with the same subject and issuer, and another key. Of a root, only the name is the same."""
    encoded_otherwise: tuple[CertificatePair, ...] = ()
    """Pairs that differ only in their encoding or signature: no field or extension is different."""
    targets: tuple[TargetComparison, ...] = ()
    """The outcome for each target, in the order in which they were given."""
    rejects_before: tuple[Reject, ...] = ()
    """The parts of the side before that could not be read, and so were not compared."""
    rejects_after: tuple[Reject, ...] = ()
    """The parts of the side after that could not be read."""
    warnings: tuple[str, ...] = ()
    """Reasons to read the comparison with care."""

    @property
    def ok(self) -> bool:
        """True if no path of a target broke. False also if a limit ended the search that would have shown it."""
        return not self.broken

    @property
    def broken(self) -> tuple[TargetComparison, ...]:
        """The targets whose path broke or, where a limit ended the search, may have broken."""
        return tuple(one for one in self.targets if one.may_have_broken)

    @property
    def count_before(self) -> int:
        """The number of certificates on the side before, each once."""
        return len(self.unchanged) + len(self.went) + self._pairs

    @property
    def count_after(self) -> int:
        """The number of certificates on the side after."""
        return len(self.unchanged) + len(self.came) + self._pairs

    @property
    def _pairs(self) -> int:
        return len(self.renewed) + len(self.rekeyed) + len(self.encoded_otherwise)

    @property
    def summary(self) -> dict[str, int]:
        """The number of certificates or pairs in each class, and of targets by the outcome for their paths."""
        outcomes = [one.outcome for one in self.targets]
        return {
            "before": self.count_before,
            "after": self.count_after,
            "unchanged": len(self.unchanged),
            "came": len(self.came),
            "went": len(self.went),
            "renewed": len(self.renewed),
            "rekeyed": len(self.rekeyed),
            "encoded_otherwise": len(self.encoded_otherwise),
            "not_read_before": len(self.rejects_before),
            "not_read_after": len(self.rejects_after),
            "targets": len(self.targets),
            **{f"paths_{outcome.value}": outcomes.count(outcome) for outcome in PathOutcome},
        }

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as ``--json`` prints it."""
        return {
            "ok": self.ok,
            "time": format_time(self.time),
            "summary": self.summary,
            "came": [one.to_json() for one in self.came],
            "went": [one.to_json() for one in self.went],
            "renewed": [pair.to_json() for pair in self.renewed],
            "rekeyed": [pair.to_json() for pair in self.rekeyed],
            "encoded_otherwise": [pair.to_json() for pair in self.encoded_otherwise],
            "targets": [one.to_json() for one in self.targets],
            "not_read_before": [str(reject) for reject in self.rejects_before],
            "not_read_after": [str(reject) for reject in self.rejects_after],
            "warnings": list(self.warnings),
        }

    def __repr__(self) -> str:
        classes = ("came", "went", "renewed", "rekeyed", "encoded_otherwise", "unchanged")
        counts = ", ".join(f"{len(getattr(self, name)):,} {name.replace('_', ' ')}" for name in classes)
        paths = f"; {len(self.broken):,} of {len(self.targets):,} targets broke" if self.targets else ""
        return f"<Comparison: {counts}{paths}>"
