"""The results of a run over all bundles of a manifest: values and numbers, without the forms of a report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pkcs12kit.fleet.causes import causes_of
from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pkcs12kit.fleet.causes import Cause
    from pkcs12kit.fleet.outcomes import BundleOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetResults(Shown):
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
    def hooks_failed(self) -> int:
        """The number of bundles whose command after a change failed."""
        return sum(one.hook_error is not None for one in self.bundles)

    @property
    def not_served(self) -> int:
        """The number of bundles that a server does not send."""
        return sum(one.served_error is not None for one in self.bundles)

    @property
    def ending_too_soon(self) -> int:
        """The number of bundles whose path ends within the time that the manifest asks for."""
        return sum(one.ends_too_soon for one in self.bundles)

    @property
    def statuses(self) -> dict[Status, int]:
        """The number of bundles of each status that occurs."""
        found = Counter(one.status for one in self.bundles)
        return {status: found[status] for status in Status if status in found}

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The causes that bundles share: certificates that end first, failures, reasons to make files again."""
        return causes_of(self.bundles)

    @property
    def ok(self) -> bool:
        """True if every bundle is as it should be."""
        return self.stopped is None and all(one.ok for one in self.bundles)

    @property
    def exit_status(self) -> int:
        """The exit status of the command: 0 if every bundle is as it should be, otherwise 1."""
        return 0 if self.ok else 1

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        return {
            "manifest": str(self.manifest),
            "mode": self.mode,
            "time": format_time(self.time),
            "bundles": [one.to_json() for one in self.bundles],
            "changed": self.changed,
            "failed": self.failed,
            "statuses": {status.value: number for status, number in self.statuses.items()},
            "ends_too_soon": self.ending_too_soon,
            "hooks_failed": self.hooks_failed,
            "not_served": self.not_served,
            "causes": [cause.to_json() for cause in self.causes],
            "stopped": self.stopped,
            "warnings": list(self.warnings),
        }
