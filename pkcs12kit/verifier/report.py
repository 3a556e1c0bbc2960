"""The answer: every finding, and the path that the file is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pkcs12kit.certificates.times import format_time
from pkcs12kit.findings import Outcome
from pkcs12kit.shown import Shown

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.findings import Finding
    from pkcs12kit.paths.confirmation import Confirmation
    from pkcs12kit.paths.report import RejectedPath
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.pkcs12.inspection import PfxReport


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport(Shown):
    """What a PKCS#12 file is worth to clients that trust certain anchors; true where no check says no.

    ``findings`` has each :class:`Check` once, in order. ``certificates`` are in file order, and ``target`` is the one
    that the file is for, None where it holds none. ``path`` is the path in the order of the file where that is a valid
    one, else the best that its certificates make, else None; ``rejected`` says why there is none. ``anatomy`` is what
    :func:`~pkcs12kit.inspect_pfx` says of the file. Neither key nor password is in it.
    """

    findings: tuple[Finding, ...]
    parameters: ValidationParameters = field(repr=False)
    has_private_key: bool
    certificates: tuple[Certificate, ...] = field(repr=False)
    target: Certificate | None
    path: ValidatedPath | None
    rejected: tuple[RejectedPath, ...] = field(repr=False)
    confirmation: Confirmation
    anatomy: PfxReport = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether there is a valid path and no check says no."""
        return self.path is not None and not self.problems

    def __bool__(self) -> bool:
        return self.ok

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that make the answer a no."""
        return tuple(finding for finding in self.findings if finding.outcome is Outcome.NOT_OK)

    def to_json(self) -> dict[str, Any]:
        """Describe it for ``--json``; ``path`` is target first, without the trust anchor's own certificate."""
        path = self.path
        anchor = None if path is None else path.trust_anchor
        return {
            "ok": self.ok,
            "time": format_time(self.parameters.time),
            "findings": [finding.to_json() for finding in self.findings],
            "private_key": self.has_private_key,
            "target": None if self.target is None else self.target.to_json(),
            "certificates": [certificate.to_json() for certificate in self.certificates],
            "path": None if path is None else [certificate.to_json() for certificate in path.certificates],
            "trust_anchor": anchor
            and (anchor.certificate.to_json() if anchor.certificate else {"subject": str(anchor.name)}),
            "expires": None if path is None else format_time(path.expires),
            "policies": [] if path is None else sorted(path.authority_constrained_policy_set),
            "rejected": [rejected.to_json() for rejected in self.rejected],
            "second_opinion": self.confirmation.to_json(),
            "warnings": list(self.anatomy.warnings),
            "readers": {name: verdict.to_json() for name, verdict in self.anatomy.readers.items()},
        }
