"""The answer on what a server sends: every finding, the paths, and what to change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pkcs12kit.certificates.times import format_time
from pkcs12kit.paths.report import path_to_json
from pkcs12kit.shown import Shown

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.findings import Finding
    from pkcs12kit.paths.report import RejectedPath
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.tls.certificate_message import CertificateMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class SentReport(Shown):
    """What a server's Certificate message is worth to clients that trust certain anchors; true where no check says no.

    ``findings`` has each :class:`SentCheck` once, in order. ``path`` is what exactly the certificates sent make, in
    their order where that is a valid one, else in any; ``rejected`` says why there is none. ``path_with_pool`` is what
    they make together with the pool, None where none was given, and where it is not needed or does not help.
    ``changes`` are sentences: what to change on the server, one step each, in the order in which to do them.
    ``should_send`` are the certificates that are sent then, in order; None where no path is known.
    """

    message: CertificateMessage = field(repr=False)
    parameters: ValidationParameters = field(repr=False)
    findings: tuple[Finding, ...]
    path: ValidatedPath | None
    path_with_pool: ValidatedPath | None
    rejected: tuple[RejectedPath, ...] = field(repr=False)
    changes: tuple[str, ...]
    should_send: tuple[Certificate, ...] | None = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether there is a valid path and no check says no."""
        return self.path is not None and not self.problems

    def __bool__(self) -> bool:
        return self.ok

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that make the answer a no."""
        return tuple(finding for finding in self.findings if finding.is_problem)

    def to_json(self) -> dict[str, Any]:
        """Describe it for ``--json``; certificates in the order of the wire, paths target first."""
        return {
            "ok": self.ok,
            "time": format_time(self.parameters.time),
            "server_name": self.parameters.server_name,
            "sent": self.message.to_json(),
            "findings": [finding.to_json() for finding in self.findings],
            "path": None if self.path is None else path_to_json(self.path),
            "path_with_pool": None if self.path_with_pool is None else path_to_json(self.path_with_pool),
            "rejected": [rejected.to_json() for rejected in self.rejected],
            "changes": list(self.changes),
            "should_send": None if self.should_send is None else [one.to_json() for one in self.should_send],
        }
