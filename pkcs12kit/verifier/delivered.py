"""Delivered chains: the certificates for one key that a file or a server delivers, and the paths that they make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.devices.named_issuers import named_issuer_mismatches
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.failure import InvalidPathError
from pkcs12kit.paths.search import find_paths
from pkcs12kit.paths.validation.explanation import explained
from pkcs12kit.paths.validation.server_name import mismatch
from pkcs12kit.paths.validation.validator import validate
from pkcs12kit.pkcs12.arrangement import Arrangement, KeyLink, arrange, is_readable
from pkcs12kit.pkcs12.decoded_keys import different_keys
from pkcs12kit.text import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.report import PathReport
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.pkcs12.decoded_keys import DecodedKey
    from pkcs12kit.pkcs12.decoder import DecodedPfx

_NAMED_AT_MOST: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredChain:
    """The target certificate of a file or of a server, with the certificates delivered with it, in their order."""

    target: Certificate | None
    certificates: tuple[Certificate, ...]
    """The readable certificates, without those of other keys."""
    arrangement: Arrangement
    """The order of ``certificates``."""
    of_all_keys: Arrangement
    """The order of all certificates, those of other keys included."""
    has_other_keys: bool
    source: str
    """``the file`` or ``the served chain``, for messages."""

    @classmethod
    def of_file(cls, decoded: DecodedPfx, key: DecodedKey | None, time: datetime) -> DeliveredChain:
        """Return the chain of one key of a file, whose certificate is chosen for the time.

        Without a key, the target is the first certificate.
        """
        found = [*zip(decoded.certificates, decoded.local_key_ids, strict=True)]
        links = [KeyLink.at(time, one.local_key_id, one.certificates) for one in decoded.keys]
        of_unread = _links_of_unread_keys(decoded)
        others: set[Certificate] = set()
        if key is not None:
            others = {certificate for one in decoded.keys for certificate in one.certificates} - {*key.certificates}
            others |= {link.certificate for link in of_unread if link.certificate is not None}
        own = [(certificate, its_id) for certificate, its_id in found if certificate not in others]
        own = [(certificate, its_id) for certificate, its_id in own if is_readable(certificate)]
        target = next((certificate for certificate, _ in own), None)
        if key is not None:
            alike = [certificate for certificate, its_id in own if its_id is not None and its_id == key.local_key_id]
            target = next(iter(alike), target)
            certificate_of_key = key.certificate_at(time)
            if certificate_of_key is not None:
                target = certificate_of_key if is_readable(certificate_of_key) else None
        return cls(
            target=target,
            certificates=tuple(certificate for certificate, _ in own),
            arrangement=arrange([KeyLink(local_key_id=None, certificate=target)] if target else [], own),
            of_all_keys=arrange([*links, *of_unread], found),
            has_other_keys=len(different_keys(decoded.keys)) + len(of_unread) > 1,
            source="the file",
        )

    @classmethod
    def of_message(cls, certificates: Sequence[Certificate]) -> DeliveredChain:
        """Return the chain that a server sends. Its target is the first certificate that is not a CA's, if any."""
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
            source="the served chain",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPaths:
    """The paths that a delivered chain makes. ``report`` is None where there is no certificate to search from."""

    path: ValidatedPath | None = None
    """The chain in its own order, where that is a valid path; else the best path that its certificates make.

    Also the best path where it has fewer mismatches of authorityKeyIdentifiers than the chain in its own order.
    """
    is_in_order: bool = False
    why_not_in_order: Failure | BudgetExhaustedError | None = None
    """The reason why the chain in its own order is not a valid path, where it ends at an anchor's name."""
    is_unnamed_in_order: bool = False
    """True if the chain in its own order is a valid path, but has more mismatches of authorityKeyIdentifiers."""
    report: PathReport | None = None
    anchors: tuple[TrustAnchor, ...] = ()


def _links_of_unread_keys(decoded: DecodedPfx) -> list[KeyLink]:
    """Return the link of each key that is not read to the certificate with its localKeyID that no other key has."""
    of_keys = {certificate for key in decoded.keys for certificate in key.certificates}
    named = zip(decoded.certificates, decoded.local_key_ids, strict=True)
    by_id = {its_id: one for one, its_id in named if its_id is not None and one not in of_keys}
    return [
        KeyLink(local_key_id=key.local_key_id, certificate=by_id.get(key.local_key_id) if key.local_key_id else None)
        for key in decoded.unread_keys
    ]


