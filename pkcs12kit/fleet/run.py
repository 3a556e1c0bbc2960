"""The run over all bundles of a manifest: what to do, in which order, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from pkcs12kit.fleet.outcomes import BundleOutcome
    from pkcs12kit.fleet.report import FleetReport
    from pkcs12kit.limits import Limits


def batch(  # noqa: PLR0913  # the one call of a script that keeps a fleet: each option has its own keyword
    manifest: str | PathLike[str],
    *,
    executor: object = None,
    jobs: int | None = None,
    plan: bool = False,
    check: bool = False,
    only: str | None = None,
    limit: int | None = None,
    max_changes: int | str | None = None,
    full: bool = False,
    on_outcome: Callable[[BundleOutcome, int, int], object] | None = None,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> FleetReport:
    """Build what has changed of the bundles of a manifest."""
    raise NotImplementedError
