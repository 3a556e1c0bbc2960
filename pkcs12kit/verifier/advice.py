"""Advice on a served chain: the changes after which a server sends the certificates that its clients need."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.devices.named_issuers import named_issuer_mismatches
from pkcs12kit.errors import FailureReason
from pkcs12kit.findings import Check
from pkcs12kit.pkcs12.arrangement import is_readable
from pkcs12kit.times import format_time
from pkcs12kit.verifier.anchor_certificates import cross_certificates, expiring
from pkcs12kit.verifier.delivered import name_mismatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from pkcs12kit.findings import Finding
    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.report import PathReport
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.verifier.delivered import ChainPaths

_NAMED_AT_MOST: Final = 5
_NOWHERE: Final = frozenset({FailureReason.ISSUER_NOT_FOUND, FailureReason.NO_TRUST_ANCHOR})


def chain_to_send(
    sent: Sequence[Certificate],
    paths: ChainPaths,
    path_with_pool: ValidatedPath | None,
    *,
    linked: int,
    lean: bool,
) -> tuple[Certificate, ...] | None:
    """Return the certificates that the server should send; None where no path is known.

    These are the path, and the harmless certificates that are sent after it now: the anchor's own, or others that
    certify the one before them, as the first ``linked`` certificates do. With ``lean``, only the path is returned.
    """
    path = path_with_pool or paths.path
    if path is None:
        return None
    if lean:
        return path.certificates
    if paths.is_in_order and path is paths.path:
        nodes = [certificate.node for certificate in sent[:linked]]
        # A certificate after a (subject, key) that occurred before may certify only that one.
        return tuple(sent[: next((at for at, node in enumerate(nodes) if nodes.index(node) < at), linked)])
    own = [one for one in sent if is_readable(one) and one.node == path.trust_anchor.node and one.is_self_issued]
    return (*path.certificates, *(one for one in own[:1] if one not in path.certificates))


def without_expiring_cross_certificates(
    certificates: tuple[Certificate, ...], path: ValidatedPath | None, within: timedelta
) -> tuple[Certificate, ...]:
    """Return the certificates without cross-certificates of the anchor that expire, and without all after the first."""
    if path is None:
        return certificates
    crossed = cross_certificates(certificates[len(path.certificates) :], path)
    ending = expiring(crossed, path.parameters.time, within)
    return certificates[: certificates.index(ending[0])] if ending else certificates


def changes_of_arrangement(sent: Sequence[Certificate], should_send: Sequence[Certificate]) -> Iterator[str]:
    """Yield the changes from the one chain to the other: certificates to replace, remove, move and add, in this order.

    A certificate to add comes from the pool, since the server does not have it. Positions are those in ``sent``.
    """
    kept = {certificate: sent.index(certificate) for certificate in should_send if certificate in sent}
    added = [certificate for certificate in should_send if certificate not in kept]
    removed = [
        (position, certificate) for position, certificate in enumerate(sent) if kept.get(certificate) != position
    ]
    strangers: list[tuple[int, Certificate]] = []
    repeated: list[tuple[int, Certificate]] = []
    for position, certificate in removed:
        instead = next((one for one in added if _stands_for(one, certificate) and one not in kept), None)
        if instead is None:
            (repeated if certificate in kept else strangers).append((position, certificate))
            continue
        yield f"replace certificate {position + 1}, {_called(certificate)}, by {_called(instead)}, which is in the pool"
        kept[instead] = position
    yield from _removals(strangers, "on no path")
    yield from _removals(repeated, "sent before")
    staying = _longest_increasing([kept[certificate] for certificate in should_send if certificate in kept])
    for before, certificate in zip((None, *should_send), should_send, strict=False):
        where = "to the first place" if before is None else f"after {before.label}"
        if certificate not in kept:
            yield f"add {_called(certificate)}, which is in the pool, {where}"
        elif kept[certificate] not in staying:
            yield f"move {_called(certificate)} {where}"


def _removals(removed: Sequence[tuple[int, Certificate]], why: str) -> Iterator[str]:
    """Yield one change for each of a few certificates, or one for all of many, with their positions."""
    if len(removed) <= _NAMED_AT_MOST:
        for position, certificate in removed:
            yield f"remove certificate {position + 1}, {_called(certificate)}, which is {why}"
        return
    runs: list[list[int]] = []
    for position, _ in removed:
        if runs and runs[-1][-1] == position:
            runs[-1][-1] = position + 1
        else:
            runs.append([position + 1, position + 1])
    written = ", ".join(f"{first} to {last}" if first != last else str(first) for first, last in runs)
    yield f"remove the certificates {written}, which are {why}"


def changes_without_path(
    paths: ChainPaths, with_pool: PathReport | None, sent: Sequence[Certificate], time: datetime
) -> Iterator[str]:
    """Yield changes that come closest to a remedy, where no path is known even with the pool.

    The problem of a certificate in ``sent`` may show only where the pool has the certificates above it. A chain that
    does not reach an anchor is not validated, so that a certificate of it may have expired at ``time`` as well.
    """
    without, together = _closest(paths.report), _closest(with_pool)
    nowhere = any(failure.reason in _NOWHERE for failure in together)
    changes: dict[str, None] = {}
    for failure in (*without, *(one for one in together if one.reason not in _NOWHERE)):
        change = _remedy(failure, paths) if failure.certificate in sent else None
        if change is not None:
            leads = "; the pool has none that leads to a trust anchor"
            changes[change + (leads if nowhere and failure.reason in _NOWHERE else "")] = None
    for certificate in paths.report.rejected[0].certificates if without and paths.report is not None else ():
        if certificate in sent and certificate.not_after < time:
            changes[_by_successor(certificate)] = None
    yield from changes


def changes_of_named_issuers(path: ValidatedPath | None) -> Iterator[str]:
    """Yield the changes after which each certificate names the one above it; the trust anchor is not the server's."""
    for mismatch in () if path is None else named_issuer_mismatches(path):
        if isinstance(mismatch.issuer, Certificate):
            yield (
                f"replace {_called(mismatch.issuer)} by the certificate of {mismatch.issuer.label} that the"
                f" authorityKeyIdentifier of {mismatch.certificate.label} names"
            )


