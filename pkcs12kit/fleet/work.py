"""The work on one bundle, where it is done: in a process of this machine or of another."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from pkcs12kit.builder.build import build
from pkcs12kit.builder.pem_output import as_pkcs12
from pkcs12kit.errors import InputError, OutputError, Pkcs12KitError
from pkcs12kit.fleet.arguments import with_fewest_iterations
from pkcs12kit.fleet.inputs import (
    input_marks,
    public_identity,
    read_input_passwords,
    read_public,
)
from pkcs12kit.fleet.jobs import Task
from pkcs12kit.fleet.locks import outputs_locked, why_not_locked
from pkcs12kit.fleet.manifest_words import call_of
from pkcs12kit.fleet.outcomes import BundleOutcome, Ending, Status
from pkcs12kit.fleet.records import Record
from pkcs12kit.fleet.secrets import mark_of_proved, read_secret
from pkcs12kit.fleet.unchanged import Prepared, access_text, digest_of, output_digest, unchanged_path
from pkcs12kit.pkcs12.pending_keys import one_at_a_time
from pkcs12kit.text import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pkcs12kit.builder.report import BuildReport
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.fleet.jobs import Job
    from pkcs12kit.fleet.secrets import ReadSecret
    from pkcs12kit.paths.validation.verdict import ValidatedPath

_LISTED = 5
_REVOCATION_FILES = ("crl", "ocsp")


def work(job: Job) -> BundleOutcome:
    """Do the task of a job and return what became of its bundle; only an interruption is raised.

    A bundle whose record still holds is left alone, without a key derivation; its path is found and judged again. The
    answer has no key and no password. An error of ours fails this bundle, and names only its type and place.
    """
    try:
        with call_of(job.bundle).as_current():  # for the commands in hints
            return _work(job)
    except Pkcs12KitError as error:
        return BundleOutcome.failure(job.bundle, str(error), error.hints)
    except Exception as error:  # noqa: BLE001  # one bundle never stops another
        sentence = f"an error in pkcs12kit itself: {_place_of(error)}; please report it"
        return BundleOutcome.failure(job.bundle, sentence)


def _work(job: Job) -> BundleOutcome:
    prepared = Prepared.of(job)
    if job.task is Task.CHECK:
        return _check(prepared)
    if job.record is not None:
        path = unchanged_path(prepared, job.record)
        if path is not None:
            return _outcome(prepared, Status.UNCHANGED, path, record=_renewed(prepared, job.record, path))
    with one_at_a_time():  # the other bundles need the other processors
        return _build(prepared)


def _check(prepared: Prepared) -> BundleOutcome:
    """Judge the path with the certificate only: no password is read and no file is opened."""
    job = prepared.job
    time = prepared.arguments["parameters"].time
    path = prepared.find(*public_identity(job.bundle, job.record, time, prepared.limits))
    return _outcome(prepared, Status.VALID, path)


def _build(prepared: Prepared) -> BundleOutcome:
    """Build the file if it is not right already, or find out what a build would do."""
    job, bundle, limits = prepared.job, prepared.job.bundle, prepared.limits
    planned = job.task is Task.PLAN
    outputs = bundle.outputs.values()
    with nullcontext(why_not_locked(outputs)) if planned else outputs_locked(outputs, limits=limits) as no_lock:
        as_recorded = job.record is not None and _digest_there(prepared) == job.record.output
        attempt = _Attempt(prepared)
        report = attempt.build(dry_run=planned or no_lock is not None)
        if report.changed and no_lock is not None:
            raise no_lock
        if planned and report.changed:
            record = None
        else:
            proved = job.record.password if as_recorded and job.record and not report.changed else None
            record = attempt.record(report, proved)
    if not report.changed:
        status = Status.UNCHANGED
    elif report.change == "there was no file":
        status = Status.CREATE if planned else Status.CREATED
    else:
        status = Status.REWRITE if planned else Status.REWRITTEN
    before = min((one.not_after for one in report.replaced), default=None)
    if before is None and as_recorded and job.record is not None:
        before = job.record.expires
    outcome = _outcome(
        prepared,
        status,
        report.path,
        why=() if status in {Status.CREATE, Status.CREATED} else _why(report),
        warnings=report.warnings,
        expired_before=before,
        record=record,
    )
    if bundle.options.get("rehearse", False) and not planned:
        return _rehearsed(outcome, attempt, report)
    return outcome


def _why(report: BuildReport) -> tuple[str, ...]:
    if report.differences:
        return tuple(dict.fromkeys(map(str, report.differences)))
    return () if report.change is None else (f"contents: {report.change}",)


class _Attempt:
    """One call of ``build``: its passwords, and the marks of its inputs from before anything is read."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self._read: ReadSecret | None = None
        self._marks = input_marks(prepared.job.bundle, prepared.limits)

    def password(self) -> str:
        """Read the password of the new file, once."""
        source = self.prepared.secret_source
        if self._read is None and source is not None:
            self._read = read_secret(source, limits=self.prepared.limits)
        return "" if self._read is None else self._read.password

    def build(self, *, dry_run: bool) -> BuildReport:
        """Build the file; raise as ``build`` does."""
        prepared, bundle = self.prepared, self.prepared.job.bundle
        arguments = prepared.arguments
        if dry_run and not any(map(os.path.lexists, bundle.outputs.values())):
            arguments = with_fewest_iterations(arguments)
        return build(
            source=bundle.source,
            key=bundle.key,
            certificate=bundle.certificate,
            pkcs12=bundle.pkcs12,
            **read_input_passwords(bundle, prepared.job.time, prepared.limits),  # type: ignore[arg-type]  # passwords
            certificates=prepared.pool.certificates,
            trust_anchors=prepared.pool.trust_anchors,
            output=bundle.output,
            password=None if bundle.password is None else self.password,
            protect=_protected(prepared),
            if_changed=True,
            dry_run=dry_run,
            **arguments,
        )

    def record(self, report: BuildReport, proved: str | None) -> Record | None:
        """Return the record of a file that is right now; None if anything changed in between."""
        prepared, bundle = self.prepared, self.prepared.job.bundle
        digests = [sha256(data).hexdigest() for data in (report.data, report.key_data) if data is not None]
        there = ",".join(digests)
        try:
            marks = input_marks(bundle, prepared.limits)
            if output_digest(prepared) != there:
                raise OutputError(f"{bundle.output}: it is not what was written; another program changed it")
        except InputError as error:
            if report.changed:
                raise OutputError(f"{bundle.output}: it is not as it was written: {error}") from None
            return None
        replaced = [name for name in marks.keys() & self._marks.keys() if marks[name] != self._marks[name]]
        if any(marks[name] not in digests for name in replaced):
            return None
        source = prepared.secret_source
        mark = "" if source is None or self._read is None else mark_of_proved(source, self._read, proved)
        public = read_public(bundle, prepared.limits)
        # A PKCS#12 file that was rewritten in place has the certificates of the new file from now on.
        own = report.certificates if replaced else report.identity_certificates
        known = public is not None and set(public) == set(own)
        return Record(
            digest=digest_of(bundle),
            inputs=marks,
            output=there,
            access=access_text(prepared),
            certificates=tuple(one.sha256 for one in report.certificates),
            password=mark,
            expires=report.path.expires,
            target=report.path.target.der,
            others=None if known else tuple(one.der for one in own),
        )


