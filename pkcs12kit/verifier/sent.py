"""The strict reading of what a TLS server sends: whether a client that fetches nothing is led to its trust anchor."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pkcs12kit.certificates.arguments import require_pool, require_trust_anchors
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.findings import SentCheck
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.budget import SearchBudget
from pkcs12kit.paths.search import find_paths
from pkcs12kit.paths.validation.parameters import SERVER_AUTH
from pkcs12kit.tls.certificate_message import CertificateMessage
from pkcs12kit.verifier import checks, sent_checks
from pkcs12kit.verifier.advice import changes_of_arrangement, changes_of_end_entity, changes_without_path, wanted
from pkcs12kit.verifier.delivered import Search, Subject, in_order_of, search_paths, without_wrong_name
from pkcs12kit.verifier.reports import SentReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.findings import Finding
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.report import PathReport
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath


def judge_sent(
    message: CertificateMessage,
    *,
    trust_anchors: Iterable[TrustAnchor],
    parameters: ValidationParameters,
    pool: CertificatePool | None = None,
    expires_within: timedelta = timedelta(0),
    limits: Limits = DEFAULT_LIMITS,
) -> SentReport:
    """Hold a server's Certificate message against trust anchors, for clients that know nothing else and fetch nothing.

    Checked are, each a :class:`~pkcs12kit.SentCheck`: that the end-entity's certificate comes first, that each
    certificate certifies the one before it, by name and by signature (RFC 5246 section 7.4.2; RFC 8446 section 4.4.2
    asks clients to put up with less), that nothing is missing up to an anchor, whose own certificate may be left out,
    that no (subject, key) comes twice, that known clients take so many certificates and bytes, that these certificates
    make a valid path, the server's name, that the certificate is for TLS servers, and when the first one of the path
    expires: a path that does not last until ``expires_within`` after the time is a no. What is superfluous, and what
    a STIG puts into Disallowed, is told and is no reason to say no; nor are CAs' purposes that some clients alone
    refuse. ``pool`` is asked for what is missing.

    A no is an answer and no error. A certificate that is not for the name or the purpose has its path judged all the
    same. Raises :class:`ValueError` without a trust anchor and for a negative ``expires_within``,
    :class:`TypeError` for arguments of another kind. Not checked: revocation, and whether the server has the private
    key.
    """
    anchors = require_trust_anchors(trust_anchors)
    if not isinstance(message, CertificateMessage):
        raise TypeError(f"the message is a CertificateMessage, not {type(message).__name__}")
    if pool is not None:
        require_pool(pool)
    if not anchors:
        raise ValueError("at least one trust anchor is needed; pkcs12kit never guesses one")
    if expires_within < timedelta(0):
        raise ValueError("expires_within is a time to come, and not negative")
    subject = Subject.of_message(message.certificates)
    purpose = sent_checks.of_purpose(subject.target)
    asked = _of_the_path(subject, parameters, purpose)
    search = search_paths(subject, anchors, asked, limits)
    with_pool = _with_pool(subject, search, pool, asked, limits)
    path_with_pool = _least_added(with_pool, subject)
    broken = sent_checks.first_break(message.certificates, SearchBudget(limits))
    size = sent_checks.of_size(message)
    findings = (
        sent_checks.of_end_entity(message),
        *_of_chain(subject, search, broken),
        sent_checks.of_duplicates(subject),
        sent_checks.of_superfluous(subject, search),
        sent_checks.of_trust_anchor(subject, search),
        size,
        _as_sent(checks.of_server_name(subject.target, parameters)),
        sent_checks.of_purposes_above(purpose, search.path),
        _as_sent(checks.of_expiry(subject, search.path, parameters, expires_within)),
        sent_checks.of_disallowed(message),
        sent_checks.of_pool(search, with_pool, path_with_pool),
    )
    sent = message.certificates
    linked = len(sent) if broken is None else broken.position
    should_send = wanted(sent, search, path_with_pool, linked=linked, lean=size.is_problem)
    if should_send is not None:
        changes = changes_of_arrangement(sent, should_send)
    else:
        changes = changes_without_path(search, with_pool, sent)
    return SentReport(
        message=message,
        parameters=parameters,
        findings=in_order_of(SentCheck, findings),
        path=search.path,
        path_with_pool=path_with_pool,
        rejected=() if search.report is None or search.path is not None else search.report.rejected,
        changes=(*changes, *changes_of_end_entity(subject.target, findings, parameters, sent)),
        should_send=should_send,
    )


def _of_the_path(subject: Subject, parameters: ValidationParameters, purpose: Finding) -> ValidationParameters:
    """Ask nothing that the target is not for: that is told on its own, beside what is true of the path."""
    if subject.target is None:
        return parameters
    if purpose.is_problem:
        return replace(parameters, server_name=None, extended_key_usage=None)
    asked = replace(parameters, extended_key_usage=parameters.purpose or SERVER_AUTH)
    return without_wrong_name(subject.target, asked)


def _with_pool(
    subject: Subject,
    search: Search,
    pool: CertificatePool | None,
    parameters: ValidationParameters,
    limits: Limits,
) -> PathReport | None:
    """Look for what the certificates make together with the pool, where they make nothing by themselves."""
    if pool is None or subject.target is None or search.path is not None:
        return None
    return find_paths(
        subject.target,
        pool=CertificatePool(subject.certificates) | pool,
        trust_anchors=search.anchors,
        parameters=parameters,
        limits=limits,
    )


def _least_added(with_pool: PathReport | None, subject: Subject) -> ValidatedPath | None:
    """Choose the path for which the server has the least to learn, and of several the best."""
    if with_pool is None:
        return None
    sent = frozenset(subject.certificates)
    return min(with_pool.valid, key=lambda path: len(sent.symmetric_difference(path.certificates)), default=None)


def _of_chain(subject: Subject, search: Search, broken: sent_checks.Break | None) -> Iterator[Finding]:
    """Say what is said of a file's chain, order and path; in order is only where each certifies the one before it."""
    for finding in checks.of_chain_and_path(subject, search):
        sent = _as_sent(finding)
        yield sent if sent.check is not SentCheck.ORDER else sent_checks.of_order(sent, broken)


def _as_sent(finding: Finding) -> Finding:
    return replace(finding, check=SentCheck(finding.check.value))