def _closest(report: PathReport | None) -> tuple[Failure, ...]:
    """Return the failures of the path that comes closest to a valid one."""
    return report.rejected[0].failures if report is not None and report.rejected else ()


def changes_of_end_entity(
    target: Certificate | None,
    findings: Sequence[Finding],
    parameters: ValidationParameters,
    sent: Sequence[Certificate],
) -> Iterator[str]:
    """Yield the changes that need another server certificate; it may be sent already, in the wrong place."""
    problems = {finding.check for finding in findings if finding.is_problem}
    if Check.END_ENTITY in problems and (target is None or target.is_ca):
        yield "put the server's own certificate in the first place"
        return
    asked = [f"for {parameters.server_name}"] if Check.SERVER_NAME in problems else []
    asked += ["for TLS servers"] if Check.PURPOSE in problems else []
    if target is not None and asked:
        there = _for_name(sent, parameters) if Check.SERVER_NAME in problems else ""
        yield f"replace {_called(target)} by a certificate {' and '.join(asked)}{there}"


def _for_name(sent: Sequence[Certificate], parameters: ValidationParameters) -> str:
    """Return a note on a certificate in ``sent`` that is for the name. The server may not have its key."""
    for position, certificate in enumerate(sent, start=1):
        if is_readable(certificate) and not certificate.is_ca and name_mismatch(certificate, parameters) is None:
            return f": certificate {position}, {_called(certificate)}, is for the name, if the server has its key"
    return ""


def _remedy(failure: Failure, paths: ChainPaths) -> str | None:
    """Return the change on the server that would remedy this failure; None where none is known."""
    called = _called(failure.certificate)
    missing = failure.missing_issuer
    if failure.reason is FailureReason.ISSUER_NOT_FOUND and missing is not None:
        issuer = missing.name.label
        at = f", which may be had from {' or '.join(missing.locations)}" if missing.locations else ""
        key = f" with the key identifier {missing.key_identifier.hex()}" if missing.key_identifier is not None else ""
        return f"add the certificate of {issuer}{key} after {failure.certificate.label}{at}"
    if failure.reason is FailureReason.NO_TRUST_ANCHOR and failure.certificate.is_self_issued:
        trusted = " or ".join(anchor.label for anchor in paths.anchors)
        is_target = paths.report is not None and failure.certificate == paths.report.target
        instead = f"certificate that a CA below {trusted} issued"
        if failure.certificate.is_ca and not is_target:
            instead = f"cross-certificate on the way to {trusted}"
        return f"replace {called}, which is not a trust anchor, by a {instead}"
    if failure.reason is FailureReason.NO_TRUST_ANCHOR:
        return f"replace {called}: {failure.detail}"
    if failure.reason is FailureReason.BAD_SIGNATURE:
        return f"replace {called}, whose signature does not verify"
    if failure.reason is FailureReason.EXPIRED:
        return _by_successor(failure.certificate)
    return None


def _by_successor(certificate: Certificate) -> str:
    expired = format_time(certificate.not_after)
    return f"replace {_called(certificate)}, which expired on {expired}, by its successor"


def _stands_for(new: Certificate, old: Certificate) -> bool:
    return is_readable(old) and new.subject == old.subject


def _called(certificate: Certificate) -> str:
    """Return a name that distinguishes a certificate from others with the same subject."""
    if not is_readable(certificate):
        return f"the one with the serial number {_number(certificate)}"
    issuer = certificate.issuer.label
    by = "self-signed" if certificate.is_self_issued else f"issued by {issuer}"
    return f"{certificate.label} ({by}, serial number {_number(certificate)})"


def _number(certificate: Certificate) -> str:
    return serial_number_label(certificate.serial_number).removeprefix("#")


def _longest_increasing(positions: Sequence[int]) -> frozenset[int]:
    """Return the largest set of positions that are in order already: those are not moved."""
    ends: list[int] = []
    chains: list[tuple[int, ...]] = []
    for position in positions:
        length = bisect_left(ends, position)
        ends[length : length + 1] = [position]
        chains[length : length + 1] = [(*(chains[length - 1] if length else ()), position)]
    return frozenset(chains[-1]) if chains else frozenset()
