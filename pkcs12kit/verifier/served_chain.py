"""Served chains: the strict check of a Certificate message, for clients that fetch nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_duration, require_kind
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.devices.named_issuers import named_issuer_mismatches
from pkcs12kit.findings import SERVED_CHAIN_CHECKS, Check, sort_findings
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.paths.budget import SearchBudget
from pkcs12kit.paths.search import find_paths
from pkcs12kit.paths.validation.parameters import SERVER_AUTH, choose_parameters
from pkcs12kit.sources.arguments import as_pool, as_trust_anchors
from pkcs12kit.tls.certificate_message import CertificateMessage
from pkcs12kit.verifier import advice, anchor_certificates, checks, served_chain_checks
from pkcs12kit.verifier.delivered import DeliveredChain, find_chain_paths, without_wrong_name
from pkcs12kit.verifier.reports import ServedChainReport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pkcs12kit.findings import Finding
    from pkcs12kit.paths.report import PathReport
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.sources.arguments import CertificatesArgument, TrustAnchorsArgument
    from pkcs12kit.verifier.delivered import ChainPaths


def check_served_chain(  # noqa: PLR0913  # each input has its own keyword
    message: CertificateMessage,
    *,
    certificates: CertificatesArgument = (),
    pool: CertificatePool | None = None,
    trust_anchors: TrustAnchorsArgument,
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    server_name: str | None = None,
    expires_within: timedelta = timedelta(0),
    limits: Limits = DEFAULT_LIMITS,
) -> ServedChainReport:
    """Check the certificates that a TLS server sends, for clients that know nothing else and fetch nothing.

    - ``message``: the served chain, as a live server or a rehearsal sent it.
    - ``certificates``: what to search for certificates that the server leaves out; they are not part of the served
      chain. ``pool`` is another name for it, for one :class:`~pkcs12kit.CertificatePool`.
    - ``trust_anchors``: the trust anchors of the clients.
    - ``parameters``: the inputs of path validation; or only ``time`` (default: now) and ``server_name``.
    - ``expires_within``: the check of expiry fails if a certificate of the path expires within this time.
    - ``limits``: bounds on the work.

    The checks are :data:`~pkcs12kit.findings.SERVED_CHAIN_CHECKS`. They fail where the end-entity certificate is not
    the first; where a certificate does not certify the one before it, by name and by signature (RFC 5246 section 7.4.2;
    RFC 8446 section 4.4.2 asks clients to tolerate that); where a certificate is missing below the anchor, whose own
    may be left out; where a (subject, key) occurs twice; where known clients accept fewer certificates or bytes; where
    the certificates make no valid path; where an authorityKeyIdentifier names another certificate than the one above;
    where the end-entity certificate is not for the server name or not for TLS
    servers; and where the path expires too soon. Superfluous certificates, certificates that a STIG puts into
    Disallowed, and purposes of CAs that only some clients reject are notes.

    A failed check is part of the report, not an error. A certificate for another name or purpose has its path checked
    all the same. Raises :class:`~pkcs12kit.errors.ArgumentError` for a negative ``expires_within`` and for
    arguments of another kind,
    and :class:`~pkcs12kit.errors.InputError` without a trust anchor. Not checked: revocation, and that the server has
    the private key.
    """
    require_kind("message", message, CertificateMessage)
    require_kind("limits", limits, Limits)
    require_duration("expires_within", expires_within)
    parameters = choose_parameters(parameters, time=time, server_name=server_name)
    anchors = as_trust_anchors(trust_anchors, limits=limits)
    pool = as_pool(certificates, pool, limits=limits) or pool
    chain = DeliveredChain.of_message(message.certificates)
    purpose = served_chain_checks.check_server_purpose(chain.target)
    asked = _for_the_path(chain, parameters, purpose)
    paths = find_chain_paths(chain, anchors, asked, limits)
    with_pool = _find_with_pool(chain, paths, pool, asked, limits)
    path_with_pool = _least_added(with_pool, chain, paths)
    broken = served_chain_checks.first_break(message.certificates, SearchBudget(limits))
    size = served_chain_checks.check_size(message)
    findings = (
        served_chain_checks.check_end_entity(message, anchors),
        *_check_chain(chain, paths, broken),
        checks.check_authority_key_identifiers(chain, paths),
        served_chain_checks.check_duplicates(chain),
        served_chain_checks.check_superfluous(chain, paths),
        anchor_certificates.check_trust_anchor(chain, paths, expires_within),
        size,
        checks.check_server_name(chain.target, parameters),
        served_chain_checks.check_ca_purposes(purpose, paths.path),
        checks.check_expiry(chain, paths, parameters, expires_within),
        served_chain_checks.check_disallowed(message),
        served_chain_checks.check_pool(paths, with_pool, path_with_pool),
    )
    sent = message.certificates
    linked = len(sent) if broken is None else broken.position
    should_send = advice.chain_to_send(sent, paths, path_with_pool, linked=linked, lean=size.is_problem)
    if should_send is not None:
        should_send = advice.without_expiring_cross_certificates(should_send, paths.path, expires_within)
        changes = advice.changes_of_arrangement(sent, should_send)
    else:
        changes = advice.changes_without_path(paths, with_pool, sent, parameters.time)
    named = advice.changes_of_named_issuers(paths.path) if path_with_pool is None else ()
    return ServedChainReport(
        message=message,
        parameters=parameters,
        findings=sort_findings(findings, SERVED_CHAIN_CHECKS),
        path=paths.path,
        path_with_pool=path_with_pool,
        rejected=() if paths.report is None or paths.path is not None else paths.report.rejected,
        changes=(*changes, *named, *advice.changes_of_end_entity(chain.target, findings, parameters, sent)),
        should_send=should_send,
    )


def _for_the_path(chain: DeliveredChain, parameters: ValidationParameters, purpose: Finding) -> ValidationParameters:
    """Return the parameters without a name or a purpose that the target is not for: checks of their own report that."""
    if chain.target is None:
        return parameters
    if purpose.is_problem:
        return replace(parameters, server_name=None, extended_key_usage=None)
    asked = replace(parameters, extended_key_usage=parameters.purpose or SERVER_AUTH)
    return without_wrong_name(chain.target, asked)


def _find_with_pool(
    chain: DeliveredChain,
    paths: ChainPaths,
    pool: CertificatePool | None,
    parameters: ValidationParameters,
    limits: Limits,
) -> PathReport | None:
    """Search for paths with certificates of the pool, where the chain makes none without it that all clients follow."""
    if pool is None or chain.target is None or (paths.path is not None and not named_issuer_mismatches(paths.path)):
        return None
    return find_paths(
        chain.target,
        pool=CertificatePool(chain.certificates) | pool,
        trust_anchors=paths.anchors,
        parameters=parameters,
        limits=limits,
    )


def _least_added(with_pool: PathReport | None, chain: DeliveredChain, paths: ChainPaths) -> ValidatedPath | None:
    """Return the valid path that needs the fewest changes on the server, and of several the best.

    Paths with more mismatches of authorityKeyIdentifiers than others are left out, and those with as many as the path
    that is served.
    """
    if with_pool is None or not with_pool.valid:
        return None
    fewest = len(named_issuer_mismatches(with_pool.best))
    if paths.path is not None and len(named_issuer_mismatches(paths.path)) <= fewest:
        return None
    found = [path for path in with_pool.valid if len(named_issuer_mismatches(path)) == fewest]
    sent = frozenset(chain.certificates)
    return min(found, key=lambda path: len(sent.symmetric_difference(path.certificates)), default=None)


def _check_chain(
    chain: DeliveredChain, paths: ChainPaths, broken: served_chain_checks.Break | None
) -> Iterator[Finding]:
    """Check chain, order and path as for a file; the order is right only where each certifies the one before it."""
    for finding in checks.check_chain_and_path(chain, paths):
        is_order = finding.check is Check.ORDER
        yield served_chain_checks.order_finding(finding, broken) if is_order else finding