def _protected(prepared: Prepared) -> dict[str, Iterable[str]]:
    """Return the files that no output may replace, besides those that ``build`` is given by path."""
    bundle = prepared.job.bundle
    secrets = {name: [path] for name, path in bundle.password_files.items()}
    revocation = {name: tuple(map(str, bundle.options.get(name, ()))) for name in _REVOCATION_FILES}
    return {"certificates": bundle.certificates, "trust_anchors": bundle.trust_anchors, **secrets, **revocation}


def _digest_there(prepared: Prepared) -> str | None:
    try:
        return output_digest(prepared)
    except InputError:
        return None


def _renewed(prepared: Prepared, record: Record, path: ValidatedPath) -> Record | None:
    """Return the record with the generation that all records of this password come to; None where nothing is new."""
    source = prepared.secret_source
    if source is None or source.secret.kind == "file":
        mark = record.password
    else:
        mark = mark_of_proved(source, read_secret(source, limits=prepared.limits), record.password)
    new = replace(record, password=mark, expires=path.expires)
    return None if new == record else new


def _rehearsed(outcome: BundleOutcome, attempt: _Attempt, report: BuildReport) -> BundleOutcome:
    """Let TLS clients try the file, and fail the bundle if one that must accept it refuses; the file stays."""
    from pkcs12kit.verifier.rehearse import rehearse

    prepared = attempt.prepared
    data, password = report.data, attempt.password() or None
    if report.profile is None:
        data, password = as_pkcs12(report.key_data or report.data, report.certificates)
    rehearsal = rehearse(
        data,
        trust_anchors=prepared.pool.trust_anchors,
        password=password,
        parameters=prepared.arguments["parameters"],
        limits=prepared.limits,
    )
    if rehearsal.ok:
        return outcome
    problems = "; ".join(shortened(rehearsal.problems, _LISTED))
    return replace(
        outcome,
        status=Status.FAILED,
        error=f"{prepared.job.bundle.output} is in place, but the rehearsal says no: {problems}",
        record=None,
    )


def _outcome(
    prepared: Prepared,
    status: Status,
    path: ValidatedPath,
    *,
    why: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
    expired_before: datetime | None = None,
    record: Record | None = None,
) -> BundleOutcome:
    bundle, time = prepared.job.bundle, path.parameters.time
    return BundleOutcome(
        name=bundle.name,
        output=bundle.output,
        status=status,
        why=why,
        expires=path.expires,
        first_to_expire=_ending(path),
        expired_before=expired_before,
        ends_too_soon=bundle.expires_within is not None and path.expires - time < bundle.expires_within,
        certificates=tuple(one.sha256 for one in prepared.certificates_of(path)),
        warnings=tuple(dict.fromkeys((*prepared.pool.warnings, *warnings))),
        record=record,
    )


def _ending(path: ValidatedPath) -> Ending:
    counted: tuple[Certificate, ...] = (
        path.with_anchor if path.parameters.check_trust_anchor_validity else path.certificates
    )
    first = min(counted, key=lambda one: one.not_after)
    return Ending(label=first.label, sha256=first.sha256, not_after=first.not_after)


def _place_of(error: BaseException) -> str:
    """Return the type of an error and where it was raised; not its text, which may have a secret."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return f"{type(error).__name__}{place}"
