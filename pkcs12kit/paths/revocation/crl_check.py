"""The answer of CRLs about one certificate (RFC 5280 section 6.3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cryptography.x509 import ReasonFlags

from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.budget import BudgetExhaustedError
from pkcs12kit.paths.revocation.crl import HOLD, REMOVE_FROM_CRL, RevocationList, UnusableCrlError
from pkcs12kit.paths.revocation.distribution_points import ALL_REASONS, distribution_points
from pkcs12kit.paths.revocation.faults import EvidenceFault, Fault, freshness_fault, malformed
from pkcs12kit.paths.revocation.findings import Counted, Findings, Note
from pkcs12kit.paths.revocation.signers import Signer, unsupported_signature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.paths.graph import Node
    from pkcs12kit.paths.revocation.distribution_points import DistributionPoint
    from pkcs12kit.paths.revocation.model import RevocationEntry
    from pkcs12kit.paths.revocation.signers import CheckedCertificate, SignerSearch

_FRESHEST_CRL = "2.5.29.46"


class _Usable(NamedTuple):
    """A full CRL that covers the certificate, is current, and has an authorized signer."""

    crl: RevocationList
    signer: Signer
    reasons: frozenset[ReasonFlags]
    """interim_reasons_mask of section 6.3.3 (d)."""


class _Listed(NamedTuple):
    """An entry that revokes a certificate, and the CRL that has it."""

    crl: RevocationList
    entry: RevocationEntry


class _Deltas(NamedTuple):
    """The delta CRLs that go with a full CRL."""

    newest: list[RevocationList]
    """The delta CRLs to combine with the full CRL; there are several where they have the same number."""
    is_full_newer: bool
    """True where the full CRL is as new as a current delta CRL, so that it needs none (section 5.2.3)."""


class CrlCheck:
    """One lookup of one certificate in CRLs. ``waiting`` are signers whose own status depends on the result."""

    def __init__(self, checked: CheckedCertificate, search: SignerSearch, waiting: tuple[Node, ...]) -> None:
        self._checked = checked
        self._search = search
        self._waiting = waiting
        self._notes: list[Note] = []
        self._given_up: list[Note] = []
        self._misfits: list[Note] = []
        self._fitting: set[int] = set()

    def run(self) -> Findings:
        """Return the findings of the CRLs; where a budget is exhausted, those of the CRLs before."""
        try:
            points = list(distribution_points(self._checked.certificate))
        except MalformedCertificateError as error:
            return Findings(notes=(Note(None, malformed(str(error))),))
        names = [name for point in points for name in sorted(point.crl_issuers, key=str)]
        crls = self._search.evidence.crls_of(names)
        usable = self._all_usable([crl for crl in crls if not crl.is_delta], points)
        deltas = [crl for crl in crls if crl.is_delta]
        if deltas and len(deltas) == len(crls):
            detail = "changes a full CRL, and no full CRL of this issuer was given"
            self._note(deltas[0], Fault(EvidenceFault.FULL_CRL_MISSING, detail))
        revoked: list[_Listed] = []
        counted: list[Counted] = []
        reasons: frozenset[ReasonFlags] = frozenset()
        for full in usable:
            entries = self._entries_now(full, usable, deltas)
            if entries is None:
                continue
            if not full.reasons:
                detail = "can only revoke the certificate, as each of its distribution points names another CRL issuer"
                self._note(full.crl, Fault(EvidenceFault.ONLY_REVOKES, detail))
            revoked += entries
            counted.append(Counted(full.crl))
            reasons |= full.reasons  # (l)
        if revoked:
            first = min(revoked, key=lambda listed: listed.entry.revoked_at)
            counted = [Counted(first.crl, entry=first.entry)]
            return Findings(revoked=first.entry, counted=tuple(counted), notes=tuple(self._notes))
        if reasons and reasons != ALL_REASONS:
            missing = ", ".join(sorted(reason.value for reason in ALL_REASONS - reasons))
            fault = Fault(EvidenceFault.ONLY_SOME_REASONS, f"no CRL that counts covers the reasons {missing}")
            self._notes.append(Note(None, fault))
        if any(note.fault.code is EvidenceFault.DELTA_CRL_MISSING for note in self._notes):
            self._notes += [note for note in self._misfits if id(note.subject) not in self._fitting]
        return Findings(
            good=reasons == ALL_REASONS,
            notes=(*self._given_up, *self._notes),
            counted=tuple(counted),
            is_complete=not self._given_up,
        )

    def completed(self, note: Note) -> tuple[Note, list[Fault]]:
        """Return a note about a full CRL after the check of its signature, and the faults beside the noted one.

        The check itself ends with the first fault of each CRL. A note about something else is returned as it is.
        """
        crl = note.subject
        if not isinstance(crl, RevocationList) or crl.is_delta:
            return note, []
        try:
            points = list(distribution_points(self._checked.certificate))
            if not any(crl.issuer in point.crl_issuers for point in points):
                return note, []
            found = [
                crl.fault,
                self._freshness_fault(crl),
                crl.scope.kind_fault(self._checked.certificate),
                scope_of(crl, points)[1],
            ]
            signer = self._search.crl_signer(crl, self._checked, self._waiting)
        except (BudgetExhaustedError, MalformedCertificateError):
            return note, []
        faults = [one for one in (*found, signer) if isinstance(one, Fault) and one.code is not note.fault.code]
        return note._replace(is_signed=note.is_signed or isinstance(signer, Signer)), faults

    def _all_usable(self, crls: Sequence[RevocationList], points: Sequence[DistributionPoint]) -> list[_Usable]:
        """Return the usable ones of full CRLs, as many as the budget allows to check."""
        usable: list[_Usable] = []
        try:
            for crl in crls:
                found = self._usable(crl, points)
                if found is not None:
                    usable.append(found)
        except BudgetExhaustedError as error:
            self._given_up.append(Note(None, Fault(EvidenceFault.BUDGET_EXHAUSTED, str(error))))
        return usable

    def _entries_now(
        self, full: _Usable, usable: Sequence[_Usable], deltas: Sequence[RevocationList]
    ) -> list[_Listed] | None:
        """Return the entries that revoke the certificate; None where CRLs do not decide, or a budget is exhausted."""
        try:
            return self._entries(full, self._newest_deltas(full, usable, deltas))
        except BudgetExhaustedError as error:
            self._given_up.append(Note(None, Fault(EvidenceFault.BUDGET_EXHAUSTED, str(error))))
            return None

    def _misfit(self, delta: RevocationList, detail: str) -> None:
        self._misfits.append(Note(delta, Fault(EvidenceFault.DELTA_DOES_NOT_FIT, detail)))

    def _note(self, crl: RevocationList, fault: Fault, *, is_signed: bool = False) -> None:
        self._notes.append(Note(crl, fault, is_signed=is_signed))

    def _fault(self, crl: RevocationList) -> Fault | None:
        """Return why a CRL does not count, whatever its signer (sections 5.2 and 6.3.3 (a)); None where it may."""
        return crl.fault or self._freshness_fault(crl)

    def _freshness_fault(self, crl: RevocationList) -> Fault | None:
        time, max_age = self._search.parameters.time, self._search.evidence.max_age
        return freshness_fault(crl.this_update, crl.next_update, time=time, max_age=max_age)

    def _usable(self, crl: RevocationList, points: Sequence[DistributionPoint]) -> _Usable | None:
        """Return a full CRL if its scope, times and signature allow its use ((b), (d), (f), (g)); else note why not."""
        self._search.budget.spend("revocation_comparisons", len(points))
        covered, scope_fault = scope_of(crl, points)
        reasons = frozenset[ReasonFlags]().union(*(point.reasons & crl.scope.reasons for point in covered))
        signer = (
            self._fault(crl)
            or crl.scope.kind_fault(self._checked.certificate)
            or scope_fault
            or self._search.crl_signer(crl, self._checked, self._waiting)
        )
        if isinstance(signer, Fault):
            self._note(crl, signer)
            return None
        return _Usable(crl, signer, reasons)

    def _newest_deltas(self, full: _Usable, usable: Sequence[_Usable], deltas: Sequence[RevocationList]) -> _Deltas:
        """Return the delta CRL to combine with a full one: the newest (section 5.2.4; (c), (h)).

        It has the same issuer, scope and key. The number of the full CRL is not below its base, and it is newer than
        every full CRL of that scope.
        """
        own = full.crl
        if own.number is None:
            return _Deltas([], is_full_newer=False)
        reached = max(
            one.crl.number or 0
            for one in usable
            if one.signer.node == full.signer.node and one.crl.scope.extension == own.scope.extension
        )
        fit, older, is_for_a_later_full = [], False, False
        for delta in deltas:
            number, base = delta.number, delta.base_number
            if delta.issuer != own.issuer or number is None or base is None or own.number < number <= reached:
                continue
            if delta.scope.extension != own.scope.extension or delta.key_identifier != own.key_identifier:
                self._misfit(delta, f"has another scope or key than {own}")
                continue
            fault = self._delta_fault(delta, full)
            if fault is not None:
                self._note(delta, fault)
                self._fitting.add(id(delta))
            elif number <= own.number:
                older = True
            elif base <= own.number:
                fit.append(delta)
                self._fitting.add(id(delta))
            else:
                is_for_a_later_full = True
                self._misfit(delta, f"changes the full CRLs from {serial_number_label(base)} on, and not {own}")
        newest = max((delta.number or 0 for delta in fit), default=None)
        return _Deltas(
            [delta for delta in fit if delta.number == newest], is_full_newer=older and not is_for_a_later_full
        )

    def _delta_fault(self, delta: RevocationList, full: _Usable) -> Fault | None:
        """Return why a delta CRL does not count beside a full one: its times or its signature; None where it does."""
        fault = self._fault(delta)
        if fault is None and not self._search.has_signed(full.signer.key, delta.signed):
            forged = Fault(EvidenceFault.BAD_SIGNATURE, f"is not signed by the key of {full.crl}")
            fault = unsupported_signature(delta.signed) or forged
        return fault or self._search.weakness(full.signer.key, delta.signed)

    def _entries(self, full: _Usable, deltas: _Deltas) -> list[_Listed] | None:
        """Return the entries of a full CRL and its deltas that revoke the certificate now ((i) to (k)).

        None where they do not decide: where the CRL must not be used, or not without a delta CRL.
        """
        certificate, budget, time = self._checked.certificate, self._search.budget, self._search.parameters.time
        asked = (certificate.issuer, certificate.serial_number, budget)
        try:
            of_full = [_Listed(full.crl, entry) for entry in full.crl.entries_about(*asked)]
        except UnusableCrlError as error:
            self._note(full.crl, error.fault, is_signed=True)
            return None
        changes: list[_Listed] = []
        read = []
        for delta in deltas.newest:
            try:
                changes += [_Listed(delta, entry) for entry in delta.entries_about(*asked)]
                read.append(delta)
            except UnusableCrlError as error:
                self._note(delta, error.fault, is_signed=True)
        is_lifted = any(listed.entry.reason == REMOVE_FROM_CRL for listed in changes)
        revoked = [listed for listed in changes if listed.entry.reason != REMOVE_FROM_CRL]
        revoked += [listed for listed in of_full if not (is_lifted and listed.entry.reason == HOLD)]
        now = [one for one in revoked if one.entry.revoked_at <= time and one.entry.reason != REMOVE_FROM_CRL]
        if now:
            return now
        if any(listed.entry.reason == REMOVE_FROM_CRL for listed in of_full):
            detail = "lists the certificate with the reason removeFromCRL, which only a delta CRL may have"
            self._note(full.crl, Fault(EvidenceFault.MISPLACED_REMOVAL, detail))
            return None
        names_deltas = full.crl.names_delta_crls or _FRESHEST_CRL in certificate.extensions.oids
        needed = len(deltas.newest) or (0 if deltas.is_full_newer else 1)
        if names_deltas and len(read) < needed:
            detail = "is changed by delta CRLs (freshestCRL), and none that counts and fits it was given"
            self._note(full.crl, Fault(EvidenceFault.DELTA_CRL_MISSING, detail))
            return None
        return []


def scope_of(crl: RevocationList, points: Sequence[DistributionPoint]) -> tuple[list[DistributionPoint], Fault | None]:
    """Return the distribution points that a CRL serves, and why it serves none ((b)(1), (b)(2)(i), (d)), or None."""
    of_issuer = [point for point in points if crl.issuer in point.crl_issuers]
    covered = [point for point in of_issuer if crl.scope.covers(point)]
    if covered:
        # A point that no reason can be ruled out for, only revoked, is served as well.
        if any(point.reasons & crl.scope.reasons or not point.reasons for point in covered):
            return covered, None
        detail = "covers other reasons than the distribution point of the certificate"
        return covered, Fault(EvidenceFault.OTHER_REASONS, detail)
    if all(point.is_indirect for point in of_issuer) and not crl.scope.is_indirect:
        detail = "is not an indirect CRL, and so not about certificates of another issuer"
        return covered, Fault(EvidenceFault.NOT_INDIRECT, detail)
    detail = "covers other distribution points than those of the certificate"
    return covered, Fault(EvidenceFault.OTHER_DISTRIBUTION_POINT, detail)
