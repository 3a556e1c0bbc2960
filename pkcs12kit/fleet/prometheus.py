"""A report as metrics for the textfile collector of Prometheus' ``node_exporter``.

Times are instants and not ages, so that an alert stays right when no run comes any more. Each sample has the manifest
as a label: two files with one series in them make the collector refuse both.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from pkcs12kit.fleet.outcomes import BundleOutcome
    from pkcs12kit.fleet.results import FleetResults

MARK: Final = "# pkcs12kit batch"
"""The first line of a file with metrics, by which a later run knows it."""
_LAST_SUCCESS: Final = "pkcs12kit_batch_last_success_timestamp_seconds"
_OF_A_BUNDLE: Final[dict[str, tuple[str, Callable[[BundleOutcome], float | None]]]] = {
    "expiry_timestamp_seconds": (
        "End of the certification path in the file that is in place",
        lambda one: None if one.expires_in_place is None else one.expires_in_place.timestamp(),
    ),
    "ok": ("1 if the bundle is as it should be", lambda one: one.ok),
    "failed": ("1 if the bundle failed: no path, or a file that cannot be used", lambda one: _is(one, Status.FAILED)),
    "changed": ("1 if the file was written; with --plan, if it would be", lambda one: one.changed),
    "deferred": ("1 if a change was left to a later run", lambda one: _is(one, Status.DEFERRED)),
    "ends_too_soon": ("1 if the path ends within the time asked for", lambda one: one.ends_too_soon),
    "hook_failed": ("1 if the command after a change failed", lambda one: one.hook_error is not None),
    "not_served": ("1 if a server does not send the new certificate", lambda one: one.served_error is not None),
}


def metrics_of(report: FleetResults, *, before: str | None = None) -> str:
    """Return the report in the text format of Prometheus; ``before`` is the text of the last run.

    A bundle has no sample for an end that is not known. The time of the last success is that of this run if all is as
    it should be, and otherwise the one in ``before`` for this manifest.
    """
    manifest = _escaped(os.path.abspath(report.manifest))  # noqa: PTH100  # it need not exist
    names = _distinct(report)
    lines = [MARK]
    for metric, (about, value_of) in _OF_A_BUNDLE.items():
        samples = {
            f'bundle="{name}",manifest="{manifest}"': value
            for name, one in zip(names, report.bundles, strict=True)
            if (value := value_of(one)) is not None
        }
        lines += _family(f"pkcs12kit_bundle_{metric}", about, samples)
    found = Counter(one.status for one in report.bundles)
    by_status = {f'manifest="{manifest}",status="{status.value}"': found[status] for status in _statuses(report)}
    lines += _family("pkcs12kit_batch_bundles", "Bundles by status", by_status)
    mine = f'manifest="{manifest}"'
    lines += _family("pkcs12kit_batch_ok", "1 if every bundle is as it should be", {mine: report.ok})
    stopped = {mine: report.stopped is not None}
    lines += _family("pkcs12kit_batch_stopped", "1 if more would have changed than --max-changes allows", stopped)
    last_run = {mine: _seconds(report.time)}
    lines += _family("pkcs12kit_batch_last_run_timestamp_seconds", "Time of the last run", last_run)
    success = _seconds(report.time) if report.ok else _last_success(before or "", mine)
    if success is not None:
        lines += _family(_LAST_SUCCESS, "Time of the last run after which all was as it should be", {mine: success})
    return "\n".join(lines) + "\n"


def _family(metric: str, about: str, samples: Mapping[str, float]) -> Iterator[str]:
    """Yield the lines of a metric, all of them together, as the format asks; nothing without samples."""
    if not samples:
        return
    yield f"# HELP {metric} {about}."
    yield f"# TYPE {metric} gauge"
    yield from (f"{metric}{{{labels}}} {int(value)}" for labels, value in samples.items())


def _distinct(report: FleetResults) -> list[str]:
    """Return the names as values of labels; those that look the same once they are safe to print get a number."""
    used: set[str] = set()
    names = []
    for one in report.bundles:
        name = text = _escaped(one.name)
        number = 1
        while text in used:
            number += 1
            text = f"{name} ({number})"
        used.add(text)
        names.append(text)
    return names


def _escaped(text: object) -> str:
    r"""Return a text as the value of a label, on one line, with ``\`` and ``"`` escaped."""
    return harmless(text).replace("\\", "\\\\").replace('"', '\\"')


def _statuses(report: FleetResults) -> tuple[Status, ...]:
    """Return the statuses that runs of this kind may have, so that a count that falls to 0 is there, and others."""
    usual = {
        "run": (Status.CREATED, Status.REWRITTEN, Status.UNCHANGED, Status.FAILED, Status.DEFERRED),
        "plan": (Status.CREATE, Status.REWRITE, Status.UNCHANGED, Status.FAILED, Status.DEFERRED),
        "check": (Status.VALID, Status.FAILED),
    }
    return tuple(dict.fromkeys((*usual.get(report.mode, ()), *report.statuses)))


def _last_success(before: str, labels: str) -> int | None:
    found = re.search(rf"^{_LAST_SUCCESS}{{{re.escape(labels)}}} (-?[0-9]{{1,15}})$", before, re.MULTILINE | re.ASCII)
    return None if found is None else int(found[1])


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def _is(outcome: BundleOutcome, status: Status) -> bool:
    return outcome.status is status
