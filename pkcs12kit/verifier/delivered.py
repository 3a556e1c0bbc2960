"""What a file or a server delivers: the certificates for one key, in their order, and the paths that they make."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.findings import Finding, Outcome
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.failure import InvalidPathError
from pkcs12kit.paths.search import find_paths
from pkcs12kit.paths.validation.server_name import mismatch
from pkcs12kit.paths.validation.validator import validate
from pkcs12kit.pkcs12.arrangement import Arrangement, KeyLink, arrange, is_readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from enum import Enum

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.findings import AnyCheck
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.report import PathReport
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.pkcs12.decoder import DecodedKey, DecodedPfx


class Subject(NamedTuple):
    """What is judged: the certificate that all are for, and those that stand with it, in order of file or wire."""

    target: Certificate | None
    certificates: tuple[Certificate, ...]
    """Those that can be read, without those of other keys."""
    arrangement: Arrangement
    """How these lie."""
    of_all_keys: Arrangement
    has_other_keys: bool
    source: str = "the file"

    @classmethod
    def of(cls, decoded: DecodedPfx, key: DecodedKey | None) -> Subject:
        """Tell what belongs to the key that is meant; without one the file is for its first certificate."""
        found = [*zip(decoded.certificates, decoded.local_key_ids, strict=True)]
        links = [KeyLink(local_key_id=one.local_key_id, certificate=one.certificate) for one in decoded.keys]
        others = {one.certificate for one in decoded.keys} - {key.certificate} if key is not None else set()
        own = [(certificate, its_id) for certificate, its_id in found if certificate not in others]
        own = [(certificate, its_id) for certificate, its_id in own if is_readable(certificate)]
        target = next((certificate for certificate, _ in own), None)
        if key is not None:
            alike = [certificate for certificate, its_id in own if its_id is not None and its_id == key.local_key_id]
            target = next(iter(alike), target)
            if key.certificate is not None:
                target = key.certificate if is_readable(key.certificate) else None
        return cls(
            target=target,
            certificates=tuple(certificate for certificate, _ in own),
            arrangement=arrange([KeyLink(local_key_id=None, certificate=target)] if target else [], own),
            of_all_keys=arrange(links, found),
            has_other_keys=len(links) > 1,
        )

    @classmethod
    def of_message(cls, certificates: Sequence[Certificate]) -> Subject:
        """Tell what a server sends: its own is the first, or the first of no CA where a CA's is in its place."""
        own = tuple(filter(is_readable, certificates))
        target = next((certificate for certificate in own if not certificate.is_ca), next(iter(own), None))
        links = [KeyLink(local_key_id=None, certificate=target)] if target is not None else []
        arrangement = arrange(links, [(certificate, None) for certificate in own])
        return cls(
            target=target,
            certificates=own,
            arrangement=arrangement,
            of_all_keys=arrangement,
            has_other_keys=False,
            source="what is sent",
        )


class Search(NamedTuple):
    """What paths the certificates make. ``report`` is None where there is no certificate to search from."""

    path: ValidatedPath | None = None
    is_in_order: bool = False
    why_not: Failure | BudgetExhaustedError | None = None
    """Why their own order is no valid path, where its names chain up to an anchor."""
    report: PathReport | None = None
    anchors: tuple[TrustAnchor, ...] = ()


def choose_key(decoded: DecodedPfx, key_name: str | None, key_id: bytes | None) -> DecodedKey | None:
    """Find the key that is meant; raises where that is not said, or is none of them."""
    if key_name is not None or key_id is not None:
        return decoded.key(friendly_name=key_name, local_key_id=key_id)
    return decoded.keys[0] if decoded.private_key is not None else None  # which raises where there are several