def choose_key(decoded: DecodedPfx, key_name: str | None, key_id: bytes | None) -> DecodedKey | None:
    """Return the key with that name and identifier, or the only key; None where the file has none.

    Raises as :meth:`DecodedPfx.key <pkcs12kit.DecodedPfx.key>` does: no key is chosen by chance, and one that is not
    read is never the answer.
    """
    if not decoded.keys and not decoded.unread_keys and key_name is None and key_id is None:
        return None
    return decoded.key(friendly_name=key_name, local_key_id=key_id)


def find_chain_paths(
    chain: DeliveredChain, anchors: tuple[TrustAnchor, ...], parameters: ValidationParameters, limits: Limits
) -> ChainPaths:
    """Validate a delivered chain in its own order, then search for all paths that its certificates make."""
    if chain.target is None:
        return ChainPaths()
    parameters = without_wrong_name(chain.target, parameters)
    in_order, why_not = None, None
    if chain.certificates[:1] == (chain.target,):
        in_order, why_not = validate_in_order(chain.certificates, anchors, parameters, limits)
    report = find_paths(
        chain.target,
        pool=CertificatePool(chain.certificates),
        trust_anchors=anchors,
        parameters=parameters,
        limits=limits,
    )
    best = next(iter(report.valid), None)
    path, is_in_order = in_order or best, in_order is not None
    if in_order is not None and best is not None and _mismatches(best) < _mismatches(in_order):
        path, is_in_order = best, best.certificates == chain.certificates[: len(best.certificates)]
    return ChainPaths(
        path=path,
        is_in_order=is_in_order,
        why_not_in_order=why_not,
        is_unnamed_in_order=in_order is not None and not is_in_order,
        report=report,
        anchors=anchors,
    )


def _mismatches(path: ValidatedPath) -> int:
    return len(named_issuer_mismatches(path))


def validate_in_order(
    certificates: Sequence[Certificate],
    anchors: tuple[TrustAnchor, ...],
    parameters: ValidationParameters,
    limits: Limits,
) -> tuple[ValidatedPath | None, Failure | BudgetExhaustedError | None]:
    """Return the shortest valid path that the certificates begin with; else None, and why the longest is not valid."""
    why_not: Failure | None = None
    budget = SearchBudget(limits)
    sequence = tuple(_sequence(certificates))
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
                why_not = explained(no.failure, limits=limits, path=path.certificates)
            except BudgetExhaustedError as exhausted:
                return None, exhausted
    return None, why_not


def _sequence(certificates: Sequence[Certificate]) -> Iterator[Certificate]:
    """Yield certificates while each one is named as the issuer of the last, and each key once."""
    nodes = set()
    issuer: Name | None = None
    for certificate in certificates:
        if certificate.node in nodes or issuer not in {None, certificate.subject}:
            return
        nodes.add(certificate.node)
        issuer = certificate.issuer
        yield certificate


def without_wrong_name(target: Certificate, parameters: ValidationParameters) -> ValidationParameters:
    """Return the parameters without a server name that the target is not for: a check of its own reports that."""
    if name_mismatch(target, parameters) is None:
        return parameters
    return replace(parameters, server_name=None, extended_key_usage=parameters.purpose)


def name_mismatch(target: Certificate, parameters: ValidationParameters) -> str | None:
    """Return why the target is not for the server name; None where it is, or where no name is asked for."""
    if parameters.server_name is None:
        return None
    try:
        return mismatch(target, parameters.server_name)
    except MalformedCertificateError as error:
        return str(error)


def describe(failure: Failure | BudgetExhaustedError) -> str:
    """Return the label of the failed certificate, the reason, and the section of the standard; or the limit reached."""
    if isinstance(failure, BudgetExhaustedError):
        return str(failure)
    return f"{failure.certificate.label}: {failure.detail} [{failure.section}]"


def labels(certificates: Sequence[Certificate]) -> str:
    """Return the labels of the first certificates, and the number of the others."""
    return ", ".join(shortened(certificates, _NAMED_AT_MOST, lambda one: one.label))


def drawn(certificates: Iterable[Certificate]) -> str:
    """Return certificates as a path in one line, target first: ``EE <- CA <- root``."""
    return " <- ".join(certificate.label for certificate in certificates)
