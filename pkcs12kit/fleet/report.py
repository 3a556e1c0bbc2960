"""The report of a run over all bundles of a manifest, and the forms in which it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_flags, require_kind, require_texts
from pkcs12kit.fleet.results import FleetResults
from pkcs12kit.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:  # the types of inherited fields, which the documentation looks up here
    from datetime import datetime  # noqa: F401
    from pathlib import Path  # noqa: F401

    from pkcs12kit.fleet.outcomes import BundleOutcome  # noqa: F401


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FleetReport(FleetResults):
    """The outcomes of all bundles of a manifest, and what follows from them."""

    def to_junit(self) -> str:
        """Return the report as JUnit XML, which GitLab and Jenkins show: a test case for each bundle."""
        from pkcs12kit.fleet.junit import junit_of

        return junit_of(self)

    def to_prometheus(self, *, before: str | None = None) -> str:
        """Return the report as metrics for the textfile collector of Prometheus' ``node_exporter``.

        ``before`` is the text of the last run: the time of the last success is kept from it. Raises
        :class:`~pkcs12kit.ArgumentError` for another kind of ``before``.
        """
        from pkcs12kit.fleet.prometheus import metrics_of

        require_texts(before=before)
        return metrics_of(self, before=before)

    def to_svg(self, *, title: str | None = None, words: bool = True, limits: Limits = DEFAULT_LIMITS) -> str:
        """Return the ends of the bundles' paths as an SVG image: a bar for each, from the time of the run to its end.

        - ``title``: replaces the title.
        - ``words``: False for the bars only, with no heading.

        More than ``limits.picture_bars`` bundles are drawn together by the certificate that ends first. The same report
        always gives the same text.
        """
        from pkcs12kit.fleet.gantt import gantt_of

        require_texts(title=title)
        require_flags(words=words)
        require_kind("limits", limits, Limits)
        return gantt_of(self, title=title, words=words, limits=limits)

    def __repr__(self) -> str:
        return f"<FleetReport of {len(self.bundles)}: {self.changed} changed, {self.failed} failed>"
