"""The checks that only what a server sends is put to, each a function to its finding."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from pkcs12kit.devices.model import KNOWN_CHAIN_LIMITS
from pkcs12kit.devices.stig import disallowed_by_stig
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.findings import Outcome, SentCheck
from pkcs12kit.paths.budget import BudgetExhaustedError
from pkcs12kit.paths.failure import InvalidPathError
from pkcs12kit.paths.issuers import may_have_signed
from pkcs12kit.paths.validation.extensions import check_purpose
from pkcs12kit.paths.validation.parameters import SERVER_AUTH
from pkcs12kit.pkcs12.arrangement import is_readable
from pkcs12kit.text import counted
from pkcs12kit.verifier.delivered import drawn, names, not_checked, not_ok, note, ok

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.findings import Finding
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.report import PathReport
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.tls.certificate_message import CertificateMessage
    from pkcs12kit.verifier.delivered import Search, Subject


class Break(NamedTuple):
    """Where certificates stop certifying one another: the first ``position``, from 0, that does not, and why."""

    position: int
    why: str


def first_break(certificates: Sequence[Certificate], budget: SearchBudget) -> Break | None:
    """Find the first certificate that does not certify the one before it; None where each does.

    By name and by signature (RFC 5246 section 7.4.2). A signature that cannot be checked here breaks nothing: the
    validation of the path says no to it.
    """
    for position, certificate in enumerate(certificates):
        if not is_readable(certificate):
            return Break(position, f"of certificate {position + 1} the names or the key cannot be read")
    for position, (lower, upper) in enumerate(pairwise(certificates), start=1):
        which = f"certificate {position + 1}, {upper.label},"
        if upper.subject != lower.issuer:
            issuer = lower.issuer.label
            return Break(position, f"{which} does not certify the one before it, {lower.label}, which {issuer} issued")
        try:
            if may_have_signed(upper, lower, budget):
                continue
        except BudgetExhaustedError as exhausted:
            return Break(position, str(exhausted))
        return Break(position, f"{which} bears the name of the issuer of {lower.label} before it, but not its key")
    return None


def of_order(of_the_path: Finding, broken: Break | None) -> Finding:
    """Say where the order breaks, and that not every client minds; else whether the path is in order."""
    if broken is None:
        is_sound = of_the_path.outcome is Outcome.OK
        return ok(SentCheck.ORDER, "each certificate certifies the one before it") if is_sound else of_the_path
    return not_ok(
        SentCheck.ORDER,
        f"{broken.why}: against RFC 5246 section 7.4.2; RFC 8446 section 4.4.2 wants clients to put up with it",
    )


def of_end_entity(message: CertificateMessage) -> Finding:
    """Say whether the server's own certificate comes first, where every client takes it from."""
    check = SentCheck.END_ENTITY
    if not message.certificates:
        return not_ok(check, "no certificate is sent")
    first, *others = message.certificates
    if not is_readable(first):
        return not_ok(check, "the names or the key of the first certificate cannot be read")
    if not first.is_ca:
        return ok(check, f"{first.label} is the first")
    for position, certificate in enumerate(others, start=2):
        if not certificate.is_ca and is_readable(certificate):
            return not_ok(check, f"the first is a CA's, {first.label}; {certificate.label} is certificate {position}")
    return not_ok(check, f"the first is a CA's, {first.label}, and no end-entity's is sent")


def of_duplicates(subject: Subject) -> Finding:
    """Say whether a (subject, key) comes twice: a path holds each once, and Java takes the chain to end there."""
    repeated = Counter(certificate.node for certificate in subject.certificates)
    told = [
        f"{times} certificates have the subject {name.label} and the same key"
        for (name, _), times in repeated.items()
        if times > 1
    ]
    if told:
        return not_ok(SentCheck.DUPLICATES, "; ".join(told))
    return ok(SentCheck.DUPLICATES, "no subject and key comes twice")


def of_superfluous(subject: Subject, search: Search) -> Finding:
    """Say what is sent beside the path."""
    check = SentCheck.SUPERFLUOUS
    path = search.path
    if path is None:
        return not_checked(check, "there is no path")
    useful = {path.trust_anchor.node, *(certificate.node for certificate in path.certificates)}
    beside = [certificate for certificate in subject.certificates if certificate.node not in useful]
    if not beside:
        return ok(check, "nothing is sent beside the path")
    octets = sum(len(certificate.der) for certificate in beside)
    return note(
        check, f"{counted(len(beside), 'certificate')} beside the path, {counted(octets, 'byte')}: {names(beside)}"
    )


