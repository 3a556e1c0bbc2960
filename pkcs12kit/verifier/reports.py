"""Reports on PKCS#12 files and served chains: findings, paths and changes to make."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from pkcs12kit.certificates.lint.certificate_notes import lint_certificates
from pkcs12kit.errors import ArgumentError
from pkcs12kit.findings import Check, not_ok
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.paths.report import anchor_to_json, path_to_json
from pkcs12kit.pkcs12.readers import refuses_protection
from pkcs12kit.sources.delivered_files import FileFormat
from pkcs12kit.times import format_time
from pkcs12kit.verifier.hints import hints_for_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.lint.certificate_notes import CertificateNote
    from pkcs12kit.findings import Finding
    from pkcs12kit.hints import Hint
    from pkcs12kit.paths.confirmation import Confirmation
    from pkcs12kit.paths.report import RejectedPath
    from pkcs12kit.paths.revocation import RevocationReport
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.pkcs12.inspection import PfxReport
    from pkcs12kit.tls.certificate_message import CertificateMessage


class Report(Shown, ABC):
    """Base of the reports on files and servers. The answer is :attr:`ok`; a report has no truth value of its own."""

    __slots__ = ()

    @property
    def ok(self) -> bool:
        """True where there is no problem."""
        return not self.problems

    @property
    @abstractmethod
    def failed(self) -> tuple[str, ...]:
        """The names of the checks, clients and devices that failed, each once."""

    @property
    @abstractmethod
    def problems(self) -> tuple[str, ...]:
        """The problems, one sentence each, which may quote text from outside. Empty where the answer is yes."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the report as ``--json`` prints it."""

    def __bool__(self) -> NoReturn:
        """Raise :class:`~pkcs12kit.ArgumentError`: a report that were always true would be taken for a yes."""
        raise ArgumentError(f"a {type(self).__name__} is neither true nor false: ask for its .ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport(Report):
    """The answer on a PKCS#12 file, for clients that trust certain anchors. It holds neither key nor password."""

    findings: tuple[Finding, ...]
    """One for each check of :data:`~pkcs12kit.findings.FILE_CHECKS`, in that order."""
    parameters: ValidationParameters = field(repr=False)
    """The time, the server name and the other inputs of path validation."""
    has_private_key: bool
    """True where the file has a private key, of this certificate or another."""
    certificates: tuple[Certificate, ...] = field(repr=False)
    """All readable certificates, in the order of the file."""
    target: Certificate | None
    """The certificate that the file is for; None where it holds none."""
    path: ValidatedPath | None
    """The certificates in their own order, where that is a valid path; else the best path that they make, or None."""
    rejected: tuple[RejectedPath, ...] = field(repr=False)
    """The paths that failed, where none is valid, the closest first."""
    confirmation: Confirmation
    """The second opinion on ``path``."""
    revocation: RevocationReport | None = field(default=None, repr=False)
    """The status of each certificate of ``path`` with the evidence; None where it was not asked for."""
    anatomy: PfxReport | None = field(repr=False)
    """The structure and the protection of the file, as :func:`~pkcs12kit.inspect_pfx` returns them.

    None for a chain in PEM or PKCS#7.
    """
    format: FileFormat = FileFormat.PKCS12
    """The format of the file."""
    call_warnings: tuple[str, ...] = ()
    """Warnings about the trust anchors, and about a time other than now, that the caller gave."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings about the file, then those of ``call_warnings``."""
        of_file = () if self.anatomy is None else self.anatomy.warnings
        return (*of_file, *self.call_warnings)

    @property
    def failed(self) -> tuple[str, ...]:
        """The values of the checks that failed."""
        return check_names(_failures(self.findings, self.path))

    @property
    def problems(self) -> tuple[str, ...]:
        """The findings of the checks that failed, one sentence each."""
        return tuple(map(str, _failures(self.findings, self.path)))

    @property
    def hints(self) -> tuple[Hint, ...]:
        """The steps that may help where a check failed, in the order in which to try them; empty where none did.

        They name the options of the command; in Python ``--anchor`` is ``trust_anchors=``, for example.
        """
        if self.ok:
            return ()
        facts = None if self.anatomy is None else self.anatomy.facts
        return hints_for_file(
            self.findings,
            self.rejected,
            self.certificates,
            time=self.parameters.time,
            is_pkcs12=self.format is FileFormat.PKCS12,
            has_private_key=self.has_private_key,
            revocation=() if self.revocation is None else self.revocation.failures,
            unreadable_by=lambda reader: facts is not None and refuses_protection(reader, facts),
        )

    @property
    def notes(self) -> tuple[CertificateNote, ...]:
        """Notes on the certificates of the path, or of the file where it makes none; no answer depends on them."""
        target = () if self.target is None else (self.target,)
        for_server = True if self.has_private_key else None
        return _notes(self.path, (*target, *self.certificates), for_server=for_server)

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``--json`` prints it; ``path`` is target first, without the anchor's certificate."""
        path = self.path
        anchor = None if path is None else path.trust_anchor
        readers = {} if self.anatomy is None else self.anatomy.readers
        return {
            "ok": self.ok,
            "format": self.format.value,
            "time": format_time(self.parameters.time),
            "findings": [finding.to_json() for finding in self.findings],
            "private_key": self.has_private_key,
            "target": None if self.target is None else self.target.to_json(),
            "certificates": [certificate.to_json() for certificate in self.certificates],
            "path": None if path is None else [certificate.to_json() for certificate in path.certificates],
            "trust_anchor": None if anchor is None else anchor_to_json(anchor),
            "expires": None if path is None else format_time(path.expires),
            "policies": [] if path is None else sorted(path.authority_constrained_policy_set),
            "rejected": [rejected.to_json() for rejected in self.rejected],
            "second_opinion": self.confirmation.to_json(),
            "revocation": None if self.revocation is None else self.revocation.to_json(),
            "warnings": list(self.warnings),
            "readers": {name: verdict.to_json() for name, verdict in readers.items()},
            "notes": [note.to_json() for note in self.notes],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedChainReport(Report):
    """The answer on the certificates that a TLS server sends, for clients that trust certain anchors."""

    message: CertificateMessage = field(repr=False)
    """The served chain: the certificates in the order of the wire."""
    parameters: ValidationParameters = field(repr=False)
    """The time, the server name and the other inputs of path validation."""
    findings: tuple[Finding, ...]
    """One for each check of :data:`~pkcs12kit.findings.SERVED_CHAIN_CHECKS`, in that order."""
    path: ValidatedPath | None
    """The served chain in its own order, where that is a valid path; else the best path that it makes, or None.

    Also the best path where it has fewer mismatches of authorityKeyIdentifiers than the chain in its own order.
    """
    path_with_pool: ValidatedPath | None
    """The best path with certificates of the pool; None without a pool, without such a path, or where not needed."""
    rejected: tuple[RejectedPath, ...] = field(repr=False)
    """The paths that failed, where none is valid, the closest first."""
    changes: tuple[str, ...]
    """The changes to make on the server: one sentence for each step, in the order in which to make them."""
    should_send: tuple[Certificate, ...] | None = field(repr=False)
    """The certificates that the server sends after these changes, in order; None where no path is known."""

    @property
    def failed(self) -> tuple[str, ...]:
        """The values of the checks that failed."""
        return check_names(_failures(self.findings, self.path))

    @property
    def problems(self) -> tuple[str, ...]:
        """The findings of the checks that failed, one sentence each."""
        return tuple(map(str, _failures(self.findings, self.path)))

    @property
    def notes(self) -> tuple[CertificateNote, ...]:
        """Notes on the certificates of the path, or of the message where it makes none; no answer depends on them."""
        return _notes(self.path, self.message.certificates, for_server=True)

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``--json`` prints it; certificates in the order of the wire, paths target first."""
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
            "notes": [note.to_json() for note in self.notes],
        }


def _failures(findings: Iterable[Finding], path: ValidatedPath | None) -> tuple[Finding, ...]:
    """Return the findings of failed checks. Without a valid path there is always one."""
    failures = tuple(finding for finding in findings if finding.is_problem)
    return failures if failures or path is not None else (not_ok(Check.PATH, "there is no valid path"),)


def _notes(
    path: ValidatedPath | None, certificates: tuple[Certificate, ...], *, for_server: bool | None
) -> tuple[CertificateNote, ...]:
    """Return notes on the certificates of a path, or on others where there is none."""
    if path is None:
        return lint_certificates(certificates, for_server=for_server)
    anchor = path.trust_anchor.certificate
    return lint_certificates(
        path.certificates, trust_anchors=() if anchor is None else (anchor,), for_server=for_server
    )


def check_names(failures: Iterable[Finding]) -> tuple[str, ...]:
    """Return the names of the checks, each once."""
    return tuple(dict.fromkeys(finding.check.value for finding in failures))