def search_paths(
    subject: Subject, anchors: tuple[TrustAnchor, ...], parameters: ValidationParameters, limits: Limits
) -> Search:
    """Validate the certificates in their own order first, then look what else they make."""
    if subject.target is None:
        return Search()
    parameters = without_wrong_name(subject.target, parameters)
    delivered, why_not = _in_file_order(subject, anchors, parameters, limits)
    report = find_paths(
        subject.target,
        pool=CertificatePool(subject.certificates),
        trust_anchors=anchors,
        parameters=parameters,
        limits=limits,
    )
    path = delivered or next(iter(report.valid), None)
    return Search(path, delivered is not None, why_not, report, anchors)


def _in_file_order(
    subject: Subject, anchors: tuple[TrustAnchor, ...], parameters: ValidationParameters, limits: Limits
) -> tuple[ValidatedPath | None, Failure | BudgetExhaustedError | None]:
    """Validate what they begin with, as far up as an anchor's name comes; the first that is valid counts."""
    why_not: Failure | None = None
    budget = SearchBudget(limits)
    sequence = tuple(_sequence(subject))
    for length, last in enumerate(sequence, start=1):
        for anchor in anchors:
            if anchor.name != last.issuer:
                continue
            path = CertificationPath(certificates=sequence[:length], trust_anchor=anchor)
            budget.start_validation()
            try:
                budget.spend("candidate_paths")
                return validate(path, parameters, budget=budget), None
            except InvalidPathError as no:
                why_not = no.failure
            except BudgetExhaustedError as exhausted:
                return None, exhausted
    return None, why_not


def _sequence(subject: Subject) -> Iterator[Certificate]:
    """List certificates from the target on as long as each is named the issuer of the one before, each key once."""
    if subject.certificates[:1] != (subject.target,):
        return
    nodes = set()
    issuer: Name | None = None
    for certificate in subject.certificates:
        if certificate.node in nodes or issuer not in {None, certificate.subject}:
            return
        nodes.add(certificate.node)
        issuer = certificate.issuer
        yield certificate


def without_wrong_name(target: Certificate, parameters: ValidationParameters) -> ValidationParameters:
    """Ask nothing of the name where it is wrong: that is told on its own, beside what is true of the path."""
    if name_mismatch(target, parameters) is None:
        return parameters
    return replace(parameters, server_name=None, extended_key_usage=parameters.purpose)


def name_mismatch(target: Certificate, parameters: ValidationParameters) -> str | None:
    """Say why the target is not for the server's name; None where it is, or where no name is asked for."""
    if parameters.server_name is None:
        return None
    try:
        return mismatch(target, parameters.server_name)
    except MalformedCertificateError as error:
        return str(error)


_NAMED_AT_MOST: Final = 3


def ok(check: AnyCheck, why: str) -> Finding:
    """Say that it is as it should be."""
    return Finding(check=check, outcome=Outcome.OK, why=why)


def note(check: AnyCheck, why: str) -> Finding:
    """Say what is worth knowing, and no reason to say no."""
    return Finding(check=check, outcome=Outcome.NOTE, why=why)


def not_ok(check: AnyCheck, why: str) -> Finding:
    """Say no."""
    return Finding(check=check, outcome=Outcome.NOT_OK, why=why)


def not_checked(check: AnyCheck, why: str) -> Finding:
    """Say why there is no answer."""
    return Finding(check=check, outcome=Outcome.NOT_CHECKED, why=why)


def say(failure: Failure) -> str:
    """Say which certificate failed, why, and where the standard asks for it."""
    return f"{failure.certificate.label}: {failure.detail} [{failure.section}]"


def names(certificates: Sequence[Certificate]) -> str:
    """List the names of some, and the number of the others."""
    more = [f"and {len(certificates) - _NAMED_AT_MOST} more"] if len(certificates) > _NAMED_AT_MOST else []
    return ", ".join([*(one.label for one in certificates[:_NAMED_AT_MOST]), *more])


def drawn(certificates: Iterable[Certificate]) -> str:
    """Draw certificates as a path, target first."""
    return " <- ".join(certificate.label for certificate in certificates)


def in_order_of(checks: type[Enum], findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by the closed list of checks that they are of."""
    order = list(checks)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.check)))