def of_trust_anchor(subject: Subject, search: Search) -> Finding:
    """Say whether the anchor's own certificate is sent: clients have it already (RFC 5246 section 7.4.2)."""
    check = SentCheck.TRUST_ANCHOR
    if search.path is None:
        return not_checked(check, "there is no path")
    own = [one for one in subject.certificates if one.node == search.path.trust_anchor.node]
    if not own or search.path.certificates[0] in own:
        return ok(check, "its own certificate is not sent, and need not be")
    return ok(check, f"its own certificate is sent and need not be: {counted(len(own[0].der), 'byte')}")


def of_size(message: CertificateMessage) -> Finding:
    """Hold numbers and bytes against what known clients take."""
    over = [why for limit in KNOWN_CHAIN_LIMITS for why in limit.exceeded(message)]
    if over:
        return not_ok(SentCheck.SIZE, "; ".join(over))
    sent = f"{counted(len(message.certificates), 'certificate')}, {counted(message.size, 'byte')}"
    return ok(SentCheck.SIZE, f"{sent}: known clients take as much")


def of_purpose(target: Certificate | None) -> Finding:
    """Say whether the certificate is for a TLS server: its extendedKeyUsage, and a key that may sign handshakes."""
    check = SentCheck.PURPOSE
    if target is None:
        return not_checked(check, "there is no certificate")
    try:
        own = target.extensions
        check_purpose(target, SERVER_AUTH)
    except (MalformedCertificateError, InvalidPathError) as error:
        why = f"{error.failure.detail} [{error.failure.section}]" if isinstance(error, InvalidPathError) else str(error)
        return not_ok(check, f"{target.label} {why}")
    if own.key_usage is not None and not own.key_usage.digital_signature:
        return not_ok(check, f"{target.label} has a keyUsage without digitalSignature [RFC 8446 section 4.4.2.2]")
    if own.extended_key_usage is None:
        return ok(check, "it names no purpose, and so is for any")
    if SERVER_AUTH not in own.extended_key_usage:
        why = "is for any purpose and does not name TLS servers, which Apple, Firefox and OpenSSL ask for"
        return not_ok(check, f"{target.label} {why} [RFC 5280 section 4.2.1.12]")
    return ok(check, "it is for TLS servers")


def of_purposes_above(of_the_target: Finding, path: ValidatedPath | None) -> Finding:
    """Say too what CAs are for, where the path is valid: some clients ask more of them than RFC 5280 does.

    A CA that lists purposes and none that serves has no valid path. Anchors are trusted whatever they list (RFC 5937).
    """
    if of_the_target.outcome is not Outcome.OK or path is None:
        return of_the_target
    told = [
        f"{certificate.label} is for any purpose and does not name TLS servers, which OpenSSL and GnuTLS ask of CAs"
        for certificate in path.certificates[1:]
        if _names_no_servers(certificate.extensions)
    ]
    if _names_no_servers(path.trust_anchor.constraints):
        anchor = path.trust_anchor.label
        told.append(
            f"the trust anchor {anchor} has an extendedKeyUsage that does not name TLS servers: OpenSSL refuses it,"
            " and Go where it is not for any purpose"
        )
    return note(SentCheck.PURPOSE, f"{of_the_target.why}; but {'; '.join(told)}") if told else of_the_target


def _names_no_servers(own: Extensions | None) -> bool:
    return own is not None and own.extended_key_usage is not None and SERVER_AUTH not in own.extended_key_usage


def of_disallowed(message: CertificateMessage) -> Finding:
    """Say which certificates a Windows client that a STIG hardens distrusts, whatever else is right about them."""
    listed = [found for found in map(disallowed_by_stig, message.certificates) if found is not None]
    if listed:
        return note(SentCheck.DISALLOWED, "; ".join(dict.fromkeys(map(str, listed))))
    return ok(SentCheck.DISALLOWED, "no certificate is known that a STIG puts into Disallowed")


def of_pool(search: Search, with_pool: PathReport | None, path: ValidatedPath | None) -> Finding:
    """Say whether the pool has what the server leaves out."""
    check = SentCheck.POOL
    if search.path is not None:
        return not_checked(check, "what is sent suffices")
    if with_pool is None:
        return not_checked(check, "no other certificates were given")
    if path is None:
        why = f": {with_pool.rejected[0]}" if with_pool.rejected else ""
        return note(check, f"it does not help{why}")
    return note(check, f"with it there is a valid path that the server does not deliver: {drawn(path.with_anchor)}")
