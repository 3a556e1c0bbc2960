"""Checks of served chains that files do not need: each function returns the finding of one check.

The order of a served chain is checked by :func:`first_break`: each certificate has to certify the one before it. The
order of a file is checked in :mod:`pkcs12kit.verifier.checks`: the file has to begin with the path, in order.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from pkcs12kit.devices.model import KNOWN_CHAIN_LIMITS
from pkcs12kit.devices.self_signed import may_be_own_anchor
from pkcs12kit.devices.stig import disallowed_by_stig
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.findings import Check, Outcome, not_checked, not_ok, note, ok
from pkcs12kit.paths.budget import BudgetExhaustedError
from pkcs12kit.paths.failure import InvalidPathError
from pkcs12kit.paths.issuers import may_have_signed
from pkcs12kit.paths.validation.extensions import check_can_sign, check_purpose
from pkcs12kit.paths.validation.parameters import SERVER_AUTH
from pkcs12kit.pkcs12.arrangement import is_readable
from pkcs12kit.text import counted
from pkcs12kit.verifier.delivered import drawn, labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.findings import Finding
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.report import PathReport
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.tls.certificate_message import CertificateMessage
    from pkcs12kit.verifier.delivered import ChainPaths, DeliveredChain


class Break(NamedTuple):
    """The position, from 0, of the first certificate that does not certify the one before it, and why."""

    position: int
    why: str


def first_break(certificates: Sequence[Certificate], budget: SearchBudget) -> Break | None:
    """Return the first certificate that does not certify the one before it; None where each does.

    Names and signatures are compared (RFC 5246 section 7.4.2). A signature that cannot be checked here is not a break:
    the validation of the path rejects it.
    """
    for position, certificate in enumerate(certificates):
        if not is_readable(certificate):
            return Break(position, f"the names or the key of certificate {position + 1} cannot be read")
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


def order_finding(of_the_path: Finding, broken: Break | None) -> Finding:
    """Return the finding on the order of a served chain (RFC 5246 section 7.4.2).

    - ``of_the_path``: the finding of the check for files: whether the chain begins with the path, in order.
    - ``broken``: the result of :func:`first_break`, which makes the check. A break is described in the finding, whether
      or not there is a valid path; without a break, ``of_the_path`` decides.
    """
    if broken is None:
        is_sound = of_the_path.outcome is Outcome.OK
        return ok(Check.ORDER, "each certificate certifies the one before it") if is_sound else of_the_path
    return not_ok(
        Check.ORDER,
        f"{broken.why}: against RFC 5246 section 7.4.2; RFC 8446 section 4.4.2 asks clients to tolerate it",
    )


def check_end_entity(message: CertificateMessage, anchors: Sequence[TrustAnchor]) -> Finding:
    """Check that the server's own certificate comes first, where every client expects it.

    It may be a CA certificate only where it is a trust anchor itself, as that of ``openssl req -x509`` may be.
    """
    check = Check.END_ENTITY
    if not message.certificates:
        return not_ok(check, "no certificate is sent")
    first, *others = message.certificates
    if not is_readable(first):
        return not_ok(check, "the names or the key of the first certificate cannot be read")
    if not first.is_ca:
        return ok(check, f"{first.label} is the first")
    for position, certificate in enumerate(others, start=2):
        if not certificate.is_ca and is_readable(certificate):
            return not_ok(
                check, f"the first is a CA certificate, {first.label}; {certificate.label} is certificate {position}"
            )
    if may_be_own_anchor(first, anchors):
        return ok(check, f"{first.label} is the first, and a trust anchor itself")
    return not_ok(check, f"the first is a CA certificate, {first.label}, and no end-entity certificate is sent")


def check_duplicates(chain: DeliveredChain) -> Finding:
    """Check that no (subject, key) occurs twice: a path holds each once, and Java ends the chain there."""
    repeated = Counter(certificate.node for certificate in chain.certificates)
    repeats = [
        f"{times} certificates have the subject {name.label} and the same key"
        for (name, _), times in repeated.items()
        if times > 1
    ]
    if repeats:
        return not_ok(Check.DUPLICATES, "; ".join(repeats))
    return ok(Check.DUPLICATES, "no subject and key occurs twice")


def check_superfluous(chain: DeliveredChain, paths: ChainPaths) -> Finding:
    """Report the certificates that are sent beside the path."""
    check = Check.SUPERFLUOUS
    path = paths.path
    if path is None:
        return not_checked(check, "there is no path")
    useful = {path.trust_anchor.node, *(certificate.node for certificate in path.certificates)}
    beside = [certificate for certificate in chain.certificates if certificate.node not in useful]
    if not beside:
        return ok(check, "nothing is sent beside the path")
    octets = sum(len(certificate.der) for certificate in beside)
    return note(
        check, f"{counted(len(beside), 'certificate')} beside the path, {counted(octets, 'byte')}: {labels(beside)}"
    )


def check_size(message: CertificateMessage) -> Finding:
    """Compare the number of certificates and of bytes with the limits of known clients."""
    over = [why for limit in KNOWN_CHAIN_LIMITS for why in limit.exceeded(message)]
    if over:
        return not_ok(Check.SIZE, "; ".join(over))
    sent = f"{counted(len(message.certificates), 'certificate')}, {counted(message.size, 'byte')}"
    return ok(Check.SIZE, f"{sent}: within the limits of known clients")


def check_server_purpose(target: Certificate | None) -> Finding:
    """Check that the certificate is for a TLS server: its extendedKeyUsage, and a key that may sign handshakes."""
    check = Check.PURPOSE
    if target is None:
        return not_checked(check, "there is no certificate")
    try:
        own = target.extensions
        check_purpose(target, SERVER_AUTH)
        check_can_sign(target, SERVER_AUTH)
    except (MalformedCertificateError, InvalidPathError) as error:
        why = f"{error.failure.detail} [{error.failure.section}]" if isinstance(error, InvalidPathError) else str(error)
        return not_ok(check, f"{target.label} {why}")
    if own.key_usage is not None and not own.key_usage.digital_signature:
        return not_ok(check, f"{target.label} has a keyUsage without digitalSignature [RFC 8446 section 4.4.2.2]")
    if own.extended_key_usage is None:
        return ok(check, "it names no purpose, and so it is for any")
    if SERVER_AUTH not in own.extended_key_usage:
        why = "is for any purpose and does not name TLS servers, which Apple, Firefox and OpenSSL ask for"
        return not_ok(check, f"{target.label} {why} [RFC 5280 section 4.2.1.12]")
    return ok(check, "it is for TLS servers")


def check_ca_purposes(of_the_target: Finding, path: ValidatedPath | None) -> Finding:
    """Return that finding, with a note on the purposes of CAs that some clients reject, where the path is valid.

    A path with a CA for other purposes only is not valid. Anchors are trusted whichever purposes they list (RFC 5937).
    """
    if of_the_target.outcome is not Outcome.OK or path is None:
        return of_the_target
    notes = [
        f"{certificate.label} is for any purpose and does not name TLS servers, which OpenSSL and GnuTLS ask of CAs"
        for certificate in path.certificates[1:]
        if _names_no_servers(certificate.extensions)
    ]
    if _names_no_servers(path.trust_anchor.constraints):
        anchor = path.trust_anchor.label
        notes.append(
            f"the trust anchor {anchor} has an extendedKeyUsage that does not name TLS servers: OpenSSL refuses it,"
            " and Go where it is not for any purpose"
        )
    return note(Check.PURPOSE, f"{of_the_target.why}; but {'; '.join(notes)}") if notes else of_the_target


def _names_no_servers(own: Extensions | None) -> bool:
    return own is not None and own.extended_key_usage is not None and SERVER_AUTH not in own.extended_key_usage


def check_disallowed(message: CertificateMessage) -> Finding:
    """Report the certificates that Windows distrusts where it is set up by a STIG, however valid they are."""
    listed = [found for found in map(disallowed_by_stig, message.certificates) if found is not None]
    if listed:
        return note(Check.DISALLOWED, "; ".join(dict.fromkeys(map(str, listed))))
    return ok(Check.DISALLOWED, "no STIG is known to put a certificate of the chain into Disallowed")


def check_pool(paths: ChainPaths, with_pool: PathReport | None, path: ValidatedPath | None) -> Finding:
    """Report whether the pool has the certificates that the server leaves out."""
    check = Check.POOL
    if paths.path is not None and with_pool is None:
        return not_checked(check, "the served chain needs none")
    if with_pool is None:
        return not_checked(check, "no other certificates were given")
    if paths.path is not None and path is None:
        return note(check, "even the pool has no certificates that fit the authorityKeyIdentifiers")
    if paths.path is not None and path is not None:
        return note(check, f"the pool has certificates that fit the authorityKeyIdentifiers: {drawn(path.with_anchor)}")
    if path is None:
        why = f": {with_pool.rejected[0]}" if with_pool.rejected else ""
        return note(check, f"even with the pool there is no valid path{why}")
    return note(
        check, f"with the pool there is a valid path that the server does not deliver: {drawn(path.with_anchor)}"
    )
