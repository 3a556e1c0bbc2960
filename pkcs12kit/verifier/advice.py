"""What to change on a server so that it sends what its clients need: one sentence for each step."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.errors import FailureReason
from pkcs12kit.findings import SentCheck
from pkcs12kit.pkcs12.arrangement import is_readable
from pkcs12kit.times import format_time
from pkcs12kit.verifier.delivered import name_mismatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.findings import Finding
    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.report import PathReport
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.verifier.delivered import Search

_NAMED_AT_MOST: Final = 5
_NOWHERE: Final = frozenset({FailureReason.ISSUER_NOT_FOUND, FailureReason.NO_TRUST_ANCHOR})


def wanted(
    sent: Sequence[Certificate],
    search: Search,
    path_with_pool: ValidatedPath | None,
    *,
    linked: int,
    lean: bool,
) -> tuple[Certificate, ...] | None:
    """Say what the server ought to send; None where no path is known.

    That is the path, and what is sent now and does no harm: the anchor's own certificate at its end, or whatever else
    certifies what is before it, as the first ``linked`` certificates do. With ``lean`` it is the path alone.
    """
    path = search.path or path_with_pool
    if path is None:
        return None
    if lean:
        return path.certificates
    if search.is_in_order:
        nodes = [certificate.node for certificate in sent[:linked]]
        # What follows a (subject, key) that was there before may certify that one alone.
        return tuple(sent[: next((at for at, node in enumerate(nodes) if nodes.index(node) < at), linked)])
    own = [one for one in sent if is_readable(one) and one.node == path.trust_anchor.node and one.is_self_issued]
    return (*path.certificates, *(one for one in own[:1] if one not in path.certificates))


def changes_of_arrangement(sent: Sequence[Certificate], should_send: Sequence[Certificate]) -> Iterator[str]:
    """Say how to come from the one to the other: what to replace, remove, move and add, in this order.

    What is added does not come from the server, and so from the pool. Positions are those of what is sent now.
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
    yield from _removals(repeated, "there before")
    staying = _longest_increasing([kept[certificate] for certificate in should_send if certificate in kept])
    for before, certificate in zip((None, *should_send), should_send, strict=False):
        where = "to the first place" if before is None else f"after {before.label}"
        if certificate not in kept:
            yield f"add {_called(certificate)}, which is in the pool, {where}"
        elif kept[certificate] not in staying:
            yield f"move {_called(certificate)} {where}"


def _removals(removed: Sequence[tuple[int, Certificate]], why: str) -> Iterator[str]:
    """Say what to remove: a few certificates one by one, more of them by their positions."""
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


def changes_without_path(search: Search, with_pool: PathReport | None, sent: Sequence[Certificate]) -> Iterator[str]:
    """Say what comes closest to a remedy where no path is known, even with the pool where one was asked.

    What is wrong with a certificate that is sent may show only once the pool has led on from there.
    """
    alone, together = _closest(search.report), _closest(with_pool)
    nowhere = any(failure.reason in _NOWHERE for failure in together)
    told: dict[str, None] = {}
    for failure in (*alone, *(one for one in together if one.reason not in _NOWHERE)):
        change = _remedy(failure, search) if failure.certificate in sent else None
        if change is not None:
            leads = "; the pool has none that leads to a trust anchor"
            told[change + (leads if nowhere and failure.reason in _NOWHERE else "")] = None
    yield from told


def _closest(report: PathReport | None) -> tuple[Failure, ...]:
    """Give why the path that came closest is none."""
    return report.rejected[0].failures if report is not None and report.rejected else ()


def changes_of_end_entity(
    target: Certificate | None,
    findings: Sequence[Finding],
    parameters: ValidationParameters,
    sent: Sequence[Certificate],
) -> Iterator[str]:
    """Say what only another certificate mends, and which one that is sent in the wrong place is for the name."""
    problems = {finding.check for finding in findings if finding.is_problem}
    if SentCheck.END_ENTITY in problems and (target is None or target.is_ca):
        yield "put the server's own certificate in the first place"
        return
    asked = [f"for {parameters.server_name}"] if SentCheck.SERVER_NAME in problems else []
    asked += ["for TLS servers"] if SentCheck.PURPOSE in problems else []
    if target is not None and asked:
        there = _for_name(sent, parameters) if SentCheck.SERVER_NAME in problems else ""
        yield f"replace {_called(target)} by a certificate {' and '.join(asked)}{there}"


def _for_name(sent: Sequence[Certificate], parameters: ValidationParameters) -> str:
    """Name an end-entity's certificate that is for the name; whether the server has its key is not known here."""
    for position, certificate in enumerate(sent, start=1):
        if is_readable(certificate) and not certificate.is_ca and name_mismatch(certificate, parameters) is None:
            return f": certificate {position}, {_called(certificate)}, is for the name, if the server has its key"
    return ""


def _remedy(failure: Failure, search: Search) -> str | None:
    called = _called(failure.certificate)
    missing = failure.missing_issuer
    if failure.reason is FailureReason.ISSUER_NOT_FOUND and missing is not None:
        issuer = missing.name.label
        at = f", which may be had from {' or '.join(missing.locations)}" if missing.locations else ""
        key = f" with the key identifier {missing.key_identifier.hex()}" if missing.key_identifier is not None else ""
        return f"add the certificate of {issuer}{key} after {failure.certificate.label}{at}"
    if failure.reason is FailureReason.NO_TRUST_ANCHOR and failure.certificate.is_self_issued:
        trusted = " or ".join(anchor.label for anchor in search.anchors)
        is_target = search.report is not None and failure.certificate == search.report.target
        instead = f"certificate that a CA below {trusted} issued"
        if failure.certificate.is_ca and not is_target:
            instead = f"cross-certificate on the way to {trusted}"
        return f"replace {called}, which is no trust anchor, by a {instead}"
    if failure.reason is FailureReason.NO_TRUST_ANCHOR:
        return f"replace {called}: {failure.detail}"
    if failure.reason is FailureReason.BAD_SIGNATURE:
        return f"replace {called}, whose signature does not verify"
    if failure.reason is FailureReason.EXPIRED:
        return f"replace {called}, which expired on {format_time(failure.certificate.not_after)}, by its successor"
    return None


def _stands_for(new: Certificate, old: Certificate) -> bool:
    return is_readable(old) and new.subject == old.subject


def _called(certificate: Certificate) -> str:
    """Name one certificate of several with one subject."""
    if not is_readable(certificate):
        return f"that with the serial number {_number(certificate)}"
    issuer = certificate.issuer.label
    by = "self-signed" if certificate.is_self_issued else f"issued by {issuer}"
    return f"{certificate.label} ({by}, serial number {_number(certificate)})"


def _number(certificate: Certificate) -> str:
    return serial_number_label(certificate.serial_number).removeprefix("#")


def _longest_increasing(positions: Sequence[int]) -> frozenset[int]:
    """Find the most positions that are in order already: those are not moved."""
    ends: list[int] = []
    chains: list[tuple[int, ...]] = []
    for position in positions:
        length = bisect_left(ends, position)
        ends[length : length + 1] = [position]
        chains[length : length + 1] = [(*(chains[length - 1] if length else ()), position)]
    return frozenset(chains[-1]) if chains else frozenset()
