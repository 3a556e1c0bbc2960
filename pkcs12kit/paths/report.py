"""The report of a search: valid paths in order, rejected ones with certificate, reason and RFC section."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from pkcs12kit.certificates.lint.certificate_notes import lint_certificates
from pkcs12kit.certificates.policy_names import by_arcs, policy_name
from pkcs12kit.errors import PathError
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.paths.successions import successions
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.lint.certificate_notes import CertificateNote
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.errors import FailureReason
    from pkcs12kit.hints import Hint
    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.successions import Succession
    from pkcs12kit.paths.validation.verdict import ValidatedPath


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedPath(Shown):
    """Certificates that were tried as a path, or as part of one, and the reasons why they are not a valid path."""

    certificates: tuple[Certificate, ...]
    """The target, and the certificates up to the one where the attempt ended.

    One certificate only for one that the search did not use, and for that of a trust anchor that nothing leads to.
    """
    failures: tuple[Failure, ...]
    """At least one failure, in the order in which they have to be corrected; the first is the one to correct first."""
    walks: int = 1
    """The number of candidates rejected for the same certificate, reason and issuer; this is the best of them."""
    would_be_valid: tuple[datetime, datetime] | None = None
    """The first and the last time at which the path would be valid; None unless it fails for its times only."""
    clock_looks_wrong: bool = False
    """True where the target is not yet valid, or all of several certificates are expired: the time may be wrong."""
    trust_anchor: TrustAnchor | None = None
    """The trust anchor that the certificates lead to; None where they lead to none, or where it is not known."""
    lists_all_failures: bool = False
    """True where ``failures`` are all faults of all certificates; otherwise correcting them may bring up others."""

    @property
    def certificate(self) -> Certificate:
        """The certificate that the first failure is about."""
        return self.failures[0].certificate

    @property
    def reason(self) -> FailureReason:
        """The first failure's reason."""
        return self.failures[0].reason

    @property
    def section(self) -> str:
        """The section of the standard for the first failure."""
        return self.failures[0].section

    @property
    def detail(self) -> str:
        """The findings of the failures, one sentence each; all but the first with the certificate's name."""
        first, *others = self.failures
        return "; ".join([first.detail, *(f"{other.certificate.subject} {other.detail}" for other in others)])

    def to_json(self) -> dict[str, Any]:
        """Return the attempt as ``--json`` prints it."""
        return {
            "certificates": [certificate.to_json() for certificate in self.certificates],
            "certificate": self.certificate.to_json(),
            "reason": self.reason.value,
            "section": self.section,
            "detail": self.detail,
            "failures": [failure.to_json() for failure in self.failures],
            "walks": self.walks,
            "would_be_valid": self._window_to_json(),
            "clock_looks_wrong": self.clock_looks_wrong,
            "trust_anchor": None if self.trust_anchor is None else anchor_to_json(self.trust_anchor),
            "lists_all_failures": self.lists_all_failures,
        }

    def _window_to_json(self) -> dict[str, str] | None:
        if self.would_be_valid is None:
            return None
        begin, end = self.would_be_valid
        return {"from": format_time(begin), "to": format_time(end)}

    def __str__(self) -> str:
        return "; ".join(str(failure) for failure in self.failures)

    def __repr__(self) -> str:
        return f"<RejectedPath of {len(self.certificates)}: {self}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCertificate:
    """A certificate of the same name and key as the target, by another issuer than itself; with its best path."""

    certificate: Certificate
    """The cross-certificate."""
    state: str
    """``valid``, ``expired`` or ``not-yet-valid`` at the time of the search."""
    path: ValidatedPath | None = None
    """Its best valid path; None where there is none, or where none was searched."""
    closest: RejectedPath | None = None
    """The attempt of its own that came closest, where there is no valid path."""
    searched: bool = False
    """True if its paths were searched: for a self-issued target or one without a valid path, up to a limit."""
    incomplete: str | None = None
    """The limit that ended its search early; None for a complete search."""

    @property
    def leads_to_anchor(self) -> bool | None:
        """True if a valid path leads from it to a trust anchor, False if none does, None if that is not known."""
        if self.path is not None:
            return True
        return False if self.searched and self.incomplete is None else None

    def to_json(self) -> dict[str, Any]:
        """Return the cross-certificate as ``--json`` prints it."""
        return {
            "certificate": self.certificate.to_json(),
            "state": self.state,
            "leads_to_anchor": self.leads_to_anchor,
            "path": None if self.path is None else path_to_json(self.path),
            "incomplete": self.incomplete,
            "closest": None if self.closest is None else self.closest.to_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PathReport(Shown):
    """The outcome of one search for all paths from ``target`` to the trust anchors."""

    target: Certificate
    """The certificate that the paths begin with."""
    valid: tuple[ValidatedPath, ...]
    """The valid paths, the best first."""
    rejected: tuple[RejectedPath, ...]
    """The attempts that failed, the most useful first."""
    incomplete: str | None = None
    """The limit that ended the search, or the validation of one path, early; None if everything was tried."""
    before_next: tuple[str, ...] = ()
    """A sentence for each valid path but the last: the comparison that puts it before the next, with both values."""
    time: datetime | None = None
    """The time at which the paths had to be valid; timezone-aware. None where a search did not make the report."""
    trust_anchors: tuple[TrustAnchor, ...] = ()
    """The trust anchors of the search; empty where a search did not make the report."""
    cross_certificates: tuple[CrossCertificate, ...] = ()
    """The other certificates of the target's name and key in the pool, not self-issued, if the target is a CA's.

    Those that lead to a trust anchor come first. If the target is self-issued or has no valid path, their own paths
    were searched.
    """
    same_name_other_key: tuple[Certificate, ...] = ()
    """The certificates with the target's name and another key in the pool, if the target is a CA's: look-alikes."""

    def __repr__(self) -> str:
        return f"<PathReport {str(self.target.subject)!r}: {len(self.valid)} valid, {len(self.rejected)} rejected>"

    @property
    def best(self) -> ValidatedPath:
        """The best valid path. Raises :class:`NoValidPathError` where there is none."""
        if not self.valid:
            raise NoValidPathError(self)
        return self.valid[0]

    @property
    def notes(self) -> tuple[CertificateNote, ...]:
        """Notes on the certificates of the valid paths, each certificate once; the answer does not depend on them."""
        given = (certificate for path in self.valid for certificate in path.certificates)
        anchors = (path.trust_anchor.certificate for path in self.valid)
        named = any(path.parameters.server_name is not None for path in self.valid)
        return lint_certificates(given, trust_anchors=filter(None, anchors), for_server=True if named else None)

    @property
    def successions(self) -> tuple[Succession, ...]:
        """The CAs of the closest attempt that were replaced, as published, with sources; empty for a valid path.

        They are hints about where to look for other certificates, and no reason to trust any.
        """
        if self.valid or not self.rejected:
            return ()
        day = (datetime.now(UTC) if self.time is None else self.time.astimezone(UTC)).date()
        closest = self.rejected[0]
        return successions(closest.certificates, closest.failures, day=day, trust_anchors=self.trust_anchors)

    @property
    def hints(self) -> tuple[Hint, ...]:
        """The steps that may lead to a valid path, in the order in which to try them; empty for a valid path.

        They name the options of the command: in Python ``--certs`` is ``certificates=``, for example.
        """
        if self.valid:
            return ()
        from pkcs12kit.paths.hints import GATHER, hints_for_no_path

        return hints_for_no_path(self, fetching=GATHER)

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``--json`` prints it: target, paths, rejected, incomplete, notes and others."""
        reasons = zip_longest(self.valid, self.before_next[: len(self.valid)])
        return {
            "target": self.target.to_json(),
            "paths": [path_to_json(path) | {"before_next": before_next} for path, before_next in reasons],
            "rejected": [rejected.to_json() for rejected in self.rejected],
            "incomplete": self.incomplete,
            "notes": [note.to_json() for note in self.notes],
            "successions": [one.to_json() for one in self.successions],
            "cross_certificates": [one.to_json() for one in self.cross_certificates],
            "same_name_other_key": [one.to_json() for one in self.same_name_other_key],
        }


class NoValidPathError(Shown, PathError):
    """The error that no valid path leads from the target to a trust anchor. Its text names what is missing or wrong.

    Its ``hints`` are those of the report; Python prints them as notes.
    """

    def __init__(self, report: PathReport) -> None:
        super().__init__(report)
        self.report = report
        """The whole report of the search."""
        self.attempts: tuple[RejectedPath, ...] = report.rejected
        """The rejected attempts, the most useful first."""
        self.hints = report.hints
        for hint in self.hints:  # Python prints notes below the text of an error
            self.add_note(str(hint))

    def __str__(self) -> str:
        text = f"no valid path from {self.report.target.subject} to a trust anchor"
        return f"{text}: {self.attempts[0]}" if self.attempts else text


def path_to_json(path: ValidatedPath) -> dict[str, Any]:
    """Return a path as ``--json`` prints it: the target first, the anchor separately.

    ``policies`` are the authority-constrained policies, and ``policy_names`` their names, None where none is known.
    """
    return {
        "certificates": [certificate.to_json() for certificate in path.certificates],
        "trust_anchor": anchor_to_json(path.trust_anchor),
        "expires": format_time(path.expires),
        "policies": sorted(path.authority_constrained_policy_set),
        "policy_names": {policy: policy_name(policy) for policy in by_arcs(path.authority_constrained_policy_set)},
        "revocation": None if path.revocation is None else path.revocation.to_json(),
    }


def anchor_to_json(anchor: TrustAnchor) -> dict[str, Any]:
    """Return a trust anchor as ``--json`` prints it: its certificate, or its name where it has none."""
    return anchor.certificate.to_json() if anchor.certificate else {"subject": str(anchor.name)}
