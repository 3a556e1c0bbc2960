"""The result of a run over all bundles of a manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pkcs12kit.fleet.outcomes import BundleOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetReport(Shown):
    """The outcomes of the bundles of a manifest."""

    manifest: Path
    """The manifest."""
    mode: str
    """``run``, ``plan`` or ``check``."""
    bundles: tuple[BundleOutcome, ...]
    """The bundles, in the order of the manifest; with ``only`` those that were chosen."""
    time: datetime
    """The time of the run, UTC."""
    stopped: str | None = None
    """Why nothing was written although something would have changed: more than ``max_changes``; None otherwise."""
    warnings: tuple[str, ...] = ()
    """Warnings for the user about the manifest and the state."""

    @property
    def changed(self) -> int:
        """The number of bundles that were written; with a plan, that would be."""
        return sum(one.changed for one in self.bundles)

    @property
    def failed(self) -> int:
        """The number of bundles that failed: no path, an input that cannot be used, a file that cannot be written."""
        return sum(one.status is Status.FAILED for one in self.bundles)

    @property
    def ok(self) -> bool:
        """True if every bundle is as it should be."""
        return self.stopped is None and all(one.ok for one in self.bundles)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {
            "manifest": str(self.manifest),
            "mode": self.mode,
            "time": format_time(self.time),
            "bundles": [one.to_json() for one in self.bundles],
            "changed": self.changed,
            "failed": self.failed,
            "stopped": self.stopped,
            "warnings": list(self.warnings),
        }

    def __repr__(self) -> str:
        return f"<FleetReport of {len(self.bundles)}: {self.changed} changed, {self.failed} failed>"
